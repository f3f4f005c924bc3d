/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrix Dyson equation where the spectrum is known in closed form. Tolerances are rounding,
 * 1e-12 of what is compared, where nothing else is said. */
#include <complex.h>
#include <math.h>
#include <string.h>

#include "nndmft/solvers/dyson_program.h"
#include "solvers/cmplx.h"
#include "support.h"
#include "with_context.h"

static const double ROUNDING = 1e-12;
/* Differences of slopes, extrapolated: the error that is stated is about that. */
static const double KAPPA = 1e-7;

/* y = W v + S v: entries of variance s2/N, D/N = d, and a spike if there is one. */
static nnd_dyson *plain(double d, double s2, bool spiked) {
    nnd_dyson *p = nnd_dyson_new();
    size_t n = nnd_dyson_space(p, 1.0), inputs = nnd_dyson_space(p, d);
    size_t w = nnd_dyson_random(p, n, inputs, s2), v = nnd_dyson_input(p, inputs);
    size_t u = nnd_dyson_output(p, n);
    nnd_dyson_add(p, u, 1.0, w, v);
    if (spiked)
        nnd_dyson_add(p, u, 1.0, nnd_dyson_fixed(p, n, inputs, 0, NULL, NULL), v);
    return p;
}

static void close_complex(const char *what, double complex got, double re, double im, double tol) {
    ck_assert_msg(cabs(got - CMPLX(re, im)) <= tol, "%s: want %.12g%+.12gi, got %.12g%+.12gi", what,
                  re, im, creal(got), cimag(got));
}

#define OK(call) ck_assert_msg((call) == NND_OK, "%s", nnd_context_message(ctx))

/* ---- Marchenko and Pastur ---- */

/* many-outputs.md#s8: R1, to its digits. */
START_TEST(transform_of_marchenko_pastur) {
    const double complex z[] = {CMPLX(2.0, 1.0), CMPLX(0.5, 0.1), -1.0, CMPLX(2.0, -1.0)};
    double complex m[4];
    double error[4];
    nnd_dyson *p = plain(0.5, 1.0, false);
    OK(nnd_dyson_stieltjes(ctx, p, 4, z, m, error));
    close_complex("2+i", m[0], -0.3443493687, 0.5145058973, 1e-10);
    close_complex("0.5+0.1i", m[1], 0.1595128578, 1.7878061090, 1e-10);
    close_complex("-1", m[2], 0.5615528128, 0.0, 1e-10);
    close_complex("2-i", m[3], -0.3443493687, -0.5145058973, 1e-10);
    for (int i = 0; i < 4; i++) {
        /* z = -1/m + 1/(1 + d m) */
        double complex left = -1.0 / m[i] + 1.0 / (1.0 + 0.5 * m[i]) - z[i];
        ck_assert(cabs(left) < ROUNDING && error[i] < ROUNDING && error[i] > 0.0);
    }
    nnd_dyson_free(p);
}
END_TEST

/* Edges s2 (1 -+ sqrt d)^2, and kappa = sqrt(difference)/(2 d z) from the closed density; D > N has
 * an atom. */
START_TEST(support_of_marchenko_pastur) {
    const double d[] = {0.5, 0.9, 1.0, 2.5}, s2[] = {1.0, 0.3, 2.0, 1.0};
    for (int i = 0; i < 4; i++) {
        nnd_dyson *p = plain(d[i], s2[i], false);
        nnd_dyson_support support;
        OK(nnd_dyson_support_find(ctx, p, 16, &support));
        double low = s2[i] * pow(1.0 - sqrt(d[i]), 2), high = s2[i] * pow(1.0 + sqrt(d[i]), 2);
        ck_assert_uint_eq(support.count, 1);
        const nnd_dyson_interval *x = support.interval;
        test_close("upper edge", x->high.z, high, ROUNDING);
        double kappa = sqrt(high - low) / (2.0 * s2[i] * d[i]);
        test_close("kappa", x->high.kappa, kappa / high, KAPPA);
        test_close("stated", x->high.kappa_error / x->high.kappa, 0.0, KAPPA);
        if (d[i] == 1.0)
            ck_assert(x->low.z == 0.0);
        else {
            test_close("lower edge", x->low.z, low, ROUNDING);
            test_close("kappa", x->low.kappa, kappa / low, KAPPA);
        }
        double atom = fmax(0.0, 1.0 - 1.0 / d[i]);
        ck_assert(fabs(support.atom - atom) <= 1e-10 && support.atom_error <= 1e-7);
        test_close("mass", x->mass, 1.0 - atom, 1e-10);
        nnd_dyson_support_clear(&support);
        nnd_dyson_free(p);
    }
}
END_TEST

