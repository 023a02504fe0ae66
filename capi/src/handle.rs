//! Arrays as handles, and the checks that `MXR_CHECK=1` turns on.

use mxr_core::{NdArray, Result, err};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::{LazyLock, Mutex};

/// An n-dimensional array. Handles to one array are the same pointer.
pub struct mxr_array_t {
    _opaque: [u8; 0],
}

/// What live handles of the process point to: a type's name and the number of references.
type Live = HashMap<usize, (&'static str, usize)>;

static CHECKED: LazyLock<bool> = LazyLock::new(|| std::env::var("MXR_CHECK").is_ok_and(|v| v == "1"));
static LIVE: LazyLock<Mutex<Live>> = LazyLock::new(Mutex::default);

fn live() -> std::sync::MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Notes that a reference was given out.
pub(crate) fn given<T>(handle: *const T, what: &'static str) {
    if *CHECKED {
        live().entry(handle as usize).or_insert((what, 0)).1 += 1;
    }
}

/// Notes that a reference came back; false if there is none to come back.
pub(crate) fn came_back<T>(handle: *const T, what: &'static str) -> bool {
    if !*CHECKED {
        return true;
    }
    let mut live = live();
    match live.get_mut(&(handle as usize)) {
        Some((kind, count)) if *kind == what => {
            *count -= 1;
            if *count == 0 {
                live.remove(&(handle as usize));
            }
            true
        }
        _ => {
            eprintln!("mxr: a handle was freed that is not a live {what} (MXR_CHECK=1)");
            false
        }
    }
}

/// The name of a type with its article.
fn a(what: &str) -> String {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {what}")
}

/// Refuses NULL, and with `MXR_CHECK=1` everything that is not a live handle of this type.
pub(crate) fn check<T>(handle: *const T, what: &'static str, argument: &str) -> Result<()> {
    if handle.is_null() {
        return Err(err!(InvalidValue, "expected {}, got NULL", a(what)).about(argument));
    }
    if *CHECKED {
        let kind = live().get(&(handle as usize)).map(|(kind, _)| *kind);
        return match kind {
            Some(kind) if kind == what => Ok(()),
            Some(kind) => Err(err!(InvalidType, "expected {}, got {}", a(what), a(kind)).about(argument)),
            None => Err(err!(Closed, "the handle is not a live {what}: it was freed or never given out")
                .about(argument)),
        };
    }
    Ok(())
}

const ARRAY: &str = "array";

/// An array that the caller keeps its reference to.
#[repr(transparent)]
pub(crate) struct Borrowed(ManuallyDrop<NdArray>);

impl Deref for Borrowed {
    type Target = NdArray;
    fn deref(&self) -> &NdArray {
        &self.0
    }
}

/// The array behind a handle, for the time of a call.
pub(crate) unsafe fn array(handle: *const mxr_array_t, argument: &str) -> Result<Borrowed> {
    check(handle, ARRAY, argument)?;
    // SAFETY: the handle came from `give` and its owner keeps it during the call; it is not dropped here.
    Ok(Borrowed(ManuallyDrop::new(unsafe { NdArray::from_raw(handle.cast()) })))
}

/// The arrays behind `n` handles, for the time of a call.
pub(crate) unsafe fn arrays(
    handles: *const *mut mxr_array_t,
    n: i32,
    argument: &str,
) -> Result<SmallVec<[Borrowed; 4]>> {
    let n = crate::attr::length(n.into(), argument)?;
    let mut borrowed = SmallVec::new();
    // SAFETY: the caller promises `n` handles.
    for handle in unsafe { crate::attr::slice(handles, n, argument) }? {
        // SAFETY: as above.
        borrowed.push(unsafe { array(*handle, argument) }?);
    }
    Ok(borrowed)
}

/// Borrowed arrays as the engine takes them.
pub(crate) fn as_arrays(borrowed: &[Borrowed]) -> &[NdArray] {
    // SAFETY: `Borrowed` and `ManuallyDrop` are transparent, and a shared slice drops nothing.
    unsafe { &*(std::ptr::from_ref(borrowed) as *const [NdArray]) }
}

/// A handle that owns one reference.
pub(crate) fn give(array: NdArray) -> *mut mxr_array_t {
    let handle: *mut mxr_array_t = array.into_raw().cast_mut().cast();
    given(handle, ARRAY);
    handle
}

/// Puts handles that the caller owns where it has room for `*room`, which becomes their number.
pub(crate) unsafe fn give_all(
    arrays: Vec<NdArray>,
    out: *mut *mut mxr_array_t,
    room: *mut i32,
    argument: &str,
) -> Result<()> {
    // SAFETY: the caller gives a place for the number, and room for as many handles as it says.
    unsafe {
        if room.is_null() {
            return Err(err!(InvalidValue, "expected a number, got NULL").about(&format!("num_{argument}")));
        }
        if (*room as i64) < arrays.len() as i64 {
            return Err(
                err!(InvalidValue, "expected room for {}, got {}", arrays.len(), *room).about(argument)
            );
        }
        let places = crate::out::places(out, arrays.len(), argument)?;
        *room = arrays.len() as i32;
        for (place, array) in places.iter_mut().zip(arrays) {
            place.write(give(array));
        }
    }
    Ok(())
}

/// Takes another reference to an array, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_retain(array: *mut mxr_array_t) -> *mut mxr_array_t {
    // SAFETY: the caller gives a live handle or NULL.
    match unsafe { self::array(array, "array") } {
        Ok(a) => give((*a).clone()),
        Err(_) => std::ptr::null_mut(),
    }
}

/// Gives a reference back. NULL is allowed; pending work on the array is not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_free(array: *mut mxr_array_t) {
    if !array.is_null() && came_back(array, ARRAY) {
        // SAFETY: the handle owns a reference, which ends here.
        drop(unsafe { NdArray::from_raw(array.cast_const().cast()) });
    }
}
