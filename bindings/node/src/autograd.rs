//! Automatic differentiation.

use crate::array::{Kept, array, made_or_null};
use crate::error::{Failure, carry, check};
use crate::handles::{New, Of, list, optional_list};
use crate::js::{Call, Env, FromJs, Result, ToJs};
use mxr_abi::abi;
use mxr_abi::ffi::{self, mxr_array_t, mxr_error_t};
use napi_sys::{self as sys, napi_ref, napi_value};
use std::ffi::{CString, c_void};
use std::ptr;

/// `setCall(flags, kind, id)`: how calls are made from now on.
pub fn set_call(call: &Call) -> Result<napi_value> {
    let state = call.env.state();
    state.call.set(ffi::mxr_call_t {
        flags: call.get(0, "flags")?,
        device_kind: call.get(1, "ctx")?,
        device_id: call.get(2, "ctx")?,
        ..state.call.get()
    });
    call.give(())
}

/// `mark(variables, gradients, requests)`
pub fn mark(call: &Call) -> Result<napi_value> {
    let variables = list::<mxr_array_t>(call, 0, "variables")?;
    let gradients = list::<mxr_array_t>(call, 1, "gradients")?;
    let requests = call.get::<Vec<i32>>(2, "requests")?;
    let n = variables.len();
    if gradients.len() != n || requests.len() != n {
        return Err(Failure::wrong_value("gradients", "expected as many as variables"));
    }
    // SAFETY: all lists have the length that is said.
    check(unsafe {
        (abi().mxr_autograd_mark)(variables.as_ptr(), gradients.as_ptr(), requests.as_ptr(), n as i32)
    })?;
    call.give(())
}

/// `arrayGrad(array)`: null if it is no variable.
pub fn gradient(call: &Call) -> Result<napi_value> {
    let array = array(call, 0)?;
    // SAFETY: the handle is live.
    made_or_null(call, |out| unsafe { (abi().mxr_array_grad)(array, out) })
}

/// `arrayIsRecorded(array)`
pub fn is_recorded(call: &Call) -> Result<napi_value> {
    let array = array(call, 0)?;
    // SAFETY: the handle is live.
    call.give(unsafe { (abi().mxr_array_is_recorded)(array) } == 1)
}

/// Heads and their gradients, as many; NULL means ones.
fn heads(call: &Call) -> Result<(Kept, Kept)> {
    let heads = list::<mxr_array_t>(call, 0, "heads")?;
    let mut gradients = optional_list::<mxr_array_t>(call, 1, "head_grads")?;
    if gradients.is_empty() {
        gradients.resize(heads.len(), ptr::null_mut());
    }
    if gradients.len() != heads.len() {
        let message = format!("expected {}, one for each head, got {}", heads.len(), gradients.len());
        return Err(Failure::wrong_value("head_grads", &message));
    }
    Ok((Kept::new(heads), Kept::new(gradients)))
}

/// `backward(heads, headGrads, flags)`
pub fn backward(call: &Call) -> Result<napi_value> {
    let ((heads, gradients), flags) = (heads(call)?, call.get(2, "flags")?);
    let n = heads.0.len() as i32;
    // SAFETY: both lists have the length that is said, and their arrays are kept.
    check(unsafe { (abi().mxr_autograd_backward)(heads.0.as_ptr(), gradients.0.as_ptr(), n, flags) })?;
    call.give(())
}

/// `grad(heads, headGrads, variables, flags)`: the gradients as new arrays.
pub fn grad(call: &Call) -> Result<napi_value> {
    let (heads, gradients) = heads(call)?;
    let variables = Kept::new(list::<mxr_array_t>(call, 2, "variables")?);
    let flags = call.get(3, "flags")?;
    let mut found = vec![ptr::null_mut(); variables.0.len()];
    // SAFETY: all lists have the length that is said, and their arrays are kept.
    check(unsafe {
        (abi().mxr_autograd_grad)(
            heads.0.as_ptr(),
            gradients.0.as_ptr(),
            heads.0.len() as i32,
            variables.0.as_ptr(),
            variables.0.len() as i32,
            flags,
            found.as_mut_ptr(),
        )
    })?;
    call.give(found.into_iter().map(New).collect::<Vec<_>>())
}

/// `autogradSymbol(heads)`: what was recorded, as a symbol.
pub fn symbol(call: &Call) -> Result<napi_value> {
    let heads = list::<mxr_array_t>(call, 0, "heads")?;
    // SAFETY: there are as many handles as is said.
    crate::symbol::made(call, |out| unsafe {
        (abi().mxr_autograd_symbol)(heads.as_ptr(), heads.len() as i32, out)
    })
}

/// A function of JavaScript's that the library calls, on the thread on which it was made.
pub struct Callback {
    env: Env,
    function: napi_ref,
    thread: std::thread::ThreadId,
}

