//! The places where the caller wants results. They are looked at before anything else happens, so that a call
//! that has nowhere to put its result changes nothing.

use mxr_core::{Result, err};
use std::mem::MaybeUninit;

/// The place for one result; refuses NULL.
pub(crate) unsafe fn out<'a, T>(place: *mut T, argument: &str) -> Result<&'a mut MaybeUninit<T>> {
    // SAFETY: the caller promises a place for one `T`, which need not be set.
    Ok(&mut unsafe { places(place, 1, argument) }?[0])
}

/// The places for `n` results; NULL is refused unless there are none.
pub(crate) unsafe fn places<'a, T>(
    place: *mut T,
    n: usize,
    argument: &str,
) -> Result<&'a mut [MaybeUninit<T>]> {
    match n {
        0 => Ok(&mut []),
        _ if place.is_null() => {
            Err(err!(InvalidValue, "expected room for {n} results, got NULL").about(argument))
        }
        // SAFETY: the caller promises `n` places, which need not be set.
        _ => Ok(unsafe { std::slice::from_raw_parts_mut(place.cast(), n) }),
    }
}

/// Puts bytes where the caller takes them over; it frees them with `mxr_bytes_free`.
pub(crate) unsafe fn give_bytes(
    made: impl FnOnce() -> Result<Vec<u8>>,
    bytes: *mut *mut u8,
    len: *mut u64,
) -> Result<()> {
    // SAFETY: the caller gives places for the bytes and their number.
    unsafe {
        let (bytes, len) = (out(bytes, "bytes")?, out(len, "len")?);
        let made = made()?;
        len.write(made.len() as u64);
        bytes.write(Box::into_raw(made.into_boxed_slice()).cast());
    }
    Ok(())
}
