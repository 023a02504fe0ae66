/* What is found by name: operators, and what else the library registers. The tables are generated. */
#ifndef R_MXR_REGISTRY_H
#define R_MXR_REGISTRY_H

#include "library.h"

/* How a value of R becomes an attribute. */
typedef enum {
  FORM_BOOL,
  FORM_INT,
  FORM_FLOAT,
  FORM_TEXT,          /* also an enumeration's value and a dtype */
  FORM_TEXTS,
  FORM_SHAPE,         /* sizes in the order of R's dimensions */
  FORM_OPTIONAL_INTS, /* the same, where NA is an element that is absent */
  FORM_INTS,          /* whole numbers that are no sizes */
  FORM_FLOATS
} form_t;

typedef struct {
  const char *name;
  uint32_t id;
  form_t form;
} attribute_t;

/* A name with its attributes. */
typedef struct {
  const char *name;
  const attribute_t *attrs;
  int num_attrs;
} thing_t;

typedef struct {
  thing_t thing;
  const char *hint; /* what a symbol without a name is named after */
  uint32_t breaking, revision;
  const char *const *inputs;
  int num_inputs;
  unsigned char variadic; /* any number of further inputs */
  unsigned char many;     /* calls may have several outputs */
  const mxr_op_t *handle; /* NULL before the first call */
} op_t;

typedef struct {
  const char *name;
  const thing_t *things;
  int num_things;
} kind_table_t;

extern op_t operators[];
extern const int num_operators;
extern const kind_table_t kinds[];
extern const int num_kinds;

/* The library's operator, whose version is checked when it is first asked for. */
const mxr_op_t *op_handle(op_t *op);

/* The operator of this name. */
op_t *op_named(const char *name);
/* What a kind has under this name. */
const thing_t *thing_named(const char *kind, const char *name);

#endif
