/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small network of deep linear networks against the full march over all pairs of steps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "full/against_small.h"
#include "full/deep_linear_ntk.h"
#include "full/deep_linear_outliers.h"
#include "support.h"
#include "theory/deep_linear_run.h"
#include "theory/deep_linear_stabilised.h"
#include "theory/deep_linear_step_error.h"

/* Largest error of a curve of the small network, relative to its largest value. */
static double error_of(nnd_context *ctx, const char *params, double tolerance, double *unequal) {
    full_difference found;
    ck_assert_msg(full_compare(ctx, params, tolerance, &found), "%s diverges", params);
    *unequal = found.unequal;
    return found.error;
}

#define R1 "alpha: 2, gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.1"

static const char *const REFERENCE[] = {
    R1,
    "depth: 2, nu: 0.7, " R1,
    "depth: 3, alpha: inf, parameterization: ntk, gamma0: 2, nu: 0.5, sigma: 0.7, lr: 0.05",
    "depth: 2, alpha: 1.5, nu: 2, gamma0: 2, sigma: 0.8, noise: 0.3, integrator: flow, method: "
    "rk4, "
    "steps: 40, time: 4",
    "gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.8",
    "depth: 3, nu: 0.7, momentum: 0.6, weight_decay: 0.02, steps: 80, " R1,
    "depth: 2, training: fresh, steps: 60, " R1,
    "depth: 2, center: true, sigma: [0.5, 0.9, 1.2], schedule: [0.1, 0.5, 1], gamma0: 0.01, "
    "alpha: 0.8, nu: 2, noise: 0.4",
    "depth: 4, sigma: 0.9, gamma0: 2, steps: 100, noise: 0.1, lr: 0.05",
    "depth: 2, integrator: flow, method: heun, steps: 30, time: 2, center: true, sigma: 0.7",
    "integrator: flow, method: euler, alpha: inf, steps: 50, time: 2, sigma: 0.5",
};

/* The default tolerance leaves 1e-10 to 1e-9 of a curve's largest value. */
START_TEST(reference_cases_agree_with_the_full_march) {
    nnd_context *ctx = nnd_context_new(NULL);
    double unequal, error = error_of(ctx, REFERENCE[_i], 1e-8, &unequal);
    ck_assert_msg(error < 1e-8, "%s: error %.3g", REFERENCE[_i], error);
    nnd_context_free(ctx);
}
END_TEST

/* The error is about the tolerance, whatever that is. */
START_TEST(the_error_falls_with_the_tolerance) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double tolerance[] = {1e-3, 1e-5, 1e-7, 1e-9, 1e-11};
    double unequal, last = INFINITY;
    for (int i = 0; i < 5; i++) {
        double error = error_of(ctx, "depth: 3, steps: 120, sigma: 0.8, noise: 0.3, lr: 0.1",
                                tolerance[i], &unequal);
        ck_assert_msg(error < 2.0 * tolerance[i], "tolerance %g: error %.3g", tolerance[i], error);
        ck_assert_msg(error < 0.1 * last, "tolerance %g: error %.3g after %.3g", tolerance[i],
                      error, last);
        last = error;
    }
    nnd_context_free(ctx);
}
END_TEST

/* What theory says of itself is no less than the error that was found. */
static void check_reported(nnd_context *ctx, const char *params, double error) {
    nnd_frame *f = test_solve(ctx, "deep-linear", params);
    double reported = nnd_frame_find_attribute(f, NULL, "march_error")->number;
    ck_assert_msg(error <= reported, "error %.3g, reported %.3g", error, reported);
    nnd_frame_free(f);
}

/* deep-linear.md#s6-2 is an identity of networks: no dropped part breaks it. */
START_TEST(backward_times_forward_is_equal_at_any_tolerance) {
    nnd_context *ctx = nnd_context_new(NULL);
    double unequal;
    error_of(ctx, "depth: 3, steps: 60, sigma: 0.8, noise: 0.3, lr: 0.1", 1e-2, &unequal);
    ck_assert_msg(unequal < 1e-13, "differ by %.3g", unequal);
    nnd_context_free(ctx);
}
END_TEST

