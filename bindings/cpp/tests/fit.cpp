// Metrics, iterators over data, and stores.
#include "testing.hpp"
#include "mxr_ops.hpp"
#include <cmath>
#include <cstdio>
#include <fstream>

namespace {

using namespace mxr;
using testing::Floats;
using testing::Names;
using testing::near;

void metrics_sum_up_batches() {
    // Two of three are right, and then one of one.
    EvalMetric accuracy("acc", {{"axis", 1}});
    accuracy.Update(NDArray(Floats{0, 1, 1}), NDArray(Floats{0.3f, 0.7f, 0, 1, 0.4f, 0.6f}, Shape(3, 2)));
    CHECK(near(accuracy.Get(), 2.0 / 3));
    accuracy.Update(NDArray(Floats{0}), NDArray(Floats{0.9f, 0.1f}, Shape(1, 2)));
    CHECK(near(accuracy.Get(), 3.0 / 4));
    CHECK(accuracy.GetNameValue().front().first == "accuracy");
    accuracy.ResetLocal();
    CHECK(std::isnan(accuracy.Get()) && near(accuracy.GetNameValue(true).front().second, 3.0 / 4));
    accuracy.Reset();
    CHECK(std::isnan(accuracy.GetNameValue(true).front().second));
}

void composites_have_the_values_of_their_parts() {
    EvalMetric both("composite", {{"metrics", Names{"mse"}}}), custom("custom", {{"name", "mine"}});
    both.Push(EvalMetric("mae"));
    both.Update(NDArray(Floats{2.5f, 0, 2, 8}, Shape(4, 1)), NDArray(Floats{3, -0.5f, 2, 7}, Shape(4, 1)));
    const auto values = both.GetNameValue();
    CHECK(values.size() == 2 && values[0].first == "mse" && values[1].first == "mae");
    CHECK(near(values[0].second, 0.375) && near(values[1].second, 0.5));
    custom.Add(6, 4);
    CHECK(custom.GetNameValue().front() == (std::pair<std::string, double>("mine", 1.5)));
}

void metrics_choose_what_their_attributes_name() {
    EvalMetric mae("mae", {{"output_names", Names{"b"}}, {"label_names", Names{"y"}}});
    const NDArray zero(Floats{0}, Shape(1, 1)), one(Floats{1}, Shape(1, 1)), five(Floats{5}, Shape(1, 1));
    mae.Update(NamedArrays{{"x", zero}, {"y", one}}, NamedArrays{{"a", zero}, {"b", five}});
    CHECK(mae.Get() == 4);
}

void metrics_refuse_what_they_cannot_take() {
    Error error = testing::error_of([] { EvalMetric("accuracie"); });
    CHECK(error.code() == MXR_ERROR_NOT_FOUND && std::string(error.what()).find("accuracie") != std::string::npos);
    error = testing::error_of([] { EvalMetric("acc", {{"axes", 1}}); });
    CHECK(error.code() == MXR_ERROR_NOT_FOUND && error.argument() == "axes");
    EvalMetric accuracy("acc");
    testing::error_of([&] {
        accuracy.Update(NDArray(Floats{0, 1, 1}), NDArray(Floats{0.9f, 0.1f}, Shape(1, 2)));
        accuracy.Get();
    });
    testing::error_of([&] { accuracy.Update({NDArray(Floats{0})}, std::vector<NDArray>{}); });
}

void iterators_fill_the_last_batch_up() {
    const NDArray x(Floats{0, 1, 10, 11, 20, 21, 30, 31, 40, 41}, Shape(5, 2)), y(Floats{0, 1, 2, 3, 4});
    DataIter iter = NDArrayIter({x}, {y}, {{"batch_size", 2}});
    CHECK(iter.GetBatchSize() == 2);
    const DataDesc data = iter.ProvideData().at(0), label = iter.ProvideLabel().at(0);
    CHECK(data.name == "data" && data.shape == Shape(2, 2) && data.dtype == DType::kFloat32);
    CHECK(label.name == "softmax_label" && label.shape == Shape(2) && data.layout == "NCHW");
    for (int epoch = 0; epoch < 2; epoch++) {
        std::vector<DataBatch> batches;
        while (iter.Next()) batches.push_back(iter.GetDataBatch());
        CHECK(batches.size() == 3 && batches[0].pad_num == 0 && batches[2].pad_num == 1);
        CHECK(batches[1].data.at(0).ToVector() == (Floats{20, 21, 30, 31}));
        CHECK(batches[2].data.at(0).ToVector() == (Floats{40, 41, 0, 1}));
        CHECK(batches[2].label.at(0).ToVector() == (Floats{4, 0}));
        CHECK(batches[1].index == (std::vector<int64_t>{2, 3}));
        iter.Reset();
    }
}

void iterators_discard_and_resize() {
    const NDArray x(Floats{0, 1, 2, 3, 4});
    DataIter whole("NDArrayIter", {{"x", x}}, {}, {{"batch_size", 2}, {"last_batch_handle", "discard"}});
    CHECK(whole.ProvideData().at(0).name == "x" && whole.ProvideLabel().empty());
    int batches = 0;
    while (whole.Next()) batches++;
    CHECK(batches == 2);
    whole.Reset();
    DataIter five("ResizeIter", {whole}, {{"size", 5}});
    for (batches = 0; five.Next(); batches++) CHECK(five.GetPadNum() == 0);
    CHECK(batches == 5);
}

void what_need_not_be_given_is_a_struct() {
    metric::TopKAccuracyOptions two;
    two.top_k = 2;
    EvalMetric best = metric::TopKAccuracy(two), first = metric::Accuracy();
    CHECK(best.GetNameValue().front().first == "top_k_accuracy_2" && first.GetNameValue().front().first == "accuracy");
    EvalMetric both = metric::CompositeEvalMetric();
    both.Push(first);
    both.Push(metric::MSE());
    CHECK(both.GetNameValue().size() == 2);

    const NDArray x(Floats{1, 2, 3}), y(Floats{4, 5, 6});
    io::NDArrayIterOptions options;
    options.batch_size = 2;
    options.last_batch_handle = io::NDArrayIterLastBatchHandle::kDiscard;
    DataIter one = io::NDArrayIter(x, y, options);
    CHECK(one.Next() && one.GetLabel().ToVector() == (Floats{4, 5}) && !one.Next());
    CHECK(io::NDArrayIter({x, y}).ProvideData()[1].name == "_1_data");
    const NamedArrays named{{"left", x}, {"right", y}};
    CHECK(io::NDArrayIter(named).ProvideData()[1].name == "right");
    DataIter four = io::PrefetchingIter({io::ResizeIter({io::NDArrayIter(x)}, 4)});
    int batches = 0;
    while (four.Next()) batches++;
    CHECK(batches == 4);
    CHECK(testing::error_of([] { io::MNISTIter(); }).code() == MXR_ERROR_NOT_FOUND);
}

void iterators_read_files() {
    const std::string path = "fit-rows.csv";
    std::ofstream(path) << "1,2\n3,4\n";
    MXDataIter iter("CSVIter");
    iter.SetParam("data_csv", path).SetParam("data_shape", Shape(2)).SetParam("batch_size", 2).CreateDataIter();
    CHECK(iter.Next() && iter.GetData().ToVector() == (Floats{1, 2, 3, 4}));
    CHECK(iter.GetLabel().Size() == 2 && !iter.Next());
    std::remove(path.c_str());
    const AttrMap missing{{"data_csv", "no-such.csv"}, {"data_shape", Shape(2)}, {"batch_size", 2}};
    const Error error = testing::error_of([&] { DataIter("CSVIter", missing); });
    CHECK(error.code() == MXR_ERROR_NOT_FOUND);
    CHECK(std::string(error.what()).find("no-such.csv") != std::string::npos);
}

void iterators_refuse_arrays_of_unlike_lengths() {
    testing::error_of([] { NDArrayIter({NDArray(Floats{1, 2, 3})}, {NDArray(Floats{1, 2})}); });
    const Error error = testing::error_of([] { DataIter("NoSuchIter"); });
    CHECK(error.code() == MXR_ERROR_NOT_FOUND);
    DataIter iter = NDArrayIter({NDArray(Floats{1})});
    testing::error_of([&] { iter.GetLabel(); });
}

void stores_sum_what_is_pushed() {
    KVStore store("local");
    CHECK(store.GetType() == "local" && store.GetRank() == 0 && store.GetNumWorkers() == 1);
    store.Init("w", NDArray(Floats{1, 2}));
    NDArray out(Floats{0, 0}), other(Floats{0, 0});
    store.Pull("w", &out);
    CHECK(out.ToVector() == (Floats{1, 2}));
    store.Push("w", {NDArray(Floats{1, 1}), NDArray(Floats{10, 20})});
    store.Pull("w", {out, other});
    CHECK(out.ToVector() == (Floats{11, 21}) && other.ToVector() == (Floats{11, 21}));
    store.PushPull("w", {NDArray(Floats{3, 4})}, {out});
    CHECK(out.ToVector() == (Floats{3, 4}));
}

void stores_update_by_optimizers_and_functions() {
    KVStore store;
    optimizer::SGDOptions options;
    options.learning_rate = 0.5;
    Optimizer sgd = optimizer::SGD(options);
    store.SetOptimizer(&sgd);
    NDArray out(Floats{0});
    store.Broadcast(3, NDArray(Floats{1}), {out});
    store.PushPull(3, {NDArray(Floats{1}), NDArray(Floats{3})}, {out});
    CHECK(out.Scalar() == -1); // 1 - 0.5 * (1 + 3)
    store.LoadOptimizerStates(store.SaveOptimizerStates());
    int64_t key = 0;
    store.SetUpdater([&](const Key &k, const NDArray &pushed, NDArray &stored) {
        key = k.index();
        stored -= pushed * 10;
    });
    store.PushPull(3, {NDArray(Floats{2})}, {out});
    CHECK(key == 3 && out.Scalar() == -21);
}

void what_an_updater_throws_the_push_throws() {
    KVStore store;
    store.Init("w", NDArray(Floats{1}));
    store.SetUpdater([](const Key &key, const NDArray &, NDArray &) {
        throw std::runtime_error("no update of " + key.name());
    });
    Error error = testing::error_of([&] { store.Push("w", NDArray(Floats{1})); });
    CHECK(error.code() == MXR_ERROR_CALLBACK && std::string(error.what()).find("no update of w") != std::string::npos);
    store.SetUpdater({});
    store.Push("w", NDArray(Floats{7}));
    NDArray out(Floats{0});
    store.Pull("w", &out);
    CHECK(out.Scalar() == 7);
}

void stores_refuse_what_does_not_fit() {
    testing::error_of([] { KVStore("lokal"); });
    KVStore store;
    CHECK(testing::error_of([&] { store.SetOptimizer(nullptr); }).argument() == "optimizer");
    NDArray out(Floats{0});
    testing::error_of([&] { store.Pull("w", &out); });
    store.Init("w", NDArray(Floats{1}));
    Error error = testing::error_of([&] { store.Push("w", NDArray(Floats{1, 2})); });
    CHECK(error.code() == MXR_ERROR_SHAPE && error.argument() == "values");
    error = testing::error_of([&] { store.SetGradientCompression("3bit"); });
    CHECK(error.code() == MXR_ERROR_NOT_FOUND);
}

} // namespace

int main() {
    RUN(metrics_sum_up_batches);
    RUN(composites_have_the_values_of_their_parts);
    RUN(metrics_choose_what_their_attributes_name);
    RUN(metrics_refuse_what_they_cannot_take);
    RUN(iterators_fill_the_last_batch_up);
    RUN(iterators_discard_and_resize);
    RUN(what_need_not_be_given_is_a_struct);
    RUN(iterators_read_files);
    RUN(iterators_refuse_arrays_of_unlike_lengths);
    RUN(stores_sum_what_is_pushed);
    RUN(stores_update_by_optimizers_and_functions);
    RUN(what_an_updater_throws_the_push_throws);
    RUN(stores_refuse_what_does_not_fit);
    return testing::summary();
}
