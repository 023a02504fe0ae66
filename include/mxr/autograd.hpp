/// @file
/// Recording of calls for differentiation, and gradients.
#ifndef MXR_AUTOGRAD_HPP
#define MXR_AUTOGRAD_HPP

#include "ndarray.hpp"

namespace mxr {
namespace autograd {

/// Whether this thread's calls are recorded.
inline bool IsRecording() { return (detail::call_flags & MXR_CALL_RECORDING) != 0; }
/// Whether this thread's calls train: dropout drops, batch normalisation takes the batch's statistics.
inline bool IsTraining() { return (detail::call_flags & MXR_CALL_TRAINING) != 0; }

/// Sets how this thread's calls are made until the end of its life; the scopes below are made of it.
class Scope {
public:
    Scope(uint32_t set, uint32_t clear) : before_(detail::call_flags) {
        detail::call_flags = (before_ & ~clear) | set;
    }
    ~Scope() { detail::call_flags = before_; }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

private:
    uint32_t before_;
};

/// Calls are recorded, and train unless the argument says otherwise.
class RecordScope : Scope {
public:
    explicit RecordScope(bool training = true)
        : Scope(MXR_CALL_RECORDING | (training ? MXR_CALL_TRAINING : 0u), training ? 0u : MXR_CALL_TRAINING) {}
};

/// Calls are not recorded, and do not train unless the argument says otherwise.
class PauseScope : Scope {
public:
    explicit PauseScope(bool training = false)
        : Scope(training ? MXR_CALL_TRAINING : 0u, MXR_CALL_RECORDING | (training ? 0u : MXR_CALL_TRAINING)) {}
};

/// Calls train.
class TrainScope : Scope {
public:
    TrainScope() : Scope(MXR_CALL_TRAINING, 0) {}
};

/// Calls predict.
class PredictScope : Scope {
public:
    PredictScope() : Scope(0, MXR_CALL_TRAINING) {}
};

namespace detail {
inline std::vector<mxr_array_t *> raw(const std::vector<NDArray> &arrays) {
    std::vector<mxr_array_t *> out;
    for (const NDArray &array : arrays) out.push_back(array.get());
    return out;
}

/// The head gradients of so many heads: none, or one or an empty array for each.
inline std::vector<mxr_array_t *> heads_of(const std::vector<NDArray> &heads, std::size_t n) {
    if (!heads.empty() && heads.size() != n) {
        mxr::detail::refuse(MXR_ERROR_INVALID_VALUE, "", "head_grads",
                            "expected " + std::to_string(n) + ", got " + std::to_string(heads.size()));
    }
    return raw(heads);
}
} // namespace detail

/// Leaves the gradients of the sum of all heads in the gradients of the variables.
inline void Backward(const std::vector<NDArray> &heads, const std::vector<NDArray> &head_grads = {},
                     bool retain_graph = false, bool training = true) {
    const auto outputs = detail::raw(heads), weights = detail::heads_of(head_grads, heads.size());
    const uint32_t flags =
        (retain_graph ? MXR_BACKWARD_RETAIN_GRAPH : 0u) | (training ? MXR_BACKWARD_TRAINING : 0u);
    mxr::detail::check(mxr_autograd_backward(outputs.data(), weights.empty() ? nullptr : weights.data(),
                                             static_cast<int32_t>(outputs.size()), flags));
}

/// The gradients of the sum of all heads with respect to variables; with `create_graph` they can be differentiated.
inline std::vector<NDArray> Grad(const std::vector<NDArray> &heads, const std::vector<NDArray> &variables,
                                 const std::vector<NDArray> &head_grads = {}, bool create_graph = false,
                                 bool training = true) {
    const auto outputs = detail::raw(heads), inputs = detail::raw(variables);
    const auto weights = detail::heads_of(head_grads, heads.size());
    const uint32_t flags = (create_graph ? MXR_BACKWARD_CREATE_GRAPH | MXR_BACKWARD_RETAIN_GRAPH : 0u) |
                           (training ? MXR_BACKWARD_TRAINING : 0u);
    std::vector<mxr_array_t *> gradients(inputs.size());
    mxr::detail::check(mxr_autograd_grad(outputs.data(), weights.empty() ? nullptr : weights.data(),
                                         static_cast<int32_t>(outputs.size()), inputs.data(),
                                         static_cast<int32_t>(inputs.size()), flags, gradients.data()));
    std::vector<NDArray> results;
    for (mxr_array_t *gradient : gradients) results.emplace_back(NDArray(gradient));
    return results;
}

} // namespace autograd
} // namespace mxr

#endif
