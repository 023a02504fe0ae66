/* Bad input of every class: the error says code, operator, argument and why, and the process goes on. */
#include "check.h"

static const float DATA[6] = {1, 2, 3, 4, 5, 6};
static const int64_t MATRIX[2] = {2, 3};

/* `_plus_scalar` with one attribute. */
static mxr_error_t *plus(mxr_array_t *x, mxr_attr_t attr, mxr_array_t **out) {
    const mxr_op_t *op = NULL;
    int32_t num_outputs = 1;
    mxr_error_t *error = mxr_op_find("_plus_scalar", &op);
    return error ? error : mxr_op_invoke(op, &x, 1, &attr, 1, out, &num_outputs, NULL, NULL);
}

static mxr_attr_t number(double value) {
    return (mxr_attr_t){.id = 1, .tag = MXR_ATTR_FLOAT, .number = value};
}

static int an_unknown_operator_is_named_with_the_nearest(void) {
    const mxr_op_t *op = NULL;
    FAILS(mxr_op_find("elemwise_ad", &op), MXR_ERROR_NOT_FOUND, NULL, NULL, "did you mean 'elemwise_add'");
    FAILS(mxr_op_find("", &op), MXR_ERROR_NOT_FOUND, NULL, NULL, "no operator ''");
    CHECK(op == NULL);
    return 1;
}

static int null_where_something_is_needed(void) {
    const mxr_op_t *op = NULL;
    mxr_array_t *out = NULL, *none = NULL;
    int32_t n = 1;
    FAILS(mxr_op_find(NULL, &op), MXR_ERROR_INVALID_VALUE, NULL, "name", "got NULL");
    FAILS(mxr_op_invoke(NULL, NULL, 0, NULL, 0, &out, &n, NULL, NULL), MXR_ERROR_INVALID_VALUE, NULL, "op",
          "got NULL");
    FAILS(call_unary("exp", NULL, 0, &out), MXR_ERROR_INVALID_VALUE, "exp", "inputs", "got NULL");
    FAILS(call_op("exp", NULL, 1, 0, &out), MXR_ERROR_INVALID_VALUE, "exp", "inputs", "got NULL");
    FAILS(mxr_array_wait_to_read(NULL, 0), MXR_ERROR_INVALID_VALUE, NULL, "array", "got NULL");
    FAILS(mxr_array_from_data(MATRIX, 2, MXR_FLOAT32, MXR_CPU, 0, NULL, 24, &out), MXR_ERROR_INVALID_VALUE,
          NULL, "data", "got NULL");
    FAILS(mxr_array_empty(NULL, 2, MXR_FLOAT32, MXR_CPU, 0, &out), MXR_ERROR_INVALID_VALUE, NULL, "dims",
          "got NULL");
    FAILS(mxr_array_from_foreign(NULL, MATRIX, 2, MXR_FLOAT32, NULL, NULL, &out), MXR_ERROR_INVALID_VALUE,
          NULL, "data", "got NULL");
    FAILS(mxr_array_from_dlpack(NULL, &out), MXR_ERROR_INVALID_VALUE, NULL, "tensor", "got NULL");
    FAILS(mxr_autograd_backward(&none, NULL, 1, 0), MXR_ERROR_INVALID_VALUE, NULL, "heads", "got NULL");
    CHECK(out == NULL && mxr_array_dtype(NULL) == -1 && mxr_array_ndim(NULL) == -1 && mxr_list_len(NULL) == -1);
    return 1;
}

