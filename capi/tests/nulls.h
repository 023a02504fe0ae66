/* What the program of calls with NULL, which is made from schema/abi.json, puts in place of other arguments.
   `A_type` is a handle; a type without one gets an address where there is none, which MXR_CHECK=1 reports. */
#ifndef MXR_TESTS_NULLS_H
#define MXR_TESTS_NULLS_H

#include "check.h"
#include <signal.h>

/* The call that is being made, for the report if it crashes. */
static const char *now_function, *now_argument;

static mxr_array_t *an_array;
static const mxr_op_t *an_op;
static mxr_list_t *a_list;
static mxr_symbol_t *a_symbol;
static mxr_plan_t *a_plan;
static mxr_executor_t *an_executor;
static mxr_cached_op_t *a_cached_op;
static mxr_model_t *a_model;
static mxr_texts_t *some_texts;
static mxr_inferred_t *what_follows;
static mxr_lr_scheduler_t *a_schedule;
static mxr_optimizer_t *an_optimizer;
static mxr_updater_t *an_updater;
static mxr_initializer_t *an_initializer;
static mxr_metric_t *a_metric;
static mxr_data_iter_t *a_data_iter;
static mxr_kvstore_t *a_kvstore;
static mxr_callback_t *a_callback;
static mxr_module_t *a_module;
static mxr_record_writer_t *a_record_writer;
static mxr_record_reader_t *a_record_reader;

/* Begins with a one, as int32 and as int64, whatever the call before has put there. */
static int64_t numbers[64] = {1};
static const char *texts[1] = {"exp"};

#define A_text texts[0]
#define A_mxr_array_t an_array
#define A_mxr_op_t an_op
#define A_mxr_list_t a_list
#define A_mxr_symbol_t a_symbol
#define A_mxr_plan_t a_plan
#define A_mxr_executor_t an_executor
#define A_mxr_cached_op_t a_cached_op
#define A_mxr_model_t a_model
#define A_mxr_texts_t some_texts
#define A_mxr_inferred_t what_follows
#define A_mxr_lr_scheduler_t a_schedule
#define A_mxr_optimizer_t an_optimizer
#define A_mxr_updater_t an_updater
#define A_mxr_initializer_t an_initializer
#define A_mxr_metric_t a_metric
#define A_mxr_data_iter_t a_data_iter
#define A_mxr_kvstore_t a_kvstore
#define A_mxr_callback_t a_callback
#define A_mxr_module_t a_module
#define A_mxr_record_writer_t a_record_writer
#define A_mxr_record_reader_t a_record_reader
#define A_mxr_attr_t nothing_set()
#define A_mxr_desc_t a_desc()
#define A_mxr_module_options_t nothing_set()
#define A_mxr_input_t nothing_set()
#define A_mxr_memory_t numbers
#define A_mxr_body_t a_body()
#define A_mxr_error_t nowhere()

static inline void *nowhere(void) {
    static char no_handle[256];
    return no_handle;
}

static inline void no_function(void) {}

static inline void *nothing_set(void) {
    static char zeros[256];
    return memset(zeros, 0, sizeof zeros);
}

static inline mxr_desc_t *a_desc(void) {
    static mxr_desc_t desc;
    desc = (mxr_desc_t){texts[0], texts[0], numbers, 1, MXR_FLOAT32};
    return &desc;
}

/* A list of one handle; each list of a call is one of its own. */
static inline void *handles(const void *handle) {
    static const void *lists[8][1];
    static int next;
    next = (next + 1) % 8;
    lists[next][0] = handle;
    return lists[next];
}

static inline void *places(void) {
    static void *empty[8];
    return memset(empty, 0, sizeof empty);
}

static inline mxr_body_t *a_body(void) {
    static mxr_symbol_t *symbols[1];
    static mxr_body_t body;
    symbols[0] = a_symbol;
    body = (mxr_body_t){sizeof body, 1, texts[0], symbols, symbols, 1, 0};
    return &body;
}

