/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Influence functions of a deep march: against differences of the march under other weights. */
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "support.h"
#include "theory/deep_march.h"
#include "with_context.h"

enum { SITES = 256, MOST = 16 };

static const double GRAM[] = {1.0, 0.4, 0.5, 0.4, 0.8, -0.1, 0.5, -0.1, 1.0};
static const double TARGETS[] = {1.0, -0.5};
static const double EQUAL[] = {1.0, 1.0, 1.0};
static const double UNEQUAL[] = {0.5, 1.5, 1.0};
static const nnd_activation TANH = {NND_TANH, 1.0, 1.0, 0.0};

static nnd_deep_problem problem(size_t depth, size_t steps) {
    return (nnd_deep_problem){
        .depth = depth,
        .samples = 2,
        .points = 3,
        .steps = steps,
        .gram = GRAM,
        .targets = TARGETS,
        .activation = &TANH,
        .gamma0 = 2.0,
        .lr = 0.2,
        .sigma_w = 1.1,
        .widths = EQUAL,
        .center = true,
        .kernels = true,
    };
}

/* Observables at some step, as they were found last. */
typedef struct {
    size_t step, n;
    const nnd_deep_observable *o;
    double value[MOST];
} watch;

static nnd_status note(void *data, nnd_deep_march *march, size_t step) {
    watch *w = data;
    if (step == w->step)
        nnd_deep_observe(march, w->n, w->o, w->value);
    return NND_OK;
}

/* A direction of weights: mean 0 in every layer. */
static void draw_direction(size_t depth, double *x) {
    nnd_rng_normals((nnd_rng_key){9, 9, 9}, 1, 0, depth * SITES, x);
    for (size_t l = 0; l < depth; l++) {
        double sum = 0.0;
        for (size_t i = 0; i < SITES; i++)
            sum += x[l * SITES + i];
        for (size_t i = 0; i < SITES; i++)
            x[l * SITES + i] -= sum / SITES;
    }
}

static void replay(nnd_deep_march *march, size_t depth, const double *direction, double epsilon,
                   watch *w) {
    double *weight = malloc(depth * SITES * sizeof *weight);
    for (size_t i = 0; i < depth * SITES; i++)
        weight[i] = 1.0 + epsilon * direction[i];
    if (nnd_deep_march_replay(march, weight, note, w) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    free(weight);
}

/* Both sides of d O = sum_l (1/S) sum_i I_l(i) d w_l(i); differences of fourth order. */
static void compare(const nnd_deep_problem *q, double rank_tol, size_t step) {
    const double epsilon = 1e-3, bound = 1e-7;
    const nnd_deep_observable all[] = {
        {NND_DEEP_OUTPUT, 0, 0, 0}, {NND_DEEP_OUTPUT, 0, 2, 2},       {NND_DEEP_NTK, 0, 1, 0},
        {NND_DEEP_NTK, 0, 2, 1},    {NND_DEEP_H, q->depth - 1, 1, 0}, {NND_DEEP_PHI, 0, 1, 1},
        {NND_DEEP_G, 0, 1, 0},      {NND_DEEP_G, q->depth - 1, 2, 2},
    };
    size_t n = sizeof all / sizeof *all, depth = q->depth, diverged;
    watch w = {.step = step, .n = n, .o = all};
    double *influence = malloc(depth * n * SITES * sizeof *influence);
    double *direction = malloc(depth * SITES * sizeof *direction), there[5][MOST], first[MOST];
    nnd_sobol *net;
    nnd_deep_march *march;
    ck_assert_int_eq(nnd_sobol_new(ctx, SITES, &net), NND_OK);
    nnd_deep_sampling s = {.sites = SITES,
                           .rank_tol = rank_tol,
                           .lost = NND_DEEP_LOST,
                           .net = net,
                           .key = {3, 1, SITES}};
    ck_assert_int_eq(nnd_deep_march_new(ctx, q, &s, &march), NND_OK);
    ck_assert_int_eq(nnd_deep_march_run(march, note, &w, &diverged), NND_OK);
    for (size_t i = 0; i < n; i++)
        first[i] = w.value[i];
    ck_assert_int_eq(nnd_deep_influence(march, step, n, all, influence), NND_OK);
    draw_direction(depth, direction);
    for (int k = -2; k <= 2; k++) {
        replay(march, depth, direction, k * epsilon, &w);
        for (size_t i = 0; i < n; i++)
            there[k + 2][i] = w.value[i];
    }
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0, size = 0.0;
        for (size_t l = 0; l < depth; l++)
            for (size_t k = 0; k < SITES; k++) {
                double x = influence[(l * n + i) * SITES + k];
                sum += x * direction[l * SITES + k] / SITES;
                size += x * x / SITES;
            }
        double difference =
            (8.0 * (there[3][i] - there[1][i]) - (there[4][i] - there[0][i])) / (12.0 * epsilon);
        ck_assert_double_eq_tol(there[2][i], first[i], 1e-12);
        ck_assert_msg(fabs(sum - difference) < bound * (1.0 + sqrt(size)),
                      "depth %zu, tol %g, observable %zu: %.12g, by differences %.12g", depth,
                      rank_tol, i, sum, difference);
    }
    nnd_deep_march_free(march);
    nnd_sobol_free(net);
    free(influence);
    free(direction);
}

