"""What one call of a small operator costs from Java beside the C ABI, against the libmxr of the jar that
``cargo xtask dist jvm`` makes; each twice in turn, the better one counts."""

import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).parent
DIST = HERE.parent / "target" / "dist"
CALLS = "100000" if "--quick" in sys.argv else "300000"
KEYS = {
    "ns": "a + b",
    "collected_ns": "a + b, given back by the collector",
    "recorded_ns": "a + b, recorded",
}

jars = sorted(DIST.glob("mxr-[0-9]*.jar"))
if not jars:
    sys.exit("call_cost_jvm: there is no jar in target/dist; cargo xtask dist jvm makes it")
with tempfile.TemporaryDirectory() as folder:
    library = pathlib.Path(folder, "libmxr.so.0")
    with zipfile.ZipFile(jars[-1]) as jar:
        library.write_bytes(jar.read(f"io/mxr/native/linux-{platform.machine()}/libmxr.so"))
    program = pathlib.Path(folder, "c")
    compiler = [os.environ.get("CC", "cc"), "-O2", f"-I{HERE.parent / 'include'}", HERE / "call_cost.c"]
    subprocess.run([*compiler, "-o", program, library, f"-Wl,-rpath,{folder}"], check=True)
    subprocess.run(["javac", "-cp", jars[-1], "-d", folder, HERE / "CallCost.java"], check=True)
    java = ["java", "-cp", f"{jars[-1]}:{folder}", "CallCost"]
    best = {}
    for _ in range(2):
        for language, command in {"C ABI": [program], "Java": java}.items():
            cost = json.loads(subprocess.run([*command, CALLS], check=True, stdout=subprocess.PIPE).stdout)
            for key, what in KEYS.items():
                if key in cost:
                    name = f"{what}, 4 elements, {language}"
                    best[name] = min(best.get(name, cost[key]), cost[key])
    for name, ns in best.items():
        print(json.dumps({"name": name, "mxr": ns / 1e6, "threads": 1}))
