/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/against_small.h"

#include <check.h>
#include <math.h>
#include <stdio.h>

#include "full/deep_linear_dynamics.h"
#include "support.h"
#include "theory/deep_linear_run.h"

enum { MOST_LAYERS = 5, MOST_CURVES = 4 + 2 * MOST_LAYERS };

/* Largest value and largest difference of each curve. */
typedef struct {
    nnd_dynamics *full;
    double largest[MOST_CURVES], difference[MOST_CURVES], unequal;
} comparison;

static nnd_status compare_step(void *data, nnd_small *n, size_t step) {
    comparison *c = data;
    const nnd_dynamics *d = c->full;
    size_t q = step * d->stages, layers = d->depth + 1;
    double small[MOST_CURVES] = {nnd_small_test_risk(n), nnd_small_train_mse(n),
                                 nnd_small_overlap(n), nnd_small_beta_norm2(n)};
    double full[MOST_CURVES] = {nnd_dynamics_test_risk(d, q), nnd_dynamics_train_mse(d, q),
                                nnd_dynamics_overlap(d, q), nnd_dynamics_beta_gram(d, q, q)};
    for (size_t l = 0; l < layers; l++) {
        small[4 + l] = nnd_small_g_norm2(n, l);
        full[4 + l] = nnd_dynamics_g_gram(d, l, q, q);
        small[4 + layers + l] = nnd_small_h_norm2(n, l);
        full[4 + layers + l] = nnd_dynamics_h_gram(d, l, q, q);
    }
    for (size_t k = 0; k < 4 + 2 * layers; k++) {
        c->largest[k] = fmax(c->largest[k], fabs(full[k]));
        c->difference[k] = fmax(c->difference[k], fabs(full[k] - small[k]));
    }
    const nnd_small_fields *f = &n->fields[0];
    double of_top = nnd_conditioned_dot(n->system, f->g[d->depth], f->h[d->depth]);
    for (size_t l = 0; l < d->depth; l++)
        c->unequal =
            fmax(c->unequal, fabs(nnd_conditioned_dot(n->system, f->g[l], f->h[l]) - of_top));
    return NND_OK;
}

/* The full march adds up hundreds of terms, and takes its predictor, of length |g_0|/gamma before
 * it is centred, from within them: what is left of it has that rounding, and h_l = ... delta with
 * it. */
static double rounding_of(const comparison *c, size_t curve) {
    const double sums = 1e-13;
    double length = c->largest[4] / (c->full->gamma * c->full->gamma);
    double largest = c->largest[curve < 4 ? curve : 0];
    return sums * (largest + sqrt(length) + length) / largest;
}

static void sum_up(const comparison *c, full_difference *found) {
    *found = (full_difference){.unequal = c->unequal};
    for (size_t k = 0; k < 6 + 2 * c->full->depth; k++) {
        double error = c->difference[k] / fmax(c->largest[k], 1e-300);
        found->error = fmax(found->error, error);
        found->certain = fmax(found->certain, error - rounding_of(c, k));
    }
}

bool full_compare(nnd_context *ctx, const char *params, double tolerance, full_difference *found) {
    char yaml[640];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", params);
    nnd_case *c = test_case(ctx, yaml);
    nnd_dynamics d;
    nnd_small n = {0};
    size_t done;
    comparison result = {.full = &d};
    ck_assert_int_eq(nnd_dynamics_make(ctx, c->params[0], &d), NND_OK);
    nnd_status full = nnd_dynamics_run(ctx, &d);
    if (full == NND_OK) {
        ck_assert_int_eq(nnd_small_make(ctx, c->params[0], tolerance, d.stages, &n), NND_OK);
        ck_assert_int_eq(nnd_small_run(ctx, &n, compare_step, &result, &done), NND_OK);
        ck_assert_uint_eq(done * d.stages, d.done + d.stages - 1);
        sum_up(&result, found);
    }
    nnd_small_clear(&n);
    nnd_dynamics_clear(&d);
    nnd_case_free(c);
    return full == NND_OK;
}
