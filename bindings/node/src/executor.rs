//! Compiled symbols: plans, executors and cached operators.

use crate::array;
use crate::autograd::{Callback, drop_callback};
use crate::error::{Failure, check};
use crate::handles::{New, Of, list, optional_list};
use crate::js::{Call, Env, Result, ToJs};
use crate::symbol::symbol;
use crate::texts::{self, Texts, texts};
use crate::training::{Kept, keep};
use mxr_abi::abi;
use mxr_abi::ffi::{
    mxr_array_t, mxr_cached_op_t, mxr_executor_t, mxr_known_t, mxr_plan_options_t, mxr_plan_report_t,
    mxr_plan_t,
};
use napi_sys::napi_value;
use std::ffi::{c_char, c_void};
use std::ptr;

/// How to compile: an argument that is a list of flags, budget, kind and number of the device.
fn options(call: &Call, i: usize) -> Result<mxr_plan_options_t> {
    let [flags, budget, kind, id] = call.get::<Vec<i64>>(i, "options")?[..] else {
        return Err(Failure::internal("options of another length"));
    };
    let struct_size = size_of::<mxr_plan_options_t>() as u32;
    let (flags, device_kind, device_id) = (flags as u32, kind as i32, id as i32);
    Ok(mxr_plan_options_t { struct_size, flags, budget, device_kind, device_id })
}

/// What is known of a symbol's variables. In a call it is seven arguments.
struct Known {
    shape_names: Texts,
    shapes: Vec<Vec<i64>>,
    dtype_names: Texts,
    dtypes: Vec<i32>,
    request_names: Texts,
    requests: Vec<i32>,
    others: i32,
    sizes: Vec<*const i64>,
    num_axes: Vec<i32>,
}

impl Known {
    fn read(call: &Call, i: usize) -> Result<Known> {
        let shapes = call.get::<Vec<Vec<i64>>>(i + 1, "shapes")?;
        let known = Known {
            sizes: shapes.iter().map(|shape| shape.as_ptr()).collect(),
            num_axes: shapes.iter().map(|shape| shape.len() as i32).collect(),
            shape_names: texts(call, i, "shapes")?,
            shapes,
            dtype_names: texts(call, i + 2, "dtypes")?,
            dtypes: call.get(i + 3, "dtypes")?,
            request_names: texts(call, i + 4, "grad_req")?,
            requests: call.get(i + 5, "grad_req")?,
            others: call.get(i + 6, "grad_req")?,
        };
        let same = known.shape_names.len() == known.num_axes.len() as i32
            && known.dtype_names.len() == known.dtypes.len() as i32
            && known.request_names.len() == known.requests.len() as i32;
        if same { Ok(known) } else { Err(Failure::internal("names of another number")) }
    }

    fn view(&self) -> mxr_known_t {
        mxr_known_t {
            struct_size: size_of::<mxr_known_t>() as u32,
            num_shapes: self.shapes.len() as i32,
            shape_names: self.shape_names.pointers.as_ptr(),
            shapes: self.sizes.as_ptr(),
            num_axes: self.num_axes.as_ptr(),
            dtype_names: self.dtype_names.pointers.as_ptr(),
            dtypes: self.dtypes.as_ptr(),
            num_dtypes: self.dtypes.len() as i32,
            num_requests: self.requests.len() as i32,
            request_names: self.request_names.pointers.as_ptr(),
            requests: self.requests.as_ptr(),
            other_requests: self.others,
        }
    }
}

fn executor(call: &Call) -> Result<*mut mxr_executor_t> {
    Ok(call.get::<Of<mxr_executor_t>>(0, "executor")?.0)
}

/// `planNew(symbol, options, known…)`
pub fn plan_new(call: &Call) -> Result<napi_value> {
    let (symbol, options, known) = (symbol(call, 0)?, options(call, 1)?, Known::read(call, 2)?);
    let (view, mut out) = (known.view(), ptr::null_mut());
    // SAFETY: the handle is live, and the structs and what they point to live for the call.
    check(unsafe { (abi().mxr_plan_new)(symbol, &raw const view, &raw const options, &raw mut out) })?;
    call.give(New(out))
}

/// `planReport(plan)`: the numbers of `mxr_plan_report_t`, in its order.
pub fn plan_report(call: &Call) -> Result<napi_value> {
    let plan = call.get::<Of<mxr_plan_t>>(0, "plan")?.0;
    let mut report = mxr_plan_report_t {
        struct_size: size_of::<mxr_plan_report_t>() as u32,
        reserved: 0,
        peak_bytes: 0,
        parameter_bytes: 0,
        unplanned_bytes: 0,
        arena_bytes: 0,
        workspace_bytes: 0,
        flops: 0,
        again_flops: 0,
        steps: 0,
    };
    // SAFETY: the handle is live, and the struct says its size.
    check(unsafe { (abi().mxr_plan_report)(plan, &raw mut report) })?;
    call.give(vec![
        report.peak_bytes,
        report.parameter_bytes,
        report.unplanned_bytes,
        report.arena_bytes,
        report.workspace_bytes,
        report.flops,
        report.again_flops,
        report.steps,
    ])
}

