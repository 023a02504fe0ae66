/// @file
/// The vocabulary: dtypes, shapes, devices, and the values of attributes.
#ifndef MXR_BASE_HPP
#define MXR_BASE_HPP

#include "error.hpp"
#include <initializer_list>
#include <ostream>
#include <type_traits>
#include <vector>

namespace mxr {

/// The type of an array's elements.
enum class DType : int32_t {
    kFloat32 = MXR_FLOAT32,
    kFloat64 = MXR_FLOAT64,
    kFloat16 = MXR_FLOAT16,
    kUint8 = MXR_UINT8,
    kInt32 = MXR_INT32,
    kInt8 = MXR_INT8,
    kInt64 = MXR_INT64,
    kBool = MXR_BOOL,
    kBfloat16 = MXR_BFLOAT16
};

/// The name of a dtype, as `float32`.
inline const char *name_of(DType dtype) {
    switch (dtype) {
    case DType::kFloat32: return "float32";
    case DType::kFloat64: return "float64";
    case DType::kFloat16: return "float16";
    case DType::kUint8: return "uint8";
    case DType::kInt32: return "int32";
    case DType::kInt8: return "int8";
    case DType::kInt64: return "int64";
    case DType::kBool: return "bool";
    case DType::kBfloat16: return "bfloat16";
    }
    return "unknown";
}

/// Bytes of an element.
inline std::size_t size_of(DType dtype) {
    switch (dtype) {
    case DType::kFloat64: case DType::kInt64: return 8;
    case DType::kFloat32: case DType::kInt32: return 4;
    case DType::kFloat16: case DType::kBfloat16: return 2;
    default: return 1;
    }
}

namespace detail {

template <class T> struct DTypeOf;
template <> struct DTypeOf<float> { static constexpr DType value = DType::kFloat32; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::kFloat64; };
template <> struct DTypeOf<uint8_t> { static constexpr DType value = DType::kUint8; };
template <> struct DTypeOf<int8_t> { static constexpr DType value = DType::kInt8; };
template <> struct DTypeOf<int32_t> { static constexpr DType value = DType::kInt32; };
template <> struct DTypeOf<int64_t> { static constexpr DType value = DType::kInt64; };
template <> struct DTypeOf<bool> { static constexpr DType value = DType::kBool; };

template <class T> using Bare = std::remove_cv_t<std::remove_reference_t<T>>;
template <class T> constexpr bool is_number = std::is_arithmetic_v<Bare<T>> && !std::is_same_v<Bare<T>, bool>;

} // namespace detail

/// The dtype of a C++ type of elements.
template <class T> constexpr DType dtype_of = detail::DTypeOf<T>::value;

/// Stands for no value, as Python's `None`.
struct None {};
/// No value.
inline constexpr None none{};

/// Sizes of axes, or numbers of axes: a list of integers. A number is a list of one.
class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
    Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {}
    template <class First, class... Rest,
              class = std::enable_if_t<(std::is_integral_v<First> && ... && std::is_integral_v<Rest>)>>
    Shape(First first, Rest... rest) : dims_{static_cast<int64_t>(first), static_cast<int64_t>(rest)...} {}

    std::size_t ndim() const noexcept { return dims_.size(); }
    std::size_t size() const noexcept { return dims_.size(); }
    int64_t operator[](std::size_t i) const { return dims_[i]; }
    int64_t &operator[](std::size_t i) { return dims_[i]; }
    const int64_t *data() const noexcept { return dims_.data(); }
    int64_t *data() noexcept { return dims_.data(); }
    auto begin() const noexcept { return dims_.begin(); }
    auto end() const noexcept { return dims_.end(); }
    /// The number of elements.
    int64_t Size() const {
        int64_t n = 1;
        for (int64_t d : dims_) n *= d;
        return n;
    }
    const std::vector<int64_t> &vector() const noexcept { return dims_; }
    friend bool operator==(const Shape &a, const Shape &b) { return a.dims_ == b.dims_; }
    friend bool operator!=(const Shape &a, const Shape &b) { return a.dims_ != b.dims_; }

private:
    std::vector<int64_t> dims_;
};

/// A list of integers of which some may be `none`.
class Ints {
public:
    /// An integer or `none`.
    struct Item {
        template <class I, class = std::enable_if_t<std::is_integral_v<I>>>
        Item(I i) : value(static_cast<int64_t>(i)) {}
        Item(None) : value(INT64_MIN) {}
        int64_t value; ///< INT64_MIN is `none`.
    };
    Ints() = default;
    Ints(std::initializer_list<Item> items) {
        for (const Item &item : items) items_.push_back(item.value);
    }
    Ints(const std::vector<int64_t> &items) : items_(items) {}
    Ints(const Shape &items) : items_(items.vector()) {}
    std::size_t size() const noexcept { return items_.size(); }
    const int64_t *data() const noexcept { return items_.data(); }
    auto begin() const noexcept { return items_.begin(); }
    auto end() const noexcept { return items_.end(); }

private:
    std::vector<int64_t> items_;
};

/// `(2, 3)`, as MXNet writes it.
template <class List, class = std::enable_if_t<std::is_same_v<List, Shape> || std::is_same_v<List, Ints>>>
std::ostream &operator<<(std::ostream &out, const List &list) {
    out << '(';
    const char *comma = "";
    for (int64_t i : list) {
        out << comma;
        if (i == INT64_MIN) out << "None";
        else out << i;
        comma = ", ";
    }
    return out << (list.size() == 1 ? ",)" : ")");
}

inline std::ostream &operator<<(std::ostream &out, DType dtype) { return out << name_of(dtype); }

/// A device.
class Context {
public:
    Context(int32_t kind = MXR_CPU, int32_t id = 0) : kind_(kind), id_(id) {}
    static Context cpu(int32_t id = 0) { return {MXR_CPU, id}; }
    static Context gpu(int32_t id = 0) { return {MXR_GPU, id}; }
    int32_t GetDeviceType() const noexcept { return kind_; }
    int32_t GetDeviceId() const noexcept { return id_; }
    /// `cpu(0)`, the form of operators' attribute `ctx`.
    std::string ToString() const { return (kind_ == MXR_GPU ? "gpu(" : "cpu(") + std::to_string(id_) + ")"; }
    friend bool operator==(const Context &a, const Context &b) { return a.kind_ == b.kind_ && a.id_ == b.id_; }
    friend bool operator!=(const Context &a, const Context &b) { return !(a == b); }

private:
    int32_t kind_, id_;
};

/// What to do with a result: MXNet's requests for gradients.
enum OpReqType : int32_t {
    kNullOp = MXR_REQUEST_NULL,
    kWriteTo = MXR_REQUEST_WRITE,
    kWriteInplace = MXR_REQUEST_IN_PLACE,
    kAddTo = MXR_REQUEST_ADD
};

/// Seeds the random numbers of all devices.
inline void RandomSeed(uint64_t seed) { detail::check(mxr_random_seed(seed, 0, 0)); }
/// Seeds the random numbers of one device.
inline void RandomSeed(uint64_t seed, const Context &context) {
    detail::check(mxr_random_seed(seed, context.GetDeviceType(), context.GetDeviceId()));
}
/// The library's version.
inline std::string Version() { return mxr_version(); }

} // namespace mxr

#endif
