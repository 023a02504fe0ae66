/* Symbols: composed, listed, inferred, written and read back; wrong handles and texts. */
#include "check.h"

/* Calls an operator with one attribute, or none if `key` is NULL, on inputs by position. */
static mxr_error_t *call(const char *op_name, const char *name, const char *key, const char *value,
                         mxr_symbol_t *input, mxr_symbol_t **out) {
    const mxr_op_t *op = NULL;
    mxr_error_t *error = mxr_op_find(op_name, &op);
    if (error) return error;
    return mxr_symbol_call(op, name, &key, &value, key != NULL, &input, NULL, 1, out);
}

/* Whether list `which` of a symbol holds exactly these texts. */
static int lists(const mxr_symbol_t *symbol, int32_t which, const char *const *expected, int64_t n) {
    mxr_texts_t *names = NULL;
    OK(mxr_symbol_list(symbol, which, &names));
    int same = mxr_texts_len(names) == n;
    for (int64_t i = 0; same && i < n; i++) same = check_same_text(mxr_texts_get(names, i), expected[i]);
    same = same && mxr_texts_get(names, n) == NULL && mxr_texts_get(names, -1) == NULL;
    mxr_texts_free(names);
    return same;
}

/* data -> fully connected layer `fc` -> batch normalisation `bn`. */
static int network(mxr_symbol_t **out) {
    mxr_symbol_t *data = NULL, *fc = NULL;
    const char *key = "lr_mult", *value = "2";
    OK(mxr_symbol_variable("data", &key, &value, 1, &data));
    OK(call("FullyConnected", "fc", "num_hidden", "4", data, &fc));
    OK(call("BatchNorm", "bn", NULL, NULL, fc, out));
    mxr_symbol_free(data);
    mxr_symbol_free(fc);
    return 1;
}

static int composing_makes_variables(void) {
    const char *arguments[5] = {"data", "fc_weight", "fc_bias", "bn_gamma", "bn_beta"};
    const char *states[2] = {"bn_moving_mean", "bn_moving_var"}, *outputs[1] = {"bn_output"};
    mxr_symbol_t *net = NULL, *internals = NULL, *fc = NULL, *children = NULL;
    char *name = NULL, *value = NULL;
    CHECK(network(&net));
    CHECK(lists(net, MXR_LIST_ARGUMENTS, arguments, 5) && lists(net, MXR_LIST_AUXILIARY_STATES, states, 2));
    CHECK(lists(net, MXR_LIST_OUTPUTS, outputs, 1));
    OK(mxr_symbol_name(net, &name));
    CHECK(check_same_text(name, "bn"));
    OK(mxr_symbol_internals(net, &internals));
    OK(mxr_symbol_output_named(internals, "fc_output", &fc));
    CHECK(lists(fc, MXR_LIST_INPUTS, arguments, 3));
    OK(mxr_symbol_attr(fc, "num_hidden", &value));
    CHECK(check_same_text(value, "4"));
    mxr_string_free(name);
    mxr_string_free(value);
    OK(mxr_symbol_children(fc, &children));
    CHECK(lists(children, MXR_LIST_OUTPUTS, arguments, 3));
    OK(mxr_symbol_name(children, &name));
    CHECK(name == NULL);
    mxr_symbol_free(net);
    mxr_symbol_free(internals);
    mxr_symbol_free(fc);
    mxr_symbol_free(children);
    return 1;
}

