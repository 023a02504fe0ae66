//! Looking at elements in the engine's order, without waiting for them.

use super::NdArray;
use crate::dtype::{DType, Element};
use crate::engine::{self, Begin, PushOptions, Resource, Var};
use crate::error::Result;
use crate::shape::Shape;
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::sync::Arc;

/// The elements of an array that is being looked at.
pub struct Elements<'a> {
    data: *const u8,
    shape: &'a Shape,
    dtype: DType,
    read: unsafe fn(*const u8, usize) -> f64,
    _data: PhantomData<&'a [u8]>,
}

impl Elements<'_> {
    /// The sizes of the axes.
    pub fn shape(&self) -> &Shape {
        self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// True if there are no elements.
    pub fn is_empty(&self) -> bool {
        self.shape.is_empty()
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Element `i`, row-major.
    pub fn get(&self, i: usize) -> f64 {
        assert!(i < self.len(), "element {i} of {}", self.len());
        // SAFETY: the engine grants reading while this exists, and there are so many elements of the dtype.
        unsafe { (self.read)(self.data, i) }
    }

    /// All elements, row-major.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}

/// # Safety
/// There are more than `i` elements of this type at `data`, which may be read.
unsafe fn read<T: Element>(data: *const u8, i: usize) -> f64 {
    // SAFETY: the caller's promise; storages are aligned for every element type.
    unsafe { data.cast::<T>().add(i).read() }.to_f64()
}

/// Runs `work` over the elements of arrays once they are computed, in the order of the calls on everything that
/// it writes. Its error comes to whoever waits for that. `name` is that of the operation in messages.
///
/// # Errors
/// Those of waiting for a shape that only running tells, and of the engine.
pub fn observe(
    arrays: &[NdArray],
    writes: SmallVec<[Arc<dyn Resource>; 4]>,
    name: &'static str,
    work: impl FnOnce(&[Elements]) -> Result<()> + Send + 'static,
) -> Result<()> {
    let mut cost = 0;
    for array in arrays {
        cost += array.len()?;
    }
    let own: SmallVec<[NdArray; 2]> = SmallVec::from(arrays);
    let task = move || {
        let elements: Result<SmallVec<[Elements; 2]>> = own.iter().map(elements).collect();
        work(&elements?)
    };
    if engine::should_inline(cost) {
        let reads: SmallVec<[&Var; 4]> = arrays.iter().map(|a| a.storage().var()).collect();
        let written: SmallVec<[&Var; 4]> = writes.iter().map(|w| w.var()).collect();
        // What earlier work added stays, so an earlier error does too.
        let both: SmallVec<[&Var; 8]> = reads.iter().chain(&written).copied().collect();
        match engine::begin(&both, &written) {
            Begin::Ready => {
                engine::finish(&both, &written, guarded(task).map_err(|e| e.in_operator(name)));
                return Ok(());
            }
            Begin::Failed(_) => return Ok(()),
            Begin::Busy => {}
        }
    }
    let mut reads: SmallVec<[Arc<dyn Resource>; 4]> = writes.clone();
    reads.extend(arrays.iter().map(|a| a.storage().clone() as Arc<dyn Resource>));
    engine::push(Box::new(task), reads, writes, PushOptions { priority: 0, bytes: 0, name })
}

fn elements(array: &NdArray) -> Result<Elements<'_>> {
    let read = crate::with_dtype!(array.dtype(), T => read::<T> as unsafe fn(*const u8, usize) -> f64);
    Ok(Elements {
        data: array.data()?.cast_const(),
        shape: array.shape()?,
        dtype: array.dtype(),
        read,
        _data: PhantomData,
    })
}

/// Runs on the caller's thread, so a panic must become an error here.
fn guarded(task: impl FnOnce() -> Result<()>) -> Result<()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(task))
        .unwrap_or_else(|_| Err(crate::Error::internal("looking at the elements panicked")))
}
