/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Corrections of order 1/D of isotropic tasks: in limits known exactly, and against regressions of
 * random data. */
#include <cblas.h>
#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/statistics.h"
#include "nndmft/solvers/equivalent.h"
#include "nndmft/solvers/spectral_rule.h"
#include "support.h"

static const double ONE[] = {1.0};
static const nnd_eigenmodes ISOTROPIC = {1, ONE, ONE, ONE};

/* Shift for phi(s) = 1/(s + lambda). */
static nnd_dimension_shift ridge_shift(nnd_pair_task task, double lambda, size_t nodes) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_spectral_rule rule;
    nnd_spectral_overlaps o;
    double complex *phi = calloc(nodes, sizeof *phi);
    ck_assert_int_eq(nnd_spectral_rule_isotropic(ctx, &ISOTROPIC, &task, nodes, &rule), NND_OK);
    for (size_t j = 0; j < nodes; j++)
        phi[j] = 1.0 / (rule.z[j] + lambda);
    ck_assert_int_eq(nnd_spectral_overlap(ctx, &rule, 1, phi, &o), NND_OK);
    nnd_spectral_rule_clear(&rule);
    nnd_context_free(ctx);
    free(phi);
    return o.shift;
}

static const double ALPHAS[] = {0.3, 0.7, 1.5, 4.0};

/* Q_aa = Q_bb = Q_ab in every sample. */
START_TEST(networks_that_are_equal_have_cka_one_at_any_dimension) {
    nnd_pair_task quiet = {.samples = ALPHAS[_i]};
    nnd_pair_task common = {.samples = ALPHAS[_i], .label_noise = 0.7, .noise_correlation = 1.0};
    ck_assert_double_eq_tol(ridge_shift(quiet, 0.1, 256).cka, 0.0, 1e-12);
    ck_assert_double_eq_tol(ridge_shift(common, 0.1, 256).cka, 0.0, 1e-12);
}
END_TEST

/* beta = X^T (noise)/P: given X, Q_ab is a bilinear form of independent normals, so that
 * E Q_ab^2/Q_aa^2 = tr S^2/(tr S)^2 = (1 + 1/alpha)/D. */
START_TEST(noise_alone_is_aligned_by_chance) {
    nnd_pair_task task = {.samples = ALPHAS[_i], .label_noise = 1e8};
    test_close("shift", ridge_shift(task, 1e6, 64).cka, 1.0 + 1.0 / ALPHAS[_i], 1e-4);
}
END_TEST

/* Outputs of unlike teachers and noises. */
static const double TEACHERS[] = {1.0, 0.25, 2.0}, NOISES[] = {0.5, 1.5, 0.1};

START_TEST(equal_networks_of_several_outputs_have_cka_one) {
    static const double none[3] = {0};
    nnd_pair_task task = {.samples = ALPHAS[_i], .label_noise = 1.0};
    nnd_unit_overlaps unit = ridge_shift(task, 0.1, 256).unit;
    for (size_t n = 1; n <= 3; n++) {
        ck_assert_double_eq_tol(nnd_outputs_cka_shift(n, TEACHERS, none, 0.0, &unit), 0.0, 1e-12);
        ck_assert_double_eq_tol(nnd_outputs_cka_shift(n, TEACHERS, NOISES, 1.0, &unit), 0.0, 1e-12);
    }
}
END_TEST

/* As for one output, over the lengths sigma_i of the outputs: sum_ij tr S^2 (sigma_i sigma_j) over
 * sum_i (tr S)^2 sigma_i^2. */
START_TEST(noise_alone_aligns_every_output_with_all) {
    static const double faint[] = {1e-9, 1e-9, 1e-9};
    nnd_pair_task task = {.samples = ALPHAS[_i], .label_noise = 1.0};
    nnd_unit_overlaps unit = ridge_shift(task, 1e6, 64).unit;
    double lengths = sqrt(0.5) + sqrt(1.5) + sqrt(0.1);
    test_close("shift", nnd_outputs_cka_shift(3, faint, NOISES, 0.0, &unit),
               lengths * lengths / 2.1 * (1.0 + 1.0 / ALPHAS[_i]), 1e-4);
}
END_TEST

START_TEST(one_of_several_outputs_is_one) {
    nnd_pair_task task = {.samples = ALPHAS[_i], .label_noise = 0.5, .noise_correlation = 0.3};
    nnd_dimension_shift d = ridge_shift(task, 0.1, 256);
    static const double one[] = {1.0}, half[] = {0.5};
    test_close("shift", nnd_outputs_cka_shift(1, one, half, 0.3, &d.unit), d.cka, 1e-12);
}
END_TEST

