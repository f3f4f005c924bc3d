/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory of the model `alignment`: the reference cases alignment.md#s8 through a case, its
 * limits, and what it refuses. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

/* alignment.md#s8 has seven digits. */
static const double TABLE_RTOL = 1e-6;

#define POWER "covariance: {power_law: 1, dim: 100}, teacher: {power: 1}, snr: 4"

typedef struct {
    const char *params, *variable, *at;
    double value;
} reference;

/* alignment.md#s8, row by row. */
static const reference REFERENCES[] = {
    {"alpha: 0.5", "kappa", "", 1.0},
    {"alpha: 0.5", "cosine", "", 0.5},
    {"alpha: 0.5", "gen_error", "", 1.0},
    {"alpha: 1, ridge: 0.05", "kappa", "", 0.25},
    {"alpha: 1, ridge: 0.05", "cosine", "", 0.4444444},
    {"alpha: 1, ridge: 0.05", "gen_error", "", 1.0},
    {"alpha: 1, ridge: 0.05", "signal", "", 0.7111111},
    {"alpha: 1, ridge: 0.05", "noise", "", 0.8888889},
    {"alpha: 1.5, ridge: 0.1", "kappa", "", 0.2203958},
    {"alpha: 1.5, ridge: 0.1", "cosine", "", 0.6326737},
    {"alpha: 1.5, ridge: 0.1", "gen_error", "", 0.4642129},
    {"minimum: true, ridge: 0.01", "alpha_min", "", 0.9724344},
    {"minimum: true, ridge: 0.1", "alpha_min", "", 0.7915166},
    {"minimum: true, ridge: 1", "alpha_min", "", 0.2886751},
    {"minimum: true, ridge: 0.1", "cosine_min", "", 0.4981986 * 2 / (1 + 0.4981986 * 2)},
    {"training: flow, alpha: 0.5, time: 2", "signal", "t=2", 0.3941176},
    {"training: flow, alpha: 0.5, time: 2", "noise", "t=2", 0.2665993},
    {"training: flow, alpha: 0.5, time: 2", "cosine", "t=2", 0.5964999},
    {"training: flow, alpha: 0.5, time: 2", "gen_error", "t=2", 0.7910303},
    {"training: gd, alpha: 0.5, lr: 0.1, steps: 20", "signal", "t=20", 0.3997771},
    {"training: gd, alpha: 0.5, lr: 0.1, steps: 20", "noise", "t=20", 0.2724095},
    {"training: gd, alpha: 0.5, lr: 0.1, steps: 20", "cosine", "t=20", 0.5947412},
    {"training: rich, alpha: 0.6, init_scale: 1e-4, time: 32, record: [4, 8]", "cosine", "t=4",
     0.6324623},
    {"training: rich, alpha: 0.6, init_scale: 1e-4, time: 32, record: [4, 8]", "cosine", "t=8",
     0.5144753},
    {"training: rich, alpha: 0.6, init_scale: 1e-4, time: 32, record: [4, 8]", "cosine", "t=32",
     0.4459064},
    /* Tiny networks point along X^T y for long: (1 + 1/alpha)/(1 + (1 + 1/snr)/alpha). */
    {"training: rich, alpha: 0.5, snr: 2, init_scale: 1e-150, time: 1", "cosine", "t=1", 0.75},
    {"training: white-init, alpha: 0.6, init_scale: 0.3, dim: 150, time: 32, record: [2, 8]",
     "cosine", "t=2", 0.6263806},
    {"training: white-init, alpha: 0.6, init_scale: 0.3, dim: 150, time: 32, record: [2, 8]",
     "cosine", "t=8", 0.4834267},
    {"training: white-init, alpha: 0.6, init_scale: 0.3, dim: 150, time: 32, record: [2, 8]",
     "cosine", "t=32", 0.4450929},
    {"training: white-init, alpha: 0.6, init_scale: 0.3, dim: 150, time: 32, record: [2, 8]", "cka",
     "t=2", 0.9801423},
    {"training: white-init, alpha: 0.6, init_scale: 0.3, dim: 150, time: 32, record: [2, 8]", "cka",
     "t=8", 0.953468},
    {"training: white-init, alpha: 0.6, init_scale: 0.3, dim: 150, time: 32, record: [2, 8]", "cka",
     "t=32", 0.944893},
    {"input_noise: 0.3, snr: inf, alpha: 0.5, dim: 100", "cosine", "", 0.6486345},
    {"input_noise: 0.3, snr: inf, alpha: 2, dim: 100", "cosine", "", 0.7983193},
    {"input_noise: 0.3, snr: inf, alpha: 2, dim: 100", "signal", "", 0.7983193 * 0.7692308},
    {POWER ", alpha: 0.5, ridge: 0.01", "kappa", "", 0.04301303},
    {POWER ", alpha: 0.5, ridge: 0.01", "signal", "", 0.625727},
    {POWER ", alpha: 0.5, ridge: 0.01", "noise", "", 0.7711489 - 0.625727},
    {POWER ", alpha: 0.5, ridge: 0.01", "cosine", "", 0.8114218},
    {POWER ", alpha: 0.5, ridge: 0.01", "gen_error", "", 0.4075597},
    {POWER ", alpha: 0.5", "kappa", "", 0.02471896},
    {POWER ", alpha: 0.5", "cosine", "", 0.6994474},
    {POWER ", alpha: 0.5", "gen_error", "", 0.5655801},
    {POWER ", alpha: 2, ridge: 0.01, input_noise: 0.05", "kappa", "", 0.0169865},
    {POWER ", alpha: 2, ridge: 0.01, input_noise: 0.05", "cosine", "", 0.8224175},
    {POWER ", alpha: 2, ridge: 0.01, input_noise: 0.05", "gen_error", "", 0.3420368},
    {POWER ", alpha: 0.5, training: flow, time: 5", "signal", "t=5", 0.3789436},
    {POWER ", alpha: 0.5, training: flow, time: 5", "noise", "t=5", 0.02518284},
    {POWER ", alpha: 0.5, training: flow, time: 5", "cosine", "t=5", 0.9376858},
    {POWER ", alpha: 0.5, training: rich, time: 30", "signal", "t=30", 0.7181549},
    {POWER ", alpha: 0.5, training: rich, time: 30", "noise", "t=30", 0.1907401},
    {"outputs: 2, output_gram: [1, 0.25], alpha: 0.5", "cka", "", 0.1692308},
    {"outputs: 2, output_gram: [1, 0.25], alpha: 2", "cka", "", 0.3333333},
    {"training: weight-decay, weight_decay: 0.1, alpha: 1.5", "ridge_effective", "", 0.09421636},
    {"training: weight-decay, weight_decay: 0.1, alpha: 1.5", "cosine", "", 0.6287782},
    {"alpha: 0.5, probe: 20", "cka_probe", "", 0.2705901},
    {"alpha: 0.5, probe: {points: 20, centred: true}", "cka_probe", "", 0.2717731},
};

