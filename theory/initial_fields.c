/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/initial_fields.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/block_products.h"

nnd_status nnd_initial_fields(nnd_context *ctx, nnd_population *population, size_t n,
                              const double *gram, double sigma, double *scratch, double *h) {
    const double rounding = 1e-13;
    size_t rank = 0;
    double *root = malloc((n * n + n) * sizeof *root);
    if (root == NULL)
        return nnd_fail_memory(ctx, "fields of the first layer");
    double *value = root + n * n;
    memcpy(root, gram, n * n * sizeof *root);
    nnd_status status =
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, root, (lapack_int)n, value) == 0
            ? NND_OK
            : nnd_fail(ctx, NND_E_UNSOLVED, "the Gram matrix has no eigenvalues");
    while (rank < n && value[n - 1 - rank] > rounding * (double)n * value[n - 1])
        rank++;
    for (size_t i = 0; i < n; i++)
        for (size_t k = n - rank; k < n; k++)
            root[i * n + k] *= sigma * sqrt(value[k]);
    if (status == NND_OK)
        status = nnd_population_draw(population, rank, 0, NULL, scratch, NULL);
    if (status == NND_OK && rank > 0)
        nnd_block_combine(n, root + (n - rank), n, rank, scratch, nnd_population_sites(population),
                          1.0, h);
    free(root);
    return status;
}
