//! The optimizer whose arithmetic the caller writes.

use super::common::{Common, Rule, Step, common, optimizer};
use crate::error::Result;

optimizer! {
    /// What all optimizers have: learning rate and weight decay with their factors by parameter, counts of
    /// updates. States and updates are for the caller to write.
    Own {} lr None {}
}

impl Rule for Own {
    common!();
    fn num_states(&self) -> usize {
        0
    }
    fn step(&mut self, _s: &Step) -> Result<()> {
        crate::bail!(Unsupported, "the update of this optimizer is for the caller to write")
    }
}
