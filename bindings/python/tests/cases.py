"""The conformance cases that all languages share, and how results are compared with them."""

import json
from pathlib import Path

import numpy as np

from mxr import _dtype
from mxr.ndarray._gen import contrib, image, internal, linalg, op, random, sparse

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests/conformance/cases"
QUIRKS = json.loads((Path(__file__).parent / "quirks.json").read_text())

FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("int64", "int32", "int8", "uint8")
PRECISION = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}
#: The gradient that every runner feeds to an output, over and over.
HEAD = (0.5, -1.0, 1.5, 0.25, -0.75)

_PREFIXES = {"_contrib_": contrib, "_linalg_": linalg, "_sparse_": sparse, "_image_": image}
_SCHEMA = json.loads((ROOT / "schema/ops.json").read_text())["operators"]
#: Every operator that has a function, by name.
OPERATORS = {o["name"]: o for o in _SCHEMA if not o.get("internal")}


def function(name):
    """The public function of an operator, found as MXNet's users find it."""
    for prefix, module in _PREFIXES.items():
        if name.startswith(prefix):
            return getattr(module, name[len(prefix) :])
    if name.startswith("_random_") and name.endswith("_like"):
        return getattr(random, name[len("_random_") :])
    return getattr(internal if name.startswith("_") else op, name)


def file(name):
    """The cases of an operator."""
    return json.loads((CASES / f"{name}.json").read_text())["cases"]


def dtypes(operator, case):
    """The dtypes that a case is run in."""
    run = case["run"]
    if run == "as given":
        inputs = [i["dtype"] for i in case["inputs"][:1]]
        return [case["attrs"].get("dtype") or (inputs + ["float32"])[0] or "float32"]
    allowed = {"float": FLOATS, "int": INTEGERS, "bool": ("bool",)}[run]
    return [d for d in operator["dtypes"] if d in allowed]


def name_of(array):
    """The name of an array's dtype."""
    return _dtype.name_of(array._dtype_code)


def wide(array):
    """An array's elements as doubles, from bfloat16 too."""
    raw = array.asnumpy()
    if name_of(array) == "bfloat16" and raw.dtype == np.uint16:
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float64)


def compare(expected, got, precision, factor):
    """Says how an array differs from what is expected, or nothing."""
    shape = tuple(expected["shape"])
    if got.shape != shape:
        return f"expected shape {shape}, got {got.shape}"
    name = name_of(got)
    with np.errstate(all="ignore"):
        want = np.array([float(v) for v in expected["data"]], np.float64).reshape(shape)
        if name in INTEGERS:
            # Integers wrap as they do in memory.
            want = want.astype(np.int64).astype(name).astype(np.float64)
        have = wide(got)
        epsilon = precision if name == "float64" else PRECISION.get(name, 0.0)
        scale = np.abs(want[np.isfinite(want)]).max(initial=0.0)
        close = np.abs(have - want) <= factor * epsilon * (np.abs(want) + 0.2 * scale + 1e-3)
    wrong = ~(close | (have == want) | (np.isnan(have) & np.isnan(want)))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        return f"element {at}: expected {want[at]}, got {have[at]}"
    return None
