/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verdicts on whole curves: correlations between points, false alarms, what would be noticed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "support.h"
#include "validate/compare_impl.h"
#include "validate/reduce.h"

enum { TIMES = 10, SIZE = 10 };

static const nnd_variable VARIABLES[] = {
    {.name = "q", .dims = "t"},
    {.name = "q_nvar", .dims = "t", .estimator = {NND_NVAR, "q", NULL}},
};
static const nnd_model MODEL = {.name = "walk", .variable_count = 2, .variables = VARIABLES};

static nnd_context *ctx;
static nnd_frame *theory, *mc, *influence;
static nnd_comparison *comparison;

static void setup(void) {
    ctx = nnd_context_new(NULL);
    theory = mc = influence = NULL;
    comparison = NULL;
}

static void clear(void) {
    nnd_comparison_free(comparison);
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_frame_free(influence);
    theory = mc = influence = NULL;
    comparison = NULL;
}

static void teardown(void) {
    clear();
    nnd_context_free(ctx);
}

/* Seeds q(t): `correlated` sums of the first t + 1 of independent normals over sqrt(t + 1), or
 * those normals themselves. Both have mean 0 and variance 1 at every t. */
static nnd_frame *walks(uint64_t realization, size_t seeds, size_t size, bool correlated) {
    nnd_frame *frame;
    double *x;
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(frame, "seed", seeds, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", TIMES, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(frame, "q", "seed,t", &x), NND_OK);
    nnd_rng_normals((nnd_rng_key){realization, 0, size}, 0, 0, seeds * TIMES, x);
    for (size_t i = 0; correlated && i < seeds; i++)
        for (size_t t = 0; t < TIMES; t++) {
            double before = t > 0 ? x[i * TIMES + t - 1] * sqrt((double)t) : 0.0;
            x[i * TIMES + t] = (before + x[i * TIMES + t]) / sqrt((double)t + 1.0);
        }
    return frame;
}

static void reduce(nnd_frame *seeds) {
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &MODEL, seeds, SIZE, 1, &mc, &influence), NND_OK);
    nnd_frame_free(seeds);
}

