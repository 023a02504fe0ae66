/// @file
/// Prediction with a saved model.
#ifndef MXR_PREDICTOR_HPP
#define MXR_PREDICTOR_HPP

#include "autograd.hpp"
#include "executor.hpp"
#include "model.hpp"

namespace mxr {

/// A saved model that predicts. One object may be used by several threads.
///
///     Predictor model("lenet-symbol.json", "lenet-0010.params");
///     NDArray scores = model(images);
class Predictor {
public:
    /// Reads MXNet's files of a symbol and its parameters.
    Predictor(const std::string &symbol_file, const std::string &params_file, const Context &context = {})
        : Predictor(Symbol::Load(symbol_file), NDArray::LoadToMap(params_file), context) {}
    /// Takes a model of one file.
    explicit Predictor(const Model &model, const Context &context = {})
        : Predictor(model.symbol, model.params, context) {}
    /// A model of a symbol and its parameters, whose names may begin with `arg:` or `aux:`.
    Predictor(const Symbol &symbol, const std::map<std::string, NDArray> &params, const Context &context = {})
        : symbol_(symbol), context_(context), op_(symbol, false, options(context)) {
        for (const auto &[name, array] : params) {
            const bool prefixed = name.rfind("arg:", 0) == 0 || name.rfind("aux:", 0) == 0;
            const std::string plain = prefixed ? name.substr(4) : name;
            params_.insert_or_assign(plain, array.GetContext() == context ? array : array.Copy(context));
        }
        for (const std::string &name : symbol.ListInputs()) {
            if (params_.count(name) == 0) inputs_.push_back(name);
        }
    }

    /// The variables that no parameter is for: data and labels.
    const std::vector<std::string> &ListInputs() const noexcept { return inputs_; }
    /// The outputs for the model's first input. Labels are zeros.
    Outputs operator()(const NDArray &data) const {
        if (inputs_.empty()) detail::refuse(MXR_ERROR_INVALID_VALUE, "", "data", "the model has no input");
        return (*this)({{inputs_.front(), data}});
    }
    /// The outputs for inputs by name. Those that are not given are zeros of the shapes that follow.
    Outputs operator()(const std::map<std::string, NDArray> &data) const {
        std::map<std::string, NDArray> all = params_;
        for (const auto &[name, array] : data) {
            if (std::find(inputs_.begin(), inputs_.end(), name) == inputs_.end()) {
                detail::refuse(MXR_ERROR_NOT_FOUND, "", name, "the model has no input of this name");
            }
            all.insert_or_assign(name, array);
        }
        if (data.size() < inputs_.size()) {
            const std::map<std::string, NDArray> known = all;
            symbol_.InferArgsMap(context_, &all, known);
        }
        std::vector<NDArray> ordered;
        for (const std::string &name : symbol_.ListInputs()) ordered.push_back(all.at(name));
        const autograd::PauseScope scope;
        return op_(ordered);
    }

private:
    static PlanOptions options(const Context &context) {
        PlanOptions options;
        options.context = context;
        return options;
    }
    Symbol symbol_;
    Context context_;
    CachedOp op_;
    std::map<std::string, NDArray> params_;
    std::vector<std::string> inputs_;
};

} // namespace mxr

#endif
