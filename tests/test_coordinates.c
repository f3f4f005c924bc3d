/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ensembles whose magnitudes are exact powers of the size. */
#include "nndmft/coordinates.h"

#include <math.h>
#include <string.h>

#include "support.h"
#include "with_context.h"

enum { SIZES = 3, GROUPS = 2, LAYERS = 2, SAMPLES = 2, TIMES = 2 };

#define CASE                                                                                       \
    "{model: wide-mlp, params: {depth: 2, steps: 1, parameterization: %s, two_time: true, "        \
    "data: {gram: [[1, 0], [0, 1]], targets: [1, 1]}}, simulate: {size: [16, 64, 256], seeds: 4}}"

static const double size[SIZES] = {16.0, 64.0, 256.0};
static nnd_case *c;
static nnd_ensemble ensemble;
static nnd_frame *theory, *answers;

static void assert_ok(nnd_status status) {
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
}

static nnd_frame *sized(void) {
    nnd_frame *frame;
    assert_ok(nnd_frame_new(ctx, &frame));
    assert_ok(nnd_frame_add_dim(frame, "size", NND_COORD_INTEGER, SIZES, size));
    assert_ok(nnd_frame_add_range(frame, "group", GROUPS, 0.0));
    assert_ok(nnd_frame_add_range(frame, "layer", LAYERS, 1.0));
    assert_ok(nnd_frame_add_range(frame, "t", TIMES, 0.0));
    assert_ok(nnd_frame_add_range(frame, "s", TIMES, 0.0));
    assert_ok(nnd_frame_add_range(frame, "mu", SAMPLES, 0.0));
    assert_ok(nnd_frame_add_range(frame, "nu", SAMPLES, 0.0));
    return frame;
}

static void begin(const char *parameterization) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, CASE, parameterization);
    c = test_case(ctx, yaml);
    ensemble.mc = sized();
    ensemble.influence = sized();
}

static void end(void) {
    nnd_ensemble_clear(&ensemble);
    nnd_frame_free(theory);
    nnd_frame_free(answers);
    theory = answers = NULL;
    nnd_case_free(c);
    teardown();
}

/* Outputs change from 5 by +-step_s; groups contribute +-se to what sample 0 is in the end. */
static void put_outputs(const double step[SIZES], double se) {
    double *x, *share;
    assert_ok(nnd_frame_add(ensemble.mc, "output", "size,t,mu", &x));
    assert_ok(nnd_frame_add(ensemble.influence, "output", "size,group,t,mu", &share));
    memset(share, 0, SIZES * GROUPS * TIMES * SAMPLES * sizeof *share);
    for (size_t s = 0; s < SIZES; s++) {
        x[s * 4] = x[s * 4 + 1] = 5.0;
        x[s * 4 + 2] = 5.0 + step[s];
        x[s * 4 + 3] = 5.0 - step[s];
        share[(s * GROUPS + 0) * 4 + 2] = se * step[s];
        share[(s * GROUPS + 1) * 4 + 2] = -se * step[s];
    }
}

static double answer(const char *name, const char *what) {
    const nnd_dim *dim = nnd_frame_find_dim(answers, "coordinate");
    for (size_t k = 0; k < dim->length; k++)
        if (strcmp(dim->text[k], what) == 0)
            return nnd_frame_find(answers, name)->data[k];
    ck_abort_msg("%s is not there", what);
}

/* RMS step; each group changes its logarithm by se step/(2 step), two of them: s.e. se/sqrt(2) of
 * log Y. With equal errors at log N = 4, 6, 8 (times log 2) the slope errs by that over
 * sqrt(2 (2 log 2)^2). */
START_TEST(a_power_of_the_size_and_its_error) {
    const double step[] = {0.4, 0.4 / 2.0, 0.4 / 4.0}; /* size^-1/2 */
    begin("mup");
    put_outputs(step, 0.1);
    assert_ok(nnd_coordinates(ctx, c, &ensemble, &theory, &answers));
    ck_assert_double_eq_tol(answer("slope", "change of outputs"), -0.5, 1e-12);
    double se = 0.1 / sqrt(2.0) / sqrt(2.0) / (2.0 * log(2.0));
    ck_assert_double_eq_tol(answer("slope_se", "change of outputs"), se, 1e-12);
    ck_assert_double_eq(answer("expected", "change of outputs"), 0.0);
    ck_assert_double_eq(answer("verdict", "change of outputs"), NND_COORDINATE_OTHERWISE);
    ck_assert_double_nan(answer("slope", "features, squared")); /* not simulated */
    /* The line of the expected power goes through the last size. */
    ck_assert_double_eq_tol(nnd_frame_find(theory, "magnitude")->data[3 * SIZES], 0.1, 1e-14);
    ck_assert_double_eq_tol(nnd_frame_find(ensemble.mc, "magnitude")->data[3 * SIZES], 0.4, 1e-14);
}
END_TEST

