/* A program of its time: it uses what 0.1.0 had, and passes numbers of attributes as compiled programs carry them.
 * The stage `abi` compiles it against the header of every release and runs it on today's library. */
#include "check.h"

static int the_library_is_of_the_abi_that_the_program_knows(void) {
    CHECK(mxr_abi_version() == MXR_ABI_VERSION);
    return 1;
}

static int an_operator_takes_attributes_by_their_released_numbers(void) {
    const float data[6] = {1, 2, 3, 4, 5, 6}, sums[2] = {6, 15}, clipped[6] = {2, 2, 3, 4, 4.5f, 4.5f};
    const int64_t dims[2] = {2, 3}, axis[1] = {1};
    const mxr_op_t *sum = NULL, *clip = NULL;
    mxr_array_t *x = array_f32(dims, 2, data), *y = NULL, *z = NULL;
    mxr_attr_t axes = {.id = 1, .tag = MXR_ATTR_INTS, .integer = 1, .data = axis};
    mxr_attr_t ends[2] = {{.id = 1, .tag = MXR_ATTR_FLOAT, .number = 2},
                          {.id = 2, .tag = MXR_ATTR_FLOAT, .number = 4.5}};
    int32_t n = 1;
    OK(mxr_op_find("sum", &sum));
    OK(mxr_op_invoke(sum, &x, 1, &axes, 1, &y, &n, NULL, NULL));
    CHECK(holds_f32(y, sums, 2));
    OK(mxr_op_find("clip", &clip));
    OK(mxr_op_invoke(clip, &x, 1, ends, 2, &z, &n, NULL, NULL));
    CHECK(holds_f32(z, clipped, 6));
    mxr_array_free(x);
    mxr_array_free(y);
    mxr_array_free(z);
    return 1;
}

static int a_gradient_is_recorded(void) {
    const float data[3] = {1, 2, 3}, zeros[3] = {0}, twice[3] = {2, 4, 6};
    const int32_t request = MXR_REQUEST_WRITE;
    mxr_array_t *x = vector_f32(3, data), *g = vector_f32(3, zeros), *y = NULL;
    OK(mxr_autograd_mark(&x, &g, &request, 1));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(mxr_autograd_backward(&y, NULL, 1, 0));
    CHECK(holds_f32(g, twice, 3));
    mxr_array_free(x);
    mxr_array_free(g);
    mxr_array_free(y);
    return 1;
}

static int a_symbol_takes_attributes_by_their_released_names(void) {
    const char *key = "num_hidden", *value = "4";
    const mxr_op_t *op = NULL;
    mxr_symbol_t *data = NULL, *net = NULL;
    mxr_texts_t *names = NULL;
    OK(mxr_op_find("FullyConnected", &op));
    OK(mxr_symbol_variable("data", NULL, NULL, 0, &data));
    OK(mxr_symbol_call(op, "fc", &key, &value, 1, &data, NULL, 1, &net));
    OK(mxr_symbol_list(net, MXR_LIST_ARGUMENTS, &names));
    CHECK(mxr_texts_len(names) == 3 && check_same_text(mxr_texts_get(names, 1), "fc_weight"));
    mxr_texts_free(names);
    mxr_symbol_free(net);
    mxr_symbol_free(data);
    return 1;
}

static int an_error_has_its_code_and_says_where(void) {
    const mxr_op_t *op = NULL;
    FAILS(mxr_op_find("no_such_operator", &op), MXR_ERROR_NOT_FOUND, NULL, NULL, "no_such_operator");
    return 1;
}

int main(void) {
    RUN(the_library_is_of_the_abi_that_the_program_knows);
    RUN(an_operator_takes_attributes_by_their_released_numbers);
    RUN(a_gradient_is_recorded);
    RUN(a_symbol_takes_attributes_by_their_released_names);
    RUN(an_error_has_its_code_and_says_where);
    return check_summary();
}
