//! Stores of parameters by key.
//!
//! A key is a text, or a number where the text is NULL; one store has keys of one form.

use crate::attr::{length, mxr_attr_t, owned_string, read_attrs, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{array, arrays, as_arrays, give as give_array, mxr_array_free, mxr_array_t};
use crate::optimizer::mxr_optimizer_t;
use crate::out::{give_bytes, out as place};
use crate::shared::{self, Handle, behind, give, lock, share};
use mxr_core::kvstore::{self, Key, KvStore, Update, compressions};
use mxr_core::{NdArray, Result};
use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex};

/// A store of parameters.
pub struct mxr_kvstore_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_kvstore_t {
    type Thing = Mutex<Box<dyn KvStore>>;
    const NAME: &'static str = "kvstore";
}

unsafe fn key(name: *const c_char, index: i64) -> Result<Key> {
    if name.is_null() {
        return Ok(Key::Int(index));
    }
    // SAFETY: the caller gives a C string.
    Ok(Key::Name(unsafe { string(name, "key") }?.to_owned()))
}

/// Makes a store by its name: `local` or `device`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_create(
    name: *const c_char,
    out: *mut *mut mxr_kvstore_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string and a place for the handle.
        unsafe {
            let out = place(out, "out")?;
            out.write(give(Arc::new(Mutex::new(kvstore::create(string(name, "name")?)?))));
        }
        Ok(())
    })
}

/// The name by which a store is made. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_type(
    store: *const mxr_kvstore_t,
    name: *mut *mut c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the text.
        unsafe { place(name, "name")?.write(owned_string(lock(behind(store, "store")?).kind())) };
        Ok(())
    })
}

/// The number of this worker among those that share the store, and how many there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_workers(
    store: *const mxr_kvstore_t,
    rank: *mut i64,
    num_workers: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and places for the numbers.
        unsafe {
            let (rank, num_workers) = (place(rank, "rank")?, place(num_workers, "num_workers")?);
            let store = lock(behind(store, "store")?);
            rank.write(store.rank());
            num_workers.write(store.num_workers());
        }
        Ok(())
    })
}

/// Keeps a copy of a value under a new key. @nullable key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_init(
    store: *const mxr_kvstore_t,
    key: *const c_char,
    index: i64,
    value: *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives both handles, and a C string or NULL.
        unsafe {
            let value = array(value, "value")?;
            lock(behind(store, "store")?).init(self::key(key, index)?, &value)
        }
    })
}

/// Sums `n` values, one of each device, and changes the stored one by the sum: by the optimizer or function that was
/// set; without one the sum takes its place. @nullable key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_push(
    store: *const mxr_kvstore_t,
    key: *const c_char,
    index: i64,
    values: *const *mut mxr_array_t,
    n: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says, and a C string or NULL.
        unsafe {
            let values = arrays(values, n, "values")?;
            lock(behind(store, "store")?).push(&self::key(key, index)?, as_arrays(&values))
        }
    })
}

/// Copies the stored value to `n` arrays. @nullable key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_pull(
    store: *const mxr_kvstore_t,
    key: *const c_char,
    index: i64,
    out: *const *mut mxr_array_t,
    n: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says, and a C string or NULL.
        unsafe {
            let out = arrays(out, n, "out")?;
            lock(behind(store, "store")?).pull(&self::key(key, index)?, as_arrays(&out))
        }
    })
}

/// Pushes values, and then pulls to arrays. @nullable key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_pushpull(
    store: *const mxr_kvstore_t,
    key: *const c_char,
    index: i64,
    values: *const *mut mxr_array_t,
    num_values: i32,
    out: *const *mut mxr_array_t,
    num_out: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says, and a C string or NULL.
        unsafe {
            let (values, out) = (arrays(values, num_values, "values")?, arrays(out, num_out, "out")?);
            let key = self::key(key, index)?;
            lock(behind(store, "store")?).pushpull(&key, as_arrays(&values), as_arrays(&out))
        }
    })
}

/// Keeps a copy of a value under a new key, and copies it to `n` arrays. @nullable key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_broadcast(
    store: *const mxr_kvstore_t,
    key: *const c_char,
    index: i64,
    value: *mut mxr_array_t,
    out: *const *mut mxr_array_t,
    n: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says, and a C string or NULL.
        unsafe {
            let (value, out) = (array(value, "value")?, arrays(out, n, "out")?);
            lock(behind(store, "store")?).broadcast(self::key(key, index)?, &value, as_arrays(&out))
        }
    })
}

