/* Symbols: composed, listed, inferred, read and written. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mxr_r.h"

/* Numbers symbols without a name by what made them: `exp0`, `exp1`. The counts are kept in an environment of R. */
static SEXP counts;

SEXP C_name_counts(SEXP environment) {
  if (!counts) R_PreserveObject(counts = environment);
  return R_NilValue;
}

static const char *auto_name(const char *hint) {
  SEXP key = Rf_install(hint), found = Rf_findVarInFrame(counts, key);
  const int next = found == R_UnboundValue ? 0 : Rf_asInteger(found);
  Rf_defineVar(key, PROTECT(Rf_ScalarInteger(next + 1)), counts);
  UNPROTECT(1);
  const size_t room = strlen(hint) + 16;
  char *name = R_alloc(room, 1);
  snprintf(name, room, "%s%d", hint, next);
  return name;
}

static const char *name_or(SEXP name, const char *hint) {
  return name == R_NilValue ? auto_name(hint) : c_string(name, "name");
}

/* The attributes of users that symbols have which are made now: texts with names. */
static SEXP scope_attrs;

SEXP C_set_attrs(SEXP attrs) {
  SEXP before = scope_attrs ? scope_attrs : R_NilValue;
  R_PreserveObject(attrs);
  scope_attrs = attrs;
  if (before != R_NilValue) R_ReleaseObject(before);
  return before;
}

/* Adds the attributes of the scope, but for keys that are there; `*n` counts them. */
static void add_scope_attrs(const char **keys, const char **values, int32_t *n) {
  if (!scope_attrs || scope_attrs == R_NilValue) return;
  int32_t m;
  const int32_t given = *n;
  const char **texts = c_strings(scope_attrs, &m), **names = names_of(scope_attrs, m, "attr");
  for (int32_t i = 0; i < m; i++) {
    int32_t at = 0;
    while (at < given && strcmp(keys[at], names[i]) != 0) at++;
    if (at < given) continue;
    keys[*n] = names[i];
    values[(*n)++] = texts[i];
  }
}

static int32_t num_scope_attrs(void) { return scope_attrs ? (int32_t)Rf_xlength(scope_attrs) : 0; }

/* What is given to a call. */
typedef struct {
  op_t *op;
  const char **keys, **values, **input_names;
  mxr_symbol_t **inputs;
  int32_t num_attrs, num_inputs;
} call_t;

static void add_attr(call_t *call, const attribute_t *attribute, SEXP value) {
  mxr_attr_t attr;
  if (!read_attr(call->op->thing.name, attribute, value, &attr)) return;
  call->keys[call->num_attrs] = attribute->name;
  call->values[call->num_attrs++] = attr_text(&attr);
}

static void add_input(call_t *call, SEXP value, const char *name) {
  call->inputs[call->num_inputs] = symbol_of(value, name ? name : "...");
  call->input_names[call->num_inputs++] = name;
}

static const char *input_named(const op_t *op, const char *name) {
  for (int i = 0; i < op->num_inputs; i++) {
    if (same_name(name, op->inputs[i])) return op->inputs[i];
  }
  return NULL;
}

/* What stands in dots. Inputs without a name come first. */
static void add_rest(call_t *call, SEXP rest) {
  const char *owner = call->op->thing.name;
  for (; rest != R_NilValue; rest = CDR(rest)) {
    SEXP value = CAR(rest);
    const char *name = TAG(rest) == R_NilValue ? "" : CHAR(PRINTNAME(TAG(rest)));
    const attribute_t *attribute = find_attr(&call->op->thing, name);
    if (*name && attribute) {
      add_attr(call, attribute, value);
    } else if (call->op->variadic && TYPEOF(value) == VECSXP) {
      for (R_xlen_t i = 0; i < XLENGTH(value); i++) add_input(call, VECTOR_ELT(value, i), NULL);
    } else if (is_a(SYMBOL, value) && (call->op->variadic || input_named(call->op, name))) {
      add_input(call, value, call->op->variadic ? NULL : input_named(call->op, name));
    } else if (*name) {
      refuse(MXR_ERROR_NOT_FOUND, owner, name, "there is no argument of this name");
    } else {
      refuse(MXR_ERROR_INVALID_VALUE, owner, NULL, "expected at most %d inputs, got another argument",
             call->op->num_inputs);
    }
  }
}

