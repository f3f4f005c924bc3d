/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which points of theory and simulation are held against each other. */
#include "comparisons.h"

/* ---- sizes ---- */

/* q(t) = 1 + slope/size at two sizes, known to 0.1 %. */
static void sized_curves(double slope) {
    range(theory, "t", POINTS);
    q = add(theory, "q", "t", 1.0);
    coords(mc, "size", 2, SIZES);
    range(mc, "t", POINTS);
    q_mc = add(mc, "q", "size,t", 1.0);
    q_se = add(mc, "q_se", "size,t", 1e-3);
    for (size_t i = 0; i < 2 * POINTS; i++)
        q_mc[i] += slope / SIZES[i / POINTS];
}

START_TEST(two_sizes_remove_a_bias_of_one_over_size) {
    sized_curves(10.0);
    ck_verdict(NND_AGREES);
    ck_dims("q_diff", "t");
    ck_assert_double_eq_tol(value("q_mc", 5), 1.0, ROUNDING);
    ck_assert_double_eq_tol(value("q_se", 5), sqrt(5.0) * 1e-3, ROUNDING);
}
END_TEST

START_TEST(one_size_keeps_the_bias_and_disagrees) {
    sized_curves(10.0);
    add(theory, "q_min_size", "t", 100.0);
    ck_verdict(NND_DISAGREES);
    ck_assert_double_eq_tol(value("q_mc", 5), 1.0 + 10.0 / 128.0, ROUNDING);
    ck_assert_double_eq_tol(value("q_se", 5), 1e-3, ROUNDING);
}
END_TEST

START_TEST(sizes_below_min_size_are_left_out_point_by_point) {
    sized_curves(0.0);
    double *min_size = add(theory, "q_min_size", "t", 1.0);
    min_size[0] = 64.0;
    min_size[1] = 64.5;
    min_size[2] = 129.0;
    min_size[3] = INFINITY;
    min_size[4] = NAN;
    q_mc[1] = q_mc[2] = q_mc[3] = 100.0; /* of size 64 */
    ck_verdict(NND_AGREES);
    ck_assert_uint_eq(comparison->row[0].left_out, 3);
    ck_assert_uint_eq(comparison->row[0].unclaimed, 3);
    ck_assert_ptr_null(comparison->row[0].reason);
    ck_assert_double_eq_tol(value("q_se", 0), sqrt(5.0) * 1e-3, ROUNDING); /* of both sizes */
    ck_assert_double_eq_tol(value("q_mc", 1), 1.0, ROUNDING);
    ck_assert_double_nan(value("q_mc", 2));
    ck_assert_double_nan(value("q_z", 3));
}
END_TEST

/* A reason stands where theory's own limit leaves points out, and nowhere else. */
START_TEST(the_reason_is_told_of_points_that_theory_does_not_claim) {
    sized_curves(0.0);
    double *min_size = add(theory, "q_min_size", "t", 0.0);
    ck_assert_int_eq(nnd_frame_set_text(theory, "q_min_size", NND_REASON, "too close"), NND_OK);
    q_mc[0] = NAN;
    compare();
    ck_assert_uint_eq(comparison->row[0].left_out, 1);
    ck_assert_uint_eq(comparison->row[0].unclaimed, 0);
    ck_assert_ptr_null(comparison->row[0].reason);
    ck_assert_ptr_null(nnd_frame_find_attribute(comparison->frame, "q_diff", NND_REASON));
    nnd_comparison_free(comparison);
    min_size[1] = min_size[2] = INFINITY;
    q[2] = NAN;
    compare();
    ck_assert_uint_eq(comparison->row[0].left_out, 3);
    ck_assert_uint_eq(comparison->row[0].unclaimed, 2);
    ck_assert_str_eq(comparison->row[0].reason, "too close");
    const nnd_frame *frame = comparison->frame;
    ck_assert_double_eq(nnd_frame_find_attribute(frame, "q_diff", "unclaimed")->number, 2.0);
    ck_assert_str_eq(nnd_frame_find_attribute(frame, "q_diff", NND_REASON)->text, "too close");
}
END_TEST

/* Only what is extrapolated must be ten times as close. */
START_TEST(a_point_that_rests_on_one_size_has_the_whole_tolerance) {
    sized_curves(0.0);
    double *min_size = add(theory, "q_min_size", "t", 1.0);
    min_size[0] = 100.0;
    for (size_t s = 0; s < 2; s++)
        q_mc[s * POINTS] = q_mc[s * POINTS + 1] = 1.0 + RTOL / 2.0;
    compare();
    ck_assert_double_eq(value("q_z", 0), 0.0);
    ck_assert_double_eq_tol(value("q_z", 1), 0.4 * RTOL / (sqrt(5.0) * 1e-3), 1e-9);
}
END_TEST

START_TEST(without_a_size_only_an_infinite_min_size_leaves_out) {
    curves(POINTS);
    double *min_size = add(theory, "q_min_size", "t", 1e6);
    min_size[0] = INFINITY;
    ck_verdict(NND_AGREES);
    ck_assert_uint_eq(comparison->row[0].left_out, 1);
}
END_TEST

