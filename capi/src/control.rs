//! Symbols with loops and branches.

use crate::attr::string;
use crate::error::mxr_error_t;
use crate::plan::known_part;
use crate::symbol::{make, mxr_symbol_t, symbols};
use crate::text::pairs;
use mxr_core::graph::Symbol;
use mxr_core::graph::control::cut::{self, Named, Step};
use mxr_core::{Result, err};
use std::ffi::c_char;

/// What is run in a step of a loop, or in a branch. Its nodes are those whose attribute `__subgraph_name__`
/// is `scope`; whatever else they read becomes an input of the loop.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_body_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// Number of variables.
    pub num_variables: i32,
    /// Value of `__subgraph_name__` of its nodes.
    pub scope: *const c_char,
    /// Variables that stand for the rows of data, if there are any, then those that stand for the states.
    pub variables: *const *mut mxr_symbol_t,
    /// What is made of them: outputs, then the states of the next step.
    pub outputs: *const *mut mxr_symbol_t,
    /// Number of outputs and states together.
    pub num_outputs: i32,
    /// Unused.
    pub reserved: i32,
}

/// A body with its symbols.
struct Parts<'a> {
    scope: &'a str,
    variables: Vec<&'a Symbol>,
    outputs: Vec<&'a Symbol>,
}

impl Parts<'_> {
    unsafe fn of<'a>(body: *const mxr_body_t, argument: &str) -> Result<Parts<'a>> {
        if body.is_null() {
            return Err(err!(InvalidValue, "expected a body, got NULL").about(argument));
        }
        let none = mxr_body_t {
            struct_size: 0,
            num_variables: 0,
            scope: std::ptr::null(),
            variables: std::ptr::null(),
            outputs: std::ptr::null(),
            num_outputs: 0,
            reserved: 0,
        };
        // SAFETY: the caller's struct says how many symbols there are.
        unsafe {
            let body = known_part(body, none);
            Ok(Parts {
                scope: string(body.scope, "scope")?,
                variables: symbols(body.variables, body.num_variables, "variables")?,
                outputs: symbols(body.outputs, body.num_outputs, "outputs")?,
            })
        }
    }

    fn step(&self) -> Step<'_> {
        Step { scope: self.scope, variables: &self.variables, outputs: &self.outputs }
    }
}

/// A loop over the rows of `data`: a call of `_foreach`.
///
/// The variables of `body` stand for a row of each of `data` and for `states`. The outputs of the symbol are
/// those of the body, stacked, then the states after the last row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_foreach(
    name: *const c_char,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    data: *const *mut mxr_symbol_t,
    num_data: i32,
    states: *const *mut mxr_symbol_t,
    num_states: i32,
    body: *const mxr_body_t,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives C strings, handles and a body, as many as it says, and a place for the new handle.
    unsafe {
        make(symbol, "symbol", || {
            let (name, attrs) = (string(name, "name")?, pairs(keys, values, num_attrs)?);
            let (data, states) = (symbols(data, num_data, "data")?, symbols(states, num_states, "states")?);
            cut::foreach(Named { name, attrs: &attrs }, &data, &states, Parts::of(body, "body")?.step())
        })
    }
}

/// A loop as long as `cond` gives a number that is not zero, of `max_iterations` steps at most: a call of
/// `_while_loop`.
///
/// The variables of both bodies stand for `states`; `cond` has one output of one element. The outputs of the
/// symbol are those of `func`, stacked, with rows of zeros for steps that are not taken, then the states
/// after the last step.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_while_loop(
    name: *const c_char,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    states: *const *mut mxr_symbol_t,
    num_states: i32,
    cond: *const mxr_body_t,
    func: *const mxr_body_t,
    max_iterations: i64,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives C strings, handles and bodies, as many as it says, and a place for the new handle.
    unsafe {
        make(symbol, "symbol", || {
            let (name, attrs) = (string(name, "name")?, pairs(keys, values, num_attrs)?);
            let (cond, func) = (Parts::of(cond, "cond")?, Parts::of(func, "func")?);
            let states = symbols(states, num_states, "states")?;
            cut::while_loop(Named { name, attrs: &attrs }, &states, cond.step(), func.step(), max_iterations)
        })
    }
}

/// What `then` makes if `pred`, of one element, is not zero, else what `otherwise` makes: a call of `_cond`.
/// The bodies have no variables of their own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_cond(
    name: *const c_char,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_attrs: i32,
    pred: *const mxr_body_t,
    then: *const mxr_body_t,
    otherwise: *const mxr_body_t,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives C strings and bodies, as many as it says, and a place for the new handle.
    unsafe {
        make(symbol, "symbol", || {
            let (name, attrs) = (string(name, "name")?, pairs(keys, values, num_attrs)?);
            let (pred, then, otherwise) =
                (Parts::of(pred, "pred")?, Parts::of(then, "then")?, Parts::of(otherwise, "otherwise")?);
            cut::cond(Named { name, attrs: &attrs }, pred.step(), then.step(), otherwise.step())
        })
    }
}
