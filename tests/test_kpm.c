/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectral estimation without decomposition: KPM and SLQ, against exact laws and exact moments. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "nndmft/solvers/kpm.h"
#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/solvers/slq.h"
#include "support.h"
#include "with_context.h"

/* ---- exact moments ---- */

/* Moments of the law of ratio 1/2 on [0, 3] by midpoints in the angle of its support, exact to
 * rounding: the integrand has poles at |Im| = log sqrt 2. */
static void exact_moments(size_t count, double *moment) {
    enum { NODES = 4000 };
    double a = nnd_mp_lower(0.5, 1.0), b = nnd_mp_upper(0.5, 1.0);
    for (size_t k = 0; k < count; k++)
        moment[k] = 0.0;
    for (int i = 0; i < NODES; i++) {
        double x = M_PI * (i + 0.5) / NODES, z = 0.5 * (a + b) - 0.5 * (b - a) * cos(x);
        double mass = M_PI / NODES * 0.5 * (b - a) * sin(x) * nnd_mp_density(0.5, 1.0, z);
        double theta = acos((z - 1.5) / 1.5);
        for (size_t k = 0; k < count; k++)
            moment[k] += mass * cos((double)k * theta);
    }
}

static double l1_error(size_t moments, nnd_kpm_curve *curve) {
    double *moment = calloc(moments, sizeof *moment), sum = 0.0;
    exact_moments(moments, moment);
    nnd_kpm kpm = {0.0, 3.0, moments, 1, moment, NULL};
    size_t count = 4 * moments;
    ck_assert_int_eq(nnd_kpm_curve_make(ctx, &kpm, moments, count, curve), NND_OK);
    for (size_t j = 0; j < count; j++) {
        double dz = 1.5 * sin(M_PI * ((double)j + 0.5) / (double)count) * M_PI / (double)count;
        sum += dz * fabs(curve->density[j] - nnd_mp_density(0.5, 1.0, curve->z[j]));
    }
    free(moment);
    return sum;
}

/* Numbers of another program, to the digits that it printed. The points are counted from the upper
 * end there. */
START_TEST(density_of_exact_moments) {
    static const double mu[] = {1.0, -1.0 / 3.0, -1.0 / 3.0, 0.25925926, -0.18518519};
    static const double want[][3] = {
        {64, 2.55413212, 0.11783525}, {128, 1.49079617, 0.30190110}, {192, 0.43285171, 0.68082667}};
    double moment[5];
    nnd_kpm_curve curve;
    exact_moments(5, moment);
    for (size_t k = 0; k < 5; k++)
        ck_assert_double_eq_tol(moment[k], mu[k], 5e-9);
    ck_assert_double_eq_tol(l1_error(64, &curve), 0.01400, 5e-6);
    for (size_t i = 0; i < 3; i++) {
        size_t j = 255 - (size_t)want[i][0];
        ck_assert_double_eq_tol(curve.z[j], want[i][1], 5e-9);
        ck_assert_double_eq_tol(curve.density[j], want[i][2], 5e-9);
    }
    nnd_kpm_curve_clear(&curve);
}
END_TEST

/* O(K^(-3/2)): 8 from K to 4 K, and what is left of lower orders. */
START_TEST(error_falls_with_the_moments) {
    static const double want[] = {0.00189, 0.000235};
    nnd_kpm_curve curve;
    double error[2];
    for (size_t i = 0; i < 2; i++) {
        error[i] = l1_error((size_t)256 << 2 * i, &curve);
        ck_assert_double_eq_tol(error[i], want[i], 0.5e-5);
        nnd_kpm_curve_clear(&curve);
    }
    ck_assert_double_eq_tol(log2(error[0] / error[1]) / 2.0, 1.5, 0.05);
}
END_TEST

/* The transforms and the plain sums are two ways to the same curve; the share is its integral. */
START_TEST(curve_and_points_agree) {
    double *moment = calloc(128, sizeof *moment), density[2], share[2], damping[128];
    nnd_kpm_curve curve;
    exact_moments(64, moment);
    exact_moments(64, moment + 64);
    moment[66] *= 0.9;
    nnd_kpm kpm = {0.0, 3.0, 64, 2, moment, damping};
    for (size_t k = 0; k < 64; k++) {
        double x = M_PI * (double)k / 65.0;
        damping[k] = ((65.0 - (double)k) * cos(x) + sin(x) / tan(M_PI / 65.0)) / 65.0;
    }
    ck_assert_int_eq(nnd_kpm_curve_make(ctx, &kpm, 64, 4096, &curve), NND_OK);
    double area = 0.0;
    for (size_t j = 0; j < curve.count; j++) {
        double dz = 1.5 * sin(M_PI * ((double)j + 0.5) / 4096.0) * M_PI / 4096.0;
        area += 0.5 * dz * curve.density[j];
        if (j % 100 == 50) {
            nnd_kpm_at(&kpm, curve.z[j], density, share);
            ck_assert_double_eq_tol(density[0], curve.density[j], 1e-11);
            ck_assert_double_eq_tol(density[1], curve.density_se[j], 1e-7);
            ck_assert_double_eq_tol(share[0], curve.share[j], 1e-12);
            ck_assert_double_eq_tol(share[1], curve.share_se[j], 1e-8);
            /* Midpoints: h^2/24 times the change of the density, < 10 here. */
            ck_assert_double_eq_tol(share[0], area, 1e-6);
        }
        area += 0.5 * dz * curve.density[j];
    }
    nnd_kpm_at(&kpm, 3.5, density, share);
    ck_assert_double_eq(density[0], 0.0);
    ck_assert_double_eq_tol(share[0], 1.0, 1e-14);
    nnd_kpm_curve_clear(&curve);
    free(moment);
}
END_TEST

