/* libmxr's functions, found at run time: `abi.array_free(…)` is `mxr_array_free(…)`. */
#ifndef R_MXR_LIBRARY_H
#define R_MXR_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include "abi_functions.h"
#include "mxr.h"

#define MXR_FIELD(name) __typeof__(mxr_##name) *name;
typedef struct {
  MXR_FUNCTIONS(MXR_FIELD)
} abi_t;

extern abi_t abi;

/* The file that libmxr was loaded from. */
const char *library_file(void);

#endif
