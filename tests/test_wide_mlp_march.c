/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The march of `wide-mlp`: sampling errors and their fall, finite networks, batches, two times,
 * threads, and what it refuses. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/statistics.h"
#include "nndmft/solvers/population.h"
#include "nndmft/solvers/sobol.h"
#include "support.h"
#include "theory/wide_mlp_march.h"

#define PAIR "data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}"

/* ---- errors of sampling ---- */

/* Delta_1, H^1_11, H^2_11 at the last step of one march. */
static void march(nnd_wide_problem *problem, const nnd_wide_sampling *sampling, double out[3]) {
    nnd_wide_curves curves;
    ck_assert_int_eq(nnd_wide_curves_make(problem, &curves), NND_OK);
    if (nnd_wide_march(problem, sampling, &curves, NULL) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(problem->ctx));
    size_t last = problem->marks.count - 1;
    out[0] = nnd_wide_curves_at(&curves, WIDE_DELTA, last)[0];
    out[1] = nnd_wide_curves_at(&curves, WIDE_H_GRAM, last)[0];
    out[2] = nnd_wide_curves_at(&curves, WIDE_H_GRAM, last)[4];
    nnd_wide_curves_clear(&curves);
}

/* Mean and standard deviation over runs of Delta_1, H^1_11, H^2_11 at the last step. */
static void spread(nnd_context *ctx, const char *params, nnd_fresh fresh, size_t runs,
                   nnd_estimate out[3]) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{model: wide-mlp, params: {%s, spectrum: false, " PAIR "}}",
             params);
    nnd_case *c = test_case(ctx, yaml);
    const nnd_wide_mlp *p = c->params[0];
    nnd_wide_problem problem;
    nnd_sobol *net = NULL;
    double *sample = calloc(3 * runs, sizeof *sample);
    ck_assert_int_eq(nnd_wide_problem_make(ctx, p, &problem), NND_OK);
    if (fresh == NND_FRESH_MATCHED)
        ck_assert_int_eq(nnd_sobol_new(ctx, (size_t)p->samples, &net), NND_OK);
    for (size_t r = 0; r < runs; r++) {
        nnd_wide_sampling sampling = {.fresh = fresh,
                                      .sites = (size_t)p->samples,
                                      .rank_tol = fresh == NND_FRESH_PLAIN ? 1e-8 : 1e-3,
                                      .net = net,
                                      .replicate = r};
        march(&problem, &sampling, sample + 3 * r);
    }
    for (size_t k = 0; k < 3; k++)
        out[k] = nnd_mean(runs, sample + k, 3);
    free(sample);
    nnd_sobol_free(net);
    nnd_wide_problem_clear(&problem);
    nnd_case_free(c);
}

/* The last line of the table of wide-mlp.md#s3-1 (0.0007, 0.0013, 0.0030 for tanh), within the
 * uncertainty of a standard deviation of 16 runs, and a fall with the number of sites that is
 * faster than that of independent samples. */
