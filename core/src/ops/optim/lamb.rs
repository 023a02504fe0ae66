//! LAMB (You et al., «Large batch optimization for deep learning», 2019) in its two phases: a direction as
//! Adam's, then a step whose length is in proportion to the weight's norm.

use super::family::{infer_factor, prelude::*};

macro_rules! phase1 {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, $kind:ident,
     |$w:ident, $mean:ident, $var:ident| [$($master:ident)?], weight $weight:ident, oracle $oracle:expr) => {
        update! {
            $(#[doc = $doc])*
            $op = $name aliases [], $kind;
            states [
                $mean: "The mean of the gradients.", $var: "The mean of their squares."
                $(, $master: "The weight in float32.")?
            ];
            attrs {
                /// How much of the mean stays.
                #[attr(id = 10, default = 0.9)]
                pub beta1: f64,
                /// How much of the mean of squares stays.
                #[attr(id = 11, default = 0.999)]
                pub beta2: f64,
                /// Keeps the divisor from zero.
                #[attr(id = 12, default = 1e-6)]
                pub epsilon: f64,
                /// The number of this update, from 1.
                #[attr(id = 13)]
                pub t: i64,
                /// Correct the bias of the means towards zero.
                #[attr(id = 14, default = true)]
                pub bias_correction: bool,
                /// The weight decay: `wd * weight` is added to the direction.
                #[attr(id = 2)]
                pub wd: f64,
                /// The gradient is multiplied by this first.
                #[attr(id = 3, default = 1.0)]
                pub rescale_grad: f64,
                /// The gradient is brought into [-clip_gradient, clip_gradient]; not if this is negative.
                #[attr(id = 4, default = -1.0)]
                pub clip_gradient: f64,
            } own;
            samples |s| vec![
                s("all attributes").attr("beta1", 0.5).attr("beta2", 0.75).attr("epsilon", 0.0625)
                    .attr("t", 2i64)
                    .attr("wd", 0.25).attr("rescale_grad", 0.5).attr("clip_gradient", 0.75).oracle($oracle),
                s("without correction").attr("beta1", 0.5).attr("beta2", 0.75).attr("epsilon", 0.0625)
                    .attr("t", 2i64)
                    .attr("bias_correction", false).attr("wd", 0.25).oracle($oracle),
            ];
            numbers |o| {
                beta1 = o.beta1, beta2 = o.beta2, rest1 = 1.0 - o.beta1, rest2 = 1.0 - o.beta2,
                eps = o.epsilon,
                left1 = left(o.beta1, o.t, o.bias_correction), left2 = left(o.beta2, o.t, o.bias_correction),
                wd = o.wd, rescale = o.rescale_grad, bound = clip_bound(o.clip_gradient)
            }
            step |$w, g| {
                let grad = clip(g * rescale, bound);
                $mean = beta1 * $mean + rest1 * grad;
                $var = beta2 * $var + rest2 * grad * grad;
                $w = $mean / left1 / (($var / left2).sqrt() + eps) + wd * $weight;
            }
        }
    };
}

/// What a mean over `t` updates is divided by to correct its bias.
fn left(beta: f64, t: i64, correct: bool) -> f64 {
    if correct { 1.0 - beta.powi(t.clamp(0, i64::from(i32::MAX)) as i32) } else { 1.0 }
}

phase1! {
    /// The direction of LAMB's step. The weight stays as it is.
    LambUpdatePhase1 = "lamb_update_phase1", same,
    |w, mean, var| [], weight w, oracle Oracle::MxNet
}

phase1! {
    /// [`LambUpdatePhase1`] with states and a copy of the weight in `float32`, which counts. The direction
    /// is in
    /// `float32` too.
    MpLambUpdatePhase1 = "mp_lamb_update_phase1", wide,
    |w, mean, var| [weight32], weight weight32,
    oracle Oracle::MxNetCode("mx.nd.lamb_update_phase1(x[4], x[1].astype('float32'), x[2], x[3], **attrs)")
}

struct Phase2;

impl Update<0, 1> for Phase2 {
    #[inline(always)]
    fn step<A: Real>(p: &[A; 1], w: A, g: A, _: [A; 0]) -> (A, [A; 0]) {
        (w - p[0] * g, [])
    }
}

