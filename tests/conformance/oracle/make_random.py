"""Moments and distributions of MXNet 1.9.1's random operators, from large samples.

    make_random.py ../random.json

For each call: mean, variance and fourth central moment, and at some points the share of numbers not above them.
"""

import json
import pathlib
import sys

import mxnet as mx
import numpy as np

N = 400_000

CALLS = [
    ("_random_uniform", {}),
    ("_random_uniform", {"low": -2.0, "high": 3.0}),
    ("_random_normal", {}),
    ("_random_normal", {"loc": 1.5, "scale": 2.5}),
    ("_random_gamma", {}),
    ("_random_gamma", {"alpha": 0.5, "beta": 2.0}),
    ("_random_gamma", {"alpha": 9.0, "beta": 0.5}),
    ("_random_exponential", {"lam": 4.0}),
    ("_random_poisson", {}),
    ("_random_poisson", {"lam": 25.0}),
    ("_random_negative_binomial", {"k": 3, "p": 0.25}),
    ("_random_generalized_negative_binomial", {"mu": 4.0, "alpha": 0.5}),
    ("_random_randint", {"low": -3, "high": 8}),
]

SAMPLES = [
    ("_sample_uniform", [[0.0, -4.0], [1.0, 4.0]]),
    ("_sample_normal", [[0.0, 3.0], [1.0, 0.5]]),
    ("_sample_gamma", [[0.5, 4.0], [2.0, 1.5]]),
    ("_sample_exponential", [[0.5, 8.0]]),
    ("_sample_poisson", [[2.0, 50.0]]),
    ("_sample_negative_binomial", [[2.0, 8.0], [0.5, 0.75]]),
    ("_sample_generalized_negative_binomial", [[2.0, 8.0], [0.25, 1.0]]),
    ("_sample_multinomial", [[[0.125, 0.5, 0.375], [0.25, 0.0, 0.75]]]),
]


def described(x):
    x = x.astype(np.float64)
    central = x - x.mean()
    at = np.unique(np.quantile(x, [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]))
    return {
        "mean": x.mean(), "variance": np.mean(central**2), "fourth": np.mean(central**4),
        "at": at.tolist(), "share": [float(np.mean(x <= p)) for p in at],
    }


def main():
    mx.random.seed(1)
    calls = []
    for name, attrs in CALLS:
        x = getattr(mx.nd._internal, name)(shape=(N,), **attrs).asnumpy()
        calls.append({"operator": name, "attrs": attrs, "rows": [described(x)]})
    for name, inputs in SAMPLES:
        arrays = [mx.nd.array(i) for i in inputs]
        x = getattr(mx.nd._internal, name)(*arrays, shape=(N,)).asnumpy()
        calls.append({"operator": name, "inputs": inputs, "rows": [described(row) for row in x]})
    lines = ",\n".join(" " + json.dumps(c) for c in calls)
    pathlib.Path(sys.argv[1]).write_text(f'{{"drawn": {N},\n"calls": [\n{lines}\n]}}\n')


main()
