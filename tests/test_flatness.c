/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "flat_cases.h"
#include "nndmft/solvers/chain.h"
#include "nndmft/solvers/flatness.h"
#include "nndmft/solvers/quadratic.h"
#include "solvers/flatness_dual.h"

/* Least gap between primal and dual that is asked for. */
static const double GAP = 1e-9;

/* The objective of flat-minima.md#eq3 at z, whose length does not matter. */
static double primal_at(const nnd_quadratic *q, size_t depth, const double *z) {
    double along = 0.0, variance = 0.0, length2 = 0.0, inverse = 1.0 / (double)depth;
    for (size_t i = 0; i < q->dim; i++) {
        double root = 0.0, image = 0.0;
        for (size_t j = 0; j < q->dim; j++) {
            root += q->root[i * q->dim + j] * z[j];
            image += q->covariance[i * q->dim + j] * z[j];
        }
        along += q->minimizer[i] * root;
        variance += z[i] * image;
        length2 += z[i] * z[i];
    }
    return 2.0 * (double)depth * pow(along * along / length2, 1.0 - inverse) *
           pow(variance / length2, inverse);
}

static void check_row(nnd_context *ctx, const nnd_quadratic *q, size_t depth, double simple,
                      double least, double c, double flow) {
    nnd_flatness f;
    ck_assert_int_eq(nnd_flatness_find(ctx, q, depth, &f, NULL), NND_OK);
    test_close("simple bound", f.simple, simple, 1e-12);
    test_close("S_min", f.least, least, 2e-8);
    if (isnan(c))
        ck_assert(isnan(f.c));
    else
        test_close("c*", f.c, c, 2e-8);
    test_close("S_GF", f.flow, flow, 2e-8);
    ck_assert_msg(fabs(f.least - f.primal) < GAP, "gap %g", f.least - f.primal);
}

/* The table of flat-minima.md#s8. Its c* were found from values of phi, hence to about 4e-8; here
 * they are those of an independent computation with 40 digits. */
START_TEST(table_of_the_reference_cases) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic s6 = flat_case(ctx, 6, S6, W6), s3 = flat_case(ctx, 3, S3, W3);
    nnd_quadratic s2 = flat_case(ctx, 2, S2, W2);
    check_row(ctx, &s6, 1, .574, 6, NAN, 6);
    check_row(ctx, &s6, 2, 1.148, 2.5526349, .32064332, 6.0665787);
    check_row(ctx, &s6, 3, 1.722, 2.7157306, .29210880, 6.1489743);
    check_row(ctx, &s6, 10, 5.74, 6.348801, .34855819, 7.6742015);
    check_row(ctx, &s3, 2, 4.16, 5.682155, .69099502, 6.1314037);
    check_row(ctx, &s3, 3, 6.24, 7.5863207, .64432429, 8.0382227);
    check_row(ctx, &s3, 10, 20.8, 21.945987, .60570093, 22.32394);
    check_row(ctx, &s2, 2, 1, 2.0 / sqrt(3.0), 1.0 / sqrt(3.0), 2);
    check_row(ctx, &s2, 10, 5, 5, 1, 5);
    nnd_quadratic_clear(&s6);
    nnd_quadratic_clear(&s3);
    nnd_quadratic_clear(&s2);
    nnd_context_free(ctx);
}
END_TEST

/* Bounds in their order, the certificate, and inequality flat-minima.md#eq7. */
static void check_order(nnd_context *ctx, const nnd_quadratic *q, size_t depth) {
    nnd_flatness f;
    double *z = calloc(q->dim, sizeof *z), beside, tight = 1.0 + 1e-12;
    ck_assert_int_eq(nnd_flatness_find(ctx, q, depth, &f, z), NND_OK);
    ck_assert_msg(fabs(f.least - f.primal) < GAP * fmin(1.0, f.least), "gap %g of %g",
                  f.least - f.primal, f.least);
    test_close("objective at the direction", primal_at(q, depth, z), f.primal, 1e-9);
    test_close("length of the direction", cblas_dnrm2((int)q->dim, z, 1), 1.0, 1e-12);
    ck_assert(f.simple <= f.least * tight && f.least <= f.flow * tight &&
              f.flow <= f.flow_bound * tight && f.flow_bound < f.ceiling);
    double largest = q->eigenvalue[0];
    double a = f.simple / f.flow_bound * largest, l = (double)depth;
    ck_assert(f.flow / f.least <= (largest + (l - 1.0) * a) / (l * a) * tight);
    for (double factor = 0.5; depth > 1 && factor < 3.0; factor *= 4.0) {
        ck_assert_int_eq(nnd_flatness_dual(ctx, q, depth, factor * f.c, &beside), NND_OK);
        ck_assert(beside >= f.least * (1.0 - 1e-12));
    }
    free(z);
}

