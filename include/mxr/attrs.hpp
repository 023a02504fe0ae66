/// @file
/// Attributes of operators, optimizers and the like: what is given, and how it crosses to the library.
#ifndef MXR_ATTRS_HPP
#define MXR_ATTRS_HPP

#include "base.hpp"
#include <array>
#include <locale>
#include <map>
#include <memory>
#include <sstream>
#include <variant>

namespace mxr {

/// An attribute that need not be given: absent, which means the library's default, `none`, or a value.
template <class T> class Attr {
    /// Numbers become numbers of their kind, a truth value only a truth value.
    template <class U> static constexpr bool takes() {
        using V = detail::Bare<U>;
        if constexpr (std::is_same_v<V, Attr> || std::is_same_v<V, None>) return false;
        else if constexpr (std::is_same_v<T, bool>) return std::is_same_v<V, bool>;
        else if constexpr (std::is_same_v<T, int64_t>) return detail::is_number<V> && std::is_integral_v<V>;
        else if constexpr (std::is_same_v<T, double>) return detail::is_number<V>;
        else return std::is_convertible_v<U, T>;
    }

public:
    Attr() = default;
    Attr(None) : state_(kNone) {}
    template <class U, class = std::enable_if_t<takes<U>()>>
    Attr(U &&value) : state_(kValue), value_(static_cast<T>(std::forward<U>(value))) {}
    template <class S = T, class = std::enable_if_t<std::is_same_v<S, Shape>>>
    Attr(std::initializer_list<int64_t> values) : state_(kValue), value_(values) {}
    template <class S = T, class = std::enable_if_t<std::is_same_v<S, Ints>>, class = void>
    Attr(std::initializer_list<Ints::Item> values) : state_(kValue), value_(values) {}

    /// Whether it was given, be it as `none`.
    bool given() const noexcept { return state_ != kAbsent; }
    /// Whether it was given as `none`.
    bool is_none() const noexcept { return state_ == kNone; }
    /// The value; only if it was given as one.
    const T &value() const noexcept { return value_; }

private:
    enum State : uint8_t { kAbsent, kNone, kValue } state_ = kAbsent;
    T value_{};
};

namespace detail {

/// Texts with their addresses; copies share them, so that what borrows the addresses may be copied.
class TextList {
public:
    TextList(std::vector<std::string> texts) {
        auto made = std::make_shared<Data>();
        made->texts = std::move(texts);
        for (const std::string &text : made->texts) made->addresses.push_back(text.c_str());
        data_ = std::move(made);
    }
    const std::vector<std::string> &texts() const noexcept { return data_->texts; }
    const std::vector<const char *> &addresses() const noexcept { return data_->addresses; }

private:
    struct Data {
        std::vector<std::string> texts;
        std::vector<const char *> addresses;
    };
    std::shared_ptr<const Data> data_;
};

} // namespace detail

/// A value of any type that an attribute may have. It owns its data.
class AttrValue {
public:
    AttrValue(None) {}
    AttrValue(bool v) : value_(v) {}
    template <class N, class = std::enable_if_t<detail::is_number<N>>>
    AttrValue(N v) {
        if constexpr (std::is_integral_v<N>) value_ = static_cast<int64_t>(v);
        else value_ = static_cast<double>(v);
    }
    AttrValue(const char *v) : value_(std::string(v)) {}
    AttrValue(std::string v) : value_(std::move(v)) {}
    AttrValue(DType v) : value_(std::string(name_of(v))) {}
    AttrValue(const Context &v) : value_(v.ToString()) {}
    AttrValue(const Shape &v) : value_(Ints(v)) {}
    AttrValue(Ints v) : value_(std::move(v)) {}
    AttrValue(std::vector<double> v) : value_(std::move(v)) {}
    AttrValue(std::vector<std::string> v) : value_(detail::TextList(std::move(v))) {}

