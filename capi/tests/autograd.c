/* Differentiation: gradients, head gradients, retained graphs, second order, functions of the caller's. */
#include "check.h"

static const float DATA[3] = {1, 2, 3};

/* A variable of `DATA` with a gradient array of zeros; 1 on success. */
static int variable(int32_t request, mxr_array_t **x, mxr_array_t **gradient) {
    const float zeros[3] = {0};
    *x = vector_f32(3, DATA);
    *gradient = vector_f32(3, zeros);
    OK(mxr_autograd_mark(x, gradient, &request, 1));
    return 1;
}

static void release(mxr_array_t *a, mxr_array_t *b, mxr_array_t *c) {
    mxr_array_free(a);
    mxr_array_free(b);
    mxr_array_free(c);
}

static int the_gradient_of_a_square_is_twice_the_input(void) {
    mxr_array_t *x, *g, *y = NULL, *same = NULL, *none = NULL;
    const float expected[3] = {2, 4, 6};
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    CHECK(mxr_array_is_recorded(x) == 1);
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    CHECK(mxr_array_is_recorded(y) == 1);
    OK(mxr_autograd_backward(&y, NULL, 1, 0));
    CHECK(holds_f32(g, expected, 3));
    OK(mxr_array_grad(x, &same));
    CHECK(same == g);
    none = g;
    OK(mxr_array_grad(y, &none));
    CHECK(none == NULL);
    mxr_array_free(same);
    release(x, g, y);
    return 1;
}

static int head_gradients_weight_the_heads(void) {
    mxr_array_t *x, *g, *y = NULL, *z = NULL;
    const float weights[3] = {1, -1, 0.5f};
    mxr_array_t *w = vector_f32(3, weights);
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(call_unary("negative", x, MXR_CALL_RECORDING, &z));
    mxr_array_t *heads[2] = {y, z}, *grads[2] = {w, NULL};
    OK(mxr_autograd_backward(heads, grads, 2, 0));
    const float both[3] = {2 - 1, -4 - 1, 3 - 1};
    CHECK(holds_f32(g, both, 3));
    OK(mxr_autograd_mark(&x, &g, &(int32_t){MXR_REQUEST_ADD}, 1));
    mxr_array_free(y);
    y = NULL;
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(mxr_autograd_backward(&y, &w, 1, 0));
    const float sum[3] = {1 + 2, -5 - 4, 2 + 3};
    CHECK(holds_f32(g, sum, 3));
    mxr_array_free(z);
    mxr_array_free(w);
    release(x, g, y);
    return 1;
}

static int a_head_gradient_of_another_shape_is_an_error(void) {
    mxr_array_t *x, *g, *y = NULL, *w = vector_f32(2, DATA);
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    FAILS(mxr_autograd_backward(&y, &w, 1, 0), MXR_ERROR_SHAPE, NULL, "head_grads", "(3,)");
    mxr_array_free(w);
    release(x, g, y);
    return 1;
}

static int a_graph_serves_once_unless_it_is_retained(void) {
    mxr_array_t *x, *g, *y = NULL;
    const float once[3] = {2, 4, 6}, twice[3] = {4, 8, 12};
    CHECK(variable(MXR_REQUEST_ADD, &x, &g));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(mxr_autograd_backward(&y, NULL, 1, MXR_BACKWARD_RETAIN_GRAPH));
    CHECK(holds_f32(g, once, 3));
    OK(mxr_autograd_backward(&y, NULL, 1, 0));
    CHECK(holds_f32(g, twice, 3));
    FAILS(mxr_autograd_backward(&y, NULL, 1, 0), MXR_ERROR_AUTOGRAD, "square", NULL, "retain_graph");
    CHECK(holds_f32(g, twice, 3));
    release(x, g, y);
    return 1;
}

static int gradients_can_be_differentiated_again(void) {
    mxr_array_t *x, *g, *y = NULL, *cube = NULL, *first = NULL, *second = NULL;
    const float slope[3] = {3, 12, 27}, curvature[3] = {6, 12, 18};
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(call_binary("elemwise_mul", x, y, MXR_CALL_RECORDING, &cube));
    OK(mxr_autograd_grad(&cube, NULL, 1, &x, 1, MXR_BACKWARD_CREATE_GRAPH, &first));
    CHECK(holds_f32(first, slope, 3) && mxr_array_is_recorded(first) == 1);
    OK(mxr_autograd_grad(&first, NULL, 1, &x, 1, 0, &second));
    CHECK(holds_f32(second, curvature, 3) && mxr_array_is_recorded(second) == 0);
    const float zeros[3] = {0};
    CHECK(holds_f32(g, zeros, 3));
    mxr_array_free(cube);
    mxr_array_free(first);
    mxr_array_free(second);
    release(x, g, y);
    return 1;
}

