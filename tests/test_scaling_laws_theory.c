/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory of `scaling-laws` as cases ask for it: reference numbers and scaling laws
 * (scaling-laws.md#s8, scaling-laws.md#s9), what is refused, and that no input gives nonsense. */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "with_context.h"

/* Numbers printed with ten digits. */
static const double REFERENCE_RTOL = 1e-9;

#define CASE_A                                                                                     \
    "features: {power_law: 1.5, count: 400}, target: 2, width: 100, samples: 150, noise2: 0.05"

START_TEST(reference_case_of_flow) {
    nnd_frame *f = test_theory(ctx, "{model: scaling-laws, params: {" CASE_A
                                    ", time: 1.0e6, record: [0.1, 100]}}");
    test_close("L(.1)", test_value(f, "test_mse", "t=0.1"), 1.487309608, REFERENCE_RTOL);
    test_close("L(1e6)", test_value(f, "test_mse", "t=1000000"), .2525506652, REFERENCE_RTOL);
    test_close("T(100)", test_value(f, "train_mse", "t=100"), .0734347714, REFERENCE_RTOL);
    double a = .05690115396, d = .04742442595, none = .03667807738, risk = .1251197743 - .05;
    test_close("A", test_value(f, "same_projection", "t=100"), a, REFERENCE_RTOL);
    test_close("D", test_value(f, "same_data", "t=100"), d, REFERENCE_RTOL);
    test_close("bias", test_value(f, "bias", "t=100"), none, REFERENCE_RTOL);
    test_close("var_projection", test_value(f, "var_projection", "t=100"), a - none, 1e-8);
    test_close("var_data", test_value(f, "var_data", "t=100"), d - none, 1e-8);
    test_close("var_joint", test_value(f, "var_joint", "t=100"), risk + none - a - d, 1e-8);
    test_close("x_max", test_value(f, "top_eigenvalue", ""), 1.310344265, REFERENCE_RTOL);
    test_close("kappa_0", test_value(f, "kappa0", ""), .00210276255, REFERENCE_RTOL);
    ck_assert(test_value(f, "contour_error", "") < 1e-10);
    nnd_frame_free(f);
}
END_TEST

START_TEST(reference_cases_of_steps) {
    nnd_frame *f = test_theory(ctx, "{model: scaling-laws, params: {" CASE_A
                                    ", training: gd, lr: 1.3, steps: 10000, record: [2, 100]}}");
    test_close("gd", test_value(f, "test_mse", "t=2"), .3803940514, REFERENCE_RTOL);
    test_close("gd", test_value(f, "test_mse", "t=10000"), .2271616425, REFERENCE_RTOL);
    test_close("stability", test_value(f, "stability", ""), 1.3 * 1.310344265, REFERENCE_RTOL);
    nnd_frame_free(f);
    f = test_theory(ctx, "{model: scaling-laws, params: {" CASE_A
                         ", training: mini-batch, batch: 10, lr: 0.4, steps: 100}}");
    test_close("mini-batch", test_value(f, "test_mse", "t=100"), .1464922387, REFERENCE_RTOL);
    test_close("mini-batch", test_value(f, "train_mse", "t=100"), .1063271946, REFERENCE_RTOL);
    nnd_frame_free(f);
    f = test_theory(ctx, "{model: scaling-laws, params: {features: {power_law: 1.5, count: 400}, "
                         "target: 2, width: 100, noise2: 0.05, training: one-pass, batch: 10, "
                         "lr: 0.5, steps: 10000, record: [1, 100]}}");
    test_close("one-pass", test_value(f, "test_mse", "t=1"), .9121742371, REFERENCE_RTOL);
    test_close("one-pass", test_value(f, "test_mse", "t=10000"), .09096537235, REFERENCE_RTOL);
    test_close("Sigma", test_value(f, "stability", ""), .0745230308, REFERENCE_RTOL);
    ck_assert_ptr_null(nnd_frame_find(f, "train_mse"));
    nnd_frame_free(f);
    f = test_theory(ctx,
                    "{model: scaling-laws, params: {" CASE_A ", training: ridge, ridge: 1.0e-3}}");
    test_close("ridge", test_value(f, "test_mse", ""), .12928756564, REFERENCE_RTOL);
    test_close("ridge", test_value(f, "train_mse", ""), .04271654835, REFERENCE_RTOL);
    nnd_frame_free(f);
}
END_TEST

/* Means over E_A projections and E_D data sets, by the formula of the mean of E_A E_D students. */
START_TEST(ensembles_average_pairs_of_students) {
    nnd_frame *f = test_theory(ctx, "{model: scaling-laws, params: {" CASE_A ", time: 100, "
                                    "record: [100], ensemble: {projections: 3, data: 2}}}");
    double s = test_value(f, "test_risk", "t=100"), a = test_value(f, "same_projection", "t=100");
    double d = test_value(f, "same_data", "t=100"), none = test_value(f, "independent", "t=100");
    double sum = 0.0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            sum += i == j ? s : i / 2 == j / 2 ? a : i % 2 == j % 2 ? d : none;
    test_close("ensemble", test_value(f, "ensemble_risk", "t=100"), sum / 36.0, 1e-12);
    nnd_frame_free(f);
}
END_TEST

/* ---- laws ---- */

static nnd_frame *theory_of(const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return test_theory(ctx, text);
}

/* The local exponent at the time nearest to t. */
static double exponent_near(const nnd_frame *f, double t) {
    const nnd_dim *time = nnd_frame_find_dim(f, "t");
    const nnd_array *exponent = nnd_frame_find(f, "exponent");
    size_t best = 0;
    for (size_t i = 0; i < time->length; i++)
        if (fabs(log(time->value[i] / t)) < fabs(log(time->value[best] / t)))
            best = i;
    return exponent->data[best];
}

/* Exponents are asymptotic: at these times and sizes they are reached to two digits. */
static const double EXPONENT_TOLERANCE = 0.02;

static void compare_exponent(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: got %.5f, want %.5f", what, got, want);
}

/* scaling-laws.md#eq17 */
START_TEST(losses_fall_with_the_powers_of_time) {
    const double law[][2] = {{1.5, 2.0}, {1.2, 1.6}, {1.5, 2.8}, {2.0, 3.5}};
    for (int i = 0; i < 4; i++) {
        double b = law[i][0], a = law[i][1];
        nnd_frame *f = theory_of("{model: scaling-laws, params: {features: {power_law: %g, count: "
                                 "1.0e+12}, target: %g, time: 1.0e+7}}",
                                 b, a);
        compare_exponent("time", exponent_near(f, 1e5), -(a - 1.0) / b, 1e-3);
        nnd_frame_free(f);
    }
}
END_TEST

/* d log L/d log size of the losses that width or samples alone leave. */
static double floor_exponent(double b, double a, const char *key, double size) {
    double risk[2];
    for (int i = 0; i < 2; i++) {
        nnd_frame *f = theory_of("{model: scaling-laws, params: {features: {power_law: %g, count: "
                                 "1.0e+12}, target: %g, %s: %g, training: ridge}}",
                                 b, a, key, i == 0 ? size : 2.0 * size);
        risk[i] = test_value(f, "test_risk", "");
        nnd_frame_free(f);
    }
    return log(risk[1] / risk[0]) / log(2.0);
}

START_TEST(losses_fall_with_the_powers_of_width_and_samples) {
    const double law[][2] = {{1.5, 2.0}, {1.2, 1.6}, {1.5, 3.5}, {1.2, 4.5}};
    for (int i = 0; i < 4; i++) {
        double b = law[i][0], a = law[i][1];
        compare_exponent("N", floor_exponent(b, a, "width", 3e4), -fmin(a - 1.0, b),
                         EXPONENT_TOLERANCE);
        compare_exponent("P", floor_exponent(b, a, "samples", 3e4), -fmin(a - 1.0, 2.0 * b),
                         EXPONENT_TOLERANCE);
    }
}
END_TEST

/* With batches of fixed size their noise wins if a > 2b. */
START_TEST(noise_of_batches_has_an_exponent_of_its_own) {
    const double law[][2] = {{1.5, 2.0}, {1.5, 4.0}};
    for (int i = 0; i < 2; i++) {
        double b = law[i][0], a = law[i][1];
        nnd_frame *f = theory_of("{model: scaling-laws, params: {features: {power_law: %g, count: "
                                 "1.0e+9}, target: %g, training: one-pass, batch: 10, lr: 0.5, "
                                 "steps: 1000000}}",
                                 b, a);
        compare_exponent("SGD", exponent_near(f, 1e5), -fmin((a - 1.0) / b, 2.0 - 1.0 / b),
                         EXPONENT_TOLERANCE);
        nnd_frame_free(f);
    }
}
END_TEST

/* scaling-laws.md#eq18 */
START_TEST(compute_optimal_widths_follow_their_laws) {
    const double law[][2] = {{1.5, 2.0}, {1.2, 1.6}, {1.5, 2.8}, {2.0, 3.5}};
    for (int i = 0; i < 4; i++) {
        double b = law[i][0], a = law[i][1];
        nnd_frame *f = theory_of(
            "{model: scaling-laws, params: {features: {power_law: %g, count: 1.0e+12}, target: %g, "
            "time: 1.0e+4, record: [1], frontier: {from: 10, to: 1.0e+5, widths: 40, compute: "
            "[1.0e+8, 1.2e+8, 1.44e+8]}}}",
            b, a);
        double x = a - b < 1.0 ? 1.0 / (1.0 + b) : (a - b) / a;
        double y = a - b < 1.0 ? (a - 1.0) / (1.0 + b) : (a - 1.0) / a;
        compare_exponent("y", test_value(f, "optimal_risk_exponent", "compute=120000000"), -y,
                         0.01);
        compare_exponent("x", test_value(f, "optimal_width_exponent", "compute=120000000"), x,
                         0.01);
        const nnd_attribute *error = nnd_frame_find_attribute(f, "optimal_risk_exponent", "error");
        ck_assert(error != NULL && error->number < 3e-3);
        double n = test_value(f, "optimal_width", "compute=120000000");
        test_close("C = N t", n * test_value(f, "optimal_time", "compute=120000000"), 1.2e8, 1e-12);
        nnd_frame_free(f);
    }
}
END_TEST

/* ---- any input ---- */

static double uniform(void) {
    static uint64_t state = 2718;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static double log_uniform(double low, double high) {
    return low * pow(high / low, uniform());
}

/* A size from 1 to infinity, often the one that is given. */
static void any_size(double other, size_t size, char *text, double *value) {
    double kind = uniform();
    *value = kind < 0.15 ? INFINITY : kind < 0.35 ? other : floor(log_uniform(1.0, 1e6));
    if (isinf(*value))
        snprintf(text, size, "inf");
    else
        snprintf(text, size, "%.17g", *value);
}

static void any_features(char *text, size_t size, double *dim) {
    if (uniform() < 0.5) {
        *dim = floor(log_uniform(1.0, 1e12));
        snprintf(text, size, "features: {power_law: %.3f, count: %.17g}, target: %.3f",
                 3.0 * uniform(), *dim, 0.2 + 4.0 * uniform());
        return;
    }
    *dim = 0.0;
    size_t modes = 1 + (size_t)(4.0 * uniform()), used = 0;
    char list[3][128] = {"", "", ""};
    for (size_t k = 0; k < modes; k++) {
        double n = floor(log_uniform(1.0, 300.0));
        *dim += n;
        snprintf(list[0] + used, 128 - used, "%s%.3e", k > 0 ? ", " : "", log_uniform(1e-4, 10.0));
        snprintf(list[1] + used, 128 - used, "%s%9.0f", k > 0 ? ", " : "", n);
        used += (size_t)snprintf(list[2] + used, 128 - used, "%s%.3e", k > 0 ? ", " : "",
                                 uniform() < 0.2 ? 0.0 : uniform());
    }
    snprintf(text, size,
             "features: {eigenvalues: [%s], multiplicity: [%s]}, target: {weights2: [%s]}", list[0],
             list[1], list[2]);
}

/* What a loss may not be, whatever the input. NaN, that it is not known, is caught by the status.
 */
static void check_losses(const char *text, const nnd_frame *f) {
    static const char *const positive[] = {
        "test_mse", "train_mse", "test_risk",      "same_projection", "same_data",    "independent",
        "bias",     "var_data",  "var_projection", "var_joint",       "ensemble_risk"};
    const double *test = nnd_frame_find(f, "test_mse")->data;
    const nnd_array *train = nnd_frame_find(f, "train_mse"),
                    *error = nnd_frame_find(f, "contour_error");
    double rounding = error != NULL ? error->data[0] : 1e-12 * test[0];
    for (size_t v = 0; v < sizeof positive / sizeof *positive; v++) {
        const nnd_array *x = nnd_frame_find(f, positive[v]);
        for (size_t t = 0; x != NULL && t < x->count; t++)
            ck_assert_msg(!(x->data[t] < 0.0), "%s: %s[%zu] = %g", text, positive[v], t,
                          x->data[t]);
    }
    for (size_t t = 0; train != NULL && t < train->count; t++)
        ck_assert_msg(train->data[t] <= test[t] + rounding, "%s: t[%zu]: train %.17g, test %.17g",
                      text, t, train->data[t], test[t]);
}

START_TEST(no_input_gives_a_negative_loss_or_more_of_it_in_training) {
    static const char *const TRAINING[] = {"flow, time: 1.0e+7", "ridge, ridge: 0.01",
                                           "ridge, ridge: 0", "gd, steps: 3000",
                                           "one-pass, batch: 3, steps: 5000"};
    for (int i = 0; i < 100; i++) {
        char features[512], sizes[2][32], lr[32] = "", text[1024];
        double dim, width, samples;
        int kind = i % 5;
        any_features(features, sizeof features, &dim);
        any_size(dim, sizeof sizes[0], sizes[0], &width);
        any_size(uniform() < 0.5 ? dim : width, sizeof sizes[1], sizes[1], &samples);
        if (kind > 2)
            snprintf(lr, sizeof lr, ", lr: %g", log_uniform(1e-8, 1e-2));
        snprintf(text, sizeof text,
                 "{model: scaling-laws, params: {%s, width: %s, samples: %s, noise2: %g, training: "
                 "%s%s%s}}",
                 features, sizes[0], kind == 4 ? "inf" : sizes[1], uniform() < 0.5 ? 0.0 : 0.1,
                 TRAINING[kind], lr, kind == 0 || kind > 2 ? ", record: [1, 7, 60, 1000]" : "");
        nnd_case *c = test_case(ctx, text);
        nnd_frame *f = NULL;
        nnd_status status = nnd_theory_run(ctx, c, NULL, &f);
        if (status == NND_E_INPUT && kind > 2) /* not stable */
            ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "params.lr: "));
        else {
            ck_assert_msg(status == NND_OK, "%s: %d %s", text, status, nnd_context_message(ctx));
            check_losses(text, f);
        }
        nnd_frame_free(f);
        nnd_case_free(c);
    }
}
END_TEST

