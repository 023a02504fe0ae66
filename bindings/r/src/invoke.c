/* Calls of operators on arrays. */
#include <string.h>

#include "mxr_r.h"

/* Inputs and outputs of a call that need no memory of their own. */
#define FEW 8

/* What is given to a call. */
typedef struct {
  op_t *op;
  mxr_array_t **inputs;
  int32_t num_inputs, room;
  mxr_attr_t *attrs;
  int32_t num_attrs, attr_room;
  mxr_array_t *few[FEW];
  mxr_attr_t few_attrs[FEW * 3];
} call_t;

/* More room for what is given in dots. */
static void *grown(const void *old, int32_t n, int32_t *room, size_t size) {
  *room *= 2;
  return memcpy(R_alloc((size_t)*room, (int)size), old, (size_t)n * size);
}

static void add_input(call_t *call, SEXP value, const char *name) {
  if (call->num_inputs == call->room) {
    call->inputs = grown(call->inputs, call->num_inputs, &call->room, sizeof *call->inputs);
  }
  call->inputs[call->num_inputs++] = array_of(value, name);
}

static void add_attr(call_t *call, const attribute_t *attribute, SEXP value) {
  if (call->num_attrs == call->attr_room) {
    call->attrs = grown(call->attrs, call->num_attrs, &call->attr_room, sizeof *call->attrs);
  }
  call->num_attrs += read_attr(call->op->thing.name, attribute, value, &call->attrs[call->num_attrs]);
}

/* What stands in dots: further inputs, lists of them, and attributes by names with dots. */
static void add_rest(call_t *call, SEXP rest) {
  const char *owner = call->op->thing.name;
  for (; rest != R_NilValue; rest = CDR(rest)) {
    SEXP value = CAR(rest);
    const char *name = TAG(rest) == R_NilValue ? "" : CHAR(PRINTNAME(TAG(rest)));
    const attribute_t *attribute = find_attr(&call->op->thing, name);
    if (*name && attribute) {
      add_attr(call, attribute, value);
    } else if (call->op->variadic && is_a(ARRAY, value)) {
      add_input(call, value, *name ? name : "...");
    } else if (call->op->variadic && TYPEOF(value) == VECSXP) {
      for (R_xlen_t i = 0; i < XLENGTH(value); i++) add_input(call, VECTOR_ELT(value, i), "...");
    } else if (*name) {
      refuse(MXR_ERROR_NOT_FOUND, owner, name, "there is no argument of this name");
    } else {
      refuse(MXR_ERROR_INVALID_VALUE, owner, NULL, "expected at most %d inputs, got another argument",
             call->op->num_inputs);
    }
  }
}

/* The inputs that have names; optional ones may be absent at the end. Gives what follows. */
static SEXP add_singles(call_t *call, SEXP values) {
  int absent = -1;
  for (int i = 0; i < call->op->num_inputs; i++, values = CDR(values)) {
    const char *name = call->op->inputs[i];
    if (CAR(values) == R_NilValue) {
      if (absent < 0) absent = i;
    } else if (absent >= 0) {
      refuse(MXR_ERROR_INVALID_VALUE, call->op->thing.name, name, "is given, but '%s' before it is not",
             call->op->inputs[absent]);
    } else {
      add_input(call, CAR(values), name);
    }
  }
  return values;
}

/* The arrays that receive outputs. */
static void take_outputs(SEXP out, mxr_array_t **outputs, int32_t room) {
  memset(outputs, 0, (size_t)room * sizeof *outputs);
  if (out == R_NilValue) return;
  int32_t n;
  mxr_array_t **given = arrays_of(out, &n, "out");
  if (n > room) refuse(MXR_ERROR_INVALID_VALUE, NULL, "out", "expected at most %d arrays, got %d", room, n);
  for (int32_t i = 0; i < n; i++) outputs[i] = given[i] ? abi.array_retain(given[i]) : NULL;
}

/* Runs the call, and gives an array or a list of them. */
static SEXP run(call_t *call, SEXP out) {
  mxr_array_t *few[FEW], **outputs = few;
  const mxr_op_t *op = op_handle(call->op);
  int32_t n = 1;
  if (call->op->many) check(abi.op_num_outputs(op, call->attrs, call->num_attrs, &n));
  if (n > FEW) outputs = (mxr_array_t **)R_alloc((size_t)n, sizeof *outputs);
  take_outputs(out, outputs, n);
  const mxr_call_t circumstances = current_call();
  const int32_t room = n;
  mxr_error_t *error = abi.op_invoke(op, call->inputs, call->num_inputs, call->attrs, call->num_attrs, outputs, &n,
                                     NULL, &circumstances);
  if (error) {
    for (int32_t i = 0; i < room; i++) abi.array_free(outputs[i]);
    check(error);
  }
  if (n == 1) return wrap_array(outputs[0]);
  SEXP list = PROTECT(Rf_allocVector(VECSXP, n));
  for (int32_t i = 0; i < n; i++) SET_VECTOR_ELT(list, i, wrap_array(outputs[i]));
  UNPROTECT(1);
  return list;
}

