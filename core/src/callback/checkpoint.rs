//! Checkpoints.

use super::{Callback, Moment, Reply};
use crate::metric::Values;
use crate::op::Attrs;

/// Asks for a checkpoint every so many epochs, at their end.
#[derive(Attrs, Clone, Debug)]
pub struct Checkpoint {
    /// What the names of the files begin with.
    #[attr(id = 1)]
    pub prefix: String,
    /// Epochs from one checkpoint to the next.
    #[attr(id = 2, default = 1, min = 1)]
    pub period: i64,
    /// Write the states of the optimizer too.
    #[attr(id = 3, default = false)]
    pub save_optimizer_states: bool,
}

impl Callback for Checkpoint {
    fn due(&mut self, now: &Moment) -> bool {
        (now.epoch + 1) % self.period == 0
    }

    fn call(&mut self, _now: &Moment, _values: Option<&Values>) -> Reply {
        Reply { save: true, ..Reply::default() }
    }
}
