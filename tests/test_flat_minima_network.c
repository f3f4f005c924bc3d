/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real networks of flat minima: against the theory's trajectories, bounds and reference numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "flat_cases.h"
#include "validate/flat_minima_record.h"

#define S3_DATA    "data: {covariance: [[2, .5, 0], [.5, 1, .2], [0, .2, .5]], minimizer: [.6, 0, .8]}"
#define REGRESSION "data: {generate: regression, samples: 50, dim: 5, noise: 1, seed: 1}"

/* Runs the ensemble of a case; `seeds` (may be NULL) receives every network. */
static nnd_frame *simulate(nnd_context *ctx, const char *yaml, nnd_frame **seeds) {
    nnd_case *c = test_case(ctx, yaml);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble e;
    if (nnd_ensemble_run(ctx, c, store, &e) < NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    nnd_memory_store_free(store);
    nnd_case_free(c);
    nnd_frame_free(e.influence);
    if (seeds != NULL)
        *seeds = e.seeds;
    else
        nnd_frame_free(e.seeds);
    return e.mc;
}

/* Both sides of a case, and no variable on which they disagree. */
static void check_agreement(const char *yaml) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *theory = test_theory(ctx, yaml), *mc = simulate(ctx, yaml, NULL);
    nnd_compare_options options = {.rtol = 1e-6, .until = INFINITY, .alpha = 0.005};
    nnd_comparison *comparison = NULL;
    ck_assert_int_eq(nnd_compare(ctx, &nnd_flat_minima_model, &options, theory,
                                 &(nnd_simulated){.mc = mc}, &comparison),
                     NND_OK);
    ck_assert_uint_ge(comparison->count, 6);
    for (size_t i = 0; i < comparison->count; i++) {
        const nnd_comparison_row *row = &comparison->row[i];
        /* Runs that stop before a minimum have no sharpness of it. */
        if (row->points > 0)
            ck_assert_msg(row->verdict == NND_AGREES && row->max_deviation < 1e-6,
                          "%s: max deviation %g", row->name, row->max_deviation);
    }
    ck_assert(fabs(test_value(mc, "layer_rank_ratio", "t=0,layer=2")) < 1e-12);
    nnd_comparison_free(comparison);
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}

START_TEST(aligned_networks_follow_the_map) {
    check_agreement("{model: flat-minima, params: {" S3_DATA ", depth: 3, lr: .05, steps: 300, "
                    "record_every: 30, init: aligned, init_scale: .5, width: 4, "
                    "eigenvalues: 3}, "
                    "simulate: {seeds: 8}}");
    check_agreement("{model: flat-minima, params: {data: {generate: regression, samples: 50, "
                    "test_samples: 20, dim: 5, noise: 1}, depth: 5, lr: .02, steps: 200, "
                    "record_every: 20, init: aligned, init_scale: .6, w0: [1, 2, 0, -1, 1]}, "
                    "simulate: {seeds: 8}}");
}
END_TEST

START_TEST(balanced_networks_follow_the_flow) {
    check_agreement("{model: flat-minima, params: {" S3_DATA ", depth: 3, integrator: flow, "
                    "time: 5, record: [0, .5, 1, 2], init: aligned, w0: [.1, .2, .1], width: 2}, "
                    "simulate: {seeds: 8}}");
}
END_TEST

