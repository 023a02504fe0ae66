"""What a call of a small operator costs from Python: a + b on 4 elements, as call_cost.c does it from C."""

import json
import sys
import time

import mxr as mx

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000


def each(call):
    """The least nanoseconds that a call takes in a few rounds."""
    best = float("inf")
    for _ in range(9):
        start = time.perf_counter_ns()
        for _ in range(CALLS // 9):
            call()
        best = min(best, (time.perf_counter_ns() - start) / (CALLS // 9))
    return best


a, b, variable = (mx.nd.array([1, 2, 3, 4]) for _ in range(3))
variable.attach_grad()
cost = {"ns": each(lambda: a + b), "function_ns": each(lambda: mx.nd.broadcast_add(a, b))}
with mx.autograd.record():
    cost["recorded_ns"] = each(lambda: variable + b)
print(json.dumps({"name": "a + b, 4 elements, Python", **cost}))
