//! Node-API as this addon uses it: values in and out, exceptions, and the one entry of all functions.
//!
//! Values are only valid inside the call that got them, which their type does not say: they never leave it.

use crate::error::Failure;
use crate::state::State;
use napi_sys::{self as sys, napi_env, napi_status, napi_value};
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// What a function gives, or that it failed.
pub type Result<T> = std::result::Result<T, Failure>;

/// The most arguments that a function takes.
const MOST: usize = 10;

/// An instance of JavaScript: the program's, or a worker's.
#[derive(Clone, Copy)]
pub struct Env(pub napi_env);

/// A call of a function of this addon.
pub struct Call {
    /// Where it was made.
    pub env: Env,
    args: [napi_value; MOST],
    n: usize,
}

/// A function of this addon.
pub struct Function {
    /// Its name, which ends with a zero.
    pub name: &'static CStr,
    /// What it does.
    pub run: fn(&Call) -> Result<napi_value>,
}

// SAFETY of all blocks: Node calls this with an instance and a call that are live until it returns, and with the
// function that was given to it when it was made, which is static.
unsafe extern "C" fn enter(env: napi_env, info: sys::napi_callback_info) -> napi_value {
    let mut call = Call { env: Env(env), args: [ptr::null_mut(); MOST], n: MOST };
    let mut data = ptr::null_mut();
    let args = call.args.as_mut_ptr();
    unsafe { sys::napi_get_cb_info(env, info, &raw mut call.n, args, ptr::null_mut(), &raw mut data) };
    let function = unsafe { &*data.cast_const().cast::<Function>() };
    call.env.guard(|| (function.run)(&call))
}

impl Env {
    /// Runs what a call of JavaScript's asked for; a failure, or a panic, becomes an exception.
    pub fn guard(self, run: impl FnOnce() -> Result<napi_value>) -> napi_value {
        let done = catch_unwind(AssertUnwindSafe(run));
        let failure = match done {
            Ok(Ok(value)) => return value,
            Ok(Err(failure)) => failure,
            Err(_) => Failure::internal("a fault in the addon of mxr"),
        };
        crate::error::throw(self, failure);
        ptr::null_mut()
    }

