//! The library's handles that JavaScript's objects have.
//!
//! An object has the number of a slot here. That it is gone is seen by a weak reference, which a collection empties
//! at once: finalizers, which Node runs only when the program returns to its event loop, would let a loop that never
//! does keep all its temporaries. A sweep frees the handles of objects that are gone. One is due after a collection,
//! of which a small object that nothing holds tells, and the collector is told how much memory arrays take.

use crate::error::Failure;
use crate::js::{Call, Env, FromJs, Result, ToJs};
use mxr_abi::abi;
use mxr_abi::ffi;
use napi_sys::{self as sys, napi_ref, napi_value};
use std::ffi::c_void;
use std::ptr;

/// What a handle is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The slot is free.
    None,
    /// An array.
    Array,
    /// A symbol.
    Symbol,
    /// A bound symbol.
    Executor,
    /// A symbol that is called.
    CachedOp,
    /// A compiled symbol.
    Plan,
    /// An optimizer.
    Optimizer,
    /// An optimizer with its states.
    Updater,
    /// A learning-rate schedule.
    LRScheduler,
    /// An initializer.
    Initializer,
    /// A metric.
    Metric,
    /// A data iterator.
    DataIter,
    /// A store.
    KVStore,
    /// A callback.
    Callback,
    /// A module.
    Module,
}

/// A type of the library that objects have handles of.
pub trait Handle {
    /// Which it is.
    const KIND: Kind;
    /// What it is called.
    const NAME: &'static str;
}

/// The types, their names, and what frees their handles.
macro_rules! kinds {
    ($($kind:ident $type:ident $free:ident $name:literal),+ $(,)?) => {
        $(impl Handle for ffi::$type {
            const KIND: Kind = Kind::$kind;
            const NAME: &'static str = $name;
        })+

        /// Frees a handle.
        fn free(kind: Kind, handle: *mut c_void) {
            match kind {
                Kind::None => {}
                // SAFETY: the handle is of this type, is owned by the slot, and is freed once.
                $(Kind::$kind => unsafe { (abi().$free)(handle.cast()) }),+
            }
        }
    };
}

kinds! {
    Array mxr_array_t mxr_array_free "an NDArray",
    Symbol mxr_symbol_t mxr_symbol_free "a Symbol",
    Executor mxr_executor_t mxr_executor_free "an Executor",
    CachedOp mxr_cached_op_t mxr_cached_op_free "a CachedOp",
    Plan mxr_plan_t mxr_plan_free "a Plan",
    Optimizer mxr_optimizer_t mxr_optimizer_free "an Optimizer",
    Updater mxr_updater_t mxr_updater_free "an Updater",
    LRScheduler mxr_lr_scheduler_t mxr_lr_scheduler_free "an LRScheduler",
    Initializer mxr_initializer_t mxr_initializer_free "an Initializer",
    Metric mxr_metric_t mxr_metric_free "a Metric",
    DataIter mxr_data_iter_t mxr_data_iter_free "a DataIter",
    KVStore mxr_kvstore_t mxr_kvstore_free "a KVStore",
    Callback mxr_callback_t mxr_callback_free "a Callback",
    Module mxr_module_t mxr_module_free "a Module",
}

/// The number that a closed object has.
const CLOSED: i32 = -1;
/// Objects between two looks at whether there was a collection.
const LOOK: usize = 64;
/// Bytes by which what the collector knows may be wrong.
const COARSE: i64 = 1 << 20;
/// What an array takes besides its elements.
const OVERHEAD: i64 = 512;

struct Slot {
    kind: Kind,
    handle: *mut c_void,
    /// Null until an object has the handle.
    object: napi_ref,
    bytes: i64,
}

/// All handles of an instance.
pub struct Handles {
    slots: Vec<Slot>,
    free: Vec<i32>,
    bytes: i64,
    told: i64,
    since_look: usize,
    sentinel: napi_ref,
    swept: u64,
}

impl Default for Handles {
    fn default() -> Handles {
        let (slots, free, sentinel) = (Vec::new(), Vec::new(), ptr::null_mut());
        Handles { slots, free, bytes: 0, told: 0, since_look: 0, sentinel, swept: 0 }
    }
}