/* As many projections, samples or modes as there are of another. */
START_TEST(equal_sizes_are_handled) {
    nnd_frame *f = test_theory(
        ctx, "{model: scaling-laws, params: {features: {power_law: 1.5, count: 400}, target: 2, "
             "noise2: 0.1, time: 1.0e+8}, sweep: {width: [50, 400], samples: [50, 400]}}");
    const nnd_array *end = nnd_frame_find(f, "test_mse_inf");
    const nnd_array *test = nnd_frame_find(f, "test_mse");
    size_t times = nnd_frame_find_dim(f, "t")->length;
    /* N = P < M and P = M: never saturates; N < P: saturates; N = P = M */
    ck_assert(isinf(end->data[0]) && isfinite(end->data[1]) && isfinite(end->data[2]) &&
              isinf(end->data[3]));
    for (size_t i = 0; i < 4; i++) {
        double late = test->data[i * times + times - 1];
        if (isinf(end->data[i]))
            ck_assert(late > 3.0 * 0.1);
        else
            test_close("end", late, end->data[i], 1e-3);
    }
    nnd_frame_free(f);
}
END_TEST

/* Without a ridge the loss at P = M is infinite, and so is what rests on it; nothing is NaN. */
START_TEST(what_is_infinite_is_no_reason_for_unknowns) {
    static const char *const infinite[] = {"test_mse",          "same_data",
                                           "var_data",          "ensemble_risk",
                                           "test_mse_min_size", "ensemble_risk_min_size"};
    nnd_frame *f = test_theory(ctx, "{model: scaling-laws, params: {features: {count: 60}, "
                                    "width: 100, samples: 60, noise2: 0.1, training: ridge}}");
    for (size_t i = 0; i < sizeof infinite / sizeof *infinite; i++)
        ck_assert_msg(isinf(test_value(f, infinite[i], "")), "%s", infinite[i]);
    ck_assert(isfinite(test_value(f, "bias", "")) && test_value(f, "train_mse", "") == 0.0);
    nnd_frame_free(f);
}
END_TEST

