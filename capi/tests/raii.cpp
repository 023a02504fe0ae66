// The header from C++17: handles in smart pointers, errors as exceptions.
#include "check.h"
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Free {
    void operator()(mxr_array_t *array) const { mxr_array_free(array); }
    void operator()(mxr_error_t *error) const { mxr_error_free(error); }
    void operator()(mxr_list_t *list) const { mxr_list_free(list); }
};
template <class T> using Handle = std::unique_ptr<T, Free>;

class Error : public std::runtime_error {
public:
    explicit Error(const mxr_error_t *error)
        : std::runtime_error(mxr_error_message(error)), code(mxr_error_code(error)) {}
    int32_t code;
};

void check(mxr_error_t *error) {
    if (Handle<mxr_error_t> owned{error}) throw Error(owned.get());
}

class Array {
public:
    Array(const std::vector<int64_t> &shape, const std::vector<float> &data) {
        mxr_array_t *array = nullptr;
        check(mxr_array_from_data(shape.data(), static_cast<int32_t>(shape.size()), MXR_FLOAT32, MXR_CPU, 0,
                                  data.data(), data.size() * sizeof(float), &array));
        handle.reset(array);
    }
    explicit Array(mxr_array_t *array) : handle(array) {}
    Array(const Array &other) : handle(mxr_array_retain(other.get())) {}
    Array(Array &&) noexcept = default;
    Array &operator=(Array other) noexcept {
        std::swap(handle, other.handle);
        return *this;
    }
    ~Array() = default;

    mxr_array_t *get() const { return handle.get(); }

    std::vector<int64_t> shape() const {
        int32_t ndim = 0;
        check(mxr_array_shape(get(), nullptr, 0, &ndim));
        std::vector<int64_t> dims(static_cast<std::size_t>(ndim));
        check(mxr_array_shape(get(), dims.data(), ndim, &ndim));
        return dims;
    }

    std::vector<float> data() const {
        std::size_t n = 1;
        for (int64_t d : shape()) n *= static_cast<std::size_t>(d);
        std::vector<float> out(n);
        check(mxr_array_copy_to(get(), out.data(), n * sizeof(float)));
        return out;
    }

private:
    Handle<mxr_array_t> handle;
};

template <class... Arrays> Array invoke(const char *name, const Arrays &...arrays) {
    const mxr_op_t *op = nullptr;
    check(mxr_op_find(name, &op));
    mxr_array_t *inputs[] = {arrays.get()...}, *out = nullptr;
    int32_t n = 1;
    check(mxr_op_invoke(op, inputs, sizeof...(arrays), nullptr, 0, &out, &n, nullptr, nullptr));
    return Array(out);
}

Array operator+(const Array &a, const Array &b) { return invoke("broadcast_add", a, b); }
Array operator*(const Array &a, const Array &b) { return invoke("broadcast_mul", a, b); }

int arrays_compute_as_values() {
    Array a({2, 2}, {1, 2, 3, 4}), row({1, 2}, {10, 20});
    Array b = a * a + row;
    CHECK(b.shape() == (std::vector<int64_t>{2, 2}));
    CHECK(b.data() == (std::vector<float>{11, 24, 19, 36}));
    return 1;
}

int copies_are_the_same_array_and_moves_leave_nothing() {
    Array a({2}, {1, 2});
    Array b = a;
    CHECK(a.get() == b.get());
    Array c = std::move(a);
    CHECK(a.get() == nullptr && c.get() == b.get());
    b = Array({1}, {5});
    CHECK(c.data() == (std::vector<float>{1, 2}) && b.data() == (std::vector<float>{5}));
    return 1;
}

int errors_become_exceptions() {
    Array a({2}, {1, 2}), b({3}, {1, 2, 3});
    try {
        Array c = a + b;
        return 0;
    } catch (const Error &e) {
        CHECK(e.code == MXR_ERROR_SHAPE && std::string(e.what()).find("broadcast_add") == 0);
    }
    CHECK((a + a).data() == (std::vector<float>{2, 4}));
    return 1;
}

void count_drop(void *payload) { ++*static_cast<int *>(payload); }

int a_vector_lends_its_memory() {
    std::vector<float> memory(8, 3.0f);
    const int64_t dims = 8;
    int drops = 0;
    mxr_array_t *raw = nullptr;
    check(mxr_array_from_foreign(memory.data(), &dims, 1, MXR_FLOAT32, count_drop, &drops, &raw));
    {
        Array lent(raw);
        CHECK((lent + lent).data() == std::vector<float>(8, 6.0f));
    }
    mxr_events_poll();
    CHECK(drops == 1);
    return 1;
}

int threads_share_arrays_by_copies() {
    Array a({64}, std::vector<float>(64, 1.0f));
    std::vector<std::thread> threads;
    std::vector<int> right(4);
    for (std::size_t t = 0; t < right.size(); t++) {
        threads.emplace_back([a, t, &right] {
            Array sum = a;
            for (int i = 0; i < 100; i++) sum = sum + a;
            right[t] = sum.data() == std::vector<float>(64, 101.0f);
        });
    }
    for (auto &thread : threads) thread.join();
    CHECK(std::count(right.begin(), right.end(), 1) == 4);
    return 1;
}

} // namespace

int main() {
    RUN(arrays_compute_as_values);
    RUN(copies_are_the_same_array_and_moves_leave_nothing);
    RUN(errors_become_exceptions);
    RUN(a_vector_lends_its_memory);
    RUN(threads_share_arrays_by_copies);
    return check_summary();
}