impl Handles {
    /// Takes over a handle, and gives the number of its slot.
    fn add(&mut self, kind: Kind, handle: *mut c_void) -> i32 {
        let bytes = if kind == Kind::Array { OVERHEAD + bytes_of(handle.cast()) } else { OVERHEAD };
        self.bytes += bytes;
        let slot = Slot { kind, handle, object: ptr::null_mut(), bytes };
        if let Some(at) = self.free.pop() {
            self.slots[at as usize] = slot;
            return at;
        }
        self.slots.push(slot);
        (self.slots.len() - 1) as i32
    }

    /// Frees what a slot has.
    fn drop_slot(&mut self, env: Env, at: usize) {
        let none = Slot { kind: Kind::None, handle: ptr::null_mut(), object: ptr::null_mut(), bytes: 0 };
        let slot = std::mem::replace(&mut self.slots[at], none);
        free(slot.kind, slot.handle);
        self.bytes -= slot.bytes;
        if !slot.object.is_null() {
            // SAFETY: the reference was made in this instance, and is deleted once.
            unsafe { sys::napi_delete_reference(env.0, slot.object) };
        }
        self.free.push(at as i32);
    }

    /// Gives a slot's handle to an object.
    fn bind(&mut self, env: Env, at: usize, object: napi_value) -> Result<()> {
        if self.slots.get(at).is_none_or(|slot| slot.kind == Kind::None || !slot.object.is_null()) {
            return Err(Failure::internal("an object for no handle"));
        }
        let place = &raw mut self.slots[at].object;
        // SAFETY: the instance and the object are live, and the reference is weak.
        env.check(unsafe { sys::napi_create_reference(env.0, object, 0, place) })?;
        self.since_look += 1;
        if self.since_look >= LOOK || self.bytes - self.told > COARSE {
            self.look(env)?;
        }
        Ok(())
    }

    /// Sweeps if there was a collection, and tells the collector of memory.
    fn look(&mut self, env: Env) -> Result<()> {
        self.since_look = 0;
        if self.sentinel.is_null() || is_gone(env, self.sentinel) {
            self.sweep(env)?;
        }
        if (self.bytes - self.told).abs() > COARSE {
            let mut all = 0;
            // SAFETY: the instance is live.
            unsafe { sys::napi_adjust_external_memory(env.0, self.bytes - self.told, &raw mut all) };
            self.told = self.bytes;
        }
        Ok(())
    }

    /// Frees the handles of objects that are gone.
    fn sweep(&mut self, env: Env) -> Result<()> {
        // SAFETY: the instance is live, and what is opened is closed.
        unsafe {
            let mut scope = ptr::null_mut();
            env.check(sys::napi_open_handle_scope(env.0, &raw mut scope))?;
            if !self.sentinel.is_null() {
                sys::napi_delete_reference(env.0, self.sentinel);
                self.sentinel = ptr::null_mut();
            }
            let object = env.made(|out| sys::napi_create_object(env.0, out));
            if let Ok(object) = object {
                sys::napi_create_reference(env.0, object, 0, &raw mut self.sentinel);
            }
            for at in 0..self.slots.len() {
                let object = self.slots[at].object;
                if !object.is_null() && is_gone(env, object) {
                    self.drop_slot(env, at);
                    self.swept += 1;
                }
            }
            env.check(sys::napi_close_handle_scope(env.0, scope))
        }
    }

    /// Frees everything, when the instance ends.
    pub fn free_all(&mut self) {
        self.slots.drain(..).for_each(|slot| free(slot.kind, slot.handle));
    }
}

/// Bytes of an array's elements; 0 if its shape is not known yet.
fn bytes_of(array: *mut ffi::mxr_array_t) -> i64 {
    const ROOM: usize = 8;
    let (mut dims, mut ndim) = ([0i64; ROOM], 0);
    // SAFETY: the handle is live, and there is so much room.
    unsafe {
        if (abi().mxr_array_shape_known)(array) != 1 {
            return 0;
        }
        let error = (abi().mxr_array_shape)(array, dims.as_mut_ptr(), ROOM as i32, &raw mut ndim);
        if !error.is_null() {
            (abi().mxr_error_free)(error);
            return 0;
        }
        let size = match (abi().mxr_array_dtype)(array) {
            ffi::MXR_FLOAT64 | ffi::MXR_INT64 => 8,
            ffi::MXR_FLOAT32 | ffi::MXR_INT32 => 4,
            ffi::MXR_FLOAT16 | ffi::MXR_BFLOAT16 => 2,
            _ => 1,
        };
        dims[..(ndim as usize).min(ROOM)].iter().product::<i64>() * size
    }
}

