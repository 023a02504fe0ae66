/* What is found by name: operators, and what else is registered. */
#include <string.h>

#include "mxr_r.h"

const mxr_op_t *op_handle(op_t *op) {
  if (op->handle) return op->handle;
  const mxr_op_t *handle = NULL;
  uint32_t breaking = 0, revision = 0;
  check(abi.op_find(op->thing.name, &handle));
  check(abi.op_version(handle, &breaking, &revision));
  if (breaking != op->breaking || revision < op->revision) {
    refuse(MXR_ERROR_VERSION, op->thing.name, NULL, "this mxr knows version %u.%u, and %s has %u.%u", op->breaking,
           op->revision, library_file(), breaking, revision);
  }
  return op->handle = handle;
}

op_t *op_named(const char *name) {
  for (int i = 0; i < num_operators; i++) {
    if (strcmp(operators[i].thing.name, name) == 0) return &operators[i];
  }
  refuse(MXR_ERROR_NOT_FOUND, name, NULL, "there is no such operator");
}

/* Operators by the addresses of their names: R keeps each text once. Twice as many places as there are operators. */
static struct {
  SEXP name;
  op_t *op;
} *places;
static size_t num_places;

static size_t place_of(SEXP name) {
  size_t at = ((uintptr_t)name >> 4) % num_places;
  while (places[at].name && places[at].name != name) at = (at + 1) % num_places;
  return at;
}

static void fill_places(void) {
  num_places = 2 * (size_t)num_operators + 1;
  places = R_Calloc(num_places, __typeof__(*places));
  for (int i = 0; i < num_operators; i++) {
    SEXP name = Rf_mkChar(operators[i].thing.name);
    R_PreserveObject(name);
    const size_t at = place_of(name);
    places[at].name = name;
    places[at].op = &operators[i];
  }
}

op_t *op_of(SEXP name) {
  if (!places) fill_places();
  op_t *op = places[place_of(STRING_ELT(name, 0))].op;
  return op ? op : op_named(CHAR(STRING_ELT(name, 0)));
}

const thing_t *thing_named(const char *kind, const char *name) {
  for (int k = 0; k < num_kinds; k++) {
    if (strcmp(kinds[k].name, kind) != 0) continue;
    for (int i = 0; i < kinds[k].num_things; i++) {
      if (strcmp(kinds[k].things[i].name, name) == 0) return &kinds[k].things[i];
    }
  }
  return NULL;
}