START_TEST(sampling_errors_are_those_of_the_table_and_fall) {
    static const double table[3] = {0.0007, 0.0013, 0.0030};
    enum { RUNS = 16 };
    nnd_context *ctx = nnd_context_new(NULL);
    const char *shared = "depth: 2, gamma0: 2, lr: 0.1, steps: 20, record: [20]";
    char params[256];
    nnd_estimate many[3], few[3];
    snprintf(params, sizeof params, "%s, samples: 4096", shared);
    spread(ctx, params, NND_FRESH_MATCHED, RUNS, many);
    snprintf(params, sizeof params, "%s, samples: 512", shared);
    spread(ctx, params, NND_FRESH_MATCHED, RUNS, few);
    for (int k = 0; k < 3; k++) {
        double sd = many[k].se * sqrt(RUNS), ratio = few[k].se / many[k].se;
        ck_assert_msg(sd < 1.6 * table[k], "s.d. %g, in the table %g", sd, table[k]);
        /* Independent samples: sqrt(8) = 2.8, with a factor 1.4 of uncertainty. */
        ck_assert_msg(ratio > 4.0, "errors fall by %g", ratio);
        ck_assert(fabs(few[k].value - many[k].value) < 5.0 * few[k].se);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- finite networks ---- */

enum { WIDTH = 8, LAYERS = 2, POINTS = 2 };

/* A real network of this width, trained step by step in the plainest way. */
typedef struct {
    double x[POINTS][POINTS]; /* inputs with the Gram matrix of PAIR */
    double w0[WIDTH][POINTS], w1[WIDTH][WIDTH], w[WIDTH];
    double h[LAYERS][POINTS][WIDTH], phi[LAYERS][POINTS][WIDTH];
} network;

static void draw(network *net, uint64_t seed) {
    nnd_rng_key key = {77, seed, WIDTH};
    /* Lower triangular root of the Gram matrix times sqrt(D). */
    net->x[0][0] = sqrt(2.0);
    net->x[1][0] = 0.4 * sqrt(2.0);
    net->x[1][1] = sqrt(2.0 * (0.8 - 0.16));
    net->x[0][1] = 0.0;
    nnd_rng_normals(key, 0, 0, sizeof net->w0 / sizeof(double), &net->w0[0][0]);
    nnd_rng_normals(key, 1, 0, sizeof net->w1 / sizeof(double), &net->w1[0][0]);
    nnd_rng_normals(key, 2, 0, WIDTH, net->w);
}

static void evaluate(network *net, double gamma, double f[POINTS]) {
    for (int p = 0; p < POINTS; p++) {
        f[p] = 0.0;
        for (int i = 0; i < WIDTH; i++) {
            net->h[0][p][i] = 0.0;
            for (int d = 0; d < POINTS; d++)
                net->h[0][p][i] += net->w0[i][d] * net->x[p][d] / sqrt(POINTS);
            net->phi[0][p][i] = tanh(net->h[0][p][i]);
        }
        for (int i = 0; i < WIDTH; i++) {
            net->h[1][p][i] = 0.0;
            for (int j = 0; j < WIDTH; j++)
                net->h[1][p][i] += net->w1[i][j] * net->phi[0][p][j] / sqrt(WIDTH);
            net->phi[1][p][i] = tanh(net->h[1][p][i]);
            f[p] += net->w[i] * net->phi[1][p][i] / (gamma * WIDTH);
        }
    }
}

/* theta += eta0 gamma^2 N sum_p weight_p Delta_p df_p/dtheta. */
static void descend(network *net, double rate, double gamma, const double residual[POINTS]) {
    double g1[POINTS][WIDTH], g0[POINTS][WIDTH];
    for (int p = 0; p < POINTS; p++) {
        for (int i = 0; i < WIDTH; i++)
            g1[p][i] = (1.0 - pow(net->phi[1][p][i], 2)) * net->w[i];
        for (int j = 0; j < WIDTH; j++) {
            double z = 0.0;
            for (int i = 0; i < WIDTH; i++)
                z += net->w1[i][j] * g1[p][i] / sqrt(WIDTH);
            g0[p][j] = (1.0 - pow(net->phi[0][p][j], 2)) * z;
        }
    }
    double raw = rate * gamma; /* rate gamma^2 N/(gamma N) */
    for (int p = 0; p < POINTS; p++)
        for (int i = 0; i < WIDTH; i++) {
            double step = raw * residual[p];
            net->w[i] += step * net->phi[1][p][i];
            for (int j = 0; j < WIDTH; j++)
                net->w1[i][j] += step * g1[p][i] * net->phi[0][p][j] / sqrt(WIDTH);
            for (int d = 0; d < POINTS; d++)
                net->w0[i][d] += step * g0[p][i] * net->x[p][d] / sqrt(POINTS);
        }
}

/* Mean over networks of Delta_1, H^1_11 and H^2_11 after `steps`, with batches of this size. */
static void train(size_t steps, double rate, double gamma, int64_t batch, size_t runs,
                  nnd_estimate out[3]) {
    static const double target[POINTS] = {1.0, -0.5};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_schedule schedule;
    network *net = calloc(1, sizeof *net);
    double *sample = calloc(3 * runs, sizeof *sample);
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){batch, 1}, POINTS, &schedule), NND_OK);
    for (size_t r = 0; r < runs; r++) {
        double f[POINTS], first[POINTS], residual[POINTS], weight[POINTS];
        draw(net, r);
        for (size_t t = 0; t <= steps; t++) {
            evaluate(net, gamma, f);
            if (t == 0)
                memcpy(first, f, sizeof first);
            nnd_schedule_weights(&schedule, t, weight);
            for (int p = 0; p < POINTS; p++)
                residual[p] = weight[p] * (target[p] - f[p] + first[p]);
            if (t < steps)
                descend(net, rate, gamma, residual);
        }
        sample[3 * r] = target[0] - f[0] + first[0];
        for (int l = 0; l < LAYERS; l++)
            for (int i = 0; i < WIDTH; i++)
                sample[3 * r + 1 + (size_t)l] += net->h[l][0][i] * net->h[l][0][i] / WIDTH;
    }
    for (size_t k = 0; k < 3; k++)
        out[k] = nnd_mean(runs, sample + k, 3);
    free(sample);
    free(net);
    nnd_schedule_clear(&schedule);
    nnd_context_free(ctx);
}

