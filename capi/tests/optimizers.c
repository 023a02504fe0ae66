/* Optimizers, schedules and updaters: what they do to weights, their books, their states, and wrong use. */
#include "check.h"

/* Ids of the schema. */
enum { LEARNING_RATE = 1, WD = 2, MULTI_PRECISION = 5, MOMENTUM = 10, FACTOR_STEP = 10, FACTOR = 11 };

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

/* A half-precision array of two elements, each with these bits. */
static mxr_array_t *half(uint16_t bits) {
    const int64_t two = 2;
    const uint16_t data[2] = {bits, bits};
    mxr_array_t *array = NULL;
    mxr_error_free(mxr_array_from_data(&two, 1, MXR_FLOAT16, MXR_CPU, 0, data, sizeof data, &array));
    return array;
}

static int an_updater_follows_the_gradient(void) {
    const float weight[2] = {1, -2}, grad[2] = {0.5f, 1}, once[2] = {0.75f, -2.5f}, twice[2] = {0.25f, -3.5f};
    mxr_attr_t attrs[2] = {number(LEARNING_RATE, 0.5), number(MOMENTUM, 1)};
    mxr_optimizer_t *sgd = NULL;
    mxr_updater_t *updater = NULL;
    mxr_array_t *w = vector_f32(2, weight), *g = vector_f32(2, grad), *momentum = NULL;
    int32_t room = 1;
    int64_t indices[2], n, t;
    OK(mxr_optimizer_create("sgd", attrs, 2, NULL, &sgd));
    OK(mxr_updater_create(sgd, &updater));
    OK(mxr_updater_update(updater, 7, g, w));
    CHECK(holds_f32(w, once, 2));
    OK(mxr_updater_update(updater, 7, g, w));
    CHECK(holds_f32(w, twice, 2));
    OK(mxr_updater_indices(updater, indices, 2, &n));
    CHECK(n == 1 && indices[0] == 7);
    OK(mxr_updater_state(updater, 7, &momentum, &room));
    const float sum[2] = {-0.5f, -1};
    CHECK(room == 1 && holds_f32(momentum, sum, 2));
    OK(mxr_optimizer_updates(sgd, 7, 0, &t));
    OK(mxr_optimizer_num_update(sgd, &n));
    CHECK(t == 2 && n == 2);
    mxr_array_free(momentum);
    mxr_array_free(w);
    mxr_array_free(g);
    mxr_updater_free(updater);
    mxr_optimizer_free(sgd);
    return 1;
}

static int bytes_carry_states_and_counts(void) {
    const float weight[2] = {1, -2}, grad[2] = {0.5f, 1};
    mxr_array_t *w = vector_f32(2, weight), *g = vector_f32(2, grad), *again = NULL,
          *states[2] = {NULL, NULL};
    mxr_optimizer_t *first = NULL, *second = NULL;
    mxr_updater_t *from = NULL, *to = NULL;
    uint8_t *bytes = NULL;
    uint64_t len = 0;
    int32_t room = 2;
    float now[2];
    OK(mxr_optimizer_create("adam", NULL, 0, NULL, &first));
    OK(mxr_optimizer_create("Adam", NULL, 0, NULL, &second));
    OK(mxr_updater_create(first, &from));
    OK(mxr_updater_create(second, &to));
    OK(mxr_updater_update(from, 0, g, w));
    OK(mxr_updater_update(from, 0, g, w));
    OK(mxr_updater_to_bytes(from, &bytes, &len));
    OK(mxr_updater_set_bytes(to, bytes, len));
    FAILS(mxr_updater_set_bytes(to, bytes, len / 2), MXR_ERROR_FORMAT, NULL, NULL, "");
    mxr_bytes_free(bytes, len);
    /* Both go on alike from the weight of two updates. */
    OK(mxr_array_copy_to(w, now, sizeof now));
    again = vector_f32(2, now);
    OK(mxr_updater_update(from, 0, g, w));
    OK(mxr_updater_update(to, 0, g, again));
    OK(mxr_array_copy_to(w, now, sizeof now));
    CHECK(holds_f32(again, now, 2));
    OK(mxr_updater_state(to, 0, states, &room));
    CHECK(room == 2);
    OK(mxr_updater_set_state(to, 1, states, 2));
    FAILS(mxr_updater_set_state(to, 2, states, 1), MXR_ERROR_INVALID_VALUE, "Adam", "state",
          "2 arrays");
    mxr_array_free(states[0]);
    mxr_array_free(states[1]);
    mxr_array_free(w);
    mxr_array_free(again);
    mxr_array_free(g);
    mxr_updater_free(from);
    mxr_updater_free(to);
    mxr_optimizer_free(first);
    mxr_optimizer_free(second);
    return 1;
}

