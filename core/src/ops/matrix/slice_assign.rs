//! Arrays with a part overwritten, and parts placed among zeros.

use super::moving_samples;
use super::slice::{Slice, Stretch, part, stretches};
use crate::kernels::strided;
use crate::ops::family::prelude::*;
use smallvec::SmallVec;

/// Copies input `from` to the part of the output at these positions, the rest of which becomes zero if `clear`.
pub(super) fn put_part(k: &Kernel, from: usize, at: &[Stretch], clear: bool) {
    let (dims, start, steps) = part(k.out_shape(0), at);
    with_word!(k.out_dtype(0), W => {
        let out = k.output_words::<W>(0);
        if clear {
            out.fill(0);
        }
        strided::copy(&dims, k.input_words::<W>(from), (0, &strided::steps(&dims)), out, (start, &steps));
    });
}

/// Copies an input to the output, unless it is the output.
fn keep(k: &Kernel, input: usize) {
    if k.input_ptr(input) != k.output_ptr(0).cast_const() {
        k.copy(input, 0);
    }
}

/// The shape of the part at these positions.
fn part_shape(at: &[Stretch]) -> Shape {
    at.iter().map(|s| s.len).collect()
}

/// An array with the part from `begin` to before `end` replaced by another array, as Python's
/// `x[begin:end:step] = rhs`.
#[derive(Attrs, Clone, Debug)]
pub struct SliceAssign {
    /// Where the part begins along each axis; None for the array's begin, or end if the step is negative.
    #[attr(id = 1)]
    pub begin: OptInts,
    /// Before which place it ends.
    #[attr(id = 2)]
    pub end: OptInts,
    /// Distance between the places; 1 where absent.
    #[attr(id = 3, default = OptInts(vec![]))]
    pub step: OptInts,
}

