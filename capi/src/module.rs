//! Modules: symbols that can be trained, with their executors, parameters and optimizer.
//!
//! `module_train.rs` has what changes parameters.

use crate::attr::{length, slice, string};
use crate::data_iter::{DescPlaces, MXR_DATA, MXR_LABELS, nth};
use crate::error::{guard, mxr_error_t};
use crate::executor::mxr_executor_t;
use crate::handle::{arrays, as_arrays, give as give_array, mxr_array_t};
use crate::op::request;
use crate::out::out as place;
use crate::plan::known_part;
use crate::shared::{self, Handle, behind, give, lock};
use crate::symbol::{give_symbol, mxr_symbol_t, symbol};
use crate::text::{give_texts, mxr_texts_t};
use mxr_core::io::DataDesc;
use mxr_core::module::{Module, Names, Purpose};
use mxr_core::{DType, Device, Result, Shape, err};
use std::ffi::c_char;
use std::ptr;
use std::sync::{Arc, Mutex};

/// A symbol that can be trained.
pub struct mxr_module_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_module_t {
    type Thing = Mutex<Module>;
    const NAME: &'static str = "module";
}

/// What a module's variables are, and where it runs. NULL, or zero, means: `data` and the label `softmax_label`, on
/// `cpu(0)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_module_options_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// Number of data.
    pub num_data: i32,
    /// Names of the data; NULL for `data`.
    pub data_names: *const *const c_char,
    /// Names of the labels; NULL for `softmax_label`.
    pub label_names: *const *const c_char,
    /// Names of parameters that are not trained.
    pub fixed_names: *const *const c_char,
    /// Names of states, which stay from batch to batch and are set by the caller.
    pub state_names: *const *const c_char,
    /// Number of labels.
    pub num_labels: i32,
    /// Number of parameters that are not trained.
    pub num_fixed: i32,
    /// Number of states.
    pub num_states: i32,
    /// Number of devices, among which batches are divided; 0 for `cpu(0)`.
    pub num_devices: i32,
    /// Kind of each device: `MXR_CPU` or `MXR_GPU`.
    pub device_kinds: *const i32,
    /// Number of each device.
    pub device_ids: *const i32,
}

/// What a batch has under a name.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_desc_t {
    /// Name of the variable.
    pub name: *const c_char,
    /// What the axes are, `N` that of the batch; NULL for `NCHW`.
    pub layout: *const c_char,
    /// Sizes of the axes.
    pub dims: *const i64,
    /// Number of axes.
    pub ndim: i32,
    /// Dtype, one of `MXR_FLOAT32`, ….
    pub dtype: i32,
}

unsafe fn names(given: *const *const c_char, n: i32, argument: &str) -> Result<Vec<String>> {
    // SAFETY: the caller promises `n` C strings.
    unsafe {
        let given = slice(given, length(n.into(), argument)?, argument)?;
        given.iter().map(|s| Ok(string(*s, argument)?.to_owned())).collect()
    }
}

/// The names and devices that a caller's struct means.
pub(crate) unsafe fn options(given: *const mxr_module_options_t) -> Result<(Names, Vec<Device>)> {
    let none = mxr_module_options_t {
        struct_size: 0,
        num_data: 0,
        data_names: ptr::null(),
        label_names: ptr::null(),
        fixed_names: ptr::null(),
        state_names: ptr::null(),
        num_labels: 0,
        num_fixed: 0,
        num_states: 0,
        num_devices: 0,
        device_kinds: ptr::null(),
        device_ids: ptr::null(),
    };
    // SAFETY: the caller's struct says how much of everything there is.
    unsafe {
        let o = known_part(given, none);
        let usual = Names::usual();
        let or = |given: *const *const c_char, n: i32, argument: &str, usual: Vec<String>| {
            if given.is_null() { Ok(usual) } else { names(given, n, argument) }
        };
        let n = length(o.num_devices.into(), "num_devices")?;
        let ids = slice(o.device_ids, n, "device_ids")?;
        let devices = slice(o.device_kinds, n, "device_kinds")?.iter().zip(ids);
        let mut devices =
            devices.map(|(kind, id)| Device::from_code(*kind, *id)).collect::<Result<Vec<_>>>()?;
        if devices.is_empty() {
            devices.push(Device::default());
        }
        let names = Names {
            data: or(o.data_names, o.num_data, "data_names", usual.data)?,
            label: or(o.label_names, o.num_labels, "label_names", usual.label)?,
            fixed: names(o.fixed_names, o.num_fixed, "fixed_names")?,
            state: names(o.state_names, o.num_states, "state_names")?,
        };
        Ok((names, devices))
    }
}