static double value(const char *params, const char *variable, const char *at) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_solve(ctx, "alignment", params);
    double x = test_value(f, variable, at);
    nnd_frame_free(f);
    nnd_context_free(ctx);
    return x;
}

START_TEST(reference_cases) {
    const reference *r = &REFERENCES[_i];
    char what[256];
    snprintf(what, sizeof what, "%s of %s", r->variable, r->params);
    test_close(what, value(r->params, r->variable, r->at), r->value, TABLE_RTOL);
}
END_TEST

/* alignment.md#s5: the same alignment with different errors, and more alignment with a larger
 * error. */
START_TEST(alignment_is_no_function_of_the_error) {
    test_close("rho", value("alpha: 0.1", "cosine", ""), 0.642857, TABLE_RTOL);
    test_close("rho", value("alpha: 1.9", "cosine", ""), 0.642857, TABLE_RTOL);
    test_close("E_g", value("alpha: 0.1", "gen_error", ""), 0.955556, TABLE_RTOL);
    test_close("E_g", value("alpha: 1.9", "gen_error", ""), 0.555556, TABLE_RTOL);
    test_close("rho", value("alpha: 1e-9, ridge: 0.1", "cosine", ""), 2.0 / 3.0, TABLE_RTOL);
    test_close("E_g", value("alpha: 1e-9, ridge: 0.1", "gen_error", ""), 1.0, TABLE_RTOL);
}
END_TEST

