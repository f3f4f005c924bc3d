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
    free(p->left);
    free(p->right);
    free(p->row_weight);
    free(p->col_weight);
    free(p->scaled);
    free(p->square);
    free(p->row);
    free(p->term);
    free(p->inner);
    free(p->turned);
    free(p->g2);
    free(p->shift);
    free(p->matrix);
    free(p->trial);
    free(p->pivot);
    free(p);
}

/* Room to work in, once the rank is known. */
static bool allocate(nnd_variance_profile *p) {
    size_t k = p->rank, edge = k + 1;
    p->scaled = calloc(k * (p->rows > p->cols ? p->rows : p->cols), sizeof *p->scaled);
    p->square = calloc(2 * k * k, sizeof *p->square);
    p->row = calloc(2 * p->rows, sizeof *p->row);
    p->term = calloc(edge, sizeof *p->term);
    p->inner = calloc(k * k, sizeof *p->inner);
    p->turned = calloc(k * k, sizeof *p->turned);
    p->g2 = calloc(p->cols, sizeof *p->g2);
    p->shift = calloc(edge, sizeof *p->shift);
    p->matrix = calloc(edge * edge, sizeof *p->matrix);
    p->trial = calloc(4 * (p->cols + 1), sizeof *p->trial);
    p->pivot = calloc(edge, sizeof *p->pivot);
    return p->scaled != NULL && p->square != NULL && p->row != NULL && p->term != NULL &&
           p->inner != NULL && p->turned != NULL && p->g2 != NULL && p->shift != NULL &&
           p->matrix != NULL && p->trial != NULL && p->pivot != NULL;
}

/* Scales rows, then columns, of f to a largest entry of 1. No row and no column is 0. */
static void balance(const nnd_variance_profile *p, double *f, double *row, double *col) {
    for (size_t i = 0; i < p->rows; i++) {
        double *r = f + i * p->cols;
        row[i] = r[cblas_idamax((int)p->cols, r, 1)];
        cblas_dscal((int)p->cols, 1.0 / row[i], r, 1);
    }
    for (size_t j = 0; j < p->cols; j++) {
        col[j] = f[cblas_idamax((int)p->rows, f + j, (int)p->cols) * p->cols + j];
        cblas_dscal((int)p->rows, 1.0 / col[j], f + j, (int)p->cols);
    }
}

/* f = left^T right by elimination with complete pivoting, until what is left of the balanced matrix
 * is its own rounding. Destroys f. */
static void eliminate(nnd_variance_profile *p, double *f, double *row, double *col) {
    const double rounding = 32.0 * DBL_EPSILON; /* of the variances, too */
    size_t n = p->rows, m = p->cols, most = n < m ? n : m;
    balance(p, f, row, col);
    for (p->rank = 0; p->rank < most; p->rank++) {
        size_t at = cblas_idamax((int)(n * m), f, 1);
        double pivot = f[at], *left = p->left + p->rank * n, *right = p->right + p->rank * m;
        if (p->rank > 0 && fabs(pivot) <= rounding)
            break;
        for (size_t i = 0; i < n; i++)
            left[i] = f[i * m + at % m] / pivot;
        memcpy(right, f + at / m * m, m * sizeof *right);
        cblas_dger(CblasRowMajor, (int)n, (int)m, -1.0, left, 1, right, 1, f, (int)m);
    }
    for (size_t a = 0; a < p->rank; a++) {
        for (size_t i = 0; i < n; i++)
            p->left[a * n + i] *= row[i];
        for (size_t j = 0; j < m; j++)
            p->right[a * m + j] *= col[j];
    }
}

static nnd_status factor(nnd_context *ctx, nnd_variance_profile *p, double *f) {
    size_t most = p->rows < p->cols ? p->rows : p->cols;
    double *scale = calloc(p->rows + p->cols, sizeof *scale);
    p->left = calloc(most * p->rows, sizeof *p->left);
    p->right = calloc(most * p->cols, sizeof *p->right);
    bool done = scale != NULL && p->left != NULL && p->right != NULL;
    if (done) {
        eliminate(p, f, scale, scale + p->rows);
        done = allocate(p);
    }
    free(scale);
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
    double *f = calloc(rows * cols, sizeof *f);
    p->row_weight = calloc(turned ? cols : rows, sizeof *p->row_weight);
    p->col_weight = calloc(turned ? rows : cols, sizeof *p->col_weight);
    if (f == NULL || p->row_weight == NULL || p->col_weight == NULL) {
        free(f);
        return nnd_fail_memory(ctx, "a variance profile");
    }
    p->rows = turned ? cols : rows;
    p->cols = turned ? rows : cols;
    p->ratio = turned ? 1.0 / d : d;
    p->share = turned ? kept_rows / x->ratio : kept_cols;
    double scale = turned ? x->ratio * kept_cols : kept_rows;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            double value = scale * x->variance[row[i] * x->cols + col[j]];
            f[turned ? j * rows + i : i * cols + j] = value;
            p->largest = fmax(p->largest, value);
        }
    for (size_t i = 0; i < rows; i++)
        (turned ? p->col_weight : p->row_weight)[i] = x->row_weight[row[i]] / kept_rows;
    for (size_t j = 0; j < cols; j++)
        (turned ? p->row_weight : p->col_weight)[j] = x->col_weight[col[j]] / kept_cols;
    nnd_status status = factor(ctx, p, f);
    free(f);
    return status;
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

