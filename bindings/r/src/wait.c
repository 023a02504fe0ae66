/* Waits in slices, so that an interrupt ends them. */
#include "mxr_r.h"

static const int64_t SLICE = 100; /* milliseconds */

/* Whether a wait is over; raises its failure, and an interrupt. */
static int over(mxr_error_t *error) {
  if (!error) return 1;
  if (abi.error_code(error) != MXR_ERROR_TIMEOUT) check(error);
  abi.error_free(error);
  abi.events_poll();
  R_CheckUserInterrupt();
  return 0;
}

void wait_to_read(mxr_array_t *array) {
  while (!over(abi.array_wait_to_read(array, SLICE))) {}
}

void wait_to_write(mxr_array_t *array) {
  while (!over(abi.array_wait_to_write(array, SLICE))) {}
}

SEXP C_wait_to_read(SEXP array) {
  wait_to_read(array_of(array, "x"));
  return R_NilValue;
}

SEXP C_wait_all(void) {
  while (!over(abi.wait_all(SLICE))) {}
  return R_NilValue;
}
