//! `cargo xtask bench`: mxr beside its peers, each at its best thread count.
//!
//! A script `benches/*.py` prints one JSON object on a line for each case: `name`, `mxr` and `peer` (a time in
//! milliseconds, or any measure of which less is better), `peer_name`, `ratio` (peer over mxr: above 1 mxr is better)
//! and `threads`, a number or a text. It runs where mxr and torch can be imported; MXNet lives in an environment of
//! its own, whose interpreter is `$MXR_BENCH_MXNET_PYTHON`. All other lines are shown as they come.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bail;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::paths;
use crate::process;
use crate::venv::Venv;

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
    let peers = Venv::ready("bench")?;
    peers.install_wheel(&wheel)?;
    let oracle = Venv::ready("oracle")?;
    let mut rows = Vec::new();
    let mut broken = Vec::new();
    for script in &scripts {
        let mut python = peers.command("python");
        python.arg(script).env("MXR_BENCH_MXNET_PYTHON", oracle.python());
        python.args(quick.then_some("--quick"));
        if let Err(error) = measure(&mut python, &mut rows) {
            println!("error: {error}");
            broken.push(paths::show(script));
        }
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

/// The scripts of `benches`, or those of the given names; helper modules begin with `_`.
fn scripts(names: &[String]) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(paths::root().join("benches")).context(|| "reading benches")?;
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ext| ext == "py") && !stem(path).starts_with('_'));
    if let Some(unknown) = names.iter().find(|name| !found.iter().any(|path| stem(path) == **name)) {
        bail!("bench: there is no benches/{unknown}.py");
    }
    found.retain(|path| names.is_empty() || names.contains(&stem(path)));
    if found.is_empty() {
        bail!("bench: there are no scripts in benches");
    }
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
    let mut row: Value = serde_json::from_str(line).ok()?;
    row.get("name")?.as_str()?;
    let mxr = row.get("mxr")?.as_f64()?;
    if let (None, Some(peer)) = (row["ratio"].as_f64(), row["peer"].as_f64()) {
        row["ratio"] = json!(peer / mxr);
    }
    Some(row)
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
    fn a_peer_that_cannot_run_leaves_dashes() {
        let text = table(&[case(r#"{"name": "add", "mxr": 0.25, "threads": 2}"#).unwrap()]);
        let row: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(row, ["add", "2", "0.2500", "–", "–", "–"]);
    }
}
