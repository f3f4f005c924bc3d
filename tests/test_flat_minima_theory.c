/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory of flat minima from cases: bounds, trajectories, and the limits of both. */
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flat_cases.h"
#include "scratch.h"
#include "support.h"

#define S3_CASE "data: {covariance: [[2, .5, 0], [.5, 1, .2], [0, .2, .5]], minimizer: [.6, 0, .8]}"
#define START   "init: aligned, init_scale: .5"

static nnd_frame *solve(const char *params) {
    return test_solve(ctx, "flat-minima", params);
}

/* Solves what must fail, and looks for words in the message. */
static void refused(const char *params, const char *words) {
    char yaml[512];
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    nnd_frame *frame = NULL;
    nnd_case_source source = {.stem = "test"};
    snprintf(yaml, sizeof yaml, "{model: flat-minima, params: {%s}}", params);
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    nnd_status status = nnd_case_resolve(ctx, tree, &source, &c);
    if (status == NND_OK)
        status = nnd_theory_run(ctx, c, NULL, &frame);
    ck_assert_msg(status == NND_E_INPUT, "status %d of %s", status, params);
    ck_assert_msg(strstr(nnd_context_message(ctx), words) != NULL, "\"%s\" lacks \"%s\"",
                  nnd_context_message(ctx), words);
    nnd_value_free(tree);
    nnd_case_free(c);
    nnd_frame_free(frame);
}

START_TEST(bounds_alone_without_steps) {
    nnd_frame *f = solve(S3_CASE ", depth: 3, steps: 0, lr: 0.1");
    test_close("simple", test_value(f, "sharpness_bound", ""), 6.24, 1e-12);
    test_close("S_min", test_value(f, "sharpness_min", ""), 7.5863207, 1e-8);
    test_close("c*", test_value(f, "c_star", ""), .64432429, 2e-8);
    test_close("S_GF", test_value(f, "sharpness_flow", ""), 8.0382227, 1e-8);
    test_close("lr_max", test_value(f, "lr_max", ""), 2.0 / 7.5863207, 1e-8);
    test_close("ceiling", test_value(f, "sharpness_ceiling", ""),
               4.0 * test_value(f, "sharpness_flow_bound", ""), 1e-14);
    test_close("2/lr", test_value(f, "stability_limit", ""), 20.0, 1e-15);
    ck_assert(fabs(test_value(f, "duality_gap", "")) < 1e-9);
    ck_assert_ptr_null(nnd_frame_find(f, "sharpness"));
    nnd_frame_free(f);
}
END_TEST

START_TEST(aligned_descent_from_a_case) {
    nnd_frame *f = solve(S3_CASE ", depth: 3, lr: .05, steps: 2000, record: [0, 10], " START);
    const double w[] = {.36750228 - .6, .22896463, .25761418 - .8};
    test_close("distance2(10)", test_value(f, "distance2", "t=10"),
               w[0] * w[0] + w[1] * w[1] + w[2] * w[2], 1e-7);
    test_close("s(10)", test_value(f, "layer_norm", "t=10,layer=3"), .79534016, 2e-8);
    test_close("s(2000)", test_value(f, "layer_norm", "t=2000,layer=2"), .99877581, 2e-8);
    test_close("S(2000)", test_value(f, "sharpness", "t=2000"), 8.0276665, 2e-8);
    test_close("final sharpness", test_value(f, "final_sharpness", ""), 8.0276665, 2e-8);
    test_close("final stability", test_value(f, "final_stability", ""), .05 * 8.0276665, 2e-8);
    ck_assert(test_value(f, "loss", "t=0") > test_value(f, "loss", "t=10"));
    ck_assert(test_value(f, "loss", "t=2000") < 1e-20);
    ck_assert(test_value(f, "converged", "") == 1.0 && test_value(f, "diverged", "") == 0.0);
    ck_assert(test_value(f, "layer_rank_ratio", "t=10,layer=1") == 0.0);
    ck_assert(test_value(f, "layer_alignment", "t=10,layer=1") == 1.0);
    nnd_frame_free(f);
}
END_TEST

