/* Handles: retaining, freeing, and what MXR_CHECK=1 finds. */
#include "check.h"

static const float ONES[4] = {1, 1, 1, 1};

static int null_is_freed_and_retained_without_effect(void) {
    mxr_array_free(NULL);
    mxr_error_free(NULL);
    mxr_list_free(NULL);
    mxr_string_free(NULL);
    CHECK(mxr_array_retain(NULL) == NULL);
    return 1;
}

static int a_retained_array_lives_until_its_last_free(void) {
    mxr_array_t *a = vector_f32(4, ONES);
    mxr_array_t *again = mxr_array_retain(a);
    CHECK(again == a);
    mxr_array_free(a);
    CHECK(holds_f32(again, ONES, 4));
    mxr_array_free(again);
    return 1;
}

static int a_use_after_free_is_an_error(void) {
    mxr_array_t *a = vector_f32(4, ONES), *out = NULL;
    float data[4];
    int32_t ndim;
    mxr_array_free(a);
    FAILS(mxr_array_copy_to(a, data, sizeof data), MXR_ERROR_CLOSED, NULL, "array", "freed");
    FAILS(mxr_array_shape(a, NULL, 0, &ndim), MXR_ERROR_CLOSED, NULL, "array", "freed");
    FAILS(call_unary("exp", a, 0, &out), MXR_ERROR_CLOSED, "exp", "inputs", "freed");
    CHECK(mxr_array_retain(a) == NULL);
    CHECK(mxr_array_dtype(a) == -1);
    return 1;
}

static int a_double_free_is_ignored(void) {
    mxr_array_t *a = vector_f32(4, ONES), *b = vector_f32(4, ONES);
    mxr_array_free(a);
    mxr_array_free(a);
    CHECK(holds_f32(b, ONES, 4));
    mxr_array_free(b);
    return 1;
}

static int a_foreign_pointer_is_an_error(void) {
    double not_an_array[8] = {0};
    int32_t kind, id;
    mxr_array_t *a = (mxr_array_t *)(void *)not_an_array;
    FAILS(mxr_array_device(a, &kind, &id), MXR_ERROR_CLOSED, NULL, "array", "never given out");
    mxr_array_free(a);
    return 1;
}

static int a_handle_of_another_type_is_an_error(void) {
    const char *path = "lifetimes.params";
    mxr_array_t *a = vector_f32(4, ONES), *taken = NULL;
    mxr_list_t *list = NULL;
    float data[4];
    OK(mxr_list_save(path, NULL, &a, 1));
    OK(mxr_list_load(path, &list));
    remove(path);
    FAILS(mxr_array_copy_to((mxr_array_t *)(void *)list, data, sizeof data), MXR_ERROR_INVALID_TYPE, NULL,
          "array", "got a list");
    FAILS(mxr_list_array((mxr_list_t *)(void *)a, 0, &taken), MXR_ERROR_INVALID_TYPE, NULL, "list",
          "got an array");
    CHECK(mxr_list_len((mxr_list_t *)(void *)a) == -1);
    mxr_array_free((mxr_array_t *)(void *)list);
    CHECK(mxr_list_len(list) == 1);
    mxr_list_free(list);
    mxr_array_free(a);
    return 1;
}

static int an_array_of_a_list_outlives_it(void) {
    const char *path = "lifetimes.params";
    mxr_array_t *a = vector_f32(4, ONES), *taken = NULL;
    mxr_list_t *list = NULL;
    OK(mxr_list_save(path, NULL, &a, 1));
    OK(mxr_list_load(path, &list));
    remove(path);
    OK(mxr_list_array(list, 0, &taken));
    mxr_list_free(list);
    CHECK(holds_f32(taken, ONES, 4));
    CHECK(mxr_list_len(list) == -1);
    mxr_array_free(taken);
    mxr_array_free(a);
    return 1;
}

static int a_view_keeps_the_memory_of_what_it_shows(void) {
    const int64_t dims[2] = {2, 2};
    mxr_array_t *a = array_f32(dims, 2, ONES), *row = NULL;
    OK(mxr_array_at(a, 1, NULL, &row));
    mxr_array_free(a);
    CHECK(holds_f32(row, ONES, 2));
    mxr_array_free(row);
    return 1;
}

