/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where curves of `wide-mlp` could go wrong without a word: outputs of small scale, directions that
 * are dropped, targets of zero, eigenvalues that coincide, the edge of stability. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "theory/claims.h"
#include "wide_mlp.h"

#define PAIR "data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}"
/* kernels: false where they are not looked at. */
#define SMALL                                                                                      \
    "depth: 2, lr: 0.3, steps: 10, samples: 2048, replicates: 4, record: [10], kernels: false, "   \
    "spectrum: false"

/* One number of a case: its value at `at`, and its standard error. */
static double number(nnd_context *ctx, const char *params, const char *name, const char *at,
                     double *se) {
    nnd_frame *f = solve(ctx, params);
    double value = test_value(f, name, at);
    if (se != NULL)
        *se = test_se(f, name, at);
    nnd_frame_free(f);
    return value;
}

static const nnd_array *claim(const nnd_frame *f, const char *name) {
    return nnd_frame_find(f, name);
}

/* ---- small scales ---- */

/* Deviations from the lazy limit are O(gamma0^2): 0.21 gamma0^2, measured at 0.1. */
START_TEST(small_output_scales_have_the_lazy_limit) {
    static const double gamma0[] = {1e-8, 1e-6, 1e-4, 1e-3, 1e-2};
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    double se, lazy = number(ctx, "parameterization: ntk, " SMALL ", data: {gram: 1, targets: 1}",
                             "output", "t=10,mu=0", NULL);
    test_close("lazy limit", lazy, 0.931278, 1e-6);
    snprintf(params, sizeof params, "gamma0: %g, " SMALL ", data: {gram: 1, targets: 1}",
             gamma0[_i]);
    double got = number(ctx, params, "output", "t=10,mu=0", &se);
    ck_assert_msg(se > 0.0 && se < 4e-4, "s.e. %g", se);
    ck_assert_msg(fabs(got - lazy) < 4.0 * se + 0.3 * gamma0[_i] * gamma0[_i],
                  "gamma0 %g: want %g, got %g, s.e. %g", gamma0[_i], lazy, got, se);
    nnd_context_free(ctx);
}
END_TEST

/* (y, gamma0) s is (y s, gamma0 s): what is small is gamma0 y, wherever it comes from. */
START_TEST(small_targets_are_small_output_scales) {
    static const double scale[] = {1e-3, 1e-6, 1e-12};
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    double one =
        number(ctx, "gamma0: 1e-3, activation: relu, " SMALL ", data: {gram: 1, targets: 1}",
               "output", "t=10,mu=0", NULL);
    snprintf(params, sizeof params,
             "gamma0: %.17g, activation: relu, " SMALL ", data: {gram: 1, targets: %.17g}",
             1e-3 / scale[_i], scale[_i]);
    double got = number(ctx, params, "output", "t=10,mu=0", NULL) / scale[_i];
    /* Rounding of <z phi> counts 1/(gamma0 y) = 1e3 times. */
    ck_assert_msg(fabs(got - one) < 1e-11, "want %.15g, got %.15g", one, got);
    nnd_context_free(ctx);
}
END_TEST

/* Exact coordinates, and moments matched: two ways that must agree where little is learned. */
START_TEST(linear_networks_are_exact_at_small_output_scales) {
    static const double gamma0[] = {1e-6, 1e-4, 1e-2, 4.0};
    const char *shared = "depth: 3, activation: linear, lr: 0.1, steps: 10, " PAIR;
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    snprintf(params, sizeof params, "gamma0: %g, %s", gamma0[_i], shared);
    double exact = number(ctx, params, "output", "t=10,mu=1", NULL);
    snprintf(params, sizeof params, "gamma0: %g, solver: march, samples: 256, replicates: 2, %s",
             gamma0[_i], shared);
    double sampled = number(ctx, params, "output", "t=10,mu=1", NULL);
    /* rank_tol 1e-3 leaves 1e-5 at gamma0 = 4, as its truncation says. */
    ck_assert_msg(fabs(sampled - exact) < 2e-5, "%.10g and %.10g", sampled, exact);
    snprintf(params, sizeof params, "parameterization: ntk, %s", shared);
    double lazy = number(ctx, params, "output", "t=10,mu=1", NULL);
    if (gamma0[_i] < 1e-3)
        ck_assert_msg(fabs(exact - lazy) < 1e-7, "%.10g and lazy %.10g", exact, lazy);
    nnd_context_free(ctx);
}
END_TEST

/* ---- dropped directions ---- */

