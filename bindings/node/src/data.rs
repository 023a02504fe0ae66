//! Metrics, data iterators, and callbacks.

use crate::array;
use crate::error::{Failure, check, text};
use crate::handles::{Of, list};
use crate::js::{Call, Result};
use crate::texts::{self, Texts, texts};
use crate::training::created;
use mxr_abi::abi;
use mxr_abi::ffi::{mxr_array_t, mxr_callback_t, mxr_data_iter_t, mxr_metric_t};
use napi_sys::napi_value;
use std::ptr;

fn metric(call: &Call, i: usize) -> Result<*mut mxr_metric_t> {
    Ok(call.get::<Of<mxr_metric_t>>(i, "metric")?.0)
}

/// `metricCreate(name, texts)`
pub fn metric_create(call: &Call) -> Result<napi_value> {
    // SAFETY: the name is a C string, and there are as many attributes as is said.
    created::<mxr_metric_t>(call, |name, attrs, n, out| unsafe {
        (abi().mxr_metric_create)(name, attrs, n, out)
    })
}

/// `metricPush(metric, part)`
pub fn metric_push(call: &Call) -> Result<napi_value> {
    let (metric, part) = (metric(call, 0)?, metric(call, 1)?);
    // SAFETY: the handles are live.
    check(unsafe { (abi().mxr_metric_push)(metric, part) })?;
    call.give(())
}

/// `metricUpdate(metric, labels, preds)`
pub fn metric_update(call: &Call) -> Result<napi_value> {
    let metric = metric(call, 0)?;
    let (labels, preds) = (list::<mxr_array_t>(call, 1, "labels")?, list::<mxr_array_t>(call, 2, "preds")?);
    let (num_labels, num_preds) = (labels.len() as i32, preds.len() as i32);
    // SAFETY: handles are live, and there are as many as is said.
    check(unsafe {
        (abi().mxr_metric_update)(metric, labels.as_ptr(), num_labels, preds.as_ptr(), num_preds)
    })?;
    call.give(())
}

/// `metricUpdateNamed(metric, labelNames, labels, predNames, preds)`
pub fn metric_update_named(call: &Call) -> Result<napi_value> {
    let metric = metric(call, 0)?;
    let (label_names, labels) = (texts(call, 1, "labels")?, list::<mxr_array_t>(call, 2, "labels")?);
    let (pred_names, preds) = (texts(call, 3, "preds")?, list::<mxr_array_t>(call, 4, "preds")?);
    // SAFETY: handles are live, and there are as many names and arrays as is said.
    check(unsafe {
        (abi().mxr_metric_update_named)(
            metric,
            label_names.pointers.as_ptr(),
            labels.as_ptr(),
            label_names.len().min(labels.len() as i32),
            pred_names.pointers.as_ptr(),
            preds.as_ptr(),
            pred_names.len().min(preds.len() as i32),
        )
    })?;
    call.give(())
}

/// `metricAdd(metric, sum, count)`
pub fn metric_add(call: &Call) -> Result<napi_value> {
    let metric = metric(call, 0)?;
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_metric_add)(metric, call.get(1, "sum")?, call.get(2, "count")?) })?;
    call.give(())
}

/// `metricReset(metric, local)`
pub fn metric_reset(call: &Call) -> Result<napi_value> {
    let (metric, local) = (metric(call, 0)?, call.get::<bool>(1, "local")?);
    let reset = if local { abi().mxr_metric_reset_local } else { abi().mxr_metric_reset };
    // SAFETY: the handle is live.
    check(unsafe { reset(metric) })?;
    call.give(())
}

