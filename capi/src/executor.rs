//! Executors: symbols bound to arrays.

use crate::attr::{length, owned_string, slice, string};
use crate::autograd::optional;
use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, as_arrays, give, mxr_array_t};
use crate::op::request;
use crate::out::out;
use crate::plan::{give_plan, known, mxr_known_t, mxr_plan_options_t, mxr_plan_t, options};
use crate::shared::{self, Handle, behind};
use crate::symbol::{mxr_symbol_t, symbol};
use crate::symbol_info::{MXR_LIST_ARGUMENTS, MXR_LIST_AUXILIARY_STATES, MXR_LIST_OUTPUTS};
use mxr_core::graph::executor::{Arena, Executor, Monitor};
use mxr_core::{NdArray, Result, err};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// A symbol bound to arrays.
pub struct mxr_executor_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_executor_t {
    type Thing = Executor;
    const NAME: &'static str = "executor";
}

/// The memory of an executor that another may share; NULL for none.
unsafe fn arena(handle: *const mxr_executor_t) -> Result<Option<Arc<Arena>>> {
    if handle.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { behind(handle, "shared") }.map(|e| Some(e.arena().clone()))
}

/// Runs a function that makes an executor for the place that an argument gives.
unsafe fn make(
    place: *mut *mut mxr_executor_t,
    argument: &str,
    f: impl FnOnce() -> Result<Executor>,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a place for the handle.
        let place = unsafe { out(place, argument) }?;
        place.write(shared::give(Arc::new(f()?)));
        Ok(())
    })
}

/// Binds a symbol to arrays for all its variables, in the order of `MXR_LIST_INPUTS`.
///
/// `gradients` is NULL, or has an array or NULL for each variable, which receives its gradient as `requests` say:
/// `MXR_REQUEST_…`. `shared` is NULL, or an executor that never runs at the same time and whose memory is shared.
/// @nullable gradients, requests, shared, options
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_bind(
    symbol: *const mxr_symbol_t,
    variables: *const *mut mxr_array_t,
    gradients: *const *mut mxr_array_t,
    requests: *const i32,
    num_variables: i32,
    shared: *const mxr_executor_t,
    options: *const mxr_plan_options_t,
    executor: *mut *mut mxr_executor_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives handles, as many arrays and numbers as it says, and a place for the new handle.
    unsafe {
        make(executor, "executor", || {
            let symbol = self::symbol(symbol, "symbol")?;
            let variables = as_arrays(&arrays(variables, num_variables, "variables")?).to_vec();
            let gradients = optional(gradients, num_variables, "gradients")?;
            let requests =
                if requests.is_null() { &[] } else { slice(requests, variables.len(), "requests")? };
            let requests = requests.iter().map(|r| request(*r)).collect::<Result<Vec<_>>>()?;
            let arena = arena(shared)?;
            Executor::bind(symbol, variables, gradients, requests, arena, self::options(options)?.0)
        })
    }
}

/// Binds a symbol to new arrays of zeros, whose types follow from what is known, with gradients as requested there.
/// @nullable known, shared, options
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_simple_bind(
    symbol: *const mxr_symbol_t,
    known: *const mxr_known_t,
    shared: *const mxr_executor_t,
    options: *const mxr_plan_options_t,
    executor: *mut *mut mxr_executor_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives handles, structs or NULL, and a place for the new handle.
    unsafe {
        make(executor, "executor", || {
            let symbol = self::symbol(symbol, "symbol")?;
            let (types, requests) = self::known(symbol, known)?;
            Executor::simple_bind(symbol, &types, requests, arena(shared)?, self::options(options)?.0)
        })
    }
}

/// Computes the outputs; `training` not 0 prepares for `mxr_executor_backward`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_forward(
    executor: *const mxr_executor_t,
    training: i32,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| unsafe { behind(executor, "executor")?.forward(training != 0).map(drop) })
}

/// Computes the gradients after a forward pass in training; outputs of losses need no head gradient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_backward(
    executor: *const mxr_executor_t,
    head_grads: *const *mut mxr_array_t,
    num_head_grads: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives handles, as many as it says.
        unsafe {
            let head_grads = arrays(head_grads, num_head_grads, "head_grads")?;
            behind(executor, "executor")?.backward(as_arrays(&head_grads))
        }
    })
}

/// Element `i` of a list, `MXR_LIST_ARGUMENTS`, `MXR_LIST_OUTPUTS` or `MXR_LIST_AUXILIARY_STATES`, of the
/// executor's arrays: a new reference. Every run overwrites the outputs, unless only running shows the shapes of the
/// symbol's operators: it then runs node by node, there are no outputs before the first run, and each run has its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_array(
    executor: *const mxr_executor_t,
    list: i32,
    i: i64,
    array: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let array = out(array, "array")?;
            let executor = behind(executor, "executor")?;
            let found = match list {
                MXR_LIST_ARGUMENTS => nth(executor.arguments().map(|(_, a)| a), i)?.clone(),
                MXR_LIST_AUXILIARY_STATES => nth(executor.auxiliary_states().map(|(_, a)| a), i)?.clone(),
                MXR_LIST_OUTPUTS => nth(executor.outputs()?.iter(), i)?.clone(),
                _ => return Err(err!(InvalidValue, "there is no list {list} of arrays").about("list")),
            };
            array.write(give(found));
        }
        Ok(())
    })
}

