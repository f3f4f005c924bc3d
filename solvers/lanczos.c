/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/lanczos.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Steps between looks at the tridiagonal matrix. */
enum { LOOK_EVERY = 8 };

struct nnd_lanczos {
    nnd_context *ctx;
    size_t n, steps, room; /* room: the largest number of steps */
    double *basis;         /* steps + 1 rows of n */
    double *alpha, *beta;  /* of the tridiagonal matrix */
    double *d, *e, *z, *w; /* copies, eigenvectors (steps x steps), eigenvalues */
    double *overlap;
    lapack_int *support;
};

nnd_status nnd_lanczos_new(nnd_context *ctx, size_t n, size_t steps, nnd_lanczos **lanczos) {
    nnd_lanczos *l = calloc(1, sizeof *l);
    if (l == NULL)
        return nnd_fail_memory(ctx, "Lanczos vectors");
    size_t m = steps < n ? steps : n;
    l->ctx = ctx;
    l->n = n;
    l->steps = l->room = m;
    l->basis = calloc((m + 1) * n, sizeof(double));
    l->alpha = calloc(m + 1, sizeof(double));
    l->beta = calloc(m + 1, sizeof(double));
    l->d = calloc(m + 1, sizeof(double));
    l->e = calloc(m + 1, sizeof(double));
    l->w = calloc(m + 1, sizeof(double));
    l->z = calloc((m + 1) * (m + 1), sizeof(double));
    l->overlap = calloc(m + 1, sizeof(double));
    l->support = calloc(2 * m + 2, sizeof(lapack_int));
    if (l->basis == NULL || l->alpha == NULL || l->beta == NULL || l->d == NULL || l->e == NULL ||
        l->w == NULL || l->z == NULL || l->overlap == NULL || l->support == NULL) {
        nnd_lanczos_free(l);
        return nnd_fail_memory(ctx, "Lanczos vectors");
    }
    *lanczos = l;
    return NND_OK;
}

void nnd_lanczos_resize(nnd_lanczos *l, size_t n) {
    l->n = n;
    l->steps = l->room < n ? l->room : n;
}

void nnd_lanczos_free(nnd_lanczos *l) {
    if (l == NULL)
        return;
    free(l->basis);
    free(l->alpha);
    free(l->beta);
    free(l->d);
    free(l->e);
    free(l->w);
    free(l->z);
    free(l->overlap);
    free(l->support);
    free(l);
}

/* Takes the projections on the first j basis vectors off the vector after them, twice. */
static void orthogonalise(nnd_lanczos *l, size_t j) {
    int n = (int)l->n, rows = (int)j;
    double *w = l->basis + j * l->n;
    for (int pass = 0; pass < 2; pass++) {
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, n, 1.0, l->basis, n, w, 1, 0.0, l->overlap,
                    1);
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, n, -1.0, l->basis, n, l->overlap, 1, 1.0, w,
                    1);
    }
}

/* Step j: basis vector j + 1 from the image of vector j. False when the space is exhausted. */
static bool step(nnd_lanczos *l, nnd_operator apply, void *data, size_t j) {
    int n = (int)l->n;
    double *v = l->basis + j * l->n, *w = v + l->n;
    apply(data, v, w);
    l->alpha[j] = cblas_ddot(n, v, 1, w, 1);
    orthogonalise(l, j + 1);
    l->beta[j] = cblas_dnrm2(n, w, 1);
    if (!(l->beta[j] > 1e-14 * fabs(l->alpha[0])) || j + 1 == l->n)
        return false;
    cblas_dscal(n, 1.0 / l->beta[j], w, 1);
    return true;
}

/* Largest `count` eigenpairs of the tridiagonal matrix of m steps, ascending, in w and z. */
static bool ritz(nnd_lanczos *l, size_t m, size_t count) {
    lapack_int found, n = (lapack_int)m, first = (lapack_int)(m - count + 1);
    memcpy(l->d, l->alpha, m * sizeof(double));
    memcpy(l->e, l->beta, m * sizeof(double));
    return LAPACKE_dstevr(LAPACK_COL_MAJOR, 'V', 'I', n, l->d, l->e, 0.0, 0.0, first, n, 0.0,
                          &found, l->w, l->z, n, l->support) == 0;
}

/* Residual of a Ritz pair: beta_m times the last entry of its vector. */
static bool converged(const nnd_lanczos *l, size_t m, size_t count, double tolerance) {
    double bound = tolerance * fabs(l->w[count - 1]);
    for (size_t k = 0; k < count; k++)
        if (fabs(l->beta[m - 1] * l->z[k * m + m - 1]) > bound)
            return false;
    return true;
}

static void read_out(const nnd_lanczos *l, size_t m, size_t found, size_t count, double *value,
                     double *vector) {
    for (size_t k = 0; k < count; k++) {
        value[k] = k < found ? l->w[found - 1 - k] : NAN;
        if (vector != NULL && k < found)
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)m, (int)l->n, 1.0, l->basis, (int)l->n,
                        l->z + (found - 1 - k) * m, 1, 0.0, vector + k * l->n, 1);
    }
}

nnd_status nnd_lanczos_largest(nnd_lanczos *l, nnd_operator apply, void *data, const double *start,
                               size_t count, double tolerance, double *value, double *vector,
                               size_t *taken) {
    int n = (int)l->n;
    size_t m = 0, found = 0;
    bool more = true, done = false, readable = true;
    memcpy(l->basis, start, l->n * sizeof(double));
    cblas_dscal(n, 1.0 / cblas_dnrm2(n, start, 1), l->basis, 1);
    while (more && !done && readable) {
        more = step(l, apply, data, m++) && m < l->steps;
        if (more && (m < count + 2 || m % LOOK_EVERY != 0))
            continue;
        found = count < m ? count : m;
        readable = ritz(l, m, found);
        done = readable && converged(l, m, found, tolerance);
    }
    if (taken != NULL)
        *taken = m;
    if (!readable)
        return nnd_fail(l->ctx, NND_E_INPUT, "an operator has no finite eigenvalues");
    read_out(l, m, found, count, value, vector);
    return done ? NND_OK : NND_NOT_CONVERGED;
}