/* Some case of all options, by number. */
static void random_case(uint64_t number, size_t size, char *params) {
    enum { CHOICES = 16 };
    static const char *const data[] = {"alpha: 0.7", "alpha: 2.5", "alpha: inf",
                                       "alpha: 1.5, training: fresh"};
    uint64_t word[CHOICES];
    double u[CHOICES];
    nnd_rng_words((nnd_rng_key){20, 1, 1}, 0, number, CHOICES, word);
    for (int i = 0; i < CHOICES; i++)
        u[i] = ldexp((double)(word[i] >> 11), -53);
    snprintf(params, size,
             "depth: %d, %s, nu: %.3g, gamma0: %.3g, sigma: %.3g, noise: %.3g, lr: %.3g, "
             "steps: %d, parameterization: %s, center: %s, momentum: %s, weight_decay: %s, "
             "schedule: %s",
             1 + (int)(3.0 * u[1]), data[(int)(4.0 * u[0])], 0.4 + 2.0 * u[3], 0.3 + 2.0 * u[4],
             0.4 + 0.5 * u[5], 0.5 * u[6], 0.02 + 0.08 * u[7], 20 + (int)(60.0 * u[8]),
             u[9] < 0.5 ? "mup" : "ntk", u[10] < 0.3 ? "true" : "false", u[11] < 0.4 ? "0.5" : "0",
             u[12] < 0.4 ? "0.01" : "0", u[13] < 0.3 ? "[0.2, 0.6, 1]" : "null");
}

/* More than 200 steps of fresh batches without spectra: old coordinates are replaced. */
START_TEST(compressed_fresh_batches_agree_with_the_full_march) {
    static const char *const runs[] = {
        "training: fresh, gamma0: 1.5, sigma: 0.7, noise: 0.3, steps: 240, "
        "spectrum: false, ntk: false",
        "training: fresh, gamma0: 1.5, sigma: 0.7, noise: 0.3, steps: 320, lr: 0.01, "
        "momentum: 0.9, spectrum: false, ntk: false",
    };
    const char *params = runs[_i];
    nnd_context *ctx = nnd_context_new(NULL);
    double unequal, error = error_of(ctx, params, 1e-8, &unequal);
    ck_assert_msg(error > 1e-14, "nothing was replaced");
    ck_assert_msg(error < 1e-6, "error %.3g", error);
    check_reported(ctx, params, error);
    nnd_context_free(ctx);
}
END_TEST

/* What is learned when the rate rises again is not to be seen in fields of the steps before. */
START_TEST(fresh_batches_survive_a_pause) {
    enum { LEARNED = 60, PAUSE = 100 };
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512] = "training: fresh, gamma0: 1.5, sigma: 0.7, noise: 0.3, steps: 240, "
                       "lr: 0.05, spectrum: false, ntk: false, schedule: [";
    for (int t = 0; t < LEARNED + PAUSE; t++)
        strcat(params, t < LEARNED ? "1," : "0,");
    strcat(params, "1]");
    double unequal, error = error_of(ctx, params, 1e-8, &unequal);
    ck_assert_msg(error > 1e-14, "nothing was replaced");
    ck_assert_msg(error < 1e-7, "error %.3g", error);
    nnd_context_free(ctx);
}
END_TEST

/* ---- spectra ---- */

enum { OUTLIERS = 2 };

/* The march, its fields in coordinates and its scheme, which goes along. */
typedef struct {
    nnd_context *ctx;
    nnd_dynamics d;
    nnd_field_factors factors;
    nnd_scheme *scheme;
    size_t query, found;
} oracle;

/* Values to 1e-7 relative; overlaps to 1e-6, which next to the edge of a bulk is all that they
 * have: there they grow like the root of the distance. */
static const double VALUES = 1e-7, OVERLAPS = 1e-6;

static void equal(oracle *o, const char *what, double got, double want, double tolerance) {
    ck_assert_msg(isnan(got) == isnan(want) &&
                      (isnan(want) || fabs(got - want) <= tolerance * fmax(fabs(want), 1e-2)),
                  "%s at query %zu: want %.12g, got %.12g", what, o->query, want, got);
    o->found += isnan(want) ? 0 : 1;
}

