/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With n nodes z_j of the upper half circle and n mirror images, of 2n equal angles, the factor
 * (z_j z_k)^t of a pair depends on j + k alone. So kernels are added up along antidiagonals, whose
 * Fourier transform is the losses at all steps:
 *
 *     sum_jk (z_j z_k)^t K_jk = 2 Re r^2t e^(i pi t/n) sum_m e^(i pi m t/n) A_m,
 *
 * A_m the sum over j + k = m (mod 2n) with j in the upper half, k anywhere. K is symmetric, and
 * real for mirror images, so that j < k < n and their mirror images count twice. */
#include "solvers/feature_circle.h"

#include <complex.h>
#include <stdlib.h>

#include "nndmft/solvers/power_series.h"
#include "solvers/cmplx.h"
#include "solvers/feature_pairs.h"
#include "solvers/mode_ratio.h"

/* Columns that stay in the first cache with all that is added up from them. */
enum { TILE = 128 };

/* What depends on one node, its weight in the last two. */
typedef struct {
    nnd_plain kappa, df, power, kappa_df, kappa_power, error, residual;
} part;
enum { PARTS = sizeof(part) / sizeof(double) };

typedef struct {
    const nnd_features *f;
    size_t count;
    double *part;  /* PARTS x count: each number for all nodes */
    double *same;  /* 2 NND_FEATURES_MOMENTS x 2 count: real and imaginary parts, by j + k */
    double *apart; /* the same of j and the mirror image of k, by k - j */
} circle;

static void circle_clear(circle *x) {
    free(x->part);
}

static inline part part_at(const double *at, size_t count, size_t k) {
    return (part){{at[k], at[count + k]},
                  {at[2 * count + k], at[3 * count + k]},
                  {at[4 * count + k], at[5 * count + k]},
                  {at[6 * count + k], at[7 * count + k]},
                  {at[8 * count + k], at[9 * count + k]},
                  {at[10 * count + k], at[11 * count + k]},
                  {at[12 * count + k], at[13 * count + k]}};
}

static void set_part(circle *x, const nnd_feature_contour *c, const nnd_feature_node *a, size_t j) {
    const double complex value[] = {a->kappa,
                                    a->df,
                                    a->power,
                                    a->kappa * a->df,
                                    a->kappa * a->power,
                                    c->s_weight[j] / a->s,
                                    c->s_weight[j] / (a->kappa * a->r3)};
    for (size_t m = 0; m < PARTS / 2; m++) {
        x->part[2 * m * x->count + j] = creal(value[m]);
        x->part[(2 * m + 1) * x->count + j] = cimag(value[m]);
    }
}

static nnd_status circle_make(nnd_context *ctx, const nnd_features *f, const nnd_feature_contour *c,
                              const nnd_feature_node *node, circle *x) {
    size_t n = c->count;
    *x = (circle){.f = f, .count = n};
    x->part = calloc(n * (PARTS + 8 * NND_FEATURES_MOMENTS), sizeof *x->part);
    if (x->part == NULL)
        return nnd_fail_memory(ctx, "sums over a circle");
    x->same = x->part + PARTS * n;
    x->apart = x->same + 4 * NND_FEATURES_MOMENTS * n;
    for (size_t j = 0; j < n; j++)
        set_part(x, c, &node[j], j);
    return NND_OK;
}

/* Sums over modes at two frequencies are differences of those at one:
 * h h' = (h - h')/(kappa' - kappa), lambda h h' = (kappa h - kappa' h')/(kappa - kappa'). */
static inline nnd_feature_pair pair_apart(const nnd_features *f, part a, part b) {
    nnd_plain scale = nnd_inverse(nnd_minus(b.kappa, a.kappa));
    return nnd_feature_pair_of(f, nnd_times(a.kappa, b.kappa),
                               nnd_times(nnd_minus(a.power, b.power), scale),
                               nnd_times(nnd_minus(a.df, b.df), scale),
                               nnd_times(nnd_minus(b.kappa_df, a.kappa_df), scale),
                               nnd_times(nnd_minus(b.kappa_power, a.kappa_power), scale));
}

static inline void add(double *sum, size_t stride, int which, nnd_plain value) {
    sum[2 * (size_t)which * stride] += value.re;
    sum[(2 * (size_t)which + 1) * stride] += value.im;
}

/* Covariances of errors and, of C1 = X/(R3 R3'), of residuals, with the weights of the nodes. */
static inline void add_pair(double *sum, size_t stride, nnd_feature_pair p, nnd_plain error,
                            nnd_plain residual) {
    add(sum, stride, NND_FEATURES_TEST, nnd_times(p.both, error));
    add(sum, stride, NND_FEATURES_TRAIN, nnd_times(p.both, residual));
    add(sum, stride, NND_FEATURES_PROJECTION, nnd_times(p.projection, error));
    add(sum, stride, NND_FEATURES_DATA, nnd_times(p.data, error));
    add(sum, stride, NND_FEATURES_NEITHER, nnd_times(p.neither, error));
}

/* With sign -1 the mirror image. */
static part reflected(part x, double sign) {
    x.kappa.im *= sign;
    x.df.im *= sign;
    x.power.im *= sign;
    x.kappa_df.im *= sign;
    x.kappa_power.im *= sign;
    x.error.im *= sign;
    x.residual.im *= sign;
    return x;
}