/* The least norm solution at the threshold: alignment 0 as a limit. */
START_TEST(threshold_without_ridge) {
    const char *at = "alpha: 1, ridge: 0, probe: 10, minimum: true";
    ck_assert(value(at, "cosine", "") == 0.0 && value(at, "cka", "") == 0.0);
    ck_assert(value(at, "teacher_cosine", "") == 0.0);
    ck_assert(isinf(value(at, "noise", "")) && isinf(value(at, "gen_error", "")));
    ck_assert(value(at, "signal", "") == 1.0 && value(at, "status", "") == 0.0);
    ck_assert(value(at, "alpha_min", "") == 1.0 && value(at, "cosine_min", "") == 0.0);
    test_close("many outputs", 1.0 + value("alpha: 1, outputs: 3", "cka", ""), 1.0, 1e-15);
    const char *gaussian = "alpha: 1, training: gaussian-init, dim: 100";
    ck_assert(value(gaussian, "cka", "") == 0.0);
}
END_TEST

/* Alignment increases with SNR, and has its minimum near the threshold also for a power law. */
START_TEST(monotone_in_snr_with_a_minimum_in_alpha) {
    double last = 0.0;
    for (double snr = 0.01; snr < 200.0; snr *= 3.0) {
        char params[128];
        snprintf(params, sizeof params, "alpha: 0.9, ridge: 0.02, snr: %g", snr);
        double now = value(params, "cosine", "");
        ck_assert(now > last && now < 1.0);
        last = now;
    }
    double at = value(POWER ", ridge: 1e-4, minimum: true", "alpha_min", "");
    double least = value(POWER ", ridge: 1e-4, minimum: true", "cosine_min", "");
    ck_assert_msg(at > 0.5 && at < 1.5, "minimum at %g", at);
    ck_assert(least < value(POWER ", ridge: 1e-4, alpha: 0.3", "cosine", "") &&
              least < value(POWER ", ridge: 1e-4, alpha: 3", "cosine", ""));
}
END_TEST

/* Several outputs that are alike are one output; traces add up. */
START_TEST(outputs_alike) {
    const char *one = "alpha: 0.7, training: flow, time: 3";
    const char *three = "alpha: 0.7, training: flow, time: 3, outputs: 3";
    test_close("cosine", value(three, "cosine", "t=3"), value(one, "cosine", "t=3"), 1e-13);
    test_close("cka", value(three, "cka", "t=3"), value(one, "cka", "t=3"), 1e-10);
    test_close("E_g", value(three, "gen_error", "t=3"), 3 * value(one, "gen_error", "t=3"), 1e-12);
    const char *ridge = "alpha: 0.7, ridge: 0.1, outputs: 3, inputs: independent";
    const char *single = "alpha: 0.7, ridge: 0.1, inputs: independent";
    test_close("cka", value(ridge, "cka", ""), value(single, "cka", ""), 1e-12);
}
END_TEST

/* A teacher's squared coefficients given one by one, and a list of eigenvalues. */
START_TEST(lists_equal_laws) {
    const char *law = "covariance: {power_law: 2, dim: 3}, teacher: {power_law: 1, power: 2}";
    const char *list = "covariance: {eigenvalues: [1, 0.25, 0.1111111111111111]}, "
                       "teacher: {coefficients2: [1, 0.5, 0.3333333333333333], power: 2}";
    test_close("E_g", value(list, "gen_error", ""), value(law, "gen_error", ""), 1e-14);
}
END_TEST

typedef struct {
    const char *params, *says;
} refusal;

