/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scrambled Sobol normals: stratified, unbiased, far more even than independent numbers, functions
 * of their names alone. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/solvers/sobol.h"
#include "support.h"

enum { STREAM = 5 };

static nnd_sobol *make_net(nnd_context *ctx, size_t sites) {
    nnd_sobol *net = NULL;
    ck_assert_int_eq(nnd_sobol_new(ctx, sites, &net), NND_OK);
    return net;
}

static nnd_scramble *make_scramble(nnd_context *ctx, const nnd_sobol *net, uint64_t seed) {
    nnd_scramble *s = NULL;
    ck_assert_int_eq(nnd_scramble_new(ctx, net, (nnd_rng_key){1, seed, 0}, STREAM, &s), NND_OK);
    return s;
}

static void ck_each_once(size_t n, const int *hit) {
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(hit[i], 1);
}

START_TEST(every_dimension_has_one_site_in_every_stratum) {
    enum { SITES = 1024 };
    static const size_t dims[] = {0, 1, 17, 39, 40, 41, 79, 80, 200};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_sobol *net = make_net(ctx, SITES);
    nnd_scramble *s = make_scramble(ctx, net, 3);
    double x[SITES];
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        int hit[SITES] = {0};
        nnd_scramble_normals(s, dims[d], x);
        for (size_t i = 0; i < SITES; i++)
            hit[(size_t)(gsl_cdf_ugaussian_P(x[i]) * SITES)]++;
        ck_each_once(SITES, hit);
    }
    nnd_scramble_free(s);
    nnd_sobol_free(net);
    nnd_context_free(ctx);
}
END_TEST

/* In pairs of dimensions of one run every elementary box of a (0, m, 2)-net holds one point; the
 * first two dimensions of Sobol are such a net, and nested scrambling keeps it one. */
START_TEST(scrambling_keeps_the_net) {
    enum { LEVELS = 8, SITES = 1 << LEVELS };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_sobol *net = make_net(ctx, SITES);
    nnd_scramble *s = make_scramble(ctx, net, 11);
    double x[SITES], y[SITES];
    nnd_scramble_normals(s, 0, x);
    nnd_scramble_normals(s, 1, y);
    for (int split = 0; split <= LEVELS; split++) {
        int hit[SITES] = {0};
        for (size_t i = 0; i < SITES; i++) {
            int a = (int)(gsl_cdf_ugaussian_P(x[i]) * (1 << split));
            int b = (int)(gsl_cdf_ugaussian_P(y[i]) * (1 << (LEVELS - split)));
            hit[a * (1 << (LEVELS - split)) + b]++;
        }
        ck_each_once(SITES, hit);
    }
    nnd_scramble_free(s);
    nnd_sobol_free(net);
    nnd_context_free(ctx);
}
END_TEST

/* Root mean square error of <tanh(x + y/2 + 1)^2> over randomisations. */
static double rms_error(nnd_context *ctx, size_t sites, size_t dim_x, size_t dim_y, double exact,
                        double *bias) {
    enum { RUNS = 40 };
    nnd_sobol *net = make_net(ctx, sites);
    double *x = malloc(sites * sizeof *x), *y = malloc(sites * sizeof *y), sum2 = 0.0, sum = 0.0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        nnd_scramble *s = make_scramble(ctx, net, seed);
        nnd_scramble_normals(s, dim_x, x);
        nnd_scramble_normals(s, dim_y, y);
        double mean = 0.0;
        for (size_t i = 0; i < sites; i++)
            mean += pow(tanh(x[i] + y[i] / 2.0 + 1.0), 2) / (double)sites;
        sum += mean - exact;
        sum2 += (mean - exact) * (mean - exact);
        nnd_scramble_free(s);
    }
    free(x);
    free(y);
    nnd_sobol_free(net);
    *bias = sum / sqrt(sum2);
    return sqrt(sum2 / RUNS);
}

/* x + y/2 is one normal of variance 5/4: the integral by the trapezoidal rule. */
static double exact_mean(void) {
    double sum = 0.0, step = 0.01;
    for (int i = -1200; i <= 1200; i++) {
        double u = i * step;
        sum += step * exp(-u * u / 2.0) / sqrt(2.0 * M_PI) * pow(tanh(u * sqrt(1.25) + 1.0), 2);
    }
    return sum;
}

START_TEST(error_falls_much_faster_than_that_of_independent_numbers) {
    nnd_context *ctx = nnd_context_new(NULL);
    double exact = exact_mean(), bias;
    double few = rms_error(ctx, 256, 0, 7, exact, &bias);
    ck_assert_msg(fabs(bias) < 5.0, "bias of %g s.e.", bias);
    double many = rms_error(ctx, 4096, 0, 7, exact, &bias);
    /* Independent numbers: s.d. about 0.37/sqrt(S), that is 0.0058 at 4096, a gain of 4. */
    ck_assert_msg(few / many > 10.0, "256 sites %g, 4096 sites %g", few, many);
    ck_assert_msg(many < 0.0058 / 20.0, "%g", many);
    /* Across runs of 40 dimensions pairing is random, and each vector still stratified: the error
     * is that of the interaction of x and y alone. */
    double across = rms_error(ctx, 4096, 0, 40, exact, &bias);
    ck_assert_msg(across < 0.0058 / 1.5 && across > 3.0 * many, "across runs %g", across);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(vectors_are_functions_of_their_names) {
    enum { SITES = 64 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_sobol *net = make_net(ctx, SITES);
    nnd_scramble *a = make_scramble(ctx, net, 1), *b = make_scramble(ctx, net, 1);
    nnd_scramble *other = make_scramble(ctx, net, 2);
    double x[SITES], y[SITES];
    static const size_t order[] = {90, 3, 41, 0};
    for (size_t i = 0; i < 4; i++) {
        nnd_scramble_normals(a, order[i], x);
        nnd_scramble_normals(b, order[3 - i], y);
    }
    nnd_scramble_normals(a, 41, x);
    nnd_scramble_normals(b, 41, y);
    ck_assert(memcmp(x, y, sizeof x) == 0);
    nnd_scramble_normals(other, 41, y);
    ck_assert(memcmp(x, y, sizeof x) != 0);
    nnd_scramble_normals(b, 42, y);
    ck_assert(memcmp(x, y, sizeof x) != 0);
    nnd_scramble_free(a);
    nnd_scramble_free(b);
    nnd_scramble_free(other);
    nnd_sobol_free(net);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(numbers_of_sites_that_are_no_power_of_two_are_refused) {
    static const size_t bad[] = {0, 1, 3, 1000, (size_t)1 << 25};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_sobol *net = NULL;
    ck_assert_int_eq(nnd_sobol_new(ctx, bad[_i], &net), NND_E_INPUT);
    ck_assert_ptr_null(net);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "a power of two"));
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sobol");
    TCase *tests = tcase_create("sobol");
    tcase_add_test(tests, every_dimension_has_one_site_in_every_stratum);
    tcase_add_test(tests, scrambling_keeps_the_net);
    tcase_add_test(tests, error_falls_much_faster_than_that_of_independent_numbers);
    tcase_add_test(tests, vectors_are_functions_of_their_names);
    tcase_add_loop_test(tests, numbers_of_sites_that_are_no_power_of_two_are_refused, 0, 5);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
