//! `ModuleHandle`: modules of the library. The class `Module`, with its loops, is Python.

use crate::abi::{self, mxr_desc_t, mxr_module_options_t, mxr_module_t};
use crate::array::{NDArray, handles, list_of};
use crate::data_iter::Desc;
use crate::error::unlocked;
use crate::executor::ExecutorHandle;
use crate::handle::{handle, made, place};
use crate::interchange::take_list;
use crate::kvstore::{KVStoreHandle, bytes_of};
use crate::library::abi;
use crate::metric::MetricHandle;
use crate::optimizer::Optimizer;
use crate::symbol::{SymbolHandle, Texts, c_text, texts_of};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::ptr;

handle! {
    /// A symbol that can be trained.
    ModuleHandle, mxr_module_t, mxr_module_free
}

/// Names of data, labels, fixed parameters and states; kinds and numbers of devices.
type Options = ([Vec<String>; 4], Vec<(i32, i32)>);

/// Calls `f` with the struct of the library for options.
fn with_options<T>(
    (names, devices): &Options,
    f: impl FnOnce(&mxr_module_options_t) -> PyResult<T>,
) -> PyResult<T> {
    let texts = |i: usize| Texts::of(names[i].iter().map(|n| Some(n.as_str())));
    let (data, labels, fixed, states) = (texts(0)?, texts(1)?, texts(2)?, texts(3)?);
    let (kinds, ids): (Vec<i32>, Vec<i32>) = devices.iter().copied().unzip();
    f(&mxr_module_options_t {
        struct_size: size_of::<mxr_module_options_t>() as u32,
        num_data: names[0].len() as i32,
        data_names: data.pointers.as_ptr(),
        label_names: labels.pointers.as_ptr(),
        fixed_names: fixed.pointers.as_ptr(),
        state_names: states.pointers.as_ptr(),
        num_labels: names[1].len() as i32,
        num_fixed: names[2].len() as i32,
        num_states: names[3].len() as i32,
        num_devices: devices.len() as i32,
        device_kinds: kinds.as_ptr(),
        device_ids: ids.as_ptr(),
    })
}

/// Descriptions as the library takes them, alive for a call.
struct Descs {
    _names: Texts,
    _layouts: Texts,
    _shapes: Vec<Vec<i64>>,
    list: Vec<mxr_desc_t>,
}

impl Descs {
    fn new(given: Vec<Desc>) -> PyResult<Descs> {
        let names = Texts::of(given.iter().map(|(name, ..)| Some(name.as_str())))?;
        let layouts = Texts::of(given.iter().map(|(.., layout)| Some(layout.as_str())))?;
        let (shapes, dtypes): (Vec<_>, Vec<_>) = given.into_iter().map(|(_, s, d, _)| (s, d)).unzip();
        let desc = |(i, shape): (usize, &Vec<i64>)| mxr_desc_t {
            name: names.pointers[i],
            layout: layouts.pointers[i],
            dims: shape.as_ptr(),
            ndim: shape.len() as i32,
            dtype: dtypes[i],
        };
        let list = shapes.iter().enumerate().map(desc).collect();
        Ok(Descs { _names: names, _layouts: layouts, _shapes: shapes, list })
    }
}

/// Names and handles of arrays; a number below 0 if there are none at all.
fn named<'py>(given: Option<&Bound<'py, PyDict>>) -> PyResult<(Texts, Vec<Bound<'py, NDArray>>, i32)> {
    let Some(given) = given else { return Ok((Texts::of([])?, vec![], -1)) };
    let names = given.keys().extract::<Vec<String>>()?;
    let (objects, _) = handles(given.values().as_any(), false)?;
    let n = objects.len() as i32;
    Ok((Texts::of(names.iter().map(|n| Some(n.as_str())))?, objects, n))
}

