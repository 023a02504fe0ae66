//! The stages of `cargo xtask test`, in the order in which they run. A new one is a line here, a function, and its
//! minutes in `xtask/data/budget.json`.

use std::fs;

use crate::count::Count;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::stage::{Job, Stage};
use crate::venv::Venv;
use crate::{abi, capi, cpp, generate, julia, jvm, node, paths, r, tidy};

/// Every stage.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "Rust sources are formatted",
        needs: &[],
        run: |job| Ok(Count::one(job.watch(&mut job.cargo(&["fmt", "--all", "--check"]))?.success)),
    },
    Stage {
        name: "clippy",
        about: "clippy finds nothing in the whole workspace",
        needs: &["Cargo.toml"],
        run: |job| {
            let args = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
            Ok(Count::one(job.watch(&mut job.cargo(&args))?.success))
        },
    },
    Stage {
        name: "tidy",
        about: "the layer rules of ARCHITECTURE.md hold",
        needs: &[],
        run: |_| tidy::check(),
    },
    Stage {
        name: "gen-check",
        about: "generated files are what `gen` writes",
        needs: &["schema/ops.json"],
        run: |_| generate::command(&["--check".to_string()]).map(|()| Count::one(true)),
    },
    Stage { name: "rust", about: "cargo test of the whole workspace", needs: &["Cargo.toml"], run: rust },
    Stage { name: "capi", about: "C and C++ programs on libmxr", needs: &["capi/tests"], run: capi::test },
    Stage {
        name: "abi",
        about: "header, library and schema/abi.json agree, and releases' promises hold",
        needs: &["include/mxr.h", "schema/abi.json"],
        run: abi::test,
    },
    Stage {
        name: "cpp",
        about: "C++ by its public headers, and a program outside over the package",
        needs: &["bindings/cpp/tests"],
        run: cpp::test,
    },
    Stage {
        name: "node",
        about: "the npm package, installed in a fresh folder, under node:test and tsc",
        needs: &["bindings/node/package.json", "bindings/node/tests"],
        run: node::test,
    },
    Stage {
        name: "python",
        about: "the wheel, installed in a fresh environment, under pytest",
        needs: &["bindings/python/pyproject.toml", "bindings/python/tests"],
        run: python,
    },
    Stage {
        name: "jvm",
        about: "Java, Scala and Clojure over the jar, and a program outside",
        needs: &["bindings/jvm/pom.xml"],
        run: jvm::test,
    },
    Stage {
        name: "julia",
        about: "every operator from Julia, and the package in a fresh project",
        needs: &["bindings/julia/test"],
        run: julia::test,
    },
    Stage {
        name: "r",
        about: "R's package: the operators' cases, its tests, R CMD check as CRAN does it",
        needs: &["bindings/r/DESCRIPTION"],
        run: r::test,
    },
    Stage {
        name: "loom",
        about: "every interleaving of the engine's variable queue",
        needs: &["core/tests/loom_var.rs"],
        run: loom,
    },
    Stage {
        name: "toy-operator",
        about: "a new operator is one file and one word in the list",
        needs: &["tests/toy_operator/run.sh"],
        run: toy_operator,
    },
    Stage {
        name: "sanitizer",
        about: "the C and C++ programs with AddressSanitizer in libmxr",
        needs: &["capi/tests"],
        run: capi::sanitize,
    },
];

/// Memory that the tests of arrays over 2^32 elements need.
const LARGE: u64 = 16 << 30;

/// All tests on the threaded engine, then every operator's cases on the naive one; arrays over 2^32 elements if
/// everything is to run.
///
/// What the engine does not depend on is tested apart: together, cargo would build the engine's dependencies with the
/// features that all want, and once more for every other stage, which builds the engine alone.
fn rust(job: &Job) -> Result<Count> {
    let engine = [
        "test",
        "--workspace",
        "--exclude=xtask",
        "--exclude=mxr-python",
        "--exclude=mxr-jni",
        "--no-fail-fast",
    ];
    let cases = || {
        let mut test = job.cargo(&engine);
        test.args(["--test", "conformance", "--"]).args(&job.operator);
        test
    };
    let mut tests = match job.operator {
        Some(_) => vec![cases()],
        None => vec![job.cargo(&engine), job.cargo(&["test", "-p", "xtask", "--no-fail-fast"])],
    };
    let mut naive = cases();
    naive.env("MXR_ENGINE", "naive");
    tests.push(naive);
    let mut sum = Count::default();
    for test in &mut tests {
        let done = job.watch(test)?;
        sum += Count::from_cargo(&done.text).settled(done.success);
    }
    if job.full && job.operator.is_none() {
        sum += large(job)?;
    }
    Ok(sum)
}

/// Arrays over 2^32 elements, optimised because they take long; left out where memory is too small for them.
fn large(job: &Job) -> Result<Count> {
    if free_memory()? < LARGE {
        println!("left out: tests of arrays over 2^32 elements, which need {} GiB of memory", LARGE >> 30);
        return Ok(Count { skipped: 1, ..Count::default() });
    }
    // One at a time: each needs most of the memory.
    let args = ["test", "-p", "mxr-core", "--release", "--test", "large", "--", "--test-threads=1"];
    let done = job.watch(&mut job.cargo(&args))?;
    Ok(Count::from_cargo(&done.text).settled(done.success))
}

/// Bytes of memory that can be had without swapping.
fn free_memory() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo").context(|| "reading /proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kilobytes.context(|| "/proc/meminfo does not say what is available")? << 10)
}

fn loom(job: &Job) -> Result<Count> {
    let mut test = job.cargo(&["test", "-p", "mxr-core", "--release", "--test", "loom_var", "--target-dir"]);
    test.arg(paths::target().join("loom")).env("RUSTFLAGS", "--cfg loom");
    let done = job.watch(&mut test)?;
    Ok(Count::from_cargo(&done.text).settled(done.success))
}

fn toy_operator(job: &Job) -> Result<Count> {
    let mut script = job.command("bash");
    let xtask = std::env::current_exe().context(|| "finding this program")?;
    let done = job.watch(script.arg("tests/toy_operator/run.sh").env("MXR_XTASK", xtask))?;
    let count =
        Count::from_plain(&done.text).context(|| "its script did not end with `N passed, N failed`")?;
    Ok(count.settled(done.success))
}

fn python(job: &Job) -> Result<Count> {
    let wheel = dist::python(Profile::Test)?;
    let venv = Venv::ready("test")?;
    venv.install_wheel(&wheel)?;
    let report = paths::target().join("pytest.xml");
    let _ = fs::remove_file(&report);
    let mut pytest = job.command(venv.python());
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "bindings/python/tests"]);
    if let Some(name) = &job.operator {
        pytest.args(["-k", name]);
    }
    pytest.arg("--junitxml");
    let done = job.watch(pytest.arg(&report))?;
    let xml = fs::read_to_string(&report).context(|| "pytest left no report")?;
    Ok(Count::from_junit(&xml).settled(done.success))
}
