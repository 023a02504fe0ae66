//! Symbols that are called like operators.

use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, as_arrays, give, mxr_array_t};
use crate::op::{mode, mxr_call_t};
use crate::out::{out, places};
use crate::plan::{mxr_plan_options_t, options};
use crate::shared::{self, Handle, behind};
use crate::symbol::{mxr_symbol_t, symbol};
use mxr_core::graph::cached_op::CachedOp;
use std::sync::Arc;

/// A symbol that is called like an operator.
pub struct mxr_cached_op_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_cached_op_t {
    type Thing = CachedOp;
    const NAME: &'static str = "cached operator";
}

/// Makes a call of a symbol, which is compiled for each combination of input types when it first comes. With
/// `keep_memory` not 0 the memory of a call is kept for the next. @nullable options
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_cached_op_new(
    symbol: *const mxr_symbol_t,
    keep_memory: i32,
    options: *const mxr_plan_options_t,
    cached_op: *mut *mut mxr_cached_op_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, a struct or NULL, and a place for the new handle.
        unsafe {
            let cached_op = out(cached_op, "cached_op")?;
            let symbol = self::symbol(symbol, "symbol")?;
            let made = CachedOp::new(symbol, keep_memory != 0, self::options(options)?.0);
            cached_op.write(shared::give(Arc::new(made)));
        }
        Ok(())
    })
}

/// Calls it on arrays for all variables, in the order of `MXR_LIST_INPUTS`. `outputs` has a place for each output,
/// which receives a new array. While recording, the call is one operation on the tape. @nullable call
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_cached_op_call(
    cached_op: *const mxr_cached_op_t,
    inputs: *const *mut mxr_array_t,
    num_inputs: i32,
    call: *const mxr_call_t,
    outputs: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives handles, as many as it says, a struct or NULL, and places for the outputs.
        unsafe {
            let op = behind(cached_op, "cached_op")?;
            let outputs = places(outputs, op.symbol().outputs.len(), "outputs")?;
            let inputs = arrays(inputs, num_inputs, "inputs")?;
            let made = op.call(as_arrays(&inputs), &mode(call)?)?;
            for (place, output) in outputs.iter_mut().zip(made) {
                place.write(give(output));
            }
        }
        Ok(())
    })
}

/// Takes another reference to a cached operator, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_cached_op_retain(cached_op: *mut mxr_cached_op_t) -> *mut mxr_cached_op_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(cached_op) }
}

/// Gives a reference back. NULL is allowed; pending work is not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_cached_op_free(cached_op: *mut mxr_cached_op_t) {
    // SAFETY: the caller gives a handle that owns a reference, or NULL.
    unsafe { shared::free(cached_op) }
}
