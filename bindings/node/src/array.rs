//! Arrays: made, described, read, written and shared.

use crate::error::{Failure, check};
use crate::handles::{New, Of, list};
use crate::js::{Call, Env, Result};
use crate::state::Released;
use crate::texts::Texts;
use mxr_abi::abi;
use mxr_abi::ffi::{self, mxr_array_t, mxr_error_t, mxr_list_t};
use napi_sys::{self as sys, napi_env, napi_value};
use smallvec::SmallVec;
use std::ffi::c_void;
use std::ptr;

/// The most axes that are read without asking twice.
const AXES: usize = 8;

/// An argument that is an array.
pub fn array(call: &Call, i: usize) -> Result<*mut mxr_array_t> {
    Ok(call.get::<Of<mxr_array_t>>(i, "array")?.0)
}

/// A result that is a new array.
pub fn made(call: &Call, make: impl FnOnce(*mut *mut mxr_array_t) -> *mut mxr_error_t) -> Result<napi_value> {
    let mut out = ptr::null_mut();
    check(make(&raw mut out))?;
    call.give(New(out))
}

/// A result that is a new array, or null.
pub fn made_or_null(
    call: &Call,
    make: impl FnOnce(*mut *mut mxr_array_t) -> *mut mxr_error_t,
) -> Result<napi_value> {
    let mut out = ptr::null_mut();
    check(make(&raw mut out))?;
    call.give((!out.is_null()).then_some(New(out)))
}

/// `arrayEmpty(dims, dtype, kind, id)`
pub fn empty(call: &Call) -> Result<napi_value> {
    let dims = call.get::<Vec<i64>>(0, "shape")?;
    let (dtype, kind, id) = (call.get(1, "dtype")?, call.get(2, "ctx")?, call.get(3, "ctx")?);
    // SAFETY: there are as many sizes as is said.
    made(call, |out| unsafe {
        (abi().mxr_array_empty)(dims.as_ptr(), dims.len() as i32, dtype, kind, id, out)
    })
}

/// `arrayFromData(data, dims, dtype, kind, id)`: copies a typed array.
pub fn from_data(call: &Call) -> Result<napi_value> {
    let (data, bytes) = call.env.memory(call.raw(0), "source")?;
    let dims = call.get::<Vec<i64>>(1, "shape")?;
    let (dtype, kind, id) = (call.get(2, "dtype")?, call.get(3, "ctx")?, call.get(4, "ctx")?);
    // SAFETY: the memory has as many bytes as is said, and stays for the call.
    made(call, |out| unsafe {
        let (dims, ndim) = (dims.as_ptr(), dims.len() as i32);
        (abi().mxr_array_from_data)(dims, ndim, dtype, kind, id, data, bytes as u64, out)
    })
}

/// Memory of JavaScript's that an array uses.
struct Pinned {
    reference: sys::napi_ref,
    released: Released,
}

/// Leaves word that an array no longer uses JavaScript's memory; on whatever thread.
unsafe extern "C" fn unpin(payload: *mut c_void) {
    // SAFETY: the payload is that of `from_foreign`, and this is called once.
    let pinned = unsafe { Box::from_raw(payload.cast::<Pinned>()) };
    if let Ok(mut released) = pinned.released.lock() {
        released.push(pinned.reference as usize);
    }
}

/// `arrayFromForeign(data, dims, dtype)`: an array over the memory of a typed array.
pub fn from_foreign(call: &Call) -> Result<napi_value> {
    let (env, state) = (call.env, call.env.state());
    let (data, bytes) = env.memory(call.raw(0), "source")?;
    let (dims, dtype) = (call.get::<Vec<i64>>(1, "shape")?, call.get::<i32>(2, "dtype")?);
    let size = call.get::<u32>(3, "size")?;
    if dims.iter().product::<i64>() * i64::from(size) != bytes as i64 {
        return Err(Failure::wrong_value("shape", &format!("{dims:?} does not fit {bytes} bytes")));
    }
    let mut reference = ptr::null_mut();
    // SAFETY: the instance and the value are live.
    env.check(unsafe { sys::napi_create_reference(env.0, call.raw(0), 1, &raw mut reference) })?;
    state.pinned.set(state.pinned.get() + 1);
    let payload = Box::into_raw(Box::new(Pinned { reference, released: state.released.clone() }));
    // SAFETY: the memory stays until `unpin`, and has as many bytes as was checked.
    let found = made(call, |out| unsafe {
        let (dims, ndim) = (dims.as_ptr(), dims.len() as i32);
        (abi().mxr_array_from_foreign)(data, dims, ndim, dtype, Some(unpin), payload.cast(), out)
    });
    if found.is_err() {
        // SAFETY: the library did not take it.
        unsafe { unpin(payload.cast()) };
        state.release(env);
    }
    found
}

