//! Composing: calling an operator on symbols, and putting symbols in the place of variables.

use super::attrs;
use super::symbol::{AttrMap, Entry, Node, Symbol, joined};
use crate::error::Result;
use crate::op::{OpDef, OpRef};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The attribute that names a variable's initializer.
const INIT: &str = "__init__";

/// A call of an operator on symbols.
pub struct Call<'a> {
    /// What is called.
    pub op: &'static OpDef,
    /// Name of the node.
    pub name: &'a str,
    /// Attributes in MXNet's texts, the operator's and the user's.
    pub attrs: &'a [(&'a str, &'a str)],
    /// Inputs by position; the others follow by name.
    pub args: &'a [&'a Symbol],
    /// Inputs by name.
    pub named: &'a [(&'a str, &'a Symbol)],
}

pub(in crate::graph) fn single<'a>(symbol: &'a Symbol, argument: &str) -> Result<&'a Entry> {
    match &symbol.outputs[..] {
        [one] => Ok(one),
        many => Err(crate::err!(InvalidValue, "expected a symbol of one output, got one of {}", many.len())
            .about(argument)),
    }
}

impl Call<'_> {
    /// The symbol of the new node. Inputs that are not given become variables, named after node and input, with
    /// the attributes of the node.
    ///
    /// # Errors
    /// About attributes and inputs that the operator does not have, or that are given twice.
    pub fn compose(&self) -> Result<Symbol> {
        self.node().map_err(|e| e.in_operator(self.op.meta.name))
    }

    fn node(&self) -> Result<Symbol> {
        let mut attrs = attrs::hide_all(self.attrs.iter().copied())?;
        if let Some(count) = self.op.meta.inputs.last().and_then(|i| i.count) {
            let given = self.args.len() + self.named.len();
            attrs.entry(count.to_owned()).or_insert_with(|| given.to_string());
        }
        let op = attrs::operator(self.op, &attrs, &[])?;
        let mut inputs = self.inputs(&op, &attrs)?;
        number_writes(&op, &mut inputs)?;
        name_initializers(&op, &inputs);
        let visible = op.op.num_visible_outputs() as u32;
        let node = Arc::new(Node::new(Some(op), self.name, attrs, inputs));
        Ok(Symbol { outputs: (0..visible).map(|i| Entry::new(node.clone(), i)).collect() })
    }

    fn inputs(&self, op: &OpRef, attrs: &AttrMap) -> Result<Vec<Entry>> {
        let count = self.count(op, attrs)?;
        if self.args.len() > count {
            crate::bail!(InvalidValue, "expected at most {count} inputs, got {}", self.args.len());
        }
        let mut inputs = Vec::with_capacity(count);
        for (i, arg) in self.args.iter().enumerate() {
            inputs.push(single(arg, &op.symbol_input_name(i))?.clone());
        }
        let mut used = 0;
        for i in self.args.len()..count {
            let input = op.symbol_input_name(i);
            match self.named.iter().find(|(n, _)| *n == input) {
                Some((_, symbol)) => {
                    used += 1;
                    inputs.push(single(symbol, &input)?.clone());
                }
                None => inputs.push(Entry::new(Arc::new(self.variable(op, i, attrs)), 0)),
            }
        }
        if used != self.named.len() {
            return Err(self.unknown_input(op, count));
        }
        Ok(inputs)
    }

    /// Number of inputs of the call.
    fn count(&self, op: &OpRef, attrs: &AttrMap) -> Result<usize> {
        if let Some(n) = op.arity() {
            return Ok(n);
        }
        let given = self.args.len() + self.named.len();
        let said = op.def.meta.inputs.last().and_then(|i| i.count).and_then(|count| attrs.get(count));
        let said = said.and_then(|text| text.parse().ok()).unwrap_or(given);
        if said > attrs::MOST {
            crate::bail!(InvalidValue, "expected at most {} inputs, got {said}", attrs::MOST);
        }
        Ok(said.max(given))
    }

    fn variable(&self, op: &OpRef, i: usize, attrs: &AttrMap) -> Node {
        let mut attrs = attrs.clone();
        if let Some(init) = op.input(i).init {
            attrs.entry(INIT.to_owned()).or_insert_with(|| init.to_owned());
        }
        Node::variable(joined(self.name, &op.symbol_input_name(i)), attrs)
    }

    fn unknown_input(&self, op: &OpRef, count: usize) -> crate::Error {
        let names: Vec<String> = (0..count).map(|i| op.symbol_input_name(i)).collect();
        let by_position = &names[..self.args.len()];
        let wrong =
            self.named.iter().map(|(n, _)| *n).find(|n| !names[self.args.len()..].iter().any(|m| m == n));
        match wrong {
            Some(n) if by_position.iter().any(|m| m == n) => {
                crate::err!(InvalidValue, "the input is given by position and by name").about(n)
            }
            Some(n) => crate::err!(NotFound, "expected one of the inputs {}", names.join(", ")).about(n),
            None => crate::err!(InvalidValue, "an input is given twice"),
        }
    }
}