/// `planText(plan)`
pub fn plan_text(call: &Call) -> Result<napi_value> {
    let plan = call.get::<Of<mxr_plan_t>>(0, "plan")?.0;
    // SAFETY: the handle is live.
    texts::made_one(call, |out| unsafe { (abi().mxr_plan_text)(plan, out) })
}

/// `planLists(plan, passes)`: the graph after each pass, or the choices.
pub fn plan_lists(call: &Call) -> Result<napi_value> {
    let (plan, passes) = (call.get::<Of<mxr_plan_t>>(0, "plan")?.0, call.get::<bool>(1, "passes")?);
    let make = if passes { abi().mxr_plan_passes } else { abi().mxr_plan_choices };
    // SAFETY: the handle is live.
    texts::made(call, |out| unsafe { make(plan, out) })
}

/// `executorBind(symbol, variables, gradients, requests, shared, options)`
pub fn bind(call: &Call) -> Result<napi_value> {
    let (symbol, variables) = (symbol(call, 0)?, list::<mxr_array_t>(call, 1, "variables")?);
    let gradients = optional_list::<mxr_array_t>(call, 2, "gradients")?;
    let (requests, n) = (call.get::<Vec<i32>>(3, "requests")?, variables.len());
    if gradients.len() != n || requests.len() != n {
        return Err(Failure::internal("lists of different lengths"));
    }
    let (shared, options) = (shared(call, 4)?, options(call, 5)?);
    let mut out = ptr::null_mut();
    // SAFETY: handles are live, and lists are as long as is said.
    check(unsafe {
        (abi().mxr_executor_bind)(
            symbol,
            variables.as_ptr(),
            gradients.as_ptr(),
            requests.as_ptr(),
            n as i32,
            shared,
            &raw const options,
            &raw mut out,
        )
    })?;
    call.give(New(out))
}

/// An argument that is an executor, or null.
fn shared(call: &Call, i: usize) -> Result<*const mxr_executor_t> {
    let given = call.get::<Option<Of<mxr_executor_t>>>(i, "shared_exec")?;
    Ok(given.map_or(ptr::null(), |executor| executor.0.cast_const()))
}

/// `executorSimpleBind(symbol, shared, options, known…)`
pub fn simple_bind(call: &Call) -> Result<napi_value> {
    let (symbol, shared, options) = (symbol(call, 0)?, shared(call, 1)?, options(call, 2)?);
    let known = Known::read(call, 3)?;
    let (view, mut out) = (known.view(), ptr::null_mut());
    // SAFETY: handles are live, and the structs and what they point to live for the call.
    check(unsafe {
        let (view, options) = (&raw const view, &raw const options);
        (abi().mxr_executor_simple_bind)(symbol, view, shared, options, &raw mut out)
    })?;
    call.give(New(out))
}

/// The executor, which stays while the call runs.
fn kept(call: &Call) -> Result<Kept<mxr_executor_t>> {
    Ok(keep(executor(call)?, abi().mxr_executor_retain, abi().mxr_executor_free))
}

/// `executorForward(executor, training)`
pub fn forward(call: &Call) -> Result<napi_value> {
    let (executor, training) = (kept(call)?, call.get::<bool>(1, "is_train")?);
    // SAFETY: the handle is kept.
    check(unsafe { (abi().mxr_executor_forward)(executor.handle, training.into()) })?;
    call.give(())
}

/// `executorBackward(executor, headGrads)`
pub fn backward(call: &Call) -> Result<napi_value> {
    let (executor, heads) = (kept(call)?, array::Kept::new(list::<mxr_array_t>(call, 1, "out_grads")?));
    // SAFETY: handles are kept, and there are as many as is said.
    check(unsafe { (abi().mxr_executor_backward)(executor.handle, heads.0.as_ptr(), heads.0.len() as i32) })?;
    call.give(())
}

/// `executorArray(executor, list, i)`
pub fn array_of(call: &Call) -> Result<napi_value> {
    let (executor, list, i) = (executor(call)?, call.get(1, "list")?, call.get(2, "i")?);
    // SAFETY: the handle is live.
    array::made(call, |out| unsafe { (abi().mxr_executor_array)(executor, list, i, out) })
}

