/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "nndmft/find.h"
#include "nndmft/theory.h"
#include "support.h"
#include "with_context.h"

enum { COORDINATES = 2 };

/* A search by names; an `at` ends with a coordinate that has none. */
typedef struct {
    const char *param;
    double low, high;
    nnd_goal goal;
    const char *variable;
    double level;
    size_t points;
    nnd_coordinate at[COORDINATES + 1];
    const char *subject;
    nnd_relation relation;
    double bound;
} named;

static nnd_status find(const char *yaml, named n, nnd_found *found) {
    nnd_case *c = test_case(ctx, yaml);
    nnd_find_options o = {
        .low = n.low, .high = n.high, .goal = n.goal, .level = n.level, .points = n.points};
    if (n.param != NULL)
        o.param = nnd_param_find(c->model->params, n.param);
    if (n.variable != NULL)
        o.variable = nnd_model_variable(c->model, n.variable);
    if (n.subject != NULL)
        o.subject = nnd_model_variable(c->model, n.subject);
    o.relation = n.relation;
    o.bound = n.bound;
    while (n.at[o.coordinates].dim != NULL)
        o.coordinates++;
    o.at = n.at;
    nnd_status status = nnd_find(ctx, c->model, c->params[0], &o, found);
    nnd_case_free(c);
    return status;
}

static nnd_found found_or_abort(const char *yaml, named o) {
    nnd_found found;
    if (find(yaml, o, &found) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return found;
}

/* At t = 0 the test risk is 1 + sigma^(2L+2)/gamma0^2 (nu = 1): 1.25 at gamma0 = 2 for sigma = 1.
 */
static const named AT_THE_START = {.param = "gamma0",
                                   .low = 0.1,
                                   .high = 10,
                                   .goal = NND_FIND_ZERO,
                                   .variable = "test_risk",
                                   .level = 1.25,
                                   .at = {{"t", 0}}};

START_TEST(root_of_a_known_function) {
    nnd_found found = found_or_abort("{model: deep-linear, params: {steps: 0}}", AT_THE_START);
    test_close("gamma0", found.param, 2.0, 2e-8);
    test_close("value", found.value, 1.25, 1e-7);
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
    char yaml[512];
    snprintf(yaml, sizeof yaml, TRANSFER, cases[_i].nu, cases[_i].parameterization);
    named o = {.param = "lr",
               .low = 0.02,
               .high = 2.5,
               .goal = NND_FIND_MIN,
               .variable = "train_mse",
               .at = {{"t", 12}}};
    nnd_found found = found_or_abort(yaml, o);
    ck_assert_msg(fabs(log(found.param / cases[_i].lr)) < log(1.133), "lr = %g", found.param);
    ck_assert(!found.at_edge);
}
END_TEST

START_TEST(of_values_that_fail_side_by_side_the_first_is_named) {
    const nnd_context_options options = {.threads = 4};
    nnd_context_free(ctx);
    ctx = nnd_context_new(&options);
    named o = {.param = "momentum",
               .low = 0.5,
               .high = 4.0,
               .points = 9,
               .goal = NND_FIND_MIN,
               .variable = "test_risk",
               .at = {{"t", 0}}};
    for (int repeat = 0; repeat < 20; repeat++) {
        nnd_found found;
        ck_assert_int_eq(find("{model: deep-linear, params: {steps: 0}}", o, &found), NND_E_INPUT);
        ck_assert_msg(strstr(nnd_context_message(ctx), "1.375 is out of range") != NULL, "%s",
                      nnd_context_message(ctx));
    }
}
END_TEST

/* No grid point may be better than what was found, however narrow the valley. */
START_TEST(minimum_is_no_worse_than_a_fine_scan) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, TRANSFER, 16, "mup");
    named o = {.param = "lr",
               .low = 0.3,
               .high = 0.6,
               .goal = NND_FIND_MIN,
               .variable = "train_mse",
               .at = {{"t", 12}}};
    nnd_found found = found_or_abort(yaml, o);
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
}
END_TEST

