/* What R calls by `.Call` and `.External`. */
#include <R_ext/Rdynload.h>

#include "mxr_r.h"

/* convert.c */
SEXP C_dim(SEXP);
SEXP C_dtype(SEXP);
SEXP C_device(SEXP);
SEXP C_empty(SEXP, SEXP, SEXP);
SEXP C_array(SEXP, SEXP, SEXP, SEXP);
SEXP C_as_array(SEXP);
SEXP C_assign(SEXP, SEXP);
SEXP C_detach(SEXP);
SEXP C_reshape(SEXP, SEXP);
SEXP C_copy_to(SEXP, SEXP);

/* dlpack.c */
SEXP C_to_dlpack(SEXP);
SEXP C_from_dlpack(SEXP);

/* executor.c */
SEXP C_simple_bind(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_bind(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_executor_reshape(SEXP, SEXP, SEXP);
SEXP C_executor_forward(SEXP, SEXP);
SEXP C_executor_backward(SEXP, SEXP);
SEXP C_executor_arrays(SEXP, SEXP, SEXP);
SEXP C_executor_copy_params(SEXP, SEXP, SEXP);
SEXP C_executor_set_monitor(SEXP, SEXP);
SEXP C_executor_plan(SEXP, SEXP);
SEXP C_plan(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_plan_report(SEXP);
SEXP C_plan_text(SEXP);
SEXP C_plan_choices(SEXP);
SEXP C_plan_passes(SEXP);
SEXP C_cached_op(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_cached_op_call(SEXP, SEXP, SEXP);
SEXP C_symbol_run(SEXP, SEXP, SEXP);

/* files.c */
SEXP C_list_load(SEXP);
SEXP C_list_save(SEXP, SEXP);
SEXP C_model_load(SEXP, SEXP);
SEXP C_model_symbol(SEXP);
SEXP C_model_arrays(SEXP);
SEXP C_model_texts(SEXP);
SEXP C_model_inputs(SEXP);
SEXP C_model_save(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_build_info(void);
SEXP C_version(void);
SEXP C_library(void);
SEXP C_pending(void);
SEXP C_num_threads(void);
SEXP C_shutdown(void);
SEXP C_memory(void);
SEXP C_memory_trim(void);

/* fit.c */
SEXP C_metric_push(SEXP, SEXP);
SEXP C_metric_update(SEXP, SEXP, SEXP);
SEXP C_metric_add(SEXP, SEXP, SEXP);
SEXP C_metric_reset(SEXP, SEXP);
SEXP C_metric_get(SEXP, SEXP);
SEXP C_iter_names(SEXP, SEXP);
SEXP C_iter_descs(SEXP, SEXP);
SEXP C_iter_batch_size(SEXP);
SEXP C_iter_next(SEXP);
SEXP C_iter_reset(SEXP, SEXP);
SEXP C_iter_arrays(SEXP, SEXP);
SEXP C_iter_pad(SEXP);
SEXP C_iter_index(SEXP);
SEXP C_kvstore(SEXP);
SEXP C_kvstore_type(SEXP);
SEXP C_kvstore_init(SEXP, SEXP, SEXP);
SEXP C_kvstore_push(SEXP, SEXP, SEXP);
SEXP C_kvstore_pull(SEXP, SEXP, SEXP);
SEXP C_kvstore_set_optimizer(SEXP, SEXP);
SEXP C_kvstore_set_update(SEXP, SEXP);
SEXP C_kvstore_compress(SEXP);
SEXP C_kvstore_states(SEXP);
SEXP C_kvstore_set_states(SEXP, SEXP);
SEXP C_callback_due(SEXP, SEXP, SEXP, SEXP);
SEXP C_callback_call(SEXP, SEXP, SEXP, SEXP, SEXP);

/* handle.c */
SEXP C_close(SEXP);
SEXP C_is_closed(SEXP);
SEXP C_same(SEXP, SEXP);
SEXP C_scope_begin(void);
SEXP C_scope_end(SEXP);

/* invoke.c */
SEXP C_nd(SEXP);
SEXP C_arithmetic(SEXP, SEXP, SEXP);

/* library.c */
SEXP C_load(SEXP);

/* module.c */
SEXP C_module(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_module_bind(SEXP, SEXP, SEXP, SEXP);
SEXP C_module_init_params(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_module_params(SEXP, SEXP);
SEXP C_module_init_optimizer(SEXP, SEXP, SEXP, SEXP);
SEXP C_module_forward(SEXP, SEXP, SEXP, SEXP);
SEXP C_module_backward(SEXP, SEXP);
SEXP C_module_update(SEXP);
SEXP C_module_update_metric(SEXP, SEXP, SEXP);
SEXP C_module_output(SEXP, SEXP);
SEXP C_module_save_checkpoint(SEXP, SEXP, SEXP, SEXP);
SEXP C_module_states(SEXP);
SEXP C_module_set_states(SEXP, SEXP);

/* scope.c */
SEXP C_set_device(SEXP);
SEXP C_set_mode(SEXP, SEXP);
SEXP C_mark(SEXP, SEXP, SEXP);
SEXP C_grad_of(SEXP);
SEXP C_backward(SEXP, SEXP, SEXP, SEXP);
SEXP C_grad(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_autograd_symbol(SEXP);
SEXP C_record_custom(SEXP, SEXP, SEXP, SEXP);
SEXP C_seed(SEXP, SEXP);

/* symbol.c */
SEXP C_name_counts(SEXP);
SEXP C_set_attrs(SEXP);
SEXP C_symbol(SEXP);
SEXP C_symbol_arithmetic(SEXP, SEXP, SEXP);
SEXP C_symbol_variable(SEXP, SEXP);
SEXP C_symbol_group(SEXP);
SEXP C_symbol_compose(SEXP, SEXP, SEXP);
SEXP C_symbol_with_attrs(SEXP, SEXP);
SEXP C_symbol_internals(SEXP);
SEXP C_symbol_children(SEXP);
SEXP C_symbol_output(SEXP, SEXP);
SEXP C_symbol_list(SEXP, SEXP);
SEXP C_symbol_name(SEXP);
SEXP C_symbol_attr(SEXP, SEXP);
SEXP C_symbol_attrs(SEXP, SEXP);
SEXP C_symbol_text(SEXP);
SEXP C_symbol_to_json(SEXP);
SEXP C_symbol_from_json(SEXP);
SEXP C_symbol_load(SEXP);
SEXP C_symbol_save(SEXP, SEXP);
SEXP C_symbol_infer_shapes(SEXP, SEXP);
SEXP C_symbol_infer_dtypes(SEXP, SEXP);
SEXP C_symbol_foreach(SEXP, SEXP, SEXP, SEXP);
SEXP C_symbol_while_loop(SEXP, SEXP, SEXP, SEXP, SEXP);
SEXP C_symbol_cond(SEXP, SEXP, SEXP, SEXP);

/* training.c */
SEXP C_create(SEXP);
SEXP C_learning_rate(SEXP, SEXP);
SEXP C_optimizer_add_names(SEXP, SEXP);
SEXP C_optimizer_set_mults(SEXP, SEXP, SEXP);
SEXP C_num_update(SEXP);
SEXP C_updater(SEXP);
SEXP C_update(SEXP, SEXP, SEXP);
SEXP C_updater_to_raw(SEXP);
SEXP C_updater_from_raw(SEXP, SEXP);
SEXP C_lr_at(SEXP, SEXP);
SEXP C_initialize(SEXP, SEXP, SEXP, SEXP);
SEXP C_role(SEXP);
SEXP C_initializer_parse(SEXP);

/* wait.c */
SEXP C_wait_to_read(SEXP);
SEXP C_wait_all(void);

#define CALL(name, n) {#name, (DL_FUNC)&C_##name, n}

static const R_CallMethodDef CALLS[] = {
    CALL(dim, 1),
    CALL(dtype, 1),
    CALL(device, 1),
    CALL(empty, 3),
    CALL(array, 4),
    CALL(as_array, 1),
    CALL(assign, 2),
    CALL(detach, 1),
    CALL(reshape, 2),
    CALL(copy_to, 2),
    CALL(to_dlpack, 1),
    CALL(from_dlpack, 1),
    CALL(simple_bind, 8),
    CALL(bind, 7),
    CALL(executor_reshape, 3),
    CALL(executor_forward, 2),
    CALL(executor_backward, 2),
    CALL(executor_arrays, 3),
    CALL(executor_copy_params, 3),
    CALL(executor_set_monitor, 2),
    CALL(executor_plan, 2),
    CALL(plan, 7),
    CALL(plan_report, 1),
    CALL(plan_text, 1),
    CALL(plan_choices, 1),
    CALL(plan_passes, 1),
    CALL(cached_op, 5),
    CALL(cached_op_call, 3),
    CALL(symbol_run, 3),
    CALL(list_load, 1),
    CALL(list_save, 2),
    CALL(model_load, 2),
    CALL(model_symbol, 1),
    CALL(model_arrays, 1),
    CALL(model_texts, 1),
    CALL(model_inputs, 1),
    CALL(model_save, 5),
    CALL(build_info, 0),
    CALL(version, 0),
    CALL(library, 0),
    CALL(pending, 0),
    CALL(num_threads, 0),
    CALL(shutdown, 0),
    CALL(memory, 0),
    CALL(memory_trim, 0),
    CALL(metric_push, 2),
    CALL(metric_update, 3),
    CALL(metric_add, 3),
    CALL(metric_reset, 2),
    CALL(metric_get, 2),
    CALL(iter_names, 2),
    CALL(iter_descs, 2),
    CALL(iter_batch_size, 1),
    CALL(iter_next, 1),
    CALL(iter_reset, 2),
    CALL(iter_arrays, 2),
    CALL(iter_pad, 1),
    CALL(iter_index, 1),
    CALL(kvstore, 1),
    CALL(kvstore_type, 1),
    CALL(kvstore_init, 3),
    CALL(kvstore_push, 3),
    CALL(kvstore_pull, 3),
    CALL(kvstore_set_optimizer, 2),
    CALL(kvstore_set_update, 2),
    CALL(kvstore_states, 1),
    CALL(kvstore_set_states, 2),
    CALL(callback_due, 4),
    CALL(callback_call, 5),
    CALL(close, 1),
    CALL(is_closed, 1),
    CALL(same, 2),
    CALL(scope_begin, 0),
    CALL(scope_end, 1),
    CALL(arithmetic, 3),
    CALL(load, 1),
    CALL(module, 5),
    CALL(module_bind, 4),
    CALL(module_init_params, 6),
    CALL(module_params, 2),
    CALL(module_init_optimizer, 4),
    CALL(module_forward, 4),
    CALL(module_backward, 2),
    CALL(module_update, 1),
    CALL(module_update_metric, 3),
    CALL(module_output, 2),
    CALL(module_save_checkpoint, 4),
    CALL(module_states, 1),
    CALL(module_set_states, 2),
    CALL(set_device, 1),
    CALL(set_mode, 2),
    CALL(mark, 3),
    CALL(grad_of, 1),
    CALL(backward, 4),
    CALL(grad, 6),
    CALL(autograd_symbol, 1),
    CALL(record_custom, 4),
    CALL(seed, 2),
    CALL(name_counts, 1),
    CALL(set_attrs, 1),
    CALL(symbol_arithmetic, 3),
    CALL(symbol_variable, 2),
    CALL(symbol_group, 1),
    CALL(symbol_compose, 3),
    CALL(symbol_with_attrs, 2),
    CALL(symbol_internals, 1),
    CALL(symbol_children, 1),
    CALL(symbol_output, 2),
    CALL(symbol_list, 2),
    CALL(symbol_name, 1),
    CALL(symbol_attr, 2),
    CALL(symbol_attrs, 2),
    CALL(symbol_text, 1),
    CALL(symbol_to_json, 1),
    CALL(symbol_from_json, 1),
    CALL(symbol_load, 1),
    CALL(symbol_save, 2),
    CALL(symbol_infer_shapes, 2),
    CALL(symbol_infer_dtypes, 2),
    CALL(symbol_foreach, 4),
    CALL(symbol_while_loop, 5),
    CALL(symbol_cond, 4),
    CALL(learning_rate, 2),
    CALL(optimizer_add_names, 2),
    CALL(optimizer_set_mults, 3),
    CALL(num_update, 1),
    CALL(updater, 1),
    CALL(update, 3),
    CALL(updater_to_raw, 1),
    CALL(updater_from_raw, 2),
    CALL(lr_at, 2),
    CALL(initialize, 4),
    CALL(role, 1),
    CALL(initializer_parse, 1),
    CALL(wait_to_read, 1),
    CALL(wait_all, 0),
    {NULL, NULL, 0}};

static const R_ExternalMethodDef EXTERNALS[] = {
    CALL(nd, -1),
    CALL(symbol, -1),
    CALL(create, -1),
    CALL(kvstore_compress, -1),
    {NULL, NULL, 0}};

void R_init_mxr(DllInfo *info) {
  keep_init();
  R_registerRoutines(info, NULL, CALLS, NULL, EXTERNALS);
  R_useDynamicSymbols(info, FALSE);
  R_forceSymbols(info, TRUE);
}
