/// @file
/// Symbols bound to arrays, and symbols that are called like operators.
#ifndef MXR_EXECUTOR_HPP
#define MXR_EXECUTOR_HPP

#include "callable.hpp"
#include "symbol.hpp"

namespace mxr {

/// How to compile a symbol.
struct PlanOptions {
    uint32_t flags = 0;   ///< `MXR_PLAN_…`, combined.
    int64_t budget = 0;   ///< Bytes for activations and workspaces; 0 for no limit, `MXR_BUDGET_LEAST`.
    Context context = {}; ///< The device.

    mxr_plan_options_t raw() const {
        return {sizeof(mxr_plan_options_t), flags, budget, context.GetDeviceType(), context.GetDeviceId()};
    }
};

/// A symbol bound to arrays.
class Executor {
public:
    /// Binds to arrays for the arguments and auxiliary states, in the order of the symbol's lists. `grads` may be
    /// empty, or have empty arrays for arguments without gradient; what is not in `requests` is written.
    Executor(const Symbol &symbol, const std::vector<NDArray> &args, const std::vector<NDArray> &grads = {},
             const std::vector<OpReqType> &requests = {}, const std::vector<NDArray> &aux = {},
             const PlanOptions &options = {});

    /// Computes `outputs`.
    void Forward(bool training) {
        *failure_ = nullptr;
        detail::check(mxr_executor_forward(get(), training));
        if (*failure_) std::rethrow_exception(std::exchange(*failure_, nullptr));
        outputs = arrays(MXR_LIST_OUTPUTS, symbol_.GetNumOutputs());
    }
    /// Computes the gradients after `Forward(true)`; outputs of losses need no head gradient.
    void Backward(const std::vector<NDArray> &head_grads = {});
    /// Copies arrays to the variables of their names.
    void CopyParamsFrom(const std::map<std::string, NDArray> &params, bool allow_extra = false);
    /// An executor for arguments of other shapes, by name. Arrays whose shape stays are shared, as is the memory for
    /// activations; one may grow only with `allow_up_sizing`.
    std::unique_ptr<Executor> Reshape(const std::map<std::string, Shape> &shapes, bool allow_up_sizing = false) const;
    /// Sees every output of every operator in forward passes, by its name.
    using Monitor = std::function<void(const std::string &name, const NDArray &output)>;
    /// Sets what sees outputs from now on; an empty function ends it. What it throws, `Forward` throws.
    void SetMonitor(Monitor monitor);
    /// The plan for people: what it takes, and all its calls.
    std::string PlanText(bool training) const;

    std::map<std::string, NDArray> arg_dict() const { return dict(symbol_.ListArguments(), arg_arrays); }
    /// The gradients by their arguments' names; without those that were not asked for.
    std::map<std::string, NDArray> grad_dict() const { return dict(symbol_.ListArguments(), grad_arrays); }
    std::map<std::string, NDArray> aux_dict() const { return dict(symbol_.ListAuxiliaryStates(), aux_arrays); }

    std::vector<NDArray> arg_arrays;  ///< The arguments, in the order of `ListArguments`.
    std::vector<NDArray> grad_arrays; ///< Their gradients; an empty array where none was asked for.
    std::vector<NDArray> aux_arrays;  ///< The auxiliary states, in the order of `ListAuxiliaryStates`.
    std::vector<NDArray> outputs;     ///< What `Forward` computed.

    /// The handle of the C ABI, borrowed.
    mxr_executor_t *get() const noexcept { return handle_.get(); }

private:
    /// A monitor, and where to leave what it throws.
    struct Watch {
        Monitor monitor;
        std::shared_ptr<std::exception_ptr> failure;
    };
    Executor(const Symbol &symbol, mxr_executor_t *raw);
    static void see(void *payload, const char *name, mxr_array_t *array) noexcept;