#define RIDGE                                                                                      \
    "{model: scaling-laws, params: {features: {power_law: 1.2, count: 60}, noise2: 0.1, "          \
    "width: 12, samples: %d, training: ridge, ridge: 1e-3}}"

/* Double descent over samples, which only whole numbers can be: all of them are tried. */
START_TEST(extremum_of_whole_numbers_is_the_best_of_all) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, RIDGE, 5);
    named o = {.param = "samples",
               .low = 1,
               .high = 200,
               .points = _i == 0 ? 5 : 129,
               .goal = NND_FIND_MAX,
               .variable = "test_mse"};
    nnd_found found = found_or_abort(yaml, o);
    ck_assert(found.uncertainty == 0.0 && !found.at_edge);
    for (int samples = 1; samples <= 200; samples++) {
        snprintf(yaml, sizeof yaml, RIDGE, samples);
        nnd_frame *f = test_theory(ctx, yaml);
        double value = test_value(f, "test_mse", "");
        ck_assert(samples == (int)found.param ? value == found.value : value < found.value);
        nnd_frame_free(f);
    }
}
END_TEST

/* The plateau falls with the batch: one neighbour of the place found is above the level, the other
 * below, and further from it. */
START_TEST(root_of_whole_numbers_is_the_one_next_to_it) {
    static const char one_pass[] =
        "{model: scaling-laws, params: {features: {power_law: 1.5, count: 60}, noise2: 0.1, "
        "training: one-pass, lr: 0.3, steps: 1, batch: %d}}";
    const double level = 0.1003;
    char yaml[512];
    snprintf(yaml, sizeof yaml, one_pass, 7);
    named o = {.param = "batch",
               .low = 1,
               .high = 1000,
               .points = 4,
               .goal = NND_FIND_ZERO,
               .variable = "plateau",
               .level = level};
    nnd_found found = found_or_abort(yaml, o);
    ck_assert(found.uncertainty == 0.5 && found.param > 1.0 && found.param < 1000.0);
    double value[3];
    for (int i = 0; i < 3; i++) {
        snprintf(yaml, sizeof yaml, one_pass, (int)found.param + i - 1);
        nnd_frame *f = test_theory(ctx, yaml);
        value[i] = test_value(f, "plateau", "");
        nnd_frame_free(f);
    }
    ck_assert(value[0] > level && level > value[2] && value[1] == found.value);
    ck_assert(fabs(value[1] - level) <= fmin(value[0] - level, level - value[2]));
}
END_TEST

/* The risk at t = 0 falls with gamma0: its maximum is the lower end. */
START_TEST(extremum_at_an_end_is_said_to_be_there) {
    named o = {.param = "gamma0",
               .low = 0.5,
               .high = 2,
               .goal = NND_FIND_MAX,
               .variable = "test_risk",
               .at = {{"t", 0}}};
    nnd_found found = found_or_abort("{model: deep-linear, params: {steps: 0}}", o);
    ck_assert(found.at_edge && found.param == 0.5);
}
END_TEST

#define LINEAR                                                                                     \
    "{model: two-layer-fluctuations, params: {activation: linear, steps: 6, record: [0, 6], "      \
    "data: {gram: [[1, 0.6], [0.6, 1]], targets: [1, -0.5]}, lr: %.17g}}"

static bool diverges(double lr) {
    char yaml[512];
    nnd_frame *f = NULL;
    snprintf(yaml, sizeof yaml, LINEAR, lr);
    nnd_case *c = test_case(ctx, yaml);
    nnd_status status = nnd_theory_find(c->model)->solve(ctx, c->params[0], &f);
    nnd_frame_free(f);
    nnd_case_free(c);
    return status == NND_DIVERGED;
}