/* flat-minima.md#s8: matrix descent from the weights sc cos(1 + k + 2i + 3j), 4000 steps. */
START_TEST(descent_of_the_reference_weights) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: flat-minima, params: {" S3_DATA ", depth: 3, lr: .02}}");
    nnd_flat_block block;
    nnd_flat_record record;
    double time = 0.0, w[21];
    nnd_reals times = {1, &time};
    for (int k = 0, at = 0; k < 3; k++)
        for (int i = 0; i < (k < 2 ? 3 : 1); i++)
            for (int j = 0; j < 3; j++)
                w[at++] = .5 * cos(1.0 + k + 2 * i + 3 * j);
    ck_assert_int_eq(nnd_flat_block_make(ctx, c->params[0], &block), NND_OK);
    ck_assert_int_eq(nnd_flat_record_make(ctx, &block, 0, &times, &record), NND_OK);
    nnd_flat_record_restart(&record, (nnd_rng_key){0});
    for (size_t b = 0; b < NND_LANES; b++)
        nnd_lanes_write(&block.lanes, b, w);
    nnd_flat_block_evaluate(&block);
    for (int t = 0; t < 4000; t++)
        nnd_flat_block_descend(&block, .02);
    ck_assert_int_eq(nnd_flat_record_state(&record, 3, 0), NND_OK);
    test_close("S(4000)", test_value(record.frame, "sharpness", "seed=3,t=0"), 8.0480258, 2e-8);
    ck_assert(nnd_flat_block_converged(&block, 3, 0.0, 8.0480258));
    nnd_flat_record_clear(&record);
    nnd_flat_block_clear(&block);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(residual_network_from_the_identity) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *mc = simulate(ctx,
                             "{model: flat-minima, params: {" S3_DATA ", depth: 5, lr: .02, "
                             "steps: 5000, record: [0], architecture: residual, init_scale: 0, "
                             "readout: [1, 2, 2]}, simulate: {seeds: 2}}",
                             NULL);
    test_close("S(5000)", test_value(mc, "final_sharpness", ""), 20.981427, 5e-8);
    test_close("converged", test_value(mc, "converged", ""), 1.0, 0.0);
    test_close("norm of the identity", test_value(mc, "layer_norm", "t=0,layer=1"), sqrt(3.0),
               1e-14);
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}
END_TEST

/* The a posteriori bound of flat-minima.md#s4, from the deviations that are recorded; 2 Lambda of
 * S3 is its S_min at one layer. */
START_TEST(residual_networks_obey_the_bound_of_their_weights) {
    const double twice_lambda = 4.4211603446448633;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *mc = simulate(ctx,
                             "{model: flat-minima, params: {" S3_DATA ", depth: 5, lr: .02, "
                             "steps: 5000, record: [0], architecture: residual, init_scale: 0, "
                             "readout: [1, 2, 2]}, simulate: {seeds: 2}}",
                             NULL);
    double sum = 0.0, deviation[5];
    for (int k = 0; k < 5; k++) {
        char at[32];
        snprintf(at, sizeof at, "t=0,layer=%d", k + 1);
        ck_assert_double_eq(test_value(mc, "layer_deviation", at), 0.0);
        snprintf(at, sizeof at, "t=5000,layer=%d", k + 1);
        deviation[k] = test_value(mc, "layer_deviation", at);
        ck_assert(deviation[k] > 0.0 && deviation[k] < 1.0);
    }
    for (int k = 0; k < 5; k++) {
        double product = 1.0;
        for (int j = 0; j < 5; j++)
            product *= j == k ? 1.0 : pow(1.0 + deviation[j], 2);
        sum += product;
    }
    double bound = twice_lambda * sum, share = test_value(mc, "final_bound_share", "");
    test_close("bound", test_value(mc, "final_bound", ""), bound, 1e-10);
    test_close("share", share, 20.981427 / bound, 5e-8);
    ck_assert(share < 1.0);
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}
END_TEST

/* The mean trace at initialisation, of both architectures, within four standard errors. */
START_TEST(trace_at_initialisation_has_its_mean) {
    static const char *const networks[] = {"architecture: residual, init_scale: .5, depth: 10",
                                           "init_scale: .6, depth: 3, width: 6"};
    for (int k = 0; k < 2; k++) {
        nnd_context *ctx = nnd_context_new(NULL);
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "{model: flat-minima, params: {" S3_DATA ", steps: 1, %s}, "
                 "simulate: {seeds: 600}}",
                 networks[k]);
        nnd_frame *theory = test_theory(ctx, yaml), *mc = simulate(ctx, yaml, NULL);
        double want = test_value(theory, "trace_start", ""),
               got = test_value(mc, "trace_start", "");
        double se = test_value(mc, "trace_start_se", "");
        ck_assert_msg(fabs(got - want) < 4.0 * se && se < 0.05 * want, "want %g, got %g +- %g",
                      want, got, se);
        nnd_frame_free(theory);
        nnd_frame_free(mc);
        nnd_context_free(ctx);
    }
}
END_TEST