static int room_for(const op_t *op, SEXP values) {
  int room = op->num_inputs + op->thing.num_attrs + 1;
  for (; values != R_NilValue; values = CDR(values)) {
    room += TYPEOF(CAR(values)) == VECSXP ? (int)XLENGTH(CAR(values)) : 1;
  }
  return room;
}

static void add_user_attrs(call_t *call, SEXP attrs) {
  int32_t n;
  if (attrs == R_NilValue) return;
  attrs = PROTECT(Rf_coerceVector(attrs, STRSXP));
  const char **values = c_strings(attrs, &n), **names = names_of(attrs, n, "attr");
  for (int32_t i = 0; i < n; i++) {
    call->keys[call->num_attrs] = names[i];
    call->values[call->num_attrs++] = values[i];
  }
  UNPROTECT(1);
}

/* .External(C_symbol, operator, name, attr, inputs…, attributes…, …) */
SEXP C_symbol(SEXP args) {
  args = CDR(args);
  call_t call = {op_of(CAR(args)), NULL, NULL, NULL, NULL, 0, 0};
  SEXP name = CADR(args), attrs = CADDR(args), values = CDR(CDDR(args));
  const int room = room_for(call.op, values) + (int)Rf_xlength(attrs) + num_scope_attrs();
  call.keys = (const char **)R_alloc((size_t)room, sizeof *call.keys);
  call.values = (const char **)R_alloc((size_t)room, sizeof *call.values);
  call.input_names = (const char **)R_alloc((size_t)room, sizeof *call.input_names);
  call.inputs = (mxr_symbol_t **)R_alloc((size_t)room, sizeof *call.inputs);
  SEXP singles = values;
  for (int i = 0; i < call.op->num_inputs; i++) values = CDR(values);
  for (int i = 0; i < call.op->thing.num_attrs; i++, values = CDR(values)) {
    add_attr(&call, &call.op->thing.attrs[i], CAR(values));
  }
  add_rest(&call, values);
  for (int i = 0; i < call.op->num_inputs; i++, singles = CDR(singles)) {
    if (CAR(singles) != R_NilValue) add_input(&call, CAR(singles), call.op->inputs[i]);
  }
  add_user_attrs(&call, attrs);
  add_scope_attrs(call.keys, call.values, &call.num_attrs);
  const char *full = name_or(name, call.op->hint);
  mxr_symbol_t *out = NULL;
  check(abi.symbol_call(op_handle(call.op), full, call.keys, call.values, call.num_attrs, call.inputs,
                        call.input_names, call.num_inputs, &out));
  return wrap(SYMBOL, out);
}

/* Operators of symbols by what R calls them: on two, on one and a number, on a number and one. */
static const struct {
  const char *sign;
  const char *names[3];
  const char *hints[3];
} ARITHMETIC[] = {
    {"+", {"elemwise_add", "_plus_scalar", "_plus_scalar"}, {"_plus", "_plusscalar", "_plusscalar"}},
    {"-", {"elemwise_sub", "_minus_scalar", "_rminus_scalar"}, {"_minus", "_minusscalar", "_rminusscalar"}},
    {"*", {"elemwise_mul", "_mul_scalar", "_mul_scalar"}, {"_mul", "_mulscalar", "_mulscalar"}},
    {"/", {"elemwise_div", "_div_scalar", "_rdiv_scalar"}, {"_div", "_divscalar", "_rdivscalar"}},
    {"%%", {"_mod", "_mod_scalar", "_rmod_scalar"}, {"_mod", "_modscalar", "_rmodscalar"}},
    {"^", {"_power", "_power_scalar", "_rpower_scalar"}, {"_power", "_powerscalar", "_rpowerscalar"}},
    {"==", {"_equal", "_equal_scalar", "_equal_scalar"}, {"_equal", "_equalscalar", "_equalscalar"}},
    {"!=", {"_not_equal", "_not_equal_scalar", "_not_equal_scalar"},
     {"_notequal", "_notequalscalar", "_notequalscalar"}},
    {"<", {"_lesser", "_lesser_scalar", "_greater_scalar"}, {"_lesser", "_lesserscalar", "_greaterscalar"}},
    {">", {"_greater", "_greater_scalar", "_lesser_scalar"}, {"_greater", "_greaterscalar", "_lesserscalar"}},
    {"<=", {"_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar"},
     {"_lesserequal", "_lesserequalscalar", "_greaterequalscalar"}},
    {">=", {"_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar"},
     {"_greaterequal", "_greaterequalscalar", "_lesserequalscalar"}},
};

