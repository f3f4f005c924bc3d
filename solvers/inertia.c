/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/inertia.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 200 };
static const double PRECISION = 1e-12;

/* P of a block: L L^T if it is positive definite, else by Bunch and Kaufman. Lower triangles by
 * rows are upper ones by columns, as which LAPACK takes them. */
typedef struct {
    size_t n, first;
    bool positive;
    double *p, *factor; /* n x n */
    lapack_int *pivot;
    double *below;  /* F_{i+1,i}, next n x n */
    double *solved; /* positive: F_{i+1,i} L^-T, else F_{i+1,i} P^-1 */
} block;

struct nnd_inertia {
    nnd_context *ctx;
    nnd_inertia_problem problem;
    size_t size;
    block *block;
};

/* ---- set-up ---- */

static nnd_status make_block(nnd_context *ctx, block *b, size_t next) {
    b->p = malloc((b->n * b->n + 1) * sizeof *b->p);
    b->factor = malloc((b->n * b->n + 1) * sizeof *b->factor);
    b->pivot = malloc((b->n + 1) * sizeof *b->pivot);
    b->below = malloc((b->n * next + 1) * sizeof *b->below);
    b->solved = malloc((b->n * next + 1) * sizeof *b->solved);
    bool made = b->p != NULL && b->factor != NULL && b->pivot != NULL && b->below != NULL &&
                b->solved != NULL;
    return made ? NND_OK : nnd_fail_memory(ctx, "an inertia");
}

nnd_status nnd_inertia_new(nnd_context *ctx, const nnd_inertia_problem *problem, nnd_inertia **f) {
    nnd_inertia *made = calloc(1, sizeof *made);
    if (made != NULL)
        made->block = calloc(problem->blocks, sizeof *made->block);
    if (made == NULL || made->block == NULL) {
        free(made);
        return nnd_fail_memory(ctx, "an inertia");
    }
    made->ctx = ctx;
    made->problem = *problem;
    nnd_status status = NND_OK;
    for (size_t i = 0; i < problem->blocks && status == NND_OK; i++) {
        made->block[i].n = problem->rows[i];
        made->block[i].first = made->size;
        made->size += problem->rows[i];
        status =
            make_block(ctx, &made->block[i], i + 1 < problem->blocks ? problem->rows[i + 1] : 0);
    }
    *f = made;
    return status;
}

void nnd_inertia_free(nnd_inertia *f) {
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->problem.blocks; i++) {
        block *b = &f->block[i];
        free(b->p);
        free(b->factor);
        free(b->pivot);
        free(b->below);
        free(b->solved);
    }
    free(f->block);
    free(f);
}

size_t nnd_inertia_size(const nnd_inertia *f) {
    return f->size;
}

/* ---- elimination ---- */

static bool is_last(const nnd_inertia *f, size_t i) {
    return i + 1 == f->problem.blocks;
}

static void fill(nnd_inertia *f, double x, size_t i) {
    block *b = &f->block[i];
    size_t next = is_last(f, i) ? 0 : b[1].n;
    memset(b->p, 0, b->n * b->n * sizeof *b->p);
    memset(b->below, 0, b->n * next * sizeof *b->below);
    f->problem.fill(f->problem.data, x, i, b->p, next > 0 ? b->below : NULL);
}

/* Negative eigenvalues of the pivots of a factored block: 1 x 1, or 2 x 2 by determinant and trace.
 */
static size_t negative_pivots(const block *b) {
    size_t count = 0, n = b->n;
    for (size_t k = 0; k < n; k++) {
        double d = b->factor[k * n + k];
        if (b->pivot[k] > 0) {
            count += d < 0.0;
            continue;
        }
        double e = b->factor[(k + 1) * n + k], g = b->factor[(k + 1) * n + k + 1];
        count += d * g - e * e < 0.0 ? 1 : d + g < 0.0 ? 2 : 0;
        k++;
    }
    return count;
}

/* A pivot that is 0 stands for one of the size of rounding: what F is solved for then lies along
 * its null vector, as it should. */
