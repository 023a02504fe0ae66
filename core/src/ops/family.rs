//! What families of operators share: their shape rules, gradients and samples, and the macros that make an
//! operator of a family from its arithmetic.

use crate::dtype::DType;
use crate::error::{ErrorCode, Result};
use crate::op::{Builder, DTypeInfer, Oracle, Sample, ShapeInfer, Val};
use crate::ops::reduce::SumLike;
use crate::shape::{Shape, UNKNOWN};

/// Makes a unary elementwise operator.
///
/// ```ignore
/// unary! {
///     /// Exponential of each element.
///     Exp = "exp" aliases ["_npx_exp"], Real on (-2.0, 2.0), |x| x.exp(), |dy, _x, y| dy * y
/// }
/// ```
/// The range is that of the samples; `[single]` before it compares with MXNet in single precision, which its own
/// constants have. After the arithmetic comes the gradient, `zero` or `none`.
macro_rules! unary {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal $(aliases [$($alias:literal),*])?,
     $bound:ident $([$oracle:ident])? on ($low:literal, $high:literal), |$x:ident| $body:expr, $($grad:tt)*) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op;
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [Input::new("data", "The input array.")])
                    $(.aliases(&[$($alias),*]))?
                    .dtypes(DTypes::NUMERIC)
            }
            fn samples() -> Vec<Sample> {
                let oracle = stringify!($($oracle)?);
                $crate::ops::family::unary_samples($low, $high, oracle, stringify!($($grad)*))
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.all_same()
            }
            fn uniform(&self) -> bool {
                true
            }
            fn pointwise(&self) -> Option<Pointwise> {
                Some(pointwise!($bound, |$x| $body))
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                unary!(@gradient b, $($grad)*)
            }
        }
    };
    (@gradient $b:ident, zero) => {{ let _ = $b; Ok(()) }};
    (@gradient $b:ident, none) => {{ let _ = $b; Err($crate::err!(Autograd, "the operator is not differentiable")) }};
    (@gradient $b:ident, $grad:expr) => {{
        let rule: for<'v> fn(Val<'v>, Val<'v>, Val<'v>) -> Val<'v> = $grad;
        $b.set_grad(0, rule($b.out_grad(0), $b.input(0), $b.output(0)));
        Ok(())
    }};
}

/// Makes a binary elementwise operator; `same` for arrays of one shape, `broadcast` for shapes that fit.
///
/// `[jumps]` before the range says that finite differences make no sense there. The gradient is a pair of
/// expressions for `lhs` and `rhs` in `dy`, `x`, `y` and the output, or `zero`.
macro_rules! binary {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal $(aliases [$($alias:literal),*])?, $shapes:ident,
     $bound:ident $([$kind:ident])? on ($low:literal, $high:literal), |$x:ident, $y:ident| $body:expr,
     $($grad:tt)*) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op;
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [
                    Input::new("lhs", "The array on the left."),
                    Input::new("rhs", "The array on the right."),
                ])
                $(.aliases(&[$($alias),*]))?
                .dtypes(DTypes::NUMERIC)
            }
            fn samples() -> Vec<Sample> {
                let grad = $crate::ops::family::gradient_word(stringify!($($kind)?), stringify!($($grad)*));
                $crate::ops::family::binary_samples($low, $high, stringify!($shapes), grad)
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                binary!(@shape s, $shapes)
            }
            fn uniform(&self) -> bool {
                true
            }
            fn pointwise(&self) -> Option<Pointwise> {
                Some(pointwise!($bound, |$x, $y| $body))
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                binary!(@gradient b, $($grad)*)
            }
        }
    };
    (@shape $s:ident, same) => { $s.all_same() };
    (@shape $s:ident, broadcast) => { $crate::ops::family::infer_broadcast($s) };
    (@gradient $b:ident, zero) => {{ let _ = $b; Ok(()) }};
    (@gradient $b:ident, $left:expr, $right:expr) => {{
        let left: $crate::ops::family::BinaryRule = $left;
        let right: $crate::ops::family::BinaryRule = $right;
        $crate::ops::family::binary_gradient($b, left, right);
        Ok(())
    }};
}

