/* Lists of arrays in files: written, read back, missing, damaged. */
#include "check.h"

static const char *PATH = "files.params";
static const float DATA[6] = {1, 2, 3, 4, 5, 6};
static const int64_t MATRIX[2] = {2, 3};

/* The bytes of a file; the caller frees them. NULL if it cannot be read. */
static unsigned char *bytes_of(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc((size_t)*size + 1);
    if (bytes && fread(bytes, 1, (size_t)*size, file) != (size_t)*size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

static int put_bytes(const char *path, const unsigned char *bytes, long size) {
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    size_t written = size > 0 ? fwrite(bytes, 1, (size_t)size, file) : 0;
    return fclose(file) == 0 && written == (size_t)size;
}

/* Saves a matrix of float32 and a vector of int64. */
static int save_two(const char *const *names) {
    const int64_t three = 3, ints[3] = {-1, 0, INT64_MAX};
    mxr_array_t *two[2] = {array_f32(MATRIX, 2, DATA), NULL};
    OK(mxr_array_from_data(&three, 1, MXR_INT64, MXR_CPU, 0, ints, sizeof ints, &two[1]));
    OK(mxr_list_save(PATH, names, two, 2));
    mxr_array_free(two[0]);
    mxr_array_free(two[1]);
    return 1;
}

static int named_arrays_come_back(void) {
    const char *names[2] = {"arg:weight", "aux:gr\xc3\xb6\xc3\x9f\x65"};
    mxr_list_t *list = NULL;
    mxr_array_t *a = NULL, *b = NULL;
    int64_t ints[3], dims[2];
    int32_t ndim;
    CHECK(save_two(names));
    OK(mxr_list_load(PATH, &list));
    CHECK(mxr_list_len(list) == 2);
    CHECK(strcmp(mxr_list_name(list, 0), names[0]) == 0 && strcmp(mxr_list_name(list, 1), names[1]) == 0);
    OK(mxr_list_array(list, 0, &a));
    OK(mxr_list_array(list, 1, &b));
    OK(mxr_array_shape(a, dims, 2, &ndim));
    CHECK(ndim == 2 && dims[0] == 2 && dims[1] == 3 && holds_f32(a, DATA, 6));
    CHECK(mxr_array_dtype(b) == MXR_INT64);
    OK(mxr_array_copy_to(b, ints, sizeof ints));
    CHECK(ints[0] == -1 && ints[1] == 0 && ints[2] == INT64_MAX);
    mxr_array_free(a);
    mxr_array_free(b);
    mxr_list_free(list);
    remove(PATH);
    return 1;
}

static int arrays_without_names_have_none(void) {
    mxr_list_t *list = NULL;
    CHECK(save_two(NULL));
    OK(mxr_list_load(PATH, &list));
    CHECK(mxr_list_len(list) == 2 && mxr_list_name(list, 0) == NULL && mxr_list_name(list, 1) == NULL);
    mxr_list_free(list);
    remove(PATH);
    return 1;
}

static int an_empty_list_is_a_file(void) {
    mxr_list_t *list = NULL;
    OK(mxr_list_save(PATH, NULL, NULL, 0));
    OK(mxr_list_load(PATH, &list));
    CHECK(mxr_list_len(list) == 0);
    mxr_list_free(list);
    remove(PATH);
    return 1;
}

static int positions_outside_the_list_are_refused(void) {
    mxr_list_t *list = NULL;
    mxr_array_t *a = NULL;
    CHECK(save_two(NULL));
    OK(mxr_list_load(PATH, &list));
    FAILS(mxr_list_array(list, 2, &a), MXR_ERROR_INDEX, NULL, "i", "list of 2");
    FAILS(mxr_list_array(list, -1, &a), MXR_ERROR_INDEX, NULL, "i", "-1");
    CHECK(a == NULL && mxr_list_name(list, 2) == NULL && mxr_list_name(list, -1) == NULL);
    mxr_list_free(list);
    remove(PATH);
    return 1;
}

static int a_missing_file_is_named(void) {
    mxr_list_t *list = NULL;
    FAILS(mxr_list_load("no/such/file.params", &list), MXR_ERROR_NOT_FOUND, NULL, NULL, "no/such/file.params");
    FAILS(mxr_list_load(".", &list), MXR_ERROR_IO, NULL, NULL, ".");
    CHECK(list == NULL);
    return 1;
}

static int a_folder_that_is_missing_is_named(void) {
    mxr_array_t *a = array_f32(MATRIX, 2, DATA);
    FAILS(mxr_list_save("no/such/folder.params", NULL, &a, 1), MXR_ERROR_NOT_FOUND, NULL, NULL, "no/such");
    mxr_array_free(a);
    return 1;
}

static int every_truncated_file_is_an_error(void) {
    const char *names[2] = {"a", "b"};
    mxr_list_t *list = NULL;
    long size = 0;
    CHECK(save_two(names));
    unsigned char *bytes = bytes_of(PATH, &size);
    CHECK(bytes != NULL && size > 100);
    for (long n = 0; n < size; n++) {
        CHECK(put_bytes(PATH, bytes, n));
        mxr_error_t *error = mxr_list_load(PATH, &list);
        CHECK(error != NULL && list == NULL);
        CHECK(mxr_error_code(error) == MXR_ERROR_FORMAT);
        mxr_error_free(error);
    }
    CHECK(put_bytes(PATH, bytes, size));
    OK(mxr_list_load(PATH, &list));
    mxr_list_free(list);
    free(bytes);
    remove(PATH);
    return 1;
}

static int a_damaged_byte_is_an_error_or_other_contents_but_no_crash(void) {
    const char *names[2] = {"a", "b"};
    long size = 0;
    CHECK(save_two(names));
    unsigned char *bytes = bytes_of(PATH, &size);
    CHECK(bytes != NULL);
    for (long i = 0; i < size; i++) {
        mxr_list_t *list = NULL;
        bytes[i] ^= 0xff;
        CHECK(put_bytes(PATH, bytes, size));
        bytes[i] ^= 0xff;
        mxr_error_t *error = mxr_list_load(PATH, &list);
        CHECK((error == NULL) == (list != NULL));
        mxr_error_free(error);
        mxr_list_free(list);
    }
    free(bytes);
    remove(PATH);
    return 1;
}

static int a_failed_array_is_not_written_and_the_old_file_stays(void) {
    const int64_t large = 1LL << 50;
    mxr_array_t *a = NULL, *b = NULL;
    mxr_list_t *list = NULL;
    CHECK(save_two(NULL));
    OK(mxr_array_empty(&large, 1, MXR_FLOAT32, MXR_CPU, 0, &a));
    OK(call_op("sum", &a, 1, 0, &b));
    FAILS(mxr_list_save(PATH, NULL, &b, 1), MXR_ERROR_OUT_OF_MEMORY, "sum", NULL, "cannot allocate");
    mxr_array_free(a);
    mxr_array_free(b);
    OK(mxr_list_load(PATH, &list));
    CHECK(mxr_list_len(list) == 2);
    mxr_list_free(list);
    remove(PATH);
    mxr_error_free(mxr_wait_all(MXR_FOREVER));
    return 1;
}

int main(void) {
    RUN(named_arrays_come_back);
    RUN(arrays_without_names_have_none);
    RUN(an_empty_list_is_a_file);
    RUN(positions_outside_the_list_are_refused);
    RUN(a_missing_file_is_named);
    RUN(a_folder_that_is_missing_is_named);
    RUN(every_truncated_file_is_an_error);
    RUN(a_damaged_byte_is_an_error_or_other_contents_but_no_crash);
    RUN(a_failed_array_is_not_written_and_the_old_file_stays);
    return check_summary();
}
