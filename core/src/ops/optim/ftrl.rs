//! Updates that follow the regularised leader.

use super::family::prelude::*;

update! {
    /// FTRL-Proximal (McMahan et al., «Ad click prediction», KDD 2013): makes weights exactly zero.
    FtrlUpdate = "ftrl_update" aliases ["_sparse_ftrl_update"], same;
    states [z: "The sum of the adjusted gradients.", n: "The sum of the squared gradients."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// The coefficient of the weights' absolute values.
        #[attr(id = 10, default = 0.01)]
        pub lamda1: f64,
        /// Slows the first steps.
        #[attr(id = 11, default = 1.0)]
        pub beta: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("lamda1", 0.25).attr("beta", 0.5),
        s("defaults").attr("lr", 0.5).tolerance(1e3),
        s("all weights zero").attr("lr", 0.5).attr("lamda1", 64.0),
    ];
    numbers |o| {
        lr = o.lr, lamda1 = o.lamda1, beta = o.beta, wd = o.wd, rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let grad = clip(g * rescale, bound);
        let root = (n + grad * grad).sqrt();
        z += grad - (root - n.sqrt()) * w / lr;
        n += grad * grad;
        let pull = sign(z) * lamda1 - z;
        w = if z.abs() > lamda1 { pull / ((beta + n.sqrt()) / lr + wd) } else { A::ZERO };
    }
}

/// FTML (Zheng and Kwok, «Follow the moving leader in deep learning», ICML 2017).
#[derive(Attrs, Clone, Debug)]
pub struct FtmlUpdate {
    /// The learning rate.
    #[attr(id = 1)]
    pub lr: f64,
    /// How much of the mean stays.
    #[attr(id = 10, default = 0.6)]
    pub beta1: f64,
    /// How much of the mean of squares stays.
    #[attr(id = 11, default = 0.999)]
    pub beta2: f64,
    /// Keeps the divisor from zero.
    #[attr(id = 12, default = 1e-8)]
    pub epsilon: f64,
    /// The number of this update, from 1.
    #[attr(id = 13, min = 1)]
    pub t: i64,
    /// The weight decay: `wd * weight` is added to the gradient.
    #[attr(id = 2, default = 0.0)]
    pub wd: f64,
    /// The gradient is multiplied by this first.
    #[attr(id = 3, default = 1.0)]
    pub rescale_grad: f64,
    /// The gradient is brought into [-clip_grad, clip_grad]; not if this is negative.
    #[attr(id = 4, default = -1.0)]
    pub clip_grad: f64,
}

impl Update<3, 11> for FtmlUpdate {
    #[inline(always)]
    fn step<A: Real>(p: &[A; 11], w: A, g: A, [d, v, z]: [A; 3]) -> (A, [A; 3]) {
        let [inverse_lr, beta1, beta2, rest1, rest2, eps, left1, left2, wd, rescale, bound] = *p;
        let grad = clip(g * rescale + wd * w, bound);
        let v = beta2 * v + rest2 * grad * grad;
        let d_new = left1 * inverse_lr * ((v / left2).sqrt() + eps);
        let z = beta1 * z + rest1 * grad - (d_new - beta1 * d) * w;
        (-z / d_new, [d_new, v, z])
    }
}

impl Operator for FtmlUpdate {
    fn meta() -> Meta {
        Meta::new(
            "ftml_update",
            [
                Input::new("weight", "The weight."),
                Input::new("grad", "The gradient."),
                Input::new("d", "The divisor of the last update.").mutated(),
                Input::new("v", "The mean of the squared gradients.").mutated(),
                Input::new("z", "The mean of the adjusted gradients.").mutated(),
            ],
        )
    }
    fn samples() -> Vec<Sample> {
        let s = |name| arrays(name, &[3, 5], 3, 0).attr("lr", 0.125).attr("beta1", 0.5).attr("beta2", 0.75);
        vec![
            s("all attributes")
                .attr("epsilon", 0.0625)
                .attr("t", 2i64)
                .attr("wd", 0.25)
                .attr("rescale_grad", 0.5)
                .attr("clip_grad", 0.75),
            s("an update before the first").attr("t", 0i64).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let t = self.t.min(i64::from(i32::MAX)) as i32;
        let p = [
            1.0 / self.lr,
            self.beta1,
            self.beta2,
            1.0 - self.beta1,
            1.0 - self.beta2,
            self.epsilon,
            1.0 - self.beta1.powi(t),
            1.0 - self.beta2.powi(t),
            self.wd,
            self.rescale_grad,
            clip_bound(self.clip_grad),
        ];
        pass::update::<FtmlUpdate, 3, 11>(k, Places::in_order(), p)
    }
}