/// `arrayShape(array)`: waits where only running tells it.
pub fn shape(call: &Call) -> Result<napi_value> {
    call.give(dims_of(array(call, 0)?)?.to_vec())
}

/// The sizes of an array's axes.
pub fn dims_of(array: *mut mxr_array_t) -> Result<SmallVec<[i64; AXES]>> {
    let (mut dims, mut ndim) = (SmallVec::from([0; AXES]), 0);
    // SAFETY: the handle is live, and there is so much room.
    check(unsafe { (abi().mxr_array_shape)(array, dims.as_mut_ptr(), AXES as i32, &raw mut ndim) })?;
    dims.resize(ndim as usize, 0);
    if ndim as usize > AXES {
        // SAFETY: as above.
        check(unsafe { (abi().mxr_array_shape)(array, dims.as_mut_ptr(), ndim, &raw mut ndim) })?;
    }
    Ok(dims)
}

/// `arrayDtype(array)`
pub fn dtype(call: &Call) -> Result<napi_value> {
    let array = array(call, 0)?;
    // SAFETY: the handle is live.
    call.give(unsafe { (abi().mxr_array_dtype)(array) })
}

/// `arrayDevice(array)`: kind and number.
pub fn device(call: &Call) -> Result<napi_value> {
    let (array, mut kind, mut id) = (array(call, 0)?, 0, 0);
    // SAFETY: the handle is live, and places are given.
    check(unsafe { (abi().mxr_array_device)(array, &raw mut kind, &raw mut id) })?;
    call.give((kind, id))
}

/// `arrayCopyTo(array, data)`: waits and copies to a typed array.
pub fn copy_to(call: &Call) -> Result<napi_value> {
    let (array, (data, bytes)) = (array(call, 0)?, call.env.memory(call.raw(1), "data")?);
    // SAFETY: the handle is live, and the memory has as many bytes as is said.
    check(unsafe { (abi().mxr_array_copy_to)(array, data, bytes as u64) })?;
    call.give(())
}

/// `arrayCopyFrom(array, data)`: waits and copies from a typed array.
pub fn copy_from(call: &Call) -> Result<napi_value> {
    let (array, (data, bytes)) = (array(call, 0)?, call.env.memory(call.raw(1), "data")?);
    // SAFETY: as above.
    check(unsafe { (abi().mxr_array_copy_from)(array, data, bytes as u64) })?;
    call.give(())
}

/// `arrayCopy(from, to)`
pub fn copy(call: &Call) -> Result<napi_value> {
    let (from, to) = (array(call, 0)?, array(call, 1)?);
    // SAFETY: the handles are live.
    check(unsafe { (abi().mxr_array_copy)(from, to) })?;
    call.give(())
}

/// `arraySlice(array, begin, end)`
pub fn slice(call: &Call) -> Result<napi_value> {
    let (array, begin, end) = (array(call, 0)?, call.get(1, "begin")?, call.get(2, "end")?);
    let circumstances = call.env.state().call.get();
    // SAFETY: the handle is live.
    made(call, |out| unsafe { (abi().mxr_array_slice)(array, begin, end, &raw const circumstances, out) })
}

/// `arrayAt(array, index)`
pub fn at(call: &Call) -> Result<napi_value> {
    let (array, index) = (array(call, 0)?, call.get(1, "index")?);
    let circumstances = call.env.state().call.get();
    // SAFETY: the handle is live.
    made(call, |out| unsafe { (abi().mxr_array_at)(array, index, &raw const circumstances, out) })
}

/// `arrayReshape(array, dims)`
pub fn reshape(call: &Call) -> Result<napi_value> {
    let (array, dims) = (array(call, 0)?, call.get::<Vec<i64>>(1, "shape")?);
    let circumstances = call.env.state().call.get();
    // SAFETY: the handle is live, and there are as many sizes as is said.
    made(call, |out| unsafe {
        (abi().mxr_array_reshape)(array, dims.as_ptr(), dims.len() as i32, &raw const circumstances, out)
    })
}