/* Whether NULL was refused by the argument's name. */
static inline int refused(mxr_error_t *error, const char *argument) {
    const char *about = error ? mxr_error_argument(error) : NULL;
    int right = error && mxr_error_code(error) == MXR_ERROR_INVALID_VALUE && check_same_text(about, argument) &&
                strstr(mxr_error_message(error), "got NULL");
    if (!right) {
        printf("    expected NULL to be refused, got %s\n", error ? mxr_error_message(error) : "success");
    }
    mxr_error_free(error);
    return right;
}

/* Makes one call: `holds` is what it must give. */
#define CALL(function, argument, holds)                                                     \
    do {                                                                                    \
        now_function = function;                                                            \
        now_argument = argument;                                                            \
        numbers[0] = 1;                                                                     \
        int check_ok = (holds);                                                             \
        check_passed += check_ok;                                                           \
        check_failed += !check_ok;                                                          \
        if (!check_ok) printf("%s with NULL for %s FAILED\n", function, argument);          \
    } while (0)

/* Says which call it was, and fails the program. */
static void crashed(int number) {
    printf("%s with NULL for %s crashed: signal %d\n", now_function, now_argument, number);
    fflush(stdout);
    _Exit(1);
}

/* What calls that may succeed leave behind is no leak of the library's. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }

static mxr_error_t *a_trained_symbol(void) {
    mxr_module_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.data_names = options.label_names = texts;
    options.num_data = 1;
    return mxr_module_create(a_symbol, &options, &a_module);
}

static int the_arguments_are_made(void) {
    const float one = 1;
    const char *name = "exp";
    signal(SIGSEGV, crashed);
    signal(SIGBUS, crashed);
    an_array = vector_f32(1, &one);
    CHECK(an_array);
    OK(mxr_op_find(name, &an_op));
    OK(mxr_list_save("nulls.params", NULL, &an_array, 1));
    OK(mxr_list_load("nulls.params", &a_list));
    OK(mxr_lr_scheduler_create("LRScheduler", NULL, 0, &a_schedule));
    /* One array of state, for which there is room, and which parameter 1 has. */
    OK(mxr_optimizer_create("adagrad", NULL, 0, NULL, &an_optimizer));
    OK(mxr_updater_create(an_optimizer, &an_updater));
    OK(mxr_updater_update(an_updater, 1, an_array, an_array));
    OK(mxr_symbol_variable(name, NULL, NULL, 0, &a_symbol));
    OK(mxr_model_save("nulls.safetensors", a_symbol, NULL, NULL, 0, NULL, 0, NULL, NULL, 0));
    OK(mxr_model_load("nulls.safetensors", 0, &a_model));
    OK(mxr_symbol_list(a_symbol, MXR_LIST_INPUTS, &some_texts));
    OK(mxr_symbol_infer_shapes(a_symbol, NULL, NULL, NULL, 0, &what_follows));
    OK(mxr_executor_bind(a_symbol, &an_array, NULL, NULL, 1, NULL, NULL, &an_executor));
    OK(mxr_executor_plan(an_executor, 0, &a_plan));
    OK(mxr_cached_op_new(a_symbol, 0, NULL, &a_cached_op));
    OK(mxr_initializer_create("zero", NULL, 0, &an_initializer));
    OK(mxr_metric_create("acc", NULL, 0, &a_metric));
    OK(mxr_data_iter_create("NDArrayIter", NULL, 0, NULL, &an_array, 1, NULL, &an_array, 1, NULL, 0, &a_data_iter));
    OK(mxr_kvstore_create("local", &a_kvstore));
    OK(mxr_callback_create("LogValidationMetricsCallback", NULL, 0, &a_callback));
    OK(a_trained_symbol());
    OK(mxr_record_writer_create("nulls.rec", "nulls.idx", &a_record_writer));
    OK(mxr_record_writer_write(a_record_writer, name, NULL, 0));
    OK(mxr_record_writer_flush(a_record_writer));
    OK(mxr_record_reader_open("nulls.rec", "nulls.idx", &a_record_reader));
    return 1;
}

#endif
