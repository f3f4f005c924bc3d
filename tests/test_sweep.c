/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory over the points of a sweep, some of which cannot be solved. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/find.h"
#include "nndmft/theory.h"
#include "support.h"

/* Weights decay by 0.01 a step: their NTK, of order 1e-4 to the power of the steps, underflows. */
#define DECAYS "steps: 80, record: [80], spectrum: false"
static const char SWEEP[] = "{model: deep-linear, params: {" DECAYS "}, "
                            "sweep: {weight_decay: [0, 0.99, 0.01]}}";

START_TEST(a_point_that_cannot_be_solved_loses_no_other) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = test_theory(ctx, SWEEP);
    ck_assert_double_eq(test_value(frame, "status", "weight_decay=0"), NND_OK);
    ck_assert_double_eq(test_value(frame, "status", "weight_decay=0.99"), NND_E_UNSOLVED);
    ck_assert(isnan(test_value(frame, "test_risk", "weight_decay=0.99,t=80")));
    ck_assert(isnan(test_value(frame, "ntk_edge", "weight_decay=0.99,t=80")));
    nnd_frame *alone =
        test_theory(ctx, "{model: deep-linear, params: {weight_decay: 0.01, " DECAYS "}}");
    ck_assert_double_eq(test_value(frame, "test_risk", "weight_decay=0.01,t=80"),
                        test_value(alone, "test_risk", "t=80"));
    const nnd_attribute *message = nnd_frame_find_attribute(frame, "status", "message");
    ck_assert_ptr_nonnull(message);
    ck_assert_ptr_eq(strstr(message->text, "weight_decay=0.99: the NTK at step 80"), message->text);
    nnd_frame_free(alone);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_sweep_without_any_answer_fails_and_names_a_point) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {" DECAYS "}, "
                                 "sweep: {weight_decay: [0.999, 0.99]}}");
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_UNSOLVED);
    ck_assert_ptr_null(frame);
    ck_assert_ptr_nonnull(
        strstr(nnd_context_message(ctx), "no point can be solved; weight_decay=0.999: the NTK"));
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* What diverged has its curves up to there, so that the sweep is not lost; in either order. */
START_TEST(a_point_that_diverged_is_an_answer_beside_one_without) {
    static const char *const rates[] = {"[0.1, 3]", "[3, 0.1]"};
    for (size_t i = 0; i < 2; i++) {
        char yaml[256];
        nnd_context *ctx = nnd_context_new(NULL);
        nnd_frame *frame = NULL;
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {weight_decay: 0.99, " DECAYS "}, sweep: {lr: %s}}",
                 rates[i]);
        nnd_case *c = test_case(ctx, yaml);
        ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_DIVERGED);
        ck_assert_double_eq(test_value(frame, "status", "lr=0.1"), NND_E_UNSOLVED);
        ck_assert_double_eq(test_value(frame, "status", "lr=3"), NND_DIVERGED);
        nnd_frame_free(frame);
        nnd_case_free(c);
        nnd_context_free(ctx);
    }
}
END_TEST

static const nnd_value *resolved(const nnd_case *c, const char *key) {
    return nnd_value_get(nnd_value_get(c->resolved, "params"), key);
}

/* The learning rate of descent is settled as 0.1, a flow has none: neither stands for both. */
START_TEST(what_points_settle_apart_is_resolved_as_it_was_given) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, sweep: {integrator: [gd, flow]}}");
    ck_assert(nnd_value_is_null(resolved(c, "lr")));
    ck_assert(nnd_value_is_null(resolved(c, "time")));
    nnd_case_free(c);
    c = test_case(ctx, "{model: deep-linear, sweep: {gamma0: [1, 2]}}");
    ck_assert_str_eq(resolved(c, "lr")->text, "0.1");
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

static nnd_status same(void *user, nnd_status status) {
    (void)user;
    return status;
}

/* Rank 1 puts its point, the one that fails, on the shelf; then rank 0 takes it from there. */
START_TEST(two_ranks_agree_on_points_that_fail) {
    nnd_context *alone = nnd_context_new(NULL);
    nnd_frame *want = test_theory(alone, SWEEP), *frame[2] = {NULL, NULL};
    nnd_store *store = nnd_memory_store_new();
    nnd_case *c = test_case(alone, SWEEP);
    for (int rank = 1; rank >= 0; rank--) {
        const nnd_context_options options = {.rank = rank, .ranks = 2, .agree = same};
        nnd_context *ctx = nnd_context_new(&options);
        ck_assert_int_eq(nnd_theory_run(ctx, c, store, &frame[rank]), NND_OK);
        if (rank == 1)
            nnd_context_free(ctx);
        else {
            ck_assert_ptr_null(frame[1]);
            ck_assert(test_frames_identical(frame[0], want));
            ck_assert_str_eq(nnd_frame_find_attribute(frame[0], "status", "message")->text,
                             nnd_frame_find_attribute(want, "status", "message")->text);
            nnd_frame_free(frame[0]);
            nnd_context_free(ctx);
        }
    }
    nnd_case_free(c);
    nnd_memory_store_free(store);
    nnd_frame_free(want);
    nnd_context_free(alone);
}
END_TEST

START_TEST(want_of_memory_ends_the_whole_sweep) {
    const nnd_context_options options = {.memory_limit = 1};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_case *c = test_case(ctx, SWEEP);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_LIMIT);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

static nnd_status find(nnd_context *ctx, nnd_find_options o, nnd_found *found) {
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {" DECAYS "}}");
    const nnd_coordinate end = {"t", 80};
    o.param = nnd_param_find(c->model->params, "weight_decay");
    o.variable = nnd_model_variable(c->model, "test_risk");
    o.coordinates = 1;
    o.at = &end;
    nnd_status status = nnd_find(ctx, c->model, c->params[0], &o, found);
    nnd_case_free(c);
    return status;
}

START_TEST(a_search_goes_around_points_without_an_answer) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_found found;
    nnd_find_options o = {.low = 0.99, .high = 0.999, .points = 3, .goal = NND_FIND_MIN};
    ck_assert_int_eq(find(ctx, o, &found), NND_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "test_risk is finite nowhere"));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx),
                                 "no answer at 3 of the values tried, such as weight_decay = 0.99: "
                                 "the NTK at step 80"));
    /* Nothing is learned where all decays. */
    o.low = 0.0;
    ck_assert_int_eq(find(ctx, o, &found), NND_OK);
    ck_assert_double_eq(found.param, 0.0);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sweep");
    TCase *tests = tcase_create("sweep");
    tcase_add_test(tests, a_point_that_cannot_be_solved_loses_no_other);
    tcase_add_test(tests, a_sweep_without_any_answer_fails_and_names_a_point);
    tcase_add_test(tests, a_point_that_diverged_is_an_answer_beside_one_without);
    tcase_add_test(tests, what_points_settle_apart_is_resolved_as_it_was_given);
    tcase_add_test(tests, two_ranks_agree_on_points_that_fail);
    tcase_add_test(tests, want_of_memory_ends_the_whole_sweep);
    tcase_add_test(tests, a_search_goes_around_points_without_an_answer);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
