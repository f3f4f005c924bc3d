/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/variance_profile.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/cmplx.h"
#include "solvers/edges.h"
#include "solvers/variance_profile_impl.h"

/* ---- making ---- */

void nnd_variance_profile_free(nnd_variance_profile *p) {
    if (p == NULL)
        return;
    free(p->f);
    free(p->row_weight);
    free(p->col_weight);
    free(p->sum);
    free(p->scaled);
    free(p->square);
    free(p->matrix);
    free(p->trial);
    free(p->pivot);
    free(p);
}

static nnd_status allocate(nnd_context *ctx, nnd_variance_profile *p, size_t rows, size_t cols) {
    size_t edge = cols + 1;
    p->f = calloc(rows * cols, sizeof *p->f);
    p->row_weight = calloc(rows, sizeof *p->row_weight);
    p->col_weight = calloc(cols, sizeof *p->col_weight);
    p->sum = calloc(2 * rows, sizeof *p->sum);
    p->scaled = calloc(rows * cols, sizeof *p->scaled);
    p->square = calloc(2 * cols * cols, sizeof *p->square);
    p->matrix = calloc(edge * edge, sizeof *p->matrix);
    p->trial = calloc(4 * edge, sizeof *p->trial);
    p->pivot = calloc(edge, sizeof *p->pivot);
    bool done = p->f != NULL && p->row_weight != NULL && p->col_weight != NULL && p->sum != NULL &&
                p->scaled != NULL && p->square != NULL && p->matrix != NULL && p->trial != NULL &&
                p->pivot != NULL;
    return done ? NND_OK : nnd_fail_memory(ctx, "a variance profile");
}

/* Indices of what is not 0 throughout, in `list`, and their weight. */
static size_t alive(size_t count, size_t across, const double *f, size_t stride, size_t step,
                    const double *weight, size_t *list, double *total) {
    size_t n = 0;
    *total = 0.0;
    for (size_t i = 0; i < count; i++) {
        bool any = false;
        for (size_t j = 0; j < across; j++)
            any = any || f[i * stride + j * step] > 0.0;
        if (any) {
            list[n++] = i;
            *total += weight[i];
        }
    }
    return n;
}

/* Variances are divided by the number of rows: F N'/N, where N' is that of the rows that are kept,
 * or D' of the columns if these are more and become the rows. */
static nnd_status fill(nnd_context *ctx, const nnd_variances *x, size_t *row, size_t *col,
                       nnd_variance_profile *p) {
    double kept_rows, kept_cols;
    size_t rows = alive(x->rows, x->cols, x->variance, x->cols, 1, x->row_weight, row, &kept_rows);
    size_t cols = alive(x->cols, x->rows, x->variance, 1, x->cols, x->col_weight, col, &kept_cols);
    if (rows == 0)
        return nnd_fail(ctx, NND_E_INPUT, "a random matrix whose entries are all 0");
    double d = x->ratio * kept_cols / kept_rows;
    bool turned = d > 1.0;
    nnd_status status = allocate(ctx, p, turned ? cols : rows, turned ? rows : cols);
    if (status != NND_OK)
        return status;
    p->rows = turned ? cols : rows;
    p->cols = turned ? rows : cols;
    p->ratio = turned ? 1.0 / d : d;
    p->share = turned ? kept_rows / x->ratio : kept_cols;
    double scale = turned ? x->ratio * kept_cols : kept_rows;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            double f = scale * x->variance[row[i] * x->cols + col[j]];
            p->f[turned ? j * rows + i : i * cols + j] = f;
            p->largest = fmax(p->largest, f);
        }
    for (size_t i = 0; i < rows; i++)
        (turned ? p->col_weight : p->row_weight)[i] = x->row_weight[row[i]] / kept_rows;
    for (size_t j = 0; j < cols; j++)
        (turned ? p->row_weight : p->col_weight)[j] = x->col_weight[col[j]] / kept_cols;
    return NND_OK;
}

nnd_status nnd_variance_profile_new(nnd_context *ctx, const nnd_variances *x,
                                    nnd_variance_profile **profile) {
    nnd_variance_profile *p = calloc(1, sizeof *p);
    size_t *row = calloc(x->rows, sizeof *row), *col = calloc(x->cols, sizeof *col);
    nnd_status status = p != NULL && row != NULL && col != NULL
                            ? fill(ctx, x, row, col, p)
                            : nnd_fail_memory(ctx, "a variance profile");
    free(row);
    free(col);
    if (status != NND_OK) {
        nnd_variance_profile_free(p);
        p = NULL;
    }
    *profile = p;
    return status;
}

