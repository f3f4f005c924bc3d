/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra of matrices whose variances depend on classes of rows and columns: against sample
 * covariances, their own transposes, masses, and the reference case of finitely many samples. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/covariance.h"
#include "nndmft/solvers/variance_profile.h"
#include "solvers/cmplx.h"
#include "support.h"

/* Newton's method ends at 1e-9 squared; two routes differ by rounding of some tens of terms. */
static const double ROUNDING = 1e-11, PRINTED = 1e-9;
enum { POINTS = 48 };

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

static nnd_variance_profile *profile_of(nnd_context *ctx, const nnd_variances *x) {
    nnd_variance_profile *p;
    ck_assert_int_eq(nnd_variance_profile_new(ctx, x, &p), NND_OK);
    return p;
}

static nnd_edges edges_of(nnd_context *ctx, nnd_variance_profile *p) {
    nnd_edges edges;
    ck_assert_msg(nnd_variance_profile_edges(ctx, p, POINTS, &edges) == NND_OK, "%s",
                  nnd_context_message(ctx));
    return edges;
}

/* One class of columns is a sample covariance, whose edges come by another way. */
START_TEST(classes_of_rows_alone_are_a_population) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double s[] = {0.1, 2.0, 9.0}, h[] = {0.5, 0.3, 0.2}, one = 1.0;
    static const double ratio[] = {0.3, 1.0, 8.0, 30.0};
    static const size_t end[] = {1, 2, 3};
    for (int i = 0; i < 4; i++) {
        nnd_variance_profile *p = profile_of(ctx, &(nnd_variances){3, 1, s, h, &one, ratio[i]});
        const nnd_covariance law = {3, s, h, 3, end, ratio[i]};
        nnd_edges got = edges_of(ctx, p), want;
        ck_assert_int_eq(nnd_covariance_edges(ctx, &law, &want), NND_OK);
        ck_assert_uint_eq(got.count, want.count);
        for (size_t e = 0; e < want.count; e++) {
            near("edge", got.edge[e].z, want.edge[e].z, ROUNDING * want.edge[e].z);
            near("kappa", got.edge[e].kappa, want.edge[e].kappa, got.edge[e].kappa_error);
            near("mass", got.edge[e].mass, want.edge[e].mass, ROUNDING);
            ck_assert_int_eq(got.edge[e].upper, want.edge[e].upper);
        }
        static const double complex z[] = {CMPLX(2.0, 1.0), CMPLX(0.3, 0.01), -1.0};
        for (int k = 0; k < 3; k++) {
            double complex a, b;
            ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, p, z[k], &a), NND_OK);
            ck_assert_int_eq(nnd_covariance_stieltjes(ctx, &law, z[k], &b), NND_OK);
            near("m", cabs(a - b), 0.0, ROUNDING);
        }
        double at[POINTS], rho[2][POINTS], cdf[2][POINTS];
        for (int k = 0; k < POINTS; k++)
            at[k] = 40.0 * (k + 0.5) / POINTS;
        ck_assert_int_eq(nnd_variance_profile_density(ctx, p, &got, POINTS, at, rho[0], cdf[0]),
                         NND_OK);
        ck_assert_int_eq(nnd_covariance_density(ctx, &law, &want, POINTS, at, rho[1], cdf[1]),
                         NND_OK);
        for (int k = 0; k < POINTS; k++) {
            near("density", rho[0][k], rho[1][k], ROUNDING);
            near("distribution", cdf[0][k], cdf[1][k], ROUNDING);
        }
        nnd_edges_clear(&got);
        nnd_edges_clear(&want);
        nnd_variance_profile_free(p);
    }
    nnd_context_free(ctx);
}
END_TEST

/* W W^T has the eigenvalues of W^T W and others that are 0: D m(z) = N m_N(z) + (N - D)/z. Rows
 * and columns that are 0 are so many zeros more. */
