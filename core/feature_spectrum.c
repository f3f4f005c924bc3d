/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/feature_spectrum.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Eigenvalues of a covariance that are rounding, relative to the largest. */
static const double RANK_TOLERANCE = 1e-12;

enum { TILE = 64 };

void nnd_feature_spectrum_clear(nnd_feature_spectrum *s) {
    free(s->eigenvalue);
    free(s->vector);
    free(s->weight);
    free(s->mean);
    *s = (nnd_feature_spectrum){0};
}

static const double *input_row(const nnd_data *d, size_t i) {
    return d->inputs.value + i * d->inputs.cols;
}

/* A class is the target -1 (0) or 1 (1). */
static double target(const nnd_data *d, size_t i) {
    return d->labels.rows == 0 ? d->targets.value[i] : d->labels.value[i] > 0.0 ? 1.0 : -1.0;
}

/* A row less the mean. */
static void centre(const nnd_feature_spectrum *s, const nnd_data *d, size_t i, double *x) {
    for (size_t j = 0; j < s->dim; j++)
        x[j] = input_row(d, i)[j] - s->mean[j];
}

static void take_means(const nnd_data *d, nnd_feature_spectrum *s) {
    double n = (double)s->rows;
    for (size_t i = 0; i < s->rows; i++) {
        cblas_daxpy((int)s->dim, 1.0 / n, input_row(d, i), 1, s->mean, 1);
        s->target_mean += target(d, i) / n;
    }
}

/* C = E[x x^T], its upper triangle as column-major storage has it, and E[x y]: `x` holds TILE rows
 * at a time. */
static void take_moments(const nnd_data *d, const nnd_feature_spectrum *s, double *x,
                         double *covariance, double *moment) {
    int dim = (int)s->dim;
    double n = (double)s->rows;
    for (size_t first = 0; first < s->rows; first += TILE) {
        size_t rows = s->rows - first < TILE ? s->rows - first : TILE;
        for (size_t i = 0; i < rows; i++) {
            double y = target(d, first + i) - s->target_mean;
            centre(s, d, first + i, x + i * s->dim);
            cblas_daxpy(dim, y / n, x + i * s->dim, 1, moment, 1);
        }
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, dim, (int)rows, 1.0 / n, x, dim, 1.0,
                    covariance, dim);
    }
}

/* Eigenpairs ascend: the last come first. */
static void sort_descending(const double *value, const double *vector, nnd_feature_spectrum *s) {
    double largest = value[s->dim - 1];
    for (size_t i = s->dim; i-- > 0 && value[i] > RANK_TOLERANCE * largest; s->rank++) {
        s->eigenvalue[s->rank] = value[i];
        memcpy(s->vector + s->rank * s->dim, vector + i * s->dim, s->dim * sizeof(double));
    }
}

static double residual2(const nnd_data *d, const nnd_feature_spectrum *s, const double *moment,
                        double *x, double *predictor) {
    double sum = 0.0;
    memset(predictor, 0, s->dim * sizeof(double));
    for (size_t k = 0; k < s->rank; k++) {
        const double *u = s->vector + k * s->dim;
        s->weight[k] = cblas_ddot((int)s->dim, u, 1, moment, 1) / s->eigenvalue[k];
        cblas_daxpy((int)s->dim, s->weight[k], u, 1, predictor, 1);
    }
    for (size_t i = 0; i < s->rows; i++) {
        centre(s, d, i, x);
        double r = target(d, i) - s->target_mean - cblas_ddot((int)s->dim, predictor, 1, x, 1);
        sum += r * r / (double)s->rows;
    }
    return sum;
}

/* Variance of the target. */
static double power(const nnd_feature_spectrum *s) {
    double sum = s->residual2;
    for (size_t k = 0; k < s->rank; k++)
        sum += s->eigenvalue[k] * s->weight[k] * s->weight[k];
    return sum;
}

