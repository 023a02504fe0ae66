//! Calls from the library into Java, on threads of Java's that are inside the library: objects that the library keeps
//! as payloads, gradients of user-defined functions, monitors, updates of stores. The callbacks themselves are in `Upcalls.java`.

use jni::errors::ThrowRuntimeExAndDefault;
use jni::objects::{JClass, JObject, JValue};
use jni::sys::{jlong, jobject};
use jni::{Env, EnvUnowned, JavaVM, jni_sig, jni_str};
use mxr_abi::ffi::{mxr_array_t, mxr_error_t};
use std::ffi::{CStr, c_char, c_void};

const CLASS: &jni::strings::JNIStr = jni_str!("io/mxr/Upcalls");

/// `Bridge.keep(object)`: a payload that keeps an object until `drop` is called with it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_keep<'local>(
    mut env: EnvUnowned<'local>,
    _: JClass<'local>,
    object: JObject<'local>,
) -> jlong {
    env.with_env(|env| env.new_global_ref(&object).map(|global| global.into_raw() as jlong))
        .resolve::<ThrowRuntimeExAndDefault>()
}

/// `Bridge.callback(which)`: the address of `drop` (0), `backward` (1), `monitor` (2) or `update` (3).
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Bridge_callback(
    _: EnvUnowned<'_>,
    _: JClass<'_>,
    which: jni::sys::jint,
) -> jlong {
    match which {
        0 => drop_payload as *const () as jlong,
        1 => backward as *const () as jlong,
        2 => monitor as *const () as jlong,
        _ => update as *const () as jlong,
    }
}

/// Runs with the JVM on the present thread, which is one of Java's.
fn on_this_thread<T>(call: impl FnOnce(&mut Env) -> jni::errors::Result<T>) -> Option<T> {
    let vm = JavaVM::singleton().ok()?;
    vm.attach_current_thread(call).ok()
}

unsafe extern "C" fn drop_payload(payload: *mut c_void) {
    on_this_thread(|env| {
        let env = env.get_raw();
        // SAFETY: the payload is a global reference that `keep` made, and nobody has any more.
        unsafe { ((**env).v1_2.DeleteGlobalRef)(env, payload as jobject) };
        Ok(())
    });
}

unsafe extern "C" fn backward(
    payload: *mut c_void,
    output_grads: *const *mut mxr_array_t,
    num_outputs: i32,
    input_grads: *mut *mut mxr_array_t,
    num_inputs: i32,
) -> *mut mxr_error_t {
    let error = on_this_thread(|env| {
        // SAFETY: the payload is a global reference that `keep` made.
        let function = unsafe { JObject::from_raw(env, payload as jobject) };
        let args = [
            JValue::Object(&function),
            JValue::Long(output_grads as jlong),
            JValue::Int(num_outputs),
            JValue::Long(input_grads as jlong),
            JValue::Int(num_inputs),
        ];
        let name = jni_str!("backward");
        let error = env.call_static_method(CLASS, name, jni_sig!("(Ljava/lang/Object;JIJI)J"), &args)?.j();
        // It is a global reference, which nothing here may delete.
        let _ = function.into_raw();
        error
    });
    told(error, c"the gradient of a user-defined function could not be called")
}

/// The error that a callback returned, or one with this text if it could not be called.
fn told(error: Option<jlong>, otherwise: &CStr) -> *mut mxr_error_t {
    match error {
        Some(error) => error as *mut mxr_error_t,
        // SAFETY: the text ends with a zero.
        None => unsafe {
            (mxr_abi::abi().mxr_error_new)(mxr_abi::ffi::MXR_ERROR_CALLBACK, otherwise.as_ptr(), 0)
        },
    }
}

unsafe extern "C" fn update(
    payload: *mut c_void,
    key: *const c_char,
    index: i64,
    pushed: *mut mxr_array_t,
    stored: *mut mxr_array_t,
) -> *mut mxr_error_t {
    let error = on_this_thread(|env| {
        // SAFETY: the payload is a global reference that `keep` made.
        let function = unsafe { JObject::from_raw(env, payload as jobject) };
        let args = [
            JValue::Object(&function),
            JValue::Long(key as jlong),
            JValue::Long(index),
            JValue::Long(pushed as jlong),
            JValue::Long(stored as jlong),
        ];
        let name = jni_str!("update");
        let error = env.call_static_method(CLASS, name, jni_sig!("(Ljava/lang/Object;JJJJ)J"), &args)?.j();
        let _ = function.into_raw();
        error
    });
    told(error, c"the function that updates a store could not be called")
}

unsafe extern "C" fn monitor(payload: *mut c_void, name: *const c_char, array: *mut mxr_array_t) {
    on_this_thread(|env| {
        // SAFETY: the payload is a global reference that `keep` made.
        let function = unsafe { JObject::from_raw(env, payload as jobject) };
        let args = [JValue::Object(&function), JValue::Long(name as jlong), JValue::Long(array as jlong)];
        let done =
            env.call_static_method(CLASS, jni_str!("monitor"), jni_sig!("(Ljava/lang/Object;JJ)V"), &args);
        let _ = function.into_raw();
        done.map(|_| ())
    });
}
