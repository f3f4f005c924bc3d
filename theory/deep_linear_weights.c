/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In units of sqrt(s), s = kappa^2 sigma_l^2, with the spectral parameter omega >= 1,
 *     z^2 = (1 + sqrt(phi) omega) (1 + sqrt(phi)/omega),
 * in which all is smooth down to the edge of the bulk, omega = 1. The matrix F of
 * deep-linear.md#s3-2 loses its larger side by elimination, whose block z - c S is inverted in
 * closed form. */
#include "theory/deep_linear_weights.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/inertia.h"
#include "nndmft/solvers/unknown.h"

/* Lower end of a search: the edge, but for rounding. */
static const double ABOVE_EDGE = 1.0 + 1e-9;
/* What weight decay leaves of the bulk, at least: beside spikes it is nothing, and 1/s a number. */
static const double LEAST_BULK = 1e-280;
/* What is resolved of F beside what has been learned: the square root of rounding. */
static const double RESOLVED = 1e-7;

/* One matrix; sides are NND_FORWARD (input) and NND_BACKWARD (output). */
typedef struct {
    nnd_known known;
    double root; /* sqrt(phi) */
    double unit; /* sqrt(s) */
    size_t rows[2];
    nnd_direction kept; /* the side that is not eliminated */
    nnd_unknown_side side[2];
    nnd_unknown_sandwich between; /* M, or M^T, from the side that is */
    double *other;                /* room for a vector of that */
    nnd_inertia *f;
} problem;

static double height(double root, double omega) {
    return sqrt((1.0 + root) * (1.0 + root) + root * (omega - 1.0) * ((omega - 1.0) / omega));
}

/* dz/domega. */
static double slope(double root, double omega) {
    return 0.5 * root * (1.0 - 1.0 / omega / omega) / height(root, omega);
}

/* The omega of a z above the edge. */
static double parameter(double root, double z) {
    double e = (z - 1.0 - root) * (z + 1.0 + root) / root;
    return 1.0 + 0.5 * (e + sqrt(e) * sqrt(e + 4.0));
}

/* phi m_o, which S_f has in F, or m_i, which S_b has, at omega. */
static double share(double root, double omega, nnd_direction side) {
    double z = height(root, omega);
    return side == NND_FORWARD ? root * (root + 1.0 / omega) / z : z / (1.0 + root * omega);
}

/* Its derivative. */
static double share_slope(double root, double omega, nnd_direction side) {
    double z = height(root, omega), dz = slope(root, omega), up = 1.0 + root * omega;
    if (side == NND_FORWARD)
        return -root / omega / omega / z - root * (root + 1.0 / omega) * dz / z / z;
    return dz / up - z / up * root / up;
}

/* z - c S - M (z - c' S')^-1 M^T/s. */
static void fill(void *data, double omega, size_t i, double *diagonal, double *below) {
    (void)i;
    (void)below;
    const problem *p = data;
    double z = height(p->root, omega);
    size_t n = p->rows[p->kept];
    nnd_unknown_sandwich_add(&p->between, -1.0 / (p->unit * p->unit), z,
                             -share(p->root, omega, 1 - p->kept), diagonal);
    nnd_unknown_add(&p->side[p->kept], -share(p->root, omega, p->kept), diagonal);
    for (size_t k = 0; k < n; k++)
        diagonal[k * n + k] += z;
}

/* The other half of the null vector: (z - c' S')^-1 M^T y/sqrt(s). */
static const double *other_half(const problem *p, double omega, const double *y) {
    size_t n = p->rows[p->kept], others = p->rows[1 - p->kept];
    double *image = p->other + others;
    memset(image, 0, others * sizeof *image);
    for (size_t k = 0; k < n; k++)
        cblas_daxpy((int)others, y[k] / p->unit, p->between.x + k * others, 1, image, 1);
    nnd_unknown_solve(&p->side[1 - p->kept], height(p->root, omega),
                      -share(p->root, omega, 1 - p->kept), image, p->other);
    return p->other;
}

static double part(const problem *p, double omega, nnd_direction side, const double *half) {
    return slope(p->root, omega) * cblas_ddot((int)p->rows[side], half, 1, half, 1) -
           share_slope(p->root, omega, side) * nnd_unknown_form(&p->side[side], half);
}

