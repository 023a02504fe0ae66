//! The addon of the npm package mxr: plain functions over libmxr, which is found at run time. The classes and the
//! functions that users see are JavaScript.
//!
//! An object of JavaScript's has a number, its slot, by which it names its handle here. Nothing here computes, and
//! nothing here names an operator.

mod array;
mod attrs;
mod autograd;
mod control;
mod data;
mod error;
mod executor;
mod handles;
mod invoke;
mod js;
mod kvstore;
mod model;
mod module;
mod process;
mod state;
mod symbol;
mod texts;
mod training;

use js::{Env, Function};
use napi_sys::{napi_env, napi_value};

/// Functions with their JavaScript names.
macro_rules! functions {
    ($($name:literal $run:path),+ $(,)?) => { &[$(Function { name: $name, run: $run }),+] };
}

const FUNCTIONS: &[Function] = functions! {
    c"load" process::load,
    c"version" process::version,
    c"buildInfo" process::build_info,
    c"waitAll" process::wait_all,
    c"shutdown" process::shutdown,
    c"pending" process::pending,
    c"numThreads" process::num_threads,
    c"seed" process::seed,
    c"memoryStats" process::memory_stats,
    c"memoryTrim" process::memory_trim,
    c"bind" handles::bind,
    c"close" handles::close,
    c"sweep" handles::sweep,
    c"scratch" invoke::scratch,
    c"operator" invoke::operator,
    c"invoke" invoke::invoke,
    c"arrayEmpty" array::empty,
    c"arrayFromData" array::from_data,
    c"arrayFromForeign" array::from_foreign,
    c"arrayShape" array::shape,
    c"arrayDtype" array::dtype,
    c"arrayDevice" array::device,
    c"arrayCopyTo" array::copy_to,
    c"arrayCopyFrom" array::copy_from,
    c"arrayCopy" array::copy,
    c"arraySlice" array::slice,
    c"arrayAt" array::at,
    c"arrayReshape" array::reshape,
    c"arrayDetach" array::detach,
    c"arrayView" array::view,
    c"arrayWait" array::wait,
    c"arraysWait" array::wait_any,
    c"listSave" array::save,
    c"listLoad" array::load,
    c"setCall" autograd::set_call,
    c"mark" autograd::mark,
    c"arrayGrad" autograd::gradient,
    c"arrayIsRecorded" autograd::is_recorded,
    c"backward" autograd::backward,
    c"grad" autograd::grad,
    c"recordCustom" autograd::record_custom,
    c"symbolVariable" symbol::variable,
    c"symbolCall" symbol::call,
    c"symbolCompose" symbol::compose,
    c"symbolGroup" symbol::group,
    c"symbolWithAttrs" symbol::with_attrs,
    c"symbolPart" symbol::part,
    c"symbolOutput" symbol::output,
    c"symbolOutputNamed" symbol::output_named,
    c"symbolFromJson" symbol::from_json,
    c"symbolLoad" symbol::load,
    c"symbolSave" symbol::save,
    c"symbolText" symbol::text,
    c"symbolAttr" symbol::attr,
    c"symbolAttrs" symbol::attrs,
    c"symbolList" symbol::names,
    c"symbolRun" symbol::run,
    c"inferShapes" symbol::infer_shapes,
    c"inferDtypes" symbol::infer_dtypes,
    c"foreach" control::foreach,
    c"whileLoop" control::while_loop,
    c"cond" control::cond,
    c"planNew" executor::plan_new,
    c"planReport" executor::plan_report,
    c"planText" executor::plan_text,
    c"planLists" executor::plan_lists,
    c"executorBind" executor::bind,
    c"executorSimpleBind" executor::simple_bind,
    c"executorForward" executor::forward,
    c"executorBackward" executor::backward,
    c"executorArray" executor::array_of,
    c"executorGradient" executor::gradient,
    c"executorCopyParams" executor::copy_params,
    c"executorReshape" executor::reshape,
    c"executorPlan" executor::plan,
    c"executorMonitor" executor::monitor,
    c"cachedOpNew" executor::cached_op_new,
    c"cachedOpCall" executor::cached_op_call,
    c"modelLoad" model::load,
    c"modelSave" model::save,
    c"schedulerCreate" training::scheduler_create,
    c"schedulerValue" training::scheduler_value,
    c"schedulerBase" training::scheduler_base,
    c"schedulerSetBase" training::scheduler_set_base,
    c"initializerCreate" training::initializer_create,
    c"initializerParse" training::initializer_parse,
    c"initializerApply" training::initializer_apply,
    c"initializerRole" training::initializer_role,
    c"optimizerCreate" training::optimizer_create,
    c"optimizerSet" training::optimizer_set,
    c"optimizerLearningRate" training::optimizer_learning_rate,
    c"optimizerSetLearningRate" training::optimizer_set_learning_rate,
    c"optimizerSetNames" training::optimizer_set_names,
    c"optimizerSetMults" training::optimizer_set_mults,
    c"optimizerSetMult" training::optimizer_set_mult,
    c"optimizerRates" training::optimizer_rates,
    c"optimizerNumUpdate" training::optimizer_num_update,
    c"optimizerCount" training::optimizer_count,
    c"updaterCreate" training::updater_create,
    c"updaterUpdate" training::updater_update,
    c"updaterIndices" training::updater_indices,
    c"updaterState" training::updater_state,
    c"updaterSetState" training::updater_set_state,
    c"updaterToBytes" training::updater_to_bytes,
    c"updaterSetBytes" training::updater_set_bytes,
    c"autogradSymbol" autograd::symbol,
    c"metricCreate" data::metric_create,
    c"metricPush" data::metric_push,
    c"metricUpdate" data::metric_update,
    c"metricUpdateNamed" data::metric_update_named,
    c"metricAdd" data::metric_add,
    c"metricReset" data::metric_reset,
    c"metricGet" data::metric_get,
    c"iterCreate" data::iter_create,
    c"iterNames" data::iter_names,
    c"iterDesc" data::iter_desc,
    c"iterLayout" data::iter_layout,
    c"iterBatchSize" data::iter_batch_size,
    c"iterNext" data::iter_next,
    c"iterReset" data::iter_reset,
    c"iterArray" data::iter_array,
    c"iterIndex" data::iter_index,
    c"callbackCreate" data::callback_create,
    c"callbackDue" data::callback_due,
    c"callbackCall" data::callback_call,
    c"storeCreate" kvstore::create,
    c"storeType" kvstore::kind,
    c"storeWorkers" kvstore::workers,
    c"storeMove" kvstore::exchange,
    c"storeSetOptimizer" kvstore::set_optimizer,
    c"storeSetUpdate" kvstore::set_update,
    c"storeSetCompression" kvstore::set_compression,
    c"storeStates" kvstore::states,
    c"storeSetStates" kvstore::set_states,
    c"moduleCreate" module::create,
    c"moduleLoad" module::load,
    c"moduleBind" module::bind,
    c"moduleReshape" module::reshape,
    c"moduleState" module::state,
    c"moduleNames" module::names,
    c"moduleDesc" module::desc,
    c"moduleSymbol" module::get_symbol,
    c"moduleForward" module::forward,
    c"moduleBackward" module::backward,
    c"moduleArray" module::array_of,
    c"moduleInitParams" module::init_params,
    c"moduleParams" module::get_params,
    c"moduleInitOptimizer" module::init_optimizer,
    c"moduleUpdate" module::update,
    c"moduleUpdateMetric" module::update_metric,
    c"moduleStates" module::states,
    c"moduleSetStates" module::set_states,
    c"moduleSave" module::save,
};

/// What Node calls when the addon is loaded, once for each instance of JavaScript.
///
/// # Safety
/// Node gives an instance and an object that are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn napi_register_module_v1(env: napi_env, exports: napi_value) -> napi_value {
    static SYMBOLS: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    // The functions of Node-API are found by name, once.
    SYMBOLS.get_or_init(|| {
        // SAFETY: Node is in this process, whose handle is kept.
        std::mem::forget(unsafe { napi_sys::setup() });
    });
    let env = Env(env);
    state::State::install(env);
    env.guard(|| env.define(exports, FUNCTIONS).map(|()| exports))
}
