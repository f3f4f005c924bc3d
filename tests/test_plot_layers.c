/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What stands beside the curves of a picture: limits, levels, minima, parts. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "training_plots.h"

START_TEST(stability_has_its_limit_and_the_ntk_its_edge) {
    assert_ok(nnd_frame_add_range(result.theory, "k", 2, 1.0));
    add(result.theory, "stability", "gamma0,t");
    add(result.theory, "ntk_top", "gamma0,t,k");
    add(result.theory, "ntk_edge", "gamma0,t");
    options.view = "stability";
    assert_ok(write_program());
    HAS("set arrow from graph 0, first 2 to graph 1, first 2 nohead");
    HAS("set label '2'");
    HAS("$ntk_edge_0 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#0072B2'");
    HAS("$ntk_edge_2 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#009E73'");
    HAS("edge of the bulk");
    LACKS("set title 'ntk_edge'");
    ck_assert_int_gt(picture("a.png"), 5000);
}
END_TEST

/* With momentum the edge is elsewhere: one line if it is common to all curves, else one for each.
 */
START_TEST(the_edge_of_stability_is_what_theory_says) {
    add(result.theory, "stability", "gamma0,t");
    double *edge = add(result.theory, "stability_edge", "gamma0");
    options.view = "stability";
    for (size_t i = 0; i < 3; i++)
        edge[i] = 3.0;
    assert_ok(write_program());
    HAS("set arrow from graph 0, first 3 to graph 1, first 3 nohead");
    HAS("set label '3'");
    LACKS("set label '2'");
    LACKS("set title 'stability_edge'");
    edge[2] = 3.8;
    assert_ok(write_program());
    HAS("$stability_edge_0 using 1:2 with lines");
    HAS("$stability_edge_2 using 1:2 with lines");
    HAS("edge of stability");
    LACKS("' at graph 0.985,"); /* the number of a level */
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_simulation_alone_has_no_edge_of_stability) {
    add(result.mc, "stability", "gamma0,size,t");
    options.view = "stability";
    assert_ok(write_program());
    HAS("set title 'stability'");
    LACKS("set label '2'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Theory of directional: an angle that halves, its floor, and the time at which it is reached. */
static void fill_angles(double reached) {
    static char model[] = "directional";
    const double t[] = {1.0, 10.0, 100.0}, theta[] = {0.4, 0.2, 1e-5}, floor[] = {0.1, 0.1, 0.1};
    result.model = model;
    renew(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_REAL, 3, t));
    put(result.theory, "theta", "t", theta);
    put(result.theory, "theta_floor", "t", floor);
    put(result.theory, "floor_time", "", &reached);
    put(result.theory, "multiplier", "t", theta);
}

START_TEST(a_place_on_the_axis_is_marked_where_it_is_in_view) {
    double low, high;
    fill_angles(20.0);
    options.view = "floor";
    assert_ok(write_program());
    HAS("set logscale x");
    HAS("set arrow from first 20, graph 0 to first 20, graph 1 nohead");
    HAS("$theta_floor_0 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#0072B2'");
    HAS("title 'sampling noise'");
    LACKS("set title 'theta_floor'");
    LACKS("set title 'floor_time'");
    /* A thousandth of the floor is the least that is shown; four per cent of the axis are room. */
    find_y_range(program, &low, &high);
    ck_assert_double_eq_tol(low, 1e-4 / pow(4e3, 0.04), 1e-12);
    ck_assert_double_eq_tol(high, 0.4 * pow(4e3, 0.04), 1e-9);
    ck_assert_int_gt(picture("a.svg"), 1000);
    fill_angles(200.0);
    assert_ok(write_program());
    LACKS("set arrow from first 200");
}
END_TEST

START_TEST(levels_without_a_place_on_the_axis_are_left_out) {
    fill_angles(20.0);
    options.view = "stability";
    assert_ok(write_program());
    HAS("set label '-1'");
    HAS("set label '0'");
    HAS("set label '1'");
    options.log_y = true;
    assert_ok(write_program());
    LACKS("set label '-1'");
    LACKS("set label '0'");
    HAS("set label '1'");
    LACKS("nan");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Losses over learning rates: the best is the third for "mup", and the fourth for "ntk". */
static void sweep_rates(void) {
    const double lr[] = {0.1, 0.2, 0.4, 0.8, 1.6}, nu[] = {1.0, 4.0};
    const char *const names[] = {"mup", "ntk"}, *const vars[] = {"train_mse", "test_risk"};
    renew(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_add_text_dim(result.theory, "parameterization", 2, names));
    assert_ok(nnd_frame_add_dim(result.theory, "nu", NND_COORD_REAL, 2, nu));
    assert_ok(nnd_frame_add_dim(result.theory, "lr", NND_COORD_REAL, 5, lr));
    assert_ok(nnd_frame_add_range(result.theory, "t", 2, 0.0));
    for (size_t v = 0; v < 2; v++) {
        double *loss = add(result.theory, vars[v], "parameterization,nu,lr,t");
        for (size_t i = 0; i < 40; i++) {
            double away = (double)(i / 2 % 5) - (i < 20 ? 2.0 : 3.0);
            loss[i] = i % 2 == 0 ? 1.0 : 0.1 + 0.1 * away * away;
        }
        loss[9] = 1e6; /* diverges: "mup", nu = 1, lr = 1.6 */
        loss[39] = NAN;
    }
}

START_TEST(transfer_is_what_a_sweep_over_rates_shows) {
    sweep_rates();
    for (unsigned model = 0; model < 2; model++) {
        assert_ok(write_program());
        HAS("set title 'train_mse, mup at t = 1'");
        HAS("set title 'train_mse, ntk at t = 1'");
        HAS("set title 'test_risk, ntk at t = 1'");
        HAS("set logscale x");
        HAS("set xlabel 'learning rate η₀'");
        ck_assert_uint_eq(count("<< EOD\n0.4 0.1\nEOD"), 4);
        ck_assert_uint_eq(count("<< EOD\n0.8 0.1\nEOD"), 4);
        HAS("$lowest1 using 1:2 with points pt 7");
        HAS("title 'ν = 4'");
        ck_assert_uint_eq(count("set yrange"), 4);
        const char *range = strstr(program, "set yrange");
        const char *next = strstr(range + 1, "set yrange");
        size_t length = strcspn(range, "\n") + 1;
        ck_assert_int_eq(strncmp(range, next, length), 0);
        double low, high;
        find_y_range(program, &low, &high);
        ck_assert_double_lt(high, 10.0); /* what diverges is cut off */
        ck_assert_int_gt(picture("a.png"), 5000);
        result.model = NULL;
    }
}
END_TEST

START_TEST(the_simulation_tells_the_optimum_where_there_is_no_theory) {
    sweep_rates();
    result.mc = result.theory;
    result.theory = NULL;
    assert_ok(write_program());
    ck_assert_uint_eq(count("<< EOD\n0.4 0.1\nEOD"), 4);
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(the_optimum_is_that_of_the_last_size) {
    const double lr[] = {0.1, 0.2, 0.4, 0.8}, sizes[] = {16.0, 64.0};
    const double loss[] = {0.3, 0.9, 0.2, 0.5, 0.6, 0.1, 0.7, 0.4};
    drop(&result.theory);
    renew(&result.mc);
    assert_ok(nnd_frame_add_dim(result.mc, "lr", NND_COORD_REAL, 4, lr));
    assert_ok(nnd_frame_add_dim(result.mc, "size", NND_COORD_INTEGER, 2, sizes));
    put(result.mc, "train_mse", "lr,size", loss);
    options.view = "transfer";
    assert_ok(write_program());
    const double want[] = {0.4, 0.1};
    ck_block("$lowest0", 2, want);
}
END_TEST

START_TEST(transfer_is_listed_where_it_is_offered) {
    char *text = NULL;
    size_t size;
    options.view = "transfer";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "no view transfer; there are: "));
    sweep_rates();
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    nnd_plot_list(&result, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "views:\n  training\n  transfer\nvariables:\n"));
    free(text);
    options.view = "nonsense";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "there are: training, transfer"));
    options.view = "training";
    assert_ok(write_program());
    HAS("set title 'train_mse'");
    LACKS("$lowest");
}
END_TEST

