// A conformance case as the generated callers see it: inputs and attributes in the types of the public functions.
#ifndef MXR_TESTS_CALLER_HPP
#define MXR_TESTS_CALLER_HPP

#include "mxr.hpp"
#include "cases.h"
#include <map>
#include <string>

/// A case that no program can contain, because it does not compile, by the word for it in quirks.json.
struct DoesNotCompile {
    const char *why;
};

constexpr std::size_t kAnyNumber = SIZE_MAX;

namespace convert {

[[noreturn]] inline void wrong_type() { throw DoesNotCompile{"wrong type"}; }

template <class T> struct To {
    /// An enumeration's value by its text.
    static T from(const mxr_attr_t &attr) {
        if (attr.tag != MXR_ATTR_STRING) wrong_type();
        const std::string text(static_cast<const char *>(attr.data), static_cast<std::size_t>(attr.integer));
        const char *const *names = value_names(T{});
        for (int i = 0; names[i]; i++) {
            if (text == names[i]) return static_cast<T>(i);
        }
        throw DoesNotCompile{"no such value"};
    }
};
template <> struct To<bool> {
    static bool from(const mxr_attr_t &attr) {
        if (attr.tag != MXR_ATTR_BOOL && attr.tag != MXR_ATTR_INT) wrong_type();
        return attr.integer != 0;
    }
};
template <> struct To<int64_t> {
    static int64_t from(const mxr_attr_t &attr) {
        if (attr.tag != MXR_ATTR_INT) wrong_type();
        return attr.integer;
    }
};
template <> struct To<double> {
    static double from(const mxr_attr_t &attr) {
        if (attr.tag == MXR_ATTR_INT) return static_cast<double>(attr.integer);
        if (attr.tag != MXR_ATTR_FLOAT) wrong_type();
        return attr.number;
    }
};
template <> struct To<std::string> {
    static std::string from(const mxr_attr_t &attr) {
        if (attr.tag != MXR_ATTR_STRING) wrong_type();
        return {static_cast<const char *>(attr.data), static_cast<std::size_t>(attr.integer)};
    }
};
template <> struct To<mxr::Shape> {
    static mxr::Shape from(const mxr_attr_t &attr) {
        if (attr.tag == MXR_ATTR_INT) return attr.integer;
        if (attr.tag != MXR_ATTR_INTS) wrong_type();
        const int64_t *ints = static_cast<const int64_t *>(attr.data);
        return std::vector<int64_t>(ints, ints + attr.integer);
    }
};
template <> struct To<mxr::Ints> {
    static mxr::Ints from(const mxr_attr_t &attr) { return To<mxr::Shape>::from(attr); }
};
template <> struct To<std::vector<double>> {
    static std::vector<double> from(const mxr_attr_t &attr) {
        if (attr.tag == MXR_ATTR_INTS) {
            const int64_t *ints = static_cast<const int64_t *>(attr.data);
            return {ints, ints + attr.integer};
        }
        if (attr.tag != MXR_ATTR_FLOATS) return {To<double>::from(attr)};
        const double *floats = static_cast<const double *>(attr.data);
        return {floats, floats + attr.integer};
    }
};
template <> struct To<mxr::DType> {
    static mxr::DType from(const mxr_attr_t &attr) {
        const std::string text = To<std::string>::from(attr);
        for (int32_t code = 0; code <= MXR_BFLOAT16; code++) {
            if (text == mxr::name_of(static_cast<mxr::DType>(code))) return static_cast<mxr::DType>(code);
        }
        throw DoesNotCompile{"no such value"};
    }
};

} // namespace convert

/// What calls on arrays and on symbols have in common.
template <class Input> class CaseOf {
public:
    CaseOf(const case_t &c, std::vector<Input> inputs) : case_(c), inputs_(std::move(inputs)) {}

    /// That the operator's function takes so many inputs and has these attributes.
    void has_only(std::size_t most, std::initializer_list<uint32_t> ids) const {
        if (inputs_.size() > most) throw DoesNotCompile{"too many inputs"};
        for (int32_t i = 0; i < case_.num_attrs; i++) {
            if (std::find(ids.begin(), ids.end(), case_.attrs[i].id) == ids.end()) {
                throw DoesNotCompile{"no such attribute"};
            }
        }
    }
    template <class T> void read(uint32_t id, mxr::Attr<T> &to) const {
        const mxr_attr_t *attr = find(id);
        if (!attr) return;
        if (attr->tag == MXR_ATTR_NO_VALUE) to = mxr::none;
        else to = convert::To<T>::from(*attr);
    }
    template <class T> T need(uint32_t id) const {
        const mxr_attr_t *attr = find(id);
        if (!attr) throw DoesNotCompile{"missing attribute"};
        return convert::To<T>::from(*attr);
    }
    Input input(std::size_t i) const { return i < inputs_.size() ? inputs_[i] : Input(); }
    std::vector<Input> rest(std::size_t from) const {
        if (from >= inputs_.size()) return {};
        return {inputs_.begin() + static_cast<std::ptrdiff_t>(from), inputs_.end()};
    }

private:
    const mxr_attr_t *find(uint32_t id) const {
        for (int32_t i = 0; i < case_.num_attrs; i++) {
            if (case_.attrs[i].id == id) return &case_.attrs[i];
        }
        return nullptr;
    }
    const case_t &case_;
    std::vector<Input> inputs_;
};

struct ArrayCase : CaseOf<mxr::NDArray> {
    using CaseOf::CaseOf;
    using Results = mxr::Outputs;
    static constexpr bool symbolic = false;
    Results results(const mxr::NDArray &array) const { return {array}; }
    Results results(mxr::Outputs arrays) const { return arrays; }
};

struct SymbolCase : CaseOf<mxr::Symbol> {
    using CaseOf::CaseOf;
    using Results = mxr::Symbol;
    static constexpr bool symbolic = true;
};

/// An operator's public functions.
struct Caller {
    mxr::Outputs (*on_arrays)(const ArrayCase &);
    mxr::Symbol (*on_symbols)(const SymbolCase &);
};
using Callers = std::map<std::string, Caller>;

/// Every operator's.
Callers callers();

#endif
