//! Placeholder replaced by the dependency engine: runs everything at once.
use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

#[allow(missing_docs)]
pub trait Resource: Send + Sync + 'static {
    fn var(&self) -> &Var;
}
#[allow(missing_docs)]
#[derive(Default)]
pub struct Var(parking_lot::Mutex<Option<Error>>);
#[allow(missing_docs)]
impl Var {
    pub fn new() -> Var {
        Var::default()
    }
}
#[allow(missing_docs)]
pub enum Begin {
    Ready,
    Failed(Error),
    Busy,
}
#[allow(missing_docs)]
pub type Task = Box<dyn FnOnce() -> Result<()> + Send>;
#[allow(missing_docs)]
pub struct PushOptions {
    pub priority: i32,
    pub bytes: usize,
    pub name: &'static str,
}
#[allow(missing_docs)]
pub fn begin(reads: &[&Var], writes: &[&Var]) -> Begin {
    for r in reads {
        if let Some(e) = &*r.0.lock() {
            writes.iter().for_each(|w| {
                if !std::ptr::eq(*w, *r) {
                    *w.0.lock() = Some(e.clone())
                }
            });
            return Begin::Failed(e.clone());
        }
    }
    Begin::Ready
}
#[allow(missing_docs)]
pub fn finish(_reads: &[&Var], writes: &[&Var], result: Result<()>) {
    writes.iter().for_each(|w| *w.0.lock() = result.as_ref().err().cloned());
}
#[allow(missing_docs)]
pub fn push(
    task: Task,
    reads: SmallVec<[Arc<dyn Resource>; 4]>,
    writes: SmallVec<[Arc<dyn Resource>; 4]>,
    _o: PushOptions,
) -> Result<()> {
    let r: Vec<_> = reads.iter().map(|r| r.var()).collect();
    let w: Vec<_> = writes.iter().map(|r| r.var()).collect();
    if let Begin::Ready = begin(&r, &w) {
        finish(&r, &w, task());
    }
    Ok(())
}
#[allow(missing_docs)]
pub fn wait_read(res: &Arc<dyn Resource>, _t: Option<Duration>) -> Result<()> {
    res.var().0.lock().clone().map_or(Ok(()), Err)
}
#[allow(missing_docs)]
pub fn wait_write(res: &Arc<dyn Resource>, t: Option<Duration>) -> Result<()> {
    wait_read(res, t)
}
#[allow(missing_docs)]
pub fn should_inline(_cost: usize) -> bool {
    true
}
