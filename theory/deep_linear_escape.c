/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_escape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "theory/deep_linear_weights.h"

/* Looks follow each other at this part of the time that has passed: a curve that is smooth on the
 * scale of that time is linear between two of them to 1e-6. */
static const double SPACING = 1.0 / 400.0;

void nnd_escape_begin(nnd_escape *e, size_t count, double *when) {
    *e = (nnd_escape){.count = count, .when = when, .last = -1.0};
    for (size_t k = 0; k < count; k++)
        when[k] = NAN;
}

void nnd_escape_clear(nnd_escape *e) {
    free(e->learned);
    *e = (nnd_escape){0};
}

bool nnd_escape_due(double last, double time) {
    return time > last && time - last >= SPACING * last;
}

/* Keeps M - kappa K. */
static nnd_status keep(nnd_context *ctx, nnd_escape *e, const nnd_known *a, double time) {
    if (a->in * a->out > e->room) {
        size_t room = 2 * a->in * a->out;
        free(e->learned);
        e->learned = malloc(room * sizeof *e->learned);
        e->room = e->learned != NULL ? room : 0;
        if (e->learned == NULL)
            return nnd_fail_memory(ctx, "the escape times");
    }
    for (size_t i = 0; i < a->out; i++)
        for (size_t j = 0; j < a->in; j++)
            e->learned[i * a->in + j] =
                a->m[i * a->stride + j] - a->kappa * a->k[i * a->stride + j];
    e->rows = a->out;
    e->cols = a->in;
    e->kappa = a->kappa;
    e->last = time;
    return NND_OK;
}

/* The indicators at the last look and now: where one crosses 1, interpolated between. */
static void note_crossings(nnd_escape *e, const double *before, const double *now, double time) {
    for (size_t k = 0; k < e->count; k++)
        if (isnan(e->when[k]) && now[k] >= 1.0) {
            double part = (now[k] - 1.0) / (now[k] - before[k]);
            e->when[k] = time - (time - e->last) * part;
            e->escaped++;
        }
}

static nnd_status find_crossings(nnd_context *ctx, nnd_escape *e, const nnd_small *n, size_t l,
                                 const nnd_known *a, double time) {
    double *indicator = calloc(2 * e->count, sizeof *indicator);
    nnd_escape now = {0};
    nnd_status status = indicator != NULL ? NND_OK : nnd_fail_memory(ctx, "the escape times");
    if (status == NND_OK)
        status = nnd_small_indicators(ctx, n, l, e->kappa, e->rows, e->cols, e->learned, e->count,
                                      indicator);
    if (status == NND_OK)
        status = keep(ctx, &now, a, time);
    if (status == NND_OK)
        status = nnd_small_indicators(ctx, n, l, now.kappa, now.rows, now.cols, now.learned,
                                      e->count, indicator + e->count);
    if (status == NND_OK)
        note_crossings(e, indicator, indicator + e->count, time);
    nnd_escape_clear(&now);
    free(indicator);
    return status;
}

nnd_status nnd_escape_look(nnd_context *ctx, nnd_escape *e, const nnd_small *n, size_t l,
                           double time) {
    nnd_known a = nnd_conditioned_known(n->system, n->a[l]);
    size_t outliers = 0;
    nnd_status status = NND_OK;
    if (e->escaped == e->count) {
        e->last = time;
        return NND_OK;
    }
    if (time > 0.0)
        status = nnd_small_outlier_count(ctx, n, l, &outliers);
    if (status == NND_OK && outliers > e->escaped)
        status = find_crossings(ctx, e, n, l, &a, time);
    return status == NND_OK ? keep(ctx, e, &a, time) : status;
}