/// Makes an operator of one array and a scalar.
///
/// `[jumps]` is as for `binary!`. The gradient is an expression in `dy`, `x`, the output and the scalar, or
/// `zero`.
macro_rules! scalar {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal $(aliases [$($alias:literal),*])?,
     $bound:ident $([$kind:ident])? on ($low:literal, $high:literal), |$x:ident; $c:ident| $body:expr,
     $($grad:tt)*) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The scalar.
            #[attr(id = 1, default = 1.0)]
            pub scalar: f64,
            /// The scalar is a whole number: integers stay integers. Otherwise they become `float64`.
            #[attr(id = 2, default = true)]
            pub is_int: bool,
        }
        impl $op {
            /// The operator with this scalar.
            pub fn new(scalar: f64) -> Self {
                $op { scalar, is_int: true }
            }
        }
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [Input::new("data", "The input array.")])
                    $(.aliases(&[$($alias),*]))?
                    .dtypes(DTypes::ALL)
            }
            fn samples() -> Vec<Sample> {
                let grad = $crate::ops::family::gradient_word(stringify!($($kind)?), stringify!($($grad)*));
                $crate::ops::family::scalar_samples($low, $high, grad)
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.all_same()
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                $crate::ops::family::infer_scalar_dtype(t, self.is_int)
            }
            fn uniform(&self) -> bool {
                self.is_int
            }
            fn pointwise(&self) -> Option<Pointwise> {
                Some(pointwise!($bound, |$x; $c| $body).with_scalar(self.scalar))
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                scalar!(@gradient self, b, $($grad)*)
            }
        }
    };
    (@gradient $self:ident, $b:ident, zero) => {{ let _ = $b; Ok(()) }};
    (@gradient $self:ident, $b:ident, $grad:expr) => {{
        let rule: for<'v> fn(Val<'v>, Val<'v>, Val<'v>, f64) -> Val<'v> = $grad;
        $b.set_grad(0, rule($b.out_grad(0), $b.input(0), $b.output(0), $self.scalar));
        Ok(())
    }};
}

/// What an operator's file imports.
#[allow(unused_imports)]
pub mod prelude {
    pub use crate::dtype::{DType, Element};
    pub use crate::error::{ErrorCode, Result};
    pub use crate::op::infer::{DTypeInfer, ShapeInfer};
    pub use crate::op::kernel::Kernel;
    pub use crate::op::operator::{DTypes, Input, Meta, Operator};
    pub use crate::op::pointwise::Pointwise;
    pub use crate::op::sample::{Oracle, Sample};
    pub use crate::op::{AttrEnum, AttrValue, Attrs, Builder, OptInts, Val};
    pub use crate::shape::{Shape, UNKNOWN};
    pub use crate::{bail, err, pointwise, with_dtype, with_word};
}

/// Relates the shapes of two inputs that broadcast to those of the output.
///
/// # Errors
/// `Shape` if they do not broadcast.
pub fn infer_broadcast(s: &mut ShapeInfer) -> Result<()> {
    let (Some(a), Some(b)) = (s.input(0), s.input(1)) else { return Ok(()) };
    if a == b {
        let out = a.clone();
        return s.set_output(0, out);
    }
    let out = broadcast(a, b).ok_or_else(|| {
        crate::err!(Shape, "shapes {a} and {b} do not broadcast: sizes must be equal or 1").about("rhs")
    })?;
    s.set_output(0, out)
}

/// The shape that two shapes broadcast to.
pub fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
    let n = a.ndim().max(b.ndim());
    let size = |s: &Shape, i: usize| if i + s.ndim() < n { 1 } else { s[i + s.ndim() - n] };
    (0..n)
        .map(|i| match (size(a, i), size(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            (UNKNOWN, y) if y > 1 => Some(y),
            (x, UNKNOWN) if x > 1 => Some(x),
            _ => None,
        })
        .collect()
}

/// A gradient of a binary operator in terms of the output's gradient, the inputs and the output.
pub type BinaryRule = for<'v> fn(Val<'v>, Val<'v>, Val<'v>, Val<'v>) -> Val<'v>;

/// Sets the gradients of two inputs, each summed over the axes that it was repeated along.
pub fn binary_gradient(b: &Builder, left: BinaryRule, right: BinaryRule) {
    let (dy, x, y, out) = (b.out_grad(0), b.input(0), b.input(1), b.output(0));
    if b.wants(0) {
        b.set_grad(0, left(dy, x, y, out).apply(SumLike, &[x]));
    }
    if b.wants(1) {
        b.set_grad(1, right(dy, x, y, out).apply(SumLike, &[y]));
    }
}

