//! Finding libmxr, when the package is loaded.

use jni::objects::{JClass, JObject, JString};
use jni::strings::JNIString;
use jni::{Env, EnvUnowned};

/// `Library.start(named, bundled)`: loads libmxr and returns its file; an `UnsatisfiedLinkError` says why it cannot.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_mxr_Library_start<'local>(
    mut env: EnvUnowned<'local>,
    _: JClass<'local>,
    named: JString<'local>,
    bundled: JString<'local>,
) -> JObject<'local> {
    let done = env.with_env(|env| -> jni::errors::Result<JObject<'local>> {
        let named = if named.is_null() { None } else { Some(named.try_to_string(env)?.into()) };
        let bundled = bundled.try_to_string(env)?.into();
        match mxr_abi::load(named, bundled) {
            Ok(file) => Ok(env.new_string(file)?.into()),
            Err(message) => refuse(env, &message),
        }
    });
    done.resolve::<jni::errors::ThrowRuntimeExAndDefault>()
}

fn refuse<'local>(env: &mut Env<'local>, message: &str) -> jni::errors::Result<JObject<'local>> {
    env.throw_new(jni::jni_str!("java/lang/UnsatisfiedLinkError"), JNIString::from(message))?;
    Err(jni::errors::Error::JavaException)
}
