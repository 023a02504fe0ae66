//! A symbol as text for people, line for line as MXNet prints it.

use super::symbol::{Node, Symbol};
use std::fmt::Write as _;

impl Symbol {
    /// Outputs, variables and operators with their inputs and attributes.
    pub fn debug_text(&self) -> String {
        let mut out = String::new();
        if let [one] = &self.outputs[..] {
            if one.node.is_variable() {
                return format!("Variable:{}\n", one.node.name);
            }
            if let (Some(op), true) = (&one.node.op, one.node.inputs.is_empty()) {
                return format!("AtomicFunctor  Op:{}\n", op.def.meta.name);
            }
        }
        out.push_str("Symbol Outputs:\n");
        for (i, e) in self.outputs.iter().enumerate() {
            let _ = writeln!(out, "\toutput[{i}]={}({})", e.node.name, e.index);
        }
        for node in self.topo() {
            node_text(&mut out, &node);
        }
        out
    }
}

fn node_text(out: &mut String, node: &Node) {
    let Some(op) = &node.op else {
        let _ = writeln!(out, "Variable:{}", node.name);
        return;
    };
    let _ = writeln!(out, "--------------------\nOp:{}, Name={}\nInputs:", op.def.meta.name, node.name);
    for (i, e) in node.inputs.iter().enumerate() {
        let version = if e.node.is_variable() { format!(" version={}", e.version) } else { String::new() };
        let _ = writeln!(out, "\targ[{i}]={}({}){version}", e.node.name, e.index);
    }
    let attrs = node.attrs();
    if !attrs.is_empty() {
        out.push_str("Attrs:\n");
        for (name, value) in &*attrs {
            let _ = writeln!(out, "\t{name}={value}");
        }
    }
}