START_TEST(standard_errors_decide_or_leave_it_open) {
    const double flat[] = {0.4, 0.4, 0.4};
    static const struct {
        double se;
        nnd_coordinate_verdict verdict;
    } cases[] = {{0.1, NND_COORDINATE_AS_EXPECTED}, {0.6, NND_COORDINATE_OPEN}};
    begin("mup");
    put_outputs(flat, cases[_i].se);
    assert_ok(nnd_coordinates(ctx, c, &ensemble, &theory, &answers));
    ck_assert_double_eq_tol(answer("slope", "change of outputs"), 0.0, 1e-12);
    ck_assert_double_eq(answer("verdict", "change of outputs"), cases[_i].verdict);
}
END_TEST

/* x(t, t) + x(0, 0) - 2 x(t, 0) of the diagonal is 1/size in the first layer and size in the
 * second, which the root makes size^-1/2 and size^1/2; what is beside the diagonal does not count.
 */
START_TEST(distances_between_two_times_are_roots_of_their_squares_layer_by_layer) {
    double *x, *share;
    begin("standard");
    assert_ok(nnd_frame_add(ensemble.mc, "phi_two_time", "size,layer,t,s,mu,nu", &x));
    assert_ok(
        nnd_frame_add(ensemble.influence, "phi_two_time", "size,group,layer,t,s,mu,nu", &share));
    for (size_t i = 0; i < SIZES * 32; i++) {
        size_t layer = i / 16 % 2, t = i / 8 % 2, s = i / 4 % 2, mu = i / 2 % 2, nu = i % 2;
        double square = layer == 0 ? 1.0 / size[i / 32] : size[i / 32];
        x[i] = mu == nu ? 2.0 + (t == 1 && s == 1 ? square : 0.0) : 77.0 * (double)(t + s);
    }
    for (size_t i = 0; i < SIZES * GROUPS * 32; i++)
        share[i] = 1e-6 * (double)(i / 8 % 2) * (double)(i / 4 % 2);
    assert_ok(nnd_coordinates(ctx, c, &ensemble, &theory, &answers));
    static const char *const name[] = {"change of first features", "change of deeper features"};
    for (int k = 0; k < 2; k++) {
        ck_assert_double_eq_tol(answer("slope", name[k]), k - 0.5, 1e-9);
        ck_assert_double_eq(answer("expected", name[k]), k - 0.5);
        ck_assert_double_eq(answer("verdict", name[k]), NND_COORDINATE_AS_EXPECTED);
    }
}
END_TEST

START_TEST(without_groups_there_is_no_verdict_and_without_sizes_no_answer) {
    const double flat[] = {0.4, 0.4, 0.4};
    begin("mup");
    put_outputs(flat, 0.1);
    nnd_frame_free(ensemble.influence);
    ensemble.influence = NULL;
    assert_ok(nnd_coordinates(ctx, c, &ensemble, &theory, &answers));
    ck_assert_double_nan(answer("verdict", "change of outputs"));
    nnd_frame_free(ensemble.mc);
    assert_ok(nnd_frame_new(ctx, &ensemble.mc));
    nnd_frame_free(theory);
    nnd_frame_free(answers);
    theory = answers = NULL;
    ck_assert_int_eq(nnd_coordinates(ctx, c, &ensemble, &theory, &answers), NND_E_INPUT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("coordinates");
    TCase *tests = tcase_create("coordinates");
    tcase_add_checked_fixture(tests, setup, end);
    tcase_add_test(tests, a_power_of_the_size_and_its_error);
    tcase_add_loop_test(tests, standard_errors_decide_or_leave_it_open, 0, 2);
    tcase_add_test(tests, distances_between_two_times_are_roots_of_their_squares_layer_by_layer);
    tcase_add_test(tests, without_groups_there_is_no_verdict_and_without_sizes_no_answer);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