    /// What the addon keeps for this instance.
    #[inline]
    pub fn state(self) -> &'static State {
        let mut data = ptr::null_mut();
        // SAFETY: the instance is live; its data was set before any function could be called, and stays until none
        // can be.
        unsafe {
            sys::napi_get_instance_data(self.0, &raw mut data);
            &*data.cast_const().cast::<State>()
        }
    }

    /// Puts functions into an object.
    pub fn define(self, object: napi_value, functions: &'static [Function]) -> Result<()> {
        for function in functions {
            let mut value = ptr::null_mut();
            let data = ptr::from_ref(function).cast_mut().cast::<c_void>();
            let name = function.name.as_ptr();
            // SAFETY: the instance is live, the name is a C string, and the data is static.
            self.check(unsafe {
                sys::napi_create_function(self.0, name, -1, Some(enter), data, &raw mut value)
            })?;
            // SAFETY: as above.
            self.check(unsafe { sys::napi_set_named_property(self.0, object, name, value) })?;
        }
        Ok(())
    }

    /// Turns a status into a result. An exception may be pending.
    pub fn check(self, status: napi_status) -> Result<()> {
        match status {
            sys::Status::napi_ok => Ok(()),
            sys::Status::napi_pending_exception => Err(Failure::Thrown),
            other => Err(Failure::internal(&format!("Node-API says {other}"))),
        }
    }

    /// A place that a function of Node-API fills.
    pub fn made(self, make: impl FnOnce(*mut napi_value) -> napi_status) -> Result<napi_value> {
        let mut value = ptr::null_mut();
        self.check(make(&raw mut value))?;
        Ok(value)
    }

    /// `undefined`.
    pub fn undefined(self) -> Result<napi_value> {
        // SAFETY: the instance is live.
        self.made(|out| unsafe { sys::napi_get_undefined(self.0, out) })
    }

    /// What kind of value this is.
    pub fn type_of(self, value: napi_value) -> i32 {
        let mut kind = 0;
        // SAFETY: the instance and the value are live.
        unsafe { sys::napi_typeof(self.0, value, &raw mut kind) };
        kind
    }

    /// Whether a value is `undefined` or `null`.
    pub fn lacks(self, value: napi_value) -> bool {
        matches!(self.type_of(value), sys::ValueType::napi_undefined | sys::ValueType::napi_null)
    }

    /// The elements of an array.
    pub fn elements(self, value: napi_value, what: &str) -> Result<Vec<napi_value>> {
        let (mut is_array, mut n) = (false, 0);
        // SAFETY: the instance and the value are live.
        self.check(unsafe { sys::napi_is_array(self.0, value, &raw mut is_array) })?;
        if !is_array {
            return Err(Failure::wrong_type(what, "an array"));
        }
        // SAFETY: as above, and the value is an array.
        self.check(unsafe { sys::napi_get_array_length(self.0, value, &raw mut n) })?;
        // SAFETY: as above.
        (0..n).map(|i| self.made(|out| unsafe { sys::napi_get_element(self.0, value, i, out) })).collect()
    }

    /// The memory of a typed array or of a DataView: its address and its bytes.
    pub fn memory(self, value: napi_value, what: &str) -> Result<(*mut c_void, usize)> {
        let (mut is_typed, mut kind, mut n, mut data) = (false, 0, 0, ptr::null_mut());
        // SAFETY: the instance and the value are live, and places are given.
        unsafe {
            self.check(sys::napi_is_typedarray(self.0, value, &raw mut is_typed))?;
            if !is_typed {
                return Err(Failure::wrong_type(what, "a typed array"));
            }
            let (kind, n, data) = (&raw mut kind, &raw mut n, &raw mut data);
            let (buffer, offset) = (ptr::null_mut(), ptr::null_mut());
            self.check(sys::napi_get_typedarray_info(self.0, value, kind, n, data, buffer, offset))?;
        }
        use sys::TypedarrayType as T;
        let size = match kind {
            T::int8_array | T::uint8_array | T::uint8_clamped_array => 1,
            T::int16_array | T::uint16_array => 2,
            T::int32_array | T::uint32_array | T::float32_array => 4,
            T::float64_array | T::bigint64_array | T::biguint64_array => 8,
            _ => return Err(Failure::wrong_type(what, "a typed array of another kind")),
        };
        // An empty array may have no address.
        Ok((if data.is_null() { ptr::dangling_mut() } else { data }, n * size))
    }
}

impl Call {
    /// The value of an argument, as it is.
    pub fn raw(&self, i: usize) -> napi_value {
        self.args[i]
    }

    /// An argument, which the message of an error calls by its name.
    pub fn get<T: FromJs>(&self, i: usize, name: &str) -> Result<T> {
        T::from_js(self.env, self.args[i], name)
    }

    /// A result.
    pub fn give<T: ToJs>(&self, value: T) -> Result<napi_value> {
        value.to_js(self.env)
    }
}

/// What a JavaScript value can be turned into.
pub trait FromJs: Sized {
    /// The value; `what` is how the message of an error calls it.
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<Self>;
}

/// What can be turned into a JavaScript value.
pub trait ToJs {
    /// The value.
    fn to_js(self, env: Env) -> Result<napi_value>;
}

/// Types that one function of Node-API reads and one makes.
macro_rules! plain {
    ($type:ty, $read:ident, $make:ident, $what:literal) => {
        impl FromJs for $type {
            fn from_js(env: Env, value: napi_value, what: &str) -> Result<Self> {
                let mut out: $type = Default::default();
                // SAFETY: the instance and the value are live, and a place is given.
                match unsafe { sys::$read(env.0, value, &raw mut out) } {
                    sys::Status::napi_ok => Ok(out),
                    _ => Err(Failure::wrong_type(what, $what)),
                }
            }
        }
        impl ToJs for $type {
            fn to_js(self, env: Env) -> Result<napi_value> {
                // SAFETY: the instance is live, and a place is given.
                env.made(|out| unsafe { sys::$make(env.0, self, out) })
            }
        }
    };
}

