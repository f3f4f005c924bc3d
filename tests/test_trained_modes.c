/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Modes of two trained layers: reference numbers, the flow as a limit of descent, the ends of
 * training. */
#include <math.h>

#include "nndmft/solvers/trained_modes.h"
#include "support.h"

/* Printed digits of reference numbers. */
static const double DIGITS = 1e-9;

static void check_mode(const char *what, nnd_trained_mode x, double product, double alpha,
                       double omega, double rtol) {
    test_close(what, x.product, product, rtol);
    test_close(what, x.alpha, alpha, rtol);
    test_close(what, x.omega, omega, rtol);
}

/* many-outputs.md#s8 */
START_TEST(reference_numbers_of_descent_and_flow) {
    static const struct {
        double s, product, omega;
    } descent[] = {{0.5, 0.7004204926, 1.201084069},
                   {1.0, 1.551436714, 1.797776000},
                   {1.5, 2.617424174, 2.740012391}};
    nnd_trained_mode x;
    for (size_t i = 0; i < sizeof descent / sizeof *descent; i++) {
        nnd_trained_mode_descent((nnd_trained_mode){1.0, 0.0, 1.0, 0.0}, 2.0 * descent[i].s, 0.1,
                                 0.1, 5, &x, NULL);
        check_mode("descent", x, descent[i].product, descent[i].omega, descent[i].omega, DIGITS);
    }
    nnd_trained_mode_flow((nnd_trained_mode){0.8, 0.0, 1.3, 0.0}, 1.7, 1.0, 0.7, &x, NULL);
    check_mode("flow", x, 1.466812661, 1.553895613, 2.053895613, DIGITS);
    nnd_trained_mode_flow((nnd_trained_mode){0.8, 0.0, 1.3, 0.0}, 1.7, 1.0, INFINITY, &x, NULL);
    test_close("sharpness", x.alpha + x.omega, 3.996248241, DIGITS);
    nnd_trained_mode_flow((nnd_trained_mode){0.09, 0.03, 0.01, 0.0}, 1.7, 1.0, 1.1, &x, NULL);
    double a = 0.9483776490, w = 0.9052182970;
    check_mode("aligned flow", x, 0.8584888003, a * a, w * w, 2.0 * DIGITS);
}
END_TEST

/* Starts and rates from all parts of their ranges: balanced layers (K = 0), no readout to begin
 * with, a target of 0, a readout that stays. */
static const struct {
    nnd_trained_mode start;
    double target, ratio;
} CASES[] = {
    {{0.8, 0.0, 1.3, 0.0}, 1.7, 1.0},  {{0.25, 0.25, 0.25, 0.0}, 2.0, 1.0},
    {{1.0, 0.5, 0.25, 0.0}, 0.0, 1.0}, {{0.25, 0.25, 0.25, 0.0}, 0.0, 1.0},
    {{0.0, 0.0, 1.0, 0.0}, 1.5, 1.0},  {{1.0, 0.2, 0.5, 0.0}, 0.7, 0.3},
    {{1.0, 0.2, 0.5, 0.0}, 0.7, 3.0},  {{0.8, 0.0, 1.3, 0.0}, 1.7, 0.0},
    {{0.0, 0.0, 0.0, 0.0}, 1.0, 1.0},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static double distance(nnd_trained_mode x, nnd_trained_mode y) {
    return fmax(fabs(x.alpha - y.alpha),
                fmax(fabs(x.product - y.product), fabs(x.omega - y.omega)));
}

/* Descent is Euler's method of the flow: its error falls like the step. */
START_TEST(the_flow_is_the_limit_of_small_steps) {
    const double time = 0.9;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        nnd_trained_mode flow, coarse, fine;
        nnd_trained_mode_flow(CASES[i].start, CASES[i].target, CASES[i].ratio, time, &flow, NULL);
        double h = time / 4000.0;
        nnd_trained_mode_descent(CASES[i].start, CASES[i].target, h, CASES[i].ratio * h, 4000,
                                 &coarse, NULL);
        nnd_trained_mode_descent(CASES[i].start, CASES[i].target, 0.5 * h, CASES[i].ratio * 0.5 * h,
                                 8000, &fine, NULL);
        double first = distance(coarse, flow), second = distance(fine, flow);
        ck_assert_msg(first < 10.0 * h, "case %zu is off by %g at steps of %g", i, first, h);
        /* What remains of Richardson's extrapolation is of second order, some h^2. */
        ck_assert_msg(fabs(2.0 * second - first) < 10.0 * h * h, "case %zu: %g, then %g", i, first,
                      second);
    }
}
END_TEST

