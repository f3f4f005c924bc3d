/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ODE solver against closed forms, and against reference values of stiff standard problems. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>

#include "nndmft/solvers/ode.h"
#include "support.h"

static nnd_context *ctx;

static void setup(void) {
    openblas_set_num_threads(1);
    ctx = nnd_context_new(NULL);
}

static void teardown(void) {
    nnd_context_free(ctx);
}

static nnd_ode *make(nnd_ode_options o) {
    nnd_ode *ode = NULL;
    nnd_status status = nnd_ode_new(ctx, &o, &ode);
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
    return ode;
}

/* y'' = -y. */
static bool oscillator(double t, const double *y, double *dydt, void *user) {
    (void)t, (void)user;
    dydt[0] = y[1];
    dydt[1] = -y[0];
    return true;
}

/* A Kepler orbit of eccentricity e from its pericentre closes after 2 pi. */
static bool kepler(double t, const double *y, double *dydt, void *user) {
    (void)t, (void)user;
    double r2 = y[0] * y[0] + y[1] * y[1], r3 = r2 * sqrt(r2);
    dydt[0] = y[2];
    dydt[1] = y[3];
    dydt[2] = -y[0] / r3;
    dydt[3] = -y[1] / r3;
    return true;
}

static double kepler_error(double rtol, bool stiff, size_t *steps) {
    const double e = 0.5, start[4] = {1.0 - e, 0.0, 0.0, sqrt((1.0 + e) / (1.0 - e))};
    nnd_ode *ode = make(
        (nnd_ode_options){.dim = 4, .rhs = kepler, .rtol = rtol, .atol = rtol, .stiff = stiff});
    double end = 2.0 * M_PI, y[4], error = 0.0;
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &end, y), NND_OK);
    for (int i = 0; i < 4; i++)
        error = fmax(error, fabs(y[i] - start[i]));
    *steps = nnd_ode_statistics(ode).steps;
    nnd_ode_free(ode);
    return error;
}

START_TEST(error_is_proportional_to_the_tolerance) {
    for (int stiff = 0; stiff < 2; stiff++) {
        double before = INFINITY;
        for (double rtol = 1e-4; rtol > 0.5e-12; rtol *= 1e-2) {
            size_t steps;
            double error = kepler_error(rtol, stiff, &steps);
            /* Global errors: about ten steps, and errors that grow along the orbit. */
            ck_assert_msg(error < 200.0 * rtol, "stiff %d, rtol %g: error %g", stiff, rtol, error);
            ck_assert_msg(error < 0.2 * before || error < 1e-12, "stiff %d, rtol %g: %g after %g",
                          stiff, rtol, error, before);
            before = error;
        }
    }
}
END_TEST

/* An error that goes with the eighth power of the step: 10^4 in tolerance costs 10^(1/2) in steps.
 */
START_TEST(explicit_steps_grow_as_the_order_says) {
    size_t coarse, fine;
    kepler_error(1e-8, false, &coarse);
    kepler_error(1e-12, false, &fine);
    double order = log(1e4) / log((double)fine / (double)coarse);
    ck_assert_msg(order > 6.5 && order < 9.5, "order %g", order);
}
END_TEST

START_TEST(dense_output_is_exact_and_changes_no_step) {
    enum { TIMES = 1000 };
    const double start[2] = {0.0, 1.0};
    static double t[TIMES], y[2 * TIMES];
    for (int stiff = 0; stiff < 2; stiff++) {
        nnd_ode *ode = make((nnd_ode_options){
            .dim = 2, .rhs = oscillator, .rtol = 1e-11, .atol = 1e-11, .stiff = stiff});
        for (int i = 0; i < TIMES; i++)
            t[i] = 20.0 * i / (TIMES - 1);
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &t[TIMES - 1], y), NND_OK);
        size_t steps = nnd_ode_statistics(ode).steps;
        double last = y[0];
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, TIMES, t, y), NND_OK);
        ck_assert_uint_eq(nnd_ode_statistics(ode).steps, steps);
        ck_assert(y[2 * TIMES - 2] == last);
        for (int i = 0; i < TIMES; i++)
            ck_assert_double_eq_tol(y[2 * i], sin(t[i]), 1e-9);
        nnd_ode_free(ode);
    }
}
END_TEST