plain!(f64, napi_get_value_double, napi_create_double, "a number");
plain!(i32, napi_get_value_int32, napi_create_int32, "an integer");
plain!(u32, napi_get_value_uint32, napi_create_uint32, "an integer that is not negative");
plain!(i64, napi_get_value_int64, napi_create_int64, "an integer");
plain!(bool, napi_get_value_bool, napi_get_boolean, "a truth value");

impl FromJs for u64 {
    /// From a `BigInt`, of which the lower 64 bits are taken, or a number.
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<u64> {
        let (mut out, mut lossless) = (0, false);
        // SAFETY: the instance and the value are live, and places are given.
        match unsafe { sys::napi_get_value_bigint_uint64(env.0, value, &raw mut out, &raw mut lossless) } {
            sys::Status::napi_ok => Ok(out),
            _ => i64::from_js(env, value, what).map(i64::cast_unsigned),
        }
    }
}

impl ToJs for u64 {
    fn to_js(self, env: Env) -> Result<napi_value> {
        (self as f64).to_js(env)
    }
}

impl FromJs for String {
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<String> {
        let mut n = 0;
        // SAFETY: the instance and the value are live.
        let status = unsafe { sys::napi_get_value_string_utf8(env.0, value, ptr::null_mut(), 0, &raw mut n) };
        if status != sys::Status::napi_ok {
            return Err(Failure::wrong_type(what, "a text"));
        }
        let mut bytes = vec![0u8; n + 1];
        let place = bytes.as_mut_ptr().cast::<c_char>();
        // SAFETY: as above, and the place has so many bytes.
        env.check(unsafe { sys::napi_get_value_string_utf8(env.0, value, place, n + 1, &raw mut n) })?;
        bytes.truncate(n);
        String::from_utf8(bytes).map_err(|_| Failure::wrong_type(what, "a text"))
    }
}

impl FromJs for CString {
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<CString> {
        let text = String::from_js(env, value, what)?;
        CString::new(text).map_err(|_| Failure::wrong_type(what, "a text without zero bytes"))
    }
}

impl ToJs for &str {
    fn to_js(self, env: Env) -> Result<napi_value> {
        let (data, n) = (self.as_ptr().cast::<c_char>(), self.len() as isize);
        // SAFETY: the instance is live, and the text has so many bytes.
        env.made(|out| unsafe { sys::napi_create_string_utf8(env.0, data, n, out) })
    }
}

impl ToJs for String {
    fn to_js(self, env: Env) -> Result<napi_value> {
        self.as_str().to_js(env)
    }
}

impl ToJs for () {
    fn to_js(self, env: Env) -> Result<napi_value> {
        env.undefined()
    }
}

impl ToJs for napi_value {
    fn to_js(self, _: Env) -> Result<napi_value> {
        Ok(self)
    }
}

impl<T: FromJs> FromJs for Option<T> {
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<Option<T>> {
        if env.lacks(value) { Ok(None) } else { T::from_js(env, value, what).map(Some) }
    }
}

impl<T: ToJs> ToJs for Option<T> {
    fn to_js(self, env: Env) -> Result<napi_value> {
        match self {
            Some(value) => value.to_js(env),
            // SAFETY: the instance is live.
            None => env.made(|out| unsafe { sys::napi_get_null(env.0, out) }),
        }
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(env: Env, value: napi_value, what: &str) -> Result<Vec<T>> {
        env.elements(value, what)?.into_iter().map(|item| T::from_js(env, item, what)).collect()
    }
}

impl<T: ToJs> ToJs for Vec<T> {
    fn to_js(self, env: Env) -> Result<napi_value> {
        let n = self.len();
        // SAFETY: the instance is live.
        let array = env.made(|out| unsafe { sys::napi_create_array_with_length(env.0, n, out) })?;
        for (i, item) in self.into_iter().enumerate() {
            let item = item.to_js(env)?;
            // SAFETY: as above, and the value is an array.
            env.check(unsafe { sys::napi_set_element(env.0, array, i as u32, item) })?;
        }
        Ok(array)
    }
}

/// Tuples are arrays.
macro_rules! tuple {
    ($($part:ident $i:tt),+) => {
        impl<$($part: ToJs),+> ToJs for ($($part,)+) {
            fn to_js(self, env: Env) -> Result<napi_value> {
                vec![$(self.$i.to_js(env)?),+].to_js(env)
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
