/* Metrics, data iterators, stores, callbacks and modules: a training over the C ABI alone, and wrong use. */
#include "check.h"

/* Ids of the schema. */
enum { NAME = 1, METRICS = 10, BATCH_SIZE = 10, SHUFFLE = 11, SEED = 14, RESIZED = 10, FREQUENT = 2, SPEED_BATCH = 1,
       PREFIX = 1, LEARNING_RATE = 1, MOMENTUM = 10, THRESHOLD = 1, SCALE = 1, UNITS = 1 };

static mxr_attr_t number(uint32_t id, double value) {
    mxr_attr_t attr;
    memset(&attr, 0, sizeof attr);
    attr.id = id;
    attr.tag = MXR_ATTR_FLOAT;
    attr.number = value;
    return attr;
}

static mxr_attr_t integer(uint32_t id, int64_t value) {
    mxr_attr_t attr;
    memset(&attr, 0, sizeof attr);
    attr.id = id;
    attr.tag = MXR_ATTR_INT;
    attr.integer = value;
    return attr;
}

static mxr_attr_t text(uint32_t id, const char *value) {
    mxr_attr_t attr;
    memset(&attr, 0, sizeof attr);
    attr.id = id;
    attr.tag = MXR_ATTR_STRING;
    attr.integer = (int64_t)strlen(value);
    attr.data = value;
    return attr;
}

static mxr_array_t *matrix(int64_t rows, int64_t columns, const float *data) {
    const int64_t dims[2] = {rows, columns};
    return array_f32(dims, 2, data);
}

/* The one value of a metric; a number that none has if there is an error or another name. */
static double value_of(mxr_metric_t *metric, const char *name) {
    mxr_texts_t *names = NULL;
    double value = -1e9;
    int32_t n = 0;
    mxr_error_t *error = mxr_metric_get(metric, 0, &names, &value, 1, &n);
    if (error || n != 1 || !check_same_text(mxr_texts_get(names, 0), name)) value = -1e9;
    mxr_error_free(error);
    mxr_texts_free(names);
    return value;
}

static int metrics_add_up_and_begin_again(void) {
    const float label[2] = {1, 0}, pred[4] = {0.25f, 0.75f, 0.25f, 0.75f};
    mxr_array_t *l = vector_f32(2, label), *p = matrix(2, 2, pred);
    mxr_metric_t *acc = NULL, *all = NULL, *whole = NULL;
    mxr_texts_t *names = NULL;
    double values[2];
    int32_t n;
    const char *output = "softmax_output", *of_label = "softmax_label";
    OK(mxr_metric_create("acc", NULL, 0, &acc));
    CHECK(isnan(value_of(acc, "accuracy")));
    OK(mxr_metric_update(acc, &l, 1, &p, 1));
    CHECK(value_of(acc, "accuracy") == 0.5);
    OK(mxr_metric_reset_local(acc));
    OK(mxr_metric_update_named(acc, &of_label, &l, 1, &output, &p, 1));
    OK(mxr_metric_add(acc, 2, 2));
    CHECK(value_of(acc, "accuracy") == 0.75);
    OK(mxr_metric_get(acc, 1, &names, values, 1, &n));
    CHECK(n == 1 && fabs(values[0] - 4.0 / 6) < 1e-12);
    mxr_texts_free(names);
    OK(mxr_metric_reset(acc));
    CHECK(isnan(value_of(acc, "accuracy")));
    OK(mxr_metric_create("composite", NULL, 0, &all));
    FAILS(mxr_metric_push(acc, all), MXR_ERROR_UNSUPPORTED, NULL, NULL, "composite");
    OK(mxr_metric_push(all, acc));
    OK(mxr_metric_push(all, acc));
    OK(mxr_metric_update(all, &l, 1, &p, 1));
    /* As many values as there is room for. */
    OK(mxr_metric_get(all, 0, &names, values, 1, &n));
    CHECK(n == 2 && mxr_texts_len(names) == 2 && values[0] == 0.5);
    mxr_texts_free(names);
    OK(mxr_metric_create("composite", NULL, 0, &whole));
    OK(mxr_metric_push(whole, all));
    FAILS(mxr_metric_push(all, all), MXR_ERROR_INVALID_VALUE, NULL, "part", "itself");
    FAILS(mxr_metric_push(all, whole), MXR_ERROR_INVALID_VALUE, NULL, "part", "itself");
    mxr_metric_free(whole);
    FAILS(mxr_metric_update(acc, &l, 1, &p, 0), MXR_ERROR_INVALID_VALUE, "Accuracy", "labels", "1 and 0");
    FAILS(mxr_metric_create("accurate", NULL, 0, &acc), MXR_ERROR_NOT_FOUND, NULL, NULL, "metric");
    mxr_metric_free(all);
    mxr_metric_free(acc);
    mxr_metric_free(NULL);
    mxr_array_free(l);
    mxr_array_free(p);
    return 1;
}