/* Values of another program, to 8 digits; the distribution function ends at 1 and begins at 0. */
START_TEST(density_and_distribution_of_ratio_two_thirds) {
    const double z[] = {0.1, 0.5, 1.0, 2.0, 3.0, 4.0};
    const double pdf[] = {1.09978254, .54555566, .35588127, .19082007, .07502636, 0.0};
    const double cdf[] = {.07114487, .36975132, .5881608, .85147539, .98529589, 1.0};
    double density[6], error[6];
    nnd_dyson *p = plain(2.0 / 3.0, 1.0, false);
    nnd_dyson_support support;
    OK(nnd_dyson_density(ctx, p, 6, z, density, error));
    OK(nnd_dyson_support_find(ctx, p, 16, &support));
    for (int i = 0; i < 6; i++) {
        ck_assert(fabs(density[i] - pdf[i]) < 1e-8 && error[i] < ROUNDING);
        ck_assert(fabs(nnd_dyson_cdf(&support, z[i]) - cdf[i]) < 1e-8);
    }
    ck_assert(fabs(nnd_dyson_cdf(&support, 1e-3)) < 1e-8);
    nnd_dyson_support_clear(&support);
    nnd_dyson_free(p);
}
END_TEST

/* Mean s2, second moment s2^2 (1 + d), third s2^3 (1 + 3 d + d^2). */
START_TEST(moments_of_marchenko_pastur) {
    const double d = 0.7, s2 = 1.3;
    const double want[] = {s2, s2 * s2 * (1.0 + d), s2 * s2 * s2 * (1.0 + 3.0 * d + d * d)};
    nnd_dyson *p = plain(d, s2, false);
    for (int k = 1; k <= 3; k++) {
        double moment, error;
        OK(nnd_dyson_moment(ctx, p, k, &moment, &error));
        ck_assert(fabs(moment - want[k - 1]) <= error + 1e-9 * moment && error <= 1e-8 * moment);
    }
    nnd_dyson_free(p);
}
END_TEST

/* z = (1 + t^2)(d + t^2)/t^2 above the edge iff t^4 > d, overlap (1 - d/t^4)/(1 + d/t^2). */
START_TEST(spikes_of_marchenko_pastur) {
    const double d[] = {0.5, 0.5, 0.5, 2.0, 2.0}, t[] = {0.7, 1.2, 2.0, 1.1, 1.5};
    for (int i = 0; i < 5; i++) {
        nnd_dyson *p = plain(d[i], 1.0, true);
        nnd_dyson_outlier out = {0};
        size_t count;
        double t2 = t[i] * t[i];
        OK(nnd_dyson_outliers(ctx, p, t[i], 1, &out, &count));
        ck_assert_uint_eq(count, t2 * t2 > d[i] ? 1u : 0u);
        if (count > 0) {
            test_close("z", out.z, (1.0 + t2) * (d[i] + t2) / t2, ROUNDING);
            double overlap = (1.0 - d[i] / (t2 * t2)) / (1.0 + d[i] / t2);
            test_close("overlap", out.overlap, overlap, 1e-9);
            ck_assert(out.z_error <= 1e-12 * out.z && out.overlap_error <= 1e-6);
        }
        nnd_dyson_free(p);
    }
}
END_TEST

/* ---- other closed forms ---- */

/* Two square factors: w = -z m solves w^3 - z w + z = 0 (the Fuss-Catalan law), with the edge 27/4
 * and moments 1, 3, 12. */