/* The same random numbers with more directions kept. */
START_TEST(results_do_not_depend_on_rank_tol_within_their_error) {
    static const double gamma0[] = {1e-4, 1e-3, 1e-2, 1.0, 4.0};
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    double se, rough, fine;
    snprintf(params, sizeof params, "gamma0: %g, " SMALL ", " PAIR, gamma0[_i]);
    rough = number(ctx, params, "output", "t=10,mu=0", &se);
    snprintf(params, sizeof params, "gamma0: %g, rank_tol: 1e-7, " SMALL ", " PAIR, gamma0[_i]);
    fine = number(ctx, params, "output", "t=10,mu=0", NULL);
    ck_assert_msg(fabs(rough - fine) < 0.5 * se, "gamma0 %g: %.8g, %.8g, s.e. %g", gamma0[_i],
                  rough, fine, se);
    nnd_context_free(ctx);
}
END_TEST

/* A coarse tolerance: what it costs is in the standard error, and said. Without that part the error
 * of the replicates, 2e-4, would be a tenth of the deviation, 2e-3. */
START_TEST(truncation_is_part_of_every_standard_error) {
    static const char *const names[] = {"output", "delta", "loss", "ntk", "h_gram", "g_gram"};
    const char *shared = "depth: 2, gamma0: 0.1, lr: 0.3, steps: 30, samples: 1024, replicates: "
                         "12, record: [30], spectrum: false, " PAIR;
    const char *at = "t=30,mu=0,nu=0,layer=1";
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    snprintf(params, sizeof params, "rank_tol: 0.1, %s", shared);
    nnd_frame *coarse = solve(ctx, params);
    snprintf(params, sizeof params, "rank_tol: 1e-6, %s", shared);
    nnd_frame *fine = solve(ctx, params);
    double e = test_value(coarse, "truncation", "t=30");
    double off = fabs(test_value(coarse, "output", at) - test_value(fine, "output", at));
    ck_assert_msg(off > 1e-3 && e > 0.2 * off && e < 8.0 * off, "off by %g, estimate %g", off, e);
    ck_assert(test_value(coarse, "output_se", at) > 2.0 * e);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double d = test_value(coarse, names[i], at) - test_value(fine, names[i], at);
        ck_assert_msg(fabs(d) < 2.0 * test_se(coarse, names[i], at), "%s off by %g, s.e. %g",
                      names[i], d, test_se(coarse, names[i], at));
    }
    ck_assert_ptr_nonnull(nnd_frame_find_attribute(coarse, NULL, "warning_truncation"));
    ck_assert_ptr_null(nnd_frame_find_attribute(fine, NULL, "warning_truncation"));
    nnd_frame_free(coarse);
    nnd_frame_free(fine);
    nnd_context_free(ctx);
}
END_TEST

/* ---- targets of zero ---- */

