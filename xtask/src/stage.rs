//! `cargo xtask test`: runs the stages one after another, past failures, and counts every test of every language.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bail;
use crate::count::Count;
use crate::error::{Context, Result};
use crate::stages::STAGES;
use crate::{paths, process};

/// A stage that takes this many times its budget hangs, and is killed.
const PATIENCE: f64 = 3.0;
/// `--full` runs the whole product of the tests' parameters, and has this many times as long.
const FULL: f64 = 10.0;

/// One part of the tests, as listed in [`STAGES`].
pub struct Stage {
    /// Its name on the command line and in `xtask/data/budget.json`.
    pub name: &'static str,
    /// What it checks, for `cargo xtask help test`.
    pub about: &'static str,
    /// Paths of the repository without which the stage has nothing to do and is left out.
    pub needs: &'static [&'static str],
    /// Runs it.
    pub run: fn(&Job) -> Result<Count>,
}

/// What a running stage is given.
pub struct Job {
    deadline: Instant,
    /// The whole product of the tests' parameters is to be run.
    pub full: bool,
    /// Only this operator's conformance cases are to be run.
    pub operator: Option<String>,
}

impl Job {
    /// A command in the root of the repository, with the environment that tests see.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(paths::root());
        if self.full {
            command.env("MXR_TEST_FULL", "1");
        }
        command
    }

    /// [`Job::command`] for cargo.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(process::cargo().get_program());
        command.args(args);
        command
    }

    /// Runs a command, shown and kept, until the stage's deadline.
    pub fn watch(&self, command: &mut Command) -> Result<process::Finished> {
        println!("$ {}", process::describe(command));
        process::watch(command, self.deadline)
    }

    /// [`Job::watch`] for a step without which the stage cannot go on.
    pub fn must(&self, command: &mut Command) -> Result {
        if !self.watch(command)?.success {
            bail!("`{}` failed", process::describe(command));
        }
        Ok(())
    }
}

/// The outcome of one stage.
struct Report {
    name: &'static str,
    count: Count,
    minutes: f64,
    budget: f64,
}

/// The stages that know conformance cases.
const CONFORMANCE: [&str; 8] = ["rust", "capi", "cpp", "julia", "jvm", "node", "python", "r"];

/// `test [--full] [--operator NAME] [stage…]`.
pub fn command(args: &[String]) -> Result {
    let (mut full, mut operator) = (false, None);
    let mut names = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--full" => full = true,
            "--operator" => operator = Some(args.next().context(|| "test: --operator needs a name")?.clone()),
            flag if flag.starts_with('-') => bail!("test: unknown option {flag}"),
            name => names.push(name),
        }
    }
    let mut stages = select(&names, |path| paths::root().join(path).exists())?;
    if operator.is_some() {
        stages.retain(|stage| CONFORMANCE.contains(&stage.name));
    }
    let budget = budgets()?;
    let mut reports = Vec::new();
    for stage in stages {
        reports.push(run(stage, budget(stage.name)?, full, operator.clone()));
    }
    let failed = reports.iter().any(|report| report.count.failed > 0);
    print!("{}", table(&reports));
    // The last line is the table's; the status says the rest.
    std::process::exit(failed.into());
}

/// The named stages, or all that have something to do, in the list's order.
fn select(names: &[&str], exists: impl Fn(&str) -> bool) -> Result<Vec<&'static Stage>> {
    for name in names {
        let Some(stage) = STAGES.iter().find(|stage| stage.name == *name) else {
            let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
            bail!("test: no stage `{name}`; there are: {}", known.join(", "));
        };
        if let Some(missing) = stage.needs.iter().find(|path| !exists(path)) {
            bail!("test: stage `{name}` has nothing to do without {missing}");
        }
    }
    let wanted = |stage: &&Stage| match names {
        [] => stage.needs.iter().all(|path| exists(path)),
        names => names.contains(&stage.name),
    };
    Ok(STAGES.iter().filter(wanted).collect())
}

/// The budget of each stage in minutes, from `xtask/data/budget.json`.
fn budgets() -> Result<impl Fn(&str) -> Result<f64>> {
    let file = crate::data::json(Path::new("xtask/data/budget.json"))?;
    Ok(move |name: &str| {
        let minutes = file["stages"].get(name).and_then(Value::as_f64);
        minutes.context(|| format!("xtask/data/budget.json has no budget for stage `{name}`"))
    })
}

