//! Taking out the casts of automatic mixed precision, as MXNet does when it saves a symbol.

use super::symbol::{Entry, Node, Symbol};
use std::collections::HashMap;
use std::sync::Arc;

/// MXNet's names of the casts; output `i` is input `i` in another dtype.
const CASTS: [&str; 2] = ["amp_cast", "amp_multicast"];

fn is_cast(node: &Node) -> bool {
    node.op.as_ref().is_some_and(|op| CASTS.contains(&op.def.meta.name))
}

impl Symbol {
    /// The symbol without the casts that automatic mixed precision put in; without any, itself.
    #[must_use]
    pub fn without_amp_casts(&self) -> Symbol {
        let order = self.topo();
        if !order.iter().any(|n| is_cast(n)) {
            return self.clone();
        }
        let mut kept: HashMap<*const Node, Arc<Node>> = HashMap::new();
        for node in order.iter().filter(|n| !is_cast(n)) {
            let inputs = node.inputs.iter().map(|e| plain(&kept, e)).collect();
            kept.insert(Arc::as_ptr(node), Arc::new(node.copied(inputs)));
        }
        Symbol { outputs: self.outputs.iter().map(|e| plain(&kept, e)).collect() }
    }
}

/// What an entry stands for without casts.
fn plain(kept: &HashMap<*const Node, Arc<Node>>, entry: &Entry) -> Entry {
    let mut entry = entry;
    while is_cast(&entry.node) {
        entry = &entry.node.inputs[entry.index as usize];
    }
    Entry { node: kept[&Arc::as_ptr(&entry.node)].clone(), ..*entry }
}
