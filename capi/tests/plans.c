/* Plans, executors and cached operators: compiled, run, watched, refused. */
#include "check.h"

/* data -> fully connected layer `fc` with one unit -> exp `e`. */
static int network(mxr_symbol_t **out) {
    const char *key = "num_hidden", *value = "1";
    const mxr_op_t *op = NULL;
    mxr_symbol_t *data = NULL, *fc = NULL;
    OK(mxr_symbol_variable("data", NULL, NULL, 0, &data));
    OK(mxr_op_find("FullyConnected", &op));
    OK(mxr_symbol_call(op, "fc", &key, &value, 1, &data, NULL, 1, &fc));
    OK(mxr_op_find("negative", &op));
    OK(mxr_symbol_call(op, "n", NULL, NULL, 0, &fc, NULL, 1, out));
    mxr_symbol_free(data);
    mxr_symbol_free(fc);
    return 1;
}

static const char *DATA = "data";
static const int64_t SHAPE[2] = {2, 3}, *SHAPES[1] = {SHAPE};
static const int32_t AXES = 2;
/* Elements of data, weight and bias. */
static const int sizes[3] = {6, 3, 1};

/* What is known: the shape of the data, and a request for all gradients. */
static mxr_known_t known(int32_t requests) {
    mxr_known_t k;
    memset(&k, 0, sizeof k);
    k.struct_size = sizeof k;
    k.num_shapes = 1;
    k.shape_names = &DATA;
    k.shapes = SHAPES;
    k.num_axes = &AXES;
    k.other_requests = requests;
    return k;
}

static int fill(mxr_array_t *array, int n, float value) {
    float values[6];
    for (int i = 0; i < 6; i++) values[i] = value;
    OK(mxr_array_copy_from(array, values, (uint64_t)n * sizeof(float)));
    return 1;
}

static int holds(mxr_array_t *array, int n, float value) {
    float values[6] = {0};
    OK(mxr_array_copy_to(array, values, (uint64_t)n * sizeof(float)));
    for (int i = 0; i < n; i++) CHECK(values[i] == value);
    return 1;
}

static int a_plan_tells_what_it_takes(void) {
    mxr_symbol_t *net = NULL;
    mxr_plan_t *plan = NULL;
    mxr_texts_t *texts = NULL;
    char *text = NULL;
    mxr_known_t k = known(MXR_REQUEST_WRITE);
    mxr_plan_options_t options = {sizeof options, MXR_PLAN_TRAINING | MXR_PLAN_KEEP_PASSES, MXR_BUDGET_LEAST, 0, 0};
    mxr_plan_report_t report;
    CHECK(network(&net));
    OK(mxr_plan_new(net, &k, &options, &plan));
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    OK(mxr_plan_report(plan, &report));
    CHECK(report.parameter_bytes == 2 * 4 * (6 + 3 + 1) && report.peak_bytes > 0 && report.flops > 0);
    int64_t steps = report.steps;
    report.steps = -1;
    report.struct_size = 16;
    OK(mxr_plan_report(plan, &report));
    CHECK(report.steps == -1 && steps > 0);
    OK(mxr_plan_text(plan, &text));
    CHECK(strstr(text, "FullyConnected") != NULL && strstr(text, "peak") != NULL);
    mxr_string_free(text);
    OK(mxr_plan_choices(plan, &texts));
    CHECK(mxr_texts_len(texts) == 0);
    mxr_texts_free(texts);
    OK(mxr_plan_passes(plan, &texts));
    CHECK(mxr_texts_len(texts) > 6 && mxr_texts_len(texts) % 3 == 0);
    CHECK(check_same_text(mxr_texts_get(texts, 0), "lower") && strstr(mxr_texts_get(texts, 2), "digraph") != NULL);
    mxr_texts_free(texts);
    mxr_plan_t *second = mxr_plan_retain(plan);
    mxr_plan_free(plan);
    mxr_plan_free(second);
    mxr_symbol_free(net);
    return 1;
}