/* ---- the equation ---- */

double complex nnd_variance_mean(const nnd_variance_profile *p, const double complex *v) {
    double complex sum = 0.0;
    for (size_t j = 0; j < p->cols; j++)
        sum += p->col_weight[j] * v[j];
    return sum;
}

double complex nnd_variance_row(const nnd_variance_profile *p, size_t i, const double complex *v) {
    const double *f = p->f + i * p->cols;
    double re = 0.0, im = 0.0;
    for (size_t j = 0; j < p->cols; j++) {
        double share = f[j] * p->col_weight[j];
        re += share * creal(v[j]);
        im += share * cimag(v[j]);
    }
    return CMPLX(1.0 + p->ratio * re, p->ratio * im);
}

/* G_j = 1/(sum_i w_i F_ij r_i - z) into g, and real and imaginary parts of w_i r_i^2 into sum. */
static void right_side(nnd_variance_profile *p, double complex z, const double complex *v,
                       double complex *g) {
    for (size_t j = 0; j < p->cols; j++)
        g[j] = -z;
    for (size_t i = 0; i < p->rows; i++) {
        const double *f = p->f + i * p->cols;
        double complex r = 1.0 / nnd_variance_row(p, i, v), share = p->row_weight[i] * r,
                       square = share * r;
        for (size_t j = 0; j < p->cols; j++)
            g[j] += f[j] * share;
        p->sum[i] = creal(square);
        p->sum[p->rows + i] = cimag(square);
    }
    for (size_t j = 0; j < p->cols; j++)
        g[j] = 1.0 / g[j];
}

/* One part of sum_i w_i r_i^2 F_ij F_il into square. */
static void products(nnd_variance_profile *p, const double *weight, double *square) {
    int rows = (int)p->rows, cols = (int)p->cols;
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->cols; j++)
            p->scaled[i * p->cols + j] = weight[i] * p->f[i * p->cols + j];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, cols, cols, rows, 1.0, p->f, cols,
                p->scaled, cols, 0.0, square, cols);
}

/* The bordered system: rows v_j - G_j(v, z) = 0 and sum_j x_j v_j = m for the unknowns v and z. */
static void jacobian(nnd_variance_profile *p, const double complex *g, bool real, bool bordered) {
    size_t n = p->cols, size = bordered ? n + 1 : n;
    double *im = p->square + n * n;
    products(p, p->sum, p->square);
    if (real)
        memset(im, 0, n * n * sizeof *im);
    else
        products(p, p->sum + p->rows, im);
    for (size_t j = 0; j < n; j++) {
        double complex factor = -g[j] * g[j] * p->ratio, *row = p->matrix + j * size;
        for (size_t l = 0; l < n; l++)
            row[l] = (j == l ? 1.0 : 0.0) +
                     factor * p->col_weight[l] * CMPLX(p->square[j * n + l], im[j * n + l]);
        if (bordered)
            row[n] = -g[j] * g[j];
    }
    for (size_t l = 0; bordered && l < n; l++)
        p->matrix[n * size + l] = p->col_weight[l];
    if (bordered)
        p->matrix[n * size + n] = 0.0;
}

/* Solves with the matrix, and keeps its factors for `again`. */
static bool solve(nnd_variance_profile *p, size_t size, double complex *right, bool again) {
    int n = (int)size;
    int code = again ? LAPACKE_zgetrs(LAPACK_ROW_MAJOR, 'N', n, 1, p->matrix, n, p->pivot, right, 1)
                     : LAPACKE_zgesv(LAPACK_ROW_MAJOR, n, 1, p->matrix, n, p->pivot, right, 1);
    return code == 0;
}

/* ---- Newton's method ---- */

enum { ITERATIONS = 40, HALVINGS = 40, PATH = 200 };
/* The error that a step leaves is about its square; where it does not fall any more it is rounding.
 */
static const double SETTLED = 1e-9, SMALL = 1e-6;
/* Where derivatives follow: their matrix is that of the last step but one. */
static const double SETTLED_TWICE = 1e-13;

/* v += part of step, as much of it as keeps v above the axis. The largest change over the largest
 * v; 1 at least where the step was cut. */