static void compare_outliers(oracle *o, const nnd_small *n, size_t l) {
    double value[2][OUTLIERS], target[2][OUTLIERS], readout[2][OUTLIERS];
    nnd_weight_outliers out[2];
    for (int i = 0; i < 2; i++)
        out[i] = (nnd_weight_outliers){.value = value[i],
                                       .target = l == 0 ? target[i] : NULL,
                                       .readout = l + 1 == n->depth ? readout[i] : NULL,
                                       .count = OUTLIERS};
    ck_assert_int_eq(nnd_small_outliers(o->ctx, n, l, &out[0]), NND_OK);
    ck_assert_int_eq(nnd_dynamics_outliers(o->ctx, &o->d, &o->factors, l, o->query,
                                           nnd_scheme_kappa(o->scheme), nnd_scheme_omega(o->scheme),
                                           &out[1]),
                     NND_OK);
    equal(o, "edge", out[0].edge, out[1].edge, 1e-13);
    for (size_t k = 0; k < OUTLIERS; k++) {
        equal(o, "outlier", value[0][k], value[1][k], VALUES);
        if (l == 0)
            equal(o, "overlap with the target", target[0][k], target[1][k], OVERLAPS);
        if (l + 1 == n->depth)
            equal(o, "overlap with the readout", readout[0][k], readout[1][k], OVERLAPS);
    }
}

static void compare_modes(oracle *o, const nnd_small *n, size_t step) {
    double value[2][OUTLIERS];
    nnd_ntk_modes out[2];
    bool above;
    for (int i = 0; i < 2; i++)
        out[i] = (nnd_ntk_modes){.value = value[i], .count = OUTLIERS};
    ck_assert_int_eq(nnd_small_ntk(o->ctx, n, step, &out[0]), NND_OK);
    ck_assert_int_eq(nnd_dynamics_ntk(o->ctx, &o->d, &o->factors, o->query,
                                      nnd_scheme_kappa(o->scheme), nnd_scheme_omega(o->scheme),
                                      &out[1]),
                     NND_OK);
    equal(o, "edge of the NTK", out[0].edge, out[1].edge, VALUES);
    equal(o, "residual", out[0].residual_overlap, out[1].residual_overlap, OVERLAPS);
    for (size_t k = 0; k < OUTLIERS; k++)
        equal(o, "mode of the NTK", value[0][k], value[1][k], VALUES);
    double top = isnan(value[1][0]) ? out[1].edge : value[1][0];
    ck_assert_int_eq(nnd_small_ntk_above(o->ctx, n, 0.999 * top, &above), NND_OK);
    ck_assert(above);
    ck_assert_int_eq(nnd_small_ntk_above(o->ctx, n, 1.001 * top, &above), NND_OK);
    ck_assert(!above);
}

static nnd_status compare_spectra(void *data, nnd_small *n, size_t step) {
    oracle *o = data;
    for (; o->query < step * o->d.stages; o->query++)
        nnd_scheme_advance(o->scheme);
    if (step % 5 != 0)
        return NND_OK;
    for (size_t l = 0; l < n->depth; l++)
        compare_outliers(o, n, l);
    compare_modes(o, n, step);
    return NND_OK;
}

/* R1 to R5 of deep-linear.md#s7, and more. */
enum { TABLES = 5 };
static const char *const SPECTRA[] = {
    R1,
    "depth: 2, nu: 0.7, " R1,
    "depth: 3, alpha: inf, parameterization: ntk, gamma0: 2, nu: 0.5, sigma: 0.7, lr: 0.05",
    "depth: 2, alpha: 1.5, nu: 2, gamma0: 2, sigma: 0.8, noise: 0.3, integrator: flow, steps: 40, "
    "time: 4",
    "gamma0: 3, sigma: 0.6, noise: 0.3, lr: 0.8",
    "depth: 2, nu: 0.7, momentum: 0.6, weight_decay: 0.02, steps: 30, " R1,
    "depth: 2, training: fresh, steps: 30, " R1,
    "depth: 2, alpha: 1, gamma0: 5, sigma: 0.5, noise: 1, lr: 0.4, steps: 15",
};

