/* What one call of a small operator costs through the C ABI: a + b on 4 elements, and where the time goes.
 *
 *   cargo build --release -p mxr-capi
 *   cc -O2 -Iinclude benches/call_cost.c -o target/call_cost -Ltarget/release -lmxr -Wl,-rpath,$PWD/target/release
 *   ln -sf libmxr.so target/release/libmxr.so.0 && target/call_cost
 *
 * `call_cost N plain` makes N calls a round and stops before the recorded ones, for a profile (docs/profile.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mxr.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void ok(mxr_error_t *error) {
  if (error != NULL) {
    fprintf(stderr, "%s\n", mxr_error_message(error));
    exit(1);
  }
}

static double add(const mxr_op_t *op, mxr_array_t **inputs, const mxr_call_t *call, int n) {
  double best = 1e30;
  for (int round = 0; round < 9; round++) {
    double start = now();
    for (int i = 0; i < n; i++) {
      mxr_array_t *out = NULL;
      int32_t outputs = 1;
      ok(mxr_op_invoke(op, inputs, 2, NULL, 0, &out, &outputs, NULL, call));
      mxr_array_free(out);
    }
    double each = (now() - start) / n;
    if (each < best) best = each;
  }
  return best;
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 300000;
  const int64_t shape[] = {4};
  const float values[] = {1, 2, 3, 4};
  mxr_array_t *inputs[2], *gradient;
  const mxr_op_t *op;
  ok(mxr_op_find("broadcast_add", &op));
  for (int i = 0; i < 2; i++)
    ok(mxr_array_from_data(shape, 1, MXR_FLOAT32, MXR_CPU, 0, values, sizeof values, &inputs[i]));
  ok(mxr_array_from_data(shape, 1, MXR_FLOAT32, MXR_CPU, 0, values, sizeof values, &gradient));
  double start = now();
  for (int i = 0; i < n; i++) {
    mxr_array_t *a;
    ok(mxr_array_empty(shape, 1, MXR_FLOAT32, MXR_CPU, 0, &a));
    mxr_array_free(a);
  }
  double empty = (now() - start) / n;
  double plain = add(op, inputs, NULL, n);
  if (argc > 2 && strcmp(argv[2], "plain") == 0) return 0;
  int32_t request = MXR_REQUEST_WRITE;
  ok(mxr_autograd_mark(inputs, &gradient, &request, 1));
  mxr_call_t call = {sizeof call, MXR_CALL_RECORDING, 0, 0};
  double recorded = add(op, inputs, &call, n);
  printf("{\"name\": \"a + b, 4 elements, C ABI\", \"ns\": %.0f, \"recorded_ns\": %.0f, \"empty_array_ns\": %.0f}\n", plain,
         recorded, empty);
  return 0;
}
