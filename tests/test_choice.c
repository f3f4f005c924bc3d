/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which variables are compared, and with what. */
#include "comparisons.h"

/* ---- choice of variables ---- */

START_TEST(all_shared_variables_are_compared_and_bookkeeping_never) {
    curves(3);
    static const char *const both[] = {"b", "b_min_size", "status", "diverged_fraction",
                                       "diverged_at"};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        char name[64];
        add(theory, both[i], "", 1.0);
        add(mc, both[i], "", strcmp(both[i], "diverged_fraction") == 0 ? 0.0 : 1.0);
        snprintf(name, sizeof name, "%s_se", both[i]);
        add(mc, name, "", 1e-3);
    }
    add(theory, "only_theory", "t", 1.0);
    add(mc, "only_mc", "t", 1.0);
    add(mc, "only_mc_se", "t", 1.0);
    add(theory, "no_error", "t", 1.0);
    add(mc, "no_error", "t", 1.0);
    compare();
    ck_assert_uint_eq(comparison->count, 2);
    ck_assert_str_eq(comparison->row[0].name, "q");
    ck_assert_str_eq(comparison->row[1].name, "b");
    ck_assert_uint_eq(nnd_comparison_count(comparison, NND_AGREES), 2);
}
END_TEST

START_TEST(a_named_variable_that_is_missing_is_an_error_that_says_what_there_is) {
    curves(3);
    add(theory, "only_theory", "t", 1.0);
    add(mc, "only_mc", "t", 1.0);
    add(mc, "only_mc_se", "t", 1.0);
    add(theory, "no_error", "t", 1.0);
    add(mc, "no_error", "t", 1.0);
    ck_input_error(attempt(NULL, "only_theory", INFINITY), "only_theory", "it has q, only_mc");
    ck_input_error(attempt(NULL, "only_mc", INFINITY), "only_mc", "it has q, only_theory");
    ck_input_error(attempt(NULL, "no_error", INFINITY), "no_error", "no_error_se");
    ck_input_error(attempt(NULL, "nonsense", INFINITY), "nonsense", "it has q");
    ck_input_error(attempt(NULL, "q_se", INFINITY), "q_se", "bookkeeping");
    ck_assert_int_eq(attempt(NULL, "q", INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->count, 1);
}
END_TEST

START_TEST(no_common_variable_is_an_error) {
    add(theory, "x", "", 1.0);
    add(mc, "y", "", 1.0);
    ck_input_error(attempt(NULL, NULL, INFINITY), "no variable", "in common");
}
END_TEST

/* ---- checks of a model ---- */

static const nnd_variable VARIABLES[] = {
    {.name = "q", .check = {NND_CHECK_EQUAL, NULL}},
    {.name = "unchecked", .check = {NND_CHECK_NONE, NULL}},
    {.name = "above_itself", .check = {NND_CHECK_AT_LEAST, NULL}},
    {.name = "below_itself", .check = {NND_CHECK_AT_MOST, NULL}},
    {.name = "above_floor", .check = {NND_CHECK_AT_LEAST, "floor"}},
    {.name = "below_two", .check = {NND_CHECK_AT_MOST, "2"}},
    {.name = "variance", .estimator = {NND_NVAR, "q", NULL}},
};
static const nnd_model MODEL = {
    .name = "test",
    .variable_count = sizeof VARIABLES / sizeof *VARIABLES,
    .variables = VARIABLES,
};

/* z of a variance that theory puts at 2, the simulation at 1 with the error bar 0.1. */
static double z_of_variance(void) {
    nnd_comparison_free(comparison);
    comparison = NULL;
    ck_assert_int_eq(attempt(&MODEL, "variance", INFINITY), NND_OK);
    return -value("variance_z", 0);
}

/* 2 (2^2 - 1^2)/n is what the squared error bar of n seeds is raised by if theory is right; with
 * control variates only the fraction that they leave, at a size without them all of it. */
START_TEST(a_variance_has_the_error_bar_that_theory_gives_it) {
    double off = 1.0 - 2.0 * RTOL, *left, *of_seeds;
    const double each[] = {50.0, 50.0};
    add(theory, "variance", "", 2.0);
    add(mc, "variance", "", 1.0);
    add(mc, "variance_se", "", 0.1);
    ck_assert_double_eq_tol(z_of_variance(), off / 0.1, 1e-12); /* seeds unknown */
    seeds = 50;
    ck_assert_double_eq_tol(z_of_variance(), off / sqrt(0.01 + 0.12), 1e-12);
    ck_assert_int_eq(nnd_frame_new(ctx, &influence), NND_OK);
    coords(influence, "size", 2, SIZES);
    of_seeds = add(influence, "seeds", "size", 0.0);
    memcpy(of_seeds, each, sizeof each);
    left = add(influence, "variance_control", "size", 0.1);
    left[1] = 0.4;
    ck_assert_double_eq_tol(z_of_variance(), off / sqrt(0.01 + 0.4 * 0.12), 1e-12);
    left[1] = NAN;
    ck_assert_double_eq_tol(z_of_variance(), off / sqrt(0.01 + 0.12), 1e-12);
    /* Where theory's is the smaller, the error bar stays as it is. */
    nnd_frame_find(theory, "variance")->data[0] = 0.5;
    ck_assert_double_eq_tol(z_of_variance(), -(0.5 - 0.5 * RTOL) / 0.1, 1e-12);
}
END_TEST

/* The first of two sizes is left out; 50 seeds are those of the second. */
START_TEST(the_seeds_of_a_variance_are_those_of_its_size) {
    double *of_seeds;
    add(theory, "variance", "", 2.0);
    add(theory, "variance_min_size", "", 100.0);
    coords(mc, "size", 2, SIZES);
    add(mc, "variance", "size", 1.0);
    add(mc, "variance_se", "size", 0.1);
    ck_assert_int_eq(nnd_frame_new(ctx, &influence), NND_OK);
    coords(influence, "size", 2, SIZES);
    of_seeds = add(influence, "seeds", "size", 10.0);
    of_seeds[1] = 50.0;
    ck_assert_double_eq_tol(z_of_variance(), (1.0 - 2.0 * RTOL) / sqrt(0.01 + 0.12), 1e-12);
}
END_TEST

START_TEST(unchecked_variables_are_compared_only_when_named) {
    curves(POINTS);
    add(theory, "unchecked", "t", 1.0);
    add(mc, "unchecked", "t", 2.0);
    add(mc, "unchecked_se", "t", 1e-3);
    ck_assert_int_eq(attempt(&MODEL, NULL, INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->count, 1);
    ck_assert_str_eq(comparison->row[0].name, "q");
    nnd_comparison_free(comparison);
    ck_assert_int_eq(attempt(&MODEL, "unchecked", INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->count, 1);
    ck_assert_int_eq(comparison->row[0].verdict, NND_DISAGREES);
}
END_TEST

/* Compares one variable that is `is` in the simulation and, with theory = `should`, 1 there. */
static const nnd_comparison_row *one_sided(const char *name, double is, double se) {
    char error[64];
    snprintf(error, sizeof error, "%s_se", name);
    add(mc, name, "t", is);
    add(mc, error, "t", se);
    ck_assert_msg(attempt(&MODEL, name, INFINITY) == NND_OK, "%s", nnd_context_message(ctx));
    return &comparison->row[0];
}

START_TEST(at_least_itself_allows_what_is_above) {
    curves(POINTS);
    add(theory, "above_itself", "t", 1.0);
    const nnd_comparison_row *row = one_sided("above_itself", 1.5, 1e-3);
    ck_assert_int_eq(row->verdict, NND_AGREES);
    ck_assert_uint_eq(row->off, 0);
    ck_assert_double_eq(row->max_abs_z, 0.0);
    ck_assert_double_eq(row->median_deviation, 0.0);
    ck_assert_str_eq(row->forbidden, "below");
    ck_assert_double_eq(value("above_itself_z", 0), 0.0);
    ck_assert_double_eq_tol(value("above_itself_diff", 0), 0.5, ROUNDING);
}
END_TEST

START_TEST(at_least_itself_forbids_what_is_below) {
    curves(POINTS);
    add(theory, "above_itself", "t", 1.0);
    const nnd_comparison_row *row = one_sided("above_itself", 0.9, 1e-3);
    ck_assert_int_eq(row->verdict, NND_DISAGREES);
    ck_assert_uint_eq(row->off, POINTS);
}
END_TEST

START_TEST(at_most_itself_forbids_a_systematic_excess) {
    curves(POINTS);
    add(theory, "below_itself", "t", 1.0);
    const nnd_comparison_row *row = one_sided("below_itself", 1.0 + 1.5 * RTOL, RTOL / 20.0);
    ck_assert_int_eq(row->verdict, NND_DISAGREES);
    ck_assert_str_eq(row->forbidden, "above");
    ck_assert_double_eq_tol(row->max_abs_z, 10.0, 1e-9);
}
END_TEST

START_TEST(a_bound_that_is_cleared_is_conclusive_however_large_the_error) {
    curves(POINTS);
    add(theory, "above_itself", "t", 1.0);
    const nnd_comparison_row *row = one_sided("above_itself", 50.0, 5.0);
    ck_assert_int_eq(row->verdict, NND_AGREES);
    ck_assert_double_eq(row->band, RTOL); /* the error bar does not reach the bound */
}
END_TEST

START_TEST(a_bound_within_a_large_error_is_inconclusive) {
    curves(POINTS);
    add(theory, "above_itself", "t", 1.0);
    ck_assert_int_eq(one_sided("above_itself", 2.0, 5.0)->verdict, NND_INCONCLUSIVE);
}
END_TEST

START_TEST(a_number_can_be_the_bound) {
    curves(POINTS);
    const nnd_comparison_row *row = one_sided("below_two", 2.1, 1e-3);
    ck_assert_int_eq(row->verdict, NND_DISAGREES);
    ck_assert_double_eq_tol(row->median_deviation, 0.05, 1e-9); /* of the bound */
    ck_assert_double_eq(value("below_two_theory", POINTS - 1), 2.0);
    ck_dims("below_two_diff", "t");
}
END_TEST

START_TEST(a_theory_variable_with_fewer_dimensions_can_be_the_bound) {
    curves(POINTS);
    add(theory, "floor", "", 3.0);
    add(theory, "floor_se", "", 4e-3);
    ck_assert_int_eq(one_sided("above_floor", 3.1, 3e-3)->verdict, NND_AGREES);
    ck_dims("above_floor_diff", "t");
    ck_assert_double_eq(value("above_floor_theory", POINTS - 1), 3.0);
    ck_assert_double_eq_tol(value("above_floor_se", 0), 5e-3, ROUNDING);
}
END_TEST

START_TEST(a_simulated_variable_with_a_bound_needs_no_theory_of_its_own) {
    curves(POINTS);
    add(theory, "floor", "", 3.0);
    add(mc, "above_floor", "t", 2.0);
    add(mc, "above_floor_se", "t", 1e-3);
    ck_assert_int_eq(attempt(&MODEL, NULL, INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->count, 2);
    ck_assert_str_eq(comparison->row[1].name, "above_floor");
    ck_assert_int_eq(comparison->row[1].verdict, NND_DISAGREES);
}
END_TEST

START_TEST(a_missing_bound_is_an_error_when_named) {
    curves(POINTS);
    add(mc, "above_floor", "t", 2.0);
    add(mc, "above_floor_se", "t", 1e-3);
    ck_input_error(attempt(&MODEL, "above_floor", INFINITY), "above_floor", "no floor");
    ck_assert_int_eq(attempt(&MODEL, NULL, INFINITY), NND_OK);
    ck_assert_uint_eq(comparison->count, 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("choice");
    TCase *tests = tcase_create("choice");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, all_shared_variables_are_compared_and_bookkeeping_never);
    tcase_add_test(tests, a_named_variable_that_is_missing_is_an_error_that_says_what_there_is);
    tcase_add_test(tests, no_common_variable_is_an_error);
    tcase_add_test(tests, a_variance_has_the_error_bar_that_theory_gives_it);
    tcase_add_test(tests, the_seeds_of_a_variance_are_those_of_its_size);
    tcase_add_test(tests, unchecked_variables_are_compared_only_when_named);
    tcase_add_test(tests, at_least_itself_allows_what_is_above);
    tcase_add_test(tests, at_least_itself_forbids_what_is_below);
    tcase_add_test(tests, at_most_itself_forbids_a_systematic_excess);
    tcase_add_test(tests, a_bound_that_is_cleared_is_conclusive_however_large_the_error);
    tcase_add_test(tests, a_bound_within_a_large_error_is_inconclusive);
    tcase_add_test(tests, a_number_can_be_the_bound);
    tcase_add_test(tests, a_theory_variable_with_fewer_dimensions_can_be_the_bound);
    tcase_add_test(tests, a_simulated_variable_with_a_bound_needs_no_theory_of_its_own);
    tcase_add_test(tests, a_missing_bound_is_an_error_when_named);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
