// Tests of the C++ binding: each is a function, counted once, that fails with the first thing that does not hold.
#ifndef MXR_TESTS_TESTING_HPP
#define MXR_TESTS_TESTING_HPP

#include "mxr.hpp"
#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace testing {

using Floats = std::vector<float>;
using Names = std::vector<std::string>;

inline bool near(double a, double b) { return std::abs(a - b) < 1e-5; }

struct Failed {
    std::string why;
};

inline int passed = 0, failures = 0;

inline void count(const std::string &name, bool ok) {
    (ok ? passed : failures)++;
    if (!ok) std::cout << name << " FAILED" << std::endl;
}

inline void run(const char *name, const std::function<void()> &test) {
    bool ok = false;
    try {
        test();
        ok = true;
    } catch (const Failed &failed) {
        std::cout << "    does not hold: " << failed.why << "\n";
    } catch (const std::exception &error) {
        std::cout << "    " << error.what() << "\n";
    }
    count(name, ok);
}

/// The error that a call throws; a failed test if it throws none.
inline mxr::Error error_of(const std::function<void()> &call) {
    try {
        call();
    } catch (const mxr::Error &error) {
        return error;
    }
    throw Failed{"the call fails"};
}

/// Reports; what `main` returns.
inline int summary() {
    std::cout << passed << " passed, " << failures << " failed" << std::endl;
    return failures > 0;
}

} // namespace testing

#define CHECK(holds)                                                                                       \
    do {                                                                                                   \
        if (!(holds)) throw testing::Failed{std::string(#holds) + ", line " + std::to_string(__LINE__)};   \
    } while (0)
#define RUN(test) testing::run(#test, test)

#endif
