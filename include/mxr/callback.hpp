/// @file
/// What is told of batches and epochs while a module is trained.
#ifndef MXR_CALLBACK_HPP
#define MXR_CALLBACK_HPP

#include "metric.hpp"
#include <functional>

namespace mxr {

class Module;

/// Where training is.
struct FitEvent {
    int64_t epoch = 0, batch = 0;  ///< From 0.
    EvalMetric *metric = nullptr;  ///< The metric of the epoch.
    const Module *module = nullptr; ///< What is trained.
};

/// Something that is told of batches and epochs: a function, or a thing of the library's such as `Speedometer`.
class Callback {
public:
    /// A function. What it throws, `Module::Fit` throws.
    template <class F, class = std::enable_if_t<std::is_invocable_v<F, const FitEvent &>>>
    Callback(F function) : function_(std::move(function)) {}
    /// By name, as `do_checkpoint`. What it says goes to the standard output.
    explicit Callback(const std::string &name, const AttrMap &attrs = {}) {
        detail::ready();
        const detail::NamedAttrs raw(detail::callbacks, name, attrs);
        mxr_callback_t *made = nullptr;
        detail::check(mxr_callback_create(name.c_str(), raw.data(), raw.size(), &made));
        const Owned handle(made);
        function_ = [handle, attrs](const FitEvent &event) { tell(handle.get(), attrs, event); };
    }

    void operator()(const FitEvent &event) const { function_(event); }

private:
    using Owned = detail::Handle<mxr_callback_t, mxr_callback_retain, mxr_callback_free>;

    static void tell(mxr_callback_t *callback, const AttrMap &attrs, const FitEvent &event);

    std::function<void(const FitEvent &)> function_;
};

} // namespace mxr

#endif
