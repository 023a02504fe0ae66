//! Arrays: making, looking at, viewing, copying and waiting.

use crate::attr::{length, slice};
use crate::error::{guard, mxr_error_t};
use crate::events;
use crate::handle::{array, give, mxr_array_t};
use crate::op::{mode, mxr_call_t};
use crate::out::{out, places};
use mxr_core::{DType, Device, NdArray, Result, Shape, err, imperative};
use std::ffi::c_void;
use std::time::Duration;

/// IEEE 754 single precision.
pub const MXR_FLOAT32: i32 = 0;
/// IEEE 754 double precision.
pub const MXR_FLOAT64: i32 = 1;
/// IEEE 754 half precision.
pub const MXR_FLOAT16: i32 = 2;
/// Unsigned 8-bit integer.
pub const MXR_UINT8: i32 = 3;
/// Signed 32-bit integer.
pub const MXR_INT32: i32 = 4;
/// Signed 8-bit integer.
pub const MXR_INT8: i32 = 5;
/// Signed 64-bit integer.
pub const MXR_INT64: i32 = 6;
/// Truth value in a byte.
pub const MXR_BOOL: i32 = 7;
/// The upper half of a single-precision number.
pub const MXR_BFLOAT16: i32 = 12;

/// Main memory.
pub const MXR_CPU: i32 = 1;
/// A CUDA device.
pub const MXR_GPU: i32 = 2;

/// Waits for ever.
pub const MXR_FOREVER: i64 = -1;

/// Gives foreign memory back. Called once, on a thread that calls `mxr_events_poll` or frees the last handle.
pub type mxr_drop_fn = Option<unsafe extern "C" fn(payload: *mut c_void)>;

unsafe fn shape(dims: *const i64, ndim: i32) -> Result<Shape> {
    // SAFETY: the caller promises `ndim` sizes.
    Ok(Shape::new(unsafe { slice(dims, length(ndim.into(), "ndim")?, "dims") }?))
}

/// The time that a number of milliseconds means; negative for ever.
pub(crate) fn timeout(milliseconds: i64) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// Makes an array whose elements are not set. Memory is taken when something is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_empty(
    dims: *const i64,
    ndim: i32,
    dtype: i32,
    device_kind: i32,
    device_id: i32,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives `ndim` sizes and a place for the handle.
        unsafe {
            let out = self::out(out, "out")?;
            let device = Device::from_code(device_kind, device_id)?;
            let a = NdArray::empty(shape(dims, ndim)?, DType::from_code(dtype)?, device);
            out.write(give(a.map_err(|e| e.about("shape"))?));
        }
        Ok(())
    })
}

/// Makes an array from a copy of `bytes` bytes of row-major elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_from_data(
    dims: *const i64,
    ndim: i32,
    dtype: i32,
    device_kind: i32,
    device_id: i32,
    data: *const c_void,
    bytes: u64,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives `ndim` sizes, `bytes` bytes and a place for the handle.
        unsafe {
            let out = self::out(out, "out")?;
            let device = Device::from_code(device_kind, device_id)?;
            let a = NdArray::empty(shape(dims, ndim)?, DType::from_code(dtype)?, device)
                .map_err(|e| e.about("shape"))?;
            a.copy_from_bytes(slice(data.cast::<u8>(), bytes as usize, "data")?)
                .map_err(|e| e.about("data"))?;
            out.write(give(a));
        }
        Ok(())
    })
}

/// Makes an array over memory of the caller's, row-major, which `drop(payload)` gives back.
///
/// Until then the memory must stay, and be used by others only after `mxr_array_wait_to_write`.
/// @nullable payload, drop
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_from_foreign(
    data: *mut c_void,
    dims: *const i64,
    ndim: i32,
    dtype: i32,
    drop: mxr_drop_fn,
    payload: *mut c_void,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives `ndim` sizes, memory for them and a place for the handle.
        unsafe {
            let out = self::out(out, "out")?;
            let shape = shape(dims, ndim)?;
            let dtype = DType::from_code(dtype)?;
            if data.is_null() && shape.checked_len()? > 0 {
                return Err(err!(InvalidValue, "expected memory, got NULL").about("data"));
            }
            let deleter = events::deleter(drop, payload);
            out.write(give(NdArray::from_foreign(data.cast(), shape, dtype, Device::cpu(0), deleter)?));
        }
        Ok(())
    })
}

/// 1 if the shape is known, 0 if an operation that is not done yet will tell it, and functions that need it wait;
/// -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_shape_known(array: *mut mxr_array_t) -> i32 {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { self::array(array, "array") }.map_or(-1, |a| i32::from(a.known_shape().is_some()))
}

/// The number of axes and the sizes, as many as there is room for. Waits where only running tells the shape.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_shape(
    array: *mut mxr_array_t,
    dims: *mut i64,
    room: i32,
    ndim: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, room for `room` sizes and a place for the number.
        unsafe {
            let (dims, ndim) = (places(dims, room.max(0) as usize, "dims")?, out(ndim, "ndim")?);
            let a = self::array(array, "array")?;
            let shape = a.shape()?;
            for (place, d) in dims.iter_mut().zip(shape.iter()) {
                place.write(*d);
            }
            ndim.write(shape.ndim() as i32);
        }
        Ok(())
    })
}