static double advance(size_t n, bool real, const double complex *step, double complex *v) {
    double part = 1.0, change = 0.0, most = 0.0;
    for (int k = 0; !real && k < HALVINGS; k++) {
        bool above = true;
        for (size_t j = 0; j < n; j++)
            above = above && cimag(v[j] + part * step[j]) > 0.0;
        if (above)
            break;
        part *= 0.5;
    }
    for (size_t j = 0; j < n; j++) {
        v[j] += part * step[j];
        change = fmax(change, cabs(step[j]));
        most = fmax(most, cabs(v[j]));
    }
    return part < 1.0 ? fmax(1.0, change / most) : change / most;
}

/* With `m`, z is unknown too, and real. */
static bool newton(nnd_variance_profile *p, double complex *z, double complex *v, const double *m) {
    size_t n = p->cols, size = m != NULL ? n + 1 : n;
    double complex *g = p->trial, *step = p->trial + size;
    bool real = cimag(*z) == 0.0 && cimag(v[0]) == 0.0;
    double last = INFINITY, settled = m != NULL ? SETTLED_TWICE : SETTLED;
    for (int k = 0; k < ITERATIONS; k++) {
        right_side(p, *z, v, g);
        jacobian(p, g, real, m != NULL);
        for (size_t j = 0; j < n; j++)
            step[j] = g[j] - v[j];
        if (m != NULL)
            step[n] = *m - nnd_variance_mean(p, v);
        if (!solve(p, size, step, false))
            return false;
        double moved = advance(n, real, step, v);
        if (m != NULL) {
            *z += step[n];
            moved = fmax(moved, cabs(step[n]) / cabs(*z));
        }
        if (!isfinite(moved))
            return false;
        if (moved <= settled || (moved <= SMALL && moved >= 0.5 * last))
            return true;
        last = moved;
    }
    return false;
}

/* Real solutions inside of the support are others: they have no imaginary part but rounding. */
static bool is_above(const nnd_variance_profile *p, double complex z, const double complex *v) {
    const double real = 1e-9;
    for (size_t j = 0; j < p->cols; j++)
        if (cimag(z) == 0.0 && creal(z) < 0.0 ? !(creal(v[j]) > 0.0) : !(cimag(v[j]) > 0.0))
            return false;
    double complex m = nnd_variance_mean(p, v);
    return cimag(z) > 0.0 || creal(z) < 0.0 || cimag(m) > real * cabs(m);
}

/* Newton's method for v at z, given v near by; real if both are. False if it does not settle, or
 * not above the axis. */
static bool solve_at(nnd_variance_profile *p, double complex z, double complex *v) {
    return newton(p, &z, v, NULL) && is_above(p, z, v);
}

/* With H_j = 1/v_j - sum_i w_i F_ij r_i + z = 0, which is linear in z, and R_j = -v_j^2 H_j to
 * first order, (v, z)' solves the bordered system for (0, 1), and (v, z)'' for (v^2 H_vv[v', v'],
 * 0). */
static void second_side(nnd_variance_profile *p, const double complex *v, double complex *right) {
    size_t n = p->cols;
    double complex *h = p->trial + n + 1;
    for (size_t j = 0; j < n; j++)
        h[j] = 2.0 * right[j] * right[j] / (v[j] * v[j] * v[j]);
    for (size_t i = 0; i < p->rows; i++) {
        const double *f = p->f + i * p->cols;
        double complex r = 1.0 / nnd_variance_row(p, i, v);
        double complex turn = r * (nnd_variance_row(p, i, right) - 1.0);
        double complex share = 2.0 * p->row_weight[i] * r * turn * turn;
        for (size_t j = 0; j < n; j++)
            h[j] -= f[j] * share;
    }
    for (size_t j = 0; j < n; j++)
        right[j] = v[j] * v[j] * h[j];
    right[n] = 0.0;
}

bool nnd_variance_where(nnd_variance_profile *p, double m, double *z, double complex *v,
                        double *slope, double *bend) {
    size_t n = p->cols;
    double complex at = *z, *right = p->trial;
    if (!newton(p, &at, v, &m))
        return false;
    for (size_t j = 0; j < n; j++)
        right[j] = 0.0;
    right[n] = 1.0;
    if (!solve(p, n + 1, right, true))
        return false;
    *z = creal(at);
    *slope = creal(right[n]);
    second_side(p, v, right);
    if (!solve(p, n + 1, right, true))
        return false;
    *bend = creal(right[n]);
    return isfinite(*slope) && isfinite(*bend);
}

