//! Automatic differentiation.

use crate::attr::{length, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{array, arrays, as_arrays, give, mxr_array_t};
use crate::op::request;
use crate::out::{out, places};
use crate::symbol::{make, mxr_symbol_t};
use mxr_core::autograd::{self, BackwardOptions};
use mxr_core::graph::Symbol;
use mxr_core::{NdArray, Result, err};
use std::ffi::{c_char, c_void};

/// Keep the graph for another backward.
pub const MXR_BACKWARD_RETAIN_GRAPH: u32 = 1;
/// Record the computation of the gradients, so that they can be differentiated.
pub const MXR_BACKWARD_CREATE_GRAPH: u32 = 2;
/// The model is being trained.
pub const MXR_BACKWARD_TRAINING: u32 = 4;

fn options(flags: u32) -> BackwardOptions {
    BackwardOptions {
        retain_graph: flags & MXR_BACKWARD_RETAIN_GRAPH != 0,
        create_graph: flags & MXR_BACKWARD_CREATE_GRAPH != 0,
        training: flags & MXR_BACKWARD_TRAINING != 0,
    }
}

/// Handles of which some may be NULL; NULL itself means that all are.
pub(crate) unsafe fn optional(
    handles: *const *mut mxr_array_t,
    n: i32,
    argument: &str,
) -> Result<Vec<Option<NdArray>>> {
    let n = length(n.into(), argument)?;
    if handles.is_null() {
        return Ok(vec![None; n]);
    }
    // SAFETY: the caller promises `n` handles or NULLs.
    let handles = unsafe { slice(handles, n, argument) }?;
    let each = |h: &*mut mxr_array_t| {
        if h.is_null() {
            return Ok(None);
        }
        // SAFETY: as above.
        unsafe { array(*h, argument) }.map(|a| Some((*a).clone()))
    };
    handles.iter().map(each).collect()
}

/// Makes arrays variables: `mxr_autograd_backward` leaves their gradients in `gradients`, as `requests` say
/// (`MXR_REQUEST_WRITE`, `MXR_REQUEST_ADD` or `MXR_REQUEST_NULL`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_autograd_mark(
    variables: *const *mut mxr_array_t,
    gradients: *const *mut mxr_array_t,
    requests: *const i32,
    n: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives `n` handles of each and `n` requests.
        unsafe {
            let variables = arrays(variables, n, "variables")?;
            let gradients = arrays(gradients, n, "gradients")?;
            let requests = slice(requests, variables.len(), "requests")?;
            let requests: Vec<_> = requests.iter().map(|r| request(*r)).collect::<Result<_>>()?;
            autograd::mark_variables(as_arrays(&variables), as_arrays(&gradients), &requests)
        }
    })
}

/// The gradient array of a variable, a new reference; NULL if the array is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_grad(
    array: *mut mxr_array_t,
    gradient: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let gradient = out(gradient, "gradient")?;
            let a = self::array(array, "array")?;
            gradient.write(autograd::gradient_of(&a).map_or(std::ptr::null_mut(), give));
        }
        Ok(())
    })
}

/// 1 if autograd knows the array, as a variable or as the result of a recorded operation, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_is_recorded(array: *mut mxr_array_t) -> i32 {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { self::array(array, "array") }.map_or(0, |a| i32::from(a.is_recorded()))
}

/// Leaves the gradients of the sum of all heads, each weighted by its head gradient (NULL: ones), in the
/// gradient arrays of the variables. `flags` are `MXR_BACKWARD_…`. @nullable head_grads
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_autograd_backward(
    heads: *const *mut mxr_array_t,
    head_grads: *const *mut mxr_array_t,
    num_heads: i32,
    flags: u32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives `num_heads` handles of each; head gradients may be NULL.
        unsafe {
            let heads = arrays(heads, num_heads, "heads")?;
            let head_grads = optional(head_grads, num_heads, "head_grads")?;
            autograd::backward(as_arrays(&heads), &head_grads, options(flags))
        }
    })
}

/// The gradients with respect to `variables` as new arrays, one for each, which the caller owns.
/// @nullable head_grads
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_autograd_grad(
    heads: *const *mut mxr_array_t,
    head_grads: *const *mut mxr_array_t,
    num_heads: i32,
    variables: *const *mut mxr_array_t,
    num_variables: i32,
    flags: u32,
    gradients: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles and places as it says.
        unsafe {
            let gradients = places(gradients, length(num_variables.into(), "variables")?, "gradients")?;
            let heads = arrays(heads, num_heads, "heads")?;
            let head_grads = optional(head_grads, num_heads, "head_grads")?;
            let variables = arrays(variables, num_variables, "variables")?;
            let found =
                autograd::grad(as_arrays(&heads), &head_grads, as_arrays(&variables), options(flags))?;
            for (place, gradient) in gradients.iter_mut().zip(found) {
                place.write(give(gradient));
            }
        }
        Ok(())
    })
}

