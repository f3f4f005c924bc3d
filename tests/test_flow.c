/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "support.h"
#include "validate/flow.h"

/* A rotation with a decay: x1 = e^-t cos t, x2 = e^-t sin t. */
static void spiral(void *user, const double *x, double *rate) {
    ++*(size_t *)user;
    rate[0] = -x[0] - x[1];
    rate[1] = x[0] - x[1];
}

static double run(double rtol, size_t *calls) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_flow flow;
    const double x[] = {1.0, 0.0};
    const double to[] = {0.0, 0.3, 0.3000001, 2.0};
    *calls = 0;
    ck_assert_int_eq(nnd_flow_make(ctx, 2, spiral, calls, rtol, 1e-3 * rtol, &flow), NND_OK);
    nnd_flow_start(&flow, x);
    for (int k = 0; k < 4; k++)
        ck_assert_int_eq(nnd_flow_advance(ctx, &flow, to[k]), NND_OK);
    double error = hypot(flow.x[0] - exp(-2.0) * cos(2.0), flow.x[1] - exp(-2.0) * sin(2.0));
    nnd_flow_clear(&flow);
    nnd_context_free(ctx);
    return error;
}

/* The error follows the tolerance, and the work grows as its fifth root. */
START_TEST(error_follows_the_tolerance) {
    size_t few, many;
    double coarse = run(1e-5, &few), fine = run(1e-10, &many);
    ck_assert_msg(coarse < 1e-4 && coarse > 1e-9, "error %g", coarse);
    ck_assert_msg(fine < 1e-9, "error %g", fine);
    ck_assert_msg(many > 5 * few && many < 20 * few, "%zu and %zu evaluations", few, many);
}
END_TEST

/* x' = x^2 leaves the reals at t = 1. */
static void explosion(void *user, const double *x, double *rate) {
    (void)user;
    rate[0] = x[0] * x[0];
}

START_TEST(what_cannot_be_reached_is_said) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_flow flow;
    const double x[] = {1.0};
    ck_assert_int_eq(nnd_flow_make(ctx, 1, explosion, NULL, 1e-8, 1e-12, &flow), NND_OK);
    nnd_flow_start(&flow, x);
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 2.0), NND_NOT_CONVERGED);
    ck_assert_msg(isfinite(flow.x[0]) && flow.walk.t < 1.0 + 1e-7, "x = %g at t = %g", flow.x[0],
                  flow.walk.t);
    nnd_flow_start(&flow, x);
    flow.max_steps = 3;
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 0.5), NND_NOT_CONVERGED);
    flow.max_steps = 1000;
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 0.5), NND_OK);
    test_close("x(1/2)", flow.x[0], 2.0, 1e-7);
    nnd_flow_clear(&flow);
    nnd_context_free(ctx);
}
END_TEST

static void decay(void *user, const double *x, double *rate) {
    (void)user;
    rate[0] = -x[0];
}

/* Once all has decayed it is stability that limits steps: their number is the least one, but for
 * those that are rejected where the error lets steps grow beyond it. A time that takes more than
 * 1e7 of them is given up after a thousand. */
START_TEST(a_flow_without_end_is_given_up) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_flow flow;
    const double x[] = {1.0};
    ck_assert_int_eq(nnd_flow_make(ctx, 1, decay, NULL, 1e-8, 1e-12, &flow), NND_OK);
    nnd_flow_start(&flow, x);
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 1e4), NND_OK);
    double least = nnd_dp_least_steps(1.0, 1e4), taken = (double)flow.walk.taken;
    ck_assert_msg(taken > least && taken < 1.2 * least, "%g steps, at least %g", taken, least);
    nnd_flow_start(&flow, x);
    flow.last = 1e9;
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 1e4), NND_NOT_CONVERGED);
    ck_assert_uint_eq(flow.walk.taken, 1000);
    nnd_flow_start(&flow, x);
    flow.last = 1e6;
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 1e4), NND_OK);
    nnd_flow_clear(&flow);
    nnd_context_free(ctx);
}
END_TEST

/* A time a crumb beyond the end of a step is reached in that step. */
START_TEST(no_crumb_of_time_is_left_over) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_flow flow;
    size_t calls = 0;
    const double x[] = {1.0, 0.0};
    ck_assert_int_eq(nnd_flow_make(ctx, 2, spiral, &calls, 1e-3, 1e-3, &flow), NND_OK);
    nnd_flow_start(&flow, x);
    flow.walk.h = 0.1;
    ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 0.1 + 1e-15), NND_OK);
    ck_assert(flow.walk.t == 0.1 + 1e-15 && flow.walk.taken == 1);
    nnd_flow_clear(&flow);
    nnd_context_free(ctx);
}
END_TEST

/* x1 is time, x2' = x1^4. */
static void fourth_power(void *user, const double *x, double *rate) {
    (void)user;
    rate[0] = 1.0;
    rate[1] = pow(x[0], 4);
}

/* The two solutions of a step from 0 to 1 differ by int t^4 as the weights of the embedded pair
 * have it: sum_s e_s c_s^4 = 71/270000. A step is taken if that is allowed, and only then. */
START_TEST(a_step_is_taken_if_its_error_is_allowed) {
    const double difference = 71.0 / 270000.0;
    nnd_context *ctx = nnd_context_new(NULL);
    for (int allowed = 0; allowed < 2; allowed++) {
        nnd_flow flow;
        const double x[] = {0.0, 0.0};
        ck_assert_int_eq(nnd_flow_make(ctx, 2, fourth_power, NULL, 0.0,
                                       (allowed ? 1.01 : 0.99) * difference, &flow),
                         NND_OK);
        nnd_flow_start(&flow, x);
        flow.walk.h = 1.0;
        ck_assert_int_eq(nnd_flow_advance(ctx, &flow, 1.0), NND_OK);
        ck_assert_uint_eq(flow.walk.rejected, allowed ? 0 : 1);
        ck_assert_uint_eq(flow.walk.taken, allowed ? 1 : 2);
        test_close("1/5", flow.x[1], 0.2, 1e-14);
        nnd_flow_clear(&flow);
    }
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flow");
    TCase *tests = tcase_create("flow");
    tcase_add_test(tests, error_follows_the_tolerance);
    tcase_add_test(tests, a_step_is_taken_if_its_error_is_allowed);
    tcase_add_test(tests, no_crumb_of_time_is_left_over);
    tcase_add_test(tests, what_cannot_be_reached_is_said);
    tcase_add_test(tests, a_flow_without_end_is_given_up);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
