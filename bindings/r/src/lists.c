/* Lists and texts of R and of the library. */
#include <string.h>

#include "mxr_r.h"

SEXP strings_of(mxr_texts_t *texts) {
  const int64_t n = abi.texts_len(texts);
  SEXP out = PROTECT(Rf_allocVector(STRSXP, n));
  for (int64_t i = 0; i < n; i++) SET_STRING_ELT(out, i, Rf_mkCharCE(abi.texts_get(texts, i), CE_UTF8));
  abi.texts_free(texts);
  UNPROTECT(1);
  return out;
}

SEXP string_of(char *text) {
  if (!text) return R_NilValue;
  SEXP out = PROTECT(Rf_ScalarString(Rf_mkCharCE(text, CE_UTF8)));
  abi.string_free(text);
  UNPROTECT(1);
  return out;
}

const char *c_string(SEXP text, const char *argument) {
  if (TYPEOF(text) != STRSXP || LENGTH(text) != 1 || STRING_ELT(text, 0) == NA_STRING) {
    refuse(MXR_ERROR_INVALID_TYPE, NULL, argument, "expected one text");
  }
  return Rf_translateCharUTF8(STRING_ELT(text, 0));
}

const char **c_strings(SEXP texts, int32_t *n) {
  *n = TYPEOF(texts) == STRSXP ? (int32_t)XLENGTH(texts) : 0;
  const char **out = (const char **)R_alloc((size_t)*n + 1, sizeof *out);
  for (int32_t i = 0; i < *n; i++) out[i] = Rf_translateCharUTF8(STRING_ELT(texts, i));
  return out;
}

const char **names_of(SEXP list, int32_t n, const char *argument) {
  SEXP names = PROTECT(Rf_getAttrib(list, R_NamesSymbol));
  if (n > 0 && TYPEOF(names) != STRSXP) refuse(MXR_ERROR_INVALID_VALUE, NULL, argument, "expected names");
  int32_t m;
  const char **out = c_strings(names, &m);
  UNPROTECT(1);
  return out;
}

/* The arrays of a list, in which NULL is NULL, or of a single array. */
mxr_array_t **arrays_of(SEXP list, int32_t *n, const char *argument) {
  const int one = is_a(ARRAY, list);
  if (!one && TYPEOF(list) != VECSXP && list != R_NilValue) array_of(list, argument);
  *n = one ? 1 : (int32_t)Rf_xlength(list);
  mxr_array_t **out = (mxr_array_t **)R_alloc((size_t)*n + 1, sizeof *out);
  for (int32_t i = 0; i < *n; i++) {
    SEXP element = one ? list : VECTOR_ELT(list, i);
    out[i] = element == R_NilValue ? NULL : array_of(element, argument);
  }
  return out;
}

SEXP raw_of(uint8_t *bytes, uint64_t len) {
  SEXP out = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)len));
  if (len > 0) memcpy(RAW(out), bytes, len);
  abi.bytes_free(bytes, len);
  UNPROTECT(1);
  return out;
}
