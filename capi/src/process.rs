//! What concerns the process: versions, waiting for everything, shutdown, memory, random seeds.

use crate::array::timeout;
use crate::error::{guard, mxr_error_t};
use crate::out::out;
use mxr_core::{Device, Error, ErrorCode, engine, rng, storage::pool};
use std::ffi::c_char;

/// Raised when functions are removed or change their meaning; additions do not raise it.
pub const MXR_ABI_VERSION: u32 = 1;

/// The version of the library, such as `0.1.0`. Static.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of the ABI, `MXR_ABI_VERSION` of the library that runs.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_abi_version() -> u32 {
    MXR_ABI_VERSION
}

/// How the library was built: version, target, profile. Static.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_build_info() -> *const c_char {
    const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
    static INFO: std::sync::LazyLock<std::ffi::CString> = std::sync::LazyLock::new(|| {
        let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
        let text = format!("mxr {} {arch}-{os} {PROFILE}", env!("CARGO_PKG_VERSION"));
        std::ffi::CString::new(text).expect("no zero bytes")
    });
    INFO.as_ptr()
}

/// Waits until everything asked so far is done. The error reports all failures since the last such wait.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_wait_all(milliseconds: i64) -> *mut mxr_error_t {
    guard(|| {
        engine::wait_all(timeout(milliseconds)).map_err(|errors| match &errors[..] {
            [one] => one.clone(),
            many => {
                let texts: Vec<_> = many.iter().map(Error::to_string).collect();
                let code = many.first().map_or(ErrorCode::Internal, Error::code);
                Error::new(code, format!("{} operations failed: {}", many.len(), texts.join("; ")))
            }
        })
    })
}

/// Operations that were asked for and are not done.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_engine_pending() -> i64 {
    engine::pending() as i64
}

/// Threads that one operation may use.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_num_threads() -> i32 {
    mxr_core::num_threads() as i32
}

/// Finishes what was asked for and stops all threads. May be called again; a later call starts them anew.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_shutdown(milliseconds: i64) -> *mut mxr_error_t {
    guard(|| engine::shutdown(timeout(milliseconds)))
}

/// Seeds the random numbers of one device, or of all if `device_kind` is 0.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_random_seed(seed: u64, device_kind: i32, device_id: i32) -> *mut mxr_error_t {
    guard(|| {
        let device = match device_kind {
            0 => None,
            kind => Some(Device::from_code(kind, device_id)?),
        };
        rng::seed(seed, device);
        Ok(())
    })
}

/// What the pool of main memory holds, in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_memory_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// Held by arrays.
    pub in_use: u64,
    /// Kept for later use.
    pub kept: u64,
    /// Largest `in_use` so far.
    pub peak: u64,
}

/// Reports the pool of main memory; the caller sets `struct_size` before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_memory_stats(memory: *mut mxr_memory_t) -> *mut mxr_error_t {
    guard(|| {
        let stats = pool::stats();
        // SAFETY: the caller's struct begins with its size, and that many bytes of it exist.
        unsafe {
            out(memory, "memory")?;
            let size = ((*memory).struct_size as usize).min(size_of::<mxr_memory_t>());
            let full = mxr_memory_t {
                struct_size: size as u32,
                in_use: stats.in_use as u64,
                kept: stats.kept as u64,
                peak: stats.peak as u64,
            };
            std::ptr::copy_nonoverlapping((&raw const full).cast::<u8>(), memory.cast::<u8>(), size);
        }
        Ok(())
    })
}

/// Returns memory that is kept for later use to the system, and starts a new measurement of the peak.
#[unsafe(no_mangle)]
pub extern "C" fn mxr_memory_trim() {
    pool::trim();
    pool::reset_peak();
}
