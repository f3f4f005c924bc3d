/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/scaling_task.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/streams.h"

/* ---- counts ---- */

static double copies(size_t size) {
    return size > 0 ? (double)size : 1.0;
}

static size_t count_at(double count, size_t size) {
    return isinf(count) ? 0 : (size_t)(count * copies(size));
}

size_t nnd_scaling_modes_at(const nnd_scaling_laws *p, size_t size) {
    return count_at(nnd_scaling_laws_dim(p), size);
}

size_t nnd_scaling_width_at(const nnd_scaling_laws *p, size_t size) {
    return count_at(p->width, size);
}

size_t nnd_scaling_samples_at(const nnd_scaling_laws *p, size_t size) {
    return count_at(p->samples, size);
}

size_t nnd_scaling_batch_at(const nnd_scaling_laws *p, size_t size) {
    return count_at((double)p->batch, size);
}

size_t nnd_scaling_projections(const nnd_scaling_laws *p) {
    return isinf(p->width) ? 1 : 2;
}

size_t nnd_scaling_sets(const nnd_scaling_laws *p) {
    return isinf(p->samples) && p->training != NND_SCALING_ONE_PASS ? 1 : 2;
}

/* ---- features and target ---- */

static nnd_status allocate(nnd_context *ctx, nnd_scaling_task *t) {
    bool done = true;
    size_t largest = t->samples > t->batch ? t->samples : t->batch;
    t->lambda = malloc(t->modes * sizeof(double));
    t->deviation = malloc(t->modes * sizeof(double));
    t->w = malloc(t->modes * sizeof(double));
    t->scratch = malloc((t->spectrum.dim + largest) * sizeof(double));
    t->row = malloc(largest * sizeof(uint64_t));
    for (size_t i = 0; t->width > 0 && i < 2; i++) {
        t->a[i] = malloc(t->width * t->modes * sizeof(double));
        done = done && t->a[i] != NULL;
    }
    for (size_t j = 0; t->samples > 0 && j < 2; j++) {
        t->psi[j] = malloc(t->samples * t->modes * sizeof(double));
        t->y[j] = malloc(t->samples * sizeof(double));
        done = done && t->psi[j] != NULL && t->y[j] != NULL;
    }
    done = done && t->lambda != NULL && t->deviation != NULL && t->w != NULL;
    return done && t->scratch != NULL && t->row != NULL ? NND_OK
                                                        : nnd_fail_memory(ctx, "the features");
}

/* n copies of each mode share its part of the target. */
static void fill_modes(nnd_scaling_task *t, const nnd_scaling_modes *modes, size_t size) {
    double n = copies(size);
    size_t at = 0;
    for (size_t k = 0; k < modes->count; k++) {
        size_t equal = (size_t)(n * modes->multiplicity[k]);
        for (size_t i = 0; i < equal; i++, at++) {
            t->lambda[at] = modes->eigenvalue[k];
            t->deviation[at] = sqrt(modes->eigenvalue[k]);
            t->w[at] = sqrt(modes->power[k] / (modes->eigenvalue[k] * n));
        }
    }
}

static nnd_status listed_task(nnd_context *ctx, nnd_scaling_task *t, size_t size) {
    nnd_scaling_modes modes;
    nnd_status status = nnd_scaling_laws_modes(ctx, t->params, &modes);
    if (status != NND_OK)
        return status;
    t->modes = nnd_scaling_modes_at(t->params, size);
    t->noise2 = modes.noise2;
    status = allocate(ctx, t);
    if (status == NND_OK)
        fill_modes(t, &modes, size);
    nnd_scaling_modes_clear(&modes);
    return status;
}

