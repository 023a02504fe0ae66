//! Batches of files that have an example in each line, in the order of the lines.

use super::rows::Rows;
use super::{Batch, DataDesc, DataIter};
use crate::error::Result;

/// Examples of which batches are made by number.
pub(super) trait Examples: Send {
    /// Number of examples.
    fn count(&self) -> usize;

    /// What the data of a batch are.
    fn provide_data(&self) -> &[DataDesc];

    /// What the labels of a batch are.
    fn provide_label(&self) -> &[DataDesc];

    /// The batch of these examples, the last `pad` of which fill it up.
    fn batch(&self, rows: Vec<i64>, pad: usize) -> Result<Batch>;
}

impl Examples for Rows {
    fn count(&self) -> usize {
        self.count
    }

    fn provide_data(&self) -> &[DataDesc] {
        &self.provide_data
    }

    fn provide_label(&self) -> &[DataDesc] {
        &self.provide_label
    }

    fn batch(&self, rows: Vec<i64>, pad: usize) -> Result<Batch> {
        Rows::batch(self, rows, pad)
    }
}

/// Goes through examples as MXNet does through lines of text.
pub(super) struct Lines {
    examples: Box<dyn Examples>,
    size: usize,
    round: bool,
    /// The example with which the next batch begins.
    cursor: usize,
    /// How many of the first examples the last batch took.
    ahead: usize,
}

impl Lines {
    /// Batches of `size` examples. With `round` the first examples fill the last batch up, with which the next epoch
    /// then does not begin; otherwise examples of the batch before do.
    pub(super) fn new(examples: Box<dyn Examples>, size: usize, round: bool) -> Lines {
        Lines { examples, size, round, cursor: 0, ahead: 0 }
    }
}

impl DataIter for Lines {
    fn provide_data(&self) -> &[DataDesc] {
        self.examples.provide_data()
    }

    fn provide_label(&self) -> &[DataDesc] {
        self.examples.provide_label()
    }

    fn next(&mut self) -> Result<Option<Batch>> {
        let (size, count, begin) = (self.size, self.examples.count(), self.cursor);
        if begin >= count {
            return Ok(None);
        }
        self.cursor = begin + size;
        let pad = self.cursor.saturating_sub(count);
        if self.round {
            self.ahead = pad;
        }
        let row = |i: usize| match i {
            _ if i < count => i,
            _ if self.round || i < size => i % count,
            _ => i - size,
        };
        self.examples.batch((begin..begin + size).map(|i| row(i) as i64).collect(), pad).map(Some)
    }

    fn reset(&mut self) -> Result<()> {
        self.cursor = std::mem::take(&mut self.ahead) % self.examples.count();
        Ok(())
    }

    fn hard_reset(&mut self) -> Result<()> {
        self.ahead = 0;
        self.reset()
    }
}