START_TEST(a_divergence_lies_within_the_interval_that_is_told) {
    char yaml[512];
    nnd_found found;
    snprintf(yaml, sizeof yaml, LINEAR, 1.0);
    named o = {.param = "lr", .low = 0.1, .high = 20, .goal = NND_FIND_DIVERGENCE};
    found = found_or_abort(yaml, o);
    ck_assert(!diverges(found.param) && diverges(found.param + found.uncertainty));
    ck_assert_double_le(found.uncertainty, 1.01e-8 * found.param);
    ck_assert_double_eq(found.value, 6.0);
    o.high = 1.0;
    ck_assert_int_eq(find(yaml, o, &found), NND_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx),
                                 "diverges at none of the 129 values of lr from 0.1 to "
                                 "1, at most 0.0178 apart"));
}
END_TEST

/* Lazy training of one sample whose rate is every other time tenfold: two steps multiply the
 * residual by (1 - u)(1 - 10 u) of u = 2 lr, most by -2.025 at 0.55, and the loss of 30 steps by up
 * to 1.55866e9. Below that bound by a share e of it the window is a few sqrt(e) wide: 5e-4 here,
 * where the scan looks every 2e-3 and more. */
START_TEST(a_window_of_divergence_between_two_values_of_the_scan_is_found) {
    char yaml[1024], list[256] = "1, 10";
    const double bound = 1.5586e9, fold = pow(bound, 1.0 / 30.0);
    for (size_t i = 1; i < 15; i++)
        strncat(list, ", 1, 10", sizeof list - strlen(list) - 1);
    snprintf(yaml, sizeof yaml,
             "{model: wide-mlp, params: {activation: linear, parameterization: ntk, depth: 1, "
             "steps: 30, data: {gram: [[1]], targets: [1]}, schedule: {list: [%s]}, "
             "divergence_bound: %.17g}}",
             list, bound);
    const named o = {.param = "lr", .low = 0.05, .high = 0.48, .goal = NND_FIND_DIVERGENCE};
    nnd_found found = found_or_abort(yaml, o);
    test_close("edge", found.param, (0.55 - sqrt((2.025 - fold) / 10.0)) / 2.0, 1e-7);
    ck_assert_double_le(found.uncertainty, 1.01e-8 * found.param);
    ck_assert_double_eq(found.value, 30.0);
    /* The widest step of the scan below the window. */
    ck_assert_double_ge(found.gap, 2e-3);
    ck_assert_double_le(found.gap, 4e-3);
}
END_TEST

/* The loss falls with the rate up to 1.1, the kernel's share of the edge of stability rises: the
 * least loss below a share is where the share is reached. */
START_TEST(a_bound_that_holds_back_is_reached_and_one_that_does_not_changes_nothing) {
    char yaml[512];
    nnd_found free, bound;
    snprintf(yaml, sizeof yaml, LINEAR, 1.0);
    named o = {.param = "lr",
               .low = 0.1,
               .high = 1.3,
               .goal = NND_FIND_MIN,
               .variable = "loss",
               .subject = "stability",
               .relation = NND_BELOW,
               .bound = 1.0,
               .at = {{"t", 6}}};
    bound = found_or_abort(yaml, o);
    ck_assert_double_le(bound.subject, 1.0);
    test_close("stability", bound.subject, 1.0, 2e-5);
    named root = {.param = "lr",
                  .low = 0.1,
                  .high = 1.3,
                  .goal = NND_FIND_ZERO,
                  .variable = "stability",
                  .level = 1.0,
                  .at = {{"t", 6}}};
    test_close("lr", bound.param, found_or_abort(yaml, root).param, 2e-5);
    o.bound = 100.0;
    bound = found_or_abort(yaml, o);
    o.subject = NULL;
    free = found_or_abort(yaml, o);
    ck_assert_double_eq(bound.param, free.param);
    ck_assert_double_nan(free.subject);
    o.subject = "stability";
    o.bound = 1e-3;
    ck_assert_int_eq(find(yaml, o, &bound), NND_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "stability is nowhere below 0.001"));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "it is from 0.1"));
}
END_TEST

