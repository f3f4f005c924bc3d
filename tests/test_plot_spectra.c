/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of spectra: outliers, their bulk, histograms. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "support.h"
#include "training_plots.h"

/* What the theory knows of spectra: two matrices, three ranks, of which the third never escapes. */
static void add_spectra(bool sweep, bool same_edge) {
    const char *lead = sweep ? "gamma0," : "";
    char dims[64];
    assert_ok(nnd_frame_add_range(result.theory, "matrix", 2, 0.0));
    assert_ok(nnd_frame_add_range(result.theory, "k", 3, 1.0));
    assert_ok(nnd_frame_add_range(result.mc, "matrix", 2, 0.0));
    assert_ok(nnd_frame_add_range(result.mc, "k", 3, 1.0));
    snprintf(dims, sizeof dims, "%st,matrix,k", lead);
    double *theory = add(result.theory, "outlier", dims);
    snprintf(dims, sizeof dims, "%ssize,t,matrix,k", lead);
    add(result.mc, "outlier", dims);
    size_t count = nnd_frame_find(result.theory, "outlier")->count;
    for (size_t i = 0; i < count; i++) {
        size_t t = i / 6 % 41, k = i % 3;
        theory[i] = k < 2 && t >= 10 * (k + 1) ? 1.5 + 0.01 * (double)t - 0.1 * (double)k : NAN;
    }
    snprintf(dims, sizeof dims, "%st,matrix", lead);
    double *edge = add(result.theory, "bulk_edge", dims);
    for (size_t i = 0; i < count / 3; i++)
        edge[i] = 1.25 + (same_edge ? 0.0 : 0.1 * (double)(i / 82));
}

START_TEST(outliers_stand_above_their_bulk) {
    add_spectra(false, true);
    assert_ok(write_program()); /* finite outliers make it the default */
    HAS("set title 'outlier, matrix 0'");
    HAS("set title 'outlier, matrix 1'");
    LACKS("set title 'bulk_edge");
    LACKS("set title 'test_risk'");
    ck_assert_uint_eq(count("with filledcurves fs solid"), 2);
    HAS("title 'bulk'");
    HAS("title 'k = 2'");
    LACKS("title 'k = 3'");
    HAS("$theory1_0 using 1:2 with lines lw 2 dt (12,5) lc rgb '#0072B2'");
    HAS("$mc1_0 using 1:2 with points pt 6 ps 0.45");
    LACKS("$mc2_0");
    LACKS("$theory2_0");
    LACKS("\n9 nan");
    ck_assert_int_gt(picture("a.png"), 5000);
    options.log_y = true;
    ck_assert_int_gt(picture("a.svg"), 5000);
    draw("bulk_edge");
    HAS("set title 'bulk_edge'");
}
END_TEST

START_TEST(a_sweep_has_one_band_where_all_edges_are_the_same) {
    add_spectra(true, true);
    /* As in a sweep over the depth: the first network has no second matrix. */
    const nnd_array *edge = nnd_frame_find(result.theory, "bulk_edge");
    for (size_t t = 0; t < 41; t++)
        edge->data[2 * t + 1] = NAN;
    assert_ok(write_program());
    ck_assert_uint_eq(count("$bulk_edge_0 using 1:($2*1e-6):2 with filledcurves"), 2);
    LACKS("$bulk_edge_1");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(edges_that_differ_are_lines) {
    add_spectra(true, false);
    options.view = "outliers";
    assert_ok(write_program());
    LACKS("filledcurves fs solid");
    HAS("$bulk_edge_2 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#009E73'");
    HAS("title 'edge of the bulk'");
    HAS("title 'γ₀ = 2'");
    ck_assert_int_gt(picture("a.png"), 5000);
}
END_TEST

START_TEST(a_matrix_without_outliers_shows_its_bulk) {
    add_spectra(false, true);
    const nnd_array *outlier = nnd_frame_find(result.theory, "outlier");
    for (size_t i = 0; i < outlier->count; i++)
        outlier->data[i] = NAN;
    assert_ok(write_program());
    HAS("set title 'test_risk'"); /* nothing has escaped: the view of the first variable */
    drop(&result.mc);
    options.view = "outliers";
    assert_ok(write_program());
    HAS("$bulk_edge_0 using 1:($2*1e-6):2 with filledcurves");
    LACKS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_spectrum_is_one_set_of_cells) {
    double z[24];
    for (size_t i = 0; i < 24; i++)
        z[i] = 0.1 * ((double)i + 0.5);
    add_spectra(false, true);
    assert_ok(nnd_frame_add_dim(result.theory, "z", NND_COORD_REAL, 24, z));
    assert_ok(nnd_frame_add_dim(result.mc, "z", NND_COORD_REAL, 24, z));
    add(result.theory, "sv_density", "matrix,z");
    double *hist = add(result.mc, "sv_hist", "size,t,matrix,z");
    hist[0] = NAN;
    hist[((1 * 41 + 0) * 2 + 0) * 24 + 3] = 20.0; /* before training, at the last size */
    options.view = "spectrum";
    options.log_x = options.log_y = true;
    assert_ok(write_program());
    LACKS("set logscale"); /* boxes stand on zero */
    double low, high;
    find_y_range(strstr(program, "set title 'spectrum, matrix 0"), &low, &high);
    ck_assert_double_eq(low, 0.0);
    ck_assert_double_gt(high, 20.0);
    ck_assert_double_le(high, 20.0 * 1.0401);
    HAS("title 'simulation, size 1024'");
    ck_assert_uint_eq(count("set title 'spectrum, matrix 0 at t = 40'"), 1);
    ck_assert_uint_eq(count("set title 'spectrum, matrix 1 at t = 40'"), 1);
    ck_assert_uint_eq(count("set title 'spectrum"), 2);
    LACKS("set title 'sv_density");
    HAS("$mc0_0 using 1:2 with boxes");
    HAS("$early0 using 1:2 with histeps");
    HAS("$theory0_0 using 1:2 with lines");
    HAS("set arrow from first 1.9, graph 0.3 to first 1.9, graph 0.0");
    HAS("title 'simulation at t = 0'");
    ck_assert_int_gt(picture("a.png"), 5000);
    drop(&result.mc);
    assert_ok(write_program());
    ck_assert_uint_eq(count("set title 'spectrum"), 2);
    LACKS("with boxes");
    HAS("set arrow from first 1.9, graph 0.3");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_spectra");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, outliers_stand_above_their_bulk);
    tcase_add_test(tests, a_sweep_has_one_band_where_all_edges_are_the_same);
    tcase_add_test(tests, edges_that_differ_are_lines);
    tcase_add_test(tests, a_matrix_without_outliers_shows_its_bulk);
    tcase_add_test(tests, a_spectrum_is_one_set_of_cells);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