static int an_executor_runs_both_ways(void) {
    mxr_symbol_t *net = NULL;
    mxr_executor_t *executor = NULL;
    mxr_array_t *x = NULL, *weight = NULL, *bias = NULL, *y = NULL, *gradient = NULL, *none = NULL;
    mxr_known_t k = known(MXR_REQUEST_WRITE);
    const char *name = "data";
    int32_t request = MXR_REQUEST_NULL;
    k.num_requests = 1;
    k.request_names = &name;
    k.requests = &request;
    CHECK(network(&net));
    OK(mxr_executor_simple_bind(net, &k, NULL, NULL, &executor));
    OK(mxr_executor_array(executor, MXR_LIST_ARGUMENTS, 0, &x));
    OK(mxr_executor_array(executor, MXR_LIST_ARGUMENTS, 1, &weight));
    OK(mxr_executor_array(executor, MXR_LIST_ARGUMENTS, 2, &bias));
    OK(mxr_executor_array(executor, MXR_LIST_OUTPUTS, 0, &y));
    FAILS(mxr_executor_backward(executor, NULL, 0), MXR_ERROR_AUTOGRAD, NULL, NULL, "forward");
    CHECK(fill(x, 6, 2) && fill(weight, 3, 0.5f));
    OK(mxr_executor_forward(executor, 1));
    CHECK(holds(y, 2, -3));
    FAILS(mxr_executor_backward(executor, NULL, 0), MXR_ERROR_AUTOGRAD, NULL, "out_grads", "make_loss");
    OK(mxr_executor_backward(executor, &y, 1));
    OK(mxr_executor_gradient(executor, 1, &gradient));
    CHECK(holds(gradient, 3, 12));
    OK(mxr_executor_gradient(executor, 0, &none));
    CHECK(none == NULL);
    FAILS(mxr_executor_gradient(executor, 3, &none), MXR_ERROR_INDEX, NULL, "i", "3");
    FAILS(mxr_executor_array(executor, 9, 0, &none), MXR_ERROR_INVALID_VALUE, NULL, "list", "9");
    mxr_array_free(gradient);
    mxr_array_free(x);
    mxr_array_free(weight);
    mxr_array_free(bias);
    mxr_array_free(y);
    mxr_executor_free(executor);
    mxr_symbol_free(net);
    return 1;
}

struct seen {
    int calls, dropped;
    char name[32];
};

static void see(void *payload, const char *name, mxr_array_t *array) {
    struct seen *seen = payload;
    (void)array;
    seen->calls++;
    snprintf(seen->name, sizeof seen->name, "%s", name);
}

static void forget(void *payload) { ((struct seen *)payload)->dropped++; }

static int executors_are_bound_shared_reshaped_and_watched(void) {
    mxr_symbol_t *net = NULL;
    mxr_executor_t *first = NULL, *executor = NULL, *smaller = NULL;
    mxr_array_t *arrays[3] = {NULL, NULL, NULL}, *y = NULL;
    mxr_plan_t *plan = NULL;
    const int64_t one[2] = {1, 3}, *small[1] = {one};
    const char *names[2] = {"fc_bias", "other"};
    struct seen seen = {0, 0, ""};
    mxr_known_t k = known(MXR_REQUEST_NULL);
    CHECK(network(&net));
    OK(mxr_executor_simple_bind(net, &k, NULL, NULL, &first));
    for (int i = 0; i < 3; i++) {
        OK(mxr_executor_array(first, MXR_LIST_ARGUMENTS, i, &arrays[i]));
        CHECK(fill(arrays[i], sizes[i], 1));
    }
    OK(mxr_executor_bind(net, arrays, NULL, NULL, 3, first, NULL, &executor));
    OK(mxr_executor_set_monitor(executor, see, &seen, forget));
    OK(mxr_executor_forward(executor, 0));
    CHECK(seen.calls == 2 && check_same_text(seen.name, "n_output"));
    OK(mxr_executor_set_monitor(executor, NULL, NULL, NULL));
    mxr_events_poll();
    CHECK(seen.dropped == 1);
    OK(mxr_executor_array(executor, MXR_LIST_OUTPUTS, 0, &y));
    CHECK(holds(y, 2, -4));
    mxr_array_t *given[2] = {arrays[2], arrays[0]};
    OK(mxr_executor_copy_params(executor, names, given, 2, 1));
    FAILS(mxr_executor_copy_params(executor, names, given, 2, 0), MXR_ERROR_NOT_FOUND, NULL, NULL, "other");
    k.shapes = small;
    OK(mxr_executor_reshape(executor, &k, 0, &smaller));
    OK(mxr_executor_forward(smaller, 0));
    OK(mxr_executor_plan(smaller, 0, &plan));
    FAILS(mxr_executor_bind(net, arrays, NULL, NULL, 2, NULL, NULL, &executor), MXR_ERROR_INVALID_VALUE, NULL, NULL, "3");
    mxr_plan_free(plan);
    for (int i = 0; i < 3; i++) mxr_array_free(arrays[i]);
    mxr_array_free(y);
    mxr_executor_t *again = mxr_executor_retain(smaller);
    mxr_executor_free(again);
    mxr_executor_free(smaller);
    mxr_executor_free(executor);
    mxr_executor_free(first);
    mxr_symbol_free(net);
    return 1;
}

