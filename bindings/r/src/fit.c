/* What a training needs besides its module: metrics, data iterators, stores, callbacks. */
#include <string.h>

#include "mxr_r.h"

static mxr_metric_t *metric_of(SEXP object) { return unwrap(METRIC, object, "metric"); }

SEXP make_metric(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n) {
  (void)more;
  mxr_metric_t *out = NULL;
  check(abi.metric_create(thing->name, attrs, n, &out));
  return wrap(METRIC, out);
}

SEXP C_metric_push(SEXP metric, SEXP part) {
  check(abi.metric_push(metric_of(metric), metric_of(part)));
  return R_NilValue;
}

SEXP C_metric_update(SEXP metric, SEXP labels, SEXP preds) {
  int32_t n, m;
  mxr_array_t **truth = arrays_of(labels, &n, "labels"), **guess = arrays_of(preds, &m, "preds");
  check(abi.metric_update(metric_of(metric), truth, n, guess, m));
  return R_NilValue;
}

SEXP C_metric_add(SEXP metric, SEXP sum, SEXP count) {
  check(abi.metric_add(metric_of(metric), Rf_asReal(sum), Rf_asReal(count)));
  return R_NilValue;
}

SEXP C_metric_reset(SEXP metric, SEXP local) {
  check(Rf_asLogical(local) == 1 ? abi.metric_reset_local(metric_of(metric)) : abi.metric_reset(metric_of(metric)));
  return R_NilValue;
}