static int shapes_that_do_not_fit(void) {
    const int64_t other[2] = {2, 4};
    const float eight[8] = {0};
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *b = array_f32(other, 2, eight), *out = NULL;
    FAILS(call_binary("elemwise_add", a, b, 0, &out), MXR_ERROR_SHAPE, "elemwise_add", "rhs", "(2, 4)");
    FAILS(call_binary("broadcast_mul", a, b, 0, &out), MXR_ERROR_SHAPE, "broadcast_mul", "rhs", "(2, 3)");
    CHECK(out == NULL);
    out = b;
    FAILS(call_unary("exp", a, 0, &out), MXR_ERROR_SHAPE, "exp", "out", "expected shape (2, 3), got (2, 4)");
    out = NULL;
    FAILS(mxr_array_reshape(a, other, 2, NULL, &out), MXR_ERROR_SHAPE, NULL, "shape", "6 elements");
    FAILS(mxr_array_copy(a, b), MXR_ERROR_SHAPE, NULL, NULL, "(2, 4)");
    mxr_array_free(a);
    mxr_array_free(b);
    return 1;
}

static int dtypes_that_do_not_fit(void) {
    const int32_t ints[6] = {0};
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *b = NULL, *out = NULL;
    OK(mxr_array_from_data(MATRIX, 2, MXR_INT32, MXR_CPU, 0, ints, sizeof ints, &b));
    FAILS(call_binary("elemwise_add", a, b, 0, &out), MXR_ERROR_DTYPE, "elemwise_add", "rhs", "int32");
    FAILS(call_unary("hard_sigmoid", b, 0, &out), MXR_ERROR_DTYPE, "hard_sigmoid", "data", "int32");
    CHECK(out == NULL);
    out = b;
    FAILS(call_unary("exp", a, 0, &out), MXR_ERROR_DTYPE, "exp", "out", "expected dtype float32, got int32");
    out = NULL;
    FAILS(mxr_array_copy(a, b), MXR_ERROR_DTYPE, NULL, NULL, "float32");
    FAILS(mxr_array_empty(MATRIX, 2, 99, MXR_CPU, 0, &out), MXR_ERROR_DTYPE, NULL, NULL, "code 99");
    mxr_array_free(a);
    mxr_array_free(b);
    return 1;
}

static int a_wrong_number_of_inputs_and_outputs(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *out = NULL;
    mxr_array_t *two[2] = {a, a};
    const mxr_op_t *op = NULL;
    int32_t none = 0;
    FAILS(call_unary("elemwise_add", a, 0, &out), MXR_ERROR_INVALID_VALUE, "elemwise_add", "rhs", "missing");
    FAILS(call_op("exp", two, 2, 0, &out), MXR_ERROR_INVALID_VALUE, "exp", NULL, "got 2");
    FAILS(call_op("exp", two, -1, 0, &out), MXR_ERROR_INVALID_VALUE, "exp", "inputs", "-1");
    OK(mxr_op_find("exp", &op));
    FAILS(mxr_op_invoke(op, &a, 1, NULL, 0, &out, &none, NULL, NULL), MXR_ERROR_INVALID_VALUE, "exp",
          "outputs", "room for 1");
    mxr_array_free(a);
    return 1;
}

static int attributes_that_are_wrong(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *out = NULL;
    mxr_attr_t attr = number(1);
    attr.id = 77;
    FAILS(plus(a, attr, &out), MXR_ERROR_NOT_FOUND, "_plus_scalar", NULL, "id 77");
    attr = (mxr_attr_t){.id = 1, .tag = MXR_ATTR_STRING, .integer = 1, .data = "x"};
    FAILS(plus(a, attr, &out), MXR_ERROR_INVALID_TYPE, "_plus_scalar", "scalar", "'x'");
    attr = (mxr_attr_t){.id = 1, .tag = MXR_ATTR_STRING, .integer = 2, .data = "\xff\xfe"};
    FAILS(plus(a, attr, &out), MXR_ERROR_INVALID_VALUE, "_plus_scalar", "attrs", "UTF-8");
    attr = (mxr_attr_t){.id = 1, .tag = MXR_ATTR_INTS, .integer = 3, .data = NULL};
    FAILS(plus(a, attr, &out), MXR_ERROR_INVALID_VALUE, "_plus_scalar", "attrs", "got NULL");
    attr = (mxr_attr_t){.id = 1, .tag = MXR_ATTR_INTS, .integer = -3, .data = DATA};
    FAILS(plus(a, attr, &out), MXR_ERROR_INVALID_VALUE, "_plus_scalar", "attrs", "-3");
    attr = (mxr_attr_t){.id = 1, .tag = 1234};
    FAILS(plus(a, attr, &out), MXR_ERROR_INVALID_VALUE, "_plus_scalar", "attrs", "1234");
    CHECK(out == NULL);
    mxr_array_free(a);
    return 1;
}

