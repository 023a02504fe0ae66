//! Updaters: an optimizer with the states of all parameters.

use crate::attr::{length, slice};
use crate::error::{guard, mxr_error_t};
use crate::handle::{array, arrays, as_arrays, give_all, mxr_array_t};
use crate::optimizer::mxr_optimizer_t;
use crate::out::{give_bytes, out as place, places};
use crate::shared::{self, Handle, behind, give, lock, share};
use mxr_core::err;
use mxr_core::optim::Updater;
use std::sync::{Arc, Mutex};

/// An optimizer with the states of the parameters that it has seen.
pub struct mxr_updater_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_updater_t {
    type Thing = Mutex<Updater>;
    const NAME: &'static str = "updater";
}

/// Makes an updater without states over an optimizer, which stays the caller's too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_create(
    optimizer: *mut mxr_optimizer_t,
    out: *mut *mut mxr_updater_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let out = place(out, "out")?;
            out.write(give(Arc::new(Mutex::new(Updater::new(share(optimizer, "optimizer")?)))));
        }
        Ok(())
    })
}

/// Changes a weight by its gradient; its state is made with the first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_update(
    updater: *const mxr_updater_t,
    index: i64,
    grad: *mut mxr_array_t,
    weight: *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives all handles.
        unsafe {
            let (grad, weight) = (array(grad, "grad")?, array(weight, "weight")?);
            lock(behind(updater, "updater")?).update(index, &grad, &weight)
        }
    })
}

/// The indices of the parameters that have a state, in order, as many as there is room for, and their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_indices(
    updater: *const mxr_updater_t,
    indices: *mut i64,
    room: i64,
    n: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, room for `room` numbers and a place for their number.
        unsafe {
            let n = place(n, "n")?;
            let indices = places(indices, length(room, "room")?, "indices")?;
            let updater = lock(behind(updater, "updater")?);
            for (place, index) in indices.iter_mut().zip(updater.indices()) {
                place.write(index);
            }
            n.write(updater.indices().count() as i64);
        }
        Ok(())
    })
}

/// The arrays of a parameter's state, as references that the caller owns, in the order of
/// `mxr_optimizer_create_state`. `states` has room for `*num_states`, which becomes their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_state(
    updater: *const mxr_updater_t,
    index: i64,
    states: *mut *mut mxr_array_t,
    num_states: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and room as it says.
        unsafe {
            let updater = lock(behind(updater, "updater")?);
            let state = updater.state(index);
            let state = state
                .ok_or_else(|| err!(NotFound, "no update of parameter {index} was made").about("index"))?;
            give_all(state.to_arrays(), states, num_states, "states")
        }
    })
}

/// Gives a parameter a state, in the order of `mxr_optimizer_create_state`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_set_state(
    updater: *const mxr_updater_t,
    index: i64,
    states: *const *mut mxr_array_t,
    num_states: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says.
        unsafe {
            let states = as_arrays(&arrays(states, num_states, "states")?).to_vec();
            lock(behind(updater, "updater")?).set_state(index, states)
        }
    })
}

/// All states and counts as bytes, which the caller frees with `mxr_bytes_free`. Waits for the states.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_to_bytes(
    updater: *const mxr_updater_t,
    bytes: *mut *mut u8,
    len: *mut u64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and places for the bytes and their number.
    guard(|| unsafe {
        let updater = behind(updater, "updater")?;
        give_bytes(|| lock(updater).to_bytes(), bytes, len)
    })
}

/// Replaces all states and counts by those that `mxr_updater_to_bytes` gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_set_bytes(
    updater: *const mxr_updater_t,
    bytes: *const u8,
    len: u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and `len` bytes.
        unsafe {
            let bytes = slice(bytes, length(len as i64, "len")?, "bytes")?;
            lock(behind(updater, "updater")?).set_bytes(bytes)
        }
    })
}

/// Takes another reference to an updater, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_retain(updater: *mut mxr_updater_t) -> *mut mxr_updater_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(updater) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_updater_free(updater: *mut mxr_updater_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(updater) }
}
