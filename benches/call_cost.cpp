// What one call of a small operator costs from C++: a + b on 4 elements, as call_cost.c measures it from C.
// `call_cost N plain` makes N calls a round and stops before the recorded ones, for a profile.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "mxr.hpp"

namespace {

double add(const mxr::NDArray &a, const mxr::NDArray &b, int n) {
    using clock = std::chrono::steady_clock;
    double best = 1e30;
    for (int round = 0; round < 9; round++) {
        const auto start = clock::now();
        for (int i = 0; i < n; i++) mxr::NDArray sum = a + b;
        const std::chrono::duration<double, std::nano> took = clock::now() - start;
        best = std::min(best, took.count() / n);
    }
    return best;
}

} // namespace

int main(int argc, char **argv) {
    const int n = argc > 1 ? std::atoi(argv[1]) : 300000;
    mxr::NDArray a(std::vector<float>{1, 2, 3, 4}), b(std::vector<float>{1, 2, 3, 4});
    const double plain = add(a, b, n);
    if (argc > 2 && std::strcmp(argv[2], "plain") == 0) return 0;
    a.AttachGrad();
    const mxr::autograd::RecordScope scope(false);
    const double recorded = add(a, b, n);
    std::printf("{\"name\": \"a + b, 4 elements, C++\", \"ns\": %.0f, \"recorded_ns\": %.0f}\n", plain, recorded);
    return 0;
}