/* Rows of data in the coordinates of their covariance, with signs of the target as they are. */
static nnd_status measured_task(nnd_context *ctx, nnd_scaling_task *t) {
    nnd_status status = nnd_feature_spectrum_make(ctx, &t->params->data, &t->spectrum);
    if (status != NND_OK)
        return status;
    t->modes = t->spectrum.rank;
    t->noise2 = t->params->noise2 + t->spectrum.residual2;
    status = allocate(ctx, t);
    for (size_t k = 0; status == NND_OK && k < t->modes; k++) {
        t->lambda[k] = t->spectrum.eigenvalue[k];
        t->deviation[k] = sqrt(t->spectrum.eigenvalue[k]);
        t->w[k] = t->spectrum.weight[k];
    }
    return status;
}

nnd_status nnd_scaling_task_make(nnd_context *ctx, const nnd_scaling_laws *p, size_t size,
                                 nnd_scaling_task *t) {
    *t = (nnd_scaling_task){
        .params = p,
        .width = nnd_scaling_width_at(p, size),
        .samples = nnd_scaling_samples_at(p, size),
        .batch = nnd_scaling_batch_at(p, size),
        .projections = nnd_scaling_projections(p),
        .sets = nnd_scaling_sets(p),
    };
    nnd_status status =
        nnd_scaling_laws_has_data(p) ? measured_task(ctx, t) : listed_task(ctx, t, size);
    t->start2 = t->noise2;
    for (size_t k = 0; status == NND_OK && k < t->modes; k++)
        t->start2 += t->lambda[k] * t->w[k] * t->w[k];
    return status;
}

void nnd_scaling_task_clear(nnd_scaling_task *t) {
    for (size_t i = 0; i < 2; i++) {
        free(t->a[i]);
        free(t->psi[i]);
        free(t->y[i]);
    }
    free(t->lambda);
    free(t->deviation);
    free(t->w);
    free(t->scratch);
    free(t->row);
    nnd_feature_spectrum_clear(&t->spectrum);
    *t = (nnd_scaling_task){0};
}

/* ---- draws ---- */

/* Rows of the population, each as likely, with replacement. */
static void draw_rows(const nnd_scaling_task *t, nnd_rng_key key, uint64_t index, size_t count,
                      double *psi, double *y) {
    nnd_rng_words(key, NND_STREAM_SCALING_ROWS, index, count, t->row);
    for (size_t i = 0; i < count; i++)
        t->row[i] %= t->spectrum.rows;
    nnd_feature_coordinates(&t->spectrum, &t->params->data, count, t->row, t->scratch, psi, y);
}

static void draw_gaussian(const nnd_scaling_task *t, nnd_rng_key key, uint64_t index, size_t count,
                          double *psi, double *y) {
    nnd_rng_normals(key, NND_STREAM_SCALING_FEATURES, index, count * t->modes, psi);
    for (size_t i = 0; i < count; i++) {
        double *row = psi + i * t->modes;
        for (size_t k = 0; k < t->modes; k++)
            row[k] *= t->deviation[k];
        y[i] = cblas_ddot((int)t->modes, row, 1, t->w, 1);
    }
}

void nnd_scaling_draw_samples(const nnd_scaling_task *t, nnd_rng_key key, uint64_t index,
                              size_t count, double *psi, double *y) {
    double sigma = sqrt(t->params->noise2);
    if (t->spectrum.rank > 0)
        draw_rows(t, key, index, count, psi, y);
    else
        draw_gaussian(t, key, index, count, psi, y);
    if (sigma == 0.0)
        return;
    nnd_rng_normals(key, NND_STREAM_SCALING_NOISE, index, count, t->scratch);
    cblas_daxpy((int)count, sigma, t->scratch, 1, y, 1);
}

void nnd_scaling_task_draw(nnd_scaling_task *t, nnd_rng_key key) {
    for (size_t i = 0; t->width > 0 && i < t->projections; i++) {
        size_t n = t->width * t->modes;
        nnd_rng_normals(key, NND_STREAM_SCALING_PROJECTION, i, n, t->a[i]);
        for (size_t k = 0; k < n; k++)
            t->a[i][k] *= 1.0 / sqrt((double)t->width);
    }
    for (size_t j = 0; t->samples > 0 && j < t->sets; j++)
        nnd_scaling_draw_samples(t, key, j, t->samples, t->psi[j], t->y[j]);
}
