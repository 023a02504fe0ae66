"""Eager mxr beside eager PyTorch, MXNet and NumPy: a small sum, training an MLP and LeNet, peak memory, importing.

Each side runs in processes of its own with one thread and with all, in turn, and counts with its best.
"""

import json
import os
import resource
import subprocess
import sys
import time

if "--quick" in sys.argv:
    os.environ["MXR_BENCH_QUICK"] = "1"
QUICK = os.environ.get("MXR_BENCH_QUICK") == "1"
BATCH = 64
STEPS = 10 if QUICK else 60
CALLS = 20_000 if QUICK else 100_000


def best_of(rounds, run):
    """The least time of several rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def repeated(call, n):
    """A function that calls `call` n times."""

    def run():
        for _ in range(n):
            call()

    return run


def by_mx(name):
    """Milliseconds of each case for mxr or MXNet, which are written alike."""
    import importlib

    import numpy as np

    mx = importlib.import_module(name)
    autograd, nd = mx.autograd, mx.nd

    a, b = nd.array([1.0, 2, 3, 4]), nd.array([5.0, 6, 7, 8])
    calls = CALLS if name == "mxr" else CALLS // 10

    def added():
        for _ in range(calls):
            a + b
        nd.waitall()

    out = {"a + b, 4 elements": best_of(5, added) / calls * 1e3}
    a.attach_grad()
    with autograd.record():
        out["a + b, 4 elements, recorded"] = best_of(5, added) / calls * 1e3

    def trainer(shapes, forward, image):
        rng = np.random.default_rng(0)
        params = {n: nd.array(rng.normal(0, 0.05, s).astype("float32")) for n, s in shapes.items()}
        for p in params.values():
            p.attach_grad()
        x = nd.array(rng.random((BATCH, *image)).astype("float32"))
        y = nd.array(rng.integers(0, 10, BATCH).astype("float32"))

        def step():
            with autograd.record():
                loss = nd.SoftmaxOutput(forward(params, x), y)
            loss.backward()
            for p in params.values():
                nd.sgd_update(p, p.grad, lr=0.01, rescale_grad=1 / BATCH, out=p)

        def run():
            for _ in range(STEPS):
                step()
            nd.waitall()

        run()
        return best_of(3, run) / STEPS * 1e3

    def mlp(p, x):
        h = nd.relu(nd.FullyConnected(x, p["w1"], p["b1"], num_hidden=256))
        return nd.FullyConnected(h, p["w2"], p["b2"], num_hidden=10)

    def lenet(p, x):
        h = nd.relu(nd.Convolution(x, p["c1"], p["d1"], kernel=(5, 5), num_filter=20))
        h = nd.Pooling(h, kernel=(2, 2), stride=(2, 2), pool_type="max")
        h = nd.relu(nd.Convolution(h, p["c2"], p["d2"], kernel=(5, 5), num_filter=50))
        h = nd.Pooling(h, kernel=(2, 2), stride=(2, 2), pool_type="max")
        h = nd.relu(nd.FullyConnected(h, p["w1"], p["b1"], num_hidden=500))
        return nd.FullyConnected(h, p["w2"], p["b2"], num_hidden=10)

    shapes = {"w1": (256, 784), "b1": (256,), "w2": (10, 256), "b2": (10,)}
    out["MLP 784-256-10, training step, batch 64"] = trainer(shapes, mlp, (784,))
    shapes = {"c1": (20, 1, 5, 5), "d1": (20,), "c2": (50, 20, 5, 5), "d2": (50,)}
    shapes |= {"w1": (500, 800), "b1": (500,), "w2": (10, 500), "b2": (10,)}
    out["LeNet, training step, batch 64"] = trainer(shapes, lenet, (1, 28, 28))
    return out


def by_numpy():
    """Milliseconds of the small sum for NumPy."""
    import numpy as np

    a, b = np.array([1, 2, 3, 4], "float32"), np.array([5, 6, 7, 8], "float32")
    return {"a + b, 4 elements": best_of(5, repeated(lambda: a + b, CALLS)) / CALLS * 1e3}


def by_torch(threads):
    """Milliseconds of each case for PyTorch."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    a, b = torch.tensor([1.0, 2, 3, 4]), torch.tensor([5.0, 6, 7, 8])
    out = {"a + b, 4 elements": best_of(5, repeated(lambda: a + b, CALLS)) / CALLS * 1e3}
    a.requires_grad_()
    out["a + b, 4 elements, recorded"] = best_of(5, repeated(lambda: a + b, CALLS)) / CALLS * 1e3

    def trainer(net, image):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        loss_of = nn.CrossEntropyLoss()
        x, y = torch.rand(BATCH, *image), torch.randint(0, 10, (BATCH,))

        def step():
            optimizer.zero_grad()
            loss_of(net(x), y).backward()
            optimizer.step()

        run = repeated(step, STEPS)
        run()
        return best_of(3, run) / STEPS * 1e3

    mlp = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    out["MLP 784-256-10, training step, batch 64"] = trainer(mlp, (784,))
    lenet = nn.Sequential(
        *(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)),
    )
    out["LeNet, training step, batch 64"] = trainer(lenet, (1, 28, 28))
    return out


def interpreter(side):
    """The Python of a side; MXNet, which needs an old NumPy, has its own, or none."""
    return os.environ.get("MXR_BENCH_MXNET_PYTHON") if side == "mxnet" else sys.executable


def run_side(side, threads, what="times"):
    """What one side measures in a process of its own."""
    env = {**os.environ, "MXR_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [interpreter(side), __file__, side, str(threads), what]
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def measure(side, threads, what):
    """What this process measures: the times of all cases, or the peak memory of training LeNet, in MB."""
    times = by_torch(threads) if side == "torch" else by_numpy() if side == "numpy" else by_mx(side)
    if what == "times":
        return times
    return {"LeNet, peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def import_time(side):
    """Milliseconds that an import takes in a fresh process, beyond Python's own start."""
    timed = f"import time; t = time.perf_counter(); import {side}; print(time.perf_counter() - t)"
    command = [interpreter(side), "-c", timed]
    runs = [subprocess.run(command, check=True, stdout=subprocess.PIPE) for _ in range(3)]
    return min(float(r.stdout) for r in runs) * 1e3


def report(name, mxr, peer, peer_name, threads):
    """One line of the table."""
    line = {"name": name, "mxr": mxr, "peer": peer, "peer_name": peer_name, "ratio": peer / mxr, "threads": threads}
    print(json.dumps(line), flush=True)


PEERS = {"torch": "PyTorch", "mxnet": "MXNet 1.9.1", "numpy": "NumPy"}


def main():
    counts = sorted({1, os.cpu_count() or 1})
    peers = [side for side in PEERS if interpreter(side)]
    best = {side: {} for side in ["mxr", *peers]}
    for _ in range(1 if QUICK else 3):
        for threads in counts:
            for side, times in best.items():
                for name, t in run_side(side, threads).items():
                    times[name] = min(times.get(name, (float("inf"), 0)), (t, threads))
    for side in ["mxr", *(p for p in peers if p != "numpy")]:
        memory = run_side(side, counts[-1], "memory")
        best[side].update({name: (value, counts[-1]) for name, value in memory.items()})
        best[side]["import"] = (import_time(side), "-")
    for side in peers:
        for name, (peer, peer_threads) in best[side].items():
            mxr, threads = best["mxr"][name]
            report(name, mxr, peer, PEERS[side], f"{threads}/{peer_threads}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
    else:
        main()