/* Ten times the error of all losses in it, one time being recorded. */
static void check_claim(const nnd_frame *f, const char *name, double losses, int *claimed) {
    char least[64];
    snprintf(least, sizeof least, "%s_min_size", name);
    double error = losses * test_value(f, "contour_error", "");
    bool resolved = test_value(f, name, "t=1") > 10.0 * error;
    ck_assert_msg(isfinite(test_value(f, least, "t=1")) == resolved, "%s: %g, error %g", name,
                  test_value(f, name, "t=1"), error);
    *claimed += resolved;
}

START_TEST(differences_have_the_errors_of_all_losses_in_them) {
    enum { SIZES = 30 };
    int of_loss = 0, of_two = 0, of_four = 0;
    for (int i = 0; i < SIZES; i++) {
        nnd_frame *f = theory_of("{model: scaling-laws, params: {features: {count: 2000}, width: "
                                 "1000, samples: %.0f, time: 1, record: [1]}}",
                                 1e5 * pow(2.0, i));
        check_claim(f, "bias", 1.0, &of_loss);
        check_claim(f, "var_data", 2.0, &of_two);
        check_claim(f, "var_joint", 4.0, &of_four);
        nnd_frame_free(f);
    }
    ck_assert(of_loss == SIZES && of_two < SIZES && of_four > 0 && of_four < of_two);
}
END_TEST