static int the_caller_may_count_and_step_itself(void) {
    const float weight[2] = {1, -2}, grad[2] = {0.5f, 1}, once[2] = {0.75f, -2.5f};
    mxr_attr_t attrs[2] = {number(LEARNING_RATE, 0.5), number(MOMENTUM, 1)};
    mxr_optimizer_t *sgd = NULL;
    mxr_array_t *w = vector_f32(2, weight), *g = vector_f32(2, grad), *states[2] = {NULL, NULL};
    int32_t n = 2;
    int64_t t;
    OK(mxr_optimizer_create("SGD", attrs, 2, NULL, &sgd));
    OK(mxr_optimizer_create_state(sgd, w, states, &n));
    CHECK(n == 1);
    OK(mxr_optimizer_count(sgd, 0, 0, &t));
    CHECK(t == 1);
    FAILS(mxr_optimizer_step(sgd, 0, 0, w, g, states, n), MXR_ERROR_INVALID_VALUE, "SGD", "t", "at least 1");
    OK(mxr_optimizer_step(sgd, 0, t, w, g, states, n));
    CHECK(holds_f32(w, once, 2));
    mxr_array_free(states[0]);
    n = 0;
    FAILS(mxr_optimizer_create_state(sgd, w, states, &n), MXR_ERROR_INVALID_VALUE, NULL, "states",
          "room for 1, got 0");
    mxr_array_free(w);
    mxr_array_free(g);
    mxr_optimizer_free(sgd);
    return 1;
}

static int half_precision_weights_have_a_copy_in_single(void) {
    const float ones[2] = {1, 1};
    mxr_attr_t attrs[2] = {integer(MULTI_PRECISION, 1), number(MOMENTUM, 0.5)};
    mxr_optimizer_t *sgd = NULL;
    mxr_array_t *w = half(0x3c00), *states[2] = {NULL, NULL};
    int32_t n = 2;
    attrs[0].tag = MXR_ATTR_BOOL;
    OK(mxr_optimizer_create("sgd", attrs, 2, NULL, &sgd));
    OK(mxr_optimizer_create_state(sgd, w, states, &n));
    CHECK(n == 2 && mxr_array_dtype(states[1]) == MXR_FLOAT32 && holds_f32(states[1], ones, 2));
    mxr_array_free(states[0]);
    mxr_array_free(states[1]);
    mxr_array_free(w);
    mxr_optimizer_free(sgd);
    return 1;
}

static int parameters_have_rates_of_their_own(void) {
    const int64_t indices[2] = {0, 1};
    const char *names[2] = {"fc_weight", "fc_bias"};
    const char *named[2] = {"fc_bias", NULL};
    const double factors[2] = {4, 2};
    const int64_t by_index[2] = {0, 0};
    mxr_attr_t attrs[2] = {number(LEARNING_RATE, 0.5), number(WD, 0.25)};
    mxr_optimizer_t *sgd = NULL;
    double lr, wd;
    OK(mxr_optimizer_create("sgd", attrs, 2, NULL, &sgd));
    OK(mxr_optimizer_set_names(sgd, indices, names, 2));
    OK(mxr_optimizer_set_lr_mults(sgd, by_index, named, factors, 2));
    OK(mxr_optimizer_rates(sgd, 0, &lr, &wd));
    CHECK(lr == 1 && wd == 0.25);
    OK(mxr_optimizer_rates(sgd, 1, &lr, &wd));
    CHECK(lr == 2 && wd == 0);
    OK(mxr_optimizer_set_wd_mults(sgd, NULL, named, factors, 1));
    OK(mxr_optimizer_rates(sgd, 1, &lr, &wd));
    CHECK(wd == 1);
    OK(mxr_optimizer_set_mult(sgd, 1, 0.5, 0.5));
    OK(mxr_optimizer_rates(sgd, 1, &lr, &wd));
    CHECK(lr == 0.25 && wd == 0.125);
    OK(mxr_optimizer_set(sgd, attrs + 1, 1));
    attrs[0].number = 8;
    OK(mxr_optimizer_set(sgd, attrs, 1));
    OK(mxr_optimizer_learning_rate(sgd, &lr));
    CHECK(lr == 8);
    OK(mxr_optimizer_set_learning_rate(sgd, 0.5));
    OK(mxr_optimizer_learning_rate(sgd, &lr));
    CHECK(lr == 0.5);
    mxr_optimizer_free(sgd);
    return 1;
}

static int a_schedule_says_the_learning_rate(void) {
    mxr_attr_t attrs[2] = {integer(FACTOR_STEP, 1), number(FACTOR, 0.5)};
    mxr_lr_scheduler_t *schedule = NULL, *again = NULL;
    mxr_optimizer_t *sgd = NULL;
    double lr;
    int64_t t;
    OK(mxr_lr_scheduler_create("FactorScheduler", attrs, 2, &schedule));
    again = mxr_lr_scheduler_retain(schedule);
    CHECK(again == schedule);
    mxr_lr_scheduler_free(again);
    OK(mxr_optimizer_create("sgd", NULL, 0, schedule, &sgd));
    OK(mxr_lr_scheduler_set_base(schedule, 0.5));
    OK(mxr_lr_scheduler_base(schedule, &lr));
    CHECK(lr == 0.5);
    OK(mxr_lr_scheduler_value(schedule, 2, &lr));
    CHECK(lr == 0.25);
    OK(mxr_optimizer_count(sgd, 0, 0, &t));
    OK(mxr_optimizer_count(sgd, 0, 0, &t));
    OK(mxr_optimizer_learning_rate(sgd, &lr));
    CHECK(lr == 0.25);
    FAILS(mxr_optimizer_set_learning_rate(sgd, 1), MXR_ERROR_INVALID_VALUE, NULL, NULL,
          "a schedule says");
    mxr_lr_scheduler_free(schedule);
    /* The optimizer keeps the schedule. */
    OK(mxr_optimizer_learning_rate(sgd, &lr));
    CHECK(lr == 0.25);
    mxr_optimizer_free(sgd);
    return 1;
}

