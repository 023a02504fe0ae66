//! The case `call_cost` of `cargo xtask bench`: what one call of a small operator costs in every language, beside raw C.
//!
//! Each program `benches/call_cost.*` prints one JSON object with the nanoseconds of a + b on 4 elements: `ns` for the
//! expression as its users write it, with results left to the language's way of giving memory back, and the others of
//! [`WAYS`]. All run over one libmxr, in turns, and the least counts, so that what else the machine does falls on all.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::languages::{self, Program};
use crate::venv::Venv;
use crate::{paths, process};

/// What is measured: its key in a program's line, its name, and whether C does it while recording.
const WAYS: [(&str, &str, bool); 4] = [
    ("ns", "a + b", false),
    ("closed_ns", "a + b, closed at once", false),
    ("function_ns", "broadcast_add(a, b)", false),
    ("recorded_ns", "a + b, recorded", true),
];
/// How much a call may cost: so many times what it costs in C, or so many nanoseconds more.
const LIMITS: [(&str, Limit); 5] = [
    ("C++", Limit::Times(1.1)),
    ("Julia", Limit::Times(1.2)),
    ("Node", Limit::More(1000.0)),
    ("Java", Limit::More(500.0)),
    ("R", Limit::More(2000.0)),
];

#[derive(Clone, Copy)]
enum Limit {
    Times(f64),
    More(f64),
}

/// Nanoseconds by language and way.
type Costs = BTreeMap<(&'static str, &'static str), f64>;

/// Runs all programs and returns a case for each language and way, in microseconds. `venv` has the Python package.
pub fn measure(venv: &Venv, quick: bool) -> Result<Vec<Value>> {
    let (rounds, calls) = if quick { (2, "100000") } else { (5, "300000") };
    let out = paths::target().join("call_cost");
    fs::create_dir_all(&out).context(|| format!("creating {}", out.display()))?;
    let folder = paths::root().join("benches");
    let c = languages::compile("C", &folder.join("call_cost.c"), &out, &dist::library(Profile::Local)?)?;
    let c = Program { language: "C", command: Box::new(move || std::process::Command::new(&c)) };
    let mut programs = vec![c];
    programs.extend(languages::programs(venv, &folder, "call_cost", &out)?);
    let mut costs = Costs::new();
    for _ in 0..rounds {
        for program in &programs {
            let mut command = (program.command)();
            let line = process::capture(command.arg(calls))?;
            let cost: Value = serde_json::from_str(line.trim())
                .context(|| format!("`{}` printed {line}", process::describe(&command)))?;
            keep_least(&mut costs, program.language, &cost);
        }
    }
    let languages: Vec<_> = programs.iter().map(|program| program.language).skip(1).collect();
    Ok(cases(&languages, &costs))
}

fn keep_least(costs: &mut Costs, language: &'static str, cost: &Value) {
    for (key, _, _) in WAYS {
        if let Some(ns) = cost[key].as_f64() {
            costs.entry((language, key)).and_modify(|least| *least = least.min(ns)).or_insert(ns);
        }
    }
}

/// The rows of the table.
fn cases(languages: &[&'static str], costs: &Costs) -> Vec<Value> {
    let mut rows = Vec::new();
    for language in languages {
        for (key, what, recorded) in WAYS {
            let c = costs.get(&("C", if recorded { "recorded_ns" } else { "ns" }));
            let (Some(ns), Some(c)) = (costs.get(&(*language, key)), c) else { continue };
            rows.push(json!({
                "name": format!("{what}, 4 elements, {language}, µs"),
                "mxr": ns / 1e3, "peer": c / 1e3, "threads": 1,
                "peer_name": format!("raw C: {}", beside(language, *ns, *c)),
            }));
        }
    }
    rows
}

/// How much a call costs beside C, in the measure of the language's limit.
fn beside(language: &str, ns: f64, c: f64) -> String {
    let limit = LIMITS.iter().find(|(name, _)| *name == language).map(|(_, limit)| *limit);
    match limit {
        Some(Limit::Times(most)) => format!("{:.2} × of it, at most {most} wanted", ns / c),
        Some(Limit::More(most)) => {
            format!("{:.2} µs more, at most {} wanted", (ns - c) / 1e3, most / 1e3)
        }
        None => format!("{:.2} µs more", (ns - c) / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_all_rounds_stands_beside_that_of_c() {
        let mut costs = Costs::new();
        keep_least(&mut costs, "C", &json!({"ns": 400, "recorded_ns": 900, "empty_array_ns": 60}));
        keep_least(&mut costs, "Node", &json!({"ns": 1000, "recorded_ns": 1500}));
        keep_least(&mut costs, "Node", &json!({"ns": 900, "recorded_ns": 1600}));
        keep_least(&mut costs, "C++", &json!({"ns": 420}));
        let rows = cases(&["Node", "C++"], &costs);
        let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "a + b, 4 elements, Node, µs",
                "a + b, recorded, 4 elements, Node, µs",
                "a + b, 4 elements, C++, µs"
            ]
        );
        assert_eq!((&rows[0]["mxr"], &rows[0]["peer"]), (&json!(0.9), &json!(0.4)));
        assert_eq!(rows[0]["peer_name"], "raw C: 0.50 µs more, at most 1 wanted");
        assert_eq!((&rows[1]["mxr"], &rows[1]["peer"]), (&json!(1.5), &json!(0.9)));
        assert_eq!(rows[2]["peer_name"], "raw C: 1.05 × of it, at most 1.1 wanted");
    }
}
