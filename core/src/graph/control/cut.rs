//! Cutting bodies out of symbols: what a user's function composed, with everything from outside as inputs.
//!
//! The nodes of a body are those whose attribute `__subgraph_name__` is the body's: its *scope*. Whatever
//! else they read becomes a variable of the body and an input of the operator.

use super::Body;
use crate::error::Result;
use crate::graph::attrs::{self, operator};
use crate::graph::compose::single;
use crate::graph::symbol::{AttrMap, Entry, Inputs, Node, Symbol};
use crate::op::registry;
use std::collections::HashMap;
use std::sync::Arc;

/// The attribute that says to which body a node belongs.
pub const SCOPE: &str = "__subgraph_name__";

/// A body whose inputs from outside are known.
struct Cut {
    body: Symbol,
    /// Variables of the body that stand for something outside, by name.
    outside: HashMap<String, Entry>,
}

/// How the node of an operator is called, and its attributes besides those of control flow.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Name of the node.
    pub name: &'a str,
    /// More attributes, in MXNet's texts.
    pub attrs: &'a [(&'a str, &'a str)],
}

/// The variables of a step and what it makes of them.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The scope in which the outputs were composed.
    pub scope: &'a str,
    /// Variables that stand for the rows of data, if there are any, and the states.
    pub variables: &'a [&'a Symbol],
    /// What the step makes: outputs, then the states of the next step.
    pub outputs: &'a [&'a Symbol],
}

/// `_foreach` over the rows of `data` with these first `states`. Its outputs are the stacked outputs of the
/// step and the last states.
///
/// # Errors
/// `InvalidValue` for numbers of variables or outputs that do not go together, and variables that the step
/// does not read.
pub fn foreach(named: Named, data: &[&Symbol], states: &[&Symbol], step: Step) -> Result<Symbol> {
    let mut inputs = entries(data, "data")?;
    inputs.extend(entries(states, "init_states")?);
    expect(step.variables, inputs.len(), "variables")?;
    let outs = num_outs(&step, states.len())?;
    let cut = cut(step.scope, &entries(step.outputs, "outputs")?, outs);
    let names = cut.body.list_inputs();
    let at = variables_of(&step, &names)?;
    let mut remain = vec![];
    for (j, variable) in cut.body.inputs(Inputs::All).into_iter().enumerate() {
        if !at.contains(&j) {
            inputs.push(cut.outer(&variable));
            remain.push(j);
        }
    }
    let (data_at, states_at) = at.split_at(data.len());
    let attrs = [
        ("num_outputs", step.outputs.len().to_string()),
        ("num_out_data", outs.to_string()),
        ("in_state_locs", list(states_at)),
        ("in_data_locs", list(data_at)),
        ("remain_locs", list(&remain)),
    ];
    node("_foreach", named, &attrs, inputs, vec![cut.body])
}

/// `_while_loop` from these first states, as long as `cond`, whose variables and one output are those of a
/// step, holds.
///
/// # Errors
/// As [`foreach`].
pub fn while_loop(named: Named, states: &[&Symbol], cond: Step, func: Step, most: i64) -> Result<Symbol> {
    let first = entries(states, "loop_vars")?;
    expect(cond.variables, first.len(), "variables")?;
    expect(func.variables, first.len(), "variables")?;
    expect(cond.outputs, 1, "cond")?;
    let outs = num_outs(&func, states.len())?;
    let mut inputs = Shared::default();
    let cond_cut = cut(cond.scope, &entries(cond.outputs, "cond")?, 1);
    let func_cut = cut(func.scope, &entries(func.outputs, "outputs")?, outs);
    let cond_at = inputs.add(&cond_cut, &cond, &first)?;
    let func_at = inputs.add(&func_cut, &func, &first)?;
    let variables = variables_of(&func, &func_cut.body.list_inputs())?;
    let attrs = [
        ("max_iterations", most.to_string()),
        ("cond_input_locs", list(&cond_at)),
        ("func_input_locs", list(&func_at)),
        ("func_var_locs", list(&variables)),
        ("num_out_data", outs.to_string()),
        ("num_outputs", func.outputs.len().to_string()),
    ];
    node("_while_loop", named, &attrs, inputs.entries, vec![cond_cut.body, func_cut.body])
}

