//! What the addon keeps for one instance of JavaScript: the program's, or a worker's.

use crate::handles::Handles;
use crate::js::Env;
use mxr_abi::ffi::{mxr_call_t, mxr_op_t};
use napi_sys::{self as sys, napi_env, napi_ref};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

/// References to JavaScript's memory that the library has given back, on whatever thread: numbers of `napi_ref`.
pub type Released = Arc<Mutex<Vec<usize>>>;

/// What the addon keeps.
pub struct State {
    /// The library's handles that objects have.
    pub handles: RefCell<Handles>,
    /// The circumstances of calls.
    pub call: Cell<mxr_call_t>,
    /// The memory in which JavaScript writes the arguments of a call: its address and its length.
    pub scratch: Cell<(*mut f64, usize)>,
    /// What keeps that memory.
    pub scratch_owner: Cell<napi_ref>,
    /// The operators that were asked for.
    pub ops: RefCell<Vec<*const mxr_op_t>>,
    /// Makes exceptions of a code, a message, an operator and an argument.
    pub factory: Cell<napi_ref>,
    /// Exceptions that are on their way through the library.
    pub carried: RefCell<HashMap<u64, napi_ref>>,
    /// The number of the next of these.
    pub next_origin: Cell<u64>,
    /// Memory of JavaScript's that arrays no longer need.
    pub released: Released,
    /// Arrays over such memory that there are.
    pub pinned: Cell<usize>,
}

impl State {
    /// Gives an instance its state, which goes with it.
    pub fn install(env: Env) {
        let call = mxr_call_t {
            struct_size: size_of::<mxr_call_t>() as u32,
            flags: 0,
            device_kind: 0,
            device_id: 0,
        };
        let state = State {
            handles: RefCell::default(),
            call: Cell::new(call),
            scratch: Cell::new((ptr::dangling_mut(), 0)),
            scratch_owner: Cell::new(ptr::null_mut()),
            ops: RefCell::default(),
            factory: Cell::new(ptr::null_mut()),
            carried: RefCell::default(),
            next_origin: Cell::new(1),
            released: Released::default(),
            pinned: Cell::new(0),
        };
        let data = Box::into_raw(Box::new(state)).cast::<c_void>();
        // SAFETY: the instance is live; the state is freed once, when the instance ends.
        unsafe { sys::napi_set_instance_data(env.0, data, Some(remove), ptr::null_mut()) };
    }

    /// Lets go of JavaScript's memory that arrays no longer need.
    pub fn release(&self, env: Env) {
        // SAFETY: what is queued are functions of this addon, which may run on any thread.
        unsafe { (mxr_abi::abi().mxr_events_poll)() };
        let Ok(mut released) = self.released.lock() else { return };
        self.pinned.set(self.pinned.get() - released.len());
        for reference in released.drain(..) {
            // SAFETY: the reference was made in this instance, and is deleted once.
            unsafe { sys::napi_delete_reference(env.0, reference as napi_ref) };
        }
    }
}

/// Frees an instance's state, with all handles that objects of it have.
unsafe extern "C" fn remove(env: napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the data is the state that was installed; nothing uses it any more.
    let state = unsafe { Box::from_raw(data.cast::<State>()) };
    state.handles.borrow_mut().free_all();
    state.release(Env(env));
    if state.pinned.get() > 0 {
        // The engine may still use memory that goes with the instance.
        // SAFETY: the function takes a number.
        let error = unsafe { (mxr_abi::abi().mxr_wait_all)(mxr_abi::ffi::MXR_FOREVER) };
        // SAFETY: the error is owned here.
        unsafe { (mxr_abi::abi().mxr_error_free)(error) };
    }
}