static const refusal REFUSALS[] = {
    {"snr: -1", "params.snr"},
    {"alpha: 0", "params.alpha"},
    {"covariance: {eigenvalues: []}", "a list of 0"},
    {"covariance: {eigenvalues: [0, 0]}", "all are 0"},
    {"covariance: {eigenvalues: [1, -1]}", "-1 is out of range"},
    {"covariance: {power_law: 1}", "params.covariance.dim: missing"},
    {"covariance: power-law", "params.covariance.power_law: missing"},
    {"covariance: {power_law: 1, dim: 3, eigenvalues: [1]}", "both power_law and eigenvalues"},
    {"covariance: {power_law: 1, dim: 3}, dim: 4", "params.dim: 4"},
    {"teacher: {norm2: 1, power: 1}", "both norm2 and power"},
    {"teacher: {power_law: 1}", "means nothing"},
    {"covariance: {eigenvalues: [1, 2]}, teacher: {coefficients2: [1]}", "a list of 1"},
    {"covariance: {eigenvalues: [1, 0]}, teacher: {coefficients2: [0, 1]}", "no part along"},
    {"training: white-init", "params.dim: missing"},
    {"training: weight-decay", "params.weight_decay: missing"},
    {"ridge: 0.1, training: flow", "belongs to training: ridge"},
    {"lr: 0.1", "belongs to training: gd"},
    {"time: 3", "belongs to training: flow"},
    {"depth: 3", "belongs to training: rich"},
    {"init_scale: 0.1", "belongs to training: rich"},
    {"training: rich, init_scale: 1e-151", "1e-151 is out of range: a number >= 1e-150"},
    {"training: flow, record: [20]", "params.record"},
    {"training: gd, record: [1.5]", "params.record"},
    {"record: [1]", "has no times"},
    {"training: rich, outputs: 2", "more than one with training"},
    {"outputs: 2, output_gram: [1, 0]", "the diagonal has 0"},
    {"outputs: 2, output_gram: [[1, 2], [2, 1]]", "positive semi-definite"},
    {"outputs: 2, output_noise: [1, 1, 1]", "3 x 1"},
    {"outputs: 2, probe: 20", "cka_probe is for one output"},
    {"covariance: eigenvalues", "params.covariance.eigenvalues: missing"},
    {"covariance: {eigenvalues: [1, 2]}, teacher: {coefficients2: []}", "a list of 0"},
    {"covariance: {power_law: 1, dim: 2}, teacher: {power_law: 1, coefficients2: [1, 2]}",
     "both power_law and coefficients2"},
    {"training: white-init, dim: 4, width: 0.5", "white features need at least 1"},
    {"training: gaussian-init, covariance: {eigenvalues: [1, 2]}", "isotropic inputs"},
    {"training: flow}, simulate: {size: 9, route: network", "route"},
    {"outputs: 2, ridge: 1}, simulate: {size: 9, route: network", "only without ridge"},
    {"training: rich}, simulate: {size: 9, task: classification, activation: tanh}, sweep: "
     "{noise_correlation: [0.5]",
     "flips are independent"},
    {"outputs: 3, output_noise: [1, 1, 1], training: white-init, dim: 9}, simulate: {size: 9, "
     "task: "
     "classification",
     "params.output_noise: labels of classes are replaced"},
    {"training: rich, metric: identity}, simulate: {size: 9, activation: tanh", "metric: sigma"},
    {"training: flow, minimum: true", "belongs to training: ridge or weight-decay"},
    {"probe: {points: 3, centred: true}", "params.probe.points"},
    {"probe: {points: 11, similarity: true}", "11; allowed: at least 12 with similarity"},
    {"probe: {points: 20, similarity: true}, training: rich}, simulate: {size: 9, test_points: 11, "
     "activation: tanh",
     "params.probe.points: 20; allowed: at most test_points, 11"},
};

START_TEST(nonsense_is_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[512];
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    const nnd_case_source source = {.stem = "test"};
    snprintf(yaml, sizeof yaml, "{model: alignment, params: {%s}}", REFUSALS[_i].params);
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    ck_assert_int_eq(nnd_case_resolve(ctx, tree, &source, &c), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), REFUSALS[_i].says) != NULL, "%s: %s",
                  REFUSALS[_i].params, nnd_context_message(ctx));
    nnd_value_free(tree);
    nnd_context_free(ctx);
}
END_TEST

