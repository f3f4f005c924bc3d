/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/lanczos.h"

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

/* Which ends of the spectrum are wanted, and how many eigenvalues of each. */
typedef struct {
    size_t largest, smallest;
} ends;

/* Eigenpairs first..last (counted from 1, ascending) of the tridiagonal matrix of m steps, into w
 * and z from position `at`. */
static bool ritz_range(nnd_lanczos *l, size_t m, size_t first, size_t last, size_t at) {
    lapack_int found;
    if (last < first)
        return true;
    memcpy(l->d, l->alpha, m * sizeof(double));
    memcpy(l->e, l->beta, m * sizeof(double));
    return LAPACKE_dstevr(LAPACK_COL_MAJOR, 'V', 'I', (lapack_int)m, l->d, l->e, 0.0, 0.0,
                          (lapack_int)first, (lapack_int)last, 0.0, &found, l->w + at,
                          l->z + at * m, (lapack_int)m, l->support) == 0;
}

/* The smallest eigenpairs, then the largest ones, ascending. */
static bool ritz(nnd_lanczos *l, size_t m, ends found) {
    return ritz_range(l, m, 1, found.smallest, 0) &&
           ritz_range(l, m, m - found.largest + 1, m, found.smallest);
}

/* Residual of a Ritz pair: beta_m times the last entry of its vector. */
static bool converged(const nnd_lanczos *l, size_t m, ends found, double tolerance) {
    size_t count = found.smallest + found.largest;
    double bound = tolerance * fmax(fabs(l->w[0]), fabs(l->w[count - 1]));
    for (size_t k = 0; k < count; k++)
        if (fabs(l->beta[m - 1] * l->z[k * m + m - 1]) > bound)
            return false;
    return true;
}

/* Ritz pair `from` as the pair `to` of the answer. */
static void read_out(const nnd_lanczos *l, size_t m, size_t from, size_t to, double *value,
                     double *vector) {
    value[to] = l->w[from];
    if (vector != NULL)
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)m, (int)l->n, 1.0, l->basis, (int)l->n,
                    l->z + from * m, 1, 0.0, vector + to * l->n, 1);
}

/* The first basis vector is the start, of norm 1. */
static void begin(nnd_lanczos *l, const double *start) {
    int n = (int)l->n;
    memcpy(l->basis, start, l->n * sizeof(double));
    cblas_dscal(n, 1.0 / cblas_dnrm2(n, start, 1), l->basis, 1);
}

/* Takes steps until the wanted ends have converged, or the space or the room is exhausted. */
static nnd_status search(nnd_lanczos *l, nnd_operator apply, void *data, const double *start,
                         ends wanted, double tolerance, ends *found, size_t *taken) {
    size_t m = 0;
    bool more = true, done = false, readable = true;
    begin(l, start);
    while (more && !done && readable) {
        more = step(l, apply, data, m++) && m < l->steps;
        if (more && (m < wanted.largest + wanted.smallest + 2 || m % LOOK_EVERY != 0))
            continue;
        found->largest = wanted.largest < m ? wanted.largest : m;
        found->smallest = wanted.smallest < m ? wanted.smallest : m;
        readable = ritz(l, m, *found);
        done = readable && converged(l, m, *found, tolerance);
    }
    *taken = m;
    if (!readable)
        return nnd_fail(l->ctx, NND_E_INPUT, "an operator has no finite eigenvalues");
    return done ? NND_OK : NND_NOT_CONVERGED;
}

nnd_status nnd_lanczos_largest(nnd_lanczos *l, nnd_operator apply, void *data, const double *start,
                               size_t count, double tolerance, double *value, double *vector,
                               size_t *taken) {
    size_t m;
    ends found;
    nnd_status status =
        search(l, apply, data, start, (ends){.largest = count}, tolerance, &found, &m);
    if (taken != NULL)
        *taken = m;
    for (size_t k = 0; status >= NND_OK && k < count; k++) {
        value[k] = NAN;
        if (k < found.largest)
            read_out(l, m, found.largest - 1 - k, k, value, vector);
    }
    return status;
}

