/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/quadratic.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static nnd_status allocate(nnd_context *ctx, size_t dim, size_t modes, nnd_quadratic *q) {
    *q = (nnd_quadratic){.dim = dim};
    q->covariance = calloc(dim * dim, sizeof(double));
    q->root = calloc(dim * dim, sizeof(double));
    q->minimizer = calloc(dim, sizeof(double));
    q->eigenvalue = calloc(modes, sizeof(double));
    q->mode = calloc(modes * dim, sizeof(double));
    if (q->covariance == NULL || q->root == NULL || q->minimizer == NULL || q->eigenvalue == NULL ||
        q->mode == NULL)
        return nnd_fail_memory(ctx, "a quadratic loss");
    return NND_OK;
}

void nnd_quadratic_clear(nnd_quadratic *q) {
    free(q->covariance);
    free(q->root);
    free(q->minimizer);
    free(q->eigenvalue);
    free(q->mode);
    *q = (nnd_quadratic){0};
}

static bool finite_all(size_t n, const double *x) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* out = sum over modes of f(eigenvalue) mode mode'. */
static void compose(const nnd_quadratic *q, double (*f)(double), double *out) {
    int n = (int)q->dim;
    memset(out, 0, q->dim * q->dim * sizeof(double));
    for (size_t k = 0; k < q->rank; k++)
        cblas_dger(CblasRowMajor, n, n, f(q->eigenvalue[k]), q->mode + k * q->dim, 1,
                   q->mode + k * q->dim, 1, out, n);
}

static double identity(double x) {
    return x;
}

/* What follows from the modes and w*; refuses what leaves nothing to learn. */
static nnd_status finish(nnd_context *ctx, nnd_quadratic *q) {
    if (q->rank == 0)
        return nnd_fail(ctx, NND_E_INPUT, "the covariance of the inputs is 0");
    if (!(cblas_dnrm2((int)q->dim, q->minimizer, 1) > 0.0))
        return nnd_fail(ctx, NND_E_INPUT,
                        "the target has no linear part (w* = 0): there is nothing to learn");
    compose(q, identity, q->covariance);
    compose(q, sqrt, q->root);
    return NND_OK;
}

/* Eigenvalues (row-major eigenvectors as columns of `vectors`) to modes, descending. */
static nnd_status take_modes(nnd_context *ctx, const double *value, const double *vectors,
                             nnd_quadratic *q) {
    size_t d = q->dim;
    double largest = value[d - 1], rounding = (double)d * DBL_EPSILON * fmax(largest, 0.0);
    if (value[0] < -1e-9 * fabs(largest))
        return nnd_fail(ctx, NND_E_INPUT,
                        "the covariance has a negative eigenvalue, %g; allowed: none below 0",
                        value[0]);
    for (size_t k = d; k-- > 0 && value[k] > rounding; q->rank++) {
        q->eigenvalue[q->rank] = value[k];
        for (size_t i = 0; i < d; i++)
            q->mode[q->rank * d + i] = vectors[i * d + k];
    }
    return NND_OK;
}

/* The part of `w` in the range of S, and the length of the rest. */
static void project(nnd_quadratic *q, const double *w) {
    int n = (int)q->dim;
    for (size_t k = 0; k < q->rank; k++)
        cblas_daxpy(n, cblas_ddot(n, q->mode + k * q->dim, 1, w, 1), q->mode + k * q->dim, 1,
                    q->minimizer, 1);
    double rest = 0.0;
    for (size_t i = 0; i < q->dim; i++)
        rest += (w[i] - q->minimizer[i]) * (w[i] - q->minimizer[i]);
    q->ignored = sqrt(rest);
    if (q->rank == q->dim || q->ignored <= 1e-12 * cblas_dnrm2(n, w, 1))
        q->ignored = 0.0;
}

nnd_status nnd_quadratic_make(nnd_context *ctx, size_t dim, const double *covariance,
                              const double *minimizer, nnd_quadratic *q) {
    nnd_status status = allocate(ctx, dim, dim, q);
    double *vectors = calloc(dim * dim, sizeof(double)), *value = calloc(dim, sizeof(double));
    if (status == NND_OK && (vectors == NULL || value == NULL))
        status = nnd_fail_memory(ctx, "a quadratic loss");
    if (status == NND_OK && (!finite_all(dim * dim, covariance) || !finite_all(dim, minimizer)))
        status = nnd_fail(ctx, NND_E_INPUT, "the covariance or the minimizer is not finite");
    if (status == NND_OK) {
        memcpy(vectors, covariance, dim * dim * sizeof(double));
        if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)dim, vectors, (lapack_int)dim,
                          value) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "the covariance cannot be diagonalised");
    }
    if (status == NND_OK)
        status = take_modes(ctx, value, vectors, q);
    if (status == NND_OK) {
        project(q, minimizer);
        status = finish(ctx, q);
    }
    free(vectors);
    free(value);
    return status;
}