/// `_cond`: `then` if `pred`, of one output, is not zero, else `otherwise`. None has variables of its own.
///
/// # Errors
/// `InvalidValue` if the branches make other numbers of outputs.
pub fn cond(named: Named, pred: Step, then: Step, otherwise: Step) -> Result<Symbol> {
    expect(pred.outputs, 1, "pred")?;
    expect(otherwise.outputs, then.outputs.len(), "else")?;
    let mut inputs = Shared::default();
    let (mut at, mut bodies) = (vec![], vec![]);
    for part in [pred, then, otherwise] {
        let cut = cut(part.scope, &entries(part.outputs, "outputs")?, part.outputs.len());
        at.push(list(&inputs.add(&cut, &part, &[])?));
        bodies.push(cut.body);
    }
    let [pred_at, then_at, else_at] = <[String; 3]>::try_from(at).expect("three graphs");
    let attrs = [
        ("cond_input_locs", pred_at),
        ("then_input_locs", then_at),
        ("else_input_locs", else_at),
        ("num_outputs", then.outputs.len().to_string()),
    ];
    node("_cond", named, &attrs, inputs.entries, bodies)
}

/// Inputs that several bodies share.
#[derive(Default)]
struct Shared {
    entries: Vec<Entry>,
    of_nodes: HashMap<(*const Node, u32), usize>,
}

impl Shared {
    /// Adds the inputs of a body whose variables stand for `first`; returns where each is.
    fn add(&mut self, cut: &Cut, step: &Step, first: &[Entry]) -> Result<Vec<usize>> {
        let names: Vec<&str> =
            step.variables.iter().map(|v| v.outputs.first().map_or("", |e| e.node.name.as_str())).collect();
        let inputs = cut.body.inputs(Inputs::All);
        Ok(inputs
            .iter()
            .map(|variable| {
                let state = names.iter().position(|n| *n == variable.name);
                let entry = state.map_or_else(|| cut.outer(variable), |i| first[i].clone());
                let key = (Arc::as_ptr(&entry.node), entry.index);
                *self.of_nodes.entry(key).or_insert_with(|| {
                    self.entries.push(entry);
                    self.entries.len() - 1
                })
            })
            .collect())
    }
}

impl Cut {
    /// What a variable of the body is outside: what it stands for, or a variable like it.
    fn outer(&self, variable: &Arc<Node>) -> Entry {
        self.outside.get(&variable.name).cloned().unwrap_or_else(|| {
            let attrs = AttrMap::clone(&variable.attrs());
            Entry::new(Arc::new(Node::variable(variable.name.clone(), attrs)), 0)
        })
    }
}

