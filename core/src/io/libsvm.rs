//! Batches of the lines of LibSVM files.

use super::lines::{Examples, Lines};
use super::{Batch, DataDesc, DataIter, Recipe, Sources, Takes};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::format::atomic;
use crate::ndarray::NdArray;
use crate::op::Attrs;
use crate::shape::Shape;
use std::path::Path;

/// Batches of files that have an example in each line: a label, and those numbers that are not 0, each after its
/// place and a colon. Places begin with 0; what follows a # is passed over. Batches are dense arrays of `float32`,
/// where MXNet's are sparse; the file is kept as it is, so that wide examples take no more than their numbers.
#[derive(Attrs, Clone, Debug)]
pub struct LibSvmIter {
    /// The file of the data.
    #[attr(id = 10)]
    pub data_libsvm: String,
    /// Shape of an example.
    #[attr(id = 11)]
    pub data_shape: Shape,
    /// A file whose numbers are the labels; those of the first file, one in each line, if absent.
    #[attr(id = 12)]
    pub label_libsvm: Option<String>,
    /// Shape of a label of `label_libsvm`.
    #[attr(id = 13, default = Shape::new(&[1]))]
    pub label_shape: Shape,
    /// Number of examples in a batch.
    #[attr(id = 14, min = 1)]
    pub batch_size: i64,
    /// Fill the last batch up with the first examples, with which the next epoch then does not begin. Otherwise
    /// examples of the batch before fill it up.
    #[attr(id = 15, default = true)]
    pub round_batch: bool,
    /// Name of the data.
    #[attr(id = 1, default = "data")]
    pub data_name: String,
    /// Name of the labels.
    #[attr(id = 2, default = "softmax_label")]
    pub label_name: String,
}

impl Recipe for LibSvmIter {
    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn open(&self, _sources: Sources) -> Result<Box<dyn DataIter>> {
        let (labels, data) = read(Path::new(&self.data_libsvm), &self.data_shape)?;
        let label = match &self.label_libsvm {
            Some(path) => read(Path::new(path), &self.label_shape)?.1,
            None => Sparse::of_numbers(labels),
        };
        if data.count() == 0 || data.count() != label.count() {
            let (expected, got) = (data.count(), label.count());
            let e = crate::err!(Shape, "expected a label for each of {expected} examples, got {got}");
            return Err(e.about("label_libsvm"));
        }
        let desc = |name: &str, examples: &Sparse| {
            let shape = examples.batch_shape(self.batch_size);
            vec![DataDesc { name: name.to_owned(), shape, dtype: DType::F32, layout: "NCHW".into() }]
        };
        let (provide_data, provide_label) = (desc(&self.data_name, &data), desc(&self.label_name, &label));
        let file = File { data, label, provide_data, provide_label };
        Ok(Box::new(Lines::new(Box::new(file), self.batch_size as usize, self.round_batch)))
    }
}

/// Examples by the numbers that are not 0.
struct Sparse {
    /// Of an example; empty if that is a number.
    shape: Shape,
    /// Where the numbers of each example end.
    ends: Vec<usize>,
    places: Vec<usize>,
    numbers: Vec<f32>,
}

impl Sparse {
    fn of_numbers(numbers: Vec<f32>) -> Sparse {
        let count = numbers.len();
        Sparse { shape: Shape::new(&[]), ends: (1..=count).collect(), places: vec![0; count], numbers }
    }

    fn count(&self) -> usize {
        self.ends.len()
    }

    fn batch_shape(&self, size: i64) -> Shape {
        std::iter::once(size).chain(self.shape.iter().copied()).collect()
    }

    fn dense(&self, rows: &[i64]) -> Result<NdArray> {
        let width = self.shape.len();
        let mut all = vec![0.0; rows.len() * width];
        for (row, example) in all.chunks_exact_mut(width).zip(rows.iter().map(|r| *r as usize)) {
            let begin = example.checked_sub(1).map_or(0, |before| self.ends[before]);
            let those = begin..self.ends[example];
            for (place, number) in self.places[those.clone()].iter().zip(&self.numbers[those]) {
                row[*place] = *number;
            }
        }
        NdArray::from_slice(self.batch_shape(rows.len() as i64), &all, Device::default())
    }
}

/// The first number of each line of a file, and the others by their places.
fn read(path: &Path, shape: &Shape) -> Result<(Vec<f32>, Sparse)> {
    let bytes = atomic::read(path)?;
    let width = shape.len();
    if width == 0 {
        return Err(crate::err!(Shape, "an example of shape {shape} has no numbers").in_file(path));
    }
    let mut labels = vec![];
    let mut examples = Sparse { shape: shape.clone(), ends: vec![], places: vec![], numbers: vec![] };
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.split('#').next().unwrap_or_default();
        let in_line = |e: Error| {
            let message = format!("line {}: {}", number + 1, e.message());
            e.with_message(message).in_file(path)
        };
        let mut words = line.split_ascii_whitespace();
        let Some(label) = words.next() else { continue };
        labels.push(parsed::<f32>(label, "a number").map_err(in_line)?);
        for word in words {
            let (place, number) = pair(word, shape).map_err(in_line)?;
            examples.places.push(place);
            examples.numbers.push(number);
        }
        examples.ends.push(examples.places.len());
    }
    Ok((labels, examples))
}

/// A place and its number.
fn pair(word: &str, shape: &Shape) -> Result<(usize, f32)> {
    let (place, number) = word
        .split_once(':')
        .ok_or_else(|| crate::err!(Format, "expected a place, a colon and a number, got '{word}'"))?;
    let place = parsed::<usize>(place, "a place")?;
    if place >= shape.len() {
        crate::bail!(Format, "expected a place below {} for shape {shape}, got {place}", shape.len());
    }
    Ok((place, parsed(number, "a number")?))
}

fn parsed<T: std::str::FromStr>(text: &str, what: &str) -> Result<T> {
    text.parse().map_err(|_| crate::err!(Format, "expected {what}, got '{text}'"))
}

/// Examples and their labels.
struct File {
    data: Sparse,
    label: Sparse,
    provide_data: Vec<DataDesc>,
    provide_label: Vec<DataDesc>,
}

impl Examples for File {
    fn count(&self) -> usize {
        self.data.count()
    }

    fn provide_data(&self) -> &[DataDesc] {
        &self.provide_data
    }

    fn provide_label(&self) -> &[DataDesc] {
        &self.provide_label
    }

    fn batch(&self, rows: Vec<i64>, pad: usize) -> Result<Batch> {
        let (data, label) = (vec![self.data.dense(&rows)?], vec![self.label.dense(&rows)?]);
        Ok(Batch { data, label, pad, index: rows })
    }
}