/// Runs a function that makes a module for the place that the caller gives.
pub(crate) unsafe fn make(
    place: *mut *mut mxr_module_t,
    f: impl FnOnce() -> Result<Module>,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a place for the handle.
        let place = unsafe { crate::out::out(place, "module") }?;
        place.write(give(Arc::new(Mutex::new(f()?))));
        Ok(())
    })
}

/// Makes a module of a symbol. @nullable options
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_create(
    symbol: *const mxr_symbol_t,
    options: *const mxr_module_options_t,
    module: *mut *mut mxr_module_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle, a struct or NULL, and a place for the new handle.
    unsafe {
        make(module, || {
            let (names, devices) = self::options(options)?;
            Module::new(self::symbol(symbol, "symbol")?.clone(), names, devices)
        })
    }
}

unsafe fn descs(given: *const mxr_desc_t, n: i32, argument: &str) -> Result<Vec<DataDesc>> {
    let read = |d: &mxr_desc_t| {
        // SAFETY: the caller promises C strings and as many sizes as it says.
        unsafe {
            let dims = slice(d.dims, length(d.ndim.into(), argument)?, argument)?;
            let layout = if d.layout.is_null() { "NCHW" } else { string(d.layout, argument)? };
            Ok(DataDesc {
                name: string(d.name, argument)?.to_owned(),
                shape: Shape::new(dims),
                dtype: DType::from_code(d.dtype)?,
                layout: layout.to_owned(),
            })
        }
    };
    // SAFETY: the caller promises `n` structs.
    unsafe { slice(given, length(n.into(), argument)?, argument) }?.iter().map(read).collect()
}

/// Bind for training: gradients of parameters are computed.
pub const MXR_BIND_TRAINING: u32 = 1;
/// Compute gradients of the data too.
pub const MXR_BIND_INPUT_GRADIENTS: u32 = 2;

/// Makes executors for data and labels of these shapes. Parameters keep their values if the module was bound before.
///
/// `flags` are `MXR_BIND_…`, combined; `request` says what to do with gradients of parameters: `MXR_REQUEST_…`.
/// `shared` is NULL, or another bound module whose parameters, memory and optimizer are taken. @nullable shared
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_bind(
    module: *const mxr_module_t,
    data: *const mxr_desc_t,
    num_data: i32,
    labels: *const mxr_desc_t,
    num_labels: i32,
    flags: u32,
    request: i32,
    shared: *const mxr_module_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives handles, or NULL for `shared`, and as many structs as it says.
        unsafe {
            let (data, label) = (descs(data, num_data, "data")?, descs(labels, num_labels, "labels")?);
            let purpose = Purpose {
                training: flags & MXR_BIND_TRAINING != 0,
                input_gradients: flags & MXR_BIND_INPUT_GRADIENTS != 0,
                request: self::request(request)?,
            };
            let module = behind(module, "module")?;
            if shared.is_null() {
                return lock(module).bind(data, label, purpose, None);
            }
            let shared = behind(shared, "shared")?;
            if ptr::eq(module, shared) {
                return Err(err!(InvalidValue, "expected another module, got this one").about("shared"));
            }
            let shared = lock(shared);
            lock(module).bind(data, label, purpose, Some(&shared))
        }
    })
}

/// Makes executors for other shapes, with the same parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_reshape(
    module: *const mxr_module_t,
    data: *const mxr_desc_t,
    num_data: i32,
    labels: *const mxr_desc_t,
    num_labels: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and as many structs as it says.
        unsafe {
            let (data, label) = (descs(data, num_data, "data")?, descs(labels, num_labels, "labels")?);
            lock(behind(module, "module")?).reshape(data, label)
        }
    })
}

/// The module is bound.
pub const MXR_MODULE_BOUND: i32 = 1;
/// The parameters have values.
pub const MXR_MODULE_INITIALIZED: i32 = 2;
/// The module has an optimizer.
pub const MXR_MODULE_OPTIMIZER: i32 = 4;

/// How far a module is: `MXR_MODULE_…`, combined.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_state(module: *const mxr_module_t, state: *mut i32) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe {
            let state = place(state, "state")?;
            let module = lock(behind(module, "module")?);
            let flag = |set: bool, flag: i32| if set { flag } else { 0 };
            state.write(
                flag(module.is_bound(), MXR_MODULE_BOUND)
                    | flag(module.is_initialized(), MXR_MODULE_INITIALIZED)
                    | flag(module.has_optimizer(), MXR_MODULE_OPTIMIZER),
            );
        }
        Ok(())
    })
}

