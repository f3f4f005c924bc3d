/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outliers of a queried matrix (wide-mlp.md#eq21): zeros of det F, F = z - m(z) S - K with S =
 * kappa^2 diag(S_Y, S_X) and K = ((0, kappa R + C), (., 0)). With s = kappa sigma the spectral
 * parameter is omega > 1, z = s (omega + 1/omega), m = 1/(s omega), in which F is smooth down to
 * the edge omega = 1. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/inertia.h"
#include "nndmft/solvers/outliers.h"
#include "solvers/queried_impl.h"

struct nnd_queried_pencil {
    double sigma;      /* kappa sigma */
    size_t left, size; /* rows that belong to p; all rows */
    double *s, *r, *c; /* lower triangles of S and of the two parts of K */
    double learned;    /* 1, or 0 for F_0, which is F without C */
};

typedef nnd_queried_pencil pencil;

/* kappa^2 S_Y = kappa^2 (<Y Y^T> - R R^T), or kappa^2 S_X = kappa^2 (<X X^T> - R^T R), into the
 * block of S that begins at `first`. */
static void fill_block(const nnd_queried *m, nnd_direction side, size_t first, const pencil *f) {
    const nnd_growing *gram = &m->side[side].gram;
    size_t n = nnd_queried_rank(m, side), others = nnd_queried_rank(m, 1 - side), size = f->size;
    double *block = f->s + first * size + first, kappa2 = m->kappa * m->kappa;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            block[i * size + j] = kappa2 * gram->x[i * gram->cols + j];
    if (n > 0 && others > 0)
        cblas_dsyrk(CblasRowMajor, CblasLower, side == NND_BACKWARD ? CblasNoTrans : CblasTrans,
                    (int)n, (int)others, -kappa2, m->r.x, (int)m->r.cols, 1.0, block, (int)size);
}

static nnd_status pencil_make(nnd_context *ctx, nnd_queried *m, pencil *f) {
    nnd_queried_complete_grams(m);
    size_t left = nnd_queried_rank(m, NND_BACKWARD), right = nnd_queried_rank(m, NND_FORWARD);
    size_t size = left + right;
    const nnd_growing *c = m->part == NND_QUERIED_INITIAL ? NULL : &m->c[m->part];
    *f = (pencil){.sigma = m->kappa * m->sigma, .left = left, .size = size, .learned = 1.0};
    f->s = calloc(3 * size * size + 1, sizeof *f->s);
    if (f->s == NULL)
        return nnd_fail_memory(ctx, "the outliers");
    f->r = f->s + size * size;
    f->c = f->r + size * size;
    fill_block(m, NND_BACKWARD, 0, f);
    fill_block(m, NND_FORWARD, left, f);
    for (size_t i = 0; i < right; i++)
        for (size_t j = 0; j < left; j++) {
            size_t at = (left + i) * size + j;
            f->c[at] = c != NULL ? c->x[j * c->cols + i] : 0.0;
            f->r[at] = m->kappa * m->r.x[j * m->r.cols + i];
        }
    return NND_OK;
}

static void pencil_clear(pencil *f) {
    free(f->s);
}

static double singular_value(const pencil *f, double omega) {
    return f->sigma * (omega + 1.0 / omega);
}

static void fill_at(const pencil *f, double omega, double *out) {
    double weight = 1.0 / (f->sigma * omega);
    for (size_t i = 0; i < f->size; i++) {
        for (size_t j = 0; j <= i; j++) {
            size_t at = i * f->size + j;
            out[at] = -weight * f->s[at] - (f->r[at] + f->learned * f->c[at]);
        }
        out[i * f->size + i] += singular_value(f, omega);
    }
}

static nnd_status fill_matrix(void *data, double omega, double *out) {
    fill_at(data, omega, out);
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

/* Where F_0 becomes positive: beyond it each negative eigenvalue of F is an outlier that C made,
 * not sampling noise of M(0). */
static nnd_status find_edge(nnd_context *ctx, const pencil *f, double *edge) {
    pencil initial = *f;
    initial.learned = 0.0;
    nnd_outlier_problem problem = problem_of(&initial);
    double far = 1.0;
    nnd_status status = beyond(ctx, &problem, &far);
    if (status == NND_OK)
        status = nnd_outlier_find(ctx, &problem, 0, 1.0, far, edge, NULL);
    if (isnan(*edge)) /* closer than rounding */
        *edge = 1.0;
    return status;
}

static nnd_status find_all(nnd_context *ctx, pencil *f, double edge, nnd_queried_outliers *out) {
    nnd_outlier_problem problem = problem_of(f);
    double far = edge, omega, *y = calloc(2 * f->size, sizeof *y);
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

/* Eigenvalues of F_0^(-1/2) ((0, C), (., 0)) F_0^(-1/2) (wide-mlp.md#eq16). They come in pairs +-,
 * of which the positive ones are meant. F_0 is F at the edge without C, positive since M(0) has no
 * outlier. */
nnd_status nnd_queried_pencil_strengths(nnd_context *ctx, const nnd_queried_pencil *f, size_t count,
                                        double *strength) {
    pencil without = *f;
    without.learned = 0.0;
    size_t n = f->size;
    double *c = malloc((2 * n * n + n + 1) * sizeof *c);
    if (c == NULL)
        return nnd_fail_memory(ctx, "the outliers");
    double *initial = c + n * n, *value = initial + n * n;
    cblas_dcopy((int)(n * n), f->c, 1, c, 1);
    nnd_status status = fill_matrix(&without, 1.0, initial);
    bool positive = n == 0 || LAPACKE_dsygv(LAPACK_ROW_MAJOR, 1, 'N', 'L', (lapack_int)n, c,
                                            (lapack_int)n, initial, (lapack_int)n, value) == 0;
    for (size_t j = 0; j < count; j++)
        strength[j] = !positive ? NAN : 2 * j < n ? fmax(value[n - 1 - j], 0.0) : 0.0;
    free(c);
    return status;
}

nnd_status nnd_queried_find_outliers(nnd_context *ctx, nnd_queried *matrix,
                                     nnd_queried_outliers *out) {
    pencil f;
    for (size_t j = 0; j < out->count; j++)
        out->value[j] = out->left[j] = out->right[j] = NAN;
    nnd_status status = pencil_make(ctx, matrix, &f);
    if (status == NND_OK)
        status = nnd_queried_pencil_strengths(ctx, &f, out->count, out->strength);
    double edge = 1.0;
    if (status == NND_OK && isnan(out->strength[0]))
        status = find_edge(ctx, &f, &edge);
    out->edge = singular_value(&f, edge);
    if (status == NND_OK && !(out->strength[0] <= 1.0))
        status = find_all(ctx, &f, edge, out);
    pencil_clear(&f);
    return status;
}

/* ---- kept for later ---- */

nnd_status nnd_queried_pencil_new(nnd_context *ctx, nnd_queried *matrix, nnd_queried_pencil **out) {
    pencil *f = calloc(1, sizeof *f);
    nnd_status status =
        f != NULL ? pencil_make(ctx, matrix, f) : nnd_fail_memory(ctx, "the outliers");
    if (status == NND_OK)
        *out = f;
    else
        nnd_queried_pencil_free(f);
    return status;
}

void nnd_queried_pencil_free(nnd_queried_pencil *f) {
    if (f != NULL)
        pencil_clear(f);
    free(f);
}

double nnd_queried_pencil_bytes(const nnd_queried_pencil *f) {
    return f != NULL ? 3.0 * (double)(f->size * f->size) * sizeof(double) : 0.0;
}

/* F at omega, as the one block of a matrix. */
static void fill_block_at(void *data, double omega, size_t i, double *diagonal, double *below) {
    (void)i, (void)below;
    fill_at(data, omega, diagonal);
}

/* Those of F at the edge that are negative, by a factorization alone. */
nnd_status nnd_queried_pencil_outliers(nnd_context *ctx, const nnd_queried_pencil *f,
                                       size_t *outliers) {
    const double edge = 1.0;
    pencil copy = *f;
    nnd_inertia_problem problem = {
        .blocks = 1, .rows = &f->size, .fill = fill_block_at, .data = &copy};
    nnd_inertia *inertia;
    nnd_status status = nnd_inertia_new(ctx, &problem, &inertia);
    if (status != NND_OK)
        return status;
    status = nnd_inertia_count(inertia, edge, outliers);
    nnd_inertia_free(inertia);
    return status;
}