/* A curve and its parts, for one sweep value or two. */
static void fill_parts(size_t widths) {
    static char model[] = "scaling-laws";
    static const double t[] = {1.0, 10.0, 100.0}, width[] = {5.0, 7.0};
    static const double risk[] = {9.0, 6.0, 7.0, 9.0, 6.0, 7.0};
    static const double bias[] = {8.0, 3.0, 1.0, 8.0, 3.0, 1.0};
    static const double part[] = {0.5, 1.0, 2.0, 0.5, 1.0, 2.0}, none[6] = {0};
    result.model = model;
    renew(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "width", NND_COORD_REAL, widths, width));
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_REAL, 3, t));
    put(result.theory, "test_risk", "width,t", risk);
    put(result.theory, "bias", "width,t", bias);
    put(result.theory, "var_projection", "width,t", part);
    put(result.theory, "var_data", "width,t", none);
    put(result.theory, "var_joint", "width,t", part);
    options.view = "parts";
}

START_TEST(parts_are_stacked_under_a_single_curve) {
    const double bias[] = {1.0, 8.0, 10.0, 3.0, 100.0, 1.0};
    const double with_projection[] = {1.0, 8.5, 10.0, 4.0, 100.0, 3.0};
    const double all[] = {1.0, 9.0, 10.0, 5.0, 100.0, 5.0};
    double low, high;
    fill_parts(1);
    assert_ok(write_program());
    ck_block("$stack1", 6, bias);
    ck_block("$stack2", 6, with_projection);
    ck_block("$stack3", 6, with_projection);
    ck_block("$stack4", 6, all);
    /* The largest sum lies below the others. */
    ck_assert(strstr(program, "$stack4 using") < strstr(program, "$stack1 using"));
    HAS("title 'variance: data'");
    find_y_range(program, &low, &high);
    ck_assert(low <= 0.0 && high >= 9.0);
    ck_assert_int_gt(picture("a.svg"), 3000);
    fill_parts(2);
    assert_ok(write_program());
    LACKS("$stack1");
    LACKS("variance: data");
}
END_TEST

