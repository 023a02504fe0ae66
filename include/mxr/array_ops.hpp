/// @file
/// C++'s operators on arrays. Included by ndarray.hpp.
#ifndef MXR_ARRAY_OPS_HPP
#define MXR_ARRAY_OPS_HPP

#include "call.hpp"

namespace mxr {
namespace detail {

/// The ids of attributes, which the schema never changes.
inline constexpr uint32_t kScalar = 1, kFullShape = 1, kFullDType = 3, kFullValue = 4, kCastDType = 1;

inline NDArray binary(const Op &op, const NDArray &lhs, const NDArray &rhs, const Into &into = {}) {
    return one(op, Inputs(op, {{"lhs", lhs}, {"rhs", rhs}}), Values<0>(), into);
}

inline NDArray with_scalar(const Op &op, const NDArray &array, double scalar, const Into &into = {}) {
    Values<1> values;
    values.add(kScalar, "scalar", scalar);
    return one(op, Inputs(op, {{"data", array}}), values, into);
}

} // namespace detail

// An operator of two arrays, and of an array and a number on either side.
#define MXR_BINARY(symbol, arrays, scalar, reflected)                                                 \
    inline NDArray operator symbol(const NDArray &lhs, const NDArray &rhs) {                          \
        static const detail::Op op(arrays, 1, 0);                                                     \
        return detail::binary(op, lhs, rhs);                                                          \
    }                                                                                                 \
    inline NDArray operator symbol(const NDArray &lhs, double rhs) {                                  \
        static const detail::Op op(scalar, 1, 0);                                                     \
        return detail::with_scalar(op, lhs, rhs);                                                     \
    }                                                                                                 \
    inline NDArray operator symbol(double lhs, const NDArray &rhs) {                                  \
        static const detail::Op op(reflected, 1, 0);                                                  \
        return detail::with_scalar(op, rhs, lhs);                                                     \
    }

MXR_BINARY(+, "broadcast_add", "_plus_scalar", "_plus_scalar")
MXR_BINARY(-, "broadcast_sub", "_minus_scalar", "_rminus_scalar")
MXR_BINARY(*, "broadcast_mul", "_mul_scalar", "_mul_scalar")
MXR_BINARY(/, "broadcast_div", "_div_scalar", "_rdiv_scalar")
MXR_BINARY(%, "broadcast_mod", "_mod_scalar", "_rmod_scalar")
// Comparisons go element by element and give ones and zeros.
MXR_BINARY(==, "broadcast_equal", "_equal_scalar", "_equal_scalar")
MXR_BINARY(!=, "broadcast_not_equal", "_not_equal_scalar", "_not_equal_scalar")
MXR_BINARY(>, "broadcast_greater", "_greater_scalar", "_lesser_scalar")
MXR_BINARY(>=, "broadcast_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar")
MXR_BINARY(<, "broadcast_lesser", "_lesser_scalar", "_greater_scalar")
MXR_BINARY(<=, "broadcast_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar")
#undef MXR_BINARY

inline NDArray operator-(const NDArray &array) {
    static const detail::Op op("negative", 1, 0);
    return detail::one(op, detail::Inputs(op, {{"data", array}}), detail::Values<0>());
}

// The result goes into the array itself, which all its copies share.
#define MXR_COMPOUND(symbol, arrays, scalar)                                                          \
    inline NDArray &NDArray::operator symbol(const NDArray & other) {                                 \
        static const detail::Op op(arrays, 1, 0);                                                     \
        detail::binary(op, *this, other, *this);                                                      \
        return *this;                                                                                 \
    }                                                                                                 \
    inline NDArray &NDArray::operator symbol(double value) {                                          \
        static const detail::Op op(scalar, 1, 0);                                                     \
        detail::with_scalar(op, *this, value, *this);                                                 \
        return *this;                                                                                 \
    }

MXR_COMPOUND(+=, "broadcast_add", "_plus_scalar")
MXR_COMPOUND(-=, "broadcast_sub", "_minus_scalar")
MXR_COMPOUND(*=, "broadcast_mul", "_mul_scalar")
MXR_COMPOUND(/=, "broadcast_div", "_div_scalar")
#undef MXR_COMPOUND

inline NDArray &NDArray::operator=(double value) {
    static const detail::Op op("_full", 1, 0);
    const Shape shape = GetShape();
    detail::Values<3> values;
    values.add(detail::kFullShape, "shape", shape);
    values.add(detail::kFullDType, "dtype", GetDType());
    values.add(detail::kFullValue, "value", value);
    detail::one(op, detail::Inputs(op, {}), values, *this);
    return *this;
}

inline NDArray NDArray::Copy() const {
    static const detail::Op op("_copy", 1, 0);
    return detail::one(op, detail::Inputs(op, {{"data", *this}}), detail::Values<0>());
}

inline NDArray NDArray::AsType(DType dtype) const {
    static const detail::Op op("Cast", 1, 0);
    detail::Values<1> values;
    values.add(detail::kCastDType, "dtype", dtype);
    return detail::one(op, detail::Inputs(op, {{"data", *this}}), values);
}

inline NDArray NDArray::ArgmaxChannel() const {
    static const detail::Op op("argmax_channel", 1, 0);
    return detail::one(op, detail::Inputs(op, {{"data", *this}}), detail::Values<0>());
}

} // namespace mxr

#endif
