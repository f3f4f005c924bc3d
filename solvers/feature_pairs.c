/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/feature_pairs.h"

#include <cblas.h>
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/mode_ratio.h"
#include "solvers/pair_sum.h"

static double square(double complex x) {
    return creal(x) * creal(x) + cimag(x) * cimag(x);
}

/* lambda h = 1 - kappa h gives D and d; the smaller kappa leaves the larger part. */
nnd_feature_pair nnd_feature_pair_at(const nnd_features *f, const nnd_feature_node *x,
                                     const nnd_feature_node *y, const nnd_feature_sums *sums) {
    const nnd_feature_node *small = square(x->kappa) < square(y->kappa) ? x : y;
    const nnd_feature_node *large = small == x ? y : x;
    double complex squares = large->df - small->kappa * sums->l;
    double complex signal = large->power - small->kappa * sums->a;
    return nnd_feature_pair_of(f, nnd_plain_of(sums->kk), nnd_plain_of(sums->a),
                               nnd_plain_of(sums->l), nnd_plain_of(squares), nnd_plain_of(signal));
}

/* What nodes of a contour need. */
typedef struct {
    const nnd_features *f;
    size_t count;
    nnd_feature_node *node; /* 2 count: mirror images are behind */
    double *gram[2];        /* 2 count x 2 count: of n c h and n lambda h, see gram_make */
    nnd_plain *error;       /* 2 count: 1/s, by which an error follows from a power */
    nnd_plain *residual;    /* 2 count: 1/(kappa R3) */
} pairs;

static void pairs_clear(pairs *x) {
    free(x->node);
    free(x->gram[0]);
    free(x->error);
}

/* The real and imaginary parts of h_k = r_k/lambda_k at all nodes as rows, times sqrt(c_k) and
 * times sqrt(n_k lambda_k). */
static void set_parts(const pairs *x, const double *root, double *part) {
    const nnd_eigenmodes *p = &x->f->modes;
    size_t modes = p->count, n = x->count;
    const double *restrict signal = root, *restrict count = root + modes;
    for (size_t j = 0; j < n; j++) {
        const nnd_polar kappa = nnd_polar_of(x->node[j].kappa);
        double *restrict re[2] = {part + j * modes, part + (2 * n + j) * modes};
        double *restrict im[2] = {re[0] + n * modes, re[1] + n * modes};
#pragma omp simd
        for (size_t i = 0; i < modes; i++) {
            nnd_plain r = nnd_mode_ratio(p->eigenvalue[i], kappa);
            re[0][i] = signal[i] * r.re;
            im[0][i] = signal[i] * r.im;
            re[1][i] = count[i] * r.re;
            im[1][i] = count[i] * r.im;
        }
    }
}

/* Their inner products, of which the lower triangle is set: sums over modes at any two nodes and
 * mirror images. */
static nnd_status gram_make(nnd_context *ctx, pairs *x) {
    const nnd_eigenmodes *p = &x->f->modes;
    size_t modes = p->count, rows = 2 * x->count;
    double *root = calloc(2 * modes, sizeof *root), *part = calloc(2 * rows * modes, sizeof *part);
    x->gram[0] = calloc(2 * rows * rows, sizeof *x->gram[0]);
    nnd_status status = NND_OK;
    if (root == NULL || part == NULL || x->gram[0] == NULL)
        status = nnd_fail_memory(ctx, "sums over pairs of frequencies");
    if (status == NND_OK) {
        x->gram[1] = x->gram[0] + rows * rows;
        for (size_t i = 0; i < modes; i++) {
            root[i] = sqrt(p->teacher2[i] / p->eigenvalue[i]);
            root[modes + i] = sqrt(p->multiplicity[i] / p->eigenvalue[i]);
        }
        set_parts(x, root, part);
        for (size_t m = 0; m < 2; m++)
            cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)rows, (int)modes, 1.0,
                        part + m * rows * modes, (int)modes, 0.0, x->gram[m], (int)rows);
    }
    free(root);
    free(part);
    return status;
}

static double inner(const double *gram, size_t n, size_t i, size_t j) {
    return i > j ? gram[i * n + j] : gram[j * n + i];
}