START_TEST(a_transpose_has_the_same_spectrum) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double f[] = {4.0, 1.0, 0.0, 0.5, 7.0, 0.0};
    static const double w[] = {0.4, 0.6}, x[] = {0.25, 0.35, 0.4};
    static const double ratio[] = {0.4, 2.5, 60.0};
    for (int i = 0; i < 3; i++) {
        double d = ratio[i], turned[6];
        for (int k = 0; k < 6; k++)
            turned[k % 3 * 2 + k / 3] = d * f[k]; /* variances over D */
        nnd_variance_profile *a = profile_of(ctx, &(nnd_variances){2, 3, f, w, x, d});
        nnd_variance_profile *b = profile_of(ctx, &(nnd_variances){3, 2, turned, x, w, 1.0 / d});
        double complex z = CMPLX(1.0, 0.3), m, m_n;
        ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, a, z, &m), NND_OK);
        ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, b, z, &m_n), NND_OK);
        near("m", cabs(d * m - m_n - (1.0 - d) / z), 0.0, ROUNDING * d);
        nnd_edges e = edges_of(ctx, a), t = edges_of(ctx, b);
        ck_assert_uint_eq(e.count, t.count);
        near("rank", e.edge[0].mass, fmin(0.6, 1.0 / d), ROUNDING);
        for (size_t k = 0; k < e.count; k++) {
            near("edge", e.edge[k].z, t.edge[k].z, ROUNDING * e.edge[k].z);
            near("mass", d * e.edge[k].mass, t.edge[k].mass, ROUNDING * d);
        }
        nnd_edges_clear(&e);
        nnd_edges_clear(&t);
        nnd_variance_profile_free(a);
        nnd_variance_profile_free(b);
    }
    nnd_context_free(ctx);
}
END_TEST

/* The distribution is the integral of the density, and rises by what the edges say. */
START_TEST(masses_of_bulks_are_those_beyond_their_edges) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double f[] = {0.2, 0.3, 0.1, 60.0}, w[] = {0.9, 0.1}, x[] = {0.5, 0.5};
    nnd_variance_profile *p = profile_of(ctx, &(nnd_variances){2, 2, f, w, x, 0.8});
    nnd_edges e = edges_of(ctx, p);
    ck_assert_uint_eq(e.count, 4);
    for (size_t b = 0; b < 4; b += 2) {
        enum { N = 256 };
        double z[N], rho[N], cdf[N], sum = 0.0, from = e.edge[b].z, to = e.edge[b + 1].z;
        for (int i = 0; i < N; i++)
            z[i] = 0.5 * (from + to) - 0.5 * (to - from) * cos((i + 0.5) * M_PI / N);
        ck_assert_int_eq(nnd_variance_profile_density(ctx, p, &e, N, z, rho, cdf), NND_OK);
        for (int i = 0; i < N; i++)
            sum += rho[i] * 0.5 * (to - from) * sin((i + 0.5) * M_PI / N) * M_PI / N;
        near("mass", sum, e.edge[b].mass - (b == 0 ? e.edge[2].mass : 0.0), 1e-9);
        /* What lies beyond the last nodes is of order (kappa/pi) (2/3) (distance)^{3/2}. */
        double left = z[0] - from, right = to - z[N - 1];
        double beyond = (e.edge[b].kappa * pow(left, 1.5) + e.edge[b + 1].kappa * pow(right, 1.5)) *
                        2.0 / (3.0 * M_PI);
        near("rise", cdf[N - 1] - cdf[0], sum - beyond, 0.1 * beyond);
    }
    nnd_edges_clear(&e);
    nnd_variance_profile_free(p);
    nnd_context_free(ctx);
}
END_TEST

/* Each class in several parts, of unequal weight, leaves the rank as it is; and variances of very
 * different sizes are all met. */
START_TEST(classes_that_are_alike_are_one) {
    enum { ROWS = 5, COLS = 3, PARTS = 7 };
    nnd_context *ctx = nnd_context_new(NULL);
    static const double w[] = {0.1, 0.2, 0.15, 0.25, 0.3}, x[] = {0.5, 0.2, 0.3};
    static const double size[] = {1e-9, 1.0, 30.0, 1e-4, 0.0};
    double few[ROWS * COLS], many[ROWS * COLS * PARTS * PARTS], share[2][ROWS * PARTS];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++)
            few[i * COLS + j] = size[i] * (1.0 + sin(3.0 * i + 5.0 * j));
    for (int i = 0; i < ROWS * PARTS; i++)
        for (int j = 0; j < COLS * PARTS; j++)
            many[i * COLS * PARTS + j] = few[i % ROWS * COLS + j % COLS];
    for (int i = 0; i < ROWS * PARTS; i++)
        share[0][i] = w[i % ROWS] * (1.0 + (double)(i / ROWS)) * 2.0 / (PARTS * (PARTS + 1.0));
    for (int j = 0; j < COLS * PARTS; j++)
        share[1][j] = x[j % COLS] / PARTS;
    for (int k = 0; k < 2; k++) {
        double d = k == 0 ? 0.5 : 3.0;
        nnd_variance_profile *a = profile_of(ctx, &(nnd_variances){ROWS, COLS, few, w, x, d});
        nnd_variance_profile *b = profile_of(
            ctx, &(nnd_variances){ROWS * PARTS, COLS * PARTS, many, share[0], share[1], d});
        double complex z = CMPLX(1.0, 0.3), one, other;
        ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, a, z, &one), NND_OK);
        ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, b, z, &other), NND_OK);
        near("m", cabs(one - other), 0.0, ROUNDING);
        nnd_edges e = edges_of(ctx, a), t = edges_of(ctx, b);
        ck_assert_uint_eq(e.count, t.count);
        for (size_t i = 0; i < e.count; i++) {
            near("edge", t.edge[i].z, e.edge[i].z, ROUNDING * e.edge[i].z);
            near("kappa", t.edge[i].kappa, e.edge[i].kappa,
                 t.edge[i].kappa_error + e.edge[i].kappa_error);
            near("mass", t.edge[i].mass, e.edge[i].mass, ROUNDING);
        }
        nnd_edges_clear(&e);
        nnd_edges_clear(&t);
        nnd_variance_profile_free(a);
        nnd_variance_profile_free(b);
    }
    nnd_context_free(ctx);
}
END_TEST