static nnd_status first(const char *yaml, const char *variable, nnd_relation relation, double level,
                        const nnd_coordinate *at, nnd_found *found) {
    nnd_case *c = test_case(ctx, yaml);
    const nnd_first_options o = {.variable = nnd_model_variable(c->model, variable),
                                 .relation = relation,
                                 .level = level,
                                 .coordinates = at != NULL,
                                 .at = at};
    nnd_status status = nnd_find_first(ctx, c->model, c->params[0], &o, found);
    nnd_case_free(c);
    return status;
}

/* Of 1000 steps 11 are recorded; the first one is that of the whole curve. */
START_TEST(the_first_step_is_that_of_the_whole_curve) {
    static const char steps[] = "{model: two-layer-fluctuations, params: {activation: linear, "
                                "kernels: false, bias: false, lr: 0.01, steps: 1000, "
                                "record_every: %d, data: {gram: [[1]], targets: [1]}}}";
    const double level = 0.4;
    char yaml[512], before[32], there[32];
    nnd_found found;
    const nnd_coordinate mu = {"mu", 0};
    snprintf(yaml, sizeof yaml, steps, 100);
    ck_assert_int_eq(first(yaml, "delta", NND_BELOW, level, &mu, &found), NND_OK);
    ck_assert_double_eq(found.uncertainty, 0.0);
    snprintf(yaml, sizeof yaml, steps, 1);
    nnd_frame *f = test_theory(ctx, yaml);
    snprintf(before, sizeof before, "t=%g,mu=0", found.param - 1.0);
    snprintf(there, sizeof there, "t=%g,mu=0", found.param);
    ck_assert(test_value(f, "delta", before) >= level && test_value(f, "delta", there) < level);
    ck_assert_double_eq(found.value, test_value(f, "delta", there));
    nnd_frame_free(f);
    double step = found.param;
    ck_assert_int_eq(first(yaml, "delta", NND_ABOVE, 0.9, &mu, &found), NND_OK);
    ck_assert(found.param == 0.0 && found.uncertainty == 0.0);
    /* Of the last step alone, too. */
    snprintf(yaml, sizeof yaml, steps, 1000);
    ck_assert_int_eq(first(yaml, "delta", NND_BELOW, level, &mu, &found), NND_OK);
    ck_assert_double_eq(found.param, step);
    snprintf(yaml, sizeof yaml,
             "{model: two-layer-fluctuations, params: {activation: linear, kernels: false, bias: "
             "false, lr: 0.01, steps: 1000, record: [1000], data: {gram: [[1]], targets: [1]}}}");
    ck_assert_int_eq(first(yaml, "delta", NND_ACROSS, level, &mu, &found), NND_OK);
    ck_assert_double_eq(found.param, step);
    ck_assert_int_eq(first(yaml, "delta", NND_ABOVE, 9.0, &mu, &found), NND_NOT_CONVERGED);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "to 1"));
    ck_assert_int_eq(first(yaml, "delta", NND_ACROSS, 0.4, NULL, &found), NND_E_INPUT);
    ck_assert_int_eq(found.fault, NND_FIND_FAULT_AT);
}
END_TEST

/* What is recorded at the time found does not depend on the search. */
START_TEST(a_time_of_a_flow_is_where_the_variable_has_the_level) {
    char yaml[256];
    nnd_found found, across;
    static const char flow[] = "{model: directional, params: {depth: 2, time: 1e5}}";
    ck_assert_int_eq(first(flow, "theta", NND_BELOW, 1e-3, NULL, &found), NND_OK);
    ck_assert_double_le(found.uncertainty, 0.51e-8 * found.param);
    ck_assert_int_eq(first(flow, "theta", NND_ACROSS, 1e-3, NULL, &across), NND_OK);
    ck_assert_double_eq(found.param, across.param);
    snprintf(yaml, sizeof yaml,
             "{model: directional, params: {depth: 2, time: 1e5, record: [%.17g]}}", found.param);
    nnd_frame *f = test_theory(ctx, yaml);
    snprintf(yaml, sizeof yaml, "t=%.17g", found.param);
    /* theta falls by a factor e in a time of some units at t = 20; integrated to 1e-11. */
    test_close("theta", test_value(f, "theta", yaml), 1e-3, 1e-6);
    nnd_frame_free(f);
}
END_TEST