/// `arrayDetach(array)`
pub fn detach(call: &Call) -> Result<napi_value> {
    let array = array(call, 0)?;
    // SAFETY: the handle is live.
    made(call, |out| unsafe { (abi().mxr_array_detach)(array, out) })
}

/// `arrayView(array, bytes)`: an ArrayBuffer that is the array's memory, which it keeps.
pub fn view(call: &Call) -> Result<napi_value> {
    let (env, array) = (call.env, array(call, 0)?);
    let (bytes, mut data) = (call.get::<i64>(1, "bytes")? as usize, ptr::null_mut());
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_array_data)(array, &raw mut data) })?;
    // SAFETY: as above; the reference goes when the buffer does.
    let kept = unsafe { (abi().mxr_array_retain)(array) };
    let mut buffer = ptr::null_mut();
    // SAFETY: the memory has so many bytes and stays as long as the reference that was taken.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.0,
            data,
            bytes,
            Some(free_viewed),
            kept.cast(),
            &raw mut buffer,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: no buffer has the reference.
        unsafe { (abi().mxr_array_free)(kept) };
    }
    env.check(status)?;
    Ok(buffer)
}

/// Gives back the reference that an ArrayBuffer had.
unsafe extern "C" fn free_viewed(_: napi_env, _: *mut c_void, array: *mut c_void) {
    // SAFETY: the reference was the buffer's.
    unsafe { (abi().mxr_array_free)(array.cast()) }
}

/// `arrayWait(array, milliseconds)`: until it is written.
pub fn wait(call: &Call) -> Result<napi_value> {
    let array = array(call, 0)?;
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_array_wait_to_read)(array, call.get(1, "milliseconds")?) })?;
    call.env.state().release(call.env);
    call.give(())
}

/// `listSave(path, names, arrays)`
pub fn save(call: &Call) -> Result<napi_value> {
    let path = Texts::one(&call.get::<String>(0, "path")?)?;
    let names = call.get::<Option<Vec<String>>>(1, "names")?;
    let arrays = list::<mxr_array_t>(call, 2, "arrays")?;
    let names = names.map(|names| Texts::of(&names)).transpose()?;
    let pointers = names.as_ref().map_or(ptr::null(), |names| names.pointers.as_ptr());
    // SAFETY: there are as many names, if any, and handles as is said.
    check(unsafe {
        (abi().mxr_list_save)(path.pointers[0], pointers, arrays.as_ptr(), arrays.len() as i32)
    })?;
    call.give(())
}

/// `listLoad(path)`: names, which may be null, and arrays.
pub fn load(call: &Call) -> Result<napi_value> {
    let path = Texts::one(&call.get::<String>(0, "path")?)?;
    let mut all = ptr::null_mut();
    // SAFETY: the path is a C string, and a place is given.
    check(unsafe { (abi().mxr_list_load)(path.pointers[0], &raw mut all) })?;
    call.give(take_list(all)?)
}

/// Names and arrays.
pub type Named = (Vec<Option<String>>, Vec<New<mxr_array_t>>);

/// The arrays of a list with their names; the list is freed.
pub fn take_list(all: *mut mxr_list_t) -> Result<Named> {
    let (mut names, mut arrays, mut outcome) = (vec![], vec![], Ok(()));
    // SAFETY: the list is live, its names live as long, and it is freed once.
    unsafe {
        for i in 0..(abi().mxr_list_len)(all) {
            let mut array = ptr::null_mut();
            outcome = outcome.and(check((abi().mxr_list_array)(all, i, &raw mut array)));
            names.push(crate::error::text((abi().mxr_list_name)(all, i)));
            arrays.push(New(array));
        }
        (abi().mxr_list_free)(all);
    }
    outcome.map(|()| (names, arrays))
}

/// Arrays of which references are kept while JavaScript may run, which could free those of its objects.
pub struct Kept(pub Vec<*mut mxr_array_t>);

