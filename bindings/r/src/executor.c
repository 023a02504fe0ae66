/* Symbols that are compiled: executors, cached operators, plans. */
#include <string.h>

#include "mxr_r.h"

static mxr_plan_options_t options_of(SEXP flags, SEXP budget, SEXP context) {
  mxr_plan_options_t options = {sizeof options, (uint32_t)Rf_asInteger(flags), (int64_t)Rf_asReal(budget), 0, 0};
  device_of(context, &options.device_kind, &options.device_id);
  return options;
}

static int32_t request_of(SEXP requests, R_xlen_t i) {
  const char *text = CHAR(STRING_ELT(requests, i));
  if (strcmp(text, "write") == 0) return MXR_REQUEST_WRITE;
  if (strcmp(text, "add") == 0) return MXR_REQUEST_ADD;
  if (strcmp(text, "null") == 0) return MXR_REQUEST_NULL;
  refuse(MXR_ERROR_INVALID_VALUE, NULL, "grad.req", "expected \"null\", \"write\" or \"add\", got \"%s\"", text);
}

/* What is known of variables: named lists of dimensions and dtypes, and named texts of requests, of which the one
 * without a name is for all others. */
static mxr_known_t known_of(SEXP shapes, SEXP dtypes, SEXP requests) {
  mxr_known_t known;
  memset(&known, 0, sizeof known);
  known.struct_size = sizeof known;
  known.num_shapes = (int32_t)Rf_xlength(shapes);
  known.shape_names = names_of(shapes, known.num_shapes, "...");
  const int64_t **sizes = (const int64_t **)R_alloc((size_t)known.num_shapes + 1, sizeof *sizes);
  int32_t *axes = (int32_t *)R_alloc((size_t)known.num_shapes + 1, sizeof *axes);
  for (int32_t i = 0; i < known.num_shapes; i++) {
    sizes[i] = shape_of_dims(VECTOR_ELT(shapes, i), &axes[i], known.shape_names[i]);
  }
  known.shapes = sizes;
  known.num_axes = axes;
  known.num_dtypes = (int32_t)Rf_xlength(dtypes);
  known.dtype_names = names_of(dtypes, known.num_dtypes, "dtypes");
  int32_t *codes = (int32_t *)R_alloc((size_t)known.num_dtypes + 1, sizeof *codes);
  for (int32_t i = 0; i < known.num_dtypes; i++) codes[i] = dtype_code(CHAR(STRING_ELT(dtypes, i)), "dtypes");
  known.dtypes = codes;
  const int32_t n = (int32_t)Rf_xlength(requests);
  const char **names = n > 0 ? names_of(requests, n, "grad.req") : NULL;
  const char **request_names = (const char **)R_alloc((size_t)n + 1, sizeof *request_names);
  int32_t *wanted = (int32_t *)R_alloc((size_t)n + 1, sizeof *wanted);
  for (int32_t i = 0; i < n; i++) {
    if (!*names[i]) {
      known.other_requests = request_of(requests, i);
      continue;
    }
    request_names[known.num_requests] = names[i];
    wanted[known.num_requests++] = request_of(requests, i);
  }
  known.request_names = request_names;
  known.requests = wanted;
  return known;
}

static mxr_executor_t *executor_of(SEXP object) { return unwrap(EXECUTOR, object, "executor"); }

SEXP C_simple_bind(SEXP symbol, SEXP shapes, SEXP dtypes, SEXP requests, SEXP shared, SEXP flags, SEXP budget,
                   SEXP context) {
  const mxr_known_t known = known_of(shapes, dtypes, requests);
  const mxr_plan_options_t options = options_of(flags, budget, context);
  mxr_executor_t *out = NULL;
  check(abi.executor_simple_bind(symbol_of(symbol, "symbol"), &known,
                                 shared == R_NilValue ? NULL : executor_of(shared), &options, &out));
  return wrap(EXECUTOR, out);
}

