/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules for averages over two normals: moments, how fast they converge, symmetry. */
#include <math.h>

#include "nndmft/solvers/plane_rule.h"
#include "support.h"

static double average(const nnd_plane_rule *r, double (*f)(double x, double y)) {
    double sum = 0.0;
    for (size_t i = 0; i < r->count; i++)
        sum += r->weight[i] * f(r->x[i], r->y[i]);
    return sum;
}

static double one(double x, double y) {
    (void)x;
    (void)y;
    return 1.0;
}

static double square(double x, double y) {
    (void)y;
    return x * x;
}

static double product(double x, double y) {
    return x * y;
}

static double quartic(double x, double y) {
    return x * x * y * y + pow(x, 4) - y * y * x;
}

/* <cos(2 x + y)> = exp(-5/2). */
static double wave(double x, double y) {
    return cos(2.0 * x + y);
}

/* A front along q = (x - y)/sqrt 2 = 0: <tanh^2(20 q)>, of poles at distance pi/40. */
static double front(double x, double y) {
    return pow(tanh(20.0 * M_SQRT1_2 * (x - y)), 2);
}

/* <relu(x) relu(y)> = 1/(2 pi), and a quarter of <r^2> = 2. */
static double ramps(double x, double y) {
    return fmax(x, 0.0) * fmax(y, 0.0);
}

static double quadrant(double x, double y) {
    return x > 0.0 && y > 0.0 ? x * x + y * y : 0.0;
}

static void check_moments(const nnd_plane_rule *r, double tolerance) {
    test_close("1", average(r, one), 1.0, 1e-13);
    test_close("x^2", average(r, square), 1.0, tolerance);
    test_close("x y", average(r, product), 0.0, tolerance);
}

START_TEST(moments_are_exact) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_plane_rule r;
    ck_assert_int_eq(nnd_plane_rule_turned(ctx, 40, 80, false, &r), NND_OK);
    check_moments(&r, 1e-13);
    test_close("degree 4", average(&r, quartic), 4.0, 1e-13);
    nnd_plane_rule_clear(&r);
    ck_assert_int_eq(nnd_plane_rule_turned(ctx, 40, 80, true, &r), NND_OK);
    check_moments(&r, 1e-13);
    nnd_plane_rule_clear(&r);
    ck_assert_int_eq(nnd_plane_rule_square(ctx, 0.4, &r), NND_OK);
    check_moments(&r, 1e-13);
    test_close("degree 4", average(&r, quartic), 4.0, 1e-13);
    nnd_plane_rule_clear(&r);
    ck_assert_int_eq(nnd_plane_rule_angles(ctx, 1000, &r), NND_OK);
    check_moments(&r, 1e-13);
    nnd_plane_rule_clear(&r);
    nnd_context_free(ctx);
}
END_TEST

/* The trapezoidal error of an entire function falls as exp(-2 pi^2/step^2) and worse by the growth
 * of the function: halving the step squares it. */
START_TEST(grids_converge_exponentially) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double want = exp(-2.5), step[] = {1.5, 1.0, 0.75, 0.5};
    double before = 1.0;
    for (int i = 0; i < 4; i++) {
        nnd_plane_rule r;
        ck_assert_int_eq(nnd_plane_rule_square(ctx, step[i], &r), NND_OK);
        double off = fabs(average(&r, wave) - want) / want;
        ck_assert_msg(i == 0 || off < 0.05 * before || off < 1e-13, "step %g: %g after %g", step[i],
                      off, before);
        before = off;
        nnd_plane_rule_clear(&r);
    }
    ck_assert(before < 1e-13);
    nnd_context_free(ctx);
}
END_TEST

/* Along a steep front only the step across it matters: exp(-2 pi d/dq) with d = pi/40. */
START_TEST(a_front_needs_nodes_across_it_alone) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_plane_rule fine, r;
    ck_assert_int_eq(nnd_plane_rule_turned(ctx, 20, 4000, true, &fine), NND_OK);
    double want = average(&fine, front);
    const size_t nodes[] = {100, 200, 400};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(nnd_plane_rule_turned(ctx, 20, nodes[i], true, &r), NND_OK);
        double off = fabs(average(&r, front) - want);
        double bound = 20.0 * exp(-2.0 * M_PI * (M_PI / 40.0) / (18.0 / (double)nodes[i]));
        ck_assert_msg(off < bound, "%zu nodes: %g > %g", nodes[i], off, bound);
        ck_assert_msg(i > 0 || off > 1e-6, "the front is resolved too easily: %g", off);
        nnd_plane_rule_clear(&r);
    }
    ck_assert_int_eq(nnd_plane_rule_turned(ctx, 40, 4000, true, &r), NND_OK);
    test_close("more nodes along it", average(&r, front), want, 1e-13);
    nnd_plane_rule_clear(&r);
    nnd_plane_rule_clear(&fine);
    nnd_context_free(ctx);
}
END_TEST

/* Kinks cost the midpoint rule its square, steps between nodes cost nothing. */
START_TEST(angles_are_of_second_order_at_kinks) {
    nnd_context *ctx = nnd_context_new(NULL);
    double before = 0.0;
    for (size_t nodes = 1000; nodes < 10000; nodes *= 2) {
        nnd_plane_rule r;
        ck_assert_int_eq(nnd_plane_rule_angles(ctx, nodes, &r), NND_OK);
        ck_assert_uint_eq(r.count, nodes);
        double off = fabs(average(&r, ramps) - 0.5 / M_PI);
        if (before > 0.0)
            ck_assert_msg(off < 0.3 * before, "%zu nodes: %g after %g", nodes, off, before);
        before = off;
        /* A step moves the boundary by no more than a node. */
        ck_assert(fabs(average(&r, quadrant) - 0.5) < 2.0 / (double)nodes);
        nnd_plane_rule_clear(&r);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(half_a_plane_is_the_whole_for_even_functions) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_plane_rule half, whole;
    ck_assert_int_eq(nnd_plane_rule_turned(ctx, 50, 90, true, &half), NND_OK);
    ck_assert_int_eq(nnd_plane_rule_turned(ctx, 50, 90, false, &whole), NND_OK);
    ck_assert_uint_eq(2 * half.count, whole.count);
    test_close("wave", average(&half, wave), average(&whole, wave), 1e-13);
    nnd_plane_rule_clear(&half);
    nnd_plane_rule_clear(&whole);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plane_rule");
    TCase *tests = tcase_create("plane_rule");
    tcase_add_test(tests, moments_are_exact);
    tcase_add_test(tests, grids_converge_exponentially);
    tcase_add_test(tests, a_front_needs_nodes_across_it_alone);
    tcase_add_test(tests, angles_are_of_second_order_at_kinks);
    tcase_add_test(tests, half_a_plane_is_the_whole_for_even_functions);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