/// The parameters of a module.
pub const MXR_PARAMETERS: i32 = 2;

/// The names in a list: `MXR_DATA` and `MXR_LABELS`, in the order of binding once the module is bound, or
/// `MXR_PARAMETERS`, in the order of the symbol's arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_names(
    module: *const mxr_module_t,
    list: i32,
    names: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let names = place(names, "names")?;
            let module = lock(behind(module, "module")?);
            let of = |descs: &[DataDesc]| descs.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
            let found = match list {
                MXR_DATA if module.is_bound() => of(module.data_descs()?),
                MXR_LABELS if module.is_bound() => of(module.label_descs()?),
                MXR_DATA => module.names().data.clone(),
                MXR_LABELS => module.names().label.clone(),
                MXR_PARAMETERS => module.param_names().to_vec(),
                _ => return Err(err!(InvalidValue, "there is no list {list} of names").about("list")),
            };
            names.write(give_texts(found));
        }
        Ok(())
    })
}

/// Shape, as many sizes as there is room for, and dtype of element `i` of the list `MXR_DATA` or `MXR_LABELS` of a
/// bound module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_desc(
    module: *const mxr_module_t,
    list: i32,
    i: i64,
    dims: *mut i64,
    room: i32,
    ndim: *mut i32,
    dtype: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, room and places.
        unsafe {
            let to = DescPlaces::new(dims, room, ndim, dtype)?;
            let module = lock(behind(module, "module")?);
            let descs = match list {
                MXR_DATA => module.data_descs()?,
                MXR_LABELS => module.label_descs()?,
                _ => {
                    return Err(
                        err!(InvalidValue, "expected MXR_DATA or MXR_LABELS, got {list}").about("list")
                    );
                }
            };
            to.write(nth(descs, i)?);
        }
        Ok(())
    })
}

/// The symbol, a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_symbol(
    module: *const mxr_module_t,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let symbol = place(symbol, "symbol")?;
            symbol.write(give_symbol(Arc::new(lock(behind(module, "module")?).symbol().clone())));
        }
        Ok(())
    })
}

/// The executor of device `i`, a new reference. Forward passes for other shapes make new ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_executor(
    module: *const mxr_module_t,
    i: i64,
    executor: *mut *mut mxr_executor_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let executor = place(executor, "executor")?;
            let module = lock(behind(module, "module")?);
            executor.write(give(module.executor(usize::try_from(i).unwrap_or(usize::MAX))?));
        }
        Ok(())
    })
}

/// Computes the outputs for a batch, whose arrays are in the order of binding; arrays of other shapes are bound first,
/// and labels may be missing. `training` is 0 or 1, or -1 for what the module was bound for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_forward(
    module: *const mxr_module_t,
    data: *const *mut mxr_array_t,
    num_data: i32,
    labels: *const *mut mxr_array_t,
    num_labels: i32,
    training: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says.
        unsafe {
            let (data, labels) = (arrays(data, num_data, "data")?, arrays(labels, num_labels, "labels")?);
            let training = (training >= 0).then_some(training != 0);
            lock(behind(module, "module")?).forward(as_arrays(&data), as_arrays(&labels), training)
        }
    })
}

/// Computes the gradients after a forward pass in training; outputs of losses need no gradient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_backward(
    module: *const mxr_module_t,
    out_grads: *const *mut mxr_array_t,
    num_out_grads: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says.
        unsafe {
            let out_grads = arrays(out_grads, num_out_grads, "out_grads")?;
            lock(behind(module, "module")?).backward(as_arrays(&out_grads))
        }
    })
}

/// Output `i` of the last forward pass, that of all devices as one: a new reference. With one device it is an array
/// that the next pass overwrites.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_output(
    module: *const mxr_module_t,
    i: i64,
    array: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let array = place(array, "array")?;
            array.write(give_array(nth(&lock(behind(module, "module")?).outputs()?, i)?.clone()));
        }
        Ok(())
    })
}

/// The gradient of data `i` after a backward pass, a new reference. The module must be bound for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_input_grad(
    module: *const mxr_module_t,
    i: i64,
    array: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let array = place(array, "array")?;
            array.write(give_array(nth(&lock(behind(module, "module")?).input_grads()?, i)?.clone()));
        }
        Ok(())
    })
}

/// Takes another reference to a module, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_retain(module: *mut mxr_module_t) -> *mut mxr_module_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(module) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_free(module: *mut mxr_module_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(module) }
}
