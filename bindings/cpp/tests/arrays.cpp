// Arrays: from and to C++'s own, views, operators, dtypes, files, DLPack, errors.
#include "testing.hpp"
#include "mxr_ops.hpp"
#include <cstdio>
#include <numeric>
#include <sstream>

namespace {

using namespace mxr;
using testing::Floats;

void arrays_come_from_vectors_and_go_to_them() {
    const NDArray a(Floats{1, 2, 3, 4, 5, 6}, Shape(2, 3));
    CHECK(a.GetShape() == (std::vector<int64_t>{2, 3}) && a.Size() == 6 && a.GetDType() == DType::kFloat32);
    CHECK(a.ToVector() == (Floats{1, 2, 3, 4, 5, 6}));
    CHECK(a.At(1, 2) == 6 && a[0].At(1) == 2 && a.GetContext() == Context::cpu());
    const int64_t big[] = {INT64_MAX, INT64_MIN};
    CHECK(NDArray(big, Shape(2)).ToVector<int64_t>() == (std::vector<int64_t>{INT64_MAX, INT64_MIN}));
    CHECK(NDArray(std::vector<uint8_t>{255, 0}).AsType(DType::kBool).ToVector<bool>() ==
          (std::vector<bool>{true, false}));
    CHECK(NDArray(std::vector<double>{0.1}).Scalar<double>() == 0.1);
    CHECK(NDArray(Floats{}, Shape(0, 3)).ToVector().empty());
    Floats copy;
    a.SyncCopyToCPU(&copy);
    CHECK(copy == a.ToVector());
}

void elements_can_be_iterated_over_and_changed() {
    NDArray a(Floats{1, 2, 3});
    for (float &x : a.View()) x *= 2;
    const NDArray b = a;
    CHECK(std::accumulate(b.View().begin(), b.View().end(), 0.0f) == 12);
    a.SyncCopyFromCPU(Floats{7, 8, 9});
    CHECK(b.View()[1] == 8 && *b.GetData() == 7);
}

void a_vector_lends_its_memory() {
    Floats memory(8, 3.0f);
    const float *address = memory.data();
    const NDArray a = NDArray::Adopt(std::move(memory), Shape(2, 4));
    CHECK(a.GetData() == address && (a + a).At(1, 3) == 6);
    CHECK(testing::error_of([] { NDArray::Adopt(Floats(3), Shape(2)); }).code() == MXR_ERROR_SHAPE);
}

void copies_are_the_same_array_and_views_share_memory() {
    NDArray a(Floats{1, 2, 3, 4}, Shape(2, 2));
    NDArray b = a, row = a[1], part = a.Slice(0, 1), flat = a.Reshape({-1});
    const NDArray copy = a.Copy();
    row = 9.0;
    CHECK(b.get() == a.get() && b.At(1, 0) == 9 && flat.At(3) == 9);
    part += 1;
    CHECK(a.At(0, 1) == 3 && a[-1].At(0) == 9);
    CHECK(copy.ToVector() == (Floats{1, 2, 3, 4}));
    a.CopyTo(&b);
    const NDArray moved = std::move(b);
    CHECK(!b && moved.get() == a.get());
}

void operators_broadcast_and_take_numbers_on_either_side() {
    const NDArray a(Floats{1, 2, 3, 4}, Shape(2, 2)), row(Floats{10, 20}, Shape(1, 2));
    CHECK((a + row).ToVector() == (Floats{11, 22, 13, 24}));
    CHECK((a - 1).ToVector() == (Floats{0, 1, 2, 3}) && (1 - a).ToVector() == (Floats{0, -1, -2, -3}));
    CHECK((2 * a / 4).ToVector() == (Floats{0.5, 1, 1.5, 2}) && (12 / a).ToVector() == (Floats{12, 6, 4, 3}));
    CHECK((a % 2).ToVector() == (Floats{1, 0, 1, 0}) && (-a).ToVector() == (Floats{-1, -2, -3, -4}));
    CHECK((a > 2).ToVector() == (Floats{0, 0, 1, 1}) && (2 > a).ToVector() == (Floats{1, 0, 0, 0}));
    CHECK((a == 3).ToVector() == (Floats{0, 0, 1, 0}) && (a != a).ToVector() == (Floats{0, 0, 0, 0}));
    CHECK((a <= 1).ToVector() == (Floats{1, 0, 0, 0}) && (3 <= a).ToVector() == (Floats{0, 0, 1, 1}));
    NDArray b = a.Copy();
    b *= row;
    b -= 10;
    b /= 2;
    CHECK(b.ToVector() == (Floats{0, 15, 10, 35}));
}

void functions_have_what_must_be_given_as_parameters_and_the_rest_as_options() {
    const NDArray x(Floats{1, 2, 3, 4}, Shape(1, 1, 2, 2)), w(Floats{1, 1, 1, 1}, Shape(1, 1, 2, 2));
    op::ConvolutionOptions options;
    options.pad = {1, 1};
    options.no_bias = true;
    const NDArray y = op::Convolution(x, w, {}, {2, 2}, 1, options);
    CHECK(y.ToVector() == (Floats{1, 3, 2, 4, 10, 6, 3, 7, 4}));
    CHECK(op::Activation(x - 2.5, op::ActivationActType::kRelu).ToVector() == (Floats{0, 0, 0.5, 1.5}));
    CHECK(op::sum(x).Scalar() == 10);
    op::SumOptions rows;
    rows.axis = 2;
    CHECK(op::sum(x, rows).ToVector() == (Floats{4, 6}));
    op::SliceOptions every_second;
    every_second.step = {none, 2};
    CHECK(op::slice(NDArray(Floats{1, 2, 3, 4}, Shape(2, 2)), {1, none}, {none, none}, every_second).ToVector() ==
          (Floats{3}));
    op::TopkOptions topk;
    topk.axis = none;
    topk.ret_typ = op::TopkRetTyp::kValue;
    CHECK(NDArray(op::topk(x, topk)).ToVector() == (Floats{4}));
}

void several_results_are_a_list_and_one_is_an_array() {
    const NDArray x(Floats{1, 2, 3, 4}, Shape(2, 2));
    const Outputs parts = op::split(x, 2);
    CHECK(parts.size() == 2 && parts[1].ToVector() == (Floats{2, 4}));
    const NDArray one = op::split(x, 1);
    CHECK(one.ToVector() == x.ToVector());
    CHECK(testing::error_of([&] { NDArray(op::split(x, 2)); }).code() == MXR_ERROR_INVALID_VALUE);
    NDArray out(Shape(2, 2));
    CHECK(op::square(x, out).get() == out.get() && out.ToVector() == (Floats{1, 4, 9, 16}));
    CHECK(op::concat({x, x}).GetShape() == (std::vector<int64_t>{2, 4}));
}

void operators_are_found_by_name() {
    const NDArray x(Floats{1, 2, 3, 4}, Shape(2, 2));
    CHECK(NDArray(Operator("sum").SetParam("axis", Shape(1)).SetInput("data", x).Invoke()).ToVector() ==
          (Floats{3, 7}));
    CHECK(NDArray(Operator("elemwise_add")(x)(x).Invoke()).ToVector() == (Floats{2, 4, 6, 8}));
    CHECK(testing::error_of([] { Operator("no_such").Invoke(); }).code() == MXR_ERROR_NOT_FOUND);
    const Error error = testing::error_of([&] { Operator("sum").SetParam("axes", 1).PushInput(x).Invoke(); });
    CHECK(error.code() == MXR_ERROR_NOT_FOUND && error.argument() == "axes" && error.op() == "sum");
}

void errors_name_operator_and_argument() {
    const NDArray a(Floats{1, 2}), b(Floats{1, 2, 3});
    const Error error = testing::error_of([&] { a + b; });
    CHECK(error.code() == MXR_ERROR_SHAPE && error.op() == "broadcast_add");
    CHECK(testing::error_of([&] { a + NDArray(); }).argument() == "rhs");
    CHECK(testing::error_of([&] { a.ToVector<double>(); }).code() == MXR_ERROR_DTYPE);
    CHECK(testing::error_of([&] { a.Scalar(); }).code() == MXR_ERROR_SHAPE);
    CHECK(testing::error_of([&] { a[2]; }).code() == MXR_ERROR_INDEX);
    CHECK(testing::error_of([] { NDArray().GetShape(); }).code() == MXR_ERROR_INVALID_VALUE);
    CHECK(testing::error_of([] { NDArray(Floats{1}, Shape(2)); }).code() != 0);
    CHECK(testing::error_of([] { NDArray::LoadToMap("no/such/file"); }).code() != 0);
    CHECK((a + a).ToVector() == (Floats{2, 4}));
}

void a_library_of_another_version_is_refused_by_its_name() {
    const Error abi = testing::error_of([] { detail::check_abi(1, 2); });
    CHECK(abi.code() == MXR_ERROR_VERSION && std::string(abi.what()).find("libmxr") != std::string::npos);
    const Error op = testing::error_of([] { detail::check_operator("exp", 1, 3, 1, 2); });
    CHECK(op.code() == MXR_ERROR_VERSION && op.op() == "exp");
    CHECK(testing::error_of([] { detail::check_operator("exp", 1, 0, 2, 0); }).code() == MXR_ERROR_VERSION);
    detail::check_operator("exp", 1, 2, 1, 5);
    CHECK(testing::error_of([] { detail::Op("exp", 9, 0); }).code() == MXR_ERROR_VERSION);
}

void arrays_are_saved_with_and_without_names() {
    const std::string path = "cpp_arrays.params";
    const NDArray a(Floats{1, 2}), b(std::vector<int32_t>{3}, Shape(1, 1));
    NDArray::Save(path, std::map<std::string, NDArray>{{"a", a}, {"b", b}});
    const auto map = NDArray::LoadToMap(path);
    CHECK(map.size() == 2 && map.at("b").ToVector<int32_t>() == std::vector<int32_t>{3});
    NDArray::Save(path, std::vector<NDArray>{b, a});
    CHECK(NDArray::LoadList(path)[1].ToVector() == (Floats{1, 2}));
    std::remove(path.c_str());
}

void dlpack_shares_memory_both_ways() {
    NDArray a(Floats{1, 2, 3});
    NDArray b = NDArray::FromDLPack(a.ToDLPack());
    b += 1;
    b.WaitToRead();
    CHECK(a.ToVector() == (Floats{2, 3, 4}) && a.GetData() == b.GetData());
    CHECK(a.ToDLPack()->dl_tensor.shape[0] == 3);
}

void arrays_are_printed_row_by_row() {
    std::ostringstream out;
    out << NDArray(Floats{1, 2.5, 3, 4}, Shape(2, 2)) << NDArray();
    CHECK(out.str() == "[[1, 2.5],\n [3, 4]]\n<NDArray (2, 2) float32 @cpu(0)><no array>");
    std::ostringstream bytes;
    bytes << NDArray(std::vector<uint8_t>{65});
    CHECK(bytes.str() == "[65]\n<NDArray (1,) uint8 @cpu(0)>");
}

void seeds_repeat_random_numbers() {
    op::UniformOptions options;
    options.shape = {100};
    const auto draw = [&] {
        RandomSeed(7);
        return op::uniform(options).ToVector();
    };
    const Floats first = draw(), other = op::uniform(options).ToVector();
    CHECK(first == draw() && first != other && *std::max_element(first.begin(), first.end()) < 1);
}

} // namespace

int main() {
    RUN(arrays_come_from_vectors_and_go_to_them);
    RUN(elements_can_be_iterated_over_and_changed);
    RUN(a_vector_lends_its_memory);
    RUN(copies_are_the_same_array_and_views_share_memory);
    RUN(operators_broadcast_and_take_numbers_on_either_side);
    RUN(functions_have_what_must_be_given_as_parameters_and_the_rest_as_options);
    RUN(several_results_are_a_list_and_one_is_an_array);
    RUN(operators_are_found_by_name);
    RUN(errors_name_operator_and_argument);
    RUN(a_library_of_another_version_is_refused_by_its_name);
    RUN(arrays_are_saved_with_and_without_names);
    RUN(dlpack_shares_memory_both_ways);
    RUN(arrays_are_printed_row_by_row);
    RUN(seeds_repeat_random_numbers);
    return testing::summary();
}
