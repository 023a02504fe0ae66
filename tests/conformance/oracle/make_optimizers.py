"""Trajectories of MXNet 1.9.1's optimizers and learning-rate schedules.

    make_optimizers.py ../optimizers.json

Each case is an optimizer with its attributes, and the weights of two parameters after each of ten updates.
"""

import json
import math
import pathlib
import sys

import mxnet as mx
import numpy as np

STEPS = 10
NAMES = {0: "fc_weight", 1: "fc_bias"}
SHAPES = {0: (2, 3), 1: (4,)}

COMMON = {"wd": 0.125, "rescale_grad": 0.5, "clip_gradient": 0.75}

CASES = [
    ("sgd", {"learning_rate": 0.125}),
    ("sgd", {"momentum": 0.75, **COMMON}),
    ("nag", {"learning_rate": 0.125}),
    ("nag", {"learning_rate": 0.125, "momentum": 0.75, "rescale_grad": 0.5, "clip_gradient": 0.75}),
    ("nag", {"learning_rate": 0.125, "momentum": 0.75, **COMMON}),
    ("signum", {}),
    ("signum", {"momentum": 0.0, "wd": 0.125}),
    ("signum", {"momentum": 0.75, "wd_lh": 0.25, **COMMON}),
    ("adam", {}),
    ("adam", {"learning_rate": 0.125, "beta1": 0.75, "beta2": 0.875, "epsilon": 0.0625, **COMMON}),
    ("adamw", {"learning_rate": 0.125, **COMMON}),
    ("adamw", {"learning_rate": 0.125, "wd": 0.125, "correct_bias": False}),
    ("adamax", {}),
    ("adamax", {"learning_rate": 0.125, **COMMON}),
    ("nadam", {}),
    ("nadam", {"learning_rate": 0.125, **COMMON}),
    ("rmsprop", {}),
    ("rmsprop", {"learning_rate": 0.125, "gamma1": 0.75, "clip_weights": 1.5, **COMMON}),
    ("rmsprop", {"learning_rate": 0.125, "centered": True, "gamma2": 0.5, "epsilon": 0.0625, **COMMON}),
    ("adagrad", {}),
    ("adagrad", {"learning_rate": 0.125, **COMMON}),
    ("adadelta", {}),
    ("adadelta", {"rho": 0.75, **COMMON}),
    ("ftrl", {}),
    ("ftrl", {"learning_rate": 0.5, "lamda1": 0.125, **COMMON}),
    ("ftml", {}),
    ("ftml", {"learning_rate": 0.125, **COMMON}),
    ("lamb", {}),
    ("lamb", {"learning_rate": 0.125, "lower_bound": 0.5, "upper_bound": 2.0, **COMMON}),
]

SCHEDULES = [
    ("factor", {"step": 3, "factor": 0.5, "base_lr": 0.5}),
    ("factor", {"step": 2, "factor": 0.25, "stop_factor_lr": 0.01, "base_lr": 0.5, "warmup_steps": 4}),
    ("multifactor", {"step": [3, 5, 9], "factor": 0.5, "base_lr": 0.25}),
    ("multifactor", {"step": [6, 9], "factor": 0.1, "base_lr": 0.25, "warmup_steps": 5, "warmup_begin_lr": 0.125,
                     "warmup_mode": "constant"}),
    ("poly", {"max_update": 10}),
    ("poly", {"max_update": 12, "base_lr": 0.5, "pwr": 3, "final_lr": 0.125, "warmup_steps": 4}),
    ("cosine", {"max_update": 10, "base_lr": 0.5}),
    ("cosine", {"max_update": 12, "base_lr": 0.5, "final_lr": 0.125, "warmup_steps": 3, "warmup_begin_lr": 0.25}),
]

CLASSES = {
    "factor": mx.lr_scheduler.FactorScheduler,
    "multifactor": mx.lr_scheduler.MultiFactorScheduler,
    "poly": mx.lr_scheduler.PolyScheduler,
    "cosine": mx.lr_scheduler.CosineScheduler,
}


