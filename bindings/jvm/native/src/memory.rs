//! Java's memory and the library's: addresses of direct buffers, buffers over addresses, texts, and copies between
//! arrays of Java's and arrays of the library.

use jni::EnvUnowned;
use jni::errors::ThrowRuntimeExAndDefault;
use jni::objects::{JByteBuffer, JClass, JObject};
use jni::sys::{jarray, jint, jlong};
use std::ffi::{CStr, c_char, c_void};

/// `Bridge.address(buffer)`: where a direct buffer begins.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_address<'local>(
    mut env: EnvUnowned<'local>,
    _: JClass<'local>,
    buffer: JByteBuffer<'local>,
) -> jlong {
    env.with_env(|env| env.get_direct_buffer_address(&buffer).map(|address| address as jlong))
        .resolve::<ThrowRuntimeExAndDefault>()
}

/// `Bridge.buffer(address, bytes)`: a direct buffer over memory, which does not keep it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_buffer<'local>(
    mut env: EnvUnowned<'local>,
    _: JClass<'local>,
    address: jlong,
    bytes: jlong,
) -> JObject<'local> {
    env.with_env(|env| {
        // SAFETY: the package passes memory of so many bytes, and keeps it as long as the buffer.
        unsafe { env.new_direct_byte_buffer(address as *mut u8, bytes as usize) }.map(JObject::from)
    })
    .resolve::<ThrowRuntimeExAndDefault>()
}

/// `Bridge.text(address)`: a text of C's, null for none.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_text<'local>(
    mut env: EnvUnowned<'local>,
    _: JClass<'local>,
    address: jlong,
) -> JObject<'local> {
    env.with_env(|env| {
        if address == 0 {
            return Ok(JObject::null());
        }
        // SAFETY: the library's texts end with a zero.
        let text = unsafe { CStr::from_ptr(address as *const c_char) };
        env.new_string(text.to_string_lossy()).map(JObject::from)
    })
    .resolve::<ThrowRuntimeExAndDefault>()
}

/// Calls with the elements of a primitive array of Java's, which the collector leaves where they are meanwhile.
fn with_elements(env: &EnvUnowned, array: jarray, call: impl FnOnce(*mut c_void) -> jlong) -> jlong {
    let env = env.as_raw();
    // SAFETY: the JVM gave its functions and an array.
    let elements = unsafe { ((**env).v1_2.GetPrimitiveArrayCritical)(env, array, std::ptr::null_mut()) };
    let result = call(elements);
    if !elements.is_null() {
        // SAFETY: these are the elements that it gave.
        unsafe { ((**env).v1_2.ReleasePrimitiveArrayCritical)(env, array, elements, 0) };
    }
    result
}

/// `Bridge.fromElements(array, offset, bytes, dims, ndim, dtype, kind, id, out)`: a new array of the library from a
/// part of one of Java's; returns an error.
#[allow(clippy::too_many_arguments)]
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_fromElements(
    env: EnvUnowned<'_>,
    _: JClass<'_>,
    array: jarray,
    bytes: jlong,
    dims: jlong,
    ndim: jint,
    dtype: jint,
    kind: jint,
    id: jint,
    out: jlong,
) -> jlong {
    with_elements(&env, array, |elements| {
        // SAFETY: the package passes sizes in its frame, and the number of bytes that the array has.
        unsafe {
            (mxr_abi::abi().mxr_array_from_data)(
                dims as _,
                ndim,
                dtype,
                kind,
                id,
                elements,
                bytes as u64,
                out as _,
            ) as jlong
        }
    })
}

/// `Bridge.copyTo(handle, array, bytes)`: the elements, which must be ready, into an array of Java's.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_copyTo(
    env: EnvUnowned<'_>,
    _: JClass<'_>,
    handle: jlong,
    array: jarray,
    bytes: jlong,
) -> jlong {
    with_elements(&env, array, |elements| {
        // SAFETY: the package passes a handle and the number of bytes that the array has.
        unsafe { (mxr_abi::abi().mxr_array_copy_to)(handle as _, elements, bytes as u64) as jlong }
    })
}

/// `Bridge.copyFrom(handle, array, bytes)`: the elements, which nothing must be using, from an array of Java's.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_copyFrom(
    env: EnvUnowned<'_>,
    _: JClass<'_>,
    handle: jlong,
    array: jarray,
    bytes: jlong,
) -> jlong {
    with_elements(&env, array, |elements| {
        // SAFETY: the package passes a handle and the number of bytes that the array has.
        unsafe { (mxr_abi::abi().mxr_array_copy_from)(handle as _, elements, bytes as u64) as jlong }
    })
}