/* An iterator over six examples of two numbers, whose label says whether the first is the larger one. */
static mxr_error_t *examples(const mxr_attr_t *attrs, int32_t n, mxr_data_iter_t **iter) {
    const float data[12] = {1, 0, 0, 1, 3, 1, 1, 4, 2, 1, 0, 2}, label[6] = {1, 0, 1, 0, 1, 0};
    mxr_array_t *d = matrix(6, 2, data), *l = vector_f32(6, label);
    mxr_error_t *error =
        mxr_data_iter_create("NDArrayIter", attrs, n, NULL, &d, 1, NULL, &l, 1, NULL, 0, iter);
    mxr_array_free(d);
    mxr_array_free(l);
    return error;
}

static int iterators_give_batches_with_their_padding(void) {
    const mxr_attr_t four = integer(BATCH_SIZE, 4), two = integer(RESIZED, 2);
    const float second[8] = {2, 1, 0, 2, 1, 0, 0, 1};
    mxr_data_iter_t *iter = NULL, *resized = NULL, *ahead = NULL;
    mxr_texts_t *names = NULL;
    mxr_array_t *data = NULL;
    char *layout = NULL;
    int64_t dims[2], size, pad, index[4], n;
    int32_t ndim, dtype, more;
    OK(examples(&four, 1, &iter));
    OK(mxr_data_iter_names(iter, MXR_LABELS, &names));
    CHECK(mxr_texts_len(names) == 1 && check_same_text(mxr_texts_get(names, 0), "softmax_label"));
    mxr_texts_free(names);
    OK(mxr_data_iter_desc(iter, MXR_DATA, 0, dims, 2, &ndim, &dtype));
    CHECK(ndim == 2 && dims[0] == 4 && dims[1] == 2 && dtype == MXR_FLOAT32);
    OK(mxr_data_iter_layout(iter, MXR_DATA, 0, &layout));
    CHECK(check_same_text(layout, "NCHW"));
    mxr_string_free(layout);
    OK(mxr_data_iter_batch_size(iter, &size));
    CHECK(size == 4);
    FAILS(mxr_data_iter_pad(iter, &pad), MXR_ERROR_INVALID_VALUE, NULL, NULL, "next one first");
    OK(mxr_data_iter_next(iter, &more));
    OK(mxr_data_iter_next(iter, &more));
    CHECK(more == 1);
    OK(mxr_data_iter_pad(iter, &pad));
    OK(mxr_data_iter_index(iter, index, 4, &n));
    CHECK(pad == 2 && n == 4 && index[0] == 4 && index[2] == 0);
    OK(mxr_data_iter_array(iter, MXR_DATA, 0, &data));
    CHECK(holds_f32(data, second, 8));
    mxr_array_free(data);
    FAILS(mxr_data_iter_array(iter, MXR_LABELS, 1, &data), MXR_ERROR_INDEX, NULL, "i", "element 1");
    FAILS(mxr_data_iter_array(iter, 5, 0, &data), MXR_ERROR_INVALID_VALUE, NULL, "list", "got 5");
    OK(mxr_data_iter_next(iter, &more));
    CHECK(more == 0);
    OK(mxr_data_iter_reset(iter, 0));
    OK(mxr_data_iter_create("ResizeIter", &two, 1, NULL, NULL, 0, NULL, NULL, 0, &iter, 1, &resized));
    OK(mxr_data_iter_create("PrefetchingIter", NULL, 0, NULL, NULL, 0, NULL, NULL, 0, &resized, 1, &ahead));
    mxr_data_iter_free(iter);
    mxr_data_iter_free(resized);
    for (int i = 0; i < 3; i++) {
        OK(mxr_data_iter_next(ahead, &more));
        CHECK(more == (i < 2));
    }
    OK(mxr_data_iter_reset(ahead, 1));
    OK(mxr_data_iter_next(ahead, &more));
    CHECK(more == 1);
    mxr_data_iter_free(ahead);
    FAILS(mxr_data_iter_create("MNISTIter", NULL, 0, NULL, NULL, 0, NULL, NULL, 0, NULL, 0, &iter), MXR_ERROR_NOT_FOUND,
          "MNISTIter", NULL, "train-images");
    FAILS(mxr_data_iter_create("ResizeIter", &two, 1, NULL, NULL, 0, NULL, NULL, 0, NULL, 0, &iter),
          MXR_ERROR_INVALID_VALUE, "ResizeIter", "iters", "one iterator");
    return 1;
}

