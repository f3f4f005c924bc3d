/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every rule of the comparison; above all, that it can fail. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/compare.h"
#include "support.h"

static const double RTOL = 0.02, ALPHA = 0.005;
static const double ROUNDING = 1e-14; /* a few operations on numbers of order one */

enum { POINTS = 40 };

/* Everything made by a test; freed after it. */
static nnd_context *ctx;
static nnd_frame *theory, *mc;
static nnd_comparison *comparison;
static double *q, *q_mc, *q_se; /* the variable q(t) of fixture `curves` */
static nnd_frame *influence;    /* NULL: not known */
static double seeds;            /* 0: unknown */

static void setup(void) {
    ctx = nnd_context_new(NULL);
    ck_assert_int_eq(nnd_frame_new(ctx, &theory), NND_OK);
    ck_assert_int_eq(nnd_frame_new(ctx, &mc), NND_OK);
    comparison = NULL;
    influence = NULL;
    seeds = 0;
}

static void teardown(void) {
    nnd_comparison_free(comparison);
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_frame_free(influence);
    nnd_context_free(ctx);
}

static void range(nnd_frame *frame, const char *name, size_t length) {
    ck_assert_int_eq(nnd_frame_add_range(frame, name, length, 0.0), NND_OK);
}

static void coords(nnd_frame *frame, const char *name, size_t length, const double *value) {
    ck_assert_int_eq(nnd_frame_add_dim(frame, name, NND_COORD_REAL, length, value), NND_OK);
}

/* Adds an array with all elements equal. */
static double *add(nnd_frame *frame, const char *name, const char *dims, double value) {
    double *data;
    ck_assert_int_eq(nnd_frame_add(frame, name, dims, &data), NND_OK);
    for (size_t i = 0; i < nnd_frame_find(frame, name)->count; i++)
        data[i] = value;
    return data;
}

/* q(t) = 1 on both sides, known to 0.1 %. */
static void curves(size_t n) {
    range(theory, "t", n);
    range(mc, "t", n);
    q = add(theory, "q", "t", 1.0);
    q_mc = add(mc, "q", "t", 1.0);
    q_se = add(mc, "q_se", "t", 1e-3);
}

static nnd_status attempt(const nnd_model *model, const char *var, double until) {
    char name[64];
    snprintf(name, sizeof name, "%s", var != NULL ? var : "");
    char *names[] = {name};
    nnd_compare_options options = {RTOL, {var != NULL, names}, until, ALPHA};
    nnd_simulated simulated = {mc, influence, seeds, 1};
    return nnd_compare(ctx, model, &options, theory, &simulated, &comparison);
}

/* Compares all there is; the row of the first variable. */
static const nnd_comparison_row *compare(void) {
    ck_assert_msg(attempt(NULL, NULL, INFINITY) == NND_OK, "%s", nnd_context_message(ctx));
    return &comparison->row[0];
}

static void ck_verdict(nnd_verdict verdict) {
    const nnd_comparison_row *row = compare();
    ck_assert_msg(row->verdict == verdict, "%s: off %zu of %zu, max |z| %g, p %g, band %g",
                  nnd_verdict_text(row->verdict), row->off, row->points, row->max_abs_z, row->p,
                  row->band);
}

static void ck_input_error(nnd_status status, const char *a, const char *b) {
    ck_assert_int_eq(status, NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), a));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), b));
    ck_assert_ptr_null(comparison);
}

static double value(const char *name, size_t i) {
    const nnd_array *array = nnd_frame_find(comparison->frame, name);
    ck_assert_ptr_nonnull(array);
    ck_assert_uint_lt(i, array->count);
    return array->data[i];
}

static void ck_dims(const char *name, const char *dims) {
    char text[256];
    nnd_array_dims(comparison->frame, nnd_frame_find(comparison->frame, name), sizeof text, text);
    ck_assert_str_eq(text, dims);
}

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

/* ---- sizes ---- */

static const double SIZES[] = {64.0, 128.0};

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

static void add_verdicts(TCase *tests) {
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
}

static void add_pairing(TCase *tests) {
    tcase_add_test(tests, two_sizes_remove_a_bias_of_one_over_size);
    tcase_add_test(tests, one_size_keeps_the_bias_and_disagrees);
    tcase_add_test(tests, sizes_below_min_size_are_left_out_point_by_point);
    tcase_add_test(tests, the_reason_is_told_of_points_that_theory_does_not_claim);
    tcase_add_test(tests, a_point_that_rests_on_one_size_has_the_whole_tolerance);
    tcase_add_test(tests, networks_as_parameters_describe_them_are_of_size_one);
    tcase_add_test(tests, without_a_size_only_an_infinite_min_size_leaves_out);
    tcase_add_test(tests, extrapolation_needs_no_size_at_which_a_correction_is_negligible);
    tcase_add_test(tests, a_point_that_one_size_lacks_is_left_out);
    tcase_add_test(tests, sizes_at_which_seeds_diverged_are_left_out);
    tcase_add_test(tests, points_match_by_coordinate_in_any_order_of_dimensions);
    tcase_add_test(tests, text_coordinates_match_too);
    tcase_add_test(tests, a_dimension_of_length_one_may_be_missing_on_a_side);
    tcase_add_test(tests, a_longer_one_may_not);
    tcase_add_test(tests, standard_errors_must_have_the_dimensions_of_their_variable);
    tcase_add_test(tests, times_after_until_are_not_considered);
    tcase_add_test(tests, no_common_point_is_an_error);
    tcase_add_test(tests, a_size_that_is_text_is_an_error);
}

static void add_choice(TCase *tests) {
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
    tcase_add_test(tests, the_frame_holds_both_sides_and_the_verdict);
    tcase_add_test(tests, verdicts_have_texts_and_nothing_is_freed_twice);
}

int main(void) {
    static const struct {
        const char *name;
        void (*add)(TCase *);
    } groups[] = {{"verdicts", add_verdicts}, {"pairing", add_pairing}, {"choice", add_choice}};
    Suite *suite = suite_create("compare");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        TCase *tests = tcase_create(groups[i].name);
        tcase_add_checked_fixture(tests, setup, teardown);
        groups[i].add(tests);
        suite_add_tcase(suite, tests);
    }
    return test_main(suite);
}