START_TEST(bad_searches_are_refused_with_the_reason) {
    static const struct {
        named o;
        nnd_status status;
        const char *says;
        nnd_find_fault fault;
    } cases[] = {
        {{.param = "nonsense", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", 0}}},
         NND_E_INPUT,
         "a parameter",
         NND_FIND_FAULT_OTHER},
        {{.param = "training", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", 0}}},
         NND_E_INPUT,
         "training is not a parameter",
         NND_FIND_FAULT_OTHER},
        {{.param = "depth", .low = 1.5, .high = 2, .variable = "test_risk", .at = {{"t", 0}}},
         NND_E_INPUT,
         "depth: 1.5:2; allowed: integers",
         NND_FIND_FAULT_INTERVAL},
        {{.param = "nu", .low = 2, .high = 1, .variable = "test_risk", .at = {{"t", 0}}},
         NND_E_INPUT,
         "LOW < HIGH",
         NND_FIND_FAULT_INTERVAL},
        {{.param = "nu", .low = 1, .high = 2, .variable = "nonsense"},
         NND_E_INPUT,
         "a variable",
         NND_FIND_FAULT_OTHER},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk"},
         NND_E_INPUT,
         "depends on t: say where",
         NND_FIND_FAULT_AT},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", 99}}},
         NND_E_INPUT,
         "t=99: no such coordinate; nearest: 1, 2 (0 .. 2)",
         NND_FIND_FAULT_AT},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", 0.6}}},
         NND_E_INPUT,
         "nearest: 0, 1 (0 .. 2)",
         NND_FIND_FAULT_AT},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", -7}}},
         NND_E_INPUT,
         "nearest: 0, 1 (0 .. 2)",
         NND_FIND_FAULT_AT},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", INFINITY}}},
         NND_E_INPUT,
         "t=inf: no such coordinate (0 .. 2)",
         NND_FIND_FAULT_AT},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .at = {{"t", 0}, {"t", 1}}},
         NND_E_INPUT,
         "t stands twice",
         NND_FIND_FAULT_AT},
        {{.param = "nu", .low = -1, .high = 2, .variable = "test_risk", .at = {{"t", 0}}},
         NND_E_INPUT,
         "out of range",
         NND_FIND_FAULT_OTHER},
        {{.param = "nu",
          .low = 1,
          .high = 2,
          .variable = "test_risk",
          .at = {{"t", 0}},
          .level = 99},
         NND_NOT_CONVERGED,
         "does not cross",
         NND_FIND_FAULT_OTHER},
        {{.low = 1, .high = 2, .variable = "test_risk"},
         NND_E_INPUT,
         "a parameter",
         NND_FIND_FAULT_OTHER},
        {{.param = "nu", .low = 1, .high = 2}, NND_E_INPUT, "a variable", NND_FIND_FAULT_OTHER},
        {{.param = "nu", .low = 1, .high = 2, .variable = "test_risk", .goal = (nnd_goal)7},
         NND_E_INPUT,
         "a goal",
         NND_FIND_FAULT_OTHER},
        {{.param = "nu",
          .low = 1,
          .high = 2,
          .variable = "test_risk",
          .at = {{"t", 0}},
          .level = NAN},
         NND_E_INPUT,
         "nan is not a level",
         NND_FIND_FAULT_OTHER},
        {{.param = "nu", .low = NAN, .high = 2, .variable = "test_risk", .at = {{"t", 0}}},
         NND_E_INPUT,
         "LOW < HIGH",
         NND_FIND_FAULT_INTERVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnd_found found;
        nnd_status status = find("{model: deep-linear, params: {steps: 2}}", cases[i].o, &found);
        ck_assert_int_eq(status, cases[i].status);
        ck_assert_int_eq(found.fault, cases[i].fault);
        ck_assert_msg(strstr(nnd_context_message(ctx), cases[i].says) != NULL, "%s",
                      nnd_context_message(ctx));
    }
}
END_TEST

