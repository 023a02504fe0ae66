//! A graph for people: as text, and as a picture in DOT.

use super::ir::{Graph, Kind, Node, Phase, ValueId};
use std::fmt::Write as _;

impl Graph {
    /// One line for each variable, call and result.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let ty = |v: &ValueId| format!("%{}: {} {}", v.0, self.ty(*v).dtype, self.ty(*v).shape);
        for v in &self.variables {
            let _ = writeln!(text, "{} = {} '{}'", ty(&v.value), kind_name(&v.kind), v.name);
        }
        for node in &self.nodes {
            let outputs: Vec<_> = node.outputs.iter().map(ty).collect();
            let inputs: Vec<_> = node.inputs.iter().map(|v| format!("%{}", v.0)).collect();
            let _ = write!(text, "{} = {}({})", outputs.join(", "), node.work.name(), inputs.join(", "));
            let _ = writeln!(text, "  # {}{}", node.name, marks(node));
        }
        for (i, v) in self.outputs.iter().enumerate() {
            let _ = writeln!(text, "output {i}: %{}", v.0);
        }
        for g in &self.gradients {
            let name = &self.variables[g.variable].name;
            let value = g.value.map_or_else(|| "zero".to_owned(), |v| format!("%{}", v.0));
            let _ = writeln!(text, "gradient of {name}: {value} ({:?})", g.request);
        }
        text
    }

    /// The graph in the language of Graphviz.
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph mxr {\n  node [shape=box, fontname=\"sans-serif\"];\n");
        let mut from = vec![String::new(); self.values.len()];
        for (i, v) in self.variables.iter().enumerate() {
            from[v.value.at()] = format!("v{i}");
            let _ = writeln!(
                text,
                "  v{i} [label={:?}, shape=ellipse];",
                format!("{}\n{}", v.name, self.ty(v.value).shape)
            );
        }
        for (n, node) in self.nodes.iter().enumerate() {
            let color = match (node.phase, node.again) {
                (_, true) => "khaki",
                (Phase::Forward, _) => "lightblue",
                (Phase::Backward(_), _) => "mistyrose",
            };
            let label = format!("{}\n{}", node.work.name(), node.name);
            let _ = writeln!(text, "  n{n} [label={label:?}, style=filled, fillcolor={color}];");
            for (i, v) in node.inputs.iter().enumerate().filter(|(_, v)| !from[v.at()].is_empty()) {
                let style = if node.work.shape_only(i) { ", style=dotted" } else { "" };
                let _ =
                    writeln!(text, "  {} -> n{n} [label=\"{}\"{style}];", from[v.at()], self.ty(*v).shape);
            }
            node.outputs.iter().for_each(|o| from[o.at()] = format!("n{n}"));
        }
        for (i, v) in self.outputs.iter().enumerate() {
            let _ =
                writeln!(text, "  o{i} [label=\"output {i}\", shape=ellipse];\n  {} -> o{i};", from[v.at()]);
        }
        for (i, g) in self.gradients.iter().enumerate() {
            let Some(v) = g.value else { continue };
            let name = format!("gradient of {}", self.variables[g.variable].name);
            let _ = writeln!(text, "  g{i} [label={name:?}, shape=ellipse];\n  {} -> g{i};", from[v.at()]);
        }
        text.push_str("}\n");
        text
    }
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Argument => "argument",
        Kind::Auxiliary => "auxiliary state",
        Kind::HeadGradient(_) => "head gradient",
        Kind::Constant(_) => "constant",
    }
}

fn marks(node: &Node) -> &'static str {
    match (node.phase, node.again) {
        (_, true) => " (again)",
        (Phase::Forward, _) => "",
        (Phase::Backward(_), _) => " (backward)",
    }
}