/* Least squares leaves the noise of P - D directions; at lambda -> inf what is left is y itself. */
START_TEST(training_errors_known_at_any_dimension) {
    nnd_pair_task task = {.samples = ALPHAS[_i], .label_noise = 0.5};
    ck_assert_double_eq_tol(ridge_shift(task, 0.0, 256).train_error, 0.0, 1e-12);
    ck_assert_double_eq_tol(ridge_shift(task, 1e9, 256).train_error, 0.0, 1e-7);
}
END_TEST

START_TEST(shifts_converge_exponentially_in_the_nodes) {
    nnd_pair_task task = {.samples = 0.6, .label_noise = 0.5};
    nnd_dimension_shift exact = ridge_shift(task, 0.05, 512);
    double last = INFINITY;
    for (size_t nodes = 16; nodes <= 128; nodes *= 2) {
        double error = fabs(ridge_shift(task, 0.05, nodes).cka / exact.cka - 1.0);
        ck_assert_msg(error < 0.2 * last || error < 1e-12, "%zu nodes: %g after %g", nodes, error,
                      last);
        last = error;
    }
    ck_assert_double_lt(last, 1e-8);
}
END_TEST

/* ---- random data ---- */

enum { PAIRS = 8000 };

/* Two ridge regressions on P x D inputs. */
typedef struct {
    size_t dim, samples;
    double lambda, *x, *gram, *y, *beta;
} regression;

static void draw(const regression *r, const nnd_pair_task *task, uint32_t seed) {
    nnd_rng_key key = {.base_seed = 1, .seed = seed, .size = r->dim};
    double common[64];
    size_t n = r->samples, d = r->dim;
    ck_assert_uint_le(n, 64);
    for (size_t mu = 0; mu < n; mu++)
        nnd_rng_normals(key, 0, mu, d, r->x + mu * d);
    nnd_rng_normals(key, 1, 0, n, common);
    nnd_rng_normals(key, 2, 0, 2 * n, r->y);
    for (size_t i = 0; i < 2 * n; i++)
        r->y[i] = sqrt(task->label_noise) * (sqrt(task->noise_correlation) * common[i % n] +
                                             sqrt(1.0 - task->noise_correlation) * r->y[i]) +
                  r->x[(i % n) * d]; /* the teacher is the first axis */
}

static void solve(const regression *r) {
    int n = (int)r->samples, d = (int)r->dim;
    for (int i = 0; i < d * d; i++)
        r->gram[i] = i % (d + 1) == 0 ? r->lambda * n : 0.0;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, d, n, 1.0, r->x, d, 1.0, r->gram, d);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, d, n, 1.0, r->y, n, r->x, d, 0.0,
                r->beta, d);
    ck_assert_int_eq(LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', d, 2, r->gram, d, r->beta, d), 0);
}

enum { SELF, CROSS, TEACHER, TEACHER_COSINE, TRAIN_ERROR, CKA, MEASURES };
static const char *const NAME[] = {"self",           "cross",          "teacher",
                                   "teacher cosine", "training error", "CKA"};

static double train_error(const regression *r) {
    double sum = 0.0;
    for (size_t mu = 0; mu < r->samples; mu++) {
        double left = r->y[mu] - cblas_ddot((int)r->dim, r->x + mu * r->dim, 1, r->beta, 1);
        sum += left * left / (double)r->samples;
    }
    return sum;
}

/* What one pair shows: of CKA the numerator. */
static void look(const regression *r, double *x, double *self) {
    int d = (int)r->dim;
    const double *a = r->beta, *b = r->beta + d;
    double aa = cblas_ddot(d, a, 1, a, 1), ab = cblas_ddot(d, a, 1, b, 1);
    double bb = cblas_ddot(d, b, 1, b, 1);
    *self = 0.5 * (aa + bb);
    x[SELF * PAIRS] = aa;
    x[CROSS * PAIRS] = ab;
    x[TEACHER * PAIRS] = a[0];
    x[TEACHER_COSINE * PAIRS] = a[0] / sqrt(aa);
    x[TRAIN_ERROR * PAIRS] = train_error(r);
    x[CKA * PAIRS] = ab * ab / sqrt(aa * bb);
}