START_TEST(product_of_two_square_matrices) {
    nnd_dyson *p = nnd_dyson_new();
    size_t n = nnd_dyson_space(p, 1.0), a = nnd_dyson_random(p, n, n, 1.0),
           b = nnd_dyson_random(p, n, n, 1.0), v = nnd_dyson_input(p, n),
           h = nnd_dyson_vector(p, n), u = nnd_dyson_output(p, n);
    nnd_dyson_add(p, h, 1.0, b, v);
    nnd_dyson_add(p, u, 1.0, a, h);
    const double complex z[] = {CMPLX(2.0, 1.0), CMPLX(0.1, 0.05), -3.0};
    double complex m[3];
    OK(nnd_dyson_stieltjes(ctx, p, 3, z, m, NULL));
    for (int i = 0; i < 3; i++) {
        double complex w = -z[i] * m[i];
        ck_assert(cabs(w * w * w - z[i] * w + z[i]) <= 1e-11 * cabs(z[i]));
    }
    nnd_dyson_edge edge;
    OK(nnd_dyson_upper_edge(ctx, p, &edge));
    test_close("edge", edge.z, 6.75, ROUNDING);
    const double want[] = {1.0, 3.0, 12.0};
    for (int k = 1; k <= 3; k++) {
        double moment, error;
        OK(nnd_dyson_moment(ctx, p, k, &moment, &error));
        test_close("moment", moment, want[k - 1], 1e-8);
    }
    nnd_dyson_free(p);
}
END_TEST

/* One matrix in two places is not two matrices: y = A A v, A square without symmetry, has the law
 * of two different ones; y = A A^T v = (A A^T) v has the squares of Marchenko-Pastur, edge 16. */
START_TEST(one_matrix_in_two_places) {
    for (int transposed = 0; transposed < 2; transposed++) {
        nnd_dyson *p = nnd_dyson_new();
        size_t n = nnd_dyson_space(p, 1.0), a = nnd_dyson_random(p, n, n, 1.0),
               v = nnd_dyson_input(p, n), h = nnd_dyson_vector(p, n), u = nnd_dyson_output(p, n);
        if (transposed == 0)
            nnd_dyson_add(p, h, 1.0, a, v);
        else
            nnd_dyson_add_transposed(p, h, 1.0, a, v);
        nnd_dyson_add(p, u, 1.0, a, h);
        nnd_dyson_edge edge;
        OK(nnd_dyson_upper_edge(ctx, p, &edge));
        test_close("edge", edge.z, transposed == 0 ? 6.75 : 16.0, ROUNDING);
        double moment, error; /* of (A A^T)^2: 2; of (A A)^T A A: 1 */
        OK(nnd_dyson_moment(ctx, p, 1, &moment, &error));
        test_close("mean", moment, transposed == 0 ? 1.0 : 2.0, 1e-8);
        nnd_dyson_free(p);
    }
}
END_TEST

/* Inverse: u with B^T (c v - B u) = 0, B of K x N, is c times the pseudo-inverse; the spectrum of
 * (B^T B)^-1 B^T has the inverse of Marchenko-Pastur's edge. */
START_TEST(unknowns_are_inverses) {
    const double k = 2.0;
    nnd_dyson *p = nnd_dyson_new();
    size_t n = nnd_dyson_space(p, 1.0), rows = nnd_dyson_space(p, k),
           b = nnd_dyson_random(p, rows, n, 1.0), v = nnd_dyson_input(p, rows),
           x = nnd_dyson_unknown(p, n), e = nnd_dyson_vector(p, rows), u = nnd_dyson_output(p, n);
    nnd_dyson_add(p, e, 1.0, NND_DYSON_IDENTITY, v);
    nnd_dyson_add(p, e, -1.0, b, x);
    nnd_dyson_add_transposed(p, x, 1.0, b, e);
    nnd_dyson_add(p, u, 1.0, NND_DYSON_IDENTITY, x);
    nnd_dyson_support support;
    OK(nnd_dyson_support_find(ctx, p, 16, &support));
    ck_assert_uint_eq(support.count, 1);
    test_close("upper", support.interval->high.z, 1.0 / pow(sqrt(k) - 1.0, 2), ROUNDING);
    test_close("lower", support.interval->low.z, 1.0 / pow(sqrt(k) + 1.0, 2), ROUNDING);
    test_close("atom", support.atom, 1.0 - 1.0 / k, 1e-9);
    nnd_dyson_support_clear(&support);
    nnd_dyson_free(p);
}
END_TEST

