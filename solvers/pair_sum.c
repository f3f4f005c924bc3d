/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/pair_sum.h"

#include <cblas.h>
#include <stdlib.h>

typedef struct {
    size_t nodes, kernels, times;
    double complex *u; /* times x 2 nodes: the second half is the conjugate of the first */
    double complex *k; /* kernels x NND_PAIR_ROWS x 2 nodes */
    double complex *y; /* NND_PAIR_ROWS x times */
    double *sum;
} tiles;

static void add_tile(tiles *x, size_t first, size_t rows) {
    const double complex one = 1.0, zero = 0.0;
    size_t both = 2 * x->nodes;
    for (size_t m = 0; m < x->kernels; m++) {
        cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)x->times, (int)both,
                    &one, x->k + m * NND_PAIR_ROWS * both, (int)both, x->u, (int)both, &zero, x->y,
                    (int)x->times);
        for (size_t r = 0; r < rows; r++)
            for (size_t t = 0; t < x->times; t++)
                x->sum[m * x->times + t] +=
                    2.0 * creal(x->u[t * both + first + r] * x->y[r * x->times + t]);
    }
}

nnd_status nnd_pair_sum(nnd_context *ctx, size_t nodes, size_t kernels, nnd_pair_kernels fill,
                        void *data, size_t times, const double complex *u, double *sum) {
    tiles x = {.nodes = nodes, .kernels = kernels, .times = times, .sum = sum};
    x.u = calloc(times * 2 * nodes, sizeof *x.u);
    x.k = calloc(kernels * NND_PAIR_ROWS * 2 * nodes, sizeof *x.k);
    x.y = calloc(NND_PAIR_ROWS * times, sizeof *x.y);
    nnd_status status = NND_OK;
    if (x.u == NULL || x.k == NULL || x.y == NULL)
        status = nnd_fail_memory(ctx, "sums over pairs of nodes");
    for (size_t t = 0; status == NND_OK && t < times; t++)
        for (size_t j = 0; j < nodes; j++) {
            x.u[t * 2 * nodes + j] = u[t * nodes + j];
            x.u[t * 2 * nodes + nodes + j] = conj(u[t * nodes + j]);
        }
    for (size_t first = 0; status == NND_OK && first < nodes; first += NND_PAIR_ROWS) {
        size_t rows = nodes - first < NND_PAIR_ROWS ? nodes - first : NND_PAIR_ROWS;
        if (nnd_context_interrupted(ctx))
            status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted");
        else {
            fill(first, rows, NND_PAIR_ROWS * 2 * nodes, x.k, data);
            add_tile(&x, first, rows);
        }
    }
    free(x.u);
    free(x.k);
    free(x.y);
    return status;
}