static int wrong_arguments_are_named(void) {
    const float three[3] = {1, 2, 3};
    mxr_attr_t bad = number(MOMENTUM, 0);
    mxr_optimizer_t *sgd = NULL;
    mxr_lr_scheduler_t *schedule = NULL;
    mxr_updater_t *updater = NULL;
    mxr_array_t *w = vector_f32(3, three), *g = vector_f32(2, three), *state = NULL;
    int32_t room = 1;
    FAILS(mxr_optimizer_create("adamm", NULL, 0, NULL, &sgd), MXR_ERROR_NOT_FOUND, NULL, NULL,
          "did you mean 'adam'");
    FAILS(mxr_optimizer_create(NULL, NULL, 0, NULL, &sgd), MXR_ERROR_INVALID_VALUE, NULL, "name",
          "NULL");
    bad.tag = MXR_ATTR_STRING;
    bad.data = "x";
    bad.integer = 1;
    FAILS(mxr_optimizer_create("sgd", &bad, 1, NULL, &sgd), MXR_ERROR_INVALID_TYPE, "SGD", "momentum",
          "number");
    bad = number(99, 1);
    FAILS(mxr_optimizer_create("sgd", &bad, 1, NULL, &sgd), MXR_ERROR_NOT_FOUND, "SGD", NULL, "id 99");
    FAILS(mxr_lr_scheduler_create("factor", NULL, 0, &schedule), MXR_ERROR_INVALID_VALUE,
          "FactorScheduler", "step", "");
    bad = number(FACTOR, NAN);
    mxr_attr_t two[2] = {integer(FACTOR_STEP, 1), bad};
    FAILS(mxr_lr_scheduler_create("factor", two, 2, &schedule), MXR_ERROR_INVALID_VALUE,
          "FactorScheduler", "factor", "NaN");
    OK(mxr_optimizer_create("sgd", NULL, 0, NULL, &sgd));
    OK(mxr_updater_create(sgd, &updater));
    FAILS(mxr_updater_update(updater, 0, g, w), MXR_ERROR_SHAPE, "sgd_update", "grad", "");
    FAILS(mxr_updater_update(updater, 0, NULL, w), MXR_ERROR_INVALID_VALUE, NULL, "grad", "NULL");
    FAILS(mxr_updater_state(updater, 5, &state, &room), MXR_ERROR_NOT_FOUND, NULL, "index",
          "parameter 5");
    CHECK(holds_f32(w, three, 3));
    mxr_array_free(w);
    mxr_array_free(g);
    mxr_updater_free(updater);
    mxr_optimizer_free(sgd);
    return 1;
}

static int closed_and_foreign_handles_are_found(void) {
    mxr_optimizer_t *sgd = NULL;
    mxr_updater_t *updater = NULL;
    double lr;
    OK(mxr_optimizer_create("sgd", NULL, 0, NULL, &sgd));
    OK(mxr_updater_create(sgd, &updater));
    FAILS(mxr_optimizer_learning_rate((mxr_optimizer_t *)(void *)updater, &lr), MXR_ERROR_INVALID_TYPE,
          NULL,
          "optimizer", "got an updater");
    mxr_optimizer_free(sgd);
    FAILS(mxr_optimizer_learning_rate(sgd, &lr), MXR_ERROR_CLOSED, NULL, "optimizer", "freed");
    CHECK(mxr_optimizer_retain(sgd) == NULL && mxr_optimizer_retain(NULL) == NULL);
    FAILS(mxr_optimizer_learning_rate(NULL, &lr), MXR_ERROR_INVALID_VALUE, NULL, "optimizer", "NULL");
    mxr_updater_t *again = mxr_updater_retain(updater);
    mxr_updater_free(updater);
    mxr_updater_free(again);
    mxr_optimizer_free(NULL);
    mxr_updater_free(NULL);
    mxr_lr_scheduler_free(NULL);
    mxr_bytes_free(NULL, 0);
    return 1;
}

int main(void) {
    RUN(an_updater_follows_the_gradient);
    RUN(bytes_carry_states_and_counts);
    RUN(the_caller_may_count_and_step_itself);
    RUN(half_precision_weights_have_a_copy_in_single);
    RUN(parameters_have_rates_of_their_own);
    RUN(a_schedule_says_the_learning_rate);
    RUN(wrong_arguments_are_named);
    RUN(closed_and_foreign_handles_are_found);
    return check_summary();
}
