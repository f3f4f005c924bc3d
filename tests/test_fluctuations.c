/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three models of fluctuations from case to frame, and their simulators against theory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

static const char R3[] = "{model: two-layer-fluctuations, params: {activation: {name: tanh, gain: "
                         "0.4}, lr: 0.05, steps: 60, record: [0, 10, 30], center: true, "
                         "tolerance: 1e-8, data: {gram: [[1]], targets: [1]}}}";

START_TEST(R3_from_a_case) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, R3);
    near("delta", test_value(f, "delta", "t=10,mu=0"), 1.0 - 0.5669359069, 2.1e-9);
    near("output", test_value(f, "output", "t=30,mu=0"), 0.9342376837, 2.1e-9);
    near("ntk", test_value(f, "ntk", "t=60,mu=0,nu=0"), 1.911897991, 2.1e-9);
    near("delta_nvar", test_value(f, "delta_nvar", "t=30,mu=0"), 0.0187782290, 2.1e-9);
    near("delta_ncov", test_value(f, "delta_ncov", "t=30,mu=0,nu=0"), 0.0187782290, 2.1e-9);
    near("ntk_nvar", test_value(f, "ntk_nvar", "t=10,mu=0,nu=0"), 1.809641646, 2.1e-9);
    near("delta_bias", test_value(f, "delta_bias", "t=60,mu=0"), 0.0226348412, 2.1e-9);
    near("ntk_bias", test_value(f, "ntk_bias", "t=60,mu=0,nu=0"), 0.322223, 6e-7);
    double x = test_value(f, "delta", "t=30,mu=0"), v = test_value(f, "delta_nvar", "t=30,mu=0");
    double b = test_value(f, "delta_bias", "t=30,mu=0");
    near("loss_ncorr", test_value(f, "loss_ncorr", "t=30"), 0.5 * v + x * b, 1e-12);
    double validity = test_value(f, "validity", "t=30,mu=0");
    near("validity", validity, v / (2.0 * x * x) + 2.0 * b / x, 1e-12);
    near("least size", test_value(f, "delta_nvar_min_size", "t=30,mu=0"), 5.0 * validity, 1e-12);
    near("at the start", test_value(f, "delta_nvar", "t=0,mu=0"), 0.0, 0.0);
    ck_assert_ptr_nonnull(nnd_frame_find_attribute(f, NULL, "quadrature_error"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Half the variance over the residual stands for the bias; here it comes within a fifth. */
START_TEST(without_the_bias_its_part_is_estimated) {
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[256];
    snprintf(yaml, sizeof yaml, "%.*s, bias: false%s", (int)(strstr(R3, ", data") - R3), R3,
             strstr(R3, ", data"));
    nnd_frame *f = test_theory(ctx, yaml), *with = test_theory(ctx, R3);
    static const char *const at[] = {"t=10,mu=0", "t=30,mu=0", "t=60,mu=0"};
    for (size_t i = 0; i < 3; i++) {
        double x = test_value(f, "delta", at[i]), v = test_value(f, "delta_nvar", at[i]);
        double size = test_value(f, "delta_nvar_min_size", at[i]);
        near(at[i], size, 5.0 * 1.5 * v / (x * x), 1e-9 * size);
        ck_assert_double_gt(size, 0.8 * test_value(with, "delta_nvar_min_size", at[i]));
    }
    near("at the start", test_value(f, "delta_nvar_min_size", "t=0,mu=0"), 0.0, 0.0);
    nnd_frame_free(f);
    nnd_frame_free(with);
    nnd_context_free(ctx);
}
END_TEST

#define LINEAR_PAIR(solver)                                                                        \
    "{model: two-layer-fluctuations, params: {activation: linear, lr: 0.1, steps: 12, record: "    \
    "[6], schedule: {power: -0.3}, two_time: true, " solver                                        \
    "data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5]}}}"

START_TEST(solvers_agree_on_linear_networks) {
    static const char *const same[] = {
        "delta",    "ntk",        "delta_nvar", "delta_ncov",     "ntk_nvar",
        "ntk_bias", "delta_bias", "loss_ncorr", "delta_ntk_ncov", "delta_two_time_ncov"};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *exact = test_theory(ctx, LINEAR_PAIR(""));
    nnd_frame *grid = test_theory(ctx, LINEAR_PAIR("solver: quadrature, nodes: 32, "));
    nnd_frame *sampled =
        test_theory(ctx, LINEAR_PAIR("solver: sampled, samples: 1024, replicates: 8, "));
    ck_assert_str_eq(nnd_frame_find_attribute(exact, NULL, "solver")->text, "exact-linear");
    for (size_t v = 0; v < sizeof same / sizeof *same; v++) {
        char se[64];
        snprintf(se, sizeof se, "%s_se", same[v]);
        const nnd_array *a = nnd_frame_find(exact, same[v]), *b = nnd_frame_find(grid, same[v]);
        const nnd_array *c = nnd_frame_find(sampled, same[v]), *e = nnd_frame_find(sampled, se);
        ck_assert_msg(a != NULL && b != NULL && c != NULL && e != NULL, "%s", same[v]);
        for (size_t i = 0; i < a->count; i++) {
            near(same[v], b->data[i], a->data[i], 1e-8);
            /* Seven degrees of freedom. */
            near(same[v], c->data[i], a->data[i], 8.0 * e->data[i] + 1e-12);
        }
    }
    ck_assert_ptr_nonnull(nnd_frame_find(grid, "response"));
    ck_assert_ptr_null(nnd_frame_find(exact, "response"));
    nnd_frame_free(exact);
    nnd_frame_free(grid);
    nnd_frame_free(sampled);
    nnd_context_free(ctx);
}
END_TEST

/* At gamma0 -> 0 features stay where they are, no neuron crosses the kink, and the kernels of the
 * start, known in closed form, say all. */
START_TEST(relu_of_small_gamma0_is_lazy) {
    static const char both[] = "lr: 0.2, steps: 12, record: [4], data: {gram: [[1, 0.4], [0.4, "
                               "0.8]], targets: [1, -0.5]}}}";
    char text[512];
    nnd_context *ctx = nnd_context_new(NULL);
    snprintf(
        text, sizeof text,
        "{model: two-layer-fluctuations, params: {activation: relu, bias: false, center: true, "
        "gamma0: 0.001, samples: 16384, %s",
        both);
    nnd_frame *f = test_theory(ctx, text);
    snprintf(text, sizeof text,
             "{model: lazy-fluctuations, params: {activation: relu, depth: 1, %s", both);
    nnd_frame *lazy = test_theory(ctx, text);
    ck_assert_str_eq(nnd_frame_find_attribute(f, NULL, "solver")->text, "sampled");
    static const char *const at[] = {"t=4,mu=0", "t=4,mu=1", "t=12,mu=0", "t=12,mu=1"};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        double want = test_value(lazy, "delta_nvar", at[i]),
               se = test_value(f, "delta_nvar_se", at[i]);
        near(at[i], test_value(f, "delta_nvar", at[i]), want, 5.0 * se + 1e-3 * want);
        ck_assert_msg(se < 0.01 * want, "%s: %g +- %g", at[i], want, se);
    }
    nnd_frame_free(f);
    nnd_frame_free(lazy);
    nnd_context_free(ctx);
}
END_TEST

#define STEEP_PAIR(more)                                                                           \
    "{model: two-layer-fluctuations, params: {activation: {name: tanh, gain: 2}, steps: 8, "       \
    "record: "                                                                                     \
    "[4], kernels: false, " more "data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}}}"

/* A grid of few intervals says how far it came; of itself the solver then takes samples. */
START_TEST(what_a_grid_does_not_resolve) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *grid = test_theory(ctx, STEEP_PAIR("solver: quadrature, nodes: 24, "));
    nnd_frame *best = test_theory(ctx, STEEP_PAIR("nodes: 24, "));
    nnd_frame *fine = test_theory(ctx, STEEP_PAIR("solver: sampled, samples: 32768, seed: 7, "));
    const nnd_attribute *line = nnd_frame_find_attribute(grid, NULL, "not_converged");
    ck_assert_ptr_nonnull(line);
    ck_assert_msg(strstr(line->text, "params.nodes") != NULL &&
                      strstr(line->text, "params.tolerance 1e-07") != NULL &&
                      strstr(line->text, "24 intervals") != NULL,
                  "%s", line->text);
    ck_assert_ptr_null(nnd_frame_find_attribute(best, NULL, "not_converged"));
    ck_assert_str_eq(nnd_frame_find_attribute(best, NULL, "solver")->text, "sampled");
    static const char *const names[] = {"delta_nvar", "delta_bias"};
    for (size_t v = 0; v < 2; v++)
        for (int t = 4; t <= 8; t += 4) {
            char at[32];
            snprintf(at, sizeof at, "t=%d,mu=0", t);
            double want = test_value(fine, names[v], at);
            double error = hypot(test_se(fine, names[v], at), test_se(best, names[v], at));
            /* Three degrees of freedom. */
            near(names[v], test_value(best, names[v], at), want, 8.0 * error);
            near(names[v], test_value(grid, names[v], at), want,
                 test_se(grid, names[v], at) + 8.0 * test_se(fine, names[v], at));
        }
    nnd_frame_free(grid);
    nnd_frame_free(best);
    nnd_frame_free(fine);
    /* Where the grid comes close its error is kept. */
    nnd_frame *close =
        test_theory(ctx, "{model: two-layer-fluctuations, params: {steps: 8, record: "
                         "[4], kernels: false, nodes: 64, tolerance: 1e-12, "
                         "data: {gram: [[1]], targets: [1]}}}");
    ck_assert_str_eq(nnd_frame_find_attribute(close, NULL, "solver")->text, "quadrature");
    double se = test_value(close, "delta_nvar_se", "t=8,mu=0");
    ck_assert_msg(se > 0.0 && se < 1e-3, "%g", se);
    nnd_frame_free(close);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(test_points_and_divergence_reach_the_frame) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(
        ctx,
        "{model: two-layer-fluctuations, params: {activation: linear, lr: 0.1, steps: 4, data: "
        "{gram: [[1]], targets: [1], test_gram: [[0.5], [1]], test_self: [1, 1]}}}");
    for (int t = 0; t <= 4; t++) {
        char at[32], same[32];
        snprintf(at, sizeof at, "t=%d,test=1", t);
        snprintf(same, sizeof same, "t=%d,mu=0", t);
        near("f*", test_value(f, "test_output", at), test_value(f, "output", same), 1e-13);
        near("N Var f*", test_value(f, "test_output_nvar", at), test_value(f, "delta_nvar", same),
             1e-12);
        near("b*", test_value(f, "test_output_bias", at), -test_value(f, "delta_bias", same),
             1e-12);
    }
    nnd_frame_free(f);
    f = test_theory(ctx, "{model: two-layer-fluctuations, params: {activation: linear, lr: 8, "
                         "gamma0: 3, steps: 40, data: {gram: [[1]], targets: [1]}}}");
    double at = test_value(f, "diverged_at", "");
    ck_assert(at > 1.0 && at < 40.0);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R5_from_a_case) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: online-fluctuations, params: {dim: 10, lr: 0.03, "
                                    "steps: 40, record_every: 10}}");
    near("delta", test_value(f, "delta", "t=10"), 0.5265313455, 6e-11);
    near("error", test_value(f, "error", "t=10"), 0.5265313455 * 0.5265313455, 6e-11);
    near("par_nvar", test_value(f, "par_nvar", "t=20"), 0.2166862554, 6e-11);
    near("perp_nvar", test_value(f, "perp_nvar", "t=20"), 0.1126861901, 6e-11);
    near("perp_bias", test_value(f, "perp_bias", "t=40"), 0.0726674622, 6e-11);
    near("delta_bias", test_value(f, "delta_bias", "t=40"), 0.228200526 + 9.0 * 0.0726674622, 1e-9);
    near("error_ncorr", test_value(f, "error_ncorr", "t=40"), 0.2004202229, 6e-11);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R6_from_a_case) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: lazy-fluctuations, params: {depth: 4, activation: "
                                    "{name: relu, scale: 1.4142135623730951}, lr: 0.02, steps: 10, "
                                    "data: {gram: [[1]], targets: [1]}}}");
    near("ntk", test_value(f, "ntk", "mu=0,nu=0"), 5.0, 1e-10);
    near("ntk_nvar", test_value(f, "ntk_nvar", "mu=0,nu=0"), 340.0, 1e-8);
    near("phi_ncov", test_value(f, "phi_ncov", "layer=2,layer2=4"), 10.0, 1e-10);
    near("g_ncov", test_value(f, "g_ncov", "layer=2,layer2=4"), 5.0, 1e-10);
    near("phi_g_ncov", test_value(f, "phi_g_ncov", "layer=4,layer2=2"), 3.0, 1e-10);
    near("phi_g_ncov", test_value(f, "phi_g_ncov", "layer=2,layer2=4"), 0.0, 0.0);
    near("delta_nvar", test_value(f, "delta_nvar", "t=10,mu=0"), 340.0 * 0.04 * pow(0.9, 18.0),
         1e-8);
    ck_assert_ptr_null(nnd_frame_find(f, "ntk_nvar_se"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(sampled_kernels_carry_their_errors) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(
        ctx, "{model: lazy-fluctuations, params: {depth: 2, samples: 1024, data: {gram: [[1, 0.2, "
             "0.1], [0.2, 1, 0.3], [0.1, 0.3, 1]], targets: [1, 0, -1]}}}");
    double se = test_value(f, "ntk_nvar_se", "mu=0,nu=1");
    ck_assert(se > 0.0 && se < 0.1 * test_value(f, "ntk_nvar", "mu=0,nu=1"));
    ck_assert_ptr_null(nnd_frame_find(f, "ntk_se"));
    ck_assert_ptr_null(nnd_frame_find(f, "delta"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- simulators ---- */

static const char *const CASES[] = {
    "{model: two-layer-fluctuations, params: {activation: {name: tanh, gain: 0.4}, lr: 0.1, steps: "
    "12, record_every: 4, bias: false, data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5], "
    "test_gram: [[0.5, 0.2]], test_self: [1]}}, simulate: {size: 200, seeds: 600}}",
    "{model: online-fluctuations, params: {dim: 4, lr: 0.05, steps: 20, record_every: 5, batch: "
    "100}, simulate: {size: 200, seeds: 400}}",
    "{model: lazy-fluctuations, params: {depth: 2, activation: {name: relu, scale: "
    "1.4142135623730951}, lr: 0.1, steps: 6, record_every: 3, data: {gram: [[1, 0.3], [0.3, 1]], "
    "targets: [1, -0.5], test_gram: [[0.5, 0.2]], test_self: [1]}}, simulate: {size: 60, seeds: "
    "600}}",
};

/* Variables of each that the ensemble resolves, to so many standard errors and, at one size, so
 * much of the largest value. */
static const char *const VARIABLES[][9] = {
    {"delta", "ntk", "delta_nvar", "delta_ncov", "ntk_nvar", "delta_ntk_ncov", "test_output",
     "test_output_nvar", NULL},
    {"delta", "ntk", "error", "par_nvar", "perp_nvar", "par_batch_var", "perp_batch_var", NULL},
    {"phi_gram", "g_gram", "ntk", "phi_ncov", "ntk_nvar", "delta", "delta_nvar", "test_output_nvar",
     NULL},
};

START_TEST(simulations_agree_with_theory) {
    const double sigmas = 5.0, correction = 0.05;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, CASES[_i]);
    nnd_store *store = nnd_memory_store_new();
    nnd_frame *theory = NULL;
    nnd_ensemble e;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &theory), NND_OK);
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_OK);
    for (size_t v = 0; VARIABLES[_i][v] != NULL; v++) {
        const char *name = VARIABLES[_i][v];
        char se_name[64];
        snprintf(se_name, sizeof se_name, "%s_se", name);
        const nnd_array *want = nnd_frame_find(theory, name), *got = nnd_frame_find(e.mc, name);
        const nnd_array *se = nnd_frame_find(e.mc, se_name);
        ck_assert_msg(want != NULL && got != NULL && se != NULL, "%s", name);
        ck_assert_uint_eq(want->count, got->count);
        double scale = 0.0;
        for (size_t i = 0; i < want->count; i++)
            scale = fmax(scale, fabs(want->data[i]));
        for (size_t i = 0; i < want->count; i++)
            ck_assert_msg(fabs(got->data[i] - want->data[i]) <=
                              sigmas * se->data[i] + correction * scale,
                          "%s[%zu]: theory %.6g, simulation %.6g +- %.2g", name, i, want->data[i],
                          got->data[i], se->data[i]);
    }
    nnd_frame_free(theory);
    nnd_ensemble_clear(&e);
    nnd_memory_store_free(store);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_network_does_not_depend_on_who_trains_beside_it) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, CASES[_i]);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    size_t size = nnd_case_size(c, 0), width = s->block(c->params[0], size);
    nnd_frame *whole = NULL, *again = NULL, *next = NULL;
    ck_assert_int_eq(s->simulate(ctx, c->params[0], size, 1, 0, width, &whole), NND_OK);
    ck_assert_int_eq(s->simulate(ctx, c->params[0], size, 1, 0, width, &again), NND_OK);
    ck_assert_int_eq(s->simulate(ctx, c->params[0], size, 1, width, width, &next), NND_OK);
    ck_assert(test_frames_identical(whole, again));
    ck_assert(!test_frames_identical(whole, next));
    const char *name = VARIABLES[_i][0];
    const nnd_array *a = nnd_frame_find(whole, name), *b = nnd_frame_find(next, name);
    size_t each = a->count / width;
    for (size_t i = 0; i < width; i++)
        for (size_t j = 0; j < width; j++)
            ck_assert_msg(each < 2 || memcmp(a->data + i * each, b->data + j * each,
                                             each * sizeof(double)) != 0,
                          "networks %zu and %zu are the same", i, width + j);
    nnd_frame_free(whole);
    nnd_frame_free(again);
    nnd_frame_free(next);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(what_it_costs_is_known) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, CASES[_i]);
    nnd_plan theory, simulation;
    ck_assert_int_eq(nnd_theory_plan(ctx, c, &theory), NND_OK);
    ck_assert_int_eq(nnd_ensemble_plan(ctx, c, &simulation), NND_OK);
    ck_assert(theory.bytes > 0.0 && theory.flops > 0.0);
    ck_assert(simulation.bytes > 0.0 && simulation.flops > 0.0);
    nnd_frame *recipe = NULL;
    ck_assert_int_eq(nnd_simulator_find(c->model)->recipe(ctx, c->params[0], 100, &recipe), NND_OK);
    ck_assert_ptr_nonnull(nnd_frame_find(recipe, "raw_lr"));
    nnd_frame_free(recipe);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fluctuations");
    TCase *theory = tcase_create("theory");
    tcase_add_test(theory, R3_from_a_case);
    tcase_add_test(theory, without_the_bias_its_part_is_estimated);
    tcase_add_test(theory, solvers_agree_on_linear_networks);
    tcase_add_test(theory, relu_of_small_gamma0_is_lazy);
    tcase_add_test(theory, what_a_grid_does_not_resolve);
    tcase_add_test(theory, test_points_and_divergence_reach_the_frame);
    tcase_add_test(theory, R5_from_a_case);
    tcase_add_test(theory, R6_from_a_case);
    tcase_add_test(theory, sampled_kernels_carry_their_errors);
    suite_add_tcase(suite, theory);
    TCase *simulators = tcase_create("simulators");
    tcase_add_loop_test(simulators, simulations_agree_with_theory, 0, 3);
    tcase_add_loop_test(simulators, a_network_does_not_depend_on_who_trains_beside_it, 0, 3);
    tcase_add_loop_test(simulators, what_it_costs_is_known, 0, 3);
    suite_add_tcase(suite, simulators);
    return test_main(suite);
}