class AdamW(mx.optimizer.Optimizer):
    """MXNet 1.9.1 has the operator but no class; this is the paper's use of it."""

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, correct_bias=True, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon, self.correct_bias = beta1, beta2, epsilon, correct_bias

    def create_state(self, index, weight):
        return mx.nd.zeros(weight.shape), mx.nd.zeros(weight.shape)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        t = self._index_update_count[index]
        correction = math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t) if self.correct_bias else 1.0
        mx.nd.contrib.adamw_update(
            weight, grad.copy(), state[0], state[1], mx.nd.array([self.rescale_grad]), out=weight, lr=correction,
            eta=self._get_lr(index), beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon,
            wd=self._get_wd(index), clip_gradient=self.clip_gradient or -1)


mx.optimizer.Optimizer.register(AdamW)


class Nag(mx.optimizer.NAG):
    """MXNet's operator in place takes the momentum's decay from the weight that is already new; this is what it
    computes, and documents, when the result goes elsewhere. Without decay both are the same."""

    def update(self, index, weight, grad, state):
        self._update_count(index)
        weight[:] = mx.nd.nag_mom_update(
            weight, grad, state, lr=self._get_lr(index), wd=self._get_wd(index), momentum=self.momentum,
            rescale_grad=self.rescale_grad, clip_gradient=self.clip_gradient or -1)

    update_multi_precision = update


def numbers(shape, seed):
    """Multiples of 1/16 from -2 to 2, none of them zero."""
    n = int(np.prod(shape))
    values = [(((i * 37 + seed * 101) % 64) - 32) / 16 for i in range(n)]
    return np.array([v or 0.5 for v in values], dtype="float32").reshape(shape)


def trajectory(name, attrs, scheduler=None):
    kwargs = dict(attrs)
    if scheduler:
        kwargs["lr_scheduler"] = CLASSES[scheduler[0]](**scheduler[1])
    if name == "nag" and "wd" in attrs:
        optimizer = Nag(param_idx2name=NAMES, **kwargs)
    else:
        optimizer = mx.optimizer.create(name, param_idx2name=NAMES, **kwargs)
    optimizer.set_lr_mult({"fc_bias": 0.5})
    updater = mx.optimizer.get_updater(optimizer)
    updater.aggregate_updates = False
    weights = {i: mx.nd.array(numbers(s, i)) for i, s in SHAPES.items()}
    out = []
    for t in range(STEPS):
        for i, s in SHAPES.items():
            updater(i, mx.nd.array(numbers(s, 10 + 2 * t + i)), weights[i])
        out.append([weights[i].asnumpy().astype(float).ravel().tolist() for i in SHAPES])
    return out


def main():
    cases = [{"optimizer": n, "attrs": a, "weights": trajectory(n, a)} for n, a in CASES]
    for schedule in SCHEDULES[:1] + SCHEDULES[5:6]:
        for name in ("sgd", "adam"):
            weights = trajectory(name, {}, schedule)
            cases.append({"optimizer": name, "attrs": {}, "schedule": list(schedule), "weights": weights})
    schedules = []
    for name, attrs in SCHEDULES:
        scheduler = CLASSES[name](**attrs)
        schedules.append({"schedule": name, "attrs": attrs, "lrs": [scheduler(t) for t in range(1, 16)]})
    inputs = {
        "weights": {i: numbers(s, i).ravel().tolist() for i, s in SHAPES.items()},
        "grads": [{i: numbers(s, 10 + 2 * t + i).ravel().tolist() for i, s in SHAPES.items()} for t in range(STEPS)],
    }
    data = {"names": NAMES, "shapes": SHAPES, **inputs}
    lines = [f'"{k}": {json.dumps(v)}' for k, v in data.items()]
    for key, items in (("cases", cases), ("schedules", schedules)):
        lines.append(f'"{key}": [\n' + ",\n".join(" " + json.dumps(c) for c in items) + "\n]")
    pathlib.Path(sys.argv[1]).write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
