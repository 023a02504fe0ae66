/* The circumstances of calls: recording, training, the device; and automatic differentiation. */
#include <string.h>

#include "mxr_r.h"

circumstances_t circumstances = {0, MXR_CPU, 0};

mxr_call_t current_call(void) {
  mxr_call_t call = {sizeof call, circumstances.flags, circumstances.device_kind, circumstances.device_id};
  return call;
}

void device_of(SEXP context, int32_t *kind, int32_t *id) {
  *kind = circumstances.device_kind;
  *id = circumstances.device_id;
  if (context == R_NilValue) return;
  if (!Rf_inherits(context, "MXContext") || LENGTH(context) < 3) {
    refuse(MXR_ERROR_INVALID_TYPE, NULL, "ctx", "expected an MXContext, such as mx.cpu()");
  }
  *id = Rf_asInteger(VECTOR_ELT(context, 1));
  *kind = Rf_asInteger(VECTOR_ELT(context, 2));
}

SEXP C_set_device(SEXP context) {
  device_of(context, &circumstances.device_kind, &circumstances.device_id);
  return R_NilValue;
}

/* Sets recording and training, each unless it is NA, and gives what they were. */
SEXP C_set_mode(SEXP recording, SEXP training) {
  SEXP before = PROTECT(Rf_allocVector(LGLSXP, 2));
  const uint32_t bits[] = {MXR_CALL_RECORDING, MXR_CALL_TRAINING};
  const int wanted[] = {Rf_asLogical(recording), Rf_asLogical(training)};
  for (int i = 0; i < 2; i++) {
    LOGICAL(before)[i] = (circumstances.flags & bits[i]) != 0;
    if (wanted[i] == NA_LOGICAL) continue;
    if (wanted[i]) circumstances.flags |= bits[i];
    else circumstances.flags &= ~bits[i];
  }
  UNPROTECT(1);
  return before;
}

static int32_t request_code(SEXP requests, R_xlen_t i) {
  if (TYPEOF(requests) != STRSXP || XLENGTH(requests) == 0) {
    refuse(MXR_ERROR_INVALID_TYPE, NULL, "grad.req", "expected \"null\", \"write\" or \"add\"");
  }
  const char *text = CHAR(STRING_ELT(requests, i % XLENGTH(requests)));
  if (strcmp(text, "null") == 0) return MXR_REQUEST_NULL;
  if (strcmp(text, "write") == 0) return MXR_REQUEST_WRITE;
  if (strcmp(text, "add") == 0) return MXR_REQUEST_ADD;
  refuse(MXR_ERROR_INVALID_VALUE, NULL, "grad.req", "expected \"null\", \"write\" or \"add\", got \"%s\"", text);
}

SEXP C_mark(SEXP variables, SEXP gradients, SEXP requests) {
  int32_t n, m;
  mxr_array_t **arrays = arrays_of(variables, &n, "variables"), **grads = arrays_of(gradients, &m, "gradients");
  if (n != m) refuse(MXR_ERROR_INVALID_VALUE, NULL, "gradients", "expected %d arrays, got %d", n, m);
  int32_t *codes = (int32_t *)R_alloc((size_t)n + 1, sizeof *codes);
  for (int32_t i = 0; i < n; i++) codes[i] = request_code(requests, i);
  check(abi.autograd_mark(arrays, grads, codes, n));
  return R_NilValue;
}

SEXP C_grad_of(SEXP array) {
  mxr_array_t *grad = NULL;
  check(abi.array_grad(array_of(array, "x"), &grad));
  return grad ? wrap_array(grad) : R_NilValue;
}

static uint32_t backward_flags(SEXP retain, SEXP create, SEXP training) {
  return (Rf_asLogical(retain) == 1 ? MXR_BACKWARD_RETAIN_GRAPH : 0u) |
         (Rf_asLogical(create) == 1 ? MXR_BACKWARD_CREATE_GRAPH : 0u) |
         (Rf_asLogical(training) == 1 ? MXR_BACKWARD_TRAINING : 0u);
}