/* Pairs of a node, or with sign -1 of its mirror image, and nodes first..last-1; `sum` is for the
 * first of them. */
static void add_columns(const circle *x, part row, double sign, size_t first, size_t last,
                        double *sum) {
    const nnd_features f = *x->f;
    const double *at = x->part;
    const size_t count = x->count, stride = 2 * count;
    row = reflected(row, sign);
#pragma omp simd
    for (size_t k = first; k < last; k++) {
        part column = part_at(at, count, k);
        add_pair(sum + (k - first), stride, pair_apart(&f, row, column),
                 nnd_times(row.error, column.error), nnd_times(row.residual, column.residual));
    }
}

/* A node with itself: sums over modes of lambda h^2. */
static void add_square(circle *x, size_t j, const nnd_feature_node *node) {
    const nnd_eigenmodes *p = &x->f->modes;
    const nnd_polar kappa = nnd_polar_of(node->kappa);
    double a_re = 0.0, a_im = 0.0, l_re = 0.0, l_im = 0.0;
#pragma omp simd reduction(+ : a_re, a_im, l_re, l_im)
    for (size_t i = 0; i < p->count; i++) {
        double units = nnd_mode_units(p->eigenvalue[i], kappa);
        nnd_plain h = nnd_mode_inverse(units, kappa), square = nnd_scaled(units, nnd_times(h, h));
        a_re += p->teacher2[i] * square.re;
        a_im += p->teacher2[i] * square.im;
        l_re += p->multiplicity[i] * square.re;
        l_im += p->multiplicity[i] * square.im;
    }
    double scale = kappa.scale;
    nnd_feature_sums sums = {CMPLX(scale * a_re, scale * a_im), CMPLX(scale * l_re, scale * l_im),
                             node->kappa * node->kappa};
    nnd_feature_pair pair = nnd_feature_pair_at(x->f, node, node, &sums);
    part row = part_at(x->part, x->count, j);
    add_pair(x->same + 2 * j, 2 * x->count, pair, nnd_times(row.error, row.error),
             nnd_times(row.residual, row.residual));
}

/* All pairs, tile by tile of columns. */
static nnd_status add_up(nnd_context *ctx, circle *x, const nnd_feature_node *node) {
    for (size_t j = 0; j < x->count; j++) {
        add_square(x, j, &node[j]);
        add_columns(x, part_at(x->part, x->count, j), -1.0, j, j + 1, x->apart);
    }
    for (size_t tile = 0; tile < x->count; tile += TILE) {
        size_t last = tile + TILE < x->count ? tile + TILE : x->count;
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted");
        for (size_t j = 0; j + 1 < last; j++) {
            size_t first = tile > j ? tile : j + 1;
            part row = part_at(x->part, x->count, j);
            row.error = nnd_scaled(2.0, row.error);
            row.residual = nnd_scaled(2.0, row.residual);
            add_columns(x, row, 1.0, first, last, x->same + first + j);
            add_columns(x, row, -1.0, first, last, x->apart + first - j);
        }
    }
    return NND_OK;
}

/* A_m of loss number `which`. */
static void antidiagonals(const circle *x, size_t which, double complex *sum) {
    size_t n = 2 * x->count;
    const double *same[] = {x->same + 2 * which * n, x->same + (2 * which + 1) * n};
    const double *apart[] = {x->apart + 2 * which * n, x->apart + (2 * which + 1) * n};
    for (size_t m = 0; m < n; m++)
        sum[m] = 2.0 * CMPLX(same[0][m], same[1][m]);
    for (size_t d = 0; d < x->count; d++)
        sum[n - 1 - d] += 2.0 * CMPLX(apart[0][d], -apart[1][d]);
}

static nnd_status transform(nnd_context *ctx, const circle *x, double complex first, size_t times,
                            const double *time, nnd_feature_losses *losses) {
    size_t n = 2 * x->count, terms = (size_t)time[times - 1] + 1;
    nnd_power_series *series = NULL;
    double complex *sum = calloc(n, sizeof *sum);
    double *loss = calloc(terms, sizeof *loss);
    nnd_status status = sum != NULL && loss != NULL ? nnd_power_series_new(ctx, n, &series)
                                                    : nnd_fail_memory(ctx, "losses");
    for (size_t m = 0; status == NND_OK && m < NND_FEATURES_MOMENTS; m++) {
        antidiagonals(x, m, sum);
        nnd_power_series_sum(series, 2.0 * first, sum, terms, loss);
        for (size_t t = 0; t < times; t++)
            losses[t].value[m] = loss[(size_t)time[t]];
    }
    for (size_t t = 0; status == NND_OK && t < times; t++)
        losses[t].value[NND_FEATURES_DATA] -= x->f->label_noise;
    nnd_power_series_free(series);
    free(sum);
    free(loss);
    return status;
}

nnd_status nnd_feature_circle_losses(nnd_context *ctx, const nnd_features *f,
                                     const nnd_feature_contour *c, const nnd_feature_node *node,
                                     size_t times, const double *time, nnd_feature_losses *losses) {
    circle x;
    nnd_status status = circle_make(ctx, f, c, node, &x);
    if (status == NND_OK)
        status = add_up(ctx, &x, node);
    if (status == NND_OK)
        status = transform(ctx, &x, c->x[0], times, time, losses);
    circle_clear(&x);
    return status;
}
