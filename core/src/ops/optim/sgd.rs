//! Stochastic gradient descent.

use super::family::prelude::*;

update! {
    /// Stochastic gradient descent: `weight - lr * (grad + wd * weight)`.
    SgdUpdate = "sgd_update" aliases ["_sparse_sgd_update"], same;
    states [];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
    } lazy;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125),
        s("defaults").attr("lr", 0.5),
        s("everything clipped").attr("lr", 0.5).attr("clip_gradient", 0.0).attr("lazy_update", false),
        Sample::new("no learning rate").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
    ];
    numbers |o| { lr = o.lr, wd = o.wd, rescale = o.rescale_grad, bound = clip_bound(o.clip_gradient) }
    step |w, g| { w -= lr * (clip(g * rescale, bound) + wd * w); }
    mixed {
        /// [`SgdUpdate`] with a copy of the weight in `float32`, which counts.
        MpSgdUpdate = "mp_sgd_update";
        states [];
        samples |s| vec![
            shared(s("all attributes")).attr("lr", 0.125),
            s("defaults").attr("lr", 0.5),
        ];
    }
}

update! {
    /// Stochastic gradient descent with momentum: `mom = momentum * mom - lr * (grad + wd * weight)` is added
    /// to the weight.
    SgdMomUpdate = "sgd_mom_update" aliases ["_sparse_sgd_mom_update"], same;
    states [mom: "The momentum."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the momentum stays.
        #[attr(id = 10, default = 0.0)]
        pub momentum: f64,
    } lazy;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("momentum", 0.75),
        s("defaults").attr("lr", 0.5),
    ];
    numbers |o| {
        lr = o.lr, momentum = o.momentum, wd = o.wd, rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        mom = momentum * mom - lr * (clip(g * rescale, bound) + wd * w);
        w += mom;
    }
    mixed {
        /// [`SgdMomUpdate`] with momentum and a copy of the weight in `float32`, which counts.
        MpSgdMomUpdate = "mp_sgd_mom_update";
        states [mom: "The momentum in float32."];
        samples |s| vec![
            shared(s("all attributes")).attr("lr", 0.125).attr("momentum", 0.75),
            s("defaults").attr("lr", 0.5),
        ];
    }
}

update! {
    /// Nesterov's accelerated gradient: as [`SgdMomUpdate`], but the weight also takes the step that the new
    /// momentum leads to.
    NagMomUpdate = "nag_mom_update" aliases [], same;
    states [mom: "The momentum."];
    attrs {
        /// The learning rate.
        #[attr(id = 1)]
        pub lr: f64,
        /// How much of the momentum stays.
        #[attr(id = 10, default = 0.0)]
        pub momentum: f64,
    } plain;
    samples |s| vec![
        shared(s("all attributes")).attr("lr", 0.125).attr("momentum", 0.75),
        s("defaults").attr("lr", 0.5),
    ];
    numbers |o| {
        lr = o.lr, momentum = o.momentum, wd = o.wd, rescale = o.rescale_grad,
        bound = clip_bound(o.clip_gradient)
    }
    step |w, g| {
        let change = lr * (clip(g * rescale, bound) + wd * w);
        mom = momentum * mom - change;
        w += momentum * mom - change;
    }
    mixed {
        /// [`NagMomUpdate`] with momentum and a copy of the weight in `float32`, which counts.
        MpNagMomUpdate = "mp_nag_mom_update";
        states [mom: "The momentum in float32."];
        samples |s| vec![
            // MXNet's own operator takes the decay in the momentum from the weight that is already new.
            shared(s("all attributes")).attr("lr", 0.125).attr("momentum", 0.75)
                .oracle(Oracle::MxNetCode("mx.nd.nag_mom_update(x[3], x[1].astype('float32'), x[2], **attrs)")),
            s("no decay").attr("lr", 0.5).attr("momentum", 0.75),
        ];
    }
}
