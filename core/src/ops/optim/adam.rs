//! Adam and its relatives.

use super::family::{infer_factor, prelude::*};

update! {
    /// Adam (Kingma and Ba, 2014): steps along the mean of the gradients over the root of the mean of their
    /// squares. The correction of the means' bias belongs into `lr`.
    AdamUpdate = "adam_update" aliases ["_sparse_adam_update"], same;
    states [mean: "The mean of the gradients.", var: "The mean of their squares."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the mean stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the mean of squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
    } lazy;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("beta1", 0.5).attr("beta2", 0.75)
            .attr("epsilon", 0.0625),
        s("defaults").attr("lr", 0.5).tolerance(1e3),
    ];
    numbers |o| {
        lr = o.lr, beta1 = o.beta1, beta2 = o.beta2, rest1 = 1.0 - o.beta1, rest2 = 1.0 - o.beta2,
        eps = o.epsilon,
        wd = o.wd, rescale = o.rescale_grad, bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let grad = clip(g * rescale + wd * w, bound);
        mean = beta1 * mean + rest1 * grad;
        var = beta2 * var + rest2 * grad * grad;
        w -= lr * mean / (var.sqrt() + eps);
    }
}

update! {
    /// Adamax (Kingma and Ba, 2014): Adam with the largest gradient in place of the root of the mean square.
    /// The correction of the mean's bias belongs into `lr`. MXNet has it as Python code only.
    AdamaxUpdate = "_adamax_update" aliases [], same;
    states [mean: "The mean of the gradients.", norm: "The largest gradient, which decays."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the mean stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the largest gradient stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("beta1", 0.5).attr("beta2", 0.75)
            .oracle(Oracle::NumPy(
                "(lambda g: x[0] - 0.125 * (0.5 * x[2] + 0.5 * g) / np.maximum(0.75 * x[3], abs(g)))(\
                 np.clip(0.5 * x[1] + 0.25 * x[0], -0.75, 0.75))")),
    ];
    numbers |o| {
        lr = o.lr, beta1 = o.beta1, beta2 = o.beta2, rest1 = 1.0 - o.beta1, wd = o.wd,
        rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let grad = clip(g * rescale + wd * w, bound);
        mean = beta1 * mean + rest1 * grad;
        let (decayed, size) = (beta2 * norm, grad.abs());
        norm = if decayed > size { decayed } else { size };
        w -= lr * mean / norm;
    }
}

update! {
    /// Nadam (Dozat, 2015): Adam with Nesterov's momentum. The coefficients that change from step to step are
    /// attributes. MXNet has it as Python code only.
    NadamUpdate = "_nadam_update" aliases [], same;
    states [mean: "The mean of the gradients.", var: "The mean of their squares."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the mean stays.
        #[attr(id = 10, default = 0.9)]
        pub beta1: f64,
        /// How much of the mean of squares stays.
        #[attr(id = 11, default = 0.999)]
        pub beta2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// The factor of the gradient in the step.
        #[attr(id = 13)]
        pub grad_factor: f64,
        /// The factor of the mean in the step.
        #[attr(id = 14)]
        pub mean_factor: f64,
        /// What the mean of squares is divided by to correct its bias.
        #[attr(id = 15)]
        pub var_divisor: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("beta1", 0.5).attr("beta2", 0.75)
            .attr("epsilon", 0.0625)
            .attr("grad_factor", 0.5).attr("mean_factor", 0.25).attr("var_divisor", 0.5)
            .oracle(Oracle::NumPy(
                "(lambda g: x[0] - 0.125 * (0.5 * g + 0.25 * (0.5 * x[2] + 0.5 * g)) / \
                 (np.sqrt((0.75 * x[3] + 0.25 * g * g) / 0.5) + 0.0625))(\
                 np.clip(0.5 * x[1] + 0.25 * x[0], -0.75, 0.75))")),
    ];
    numbers |o| {
        lr = o.lr, beta1 = o.beta1, beta2 = o.beta2, rest1 = 1.0 - o.beta1, rest2 = 1.0 - o.beta2,
        eps = o.epsilon,
        of_grad = o.grad_factor, of_mean = o.mean_factor, over_var = o.var_divisor, wd = o.wd,
        rescale = o.rescale_grad, bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let grad = clip(g * rescale + wd * w, bound);
        mean = beta1 * mean + rest1 * grad;
        var = beta2 * var + rest2 * grad * grad;
        w -= lr * (of_grad * grad + of_mean * mean) / ((var / over_var).sqrt() + eps);
    }
}

/// The arithmetic of AdamW.
#[inline(always)]
fn adamw<A: Real>(p: &[A; 9], w: A, g: A, mean: A, var: A) -> (A, A, A) {
    let [lr, beta1, beta2, rest1, rest2, eps, wd, eta, bound] = *p;
    let grad = clip(g, bound);
    let mean = beta1 * mean + rest1 * grad;
    let var = beta2 * var + rest2 * grad * grad;
    (w - eta * (lr * mean / (var.sqrt() + eps) + wd * w), mean, var)
}

/// AdamW's arithmetic on a gradient that is first multiplied by a number.
struct Scaled<const MIXED: bool>;

impl Update<2, 10> for Scaled<false> {
    #[inline(always)]
    fn step<A: Real>(p: &[A; 10], w: A, g: A, [mean, var]: [A; 2]) -> (A, [A; 2]) {
        let [scale, rest @ ..] = p;
        let (w, mean, var) = adamw(rest, w, g * *scale, mean, var);
        (w, [mean, var])
    }
}

