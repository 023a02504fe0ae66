/// @file
/// Symbols: graphs of operators that are composed before they run.
#ifndef MXR_SYMBOL_HPP
#define MXR_SYMBOL_HPP

#include "attrs.hpp"
#include "ndarray.hpp"
#include <algorithm>
#include <mutex>

namespace mxr {

class Executor;

/// Outputs of a graph. Symbols never change; a copy is the same symbol.
class Symbol {
public:
    /// No symbol: as an operator's input, a variable that the operator makes.
    Symbol() = default;
    /// Takes a handle of the C ABI over.
    explicit Symbol(mxr_symbol_t *raw) noexcept : handle_(raw) {}
    /// A variable.
    explicit Symbol(const std::string &name) : Symbol(Variable(name)) {}
    /// A variable. Attributes are texts, as `__shape__` and `(2, 3)`.
    static Symbol Variable(const std::string &name, const std::map<std::string, std::string> &attrs = {});
    /// All outputs of several symbols as one.
    static Symbol Group(const std::vector<Symbol> &symbols);
    /// The computation of recorded arrays; var0, var1, … are its variables with gradients, in the order of attaching.
    static Symbol Recorded(const std::vector<NDArray> &heads);
    /// Reads a `-symbol.json` file of any version of MXNet.
    static Symbol Load(const std::string &path);
    static Symbol LoadJSON(const std::string &json);
    void Save(const std::string &path) const { detail::check(mxr_symbol_save(get(), path.c_str())); }
    std::string ToJSON() const { return text(mxr_symbol_to_json); }
    /// The graph for people.
    std::string DebugString() const { return text(mxr_symbol_text); }

    explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
    /// The handle of the C ABI, borrowed.
    mxr_symbol_t *get() const noexcept { return handle_.get(); }

    /// The name of the symbol's node; empty for a group.
    std::string GetName() const { return text(mxr_symbol_name); }
    std::vector<std::string> ListArguments() const { return list(MXR_LIST_ARGUMENTS); }
    std::vector<std::string> ListOutputs() const { return list(MXR_LIST_OUTPUTS); }
    std::vector<std::string> ListAuxiliaryStates() const { return list(MXR_LIST_AUXILIARY_STATES); }
    /// All variables, in the order in which CachedOp takes them.
    std::vector<std::string> ListInputs() const { return list(MXR_LIST_INPUTS); }
    std::size_t GetNumOutputs() const { return ListOutputs().size(); }
    /// One output.
    Symbol operator[](int64_t index) const;
    Symbol operator[](const std::string &name) const;
    /// All visible outputs of all nodes.
    Symbol GetInternals() const;
    Symbol GetChildren() const;
    /// The graph with named variables replaced by other symbols.
    Symbol Compose(const std::map<std::string, Symbol> &inputs, const std::string &name = {}) const;
    /// An attribute of the node by the user's name; empty if there is none.
    std::string GetAttr(const std::string &key) const;
    /// The attributes of the node by the user's names.
    std::map<std::string, std::string> ListAttrs() const;
    /// The same symbol with more attributes on its node.
    Symbol WithAttrs(const std::map<std::string, std::string> &attrs) const;

    /// What follows from the shapes of some variables. Sizes that are not known are -1; a shape of which nothing is
    /// known has one size, -2.
    struct Shapes {
        std::vector<Shape> arguments, outputs, auxiliary_states;
        bool complete = false;
    };
    Shapes InferShape(const std::map<std::string, Shape> &known) const;
    /// What follows from the dtypes of some variables.
    struct DTypes {
        std::vector<DType> arguments, outputs, auxiliary_states;
        bool complete = false;
    };
    DTypes InferType(const std::map<std::string, DType> &known) const;
    /// Makes arrays of zeros for the arguments that `args` lacks, whose shapes follow from those that it has.
    void InferArgsMap(const Context &context, std::map<std::string, NDArray> *args,
                      const std::map<std::string, NDArray> &known) const;

