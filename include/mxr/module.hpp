/// @file
/// Modules: symbols with parameters, an optimizer and a store; module_fit.hpp has the loops over batches.
#ifndef MXR_MODULE_HPP
#define MXR_MODULE_HPP

#include "callback.hpp"
#include "data_iter.hpp"
#include "kvstore.hpp"
#include "symbol.hpp"
#include <optional>

namespace mxr {

/// What a module's variables are, and where it runs. What is not set means the library's default.
struct ModuleOptions {
    std::optional<std::vector<std::string>> data_names;  ///< Variables that batches have as data.
    std::optional<std::vector<std::string>> label_names; ///< Variables that batches have as labels.
    std::vector<std::string> fixed_param_names;          ///< Parameters that are not trained.
    std::vector<std::string> state_names;                ///< States, which stay from batch to batch.
    std::vector<Context> contexts;                       ///< Devices, among which batches are divided.
};

/// How a module is bound.
struct BindOptions {
    bool for_training = true;         ///< Gradients of parameters are computed.
    bool inputs_need_grad = false;    ///< Gradients of the data are computed too.
    OpReqType grad_req = kWriteTo;    ///< What to do with gradients of parameters.
    const Module *shared = nullptr;   ///< A bound module whose parameters, memory and optimizer are taken.
};

/// Where first values of parameters come from.
struct InitOptions {
    std::optional<Initializer> initializer; ///< Fills what is not given; not set, uniformly from -0.01 to 0.01.
    std::optional<NamedArrays> arg_params;  ///< Values of arguments.
    std::optional<NamedArrays> aux_params;  ///< Values of auxiliary states.
    bool allow_missing = false;             ///< What is not among the values given is filled too.
    bool allow_extra = false;               ///< Values without a parameter are passed over.
    bool force = false;                     ///< Parameters that have values get new ones.
};

/// What training may be told.
struct FitOptions {
    std::optional<DataIter> eval_data;                ///< Shown to the metric after each epoch.
    EvalMetric eval_metric = EvalMetric("acc");       ///< What is said of each epoch.
    int64_t begin_epoch = 0;                          ///< The number of the first epoch.
    Optimizer *optimizer = nullptr;                   ///< NULL is `sgd` with its defaults.
    std::string kvstore = "local";                    ///< Sums several devices' gradients; empty is none.
    InitOptions init = {};                            ///< First values of parameters.
    std::vector<Callback> batch_end = {};             ///< Told of each batch.
    std::vector<Callback> epoch_end = {};             ///< Told of each epoch.
    std::vector<Callback> eval_end = {};              ///< Told of each evaluation.
    std::function<void(const std::string &)> log = {}; ///< Gets lines of text; not set, the standard output.
};

/// A symbol that is trained and predicts. A copy is the same module.
class Module {
public:
    explicit Module(const Symbol &symbol, const ModuleOptions &options = {}) {
        detail::ready();
        const RawOptions raw(options);
        mxr_module_t *made = nullptr;
        detail::check(mxr_module_create(symbol.get(), &raw.options, &made));
        handle_ = decltype(handle_)(made);
    }
    /// The module of a checkpoint; with `states` the next optimizer goes on from those that were saved.
    static Module Load(const std::string &prefix, int64_t epoch, bool states = false,
                       const ModuleOptions &options = {}) {
        detail::ready();
        const RawOptions raw(options);
        mxr_module_t *made = nullptr;
        detail::check(mxr_module_load(prefix.c_str(), epoch, states, &raw.options, &made));
        return Module(made);
    }

    bool IsBound() const { return (state() & MXR_MODULE_BOUND) != 0; }
    bool HasParams() const { return (state() & MXR_MODULE_INITIALIZED) != 0; }
    bool HasOptimizer() const { return (state() & MXR_MODULE_OPTIMIZER) != 0; }
    std::vector<std::string> DataNames() const { return names(MXR_DATA); }
    std::vector<std::string> LabelNames() const { return names(MXR_LABELS); }
    std::vector<std::string> ParamNames() const { return names(MXR_PARAMETERS); }
    Symbol GetSymbol() const {
        mxr_symbol_t *raw = nullptr;
        detail::check(mxr_module_symbol(get(), &raw));
        return Symbol(raw);
    }

    /// Makes executors for the batches of an iterator.
    void Bind(const DataIter &iter, const BindOptions &options = {}) {
        Bind(iter.ProvideData(), iter.ProvideLabel(), options);
    }
    /// Makes executors for data and labels of these shapes.
    void Bind(const std::vector<DataDesc> &data, const std::vector<DataDesc> &labels = {},
              const BindOptions &options = {}) {
        const auto raw_data = descs(data), raw_labels = descs(labels);
        const uint32_t flags = (options.for_training ? MXR_BIND_TRAINING : 0) |
                               (options.inputs_need_grad ? MXR_BIND_INPUT_GRADIENTS : 0);
        detail::check(mxr_module_bind(get(), raw_data.data(), detail::count(raw_data), raw_labels.data(),
                                      detail::count(raw_labels), flags, options.grad_req,
                                      options.shared ? options.shared->get() : nullptr));
    }
    /// Makes executors for other shapes, with the same parameters.
    void Reshape(const std::vector<DataDesc> &data, const std::vector<DataDesc> &labels = {}) {
        const auto raw_data = descs(data), raw_labels = descs(labels);
        detail::check(mxr_module_reshape(get(), raw_data.data(), detail::count(raw_data), raw_labels.data(),
                                         detail::count(raw_labels)));
    }

