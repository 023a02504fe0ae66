//! Exchange of arrays without a copy, by DLPack (`dlpack.h`, version 0.8: `DLManagedTensor`).

use crate::error::{guard, mxr_error_t};
use crate::handle::{array, give, mxr_array_t};
use crate::out::out;
use mxr_core::{DType, Device, NdArray, Result, Shape, err};
use std::ffi::c_void;

/// A device in DLPack's terms.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DLDevice {
    /// 1 for main memory.
    pub device_type: i32,
    /// Number among devices of the type.
    pub device_id: i32,
}

/// A dtype in DLPack's terms.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DLDataType {
    /// 0 signed integer, 1 unsigned integer, 2 float, 4 bfloat, 6 bool.
    pub code: u8,
    /// Bits of an element.
    pub bits: u8,
    /// Elements that belong together; 1.
    pub lanes: u16,
}

/// A tensor that DLPack describes.
#[repr(C)]
pub struct DLTensor {
    /// Memory that `byte_offset` counts from.
    pub data: *mut c_void,
    /// Where it is.
    pub device: DLDevice,
    /// Number of axes.
    pub ndim: i32,
    /// Type of the elements.
    pub dtype: DLDataType,
    /// Sizes.
    pub shape: *mut i64,
    /// Distances in elements; NULL for row-major.
    pub strides: *mut i64,
    /// First element's distance from `data` in bytes.
    pub byte_offset: u64,
}

/// A tensor with its owner.
#[repr(C)]
pub struct DLManagedTensor {
    /// The tensor.
    pub dl_tensor: DLTensor,
    /// The owner's data.
    pub manager_ctx: *mut c_void,
    /// Gives the tensor back.
    pub deleter: Option<unsafe extern "C" fn(tensor: *mut DLManagedTensor)>,
}

const TYPES: [(DType, DLDataType); 9] = [
    (DType::F32, DLDataType { code: 2, bits: 32, lanes: 1 }),
    (DType::F64, DLDataType { code: 2, bits: 64, lanes: 1 }),
    (DType::F16, DLDataType { code: 2, bits: 16, lanes: 1 }),
    (DType::BF16, DLDataType { code: 4, bits: 16, lanes: 1 }),
    (DType::U8, DLDataType { code: 1, bits: 8, lanes: 1 }),
    (DType::I8, DLDataType { code: 0, bits: 8, lanes: 1 }),
    (DType::I32, DLDataType { code: 0, bits: 32, lanes: 1 }),
    (DType::I64, DLDataType { code: 0, bits: 64, lanes: 1 }),
    (DType::Bool, DLDataType { code: 6, bits: 8, lanes: 1 }),
];

/// What an exported tensor owns.
struct Exported {
    tensor: DLManagedTensor,
    shape: Shape,
    _array: NdArray,
}

unsafe extern "C" fn delete_exported(tensor: *mut DLManagedTensor) {
    // SAFETY: `manager_ctx` is the box made in `mxr_array_to_dlpack`; the consumer deletes once.
    drop(unsafe { Box::from_raw((*tensor).manager_ctx.cast::<Exported>()) });
}

/// The array as a DLPack tensor that shares its memory, once nothing writes it any more. Its deleter may be called
/// on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_to_dlpack(
    array: *mut mxr_array_t,
    tensor: *mut *mut DLManagedTensor,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the tensor.
        unsafe {
            let tensor = out(tensor, "tensor")?;
            let a = (*self::array(array, "array")?).clone();
            let data = a.wait_and_expose()?.cast();
            let (_, dtype) = TYPES.into_iter().find(|(d, _)| *d == a.dtype()).expect("every dtype is listed");
            let dl_tensor = DLTensor {
                data,
                device: DLDevice { device_type: 1, device_id: 0 },
                ndim: a.shape()?.ndim() as i32,
                dtype,
                shape: std::ptr::null_mut(),
                strides: std::ptr::null_mut(),
                byte_offset: 0,
            };
            let managed = DLManagedTensor {
                dl_tensor,
                manager_ctx: std::ptr::null_mut(),
                deleter: Some(delete_exported),
            };
            let exported = Box::new(Exported { tensor: managed, shape: a.shape()?.clone(), _array: a });
            let raw = Box::into_raw(exported);
            (*raw).tensor.dl_tensor.shape = (*raw).shape.as_mut_ptr();
            (*raw).tensor.manager_ctx = raw.cast();
            tensor.write(&raw mut (*raw).tensor);
        }
        Ok(())
    })
}

unsafe extern "C" fn delete_imported(tensor: *mut c_void) {
    let tensor = tensor.cast::<DLManagedTensor>();
    // SAFETY: the tensor was taken over and is given back once.
    unsafe {
        if let Some(deleter) = (*tensor).deleter {
            deleter(tensor);
        }
    }
}

/// True if strides, where given, are those of row-major elements.
unsafe fn is_row_major(t: &DLTensor, shape: &Shape) -> bool {
    let expected = shape.strides();
    t.strides.is_null()
        || shape.is_empty()
        // SAFETY: strides, where given, are as many as axes.
        || (0..shape.ndim()).all(|i| shape[i] == 1 || unsafe { *t.strides.add(i) } == expected[i] as i64)
}

unsafe fn import(tensor: *mut DLManagedTensor) -> Result<NdArray> {
    // SAFETY: the caller gives a valid tensor.
    let t = unsafe { &(*tensor).dl_tensor };
    if !matches!(t.device.device_type, 1 | 3) {
        return Err(err!(
            Device,
            "expected a tensor in main memory, got DLPack device {}",
            t.device.device_type
        ));
    }
    let found = TYPES.into_iter().find(|(_, d)| *d == t.dtype);
    let (dtype, _) = found.ok_or_else(|| err!(DType, "no dtype is DLPack's {:?}", t.dtype))?;
    // SAFETY: a tensor has as many sizes as axes.
    let shape = Shape::new(unsafe { crate::attr::slice(t.shape, t.ndim.max(0) as usize, "tensor") }?);
    // SAFETY: as the tensor says.
    if !unsafe { is_row_major(t, &shape) } {
        return Err(err!(Unsupported, "expected row-major elements; copy the tensor first"));
    }
    let data = t.data.cast::<u8>().wrapping_add(t.byte_offset as usize);
    let deleter = crate::events::deleter(Some(delete_imported), tensor.cast());
    // SAFETY: the tensor's memory is valid until its deleter is called.
    unsafe { NdArray::from_foreign(data, shape, dtype, Device::cpu(0), deleter) }
}

/// An array over the memory of a DLPack tensor (@taken tensor on success), given back through
/// `mxr_events_poll`. Elements must be row-major.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_array_from_dlpack(
    tensor: *mut DLManagedTensor,
    out: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        if tensor.is_null() {
            return Err(err!(InvalidValue, "expected a tensor, got NULL").about("tensor"));
        }
        // SAFETY: the caller gives a valid tensor and a place for the handle.
        unsafe { self::out(out, "out")?.write(give(import(tensor).map_err(|e| e.about("tensor"))?)) };
        Ok(())
    })
}