/* Head gradients, of which each may be NULL; all NULL if there are none. */
static mxr_array_t **heads_of(SEXP list, int32_t n) {
  if (list == R_NilValue) return NULL;
  int32_t m;
  mxr_array_t **heads = arrays_of(list, &m, "head.grads");
  if (n != m) refuse(MXR_ERROR_INVALID_VALUE, NULL, "head.grads", "expected %d arrays, got %d", n, m);
  return heads;
}

SEXP C_backward(SEXP heads, SEXP head_grads, SEXP retain, SEXP training) {
  int32_t n;
  mxr_array_t **arrays = arrays_of(heads, &n, "heads");
  const uint32_t flags = backward_flags(retain, R_NilValue, training);
  check(abi.autograd_backward(arrays, heads_of(head_grads, n), n, flags));
  return R_NilValue;
}

SEXP C_grad(SEXP heads, SEXP variables, SEXP head_grads, SEXP retain, SEXP create, SEXP training) {
  int32_t n, m;
  mxr_array_t **arrays = arrays_of(heads, &n, "heads"), **wanted = arrays_of(variables, &m, "variables");
  mxr_array_t **found = (mxr_array_t **)R_alloc((size_t)m + 1, sizeof *found);
  const uint32_t flags = backward_flags(retain, create, training);
  check(abi.autograd_grad(arrays, heads_of(head_grads, n), n, wanted, m, flags, found));
  SEXP out = PROTECT(Rf_allocVector(VECSXP, m));
  for (int32_t i = 0; i < m; i++) SET_VECTOR_ELT(out, i, wrap_array(found[i]));
  UNPROTECT(1);
  return out;
}

SEXP C_autograd_symbol(SEXP heads) {
  int32_t n;
  mxr_array_t **arrays = arrays_of(heads, &n, "heads");
  mxr_symbol_t *out = NULL;
  check(abi.autograd_symbol(arrays, n, &out));
  return wrap(SYMBOL, out);
}

/* The gradient of a user's function: calls it with the list of output gradients, and takes a list of input
 * gradients. */
static mxr_error_t *run_backward(void *payload, mxr_array_t *const *output_grads, int32_t num_outputs,
                                 mxr_array_t **input_grads, int32_t num_inputs) {
  SEXP grads = PROTECT(Rf_allocVector(VECSXP, num_outputs)), found = R_NilValue;
  for (int32_t i = 0; i < num_outputs; i++) {
    SET_VECTOR_ELT(grads, i, wrap_array(abi.array_retain(output_grads[i])));
  }
  mxr_error_t *error = call_guarded(CAR((SEXP)payload), grads, &found);
  PROTECT(found);
  if (!error && (TYPEOF(found) != VECSXP || LENGTH(found) != num_inputs)) {
    error = abi.error_new(MXR_ERROR_CALLBACK, "backward must give a list with a gradient for each input", 0);
  }
  for (int32_t i = 0; !error && i < num_inputs; i++) {
    SEXP grad = VECTOR_ELT(found, i);
    if (is_a(ARRAY, grad) && R_ExternalPtrAddr(grad)) {
      input_grads[i] = abi.array_retain(R_ExternalPtrAddr(grad));
    } else {
      for (int32_t j = 0; j < i; j++) abi.array_free(input_grads[j]);
      error = abi.error_new(MXR_ERROR_CALLBACK, "backward must give arrays", 0);
    }
  }
  UNPROTECT(2);
  return error;
}

SEXP C_record_custom(SEXP name, SEXP inputs, SEXP outputs, SEXP backward) {
  int32_t n, m;
  mxr_array_t **from = arrays_of(inputs, &n, "inputs"), **to = arrays_of(outputs, &m, "outputs");
  SEXP payload = keep_alive(backward);
  mxr_error_t *error =
      abi.autograd_record_custom(c_string(name, "name"), from, n, to, m, run_backward, payload, let_go);
  if (error) let_go(payload);
  check(error);
  return R_NilValue;
}

SEXP C_seed(SEXP seed, SEXP context) {
  int32_t kind = 0, id = 0;
  if (context != R_NilValue) device_of(context, &kind, &id);
  check(abi.random_seed((uint64_t)Rf_asReal(seed), kind, id));
  return R_NilValue;
}