    /// Gives parameters their first values. Says whether anything was done.
    bool InitParams(const InitOptions &options = {}) {
        return init(options, options.initializer ? *options.initializer : Initializer("Uniform", {{"scale", 0.01}}));
    }
    /// Sets parameters that are given by name.
    void SetParams(const NamedArrays &arg_params, const NamedArrays &aux_params = {}, bool allow_missing = false,
                   bool allow_extra = false) {
        init({{}, arg_params, aux_params, allow_missing, allow_extra, true}, std::nullopt);
    }
    /// Copies of the arguments that are trained, by name.
    NamedArrays GetArgParams() const { return params(MXR_LIST_ARGUMENTS); }
    /// Copies of the auxiliary states by name.
    NamedArrays GetAuxParams() const { return params(MXR_LIST_AUXILIARY_STATES); }

    /// Takes an optimizer, which divides gradients by the batch size unless it was given a `rescale_grad`. Without
    /// `force` one that is there stays. Says whether it was taken. With an empty name there is no store: each device
    /// goes by its own gradients.
    bool InitOptimizer(Optimizer *optimizer, const std::string &kvstore = "local", bool force = false) {
        return take(optimizer, kvstore.empty() ? nullptr : kvstore.c_str(), nullptr, force);
    }
    /// Makes an optimizer by its name for this module: parameters whose names end neither in `_weight` nor in
    /// `_gamma` do not decay, and the factors that the symbol's variables have count.
    bool InitOptimizer(const std::string &name, const AttrMap &attrs, const std::string &kvstore = "local",
                       bool force = false) {
        Optimizer made(name);
        for (const auto &[attr, value] : attrs) made.SetParam(attr, value);
        return take(&made, kvstore.empty() ? nullptr : kvstore.c_str(), nullptr, force, MXR_BY_NAME);
    }
    /// Takes an optimizer and a store, in which several devices' gradients are summed.
    bool InitOptimizer(Optimizer *optimizer, const KVStore &kvstore, bool force = false) {
        return take(optimizer, nullptr, kvstore.get(), force);
    }

    /// Computes the outputs for a batch, as the module was bound for it: in training or not.
    void Forward(const DataBatch &batch) { forward(batch, -1); }
    /// Computes the outputs for a batch, in training or not.
    void Forward(const DataBatch &batch, bool training) { forward(batch, training); }
    /// Computes the gradients after `Forward` in training; outputs of losses need no gradient.
    void Backward(const std::vector<NDArray> &out_grads = {}) {
        const auto raw = detail::handles(out_grads);
        detail::check(mxr_module_backward(get(), raw.data(), detail::count(raw)));
    }
    /// Changes the parameters by their gradients.
    void Update() { detail::check(mxr_module_update(get())); }
    /// The outputs of the last batch, which the next overwrites.
    std::vector<NDArray> GetOutputs() const {
        return arrays(mxr_module_output, GetSymbol().GetNumOutputs());
    }
    /// The gradients of the data, if the module is bound for it.
    std::vector<NDArray> GetInputGrads() const { return arrays(mxr_module_input_grad, DataNames().size()); }
    /// Shows the outputs of the last batch to a metric, with its labels.
    void UpdateMetric(const EvalMetric &metric, const std::vector<NDArray> &labels) const {
        const auto raw = detail::handles(labels);
        detail::check(mxr_module_update_metric(get(), metric.get(), raw.data(), detail::count(raw)));
    }

    /// The states of the optimizer.
    std::vector<uint8_t> SaveOptimizerStates() const {
        return detail::bytes([&](uint8_t **bytes, uint64_t *len) {
            return mxr_module_optimizer_states(get(), bytes, len);
        });
    }
    /// Replaces the states of the optimizer by those that SaveOptimizerStates gave.
    void LoadOptimizerStates(const std::vector<uint8_t> &states) {
        detail::check(mxr_module_set_optimizer_states(get(), states.data(), states.size()));
    }
    /// Writes symbol and parameters, and with `states` those of the optimizer, as MXNet's checkpoints are.
    void SaveCheckpoint(const std::string &prefix, int64_t epoch, bool states = false) const {
        detail::check(mxr_module_save_checkpoint(get(), prefix.c_str(), epoch, states));
    }

