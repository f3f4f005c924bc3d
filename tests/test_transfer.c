/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parabolas, of which every answer is known in closed form: l0 = (x - 1)^2 + 1/10, l1 = x, v = 4.
 */
#include "nndmft/transfer.h"

#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/models.h"
#include "support.h"
#include "with_context.h"

enum { RATES = 15, TIMES = 2, GROUPS = 4 };

static nnd_frame *theory, *mc, *influence, *answers;
static double rate[RATES];
static const double widths[] = {20.0, 5.0};

static void assert_ok(nnd_status status) {
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
}

/* What stands at the first of the two times is not what is asked for. */
static void put(nnd_frame *frame, const char *name, const char *dims, double (*f)(double)) {
    double *to;
    assert_ok(nnd_frame_add(frame, name, dims, &to));
    for (size_t r = 0; r < RATES; r++) {
        to[r * TIMES] = 1e3;
        to[r * TIMES + 1] = f(rate[r]);
    }
}

static double parabola(double x) {
    return (x - 1.0) * (x - 1.0) + 0.1;
}

static double line(double x) {
    return x;
}

static double four(double x) {
    (void)x;
    return 4.0;
}

static double sharpness(double x) {
    return 1.6 * x;
}

static nnd_frame *swept(void) {
    nnd_frame *frame;
    assert_ok(nnd_frame_new(ctx, &frame));
    assert_ok(nnd_frame_add_dim(frame, "lr", NND_COORD_REAL, RATES, rate));
    assert_ok(nnd_frame_add_range(frame, "t", TIMES, 0.0));
    return frame;
}

static void begin(void) {
    setup();
    for (size_t r = 0; r < RATES; r++)
        rate[r] = 0.5 + 0.07 * (double)r;
    theory = swept();
    put(theory, "loss", "lr,t", parabola);
    put(theory, "loss_ncorr", "lr,t", line);
    put(theory, "loss_nvar", "lr,t", four);
    put(theory, "stability", "lr,t", sharpness);
    mc = influence = answers = NULL;
}

static void end(void) {
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_frame_free(influence);
    nnd_frame_free(answers);
    teardown();
}

static nnd_status ask(const char *loss) {
    const nnd_model *model = &nnd_two_layer_fluctuations_model;
    const nnd_transfer_options o = {.rate = "lr",
                                    .loss = nnd_model_variable(model, loss),
                                    .theory = theory,
                                    .mc = mc,
                                    .influence = influence,
                                    .widths = 2,
                                    .width = widths};
    return nnd_transfer(ctx, model, &o, &answers);
}

static double answer(const char *name, size_t width) {
    return nnd_frame_find(answers, name)->data[width];
}

/* (x - 1)^2 + x/N is lowest at 1 - 1/(2N), by 1/(4 N^2) lower than at 1; first order is exact. */
START_TEST(best_rates_of_parabolas) {
    assert_ok(ask("loss"));
    ck_assert_double_eq_tol(answer("best_rate", 0), 1.0, 1e-12);
    ck_assert_double_eq_tol(answer("best_loss", 0), 0.1, 1e-12);
    ck_assert_double_eq_tol(answer("best_rate", 1), 0.975, 1e-12);
    ck_assert_double_eq_tol(answer("best_loss", 1), 0.1 + 0.05 - 0.25 / 400.0, 1e-12);
    ck_assert_double_eq_tol(answer("transfer_loss", 1), 0.25 / 400.0, 1e-12);
    ck_assert_double_eq_tol(answer("best_loss_sd", 1), sqrt(4.0 / 20.0), 1e-12);
    ck_assert_double_eq_tol(answer("best_rate_next", 1), 0.0, 1e-11);
    ck_assert_double_eq(answer("outcome", 1), NND_TRANSFER_FOUND);
    ck_assert_double_eq_tol(answer("edge_rate", 0), 1.25, 1e-12);
    ck_assert_double_nan(answer("edge_rate", 1)); /* no stability_at_width */
    ck_assert_double_eq(answer("above_edge", 0), 0.0);
    ck_assert_double_nan(answer("above_edge", 1));
    ck_assert_double_lt(answer("best_loss_se", 0), 1e-12);
    ck_assert_double_eq(answer("network_outcome", 1), NND_TRANSFER_UNKNOWN);
}
END_TEST

/* At N = 5 the correction is 0.2, twice the loss. */
START_TEST(a_width_at_which_the_correction_is_no_correction_has_no_answer) {
    assert_ok(ask("loss"));
    ck_assert_double_eq(answer("outcome", 2), NND_TRANSFER_NARROW);
    ck_assert_double_nan(answer("best_rate", 2));
    ck_assert_double_nan(answer("best_loss", 2));
}
END_TEST

static double steep(double x) {
    return 2.2 * x;
}

static double steeper(double x) {
    return 6.0 * x;
}

static double hump(double x) {
    return 2.5 - 25.0 * (x - 0.75) * (x - 0.75);
}

