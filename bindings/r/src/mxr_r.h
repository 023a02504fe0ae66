/* What the C files of the package share: errors, handles, values, calls of the library. */
#ifndef R_MXR_H
#define R_MXR_H

#define R_NO_REMAP
#define STRICT_R_HEADERS
#include <R.h>
#include <Rinternals.h>

#include "registry.h"

/* error.c: failures as conditions. */

/* Raises the condition of an error, which it frees; nothing for NULL. */
void check(mxr_error_t *error);
/* Raises a condition of the package's own. Operator and argument may be NULL. */
void refuse(int32_t code, const char *operator_name, const char *argument, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
/* Calls a function of R, and gives an error for the library if it fails. The condition is raised again when the
 * library hands the error back. */
mxr_error_t *call_guarded(SEXP function, SEXP arguments, SEXP *result);

/* handle.c: what the library owns, as external pointers with classes. */

typedef enum {
  ARRAY,
  SYMBOL,
  EXECUTOR,
  CACHED_OP,
  PLAN,
  OPTIMIZER,
  UPDATER,
  LR_SCHEDULER,
  INITIALIZER,
  MODEL,
  METRIC,
  DATA_ITER,
  KVSTORE,
  CALLBACK,
  MODULE,
  NUM_CLASSES
} class_t;

/* An object that owns a handle. */
SEXP wrap(class_t class, void *handle);
/* The handle of an object, borrowed; a condition that names the argument if it is of another class or closed. */
void *unwrap(class_t class, SEXP object, const char *argument);
/* Whether an object is of a class, closed or not. */
int is_a(class_t class, SEXP object);
static inline SEXP wrap_array(mxr_array_t *array) { return wrap(ARRAY, array); }
static inline mxr_array_t *array_of(SEXP object, const char *argument) {
  return (mxr_array_t *)unwrap(ARRAY, object, argument);
}
static inline mxr_symbol_t *symbol_of(SEXP object, const char *argument) {
  return (mxr_symbol_t *)unwrap(SYMBOL, object, argument);
}

/* scope.c: the circumstances of calls. */

typedef struct {
  uint32_t flags;
  int32_t device_kind, device_id;
} circumstances_t;

extern circumstances_t circumstances;
mxr_call_t current_call(void);
/* The device of an MXContext, or the current one for NULL. */
void device_of(SEXP context, int32_t *kind, int32_t *id);

/* keep.c: objects of R that the library holds. */

void keep_init(void);
/* What to hand to the library, with `let_go` to drop it: a cell whose CAR is the object. */
SEXP keep_alive(SEXP object);
void let_go(void *payload);

/* wait.c: waits that an interrupt ends. */

void wait_to_read(mxr_array_t *array);
void wait_to_write(mxr_array_t *array);

/* convert.c: values of R and elements of arrays. */

int32_t dtype_code(const char *name, const char *argument);
const char *dtype_name(int32_t code);
/* Sizes in the library's order. Transient memory of R. */
int64_t *shape_of_dims(SEXP dims, int32_t *ndim, const char *argument);
SEXP dims_of_shape(const int64_t *shape, int32_t ndim);
/* The shape of an array, in transient memory of R. */
int64_t *array_shape(mxr_array_t *array, int32_t *ndim);

/* attrs.c: attributes of operators and what else is registered. */

/* Reads a value into `attr`; 0 if it is NULL, which means that it is not given. `owner` is for errors. */
int read_attr(const char *owner, const attribute_t *attribute, SEXP value, mxr_attr_t *attr);
/* The attribute of this name, in which dots may stand for underscores; NULL if there is none. */
const attribute_t *find_attr(const thing_t *thing, const char *name);
int same_name(const char *r, const char *c);
/* An attribute as MXNet's model files have it. Transient memory of R. */
const char *attr_text(const mxr_attr_t *attr);
/* Reads a pairlist of values: the attributes in order, then others by name. `*n` becomes their number. */
mxr_attr_t *read_attrs(const thing_t *thing, SEXP values, int32_t *n);
/* The same, all by name. */
mxr_attr_t *read_named_attrs(const thing_t *thing, SEXP values, int32_t *n);

/* registry.c: what is found by name. */

/* The operator that a constant of generated code names, found by the constant's address. */
op_t *op_of(SEXP name);

/* invoke.c: calls of operators. */

/* Calls an operator with one output. `out` may be NULL: a new array. */
mxr_array_t *invoke_one(op_t *op, mxr_array_t **inputs, int32_t num_inputs, const mxr_attr_t *attrs,
                        int32_t num_attrs, mxr_array_t *out);
/* `array` with another dtype, new; or written to `out`. */
mxr_array_t *cast(mxr_array_t *array, int32_t dtype, mxr_array_t *out);

/* fit.c: makes metrics, data iterators and callbacks. */
SEXP make_metric(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n);
SEXP make_data_iter(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n);
SEXP make_callback(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n);

/* lists.c: lists of R and of the library. */

SEXP strings_of(mxr_texts_t *texts); /* frees the texts */
SEXP string_of(char *text);          /* frees the text; NULL gives NULL */
/* Texts as the library takes them, in transient memory of R; `*n` becomes their number. */
const char **c_strings(SEXP texts, int32_t *n);
/* The names of a list, and its elements. */
const char **names_of(SEXP list, int32_t n, const char *argument);
mxr_array_t **arrays_of(SEXP list, int32_t *n, const char *argument);
const char *c_string(SEXP text, const char *argument);
/* A list of the library as a list of R, which it frees. */
SEXP list_of(mxr_list_t *list);
/* Bytes of the library, which it frees, as a raw vector. */
SEXP raw_of(uint8_t *bytes, uint64_t len);

#endif