/* ---- random matrices ---- */

enum { N = 400 };
typedef struct {
    double a[N * N], eigenvalue[N];
} symmetric;

/* X^T X/(2 N), X with 2 N rows: ratio 1/2. */
static symmetric *wishart(void) {
    symmetric *s = calloc(1, sizeof *s);
    double *x = calloc(2 * N * N, sizeof *x), *copy = calloc(N * N, sizeof *copy);
    nnd_rng_normals((nnd_rng_key){1, 2, N}, 0, 0, 2 * N * N, x);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, N, N, 2 * N, 0.5 / N, x, N, x, N, 0.0,
                s->a, N);
    cblas_dcopy(N * N, s->a, 1, copy, 1);
    ck_assert_int_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', N, copy, N, s->eigenvalue), 0);
    free(x);
    free(copy);
    return s;
}

static void apply(void *data, size_t count, const double *x, double *y) {
    const symmetric *s = data;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, N, N, 1.0, x, N, s->a, N,
                0.0, y, N);
}

static void apply_one(void *data, const double *x, double *y) {
    apply(data, 1, x, y);
}

static double chebyshev(double z, void *data) {
    return cos(*(double *)data * acos((z - 1.5) / 1.5));
}

/* Mean of T_k over the eigenvalues. */
static double moment_of(const symmetric *s, double k) {
    double sum = 0.0;
    for (size_t i = 0; i < N; i++)
        sum += chebyshev(s->eigenvalue[i], &k) / N;
    return sum;
}

static double mean_over(size_t count, size_t stride, const double *x, double *se) {
    double sum = 0.0, square = 0.0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        sum += x[i * stride] / n;
        square += x[i * stride] * x[i * stride] / n;
    }
    *se = sqrt(fmax(0.0, square - sum * sum) / (n - 1.0));
    return sum;
}

/* Of 40 moments by 20 probes: 5 standard errors, and the errors have the size that they should,
 * sqrt(2/(N probes)) times the root of the mean of T_k^2, 1/2, within what 20 probes say of it. */
START_TEST(moments_are_those_of_the_eigenvalues) {
    enum { PROBES = 20, MOMENTS = 40 };
    symmetric *s = wishart();
    nnd_kpm kpm;
    nnd_kpm_task task = {N, apply, s, 0.0, 3.0, MOMENTS, PROBES, 7};
    double ratio = 0.0;
    ck_assert_int_eq(nnd_kpm_run(ctx, &task, &kpm), NND_OK);
    for (size_t k = 0; k < MOMENTS; k++) {
        double se, got = mean_over(PROBES, MOMENTS, kpm.moment + k, &se);
        double want = moment_of(s, (double)k);
        ck_assert_msg(fabs(got - want) <= 5.0 * se + 1e-12, "moment %zu: want %g, got %g +- %g", k,
                      want, got, se);
        if (k >= 10)
            ratio += se / sqrt(1.0 / (N * PROBES)) / (MOMENTS - 10);
    }
    ck_assert_double_eq_tol(ratio, 1.0, 0.2);
    nnd_kpm_clear(&kpm);
    task.upper = 2.5;
    ck_assert_int_eq(nnd_kpm_run(ctx, &task, &kpm), NND_E_UNSOLVED);
    task.moments = 1;
    ck_assert_int_eq(nnd_kpm_run(ctx, &task, &kpm), NND_E_INPUT);
    free(s);
}
END_TEST

/* Share of the eigenvalues up to z. */
static double share_of(const symmetric *s, double z) {
    double count = 0.0;
    for (size_t i = 0; i < N; i++)
        count += s->eigenvalue[i] <= z;
    return count / N;
}

/* Both shares against the eigenvalues: 5 standard errors, and the smoothing: of the kernel, half an
 * eigenvalue for 1000 moments, and of the rule, half a mean weight. */
