//! The C ABI of mxr. There is no logic here: each function checks its pointers, converts, and calls mxr-core.
//!
//! Rules that hold for all functions:
//! * A function that can fail returns `mxr_error_t *`: NULL is success, anything else is the caller's to free.
//! * Results come through the last parameters, and are not touched on failure.
//! * A pointer that is NULL is refused with `MXR_ERROR_INVALID_VALUE`, unless its function says `@nullable`, or
//!   that zero elements are behind it.
//! * Handles are reference counted: `_retain` and `_free`. `_free` takes NULL and never blocks.
//! * Strings are UTF-8. A string that is not static says who owns it.
//! * Any function may be called on any thread. A panic inside becomes `MXR_ERROR_INTERNAL`.
//! * With `MXR_CHECK=1` in the environment, freed, foreign and wrong handles are found and reported.
#![allow(non_camel_case_types)]

pub mod array;
pub mod attr;
pub mod autograd;
pub mod cached_op;
pub mod callback;
pub mod control;
pub mod data_iter;
pub mod dlpack;
pub mod error;
pub mod events;
pub mod executor;
pub mod file;
pub mod handle;
pub mod initializer;
pub mod kvstore;
pub mod lr_scheduler;
pub mod metric;
pub mod model;
pub mod module;
pub mod module_train;
pub mod op;
pub mod optimizer;
mod out;
pub mod plan;
pub mod process;
pub mod record;
mod shared;
pub mod symbol;
pub mod symbol_info;
pub mod text;
pub mod updater;

#[global_allocator]
static ALLOCATOR: mxr_core::storage::Allocator = mxr_core::storage::Allocator;
