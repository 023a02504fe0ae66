// Lifetimes, threads, memory, and calls that return before they are done.
#include "testing.hpp"
#include "mxr_ops.hpp"
#include <atomic>
#include <thread>

namespace {

using namespace mxr;
using testing::Floats;

uint64_t in_use() {
    mxr_memory_t memory{};
    memory.struct_size = sizeof memory;
    detail::check(mxr_memory_stats(&memory));
    return memory.in_use;
}

void memory_stays_flat_over_a_hundred_thousand_temporaries() {
    const NDArray a(Floats(1000, 1.0f));
    NDArray sum = a.Copy();
    NDArray::WaitAll();
    const uint64_t before = in_use();
    uint64_t most = before;
    for (int i = 0; i < 100000; i++) {
        sum = (a + 1) * 0.5 - a / 2;
        if (i % 1000 == 0) most = std::max(most, in_use());
    }
    NDArray::WaitAll();
    CHECK(sum.At(999) == 0.5f && in_use() <= before + 4096);
    CHECK(most < before + (64u << 20));
}

void objects_outlive_what_they_were_made_from() {
    NDArray row, gradient;
    Symbol part;
    {
        NDArray a(Floats{1, 2, 3, 4}, Shape(2, 2));
        a.AttachGrad();
        {
            const autograd::RecordScope scope;
            (a * 3).Backward();
        }
        row = a[1];
        gradient = a.Grad();
        part = Symbol::Group({Symbol("x") + 1, Symbol("y")})[0];
    }
    CHECK(row.ToVector() == (Floats{3, 4}) && gradient.ToVector() == Floats(4, 3.0f));
    CHECK(part.ListInputs() == std::vector<std::string>{"x"});
    NDArray &same = row;
    row = same;
    CHECK(row.At(0) == 3);
}

void what_a_vector_lent_is_given_back() {
    std::vector<double> numbers(1 << 16);
    NDArray::Adopt(std::move(numbers), Shape(1 << 16));
    mxr_events_poll();
    CHECK(numbers.empty());
}

void threads_share_arrays() {
    const NDArray a(Floats(64, 1.0f));
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([a, &right] {
            NDArray sum = a;
            for (int i = 0; i < 200; i++) sum = sum + a;
            right += sum.ToVector() == Floats(64, 201.0f);
        });
    }
    for (auto &thread : threads) thread.join();
    CHECK(right == 4);
}

void scopes_are_each_threads_own() {
    const autograd::RecordScope scope;
    bool recording = true;
    std::thread([&recording] { recording = autograd::IsRecording(); }).join();
    CHECK(!recording && autograd::IsRecording());
}

void one_predictor_serves_several_threads() {
    const Symbol net = op::FullyConnected("fc", Symbol("x"), {}, {}, 3);
    const Predictor model(net, {{"fc_weight", NDArray(Floats(12, 0.5f), Shape(3, 4))},
                                {"fc_bias", NDArray(Floats{0, 1, 2})}});
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++) {
        threads.emplace_back([&, t] {
            const auto x = static_cast<float>(t);
            for (int i = 0; i < 50; i++) {
                const NDArray y = model(NDArray(Floats(4, x), Shape(1, 4)));
                right += y.ToVector() == (Floats{2 * x, 2 * x + 1, 2 * x + 2});
            }
        });
    }
    for (auto &thread : threads) thread.join();
    CHECK(right == 200);
}

void calls_return_before_they_are_done_and_waits_report_what_failed() {
    const NDArray a(Floats(512 * 512, 0.01f), Shape(512, 512));
    NDArray product = a;
    for (int i = 0; i < 4; i++) product = op::dot(product, a);
    product.WaitToRead();
    CHECK(mxr_engine_pending() == 0);
    // That an index is out of range only running shows.
    op::TakeOptions options;
    options.mode = op::TakeMode::kRaise;
    const NDArray taken = op::take(a, NDArray(Floats{1000}), options);
    CHECK(testing::error_of([&] { taken.WaitToRead(); }).code() == MXR_ERROR_INDEX);
    CHECK(testing::error_of([&] { (taken + 1).ToVector(); }).code() == MXR_ERROR_INDEX);
    CHECK(testing::error_of([] { NDArray::WaitAll(); }).code() != 0);
    NDArray::WaitAll();
}

} // namespace

int main() {
    RUN(memory_stays_flat_over_a_hundred_thousand_temporaries);
    RUN(objects_outlive_what_they_were_made_from);
    RUN(what_a_vector_lent_is_given_back);
    RUN(threads_share_arrays);
    RUN(scopes_are_each_threads_own);
    RUN(one_predictor_serves_several_threads);
    RUN(calls_return_before_they_are_done_and_waits_report_what_failed);
    return testing::summary();
}