/* wide-mlp.md#s3, "why it is right": with plain numbers the march is a network of S sites in
 * distribution, here far from the infinite one, for the full batch and for single samples. */
START_TEST(plain_march_is_a_finite_network_in_distribution) {
    enum { RUNS = 8000, STEPS = 8 };
    static const char *const batch[] = {"0", "1"};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_estimate network_mean[3], march_mean[3], infinite[3];
    char params[256];
    snprintf(params, sizeof params,
             "depth: 2, gamma0: 2, lr: 0.2, steps: %d, record: [%d], batch: %s, samples: %d", STEPS,
             STEPS, batch[_i], 16);
    train(STEPS, 0.2, 2.0, _i, RUNS, network_mean);
    /* Plain numbers need no power of two, cases do: the width is set below the parser. */
    nnd_case *c;
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{model: wide-mlp, params: {%s, spectrum: false, " PAIR "}}",
             params);
    c = test_case(ctx, yaml);
    nnd_wide_problem problem;
    double *sample = calloc(3 * RUNS, sizeof *sample);
    ck_assert_int_eq(nnd_wide_problem_make(ctx, c->params[0], &problem), NND_OK);
    for (size_t r = 0; r < RUNS; r++) {
        nnd_wide_sampling sampling = {
            .fresh = NND_FRESH_PLAIN, .sites = WIDTH, .rank_tol = 1e-9, .replicate = r};
        march(&problem, &sampling, sample + 3 * r);
    }
    for (size_t k = 0; k < 3; k++)
        march_mean[k] = nnd_mean(RUNS, sample + k, 3);
    free(sample);
    nnd_wide_problem_clear(&problem);
    nnd_case_free(c);
    snprintf(params, sizeof params,
             "depth: 2, gamma0: 2, lr: 0.2, steps: %d, record: [%d], batch: %s, samples: 4096",
             STEPS, STEPS, batch[_i]);
    spread(ctx, params, NND_FRESH_MATCHED, 4, infinite);
    double far = 0.0;
    for (int k = 0; k < 3; k++) {
        double se = hypot(network_mean[k].se, march_mean[k].se);
        ck_assert_msg(fabs(network_mean[k].value - march_mean[k].value) < 5.0 * se,
                      "%d: network %g, march %g, s.e. %g", k, network_mean[k].value,
                      march_mean[k].value, se);
        far = fmax(far, fabs(infinite[k].value - march_mean[k].value) / se);
    }
    /* So the test would notice a march that is right at infinite width only. */
    ck_assert_msg(far > 6.0, "finite and infinite width are %g s.e. apart", far);
    nnd_context_free(ctx);
}
END_TEST

/* ---- batches ---- */

/* Single samples in turn, linear network: outputs move along the sample's own row of the kernel. */
START_TEST(a_batch_moves_only_by_its_own_samples) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(
        ctx,
        "{model: wide-mlp, params: {activation: erf, parameterization: ntk, lr: 0.3, steps: 6, "
        "batch: {size: 1, seed: 4}, " PAIR "}}");
    nnd_schedule schedule;
    double weight[2], output[2] = {0.0, 0.0};
    const double target[2] = {1.0, -0.5}, *k = nnd_frame_find(f, "ntk")->data;
    ck_assert_int_eq(nnd_schedule_make(ctx, (nnd_batch){1, 4}, 2, &schedule), NND_OK);
    for (size_t t = 0; t <= 6; t++) {
        for (size_t i = 0; i < 2; i++)
            test_close("output", nnd_frame_find(f, "output")->data[2 * t + i], output[i], 1e-13);
        nnd_schedule_weights(&schedule, t, weight);
        ck_assert(weight[0] + weight[1] == 1.0 && weight[0] * weight[1] == 0.0);
        size_t s = weight[0] > 0.0 ? 0 : 1;
        double residual = target[s] - output[s];
        for (size_t i = 0; i < 2; i++)
            output[i] += 0.3 * k[2 * i + s] * residual;
    }
    nnd_schedule_clear(&schedule);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- two times, threads, test points ---- */

