/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_run.h"

#include <math.h>

#include "core/divergence.h"
#include "nndmft/solvers/runge_kutta.h"
#include "theory/deep_linear_window.h"

/* Steps of fresh batches from which on coordinates are replaced: two directions a step are few up
 * to here. */
static const int64_t FEW_STEPS = 200;

static nnd_runge_kutta method_of(const nnd_deep_linear *p) {
    static const nnd_runge_kutta method[] = {
        [NND_EULER] = NND_RK_EULER,
        [NND_HEUN] = NND_RK_HEUN,
        [NND_RK4] = NND_RK_RK4,
    };
    return method[p->method];
}

size_t nnd_small_stages(const nnd_deep_linear *p) {
    if (nnd_deep_linear_adapts(p))
        return 2;
    return p->integrator == NND_GRADIENT_FLOW ? nnd_runge_kutta_stages(method_of(p)) : 1;
}

bool nnd_small_compresses(const nnd_deep_linear *p) {
    bool looks_back = p->spectrum || p->ntk || p->density || p->two_time;
    return p->training == NND_TRAIN_FRESH && !looks_back && p->steps > FEW_STEPS;
}

/* An explicit Runge-Kutta step: for each stage the weights move from the mixture of gradients of
 * the stage before to its own. */
static nnd_status flow_step(nnd_small *n, nnd_runge_kutta method, double dt) {
    double mixed[NND_SMALL_STAGES] = {0.0};
    nnd_status status = NND_OK;
    for (size_t stage = 1; stage <= n->stages && status == NND_OK; stage++) {
        const double *weight = nnd_runge_kutta_weights(method, stage);
        for (size_t i = 0; i < stage; i++) {
            nnd_small_move(n, i, dt * (weight[i] - mixed[i]));
            mixed[i] = weight[i];
        }
        if (stage < n->stages)
            status = nnd_small_evaluate(n, stage);
    }
    return status;
}

static nnd_status take_step(nnd_small *n, size_t step) {
    const nnd_deep_linear *p = n->params;
    if (p->integrator == NND_GRADIENT_FLOW)
        return flow_step(n, method_of(p), p->time / (double)p->steps);
    nnd_small_descend(n, nnd_deep_linear_rate(p, step));
    return NND_OK;
}

/* Evaluates; NND_DIVERGED beyond the limit, which is set at step 0. */
static nnd_status evaluate(nnd_context *ctx, nnd_small *n, size_t step, double *limit) {
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at step %zu", step);
    nnd_status status = nnd_small_evaluate(n, 0);
    if (status != NND_OK)
        return status;
    double mse = nnd_small_train_mse(n);
    if (step == 0)
        *limit = nnd_divergence_limit(n->params->divergence_bound, mse, 0.0);
    bool sound = !nnd_has_diverged(*limit, mse) &&
                 !nnd_has_diverged(INFINITY, nnd_small_h_norm2(n, n->depth));
    return sound ? NND_OK : NND_DIVERGED;
}

/* Whether the rate is more than twice as large later: what is learned then is of fields that steps
 * of a small rate do not show. */
static bool rate_rises(const nnd_deep_linear *p, size_t step) {
    return nnd_rates_peak(&p->schedule, step, (size_t)p->steps) >
           2.0 * nnd_deep_linear_rate(p, step);
}

/* Fewer coordinates, at the end of a window of steps of fresh batches. */
static nnd_status compress(nnd_context *ctx, nnd_small *n, size_t step, nnd_small_window *w) {
    if (!rate_rises(n->params, step))
        return nnd_small_window_note(ctx, n, w);
    nnd_small_window_restart(n, w);
    return NND_OK;
}

nnd_status nnd_small_run(nnd_context *ctx, nnd_small *n, nnd_small_look look, void *data,
                         size_t *done) {
    size_t steps = (size_t)n->params->steps;
    bool compresses = nnd_small_compresses(n->params);
    nnd_small_window window;
    double limit = INFINITY;
    nnd_status status = nnd_small_window_make(ctx, n, &window);
    for (*done = 0; *done <= steps && status == NND_OK; ++*done) {
        status = evaluate(ctx, n, *done, &limit);
        if (status == NND_OK)
            status = look(data, n, *done);
        if (status != NND_OK)
            break;
        if (*done == steps)
            continue;
        status = take_step(n, *done);
        if (status == NND_OK && compresses)
            status = compress(ctx, n, *done, &window);
    }
    nnd_small_window_clear(&window);
    return status;
}