/// The computation of recorded arrays as a symbol with an output for each. Its variables are called `var0`,
/// `var1`, … for arrays with gradients, in the order in which these were attached, then `null2`, … for other
/// arrays in the order of their use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_autograd_symbol(
    heads: *const *mut mxr_array_t,
    num_heads: i32,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives `num_heads` handles and a place for the symbol.
    unsafe { make(symbol, "symbol", || Symbol::recorded(as_arrays(&arrays(heads, num_heads, "heads")?))) }
}

/// Computes the gradients of a user-defined function on the thread that runs backward.
///
/// `output_grads` are borrowed. The function puts `num_inputs` handles, whose references it gives away, into
/// `input_grads` and returns NULL, or an error made by `mxr_error_new`.
pub type mxr_backward_fn = Option<
    unsafe extern "C" fn(
        payload: *mut c_void,
        output_grads: *const *mut mxr_array_t,
        num_outputs: i32,
        input_grads: *mut *mut mxr_array_t,
        num_inputs: i32,
    ) -> *mut mxr_error_t,
>;

/// A callback with what belongs to it; dropped on whatever thread forgets the graph last, through the queue.
struct Custom {
    call: unsafe extern "C" fn(
        *mut c_void,
        *const *mut mxr_array_t,
        i32,
        *mut *mut mxr_array_t,
        i32,
    ) -> *mut mxr_error_t,
    payload: *mut c_void,
    num_inputs: usize,
    deleter: Option<mxr_core::storage::Deleter>,
}
// SAFETY: the ABI says that the callback is called on the thread that runs backward, one call at a time.
unsafe impl Send for Custom {}
// SAFETY: as above.
unsafe impl Sync for Custom {}

impl Drop for Custom {
    fn drop(&mut self) {
        if let Some(deleter) = self.deleter.take() {
            deleter();
        }
    }
}

impl Custom {
    fn run(&self, output_grads: &[NdArray]) -> Result<Vec<NdArray>> {
        let given: Vec<*mut mxr_array_t> = output_grads.iter().map(|a| give(a.clone())).collect();
        let mut results = vec![std::ptr::null_mut(); self.num_inputs];
        // SAFETY: the caller's function, with as many handles and places as it is told.
        let error = unsafe {
            (self.call)(
                self.payload,
                given.as_ptr(),
                given.len() as i32,
                results.as_mut_ptr(),
                results.len() as i32,
            )
        };
        for handle in given {
            // SAFETY: these references were made above.
            unsafe { crate::handle::mxr_array_free(handle) };
        }
        // SAFETY: the callback gave its references away.
        let taken = |h: *mut mxr_array_t| unsafe {
            let a = array(h, "input_grads").map(|a| (*a).clone());
            crate::handle::mxr_array_free(h);
            a
        };
        if !error.is_null() {
            results.into_iter().filter(|h| !h.is_null()).for_each(|h| drop(taken(h)));
            // SAFETY: the callback gave the error away.
            return Err(unsafe { Box::from_raw(error) }.into_error());
        }
        results.into_iter().map(taken).collect()
    }
}

/// Records `outputs` as made from `inputs` by a function of the caller's, whose gradient `backward` computes.
/// @nullable payload, drop
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_autograd_record_custom(
    name: *const c_char,
    inputs: *const *mut mxr_array_t,
    num_inputs: i32,
    outputs: *const *mut mxr_array_t,
    num_outputs: i32,
    backward: mxr_backward_fn,
    payload: *mut c_void,
    drop: crate::array::mxr_drop_fn,
) -> *mut mxr_error_t {
    guard(|| {
        let deleter = crate::events::deleter(drop, payload);
        // SAFETY: the caller gives as many handles as it says, and a C string.
        unsafe {
            let name = string(name, "name")?.to_owned();
            let inputs = arrays(inputs, num_inputs, "inputs")?;
            let outputs = arrays(outputs, num_outputs, "outputs")?;
            let call = backward
                .ok_or_else(|| err!(InvalidValue, "expected a function, got NULL").about("backward"))?;
            let custom = Custom { call, payload, num_inputs: inputs.len(), deleter: Some(deleter) };
            let run = Box::new(move |grads: &[NdArray]| custom.run(grads));
            autograd::record_custom(&name, as_arrays(&inputs), as_arrays(&outputs), run)
        }
    })
}