START_TEST(two_time_kernels_meet_those_of_one_time) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(
        ctx, "{model: wide-mlp, params: {depth: 3, gamma0: 3, steps: 8, record_every: 4, "
             "samples: 1024, replicates: 2, spectrum: false, two_time: true, " PAIR "}}");
    static const char *const pairs[][2] = {{"phi_two_time", "phi_gram"}, {"g_two_time", "g_gram"}};
    char at[96];
    for (int k = 0; k < 2; k++)
        for (int l = 1; l <= 3; l++)
            for (int t = 0; t <= 8; t += 4) {
                snprintf(at, sizeof at, "layer=%d,t=%d,s=%d,mu=0,nu=1", l, t, t);
                double two = test_value(f, pairs[k][0], at), one = test_value(f, pairs[k][1], at);
                /* Up to what rank_tol drops. */
                ck_assert_msg(fabs(two - one) < 1e-5, "%s %s: %g and %g", pairs[k][0], at, two,
                              one);
                char back[96];
                snprintf(at, sizeof at, "layer=%d,t=%d,s=%d,mu=0,nu=1", l, t, 4);
                snprintf(back, sizeof back, "layer=%d,t=%d,s=%d,mu=1,nu=0", l, 4, t);
                ck_assert(fabs(test_value(f, pairs[k][0], at) - test_value(f, pairs[k][0], back)) <
                          1e-12);
            }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(threads_do_not_change_a_bit) {
    static const char *const cases[] = {
        "{model: wide-mlp, params: {depth: 2, gamma0: 3, steps: 6, samples: 512, replicates: "
        "5, " PAIR "}}",
        "{model: wide-mlp, params: {gamma0: 3, steps: 6, data: {gram: 1, targets: 1}}}",
    };
    nnd_frame *frame[2];
    nnd_context *ctx[2];
    for (int i = 0; i < 2; i++) {
        ctx[i] = nnd_context_new(&(nnd_context_options){.threads = 1 + 2 * i});
        frame[i] = test_theory(ctx[i], cases[_i]);
    }
    ck_assert(test_frames_identical(frame[0], frame[1]));
    for (int i = 0; i < 2; i++) {
        nnd_frame_free(frame[i]);
        nnd_context_free(ctx[i]);
    }
}
END_TEST

/* Exact mode: test points leave the training alone, to rounding. */
START_TEST(test_points_do_not_move_the_training) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *shared = "{model: wide-mlp, params: {depth: 2, activation: linear, gamma0: 4, "
                         "lr: 0.05, steps: 12, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: "
                         "[1, -0.5]%s}}}";
    char yaml[512];
    snprintf(yaml, sizeof yaml, shared, "");
    nnd_frame *alone = test_theory(ctx, yaml);
    snprintf(yaml, sizeof yaml, shared, ", test_gram: [[0.5, -0.1], [1, 0.4]], test_self: [1, 1]");
    nnd_frame *tested = test_theory(ctx, yaml);
    const nnd_array *a = nnd_frame_find(alone, "ntk"), *b = nnd_frame_find(tested, "ntk");
    for (size_t i = 0; i < a->count; i++)
        ck_assert(fabs(a->data[i] - b->data[i]) < 1e-8);
    /* The second test point is the first training point. */
    for (int t = 0; t <= 12; t++) {
        char at[32], same[32];
        snprintf(at, sizeof at, "t=%d,test=1", t);
        snprintf(same, sizeof same, "t=%d,mu=0", t);
        ck_assert(fabs(test_value(tested, "test_output", at) - test_value(alone, "output", same)) <
                  1e-8);
    }
    nnd_frame_free(alone);
    nnd_frame_free(tested);
    nnd_context_free(ctx);
}
END_TEST

/* ---- what goes wrong ---- */

enum { WARNINGS = 1024 };

static void keep_warning(void *user, nnd_log_level level, const char *line) {
    if (level == NND_LOG_WARNING)
        strncat(user, line, WARNINGS - strlen(user) - 1);
}

