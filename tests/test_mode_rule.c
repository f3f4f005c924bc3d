/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Few modes for many: sums of resolvents are those of all modes, at all kappa that contours meet.
 */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/mode_rule.h"
#include "support.h"
#include "with_context.h"

/* sum n lambda/(lambda + kappa) and sum n c/(lambda + kappa). */
static void sums(const nnd_eigenmodes *p, double complex kappa, double complex sum[2]) {
    long double complex modes = 0.0L, powers = 0.0L;
    for (size_t i = 0; i < p->count; i++) {
        double complex h = p->eigenvalue[i] / (p->eigenvalue[i] + kappa);
        modes += p->multiplicity[i] * h;
        powers += p->teacher2[i] * h;
    }
    sum[0] = (double complex)modes;
    sum[1] = (double complex)powers;
}

static void compare(const char *what, const nnd_eigenmodes *few, const nnd_eigenmodes *all,
                    const double *tolerance) {
    static const double angle[] = {0.0, 1.0, 2.0, 2.6};
    for (double size = 1e-8; size < 1e3; size *= 7.0)
        for (int j = 0; j < 4; j++) {
            double complex kappa = size * cexp(I * angle[j]), got[2], want[2];
            sums(few, kappa, got);
            sums(all, kappa, want);
            for (int i = 0; i < 2; i++)
                ck_assert_msg(cabs(got[i] - want[i]) <= tolerance[j] * cabs(want[i]),
                              "%s, kappa = %g at %g, sum %d: off by %.3g", what, size, angle[j], i,
                              cabs(got[i] - want[i]) / cabs(want[i]));
        }
}

typedef struct {
    size_t count;
    double *eigenvalue, *multiplicity, *power, *teacher2;
    nnd_eigenmodes modes;
} list;

static list list_make(size_t count) {
    list x = {.count = count};
    x.eigenvalue = malloc(4 * count * sizeof(double));
    ck_assert_ptr_nonnull(x.eigenvalue);
    x.multiplicity = x.eigenvalue + count;
    x.power = x.eigenvalue + 2 * count;
    x.teacher2 = x.eigenvalue + 3 * count;
    x.modes = (nnd_eigenmodes){count, x.eigenvalue, x.multiplicity, x.teacher2};
    return x;
}

static void list_set(list *x, size_t k, double eigenvalue, double multiplicity, double power) {
    x->eigenvalue[k] = eigenvalue;
    x->multiplicity[k] = multiplicity;
    x->power[k] = power;
    x->teacher2[k] = multiplicity * power / eigenvalue;
}

/* Relative, at each angle: the closer kappa comes to the modes the larger, and the less it weighs
 * on a contour. */
static const double POWER_LAW_RTOL[] = {1e-12, 1e-12, 2e-12, 1e-8};
static const double LIST_RTOL[] = {1e-12, 1e-12, 1e-12, 1e-12};

START_TEST(power_laws_of_many_modes) {
    enum { COUNT = 100000 };
    const double law[][2] = {{0.5, 1.2}, {1.0, 1.5}, {1.5, 2.0}, {2.5, 4.0}};
    list x = list_make(COUNT);
    for (int i = 0; i < 4; i++) {
        nnd_mode_rule rule;
        for (size_t k = 0; k < COUNT; k++)
            list_set(&x, k, pow((double)k + 1.0, -law[i][0]), 1.0,
                     pow((double)k + 1.0, -law[i][1]));
        ck_assert_int_eq(nnd_mode_rule_power_law(ctx, COUNT, law[i][0], law[i][1], &rule), NND_OK);
        ck_assert_uint_le(rule.modes.count, 500);
        compare("power law", &rule.modes, &x.modes, POWER_LAW_RTOL);
        nnd_mode_rule_clear(&rule);
    }
    free(x.eigenvalue);
}
END_TEST

