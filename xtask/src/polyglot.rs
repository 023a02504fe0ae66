//! The end of `cargo xtask demo`: the training of `examples/polyglot` in each language, and each one's predictions from
//! each one's file, as a table of checksums, which must be equal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::julia_runtime::Julia;
use crate::venv::Venv;
use crate::{dist_jvm, dist_node, dist_r, paths, process};

const EXAMPLE: &str = "examples/polyglot";

/// A language: its name, the command to which verb and files are added, and whether it trains too.
struct Language {
    name: &'static str,
    command: Box<dyn Fn() -> Command>,
    trains: bool,
}

/// Trains and predicts in all languages, over one optimised libmxr, and prints the table. `venv` has the Python package.
pub fn run(venv: &Venv) -> Result {
    let out = paths::target().join("demo/polyglot");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).context(|| format!("creating {}", out.display()))?;
    let languages = languages(venv, &out)?;
    let trained: Vec<&Language> = languages.iter().filter(|language| language.trains).collect();
    let model = |language: &Language| out.join(format!("{}.safetensors", language.name));
    for language in &trained {
        quietly((language.command)().arg("train").arg(model(language)))?;
    }
    println!("\none training in {} languages: the file of each, and the predictions from it", trained.len());
    print!("{:<12}{:<18}", "trained in", "file");
    languages.iter().for_each(|language| print!("{:<18}", format!("in {}", language.name)));
    println!();
    let (mut files, mut predictions) = (vec![], vec![]);
    for language in &trained {
        files.push(checksum(&model(language))?);
        print!("{:<12}{:<18}", language.name, files[files.len() - 1]);
        for other in &languages {
            let output = out.join(format!("{}-{}.params", language.name, other.name));
            quietly((other.command)().arg("predict").arg(model(language)).arg(&output))?;
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

/// Builds what each language needs.
fn languages(venv: &Venv, out: &Path) -> Result<Vec<Language>> {
    let library = dist::library(Profile::Local)?;
    let script = |name: &str| paths::root().join(EXAMPLE).join(name);
    let command = |program: PathBuf, args: Vec<PathBuf>, set: Vec<(&'static str, PathBuf)>| {
        Box::new(move || {
            let mut command = Command::new(&program);
            command.args(&args).envs(set.iter().map(|(name, value)| (name, value)));
            command
        }) as Box<dyn Fn() -> Command>
    };
    let r = install_r(out, &library)?;
    let modules = install_node(out)?;
    let jar = dist_jvm::build(Profile::Local)?;
    let julia = Julia::ready()?;
    let lib = library.clone();
    let julia = move || {
        let mut command = julia.program(&paths::root().join("bindings/julia"));
        command.arg(paths::root().join(EXAMPLE).join("polyglot.jl")).env("MXR_LIBRARY", &lib);
        command
    };
    let language = |name, command, trains| Language { name, command, trains };
    Ok(vec![
        language("Python", command(venv.python(), vec![script("polyglot.py")], vec![]), true),
        language("R", command("Rscript".into(), vec![script("polyglot.R")], vec![("R_LIBS", r)]), true),
        language("Julia", Box::new(julia), true),
        language(
            "Java",
            command("java".into(), vec!["-cp".into(), jar, script("Polyglot.java")], vec![]),
            true,
        ),
        language(
            "Node",
            command("node".into(), vec![script("polyglot.js")], vec![("NODE_PATH", modules)]),
            true,
        ),
        language("C++", command(compile_cpp(out, &library)?, vec![], vec![]), false),
    ])
}

/// Installs R's package in a library of its own.
fn install_r(out: &Path, library: &Path) -> Result<PathBuf> {
    dist_r::ensure()?;
    let (package, place) = (out.join("r/mxr"), out.join("r/library"));
    dist_r::assemble(&package)?;
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    let mut install = Command::new("R");
    install.args(["CMD", "INSTALL", "--no-docs"]).arg(format!("--library={}", place.display()));
    quietly(install.arg(&package).env("MXR_LIBRARY", library))?;
    Ok(place)
}

/// Installs the npm package in a folder of its own.
fn install_node(out: &Path) -> Result<PathBuf> {
    let package = dist_node::build(Profile::Local)?;
    let place = out.join("node");
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    fs::write(place.join("package.json"), "{ \"private\": true }\n").context(|| "writing package.json")?;
    let mut npm = Command::new("npm");
    npm.current_dir(&place).args(["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
    quietly(npm.arg(package))?;
    Ok(place.join("node_modules"))
}

/// Compiles the program in C++, which has the library beside it.
fn compile_cpp(out: &Path, library: &Path) -> Result<PathBuf> {
    let place = out.join("cpp");
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    crate::capi::link_soname(library.parent().context(|| "a library without a folder")?, &place)?;
    let program = place.join("polyglot");
    let mut compile = Command::new("c++");
    compile.args(["-std=c++17", "-O1"]).arg(paths::root().join(EXAMPLE).join("polyglot.cpp"));
    compile.arg("-I").arg(paths::root().join("include")).arg(library);
    process::run(compile.arg(format!("-Wl,-rpath,{}", place.display())).arg("-o").arg(&program))?;
    Ok(program)
}

/// Runs to the end; what a program says is shown only if it fails.
fn quietly(command: &mut Command) -> Result {
    let line = process::describe(command);
    let done = command.output().context(|| format!("cannot start `{line}`"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        bail!("`{line}` failed ({}): {said}", done.status);
    }
    Ok(())
}

/// The FNV-1a checksum of a file, with 64 bits.
fn checksum(path: &Path) -> Result<String> {
    let bytes = fs::read(path).context(|| format!("reading {}", path.display()))?;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)))
}
