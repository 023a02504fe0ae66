/* Every operator by the one generic call, against the oracle's numbers: `conformance.c.out CASES [OPERATOR]`. */
#include "check.h"
#include "cases.h"
#include "dtypes.h"
#include <stdarg.h>

typedef struct {
    mxr_array_t *inputs[MOST_TENSORS], *gradients[MOST_TENSORS], *outputs[MOST_TENSORS], *heads[MOST_TENSORS];
    int32_t num_outputs;
} ran_t;

/* Names a case that failed, and says why. Always 0. */
static int failed(const case_t *c, int32_t dtype, int view, const char *why, ...) {
    va_list values;
    printf("    '%s', dtype %d%s: ", c->name, (int)dtype, view ? ", on views" : "");
    va_start(values, why);
    vprintf(why, values);
    va_end(values);
    putchar('\n');
    return 0;
}

static int32_t error_code(const char *name) {
    static const struct { const char *name; int32_t code; } codes[] = {
        {"InvalidValue", MXR_ERROR_INVALID_VALUE}, {"InvalidType", MXR_ERROR_INVALID_TYPE},
        {"Shape", MXR_ERROR_SHAPE}, {"DType", MXR_ERROR_DTYPE}, {"Index", MXR_ERROR_INDEX},
        {"NotFound", MXR_ERROR_NOT_FOUND}, {"Closed", MXR_ERROR_CLOSED},
        {"OutOfMemory", MXR_ERROR_OUT_OF_MEMORY}, {"Unsupported", MXR_ERROR_UNSUPPORTED},
        {"Io", MXR_ERROR_IO}, {"Format", MXR_ERROR_FORMAT}, {"Timeout", MXR_ERROR_TIMEOUT},
        {"Autograd", MXR_ERROR_AUTOGRAD}, {"Version", MXR_ERROR_VERSION}, {"Device", MXR_ERROR_DEVICE},
        {"Internal", MXR_ERROR_INTERNAL}, {"Callback", MXR_ERROR_CALLBACK}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(codes[i].name, name) == 0) return codes[i].code;
    }
    broken("there is no error", name);
    return 0;
}

/* An array of `t`'s values; as a view, the third of four rows of another. */
static mxr_error_t *make(const tensor_t *t, int32_t dtype, int view, mxr_array_t **out) {
    const uint64_t bytes = (uint64_t)t->len * size_of(dtype);
    int64_t dims[MOST_AXES + 1] = {4};
    unsigned char *data = malloc((size_t)bytes * 4 + 1);
    mxr_array_t *whole = NULL;
    if (!data) broken("no memory", NULL);
    memcpy(dims + 1, t->dims, sizeof t->dims);
    for (int64_t i = 0; i < 4 * t->len; i++) {
        double value = view && i / t->len != 2 ? 77 : t->data[i % t->len];
        store(dtype, value, data + (uint64_t)i * size_of(dtype));
    }
    mxr_error_t *error;
    if (!view) {
        error = mxr_array_from_data(t->dims, t->ndim, dtype, MXR_CPU, 0, data, bytes, out);
    } else {
        error = mxr_array_from_data(dims, t->ndim + 1, dtype, MXR_CPU, 0, data, 4 * bytes, &whole);
        if (!error) error = mxr_array_at(whole, 2, NULL, out);
        mxr_array_free(whole);
    }
    free(data);
    return error;
}

/* The shape of an array and, in memory of its own, its elements. */
static mxr_error_t *look(mxr_array_t *array, tensor_t *t) {
    memset(t, 0, sizeof *t);
    mxr_error_t *error = mxr_array_shape(array, t->dims, MOST_AXES, &t->ndim);
    if (error) return error;
    t->dtype = mxr_array_dtype(array);
    t->len = 1;
    for (int32_t i = 0; i < t->ndim; i++) t->len *= t->dims[i];
    const uint64_t size = size_of(t->dtype);
    unsigned char *bytes = malloc((size_t)t->len * (size_t)size + 1);
    t->data = malloc((size_t)t->len * sizeof *t->data + 1);
    if (!bytes || !t->data) broken("no memory", NULL);
    error = mxr_array_copy_to(array, bytes, (uint64_t)t->len * size);
    for (int64_t i = 0; !error && i < t->len; i++) t->data[i] = load(t->dtype, bytes + (uint64_t)i * size);
    free(bytes);
    return error;
}

