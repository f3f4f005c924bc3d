/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/flow.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = 7 };

/* Dormand and Prince, J. Comput. Appl. Math. 6 (1980) 19: the last row is also the solution of
 * order 5; ERROR is its difference to the one of order 4. */
static const double A[STAGES][STAGES - 1] = {
    {0},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
};
static const double ERROR[STAGES] = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                     -17253.0 / 339200, 22.0 / 525, -1.0 / 40};

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
                sum += A[s][r] * flow->stage[r * n + i];
            flow->trial[i] = x[i] + h * sum;
        }
        flow->rate(flow->user, flow->trial, flow->stage + s * n);
    }
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t s = 0; s < STAGES; s++)
            sum += ERROR[s] * flow->stage[s * n + i];
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
    const double shortest = 1e-14, safety = 0.9, most = 5.0, least = 0.2;
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
        double factor = isnan(error) ? least : safety * pow(fmax(error, 1e-10), -0.2);
        factor = fmin(fmax(factor, least), accepted ? most : 1.0);
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
