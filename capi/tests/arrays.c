/* Arrays: data in and out, views, shapes, dtypes, copies, foreign memory. */
#include "check.h"

static const float DATA[6] = {1, 2, 3, 4, 5, 6};
static const int64_t MATRIX[2] = {2, 3};

static int has_shape(mxr_array_t *array, const int64_t *dims, int32_t ndim) {
    int64_t got[8];
    int32_t n = -1;
    OK(mxr_array_shape(array, got, 8, &n));
    CHECK(n == ndim);
    for (int32_t i = 0; i < ndim; i++) CHECK(got[i] == dims[i]);
    return 1;
}

static int data_comes_out_as_it_went_in(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA);
    const float other[6] = {6, 5, 4, 3, 2, 1};
    int32_t kind = 0, id = -1;
    CHECK(holds_f32(a, DATA, 6) && has_shape(a, MATRIX, 2));
    CHECK(mxr_array_dtype(a) == MXR_FLOAT32 && mxr_array_ndim(a) == 2 && mxr_array_storage_kind(a) == 0);
    OK(mxr_array_device(a, &kind, &id));
    CHECK(kind == MXR_CPU && id == 0);
    OK(mxr_array_copy_from(a, other, sizeof other));
    CHECK(holds_f32(a, other, 6));
    mxr_array_free(a);
    return 1;
}

static int the_shape_fills_only_the_room_it_has(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA);
    int64_t dims[2] = {-7, -7};
    int32_t ndim = 0;
    OK(mxr_array_shape(a, dims, 1, &ndim));
    CHECK(ndim == 2 && dims[0] == 2 && dims[1] == -7);
    OK(mxr_array_shape(a, NULL, 0, &ndim));
    CHECK(ndim == 2);
    mxr_array_free(a);
    return 1;
}

static int rows_are_views_that_write_through(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *row = NULL, *rows = NULL;
    const float nines[3] = {9, 9, 9}, sevens[3] = {7, 7, 7};
    const int64_t three = 3, one_row[2] = {1, 3};
    OK(mxr_array_at(a, -1, NULL, &row));
    OK(mxr_array_slice(a, 0, 1, NULL, &rows));
    CHECK(has_shape(row, &three, 1) && has_shape(rows, one_row, 2));
    CHECK(holds_f32(row, DATA + 3, 3) && holds_f32(rows, DATA, 3));
    OK(mxr_array_copy_from(row, nines, sizeof nines));
    OK(mxr_array_copy_from(rows, sevens, sizeof sevens));
    const float expected[6] = {7, 7, 7, 9, 9, 9};
    CHECK(holds_f32(a, expected, 6));
    OK(mxr_array_copy_from(a, DATA, sizeof DATA));
    CHECK(holds_f32(row, DATA + 3, 3));
    mxr_array_free(a);
    mxr_array_free(row);
    mxr_array_free(rows);
    return 1;
}

static int an_operator_writes_through_a_view(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *row = NULL;
    const float expected[6] = {1, 2, 3, 16, 25, 36};
    OK(mxr_array_at(a, 1, NULL, &row));
    OK(call_unary("square", row, 0, &row));
    CHECK(holds_f32(a, expected, 6));
    mxr_array_free(a);
    mxr_array_free(row);
    return 1;
}

static int a_reshaped_array_shares_memory(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *b = NULL;
    const int64_t asked[2] = {3, -1}, got[2] = {3, 2};
    const float other[6] = {0};
    OK(mxr_array_reshape(a, asked, 2, NULL, &b));
    CHECK(has_shape(b, got, 2) && holds_f32(b, DATA, 6));
    OK(mxr_array_copy_from(b, other, sizeof other));
    CHECK(holds_f32(a, other, 6));
    mxr_array_free(a);
    mxr_array_free(b);
    return 1;
}

static int every_dtype_has_its_size(void) {
    const struct { int32_t dtype; uint64_t size; } all[] = {
        {MXR_FLOAT32, 4}, {MXR_FLOAT64, 8}, {MXR_FLOAT16, 2}, {MXR_UINT8, 1}, {MXR_INT32, 4},
        {MXR_INT8, 1}, {MXR_INT64, 8}, {MXR_BOOL, 1}, {MXR_BFLOAT16, 2}};
    unsigned char in[48], out[48];
    for (unsigned i = 0; i < sizeof in; i++) in[i] = (unsigned char)(i % 2);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mxr_array_t *a = NULL;
        memset(out, 0xee, sizeof out);
        uint64_t bytes = 6 * all[i].size;
        OK(mxr_array_from_data(MATRIX, 2, all[i].dtype, MXR_CPU, 0, in, bytes, &a));
        CHECK(mxr_array_dtype(a) == all[i].dtype);
        OK(mxr_array_copy_to(a, out, bytes));
        CHECK(memcmp(in, out, bytes) == 0);
        mxr_array_free(a);
    }
    return 1;
}