nnd_status nnd_lanczos_extremes(nnd_lanczos *l, nnd_operator apply, void *data, const double *start,
                                double tolerance, double *value, double *vector, size_t *taken) {
    size_t m;
    ends found;
    nnd_status status =
        search(l, apply, data, start, (ends){.largest = 1, .smallest = 1}, tolerance, &found, &m);
    if (taken != NULL)
        *taken = m;
    if (status < NND_OK)
        return status;
    read_out(l, m, 1, 0, value, vector);
    read_out(l, m, 0, 1, value, vector);
    return status;
}

/* ---- several eigenvalues, with multiplicities ---- */

/* An operator whose eigenvectors found so far have the eigenvalue `below` instead. */
typedef struct {
    nnd_operator apply;
    void *data;
    size_t n, found;
    const double *value, *vector;
    double below;
} deflated;

static void apply_deflated(void *data, const double *x, double *y) {
    const deflated *d = data;
    int n = (int)d->n;
    d->apply(d->data, x, y);
    for (size_t k = 0; k < d->found; k++) {
        const double *v = d->vector + k * d->n;
        cblas_daxpy(n, (d->below - d->value[k]) * cblas_ddot(n, v, 1, x, 1), v, 1, y, 1);
    }
}

/* sqrt(sum_k |A v_k - value_k v_k|^2); the basis serves as scratch. */
static double residual_norm(nnd_lanczos *l, nnd_operator apply, void *data, size_t count,
                            const double *value, const double *vector) {
    double sum = 0.0;
    for (size_t k = 0; k < count; k++) {
        apply(data, vector + k * l->n, l->basis);
        cblas_daxpy((int)l->n, -value[k], vector + k * l->n, 1, l->basis, 1);
        sum += cblas_ddot((int)l->n, l->basis, 1, l->basis, 1);
    }
    return sqrt(sum);
}

static void exchange(size_t n, double *x, double *y) {
    for (size_t i = 0; i < n; i++) {
        double old = x[i];
        x[i] = y[i];
        y[i] = old;
    }
}

/* Brings the pair k, which a later search may have found above those before it, to its place. */
static void sort_in(size_t n, size_t k, double *value, double *vector) {
    for (; k > 0 && value[k] > value[k - 1]; k--) {
        exchange(1, value + k, value + k - 1);
        exchange(n, vector + k * n, vector + (k - 1) * n);
    }
}

nnd_status nnd_lanczos_leading(nnd_lanczos *l, nnd_operator apply, void *data, size_t count,
                               const double *start, double tolerance, double *value, double *vector,
                               double *error) {
    size_t n = l->n;
    deflated d = {apply, data, n, 0, value, vector, 0.0};
    double end[2], *pair = malloc(2 * n * sizeof *pair);
    nnd_status worst = NND_OK;
    if (pair == NULL)
        return nnd_fail_memory(l->ctx, "Lanczos vectors");
    for (size_t k = 0; k < count; d.found = ++k) {
        nnd_status status =
            nnd_lanczos_extremes(l, apply_deflated, &d, start + k * n, tolerance, end, pair, NULL);
        worst = status < NND_OK || status > worst ? status : worst;
        if (worst < NND_OK)
            break;
        value[k] = end[0];
        memcpy(vector + k * n, pair, n * sizeof *pair);
        if (k == 0) {
            value[count] = end[1];
            memcpy(vector + count * n, pair + n, n * sizeof *pair);
            d.below = -2.0 * fmax(fabs(end[0]), fabs(end[1]));
        }
        sort_in(n, k, value, vector);
    }
    free(pair);
    if (worst >= NND_OK)
        *error = residual_norm(l, apply, data, count + 1, value, vector);
    return worst;
}

/* Weights are the squares of the first components of the eigenvectors. */
nnd_status nnd_lanczos_rule(nnd_lanczos *l, nnd_operator apply, void *data, const double *start,
                            size_t *count, double *node, double *weight) {
    size_t m = 0;
    begin(l, start);
    while (step(l, apply, data, m++) && m < l->steps)
        continue;
    memcpy(l->d, l->alpha, m * sizeof(double));
    memcpy(l->e, l->beta, m * sizeof(double));
    if (LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', (lapack_int)m, l->d, l->e, l->z, (lapack_int)m) != 0)
        return nnd_fail(l->ctx, NND_E_UNSOLVED, "an operator has no finite eigenvalues");
    for (size_t k = 0; k < m; k++) {
        node[k] = l->d[k];
        weight[k] = l->z[k * m] * l->z[k * m];
    }
    *count = m;
    return NND_OK;
}
