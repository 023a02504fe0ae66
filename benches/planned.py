"""Planned mxr beside eager mxr and MXNet's symbolic executor: time, and memory at its peak.

Each measurement is a process of its own, at its best of one and all threads. Memory is what arrays take at most
(mxr's pool), and for MXNet the peak of the process less what it had after its arrays were made.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import time

from _nets import NETS

if "--quick" in sys.argv:
    os.environ["MXR_BENCH_QUICK"] = "1"
QUICK = os.environ.get("MXR_BENCH_QUICK") == "1"
ROUNDS = 3 if QUICK else 7


def symbol(mx, name):
    """The network as a symbol."""
    net, shapes = NETS[name]
    names = {n: mx.sym.Variable(n) for n in shapes}

    def get(n):
        return names.setdefault(n, mx.sym.Variable(n))

    return net(mx.sym, get, names["data"], names["label"]), shapes


def values(mx, sym, shapes):
    """Arrays for all variables of a symbol, the same every time."""
    import numpy as np

    rng = np.random.default_rng(0)
    arguments, _, states = sym.infer_shape(**shapes)
    out = {}
    for name, shape in zip(sym.list_arguments(), arguments):
        numbers = rng.integers(0, 10, shape) if name == "label" else rng.normal(0, 0.05, shape)
        out[name] = mx.nd.array(numbers.astype("float32"))
    for name, shape in zip(sym.list_auxiliary_states(), states):
        out[name] = mx.nd.ones(shape) if name.endswith("var") else mx.nd.zeros(shape)
    return out


def planned(mx, name, training, passes=None):
    """A function that runs the network once through its executor, with some passes turned off."""
    sym, shapes = symbol(mx, name)
    arrays = values(mx, sym, shapes)
    wanted = {n: "write" if training and n not in shapes else "null" for n in sym.list_arguments()}
    extra = {"passes": passes} if passes else {}
    executor = sym.simple_bind(mx.cpu(), grad_req=wanted, **extra, **shapes)
    for n, a in {**executor.arg_dict, **executor.aux_dict}.items():
        a[:] = arrays[n]
    arrays.clear()

    def run():
        executor.forward(is_train=training)
        if training:
            executor.backward()
        mx.nd.waitall()

    return run


def eager(mx, name, training):
    """A function that runs the network once, operator by operator."""
    sym, shapes = symbol(mx, name)
    arrays = values(mx, sym, shapes)
    if training:
        states = set(sym.list_auxiliary_states())
        for n, a in arrays.items():
            if n not in shapes and n not in states:
                a.attach_grad()
    net = NETS[name][0]

    def run():
        if not training:
            net(mx.nd, arrays.__getitem__, arrays["data"], arrays["label"])
        else:
            with mx.autograd.record():
                loss = net(mx.nd, arrays.__getitem__, arrays["data"], arrays["label"])
            loss.backward()
        mx.nd.waitall()

    return run


def measure(side, name, training):
    """Milliseconds and megabytes of one side; `no fuse` is planned without fusion."""
    mx = importlib.import_module("mxnet" if side == "mxnet" else "mxr")
    if side == "eager":
        run = eager(mx, name, training)
    else:
        run = planned(mx, name, training, {side[3:]: False} if side.startswith("no ") else None)
    mx.nd.waitall()
    if side == "mxnet":
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        run()
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    else:
        mx.cpu().empty_cache()
        held = mx.runtime.memory_stats()["in_use"]
        run()
        memory = (mx.runtime.memory_stats()["peak"] - held) / 2**20
    run()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return {"ms": min(times) * 1e3, "mb": memory, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def run_side(side, name, training):
    """The best of one and all threads of one side."""
    python = os.environ.get("MXR_BENCH_MXNET_PYTHON") if side == "mxnet" else sys.executable
    best = None
    for threads in sorted({1, os.cpu_count() or 1}):
        env = {**os.environ, "MXR_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        command = [python, __file__, side, name, "train" if training else "predict"]
        done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE)
        now = json.loads(done.stdout.splitlines()[-1])
        if best is None or now["ms"] < best["ms"]:
            best = {**now, "threads": threads}
    return best


def report(what, peer_name, mxr, peer, key):
    """One line of the table."""
    threads = f"{mxr['threads']}/{peer['threads']}"
    line = {"name": what, "mxr": mxr[key], "peer": peer[key], "peer_name": peer_name, "threads": threads}
    print(json.dumps(line), flush=True)


def main():
    peers = {"eager": "eager mxr", "mxnet": "MXNet 1.9.1"}
    if not os.environ.get("MXR_BENCH_MXNET_PYTHON"):
        del peers["mxnet"]
    for name in NETS:
        for training in (False, True):
            what = f"{name}, {'training step' if training else 'prediction'}"
            mxr = run_side("planned", name, training)
            for side, peer_name in peers.items():
                peer = run_side(side, name, training)
                report(what, peer_name, mxr, peer, "ms")
                report(f"{what}, activations, MB", peer_name, mxr, peer, "mb")
                if side == "mxnet":
                    report(f"{what}, peak of the process, MB", peer_name, mxr, peer, "rss")
            for name_of_pass in () if QUICK else ("fuse", "simplify", "fold", "algorithms", "share", "repeat"):
                peer = run_side(f"no {name_of_pass}", name, training)
                report(what, f"without '{name_of_pass}'", mxr, peer, "ms")
                report(f"{what}, activations, MB", f"without '{name_of_pass}'", mxr, peer, "mb")


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    if arguments:
        print(json.dumps(measure(arguments[0], arguments[1], arguments[2] == "train")))
    else:
        main()
