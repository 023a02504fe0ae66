//! Epochs of another length.

use super::{Batch, DataDesc, DataIter, Recipe, SharedIter, Sources, Takes};
use crate::error::Result;
use crate::op::Attrs;
use std::sync::{MutexGuard, PoisonError};

/// An iterator with another number of batches in an epoch: it begins again where it ends too early.
#[derive(Attrs, Clone, Debug)]
pub struct ResizeIter {
    /// Number of batches in an epoch.
    #[attr(id = 10, min = 0)]
    pub size: i64,
    /// Begin the iterator again with every epoch.
    #[attr(id = 11, default = true)]
    pub reset_internal: bool,
}

impl Recipe for ResizeIter {
    fn takes(&self) -> Takes {
        Takes::Iterators
    }

    fn open(&self, mut sources: Sources) -> Result<Box<dyn DataIter>> {
        let (Some(inner), true) = (sources.iters.pop(), sources.iters.is_empty()) else {
            return Err(crate::err!(InvalidValue, "expected one iterator").about("iters"));
        };
        let (provide_data, provide_label) = {
            let inner = lock(&inner);
            (inner.provide_data().to_vec(), inner.provide_label().to_vec())
        };
        Ok(Box::new(Open { recipe: self.clone(), inner, provide_data, provide_label, given: 0 }))
    }
}

pub(super) fn lock(iter: &SharedIter) -> MutexGuard<'_, Box<dyn DataIter>> {
    iter.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Open {
    recipe: ResizeIter,
    inner: SharedIter,
    provide_data: Vec<DataDesc>,
    provide_label: Vec<DataDesc>,
    /// Batches of this epoch so far.
    given: i64,
}

impl DataIter for Open {
    fn provide_data(&self) -> &[DataDesc] {
        &self.provide_data
    }

    fn provide_label(&self) -> &[DataDesc] {
        &self.provide_label
    }

    fn next(&mut self) -> Result<Option<Batch>> {
        if self.given == self.recipe.size {
            return Ok(None);
        }
        let mut inner = lock(&self.inner);
        let mut batch = inner.next()?;
        if batch.is_none() {
            inner.reset()?;
            batch = inner.next()?;
        }
        if batch.is_none() {
            crate::bail!(InvalidValue, "expected an iterator that gives batches, got one without any");
        }
        self.given += 1;
        Ok(batch)
    }

    fn reset(&mut self) -> Result<()> {
        self.given = 0;
        if self.recipe.reset_internal { lock(&self.inner).reset() } else { Ok(()) }
    }
}
