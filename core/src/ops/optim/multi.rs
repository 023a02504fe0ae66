//! Stochastic gradient descent on many weights with one call.

use super::family::{MIXED, clip_bound};
use super::pass::{self, Places};
use super::sgd::{MpSgdMomUpdate, MpSgdUpdate, SgdMomUpdate, SgdUpdate};
use crate::ops::family::prelude::*;

/// Adds a weight, a gradient and states to a sample.
fn with_arrays(sample: Sample, shape: &[i64], states: usize, mixed: bool) -> Sample {
    (0..states).fold(sample.input(shape).input(shape), |s, _| {
        let s = s.input(shape);
        if mixed { s.of(DType::F32) } else { s }
    })
}

macro_rules! multi {
    (
        $(#[doc = $doc:literal])*
        $op:ident = $name:literal, of $single:ident, $run:ident, mixed $mixed:literal, states $states:literal,
        momentum [$($momentum:ident)?],
        oracle $code:literal
    ) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The learning rates.
            #[attr(id = 1)]
            pub lrs: Vec<f64>,
            /// The weight decays.
            #[attr(id = 2)]
            pub wds: Vec<f64>,
            $(/// How much of the momentum stays.
            #[attr(id = 10, default = 0.0)]
            pub $momentum: f64,)?
            /// The gradients are multiplied by this first.
            #[attr(id = 3, default = 1.0)]
            pub rescale_grad: f64,
            /// The gradients are brought into [-clip_gradient, clip_gradient]; not if this is negative.
            #[attr(id = 4, default = -1.0)]
            pub clip_gradient: f64,
            /// The number of weights.
            #[attr(id = 5, default = 1)]
            pub num_weights: i64,
        }

        impl $op {
            /// Arrays per weight.
            const STRIDE: usize = 2 + $states;
            /// MXNet's names of the arrays of a weight.
            const GROUP: &'static [&'static str] = match ($states, $mixed) {
                (0, _) => &["weight_", "grad_"],
                (1, false) => &["weight_", "grad_", "mom_"],
                (1, true) => &["weight_", "grad_", "weight32_"],
                _ => &["weight_", "grad_", "mom_", "weight32_"],
            };
            fn count(&self) -> usize {
                self.num_weights.max(0) as usize
            }
        }

        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [
                    Input::new("data", "For each weight: the weight, the gradient and the states, which change.")
                        .counted("num_weights", Self::GROUP),
                ])
                .dtypes(if $mixed { MIXED } else { DTypes::FLOAT })
            }
            fn samples() -> Vec<Sample> {
                // MXNet must be told where the results go.
                let mut two = Sample::new("two weights").no_gradient().oracle(Oracle::MxNetCode($code));
                for shape in [&[3, 5][..], &[70]] {
                    two = with_arrays(two, shape, $states, $mixed);
                }
                let two = two.attr("lrs", [0.125, 0.5]).attr("wds", [0.25, 0.0]).attr("num_weights", 2i64);
                let all = two.clone().attr("rescale_grad", 0.5).attr("clip_gradient", 0.75)
                    $(.attr(stringify!($momentum), 0.5))?;
                let mut few = two.clone().fails(ErrorCode::InvalidValue);
                few.name = "too few arrays";
                few.inputs.pop();
                let mut rates = two.clone().attr("lrs", [0.5]).fails(ErrorCode::InvalidValue);
                rates.attrs.remove(0);
                rates.name = "too few learning rates";
                vec![all, few, rates]
            }
            fn num_inputs(&self) -> Option<usize> {
                Some(self.count() * Self::STRIDE)
            }
            fn num_outputs(&self) -> usize {
                self.count()
            }
            fn mutates(&self, i: usize) -> Option<bool> {
                Some(i % Self::STRIDE >= 2)
            }
            fn overwrites(&self, input: usize, output: usize) -> bool {
                input == output * Self::STRIDE
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                for (name, list) in [("lrs", &self.lrs), ("wds", &self.wds)] {
                    if list.len() != self.count() {
                        let (want, got) = (self.count(), list.len());
                        return Err(err!(InvalidValue, "expected one for each of {want} weights, got {got}").about(name));
                    }
                }
                Ok(())
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                for w in 0..self.count() {
                    let arrays = w * Self::STRIDE..(w + 1) * Self::STRIDE;
                    let known = arrays.clone().find_map(|i| s.input(i)).or(s.output(w)).cloned();
                    let Some(shape) = known else { continue };
                    for i in arrays {
                        s.set_input(i, shape.clone())?;
                    }
                    s.set_output(w, shape)?;
                }
                Ok(())
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                for w in 0..self.count() {
                    let arrays = w * Self::STRIDE..(w + 1) * Self::STRIDE;
                    let known = t.input(arrays.start).or(t.output(w));
                    for i in arrays {
                        let wide = $mixed && i % Self::STRIDE >= 2;
                        let dtype = if wide { Some(DType::F32) } else { known };
                        dtype.map_or(Ok(()), |d| t.set_input(i, d))?;
                        t.require(i, if $mixed { MIXED } else { DTypes::FLOAT })?;
                    }
                    known.map_or(Ok(()), |d| t.set_output(w, d))?;
                }
                Ok(())
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                for w in 0..self.count() {
                    let first = w * Self::STRIDE;
                    let states: [usize; $states] = std::array::from_fn(|i| first + 2 + i);
                    let places = Places { weight: first, grad: first + 1, states, out: w };
                    let bound = clip_bound(self.clip_gradient);
                    let p = [self.lrs[w], $(self.$momentum,)? self.wds[w], self.rescale_grad, bound];
                    pass::$run::<$single, _, _>(k, places, p)?;
                }
                Ok(())
            }
        }
    };
}

multi! {
    /// [`SgdUpdate`] on many weights.
    MultiSgdUpdate = "multi_sgd_update", of SgdUpdate, update, mixed false, states 0, momentum [],
    oracle "(lambda w: mx.nd.multi_sgd_update(
        w[0], x[1], w[1], x[3], out=w, **attrs))([x[0].copy(), x[2].copy()])"
}
multi! {
    /// [`SgdMomUpdate`] on many weights.
    MultiSgdMomUpdate = "multi_sgd_mom_update", of SgdMomUpdate, update, mixed false, states 1,
    momentum [momentum],
    oracle "(lambda w: mx.nd.multi_sgd_mom_update(
        w[0], x[1], x[2], w[1], x[4], x[5], out=w, **attrs))([x[0].copy(), x[3].copy()])"
}
multi! {
    /// [`MpSgdUpdate`] on many weights.
    MultiMpSgdUpdate = "multi_mp_sgd_update", of MpSgdUpdate, update_mixed, mixed true, states 1, momentum [],
    oracle "(lambda w: mx.nd.multi_mp_sgd_update(
        w[0], x[1], x[2], w[1], x[4], x[5], out=w, **attrs))([x[0].copy(), x[3].copy()])"
}
multi! {
    /// [`MpSgdMomUpdate`] on many weights.
    MultiMpSgdMomUpdate = "multi_mp_sgd_mom_update", of MpSgdMomUpdate, update_mixed, mixed true, states 2,
    momentum [momentum],
    oracle "(lambda w: mx.nd.multi_mp_sgd_mom_update(
        w[0], x[1], x[2], x[3], w[1], x[5], x[6], x[7], out=w, **attrs))([x[0].copy(), x[4].copy()])"
}
