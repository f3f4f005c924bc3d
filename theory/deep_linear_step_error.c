/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_step_error.h"

#include <math.h>

#include "theory/deep_linear_run.h"

static int order(const nnd_deep_linear *p) {
    return p->method == NND_EULER ? 1 : p->method == NND_HEUN ? 2 : 4;
}

static nnd_status add_row(void *data, nnd_small *n, size_t step) {
    (void)step;
    nnd_curves_add(data, n);
    return NND_OK;
}

nnd_status nnd_deep_linear_every_step(nnd_context *ctx, const nnd_deep_linear *p, nnd_curves *run) {
    nnd_small n;
    size_t done;
    nnd_status status = nnd_curves_make(ctx, (size_t)p->depth, (size_t)p->steps + 1, run);
    if (status != NND_OK)
        return status;
    status = nnd_small_make(ctx, p, p->tolerance, nnd_small_stages(p), &n);
    if (status == NND_OK)
        status = nnd_small_run(ctx, &n, add_row, run, &done);
    nnd_small_clear(&n);
    return status;
}

nnd_status nnd_deep_linear_step_error(nnd_context *ctx, const nnd_deep_linear *p,
                                      const nnd_curves *run, double *error) {
    nnd_deep_linear other = *p;
    double power = pow(2.0, order(&other));
    bool single = other.steps == 1; /* has no half: it is the coarse one of two runs */
    double dt = other.time / (double)other.steps * (single ? 0.5 : 2.0);
    other.steps = single ? 2 : other.steps / 2;
    other.time = dt * (double)other.steps;
    nnd_curves curves;
    nnd_status status = nnd_deep_linear_every_step(ctx, &other, &curves);
    if (status == NND_OK)
        *error = single ? nnd_curves_difference(&curves, 2, run) * power / (power - 1.0)
                        : nnd_curves_difference(run, 2, &curves) / (power - 1.0);
    else if (status == NND_DIVERGED)
        *error = INFINITY;
    nnd_curves_clear(&curves);
    return status == NND_DIVERGED ? NND_OK : status;
}

static nnd_status error_of(nnd_context *ctx, const nnd_deep_linear *p, double *error) {
    nnd_curves run;
    nnd_status status = nnd_deep_linear_every_step(ctx, p, &run);
    if (status == NND_OK)
        status = nnd_deep_linear_step_error(ctx, p, &run, error);
    nnd_curves_clear(&run);
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
