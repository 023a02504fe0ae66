"""What one call of a small operator costs through the C ABI: call_cost.c against the libmxr of the installed wheel."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import mxr

HERE = pathlib.Path(__file__).parent
LIBRARY = pathlib.Path(mxr.__file__).parent / "lib" / "libmxr.so"
CALLS = "100000" if "--quick" in sys.argv else "300000"

with tempfile.TemporaryDirectory() as folder:
    # The library knows itself by its SONAME, under which the program looks for it.
    pathlib.Path(folder, "libmxr.so.0").symlink_to(LIBRARY)
    program = pathlib.Path(folder, "call_cost")
    compiler = [os.environ.get("CC", "cc"), "-O2", f"-I{HERE.parent / 'include'}", HERE / "call_cost.c", "-o", program]
    subprocess.run([*compiler, LIBRARY, f"-Wl,-rpath,{folder}"], check=True)
    cost = json.loads(subprocess.run([program, CALLS], check=True, stdout=subprocess.PIPE).stdout)

for key, what in {"ns": "a + b", "recorded_ns": "a + b, recorded", "empty_array_ns": "an empty array"}.items():
    print(json.dumps({"name": f"{what}, 4 elements, C ABI", "mxr": cost[key] / 1e6, "threads": 1}))
