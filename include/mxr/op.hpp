/// @file
/// Operators of the library, and the circumstances in which a thread calls them.
#ifndef MXR_OP_HPP
#define MXR_OP_HPP

#include "error.hpp"

namespace mxr {
namespace detail {

/// An operator of the library, of the version that the caller was compiled for.
class Op {
public:
    Op(const char *name, uint32_t breaking, uint32_t revision) : name_(name) {
        ready();
        check(mxr_op_find(name, &op_));
        uint32_t found_breaking = 0, found_revision = 0;
        check(mxr_op_version(op_, &found_breaking, &found_revision));
        check_operator(name, breaking, revision, found_breaking, found_revision);
    }
    const mxr_op_t *get() const noexcept { return op_; }
    const char *name() const noexcept { return name_; }

private:
    const char *name_;
    const mxr_op_t *op_ = nullptr;
};

/// `MXR_CALL_…` of this thread's calls; the scopes of autograd.hpp set it.
inline thread_local uint32_t call_flags = 0;

inline mxr_call_t current_call() { return {sizeof(mxr_call_t), call_flags, 0, 0}; }

} // namespace detail
} // namespace mxr

#endif