SEXP C_symbol_arithmetic(SEXP sign, SEXP a, SEXP b) {
  const char *text = CHAR(STRING_ELT(sign, 0));
  const int left = is_a(SYMBOL, a), right = is_a(SYMBOL, b), way = left && right ? 0 : left ? 1 : 2;
  size_t at = 0;
  const size_t n = sizeof ARITHMETIC / sizeof ARITHMETIC[0];
  while (at < n && strcmp(ARITHMETIC[at].sign, text) != 0) at++;
  if (at == n) refuse(MXR_ERROR_UNSUPPORTED, NULL, NULL, "symbols know no '%s'", text);
  op_t *op = op_named(ARITHMETIC[at].names[way]);
  mxr_symbol_t *inputs[2] = {NULL, NULL}, *out = NULL;
  int32_t num_inputs = 0, num_attrs = 0;
  if (left) inputs[num_inputs++] = symbol_of(a, "e1");
  if (right) inputs[num_inputs++] = symbol_of(b, "e2");
  const char **keys = (const char **)R_alloc((size_t)num_scope_attrs() + 1, sizeof *keys);
  const char **values = (const char **)R_alloc((size_t)num_scope_attrs() + 1, sizeof *values);
  if (way > 0) {
    SEXP number = left ? b : a;
    if (!Rf_isNumber(number) || XLENGTH(number) != 1) {
      refuse(MXR_ERROR_INVALID_TYPE, op->thing.name, left ? "e2" : "e1", "expected a symbol or one number");
    }
    const mxr_attr_t attr = {0, MXR_ATTR_FLOAT, 0, Rf_asReal(number), NULL};
    keys[0] = "scalar";
    values[0] = attr_text(&attr);
    num_attrs = 1;
  }
  add_scope_attrs(keys, values, &num_attrs);
  check(abi.symbol_call(op_handle(op), auto_name(ARITHMETIC[at].hints[way]), keys, values, num_attrs, inputs, NULL,
                        num_inputs, &out));
  return wrap(SYMBOL, out);
}

static mxr_symbol_t **symbols_of(SEXP list, int32_t *n, const char *argument) {
  *n = (int32_t)Rf_xlength(list);
  mxr_symbol_t **out = (mxr_symbol_t **)R_alloc((size_t)*n + 1, sizeof *out);
  for (int32_t i = 0; i < *n; i++) out[i] = symbol_of(VECTOR_ELT(list, i), argument);
  return out;
}

