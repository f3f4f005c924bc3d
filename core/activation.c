/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/activation.h"

#include "core/rows.h"

#include <math.h>
#include <string.h>

/* glibc has vector versions of these, which the compiler does not know of without -ffast-math. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
__attribute__((simd("notinbranch"))) double tanh(double x);
__attribute__((simd("notinbranch"))) double erf(double x);
__attribute__((simd("notinbranch"))) double exp(double x);
__attribute__((simd("notinbranch"))) double log1p(double x);
#define VECTORISE _Pragma("omp simd")
#else
#define VECTORISE
#endif

/* Points of a block: the scratch stays in the first cache. Blocks are filled up to whole vectors,
 * so that the bits of a value do not depend on where it stands. */
enum { BLOCK = 256, VECTOR = 16 };

static const double INV_SQRT_PI = 0.56418958354775628695;
static const double INV_SQRT_2PI = 0.39894228040143267794;
static const double SQRT1_2 = 0.70710678118654752440;

/* phi0 and derivatives at a block of points; every output is written. */
typedef void (*kernel)(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                       double *f3);

static void linear(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                   double *f3) {
    (void)width;
    for (size_t i = 0; i < n; i++) {
        f0[i] = x[i];
        f1[i] = 1.0;
        f2[i] = f3[i] = 0.0;
    }
}

static void tanh_sharp(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                       double *f3) {
    (void)width;
    VECTORISE
    for (size_t i = 0; i < n; i++)
        f0[i] = tanh(x[i]);
    for (size_t i = 0; i < n; i++) {
        f1[i] = 1.0 - f0[i] * f0[i];
        f2[i] = -2.0 * f0[i] * f1[i];
        f3[i] = f1[i] * (6.0 * f0[i] * f0[i] - 2.0);
    }
}

/* The Gaussian average of erf(x + w y) is erf(x/sqrt(1 + 2 w^2)). */
static void erf_any(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                    double *f3) {
    double s = 1.0 / sqrt(1.0 + 2.0 * width * width);
    VECTORISE
    for (size_t i = 0; i < n; i++)
        f0[i] = erf(s * x[i]);
    VECTORISE
    for (size_t i = 0; i < n; i++)
        f1[i] = 2.0 * s * INV_SQRT_PI * exp(-s * s * x[i] * x[i]);
    for (size_t i = 0; i < n; i++) {
        double u = s * s * x[i];
        f2[i] = -2.0 * u * f1[i];
        f3[i] = (4.0 * u * u - 2.0 * s * s) * f1[i];
    }
}

static void relu_sharp(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                       double *f3) {
    (void)width;
    for (size_t i = 0; i < n; i++) {
        /* NaN stays NaN. */
        f0[i] = x[i] <= 0.0 ? 0.0 : x[i];
        f1[i] = x[i] > 0.0 ? 1.0 : 0.0;
        f2[i] = f3[i] = 0.0;
    }
}

/* N(s x), the normal distribution function, and s n(s x), its density. */
static void normal_step(size_t n, const double *x, double s, double *step, double *density) {
    VECTORISE
    for (size_t i = 0; i < n; i++)
        step[i] = 0.5 + 0.5 * erf(SQRT1_2 * s * x[i]);
    VECTORISE
    for (size_t i = 0; i < n; i++)
        density[i] = s * INV_SQRT_2PI * exp(-0.5 * s * s * x[i] * x[i]);
}

/* relu, smoothed: fluctuations.md#s1-6. */
static void relu_smooth(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                        double *f3) {
    double s = 1.0 / width;
    normal_step(n, x, s, f1, f2);
    for (size_t i = 0; i < n; i++) {
        f0[i] = x[i] * f1[i] + width * width * f2[i];
        f3[i] = -s * s * x[i] * f2[i];
    }
}

