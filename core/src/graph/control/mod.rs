//! Control flow: `_foreach`, `_while_loop` and `_cond`, operators whose attributes are graphs.
//!
//! A [`Body`] is compiled once for each combination of types and run by [`Running`] on the memory that the
//! operator's kernel was given: no iteration passes through the engine. [`wiring`] says which inputs of an
//! operator are which of its body, [`steps`] runs loops forward and back, [`cut`] makes bodies from parts of
//! a symbol.
//!
//! Gradients recompute: backward runs the loop again keeping only the states before each step, then goes back
//! step by step, running each step's forward calls once more before its backward ones. It needs the memory of
//! one step and of as many states as there were steps. A hidden last output of each operator, its [`Trace`],
//! says which random numbers were drawn and what was found out while running, so that what runs again draws
//! and does the same. Where gradients must be differentiable themselves, backward runs the steps call by call on
//! the tape instead ([`unroll`]).

/// The methods of [`Operator`](crate::op::Operator) that all three have: outputs that a user sees, then the trace;
/// calls that may be run again, in one piece or call by call; states that are listed as arguments, as MXNet does.
macro_rules! traced_outputs {
    () => {
        fn num_outputs(&self) -> usize {
            super::count(self.num_outputs) + 1
        }

        fn num_visible_outputs(&self) -> usize {
            super::count(self.num_outputs)
        }

        fn num_listed_outputs(&self) -> usize {
            super::count(self.num_outputs)
        }

        fn output_name(&self, i: usize) -> Option<String> {
            Some(super::output_name(i, self.num_visible_outputs()))
        }

        fn repeatable(&self) -> bool {
            true
        }

        fn lists_as_state(&self, _i: usize) -> Option<bool> {
            Some(false)
        }

        fn unrolls(&self) -> bool {
            true
        }
    };
}

mod body;
mod branch;
pub mod cut;
mod foreach;
mod running;
mod steps;
mod trace;
mod unroll;
mod while_loop;
mod wiring;

pub use body::Body;
pub use branch::{BranchBackward, Cond};
pub use foreach::Foreach;
pub use steps::LoopBackward;
pub use while_loop::WhileLoop;

use crate::error::Result;
use crate::op::registry::Entry;
use crate::op::{OpRef, SubgraphRef};
use crate::shape::Shape;
use trace::Trace;

/// The operators, for the registry.
pub(crate) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<Foreach>(),
        Entry::of::<WhileLoop>(),
        Entry::of::<Cond>(),
        Entry::of::<LoopBackward>(),
        Entry::of::<BranchBackward>(),
    ]
}

/// Checks attributes that must fit a body, which come from files.
///
/// # Errors
/// `InvalidValue` about the attribute that does not fit; `Unsupported` for the operators that only gradients
/// call.
pub(crate) fn check(op: &OpRef) -> Result<()> {
    let any = op.op.as_any();
    if any.is::<LoopBackward>() || any.is::<BranchBackward>() {
        crate::bail!(Unsupported, "'{}' is called by gradients only", op.def.meta.name);
    }
    let checked = match (any.downcast_ref::<Foreach>(), any.downcast_ref::<WhileLoop>()) {
        (Some(foreach), _) => foreach.check_attrs(),
        (_, Some(while_loop)) => while_loop.check_attrs(),
        _ => any.downcast_ref::<Cond>().map_or(Ok(()), Cond::check_attrs),
    };
    checked.map_err(|e| e.in_operator(op.def.meta.name))
}

/// The body that an attribute is.
pub(super) fn body(graph: &SubgraphRef) -> &Body {
    graph.0.as_any().downcast_ref().expect("only this module makes graphs that are attributes")
}

/// Places in a list of `n`, from an attribute.
fn places(attr: &Shape, name: &str, n: usize) -> Result<Vec<usize>> {
    let place = |i: &i64| usize::try_from(*i).ok().filter(|i| *i < n);
    attr.iter().map(place).collect::<Option<_>>().ok_or_else(|| {
        crate::err!(InvalidValue, "expected numbers from 0 to before {n}, got {attr}").about(name)
    })
}

/// The number of inputs of an operator whose attribute `num_args` counts `graphs` bodies too.
fn inputs_among(num_args: i64, graphs: i64) -> usize {
    usize::try_from(num_args.saturating_sub(graphs)).unwrap_or(0)
}

/// A number of outputs, from an attribute.
fn count(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// The name of output `i` of an operator with `visible` of them.
fn output_name(i: usize, visible: usize) -> String {
    if visible == 1 { "output".to_owned() } else { format!("output{i}") }
}

/// Refuses an attribute that counts something else than there is.
fn expect_count(name: &str, expected: usize, got: i64) -> Result<()> {
    if got == expected as i64 {
        return Ok(());
    }
    Err(crate::err!(InvalidValue, "expected {expected}, got {got}").about(name))
}
