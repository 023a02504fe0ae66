//! The extension module of the Python package: the class `NDArray`, the one call for all operators, scopes,
//! autograd and interchange, over libmxr, which is found at run time.
//!
//! Nothing here computes, and nothing here names an operator but `number`, where Python's own operators do.

mod array;
mod autograd;
mod callback;
mod control;
mod convert;
mod data_iter;
mod error;
mod executor;
mod handle;
mod initializer;
mod interchange;
mod invoke;
mod kvstore;
mod library;
mod lr_scheduler;
mod metric;
mod model;
mod module;
mod number;
mod ops;
mod optimizer;
mod record;
mod registered;
mod scope;
mod symbol;

use mxr_abi::ffi as abi;
use pyo3::prelude::*;

/// What the Python part of the package is built on.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::array::{NDArray, empty, set_dtypes};
    #[pymodule_export]
    use crate::autograd::{backward, grad, mark, record_custom};
    #[pymodule_export]
    use crate::callback::CallbackHandle;
    #[pymodule_export]
    use crate::control::{symbol_cond, symbol_foreach, symbol_while_loop};
    #[pymodule_export]
    use crate::convert::set_dtype_code;
    #[pymodule_export]
    use crate::data_iter::DataIterHandle;
    #[pymodule_export]
    use crate::error::set_error_factory;
    #[pymodule_export]
    use crate::executor::{CachedOpHandle, ExecutorHandle, PlanHandle, plan_flags};
    #[pymodule_export]
    use crate::initializer::{Initializer, role};
    #[pymodule_export]
    use crate::interchange::{from_buffer, from_capsule, from_foreign, load_list, save};
    #[pymodule_export]
    use crate::invoke::{invoke, operator, set_no_value};
    #[pymodule_export]
    use crate::kvstore::KVStoreHandle;
    #[pymodule_export]
    use crate::library::{build_info, load, version};
    #[pymodule_export]
    use crate::lr_scheduler::LRScheduler;
    #[pymodule_export]
    use crate::metric::MetricHandle;
    #[pymodule_export]
    use crate::model::{load_model, save_model};
    #[pymodule_export]
    use crate::module::ModuleHandle;
    #[pymodule_export]
    use crate::optimizer::{Optimizer, Updater};
    #[pymodule_export]
    use crate::record::{RecordReader, RecordWriter, record_pack, record_unpack};
    #[pymodule_export]
    use crate::scope::{
        is_recording, is_training, memory_stats, memory_trim, num_threads, pending, poll_events, seed,
        set_device, set_recording, set_training, shutdown, wait_all,
    };
    #[pymodule_export]
    use crate::symbol::SymbolHandle;
    #[pymodule_export]
    const SCHEMA: &str = crate::ops::SCHEMA;
}
