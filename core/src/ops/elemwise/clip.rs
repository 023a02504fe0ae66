//! Elementwise functions with attributes that bend at some points.

use super::{GreaterEqualScalar, GreaterScalar, LesserEqualScalar, LesserScalar};
use crate::ops::family::prelude::*;

/// Brings elements outside a range to its nearer end.
#[derive(Attrs, Clone, Debug)]
pub struct Clip {
    /// Lower end.
    #[attr(id = 1)]
    pub a_min: f64,
    /// Upper end.
    #[attr(id = 2)]
    pub a_max: f64,
}

impl Operator for Clip {
    fn meta() -> Meta {
        Meta::new("clip", [Input::new("data", "The input array.")])
            .aliases(&["_npi_clip", "_sparse_clip"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let range = |s: Sample, low: f64, high: f64| s.attr("a_min", low).attr("a_max", high);
        vec![
            range(Sample::new("a matrix").input(&[3, 5]), -0.78125, 1.03125),
            range(Sample::new("the ends belong to the range").input(&[37]), -1.0, 1.0)
                .no_finite_differences(),
            range(Sample::new("ends in reverse").input(&[7]), 1.0, -1.0).no_gradient(),
            range(Sample::new("integers").ints(&[4, 3], 0, 9).int_dtypes(), 1.5, 6.5),
            Sample::new("no upper end").input(&[2]).attr("a_min", 0.0).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        let p = pointwise!(Arith, |x; low, high| if x > high { high } else if x < low { low } else { x });
        Some(p.with_scalars(self.a_min, self.a_max))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let x = b.input(0);
        let above = x.apply(GreaterEqualScalar::new(self.a_min), &[]);
        let below = x.apply(LesserEqualScalar::new(self.a_max), &[]);
        b.set_grad(0, b.out_grad(0) * above * below);
        Ok(())
    }
}

/// Logistic function made of straight lines: `alpha * x + beta`, brought into the range from 0 to 1.
#[derive(Attrs, Clone, Debug)]
pub struct HardSigmoid {
    /// Slope.
    #[attr(id = 1, default = 0.2)]
    pub alpha: f64,
    /// Value at 0.
    #[attr(id = 2, default = 0.5)]
    pub beta: f64,
}

impl Operator for HardSigmoid {
    fn meta() -> Meta {
        Meta::new("hard_sigmoid", [Input::new("data", "The input array.")])
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("the usual slope").grid(&[3, 5], -4.0, 4.0).oracle(Oracle::MxNetSingle),
            Sample::new("another line")
                .grid(&[3, 5], -4.0, 4.0)
                .attr("alpha", 0.28125)
                .attr("beta", 0.25)
                .no_finite_differences(),
            Sample::new("a slope that is no number")
                .input(&[2])
                .attr("alpha", "x")
                .fails(ErrorCode::InvalidType),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        let p = pointwise!(Real, |x; a, b| {
            let y = a * x + b;
            if y > T::lit(1.0) {
                T::lit(1.0)
            } else if y < T::lit(0.0) {
                T::lit(0.0)
            } else {
                y
            }
        });
        Some(p.with_scalars(self.alpha, self.beta))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let y = b.output(0);
        let inside = y.apply(GreaterScalar::new(0.0), &[]) * y.apply(LesserScalar::new(1.0), &[]);
        b.set_grad(0, b.out_grad(0) * inside * self.alpha);
        Ok(())
    }
}

/// Smooth L1 loss of each element: `(σx)² / 2` where `|x| < 1 / σ²`, else `|x| - 0.5 / σ²`. From Fast R-CNN
/// (Girshick, 2015).
#[derive(Attrs, Clone, Debug)]
pub struct SmoothL1 {
    /// σ, which says where the parabola goes over into lines.
    #[attr(id = 1, default = 1.0)]
    pub scalar: f64,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 2, default = true)]
    pub is_int: bool,
}

impl Operator for SmoothL1 {
    fn meta() -> Meta {
        Meta::new("smooth_l1", [Input::new("data", "The input array.")])
            .aliases(&["_npx_smooth_l1"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("a matrix").input(&[3, 5]).attr("scalar", 1.0),
            Sample::new("a narrow parabola").input(&[37]).attr("scalar", 1.5),
            Sample::new("integers").ints(&[4, 3], 0, 5).attr("scalar", 1.0).int_dtypes(),
            Sample::new("a σ that is no number")
                .input(&[2])
                .attr("scalar", "x")
                .fails(ErrorCode::InvalidType),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        let p = pointwise!(Real, |x; sigma| {
            let (a, square) = (x.abs(), sigma * sigma);
            let (curve, line) = (T::lit(0.5) * square * x * x, a - T::lit(0.5) / square);
            if a * square < T::lit(1.0) { curve } else { line }
        });
        Some(p.with_scalar(self.scalar))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let slope = b.input(0) * (self.scalar * self.scalar);
        b.set_grad(0, b.out_grad(0) * slope.apply(Clip { a_min: -1.0, a_max: 1.0 }, &[]));
        Ok(())
    }
}
