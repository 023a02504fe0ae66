//! Updates that divide each gradient by the size of its past.

use super::family::prelude::*;

/// The bound of weights that an attribute `clip_weights` means: none unless it is positive.
fn weight_bound(clip_weights: f64) -> f64 {
    clip_bound(clip_weights)
}

update! {
    /// RMSProp (Tieleman and Hinton, 2012): steps along the gradient over the root of the mean of its
    /// squares.
    RmspropUpdate = "rmsprop_update" aliases [], same;
    states [n: "The mean of the squared gradients."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the mean of squares stays.
        #[attr(id = 10, default = 0.95)]
        pub gamma1: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// The new weight is brought into [-clip_weights, clip_weights]; not if this is negative.
        #[attr(id = 13, default = -1.0)]
        pub clip_weights: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("gamma1", 0.75).attr("epsilon", 0.0625)
            .attr("clip_weights", 1.5),
        s("defaults").attr("lr", 0.5).tolerance(1e3),
    ];
    numbers |o| {
        lr = o.lr, gamma1 = o.gamma1, rest1 = 1.0 - o.gamma1, eps = o.epsilon, wd = o.wd,
        rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient), most = weight_bound(o.clip_weights)
    }
    step |w, g| {
        let grad = clip(g * rescale + wd * w, bound);
        n = rest1 * grad * grad + gamma1 * n;
        w = clip(w - lr * grad / (n + eps).sqrt(), most);
    }
}

update! {
    /// RMSProp as Graves (2013) has it: divides by the deviation from the mean gradient and adds momentum.
    RmspropalexUpdate = "rmspropalex_update" aliases [], same;
    states [
        n: "The mean of the squared gradients.", mean: "The mean of the gradients.", delta: "The momentum."
    ];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the means stays.
        #[attr(id = 10, default = 0.95)]
        pub gamma1: f64,
        /// How much of the momentum stays.
        #[attr(id = 11, default = 0.9)]
        pub gamma2: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-8)]
        pub epsilon: f64,
        /// The new weight is brought into [-clip_weights, clip_weights]; not if this is negative.
        #[attr(id = 13, default = -1.0)]
        pub clip_weights: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("gamma1", 0.25).attr("gamma2", 0.5)
            .attr("epsilon", 8.0).attr("clip_weights", 1.5),
    ];
    numbers |o| {
        lr = o.lr, gamma1 = o.gamma1, rest1 = 1.0 - o.gamma1, gamma2 = o.gamma2, eps = o.epsilon, wd = o.wd,
        rescale = o.rescale_grad, bound = clip_bound(o.clip_gradient), most = weight_bound(o.clip_weights)
    }
    step |w, g| {
        let grad = clip(g * rescale + wd * w, bound);
        n = rest1 * grad * grad + gamma1 * n;
        mean = rest1 * grad + gamma1 * mean;
        delta = gamma2 * delta - lr * grad / (n - mean * mean + eps).sqrt();
        w = clip(w + delta, most);
    }
}

update! {
    /// AdaGrad (Duchi, Hazan and Singer, 2011): steps along the gradient over the root of the sum of all
    /// squares.
    ///
    /// MXNet's operator of this name takes row-sparse gradients only and no weight decay; here are dense
    /// ones, for
    /// which MXNet has Python code with this arithmetic.
    AdagradUpdate = "_sparse_adagrad_update" aliases [], same;
    states [history: "The sum of the squared gradients."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// Keeps the divisor from zero.
        #[attr(id = 12, default = 1e-7)]
        pub epsilon: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("epsilon", 0.0625)
            .oracle(Oracle::NumPy(
                "(lambda g: x[0] - 0.125 * (g / np.sqrt(x[2] + g * g + 0.0625) + 0.25 * x[0]))(\
                 np.clip(0.5 * x[1], -0.75, 0.75))")),
    ];
    numbers |o| {
        lr = o.lr, eps = o.epsilon, wd = o.wd, rescale = o.rescale_grad, bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let grad = clip(g * rescale, bound);
        history += grad * grad;
        w -= lr * (grad / (history + eps).sqrt() + wd * w);
    }
}

update! {
    /// AdaDelta (Zeiler, 2012): AdaGrad with means in place of sums, and steps in the weights' own units.
    /// MXNet
    /// has it as Python code only, with `lr` 1.
    AdadeltaUpdate = "_adadelta_update" aliases [], same;
    states [acc_g: "The mean of the squared gradients.", acc_delta: "The mean of the squared steps."];
    attrs {
        /// The learning rate.
        #[attr(id = 1, default = 1.0)]
        pub lr: f64,
        /// How much of the means stays.
        #[attr(id = 10, default = 0.9)]
        pub rho: f64,
        /// Keeps roots from zero.
        #[attr(id = 12, default = 1e-5)]
        pub epsilon: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 1.0).attr("rho", 0.75).attr("epsilon", 0.0625)
            .oracle(Oracle::NumPy(
                "(lambda g: 0.75 * x[0] - np.sqrt(x[3] + 0.0625) / \
                 np.sqrt(0.75 * x[2] + 0.25 * g * g + 0.0625) * g)(np.clip(0.5 * x[1], -0.75, 0.75))")),
    ];
    numbers |o| {
        lr = o.lr, rho = o.rho, rest = 1.0 - o.rho, eps = o.epsilon, wd = o.wd, rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let grad = clip(g * rescale, bound);
        acc_g = rho * acc_g + rest * grad * grad;
        let delta = (acc_delta + eps).sqrt() / (acc_g + eps).sqrt() * grad;
        acc_delta = rho * acc_delta + rest * delta * delta;
        w -= lr * (delta + wd * w);
    }
}
