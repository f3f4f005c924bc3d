/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/flow.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = NND_DP_STAGES, VECTORS = STAGES + 1 };

nnd_status nnd_flow_make(nnd_context *ctx, size_t n, nnd_flow_fn rate, void *user, double rtol,
                         double atol, nnd_flow *flow) {
    *flow = (nnd_flow){
        .n = n, .rate = rate, .user = user, .rtol = rtol, .atol = atol, .max_steps = SIZE_MAX};
    flow->x = calloc(n, sizeof(double));
    flow->work = calloc(VECTORS * n, sizeof(double));
    return flow->x != NULL && flow->work != NULL ? NND_OK : nnd_fail_memory(ctx, "a gradient flow");
}

void nnd_flow_clear(nnd_flow *flow) {
    free(flow->x);
    free(flow->work);
    *flow = (nnd_flow){0};
}

double nnd_flow_bytes(double n) {
    return (VECTORS + 1) * n * sizeof(double);
}

/* A first step from the size of the rate. */
static double first_step(const nnd_flow *flow) {
    double x = 0.0, rate = 0.0;
    for (size_t i = 0; i < flow->n; i++) {
        x = fmax(x, fabs(flow->x[i]));
        rate = fmax(rate, fabs(flow->work[i]));
    }
    return rate > 0.0 && x > 0.0 ? 1e-3 * x / rate : 1e-3;
}

void nnd_flow_start(nnd_flow *flow, const double *x) {
    memcpy(flow->x, x, flow->n * sizeof *x);
    flow->rate(flow->user, flow->x, flow->work);
    flow->walk = (nnd_dp_walk){.h = first_step(flow)};
}

/* Stages of a step of length h, the result into `next`; the error over what is allowed. */
static double try_step(const nnd_flow *flow, double h, double *next) {
    size_t n = flow->n;
    double *k = flow->work, largest = 0.0;
    for (size_t s = 1; s < STAGES; s++) {
        memcpy(next, flow->x, n * sizeof *next);
        for (size_t r = 0; r < s; r++)
            for (size_t i = 0; i < n; i++)
                next[i] += h * nnd_dp_weight[s][r] * k[r * n + i];
        flow->rate(flow->user, next, k + s * n);
    }
    for (size_t i = 0; i < n; i++) {
        double error = 0.0;
        for (size_t s = 0; s < STAGES; s++)
            error += h * nnd_dp_error[s] * k[s * n + i];
        double allowed = flow->atol + flow->rtol * fmax(fabs(flow->x[i]), fabs(next[i]));
        if (error != 0.0)
            largest = fmax(largest, isfinite(error) ? fabs(error) / allowed : INFINITY);
    }
    return largest;
}

nnd_status nnd_flow_advance(nnd_context *ctx, nnd_flow *flow, double to) {
    nnd_dp_walk *walk = &flow->walk;
    double *next = flow->work + STAGES * flow->n;
    while (walk->t < to) {
        double h = nnd_dp_length(walk, to);
        if (h == 0.0 || walk->taken + walk->rejected >= flow->max_steps ||
            nnd_dp_is_endless(walk, fmax(to, flow->last)))
            return NND_NOT_CONVERGED;
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at t = %g", walk->t);
        if (!nnd_dp_take(walk, to, h, try_step(flow, h, next)))
            continue;
        memcpy(flow->x, next, flow->n * sizeof *next);
        memcpy(flow->work, flow->work + (STAGES - 1) * flow->n, flow->n * sizeof *next);
    }
    return NND_OK;
}
