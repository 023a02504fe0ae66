/// @file
/// DLPack tensors with an owner.
#ifndef MXR_DLPACK_OWNER_HPP
#define MXR_DLPACK_OWNER_HPP

#include "../dlpack.h"
#include <memory>

namespace mxr {

/// Gives a tensor back by its own deleter.
struct DLPackDeleter {
    void operator()(DLManagedTensor *tensor) const {
        if (tensor->deleter) tensor->deleter(tensor);
    }
};

/// A DLPack tensor; `release()` gives it to whoever takes DLPack tensors.
using DLPackTensor = std::unique_ptr<DLManagedTensor, DLPackDeleter>;

} // namespace mxr

#endif
