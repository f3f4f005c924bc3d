/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/flat_minima_data.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void nnd_flat_data_clear(nnd_flat_data *data) {
    free(data->x);
    free(data->y);
    free(data->test_y);
    free(data->minimizer);
    *data = (nnd_flat_data){0};
}

/* `dim` samples with X'X/n = S and y = X w: row k is sqrt(n lambda_k) times eigenvector k. */
static nnd_status from_covariance(nnd_context *ctx, const nnd_data *d, nnd_flat_data *data) {
    size_t n = d->covariance.rows;
    data->samples = data->dim = n;
    data->x = calloc(n * n, sizeof(double));
    data->y = calloc(n, sizeof(double));
    double *vector = malloc(n * n * sizeof *vector), *value = malloc(n * sizeof *value);
    nnd_status status = NND_OK;
    if (data->x == NULL || data->y == NULL || vector == NULL || value == NULL)
        status = nnd_fail_memory(ctx, "the training set");
    if (status == NND_OK) {
        memcpy(vector, d->covariance.value, n * n * sizeof *vector);
        if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, vector, (lapack_int)n,
                          value) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "params.data.covariance: has no eigenvalues");
    }
    for (size_t k = 0; status == NND_OK && k < n; k++) {
        double length = sqrt((double)n * fmax(value[k], 0.0));
        for (size_t j = 0; j < n; j++)
            data->x[k * n + j] = length * vector[j * n + k];
        data->y[k] = cblas_ddot((int)n, data->x + k * n, 1, d->minimizer.value, 1);
    }
    free(vector);
    free(value);
    return status;
}

static nnd_status from_samples(nnd_context *ctx, const nnd_data *d, nnd_flat_data *data) {
    nnd_dataset set;
    nnd_status status = nnd_dataset_make(ctx, d, &set);
    if (status != NND_OK)
        return status;
    data->samples = set.samples;
    data->dim = set.dim;
    data->x = set.inputs;
    data->y = set.targets;
    data->tests = set.tests;
    data->test_x = set.inputs + set.samples * set.dim;
    data->test_y = set.test_targets;
    set.inputs = set.targets = set.test_targets = NULL;
    nnd_dataset_clear(&set);
    return NND_OK;
}

/* y of least norm that solves X w = y in least squares. */
static nnd_status solve(nnd_context *ctx, nnd_flat_data *data) {
    size_t n = data->samples, d = data->dim, least = n < d ? n : d, most = n < d ? d : n;
    double *x = malloc(n * d * sizeof *x), *w = calloc(most, sizeof *w);
    double *singular = malloc(least * sizeof *singular);
    lapack_int rank;
    nnd_status status = NND_OK;
    data->minimizer = calloc(d, sizeof(double));
    if (x == NULL || w == NULL || singular == NULL || data->minimizer == NULL)
        status = nnd_fail_memory(ctx, "the training set");
    if (status == NND_OK) {
        memcpy(x, data->x, n * d * sizeof *x);
        memcpy(w, data->y, n * sizeof *w);
        if (LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (lapack_int)n, (lapack_int)d, 1, x, (lapack_int)d, w,
                           1, singular, -1.0, &rank) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "params.data: no least-squares solution");
        else
            memcpy(data->minimizer, w, d * sizeof *w);
    }
    free(x);
    free(w);
    free(singular);
    return status;
}

/* The rows of R and of Q'y that matter; the rest of Q'y no linear network changes. */
static nnd_status rotate(nnd_context *ctx, nnd_flat_data *data) {
    lapack_int n = (lapack_int)data->samples, d = (lapack_int)data->dim;
    double *tau = calloc(data->dim, sizeof *tau);
    if (tau == NULL)
        return nnd_fail_memory(ctx, "the training set");
    bool done =
        LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, n, d, data->x, d, tau) == 0 &&
        LAPACKE_dormqr(LAPACK_ROW_MAJOR, 'L', 'T', n, 1, d, data->x, d, tau, data->y, 1) == 0;
    free(tau);
    if (!done)
        return nnd_fail(ctx, NND_E_INPUT, "params.data: the inputs have no QR decomposition");
    for (size_t i = 0; i < data->dim; i++)
        for (size_t j = 0; j < i; j++)
            data->x[i * data->dim + j] = 0.0;
    const double *rest = data->y + data->dim;
    data->floor = data->weight * cblas_ddot(n - d, rest, 1, rest, 1);
    data->samples = data->dim;
    return NND_OK;
}

/* Whether X'y is more than rounding. */
static bool learns(const nnd_flat_data *data) {
    int n = (int)data->samples, d = (int)data->dim;
    double size = cblas_dnrm2(n * d, data->x, 1) * cblas_dnrm2(n, data->y, 1), pull2 = 0.0;
    for (int j = 0; j < d; j++)
        pull2 += pow(cblas_ddot(n, data->x + j, d, data->y, 1), 2.0);
    return sqrt(pull2) > 1e-15 * size;
}

nnd_status nnd_flat_data_make(nnd_context *ctx, const nnd_flat_minima *p, nnd_flat_data *data) {
    *data = (nnd_flat_data){0};
    nnd_status status = p->data.covariance.rows > 0 ? from_covariance(ctx, &p->data, data)
                                                    : from_samples(ctx, &p->data, data);
    if (status != NND_OK)
        return status;
    data->weight = 1.0 / (double)data->samples;
    data->target2 = data->weight * cblas_ddot((int)data->samples, data->y, 1, data->y, 1);
    status = solve(ctx, data);
    if (status != NND_OK || !nnd_flat_minima_is_linear(p))
        return status;
    if (!learns(data))
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.data: the target has no linear part: there is nothing to learn");
    return data->samples > data->dim ? rotate(ctx, data) : NND_OK;
}