/* Corrections of finite dimension are known for unit covariance alone. */
START_TEST(other_variances_than_one_have_no_known_correction) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *unit = test_theory(ctx, "{model: alignment, params: {alpha: 3, ridge: 0.1}}");
    nnd_frame *four = test_theory(ctx, "{model: alignment, params: {alpha: 3, ridge: 0.1, "
                                       "covariance: {eigenvalues: [4]}}}");
    ck_assert_double_gt(test_value(unit, "signal_min_size", ""), 0.0);
    ck_assert_double_eq(test_value(four, "signal_min_size", ""), 0.0);
    nnd_frame_free(unit);
    nnd_frame_free(four);
    nnd_context_free(ctx);
}
END_TEST

/* Least norm at alpha = 1/2, SNR 2 has q = 1, signal 1/2; the start adds its variance times
 * (1 - alpha) sqrt(q) to q and 3/4 of that, the cosine of two X^T y, to the signal: 7.5 % of it for
 * a variance of 0.1, of which networks have 6 %, and 0.75 % for 0.01, where they have 0.7 %. */
START_TEST(what_a_gaussian_start_leaves_takes_claims_back) {
    static const struct {
        const char *params;
        bool signal, noise, teacher, error;
    } cases[] = {
        {"alpha: 0.5, init_scale: 0.1", false, false, false, false},
        {"alpha: 0.5, init_scale: 0.016", true, true, true, true},
        {"alpha: 0.5, init_scale: 0.017", false, true, true, true},
        {"alpha: 0.5, init_scale: 0.1, features: independent", true, false, false, false},
        {"alpha: 1.5, init_scale: 0.1", true, true, true, true},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[256];
    snprintf(yaml, sizeof yaml,
             "{model: alignment, params: {training: gaussian-init, snr: 2, dim: 60, %s}}",
             cases[_i].params);
    nnd_frame *f = test_theory(ctx, yaml);
    ck_assert(isfinite(test_value(f, "signal_min_size", "")) == cases[_i].signal);
    ck_assert(isfinite(test_value(f, "noise_min_size", "")) == cases[_i].noise);
    ck_assert(isfinite(test_value(f, "teacher_cosine_min_size", "")) == cases[_i].teacher);
    ck_assert(isfinite(test_value(f, "gen_error_min_size", "")) == cases[_i].error);
    ck_assert(isfinite(test_value(f, "teacher_overlap_min_size", "")));
    ck_assert((nnd_frame_find_attribute(f, "signal_min_size", NND_REASON) == NULL) ==
              cases[_i].signal);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Least norm at alpha = 1/2, SNR 2: q = 1, m = 1/2, and sums over eigenvalues have the covariances
 * ff = 1/4, fh = 1/2, hh = 1 (moments 1/2 and 1 of 1/s). An output's own overlap shifts CKA by
 * 11/8, each of the two others by 31/16: 21/4, of which 1.25 % of CKA = 1/4 are left at D = 1680.
 * Networks have 0.3289(17), 0.2928(18), 0.2740(19) at D = 60, 120, 240. */
START_TEST(cka_of_several_outputs_is_claimed_of_large_networks) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(ctx, "{model: alignment, params: {outputs: 3, snr: 2, alpha: 0.5}}");
    test_close("from size", test_value(f, "cka_min_size", ""), 1680.0, 1e-9);
    ck_assert_str_eq(nnd_frame_find_attribute(f, "cka_min_size", NND_CORRECTION)->text, "1/size");
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Where it is estimated: (1 - cka) (1 - rho^2)/alpha, for outputs (1 - cka) C/alpha. */
START_TEST(cka_that_is_estimated_is_not_claimed_of_small_networks) {
    static const struct {
        const char *params;
        double outputs;
    } cases[] = {
        {"training: white-init, dim: 60, init_scale: 0.3, time: 8", 1.0},
        {"training: gaussian-init, dim: 60, init_scale: 0.01", 1.0},
        {"outputs: 2, output_gram: [[1, 0.5], [0.5, 1]]", 2.0},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: alignment, params: {snr: 2, alpha: 0.5, %s}}",
             cases[_i].params);
    nnd_frame *f = test_theory(ctx, yaml);
    const char *at = nnd_frame_find_dim(f, "t") != NULL ? "t=8" : "";
    double cka = test_value(f, "cka", at), rho = test_value(f, "cosine", at);
    double apart = cases[_i].outputs > 1.0 ? cases[_i].outputs : 1.0 - rho * rho;
    test_close("from size", test_value(f, "cka_min_size", at),
               (1.0 - cka) * apart / 0.5 / (0.0125 * cka), 1e-12);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Isotropic, SNR 2: power 1 and noise 1/2. A large ridge lambda leaves beta = X^T y/(P lambda),
 * with the overlaps 1 + 1/alpha and 1 + 3/(2 alpha) over lambda^2; of few samples alpha the noise
 * of the inputs is all, alpha and 3 alpha/2. Input noise tau^2 acts as a ridge on every direction.
 */
#define WIDE "alpha: 1.3, snr: 2, "
static const reference EXTREMES[] = {
    {WIDE "ridge: 1e155", "cosine", "", (1.0 + 1.0 / 1.3) / (1.0 + 1.5 / 1.3)},
    {WIDE "ridge: 1e300", "cosine", "", (1.0 + 1.0 / 1.3) / (1.0 + 1.5 / 1.3)},
    {WIDE "ridge: 1e300", "teacher_overlap", "", 1e-300},
    {WIDE "ridge: 1e300", "gen_error", "", 1.0},
    {WIDE "ridge: 1e300", "train_error", "", 1.5},
    {WIDE "ridge: 1e300", "kappa", "", 1e300},
    {WIDE "ridge: 1e-300", "cosine", "", 0.375},
    {WIDE "ridge: 1e-300", "kappa", "", 1e-300 / (1.0 - 1.0 / 1.3)},
    {"alpha: 1, snr: 2, ridge: 1e-300", "kappa", "", 1e-150},
    {"alpha: 1e-300, snr: 2", "cosine", "", 2.0 / 3.0},
    {"alpha: 1e-300, snr: 2", "teacher_overlap", "", 1e-300},
    {"alpha: 1e-300, snr: 2", "noise", "", 0.5e-300},
    {"alpha: 1e-300, snr: 2", "gen_error", "", 1.0},
    {"alpha: 1e-300, snr: 2", "kappa", "", 1e300},
    {WIDE "input_noise: 1e300", "teacher_overlap", "", 1e-300},
    {WIDE "input_noise: 1e300", "noise", "", 1.5 / 0.3 * 1e-300},
    {WIDE "input_noise: 1e300", "gen_error", "", 1.0},
    {WIDE "input_noise: 1e300", "train_error", "", 1.5 * (1.0 - 1.0 / 1.3)},
    {WIDE "teacher: {norm2: 1e300}", "cosine", "", 0.375},
    {WIDE "teacher: {norm2: 1e300}", "teacher_cosine", "", 0.61237243569579},
    {WIDE "covariance: {eigenvalues: [1e-200, 2e-200]}", "cosine", "", 0.375},
    {WIDE "training: weight-decay, weight_decay: 1e-300", "cosine", "", 0.375},
    {WIDE "training: weight-decay, weight_decay: 1e-300", "ridge_effective", "",
     1e-300 / 1.6329931618554521},
};

START_TEST(extreme_numbers_have_their_limits) {
    const reference *r = &EXTREMES[_i];
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = test_solve(ctx, "alignment", r->params);
    test_close(r->variable, test_value(frame, r->variable, r->at), r->value, 1e-12);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(numbers_beyond_the_largest_are_refused) {
    static const char *const beyond[] = {"snr: 1e-310", "covariance: {eigenvalues: [1e308, 1e308]}",
                                         "teacher: {norm2: 1e308}, snr: 1e-10"};
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: alignment, params: {%s}}", beyond[_i]);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_UNSOLVED);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "double precision"));
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* Where a variable that may not be NaN is, the point has not converged and names it. */
START_TEST(a_variable_without_a_value_is_named) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: alignment, params: {ridge: 1}, "
                                 "sweep: {alpha: [1, 1e-310]}}");
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_OK);
    ck_assert_double_eq(nnd_frame_find(frame, "status")->data[0], NND_OK);
    ck_assert_double_eq(nnd_frame_find(frame, "status")->data[1], NND_NOT_CONVERGED);
    const nnd_attribute *message = nnd_frame_find_attribute(frame, "status", "message");
    ck_assert_str_eq(message->text, "alpha=9.99999999999997e-311: signal is not finite");
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* At lr = 0.5 the edge of the spectrum, (1 + sqrt 2)^2, is multiplied by -1.914 a step: an error of
 * 1e9 times the first, with some share of it at the edge, is reached after 16 to 25 steps. */
START_TEST(descent_beyond_the_edge_diverges_at_a_step) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: alignment, params: {training: gd, alpha: 0.5, snr: 2, "
                                 "lr: 0.5, steps: 1000, record: [5, 15, 1000]}}");
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_DIVERGED);
    double at = test_value(frame, "diverged_at", "");
    ck_assert_msg(at >= 16 && at <= 25, "diverged at %g", at);
    ck_assert(isfinite(test_value(frame, "gen_error", "t=15")));
    ck_assert(isnan(test_value(frame, "gen_error", "t=1000")));
    ck_assert(isnan(test_value(frame, "train_error", "t=1000")));
    nnd_frame_free(frame);
    nnd_case_free(c);
    /* Just below the edge nothing does, however long: 2/5.8284 = 0.34315. */
    frame = test_theory(ctx, "{model: alignment, params: {training: gd, alpha: 0.5, snr: 2, "
                             "lr: 0.343, steps: 1000, record: [1000]}}");
    ck_assert(isnan(test_value(frame, "diverged_at", "")));
    ck_assert(test_value(frame, "train_error", "t=1000") < 1e-2);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

