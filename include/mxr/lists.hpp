/// @file
/// Lists of arrays, and bytes, as the library takes and gives them.
#ifndef MXR_LISTS_HPP
#define MXR_LISTS_HPP

#include "ndarray.hpp"

namespace mxr {

/// Arrays with their names, in their order.
using NamedArrays = std::vector<std::pair<std::string, NDArray>>;

namespace detail {

/// The handles of arrays, borrowed.
inline std::vector<mxr_array_t *> handles(const std::vector<NDArray> &arrays) {
    std::vector<mxr_array_t *> out;
    out.reserve(arrays.size());
    for (const NDArray &array : arrays) out.push_back(array.get());
    return out;
}

/// Names and handles of arrays, borrowed from the list.
struct NamedHandles {
    explicit NamedHandles(const NamedArrays &arrays) {
        for (const auto &[name, array] : arrays) {
            names.push_back(name.c_str());
            handles.push_back(array.get());
        }
    }
    int32_t size() const noexcept { return static_cast<int32_t>(handles.size()); }

    std::vector<const char *> names;
    std::vector<mxr_array_t *> handles;
};

/// The bytes that a call of the library gives.
template <class Call> std::vector<uint8_t> bytes(const Call &call) {
    uint8_t *raw = nullptr;
    uint64_t len = 0;
    check(call(&raw, &len));
    std::vector<uint8_t> out(raw, raw + len);
    mxr_bytes_free(raw, len);
    return out;
}

/// The number of elements, as the library takes it.
template <class T> int32_t count(const std::vector<T> &list) { return static_cast<int32_t>(list.size()); }

} // namespace detail
} // namespace mxr

#endif