START_TEST(balanced_flow_from_a_case) {
    nnd_frame *f =
        solve(S3_CASE ", depth: 2, integrator: flow, time: 60, record: [1, 3], init: aligned, "
                      "w0: [.0057735026918962576, .0057735026918962576, "
                      ".0057735026918962576]");
    const double one[] = {.42029202 - .6, .16701325, .21138739 - .8};
    const double three[] = {.59108997 - .6, .057845333, .68933388 - .8};
    test_close("distance2(1)", test_value(f, "distance2", "t=1"),
               one[0] * one[0] + one[1] * one[1] + one[2] * one[2], 1e-7);
    test_close("distance2(3)", test_value(f, "distance2", "t=3"),
               three[0] * three[0] + three[1] * three[1] + three[2] * three[2], 1e-6);
    test_close("S_GF", test_value(f, "final_sharpness", ""), 6.1314037, 2e-8);
    test_close("S_GF", test_value(f, "sharpness_flow", ""), 6.1314037, 2e-8);
    ck_assert_ptr_null(nnd_frame_find(f, "stability_limit"));
    nnd_frame_free(f);
}
END_TEST

/* The start of flow by scale and direction is that of descent; without `record` there are 200
 * times, and a stiff problem takes the implicit solver, to the same end. */
START_TEST(flow_from_a_scale_and_to_a_late_time) {
    nnd_frame *late = solve(S3_CASE ", depth: 3, integrator: flow, time: 1e5, " START);
    nnd_frame *soon = solve(S3_CASE ", depth: 3, integrator: flow, time: 100, record: [0], " START);
    const nnd_array *s = nnd_frame_find(late, "sharpness");
    ck_assert_uint_eq(s->count, 200);
    test_close("start", test_value(soon, "layer_norm", "t=0,layer=1"), .5, 1e-12);
    test_close("end", s->data[199], 8.0382227, 2e-8);
    test_close("end", test_value(soon, "sharpness", "t=100"), s->data[199], 1e-8);
    nnd_frame_free(late);
    nnd_frame_free(soon);
}
END_TEST

START_TEST(theory_says_where_a_run_diverged) {
    nnd_frame *f = solve(S3_CASE ", depth: 3, lr: .9, steps: 200, record_every: 1, " START);
    double at = test_value(f, "diverged_at", "");
    ck_assert(at >= 1.0 && at < 200.0);
    ck_assert(test_value(f, "diverged", "") == 1.0);
    ck_assert(isfinite(test_value(f, "loss", "t=0")) && isnan(test_value(f, "loss", "t=200")));
    ck_assert(isnan(test_value(f, "final_sharpness", "")));
    nnd_frame_free(f);
}
END_TEST

/* flat-minima.md#s3: the threshold of the learning rate is 2/S_min, not that of the simple bound.
 * Beyond 2/S the aligned run settles on a cycle at a distance. */
START_TEST(beyond_the_threshold_no_run_converges) {
    nnd_frame *f = solve(S3_CASE ", depth: 2, lr: .36, steps: 20000, record: [0], init: aligned, "
                                 "init_scale: .9");
    double limit = test_value(f, "lr_max", ""), distance2 = test_value(f, "final_distance2", "");
    ck_assert(limit < .36 && .36 < 2.0 / test_value(f, "sharpness_bound", ""));
    ck_assert(test_value(f, "converged", "") == 0.0 && test_value(f, "diverged", "") == 0.0);
    ck_assert(distance2 > 1e-3 && distance2 < 1.0);
    nnd_frame_free(f);
}
END_TEST

START_TEST(limits_of_data_and_depth) {
    nnd_frame *f = solve(S3_CASE ", depth: 1, steps: 500, lr: .2, init: aligned");
    test_close("S = 2 Lambda", test_value(f, "final_sharpness", ""),
               test_value(f, "sharpness_min", ""), 1e-10);
    test_close("S_GF", test_value(f, "sharpness_flow", ""), test_value(f, "sharpness_min", ""),
               1e-14);
    ck_assert(isnan(test_value(f, "c_star", "")));
    nnd_frame_free(f);
    /* One input: S = 2 L sigma^2 |w*|^(2 - 2/L) for all. */
    f = solve("data: {covariance: [[4]], minimizer: [3]}, depth: 4, steps: 0");
    test_close("S_min, d = 1", test_value(f, "sharpness_min", ""), 32.0 * pow(3.0, 1.5), 1e-12);
    test_close("S_GF, d = 1", test_value(f, "sharpness_flow", ""), 32.0 * pow(3.0, 1.5), 1e-12);
    nnd_frame_free(f);
    /* Fewer samples than inputs, and a singular covariance: the range of S alone counts. */
    f = solve("data: {inputs: [[1, 0, 0], [0, 2, 0]], targets: [1, 1]}, depth: 2, steps: 0");
    nnd_frame *g = solve("data: {covariance: [[.5, 0, 0], [0, 2, 0], [0, 0, 0]], "
                         "minimizer: [1, .5, 7]}, depth: 2, steps: 0");
    test_close("S_min", test_value(f, "sharpness_min", ""), test_value(g, "sharpness_min", ""),
               1e-12);
    nnd_frame_free(f);
    nnd_frame_free(g);
    f = solve("data: {generate: regression, samples: 15, dim: 20, noise: 1}, depth: 5, steps: 0");
    ck_assert(test_value(f, "sharpness_bound", "") < test_value(f, "sharpness_min", ""));
    nnd_frame_free(f);
}
END_TEST

