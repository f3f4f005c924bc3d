/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a verdict one by one, against closed forms and numbers by hand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"
#include "validate/compare_impl.h"
#include "validate/group_shares.h"
#include "validate/reduce.h"

enum { GROUPS = 8, MOST = 2, VARIABLES = 2 };

static nnd_context *ctx;
static nnd_frame *frame;

static void setup(void) {
    ctx = nnd_context_new(NULL);
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
}

static void teardown(void) {
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}

/* ---- the null law ---- */

/* Mean square of the largest |z| of two points, of which the first `count` are judged, each with
 * these variances of either side. Both have the same contributions of the groups. */
static double mean_square(size_t count, double of_groups, double of_theory, double freedom) {
    double theory_se[MOST], se[MOST], share[MOST * GROUPS], maximum[NND_DRAWS], sum2 = 0.0;
    bool judged[MOST] = {count > 0, count > 1};
    for (size_t i = 0; i < MOST; i++) {
        theory_se[i] = sqrt(of_theory);
        se[i] = sqrt(of_groups + of_theory);
        for (size_t g = 0; g < GROUPS; g++)
            share[i * GROUPS + g] = sqrt(of_groups / GROUPS);
    }
    const nnd_points points = {.count = MOST,
                               .theory_se = theory_se,
                               .se = se,
                               .judged = judged,
                               .columns = GROUPS,
                               .share = share};
    ck_assert_int_eq(nnd_null_maxima(ctx, 7, 0, freedom, &points, maximum), NND_OK);
    for (size_t b = 0; b < NND_DRAWS; b++)
        sum2 += maximum[b] * maximum[b] / NND_DRAWS;
    return sum2;
}

/* Within four errors of the mean over the draws, of what has this variance. */
static void ck_mean(double got, double want, double variance) {
    double error = sqrt(variance / NND_DRAWS);
    ck_assert_msg(fabs(got - want) < 4.0 * error, "%g, not %g +- %g", got, want, error);
}

/* z^2 of a normal number has the mean 1 and the variance 2, whichever side the error is of; a point
 * that is not judged has no part in it. */
START_TEST(both_sides_make_up_the_error_bar) {
    ck_mean(mean_square(1, 4.0, 0.0, INFINITY), 1.0, 2.0);
    ck_mean(mean_square(1, 0.0, 4.0, INFINITY), 1.0, 2.0);
    ck_mean(mean_square(1, 2.56, 1.44, INFINITY), 1.0, 2.0);
}
END_TEST

/* t^2 with n degrees of freedom has the mean n/(n-2) and the mean square 3n^2/((n-2)(n-4)): 1.5 and
 * 13.5 at n = 6. */
START_TEST(an_error_bar_from_few_seeds_fluctuates) {
    ck_mean(mean_square(1, 4.0, 0.0, 6.0), 1.5, 13.5 - 1.5 * 1.5);
    ck_mean(mean_square(1, 0.0, 4.0, 6.0), 1.5, 13.5 - 1.5 * 1.5);
}
END_TEST

/* The larger of a^2 and b^2 has the mean 1 + E|a-b||a+b|/2 = 1 + 2/pi if a and b are independent
 * normal numbers, and a square whose mean is below E(a^2 + b^2)^2 = 8. */
START_TEST(theory_errs_at_each_point_by_itself_and_a_group_at_all_alike) {
    double apart = 1.0 + M_2_PI;
    ck_mean(mean_square(2, 0.0, 4.0, INFINITY), apart, 8.0 - apart * apart);
    ck_mean(mean_square(2, 4.0, 0.0, INFINITY), 1.0, 2.0);
}
END_TEST

/* ---- judging ---- */

/* Variables of one point whose largest z are given, held against draws that are given too. */
static double maximum[VARIABLES][NND_DRAWS];

