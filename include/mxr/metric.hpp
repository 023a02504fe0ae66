/// @file
/// Metrics, which take in batches without waiting; asking for a value waits.
#ifndef MXR_METRIC_HPP
#define MXR_METRIC_HPP

#include "lists.hpp"
#include "optimizer.hpp"

namespace mxr {

/// A metric with what it has summed up.
class EvalMetric {
public:
    /// By name, as `acc`. The attribute `metrics` of a `CompositeEvalMetric` is a list of names.
    explicit EvalMetric(const std::string &name, const AttrMap &attrs = {}) {
        detail::ready();
        const detail::NamedAttrs raw(detail::metrics, name, attrs);
        mxr_metric_t *made = nullptr;
        detail::check(mxr_metric_create(name.c_str(), raw.data(), raw.size(), &made));
        handle_ = decltype(handle_)(made);
    }

    /// Takes in a batch of labels and what was predicted for them.
    void Update(const NDArray &labels, const NDArray &preds) { Update(std::vector{labels}, std::vector{preds}); }
    /// Takes in a batch: as many labels as predictions.
    void Update(const std::vector<NDArray> &labels, const std::vector<NDArray> &preds) {
        const auto raw_labels = detail::handles(labels), raw_preds = detail::handles(preds);
        detail::check(mxr_metric_update(get(), raw_labels.data(), detail::count(labels), raw_preds.data(),
                                        detail::count(preds)));
    }
    /// Takes in a batch of which the attributes `label_names` and `output_names` choose arrays.
    void Update(const NamedArrays &labels, const NamedArrays &preds) {
        const detail::NamedHandles raw_labels(labels), raw_preds(preds);
        detail::check(mxr_metric_update_named(get(), raw_labels.names.data(), raw_labels.handles.data(),
                                              raw_labels.size(), raw_preds.names.data(), raw_preds.handles.data(),
                                              raw_preds.size()));
    }
    /// Adds a sum and a count that were found otherwise, as to a `CustomMetric`.
    void Add(double sum, double count) { detail::check(mxr_metric_add(get(), sum, count)); }
    /// Adds a metric, which stays the caller's too, to a `CompositeEvalMetric`.
    void Push(const EvalMetric &part) { detail::check(mxr_metric_push(get(), part.get())); }
    /// Forgets everything.
    void Reset() { detail::check(mxr_metric_reset(get())); }
    /// Forgets everything but what `GetNameValue(true)` tells.
    void ResetLocal() { detail::check(mxr_metric_reset_local(get())); }

    /// The names and values since the last reset of either kind, or if `global` since the last `Reset`; not a number
    /// where there was nothing. Waits.
    std::vector<std::pair<std::string, double>> GetNameValue(bool global = false) const {
        std::vector<double> values(1);
        std::vector<std::string> names;
        int32_t n = 0;
        do {
            values.resize(std::max<std::size_t>(values.size(), static_cast<std::size_t>(n)));
            mxr_texts_t *texts = nullptr;
            detail::check(mxr_metric_get(get(), global, &texts, values.data(), detail::count(values), &n));
            names = detail::strings(texts);
        } while (n > detail::count(values));
        std::vector<std::pair<std::string, double>> out;
        for (std::size_t i = 0; i < names.size(); i++) out.emplace_back(names[i], values[i]);
        return out;
    }
    /// The value of a metric that has one, the first of several. Waits.
    double Get() const {
        const auto all = GetNameValue();
        if (all.empty()) detail::refuse(MXR_ERROR_INVALID_VALUE, "", "metric", "it has no value");
        return all.front().second;
    }

    mxr_metric_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<mxr_metric_t, mxr_metric_retain, mxr_metric_free> handle_;
};

} // namespace mxr

#endif