/// Says of variables that were given how the operator wants them initialised, if they do not say themselves.
fn name_initializers(op: &OpRef, inputs: &[Entry]) {
    for (i, entry) in inputs.iter().enumerate().filter(|(_, e)| e.node.is_variable()) {
        if let (Some(init), false) = (op.input(i).init, entry.node.attrs().contains_key(INIT)) {
            entry.node.add_attrs(AttrMap::from([(INIT.to_owned(), init.to_owned())]));
        }
    }
}

/// Gives the uses of variables their versions: an operator that changes one makes the next.
///
/// # Errors
/// `InvalidValue` if what is to be changed is no variable.
fn number_writes(op: &OpRef, inputs: &mut [Entry]) -> Result<()> {
    for entry in inputs.iter_mut().filter(|e| e.node.is_variable()) {
        entry.version = entry.node.writes.load(Ordering::Relaxed);
    }
    for (i, entry) in inputs.iter_mut().enumerate().filter(|(i, _)| op.lists_as_state(*i)) {
        if !entry.node.is_variable() {
            return Err(crate::err!(
                InvalidValue,
                "expected a variable, which the operator changes, got the output {:?}",
                entry
            )
            .about(&op.symbol_input_name(i)));
        }
        entry.version = entry.node.writes.fetch_add(1, Ordering::Relaxed) + 1;
    }
    Ok(())
}

impl Symbol {
    /// A copy of the graph in which the named variables are replaced by outputs of other symbols. A name that is not
    /// empty becomes that of the first output's node.
    ///
    /// # Errors
    /// `NotFound` for a name that no variable has.
    pub fn compose(&self, named: &[(&str, &Symbol)], name: &str) -> Result<Symbol> {
        let order = self.topo();
        let replaced = replacements(&order, named)?;
        let first = self.outputs.first().map(|e| Arc::as_ptr(&e.node));
        let mut copies: HashMap<*const Node, Arc<Node>> = HashMap::new();
        let copied = |copies: &HashMap<*const Node, Arc<Node>>, e: &Entry| {
            let old = Arc::as_ptr(&e.node);
            match replaced.get(&old) {
                Some(new) => (*new).clone(),
                None => Entry { node: copies[&old].clone(), ..*e },
            }
        };
        for node in &order {
            let mut inputs: Vec<Entry> = node.inputs.iter().map(|e| copied(&copies, e)).collect();
            let changed = node.inputs.iter().any(|e| replaced.contains_key(&Arc::as_ptr(&e.node)));
            if let (Some(op), true) = (&node.op, changed) {
                number_writes(op, &mut inputs).map_err(|e| e.in_operator(op.def.meta.name))?;
            }
            let rename = !name.is_empty() && first == Some(Arc::as_ptr(node));
            let name = if rename { name } else { &node.name };
            let mut copy = node.copied(inputs);
            name.clone_into(&mut copy.name);
            copies.insert(Arc::as_ptr(node), Arc::new(copy));
        }
        Ok(Symbol { outputs: self.outputs.iter().map(|e| copied(&copies, e)).collect() })
    }
}

/// What each named variable is replaced by.
fn replacements<'a>(
    order: &[Arc<Node>],
    named: &[(&str, &'a Symbol)],
) -> Result<HashMap<*const Node, &'a Entry>> {
    let variables = || order.iter().filter(|n| n.is_variable());
    let mut replaced = HashMap::new();
    for (name, symbol) in named {
        let before = replaced.len();
        for variable in variables().filter(|v| v.name == *name) {
            replaced.insert(Arc::as_ptr(variable), single(symbol, name)?);
        }
        if replaced.len() == before {
            let names: Vec<&str> = variables().map(|v| v.name.as_str()).collect();
            return Err(
                crate::err!(NotFound, "expected one of the variables {}", names.join(", ")).about(name)
            );
        }
    }
    Ok(replaced)
}