static nnd_comparison judge(size_t count, const double *z, nnd_comparison_row *row) {
    static const double unit = 1.0;
    static const nnd_pair pair = {.check = NND_CHECK_EQUAL};
    nnd_compare_options options = {0.02, {0, NULL}, INFINITY, 0.005};
    nnd_candidate candidate[VARIABLES];
    double difference[VARIABLES], found[VARIABLES], scale = 1.0;
    bool judged = true, extrapolated = false;
    for (size_t v = 0; v < count; v++) {
        difference[v] = found[v] = z[v];
        row[v] = (nnd_comparison_row){.points = 1, .max_abs_z = z[v]};
        candidate[v] = (nnd_candidate){.pair = &pair, .maximum = maximum[v]};
        candidate[v].points = (nnd_points){.count = 1,
                                           .theory = &unit,
                                           .se = &unit,
                                           .difference = &difference[v],
                                           .z = &found[v],
                                           .scale = &scale,
                                           .judged = &judged,
                                           .extrapolated = &extrapolated};
    }
    nnd_comparison comparison = {.count = count, .row = row};
    ck_assert_int_eq(nnd_judge(ctx, &options, candidate, &comparison), NND_OK);
    return comparison;
}

/* Draws 1, 2, ... 2000: nine of them are 1991.5 or more, (1 + 9)/2001 < .005; ten are 1991 or more,
 * (1 + 10)/2001 > .005. The band is of the level .05: 1901 is the hundredth. */
START_TEST(what_exceeds_the_critical_value_has_p_below_alpha) {
    const double z[] = {1991.5, 1991.0}, p[] = {10.0 / 2001.0, 11.0 / 2001.0};
    for (size_t i = 0; i < 2; i++) {
        nnd_comparison_row row;
        for (size_t b = 0; b < NND_DRAWS; b++)
            maximum[0][b] = (double)(b + 1);
        nnd_comparison c = judge(1, &z[i], &row);
        ck_assert_double_eq_tol(row.p, p[i], 1e-15);
        ck_assert_double_eq(c.critical, 1991.0);
        ck_assert_uint_eq(row.off, i == 0 ? 1 : 0);
        ck_assert_int_eq(row.verdict == NND_DISAGREES, i == 0);
        ck_assert_double_eq_tol(row.band, 0.02 + 1901.0, 1e-12);
    }
}
END_TEST

/* The second is far beyond its own draws, but no further than the first, which is not. */
START_TEST(a_variable_is_not_rejected_before_one_that_is_further_off) {
    const double z[] = {999.5, 1000.0};
    nnd_comparison_row row[2];
    for (size_t b = 0; b < NND_DRAWS; b++) {
        maximum[0][b] = 1.0;
        maximum[1][b] = (double)(b + 1);
    }
    judge(2, z, row);
    ck_assert_double_eq_tol(row[1].p, 1002.0 / 2001.0, 1e-15);
    ck_assert_double_eq(row[0].p, row[1].p);
}
END_TEST

/* ---- how well error bars are known ---- */

