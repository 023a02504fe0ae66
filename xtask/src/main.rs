//! The project's one entry point: `cargo xtask COMMAND`. `cargo xtask help` lists the commands.

mod abi;
mod bench;
mod call_cost;
mod capi;
mod cases;
mod count;
mod cpp;
mod data;
mod debian;
mod demo;
mod dist;
mod dist_cpp;
mod dist_julia;
mod dist_jvm;
mod dist_node;
mod dist_r;
mod elf;
mod error;
mod fetch;
mod fnv;
#[path = "gen/mod.rs"]
mod generate;
mod help;
mod julia;
mod julia_runtime;
mod jvm;
mod languages;
mod node;
mod nulls;
mod oracle;
mod paths;
mod pin;
mod polyglot;
mod process;
mod promises;
mod r;
mod release;
mod stage;
mod stages;
mod tidy;
mod venv;

use std::process::ExitCode;

use error::Result;

/// A command: its name, what `help` says of it, and what it does.
struct Command {
    name: &'static str,
    usage: &'static str,
    /// One line for the list.
    about: &'static str,
    /// What `help NAME` adds.
    details: &'static str,
    run: fn(&[String]) -> Result,
}

/// Every command, in the order of the list that `help` prints.
const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        usage: "help [COMMAND]",
        about: "explains the commands, or one of them",
        details: "",
        run: help::command,
    },
    Command {
        name: "demo",
        usage: "demo [ARGUMENT…]",
        about: "trains LeNet on MNIST from Python, draws how it went, and trains once in every language",
        details: "Builds the Python package for this machine, installs it in target/venv/demo, fetches MNIST into\n\
                  $MXR_CACHE (default ~/.cache/mxr), runs examples/mnist_lenet/train.py, and leaves its results and\n\
                  the pictures in target/demo. Arguments are handed to train.py. Then runs the training of\n\
                  examples/polyglot in every language, installing runtimes that are missing, and prints a table of\n\
                  checksums: the files and the predictions from them are equal to the bit.",
        run: demo::command,
    },
    Command {
        name: "test",
        usage: "test [--full] [--operator NAME] [STAGE…]",
        about: "runs the tests of every language; what continuous integration runs",
        details: "Runs the stages that have something to do in this tree, or the named ones, past failures, and ends\n\
                  with a table and the line `N passed, N failed`, summed over all languages. A stage that does not\n\
                  build, crashes or reports no test counts as a failure; skipped tests never count as passed. Each\n\
                  stage has a budget in minutes on two cores in xtask/data/budget.json; one that takes three times\n\
                  as long is killed. --full sets MXR_TEST_FULL=1: the whole product of the tests' parameters.\n\
                  --operator runs only the conformance cases of one operator, in every language.",
        run: stage::command,
    },
    Command {
        name: "gen",
        usage: "gen [--check]",
        about: "writes everything that the operators' schema determines",
        details: "With --check writes nothing and fails if a generated file is not what it would write.",
        run: generate::command,
    },
    Command {
        name: "tidy",
        usage: "tidy",
        about: "checks the rules of ARCHITECTURE.md that no compiler checks",
        details: "Which layer may mention which, where unsafe may stand and that it says why, module docs, the length\n\
                  of files, unfinished code, the marker of generated files. Settings: xtask/data/tidy.json.",
        run: tidy::command,
    },
    Command {
        name: "bench",
        usage: "bench [--quick] [--json FILE] [SCRIPT…]",
        about: "measures mxr beside PyTorch and MXNet, and a call in each language beside C",
        details: "Builds the Python package for this machine, sets up both peers under target/venv (several gigabytes\n\
                  the first time), runs benches/*.py or the named ones, and prints a table; a ratio above 1 means\n\
                  that mxr is faster. call_cost is what a small call costs in every language beside raw C; alone it\n\
                  needs no peers, but the runtimes of the languages, and installs what is missing. --quick takes fewer samples; --json also writes the cases to FILE.",
        run: bench::command,
    },
    Command {
        name: "dist",
        usage: "dist LANGUAGE",
        about: "builds what users install",
        details: "cpp: headers and libmxr.so with what CMake and pkg-config read, as an archive in target/dist.\n\
                  julia: the package MXR with libmxr inside, as an archive in target/dist.\n\
                  node: the npm package, with the addon, libmxr.so and types inside, in target/dist.\n\
                  python: the wheel, in target/dist, for every Python from 3.11 on and every Linux with glibc 2.28 or\n\
                  newer, which is verified.\n\
                  jvm: the jar of io.mxr:mxr with the libraries inside, its POM, and a jar for each Scala.\n\
                  r: the package from source, with the Rust sources and their dependencies, and built for the R that\n\
                  is here and the same Linux.",
        run: dist::command,
    },
    Command {
        name: "release",
        usage: "release",
        about: "writes down what this version promises to programs and bindings",
        details: "Writes the C ABI and the registered operators of today's schema to schema/released/VERSION.json, and\n\
                  the header to VERSION.h beside it. From then on the stage `abi` holds every change to them. What is\n\
                  there already may gain, but not lose: the command refuses if today breaks a promise of any release.",
        run: release::command,
    },
    Command {
        name: "oracle",
        usage: "oracle [OPERATOR…]",
        about: "renews the expected values of the conformance cases with MXNet and NumPy",
        details: "Runs tests/conformance/oracle/make_expected.py for the named operators, or all, with MXNet 1.9.1 in\n\
                  target/venv/oracle (needs Python 3.9 to 3.11), or with NumPy alone where that is enough.",
        run: oracle::command,
    },
    Command {
        name: "pin",
        usage: "pin [NAME…]",
        about: "renews the pinned Python packages that these commands install",
        details: "Resolves xtask/requirements/NAME.in (all, if none is named) to the newest versions that it allows\n\
                  and writes them with their checksums to NAME.txt. Environments are remade on their next use.",
        run: pin::command,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = args.split_first().map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    let outcome = match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => match rest {
            [flag] if flag == "--help" || flag == "-h" => help::command(&[name.to_string()]),
            _ => (command.run)(rest),
        },
        None if matches!(name, "--help" | "-h") => help::command(&[]),
        None => Err(error::Error::new(format!("there is no command `{name}`; see cargo xtask help"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
