/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/feature_shared.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/contour.h"
#include "nndmft/solvers/power_series.h"
#include "solvers/feature_nodes.h"

/* Steps 0..last of Lx(t) = F(t) + (1/B) sum_{tau < t} K(t - tau) (Lx(tau) + sigma^2). */
typedef struct {
    size_t last, nodes;
    nnd_power_series *series;
    nnd_feature_node *node;
    double complex *z, *value; /* nodes each */
    double *term, *f, *k;      /* last + 1 each */
} volterra;

static void volterra_clear(volterra *x) {
    nnd_power_series_free(x->series);
    free(x->node);
    free(x->z);
    free(x->term);
}

static nnd_status volterra_make(nnd_context *ctx, size_t last, volterra *x) {
    size_t circle = 4 * (last > 8 ? last : 8);
    *x = (volterra){.last = last, .nodes = circle / 2};
    x->node = calloc(x->nodes, sizeof *x->node);
    x->z = calloc(2 * x->nodes, sizeof *x->z);
    x->term = calloc(3 * (last + 1), sizeof *x->term);
    if (x->node == NULL || x->z == NULL || x->term == NULL)
        return nnd_fail_memory(ctx, "kernels of shared batches");
    x->value = x->z + x->nodes;
    x->f = x->term + last + 1;
    x->k = x->f + last + 1;
    return nnd_power_series_new(ctx, circle, &x->series);
}

/* Frequencies s = (z - 1)/eta on the circle. */
static nnd_status place(nnd_context *ctx, const nnd_features *f, double lr, volterra *x) {
    nnd_circle(2 * x->nodes, NND_SERIES_ALIAS, x->z, x->value);
    for (size_t j = 0; j < x->nodes; j++) {
        x->value[j] = nnd_expm1(x->z[j]) / lr;
        x->z[j] = cexp(x->z[j]);
    }
    return nnd_feature_nodes(ctx, f, x->nodes, x->value, x->node);
}

/* Adds weight times the squares of the responses of a mode, (z/eta) h/R3 of the error itself or h
 * to noise, to their sum. */
static void add_responses(volterra *x, double eigenvalue, double lr, bool of_error, double weight,
                          double *sum) {
    for (size_t j = 0; j < x->nodes; j++) {
        x->value[j] = 1.0 / (eigenvalue + x->node[j].kappa);
        if (of_error)
            x->value[j] *= x->z[j] / (lr * x->node[j].r3);
    }
    nnd_power_series_of(x->series, x->value, x->last + 1, x->term);
    for (size_t t = 0; t <= x->last; t++)
        sum[t] += weight * x->term[t] * x->term[t];
}

static nnd_status add_kernels(nnd_context *ctx, const nnd_features *f, double lr, volterra *x) {
    const nnd_eigenmodes *p = &f->modes;
    for (size_t i = 0; i < p->count; i++) {
        double lambda = p->eigenvalue[i];
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted");
        if (p->teacher2[i] > 0.0)
            add_responses(x, lambda, lr, true, p->teacher2[i] * lambda, x->f);
        if (p->multiplicity[i] > 0.0)
            add_responses(x, lambda, lr, false, p->multiplicity[i] * lambda * lambda, x->k);
    }
    return NND_OK;
}

/* f becomes Lx + sigma^2. */
static void march(const volterra *x, double noise, double batch) {
    for (size_t t = 0; t <= x->last; t++) {
        double fed = 0.0;
        for (size_t tau = 0; tau < t; tau++)
            fed += x->k[t - tau] * x->f[tau];
        x->f[t] += noise + fed / batch;
    }
}

size_t nnd_feature_shared_times(const nnd_feature_training *how, size_t times, const double *time) {
    size_t known = 0;
    while (!how->alone && known < times && time[known] <= NND_SHARED_BATCH_STEPS)
        known++;
    return known;
}

nnd_status nnd_feature_shared_batches(nnd_context *ctx, const nnd_features *f,
                                      const nnd_feature_training *how, size_t times,
                                      const double *time, nnd_feature_losses *losses) {
    size_t known = nnd_feature_shared_times(how, times, time);
    for (size_t t = known; t < times; t++)
        losses[t].value[NND_FEATURES_DATA] = NAN;
    if (known == 0)
        return NND_OK;
    volterra x;
    nnd_status status = volterra_make(ctx, (size_t)time[known - 1], &x);
    if (status == NND_OK)
        status = place(ctx, f, how->lr, &x);
    if (status == NND_OK)
        status = add_kernels(ctx, f, how->lr, &x);
    if (status == NND_OK)
        march(&x, f->label_noise, how->batch);
    for (size_t t = 0; status == NND_OK && t < known; t++)
        losses[t].value[NND_FEATURES_DATA] = x.f[(size_t)time[t]] - f->label_noise;
    volterra_clear(&x);
    return status;
}
