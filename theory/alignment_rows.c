/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/alignment_rows.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

size_t nnd_alignment_rows_measured(size_t rows, size_t rank) {
    const size_t least = 4096, numbers = 1 << 19;
    size_t most = rank > 0 && numbers / rank > least ? numbers / rank : least;
    return rows < most ? rows : most;
}

static nnd_status allocate(nnd_context *ctx, nnd_alignment_rows *x) {
    nnd_status status = nnd_check_memory(
        ctx, 2.0 * sizeof(double) * (double)x->rows * (double)x->rank, "the lengths of inputs");
    if (status != NND_OK)
        return status;
    x->coordinate = malloc(x->rows * x->rank * sizeof(double));
    x->square = malloc(x->rows * x->rank * sizeof(double));
    x->kurtosis = calloc(x->rank, sizeof(double));
    x->excess = malloc(x->rows * sizeof(double));
    return x->coordinate != NULL && x->square != NULL && x->kurtosis != NULL && x->excess != NULL
               ? NND_OK
               : nnd_fail_memory(ctx, "the lengths of inputs");
}

/* Gives direction k the mean square 1, and finds its kurtosis. One that the rows show less than
 * half of belongs to a few other rows; its squares are taken for even. */
static void normalise(nnd_alignment_rows *x, size_t k) {
    double second = 0.0, fourth = 0.0;
    for (size_t i = 0; i < x->rows; i++) {
        double square = pow(x->coordinate[i * x->rank + k], 2.0);
        second += square / (double)x->rows;
        fourth += square * square / (double)x->rows;
    }
    bool shown = second >= 0.5;
    x->kurtosis[k] = shown ? fourth / (second * second) : INFINITY;
    for (size_t i = 0; i < x->rows; i++) {
        double *z = &x->coordinate[i * x->rank + k];
        *z = shown ? *z / sqrt(second) : 0.0;
        x->square[i * x->rank + k] = shown ? *z * *z : 1.0;
    }
}

/* Squared residuals of some rows become those of all, less their mean. */
static void take_mean_out(nnd_alignment_rows *x, double residual2) {
    double mean = 0.0;
    for (size_t i = 0; i < x->rows; i++)
        mean += x->excess[i] / (double)x->rows;
    for (size_t i = 0; i < x->rows; i++)
        x->excess[i] = mean > 0.0 ? x->excess[i] / mean * residual2 - residual2 : 0.0;
}

nnd_status nnd_alignment_rows_make(nnd_context *ctx, const nnd_data *data,
                                   const nnd_feature_spectrum *spectrum, const double *eigenvalue,
                                   nnd_alignment_rows *x) {
    size_t rows = nnd_alignment_rows_measured(spectrum->rows, spectrum->rank);
    *x = (nnd_alignment_rows){rows, spectrum->rank, eigenvalue, NULL, NULL, NULL, NULL};
    double *scratch = malloc(spectrum->dim * sizeof *scratch);
    nnd_status status =
        scratch != NULL ? allocate(ctx, x) : nnd_fail_memory(ctx, "the lengths of inputs");
    for (size_t i = 0; status == NND_OK && i < rows; i++) {
        uint64_t row = i * spectrum->rows / rows;
        double *z = x->coordinate + i * x->rank, y;
        nnd_feature_coordinates(spectrum, data, 1, &row, scratch, z, &y);
        x->excess[i] = pow(y - cblas_ddot((int)x->rank, spectrum->weight, 1, z, 1), 2.0);
        for (size_t k = 0; k < x->rank; k++)
            z[k] /= sqrt(spectrum->eigenvalue[k]);
    }
    for (size_t k = 0; status == NND_OK && k < x->rank; k++)
        normalise(x, k);
    if (status == NND_OK)
        take_mean_out(x, spectrum->residual2);
    free(scratch);
    return status;
}

void nnd_alignment_rows_clear(nnd_alignment_rows *x) {
    free(x->coordinate);
    free(x->square);
    free(x->kurtosis);
    free(x->excess);
    *x = (nnd_alignment_rows){0};
}

/* s/(s + kappa): the part of a direction that is learned. */
static double learned(const nnd_alignment_rows *x, size_t k, double kappa) {
    return x->eigenvalue[k] / (x->eigenvalue[k] + kappa);
}

double nnd_alignment_kurtosis(const nnd_alignment_rows *x, double kappa) {
    double first = 0.0, second = 0.0, normal = 0.0;
    for (size_t i = 0; i < x->rows; i++) {
        double length = 0.0;
        for (size_t k = 0; k < x->rank; k++)
            length += x->square[i * x->rank + k] * learned(x, k, kappa);
        first += length / (double)x->rows;
        second += length * length / (double)x->rows;
    }
    for (size_t k = 0; k < x->rank; k++)
        normal += 2.0 * pow(learned(x, k, kappa), 2.0);
    return second / (first * first + normal);
}

double nnd_alignment_unseen(const nnd_alignment_rows *x, double samples, double kappa) {
    double most = 0.0;
    for (size_t k = 0; k < x->rank; k++) {
        most = fmax(most, exp(-samples / x->kurtosis[k]) * learned(x, k, kappa));
    }
    return most;
}
