/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_window.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Length of a window, and, in times that the velocity remembers, with momentum: what it brings
 * later is of steps that must not have been replaced. */
static const double WINDOW = 40.0, MEMORIES = 10.0;
/* Part of a field, over the tolerance, from which on a direction of the past is kept: weights have
 * more of it than fields. At 1 outliers after 1010 steps were wrong by 5e-4, so by 4e-6. */
static const double KEPT = 0.01;

typedef struct nnd_window_space window_space;

size_t nnd_small_window_length(const nnd_deep_linear *p) {
    return (size_t)fmax(WINDOW, ceil(MEMORIES / (1.0 - p->momentum)));
}

void nnd_small_window_restart(const nnd_small *n, nnd_small_window *w) {
    w->steps = 0;
    for (size_t s = 0; s < w->spaces; s++) {
        w->space[s].rows = 0;
        w->space[s].old = nnd_conditioned_dim(n->system, n->space[s]);
    }
}

nnd_status nnd_small_window_make(nnd_context *ctx, const nnd_small *n, nnd_small_window *w) {
    *w = (nnd_small_window){.spaces = n->depth + 1};
    w->space = calloc(w->spaces, sizeof *w->space);
    if (w->space == NULL)
        return nnd_fail_memory(ctx, "a small network");
    nnd_small_window_restart(n, w);
    return NND_OK;
}

void nnd_small_window_clear(nnd_small_window *w) {
    for (size_t s = 0; w->space != NULL && s < w->spaces; s++)
        free(w->space[s].row);
    free(w->space);
    *w = (nnd_small_window){0};
}

/* The part of a vector, made of length 1, on the old coordinates of its space. */
static nnd_status add_row(nnd_context *ctx, const nnd_small *n, window_space *s,
                          nnd_known_vector vector) {
    double length = sqrt(nnd_conditioned_dot(n->system, vector, vector));
    const double *x = nnd_conditioned_vector(n->system, vector);
    if ((s->rows + 1) * s->old > s->room) {
        size_t room = 2 * s->room + 8 * s->old;
        double *grown = realloc(s->row, room * sizeof *grown);
        if (grown == NULL)
            return nnd_fail_memory(ctx, "a small network");
        s->row = grown;
        s->room = room;
    }
    if (!(length > 0.0) || s->old == 0)
        return NND_OK;
    for (size_t i = 0; i < s->old; i++)
        s->row[s->rows * s->old + i] = x[i] / length;
    s->rows++;
    return NND_OK;
}

static nnd_status add_fields(nnd_context *ctx, const nnd_small *n, nnd_small_window *w) {
    const nnd_small_fields *f = &n->fields[0];
    nnd_status status = add_row(ctx, n, &w->space[0], f->delta);
    for (size_t l = 0; l < w->spaces && status == NND_OK; l++) {
        status = add_row(ctx, n, &w->space[l], f->g[l]);
        if (status == NND_OK)
            status = add_row(ctx, n, &w->space[l], f->h[l]);
    }
    return status;
}

/* What outlives a window besides the fields of its steps. */
static nnd_status add_state(nnd_context *ctx, const nnd_small *n, nnd_small_window *w) {
    nnd_status status = add_row(ctx, n, &w->space[0], n->target);
    if (status == NND_OK)
        status = add_row(ctx, n, &w->space[0], n->start);
    if (status == NND_OK)
        status = add_row(ctx, n, &w->space[n->depth], n->readout);
    if (status == NND_OK)
        status = add_row(ctx, n, &w->space[n->depth], n->readout_velocity);
    return status;
}

static nnd_status compress_space(nnd_context *ctx, nnd_small *n, window_space *s,
                                 nnd_known_space space) {
    size_t least = s->rows < s->old ? s->rows : s->old, keep = 0;
    double *u = malloc((s->rows * least + 1) * sizeof *u);
    double *vt = malloc((least * s->old + 1) * sizeof *vt), *sv = malloc((least + 1) * sizeof *sv);
    nnd_status status = NND_OK;
    if (u == NULL || vt == NULL || sv == NULL)
        status = nnd_fail_memory(ctx, "a small network");
    else if (least > 0 && LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)s->rows,
                                         (lapack_int)s->old, s->row, (lapack_int)s->old, sv, u,
                                         (lapack_int)least, vt, (lapack_int)s->old) != 0)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "fields have no singular values");
    while (status == NND_OK && keep < least && sv[keep] > KEPT * n->tolerance)
        keep++;
    if (status == NND_OK)
        status = nnd_conditioned_project(n->system, space, s->old, keep, vt);
    free(u);
    free(vt);
    free(sv);
    return status;
}

nnd_status nnd_small_window_note(nnd_context *ctx, nnd_small *n, nnd_small_window *w) {
    nnd_status status = add_fields(ctx, n, w);
    if (status != NND_OK || ++w->steps < nnd_small_window_length(n->params))
        return status;
    status = add_state(ctx, n, w);
    for (size_t s = 0; s < w->spaces && status == NND_OK; s++)
        status = compress_space(ctx, n, &w->space[s], n->space[s]);
    if (status == NND_OK)
        nnd_small_window_restart(n, w);
    return status;
}