static int an_array_without_axes_holds_one_element(void) {
    const float value = 3, square = 9;
    mxr_array_t *a = array_f32(NULL, 0, &value), *b = NULL;
    CHECK(has_shape(a, NULL, 0));
    OK(call_unary("square", a, 0, &b));
    CHECK(has_shape(b, NULL, 0) && holds_f32(b, &square, 1));
    mxr_array_free(a);
    mxr_array_free(b);
    return 1;
}

static int an_array_of_size_zero_holds_nothing(void) {
    const int64_t dims[3] = {2, 0, 3};
    mxr_array_t *a = array_f32(dims, 3, NULL), *b = NULL, *c = NULL;
    CHECK(a != NULL && has_shape(a, dims, 3) && holds_f32(a, NULL, 0));
    OK(call_unary("exp", a, 0, &b));
    CHECK(has_shape(b, dims, 3) && holds_f32(b, NULL, 0));
    OK(mxr_array_slice(b, 1, 1, NULL, &c));
    CHECK(holds_f32(c, NULL, 0));
    OK(mxr_array_wait_to_read(b, 0));
    mxr_array_free(a);
    mxr_array_free(b);
    mxr_array_free(c);
    return 1;
}

static int a_copy_has_its_own_memory(void) {
    const float other[6] = {0};
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *b = array_f32(MATRIX, 2, other);
    OK(mxr_array_copy(a, b));
    OK(mxr_array_copy_from(a, other, sizeof other));
    CHECK(holds_f32(b, DATA, 6));
    mxr_array_free(a);
    mxr_array_free(b);
    return 1;
}

static int the_address_of_the_elements_can_be_read_and_written(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *row = NULL, *b = NULL;
    void *base = NULL, *second = NULL;
    OK(mxr_array_at(a, 1, NULL, &row));
    OK(mxr_array_data(a, &base));
    OK(mxr_array_data(row, &second));
    CHECK((char *)second == (char *)base + 3 * sizeof(float));
    CHECK((uintptr_t)base % 64 == 0 && memcmp(base, DATA, sizeof DATA) == 0);
    ((float *)second)[0] = 10;
    OK(call_unary("square", row, 0, &b));
    const float squares[3] = {100, 25, 36};
    CHECK(holds_f32(b, squares, 3));
    mxr_array_free(a);
    mxr_array_free(row);
    mxr_array_free(b);
    return 1;
}

static int outputs_are_written_added_or_left_alone(void) {
    const mxr_op_t *op = NULL;
    mxr_array_t *x = vector_f32(3, DATA), *out = vector_f32(3, DATA);
    int32_t n = 1, request = MXR_REQUEST_ADD;
    OK(mxr_op_find("square", &op));
    OK(mxr_op_invoke(op, &x, 1, NULL, 0, &out, &n, &request, NULL));
    const float sums[3] = {2, 6, 12}, squares[3] = {1, 4, 9}, fourth[3] = {1, 16, 81};
    CHECK(holds_f32(out, sums, 3));
    request = MXR_REQUEST_NULL;
    OK(mxr_op_invoke(op, &x, 1, NULL, 0, &out, &n, &request, NULL));
    CHECK(holds_f32(out, sums, 3));
    request = MXR_REQUEST_WRITE;
    OK(mxr_op_invoke(op, &x, 1, NULL, 0, &out, &n, &request, NULL));
    CHECK(holds_f32(out, squares, 3));
    request = MXR_REQUEST_IN_PLACE;
    OK(mxr_op_invoke(op, &out, 1, NULL, 0, &out, &n, &request, NULL));
    CHECK(holds_f32(out, fourth, 3));
    mxr_array_free(x);
    mxr_array_free(out);
    return 1;
}

