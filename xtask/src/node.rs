//! The stage of the Node binding: the npm package, installed without a network in a fresh folder, under node:test; then
//! programs outside in TypeScript, as ES module and as CommonJS, which are checked, compiled and run.

use std::fs;
use std::path::Path;

use crate::count::Count;
use crate::dist::Profile;
use crate::error::{Context, Result};
use crate::fetch::retried_download;
use crate::stage::Job;
use crate::{dist_node, paths};

const TESTS: &str = "bindings/node/tests";
/// The operators' cases.
const CONFORMANCE: &str = "conformance.test.js";

/// Runs everything; with an operator, its cases alone.
pub fn test(job: &Job) -> Result<Count> {
    let package = dist_node::build(Profile::Test)?;
    let place = paths::target().join("node-tests");
    let _ = fs::remove_dir_all(&place);
    job.must(dist_node::install(&mut job.command("npm"), &package, &place)?)?;
    let mut sum = suite(job, &place)?;
    if job.operator.is_none() {
        sum += Count::or_failed(outside(job, &place));
    }
    Ok(sum)
}

/// The test files, copied beside the installed package: in the package's folder Node would take its sources.
fn suite(job: &Job, place: &Path) -> Result<Count> {
    let folder = place.join("tests");
    paths::copy_folder(&paths::root().join(TESTS), &folder)?;
    let mut node = job.command("node");
    node.args(["--test", "--test-reporter=tap"]);
    match &job.operator {
        Some(name) => {
            node.arg(folder.join(CONFORMANCE)).env("MXR_OPERATOR", name);
        }
        None => {
            let mut files: Vec<_> = fs::read_dir(&folder)
                .context(|| format!("reading {}", folder.display()))?
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.to_string_lossy().ends_with(".test.js"))
                .collect();
            files.sort();
            node.args(files);
        }
    }
    node.env("MXR_SOURCE", paths::root()).env("NODE_PATH", place.join("node_modules")).env("MXR_CHECK", "1");
    let done = job.watch(&mut node)?;
    Ok(Count::from_tap(&done.text).settled(done.success))
}

/// Programs over the installed package: their types hold, and they run.
fn outside(job: &Job, place: &Path) -> Result<Count> {
    // Node finds the package in the folder above.
    let programs = place.join("types");
    paths::copy_folder(&paths::root().join(TESTS).join("types"), &programs)?;
    retried_download(|| {
        let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
        job.must(job.command("npm").current_dir(&programs).args(ci))
    })?;
    let compiler = Path::new("node_modules/typescript/bin/tsc");
    let typed = job.watch(job.command("node").current_dir(&programs).arg(compiler))?;
    let mut sum = Count::one(typed.success);
    for program in ["out/uses.mjs", "out/uses.cjs"] {
        let ran = job.watch(job.command("node").current_dir(&programs).arg(program))?;
        sum += Count::one(ran.success && ran.text.lines().last() == Some("typed"));
    }
    Ok(sum)
}