START_TEST(time_runs_backwards_too) {
    const double start[2] = {sin(3.0), cos(3.0)}, t[3] = {2.5, 0.5, -1.0};
    double y[6];
    nnd_ode *ode =
        make((nnd_ode_options){.dim = 2, .rhs = oscillator, .rtol = 1e-12, .atol = 1e-12});
    ck_assert_int_eq(nnd_ode_run(ode, 3.0, start, 3, t, y), NND_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq_tol(y[2 * i], sin(t[i]), 1e-11);
    nnd_ode_free(ode);
}
END_TEST

/* Robertson's chemical kinetics. */
static bool robertson(double t, const double *y, double *dydt, void *user) {
    (void)t, (void)user;
    dydt[0] = -0.04 * y[0] + 1e4 * y[1] * y[2];
    dydt[2] = 3e7 * y[1] * y[1];
    dydt[1] = -dydt[0] - dydt[2];
    return true;
}

static bool robertson_jacobian(double t, const double *y, double *dfdy, double *dfdt, void *user) {
    (void)t, (void)user;
    const double j[9] = {-0.04,       1e4 * y[2], 1e4 * y[1], 0.04, -1e4 * y[2] - 6e7 * y[1],
                         -1e4 * y[1], 0.0,        6e7 * y[1], 0.0};
    for (int i = 0; i < 9; i++)
        dfdy[i] = j[i];
    for (int i = 0; i < 3; i++)
        dfdt[i] = 0.0;
    return true;
}

START_TEST(robertson_over_eleven_decades) {
    const double start[3] = {1.0, 0.0, 0.0}, t[2] = {40.0, 1e11};
    /* E. Hairer's reference solutions. */
    const double early[3] = {0.7158270687193941, 0.9185534764557338e-5, 0.2841637457458413};
    const double late[3] = {0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050};
    double y[6];
    for (int given = 0; given < 2; given++) {
        nnd_ode *ode = make((nnd_ode_options){.dim = 3,
                                              .rhs = robertson,
                                              .jacobian = given ? robertson_jacobian : NULL,
                                              .stiff = true,
                                              .rtol = 1e-11,
                                              .atol = 1e-20});
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 2, t, y), NND_OK);
        for (int i = 0; i < 3; i++) {
            test_close("early", y[i], early[i], 1e-9);
            test_close("late", y[3 + i], late[i], 1e-8);
        }
        nnd_ode_stats stats = nnd_ode_statistics(ode);
        ck_assert_msg(stats.steps < 400, "%zu steps", stats.steps);
        nnd_ode_free(ode);
    }
}
END_TEST

/* Van der Pol's relaxation oscillator, epsilon = 1e-6. */
static bool van_der_pol(double t, const double *y, double *dydt, void *user) {
    (void)t, (void)user;
    dydt[0] = y[1];
    dydt[1] = 1e6 * ((1.0 - y[0] * y[0]) * y[1] - y[0]);
    return true;
}

/* The jumps magnify the errors of single steps. */
START_TEST(van_der_pol_jumps) {
    const double start[2] = {2.0, 0.0}, end = 2.0;
    double y[2];
    for (double rtol = 1e-6; rtol > 0.5e-12; rtol *= 1e-2) {
        nnd_ode *ode = make((nnd_ode_options){
            .dim = 2, .rhs = van_der_pol, .stiff = true, .rtol = rtol, .atol = rtol});
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &end, y), NND_OK);
        /* The reference solution of the test set of Hairer and Wanner. */
        double error =
            fmax(fabs(y[0] / 0.1706167732170483e1 - 1.0), fabs(y[1] / -0.8928097010247975 - 1.0));
        ck_assert_msg(error < 3e3 * rtol, "rtol %g: error %g", rtol, error);
        nnd_ode_free(ode);
    }
}
END_TEST

/* y' = -1e8 (y - cos t) - sin t depends on time; the solution is cos t. */
static bool forced(double t, const double *y, double *dydt, void *user) {
    (void)user;
    dydt[0] = -1e8 * (y[0] - cos(t)) - sin(t);
    return true;
}

