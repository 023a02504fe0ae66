//! Sums of everything up to an element.

use crate::kernels::reduce::{Accumulator, ReduceElement};
use crate::op::pointwise::convert;
use crate::ops::create::ReshapeLike;
use crate::ops::elemwise::CastLike;
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;

/// Sums of the elements up to each one along an axis.
#[derive(Attrs, Clone, Debug)]
pub struct CumSum {
    /// The axis; the flattened array if absent.
    #[attr(id = 1)]
    pub axis: Option<i64>,
    /// The dtype of the sums; that of the array if absent, `int64` for truth values.
    #[attr(id = 2)]
    pub dtype: Option<DType>,
}

impl Operator for CumSum {
    fn meta() -> Meta {
        Meta::new("_np_cumsum", [Input::new("a", "The array.")]).aliases(&["cumsum"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("the flattened array").input(&[3, 5]),
            Sample::new("the first axis").input(&[2, 3, 4]).attr("axis", 0),
            Sample::new("an axis in the middle").input(&[2, 3, 4]).attr("axis", 1),
            Sample::new("in another dtype").input(&[7]).attr("axis", 0).attr("dtype", DType::F64),
            Sample::new("integers").ints(&[4, 3], 0, 5).attr("axis", 1).int_dtypes(),
            Sample::new("truth values").ints(&[5], 0, 2).bool_dtype(),
            Sample::new("an axis too many").input(&[2]).attr("axis", 1).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer(s, self.axis)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        match (self.dtype, t.input(0)) {
            (Some(d), _) => t.set_output(0, d),
            (None, Some(DType::Bool)) => t.set_output(0, DType::I64),
            _ => t.same(&[0]),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        accumulate(k, self.axis, false)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let x = b.input(0);
        let sums = b.out_grad(0).apply(ReverseCumSum { axis: self.axis }, &[]);
        let shaped = if self.axis.is_none() { sums.apply(ReshapeLike::default(), &[x]) } else { sums };
        b.set_grad(0, if self.dtype.is_some() { shaped.apply(CastLike, &[x]) } else { shaped });
        Ok(())
    }
}

/// Sums of the elements from each one on along an axis: the gradient of [`CumSum`].
#[derive(Attrs, Clone, Debug)]
pub struct ReverseCumSum {
    /// The axis; the flattened array if absent.
    #[attr(id = 1)]
    pub axis: Option<i64>,
}

impl Operator for ReverseCumSum {
    fn meta() -> Meta {
        Meta::new("_reverse_cumsum", [Input::new("data", "The array.")]).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0][:, ::-1].cumsum(axis=1)[:, ::-1].astype(x[0].dtype)");
        vec![
            Sample::new("one axis").input(&[3, 5]).attr("axis", 1).oracle(numpy),
            Sample::new("integers").ints(&[3, 5], 0, 5).attr("axis", 1).int_dtypes().oracle(numpy),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer(s, self.axis)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        accumulate(k, self.axis, true)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let sums = b.out_grad(0).apply(CumSum { axis: self.axis, dtype: None }, &[]);
        let flat = self.axis.is_none();
        b.set_grad(0, if flat { sums.apply(ReshapeLike::default(), &[b.input(0)]) } else { sums });
        Ok(())
    }
}

fn infer(s: &mut ShapeInfer, axis: Option<i64>) -> Result<()> {
    let Some(x) = s.input(0).cloned() else { return Ok(()) };
    match axis {
        Some(axis) => {
            normalize_axis(axis, x.ndim())?;
            s.set_output(0, x)
        }
        None if x.is_known() => s.set_output(0, Shape::new(&[x.len() as i64])),
        None => Ok(()),
    }
}

/// Converts the input to the output's dtype and sums there, element by element.
fn accumulate(k: &Kernel, axis: Option<i64>, reverse: bool) -> Result<()> {
    let shape = k.shape(0).clone();
    let (axis_len, inner) = match axis {
        Some(axis) => {
            let axis = normalize_axis(axis, shape.ndim())?;
            (shape[axis] as usize, shape[axis + 1..].iter().product::<i64>() as usize)
        }
        None => (shape.len(), 1),
    };
    convert(k, 0, 0)?;
    with_dtype!(k.out_dtype(0), T => scan::<T>(k.output(0), axis_len, inner, reverse));
    Ok(())
}

fn scan<T: ReduceElement>(x: &mut [T], axis: usize, inner: usize, reverse: bool) {
    if x.is_empty() {
        return;
    }
    if inner == 1 {
        return x.chunks_exact_mut(axis).for_each(|row| scan_row(row, reverse));
    }
    let mut sums = vec![T::Acc::ZERO; inner];
    let mut buffer = T::buffer(inner);
    for block in x.chunks_exact_mut(axis * inner) {
        sums.fill(T::Acc::ZERO);
        for i in 0..axis {
            let at = if reverse { axis - 1 - i } else { i } * inner;
            let row = &mut block[at..at + inner];
            let wide = T::widen(row, &mut buffer);
            sums.iter_mut().zip(wide).for_each(|(s, x)| *s = s.plus(*x));
            row.iter_mut().zip(&sums).for_each(|(x, s)| *x = T::narrow(*s));
        }
    }
}

fn scan_row<T: ReduceElement>(row: &mut [T], reverse: bool) {
    let mut sum = T::Acc::ZERO;
    let mut add = |x: &mut T| {
        sum = sum.plus(T::widen(&[*x], &mut [T::Acc::ZERO])[0]);
        *x = T::narrow(sum);
    };
    if reverse { row.iter_mut().rev().for_each(&mut add) } else { row.iter_mut().for_each(&mut add) }
}
