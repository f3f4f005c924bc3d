/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control variates of the simulators: their means are exactly zero at the simulated size, they are
 * independent of one another, and training knows nothing of them. */
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/simulate.h"
#include "support.h"

enum { MOST_COLUMNS = 12 };

/* A case, the number of its control variates, and a small size to look at. */
static const struct {
    size_t size, columns;
    const char *yaml;
} CASES[] = {
#define DEEP "{model: deep-linear, params: {steps: 0, spectrum: false, ntk: false, "
    {5, 6, DEEP "depth: 1, alpha: 0.8, nu: 0.8, gamma0: 1.5}}"},
    {4, 7, DEEP "depth: 3, alpha: 1.5, nu: 1.5, sigma: [0.5, 0.8, 1.2, 0.7], noise: 0.6}}"},
    {4, 7, DEEP "depth: 2, alpha: 1.5, nu: 0.75, noise: 0.6, center: true}}"},
    {4, 6, DEEP "depth: 1, alpha: 0.5, noise: 2, parameterization: ntk, nu: 2}}"},
    {5, 4, DEEP "depth: 1, training: online, center: true}}"},
    {5, 5, DEEP "depth: 2, training: fresh, noise: 0.5}}"},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    size_t count, columns;
    double *column; /* columns x count */
} ensemble;

/* Control variates of the first networks of a case, at least `count` of them. */
static ensemble draw(int i, size_t count) {
    ensemble e = {.ctx = nnd_context_new(NULL), .columns = CASES[i].columns};
    e.c = test_case(e.ctx, CASES[i].yaml);
    const nnd_simulator *s = nnd_simulator_find(e.c->model);
    size_t width = s->block(e.c->params[0], CASES[i].size), blocks = (count + width - 1) / width;
    e.count = blocks * width;
    e.column = calloc(e.columns * e.count, sizeof(double));
    for (size_t b = 0; b < blocks; b++) {
        nnd_frame *frame = NULL;
        ck_assert_int_eq(
            s->simulate(e.ctx, e.c->params[0], CASES[i].size, 1, b * width, width, &frame), NND_OK);
        const nnd_array *control = nnd_frame_find(frame, "control");
        ck_assert_uint_eq(control->shape[0], width);
        ck_assert_uint_eq(control->shape[1], e.columns);
        for (size_t k = 0; k < control->count; k++)
            e.column[k % e.columns * e.count + b * width + k / e.columns] = control->data[k];
        nnd_frame_free(frame);
    }
    return e;
}

static void clear(ensemble *e) {
    free(e->column);
    nnd_case_free(e->c);
    nnd_context_free(e->ctx);
}

START_TEST(means_are_zero_and_deviations_of_order_one) {
    const double sigmas = 4.5;
    ensemble e = draw(_i, 4096);
    for (size_t k = 0; k < e.columns; k++) {
        nnd_estimate mean = nnd_mean(e.count, e.column + k * e.count, 1);
        double deviation = mean.se * sqrt((double)e.count);
        ck_assert_msg(fabs(mean.value) < sigmas * mean.se, "case %d, control %zu: %g +- %g", _i,
                      k + 1, mean.value, mean.se);
        /* Not 1 where widths are as small as here. */
        ck_assert_msg(deviation > 0.3 && deviation < 5.0, "case %d, control %zu: deviation %g", _i,
                      k + 1, deviation);
    }
    clear(&e);
}
END_TEST

/* With columns of unit length the smallest singular value tells how far each is from a combination
 * of the others and the constant: a share of 1 - s^2 or less of its variance. */
