//! Gives libmxr.so the name that programs record when they are linked to it.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let major = std::env::var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmxr.so.{major}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