/* Central differences with steps of 1e-5 are good to 1e-9. */
START_TEST(slopes_are_those_of_differences) {
    const double dx = 1e-5, times[] = {1e-4, 0.3, 5.0, INFINITY};
    for (size_t i = 0; i < CASE_COUNT; i++)
        for (size_t t = 0; t < 4; t++) {
            double x = CASES[i].target + 2.0 * dx, slope;
            nnd_trained_mode at, up, down;
            nnd_trained_mode_flow(CASES[i].start, x, CASES[i].ratio, times[t], &at, &slope);
            nnd_trained_mode_flow(CASES[i].start, x + dx, CASES[i].ratio, times[t], &up, NULL);
            nnd_trained_mode_flow(CASES[i].start, x - dx, CASES[i].ratio, times[t], &down, NULL);
            double want = (up.omega - down.omega) / (2.0 * dx);
            ck_assert_msg(fabs(slope - want) < 2e-8 * (1.0 + fabs(want)),
                          "case %zu at %g: %.12g, not %.12g", i, times[t], slope, want);
            nnd_trained_mode_descent(CASES[i].start, x, 0.1, 0.1 * CASES[i].ratio, 7, &at, &slope);
            nnd_trained_mode_descent(CASES[i].start, x + dx, 0.1, 0.1 * CASES[i].ratio, 7, &up,
                                     NULL);
            nnd_trained_mode_descent(CASES[i].start, x - dx, 0.1, 0.1 * CASES[i].ratio, 7, &down,
                                     NULL);
            want = (up.omega - down.omega) / (2.0 * dx);
            ck_assert_msg(fabs(slope - want) < 2e-8 * (1.0 + fabs(want)),
                          "case %zu, descent: %.12g, not %.12g", i, slope, want);
        }
}
END_TEST

/* Whatever moves ends where m is the target; alpha - omega stays, and of balanced layers m is the
 * root of alpha omega. */
START_TEST(training_ends_at_the_target) {
    for (size_t i = 0; i < CASE_COUNT; i++) {
        nnd_trained_mode s = CASES[i].start, end;
        nnd_trained_mode_flow(s, CASES[i].target, CASES[i].ratio, INFINITY, &end, NULL);
        bool rests = s.alpha == 0.0 && s.omega == 0.0;
        double want = rests ? 0.0 : CASES[i].target;
        ck_assert_msg(fabs(end.product - want) < 1e-14, "case %zu ends at %g", i, end.product);
        double kept = s.alpha - CASES[i].ratio * s.omega,
               now = end.alpha - CASES[i].ratio * end.omega;
        ck_assert_msg(fabs(now - kept) < 1e-13, "case %zu: alpha - omega is %g, was %g", i, now,
                      kept);
    }
    nnd_trained_mode end;
    nnd_trained_mode_flow((nnd_trained_mode){0.01, 0.01, 0.01, 0.0}, 2.0, 1.0, 1e4, &end, NULL);
    check_mode("balanced", end, 2.0, 2.0, 2.0, 1e-14);
}
END_TEST

/* Balanced layers, many-outputs.md#s3-2: with g = x/m_0 - 1 and E = exp(-2 x t) m = x/(1 + g E) and
 * e = x g E/(1 + g E), from starts so small that 1/g is below rounding of 1, to late times at which
 * e is too. Descent has e multiplied by a factor of its own at every step. */
START_TEST(small_starts_and_late_times_keep_their_digits) {
    static const double size[] = {1e-3, 1e-8, 1e-40};
    const double x = 1.7;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 6; k++) {
            double m0 = size[i] * size[i], g = x / m0 - 1.0;
            double time = k < 5 ? 0.5 * k * log(g) / (2.0 * x) : 80.0, left = exp(-2.0 * x * time);
            nnd_trained_mode end;
            nnd_trained_mode_flow((nnd_trained_mode){m0, m0, m0, 0.0}, x, 1.0, time, &end, NULL);
            /* rounding of the exponent counts 2 x t times */
            double rounding = 1e-15 * (10.0 + 2.0 * x * time);
            test_close("m", end.product, x / (1.0 + g * left), rounding);
            test_close("omega", end.omega, x / (1.0 + g * left), rounding);
            test_close("e", end.residual, x * g * left / (1.0 + g * left), rounding);
        }
    /* A readout of variance 1 and no start of W in this direction: de/dt = -e (alpha + omega) and,
     * late, alpha + omega = R. */
    nnd_trained_mode at, later;
    nnd_trained_mode_flow((nnd_trained_mode){1.0, 0.0, 1e-12, 0.0}, x, 1.0, 60.0, &at, NULL);
    nnd_trained_mode_flow((nnd_trained_mode){1.0, 0.0, 1e-12, 0.0}, x, 1.0, 61.0, &later, NULL);
    test_close("decay", later.residual / at.residual, exp(-(at.alpha + at.omega)), 1e-13);
    nnd_trained_mode_descent((nnd_trained_mode){1.0, 0.0, 1.0, 0.0}, x, 0.1, 0.1, 500, &at, NULL);
    nnd_trained_mode_descent((nnd_trained_mode){1.0, 0.0, 1.0, 0.0}, x, 0.1, 0.1, 501, &later,
                             NULL);
    test_close("decay of descent", later.residual / at.residual, 1.0 - 0.1 * (at.alpha + at.omega),
               1e-13);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("trained_modes");
    TCase *tests = tcase_create("trained_modes");
    tcase_add_test(tests, reference_numbers_of_descent_and_flow);
    tcase_add_test(tests, the_flow_is_the_limit_of_small_steps);
    tcase_add_test(tests, slopes_are_those_of_differences);
    tcase_add_test(tests, training_ends_at_the_target);
    tcase_add_test(tests, small_starts_and_late_times_keep_their_digits);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
