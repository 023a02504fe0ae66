/// @file
/// Calls of operators on arrays, by which the generated functions are made.
#ifndef MXR_CALL_HPP
#define MXR_CALL_HPP

#include "attrs.hpp"
#include "array.hpp"

namespace mxr {

/// The results of a call that may have several.
class Outputs : public std::vector<NDArray> {
public:
    using std::vector<NDArray>::vector;
    /// The result, of which there must be one.
    operator NDArray() const {
        if (size() != 1) {
            detail::refuse(MXR_ERROR_INVALID_VALUE, "", "outputs",
                           "expected one array, got " + std::to_string(size()));
        }
        return front();
    }
};

/// Where the results of a call go: nowhere yet, or to arrays that there are.
class Into {
public:
    Into() = default;
    Into(const NDArray &array) : one_(array.get()), size_(1) {}
    Into(const std::vector<NDArray> &arrays) : many_(arrays.data()), size_(arrays.size()) {}
    std::size_t size() const noexcept { return size_; }
    mxr_array_t *get(std::size_t i) const { return many_ ? many_[i].get() : one_; }

private:
    mxr_array_t *one_ = nullptr;
    const NDArray *many_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

/// An array of a call: the name of its parameter, and whether it may lack.
struct Input {
    const char *name;
    const NDArray &array;
    bool optional = false;
};

/// Arrays without those that lack. An empty one that must not lack is refused.
class Inputs {
public:
    Inputs(const Op &op, std::initializer_list<Input> inputs) {
        if (inputs.size() > room.size()) many_.reserve(inputs.size());
        for (const Input &input : inputs) {
            if (input.array) push(input.array.get(), inputs.size());
            else if (!input.optional) refuse(MXR_ERROR_INVALID_VALUE, op.name(), input.name, kEmpty);
        }
    }
    Inputs(const Op &op, const char *name, std::initializer_list<Input> first, const std::vector<NDArray> &rest)
        : Inputs(op, first) {
        const std::size_t n = first.size() + rest.size();
        if (many_.empty()) many_.assign(room.begin(), room.begin() + size_);
        many_.reserve(n);
        for (const NDArray &array : rest) {
            if (!array) refuse(MXR_ERROR_INVALID_VALUE, op.name(), name, kEmpty);
            many_.push_back(array.get());
            size_++;
        }
    }
    mxr_array_t *const *data() const noexcept { return many_.empty() ? room.data() : many_.data(); }
    int32_t size() const noexcept { return size_; }

private:
    static constexpr const char *kEmpty = "expected an array, got an empty one";
    void push(mxr_array_t *array, std::size_t most) {
        if (most > room.size()) many_.push_back(array);
        else room[static_cast<std::size_t>(size_)] = array;
        size_++;
    }
    std::array<mxr_array_t *, 8> room{};
    std::vector<mxr_array_t *> many_;
    int32_t size_ = 0;
};

/// The result of a call that has one.
template <std::size_t N>
NDArray one(const Op &op, const Inputs &inputs, const Values<N> &values, const Into &into = {}) {
    mxr_array_t *out = into.size() > 0 ? into.get(0) : nullptr;
    const bool given = out != nullptr;
    int32_t num_outputs = 1;
    const mxr_call_t call = current_call();
    check(mxr_op_invoke(op.get(), inputs.data(), inputs.size(), values.data(), values.size(), &out, &num_outputs,
                        nullptr, &call));
    return NDArray(given ? mxr_array_retain(out) : out);
}

/// All results of a call.
template <class Attrs>
Outputs all(const Op &op, const Inputs &inputs, const Attrs &values, const Into &into = {}) {
    int32_t n = 0;
    check(mxr_op_num_outputs(op.get(), values.data(), values.size(), &n));
    std::vector<mxr_array_t *> outs(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < outs.size() && i < into.size(); i++) outs[i] = into.get(i);
    const mxr_call_t call = current_call();
    const std::vector<mxr_array_t *> given = outs;
    check(mxr_op_invoke(op.get(), inputs.data(), inputs.size(), values.data(), values.size(), outs.data(), &n,
                        nullptr, &call));
    Outputs results;
    for (std::size_t i = 0; i < outs.size(); i++) {
        results.push_back(NDArray(given[i] ? mxr_array_retain(outs[i]) : outs[i]));
    }
    return results;
}

} // namespace detail
} // namespace mxr

#endif
