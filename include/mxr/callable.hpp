/// @file
/// Functions of the caller's that the library calls.
#ifndef MXR_CALLABLE_HPP
#define MXR_CALLABLE_HPP

#include "error.hpp"
#include <exception>
#include <functional>
#include <memory>

namespace mxr {
namespace detail {

/// Runs what a callback does; an exception becomes an error of the library, which the call that led here then throws.
template <class Run> mxr_error_t *guarded(const Run &run) noexcept {
    try {
        run();
        return nullptr;
    } catch (const Error &error) {
        return mxr_error_new(error.code(), error.what(), 0);
    } catch (const std::exception &error) {
        return mxr_error_new(MXR_ERROR_CALLBACK, error.what(), 0);
    } catch (...) {
        return mxr_error_new(MXR_ERROR_CALLBACK, "the callback threw what is no std::exception", 0);
    }
}

/// Gives a function back that the library was lent as a payload.
template <class Function> void drop(void *payload) { delete static_cast<Function *>(payload); }

} // namespace detail
} // namespace mxr

#endif
