/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/ode_step.h"

#include <float.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Substeps of the columns of the extrapolation table (Bader and Deuflhard). */
static const int SUBSTEPS[] = {2, 6, 10, 14, 22, 34, 50};
enum { MAX_COLUMNS = sizeof SUBSTEPS / sizeof *SUBSTEPS, MIN_COLUMNS = 3 };

struct nnd_ode_stepper {
    const nnd_ode_options *o;
    nnd_ode_stats *stats;
    double t;          /* the start */
    double *start, *f; /* y and dy/dt there */
    size_t columns;    /* of the extrapolation table; 0: the explicit method */
    double *dfdy, *dfdt;
    double *matrix; /* LU of 1 - h J, by columns */
    double *table;  /* columns x dim: the last row of the extrapolation table */
    double *delta, *rhs;
    lapack_int *pivot;
    gsl_odeiv2_step *explicit_step;
    gsl_odeiv2_system system;
};

bool nnd_ode_stepper_rhs(nnd_ode_stepper *s, double t, const double *y, double *dydt) {
    s->stats->evaluations++;
    if (!s->o->rhs(t, y, dydt, s->o->user))
        return false;
    for (size_t i = 0; i < s->o->dim; i++)
        if (!isfinite(dydt[i]))
            return false;
    return true;
}

static int gsl_rhs(double t, const double *y, double *dydt, void *data) {
    return nnd_ode_stepper_rhs(data, t, y, dydt) ? GSL_SUCCESS : GSL_EBADFUNC;
}

/* Two digits per column, and one column more for the estimate of the error. */
static size_t columns_for(double rtol) {
    double wanted = 1.0 - 0.5 * log10(rtol);
    return (size_t)fmax(MIN_COLUMNS, fmin(MAX_COLUMNS, ceil(wanted)));
}

static bool allocate(nnd_ode_stepper *s) {
    size_t n = s->o->dim;
    s->start = calloc(n, sizeof(double));
    s->f = calloc(n, sizeof(double));
    if (s->start == NULL || s->f == NULL)
        return false;
    if (!s->o->stiff) {
        s->explicit_step = gsl_odeiv2_step_alloc(gsl_odeiv2_step_rk8pd, n);
        return s->explicit_step != NULL;
    }
    s->columns = columns_for(s->o->rtol);
    s->dfdy = calloc(n * n, sizeof(double));
    s->dfdt = calloc(n, sizeof(double));
    s->matrix = calloc(n * n, sizeof(double));
    s->table = calloc(s->columns * n, sizeof(double));
    s->delta = calloc(n, sizeof(double));
    s->rhs = calloc(n, sizeof(double));
    s->pivot = calloc(n, sizeof(lapack_int));
    return s->dfdy != NULL && s->dfdt != NULL && s->matrix != NULL && s->table != NULL &&
           s->delta != NULL && s->rhs != NULL && s->pivot != NULL;
}

nnd_status nnd_ode_stepper_new(nnd_context *ctx, const nnd_ode_options *options,
                               nnd_ode_stats *stats, nnd_ode_stepper **stepper) {
    nnd_ode_stepper *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(ctx, "an ODE solver");
    s->o = options;
    s->stats = stats;
    s->system = (gsl_odeiv2_system){gsl_rhs, NULL, options->dim, s};
    if (!allocate(s)) {
        nnd_ode_stepper_free(s);
        return nnd_fail_memory(ctx, "an ODE solver");
    }
    *stepper = s;
    return NND_OK;
}

void nnd_ode_stepper_free(nnd_ode_stepper *s) {
    if (s == NULL)
        return;
    if (s->explicit_step != NULL)
        gsl_odeiv2_step_free(s->explicit_step);
    free(s->start);
    free(s->f);
    free(s->dfdy);
    free(s->dfdt);
    free(s->matrix);
    free(s->table);
    free(s->delta);
    free(s->rhs);
    free(s->pivot);
    free(s);
}

double nnd_ode_stepper_order(const nnd_ode_stepper *s) {
    return s->columns > 0 ? 2.0 * (double)s->columns - 1.0 : 8.0;
}