/* What a function of the caller's is told of, and what it answers. */
struct Told {
    int calls, dropped;
    int64_t index;
};

static mxr_error_t *keep_what_was_pushed(void *payload, const char *key, int64_t index, mxr_array_t *pushed,
                                         mxr_array_t *stored) {
    struct Told *told = (struct Told *)payload;
    told->calls++;
    told->index = index;
    if (key || !stored) return mxr_error_new(MXR_ERROR_CALLBACK, "expected a number", 1);
    return told->calls == 2 ? mxr_error_new(MXR_ERROR_CALLBACK, "the second time", 17)
                            : mxr_array_wait_to_read(pushed, MXR_FOREVER);
}

static void note_the_end(void *payload) { ((struct Told *)payload)->dropped++; }

static int stores_sum_and_update(void) {
    const float one[2] = {1, 2}, twice[2] = {2, 4}, after[2] = {1, 2}, zeros[2] = {0, 0};
    mxr_array_t *a = vector_f32(2, one), *b = vector_f32(2, one), *out = vector_f32(2, zeros), *pushed[2];
    mxr_kvstore_t *store = NULL, *again = NULL;
    mxr_optimizer_t *sgd = NULL;
    mxr_attr_t half = number(LEARNING_RATE, 0.5), fifth = number(THRESHOLD, 0.2);
    struct Told told = {0, 0, 0};
    uint8_t *bytes = NULL;
    uint64_t len = 0;
    int64_t rank, workers;
    char *name = NULL;
    pushed[0] = a;
    pushed[1] = b;
    OK(mxr_kvstore_create("local", &store));
    OK(mxr_kvstore_type(store, &name));
    CHECK(check_same_text(name, "local"));
    mxr_string_free(name);
    OK(mxr_kvstore_workers(store, &rank, &workers));
    CHECK(rank == 0 && workers == 1);
    OK(mxr_kvstore_init(store, "w", 0, a));
    OK(mxr_kvstore_push(store, "w", 0, pushed, 2));
    OK(mxr_kvstore_pull(store, "w", 0, &out, 1));
    CHECK(holds_f32(out, twice, 2));
    OK(mxr_optimizer_create("sgd", &half, 1, NULL, &sgd));
    OK(mxr_kvstore_set_optimizer(store, sgd));
    OK(mxr_kvstore_pushpull(store, "w", 0, pushed, 2, &out, 1));
    CHECK(holds_f32(out, after, 2));
    OK(mxr_kvstore_optimizer_states(store, &bytes, &len));
    OK(mxr_kvstore_set_optimizer_states(store, bytes, len));
    FAILS(mxr_kvstore_set_optimizer_states(store, bytes, len / 2), MXR_ERROR_FORMAT, NULL, NULL, "");
    mxr_bytes_free(bytes, len);
    FAILS(mxr_kvstore_init(store, NULL, 3, a), MXR_ERROR_INVALID_TYPE, NULL, "key", "3");
    FAILS(mxr_kvstore_pull(store, "v", 0, &out, 1), MXR_ERROR_NOT_FOUND, NULL, "key", "'v'");
    FAILS(mxr_kvstore_set_compression(store, "2bit", NULL, 0), MXR_ERROR_UNSUPPORTED, NULL, NULL, "device");
    FAILS(mxr_kvstore_create("dist_sync", &again), MXR_ERROR_UNSUPPORTED, NULL, "name", "dist_sync");
    OK(mxr_kvstore_create("device", &again));
    OK(mxr_kvstore_set_compression(again, "2bit", &fifth, 1));
    OK(mxr_kvstore_broadcast(again, NULL, 9, a, &out, 1));
    CHECK(holds_f32(out, one, 2));
    OK(mxr_kvstore_set_update(again, keep_what_was_pushed, &told, note_the_end));
    OK(mxr_kvstore_push(again, NULL, 9, pushed, 1));
    CHECK(told.calls == 1 && told.index == 9 && told.dropped == 0);
    FAILS(mxr_kvstore_push(again, NULL, 9, pushed, 1), MXR_ERROR_CALLBACK, NULL, NULL, "the second time");
    OK(mxr_kvstore_set_update(again, NULL, NULL, NULL));
    mxr_events_poll();
    CHECK(told.dropped == 1);
    mxr_kvstore_free(again);
    mxr_kvstore_free(store);
    mxr_optimizer_free(sgd);
    mxr_array_free(a);
    mxr_array_free(b);
    mxr_array_free(out);
    return 1;
}

