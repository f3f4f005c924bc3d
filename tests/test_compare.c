/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verdicts of a comparison; above all, that it can fail. */
#include "comparisons.h"

/* ---- verdicts, point by point ---- */

START_TEST(options_out_of_range_are_refused) {
    static const nnd_compare_options options[] = {
        {NAN, {0}, INFINITY, ALPHA}, {RTOL, {0}, -1.0, ALPHA}, {RTOL, {2, NULL}, INFINITY, ALPHA}};
    static const char *const names[] = {"compare.rtol: nan", "compare.until: -1",
                                        "compare.vars: a list of 2 without values"};
    nnd_simulated simulated = {mc, influence, seeds, 1};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ck_input_error(nnd_compare(ctx, NULL, &options[i], theory, &simulated, &comparison),
                       names[i], "out of range");
}
END_TEST

START_TEST(noise_within_the_tolerance_agrees) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++)
        q_mc[i] += (i % 2 == 0 ? 2.9e-3 : -2.9e-3);
    ck_verdict(NND_AGREES);
    const nnd_comparison_row *row = &comparison->row[0];
    ck_assert_uint_eq(row->points, POINTS);
    ck_assert_uint_eq(row->off, 0);
    ck_assert_double_eq(row->max_abs_z, 0.0);
    ck_assert_double_eq(row->p, 1.0);
    ck_assert_double_eq_tol(row->median_deviation, 2.9e-3, 1e-12);
    ck_assert_double_nan(row->more_seeds);
    ck_assert_ptr_null(row->forbidden);
    ck_assert(comparison->pointwise);
}
END_TEST

START_TEST(a_shifted_theory_disagrees) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++)
        q[i] *= 1.05;
    ck_verdict(NND_DISAGREES);
    ck_assert_uint_eq(comparison->row[0].off, POINTS);
    /* (0.05 - 0.02 * 1.05) / 0.001 */
    ck_assert_double_eq_tol(comparison->row[0].max_abs_z, 29.0, 1e-9);
    ck_assert_double_eq_tol(value("q_z", 3), -29.0, 1e-9);
}
END_TEST

START_TEST(a_significant_but_small_difference_is_forgiven) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++)
        q_mc[i] = 1.0 + 0.9 * RTOL;
    ck_verdict(NND_AGREES);
    ck_assert_double_eq(comparison->row[0].max_abs_z, 0.0);
    ck_assert_double_eq_tol(comparison->row[0].max_deviation, 0.018, 1e-12);
}
END_TEST

/* Among 40 points, p = 40 * 2 Q(z): 40 * 2 * 7.2348e-5 at 3.8, 40 * 2 * 4.8096e-5 at 3.9. */
START_TEST(one_point_of_many_must_be_far_off) {
    curves(POINTS);
    q_mc[7] = 1.0 + RTOL + 3.8e-3;
    ck_verdict(NND_AGREES);
    ck_assert_double_eq_tol(comparison->row[0].p, 5.7878e-3, 1e-6);
    ck_assert_uint_eq(comparison->row[0].off, 0);
    nnd_comparison_free(comparison);
    q_mc[7] = 1.0 + RTOL + 3.9e-3;
    ck_verdict(NND_DISAGREES);
    ck_assert_double_eq_tol(comparison->row[0].p, 3.8477e-3, 1e-6);
    ck_assert_uint_eq(comparison->row[0].off, 1);
}
END_TEST

/* The two-sided tail of Student's t with 9 degrees of freedom at 3.9 is 0.00361941. */
START_TEST(few_seeds_know_their_error_less_well) {
    curves(POINTS);
    q_mc[7] = 1.0 + RTOL + 3.9e-3;
    seeds = 10;
    ck_verdict(NND_AGREES);
    ck_assert_double_eq_tol(comparison->row[0].p, 40 * 0.00361941, 1e-6);
}
END_TEST

START_TEST(more_variables_are_more_chances) {
    curves(POINTS);
    add(theory, "r", "t", 1.0);
    add(mc, "r", "t", 1.0);
    add(mc, "r_se", "t", 1e-3);
    q_mc[7] = 1.0 + RTOL + 3.9e-3;
    ck_verdict(NND_AGREES);
    ck_assert_double_eq_tol(comparison->row[0].p, 2 * 3.8477e-3, 2e-6);
}
END_TEST

/* Simultaneous over 40 points: |z| = 3.2272 at 0.05/40; 0.02 + 3.2272 s.e. = 2 rtol at 0.0061973.
 */
START_TEST(too_large_errors_are_inconclusive_and_say_how_many_seeds_would_do) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++)
        q_se[i] = 0.0062;
    ck_verdict(NND_INCONCLUSIVE);
    ck_assert_uint_eq(nnd_comparison_count(comparison, NND_INCONCLUSIVE), 1);
    ck_assert_uint_eq(nnd_comparison_count(comparison, NND_AGREES), 0);
    ck_assert_double_eq_tol(comparison->row[0].more_seeds, pow(3.2272 * 0.0062 / 0.02, 2), 1e-4);
    ck_assert_double_eq_tol(comparison->row[0].band, 0.02 + 3.2272 * 0.0062, 1e-6);
    nnd_comparison_free(comparison);
    for (size_t i = 0; i < POINTS; i++)
        q_se[i] = 0.00619;
    ck_verdict(NND_AGREES);
}
END_TEST

