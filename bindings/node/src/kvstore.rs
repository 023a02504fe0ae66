//! Stores of values that several devices share.

use crate::array::Kept;
use crate::attrs::{Attrs, Reader};
use crate::autograd::{Callback, drop_callback};
use crate::error::{carry, check, text};
use crate::handles::{New, Of, list};
use crate::js::{Call, Env, Result, ToJs};
use crate::texts::{self, Texts};
use crate::training::{bytes, keep};
use mxr_abi::abi;
use mxr_abi::ffi::{mxr_array_t, mxr_error_t, mxr_kvstore_t, mxr_optimizer_t};
use napi_sys::napi_value;
use std::ffi::{c_char, c_void};
use std::ptr;

fn store(call: &Call) -> Result<*mut mxr_kvstore_t> {
    Ok(call.get::<Of<mxr_kvstore_t>>(0, "store")?.0)
}

/// `storeCreate(name)`
pub fn create(call: &Call) -> Result<napi_value> {
    let (name, mut out) = (Texts::one(&call.get::<String>(0, "name")?)?, ptr::null_mut());
    // SAFETY: the name is a C string.
    check(unsafe { (abi().mxr_kvstore_create)(name.pointers[0], &raw mut out) })?;
    call.give(New(out))
}

/// `storeType(store)`
pub fn kind(call: &Call) -> Result<napi_value> {
    let store = store(call)?;
    // SAFETY: the handle is live.
    texts::made_one(call, |out| unsafe { (abi().mxr_kvstore_type)(store, out) })
}

/// `storeWorkers(store)`: the number of this worker, and how many there are.
pub fn workers(call: &Call) -> Result<napi_value> {
    let (store, mut rank, mut n) = (store(call)?, 0i64, 0i64);
    // SAFETY: the handle is live, and places are given.
    check(unsafe { (abi().mxr_kvstore_workers)(store, &raw mut rank, &raw mut n) })?;
    call.give((rank, n))
}

/// `storeMove(store, verb, key, index, values, out)`: `init`, `push`, `pull`, `pushpull` or `broadcast` under a key that
/// is a text, or null and then a number.
pub fn exchange(call: &Call) -> Result<napi_value> {
    let (store, verb) = (
        keep(store(call)?, abi().mxr_kvstore_retain, abi().mxr_kvstore_free),
        call.get::<String>(1, "verb")?,
    );
    let key = call.get::<Option<String>>(2, "key")?;
    let (key, index) = (Texts::some([key.as_deref()])?, call.get::<i64>(3, "key")?);
    let (values, out) =
        (Kept::new(list::<mxr_array_t>(call, 4, "value")?), list::<mxr_array_t>(call, 5, "out")?);
    let (key, out) = (key.pointers[0], Kept::new(out));
    let first = values.0.first().copied().unwrap_or(ptr::null_mut());
    let (vs, n, os, m) = (values.0.as_ptr(), values.0.len() as i32, out.0.as_ptr(), out.0.len() as i32);
    // SAFETY: handles are kept, the key is NULL or a C string, and there are as many arrays as is said.
    check(unsafe {
        match verb.as_str() {
            "init" => (abi().mxr_kvstore_init)(store.handle, key, index, first),
            "push" => (abi().mxr_kvstore_push)(store.handle, key, index, vs, n),
            "pull" => (abi().mxr_kvstore_pull)(store.handle, key, index, os, m),
            "broadcast" => (abi().mxr_kvstore_broadcast)(store.handle, key, index, first, os, m),
            _ => (abi().mxr_kvstore_pushpull)(store.handle, key, index, vs, n, os, m),
        }
    })?;
    call.give(())
}

/// `storeSetOptimizer(store, optimizer)`
pub fn set_optimizer(call: &Call) -> Result<napi_value> {
    let (store, optimizer) = (store(call)?, call.get::<Of<mxr_optimizer_t>>(1, "optimizer")?.0);
    // SAFETY: the handles are live.
    check(unsafe { (abi().mxr_kvstore_set_optimizer)(store, optimizer) })?;
    call.give(())
}