static int an_attribute_without_a_default_is_missing(void) {
    mxr_array_t *out = NULL;
    FAILS(call_op("_full", NULL, 0, 0, &out), MXR_ERROR_INVALID_VALUE, "_full", "value", "");
    return 1;
}

static int requests_and_devices_that_do_not_exist(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *out = array_f32(MATRIX, 2, DATA);
    const mxr_op_t *op = NULL;
    int32_t n = 1;
    const int32_t request = 9;
    mxr_call_t call = {.struct_size = sizeof call, .device_kind = MXR_GPU};
    mxr_attr_t shape = {.id = 1, .tag = MXR_ATTR_INTS, .integer = 2, .data = MATRIX};
    OK(mxr_op_find("exp", &op));
    FAILS(mxr_op_invoke(op, &a, 1, NULL, 0, &out, &n, &request, NULL), MXR_ERROR_INVALID_VALUE, "exp",
          "requests", "9");
    mxr_array_free(out);
    out = NULL;
    OK(mxr_op_find("_zeros", &op));
    FAILS(mxr_op_invoke(op, NULL, 0, &shape, 1, &out, &n, NULL, &call), MXR_ERROR_DEVICE, "_zeros", NULL,
          "gpu(0)");
    FAILS(mxr_array_empty(MATRIX, 2, MXR_FLOAT32, 57, 0, &out), MXR_ERROR_DEVICE, NULL, NULL, "57");
    CHECK(out == NULL);
    mxr_array_free(a);
    return 1;
}

static int sizes_that_cannot_be(void) {
    const int64_t negative[2] = {2, -3}, huge[3] = {1LL << 40, 1LL << 40, 8};
    mxr_array_t *out = NULL, *a = array_f32(MATRIX, 2, DATA);
    float data[6];
    FAILS(mxr_array_empty(negative, 2, MXR_FLOAT32, MXR_CPU, 0, &out), MXR_ERROR_SHAPE, NULL, "shape", "-3");
    FAILS(mxr_array_empty(MATRIX, -1, MXR_FLOAT32, MXR_CPU, 0, &out), MXR_ERROR_INVALID_VALUE, NULL, "ndim",
          "-1");
    FAILS(mxr_array_empty(huge, 3, MXR_FLOAT32, MXR_CPU, 0, &out), MXR_ERROR_OUT_OF_MEMORY, NULL, "shape",
          "too many");
    FAILS(mxr_array_copy_to(a, data, 20), MXR_ERROR_SHAPE, NULL, "data", "24 bytes");
    FAILS(mxr_array_copy_from(a, data, 28), MXR_ERROR_SHAPE, NULL, "data", "24 bytes");
    CHECK(out == NULL);
    mxr_array_free(a);
    return 1;
}