/* The trace by gradients of the outputs is that of the whole Hessian, away from a minimum. */
START_TEST(trace_is_the_sum_of_the_diagonal) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: flat-minima, params: {" REGRESSION ", depth: 3}}");
    nnd_flat_block block;
    nnd_flat_record record;
    double time = 0.0, sum = 0.0;
    nnd_reals times = {1, &time};
    ck_assert_int_eq(nnd_flat_block_make(ctx, c->params[0], &block), NND_OK);
    ck_assert_int_eq(nnd_flat_record_make(ctx, &block, 0, &times, &record), NND_OK);
    nnd_flat_record_restart(&record, (nnd_rng_key){0});
    nnd_flat_block_draw(&block, (nnd_rng_key){4, 0, 0});
    nnd_flat_block_evaluate(&block);
    ck_assert_int_eq(nnd_flat_record_state(&record, 2, 0), NND_OK);
    size_t n = record.hessian.count;
    double *unit = calloc(2 * n, sizeof *unit);
    for (size_t i = 0; i < n; i++) {
        unit[i] = 1.0;
        nnd_hessian_times(&record.hessian, unit, unit + n);
        sum += unit[n + i];
        unit[i] = 0.0;
    }
    test_close("trace", test_value(record.frame, "trace", "seed=2,t=0"), sum, 1e-10);
    free(unit);
    nnd_flat_record_clear(&record);
    nnd_flat_block_clear(&block);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* n = 50, d = 5, L = 10, lr = .07: where flow would end above 2/lr, descent ends just below it. */
START_TEST(sharpness_locks_below_the_limit_of_stability) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *yaml = "{model: flat-minima, params: {" REGRESSION ", depth: 10, lr: .07, "
                       "init_scale: .4, steps: 50000, record: [0]}, simulate: {seeds: 16, "
                       "storage: trajectories}}";
    nnd_frame *seeds = NULL, *theory = test_theory(ctx, yaml), *mc = simulate(ctx, yaml, &seeds);
    double least = test_value(theory, "sharpness_min", ""), limit = 2.0 / .07;
    const nnd_array *final = nnd_frame_find(seeds, "minimum_sharpness");
    const nnd_array *converged = nnd_frame_find(seeds, "converged");
    size_t locked = 0;
    for (size_t i = 0; i < final->count; i++) {
        if (converged->data[i] == 0.0)
            continue;
        ck_assert(final->data[i] >= least * (1.0 - 1e-6) && final->data[i] <= limit);
        locked += final->data[i] > 0.99 * limit;
    }
    ck_assert_uint_ge(locked, 14);
    ck_assert(test_value(mc, "final_stability", "") <= 2.0);
    nnd_frame_free(seeds);
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}
END_TEST

/* Beyond 2/S_min no run converges; what diverges is counted and not averaged in. */
START_TEST(no_run_converges_beyond_the_threshold) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *yaml = "{model: flat-minima, params: {" REGRESSION ", depth: 10, steps: 5000, "
                       "record: [0], init_scale: .38}, sweep: {lr: [.095, .2]}, "
                       "simulate: {seeds: 24}}";
    nnd_frame *theory = test_theory(ctx, yaml), *mc = simulate(ctx, yaml, NULL);
    ck_assert(test_value(theory, "lr_max", "lr=0.095") < .095);
    double lost = test_value(mc, "diverged_fraction", "lr=0.2");
    ck_assert_msg(lost > 0.05 && lost < 0.95, "%g diverged", lost);
    for (int k = 0; k < 2; k++) {
        const char *at = k == 0 ? "lr=0.095" : "lr=0.2";
        ck_assert(test_value(mc, "converged", at) == 0.0);
        ck_assert(isnan(test_value(mc, "final_sharpness", at)));
        ck_assert(test_value(mc, "final_distance2", at) > 1e-4);
        ck_assert(isfinite(test_value(mc, "final_distance2", at)));
    }
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}
END_TEST

