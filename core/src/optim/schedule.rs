//! Learning rates that depend on the number of updates. All begin with a warm-up, if one is asked for.

use crate::error::Result;
use crate::op::{AttrEnum, Attrs};
use crate::shape::Shape;
use std::f64::consts::PI;
use std::sync::{Arc, Mutex};

/// How the learning rate rises during the warm-up.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum WarmupMode {
    /// In equal steps.
    Linear,
    /// Not at all: it stays at `warmup_begin_lr`.
    Constant,
}

/// The warm-up that every schedule has.
#[derive(Clone, Copy, Debug)]
pub struct Warmup {
    /// Updates that it takes.
    pub steps: i64,
    /// The learning rate at its beginning.
    pub begin: f64,
    /// The learning rate at its end.
    pub end: f64,
    /// How it gets there.
    pub mode: WarmupMode,
}

impl Warmup {
    fn lr(&self, num_update: i64) -> Option<f64> {
        let rise = (self.end - self.begin) * num_update as f64 / self.steps as f64;
        let rise = if self.mode == WarmupMode::Linear { rise } else { 0.0 };
        (num_update < self.steps).then_some(self.begin + rise)
    }

    fn check(&self) -> Result<()> {
        if self.begin > self.end {
            return Err(crate::err!(
                InvalidValue,
                "expected at most base_lr, {}, got {}",
                self.end,
                self.begin
            )
            .about("warmup_begin_lr"));
        }
        Ok(())
    }
}

/// A schedule: the learning rate as a function of the number of updates.
pub trait LrScheduler: Send {
    /// The warm-up.
    fn warmup(&self) -> Warmup;

    /// The learning rate after the warm-up.
    fn after_warmup(&self, num_update: i64) -> f64;

    /// The learning rate that it starts from.
    fn base_lr(&self) -> f64;

    /// Starts from another learning rate. Schedules that lead to a final learning rate keep their own, and
    /// all keep their warm-up, as MXNet's do.
    fn set_base_lr(&mut self, lr: f64);

    /// The learning rate when some parameter has had this many updates, and none more.
    fn lr(&self, num_update: i64) -> f64 {
        self.warmup().lr(num_update).unwrap_or_else(|| self.after_warmup(num_update))
    }

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        self.warmup().check()
    }
}

/// A schedule that the caller keeps too, and that optimizers may share.
pub type SharedScheduler = Arc<Mutex<Box<dyn LrScheduler>>>;

/// Makes a schedule's struct: its own attributes around the base, then those that all have.
macro_rules! schedule {
    ($(#[doc = $doc:literal])* $name:ident { $($before:tt)* } base { $($after:tt)* }) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $name {
            $($before)*
            /// The learning rate to start from, after the warm-up.
            #[attr(id = 1, default = 0.01)]
            pub base_lr: f64,
            $($after)*
            /// Updates that the warm-up takes.
            #[attr(id = 2, default = 0, min = 0)]
            pub warmup_steps: i64,
            /// The learning rate at the beginning of the warm-up.
            #[attr(id = 3, default = 0.0)]
            pub warmup_begin_lr: f64,
            /// How the learning rate rises during the warm-up.
            #[attr(id = 4, default = WarmupMode::Linear)]
            pub warmup_mode: WarmupMode,
        }
    };
    (@warmup) => {
        fn warmup(&self) -> Warmup {
            Warmup {
                steps: self.warmup_steps,
                begin: self.warmup_begin_lr,
                end: self.base_lr,
                mode: self.warmup_mode,
            }
        }
        fn base_lr(&self) -> f64 {
            self.base_lr
        }
    };
}

schedule! {
    /// The learning rate stays, after the warm-up that every schedule has.
    Constant {} base {}
}

schedule! {
    /// The learning rate times a factor after every `step` updates.
    Factor {
        /// Updates from one change to the next.
        #[attr(id = 10, min = 1)]
        pub step: i64,
        /// The factor, at most 1.
        #[attr(id = 11, default = 1.0, max = 1.0)]
        pub factor: f64,
        /// The learning rate does not fall below this.
        #[attr(id = 12, default = 1e-8)]
        pub stop_factor_lr: f64,
    } base {}
}

schedule! {
    /// The learning rate times a factor after chosen numbers of updates.
    MultiFactor {
        /// The numbers of updates, rising.
        #[attr(id = 10, min = 1)]
        pub step: Shape,
        /// The factor, at most 1.
        #[attr(id = 11, default = 1.0, max = 1.0)]
        pub factor: f64,
    } base {}
}

schedule! {
    /// The learning rate falls to the final one as a power of the updates that are left.
    Poly {
        /// The number of updates after which the learning rate is final.
        #[attr(id = 10, min = 1)]
        pub max_update: i64,
    } base {
        /// The power.
        #[attr(id = 11, default = 2.0)]
        pub pwr: f64,
        /// The final learning rate.
        #[attr(id = 12, default = 0.0)]
        pub final_lr: f64,
    }
}