START_TEST(primal_and_dual_meet_in_random_problems) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const size_t depths[] = {1, 2, 3, 5, 10, 40};
    for (uint64_t seed = 0; seed < 120; seed++) {
        size_t dim = 1 + seed % 17, samples = seed % 3 == 0 ? 1 + dim / 2 : 3 * dim;
        nnd_quadratic q = flat_random(ctx, seed, samples, dim);
        check_order(ctx, &q, depths[seed % (sizeof depths / sizeof *depths)]);
        nnd_quadratic_clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

/* w* all but orthogonal to the top of S: the two largest eigenvalues all but cross. */
START_TEST(certificate_holds_near_a_kink) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (int power = 0; power <= 20; power++) {
        double w[] = {pow(10.0, -power), 1.0};
        nnd_quadratic q = flat_case(ctx, 2, S2, w);
        for (size_t depth = 2; depth < 5; depth++)
            check_order(ctx, &q, depth);
        nnd_quadratic_clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(isotropic_inputs_in_closed_form) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double variance = 1.7, covariance[] = {variance, 0, 0, 0, variance, 0, 0, 0, variance};
    const double w[] = {.5, -1, 2}, norm = sqrt(5.25);
    nnd_quadratic q = flat_case(ctx, 3, covariance, w);
    for (size_t depth = 2; depth < 20; depth += 3) {
        nnd_flatness f;
        double l = (double)depth, power = pow(norm, 2.0 - 2.0 / l);
        ck_assert_int_eq(nnd_flatness_find(ctx, &q, depth, &f, NULL), NND_OK);
        test_close("S_min", f.least, 2.0 * l * variance * power, 1e-13);
        test_close("simple bound", f.simple, 2.0 * l * variance * power, 1e-13);
        test_close("S_GF", f.flow, 2.0 * l * variance * power, 1e-13);
        test_close("c*", f.c, power, 1e-10);
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(bounds_are_homogeneous_in_the_minimiser) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t depth = 1; depth < 12; depth += 2) {
        double factor = 3.0, scaled[6], l = (double)depth, power = pow(factor, 2.0 - 2.0 / l);
        for (int i = 0; i < 6; i++)
            scaled[i] = factor * W6[i];
        nnd_quadratic one = flat_case(ctx, 6, S6, W6), three = flat_case(ctx, 6, S6, scaled);
        nnd_flatness f, g;
        ck_assert_int_eq(nnd_flatness_find(ctx, &one, depth, &f, NULL), NND_OK);
        ck_assert_int_eq(nnd_flatness_find(ctx, &three, depth, &g, NULL), NND_OK);
        test_close("S_min", g.least, power * f.least, 1e-12);
        test_close("simple bound", g.simple, power * f.simple, 1e-12);
        test_close("S_GF", g.flow, power * f.flow, 1e-12);
        test_close("ceiling", g.ceiling, power * f.ceiling, 1e-12);
        nnd_quadratic_clear(&one);
        nnd_quadratic_clear(&three);
    }
    nnd_context_free(ctx);
}
END_TEST

/* The dual by a full eigenvalue problem of the matrix in flat-minima.md#eq4, as it is written. */
START_TEST(secular_equation_equals_the_full_matrix) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_quadratic q = flat_case(ctx, 3, S3, W3);
    for (double c = 1e-3; c < 1e3; c *= 7.0) {
        /* One matrix more with weights of the closed form flat-minima.md#eq2: a chain at its
         * minimiser. */
        for (size_t depth = 2; depth < 6; depth++) {
            size_t width[] = {3, 2, 2, 2, 2, 1};
            width[depth] = 1;
            nnd_chain chain;
            double value, sharpness;
            ck_assert_int_eq(nnd_chain_make(ctx, &q, depth, width, NULL, &chain), NND_OK);
            set_flattest(&chain, c);
            nnd_chain_evaluate(&chain);
            ck_assert_int_eq(nnd_chain_sharpness(ctx, &chain, &sharpness), NND_OK);
            ck_assert_int_eq(nnd_flatness_dual(ctx, &q, depth, c, &value), NND_OK);
            test_close("phi(c)", value, sharpness, 1e-12);
            nnd_chain_clear(&chain);
        }
    }
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flatness");
    TCase *tests = tcase_create("flatness");
    tcase_add_test(tests, table_of_the_reference_cases);
    tcase_add_test(tests, primal_and_dual_meet_in_random_problems);
    tcase_add_test(tests, certificate_holds_near_a_kink);
    tcase_add_test(tests, isotropic_inputs_in_closed_form);
    tcase_add_test(tests, bounds_are_homogeneous_in_the_minimiser);
    tcase_add_test(tests, secular_equation_equals_the_full_matrix);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
