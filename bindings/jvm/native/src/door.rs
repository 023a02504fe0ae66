//! How native methods become functions of the C ABI. Pointers come as `long`, made by Java's `Frame` or given by the
//! library before: whatever is wrong with them is a fault of the package, not of its users.

use jni::sys::jlong;

/// Functions by the names under which the JVM looks for them, each a call of the ABI.
macro_rules! natives {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty { $function:ident($($passed:expr),*) })*) => { $(
        #[allow(non_snake_case, clippy::unnecessary_cast, missing_docs)]
        #[unsafe(no_mangle)]
        pub extern "system" fn $name(
            _: *mut jni::sys::JNIEnv, _: jni::sys::jclass, $($arg: $ty),*
        ) -> $result {
            // SAFETY: Java's package passes what the function expects, and keeps it alive for the call.
            unsafe { (mxr_abi::abi().$function)($($passed),*) as $result }
        }
    )* };
}
pub(crate) use natives;

/// An address, 0 for none, as an optional pointer to a function.
pub(crate) fn callback<F: Copy>(address: jlong) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    // SAFETY: the address is that of a function of this type, which callbacks.rs gave; 0 is `None`.
    unsafe { std::mem::transmute_copy::<usize, Option<F>>(&(address as usize)) }
}