/// Updates stored values by an optimizer, which stays the caller's too, from now on, with new states.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_set_optimizer(
    store: *const mxr_kvstore_t,
    optimizer: *mut mxr_optimizer_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives both handles.
        unsafe {
            let optimizer = share(optimizer, "optimizer")?;
            lock(behind(store, "store")?).set_optimizer(optimizer);
        }
        Ok(())
    })
}

/// Changes a stored value by what was pushed, both borrowed. `key` is NULL where keys are numbers. Called on the
/// thread that is inside a push; it must not call functions of the store. Returns NULL, or an error that is then the
/// library's.
pub type mxr_update_fn = Option<
    unsafe extern "C" fn(
        payload: *mut c_void,
        key: *const c_char,
        index: i64,
        pushed: *mut mxr_array_t,
        stored: *mut mxr_array_t,
    ) -> *mut mxr_error_t,
>;

/// A callback with what belongs to it.
struct Updating {
    call: unsafe extern "C" fn(
        *mut c_void,
        *const c_char,
        i64,
        *mut mxr_array_t,
        *mut mxr_array_t,
    ) -> *mut mxr_error_t,
    payload: *mut c_void,
    deleter: Option<mxr_core::storage::Deleter>,
}
// SAFETY: the ABI says that the callback is called on the thread that pushes, one call at a time.
unsafe impl Send for Updating {}

impl Drop for Updating {
    fn drop(&mut self) {
        if let Some(deleter) = self.deleter.take() {
            deleter();
        }
    }
}

impl Updating {
    fn run(&mut self, key: &Key, pushed: &NdArray, stored: &NdArray) -> Result<()> {
        let (name, index) = match key {
            Key::Int(i) => (std::ptr::null_mut(), *i),
            Key::Name(name) => (owned_string(name), 0),
        };
        let (pushed, stored) = (give_array(pushed.clone()), give_array(stored.clone()));
        // SAFETY: the caller's function, with a text and handles that live during the call; its error is ours.
        unsafe {
            let error = (self.call)(self.payload, name, index, pushed, stored);
            mxr_array_free(pushed);
            mxr_array_free(stored);
            crate::attr::mxr_string_free(name);
            if error.is_null() { Ok(()) } else { Err(Box::from_raw(error).into_error()) }
        }
    }
}

/// Updates stored values by a function from now on; NULL lets sums take their place. `drop` is called with `payload`
/// when the function is no longer needed. @nullable update, payload, drop
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_set_update(
    store: *const mxr_kvstore_t,
    update: mxr_update_fn,
    payload: *mut c_void,
    drop: crate::array::mxr_drop_fn,
) -> *mut mxr_error_t {
    guard(|| {
        let deleter = crate::events::deleter(drop, payload);
        let updating = update.map(|call| Updating { call, payload, deleter: Some(deleter) });
        let update = updating.map(|mut u| -> Update { Box::new(move |key, new, old| u.run(key, new, old)) });
        // SAFETY: the caller gives a handle.
        unsafe { lock(behind(store, "store")?).set_update(update) };
        Ok(())
    })
}

/// Compresses what is pushed to a store `device` from now on: `2bit`, with attributes by the schema's ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_set_compression(
    store: *const mxr_kvstore_t,
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, a C string and attributes.
        unsafe {
            let store = behind(store, "store")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let compression = compressions().find(string(name, "name")?)?.create(&attrs)?;
            lock(store).set_compression(compression)
        }
    })
}

/// The states of the optimizer as bytes, which the caller frees with `mxr_bytes_free`. Waits for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_optimizer_states(
    store: *const mxr_kvstore_t,
    bytes: *mut *mut u8,
    len: *mut u64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and places for the bytes and their number.
    guard(|| unsafe {
        let store = behind(store, "store")?;
        give_bytes(|| lock(store).optimizer_states(), bytes, len)
    })
}

/// Replaces the states of the optimizer by those that `mxr_kvstore_optimizer_states` gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_set_optimizer_states(
    store: *const mxr_kvstore_t,
    bytes: *const u8,
    len: u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and `len` bytes.
        unsafe {
            let bytes = slice(bytes, length(len as i64, "len")?, "bytes")?;
            lock(behind(store, "store")?).set_optimizer_states(bytes)
        }
    })
}

/// Takes another reference to a store, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_retain(store: *mut mxr_kvstore_t) -> *mut mxr_kvstore_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(store) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_kvstore_free(store: *mut mxr_kvstore_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(store) }
}