/* Theory q(t) = value and q_nvar(t) = SIZE. */
static void expect(double value) {
    double *q, *nvar;
    ck_assert_int_eq(nnd_frame_new(ctx, &theory), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(theory, "t", TIMES, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(theory, "q", "t", &q), NND_OK);
    ck_assert_int_eq(nnd_frame_add(theory, "q_nvar", "t", &nvar), NND_OK);
    for (size_t t = 0; t < TIMES; t++) {
        q[t] = value;
        nvar[t] = SIZE;
    }
}

static void compare(char *var, double rtol, double alpha, uint64_t base_seed) {
    char *vars[] = {var};
    nnd_compare_options options = {rtol, {var != NULL, vars}, INFINITY, alpha};
    nnd_simulated simulated = {mc, influence, 0.0, base_seed};
    nnd_comparison_free(comparison);
    comparison = NULL;
    ck_assert_msg(nnd_compare(ctx, &MODEL, &options, theory, &simulated, &comparison) == NND_OK,
                  "%s", nnd_context_message(ctx));
}

/* p of the curve q when its largest z is `z`, with 400 seeds. */
static double p_of(double z, bool correlated) {
    char q[] = "q";
    reduce(walks(1, 400, SIZE, correlated));
    expect(0.0);
    const nnd_array *mean = nnd_frame_find(mc, "q"), *se = nnd_frame_find(mc, "q_se");
    for (size_t t = 0; t < TIMES; t++)
        mean->data[t] = t == 4 ? z * se->data[t] : 0.0;
    compare(q, 1e-12, 0.005, 1);
    ck_assert_double_eq_tol(comparison->row[0].max_abs_z, z, 1e-6);
    double p = comparison->row[0].p;
    clear();
    return p;
}

/* Exact for independent points: 1 - (1 - tail)^10 with the tail of Student's t (31 degrees of
 * freedom, .01 at 2.744); correlated ones are fewer. The p value has the error sqrt(p/2000), and 32
 * groups know the variance of each point to 25 %. */
START_TEST(correlated_points_are_fewer_than_they_are) {
    double independent = p_of(2.744, false), correlated = p_of(2.744, true);
    ck_assert_double_eq_tol(independent, 1.0 - pow(1.0 - 0.01, TIMES), 0.04);
    ck_assert_double_lt(correlated, 0.7 * independent);
    ck_assert_double_gt(correlated, 0.01);
}
END_TEST

START_TEST(p_falls_with_the_distance_down_to_the_number_of_draws) {
    double near = p_of(3.5, true), far = p_of(50.0, true);
    ck_assert_double_lt(near, p_of(2.5, true));
    ck_assert_double_eq_tol(far, 1.0 / (NND_DRAWS + 1), 1e-12);
}
END_TEST

/* 300 ensembles with the right theory, means and variances along correlated curves. At alpha = 0.05
 * 15 +- 3.8 of them may be called wrong. */
START_TEST(the_right_theory_is_called_wrong_as_often_as_alpha_says) {
    size_t wrong = 0;
    for (uint64_t r = 0; r < 300; r++) {
        reduce(walks(100 + r, 60, SIZE, true));
        expect(0.0);
        compare(NULL, 1e-12, 0.05, r);
        wrong += nnd_comparison_count(comparison, NND_DISAGREES) > 0;
        clear();
    }
    ck_assert_msg(wrong >= 4 && wrong <= 27, "%zu of 300", wrong);
}
END_TEST

START_TEST(a_theory_that_is_wrong_by_four_errors_everywhere_is_found) {
    size_t found = 0;
    for (uint64_t r = 0; r < 50; r++) {
        reduce(walks(100 + r, 60, SIZE, true));
        expect(5.5 / sqrt(60.0));
        compare(NULL, 1e-12, 0.005, r);
        found += comparison->row[0].verdict == NND_DISAGREES;
        clear();
    }
    ck_assert_msg(found >= 45, "%zu of 50", found);
}
END_TEST

/* Once q is rejected it no longer raises the bar for q_nvar. */
START_TEST(a_rejected_variable_makes_room_for_the_next) {
    char nvar[] = "q_nvar";
    reduce(walks(3, 400, SIZE, true));
    expect(1.0);
    compare(nvar, 1e-12, 0.005, 1);
    double alone = comparison->row[0].p;
    compare(NULL, 1e-12, 0.005, 1);
    ck_assert_double_lt(comparison->row[0].p, 1e-3);
    ck_assert_double_eq_tol(comparison->row[1].p, alone, 4.0 * sqrt(alone / NND_DRAWS));
    clear();
    reduce(walks(3, 400, SIZE, true));
    expect(0.0);
    compare(NULL, 1e-12, 0.005, 1);
    /* Not rejected, q competes: p is larger, but for the error of 2000 draws. */
    ck_assert_double_ge(comparison->row[1].p, alone - 4.0 * sqrt(alone / NND_DRAWS));
    ck_assert_double_gt(comparison->row[0].p, 0.005);
}
END_TEST

START_TEST(the_same_file_has_the_same_verdict) {
    reduce(walks(5, 40, SIZE, true));
    expect(0.0);
    compare(NULL, 1e-12, 0.005, 1);
    double p = comparison->row[0].p, band = comparison->critical;
    compare(NULL, 1e-12, 0.005, 1);
    ck_assert_double_eq(comparison->row[0].p, p);
    ck_assert_double_eq(comparison->critical, band);
    compare(NULL, 1e-12, 0.005, 2);
    ck_assert_double_ne(comparison->critical, band);
    ck_assert_double_eq(comparison->seeds[0], 40.0);
    ck_assert_uint_eq(comparison->sizes, 1);
}
END_TEST

/* With no more seeds than groups the squares of the contributions add up to the squared error. */
START_TEST(contributions_of_all_sizes_make_up_the_error) {
    const double size[] = {10.0, 20.0};
    char name[] = "size";
    nnd_dim dim = {name, NND_COORD_INTEGER, 2, (double[]){10.0, 20.0}, NULL};
    const nnd_dim *outer = &dim;
    nnd_frame *part[2], *share[2];
    for (size_t k = 0; k < 2; k++) {
        nnd_frame *seeds = walks(9, k == 0 ? 20 : 30, (size_t)size[k], true);
        ck_assert_int_eq(
            nnd_reduce_seeds(ctx, &MODEL, seeds, (size_t)size[k], 1, &part[k], &share[k]), NND_OK);
        nnd_frame_free(seeds);
    }
    ck_assert_int_eq(nnd_frame_stack(ctx, 1, &outer, 2, (const nnd_frame *const *)part, &mc),
                     NND_OK);
    ck_assert_int_eq(
        nnd_frame_stack(ctx, 1, &outer, 2, (const nnd_frame *const *)share, &influence), NND_OK);
    expect(0.0);
    nnd_frame *out;
    nnd_points points;
    ck_assert_int_eq(nnd_frame_new(ctx, &out), NND_OK);
    nnd_pairing pairing = {
        .ctx = ctx, .side = {theory, mc}, .influence = influence, .until = INFINITY, .out = out};
    nnd_pair pair = {.name = "q",
                     .mc = nnd_frame_find(mc, "q"),
                     .mc_se = nnd_frame_find(mc, "q_se"),
                     .theory = nnd_frame_find(theory, "q")};
    ck_assert_int_eq(nnd_pairing_add(&pairing, &pair, &points), NND_OK);
    ck_assert_uint_eq(points.columns, 2 * 30);
    for (size_t t = 0; t < TIMES; t++) {
        double sum2 = 0.0;
        for (size_t k = 0; k < points.columns; k++)
            sum2 += points.share[t * points.columns + k] * points.share[t * points.columns + k];
        ck_assert_double_eq_tol(sqrt(sum2) / points.se[t], 1.0, 1e-12);
        ck_assert(points.extrapolated[t]);
    }
    nnd_points_clear(&points);
    nnd_pairing_clear(&pairing);
    for (size_t k = 0; k < 2; k++) {
        nnd_frame_free(part[k]);
        nnd_frame_free(share[k]);
    }
    compare(NULL, 0.02, 0.005, 1);
    ck_assert_uint_eq(comparison->sizes, 2);
    ck_assert_double_eq(comparison->seeds[1], 30.0);
    nnd_frame_free(out);
}
END_TEST

/* Influences at every third time only. */
START_TEST(points_without_influences_are_compared_but_not_judged) {
    char q[] = "q";
    const double kept[] = {0.0, 3.0, 6.0, 9.0};
    reduce(walks(1, 40, SIZE, true));
    const nnd_array *all = nnd_frame_find(influence, "q");
    size_t groups = all->shape[0];
    nnd_frame *thin;
    double *x;
    ck_assert_int_eq(nnd_frame_new(ctx, &thin), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(thin, "group", groups, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(thin, "q_t", NND_COORD_INTEGER, 4, kept), NND_OK);
    ck_assert_int_eq(nnd_frame_add(thin, "q", "group,q_t", &x), NND_OK);
    for (size_t g = 0; g < groups; g++)
        for (size_t k = 0; k < 4; k++)
            x[g * 4 + k] = all->data[g * TIMES + (size_t)kept[k]];
    nnd_frame_free(influence);
    influence = thin;
    expect(0.0);
    nnd_frame_find(mc, "q")->data[4] = 1e3;
    compare(q, 1e-12, 0.005, 1);
    ck_assert_uint_eq(comparison->row[0].points, 4);
    ck_assert_uint_eq(comparison->row[0].thinned, 6);
    ck_assert_int_ne(comparison->row[0].verdict, NND_DISAGREES);
    ck_assert_double_gt(nnd_frame_find(comparison->frame, "q_z")->data[4], 100.0);
    nnd_frame_find(mc, "q")->data[6] = 1e3;
    compare(q, 1e-12, 0.005, 1);
    ck_assert_int_eq(comparison->row[0].verdict, NND_DISAGREES);
}
END_TEST

/* By the formula, from the critical value that the comparison reports. */
START_TEST(the_seeds_that_would_notice_an_error_are_forecast) {
    char q[] = "q";
    char *vars[] = {q};
    nnd_compare_options options = {0.02, {1, vars}, INFINITY, 0.005};
    nnd_simulated simulated;
    nnd_detection detection;
    reduce(walks(1, 400, SIZE, true));
    expect(1.0);
    for (size_t t = 0; t < TIMES; t++)
        nnd_frame_find(mc, "q")->data[t] += 1.0;
    simulated = (nnd_simulated){mc, influence, 0.0, 1};
    ck_assert_int_eq(nnd_compare(ctx, &MODEL, &options, theory, &simulated, &comparison), NND_OK);
    nnd_frame *right = theory;
    expect(1.2);
    ck_assert_int_eq(nnd_detect(ctx, &MODEL, &options, theory, &simulated, comparison, &detection),
                     NND_OK);
    double least = INFINITY;
    for (size_t t = 0; t < TIMES; t++)
        least = fmin(least, nnd_frame_find(mc, "q_se")->data[t]);
    double z = (0.2 - 0.02 * 1.2) / least;
    ck_assert_double_eq_tol(detection.more_seeds, 1.5 * pow((comparison->critical + 1.645) / z, 2),
                            1e-9);
    ck_assert_str_eq(detection.name, "q");
    nnd_frame_free(theory);
    expect(1e6); /* fewer seeds than three have no error bar */
    ck_assert_int_eq(nnd_detect(ctx, &MODEL, &options, theory, &simulated, comparison, &detection),
                     NND_OK);
    ck_assert_double_eq_tol(detection.more_seeds, 3.0 / 400.0, 1e-15);
    nnd_frame_free(theory);
    expect(1.015); /* within rtol */
    ck_assert_int_eq(nnd_detect(ctx, &MODEL, &options, theory, &simulated, comparison, &detection),
                     NND_OK);
    ck_assert_double_infinite(detection.more_seeds);
    ck_assert_ptr_null(detection.name);
    nnd_frame_free(right);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("null_law");
    TCase *tests = tcase_create("null_law");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, correlated_points_are_fewer_than_they_are);
    tcase_add_test(tests, p_falls_with_the_distance_down_to_the_number_of_draws);
    tcase_add_test(tests, the_right_theory_is_called_wrong_as_often_as_alpha_says);
    tcase_add_test(tests, a_theory_that_is_wrong_by_four_errors_everywhere_is_found);
    tcase_add_test(tests, a_rejected_variable_makes_room_for_the_next);
    tcase_add_test(tests, the_same_file_has_the_same_verdict);
    tcase_add_test(tests, contributions_of_all_sizes_make_up_the_error);
    tcase_add_test(tests, points_without_influences_are_compared_but_not_judged);
    tcase_add_test(tests, the_seeds_that_would_notice_an_error_are_forecast);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
