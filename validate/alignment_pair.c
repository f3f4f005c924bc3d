/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/alignment_pair.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

size_t nnd_alignment_samples(const nnd_alignment *p, size_t dim) {
    return (size_t)(p->alpha * (double)dim + 0.5);
}

/* Cholesky factor of a matrix over outputs, also of one that is only semi-definite. */
static void factor(size_t c, const nnd_dense *m, double *out) {
    memset(out, 0, c * c * sizeof *out);
    for (size_t j = 0; j < c; j++) {
        double d = nnd_alignment_output(m, j, j);
        for (size_t k = 0; k < j; k++)
            d -= out[j * c + k] * out[j * c + k];
        if (!(d > 1e-14 * nnd_alignment_output(m, j, j)))
            continue;
        out[j * c + j] = sqrt(d);
        for (size_t i = j + 1; i < c; i++) {
            double x = nnd_alignment_output(m, i, j);
            for (size_t k = 0; k < j; k++)
                x -= out[i * c + k] * out[j * c + k];
            out[i * c + j] = x / out[j * c + j];
        }
    }
}

/* Variances of the inputs and the squared teacher of a measured population; inputs have a mean
 * variance of 1 in all of their dimensions: alignment.md#eq15. */
static void take_measured(nnd_alignment_pair *pair) {
    double variance = 0.0;
    for (size_t i = 0; i < pair->dim; i++)
        variance += pair->rows.eigenvalue[i] / (double)pair->rows.dim;
    pair->unit = sqrt(variance);
    for (size_t i = 0; i < pair->dim; i++) {
        pair->eigenvalue[i] = pair->rows.eigenvalue[i] / variance;
        pair->teacher[i] = pair->unit * pair->rows.weight[i];
    }
}

static nnd_status allocate(nnd_context *ctx, nnd_alignment_pair *pair) {
    size_t dim = pair->dim, samples = pair->samples, c = pair->outputs;
    pair->eigenvalue = calloc(dim, sizeof(double));
    pair->teacher = calloc(c * dim, sizeof(double));
    pair->noise_factor = calloc(c * c, sizeof(double));
    size_t most = pair->rows.dim > dim ? pair->rows.dim : dim;
    pair->scratch = calloc(most + 2 * c, sizeof(double));
    bool done = pair->eigenvalue != NULL && pair->teacher != NULL && pair->noise_factor != NULL &&
                pair->scratch != NULL;
    for (int b = 0; b < 2; b++) {
        pair->x[b] = calloc(samples * dim, sizeof(double));
        pair->y[b] = calloc(samples * c, sizeof(double));
        done = done && pair->x[b] != NULL && pair->y[b] != NULL;
    }
    return done ? NND_OK : nnd_fail_memory(ctx, "the data");
}

/* Power of the teacher, from its coordinates or from their squares. */
static double power_of(const nnd_alignment_pair *pair) {
    bool data = nnd_alignment_has_data(pair->params);
    double power = 0.0;
    for (size_t i = 0; i < pair->dim; i++)
        power += pair->eigenvalue[i] * pair->teacher[i] * (data ? pair->teacher[i] : 1.0);
    return power;
}

/* A class that is replaced with this probability, by any other, has as much of its variance from
 * the teacher as a number with Gaussian noise at the same ratio: alignment.md#s1. */
static double flips(const nnd_alignment *p) {
    size_t classes = nnd_alignment_classes(p);
    double kept = isinf(p->snr) ? 1.0 : sqrt(p->snr / (1.0 + p->snr));
    return classes > 0 ? (1.0 - kept) * (double)(classes - 1) / (double)classes : 0.0;
}

nnd_status nnd_alignment_pair_make(nnd_context *ctx, const nnd_alignment *p, size_t dim,
                                   nnd_alignment_pair *pair) {
    size_t samples = nnd_alignment_samples(p, dim), c = (size_t)p->outputs;
    *pair = (nnd_alignment_pair){
        .params = p, .size = dim, .dim = dim, .samples = samples, .outputs = c};
    nnd_status status =
        nnd_alignment_has_data(p) ? nnd_feature_spectrum_make(ctx, &p->data, &pair->rows) : NND_OK;
    if (status == NND_OK && nnd_alignment_has_data(p))
        pair->dim = pair->rows.rank;
    if (status == NND_OK)
        status = allocate(ctx, pair);
    if (status != NND_OK)
        return status;
    if (nnd_alignment_has_data(p))
        take_measured(pair);
    else
        nnd_alignment_modes(p, dim, pair->eigenvalue, pair->teacher);
    pair->noise = isnan(p->label_noise) ? power_of(pair) / p->snr : p->label_noise;
    pair->flips = flips(p);
    factor(c, &p->output_noise, pair->noise_factor);
    return NND_OK;
}

void nnd_alignment_pair_clear(nnd_alignment_pair *pair) {
    for (int b = 0; b < 2; b++) {
        free(pair->x[b]);
        free(pair->y[b]);
    }
    free(pair->eigenvalue);
    free(pair->teacher);
    free(pair->noise_factor);
    free(pair->scratch);
    free(pair->chosen);
    nnd_feature_spectrum_clear(&pair->rows);
    *pair = (nnd_alignment_pair){0};
}