/* y^T dF/domega y over both halves. */
static double derivative(void *data, double omega, const double *y) {
    const problem *p = data;
    return part(p, omega, p->kept, y) + part(p, omega, 1 - p->kept, other_half(p, omega, y));
}

static nnd_status make_problem(nnd_context *ctx, const nnd_small *n, size_t l, problem *p) {
    nnd_known a = nnd_conditioned_known(n->system, n->a[l]);
    double s = fmax(a.kappa * a.kappa * a.sigma2, LEAST_BULK);
    bool forward = a.in < a.out;
    *p = (problem){.known = a,
                   .root = sqrt(a.aspect),
                   .unit = sqrt(s),
                   .rows = {a.in, a.out},
                   .kept = forward ? NND_FORWARD : NND_BACKWARD,
                   .side = {{a.in, a.unknown_in, a.stride_in, a.n_f, NULL},
                            {a.out, a.unknown_out, a.stride_out, a.n_b, NULL}}};
    const nnd_inertia_problem reduced = {1, &p->rows[p->kept], fill, derivative, p};
    p->other = calloc(2 * p->rows[1 - p->kept] + 1, sizeof *p->other);
    nnd_status status = p->other != NULL ? NND_OK : nnd_fail_memory(ctx, "the outliers");
    if (status == NND_OK)
        status = nnd_unknown_side_square(ctx, &p->side[p->kept]);
    if (status == NND_OK)
        status = nnd_unknown_sandwich_make(ctx, &p->side[1 - p->kept], p->rows[p->kept], a.m,
                                           a.stride, forward, &p->between);
    if (status == NND_OK)
        status = nnd_inertia_new(ctx, &reduced, &p->f);
    return status;
}

static void clear_problem(problem *p) {
    nnd_inertia_free(p->f);
    nnd_unknown_sandwich_clear(&p->between);
    nnd_unknown_side_clear(&p->side[0]);
    nnd_unknown_side_clear(&p->side[1]);
    free(p->other);
}

/* Frobenius norm of C = M - kappa K, in units of sqrt(s). */
static double learned_norm(const problem *p) {
    const nnd_known *a = &p->known;
    double sum = 0.0;
    for (size_t i = 0; i < a->out; i++)
        for (size_t j = 0; j < a->in; j++) {
            double c = (a->m[i * a->stride + j] - a->kappa * a->k[i * a->stride + j]) / p->unit;
            sum += c * c;
        }
    return sqrt(sum);
}

/* Squared cosine of a half of the null vector with a vector d of that side; the halves have equal
 * length. norm2 = y^T dF/dz y. */
static double overlap(const nnd_small *n, nnd_known_vector d, const double *half, size_t length,
                      double norm2) {
    const double *x = nnd_conditioned_vector(n->system, d);
    double along = cblas_ddot((int)length, half, 1, x, 1);
    return 2.0 * along * along / (norm2 * nnd_conditioned_dot(n->system, d, d));
}

static void set_overlaps(const nnd_small *n, problem *p, double omega, const double *y, size_t j,
                         nnd_weight_outliers *out) {
    double norm2 = derivative(p, omega, y) / slope(p->root, omega);
    const double *half[2] = {y, y};
    half[1 - p->kept] = other_half(p, omega, y);
    if (out->target != NULL)
        out->target[j] = overlap(n, n->target, half[NND_FORWARD], p->known.in, norm2);
    if (out->readout != NULL)
        out->readout[j] =
            overlap(n, n->fields[0].g[n->depth], half[NND_BACKWARD], p->known.out, norm2);
}

static nnd_status find_all(nnd_context *ctx, const nnd_small *n, problem *p,
                           nnd_weight_outliers *out) {
    double edge = 1.0 + p->root, learned = learned_norm(p);
    /* Beyond the sum of both parts' norms there is none. */
    nnd_inertia_bracket bracket = {
        .near = parameter(p->root, fmax(edge * ABOVE_EDGE, RESOLVED * learned)),
        .far = parameter(p->root, 1.01 * (edge + learned)),
    };
    double omega, *y = calloc(nnd_inertia_size(p->f) + 1, sizeof *y);
    nnd_status status = y != NULL ? nnd_inertia_count(p->f, bracket.near, &bracket.count_near)
                                  : nnd_fail_memory(ctx, "an outlier's vector");
    for (size_t j = 0; status == NND_OK && j < bracket.count_near && j < out->count; j++) {
        status = nnd_inertia_root(p->f, j, &bracket, &omega, y);
        if (status != NND_OK || isnan(omega))
            continue;
        out->value[j] = p->unit * height(p->root, omega);
        set_overlaps(n, p, omega, y, j, out);
    }
    free(y);
    return status;
}

