//! Data iterators: batches for training and prediction, from arrays and from files.
//!
//! A [`Recipe`] holds the attributes; opened over [`Sources`] it becomes a [`DataIter`]. Names, attributes, order
//! of the batches and padding are those of MXNet 1.9.1's `mx.io`; what is shuffled is so by this engine's own
//! random numbers, so that every language sees one order.

mod csv;
mod libsvm;
mod lines;
mod mnist;
mod ndarray;
mod prefetch;
mod resize;
mod rows;

pub use csv::CsvIter;
pub use libsvm::LibSvmIter;
pub use mnist::MnistIter;
pub use ndarray::{LastBatch, NdArrayIter};
pub use prefetch::PrefetchingIter;
pub use resize::ResizeIter;

use crate::dtype::DType;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::AttrValue;
use crate::shape::Shape;
use std::sync::{Arc, Mutex};

/// What an iterator gives under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct DataDesc {
    /// Name of the variable that it is for.
    pub name: String,
    /// Shape of a batch.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
    /// What the axes are, `N` that of the batch: `NCHW`.
    pub layout: String,
}

/// Arrays for one step.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Data, in the order of [`DataIter::provide_data`].
    pub data: Vec<NdArray>,
    /// Labels, in the order of [`DataIter::provide_label`].
    pub label: Vec<NdArray>,
    /// How many examples, the last ones, only fill the batch up.
    pub pad: usize,
    /// Numbers of the examples in their source.
    pub index: Vec<i64>,
}

/// Gives one batch after the other.
pub trait DataIter: Send {
    /// What the data of a batch are.
    fn provide_data(&self) -> &[DataDesc];

    /// What the labels of a batch are.
    fn provide_label(&self) -> &[DataDesc];

    /// The next batch; none at the end of the epoch.
    ///
    /// # Errors
    /// About a source that cannot be read.
    fn next(&mut self) -> Result<Option<Batch>>;

    /// Begins the next epoch.
    ///
    /// # Errors
    /// As [`DataIter::next`].
    fn reset(&mut self) -> Result<()>;

    /// Begins as if nothing had been read yet: nothing is carried over from the last epoch.
    ///
    /// # Errors
    /// As [`DataIter::next`].
    fn hard_reset(&mut self) -> Result<()> {
        self.reset()
    }

    /// Number of examples in a batch.
    fn batch_size(&self) -> usize {
        let first = self.provide_data().first();
        first.map_or(0, |d| d.shape[batch_axis(&d.layout).unwrap_or(0).min(d.shape.ndim() - 1)] as usize)
    }
}

/// An iterator that the caller keeps too, and that others may read from.
pub type SharedIter = Arc<Mutex<Box<dyn DataIter>>>;

/// Arrays with their names, where they have some.
pub type MaybeNamed = Vec<(Option<String>, NdArray)>;

/// What an iterator reads from besides files.
#[derive(Default)]
pub struct Sources {
    /// Data in memory.
    pub data: MaybeNamed,
    /// Labels in memory.
    pub label: MaybeNamed,
    /// Other iterators.
    pub iters: Vec<SharedIter>,
}

/// What [`Sources`] an iterator reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// None: files that its attributes name.
    Nothing,
    /// Data and labels in memory.
    Arrays,
    /// Other iterators.
    Iterators,
}

impl Takes {
    /// The schema's word.
    pub fn word(self) -> &'static str {
        match self {
            Takes::Nothing => "nothing",
            Takes::Arrays => "arrays",
            Takes::Iterators => "iterators",
        }
    }
}

/// The attributes of an iterator.
pub trait Recipe: Send {
    /// What it reads from.
    fn takes(&self) -> Takes;

    /// Opens the iterator, before its first batch.
    ///
    /// # Errors
    /// `Shape` for arrays that do not go together; `Io` and `Format` for files.
    fn open(&self, sources: Sources) -> Result<Box<dyn DataIter>>;

    /// Checks what bounds of attributes cannot say.
    ///
    /// # Errors
    /// `InvalidValue`, about the attribute.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

crate::registered_table! {
    /// Every data iterator, by the names of MXNet's classes.
    pub fn data_iters() -> dyn Recipe = "data iterator" {
        NdArrayIter = "NDArrayIter",
        CsvIter = "CSVIter",
        LibSvmIter = "LibSVMIter",
        MnistIter = "MNISTIter",
        PrefetchingIter = "PrefetchingIter",
        ResizeIter = "ResizeIter",
    }
}

/// What the iterator of this name reads from.
pub fn takes(name: &str) -> Takes {
    match name {
        "NDArrayIter" => Takes::Arrays,
        "PrefetchingIter" | "ResizeIter" => Takes::Iterators,
        _ => Takes::Nothing,
    }
}

/// Opens the iterator of this name with these attributes, by id.
///
/// # Errors
/// Those of [`crate::op::Table::create`] and [`Recipe::open`]; `InvalidValue` for sources that it does not take.
pub fn open(name: &str, values: &[(u32, AttrValue)], sources: Sources) -> Result<Box<dyn DataIter>> {
    let entry = data_iters().find(name)?;
    let recipe = entry.create(values)?;
    let given = [
        ("data", !sources.data.is_empty(), Takes::Arrays),
        ("label", !sources.label.is_empty(), Takes::Arrays),
        ("iters", !sources.iters.is_empty(), Takes::Iterators),
    ];
    if let Some((argument, ..)) = given.iter().find(|(_, there, taker)| *there && recipe.takes() != *taker) {
        let e = crate::err!(InvalidValue, "this iterator reads from {}", recipe.takes().word());
        return Err(e.about(argument).in_operator(entry.name));
    }
    recipe.open(sources).map_err(|e| e.in_operator(entry.name))
}

/// The place of the batch among the axes that a layout names.
fn batch_axis(layout: &str) -> Result<usize> {
    layout.find('N').ok_or_else(|| {
        crate::err!(InvalidValue, "expected letters for axes, N among them, got '{layout}'").about("layout")
    })
}