/* x N(x) averaged: x N(x/r) + w^2 n(x/r)/r with r^2 = 1 + w^2. */
static void gelu_any(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                     double *f3) {
    double v = width * width, s = 1.0 / sqrt(1.0 + v);
    normal_step(n, x, s, f1, f2);
    for (size_t i = 0; i < n; i++) {
        /* f0 = x N + v g, g' = -u g with u = s^2 x; f0' = N + (x - v u) g = N + u g. */
        double step = f1[i], g = f2[i], ss = s * s, u = ss * x[i];
        f0[i] = x[i] * step + v * g;
        f1[i] = step + u * g;
        f2[i] = (1.0 + ss - u * u) * g;
        f3[i] = u * (u * u - 1.0 - 3.0 * ss) * g;
    }
}

/* gelu with tanh u in place of its erf (Hendrycks & Gimpel, arXiv 1606.08415), u = c (x + a x^3):
 * x (1 + tanh u)/2. Where tanh u is 1 to the last bit, u is kept from overflow. */
static void tanh_gelu_sharp(size_t n, const double *x, double width, double *f0, double *f1,
                            double *f2, double *f3) {
    const double c = 0.79788456080286535588, a = 0.044715, saturated = 16.0;
    (void)width;
    for (size_t i = 0; i < n; i++) {
        f2[i] = x[i] > saturated ? saturated : x[i] < -saturated ? -saturated : x[i];
        f1[i] = c * f2[i] * (1.0 + a * f2[i] * f2[i]);
    }
    VECTORISE
    for (size_t i = 0; i < n; i++)
        f0[i] = tanh(f1[i]);
    for (size_t i = 0; i < n; i++) {
        double at = f2[i], t = f0[i], s = 1.0 - t * t;
        double u1 = c * (1.0 + 3.0 * a * at * at), u2 = 6.0 * c * a * at, u3 = 6.0 * c * a;
        double t1 = s * u1, t2 = s * (u2 - 2.0 * t * u1 * u1);
        double t3 = s * (u3 - 6.0 * t * u1 * u2 + (6.0 * t * t - 2.0) * u1 * u1 * u1);
        f0[i] = 0.5 * x[i] * (1.0 + t);
        f1[i] = 0.5 * (1.0 + t + x[i] * t1);
        f2[i] = t1 + 0.5 * x[i] * t2;
        f3[i] = 1.5 * t2 + 0.5 * x[i] * t3;
    }
}

static void softplus_sharp(size_t n, const double *x, double width, double *f0, double *f1,
                           double *f2, double *f3) {
    (void)width;
    VECTORISE
    for (size_t i = 0; i < n; i++)
        f3[i] = exp(-fabs(x[i]));
    VECTORISE
    for (size_t i = 0; i < n; i++)
        f0[i] = log1p(f3[i]);
    for (size_t i = 0; i < n; i++) {
        double e = f3[i], half = 1.0 / (1.0 + e);
        /* Written so that NaN stays NaN. */
        f0[i] += x[i] <= 0.0 ? 0.0 : x[i];
        f1[i] = x[i] >= 0.0 ? half : 1.0 - half;
        f2[i] = e * half * half;
        f3[i] = f2[i] * (1.0 - 2.0 * f1[i]);
    }
}

/*
 * Gaussian average by the trapezoidal rule, which converges faster than any power for functions
 * analytic in a strip: tanh, softplus and the tanh of gelu have poles at distance pi/2, pi and 2.8.
 */
static void smooth(kernel sharp, size_t n, const double *x, double width, double *f0, double *f1,
                   double *f2, double *f3) {
    enum { HALF = 64 };
    const double reach = 8.5, step = reach / HALF;
    double at[BLOCK], g[4][BLOCK];
    double *const f[] = {f0, f1, f2, f3};
    for (size_t k = 0; k < 4; k++)
        memset(f[k], 0, n * sizeof(double));
    for (int j = -HALF; j <= HALF; j++) {
        double y = step * j, weight = step * INV_SQRT_2PI * exp(-0.5 * y * y);
        for (size_t i = 0; i < n; i++)
            at[i] = x[i] + width * y;
        sharp(n, at, 0.0, g[0], g[1], g[2], g[3]);
        for (size_t k = 0; k < 4; k++)
            for (size_t i = 0; i < n; i++)
                f[k][i] += weight * g[k][i];
    }
}