fn pointers(objects: &[Bound<'_, NDArray>]) -> Vec<*mut abi::mxr_array_t> {
    objects.iter().map(|a| a.get().handle()).collect()
}

/// What to do with gradients, and whether training, with gradients of data.
type Purpose = (i32, bool, bool);

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call, and
// places are given for what comes back.
#[pymethods]
impl ModuleHandle {
    #[new]
    fn new(py: Python<'_>, symbol: &SymbolHandle, options: Options) -> PyResult<ModuleHandle> {
        with_options(&options, |options| {
            ModuleHandle::made(py, |out| unsafe {
                (abi().mxr_module_create)(symbol.ptr(), &raw const *options, out)
            })
        })
    }

    /// A module of a checkpoint.
    #[staticmethod]
    fn load(py: Python<'_>, prefix: &str, epoch: i64, options: Options) -> PyResult<ModuleHandle> {
        let prefix = c_text(prefix)?;
        with_options(&options, |options| {
            ModuleHandle::made(py, |out| unsafe {
                (abi().mxr_module_load)(prefix.as_ptr(), epoch, 0, &raw const *options, out)
            })
        })
    }

    /// Writes symbol and parameters as a checkpoint.
    fn save_checkpoint(&self, py: Python<'_>, prefix: &str, epoch: i64) -> PyResult<()> {
        let prefix = c_text(prefix)?;
        unlocked(py, || unsafe { (abi().mxr_module_save_checkpoint)(self.ptr(), prefix.as_ptr(), epoch, 0) })
    }

    /// Makes executors for data and labels of these shapes.
    fn bind(
        &self,
        py: Python<'_>,
        data: Vec<Desc>,
        labels: Vec<Desc>,
        purpose: Purpose,
        shared: Option<&Bound<'_, ModuleHandle>>,
    ) -> PyResult<()> {
        let (data, labels) = (Descs::new(data)?, Descs::new(labels)?);
        let (request, training, input_gradients) = purpose;
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let flags =
            flag(training, abi::MXR_BIND_TRAINING) | flag(input_gradients, abi::MXR_BIND_INPUT_GRADIENTS);
        let shared = shared.map_or(ptr::null(), |m| m.get().ptr().cast_const());
        unlocked(py, || unsafe {
            (abi().mxr_module_bind)(
                self.ptr(),
                data.list.as_ptr(),
                data.list.len() as i32,
                labels.list.as_ptr(),
                labels.list.len() as i32,
                flags,
                request,
                shared,
            )
        })
    }

    /// Makes executors for other shapes.
    fn reshape(&self, py: Python<'_>, data: Vec<Desc>, labels: Vec<Desc>) -> PyResult<()> {
        let (data, labels) = (Descs::new(data)?, Descs::new(labels)?);
        unlocked(py, || unsafe {
            let (m, n) = (data.list.len() as i32, labels.list.len() as i32);
            (abi().mxr_module_reshape)(self.ptr(), data.list.as_ptr(), m, labels.list.as_ptr(), n)
        })
    }

    /// The names of the parameters.
    fn param_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let texts =
            made(py, |out| unsafe { (abi().mxr_module_names)(self.ptr(), abi::MXR_PARAMETERS, out) })?;
        texts_of(py, |out| place(out, texts))
    }

    /// The executor of a device, by its place in the list.
    fn executor(&self, py: Python<'_>, i: i64) -> PyResult<ExecutorHandle> {
        let executor = made(py, |out| unsafe { (abi().mxr_module_executor)(self.ptr(), i, out) })?;
        ExecutorHandle::made(py, |out| place(out, executor))
    }

    /// Computes the outputs for a batch; `training` as the module was bound if None.
    fn forward(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        labels: &Bound<'_, PyAny>,
        training: Option<bool>,
    ) -> PyResult<()> {
        let ((_data, data), (_labels, labels)) = (handles(data, false)?, handles(labels, false)?);
        unlocked(py, || unsafe {
            let (m, n) = (data.len() as i32, labels.len() as i32);
            let training = training.map_or(-1, i32::from);
            (abi().mxr_module_forward)(self.ptr(), data.as_ptr(), m, labels.as_ptr(), n, training)
        })
    }

    /// Computes the gradients.
    fn backward(&self, py: Python<'_>, out_grads: &Bound<'_, PyAny>) -> PyResult<()> {
        let (_grads, grads) = handles(out_grads, false)?;
        unlocked(py, || unsafe {
            (abi().mxr_module_backward)(self.ptr(), grads.as_ptr(), grads.len() as i32)
        })
    }

    /// The first `n` outputs, those of all devices as one.
    fn outputs<'py>(&self, py: Python<'py>, n: i64) -> PyResult<Bound<'py, PyList>> {
        let output = |i| made(py, |out| unsafe { (abi().mxr_module_output)(self.ptr(), i, out) });
        list_of(py, (0..n).map(output).collect::<PyResult<_>>()?)
    }

    /// The gradients of the first `n` data, those of all devices as one.
    fn input_grads<'py>(&self, py: Python<'py>, n: i64) -> PyResult<Bound<'py, PyList>> {
        let grad = |i| made(py, |out| unsafe { (abi().mxr_module_input_grad)(self.ptr(), i, out) });
        list_of(py, (0..n).map(grad).collect::<PyResult<_>>()?)
    }

    /// Sets parameters. Those that are missing keep their values if they may be, and unknown ones are passed over if
    /// they may be there.
    fn set_params(
        &self,
        py: Python<'_>,
        args: Option<&Bound<'_, PyDict>>,
        states: Option<&Bound<'_, PyDict>>,
        allow_missing: bool,
        allow_extra: bool,
    ) -> PyResult<()> {
        let ((arg_names, args, m), (state_names, states, n)) = (named(args)?, named(states)?);
        let (args, states) = (pointers(&args), pointers(&states));
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let flags = abi::MXR_FORCE
            | flag(allow_missing, abi::MXR_ALLOW_MISSING)
            | flag(allow_extra, abi::MXR_ALLOW_EXTRA);
        let mut done = 0;
        unlocked(py, || unsafe {
            (abi().mxr_module_init_params)(
                self.ptr(),
                ptr::null(),
                arg_names.pointers.as_ptr(),
                args.as_ptr(),
                m,
                state_names.pointers.as_ptr(),
                states.as_ptr(),
                n,
                flags,
                &raw mut done,
            )
        })
    }

    /// Copies of the parameters by name: arguments, or auxiliary states.
    fn params(&self, py: Python<'_>, states: bool) -> PyResult<Vec<(Option<String>, NDArray)>> {
        let list = if states { abi::MXR_LIST_AUXILIARY_STATES } else { abi::MXR_LIST_ARGUMENTS };
        let mut params = ptr::null_mut();
        unlocked(py, || unsafe { (abi().mxr_module_params)(self.ptr(), list, &raw mut params) })?;
        unsafe { take_list(py, params) }
    }

    /// Takes an optimizer, and the name of a store, or a store itself.
    fn init_optimizer(
        &self,
        py: Python<'_>,
        optimizer: &Bound<'_, Optimizer>,
        store_name: Option<&str>,
        store: Option<&Bound<'_, KVStoreHandle>>,
        by_name: bool,
    ) -> PyResult<()> {
        let name = store_name.map(c_text).transpose()?;
        let name = name.as_ref().map_or(ptr::null(), |n| n.as_ptr());
        let store = store.map_or(ptr::null_mut(), |s| s.get().ptr());
        let (optimizer, mut done) = (optimizer.get().ptr(), 0);
        unlocked(py, || unsafe {
            let flags = abi::MXR_FORCE | if by_name { abi::MXR_BY_NAME } else { 0 };
            (abi().mxr_module_init_optimizer)(self.ptr(), optimizer, name, store, flags, &raw mut done)
        })
    }

    /// Changes the parameters by their gradients.
    fn update(&self, py: Python<'_>) -> PyResult<()> {
        unlocked(py, || unsafe { (abi().mxr_module_update)(self.ptr()) })
    }

    /// Shows the outputs to a metric.
    fn update_metric(
        &self,
        py: Python<'_>,
        metric: &Bound<'_, MetricHandle>,
        labels: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (metric, (_labels, labels)) = (metric.get().ptr(), handles(labels, false)?);
        unlocked(py, || unsafe {
            (abi().mxr_module_update_metric)(self.ptr(), metric, labels.as_ptr(), labels.len() as i32)
        })
    }

    /// The states of the optimizer.
    fn optimizer_states<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes_of(py, |bytes, len| unsafe { (abi().mxr_module_optimizer_states)(self.ptr(), bytes, len) })
    }

    /// Replaces the states of the optimizer.
    fn set_optimizer_states(&self, py: Python<'_>, bytes: &[u8]) -> PyResult<()> {
        unlocked(py, || unsafe {
            (abi().mxr_module_set_optimizer_states)(self.ptr(), bytes.as_ptr(), bytes.len() as u64)
        })
    }
}