START_TEST(a_stiff_forced_problem_takes_few_steps) {
    const double start = 1.0, end = 10.0;
    double y;
    nnd_ode *ode =
        make((nnd_ode_options){.dim = 1, .rhs = forced, .stiff = true, .rtol = 1e-8, .atol = 1e-8});
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, &start, 1, &end, &y), NND_OK);
    ck_assert_double_eq_tol(y, cos(10.0), 1e-7);
    nnd_ode_stats stats = nnd_ode_statistics(ode);
    ck_assert_msg(stats.steps < 200, "%zu steps", stats.steps);
    nnd_ode_free(ode);
}
END_TEST

static double position(double t, const double *y, void *user) {
    (void)t, (void)user;
    return y[0];
}

static double velocity(double t, const double *y, void *user) {
    (void)t, (void)user;
    return y[1];
}

/* sin and cos: of two that change sign in a run, or in one step, the first. */
START_TEST(the_first_of_two_events_ends_the_run) {
    const double start[2] = {0.0, 1.0}, end = 7.0;
    const nnd_ode_event events[2] = {{.value = position}, {.value = velocity}};
    for (double rtol = 1e-13; rtol < 1.0; rtol *= 1e11) {
        double y[2];
        nnd_ode *ode = make((nnd_ode_options){.dim = 2,
                                              .rhs = oscillator,
                                              .rtol = rtol,
                                              .atol = rtol,
                                              .events = events,
                                              .event_count = 2});
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &end, y), NND_OK);
        ck_assert(nnd_ode_statistics(ode).stopped);
        test_close("reached", nnd_ode_statistics(ode).reached, M_PI / 2.0, 10.0 * rtol);
        nnd_ode_free(ode);
    }
}
END_TEST

START_TEST(a_terminal_event_ends_the_run_in_its_direction_only) {
    const double start[2] = {1.0, 0.0}, t[3] = {2.0, 4.0, 6.0};
    const nnd_ode_event up = {.value = position, .direction = 1};
    double y[6];
    for (int stiff = 0; stiff < 2; stiff++) {
        nnd_ode *ode = make((nnd_ode_options){.dim = 2,
                                              .rhs = oscillator,
                                              .rtol = 1e-12,
                                              .atol = 1e-12,
                                              .stiff = stiff,
                                              .events = &up,
                                              .event_count = 1});
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 3, t, y), NND_OK);
        nnd_ode_stats stats = nnd_ode_statistics(ode);
        ck_assert(stats.stopped);
        ck_assert_double_eq_tol(stats.reached, 1.5 * M_PI, 1e-11);
        ck_assert_double_eq_tol(y[2], cos(4.0), 1e-10);
        ck_assert_double_nan(y[4]);
        nnd_ode_free(ode);
    }
}
END_TEST

/* y' = y^2 ends at t = 1/y(0). */
static bool square(double t, const double *y, double *dydt, void *user) {
    (void)t, (void)user;
    dydt[0] = y[0] * y[0];
    return true;
}

START_TEST(a_blow_up_keeps_what_was_reached) {
    const double start = 1.0, t[3] = {0.5, 0.9, 2.0};
    double y[3];
    for (int stiff = 0; stiff < 2; stiff++) {
        nnd_ode *ode =
            make((nnd_ode_options){.dim = 1, .rhs = square, .rtol = 1e-10, .stiff = stiff});
        ck_assert_int_eq(nnd_ode_run(ode, 0.0, &start, 3, t, y), NND_NOT_CONVERGED);
        test_close("y(0.5)", y[0], 2.0, 1e-8);
        test_close("y(0.9)", y[1], 10.0, 1e-8);
        ck_assert_double_nan(y[2]);
        test_close("pole", nnd_ode_statistics(ode).reached, 1.0, 1e-8);
        nnd_ode_free(ode);
    }
}
END_TEST

/* y' = y: with the first step 2, the matrix 1 - h J of two substeps is singular. */
static bool growth(double t, const double *y, double *dydt, void *user) {
    (void)t, (void)user;
    dydt[0] = y[0];
    return true;
}

static bool growth_jacobian(double t, const double *y, double *dfdy, double *dfdt, void *user) {
    (void)t, (void)y, (void)user;
    dfdy[0] = 1.0;
    dfdt[0] = 0.0;
    return true;
}

START_TEST(a_singular_matrix_shortens_the_step) {
    const double start = 1.0, end = 3.0;
    double y;
    nnd_ode *ode = make((nnd_ode_options){
        .dim = 1, .rhs = growth, .jacobian = growth_jacobian, .stiff = true, .first_step = 2.0});
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, &start, 1, &end, &y), NND_OK);
    test_close("e^3", y, exp(3.0), 1e-9);
    ck_assert_uint_ge(nnd_ode_statistics(ode).rejected, 1);
    nnd_ode_free(ode);
}
END_TEST

