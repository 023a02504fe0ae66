/* Optimizers with their states, learning-rate schedules, initializers. */
#include <string.h>

#include "mxr_r.h"

/* Makes what is registered: one function for each kind. */
typedef SEXP (*make_t)(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n);

static SEXP make_optimizer(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n) {
  mxr_lr_scheduler_t *scheduler = more == R_NilValue ? NULL : unwrap(LR_SCHEDULER, more, "lr_scheduler");
  mxr_optimizer_t *out = NULL;
  check(abi.optimizer_create(thing->name, attrs, n, scheduler, &out));
  return wrap(OPTIMIZER, out);
}

static SEXP make_lr_scheduler(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n) {
  (void)more;
  mxr_lr_scheduler_t *out = NULL;
  check(abi.lr_scheduler_create(thing->name, attrs, n, &out));
  return wrap(LR_SCHEDULER, out);
}

static SEXP make_initializer(const thing_t *thing, SEXP more, const mxr_attr_t *attrs, int32_t n) {
  (void)more;
  mxr_initializer_t *out = NULL;
  check(abi.initializer_create(thing->name, attrs, n, &out));
  return wrap(INITIALIZER, out);
}

static const struct {
  const char *kind;
  make_t make;
} MAKERS[] = {{"optimizers", make_optimizer},
              {"lr_schedulers", make_lr_scheduler},
              {"initializers", make_initializer},
              {"metrics", make_metric},
              {"data_iters", make_data_iter},
              {"callbacks", make_callback}};

/* .External(C_create, kind, name, more, attributes…, …) */
SEXP C_create(SEXP args) {
  args = CDR(args);
  const char *kind = c_string(CAR(args), "kind"), *name = c_string(CADR(args), "name");
  const thing_t *thing = thing_named(kind, name);
  for (size_t i = 0; thing && i < sizeof MAKERS / sizeof MAKERS[0]; i++) {
    if (strcmp(MAKERS[i].kind, kind) != 0) continue;
    int32_t n;
    const mxr_attr_t *attrs = read_attrs(thing, CDR(CDDR(args)), &n);
    return MAKERS[i].make(thing, CADDR(args), attrs, n);
  }
  refuse(MXR_ERROR_NOT_FOUND, name, NULL, "%s has no such thing", kind);
}

static mxr_optimizer_t *optimizer_of(SEXP object) { return unwrap(OPTIMIZER, object, "optimizer"); }

SEXP C_learning_rate(SEXP optimizer, SEXP lr) {
  double now = 0;
  if (lr != R_NilValue) check(abi.optimizer_set_learning_rate(optimizer_of(optimizer), Rf_asReal(lr)));
  check(abi.optimizer_learning_rate(optimizer_of(optimizer), &now));
  return Rf_ScalarReal(now);
}

SEXP C_optimizer_add_names(SEXP optimizer, SEXP names) {
  int32_t n;
  const char **texts = c_strings(names, &n);
  int64_t *indices = (int64_t *)R_alloc((size_t)n + 1, sizeof *indices);
  for (int32_t i = 0; i < n; i++) indices[i] = i;
  check(abi.optimizer_add_names(optimizer_of(optimizer), indices, texts, n));
  return R_NilValue;
}

/* Factors by name, of the learning rate or of the decay. */
SEXP C_optimizer_set_mults(SEXP optimizer, SEXP factors, SEXP decay) {
  SEXP numbers = PROTECT(Rf_coerceVector(factors, REALSXP));
  const int32_t n = (int32_t)XLENGTH(numbers);
  const char **names = names_of(factors, n, "factors");
  mxr_optimizer_t *of = optimizer_of(optimizer);
  check(Rf_asLogical(decay) == 1 ? abi.optimizer_set_wd_mults(of, NULL, names, REAL(numbers), n)
                                 : abi.optimizer_set_lr_mults(of, NULL, names, REAL(numbers), n));
  UNPROTECT(1);
  return R_NilValue;
}

SEXP C_num_update(SEXP optimizer) {
  int64_t n = 0;
  check(abi.optimizer_num_update(optimizer_of(optimizer), &n));
  return Rf_ScalarReal((double)n);
}

SEXP C_updater(SEXP optimizer) {
  mxr_updater_t *out = NULL;
  check(abi.updater_create(optimizer_of(optimizer), &out));
  return wrap(UPDATER, out);
}

/* Changes weights by their gradients, each its number's state; NULL gradients are passed over. */
SEXP C_update(SEXP updater, SEXP weights, SEXP grads) {
  int32_t n, m;
  mxr_array_t **to = arrays_of(weights, &n, "weights"), **by = arrays_of(grads, &m, "grads");
  if (n != m) refuse(MXR_ERROR_INVALID_VALUE, NULL, "grads", "expected %d arrays, got %d", n, m);
  for (int32_t i = 0; i < n; i++) {
    if (by[i] && to[i]) check(abi.updater_update(unwrap(UPDATER, updater, "updater"), i, by[i], to[i]));
  }
  return R_NilValue;
}

SEXP C_updater_to_raw(SEXP updater) {
  uint8_t *bytes = NULL;
  uint64_t len = 0;
  check(abi.updater_to_bytes(unwrap(UPDATER, updater, "updater"), &bytes, &len));
  return raw_of(bytes, len);
}

SEXP C_updater_from_raw(SEXP updater, SEXP bytes) {
  if (TYPEOF(bytes) != RAWSXP) refuse(MXR_ERROR_INVALID_TYPE, NULL, "states", "expected raw bytes");
  check(abi.updater_set_bytes(unwrap(UPDATER, updater, "updater"), RAW(bytes), (uint64_t)XLENGTH(bytes)));
  return R_NilValue;
}

SEXP C_lr_at(SEXP scheduler, SEXP num_update) {
  double lr = 0;
  check(abi.lr_scheduler_value(unwrap(LR_SCHEDULER, scheduler, "scheduler"), (int64_t)Rf_asReal(num_update), &lr));
  return Rf_ScalarReal(lr);
}

static mxr_initializer_t *initializer_of(SEXP object) { return unwrap(INITIALIZER, object, "initializer"); }

/* Fills an array: by the parameter's name, or whatever it is without one. */
SEXP C_initialize(SEXP initializer, SEXP name, SEXP own, SEXP array) {
  mxr_array_t *to = array_of(array, "array");
  if (name == R_NilValue) {
    check(abi.initializer_fill(initializer_of(initializer), to));
  } else {
    const char *text = own == R_NilValue ? NULL : c_string(own, "own");
    check(abi.initializer_apply(initializer_of(initializer), c_string(name, "name"), text, to));
  }
  return array;
}

SEXP C_role(SEXP name) {
  const char *role = abi.initializer_role(c_string(name, "name"));
  return role ? Rf_mkString(role) : R_NilValue;
}

SEXP C_initializer_parse(SEXP text) {
  mxr_initializer_t *out = NULL;
  check(abi.initializer_parse(c_string(text, "text"), &out));
  return wrap(INITIALIZER, out);
}
