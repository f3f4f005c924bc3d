/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/dressed.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

/* Queries per step of a substitution: what lies farther back is a matrix product. */
enum { BLOCK = 16 };

typedef struct {
    size_t a, b; /* response of a to b */
    const double *data;
    size_t lda;
} block;

/* One or two fields and the coordinates of their vectors. */
typedef struct {
    size_t fields, field[2], rank;
    const double *coords[2];
} space;

struct nnd_dressed {
    nnd_context *ctx;
    size_t fields, rows;
    size_t responses, spaces;
    block *response;
    space *space;
    double *image[2], *mixed; /* scratch: rank x columns each */
};

nnd_status nnd_dressed_new(nnd_context *ctx, size_t fields, size_t rows, nnd_dressed **dressed) {
    nnd_dressed *d = calloc(1, sizeof *d);
    if (d == NULL)
        return nnd_fail_memory(ctx, "a dressed Gram matrix");
    d->ctx = ctx;
    d->fields = fields;
    d->rows = rows;
    *dressed = d;
    return NND_OK;
}

void nnd_dressed_free(nnd_dressed *d) {
    if (d == NULL)
        return;
    free(d->response);
    free(d->space);
    free(d->image[0]);
    free(d->image[1]);
    free(d->mixed);
    free(d);
}

nnd_status nnd_dressed_add_response(nnd_dressed *d, size_t of, size_t to, const double *r,
                                    size_t lda) {
    block *grown = realloc(d->response, (d->responses + 1) * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(d->ctx, "a dressed Gram matrix");
    grown[d->responses++] = (block){of, to, r, lda};
    d->response = grown;
    return NND_OK;
}

nnd_status nnd_dressed_add_space(nnd_dressed *d, size_t a, const double *coords_a, size_t b,
                                 const double *coords_b, size_t rank) {
    space *grown = realloc(d->space, (d->spaces + 1) * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(d->ctx, "a dressed Gram matrix");
    grown[d->spaces++] = (space){a == b ? 1 : 2, {a, b}, rank, {coords_a, coords_b}};
    d->space = grown;
    return NND_OK;
}

nnd_status nnd_dressed_ready(nnd_dressed *d, size_t columns) {
    size_t rank = 1;
    for (size_t i = 0; i < d->spaces; i++)
        rank = d->space[i].rank > rank ? d->space[i].rank : rank;
    size_t room = rank * (columns > 0 ? columns : 1);
    d->image[0] = calloc(room, sizeof(double));
    d->image[1] = calloc(room, sizeof(double));
    d->mixed = calloc(room, sizeof(double));
    return d->image[0] != NULL && d->image[1] != NULL && d->mixed != NULL
               ? NND_OK
               : nnd_fail_memory(d->ctx, "a dressed Gram matrix");
}

size_t nnd_dressed_size(const nnd_dressed *d) {
    return d->fields * d->rows;
}

static double *row(const nnd_dressed *d, size_t columns, double *s, size_t f, size_t p) {
    return s + (f * d->rows + p) * columns;
}

/* Rows [first, last) of b += t R^T (rows from `from` on of a), or the mirror of it. */
static void far_part(const nnd_dressed *d, const block *c, double t, CBLAS_TRANSPOSE transpose,
                     size_t first, size_t last, size_t columns, double *s) {
    int m = (int)(last - first), n = (int)columns;
    bool back = transpose == CblasTrans;
    size_t begin = back ? last : 0, end = back ? d->rows : first;
    if (t == 0.0 || end <= begin)
        return;
    const double *r = back ? c->data + begin * c->lda + first : c->data + first * c->lda;
    const double *from = row(d, columns, s, back ? c->a : c->b, begin);
    double *to = row(d, columns, s, back ? c->b : c->a, first);
    cblas_dgemm(CblasRowMajor, transpose, CblasNoTrans, m, n, (int)(end - begin), t, r, (int)c->lda,
                from, n, 1.0, to, n);
}

/* y += factor x, K numbers. */
static void add_row(size_t columns, double factor, const double *x, double *y) {
    for (size_t k = 0; k < columns; k++)
        y[k] += factor * x[k];
}

/* Last column that row p of a response reaches, exclusive. */
static size_t reach(const block *c, size_t p) {
    return c->b < c->a ? p + 1 : p;
}

/* Within a block of queries, backwards: a finished row is passed on to all that come before. */
static void near_transposed(const nnd_dressed *d, const double *t, size_t first, size_t last,
                            size_t columns, double *s) {
    for (size_t p = last; p-- > first;)
        for (size_t f = d->fields; f-- > 0;)
            for (size_t i = 0; i < d->responses; i++) {
                const block *c = &d->response[i];
                if (c->a != f || t[i] == 0.0)
                    continue;
                for (size_t q = first; q < reach(c, p); q++)
                    add_row(columns, t[i] * c->data[p * c->lda + q], row(d, columns, s, f, p),
                            row(d, columns, s, c->b, q));
            }
}

void nnd_dressed_solve_transposed(const nnd_dressed *d, const double *t, size_t columns,
                                  double *s) {
    size_t blocks = (d->rows + BLOCK - 1) / BLOCK;
    for (size_t b = blocks; b-- > 0;) {
        size_t first = b * BLOCK, last = first + BLOCK < d->rows ? first + BLOCK : d->rows;
        for (size_t i = 0; i < d->responses; i++)
            far_part(d, &d->response[i], t[i], CblasTrans, first, last, columns, s);
        near_transposed(d, t, first, last, columns, s);
    }
}

static void near_forward(const nnd_dressed *d, const double *t, size_t first, size_t last,
                         size_t columns, double *s) {
    for (size_t p = first; p < last; p++)
        for (size_t f = 0; f < d->fields; f++)
            for (size_t i = 0; i < d->responses; i++) {
                const block *c = &d->response[i];
                if (c->a != f || t[i] == 0.0)
                    continue;
                for (size_t q = first; q < reach(c, p); q++)
                    add_row(columns, t[i] * c->data[p * c->lda + q], row(d, columns, s, c->b, q),
                            row(d, columns, s, f, p));
            }
}

void nnd_dressed_solve(const nnd_dressed *d, const double *t, size_t columns, double *s) {
    for (size_t first = 0; first < d->rows; first += BLOCK) {
        size_t last = first + BLOCK < d->rows ? first + BLOCK : d->rows;
        for (size_t i = 0; i < d->responses; i++)
            far_part(d, &d->response[i], t[i], CblasNoTrans, first, last, columns, s);
        near_forward(d, t, first, last, columns, s);
    }
}

/* Coordinates of the vectors sum_p s_p v_p of every field of a space. */
static void project(nnd_dressed *d, const space *sp, size_t columns, const double *s) {
    for (size_t f = 0; f < sp->fields; f++)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)sp->rank, (int)columns,
                    (int)d->rows, 1.0, sp->coords[f], (int)sp->rank,
                    s + sp->field[f] * d->rows * columns, (int)columns, 0.0, d->image[f],
                    (int)columns);
}