/* A fixed matrix with singular values 1 and 3 in equal parts, beside little noise: a bulk around
 * each, with half of the mass. */
START_TEST(fixed_matrix_splits_the_bulk) {
    const double s[] = {1.0, 3.0}, weight[] = {0.25, 0.25};
    nnd_dyson *p = nnd_dyson_new();
    size_t n = nnd_dyson_space(p, 1.0), d = nnd_dyson_space(p, 0.5),
           w = nnd_dyson_random(p, n, d, 0.01), f = nnd_dyson_fixed(p, n, d, 2, s, weight),
           v = nnd_dyson_input(p, d), u = nnd_dyson_output(p, n);
    nnd_dyson_add(p, u, 1.0, w, v);
    nnd_dyson_add(p, u, 1.0, f, v);
    nnd_dyson_support support;
    OK(nnd_dyson_support_find(ctx, p, 16, &support));
    ck_assert_uint_eq(support.count, 2);
    for (int i = 0; i < 2; i++) {
        const nnd_dyson_interval *x = &support.interval[i];
        test_close("mass", x->mass, 0.5, 1e-7);
        ck_assert(x->low.z < s[i] * s[i] && s[i] * s[i] < x->high.z);
    }
    /* mean: |S|^2/D + variance */
    double moment, error;
    OK(nnd_dyson_moment(ctx, p, 1, &moment, &error));
    test_close("mean", moment, 5.0 + 0.01, 1e-8);
    nnd_dyson_support_clear(&support);
    nnd_dyson_free(p);
}
END_TEST

/* A variance of 0 leaves the fixed matrix alone: m = sum of weights/(s^2 - z). */
START_TEST(fixed_matrix_alone) {
    const double s[] = {0.5, 1.0, 2.0}, weight[] = {0.2, 0.3, 0.1}, d = 0.8;
    nnd_dyson *p = nnd_dyson_new();
    size_t n = nnd_dyson_space(p, 1.0), inputs = nnd_dyson_space(p, d),
           f = nnd_dyson_fixed(p, n, inputs, 3, s, weight), v = nnd_dyson_input(p, inputs),
           h = nnd_dyson_vector(p, n), u = nnd_dyson_output(p, n);
    nnd_dyson_add(p, h, 0.5, f, v); /* in two places */
    nnd_dyson_add(p, u, 1.0, NND_DYSON_IDENTITY, h);
    nnd_dyson_add(p, u, 0.5, f, v);
    const double complex z[] = {CMPLX(2.0, 1.0), CMPLX(0.3, 0.2), -1.0};
    double complex m[3];
    OK(nnd_dyson_stieltjes(ctx, p, 3, z, m, NULL));
    for (int i = 0; i < 3; i++) {
        double complex want = -(d - 0.6) / d / z[i];
        for (int k = 0; k < 3; k++)
            want += weight[k] / d / (s[k] * s[k] - z[i]);
        ck_assert(cabs(m[i] - want) <= ROUNDING * cabs(want));
    }
    nnd_dyson_free(p);
}
END_TEST

/* ---- solution ---- */

/* What a state says of itself: the branch, the start, the residual. Back and forth is the same. */
START_TEST(states_report) {
    nnd_dyson *p = plain(0.5, 1.0, false);
    nnd_dyson_state *state = NULL;
    OK(nnd_dyson_start(ctx, p, &state));
    nnd_dyson_report report = nnd_dyson_report_of(state);
    ck_assert(report.asymptotic > 0.0 && report.asymptotic <= 0.25);
    OK(nnd_dyson_move(ctx, state, CMPLX(1.1, 0.0)));
    report = nnd_dyson_report_of(state);
    double complex first = nnd_dyson_element(state, 0, 0);
    ck_assert(report.residual < ROUNDING && report.change < ROUNDING && report.least > 0.0);
    ck_assert(nnd_dyson_element(state, 0, 1) == 0.0);
    OK(nnd_dyson_move(ctx, state, CMPLX(0.0, 3.0)));
    OK(nnd_dyson_move(ctx, state, CMPLX(2.5, 0.0))); /* outside */
    ck_assert(cimag(nnd_dyson_element(state, 0, 0)) == 0.0);
    OK(nnd_dyson_move(ctx, state, CMPLX(1.1, 0.0)));
    ck_assert(cabs(nnd_dyson_element(state, 0, 0) - first) < ROUNDING);
    ck_assert(nnd_dyson_place(state) == 1.1);
    ck_assert_int_eq(nnd_dyson_move(ctx, state, CMPLX(1.0, -1.0)), NND_E_INPUT);
    nnd_dyson_state_free(state);
    nnd_dyson_free(p);
}
END_TEST