static int callbacks_say_when_and_what(void) {
    mxr_attr_t attrs[2] = {integer(SPEED_BATCH, 10), integer(FREQUENT, 2)}, prefix = text(PREFIX, "net");
    const char *name = "accuracy";
    const double value = 0.5;
    mxr_callback_t *speed = NULL, *save = NULL;
    char *said = NULL;
    int32_t due, actions;
    OK(mxr_callback_create("Speedometer", attrs, 2, &speed));
    OK(mxr_callback_due(speed, 0, 0, 1.0, &due));
    CHECK(due == 0);
    OK(mxr_callback_due(speed, 0, 2, 3.0, &due));
    CHECK(due == 1);
    OK(mxr_callback_call(speed, 0, 2, 3.0, &name, &value, 1, &said, &actions));
    CHECK(check_same_text(said, "Epoch[0] Batch [0-2]\tSpeed: 10.00 samples/sec\taccuracy=0.500000"));
    CHECK(actions == MXR_CALLBACK_RESET_METRIC);
    mxr_string_free(said);
    OK(mxr_callback_create("do_checkpoint", &prefix, 1, &save));
    OK(mxr_callback_due(save, 4, 0, 0, &due));
    OK(mxr_callback_call(save, 4, 0, 0, NULL, NULL, 0, &said, &actions));
    CHECK(due == 1 && said == NULL && actions == MXR_CALLBACK_SAVE);
    FAILS(mxr_callback_create("Speedometer", NULL, 0, &save), MXR_ERROR_INVALID_VALUE, "Speedometer", "batch_size",
          "must be given");
    mxr_callback_free(speed);
    mxr_callback_free(save);
    return 1;
}

/* A classifier of two numbers: softmax(fc(data)). */
static mxr_error_t *classifier(mxr_symbol_t **net) {
    const char *json =
        "{\"nodes\":[{\"op\":\"null\",\"name\":\"data\",\"inputs\":[]},"
        "{\"op\":\"null\",\"name\":\"fc_weight\",\"inputs\":[]},{\"op\":\"null\",\"name\":\"fc_bias\",\"inputs\":[]},"
        "{\"op\":\"FullyConnected\",\"name\":\"fc\",\"attrs\":{\"num_hidden\":\"2\"},"
        "\"inputs\":[[0,0,0],[1,0,0],[2,0,0]]},"
        "{\"op\":\"null\",\"name\":\"softmax_label\",\"inputs\":[]},"
        "{\"op\":\"SoftmaxOutput\",\"name\":\"softmax\",\"inputs\":[[3,0,0],[4,0,0]]}],"
        "\"arg_nodes\":[0,1,2,4],\"heads\":[[5,0,0]],\"attrs\":{\"mxnet_version\":[\"int\",10901]}}";
    return mxr_symbol_from_json(json, net);
}

/* Binds a module to the batches of an iterator. */
static mxr_error_t *bind(mxr_module_t *module, int64_t batch) {
    const int64_t data_dims[2] = {batch, 2};
    const mxr_desc_t data = {"data", NULL, data_dims, 2, MXR_FLOAT32};
    const mxr_desc_t label = {"softmax_label", NULL, &batch, 1, MXR_FLOAT32};
    return mxr_module_bind(module, &data, 1, &label, 1, MXR_BIND_TRAINING, MXR_REQUEST_WRITE, NULL);
}

