/* Elements of every dtype from and to double. */
#ifndef MXR_TESTS_DTYPES_H
#define MXR_TESTS_DTYPES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline int is_float(int32_t dtype) {
    return dtype == MXR_FLOAT32 || dtype == MXR_FLOAT64 || dtype == MXR_FLOAT16 || dtype == MXR_BFLOAT16;
}

static inline int is_int(int32_t dtype) {
    return dtype == MXR_INT64 || dtype == MXR_INT32 || dtype == MXR_INT8 || dtype == MXR_UINT8;
}

static inline uint64_t size_of(int32_t dtype) {
    switch (dtype) {
    case MXR_FLOAT64: case MXR_INT64: return 8;
    case MXR_FLOAT32: case MXR_INT32: return 4;
    case MXR_FLOAT16: case MXR_BFLOAT16: return 2;
    default: return 1;
    }
}

/* The bits of the nearest number with so many exponent and fraction bits, 16 in all with the sign. */
static inline uint16_t to_16_bits(double v, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1, all_ones = (1 << exponent_bits) - 1;
    const unsigned sign = signbit(v) ? 0x8000u : 0u;
    if (isnan(v)) return (uint16_t)(((unsigned)all_ones << fraction_bits) | 1u << (fraction_bits - 1));
    int exponent = 2 - bias;
    if (v != 0 && !isinf(v)) frexp(v, &exponent);
    /* Subnormal numbers all have the smallest exponent. */
    if (exponent < 2 - bias) exponent = 2 - bias;
    double units = isinf(v) ? INFINITY : nearbyint(ldexp(fabs(v), fraction_bits + 1 - exponent));
    double bits = units + ldexp(exponent + bias - 2, fraction_bits);
    unsigned largest = (unsigned)all_ones << fraction_bits;
    return (uint16_t)(sign | (bits < largest ? (unsigned)bits : largest));
}

static inline double from_16_bits(uint16_t bits, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1, all_ones = (1 << exponent_bits) - 1;
    int exponent = (bits >> fraction_bits) & all_ones, fraction = bits & ((1 << fraction_bits) - 1);
    double value;
    if (exponent == all_ones) value = fraction ? NAN : INFINITY;
    else if (exponent == 0) value = ldexp(fraction, 1 - bias - fraction_bits);
    else value = ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
    return bits & 0x8000 ? -value : value;
}

/* Writes the nearest element to `to`. */
static inline void store(int32_t dtype, double v, void *to) {
    union { float f32; double f64; uint16_t u16; int8_t i8; uint8_t u8; int32_t i32; int64_t i64; } e;
    switch (dtype) {
    case MXR_FLOAT32: e.f32 = (float)v; break;
    case MXR_FLOAT64: e.f64 = v; break;
    case MXR_FLOAT16: e.u16 = to_16_bits(v, 5, 10); break;
    case MXR_BFLOAT16: e.u16 = to_16_bits(v, 8, 7); break;
    case MXR_INT8: e.i8 = (int8_t)v; break;
    case MXR_UINT8: e.u8 = (uint8_t)v; break;
    case MXR_INT32: e.i32 = (int32_t)v; break;
    case MXR_INT64: e.i64 = (int64_t)v; break;
    default: e.u8 = v != 0; break;
    }
    memcpy(to, &e, size_of(dtype));
}

static inline double load(int32_t dtype, const void *from) {
    union { float f32; double f64; uint16_t u16; int8_t i8; uint8_t u8; int32_t i32; int64_t i64; } e;
    memcpy(&e, from, size_of(dtype));
    switch (dtype) {
    case MXR_FLOAT32: return e.f32;
    case MXR_FLOAT64: return e.f64;
    case MXR_FLOAT16: return from_16_bits(e.u16, 5, 10);
    case MXR_BFLOAT16: return from_16_bits(e.u16, 8, 7);
    case MXR_INT8: return e.i8;
    case MXR_UINT8: return e.u8;
    case MXR_INT32: return e.i32;
    case MXR_INT64: return (double)e.i64;
    default: return e.u8 != 0;
    }
}

/* An integer as it is in memory of its dtype. */
static inline double wrapped(int32_t dtype, double v) {
    if (!is_int(dtype)) return v;
    int64_t i = v >= 9.2e18 ? INT64_MAX : v <= -9.2e18 ? INT64_MIN : (int64_t)v;
    switch (dtype) {
    case MXR_INT8: return (int8_t)(uint8_t)(uint64_t)i;
    case MXR_UINT8: return (uint8_t)(uint64_t)i;
    case MXR_INT32: return (int32_t)(uint32_t)(uint64_t)i;
    default: return (double)i;
    }
}

#endif