static int what_was_not_recorded_has_no_gradient(void) {
    mxr_array_t *x, *g, *y = NULL, *other = vector_f32(3, DATA), *out = NULL;
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    OK(call_unary("square", x, 0, &y));
    CHECK(mxr_array_is_recorded(y) == 0 && mxr_array_is_recorded(NULL) == 0);
    FAILS(mxr_autograd_backward(&y, NULL, 1, 0), MXR_ERROR_AUTOGRAD, NULL, "heads", "not part");
    mxr_array_free(y);
    y = NULL;
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    FAILS(mxr_autograd_grad(&y, NULL, 1, &other, 1, 0, &out), MXR_ERROR_AUTOGRAD, NULL, "variables",
          "do not depend");
    CHECK(out == NULL);
    mxr_array_free(other);
    release(x, g, y);
    return 1;
}

static int a_gradient_that_does_not_match_is_refused(void) {
    mxr_array_t *x = vector_f32(3, DATA), *g = vector_f32(2, DATA), *d = NULL;
    const int32_t request = MXR_REQUEST_WRITE, bad = 17;
    const double zeros[3] = {0};
    const int64_t three = 3;
    FAILS(mxr_autograd_mark(&x, &g, &request, 1), MXR_ERROR_SHAPE, NULL, NULL, "(2,)");
    OK(mxr_array_from_data(&three, 1, MXR_FLOAT64, MXR_CPU, 0, zeros, sizeof zeros, &d));
    FAILS(mxr_autograd_mark(&x, &d, &request, 1), MXR_ERROR_DTYPE, NULL, NULL, "float64");
    FAILS(mxr_autograd_mark(&x, &x, &bad, 1), MXR_ERROR_INVALID_VALUE, NULL, "requests", "17");
    CHECK(mxr_array_is_recorded(x) == 0);
    release(x, g, d);
    return 1;
}

static int an_input_that_was_overwritten_is_an_error(void) {
    mxr_array_t *x, *g, *y = NULL;
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(mxr_array_copy_from(x, DATA, sizeof DATA));
    FAILS(mxr_autograd_backward(&y, NULL, 1, 0), MXR_ERROR_AUTOGRAD, "square", NULL, "overwritten");
    release(x, g, y);
    return 1;
}

static int views_pass_gradients_on(void) {
    mxr_call_t call = {.struct_size = sizeof call, .flags = MXR_CALL_RECORDING};
    const int64_t column[2] = {3, 1};
    const float expected[3] = {2, 4, 6};
    mxr_array_t *x, *g, *view = NULL, *y = NULL;
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    OK(mxr_array_reshape(x, column, 2, &call, &view));
    OK(call_unary("square", view, MXR_CALL_RECORDING, &y));
    OK(mxr_autograd_backward(&y, NULL, 1, 0));
    CHECK(holds_f32(g, expected, 3));
    mxr_array_free(view);
    release(x, g, y);
    return 1;
}

/* A caller's function: what it was told, and what it does. */
typedef struct {
    int calls, drops, fails;
    int32_t inputs, outputs;
} custom_t;

static mxr_error_t *triple(void *payload, mxr_array_t *const *output_grads, int32_t num_outputs,
                           mxr_array_t **input_grads, int32_t num_inputs) {
    custom_t *custom = payload;
    mxr_attr_t three = {.id = 1, .tag = MXR_ATTR_FLOAT, .number = 3};
    const mxr_op_t *op = NULL;
    int32_t n = 1;
    custom->calls++;
    custom->inputs = num_inputs;
    custom->outputs = num_outputs;
    if (custom->fails) return mxr_error_new(MXR_ERROR_CALLBACK, "the callback's reason", 4711);
    mxr_error_t *error = mxr_op_find("_mul_scalar", &op);
    if (error) return error;
    return mxr_op_invoke(op, output_grads, 1, &three, 1, input_grads, &n, NULL, NULL);
}

static void dropped(void *payload) { ((custom_t *)payload)->drops++; }

/* The input times three, as a function of the caller's. */
static int record_triple(custom_t *custom, mxr_array_t *x, mxr_array_t **y) {
    const float data[3] = {3, 6, 9};
    *y = vector_f32(3, data);
    OK(mxr_autograd_record_custom("triple", &x, 1, y, 1, triple, custom, dropped));
    CHECK(mxr_array_is_recorded(*y) == 1);
    return 1;
}

static int a_function_of_the_callers_is_differentiated_by_its_callback(void) {
    custom_t custom = {0};
    mxr_array_t *x, *g, *y = NULL, *z = NULL;
    const float expected[3] = {3 * 6, 3 * 12, 3 * 18};
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    CHECK(record_triple(&custom, x, &y));
    OK(call_unary("square", y, MXR_CALL_RECORDING, &z));
    OK(mxr_autograd_backward(&z, NULL, 1, 0));
    CHECK(holds_f32(g, expected, 3));
    CHECK(custom.calls == 1 && custom.inputs == 1 && custom.outputs == 1);
    mxr_array_free(z);
    release(x, g, y);
    mxr_events_poll();
    CHECK(custom.drops == 1);
    return 1;
}

