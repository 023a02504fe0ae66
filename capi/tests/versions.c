/* Versions, the schema, structs of other sizes, seeds and numbers of the process. */
#include "check.h"
#include <stddef.h>

static int versions_agree_with_the_header(void) {
    CHECK(mxr_abi_version() == MXR_ABI_VERSION);
    int major = -1, minor = -1, patch = -1;
    CHECK(sscanf(mxr_version(), "%d.%d.%d", &major, &minor, &patch) == 3);
    CHECK(major >= 0 && minor >= 0 && patch >= 0);
    CHECK(strstr(mxr_build_info(), mxr_version()) != NULL);
    CHECK(mxr_build_info() == mxr_build_info());
    return 1;
}

static int operators_have_versions(void) {
    const mxr_op_t *op = NULL, *alias = NULL;
    uint32_t breaking = 0, revision = 999;
    OK(mxr_op_find("sum", &op));
    OK(mxr_op_find("sum_axis", &alias));
    CHECK(op == alias);
    OK(mxr_op_version(op, &breaking, &revision));
    CHECK(breaking >= 1 && revision < 999);
    FAILS(mxr_op_version(NULL, &breaking, &revision), MXR_ERROR_INVALID_VALUE, NULL, "op", "NULL");
    return 1;
}

static int an_operator_says_its_number_of_outputs(void) {
    const mxr_op_t *op = NULL;
    int32_t n = 0;
    OK(mxr_op_find("sum", &op));
    OK(mxr_op_num_outputs(op, NULL, 0, &n));
    CHECK(n == 1);
    return 1;
}

static int the_schema_is_json_that_names_the_operators(void) {
    char *json = NULL;
    OK(mxr_schema_json(&json));
    CHECK(json[0] == '{' && json[strlen(json) - 1] == '}');
    CHECK(strstr(json, "\"elemwise_add\"") != NULL && strstr(json, "\"operators\"") != NULL);
    mxr_string_free(json);
    return 1;
}

static int a_struct_of_an_older_caller_is_read_and_filled_as_far_as_it_goes(void) {
    struct { mxr_memory_t memory; } both;
    memset(&both, 0xab, sizeof both);
    both.memory.struct_size = (uint32_t)offsetof(mxr_memory_t, kept);
    OK(mxr_memory_stats(&both.memory));
    CHECK(both.memory.in_use != 0xababababababababu && both.memory.kept == 0xababababababababu);
    CHECK(both.memory.struct_size == offsetof(mxr_memory_t, kept));

    float one = 1;
    mxr_array_t *x = vector_f32(1, &one), *y = NULL;
    const mxr_op_t *op = NULL;
    int32_t n = 1;
    mxr_call_t call = {.struct_size = offsetof(mxr_call_t, device_kind), .device_kind = 12345};
    OK(mxr_op_find("exp", &op));
    OK(mxr_op_invoke(op, &x, 1, NULL, 0, &y, &n, NULL, &call));
    mxr_array_free(x);
    mxr_array_free(y);
    return 1;
}

static int a_struct_of_a_newer_caller_is_read_as_far_as_it_is_known(void) {
    struct { mxr_memory_t memory; uint64_t added; } newer;
    memset(&newer, 0, sizeof newer);
    newer.memory.struct_size = (uint32_t)sizeof newer;
    newer.added = 7;
    OK(mxr_memory_stats(&newer.memory));
    CHECK(newer.memory.struct_size == sizeof newer.memory && newer.added == 7);
    return 1;
}

static int the_process_says_what_it_uses(void) {
    mxr_memory_t memory;
    memset(&memory, 0, sizeof memory);
    memory.struct_size = (uint32_t)sizeof memory;
    float data[1000] = {0};
    mxr_array_t *a = vector_f32(1000, data);
    OK(mxr_memory_stats(&memory));
    CHECK(memory.in_use >= sizeof data && memory.peak >= memory.in_use);
    mxr_array_free(a);
    mxr_memory_trim();
    uint64_t held = memory.in_use;
    OK(mxr_memory_stats(&memory));
    CHECK(memory.in_use + sizeof data <= held && memory.peak == memory.in_use);
    CHECK(mxr_num_threads() >= 1 && mxr_engine_pending() == 0);
    return 1;
}

static int seeds_are_taken_for_devices_that_exist(void) {
    OK(mxr_random_seed(42, 0, 0));
    OK(mxr_random_seed(42, MXR_CPU, 0));
    FAILS(mxr_random_seed(42, 77, 0), MXR_ERROR_DEVICE, NULL, NULL, "77");
    return 1;
}

int main(void) {
    RUN(versions_agree_with_the_header);
    RUN(operators_have_versions);
    RUN(an_operator_says_its_number_of_outputs);
    RUN(the_schema_is_json_that_names_the_operators);
    RUN(a_struct_of_an_older_caller_is_read_and_filled_as_far_as_it_goes);
    RUN(a_struct_of_a_newer_caller_is_read_as_far_as_it_is_known);
    RUN(the_process_says_what_it_uses);
    RUN(seeds_are_taken_for_devices_that_exist);
    return check_summary();
}
