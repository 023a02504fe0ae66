//! Parameters, optimizers and checkpoints of modules.

use crate::attr::{length, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::file::{give_list, mxr_list_t};
use crate::handle::{arrays, as_arrays, mxr_array_t};
use crate::initializer::mxr_initializer_t;
use crate::kvstore::mxr_kvstore_t;
use crate::metric::{mxr_metric_t, with_names};
use crate::module::{make, mxr_module_options_t, mxr_module_t, options};
use crate::optimizer::mxr_optimizer_t;
use crate::out::give_bytes;
use crate::out::out as place;
use crate::shared::{behind, give, lock, share};
use crate::symbol_info::{MXR_LIST_ARGUMENTS, MXR_LIST_AUXILIARY_STATES};
use mxr_core::model::Named;
use mxr_core::module::{Given, Module, StoreChoice, Taking};
use mxr_core::{Result, err};
use std::ffi::c_char;

/// Parameters without a value are filled by the initializer.
pub const MXR_ALLOW_MISSING: u32 = 1;
/// Values that no parameter takes are passed over.
pub const MXR_ALLOW_EXTRA: u32 = 2;
/// Do it even if it was done before.
pub const MXR_FORCE: u32 = 4;
/// Divide gradients by the batch size, unless the optimizer was given a `rescale_grad`.
pub const MXR_RESCALE: u32 = 8;
/// The module made the optimizer by its name: parameters whose names end neither in `_weight` nor in `_gamma` do not
/// decay, and the factors that the symbol's variables have count. Not for an optimizer that knows names.
pub const MXR_BY_NAME: u32 = 16;

/// `n` arrays with names; none at all if `n` is negative.
unsafe fn values(
    names: *const *const c_char,
    given: *const *mut mxr_array_t,
    n: i32,
    [of_names, of_arrays]: [&str; 2],
) -> Result<Option<Named>> {
    if n < 0 {
        return Ok(None);
    }
    // SAFETY: the caller promises `n` of each.
    unsafe {
        let given = arrays(given, n, of_arrays)?;
        let pairs = with_names(names, as_arrays(&given), of_names)?;
        Ok(Some(pairs.into_iter().map(|(n, a)| (n.to_owned(), a.clone())).collect()))
    }
}

/// Gives the parameters their first values, in the order of their names: those given, others by the initializer.
///
/// A negative `num_args` or `num_states` means that no values are given, and the initializer fills all; otherwise one
/// that is missing is an error without `MXR_ALLOW_MISSING`. Parameters that have values keep them without `MXR_FORCE`;
/// `done` says whether anything was done. `initializer` may be NULL if no parameter needs it. @nullable initializer
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_init_params(
    module: *const mxr_module_t,
    initializer: *const mxr_initializer_t,
    arg_names: *const *const c_char,
    args: *const *mut mxr_array_t,
    num_args: i32,
    state_names: *const *const c_char,
    states: *const *mut mxr_array_t,
    num_states: i32,
    flags: u32,
    done: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives handles, or NULL for the initializer, as many names and arrays as it says, and a
        // place.
        unsafe {
            let done = place(done, "done")?;
            let args = values(arg_names, args, num_args, ["arg_names", "args"])?;
            let states = values(state_names, states, num_states, ["state_names", "states"])?;
            let given = Given {
                arguments: args.as_deref(),
                states: states.as_deref(),
                allow_missing: flags & MXR_ALLOW_MISSING != 0,
                allow_extra: flags & MXR_ALLOW_EXTRA != 0,
            };
            let initializer =
                if initializer.is_null() { None } else { Some(&**behind(initializer, "initializer")?) };
            let mut module = lock(behind(module, "module")?);
            done.write(i32::from(module.init_params(initializer, given, flags & MXR_FORCE != 0)?));
        }
        Ok(())
    })
}

/// Copies of the parameters: `MXR_LIST_ARGUMENTS` or `MXR_LIST_AUXILIARY_STATES`, by name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_params(
    module: *const mxr_module_t,
    list: i32,
    params: *mut *mut mxr_list_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let params = place(params, "params")?;
            let (arguments, states) = lock(behind(module, "module")?).params()?;
            let found = match list {
                MXR_LIST_ARGUMENTS => arguments,
                MXR_LIST_AUXILIARY_STATES => states,
                _ => return Err(err!(InvalidValue, "there is no list {list} of parameters").about("list")),
            };
            params.write(give_list(found.into_iter().map(|(n, a)| (Some(n), a)).collect())?);
        }
        Ok(())
    })
}

