/* A checkpoint of MXNet's gives MXNet's outputs: node by node, planned, and from a file of mxr's own.
   With MXR_CHECKPOINT=PREFIX it is PREFIX-symbol.json, PREFIX.params and, with inputs and outputs by name,
   PREFIX-expected.params; else the fixture. */
#include "check.h"

#define MOST 512
#define FIXTURE MXR_SOURCE_DIR "/tests/conformance/graphs/net"

static mxr_symbol_t *net;
/* Parameters without the prefixes of their names, then inputs, then outputs. */
static const char *names[MOST];
static mxr_array_t *arrays[MOST];
static int num_params, num_arrays;
/* The names live as long as the lists. */
static mxr_list_t *lists[2];
static mxr_texts_t *output_names;

static const char *path_of(const char *end) {
    static char path[4096];
    const char *prefix = getenv("MXR_CHECKPOINT");
    snprintf(path, sizeof path, "%s%s", prefix ? prefix : FIXTURE, end);
    return path;
}

static int add_all(mxr_list_t *list, size_t prefix) {
    for (int64_t i = 0; i < mxr_list_len(list) && num_arrays < MOST; i++, num_arrays++) {
        names[num_arrays] = mxr_list_name(list, i) + prefix;
        OK(mxr_list_array(list, i, &arrays[num_arrays]));
    }
    return 1;
}

static int a_checkpoint_is_read(void) {
    OK(mxr_symbol_load(path_of("-symbol.json"), &net));
    OK(mxr_symbol_list(net, MXR_LIST_OUTPUTS, &output_names));
    OK(mxr_list_load(path_of(getenv("MXR_CHECKPOINT") ? ".params" : "-0003.params"), &lists[0]));
    OK(mxr_list_load(path_of("-expected.params"), &lists[1]));
    CHECK(add_all(lists[0], strlen("arg:")));
    num_params = num_arrays;
    CHECK(add_all(lists[1], 0));
    CHECK(num_arrays > num_params);
    return 1;
}

static mxr_array_t *array_named(const char *name) {
    for (int i = 0; i < num_arrays; i++)
        if (strcmp(names[i], name) == 0) return arrays[i];
    return NULL;
}

static int64_t elements(mxr_array_t *array) {
    int64_t dims[8], n = 1;
    int32_t axes = 0;
    mxr_error_t *error = mxr_array_shape(array, dims, 8, &axes);
    if (error) {
        mxr_error_free(error);
        return -1;
    }
    for (int32_t i = 0; i < axes; i++) n *= dims[i];
    return n;
}

/* Differs by at most 1e-4 of the largest value, and by 1e-5 in all. */
static int is_close(mxr_array_t *got, mxr_array_t *expected) {
    int64_t n = elements(expected);
    CHECK(n > 0 && elements(got) == n);
    float *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)n * sizeof *b);
    double largest = 0, worst = 0, squares = 0, errors = 0;
    OK(mxr_array_copy_to(got, a, (uint64_t)n * sizeof *a));
    OK(mxr_array_copy_to(expected, b, (uint64_t)n * sizeof *b));
    for (int64_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i];
        largest = fmax(largest, fabs(b[i]));
        worst = fmax(worst, fabs(d));
        squares += (double)b[i] * b[i];
        errors += d * d;
    }
    free(a);
    free(b);
    CHECK(worst <= 1e-4 * largest && sqrt(errors) <= 1e-5 * sqrt(squares));
    return 1;
}

static int outputs_are_mxnets(mxr_array_t **outputs) {
    for (int64_t o = 0; o < mxr_texts_len(output_names); o++) {
        mxr_array_t *expected = array_named(mxr_texts_get(output_names, o));
        CHECK(expected && is_close(outputs[o], expected));
        mxr_array_free(outputs[o]);
    }
    return 1;
}

static int node_by_node_it_gives_mxnets_outputs(void) {
    mxr_array_t *outputs[MOST];
    OK(mxr_symbol_run(net, names, arrays, num_arrays, NULL, outputs));
    return outputs_are_mxnets(outputs);
}

static int planned(mxr_symbol_t *symbol) {
    mxr_texts_t *inputs = NULL;
    mxr_executor_t *executor = NULL;
    mxr_array_t *variables[MOST], *outputs[MOST];
    OK(mxr_symbol_list(symbol, MXR_LIST_INPUTS, &inputs));
    int32_t n = (int32_t)mxr_texts_len(inputs);
    for (int32_t i = 0; i < n; i++) CHECK((variables[i] = array_named(mxr_texts_get(inputs, i))) != NULL);
    OK(mxr_executor_bind(symbol, variables, NULL, NULL, n, NULL, NULL, &executor));
    OK(mxr_executor_forward(executor, 0));
    for (int64_t o = 0; o < mxr_texts_len(output_names); o++)
        OK(mxr_executor_array(executor, MXR_LIST_OUTPUTS, o, &outputs[o]));
    CHECK(outputs_are_mxnets(outputs));
    mxr_executor_free(executor);
    mxr_texts_free(inputs);
    return 1;
}

static int planned_it_gives_mxnets_outputs(void) { return planned(net); }

static int from_a_file_of_mxrs_own_it_gives_mxnets_outputs(void) {
    const char *path = "checkpoint.safetensors", *prefixed[MOST];
    mxr_model_t *model = NULL;
    mxr_symbol_t *symbol = NULL;
    for (int i = 0; i < num_params; i++) prefixed[i] = names[i] - strlen("arg:");
    OK(mxr_model_save(path, net, prefixed, arrays, num_params, NULL, 0, NULL, NULL, 0));
    OK(mxr_model_load(path, 0, &model));
    OK(mxr_model_symbol(model, &symbol));
    CHECK(planned(symbol));
    mxr_symbol_free(symbol);
    mxr_model_free(model);
    return 1;
}

int main(void) {
    RUN(a_checkpoint_is_read);
    RUN(node_by_node_it_gives_mxnets_outputs);
    RUN(planned_it_gives_mxnets_outputs);
    RUN(from_a_file_of_mxrs_own_it_gives_mxnets_outputs);
    for (int i = 0; i < num_arrays; i++) mxr_array_free(arrays[i]);
    mxr_list_free(lists[0]);
    mxr_list_free(lists[1]);
    mxr_texts_free(output_names);
    mxr_symbol_free(net);
    return check_summary();
}
