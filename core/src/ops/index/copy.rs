//! Rows replaced by others.

use super::{Beyond, Take, TakeMode, places};
use crate::ops::family::prelude::*;

/// An array with some of its rows, along the first axis, replaced.
#[derive(Attrs, Clone, Debug)]
pub struct IndexCopy;

const NUMBERS: &str = "The numbers of the rows.";

/// Copies the first input to the output, unless it is the output.
fn keep(k: &Kernel) {
    if k.input_ptr(0) != k.output_ptr(0).cast_const() {
        k.copy(0, 0);
    }
}

impl Operator for IndexCopy {
    fn meta() -> Meta {
        let inputs = [
            Input::new("old_tensor", "The array."),
            Input::new("index_vector", NUMBERS),
            Input::new("new_tensor", "What they become."),
        ];
        Meta::new("_contrib_index_copy", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let to = |s: Sample, new: &[i64]| s.values(&[2], &[2.0, 0.0]).of(DType::I32).ints(new, 0, 2);
        let numpy = Oracle::NumPy("np.stack([x[2][1], x[0][1], x[2][0]])");
        vec![
            to(Sample::new("two rows").input(&[3, 2]), &[2, 2]),
            to(Sample::new("integers").ints(&[3, 2], 0, 9), &[2, 2]).int_dtypes().oracle(numpy),
            to(Sample::new("truth values").ints(&[3, 2], 0, 2), &[2, 2]).bool_dtype().oracle(numpy),
            to(Sample::new("too few rows").input(&[3, 2]), &[1, 2]).fails(ErrorCode::Shape),
            to(Sample::new("beyond the array").input(&[2, 2]), &[2, 2]).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.require_ndim(1, 1)?;
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        if let Some(n) = s.input(1).map(|i| i[0]) {
            let mut new = x.clone();
            *new.first_mut()
                .ok_or_else(|| err!(Shape, "expected at least one axis").about("old_tensor"))? = n;
            s.set_input(2, new)?;
        }
        s.set_output(0, x)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0, 2])
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (_, rows, len) = k.shape(0).split_at_axis(0);
        let index = places(k, 1, rows, Beyond::Raise)?;
        keep(k);
        with_word!(k.dtype(0), W => {
            let (new, out) = (k.input_words::<W>(2), k.output_words::<W>(0));
            for (j, i) in index.into_iter().enumerate() {
                out[i * len..(i + 1) * len].copy_from_slice(&new[j * len..(j + 1) * len]);
            }
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let g = b.out_grad(0);
        if b.wants(0) {
            b.set_grad(0, g.apply(IndexClear, &[b.input(1)]));
        }
        if b.wants(2) {
            b.set_grad(2, g.apply(Take { axis: 0, mode: TakeMode::Clip }, &[b.input(1)]));
        }
        Ok(())
    }
}

/// An array with some of its rows, along the first axis, set to zero.
#[derive(Attrs, Clone, Debug)]
pub struct IndexClear;

impl Operator for IndexClear {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array."), Input::new("index", NUMBERS)];
        Meta::new("_index_clear", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let to = |s: Sample| s.values(&[1], &[1.0]).of(DType::I32);
        let numpy = Oracle::NumPy("x[0] * np.array([[1], [0], [1]])");
        vec![
            to(Sample::new("a row").input(&[3, 2])).oracle(numpy).no_gradient(),
            to(Sample::new("integers").ints(&[3, 2], 0, 9)).int_dtypes().oracle(numpy),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(0).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (_, rows, len) = k.shape(0).split_at_axis(0);
        let index = places(k, 1, rows, Beyond::Raise)?;
        keep(k);
        with_word!(k.dtype(0), W => {
            let out = k.output_words::<W>(0);
            index.into_iter().for_each(|i| out[i * len..(i + 1) * len].fill(0));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(IndexClear, &[b.input(1)]));
        Ok(())
    }
}
