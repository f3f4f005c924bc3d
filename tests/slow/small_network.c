/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the theory of deep-linear states as its error is above the distance from the full march over
 * all pairs of up to 400 steps, whatever the options. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/rng.h"
#include "full/against_small.h"
#include "support.h"

enum { CASES = 50, CHOICES = 20 };

static double between(double u, double low, double high) {
    return low * pow(high / low, u);
}

/* One value, or one for each matrix, up to half as much away. */
static double write_sigma(const double *u, int depth, size_t size, char *text) {
    double sigma = between(u[0], 0.1, 1.5), most = sigma;
    if (u[1] < 0.7) {
        snprintf(text, size, "%.3g", sigma);
        return sigma;
    }
    size_t length = (size_t)snprintf(text, size, "[");
    for (int l = 0; l <= depth; l++) {
        double each = sigma * (0.6 + fmod(7.0 * u[1] + 0.37 * l, 0.8));
        most = fmax(most, each);
        length += (size_t)snprintf(text + length, size - length, "%s%.3g", l > 0 ? ", " : "", each);
    }
    snprintf(text + length, size - length, "]");
    return most;
}

/* Case number `number`: output scales over six decades, steps up to beyond the edge of stability.
 */
static void random_case(uint64_t number, size_t size, char *params) {
    static const char *const data[] = {"alpha: 0.7", "alpha: 1", "alpha: 2.5", "alpha: inf",
                                       "alpha: 1.5, training: fresh"};
    static const char *const momentum[] = {"0", "0.5", "0.9"};
    static const char *const method[] = {"heun", "rk4"};
    uint64_t word[CHOICES];
    double u[CHOICES];
    char sigma[96], steps[160];
    nnd_rng_words((nnd_rng_key){16, 3, 1}, 0, number, CHOICES, word);
    for (int i = 0; i < CHOICES; i++)
        u[i] = ldexp((double)(word[i] >> 11), -53);
    int depth = 1 + (int)(4.0 * u[0]), count = (int)between(u[2], 20.0, 400.0);
    size_t kind = (size_t)(5.0 * u[1]);
    double most = write_sigma(u + 3, depth, sizeof sigma, sigma);
    double top = 4.0 * (depth + 1.0) * pow(fmax(1.0, most), 2.0 * depth);
    if (u[5] < 0.25 && kind < 4)
        snprintf(steps, sizeof steps, "integrator: flow, method: %s, steps: %d, time: %.3g",
                 method[u[6] < 0.5], count / 2, 0.1 * count / top);
    else
        snprintf(steps, sizeof steps,
                 "steps: %d, lr: %.3g, momentum: %s, weight_decay: %s, schedule: %s", count,
                 between(u[7], 0.05, 1.5) / top, momentum[(int)(3.0 * u[8])],
                 u[9] < 0.3 ? "0.003" : "0", u[10] < 0.3 ? "[0.2, 0.6, 1]" : "null");
    snprintf(params, size,
             "depth: %d, %s, nu: %.3g, gamma0: %.3g, sigma: %s, noise: %.3g, parameterization: %s, "
             "center: %s, %s",
             depth, data[kind], between(u[11], 0.3, 3.0), between(u[12], 1e-6, 10.0), sigma,
             0.5 * u[13], u[14] < 0.5 ? "mup" : "ntk", u[15] < 0.4 ? "true" : "false", steps);
}

START_TEST(a_stated_error_is_above_the_true_one) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double tolerance = _i % 2 == 0 ? 1e-8 : 1e-6;
    char params[512], yaml[640];
    full_difference found;
    random_case((uint64_t)_i, sizeof params, params);
    snprintf(yaml, sizeof yaml,
             "{model: deep-linear, params: {%s, tolerance: %.1e, spectrum: false, ntk: false}}",
             params, tolerance);
    if (!full_compare(ctx, params, tolerance, &found)) {
        printf("diverges: %s\n", params);
        nnd_context_free(ctx);
        return;
    }
    nnd_frame *f = test_theory(ctx, yaml);
    double stated = nnd_frame_find_attribute(f, NULL, "march_error")->number;
    printf("error %.2e (%.2e), stated %.2e: %s\n", found.error, found.certain, stated, params);
    ck_assert_msg(found.certain <= stated, "%s: error %.3g, stated %.3g", params, found.certain,
                  stated);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("small network");
    TCase *tests = tcase_create("small network");
    tcase_add_loop_test(tests, a_stated_error_is_above_the_true_one, 0, CASES);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
