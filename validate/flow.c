/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/flow.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "validate/dormand_prince.h"

enum { STAGES = NND_DP_STAGES };

nnd_status nnd_flow_make(nnd_context *ctx, size_t n, nnd_flow_fn rate, void *user, double rtol,
                         double atol, nnd_flow *flow) {
    *flow = (nnd_flow){.n = n, .rate = rate, .user = user, .rtol = rtol, .atol = atol};
    flow->stage = calloc(STAGES * n, sizeof(double));
    flow->trial = calloc(n, sizeof(double));
    if (flow->stage == NULL || flow->trial == NULL)
        return nnd_fail_memory(ctx, "a gradient flow");
    return NND_OK;
}

void nnd_flow_clear(nnd_flow *flow) {
    free(flow->stage);
    free(flow->trial);
    *flow = (nnd_flow){0};
}

/* All stages of a step of length h from x, whose rate is stage 0; the end is in `trial`. Returns
 * the error over what is allowed. */
static double try_step(const nnd_flow *flow, const double *x, double h) {
    size_t n = flow->n;
    for (size_t s = 1; s < STAGES; s++) {
        for (size_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (size_t r = 0; r < s; r++)
                sum += nnd_dp_weight[s][r] * flow->stage[r * n + i];
            flow->trial[i] = x[i] + h * sum;
        }
        flow->rate(flow->user, flow->trial, flow->stage + s * n);
    }
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t s = 0; s < STAGES; s++)
            sum += nnd_dp_error[s] * flow->stage[s * n + i];
        double allowed = flow->atol + flow->rtol * fmax(fabs(x[i]), fabs(flow->trial[i]));
        double error = fabs(h * sum) / allowed;
        worst = error > worst || isnan(error) ? error : worst;
    }
    return worst;
}

/* A first step that changes x by about a hundredth of what error control looks at. */
static double first_step(const nnd_flow *flow, const double *x, double longest) {
    double fastest = 0.0;
    for (size_t i = 0; i < flow->n; i++)
        fastest = fmax(fastest, fabs(flow->stage[i]) / (fabs(x[i]) + sqrt(flow->atol)));
    return fastest > 0.0 ? fmin(longest, 0.01 / fastest) : longest;
}

nnd_status nnd_flow_advance(nnd_flow *flow, double from, double to, size_t max_steps, double *x) {
    const double shortest = 1e-14;
    double t = from;
    flow->rate(flow->user, x, flow->stage);
    if (!(flow->step > 0.0))
        flow->step = first_step(flow, x, to - from);
    for (size_t tried = 0; t < to; tried++) {
        bool last = t + flow->step >= to * (1.0 - 1e-15);
        double h = last ? to - t : flow->step;
        if (tried == max_steps || h < shortest * fabs(to))
            return NND_NOT_CONVERGED;
        double error = try_step(flow, x, h);
        bool accepted = error <= 1.0;
        double factor = fmin(nnd_dp_factor(error), accepted ? INFINITY : 1.0);
        /* A step cut short by the end says nothing against the one proposed before. */
        if (!accepted || !last || factor * h > flow->step)
            flow->step = factor * h;
        if (!accepted) {
            flow->rejected++;
            continue;
        }
        flow->taken++;
        t = last ? to : t + h;
        memcpy(x, flow->trial, flow->n * sizeof *x);
        memcpy(flow->stage, flow->stage + (STAGES - 1) * flow->n, flow->n * sizeof *x);
    }
    return NND_OK;
}
