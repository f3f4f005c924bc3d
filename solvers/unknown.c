/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/unknown.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

/* ---- one side ---- */

nnd_status nnd_unknown_side_square(nnd_context *ctx, nnd_unknown_side *side) {
    int n = (int)side->n, rows = (int)side->rows;
    side->s = calloc(side->n * side->n + 1, sizeof *side->s);
    if (side->s == NULL)
        return nnd_fail_memory(ctx, "what is unknown");
    if (n > 0 && rows > 0)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, rows, 1.0, side->row,
                    (int)side->stride, 0.0, side->s, n);
    return NND_OK;
}

void nnd_unknown_side_clear(nnd_unknown_side *side) {
    free(side->s);
    *side = (nnd_unknown_side){0};
}

/* Of S in (a + b S)^-1 = (1 - weight S)/a. */
static double weight(double a, double b) {
    return b / (a + b);
}

void nnd_unknown_solve(const nnd_unknown_side *side, double a, double b, const double *x,
                       double *out) {
    int n = (int)side->n;
    memcpy(out, x, side->n * sizeof *out);
    for (size_t i = 0; i < side->rows; i++) {
        const double *row = side->row + i * side->stride;
        cblas_daxpy(n, -weight(a, b) * cblas_ddot(n, row, 1, x, 1), row, 1, out, 1);
    }
    cblas_dscal(n, 1.0 / a, out, 1);
}

double nnd_unknown_form(const nnd_unknown_side *side, const double *x) {
    double sum = 0.0;
    for (size_t i = 0; i < side->rows; i++) {
        double part = cblas_ddot((int)side->n, side->row + i * side->stride, 1, x, 1);
        sum += part * part;
    }
    return sum;
}

void nnd_unknown_add(const nnd_unknown_side *side, double scale, double *f) {
    size_t n = side->n;
    for (size_t i = 0; i < n && side->rows > 0; i++)
        for (size_t j = 0; j <= i; j++)
            f[i * n + j] += scale * side->s[i * n + j];
}

void nnd_unknown_inverse_add(const nnd_unknown_side *side, double scale, double a, double b,
                             double *f) {
    for (size_t i = 0; i < side->n; i++)
        f[i * side->n + i] += scale / a;
    nnd_unknown_add(side, -scale / a * weight(a, b), f);
}

/* ---- a matrix beside it ---- */

static nnd_status allocate(nnd_context *ctx, nnd_unknown_sandwich *s) {
    size_t m = s->m, n = s->side->n;
    s->x = malloc((m * n + 1) * sizeof(double));
    s->xx = calloc(m * m + 1, sizeof(double));
    s->xn = malloc((m * s->side->rows + 1) * sizeof(double));
    s->xsx = calloc(m * m + 1, sizeof(double));
    s->xs = calloc(m * n + 1, sizeof(double));
    bool made = s->x != NULL && s->xx != NULL && s->xn != NULL && s->xsx != NULL && s->xs != NULL;
    return made ? NND_OK : nnd_fail_memory(ctx, "what is unknown");
}

nnd_status nnd_unknown_sandwich_make(nnd_context *ctx, const nnd_unknown_side *side, size_t m,
                                     const double *x, size_t stride, bool transposed,
                                     nnd_unknown_sandwich *s) {
    *s = (nnd_unknown_sandwich){.side = side, .m = m};
    size_t n = side->n;
    nnd_status status = allocate(ctx, s);
    if (status != NND_OK || m == 0 || n == 0)
        return status;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            s->x[i * n + j] = transposed ? x[j * stride + i] : x[i * stride + j];
    int rows = (int)side->rows, of = (int)m, over = (int)n;
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, of, over, 1.0, s->x, over, 0.0, s->xx, of);
    if (rows == 0)
        return NND_OK;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, of, rows, over, 1.0, s->x, over, side->row,
                (int)side->stride, 0.0, s->xn, rows);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, of, rows, 1.0, s->xn, rows, 0.0, s->xsx,
                of);
    return NND_OK;
}

void nnd_unknown_sandwich_clear(nnd_unknown_sandwich *s) {
    free(s->x);
    free(s->xx);
    free(s->xn);
    free(s->xsx);
    free(s->xs);
    *s = (nnd_unknown_sandwich){0};
}

void nnd_unknown_sandwich_add(const nnd_unknown_sandwich *s, double scale, double a, double b,
                              double *f) {
    size_t m = s->m;
    double all = scale / a, unknown = all * weight(a, b);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++)
            f[i * m + j] += all * s->xx[i * m + j] - unknown * s->xsx[i * m + j];
}

/* X S, once it is asked for. */
static void complete_half(nnd_unknown_sandwich *s) {
    int m = (int)s->m, n = (int)s->side->n, rows = (int)s->side->rows;
    if (!s->halved && m > 0 && n > 0 && rows > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, rows, 1.0, s->xn, rows,
                    s->side->row, (int)s->side->stride, 0.0, s->xs, n);
    s->halved = true;
}

void nnd_unknown_sandwich_half(nnd_unknown_sandwich *s, double scale, double a, double b,
                               double *f) {
    double all = scale / a, unknown = all * weight(a, b);
    complete_half(s);
    for (size_t i = 0; i < s->m * s->side->n; i++)
        f[i] += all * s->x[i] - unknown * s->xs[i];
}