START_TEST(influence_functions_are_derivatives_by_the_weights) {
    for (size_t depth = 1; depth <= 3; depth++) {
        nnd_deep_problem q = problem(depth, 6);
        compare(&q, 1e-3, 5);
        compare(&q, 1e-6, 5);
        q.center = false;
        q.widths = UNEQUAL;
        compare(&q, 1e-3, 4);
        q.batch = (nnd_batch){1, 3};
        compare(&q, 1e-3, 6);
    }
}
END_TEST

static const double ORTHOGONAL[] = {1.0, 0.0, 0.5, 0.0, 1.0, -0.1, 0.5, -0.1, 1.0};

/* A sample off the others with target 0 never learns at infinite width, but does beside it. */
static nnd_deep_problem idle(size_t depth) {
    static const double targets[] = {0.0, 1.0};
    nnd_deep_problem q = problem(depth, 6);
    q.gram = ORTHOGONAL;
    q.targets = targets;
    q.gamma0 = 1.5;
    q.lr = 0.4;
    q.center = false;
    return q;
}

/* Differences of the march are those of what it was asked for, probes included. */
START_TEST(influence_functions_go_through_what_scouts_asked_for) {
    for (size_t depth = 2; depth <= 3; depth++) {
        nnd_deep_problem q = idle(depth);
        compare(&q, 1e-2, 5);
        compare(&q, 1e-3, 6);
    }
}
END_TEST

/* What a run leaves, and its directions. */
static double lost_of(const nnd_deep_problem *q, size_t rank[2]) {
    watch w = {.step = SIZE_MAX};
    size_t diverged;
    nnd_sobol *net;
    nnd_deep_march *march;
    ck_assert_int_eq(nnd_sobol_new(ctx, SITES, &net), NND_OK);
    nnd_deep_sampling s = {
        .sites = SITES, .rank_tol = 1e-3, .lost = NND_DEEP_LOST, .net = net, .key = {3, 1, SITES}};
    ck_assert_int_eq(nnd_deep_march_new(ctx, q, &s, &march), NND_OK);
    ck_assert_int_eq(nnd_deep_march_run(march, note, &w, &diverged), NND_OK);
    double lost = nnd_deep_march_lost(march);
    nnd_deep_ranks(march, 0, rank);
    nnd_deep_march_free(march);
    nnd_sobol_free(net);
    return lost;
}

/* The idle sample's features move along gradients that are asked for later only, with the test
 * point or without: if scouts do not ask, 0.3 is left. Generic data move along what is known. */
START_TEST(moves_that_nobody_asks_for_are_small) {
    static const nnd_activation linear = {NND_LINEAR, 1.0, 1.0, 0.0};
    nnd_deep_problem q = idle(2), generic = problem(2, 6);
    size_t rank[2];
    q.activation = &linear;
    ck_assert_double_lt(lost_of(&q, rank), NND_DEEP_LOST);
    q.points = 2;
    ck_assert_double_lt(lost_of(&q, rank), NND_DEEP_LOST);
    ck_assert_double_gt(lost_of(&generic, rank), 0.0);
    ck_assert_double_lt(lost_of(&generic, rank), NND_DEEP_LOST);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deep march");
    TCase *tests = tcase_create("influence");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, influence_functions_are_derivatives_by_the_weights);
    tcase_add_test(tests, influence_functions_go_through_what_scouts_asked_for);
    tcase_add_test(tests, moves_that_nobody_asks_for_are_small);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