static void fill_zero_pivots(block *b) {
    double largest = 0.0;
    for (size_t k = 0; k < b->n; k++)
        largest = fmax(largest, fabs(b->factor[k * b->n + k]));
    for (size_t k = 0; k < b->n; k++)
        if (b->pivot[k] > 0 && b->factor[k * b->n + k] == 0.0)
            b->factor[k * b->n + k] = DBL_EPSILON * DBL_EPSILON * largest;
}

static nnd_status factor_block(nnd_inertia *f, block *b, size_t *negative) {
    lapack_int n = (lapack_int)b->n;
    size_t bytes = b->n * b->n * sizeof *b->p;
    memcpy(b->factor, b->p, bytes);
    b->positive = n == 0 || LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, b->factor, n) == 0;
    if (b->positive)
        return NND_OK;
    memcpy(b->factor, b->p, bytes);
    if (LAPACKE_dsytrf(LAPACK_COL_MAJOR, 'U', n, b->factor, n, b->pivot) < 0)
        return nnd_fail(f->ctx, NND_E_UNSOLVED, "a matrix of an outlier is not finite");
    *negative += negative_pivots(b);
    fill_zero_pivots(b);
    return NND_OK;
}

/* P of the next block, which holds its own F, loses what goes through this one. */
static void eliminate(block *b) {
    block *next = b + 1;
    int n = (int)b->n, m = (int)next->n;
    if (n == 0 || m == 0)
        return;
    memcpy(b->solved, b->below, b->n * next->n * sizeof *b->solved);
    if (b->positive) {
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m, n, 1.0,
                    b->factor, n, b->solved, n);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, m, n, -1.0, b->solved, n, 1.0, next->p,
                    m);
        return;
    }
    LAPACKE_dsytrs(LAPACK_COL_MAJOR, 'U', n, m, b->factor, n, b->pivot, b->solved, n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, m, n, -1.0, b->below, n, b->solved, n,
                1.0, next->p, m);
}

nnd_status nnd_inertia_count(nnd_inertia *f, double x, size_t *negative) {
    nnd_status status = NND_OK;
    if (nnd_context_interrupted(f->ctx))
        return nnd_fail(f->ctx, NND_E_INTERRUPTED, "interrupted at spectral parameter %g", x);
    *negative = 0;
    fill(f, x, 0);
    for (size_t i = 0; i < f->problem.blocks && status == NND_OK; i++) {
        if (!is_last(f, i))
            fill(f, x, i + 1);
        status = factor_block(f, &f->block[i], negative);
        if (status == NND_OK && !is_last(f, i))
            eliminate(&f->block[i]);
    }
    return status;
}

/* y <- P^-1 y, or for a positive block y <- L^-1 y (forward) and y <- L^-T y (back). */
static void solve_block(const block *b, bool forward, double *y) {
    int n = (int)b->n;
    if (n == 0)
        return;
    if (b->positive)
        cblas_dtrsv(CblasRowMajor, CblasLower, forward ? CblasNoTrans : CblasTrans, CblasNonUnit, n,
                    b->factor, n, y, 1);
    else if (!forward)
        LAPACKE_dsytrs(LAPACK_COL_MAJOR, 'U', n, 1, b->factor, n, b->pivot, y, n);
}

/* y <- F^-1 y with the factors of the last x. */
static void solve(nnd_inertia *f, double *y) {
    for (size_t i = 0; i < f->problem.blocks; i++) {
        const block *b = &f->block[i];
        solve_block(b, true, y + b->first);
        if (!is_last(f, i) && b->n > 0 && b[1].n > 0)
            cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)b[1].n, (int)b->n, -1.0, b->solved,
                        (int)b->n, y + b->first, 1, 1.0, y + b[1].first, 1);
    }
    for (size_t i = f->problem.blocks; i-- > 0;) {
        const block *b = &f->block[i];
        bool coupled = !is_last(f, i) && b->n > 0 && b[1].n > 0;
        if (!b->positive)
            solve_block(b, false, y + b->first);
        if (coupled)
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)b[1].n, (int)b->n, -1.0, b->solved,
                        (int)b->n, y + b[1].first, 1, 1.0, y + b->first, 1);
        if (b->positive)
            solve_block(b, false, y + b->first);
    }
}

