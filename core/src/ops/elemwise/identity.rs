//! Operators that pass their input on and differ in what becomes of its gradient.

use super::{GreaterScalar, MaximumScalar, MulScalar, OnesLike};
use crate::ops::family::prelude::*;
use crate::ops::reduce::Sum;

/// Makes an operator whose output is its input.
macro_rules! identity {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal aliases [$($alias:literal),*] outputs [$out:literal], |$b:ident| $grad:expr) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op;
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [Input::new("data", "The input array.")])
                    .aliases(&[$($alias),*])
                    .outputs(&[$out])
                    .dtypes(DTypes::ALL)
            }
            fn samples() -> Vec<Sample> {
                identity_samples()
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.all_same()
            }
            fn in_place(&self) -> &'static [(usize, usize)] {
                &[(0, 0)]
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                k.copy(0, 0);
                Ok(())
            }
            fn gradient(&self, $b: &Builder) -> Result<()> {
                $grad;
                Ok(())
            }
        }
    };
}

fn identity_samples() -> Vec<Sample> {
    vec![
        Sample::new("a matrix").input(&[3, 5]).no_finite_differences(),
        Sample::new("integers").ints(&[4, 3], 0, 9).int_dtypes(),
        Sample::new("truth values").ints(&[5], 0, 2).bool_dtype(),
        Sample::new("no elements").input(&[0, 3]).no_gradient(),
        Sample::new("two inputs").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
    ]
}

identity! {
    /// A copy of the input.
    Copy = "_copy" aliases ["identity"] outputs ["output"], |b| b.set_grad(0, b.out_grad(0))
}

identity! {
    /// The input as a constant: no gradient flows back through it.
    BlockGrad = "BlockGrad" aliases ["_sparse_stop_gradient", "stop_gradient"] outputs ["output"], |b| {
        let _ = b;
    }
}

identity! {
    /// The input as a loss: its gradient is 1 whatever gradient the output has.
    AsLoss = "make_loss" aliases ["_sparse_make_loss"] outputs ["loss"], |b| b.set_grad(0, b.input(0).apply(OnesLike, &[]))
}

/// What the gradient of [`MakeLoss`] is divided by.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Normalization {
    /// The size of the first axis.
    Batch,
    /// Nothing.
    Null,
    /// The number of elements above the threshold, at least 1.
    Valid,
}

/// The input as a loss: its gradient is a constant whatever gradient the output has.
#[derive(Attrs, Clone, Debug)]
pub struct MakeLoss {
    /// The gradient before normalization.
    #[attr(id = 1, default = 1.0)]
    pub grad_scale: f64,
    /// Elements must be larger than this to count with `normalization` 'valid'.
    #[attr(id = 2, default = 0.0)]
    pub valid_thresh: f64,
    /// What the gradient is divided by: 'null' for nothing, 'batch' for the size of the first axis, 'valid' for
    /// the number of elements above the threshold.
    #[attr(id = 3, default = Normalization::Null)]
    pub normalization: Normalization,
}

impl Operator for MakeLoss {
    fn meta() -> Meta {
        Meta::new("MakeLoss", [Input::new("data", "The loss.")])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name| Sample::new(name).input(&[3, 5]).no_finite_differences();
        vec![
            sample("the gradient is 1"),
            sample("scaled").attr("grad_scale", 0.5),
            sample("divided by the batch").attr("normalization", "batch").attr("grad_scale", 6.0),
            sample("divided by the valid elements").attr("normalization", "valid").attr("valid_thresh", 0.5),
            Sample::new("another normalization")
                .input(&[2])
                .attr("normalization", "mean")
                .fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        k.copy(0, 0);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let x = b.input(0);
        let grad = x.apply(OnesLike, &[]) * self.grad_scale;
        let divisor = match self.normalization {
            Normalization::Null => {
                b.set_grad(0, grad);
                return Ok(());
            }
            Normalization::Batch => {
                let axis = Some(Shape::new(&[0]));
                x.apply(OnesLike, &[]).apply(Sum { axis, keepdims: true, exclude: false }, &[])
            }
            Normalization::Valid => x
                .apply(GreaterScalar::new(self.valid_thresh), &[])
                .apply(Sum { axis: None, keepdims: true, exclude: false }, &[])
                .apply(MaximumScalar::new(1.0), &[]),
        };
        b.set_grad(0, grad / divisor);
        Ok(())
    }
}

/// A copy of the input whose gradient is multiplied by a scalar, for instance a negative one to reverse it.
#[derive(Attrs, Clone, Debug)]
pub struct GradientMultiplier {
    /// The factor.
    #[attr(id = 1, default = 1.0)]
    pub scalar: f64,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 2, default = true)]
    pub is_int: bool,
}

impl Operator for GradientMultiplier {
    fn meta() -> Meta {
        Meta::new("_contrib_gradientmultiplier", [Input::new("data", "The input array.")])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("a reversed gradient").input(&[3, 5]).attr("scalar", -0.5).no_finite_differences(),
            Sample::new("integers").ints(&[4, 3], 0, 9).int_dtypes(),
            Sample::new("two inputs").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        k.copy(0, 0);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(MulScalar::new(self.scalar), &[]));
        Ok(())
    }
}