/* A file may have the parts at three times and no sum, which networks have at more. */
START_TEST(parts_stand_at_times_of_their_own) {
    const double t[] = {1.0, 2.0, 5.0, 10.0, 100.0}, risk[] = {9.0, 8.0, 7.0, 6.0, 5.0};
    const double bias[] = {1.0, 8.0, 10.0, 3.0, 100.0, 1.0}, part[] = {8.0, 3.0, 1.0};
    const double times[] = {1.0, 10.0, 100.0};
    static char model[] = "scaling-laws";
    result.model = model;
    renew(&result.theory);
    renew(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_REAL, 3, times));
    put(result.theory, "bias", "t", part);
    assert_ok(nnd_frame_add_dim(result.mc, "t", NND_COORD_REAL, 5, t));
    put(result.mc, "test_risk", "t", risk);
    options.view = "parts";
    assert_ok(write_program());
    ck_block("$stack1", 6, bias);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_layers");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, stability_has_its_limit_and_the_ntk_its_edge);
    tcase_add_test(tests, the_edge_of_stability_is_what_theory_says);
    tcase_add_test(tests, a_simulation_alone_has_no_edge_of_stability);
    tcase_add_test(tests, a_place_on_the_axis_is_marked_where_it_is_in_view);
    tcase_add_test(tests, levels_without_a_place_on_the_axis_are_left_out);
    tcase_add_test(tests, transfer_is_what_a_sweep_over_rates_shows);
    tcase_add_test(tests, the_simulation_tells_the_optimum_where_there_is_no_theory);
    tcase_add_test(tests, the_optimum_is_that_of_the_last_size);
    tcase_add_test(tests, transfer_is_listed_where_it_is_offered);
    tcase_add_test(tests, parts_are_stacked_under_a_single_curve);
    tcase_add_test(tests, parts_stand_at_times_of_their_own);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