static void begin(oracle *o, nnd_case *c, double tolerance, nnd_small *n) {
    ck_assert_int_eq(nnd_dynamics_make(o->ctx, c->params[0], &o->d), NND_OK);
    ck_assert_int_eq(nnd_dynamics_run(o->ctx, &o->d), NND_OK);
    ck_assert_int_eq(nnd_field_factors_make(o->ctx, &o->d, o->d.done, &o->factors), NND_OK);
    ck_assert_int_eq(nnd_dynamics_new_scheme(o->ctx, &o->d, &o->scheme), NND_OK);
    ck_assert_int_eq(nnd_small_make(o->ctx, c->params[0], tolerance, o->d.stages, n), NND_OK);
}

static void end(oracle *o, nnd_small *n) {
    nnd_small_clear(n);
    nnd_scheme_free(o->scheme);
    nnd_field_factors_clear(&o->factors);
    nnd_dynamics_clear(&o->d);
}

START_TEST(spectra_agree_with_dressed_gram_matrices) {
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[640];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", SPECTRA[_i]);
    nnd_case *c = test_case(ctx, yaml);
    oracle o = {.ctx = ctx};
    nnd_small n;
    size_t done;
    begin(&o, c, 1e-10, &n);
    ck_assert_int_eq(nnd_small_run(ctx, &n, compare_spectra, &o, &done), NND_OK);
    ck_assert_msg(o.found > 2 * done / 5, "only %zu numbers", o.found);
    end(&o, &n);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* The first time at which Lambda_1 of a layer is 1, taken as linear between two steps. */
static double oracle_escape(oracle *o, size_t l, double step_time) {
    double before = 0.0, now = 0.0;
    nnd_scheme *scheme;
    ck_assert_int_eq(nnd_dynamics_new_scheme(o->ctx, &o->d, &scheme), NND_OK);
    size_t q = 0;
    for (; q < o->d.done && now < 1.0; q++) {
        if (q % o->d.stages == 0) {
            before = now;
            ck_assert_int_eq(nnd_dynamics_indicators(o->ctx, &o->d, &o->factors, l, q,
                                                     nnd_scheme_kappa(scheme),
                                                     nnd_scheme_omega(scheme), 1, &now),
                             NND_OK);
        }
        nnd_scheme_advance(scheme);
    }
    nnd_scheme_free(scheme);
    double step = (double)((q - 1) / o->d.stages);
    return now < 1.0 ? NAN : step_time * (step - (now - 1.0) / (now - before));
}

/* To 1e-5: the dressed matrices are evaluated a little above the edge. */
START_TEST(escape_times_agree_with_dressed_gram_matrices) {
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[640], at[32];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", SPECTRA[_i]);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *f = test_theory(ctx, yaml);
    const nnd_deep_linear *p = c->params[0];
    oracle o = {.ctx = ctx};
    nnd_small n;
    begin(&o, c, 1e-10, &n);
    for (size_t l = 0; l < n.depth; l++) {
        snprintf(at, sizeof at, "matrix=%zu,k=1", l);
        double step_time = p->integrator == NND_GRADIENT_FLOW ? p->time / (double)p->steps : 1.0;
        double want = oracle_escape(&o, l, step_time);
        equal(&o, "escape time", test_value(f, "escape_time", at), want, 1e-5);
    }
    ck_assert_uint_gt(o.found, 0);
    end(&o, &n);
    nnd_frame_free(f);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* ---- what looks back ---- */

static bool compresses(nnd_context *ctx, const char *asked) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {training: fresh, steps: 5000%s}}",
             asked);
    nnd_case *c = test_case(ctx, yaml);
    bool answer = nnd_small_compresses(c->params[0]);
    nnd_case_free(c);
    return answer;
}

