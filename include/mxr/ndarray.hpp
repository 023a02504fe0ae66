/// @file
/// Arrays, and calls of operators on them.
#ifndef MXR_NDARRAY_HPP
#define MXR_NDARRAY_HPP

#include "array.hpp"
#include "array_impl.hpp"
#include "array_ops.hpp"
#include "call.hpp"

#endif