/// The step on the weight in `float32`, input 4.
fn step_mixed(k: &Kernel, lr: f64) -> Result<()> {
    let (g, master) = (k.input::<f32>(1), k.state::<f32>(4));
    with_dtype!(k.dtype(0), [F32 f32, F16 half::f16, BF16 half::bf16], T => {
        let out = k.output::<T>(0);
        for ((o, w), g) in out.iter_mut().zip(master).zip(g) {
            *w -= lr as f32 * g;
            *o = T::from_f64(f64::from(*w));
        }
        Ok(())
    })
}

macro_rules! phase2 {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, mixed $mixed:literal) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The learning rate.
            #[attr(id = 1)]
            pub lr: f64,
            /// The weight's norm is taken to be at least this; not if this is negative.
            #[attr(id = 10, default = -1.0)]
            pub lower_bound: f64,
            /// The weight's norm is taken to be at most this; not if this is negative.
            #[attr(id = 11, default = -1.0)]
            pub upper_bound: f64,
        }

        impl Operator for $op {
            fn meta() -> Meta {
                let mut inputs = vec![
                    Input::new("weight", "The weight."),
                    Input::new("g", "The direction."),
                    Input::new("r1", "The norm of the weight."),
                    Input::new("r2", "The norm of the direction."),
                ];
                if $mixed {
                    inputs.push(Input::new("weight32", "The weight in float32, which counts.").mutated());
                }
                Meta::new($name, inputs).dtypes(if $mixed { MIXED } else { DTypes::FLOAT })
            }
            fn samples() -> Vec<Sample> {
                let s = |name, r1: f64, r2: f64| {
                    let s = Sample::new(name).no_gradient().input(&[3, 30]).input(&[3, 30]);
                    if !$mixed {
                        return s.values(&[1], &[r1]).values(&[1], &[r2]).attr("lr", 0.125);
                    }
                    let s = s.of(DType::F32).values(&[1], &[r1]).of(DType::F32).values(&[1], &[r2])
                        .of(DType::F32);
                    let code = "mx.nd.lamb_update_phase2(x[4], x[1], x[2], x[3], **attrs)";
                    s.input(&[3, 30]).of(DType::F32).attr("lr", 0.125).oracle(Oracle::MxNetCode(code))
                };
                vec![
                    s("norms as they are", 3.0, 2.0),
                    s("a norm that is raised", 3.0, 2.0).attr("lower_bound", 4.0),
                    s("a norm that is lowered", 3.0, 2.0).attr("upper_bound", 0.5),
                    s("a weight of zeros", 0.0, 2.0),
                    s("a direction of zeros", 3.0, 0.0),
                ]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                let arrays: &[usize] = if $mixed { &[0, 1, 4] } else { &[0, 1] };
                let known = arrays.iter().find_map(|i| s.input(*i)).or(s.output(0)).cloned();
                if let Some(shape) = known {
                    arrays.iter().try_for_each(|i| s.set_input(*i, shape.clone()))?;
                    s.set_output(0, shape)?;
                }
                for (i, name) in [(2, "r1"), (3, "r2")] {
                    if s.known(i).is_some_and(|r| r.len() != 1) {
                        return Err(err!(Shape, "expected one number").about(name));
                    }
                }
                Ok(())
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                infer_factor(t, 2)?;
                infer_factor(t, 3)?;
                if !$mixed {
                    return t.same(&[0, 1]);
                }
                t.set_input(1, DType::F32)?;
                t.set_input(4, DType::F32)?;
                t.same(&[0])
            }
            fn in_place(&self) -> &'static [(usize, usize)] {
                &[(0, 0)]
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let (mut r1, r2) = (k.input_f64(2)[0], k.input_f64(3)[0]);
                if self.lower_bound >= 0.0 {
                    r1 = r1.max(self.lower_bound);
                }
                if self.upper_bound >= 0.0 {
                    r1 = r1.min(self.upper_bound);
                }
                let lr = if r1 == 0.0 || r2 == 0.0 { self.lr } else { self.lr * r1 / r2 };
                if $mixed {
                    return step_mixed(k, lr);
                }
                let places = Places { weight: 0, grad: 1, states: [], out: 0 };
                pass::update::<Phase2, 0, 1>(k, places, [lr])
            }
        }
    };
}

phase2! {
    /// The step of LAMB: `weight - lr * r1 / r2 * g`, or `weight - lr * g` if one of the norms is zero.
    LambUpdatePhase2 = "lamb_update_phase2", mixed false
}

phase2! {
    /// [`LambUpdatePhase2`] with a copy of the weight in `float32`, which counts.
    MpLambUpdatePhase2 = "mp_lamb_update_phase2", mixed true
}