/* Spectra of replaced coordinates were wrong by 0.05 after 1000 steps at lr 0.1. */
START_TEST(nothing_is_replaced_of_what_spectra_look_back_at) {
    static const char *const looks_back[] = {"spectrum: true, ntk: false",
                                             "spectrum: false, ntk: true",
                                             "spectrum: false, ntk: false, two_time: true",
                                             "spectrum: false, ntk: false, density: true"};
    nnd_context *ctx = nnd_context_new(NULL);
    ck_assert(compresses(ctx, ", spectrum: false, ntk: false"));
    for (size_t i = 0; i < sizeof looks_back / sizeof *looks_back; i++) {
        char asked[64];
        snprintf(asked, sizeof asked, ", %s", looks_back[i]);
        ck_assert_msg(!compresses(ctx, asked), "%s", looks_back[i]);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- adaptive flow ---- */

static nnd_status note_risk(void *data, nnd_small *n, double tau, size_t mark) {
    (void)tau;
    if (mark != SIZE_MAX)
        ((double *)data)[mark] = nnd_small_test_risk(n);
    return NND_OK;
}

static nnd_flow_account flow(nnd_context *ctx, const char *params, double tolerance, size_t count,
                             const double *marks, double *risk) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {integrator: flow, %s}}", params);
    nnd_case *c = test_case(ctx, yaml);
    nnd_small n;
    nnd_flow_account account;
    ck_assert_int_eq(nnd_small_make(ctx, c->params[0], tolerance, 2, &n), NND_OK);
    ck_assert_int_eq(nnd_small_flow(ctx, &n, 1.0, count, marks, note_risk, risk, &account), NND_OK);
    nnd_small_clear(&n);
    nnd_case_free(c);
    return account;
}

#define R4 "depth: 2, alpha: 1.5, nu: 2, gamma0: 2, sigma: 0.8, noise: 0.3"

/* Steps whose error is of third order: a hundredth of the tolerance leaves a twentieth of the
 * error. 200 steps of rk4 are exact to 1e-8. */
START_TEST(an_adaptive_flow_agrees_with_fine_steps) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {integrator: flow, method: rk4, "
                                 "steps: 200, time: 2, tolerance: 1.0e-10, " R4 "}}");
    const double marks[] = {0.0, 0.5, 1.0, 2.0};
    double risk[4], last = 0.0;
    nnd_curves exact;
    ck_assert_int_eq(nnd_deep_linear_every_step(ctx, c->params[0], &exact), NND_OK);
    for (int i = 0; i < 3; i++) {
        const double tolerance[] = {1e-4, 1e-6, 1e-8}, bound[] = {2e-3, 1e-4, 5e-6};
        double error = 0.0;
        flow(ctx, R4, tolerance[i], 4, marks, risk);
        for (int k = 0; k < 4; k++)
            error = fmax(error, fabs(risk[k] - nnd_curves_at(&exact, (size_t)(100.0 * marks[k]),
                                                             NND_TEST_RISK)));
        ck_assert_msg(error < bound[i], "tolerance %g: error %g", tolerance[i], error);
        ck_assert_msg(i == 0 || error < 0.1 * last, "%g after %g", error, last);
        last = error;
    }
    nnd_curves_clear(&exact);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* With more samples than dimensions the end is regression: risk noise^2/(alpha - 1). */
START_TEST(a_flow_ends_where_regression_does) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double marks[] = {1e3, 1e4, 1e6};
    double risk[3];
    nnd_flow_account account =
        flow(ctx, "alpha: 2.5, sigma: 0.8, noise: 0.3", 1e-6, 3, marks, risk);
    for (int k = 0; k < 3; k++)
        test_close("risk", risk[k], 0.09 / 1.5, 1e-6);
    ck_assert(account.frozen < 1e3 && account.steps < 1000);
    nnd_context_free(ctx);
}
END_TEST

/* Also in one go: what remains until a mark does not tell whether a step is long enough. */
START_TEST(a_flow_has_an_end_however_far_its_time) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double mark = 1e300;
    double risk;
    nnd_flow_account account =
        flow(ctx, "alpha: 2.5, sigma: 0.8, noise: 0.3", 1e-6, 1, &mark, &risk);
    test_close("risk", risk, 0.09 / 1.5, 1e-6);
    ck_assert(account.frozen < 1e4);
    nnd_context_free(ctx);
}
END_TEST

