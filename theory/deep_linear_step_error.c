/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_step_error.h"

#include <math.h>

#include "core/largest.h"

enum { SCALARS = 4 };

static int order(const nnd_deep_linear *p) {
    return p->method == NND_EULER ? 1 : p->method == NND_HEUN ? 2 : 4;
}

/* Number c of the curves after step k. */
static double curve(const nnd_dynamics *d, size_t c, size_t k) {
    size_t q = k * d->stages, layer = (c - SCALARS) / 2;
    switch (c) {
    case 0:
        return nnd_dynamics_test_risk(d, q);
    case 1:
        return nnd_dynamics_train_mse(d, q);
    case 2:
        return nnd_dynamics_overlap(d, q);
    case 3:
        return nnd_dynamics_beta_gram(d, q, q);
    default:
        return c % 2 == 0 ? nnd_dynamics_g_gram(d, layer, q, q)
                          : nnd_dynamics_h_gram(d, layer, q, q);
    }
}

/* Largest difference of any curve, relative to its largest value; `fine` takes two steps where
 * `coarse` takes one. */
static double difference(const nnd_dynamics *fine, const nnd_dynamics *coarse) {
    size_t steps = (size_t)coarse->params->steps;
    double worst = 0.0;
    for (size_t c = 0; c < SCALARS + 2 * (fine->depth + 1); c++) {
        double most = 0.0, largest = 0.0;
        for (size_t k = 0; k <= steps; k++) {
            double x = curve(fine, c, 2 * k);
            most = nnd_largest(most, fabs(x - curve(coarse, c, k)));
            largest = nnd_largest(largest, fabs(x));
        }
        worst = nnd_largest(worst, most == 0.0 ? 0.0 : most / largest);
    }
    return isnan(worst) ? INFINITY : worst;
}

nnd_status nnd_deep_linear_step_error(nnd_context *ctx, const nnd_dynamics *run, double *error) {
    nnd_deep_linear other = *run->params;
    double power = pow(2.0, order(&other));
    bool single = other.steps == 1; /* has no half: it is the coarse one of two runs */
    double dt = other.time / (double)other.steps * (single ? 0.5 : 2.0);
    other.steps = single ? 2 : other.steps / 2;
    other.time = dt * (double)other.steps;
    nnd_dynamics d;
    nnd_status status = nnd_dynamics_make(ctx, &other, &d);
    if (status == NND_OK)
        status = nnd_dynamics_run(ctx, &d);
    if (status == NND_OK)
        *error = single ? difference(&d, run) * power / (power - 1.0)
                        : difference(run, &d) / (power - 1.0);
    else if (status == NND_DIVERGED)
        *error = INFINITY;
    nnd_dynamics_clear(&d);
    return status == NND_DIVERGED ? NND_OK : status;
}

static nnd_status error_of(nnd_context *ctx, const nnd_deep_linear *p, double *error) {
    nnd_dynamics d;
    nnd_status status = nnd_dynamics_make(ctx, p, &d);
    if (status == NND_OK)
        status = nnd_dynamics_run(ctx, &d);
    if (status == NND_OK)
        status = nnd_deep_linear_step_error(ctx, &d, error);
    nnd_dynamics_clear(&d);
    return status == NND_DIVERGED ? NND_OK : status;
}

nnd_status nnd_deep_linear_steps_for(nnd_context *ctx, const nnd_deep_linear *p, double error,
                                     double wanted, double *steps, bool *enough) {
    const double telling = 0.1, queries = 2048.0;
    nnd_deep_linear more = *p;
    nnd_status status = NND_OK;
    while (status == NND_OK && !(error < telling) &&
           2.0 * order(p) * (double)more.steps <= queries) {
        more.steps *= 2;
        status = error_of(ctx, &more, &error);
    }
    *enough = error < telling;
    *steps = *enough ? ceil(1.1 * (double)more.steps * pow(error / wanted, 1.0 / order(p)))
                     : 2.0 * (double)more.steps;
    return status;
}
