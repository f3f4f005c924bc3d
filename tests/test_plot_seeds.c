/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures of how seeds are spread, beside the normal law of theory. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "plots.h"
#include "support.h"

enum { SEEDS = 100 };

/* Theory at eight times, seeds of networks of two sizes at as many. */
static void setup(void) {
    static char model[] = "two-layer-fluctuations", text[] = "model: two-layer-fluctuations\n";
    const double sizes[] = {16.0, 64.0};
    plot_setup(model, text);
    assert_ok(nnd_frame_new(ctx, &result.seeds));
    assert_ok(nnd_frame_add_range(result.theory, "t", 8, 0.0));
    assert_ok(nnd_frame_add_dim(result.seeds, "size", NND_COORD_INTEGER, 2, sizes));
    assert_ok(nnd_frame_add_range(result.seeds, "seed", SEEDS, 0.0));
    assert_ok(nnd_frame_add_range(result.seeds, "t", 8, 0.0));
    options.view = "histogram";
}

static double *add(nnd_frame *frame, const char *name, const char *dims) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    return data;
}

/* Half of the seeds of the last size one below the mean, the others one above; `first` instead of
 * the first one. */
static void add_seeds(double mean, double first) {
    double *x = add(result.seeds, "delta", "size,seed,t");
    for (size_t i = 0; i < (size_t)2 * SEEDS * 8; i++) {
        size_t seed = i / 8 % SEEDS;
        x[i] = i < (size_t)SEEDS * 8 ? 77.0 : mean + (seed % 2 == 0 ? -1.0 : 1.0);
        if (seed == 0 && i >= (size_t)SEEDS * 8)
            x[i] = first;
    }
}

static void add_theory(double mean, double nvar, double bias) {
    const char *const name[] = {"delta", "delta_nvar", "delta_bias"};
    const double value[] = {mean, nvar, bias};
    for (size_t k = 0; k < 3; k++) {
        double *x = add(result.theory, name[k], "t");
        for (size_t i = 0; i < 8; i++)
            x[i] = value[k];
    }
}

/* What stands behind `at` in the program. */
static void read_numbers(const char *at, size_t n, double *number) {
    const char *from = strstr(program, at);
    ck_assert_msg(from != NULL, "no %s in:\n%s", at, program);
    from += strlen(at);
    for (size_t i = 0; i < n; i++) {
        char *end;
        number[i] = strtod(from, &end);
        ck_assert_msg(end != from, "%s: number %zu", at, i);
        from = end;
    }
}

/* Two boxes of half the area, at -1 and 1 within half a width; bins as Scott has them. */
START_TEST(boxes_have_area_1_where_the_seeds_of_the_last_size_are) {
    double box[6], width = 3.49 * sqrt(100.0 / 99.0) / cbrt(100.0);
    add_seeds(0.0, -1.0);
    assert_ok(write_program());
    read_numbers("$seeds0 << EOD\n", 6, box);
    for (size_t k = 0; k < 2; k++) {
        test_close("width", box[3 * k + 2], width, 1e-10);
        test_close("area", box[3 * k + 1] * width, 0.5, 1e-10);
        ck_assert_double_le(fabs(box[3 * k] - (k == 0 ? -1.0 : 1.0)), 0.5 * width);
    }
    HAS("simulation, size 64");
    LACKS("$law0");
    LACKS("far off");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Mean 2 + 32/64, variance 16/64: peak 1/(0.5 sqrt(2 pi)) at 2.5, ends four deviations off. */
START_TEST(the_law_has_mean_and_variance_at_order_1_over_size) {
    double law[2 * 81];
    add_seeds(2.5, 1.5);
    add_theory(2.0, 16.0, 32.0);
    assert_ok(write_program());
    read_numbers("$law0 << EOD\n", 2 * 81, law);
    test_close("left end", law[0], 0.5, 1e-10);
    test_close("place of the peak", law[80], 2.5, 1e-10);
    test_close("peak", law[81], 2.0 / sqrt(2.0 * acos(-1.0)), 1e-10);
    test_close("right end", law[160], 4.5, 1e-10);
    HAS("'normal law of theory'");
    LACKS("not claimed");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_law_says_what_it_lacks) {
    add_seeds(0.0, -1.0);
    add_theory(0.0, 16.0, 0.0);
    nnd_frame *theory = result.theory;
    result.theory = NULL;
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_add_range(result.theory, "t", 8, 0.0));
    put(result.theory, "delta", "t", nnd_frame_find(theory, "delta")->data);
    put(result.theory, "delta_nvar", "t", nnd_frame_find(theory, "delta_nvar")->data);
    double *least = add(result.theory, "delta_nvar_min_size", "t");
    for (size_t i = 0; i < 8; i++)
        least[i] = i < 7 ? 64.0 : 65.0;
    nnd_frame_free(theory);
    assert_ok(write_program());
    HAS("'normal law of theory, without bias'");
    /* At the last time alone. */
    HAS("'not claimed of this size'");
    ck_assert_uint_eq(count("$law0 using 1:2 with lines lw 2 dt solid"), 5);
    ck_assert_uint_eq(count("$law0 using 1:2 with lines lw 2 dt ("), 1);
}
END_TEST