/* Orthonormal rows times sqrt(D), from normals. */
static nnd_status orthonormalise(nnd_context *ctx, size_t c, size_t dim, double *rows) {
    double *tau = calloc(c, sizeof *tau);
    lapack_int info = tau != NULL ? 0 : -1, n = (lapack_int)dim, m = (lapack_int)c;
    /* rows x dim in row-major is dim x rows in column-major */
    if (info == 0)
        info = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n, m, rows, n, tau);
    if (info == 0)
        info = LAPACKE_dorgqr(LAPACK_COL_MAJOR, n, m, m, rows, n, tau);
    free(tau);
    for (size_t i = 0; i < c * dim; i++)
        rows[i] *= sqrt((double)dim);
    return info == 0 ? NND_OK : nnd_fail_memory(ctx, "the teacher");
}

/* One output: beta*_i itself (its signs do not matter). Several: directions at random whose inner
 * products are output_gram, exactly so for isotropic inputs. */
static nnd_status draw_teacher(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key) {
    const nnd_alignment *p = pair->params;
    size_t d = pair->dim, c = pair->outputs;
    double *root = calloc(c * c, sizeof *root), *mixed = calloc(c * d, sizeof *mixed);
    double *rows = calloc(c * d, sizeof *rows), *length2 = calloc(d, sizeof *length2);
    nnd_status status = NND_OK;
    if (root == NULL || mixed == NULL || rows == NULL || length2 == NULL)
        status = nnd_fail_memory(ctx, "the teacher");
    if (status == NND_OK) {
        factor(c, &p->output_gram, root);
        for (size_t k = 0; k < c; k++) {
            nnd_rng_normals(key, NND_STREAM_ALIGNMENT_TEACHER, k, d, rows + k * d);
            for (size_t i = 0; i < d; i++)
                if (c == 1)
                    rows[i] = 1.0;
                else if (p->covariance.kind != NND_COVARIANCE_ISOTROPIC)
                    rows[k * d + i] = rows[k * d + i] < 0.0 ? -1.0 : 1.0;
        }
        if (c > 1 && p->covariance.kind == NND_COVARIANCE_ISOTROPIC)
            status = orthonormalise(ctx, c, d, rows);
    }
    if (status == NND_OK) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c, (int)d, (int)c, 1.0, root,
                    (int)c, rows, (int)d, 0.0, mixed, (int)d);
        nnd_alignment_modes(p, d, pair->eigenvalue, length2);
        for (size_t k = 0; k < c; k++)
            for (size_t i = 0; i < d; i++)
                pair->teacher[k * d + i] = sqrt(length2[i]) * mixed[k * d + i];
    }
    free(root);
    free(mixed);
    free(rows);
    free(length2);
    return status;
}

/* ---- samples ---- */

static void draw_inputs(const nnd_alignment_pair *pair, nnd_rng_key key, uint32_t stream,
                        size_t count, double *x) {
    for (size_t mu = 0; mu < count; mu++) {
        nnd_rng_normals(key, stream, mu, pair->dim, x + mu * pair->dim);
        for (size_t i = 0; i < pair->dim; i++)
            x[mu * pair->dim + i] *= sqrt(pair->eigenvalue[i]);
    }
}

static void put_class(size_t classes, size_t which, double *y) {
    for (size_t c = 0; c < classes; c++)
        y[c] = c == which ? 1.0 : 0.0;
}

