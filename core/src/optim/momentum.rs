//! Optimizers that follow the gradient, with or without momentum.

use super::common::{Common, Rule, Step, common, optimizer};
use crate::error::Result;
use crate::ops::optim::{
    MpNagMomUpdate, MpSgdMomUpdate, MpSgdUpdate, NagMomUpdate, SgdMomUpdate, SgdUpdate, SignsgdUpdate,
    SignumUpdate,
};

optimizer! {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// How much of the momentum stays; no momentum is kept if it is 0.
        #[attr(id = 10, default = 0.0)]
        pub momentum: f64,
        /// For row-sparse gradients: leave rows without gradient alone.
        #[attr(id = 11, default = true)]
        pub lazy_update: bool,
    } lr None {}
}

/// A call of an update operator with the attributes that most have.
macro_rules! plain {
    ($op:ident, $s:expr $(, $field:ident: $value:expr)*) => {
        $op {
            lr: $s.lr,
            wd: $s.wd,
            rescale_grad: $s.rescale_grad,
            clip_gradient: $s.clip_gradient,
            $($field: $value),*
        }
    };
}
pub(super) use plain;

impl Rule for Sgd {
    common!();
    fn num_states(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }
    fn handles_master(&self) -> bool {
        true
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let (momentum, lazy_update) = (self.momentum, self.lazy_update);
        match (momentum != 0.0, s.master.is_some()) {
            (false, false) => s.run(plain!(SgdUpdate, s, lazy_update: lazy_update)),
            (false, true) => s.run(plain!(MpSgdUpdate, s, lazy_update: lazy_update)),
            (true, false) => s.run(plain!(SgdMomUpdate, s, momentum: momentum, lazy_update: lazy_update)),
            (true, true) => s.run(plain!(MpSgdMomUpdate, s, momentum: momentum, lazy_update: lazy_update)),
        }
    }
}

optimizer! {
    /// Nesterov's accelerated gradient.
    Nag {
        /// How much of the momentum stays; no momentum is kept if it is 0.
        #[attr(id = 10, default = 0.0)]
        pub momentum: f64,
    } lr None {}
}

impl Rule for Nag {
    common!();
    fn num_states(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }
    fn handles_master(&self) -> bool {
        true
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        let momentum = self.momentum;
        match (momentum != 0.0, s.master.is_some()) {
            (false, false) => s.run(plain!(SgdUpdate, s, lazy_update: true)),
            (false, true) => s.run(plain!(MpSgdUpdate, s, lazy_update: true)),
            (true, false) => s.run(plain!(NagMomUpdate, s, momentum: momentum)),
            (true, true) => s.run(plain!(MpNagMomUpdate, s, momentum: momentum)),
        }
    }
}

optimizer! {
    /// Signum: moves weights by the learning rate along the sign of the momentum.
    Signum {} lr Some(0.01) {
        /// How much of the momentum stays; the gradient's own sign counts if it is 0.
        #[attr(id = 10, default = 0.9)]
        pub momentum: f64,
        /// Weight decay that is not part of the gradient.
        #[attr(id = 11, default = 0.0)]
        pub wd_lh: f64,
    }
}

impl Rule for Signum {
    common!();
    fn num_states(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }
    fn step(&mut self, s: &Step) -> Result<()> {
        if self.momentum == 0.0 {
            return s.run(plain!(SignsgdUpdate, s));
        }
        s.run(plain!(SignumUpdate, s, momentum: self.momentum, wd_lh: self.wd_lh))
    }
}