/// `metricGet(metric, global)`: names and values.
pub fn metric_get(call: &Call) -> Result<napi_value> {
    let (metric, global) = (metric(call, 0)?, i32::from(call.get::<bool>(1, "global")?));
    let (mut values, mut n) = (vec![0.0; 16], 0);
    loop {
        let (place, room) = (values.as_mut_ptr(), values.len() as i32);
        // SAFETY: the handle is live, and there is so much room.
        let names = texts::taken(|out| unsafe {
            (abi().mxr_metric_get)(metric, global, out, place, room, &raw mut n)
        })?;
        let known = n <= room;
        values.resize(n as usize, 0.0);
        if known {
            return call.give((names, values));
        }
    }
}

fn iter(call: &Call) -> Result<*mut mxr_data_iter_t> {
    Ok(call.get::<Of<mxr_data_iter_t>>(0, "iter")?.0)
}

/// Arrays with names, or null for names.
fn named(call: &Call, i: usize, what: &str) -> Result<(Option<Texts>, Vec<*mut mxr_array_t>)> {
    let names = call.get::<Option<Vec<String>>>(i, what)?;
    let arrays = list::<mxr_array_t>(call, i + 1, what)?;
    if names.as_ref().is_some_and(|names| names.len() != arrays.len()) {
        return Err(Failure::wrong_value(what, "expected as many names as arrays"));
    }
    Ok((names.map(|names| Texts::of(&names)).transpose()?, arrays))
}

/// `iterCreate(name, texts, dataNames, data, labelNames, labels, iters)`
pub fn iter_create(call: &Call) -> Result<napi_value> {
    let ((data_names, data), (label_names, labels)) = (named(call, 2, "data")?, named(call, 4, "label")?);
    let iters = list::<mxr_data_iter_t>(call, 6, "iters")?;
    let pointers =
        |names: &Option<Texts>| names.as_ref().map_or(ptr::null(), |names| names.pointers.as_ptr());
    // SAFETY: handles are live, and there are as many of everything as is said.
    created::<mxr_data_iter_t>(call, |name, attrs, n, out| unsafe {
        (abi().mxr_data_iter_create)(
            name,
            attrs,
            n,
            pointers(&data_names),
            data.as_ptr(),
            data.len() as i32,
            pointers(&label_names),
            labels.as_ptr(),
            labels.len() as i32,
            iters.as_ptr(),
            iters.len() as i32,
            out,
        )
    })
}

/// `iterNames(iter, list)`
pub fn iter_names(call: &Call) -> Result<napi_value> {
    let (iter, list) = (iter(call)?, call.get(1, "list")?);
    // SAFETY: the handle is live.
    texts::made(call, |out| unsafe { (abi().mxr_data_iter_names)(iter, list, out) })
}

/// The most axes that descriptions have.
pub const AXES: usize = 32;

/// `iterDesc(iter, list, i)`: shape and dtype.
pub fn iter_desc(call: &Call) -> Result<napi_value> {
    let (iter, list, i) = (iter(call)?, call.get(1, "list")?, call.get(2, "i")?);
    let (mut dims, mut ndim, mut dtype) = ([0; AXES], 0, 0);
    let (place, room) = (dims.as_mut_ptr(), AXES as i32);
    // SAFETY: the handle is live, and there is so much room.
    check(unsafe { (abi().mxr_data_iter_desc)(iter, list, i, place, room, &raw mut ndim, &raw mut dtype) })?;
    call.give((dims[..(ndim as usize).min(AXES)].to_vec(), dtype))
}

/// `iterLayout(iter, list, i)`
pub fn iter_layout(call: &Call) -> Result<napi_value> {
    let (iter, list, i) = (iter(call)?, call.get(1, "list")?, call.get(2, "i")?);
    // SAFETY: the handle is live.
    texts::made_one(call, |out| unsafe { (abi().mxr_data_iter_layout)(iter, list, i, out) })
}

/// `iterBatchSize(iter)`
pub fn iter_batch_size(call: &Call) -> Result<napi_value> {
    let (iter, mut size) = (iter(call)?, 0i64);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_data_iter_batch_size)(iter, &raw mut size) })?;
    call.give(size)
}

