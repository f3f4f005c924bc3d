/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/spike_system.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Puts the spikes of one matrix into columns first, first + 1, ... of B and k further on. */
static void place_spikes(nnd_spike_system *system, const nnd_spike_place *place, size_t rows,
                         size_t first) {
    const nnd_spikes *spikes = place->spikes;
    size_t width = 2 * system->k;
    for (size_t p = 0; p < spikes->rows; p++)
        for (size_t i = 0; i < spikes->rank; i++) {
            size_t at = p * spikes->rank + i;
            system->columns[(place->left_field * rows + p) * width + first + i] = spikes->left[at];
            system->columns[(place->right_field * rows + p) * width + system->k + first + i] =
                spikes->right[at];
        }
    for (size_t i = 0; i < spikes->rank; i++)
        system->sigma[first + i] = spikes->sigma[i];
}

nnd_status nnd_spike_system_make(nnd_context *ctx, nnd_dressed *dressed, size_t responses,
                                 size_t scalars_of_spaces, size_t rows, size_t places,
                                 const nnd_spike_place *place, nnd_spike_scalars scalars,
                                 const void *data, nnd_spike_system *system) {
    *system = (nnd_spike_system){.ctx = ctx, .dressed = dressed, .scalars = scalars, .data = data};
    for (size_t i = 0; i < places; i++)
        system->k += place[i].spikes->rank;
    size_t width = 2 * system->k + 1, size = nnd_dressed_size(dressed);
    system->sigma = calloc(width, sizeof(double));
    system->columns = calloc(size * width, sizeof(double));
    system->t = calloc(responses + 1, sizeof(double));
    system->g = calloc(scalars_of_spaces + 1, sizeof(double));
    system->s = calloc(size * width, sizeof(double));
    system->compressed = calloc(width * width, sizeof(double));
    if (system->sigma == NULL || system->columns == NULL || system->t == NULL ||
        system->g == NULL || system->s == NULL || system->compressed == NULL)
        return nnd_fail_memory(ctx, "the spikes");
    nnd_status status = nnd_dressed_ready(dressed, 2 * system->k);
    if (status != NND_OK)
        return status;
    for (size_t i = 0, first = 0; i < places; first += place[i++].spikes->rank)
        place_spikes(system, &place[i], rows, first);
    return NND_OK;
}

void nnd_spike_system_clear(nnd_spike_system *system) {
    nnd_dressed_free(system->dressed);
    free(system->sigma);
    free(system->columns);
    free(system->t);
    free(system->g);
    free(system->s);
    free(system->compressed);
    memset(system, 0, sizeof *system);
}

/* K_c = B^T T^-1 G T^-T B at x. */
static void compress(nnd_spike_system *system, double x) {
    size_t n = 2 * system->k, size = nnd_dressed_size(system->dressed);
    system->scalars(system->data, x, system->t, system->g);
    memcpy(system->s, system->columns, size * n * sizeof(double));
    nnd_dressed_solve_transposed(system->dressed, system->t, n, system->s);
    nnd_dressed_compress(system->dressed, system->g, n, system->s, system->compressed);
}

/* M = J - Sigma^(1/2) K_c Sigma^(1/2). */
static nnd_status matrix(void *data, double x, double *m) {
    nnd_spike_system *system = data;
    size_t k = system->k, n = 2 * k;
    compress(system, x);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double weight = sqrt(system->sigma[i % k] * system->sigma[j % k]);
            double symmetric =
                (system->compressed[i * n + j] + system->compressed[j * n + i]) / 2.0;
            m[i * n + j] = (i == j + k ? 1.0 : 0.0) - weight * symmetric;
        }
    return NND_OK;
}

nnd_outlier_problem nnd_spike_system_problem(nnd_spike_system *system) {
    return (nnd_outlier_problem){2 * system->k, system->k, matrix, system};
}

nnd_status nnd_spike_system_indicators(nnd_spike_system *system, double x, size_t count,
                                       double *indicator) {
    size_t k = system->k, n = 2 * k;
    for (size_t j = 0; j < count; j++)
        indicator[j] = 0.0;
    if (k == 0)
        return NND_OK;
    double *product = calloc(n * n, sizeof *product);
    if (product == NULL)
        return nnd_fail_memory(system->ctx, "the transition indicator");
    compress(system, x);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            product[i * n + j] = system->sigma[i % k] * system->compressed[(i + k) % n * n + j];
    nnd_status status = nnd_largest_real_eigenvalues(system->ctx, n, product, count, indicator);
    for (size_t j = n; j < count; j++)
        indicator[j] = 0.0;
    free(product);
    return status;
}

nnd_status nnd_spike_system_null(nnd_spike_system *system, double x, const double *y, double *s,
                                 double *a) {
    size_t k = system->k, n = 2 * k, size = nnd_dressed_size(system->dressed);
    double *weighted = calloc(n + 1, sizeof *weighted);
    if (weighted == NULL)
        return nnd_fail_memory(system->ctx, "an outlier's vector");
    for (size_t i = 0; i < n; i++)
        weighted[i] = sqrt(system->sigma[i % k]) * y[i];
    system->scalars(system->data, x, system->t, system->g);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)size, (int)n, 1.0, system->columns, (int)n,
                weighted, 1, 0.0, s, 1);
    nnd_dressed_solve_transposed(system->dressed, system->t, 1, s);
    nnd_dressed_gram_times(system->dressed, system->g, 1, s, a);
    nnd_dressed_solve(system->dressed, system->t, 1, a);
    free(weighted);
    return NND_OK;
}

nnd_status nnd_spike_system_derivative(const nnd_spike_system *system, const double *dt,
                                       const double *dg, const double *s, const double *a,
                                       double *value) {
    size_t size = nnd_dressed_size(system->dressed);
    double *gs = calloc(size + 1, sizeof *gs);
    if (gs == NULL)
        return nnd_fail_memory(system->ctx, "an outlier's vector");
    nnd_dressed_gram_times(system->dressed, dg, 1, s, gs);
    *value = -cblas_ddot((int)size, s, 1, gs, 1) -
             2.0 * nnd_dressed_response_form(system->dressed, dt, s, a);
    free(gs);
    return NND_OK;
}
