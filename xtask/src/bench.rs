//! `cargo xtask bench`: mxr beside its peers, each at its best thread count.
//!
//! A script `benches/*.py` prints one JSON object on a line for each case: `name`, `mxr` and `peer` (a time in
//! milliseconds, or any measure of which less is better), `peer_name`, `ratio` (peer over mxr: above 1 mxr is better)
//! and `threads`, a number or a text. It runs where mxr and torch can be imported; MXNet lives in an environment of
//! its own, whose interpreter is `$MXR_BENCH_MXNET_PYTHON`. All other lines are shown as they come. `call_cost` is no such
//! script: [`crate::call_cost`].

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bail;
use crate::call_cost;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::paths;
use crate::process;
use crate::venv::Venv;

/// The case that is one program in every language.
const CALL_COST: &str = "call_cost";

/// `bench [--quick] [--json FILE] [script…]`.
pub fn command(args: &[String]) -> Result {
    let mut quick = false;
    let mut file = None;
    let mut names = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => quick = true,
            "--json" => file = Some(PathBuf::from(args.next().context(|| "bench: --json needs a file")?)),
            flag if flag.starts_with('-') => bail!("bench: unknown option {flag}"),
            name => names.push(name.to_string()),
        }
    }
    let scripts = scripts(&names)?;
    let wheel = dist::python(Profile::Local)?;
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    if names.is_empty() || names.iter().any(|name| name == CALL_COST) {
        let venv = Venv::ready("test")?;
        venv.install_wheel(&wheel)?;
        match call_cost::measure(&venv, quick) {
            Ok(cases) => rows.extend(cases.into_iter().map(with_ratio)),
            Err(error) => {
                println!("error: {error}");
                broken.push(CALL_COST.to_string());
            }
        }
    }
    if !scripts.is_empty() {
        beside_peers(&scripts, &wheel, quick, &mut rows, &mut broken)?;
    }
    print!("{}", table(&rows));
    if let Some(file) = file {
        let text = serde_json::to_string_pretty(&json!({ "quick": quick, "cases": rows }));
        let text = text.context(|| "writing the cases as JSON")?;
        fs::write(&file, text + "\n").context(|| format!("writing {}", file.display()))?;
    }
    if !broken.is_empty() {
        bail!("bench: {} did not finish", broken.join(", "));
    }
    Ok(())
}

/// Runs scripts where mxr, from a wheel, and its peers are installed; those that fail go to `broken`.
fn beside_peers(
    scripts: &[PathBuf],
    wheel: &Path,
    quick: bool,
    rows: &mut Vec<Value>,
    broken: &mut Vec<String>,
) -> Result {
    let peers = Venv::ready("bench")?;
    peers.install_wheel(wheel)?;
    let oracle = Venv::ready("oracle")?;
    for script in scripts {
        let mut python = peers.command("python");
        python.arg(script).env("MXR_BENCH_MXNET_PYTHON", oracle.python());
        python.args(quick.then_some("--quick"));
        if let Err(error) = measure(&mut python, rows) {
            println!("error: {error}");
            broken.push(paths::show(script));
        }
    }
    Ok(())
}

/// The scripts of `benches`, or those of the given names; helper modules begin with `_`. Those of [`CALL_COST`] are
/// programs of every language, and not among them.
fn scripts(names: &[String]) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(paths::root().join("benches")).context(|| "reading benches")?;
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ext| ext == "py") && !stem(path).starts_with('_'));
    found.retain(|path| stem(path) != CALL_COST);
    let all = names.is_empty();
    let names: Vec<_> = names.iter().filter(|name| *name != CALL_COST).collect();
    if let Some(unknown) = names.iter().find(|name| !found.iter().any(|path| stem(path) == ***name)) {
        bail!("bench: there is no benches/{unknown}.py");
    }
    found.retain(|path| all || names.contains(&&stem(path)));
    found.sort();
    Ok(found)
}

/// Runs a script, adding its cases to `rows`.
fn measure(command: &mut Command, rows: &mut Vec<Value>) -> Result {
    let line = process::describe(command);
    println!("$ {line}");
    let mut child = command.stdout(Stdio::piped()).spawn().context(|| format!("cannot start `{line}`"))?;
    let before = rows.len();
    for text in BufReader::new(child.stdout.take().context(|| "no output")?).lines() {
        let text = text.context(|| format!("reading the output of `{line}`"))?;
        match case(&text) {
            Some(row) => rows.push(row),
            None => println!("{text}"),
        }
    }
    let status = child.wait().context(|| format!("waiting for `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    if rows.len() == before {
        bail!("`{line}` reported no case");
    }
    Ok(())
}

/// A line that is a case, with its ratio.
fn case(line: &str) -> Option<Value> {
    let row: Value = serde_json::from_str(line).ok()?;
    row.get("name")?.as_str()?;
    row.get("mxr")?.as_f64()?;
    Some(with_ratio(row))
}

/// A case with the ratio that it has not given itself.
fn with_ratio(mut row: Value) -> Value {
    if let (None, Some(mxr), Some(peer)) = (row["ratio"].as_f64(), row["mxr"].as_f64(), row["peer"].as_f64())
    {
        row["ratio"] = json!(peer / mxr);
    }
    row
}

fn table(rows: &[Value]) -> String {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("–").to_string();
    let number = |row: &Value, key: &str| match row[key].as_f64() {
        Some(x) if x >= 100.0 => format!("{x:.0}"),
        Some(x) if x >= 1.0 => format!("{x:.2}"),
        Some(x) => format!("{x:.4}"),
        None => "–".to_string(),
    };
    let width = rows.iter().map(|row| text(row, "name").chars().count()).max().unwrap_or(0).max(4);
    let mut out = format!("\n{:<width$}  threads        mxr       peer   ratio  peer's name\n", "case");
    for row in rows {
        let ratio = row["ratio"].as_f64().map_or("–".to_string(), |x| format!("{x:.2}"));
        out += &format!(
            "{:<width$}  {:>7} {:>10} {:>10} {ratio:>7}  {}\n",
            text(row, "name"),
            row["threads"].as_u64().map_or_else(|| text(row, "threads"), |n| n.to_string()),
            number(row, "mxr"),
            number(row, "peer"),
            text(row, "peer_name"),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_with_a_name_and_a_time_are_cases() {
        let row =
            case(r#"{"name": "add", "mxr": 2.0, "peer": 3.0, "peer_name": "torch", "threads": 1}"#).unwrap();
        assert_eq!(row["ratio"], 1.5);
        assert!(case("warming up").is_none() && case("{\"name\": 1}").is_none() && case("3").is_none());
    }

    #[test]
    fn the_call_costs_are_no_script_of_their_own() {
        assert_eq!(scripts(&["call_cost".to_string()]).unwrap(), [""; 0].map(PathBuf::from));
        assert!(scripts(&[]).unwrap().iter().all(|script| !script.ends_with("call_cost.py")));
        assert!(scripts(&["nonsense".to_string()]).is_err());
    }

    #[test]
    fn a_peer_that_cannot_run_leaves_dashes() {
        let text = table(&[case(r#"{"name": "add", "mxr": 0.25, "threads": 2}"#).unwrap()]);
        let row: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(row, ["add", "2", "0.2500", "–", "–", "–"]);
    }
}
