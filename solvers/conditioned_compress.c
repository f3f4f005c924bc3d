/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fewer coordinates of a small network: projection on some combinations of the oldest ones. */
#include <cblas.h>
#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/conditioned_impl.h"

/* Directions that a matrix knows but for rounding are known. */
static const double KNOWN = 1e-13;

typedef struct {
    nnd_context *ctx;
    size_t old, keep, dim; /* coordinates replaced, those in their place, all before */
    const double *basis;
    double *scratch;
} projection;

/* x <- (basis x over the old, x over the newer) for numbers `step` apart; zero beyond. */
static void project_numbers(const projection *p, double *x, size_t step) {
    size_t left = p->keep + p->dim - p->old;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)p->keep, (int)p->old, 1.0, p->basis, (int)p->old,
                x, (int)step, 0.0, p->scratch, 1);
    for (size_t i = p->old; i < p->dim; i++)
        p->scratch[p->keep + i - p->old] = x[i * step];
    for (size_t i = 0; i < p->dim; i++)
        x[i * step] = i < left ? p->scratch[i] : 0.0;
}

/* N with as few rows as N^T N has rank: the right singular vectors times their singular values. */
static nnd_status shorten(nnd_context *ctx, nnd_unknown *n, size_t dim, size_t stride) {
    size_t least = n->count < dim ? n->count : dim;
    double *u = malloc((n->count * least + 1) * sizeof *u), *s = malloc((least + 1) * sizeof *s);
    double *vt = malloc((least * dim + 1) * sizeof *vt);
    nnd_status status = NND_OK;
    if (u == NULL || s == NULL || vt == NULL)
        status = nnd_fail_memory(ctx, "a small network");
    else if (least > 0 &&
             LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)n->count, (lapack_int)dim, n->row,
                            (lapack_int)stride, s, u, (lapack_int)least, vt, (lapack_int)dim) != 0)
        status =
            nnd_fail(ctx, NND_E_UNSOLVED, "what is unknown of a matrix has no singular values");
    if (status == NND_OK) {
        memset(n->row, 0, n->room * stride * sizeof *n->row);
        n->count = 0;
        for (size_t i = 0; i < least && s[i] > KNOWN; i++, n->count++)
            for (size_t j = 0; j < dim; j++)
                n->row[i * stride + j] = s[i] * vt[i * dim + j];
    }
    free(u);
    free(s);
    free(vt);
    return status;
}

/* An array of the shape of a matrix, along the side of the space. */
static void project_array(const nnd_conditioned *c, const nnd_conditioned_matrix *a, int side,
                          const projection *p, double *x) {
    size_t stride = c->space[a->space[NND_FORWARD]].room;
    size_t lines = c->space[a->space[1 - side]].dim;
    for (size_t i = 0; i < lines; i++)
        project_numbers(p, side == NND_FORWARD ? x + i * stride : x + i,
                        side == NND_FORWARD ? 1 : stride);
}

static nnd_status project_unknown(const nnd_conditioned *c, nnd_known_space space, nnd_unknown *n,
                                  const projection *p) {
    size_t stride = c->space[space].room;
    for (size_t i = 0; i < n->count; i++)
        project_numbers(p, n->row + i * stride, 1);
    return shorten(p->ctx, n, p->keep + p->dim - p->old, stride);
}

nnd_status nnd_conditioned_project(nnd_conditioned *c, nnd_known_space space, size_t old,
                                   size_t keep, const double *basis) {
    if (old == 0)
        return NND_OK;
    projection p = {c->ctx, old, keep, c->space[space].dim, basis, NULL};
    p.scratch = malloc((p.dim + 1) * sizeof *p.scratch);
    nnd_status status = p.scratch != NULL ? NND_OK : nnd_fail_memory(c->ctx, "a small network");
    for (size_t i = 0; i < c->matrices && status == NND_OK; i++)
        for (int side = 0; side < 2 && status == NND_OK; side++) {
            nnd_conditioned_matrix *a = &c->matrix[i];
            if (a->space[side] != space)
                continue;
            project_array(c, a, side, &p, a->m);
            project_array(c, a, side, &p, a->k);
            status = project_unknown(c, space, &a->unknown[side], &p);
        }
    for (size_t i = 0; i < c->blocks && status == NND_OK; i++)
        for (int side = 0; side < 2; side++)
            if (c->matrix[c->block[i].matrix].space[side] == space)
                project_array(c, &c->matrix[c->block[i].matrix], side, &p, c->block[i].x);
    for (size_t i = 0; i < c->vectors && status == NND_OK; i++)
        if (c->vector[i].space == space)
            project_numbers(&p, c->vector[i].x, 1);
    if (status == NND_OK)
        c->space[space].dim = keep + p.dim - old;
    free(p.scratch);
    return status;
}
