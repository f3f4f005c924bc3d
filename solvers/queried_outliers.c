/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outliers of a queried matrix (wide-mlp.md#s5): zeros of det F, F = z - m(z) S - K with S =
 * diag(S_Y, S_X) and K = ((0, R + C), (., 0)). The spectral parameter is omega > 1, z = sigma
 * (omega + 1/omega), m = 1/(sigma omega), in which F is smooth down to the edge omega = 1. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/outliers.h"
#include "solvers/queried_impl.h"

/* Below this, relative, lies rounding of S, not an outlier. */
static const double MARGIN_ROUNDING = 1e-11;

typedef struct {
    double sigma;
    size_t left, size; /* rows that belong to p; all rows */
    double *s, *k;     /* lower triangles of S and K */
} pencil;

/* S_Y = <Y Y^T> - R R^T, or S_X = <X X^T> - R^T R, into the block of S that begins at `first`. */
static void fill_block(const nnd_queried *m, nnd_direction side, size_t first, const pencil *f) {
    const nnd_growing *gram = &m->side[side].gram;
    size_t n = nnd_queried_rank(m, side), others = nnd_queried_rank(m, 1 - side), size = f->size;
    double *block = f->s + first * size + first;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            block[i * size + j] = gram->x[i * gram->cols + j];
    if (n > 0 && others > 0)
        cblas_dsyrk(CblasRowMajor, CblasLower, side == NND_BACKWARD ? CblasNoTrans : CblasTrans,
                    (int)n, (int)others, -1.0, m->r.x, (int)m->r.cols, 1.0, block, (int)size);
}

static nnd_status pencil_make(nnd_context *ctx, nnd_queried *m, pencil *f) {
    nnd_queried_complete_grams(m);
    size_t left = nnd_queried_rank(m, NND_BACKWARD), right = nnd_queried_rank(m, NND_FORWARD);
    *f = (pencil){.sigma = m->sigma, .left = left, .size = left + right};
    f->s = calloc(f->size * f->size + 1, sizeof *f->s);
    f->k = calloc(f->size * f->size + 1, sizeof *f->k);
    if (f->s == NULL || f->k == NULL)
        return nnd_fail_memory(ctx, "the outliers");
    fill_block(m, NND_BACKWARD, 0, f);
    fill_block(m, NND_FORWARD, left, f);
    for (size_t i = 0; i < right; i++)
        for (size_t j = 0; j < left; j++)
            f->k[(left + i) * f->size + j] = m->r.x[j * m->r.cols + i] + m->c.x[j * m->c.cols + i];
    return NND_OK;
}

static void pencil_clear(pencil *f) {
    free(f->s);
    free(f->k);
}

static double singular_value(const pencil *f, double omega) {
    return f->sigma * (omega + 1.0 / omega);
}

static nnd_status fill_matrix(void *data, double omega, double *out) {
    const pencil *f = data;
    double weight = 1.0 / (f->sigma * omega);
    for (size_t i = 0; i < f->size; i++) {
        for (size_t j = 0; j <= i; j++)
            out[i * f->size + j] = -weight * f->s[i * f->size + j] - f->k[i * f->size + j];
        out[i * f->size + i] += singular_value(f, omega);
    }
    return NND_OK;
}

static nnd_outlier_problem problem_of(pencil *f) {
    return (nnd_outlier_problem){f->size, 0, fill_matrix, f};
}

/* A point beyond all outliers: the first of a widening sequence that has none beyond it. */
static nnd_status beyond(nnd_context *ctx, const nnd_outlier_problem *problem, double *far) {
    size_t count = 1;
    nnd_status status = NND_OK;
    for (double gap = 0.5; status == NND_OK && count > 0; gap *= 3.0) {
        *far = 1.0 + gap;
        status = nnd_outlier_count(ctx, problem, *far, &count);
    }
    return status;
}

/* Squared overlap, doubled since left and right halves have equal norm, of the null vector's half
 * with a direction. */
static double overlap(size_t n, const double *half, size_t rank, const double *direction,
                      double norm) {
    int known = (int)(rank < n ? rank : n);
    double length = cblas_dnrm2(known, direction, 1);
    double along = cblas_ddot(known, half, 1, direction, 1) / length;
    return 2.0 * along * along / norm;
}

/* nu = y^T dF/dz y = y^T (1 - m' S) y. */
static double norm_of(const pencil *f, double omega, const double *y, double *scratch) {
    double derivative = -1.0 / (f->sigma * f->sigma * (omega * omega - 1.0));
    int n = (int)f->size;
    cblas_dsymv(CblasRowMajor, CblasLower, n, 1.0, f->s, n, y, 1, 0.0, scratch, 1);
    return cblas_ddot(n, y, 1, y, 1) - derivative * cblas_ddot(n, y, 1, scratch, 1);
}

static nnd_status find_all(nnd_context *ctx, pencil *f, nnd_queried_outliers *out) {
    nnd_outlier_problem problem = problem_of(f);
    double edge = 1.0, far = edge, omega, *y = calloc(2 * f->size, sizeof *y);
    size_t count = 0;
    nnd_status status = y != NULL ? NND_OK : nnd_fail_memory(ctx, "the outliers");
    if (status == NND_OK)
        status = nnd_outlier_count(ctx, &problem, edge, &count);
    if (status == NND_OK)
        status = beyond(ctx, &problem, &far);
    for (size_t j = 0; status == NND_OK && j < count && j < out->count; j++) {
        status = nnd_outlier_find(ctx, &problem, j, edge, far, &omega, y);
        if (status != NND_OK || isnan(omega))
            break;
        double norm = norm_of(f, omega, y, y + f->size);
        out->value[j] = singular_value(f, omega);
        out->left[j] = overlap(f->left, y, out->left_rank, out->left_direction, norm);
        out->right[j] =
            overlap(f->size - f->left, y + f->left, out->right_rank, out->right_direction, norm);
    }
    free(y);
    return status;
}

/* Where F has no eigenvalue, that of a direction that nothing has changed. */
static nnd_status margins_of(nnd_context *ctx, pencil *f, size_t count, double *margin) {
    nnd_outlier_problem problem = problem_of(f);
    for (size_t j = 0; j < count; j++)
        margin[j] = 2.0 * f->sigma;
    nnd_status status = nnd_outlier_margins(ctx, &problem, 1.0, count, margin);
    for (size_t j = 0; j < count; j++)
        if (fabs(margin[j]) < MARGIN_ROUNDING * f->sigma)
            margin[j] = 0.0;
    return status;
}

nnd_status nnd_queried_margins(nnd_context *ctx, nnd_queried *matrix, size_t count,
                               double *margin) {
    pencil f;
    nnd_status status = pencil_make(ctx, matrix, &f);
    if (status == NND_OK)
        status = margins_of(ctx, &f, count, margin);
    pencil_clear(&f);
    return status;
}

nnd_status nnd_queried_find_outliers(nnd_context *ctx, nnd_queried *matrix,
                                     nnd_queried_outliers *out) {
    pencil f;
    for (size_t j = 0; j < out->count; j++)
        out->value[j] = out->left[j] = out->right[j] = NAN;
    nnd_status status = pencil_make(ctx, matrix, &f);
    if (status == NND_OK)
        status = margins_of(ctx, &f, out->count, out->margin);
    if (status == NND_OK && out->margin[0] < 0.0)
        status = find_all(ctx, &f, out);
    pencil_clear(&f);
    return status;
}