START_TEST(a_run_that_diverges_says_when_and_warns) {
    char warning[WARNINGS] = "";
    nnd_context *ctx =
        nnd_context_new(&(nnd_context_options){.log = keep_warning, .user = warning});
    nnd_case *c = test_case(ctx, "{model: wide-mlp, params: {depth: 2, activation: linear, "
                                 "gamma0: 0.01, lr: 3, steps: 60, " PAIR "}}");
    nnd_frame *f = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &f), NND_DIVERGED);
    double step = test_value(f, "diverged_at", "");
    ck_assert(step > 2 && step < 60);
    ck_assert(!isnan(nnd_frame_find(f, "loss")->data[(size_t)step - 1]));
    ck_assert(isnan(nnd_frame_find(f, "loss")->data[(size_t)step]));
    ck_assert_ptr_nonnull(nnd_frame_find_attribute(f, NULL, "warning_stability"));
    ck_assert_ptr_nonnull(strstr(warning, "diverged at step"));
    nnd_frame_free(f);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(replicates_that_disagree_are_reported) {
    char warning[WARNINGS] = "";
    nnd_context *ctx =
        nnd_context_new(&(nnd_context_options){.log = keep_warning, .user = warning});
    nnd_frame *f = test_theory(
        ctx, "{model: wide-mlp, params: {depth: 2, gamma0: 4, lr: 4, steps: 20, samples: 64, "
             "rank_tol: 0.1, replicates: 4, " PAIR "}}");
    ck_assert(nnd_frame_find_attribute(f, NULL, "replicate_spread")->number > 0.05);
    ck_assert_ptr_nonnull(nnd_frame_find_attribute(f, NULL, "warning_spread"));
    ck_assert_ptr_nonnull(strstr(warning, "replicates disagree"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(ranks_that_outgrow_memory_or_samples_are_refused) {
    static const struct {
        const char *params, *message;
        size_t limit;
    } cases[] = {
        {"samples: 8192", "the march, whose rank has grown to", 12000000},
        {"samples: 8192", "theory needs", 1000000},
        {"samples: 16", "16 samples are too few", 0},
    };
    nnd_context *ctx =
        nnd_context_new(&(nnd_context_options){.threads = 1, .memory_limit = cases[_i].limit});
    char yaml[512];
    snprintf(yaml, sizeof yaml,
             "{model: wide-mlp, params: {depth: 2, gamma0: 4, steps: 30, rank_tol: 1e-7, %s, " PAIR
             "}}",
             cases[_i].params);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *f = NULL;
    nnd_status status = _i == 1 ? nnd_theory_run(ctx, c, NULL, &f)
                                : nnd_theory_find(c->model)->solve(ctx, c->params[0], &f);
    ck_assert_int_eq(status, NND_E_LIMIT);
    ck_assert_ptr_null(f);
    ck_assert_msg(strstr(nnd_context_message(ctx), cases[_i].message) != NULL, "%s",
                  nnd_context_message(ctx));
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(what_a_solver_cannot_do_is_refused) {
    static const char *const cases[][2] = {
        {"solver: quadrature, two_time: true, data: {gram: 1, targets: 1}", "two_time"},
        {"solver: quadrature, " PAIR, "quadrature needs depth 1"},
        {"solver: exact, " PAIR, "exact needs activation: linear"},
        {"samples: 1000, " PAIR, "1000 is not a power of two"},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: wide-mlp, params: {%s}}", cases[_i][0]);
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    ck_assert_int_eq(nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "test"}, &c),
                     NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), cases[_i][1]) != NULL, "%s",
                  nnd_context_message(ctx));
    nnd_value_free(tree);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide-mlp march");
    TCase *tests = tcase_create("wide-mlp march");
    tcase_add_test(tests, sampling_errors_are_those_of_the_table_and_fall);
    tcase_add_loop_test(tests, plain_march_is_a_finite_network_in_distribution, 0, 2);
    tcase_add_test(tests, a_batch_moves_only_by_its_own_samples);
    tcase_add_test(tests, two_time_kernels_meet_those_of_one_time);
    tcase_add_loop_test(tests, threads_do_not_change_a_bit, 0, 2);
    tcase_add_test(tests, test_points_do_not_move_the_training);
    tcase_add_test(tests, a_run_that_diverges_says_when_and_warns);
    tcase_add_test(tests, replicates_that_disagree_are_reported);
    tcase_add_loop_test(tests, ranks_that_outgrow_memory_or_samples_are_refused, 0, 3);
    tcase_add_loop_test(tests, what_a_solver_cannot_do_is_refused, 0, 4);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
