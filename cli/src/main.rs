//! The command `mxr`: looks into model files and converts them.
//!
//! It ends with 0, with 1 if what was asked could not be done, and with 2 if it was asked wrongly.

mod convert;
mod inspect;
mod show;
mod source;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
mxr looks into model files and converts them.

  mxr inspect FILE…                   what a file holds
  mxr convert [--force] SOURCE… TARGET
  mxr --help | --version

Formats of files, told by what sources hold and how targets are named:
  NAME.safetensors                    mxr's own: graph and parameters, or arrays
  PREFIX-symbol.json, PREFIX-0000.params
                                      MXNet's checkpoint, both files together
  NAME.params, NAME.nd, NAME.ndarray  MXNet's list of arrays

A checkpoint is given by either file if the other lies beside it, or by both:
  mxr convert net-0003.params net.safetensors
  mxr convert graph.json weights.params net.safetensors
  mxr convert net.safetensors net-0000.params

A file that exists is replaced only with --force.
";

/// Why a command failed.
pub enum Failure {
    /// It was asked wrongly.
    Usage(String),
    /// It could not be done.
    Error(String),
}

impl From<mxr_core::Error> for Failure {
    fn from(e: mxr_core::Error) -> Failure {
        Failure::Error(e.to_string())
    }
}

/// The outcome of a command: the text for the user.
pub type Outcome = Result<String, Failure>;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let outcome =
        run(&args.iter().map(|a| a.to_string_lossy()).collect::<Vec<_>>(), |i| PathBuf::from(&args[i]));
    let (text, code) = match &outcome {
        Ok(text) => return print(text),
        Err(Failure::Usage(text)) => (format!("{text}; see mxr --help"), 2),
        Err(Failure::Error(text)) => (text.clone(), 1),
    };
    eprintln!("mxr: {}", show::safe(&text));
    ExitCode::from(code)
}

/// Writes to standard output; a reader that has seen enough is no failure.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            eprintln!("mxr: standard output: {e}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Runs the command that `args` ask for; `path` gives an argument as a path.
fn run(args: &[impl AsRef<str>], path: impl Fn(usize) -> PathBuf) -> Outcome {
    let Some(command) = args.first().map(AsRef::as_ref) else {
        return Err(Failure::Usage("expected a command: inspect or convert".to_owned()));
    };
    let (mut force, mut only_paths, mut paths) = (false, false, vec![]);
    for (i, arg) in args.iter().map(AsRef::as_ref).enumerate().skip(1) {
        match arg {
            "--" if !only_paths => only_paths = true,
            "--help" | "-h" if !only_paths => return Ok(HELP.to_owned()),
            "--force" | "-f" if !only_paths && command == "convert" => force = true,
            _ if !only_paths && arg.starts_with('-') && arg.len() > 1 => {
                return Err(Failure::Usage(format!("{command} has no option {arg}")));
            }
            _ => paths.push(path(i)),
        }
    }
    match command {
        "--help" | "-h" | "help" => Ok(HELP.to_owned()),
        "--version" | "-V" => Ok(format!("mxr {}\n", env!("CARGO_PKG_VERSION"))),
        "inspect" => inspect::command(&paths),
        "convert" => convert::command(&paths, force),
        other => Err(Failure::Usage(format!("there is no command {other}: expected inspect or convert"))),
    }
}
