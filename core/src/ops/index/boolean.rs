//! Slices chosen by truth values.

use crate::kernels::index::{gather, scatter_add};
use crate::ops::family::prelude::*;
use crate::ops::matrix::moving_samples;

/// The slices of an array along an axis for which a mask is not zero. How many there are is known when it has run.
#[derive(Attrs, Clone, Debug)]
pub struct BooleanMask {
    /// The axis.
    #[attr(id = 1, default = 0)]
    pub axis: i64,
}

/// Refuses a mask that has not one value for each place of the axis.
fn check_mask(s: &ShapeInfer, x: usize, mask: usize, axis: i64) -> Result<()> {
    s.require_ndim(mask, 1)?;
    let (Some(x), Some(m)) = (s.known(x), s.known(mask)) else { return Ok(()) };
    let size = x[x.axis(axis)?];
    if m[0] != size {
        return Err(err!(Shape, "expected {size} values, one for each place of the axis, got {}", m[0])
            .about("index"));
    }
    Ok(())
}

/// The places where the mask in input `i` is not zero.
fn chosen(k: &Kernel, i: usize) -> Vec<usize> {
    let mask = k.input_f64(i);
    mask.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, _)| i).collect()
}

impl Operator for BooleanMask {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array."), Input::new("index", "The mask, of any dtype.")];
        Meta::new("_contrib_boolean_mask", inputs).aliases(&["_npi_boolean_mask"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let of = |name, mask: &[f64]| Sample::new(name).input(&[3, 2]).values(&[3], mask).of(DType::I32);
        let two = |s: Sample| s.values(&[3], &[1.0, 0.0, 1.0]).of(DType::U8);
        let mut samples = vec![
            of("two rows", &[1.0, 0.0, 1.0]).no_finite_differences(),
            of("all", &[1.0, 2.0, -1.0]),
            of("none", &[0.0, 0.0, 0.0]).no_gradient().oracle(Oracle::NumPy("x[0][:0]")),
            two(Sample::new("columns").input(&[2, 3]))
                .attr("axis", 1)
                .no_gradient()
                .oracle(Oracle::NumPy("x[0][:, ::2]")),
        ];
        samples.extend(moving_samples(&[3, 2], two, "x[0][::2]"));
        samples.push(
            Sample::new("a mask too short").input(&[3, 2]).values(&[2], &[1.0, 0.0]).fails(ErrorCode::Shape),
        );
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_mask(s, 0, 1, self.axis)?;
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        let axis = out.axis(self.axis)?;
        out[axis] = UNKNOWN;
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn dynamic_shape(&self) -> bool {
        true
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let axis = k.shape(0).axis(self.axis)?;
        let index = chosen(k, 1);
        let mut out = k.shape(0).clone();
        out[axis] = index.len() as i64;
        with_dtype!(k.dtype(0), T => {
            gather(k.input::<T>(0), k.shape(0).split_at_axis(axis), &index, k.dynamic_output::<T>(out)?);
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = BooleanMaskInto { axis: self.axis };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(1), b.input(0)]));
        Ok(())
    }
}

/// Zeros of the shape of `like`, with `data` where a mask is not zero: the gradient of `_contrib_boolean_mask`.
#[derive(Attrs, Clone, Debug)]
pub struct BooleanMaskInto {
    /// The axis.
    #[attr(id = 1, default = 0)]
    pub axis: i64,
}

impl Operator for BooleanMaskInto {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The slices."),
            Input::new("index", "The mask."),
            Input::new("like", "The shape of the result.").shape_only(),
        ];
        Meta::new("_boolean_mask_into", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.stack([x[0][0], 0 * x[0][0], x[0][1]])");
        let to =
            |s: Sample| s.values(&[3], &[1.0, 0.0, 1.0]).of(DType::I32).ints(&[3, 2], 0, 1).oracle(numpy);
        vec![
            to(Sample::new("rows").input(&[2, 2])).no_gradient(),
            to(Sample::new("integers").ints(&[2, 2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_mask(s, 2, 1, self.axis)?;
        s.input(2).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let around = k.out_shape(0).split_at_axis(k.out_shape(0).axis(self.axis)?);
        let index = chosen(k, 1);
        if index.len() as i64 != k.shape(0)[k.shape(0).axis(self.axis)?] {
            return Err(
                err!(Shape, "expected {} slices, got shape {}", index.len(), k.shape(0)).about("data")
            );
        }
        with_dtype!(k.dtype(0), T => scatter_add(k.input::<T>(0), around, &index, k.output::<T>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(BooleanMask { axis: self.axis }, &[b.input(1)]));
        Ok(())
    }
}