/// `executorGradient(executor, i)`
pub fn gradient(call: &Call) -> Result<napi_value> {
    let (executor, i) = (executor(call)?, call.get(1, "i")?);
    // SAFETY: the handle is live.
    array::made_or_null(call, |out| unsafe { (abi().mxr_executor_gradient)(executor, i, out) })
}

/// `executorCopyParams(executor, names, params, allowExtra)`
pub fn copy_params(call: &Call) -> Result<napi_value> {
    let (executor, names) = (executor(call)?, texts(call, 1, "params")?);
    let (params, extra) = (list::<mxr_array_t>(call, 2, "params")?, call.get::<bool>(3, "allow_extra")?);
    let n = names.len().min(params.len() as i32);
    // SAFETY: handles are live, and there are as many as is said.
    check(unsafe {
        let names = names.pointers.as_ptr();
        (abi().mxr_executor_copy_params)(executor, names, params.as_ptr(), n, extra.into())
    })?;
    call.give(())
}

/// `executorReshape(executor, allowUpSizing, known…)`
pub fn reshape(call: &Call) -> Result<napi_value> {
    let (executor, up) = (executor(call)?, call.get::<bool>(1, "allow_up_sizing")?);
    let known = Known::read(call, 2)?;
    let (view, mut out) = (known.view(), ptr::null_mut());
    // SAFETY: the handle is live, and the struct and what it points to live for the call.
    check(unsafe { (abi().mxr_executor_reshape)(executor, &raw const view, up.into(), &raw mut out) })?;
    call.give(New(out))
}

/// `executorPlan(executor, training)`
pub fn plan(call: &Call) -> Result<napi_value> {
    let (executor, training, mut out) = (executor(call)?, call.get::<bool>(1, "is_train")?, ptr::null_mut());
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_executor_plan)(executor, training.into(), &raw mut out) })?;
    call.give(New(out))
}

/// `executorMonitor(executor, callback)`: null ends it.
pub fn monitor(call: &Call) -> Result<napi_value> {
    let executor = executor(call)?;
    if call.env.lacks(call.raw(1)) {
        // SAFETY: the handle is live, and nothing is given.
        check(unsafe { (abi().mxr_executor_set_monitor)(executor, None, ptr::null_mut(), None) })?;
        return call.give(());
    }
    let payload: *mut c_void = Box::into_raw(Callback::new(call, 1)?).cast();
    // SAFETY: the handle is live, and the payload stays until it is dropped.
    let outcome = check(unsafe {
        (abi().mxr_executor_set_monitor)(executor, Some(show), payload, Some(drop_callback))
    });
    if outcome.is_err() {
        // SAFETY: the library did not take it.
        unsafe { drop_callback(payload) };
    }
    outcome?;
    call.give(())
}

/// Shows an output to the function in `payload`. What it throws is pending when the pass returns.
unsafe extern "C" fn show(payload: *mut c_void, name: *const c_char, array: *mut mxr_array_t) {
    // SAFETY: the payload is a callback; the name is a C string, and the array is live.
    let (callback, name, array) =
        unsafe { (&*payload.cast::<Callback>(), crate::error::text(name), (abi().mxr_array_retain)(array)) };
    let arguments = |env: Env| Ok(vec![name.to_js(env)?, New(array).to_js(env)?]);
    let _ = callback.call(arguments, |_, _| Ok(()));
}

/// `cachedOpNew(symbol, keepMemory, options)`
pub fn cached_op_new(call: &Call) -> Result<napi_value> {
    let (symbol, keep, options) = (symbol(call, 0)?, call.get::<bool>(1, "keep_memory")?, options(call, 2)?);
    let mut out = ptr::null_mut();
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_cached_op_new)(symbol, keep.into(), &raw const options, &raw mut out) })?;
    call.give(New(out))
}

/// `cachedOpCall(cachedOp, inputs, count)`: the outputs.
pub fn cached_op_call(call: &Call) -> Result<napi_value> {
    let op = call.get::<Of<mxr_cached_op_t>>(0, "cached_op")?.0;
    let inputs = list::<mxr_array_t>(call, 1, "inputs")?;
    let mut outputs = vec![ptr::null_mut(); call.get::<u32>(2, "count")? as usize];
    let circumstances = call.env.state().call.get();
    // SAFETY: handles are live, and there is a place for each output.
    check(unsafe {
        let (n, call) = (inputs.len() as i32, &raw const circumstances);
        (abi().mxr_cached_op_call)(op, inputs.as_ptr(), n, call, outputs.as_mut_ptr())
    })?;
    call.give(outputs.into_iter().map(New).collect::<Vec<_>>())
}
