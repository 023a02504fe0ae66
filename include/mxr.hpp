/// @file
/// The C++ binding of mxr: arrays, autograd, symbols, executors and what trains them, over the C ABI of mxr.h.
///
/// Header-only, C++17, no dependency but libmxr. Names and meanings are those of MXNet's cpp-package. The operators
/// are in mxr_ops.hpp. Objects are references: a copy is the same array, symbol or optimizer. Failures are thrown as
/// mxr::Error. Any thread may use any object that no other thread assigns to.
#ifndef MXR_HPP
#define MXR_HPP

#include "mxr/autograd.hpp"
#include "mxr/control.hpp"
#include "mxr/data_iter.hpp"
#include "mxr/executor.hpp"
#include "mxr/function.hpp"
#include "mxr/kvstore.hpp"
#include "mxr/metric.hpp"
#include "mxr/model.hpp"
#include "mxr/module.hpp"
#include "mxr/ndarray.hpp"
#include "mxr/operator.hpp"
#include "mxr/optimizer.hpp"
#include "mxr/predictor.hpp"
#include "mxr/symbol.hpp"
#include "mxr/training.hpp"

#endif