START_TEST(disagreement_comes_before_inconclusive) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        q_se[i] = 1.0;
        q_mc[i] = 6.0;
    }
    ck_verdict(NND_DISAGREES);
}
END_TEST

START_TEST(nothing_left_to_compare_is_inconclusive) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++)
        *(i % 2 == 0 ? &q[i] : &q_mc[i]) = NAN;
    ck_verdict(NND_INCONCLUSIVE);
    ck_assert_uint_eq(comparison->row[0].points, 0);
    ck_assert_uint_eq(comparison->row[0].left_out, POINTS);
    ck_assert_double_nan(comparison->row[0].median_deviation);
    ck_assert_double_nan(comparison->row[0].max_abs_z);
    ck_assert_double_nan(comparison->row[0].p);
}
END_TEST

START_TEST(points_without_value_or_error_bar_are_left_out_and_counted) {
    curves(POINTS);
    q[0] = NAN;
    q_mc[1] = NAN;
    q_se[2] = NAN;
    q[3] = INFINITY; /* must not become the scale either, which would hide all else */
    q_mc[4] = -INFINITY;
    q_mc[10] = q_mc[11] = 1.5;
    ck_verdict(NND_DISAGREES);
    ck_assert_uint_eq(comparison->row[0].left_out, 5);
    ck_assert_uint_eq(comparison->row[0].points, POINTS - 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_double_nan(value("q_diff", i));
        ck_assert_double_nan(value("q_z", i));
    }
}
END_TEST

START_TEST(without_errors_a_billionth_is_allowed) {
    curves(3);
    for (size_t i = 0; i < 3; i++)
        q_se[i] = 0.0;
    q_mc[1] = 1.0 + 1e-10;
    ck_verdict(NND_AGREES);
    ck_assert_double_eq(value("q_z", 1), 0.0);
    nnd_comparison_free(comparison);
    q_mc[2] = 1.0 - 1e-8;
    ck_verdict(NND_DISAGREES);
    ck_assert_uint_eq(comparison->row[0].off, 1);
    ck_assert_double_eq(value("q_z", 0), 0.0);
    ck_assert_double_eq(value("q_z", 2), -INFINITY);
    ck_assert_double_infinite(comparison->row[0].max_abs_z);
    ck_assert_double_eq(comparison->row[0].p, 0.0);
}
END_TEST

START_TEST(the_error_of_theory_counts_too) {
    curves(POINTS);
    add(theory, "q_se", "t", 1.0);
    for (size_t i = 0; i < POINTS; i++)
        q_mc[i] = 1.5;
    q_se[0] = 0.75;
    nnd_frame_find(theory, "q_se")->data[0] = 1.0;
    compare();
    ck_assert_uint_eq(comparison->count, 1);
    ck_assert_uint_eq(comparison->row[0].off, 0);
    ck_assert_double_eq_tol(value("q_se", 0), 1.25, ROUNDING);
    ck_assert_double_eq_tol(value("q_z", 0), 0.48 / 1.25, ROUNDING);
}
END_TEST

/* ---- scale ---- */

START_TEST(the_scale_is_the_largest_theory_over_time_in_each_slice) {
    range(theory, "t", POINTS);
    range(theory, "layer", 2);
    range(mc, "t", POINTS);
    range(mc, "layer", 2);
    double *x = add(theory, "x", "t,layer", 0.0), *y = add(mc, "x", "t,layer", 0.0);
    add(mc, "x_se", "t,layer", 1e-6);
    for (size_t t = 0; t < POINTS; t++)
        for (size_t layer = 0; layer < 2; layer++) {
            x[2 * t + layer] = (layer == 0 ? 1.0 : 1e-3) * exp(-(double)t);
            /* Within 2 % of the largest value of layer 0, far beyond that of layer 1. */
            y[2 * t + layer] = x[2 * t + layer] + 0.01;
        }
    ck_verdict(NND_DISAGREES);
    ck_assert_uint_eq(comparison->row[0].off, POINTS);
    ck_assert_double_eq_tol(comparison->row[0].max_deviation, 10.0, 1e-9);
}
END_TEST

START_TEST(the_scale_of_a_negative_theory_is_positive) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        q[i] = -1.0;
        q_mc[i] = -1.015;
    }
    ck_verdict(NND_AGREES);
    ck_assert_double_eq_tol(comparison->row[0].max_deviation, 0.015, 1e-12);
    ck_assert_double_eq(comparison->row[0].max_abs_z, 0.0);
}
END_TEST