/* sqrt(1 - t) is real up to t = 1 only. */
static bool root(double t, const double *y, double *dydt, void *user) {
    (void)y, (void)user;
    dydt[0] = sqrt(1.0 - t);
    return true;
}

START_TEST(an_end_of_the_domain_is_approached) {
    const double start = 0.0, t[2] = {0.9, 1.1};
    double y[2];
    nnd_ode *ode = make((nnd_ode_options){.dim = 1, .rhs = root, .atol = 1e-10});
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, &start, 2, t, y), NND_NOT_CONVERGED);
    ck_assert_double_eq_tol(y[0], 2.0 / 3.0 * (1.0 - pow(0.1, 1.5)), 1e-9);
    ck_assert_double_nan(y[1]);
    ck_assert(nnd_ode_statistics(ode).reached <= 1.0);
    ck_assert(nnd_ode_statistics(ode).reached > 0.999);
    double beyond = 1.0;
    ck_assert_int_eq(nnd_ode_run(ode, 2.0, &start, 1, &beyond, y), NND_E_UNSOLVED);
    nnd_ode_free(ode);
}
END_TEST

START_TEST(steps_are_bounded_in_number_and_length) {
    const double start[2] = {0.0, 1.0}, end = 50.0;
    double y[2];
    nnd_ode_options o = {.dim = 2, .rhs = oscillator, .atol = 1e-10, .max_step = 0.25};
    nnd_ode *ode = make(o);
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &end, y), NND_OK);
    ck_assert(nnd_ode_statistics(ode).longest <= 0.25);
    ck_assert_uint_ge(nnd_ode_statistics(ode).steps, 200);
    nnd_ode_free(ode);
    o.max_steps = 10;
    ode = make(o);
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &end, y), NND_NOT_CONVERGED);
    ck_assert_uint_eq(nnd_ode_statistics(ode).steps, 10);
    nnd_context_interrupt(ctx);
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 1, &end, y), NND_E_INTERRUPTED);
    nnd_ode_free(ode);
}
END_TEST

START_TEST(senseless_requests_are_refused) {
    const double start[2] = {0.0, 1.0}, backwards[2] = {1.0, 0.5};
    const nnd_ode_options bad[] = {
        {.rhs = oscillator},
        {.dim = 2},
        {.dim = 2, .rhs = oscillator, .rtol = -1.0},
        {.dim = 2, .rhs = oscillator, .rtol = NAN},
        {.dim = 2, .rhs = oscillator, .atol = -1.0},
        {.dim = 2, .rhs = oscillator, .event_count = 1},
    };
    double y[4];
    nnd_ode *ode = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(nnd_ode_new(ctx, &bad[i], &ode), NND_E_INPUT);
    ode = make((nnd_ode_options){.dim = 2, .rhs = oscillator});
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 2, backwards, y), NND_E_INPUT);
    ck_assert_int_eq(nnd_ode_run(ode, 0.0, start, 0, NULL, y), NND_OK);
    nnd_ode_free(ode);
    nnd_ode_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ode");
    TCase *tests = tcase_create("ode");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, error_is_proportional_to_the_tolerance);
    tcase_add_test(tests, explicit_steps_grow_as_the_order_says);
    tcase_add_test(tests, dense_output_is_exact_and_changes_no_step);
    tcase_add_test(tests, time_runs_backwards_too);
    tcase_add_test(tests, robertson_over_eleven_decades);
    tcase_add_test(tests, van_der_pol_jumps);
    tcase_add_test(tests, a_stiff_forced_problem_takes_few_steps);
    tcase_add_test(tests, the_first_of_two_events_ends_the_run);
    tcase_add_test(tests, a_terminal_event_ends_the_run_in_its_direction_only);
    tcase_add_test(tests, a_blow_up_keeps_what_was_reached);
    tcase_add_test(tests, a_singular_matrix_shortens_the_step);
    tcase_add_test(tests, an_end_of_the_domain_is_approached);
    tcase_add_test(tests, steps_are_bounded_in_number_and_length);
    tcase_add_test(tests, senseless_requests_are_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
