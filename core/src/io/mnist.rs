//! Batches of the files of MNIST and of data sets in its format.

use super::{Batch, DataDesc, DataIter, Recipe, Sources, Takes};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::format::atomic;
use crate::ndarray::NdArray;
use crate::op::Attrs;
use crate::rng::{self, Generator};
use crate::shape::Shape;
use std::path::Path;

/// Batches of images and labels in MNIST's format, brightness from 0 to 255/256. Examples at the end that do not
/// fill a batch are left out.
#[derive(Attrs, Clone, Debug)]
pub struct MnistIter {
    /// The file of the images, not compressed.
    #[attr(id = 10, default = "./train-images-idx3-ubyte")]
    pub image: String,
    /// The file of the labels, not compressed.
    #[attr(id = 11, default = "./train-labels-idx1-ubyte")]
    pub label: String,
    /// Number of examples in a batch.
    #[attr(id = 12, default = 128, min = 1)]
    pub batch_size: i64,
    /// Give the examples in a random order, the same in every epoch.
    #[attr(id = 13, default = true)]
    pub shuffle: bool,
    /// Give images as lists of pixels, without axes of channel, height and width.
    #[attr(id = 14, default = false)]
    pub flat: bool,
    /// Where the random order begins.
    #[attr(id = 15, default = 0)]
    pub seed: i64,
    /// Say nothing; nothing is said in any case.
    #[attr(id = 16, default = false)]
    pub silent: bool,
    /// Into how many parts the examples are divided.
    #[attr(id = 17, default = 1, min = 1)]
    pub num_parts: i64,
    /// Which of the parts is given.
    #[attr(id = 18, default = 0, min = 0)]
    pub part_index: i64,
    /// Name of the images.
    #[attr(id = 1, default = "data")]
    pub data_name: String,
    /// Name of the labels.
    #[attr(id = 2, default = "softmax_label")]
    pub label_name: String,
}

/// The sizes and bytes of a file with so many axes.
fn read(path: &Path, axes: usize) -> Result<(Vec<usize>, Vec<u8>)> {
    let bytes = atomic::read(path)?;
    let bad = |what: String| crate::err!(Format, "{what}").in_file(path);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(bad("the file is compressed: decompress it with gunzip first".into()));
    }
    let word = |i: usize| Some(u32::from_be_bytes(bytes.get(4 * i..4 * i + 4)?.try_into().ok()?) as usize);
    // 8 says that elements are bytes.
    if word(0) != Some(0x0800 + axes) {
        return Err(bad(format!("expected bytes along {axes} axes in MNIST's format")));
    }
    let sizes: Vec<usize> =
        (1..=axes).map(word).collect::<Option<_>>().ok_or_else(|| bad("the header is cut off".into()))?;
    let data = bytes[4 + 4 * axes..].to_vec();
    let expected = sizes.iter().try_fold(1_usize, |n, s| n.checked_mul(*s));
    if expected != Some(data.len()) {
        return Err(bad(format!("the header says {sizes:?} elements, but there are {}", data.len())));
    }
    Ok((sizes, data))
}

impl MnistIter {
    /// The numbers of the examples that are given, in order.
    fn order(&self, count: usize) -> Vec<usize> {
        let generator = Generator::new(self.seed as u64, Device::cpu(0));
        let all = match self.shuffle {
            true => rng::permutation(generator.reserve(count as u64), count),
            false => (0..count).collect(),
        };
        let part = |i: i64| (count as u128 * i as u128 / self.num_parts as u128) as usize;
        all[part(self.part_index)..part(self.part_index + 1)].to_vec()
    }
}

impl Recipe for MnistIter {
    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn check(&self) -> Result<()> {
        if self.part_index >= self.num_parts {
            let e =
                crate::err!(InvalidValue, "expected less than {}, got {}", self.num_parts, self.part_index);
            return Err(e.about("part_index"));
        }
        Ok(())
    }

    fn open(&self, _sources: Sources) -> Result<Box<dyn DataIter>> {
        let (sizes, images) = read(Path::new(&self.image), 3)?;
        let (counts, labels) = read(Path::new(&self.label), 1)?;
        if counts[0] != sizes[0] {
            let e = crate::err!(Shape, "expected a label for each of {} images, got {}", sizes[0], counts[0]);
            return Err(e.about("label"));
        }
        let (n, height, width) = (self.batch_size, sizes[1] as i64, sizes[2] as i64);
        let shape =
            if self.flat { Shape::new(&[n, height * width]) } else { Shape::new(&[n, 1, height, width]) };
        let desc = |name: &str, shape| {
            vec![DataDesc { name: name.to_owned(), shape, dtype: DType::F32, layout: "NCHW".into() }]
        };
        Ok(Box::new(Open {
            provide_data: desc(&self.data_name, shape),
            provide_label: desc(&self.label_name, Shape::new(&[n])),
            order: self.order(sizes[0]),
            pixels: sizes[1] * sizes[2],
            images,
            labels,
            cursor: 0,
        }))
    }
}

struct Open {
    provide_data: Vec<DataDesc>,
    provide_label: Vec<DataDesc>,
    order: Vec<usize>,
    /// Pixels of an image.
    pixels: usize,
    images: Vec<u8>,
    labels: Vec<u8>,
    /// Where in the order the next batch begins.
    cursor: usize,
}

impl DataIter for Open {
    fn provide_data(&self) -> &[DataDesc] {
        &self.provide_data
    }

    fn provide_label(&self) -> &[DataDesc] {
        &self.provide_label
    }

    fn next(&mut self) -> Result<Option<Batch>> {
        let end = self.cursor + self.batch_size();
        let Some(rows) = self.order.get(self.cursor..end) else { return Ok(None) };
        self.cursor = end;
        let image = |row: &usize| &self.images[row * self.pixels..][..self.pixels];
        let pixels: Vec<f32> = rows.iter().flat_map(image).map(|p| f32::from(*p) * (1.0 / 256.0)).collect();
        let labels: Vec<f32> = rows.iter().map(|row| f32::from(self.labels[*row])).collect();
        let device = Device::default();
        Ok(Some(Batch {
            data: vec![NdArray::from_slice(self.provide_data[0].shape.clone(), &pixels, device)?],
            label: vec![NdArray::from_slice(self.provide_label[0].shape.clone(), &labels, device)?],
            pad: 0,
            index: rows.iter().map(|row| *row as i64).collect(),
        }))
    }

    fn reset(&mut self) -> Result<()> {
        self.cursor = 0;
        Ok(())
    }
}