/* From a small initialisation nothing moves for long, which is no end: for two layers the time of
 * the escape is that at which 1/(sigma sqrt(N)...) has been made up for, about 1/sigma. */
START_TEST(a_plateau_is_not_taken_for_the_end) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double marks[] = {10.0, 100.0, 1e5};
    double risk[3];
    flow(ctx, "depth: 2, sigma: 0.03", 1e-6, 3, marks, risk);
    ck_assert(risk[0] > 0.99 && risk[1] > 0.9 && risk[2] < 0.05);
    nnd_context_free(ctx);
}
END_TEST

/* Weights of a lazy network move by as little as gamma0, however much it learns. */
START_TEST(small_motion_is_not_taken_for_the_end) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double mark = 1e3;
    double risk;
    flow(ctx, "alpha: 2.5, noise: 0.3, gamma0: 1.0e-4, center: true", 1e-6, 1, &mark, &risk);
    test_close("risk", risk, 0.09 / 1.5, 1e-4);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(random_cases_agree_with_the_full_march) {
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    double unequal;
    random_case((uint64_t)_i, sizeof params, params);
    double error = error_of(ctx, params, 1e-8, &unequal);
    ck_assert_msg(error < 1e-8, "%s: error %.3g", params, error);
    nnd_context_free(ctx);
}
END_TEST

/* The error of the attribute is not less than the true one, but for rounding. */
START_TEST(the_error_that_is_reported_is_honest) {
    const double rounding = 1e-12;
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512], yaml[640];
    double unequal;
    random_case((uint64_t)_i, sizeof params, params);
    snprintf(yaml, sizeof yaml,
             "{model: deep-linear, params: {%s, tolerance: 1.0e-6, "
             "spectrum: false, ntk: false}}",
             params);
    nnd_frame *f = test_theory(ctx, yaml);
    double reported = nnd_frame_find_attribute(f, NULL, "march_error")->number;
    double error = error_of(ctx, params, 1e-6, &unequal);
    ck_assert_msg(error <= reported + rounding, "%s: error %.3g, reported %.3g", params, error,
                  reported);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Beyond the edge of stability rounding grows like everything else, though nothing is dropped; and
 * what is dropped at both tolerances no difference between them shows. */