    /// As the library takes it; borrowed from this value.
    mxr_attr_t raw(uint32_t id) const;
    /// As MXNet's model files have it.
    std::string text() const;

private:
    std::variant<None, bool, int64_t, double, std::string, Ints, std::vector<double>, detail::TextList> value_;
};

namespace detail {

inline mxr_attr_t raw(uint32_t id, uint32_t tag, std::size_t integer, double number = 0,
                      const void *data = nullptr) {
    return {id, tag, static_cast<int64_t>(integer), number, data};
}
inline mxr_attr_t raw(uint32_t id, None) { return raw(id, MXR_ATTR_NO_VALUE, 0); }
inline mxr_attr_t raw(uint32_t id, bool v) { return raw(id, MXR_ATTR_BOOL, v); }
inline mxr_attr_t raw(uint32_t id, int64_t v) { return {id, MXR_ATTR_INT, v, 0, nullptr}; }
inline mxr_attr_t raw(uint32_t id, double v) { return raw(id, MXR_ATTR_FLOAT, 0, v); }
inline mxr_attr_t raw(uint32_t id, DType v) { return raw(id, static_cast<int64_t>(v)); }
inline mxr_attr_t raw(uint32_t id, const Shape &v) { return raw(id, MXR_ATTR_INTS, v.size(), 0, v.data()); }
inline mxr_attr_t raw(uint32_t id, const Ints &v) { return raw(id, MXR_ATTR_INTS, v.size(), 0, v.data()); }
inline mxr_attr_t raw(uint32_t id, const std::string &v) {
    return raw(id, MXR_ATTR_STRING, v.size(), 0, v.data());
}
inline mxr_attr_t raw(uint32_t id, const std::vector<double> &v) {
    return raw(id, MXR_ATTR_FLOATS, v.size(), 0, v.data());
}
inline mxr_attr_t raw(uint32_t id, const TextList &v) {
    return raw(id, MXR_ATTR_STRINGS, v.addresses().size(), 0, v.addresses().data());
}
/// An enumeration's value is its position.
template <class E, class = std::enable_if_t<std::is_enum_v<E>>> mxr_attr_t raw(uint32_t id, E v) {
    return raw(id, static_cast<int64_t>(v));
}

inline std::string text_of(None) { return "None"; }
inline std::string text_of(bool v) { return v ? "True" : "False"; }
inline std::string text_of(int64_t v) { return std::to_string(v); }
inline std::string text_of(double v) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(17);
    out << v;
    return out.str();
}
inline std::string text_of(DType v) { return name_of(v); }
inline std::string text_of(const std::string &v) { return v; }
template <class List, class = decltype(std::declval<const List &>().data())> std::string text_of(const List &v) {
    std::string out = "(";
    for (std::size_t i = 0; i < v.size(); i++) {
        if (i > 0) out += ", ";
        if constexpr (std::is_same_v<List, std::vector<double>>) out += text_of(v[i]);
        else out += v.data()[i] == INT64_MIN ? "None" : text_of(v.data()[i]);
    }
    return out + (v.size() == 1 ? ",)" : ")");
}
inline std::string text_of(const TextList &v) {
    std::string out = "[";
    for (const std::string &text : v.texts()) out += (out.size() > 1 ? ", " : "") + text;
    return out + "]";
}
/// The generated `value_names` of an enumeration lists the texts of its values.
template <class E, class = std::enable_if_t<std::is_enum_v<E>>, class = void> std::string text_of(E v) {
    return value_names(v)[static_cast<std::size_t>(v)];
}

/// The attributes of an eager call, at most N; they borrow from the call's arguments.
template <std::size_t N> class Values {
public:
    template <class T> void add(uint32_t id, const char *, const T &value) { items_[n_++] = raw(id, value); }
    template <class T> void add(uint32_t id, const char *, const Attr<T> &attr) {
        if (attr.is_none()) items_[n_++] = raw(id, none);
        else if (attr.given()) items_[n_++] = raw(id, attr.value());
    }
    const mxr_attr_t *data() const noexcept { return items_.data(); }
    int32_t size() const noexcept { return n_; }

private:
    std::array<mxr_attr_t, N == 0 ? 1 : N> items_;
    int32_t n_ = 0;
};

/// The attributes of a symbol's call, as texts.
class Texts {
public:
    void add(const char *name, std::string text) {
        keys_.emplace_back(name);
        texts_.push_back(std::move(text));
    }
    template <class T> void add(uint32_t, const char *name, const T &value) { add(name, text_of(value)); }
    template <class T> void add(uint32_t, const char *name, const Attr<T> &attr) {
        if (attr.given()) add(name, attr.is_none() ? text_of(none) : text_of(attr.value()));
    }
    const std::vector<std::string> &keys() const noexcept { return keys_; }
    const std::vector<std::string> &texts() const noexcept { return texts_; }

private:
    std::vector<std::string> keys_, texts_;
};

/// Texts as the library takes them; borrowed from the list.
inline std::vector<const char *> c_strings(const std::vector<std::string> &texts) {
    std::vector<const char *> out;
    out.reserve(texts.size());
    for (const std::string &text : texts) out.push_back(text.c_str());
    return out;
}

/// The strings of a list of the library's.
inline std::vector<std::string> strings(mxr_texts_t *texts) {
    std::vector<std::string> out;
    for (int64_t i = 0, n = mxr_texts_len(texts); i < n; i++) out.emplace_back(mxr_texts_get(texts, i));
    mxr_texts_free(texts);
    return out;
}

} // namespace detail

inline mxr_attr_t AttrValue::raw(uint32_t id) const {
    return std::visit([id](const auto &v) { return detail::raw(id, v); }, value_);
}

inline std::string AttrValue::text() const {
    return std::visit([](const auto &v) { return detail::text_of(v); }, value_);
}

} // namespace mxr

#endif