/* Nothing to learn but noise: the risk is what is learned of it. */
START_TEST(zero_targets_leave_the_noise) {
    nnd_frame *f = test_theory(
        ctx, "{model: scaling-laws, params: {features: {eigenvalues: [1, 0.1]}, "
             "target: {weights2: [0, 0]}, samples: 8, noise2: 0.2, time: 1.0e+4, record: [0]}}");
    test_close("start", test_value(f, "test_mse", "t=0"), 0.2, 1e-14);
    test_close("end", test_value(f, "test_mse", "t=10000"), 0.2 / (1.0 - 2.0 / 8.0), 1e-9);
    ck_assert(test_value(f, "bias", "t=10000") == 0.0);
    nnd_frame_free(f);
}
END_TEST

static void refuse(const char *text, const char *message) {
    nnd_case *c = test_case(ctx, text);
    nnd_frame *f = NULL;
    nnd_status status = nnd_theory_run(ctx, c, NULL, &f);
    ck_assert_msg(status == NND_E_INPUT, "%s: %d", text, status);
    ck_assert_msg(strstr(nnd_context_message(ctx), message) != NULL, "%s",
                  nnd_context_message(ctx));
    nnd_frame_free(f);
    nnd_case_free(c);
}

START_TEST(what_is_not_stable_is_refused) {
    refuse("{model: scaling-laws, params: {" CASE_A ", training: gd, lr: 1.6}}",
           "params.lr: 1.6 is not stable; allowed: below 1.526");
    refuse("{model: scaling-laws, params: {" CASE_A ", training: gd, lr: 2.8, momentum: 0.8}}",
           "params.lr: 2.8 is not stable; allowed: below 2.747");
    refuse("{model: scaling-laws, params: {" CASE_A ", training: mini-batch, batch: 1, lr: 1.4}}",
           "params.lr: 1.4 is not stable; allowed: below ");
    refuse("{model: scaling-laws, params: {" CASE_A
           ", training: gd, lr: 1.4, frontier: {from: 2, to: 50}}}",
           "params.lr: 1.4 is not stable at width 2 of params.frontier; allowed: below ");
    refuse("{model: scaling-laws, params: {features: {power_law: 1.2, count: 400}, target: 2, "
           "training: one-pass, batch: 1, lr: 1}}",
           "params.lr: 1 is not stable; allowed: below ");
    refuse("{model: scaling-laws, params: {" CASE_A
           ", training: gd, lr: 0.5, momentum: 0.999, steps: 10000}}",
           "params.momentum: oscillations at 0.999 take ");
}
END_TEST