/* Euler and Maclaurin: sum_{k <= M} k^-s = zeta(s) - M^(1-s)/(s - 1) + M^-s/2 + .. */
START_TEST(power_laws_of_a_million_million_modes) {
    const double zeta = 2.6123753486854883, count = 1e12;
    nnd_mode_rule rule;
    double sum = 0.0, modes = 0.0;
    ck_assert_int_eq(nnd_mode_rule_power_law(ctx, count, 1.5, 2.0, &rule), NND_OK);
    ck_assert_uint_le(rule.modes.count, 500);
    for (size_t i = 0; i < rule.modes.count; i++) {
        modes += rule.modes.multiplicity[i];
        sum += rule.modes.multiplicity[i] * rule.modes.eigenvalue[i];
    }
    test_close("modes", modes, count, 1e-14);
    test_close("trace", sum, zeta - 2.0 / sqrt(count), 1e-11);
    nnd_mode_rule_clear(&rule);
}
END_TEST

/* However steep: what is too small to be learned keeps its power. */
START_TEST(steep_power_laws) {
    const double b[] = {8.0, 50.0, 1e6};
    for (int i = 0; i < 3; i++) {
        nnd_mode_rule rule;
        double power = 0.0;
        ck_assert_int_eq(nnd_mode_rule_power_law(ctx, 1e12, b[i], 2.0, &rule), NND_OK);
        for (size_t k = 0; k < rule.modes.count; k++)
            power += rule.modes.eigenvalue[k] * rule.modes.teacher2[k];
        ck_assert_uint_le(rule.modes.count, 1200);
        test_close("power", power, M_PI * M_PI / 6.0 - 1e-12, 1e-11);
        nnd_mode_rule_clear(&rule);
    }
}
END_TEST

START_TEST(few_modes_stay_as_they_are) {
    const double eigenvalue[] = {0.5, 2.0, 1.0}, power[] = {1.0, 0.0, 3.0}, n[] = {4.0, 1.0, 2.0};
    nnd_mode_rule rule;
    ck_assert_int_eq(nnd_mode_rule_list(ctx, 3, eigenvalue, power, n, &rule), NND_OK);
    ck_assert_uint_eq(rule.modes.count, 3);
    ck_assert(rule.modes.eigenvalue[0] == 2.0 && rule.modes.multiplicity[0] == 1.0 &&
              rule.modes.teacher2[0] == 0.0);
    ck_assert(rule.modes.eigenvalue[2] == 0.5 && rule.modes.multiplicity[2] == 4.0 &&
              rule.modes.teacher2[2] == 8.0);
    nnd_mode_rule_clear(&rule);
}
END_TEST

/* Any order, powers without order, many modes of the same size. */
START_TEST(lists_of_many_modes) {
    enum { COUNT = 4000 };
    list x = list_make(COUNT);
    uint32_t state = 7;
    for (size_t k = 0; k < COUNT; k++) {
        state = state * 1664525u + 1013904223u;
        double u = state * 0x1p-32, eigenvalue = k % 5 == 0 ? 0.7 : exp(-12.0 * u);
        list_set(&x, k, eigenvalue, 1.0 + (double)(k % 3), k % 11 == 0 ? 0.0 : u * u);
    }
    nnd_mode_rule rule;
    ck_assert_int_eq(nnd_mode_rule_list(ctx, COUNT, x.eigenvalue, x.power, x.multiplicity, &rule),
                     NND_OK);
    ck_assert_uint_le(rule.modes.count, 1000);
    compare("list", &rule.modes, &x.modes, LIST_RTOL);
    nnd_mode_rule_clear(&rule);
    free(x.eigenvalue);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mode rule");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, power_laws_of_many_modes);
    tcase_add_test(tests, power_laws_of_a_million_million_modes);
    tcase_add_test(tests, steep_power_laws);
    tcase_add_test(tests, few_modes_stay_as_they_are);
    tcase_add_test(tests, lists_of_many_modes);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
