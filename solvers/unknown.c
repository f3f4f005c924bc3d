/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/unknown.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far products of rows are from 0 and 1 by rounding of some hundred reflections. */
static const double ROUNDING = 1e-11;

/* ---- one side ---- */

/* N N^T is 1, but for rounding. */
static bool is_orthonormal(size_t rows, const double *gram) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j <= i; j++)
            if (fabs(gram[i * rows + j] - (i == j ? 1.0 : 0.0)) > ROUNDING)
                return false;
    return true;
}

/* Rows <- Q^T rows with the eigenvectors Q of N N^T, whose eigenvalues are the squared lengths. */
static nnd_status orthogonalise(nnd_context *ctx, nnd_unknown_side *s, double *gram) {
    int rows = (int)s->rows, n = (int)s->n;
    double *turned = malloc((s->rows * s->n + 1) * sizeof *turned);
    if (turned == NULL)
        return nnd_fail_memory(ctx, "what is unknown");
    /* Row-major lower is column-major upper; eigenvectors come as columns, which are rows here. */
    nnd_status status = NND_OK;
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', rows, gram, rows, s->length2) != 0)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "what is unknown of a matrix has no axes");
    else {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, n, rows, 1.0, gram, rows,
                    s->row, n, 0.0, turned, n);
        memcpy(s->row, turned, s->rows * s->n * sizeof *turned);
    }
    free(turned);
    return status;
}

nnd_status nnd_unknown_side_make(nnd_context *ctx, size_t n, size_t rows, const double *row,
                                 size_t stride, nnd_unknown_side *side) {
    *side = (nnd_unknown_side){.n = n, .rows = rows, .projector = true};
    side->row = malloc((rows * n + 1) * sizeof(double));
    side->length2 = malloc((rows + 1) * sizeof(double));
    side->s = calloc(n * n + 1, sizeof(double));
    double *gram = calloc(rows * rows + 1, sizeof *gram);
    nnd_status status =
        side->row != NULL && side->s != NULL && side->length2 != NULL && gram != NULL
            ? NND_OK
            : nnd_fail_memory(ctx, "what is unknown");
    for (size_t i = 0; i < rows && status == NND_OK; i++) {
        memcpy(side->row + i * n, row + i * stride, n * sizeof(double));
        side->length2[i] = 1.0;
    }
    if (status == NND_OK && rows > 0) {
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)rows, (int)n, 1.0, side->row,
                    (int)n, 0.0, gram, (int)rows);
        side->projector = is_orthonormal(rows, gram);
        if (!side->projector)
            status = orthogonalise(ctx, side, gram);
        if (n > 0)
            cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)rows, 1.0, side->row,
                        (int)n, 0.0, side->s, (int)n);
    }
    free(gram);
    return status;
}

void nnd_unknown_side_clear(nnd_unknown_side *side) {
    free(side->row);
    free(side->length2);
    free(side->s);
    *side = (nnd_unknown_side){0};
}

/* w_i of (a + b S)^-1. */
static double weight(const nnd_unknown_side *side, double a, double b, size_t i) {
    return b / (a + b * side->length2[i]);
}

void nnd_unknown_solve(const nnd_unknown_side *side, double a, double b, const double *x,
                       double *out) {
    int n = (int)side->n;
    memcpy(out, x, side->n * sizeof *out);
    for (size_t i = 0; i < side->rows; i++) {
        const double *row = side->row + i * side->n;
        cblas_daxpy(n, -weight(side, a, b, i) * cblas_ddot(n, row, 1, x, 1), row, 1, out, 1);
    }
    cblas_dscal(n, 1.0 / a, out, 1);
}

double nnd_unknown_form(const nnd_unknown_side *side, const double *x) {
    double sum = 0.0;
    for (size_t i = 0; i < side->rows; i++) {
        double part = cblas_ddot((int)side->n, side->row + i * side->n, 1, x, 1);
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
    size_t n = side->n;
    for (size_t i = 0; i < n; i++)
        f[i * n + i] += scale / a;
    if (side->projector)
        nnd_unknown_add(side, -scale / a * b / (a + b), f);
    for (size_t i = 0; i < side->rows && !side->projector; i++)
        cblas_dsyr(CblasRowMajor, CblasLower, (int)n, -scale / a * weight(side, a, b, i),
                   side->row + i * n, 1, f, (int)n);
}

/* ---- a matrix beside it ---- */

static nnd_status allocate(nnd_context *ctx, nnd_unknown_sandwich *s) {
    size_t m = s->m, n = s->side->n, rows = s->side->rows;
    s->x = malloc((m * n + 1) * sizeof(double));
    s->xx = calloc(m * m + 1, sizeof(double));
    s->xn = calloc(m * rows + 1, sizeof(double));
    s->scratch = calloc(m * rows + 1, sizeof(double));
    s->xsx = calloc(m * m + 1, sizeof(double));
    s->xs = calloc(m * n + 1, sizeof(double));
    bool made = s->x != NULL && s->xx != NULL && s->xn != NULL && s->scratch != NULL &&
                s->xsx != NULL && s->xs != NULL;
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
                over, 0.0, s->xn, rows);
    if (!side->projector)
        return NND_OK;
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
    free(s->scratch);
    *s = (nnd_unknown_sandwich){0};
}

/* scratch = X N^T with column i times w_i. */
static void weigh(const nnd_unknown_sandwich *s, double a, double b) {
    size_t rows = s->side->rows;
    for (size_t k = 0; k < s->m; k++)
        for (size_t i = 0; i < rows; i++)
            s->scratch[k * rows + i] = weight(s->side, a, b, i) * s->xn[k * rows + i];
}

void nnd_unknown_sandwich_add(const nnd_unknown_sandwich *s, double scale, double a, double b,
                              double *f) {
    size_t m = s->m, rows = s->side->rows;
    double all = scale / a, unknown = s->side->projector ? scale / a * b / (a + b) : 0.0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++)
            f[i * m + j] += all * s->xx[i * m + j] - unknown * s->xsx[i * m + j];
    if (s->side->projector || rows == 0 || m == 0)
        return;
    weigh(s, a, b);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)m, (int)rows, -all,
                s->scratch, (int)rows, s->xn, (int)rows, 1.0, f, (int)m);
}

/* X S, once it is asked for. */
static void complete_half(nnd_unknown_sandwich *s) {
    int m = (int)s->m, n = (int)s->side->n, rows = (int)s->side->rows;
    if (!s->halved && s->side->projector && m > 0 && n > 0 && rows > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, rows, 1.0, s->xn, rows,
                    s->side->row, n, 0.0, s->xs, n);
    s->halved = true;
}

void nnd_unknown_sandwich_half(nnd_unknown_sandwich *s, double scale, double a, double b,
                               double *f) {
    complete_half(s);
    size_t m = s->m, n = s->side->n, rows = s->side->rows;
    double all = scale / a, unknown = s->side->projector ? scale / a * b / (a + b) : 0.0;
    for (size_t i = 0; i < m * n; i++)
        f[i] += all * s->x[i] - unknown * s->xs[i];
    if (s->side->projector || rows == 0 || m == 0 || n == 0)
        return;
    weigh(s, a, b);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)rows, -all,
                s->scratch, (int)rows, s->side->row, (int)n, 1.0, f, (int)n);
}