/* One epoch of training. */
static mxr_error_t *train(mxr_module_t *module, mxr_data_iter_t *iter, mxr_metric_t *metric) {
    mxr_error_t *error = mxr_data_iter_reset(iter, 0);
    for (int32_t more = 1; !error && more;) {
        mxr_array_t *data = NULL, *label = NULL;
        error = mxr_data_iter_next(iter, &more);
        if (error || !more) break;
        if (!error) error = mxr_data_iter_array(iter, MXR_DATA, 0, &data);
        if (!error) error = mxr_data_iter_array(iter, MXR_LABELS, 0, &label);
        if (!error) error = mxr_module_forward(module, &data, 1, &label, 1, 1);
        if (!error) error = mxr_module_backward(module, NULL, 0);
        if (!error) error = mxr_module_update(module);
        if (!error) error = mxr_module_update_metric(module, metric, &label, 1);
        mxr_array_free(data);
        mxr_array_free(label);
    }
    return error;
}

static int a_module_learns_and_goes_on_from_a_checkpoint(void) {
    const mxr_attr_t attrs[3] = {integer(BATCH_SIZE, 3), integer(SHUFFLE, 1), integer(SEED, 5)};
    const mxr_attr_t rates[2] = {number(LEARNING_RATE, 1), number(MOMENTUM, 0.5)}, scale = number(SCALE, 0.01);
    mxr_symbol_t *net = NULL, *same = NULL;
    mxr_module_t *module = NULL, *loaded = NULL;
    mxr_data_iter_t *iter = NULL;
    mxr_metric_t *acc = NULL;
    mxr_initializer_t *uniform = NULL;
    mxr_optimizer_t *sgd = NULL, *other = NULL;
    mxr_list_t *params = NULL;
    mxr_texts_t *names = NULL;
    mxr_executor_t *executor = NULL;
    mxr_array_t *output = NULL;
    int32_t done, state, ndim, dtype;
    int64_t dims[2];
    OK(classifier(&net));
    OK(mxr_module_create(net, NULL, &module));
    FAILS(mxr_module_update(module), MXR_ERROR_INVALID_VALUE, NULL, NULL, "init_optimizer");
    OK(bind(module, 3));
    OK(mxr_initializer_create("uniform", &scale, 1, &uniform));
    OK(mxr_module_init_params(module, uniform, NULL, NULL, -1, NULL, NULL, -1, 0, &done));
    CHECK(done == 1);
    OK(mxr_module_init_params(module, NULL, NULL, NULL, -1, NULL, NULL, -1, 0, &done));
    CHECK(done == 0);
    OK(mxr_optimizer_create("sgd", rates, 2, NULL, &sgd));
    OK(mxr_module_init_optimizer(module, sgd, "local", NULL, MXR_RESCALE, &done));
    OK(mxr_module_state(module, &state));
    CHECK(done == 1 && state == (MXR_MODULE_BOUND | MXR_MODULE_INITIALIZED | MXR_MODULE_OPTIMIZER));
    OK(examples(attrs, 3, &iter));
    OK(mxr_metric_create("acc", NULL, 0, &acc));
    for (int epoch = 0; epoch < 20; epoch++) {
        OK(mxr_metric_reset(acc));
        OK(train(module, iter, acc));
    }
    CHECK(value_of(acc, "accuracy") == 1.0);
    OK(mxr_module_names(module, MXR_PARAMETERS, &names));
    CHECK(mxr_texts_len(names) == 2 && check_same_text(mxr_texts_get(names, 1), "fc_bias"));
    mxr_texts_free(names);
    OK(mxr_module_desc(module, MXR_DATA, 0, dims, 2, &ndim, &dtype));
    CHECK(ndim == 2 && dims[0] == 3 && dtype == MXR_FLOAT32);
    OK(mxr_module_params(module, MXR_LIST_ARGUMENTS, &params));
    CHECK(mxr_list_len(params) == 2 && check_same_text(mxr_list_name(params, 0), "fc_weight"));
    mxr_list_free(params);
    OK(mxr_module_output(module, 0, &output));
    mxr_array_free(output);
    OK(mxr_module_executor(module, 0, &executor));
    mxr_executor_free(executor);
    OK(mxr_module_symbol(module, &same));
    mxr_symbol_free(same);
    OK(mxr_module_optimizer(module, &other));
    mxr_optimizer_free(other);
    OK(mxr_module_save_checkpoint(module, "trained", 20, 1));
    OK(mxr_module_load("trained", 20, 1, NULL, &loaded));
    OK(bind(loaded, 6));
    OK(mxr_optimizer_create("sgd", rates, 2, NULL, &other));
    OK(mxr_module_init_optimizer(loaded, other, NULL, NULL, MXR_RESCALE, &done));
    OK(mxr_metric_reset(acc));
    OK(train(loaded, iter, acc));
    CHECK(value_of(acc, "accuracy") == 1.0);
    FAILS(mxr_module_bind(module, NULL, 0, NULL, 0, 0, MXR_REQUEST_WRITE, module), MXR_ERROR_INVALID_VALUE, NULL,
          "shared", "another module");
    FAILS(mxr_module_input_grad(module, 0, &output), MXR_ERROR_INVALID_VALUE, NULL, NULL, "gradients of inputs");
    FAILS(mxr_module_forward(module, NULL, 0, NULL, 0, 0), MXR_ERROR_INVALID_VALUE, NULL, "data", "1 arrays, got 0");
    FAILS(mxr_module_load("nowhere", 0, 0, NULL, &loaded), MXR_ERROR_NOT_FOUND, NULL, NULL, "nowhere");
    mxr_module_free(loaded);
    mxr_module_free(module);
    mxr_optimizer_free(other);
    mxr_optimizer_free(sgd);
    mxr_initializer_free(uniform);
    mxr_metric_free(acc);
    mxr_data_iter_free(iter);
    mxr_symbol_free(net);
    return 1;
}