/// The part of a graph that is in a scope. Outputs that are not made there are copied, and so are states
/// (from output `outs` on) that are outputs too, because MXNet's graphs need it.
fn cut(scope: &str, outputs: &[Entry], outs: usize) -> Cut {
    let inside = |node: &Node| node.attrs().get(SCOPE).is_some_and(|s| s == scope);
    let mut copies: HashMap<*const Node, Arc<Node>> = HashMap::new();
    let mut outside: Vec<(Entry, Entry)> = vec![];
    let mut result = HashMap::new();
    let mut inner =
        |copies: &HashMap<*const Node, Arc<Node>>, e: &Entry| match copies.get(&Arc::as_ptr(&e.node)) {
            Some(copy) => Entry { node: copy.clone(), ..*e },
            None => {
                let same = |(o, _): &&(Entry, Entry)| Arc::ptr_eq(&o.node, &e.node) && o.index == e.index;
                if let Some((_, variable)) = outside.iter().find(same) {
                    return variable.clone();
                }
                let name = e.node.output_name(e.index as usize);
                let variable = Entry::new(Arc::new(Node::variable(name.clone(), AttrMap::new())), 0);
                outside.push((e.clone(), variable.clone()));
                result.insert(name, e.clone());
                variable
            }
        };
    let whole = Symbol { outputs: outputs.to_vec() };
    for node in whole.topo().iter().filter(|n| inside(n)) {
        let inputs = node.inputs.iter().map(|e| inner(&copies, e)).collect();
        let copy = node.copied(inputs);
        copies.insert(Arc::as_ptr(node), Arc::new(copy));
    }
    let mut made: Vec<Entry> = vec![];
    for (o, output) in outputs.iter().enumerate() {
        let earlier = |e: &Entry| Arc::ptr_eq(&e.node, &output.node) && e.index == output.index;
        let repeated = o >= outs && outputs[..outs].iter().any(earlier);
        let plain = inside(&output.node) && !output.node.is_variable() && !repeated;
        let entry = inner(&copies, output);
        made.push(if plain { entry } else { identity(scope, o, entry) });
    }
    Cut { body: Symbol { outputs: made }, outside: result }
}

fn identity(scope: &str, o: usize, entry: Entry) -> Entry {
    let def = registry().find("_copy").expect("arrays can be copied");
    let op = def.with(&[]).expect("a copy has no attributes");
    let attrs = AttrMap::from([(SCOPE.to_owned(), scope.to_owned())]);
    Entry::new(Arc::new(Node::new(Some(op), format!("{scope}_identity{o}"), attrs, vec![entry])), 0)
}

/// The node of an operator with these bodies.
fn node(
    op: &str,
    named: Named,
    own: &[(&str, String)],
    inputs: Vec<Entry>,
    bodies: Vec<Symbol>,
) -> Result<Symbol> {
    let mut attrs = attrs::hide_all(named.attrs.iter().copied())?;
    attrs.extend(own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    attrs.insert("num_args".to_owned(), (inputs.len() + bodies.len()).to_string());
    let bodies = bodies.into_iter().map(|b| Ok(Body::new(b)?.into_attr())).collect::<Result<Vec<_>>>()?;
    let op = operator(registry().find(op)?, &attrs, &bodies)?;
    let visible = op.op.num_visible_outputs() as u32;
    let node = Arc::new(Node::new(Some(op), named.name, attrs, inputs));
    Ok(Symbol { outputs: (0..visible).map(|i| Entry::new(node.clone(), i)).collect() })
}

fn entries(symbols: &[&Symbol], argument: &str) -> Result<Vec<Entry>> {
    symbols.iter().map(|s| single(s, argument).cloned()).collect()
}

fn expect(symbols: &[&Symbol], n: usize, argument: &str) -> Result<()> {
    if symbols.len() == n {
        return Ok(());
    }
    Err(crate::err!(InvalidValue, "expected {n} symbols, got {}", symbols.len()).about(argument))
}

/// The number of outputs of a step that are no states.
fn num_outs(step: &Step, states: usize) -> Result<usize> {
    step.outputs.len().checked_sub(states).ok_or_else(|| {
        crate::err!(InvalidValue, "expected {states} states, got {}", step.outputs.len()).about("outputs")
    })
}

/// Where the variables of a step are among the inputs of its body.
fn variables_of(step: &Step, names: &[String]) -> Result<Vec<usize>> {
    let at = |v: &&Symbol| {
        let name = &single(v, "variables")?.node.name;
        names.iter().position(|n| n == name).ok_or_else(|| {
            crate::err!(InvalidValue, "expected a step that reads its rows and states, '{name}' is not read")
                .about("body")
        })
    };
    step.variables.iter().map(at).collect()
}

/// Numbers as Python writes a list.
fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("[{}]", numbers.join(", "))
}
