//! What the update operators share: their attributes, inference and samples.

use crate::error::Result;
use crate::kernels::math::Real;
use crate::op::{DTypeInfer, DTypes, Sample, ShapeInfer};
use crate::{DType, Shape};

/// Dtypes of weights that have a copy in `float32`.
pub(super) const MIXED: DTypes = DTypes::of(&[DType::F32, DType::F16, DType::BF16]);

/// For counting the repetitions of a macro.
pub(super) const fn one(_: &str) -> usize {
    1
}

/// The bound of gradients that an attribute `clip_gradient` means: none if it is negative.
pub(super) fn clip_bound(clip_gradient: f64) -> f64 {
    if clip_gradient >= 0.0 { clip_gradient } else { f64::INFINITY }
}

/// Brings a number into [−bound, bound]; NaN stays.
#[inline(always)]
pub(super) fn clip<A: Real>(x: A, bound: A) -> A {
    if x > bound {
        bound
    } else if x < -bound {
        -bound
    } else {
        x
    }
}

/// −1, 0 or 1.
#[inline(always)]
pub(super) fn sign<A: Real>(x: A) -> A {
    if x > A::ZERO {
        A::ONE
    } else if x < A::ZERO {
        -A::ONE
    } else {
        x
    }
}

/// The first `arrays` inputs and the output have one shape; what follows are single numbers.
pub(super) fn infer_shapes(s: &mut ShapeInfer, arrays: usize) -> Result<()> {
    let known = (0..arrays).find_map(|i| s.input(i)).or_else(|| s.output(0)).cloned();
    if let Some(shape) = known {
        (0..arrays).try_for_each(|i| s.set_input(i, shape.clone()))?;
        s.set_output(0, shape)?;
    }
    for i in arrays..s.num_inputs() {
        match s.input(i) {
            None => s.set_input(i, Shape::new(&[1]))?,
            Some(shape) if shape.is_known() && shape.len() != 1 => {
                return Err(crate::err!(Shape, "expected one number, got shape {shape}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Weight and gradient have one dtype, the states after them `float32`, and so has the output if `wide`.
pub(super) fn infer_mixed(t: &mut DTypeInfer, states: usize, wide: bool) -> Result<()> {
    let known = t.input(0).or(t.input(1)).or(if wide { None } else { t.output(0) });
    for i in 0..2 {
        known.map_or(Ok(()), |d| t.set_input(i, d))?;
        t.require(i, MIXED)?;
    }
    (2..2 + states).try_for_each(|i| t.set_input(i, DType::F32))?;
    if wide { t.set_output(0, DType::F32) } else { known.map_or(Ok(()), |d| t.set_output(0, d)) }
}

/// A factor for the gradient that comes as an array is in any floating-point dtype.
pub(super) fn infer_factor(t: &mut DTypeInfer, i: usize) -> Result<()> {
    if t.input(i).is_none() {
        t.set_input(i, DType::F32)?;
    }
    t.require(i, DTypes::FLOAT)
}

/// A sample with a weight, a gradient and states, which are not negative.
pub(super) fn arrays(name: &'static str, shape: &[i64], states: usize, wide: usize) -> Sample {
    let mut sample = Sample::new(name).input(shape).input(shape).no_gradient();
    for _ in 0..states {
        sample = sample.grid(shape, 0.25, 2.0);
    }
    for _ in 0..wide {
        sample = sample.grid(shape, 0.25, 2.0).of(DType::F32);
    }
    sample
}

/// A sample with the attributes that most updates have.
pub(super) fn shared(sample: Sample) -> Sample {
    sample.attr("wd", 0.25).attr("rescale_grad", 0.5).attr("clip_gradient", 0.75)
}

/// Makes an update operator whose inputs are weight, gradient and states of one shape.
///
/// `same` operators have all arrays in one dtype; `mixed` ones have states in `float32`, the last of which is
/// the weight that counts. `numbers` are what the arithmetic gets besides the elements. The attributes come
/// in MXNet's order; `tail` adds the ones that most share: `plain` for `wd`, `rescale_grad` and
/// `clip_gradient`, `lazy` for these and `lazy_update`.
///
/// `mixed` at the end makes a second operator of the same arithmetic, with one more state: a copy of the weight in
/// `float32`, which counts.
macro_rules! update {
    (
        $(#[doc = $doc:literal])*
        $op:ident = $name:literal aliases $aliases:tt, $kind:ident;
        states $states:tt;
        attrs $attrs:tt $tail:ident;
        samples |$s:ident| $samples:expr;
        numbers |$this:ident| $numbers:tt
        step |$w:ident, $g:ident| $body:block
        mixed {
            $(#[doc = $mixed_doc:literal])*
            $mixed:ident = $mixed_name:literal;
            states [$($state:ident: $state_doc:literal),*];
            samples |$mixed_s:ident| $mixed_samples:expr;
        }
    ) => {
        update! {
            $(#[doc = $doc])*
            $op = $name aliases $aliases, $kind;
            states $states;
            attrs $attrs $tail;
            samples |$s| $samples;
            numbers |$this| $numbers
            step |$w, $g| $body
        }
        update! {
            $(#[doc = $mixed_doc])*
            $mixed = $mixed_name aliases [], mixed;
            states [$($state: $state_doc,)* weight32: "The weight in float32."];
            attrs $attrs $tail;
            samples |$mixed_s| $mixed_samples;
            numbers |$this| $numbers
            step |narrow, $g| {
                let mut $w = weight32;
                $body
                (narrow, weight32) = ($w, $w);
            }
        }
    };
    (
        $(#[doc = $doc:literal])*
        $op:ident = $name:literal aliases [$($alias:literal),*], $kind:ident;
        states [$($state:ident: $state_doc:literal),* $(,)?];
        attrs { $($fields:tt)* } $tail:ident;
        samples |$s:ident| $samples:expr;
        numbers |$this:ident| { $($number:ident = $value:expr),* $(,)? }
        step |$w:ident, $g:ident| $body:block
    ) => {
        update!(@struct [$(#[doc = $doc])*] $op { $($fields)* } $tail);

        impl Update<{ 0 $(+ one($state_doc))* }, { 0 $(+ one(stringify!($number)))* }> for $op {
            #[inline(always)]
            #[allow(unused_mut, unused_variables, unused_assignments)]
            fn step<A: Real>(
                p: &[A; 0 $(+ one(stringify!($number)))*],
                mut $w: A,
                $g: A,
                states: [A; 0 $(+ one($state_doc))*],
            ) -> (A, [A; 0 $(+ one($state_doc))*]) {
                let [$($number),*] = *p;
                let [$(mut $state),*] = states;
                $body
                ($w, [$($state),*])
            }
        }

        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [
                    Input::new("weight", "The weight."),
                    Input::new("grad", "The gradient."),
                    $(Input::new(stringify!($state), $state_doc).mutated()),*
                ])
                .aliases(&[$($alias),*])
                .dtypes(update!(@dtypes $kind))
            }
            fn samples() -> Vec<Sample> {
                let (same, wide) = update!(@counts $kind (0 $(+ one($state_doc))*));
                let $s = |name: &'static str| arrays(name, &[3, 5], same, wide);
                let mut samples: Vec<Sample> = $samples;
                let mut long = arrays("longer than a block", &[150], same, wide);
                long.attrs = samples[0].attrs.clone();
                long.oracle = samples[0].oracle;
                samples.push(long);
                let mut none = arrays("no elements", &[0, 3], same, wide).oracle(Oracle::NumPy("x[0]"));
                none.attrs = samples[0].attrs.clone();
                samples.push(none);
                let mut other = Sample::new("a gradient of another shape").input(&[2, 3]).input(&[3, 2]);
                for _ in 0..same + wide {
                    other = other.input(&[2, 3]);
                }
                other.attrs = samples[0].attrs.clone();
                samples.push(other.fails(ErrorCode::Shape));
                samples
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                infer_shapes(s, 2 + 0 $(+ one($state_doc))*)
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                update!(@infer $kind t, (0 $(+ one($state_doc))*))
            }
            fn in_place(&self) -> &'static [(usize, usize)] {
                &[(0, 0)]
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let $this = self;
                update!(@run $kind $op, k, [$($value),*])
            }
        }
    };
    (@struct [$(#[doc = $doc:literal])*] $op:ident { $($fields:tt)* } plain) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            $($fields)*
            /// The weight decay: `wd * weight` is added to the gradient.
            #[attr(id = 2, default = 0.0)]
            pub wd: f64,
            /// The gradient is multiplied by this first.
            #[attr(id = 3, default = 1.0)]
            pub rescale_grad: f64,
            /// The gradient is brought into [-clip_gradient, clip_gradient]; not if this is negative.
            #[attr(id = 4, default = -1.0)]
            pub clip_gradient: f64,
        }
    };
    (@struct [$(#[doc = $doc:literal])*] $op:ident { $($fields:tt)* } lazy) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            $($fields)*
            /// The weight decay: `wd * weight` is added to the gradient.
            #[attr(id = 2, default = 0.0)]
            pub wd: f64,
            /// The gradient is multiplied by this first.
            #[attr(id = 3, default = 1.0)]
            pub rescale_grad: f64,
            /// The gradient is brought into [-clip_gradient, clip_gradient]; not if this is negative.
            #[attr(id = 4, default = -1.0)]
            pub clip_gradient: f64,
            /// For row-sparse gradients: leave rows without gradient alone. Dense ones have every row.
            #[attr(id = 5, default = true)]
            pub lazy_update: bool,
        }
    };
    (@struct [$(#[doc = $doc:literal])*] $op:ident { $($fields:tt)* } own) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op { $($fields)* }
    };
    (@dtypes same) => { DTypes::FLOAT };
    (@dtypes $mixed:ident) => { MIXED };
    (@counts same $n:expr) => { ($n, 0) };
    (@counts $mixed:ident $n:expr) => { (0, $n) };
    (@infer same $t:ident, $n:expr) => { $t.all_same() };
    (@infer mixed $t:ident, $n:expr) => { infer_mixed($t, $n, false) };
    (@infer wide $t:ident, $n:expr) => { infer_mixed($t, $n, true) };
    (@run same $op:ident, $k:ident, $p:expr) => { pass::update::<$op, _, _>($k, Places::in_order(), $p) };
    (@run $mixed:ident $op:ident, $k:ident, $p:expr) => {
        pass::update_mixed::<$op, _, _>($k, Places::in_order(), $p)
    };
}

/// What a file of updates imports.
pub(super) mod prelude {
    pub(in super::super) use super::super::pass::{self, Places, Update};
    pub(in super::super) use super::{
        MIXED, arrays, clip, clip_bound, infer_mixed, infer_shapes, one, shared, sign,
    };
    pub use crate::kernels::math::Real;
    pub use crate::ops::family::prelude::*;
}