static int inputs_are_given_by_name_and_replaced(void) {
    const char *names[2] = {NULL, "weight"}, *arguments[3] = {"x", "w", "fc_bias"}, *replaced[3] = {"y", "w", "fc_bias"};
    const char *key = "num_hidden", *value = "4", *x_name = "x";
    const mxr_op_t *op = NULL;
    mxr_symbol_t *in[2] = {NULL, NULL}, *fc = NULL, *y = NULL, *again = NULL;
    OK(mxr_op_find("FullyConnected", &op));
    OK(mxr_symbol_variable("x", NULL, NULL, 0, &in[0]));
    OK(mxr_symbol_variable("w", NULL, NULL, 0, &in[1]));
    OK(mxr_symbol_variable("y", NULL, NULL, 0, &y));
    OK(mxr_symbol_call(op, "fc", &key, &value, 1, in, names, 2, &fc));
    CHECK(lists(fc, MXR_LIST_ARGUMENTS, arguments, 3));
    OK(mxr_symbol_compose(fc, "again", &y, &x_name, 1, &again));
    CHECK(lists(again, MXR_LIST_ARGUMENTS, replaced, 3) && lists(fc, MXR_LIST_ARGUMENTS, arguments, 3));
    names[1] = "wait";
    mxr_symbol_t *none = NULL;
    FAILS(mxr_symbol_call(op, "fc", &key, &value, 1, in, names, 2, &none), MXR_ERROR_NOT_FOUND, "FullyConnected",
          "wait", "weight");
    CHECK(none == NULL);
    mxr_symbol_free(in[0]);
    mxr_symbol_free(in[1]);
    mxr_symbol_free(y);
    mxr_symbol_free(fc);
    mxr_symbol_free(again);
    return 1;
}

static int shapes_and_dtypes_are_inferred(void) {
    const int64_t sizes[4] = {5, -1, 4, 7}, wrong[4] = {5, 3, 4, 7}, *shape = NULL;
    const int32_t axes[2] = {2, 2}, half = MXR_FLOAT16;
    const char *names[2] = {"data", "fc_weight"};
    int32_t num_axes = 0, dtype = 0;
    mxr_symbol_t *net = NULL;
    mxr_inferred_t *inferred = NULL;
    CHECK(network(&net));
    OK(mxr_symbol_infer_shapes(net, names, sizes, axes, 2, &inferred));
    OK(mxr_inferred_shape(inferred, MXR_LIST_OUTPUTS, 0, &shape, &num_axes));
    CHECK(num_axes == 2 && shape[0] == 5 && shape[1] == 4);
    OK(mxr_inferred_shape(inferred, MXR_LIST_AUXILIARY_STATES, 1, &shape, &num_axes));
    CHECK(num_axes == 1 && shape[0] == 4);
    FAILS(mxr_inferred_shape(inferred, MXR_LIST_OUTPUTS, 1, &shape, &num_axes), MXR_ERROR_INDEX, NULL, "i", "1");
    mxr_inferred_free(inferred);
    OK(mxr_symbol_infer_shapes(net, NULL, NULL, NULL, 0, &inferred));
    CHECK(mxr_inferred_complete(inferred) == 0);
    OK(mxr_inferred_shape(inferred, MXR_LIST_ARGUMENTS, 0, &shape, &num_axes));
    CHECK(num_axes == -1);
    mxr_inferred_free(inferred);
    OK(mxr_symbol_infer_dtypes(net, names, &half, 1, &inferred));
    OK(mxr_inferred_dtype(inferred, MXR_LIST_OUTPUTS, 0, &dtype));
    CHECK(dtype == MXR_FLOAT16 && mxr_inferred_complete(inferred) == 1);
    mxr_inferred_free(inferred);
    FAILS(mxr_symbol_infer_shapes(net, names, wrong, axes, 2, &inferred), MXR_ERROR_SHAPE, "FullyConnected", "weight",
          "in node 'fc'");
    mxr_symbol_free(net);
    return 1;
}

static int a_file_comes_back(void) {
    const char *path = "symbol.json";
    char *before = NULL, *after = NULL, *text = NULL;
    mxr_symbol_t *net = NULL, *loaded = NULL, *read = NULL;
    CHECK(network(&net));
    OK(mxr_symbol_to_json(net, &before));
    OK(mxr_symbol_save(net, path));
    OK(mxr_symbol_load(path, &loaded));
    OK(mxr_symbol_to_json(loaded, &after));
    CHECK(check_same_text(before, after) && strstr(after, "\"__lr_mult__\": \"2\"") != NULL);
    OK(mxr_symbol_from_json(before, &read));
    OK(mxr_symbol_text(read, &text));
    CHECK(strstr(text, "Op:BatchNorm, Name=bn") != NULL);
    mxr_string_free(before);
    mxr_string_free(after);
    mxr_string_free(text);
    mxr_symbol_free(net);
    mxr_symbol_free(loaded);
    mxr_symbol_free(read);
    remove(path);
    return 1;
}