static nnd_status choose(nnd_context *ctx, nnd_alignment_pair *pair, size_t count) {
    if (count <= pair->most_chosen)
        return NND_OK;
    uint64_t *grown = realloc(pair->chosen, count * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(ctx, "rows of data");
    pair->chosen = grown;
    pair->most_chosen = count;
    return NND_OK;
}

/* Coordinates and labels of the chosen rows of data, less the means of all to learn from. */
static void take_rows(const nnd_alignment_pair *pair, const nnd_data *data, size_t count, double *x,
                      double *y) {
    nnd_feature_coordinates(&pair->rows, data, count, pair->chosen, pair->scratch, x, y);
    for (size_t i = 0; pair->outputs > 1 && i < count; i++)
        put_class(pair->outputs, (size_t)data->labels.value[pair->chosen[i]],
                  y + i * pair->outputs);
    cblas_dscal((int)(count * pair->dim), 1.0 / pair->unit, x, 1);
}

/* Rows of data, each as likely, with replacement, and their labels without noise. */
static nnd_status draw_rows(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key,
                            uint32_t stream, size_t count, double *x, double *y) {
    nnd_status status = choose(ctx, pair, count);
    if (status != NND_OK)
        return status;
    nnd_rng_words(key, stream, 0, count, pair->chosen);
    for (size_t i = 0; i < count; i++)
        pair->chosen[i] %= pair->rows.rows;
    take_rows(pair, &pair->params->data, count, x, y);
    return NND_OK;
}

nnd_status nnd_alignment_take_tests(nnd_context *ctx, nnd_alignment_pair *pair, double *probes,
                                    double *clean) {
    const nnd_data *all = &pair->params->data;
    const nnd_data tests = {
        .inputs = all->test_inputs, .targets = all->test_targets, .labels = all->test_labels};
    nnd_status status = choose(ctx, pair, tests.inputs.rows);
    for (size_t i = 0; status == NND_OK && i < tests.inputs.rows; i++)
        pair->chosen[i] = i;
    if (status == NND_OK)
        take_rows(pair, &tests, tests.inputs.rows, probes, clean);
    return status;
}

nnd_status nnd_alignment_draw_probes(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key,
                                     uint32_t stream, size_t count, double *probes, double *clean) {
    if (pair->rows.rank > 0)
        return draw_rows(ctx, pair, key, stream, count, probes, clean);
    draw_inputs(pair, key, stream, count, probes);
    size_t c = pair->outputs;
    for (size_t i = 0; i < count * c; i++)
        clean[i] = cblas_ddot((int)pair->dim, pair->teacher + i % c * pair->dim, 1,
                              probes + i / c * pair->dim, 1);
    return NND_OK;
}

/* Adds sqrt(scale) times correlated normals to the labels of one sample. */
static void add_noise(const nnd_alignment_pair *pair, nnd_rng_key key, uint32_t stream, size_t mu,
                      double scale, double *y) {
    size_t c = pair->outputs;
    double *normal = pair->scratch;
    if (scale == 0.0)
        return;
    nnd_rng_normals(key, stream, mu, c, normal);
    for (size_t i = 0; i < c; i++)
        for (size_t k = 0; k <= i; k++)
            y[i] += sqrt(scale) * pair->noise_factor[i * c + k] * normal[k];
}

/* Turns outputs of the teacher into class labels, some of them wrong: another class, each as
 * likely.
 */
static void classify(const nnd_alignment_pair *pair, nnd_rng_key key, uint32_t stream, size_t mu,
                     double *y) {
    double normal;
    nnd_rng_normals(key, stream, mu, 1, &normal);
    double uniform = 0.5 * erfc(normal / M_SQRT2);
    bool flipped = uniform < pair->flips;
    size_t classes = pair->outputs, which = nnd_class_of(classes, y);
    if (classes == 1) {
        *y = (*y < 0.0) != flipped ? -1.0 : 1.0;
        return;
    }
    if (flipped)
        which += 1 + (size_t)(uniform / pair->flips * (double)(classes - 1));
    put_class(classes, which % classes, y);
}

static void label(nnd_alignment_pair *pair, nnd_rng_key key, uint32_t b) {
    const nnd_alignment *p = pair->params;
    size_t c = pair->outputs;
    for (size_t mu = 0; mu < pair->samples; mu++) {
        double *y = pair->y[b] + mu * c;
        if (p->task == NND_TASK_CLASSIFICATION) {
            classify(pair, key, NND_STREAM_ALIGNMENT_LABELS + b, mu, y);
            continue;
        }
        add_noise(pair, key, NND_STREAM_ALIGNMENT_COMMON, mu, p->noise_correlation * pair->noise,
                  y);
        add_noise(pair, key, NND_STREAM_ALIGNMENT_LABELS + b, mu,
                  (1.0 - p->noise_correlation) * pair->noise, y);
    }
}

/* Clean inputs and labels of network b. */
static nnd_status draw_samples(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key,
                               uint32_t b) {
    size_t n = pair->samples, d = pair->dim, c = pair->outputs;
    double *x = pair->x[b], *y = pair->y[b];
    uint32_t stream = NND_STREAM_ALIGNMENT_INPUTS + b;
    if (b == 1 && pair->params->inputs == NND_INPUTS_SHARED) {
        memcpy(x, pair->x[0], n * d * sizeof *x);
        memcpy(y, pair->y[0], n * c * sizeof *y);
        return NND_OK;
    }
    if (pair->rows.rank > 0)
        return draw_rows(ctx, pair, key, stream, n, x, y);
    draw_inputs(pair, key, stream, n, x);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)c, (int)d, 1.0, x, (int)d,
                pair->teacher, (int)d, 0.0, y, (int)c);
    return NND_OK;
}

nnd_status nnd_alignment_pair_draw(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key) {
    const nnd_alignment *p = pair->params;
    size_t d = pair->dim, samples = pair->samples;
    nnd_status status = nnd_alignment_has_data(p) ? NND_OK : draw_teacher(ctx, pair, key);
    for (uint32_t b = 0; status == NND_OK && b < 2; b++)
        status = draw_samples(ctx, pair, key, b);
    for (uint32_t b = 0; status == NND_OK && b < 2; b++)
        label(pair, key, b);
    if (status != NND_OK || p->input_noise == 0.0)
        return status;
    for (uint32_t b = 0; b < 2; b++)
        for (size_t mu = 0; mu < samples; mu++) {
            nnd_rng_normals(key, NND_STREAM_ALIGNMENT_INPUT_NOISE + b, mu, d, pair->scratch);
            cblas_daxpy((int)d, sqrt(p->input_noise), pair->scratch, 1, pair->x[b] + mu * d, 1);
        }
    return NND_OK;
}
