"""What one call of a small operator costs through the C ABI and from C++, against the libmxr of the installed wheel."""

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
LANGUAGES = {
    "C ABI": (os.environ.get("CC", "cc"), [], "call_cost.c"),
    "C++": (os.environ.get("CXX", "c++"), ["-std=c++17"], "call_cost.cpp"),
}
KEYS = {"ns": "a + b", "recorded_ns": "a + b, recorded", "empty_array_ns": "an empty array"}

with tempfile.TemporaryDirectory() as folder:
    # The library knows itself by its SONAME, under which the programs look for it.
    pathlib.Path(folder, "libmxr.so.0").symlink_to(LIBRARY)
    for language, (compiler, flags, source) in LANGUAGES.items():
        program = pathlib.Path(folder, pathlib.Path(source).suffix[1:])
        command = [compiler, *flags, "-O2", f"-I{HERE.parent / 'include'}", HERE / source, "-o", program]
        subprocess.run([*command, LIBRARY, f"-Wl,-rpath,{folder}"], check=True)
        cost = json.loads(subprocess.run([program, CALLS], check=True, stdout=subprocess.PIPE).stdout)
        for key, what in KEYS.items():
            if key in cost:
                name = f"{what}, 4 elements, {language}"
                print(json.dumps({"name": name, "mxr": cost[key] / 1e6, "threads": 1}))