/* R_aj x_j v_j summed over j. */
static void project(const nnd_variance_profile *p, const double complex *v, double complex *term) {
    for (size_t a = 0; a < p->rank; a++) {
        const double *right = p->right + a * p->cols;
        double re = 0.0, im = 0.0;
        for (size_t j = 0; j < p->cols; j++) {
            double share = right[j] * p->col_weight[j];
            re += share * creal(v[j]);
            im += share * cimag(v[j]);
        }
        term[a] = CMPLX(re, im);
    }
}

/* Adds the sum over a of term_a b_ai. */
static void expand(size_t rank, size_t count, const double *b, const double complex *term,
                   double complex *sum) {
    for (size_t a = 0; a < rank; a++)
        for (size_t i = 0; i < count; i++)
            sum[i] += term[a] * b[a * count + i];
}

void nnd_variance_rows(nnd_variance_profile *p, const double complex *v, double complex *row) {
    project(p, v, p->term);
    for (size_t a = 0; a < p->rank; a++)
        p->term[a] *= p->ratio;
    for (size_t i = 0; i < p->rows; i++)
        row[i] = 1.0;
    expand(p->rank, p->rows, p->left, p->term, row);
}

/* sum_i F_ij share_i, of all columns. */
static void to_columns(nnd_variance_profile *p, const double complex *share, double complex *out) {
    for (size_t a = 0; a < p->rank; a++) {
        p->term[a] = 0.0;
        for (size_t i = 0; i < p->rows; i++)
            p->term[a] += p->left[a * p->rows + i] * share[i];
    }
    for (size_t j = 0; j < p->cols; j++)
        out[j] = 0.0;
    expand(p->rank, p->cols, p->right, p->term, out);
}

/* G_j = 1/(sum_i w_i F_ij r_i - z) into g, its square, and w_i r_i^2 into p->row. */
static void right_side(nnd_variance_profile *p, double complex z, const double complex *v,
                       double complex *g) {
    double complex *r = p->row, *share = p->row + p->rows;
    nnd_variance_rows(p, v, r);
    for (size_t i = 0; i < p->rows; i++) {
        share[i] = p->row_weight[i] / r[i];
        r[i] = share[i] / r[i];
    }
    to_columns(p, share, g);
    for (size_t j = 0; j < p->cols; j++) {
        g[j] = 1.0 / (g[j] - z);
        p->g2[j] = g[j] * g[j];
    }
}

/* sum_i b_ai f_i b_ci into out, real if all f_i are. */
static void products(nnd_variance_profile *p, size_t count, const double *b, const double *weight,
                     const double complex *f, bool real, double complex *out) {
    size_t k = p->rank;
    for (int part = 0; part < (real ? 1 : 2); part++) {
        for (size_t i = 0; i < count; i++) {
            double x = (weight != NULL ? weight[i] : 1.0) * (part == 0 ? creal(f[i]) : cimag(f[i]));
            for (size_t a = 0; a < k; a++)
                p->scaled[a * count + i] = b[a * count + i] * x;
        }
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)k, (int)k, (int)count, 1.0, b,
                    (int)count, p->scaled, (int)count, 0.0, p->square + (size_t)part * k * k,
                    (int)k);
    }
    for (size_t i = 0; i < k * k; i++)
        out[i] = CMPLX(p->square[i], real ? 0.0 : p->square[k * k + i]);
}

/*
 * The system of Newton's method, v_j - G_j(v, z) = 0 and sum_j x_j v_j = m for the unknowns v and
 * z, delta - d g^2 R^T M R x delta - g^2 zeta = rest,   M = L (w r^2) L^T, is one for y = R x delta
 * and zeta alone, of the size of the rank: y - d R (x g^2) R^T M y - R x g^2 zeta = R x rest, d (R
 * x g^2)^T M y + (sum_j x_j g_j^2) zeta = what the mean lacks - sum_j x_j rest_j. At a fold it is
 * regular, as the larger one is.
 */
