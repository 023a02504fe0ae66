//! `mxr inspect`.

use crate::source::{self, Content};
use crate::{Failure, Outcome, show};
use mxr_core::format::ndarray_list::Entry;
use mxr_core::format::safetensors::Metadata;
use mxr_core::graph::Symbol;
use mxr_core::model::{Input, Model, native};
use mxr_core::{DType, NdArray, Shape};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Characters of a text that are shown.
const SHOWN: usize = 60;

/// `inspect FILE…`.
pub fn command(paths: &[PathBuf]) -> Outcome {
    if paths.is_empty() {
        return Err(Failure::Usage("inspect: expected a file".to_owned()));
    }
    let texts: Result<Vec<String>, Failure> = paths.iter().map(|path| file(path)).collect();
    Ok(texts?.join("\n"))
}

fn file(path: &Path) -> Outcome {
    let content = source::one(path)?;
    let bytes = path.metadata().map_or(0, |m| m.len());
    let (what, rest) = match &content {
        Content::Model(model) => {
            (format!("mxr's model file, version {}", native::VERSION), self::model(model)?)
        }
        Content::Symbol(symbol) => ("MXNet's graph".to_owned(), graph(symbol) + &variables(symbol)),
        Content::Arrays(contents) => {
            let rows = contents.arrays.iter().map(|(name, a)| of_array(Some(name), a));
            let rows = rows.collect::<Result<Vec<_>, Failure>>()?;
            ("safetensors file without a graph".to_owned(), texts(&contents.metadata) + &arrays(&rows))
        }
        Content::List(entries) => ("MXNet's list of arrays".to_owned(), arrays(&list(entries))),
    };
    Ok(format!("{}: {what}, {}\n{rest}", show::safe(&path.display().to_string()), show::size(bytes)))
}

fn model(model: &Model) -> Outcome {
    let mut rows = vec![];
    for (prefix, arrays) in [("arg:", &model.arguments), ("aux:", &model.auxiliary_states)] {
        for (name, array) in arrays {
            rows.push(of_array(Some(&format!("{prefix}{name}")), array)?);
        }
    }
    Ok(graph(&model.symbol)
        + &inputs(&model.inputs)
        + &outputs(&model.symbol)
        + &texts(&model.metadata)
        + &arrays(&rows))
}

/// Number of nodes, and how often each operator occurs.
fn graph(symbol: &Symbol) -> String {
    let nodes = symbol.topo();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for op in nodes.iter().filter_map(|node| node.op.as_ref()) {
        *counts.entry(op.def.meta.name).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let operators: usize = counts.iter().map(|(_, n)| n).sum();
    let rows: Vec<Vec<String>> = counts.iter().map(|(op, n)| vec![(*op).to_owned(), n.to_string()]).collect();
    format!("graph: {operators} operators, {} variables\n{}", nodes.len() - operators, show::table(&rows))
}

fn inputs(inputs: &[Input]) -> String {
    let row = |i: &Input| {
        let shape = i.shape.as_ref().map_or("any shape".to_owned(), Shape::to_string);
        let label = if i.label { "label" } else { "" };
        vec![show::safe(&i.name), i.dtype.to_string(), shape, label.to_owned()]
    };
    format!("inputs: {}\n{}", inputs.len(), show::table(&inputs.iter().map(row).collect::<Vec<_>>()))
}

fn names(what: &str, names: &[String]) -> String {
    let rows: Vec<_> = names.iter().map(|name| vec![show::safe(name)]).collect();
    format!("{what}: {}\n{}", names.len(), show::table(&rows))
}

fn outputs(symbol: &Symbol) -> String {
    names("outputs", &symbol.list_outputs())
}

fn variables(symbol: &Symbol) -> String {
    names("arguments", &symbol.list_arguments())
        + &names("auxiliary states", &symbol.list_auxiliary_states())
        + &outputs(symbol)
}

fn texts(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        return String::new();
    }
    let row = |(key, text): (&String, &String)| vec![show::short(key, SHOWN), show::short(text, SHOWN)];
    format!("texts: {}\n{}", metadata.len(), show::table(&metadata.iter().map(row).collect::<Vec<_>>()))
}

/// An array in the table: name, dtype, shape, kind of storage, bytes.
struct Row {
    name: Option<String>,
    dtype: DType,
    shape: Shape,
    storage: String,
    bytes: u64,
}

fn of_array(name: Option<&str>, array: &NdArray) -> Result<Row, Failure> {
    let (dtype, shape) = (array.dtype(), array.shape()?.clone());
    let bytes = (shape.len() * dtype.size()) as u64;
    Ok(Row { name: name.map(str::to_owned), dtype, shape, storage: String::new(), bytes })
}

fn list(entries: &[Entry]) -> Vec<Row> {
    let row = |(name, t): &Entry| {
        let aux: usize = t.aux.iter().map(|a| a.data.len()).sum();
        let storage = match t.storage {
            mxr_core::format::StorageKind::Dense => String::new(),
            other => format!("{other:?}"),
        };
        let bytes = (t.data.len() + aux) as u64;
        Row { name: name.clone(), dtype: t.dtype, shape: t.shape.clone(), storage, bytes }
    };
    entries.iter().map(row).collect()
}

fn arrays(rows: &[Row]) -> String {
    let elements: u64 = rows.iter().map(|r| r.shape.len() as u64).sum();
    let bytes: u64 = rows.iter().map(|r| r.bytes).sum();
    let cells = |(i, r): (usize, &Row)| {
        let name = r.name.as_ref().map_or_else(|| i.to_string(), |name| show::safe(name));
        vec![name, r.dtype.to_string(), r.shape.to_string(), show::size(r.bytes), r.storage.clone()]
    };
    let rows: Vec<_> = rows.iter().enumerate().map(cells).collect();
    format!("arrays: {}, {elements} elements, {}\n{}", rows.len(), show::size(bytes), show::table(&rows))
}
