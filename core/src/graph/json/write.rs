//! The text of a symbol. The layout is that of dmlc's JSON writer, trailing blanks included.

use super::VERSION;
use crate::graph::symbol::{AttrMap, Entry, Node, Symbol};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Lists longer than this take a line for each element.
const SHORT: usize = 10;

pub(super) fn text(symbol: &Symbol) -> String {
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
    let mut out = String::from("{\n  \"nodes\": [");
    for (i, node) in nodes.iter().enumerate() {
        out.push_str(if i == 0 { "\n    " } else { ", \n    " });
        write_node(&mut out, node, node.inputs.iter().map(entry));
    }
    out.push_str(if nodes.is_empty() { "]" } else { "\n  ]" });
    out.push_str(", \n  \"arg_nodes\": ");
    write_list(&mut out, 2, variables.into_iter());
    out.push_str(", \n  \"node_row_ptr\": ");
    write_list(&mut out, 2, rows.iter().map(usize::to_string));
    out.push_str(", \n  \"heads\": ");
    write_list(&mut out, 2, symbol.outputs.iter().map(entry));
    let _ = write!(out, ", \n  \"attrs\": {{\"mxnet_version\": [\"int\", {VERSION}]}}\n}}");
    out
}

fn write_node(out: &mut String, node: &Node, inputs: impl ExactSizeIterator<Item = String>) {
    const MARGIN: &str = "\n      ";
    let op = node.op.as_ref().map_or("null", |op| op.def.meta.name);
    let _ = write!(out, "{{{MARGIN}\"op\": {}, {MARGIN}\"name\": {}", quoted(op), quoted(&node.name));
    if !node.attrs.is_empty() {
        let _ = write!(out, ", {MARGIN}\"attrs\": ");
        write_attrs(out, &node.attrs);
    }
    let _ = write!(out, ", {MARGIN}\"inputs\": ");
    write_list(out, 6, inputs);
    out.push_str("\n    }");
}

fn write_attrs(out: &mut String, attrs: &AttrMap) {
    let (margin, end) = if attrs.len() > 1 { ("\n        ", "\n      ") } else { ("", "") };
    out.push('{');
    for (i, (name, value)) in attrs.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(out, "{comma}{margin}{}: {}", quoted(name), quoted(value));
    }
    out.push_str(end);
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
