/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/aligned_layers.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

nnd_status nnd_aligned_make(nnd_context *ctx, const nnd_quadratic *loss, size_t depth,
                            nnd_aligned *a) {
    *a = (nnd_aligned){.loss = loss, .depth = depth, .s = depth == 1 ? 1.0 : 0.0};
    a->b = calloc(loss->dim, sizeof(double));
    a->w = calloc(loss->dim, sizeof(double));
    a->gradient = calloc(loss->dim, sizeof(double));
    if (a->b == NULL || a->w == NULL || a->gradient == NULL)
        return nnd_fail_memory(ctx, "an aligned network");
    return NND_OK;
}

void nnd_aligned_clear(nnd_aligned *a) {
    free(a->b);
    free(a->w);
    free(a->gradient);
    *a = (nnd_aligned){0};
}

void nnd_aligned_evaluate(nnd_aligned *a) {
    double scale = pow(a->s, (double)a->depth - 1.0);
    for (size_t i = 0; i < a->loss->dim; i++)
        a->w[i] = scale * a->b[i];
    nnd_quadratic_gradient(a->loss, a->w, a->gradient);
}

void nnd_aligned_step(nnd_aligned *a, double rate) {
    int d = (int)a->loss->dim;
    double depth = (double)a->depth, along = cblas_ddot(d, a->b, 1, a->gradient, 1);
    cblas_daxpy(d, -rate * pow(a->s, depth - 1.0), a->gradient, 1, a->b, 1);
    if (a->depth > 1)
        a->s -= rate * pow(a->s, depth - 2.0) * along;
}

double nnd_aligned_trace(const nnd_aligned *a) {
    const nnd_quadratic *q = a->loss;
    double depth = (double)a->depth, isotropic = 0.0, along = 0.0;
    for (size_t k = 0; k < q->rank; k++) {
        double b = cblas_ddot((int)q->dim, q->mode + k * q->dim, 1, a->b, 1);
        isotropic += q->eigenvalue[k];
        along += q->eigenvalue[k] * b * b;
    }
    double sum = pow(a->s, 2.0 * depth - 2.0) * isotropic;
    if (a->depth > 1)
        sum += (depth - 1.0) * pow(a->s, 2.0 * depth - 4.0) * along;
    return 2.0 * sum;
}

void nnd_balanced_flow(const nnd_quadratic *loss, size_t depth, const double *x, double *rate,
                       double *scratch) {
    size_t d = loss->dim;
    const double *direction = x + 1;
    double power = (double)depth, length = exp(x[0]), *w = scratch, *g = scratch + d;
    if (depth == 1)
        length = 1.0;
    for (size_t i = 0; i < d; i++)
        w[i] = length * direction[i];
    nnd_quadratic_gradient(loss, w, g);
    rate[0] = 0.0;
    if (depth == 1) {
        for (size_t i = 0; i < d; i++)
            rate[1 + i] = -g[i];
        return;
    }
    /* With w = r u: d log r/dt = -L (|w|^(2-2/L)/r) u.g/|u|^2, and u changes by what of g is across
     * it. Written so for any |u|, so that its drift by rounding is of no consequence. */
    double norm = cblas_dnrm2((int)d, direction, 1);
    double along = cblas_ddot((int)d, direction, 1, g, 1) / (norm * norm);
    double speed = norm * pow(length * norm, 1.0 - 2.0 / power);
    rate[0] = -power * speed * along;
    for (size_t i = 0; i < d; i++)
        rate[1 + i] = -speed * (g[i] - along * direction[i]);
}
