/* Tensors exchanged by DLPack: memory shared both ways, and given back once. */
#include "check.h"

static const float DATA[6] = {1, 2, 3, 4, 5, 6};
static const int64_t MATRIX[2] = {2, 3};

static int an_exported_tensor_shows_the_elements(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA);
    DLManagedTensor *t = NULL;
    OK(mxr_array_to_dlpack(a, &t));
    CHECK(t->dl_tensor.ndim == 2 && t->dl_tensor.shape[0] == 2 && t->dl_tensor.shape[1] == 3);
    CHECK(t->dl_tensor.dtype.code == 2 && t->dl_tensor.dtype.bits == 32 && t->dl_tensor.dtype.lanes == 1);
    CHECK(t->dl_tensor.device.device_type == 1 && t->dl_tensor.byte_offset == 0);
    float *elements = t->dl_tensor.data;
    CHECK(memcmp(elements, DATA, sizeof DATA) == 0);
    elements[0] = 10;
    const float changed[6] = {10, 2, 3, 4, 5, 6};
    CHECK(holds_f32(a, changed, 6));
    mxr_array_free(a);
    CHECK(elements[0] == 10);
    t->deleter(t);
    return 1;
}

static int an_exported_view_begins_at_its_own_elements(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA), *row = NULL;
    DLManagedTensor *t = NULL;
    OK(mxr_array_at(a, 1, NULL, &row));
    OK(mxr_array_to_dlpack(row, &t));
    mxr_array_free(a);
    mxr_array_free(row);
    const float *first = (const float *)((const char *)t->dl_tensor.data + t->dl_tensor.byte_offset);
    CHECK(t->dl_tensor.ndim == 1 && memcmp(first, DATA + 3, 3 * sizeof *first) == 0);
    t->deleter(t);
    return 1;
}

static int every_dtype_goes_out_and_comes_back(void) {
    const struct { int32_t dtype; int code, bits; } all[] = {
        {MXR_FLOAT32, 2, 32}, {MXR_FLOAT64, 2, 64}, {MXR_FLOAT16, 2, 16}, {MXR_BFLOAT16, 4, 16},
        {MXR_UINT8, 1, 8}, {MXR_INT8, 0, 8}, {MXR_INT32, 0, 32}, {MXR_INT64, 0, 64}, {MXR_BOOL, 6, 8}};
    unsigned char in[48], out[48];
    for (unsigned i = 0; i < sizeof in; i++) in[i] = (unsigned char)(i % 2);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mxr_array_t *a = NULL, *b = NULL;
        DLManagedTensor *t = NULL;
        uint64_t bytes = 6u * (uint64_t)all[i].bits / 8u;
        OK(mxr_array_from_data(MATRIX, 2, all[i].dtype, MXR_CPU, 0, in, bytes, &a));
        OK(mxr_array_to_dlpack(a, &t));
        CHECK(t->dl_tensor.dtype.code == all[i].code && t->dl_tensor.dtype.bits == all[i].bits);
        mxr_array_free(a);
        OK(mxr_array_from_dlpack(t, &b));
        CHECK(mxr_array_dtype(b) == all[i].dtype);
        OK(mxr_array_copy_to(b, out, bytes));
        CHECK(memcmp(in, out, bytes) == 0);
        mxr_array_free(b);
        CHECK(mxr_events_poll() == 1);
    }
    return 1;
}

/* A tensor of somebody else's. */
typedef struct {
    DLManagedTensor tensor;
    int64_t shape[2], strides[2];
    float data[7];
    int deleted;
} foreign_t;

static void delete_foreign(DLManagedTensor *self) { ((foreign_t *)self->manager_ctx)->deleted++; }

/* A matrix of 2 rows and 3 columns, one element behind the start of its memory. */
static void fill(foreign_t *f) {
    memset(f, 0, sizeof *f);
    memcpy(f->data + 1, DATA, sizeof DATA);
    f->shape[0] = 2, f->shape[1] = 3;
    f->strides[0] = 3, f->strides[1] = 1;
    f->tensor.dl_tensor.data = f->data;
    f->tensor.dl_tensor.byte_offset = sizeof(float);
    f->tensor.dl_tensor.device.device_type = 1;
    f->tensor.dl_tensor.ndim = 2;
    f->tensor.dl_tensor.dtype = (DLDataType){2, 32, 1};
    f->tensor.dl_tensor.shape = f->shape;
    f->tensor.dl_tensor.strides = f->strides;
    f->tensor.manager_ctx = f;
    f->tensor.deleter = delete_foreign;
}

