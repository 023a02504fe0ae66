/* Models in mxr's own file: written, opened, and what is said of wrong ones. */
#include "check.h"

static const char *PATH = "models.safetensors";
static const float WEIGHT[6] = {1, 2, 3, 4, 5, 6};
static const int64_t WEIGHT_DIMS[2] = {2, 3};

/* y = FullyConnected(data, weight), without a bias. */
static mxr_error_t *dense(mxr_symbol_t **symbol) {
    const char *keys[2] = {"num_hidden", "no_bias"}, *values[2] = {"2", "True"};
    const mxr_op_t *op = NULL;
    mxr_error_t *error = mxr_op_find("FullyConnected", &op);
    if (error) return error;
    return mxr_symbol_call(op, "fc", keys, values, 2, NULL, NULL, 0, symbol);
}

/* Saves the model with a shape of its input and a text. */
static int save(const char *array_name, const char *input_name, const char *key) {
    const char *names[1] = {array_name}, *keys[1] = {key}, *texts[1] = {"cat\ndog"};
    const int64_t dims[2] = {-1, 3};
    mxr_input_t input = {(uint32_t)sizeof input, MXR_FLOAT32, 0, 2, dims, input_name};
    const mxr_input_t *inputs[1] = {&input};
    mxr_symbol_t *symbol = NULL;
    mxr_array_t *weight = array_f32(WEIGHT_DIMS, 2, WEIGHT);
    OK(dense(&symbol));
    mxr_error_t *error =
        mxr_model_save(PATH, symbol, names, &weight, 1, inputs, 1, keys, texts, 1);
    mxr_symbol_free(symbol);
    mxr_array_free(weight);
    OK(error);
    return 1;
}

static int has_parts(mxr_model_t *model) {
    mxr_symbol_t *symbol = NULL;
    mxr_list_t *list = NULL;
    mxr_texts_t *texts = NULL;
    mxr_array_t *weight = NULL;
    mxr_input_t input = {(uint32_t)sizeof input, 0, 0, 0, NULL, NULL};
    char *json = NULL;
    OK(mxr_model_symbol(model, &symbol));
    OK(mxr_symbol_to_json(symbol, &json));
    CHECK(strstr(json, "\"op\": \"FullyConnected\"") != NULL);
    OK(mxr_model_arrays(model, &list));
    CHECK(mxr_list_len(list) == 1 && strcmp(mxr_list_name(list, 0), "arg:fc_weight") == 0);
    OK(mxr_list_array(list, 0, &weight));
    OK(mxr_model_texts(model, &texts));
    CHECK(mxr_texts_len(texts) == 2 && strcmp(mxr_texts_get(texts, 0), "classes") == 0);
    CHECK(strcmp(mxr_texts_get(texts, 1), "cat\ndog") == 0);
    CHECK(mxr_model_num_inputs(model) == 1);
    OK(mxr_model_input(model, 0, &input));
    CHECK(strcmp(input.name, "fc_data") == 0 && input.dtype == MXR_FLOAT32 && input.is_label == 0);
    CHECK(input.ndim == 2 && input.dims[0] == -1 && input.dims[1] == 3);
    FAILS(mxr_model_input(model, 1, &input), MXR_ERROR_INDEX, NULL, "i", "no input 1 among 1");
    mxr_model_free(model);
    CHECK(holds_f32(weight, WEIGHT, 6));
    mxr_array_free(weight);
    mxr_symbol_free(symbol);
    mxr_list_free(list);
    mxr_texts_free(texts);
    mxr_string_free(json);
    return 1;
}

static int a_model_comes_back_mapped_and_copied(void) {
    mxr_model_t *model = NULL;
    CHECK(save("arg:fc_weight", "fc_data", "classes"));
    for (uint32_t flags = 0; flags <= MXR_MODEL_COPY; flags++) {
        OK(mxr_model_load(PATH, flags, &model));
        CHECK(has_parts(model));
    }
    return 1;
}

static int a_caller_that_knows_fewer_fields_gets_those(void) {
    mxr_model_t *model = NULL;
    mxr_input_t input;
    memset(&input, 0x55, sizeof input);
    input.struct_size = 8;
    CHECK(save("arg:fc_weight", "fc_data", "classes"));
    OK(mxr_model_load(PATH, 0, &model));
    OK(mxr_model_input(model, 0, &input));
    CHECK(input.dtype == MXR_FLOAT32 && input.ndim == 0x55555555);
    mxr_model_free(model);
    return 1;
}

static int wrong_arguments_are_named(void) {
    const char *names[1] = {"fc_weight"};
    const mxr_input_t *inputs[1] = {NULL};
    mxr_model_t *model = NULL;
    mxr_symbol_t *symbol = NULL;
    mxr_array_t *weight = array_f32(WEIGHT_DIMS, 2, WEIGHT);
    OK(dense(&symbol));
    FAILS(mxr_model_save(PATH, symbol, names, &weight, 1, NULL, 0, NULL, NULL, 0), MXR_ERROR_FORMAT,
          NULL, "fc_weight", "begins with 'arg:' or 'aux:'");
    FAILS(mxr_model_save(PATH, NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, 0), MXR_ERROR_INVALID_VALUE,
          NULL, "symbol", "got NULL");
    FAILS(mxr_model_save(PATH, symbol, NULL, NULL, 0, inputs, 1, NULL, NULL, 0),
          MXR_ERROR_INVALID_VALUE, NULL, "inputs", "got NULL");
    FAILS(mxr_model_load(PATH, 2, &model), MXR_ERROR_INVALID_VALUE, NULL, "flags", "got 2");
    FAILS(mxr_model_load("no.safetensors", 0, &model), MXR_ERROR_NOT_FOUND, NULL, NULL, "no.safetensors");
    FAILS(mxr_model_symbol(NULL, &symbol), MXR_ERROR_INVALID_VALUE, NULL, "model", "got NULL");
    CHECK(model == NULL && mxr_model_num_inputs(NULL) == -1);
    mxr_model_free(NULL);
    mxr_symbol_free(symbol);
    mxr_array_free(weight);
    return 1;
}

static int a_list_of_arrays_is_read_from_a_model_as_well(void) {
    mxr_list_t *list = NULL;
    CHECK(save("arg:fc_weight", "fc_data", "classes"));
    OK(mxr_list_load(PATH, &list));
    CHECK(mxr_list_len(list) == 1 && strcmp(mxr_list_name(list, 0), "arg:fc_weight") == 0);
    mxr_list_free(list);
    return 1;
}

int main(void) {
    RUN(a_model_comes_back_mapped_and_copied);
    RUN(a_caller_that_knows_fewer_fields_gets_those);
    RUN(wrong_arguments_are_named);
    RUN(a_list_of_arrays_is_read_from_a_model_as_well);
    remove(PATH);
    return check_summary();
}