/* The limit that the message names is one: just below it batches of one sample still converge. */
START_TEST(the_largest_learning_rate_is_stable) {
    nnd_case *c = test_case(ctx, "{model: scaling-laws, params: {features: {power_law: 1.2, count: "
                                 "400}, target: 2, training: one-pass, batch: 1, lr: 1}}");
    nnd_frame *f = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &f), NND_E_INPUT);
    nnd_case_free(c);
    const char *limit = strstr(nnd_context_message(ctx), "below ");
    ck_assert_ptr_nonnull(limit);
    f = theory_of("{model: scaling-laws, params: {features: {power_law: 1.2, count: 400}, target: "
                  "2, noise2: 0.1, training: one-pass, batch: 1, lr: %.6f, steps: 1000000, record: "
                  "[1]}}",
                  0.99 * strtod(limit + 6, NULL));
    ck_assert(test_value(f, "stability", "") > 0.97 && test_value(f, "stability", "") < 1.0);
    test_close("plateau", test_value(f, "test_mse", "t=1000000"), test_value(f, "plateau", ""),
               0.05);
    nnd_frame_free(f);
}
END_TEST

/* Few nodes: said, not hidden. */
START_TEST(too_few_nodes_are_reported) {
    nnd_case *c = test_case(ctx, "{model: scaling-laws, params: {" CASE_A ", nodes: 8}}");
    nnd_frame *f = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &f), NND_NOT_CONVERGED);
    ck_assert(test_value(f, "contour_error", "") > 1e-6);
    nnd_frame_free(f);
    nnd_case_free(c);
}
END_TEST