impl Callback {
    /// Keeps a function.
    pub fn new(call: &Call, i: usize) -> Result<Box<Callback>> {
        let (env, mut function) = (call.env, ptr::null_mut());
        // SAFETY: the instance and the value are live.
        env.check(unsafe { sys::napi_create_reference(env.0, call.raw(i), 1, &raw mut function) })?;
        Ok(Box::new(Callback { env, function, thread: std::thread::current().id() }))
    }

    /// The instance that it is of.
    pub fn env(&self) -> Env {
        self.env
    }

    /// Calls it, and has `take` read what it gives, while that is live.
    pub fn call<T>(
        &self,
        arguments: impl FnOnce(Env) -> Result<Vec<napi_value>>,
        take: impl FnOnce(Env, napi_value) -> Result<T>,
    ) -> Result<T> {
        let env = self.env;
        if std::thread::current().id() != self.thread {
            return Err(Failure::internal("a function was called on another worker than the one it is of"));
        }
        let mut scope = ptr::null_mut();
        // SAFETY: the instance is live, since its thread is inside a call of it.
        env.check(unsafe { sys::napi_open_handle_scope(env.0, &raw mut scope) })?;
        let run = || {
            let (arguments, receiver) = (arguments(env)?, env.undefined()?);
            // SAFETY: as above; the reference keeps the function.
            let value = env.made(|out| unsafe {
                let mut function = ptr::null_mut();
                sys::napi_get_reference_value(env.0, self.function, &raw mut function);
                let (n, data) = (arguments.len(), arguments.as_ptr());
                sys::napi_call_function(env.0, receiver, function, n, data, out)
            })?;
            take(env, value)
        };
        let outcome = run();
        // SAFETY: what was opened is closed.
        unsafe { sys::napi_close_handle_scope(env.0, scope) };
        outcome
    }
}

/// Lets go of a callback, on whatever thread.
pub unsafe extern "C" fn drop_callback(payload: *mut c_void) {
    // SAFETY: the payload is a callback, which is dropped once.
    let callback = unsafe { Box::from_raw(payload.cast::<Callback>()) };
    if std::thread::current().id() == callback.thread {
        // SAFETY: the thread is the instance's, and the reference is deleted once.
        unsafe { sys::napi_delete_reference(callback.env.0, callback.function) };
    }
}

/// `recordCustom(name, inputs, outputs, backward)`: `backward` gets the gradients of the outputs, as slots, and gives
/// those of the inputs.
pub fn record_custom(call: &Call) -> Result<napi_value> {
    let name = call.get::<CString>(0, "name")?;
    let inputs = list::<mxr_array_t>(call, 1, "inputs")?;
    let outputs = list::<mxr_array_t>(call, 2, "outputs")?;
    let payload = Box::into_raw(Callback::new(call, 3)?);
    // SAFETY: lists have the length that is said; the payload stays until it is dropped.
    let error = unsafe {
        (abi().mxr_autograd_record_custom)(
            name.as_ptr(),
            inputs.as_ptr(),
            inputs.len() as i32,
            outputs.as_ptr(),
            outputs.len() as i32,
            Some(run_backward),
            payload.cast(),
            Some(drop_callback),
        )
    };
    let outcome = check(error);
    if outcome.is_err() {
        // SAFETY: the library did not take it.
        unsafe { drop_callback(payload.cast()) };
    }
    outcome?;
    call.give(())
}

/// Calls the function in `payload` with the output gradients, and takes the arrays it gives.
unsafe extern "C" fn run_backward(
    payload: *mut c_void,
    output_grads: *const *mut mxr_array_t,
    num_outputs: i32,
    input_grads: *mut *mut mxr_array_t,
    num_inputs: i32,
) -> *mut mxr_error_t {
    // SAFETY: the payload is a callback, and the lists have the length that is said.
    let (callback, given, places) = unsafe {
        (
            &*payload.cast::<Callback>(),
            std::slice::from_raw_parts(output_grads, num_outputs as usize),
            std::slice::from_raw_parts_mut(input_grads, num_inputs as usize),
        )
    };
    let arguments = |env: Env| {
        // SAFETY: the arrays are borrowed; JavaScript gets references of its own.
        let kept = given.iter().map(|array| New(unsafe { (abi().mxr_array_retain)(*array) }));
        Ok(vec![kept.collect::<Vec<_>>().to_js(env)?])
    };
    let take = |env: Env, value| {
        let found = Vec::<Of<mxr_array_t>>::from_js(env, value, "gradients")?;
        if found.len() != places.len() {
            let message = format!("expected {}, one for each input, got {}", places.len(), found.len());
            return Err(Failure::wrong_value("gradients", &message));
        }
        for (place, array) in places.iter_mut().zip(found) {
            // SAFETY: the handle is live; the library gets a reference of its own.
            *place = unsafe { (abi().mxr_array_retain)(array.0) };
        }
        Ok(())
    };
    match callback.call(arguments, take) {
        Ok(()) => ptr::null_mut(),
        Err(failure) => carry(callback.env, failure),
    }
}