/* X = U diag(s) V': modes V', eigenvalues s^2/n, w* = V s^+ U'y. */
static void take_fit(size_t samples, size_t least, const double *u, const double *s,
                     const double *vt, const double *targets, nnd_quadratic *q) {
    size_t d = q->dim, larger = samples > d ? samples : d;
    double rounding = (double)larger * DBL_EPSILON * s[0], explained = 0.0;
    for (size_t k = 0; k < least && s[k] > rounding; k++, q->rank++) {
        double along = cblas_ddot((int)samples, u + k, (int)least, targets, 1);
        q->eigenvalue[k] = s[k] * s[k] / (double)samples;
        memcpy(q->mode + k * d, vt + k * d, d * sizeof(double));
        cblas_daxpy((int)d, along / s[k], vt + k * d, 1, q->minimizer, 1);
        explained += along * along;
    }
    double all = cblas_ddot((int)samples, targets, 1, targets, 1);
    /* A w* made of rounding is none. */
    if (explained <= (double)larger * DBL_EPSILON * DBL_EPSILON * all)
        memset(q->minimizer, 0, d * sizeof(double));
}

static double mean_square_error(size_t samples, size_t dim, const double *inputs,
                                const double *targets, const double *w) {
    double sum = 0.0;
    for (size_t i = 0; i < samples; i++) {
        double error = cblas_ddot((int)dim, inputs + i * dim, 1, w, 1) - targets[i];
        sum += error * error;
    }
    return sum / (double)samples;
}

nnd_status nnd_quadratic_fit(nnd_context *ctx, size_t samples, size_t dim, const double *inputs,
                             const double *targets, nnd_quadratic *q) {
    size_t least = samples < dim ? samples : dim;
    nnd_status status = allocate(ctx, dim, least, q);
    double *x = calloc(samples * dim, sizeof(double)), *u = calloc(samples * least, sizeof(double));
    double *s = calloc(least, sizeof(double)), *vt = calloc(least * dim, sizeof(double));
    if (status == NND_OK && (x == NULL || u == NULL || s == NULL || vt == NULL))
        status = nnd_fail_memory(ctx, "a quadratic loss");
    if (status == NND_OK && (!finite_all(samples * dim, inputs) || !finite_all(samples, targets)))
        status = nnd_fail(ctx, NND_E_INPUT, "the inputs or the targets are not finite");
    if (status == NND_OK) {
        memcpy(x, inputs, samples * dim * sizeof(double));
        if (LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)samples, (lapack_int)dim, x,
                           (lapack_int)dim, s, u, (lapack_int)least, vt, (lapack_int)dim) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "the inputs have no singular value decomposition");
    }
    if (status == NND_OK) {
        take_fit(samples, least, u, s, vt, targets, q);
        q->floor = mean_square_error(samples, dim, inputs, targets, q->minimizer);
        status = finish(ctx, q);
    }
    free(x);
    free(u);
    free(s);
    free(vt);
    return status;
}

void nnd_quadratic_gradient(const nnd_quadratic *q, const double *w, double *g) {
    size_t d = q->dim;
    for (size_t i = 0; i < d; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < d; j++)
            sum += q->covariance[i * d + j] * (w[j] - q->minimizer[j]);
        g[i] = 2.0 * sum;
    }
}

double nnd_quadratic_loss(const nnd_quadratic *q, const double *w) {
    double sum = 0.0;
    for (size_t k = 0; k < q->rank; k++) {
        double along = 0.0;
        for (size_t i = 0; i < q->dim; i++)
            along += q->mode[k * q->dim + i] * (w[i] - q->minimizer[i]);
        sum += q->eigenvalue[k] * along * along;
    }
    return sum + q->floor;
}

double nnd_quadratic_distance2(const nnd_quadratic *q, const double *w) {
    double sum = 0.0;
    for (size_t i = 0; i < q->dim; i++)
        sum += (w[i] - q->minimizer[i]) * (w[i] - q->minimizer[i]);
    return sum;
}