/* Two sizes. The control variates that are used at each, of 32 groups. */
static void add_controls(double first, double second) {
    double *controls;
    ck_assert_int_eq(nnd_frame_add_range(frame, NND_GROUP, NND_GROUPS, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(frame, "size", 2, 1.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(frame, NND_CONTROLS, "size", &controls), NND_OK);
    controls[0] = first;
    controls[1] = second;
}

/* Of a point with the error bar 1, of which this much is of a theory from five replicates; with
 * influences a fifth of the rest of its variance is of the first size. */
static double freedom_of(const nnd_frame *influence, double *seeds, double theory_se) {
    double se = 1.0;
    bool judged = true;
    nnd_frame *theory;
    double rest = sqrt(1.0 - theory_se * theory_se);
    double share[] = {sqrt(0.2) * rest, sqrt(0.8) * rest};
    nnd_candidate v = {.points = {.count = 1,
                                  .se = &se,
                                  .theory_se = &theory_se,
                                  .judged = &judged,
                                  .columns = influence != NULL ? 2 : 0,
                                  .share = share}};
    ck_assert_int_eq(nnd_frame_new(ctx, &theory), NND_OK);
    ck_assert_int_eq(nnd_frame_set_number(theory, NULL, "replicates", 5.0), NND_OK);
    const nnd_choice choice = {.ctx = ctx, .theory = theory};
    const nnd_simulated simulated = {.influence = influence};
    const nnd_comparison comparison = {.sizes = 2, .seeds = seeds};
    ck_assert_int_eq(nnd_find_freedom(&choice, &simulated, &comparison, &v), NND_OK);
    nnd_frame_free(theory);
    return v.freedom;
}

/* Welch and Satterthwaite: theory has .36 of the variance and 4 degrees of freedom. */
START_TEST(both_sides_have_degrees_of_freedom) {
    double seeds[] = {11.0, 21.0};
    /* Without influences no better than the size with the fewest seeds. */
    test_close("simulation", freedom_of(NULL, seeds, 0.0), 10.0, 1e-12);
    test_close("theory", freedom_of(NULL, seeds, 1.0), 4.0, 1e-12);
    test_close("both", freedom_of(NULL, seeds, 0.6), 1.0 / (0.64 * 0.64 / 10.0 + 0.36 * 0.36 / 4.0),
               1e-12);
}
END_TEST

/* 37 seeds are left in 32 groups, 15 of the other size are fewer than groups. */
START_TEST(each_control_variate_takes_a_degree_of_freedom) {
    double seeds[] = {40.0, 20.0};
    add_controls(3.0, 5.0);
    test_close("both sizes", freedom_of(frame, seeds, 0.0), 1.0 / (0.04 / 31.0 + 0.64 / 14.0),
               1e-12);
}
END_TEST

/* Error bars need 3 seeds; regression on n control variates 4 (n + 1). */
START_TEST(forecasts_leave_enough_seeds_for_an_error_bar) {
    double seeds[] = {40.0, 20.0};
    const nnd_comparison comparison = {.sizes = 2, .seeds = seeds};
    nnd_simulated simulated = {.influence = NULL};
    test_close("plain", nnd_least_more_seeds(&simulated, &comparison), 3.0 / 20.0, 1e-12);
    add_controls(3.0, 5.0);
    simulated.influence = frame;
    test_close("regressed", nnd_least_more_seeds(&simulated, &comparison), 24.0 / 20.0, 1e-12);
}
END_TEST

/* ---- what is compared ---- */

START_TEST(variances_and_covariances_have_errors_that_follow_their_values) {
    static const nnd_variable variables[] = {
        {.name = "mean", .estimator = {NND_MEAN, NULL, NULL}},
        {.name = "nvar", .estimator = {NND_NVAR, "mean", NULL}},
        {.name = "ncov", .estimator = {NND_NCOV, "mean", "other"}},
        {.name = "ratio", .estimator = {NND_RATIO, "mean", "other"}},
        {.name = "sd", .estimator = {NND_SD, "mean", NULL}},
        {.name = "listed", .estimator = {NND_AT_SIZES, "sd", "width"}},
    };
    /* An error bar of n cov grows like its value, that of a standard deviation like half of it. */
    static const double want[] = {0.0, 1.0, 1.0, 0.0, 0.25, 0.25};
    enum { COUNT = sizeof variables / sizeof *variables };
    static const nnd_model model = {
        .name = "test", .variable_count = COUNT, .variables = variables};
    for (size_t v = 0; v < COUNT; v++) {
        char se[16];
        snprintf(se, sizeof se, "%s_se", variables[v].name);
        ck_assert_int_eq(nnd_frame_add_scalar(frame, variables[v].name, 1.0), NND_OK);
        ck_assert_int_eq(nnd_frame_add_scalar(frame, se, 0.1), NND_OK);
    }
    nnd_choice choice = {.ctx = ctx, .model = &model, .theory = frame, .mc = frame};
    ck_assert_int_eq(nnd_choose_variables(&choice, &(nnd_texts){0, NULL}), NND_OK);
    ck_assert_uint_eq(choice.count, COUNT);
    for (size_t v = 0; v < COUNT; v++)
        ck_assert_double_eq(choice.pair[v].quadratic, want[v]);
    free(choice.pair);
}
END_TEST

/* x(t,s) of this shape and the shares that are kept of it, at this many points of a sweep. */
static const nnd_array *kept_of(size_t t, size_t s, size_t sweep_points, nnd_frame **shares) {
    nnd_frame *of;
    ck_assert_int_eq(nnd_frame_new(ctx, &of), NND_OK);
    ck_assert_int_eq(nnd_frame_new(ctx, shares), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(*shares, NND_GROUP, 1, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(of, "t", t, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(of, "s", s, 5.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(of, "x", "t,s", NULL), NND_OK);
    ck_assert_int_eq(nnd_group_shares_add(*shares, "x", of, nnd_frame_find(of, "x"), sweep_points),
                     NND_OK);
    nnd_frame_free(of);
    return nnd_frame_find(*shares, "x");
}

/* From first to last, no gap larger than twice another. */
static void ck_even(const nnd_dim *dim, double first, double last) {
    double least = INFINITY, most = 0.0;
    ck_assert_double_eq(dim->value[0], first);
    ck_assert_double_eq(dim->value[dim->length - 1], last);
    for (size_t i = 1; i < dim->length; i++) {
        least = fmin(least, dim->value[i] - dim->value[i - 1]);
        most = fmax(most, dim->value[i] - dim->value[i - 1]);
    }
    ck_assert(least >= 1.0 && most <= 2.0 * least);
}

/* 1e5 points in all sweep points together are kept, of more at most 1e4. */
START_TEST(of_too_many_points_an_even_lattice_is_judged) {
    nnd_frame *shares;
    const nnd_array *x = kept_of(1000, 50, 2, &shares);
    ck_assert_uint_eq(x->count, 50000);
    nnd_frame_free(shares);
    for (size_t i = 0; i < 2; i++) {
        size_t t = i == 0 ? 1000 : 500, sweep_points = i == 0 ? 1 : 3;
        x = kept_of(t, 101, sweep_points, &shares);
        ck_assert(x->count * sweep_points <= 10000 && x->count * sweep_points > 2500);
        ck_even(nnd_frame_find_dim(shares, "x_t"), 0.0, (double)t - 1.0);
        ck_even(nnd_frame_find_dim(shares, "x_s"), 5.0, 105.0);
        nnd_frame_free(shares);
    }
}
END_TEST

/* Seeds are the same at all points of a sweep, so must their groups be. Shares of a mean are
 * (x - mean)/sqrt(n (n-1)): of 1, 2, 3, 6, with the mean 3, over sqrt(12). */
START_TEST(a_seed_is_in_its_own_group_whichever_diverged) {
    static const nnd_variable variable = {.name = "q", .dims = ""};
    static const nnd_model model = {.name = "test", .variable_count = 1, .variables = &variable};
    const double of_seed[] = {1.0, 9.0, 2.0, 3.0, 6.0}, want[] = {-2.0, 0.0, -1.0, 0.0, 3.0};
    nnd_frame *mc, *shares;
    double *q, *diverged;
    ck_assert_int_eq(nnd_frame_add_range(frame, "seed", 5, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(frame, "q", "seed", &q), NND_OK);
    ck_assert_int_eq(nnd_frame_add(frame, "diverged_at", "seed", &diverged), NND_OK);
    for (size_t i = 0; i < 5; i++) {
        q[i] = of_seed[i];
        diverged[i] = i == 1 ? 7.0 : NAN;
    }
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &model, frame, 1, 1, &mc, &shares), NND_OK);
    for (size_t i = 0; i < 5; i++)
        ck_assert_double_eq_tol(nnd_frame_find(shares, "q")->data[i], want[i] / sqrt(12.0), 1e-15);
    nnd_frame_free(mc);
    nnd_frame_free(shares);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("verdict");
    TCase *tests = tcase_create("verdict");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, both_sides_make_up_the_error_bar);
    tcase_add_test(tests, an_error_bar_from_few_seeds_fluctuates);
    tcase_add_test(tests, theory_errs_at_each_point_by_itself_and_a_group_at_all_alike);
    tcase_add_test(tests, what_exceeds_the_critical_value_has_p_below_alpha);
    tcase_add_test(tests, a_variable_is_not_rejected_before_one_that_is_further_off);
    tcase_add_test(tests, both_sides_have_degrees_of_freedom);
    tcase_add_test(tests, each_control_variate_takes_a_degree_of_freedom);
    tcase_add_test(tests, forecasts_leave_enough_seeds_for_an_error_bar);
    tcase_add_test(tests, variances_and_covariances_have_errors_that_follow_their_values);
    tcase_add_test(tests, of_too_many_points_an_even_lattice_is_judged);
    tcase_add_test(tests, a_seed_is_in_its_own_group_whichever_diverged);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
