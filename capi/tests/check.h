/* Tests of libmxr: each is a function, counted once, that fails with the first thing that does not hold. */
#ifndef MXR_TESTS_CHECK_H
#define MXR_TESTS_CHECK_H

#include "mxr.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_passed, check_failed;

/* Leaves the test, which failed, unless `holds`. */
#define CHECK(holds)                                                                        \
    do {                                                                                    \
        if (!(holds)) {                                                                     \
            printf("    %s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);           \
            return 0;                                                                       \
        }                                                                                   \
    } while (0)

/* Leaves the test, which failed, unless `call` succeeds. */
#define OK(call)                                                                            \
    do {                                                                                    \
        mxr_error_t *check_error = (call);                                                  \
        if (check_error) {                                                                  \
            printf("    %s:%d: %s: error %d: %s\n", __FILE__, __LINE__, #call,              \
                   (int)mxr_error_code(check_error), mxr_error_message(check_error));       \
            mxr_error_free(check_error);                                                    \
            return 0;                                                                       \
        }                                                                                   \
    } while (0)

/* Leaves the test, which failed, unless `call` gives exactly this error. NULL operator or argument: none. */
#define FAILS(call, code, operator, argument, text)                                         \
    do {                                                                                    \
        if (!check_error_is((call), (code), (operator), (argument), (text))) {              \
            printf("    %s:%d: %s\n", __FILE__, __LINE__, #call);                           \
            return 0;                                                                       \
        }                                                                                   \
    } while (0)

/* Runs a test: a function that returns 1 if all that it checks holds. */
#define RUN(test)                                                                           \
    do {                                                                                    \
        int check_ok = test();                                                              \
        check_passed += check_ok;                                                           \
        check_failed += !check_ok;                                                          \
        if (!check_ok) printf("%s FAILED\n", #test);                                        \
        fflush(stdout);                                                                     \
    } while (0)

/* Reports; what `main` returns. */
static inline int check_summary(void) {
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed > 0;
}

static inline int check_same_text(const char *got, const char *expected) {
    return got && expected ? strcmp(got, expected) == 0 : got == expected;
}

/* Whether an error is the expected one; frees it. */
static inline int check_error_is(mxr_error_t *error, int32_t code, const char *operator_name,
                                 const char *argument, const char *text) {
    if (!error) {
        printf("    expected error %d, got success\n", (int)code);
        return 0;
    }
    int same = mxr_error_code(error) == code &&
               check_same_text(mxr_error_operator(error), operator_name) &&
               check_same_text(mxr_error_argument(error), argument) &&
               strstr(mxr_error_message(error), text) != NULL;
    if (!same) {
        const char *op = mxr_error_operator(error), *about = mxr_error_argument(error);
        printf("    got error %d of operator '%s' about '%s': %s\n", (int)mxr_error_code(error),
               op ? op : "", about ? about : "", mxr_error_message(error));
    }
    mxr_error_free(error);
    return same;
}

/* An array of float32 on the CPU from `data`; NULL and a message if that fails. */
static inline mxr_array_t *array_f32(const int64_t *dims, int32_t ndim, const float *data) {
    uint64_t bytes = sizeof(float);
    for (int32_t i = 0; i < ndim; i++) bytes *= (uint64_t)dims[i];
    mxr_array_t *array = NULL;
    mxr_error_t *error = mxr_array_from_data(dims, ndim, MXR_FLOAT32, MXR_CPU, 0, data, bytes, &array);
    if (error) {
        printf("    array_f32: %s\n", mxr_error_message(error));
        mxr_error_free(error);
    }
    return array;
}

/* A float32 array of one axis. */
static inline mxr_array_t *vector_f32(int64_t n, const float *data) { return array_f32(&n, 1, data); }

/* Whether an array holds exactly these `n` float32. */
static inline int holds_f32(mxr_array_t *array, const float *expected, int64_t n) {
    float *got = (float *)calloc((size_t)n + 1, sizeof(float));
    if (!got) return 0;
    mxr_error_t *error = mxr_array_copy_to(array, got, (uint64_t)n * sizeof(float));
    int same = !error;
    if (error) printf("    holds_f32: %s\n", mxr_error_message(error));
    for (int64_t i = 0; same && i < n; i++) {
        same = got[i] == expected[i];
        if (!same) printf("    element %d: expected %g, got %g\n", (int)i, expected[i], got[i]);
    }
    mxr_error_free(error);
    free(got);
    return same;
}

/* Calls an operator without attributes that has one output; `*out` NULL asks for a new array. */
static inline mxr_error_t *call_op(const char *name, mxr_array_t *const *inputs, int32_t num_inputs,
                                   uint32_t flags, mxr_array_t **out) {
    const mxr_op_t *op = NULL;
    mxr_error_t *error = mxr_op_find(name, &op);
    if (error) return error;
    mxr_call_t call;
    memset(&call, 0, sizeof call);
    call.struct_size = (uint32_t)sizeof call;
    call.flags = flags;
    int32_t num_outputs = 1;
    return mxr_op_invoke(op, inputs, num_inputs, NULL, 0, out, &num_outputs, NULL, &call);
}

static inline mxr_error_t *call_unary(const char *name, mxr_array_t *x, uint32_t flags, mxr_array_t **out) {
    return call_op(name, &x, 1, flags, out);
}

static inline mxr_error_t *call_binary(const char *name, mxr_array_t *a, mxr_array_t *b, uint32_t flags,
                                       mxr_array_t **out) {
    mxr_array_t *inputs[2];
    inputs[0] = a;
    inputs[1] = b;
    return call_op(name, inputs, 2, flags, out);
}

#endif