/* many-outputs.md#s8, R6: K nodes of both laws, and the null mass corrected as in
 * many-outputs.md#eq1. */
typedef struct {
    double f[49 * 49], lambda[48], mu[48], w[49], x[49];
} samples;

static nnd_variances reference(size_t k, samples *y) {
    const double c = 0.5, d = 0.8, p = 1.5, gamma2 = 2.25, noise = 0.3;
    double null_w = 1.0, null_x = 1.0;
    nnd_bulk_rule(c, k, y->lambda, y->w);
    nnd_bulk_rule(d / p, k, y->mu, y->x);
    for (size_t i = 0; i < k; i++) {
        y->x[i] *= p / d;
        null_w -= y->w[i];
        null_x -= y->x[i];
    }
    y->w[k] = null_w;
    y->x[k] = null_x;
    for (size_t i = 0; i <= k; i++)
        for (size_t j = 0; j <= k; j++) {
            double q = i < k && j < k ? pow(1.0 - 0.2 * y->lambda[i] * y->mu[j], 3.0) : 1.0;
            double learned = i < k && j < k ? gamma2 * (1.0 - q) * (1.0 - q) / y->lambda[i] *
                                                  (1.0 / d + noise / (p * y->mu[j]))
                                            : 0.0;
            y->f[i * (k + 1) + j] = q * q + learned;
        }
    return (nnd_variances){k + 1, k + 1, y->f, y->w, y->x, d};
}

START_TEST(R6_finitely_many_samples_are_met) {
    nnd_context *ctx = nnd_context_new(NULL);
    samples *y = calloc(1, sizeof *y);
    double error[2];
    static const size_t nodes[] = {8, 12, 24};
    for (int i = 0; i < 3; i++) {
        nnd_variances x = reference(nodes[i], y);
        nnd_variance_profile *p = profile_of(ctx, &x);
        double complex m, n;
        ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, p, CMPLX(3.0, 1.0), &m), NND_OK);
        ck_assert_int_eq(nnd_variance_profile_stieltjes(ctx, p, CMPLX(1.0, 0.2), &n), NND_OK);
        double off = cabs(m - CMPLX(-0.3322289527, 0.2925911175)) +
                     cabs(n - CMPLX(-0.3553521410, 0.9352060982));
        if (i < 2)
            error[i] = off;
        else {
            near("m", off, 0.0, PRINTED);
            nnd_edges e = edges_of(ctx, p);
            near("edge", e.edge[1].z, 3.998114352, PRINTED);
            nnd_edges_clear(&e);
        }
        nnd_variance_profile_free(p);
    }
    /* Nodes converge exponentially: half as many again gain a factor that no power would. */
    ck_assert_msg(error[1] < 0.05 * error[0], "%g then %g", error[0], error[1]);
    free(y);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_matrix_of_zeros_is_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double zero = 0.0, one = 1.0;
    nnd_variance_profile *p;
    ck_assert_int_eq(
        nnd_variance_profile_new(ctx, &(nnd_variances){1, 1, &zero, &one, &one, 1.0}, &p),
        NND_E_INPUT);
    ck_assert_ptr_null(p);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("variance_profile");
    TCase *tests = tcase_create("variance_profile");
    tcase_add_test(tests, classes_of_rows_alone_are_a_population);
    tcase_add_test(tests, a_transpose_has_the_same_spectrum);
    tcase_add_test(tests, masses_of_bulks_are_those_beyond_their_edges);
    tcase_add_test(tests, classes_that_are_alike_are_one);
    tcase_add_test(tests, R6_finitely_many_samples_are_met);
    tcase_add_test(tests, a_matrix_of_zeros_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