/* Means over pairs; CKA is a ratio of means, with the error of its linearisation. */
static void measure(size_t dim, double alpha, const nnd_pair_task *task, double lambda,
                    nnd_estimate measured[MEASURES]) {
    regression r = {.dim = dim, .samples = (size_t)lround(alpha * (double)dim), .lambda = lambda};
    double *x = calloc(MEASURES * PAIRS, sizeof *x), *self = calloc(PAIRS, sizeof *self);
    r.x = calloc(r.samples * dim, sizeof *r.x);
    r.gram = calloc(dim * dim, sizeof *r.gram);
    r.y = calloc(2 * r.samples, sizeof *r.y);
    r.beta = calloc(2 * dim, sizeof *r.beta);
    for (uint32_t k = 0; k < PAIRS; k++) {
        draw(&r, task, k);
        solve(&r);
        look(&r, x + k, self + k);
    }
    double mean = nnd_mean(PAIRS, self, 1).value, *cka = x + CKA * PAIRS;
    double ratio = nnd_mean(PAIRS, cka, 1).value / mean;
    for (size_t k = 0; k < PAIRS; k++)
        cka[k] = ratio + (cka[k] - ratio * self[k]) / mean;
    for (size_t m = 0; m < MEASURES; m++)
        measured[m] = nnd_mean(PAIRS, x + m * PAIRS, 1);
    free(x);
    free(self);
    free(r.x);
    free(r.gram);
    free(r.y);
    free(r.beta);
}

static const struct {
    double alpha, snr, lambda, correlation;
} POINTS[] = {{0.5, 2.0, 0.1, 0.0}, {1.0, 0.5, 0.3, 0.3}, {2.0, 8.0, 0.05, 0.0}};

/* From two dimensions, so that the next order goes too. */
static void check_slope(const char *what, double limit, double shift, nnd_estimate at_16,
                        nnd_estimate at_32) {
    double small = 16.0 * (at_16.value - limit), large = 32.0 * (at_32.value - limit);
    double slope = 2.0 * large - small, se = hypot(64.0 * at_32.se, 16.0 * at_16.se);
    ck_assert_msg(fabs(slope - shift) < 4.0 * se + 0.02 * fabs(shift), "%s: %g +- %g, expected %g",
                  what, slope, se, shift);
    if (getenv("NND_TEST_VERBOSE"))
        printf("%s: slope %g +- %g, shift %g\n", what, slope, se, shift);
}

START_TEST(shifts_are_those_of_random_data) {
    nnd_pair_task task = {.samples = POINTS[_i].alpha,
                          .label_noise = 1.0 / POINTS[_i].snr,
                          .noise_correlation = POINTS[_i].correlation};
    double lambda = POINTS[_i].lambda;
    nnd_pair_overlaps o;
    nnd_pair_ridge(&ISOTROPIC, &task, lambda, &o);
    nnd_dimension_shift d = ridge_shift(task, lambda, 256);
    const double limit[MEASURES] = {o.self[0],     o.cross[0],
                                    o.teacher[0],  o.teacher[0] / sqrt(o.self[0]),
                                    o.train_error, o.cosine[0] * o.cosine[0]};
    const double shift[MEASURES] = {d.self,           d.cross,       d.teacher,
                                    d.teacher_cosine, d.train_error, d.cka};
    nnd_estimate at_16[MEASURES], at_32[MEASURES];
    measure(16, POINTS[_i].alpha, &task, lambda, at_16);
    measure(32, POINTS[_i].alpha, &task, lambda, at_32);
    for (size_t m = 0; m < MEASURES; m++)
        check_slope(NAME[m], limit[m], shift[m], at_16[m], at_32[m]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("finite dimension");
    TCase *limits = tcase_create("limits");
    tcase_add_loop_test(limits, networks_that_are_equal_have_cka_one_at_any_dimension, 0, 4);
    tcase_add_loop_test(limits, noise_alone_is_aligned_by_chance, 0, 4);
    tcase_add_loop_test(limits, equal_networks_of_several_outputs_have_cka_one, 0, 4);
    tcase_add_loop_test(limits, noise_alone_aligns_every_output_with_all, 0, 4);
    tcase_add_loop_test(limits, one_of_several_outputs_is_one, 0, 4);
    tcase_add_loop_test(limits, training_errors_known_at_any_dimension, 0, 4);
    tcase_add_test(limits, shifts_converge_exponentially_in_the_nodes);
    suite_add_tcase(suite, limits);
    TCase *data = tcase_create("random data");
    tcase_add_loop_test(data, shifts_are_those_of_random_data, 0, 3);
    suite_add_tcase(suite, data);
    return test_main(suite);
}