static int an_error_of_the_callback_comes_out_with_its_origin(void) {
    custom_t custom = {.fails = 1};
    mxr_array_t *x, *g, *y = NULL;
    const float zeros[3] = {0};
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    CHECK(record_triple(&custom, x, &y));
    mxr_error_t *error = mxr_autograd_backward(&y, NULL, 1, MXR_BACKWARD_RETAIN_GRAPH);
    CHECK(error != NULL && mxr_error_origin(error) == 4711);
    CHECK(check_error_is(error, MXR_ERROR_CALLBACK, "triple", NULL, "the callback's reason"));
    CHECK(holds_f32(g, zeros, 3));
    custom.fails = 0;
    OK(mxr_autograd_backward(&y, NULL, 1, 0));
    const float threes[3] = {3, 3, 3};
    CHECK(holds_f32(g, threes, 3) && custom.calls == 2);
    release(x, g, y);
    mxr_events_poll();
    CHECK(custom.drops == 1);
    return 1;
}

static mxr_error_t *forgetful(void *payload, mxr_array_t *const *output_grads, int32_t num_outputs,
                              mxr_array_t **input_grads, int32_t num_inputs) {
    (void)payload, (void)output_grads, (void)num_outputs, (void)input_grads, (void)num_inputs;
    return NULL;
}

static int a_callback_that_leaves_a_gradient_out_is_an_error(void) {
    mxr_array_t *x, *g, *y = vector_f32(3, DATA);
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    FAILS(mxr_autograd_record_custom("forgetful", &x, 1, &y, 1, NULL, NULL, NULL), MXR_ERROR_INVALID_VALUE,
          NULL, "backward", "got NULL");
    OK(mxr_autograd_record_custom("forgetful", &x, 1, &y, 1, forgetful, NULL, NULL));
    FAILS(mxr_autograd_backward(&y, NULL, 1, 0), MXR_ERROR_INVALID_VALUE, "forgetful", "input_grads",
          "got NULL");
    release(x, g, y);
    return 1;
}

/* The symbol of a recorded square, its variable and what it computes when it is bound. */
static int a_recorded_computation_is_a_symbol(void) {
    mxr_array_t *x, *g, *y = NULL, *output = NULL;
    mxr_symbol_t *symbol = NULL;
    mxr_texts_t *names = NULL;
    mxr_executor_t *executor = NULL;
    const float squares[3] = {1, 4, 9};
    CHECK(variable(MXR_REQUEST_WRITE, &x, &g));
    FAILS(mxr_autograd_symbol(&x, 0, NULL), MXR_ERROR_INVALID_VALUE, NULL, "symbol", "NULL");
    OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
    OK(mxr_autograd_symbol(&y, 1, &symbol));
    OK(mxr_symbol_list(symbol, MXR_LIST_ARGUMENTS, &names));
    CHECK(mxr_texts_len(names) == 1 && strcmp(mxr_texts_get(names, 0), "var0") == 0);
    OK(mxr_executor_bind(symbol, &x, NULL, NULL, 1, NULL, NULL, &executor));
    OK(mxr_executor_forward(executor, 0));
    OK(mxr_executor_array(executor, MXR_LIST_OUTPUTS, 0, &output));
    CHECK(holds_f32(output, squares, 3));
    mxr_executor_free(executor);
    mxr_symbol_free(symbol);
    mxr_texts_free(names);
    mxr_array_free(output);
    symbol = NULL;
    FAILS(mxr_autograd_symbol(&g, 1, &symbol), MXR_ERROR_AUTOGRAD, NULL, "heads", "not part of a recorded graph");
    CHECK(symbol == NULL);
    release(x, g, y);
    return 1;
}

int main(void) {
    RUN(the_gradient_of_a_square_is_twice_the_input);
    RUN(head_gradients_weight_the_heads);
    RUN(a_head_gradient_of_another_shape_is_an_error);
    RUN(a_graph_serves_once_unless_it_is_retained);
    RUN(gradients_can_be_differentiated_again);
    RUN(what_was_not_recorded_has_no_gradient);
    RUN(a_gradient_that_does_not_match_is_refused);
    RUN(an_input_that_was_overwritten_is_an_error);
    RUN(views_pass_gradients_on);
    RUN(a_function_of_the_callers_is_differentiated_by_its_callback);
    RUN(an_error_of_the_callback_comes_out_with_its_origin);
    RUN(a_callback_that_leaves_a_gradient_out_is_an_error);
    RUN(a_recorded_computation_is_a_symbol);
    return check_summary();
}
