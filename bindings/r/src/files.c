/* Lists of arrays and models in files. */
#include <string.h>

#include "mxr_r.h"

/* A list of the library as a list of R, which it frees. */
SEXP list_of(mxr_list_t *list) {
  const int64_t n = abi.list_len(list);
  SEXP out = PROTECT(Rf_allocVector(VECSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
  int named = 0;
  for (int64_t i = 0; i < n; i++) {
    mxr_array_t *array = NULL;
    check(abi.list_array(list, i, &array));
    SET_VECTOR_ELT(out, i, wrap_array(array));
    const char *name = abi.list_name(list, i);
    named |= name != NULL;
    SET_STRING_ELT(names, i, Rf_mkCharCE(name ? name : "", CE_UTF8));
  }
  abi.list_free(list);
  if (named) Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

SEXP C_list_load(SEXP path) {
  mxr_list_t *list = NULL;
  check(abi.list_load(c_string(path, "filename"), &list));
  return list_of(list);
}

SEXP C_list_save(SEXP path, SEXP arrays) {
  int32_t n;
  mxr_array_t **all = arrays_of(arrays, &n, "ndarray");
  const int named = TYPEOF(Rf_getAttrib(arrays, R_NamesSymbol)) == STRSXP;
  check(abi.list_save(c_string(path, "filename"), named ? names_of(arrays, n, "ndarray") : NULL, all, n));
  return R_NilValue;
}

SEXP C_model_load(SEXP path, SEXP copy) {
  mxr_model_t *model = NULL;
  check(abi.model_load(c_string(path, "filename"), Rf_asLogical(copy) == 1 ? MXR_MODEL_COPY : 0, &model));
  return wrap(MODEL, model);
}

static mxr_model_t *model_of(SEXP object) { return unwrap(MODEL, object, "model"); }

SEXP C_model_symbol(SEXP model) {
  mxr_symbol_t *out = NULL;
  check(abi.model_symbol(model_of(model), &out));
  return wrap(SYMBOL, out);
}

SEXP C_model_arrays(SEXP model) {
  mxr_list_t *list = NULL;
  check(abi.model_arrays(model_of(model), &list));
  return list_of(list);
}

SEXP C_model_texts(SEXP model) {
  mxr_texts_t *texts = NULL;
  check(abi.model_texts(model_of(model), &texts));
  return strings_of(texts);
}

/* What a user gives: for each input its dimensions (NULL for any), its dtype and whether only training needs it. */
SEXP C_model_inputs(SEXP model) {
  static const char *const FIELDS[] = {"dim", "dtype", "label", ""};
  const int32_t n = abi.model_num_inputs(model_of(model));
  SEXP out = PROTECT(Rf_allocVector(VECSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
  for (int32_t i = 0; i < n; i++) {
    mxr_input_t input;
    memset(&input, 0, sizeof input);
    input.struct_size = sizeof input;
    check(abi.model_input(model_of(model), i, &input));
    SEXP one = PROTECT(Rf_mkNamed(VECSXP, (const char **)FIELDS));
    if (input.ndim >= 0) SET_VECTOR_ELT(one, 0, dims_of_shape(input.dims, input.ndim));
    SET_VECTOR_ELT(one, 1, Rf_mkString(dtype_name(input.dtype)));
    SET_VECTOR_ELT(one, 2, Rf_ScalarLogical(input.is_label));
    SET_VECTOR_ELT(out, i, one);
    SET_STRING_ELT(names, i, Rf_mkCharCE(input.name, CE_UTF8));
    UNPROTECT(1);
  }
  Rf_setAttrib(out, R_NamesSymbol, names);
  UNPROTECT(2);
  return out;
}

/* `inputs` is a named list as C_model_inputs gives it. */
SEXP C_model_save(SEXP path, SEXP symbol, SEXP params, SEXP inputs, SEXP texts) {
  int32_t n, num_texts;
  mxr_array_t **arrays = arrays_of(params, &n, "params");
  const char **names = names_of(params, n, "params");
  const int32_t num_inputs = (int32_t)Rf_xlength(inputs);
  const char **input_names = names_of(inputs, num_inputs, "inputs");
  mxr_input_t *all = (mxr_input_t *)R_alloc((size_t)num_inputs + 1, sizeof *all);
  const mxr_input_t **places = (const mxr_input_t **)R_alloc((size_t)num_inputs + 1, sizeof *places);
  for (int32_t i = 0; i < num_inputs; i++) {
    SEXP one = VECTOR_ELT(inputs, i);
    memset(&all[i], 0, sizeof all[i]);
    all[i].struct_size = sizeof all[i];
    all[i].ndim = -1;
    if (VECTOR_ELT(one, 0) != R_NilValue) all[i].dims = shape_of_dims(VECTOR_ELT(one, 0), &all[i].ndim, "inputs");
    all[i].dtype = dtype_code(c_string(VECTOR_ELT(one, 1), "inputs"), "inputs");
    all[i].is_label = Rf_asLogical(VECTOR_ELT(one, 2)) == 1;
    all[i].name = input_names[i];
    places[i] = &all[i];
  }
  const char **values = c_strings(texts, &num_texts), **keys = names_of(texts, num_texts, "texts");
  check(abi.model_save(c_string(path, "filename"), symbol_of(symbol, "symbol"), names, arrays, n, places, num_inputs,
                       keys, values, num_texts));
  return R_NilValue;
}

SEXP C_build_info(void) { return Rf_mkString(abi.build_info()); }
SEXP C_version(void) { return Rf_mkString(abi.version()); }
SEXP C_library(void) { return Rf_mkString(library_file()); }
SEXP C_pending(void) { return Rf_ScalarReal((double)abi.engine_pending()); }
SEXP C_num_threads(void) { return Rf_ScalarInteger(abi.num_threads()); }

SEXP C_shutdown(void) {
  check(abi.shutdown(MXR_FOREVER));
  return R_NilValue;
}

SEXP C_memory(void) {
  mxr_memory_t memory = {sizeof memory, 0, 0, 0};
  check(abi.memory_stats(&memory));
  SEXP out = PROTECT(Rf_allocVector(REALSXP, 3));
  REAL(out)[0] = (double)memory.in_use;
  REAL(out)[1] = (double)memory.kept;
  REAL(out)[2] = (double)memory.peak;
  UNPROTECT(1);
  return out;
}

SEXP C_memory_trim(void) {
  abi.memory_trim();
  return R_NilValue;
}
