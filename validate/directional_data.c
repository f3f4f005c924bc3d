/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/directional_data.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/streams.h"

/* glibc has vector versions of these, which the compiler does not know of without -ffast-math. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
__attribute__((simd("notinbranch"))) double exp(double x);
#endif

/* Rows of a tile: with some tens of dimensions it stays in the second cache. */
enum { ROWS = 2048 };
/* Samples up to this size are kept. */
static const double KEPT_BYTES = 256e6;

static bool sampled(const nnd_directional *p) {
    return nnd_directional_is_noisy(p);
}

/* Samples of one gradient. */
static double sample_count(const nnd_directional *p) {
    return p->batch > 0 ? (double)p->batch : p->samples;
}

/* The population gradient keeps w in the span of v and the rows of the first layer. */
static size_t dimension(const nnd_directional *p) {
    size_t rows = p->depth > 1 ? (size_t)p->width : 1, dim = (size_t)p->dim;
    return !sampled(p) && rows + 1 < dim ? rows + 1 : dim;
}

static size_t tile_count(const nnd_directional *p) {
    return sampled(p) ? (size_t)ceil(sample_count(p) / ROWS) : 0;
}

static size_t kept_tiles(const nnd_directional *p) {
    if (p->batch > 0)
        return 0;
    double tile = ROWS * (double)p->dim * sizeof(double), tiles = (double)tile_count(p);
    return tiles * tile <= KEPT_BYTES ? (size_t)tiles : (size_t)(KEPT_BYTES / tile);
}

/* A row takes one normal more than it has components, for the scale of a mixture. */
static size_t normals_per_row(const nnd_directional *p) {
    return (size_t)p->dim + 1;
}

double nnd_directional_data_bytes(const nnd_directional *p) {
    const double law = 16e3;
    if (!sampled(p))
        return law;
    double tiles = (double)kept_tiles(p) + 1.0, dim = (double)p->dim;
    return law + ROWS * (tiles * dim + dim + 2.0) * sizeof(double);
}

nnd_status nnd_directional_data_make(nnd_context *ctx, const nnd_directional *p,
                                     nnd_directional_data *data) {
    *data = (nnd_directional_data){.params = p, .dim = dimension(p), .tiles = tile_count(p)};
    if (!nnd_directional_samples_finite(p)) {
        nnd_status status = nnd_radial_law_make(ctx, p, &data->law);
        if (status != NND_OK)
            return status;
        data->half_mean = nnd_radial_half_mean(&data->law);
    }
    if (!sampled(p))
        return NND_OK;
    data->samples = (size_t)sample_count(p);
    data->kept = kept_tiles(p);
    data->tile = malloc((data->kept + 1) * ROWS * data->dim * sizeof(double));
    data->normals = malloc(ROWS * normals_per_row(p) * sizeof(double));
    data->field = malloc(ROWS * sizeof(double));
    return data->tile != NULL && data->normals != NULL && data->field != NULL
               ? NND_OK
               : nnd_fail_memory(ctx, "the samples");
}

void nnd_directional_data_clear(nnd_directional_data *data) {
    nnd_radial_law_clear(&data->law);
    free(data->tile);
    free(data->normals);
    free(data->field);
    *data = (nnd_directional_data){0};
}

/* |x| over the norm of the normals z from which x takes its direction, times the label. */
static double signed_scale(const nnd_directional *p, const double *z) {
    double label = z[0] > 0.0 ? 1.0 : -1.0;
    const nnd_law *law = &p->law;
    if (law->kind == NND_LAW_SPHERE)
        return label * law->radius / cblas_dnrm2((int)p->dim, z, 1);
    if (law->kind != NND_LAW_MIXTURE)
        return label;
    size_t last = law->mixture.weights.count - 1;
    double total = 0.0;
    for (size_t j = 0; j <= last; j++)
        total += law->mixture.weights.value[j];
    double rest = 0.5 * erfc(-z[p->dim] / M_SQRT2) * total;
    for (size_t j = 0; j < last; j++) {
        rest -= law->mixture.weights.value[j];
        if (rest < 0.0)
            return label * law->mixture.scales.value[j];
    }
    return label * law->mixture.scales.value[last];
}

static size_t tile_rows(const nnd_directional_data *data, size_t tile) {
    size_t left = data->samples - tile * ROWS;
    return left < ROWS ? left : ROWS;
}