nnd_status nnd_small_outliers(nnd_context *ctx, const nnd_small *n, size_t l,
                              nnd_weight_outliers *out) {
    problem p;
    for (size_t j = 0; j < out->count; j++) {
        out->value[j] = NAN;
        if (out->target != NULL)
            out->target[j] = NAN;
        if (out->readout != NULL)
            out->readout[j] = NAN;
    }
    nnd_status status = make_problem(ctx, n, l, &p);
    out->edge = nnd_bulk_upper_edge(p.unit * p.unit, p.known.aspect);
    if (status == NND_OK)
        status = find_all(ctx, n, &p, out);
    clear_problem(&p);
    return status;
}

/* ---- transitions ---- */

nnd_status nnd_small_outlier_count(nnd_context *ctx, const nnd_small *n, size_t l, size_t *count) {
    problem p;
    nnd_status status = make_problem(ctx, n, l, &p);
    double least = RESOLVED * learned_norm(&p);
    double omega = least > 1.0 + p.root ? parameter(p.root, least) : 1.0;
    if (status == NND_OK)
        status = nnd_inertia_count(p.f, omega, count);
    clear_problem(&p);
    return status;
}

/* Lower triangle of a - b N^T N, at the diagonal block of F from row `first` on. */
static void add_side(size_t size, size_t first, size_t n, size_t unknown, const double *rows,
                     size_t stride, double a, double b, double *f) {
    double *at = f + first * size + first;
    if (unknown > 0)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)unknown, -b, rows,
                    (int)stride, 0.0, at, (int)size);
    for (size_t i = 0; i < n; i++)
        at[i * size + i] += a;
}

/* Lower triangles: F at the edge with nothing learned, and ((0, .), (C, 0)), in units of sqrt(s) of
 * a given kappa. */
static void fill_pencil(const nnd_known *a, double unit, size_t rows, size_t cols,
                        const double *learned, double *f, double *c) {
    size_t size = a->in + a->out;
    double root = sqrt(a->aspect), edge = 1.0 + root, share = unit / sqrt(a->sigma2);
    add_side(size, 0, a->in, a->unknown_in, a->n_f, a->stride_in, edge, root, f);
    add_side(size, a->in, a->out, a->unknown_out, a->n_b, a->stride_out, edge, 1.0, f);
    for (size_t i = 0; i < a->out; i++)
        for (size_t j = 0; j < a->in; j++) {
            size_t at = (a->in + i) * size + j;
            f[at] = -share * a->k[i * a->stride + j] / unit;
            c[at] = i < rows && j < cols ? learned[i * cols + j] / unit : 0.0;
        }
}

nnd_status nnd_small_indicators(nnd_context *ctx, const nnd_small *n, size_t l, double kappa,
                                size_t rows, size_t cols, const double *learned, size_t count,
                                double *indicator) {
    nnd_known a = nnd_conditioned_known(n->system, n->a[l]);
    size_t size = a.in + a.out;
    double unit = sqrt(fmax(kappa * kappa * a.sigma2, LEAST_BULK));
    double *f = calloc(size * size + 1, sizeof *f), *c = calloc(size * size + 1, sizeof *c);
    double *value = calloc(size + 1, sizeof *value);
    nnd_status status = f != NULL && c != NULL && value != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "the transition indicator");
    for (size_t j = 0; j < count; j++)
        indicator[j] = 0.0;
    if (status == NND_OK && size > 0) {
        fill_pencil(&a, unit, rows, cols, learned, f, c);
        /* Row-major lower is column-major upper: C y = Lambda F y. */
        if (LAPACKE_dsygv(LAPACK_COL_MAJOR, 1, 'N', 'U', (lapack_int)size, c, (lapack_int)size, f,
                          (lapack_int)size, value) != 0)
            status = nnd_fail(ctx, NND_E_UNSOLVED,
                              "the transition indicator of layer %zu has no "
                              "value",
                              l);
        for (size_t j = 0; status == NND_OK && j < count && j < size; j++)
            indicator[j] = value[size - 1 - j];
    }
    free(f);
    free(c);
    free(value);
    return status;
}