/// What is said of a gradient: its rule, or that the samples lie across jumps.
pub fn gradient_word(kind: &'static str, grad: &'static str) -> &'static str {
    if kind == "jumps" { kind } else { grad }
}

fn with_gradient(sample: Sample, grad: &str) -> Sample {
    match grad {
        "none" => sample.no_gradient(),
        "zero" | "jumps" => sample.no_finite_differences(),
        _ => sample,
    }
}

/// The whole numbers of a sample's range that unsigned integers have too, as `ints` takes them.
fn whole(low: f64, high: f64) -> (i64, i64) {
    (low.ceil().max(0.0) as i64, high as i64 + 1)
}

/// Samples of a unary elementwise operator.
pub fn unary_samples(low: f64, high: f64, oracle: &str, grad: &str) -> Vec<Sample> {
    let oracle = if oracle == "single" { Oracle::MxNetSingle } else { Oracle::MxNet };
    let (first, last) = whole(low, high);
    vec![
        with_gradient(Sample::new("a matrix").grid(&[3, 5], low, high), grad).oracle(oracle),
        Sample::new("one axis, longer than a vector register")
            .grid(&[37], low, high)
            .no_gradient()
            .oracle(oracle),
        Sample::new("no elements").grid(&[0, 3], low, high).no_gradient(),
        Sample::new("integers").ints(&[4, 3], first, last).int_dtypes(),
        Sample::new("two inputs").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
    ]
}

/// Samples of a binary elementwise operator.
pub fn binary_samples(low: f64, high: f64, shapes: &str, grad: &str) -> Vec<Sample> {
    let mut samples = vec![with_gradient(
        Sample::new("two matrices").grid(&[3, 5], low, high).grid(&[3, 5], low, high),
        grad,
    )];
    if shapes == "broadcast" {
        let both = Sample::new("both repeat").grid(&[2, 1, 3], low, high).grid(&[1, 4, 3], low, high);
        samples.push(with_gradient(both, grad));
        let lower = Sample::new("a row repeats").grid(&[3, 4], low, high).grid(&[1, 4], low, high);
        samples.push(with_gradient(lower, grad));
    }
    let (first, last) = whole(low, high);
    samples.push(
        Sample::new("integers").ints(&[4, 3], first, last).ints(&[4, 3], first.max(1), last).int_dtypes(),
    );
    samples.push(Sample::new("no elements").grid(&[0, 3], low, high).grid(&[0, 3], low, high).no_gradient());
    samples.push(Sample::new("shapes that do not fit").input(&[2, 3]).input(&[2, 4]).fails(ErrorCode::Shape));
    samples.push(Sample::new("a missing input").input(&[2, 3]).fails(ErrorCode::InvalidValue));
    samples
}

/// Samples of an operator of one array and a scalar.
pub fn scalar_samples(low: f64, high: f64, grad: &str) -> Vec<Sample> {
    let (_, last) = whole(low, high);
    vec![
        with_gradient(Sample::new("a matrix").grid(&[3, 5], low, high).attr("scalar", 1.5), grad),
        Sample::new("integers").ints(&[4, 3], 1, last.max(2)).attr("scalar", 3.0).int_dtypes(),
        Sample::new("a scalar that is no whole number, cut off")
            .ints(&[4, 3], 1, last.max(2))
            .attr("scalar", 2.5)
            .int_dtypes(),
        Sample::new("integers and a scalar that keeps its fraction")
            .ints(&[4], 1, last.max(2))
            .attr("scalar", 2.5)
            .attr("is_int", false)
            .int_dtypes(),
        Sample::new("truth values").values(&[3], &[1.0, 1.0, 1.0]).attr("scalar", 1.0).bool_dtype(),
        Sample::new("no elements").grid(&[0, 3], low, high).no_gradient(),
        Sample::new("a scalar that is no number")
            .input(&[2])
            .attr("scalar", "x")
            .fails(ErrorCode::InvalidType),
    ]
}

/// The dtype of an array combined with a scalar: the array's, but `float64` for integers and a scalar with a
/// fraction, and a numeric dtype for truth values.
///
/// # Errors
/// `DType` if the output is known to be otherwise.
pub fn infer_scalar_dtype(t: &mut DTypeInfer, scalar_is_int: bool) -> Result<()> {
    match t.input(0) {
        Some(d) if !d.is_float() && !scalar_is_int => t.set_output(0, DType::F64),
        Some(DType::Bool) => t.set_output(0, DType::I64),
        _ => t.same(&[0]),
    }
}