/* Exactly: rounding gives the mean of equal numbers a distance from them. */
static nnd_status check_variation(nnd_context *ctx, const nnd_data *d) {
    size_t cols = d->inputs.cols;
    bool inputs = false, targets = false;
    for (size_t i = 1; i < d->inputs.rows; i++) {
        inputs = inputs || memcmp(input_row(d, i), input_row(d, 0), cols * sizeof(double)) != 0;
        targets = targets || (d->labels.rows > 0 ? d->labels.value[i] != d->labels.value[0]
                                                 : target(d, i) != target(d, 0));
    }
    if (!inputs)
        return nnd_fail(ctx, NND_E_INPUT, "params.data.inputs: all rows are equal");
    return targets ? NND_OK
                   : nnd_fail(ctx, NND_E_INPUT, "params.data.%s: all are equal",
                              d->labels.rows > 0 ? "labels" : "targets");
}

static nnd_status measure(nnd_context *ctx, const nnd_data *d, nnd_feature_spectrum *s,
                          double *work) {
    size_t dim = s->dim;
    double trace = 0.0, *x = work, *moment = x + TILE * dim, *value = moment + dim,
           *covariance = value + dim;
    take_means(d, s);
    take_moments(d, s, x, covariance, moment);
    for (size_t j = 0; j < dim; j++)
        trace += covariance[j * dim + j];
    if (!(trace <= NND_LARGEST_VARIANCE))
        return nnd_fail(
            ctx, NND_E_INPUT,
            "params.data.inputs: too large, variances add up to %.3g; allowed: at most %g", trace,
            NND_LARGEST_VARIANCE);
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)dim, covariance, (lapack_int)dim,
                       value) != 0)
        return nnd_fail(ctx, NND_E_INPUT, "params.data.inputs: their covariance has no spectrum");
    if (value[dim - 1] < 1.0 / NND_LARGEST_VARIANCE)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.data.inputs: too small, of variance %.3g; allowed: at least %g",
                        value[dim - 1], 1.0 / NND_LARGEST_VARIANCE);
    sort_descending(value, covariance, s);
    s->residual2 = residual2(d, s, moment, x, value);
    if (!(power(s) <= NND_LARGEST_VARIANCE * NND_LARGEST_VARIANCE))
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.data.targets: too large, of variance %.3g; allowed: at most %g",
                        power(s), NND_LARGEST_VARIANCE * NND_LARGEST_VARIANCE);
    return NND_OK;
}

nnd_status nnd_feature_spectrum_make(nnd_context *ctx, const nnd_data *d, nnd_feature_spectrum *s) {
    size_t dim = d->inputs.cols;
    *s = (nnd_feature_spectrum){.rows = d->inputs.rows, .dim = dim};
    s->eigenvalue = calloc(dim, sizeof(double));
    s->vector = calloc(dim * dim, sizeof(double));
    s->weight = calloc(dim, sizeof(double));
    s->mean = calloc(dim, sizeof(double));
    double *work = calloc(dim * (dim + TILE + 2), sizeof *work);
    nnd_status status = NND_OK;
    if (s->eigenvalue == NULL || s->vector == NULL || s->weight == NULL || s->mean == NULL ||
        work == NULL)
        status = nnd_fail_memory(ctx, "the covariance of the features");
    if (status == NND_OK)
        status = check_variation(ctx, d);
    if (status == NND_OK)
        status = measure(ctx, d, s, work);
    free(work);
    if (status != NND_OK)
        nnd_feature_spectrum_clear(s);
    return status;
}

/* The covariance, its eigenvectors twice, what LAPACK works in, and TILE rows. */
void nnd_feature_spectrum_cost(const nnd_data *d, double *bytes, double *flops) {
    double rows = (double)d->inputs.rows, m = (double)d->inputs.cols;
    *bytes = sizeof(double) * m * (4.0 * m + TILE);
    *flops = 2.0 * rows * m * m + 12.0 * m * m * m;
}

void nnd_feature_coordinates(const nnd_feature_spectrum *s, const nnd_data *d, size_t count,
                             const uint64_t *row, double *scratch, double *z, double *y) {
    int rank = (int)s->rank, dim = (int)s->dim;
    for (size_t i = 0; i < count; i++) {
        centre(s, d, row[i], scratch);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rank, dim, 1.0, s->vector, dim, scratch, 1, 0.0,
                    z + i * s->rank, 1);
        y[i] = target(d, row[i]) - s->target_mean;
    }
}