/* Binds to arrays in the order of the symbol's inputs; gradients may be NULL. */
SEXP C_bind(SEXP symbol, SEXP variables, SEXP gradients, SEXP requests, SEXP flags, SEXP budget, SEXP context) {
  int32_t n, m;
  mxr_array_t **arrays = arrays_of(variables, &n, "arg.arrays"), **grads = arrays_of(gradients, &m, "grad.arrays");
  int32_t *wanted = (int32_t *)R_alloc((size_t)n + 1, sizeof *wanted);
  for (int32_t i = 0; i < n; i++) wanted[i] = request_of(requests, i);
  const mxr_plan_options_t options = options_of(flags, budget, context);
  mxr_executor_t *out = NULL;
  check(abi.executor_bind(symbol_of(symbol, "symbol"), arrays, grads, wanted, n, NULL, &options, &out));
  return wrap(EXECUTOR, out);
}

SEXP C_executor_reshape(SEXP executor, SEXP shapes, SEXP up) {
  const mxr_known_t known = known_of(shapes, R_NilValue, R_NilValue);
  mxr_executor_t *out = NULL;
  check(abi.executor_reshape(executor_of(executor), &known, Rf_asLogical(up) == 1, &out));
  return wrap(EXECUTOR, out);
}

/* The first failure of a monitor, for the end of forward, which knows no failure of monitors. */
static mxr_error_t *monitor_failure;

SEXP C_executor_forward(SEXP executor, SEXP training) {
  mxr_error_t *error = abi.executor_forward(executor_of(executor), Rf_asLogical(training) == 1);
  mxr_error_t *shown = monitor_failure;
  monitor_failure = NULL;
  if (error && shown) abi.error_free(shown);
  check(error ? error : shown);
  return R_NilValue;
}

SEXP C_executor_backward(SEXP executor, SEXP heads) {
  int32_t n;
  mxr_array_t **arrays = arrays_of(heads, &n, "head.grads");
  check(abi.executor_backward(executor_of(executor), arrays, n));
  return R_NilValue;
}

/* The arrays of a list, as many as there are names; with list 0 the gradients, NULL where there is none. */
SEXP C_executor_arrays(SEXP executor, SEXP list, SEXP names) {
  mxr_executor_t *of = executor_of(executor);
  const int32_t which = Rf_asInteger(list);
  SEXP out = PROTECT(Rf_allocVector(VECSXP, XLENGTH(names)));
  for (R_xlen_t i = 0; i < XLENGTH(names); i++) {
    mxr_array_t *array = NULL;
    if (which == 0) check(abi.executor_gradient(of, i, &array));
    else check(abi.executor_array(of, which, i, &array));
    if (array) SET_VECTOR_ELT(out, i, wrap_array(array));
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(1);
  return out;
}

SEXP C_executor_copy_params(SEXP executor, SEXP params, SEXP extra) {
  int32_t n;
  mxr_array_t **arrays = arrays_of(params, &n, "params");
  check(abi.executor_copy_params(executor_of(executor), names_of(params, n, "params"), arrays, n,
                                 Rf_asLogical(extra) == 1));
  return R_NilValue;
}

static void show(void *payload, const char *name, mxr_array_t *array) {
  SEXP arguments = PROTECT(Rf_allocVector(VECSXP, 2)), ignored = R_NilValue;
  SET_VECTOR_ELT(arguments, 0, Rf_ScalarString(Rf_mkCharCE(name, CE_UTF8)));
  SET_VECTOR_ELT(arguments, 1, wrap_array(abi.array_retain(array)));
  mxr_error_t *error = call_guarded(CAR((SEXP)payload), arguments, &ignored);
  if (!monitor_failure) monitor_failure = error;
  else if (error) abi.error_free(error);
  UNPROTECT(1);
}

SEXP C_executor_set_monitor(SEXP executor, SEXP callback) {
  mxr_executor_t *of = executor_of(executor);
  if (callback == R_NilValue) check(abi.executor_set_monitor(of, NULL, NULL, NULL));
  else check(abi.executor_set_monitor(of, show, keep_alive(callback), let_go));
  return R_NilValue;
}

SEXP C_executor_plan(SEXP executor, SEXP training) {
  mxr_plan_t *plan = NULL;
  check(abi.executor_plan(executor_of(executor), Rf_asLogical(training) == 1, &plan));
  return wrap(PLAN, plan);
}

SEXP C_plan(SEXP symbol, SEXP shapes, SEXP dtypes, SEXP requests, SEXP flags, SEXP budget, SEXP context) {
  const mxr_known_t known = known_of(shapes, dtypes, requests);
  const mxr_plan_options_t options = options_of(flags, budget, context);
  mxr_plan_t *plan = NULL;
  check(abi.plan_new(symbol_of(symbol, "symbol"), &known, &options, &plan));
  return wrap(PLAN, plan);
}

SEXP C_plan_report(SEXP plan) {
  static const char *const NAMES[] = {"peak_bytes",      "parameter_bytes", "unplanned_bytes", "arena_bytes",
                                      "workspace_bytes", "flops",           "again_flops",     "steps", ""};
  mxr_plan_report_t report;
  memset(&report, 0, sizeof report);
  report.struct_size = sizeof report;
  check(abi.plan_report(unwrap(PLAN, plan, "plan"), &report));
  const int64_t numbers[] = {report.peak_bytes,      report.parameter_bytes, report.unplanned_bytes,
                             report.arena_bytes,     report.workspace_bytes, report.flops,
                             report.again_flops,     report.steps};
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, (const char **)NAMES));
  for (int i = 0; i < 8; i++) SET_VECTOR_ELT(out, i, Rf_ScalarReal((double)numbers[i]));
  UNPROTECT(1);
  return out;
}

