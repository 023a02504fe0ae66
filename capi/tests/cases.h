/* Reads the conformance cases that xtask/src/cases.rs writes; their form is described there. In C and in C++. */
#ifndef MXR_TESTS_CASES_H
#define MXR_TESTS_CASES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AXES = 32, MOST_TENSORS = 64, MOST_ATTRS = 64, MOST_DTYPES = 16 };

/* An array: of what shape, with which values. */
typedef struct {
    int32_t dtype; /* an input's own, or -1 */
    int32_t input; /* which input a state belongs to */
    int32_t ndim;
    int64_t dims[MOST_AXES];
    int64_t len;
    double *data;
} tensor_t;

typedef struct {
    char *operator_name, *name, *error;
    int32_t dtypes[MOST_DTYPES], num_dtypes;
    int training;
    double tolerance, precision;
    mxr_attr_t attrs[MOST_ATTRS];
    tensor_t inputs[MOST_TENSORS], outputs[MOST_TENSORS], gradients[MOST_TENSORS], states[MOST_TENSORS];
    int32_t num_attrs, num_inputs, num_outputs, num_gradients, num_states;
} case_t;

/* What is still to be read, and the memory that the current case has taken. */
typedef struct {
    char *at;
    void *taken[4096];
    size_t num_taken;
} reader_t;

static inline void broken(const char *why, const char *what) {
    printf("the file of cases is broken: %s %s\n", why, what ? what : "");
    exit(2);
}

static inline void *take(reader_t *r, size_t bytes) {
    if (r->num_taken == sizeof r->taken / sizeof *r->taken) broken("a case is too large", NULL);
    void *memory = calloc(bytes + 1, 1);
    if (!memory) broken("no memory", NULL);
    r->taken[r->num_taken++] = memory;
    return memory;
}

static inline void release_case(reader_t *r) {
    while (r->num_taken > 0) free(r->taken[--r->num_taken]);
}

/* The next word, or NULL at the end. */
static inline char *next_word(reader_t *r) {
    r->at += strspn(r->at, " \n");
    if (!*r->at) return NULL;
    char *word = r->at;
    r->at += strcspn(r->at, " \n");
    if (*r->at) *r->at++ = 0;
    return word;
}

static inline double next_number(reader_t *r) {
    char *word = next_word(r), *end = word;
    double value = word ? strtod(word, &end) : 0;
    if (end == word || *end) broken("expected a number, got", word);
    return value;
}

static inline int64_t next_int(reader_t *r) {
    char *word = next_word(r), *end = word;
    int64_t value = word ? strtoll(word, &end, 10) : 0;
    if (end == word || *end) broken("expected an integer, got", word);
    return value;
}

/* A number of things of which there may be at most so many. */
static inline int32_t next_count(reader_t *r, int64_t most) {
    int64_t n = next_int(r);
    if (n < 0 || n > most) broken("too many things in a case", NULL);
    return (int32_t)n;
}

/* A text, in memory of the case's, with its length. */
static inline char *next_text(reader_t *r, int64_t *len) {
    const char *word = next_word(r);
    if (!word) broken("expected a text", NULL);
    char *text = (char *)take(r, strlen(word)), *out = text;
    for (; *word; word++) {
        unsigned byte = (unsigned char)*word;
        if (byte == '%') {
            if (sscanf(word + 1, "%2x", &byte) != 1) continue;
            word += 2;
        }
        *out++ = (char)byte;
    }
    if (len) *len = out - text;
    return text;
}

static inline void next_tensor(reader_t *r, tensor_t *tensors, int32_t *n, int32_t dtype, int32_t input) {
    if (*n == MOST_TENSORS) broken("too many arrays in a case", NULL);
    tensor_t *t = &tensors[(*n)++];
    t->dtype = dtype;
    t->input = input;
    t->ndim = next_count(r, MOST_AXES);
    t->len = 1;
    for (int32_t i = 0; i < t->ndim; i++) t->len *= t->dims[i] = next_count(r, INT32_MAX);
    t->data = (double *)take(r, (size_t)t->len * sizeof(double));
    for (int64_t i = 0; i < t->len; i++) t->data[i] = next_number(r);
}