START_TEST(expected_trace_at_initialisation) {
    /* E Theta_ii = 12.48863 at L = 10, s = .5 (flat-minima.md#s8), with tr S = 3.5. */
    nnd_frame *f = solve(S3_CASE ", depth: 10, architecture: residual, init_scale: .5, steps: 0");
    test_close("trace", test_value(f, "trace_start", ""), 2.0 * 3.5 * 12.48863, 4e-7);
    nnd_frame_free(f);
    f = solve(S3_CASE ", depth: 3, init_scale: .5, width: 8, steps: 0");
    test_close("trace", test_value(f, "trace_start", ""), 2.0 * 3.5 * 3.0 * 4.0, 1e-13);
    nnd_frame_free(f);
}
END_TEST

/* All eigenvalues of the matrices with three and two hidden units, away from a minimum: dense
 * decompositions of flat-minima.md#eq1. `s` is the scale of the start, b = s (1, 1, 1)/sqrt 3. */
static void check_spectrum(const char *params, size_t depth, const size_t *width, size_t dim,
                           const double *covariance, const double *minimizer, double s) {
    nnd_frame *f = solve(params);
    nnd_quadratic q = flat_case(ctx, dim, covariance, minimizer);
    nnd_chain chain;
    double b[3];
    for (size_t i = 0; i < dim; i++)
        b[i] = s / sqrt((double)dim);
    ck_assert_int_eq(nnd_chain_make(ctx, &q, depth, width, NULL, &chain), NND_OK);
    nnd_chain_set_aligned(&chain, b, s);
    nnd_chain_evaluate(&chain);
    size_t n = chain.count;
    double *h = dense_hessian(&chain), want[64];
    ck_assert_int_eq(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, h, (lapack_int)n, want), 0);
    const nnd_array *got = nnd_frame_find(f, "sharpness_k");
    ck_assert_uint_eq(got->shape[1], n);
    for (size_t k = 0; k < n; k++) /* residuals of 1e-8 of the largest */
        ck_assert_double_eq_tol(got->data[k], want[n - 1 - k], 1e-8 * want[n - 1]);
    test_close("least", test_value(f, "sharpness_least", "t=0"), want[0], 1e-12);
    test_close("sharpness", test_value(f, "sharpness", "t=0"), want[n - 1], 1e-12);
    ck_assert_double_le(test_value(f, "sharpness_k_se", "t=0,k=1"), 1e-7 * want[n - 1]);
    free(h);
    nnd_chain_clear(&chain);
    nnd_quadratic_clear(&q);
    nnd_frame_free(f);
}

