//! Symbols that are called like operators.

use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, as_arrays, came_back, check, give, given, mxr_array_t};
use crate::op::{mode, mxr_call_t};
use crate::plan::{mxr_plan_options_t, options};
use crate::symbol::{mxr_symbol_t, symbol};
use mxr_core::Result;
use mxr_core::graph::cached_op::CachedOp;
use std::sync::Arc;

/// A symbol that is called like an operator.
pub struct mxr_cached_op_t {
    _opaque: [u8; 0],
}

const CACHED_OP: &str = "cached operator";

unsafe fn cached_op<'a>(handle: *const mxr_cached_op_t) -> Result<&'a CachedOp> {
    check(handle, CACHED_OP, "cached_op")?;
    // SAFETY: the handle came from `mxr_cached_op_new` and its owner keeps it during the call.
    Ok(unsafe { &*handle.cast::<CachedOp>() })
}

/// Makes a call of a symbol, which is compiled for each combination of input types when it first comes. With
/// `keep_memory` not 0 the memory of a call is kept for the next.
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
            let symbol = self::symbol(symbol, "symbol")?;
            let made = CachedOp::new(symbol, keep_memory != 0, self::options(options)?.0);
            let handle: *mut mxr_cached_op_t = Arc::into_raw(Arc::new(made)).cast_mut().cast();
            given(handle, CACHED_OP);
            *cached_op = handle;
        }
        Ok(())
    })
}

/// Calls it on arrays for all variables, in the order of `MXR_LIST_INPUTS`. `outputs` has a place for each output,
/// which receives a new array. While recording, the call is one operation on the tape.
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
            let inputs = arrays(inputs, num_inputs, "inputs")?;
            let made = self::cached_op(cached_op)?.call(as_arrays(&inputs), &mode(call)?)?;
            for (i, output) in made.into_iter().enumerate() {
                *outputs.add(i) = give(output);
            }
        }
        Ok(())
    })
}

/// Takes another reference to a cached operator, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_cached_op_retain(cached_op: *mut mxr_cached_op_t) -> *mut mxr_cached_op_t {
    if check(cached_op, CACHED_OP, "cached_op").is_err() {
        return std::ptr::null_mut();
    }
    // SAFETY: checked above; the caller gives a live handle.
    unsafe { Arc::increment_strong_count(cached_op.cast_const().cast::<CachedOp>()) };
    given(cached_op, CACHED_OP);
    cached_op
}

/// Gives a reference back. NULL is allowed; pending work is not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_cached_op_free(cached_op: *mut mxr_cached_op_t) {
    if !cached_op.is_null() && came_back(cached_op, CACHED_OP) {
        // SAFETY: the handle owns a reference, which ends here.
        drop(unsafe { Arc::from_raw(cached_op.cast_const().cast::<CachedOp>()) });
    }
}