    /// An executor over these arrays, in the order of ListArguments and ListAuxiliaryStates.
    std::unique_ptr<Executor> Bind(const Context &context, const std::vector<NDArray> &args,
                                   const std::vector<NDArray> &grads = {},
                                   const std::vector<OpReqType> &requests = {},
                                   const std::vector<NDArray> &aux = {}) const;
    /// An executor over these arrays, and zeros for all other variables.
    std::unique_ptr<Executor> SimpleBind(const Context &context, const std::map<std::string, NDArray> &args,
                                         const std::map<std::string, OpReqType> &requests = {},
                                         const std::map<std::string, NDArray> &aux = {}) const;

private:
    std::string text(mxr_error_t *(*ask)(const mxr_symbol_t *, char **)) const {
        char *out = nullptr;
        detail::check(ask(get(), &out));
        return detail::owned(out);
    }
    std::vector<std::string> list(int32_t which) const {
        mxr_texts_t *names = nullptr;
        detail::check(mxr_symbol_list(get(), which, &names));
        return detail::strings(names);
    }
    detail::Handle<mxr_symbol_t, mxr_symbol_retain, mxr_symbol_free> handle_;
};

/// Attributes, texts by name such as `ctx_group`, for the symbols that this thread makes while the scope lives. Scopes
/// may lie in each other: inner ones add to outer ones.
class AttrScope {
public:
    explicit AttrScope(const std::map<std::string, std::string> &attrs);
    /// As in `AttrScope scope{{"ctx_group", "dev1"}};`.
    AttrScope(std::initializer_list<std::pair<const std::string, std::string>> attrs)
        : AttrScope(std::map<std::string, std::string>(attrs)) {}
    AttrScope(const AttrScope &) = delete;
    AttrScope &operator=(const AttrScope &) = delete;
    ~AttrScope();

private:
    std::map<std::string, std::string> outer_;
};

namespace detail {

/// Numbers symbols without a name by what made them: `exp0`, `exp1`.
inline std::string auto_name(const std::string &hint) {
    static std::mutex lock;
    static std::map<std::string, int64_t> next;
    const std::lock_guard<std::mutex> held(lock);
    return hint + std::to_string(next[hint]++);
}

/// The attributes that symbols get which this thread makes; see AttrScope.
inline std::map<std::string, std::string> &scope_attrs() {
    static thread_local std::map<std::string, std::string> attrs;
    return attrs;
}

/// Adds the attributes of the scope that are not given.
inline void add_scope(std::vector<const char *> *keys, std::vector<const char *> *values) {
    for (const auto &[key, value] : scope_attrs()) {
        const bool given = std::any_of(keys->begin(), keys->end(), [&k = key](const char *other) { return k == other; });
        if (given) continue;
        keys->push_back(key.c_str());
        values->push_back(value.c_str());
    }
}

/// A symbol of a call, by the name of its parameter; NULL for one by position.
struct SymbolInput {
    const char *name;
    const Symbol &symbol;
};

/// Calls an operator on symbols; those without a name are named after the hint.
inline Symbol symbol(const Op &op, const char *hint, const std::string &name, const Texts &texts,
                     std::initializer_list<SymbolInput> inputs, const std::vector<Symbol> &rest = {}) {
    std::vector<mxr_symbol_t *> raw;
    std::vector<const char *> names;
    // Those by position come first.
    for (const Symbol &input : rest) {
        raw.push_back(input.get());
        names.push_back(nullptr);
    }
    for (const SymbolInput &input : inputs) {
        if (!input.symbol) continue;
        raw.push_back(input.symbol.get());
        names.push_back(input.name);
    }
    const std::string full = name.empty() ? auto_name(hint) : name;
    auto keys = c_strings(texts.keys()), values = c_strings(texts.texts());
    add_scope(&keys, &values);
    mxr_symbol_t *out = nullptr;
    check(mxr_symbol_call(op.get(), full.c_str(), keys.data(), values.data(), static_cast<int32_t>(keys.size()),
                          raw.data(), names.data(), static_cast<int32_t>(raw.size()), &out));
    return Symbol(out);
}

inline Symbol symbol_with_scalar(const Op &op, const char *hint, const Symbol &data, double scalar) {
    Texts texts;
    texts.add("scalar", text_of(scalar));
    return symbol(op, hint, {}, texts, {{"data", data}});
}

} // namespace detail

// An operator of two symbols, and of a symbol and a number on either side.
#define MXR_BINARY(symbol_, symbols, hint, scalar, scalar_hint, reflected, reflected_hint)            \
    inline Symbol operator symbol_(const Symbol &lhs, const Symbol &rhs) {                            \
        static const detail::Op op(symbols, 1, 0);                                                    \
        return detail::symbol(op, hint, {}, {}, {{"lhs", lhs}, {"rhs", rhs}});                        \
    }                                                                                                 \
    inline Symbol operator symbol_(const Symbol &lhs, double rhs) {                                   \
        static const detail::Op op(scalar, 1, 0);                                                     \
        return detail::symbol_with_scalar(op, scalar_hint, lhs, rhs);                                 \
    }                                                                                                 \
    inline Symbol operator symbol_(double lhs, const Symbol &rhs) {                                   \
        static const detail::Op op(reflected, 1, 0);                                                  \
        return detail::symbol_with_scalar(op, reflected_hint, rhs, lhs);                              \
    }

MXR_BINARY(+, "elemwise_add", "_plus", "_plus_scalar", "_plusscalar", "_plus_scalar", "_plusscalar")
MXR_BINARY(-, "elemwise_sub", "_minus", "_minus_scalar", "_minusscalar", "_rminus_scalar", "_rminusscalar")
MXR_BINARY(*, "elemwise_mul", "_mul", "_mul_scalar", "_mulscalar", "_mul_scalar", "_mulscalar")
MXR_BINARY(/, "elemwise_div", "_div", "_div_scalar", "_divscalar", "_rdiv_scalar", "_rdivscalar")
MXR_BINARY(%, "_mod", "_mod", "_mod_scalar", "_modscalar", "_rmod_scalar", "_rmodscalar")
// Comparisons go element by element and give ones and zeros.
MXR_BINARY(>, "_greater", "_greater", "_greater_scalar", "_greater_scalar", "_lesser_scalar", "_lesser_scalar")
MXR_BINARY(>=, "_greater_equal", "_greater_equal", "_greater_equal_scalar", "_greater_equal_scalar",
           "_lesser_equal_scalar", "_lesser_equal_scalar")
MXR_BINARY(<, "_lesser", "_lesser", "_lesser_scalar", "_lesser_scalar", "_greater_scalar", "_greater_scalar")
MXR_BINARY(<=, "_lesser_equal", "_lesser_equal", "_lesser_equal_scalar", "_lesser_equal_scalar",
           "_greater_equal_scalar", "_greater_equal_scalar")
#undef MXR_BINARY

/// Ones where elements are equal and zeros elsewhere, as a symbol.
inline Symbol Equal(const Symbol &lhs, const Symbol &rhs) {
    static const detail::Op op("_equal", 1, 0);
    return detail::symbol(op, "_equal", {}, {}, {{"lhs", lhs}, {"rhs", rhs}});
}
/// Ones where elements are equal to a number and zeros elsewhere, as a symbol.
inline Symbol Equal(const Symbol &lhs, double rhs) {
    static const detail::Op op("_equal_scalar", 1, 0);
    return detail::symbol_with_scalar(op, "_equal_scalar", lhs, rhs);
}
/// Ones where elements differ and zeros elsewhere, as a symbol.
inline Symbol NotEqual(const Symbol &lhs, const Symbol &rhs) {
    static const detail::Op op("_not_equal", 1, 0);
    return detail::symbol(op, "_not_equal", {}, {}, {{"lhs", lhs}, {"rhs", rhs}});
}
/// Ones where elements differ from a number and zeros elsewhere, as a symbol.
inline Symbol NotEqual(const Symbol &lhs, double rhs) {
    static const detail::Op op("_not_equal_scalar", 1, 0);
    return detail::symbol_with_scalar(op, "_not_equal_scalar", lhs, rhs);
}
/// Whether two symbols are the same would be asked by `if (a == b)`; a symbol is composed by Equal.
void operator==(const Symbol &, const Symbol &) = delete;
void operator!=(const Symbol &, const Symbol &) = delete;

inline Symbol operator-(const Symbol &symbol) { return -1.0 * symbol; }

} // namespace mxr

#include "symbol_impl.hpp"

#endif
