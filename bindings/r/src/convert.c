/* Values of R and elements of arrays. R keeps the first dimension together in memory, the library the last axis: the
 * same elements have the dimensions of R in reverse. */
#include <math.h>
#include <string.h>

#include "mxr_r.h"

static const struct {
  const char *name;
  int32_t code;
  int size;
} DTYPES[] = {{"float32", MXR_FLOAT32, 4}, {"float64", MXR_FLOAT64, 8}, {"float16", MXR_FLOAT16, 2},
              {"bfloat16", MXR_BFLOAT16, 2}, {"int64", MXR_INT64, 8}, {"int32", MXR_INT32, 4},
              {"int8", MXR_INT8, 1}, {"uint8", MXR_UINT8, 1}, {"bool", MXR_BOOL, 1}};
static const int NUM_DTYPES = sizeof DTYPES / sizeof DTYPES[0];

int32_t dtype_code(const char *name, const char *argument) {
  for (int i = 0; i < NUM_DTYPES; i++) {
    if (strcmp(DTYPES[i].name, name) == 0) return DTYPES[i].code;
  }
  refuse(MXR_ERROR_DTYPE, NULL, argument, "expected a dtype such as \"float32\", got \"%s\"", name);
}

const char *dtype_name(int32_t code) {
  for (int i = 0; i < NUM_DTYPES; i++) {
    if (DTYPES[i].code == code) return DTYPES[i].name;
  }
  return "unknown";
}

int64_t *shape_of_dims(SEXP dims, int32_t *ndim, const char *argument) {
  if (TYPEOF(dims) != INTSXP && TYPEOF(dims) != REALSXP) {
    refuse(MXR_ERROR_INVALID_TYPE, NULL, argument, "expected dimensions as numbers");
  }
  *ndim = (int32_t)XLENGTH(dims);
  int64_t *shape = (int64_t *)R_alloc((size_t)*ndim + 1, sizeof *shape);
  for (int32_t i = 0; i < *ndim; i++) {
    const double size = TYPEOF(dims) == REALSXP ? REAL(dims)[i] : INTEGER(dims)[i];
    if (!(size == floor(size)) || size < -1 || size > 9e15) {
      refuse(MXR_ERROR_INVALID_VALUE, NULL, argument, "expected whole numbers from 0, got %g", size);
    }
    shape[*ndim - 1 - i] = (int64_t)size;
  }
  return shape;
}

SEXP dims_of_shape(const int64_t *shape, int32_t ndim) {
  int large = 0;
  for (int32_t i = 0; i < ndim; i++) large |= shape[i] > INT32_MAX;
  SEXP dims = Rf_allocVector(large ? REALSXP : INTSXP, ndim);
  for (int32_t i = 0; i < ndim; i++) {
    if (large) REAL(dims)[i] = (double)shape[ndim - 1 - i];
    else INTEGER(dims)[i] = (int)shape[ndim - 1 - i];
  }
  return dims;
}

int64_t *array_shape(mxr_array_t *array, int32_t *ndim) {
  int64_t few[8];
  check(abi.array_shape(array, few, 8, ndim));
  int64_t *shape = (int64_t *)R_alloc((size_t)*ndim + 1, sizeof *shape);
  if (*ndim > 8) check(abi.array_shape(array, shape, *ndim, ndim));
  else memcpy(shape, few, (size_t)*ndim * sizeof *shape);
  return shape;
}

SEXP C_dim(SEXP array) {
  int32_t ndim;
  const int64_t *shape = array_shape(array_of(array, "x"), &ndim);
  return dims_of_shape(shape, ndim);
}

SEXP C_dtype(SEXP array) { return Rf_mkString(dtype_name(abi.array_dtype(array_of(array, "x")))); }

SEXP C_device(SEXP array) {
  SEXP out = PROTECT(Rf_allocVector(INTSXP, 2));
  check(abi.array_device(array_of(array, "x"), &INTEGER(out)[0], &INTEGER(out)[1]));
  UNPROTECT(1);
  return out;
}

SEXP C_empty(SEXP dims, SEXP dtype, SEXP context) {
  int32_t ndim, kind, id;
  const int64_t *shape = shape_of_dims(dims, &ndim, "shape");
  device_of(context, &kind, &id);
  mxr_array_t *array = NULL;
  check(abi.array_empty(shape, ndim, dtype_code(c_string(dtype, "dtype"), "dtype"), kind, id, &array));
  return wrap_array(array);
}

/* A vector of R as an array over its own memory, for as long as the caller holds both. */
static mxr_array_t *over(SEXP values, const int64_t *shape, int32_t ndim) {
  static double nothing;
  const int real = TYPEOF(values) == REALSXP;
  void *data = XLENGTH(values) == 0 ? (void *)&nothing : real ? (void *)REAL(values) : (void *)INTEGER(values);
  mxr_array_t *array = NULL;
  check(abi.array_from_foreign(data, shape, ndim, real ? MXR_FLOAT64 : MXR_INT32, NULL, NULL, &array));
  return array;
}

/* Casts between the memory of R and an array, outside of what is recorded, and waits: R may then do as it likes. */
static mxr_array_t *cast_now(mxr_array_t *from, int32_t dtype, mxr_array_t *out, mxr_array_t *foreign) {
  const uint32_t flags = circumstances.flags;
  circumstances.flags = 0;
  mxr_array_t *done = cast(from, dtype, out);
  circumstances.flags = flags;
  /* An interrupt would leave the memory of R to the library: this wait has none. */
  mxr_error_t *error = abi.array_wait_to_read(done, MXR_FOREVER);
  if (!error) error = abi.array_wait_to_write(foreign, MXR_FOREVER);
  abi.array_free(foreign);
  check(error);
  return done;
}

