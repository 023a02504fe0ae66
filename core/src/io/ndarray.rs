//! Batches of arrays in memory.

use super::rows::Rows;
use super::{Batch, DataDesc, DataIter, MaybeNamed, Recipe, Sources, Takes, batch_axis};
use crate::device::Device;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::{AttrEnum, Attrs};
use crate::rng::{self, Generator};

/// What becomes of examples at the end that do not fill a batch.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum LastBatch {
    /// The first examples fill the batch up.
    Pad,
    /// They are left out.
    Discard,
    /// They begin the next epoch.
    RollOver,
}

/// Batches of data and labels in memory. Several arrays are in the order of their names; those without a name are
/// called by `data_name` and `label_name`: `data`, or `_0_data`, `_1_data`, … if there are several.
#[derive(Attrs, Clone, Debug)]
pub struct NdArrayIter {
    /// Number of examples in a batch.
    #[attr(id = 10, default = 1, min = 1)]
    pub batch_size: i64,
    /// Give the examples in another random order in every epoch.
    #[attr(id = 11, default = false)]
    pub shuffle: bool,
    /// What becomes of examples at the end that do not fill a batch.
    #[attr(id = 12, default = LastBatch::Pad)]
    pub last_batch_handle: LastBatch,
    /// Name of data without one.
    #[attr(id = 1, default = "data")]
    pub data_name: String,
    /// Name of labels without one.
    #[attr(id = 2, default = "softmax_label")]
    pub label_name: String,
    /// What the axes are, `N` that of the examples.
    #[attr(id = 13, default = "NCHW")]
    pub layout: String,
    /// Where the random orders begin; the engine's own random numbers are used if absent.
    #[attr(id = 14)]
    pub seed: Option<i64>,
}

/// Gives names to arrays that have none, and sorts by name.
fn named(arrays: MaybeNamed, default: &str) -> Vec<(String, NdArray)> {
    let several = arrays.len() > 1;
    let own = |i: usize| if several { format!("_{i}_{default}") } else { default.to_owned() };
    let each = arrays.into_iter().enumerate().map(|(i, (name, a))| (name.unwrap_or_else(|| own(i)), a));
    let mut out: Vec<_> = each.collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

impl NdArrayIter {
    /// What an array gives; refuses another number of examples than `count`.
    fn desc(&self, name: &str, array: &NdArray, axis: usize, count: Option<i64>) -> Result<DataDesc> {
        let mut shape = array.shape()?.clone();
        if shape.ndim() <= axis {
            return Err(crate::err!(Shape, "expected more than {axis} axes, got shape {shape}").about(name));
        }
        if let Some(count) = count.filter(|n| *n != shape[axis]) {
            return Err(crate::err!(
                Shape,
                "expected {count} examples along axis {axis}, as in the other arrays, got shape {shape}"
            )
            .about(name));
        }
        shape[axis] = self.batch_size;
        Ok(DataDesc { name: name.to_owned(), shape, dtype: array.dtype(), layout: self.layout.clone() })
    }

    fn rows(&self, sources: Sources) -> Result<Rows> {
        let axis = batch_axis(&self.layout)?;
        let data = named(sources.data, &self.data_name);
        let label = named(sources.label, &self.label_name);
        let Some((_, first)) = data.first() else {
            return Err(crate::err!(InvalidValue, "expected at least one array, got none").about("data"));
        };
        let count = first.shape()?.get(axis).copied();
        let describe = |arrays: &[(String, NdArray)]| -> Result<Vec<DataDesc>> {
            arrays.iter().map(|(n, a)| self.desc(n, a, axis, count)).collect()
        };
        let (provide_data, provide_label) = (describe(&data)?, describe(&label)?);
        let count = count.unwrap_or(0) as usize;
        if count == 0 {
            return Err(crate::err!(Shape, "expected at least one example, got none").about("data"));
        }
        let arrays = |named: Vec<(String, NdArray)>| named.into_iter().map(|(_, a)| a).collect();
        Ok(Rows { data: arrays(data), label: arrays(label), provide_data, provide_label, axis, count })
    }
}

impl Recipe for NdArrayIter {
    fn takes(&self) -> Takes {
        Takes::Arrays
    }
    fn open(&self, sources: Sources) -> Result<Box<dyn DataIter>> {
        let rows = self.rows(sources)?;
        let generator = self.seed.map(|seed| Generator::new(seed as u64, Device::cpu(0)));
        let order = (0..rows.count as i64).collect();
        let mut iter = Open { recipe: self.clone(), rows, generator, order, cursor: 0, carried: vec![] };
        iter.shuffle();
        Ok(Box::new(iter))
    }
}

struct Open {
    recipe: NdArrayIter,
    rows: Rows,
    /// Where orders come from, if not from the engine's own generator.
    generator: Option<Generator>,
    /// The examples in the order of this epoch.
    order: Vec<i64>,
    /// Where in the order the next batch begins.
    cursor: usize,
    /// Examples of the last epoch with which this one begins.
    carried: Vec<i64>,
}

impl Open {
    fn size(&self) -> usize {
        self.recipe.batch_size as usize
    }

    /// Another order for the examples, if it is asked for.
    fn shuffle(&mut self) {
        if self.recipe.shuffle {
            let generator = self.generator.as_ref().unwrap_or_else(|| rng::generator(Device::cpu(0)));
            let stream = generator.reserve(self.rows.count as u64);
            self.order = rng::permutation(stream, self.rows.count).into_iter().map(|i| i as i64).collect();
        }
    }
}

impl DataIter for Open {
    fn provide_data(&self) -> &[DataDesc] {
        &self.rows.provide_data
    }

    fn provide_label(&self) -> &[DataDesc] {
        &self.rows.provide_label
    }

    fn next(&mut self) -> Result<Option<Batch>> {
        let (size, count, begin) = (self.size(), self.rows.count, self.cursor);
        if begin >= count {
            return Ok(None);
        }
        let mut rows = std::mem::take(&mut self.carried);
        // MXNet reports what was carried over as if it were padding.
        let carried = rows.len();
        let end = begin + size - carried;
        self.cursor = end;
        if end <= count {
            rows.extend(&self.order[begin..end]);
            return self.rows.batch(rows, carried).map(Some);
        }
        match self.recipe.last_batch_handle {
            LastBatch::Pad => {
                rows.extend((begin..end).map(|i| self.order[i % count]));
                self.rows.batch(rows, end - count).map(Some)
            }
            LastBatch::Discard => Ok(None),
            LastBatch::RollOver => {
                rows.extend(&self.order[begin..]);
                self.carried = rows;
                Ok(None)
            }
        }
    }

    /// An epoch of which nothing was read keeps its order: loops that reset before each epoch see the same batches as
    /// those that reset after it.
    fn reset(&mut self) -> Result<()> {
        if self.cursor > 0 {
            self.shuffle();
            self.cursor = 0;
        }
        Ok(())
    }

    fn hard_reset(&mut self) -> Result<()> {
        self.carried.clear();
        self.reset()
    }
}
