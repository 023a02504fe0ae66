//! What must happen on a thread of the caller's: foreign memory to give back.
//!
//! Engine threads never enter a language. They queue the deleters of foreign memory here, and the binding runs
//! them when it next calls `mxr_events_poll`.

use crate::array::mxr_drop_fn;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

struct Queued {
    drop: unsafe extern "C" fn(*mut c_void),
    payload: *mut c_void,
}
// SAFETY: the payload is only handed to its own function, which the ABI says may run on any polling thread.
unsafe impl Send for Queued {}
// SAFETY: as above.
unsafe impl Sync for Queued {}

static QUEUE: Mutex<Vec<Queued>> = Mutex::new(Vec::new());
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// A deleter that queues the caller's function.
pub(crate) fn deleter(drop: mxr_drop_fn, payload: *mut c_void) -> mxr_core::storage::Deleter {
    let queued = drop.map(|drop| Queued { drop, payload });
    Box::new(move || {
        if let Some(queued) = queued {
            QUEUE.lock().unwrap_or_else(PoisonError::into_inner).push(queued);
            WAITING.fetch_add(1, Ordering::Release);
        }
    })
}

/// Runs what is queued for the caller's threads, and says how much that was. Cheap when there is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_events_poll() -> i32 {
    if WAITING.load(Ordering::Acquire) == 0 {
        return 0;
    }
    let queued = std::mem::take(&mut *QUEUE.lock().unwrap_or_else(PoisonError::into_inner));
    WAITING.fetch_sub(queued.len(), Ordering::Release);
    let n = queued.len() as i32;
    for q in queued {
        // SAFETY: the owner of the memory gave this function for this payload, and it is called once.
        unsafe { (q.drop)(q.payload) };
    }
    n
}
