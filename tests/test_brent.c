/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searches within a bracket: precision reached, ends, and what is refused. */
#include <math.h>

#include "nndmft/solvers/brent.h"
#include "support.h"

/* A function and how often it was asked. */
typedef struct {
    double (*f)(double x);
    int calls;
} counted;

static double call(double x, void *data) {
    counted *c = data;
    c->calls++;
    return c->f(x);
}

static double cubic(double x) {
    return x * x * x - 2.0;
}

static double cosine(double x) {
    return cos(x);
}

static double steep(double x) {
    return tanh(1e6 * (x - 0.3)) + 0.5;
}

static double reciprocal(double x) {
    return 1.0 / x;
}

static double far_parabola(double x) {
    return (x - 1e6 - 0.125) * (x - 1e6 - 0.125);
}

static double valley(double x) {
    return fabs(x - 2.0) + 1.0;
}

static double lid(double x) {
    return fabs(x - 1.6) < 0.1 ? NAN : (x - 1.6) * (x - 1.6);
}

START_TEST(roots_are_met_to_the_precision_asked_for) {
    nnd_context *ctx = nnd_context_new(NULL);
    const struct {
        double (*f)(double x);
        double low, high, want;
    } all[] = {{cubic, 0.0, 8.0, cbrt(2.0)},
               {cosine, 1.0, 3.0, M_PI_2},
               {steep, -5.0, 5.0, 0.3 - atanh(0.5) / 1e6}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (double precision = 1e-4; precision > 1e-13; precision /= 100.0) {
            counted c = {all[i].f, 0};
            nnd_bracket b = {all[i].low, all[i].high, NAN};
            ck_assert_int_eq(nnd_brent_root(ctx, call, &c, 0.0, precision, &b), NND_OK);
            test_close("root", b.x, all[i].want, precision);
            ck_assert(b.low <= b.x && b.x <= b.high && b.high - b.low <= precision * b.high);
            ck_assert_int_lt(c.calls, 60);
        }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_root_at_an_end_is_found_there) {
    nnd_context *ctx = nnd_context_new(NULL);
    counted c = {sin, 0};
    nnd_bracket b = {0.0, 1.0, NAN};
    ck_assert_int_eq(nnd_brent_root(ctx, call, &c, 1e-12, 0.0, &b), NND_OK);
    ck_assert_double_eq(b.x, 0.0);
    nnd_context_free(ctx);
}
END_TEST

/* To 3e-8 of the way from the first x, however far that is from 0. */
START_TEST(minima_are_met_to_the_precision_asked_for) {
    nnd_context *ctx = nnd_context_new(NULL);
    const struct {
        double (*f)(double x);
        double low, x, high, want, precision;
    } all[] = {{cosine, 2.0, 3.0, 4.0, M_PI, 3e-8},
               {valley, -3.0, 1.0, 9.0, 2.0, 5e-8},
               {far_parabola, 1e6 - 1.0, 1e6, 1e6 + 5.0, 1e6 + 0.125, 1e-8}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        counted c = {all[i].f, 0};
        nnd_bracket b = {all[i].low, all[i].high, all[i].x};
        const double value[] = {c.f(b.low), c.f(b.x), c.f(b.high)};
        ck_assert_int_eq(nnd_brent_minimum(ctx, call, &c, all[i].precision, 0.0, value, &b),
                         NND_OK);
        ck_assert_msg(fabs(b.x - all[i].want) <= all[i].precision, "%zu: want %.15g, got %.15g", i,
                      all[i].want, b.x);
        ck_assert(b.low <= b.x && b.x <= b.high);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(brackets_that_are_none_are_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    counted c = {cubic, 0};
    nnd_bracket b = {2.0, 3.0, NAN};
    ck_assert_int_eq(nnd_brent_root(ctx, call, &c, 0.0, 1e-6, &b), NND_E_UNSOLVED);
    c.f = reciprocal;
    b = (nnd_bracket){0.0, 3.0, NAN};
    ck_assert_int_eq(nnd_brent_root(ctx, call, &c, 0.0, 1e-6, &b), NND_E_UNSOLVED);
    c.f = cosine;
    b = (nnd_bracket){2.0, 4.0, 2.5};
    const double value[] = {cos(2.0), cos(4.0), cos(4.0)};
    ck_assert_int_eq(nnd_brent_minimum(ctx, call, &c, 0.0, 1e-6, value, &b), NND_E_UNSOLVED);
    c.f = lid;
    b = (nnd_bracket){1.0, 3.0, 1.9};
    const double hidden[] = {1.0, lid(1.9), lid(3.0)};
    ck_assert_int_eq(nnd_brent_minimum(ctx, call, &c, 0.0, 1e-6, hidden, &b), NND_E_UNSOLVED);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_precision_that_cannot_be_had_is_not_claimed) {
    nnd_context *ctx = nnd_context_new(NULL);
    counted c = {cubic, 0};
    nnd_bracket b = {1.0, 2.0, NAN};
    /* Neighbouring doubles have different signs unless one of them is a root. */
    nnd_status status = nnd_brent_root(ctx, call, &c, 0.0, 0.0, &b);
    ck_assert(status == NND_NOT_CONVERGED || cubic(b.x) == 0.0);
    test_close("best answer", b.x, cbrt(2.0), 1e-15);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("brent");
    TCase *tests = tcase_create("brent");
    tcase_add_test(tests, roots_are_met_to_the_precision_asked_for);
    tcase_add_test(tests, a_root_at_an_end_is_found_there);
    tcase_add_test(tests, minima_are_met_to_the_precision_asked_for);
    tcase_add_test(tests, brackets_that_are_none_are_refused);
    tcase_add_test(tests, a_precision_that_cannot_be_had_is_not_claimed);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