static int a_cached_operator_is_called(void) {
    mxr_symbol_t *net = NULL;
    mxr_executor_t *executor = NULL;
    mxr_cached_op_t *op = NULL;
    mxr_array_t *arrays[3] = {NULL, NULL, NULL}, *y = NULL;
    mxr_known_t k = known(MXR_REQUEST_NULL);
    CHECK(network(&net));
    OK(mxr_executor_simple_bind(net, &k, NULL, NULL, &executor));
    for (int i = 0; i < 3; i++) {
        OK(mxr_executor_array(executor, MXR_LIST_ARGUMENTS, i, &arrays[i]));
        CHECK(fill(arrays[i], sizes[i], 1));
    }
    OK(mxr_cached_op_new(net, 1, NULL, &op));
    OK(mxr_cached_op_call(op, arrays, 3, NULL, &y));
    CHECK(holds(y, 2, -4));
    FAILS(mxr_cached_op_call(op, arrays, 2, NULL, &y), MXR_ERROR_INVALID_VALUE, NULL, NULL, "fc_bias");
    mxr_cached_op_t *again = mxr_cached_op_retain(op);
    mxr_cached_op_free(again);
    mxr_cached_op_free(op);
    for (int i = 0; i < 3; i++) mxr_array_free(arrays[i]);
    mxr_array_free(y);
    mxr_executor_free(executor);
    mxr_symbol_free(net);
    return 1;
}

static int wrong_arguments_are_errors(void) {
    mxr_symbol_t *net = NULL;
    mxr_plan_t *plan = NULL;
    mxr_executor_t *executor = NULL;
    mxr_cached_op_t *op = NULL;
    mxr_known_t k = known(9);
    mxr_plan_options_t options = {sizeof options, 0, -7, 0, 0};
    CHECK(network(&net));
    FAILS(mxr_plan_new(NULL, NULL, NULL, &plan), MXR_ERROR_INVALID_VALUE, NULL, "symbol", "NULL");
    FAILS(mxr_plan_new(net, NULL, NULL, &plan), MXR_ERROR_SHAPE, NULL, "data", "shape");
    FAILS(mxr_plan_new(net, &k, NULL, &plan), MXR_ERROR_INVALID_VALUE, NULL, "requests", "9");
    k = known(MXR_REQUEST_WRITE);
    FAILS(mxr_plan_new(net, &k, &options, &plan), MXR_ERROR_INVALID_VALUE, NULL, "budget", "bytes");
    options.budget = 1;
    FAILS(mxr_plan_new(net, &k, &options, &plan), MXR_ERROR_INVALID_VALUE, NULL, "budget", "least");
    FAILS(mxr_plan_text(NULL, NULL), MXR_ERROR_INVALID_VALUE, NULL, "text", "NULL");
    FAILS(mxr_plan_new(net, &k, NULL, NULL), MXR_ERROR_INVALID_VALUE, NULL, "plan", "NULL");
    FAILS(mxr_executor_simple_bind(net, &k, NULL, NULL, NULL), MXR_ERROR_INVALID_VALUE, NULL, "executor", "NULL");
    FAILS(mxr_cached_op_new(net, 0, NULL, NULL), MXR_ERROR_INVALID_VALUE, NULL, "cached_op", "NULL");
    FAILS(mxr_executor_forward(NULL, 0), MXR_ERROR_INVALID_VALUE, NULL, "executor", "NULL");
    FAILS(mxr_cached_op_new(NULL, 0, NULL, &op), MXR_ERROR_INVALID_VALUE, NULL, "symbol", "NULL");
    CHECK(plan == NULL && executor == NULL && op == NULL);
    CHECK(mxr_plan_retain(NULL) == NULL && mxr_executor_retain(NULL) == NULL && mxr_cached_op_retain(NULL) == NULL);
    mxr_plan_free(NULL);
    mxr_executor_free(NULL);
    mxr_cached_op_free(NULL);
    mxr_symbol_free(net);
    return 1;
}

int main(void) {
    RUN(a_plan_tells_what_it_takes);
    RUN(an_executor_runs_both_ways);
    RUN(executors_are_bound_shared_reshaped_and_watched);
    RUN(a_cached_operator_is_called);
    RUN(wrong_arguments_are_errors);
    return check_summary();
}