fn nth<T>(mut items: impl Iterator<Item = T>, i: i64) -> Result<T> {
    let found = usize::try_from(i).ok().and_then(|i| items.nth(i));
    found.ok_or_else(|| err!(Index, "there is no element {i}").about("i"))
}

/// The gradient of argument `i`, a new reference; NULL if none was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_gradient(
    executor: *const mxr_executor_t,
    i: i64,
    gradient: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let gradient = out(gradient, "gradient")?;
            let found = nth(behind(executor, "executor")?.gradients().map(|(_, g)| g), i)?;
            gradient.write(found.map_or(std::ptr::null_mut(), |g| give(g.clone())));
        }
        Ok(())
    })
}

/// Copies arrays to the variables of their names. With `allow_extra` not 0, names that no variable has are passed
/// over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_copy_params(
    executor: *const mxr_executor_t,
    names: *const *const c_char,
    params: *const *mut mxr_array_t,
    num_params: i32,
    allow_extra: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and as many names and arrays as it says.
        unsafe {
            let params = arrays(params, num_params, "params")?;
            let names = slice(names, length(num_params.into(), "num_params")?, "names")?;
            let pairs = names.iter().zip(as_arrays(&params)).map(|(n, a)| Ok((string(*n, "names")?, a)));
            let pairs: Vec<(&str, &NdArray)> = pairs.collect::<Result<_>>()?;
            behind(executor, "executor")?.copy_params_from(&pairs, allow_extra != 0)
        }
    })
}

/// An executor of the same symbol for other shapes. Arrays whose shape stays are shared, as is the memory for
/// activations; a variable may grow only with `allow_up_sizing` not 0. @nullable known
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_reshape(
    executor: *const mxr_executor_t,
    known: *const mxr_known_t,
    allow_up_sizing: i32,
    reshaped: *mut *mut mxr_executor_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle, a struct and a place for the new handle.
    unsafe {
        make(reshaped, "reshaped", || {
            let executor = behind(executor, "executor")?;
            let (types, _) = self::known(executor.symbol(), known)?;
            executor.reshape(&types, allow_up_sizing != 0)
        })
    }
}

/// The plan for prediction, or with `training` not 0 for training.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_plan(
    executor: *const mxr_executor_t,
    training: i32,
    plan: *mut *mut mxr_plan_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let plan = out(plan, "plan")?;
            plan.write(give_plan(behind(executor, "executor")?.plan(training != 0)?, vec![]));
        }
        Ok(())
    })
}

/// Sees an output of an operator: its name, and the array, both borrowed. Called on the thread that is inside
/// `mxr_executor_forward`.
pub type mxr_monitor_fn =
    Option<unsafe extern "C" fn(payload: *mut c_void, name: *const c_char, array: *mut mxr_array_t)>;

/// A callback with what belongs to it.
struct Watch {
    call: unsafe extern "C" fn(*mut c_void, *const c_char, *mut mxr_array_t),
    payload: *mut c_void,
    deleter: Option<mxr_core::storage::Deleter>,
}
// SAFETY: the ABI says that the callback is called on the thread that runs forward, one call at a time.
unsafe impl Send for Watch {}
// SAFETY: as above.
unsafe impl Sync for Watch {}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(deleter) = self.deleter.take() {
            deleter();
        }
    }
}

impl Watch {
    fn see(&self, name: &str, array: &NdArray) {
        let (name, array) = (owned_string(name), give(array.clone()));
        // SAFETY: the caller's function, with a text and a handle that live during the call.
        unsafe {
            (self.call)(self.payload, name, array);
            crate::handle::mxr_array_free(array);
            crate::attr::mxr_string_free(name);
        }
    }
}

/// Shows every output of every operator in forward passes to `monitor`; NULL ends it. `drop` is called with
/// `payload` when the callback is no longer needed. @nullable monitor, payload, drop
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_set_monitor(
    executor: *const mxr_executor_t,
    monitor: mxr_monitor_fn,
    payload: *mut c_void,
    drop: crate::array::mxr_drop_fn,
) -> *mut mxr_error_t {
    guard(|| {
        let deleter = crate::events::deleter(drop, payload);
        let watch = monitor.map(|call| Watch { call, payload, deleter: Some(deleter) });
        let monitor = watch.map(|w| -> Monitor { Box::new(move |name, array| w.see(name, array)) });
        // SAFETY: the caller gives a handle.
        unsafe { behind(executor, "executor")?.set_monitor(monitor) };
        Ok(())
    })
}

/// Takes another reference to an executor, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_retain(executor: *mut mxr_executor_t) -> *mut mxr_executor_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(executor) }
}

/// Gives a reference back. NULL is allowed; pending work is not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_executor_free(executor: *mut mxr_executor_t) {
    // SAFETY: the caller gives a handle that owns a reference, or NULL.
    unsafe { shared::free(executor) }
}