static void begin(call_t *call, op_t *op) {
  call->op = op;
  call->inputs = call->few;
  call->attrs = call->few_attrs;
  call->num_inputs = call->num_attrs = 0;
  call->room = FEW;
  call->attr_room = FEW * 3;
}

/* .External(C_nd, name, out, inputs…, attributes…, …) */
SEXP C_nd(SEXP args) {
  args = CDR(args);
  call_t call;
  begin(&call, op_of(CAR(args)));
  SEXP out = CADR(args), values = add_singles(&call, CDDR(args));
  for (int i = 0; i < call.op->thing.num_attrs; i++, values = CDR(values)) {
    add_attr(&call, &call.op->thing.attrs[i], CAR(values));
  }
  add_rest(&call, values);
  return run(&call, out);
}

mxr_array_t *invoke_one(op_t *op, mxr_array_t **inputs, int32_t num_inputs, const mxr_attr_t *attrs,
                        int32_t num_attrs, mxr_array_t *out) {
  const mxr_call_t circumstances = current_call();
  int32_t n = 1;
  check(abi.op_invoke(op_handle(op), inputs, num_inputs, attrs, num_attrs, &out, &n, NULL, &circumstances));
  return out;
}

/* Operators by what R calls them: on two arrays, on an array and a number, on a number and an array. */
typedef struct {
  const char *sign;
  const char *names[3];
  op_t *ops[3];
} arithmetic_t;

static arithmetic_t ARITHMETIC[] = {
    {"+", {"broadcast_add", "_plus_scalar", "_plus_scalar"}, {NULL}},
    {"-", {"broadcast_sub", "_minus_scalar", "_rminus_scalar"}, {NULL}},
    {"*", {"broadcast_mul", "_mul_scalar", "_mul_scalar"}, {NULL}},
    {"/", {"broadcast_div", "_div_scalar", "_rdiv_scalar"}, {NULL}},
    {"^", {"broadcast_power", "_power_scalar", "_rpower_scalar"}, {NULL}},
    {"%%", {"broadcast_mod", "_mod_scalar", "_rmod_scalar"}, {NULL}},
    {"==", {"broadcast_equal", "_equal_scalar", "_equal_scalar"}, {NULL}},
    {"!=", {"broadcast_not_equal", "_not_equal_scalar", "_not_equal_scalar"}, {NULL}},
    {"<", {"broadcast_lesser", "_lesser_scalar", "_greater_scalar"}, {NULL}},
    {">", {"broadcast_greater", "_greater_scalar", "_lesser_scalar"}, {NULL}},
    {"<=", {"broadcast_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar"}, {NULL}},
    {">=", {"broadcast_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar"}, {NULL}},
    {"&", {"broadcast_logical_and", "_logical_and_scalar", "_logical_and_scalar"}, {NULL}},
    {"|", {"broadcast_logical_or", "_logical_or_scalar", "_logical_or_scalar"}, {NULL}},
};

/* The operator for a sign; NULL if there is none. */
static op_t *arithmetic(const char *sign, int way) {
  for (size_t i = 0; i < sizeof ARITHMETIC / sizeof ARITHMETIC[0]; i++) {
    arithmetic_t *found = &ARITHMETIC[i];
    if (strcmp(found->sign, sign) != 0) continue;
    if (!found->ops[way]) found->ops[way] = op_named(found->names[way]);
    return found->ops[way];
  }
  return NULL;
}

/* What R does with everything else. */
static SEXP other_arithmetic(SEXP sign, SEXP a, SEXP b) {
  SEXP space = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("mxr"))));
  SEXP call = PROTECT(Rf_lang4(Rf_install("other_arithmetic"), sign, a, b));
  SEXP result = Rf_eval(call, space);
  UNPROTECT(3);
  return result;
}

/* `a sign b` of arrays, and of an array and one number. */
SEXP C_arithmetic(SEXP sign, SEXP a, SEXP b) {
  const char *text = CHAR(STRING_ELT(sign, 0));
  const int left = is_a(ARRAY, a), right = is_a(ARRAY, b), way = left && right ? 0 : left ? 1 : 2;
  SEXP other = left ? b : a;
  op_t *op = arithmetic(text, way);
  if (!op || (way > 0 && (!Rf_isNumber(other) || XLENGTH(other) != 1))) return other_arithmetic(sign, a, b);
  if (way == 0) {
    mxr_array_t *inputs[] = {array_of(a, "e1"), array_of(b, "e2")};
    return wrap_array(invoke_one(op, inputs, 2, NULL, 0, NULL));
  }
  mxr_array_t *array = array_of(left ? a : b, left ? "e1" : "e2");
  const attribute_t *scalar = find_attr(&op->thing, "scalar");
  const mxr_attr_t attr = {scalar->id, MXR_ATTR_FLOAT, 0, Rf_asReal(other), NULL};
  return wrap_array(invoke_one(op, &array, 1, &attr, 1, NULL));
}

mxr_array_t *cast(mxr_array_t *array, int32_t dtype, mxr_array_t *out) {
  static op_t *op;
  if (!op) op = op_named("Cast");
  const mxr_attr_t attr = {find_attr(&op->thing, "dtype")->id, MXR_ATTR_INT, dtype, 0, NULL};
  return invoke_one(op, &array, 1, &attr, 1, out);
}
