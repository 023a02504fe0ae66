/// @file
/// What symbols do that needs no executor. Included by symbol.hpp.
#ifndef MXR_SYMBOL_IMPL_HPP
#define MXR_SYMBOL_IMPL_HPP

#include "symbol.hpp"
#include <algorithm>

namespace mxr {
namespace detail {

/// Pairs of texts as the library takes them; borrowed.
struct CPairs {
    std::vector<const char *> keys, values;
    explicit CPairs(const std::map<std::string, std::string> &pairs) {
        for (const auto &[key, value] : pairs) {
            keys.push_back(key.c_str());
            values.push_back(value.c_str());
        }
    }
    int32_t size() const { return static_cast<int32_t>(keys.size()); }
};

using Inferred = std::unique_ptr<mxr_inferred_t, decltype(&mxr_inferred_free)>;

inline std::vector<Shape> inferred_shapes(const Inferred &inferred, int32_t list, std::size_t n) {
    std::vector<Shape> out;
    for (std::size_t i = 0; i < n; i++) {
        const int64_t *sizes = nullptr;
        int32_t num_axes = 0;
        check(mxr_inferred_shape(inferred.get(), list, static_cast<int64_t>(i), &sizes, &num_axes));
        out.push_back(num_axes < 0 ? Shape(-2) : Shape(std::vector<int64_t>(sizes, sizes + num_axes)));
    }
    return out;
}

inline std::vector<DType> inferred_dtypes(const Inferred &inferred, int32_t list, std::size_t n) {
    std::vector<DType> out;
    for (std::size_t i = 0; i < n; i++) {
        int32_t dtype = -1;
        check(mxr_inferred_dtype(inferred.get(), list, static_cast<int64_t>(i), &dtype));
        out.push_back(static_cast<DType>(dtype));
    }
    return out;
}

} // namespace detail

inline AttrScope::AttrScope(const std::map<std::string, std::string> &attrs) : outer_(detail::scope_attrs()) {
    for (const auto &[key, value] : attrs) detail::scope_attrs().insert_or_assign(key, value);
}
inline AttrScope::~AttrScope() { detail::scope_attrs() = std::move(outer_); }

inline Symbol Symbol::Variable(const std::string &name, const std::map<std::string, std::string> &attrs) {
    detail::ready();
    detail::CPairs pairs(attrs);
    detail::add_scope(&pairs.keys, &pairs.values);
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_variable(name.c_str(), pairs.keys.data(), pairs.values.data(), pairs.size(), &out));
    return Symbol(out);
}

inline Symbol Symbol::Recorded(const std::vector<NDArray> &heads) {
    std::vector<mxr_array_t *> raw;
    for (const NDArray &head : heads) raw.push_back(head.get());
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_autograd_symbol(raw.data(), static_cast<int32_t>(raw.size()), &out));
    return Symbol(out);
}

inline Symbol Symbol::Group(const std::vector<Symbol> &symbols) {
    detail::ready();
    std::vector<mxr_symbol_t *> raw;
    for (const Symbol &symbol : symbols) raw.push_back(symbol.get());
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_group(raw.data(), static_cast<int32_t>(raw.size()), &out));
    return Symbol(out);
}

inline Symbol Symbol::Load(const std::string &path) {
    detail::ready();
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_load(path.c_str(), &out));
    return Symbol(out);
}

inline Symbol Symbol::LoadJSON(const std::string &json) {
    detail::ready();
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_from_json(json.c_str(), &out));
    return Symbol(out);
}

inline Symbol Symbol::operator[](int64_t index) const {
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_output(get(), index, &out));
    return Symbol(out);
}

inline Symbol Symbol::operator[](const std::string &name) const {
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_output_named(get(), name.c_str(), &out));
    return Symbol(out);
}

inline Symbol Symbol::GetInternals() const {
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_internals(get(), &out));
    return Symbol(out);
}

inline Symbol Symbol::GetChildren() const {
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_children(get(), &out));
    return Symbol(out);
}

inline Symbol Symbol::Compose(const std::map<std::string, Symbol> &inputs, const std::string &name) const {
    std::vector<mxr_symbol_t *> raw;
    std::vector<const char *> names;
    for (const auto &[input, symbol] : inputs) {
        names.push_back(input.c_str());
        raw.push_back(symbol.get());
    }
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_compose(get(), name.empty() ? nullptr : name.c_str(), raw.data(), names.data(),
                                     static_cast<int32_t>(raw.size()), &out));
    return Symbol(out);
}

inline std::string Symbol::GetAttr(const std::string &key) const {
    char *value = nullptr;
    detail::check(mxr_symbol_attr(get(), key.c_str(), &value));
    return detail::owned(value);
}

