/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searches over one number: the ridge that stands for weight decay, the place of a minimum. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/equivalent.h"

enum { MAX_ITERATIONS = 200 };

static const double ROOT_PRECISION = 1e-13, MINIMUM_PRECISION = 1e-8;

/* ---- weight decay ---- */

typedef struct {
    const nnd_eigenmodes *modes;
    const nnd_pair_task *task;
    double target; /* log mu */
} decay;

/* log(lambda |beta(lambda)|) - log mu, which increases with log lambda. */
static double excess(double log_lambda, void *data) {
    const decay *d = data;
    nnd_pair_overlaps overlaps;
    nnd_pair_ridge(d->modes, d->task, exp(log_lambda), &overlaps);
    return log_lambda + 0.5 * log(overlaps.self[0]) - d->target;
}

/* |X^T y/P|^2, to which lambda^2 |beta|^2 tends for large lambda. */
static double correlation2(const nnd_eigenmodes *p, const nnd_pair_task *task) {
    double signal = 0.0, power = task->label_noise, trace = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i];
        signal += s * s * p->teacher2[i];
        power += s * p->teacher2[i];
        trace += p->multiplicity[i] * (s + task->input_noise);
    }
    return signal + trace * power / task->samples;
}

/* Brent's method between two points of different sign. */
static nnd_status root(nnd_context *ctx, gsl_function *f, double low, double high, double *x) {
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    if (solver == NULL)
        return nnd_fail_memory(ctx, "a root search");
    int code = gsl_root_fsolver_set(solver, f, low, high);
    for (int i = 0; code == GSL_SUCCESS && i < MAX_ITERATIONS; i++) {
        code = gsl_root_fsolver_iterate(solver);
        if (gsl_root_test_interval(gsl_root_fsolver_x_lower(solver),
                                   gsl_root_fsolver_x_upper(solver), ROOT_PRECISION,
                                   0.0) == GSL_SUCCESS)
            break;
    }
    *x = gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    return code == GSL_SUCCESS
               ? NND_OK
               : nnd_fail(ctx, NND_E_INPUT, "the search for lambda failed: %s", gsl_strerror(code));
}

nnd_status nnd_weight_decay_ridge(nnd_context *ctx, const nnd_eigenmodes *modes,
                                  const nnd_pair_task *task, double mu, double *lambda) {
    decay d = {modes, task, log(mu)};
    gsl_function f = {excess, &d};
    *lambda = 0.0;
    if (mu == 0.0)
        return NND_OK;
    if (mu * mu >= correlation2(modes, task)) {
        *lambda = INFINITY;
        return NND_OK;
    }
    double low = log(mu), high = low;
    while (excess(low, &d) > 0.0 && low > -600.0)
        low -= 2.0;
    while (excess(high, &d) < 0.0 && high < 600.0)
        high += 2.0;
    if (!(excess(low, &d) <= 0.0 && excess(high, &d) >= 0.0)) {
        /* mu is |X^T y/P| to the last digits */
        *lambda = INFINITY;
        return NND_OK;
    }
    double x = high;
    nnd_status status = root(ctx, &f, low, high, &x);
    if (status == NND_OK)
        *lambda = exp(x);
    return status;
}

/* ---- minimum ---- */

typedef struct {
    nnd_function f;
    void *data;
    double large; /* stands for what is not finite */
} objective;

/* As a function of log x. */
static double at_log(double u, void *data) {
    const objective *o = data;
    double value = o->f(exp(u), o->data);
    return isfinite(value) ? value : o->large;
}

static nnd_status refine(nnd_context *ctx, objective *o, const double u[3], const double y[3],
                         double *x) {
    gsl_function f = {at_log, o};
    gsl_min_fminimizer *solver = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (solver == NULL)
        return nnd_fail_memory(ctx, "a minimum search");
    int code = gsl_min_fminimizer_set_with_values(solver, &f, u[1], y[1], u[0], y[0], u[2], y[2]);
    for (int i = 0; code == GSL_SUCCESS && i < MAX_ITERATIONS; i++) {
        code = gsl_min_fminimizer_iterate(solver);
        if (gsl_min_fminimizer_x_upper(solver) - gsl_min_fminimizer_x_lower(solver) <
            MINIMUM_PRECISION)
            break;
    }
    *x = exp(gsl_min_fminimizer_x_minimum(solver));
    gsl_min_fminimizer_free(solver);
    return code == GSL_SUCCESS || code == GSL_FAILURE
               ? NND_OK
               : nnd_fail(ctx, NND_E_INPUT, "the minimum search failed: %s", gsl_strerror(code));
}

nnd_status nnd_minimize(nnd_context *ctx, nnd_function f, void *data, double low, double high,
                        size_t points, double *x, double *value, bool *inside) {
    double *y = calloc(points, sizeof *y);
    if (y == NULL)
        return nnd_fail_memory(ctx, "a minimum search");
    double first = log(low), step = (log(high) - first) / (double)(points - 1);
    objective o = {f, data, INFINITY};
    double highest = -INFINITY;
    size_t best = 0;
    for (size_t i = 0; i < points; i++) {
        y[i] = at_log(first + step * (double)i, &o);
        if (isfinite(y[i]))
            highest = fmax(highest, y[i]);
        if (y[i] < y[best])
            best = i;
    }
    o.large = 2.0 * fabs(highest) + 1.0;
    nnd_status status = NND_OK;
    *x = exp(first + step * (double)best);
    *inside = best > 0 && best + 1 < points && y[best] < y[best - 1] && y[best] < y[best + 1];
    if (*inside) {
        double u[3], v[3];
        for (int i = 0; i < 3; i++) {
            u[i] = first + step * ((double)best + i - 1);
            v[i] = fmin(y[best + (size_t)i - 1], o.large);
        }
        status = refine(ctx, &o, u, v, x);
    }
    *value = f(*x, data);
    free(y);
    return status;
}