/* One run that nearly diverged neither widens the boxes nor goes unsaid. */
START_TEST(seeds_far_off_are_counted_not_drawn) {
    double box[6];
    add_seeds(0.0, 1e6);
    assert_ok(write_program());
    read_numbers("$seeds0 << EOD\n", 6, box);
    test_close("49 of 100 seeds", box[1] * box[2], 0.49, 1e-10);
    test_close("50 of 100 seeds", box[4] * box[5], 0.50, 1e-10);
    HAS("(seeds far off: 1)");
}
END_TEST

/* Eight times are more than can be looked at; the last one is among them. */
START_TEST(each_of_a_few_times_has_a_cell) {
    add_seeds(0.0, -1.0);
    assert_ok(write_program());
    ck_assert_uint_eq(count("$seeds0 << EOD"), 6);
    HAS("'delta, t 7'");
}
END_TEST

START_TEST(seeds_that_are_all_alike_are_said_to_be) {
    double *x = add(result.seeds, "delta", "size,seed,t");
    for (size_t i = 0; i < nnd_frame_find(result.seeds, "delta")->count; i++)
        x[i] = 3.0;
    assert_ok(write_program());
    HAS("all seeds are alike");
    ck_assert_int_gt(picture("a.svg"), 500);
}
END_TEST

START_TEST(without_seeds_the_view_says_how_to_get_them) {
    add_theory(0.0, 1.0, 0.0);
    drop(&result.seeds);
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "simulate.storage=trajectories"));
}
END_TEST

START_TEST(a_variable_can_be_named) {
    add_seeds(0.0, -1.0);
    double *x = add(result.seeds, "loss", "size,seed,t");
    for (size_t i = 0; i < nnd_frame_find(result.seeds, "loss")->count; i++)
        x[i] = (double)(i / 8 % SEEDS);
    name_var("loss");
    assert_ok(write_program());
    HAS("'loss, t 7'");
    LACKS("'delta");
    name_var("ntk");
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "delta, loss"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot_seeds");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_test(tests, boxes_have_area_1_where_the_seeds_of_the_last_size_are);
    tcase_add_test(tests, the_law_has_mean_and_variance_at_order_1_over_size);
    tcase_add_test(tests, a_law_says_what_it_lacks);
    tcase_add_test(tests, seeds_far_off_are_counted_not_drawn);
    tcase_add_test(tests, each_of_a_few_times_has_a_cell);
    tcase_add_test(tests, seeds_that_are_all_alike_are_said_to_be);
    tcase_add_test(tests, without_seeds_the_view_says_how_to_get_them);
    tcase_add_test(tests, a_variable_can_be_named);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