START_TEST(a_solver_that_does_not_converge_is_said_to) {
    nnd_found found;
    named o = {.param = "gamma0",
               .low = 0.5,
               .high = 2.0,
               .points = 3,
               .goal = NND_FIND_MAX,
               .variable = "delta_nvar",
               .at = {{"t", 2}, {"mu", 0}}};
    ck_assert_int_eq(find("{model: two-layer-fluctuations, params: {activation: {name: tanh, gain: "
                          "8}, solver: quadrature, nodes: 8, tolerance: 1e-9, steps: 2, bias: "
                          "false, kernels: false, "
                          "data: {gram: [[1]], targets: [1]}}}",
                          o, &found),
                     NND_NOT_CONVERGED);
    ck_assert(isfinite(found.value));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "does not converge at gamma0"));
}
END_TEST

/* One model, and where one of its variables is looked at long before the end of the run. */
typedef struct {
    const char *yaml, *param;
    double low, high;
    const char *variable, *coordinates;
    nnd_coordinate at[COORDINATES + 1];
    double tolerance; /* relative */
} early;

/* Steps are the same however many follow. Those of a flow are a quotient of numbers that are cut;
 * adaptive ones may end elsewhere and are accurate to 1e-11 each; a quadrature has its tolerance.
 */
static const double SAME = 0.0, QUOTIENT = 1e-14, INTEGRATED = 1e-9, QUADRATURE = 1e-7;

#define ONE_SAMPLE "data: {gram: [[1]], targets: [1]}"
#define POPULATION "data: {covariance: [[1, 0], [0, 2]], minimizer: [1, 1]}"