START_TEST(without_time_every_value_is_its_own_scale) {
    range(theory, "layer", 2);
    range(mc, "layer", 2);
    double *x = add(theory, "x", "layer", 1.0), *y = add(mc, "x", "layer", 1.0);
    add(mc, "x_se", "layer", 1e-9);
    x[1] = 1e-3;
    y[1] = 1.03e-3;
    compare();
    ck_assert_uint_eq(comparison->row[0].off, 1);
    ck_assert_double_eq_tol(comparison->row[0].max_deviation, 0.03, 1e-9);
}
END_TEST

START_TEST(where_theory_vanishes_only_z_counts) {
    curves(POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        q[i] = 0.0;
        q_mc[i] = 3.8e-3;
    }
    ck_verdict(NND_INCONCLUSIVE);
    ck_assert_double_eq_tol(comparison->row[0].p, 5.7878e-3, 1e-6);
    ck_assert_double_infinite(comparison->row[0].band);
    nnd_comparison_free(comparison);
    comparison = NULL;
    q_mc[3] = q_mc[4] = -3.9e-3;
    ck_verdict(NND_DISAGREES);
    ck_assert_uint_eq(comparison->row[0].off, 2);
    ck_assert_double_infinite(comparison->row[0].max_deviation);
}
END_TEST

/* ---- what is kept ---- */

START_TEST(the_frame_holds_both_sides_and_the_verdict) {
    curves(3);
    q_mc[1] = 1.002;
    q_mc[2] = NAN;
    compare();
    ck_assert_uint_eq(nnd_frame_array_count(comparison->frame), 5);
    ck_assert_double_eq(value("q_theory", 1), 1.0);
    ck_assert_double_eq(value("q_mc", 1), 1.002);
    ck_assert_double_eq_tol(value("q_diff", 1), 0.002, ROUNDING);
    ck_assert_double_eq(value("q_se", 1), 1e-3);
    ck_assert_double_eq(value("q_z", 1), 0.0);
    const nnd_frame *frame = comparison->frame;
    ck_assert_str_eq(nnd_frame_find_attribute(frame, "q_diff", "verdict")->text, "agrees");
    ck_assert_double_eq(nnd_frame_find_attribute(frame, "q_diff", "points")->number, 2.0);
    ck_assert_double_eq(nnd_frame_find_attribute(frame, "q_diff", "left_out")->number, 1.0);
    ck_assert_double_eq(nnd_frame_find_attribute(frame, "q_diff", "off")->number, 0.0);
    ck_assert_double_eq(nnd_frame_find_attribute(frame, "q_diff", "max_abs_z")->number, 0.0);
    ck_assert_double_eq(nnd_frame_find_attribute(frame, "q_diff", "p")->number, 1.0);
    ck_assert_double_gt(nnd_frame_find_attribute(frame, "q_diff", "band")->number, RTOL);
    ck_assert_double_eq(nnd_frame_find_attribute(frame, NULL, "alpha")->number, 0.005);
    ck_assert_ptr_nonnull(
        strstr(nnd_frame_find_attribute(frame, NULL, "rule")->text, "Bonferroni"));
}
END_TEST

START_TEST(verdicts_have_texts_and_nothing_is_freed_twice) {
    ck_assert_str_eq(nnd_verdict_text(NND_AGREES), "agrees");
    ck_assert_str_eq(nnd_verdict_text(NND_INCONCLUSIVE), "inconclusive");
    ck_assert_str_eq(nnd_verdict_text(NND_DISAGREES), "disagrees");
    nnd_comparison_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("compare");
    TCase *tests = tcase_create("compare");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, options_out_of_range_are_refused);
    tcase_add_test(tests, noise_within_the_tolerance_agrees);
    tcase_add_test(tests, a_shifted_theory_disagrees);
    tcase_add_test(tests, a_significant_but_small_difference_is_forgiven);
    tcase_add_test(tests, one_point_of_many_must_be_far_off);
    tcase_add_test(tests, few_seeds_know_their_error_less_well);
    tcase_add_test(tests, more_variables_are_more_chances);
    tcase_add_test(tests, too_large_errors_are_inconclusive_and_say_how_many_seeds_would_do);
    tcase_add_test(tests, disagreement_comes_before_inconclusive);
    tcase_add_test(tests, nothing_left_to_compare_is_inconclusive);
    tcase_add_test(tests, points_without_value_or_error_bar_are_left_out_and_counted);
    tcase_add_test(tests, without_errors_a_billionth_is_allowed);
    tcase_add_test(tests, the_error_of_theory_counts_too);
    tcase_add_test(tests, the_scale_is_the_largest_theory_over_time_in_each_slice);
    tcase_add_test(tests, the_scale_of_a_negative_theory_is_positive);
    tcase_add_test(tests, without_time_every_value_is_its_own_scale);
    tcase_add_test(tests, where_theory_vanishes_only_z_counts);
    tcase_add_test(tests, the_frame_holds_both_sides_and_the_verdict);
    tcase_add_test(tests, verdicts_have_texts_and_nothing_is_freed_twice);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