START_TEST(no_column_is_a_combination_of_others) {
    const double smallest = 0.05;
    ensemble e = draw(_i, 200);
    double *x = calloc((e.columns + 1) * e.count, sizeof *x), s[MOST_COLUMNS + 1];
    double superb[MOST_COLUMNS + 1];
    for (size_t k = 0; k <= e.columns; k++) {
        double norm2 = 0.0, *to = x + k * e.count;
        for (size_t i = 0; i < e.count; i++) {
            to[i] = k == e.columns ? 1.0 : e.column[k * e.count + i];
            norm2 += to[i] * to[i];
        }
        for (size_t i = 0; i < e.count; i++)
            to[i] /= sqrt(norm2);
    }
    lapack_int n = (lapack_int)e.count, m = (lapack_int)e.columns + 1;
    ck_assert_int_eq(
        LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', n, m, x, n, s, NULL, 1, NULL, 1, superb), 0);
    ck_assert_msg(s[e.columns] > smallest, "case %d: %g", _i, s[e.columns]);
    free(x);
    clear(&e);
}
END_TEST

/* ---- what is subtracted, against literal values ---- */

/* An observable of a small network as it is recorded at t = 0, perhaps less a multiple of another,
 * and its mean. */
typedef struct {
    int example;
    size_t column; /* from 1 */
    const char *name, *at;
    double factor; /* of test_risk, to be subtracted */
    double mean;
} known;

static const char *const EXAMPLES[] = {
    /* D = 3, N = 2, P = 2, variances of the matrices 1/4, 4 and 9/4 */
    "{model: deep-linear, params: {steps: 0, depth: 2, alpha: 0.66666666666666663, nu: "
    "0.66666666666666663, sigma: [0.5, 2, 1.5], noise: 2, gamma0: 2}, simulate: {size: 3, seeds: "
    "2}}",
};

static const known KNOWN[] = {
    {0, 1, "g_norm2", "layer=2,t=0", 0.0, 2.25},
    {0, 2, "g_norm2", "layer=0,t=0", 0.0, 2.25},
    {0, 3, "overlap", "t=0", 0.0, 0.0},
    {0, 6, "train_mse", "t=0", 1.0, 4.0},
    /* Samples x, z of two independent rows: E (e.x x + e.z z)^2/4 = 2 E (e.x)^2 x^2/4 + 2 e^2/4
     * = (2 * 5 + 2) e^2/4; noise: E (eps x + eps' z)^2/4 = 2 * 4 * 3/4. */
    {0, 7, "h_norm2", "layer=0,t=0", 3.0, 6.0},
};

static double observable(const nnd_frame *frame, const known *k, size_t seed) {
    char at[64];
    snprintf(at, sizeof at, "%s,seed=%zu", k->at, seed);
    double value = test_value(frame, k->name, at);
    snprintf(at, sizeof at, "t=0,seed=%zu", seed);
    return k->factor == 0.0 ? value : value - k->factor * test_value(frame, "test_risk", at);
}

/* A column is a multiple of observable less mean, so that two networks tell the mean. */
START_TEST(means_that_are_subtracted_are_those_computed_by_hand) {
    const known *k = &KNOWN[_i];
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, EXAMPLES[k->example]);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_frame *frame = NULL;
    size_t size = nnd_case_size(c, 0);
    ck_assert_int_eq(
        s->simulate(ctx, c->params[0], size, 1, 0, s->block(c->params[0], size), &frame), NND_OK);
    const nnd_array *control = nnd_frame_find(frame, "control");
    double a = observable(frame, k, 0), b = observable(frame, k, 1);
    double of_a = control->data[k->column - 1];
    double of_b = control->data[control->shape[1] + k->column - 1];
    double mean = (of_b * a - of_a * b) / (of_b - of_a);
    ck_assert(fabs(of_a - of_b) > 1e-3);
    ck_assert_msg(fabs(mean - k->mean) < 1e-10 * (1.0 + fabs(a) + fabs(b)), "%s: %.15g, not %g",
                  k->name, mean, k->mean);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* ---- training ---- */

static const char *const RUNS[] = {
    "{model: deep-linear, params: {depth: 2, steps: 5, momentum: 0.5, two_time: true, noise: 0.2}, "
    "simulate: {size: 12, seeds: 2, control: %s}}",
    "{model: deep-linear, params: {steps: 3, training: fresh, center: true}, simulate: {size: 12, "
    "seeds: 2, control: %s}}",
    "{model: deep-linear, params: {steps: 3, integrator: flow}, simulate: {size: 12, seeds: 2, "
    "control: %s}}",
};
enum { RUN_COUNT = sizeof RUNS / sizeof *RUNS };

static nnd_frame *simulated(nnd_context *ctx, const char *format, const char *option,
                            char digest[17]) {
    char yaml[1024];
    snprintf(yaml, sizeof yaml, format, option);
    nnd_case *c = test_case(ctx, yaml);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    size_t size = nnd_case_size(c, 0);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(
        s->simulate(ctx, c->params[0], size, 1, 0, s->block(c->params[0], size), &frame), NND_OK);
    nnd_ensemble_digest(c, digest);
    nnd_case_free(c);
    return frame;
}

START_TEST(training_is_the_same_to_the_last_bit_without_them) {
    nnd_context *ctx = nnd_context_new(NULL);
    char digest[2][17];
    nnd_frame *with = simulated(ctx, RUNS[_i], "true", digest[0]);
    nnd_frame *without = simulated(ctx, RUNS[_i], "false", digest[1]);
    ck_assert_ptr_nonnull(nnd_frame_find(with, "control"));
    ck_assert_ptr_null(nnd_frame_find(without, "control"));
    ck_assert_ptr_null(nnd_frame_find_dim(without, "control"));
    ck_assert_str_ne(digest[0], digest[1]);
    ck_assert_uint_eq(nnd_frame_array_count(without) + 1, nnd_frame_array_count(with));
    for (size_t i = 0; i < nnd_frame_array_count(without); i++) {
        const nnd_array *b = nnd_frame_array(without, i), *a = nnd_frame_find(with, b->name);
        ck_assert_msg(a->count == b->count &&
                          memcmp(a->data, b->data, a->count * sizeof(double)) == 0,
                      "%s differs", b->name);
    }
    nnd_frame_free(with);
    nnd_frame_free(without);
    nnd_context_free(ctx);
}
END_TEST

/* Depth changes the number of columns along the sweep; the longest is kept and padded with NaN. */
START_TEST(trajectories_keep_them_over_sizes_and_sweeps) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_store *store = nnd_memory_store_new();
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {steps: 1}, sweep: {depth: [1, 2]}, "
                                 "simulate: {size: [64, 65], seeds: [70, 3], storage: "
                                 "trajectories}}");
    nnd_ensemble e;
    nnd_frame *block = NULL;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_OK);
    const nnd_frame *seeds = e.seeds;
    const nnd_array *control = nnd_frame_find(seeds, "control");
    ck_assert_uint_eq(control->ndims, 4);
    ck_assert_uint_eq(control->shape[2], 70);
    ck_assert_uint_eq(control->shape[3], 7);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    ck_assert_int_eq(s->simulate(ctx, c->params[1], 64, 1, 64, 64, &block), NND_OK);
    ck_assert(test_value(seeds, "control", "depth=2,size=64,seed=69,control=7") ==
              test_value(block, "control", "seed=69,control=7"));
    ck_assert(isnan(test_value(seeds, "control", "depth=1,size=64,seed=69,control=7")));
    ck_assert(isnan(test_value(seeds, "control", "depth=2,size=65,seed=3,control=1")));
    nnd_frame_free(block);
    nnd_ensemble_clear(&e);
    nnd_case_free(c);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("control");
    TCase *means = tcase_create("means");
    tcase_add_loop_test(means, means_are_zero_and_deviations_of_order_one, 0, CASE_COUNT);
    tcase_add_loop_test(means, no_column_is_a_combination_of_others, 0, CASE_COUNT);
    tcase_add_loop_test(means, means_that_are_subtracted_are_those_computed_by_hand, 0,
                        sizeof KNOWN / sizeof *KNOWN);
    suite_add_tcase(suite, means);
    TCase *runs = tcase_create("runs");
    tcase_add_loop_test(runs, training_is_the_same_to_the_last_bit_without_them, 0, RUN_COUNT);
    tcase_add_test(runs, trajectories_keep_them_over_sizes_and_sweeps);
    suite_add_tcase(suite, runs);
    return test_main(suite);
}
