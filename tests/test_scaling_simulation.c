/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Simulation of random-feature students from the case to the ensemble: what parameters stand for,
 * what is refused, times, divergence, threads, interrupts. */
#include <math.h>
#include <string.h>

#include "core/feature_spectrum.h"
#include "nndmft/scaling_laws.h"
#include "students.h"
#include "support.h"
#include "validate/simulators.h"

#define FEATURES "features: {eigenvalues: [2, 1, 0.6, 0.3, 0.2, 0.1]}, "
#define TARGET   "target: {weights2: [1, 0.5, 2, 1, 3, 0.2]}, noise2: 0.1, "

/* ---- times and divergence ---- */

START_TEST(times_are_log_spaced_steps_or_listed) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulate_students(
        ctx, "{model: scaling-laws, params: {" FEATURES "training: gd, steps: 100000}}", 0, 1);
    const nnd_dim *t = nnd_frame_find_dim(frame, "t");
    ck_assert_double_eq(t->value[0], 1.0);
    ck_assert_double_eq(t->value[t->length - 1], 1e5);
    ck_assert(t->length > 150 && t->length <= 200);
    for (size_t i = 1; i < t->length; i++)
        ck_assert(t->value[i] == floor(t->value[i]) && t->value[i] > t->value[i - 1]);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(runs_that_diverge_keep_what_came_before) {
    static const char *const training[] = {"samples: 5, training: gd",
                                           "samples: 5, training: mini-batch, batch: 5",
                                           "training: one-pass, batch: 5"};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < 3; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "{model: scaling-laws, params: {" FEATURES TARGET
                 "width: 4, lr: 20, steps: 900, record: [0, 1, 2, 100, 200], %s}}",
                 training[i]);
        nnd_frame *frame = simulate_students(ctx, yaml, 0, 2);
        ck_assert_double_eq(test_value(frame, "diverged_at", "seed=0"), 100.0);
        ck_assert(isfinite(test_value(frame, "test_mse", "seed=0,t=2")));
        ck_assert(isnan(test_value(frame, "test_mse", "seed=0,t=100")));
        ck_assert(isnan(test_value(frame, "independent", "seed=1,t=900")));
        nnd_frame_free(frame);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(students_that_start_at_the_target_stay_there) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame =
        simulate_students(ctx,
                          "{model: scaling-laws, params: {features: {eigenvalues: [2, 1]},"
                          " target: {weights2: [0, 0]}, noise2: 1, width: 2, time: 9, "
                          "record: [9]}}",
                          0, 1);
    ck_assert_double_eq(test_value(frame, "test_risk", "seed=0,t=9"), 0.0);
    ck_assert_double_eq(test_value(frame, "test_mse", "seed=0,t=9"), 1.0);
    ck_assert(isnan(test_value(frame, "diverged_at", "seed=0")));
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(the_top_eigenvalue_bounds_the_stable_rate) {
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[512];
    double top = 0.0;
    for (int i = 0; i < 3; i++) {
        /* The rate is that of the bare features, then just above and below the limit of seed 0. */
        double lr = i == 0 ? 0.1 : (i == 1 ? 2.02 : 1.98) / top;
        snprintf(yaml, sizeof yaml,
                 "{model: scaling-laws, params: {" FEATURES TARGET
                 "width: inf, samples: inf, training: gd, lr: %.17g, steps: 1000000}}",
                 lr);
        nnd_frame *frame = simulate_students(ctx, yaml, 0, 1);
        top = test_value(frame, "top_eigenvalue", "seed=0");
        test_close("top", top, 2.0, 1e-15);
        test_close("stability", test_value(frame, "stability", "seed=0"), lr * 2.0, 1e-15);
        ck_assert_int_eq(!isnan(test_value(frame, "diverged_at", "seed=0")), i == 1);
        nnd_frame_free(frame);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- modes ---- */

/* Mean (2, 0); covariance diag(0.5, 2); y = 1 + x_1 + x_2/2 +- 0.1, across both. */
#define DATA "data: {inputs: [[3, 0], [1, 0], [2, 2], [2, -2]], targets: [4.1, 2.1, 3.9, 1.9]}"

START_TEST(measured_features_are_those_worked_out_by_hand) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: scaling-laws, params: {noise2: 0.5, " DATA "}}");
    nnd_scaling_modes modes;
    ck_assert_int_eq(nnd_scaling_laws_modes(ctx, c->params[0], &modes), NND_OK);
    ck_assert_uint_eq(modes.count, 2);
    test_close("eigenvalue", modes.eigenvalue[0], 2.0, 1e-15);
    test_close("eigenvalue", modes.eigenvalue[1], 0.5, 1e-15);
    test_close("power", modes.power[0], 2.0 * 0.25, 1e-14);
    test_close("power", modes.power[1], 0.5 * 1.0, 1e-14);
    test_close("noise", modes.noise2, 0.51, 1e-14);
    ck_assert_double_eq(modes.multiplicity[1], 1.0);
    nnd_scaling_modes_clear(&modes);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* More rows than are taken at once: x_0 = +-2, x_1 = +-1 in all combinations, y = x_0 + 3 x_1. */
START_TEST(many_rows_are_measured_like_few) {
    enum { ROWS = 132 };
    double inputs[2 * ROWS], targets[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        inputs[2 * i] = i % 2 == 0 ? 7.0 : 3.0;
        inputs[2 * i + 1] = i / 2 % 2 == 0 ? 1.0 : -1.0;
        targets[i] = inputs[2 * i] + 3.0 * inputs[2 * i + 1];
    }
    const nnd_data data = {.inputs = {.rows = ROWS, .cols = 2, .value = inputs},
                           .targets = {.rows = ROWS, .cols = 1, .value = targets}};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_feature_spectrum s;
    ck_assert_int_eq(nnd_feature_spectrum_make(ctx, &data, &s), NND_OK);
    test_close("eigenvalue", s.eigenvalue[0], 4.0, 1e-14);
    test_close("eigenvalue", s.eigenvalue[1], 1.0, 1e-14);
    test_close("mean", s.mean[0], 5.0, 1e-14);
    test_close("target", s.target_mean, 5.0, 1e-14);
    test_close("weight", s.weight[0] * s.vector[0], 1.0, 1e-13);
    test_close("weight", s.weight[1] * s.vector[3], 3.0, 1e-13);
    ck_assert_double_lt(s.residual2, 1e-25);
    const uint64_t row = 131;
    double z[2], y, scratch[2];
    nnd_feature_coordinates(&s, &data, 1, &row, scratch, z, &y);
    test_close("coordinate", z[0] * s.vector[0], -2.0, 1e-13);
    test_close("target", y, -5.0, 1e-13);
    nnd_feature_spectrum_clear(&s);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(features_that_do_not_vary_are_left_out) {
    nnd_context *ctx = nnd_context_new(NULL);
    /* The second is constant, the third twice the first: one mode, lambda = 5/4, w = 2/sqrt 5. */
    nnd_case *c = test_case(ctx, "{model: scaling-laws, params: {data: {inputs: [[1, 7, 2], "
                                 "[2, 7, 4], [1, 7, 2], [2, 7, 4]], targets: [1, 3, 1, 3]}}}");
    nnd_scaling_modes modes;
    ck_assert_int_eq(nnd_scaling_laws_modes(ctx, c->params[0], &modes), NND_OK);
    ck_assert_uint_eq(modes.count, 1);
    test_close("eigenvalue", modes.eigenvalue[0], 1.25, 1e-14);
    test_close("power", modes.power[0], 1.0, 1e-14);
    ck_assert_double_lt(modes.noise2, 1e-28);
    nnd_scaling_modes_clear(&modes);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(power_laws_and_lists_are_written_out) {
    static const struct {
        const char *yaml;
        double eigenvalue[3], power[3], multiplicity[3];
    } of[] = {
        {"{model: scaling-laws, params: {features: {power_law: 2, count: 3}, target: 1}}",
         {1.0, 0.25, 1.0 / 9.0},
         {1.0, 0.5, 1.0 / 3.0},
         {1, 1, 1}},
        {"{model: scaling-laws, params: {features: {eigenvalues: [4, 2, 1], multiplicity: [1, 5, "
         "2]}"
         ", target: {weights2: [1, 3, 0]}}}",
         {4, 2, 1},
         {4, 6, 0},
         {1, 5, 2}},
        {"{model: scaling-laws, params: {features: {eigenvalues: [4, 2, 1]}, target: 1}}",
         {4, 2, 1},
         {1.0, 0.5, 1.0 / 3.0},
         {1, 1, 1}},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < 3; i++) {
        nnd_case *c = test_case(ctx, of[i].yaml);
        nnd_scaling_modes modes;
        ck_assert_int_eq(nnd_scaling_laws_modes(ctx, c->params[0], &modes), NND_OK);
        ck_assert_uint_eq(modes.count, 3);
        for (size_t k = 0; k < 3; k++) {
            test_close("eigenvalue", modes.eigenvalue[k], of[i].eigenvalue[k], 1e-15);
            test_close("power", modes.power[k], of[i].power[k], 1e-15);
            test_close("multiplicity", modes.multiplicity[k], of[i].multiplicity[k], 1e-15);
        }
        test_close("dim", nnd_scaling_laws_dim(c->params[0]), i == 1 ? 8.0 : 3.0, 1e-15);
        nnd_scaling_modes_clear(&modes);
        nnd_case_free(c);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- refused ---- */

static void ck_refused(nnd_context *ctx, const char *yaml, const char *key, const char *words) {
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    nnd_status status = nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "test"}, &c);
    if (status == NND_OK)
        status = c->simulates ? nnd_ensemble_check(ctx, c)
                              : nnd_scaling_laws_modes(ctx, c->params[0], &(nnd_scaling_modes){0});
    ck_assert_msg(status == NND_E_INPUT && strstr(nnd_context_message(ctx), key) != NULL &&
                      strstr(nnd_context_message(ctx), words) != NULL,
                  "%s: %s", yaml, nnd_context_message(ctx));
    nnd_value_free(tree);
    nnd_case_free(c);
}

static const struct {
    const char *params, *simulate, *key, *words;
} REFUSED[] = {
    {"features: {power_law: 1, eigenvalues: [1]}", NULL, "features", "one of them"},
    {"features: {eigenvalues: []}", NULL, "features.eigenvalues", "a list of 0"},
    {"features: {eigenvalues: [1, 2], count: 4}", NULL, "features.count", "power law"},
    {"features: {eigenvalues: [1, 2], multiplicity: [4]}", NULL, "features.multiplicity", "2"},
    {"features: {eigenvalues: [1], multiplicity: [1.5]}, target: {weights2: 1}", NULL,
     "features.multiplicity", "not an integer"},
    {"features: {eigenvalues: [1, 2], multiplicity: [4, 1]}", NULL, "target", "weights2"},
    {"features: {eigenvalues: [1, 0]}", NULL, "features.eigenvalues", ">= 1e-100"},
    {"target: {power_law: 1, weights2: [1]}", NULL, "target", "one of them"},
    {"target: {weights2: [1]}", NULL, "target.weights2", "1000"},
    {"features: {eigenvalues: [1, 2]}, target: {weights2: [0, 0]}", NULL, "target.weights2",
     "nothing to learn"},
    {"width: 2.5", NULL, "width", "not an integer"},
    {"samples: 2.5", NULL, "samples", "not an integer"},
    {"training: one-pass, samples: 50", NULL, "samples", "fresh"},
    {"training: mini-batch", NULL, "samples", "inf"},
    {"training: mini-batch, samples: 8", NULL, "batch", "8"},
    {"lr: 0.1", NULL, "lr", "gd, one-pass"},
    {"steps: 10", NULL, "steps", "gd, one-pass"},
    {"training: gd, time: 10", NULL, "time", "flow"},
    {"training: one-pass, momentum: 0.5", NULL, "momentum", "gd"},
    {"training: gd, batch: 10", NULL, "batch", "one-pass"},
    {"ridge: 0.1", NULL, "ridge", "ridge"},
    {"training: ridge, record: [1]", NULL, "record", "no times"},
    {"training: gd, record: [1.5]", NULL, "record", "whole"},
    {"time: 10, record: [11]", NULL, "record", "11"},
    {"frontier: {from: 10}", NULL, "frontier.to", "missing"},
    {"frontier: {from: 10, to: 5}", NULL, "frontier.to", "not above"},
    {"frontier: {compute: [5]}", NULL, "frontier.compute", "from"},
    {"training: ridge, frontier: {from: 5, to: 10}", NULL, "frontier", "no times"},
    {"data: {generate: gaussian}", NULL, "data", "inputs"},
    {"data: {standardize: true}", NULL, "data", "holds no data"},
    {"data: {inputs: [[1], [2]]}", NULL, "data.targets", "missing"},
    {"features: {power_law: 200, count: 100}", NULL, "features.power_law", "too small"},
    {"target: -200", NULL, "target.power_law", "no double"},
    {"features: 90, target: -50", NULL, "target.power_law", "no double"},
    {"width: 40000, samples: 50000", "{seeds: 2}", "width", "eigenproblem"},
    {"data: {inputs: [[1, 2]], targets: [1]}", NULL, "data.inputs", "one row"},
    {"data: {inputs: [[1], [2]], targets: [1, 2], test_inputs: [[1]]}", NULL, "data.test_inputs",
     "all rows"},
    {"samples: 3, data: {inputs: [[1], [2]], targets: [1, 2]}", NULL, "samples", "2 rows"},
    {"features: 2, data: {inputs: [[1], [2]], targets: [1, 2]}", NULL, "features", "measured"},
    {"target: 2, data: {inputs: [[1], [2]], targets: [1, 2]}", NULL, "target", "measured"},
    {"data: {inputs: [[1], [1]], targets: [1, 2]}", NULL, "data.inputs", "equal"},
    {"data: {inputs: [[1], [2]], targets: [1, 1]}", NULL, "data.targets", "equal"},
    {"features: {power_law: 1.5, count: 1000000000000}", NULL, "features.count", "too many"},
    {"features: {power_law: 1.5, count: 1000000000000}", "{seeds: 2}", "features.count",
     "too many"},
    {"width: 10000", "{size: 5000, seeds: 2}", "width", "size"},
    {"training: one-pass", "{size: [1, 2], seeds: 2}", "batch_terms", "limit"},
    {"data: {inputs: [[1], [2]], targets: [1, 2]}", "{size: 2, seeds: 2}", "size", "data"},
    {"training: one-pass, steps: 1000000000", "{seeds: 2}", "steps", "one by one"},
};

START_TEST(what_makes_no_sense_is_refused_with_its_key) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        char yaml[512];
        bool simulates = REFUSED[i].simulate != NULL;
        snprintf(yaml, sizeof yaml, "{model: scaling-laws, params: {%s}%s%s}", REFUSED[i].params,
                 simulates ? ", simulate: " : "", simulates ? REFUSED[i].simulate : "");
        ck_refused(ctx, yaml, REFUSED[i].key, REFUSED[i].words);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- ensembles ---- */

static nnd_ensemble run(int threads, const char *yaml) {
    const nnd_context_options options = {.threads = threads};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_store *store = nnd_memory_store_new();
    nnd_case *c = test_case(ctx, yaml);
    nnd_ensemble e;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_OK);
    nnd_case_free(c);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
    return e;
}

START_TEST(any_number_of_threads_trains_the_same_students) {
    static const char *const yaml[] = {
        "{model: scaling-laws, params: {features: {power_law: 1.2, count: 60}, width: 12, samples: "
        "20, time: 100, record: [1, 10]}, simulate: {size: [1, 2], seeds: 70}}",
        "{model: scaling-laws, params: {features: {power_law: 1.2, count: 60}, width: 12, "
        "training: "
        "one-pass, lr: 0.2, batch: 2, steps: 20, record: [1]}, simulate: {seeds: 70}}"};
    for (size_t i = 0; i < 2; i++) {
        nnd_ensemble one = run(1, yaml[i]), many = run(3, yaml[i]);
        ck_assert(test_frames_identical(one.mc, many.mc));
        ck_assert(test_frames_identical(one.influence, many.influence));
        ck_assert_int_eq(nnd_frame_find_dim(one.mc, "size") != NULL, i == 0);
        nnd_ensemble_clear(&one);
        nnd_ensemble_clear(&many);
    }
}
END_TEST

START_TEST(an_interrupt_ends_training) {
    static const char *const yaml[] = {
        "{model: scaling-laws, params: {features: {power_law: 1, count: 9}, width: 4}}",
        "{model: scaling-laws, params: {features: {power_law: 1, count: 9}, training: one-pass}}"};
    for (size_t i = 0; i < 2; i++) {
        nnd_context *ctx = nnd_context_new(NULL);
        nnd_case *c = test_case(ctx, yaml[i]);
        nnd_frame *frame = NULL;
        nnd_context_interrupt(ctx);
        ck_assert_int_eq(nnd_scaling_laws_simulator.simulate(ctx, c->params[0], 0, 1, 0, 2, &frame),
                         NND_E_INTERRUPTED);
        ck_assert_ptr_null(frame);
        nnd_case_free(c);
        nnd_context_free(ctx);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scaling_simulation");
    TCase *tests = tcase_create("cases");
    tcase_add_test(tests, times_are_log_spaced_steps_or_listed);
    tcase_add_test(tests, runs_that_diverge_keep_what_came_before);
    tcase_add_test(tests, students_that_start_at_the_target_stay_there);
    tcase_add_test(tests, the_top_eigenvalue_bounds_the_stable_rate);
    tcase_add_test(tests, measured_features_are_those_worked_out_by_hand);
    tcase_add_test(tests, many_rows_are_measured_like_few);
    tcase_add_test(tests, features_that_do_not_vary_are_left_out);
    tcase_add_test(tests, power_laws_and_lists_are_written_out);
    tcase_add_test(tests, what_makes_no_sense_is_refused_with_its_key);
    tcase_add_test(tests, any_number_of_threads_trains_the_same_students);
    tcase_add_test(tests, an_interrupt_ends_training);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