/// `storeSetUpdate(store, update)`: a function of key, pushed and stored value, or null.
pub fn set_update(call: &Call) -> Result<napi_value> {
    let store = store(call)?;
    if call.env.lacks(call.raw(1)) {
        // SAFETY: the handle is live, and nothing is given.
        check(unsafe { (abi().mxr_kvstore_set_update)(store, None, ptr::null_mut(), None) })?;
        return call.give(());
    }
    let payload: *mut c_void = Box::into_raw(Callback::new(call, 1)?).cast();
    // SAFETY: the handle is live, and the payload stays until it is dropped.
    let outcome = check(unsafe {
        (abi().mxr_kvstore_set_update)(store, Some(run_update), payload, Some(drop_callback))
    });
    if outcome.is_err() {
        // SAFETY: the library did not take it.
        unsafe { drop_callback(payload) };
    }
    outcome?;
    call.give(())
}

/// Has the function in `payload` change a stored value.
unsafe extern "C" fn run_update(
    payload: *mut c_void,
    key: *const c_char,
    index: i64,
    pushed: *mut mxr_array_t,
    stored: *mut mxr_array_t,
) -> *mut mxr_error_t {
    // SAFETY: the payload is a callback, and the key is NULL or a C string.
    let (callback, key) = unsafe { (&*payload.cast::<Callback>(), text(key)) };
    let arguments = |env: Env| {
        let key = key.map_or_else(|| index.to_js(env), |key| key.to_js(env))?;
        // SAFETY: the arrays are borrowed; JavaScript gets references of its own.
        let [pushed, stored] = [pushed, stored].map(|array| New(unsafe { (abi().mxr_array_retain)(array) }));
        Ok(vec![key, pushed.to_js(env)?, stored.to_js(env)?])
    };
    match callback.call(arguments, |_, _| Ok(())) {
        Ok(()) => ptr::null_mut(),
        Err(failure) => carry(callback.env(), failure),
    }
}

/// `storeSetCompression(name, texts, store)`
pub fn set_compression(call: &Call) -> Result<napi_value> {
    let name = Texts::one(&call.get::<String>(0, "name")?)?;
    let store = call.get::<Of<mxr_kvstore_t>>(2, "store")?.0;
    let mut attrs = Attrs::read(call.env, &mut Reader::new(call.env), call.raw(1))?;
    let (attrs, n) = attrs.finish()?;
    // SAFETY: the handle is live, the name is a C string, and there are as many attributes as is said.
    check(unsafe { (abi().mxr_kvstore_set_compression)(store, name.pointers[0], attrs, n) })?;
    call.give(())
}

/// `storeStates(store, place)`: the states of the optimizer, copied to a Uint8Array if it has their number.
pub fn states(call: &Call) -> Result<napi_value> {
    let store = store(call)?;
    // SAFETY: the handle is live.
    bytes(call, |data, n| unsafe { (abi().mxr_kvstore_optimizer_states)(store, data, n) })
}

/// `storeSetStates(store, bytes)`
pub fn set_states(call: &Call) -> Result<napi_value> {
    let (store, (data, n)) = (store(call)?, call.env.memory(call.raw(1), "states")?);
    // SAFETY: the handle is live, and there are so many bytes.
    check(unsafe { (abi().mxr_kvstore_set_optimizer_states)(store, data.cast(), n as u64) })?;
    call.give(())
}

/// An argument that is a store, or null.
pub fn optional(call: &Call, i: usize) -> Result<*mut mxr_kvstore_t> {
    let given = call.get::<Option<Of<mxr_kvstore_t>>>(i, "kvstore")?;
    Ok(given.map_or(ptr::null_mut(), |store| store.0))
}
