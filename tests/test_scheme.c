/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemes are linear: applied to a scalar problem they must be the textbook methods. */
#include <math.h>

#include "full/scheme.h"
#include "support.h"

/* w(q) = kappa_q w(0) + sum_p omega_qp u_p with u = -rate w, all queries of a scheme. */
static double scalar_run(nnd_scheme_options o, double rate) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_scheme *s;
    double u[512], w = 1.0;
    size_t queries = nnd_scheme_queries(&o);
    ck_assert(queries <= 512);
    ck_assert_int_eq(nnd_scheme_new(ctx, &o, &s), NND_OK);
    for (size_t q = 0; q < queries; q++) {
        w = nnd_scheme_kappa(s);
        for (size_t p = 0; p < q; p++)
            w += nnd_scheme_omega(s)[p] * u[p];
        u[q] = -rate * w;
        if (q + 1 < queries)
            nnd_scheme_advance(s);
    }
    nnd_scheme_free(s);
    nnd_context_free(ctx);
    return w;
}

START_TEST(plain_descent_is_a_power) {
    nnd_scheme_options o = {.steps = 20};
    test_close("w", scalar_run(o, 0.1), pow(0.9, 20), 1e-14);
}
END_TEST

START_TEST(schedule_multiplies_the_rate_and_its_last_value_holds_on) {
    const double schedule[] = {0.5, 1, 2};
    nnd_scheme_options o = {.steps = 5, .schedule = schedule, .schedule_count = 3};
    test_close("w", scalar_run(o, 0.1), 0.95 * 0.9 * 0.8 * 0.8 * 0.8, 1e-14);
}
END_TEST

START_TEST(momentum_and_decay_are_heavy_ball_with_decoupled_decay) {
    nnd_scheme_options o = {.steps = 30, .momentum = 0.7, .decay = 0.03};
    double w = 1.0, v = 0.0;
    for (int t = 0; t < 30; t++) {
        v = 0.7 * v - 0.1 * w;
        w = 0.97 * w + v;
    }
    test_close("w", scalar_run(o, 0.1), w, 1e-13);
}
END_TEST

/* One step of an explicit method of order s <= 4 with s stages is the Taylor series to order s. */
START_TEST(runge_kutta_steps_are_taylor_series) {
    const nnd_runge_kutta method[] = {NND_RK_EULER, NND_RK_HEUN, NND_RK_RK4};
    const int order[] = {1, 2, 4};
    for (int i = 0; i < 3; i++) {
        nnd_scheme_options o = {.steps = 3, .flow = true, .method = method[i], .dt = 0.4};
        double z = -0.4 * 0.7, term = 1.0, factor = 1.0;
        for (int k = 1; k <= order[i]; k++) {
            term *= z / k;
            factor += term;
        }
        ck_assert_uint_eq(nnd_scheme_stages(&o), (size_t)order[i]);
        test_close("w", scalar_run(o, 0.7), pow(factor, 3), 1e-14);
    }
}
END_TEST

/* One step on w' = -w from the arrays alone; stage i into k[i]. */
static double step_of_pair(double dt, double *error) {
    double k[7];
    for (size_t i = 0; i < 7; i++) {
        double w = 1.0;
        for (size_t j = 0; j < i; j++)
            w += dt * nnd_runge_kutta_weights(NND_RK_DORMAND_PRINCE, i)[j] * k[j];
        k[i] = -w;
    }
    double w = 1.0;
    *error = 0.0;
    for (size_t i = 0; i < 7; i++) {
        w += dt * nnd_runge_kutta_weights(NND_RK_DORMAND_PRINCE, 7)[i] * k[i];
        *error += dt * nnd_runge_kutta_error_weights(NND_RK_DORMAND_PRINCE)[i] * k[i];
    }
    ck_assert_double_eq(-w, k[6]);
    return w;
}

/* Dormand and Prince: the Taylor series to order 5 and z^6/600; the error is that of order 4,
 * whose difference from order 5 vanishes like dt^5. */
START_TEST(the_pair_is_of_orders_five_and_four) {
    double error, half;
    double w = step_of_pair(0.4, &error), z = -0.4;
    double taylor = 1 + z + z * z / 2 + pow(z, 3) / 6 + pow(z, 4) / 24 + pow(z, 5) / 120;
    test_close("w", w, taylor + pow(z, 6) / 600, 1e-14);
    step_of_pair(0.2, &half);
    ck_assert_msg(fabs(log2(error / half) - 5.0) < 0.2, "errors %g, %g", error, half);
    ck_assert_ptr_null(nnd_runge_kutta_error_weights(NND_RK_RK4));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scheme");
    TCase *tests = tcase_create("scheme");
    tcase_add_test(tests, plain_descent_is_a_power);
    tcase_add_test(tests, schedule_multiplies_the_rate_and_its_last_value_holds_on);
    tcase_add_test(tests, momentum_and_decay_are_heavy_ball_with_decoupled_decay);
    tcase_add_test(tests, runge_kutta_steps_are_taylor_series);
    tcase_add_test(tests, the_pair_is_of_orders_five_and_four);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