static void draw_tile(nnd_directional_data *data, size_t tile, double *yx) {
    const nnd_directional *p = data->params;
    size_t rows = tile_rows(data, tile), n = normals_per_row(p);
    uint32_t stream = p->batch > 0 ? NND_STREAM_DIRECTIONAL_BATCHES : NND_STREAM_DIRECTIONAL_INPUTS;
    nnd_rng_normals(data->key, stream, data->step * data->tiles + tile, rows * n, data->normals);
    for (size_t mu = 0; mu < rows; mu++) {
        const double *z = data->normals + mu * n;
        double scale = signed_scale(p, z);
        for (size_t i = 0; i < data->dim; i++)
            yx[mu * data->dim + i] = scale * z[i];
    }
}

/* y x of a tile, rows x dim. */
static const double *tile_at(nnd_directional_data *data, size_t tile) {
    double *yx = data->tile + (tile < data->kept ? tile : data->kept) * ROWS * data->dim;
    if (tile >= data->kept)
        draw_tile(data, tile, yx);
    return yx;
}

void nnd_directional_data_draw(nnd_directional_data *data, nnd_rng_key key) {
    if (data->samples == 0)
        return;
    data->key = key;
    data->step = 0;
    if (data->params->batch > 0)
        return;
    for (size_t k = 0; k < data->kept; k++)
        draw_tile(data, k, data->tile + k * ROWS * data->dim);
    double sum = 0.0;
    for (size_t k = 0; k < data->tiles; k++) {
        const double *yx = tile_at(data, k);
        for (size_t mu = 0; mu < tile_rows(data, k); mu++)
            sum += yx[mu * data->dim];
    }
    data->half_mean = 0.5 * sum / (double)data->samples;
}

static void measure_tile(nnd_directional_data *data, size_t rows, double *loss, double *errors) {
    for (size_t mu = 0; mu < rows; mu++) {
        double u = data->field[mu];
        *loss += (u < 0.0 ? -u : 0.0) + log1p(exp(-fabs(u)));
        *errors += u < 0.0 ? 1.0 : 0.0;
    }
}

static void population_loss(nnd_directional_data *data, const double *w) {
    double omega = cblas_dnrm2((int)data->dim, w, 1);
    data->loss = nnd_radial_loss(&data->law, omega, w[0]);
    data->train_error = NAN;
}

static void sample_force(nnd_directional_data *data, const double *w, bool measure, double *force) {
    int dim = (int)data->dim;
    double loss = 0.0, errors = 0.0, n = (double)data->samples;
    for (size_t i = 0; i < data->dim; i++)
        force[i] = 0.0;
    for (size_t k = 0; k < data->tiles; k++) {
        size_t rows = tile_rows(data, k);
        const double *yx = tile_at(data, k);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, dim, 1.0, yx, dim, w, 1, 0.0,
                    data->field, 1);
        if (measure)
            measure_tile(data, rows, &loss, &errors);
/* clang has no vector version of exp and refuses the promise of one. */
#ifndef __clang__
#pragma omp simd
#endif
        for (size_t mu = 0; mu < rows; mu++)
            data->field[mu] = 1.0 / (1.0 + exp(data->field[mu]));
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, dim, 1.0 / n, yx, dim, data->field, 1,
                    1.0, force, 1);
    }
    if (measure) {
        data->loss = loss / n;
        data->train_error = errors / n;
    }
}

/* half_mean - slope w_0: near the teacher both are almost equal, and what is left of them, by which
 * the norm grows, is a sum of positive terms, rest cos theta + half_mean (1 - cos theta). */
static double along_teacher(const nnd_directional_data *data, const double *w, double omega,
                            double slope) {
    if (!(w[0] > 0.0))
        return data->half_mean - slope * w[0];
    double across = data->dim > 1 ? cblas_dnrm2((int)data->dim - 1, w + 1, 1) : 0.0;
    double gap = across / omega * (across / (omega + w[0]));
    return nnd_radial_rest(&data->law, omega) * (w[0] / omega) + data->half_mean * gap;
}

void nnd_directional_data_force(nnd_directional_data *data, const double *w, bool measure,
                                double *force) {
    bool batch = data->params->batch > 0;
    if (data->samples > 0)
        sample_force(data, w, measure && !batch, force);
    if (measure && (batch || data->samples == 0))
        population_loss(data, w);
    if (data->samples > 0)
        return;
    /* The labels pull along v, the predictor pulls itself back along w. */
    double omega = cblas_dnrm2((int)data->dim, w, 1), slope = nnd_radial_slope(&data->law, omega);
    force[0] = along_teacher(data, w, omega, slope);
    for (size_t i = 1; i < data->dim; i++)
        force[i] = -slope * w[i];
}
