/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ridge regression on inputs of uneven lengths: against even ones, a closed form, and regressions
 * that are made. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/solvers/uneven_ridge.h"
#include "support.h"

enum { D = 96, SETS = 60, MOST = 4 * D, KINDS = 4 };

/* Kinds of inputs, by their squares along the eigenvectors: all alike; two short ones and a long
 * one; and four of different lengths that each have more of half the directions. */
typedef enum { EVEN, LENGTHS, DIRECTIONS } unevenness;

static double square_of(unevenness how, size_t kind, size_t k) {
    static const double lengths[] = {0.25, 0.25, 2.5};
    static const double directions[KINDS][2] = {{2.6, 0.2}, {0.2, 0.8}, {0.8, 2.6}, {0.4, 0.4}};
    return how == EVEN ? 1.0 : how == LENGTHS ? lengths[kind] : directions[kind][k % 2];
}

static size_t kinds_of(unevenness how) {
    return how == LENGTHS ? 3 : KINDS;
}

static nnd_pair_overlaps solve(const nnd_eigenmodes *modes, const nnd_pair_task *task,
                               unevenness how, double lambda) {
    static double square[KINDS * 128];
    for (size_t i = 0; i < kinds_of(how); i++)
        for (size_t k = 0; k < modes->count; k++)
            square[i * modes->count + k] = square_of(how, i, k);
    nnd_context *ctx = nnd_context_new(NULL);
    const nnd_input_squares inputs = {kinds_of(how), square, NULL};
    nnd_pair_overlaps o;
    ck_assert_int_eq(nnd_pair_ridge_uneven(ctx, modes, task, &inputs, lambda, &o), NND_OK);
    nnd_context_free(ctx);
    return o;
}

/* The iteration ends at changes of 1e-12, what remains is that over its distance to the threshold.
 */
static const double SOLVER_RTOL = 1e-10;

START_TEST(even_inputs_are_normal_ones) {
    const double s[] = {3.0, 1.0, 0.2, 0.01}, b2[] = {1.0, 0.5, 2.0, 1.0}, n[] = {1, 1, 1, 1};
    const nnd_eigenmodes modes = {4, s, n, b2};
    for (int i = 0; i < 16; i++) {
        nnd_pair_task task = {.samples = i & 1 ? 2.5 : 9.0,
                              .label_noise = 0.7,
                              .noise_correlation = i & 2 ? 0.3 : 0.0,
                              .independent = (i & 4) != 0};
        double lambda = i & 8 ? 0.05 : 0.0;
        nnd_pair_overlaps want, got = solve(&modes, &task, EVEN, lambda);
        nnd_pair_ridge(&modes, &task, lambda, &want);
        test_close("kappa", got.kappa, want.kappa, SOLVER_RTOL);
        for (int k = 0; k < NND_METRICS; k++) {
            test_close("Q_aa", got.self[k], want.self[k], SOLVER_RTOL);
            test_close("Q_ab", got.cross[k], want.cross[k], SOLVER_RTOL);
            test_close("m", got.teacher[k], want.teacher[k], SOLVER_RTOL);
        }
        test_close("E_aa", got.error, want.error, SOLVER_RTOL);
        test_close("E_g", got.gen_error, want.gen_error, SOLVER_RTOL);
        test_close("training error", got.train_error, want.train_error, SOLVER_RTOL);
    }
}
END_TEST

static double one[128];

/* Least norm of P < D inputs, isotropic: beta = X^+ y, and noise E[1/tau] sigma^2 P/(D - P). */
START_TEST(short_inputs_pass_more_noise_on) {
    nnd_pair_task task = {.samples = 40.0, .label_noise = 0.5};
    const nnd_eigenmodes modes = {100, one, one, one};
    nnd_pair_overlaps o = solve(&modes, &task, LENGTHS, 0.0);
    double inverse = (4.0 + 4.0 + 0.4) / 3.0;
    test_close("N", o.self[1] - o.cross[1], inverse * 0.5 * 40.0 / 60.0, SOLVER_RTOL);
    test_close("S", o.cross[1], 40.0, SOLVER_RTOL); /* the teacher's part within the inputs */
    ck_assert_double_eq(o.train_error, 0.0);
}
END_TEST