START_TEST(all_eigenvalues_are_those_of_the_matrices) {
    static const double one[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const size_t three[] = {3, 3, 3, 1}, two[] = {3, 2, 1}, single[] = {3, 1};
    check_spectrum(S3_CASE ", depth: 3, steps: 1, lr: .01, eigenvalues: 21, " START, 3, three, 3,
                   S3, W3, .5);
    check_spectrum(S3_CASE ", depth: 2, width: 2, steps: 1, lr: .01, eigenvalues: 8, " START, 2,
                   two, 3, S3, W3, .5);
    check_spectrum(S3_CASE ", depth: 1, steps: 1, lr: .01, eigenvalues: 3, " START, 1, single, 3,
                   S3, W3, .5);
    /* Inputs of equal variances: eigenvalues of the chain itself are multiple. */
    check_spectrum("data: {covariance: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], minimizer: [.6, 0, .8]}, "
                   "depth: 3, steps: 1, lr: .01, eigenvalues: 21, " START,
                   3, three, 3, one, W3, .5);
}
END_TEST

/* Two test samples: f = w . x from distance2 and loss at depth 1 by hand. One step of size .1 from
 * w = (.6, .6)/sqrt 2 with X = 1, y = (1, 0): w -= .1 (w - y). */
START_TEST(test_loss_is_that_of_samples_not_trained_on) {
    nnd_frame *f = solve("data: {inputs: [[1, 0], [0, 1]], targets: [1, 0], "
                         "test_inputs: [[1, 1], [2, 0], [0, 3]], test_targets: [1, 2, -1]}, "
                         "depth: 1, steps: 1, lr: .1, record: [0, 1], init: aligned, "
                         "init_scale: .6");
    double w = .6 / sqrt(2.0), x = w - .1 * (w - 1.0), y = .9 * w;
    double loss = (pow(x - 1.0, 2) + y * y) / 2.0;
    double test = (pow(x + y - 1.0, 2) + pow(2.0 * x - 2.0, 2) + pow(3.0 * y + 1.0, 2)) / 3.0;
    test_close("loss", test_value(f, "loss", "t=1"), loss, 1e-14);
    test_close("test loss", test_value(f, "test_loss", "t=1"), test, 1e-14);
    test_close("gap", test_value(f, "gap", "t=1"), test - loss, 1e-13);
    test_close("last sharpness", test_value(f, "last_sharpness", ""), 1.0, 1e-14);
    nnd_frame_free(f);
}
END_TEST

START_TEST(nonlinear_networks_have_no_bounds) {
    nnd_frame *f = solve(S3_CASE ", activation: gelu, lr: .1");
    test_close("2/lr", test_value(f, "stability_limit", ""), 20.0, 1e-15);
    ck_assert_ptr_null(nnd_frame_find(f, "sharpness_min"));
    nnd_frame_free(f);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused_with_its_key) {
    refused("depth: 2", "data");
    refused("data: {gram: [[1]], targets: [1]}", "data.gram");
    refused("data: {covariance: [[1, 0], [0, 1]], minimizer: [0, 0]}", "nothing to learn");
    refused("data: {inputs: [[1], [1], [-1]], targets: [0, 0, 0]}", "nothing to learn");
    refused("data: {inputs: [[0], [0]], targets: [1, 2]}", "params.data");
    refused("data: {covariance: [[1, 0], [0, -1]], minimizer: [0, 1]}", "data.covariance");
    refused("data: {covariance: [[1, 0], [.1, 1]], minimizer: [0, 1]}", "data.covariance");
    refused("data: {covariance: [[1]], minimizer: [0, 1]}", "data.minimizer");
    refused(S3_CASE ", readout: [1, 0, 0]", "readout");
    refused(S3_CASE ", architecture: residual, readout: [1, 0]", "readout");
    refused(S3_CASE ", architecture: residual, readout: [0, 0, 0]", "readout");
    refused(S3_CASE ", architecture: residual, width: 5", "width");
    refused(S3_CASE ", architecture: residual, init: aligned", "init");
    refused(S3_CASE ", architecture: residual, activation: gelu", "activation");
    refused(S3_CASE ", activation: gelu, init: aligned", "init");
    refused(S3_CASE ", w0: [1, 0, 0]", "w0");
    refused(S3_CASE ", init: aligned, w0: [1, 0]", "w0");
    refused(S3_CASE ", init: aligned, init_scale: 0", "init_scale");
    refused(S3_CASE ", integrator: flow, lr: .1", "lr");
    refused(S3_CASE ", time: 3", "time");
    refused(S3_CASE ", record: [1.5]", "record");
    refused(S3_CASE ", record: [3000]", "record");
    refused(S3_CASE ", integrator: flow, time: 2, record: [3]", "record");
    refused(S3_CASE ", depth: 0", "depth");
    refused(S3_CASE ", lr: -1", "lr");
    refused(S3_CASE ", depth: 2, eigenvalues: 13", "12 weights");
    refused("data: {inputs: [[1], [-1]], targets: [1, 1], test_inputs: [[2]]}",
            "data.test_targets");
    refused("data: {covariance: [[1]], minimizer: [1], test_samples: 3}", "data.test_samples");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flat_minima_theory");
    TCase *tests = tcase_create("flat_minima_theory");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, bounds_alone_without_steps);
    tcase_add_test(tests, aligned_descent_from_a_case);
    tcase_add_test(tests, balanced_flow_from_a_case);
    tcase_add_test(tests, flow_from_a_scale_and_to_a_late_time);
    tcase_add_test(tests, theory_says_where_a_run_diverged);
    tcase_add_test(tests, beyond_the_threshold_no_run_converges);
    tcase_add_test(tests, limits_of_data_and_depth);
    tcase_add_test(tests, expected_trace_at_initialisation);
    tcase_add_test(tests, all_eigenvalues_are_those_of_the_matrices);
    tcase_add_test(tests, test_loss_is_that_of_samples_not_trained_on);
    tcase_add_test(tests, nonlinear_networks_have_no_bounds);
    tcase_add_test(tests, what_makes_no_sense_is_refused_with_its_key);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