static int an_output_that_overlaps_an_input_is_right(void) {
    const int64_t column[2] = {3, 1};
    const float data[4] = {1, 2, 3, 4}, expected[4] = {1, 2, 4, 6};
    mxr_array_t *a = vector_f32(4, data), *from = NULL, *to = NULL, *again = NULL;
    OK(mxr_array_slice(a, 0, 3, NULL, &from));
    OK(mxr_array_slice(a, 1, 4, NULL, &to));
    OK(call_binary("elemwise_add", from, from, 0, &to));
    CHECK(holds_f32(a, expected, 4));
    OK(mxr_array_reshape(to, column, 2, NULL, &again));
    CHECK(holds_f32(again, expected + 1, 3));
    mxr_array_free(a);
    mxr_array_free(from);
    mxr_array_free(to);
    mxr_array_free(again);
    return 1;
}

static int dropped;
static void drop(void *payload) { dropped += *(int *)payload; }

static int foreign_memory_is_used_in_place_and_given_back_by_the_poll(void) {
    float memory[6];
    int ten = 10;
    mxr_array_t *a = NULL, *row = NULL;
    const float squares[6] = {1, 4, 9, 16, 25, 36};
    dropped = 0;
    memcpy(memory, DATA, sizeof memory);
    OK(mxr_array_from_foreign(memory, MATRIX, 2, MXR_FLOAT32, drop, &ten, &a));
    OK(mxr_array_at(a, 0, NULL, &row));
    OK(call_unary("square", a, 0, &a));
    OK(mxr_array_wait_to_write(a, MXR_FOREVER));
    CHECK(memcmp(memory, squares, sizeof memory) == 0);
    mxr_array_free(a);
    CHECK(mxr_events_poll() == 0 && dropped == 0);
    CHECK(holds_f32(row, squares, 3));
    mxr_array_free(row);
    CHECK(dropped == 0);
    CHECK(mxr_events_poll() == 1 && dropped == 10);
    CHECK(mxr_events_poll() == 0 && dropped == 10);
    return 1;
}

static int foreign_memory_is_not_taken_over_by_a_failure(void) {
    float memory[6] = {0};
    int ten = 10;
    mxr_array_t *a = NULL;
    const int64_t negative = -6;
    dropped = 0;
    FAILS(mxr_array_from_foreign(memory, MATRIX, 2, 99, drop, &ten, &a), MXR_ERROR_DTYPE, NULL, NULL, "99");
    FAILS(mxr_array_from_foreign(memory, &negative, 1, MXR_FLOAT32, drop, &ten, &a), MXR_ERROR_SHAPE, NULL,
          NULL, "-6");
    CHECK(a == NULL && mxr_events_poll() == 0 && dropped == 0);
    OK(mxr_array_from_foreign(memory, MATRIX, 2, MXR_FLOAT32, NULL, NULL, &a));
    mxr_array_free(a);
    CHECK(mxr_events_poll() == 0);
    return 1;
}

static int a_detached_array_shares_memory_and_is_not_recorded(void) {
    mxr_array_t *x = vector_f32(3, DATA), *g = vector_f32(3, DATA), *y = NULL, *d = NULL;
    const int32_t request = MXR_REQUEST_WRITE;
    const float zeros[3] = {0};
    OK(mxr_autograd_mark(&x, &g, &request, 1));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(mxr_array_detach(y, &d));
    CHECK(mxr_array_is_recorded(y) == 1 && mxr_array_is_recorded(d) == 0);
    OK(mxr_array_copy_from(d, zeros, sizeof zeros));
    CHECK(holds_f32(y, zeros, 3));
    mxr_array_free(x);
    mxr_array_free(g);
    mxr_array_free(y);
    mxr_array_free(d);
    return 1;
}

int main(void) {
    RUN(data_comes_out_as_it_went_in);
    RUN(the_shape_fills_only_the_room_it_has);
    RUN(rows_are_views_that_write_through);
    RUN(an_operator_writes_through_a_view);
    RUN(a_reshaped_array_shares_memory);
    RUN(every_dtype_has_its_size);
    RUN(an_array_without_axes_holds_one_element);
    RUN(an_array_of_size_zero_holds_nothing);
    RUN(a_copy_has_its_own_memory);
    RUN(the_address_of_the_elements_can_be_read_and_written);
    RUN(outputs_are_written_added_or_left_alone);
    RUN(an_output_that_overlaps_an_input_is_right);
    RUN(foreign_memory_is_used_in_place_and_given_back_by_the_poll);
    RUN(foreign_memory_is_not_taken_over_by_a_failure);
    RUN(a_detached_array_shares_memory_and_is_not_recorded);
    return check_summary();
}