/// `iterNext(iter)`: whether there is a batch.
pub fn iter_next(call: &Call) -> Result<napi_value> {
    let (iter, mut more) = (iter(call)?, 0);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_data_iter_next)(iter, &raw mut more) })?;
    call.give(more != 0)
}

/// `iterReset(iter, hard)`
pub fn iter_reset(call: &Call) -> Result<napi_value> {
    let (iter, hard) = (iter(call)?, call.get::<bool>(1, "hard")?);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_data_iter_reset)(iter, hard.into()) })?;
    call.give(())
}

/// `iterArray(iter, list, i)`
pub fn iter_array(call: &Call) -> Result<napi_value> {
    let (iter, list, i) = (iter(call)?, call.get(1, "list")?, call.get(2, "i")?);
    // SAFETY: the handle is live.
    array::made(call, |out| unsafe { (abi().mxr_data_iter_array)(iter, list, i, out) })
}

/// `iterIndex(iter)`: how many examples only fill the batch up, and the numbers of its examples.
pub fn iter_index(call: &Call) -> Result<napi_value> {
    let (iter, mut pad, mut n) = (iter(call)?, 0i64, 0);
    // SAFETY: the handle is live; there is no room.
    check(unsafe { (abi().mxr_data_iter_pad)(iter, &raw mut pad) })?;
    // SAFETY: as above.
    check(unsafe { (abi().mxr_data_iter_index)(iter, ptr::null_mut(), 0, &raw mut n) })?;
    let mut index = vec![0i64; n as usize];
    // SAFETY: as above, and there is so much room.
    check(unsafe { (abi().mxr_data_iter_index)(iter, index.as_mut_ptr(), n, &raw mut n) })?;
    call.give((pad, index))
}

/// `callbackCreate(name, texts)`
pub fn callback_create(call: &Call) -> Result<napi_value> {
    // SAFETY: the name is a C string, and there are as many attributes as is said.
    created::<mxr_callback_t>(call, |name, attrs, n, out| unsafe {
        (abi().mxr_callback_create)(name, attrs, n, out)
    })
}

/// `callbackDue(callback, epoch, batch, seconds)`
pub fn callback_due(call: &Call) -> Result<napi_value> {
    let (callback, mut due) = (call.get::<Of<mxr_callback_t>>(0, "callback")?.0, 0);
    let (epoch, batch, seconds) = (call.get(1, "epoch")?, call.get(2, "batch")?, call.get(3, "seconds")?);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_callback_due)(callback, epoch, batch, seconds, &raw mut due) })?;
    call.give(due != 0)
}

/// `callbackCall(callback, epoch, batch, seconds, names, values)`: a text or null, and actions. Names are null without
/// a metric.
pub fn callback_call(call: &Call) -> Result<napi_value> {
    let callback = call.get::<Of<mxr_callback_t>>(0, "callback")?.0;
    let (epoch, batch, seconds) = (call.get(1, "epoch")?, call.get(2, "batch")?, call.get(3, "seconds")?);
    let names = call.get::<Option<Vec<String>>>(4, "names")?.map(|names| Texts::of(&names)).transpose()?;
    let values = call.get::<Vec<f64>>(5, "values")?;
    let (mut said, mut actions) = (ptr::null_mut(), 0);
    let pointers = names.as_ref().map_or(ptr::null(), |names| names.pointers.as_ptr());
    let n = names.as_ref().map_or(0, |names| names.len().min(values.len() as i32));
    // SAFETY: the handle is live, and there are as many names and values as is said.
    check(unsafe {
        (abi().mxr_callback_call)(
            callback,
            epoch,
            batch,
            seconds,
            pointers,
            values.as_ptr(),
            n,
            &raw mut said,
            &raw mut actions,
        )
    })?;
    // SAFETY: the text is NULL or owned here, and is freed once.
    let found = unsafe {
        let found = text(said);
        (abi().mxr_string_free)(said);
        found
    };
    call.give((found, actions))
}
