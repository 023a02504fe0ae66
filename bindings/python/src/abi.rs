//! The functions of libmxr that this module calls, found at run time. (Shape of the file that `gen` writes.)
#![allow(non_camel_case_types, missing_docs, dead_code)]

use libloading::Library;
use std::ffi::{c_char, c_void};

macro_rules! opaque {
    ($($name:ident)*) => { $(#[repr(C)] pub struct $name { _opaque: [u8; 0] })* };
}
opaque!(mxr_array_t mxr_op_t mxr_error_t mxr_list_t DLManagedTensor);

pub const MXR_ABI_VERSION: u32 = 1;
pub const MXR_ATTR_BOOL: u32 = 1;
pub const MXR_ATTR_INT: u32 = 2;
pub const MXR_ATTR_FLOAT: u32 = 3;
pub const MXR_ATTR_STRING: u32 = 4;
pub const MXR_ATTR_INTS: u32 = 5;
pub const MXR_ATTR_FLOATS: u32 = 6;
pub const MXR_ATTR_STRINGS: u32 = 7;
pub const MXR_CALL_RECORDING: u32 = 1;
pub const MXR_CALL_TRAINING: u32 = 2;
pub const MXR_REQUEST_NULL: i32 = 0;
pub const MXR_REQUEST_WRITE: i32 = 1;
pub const MXR_REQUEST_IN_PLACE: i32 = 2;
pub const MXR_REQUEST_ADD: i32 = 3;
pub const MXR_BACKWARD_RETAIN_GRAPH: u32 = 1;
pub const MXR_BACKWARD_CREATE_GRAPH: u32 = 2;
pub const MXR_BACKWARD_TRAINING: u32 = 4;
pub const MXR_ERROR_INVALID_VALUE: i32 = 1;
pub const MXR_ERROR_TIMEOUT: i32 = 12;
pub const MXR_ERROR_CALLBACK: i32 = 17;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_attr_t {
    pub id: u32,
    pub tag: u32,
    pub integer: i64,
    pub number: f64,
    pub data: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_call_t {
    pub struct_size: u32,
    pub flags: u32,
    pub device_kind: i32,
    pub device_id: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_memory_t {
    pub struct_size: u32,
    pub in_use: u64,
    pub kept: u64,
    pub peak: u64,
}

pub type mxr_drop_fn = Option<unsafe extern "C" fn(payload: *mut c_void)>;
pub type mxr_backward_fn = Option<
    unsafe extern "C" fn(
        payload: *mut c_void,
        output_grads: *const *mut mxr_array_t,
        num_outputs: i32,
        input_grads: *mut *mut mxr_array_t,
        num_inputs: i32,
    ) -> *mut mxr_error_t,
>;

macro_rules! functions {
    ($($name:ident ( $($arg:ty),* ) $(-> $result:ty)?;)*) => {
        /// Pointers to the library's functions.
        pub struct Abi {
            $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $result)?,)*
        }

        impl Abi {
            /// Finds every function.
            ///
            /// # Safety
            /// The library must be a libmxr of this ABI version.
            pub unsafe fn load(library: &Library) -> Result<Abi, libloading::Error> {
                // SAFETY: the signatures are those of the library's header.
                unsafe {
                    Ok(Abi { $($name: *library.get(concat!(stringify!($name), "\0").as_bytes())?,)* })
                }
            }
        }
    };
}

type E = *mut mxr_error_t;
type A = *mut mxr_array_t;
type Call = *const mxr_call_t;

functions! {
    mxr_version() -> *const c_char;
    mxr_abi_version() -> u32;
    mxr_build_info() -> *const c_char;
    mxr_wait_all(i64) -> E;
    mxr_engine_pending() -> i64;
    mxr_num_threads() -> i32;
    mxr_shutdown(i64) -> E;
    mxr_random_seed(u64, i32, i32) -> E;
    mxr_memory_stats(*mut mxr_memory_t) -> E;
    mxr_memory_trim();
    mxr_error_code(*const mxr_error_t) -> i32;
    mxr_error_message(*const mxr_error_t) -> *const c_char;
    mxr_error_operator(*const mxr_error_t) -> *const c_char;
    mxr_error_argument(*const mxr_error_t) -> *const c_char;
    mxr_error_origin(*const mxr_error_t) -> u64;
    mxr_error_new(i32, *const c_char, u64) -> E;
    mxr_error_free(*mut mxr_error_t);
    mxr_events_poll() -> i32;
    mxr_list_save(*const c_char, *const *const c_char, *const A, i32) -> E;
    mxr_list_load(*const c_char, *mut *mut mxr_list_t) -> E;
    mxr_list_len(*const mxr_list_t) -> i64;
    mxr_list_name(*const mxr_list_t, i64) -> *const c_char;
    mxr_list_array(*const mxr_list_t, i64, *mut A) -> E;
    mxr_list_free(*mut mxr_list_t);
    mxr_array_retain(A) -> A;
    mxr_array_free(A);
    mxr_op_find(*const c_char, *mut *const mxr_op_t) -> E;
    mxr_op_version(*const mxr_op_t, *mut u32, *mut u32) -> E;
    mxr_op_num_outputs(*const mxr_op_t, *const mxr_attr_t, i32, *mut i32) -> E;
    mxr_op_invoke(*const mxr_op_t, *const A, i32, *const mxr_attr_t, i32, *mut A, *mut i32, *const i32, Call) -> E;
    mxr_array_empty(*const i64, i32, i32, i32, i32, *mut A) -> E;
    mxr_array_from_data(*const i64, i32, i32, i32, i32, *const c_void, u64, *mut A) -> E;
    mxr_array_from_foreign(*mut c_void, *const i64, i32, i32, mxr_drop_fn, *mut c_void, *mut A) -> E;
    mxr_array_shape(A, *mut i64, i32, *mut i32) -> E;
    mxr_array_dtype(A) -> i32;
    mxr_array_storage_kind(A) -> i32;
    mxr_array_device(A, *mut i32, *mut i32) -> E;
    mxr_array_copy_to(A, *mut c_void, u64) -> E;
    mxr_array_copy_from(A, *const c_void, u64) -> E;
    mxr_array_copy(A, A) -> E;
    mxr_array_slice(A, i64, i64, Call, *mut A) -> E;
    mxr_array_at(A, i64, Call, *mut A) -> E;
    mxr_array_reshape(A, *const i64, i32, Call, *mut A) -> E;
    mxr_array_detach(A, *mut A) -> E;
    mxr_array_data(A, *mut *mut c_void) -> E;
    mxr_array_wait_to_read(A, i64) -> E;
    mxr_array_wait_to_write(A, i64) -> E;
    mxr_array_to_dlpack(A, *mut *mut DLManagedTensor) -> E;
    mxr_array_from_dlpack(*mut DLManagedTensor, *mut A) -> E;
    mxr_autograd_mark(*const A, *const A, *const i32, i32) -> E;
    mxr_array_grad(A, *mut A) -> E;
    mxr_array_is_recorded(A) -> i32;
    mxr_autograd_backward(*const A, *const A, i32, u32) -> E;
    mxr_autograd_grad(*const A, *const A, i32, *const A, i32, u32, *mut A) -> E;
    mxr_autograd_record_custom(
        *const c_char, *const A, i32, *const A, i32, mxr_backward_fn, *mut c_void, mxr_drop_fn
    ) -> E;
}