/* The first reaches 2 at 0.909, the second is beyond at all rates, the third, as after a catapult,
 * beyond from 0.609 to 0.891 and 0.94 at the best rate. */
START_TEST(a_best_rate_above_the_edge_is_marked) {
    double (*const stability[])(double) = {steep, steeper, hump};
    for (size_t k = 0; k < 3; k++) {
        for (size_t r = 0; r < RATES; r++)
            nnd_frame_find(theory, "stability")->data[r * TIMES + 1] = stability[k](rate[r]);
        assert_ok(ask("loss"));
        ck_assert_double_eq(answer("above_edge", 0), 1.0);
        ck_assert_int_eq(isnan(answer("edge_rate", 0)) != 0, k == 1);
        nnd_frame_free(answers);
        answers = NULL;
    }
}
END_TEST

START_TEST(rates_that_do_not_increase_are_refused) {
    nnd_frame_free(theory);
    rate[3] = rate[4];
    theory = swept();
    put(theory, "loss", "lr,t", parabola);
    ck_assert_int_eq(ask("loss"), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "must increase"));
}
END_TEST

START_TEST(without_a_minimum_between_the_rates_there_is_no_answer) {
    for (size_t r = 0; r < RATES; r++)
        nnd_frame_find(theory, "loss")->data[r * TIMES + 1] = 1.0 - 0.5 * rate[r];
    assert_ok(ask("loss"));
    ck_assert_double_eq(answer("outcome", 0), NND_TRANSFER_OUTSIDE);
    ck_assert_double_nan(answer("best_rate", 0));
    ck_assert_double_eq(answer("outcome", 1), NND_TRANSFER_OUTSIDE);
}
END_TEST

/* An error s, independent at each rate, moves the lowest point of a parabola through 3 places at
 * distance h by s/(2 sqrt(2) h): the slope is that of the two neighbours. Rates beside those three
 * are missing. */
START_TEST(errors_of_theory_become_those_of_the_rate) {
    double *se, s = 1e-3, h = 0.07;
    assert_ok(nnd_frame_add(theory, "loss_se", "lr,t", &se));
    for (size_t i = 0; i < RATES * TIMES; i++)
        se[i] = s;
    double *loss = nnd_frame_find(theory, "loss")->data;
    for (size_t r = 0; r < RATES; r++)
        if (r < 6 || r > 8)
            loss[r * TIMES + 1] = NAN;
    assert_ok(ask("loss"));
    /* Off the place in the middle by u = (1 - 0.99)/h weights are u - 1/2, -2u, u + 1/2 over h. */
    double u = (1.0 - rate[7]) / h;
    double want = s / (2.0 * h) * sqrt((u - 0.5) * (u - 0.5) + 4.0 * u * u + (u + 0.5) * (u + 0.5));
    ck_assert_double_eq_tol(answer("best_rate_se", 0), hypot(want, h), 1e-12);
}
END_TEST

/* Theory that errs independently at each rate, in both coefficients alike: the price of transfer
 * spreads no more than its error says, and not much less: the distance between the polynomials
 * repeats a part of the noise, which makes the error a quarter too large. Where the correction
 * moves the best rate errors are those of first order; where it does not the price is 0, and what
 * spreads is of second order.
 */
START_TEST(the_price_of_transfer_spreads_as_its_error_says) {
    enum { REPLICATES = 400 };
    const double s = 1e-4, price = _i == 0 ? 0.25 / 400.0 : 0.0;
    double *se0, *se1, sum = 0.0, told = 0.0;
    assert_ok(nnd_frame_add(theory, "loss_se", "lr,t", &se0));
    assert_ok(nnd_frame_add(theory, "loss_ncorr_se", "lr,t", &se1));
    double *l0 = nnd_frame_find(theory, "loss")->data,
           *l1 = nnd_frame_find(theory, "loss_ncorr")->data;
    for (uint64_t k = 0; k < REPLICATES; k++) {
        double noise[RATES];
        nnd_rng_normals((nnd_rng_key){7, k, 0}, 0, 0, RATES, noise);
        for (size_t r = 0; r < RATES; r++) {
            size_t at = r * TIMES + 1;
            se0[at] = s;
            se1[at] = 20.0 * s;
            l0[at] = parabola(rate[r]) + s * noise[r];
            l1[at] = (_i == 0 ? rate[r] : 1.0) + 20.0 * s * noise[r];
        }
        assert_ok(ask("loss"));
        double off = answer("transfer_loss", 1) - price, error = answer("transfer_loss_se", 1);
        sum += off * off;
        told += error * error;
        ck_assert_double_eq(answer("transfer_loss_se", 0), 0.0);
        nnd_frame_free(answers);
        answers = NULL;
    }
    ck_assert_double_lt(sqrt(sum / told), 1.0);
    ck_assert_double_gt(sqrt(sum / told), 0.6);
}
END_TEST