SEXP C_plan_text(SEXP plan) {
  char *text = NULL;
  check(abi.plan_text(unwrap(PLAN, plan, "plan"), &text));
  return string_of(text);
}

SEXP C_plan_choices(SEXP plan) {
  mxr_texts_t *texts = NULL;
  check(abi.plan_choices(unwrap(PLAN, plan, "plan"), &texts));
  return strings_of(texts);
}

SEXP C_plan_passes(SEXP plan) {
  mxr_texts_t *texts = NULL;
  check(abi.plan_passes(unwrap(PLAN, plan, "plan"), &texts));
  return strings_of(texts);
}

SEXP C_cached_op(SEXP symbol, SEXP keep, SEXP flags, SEXP budget, SEXP context) {
  const mxr_plan_options_t options = options_of(flags, budget, context);
  mxr_cached_op_t *out = NULL;
  check(abi.cached_op_new(symbol_of(symbol, "symbol"), Rf_asLogical(keep) == 1, &options, &out));
  return wrap(CACHED_OP, out);
}

/* New arrays as a list, or alone. */
static SEXP results(mxr_array_t **arrays, int32_t n) {
  if (n == 1) return wrap_array(arrays[0]);
  SEXP out = PROTECT(Rf_allocVector(VECSXP, n));
  for (int32_t i = 0; i < n; i++) SET_VECTOR_ELT(out, i, wrap_array(arrays[i]));
  UNPROTECT(1);
  return out;
}

SEXP C_cached_op_call(SEXP cached_op, SEXP inputs, SEXP num_outputs) {
  int32_t n;
  mxr_array_t **arrays = arrays_of(inputs, &n, "inputs");
  const int32_t m = Rf_asInteger(num_outputs);
  mxr_array_t **outputs = (mxr_array_t **)R_alloc((size_t)m + 1, sizeof *outputs);
  const mxr_call_t call = current_call();
  check(abi.cached_op_call(unwrap(CACHED_OP, cached_op, "cached.op"), arrays, n, &call, outputs));
  return results(outputs, m);
}

/* Runs a symbol operator by operator on arrays by name. */
SEXP C_symbol_run(SEXP symbol, SEXP arrays, SEXP num_outputs) {
  int32_t n;
  mxr_array_t **inputs = arrays_of(arrays, &n, "arrays");
  const int32_t m = Rf_asInteger(num_outputs);
  mxr_array_t **outputs = (mxr_array_t **)R_alloc((size_t)m + 1, sizeof *outputs);
  const mxr_call_t call = current_call();
  check(abi.symbol_run(symbol_of(symbol, "symbol"), names_of(arrays, n, "arrays"), inputs, n, &call, outputs));
  return results(outputs, m);
}