/* Makes the inputs variables whose gradients start at zero. */
static mxr_error_t *mark(const case_t *c, ran_t *ran) {
    const int32_t request = MXR_REQUEST_WRITE;
    mxr_error_t *error = NULL;
    for (int32_t i = 0; i < c->num_inputs && !error; i++) {
        tensor_t zeros = c->inputs[i];
        int32_t dtype = mxr_array_dtype(ran->inputs[i]);
        if (!is_float(dtype)) continue;
        zeros.data = calloc((size_t)zeros.len + 1, sizeof *zeros.data);
        if (!zeros.data) broken("no memory", NULL);
        error = make(&zeros, dtype, 0, &ran->gradients[i]);
        free(zeros.data);
        if (!error) error = mxr_autograd_mark(&ran->inputs[i], &ran->gradients[i], &request, 1);
    }
    return error;
}

/* The gradient that every runner feeds to an output. */
static mxr_error_t *head(mxr_array_t *output, int32_t i, mxr_array_t **out) {
    static const double pattern[5] = {0.5, -1.0, 1.5, 0.25, -0.75};
    tensor_t t;
    mxr_error_t *error = look(output, &t);
    for (int64_t j = 0; !error && j < t.len; j++) t.data[j] = pattern[(i + j) % 5];
    if (!error) error = make(&t, t.dtype, 0, out);
    free(t.data);
    return error;
}

/* Runs a case: inputs, the call, waiting and, where there are expected gradients, backward. */
static mxr_error_t *run(const case_t *c, int32_t dtype, int view, ran_t *ran) {
    const mxr_op_t *op = NULL;
    mxr_call_t call = {.struct_size = sizeof call};
    mxr_error_t *error = mxr_op_find(c->operator_name, &op);
    for (int32_t i = 0; i < c->num_inputs && !error; i++) {
        int32_t own = c->inputs[i].dtype;
        error = make(&c->inputs[i], own < 0 ? dtype : own, view, &ran->inputs[i]);
    }
    if (!error && c->num_gradients > 0) error = mark(c, ran);
    if (error) return error;
    call.flags = (c->training ? MXR_CALL_TRAINING : 0u) | (c->num_gradients > 0 ? MXR_CALL_RECORDING : 0u);
    ran->num_outputs = MOST_TENSORS;
    error = mxr_op_invoke(op, ran->inputs, c->num_inputs, c->attrs, c->num_attrs, ran->outputs,
                          &ran->num_outputs, NULL, &call);
    for (int32_t i = 0; !error && i < ran->num_outputs; i++) {
        error = mxr_array_wait_to_read(ran->outputs[i], MXR_FOREVER);
    }
    if (error || c->num_gradients == 0) return error;
    for (int32_t i = 0; !error && i < ran->num_outputs; i++) error = head(ran->outputs[i], i, &ran->heads[i]);
    if (error) return error;
    uint32_t flags = c->training ? MXR_BACKWARD_TRAINING : 0;
    return mxr_autograd_backward(ran->outputs, ran->heads, ran->num_outputs, flags);
}

static void forget(ran_t *ran) {
    for (int i = 0; i < MOST_TENSORS; i++) {
        mxr_array_free(ran->inputs[i]);
        mxr_array_free(ran->gradients[i]);
        mxr_array_free(ran->outputs[i]);
        mxr_array_free(ran->heads[i]);
    }
}

static double epsilon_of(int32_t dtype, double precision) {
    switch (dtype) {
    case MXR_FLOAT64: return precision;
    case MXR_FLOAT32: return 1e-5;
    case MXR_FLOAT16: return 4e-3;
    case MXR_BFLOAT16: return 3e-2;
    default: return 0;
    }
}

/* Whether an array has the expected shape and, within the tolerance, elements. */
static int compare(const case_t *c, int32_t dtype, int view, const char *what, int32_t index,
                   const tensor_t *expected, mxr_array_t *array) {
    tensor_t got;
    mxr_error_t *error = look(array, &got);
    int same = !error && got.ndim == expected->ndim &&
               memcmp(got.dims, expected->dims, (size_t)got.ndim * sizeof *got.dims) == 0;
    if (error) failed(c, dtype, view, "%s %d: %s", what, (int)index, mxr_error_message(error));
    else if (!same) failed(c, dtype, view, "%s %d has another shape", what, (int)index);
    double scale = 0, epsilon = epsilon_of(got.dtype, c->precision) * c->tolerance;
    for (int64_t i = 0; same && i < got.len; i++) {
        double size = fabs(wrapped(got.dtype, expected->data[i]));
        if (isfinite(size) && size > scale) scale = size;
    }
    for (int64_t i = 0; same && i < got.len; i++) {
        double w = wrapped(got.dtype, expected->data[i]), v = got.data[i];
        int close = fabs(v - w) <= epsilon * (fabs(w) + 0.2 * scale + 1e-3);
        same = close || v == w || (isnan(v) && isnan(w));
        if (!same) failed(c, dtype, view, "%s %d, element %d: expected %.17g, got %.17g", what, (int)index,
                          (int)i, w, v);
    }
    mxr_error_free(error);
    free(got.data);
    return same;
}

