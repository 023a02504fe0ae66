/* Symbols with loops and branches: composed, run over libmxr alone, written and read back; bodies that do not fit. */
#include "check.h"

static const char *const KEY = "__subgraph_name__";

/* A variable in the scope of a body, or outside if `scope` is NULL. */
static mxr_symbol_t *variable(const char *name, const char *scope) {
    mxr_symbol_t *out = NULL;
    if (mxr_symbol_variable(name, &KEY, &scope, scope != NULL, &out)) return NULL;
    return out;
}

/* A call of an operator of one or two symbols in a scope. */
static mxr_symbol_t *call(const char *op_name, const char *name, const char *scope, mxr_symbol_t *a,
                          mxr_symbol_t *b) {
    const mxr_op_t *op = NULL;
    mxr_symbol_t *inputs[2] = {a, b}, *out = NULL;
    if (mxr_op_find(op_name, &op)) return NULL;
    if (mxr_symbol_call(op, name, &KEY, &scope, scope != NULL, inputs, NULL, b ? 2 : 1, &out)) return NULL;
    return out;
}

/* Running sums of the rows of `x` from the state `s`. */
static mxr_error_t *running_sums(mxr_symbol_t **loop) {
    mxr_symbol_t *x = variable("x", NULL), *s = variable("s", NULL);
    mxr_symbol_t *variables[2] = {variable("row", "body"), variable("sum", "body")};
    mxr_symbol_t *sum = call("elemwise_add", "add", "body", variables[0], variables[1]);
    mxr_symbol_t *outputs[2] = {sum, sum};
    mxr_body_t body = {sizeof body, 2, "body", variables, outputs, 2, 0};
    mxr_error_t *error = mxr_symbol_foreach("loop", NULL, NULL, 0, &x, 1, &s, 1, &body, loop);
    mxr_symbol_free(x);
    mxr_symbol_free(s);
    mxr_symbol_free(variables[0]);
    mxr_symbol_free(variables[1]);
    mxr_symbol_free(sum);
    return error;
}

static int a_loop_is_written_and_read_back(void) {
    mxr_symbol_t *loop = NULL, *again = NULL;
    char *text = NULL, *second = NULL;
    OK(running_sums(&loop));
    OK(mxr_symbol_to_json(loop, &text));
    OK(mxr_symbol_from_json(text, &again));
    OK(mxr_symbol_to_json(again, &second));
    CHECK(check_same_text(text, second));
    mxr_string_free(text);
    mxr_string_free(second);
    mxr_symbol_free(loop);
    mxr_symbol_free(again);
    return 1;
}

static int shapes_follow_through_a_loop(void) {
    const int64_t rows[2] = {4, 3}, *found = NULL;
    const int32_t axes = 2;
    const char *name = "x";
    int32_t num_axes = 0;
    mxr_symbol_t *loop = NULL;
    mxr_inferred_t *inferred = NULL;
    OK(running_sums(&loop));
    OK(mxr_symbol_infer_shapes(loop, &name, rows, &axes, 1, &inferred));
    OK(mxr_inferred_shape(inferred, MXR_LIST_OUTPUTS, 1, &found, &num_axes));
    CHECK(num_axes == 1 && found[0] == 3);
    mxr_inferred_free(inferred);
    mxr_symbol_free(loop);
    return 1;
}

/* Doubles `i` as long as it is less than `end`. */
static mxr_error_t *doublings(int64_t most, mxr_symbol_t **loop) {
    mxr_symbol_t *i = variable("i", NULL), *end = variable("end", NULL);
    mxr_symbol_t *tested = variable("i-0", "test"), *at = variable("i-0", "step");
    mxr_symbol_t *test = call("_lesser", "less", "test", tested, end);
    mxr_symbol_t *twice = call("elemwise_add", "twice", "step", at, at);
    mxr_symbol_t *outputs[2] = {twice, twice};
    mxr_body_t cond = {sizeof cond, 1, "test", &tested, &test, 1, 0};
    mxr_body_t func = {sizeof func, 1, "step", &at, outputs, 2, 0};
    mxr_error_t *error = mxr_symbol_while_loop("loop", NULL, NULL, 0, &i, 1, &cond, &func, most, loop);
    mxr_symbol_t *made[6] = {i, end, tested, at, test, twice};
    for (int n = 0; n < 6; n++) mxr_symbol_free(made[n]);
    return error;
}

static int a_while_loop_needs_steps(void) {
    mxr_symbol_t *loop = NULL;
    mxr_texts_t *names = NULL;
    FAILS(doublings(0, &loop), MXR_ERROR_INVALID_VALUE, "_while_loop", "max_iterations", "at least 1");
    OK(doublings(6, &loop));
    OK(mxr_symbol_list(loop, MXR_LIST_ARGUMENTS, &names));
    CHECK(mxr_texts_len(names) == 2 && check_same_text(mxr_texts_get(names, 1), "end"));
    mxr_texts_free(names);
    mxr_symbol_free(loop);
    return 1;
}

static int branches_must_have_as_many_outputs(void) {
    mxr_symbol_t *x = variable("x", NULL), *chosen = NULL;
    mxr_symbol_t *test = call("sum", "total", NULL, x, NULL);
    mxr_symbol_t *one = call("negative", "one", "then", x, NULL), *other = call("square", "other", "else", x, NULL);
    mxr_symbol_t *two[2] = {other, other};
    mxr_body_t pred = {sizeof pred, 0, "pred", NULL, &test, 1, 0};
    mxr_body_t then = {sizeof then, 0, "then", NULL, &one, 1, 0};
    mxr_body_t otherwise = {sizeof otherwise, 0, "else", NULL, two, 2, 0};
    FAILS(mxr_symbol_cond("c", NULL, NULL, 0, &pred, &then, &otherwise, &chosen), MXR_ERROR_INVALID_VALUE, NULL,
          "else", "expected 1 symbols, got 2");
    otherwise.num_outputs = 1;
    OK(mxr_symbol_cond("c", NULL, NULL, 0, &pred, &then, &otherwise, &chosen));
    mxr_symbol_t *made[5] = {x, chosen, test, one, other};
    for (int n = 0; n < 5; n++) mxr_symbol_free(made[n]);
    return 1;
}

static int a_body_without_a_scope_is_refused(void) {
    mxr_symbol_t *x = variable("x", NULL), *loop = NULL;
    mxr_body_t body = {sizeof body, 0, NULL, NULL, NULL, 0, 0};
    FAILS(mxr_symbol_foreach("loop", NULL, NULL, 0, &x, 1, NULL, 0, &body, &loop), MXR_ERROR_INVALID_VALUE, NULL,
          "scope", "got NULL");
    CHECK(loop == NULL);
    mxr_symbol_free(x);
    return 1;
}

int main(void) {
    RUN(a_loop_is_written_and_read_back);
    RUN(shapes_follow_through_a_loop);
    RUN(a_while_loop_needs_steps);
    RUN(branches_must_have_as_many_outputs);
    RUN(a_body_without_a_scope_is_refused);
    return check_summary();
}
