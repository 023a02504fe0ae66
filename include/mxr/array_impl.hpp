/// @file
/// What arrays do that is no operator. Included by ndarray.hpp.
#ifndef MXR_ARRAY_IMPL_HPP
#define MXR_ARRAY_IMPL_HPP

#include "array.hpp"
#include <sstream>

namespace mxr {

inline NDArray::NDArray(const Shape &shape, const Context &context, DType dtype) {
    detail::ready();
    mxr_array_t *raw = nullptr;
    detail::check(mxr_array_empty(shape.data(), static_cast<int32_t>(shape.ndim()), static_cast<int32_t>(dtype),
                                  context.GetDeviceType(), context.GetDeviceId(), &raw));
    handle_ = handle_type(raw);
}

inline NDArray NDArray::FromBytes(const void *data, std::size_t bytes, const Shape &shape, DType dtype,
                                  const Context &context) {
    detail::ready();
    mxr_array_t *raw = nullptr;
    detail::check(mxr_array_from_data(shape.data(), static_cast<int32_t>(shape.ndim()),
                                      static_cast<int32_t>(dtype), context.GetDeviceType(), context.GetDeviceId(),
                                      data, bytes, &raw));
    return NDArray(raw);
}

template <class T> NDArray NDArray::Adopt(std::vector<T> data, const Shape &shape) {
    detail::ready();
    if (static_cast<int64_t>(data.size()) != shape.Size()) {
        detail::refuse(MXR_ERROR_SHAPE, "", "data",
                       "expected " + std::to_string(shape.Size()) + " elements, got " +
                           std::to_string(data.size()));
    }
    auto kept = std::make_unique<std::vector<T>>(std::move(data));
    const mxr_drop_fn drop = [](void *payload) { delete static_cast<std::vector<T> *>(payload); };
    mxr_array_t *raw = nullptr;
    detail::check(mxr_array_from_foreign(kept->data(), shape.data(), static_cast<int32_t>(shape.ndim()),
                                         static_cast<int32_t>(dtype_of<T>), drop, kept.get(), &raw));
    kept.release();
    // What other threads gave back before waits for a thread of the caller's.
    mxr_events_poll();
    return NDArray(raw);
}

inline std::vector<int64_t> NDArray::GetShape() const {
    std::vector<int64_t> dims(8);
    int32_t ndim = 0;
    detail::check(mxr_array_shape(get(), dims.data(), static_cast<int32_t>(dims.size()), &ndim));
    const bool all = static_cast<std::size_t>(ndim) <= dims.size();
    dims.resize(static_cast<std::size_t>(ndim));
    if (!all) detail::check(mxr_array_shape(get(), dims.data(), ndim, &ndim));
    return dims;
}

inline Context NDArray::GetContext() const {
    int32_t kind = 0, id = 0;
    detail::check(mxr_array_device(get(), &kind, &id));
    return {kind, id};
}

template <class T> std::vector<T> NDArray::ToVector() const {
    const std::size_t n = typed<T>(Size());
    if constexpr (std::is_same_v<T, bool>) {
        std::unique_ptr<bool[]> bytes(new bool[n]);
        detail::check(mxr_array_copy_to(get(), bytes.get(), n));
        return std::vector<bool>(bytes.get(), bytes.get() + n);
    } else {
        std::vector<T> out(n);
        detail::check(mxr_array_copy_to(get(), out.data(), n * sizeof(T)));
        return out;
    }
}

template <class T> T NDArray::Scalar() const {
    const std::vector<T> all = ToVector<T>();
    if (all.size() != 1) {
        detail::refuse(MXR_ERROR_SHAPE, "", "array", "expected one element, got " + std::to_string(all.size()));
    }
    return all[0];
}

template <class... I, class> float NDArray::At(I... index) const {
    NDArray at = *this;
    for (int64_t i : std::initializer_list<int64_t>{static_cast<int64_t>(index)...}) at = at.Detach()[i];
    return at.Scalar<float>();
}

inline NDArray NDArray::Slice(int64_t begin, int64_t end) const {
    const mxr_call_t call = detail::current_call();
    mxr_array_t *out = nullptr;
    detail::check(mxr_array_slice(get(), begin, end, &call, &out));
    return NDArray(out);
}

inline NDArray NDArray::operator[](int64_t index) const {
    const mxr_call_t call = detail::current_call();
    mxr_array_t *out = nullptr;
    detail::check(mxr_array_at(get(), index, &call, &out));
    return NDArray(out);
}

inline NDArray NDArray::Reshape(const Shape &shape) const {
    const mxr_call_t call = detail::current_call();
    mxr_array_t *out = nullptr;
    detail::check(mxr_array_reshape(get(), shape.data(), static_cast<int32_t>(shape.ndim()), &call, &out));
    return NDArray(out);
}

inline NDArray NDArray::Copy(const Context &context) const {
    NDArray out(GetShape(), context, GetDType());
    CopyTo(&out);
    return out;
}

inline void NDArray::AttachGrad(OpReqType request) {
    NDArray zeros(GetShape(), GetContext(), GetDType());
    zeros = 0.0;
    mxr_array_t *variable = get(), *gradient = zeros.get();
    const int32_t requests = request;
    detail::check(mxr_autograd_mark(&variable, &gradient, &requests, 1));
}

inline NDArray NDArray::Grad() const {
    mxr_array_t *out = nullptr;
    detail::check(mxr_array_grad(get(), &out));
    return NDArray(out);
}

inline NDArray NDArray::Detach() const {
    mxr_array_t *out = nullptr;
    detail::check(mxr_array_detach(get(), &out));
    return NDArray(out);
}

inline void NDArray::Backward(const NDArray &head, bool retain_graph, bool training) const {
    mxr_array_t *output = get(), *weight = head.get();
    const uint32_t flags =
        (retain_graph ? MXR_BACKWARD_RETAIN_GRAPH : 0u) | (training ? MXR_BACKWARD_TRAINING : 0u);
    detail::check(mxr_autograd_backward(&output, weight ? &weight : nullptr, 1, flags));
}

inline DLPackTensor NDArray::ToDLPack() const {
    DLManagedTensor *tensor = nullptr;
    detail::check(mxr_array_to_dlpack(get(), &tensor));
    return DLPackTensor(tensor);
}

inline NDArray NDArray::FromDLPack(DLPackTensor tensor) {
    detail::ready();
    mxr_array_t *out = nullptr;
    detail::check(mxr_array_from_dlpack(tensor.get(), &out));
    tensor.release();
    mxr_events_poll();
    return NDArray(out);
}

inline void NDArray::Save(const std::string &path, const std::map<std::string, NDArray> &arrays) {
    detail::ready();
    std::vector<const char *> names;
    std::vector<mxr_array_t *> raw;
    for (const auto &[name, array] : arrays) {
        names.push_back(name.c_str());
        raw.push_back(array.get());
    }
    detail::check(mxr_list_save(path.c_str(), names.data(), raw.data(), static_cast<int32_t>(raw.size())));
}

inline void NDArray::Save(const std::string &path, const std::vector<NDArray> &arrays) {
    detail::ready();
    std::vector<mxr_array_t *> raw;
    for (const NDArray &array : arrays) raw.push_back(array.get());
    detail::check(mxr_list_save(path.c_str(), nullptr, raw.data(), static_cast<int32_t>(raw.size())));
}

inline std::vector<std::pair<std::string, NDArray>> NDArray::LoadPairs(const std::string &path) {
    detail::ready();
    mxr_list_t *raw = nullptr;
    detail::check(mxr_list_load(path.c_str(), &raw));
    return TakePairs(raw);
}

inline std::vector<std::pair<std::string, NDArray>> NDArray::TakePairs(mxr_list_t *raw) {
    const std::unique_ptr<mxr_list_t, decltype(&mxr_list_free)> list(raw, mxr_list_free);
    std::vector<std::pair<std::string, NDArray>> out;
    for (int64_t i = 0, n = mxr_list_len(list.get()); i < n; i++) {
        const char *name = mxr_list_name(list.get(), i);
        mxr_array_t *array = nullptr;
        detail::check(mxr_list_array(list.get(), i, &array));
        out.emplace_back(name ? name : "", NDArray(array));
    }
    return out;
}

inline std::map<std::string, NDArray> NDArray::LoadToMap(const std::string &path) {
    std::map<std::string, NDArray> out;
    for (auto &[name, array] : LoadPairs(path)) out.insert_or_assign(name, array);
    return out;
}

inline std::vector<NDArray> NDArray::LoadList(const std::string &path) {
    std::vector<NDArray> out;
    for (auto &pair : LoadPairs(path)) out.push_back(pair.second);
    return out;
}

namespace detail {

template <class T>
void print_elements(std::ostream &out, const std::vector<T> &data, const std::vector<int64_t> &dims,
                    std::size_t axis, std::size_t &at) {
    if (axis == dims.size()) {
        if constexpr (sizeof(T) == 1) out << static_cast<int>(data[at++]);
        else out << data[at++];
        return;
    }
    out << '[';
    for (int64_t i = 0; i < dims[axis]; i++) {
        if (i > 0) out << (axis + 1 == dims.size() ? ", " : ",\n" + std::string(axis + 1, ' '));
        print_elements(out, data, dims, axis + 1, at);
    }
    out << ']';
}

} // namespace detail

/// Waits, and writes elements, shape, dtype and device.
inline std::ostream &operator<<(std::ostream &out, const NDArray &array) {
    if (!array) return out << "<no array>";
    const auto dims = array.GetShape();
    std::size_t at = 0;
    switch (array.GetDType()) {
    case DType::kFloat64: detail::print_elements(out, array.ToVector<double>(), dims, 0, at); break;
    case DType::kInt64: detail::print_elements(out, array.ToVector<int64_t>(), dims, 0, at); break;
    case DType::kInt32: detail::print_elements(out, array.ToVector<int32_t>(), dims, 0, at); break;
    case DType::kInt8: detail::print_elements(out, array.ToVector<int8_t>(), dims, 0, at); break;
    case DType::kUint8: detail::print_elements(out, array.ToVector<uint8_t>(), dims, 0, at); break;
    case DType::kBool: detail::print_elements(out, array.ToVector<bool>(), dims, 0, at); break;
    case DType::kFloat32: detail::print_elements(out, array.ToVector<float>(), dims, 0, at); break;
    default: detail::print_elements(out, array.AsType(DType::kFloat32).ToVector<float>(), dims, 0, at); break;
    }
    return out << "\n<NDArray " << Shape(dims) << ' ' << array.GetDType() << " @"
               << array.GetContext().ToString() << '>';
}

} // namespace mxr

#endif
