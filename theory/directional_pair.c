/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/directional_pair.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "theory/directional_polar.h"

/* F = Q sqrt(Lambda) of M - p p^T, of which negative eigenvalues are rounding. */
static bool factor(const nnd_start *start, size_t k, double *f) {
    double *value = calloc(k, sizeof *value);
    bool done = value != NULL;
    for (size_t i = 0; done && i < k * k; i++)
        f[i] = start->m.value[i] - start->p.value[i / k] * start->p.value[i % k];
    done = done && LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (int)k, f, (int)k, value) == 0;
    for (size_t i = 0; done && i < k * k; i++)
        f[i] *= sqrt(fmax(0.0, value[i % k]));
    free(value);
    return done;
}

nnd_status nnd_directional_pair_make(nnd_context *ctx, const nnd_directional_path *path,
                                     nnd_directional_pair *pair) {
    const nnd_start *start = &path->params->init;
    size_t k = start->a.count;
    *pair =
        (nnd_directional_pair){.averages = path->averages, .c0 = path->constants.c0, .units = k};
    pair->f = calloc(k * (k + 2), sizeof(double));
    pair->r = calloc(3 * k, sizeof(double));
    if (pair->f == NULL || pair->r == NULL || !factor(start, k, pair->f))
        return nnd_fail_memory(ctx, "two layers");
    pair->p = pair->f + k * k;
    pair->a = pair->p + k;
    pair->fr = pair->r + k;
    pair->first = pair->fr + k;
    memcpy(pair->p, start->p.value, k * sizeof(double));
    memcpy(pair->a, start->a.value, k * sizeof(double));
    nnd_directional_pair_settle(pair);
    memcpy(pair->first, pair->r, k * sizeof(double));
    return NND_OK;
}

void nnd_directional_pair_clear(nnd_directional_pair *pair) {
    free(pair->f);
    free(pair->r);
    *pair = (nnd_directional_pair){0};
}

/* What |F^T a| must be of its largest possible value to be more than rounding. */
static const double RESOLVED = 1e-13;

void nnd_directional_pair_settle(nnd_directional_pair *pair) {
    int k = (int)pair->units;
    cblas_dgemv(CblasRowMajor, CblasTrans, k, k, 1.0, pair->f, k, pair->a, 1, 0.0, pair->r, 1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, k, k, 1.0, pair->f, k, pair->r, 1, 0.0, pair->fr, 1);
    pair->along = cblas_ddot(k, pair->p, 1, pair->a, 1);
    double across = cblas_dnrm2(k, pair->r, 1);
    nnd_directional_polar(pair->along, log(across) + pair->log_scale, &pair->omega, &pair->zeta);
    double largest = cblas_dnrm2(k * k, pair->f, 1) * cblas_dnrm2(k, pair->a, 1);
    if (k > 1 && across < RESOLVED * largest)
        pair->zeta = NAN;
    pair->at = nnd_logistic_at(pair->averages, pair->omega);
}

void nnd_directional_pair_rate(const nnd_directional_pair *pair, double *rate) {
    int k = (int)pair->units;
    double hbar = pair->at.slope, scale = exp(2.0 * pair->log_scale);
    /* g_v = c0 - h cos theta, as delta + h (1 - cos theta) where that is small. */
    double gap = nnd_directional_gap(pair->zeta);
    double pull = gap < 1.0 ? pair->at.delta + pair->at.h * gap : pair->c0 - hbar * pair->along;
    double *f = rate, *p = f + k * k, *a = p + k;
    memset(f, 0, pair->units * pair->units * sizeof(double));
    cblas_dger(CblasRowMajor, k, k, -hbar, pair->a, 1, pair->r, 1, f, k);
    for (int i = 0; i < k; i++) {
        p[i] = pull * pair->a[i];
        a[i] = pull * pair->p[i] - hbar * scale * pair->fr[i];
    }
}

double nnd_directional_pair_sign(const nnd_directional_pair *pair) {
    double overlap = cblas_ddot((int)pair->units, pair->r, 1, pair->first, 1);
    return (overlap > 0.0) - (overlap < 0.0);
}