/* Towards an edge the density falls like the root of the distance, with kappa. */
START_TEST(density_near_an_edge) {
    nnd_dyson *p = plain(0.5, 1.0, false);
    nnd_dyson_edge edge;
    OK(nnd_dyson_upper_edge(ctx, p, &edge));
    for (double away = 1e-2; away > 1e-9; away *= 0.1) {
        double z = edge.z - away, density;
        OK(nnd_dyson_density(ctx, p, 1, &z, &density, NULL));
        /* the next order is relative to the distance, and the place of the edge to rounding */
        test_close("root", density * M_PI / sqrt(away), edge.kappa, away + 1e-6);
    }
    nnd_dyson_free(p);
}
END_TEST

/* ---- descriptions that make no sense ---- */

static void refused(nnd_dyson *p, const char *with) {
    double complex m;
    const double complex z = I;
    ck_assert_int_eq(nnd_dyson_stieltjes(ctx, p, 1, &z, &m, NULL), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), with) != NULL, "'%s' does not say '%s'",
                  nnd_context_message(ctx), with);
    nnd_dyson_free(p);
}

START_TEST(descriptions_are_checked) {
    const double s[] = {1.0}, much[] = {0.7};
    refused(nnd_dyson_new(), "not said which blocks");
    nnd_dyson *p = plain(0.5, 1.0, false);
    (void)nnd_dyson_space(p, -1.0);
    refused(p, "dimension of a space is -1");
    p = plain(0.5, 1.0, false);
    nnd_dyson_enter(p, 0, 0, 0, 1.0);
    refused(p, "does not fit");
    p = plain(0.5, 1.0, false);
    nnd_dyson_couple(p, 0, 1, 1.0);
    refused(p, "different spaces");
    p = plain(0.5, 1.0, false);
    nnd_dyson_add(p, 0, 1.0, 5, 0);
    refused(p, "no vector");
    p = plain(0.5, -1.0, false);
    refused(p, "variance is -1");
    p = plain(0.5, 1.0, false);
    (void)nnd_dyson_fixed(p, 0, 1, 1, s, much);
    refused(p, "weights of singular values sum to 0.7; there are 0.5");
    p = plain(0.5, 1.0, true);
    (void)nnd_dyson_fixed(p, 0, 1, 1, s, s);
    refused(p, "already");
    p = plain(0.5, 1.0, false);
    (void)nnd_dyson_output(p, 0);
    refused(p, "one output");
    nnd_dyson_outlier out;
    size_t count;
    p = plain(0.5, 1.0, false);
    ck_assert_int_eq(nnd_dyson_outliers(ctx, p, 1.0, 1, &out, &count), NND_E_INPUT);
    nnd_dyson_free(p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dyson");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, transform_of_marchenko_pastur);
    tcase_add_test(all, support_of_marchenko_pastur);
    tcase_add_test(all, density_and_distribution_of_ratio_two_thirds);
    tcase_add_test(all, moments_of_marchenko_pastur);
    tcase_add_test(all, spikes_of_marchenko_pastur);
    tcase_add_test(all, product_of_two_square_matrices);
    tcase_add_test(all, one_matrix_in_two_places);
    tcase_add_test(all, unknowns_are_inverses);
    tcase_add_test(all, fixed_matrix_splits_the_bulk);
    tcase_add_test(all, fixed_matrix_alone);
    tcase_add_test(all, states_report);
    tcase_add_test(all, density_near_an_edge);
    tcase_add_test(all, descriptions_are_checked);
    suite_add_tcase(suite, all);
    return test_main(suite);
}