/* sum of weight lambda h h' at node j and node k, or the mirror image of node k - n. */
static double complex product(const double *gram, size_t n, size_t j, size_t k) {
    double sign = k < n ? 1.0 : -1.0;
    k = k < n ? k : k - n;
    double real = inner(gram, 2 * n, j, k) - sign * inner(gram, 2 * n, n + j, n + k);
    double imag = inner(gram, 2 * n, n + j, k) + sign * inner(gram, 2 * n, j, n + k);
    return real + I * imag;
}

static nnd_feature_node mirrored(const nnd_feature_node *x) {
    return (nnd_feature_node){conj(x->s),     conj(x->kappa), conj(x->df),
                              conj(x->power), conj(x->r1),    conj(x->r3)};
}

static nnd_status pairs_make(nnd_context *ctx, const nnd_features *f, size_t count,
                             const nnd_feature_node *node, pairs *x) {
    *x = (pairs){.f = f, .count = count};
    x->node = calloc(2 * count, sizeof *x->node);
    x->error = calloc(4 * count, sizeof *x->error);
    if (x->node == NULL || x->error == NULL)
        return nnd_fail_memory(ctx, "pairs of frequencies");
    x->residual = x->error + 2 * count;
    for (size_t j = 0; j < count; j++) {
        x->node[j] = node[j];
        x->node[count + j] = mirrored(&node[j]);
    }
    for (size_t j = 0; j < 2 * count; j++) {
        x->error[j] = nnd_plain_of(1.0 / x->node[j].s);
        x->residual[j] = nnd_plain_of(1.0 / (x->node[j].kappa * x->node[j].r3));
    }
    return gram_make(ctx, x);
}

static void put(nnd_plain x, nnd_plain factor, double complex *at) {
    *at = nnd_plain_value(nnd_times(x, factor));
}

/* Covariances of errors and, of C1 = X/(R3 R3'), of residuals. */
static void put_kernels(const pairs *x, const nnd_feature_pair *p, size_t j, size_t k,
                        size_t stride, double complex *at) {
    nnd_plain error = nnd_times(x->error[j], x->error[k]);
    put(p->both, error, at + NND_FEATURES_TEST * stride);
    put(p->both, nnd_times(x->residual[j], x->residual[k]), at + NND_FEATURES_TRAIN * stride);
    put(p->projection, error, at + NND_FEATURES_PROJECTION * stride);
    put(p->data, error, at + NND_FEATURES_DATA * stride);
    put(p->neither, error, at + NND_FEATURES_NEITHER * stride);
}

static void fill(size_t first, size_t rows, size_t stride, double complex *kernel, void *data) {
    const pairs *x = data;
    size_t both = 2 * x->count;
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < both; k++) {
            const nnd_feature_node *row = &x->node[first + r], *column = &x->node[k];
            nnd_feature_sums sums = {product(x->gram[0], x->count, first + r, k),
                                     product(x->gram[1], x->count, first + r, k),
                                     row->kappa * column->kappa};
            nnd_feature_pair p = nnd_feature_pair_at(x->f, row, column, &sums);
            put_kernels(x, &p, first + r, k, stride, kernel + r * both + k);
        }
}

nnd_status nnd_feature_pair_losses(nnd_context *ctx, const nnd_features *f, size_t count,
                                   const nnd_feature_node *node, size_t times,
                                   const double complex *u, nnd_feature_losses *losses) {
    pairs x = {0};
    double *sum = calloc(NND_FEATURES_MOMENTS * times, sizeof *sum);
    nnd_status status =
        sum != NULL ? pairs_make(ctx, f, count, node, &x) : nnd_fail_memory(ctx, "losses");
    if (status == NND_OK)
        status = nnd_pair_sum(ctx, count, NND_FEATURES_MOMENTS, fill, &x, times, u, sum);
    for (size_t t = 0; status == NND_OK && t < times; t++) {
        for (size_t m = 0; m < NND_FEATURES_MOMENTS; m++)
            losses[t].value[m] = sum[m * times + t];
        losses[t].value[NND_FEATURES_DATA] -= f->label_noise;
    }
    pairs_clear(&x);
    free(sum);
    return status;
}