static int names_and_devices_of_a_module_are_given_in_a_struct(void) {
    const char *data = "data", *label = "softmax_label", *fixed = "fc_bias", *missing = "nothing";
    const int32_t kinds[2] = {MXR_CPU, MXR_CPU}, ids[2] = {0, 1};
    mxr_module_options_t options;
    mxr_symbol_t *net = NULL;
    mxr_module_t *module = NULL, *again = NULL;
    mxr_executor_t *executor = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = (uint32_t)sizeof options;
    options.num_data = options.num_labels = options.num_fixed = 1;
    options.data_names = &data;
    options.label_names = &label;
    options.fixed_names = &fixed;
    options.num_devices = 2;
    options.device_kinds = kinds;
    options.device_ids = ids;
    OK(classifier(&net));
    OK(mxr_module_create(net, &options, &module));
    OK(bind(module, 4));
    OK(mxr_module_executor(module, 1, &executor));
    mxr_executor_free(executor);
    FAILS(mxr_module_executor(module, 2, &executor), MXR_ERROR_INDEX, NULL, "i", "no device 2");
    FAILS(bind(module, 1), MXR_ERROR_INVALID_VALUE, NULL, "data_shapes", "at least 2");
    options.fixed_names = &missing;
    FAILS(mxr_module_create(net, &options, &again), MXR_ERROR_NOT_FOUND, NULL, "fixed_param_names", "nothing");
    again = mxr_module_retain(module);
    mxr_module_free(module);
    mxr_module_free(again);
    mxr_module_free(NULL);
    mxr_symbol_free(net);
    return 1;
}

static int closed_and_foreign_handles_are_found(void) {
    mxr_metric_t *acc = NULL;
    mxr_kvstore_t *store = NULL;
    OK(mxr_metric_create("acc", NULL, 0, &acc));
    OK(mxr_kvstore_create("local", &store));
    FAILS(mxr_metric_reset((mxr_metric_t *)(void *)store), MXR_ERROR_INVALID_TYPE, NULL, "metric", "got a kvstore");
    mxr_metric_free(acc);
    FAILS(mxr_metric_reset(acc), MXR_ERROR_CLOSED, NULL, "metric", "freed");
    CHECK(mxr_metric_retain(acc) == NULL && mxr_data_iter_retain(NULL) == NULL && mxr_callback_retain(NULL) == NULL);
    mxr_kvstore_t *again = mxr_kvstore_retain(store);
    mxr_kvstore_free(store);
    mxr_kvstore_free(again);
    return 1;
}

int main(void) {
    RUN(metrics_add_up_and_begin_again);
    RUN(iterators_give_batches_with_their_padding);
    RUN(stores_sum_and_update);
    RUN(callbacks_say_when_and_what);
    RUN(a_module_learns_and_goes_on_from_a_checkpoint);
    RUN(names_and_devices_of_a_module_are_given_in_a_struct);
    RUN(closed_and_foreign_handles_are_found);
    return check_summary();
}