/* Numbers with names. */
SEXP C_metric_get(SEXP metric, SEXP global) {
  mxr_texts_t *texts = NULL;
  double few[16];
  int32_t n = 0;
  check(abi.metric_get(metric_of(metric), Rf_asLogical(global) == 1, &texts, few, 16, &n));
  SEXP names = PROTECT(strings_of(texts)), out = PROTECT(Rf_allocVector(REALSXP, n));
  if (n > 16) {
    mxr_texts_t *again = NULL;
    check(abi.metric_get(metric_of(metric), Rf_asLogical(global) == 1, &again, REAL(out), n, &n));
    abi.texts_free(again);
  } else {
    memcpy(REAL(out), few, (size_t)n * sizeof *few);
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

static mxr_data_iter_t *iter_of(SEXP object) { return unwrap(DATA_ITER, object, "iter"); }

/* The names of a list of arrays; NULL where it has none. */
static const char **names_or_null(SEXP list, int32_t n, const char *argument) {
  return TYPEOF(Rf_getAttrib(list, R_NamesSymbol)) == STRSXP ? names_of(list, n, argument) : NULL;
}

/* `more` is NULL, a list of lists of data and labels, or a list of iterators. */
SEXP make_data_iter(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n) {
  int32_t num_data = 0, num_labels = 0, num_iters = 0;
  mxr_array_t **data = NULL, **labels = NULL;
  const char **data_names = NULL, **label_names = NULL;
  mxr_data_iter_t **iters = NULL;
  const int of_iters = Rf_xlength(more) > 0 && is_a(DATA_ITER, VECTOR_ELT(more, 0));
  if (of_iters) {
    num_iters = (int32_t)XLENGTH(more);
    iters = (mxr_data_iter_t **)R_alloc((size_t)num_iters, sizeof *iters);
    for (int32_t i = 0; i < num_iters; i++) iters[i] = iter_of(VECTOR_ELT(more, i));
  } else if (more != R_NilValue) {
    data = arrays_of(VECTOR_ELT(more, 0), &num_data, "data");
    data_names = names_or_null(VECTOR_ELT(more, 0), num_data, "data");
    labels = arrays_of(VECTOR_ELT(more, 1), &num_labels, "label");
    label_names = names_or_null(VECTOR_ELT(more, 1), num_labels, "label");
  }
  mxr_data_iter_t *out = NULL;
  check(abi.data_iter_create(thing->name, attrs, n, data_names, data, num_data, label_names, labels, num_labels, iters,
                             num_iters, &out));
  return wrap(DATA_ITER, out);
}

SEXP C_iter_names(SEXP iter, SEXP list) {
  mxr_texts_t *names = NULL;
  check(abi.data_iter_names(iter_of(iter), Rf_asInteger(list), &names));
  return strings_of(names);
}

/* Dimensions, dtype and layout of what batches have in a list, by name. */
SEXP C_iter_descs(SEXP iter, SEXP list) {
  static const char *const FIELDS[] = {"dim", "dtype", "layout", ""};
  const int32_t which = Rf_asInteger(list);
  SEXP names = PROTECT(C_iter_names(iter, list)), out = PROTECT(Rf_allocVector(VECSXP, XLENGTH(names)));
  for (R_xlen_t i = 0; i < XLENGTH(names); i++) {
    int64_t dims[32];
    int32_t ndim, dtype;
    char *layout = NULL;
    check(abi.data_iter_desc(iter_of(iter), which, i, dims, 32, &ndim, &dtype));
    check(abi.data_iter_layout(iter_of(iter), which, i, &layout));
    SEXP one = PROTECT(Rf_mkNamed(VECSXP, (const char **)FIELDS));
    SET_VECTOR_ELT(one, 0, dims_of_shape(dims, ndim));
    SET_VECTOR_ELT(one, 1, Rf_mkString(dtype_name(dtype)));
    SET_VECTOR_ELT(one, 2, string_of(layout));
    SET_VECTOR_ELT(out, i, one);
    UNPROTECT(1);
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

SEXP C_iter_batch_size(SEXP iter) {
  int64_t size = 0;
  check(abi.data_iter_batch_size(iter_of(iter), &size));
  return Rf_ScalarReal((double)size);
}

SEXP C_iter_next(SEXP iter) {
  int32_t more = 0;
  check(abi.data_iter_next(iter_of(iter), &more));
  return Rf_ScalarLogical(more != 0);
}

SEXP C_iter_reset(SEXP iter, SEXP hard) {
  check(abi.data_iter_reset(iter_of(iter), Rf_asLogical(hard) == 1));
  return R_NilValue;
}

SEXP C_iter_arrays(SEXP iter, SEXP list) {
  SEXP names = PROTECT(C_iter_names(iter, list)), out = PROTECT(Rf_allocVector(VECSXP, XLENGTH(names)));
  for (R_xlen_t i = 0; i < XLENGTH(names); i++) {
    mxr_array_t *array = NULL;
    check(abi.data_iter_array(iter_of(iter), Rf_asInteger(list), i, &array));
    SET_VECTOR_ELT(out, i, wrap_array(array));
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

SEXP C_iter_pad(SEXP iter) {
  int64_t pad = 0;
  check(abi.data_iter_pad(iter_of(iter), &pad));
  return Rf_ScalarReal((double)pad);
}

/* Numbers of the batch's samples, from 1. */
SEXP C_iter_index(SEXP iter) {
  int64_t n = 0;
  check(abi.data_iter_index(iter_of(iter), NULL, 0, &n));
  int64_t *index = (int64_t *)R_alloc((size_t)n + 1, sizeof *index);
  check(abi.data_iter_index(iter_of(iter), index, n, &n));
  SEXP out = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t)n));
  for (int64_t i = 0; i < n; i++) REAL(out)[i] = (double)index[i] + 1;
  UNPROTECT(1);
  return out;
}

static mxr_kvstore_t *store_of(SEXP object) { return unwrap(KVSTORE, object, "kv"); }

SEXP C_kvstore(SEXP name) {
  mxr_kvstore_t *out = NULL;
  check(abi.kvstore_create(c_string(name, "type"), &out));
  return wrap(KVSTORE, out);
}

SEXP C_kvstore_type(SEXP store) {
  char *name = NULL;
  check(abi.kvstore_type(store_of(store), &name));
  return string_of(name);
}

/* A key is a text or a number. */
static const char *key_of(SEXP key, int64_t *index) {
  *index = TYPEOF(key) == STRSXP ? 0 : (int64_t)Rf_asReal(key);
  return TYPEOF(key) == STRSXP ? c_string(key, "key") : NULL;
}

SEXP C_kvstore_init(SEXP store, SEXP key, SEXP value) {
  int64_t index;
  const char *text = key_of(key, &index);
  check(abi.kvstore_init(store_of(store), text, index, array_of(value, "values")));
  return R_NilValue;
}

SEXP C_kvstore_push(SEXP store, SEXP key, SEXP values) {
  int64_t index;
  int32_t n;
  const char *text = key_of(key, &index);
  mxr_array_t **arrays = arrays_of(values, &n, "values");
  check(abi.kvstore_push(store_of(store), text, index, arrays, n));
  return R_NilValue;
}

SEXP C_kvstore_pull(SEXP store, SEXP key, SEXP out) {
  int64_t index;
  int32_t n;
  const char *text = key_of(key, &index);
  mxr_array_t **arrays = arrays_of(out, &n, "out");
  check(abi.kvstore_pull(store_of(store), text, index, arrays, n));
  return R_NilValue;
}

SEXP C_kvstore_set_optimizer(SEXP store, SEXP optimizer) {
  check(abi.kvstore_set_optimizer(store_of(store), unwrap(OPTIMIZER, optimizer, "optimizer")));
  return R_NilValue;
}

/* Calls a function of R with the key, what was pushed and what is stored. */
static mxr_error_t *run_update(void *payload, const char *key, int64_t index, mxr_array_t *pushed,
                               mxr_array_t *stored) {
  SEXP arguments = PROTECT(Rf_allocVector(VECSXP, 3)), ignored = R_NilValue;
  SET_VECTOR_ELT(arguments, 0, key ? Rf_mkString(key) : Rf_ScalarReal((double)index));
  SET_VECTOR_ELT(arguments, 1, wrap_array(abi.array_retain(pushed)));
  SET_VECTOR_ELT(arguments, 2, wrap_array(abi.array_retain(stored)));
  mxr_error_t *error = call_guarded(CAR((SEXP)payload), arguments, &ignored);
  UNPROTECT(1);
  return error;
}

SEXP C_kvstore_set_update(SEXP store, SEXP update) {
  mxr_kvstore_t *of = store_of(store);
  if (update == R_NilValue) check(abi.kvstore_set_update(of, NULL, NULL, NULL));
  else check(abi.kvstore_set_update(of, run_update, keep_alive(update), let_go));
  return R_NilValue;
}

/* .External(C_kvstore_compress, store, name, …) */
SEXP C_kvstore_compress(SEXP args) {
  args = CDR(args);
  const char *name = c_string(CADR(args), "type");
  const thing_t *thing = thing_named("gradient_compressions", name);
  int32_t n = 0;
  const mxr_attr_t *attrs = thing ? read_named_attrs(thing, CDDR(args), &n) : NULL;
  check(abi.kvstore_set_compression(store_of(CAR(args)), name, attrs, n));
  return R_NilValue;
}

SEXP C_kvstore_states(SEXP store) {
  uint8_t *bytes = NULL;
  uint64_t len = 0;
  check(abi.kvstore_optimizer_states(store_of(store), &bytes, &len));
  return raw_of(bytes, len);
}

SEXP C_kvstore_set_states(SEXP store, SEXP bytes) {
  if (TYPEOF(bytes) != RAWSXP) refuse(MXR_ERROR_INVALID_TYPE, NULL, "states", "expected raw bytes");
  check(abi.kvstore_set_optimizer_states(store_of(store), RAW(bytes), (uint64_t)XLENGTH(bytes)));
  return R_NilValue;
}

SEXP make_callback(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n) {
  (void)more;
  mxr_callback_t *out = NULL;
  check(abi.callback_create(thing->name, attrs, n, &out));
  return wrap(CALLBACK, out);
}

static mxr_callback_t *callback_of(SEXP object) { return unwrap(CALLBACK, object, "callback"); }

SEXP C_callback_due(SEXP callback, SEXP epoch, SEXP batch, SEXP seconds) {
  int32_t due = 0;
  check(abi.callback_due(callback_of(callback), (int64_t)Rf_asReal(epoch), (int64_t)Rf_asReal(batch),
                         Rf_asReal(seconds), &due));
  return Rf_ScalarLogical(due);
}

/* A list of the text to print and the actions to take. `values` are numbers with names, or NULL. */
SEXP C_callback_call(SEXP callback, SEXP epoch, SEXP batch, SEXP seconds, SEXP values) {
  static const char *const FIELDS[] = {"text", "reset", "save", ""};
  const int32_t n = (int32_t)Rf_xlength(values);
  const char **names = values == R_NilValue ? NULL : names_of(values, n, "values");
  char *text = NULL;
  int32_t actions = 0;
  check(abi.callback_call(callback_of(callback), (int64_t)Rf_asReal(epoch), (int64_t)Rf_asReal(batch),
                          Rf_asReal(seconds), names, names ? REAL(values) : NULL, n, &text, &actions));
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, (const char **)FIELDS));
  SET_VECTOR_ELT(out, 0, string_of(text));
  SET_VECTOR_ELT(out, 1, Rf_ScalarLogical((actions & MXR_CALLBACK_RESET_METRIC) != 0));
  SET_VECTOR_ELT(out, 2, Rf_ScalarLogical((actions & MXR_CALLBACK_SAVE) != 0));
  UNPROTECT(1);
  return out;
}
