"""The process around the engine: threads, forks, signals, the library's file."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import mxr as mx
from mxr import nd


def run(code, timeout=60, **env):
    """Runs a program in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **env},
    )
    return done.returncode, done.stdout.strip(), done.stderr


def busy(steps=200):
    """An array that takes a while to be computed."""
    array = nd.ones((1000, 1000))
    for _ in range(steps):
        array = nd.tanh(array + 1)
    return array


def picked(steps=200):
    """Rows that are chosen by an array that takes a while to be computed."""
    return nd.contrib.boolean_mask(nd.ones((1000, 2)), busy(steps)[0])


def test_threads_compute_at_the_same_time():
    results = {}

    def work(i):
        total = nd.zeros((50, 50))
        for _ in range(200):
            total = total + i
        results[i] = total.asnumpy()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(8):
        np.testing.assert_array_equal(results[i], np.full((50, 50), 200 * i))


def test_threads_differentiate_at_the_same_time():
    failures = []

    def work(i):
        x = nd.array([i])
        x.attach_grad()
        for _ in range(100):
            with mx.autograd.record():
                y = x * x
            y.backward()
            if x.grad.asscalar() != 2 * i:
                failures.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    "wait",
    [
        lambda: busy().wait_to_read,
        # Only running tells how many rows are chosen.
        lambda: picked().__len__,
        lambda: functools.partial(nd.sum, picked()),
        lambda: functools.partial(picked().reshape, (-1,)),
    ],
    ids=["elements", "shape", "operator", "view"],
)
def test_other_threads_run_while_one_waits(wait):
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    wait = wait()
    thread.start()
    before = time.monotonic()
    wait()
    waited = time.monotonic() - before
    stop.set()
    thread.join()
    assert waited > 0.1, "nothing to wait for"
    assert sum(before + 0.05 < t < before + waited - 0.05 for t in ticks) >= (waited - 0.1) / 0.1


def in_child(function):
    """Calls a function in a forked child; its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except BaseException as error:
            print(f"in the child: {error!r}", file=sys.stderr)
            os._exit(1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hung"


def test_a_forked_child_computes_anew():
    array = nd.ones((100, 100))
    array.wait_to_read()

    def child():
        assert (array + 1).asnumpy().sum() == 20_000
        assert busy(3).asnumpy().shape == (1000, 1000)

    assert in_child(child) == 0
    assert (array + 1).asnumpy().sum() == 20_000


def test_a_fork_while_work_runs_leaves_both_sides_able_to_work():
    idle = nd.full((10, 10), 3)
    idle.wait_to_read()
    array = busy()

    def child():
        assert idle.asnumpy().sum() == 300
        assert (idle * 2).asnumpy().sum() == 600

    assert in_child(child) == 0
    assert np.isfinite(array.asnumpy()).all()


def loaded(i):
    """What a worker of a loader of data gives back."""
    return nd.full((4,), i).asnumpy() + (nd.ones(4) * i).asnumpy()


def test_workers_of_multiprocessing_compute():
    import multiprocessing

    array = busy()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map(loaded, range(6))
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, np.full(4, 2 * i))
    array.wait_to_read()


def test_arrays_travel_to_workers_and_back():
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply(nd.square, (nd.array([1, 2, 3]),))
    assert found.asnumpy().tolist() == [1, 4, 9]


def test_ctrl_c_interrupts_a_wait():
    code = """
import mxr as mx, signal
# A process that was started in the background ignores Ctrl-C unless it says otherwise.
signal.signal(signal.SIGINT, signal.default_int_handler)
array = mx.nd.ones((2000, 2000))
try:
    print("ready", flush=True)
    for _ in range(100000):
        array = mx.nd.tanh(array + 1)
        array.wait_to_read() if _ % 20 == 0 else None
except KeyboardInterrupt:
    print("interrupted", flush=True)
mx.nd.waitall()
print((mx.nd.ones(2) + 1).asnumpy().sum(), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "ready"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    try:
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out.split() == ["interrupted", "4.0"]


def test_a_process_ends_with_work_under_way():
    code = """
import mxr as mx
array = mx.nd.ones((1000, 1000))
for _ in range(50):
    array = mx.nd.tanh(array + 1)
keep = array
"""
    status, _, errors = run(code)
    assert status == 0, errors


def test_a_library_that_is_named_is_used():
    file = mx.runtime.library_file()
    code = "import mxr; print(mxr.runtime.library_file())"
    assert run(code, MXR_LIBRARY=file)[:2] == (0, file)


def test_a_named_library_that_is_missing_is_said_so():
    status, _, errors = run("import mxr", MXR_LIBRARY="/nowhere/libmxr.so")
    assert status != 0
    assert "ImportError: MXR_LIBRARY names /nowhere/libmxr.so" in errors


def test_a_library_that_the_process_has_is_used(tmp_path):
    other = tmp_path / "libmxr.so"
    other.write_bytes(open(mx.runtime.library_file(), "rb").read())
    code = f"""
import ctypes
ctypes.CDLL({str(other)!r})
import mxr
print(mxr.runtime.library_file(), mxr.nd.ones(1).asscalar())
"""
    assert run(code)[:2] == (0, f"{other} 1.0")


def test_a_file_that_is_no_libmxr_is_said_so():
    status, _, errors = run("import mxr", MXR_LIBRARY="libc.so.6")
    assert status != 0
    assert "no libmxr" in errors


@pytest.mark.parametrize("engine", ["naive", "threaded"])
def test_either_engine_gives_the_same(engine):
    code = "import mxr; print((mxr.nd.ones((300, 300)) * 3).asnumpy().sum())"
    status, out, errors = run(code, MXR_ENGINE=engine)
    assert (status, out) == (0, "270000.0"), errors


def test_import_is_quick():
    code = "import numpy, time; t = time.perf_counter(); import mxr; print(time.perf_counter() - t)"
    assert float(run(code)[1]) < 1.5
