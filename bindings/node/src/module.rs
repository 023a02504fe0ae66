//! Modules: symbols with parameters, an optimizer and a store, which are trained.

use crate::array::{self, Kept, take_list};
use crate::data::AXES;
use crate::error::{Failure, check};
use crate::handles::{New, Of, list};
use crate::js::{Call, Result};
use crate::symbol::symbol;
use crate::texts::{self, Texts, texts};
use crate::training::{bytes, keep};
use mxr_abi::abi;
use mxr_abi::ffi::{
    mxr_array_t, mxr_desc_t, mxr_initializer_t, mxr_metric_t, mxr_module_options_t, mxr_module_t,
    mxr_optimizer_t,
};
use napi_sys::napi_value;
use std::ptr;

fn module(call: &Call) -> Result<*mut mxr_module_t> {
    Ok(call.get::<Of<mxr_module_t>>(0, "module")?.0)
}

/// Options of a module. In a call they are six arguments: names of data, labels, fixed parameters and states, kinds and
/// numbers of devices.
struct Options {
    names: [Texts; 4],
    kinds: Vec<i32>,
    ids: Vec<i32>,
}

impl Options {
    fn read(call: &Call, i: usize) -> Result<Options> {
        let names = |k: usize| texts(call, i + k, "names");
        let names = [names(0)?, names(1)?, names(2)?, names(3)?];
        let (kinds, ids) = (call.get::<Vec<i32>>(i + 4, "ctx")?, call.get::<Vec<i32>>(i + 5, "ctx")?);
        if kinds.len() != ids.len() {
            return Err(Failure::internal("devices of another number"));
        }
        Ok(Options { names, kinds, ids })
    }

    fn view(&self) -> mxr_module_options_t {
        let [data, labels, fixed, states] = &self.names;
        mxr_module_options_t {
            struct_size: size_of::<mxr_module_options_t>() as u32,
            num_data: data.len(),
            data_names: data.pointers.as_ptr(),
            label_names: labels.pointers.as_ptr(),
            fixed_names: fixed.pointers.as_ptr(),
            state_names: states.pointers.as_ptr(),
            num_labels: labels.len(),
            num_fixed: fixed.len(),
            num_states: states.len(),
            num_devices: self.kinds.len() as i32,
            device_kinds: self.kinds.as_ptr(),
            device_ids: self.ids.as_ptr(),
        }
    }
}

/// Descriptions of what batches have. In a call they are three arguments: names, shapes and dtypes.
struct Descs {
    names: Texts,
    shapes: Vec<Vec<i64>>,
    dtypes: Vec<i32>,
}

impl Descs {
    fn read(call: &Call, i: usize) -> Result<Descs> {
        let (names, shapes) = (texts(call, i, "names")?, call.get::<Vec<Vec<i64>>>(i + 1, "shapes")?);
        Ok(Descs { names, shapes, dtypes: call.get(i + 2, "dtypes")? })
    }

    fn view(&self) -> Vec<mxr_desc_t> {
        let all = self.names.pointers.iter().zip(&self.shapes).zip(&self.dtypes);
        let one = |((name, shape), dtype): ((&_, &Vec<i64>), &i32)| mxr_desc_t {
            name: *name,
            layout: ptr::null(),
            dims: shape.as_ptr(),
            ndim: shape.len() as i32,
            dtype: *dtype,
        };
        all.map(one).collect()
    }
}

/// `moduleCreate(symbol, options…)`
pub fn create(call: &Call) -> Result<napi_value> {
    let (symbol, options) = (symbol(call, 0)?, Options::read(call, 1)?);
    let (view, mut out) = (options.view(), ptr::null_mut());
    // SAFETY: the handle is live, and the struct and what it points to live for the call.
    check(unsafe { (abi().mxr_module_create)(symbol, &raw const view, &raw mut out) })?;
    call.give(New(out))
}

/// `moduleLoad(prefix, epoch, states, options…)`
pub fn load(call: &Call) -> Result<napi_value> {
    let (prefix, epoch) = (Texts::one(&call.get::<String>(0, "prefix")?)?, call.get(1, "epoch")?);
    let (states, options) = (call.get::<bool>(2, "states")?, Options::read(call, 3)?);
    let (view, mut out) = (options.view(), ptr::null_mut());
    // SAFETY: as above, and the prefix is a C string.
    check(unsafe {
        let (prefix, view) = (prefix.pointers[0], &raw const view);
        (abi().mxr_module_load)(prefix, epoch, states.into(), view, &raw mut out)
    })?;
    call.give(New(out))
}