static void tanh_smooth(size_t n, const double *x, double width, double *f0, double *f1, double *f2,
                        double *f3) {
    smooth(tanh_sharp, n, x, width, f0, f1, f2, f3);
}

static void softplus_smooth(size_t n, const double *x, double width, double *f0, double *f1,
                            double *f2, double *f3) {
    smooth(softplus_sharp, n, x, width, f0, f1, f2, f3);
}

static void tanh_gelu_smooth(size_t n, const double *x, double width, double *f0, double *f1,
                             double *f2, double *f3) {
    smooth(tanh_gelu_sharp, n, x, width, f0, f1, f2, f3);
}

static kernel kernel_of(const nnd_activation *a) {
    bool sharp = a->smoothing == 0.0;
    switch ((nnd_activation_kind)a->name) {
    case NND_LINEAR:
        return linear;
    case NND_TANH:
        return sharp ? tanh_sharp : tanh_smooth;
    case NND_ERF:
        return erf_any;
    case NND_RELU:
        return sharp ? relu_sharp : relu_smooth;
    case NND_GELU:
        return gelu_any;
    case NND_SOFTPLUS:
        return sharp ? softplus_sharp : softplus_smooth;
    case NND_TANH_GELU:
        return sharp ? tanh_gelu_sharp : tanh_gelu_smooth;
    }
    return linear;
}

void nnd_activation_apply(const nnd_activation *a, size_t n, const double *h, double *phi,
                          double *d1, double *d2, double *d3) {
    kernel evaluate = kernel_of(a);
    double x[BLOCK], f[4][BLOCK];
    double *const out[] = {phi, d1, d2, d3};
    for (size_t first = 0; first < n; first += BLOCK) {
        size_t count = n - first < BLOCK ? n - first : BLOCK;
        for (size_t i = 0; i < count; i++)
            x[i] = a->gain * h[first + i];
        size_t whole = (count + VECTOR - 1) / VECTOR * VECTOR;
        for (size_t i = count; i < whole; i++)
            x[i] = 0.0;
        evaluate(whole, x, a->gain * a->smoothing, f[0], f[1], f[2], f[3]);
        double factor = a->scale / a->gain;
        for (size_t k = 0; k < 4; k++, factor *= a->gain)
            for (size_t i = 0; out[k] != NULL && i < count; i++)
                out[k][first + i] = factor * f[k][i];
    }
}

bool nnd_activation_is_odd(const nnd_activation *a) {
    return a->name == NND_LINEAR || a->name == NND_TANH || a->name == NND_ERF;
}

bool nnd_activation_has_kink(const nnd_activation *a) {
    return a->name == NND_RELU && a->smoothing == 0.0;
}

bool nnd_activation_is_homogeneous(const nnd_activation *a) {
    return a->name == NND_LINEAR || nnd_activation_has_kink(a);
}

static const char *const NAMES[] = {"linear", "tanh",     "erf",       "relu",
                                    "gelu",   "softplus", "tanh-gelu", NULL};

static const nnd_param PARAMS[] = {
    {"name", NND_FIELD(CHOICE, nnd_activation, name), "tanh", NND_ANY,
     "phi0; erf has no 1/sqrt(2) inside, relu no sqrt(2)", .choices = NAMES},
    {"gain", NND_FIELD(REAL, nnd_activation, gain), "1", NND_POSITIVE,
     "a in phi(h) = s phi0(a h)/a"},
    {"scale", NND_FIELD(REAL, nnd_activation, scale), "1", NND_POSITIVE,
     "s in phi(h) = s phi0(a h)/a"},
    {"smoothing", NND_FIELD(REAL, nnd_activation, smoothing), "0", NND_NON_NEGATIVE,
     "width of a Gaussian over which phi is averaged"},
};

const nnd_param_table nnd_activation_table = NND_TABLE(PARAMS, nnd_activation);
