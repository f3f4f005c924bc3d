/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/outliers.h"

#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"

static const double PRECISION = 1e-12;

/* ---- counting ---- */

/* M(x), whose parts may take long. */
static nnd_status fill(nnd_context *ctx, const nnd_outlier_problem *problem, double x, double *m) {
    return nnd_context_interrupted(ctx)
               ? nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at spectral parameter %g", x)
               : problem->matrix(problem->data, x, m);
}

/* One search: scratch for M, and what went wrong inside a callback. */
typedef struct {
    nnd_context *ctx;
    const nnd_outlier_problem *problem;
    size_t index;
    double *m;
    nnd_status status;
} search;

nnd_status nnd_outlier_count(nnd_context *ctx, const nnd_outlier_problem *problem, double x,
                             size_t *count) {
    size_t n = problem->size, negative = 0;
    *count = 0;
    if (n == 0)
        return NND_OK;
    double *m = calloc(n * n, sizeof *m), *value = calloc(n, sizeof *value);
    nnd_status status = m != NULL && value != NULL ? fill(ctx, problem, x, m)
                                                   : nnd_fail_memory(ctx, "the outliers");
    if (status == NND_OK &&
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, m, (lapack_int)n, value) != 0)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "the spike matrix has no eigenvalues");
    for (size_t i = 0; status == NND_OK && i < n; i++)
        negative += value[i] < 0.0;
    if (status == NND_OK)
        *count = negative > problem->negative ? negative - problem->negative : 0;
    free(m);
    free(value);
    return status;
}

/* The sought eigenvalue of M(x), and its vector if asked for. */
static nnd_status eigenvalue(search *s, double x, double *value, double *vector) {
    lapack_int n = (lapack_int)s->problem->size, found, index = (lapack_int)s->index + 1;
    lapack_int support[2];
    nnd_status status = fill(s->ctx, s->problem, x, s->m);
    if (status != NND_OK)
        return status;
    double values[2 * 512];
    double *all = n <= 1024 ? values : malloc((size_t)n * sizeof *all);
    if (all == NULL)
        return nnd_fail_memory(s->ctx, "the outliers");
    lapack_int info =
        LAPACKE_dsyevr(LAPACK_ROW_MAJOR, vector != NULL ? 'V' : 'N', 'I', 'L', n, s->m, n, 0.0, 0.0,
                       index, index, 0.0, &found, all, vector, 1, support);
    *value = all[0];
    if (all != values)
        free(all);
    return info == 0 ? NND_OK
                     : nnd_fail(s->ctx, NND_E_UNSOLVED, "the spike matrix has no eigenvalues");
}

static double objective(double x, void *data) {
    search *s = data;
    double value = NAN;
    nnd_status status = eigenvalue(s, x, &value, NULL);
    if (status != NND_OK)
        s->status = status;
    return value;
}

nnd_status nnd_outlier_find(nnd_context *ctx, const nnd_outlier_problem *problem, size_t j,
                            double edge, double far, double *x, double *vector) {
    size_t n = problem->size;
    search s = {.ctx = ctx,
                .problem = problem,
                .index = problem->negative + j,
                .m = calloc(n * n, sizeof(double))};
    if (s.m == NULL)
        return nnd_fail_memory(ctx, "the outliers");
    double at_edge = NAN, at_far = NAN, unused;
    nnd_bracket bracket = {fmin(edge, far), fmax(edge, far), NAN};
    nnd_status status = eigenvalue(&s, edge, &at_edge, NULL);
    if (status == NND_OK)
        status = eigenvalue(&s, far, &at_far, NULL);
    bool there = status == NND_OK && at_edge < 0.0 && at_far > 0.0;
    if (there)
        status = nnd_brent_root(ctx, objective, &s, 0.0, PRECISION, &bracket);
    if (s.status != NND_OK)
        status = s.status;
    else if (status == NND_NOT_CONVERGED)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "the search for an outlier does not converge");
    *x = bracket.x;
    if (there && status == NND_OK && vector != NULL)
        status = eigenvalue(&s, *x, &unused, vector);
    free(s.m);
    return status;
}
