/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_two_time.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

nnd_status nnd_wide_history_make(nnd_context *ctx, size_t fields, size_t times, size_t samples,
                                 nnd_wide_history *history) {
    *history = (nnd_wide_history){.fields = fields, .times = times, .samples = samples};
    history->rank = calloc(fields * times, sizeof *history->rank);
    history->coef = calloc(fields * times, sizeof *history->coef);
    return history->rank != NULL && history->coef != NULL
               ? NND_OK
               : nnd_fail_memory(ctx, "the two-time kernels");
}

void nnd_wide_history_clear(nnd_wide_history *history) {
    for (size_t i = 0; history->coef != NULL && i < history->fields * history->times; i++)
        free(history->coef[i]);
    free(history->coef);
    free(history->rank);
    *history = (nnd_wide_history){0};
}

nnd_status nnd_wide_history_keep(nnd_context *ctx, nnd_wide_history *history, size_t field,
                                 size_t time, size_t rank, const double *coef, size_t ld) {
    size_t at = field * history->times + time;
    history->coef[at] = malloc((history->samples * rank + 1) * sizeof(double));
    if (history->coef[at] == NULL)
        return nnd_fail_memory(ctx, "the two-time kernels");
    history->rank[at] = rank;
    for (size_t i = 0; i < history->samples; i++)
        memcpy(history->coef[at] + i * rank, coef + i * ld, rank * sizeof(double));
    return NND_OK;
}

void nnd_wide_history_kernel(const nnd_wide_history *history, size_t field, size_t kept,
                             double *out) {
    size_t n = history->samples, times = history->times;
    for (size_t t = 0; t < kept; t++)
        for (size_t s = 0; s < kept; s++) {
            size_t a = field * times + t, b = field * times + s;
            size_t rank = history->rank[a] < history->rank[b] ? history->rank[a] : history->rank[b];
            double *block = out + (t * times + s) * n * n;
            if (rank == 0)
                memset(block, 0, n * n * sizeof *block);
            else
                cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)rank, 1.0,
                            history->coef[a], (int)history->rank[a], history->coef[b],
                            (int)history->rank[b], 0.0, block, (int)n);
        }
}