impl Update<3, 10> for Scaled<true> {
    #[inline(always)]
    fn step<A: Real>(p: &[A; 10], _: A, g: A, [mean, var, weight32]: [A; 3]) -> (A, [A; 3]) {
        let [scale, rest @ ..] = p;
        let (w, mean, var) = adamw(rest, weight32, g * *scale, mean, var);
        (w, [mean, var, w])
    }
}

macro_rules! adamw {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, mixed $mixed:literal, states $states:literal) => {
        $(#[doc = $doc])*
        ///
        /// Nothing is updated if `rescale_grad` is zero or not finite, as it is when a loss scale was too
        /// large.
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The learning rate.
            #[attr(id = 1)]
            pub lr: f64,
            /// How much of the mean stays.
            #[attr(id = 10, default = 0.9)]
            pub beta1: f64,
            /// How much of the mean of squares stays.
            #[attr(id = 11, default = 0.999)]
            pub beta2: f64,
            /// Keeps the divisor from zero.
            #[attr(id = 12, default = 1e-8)]
            pub epsilon: f64,
            /// The weight decay: `wd * weight` is subtracted besides the step.
            #[attr(id = 2, default = 0.0)]
            pub wd: f64,
            /// The factor of step and decay together.
            #[attr(id = 13)]
            pub eta: f64,
            /// The gradient is brought into [-clip_gradient, clip_gradient]; not if this is negative.
            #[attr(id = 4, default = -1.0)]
            pub clip_gradient: f64,
        }

        impl Operator for $op {
            fn meta() -> Meta {
                let mut inputs = vec![
                    Input::new("weight", "The weight."),
                    Input::new("grad", "The gradient."),
                    Input::new("mean", "The mean of the gradients.").mutated(),
                    Input::new("var", "The mean of their squares.").mutated(),
                ];
                if $mixed {
                    inputs.push(Input::new("weight32", "The weight in float32, which counts.").mutated());
                }
                inputs.push(Input::new("rescale_grad", "The gradient is multiplied by this one number."));
                Meta::new($name, inputs).dtypes(if $mixed { MIXED } else { DTypes::FLOAT })
            }
            fn samples() -> Vec<Sample> {
                let (same, wide) = if $mixed { (0, $states) } else { ($states, 0) };
                let all = |name, scale: f64| {
                    arrays(name, &[3, 5], same, wide).values(&[1], &[scale]).of(DType::F32)
                        .attr("lr", 0.125).attr("beta1", 0.5).attr("beta2", 0.75).attr("epsilon", 0.0625)
                        .attr("wd", 0.25).attr("eta", 0.5).attr("clip_gradient", 0.75)
                };
                // MXNet multiplies the gradient itself, in its place.
                let code = if $mixed {
                    "mx.nd.contrib.mp_adamw_update(x[0], x[1].copy(), *x[2:], **attrs)"
                } else {
                    "mx.nd.contrib.adamw_update(x[0], x[1].copy(), *x[2:], **attrs)"
                };
                vec![
                    all("all attributes", 0.5).oracle(Oracle::MxNetCode(code)),
                    all("a factor that is no number", f64::NAN).oracle(Oracle::Run),
                    all("a factor of zero", 0.0).oracle(Oracle::NumPy("x[0]")),
                    arrays("defaults", &[70], same, wide).values(&[1], &[1.0]).of(DType::F32)
                        .attr("lr", 0.5).attr("eta", 1.0).tolerance(1e3),
                    arrays("a factor of two numbers", &[2], same, wide).values(&[2], &[1.0, 1.0])
                        .of(DType::F32)
                        .attr("lr", 0.5).attr("eta", 1.0).fails(ErrorCode::Shape),
                ]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                infer_shapes(s, 2 + $states).map_err(|e| e.about("rescale_grad"))
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                infer_factor(t, 2 + $states)?;
                if $mixed { infer_mixed(t, $states, false) } else { t.same(&[0, 1, 2, 3]) }
            }
            fn in_place(&self) -> &'static [(usize, usize)] {
                &[(0, 0)]
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let scale = k.input_f64(2 + $states)[0];
                if !scale.is_finite() || scale == 0.0 {
                    k.copy(0, 0);
                    return Ok(());
                }
                let bound = clip_bound(self.clip_gradient);
                let (rest1, rest2) = (1.0 - self.beta1, 1.0 - self.beta2);
                let (lr, beta1, beta2, eps) = (self.lr, self.beta1, self.beta2, self.epsilon);
                let p = [scale, lr, beta1, beta2, rest1, rest2, eps, self.wd, self.eta, bound];
                if $mixed {
                    pass::update_mixed::<Scaled<true>, 3, 10>(k, Places::in_order(), p)
                } else {
                    pass::update::<Scaled<false>, 2, 10>(k, Places::in_order(), p)
                }
            }
        }
    };
}

adamw! {
    /// AdamW (Loshchilov and Hutter, 2017): Adam with weight decay that is not part of the gradient.
    AdamwUpdate = "_adamw_update", mixed false, states 2
}

adamw! {
    /// [`AdamwUpdate`] with states and a copy of the weight in `float32`, which counts.
    MpAdamwUpdate = "_mp_adamw_update", mixed true, states 3
}
