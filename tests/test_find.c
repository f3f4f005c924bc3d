/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "nndmft/find.h"
#include "support.h"

static nnd_status find(nnd_context *ctx, const char *yaml, nnd_find_options o, nnd_found *found) {
    nnd_value *tree;
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    nnd_status status = nnd_find(ctx, tree, &(nnd_case_source){.stem = "test"}, &o, found);
    nnd_value_free(tree);
    return status;
}

static nnd_found found_or_abort(nnd_context *ctx, const char *yaml, nnd_find_options o) {
    nnd_found found;
    if (find(ctx, yaml, o, &found) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return found;
}

/* At t = 0 the test risk is 1 + sigma^(2L+2)/gamma0^2 (nu = 1): 1.25 at gamma0 = 2 for sigma = 1.
 */
START_TEST(root_of_a_known_function) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_find_options o = {.param = "gamma0",
                          .low = 0.1,
                          .high = 10,
                          .goal = NND_FIND_ZERO,
                          .variable = "test_risk",
                          .level = 1.25,
                          .at = "t=0"};
    nnd_found found = found_or_abort(ctx, "{model: deep-linear, params: {steps: 0}}", o);
    test_close("gamma0", found.param, 2.0, 2e-8);
    test_close("value", found.value, 1.25, 1e-7);
    nnd_context_free(ctx);
}
END_TEST

#define TRANSFER                                                                                   \
    "{model: deep-linear, params: {depth: 2, alpha: 4, sigma: 0.8, noise: 0.3, "                   \
    "gamma0: 1.5, steps: 12, spectrum: false, ntk: false, nu: %d, parameterization: %s}}"

/* deep-linear.md#s5-1: best learning rates on a grid of 40 points, ratio 125^(1/39) = 1.132. The
 * best of the grid is within one step of the best of all. */
