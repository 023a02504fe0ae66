/// @file
/// Functions with gradients of one's own.
#ifndef MXR_FUNCTION_HPP
#define MXR_FUNCTION_HPP

#include "autograd.hpp"
#include "callable.hpp"
#include "lists.hpp"

namespace mxr {
namespace autograd {

/// A function of arrays whose gradient is another function, not what its calls would give.
class Function {
public:
    using Arrays = std::vector<NDArray>;

    /// `forward` gives outputs for inputs, unrecorded. `backward` gives a gradient of each input for the gradients of
    /// the outputs; what it throws, the backward pass throws as an Error.
    Function(std::string name, std::function<Arrays(const Arrays &inputs)> forward,
             std::function<Arrays(const Arrays &output_grads)> backward)
        : name_(std::move(name)), forward_(std::move(forward)), backward_(std::move(backward)) {}

    /// Calls it, and records the call if calls are recorded.
    Arrays operator()(const Arrays &inputs) const {
        Arrays outputs;
        {
            const PauseScope pause(IsTraining());
            outputs = forward_(inputs);
        }
        if (!IsRecording()) return outputs;
        const auto raw = mxr::detail::handles(inputs), raw_outputs = mxr::detail::handles(outputs);
        auto owned = std::make_unique<Backward>(Backward{name_, backward_});
        mxr::detail::check(mxr_autograd_record_custom(
            name_.c_str(), raw.data(), mxr::detail::count(raw), raw_outputs.data(), mxr::detail::count(raw_outputs),
            run, owned.release(), mxr::detail::drop<Backward>));
        return outputs;
    }

private:
    struct Backward {
        std::string name;
        std::function<Arrays(const Arrays &)> function;
    };

    static mxr_error_t *run(void *payload, mxr_array_t *const *output_grads, int32_t num_outputs,
                            mxr_array_t **input_grads, int32_t num_inputs) {
        return mxr::detail::guarded([&] {
            const Backward &backward = *static_cast<Backward *>(payload);
            Arrays given;
            for (int32_t i = 0; i < num_outputs; i++) given.push_back(NDArray(mxr_array_retain(output_grads[i])));
            const Arrays found = backward.function(given);
            if (mxr::detail::count(found) != num_inputs) {
                mxr::detail::refuse(MXR_ERROR_INVALID_VALUE, backward.name, "backward",
                                    "expected " + std::to_string(num_inputs) + " gradients, got " +
                                        std::to_string(found.size()));
            }
            for (const NDArray &gradient : found) {
                if (gradient) continue;
                mxr::detail::refuse(MXR_ERROR_INVALID_VALUE, backward.name, "backward",
                                    "expected arrays, got an empty one");
            }
            for (std::size_t i = 0; i < found.size(); i++) input_grads[i] = mxr_array_retain(found[i].get());
        });
    }

    std::string name_;
    std::function<Arrays(const Arrays &)> forward_, backward_;
};

} // namespace autograd
} // namespace mxr

#endif
