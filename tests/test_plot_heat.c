/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of matrices: heat maps. */
#include <check.h>
#include <math.h>

#include "support.h"
#include "training_plots.h"

START_TEST(two_times_are_a_heat_map_theory_beside_simulation) {
    char name[] = "delta_two_time";
    name_var(name);
    assert_ok(write_program());
    HAS("'delta_two_time, theory, γ₀ = 0.5 (1 of 3)'");
    HAS("'delta_two_time, simulation, size 1024, γ₀ = 0.5 (1 of 3)'");
    HAS("with boxxyerror");
    HAS("set label 'step s' at screen");
    ck_assert_int_gt(picture("a.svg"), 5000);
    const nnd_array *theory = nnd_frame_find(result.theory, name);
    for (size_t i = 0; i < theory->count; i++)
        theory->data[i] = NAN;
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

/* The map of a sweep over two parameters. */
static void draw_map(const double snr[3]) {
    const double alpha[] = {0.5, 1.0, 2.0};
    static char model[] = "alignment";
    result.model = model;
    drop(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "alpha", NND_COORD_REAL, 3, alpha));
    assert_ok(nnd_frame_add_dim(result.theory, "snr", NND_COORD_REAL, 3, snr));
    add(result.theory, "cka", "alpha,snr");
    options.view = "map";
    assert_ok(write_program());
}

/* Side by side: an infinite coordinate has no place among the numbers. */
START_TEST(a_map_over_an_infinite_value_is_drawn) {
    const double snr[] = {1.0, 2.0, INFINITY};
    draw_map(snr);
    HAS("set logscale x");
    HAS("set ytics noenhanced ('1' 0, '2' 1, 'inf' 2)");
    HAS("set yrange [-0.5:2.5]");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_map_with_a_zero_coordinate_has_a_linear_axis) {
    const double snr[] = {0.0, 0.5, 1.0};
    draw_map(snr);
    HAS("set logscale x");
    LACKS("set logscale y");
}
END_TEST

/* Few entries are curves in time; many are maps before and after, for each layer. */
START_TEST(kernels_of_many_samples_are_heat_maps_before_and_after) {
    static char model[] = "wide-mlp";
    result.model = model;
    name_var("h_gram");
    assert_ok(nnd_frame_add_range(result.theory, "mu", 3, 0.0));
    assert_ok(nnd_frame_add_range(result.theory, "nu", 3, 0.0));
    add(result.theory, "h_gram", "t,mu,nu");
    assert_ok(write_program());
    HAS("with lines");
    assert_ok(nnd_frame_add_range(result.mc, "mu", 4, 0.0));
    assert_ok(nnd_frame_add_range(result.mc, "nu", 4, 0.0));
    char many[] = "phi_gram";
    name_var(many);
    double *kernel = add(result.mc, "phi_gram", "t,layer,mu,nu");
    /* Entry (2, 3) of the second of four layers at the last time. */
    kernel[((40 * 4 + 1) * 4 + 2) * 4 + 3] = 7.25;
    assert_ok(write_program());
    HAS("'phi_gram, layer 1 at t = 0, simulation'");
    HAS("'phi_gram, layer 1 at t = 40, simulation'");
    HAS("'phi_gram, layer 3 at t = 0, simulation'");
    HAS("'phi_gram, layer 3 at t = 40, simulation'");
    HAS("2 3 1.5 2.7 2.5 3.5 7.25");
    ck_assert_uint_eq(count("with boxxyerror"), 8);
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_heat");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, two_times_are_a_heat_map_theory_beside_simulation);
    tcase_add_test(tests, a_map_over_an_infinite_value_is_drawn);
    tcase_add_test(tests, a_map_with_a_zero_coordinate_has_a_linear_axis);
    tcase_add_test(tests, kernels_of_many_samples_are_heat_maps_before_and_after);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