/* A network that fits the noise grows sharper until descent holds it at 2/lr. */
START_TEST(gelu_networks_sharpen_to_the_limit_of_stability) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *mc = simulate(ctx,
                             "{model: flat-minima, params: {" REGRESSION ", depth: 2, lr: .05, "
                             "activation: gelu, width: 10, steps: 4000, record: [0, 100], "
                             "init_scale: .4}, simulate: {seeds: 8}}",
                             NULL);
    ck_assert(test_value(mc, "loss", "t=4000") < 0.3 * test_value(mc, "loss", "t=0"));
    ck_assert(test_value(mc, "sharpness", "t=100") < 6.0);
    test_close("S = 2/lr", test_value(mc, "sharpness", "t=4000"), 2.0 / .05, 0.05);
    ck_assert(test_value(mc, "converged", "") == 0.0);
    ck_assert_ptr_null(nnd_frame_find(mc, "distance2"));
    ck_assert_ptr_null(nnd_frame_find(mc, "trace"));
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}
END_TEST

/* Tested on what they were trained on, linear networks (which see rotated samples) and others have
 * no gap; the sum of all eigenvalues of the former is their trace. */
/* One unit of relu on positive inputs is silent from the start if its weight is negative, in about
 * half of the networks: neither slope nor curvature, at the mean square target 3. After ten steps
 * no other network has converged. */
START_TEST(a_silent_network_is_no_minimum) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *seeds,
        *mc = simulate(ctx,
                       "{model: flat-minima, params: {data: {inputs: [[1], [2], [3]], "
                       "targets: [1, 2, 2]}, depth: 2, width: 1, lr: .001, steps: 10, "
                       "activation: relu, init_scale: 1}, simulate: {seeds: 16, "
                       "storage: trajectories}}",
                       &seeds);
    const nnd_array *top = nnd_frame_find(seeds, "last_sharpness");
    size_t silent = 0;
    for (size_t i = 0; i < top->count; i++)
        silent += top->data[i] == 0.0;
    ck_assert_uint_gt(silent, 2);
    ck_assert_uint_lt(silent, 14);
    ck_assert_double_eq(test_value(mc, "converged", ""), 0.0);
    ck_assert_double_eq(test_value(mc, "diverged", ""), 0.0);
    nnd_frame_free(seeds);
    nnd_frame_free(mc);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(samples_of_training_leave_no_gap) {
    static const char *const activation[] = {"linear", "gelu", "tanh-gelu"};
    for (int k = 0; k < 3; k++) {
        nnd_context *ctx = nnd_context_new(NULL);
        char yaml[600];
        snprintf(yaml, sizeof yaml,
                 "{model: flat-minima, params: {data: {inputs: [[1, 2], [0, 1], [-1, .5]], "
                 "targets: [1, -1, .3], test_inputs: [[1, 2], [0, 1], [-1, .5]], "
                 "test_targets: [1, -1, .3]}, depth: 3, lr: .01, steps: 40, record: [0], "
                 "activation: %s, eigenvalues: 10}, simulate: {seeds: 8}}",
                 activation[k]);
        nnd_frame *mc = simulate(ctx, yaml, NULL);
        double sum = 0.0;
        const nnd_array *leading = nnd_frame_find(mc, "sharpness_k");
        for (int i = 0; i < 10; i++)
            sum += leading->data[i];
        ck_assert_double_le(fabs(test_value(mc, "gap", "t=40")), 1e-14);
        ck_assert(test_value(mc, "test_loss", "t=40") > 0.1);
        test_close("least", leading->data[9], test_value(mc, "sharpness_least", "t=0"), 1e-12);
        if (k == 0)
            test_close("trace", sum, test_value(mc, "trace", "t=0"), 1e-7);
        test_close("last", test_value(mc, "last_sharpness", ""),
                   test_value(mc, "sharpness", "t=40"), 0.0);
        nnd_frame_free(mc);
        nnd_context_free(ctx);
    }
}
END_TEST

