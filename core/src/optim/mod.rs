//! Optimizers: how weights change by their gradients.
//!
//! An optimizer is a [`Rule`], the arithmetic with its own attributes, inside an [`Optimizer`], which has
//! what
//! all share: learning rate and decay with their factors by parameter, counts of updates, a schedule,
//! copies of
//! half-precision weights. An [`Updater`] keeps the states of many parameters and turns them into bytes.
//!
//! Names, attributes and results are those of MXNet 1.9.1's Python classes.

mod adaptive;
mod common;
mod momentum;
mod optimizer;
pub mod schedule;
mod updater;

pub use adaptive::{AdaDelta, AdaGrad, Adam, AdamW, Adamax, Ftml, Ftrl, Lamb, Nadam, RmsProp};
pub use common::{Common, Rule, Step};
pub use momentum::{Nag, Sgd, Signum};
pub use optimizer::{Optimizer, Param, State};
pub use schedule::{LrScheduler, lr_schedulers};
pub use updater::Updater;

crate::registered_table! {
    /// Every optimizer, by MXNet's names.
    pub fn optimizers() -> dyn Rule = "optimizer" {
        Sgd = "sgd" aliases ["ccsgd"],
        Nag = "nag",
        Signum = "signum",
        Adam = "adam",
        AdamW = "adamw",
        Adamax = "adamax",
        Nadam = "nadam",
        RmsProp = "rmsprop",
        AdaGrad = "adagrad",
        AdaDelta = "adadelta",
        Ftrl = "ftrl",
        Ftml = "ftml",
        Lamb = "lamb",
    }
}
