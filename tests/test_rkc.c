/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stabilised Runge-Kutta methods on y' = -y, whose solution is known. */
#include <math.h>

#include "nndmft/solvers/rkc.h"
#include "support.h"

/* One step of length h from 1, with the given number of stages. */
static double step(double h, size_t stages) {
    nnd_rkc method = nnd_rkc_begin(stages);
    double before = 1.0, y = 1.0 - nnd_rkc_next(&method).mu_t * h;
    for (size_t j = 2; j <= stages; j++) {
        nnd_rkc_stage c = nnd_rkc_next(&method);
        double next = 1.0 - c.mu - c.nu + c.mu * y + c.nu * before - h * (c.mu_t * y + c.gamma_t);
        before = y;
        y = next;
    }
    return y;
}

/* The error of a step falls as h^3, whatever the number of stages. */
START_TEST(methods_have_order_two) {
    const size_t stages[] = {2, 3, 5, 20};
    for (int i = 0; i < 4; i++) {
        double coarse = fabs(step(0.02, stages[i]) - exp(-0.02));
        double fine = fabs(step(0.01, stages[i]) - exp(-0.01));
        ck_assert_msg(fabs(log2(coarse / fine) - 3.0) < 0.1, "%zu stages: order %g", stages[i],
                      log2(coarse / fine));
    }
}
END_TEST

/* A mode of any rate up to the largest decays, with as many stages as that needs, and not with two
 * thirds of them. */
START_TEST(as_many_stages_as_asked_for_are_stable) {
    const double reach[] = {1.0, 10.0, 100.0, 1000.0, 1e5};
    for (int i = 0; i < 5; i++) {
        size_t stages = nnd_rkc_stages(reach[i]);
        for (int k = 1; k <= 1000; k++) {
            double z = reach[i] * k / 1000.0;
            ck_assert_msg(fabs(step(z, stages)) < 1.0, "%zu stages at %g: %g", stages, z,
                          step(z, stages));
        }
        if (stages > 8)
            ck_assert(fabs(step(reach[i], 2 * stages / 3)) > 1.0);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rkc");
    TCase *tests = tcase_create("rkc");
    tcase_add_test(tests, methods_have_order_two);
    tcase_add_test(tests, as_many_stages_as_asked_for_are_stable);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