/// Whether the object of a weak reference was collected.
///
/// To ask for the object would keep it for the rest of a collection that is under way, so the reference is made strong
/// and weak again instead: of an object that is gone there are 0 strong references then.
fn is_gone(env: Env, reference: napi_ref) -> bool {
    let mut strong = 0;
    // SAFETY: the instance and the reference are live.
    unsafe {
        sys::napi_reference_ref(env.0, reference, &raw mut strong);
        if strong > 0 {
            sys::napi_reference_unref(env.0, reference, &raw mut strong);
            return false;
        }
    }
    true
}

/// An argument that is a handle.
pub struct Of<T>(pub *mut T);

impl<T: Handle> FromJs for Of<T> {
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<Of<T>> {
        let at = i32::from_js(env, value, what).map_err(|_| Failure::wrong_type(what, T::NAME))?;
        find(env, at, what).map(Of)
    }
}

/// The handle of a slot.
#[inline]
pub fn find<T: Handle>(env: Env, at: i32, what: &str) -> Result<*mut T> {
    if at == CLOSED {
        return Err(Failure::closed(what));
    }
    let handles = env.state().handles.borrow();
    match handles.slots.get(at as usize) {
        Some(slot) if slot.kind == T::KIND => Ok(slot.handle.cast()),
        _ => Err(Failure::wrong_type(what, T::NAME)),
    }
}

/// A list of handles.
pub fn list<T: Handle>(call: &Call, i: usize, what: &str) -> Result<Vec<*mut T>> {
    Ok(call.get::<Vec<Of<T>>>(i, what)?.into_iter().map(|handle| handle.0).collect())
}

/// A list of handles, some of which may lack.
pub fn optional_list<T: Handle>(call: &Call, i: usize, what: &str) -> Result<Vec<*mut T>> {
    let items = call.get::<Vec<Option<Of<T>>>>(i, what)?;
    Ok(items.into_iter().map(|handle| handle.map_or(ptr::null_mut(), |h| h.0)).collect())
}

/// A result that is a new handle, which the object that JavaScript makes for it will own.
pub struct New<T>(pub *mut T);

impl<T: Handle> ToJs for New<T> {
    fn to_js(self, env: Env) -> Result<napi_value> {
        env.state().handles.borrow_mut().add(T::KIND, self.0.cast()).to_js(env)
    }
}

/// Takes over a handle whose object comes later.
pub fn add<T: Handle>(env: Env, handle: *mut T) -> i32 {
    env.state().handles.borrow_mut().add(T::KIND, handle.cast())
}

/// Takes over an object's handle.
pub fn adopt<T: Handle>(env: Env, handle: *mut T, object: napi_value) -> Result<i32> {
    let mut handles = env.state().handles.borrow_mut();
    let at = handles.add(T::KIND, handle.cast());
    handles.bind(env, at as usize, object)?;
    Ok(at)
}

/// `bind(object, slot)`: the object owns the handle from now on.
pub fn bind(call: &Call) -> Result<napi_value> {
    let at = call.get::<u32>(1, "slot")?;
    call.env.state().handles.borrow_mut().bind(call.env, at as usize, call.raw(0))?;
    call.give(())
}

/// `close(slot)`: frees a handle before its object is gone.
pub fn close(call: &Call) -> Result<napi_value> {
    let at = call.get::<i32>(0, "slot")?;
    let mut handles = call.env.state().handles.borrow_mut();
    if handles.slots.get(at as usize).is_some_and(|slot| slot.kind != Kind::None) {
        handles.drop_slot(call.env, at as usize);
    }
    call.give(())
}

/// `sweep()`: frees what objects that are gone had, and says how many handles are left.
pub fn sweep(call: &Call) -> Result<napi_value> {
    let state = call.env.state();
    let mut handles = state.handles.borrow_mut();
    handles.sweep(call.env)?;
    handles.look(call.env)?;
    let left = handles.slots.len() - handles.free.len();
    drop(handles);
    state.release(call.env);
    call.give(left as f64)
}