START_TEST(errors_that_no_looser_tolerance_shows_are_reported) {
    static const struct {
        const char *params;
        double least;
    } runs[] = {
        {"gamma0: 3, sigma: 0.6, noise: 0.3, lr: 1, steps: 60", 1e-9},
        {"depth: 3, alpha: 4, nu: 2, gamma0: 0.001, sigma: 0.05, parameterization: ntk, "
         "center: true, lr: 5, steps: 10",
         1e-10},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char params[256];
    full_difference found;
    ck_assert(full_compare(ctx, runs[_i].params, 1e-8, &found));
    double error = found.certain;
    ck_assert_msg(error > runs[_i].least, "error %.3g", error);
    snprintf(params, sizeof params, "%s, spectrum: false, ntk: false", runs[_i].params);
    check_reported(ctx, params, error);
    nnd_context_free(ctx);
}
END_TEST

/* Recorded times so close to each other that they, not the tolerance, limit steps: those of the
 * check are longer all the same. 100 steps of rk4 are exact to 1e-11. */
START_TEST(an_error_is_stated_where_recorded_times_limit_steps) {
    const char *const runs[] = {"record: [0, 0.75, 1.5, 2.25, 3]",
                                "method: rk4, steps: 100, record_every: 25, tolerance: 1.0e-10"};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f[2];
    for (int i = 0; i < 2; i++) {
        char yaml[320];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {depth: 2, alpha: 2.5, nu: 0.3, sigma: 0.2, noise: "
                 "0.3, gamma0: 0.001, parameterization: ntk, integrator: flow, time: 3, "
                 "spectrum: false, ntk: false, %s}}",
                 runs[i]);
        f[i] = test_theory(ctx, yaml);
    }
    const double *x = nnd_frame_find(f[0], "overlap")->data;
    const double *exact = nnd_frame_find(f[1], "overlap")->data;
    double stated = nnd_frame_find_attribute(f[0], NULL, "march_error")->number;
    double error = 0.0, largest = 0.0;
    for (int t = 0; t < 5; t++) {
        error = fmax(error, fabs(x[t] - exact[t]));
        largest = fmax(largest, fabs(exact[t]));
    }
    ck_assert_msg(error > 1e-9 * largest && error < stated * largest, "error %g, stated %g",
                  error / largest, stated);
    nnd_frame_free(f[0]);
    nnd_frame_free(f[1]);
    nnd_context_free(ctx);
}
END_TEST

/* Beyond the edge of stability what was left out has grown: a looser run is not claimed any more
 * where it differs from a stricter one. */
START_TEST(curves_that_are_not_known_are_not_claimed) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f[2];
    for (int i = 0; i < 2; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "{model: deep-linear, params: {alpha: 1.1, noise: 1, gamma0: 3, sigma: 0.5, "
                 "lr: 0.3, steps: 240, spectrum: false, ntk: false, tolerance: %s}}",
                 i == 0 ? "1.0e-6" : "1.0e-9");
        f[i] = test_theory(ctx, yaml);
    }
    const double *x = nnd_frame_find(f[0], "test_risk")->data;
    const double *exact = nnd_frame_find(f[1], "test_risk")->data;
    const nnd_array *claim = nnd_frame_find(f[0], "test_risk_min_size");
    double largest = 0.0, claimed = 0.0, other = 0.0;
    for (size_t t = 0; t < claim->count; t++) {
        double *error = isinf(claim->data[t]) ? &other : &claimed;
        largest = fmax(largest, exact[t]);
        *error = fmax(*error, fabs(x[t] - exact[t]));
    }
    ck_assert_msg(claimed < 0.002 * largest, "%g of %g", claimed, largest);
    ck_assert_msg(other > 0.01 * largest, "%g of %g", other, largest);
    ck_assert_double_eq(claim->data[120], 0.0);
    nnd_frame_free(f[0]);
    nnd_frame_free(f[1]);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("small network");
    TCase *tests = tcase_create("small network");
    tcase_add_loop_test(tests, reference_cases_agree_with_the_full_march, 0,
                        (int)(sizeof REFERENCE / sizeof *REFERENCE));
    tcase_add_loop_test(tests, random_cases_agree_with_the_full_march, 0, 50);
    tcase_add_loop_test(tests, the_error_that_is_reported_is_honest, 0, 50);
    tcase_add_loop_test(tests, errors_that_no_looser_tolerance_shows_are_reported, 0, 2);
    tcase_add_loop_test(tests, compressed_fresh_batches_agree_with_the_full_march, 0, 2);
    tcase_add_test(tests, fresh_batches_survive_a_pause);
    tcase_add_loop_test(tests, spectra_agree_with_dressed_gram_matrices, 0,
                        (int)(sizeof SPECTRA / sizeof *SPECTRA));
    tcase_add_loop_test(tests, escape_times_agree_with_dressed_gram_matrices, 0, TABLES);
    tcase_add_test(tests, nothing_is_replaced_of_what_spectra_look_back_at);
    tcase_add_test(tests, an_adaptive_flow_agrees_with_fine_steps);
    tcase_add_test(tests, a_flow_ends_where_regression_does);
    tcase_add_test(tests, a_flow_has_an_end_however_far_its_time);
    tcase_add_test(tests, a_plateau_is_not_taken_for_the_end);
    tcase_add_test(tests, small_motion_is_not_taken_for_the_end);
    tcase_add_test(tests, an_error_is_stated_where_recorded_times_limit_steps);
    tcase_add_test(tests, curves_that_are_not_known_are_not_claimed);
    tcase_add_test(tests, the_error_falls_with_the_tolerance);
    tcase_add_test(tests, backward_times_forward_is_equal_at_any_tolerance);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