/* mixed = sum over the fields of a space of its scalar with field f times their coordinates. */
static void mix(nnd_dressed *d, const space *sp, const double *g, size_t f, size_t columns) {
    size_t n = sp->rank * columns;
    for (size_t i = 0; i < n; i++)
        d->mixed[i] = g[2 * f] * d->image[f][i];
    for (size_t i = 0; sp->fields == 2 && i < n; i++)
        d->mixed[i] += g[1] * d->image[1 - f][i];
}

static size_t scalars_of(const space *sp) {
    return sp->fields == 2 ? 3 : 1;
}

void nnd_dressed_gram_times(nnd_dressed *d, const double *g, size_t columns, const double *s,
                            double *y) {
    memset(y, 0, nnd_dressed_size(d) * columns * sizeof *y);
    for (size_t i = 0; i < d->spaces; g += scalars_of(&d->space[i++])) {
        const space *sp = &d->space[i];
        project(d, sp, columns, s);
        for (size_t f = 0; f < sp->fields; f++) {
            mix(d, sp, g, f, columns);
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)d->rows, (int)columns,
                        (int)sp->rank, 1.0, sp->coords[f], (int)sp->rank, d->mixed, (int)columns,
                        1.0, y + sp->field[f] * d->rows * columns, (int)columns);
        }
    }
}

void nnd_dressed_compress(nnd_dressed *d, const double *g, size_t columns, const double *s,
                          double *k) {
    int n = (int)columns;
    memset(k, 0, columns * columns * sizeof *k);
    for (size_t i = 0; i < d->spaces; g += scalars_of(&d->space[i++])) {
        const space *sp = &d->space[i];
        project(d, sp, columns, s);
        for (size_t f = 0; f < sp->fields; f++) {
            mix(d, sp, g, f, columns);
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, (int)sp->rank, 1.0,
                        d->image[f], n, d->mixed, n, 1.0, k, n);
        }
    }
}

double nnd_dressed_response_form(const nnd_dressed *d, const double *t, const double *x,
                                 const double *y) {
    double sum = 0.0;
    for (size_t i = 0; i < d->responses; i++) {
        const block *c = &d->response[i];
        const double *left = x + c->a * d->rows, *right = y + c->b * d->rows;
        for (size_t p = 0; p < d->rows; p++)
            sum += t[i] * left[p] * cblas_ddot((int)reach(c, p), c->data + p * c->lda, 1, right, 1);
    }
    return sum;
}