static int memory_that_cannot_be_had_is_reported_by_the_wait(void) {
    const int64_t large = 1LL << 50;
    mxr_array_t *a = NULL, *b = NULL;
    float data = 0;
    OK(mxr_array_empty(&large, 1, MXR_FLOAT32, MXR_CPU, 0, &a));
    OK(call_unary("exp", a, 0, &b));
    FAILS(mxr_array_wait_to_read(b, MXR_FOREVER), MXR_ERROR_OUT_OF_MEMORY, "exp", NULL, "cannot allocate");
    mxr_array_free(a);
    a = NULL;
    OK(call_unary("square", b, 0, &a));
    FAILS(mxr_array_wait_to_read(a, MXR_FOREVER), MXR_ERROR_OUT_OF_MEMORY, "exp", NULL, "cannot allocate");
    FAILS(mxr_wait_all(MXR_FOREVER), MXR_ERROR_OUT_OF_MEMORY, "exp", NULL, "cannot allocate");
    OK(mxr_wait_all(MXR_FOREVER));
    mxr_array_free(a);
    mxr_array_free(b);
    a = vector_f32(1, &data);
    CHECK(holds_f32(a, &data, 1));
    mxr_array_free(a);
    return 1;
}

static int indices_outside_the_axis(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *scalar = array_f32(NULL, 0, DATA), *out = NULL;
    FAILS(mxr_array_at(a, 2, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "index 2");
    FAILS(mxr_array_at(a, -3, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "index -3");
    FAILS(mxr_array_slice(a, 1, 3, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "1..3");
    FAILS(mxr_array_slice(a, 2, 1, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "2..1");
    FAILS(mxr_array_slice(scalar, 0, 0, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "without axes");
    FAILS(mxr_array_at(scalar, 0, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "size 0");
    FAILS(mxr_array_at(a, INT64_MIN, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "out of range");
    FAILS(mxr_array_at(a, INT64_MAX, NULL, &out), MXR_ERROR_INDEX, NULL, NULL, "out of range");
    CHECK(out == NULL);
    mxr_array_free(a);
    mxr_array_free(scalar);
    return 1;
}

static int every_code_comes_back_from_an_error_of_the_callers(void) {
    for (int32_t code = MXR_ERROR_INVALID_VALUE; code <= MXR_ERROR_CALLBACK; code++) {
        mxr_error_t *error = mxr_error_new(code, "mine", 42);
        CHECK(mxr_error_code(error) == code && mxr_error_origin(error) == 42);
        CHECK(check_error_is(error, code, NULL, NULL, "mine"));
    }
    mxr_error_t *unknown = mxr_error_new(12345, NULL, 0);
    CHECK(mxr_error_code(unknown) == MXR_ERROR_CALLBACK && mxr_error_origin(unknown) == 0);
    mxr_error_free(unknown);
    return 1;
}

static int no_error_is_code_zero_with_a_text(void) {
    CHECK(mxr_error_code(NULL) == 0);
    CHECK(strcmp(mxr_error_message(NULL), "no error") == 0);
    CHECK(mxr_error_operator(NULL) == NULL && mxr_error_argument(NULL) == NULL);
    CHECK(mxr_error_origin(NULL) == 0);
    return 1;
}

static int the_message_begins_with_operator_and_argument(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *out = NULL;
    mxr_error_t *error = call_unary("elemwise_add", a, 0, &out);
    CHECK(error != NULL);
    CHECK(strncmp(mxr_error_message(error), "elemwise_add: argument 'rhs': ", 30) == 0);
    mxr_error_free(error);
    mxr_array_free(a);
    return 1;
}

int main(void) {
    RUN(an_unknown_operator_is_named_with_the_nearest);
    RUN(null_where_something_is_needed);
    RUN(shapes_that_do_not_fit);
    RUN(dtypes_that_do_not_fit);
    RUN(a_wrong_number_of_inputs_and_outputs);
    RUN(attributes_that_are_wrong);
    RUN(an_attribute_without_a_default_is_missing);
    RUN(requests_and_devices_that_do_not_exist);
    RUN(sizes_that_cannot_be);
    RUN(memory_that_cannot_be_had_is_reported_by_the_wait);
    RUN(indices_outside_the_axis);
    RUN(every_code_comes_back_from_an_error_of_the_callers);
    RUN(no_error_is_code_zero_with_a_text);
    RUN(the_message_begins_with_operator_and_argument);
    return check_summary();
}