/// The dtype, one of `MXR_FLOAT32`, …; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_dtype(array: *mut mxr_array_t) -> i32 {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { self::array(array, "array") }.map_or(-1, |a| a.dtype() as i32)
}

/// The number of axes; -1 for NULL, and while only a running operation knows it: `mxr_array_shape` waits for that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_ndim(array: *mut mxr_array_t) -> i32 {
    // SAFETY: the caller gives a live handle or NULL.
    let array = unsafe { self::array(array, "array") };
    array.ok().and_then(|a| a.known_shape().map(Shape::ndim)).map_or(-1, |n| n as i32)
}

/// The layout: 0 dense, 1 row_sparse, 2 csr; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_storage_kind(array: *mut mxr_array_t) -> i32 {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { self::array(array, "array") }.map_or(-1, |a| a.storage_kind() as i32)
}

/// The device that holds the array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_device(
    array: *mut mxr_array_t,
    kind: *mut i32,
    id: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and places for the numbers.
        unsafe {
            let (kind, id) = (out(kind, "kind")?, out(id, "id")?);
            let device = self::array(array, "array")?.device();
            kind.write(device.kind as i32);
            id.write(device.id);
        }
        Ok(())
    })
}

/// Waits and copies all elements, row-major, to `data`, which has exactly their size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_copy_to(
    array: *mut mxr_array_t,
    data: *mut c_void,
    bytes: u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and `bytes` bytes to write.
        unsafe {
            let a = self::array(array, "array")?;
            let out = match bytes {
                0 => &mut [][..],
                _ if data.is_null() => {
                    return Err(err!(InvalidValue, "expected memory, got NULL").about("data"));
                }
                n => std::slice::from_raw_parts_mut(data.cast::<u8>(), n as usize),
            };
            a.copy_to_bytes(out).map_err(|e| e.about("data"))
        }
    })
}

/// Waits and sets all elements from `bytes` bytes, row-major.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_copy_from(
    array: *mut mxr_array_t,
    data: *const c_void,
    bytes: u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and `bytes` bytes to read.
        unsafe {
            let a = self::array(array, "array")?;
            let bytes = slice(data.cast::<u8>(), bytes as usize, "data")?;
            a.copy_from_bytes(bytes).map_err(|e| e.about("data"))
        }
    })
}

/// Copies `from` to `to`, which has the same shape and dtype, when both are ready; does not wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_copy(from: *mut mxr_array_t, to: *mut mxr_array_t) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives two handles.
        unsafe { mxr_core::op::invoke::copy_to(&*array(from, "from")?, &*array(to, "to")?) }
    })
}

/// The rows `begin` to before `end` of the first axis, sharing memory. @nullable call
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_slice(
    array: *mut mxr_array_t,
    begin: i64,
    end: i64,
    call: *const mxr_call_t,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let out = self::out(out, "out")?;
            let view = imperative::slice(&*self::array(array, "array")?, begin, end, &mode(call)?)?;
            out.write(give(view));
        }
        Ok(())
    })
}

/// Row `index` of the first axis, without that axis, sharing memory. Negative indices count from the end.
/// @nullable call
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_at(
    array: *mut mxr_array_t,
    index: i64,
    call: *const mxr_call_t,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let out = self::out(out, "out")?;
            let view = imperative::at(&*self::array(array, "array")?, index, &mode(call)?)?;
            out.write(give(view));
        }
        Ok(())
    })
}

/// The same elements in another shape, sharing memory. One size may be -1. @nullable call
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_reshape(
    array: *mut mxr_array_t,
    dims: *const i64,
    ndim: i32,
    call: *const mxr_call_t,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, `ndim` sizes and a place for the new handle.
        unsafe {
            let out = self::out(out, "out")?;
            let a = self::array(array, "array")?;
            let view =
                imperative::reshape(&a, &shape(dims, ndim)?, &mode(call)?).map_err(|e| e.about("shape"))?;
            out.write(give(view));
        }
        Ok(())
    })
}

/// Another handle to the same elements, which autograd knows nothing about.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_detach(
    array: *mut mxr_array_t,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe { self::out(out, "out")?.write(give(self::array(array, "array")?.detach()?)) };
        Ok(())
    })
}

/// The address of the elements, once nothing reads or writes them any more. Valid as long as the array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_data(array: *mut mxr_array_t, data: *mut *mut c_void) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the address.
        unsafe { out(data, "data")?.write(self::array(array, "array")?.wait_and_expose()?.cast()) };
        Ok(())
    })
}

/// Waits until everything asked so far has written the array; `MXR_ERROR_TIMEOUT` after that many milliseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_wait_to_read(
    array: *mut mxr_array_t,
    milliseconds: i64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| unsafe { self::array(array, "array")?.wait_to_read(timeout(milliseconds)) })
}

/// Waits until everything asked so far has read and written the array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_wait_to_write(
    array: *mut mxr_array_t,
    milliseconds: i64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| unsafe { self::array(array, "array")?.wait_to_write(timeout(milliseconds)) })
}
