//! Symbols with loops and branches, composed by the library.

use crate::handles::list;
use crate::js::{Call, Result};
use crate::symbol::{made, pairs};
use crate::texts::Texts;
use mxr_abi::abi;
use mxr_abi::ffi::{mxr_body_t, mxr_symbol_t};
use napi_sys::napi_value;

/// What a body's struct points to. In a call it is three arguments: scope, variables, outputs.
struct Body {
    scope: Texts,
    variables: Vec<*mut mxr_symbol_t>,
    outputs: Vec<*mut mxr_symbol_t>,
}

impl Body {
    fn read(call: &Call, i: usize) -> Result<Body> {
        let scope = Texts::one(&call.get::<String>(i, "scope")?)?;
        let (variables, outputs) = (list(call, i + 1, "variables")?, list(call, i + 2, "outputs")?);
        Ok(Body { scope, variables, outputs })
    }

    fn view(&self) -> mxr_body_t {
        mxr_body_t {
            struct_size: size_of::<mxr_body_t>() as u32,
            num_variables: self.variables.len() as i32,
            scope: self.scope.pointers[0],
            variables: self.variables.as_ptr(),
            outputs: self.outputs.as_ptr(),
            num_outputs: self.outputs.len() as i32,
            reserved: 0,
        }
    }
}

/// The name of a node, which is the first argument.
fn name(call: &Call) -> Result<Texts> {
    Texts::one(&call.get::<String>(0, "name")?)
}

/// `foreach(name, keys, values, data, states, scope, variables, outputs)`: a loop over the rows of `data`.
pub fn foreach(call: &Call) -> Result<napi_value> {
    let (name, (keys, values), body) = (name(call)?, pairs(call, 1)?, Body::read(call, 5)?);
    let data = list::<mxr_symbol_t>(call, 3, "data")?;
    let states = list::<mxr_symbol_t>(call, 4, "states")?;
    let view = body.view();
    // SAFETY: handles are live, texts and lists live for the call and are as long as is said.
    made(call, |out| unsafe {
        (abi().mxr_symbol_foreach)(
            name.pointers[0],
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            keys.len(),
            data.as_ptr(),
            data.len() as i32,
            states.as_ptr(),
            states.len() as i32,
            &raw const view,
            out,
        )
    })
}

/// `whileLoop(name, states, most, cond…, func…)`: a loop as long as `cond` holds.
pub fn while_loop(call: &Call) -> Result<napi_value> {
    let (name, states) = (name(call)?, list::<mxr_symbol_t>(call, 1, "states")?);
    let (most, none) = (call.get(2, "max_iterations")?, Texts::of(&[])?);
    let (cond, func) = (Body::read(call, 3)?, Body::read(call, 6)?);
    let (cond_view, func_view) = (cond.view(), func.view());
    // SAFETY: as above.
    made(call, |out| unsafe {
        (abi().mxr_symbol_while_loop)(
            name.pointers[0],
            none.pointers.as_ptr(),
            none.pointers.as_ptr(),
            0,
            states.as_ptr(),
            states.len() as i32,
            &raw const cond_view,
            &raw const func_view,
            most,
            out,
        )
    })
}

/// `cond(name, pred…, then…, otherwise…)`: one of two branches.
pub fn cond(call: &Call) -> Result<napi_value> {
    let (name, none) = (name(call)?, Texts::of(&[])?);
    let bodies = [Body::read(call, 1)?, Body::read(call, 4)?, Body::read(call, 7)?];
    let [pred, then, otherwise] = [0, 1, 2].map(|i| bodies[i].view());
    // SAFETY: as above.
    made(call, |out| unsafe {
        (abi().mxr_symbol_cond)(
            name.pointers[0],
            none.pointers.as_ptr(),
            none.pointers.as_ptr(),
            0,
            &raw const pred,
            &raw const then,
            &raw const otherwise,
            out,
        )
    })
}
