//! One program written in every language, over one optimised libmxr: what each language needs is built and installed
//! in a folder, and missing runtimes are installed too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::julia_runtime::Julia;
use crate::venv::Venv;
use crate::{capi, dist_jvm, dist_node, dist_r, paths, process};

/// A program in a language.
pub struct Program {
    /// The language's name.
    pub language: &'static str,
    /// Runs it; arguments are to be added.
    pub command: Box<dyn Fn() -> Command>,
}

/// The programs `stem.py`, `stem.R`, `stem.jl`, `Stem.java`, `stem.js` and `stem.cpp` of a folder. `venv` has the Python
/// package, all else is put in `out`.
pub fn programs(venv: &Venv, folder: &Path, stem: &str, out: &Path) -> Result<Vec<Program>> {
    let library = dist::library(Profile::Local)?;
    let source = |extension: &str| folder.join(format!("{stem}.{extension}"));
    let program = |language, program: PathBuf, args: Vec<PathBuf>, set: Vec<(&'static str, PathBuf)>| {
        let command = move || {
            let mut command = Command::new(&program);
            command.args(&args).envs(set.iter().map(|(name, value)| (name, value)));
            command
        };
        Program { language, command: Box::new(command) }
    };
    let r = install_r(out, &library)?;
    let modules = install_node(out)?;
    let java = folder.join(format!("{}.java", class(stem)));
    let cpp = compile("C++", &source("cpp"), out, &library)?;
    Ok(vec![
        program("Python", venv.python(), vec![source("py")], vec![]),
        program("R", "Rscript".into(), vec![source("R")], vec![("R_LIBS", r)]),
        julia(source("jl"), library)?,
        program("Java", "java".into(), vec!["-cp".into(), dist_jvm::build(Profile::Local)?, java], vec![]),
        program("Node", "node".into(), vec![source("js")], vec![("NODE_PATH", modules)]),
        program("C++", cpp, vec![], vec![]),
    ])
}

fn julia(source: PathBuf, library: PathBuf) -> Result<Program> {
    let julia = Julia::ready()?;
    let command = move || {
        let mut command = julia.program(&paths::root().join("bindings/julia"));
        command.arg("-O2").arg(&source).env("MXR_LIBRARY", &library);
        command
    };
    Ok(Program { language: "Julia", command: Box::new(command) })
}

/// The class of a program: `call_cost` is `CallCost`.
fn class(stem: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    stem.split('_').map(capital).collect()
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
    quietly(dist_node::install(&mut Command::new("npm"), &package, &place)?)?;
    Ok(place.join("node_modules"))
}

/// Compiles a program in C or C++, which has the library beside it.
pub fn compile(language: &str, source: &Path, out: &Path, library: &Path) -> Result<PathBuf> {
    let place = out.join(language);
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    capi::link_soname(library.parent().context(|| "a library without a folder")?, &place)?;
    let program = place.join("program");
    let (compiler, standard) = if language == "C" { ("cc", "-std=gnu11") } else { ("c++", "-std=c++17") };
    let mut compile = Command::new(compiler);
    compile.args([standard, "-O2"]).arg(source).arg("-I").arg(paths::root().join("include")).arg(library);
    process::run(compile.arg(format!("-Wl,-rpath,{}", place.display())).arg("-o").arg(&program))?;
    Ok(program)
}

/// Runs to the end; what a program says is shown only if it fails.
pub fn quietly(command: &mut Command) -> Result {
    let line = process::describe(command);
    let done = command.output().context(|| format!("cannot start `{line}`"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        bail!("`{line}` failed ({}): {said}", done.status);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_program_in_java_has_the_name_of_its_class() {
        assert_eq!(super::class("call_cost"), "CallCost");
        assert_eq!(super::class("polyglot"), "Polyglot");
    }
}
