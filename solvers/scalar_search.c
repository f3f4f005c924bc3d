/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searches over one number: the ridge that stands for weight decay, the place of a minimum. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/brent.h"
#include "nndmft/solvers/equivalent.h"

static const double ROOT_PRECISION = 1e-13, MINIMUM_PRECISION = 1e-8;

/* Logarithm of the least normal number. */
static const double LEAST = -708.0;

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

nnd_status nnd_weight_decay_ridge(nnd_context *ctx, const nnd_eigenmodes *modes,
                                  const nnd_pair_task *task, double mu, double *lambda) {
    decay d = {modes, task, log(mu)};
    *lambda = 0.0;
    if (mu == 0.0)
        return NND_OK;
    if (mu * mu >= correlation2(modes, task)) {
        *lambda = INFINITY;
        return NND_OK;
    }
    double low = log(mu), high = low;
    while (excess(low, &d) > 0.0 && low > LEAST)
        low -= 2.0;
    while (excess(high, &d) < 0.0 && high < -LEAST)
        high += 2.0;
    if (excess(low, &d) > 0.0) /* less than any number */
        return NND_OK;
    if (!(excess(low, &d) <= 0.0 && excess(high, &d) >= 0.0)) {
        /* mu is |X^T y/P| to the last digits */
        *lambda = INFINITY;
        return NND_OK;
    }
    nnd_bracket b = {low, high, high};
    nnd_status status = low < high
                            ? nnd_brent_root(ctx, excess, &d, ROOT_PRECISION, 4.0 * DBL_EPSILON, &b)
                            : NND_OK;
    if (status >= NND_OK)
        *lambda = exp(b.x);
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
        double v[3], at = first + step * (double)best;
        for (int i = 0; i < 3; i++)
            v[i] = fmin(y[best + (size_t)i - 1], o.large);
        nnd_bracket b = {at - step, at + step, at};
        status = nnd_brent_minimum(ctx, at_log, &o, MINIMUM_PRECISION, 0.0, v, &b);
        *x = exp(b.x);
    }
    *value = f(*x, data);
    free(y);
    return status;
}