impl Operator for SliceAssign {
    fn meta() -> Meta {
        let inputs =
            [Input::new("lhs", "The array."), Input::new("rhs", "What the part becomes, in its shape.")];
        Meta::new("_slice_assign", inputs).aliases(&["_crop_assign", "_npi_slice_assign"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let put = |name, rhs: &[i64]| Sample::new(name).input(&[3, 4]).input(rhs);
        let rows = |s: Sample| s.input(&[2, 3]).attr("begin", [1]).attr("end", [3]);
        let mut samples = vec![
            put("some rows", &[2, 4])
                .attr("begin", [1])
                .attr("end", [3])
                .oracle(Oracle::MxNetCode("mx.nd.concat(x[0][:1], x[1], dim=0)")),
            put("every other column, backwards", &[3, 2])
                .attr("begin", [crate::op::attrs::NO_INT, -1])
                .attr("end", [crate::op::attrs::NO_INT, -5])
                .attr("step", [1, -2])
                .no_gradient(),
        ];
        let [ints, bools] = moving_samples(
            &[4, 3],
            |s| s.ints(&[2, 3], 0, 2).attr("begin", [1]).attr("end", [3]),
            "np.concatenate([x[0][:1], x[1], x[0][3:]])",
        );
        samples.extend([ints, bools]);
        samples.push(rows(Sample::new("a part of another shape").input(&[4, 4])).fails(ErrorCode::Shape));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        if x.is_known() {
            s.set_input(1, part_shape(&stretches(&x, &self.begin, &self.end, &self.step)?))?;
        }
        s.set_output(0, x)
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        keep(k, 0);
        put_part(k, 1, &stretches(k.out_shape(0), &self.begin, &self.end, &self.step)?, false);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (begin, end, step) = (self.begin.clone(), self.end.clone(), self.step.clone());
        if b.wants(0) {
            let cleared =
                SliceAssignScalar { scalar: 0.0, begin: begin.clone(), end: end.clone(), step: step.clone() };
            b.set_grad(0, b.out_grad(0).apply(cleared, &[]));
        }
        if b.wants(1) {
            b.set_grad(1, b.out_grad(0).apply(Slice { begin, end, step }, &[]));
        }
        Ok(())
    }
}

/// An array with the part from `begin` to before `end` replaced by a number, as Python's
/// `x[begin:end:step] = scalar`.
#[derive(Attrs, Clone, Debug)]
pub struct SliceAssignScalar {
    /// The number.
    #[attr(id = 1, default = 0.0)]
    pub scalar: f64,
    /// Where the part begins along each axis; None for the array's begin, or end if the step is negative.
    #[attr(id = 2)]
    pub begin: OptInts,
    /// Before which place it ends.
    #[attr(id = 3)]
    pub end: OptInts,
    /// Distance between the places; 1 where absent.
    #[attr(id = 4, default = OptInts(vec![]))]
    pub step: OptInts,
}

impl Operator for SliceAssignScalar {
    fn meta() -> Meta {
        Meta::new("_slice_assign_scalar", [Input::new("data", "The array.")])
            .aliases(&["_crop_assign_scalar", "_npi_slice_assign_scalar"])
            .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let rows = |s: Sample| s.attr("scalar", 1.0).attr("begin", [1]).attr("end", [3]);
        let mut samples = vec![
            rows(Sample::new("some rows").input(&[3, 4])).oracle(Oracle::MxNetCode(
                "mx.nd.concat(x[0][:1], mx.nd.ones((2, 4), dtype=x[0].dtype), dim=0)",
            )),
            Sample::new("every other column")
                .input(&[3, 4])
                .attr("scalar", -1.5)
                .attr("begin", [0, 0])
                .attr("end", [3, 4])
                .attr("step", [1, 2])
                .no_gradient(),
        ];
        samples.extend(moving_samples(
            &[4, 3],
            rows,
            "np.concatenate([x[0][:1], np.ones((2, 3), x[0].dtype), x[0][3:]])",
        ));
        samples.push(
            rows(Sample::new("too many axes").input(&[4]))
                .attr("step", [1, 1])
                .fails(ErrorCode::InvalidValue),
        );
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let Some(x) = s.input(0) {
            stretches(x, &self.begin, &self.end, &self.step)?;
        }
        s.all_same()
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        keep(k, 0);
        let at = stretches(k.out_shape(0), &self.begin, &self.end, &self.step)?;
        let (dims, start, steps) = part(k.out_shape(0), &at);
        with_dtype!(k.out_dtype(0), T => {
            strided::fill(&dims, T::from_f64(self.scalar), k.output::<T>(0), (start, &steps));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(SliceAssignScalar { scalar: 0.0, ..self.clone() }, &[]));
        Ok(())
    }
}

/// What operators that place an array among zeros have in common.
pub(super) fn into_meta(name: &'static str) -> Meta {
    let inputs =
        [Input::new("data", "The part."), Input::new("like", "The shape of the result.").shape_only()];
    Meta::new(name, inputs).dtypes(DTypes::ALL).internal()
}

/// Samples of an operator that places two rows after the first of four.
pub(super) fn into_samples(with: impl Fn(Sample) -> Sample) -> Vec<Sample> {
    let numpy = Oracle::NumPy("np.concatenate([np.zeros((1, 3)), x[0], np.zeros((1, 3))])");
    vec![
        with(Sample::new("two rows of four").input(&[2, 3]).input(&[4, 3]))
            .oracle(Oracle::MxNetCode("mx.nd.concat(x[1][:1] * 0, x[0], x[1][3:] * 0, dim=0)")),
        with(Sample::new("integers").ints(&[2, 3], 0, 9).ints(&[4, 3], 0, 9)).int_dtypes().oracle(numpy),
        with(Sample::new("truth values").ints(&[2, 3], 0, 2).ints(&[4, 3], 0, 2)).bool_dtype().oracle(numpy),
    ]
}

/// Zeros of the shape of `like`, with `data` at the places that `slice` takes: its gradient.
#[derive(Attrs, Clone, Debug)]
pub struct SliceInto {
    /// Where the part begins along each axis.
    #[attr(id = 1)]
    pub begin: OptInts,
    /// Before which place it ends.
    #[attr(id = 2)]
    pub end: OptInts,
    /// Distance between the places.
    #[attr(id = 3, default = OptInts(vec![]))]
    pub step: OptInts,
}

impl Operator for SliceInto {
    fn meta() -> Meta {
        into_meta("_slice_into")
    }
    fn samples() -> Vec<Sample> {
        into_samples(|s| s.attr("begin", [1]).attr("end", [3]))
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        put_part(k, 0, &stretches(k.out_shape(0), &self.begin, &self.end, &self.step)?, true);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let slice = Slice { begin: self.begin.clone(), end: self.end.clone(), step: self.step.clone() };
        b.set_grad(0, b.out_grad(0).apply(slice, &[]));
        Ok(())
    }
}

/// Zeros of the shape of `like`, with `data` in the corner where all axes begin: the gradient of `slice_like`.
#[derive(Attrs, Clone, Debug)]
pub struct CornerInto;

impl Operator for CornerInto {
    fn meta() -> Meta {
        into_meta("_corner_into")
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.pad(x[0], ((0, 2), (0, 1)))");
        vec![
            Sample::new("a corner").input(&[2, 2]).input(&[4, 3]).oracle(numpy).no_gradient(),
            Sample::new("integers").ints(&[2, 2], 0, 9).ints(&[4, 3], 0, 9).int_dtypes().oracle(numpy),
            Sample::new("truth values").ints(&[2, 2], 0, 2).ints(&[4, 3], 0, 2).bool_dtype().oracle(numpy),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let whole = |d: &i64| Stretch { begin: 0, step: 1, len: *d };
        let at: SmallVec<[Stretch; 6]> = k.shape(0).iter().map(whole).collect();
        put_part(k, 0, &at, true);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let slice = super::slice::SliceLike { axes: Shape::scalar() };
        b.set_grad(0, b.out_grad(0).apply(slice, &[b.input(0)]));
        Ok(())
    }
}