/* ---- roots ---- */

/* A search. */
typedef struct {
    nnd_inertia_bracket bracket;
    size_t index;
    double *y, *before; /* an approximate null vector, of length 1, and the last one */
    double guess;       /* of the root, by y; NaN: none */
} search;

/* Counts at x and moves the end of the bracket on that side. */
static nnd_status narrow(nnd_inertia *f, search *s, double x) {
    size_t count;
    nnd_status status = nnd_inertia_count(f, x, &count);
    if (status != NND_OK)
        return status;
    if (count > s->index) {
        s->bracket.near = x;
        s->bracket.count_near = count;
    } else {
        s->bracket.far = x;
        s->bracket.count_far = count;
    }
    return NND_OK;
}

static void start_vector(const nnd_inertia *f, double *y) {
    double length = 0.0;
    for (size_t k = 0; k < f->size; k++) {
        y[k] = k % 3 == 0 ? 1.5 : 0.5;
        length += y[k] * y[k];
    }
    cblas_dscal((int)f->size, 1.0 / sqrt(length), y, 1);
}

/* A step of inverse iteration at x, whose factors are there: y <- F^-1 y/|.|, for which y^T F y =
 * y . y_before/|F^-1 y_before|, and the root of that form, linearised. */
static void improve(nnd_inertia *f, search *s, double x) {
    int n = (int)f->size;
    memcpy(s->before, s->y, f->size * sizeof *s->y);
    solve(f, s->y);
    double length = cblas_dnrm2(n, s->y, 1);
    s->guess = NAN;
    if (!isfinite(length) || !(length > 0.0)) {
        start_vector(f, s->y);
        return;
    }
    cblas_dscal(n, 1.0 / length, s->y, 1);
    double form = cblas_ddot(n, s->y, 1, s->before, 1) / length;
    s->guess = x - form / f->problem.derivative(f->problem.data, x, s->y);
}

static bool inside(const nnd_inertia_bracket *b, double x) {
    return (x > b->near && x < b->far) || (x < b->near && x > b->far);
}

/* Geometric: brackets may span orders of magnitude. */
static double middle(const nnd_inertia_bracket *b) {
    return copysign(sqrt(fabs(b->near)) * sqrt(fabs(b->far)), b->near);
}

static nnd_status find_root(nnd_inertia *f, search *s, double *x) {
    nnd_inertia_bracket *b = &s->bracket;
    nnd_status status = NND_OK;
    double last = NAN;
    for (int step = 0; step < MAX_STEPS && status == NND_OK; step++) {
        bool single = b->count_near == s->index + 1 && b->count_far == s->index;
        /* Every fourth step halves the bracket, however well the guesses do. */
        bool guessed = single && step % 4 != 3 && inside(b, s->guess);
        double at = guessed ? s->guess : middle(b);
        bool narrow_enough = fabs(b->near - b->far) <= PRECISION * fabs(b->near);
        if (narrow_enough || (guessed && fabs(at - last) <= PRECISION * fabs(at))) {
            *x = at;
            return NND_OK;
        }
        status = narrow(f, s, at);
        if (status == NND_OK)
            improve(f, s, at);
        last = at;
    }
    return status == NND_OK ? nnd_fail(f->ctx, NND_E_UNSOLVED,
                                       "an outlier between %g and %g is not found", b->near, b->far)
                            : status;
}

nnd_status nnd_inertia_root(nnd_inertia *f, size_t index, const nnd_inertia_bracket *bracket,
                            double *x, double *y) {
    search s = {*bracket, index, y, malloc((f->size + 1) * sizeof *y), NAN};
    nnd_status status = s.before != NULL ? NND_OK : nnd_fail_memory(f->ctx, "an outlier's vector");
    *x = NAN;
    if (status == NND_OK) {
        start_vector(f, y);
        status = find_root(f, &s, x);
    }
    if (fabs(*x - bracket->near) <= PRECISION * fabs(bracket->near))
        *x = NAN;
    free(s.before);
    return status;
}