static inline void next_attr(reader_t *r, mxr_attr_t *attr) {
    attr->id = (uint32_t)next_int(r);
    const char *form = next_word(r);
    if (!form) {
        broken("an attribute has no form", NULL);
    } else if (strcmp(form, "no_value") == 0) {
        attr->tag = MXR_ATTR_NO_VALUE;
    } else if (strcmp(form, "bool") == 0) {
        attr->tag = MXR_ATTR_BOOL;
        attr->integer = next_int(r);
    } else if (strcmp(form, "int") == 0) {
        attr->tag = MXR_ATTR_INT;
        attr->integer = next_int(r);
    } else if (strcmp(form, "float") == 0) {
        attr->tag = MXR_ATTR_FLOAT;
        attr->number = next_number(r);
    } else if (strcmp(form, "string") == 0) {
        attr->tag = MXR_ATTR_STRING;
        attr->data = next_text(r, &attr->integer);
    } else if (strcmp(form, "ints") == 0) {
        attr->tag = MXR_ATTR_INTS;
        attr->integer = next_count(r, INT32_MAX);
        int64_t *ints = (int64_t *)take(r, (size_t)attr->integer * sizeof *ints);
        for (int64_t i = 0; i < attr->integer; i++) ints[i] = next_int(r);
        attr->data = ints;
    } else if (strcmp(form, "floats") == 0) {
        attr->tag = MXR_ATTR_FLOATS;
        attr->integer = next_count(r, INT32_MAX);
        double *floats = (double *)take(r, (size_t)attr->integer * sizeof *floats);
        for (int64_t i = 0; i < attr->integer; i++) floats[i] = next_number(r);
        attr->data = floats;
    } else if (strcmp(form, "strings") == 0) {
        attr->tag = MXR_ATTR_STRINGS;
        attr->integer = next_count(r, 1024);
        const char **texts = (const char **)take(r, (size_t)attr->integer * sizeof *texts);
        for (int64_t i = 0; i < attr->integer; i++) texts[i] = next_text(r, NULL);
        attr->data = texts;
    } else {
        broken("no attribute has the form", form);
    }
}

/* Reads the lines of a case up to its end. */
static inline void next_case(reader_t *r, case_t *c) {
    const char *line;
    while ((line = next_word(r)) && strcmp(line, "end") != 0) {
        if (strcmp(line, "dtypes") == 0) {
            c->num_dtypes = next_count(r, MOST_DTYPES);
            for (int32_t i = 0; i < c->num_dtypes; i++) c->dtypes[i] = (int32_t)next_int(r);
        } else if (strcmp(line, "settings") == 0) {
            c->training = next_int(r) != 0;
            c->tolerance = next_number(r);
            c->precision = next_number(r);
        } else if (strcmp(line, "attr") == 0) {
            if (c->num_attrs == MOST_ATTRS) broken("too many attributes", NULL);
            next_attr(r, &c->attrs[c->num_attrs++]);
        } else if (strcmp(line, "input") == 0) {
            int32_t dtype = (int32_t)next_int(r);
            next_tensor(r, c->inputs, &c->num_inputs, dtype, 0);
        } else if (strcmp(line, "error") == 0) {
            c->error = next_text(r, NULL);
        } else if (strcmp(line, "output") == 0) {
            next_tensor(r, c->outputs, &c->num_outputs, -1, 0);
        } else if (strcmp(line, "gradient") == 0) {
            next_tensor(r, c->gradients, &c->num_gradients, -1, 0);
        } else if (strcmp(line, "state") == 0) {
            int32_t input = next_count(r, MOST_TENSORS - 1);
            next_tensor(r, c->states, &c->num_states, -1, input);
        } else {
            broken("there is no line", line);
        }
    }
    if (!line) broken("a case has no end", c->name);
}

#endif
