/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/feature_pairs.h"

#include <cblas.h>
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/pair_sum.h"

static double square(double complex x) {
    return creal(x) * creal(x) + cimag(x) * cimag(x);
}

/* With D = sum n lambda^2 h h' and d = sum n lambda c h h',
 *     X (1 - D/P) = a + sigma^2/(kappa kappa') + l Y/N,
 *     Y (1 - D/N) = d + kappa kappa' l X/P.
 * lambda h = 1 - kappa h gives D and d; the smaller kappa leaves the larger part. */
nnd_feature_pair nnd_feature_pair_at(const nnd_features *f, const nnd_feature_node *x,
                                     const nnd_feature_node *y, const nnd_feature_sums *sums) {
    const nnd_feature_node *small = square(x->kappa) < square(y->kappa) ? x : y;
    const nnd_feature_node *large = small == x ? y : x;
    double complex a = sums->a, l = sums->l, kk = sums->kk;
    double complex squares = large->df - small->kappa * l;
    double complex signal = large->power - small->kappa * a;
    double complex samples = 1.0 - squares / f->samples, width = 1.0 - squares / f->width;
    double complex direct = kk * a + f->label_noise, through = kk * l * (signal / f->width);
    double complex coupling = kk * l * l / f->samples / f->width;
    return (nnd_feature_pair){
        .both = (direct * width + through) / (samples * width - coupling),
        .projection = kk * a + through / width,
        .data = direct / samples,
        .neither = kk * a,
    };
}

/* What nodes of a contour need; without `gram`, sums over modes are differences of those at one
 * frequency. */
typedef struct {
    const nnd_features *f;
    size_t count;
    const nnd_feature_node *node;
    double *gram[2];          /* 2 count x 2 count: of n c h and n lambda h, see gram_make */
    double complex *error;    /* 2 count: 1/s, by which an error follows from a power */
    double complex *residual; /* 2 count: 1/(kappa R3) */
} pairs;

static void pairs_clear(pairs *x) {
    free(x->gram[0]);
    free(x->error);
}

/* With the real and imaginary parts of h sqrt(weight lambda) at all nodes as rows, their inner
 * products, of which the lower triangle is set: sums over modes at any two nodes and mirror images.
 */
static void gram_make(const pairs *x, const double *weight, double *part, double *gram) {
    const nnd_eigenmodes *p = &x->f->modes;
    size_t modes = p->count, n = x->count;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < modes; i++) {
            double d = p->eigenvalue[i] + creal(x->node[j].kappa), e = cimag(x->node[j].kappa);
            double scale = sqrt(weight[i] * p->eigenvalue[i]) / (d * d + e * e);
            part[j * modes + i] = d * scale;
            part[(n + j) * modes + i] = -e * scale;
        }
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)(2 * n), (int)modes, 1.0, part,
                (int)modes, 0.0, gram, (int)(2 * n));
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

static nnd_status pairs_make(nnd_context *ctx, const nnd_features *f, size_t count,
                             const nnd_feature_node *node, bool apart, pairs *x) {
    *x = (pairs){.f = f, .count = count, .node = node};
    x->error = calloc(4 * count, sizeof *x->error);
    if (x->error == NULL)
        return nnd_fail_memory(ctx, "pairs of frequencies");
    x->residual = x->error + 2 * count;
    for (size_t j = 0; j < count; j++) {
        x->error[j] = 1.0 / node[j].s;
        x->residual[j] = 1.0 / (node[j].kappa * node[j].r3);
        x->error[count + j] = conj(x->error[j]);
        x->residual[count + j] = conj(x->residual[j]);
    }
    if (apart)
        return NND_OK;
    double *part = calloc(2 * count * f->modes.count, sizeof *part);
    x->gram[0] = calloc(8 * count * count, sizeof *x->gram[0]);
    x->gram[1] = x->gram[0] != NULL ? x->gram[0] + 4 * count * count : NULL;
    nnd_status status = part != NULL && x->gram[0] != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "sums over pairs of frequencies");
    if (status == NND_OK) {
        gram_make(x, f->modes.teacher2, part, x->gram[0]);
        gram_make(x, f->modes.multiplicity, part, x->gram[1]);
    }
    free(part);
    return status;
}

static nnd_feature_node mirrored(const nnd_feature_node *x) {
    return (nnd_feature_node){conj(x->s),     conj(x->kappa), conj(x->df),
                              conj(x->power), conj(x->r1),    conj(x->r3)};
}

/* Covariances of errors and, of C1 = X/(R3 R3'), of residuals. */
static void put_kernels(const pairs *x, const nnd_feature_pair *p, size_t j, size_t k,
                        size_t stride, double complex *at) {
    double complex error = x->error[j] * x->error[k];
    at[NND_FEATURES_TEST * stride] = p->both * error;
    at[NND_FEATURES_TRAIN * stride] = p->both * (x->residual[j] * x->residual[k]);
    at[NND_FEATURES_PROJECTION * stride] = p->projection * error;
    at[NND_FEATURES_DATA * stride] = p->data * error;
    at[NND_FEATURES_NEITHER * stride] = p->neither * error;
}

/* At one frequency twice. */
static void square_sums(const nnd_eigenmodes *p, double complex kappa, nnd_feature_sums *sums) {
    sums->a = sums->l = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double complex h = 1.0 / (p->eigenvalue[i] + kappa);
        sums->a += p->teacher2[i] * p->eigenvalue[i] * h * h;
        sums->l += p->multiplicity[i] * p->eigenvalue[i] * h * h;
    }
}

/* h h' = (h - h')/(kappa' - kappa). */
static void difference_sums(const pairs *x, const nnd_feature_node *a, const nnd_feature_node *b,
                            nnd_feature_sums *sums) {
    if (a->kappa == b->kappa) {
        square_sums(&x->f->modes, a->kappa, sums);
        return;
    }
    double complex scale = 1.0 / (b->kappa - a->kappa);
    sums->a = (a->power - b->power) * scale;
    sums->l = (a->df - b->df) * scale;
}

static void fill(size_t first, size_t rows, size_t stride, double complex *kernel, void *data) {
    const pairs *x = data;
    size_t both = 2 * x->count;
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < both; k++) {
            const nnd_feature_node *row = &x->node[first + r];
            nnd_feature_node column = k < x->count ? x->node[k] : mirrored(&x->node[k - x->count]);
            nnd_feature_sums sums = {.kk = row->kappa * column.kappa};
            if (x->gram[0] == NULL)
                difference_sums(x, row, &column, &sums);
            else {
                sums.a = product(x->gram[0], x->count, first + r, k);
                sums.l = product(x->gram[1], x->count, first + r, k);
            }
            nnd_feature_pair p = nnd_feature_pair_at(x->f, row, &column, &sums);
            put_kernels(x, &p, first + r, k, stride, kernel + r * both + k);
        }
}

nnd_status nnd_feature_pair_losses(nnd_context *ctx, const nnd_features *f, size_t count,
                                   const nnd_feature_node *node, bool apart, size_t times,
                                   const double complex *u, nnd_feature_losses *losses) {
    pairs x = {0};
    double *sum = calloc(NND_FEATURES_MOMENTS * times, sizeof *sum);
    nnd_status status =
        sum != NULL ? pairs_make(ctx, f, count, node, apart, &x) : nnd_fail_memory(ctx, "losses");
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