inline std::map<std::string, std::string> Symbol::ListAttrs() const {
    mxr_texts_t *texts = nullptr;
    detail::check(mxr_symbol_attrs(get(), 0, &texts));
    const auto flat = detail::strings(texts);
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i + 2 < flat.size(); i += 3) out[flat[i + 1]] = flat[i + 2];
    return out;
}

inline Symbol Symbol::WithAttrs(const std::map<std::string, std::string> &attrs) const {
    const detail::CPairs pairs(attrs);
    mxr_symbol_t *out = nullptr;
    detail::check(mxr_symbol_with_attrs(get(), pairs.keys.data(), pairs.values.data(), pairs.size(), &out));
    return Symbol(out);
}

inline Symbol::Shapes Symbol::InferShape(const std::map<std::string, Shape> &known) const {
    std::vector<const char *> names;
    std::vector<int64_t> sizes;
    std::vector<int32_t> num_axes;
    for (const auto &[name, shape] : known) {
        names.push_back(name.c_str());
        sizes.insert(sizes.end(), shape.begin(), shape.end());
        num_axes.push_back(static_cast<int32_t>(shape.ndim()));
    }
    mxr_inferred_t *raw = nullptr;
    detail::check(mxr_symbol_infer_shapes(get(), names.data(), sizes.data(), num_axes.data(),
                                          static_cast<int32_t>(names.size()), &raw));
    const detail::Inferred inferred(raw, mxr_inferred_free);
    return {detail::inferred_shapes(inferred, MXR_LIST_ARGUMENTS, ListArguments().size()),
            detail::inferred_shapes(inferred, MXR_LIST_OUTPUTS, ListOutputs().size()),
            detail::inferred_shapes(inferred, MXR_LIST_AUXILIARY_STATES, ListAuxiliaryStates().size()),
            mxr_inferred_complete(inferred.get()) == 1};
}

inline Symbol::DTypes Symbol::InferType(const std::map<std::string, DType> &known) const {
    std::vector<const char *> names;
    std::vector<int32_t> dtypes;
    for (const auto &[name, dtype] : known) {
        names.push_back(name.c_str());
        dtypes.push_back(static_cast<int32_t>(dtype));
    }
    mxr_inferred_t *raw = nullptr;
    detail::check(mxr_symbol_infer_dtypes(get(), names.data(), dtypes.data(), static_cast<int32_t>(names.size()),
                                          &raw));
    const detail::Inferred inferred(raw, mxr_inferred_free);
    return {detail::inferred_dtypes(inferred, MXR_LIST_ARGUMENTS, ListArguments().size()),
            detail::inferred_dtypes(inferred, MXR_LIST_OUTPUTS, ListOutputs().size()),
            detail::inferred_dtypes(inferred, MXR_LIST_AUXILIARY_STATES, ListAuxiliaryStates().size()),
            mxr_inferred_complete(inferred.get()) == 1};
}

namespace detail {

/// Adds zeros for each name that the arrays lack.
inline void add_zeros(const Context &context, const std::vector<std::string> &names,
                      const std::vector<Shape> &shapes, const std::vector<DType> &dtypes,
                      std::map<std::string, NDArray> *arrays) {
    for (std::size_t i = 0; i < names.size(); i++) {
        if (arrays->count(names[i]) > 0) continue;
        const bool known = std::none_of(shapes[i].begin(), shapes[i].end(), [](int64_t d) { return d < 0; });
        if (!known) refuse(MXR_ERROR_SHAPE, "", names[i], "its shape does not follow from those that are given");
        NDArray zeros(shapes[i], context, static_cast<int32_t>(dtypes[i]) < 0 ? DType::kFloat32 : dtypes[i]);
        zeros = 0.0;
        arrays->insert_or_assign(names[i], zeros);
    }
}

inline void infer_from(const Symbol &symbol, const std::map<std::string, NDArray> &known, Symbol::Shapes *shapes,
                       Symbol::DTypes *dtypes) {
    std::map<std::string, Shape> known_shapes;
    std::map<std::string, DType> known_dtypes;
    const auto names = symbol.ListInputs();
    for (const auto &[name, array] : known) {
        if (std::find(names.begin(), names.end(), name) == names.end()) continue;
        known_shapes[name] = array.GetShape();
        known_dtypes[name] = array.GetDType();
    }
    *shapes = symbol.InferShape(known_shapes);
    *dtypes = symbol.InferType(known_dtypes);
}

} // namespace detail

inline void Symbol::InferArgsMap(const Context &context, std::map<std::string, NDArray> *args,
                                 const std::map<std::string, NDArray> &known) const {
    Shapes shapes;
    DTypes dtypes;
    detail::infer_from(*this, known, &shapes, &dtypes);
    for (const std::string &name : ListArguments()) {
        const auto found = known.find(name);
        if (found != known.end()) args->insert_or_assign(name, found->second);
    }
    detail::add_zeros(context, ListArguments(), shapes.arguments, dtypes.arguments, args);
}

} // namespace mxr

#endif
