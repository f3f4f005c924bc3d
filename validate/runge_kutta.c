/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/runge_kutta.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "validate/dormand_prince.h"

enum { STAGES = NND_DP_STAGES, VECTORS = STAGES + 1 };

nnd_status nnd_runge_kutta_make(nnd_context *ctx, size_t n, nnd_runge_kutta_flow *f) {
    *f = (nnd_runge_kutta_flow){.n = n, .max_steps = SIZE_MAX};
    f->work = calloc(VECTORS * n, sizeof(double));
    return f->work != NULL ? NND_OK : nnd_fail_memory(ctx, "a gradient flow");
}

void nnd_runge_kutta_clear(nnd_runge_kutta_flow *f) {
    free(f->work);
    *f = (nnd_runge_kutta_flow){0};
}

void nnd_runge_kutta_restart(nnd_runge_kutta_flow *f) {
    f->t = f->h = 0.0;
    f->steps = 0;
}

/* Stages of a step of length h, the result into `next`; the error in units of the tolerance. */
static double try_step(nnd_runge_kutta_flow *f, double h, double *next) {
    size_t n = f->n;
    double *k = f->work, largest = 0.0;
    for (int i = 1; i < STAGES; i++) {
        memcpy(next, f->y, n * sizeof(double));
        for (int j = 0; j < i; j++)
            for (size_t l = 0; l < n; l++)
                next[l] += h * nnd_dp_weight[i][j] * k[(size_t)j * n + l];
        f->rate(f->user, next, k + (size_t)i * n);
    }
    for (size_t l = 0; l < n; l++) {
        double error = 0.0;
        for (size_t i = 0; i < STAGES; i++)
            error += h * nnd_dp_error[i] * k[i * n + l];
        double scale = f->atol + f->rtol * fmax(fabs(f->y[l]), fabs(next[l]));
        if (error != 0.0)
            largest = fmax(largest, isfinite(error) ? fabs(error) / scale : INFINITY);
    }
    return largest;
}

/* A first step from the size of the rate. */
static double first_step(const nnd_runge_kutta_flow *f) {
    double y = 0.0, rate = 0.0;
    for (size_t l = 0; l < f->n; l++) {
        y = fmax(y, fabs(f->y[l]));
        rate = fmax(rate, fabs(f->work[l]));
    }
    return rate > 0.0 && y > 0.0 ? 1e-3 * y / rate : 1e-3;
}

nnd_status nnd_runge_kutta_advance(nnd_context *ctx, nnd_runge_kutta_flow *f, double t) {
    double *next = f->work + STAGES * f->n;
    if (f->h == 0.0) {
        f->rate(f->user, f->y, f->work);
        f->h = first_step(f);
    }
    while (f->t < t) {
        bool last = f->t + 1.000001 * f->h >= t;
        double h = last ? t - f->t : f->h;
        if (f->steps++ >= f->max_steps || (!last && h <= 4.0 * DBL_EPSILON * f->t))
            return NND_NOT_CONVERGED;
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at t = %g", f->t);
        double error = try_step(f, h, next);
        double factor = nnd_dp_factor(error);
        if (error <= 1.0) {
            f->t = last ? t : f->t + h;
            memcpy(f->y, next, f->n * sizeof(double));
            memcpy(f->work, f->work + (STAGES - 1) * f->n, f->n * sizeof(double));
            /* A step cut short by the end says little about the length of the next. */
            f->h = last ? fmax(f->h, h * factor) : h * factor;
        } else {
            f->h = h * factor;
        }
    }
    return NND_OK;
}
