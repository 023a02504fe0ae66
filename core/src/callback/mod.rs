//! What is said and done while a model is trained: lines about speed and metrics, a progress bar, checkpoints.
//!
//! A language tells a callback of each batch or epoch. [`Callback::due`] says whether it wants to hear more, so that
//! metrics, whose values must be waited for, are asked only then; [`Callback::call`] answers with a [`Reply`], which
//! the language prints and carries out. Names, attributes and texts are those of MXNet 1.9.1's `mx.callback`.

mod checkpoint;
mod log;
mod progress;

pub use checkpoint::Checkpoint;
pub use log::{LogTrainMetric, LogValidationMetrics};
pub use progress::{ProgressBar, Speedometer};

use crate::error::Result;
use crate::metric::Values;
use crate::op::attrs::AttrSchema;
use crate::op::{AttrValue, Attrs};

/// Where the training is.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The epoch, from 0.
    pub epoch: i64,
    /// The batch of the epoch, from 0.
    pub batch: i64,
    /// The time in seconds, from any beginning.
    pub seconds: f64,
}

/// What a callback wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// To be printed, as a line unless it ends in a carriage return.
    pub text: Option<String>,
    /// The metric is to forget what it has told: [`crate::metric::Metric::reset_local`].
    pub reset_metric: bool,
    /// A checkpoint of the epoch is to be written, under its number from 1.
    pub save: bool,
}

/// Is told of each batch or epoch.
pub trait Callback: Send {
    /// Notes a moment, and says whether [`Callback::call`] is to follow.
    fn due(&mut self, now: &Moment) -> bool;

    /// Answers at a moment that was due, with the values of the metric, if there is one.
    fn call(&mut self, now: &Moment, values: Option<&Values>) -> Reply;

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

crate::registered_table! {
    /// Every callback, by MXNet's names.
    pub fn callbacks() -> dyn Callback = "callback" {
        Stateful<Speedometer> = "Speedometer",
        ProgressBar = "ProgressBar",
        LogTrainMetric = "log_train_metric",
        LogValidationMetrics = "LogValidationMetricsCallback",
        Checkpoint = "do_checkpoint" aliases ["module_checkpoint"],
    }
}

/// Attributes with a state that begins at its default.
pub struct Stateful<T: HasState> {
    attrs: T,
    state: T::State,
}

/// Attributes of something that remembers.
pub trait HasState: Attrs + Send {
    /// What it remembers.
    type State: Default + Send;
}

impl<T: HasState> Attrs for Stateful<T> {
    const DOC: &'static str = T::DOC;
    fn schema() -> Vec<AttrSchema> {
        T::schema()
    }
    fn from_values(values: &[(u32, AttrValue)]) -> Result<Self> {
        Ok(Stateful { attrs: T::from_values(values)?, state: T::State::default() })
    }
    fn to_values(&self) -> Vec<AttrValue> {
        self.attrs.to_values()
    }
}

/// A number as C's `%f` prints it with so many digits.
fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}").to_lowercase()
}