/* The same with noise sigma^2 + e_i, e_i common to both: E[(sigma^2 + e)/tau] and E[e/tau]. Of many
 * samples the mean alone is left. */
START_TEST(noise_of_short_inputs_counts_more) {
    static double square[300];
    static const double excess[] = {0.4, -0.1, -0.3};
    for (size_t i = 0; i < 300; i++)
        square[i] = square_of(LENGTHS, i / 100, 0);
    const nnd_input_squares inputs = {3, square, excess};
    nnd_pair_task task = {.samples = 40.0, .label_noise = 0.5};
    const nnd_eigenmodes modes = {100, one, one, one};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_pair_overlaps o;
    ck_assert_int_eq(nnd_pair_ridge_uneven(ctx, &modes, &task, &inputs, 0.0, &o), NND_OK);
    double all = (0.9 * 4.0 + 0.4 * 4.0 + 0.2 * 0.4) / 3.0;
    double common = (0.4 * 4.0 - 0.1 * 4.0 - 0.3 * 0.4) / 3.0;
    test_close("Q_aa", o.self[1], 40.0 + all * 40.0 / 60.0, SOLVER_RTOL);
    test_close("Q_ab", o.cross[1], 40.0 + common * 40.0 / 60.0, SOLVER_RTOL);
    task.samples = 1e12; /* nothing is learned wrongly: what remains is the noise itself */
    ck_assert_int_eq(nnd_pair_ridge_uneven(ctx, &modes, &task, &inputs, 0.0, &o), NND_OK);
    test_close("training error", o.train_error, 0.5, 1e-9);
    nnd_context_free(ctx);
}
END_TEST

/* The threshold: infinite noise, the cosine is the noises' correlation. */
START_TEST(the_threshold_is_infinite_and_has_a_limit) {
    nnd_pair_task task = {.samples = 100.0, .label_noise = 0.5, .noise_correlation = 0.25};
    const nnd_eigenmodes modes = {100, one, one, one};
    nnd_pair_overlaps o = solve(&modes, &task, LENGTHS, 0.0);
    ck_assert_double_infinite(o.gen_error);
    test_close("cosine", o.cosine[1], 0.25, 1e-13);
}
END_TEST

START_TEST(next_to_the_threshold_is_said_not_to_converge) {
    static double square[3 * 100];
    nnd_pair_task task = {.samples = 100.0 + 1e-9, .label_noise = 0.5};
    const nnd_eigenmodes modes = {100, one, one, one};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_pair_overlaps o;
    for (size_t i = 0; i < 300; i++)
        square[i] = square_of(LENGTHS, i / 100, 0);
    const nnd_input_squares inputs = {3, square, NULL};
    ck_assert_int_eq(nnd_pair_ridge_uneven(ctx, &modes, &task, &inputs, 0.0, &o),
                     NND_NOT_CONVERGED);
    nnd_context_free(ctx);
}
END_TEST

/* ---- regressions that are made ---- */

/* Solves (X^T X/P + lambda) beta = X^T y/P for two y. */
static void regress(size_t p, const double *x, const double *y, double lambda, double *beta) {
    static double a[D * D];
    int n = (int)p;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, D, n, 1.0 / (double)p, x, D, 0.0, a, D);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, 2, n, 1.0 / (double)p, x, D, y, 2, 0.0,
                beta, 2);
    for (size_t i = 0; i < D; i++)
        a[i * D + i] += lambda;
    ck_assert_int_eq(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', D, 2, a, D, beta, 2), 0);
}