    std::vector<NDArray> arrays(int32_t list, std::size_t n) const {
        std::vector<NDArray> out;
        for (std::size_t i = 0; i < n; i++) {
            mxr_array_t *array = nullptr;
            detail::check(mxr_executor_array(get(), list, static_cast<int64_t>(i), &array));
            out.emplace_back(NDArray(array));
        }
        return out;
    }
    static std::map<std::string, NDArray> dict(const std::vector<std::string> &names,
                                               const std::vector<NDArray> &arrays) {
        std::map<std::string, NDArray> out;
        for (std::size_t i = 0; i < names.size() && i < arrays.size(); i++) {
            if (arrays[i]) out.insert_or_assign(names[i], arrays[i]);
        }
        return out;
    }
    Symbol symbol_;
    detail::Handle<mxr_executor_t, mxr_executor_retain, mxr_executor_free> handle_;
    std::shared_ptr<std::exception_ptr> failure_ = std::make_shared<std::exception_ptr>();
};

/// A symbol that is called like an operator; compiled for each combination of input types when it first comes.
class CachedOp {
public:
    /// With `keep_memory` the memory of a call is kept for the next.
    explicit CachedOp(const Symbol &symbol, bool keep_memory = false, const PlanOptions &options = {})
        : num_outputs_(symbol.GetNumOutputs()) {
        const mxr_plan_options_t plan = options.raw();
        mxr_cached_op_t *raw = nullptr;
        detail::check(mxr_cached_op_new(symbol.get(), keep_memory, &plan, &raw));
        handle_ = decltype(handle_)(raw);
    }
    /// Calls it on arrays for all variables, in the order of `ListInputs`. Recorded as one operation.
    Outputs operator()(const std::vector<NDArray> &inputs) const {
        std::vector<mxr_array_t *> raw, out(num_outputs_);
        for (const NDArray &input : inputs) raw.push_back(input.get());
        const mxr_call_t call = detail::current_call();
        detail::check(mxr_cached_op_call(handle_.get(), raw.data(), static_cast<int32_t>(raw.size()), &call,
                                         out.data()));
        Outputs results;
        for (mxr_array_t *array : out) results.push_back(NDArray(array));
        return results;
    }

private:
    std::size_t num_outputs_;
    detail::Handle<mxr_cached_op_t, mxr_cached_op_retain, mxr_cached_op_free> handle_;
};

inline Executor::Executor(const Symbol &symbol, const std::vector<NDArray> &args, const std::vector<NDArray> &grads,
                          const std::vector<OpReqType> &requests, const std::vector<NDArray> &aux,
                          const PlanOptions &options)
    : arg_arrays(args), grad_arrays(grads), aux_arrays(aux), symbol_(symbol) {
    const auto arguments = symbol.ListArguments(), states = symbol.ListAuxiliaryStates();
    const auto must_be = [](const char *what, std::size_t expected, std::size_t got) {
        if (expected == got) return;
        detail::refuse(MXR_ERROR_INVALID_VALUE, "", what,
                       "expected " + std::to_string(expected) + " arrays, got " + std::to_string(got));
    };
    must_be("args", arguments.size(), args.size());
    must_be("aux", states.size(), aux.size());
    if (!grads.empty()) must_be("grads", arguments.size(), grads.size());
    grad_arrays.resize(arguments.size());
    std::vector<mxr_array_t *> variables, gradients;
    std::vector<int32_t> wanted;
    const auto place = [](const std::vector<std::string> &names, const std::string &name) {
        return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    };
    for (const std::string &name : symbol.ListInputs()) {
        const std::size_t i = place(arguments, name);
        const bool state = i == arguments.size();
        variables.push_back(state ? aux[place(states, name)].get() : args[i].get());
        gradients.push_back(state ? nullptr : grad_arrays[i].get());
        const bool asked = gradients.back() != nullptr;
        wanted.push_back(!asked ? kNullOp : i < requests.size() ? requests[i] : kWriteTo);
    }
    const mxr_plan_options_t plan = options.raw();
    mxr_executor_t *raw = nullptr;
    detail::check(mxr_executor_bind(symbol.get(), variables.data(), gradients.data(), wanted.data(),
                                    static_cast<int32_t>(variables.size()), nullptr, &plan, &raw));
    handle_ = decltype(handle_)(raw);
}

inline Executor::Executor(const Symbol &symbol, mxr_executor_t *raw) : symbol_(symbol), handle_(raw) {
    arg_arrays = arrays(MXR_LIST_ARGUMENTS, symbol.ListArguments().size());
    aux_arrays = arrays(MXR_LIST_AUXILIARY_STATES, symbol.ListAuxiliaryStates().size());
    for (std::size_t i = 0; i < arg_arrays.size(); i++) {
        mxr_array_t *gradient = nullptr;
        detail::check(mxr_executor_gradient(raw, static_cast<int64_t>(i), &gradient));
        grad_arrays.emplace_back(NDArray(gradient));
    }
}

inline std::unique_ptr<Executor> Executor::Reshape(const std::map<std::string, Shape> &shapes,
                                                   bool allow_up_sizing) const {
    std::vector<const char *> names;
    std::vector<const int64_t *> dims;
    std::vector<int32_t> axes;
    for (const auto &[name, shape] : shapes) {
        names.push_back(name.c_str());
        dims.push_back(shape.data());
        axes.push_back(static_cast<int32_t>(shape.ndim()));
    }
    const auto arguments = symbol_.ListArguments();
    const auto all = detail::c_strings(arguments);
    std::vector<int32_t> dtypes;
    for (const NDArray &array : arg_arrays) dtypes.push_back(static_cast<int32_t>(array.GetDType()));
    mxr_known_t known{};
    known.struct_size = sizeof known;
    known.num_shapes = static_cast<int32_t>(names.size());
    known.shape_names = names.data();
    known.shapes = dims.data();
    known.num_axes = axes.data();
    known.num_dtypes = static_cast<int32_t>(dtypes.size());
    known.dtype_names = all.data();
    known.dtypes = dtypes.data();
    mxr_executor_t *raw = nullptr;
    detail::check(mxr_executor_reshape(get(), &known, allow_up_sizing, &raw));
    return std::unique_ptr<Executor>(new Executor(symbol_, raw));
}

inline void Executor::SetMonitor(Monitor monitor) {
    if (!monitor) {
        detail::check(mxr_executor_set_monitor(get(), nullptr, nullptr, nullptr));
        return;
    }
    auto watch = std::make_unique<Watch>(Watch{std::move(monitor), failure_});
    detail::check(mxr_executor_set_monitor(get(), see, watch.release(), detail::drop<Watch>));
}

/// After a failure it sees nothing more of the pass.
inline void Executor::see(void *payload, const char *name, mxr_array_t *array) noexcept {
    const Watch &watch = *static_cast<Watch *>(payload);
    if (*watch.failure) return;
    try {
        watch.monitor(name, NDArray(mxr_array_retain(array)));
    } catch (...) {
        *watch.failure = std::current_exception();
    }
}

inline void Executor::Backward(const std::vector<NDArray> &head_grads) {
    std::vector<mxr_array_t *> raw;
    for (const NDArray &head : head_grads) raw.push_back(head.get());
    detail::check(mxr_executor_backward(get(), raw.data(), static_cast<int32_t>(raw.size())));
}

inline void Executor::CopyParamsFrom(const std::map<std::string, NDArray> &params, bool allow_extra) {
    std::vector<const char *> names;
    std::vector<mxr_array_t *> raw;
    for (const auto &[name, array] : params) {
        names.push_back(name.c_str());
        raw.push_back(array.get());
    }
    detail::check(mxr_executor_copy_params(get(), names.data(), raw.data(), static_cast<int32_t>(raw.size()),
                                           allow_extra));
}

inline std::string Executor::PlanText(bool training) const {
    mxr_plan_t *raw = nullptr;
    detail::check(mxr_executor_plan(get(), training, &raw));
    const std::unique_ptr<mxr_plan_t, decltype(&mxr_plan_free)> plan(raw, mxr_plan_free);
    char *text = nullptr;
    detail::check(mxr_plan_text(plan.get(), &text));
    return detail::owned(text);
}

inline std::unique_ptr<Executor> Symbol::Bind(const Context &context, const std::vector<NDArray> &args,
                                              const std::vector<NDArray> &grads,
                                              const std::vector<OpReqType> &requests,
                                              const std::vector<NDArray> &aux) const {
    PlanOptions options;
    options.context = context;
    return std::make_unique<Executor>(*this, args, grads, requests, aux, options);
}

inline std::unique_ptr<Executor> Symbol::SimpleBind(const Context &context,
                                                    const std::map<std::string, NDArray> &args,
                                                    const std::map<std::string, OpReqType> &requests,
                                                    const std::map<std::string, NDArray> &aux) const {
    Shapes shapes;
    DTypes dtypes;
    std::map<std::string, NDArray> known = args, states = aux;
    known.insert(aux.begin(), aux.end());
    detail::infer_from(*this, known, &shapes, &dtypes);
    std::map<std::string, NDArray> arguments = args;
    detail::add_zeros(context, ListArguments(), shapes.arguments, dtypes.arguments, &arguments);
    detail::add_zeros(context, ListAuxiliaryStates(), shapes.auxiliary_states, dtypes.auxiliary_states, &states);
    std::vector<NDArray> arg_list, grad_list, aux_list;
    std::vector<OpReqType> request_list;
    for (const std::string &name : ListArguments()) {
        const NDArray &array = arguments.at(name);
        const auto found = requests.find(name);
        const OpReqType request = found == requests.end() ? kWriteTo : found->second;
        arg_list.push_back(array);
        request_list.push_back(request);
        grad_list.emplace_back();
        if (request == kNullOp) continue;
        grad_list.back() = NDArray(array.GetShape(), context, array.GetDType());
        grad_list.back() = 0.0;
    }
    for (const std::string &name : ListAuxiliaryStates()) aux_list.push_back(states.at(name));
    return Bind(context, arg_list, grad_list, request_list, aux_list);
}

} // namespace mxr

#endif