/* Forward differences at the start. */
static bool difference(nnd_ode_stepper *s) {
    size_t n = s->o->dim;
    double *y = s->delta, *f = s->rhs;
    memcpy(y, s->start, n * sizeof(double));
    for (size_t j = 0; j < n; j++) {
        volatile double moved = y[j] + sqrt(DBL_EPSILON * fmax(1e-5, fabs(y[j])));
        y[j] = moved;
        if (!nnd_ode_stepper_rhs(s, s->t, y, f))
            return false;
        for (size_t i = 0; i < n; i++)
            s->dfdy[i * n + j] = (f[i] - s->f[i]) / (y[j] - s->start[j]);
        y[j] = s->start[j];
    }
    volatile double later = s->t + sqrt(DBL_EPSILON * fmax(1e-5, fabs(s->t)));
    if (!nnd_ode_stepper_rhs(s, later, y, f))
        return false;
    for (size_t i = 0; i < n; i++)
        s->dfdt[i] = (f[i] - s->f[i]) / (later - s->t);
    return true;
}

bool nnd_ode_stepper_begin(nnd_ode_stepper *s, double t, const double *y, const double *f) {
    s->t = t;
    memcpy(s->start, y, s->o->dim * sizeof(double));
    memcpy(s->f, f, s->o->dim * sizeof(double));
    if (s->columns == 0)
        return true;
    s->stats->jacobians++;
    return s->o->jacobian != NULL ? s->o->jacobian(t, s->start, s->dfdy, s->dfdt, s->o->user)
                                  : difference(s);
}

static bool factorize(nnd_ode_stepper *s, double h) {
    size_t n = s->o->dim;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++)
            s->matrix[j * n + i] = (i == j ? 1.0 : 0.0) - h * s->dfdy[i * n + j];
    s->stats->factorizations++;
    return LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, (lapack_int)n, (lapack_int)n, s->matrix,
                               (lapack_int)n, s->pivot) == 0;
}

/* rhs <- (1 - h J)^-1 (h f - delta). */
static void solve(nnd_ode_stepper *s, double h) {
    size_t n = s->o->dim;
    for (size_t i = 0; i < n; i++)
        s->rhs[i] = h * s->rhs[i] - s->delta[i];
    (void)LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'N', (lapack_int)n, 1, s->matrix, (lapack_int)n,
                              s->pivot, s->rhs, (lapack_int)n);
}

/* The smoothed linearly implicit midpoint rule with m substeps over a length, into y. */
static bool midpoint(nnd_ode_stepper *s, double length, int m, double *y) {
    size_t n = s->o->dim;
    double h = length / m;
    if (!factorize(s, h))
        return false;
    for (size_t i = 0; i < n; i++) {
        s->delta[i] = 0.0;
        s->rhs[i] = s->f[i] + h * s->dfdt[i];
    }
    solve(s, h);
    for (size_t i = 0; i < n; i++) {
        s->delta[i] = s->rhs[i];
        y[i] = s->start[i] + s->delta[i];
    }
    for (int k = 1; k <= m; k++) {
        if (!nnd_ode_stepper_rhs(s, s->t + k * h, y, s->rhs))
            return false;
        solve(s, h);
        for (size_t i = 0; i < n; i++) {
            /* The last correction enters once: it smooths. */
            s->delta[i] += (k < m ? 2.0 : 1.0) * s->rhs[i];
            y[i] += k < m ? s->delta[i] : s->rhs[i];
        }
    }
    return true;
}

/* Adds row j, whose first entry is in y, to the extrapolation table (in h^2, Aitken-Neville). */
static void extrapolate(nnd_ode_stepper *s, size_t j, double *y, double *error) {
    size_t n = s->o->dim;
    for (size_t i = 0; i < n; i++) {
        double value = y[i];
        for (size_t k = 0; k < j; k++) {
            double ratio = (double)SUBSTEPS[j] / (double)SUBSTEPS[j - k - 1];
            double before = s->table[k * n + i];
            s->table[k * n + i] = value;
            error[i] = (value - before) / (ratio * ratio - 1.0);
            value += error[i];
        }
        s->table[j * n + i] = value;
        y[i] = value;
    }
}

bool nnd_ode_stepper_step(nnd_ode_stepper *s, double h, double *y, double *error) {
    if (s->columns == 0) {
        memcpy(y, s->start, s->o->dim * sizeof(double));
        return gsl_odeiv2_step_apply(s->explicit_step, s->t, h, y, error, s->f, NULL, &s->system) ==
               GSL_SUCCESS;
    }
    for (size_t j = 0; j < s->columns; j++) {
        if (!midpoint(s, h, SUBSTEPS[j], y))
            return false;
        extrapolate(s, j, y, error);
    }
    return true;
}