impl Kept {
    /// Takes a reference to each, but for those that lack.
    pub fn new(arrays: Vec<*mut mxr_array_t>) -> Kept {
        for array in &arrays {
            // SAFETY: the handle is live; NULL is allowed.
            unsafe { (abi().mxr_array_retain)(*array) };
        }
        Kept(arrays)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: the references were taken above.
        self.0.iter().for_each(|array| unsafe { (abi().mxr_array_free)(*array) });
    }
}

/// A wait for several arrays on a thread of Node's pool.
struct Waiting {
    arrays: Kept,
    /// 0 while it is not done, else the error, which may be NULL, and which one it is about.
    done: Vec<(usize, *mut mxr_error_t)>,
    milliseconds: i64,
    work: sys::napi_async_work,
    promise: sys::napi_deferred,
}

/// `arraysWait(arrays, milliseconds)`: a promise of the arrays that are done, by their places, and of what failed.
///
/// It is kept when one is done, or after that time with none.
pub fn wait_any(call: &Call) -> Result<napi_value> {
    let env = call.env;
    let (arrays, milliseconds) = (list::<mxr_array_t>(call, 0, "arrays")?, call.get(1, "milliseconds")?);
    let (work, promise) = (ptr::null_mut(), ptr::null_mut());
    let waiting = Box::new(Waiting { arrays: Kept::new(arrays), done: vec![], milliseconds, work, promise });
    let waiting = Box::into_raw(waiting);
    let name = crate::js::ToJs::to_js("mxr wait", env)?;
    // SAFETY: the instance is live; what waits is freed when it is done.
    unsafe {
        let deferred = &raw mut (*waiting).promise;
        let promise = env.made(|out| sys::napi_create_promise(env.0, deferred, out))?;
        let (run, done) = (Some(run_wait as _), Some(done_waiting as _));
        let work = &raw mut (*waiting).work;
        let none = ptr::null_mut();
        env.check(sys::napi_create_async_work(env.0, none, name, run, done, waiting.cast(), work))?;
        env.check(sys::napi_queue_async_work(env.0, (*waiting).work))?;
        Ok(promise)
    }
}

/// Looks at one array after the other until some are done.
unsafe extern "C" fn run_wait(_: napi_env, data: *mut c_void) {
    // SAFETY: the data is what waits, which nothing else uses meanwhile.
    let waiting = unsafe { &mut *data.cast::<Waiting>() };
    let start = std::time::Instant::now();
    let n = waiting.arrays.0.len();
    while waiting.done.is_empty() && (start.elapsed().as_millis() as i64) < waiting.milliseconds {
        for (i, array) in waiting.arrays.0.iter().enumerate() {
            let patience = if n == 1 { waiting.milliseconds } else { i64::from(i == 0) };
            // SAFETY: the handle is kept.
            let error = unsafe { (abi().mxr_array_wait_to_read)(*array, patience) };
            // SAFETY: the error is live, if there is one.
            let code = if error.is_null() { 0 } else { unsafe { (abi().mxr_error_code)(error) } };
            if code == ffi::MXR_ERROR_TIMEOUT {
                // SAFETY: the error is owned here.
                unsafe { (abi().mxr_error_free)(error) };
            } else {
                waiting.done.push((i, error));
            }
        }
    }
}

/// Keeps the promise.
unsafe extern "C" fn done_waiting(env: napi_env, _: i32, data: *mut c_void) {
    let env = Env(env);
    // SAFETY: the data is what waited; it is freed here.
    let waiting = unsafe { Box::from_raw(data.cast::<Waiting>()) };
    let entry = |(i, error): &(usize, *mut mxr_error_t)| {
        let failure = check(*error).err().map(|failure| crate::error::exception(env, failure));
        crate::js::ToJs::to_js((*i as f64, failure.transpose()?), env)
    };
    let entries = waiting.done.iter().map(entry).collect::<Result<Vec<_>>>();
    let value = entries.and_then(|entries| crate::js::ToJs::to_js(entries, env));
    // SAFETY: the instance is live, and promise and work are used up here.
    unsafe {
        sys::napi_delete_async_work(env.0, waiting.work);
        match value {
            Ok(value) => sys::napi_resolve_deferred(env.0, waiting.promise, value),
            Err(failure) => {
                let value = crate::error::exception(env, failure).unwrap_or(ptr::null_mut());
                sys::napi_reject_deferred(env.0, waiting.promise, value)
            }
        };
    }
}