static void jacobian(nnd_variance_profile *p, bool real, bool bordered) {
    size_t k = p->rank, size = bordered ? k + 1 : k;
    const double complex minus = -p->ratio, zero = 0.0;
    products(p, p->rows, p->left, NULL, p->row, real, p->inner);
    products(p, p->cols, p->right, p->col_weight, p->g2, real, p->turned);
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k, (int)k, (int)k, &minus,
                p->turned, (int)k, p->inner, (int)k, &zero, p->matrix, (int)size);
    for (size_t a = 0; a < k; a++)
        p->matrix[a * size + a] += 1.0;
    if (!bordered)
        return;
    double complex *last = p->matrix + k * size;
    project(p, p->g2, p->shift);
    for (size_t a = 0; a < k; a++) {
        p->matrix[a * size + k] = -p->shift[a];
        last[a] = 0.0;
        for (size_t c = 0; c < k; c++)
            last[a] += p->ratio * p->shift[c] * p->inner[c * k + a];
    }
    last[k] = nnd_variance_mean(p, p->g2);
}

/* Solves for delta, and zeta behind it where the system is bordered; keeps its factors for `again`.
 */
static bool solve(nnd_variance_profile *p, bool bordered, double complex *right, bool again) {
    size_t k = p->rank;
    double complex *y = p->shift, zeta = 0.0;
    int size = (int)(bordered ? k + 1 : k);
    project(p, right, y);
    if (bordered)
        y[k] = right[p->cols] - nnd_variance_mean(p, right);
    int code = again
                   ? LAPACKE_zgetrs(LAPACK_ROW_MAJOR, 'N', size, 1, p->matrix, size, p->pivot, y, 1)
                   : LAPACKE_zgesv(LAPACK_ROW_MAJOR, size, 1, p->matrix, size, p->pivot, y, 1);
    if (bordered)
        right[p->cols] = zeta = y[k];
    for (size_t a = 0; a < k; a++) {
        p->term[a] = 0.0;
        for (size_t c = 0; c < k; c++)
            p->term[a] += p->ratio * p->inner[a * k + c] * y[c];
    }
    for (size_t j = 0; j < p->cols; j++) {
        double complex sum = zeta;
        for (size_t a = 0; a < k; a++)
            sum += p->term[a] * p->right[a * p->cols + j];
        right[j] += p->g2[j] * sum;
    }
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
    size_t n = p->cols;
    double complex *g = p->trial, *step = p->trial + n + 1;
    bool real = cimag(*z) == 0.0 && cimag(v[0]) == 0.0;
    double last = INFINITY, settled = m != NULL ? SETTLED_TWICE : SETTLED;
    for (int k = 0; k < ITERATIONS; k++) {
        right_side(p, *z, v, g);
        jacobian(p, real, m != NULL);
        for (size_t j = 0; j < n; j++)
            step[j] = g[j] - v[j];
        if (m != NULL)
            step[n] = *m - nnd_variance_mean(p, v);
        if (!solve(p, m != NULL, step, false))
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
    double complex *h = p->trial + n + 1, *share = p->row, *turn = p->row + p->rows;
    nnd_variance_rows(p, v, share);
    nnd_variance_rows(p, right, turn);
    for (size_t i = 0; i < p->rows; i++) {
        double complex r = 1.0 / share[i], change = r * (turn[i] - 1.0);
        share[i] = 2.0 * p->row_weight[i] * r * change * change;
    }
    to_columns(p, share, h);
    for (size_t j = 0; j < n; j++)
        right[j] = 2.0 * right[j] * right[j] / v[j] - v[j] * v[j] * h[j];
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
    if (!solve(p, true, right, true))
        return false;
    *z = creal(at);
    *slope = creal(right[n]);
    second_side(p, v, right);
    if (!solve(p, true, right, true))
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
double nnd_variance_below(nnd_variance_profile *p, double z, const double complex *v) {
    double turned = z * cimag(nnd_variance_mean(p, v));
    for (size_t j = 0; j < p->cols; j++)
        turned += p->col_weight[j] * atan2(fabs(cimag(v[j])), creal(v[j]));
    nnd_variance_rows(p, v, p->row);
    for (size_t i = 0; i < p->rows; i++) {
        double complex row = p->row[i];
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
