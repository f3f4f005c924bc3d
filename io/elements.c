/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/elements.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The bytes of an element as an integer, whatever the machine. */
static uint64_t bits_of(nnd_element e, const unsigned char *bytes) {
    uint64_t bits = 0;
    for (size_t i = 0; i < e.size; i++)
        bits |= (uint64_t)bytes[e.big ? e.size - 1 - i : i] << (8 * i);
    return bits;
}

static double from_f64(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double from_f32(uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float x;
    memcpy(&x, &low, sizeof x);
    return (double)x;
}

/* IEEE 754 binary16: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. */
static double from_f16(uint64_t bits) {
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023), x;
    if (exponent == 31)
        x = fraction > 0.0 ? NAN : INFINITY;
    else if (exponent == 0)
        x = ldexp(fraction, -24);
    else
        x = ldexp(1024.0 + fraction, exponent - 25);
    return bits >> 15 & 1 ? -x : x;
}

/* Two's complement of `size` bytes. */
static double from_signed(uint64_t bits, size_t size) {
    uint64_t sign = (uint64_t)1 << (8 * size - 1);
    return bits & sign ? -(double)((~bits + 1) & (2 * sign - 1)) : (double)bits;
}

static double decode(nnd_element e, const unsigned char *bytes) {
    uint64_t bits = bits_of(e, bytes);
    switch (e.kind) {
    case NND_ELEMENT_F64:
        return from_f64(bits);
    case NND_ELEMENT_F32:
        return from_f32(bits);
    case NND_ELEMENT_F16:
        return from_f16(bits);
    case NND_ELEMENT_BF16:
        return from_f32(bits << 16);
    case NND_ELEMENT_SIGNED:
        return from_signed(bits, e.size);
    case NND_ELEMENT_UNSIGNED:
        return (double)bits;
    case NND_ELEMENT_NONE:
        break;
    }
    return NAN;
}

/* Floats as the machine has them, which most are. */
static bool copy_native(nnd_element e, size_t count, const unsigned char *bytes, double *value) {
    float x;
    if (e.big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
        return false;
    if (e.kind == NND_ELEMENT_F64)
        memcpy(value, bytes, count * sizeof *value);
    for (size_t i = 0; e.kind == NND_ELEMENT_F32 && i < count; i++) {
        memcpy(&x, bytes + i * sizeof x, sizeof x);
        value[i] = (double)x;
    }
    return e.kind == NND_ELEMENT_F64 || e.kind == NND_ELEMENT_F32;
}

void nnd_elements_decode(nnd_element element, size_t count, const unsigned char *bytes,
                         double *value) {
    if (copy_native(element, count, bytes, value))
        return;
    for (size_t i = 0; i < count; i++)
        value[i] = decode(element, bytes + i * element.size);
}