/// Takes an optimizer, which stays the caller's too. Parameters get their names in it, unless it has some.
///
/// `store_name` is NULL, or the name of a store in which several devices' gradients are summed; with one device none is
/// made. `store` is NULL, or such a store itself. `flags` are `MXR_RESCALE`, `MXR_BY_NAME` and `MXR_FORCE`;
/// without the last an optimizer that is there stays, and `done` becomes 0. @nullable store_name, store
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_init_optimizer(
    module: *const mxr_module_t,
    optimizer: *mut mxr_optimizer_t,
    store_name: *const c_char,
    store: *mut mxr_kvstore_t,
    flags: u32,
    done: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives handles, a C string or NULL, and a place.
        unsafe {
            let done = place(done, "done")?;
            let optimizer = share(optimizer, "optimizer")?;
            let choice = match (store.is_null(), store_name.is_null()) {
                (false, _) => StoreChoice::Given(share(store, "store")?),
                (true, false) => StoreChoice::Named(string(store_name, "store_name")?),
                (true, true) => StoreChoice::None,
            };
            let says = |flag: u32| flags & flag != 0;
            let taking =
                Taking { rescale: says(MXR_RESCALE), by_name: says(MXR_BY_NAME), force: says(MXR_FORCE) };
            let mut module = lock(behind(module, "module")?);
            done.write(i32::from(module.init_optimizer(optimizer, choice, taking)?));
        }
        Ok(())
    })
}

/// The optimizer, a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_optimizer(
    module: *const mxr_module_t,
    optimizer: *mut *mut mxr_optimizer_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let optimizer = place(optimizer, "optimizer")?;
            optimizer.write(give(lock(behind(module, "module")?).optimizer()?));
        }
        Ok(())
    })
}

/// Changes the parameters by their gradients.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_update(module: *const mxr_module_t) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| unsafe { lock(behind(module, "module")?).update() })
}

/// Shows the outputs of the last forward pass to a metric, with the labels of the batch in the order of binding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_update_metric(
    module: *const mxr_module_t,
    metric: *const mxr_metric_t,
    labels: *const *mut mxr_array_t,
    num_labels: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says.
        unsafe {
            let labels = arrays(labels, num_labels, "labels")?;
            let metric = behind(metric, "metric")?;
            lock(behind(module, "module")?).update_metric(&mut **lock(metric), as_arrays(&labels))
        }
    })
}

/// The states of the optimizer as bytes, which the caller frees with `mxr_bytes_free`. Waits for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_optimizer_states(
    module: *const mxr_module_t,
    bytes: *mut *mut u8,
    len: *mut u64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle and places for the bytes and their number.
    guard(|| unsafe {
        let module = behind(module, "module")?;
        give_bytes(|| lock(module).optimizer_states(), bytes, len)
    })
}

/// Replaces the states of the optimizer by those that `mxr_module_optimizer_states` gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_set_optimizer_states(
    module: *const mxr_module_t,
    bytes: *const u8,
    len: u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and `len` bytes.
        unsafe {
            let bytes = slice(bytes, length(len as i64, "len")?, "bytes")?;
            lock(behind(module, "module")?).set_optimizer_states(bytes)
        }
    })
}

/// Writes `PREFIX-symbol.json` and `PREFIX-0000.params` with the number of the epoch, and with `states` not 0 the
/// states of the optimizer as `PREFIX-0000.states`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_save_checkpoint(
    module: *const mxr_module_t,
    prefix: *const c_char,
    epoch: i64,
    states: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a C string.
        unsafe {
            let prefix = string(prefix, "prefix")?;
            lock(behind(module, "module")?).save_checkpoint(prefix, epoch, states != 0).map(drop)
        }
    })
}

/// Makes a module of the symbol and the parameters of a checkpoint; with `states` not 0 the next optimizer goes on from
/// the states that were saved. @nullable options
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_module_load(
    prefix: *const c_char,
    epoch: i64,
    states: i32,
    options: *const mxr_module_options_t,
    module: *mut *mut mxr_module_t,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a C string, a struct or NULL, and a place for the handle.
    unsafe {
        make(module, || {
            let (names, devices) = self::options(options)?;
            Module::load(string(prefix, "prefix")?, epoch, states != 0, names, devices)
        })
    }
}