START_TEST(shares_are_those_of_the_eigenvalues) {
    enum { PROBES = 16, STEPS = 100 };
    symmetric *s = wishart();
    nnd_kpm kpm;
    nnd_slq slq;
    nnd_kpm_task kpm_task = {N, apply, s, 0.0, 3.0, 1000, PROBES, 7};
    nnd_slq_task slq_task = {N, apply_one, s, STEPS, PROBES, 7};
    ck_assert_int_eq(nnd_kpm_run(ctx, &kpm_task, &kpm), NND_OK);
    ck_assert_int_eq(nnd_slq_run(ctx, &slq_task, &slq), NND_OK);
    for (double z = 0.1; z < 3.0; z += 0.1) {
        double want = share_of(s, z), density[2], share[2], rule[2];
        nnd_kpm_at(&kpm, z, density, share);
        nnd_slq_share(&slq, z, rule);
        ck_assert_msg(fabs(share[0] - want) <= 5.0 * share[1] + 1.0 / N, "KPM at %g: %g for %g", z,
                      share[0], want);
        ck_assert_msg(fabs(rule[0] - want) <= 5.0 * rule[1] + 0.5 / STEPS, "SLQ at %g: %g for %g",
                      z, rule[0], want);
    }
    nnd_kpm_clear(&kpm);
    nnd_slq_clear(&slq);
    free(s);
}
END_TEST

/* Rules are exact up to degree 2 steps - 1; of a probe, not of the trace. The largest node is the
 * largest eigenvalue long before the space is exhausted. */
START_TEST(rules_are_exact_for_polynomials) {
    enum { STEPS = 12, PROBES = 16 };
    symmetric *s = wishart();
    nnd_slq few, many;
    nnd_slq_task task = {N, apply_one, s, STEPS, PROBES, 7};
    double a[2], b[2];
    ck_assert_int_eq(nnd_slq_run(ctx, &task, &few), NND_OK);
    task.steps = 120;
    ck_assert_int_eq(nnd_slq_run(ctx, &task, &many), NND_OK);
    for (double k = 0.0; k < 2.0 * STEPS; k++) {
        nnd_slq_mean(&few, chebyshev, &k, a);
        nnd_slq_mean(&many, chebyshev, &k, b);
        ck_assert_double_eq_tol(a[0], b[0], 1e-12);
        ck_assert_msg(fabs(a[0] - moment_of(s, k)) <= 5.0 * a[1] + 1e-12, "moment %g", k);
    }
    double k = 2.0 * STEPS;
    nnd_slq_mean(&few, chebyshev, &k, a);
    nnd_slq_mean(&many, chebyshev, &k, b);
    ck_assert(fabs(a[0] - b[0]) > 1e-6);
    for (size_t p = 0; p < PROBES; p++)
        test_close("largest", many.node[p * 120 + many.count[p] - 1], s->eigenvalue[N - 1], 1e-12);
    nnd_slq_clear(&few);
    nnd_slq_clear(&many);
    free(s);
}
END_TEST

/* Two distinct eigenvalues: the space of a probe has two dimensions. */
static void apply_two(void *data, const double *x, double *y) {
    (void)data;
    for (size_t i = 0; i < N; i++)
        y[i] = i < N / 4 ? 3.0 * x[i] : x[i];
}

START_TEST(spaces_are_exhausted) {
    nnd_slq slq;
    nnd_slq_task task = {N, apply_two, NULL, 50, 2, 7};
    double share[2];
    ck_assert_int_eq(nnd_slq_run(ctx, &task, &slq), NND_OK);
    for (size_t p = 0; p < 2; p++) {
        ck_assert_uint_eq(slq.count[p], 2);
        test_close("small", slq.node[p * slq.steps], 1.0, 1e-12);
        test_close("large", slq.node[p * slq.steps + 1], 3.0, 1e-12);
    }
    nnd_slq_share(&slq, 3.1, share);
    ck_assert_double_eq_tol(share[0], 1.0, 1e-12);
    nnd_slq_clear(&slq);
}
END_TEST

static double *moments_with(int threads) {
    nnd_context *own = nnd_context_new(&(nnd_context_options){.threads = threads});
    symmetric *s = wishart();
    nnd_kpm kpm;
    nnd_kpm_task task = {N, apply, s, 0.0, 3.0, 30, 40, 7};
    ck_assert_int_eq(nnd_kpm_run(own, &task, &kpm), NND_OK);
    free(s);
    nnd_context_free(own);
    return kpm.moment;
}

START_TEST(threads_change_no_bit) {
    double *one = moments_with(1), *three = moments_with(3);
    for (size_t i = 0; i < 40 * 30; i++)
        ck_assert(one[i] == three[i]);
    free(one);
    free(three);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kpm");
    TCase *tests = tcase_create("kpm");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, density_of_exact_moments);
    tcase_add_test(tests, error_falls_with_the_moments);
    tcase_add_test(tests, curve_and_points_agree);
    tcase_add_test(tests, moments_are_those_of_the_eigenvalues);
    tcase_add_test(tests, shares_are_those_of_the_eigenvalues);
    tcase_add_test(tests, rules_are_exact_for_polynomials);
    tcase_add_test(tests, spaces_are_exhausted);
    tcase_add_test(tests, threads_change_no_bit);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