/* Seeds err together: each group by c_g x, which moves the lowest point by c_g/2, whatever the
 * errors of single rates are. */
START_TEST(networks_err_by_what_their_seeds_have_in_common) {
    const double size = 20.0, c[GROUPS] = {0.01, -0.02, 0.02, -0.01};
    double *loss, *se, *share;
    mc = swept();
    influence = swept();
    assert_ok(nnd_frame_add_dim(mc, "size", NND_COORD_REAL, 1, &size));
    assert_ok(nnd_frame_add_dim(influence, "size", NND_COORD_REAL, 1, &size));
    assert_ok(nnd_frame_add_range(influence, "group", GROUPS, 0.0));
    assert_ok(nnd_frame_add(mc, "loss", "lr,size,t", &loss));
    assert_ok(nnd_frame_add(mc, "loss_se", "lr,size,t", &se));
    assert_ok(nnd_frame_add(influence, "loss", "lr,size,group,t", &share));
    for (size_t r = 0; r < RATES; r++) {
        loss[r * TIMES + 1] = 2.0 * (rate[r] - 0.9) * (rate[r] - 0.9) + 0.3;
        se[r * TIMES + 1] = 1.0;
        for (size_t g = 0; g < GROUPS; g++)
            share[(r * GROUPS + g) * TIMES + 1] = c[g] * rate[r];
    }
    assert_ok(ask("loss"));
    ck_assert_double_eq_tol(answer("network_rate", 1), 0.9, 1e-12);
    ck_assert_double_eq_tol(answer("network_rate_se", 1), sqrt(10e-4) / 4.0, 1e-10);
    ck_assert_double_eq_tol(answer("network_loss", 1), 0.3, 1e-12);
    ck_assert_double_eq_tol(answer("network_loss_se", 1), 0.9 * sqrt(10e-4), 1e-10);
    ck_assert_double_nan(answer("network_rate", 2)); /* no networks of this width */
}
END_TEST

/* The means of rates from which one seed is left have no standard error, and say nothing. */
START_TEST(rates_without_an_error_are_no_part_of_the_curve_of_networks) {
    const double size = 20.0;
    double *loss, *se;
    mc = swept();
    assert_ok(nnd_frame_add_dim(mc, "size", NND_COORD_REAL, 1, &size));
    assert_ok(nnd_frame_add(mc, "loss", "lr,size,t", &loss));
    assert_ok(nnd_frame_add(mc, "loss_se", "lr,size,t", &se));
    for (size_t r = 0; r < RATES; r++) {
        bool unsure = rate[r] > 1.1;
        loss[r * TIMES + 1] = unsure ? -1.0 : 2.0 * (rate[r] - 0.9) * (rate[r] - 0.9) + 0.3;
        se[r * TIMES + 1] = unsure ? NAN : 0.01;
    }
    assert_ok(ask("loss"));
    ck_assert_double_eq_tol(answer("network_rate", 1), 0.9, 1e-12);
    ck_assert(isfinite(answer("network_loss_se", 1)));
    for (size_t r = 0; r < RATES; r++)
        se[r * TIMES + 1] = NAN;
    nnd_frame_free(answers);
    answers = NULL;
    assert_ok(ask("loss"));
    ck_assert_double_nan(answer("network_loss", 1));
    ck_assert_double_eq(answer("network_outcome", 1), NND_TRANSFER_UNKNOWN);
}
END_TEST

START_TEST(what_is_no_number_over_the_rate_is_refused) {
    double *x;
    assert_ok(nnd_frame_add_range(theory, "mu", 2, 0.0));
    assert_ok(nnd_frame_add(theory, "delta", "lr,t,mu", &x));
    assert_ok(nnd_frame_add(theory, "ensemble_loss", "t", &x));
    ck_assert_int_eq(ask("delta"), NND_E_INPUT);
    ck_assert_int_eq(ask("ensemble_loss"), NND_E_INPUT);
    ck_assert_int_eq(ask("test_loss"), NND_E_INPUT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("transfer");
    TCase *tests = tcase_create("transfer");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, best_rates_of_parabolas);
    tcase_add_test(tests, a_width_at_which_the_correction_is_no_correction_has_no_answer);
    tcase_add_test(tests, a_best_rate_above_the_edge_is_marked);
    tcase_add_test(tests, rates_that_do_not_increase_are_refused);
    tcase_add_test(tests, without_a_minimum_between_the_rates_there_is_no_answer);
    tcase_add_test(tests, errors_of_theory_become_those_of_the_rate);
    tcase_add_loop_test(tests, the_price_of_transfer_spreads_as_its_error_says, 0, 2);
    tcase_add_test(tests, networks_err_by_what_their_seeds_have_in_common);
    tcase_add_test(tests, rates_without_an_error_are_no_part_of_the_curve_of_networks);
    tcase_add_test(tests, what_is_no_number_over_the_rate_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
