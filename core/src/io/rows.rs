//! Examples in memory, of which batches are made by number.

use super::{Batch, DataDesc};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::{Attrs, Call, Operator, invoke, registry};
use crate::ops::index::{Take, TakeMode};
use crate::ops::matrix::SliceAxis;

/// Arrays of as many examples each, along one axis.
pub(super) struct Rows {
    pub(super) data: Vec<NdArray>,
    pub(super) label: Vec<NdArray>,
    pub(super) provide_data: Vec<DataDesc>,
    pub(super) provide_label: Vec<DataDesc>,
    pub(super) axis: usize,
    /// Number of examples.
    pub(super) count: usize,
}

impl Rows {
    /// The batch of these examples, the last `pad` of which fill it up.
    pub(super) fn batch(&self, rows: Vec<i64>, pad: usize) -> Result<Batch> {
        let follow = rows.windows(2).all(|w| w[0] + 1 == w[1]);
        let some = |arrays: &[NdArray]| -> Result<Vec<NdArray>> {
            let (Some(first), true) = (rows.first(), follow) else { return self.picked(arrays, &rows) };
            let end = Some(first + rows.len() as i64);
            let slice = SliceAxis { axis: self.axis as i64, begin: *first, end };
            arrays.iter().map(|a| call(slice.clone(), std::slice::from_ref(a))).collect()
        };
        Ok(Batch { data: some(&self.data)?, label: some(&self.label)?, pad, index: rows })
    }

    fn picked(&self, arrays: &[NdArray], rows: &[i64]) -> Result<Vec<NdArray>> {
        let each = |array: &NdArray| {
            let index = NdArray::from_slice([rows.len() as i64], rows, array.device())?;
            call(Take { axis: self.axis as i64, mode: TakeMode::Clip }, &[array.clone(), index])
        };
        arrays.iter().map(each).collect()
    }
}

fn call<T: Operator + Attrs>(op: T, inputs: &[NdArray]) -> Result<NdArray> {
    let mut outputs = invoke(&registry().op(op), inputs, &[], &Call::default())?;
    outputs.pop().ok_or_else(|| crate::Error::internal("an operator gave nothing"))
}
