/// @file
/// Failures as exceptions, and the check that header and library go together.
#ifndef MXR_ERROR_HPP
#define MXR_ERROR_HPP

#include "../mxr.h"
#include <cstdint>
#include <stdexcept>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace mxr {

/// A failure that the library reports. `what()` names operator, argument, what was expected and what came.
class Error : public std::runtime_error {
public:
    Error(int32_t code, const std::string &message, std::string op = {}, std::string argument = {})
        : std::runtime_error(message), code_(code), op_(std::move(op)), argument_(std::move(argument)) {}

    /// One of `MXR_ERROR_…`.
    int32_t code() const noexcept { return code_; }
    /// The operator that failed; empty if it was none.
    const std::string &op() const noexcept { return op_; }
    /// The argument that the error is about; empty if it is about none.
    const std::string &argument() const noexcept { return argument_; }

private:
    int32_t code_;
    std::string op_, argument_;
};

namespace detail {

/// Throws what the library reports, and frees it.
[[noreturn]] inline void fail(mxr_error_t *error) {
    const auto text = [](const char *s) { return std::string(s ? s : ""); };
    Error thrown(mxr_error_code(error), text(mxr_error_message(error)), text(mxr_error_operator(error)),
                 text(mxr_error_argument(error)));
    mxr_error_free(error);
    throw thrown;
}

inline void check(mxr_error_t *error) {
    if (error) fail(error);
}

/// An argument that the binding itself refuses.
[[noreturn]] inline void refuse(int32_t code, const std::string &op, const std::string &argument,
                                const std::string &why) {
    throw Error(code, (op.empty() ? "" : op + ": ") + "argument '" + argument + "': " + why, op, argument);
}

/// The file that the library was loaded from, and what it says of itself.
inline std::string library() {
    std::string about = mxr_build_info();
#if defined(__unix__) || defined(__APPLE__)
    Dl_info info;
    if (dladdr(reinterpret_cast<const void *>(&mxr_abi_version), &info) && info.dli_fname) {
        about = std::string(info.dli_fname) + ", " + about;
    }
#endif
    return about;
}

/// Throws if the library has another ABI than the header.
inline void check_abi(uint32_t wanted, uint32_t found) {
    if (wanted == found) return;
    throw Error(MXR_ERROR_VERSION, "this program was compiled for version " + std::to_string(wanted) +
                                       " of libmxr's ABI, and the library has " + std::to_string(found) + " (" +
                                       library() + ")");
}

/// Throws if an operator of the library means something else than the header's, or knows less.
inline void check_operator(const char *name, uint32_t breaking, uint32_t revision, uint32_t found_breaking,
                           uint32_t found_revision) {
    if (breaking == found_breaking && revision <= found_revision) return;
    const auto version = [](uint32_t b, uint32_t r) { return std::to_string(b) + "." + std::to_string(r); };
    throw Error(MXR_ERROR_VERSION,
                std::string(name) + ": this program was compiled for version " + version(breaking, revision) +
                    " of the operator, and the library has " + version(found_breaking, found_revision) + " (" +
                    library() + ")",
                name);
}

/// What every first use of the library goes through.
inline void ready() {
    static const bool checked = (check_abi(MXR_ABI_VERSION, mxr_abi_version()), true);
    (void)checked;
}

/// A text that the library gave away.
inline std::string owned(char *text) {
    std::string copy = text ? text : "";
    mxr_string_free(text);
    return copy;
}

/// A reference to an object of the library: a copy is another reference to the same.
template <class T, T *(*Retain)(T *), void (*Free)(T *)> class Handle {
public:
    Handle() = default;
    explicit Handle(T *raw) noexcept : raw_(raw) {}
    Handle(const Handle &other) noexcept : raw_(Retain(other.raw_)) {}
    Handle(Handle &&other) noexcept : raw_(other.raw_) { other.raw_ = nullptr; }
    Handle &operator=(Handle other) noexcept {
        T *mine = raw_;
        raw_ = other.raw_;
        other.raw_ = mine;
        return *this;
    }
    ~Handle() {
        if (raw_) Free(raw_);
    }
    T *get() const noexcept { return raw_; }
    explicit operator bool() const noexcept { return raw_ != nullptr; }

private:
    T *raw_ = nullptr;
};

} // namespace detail
} // namespace mxr

#endif
