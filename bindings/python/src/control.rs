//! Symbols with loops and branches, composed by the library.

use crate::abi::{mxr_body_t, mxr_symbol_t};
use crate::library::abi;
use crate::symbol::{SymbolHandle, Texts, c_text};
use pyo3::prelude::*;
use std::ffi::CString;

type Symbols<'py> = Vec<Bound<'py, SymbolHandle>>;

/// Scope, variables and outputs of a body.
type Given<'py> = (String, Symbols<'py>, Symbols<'py>);

/// Name and attributes of a node.
type Named = (String, Vec<(String, String)>);

fn pointers(symbols: &Symbols<'_>) -> Vec<*mut mxr_symbol_t> {
    symbols.iter().map(|s| s.get().ptr()).collect()
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
    let (name, attrs) = named;
    let (name, (keys, values), body) = (c_text(&name)?, Texts::pairs(&attrs)?, Body::new(&body)?);
    let view = body.view();
    let (data, states) = (pointers(&data), pointers(&states));
    // SAFETY: handles are live while their objects are borrowed, texts and lists live for the call.
    SymbolHandle::made(py, |out| unsafe {
        (abi().mxr_symbol_foreach)(
            name.as_ptr(),
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            attrs.len() as i32,
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
    let (name, attrs) = named;
    let (name, (keys, values)) = (c_text(&name)?, Texts::pairs(&attrs)?);
    let (cond, func, states) = (Body::new(&cond)?, Body::new(&func)?, pointers(&states));
    let (cond_view, func_view) = (cond.view(), func.view());
    // SAFETY: as above.
    SymbolHandle::made(py, |out| unsafe {
        (abi().mxr_symbol_while_loop)(
            name.as_ptr(),
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            attrs.len() as i32,
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
    let (name, attrs) = named;
    let (name, (keys, values)) = (c_text(&name)?, Texts::pairs(&attrs)?);
    let bodies = [Body::new(&pred)?, Body::new(&then)?, Body::new(&otherwise)?];
    let [pred, then, otherwise] = [0, 1, 2].map(|i| bodies[i].view());
    // SAFETY: as above.
    SymbolHandle::made(py, |out| unsafe {
        (abi().mxr_symbol_cond)(
            name.as_ptr(),
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            attrs.len() as i32,
            &raw const pred,
            &raw const then,
            &raw const otherwise,
            out,
        )
    })
}