bool nnd_variance_follow(nnd_variance_profile *p, double complex from, double complex z,
                         double complex *v) {
    double complex *kept = p->trial + 2 * (p->cols + 1);
    double done = 0.0, step = 1.0;
    memcpy(kept, v, p->cols * sizeof *kept);
    for (int k = 0; k < PATH; k++) {
        double next = fmin(done + step, 1.0);
        if (solve_at(p, next < 1.0 ? from + next * (z - from) : z, v)) {
            if (next == 1.0)
                return true;
            memcpy(kept, v, p->cols * sizeof *kept);
            done = next;
            step *= 2.0;
        } else {
            memcpy(v, kept, p->cols * sizeof *kept);
            step *= 0.5;
        }
    }
    return false;
}

/* No eigenvalue is above F (1 + d^{1/2})^2, F the largest. */
double nnd_variance_far(const nnd_variance_profile *p) {
    const double far = 10.0;
    return far * p->largest * (1.0 + sqrt(p->ratio)) * (1.0 + sqrt(p->ratio));
}

void nnd_variance_begin(const nnd_variance_profile *p, double complex z, double complex *v) {
    for (size_t j = 0; j < p->cols; j++)
        v[j] = -1.0 / z;
}

bool nnd_variance_reach(nnd_variance_profile *p, double complex z, double complex *v) {
    double away = nnd_variance_far(p) + cabs(z);
    double complex far =
        cimag(z) == 0.0 && creal(z) < 0.0 ? CMPLX(-away, 0.0) : z + CMPLX(0.0, away);
    nnd_variance_begin(p, far, v);
    return nnd_variance_follow(p, far, z, v);
}

/* ---- what is asked ---- */

static nnd_status lost(nnd_context *ctx, double complex z) {
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at a spectrum");
    return nnd_fail(ctx, NND_E_UNSOLVED, "the Stieltjes transform is not found at %g%+gi", creal(z),
                    cimag(z));
}

nnd_status nnd_variance_profile_stieltjes(nnd_context *ctx, nnd_variance_profile *p,
                                          double complex z, double complex *m) {
    double complex *v = calloc(p->cols, sizeof *v);
    if (v == NULL)
        return nnd_fail_memory(ctx, "a Stieltjes transform");
    nnd_status status = nnd_variance_reach(p, z, v) ? NND_OK : lost(ctx, z);
    *m = p->share * nnd_variance_mean(p, v) - (1.0 - p->share) / z;
    free(v);
    return status;
}

/* The potential
 *     D^{-1} log det(W^T W - z) = -sum_j x_j log v_j - z m + (1/d) sum_i w_i log(1/r_i) + const
 * is stationary in v, and its imaginary part is -pi times that. */
double nnd_variance_below(const nnd_variance_profile *p, double z, const double complex *v) {
    double turned = z * cimag(nnd_variance_mean(p, v));
    for (size_t j = 0; j < p->cols; j++)
        turned += p->col_weight[j] * atan2(fabs(cimag(v[j])), creal(v[j]));
    for (size_t i = 0; i < p->rows; i++) {
        double complex row = nnd_variance_row(p, i, v);
        turned -= p->row_weight[i] / p->ratio * atan2(fabs(cimag(row)), creal(row));
    }
    return turned / M_PI;
}

static nnd_status density_inside(nnd_context *ctx, nnd_variance_profile *p, size_t count,
                                 const double *z, double *density, double *cdf) {
    double complex *v = calloc(p->cols, sizeof *v);
    if (v == NULL)
        return nnd_fail_memory(ctx, "a density");
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        if (nnd_context_interrupted(ctx) ||
            ((i == 0 || !nnd_variance_follow(p, z[i - 1], z[i], v)) &&
             !nnd_variance_reach(p, z[i], v)))
            status = lost(ctx, z[i]);
        density[i] = p->share * cimag(nnd_variance_mean(p, v)) / M_PI;
        cdf[i] = 1.0 - p->share * (1.0 - nnd_variance_below(p, z[i], v));
    }
    free(v);
    return status;
}

nnd_status nnd_variance_profile_density(nnd_context *ctx, nnd_variance_profile *p,
                                        const nnd_edges *edges, size_t count, const double *z,
                                        double *density, double *cdf) {
    nnd_status status = NND_OK;
    for (size_t first = 0, last; status == NND_OK && first < count; first = last) {
        const nnd_edge *next = nnd_edges_outside(edges, count, z, first, &last, density, cdf);
        if (next != NULL && next->upper)
            status = density_inside(ctx, p, last - first, z + first, density + first, cdf + first);
    }
    return status;
}
