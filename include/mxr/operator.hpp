/// @file
/// Operators by name, as MXNet's cpp-package calls them.
#ifndef MXR_OPERATOR_HPP
#define MXR_OPERATOR_HPP

#include "optimizer.hpp"
#include "symbol.hpp"

namespace mxr {

/// A call of an operator that is put together piece by piece, and made on symbols or on arrays:
///
///     Operator("Convolution").SetParam("kernel", Shape(3, 3)).SetParam("num_filter", 8)
///         .SetInput("data", x).CreateSymbol("conv1")
class Operator {
public:
    explicit Operator(std::string name) : name_(std::move(name)) {}

    /// Sets an attribute.
    Operator &SetParam(const std::string &name, const AttrValue &value) {
        params_.insert_or_assign(name, value);
        return *this;
    }
    /// Sets an input by the name of its parameter.
    Operator &SetInput(const std::string &name, const Symbol &symbol) {
        symbols_.emplace_back(name, symbol);
        return *this;
    }
    Operator &SetInput(const std::string &, const NDArray &array) {
        arrays_.push_back(array);
        return *this;
    }
    /// Sets the next input.
    Operator &PushInput(const Symbol &symbol) { return SetInput("", symbol); }
    Operator &PushInput(const NDArray &array) { return SetInput("", array); }
    template <class Input> Operator &operator()(const Input &input) { return PushInput(input); }

    /// The symbol of the call; inputs that were not set become variables.
    Symbol CreateSymbol(const std::string &name = {}) const;
    /// The results of the call on arrays, new ones or those in `out`. Inputs are taken in the order in which they were
    /// set.
    Outputs Invoke(const Into &out = {}) const;

private:
    detail::Op find() const {
        const detail::Registered *known = detail::find_registered(detail::operators, name_);
        detail::ready();
        if (known) return {known->name, known->breaking, known->revision};
        return {name_.c_str(), 1, 0};
    }
    std::string name_;
    AttrMap params_;
    std::vector<std::pair<std::string, Symbol>> symbols_;
    std::vector<NDArray> arrays_;
};

inline Symbol Operator::CreateSymbol(const std::string &name) const {
    const detail::Op op = find();
    detail::Texts texts;
    for (const auto &[key, value] : params_) texts.add(key.c_str(), value.text());
    std::vector<mxr_symbol_t *> raw;
    std::vector<const char *> names;
    for (const bool by_name : {false, true}) {
        for (const auto &[input, symbol] : symbols_) {
            if (input.empty() == by_name || !symbol) continue;
            raw.push_back(symbol.get());
            names.push_back(by_name ? input.c_str() : nullptr);
        }
    }
    std::string hint = name_;
    for (char &c : hint) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string full = name.empty() ? detail::auto_name(hint) : name;
    auto keys = detail::c_strings(texts.keys()), values = detail::c_strings(texts.texts());
    detail::add_scope(&keys, &values);
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_call(op.get(), full.c_str(), keys.data(), values.data(),
                                  static_cast<int32_t>(keys.size()), raw.data(), names.data(),
                                  static_cast<int32_t>(raw.size()), &out));
    return Symbol(out);
}

inline Outputs Operator::Invoke(const Into &out) const {
    const detail::Op op = find();
    const detail::NamedAttrs attrs(detail::operators, name_, params_);
    return detail::all(op, detail::Inputs(op, "input", {}, arrays_), attrs, out);
}

} // namespace mxr

#endif
