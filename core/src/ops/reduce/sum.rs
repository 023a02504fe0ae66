//! Sum over axes.

use super::like::SpreadLike;
use crate::ops::family::prelude::*;

/// Sum of the elements along axes.
#[derive(Attrs, Clone, Debug)]
pub struct Sum {
    /// The axes to sum over; all of them if absent or empty.
    #[attr(id = 1)]
    pub axis: Option<Shape>,
    /// Keep the summed axes, with size 1.
    #[attr(id = 2, default = false)]
    pub keepdims: bool,
    /// Sum over the axes that `axis` does not name.
    #[attr(id = 3, default = false)]
    pub exclude: bool,
}

impl Operator for Sum {
    fn meta() -> Meta {
        Meta::new("sum", [Input::new("data", "The array.")]).aliases(&["sum_axis"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("all axes").input(&[2, 3, 4]),
            Sample::new("one axis").input(&[2, 3, 4]).attr("axis", [1]),
            Sample::new("the last axis, kept").input(&[2, 3, 4]).attr("axis", [-1]).attr("keepdims", true),
            Sample::new("all but one axis").input(&[2, 3, 4]).attr("axis", [1]).attr("exclude", true),
            Sample::new("integers").ints(&[4, 3], 0, 5).attr("axis", [0]).int_dtypes(),
            Sample::new("an axis too many").input(&[2]).attr("axis", [1]).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        let mask = super::axis_mask(self.axis.as_ref(), self.exclude, x.ndim())?;
        let kept = x.iter().zip(&mask).filter(|(_, m)| self.keepdims || !**m);
        let mut out: Shape = kept.map(|(d, m)| if *m { 1 } else { *d }).collect();
        if out.ndim() == 0 && x.ndim() > 0 {
            out = Shape::new(&[1]);
        }
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let mask = super::axis_mask(self.axis.as_ref(), self.exclude, k.shape(0).ndim())?;
        with_dtype!(k.dtype(0), T => sum::<T>(k.input(0), k.shape(0), &mask, k.output(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let dy =
            b.out_grad(0).apply(SpreadLike { axis: self.axis.clone(), exclude: self.exclude }, &[b.input(0)]);
        b.set_grad(0, dy);
        Ok(())
    }
}

fn sum<T: Element>(x: &[T], shape: &Shape, mask: &[bool], out: &mut [T]) {
    let mut sums = vec![0.0; out.len()];
    let mut strides = vec![0usize; shape.ndim()];
    let mut step = 1;
    for axis in (0..shape.ndim()).rev() {
        if !mask[axis] {
            strides[axis] = step;
            step *= shape[axis] as usize;
        }
    }
    let mut index = vec![0i64; shape.ndim()];
    for v in x {
        let at: usize = index.iter().zip(&strides).map(|(i, s)| *i as usize * s).sum();
        sums[at] += v.to_f64();
        for axis in (0..shape.ndim()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out.iter_mut().zip(sums).for_each(|(o, s)| *o = T::from_f64(s));
}