/* Budgets of its own: optima lie between the widths, on a line in the logarithms. */
START_TEST(a_frontier_chooses_budgets_that_its_widths_span) {
    nnd_frame *f =
        test_theory(ctx, "{model: scaling-laws, params: {features: {power_law: 1.5, "
                         "count: 1.0e+9}, target: 2, training: gd, lr: 0.5, steps: "
                         "10000, record: [1], frontier: {from: 5, to: 1000, widths: 12}}}");
    const nnd_array *width = nnd_frame_find(f, "optimal_width");
    const double *compute = nnd_frame_find_dim(f, "compute")->value;
    size_t inside = 0;
    for (size_t i = 0; i < width->count; i++) {
        if (isnan(width->data[i]))
            continue;
        inside++;
        ck_assert(width->data[i] > 5.0 && width->data[i] < 1000.0);
        ck_assert(i == 0 || !(width->data[i - 1] >= width->data[i]));
        ck_assert(compute[i] > 0.0);
    }
    ck_assert_uint_ge(inside, 10);
    nnd_frame_free(f);
}
END_TEST

/* Of the width that the parameters have, at t = C/N. */
START_TEST(no_width_is_below_the_frontier) {
    const char *compute[] = {"compute=3000", "compute=30000", "compute=300000"};
    const char *time[] = {"t=30", "t=300", "t=3000"};
    nnd_frame *f = test_theory(
        ctx,
        "{model: scaling-laws, params: {features: {power_law: 1.5, count: 1.0e+9}, target: 2, "
        "noise2: 0.3, width: 100, time: 3000, record: [30, 300], frontier: {from: 5, to: 3000, "
        "widths: 20, compute: [3000, 3.0e+4, 3.0e+5]}}}");
    for (size_t i = 0; i < 3; i++) {
        double risk = test_value(f, "risk_at_compute", compute[i]);
        test_close("risk", risk, test_value(f, "test_risk", time[i]), 1e-8);
        ck_assert_double_lt(test_value(f, "optimal_risk", compute[i]), risk);
    }
    nnd_frame_free(f);
}
END_TEST

START_TEST(compute_is_that_of_all_students) {
    nnd_frame *f = test_theory(ctx, "{model: scaling-laws, params: {width: 50, samples: 20, time: "
                                    "30, record: [10], ensemble: {projections: 4, data: 3}}}");
    ck_assert_double_eq(test_value(f, "compute_used", "t=10"), 6000.0);
    ck_assert_double_eq(test_value(f, "compute_used", "t=30"), 18000.0);
    nnd_frame_free(f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scaling laws: theory");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, reference_case_of_flow);
    tcase_add_test(tests, reference_cases_of_steps);
    tcase_add_test(tests, ensembles_average_pairs_of_students);
    tcase_add_test(tests, losses_fall_with_the_powers_of_time);
    tcase_add_test(tests, losses_fall_with_the_powers_of_width_and_samples);
    tcase_add_test(tests, noise_of_batches_has_an_exponent_of_its_own);
    tcase_add_test(tests, compute_optimal_widths_follow_their_laws);
    tcase_add_test(tests, no_input_gives_a_negative_loss_or_more_of_it_in_training);
    tcase_add_test(tests, equal_sizes_are_handled);
    tcase_add_test(tests, what_is_infinite_is_no_reason_for_unknowns);
    tcase_add_test(tests, differences_have_the_errors_of_all_losses_in_them);
    tcase_add_test(tests, zero_targets_leave_the_noise);
    tcase_add_test(tests, what_is_not_stable_is_refused);
    tcase_add_test(tests, the_largest_learning_rate_is_stable);
    tcase_add_test(tests, too_few_nodes_are_reported);
    tcase_add_test(tests, a_frontier_chooses_budgets_that_its_widths_span);
    tcase_add_test(tests, no_width_is_below_the_frontier);
    tcase_add_test(tests, compute_is_that_of_all_students);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