/* Means over sets of Q_aa, Q_ab and E_g, and their standard errors. */
static void make(unevenness how, size_t p, const double *s, double lambda, double mean[3],
                 double se[3]) {
    static double x[MOST * D], y[2 * MOST], beta[2 * D], normal[2 * MOST];
    double square[3] = {0};
    memset(mean, 0, 3 * sizeof *mean);
    for (uint64_t set = 0; set < SETS; set++) {
        nnd_rng_key key = {7, set, p};
        nnd_rng_normals(key, 0, 0, p * D, x);
        nnd_rng_normals(key, 0, 1, 2 * p, normal);
        for (size_t mu = 0; mu < p; mu++) {
            y[2 * mu] = y[2 * mu + 1] = 0.0;
            for (size_t i = 0; i < D; i++) {
                x[mu * D + i] *= sqrt(square_of(how, mu % kinds_of(how), i) * s[i]);
                y[2 * mu] += x[mu * D + i];
            }
            y[2 * mu + 1] = y[2 * mu] + normal[2 * mu + 1];
            y[2 * mu] += normal[2 * mu];
        }
        regress(p, x, y, lambda, beta);
        double q[3] = {0};
        for (size_t i = 0; i < D; i++) {
            double a = beta[2 * i], b = beta[2 * i + 1];
            q[0] += s[i] * (a * a + b * b) / 2.0;
            q[1] += s[i] * a * b;
            q[2] += s[i] * ((a - 1.0) * (a - 1.0) + (b - 1.0) * (b - 1.0)) / 2.0;
        }
        for (int k = 0; k < 3; k++) {
            mean[k] += q[k] / SETS;
            square[k] += q[k] * q[k] / SETS;
        }
    }
    for (int k = 0; k < 3; k++)
        se[k] = sqrt((square[k] - mean[k] * mean[k]) / (SETS - 1));
}

/* Inputs of all kinds in turn; 5 standard errors, and the correction of order 1/D, whose
 * coefficient is of the order of 1: relative, 2/D. That of normal inputs is another number. */
START_TEST(regressions_that_are_made_agree) {
    static double s[D];
    const size_t samples[] = {60, 150, 360};
    for (size_t i = 0; i < D; i++)
        s[i] = 2.0 / (1.0 + (double)i / 16.0);
    const nnd_eigenmodes modes = {D, s, one, one};
    for (size_t j = 0; j < 6; j++) {
        double mean[3], se[3];
        unevenness how = j < 3 ? LENGTHS : DIRECTIONS;
        nnd_pair_task task = {.samples = (double)samples[j % 3], .label_noise = 1.0};
        nnd_pair_overlaps o = solve(&modes, &task, how, 0.02);
        const double want[] = {o.self[1], o.cross[1], o.gen_error};
        make(how, samples[j % 3], s, 0.02, mean, se);
        for (int k = 0; k < 3; k++)
            ck_assert_msg(fabs(mean[k] - want[k]) < 5.0 * se[k] + 2.0 / D * want[k],
                          "kind %d, P = %zu, number %d: want %g got %g, standard error %g", how,
                          samples[j % 3], k, want[k], mean[k], se[k]);
        nnd_pair_ridge(&modes, &task, 0.02, &o);
        ck_assert_double_gt(fabs(o.gen_error / want[2] - 1.0), 2.0 / D);
    }
}
END_TEST

int main(void) {
    for (size_t i = 0; i < 128; i++)
        one[i] = 1.0;
    Suite *suite = suite_create("uneven ridge");
    TCase *tests = tcase_create("uneven ridge");
    tcase_add_test(tests, even_inputs_are_normal_ones);
    tcase_add_test(tests, short_inputs_pass_more_noise_on);
    tcase_add_test(tests, noise_of_short_inputs_counts_more);
    tcase_add_test(tests, the_threshold_is_infinite_and_has_a_limit);
    tcase_add_test(tests, next_to_the_threshold_is_said_not_to_converge);
    tcase_add_test(tests, regressions_that_are_made_agree);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