START_TEST(best_learning_rates_of_the_transfer_example) {
    static const struct {
        const char *parameterization;
        int nu;
        double lr;
    } cases[] = {{"mup", 1, 0.390}, {"mup", 4, 0.442},  {"mup", 256, 0.390},
                 {"ntk", 4, 0.640}, {"ntk", 16, 0.820}, {"ntk", 256, 0.929}};
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[512];
    snprintf(yaml, sizeof yaml, TRANSFER, cases[_i].nu, cases[_i].parameterization);
    nnd_find_options o = {.param = "lr",
                          .low = 0.02,
                          .high = 2.5,
                          .goal = NND_FIND_MIN,
                          .variable = "train_mse",
                          .at = "t=12"};
    nnd_found found = found_or_abort(ctx, yaml, o);
    ck_assert_msg(fabs(log(found.param / cases[_i].lr)) < log(1.133), "lr = %g", found.param);
    ck_assert(!found.at_edge);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(of_values_that_fail_side_by_side_the_first_is_named) {
    const nnd_context_options options = {.threads = 4};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_find_options o = {.param = "gamma0",
                          .low = -0.9,
                          .high = -0.5,
                          .points = 9,
                          .goal = NND_FIND_MIN,
                          .variable = "test_risk",
                          .at = "t=0"};
    for (int repeat = 0; repeat < 20; repeat++) {
        nnd_found found;
        ck_assert_int_eq(find(ctx, "{model: deep-linear, params: {steps: 0}}", o, &found),
                         NND_E_INPUT);
        ck_assert_msg(strstr(nnd_context_message(ctx), "-0.9 is out of range") != NULL, "%s",
                      nnd_context_message(ctx));
    }
    nnd_context_free(ctx);
}
END_TEST

/* No grid point may be better than what was found, however narrow the valley. */
START_TEST(minimum_is_no_worse_than_a_fine_scan) {
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[512];
    snprintf(yaml, sizeof yaml, TRANSFER, 16, "mup");
    nnd_find_options o = {.param = "lr",
                          .low = 0.3,
                          .high = 0.6,
                          .goal = NND_FIND_MIN,
                          .variable = "train_mse",
                          .at = "t=12"};
    nnd_found found = found_or_abort(ctx, yaml, o);
    for (int i = 0; i <= 600; i++) {
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {depth: 2, alpha: 4, sigma: 0.8, noise: 0.3, "
                 "gamma0: 1.5, steps: 12, record: [12], spectrum: false, ntk: false, nu: 16, lr: "
                 "%.17g}}",
                 0.3 + 0.0005 * i);
        nnd_frame *f = test_theory(ctx, yaml);
        ck_assert(test_value(f, "train_mse", "t=12") >= found.value * (1.0 - 1e-12));
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* The risk at t = 0 falls with gamma0: its maximum is the lower end. */
START_TEST(extremum_at_an_end_is_said_to_be_there) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_find_options o = {.param = "gamma0",
                          .low = 0.5,
                          .high = 2,
                          .goal = NND_FIND_MAX,
                          .variable = "test_risk",
                          .at = "t=0"};
    nnd_found found = found_or_abort(ctx, "{model: deep-linear, params: {steps: 0}}", o);
    ck_assert(found.at_edge && found.param == 0.5);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(bad_searches_are_refused_with_the_reason) {
    static const struct {
        nnd_find_options o;
        nnd_status status;
        const char *says;
    } cases[] = {
        {{.param = "nonsense", .low = 1, .high = 2, .variable = "test_risk", .at = "t=0"},
         NND_E_INPUT,
         "nonsense"},
        {{.param = "depth", .low = 1, .high = 2, .variable = "test_risk", .at = "t=0"},
         NND_E_INPUT,
         "depth"},
        {{.param = "nu", .low = 2, .high = 1, .variable = "test_risk", .at = "t=0"},
         NND_E_INPUT,
         "LOW < HIGH"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "nonsense"}, NND_E_INPUT, "nonsense"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk"}, NND_E_INPUT, "--at t="},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=99"},
         NND_E_INPUT,
         "--at t=99: no such coordinate; nearest: 1, 2 (0 .. 2)"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=0.6"},
         NND_E_INPUT,
         "nearest: 0, 1 (0 .. 2)"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=-7"},
         NND_E_INPUT,
         "nearest: 0, 1 (0 .. 2)"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=inf"},
         NND_E_INPUT,
         "t=inf: no such coordinate (0 .. 2)"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=0, t=1"},
         NND_E_INPUT,
         "--at: t stands twice"},
        {{.param = "nu", .low = -1, .high = 2, .variable = "test_risk", .at = "t=0"},
         NND_E_INPUT,
         "out of range"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=0", .level = 99},
         NND_NOT_CONVERGED,
         "does not cross"},
        {{.low = 1, .high = 2, .variable = "test_risk"}, NND_E_INPUT, "a parameter"},
        {{.param = "nu", .low = 1, .high = 2}, NND_E_INPUT, "a variable"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .goal = (nnd_goal)7},
         NND_E_INPUT,
         "a goal"},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = "t=0", .level = NAN},
         NND_E_INPUT,
         "nan is not a level"},
        {{.param = "nu", .low = NAN, .high = 2, .variable = "test_risk", .at = "t=0"},
         NND_E_INPUT,
         "LOW < HIGH"},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnd_found found;
        nnd_status status =
            find(ctx, "{model: deep-linear, params: {steps: 2}}", cases[i].o, &found);
        ck_assert_int_eq(status, cases[i].status);
        ck_assert_msg(strstr(nnd_context_message(ctx), cases[i].says) != NULL, "%s",
                      nnd_context_message(ctx));
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_solver_that_does_not_converge_is_said_to) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_found found;
    nnd_find_options o = {.param = "gamma0",
                          .low = 0.5,
                          .high = 2.0,
                          .points = 3,
                          .goal = NND_FIND_MAX,
                          .variable = "delta_nvar",
                          .at = "t=2,mu=0"};
    ck_assert_int_eq(find(ctx,
                          "{model: two-layer-fluctuations, params: {activation: {name: tanh, gain: "
                          "8}, solver: quadrature, nodes: 8, tolerance: 1e-9, steps: 2, bias: "
                          "false, kernels: false, "
                          "data: {gram: [[1]], targets: [1]}}}",
                          o, &found),
                     NND_NOT_CONVERGED);
    ck_assert(isfinite(found.value));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "does not converge at gamma0"));
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("find");
    TCase *tests = tcase_create("find");
    tcase_add_test(tests, root_of_a_known_function);
    tcase_add_loop_test(tests, best_learning_rates_of_the_transfer_example, 0, 6);
    tcase_add_test(tests, of_values_that_fail_side_by_side_the_first_is_named);
    tcase_add_test(tests, minimum_is_no_worse_than_a_fine_scan);
    tcase_add_test(tests, extremum_at_an_end_is_said_to_be_there);
    tcase_add_test(tests, bad_searches_are_refused_with_the_reason);
    tcase_add_test(tests, a_solver_that_does_not_converge_is_said_to);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