/// `moduleBind(module, data…, labels…, flags, request, shared)`
pub fn bind(call: &Call) -> Result<napi_value> {
    let (module, data, labels) = (module(call)?, Descs::read(call, 1)?, Descs::read(call, 4)?);
    let (flags, request) = (call.get(7, "flags")?, call.get(8, "grad_req")?);
    let shared = call.get::<Option<Of<mxr_module_t>>>(9, "shared_module")?;
    let shared = shared.map_or(ptr::null(), |shared| shared.0.cast_const());
    let (data_view, labels_view) = (data.view(), labels.view());
    let (n, m) = (data_view.len() as i32, labels_view.len() as i32);
    // SAFETY: handles are live, and there are as many descriptions as is said.
    check(unsafe {
        let (data, labels) = (data_view.as_ptr(), labels_view.as_ptr());
        (abi().mxr_module_bind)(module, data, n, labels, m, flags, request, shared)
    })?;
    call.give(())
}

/// `moduleReshape(module, data…, labels…)`
pub fn reshape(call: &Call) -> Result<napi_value> {
    let (module, data, labels) = (module(call)?, Descs::read(call, 1)?, Descs::read(call, 4)?);
    let (data_view, labels_view) = (data.view(), labels.view());
    let (n, m) = (data_view.len() as i32, labels_view.len() as i32);
    // SAFETY: as above.
    check(unsafe { (abi().mxr_module_reshape)(module, data_view.as_ptr(), n, labels_view.as_ptr(), m) })?;
    call.give(())
}

/// `moduleState(module)`
pub fn state(call: &Call) -> Result<napi_value> {
    let (module, mut state) = (module(call)?, 0);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_module_state)(module, &raw mut state) })?;
    call.give(state)
}

/// `moduleNames(module, list)`
pub fn names(call: &Call) -> Result<napi_value> {
    let (module, list) = (module(call)?, call.get(1, "list")?);
    // SAFETY: the handle is live.
    texts::made(call, |out| unsafe { (abi().mxr_module_names)(module, list, out) })
}

/// `moduleDesc(module, list, i)`: shape and dtype.
pub fn desc(call: &Call) -> Result<napi_value> {
    let (module, list, i) = (module(call)?, call.get(1, "list")?, call.get(2, "i")?);
    let (mut dims, mut ndim, mut dtype) = ([0; AXES], 0, 0);
    let (place, room) = (dims.as_mut_ptr(), AXES as i32);
    // SAFETY: the handle is live, and there is so much room.
    check(unsafe { (abi().mxr_module_desc)(module, list, i, place, room, &raw mut ndim, &raw mut dtype) })?;
    call.give((dims[..(ndim as usize).min(AXES)].to_vec(), dtype))
}

/// `moduleSymbol(module)`
pub fn get_symbol(call: &Call) -> Result<napi_value> {
    let module = module(call)?;
    // SAFETY: the handle is live.
    crate::symbol::made(call, |out| unsafe { (abi().mxr_module_symbol)(module, out) })
}

/// `moduleForward(module, data, labels, training)`: -1 for what it was bound for.
pub fn forward(call: &Call) -> Result<napi_value> {
    let (module, data) = (module(call)?, list::<mxr_array_t>(call, 1, "data")?);
    let (labels, training) = (list::<mxr_array_t>(call, 2, "label")?, call.get(3, "is_train")?);
    let (n, m) = (data.len() as i32, labels.len() as i32);
    // SAFETY: handles are live, and there are as many as is said.
    check(unsafe { (abi().mxr_module_forward)(module, data.as_ptr(), n, labels.as_ptr(), m, training) })?;
    call.give(())
}

/// `moduleBackward(module, outGrads)`
pub fn backward(call: &Call) -> Result<napi_value> {
    let (module, grads) = (module(call)?, list::<mxr_array_t>(call, 1, "out_grads")?);
    // SAFETY: as above.
    check(unsafe { (abi().mxr_module_backward)(module, grads.as_ptr(), grads.len() as i32) })?;
    call.give(())
}

/// `moduleArray(module, gradient, i)`: an output, or the gradient of data.
pub fn array_of(call: &Call) -> Result<napi_value> {
    let (module, gradient, i) = (module(call)?, call.get::<bool>(1, "gradient")?, call.get(2, "i")?);
    let get = if gradient { abi().mxr_module_input_grad } else { abi().mxr_module_output };
    // SAFETY: the handle is live.
    array::made(call, |out| unsafe { get(module, i, out) })
}

