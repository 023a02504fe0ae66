//! The end of `cargo xtask demo`: the training of `examples/polyglot` in each language, and each one's predictions from
//! each one's file, as a table of checksums, which must be equal.

use std::fs;
use std::path::Path;

use crate::bail;
use crate::error::{Context, Result};
use crate::fnv;
use crate::languages::{self, Program};
use crate::paths;
use crate::venv::Venv;

const EXAMPLE: &str = "examples/polyglot";

/// Trains and predicts in all languages, over one optimised libmxr, and prints the table. `venv` has the Python package.
pub fn run(venv: &Venv) -> Result {
    let out = paths::target().join("demo/polyglot");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).context(|| format!("creating {}", out.display()))?;
    let programs = languages::programs(venv, &paths::root().join(EXAMPLE), "polyglot", &out)?;
    // C++ predicts only.
    let trained: Vec<&Program> = programs.iter().filter(|program| program.language != "C++").collect();
    let model = |program: &Program| out.join(format!("{}.safetensors", program.language));
    for program in &trained {
        languages::quietly((program.command)().arg("train").arg(model(program)))?;
    }
    println!("\none training in {} languages: the file of each, and the predictions from it", trained.len());
    print!("{:<12}{:<18}", "trained in", "file");
    programs.iter().for_each(|program| print!("{:<18}", format!("in {}", program.language)));
    println!();
    let (mut files, mut predictions) = (vec![], vec![]);
    for program in &trained {
        files.push(checksum(&model(program))?);
        print!("{:<12}{:<18}", program.language, files[files.len() - 1]);
        for other in &programs {
            let output = out.join(format!("{}-{}.params", program.language, other.language));
            languages::quietly((other.command)().arg("predict").arg(model(program)).arg(&output))?;
            predictions.push(checksum(&output)?);
            print!("{:<18}", predictions[predictions.len() - 1]);
        }
        println!();
    }
    let expected = fs::read_to_string(paths::root().join(EXAMPLE).join("checksum"));
    let expected = expected.context(|| "reading the expected checksum")?;
    if files.iter().any(|file| file != expected.trim()) {
        bail!("demo: the languages' files are not all {}, that of the test in Rust", expected.trim());
    }
    if predictions.windows(2).any(|pair| pair[0] != pair[1]) {
        bail!("demo: the languages do not predict the same");
    }
    println!("all equal, to the bit");
    Ok(())
}

/// The FNV-1a checksum of a file, with 64 bits.
fn checksum(path: &Path) -> Result<String> {
    let bytes = fs::read(path).context(|| format!("reading {}", path.display()))?;
    Ok(fnv::checksum(bytes))
}