START_TEST(the_same_bits_for_any_number_of_threads) {
    const char *yaml = "{model: flat-minima, params: {data: {generate: regression, samples: 15, "
                       "dim: 20, noise: 1}, depth: 5, steps: 200, record: [0, 50]}, "
                       "sweep: {lr: [.01, .3]}, simulate: {seeds: 20}}";
    nnd_context_options options = {.threads = 1};
    nnd_context *one = nnd_context_new(&options);
    nnd_frame *a = simulate(one, yaml, NULL);
    options.threads = 3;
    nnd_context *three = nnd_context_new(&options);
    nnd_frame *b = simulate(three, yaml, NULL);
    ck_assert(test_frames_identical(a, b));
    nnd_frame_free(a);
    nnd_frame_free(b);
    nnd_context_free(one);
    nnd_context_free(three);
}
END_TEST

static void refused(const char *yaml, const char *words) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, yaml);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble none;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &none), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), words) != NULL, "message: %s",
                  nnd_context_message(ctx));
    nnd_memory_store_free(store);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

START_TEST(what_has_nothing_to_learn_is_refused) {
    refused("{model: flat-minima, params: {data: {inputs: [[1], [1], [-1]], targets: [0, 0, 0]}}, "
            "simulate: {seeds: 2}}",
            "params.data");
    refused("{model: flat-minima, params: {data: {inputs: [[1], [1], [-1]], targets: [1, -1, 0]}}, "
            "simulate: {seeds: 2}}",
            "nothing to learn");
    refused("{model: flat-minima, params: {" S3_DATA ", activation: gelu}, simulate: {seeds: 2}}",
            "data.covariance");
}
END_TEST

/* Depth 1, one input, fewer samples than inputs, a singular covariance: S at the minimum. */
START_TEST(limits_of_data_and_depth) {
    static const char *const cases[] = {
        S3_DATA ", depth: 1, lr: .1",
        "data: {covariance: [[4]], minimizer: [1]}, depth: 3, lr: .005, init_scale: .7",
        "data: {inputs: [[1, 0, 0], [0, 2, 0]], targets: [1, 1]}, depth: 2, lr: .05",
        "data: {covariance: [[1, 0], [0, 0]], minimizer: [1, 3]}, depth: 2, lr: .05",
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        nnd_context *ctx = nnd_context_new(NULL);
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "{model: flat-minima, params: {%s, steps: 5000, record: [0]}, "
                 "simulate: {seeds: 8}}",
                 cases[k]);
        nnd_frame *theory = test_theory(ctx, yaml), *mc = simulate(ctx, yaml, NULL);
        double least = test_value(theory, "sharpness_min", "");
        ck_assert(test_value(mc, "converged", "") == 1.0);
        ck_assert(test_value(mc, "final_sharpness", "") >= least * (1.0 - 1e-6));
        if (k == 0)
            test_close("S at depth 1", test_value(mc, "final_sharpness", ""), least, 1e-9);
        nnd_frame_free(theory);
        nnd_frame_free(mc);
        nnd_context_free(ctx);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flat_minima_network");
    TCase *tests = tcase_create("flat_minima_network");
    tcase_add_test(tests, aligned_networks_follow_the_map);
    tcase_add_test(tests, balanced_networks_follow_the_flow);
    tcase_add_test(tests, descent_of_the_reference_weights);
    tcase_add_test(tests, residual_network_from_the_identity);
    tcase_add_test(tests, residual_networks_obey_the_bound_of_their_weights);
    tcase_add_test(tests, trace_at_initialisation_has_its_mean);
    tcase_add_test(tests, trace_is_the_sum_of_the_diagonal);
    tcase_add_test(tests, sharpness_locks_below_the_limit_of_stability);
    tcase_add_test(tests, no_run_converges_beyond_the_threshold);
    tcase_add_test(tests, gelu_networks_sharpen_to_the_limit_of_stability);
    tcase_add_test(tests, a_silent_network_is_no_minimum);
    tcase_add_test(tests, samples_of_training_leave_no_gap);
    tcase_add_test(tests, the_same_bits_for_any_number_of_threads);
    tcase_add_test(tests, what_has_nothing_to_learn_is_refused);
    tcase_add_test(tests, limits_of_data_and_depth);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
