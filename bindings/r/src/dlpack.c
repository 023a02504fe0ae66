/* Exchange of memory by DLPack: an external pointer whose tag is `dltensor`, as other packages take it. */
#include "mxr_r.h"

static SEXP tag(void) { return Rf_install("dltensor"); }

static void drop_tensor(SEXP object) {
  DLManagedTensor *tensor = R_ExternalPtrAddr(object);
  if (!tensor) return;
  R_ClearExternalPtr(object);
  if (tensor->deleter) tensor->deleter(tensor);
}

SEXP C_to_dlpack(SEXP array) {
  mxr_array_t *from = array_of(array, "x");
  wait_to_read(from);
  DLManagedTensor *tensor = NULL;
  check(abi.array_to_dlpack(from, &tensor));
  SEXP object = PROTECT(R_MakeExternalPtr(tensor, tag(), R_NilValue));
  R_RegisterCFinalizerEx(object, drop_tensor, FALSE);
  UNPROTECT(1);
  return object;
}

/* The tensor belongs to the array from now on: the pointer becomes empty. */
SEXP C_from_dlpack(SEXP object) {
  if (TYPEOF(object) != EXTPTRSXP || R_ExternalPtrTag(object) != tag()) {
    refuse(MXR_ERROR_INVALID_TYPE, NULL, "tensor", "expected a pointer to a tensor of DLPack");
  }
  DLManagedTensor *tensor = R_ExternalPtrAddr(object);
  if (!tensor) refuse(MXR_ERROR_CLOSED, NULL, "tensor", "this tensor was taken already");
  mxr_array_t *array = NULL;
  check(abi.array_from_dlpack(tensor, &array));
  R_ClearExternalPtr(object);
  return wrap_array(array);
}
