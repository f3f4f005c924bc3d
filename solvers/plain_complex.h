/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Complex numbers in real arithmetic: products and quotients without the branches by which those of
 * C look after infinities, so that loops over them become vector instructions. Squares of absolute
 * values must neither overflow nor underflow.
 */
#ifndef NNDMFT_SOLVERS_PLAIN_COMPLEX_H
#define NNDMFT_SOLVERS_PLAIN_COMPLEX_H

#include "solvers/cmplx.h"

typedef struct {
    double re, im;
} nnd_plain;

static inline nnd_plain nnd_plain_of(double complex x) {
    return (nnd_plain){creal(x), cimag(x)};
}

static inline double complex nnd_plain_value(nnd_plain x) {
    return CMPLX(x.re, x.im);
}

static inline nnd_plain nnd_plus(nnd_plain x, nnd_plain y) {
    return (nnd_plain){x.re + y.re, x.im + y.im};
}

static inline nnd_plain nnd_minus(nnd_plain x, nnd_plain y) {
    return (nnd_plain){x.re - y.re, x.im - y.im};
}

static inline nnd_plain nnd_scaled(double a, nnd_plain x) {
    return (nnd_plain){a * x.re, a * x.im};
}

static inline nnd_plain nnd_times(nnd_plain x, nnd_plain y) {
    return (nnd_plain){x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}

/** 1/x */
static inline nnd_plain nnd_inverse(nnd_plain x) {
    double scale = 1.0 / (x.re * x.re + x.im * x.im);
    return (nnd_plain){scale * x.re, -scale * x.im};
}

#endif