/* Where parameters may describe the networks themselves these have the size 1. */
START_TEST(networks_as_parameters_describe_them_are_of_size_one) {
    curves(POINTS);
    double *min_size = add(theory, "q_min_size", "t", 1.0);
    min_size[0] = 1.5;
    ck_assert_int_eq(attempt(nnd_model_find("scaling-laws"), NULL, INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->row[0].left_out, 1);
    nnd_comparison_free(comparison);
    ck_assert_int_eq(attempt(nnd_model_find("alignment"), NULL, INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->row[0].left_out, 0);
}
END_TEST

/* As long as two sizes are left at a point. */
START_TEST(extrapolation_needs_no_size_at_which_a_correction_is_negligible) {
    sized_curves(10.0);
    double *min_size = add(theory, "q_min_size", "t", 1000.0);
    min_size[0] = INFINITY;
    ck_assert_int_eq(nnd_frame_set_text(theory, "q_min_size", NND_CORRECTION, "1/size"), NND_OK);
    ck_verdict(NND_AGREES);
    ck_assert_uint_eq(comparison->row[0].left_out, 1);
    ck_assert_double_eq_tol(value("q_mc", 5), 1.0, ROUNDING);
    double *diverged = add(mc, "diverged_fraction", "size", 0.0);
    diverged[0] = 0.5;
    nnd_comparison_free(comparison);
    ck_verdict(NND_INCONCLUSIVE);
    ck_assert_uint_eq(comparison->row[0].left_out, POINTS);
    ck_assert_uint_eq(comparison->row[0].unclaimed, POINTS);
}
END_TEST

START_TEST(a_point_that_one_size_lacks_is_left_out) {
    sized_curves(10.0);
    q_mc[5] = NAN;
    q_se[POINTS + 6] = NAN;
    ck_verdict(NND_AGREES);
    ck_assert_uint_eq(comparison->row[0].left_out, 2);
}
END_TEST

/* ---- pairing ---- */

START_TEST(points_match_by_coordinate_in_any_order_of_dimensions) {
    const double t_theory[] = {0.0, 0.5, 1.0, 1.5, 2.0}, t_mc[] = {1.0 + 1e-14, 2.0, 3.0};
    const double gamma_mc[] = {2.0, 1.0}, gamma_theory[] = {1.0, 2.0};
    coords(theory, "gamma", 2, gamma_theory);
    coords(theory, "t", 5, t_theory);
    coords(mc, "t", 3, t_mc);
    coords(mc, "gamma", 2, gamma_mc);
    coords(mc, "size", 2, SIZES);
    double *x = add(theory, "x", "gamma,t", 0.0), *y = add(mc, "x", "t,size,gamma", 0.0);
    add(mc, "x_se", "gamma,t,size", 1e-3);
    for (size_t g = 0; g < 2; g++) {
        for (size_t t = 0; t < 5; t++)
            x[g * 5 + t] = 10.0 * gamma_theory[g] + t_theory[t];
        for (size_t t = 0; t < 3; t++)
            for (size_t s = 0; s < 2; s++)
                y[(t * 2 + s) * 2 + g] = 10.0 * gamma_mc[g] + t_mc[t];
    }
    ck_verdict(NND_AGREES);
    ck_dims("x_z", "gamma,t");
    ck_assert_uint_eq(comparison->row[0].points, 4);
    const nnd_dim *t = nnd_frame_find_dim(comparison->frame, "t");
    ck_assert_uint_eq(t->length, 2);
    ck_assert_double_eq(t->value[0], 1.0);
    ck_assert_double_eq(t->value[1], 2.0);
    ck_assert_double_eq(value("x_theory", 2), 21.0);
    for (size_t i = 0; i < 4; i++)
        ck_assert_double_eq_tol(value("x_mc", i), value("x_theory", i), 1e-12);
}
END_TEST

START_TEST(text_coordinates_match_too) {
    static const char *const there[] = {"tanh", "relu"}, *const here[] = {"relu", "erf"};
    ck_assert_int_eq(nnd_frame_add_text_dim(theory, "activation", 2, there), NND_OK);
    ck_assert_int_eq(nnd_frame_add_text_dim(mc, "activation", 2, here), NND_OK);
    add(theory, "x", "activation", 1.0)[1] = 3.0;
    add(mc, "x", "activation", 7.0)[0] = 3.0;
    add(mc, "x_se", "activation", 1e-3);
    ck_verdict(NND_AGREES);
    ck_assert_uint_eq(comparison->row[0].points, 1);
    ck_assert_str_eq(nnd_frame_find_dim(comparison->frame, "activation")->text[0], "relu");
}
END_TEST

START_TEST(a_dimension_of_length_one_may_be_missing_on_a_side) {
    const double one[] = {1.0}, seven[] = {7.0};
    coords(theory, "gamma", 1, one);
    coords(mc, "nu", 1, seven);
    range(theory, "t", 3);
    range(mc, "t", 3);
    add(theory, "x", "gamma,t", 1.0);
    add(mc, "x", "nu,t", 1.0);
    add(mc, "x_se", "nu,t", 1e-3);
    ck_verdict(NND_AGREES);
    ck_dims("x_theory", "gamma,t");
    ck_assert_uint_eq(comparison->row[0].points, 3);
}
END_TEST

START_TEST(a_longer_one_may_not) {
    const double two[] = {1.0, 2.0};
    coords(theory, "gamma", 2, two);
    range(theory, "t", 3);
    range(mc, "t", 3);
    add(theory, "x", "gamma,t", 1.0);
    add(mc, "x", "t", 1.0);
    add(mc, "x_se", "t", 1e-3);
    ck_input_error(attempt(NULL, NULL, INFINITY), "gamma,t", "x of theory");
}
END_TEST

START_TEST(standard_errors_must_have_the_dimensions_of_their_variable) {
    curves(POINTS);
    add(mc, "x", "t", 1.0);
    add(mc, "x_se", "", 1e-3);
    add(theory, "x", "t", 1.0);
    ck_input_error(attempt(NULL, "x", INFINITY), "x_se", "(t)");
}
END_TEST

START_TEST(times_after_until_are_not_considered) {
    curves(POINTS);
    for (size_t i = 20; i < POINTS; i++)
        q[i] = i % 2 == 0 ? 1e6 : NAN;
    ck_assert_int_eq(attempt(NULL, NULL, 19.0), NND_OK);
    ck_assert_int_eq(comparison->row[0].verdict, NND_AGREES);
    ck_assert_uint_eq(comparison->row[0].points, 20);
    ck_assert_uint_eq(comparison->row[0].left_out, 0);
    ck_assert_uint_eq(nnd_frame_find_dim(comparison->frame, "t")->length, 20);
}
END_TEST

START_TEST(no_common_point_is_an_error) {
    const double here[] = {1.0, 2.0}, there[] = {1.0 + 1e-9, 2.0 - 1e-9};
    coords(theory, "gamma", 2, here);
    coords(mc, "gamma", 2, there);
    add(theory, "x", "gamma", 1.0);
    add(mc, "x", "gamma", 1.0);
    add(mc, "x_se", "gamma", 1.0);
    ck_input_error(attempt(NULL, NULL, INFINITY), "gamma", "in common");
}
END_TEST

START_TEST(a_size_that_is_text_is_an_error) {
    static const char *const names[] = {"small", "large"};
    ck_assert_int_eq(nnd_frame_add_text_dim(mc, "size", 2, names), NND_OK);
    add(theory, "x", "", 1.0);
    add(mc, "x", "size", 1.0);
    add(mc, "x_se", "size", 1.0);
    ck_input_error(attempt(NULL, NULL, INFINITY), "size", "texts");
}
END_TEST

/* The seeds that did not diverge are no fair sample of all. */
START_TEST(sizes_at_which_seeds_diverged_are_left_out) {
    sized_curves(0.0);
    double *fraction = add(mc, "diverged_fraction", "size", 0.0);
    for (size_t i = 0; i < POINTS; i++)
        q_mc[i] = 7.0;
    ck_verdict(NND_DISAGREES);
    nnd_comparison_free(comparison);
    comparison = NULL;
    fraction[0] = 0.1;
    ck_verdict(NND_AGREES);
    nnd_comparison_free(comparison);
    comparison = NULL;
    fraction[1] = 0.1;
    ck_verdict(NND_INCONCLUSIVE);
    ck_assert_uint_eq(comparison->row[0].left_out, POINTS);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pairing");
    TCase *tests = tcase_create("pairing");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, two_sizes_remove_a_bias_of_one_over_size);
    tcase_add_test(tests, one_size_keeps_the_bias_and_disagrees);
    tcase_add_test(tests, sizes_below_min_size_are_left_out_point_by_point);
    tcase_add_test(tests, the_reason_is_told_of_points_that_theory_does_not_claim);
    tcase_add_test(tests, a_point_that_rests_on_one_size_has_the_whole_tolerance);
    tcase_add_test(tests, without_a_size_only_an_infinite_min_size_leaves_out);
    tcase_add_test(tests, networks_as_parameters_describe_them_are_of_size_one);
    tcase_add_test(tests, extrapolation_needs_no_size_at_which_a_correction_is_negligible);
    tcase_add_test(tests, a_point_that_one_size_lacks_is_left_out);
    tcase_add_test(tests, points_match_by_coordinate_in_any_order_of_dimensions);
    tcase_add_test(tests, text_coordinates_match_too);
    tcase_add_test(tests, a_dimension_of_length_one_may_be_missing_on_a_side);
    tcase_add_test(tests, a_longer_one_may_not);
    tcase_add_test(tests, standard_errors_must_have_the_dimensions_of_their_variable);
    tcase_add_test(tests, times_after_until_are_not_considered);
    tcase_add_test(tests, no_common_point_is_an_error);
    tcase_add_test(tests, a_size_that_is_text_is_an_error);
    tcase_add_test(tests, sizes_at_which_seeds_diverged_are_left_out);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
