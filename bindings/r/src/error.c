/* Failures of the library as conditions: `mxr_error_shape`, `mxr_error`, `error`, with code, operator and argument. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mxr_r.h"

static const struct {
  int32_t code;
  const char *name;
} CODES[] = {{MXR_ERROR_INVALID_VALUE, "invalid_value"}, {MXR_ERROR_INVALID_TYPE, "invalid_type"},
             {MXR_ERROR_SHAPE, "shape"},                 {MXR_ERROR_DTYPE, "dtype"},
             {MXR_ERROR_INDEX, "index"},                 {MXR_ERROR_NOT_FOUND, "not_found"},
             {MXR_ERROR_CLOSED, "closed"},               {MXR_ERROR_OUT_OF_MEMORY, "out_of_memory"},
             {MXR_ERROR_UNSUPPORTED, "unsupported"},     {MXR_ERROR_IO, "io"},
             {MXR_ERROR_FORMAT, "format"},               {MXR_ERROR_TIMEOUT, "timeout"},
             {MXR_ERROR_AUTOGRAD, "autograd"},           {MXR_ERROR_VERSION, "version"},
             {MXR_ERROR_DEVICE, "device"},               {MXR_ERROR_INTERNAL, "internal"},
             {MXR_ERROR_CALLBACK, "callback"}};

/* Conditions of failed callbacks, by the id that the library hands back. */
static SEXP kept_conditions;
static uint64_t next_origin = 1;

static SEXP text_or_null(const char *text) {
  return text ? Rf_ScalarString(Rf_mkCharCE(text, CE_UTF8)) : R_NilValue;
}

static void raise(int32_t code, const char *operator_name, const char *argument, const char *message) {
  const char *name = "other";
  for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
    if (CODES[i].code == code) name = CODES[i].name;
  }
  static const char *const FIELDS[] = {"message", "call", "code", "operator", "argument", ""};
  char class[64];
  snprintf(class, sizeof class, "mxr_error_%s", name);
  SEXP condition = PROTECT(Rf_mkNamed(VECSXP, (const char **)FIELDS));
  SET_VECTOR_ELT(condition, 0, text_or_null(message));
  SET_VECTOR_ELT(condition, 2, Rf_mkString(name));
  SET_VECTOR_ELT(condition, 3, text_or_null(operator_name));
  SET_VECTOR_ELT(condition, 4, text_or_null(argument));
  SEXP classes = PROTECT(Rf_allocVector(STRSXP, 4));
  const char *const names[] = {class, "mxr_error", "error", "condition"};
  for (int i = 0; i < 4; i++) SET_STRING_ELT(classes, i, Rf_mkChar(names[i]));
  Rf_setAttrib(condition, R_ClassSymbol, classes);
  SEXP call = PROTECT(Rf_lang2(Rf_install("stop"), condition));
  Rf_eval(call, R_BaseEnv);
}

/* Raises the condition of a failed callback again, if it is kept. */
static void raise_origin(uint64_t origin) {
  for (SEXP cell = CDR(kept_conditions), before = kept_conditions; cell != R_NilValue; cell = CDR(cell)) {
    if ((uint64_t)REAL(TAG(cell))[0] == origin) {
      SEXP call = PROTECT(Rf_lang2(Rf_install("stop"), CAR(cell)));
      SETCDR(before, CDR(cell));
      Rf_eval(call, R_BaseEnv);
    }
    before = cell;
  }
}

void check(mxr_error_t *error) {
  if (!error) return;
  const uint64_t origin = abi.error_origin(error);
  const int32_t code = abi.error_code(error);
  const char *texts[] = {abi.error_operator(error), abi.error_argument(error), abi.error_message(error)};
  char *copies[3];
  for (int i = 0; i < 3; i++) {
    copies[i] = texts[i] ? strcpy(R_alloc(strlen(texts[i]) + 1, 1), texts[i]) : NULL;
  }
  abi.error_free(error);
  if (origin && kept_conditions) raise_origin(origin);
  raise(code, copies[0], copies[1], copies[2]);
}

void refuse(int32_t code, const char *operator_name, const char *argument, const char *format, ...) {
  char what[1024], message[1400];
  va_list rest;
  va_start(rest, format);
  vsnprintf(what, sizeof what, format, rest);
  va_end(rest);
  const int at = operator_name ? snprintf(message, sizeof message, "%s: ", operator_name) : 0;
  if (argument) snprintf(message + at, sizeof message - (size_t)at, "argument '%s': %s", argument, what);
  else snprintf(message + at, sizeof message - (size_t)at, "%s", what);
  raise(code, operator_name, argument, message);
  Rf_error("%s", message); /* `stop` does not return. */
}

mxr_error_t *call_guarded(SEXP function, SEXP arguments, SEXP *result) {
  /* guarded(function, arguments) gives a list of the value, or a condition. */
  SEXP space = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("mxr"))));
  SEXP guarded = PROTECT(Rf_findFun(Rf_install("guarded"), space));
  SEXP call = PROTECT(Rf_lang3(guarded, function, arguments));
  int failed = 0;
  SEXP found = PROTECT(R_tryEvalSilent(call, R_GlobalEnv, &failed));
  mxr_error_t *error = NULL;
  if (failed) {
    error = abi.error_new(MXR_ERROR_CALLBACK, "a function of R was left", 0);
  } else if (Rf_inherits(found, "condition")) {
    if (!kept_conditions) R_PreserveObject(kept_conditions = Rf_cons(R_NilValue, R_NilValue));
    SETCDR(kept_conditions, Rf_cons(found, CDR(kept_conditions)));
    SET_TAG(CDR(kept_conditions), Rf_ScalarReal((double)next_origin));
    SEXP message = VECTOR_ELT(found, 0);
    const char *text = TYPEOF(message) == STRSXP && LENGTH(message) > 0 ? CHAR(STRING_ELT(message, 0)) : "";
    error = abi.error_new(MXR_ERROR_CALLBACK, text, next_origin++);
  } else {
    *result = VECTOR_ELT(found, 0);
  }
  UNPROTECT(5);
  return error;
}
