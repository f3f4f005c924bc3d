/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/gram_factor.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NULL_DIRECTION = 1e-12;

nnd_status nnd_gram_factor(nnd_context *ctx, size_t n, const double *gram, double *factor,
                           size_t *rank) {
    double *value = calloc(n + 1, sizeof *value), *vector = calloc(n * n + 1, sizeof *vector);
    nnd_status status =
        value != NULL && vector != NULL ? NND_OK : nnd_fail_memory(ctx, "a Gram matrix");
    *rank = 0;
    if (status == NND_OK) {
        memcpy(vector, gram, n * n * sizeof *vector);
        if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, vector, (lapack_int)n,
                           value) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "a Gram matrix has no eigenvalues");
    }
    for (size_t k = n; status == NND_OK && k-- > 0;) {
        if (!(value[k] > NULL_DIRECTION * value[n - 1]))
            break;
        for (size_t i = 0; i < n && factor != NULL; i++)
            factor[i * n + *rank] = sqrt(value[k]) * vector[i * n + k];
        ++*rank;
    }
    free(value);
    free(vector);
    return status;
}
