/* Modules: a symbol that is trained. */
#include <string.h>

#include "mxr_r.h"

static mxr_module_t *module_of(SEXP object) { return unwrap(MODULE, object, "module"); }

SEXP C_module(SEXP symbol, SEXP data, SEXP labels, SEXP fixed, SEXP contexts) {
  mxr_module_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.data_names = c_strings(data, &options.num_data);
  options.label_names = c_strings(labels, &options.num_labels);
  options.fixed_names = c_strings(fixed, &options.num_fixed);
  options.num_devices = (int32_t)Rf_xlength(contexts);
  int32_t *kinds = (int32_t *)R_alloc((size_t)options.num_devices + 1, sizeof *kinds);
  int32_t *ids = (int32_t *)R_alloc((size_t)options.num_devices + 1, sizeof *ids);
  for (int32_t i = 0; i < options.num_devices; i++) device_of(VECTOR_ELT(contexts, i), &kinds[i], &ids[i]);
  options.device_kinds = kinds;
  options.device_ids = ids;
  mxr_module_t *out = NULL;
  check(abi.module_create(symbol_of(symbol, "symbol"), &options, &out));
  return wrap(MODULE, out);
}

/* What batches have, from a named list of lists of dimensions, dtype and layout. */
static mxr_desc_t *descs_of(SEXP list, int32_t *n) {
  *n = (int32_t)Rf_xlength(list);
  const char **names = names_of(list, *n, "data");
  mxr_desc_t *out = (mxr_desc_t *)R_alloc((size_t)*n + 1, sizeof *out);
  for (int32_t i = 0; i < *n; i++) {
    SEXP one = VECTOR_ELT(list, i);
    memset(&out[i], 0, sizeof out[i]);
    out[i].name = names[i];
    out[i].dims = shape_of_dims(VECTOR_ELT(one, 0), &out[i].ndim, names[i]);
    out[i].dtype = dtype_code(c_string(VECTOR_ELT(one, 1), names[i]), names[i]);
    if (VECTOR_ELT(one, 2) != R_NilValue) out[i].layout = c_string(VECTOR_ELT(one, 2), names[i]);
  }
  return out;
}

SEXP C_module_bind(SEXP module, SEXP data, SEXP labels, SEXP training) {
  int32_t n, m;
  const mxr_desc_t *given = descs_of(data, &n), *wanted = descs_of(labels, &m);
  const uint32_t flags = Rf_asLogical(training) == 1 ? MXR_BIND_TRAINING : 0;
  check(abi.module_bind(module_of(module), given, n, wanted, m, flags, MXR_REQUEST_WRITE, NULL));
  return R_NilValue;
}

SEXP C_module_init_params(SEXP module, SEXP initializer, SEXP args, SEXP states, SEXP missing, SEXP extra) {
  int32_t n, m, done = 0;
  mxr_array_t **arrays = arrays_of(args, &n, "arg.params"), **aux = arrays_of(states, &m, "aux.params");
  const char **names = names_of(args, n, "arg.params"), **aux_names = names_of(states, m, "aux.params");
  const uint32_t flags = (Rf_asLogical(missing) == 1 ? MXR_ALLOW_MISSING : 0u) |
                         (Rf_asLogical(extra) == 1 ? MXR_ALLOW_EXTRA : 0u) | MXR_FORCE;
  const mxr_initializer_t *fill =
      initializer == R_NilValue ? NULL : unwrap(INITIALIZER, initializer, "initializer");
  check(abi.module_init_params(module_of(module), fill, names, arrays, args == R_NilValue ? -1 : n, aux_names, aux,
                               states == R_NilValue ? -1 : m, flags, &done));
  return Rf_ScalarLogical(done);
}

SEXP C_module_params(SEXP module, SEXP list) {
  mxr_list_t *params = NULL;
  check(abi.module_params(module_of(module), Rf_asInteger(list), &params));
  return list_of(params);
}

SEXP C_module_init_optimizer(SEXP module, SEXP optimizer, SEXP store, SEXP by_name) {
  int32_t done = 0;
  const char *name = TYPEOF(store) == STRSXP ? c_string(store, "kvstore") : NULL;
  mxr_kvstore_t *own = name || store == R_NilValue ? NULL : unwrap(KVSTORE, store, "kvstore");
  const uint32_t flags = MXR_FORCE | MXR_RESCALE | (Rf_asLogical(by_name) == 1 ? MXR_BY_NAME : 0u);
  check(abi.module_init_optimizer(module_of(module), unwrap(OPTIMIZER, optimizer, "optimizer"), name, own, flags,
                                  &done));
  return Rf_ScalarLogical(done);
}

SEXP C_module_forward(SEXP module, SEXP data, SEXP labels, SEXP training) {
  int32_t n, m;
  mxr_array_t **given = arrays_of(data, &n, "data"), **truth = arrays_of(labels, &m, "label");
  const int wanted = Rf_asLogical(training);
  check(abi.module_forward(module_of(module), given, n, truth, m, wanted == NA_LOGICAL ? -1 : wanted));
  return R_NilValue;
}

SEXP C_module_backward(SEXP module, SEXP heads) {
  int32_t n;
  mxr_array_t **arrays = arrays_of(heads, &n, "out.grads");
  check(abi.module_backward(module_of(module), arrays, n));
  return R_NilValue;
}

SEXP C_module_update(SEXP module) {
  check(abi.module_update(module_of(module)));
  return R_NilValue;
}

SEXP C_module_update_metric(SEXP module, SEXP metric, SEXP labels) {
  int32_t n;
  mxr_array_t **truth = arrays_of(labels, &n, "label");
  check(abi.module_update_metric(module_of(module), unwrap(METRIC, metric, "metric"), truth, n));
  return R_NilValue;
}

SEXP C_module_output(SEXP module, SEXP i) {
  mxr_array_t *out = NULL;
  check(abi.module_output(module_of(module), (int64_t)Rf_asReal(i) - 1, &out));
  return wrap_array(out);
}

SEXP C_module_save_checkpoint(SEXP module, SEXP prefix, SEXP epoch, SEXP states) {
  check(abi.module_save_checkpoint(module_of(module), c_string(prefix, "prefix"), (int64_t)Rf_asReal(epoch),
                                   Rf_asLogical(states) == 1));
  return R_NilValue;
}

SEXP C_module_states(SEXP module) {
  uint8_t *bytes = NULL;
  uint64_t len = 0;
  check(abi.module_optimizer_states(module_of(module), &bytes, &len));
  return raw_of(bytes, len);
}

SEXP C_module_set_states(SEXP module, SEXP bytes) {
  if (TYPEOF(bytes) != RAWSXP) refuse(MXR_ERROR_INVALID_TYPE, NULL, "states", "expected raw bytes");
  check(abi.module_set_optimizer_states(module_of(module), RAW(bytes), (uint64_t)XLENGTH(bytes)));
  return R_NilValue;
}
