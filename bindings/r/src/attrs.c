/* Values of R as attributes of operators and of what else is registered, and attributes as texts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mxr_r.h"

int same_name(const char *r, const char *c) {
  while (*r && (*r == *c || (*r == '.' && *c == '_'))) r++, c++;
  return *r == *c;
}

const attribute_t *find_attr(const thing_t *thing, const char *name) {
  for (int i = 0; i < thing->num_attrs; i++) {
    if (same_name(name, thing->attrs[i].name)) return &thing->attrs[i];
  }
  return NULL;
}

static int is_list(form_t form) { return form >= FORM_SHAPE; }

static double number_at(SEXP value, R_xlen_t i) {
  if (TYPEOF(value) == REALSXP) return REAL(value)[i];
  const int found = INTEGER(value)[i];
  return found == NA_INTEGER ? NA_REAL : found;
}

static int set(mxr_attr_t *attr, uint32_t tag, int64_t integer, double number, const void *data) {
  attr->tag = tag;
  attr->integer = integer;
  attr->number = number;
  attr->data = data;
  return 1;
}

/* Numbers as a list: whole ones in the order of the form, others as they are. */
static int read_list(const attribute_t *attribute, SEXP value, mxr_attr_t *attr) {
  const R_xlen_t n = XLENGTH(value);
  int whole = attribute->form != FORM_FLOATS;
  for (R_xlen_t i = 0; i < n; i++) {
    const double x = number_at(value, i);
    whole = whole && (R_IsNA(x) || (x == floor(x) && fabs(x) < 9e15));
  }
  if (!whole) {
    double *numbers = (double *)R_alloc((size_t)n + 1, sizeof *numbers);
    for (R_xlen_t i = 0; i < n; i++) numbers[i] = number_at(value, i);
    return set(attr, MXR_ATTR_FLOATS, n, 0, numbers);
  }
  int64_t *ints = (int64_t *)R_alloc((size_t)n + 1, sizeof *ints);
  const int reversed = attribute->form != FORM_INTS;
  for (R_xlen_t i = 0; i < n; i++) {
    const double x = number_at(value, i);
    ints[reversed ? n - 1 - i : i] = R_IsNA(x) ? INT64_MIN : (int64_t)x;
  }
  return set(attr, MXR_ATTR_INTS, n, 0, ints);
}

static int read_number(const attribute_t *attribute, SEXP value, mxr_attr_t *attr) {
  const double x = number_at(value, 0);
  if (R_IsNA(x)) return set(attr, MXR_ATTR_NO_VALUE, 0, 0, NULL);
  if (attribute->form != FORM_FLOAT && x == floor(x) && fabs(x) < 9e15) {
    return set(attr, MXR_ATTR_INT, (int64_t)x, 0, NULL);
  }
  return set(attr, MXR_ATTR_FLOAT, 0, x, NULL);
}

static int read_texts(form_t form, SEXP value, mxr_attr_t *attr) {
  if (XLENGTH(value) == 1 && STRING_ELT(value, 0) == NA_STRING) return set(attr, MXR_ATTR_NO_VALUE, 0, 0, NULL);
  if (XLENGTH(value) == 1 && form != FORM_TEXTS) {
    const char *text = Rf_translateCharUTF8(STRING_ELT(value, 0));
    return set(attr, MXR_ATTR_STRING, (int64_t)strlen(text), 0, text);
  }
  int32_t n;
  const char **texts = c_strings(value, &n);
  return set(attr, MXR_ATTR_STRINGS, n, 0, texts);
}

static int read_context(SEXP value, mxr_attr_t *attr) {
  int32_t kind, id;
  device_of(value, &kind, &id);
  char *text = R_alloc(32, 1);
  snprintf(text, 32, "%s(%d)", kind == MXR_GPU ? "gpu" : "cpu", (int)id);
  return set(attr, MXR_ATTR_STRING, (int64_t)strlen(text), 0, text);
}