/// Names and arrays, or null for none at all.
fn params(call: &Call, i: usize) -> Result<(Texts, Vec<*mut mxr_array_t>, i32)> {
    if call.env.lacks(call.raw(i)) {
        return Ok((Texts::of(&[])?, vec![], -1));
    }
    let (names, arrays) = (texts(call, i, "params")?, list::<mxr_array_t>(call, i + 1, "params")?);
    let n = names.len().min(arrays.len() as i32);
    Ok((names, arrays, n))
}

/// `moduleInitParams(module, initializer, argNames, args, stateNames, states, flags)`: whether anything was done.
pub fn init_params(call: &Call) -> Result<napi_value> {
    let (module, initializer) = (module(call)?, call.get::<Option<Of<mxr_initializer_t>>>(1, "initializer")?);
    let initializer = initializer.map_or(ptr::null(), |initializer| initializer.0.cast_const());
    let ((arg_names, args, n), (state_names, states, m)) = (params(call, 2)?, params(call, 4)?);
    let (flags, mut done) = (call.get(6, "flags")?, 0);
    // SAFETY: handles are live, and there are as many names and arrays as is said.
    check(unsafe {
        (abi().mxr_module_init_params)(
            module,
            initializer,
            arg_names.pointers.as_ptr(),
            args.as_ptr(),
            n,
            state_names.pointers.as_ptr(),
            states.as_ptr(),
            m,
            flags,
            &raw mut done,
        )
    })?;
    call.give(done != 0)
}

/// `moduleParams(module, list)`: names and copies.
pub fn get_params(call: &Call) -> Result<napi_value> {
    let (module, list, mut all) = (module(call)?, call.get(1, "list")?, ptr::null_mut());
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_module_params)(module, list, &raw mut all) })?;
    call.give(take_list(all)?)
}

/// `moduleInitOptimizer(module, optimizer, storeName, store, flags)`: whether anything was done.
pub fn init_optimizer(call: &Call) -> Result<napi_value> {
    let (module, optimizer) = (module(call)?, call.get::<Of<mxr_optimizer_t>>(1, "optimizer")?.0);
    let name = call.get::<Option<String>>(2, "kvstore")?;
    let (name, store) = (Texts::some([name.as_deref()])?, crate::kvstore::optional(call, 3)?);
    let (flags, mut done) = (call.get(4, "flags")?, 0);
    // SAFETY: handles are live or NULL, and the name is NULL or a C string.
    check(unsafe {
        let name = name.pointers[0];
        (abi().mxr_module_init_optimizer)(module, optimizer, name, store, flags, &raw mut done)
    })?;
    call.give(done != 0)
}

/// `moduleUpdate(module)`
pub fn update(call: &Call) -> Result<napi_value> {
    let module = keep(module(call)?, abi().mxr_module_retain, abi().mxr_module_free);
    // SAFETY: the handle is kept.
    check(unsafe { (abi().mxr_module_update)(module.handle) })?;
    call.give(())
}

/// `moduleUpdateMetric(module, metric, labels)`
pub fn update_metric(call: &Call) -> Result<napi_value> {
    let (module, metric) = (module(call)?, call.get::<Of<mxr_metric_t>>(1, "metric")?.0);
    let labels = Kept::new(list::<mxr_array_t>(call, 2, "labels")?);
    // SAFETY: handles are live, and there are as many as is said.
    check(unsafe {
        (abi().mxr_module_update_metric)(module, metric, labels.0.as_ptr(), labels.0.len() as i32)
    })?;
    call.give(())
}

/// `moduleStates(module, place)`: the states of the optimizer, copied to a Uint8Array if it has their number.
pub fn states(call: &Call) -> Result<napi_value> {
    let module = module(call)?;
    // SAFETY: the handle is live.
    bytes(call, |data, n| unsafe { (abi().mxr_module_optimizer_states)(module, data, n) })
}

/// `moduleSetStates(module, bytes)`
pub fn set_states(call: &Call) -> Result<napi_value> {
    let (module, (data, n)) = (module(call)?, call.env.memory(call.raw(1), "states")?);
    // SAFETY: the handle is live, and there are so many bytes.
    check(unsafe { (abi().mxr_module_set_optimizer_states)(module, data.cast(), n as u64) })?;
    call.give(())
}

/// `moduleSave(module, prefix, epoch, states)`
pub fn save(call: &Call) -> Result<napi_value> {
    let (module, prefix) = (module(call)?, Texts::one(&call.get::<String>(1, "prefix")?)?);
    let (epoch, states) = (call.get(2, "epoch")?, call.get::<bool>(3, "states")?);
    // SAFETY: the handle is live, and the prefix is a C string.
    check(unsafe { (abi().mxr_module_save_checkpoint)(module, prefix.pointers[0], epoch, states.into()) })?;
    call.give(())
}
