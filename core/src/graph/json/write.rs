//! The text of a symbol. The layout is that of dmlc's JSON writer, trailing blanks included.

use super::VERSION;
use crate::graph::attrs::graphs_of;
use crate::graph::control::body;
use crate::graph::symbol::{AttrMap, Entry, Node, Symbol};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Lists longer than this take a line for each element.
const SHORT: usize = 10;

pub(super) fn text(symbol: &Symbol) -> String {
    let mut out = String::new();
    write_graph(&mut out, symbol, 0, true);
    out
}

/// A graph whose lines begin at `margin`. Those inside nodes name no version.
fn write_graph(out: &mut String, symbol: &Symbol, margin: usize, versioned: bool) {
    let nodes = symbol.topo();
    let index: HashMap<*const Node, usize> =
        nodes.iter().enumerate().map(|(i, n)| (Arc::as_ptr(n), i)).collect();
    let entry = |e: &Entry| format!("[{}, {}, {}]", index[&Arc::as_ptr(&e.node)], e.index, e.version);
    let mut rows = vec![0];
    let mut variables = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        rows.push(rows[i] + node.op.as_ref().map_or(1, |op| op.op.num_listed_outputs()));
        if node.is_variable() {
            variables.push(i.to_string());
        }
    }
    let line = |n: usize| format!("\n{:1$}", "", margin + n);
    let _ = write!(out, "{{{}\"nodes\": [", line(2));
    for (i, node) in nodes.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        out.push_str(&line(4));
        write_node(out, node, margin + 4, node.inputs.iter().map(entry));
    }
    if !nodes.is_empty() {
        out.push_str(&line(2));
    }
    let _ = write!(out, "], {}\"arg_nodes\": ", line(2));
    write_list(out, margin + 2, variables.into_iter());
    let _ = write!(out, ", {}\"node_row_ptr\": ", line(2));
    write_list(out, margin + 2, rows.iter().map(usize::to_string));
    let _ = write!(out, ", {}\"heads\": ", line(2));
    write_list(out, margin + 2, symbol.outputs.iter().map(entry));
    if versioned {
        let _ = write!(out, ", {}\"attrs\": {{\"mxnet_version\": [\"int\", {VERSION}]}}", line(2));
    }
    out.push_str(&line(0));
    out.push('}');
}

fn write_node(out: &mut String, node: &Node, margin: usize, inputs: impl ExactSizeIterator<Item = String>) {
    let line = |n: usize| format!("\n{:1$}", "", margin + n);
    let op = node.op.as_ref().map_or("null", |op| op.def.meta.name);
    let _ = write!(out, "{{{0}\"op\": {1}, {0}\"name\": {2}", line(2), quoted(op), quoted(&node.name));
    let attrs = node.attrs();
    if !attrs.is_empty() {
        let _ = write!(out, ", {}\"attrs\": ", line(2));
        write_attrs(out, &attrs, margin + 2);
    }
    let _ = write!(out, ", {}\"inputs\": ", line(2));
    write_list(out, margin + 2, inputs);
    let graphs = node.op.as_ref().map(graphs_of).unwrap_or_default();
    for (i, graph) in graphs.iter().enumerate() {
        let before = if i == 0 { format!(", {}\"subgraphs\": [", line(2)) } else { ", ".to_owned() };
        let _ = write!(out, "{before}{}", line(4));
        write_graph(out, body(graph).symbol(), margin + 4, false);
    }
    if !graphs.is_empty() {
        let _ = write!(out, "{}]", line(2));
    }
    out.push_str(&line(0));
    out.push('}');
}

fn write_attrs(out: &mut String, attrs: &AttrMap, margin: usize) {
    let line = |n: usize| if attrs.len() > 1 { format!("\n{:1$}", "", margin + n) } else { String::new() };
    out.push('{');
    for (i, (name, value)) in attrs.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(out, "{comma}{}{}: {}", line(2), quoted(name), quoted(value));
    }
    out.push_str(&line(0));
    out.push('}');
}

/// A list that stands in a line with this margin.
fn write_list(out: &mut String, margin: usize, items: impl ExactSizeIterator<Item = String>) {
    let long = items.len() > SHORT;
    out.push('[');
    for (i, item) in items.enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        if long {
            let _ = write!(out, "\n{:margin$}  ", "");
        }
        out.push_str(&item);
    }
    if long {
        let _ = write!(out, "\n{:margin$}", "");
    }
    out.push(']');
}

/// A text with the escapes that MXNet writes and reads.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