START_TEST(targets_of_zero_give_outputs_of_zero) {
    static const char *const cases[] = {
        "depth: 2, data: {gram: 1, targets: 0}",
        "depth: 2, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [0, 0]}",
        "depth: 3, activation: relu, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [0, 0]}",
        "depth: 2, batch: 1, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [0, 0]}",
        "depth: 1, data: {gram: 1, targets: 0}",
        "depth: 2, activation: linear, data: {gram: 1, targets: 0}",
        "depth: 2, parameterization: ntk, data: {gram: 1, targets: 0}",
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    snprintf(params, sizeof params, "lr: 0.3, steps: 6, samples: 256, replicates: 2, %s",
             cases[_i]);
    nnd_frame *f = solve(ctx, params);
    const nnd_array *output = nnd_frame_find(f, "output");
    for (size_t i = 0; i < output->count; i++)
        ck_assert_msg(output->data[i] == 0.0, "%g", output->data[i]);
    ck_assert(test_value(f, "loss", "t=6") == 0.0);
    ck_assert(isnan(test_value(f, "diverged_at", "")));
    /* Nothing moves: kernels stay as they are, to the last bit. */
    ck_assert(test_value(f, "ntk", "t=6,mu=0,nu=0") == test_value(f, "ntk", "t=0,mu=0,nu=0"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- claims ---- */

START_TEST(eigenvalues_that_coincide_are_not_claimed) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "activation: linear, lr: 0.2, steps: 10, "
                              "data: {gram: [[1, 0], [0, 1]], targets: [1, -1]}");
    const nnd_array *eig = claim(f, "input_eig_min_size"), *top = claim(f, "stability_min_size");
    ck_assert(eig != NULL && top != NULL);
    ck_assert(eig->data[0] == INFINITY && eig->data[1] == INFINITY && top->data[0] == INFINITY);
    double one = test_value(f, "input_eig", "t=10,k=1"),
           two = test_value(f, "input_eig", "t=10,k=2");
    double gap = one - two, want = 40.0 * one * two / (gap * gap);
    test_close("k = 1", test_value(f, "input_eig_min_size", "t=10,k=1"), want, 1e-9);
    test_close("k = 2", test_value(f, "input_eig_min_size", "t=10,k=2"), want, 1e-9);
    /* K has the eigenvalues lr lambda/P = stability and its trace's rest; Wishart noise enters one
     * of its two terms. */
    double k1 = test_value(f, "stability", "t=10") * 10.0;
    double k2 =
        test_value(f, "ntk", "t=10,mu=0,nu=0") + test_value(f, "ntk", "t=10,mu=1,nu=1") - k1;
    test_close("stability", test_value(f, "stability_min_size", "t=10"),
               40.0 * 0.25 * k1 * k2 / ((k1 - k2) * (k1 - k2)), 1e-9);
    ck_assert_str_eq(nnd_frame_find_attribute(f, "input_eig_min_size", NND_REASON)->text,
                     NND_DEGENERATE);
    ck_assert_ptr_null(claim(f, "output_min_size"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_single_eigenvalue_needs_no_claim) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "activation: linear, steps: 3, data: {gram: 1, targets: 1}");
    ck_assert_ptr_null(claim(f, "input_eig_min_size"));
    ck_assert_ptr_null(claim(f, "stability_min_size"));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* K(0) is 2 for a linear layer, 1 for relu and 0.86 for tanh: lr is such that stability begins
 * at 2.2 or 2.6, or stays below 2. Only the last step is recorded, when it may have fallen. */
START_TEST(beyond_the_edge_of_stability_nothing_is_claimed) {
    static const struct {
        const char *params, *below;
    } cases[] = {
        {"activation: linear, lr: 1.1", "activation: linear, lr: 0.5"},
        {"solver: quadrature, activation: relu, lr: 2.2",
         "solver: quadrature, activation: relu, lr: 0.5"},
        {"solver: march, samples: 256, replicates: 2, lr: 3",
         "solver: march, samples: 256, replicates: 2, lr: 1"},
        {"parameterization: ntk, activation: linear, lr: 1.1",
         "parameterization: ntk, activation: linear, lr: 0.9"},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    for (int beyond = 0; beyond < 2; beyond++) {
        char params[512];
        snprintf(params, sizeof params, "%s, record: [4], steps: 4, data: {gram: 1, targets: 1}",
                 beyond ? cases[_i].params : cases[_i].below);
        nnd_frame *f = solve(ctx, params);
        const nnd_array *loss = claim(f, "loss_min_size"), *ntk = claim(f, "ntk_min_size");
        if (beyond) {
            ck_assert(loss != NULL && ntk != NULL);
            ck_assert_uint_eq(loss->count, 1);
            ck_assert(loss->data[0] == INFINITY && ntk->data[0] == INFINITY);
            ck_assert_str_eq(nnd_frame_find_attribute(f, "loss_min_size", NND_REASON)->text,
                             NND_BEYOND_EDGE);
        } else
            ck_assert(loss == NULL && ntk == NULL);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Two samples that do not see each other: the kernel is lr 2/P in full batches, below the edge at
 * lr 1.5, and 2 lr in batches of one, above it. */
START_TEST(a_batch_has_an_edge_of_its_own) {
    const char *shared = "activation: linear, parameterization: ntk, lr: 1.5, steps: 3, data: "
                         "{gram: [[1, 0], [0, 1]], targets: [1, -1]}";
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    nnd_frame *full = solve(ctx, shared);
    snprintf(params, sizeof params, "batch: 1, %s", shared);
    nnd_frame *batch = solve(ctx, params);
    ck_assert_ptr_null(claim(full, "loss_min_size"));
    const nnd_array *loss = claim(batch, "loss_min_size");
    ck_assert_ptr_nonnull(loss);
    ck_assert(loss->data[0] == 0.0 && loss->data[1] == INFINITY);
    nnd_frame_free(full);
    nnd_frame_free(batch);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide-mlp limits");
    TCase *scales = tcase_create("scales"), *dropped = tcase_create("dropped directions");
    TCase *zero = tcase_create("zero"), *claims = tcase_create("claims");
    tcase_add_loop_test(scales, small_output_scales_have_the_lazy_limit, 0, 5);
    tcase_add_loop_test(scales, small_targets_are_small_output_scales, 0, 3);
    tcase_add_loop_test(scales, linear_networks_are_exact_at_small_output_scales, 0, 4);
    tcase_add_loop_test(dropped, results_do_not_depend_on_rank_tol_within_their_error, 0, 5);
    tcase_add_test(dropped, truncation_is_part_of_every_standard_error);
    tcase_add_loop_test(zero, targets_of_zero_give_outputs_of_zero, 0, 7);
    tcase_add_test(claims, eigenvalues_that_coincide_are_not_claimed);
    tcase_add_test(claims, a_single_eigenvalue_needs_no_claim);
    tcase_add_loop_test(claims, beyond_the_edge_of_stability_nothing_is_claimed, 0, 4);
    tcase_add_test(claims, a_batch_has_an_edge_of_its_own);
    suite_add_tcase(suite, scales);
    suite_add_tcase(suite, dropped);
    suite_add_tcase(suite, zero);
    suite_add_tcase(suite, claims);
    return test_main(suite);
}
