//! Batches of the lines of CSV files.

use super::lines::Lines;
use super::rows::Rows;
use super::{DataDesc, DataIter, Recipe, Sources, Takes};
use crate::device::Device;
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::format::atomic;
use crate::ndarray::NdArray;
use crate::op::Attrs;
use crate::shape::Shape;
use std::path::Path;

/// Batches of files that have an example in each line, as numbers between commas.
#[derive(Attrs, Clone, Debug)]
pub struct CsvIter {
    /// The file of the data.
    #[attr(id = 10)]
    pub data_csv: String,
    /// Shape of an example.
    #[attr(id = 11)]
    pub data_shape: Shape,
    /// The file of the labels, which are zeros if absent.
    #[attr(id = 12)]
    pub label_csv: Option<String>,
    /// Shape of a label.
    #[attr(id = 13, default = Shape::new(&[1]))]
    pub label_shape: Shape,
    /// Number of examples in a batch.
    #[attr(id = 14, min = 1)]
    pub batch_size: i64,
    /// Fill the last batch up with the first examples, with which the next epoch then does not begin. Otherwise
    /// examples of the batch before fill it up.
    #[attr(id = 15, default = true)]
    pub round_batch: bool,
    /// Type of the elements: float32, int32 or int64.
    #[attr(id = 16, default = DType::F32)]
    pub dtype: DType,
    /// Name of the data.
    #[attr(id = 1, default = "data")]
    pub data_name: String,
    /// Name of the labels.
    #[attr(id = 2, default = "softmax_label")]
    pub label_name: String,
}

impl Recipe for CsvIter {
    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn check(&self) -> Result<()> {
        if !matches!(self.dtype, DType::F32 | DType::I32 | DType::I64) {
            let e = crate::err!(InvalidValue, "expected float32, int32 or int64, got {}", self.dtype);
            return Err(e.about("dtype"));
        }
        Ok(())
    }

    fn open(&self, _sources: Sources) -> Result<Box<dyn DataIter>> {
        let data = read(Path::new(&self.data_csv), &self.data_shape, self.dtype)?;
        let count = data.shape()?[0];
        let label = match &self.label_csv {
            Some(path) => read(Path::new(path), &self.label_shape, self.dtype)?,
            None => NdArray::full(examples(count, &self.label_shape), 0.0, self.dtype, Device::default())?,
        };
        if count == 0 || label.shape()?[0] != count {
            let e = crate::err!(
                Shape,
                "expected a label for each of {count} examples, got {}",
                label.shape()?[0]
            );
            return Err(e.about("label_csv"));
        }
        // A label of one number is a number, not a list of one.
        let label = if self.label_shape[..] == [1] { label.reshape(&[count].into())? } else { label };
        let desc = |name: &str, array: &NdArray| -> Result<DataDesc> {
            let mut shape = array.shape()?.clone();
            shape[0] = self.batch_size;
            Ok(DataDesc { name: name.to_owned(), shape, dtype: self.dtype, layout: "NCHW".into() })
        };
        let rows = Rows {
            provide_data: vec![desc(&self.data_name, &data)?],
            provide_label: vec![desc(&self.label_name, &label)?],
            data: vec![data],
            label: vec![label],
            axis: 0,
            count: count as usize,
        };
        Ok(Box::new(Lines::new(Box::new(rows), self.batch_size as usize, self.round_batch)))
    }
}

fn examples(count: i64, shape: &Shape) -> Shape {
    std::iter::once(count).chain(shape.iter().copied()).collect()
}

/// The examples of a file.
fn read(path: &Path, shape: &Shape, dtype: DType) -> Result<NdArray> {
    let bytes = atomic::read(path)?;
    let bad = |line: usize, what: String| crate::err!(Format, "line {}: {what}", line + 1).in_file(path);
    crate::with_dtype!(dtype, T => {
        let (mut values, mut count) = (Vec::<T>::new(), 0);
        for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
            let line = std::str::from_utf8(line).map_err(|_| bad(number, "expected text".into()))?.trim();
            if line.is_empty() {
                continue;
            }
            let before = values.len();
            for field in line.split(',') {
                let value = number_of::<T>(field.trim());
                values.push(value.ok_or_else(|| bad(number, format!("expected a number, got '{field}'")))?);
            }
            let found = values.len() - before;
            if found != shape.len() {
                return Err(bad(number, format!("expected {} numbers for shape {shape}, got {found}", shape.len())));
            }
            count += 1;
        }
        NdArray::from_slice(examples(count, shape), &values, Device::default())
    })
}

/// The number that a text says; integers keep all their digits.
fn number_of<T: Element>(text: &str) -> Option<T> {
    if T::DTYPE.is_int() {
        if let Ok(whole) = text.parse::<i64>() {
            return Some(T::from_i64(whole));
        }
    }
    text.parse::<f64>().ok().map(T::from_f64)
}