schedule! {
    /// The learning rate falls to the final one as half a wave of a cosine.
    Cosine {
        /// The number of updates after which the learning rate is final.
        #[attr(id = 10, min = 1)]
        pub max_update: i64,
    } base {
        /// The final learning rate.
        #[attr(id = 12, default = 0.0)]
        pub final_lr: f64,
    }
}

/// A schedule whose base changed, apart from its warm-up's end.
#[derive(Clone, Debug)]
struct Rebased<T> {
    schedule: T,
    base_lr: f64,
}

/// Falling by a factor from a base: how far.
trait Falling: Attrs + Clone + Send {
    fn warmup(&self) -> Warmup;
    fn base_lr(&self) -> f64;
    fn fall(&self, base: f64, num_update: i64) -> f64;
    fn check(&self) -> Result<()> {
        Falling::warmup(self).check()
    }
}

impl Falling for Constant {
    schedule!(@warmup);
    fn fall(&self, base: f64, _num_update: i64) -> f64 {
        base
    }
}

impl Falling for Factor {
    schedule!(@warmup);
    fn fall(&self, base: f64, num_update: i64) -> f64 {
        let times = (num_update - 1).max(0) / self.step;
        if times == 0 {
            return base;
        }
        (base * self.factor.powi(times.min(i64::from(i32::MAX)) as i32)).max(self.stop_factor_lr)
    }
}

impl Falling for MultiFactor {
    schedule!(@warmup);
    fn fall(&self, base: f64, num_update: i64) -> f64 {
        let times = self.step.iter().filter(|s| num_update > **s).count();
        base * self.factor.powi(times as i32)
    }
    fn check(&self) -> Result<()> {
        if self.step.is_empty() || self.step.windows(2).any(|w| w[0] >= w[1]) {
            return Err(crate::err!(InvalidValue, "expected rising numbers, got {}", self.step).about("step"));
        }
        Falling::warmup(self).check()
    }
}

impl<T: Falling> LrScheduler for Rebased<T> {
    fn warmup(&self) -> Warmup {
        self.schedule.warmup()
    }
    fn after_warmup(&self, num_update: i64) -> f64 {
        self.schedule.fall(self.base_lr, num_update)
    }
    fn base_lr(&self) -> f64 {
        self.base_lr
    }
    fn set_base_lr(&mut self, lr: f64) {
        self.base_lr = lr;
    }
    fn check(&self) -> Result<()> {
        self.schedule.check()
    }
}

impl<T: Falling> Attrs for Rebased<T> {
    const DOC: &'static str = T::DOC;
    fn schema() -> Vec<crate::op::attrs::AttrSchema> {
        T::schema()
    }
    fn from_values(values: &[(u32, crate::op::AttrValue)]) -> Result<Self> {
        let schedule = T::from_values(values)?;
        let base_lr = schedule.base_lr();
        Ok(Rebased { schedule, base_lr })
    }
    fn to_values(&self) -> Vec<crate::op::AttrValue> {
        self.schedule.to_values()
    }
}

/// What a schedule with a final learning rate has left, from 1 to 0, of its updates.
fn left(num_update: i64, warmup_steps: i64, max_update: i64) -> f64 {
    let all = (max_update - warmup_steps).max(1) as f64;
    1.0 - (num_update.min(max_update) - warmup_steps) as f64 / all
}

impl LrScheduler for Poly {
    schedule!(@warmup);
    fn after_warmup(&self, num_update: i64) -> f64 {
        let left = left(num_update, self.warmup_steps, self.max_update);
        self.final_lr + (self.base_lr - self.final_lr) * left.powf(self.pwr)
    }
    fn set_base_lr(&mut self, _lr: f64) {}
}

impl LrScheduler for Cosine {
    schedule!(@warmup);
    fn after_warmup(&self, num_update: i64) -> f64 {
        let done = 1.0 - left(num_update, self.warmup_steps, self.max_update);
        self.final_lr + (self.base_lr - self.final_lr) * (1.0 + (PI * done).cos()) / 2.0
    }
    fn set_base_lr(&mut self, _lr: f64) {}
}

crate::registered_table! {
    /// Every schedule, by the names of MXNet's classes.
    pub fn lr_schedulers() -> dyn LrScheduler = "learning-rate schedule" {
        Rebased<Constant> = "LRScheduler" aliases ["constant"],
        Rebased<Factor> = "FactorScheduler" aliases ["factor"],
        Rebased<MultiFactor> = "MultiFactorScheduler" aliases ["multifactor"],
        Poly = "PolyScheduler" aliases ["poly"],
        Cosine = "CosineScheduler" aliases ["cosine"],
    }
}
