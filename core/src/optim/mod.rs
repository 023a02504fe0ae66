//! Optimizers: how weights change by their gradients.
//!
//! An optimizer is a [`Rule`], the arithmetic with its own attributes, inside an [`Optimizer`], which has
//! what all share: learning rate and decay with their factors by parameter, counts of updates, a schedule,
//! copies of half-precision weights. An [`Updater`] keeps the states of many parameters and turns them into
//! bytes.
//!
//! Names, attributes and results are those of MXNet 1.9.1's Python classes.

mod adaptive;
mod common;
mod momentum;
mod optimizer;
mod own;
pub mod schedule;
mod updater;

pub use adaptive::{AdaDelta, AdaGrad, Adam, AdamW, Adamax, Ftml, Ftrl, Lamb, Nadam, RmsProp};
pub use common::{Common, RESCALE_GRAD, Rule, Step};
pub use momentum::{Nag, Sgd, Signum};
pub use optimizer::{Factors, Optimizer, Param, State};
pub use own::Own;
pub use schedule::{LrScheduler, SharedScheduler, lr_schedulers};
pub use updater::{SharedOptimizer, Updater};

crate::registered_table! {
    /// Every optimizer, by the names of MXNet's classes.
    pub fn optimizers() -> dyn Rule = "optimizer" {
        Own = "Optimizer",
        Sgd = "SGD" aliases ["ccSGD"],
        Nag = "NAG",
        Signum = "Signum",
        Adam = "Adam",
        AdamW = "AdamW",
        Adamax = "Adamax",
        Nadam = "Nadam",
        RmsProp = "RMSProp",
        AdaGrad = "AdaGrad",
        AdaDelta = "AdaDelta",
        Ftrl = "Ftrl",
        Ftml = "FTML",
        Lamb = "LAMB",
    }
}
