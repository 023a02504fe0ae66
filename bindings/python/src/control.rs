//! Symbols with loops and branches, composed by the library.

use crate::abi::{mxr_body_t, mxr_symbol_t};
use crate::library::abi;
use crate::symbol::{SymbolHandle, Texts, c_text};
use pyo3::prelude::*;
use std::ffi::{CString, c_char};

type Symbols<'py> = Vec<Bound<'py, SymbolHandle>>;

/// Scope, variables and outputs of a body.
type Given<'py> = (String, Symbols<'py>, Symbols<'py>);

/// Name and attributes of a node.
type Named = (String, Vec<(String, String)>);

fn pointers(symbols: &Symbols<'_>) -> Vec<*mut mxr_symbol_t> {
    symbols.iter().map(|s| s.get().ptr()).collect()
}

/// What a node's name and attributes point to.
struct Node {
    name: CString,
    keys: Texts,
    values: Texts,
}

impl Node {
    fn new((name, attrs): &Named) -> PyResult<Node> {
        let (keys, values) = Texts::pairs(attrs)?;
        Ok(Node { name: c_text(name)?, keys, values })
    }

    /// Name, keys, values and their number, as the library takes them.
    fn parts(&self) -> (*const c_char, *const *const c_char, *const *const c_char, i32) {
        let (keys, values) = (&self.keys.pointers, &self.values.pointers);
        (self.name.as_ptr(), keys.as_ptr(), values.as_ptr(), keys.len() as i32)
    }
}

/// What a body's struct points to.
struct Body {
    scope: CString,
    variables: Vec<*mut mxr_symbol_t>,
    outputs: Vec<*mut mxr_symbol_t>,
}

impl Body {
    fn new((scope, variables, outputs): &Given<'_>) -> PyResult<Body> {
        Ok(Body { scope: c_text(scope)?, variables: pointers(variables), outputs: pointers(outputs) })
    }

    fn view(&self) -> mxr_body_t {
        mxr_body_t {
            struct_size: size_of::<mxr_body_t>() as u32,
            num_variables: self.variables.len() as i32,
            scope: self.scope.as_ptr(),
            variables: self.variables.as_ptr(),
            outputs: self.outputs.as_ptr(),
            num_outputs: self.outputs.len() as i32,
            reserved: 0,
        }
    }
}

/// A loop over the rows of `data`.
#[pyfunction]
pub fn symbol_foreach(
    py: Python<'_>,
    named: Named,
    data: Symbols<'_>,
    states: Symbols<'_>,
    body: Given<'_>,
) -> PyResult<SymbolHandle> {
    let (node, body) = (Node::new(&named)?, Body::new(&body)?);
    let ((name, keys, values, n), view) = (node.parts(), body.view());
    let (data, states) = (pointers(&data), pointers(&states));
    // SAFETY: handles are live while their objects are borrowed, texts and lists live for the call.
    SymbolHandle::made(py, |out| unsafe {
        (abi().mxr_symbol_foreach)(
            name,
            keys,
            values,
            n,
            data.as_ptr(),
            data.len() as i32,
            states.as_ptr(),
            states.len() as i32,
            &raw const view,
            out,
        )
    })
}

/// A loop as long as `cond` holds.
#[pyfunction]
pub fn symbol_while_loop(
    py: Python<'_>,
    named: Named,
    states: Symbols<'_>,
    cond: Given<'_>,
    func: Given<'_>,
    max_iterations: i64,
) -> PyResult<SymbolHandle> {
    let node = Node::new(&named)?;
    let (name, keys, values, n) = node.parts();
    let (cond, func, states) = (Body::new(&cond)?, Body::new(&func)?, pointers(&states));
    let (cond_view, func_view) = (cond.view(), func.view());
    // SAFETY: as above.
    SymbolHandle::made(py, |out| unsafe {
        (abi().mxr_symbol_while_loop)(
            name,
            keys,
            values,
            n,
            states.as_ptr(),
            states.len() as i32,
            &raw const cond_view,
            &raw const func_view,
            max_iterations,
            out,
        )
    })
}

/// One of two branches.
#[pyfunction]
pub fn symbol_cond(
    py: Python<'_>,
    named: Named,
    pred: Given<'_>,
    then: Given<'_>,
    otherwise: Given<'_>,
) -> PyResult<SymbolHandle> {
    let node = Node::new(&named)?;
    let (name, keys, values, n) = node.parts();
    let bodies = [Body::new(&pred)?, Body::new(&then)?, Body::new(&otherwise)?];
    let [pred, then, otherwise] = [0, 1, 2].map(|i| bodies[i].view());
    // SAFETY: as above.
    SymbolHandle::made(py, |out| unsafe {
        (abi().mxr_symbol_cond)(
            name,
            keys,
            values,
            n,
            &raw const pred,
            &raw const then,
            &raw const otherwise,
            out,
        )
    })
}
