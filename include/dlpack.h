/* The types of DLPack 0.8 that mxr exchanges tensors with (https://dmlc.github.io/dlpack). A program that has the
 * original dlpack.h includes it first; the guard is the same. */
#ifndef DLPACK_DLPACK_H_
#define DLPACK_DLPACK_H_

#include <stdint.h>

/** A device: 1 is main memory. */
typedef struct {
  int32_t device_type;
  int32_t device_id;
} DLDevice;

/** A dtype. Codes: 0 signed integer, 1 unsigned integer, 2 float, 4 bfloat, 6 bool. */
typedef struct {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} DLDataType;

/** A tensor over somebody's memory. */
typedef struct {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  /** Distances in elements; NULL for row-major. */
  int64_t *strides;
  uint64_t byte_offset;
} DLTensor;

/** A tensor with its owner, who takes it back through `deleter`. */
typedef struct DLManagedTensor {
  DLTensor dl_tensor;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensor *self);
} DLManagedTensor;

#endif /* DLPACK_DLPACK_H_ */