/* A search stops at the time it looks at; what it finds there is what the whole run says. */
START_TEST(what_is_found_is_what_the_whole_run_says) {
    const early cases[] = {
        {"{model: deep-linear, params: {depth: 2, steps: 12, gamma0: %.17g}}",
         "gamma0",
         0.5,
         1.5,
         "test_risk",
         "t=5",
         {{"t", 5}},
         SAME},
        {"{model: deep-linear, params: {depth: 2, steps: 12, two_time: true, gamma0: %.17g}}",
         "gamma0",
         0.5,
         1.5,
         "delta_two_time",
         "t=7,s=3",
         {{"t", 7}, {"s", 3}},
         SAME},
        {"{model: deep-linear, params: {integrator: flow, steps: 20, time: 2, gamma0: %.17g}}",
         "gamma0",
         0.5,
         1.5,
         "test_risk",
         "t=0.3",
         {{"t", 0.3}},
         QUOTIENT},
        {"{model: deep-linear, params: {integrator: flow, steps: 20, time: 2, gamma0: %.17g}}",
         "gamma0",
         0.5,
         1.5,
         "test_risk",
         "t=0",
         {{"t", 0}},
         SAME},
        {"{model: wide-mlp, params: {activation: tanh, depth: 1, steps: 6, samples: 64, "
         "replicates: 2, solver: march, " ONE_SAMPLE ", gamma0: %.17g}}",
         "gamma0",
         0.5,
         1.5,
         "loss",
         "t=2",
         {{"t", 2}},
         SAME},
        {"{model: two-layer-fluctuations, params: {activation: tanh, steps: 4, bias: "
         "false, " ONE_SAMPLE ", gamma0: %.17g}}",
         "gamma0",
         0.5,
         1.5,
         "delta_nvar",
         "t=2,mu=0",
         {{"t", 2}, {"mu", 0}},
         QUADRATURE},
        {"{model: lazy-fluctuations, params: {steps: 8, " ONE_SAMPLE ", lr: %.17g}}",
         "lr",
         0.1,
         0.2,
         "delta",
         "t=2,mu=0",
         {{"t", 2}, {"mu", 0}},
         SAME},
        {"{model: online-fluctuations, params: {steps: 8, lr: %.17g}}",
         "lr",
         0.1,
         0.2,
         "error",
         "t=2",
         {{"t", 2}},
         SAME},
        {"{model: alignment, params: {training: gd, steps: 30, lr: %.17g}}",
         "lr",
         0.1,
         0.2,
         "gen_error",
         "t=9",
         {{"t", 9}},
         SAME},
        {"{model: alignment, params: {training: flow, time: 30, record: [3, 9], alpha: %.17g}}",
         "alpha",
         2.0,
         3.0,
         "gen_error",
         "t=9",
         {{"t", 9}},
         INTEGRATED},
        {"{model: directional, params: {integrator: gd, steps: 30, lr: %.17g}}",
         "lr",
         0.1,
         0.2,
         "omega",
         "t=9",
         {{"t", 9}},
         SAME},
        {"{model: directional, params: {time: 30, record: [2, 9], theta0: %.17g}}",
         "theta0",
         1.0,
         2.0,
         "omega",
         "t=9",
         {{"t", 9}},
         INTEGRATED},
        {"{model: flat-minima, params: {init: aligned, " POPULATION
         ", record: [9], steps: 30, lr: %.17g}}",
         "lr",
         0.01,
         0.02,
         "loss",
         "t=9",
         {{"t", 9}},
         SAME},
        {"{model: flat-minima, params: {init: aligned, " POPULATION
         ", integrator: flow, time: 30, record: [0.2, 0.5], "
         "init_scale: %.17g}}",
         "init_scale",
         0.2,
         0.3,
         "loss",
         "t=0.5",
         {{"t", 0.5}},
         INTEGRATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const early *e = &cases[i];
        char yaml[512];
        named o = {.param = e->param,
                   .low = e->low,
                   .high = e->high,
                   .points = 3,
                   .goal = NND_FIND_MAX,
                   .variable = e->variable};
        memcpy(o.at, e->at, sizeof o.at);
        snprintf(yaml, sizeof yaml, e->yaml, e->low);
        nnd_found found = found_or_abort(yaml, o);
        snprintf(yaml, sizeof yaml, e->yaml, found.param);
        nnd_frame *whole = test_theory(ctx, yaml);
        double want = test_value(whole, e->variable, e->coordinates);
        ck_assert_msg(fabs(found.value - want) <= e->tolerance * fabs(want),
                      "%s at %s: %.17g, want %.17g", e->yaml, e->coordinates, found.value, want);
        nnd_frame_free(whole);
    }
}
END_TEST

/* The whole run would take all the memory, and days. */
START_TEST(a_search_goes_no_further_than_it_must) {
    nnd_found found =
        found_or_abort("{model: deep-linear, params: {steps: 1000000}}", AT_THE_START);
    test_close("gamma0", found.param, 2.0, 2e-8);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("find");
    TCase *tests = tcase_create("find");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_divergence_lies_within_the_interval_that_is_told);
    tcase_add_test(tests, a_window_of_divergence_between_two_values_of_the_scan_is_found);
    tcase_add_test(tests, a_bound_that_holds_back_is_reached_and_one_that_does_not_changes_nothing);
    tcase_add_test(tests, the_first_step_is_that_of_the_whole_curve);
    tcase_add_test(tests, a_time_of_a_flow_is_where_the_variable_has_the_level);
    tcase_add_test(tests, root_of_a_known_function);
    tcase_add_loop_test(tests, best_learning_rates_of_the_transfer_example, 0, 6);
    tcase_add_test(tests, of_values_that_fail_side_by_side_the_first_is_named);
    tcase_add_test(tests, minimum_is_no_worse_than_a_fine_scan);
    tcase_add_loop_test(tests, extremum_of_whole_numbers_is_the_best_of_all, 0, 2);
    tcase_add_test(tests, root_of_whole_numbers_is_the_one_next_to_it);
    tcase_add_test(tests, extremum_at_an_end_is_said_to_be_there);
    tcase_add_test(tests, bad_searches_are_refused_with_the_reason);
    tcase_add_test(tests, a_solver_that_does_not_converge_is_said_to);
    tcase_add_test(tests, what_is_found_is_what_the_whole_run_says);
    tcase_add_test(tests, a_search_goes_no_further_than_it_must);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