static int inputs_may_be_freed_before_the_work_is_done(void) {
    const int64_t n = 1 << 20;
    mxr_array_t *a = NULL, *b = NULL, *c = NULL;
    float *data = malloc((size_t)n * sizeof *data);
    CHECK(data != NULL);
    for (int64_t i = 0; i < n; i++) data[i] = 2;
    a = vector_f32(n, data);
    OK(call_unary("square", a, 0, &b));
    mxr_array_free(a);
    OK(call_unary("square", b, 0, &c));
    mxr_array_free(b);
    OK(mxr_array_copy_to(c, data, (uint64_t)n * sizeof *data));
    CHECK(data[0] == 16 && data[n - 1] == 16);
    mxr_array_free(c);
    free(data);
    return 1;
}

static int shutdown_is_idempotent_and_use_starts_again(void) {
    mxr_array_t *a = vector_f32(4, ONES), *b = vector_f32(4, ONES), *c = NULL;
    OK(mxr_shutdown(MXR_FOREVER));
    mxr_array_free(a);
    OK(mxr_shutdown(MXR_FOREVER));
    OK(call_unary("square", b, 0, &c));
    CHECK(holds_f32(c, ONES, 4));
    mxr_array_free(b);
    OK(mxr_shutdown(MXR_FOREVER));
    mxr_array_free(c);
    return 1;
}

static int many_temporaries_keep_memory_flat(void) {
    enum { N = 256 };
    float data[N] = {0};
    mxr_memory_t memory;
    mxr_array_t *x = vector_f32(N, data);
    memset(&memory, 0, sizeof memory);
    memory.struct_size = (uint32_t)sizeof memory;
    OK(mxr_wait_all(MXR_FOREVER));
    mxr_memory_trim();
    OK(mxr_memory_stats(&memory));
    uint64_t before = memory.in_use;
    for (int i = 0; i < 100000; i++) {
        mxr_array_t *y = NULL, *z = NULL;
        OK(call_unary("negative", x, 0, &y));
        OK(call_binary("elemwise_add", x, y, 0, &z));
        mxr_array_free(y);
        mxr_array_free(z);
    }
    OK(mxr_wait_all(MXR_FOREVER));
    OK(mxr_memory_stats(&memory));
    CHECK(memory.in_use == before);
    CHECK(memory.peak <= before + 64 * sizeof data);
    CHECK(memory.kept <= 64 * sizeof data);
    mxr_array_free(x);
    OK(mxr_memory_stats(&memory));
    CHECK(memory.in_use + sizeof data <= before);
    return 1;
}

static int a_recorded_graph_goes_with_its_arrays(void) {
    mxr_memory_t memory;
    memset(&memory, 0, sizeof memory);
    memory.struct_size = (uint32_t)sizeof memory;
    OK(mxr_memory_stats(&memory));
    uint64_t before = memory.in_use;
    const int32_t request = MXR_REQUEST_WRITE;
    for (int i = 0; i < 100; i++) {
        mxr_array_t *x = vector_f32(4, ONES), *g = vector_f32(4, ONES);
        OK(mxr_autograd_mark(&x, &g, &request, 1));
        for (int k = 0; k < 20; k++) {
            mxr_array_t *y = NULL;
            OK(call_unary("exp", x, MXR_CALL_RECORDING, &y));
            mxr_array_free(x);
            x = y;
        }
        mxr_array_free(x);
        mxr_array_free(g);
    }
    OK(mxr_memory_stats(&memory));
    CHECK(memory.in_use == before);
    return 1;
}

int main(void) {
    RUN(null_is_freed_and_retained_without_effect);
    RUN(a_retained_array_lives_until_its_last_free);
    RUN(a_use_after_free_is_an_error);
    RUN(a_double_free_is_ignored);
    RUN(a_foreign_pointer_is_an_error);
    RUN(a_handle_of_another_type_is_an_error);
    RUN(an_array_of_a_list_outlives_it);
    RUN(a_view_keeps_the_memory_of_what_it_shows);
    RUN(inputs_may_be_freed_before_the_work_is_done);
    RUN(shutdown_is_idempotent_and_use_starts_again);
    RUN(many_temporaries_keep_memory_flat);
    RUN(a_recorded_graph_goes_with_its_arrays);
    return check_summary();
}
