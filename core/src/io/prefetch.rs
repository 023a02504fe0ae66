//! Batches that a thread makes ahead of their use.

use super::resize::lock;
use super::{Batch, DataDesc, DataIter, Recipe, SharedIter, Sources, Takes};
use crate::error::Result;
use crate::fork;
use crate::op::Attrs;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// The batches of other iterators, side by side, the next of which a thread makes while one is used.
#[derive(Attrs, Clone, Debug)]
pub struct PrefetchingIter {
    /// New names of all data, in order; the old ones if absent.
    #[attr(id = 10)]
    pub rename_data: Option<Vec<String>>,
    /// New names of all labels, in order; the old ones if absent.
    #[attr(id = 11)]
    pub rename_label: Option<Vec<String>>,
}

impl Recipe for PrefetchingIter {
    fn takes(&self) -> Takes {
        Takes::Iterators
    }

    fn open(&self, sources: Sources) -> Result<Box<dyn DataIter>> {
        if sources.iters.is_empty() {
            return Err(crate::err!(InvalidValue, "expected at least one iterator, got none").about("iters"));
        }
        let (mut provide_data, mut provide_label) = (vec![], vec![]);
        for iter in &sources.iters {
            let iter = lock(iter);
            provide_data.extend_from_slice(iter.provide_data());
            provide_label.extend_from_slice(iter.provide_label());
        }
        rename(&mut provide_data, self.rename_data.as_deref(), "rename_data")?;
        rename(&mut provide_label, self.rename_label.as_deref(), "rename_label")?;
        Ok(Box::new(Open { iters: sources.iters, provide_data, provide_label, worker: None, ended: false }))
    }
}

fn rename(descs: &mut [DataDesc], names: Option<&[String]>, argument: &str) -> Result<()> {
    let Some(names) = names else { return Ok(()) };
    if names.len() != descs.len() {
        let e = crate::err!(InvalidValue, "expected {} names, got {}", descs.len(), names.len());
        return Err(e.about(argument));
    }
    for (desc, name) in descs.iter_mut().zip(names) {
        desc.name.clone_from(name);
    }
    Ok(())
}

/// The thread that makes batches, and where they come from it. It ends with the receiver.
struct Worker {
    batches: Option<Receiver<Result<Option<Batch>>>>,
    thread: Option<JoinHandle<()>>,
    generation: u32,
}

impl Worker {
    fn start(iters: Vec<SharedIter>) -> Result<Worker> {
        let (sender, receiver) = sync_channel(1);
        let work = move || loop {
            let batch = side_by_side(&iters);
            let last = !matches!(batch, Ok(Some(_)));
            if sender.send(batch).is_err() || last {
                break;
            }
        };
        let thread = thread::Builder::new().name("mxr-prefetch".into()).spawn(work);
        let thread = thread.map_err(|e| crate::err!(OutOfMemory, "a thread could not be started: {e}"))?;
        Ok(Worker { batches: Some(receiver), thread: Some(thread), generation: fork::generation() })
    }

    fn next(&self) -> Result<Option<Batch>> {
        if self.generation != fork::generation() {
            crate::bail!(Device, "a prefetching iterator that has begun does not work in a forked process");
        }
        let batches = self.batches.as_ref().and_then(|b| b.recv().ok());
        batches.unwrap_or_else(|| Err(crate::Error::internal("the thread that makes batches has ended")))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.batches.take());
        // The thread is gone in a forked child.
        if let Some(thread) = self.thread.take().filter(|_| self.generation == fork::generation()) {
            let _ = thread.join();
        }
    }
}

/// The next batches of all iterators as one.
fn side_by_side(iters: &[SharedIter]) -> Result<Option<Batch>> {
    let mut all: Option<Batch> = None;
    for (i, iter) in iters.iter().enumerate() {
        match (lock(iter).next()?, &mut all) {
            (Some(batch), None) if i == 0 => all = Some(batch),
            (Some(batch), Some(all)) if batch.pad == all.pad => {
                all.data.extend(batch.data);
                all.label.extend(batch.label);
            }
            (None, None) => {}
            _ => crate::bail!(InvalidValue, "expected iterators of as many examples each"),
        }
    }
    Ok(all)
}

struct Open {
    iters: Vec<SharedIter>,
    provide_data: Vec<DataDesc>,
    provide_label: Vec<DataDesc>,
    worker: Option<Worker>,
    ended: bool,
}

impl Open {
    fn stop(&mut self) -> Result<()> {
        if self.worker.as_ref().is_some_and(|w| w.generation != fork::generation()) {
            crate::bail!(Device, "a prefetching iterator that has begun does not work in a forked process");
        }
        self.worker = None;
        self.ended = false;
        Ok(())
    }
}

impl DataIter for Open {
    fn provide_data(&self) -> &[DataDesc] {
        &self.provide_data
    }

    fn provide_label(&self) -> &[DataDesc] {
        &self.provide_label
    }

    fn next(&mut self) -> Result<Option<Batch>> {
        if self.ended {
            return Ok(None);
        }
        if self.worker.is_none() {
            self.worker = Some(Worker::start(self.iters.clone())?);
        }
        let batch = self.worker.as_ref().map_or(Ok(None), Worker::next);
        self.ended = !matches!(batch, Ok(Some(_)));
        batch
    }

    fn reset(&mut self) -> Result<()> {
        self.stop()?;
        self.iters.iter().try_for_each(|iter| lock(iter).reset())
    }

    fn hard_reset(&mut self) -> Result<()> {
        self.stop()?;
        self.iters.iter().try_for_each(|iter| lock(iter).hard_reset())
    }
}