int read_attr(const char *owner, const attribute_t *attribute, SEXP value, mxr_attr_t *attr) {
  attr->id = attribute->id;
  const int numeric = TYPEOF(value) == REALSXP || TYPEOF(value) == INTSXP;
  if (value == R_NilValue) return 0;
  if (TYPEOF(value) == STRSXP) return read_texts(attribute->form, value, attr);
  if (Rf_inherits(value, "MXContext")) return read_context(value, attr);
  if (TYPEOF(value) == VECSXP && XLENGTH(value) == 0) return set(attr, MXR_ATTR_INTS, 0, 0, "");
  if (TYPEOF(value) == LGLSXP && XLENGTH(value) == 1) {
    const int truth = LOGICAL(value)[0];
    if (truth != NA_LOGICAL) return set(attr, MXR_ATTR_BOOL, truth != 0, 0, NULL);
    if (attribute->form != FORM_OPTIONAL_INTS) return set(attr, MXR_ATTR_NO_VALUE, 0, 0, NULL);
  } else if (!numeric && TYPEOF(value) != LGLSXP) {
    refuse(MXR_ERROR_INVALID_TYPE, owner, attribute->name, "expected a value of an attribute, got %s",
           Rf_type2char(TYPEOF(value)));
  }
  if (attribute->form == FORM_SHAPE && XLENGTH(value) == 1 && R_IsNA(number_at(value, 0))) {
    return set(attr, MXR_ATTR_NO_VALUE, 0, 0, NULL);
  }
  if (is_list(attribute->form) || XLENGTH(value) != 1) return read_list(attribute, value, attr);
  return read_number(attribute, value, attr);
}

/* Adds values by name; each attribute at most twice, since it may be written in two ways. */
static void add_named(const thing_t *thing, SEXP values, mxr_attr_t *attrs, int32_t *n) {
  for (; values != R_NilValue; values = CDR(values)) {
    const char *name = TAG(values) == R_NilValue ? "" : CHAR(PRINTNAME(TAG(values)));
    const attribute_t *attribute = find_attr(thing, name);
    if (!attribute) refuse(MXR_ERROR_NOT_FOUND, thing->name, name, "there is no attribute of this name");
    if (*n < thing->num_attrs * 2) *n += read_attr(thing->name, attribute, CAR(values), &attrs[*n]);
  }
}

static mxr_attr_t *room_for(const thing_t *thing) {
  return (mxr_attr_t *)R_alloc((size_t)thing->num_attrs * 2 + 1, sizeof(mxr_attr_t));
}

mxr_attr_t *read_attrs(const thing_t *thing, SEXP values, int32_t *n) {
  mxr_attr_t *attrs = room_for(thing);
  *n = 0;
  for (int i = 0; i < thing->num_attrs; i++, values = CDR(values)) {
    *n += read_attr(thing->name, &thing->attrs[i], CAR(values), &attrs[*n]);
  }
  add_named(thing, values, attrs, n);
  return attrs;
}

mxr_attr_t *read_named_attrs(const thing_t *thing, SEXP values, int32_t *n) {
  mxr_attr_t *attrs = room_for(thing);
  *n = 0;
  add_named(thing, values, attrs, n);
  return attrs;
}

/* As Python writes a number. */
static int write_number(char *out, size_t room, double x) {
  if (isnan(x)) return snprintf(out, room, "nan");
  if (isinf(x)) return snprintf(out, room, x > 0 ? "inf" : "-inf");
  for (int digits = 15; digits < 17; digits++) {
    const int n = snprintf(out, room, "%.*g", digits, x);
    if (R_strtod(out, NULL) == x) return n;
  }
  return snprintf(out, room, "%.17g", x);
}

static const char *list_text(const mxr_attr_t *attr) {
  char *out = R_alloc((size_t)attr->integer * 32 + 8, 1), *end = out;
  *end++ = '(';
  for (int64_t i = 0; i < attr->integer; i++) {
    if (i > 0) end += snprintf(end, 3, ", ");
    if (attr->tag == MXR_ATTR_FLOATS) {
      end += write_number(end, 28, ((const double *)attr->data)[i]);
    } else {
      const int64_t x = ((const int64_t *)attr->data)[i];
      end += x == INT64_MIN ? snprintf(end, 28, "None") : snprintf(end, 28, "%lld", (long long)x);
    }
  }
  snprintf(end, 3, attr->integer == 1 ? ",)" : ")");
  return out;
}

const char *attr_text(const mxr_attr_t *attr) {
  char *out;
  switch (attr->tag) {
  case MXR_ATTR_NO_VALUE: return "None";
  case MXR_ATTR_BOOL: return attr->integer ? "True" : "False";
  case MXR_ATTR_STRING: return attr->data;
  case MXR_ATTR_INTS:
  case MXR_ATTR_FLOATS: return list_text(attr);
  case MXR_ATTR_STRINGS: refuse(MXR_ERROR_UNSUPPORTED, NULL, NULL, "a list of texts is no attribute of a symbol");
  default: out = R_alloc(32, 1);
  }
  if (attr->tag == MXR_ATTR_INT) snprintf(out, 32, "%lld", (long long)attr->integer);
  else write_number(out, 32, attr->number);
  return out;
}
