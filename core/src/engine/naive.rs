//! The naive engine: an operation has ended when its push returns.
//!
//! Several threads may push, so operations still wait for their variables in the same queues. One that becomes
//! ready runs on the thread that made it ready, after what that thread is running; its pusher waits for the end.
//! A push from inside a task does not wait: its operation runs after the task.

use super::op::Op;
use super::{EngineKind, Scheduler};
use std::sync::Arc;

pub(super) struct Naive;

impl Scheduler for Naive {
    fn kind(&self) -> EngineKind {
        EngineKind::Naive
    }

    fn should_inline(&self, _cost: usize) -> bool {
        true
    }

    fn ready(&self, op: Arc<Op>) {
        op.run_here();
    }

    fn runs_ahead(&self) -> bool {
        false
    }

    fn stop(&self) {}
}