/* By the contour of a general spectrum and by the law of the isotropic one: eigenvalues that differ
 * by 1e-9 are no law. */
START_TEST(divergence_is_the_same_on_a_contour) {
    nnd_context *ctx = nnd_context_new(NULL);
    double at[2];
    static const char *const covariance[] = {"isotropic", "{eigenvalues: [1, 1.000000001]}"};
    for (int i = 0; i < 2; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "{model: alignment, params: {training: gd, alpha: 2, snr: 2, lr: 1, steps: 60, "
                 "covariance: %s, record: [3]}}",
                 covariance[i]);
        nnd_case *c = test_case(ctx, yaml);
        nnd_frame *frame = NULL;
        ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_DIVERGED);
        at[i] = test_value(frame, "diverged_at", "");
        ck_assert(isfinite(test_value(frame, "gen_error", "t=3")));
        nnd_frame_free(frame);
        nnd_case_free(c);
    }
    ck_assert_double_eq(at[0], at[1]);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("alignment theory");
    TCase *table = tcase_create("reference cases");
    tcase_add_loop_test(table, reference_cases, 0, (int)(sizeof REFERENCES / sizeof *REFERENCES));
    suite_add_tcase(suite, table);
    TCase *facts = tcase_create("facts");
    tcase_add_test(facts, alignment_is_no_function_of_the_error);
    tcase_add_test(facts, threshold_without_ridge);
    tcase_add_test(facts, monotone_in_snr_with_a_minimum_in_alpha);
    tcase_add_test(facts, outputs_alike);
    tcase_add_test(facts, lists_equal_laws);
    tcase_add_test(facts, other_variances_than_one_have_no_known_correction);
    tcase_add_loop_test(facts, what_a_gaussian_start_leaves_takes_claims_back, 0, 5);
    tcase_add_test(facts, cka_of_several_outputs_is_claimed_of_large_networks);
    tcase_add_loop_test(facts, cka_that_is_estimated_is_not_claimed_of_small_networks, 0, 3);
    tcase_add_loop_test(facts, extreme_numbers_have_their_limits, 0,
                        (int)(sizeof EXTREMES / sizeof *EXTREMES));
    tcase_add_loop_test(facts, numbers_beyond_the_largest_are_refused, 0, 3);
    tcase_add_test(facts, a_variable_without_a_value_is_named);
    tcase_add_test(facts, descent_beyond_the_edge_diverges_at_a_step);
    tcase_add_test(facts, divergence_is_the_same_on_a_contour);
    suite_add_tcase(suite, facts);
    TCase *input = tcase_create("bad input");
    tcase_add_loop_test(input, nonsense_is_refused, 0, (int)(sizeof REFUSALS / sizeof *REFUSALS));
    suite_add_tcase(suite, input);
    return test_main(suite);
}