static int check_results(const case_t *c, int32_t dtype, int view, ran_t *ran) {
    int ok = 1;
    if (c->num_outputs > 0 && c->num_outputs != ran->num_outputs) {
        return failed(c, dtype, view, "expected %d outputs, got %d", (int)c->num_outputs,
                      (int)ran->num_outputs);
    }
    for (int32_t i = 0; i < c->num_outputs; i++) {
        ok &= compare(c, dtype, view, "output", i, &c->outputs[i], ran->outputs[i]);
    }
    for (int32_t i = 0; i < c->num_gradients && i < c->num_inputs; i++) {
        if (!ran->gradients[i]) continue;
        ok &= compare(c, dtype, view, "gradient", i, &c->gradients[i], ran->gradients[i]);
    }
    for (int32_t i = 0; i < c->num_states; i++) {
        ok &= compare(c, dtype, view, "state", i, &c->states[i], ran->inputs[c->states[i].input]);
    }
    return ok;
}

static int check_run(const case_t *c, int32_t dtype, int view) {
    ran_t ran;
    memset(&ran, 0, sizeof ran);
    mxr_error_t *error = run(c, dtype, view, &ran);
    int ok;
    if (c->error) {
        ok = error && mxr_error_code(error) == error_code(c->error) && mxr_error_operator(error);
        if (!ok) failed(c, dtype, view, "expected %s, got %d: %s", c->error, (int)mxr_error_code(error),
                        mxr_error_message(error));
    } else {
        ok = error ? failed(c, dtype, view, "%s", mxr_error_message(error))
                   : check_results(c, dtype, view, &ran);
    }
    mxr_error_free(error);
    forget(&ran);
    return ok;
}

/* Runs a case with float32, float64 or int32, or, if it takes none of these, with its first dtype. */
static int check_case(const case_t *c, int full) {
    int ok = 1, runs = 0;
    for (int32_t i = 0; i < c->num_dtypes; i++) {
        int32_t d = c->dtypes[i];
        if (!full && d != MXR_FLOAT32 && d != MXR_FLOAT64 && d != MXR_INT32) continue;
        ok &= check_run(c, d, 0) & (c->error ? 1 : check_run(c, d, 1));
        runs++;
    }
    if (runs == 0 && c->num_dtypes > 0) ok &= check_run(c, c->dtypes[0], 0) & check_run(c, c->dtypes[0], 1);
    return ok;
}

static char *contents(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) broken("cannot open", path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc((size_t)size + 1, 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) broken("cannot read", path);
    fclose(file);
    return text;
}

/* Counts an operator whose cases have all run. */
static void count_operator(const char *name, int ok, int cases) {
    if (cases == 0) printf("    there are no cases: run `cargo xtask oracle`\n");
    ok &= cases > 0;
    check_passed += ok;
    check_failed += !ok;
    if (!ok) printf("%s FAILED\n", name);
}

int main(int argc, char **argv) {
    static reader_t reader;
    static case_t c;
    const char *full = getenv("MXR_TEST_FULL"), *line;
    char *text = contents(argc > 1 ? argv[1] : "cases.txt"), *operator_name = NULL;
    int ok = 1, cases = 0, chosen = 0;
    reader.at = text;
    while ((line = next_word(&reader))) {
        if (strcmp(line, "operator") == 0) {
            if (chosen) count_operator(operator_name, ok, cases);
            operator_name = next_word(&reader);
            chosen = argc < 3 || (operator_name && strcmp(operator_name, argv[2]) == 0);
            ok = 1, cases = 0;
        } else if (strcmp(line, "case") == 0) {
            memset(&c, 0, sizeof c);
            c.operator_name = operator_name;
            c.name = next_text(&reader, NULL);
            next_case(&reader, &c);
            if (chosen) ok &= check_case(&c, full && strcmp(full, "1") == 0);
            release_case(&reader);
            cases++;
        } else {
            broken("there is no line", line);
        }
    }
    if (chosen) count_operator(operator_name, ok, cases);
    free(text);
    return check_summary();
}
