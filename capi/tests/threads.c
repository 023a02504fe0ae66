/* Many threads at once: on arrays of their own, on shared ones, waiting and freeing. */
#include "check.h"
#include <pthread.h>

enum { THREADS = 8, TURNS = 200, N = 64, LARGE = 1 << 18 };

typedef struct {
    int index;
    mxr_array_t *shared;
    int ok;
} worker_t;

/* Runs `body` on all threads; 1 if it succeeded on each. */
static int on_threads(void *(*body)(void *), mxr_array_t *shared) {
    pthread_t threads[THREADS];
    worker_t workers[THREADS];
    int ok = 1;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){.index = i, .shared = shared, .ok = 0};
        if (pthread_create(&threads[i], NULL, body, &workers[i]) != 0) return 0;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ok &= workers[i].ok;
    }
    return ok;
}

/* Defines what a thread runs, from a function that returns 1 on success. */
#define THREAD(body)                                                                        \
    static void *body##_thread(void *worker) {                                              \
        ((worker_t *)worker)->ok = body((worker_t *)worker);                                \
        return NULL;                                                                        \
    }
#define ON_THREADS(body, shared) on_threads(body##_thread, shared)

static int compute_alone(worker_t *worker) {
    float data[N];
    for (int i = 0; i < N; i++) data[i] = (float)(worker->index + i);
    for (int turn = 0; turn < TURNS; turn++) {
        mxr_array_t *x = vector_f32(N, data), *y = NULL, *z = NULL;
        float got[N];
        OK(call_unary("square", x, 0, &y));
        OK(call_binary("elemwise_add", y, x, 0, &z));
        OK(mxr_array_copy_to(z, got, sizeof got));
        for (int i = 0; i < N; i++) CHECK(got[i] == data[i] * data[i] + data[i]);
        mxr_array_free(x);
        mxr_array_free(y);
        mxr_array_free(z);
    }
    return 1;
}
THREAD(compute_alone)

static int threads_compute_on_arrays_of_their_own(void) { return ON_THREADS(compute_alone, NULL); }

static int read_shared(worker_t *worker) {
    for (int turn = 0; turn < TURNS; turn++) {
        mxr_array_t *mine = mxr_array_retain(worker->shared), *y = NULL;
        float got[N];
        OK(call_unary("square", mine, 0, &y));
        mxr_array_free(mine);
        OK(mxr_array_copy_to(y, got, sizeof got));
        for (int i = 0; i < N; i++) CHECK(got[i] == 9);
        mxr_array_free(y);
    }
    return 1;
}
THREAD(read_shared)

static int threads_read_one_array(void) {
    float data[N];
    for (int i = 0; i < N; i++) data[i] = 3;
    mxr_array_t *shared = vector_f32(N, data);
    CHECK(ON_THREADS(read_shared, shared));
    CHECK(holds_f32(shared, data, N));
    mxr_array_free(shared);
    return 1;
}

static int add_one(worker_t *worker) {
    const mxr_op_t *op = NULL;
    mxr_attr_t one = {.id = 1, .tag = MXR_ATTR_FLOAT, .number = 1};
    OK(mxr_op_find("_plus_scalar", &op));
    for (int turn = 0; turn < TURNS; turn++) {
        mxr_array_t *out = worker->shared;
        int32_t n = 1;
        OK(mxr_op_invoke(op, &worker->shared, 1, &one, 1, &out, &n, NULL, NULL));
    }
    return 1;
}
THREAD(add_one)

static int increments_in_place_by_many_threads_all_count(int64_t n) {
    float *data = calloc((size_t)n, sizeof *data);
    mxr_array_t *shared = vector_f32(n, data);
    int ok = ON_THREADS(add_one, shared);
    OK(mxr_array_copy_to(shared, data, (uint64_t)n * sizeof *data));
    CHECK(ok && data[0] == THREADS * TURNS && data[n - 1] == THREADS * TURNS);
    mxr_array_free(shared);
    free(data);
    return 1;
}

static int small_increments_of_many_threads_all_count(void) {
    return increments_in_place_by_many_threads_all_count(N);
}

static int large_increments_of_many_threads_all_count(void) {
    return increments_in_place_by_many_threads_all_count(LARGE / 4);
}

static int wait_and_copy(worker_t *worker) {
    float *got = malloc(LARGE * sizeof *got);
    CHECK(got != NULL);
    OK(mxr_array_wait_to_read(worker->shared, 60000));
    OK(mxr_array_copy_to(worker->shared, got, LARGE * sizeof *got));
    CHECK(got[0] == 65536 && got[LARGE - 1] == 65536);
    free(got);
    return 1;
}
THREAD(wait_and_copy)