SEXP C_symbol_variable(SEXP name, SEXP attrs) {
  int32_t n;
  const char **given = c_strings(attrs, &n), **names = names_of(attrs, n, "attr");
  const size_t room = (size_t)n + (size_t)num_scope_attrs() + 1;
  const char **keys = (const char **)R_alloc(room, sizeof *keys), **values = (const char **)R_alloc(room, sizeof *values);
  for (int32_t i = 0; i < n; i++) keys[i] = names[i], values[i] = given[i];
  add_scope_attrs(keys, values, &n);
  mxr_symbol_t *out = NULL;
  check(abi.symbol_variable(c_string(name, "name"), keys, values, n, &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_group(SEXP list) {
  int32_t n;
  mxr_symbol_t **symbols = symbols_of(list, &n, "symbols"), *out = NULL;
  check(abi.symbol_group(symbols, n, &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_compose(SEXP symbol, SEXP name, SEXP inputs) {
  int32_t n;
  mxr_symbol_t **symbols = symbols_of(inputs, &n, "inputs"), *out = NULL;
  const char **names = names_of(inputs, n, "inputs");
  const char *full = name == R_NilValue ? NULL : c_string(name, "name");
  check(abi.symbol_compose(symbol_of(symbol, "symbol"), full, symbols, names, n, &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_with_attrs(SEXP symbol, SEXP attrs) {
  int32_t n;
  const char **values = c_strings(attrs, &n), **keys = names_of(attrs, n, "attr");
  mxr_symbol_t *out = NULL;
  check(abi.symbol_with_attrs(symbol_of(symbol, "symbol"), keys, values, n, &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_internals(SEXP symbol) {
  mxr_symbol_t *out = NULL;
  check(abi.symbol_internals(symbol_of(symbol, "x"), &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_children(SEXP symbol) {
  mxr_symbol_t *out = NULL;
  check(abi.symbol_children(symbol_of(symbol, "x"), &out));
  return wrap(SYMBOL, out);
}

/* An output by its number from 1, or by its name. */
SEXP C_symbol_output(SEXP symbol, SEXP which) {
  mxr_symbol_t *from = symbol_of(symbol, "x"), *out = NULL;
  if (TYPEOF(which) == STRSXP) check(abi.symbol_output_named(from, c_string(which, "i"), &out));
  else check(abi.symbol_output(from, (int64_t)Rf_asReal(which) - 1, &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_list(SEXP symbol, SEXP list) {
  mxr_texts_t *names = NULL;
  check(abi.symbol_list(symbol_of(symbol, "x"), Rf_asInteger(list), &names));
  return strings_of(names);
}

SEXP C_symbol_name(SEXP symbol) {
  char *name = NULL;
  check(abi.symbol_name(symbol_of(symbol, "x"), &name));
  return string_of(name);
}

SEXP C_symbol_attr(SEXP symbol, SEXP key) {
  char *value = NULL;
  check(abi.symbol_attr(symbol_of(symbol, "x"), c_string(key, "key"), &value));
  return string_of(value);
}

SEXP C_symbol_attrs(SEXP symbol, SEXP recursive) {
  mxr_texts_t *attrs = NULL;
  check(abi.symbol_attrs(symbol_of(symbol, "x"), Rf_asLogical(recursive) == 1, &attrs));
  return strings_of(attrs);
}

SEXP C_symbol_text(SEXP symbol) {
  char *text = NULL;
  check(abi.symbol_text(symbol_of(symbol, "x"), &text));
  return string_of(text);
}

SEXP C_symbol_to_json(SEXP symbol) {
  char *json = NULL;
  check(abi.symbol_to_json(symbol_of(symbol, "symbol"), &json));
  return string_of(json);
}

SEXP C_symbol_from_json(SEXP json) {
  mxr_symbol_t *out = NULL;
  check(abi.symbol_from_json(c_string(json, "str"), &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_load(SEXP path) {
  mxr_symbol_t *out = NULL;
  check(abi.symbol_load(c_string(path, "filename"), &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_save(SEXP symbol, SEXP path) {
  check(abi.symbol_save(symbol_of(symbol, "symbol"), c_string(path, "filename")));
  return R_NilValue;
}

static const int32_t LISTS[] = {MXR_LIST_ARGUMENTS, MXR_LIST_OUTPUTS, MXR_LIST_AUXILIARY_STATES};
static const char *const LIST_NAMES[] = {"arg", "out", "aux", "complete", ""};

/* Lists of R for the three lists of a symbol, named as they are; `element` gives what stands for each name. */
static SEXP inferred_lists(mxr_symbol_t *symbol, mxr_inferred_t *inferred, SEXP (*element)(mxr_inferred_t *, int32_t,
                                                                                       int64_t)) {
  SEXP out = PROTECT(Rf_mkNamed(VECSXP, (const char **)LIST_NAMES));
  for (int l = 0; l < 3; l++) {
    mxr_texts_t *texts = NULL;
    check(abi.symbol_list(symbol, LISTS[l], &texts));
    SEXP names = PROTECT(strings_of(texts)), items = PROTECT(Rf_allocVector(VECSXP, XLENGTH(names)));
    for (R_xlen_t i = 0; i < XLENGTH(names); i++) SET_VECTOR_ELT(items, i, element(inferred, LISTS[l], i));
    Rf_setAttrib(items, R_NamesSymbol, names);
    SET_VECTOR_ELT(out, l, items);
    UNPROTECT(2);
  }
  SET_VECTOR_ELT(out, 3, Rf_ScalarLogical(abi.inferred_complete(inferred) == 1));
  UNPROTECT(1);
  return out;
}

static SEXP inferred_shape(mxr_inferred_t *inferred, int32_t list, int64_t i) {
  const int64_t *shape = NULL;
  int32_t ndim = -1;
  check(abi.inferred_shape(inferred, list, i, &shape, &ndim));
  return ndim < 0 ? R_NilValue : dims_of_shape(shape, ndim);
}

static SEXP inferred_dtype(mxr_inferred_t *inferred, int32_t list, int64_t i) {
  int32_t dtype = -1;
  check(abi.inferred_dtype(inferred, list, i, &dtype));
  return dtype < 0 ? R_NilValue : Rf_mkString(dtype_name(dtype));
}

SEXP C_symbol_infer_shapes(SEXP symbol, SEXP shapes) {
  mxr_symbol_t *of = symbol_of(symbol, "symbol");
  const int32_t n = (int32_t)Rf_xlength(shapes);
  const char **names = names_of(shapes, n, "...");
  int32_t *axes = (int32_t *)R_alloc((size_t)n + 1, sizeof *axes);
  R_xlen_t total = 0;
  for (int32_t i = 0; i < n; i++) total += Rf_xlength(VECTOR_ELT(shapes, i));
  int64_t *sizes = (int64_t *)R_alloc((size_t)total + 1, sizeof *sizes), *end = sizes;
  for (int32_t i = 0; i < n; i++) {
    const int64_t *shape = shape_of_dims(VECTOR_ELT(shapes, i), &axes[i], names[i]);
    memcpy(end, shape, (size_t)axes[i] * sizeof *shape);
    end += axes[i];
  }
  mxr_inferred_t *inferred = NULL;
  check(abi.symbol_infer_shapes(of, names, sizes, axes, n, &inferred));
  SEXP out = inferred_lists(of, inferred, inferred_shape);
  abi.inferred_free(inferred);
  return out;
}

SEXP C_symbol_infer_dtypes(SEXP symbol, SEXP dtypes) {
  mxr_symbol_t *of = symbol_of(symbol, "symbol");
  const int32_t n = (int32_t)Rf_xlength(dtypes);
  const char **names = names_of(dtypes, n, "...");
  int32_t *codes = (int32_t *)R_alloc((size_t)n + 1, sizeof *codes);
  for (int32_t i = 0; i < n; i++) codes[i] = dtype_code(c_string(VECTOR_ELT(dtypes, i), names[i]), names[i]);
  mxr_inferred_t *inferred = NULL;
  check(abi.symbol_infer_dtypes(of, names, codes, n, &inferred));
  SEXP out = inferred_lists(of, inferred, inferred_dtype);
  abi.inferred_free(inferred);
  return out;
}

/* A loop over a body, or a branch; see R/control.R. */
static mxr_body_t body_of(SEXP body) {
  mxr_body_t out = {sizeof out, 0, c_string(VECTOR_ELT(body, 0), "scope"), NULL, NULL, 0, 0};
  out.variables = symbols_of(VECTOR_ELT(body, 1), &out.num_variables, "variables");
  out.outputs = symbols_of(VECTOR_ELT(body, 2), &out.num_outputs, "outputs");
  return out;
}

/* Attributes of the node of a loop or a branch: those of the scope around. */
typedef struct {
  const char **keys, **values;
  int32_t n;
} attrs_t;

static attrs_t node_attrs(void) {
  const size_t room = (size_t)num_scope_attrs() + 1;
  attrs_t attrs = {(const char **)R_alloc(room, sizeof(char *)), (const char **)R_alloc(room, sizeof(char *)), 0};
  add_scope_attrs(attrs.keys, attrs.values, &attrs.n);
  return attrs;
}

SEXP C_symbol_foreach(SEXP name, SEXP data, SEXP states, SEXP body) {
  int32_t n, m;
  mxr_symbol_t **rows = symbols_of(data, &n, "data"), **first = symbols_of(states, &m, "init.states"), *out = NULL;
  const mxr_body_t step = body_of(body);
  const attrs_t attrs = node_attrs();
  check(abi.symbol_foreach(name_or(name, "_foreach"), attrs.keys, attrs.values, attrs.n, rows, n, first, m, &step, &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_while_loop(SEXP name, SEXP states, SEXP cond, SEXP func, SEXP most) {
  int32_t n;
  mxr_symbol_t **first = symbols_of(states, &n, "loop.vars"), *out = NULL;
  const mxr_body_t test = body_of(cond), step = body_of(func);
  const attrs_t attrs = node_attrs();
  check(abi.symbol_while_loop(name_or(name, "_while_loop"), attrs.keys, attrs.values, attrs.n, first, n, &test, &step,
                              (int64_t)Rf_asReal(most), &out));
  return wrap(SYMBOL, out);
}

SEXP C_symbol_cond(SEXP name, SEXP pred, SEXP then, SEXP otherwise) {
  mxr_symbol_t *out = NULL;
  const mxr_body_t test = body_of(pred), yes = body_of(then), no = body_of(otherwise);
  const attrs_t attrs = node_attrs();
  check(abi.symbol_cond(name_or(name, "_cond"), attrs.keys, attrs.values, attrs.n, &test, &yes, &no, &out));
  return wrap(SYMBOL, out);
}
