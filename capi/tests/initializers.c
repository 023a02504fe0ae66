/* Initializers: what they leave in arrays, by themselves and by a parameter's name, and wrong use. */
#include "check.h"

static const float SEVENS[4] = {7, 7, 7, 7}, ZEROS[4] = {0, 0, 0, 0}, ONES[4] = {1, 1, 1, 1};

static int a_weight_is_filled(void) {
    const float halves[4] = {0.5f, 0.5f, 0.5f, 0.5f};
    mxr_attr_t value;
    mxr_initializer_t *constant = NULL;
    mxr_array_t *a = vector_f32(4, SEVENS);
    memset(&value, 0, sizeof value);
    value.id = 1;
    value.tag = MXR_ATTR_FLOAT;
    value.number = 0.5;
    OK(mxr_initializer_create("Constant", &value, 1, &constant));
    OK(mxr_initializer_fill(constant, a));
    CHECK(holds_f32(a, halves, 4));
    mxr_array_free(a);
    mxr_initializer_free(constant);
    return 1;
}

static int texts_of_mxnet_are_understood(void) {
    const float gates[4] = {0, 2, 0, 0};
    mxr_initializer_t *bias = NULL;
    mxr_array_t *a = vector_f32(4, SEVENS);
    OK(mxr_initializer_parse("[\"lstmbias\", {\"forget_bias\": 2.0}]", &bias));
    OK(mxr_initializer_fill(bias, a));
    CHECK(holds_f32(a, gates, 4));
    mxr_initializer_free(bias);
    FAILS(mxr_initializer_parse("[1]", &bias), MXR_ERROR_FORMAT, NULL, NULL, "[1]");
    FAILS(mxr_initializer_parse("[\"xavier\", {\"power\": 2}]", &bias), MXR_ERROR_NOT_FOUND, "Xavier",
          "power", "power");
    mxr_array_free(a);
    return 1;
}

static int a_name_says_what_a_parameter_is(void) {
    mxr_initializer_t *one = NULL;
    mxr_array_t *a = vector_f32(4, SEVENS);
    OK(mxr_initializer_create("one", NULL, 0, &one));
    OK(mxr_initializer_apply(one, "fc_bias", NULL, a));
    CHECK(holds_f32(a, ZEROS, 4));
    OK(mxr_initializer_apply(one, "fc_weight", NULL, a));
    CHECK(holds_f32(a, ONES, 4));
    OK(mxr_initializer_apply(one, "fc_weight", "zeros", a));
    CHECK(holds_f32(a, ZEROS, 4));
    FAILS(mxr_initializer_apply(one, "fc", NULL, a), MXR_ERROR_INVALID_VALUE, NULL, "name", "'fc'");
    CHECK(strcmp(mxr_initializer_role("bn_gamma"), "gamma") == 0);
    CHECK(strcmp(mxr_initializer_role("bn_moving_var"), "one") == 0);
    CHECK(mxr_initializer_role("fc") == NULL && mxr_initializer_role(NULL) == NULL);
    mxr_array_free(a);
    mxr_initializer_free(one);
    return 1;
}

static int wrong_use_is_an_error(void) {
    mxr_initializer_t *xavier = NULL, *again = NULL;
    mxr_array_t *a = vector_f32(4, SEVENS);
    FAILS(mxr_initializer_create("xavir", NULL, 0, &xavier), MXR_ERROR_NOT_FOUND, NULL, NULL,
          "did you mean 'xavier'");
    OK(mxr_initializer_create("xavier", NULL, 0, &xavier));
    FAILS(mxr_initializer_fill(xavier, a), MXR_ERROR_SHAPE, NULL, NULL, "two axes");
    CHECK(holds_f32(a, SEVENS, 4));
    FAILS(mxr_initializer_fill(xavier, NULL), MXR_ERROR_INVALID_VALUE, NULL, "array", "NULL");
    again = mxr_initializer_retain(xavier);
    mxr_initializer_free(again);
    mxr_initializer_free(xavier);
    FAILS(mxr_initializer_fill(xavier, a), MXR_ERROR_CLOSED, NULL, "initializer", "freed");
    mxr_initializer_free(NULL);
    mxr_array_free(a);
    return 1;
}

int main(void) {
    RUN(a_weight_is_filled);
    RUN(texts_of_mxnet_are_understood);
    RUN(a_name_says_what_a_parameter_is);
    RUN(wrong_use_is_an_error);
    return check_summary();
}