/* 2 squared four times, pending for a while on the threaded engine. */
static mxr_error_t *pending(mxr_array_t **out) {
    const mxr_op_t *op = NULL;
    int64_t dims = LARGE;
    int32_t n = 1;
    mxr_attr_t attrs[2] = {{.id = 1, .tag = MXR_ATTR_INTS, .integer = 1, .data = &dims},
                           {.id = 4, .tag = MXR_ATTR_FLOAT, .number = 2}};
    mxr_error_t *error = mxr_op_find("_full", &op);
    if (!error) error = mxr_op_invoke(op, NULL, 0, attrs, 2, out, &n, NULL, NULL);
    for (int i = 0; i < 4 && !error; i++) {
        mxr_array_t *next = NULL;
        error = call_unary("square", *out, 0, &next);
        mxr_array_free(*out);
        *out = next;
    }
    return error;
}

static int threads_wait_for_one_pending_array(void) {
    mxr_array_t *shared = NULL;
    OK(pending(&shared));
    CHECK(ON_THREADS(wait_and_copy, shared));
    mxr_array_free(shared);
    return 1;
}

static int a_wait_gives_up_after_its_timeout(void) {
    mxr_array_t *x = NULL;
    int timeouts = 0;
    OK(pending(&x));
    for (int i = 0; i < 200; i++) {
        mxr_array_t *y = NULL;
        OK(call_unary("tanh", x, 0, &y));
        mxr_array_free(x);
        x = y;
    }
    const char *engine = getenv("MXR_ENGINE");
    int naive = engine && strcmp(engine, "naive") == 0;
    for (mxr_error_t *error; (error = mxr_array_wait_to_read(x, 0)); timeouts++) {
        CHECK(check_error_is(error, MXR_ERROR_TIMEOUT, NULL, NULL, ""));
        OK(mxr_array_wait_to_read(x, MXR_FOREVER));
    }
    CHECK(timeouts == !naive);
    OK(mxr_wait_all(60000));
    CHECK(mxr_engine_pending() == 0);
    mxr_array_free(x);
    return 1;
}

static int make_and_drop(worker_t *worker) {
    for (int turn = 0; turn < TURNS; turn++) {
        mxr_array_t *y = NULL;
        OK(call_unary("exp", worker->shared, 0, &y));
        mxr_array_free(y);
        OK(mxr_wait_all(MXR_FOREVER));
        mxr_events_poll();
    }
    return 1;
}
THREAD(make_and_drop)

static int threads_wait_for_all_while_others_work(void) {
    mxr_array_t *shared = NULL;
    OK(pending(&shared));
    CHECK(ON_THREADS(make_and_drop, shared));
    mxr_array_free(shared);
    return 1;
}

static int fail_and_go_on(worker_t *worker) {
    for (int turn = 0; turn < TURNS; turn++) {
        mxr_array_t *out = NULL;
        FAILS(call_unary("elemwise_add", worker->shared, 0, &out), MXR_ERROR_INVALID_VALUE, "elemwise_add",
              "rhs", "missing");
    }
    return 1;
}
THREAD(fail_and_go_on)

static int errors_belong_to_the_call_not_to_the_thread(void) {
    float one = 1;
    mxr_array_t *shared = vector_f32(1, &one);
    CHECK(ON_THREADS(fail_and_go_on, shared));
    mxr_array_free(shared);
    return 1;
}

static int differentiate(worker_t *worker) {
    const int32_t request = MXR_REQUEST_WRITE;
    for (int turn = 0; turn < TURNS / 4; turn++) {
        float value = (float)(worker->index + 1), twice = 2 * value;
        mxr_array_t *x = vector_f32(1, &value), *g = vector_f32(1, &value), *y = NULL;
        OK(mxr_autograd_mark(&x, &g, &request, 1));
        OK(call_unary("square", x, MXR_CALL_RECORDING, &y));
        OK(mxr_autograd_backward(&y, NULL, 1, 0));
        CHECK(holds_f32(g, &twice, 1));
        mxr_array_free(x);
        mxr_array_free(g);
        mxr_array_free(y);
    }
    return 1;
}
THREAD(differentiate)

static int threads_differentiate_at_once(void) { return ON_THREADS(differentiate, NULL); }

static int shutdown_and_use(worker_t *worker) {
    if (worker->index > 1) return compute_alone(worker);
    for (int turn = 0; turn < 20; turn++) OK(mxr_shutdown(MXR_FOREVER));
    return 1;
}
THREAD(shutdown_and_use)

static int a_shutdown_does_not_disturb_other_threads(void) { return ON_THREADS(shutdown_and_use, NULL); }

int main(void) {
    RUN(threads_compute_on_arrays_of_their_own);
    RUN(threads_read_one_array);
    RUN(small_increments_of_many_threads_all_count);
    RUN(large_increments_of_many_threads_all_count);
    RUN(threads_wait_for_one_pending_array);
    RUN(a_wait_gives_up_after_its_timeout);
    RUN(threads_wait_for_all_while_others_work);
    RUN(errors_belong_to_the_call_not_to_the_thread);
    RUN(threads_differentiate_at_once);
    RUN(a_shutdown_does_not_disturb_other_threads);
    return check_summary();
}
