/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_lazy.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "theory/dual.h"

/* Gram matrices of all points at initialisation, layer by layer, and the tangent kernel. */
typedef struct {
    size_t points;
    double *h, *phi, *g, *slope, *ntk;
} kernels;

/* H^1 = sigma_w^2 K^x, H^{l+1} = sigma_w^2 Phi^l; G^l = <phi' phi'> cov(z^l), cov(z^{l-1}) =
 * sigma_w^2 G^l. */
static nnd_status recursion(const nnd_wide_problem *q, kernels *k) {
    size_t square = k->points * k->points, depth = q->depth;
    double sigma2 = q->params->sigma_w * q->params->sigma_w;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < depth; l++) {
        const double *below = l == 0 ? q->set.gram : k->phi + (l - 1) * square;
        for (size_t i = 0; i < square; i++)
            k->h[l * square + i] = sigma2 * below[i];
        status = nnd_dual_moments(q->ctx, &q->params->activation, k->points, k->h + l * square,
                                  k->phi + l * square, k->slope + l * square);
    }
    for (size_t l = depth; status == NND_OK && l-- > 0;)
        for (size_t i = 0; i < square; i++) {
            double above = l + 1 == depth ? 1.0 : k->g[(l + 1) * square + i];
            k->g[l * square + i] = sigma2 * above * k->slope[l * square + i];
        }
    return status;
}

static nnd_status descend(const nnd_wide_problem *q, const kernels *k, nnd_wide_curves *record) {
    size_t n = k->points, steps = (size_t)q->params->steps, time = 0;
    double *output = calloc(n, sizeof *output), *weight = calloc(n, sizeof *weight);
    double sigma2 = q->params->sigma_w * q->params->sigma_w;
    nnd_schedule schedule = {0};
    nnd_status status = output != NULL && weight != NULL
                            ? nnd_schedule_make(q->ctx, q->params->batch, q->samples, &schedule)
                            : nnd_fail_memory(q->ctx, "the outputs");
    for (size_t t = 0; status == NND_OK && t <= steps; t++) {
        if (nnd_has_diverged(nnd_wide_loss_limit(q), nnd_wide_loss(q, output))) {
            record->diverged = t;
            break;
        }
        if (t == q->grid.step[time]) {
            nnd_wide_curves_outputs(record, time, output);
            status = nnd_wide_curves_kernels(record, time++, k->h, k->phi, k->g, sigma2, k->ntk);
        }
        if (status == NND_OK)
            status = nnd_progress_step(q->ctx, (double)t, (double)steps);
        nnd_schedule_weights(&schedule, t, weight);
        if (status == NND_OK)
            status = nnd_wide_note_edge(record, t, k->ntk, weight);
        for (size_t i = 0; i < q->samples; i++)
            weight[i] *= q->params->lr * (q->set.targets[i] - output[i]);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)q->samples, 1.0, k->ntk, (int)n,
                    weight, 1, 1.0, output, 1);
    }
    nnd_schedule_clear(&schedule);
    free(output);
    free(weight);
    return status;
}

/* The same kernel at all pairs of times. */
static void fill_two_time(const nnd_wide_problem *q, const kernels *k, nnd_wide_curves *record) {
    size_t times = q->grid.count, n = q->samples, square = k->points * k->points;
    double *phi = record->x[WIDE_PHI_TWO_TIME], *g = record->x[WIDE_G_TWO_TIME];
    for (size_t l = 0; phi != NULL && l < q->depth; l++)
        for (size_t t = 0; t < times * times; t++)
            for (size_t i = 0; i < n * n; i++) {
                size_t from = l * square + i / n * k->points + i % n;
                phi[(l * times * times + t) * n * n + i] = k->phi[from];
                g[(l * times * times + t) * n * n + i] = k->g[from];
            }
}

nnd_status nnd_wide_lazy(const nnd_wide_problem *problem, nnd_wide_curves *record) {
    size_t layers = problem->depth * problem->points * problem->points;
    kernels k = {.points = problem->points, .h = calloc(5 * layers, sizeof(double))};
    if (k.h == NULL)
        return nnd_fail_memory(problem->ctx, "the kernels");
    k.phi = k.h + layers;
    k.g = k.phi + layers;
    k.slope = k.g + layers;
    k.ntk = k.slope + layers;
    nnd_status status = recursion(problem, &k);
    if (status == NND_OK)
        nnd_wide_ntk(problem, k.phi, k.g, k.ntk);
    if (status == NND_OK)
        status = descend(problem, &k, record);
    if (status == NND_OK)
        fill_two_time(problem, &k, record);
    free(k.h);
    return status;
}