static R_xlen_t count(const int64_t *shape, int32_t ndim) {
  R_xlen_t n = 1;
  for (int32_t i = 0; i < ndim; i++) n *= (R_xlen_t)shape[i];
  return n;
}

/* The numbers of R in a type that the library has: whole ones only if nothing is lost. */
static SEXP numbers_of(SEXP values, int32_t dtype) {
  switch (TYPEOF(values)) {
  case REALSXP: return values;
  case INTSXP: return dtype == MXR_INT32 ? values : Rf_coerceVector(values, REALSXP);
  case LGLSXP:
  case RAWSXP: return Rf_coerceVector(values, REALSXP);
  default:
    refuse(MXR_ERROR_INVALID_TYPE, NULL, "src.array", "expected numbers or truth values, got %s",
           Rf_type2char(TYPEOF(values)));
  }
}

/* An array of the library with the elements of a vector of R. `dims` are R's. */
SEXP C_array(SEXP values, SEXP dims, SEXP dtype, SEXP context) {
  int32_t ndim, kind, id;
  const int64_t *shape = shape_of_dims(dims, &ndim, "dim");
  const int32_t code = dtype_code(c_string(dtype, "dtype"), "dtype");
  device_of(context, &kind, &id);
  if (count(shape, ndim) != XLENGTH(values)) {
    refuse(MXR_ERROR_SHAPE, NULL, "dim", "expected dimensions of %lld elements, got %lld", (long long)XLENGTH(values),
           (long long)count(shape, ndim));
  }
  values = PROTECT(numbers_of(values, code));
  mxr_array_t *array = NULL;
  const int real = TYPEOF(values) == REALSXP;
  if (code == (real ? MXR_FLOAT64 : MXR_INT32)) {
    const void *data = real ? (const void *)REAL(values) : (const void *)INTEGER(values);
    const uint64_t bytes = (uint64_t)XLENGTH(values) * (real ? 8 : 4);
    check(abi.array_from_data(shape, ndim, code, kind, id, data, bytes, &array));
  } else {
    mxr_array_t *foreign = over(values, shape, ndim);
    check(abi.array_empty(shape, ndim, code, kind, id, &array));
    array = cast_now(foreign, code, array, foreign);
  }
  UNPROTECT(1);
  return wrap_array(array);
}

/* Whether elements fit R's integers. */
static int is_small_integer(int32_t dtype) {
  return dtype == MXR_INT32 || dtype == MXR_INT8 || dtype == MXR_UINT8 || dtype == MXR_BOOL;
}

/* The elements as a vector of R with dimensions. */
SEXP C_as_array(SEXP object) {
  mxr_array_t *array = array_of(object, "x");
  wait_to_read(array);
  int32_t ndim;
  const int64_t *shape = array_shape(array, &ndim);
  const int32_t dtype = abi.array_dtype(array), home = is_small_integer(dtype) ? MXR_INT32 : MXR_FLOAT64;
  const R_xlen_t n = count(shape, ndim);
  SEXP out = PROTECT(Rf_allocVector(home == MXR_INT32 ? INTSXP : REALSXP, n));
  if (dtype == home) {
    void *data = home == MXR_INT32 ? (void *)INTEGER(out) : (void *)REAL(out);
    check(abi.array_copy_to(array, data, (uint64_t)n * (home == MXR_INT32 ? 4 : 8)));
  } else {
    mxr_array_t *foreign = over(out, shape, ndim);
    cast_now(array, home, foreign, foreign);
  }
  if (dtype == MXR_BOOL) {
    SEXP truth = PROTECT(Rf_coerceVector(out, LGLSXP));
    UNPROTECT(2);
    out = PROTECT(truth);
  }
  if (ndim > 0) Rf_setAttrib(out, R_DimSymbol, PROTECT(dims_of_shape(shape, ndim)));
  UNPROTECT(ndim > 0 ? 2 : 1);
  return out;
}

/* Sets all elements of an array from another, of the same dimensions and any dtype. */
SEXP C_assign(SEXP object, SEXP from) {
  mxr_array_t *to = array_of(object, "x"), *source = array_of(from, "value");
  if (abi.array_dtype(to) == abi.array_dtype(source)) check(abi.array_copy(source, to));
  else cast(source, abi.array_dtype(to), to);
  return object;
}

SEXP C_detach(SEXP object) {
  mxr_array_t *out = NULL;
  check(abi.array_detach(array_of(object, "x"), &out));
  return wrap_array(out);
}

SEXP C_reshape(SEXP object, SEXP dims) {
  int32_t ndim;
  const int64_t *shape = shape_of_dims(dims, &ndim, "dim");
  const mxr_call_t call = current_call();
  mxr_array_t *out = NULL;
  check(abi.array_reshape(array_of(object, "x"), shape, ndim, &call, &out));
  return wrap_array(out);
}

SEXP C_copy_to(SEXP object, SEXP context) {
  mxr_array_t *array = array_of(object, "src"), *out = NULL;
  int32_t ndim, kind, id;
  const int64_t *shape = array_shape(array, &ndim);
  device_of(context, &kind, &id);
  check(abi.array_empty(shape, ndim, abi.array_dtype(array), kind, id, &out));
  SEXP copy = PROTECT(wrap_array(out));
  check(abi.array_copy(array, out));
  UNPROTECT(1);
  return copy;
}