static int attributes_are_set_and_listed(void) {
    const char *key = "wd_mult", *value = "0";
    mxr_symbol_t *net = NULL, *changed = NULL;
    mxr_texts_t *attrs = NULL;
    char *found = NULL;
    CHECK(network(&net));
    OK(mxr_symbol_with_attrs(net, &key, &value, 1, &changed));
    OK(mxr_symbol_attr(changed, "__wd_mult__", &found));
    CHECK(check_same_text(found, "0"));
    mxr_string_free(found);
    OK(mxr_symbol_attr(net, "wd_mult", &found));
    CHECK(found == NULL);
    OK(mxr_symbol_attrs(changed, 0, &attrs));
    CHECK(mxr_texts_len(attrs) == 6 && check_same_text(mxr_texts_get(attrs, 0), "bn"));
    mxr_texts_free(attrs);
    OK(mxr_symbol_attrs(changed, 1, &attrs));
    CHECK(mxr_texts_len(attrs) > 6 && mxr_texts_len(attrs) % 3 == 0);
    mxr_texts_free(attrs);
    mxr_symbol_free(net);
    mxr_symbol_free(changed);
    return 1;
}

static int wrong_arguments_are_errors(void) {
    mxr_symbol_t *x = NULL, *none = NULL;
    mxr_texts_t *names = NULL;
    const mxr_op_t *op = NULL;
    OK(mxr_op_find("exp", &op));
    OK(mxr_symbol_variable("x", NULL, NULL, 0, &x));
    FAILS(mxr_symbol_variable(NULL, NULL, NULL, 0, &none), MXR_ERROR_INVALID_VALUE, NULL, "name", "NULL");
    FAILS(mxr_symbol_variable("v", NULL, NULL, 1, &none), MXR_ERROR_INVALID_VALUE, NULL, "keys", "NULL");
    FAILS(mxr_symbol_variable("v", NULL, NULL, -1, &none), MXR_ERROR_INVALID_VALUE, NULL, "num_attrs", "-1");
    FAILS(mxr_symbol_call(NULL, "e", NULL, NULL, 0, &x, NULL, 1, &none), MXR_ERROR_INVALID_VALUE, NULL, "op", "NULL");
    FAILS(mxr_symbol_call(op, "e", NULL, NULL, 0, &none, NULL, 1, &none), MXR_ERROR_INVALID_VALUE, NULL, "inputs", "NULL");
    FAILS(mxr_symbol_list(NULL, 1, &names), MXR_ERROR_INVALID_VALUE, NULL, "symbol", "NULL");
    FAILS(mxr_symbol_list(x, 9, &names), MXR_ERROR_INVALID_VALUE, NULL, "list", "9");
    FAILS(mxr_symbol_output(x, -1, &none), MXR_ERROR_INDEX, NULL, "index", "-1");
    FAILS(mxr_symbol_output(x, 1, &none), MXR_ERROR_INDEX, NULL, "index", "1");
    FAILS(mxr_symbol_from_json("{", &none), MXR_ERROR_FORMAT, NULL, NULL, "JSON");
    FAILS(mxr_symbol_load("no/such/file", &none), MXR_ERROR_NOT_FOUND, NULL, NULL, "no/such/file");
    CHECK(mxr_texts_len(NULL) == -1 && mxr_texts_get(NULL, 0) == NULL && mxr_inferred_complete(NULL) == -1);
    CHECK(none == NULL && mxr_symbol_retain(NULL) == NULL);
    mxr_symbol_t *second = mxr_symbol_retain(x);
    mxr_symbol_free(x);
    CHECK(second && lists(second, MXR_LIST_INPUTS, (const char *[]){"x"}, 1));
    mxr_symbol_free(second);
    mxr_symbol_free(NULL);
    mxr_texts_free(NULL);
    mxr_inferred_free(NULL);
    return 1;
}

int main(void) {
    RUN(composing_makes_variables);
    RUN(inputs_are_given_by_name_and_replaced);
    RUN(shapes_and_dtypes_are_inferred);
    RUN(a_file_comes_back);
    RUN(attributes_are_set_and_listed);
    RUN(wrong_arguments_are_errors);
    return check_summary();
}
