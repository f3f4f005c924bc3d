/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/deep_linear_factors.h"

#include <stdlib.h>

/* One field by itself, or two of a space with their cross products. */
static nnd_status factor(nnd_context *ctx, const nnd_march *m, size_t rows, nnd_field a,
                         const nnd_field *b, double *cross, nnd_factor *of_a, nnd_factor *of_b) {
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted while fields are factored");
    nnd_status status = b != NULL ? nnd_march_cross_gram(m, a, *b, rows, cross) : NND_OK;
    if (status == NND_OK)
        status = nnd_factor_gram(ctx, rows, nnd_march_gram(m, a, 0),
                                 b != NULL ? nnd_march_gram(m, *b, 0) : NULL, nnd_march_stride(m),
                                 cross, of_a, of_b);
    return status;
}

nnd_status nnd_field_factors_make(nnd_context *ctx, const nnd_dynamics *d, size_t rows,
                                  nnd_field_factors *f) {
    const nnd_march *m = d->march;
    bool fixed = d->params->training == NND_TRAIN_FIXED;
    *f = (nnd_field_factors){.depth = d->depth};
    f->g = calloc(d->depth + 1, sizeof *f->g);
    f->h = calloc(d->depth + 1, sizeof *f->h);
    double *cross = calloc(rows * rows, sizeof *cross);
    nnd_status status = f->g != NULL && f->h != NULL && cross != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "the spectra");
    if (status == NND_OK && fixed)
        status = factor(ctx, m, rows, d->delta, &d->h[0], cross, &f->delta, &f->h[0]);
    if (status == NND_OK && fixed)
        status = factor(ctx, m, rows, d->residual, NULL, NULL, &f->residual, NULL);
    if (status == NND_OK && !fixed)
        status = factor(ctx, m, rows, d->h[0], NULL, NULL, &f->h[0], NULL);
    for (size_t l = 1; status == NND_OK && l < d->depth; l++)
        status = factor(ctx, m, rows, d->g[l], &d->h[l], cross, &f->g[l], &f->h[l]);
    if (status == NND_OK)
        status = factor(ctx, m, rows, d->g[d->depth], NULL, NULL, &f->g[d->depth], NULL);
    free(cross);
    return status;
}

void nnd_field_factors_clear(nnd_field_factors *f) {
    for (size_t l = 0; l <= f->depth; l++) {
        if (f->g != NULL)
            free(f->g[l].coords);
        if (f->h != NULL)
            free(f->h[l].coords);
    }
    free(f->g);
    free(f->h);
    free(f->delta.coords);
    free(f->residual.coords);
    *f = (nnd_field_factors){0};
}