fn run(stage: &'static Stage, budget: f64, full: bool, operator: Option<String>) -> Report {
    println!("\n== {}: {}", stage.name, stage.about);
    let start = Instant::now();
    let patience = Duration::from_secs_f64(budget * 60.0 * PATIENCE * if full { FULL } else { 1.0 });
    let count = match (stage.run)(&Job { deadline: start + patience, full, operator }) {
        Ok(count) => count.settled(true),
        Err(error) => {
            println!("error: {error}");
            Count { failed: 1, ..Count::default() }
        }
    };
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!(
        "-- {}: {} passed, {} failed, {minutes:.1} of {budget} minutes",
        stage.name, count.passed, count.failed
    );
    Report { name: stage.name, count, minutes, budget }
}

/// The closing table and, as its last line, the sum over all languages.
fn table(reports: &[Report]) -> String {
    let mut text = String::from("\nstage           passed   failed  skipped  minutes   budget\n");
    let mut sum = Count::default();
    for Report { name, count, minutes, budget } in reports {
        sum += *count;
        let note = match (count.failed, minutes > budget) {
            (0, false) => "",
            (0, true) => "  over budget",
            (_, false) => "  FAILED",
            (_, true) => "  FAILED, over budget",
        };
        let Count { passed, failed, skipped } = count;
        let _ = writeln!(
            text,
            "{name:<14} {passed:>7} {failed:>8} {skipped:>8} {minutes:>8.1} {budget:>8.1}{note}"
        );
    }
    let minutes: f64 = reports.iter().map(|report| report.minutes).sum();
    let budget: f64 = reports.iter().map(|report| report.budget).sum();
    let Count { passed, failed, skipped } = sum;
    let _ =
        writeln!(text, "{:<14} {passed:>7} {failed:>8} {skipped:>8} {minutes:>8.1} {budget:>8.1}\n", "all");
    let _ = writeln!(text, "{passed} passed, {failed} failed");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_budget_and_they_fit_in_the_total() {
        let file = crate::data::json(Path::new("xtask/data/budget.json")).unwrap();
        let budget = budgets().unwrap();
        let sum: f64 = STAGES.iter().map(|stage| budget(stage.name).unwrap()).sum();
        assert!(sum <= file["total"].as_f64().unwrap(), "the stages' budgets add up to {sum} minutes");
        assert_eq!(file["stages"].as_object().unwrap().len(), STAGES.len());
    }

    #[test]
    fn a_stage_without_inputs_is_left_out_but_cannot_be_asked_for() {
        let all = select(&[], |_| true).unwrap();
        assert_eq!(all.len(), STAGES.len());
        let few = select(&[], |_| false).unwrap();
        assert!(few.iter().all(|stage| stage.needs.is_empty()) && few.len() < all.len());
        assert!(select(&["capi"], |_| false).err().unwrap().to_string().contains("nothing to do"));
        assert!(select(&["nonsense"], |_| true).err().unwrap().to_string().contains("no stage `nonsense`"));
        assert_eq!(select(&["tidy", "fmt"], |_| true).unwrap()[0].name, "fmt");
    }

    #[test]
    fn the_last_line_is_the_sum_over_all_stages() {
        let report = |name, passed, failed| Report {
            name,
            count: Count { passed, failed, skipped: 2 },
            minutes: 1.5,
            budget: 1.0,
        };
        let text = table(&[report("rust", 40, 0), report("python", 2, 1)]);
        assert_eq!(text.lines().last(), Some("42 passed, 1 failed"));
        assert!(text.contains("over budget") && text.contains("FAILED"));
    }

    #[test]
    fn a_stage_that_cannot_run_is_a_failure() {
        static BROKEN: Stage =
            Stage { name: "broken", about: "", needs: &[], run: |_| bail!("does not build") };
        static SILENT: Stage = Stage { name: "silent", about: "", needs: &[], run: |_| Ok(Count::default()) };
        assert_eq!(run(&BROKEN, 1.0, false, None).count.failed, 1);
        assert_eq!(run(&SILENT, 1.0, false, None).count.failed, 1);
    }
}