    /// Trains over the batches of an iterator until `num_epoch` epochs are done, and says the metric of each.
    void Fit(DataIter train_data, int64_t num_epoch, FitOptions options = {});
    /// The values of a metric over the batches of an iterator, which begins again before.
    std::vector<std::pair<std::string, double>> Score(DataIter eval_data, EvalMetric metric = EvalMetric("acc"));
    /// The outputs for all examples of an iterator, which begins again before.
    std::vector<NDArray> Predict(DataIter eval_data);

    mxr_module_t *get() const noexcept { return handle_.get(); }

private:
    explicit Module(mxr_module_t *raw) noexcept : handle_(raw) {}

    /// Options as the library takes them, borrowed.
    struct RawOptions {
        explicit RawOptions(const ModuleOptions &given)
            : fixed(detail::c_strings(given.fixed_param_names)), states(detail::c_strings(given.state_names)) {
            // An empty list is one, and no list is the default.
            static const char *const nothing[] = {nullptr};
            options.struct_size = sizeof options;
            if (given.data_names) {
                data = detail::c_strings(*given.data_names);
                options.data_names = data.empty() ? nothing : data.data();
                options.num_data = detail::count(data);
            }
            if (given.label_names) {
                labels = detail::c_strings(*given.label_names);
                options.label_names = labels.empty() ? nothing : labels.data();
                options.num_labels = detail::count(labels);
            }
            options.fixed_names = fixed.data();
            options.num_fixed = detail::count(fixed);
            options.state_names = states.data();
            options.num_states = detail::count(states);
            for (const Context &context : given.contexts) {
                kinds.push_back(context.GetDeviceType());
                ids.push_back(context.GetDeviceId());
            }
            options.device_kinds = kinds.data();
            options.device_ids = ids.data();
            options.num_devices = detail::count(kinds);
        }
        RawOptions(const RawOptions &) = delete;

        std::vector<const char *> data, labels, fixed, states;
        std::vector<int32_t> kinds, ids;
        mxr_module_options_t options{};
    };

    static std::vector<mxr_desc_t> descs(const std::vector<DataDesc> &list) {
        std::vector<mxr_desc_t> out;
        for (const DataDesc &desc : list) {
            out.push_back({desc.name.c_str(), desc.layout.empty() ? nullptr : desc.layout.c_str(), desc.shape.data(),
                           static_cast<int32_t>(desc.shape.ndim()), static_cast<int32_t>(desc.dtype)});
        }
        return out;
    }
    int32_t state() const {
        int32_t state = 0;
        detail::check(mxr_module_state(get(), &state));
        return state;
    }
    std::vector<std::string> names(int32_t list) const {
        mxr_texts_t *texts = nullptr;
        detail::check(mxr_module_names(get(), list, &texts));
        return detail::strings(texts);
    }
    NamedArrays params(int32_t which) const {
        mxr_list_t *list = nullptr;
        detail::check(mxr_module_params(get(), which, &list));
        return NDArray::TakePairs(list);
    }
    template <class Get> std::vector<NDArray> arrays(Get get_one, std::size_t n) const {
        std::vector<NDArray> out;
        for (std::size_t i = 0; i < n; i++) {
            mxr_array_t *raw = nullptr;
            detail::check(get_one(get(), static_cast<int64_t>(i), &raw));
            out.emplace_back(NDArray(raw));
        }
        return out;
    }
    bool init(const InitOptions &options, const std::optional<Initializer> &initializer) {
        static const NamedArrays nothing;
        const detail::NamedHandles args(options.arg_params ? *options.arg_params : nothing);
        const detail::NamedHandles states(options.aux_params ? *options.aux_params : nothing);
        const uint32_t flags = (options.allow_missing ? MXR_ALLOW_MISSING : 0) |
                               (options.allow_extra ? MXR_ALLOW_EXTRA : 0) | (options.force ? MXR_FORCE : 0);
        int32_t done = 0;
        detail::check(mxr_module_init_params(
            get(), initializer ? initializer->get() : nullptr, args.names.data(), args.handles.data(),
            options.arg_params ? args.size() : -1, states.names.data(), states.handles.data(),
            options.aux_params ? states.size() : -1, flags, &done));
        return done != 0;
    }
    bool take(Optimizer *optimizer, const char *name, mxr_kvstore_t *store, bool force, uint32_t how = 0) {
        int32_t done = 0;
        const uint32_t flags = MXR_RESCALE | how | (force ? MXR_FORCE : 0);
        detail::check(mxr_module_init_optimizer(get(), optimizer ? optimizer->get() : nullptr, name, store, flags,
                                                &done));
        return done != 0;
    }
    void forward(const DataBatch &batch, int32_t training) {
        const auto data = detail::handles(batch.data), label = detail::handles(batch.label);
        detail::check(mxr_module_forward(get(), data.data(), detail::count(data), label.data(),
                                         detail::count(label), training));
    }

    detail::Handle<mxr_module_t, mxr_module_retain, mxr_module_free> handle_;
};

} // namespace mxr

#include "module_fit.hpp"

#endif
