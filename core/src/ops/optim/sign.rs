//! Updates that only use the direction of the gradient.

use super::family::prelude::*;

update! {
    /// Moves each weight by `lr` against the sign of its gradient: `weight - lr * (sign(grad) + wd *
    /// weight)`.
    SignsgdUpdate = "signsgd_update" aliases [], same;
    states [];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125),
        s("defaults").attr("lr", 0.5),
    ];
    numbers |o| { lr = o.lr, wd = o.wd }
    step |w, g| { w -= lr * (sign(g) + wd * w); }
}

update! {
    /// Moves each weight by `lr` along the sign of its momentum, which averages gradients.
    SignumUpdate = "signum_update" aliases [], same;
    states [mom: "The momentum."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the momentum stays.
        #[attr(id = 10, default = 0.0)]
        pub momentum: f64,
        /// Weight decay that is not part of the gradient, as Loshchilov and Hutter propose for Adam.
        #[attr(id = 11, default = 0.0)]
        pub wd_lh: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("momentum", 0.75).attr("wd_lh", 0.5),
        s("defaults").attr("lr", 0.5),
    ];
    numbers |o| {
        lr = o.lr, momentum = o.momentum, rest = 1.0 - o.momentum, wd = o.wd, rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient), wd_lh = o.wd_lh
    }
    step |w, g| {
        mom = momentum * mom - rest * (wd * w + clip(g * rescale, bound));
        w += lr * (sign(mom) - wd_lh * w);
    }
}
