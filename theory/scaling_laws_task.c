/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/scaling_laws_task.h"

#include <math.h>

#include "nndmft/number.h"
#include "nndmft/solvers/brent.h"

/* Power laws of more modes are summed by quadrature of k. */
static const double LISTED = 256.0;

static nnd_status make_rule(nnd_context *ctx, const nnd_scaling_laws *p, nnd_scaling_problem *x) {
    x->features.label_noise = p->noise2;
    if (!isnan(p->features.power_law) && !isnan(p->target.power_law) &&
        (double)p->features.count > LISTED)
        return nnd_mode_rule_power_law(ctx, (double)p->features.count, p->features.power_law,
                                       p->target.power_law, &x->rule);
    nnd_scaling_modes modes;
    nnd_status status = nnd_scaling_laws_modes(ctx, p, &modes);
    if (status != NND_OK)
        return status;
    x->features.label_noise = modes.noise2;
    status = nnd_mode_rule_list(ctx, modes.count, modes.eigenvalue, modes.power, modes.multiplicity,
                                &x->rule);
    nnd_scaling_modes_clear(&modes);
    return status;
}

nnd_status nnd_scaling_problem_make(nnd_context *ctx, const nnd_scaling_laws *p,
                                    nnd_scaling_problem *x) {
    *x = (nnd_scaling_problem){.params = p};
    nnd_status status = make_rule(ctx, p, x);
    x->features.modes = x->rule.modes;
    x->features.samples = p->samples;
    x->features.width = p->width;
    x->how = (nnd_feature_training){.nodes = (size_t)p->nodes,
                                    .large_batch = p->batch_terms == NND_BATCH_LIMIT};
    if (nnd_scaling_laws_is_timed(p) && p->training != NND_SCALING_FLOW)
        x->how.lr = p->lr;
    if (p->training == NND_SCALING_GD)
        x->how.momentum = p->momentum;
    if (nnd_scaling_laws_has_batches(p))
        x->how.batch = (double)p->batch;
    return status;
}

void nnd_scaling_problem_clear(nnd_scaling_problem *x) {
    nnd_mode_rule_clear(&x->rule);
}

/* ---- stability ---- */

typedef struct {
    nnd_context *ctx;
    const nnd_scaling_problem *problem;
    nnd_feature_training how;
    nnd_status status;
} trial;

/* Sigma less what it may be. */
static double excess(double lr, void *data) {
    trial *x = data;
    nnd_batch_plateau plateau;
    x->how.lr = lr;
    nnd_status status = nnd_feature_plateau(x->ctx, &x->problem->features, &x->how, &plateau);
    if (status != NND_OK)
        x->status = status;
    return status == NND_OK ? fmin(plateau.noise, 2.0) - 1.0 : NAN;
}

/* The largest stable learning rate of batches: Sigma increases with it. */
static nnd_status largest_rate(nnd_context *ctx, const nnd_scaling_problem *x, double edge,
                               double *rate) {
    const double least = 1e-12, precision = 1e-6;
    trial t = {ctx, x, x->how, NND_OK};
    nnd_bracket bracket = {.low = least / edge, .high = 2.0 / edge};
    nnd_status status = nnd_brent_root(ctx, excess, &t, 0.0, precision, &bracket);
    *rate = bracket.low;
    return t.status != NND_OK ? t.status : status;
}

nnd_status nnd_scaling_stability_find(nnd_context *ctx, const nnd_scaling_problem *x,
                                      nnd_scaling_stability *s) {
    const nnd_feature_training *how = &x->how;
    *s = (nnd_scaling_stability){.stability = NAN, .limit = NAN};
    nnd_status status = nnd_feature_edge(ctx, &x->features, &s->edge);
    if (status != NND_OK || how->lr == 0.0)
        return status;
    bool batches = how->batch > 0.0;
    s->stability = how->lr * s->edge;
    s->limit = batches ? 1.0 : 2.0 * (1.0 + how->momentum);
    double allowed = s->limit / s->edge;
    if (batches) {
        status = nnd_feature_plateau(ctx, &x->features, how, &s->plateau);
        s->stability = s->plateau.noise;
    }
    if (status != NND_OK || s->stability < s->limit)
        return status;
    if (batches)
        status = largest_rate(ctx, x, s->edge, &allowed);
    if (status < NND_OK)
        return status;
    char where[64] = "";
    if (x->features.width != x->params->width) /* of a frontier */
        nnd_format(where, sizeof where, " at width %g of params.frontier", x->features.width);
    return nnd_fail(ctx, NND_E_INPUT, "params.lr: %g is not stable%s; allowed: below %g", how->lr,
                    where, allowed);
}

/* ---- losses ---- */

nnd_status nnd_scaling_losses(nnd_context *ctx, const nnd_scaling_problem *x, size_t times,
                              const double *time, nnd_feature_losses *losses) {
    nnd_status status = x->how.batch > 0.0
                            ? nnd_feature_batches(ctx, &x->features, &x->how, times, time, losses)
                            : nnd_feature_descent(ctx, &x->features, &x->how, times, time, losses);
    return status == NND_NOT_CONVERGED ? NND_E_UNSOLVED : status;
}
