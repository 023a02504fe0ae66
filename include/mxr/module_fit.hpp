/// @file
/// The loops of modules over batches: training, evaluation and prediction.
#ifndef MXR_MODULE_FIT_HPP
#define MXR_MODULE_FIT_HPP

#include "module.hpp"
#include "operator.hpp"
#include <chrono>
#include <iostream>

namespace mxr {
namespace detail {

/// Seconds from any beginning.
inline double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// `accuracy=0.5, mse=0.1`.
inline std::string said(const std::vector<std::pair<std::string, double>> &values) {
    std::string out;
    for (const auto &[name, value] : values) out += (out.empty() ? "" : ", ") + name + "=" + std::to_string(value);
    return out;
}

/// Calls for each batch that is left, with its number; then the next epoch begins.
template <class Each> void each_batch(DataIter &iter, const Each &each) {
    for (int64_t i = 0; iter.Next(); i++) each(iter.GetDataBatch(), i);
    iter.Reset();
}

} // namespace detail

inline void Callback::tell(mxr_callback_t *callback, const AttrMap &attrs, const FitEvent &event) {
    const double now = detail::seconds();
    int32_t due = 0, actions = 0;
    detail::check(mxr_callback_due(callback, event.epoch, event.batch, now, &due));
    if (!due) return;
    std::vector<const char *> names;
    std::vector<double> values;
    const auto known = event.metric ? event.metric->GetNameValue() : std::vector<std::pair<std::string, double>>();
    for (const auto &[name, value] : known) {
        names.push_back(name.c_str());
        values.push_back(value);
    }
    char *raw = nullptr;
    detail::check(mxr_callback_call(callback, event.epoch, event.batch, now, event.metric ? names.data() : nullptr,
                                    values.data(), detail::count(names), &raw, &actions));
    if (raw) {
        const std::string text = detail::owned(raw);
        std::cout << text << (!text.empty() && text.back() == '\r' ? "" : "\n") << std::flush;
    }
    if (event.metric && (actions & MXR_CALLBACK_RESET_METRIC)) event.metric->ResetLocal();
    if (event.module && (actions & MXR_CALLBACK_SAVE)) {
        const auto states = attrs.find("save_optimizer_states");
        event.module->SaveCheckpoint(attrs.at("prefix").text(), event.epoch + 1,
                                     states != attrs.end() && states->second.text() == "True");
    }
}

inline void Module::Fit(DataIter train_data, int64_t num_epoch, FitOptions options) {
    if (!IsBound()) Bind(train_data);
    InitParams(options.init);
    if (options.optimizer) InitOptimizer(options.optimizer, options.kvstore);
    else InitOptimizer("sgd", AttrMap(), options.kvstore);
    EvalMetric metric = options.eval_metric;
    const auto tell = [&](const std::vector<Callback> &callbacks, int64_t epoch, int64_t batch) {
        for (const Callback &callback : callbacks) callback({epoch, batch, &metric, this});
    };
    const auto log = [&](int64_t epoch, const std::string &text) {
        const std::string line = "Epoch[" + std::to_string(epoch) + "] " + text;
        if (options.log) options.log(line);
        else std::cout << line << std::endl;
    };
    for (int64_t epoch = options.begin_epoch; epoch < num_epoch; epoch++) {
        const double start = detail::seconds();
        metric.Reset();
        detail::each_batch(train_data, [&](const DataBatch &batch, int64_t i) {
            Forward(batch, true);
            Backward();
            Update();
            UpdateMetric(metric, batch.label);
            tell(options.batch_end, epoch, i);
        });
        log(epoch, "Train-" + detail::said(metric.GetNameValue(true)));
        log(epoch, "Time cost=" + std::to_string(detail::seconds() - start));
        tell(options.epoch_end, epoch, 0);
        if (!options.eval_data) continue;
        log(epoch, "Validation-" + detail::said(Score(*options.eval_data, metric)));
        tell(options.eval_end, epoch, 0);
    }
}

inline std::vector<std::pair<std::string, double>> Module::Score(DataIter eval_data, EvalMetric metric) {
    if (!IsBound()) Bind(eval_data, BindOptions{false});
    eval_data.Reset();
    metric.Reset();
    detail::each_batch(eval_data, [&](const DataBatch &batch, int64_t) {
        Forward(batch, false);
        UpdateMetric(metric, batch.label);
    });
    return metric.GetNameValue(true);
}

inline std::vector<NDArray> Module::Predict(DataIter eval_data) {
    if (!IsBound()) Bind(eval_data, BindOptions{false});
    eval_data.Reset();
    std::vector<std::vector<NDArray>> parts(GetSymbol().GetNumOutputs());
    detail::each_batch(eval_data, [&](const DataBatch &batch, int64_t) {
        Forward(batch, false);
        const auto outputs = GetOutputs();
        for (std::size_t i = 0; i < outputs.size(); i++) {
            // The next batch overwrites the outputs.
            parts[i].push_back(outputs[i].Slice(0, outputs[i].GetShape().at(0) - batch.pad_num).Copy());
        }
    });
    std::vector<NDArray> out;
    for (const auto &part : parts) {
        if (part.empty()) detail::refuse(MXR_ERROR_INVALID_VALUE, "", "eval_data", "expected at least one batch");
        Operator concat("Concat");
        concat.SetParam("dim", 0);
        for (const NDArray &piece : part) concat.PushInput(piece);
        out.push_back(concat.Invoke().front());
    }
    return out;
}

} // namespace mxr

#endif