static int an_imported_tensor_is_used_in_place_and_deleted_by_the_poll(void) {
    foreign_t f;
    mxr_array_t *a = NULL;
    fill(&f);
    OK(mxr_array_from_dlpack(&f.tensor, &a));
    CHECK(holds_f32(a, DATA, 6));
    OK(call_unary("square", a, 0, &a));
    OK(mxr_array_wait_to_write(a, MXR_FOREVER));
    CHECK(f.data[0] == 0 && f.data[1] == 1 && f.data[6] == 36);
    mxr_array_free(a);
    CHECK(f.deleted == 0);
    CHECK(mxr_events_poll() == 1 && f.deleted == 1);
    CHECK(mxr_events_poll() == 0 && f.deleted == 1);
    return 1;
}

static int strides_may_be_absent_or_meaningless_for_one_row(void) {
    foreign_t f;
    mxr_array_t *a = NULL;
    fill(&f);
    f.tensor.dl_tensor.strides = NULL;
    OK(mxr_array_from_dlpack(&f.tensor, &a));
    CHECK(holds_f32(a, DATA, 6));
    mxr_array_free(a);
    a = NULL;
    fill(&f);
    f.shape[0] = 1, f.strides[0] = 99;
    OK(mxr_array_from_dlpack(&f.tensor, &a));
    CHECK(holds_f32(a, DATA, 3));
    mxr_array_free(a);
    mxr_events_poll();
    return 1;
}

static int a_tensor_that_cannot_be_taken_stays_its_owners(void) {
    foreign_t f;
    mxr_array_t *a = NULL;
    fill(&f);
    f.strides[0] = 1, f.strides[1] = 2;
    FAILS(mxr_array_from_dlpack(&f.tensor, &a), MXR_ERROR_UNSUPPORTED, NULL, "tensor", "row-major");
    fill(&f);
    f.tensor.dl_tensor.device.device_type = 2;
    FAILS(mxr_array_from_dlpack(&f.tensor, &a), MXR_ERROR_DEVICE, NULL, "tensor", "device 2");
    fill(&f);
    f.tensor.dl_tensor.dtype.bits = 24;
    FAILS(mxr_array_from_dlpack(&f.tensor, &a), MXR_ERROR_DTYPE, NULL, "tensor", "24");
    fill(&f);
    f.tensor.dl_tensor.dtype.lanes = 4;
    FAILS(mxr_array_from_dlpack(&f.tensor, &a), MXR_ERROR_DTYPE, NULL, "tensor", "4");
    fill(&f);
    f.shape[1] = -3, f.tensor.dl_tensor.strides = NULL;
    FAILS(mxr_array_from_dlpack(&f.tensor, &a), MXR_ERROR_SHAPE, NULL, "tensor", "-3");
    CHECK(a == NULL && mxr_events_poll() == 0 && f.deleted == 0);
    return 1;
}

static int a_tensor_without_axes_or_elements_is_taken(void) {
    foreign_t f;
    mxr_array_t *a = NULL;
    fill(&f);
    f.tensor.dl_tensor.ndim = 0;
    OK(mxr_array_from_dlpack(&f.tensor, &a));
    CHECK(holds_f32(a, DATA, 1));
    mxr_array_free(a);
    a = NULL;
    fill(&f);
    f.shape[0] = 0;
    OK(mxr_array_from_dlpack(&f.tensor, &a));
    CHECK(holds_f32(a, NULL, 0));
    mxr_array_free(a);
    CHECK(mxr_events_poll() == 2);
    return 1;
}

int main(void) {
    RUN(an_exported_tensor_shows_the_elements);
    RUN(an_exported_view_begins_at_its_own_elements);
    RUN(every_dtype_goes_out_and_comes_back);
    RUN(an_imported_tensor_is_used_in_place_and_deleted_by_the_poll);
    RUN(strides_may_be_absent_or_meaningless_for_one_row);
    RUN(a_tensor_that_cannot_be_taken_stays_its_owners);
    RUN(a_tensor_without_axes_or_elements_is_taken);
    return check_summary();
}
