/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment on rows of data: what is measured of four rows that can be measured by hand, and that
 * pairs learn from these rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "theory/alignment_rows.h"
#include "theory/alignment_task.h"
#include "validate/alignment_pair.h"

/* Rows of covariance diag(2, 0.5), which have variance 1.25 on average, about the mean (3, -1). y
 * is x_1 + 2 x_2, and 0.5 more or less that no linear function knows. */
#define FOUR_ROWS                                                                                  \
    "data: {inputs: [[5, -1], [1, -1], [3, 0], [3, -2]], targets: [7.5, 3.5, 6.5, 2.5]}"

static const double EIGENVALUES[] = {2.0 / 1.25, 0.5 / 1.25};

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    nnd_frame *frame;
} solution;

static solution solve(const char *params) {
    char yaml[1024];
    solution s = {.ctx = nnd_context_new(NULL)};
    snprintf(yaml, sizeof yaml, "{model: alignment, params: {%s}}", params);
    s.c = test_case(s.ctx, yaml);
    s.frame = test_theory(s.ctx, yaml);
    return s;
}

static double number(const solution *s, const char *name) {
    const nnd_array *array = nnd_frame_find(s->frame, name);
    ck_assert_msg(array != NULL, "there is no %s", name);
    return array->data[0];
}

static void clear(solution *s) {
    nnd_frame_free(s->frame);
    nnd_case_free(s->c);
    nnd_context_free(s->ctx);
}

/* Covariance, teacher and shared noise 0.25 are measured: the same as if they were listed, with
 * noise s2 = 4/4 of one's own. Rounding of sums over four rows. */
START_TEST(rows_are_the_listed_covariance_with_shared_noise) {
    static const char *const names[] = {"cosine",          "signal",         "noise",
                                        "teacher_overlap", "teacher_cosine", "gen_error",
                                        "train_error",     "kappa",          "cka"};
    static const char *const trainings[] = {
        "ridge: 0.1", "ridge: 0", "ridge: 0.1, inputs: independent", "ridge: 0.1, input_noise: 0.3",
        "training: flow, time: 3"};
    for (size_t i = 0; i < sizeof trainings / sizeof *trainings; i++) {
        char measured[512], listed[512];
        snprintf(measured, sizeof measured, FOUR_ROWS ", samples: 8, snr: 4, %s", trainings[i]);
        snprintf(listed, sizeof listed,
                 "covariance: {eigenvalues: [1.6, 0.4]}, teacher: {coefficients2: [1.25, 5]}, "
                 "alpha: 4, label_noise: 1.25, noise_correlation: 0.2, %s",
                 trainings[i]);
        solution a = solve(measured), b = solve(listed);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (nnd_frame_find(b.frame, names[k]) != NULL)
                test_close(names[k], number(&a, names[k]), number(&b, names[k]), 1e-12);
        test_close("residual", number(&a, "residual"), 0.25, 1e-12);
        clear(&a);
        clear(&b);
    }
}
END_TEST

/* Noise of one's own and shared noise add up where they are said: s2 = 3, correlated by half. */
START_TEST(added_noise_may_be_correlated_too) {
    solution a =
        solve(FOUR_ROWS ", samples: 8, ridge: 0.1, label_noise: 3, noise_correlation: 0.5");
    solution b =
        solve("covariance: {eigenvalues: [1.6, 0.4]}, teacher: {coefficients2: [1.25, 5]}, "
              "samples: 8, label_noise: 3.25, ridge: 0.1, "
              "noise_correlation: 0.538461538461538461");
    test_close("cosine", number(&a, "cosine"), number(&b, "cosine"), 1e-12);
    test_close("noise", number(&a, "noise"), number(&b, "noise"), 1e-12);
    clear(&a);
    clear(&b);
}
END_TEST

/* In the metric (Sigma + kappa)^-1 two rows have the length 3.2/(1.6 + kappa), two 0.8/(0.4 +
 * kappa); each direction is in half of the rows, with twice its variance: its kurtosis is 2. */
START_TEST(lengths_and_kurtosis_of_four_rows) {
    solution s = solve(FOUR_ROWS ", samples: 8, ridge: 0.1");
    nnd_alignment_problem x;
    ck_assert_int_eq(nnd_alignment_problem_make(s.ctx, s.c->params[0], &x), NND_OK);
    double kappa = 0.2, length[] = {3.2 / 1.8, 0.8 / 0.6}, mean = (length[0] + length[1]) / 2.0;
    ck_assert_uint_eq(x.rows.rows, 4);
    for (size_t i = 0; i < 8; i++) /* rows have all of one direction and nothing of the other */
        ck_assert_double_eq_tol(x.rows.square[i], i / 4 == i % 2 ? 2.0 : 0.0, 1e-12);
    double df = 1.6 / 1.8 + 0.4 / 0.6, df2 = pow(1.6 / 1.8, 2.0) + pow(0.4 / 0.6, 2.0);
    double square = (pow(length[0], 2.0) + pow(length[1], 2.0)) / 2.0 / (mean * mean);
    test_close("kurtosis", nnd_alignment_kurtosis(&x.rows, kappa),
               square / (1.0 + 2.0 * df2 / (df * df)), 1e-12);
    /* P samples lack a direction with probability (1/2)^P; exp(-P/2) is the estimate */
    test_close("unseen", nnd_alignment_unseen(&x.rows, 3.0, kappa), exp(-1.5) * 1.6 / 1.8, 1e-12);
    nnd_alignment_problem_clear(&x);
    clear(&s);
}
END_TEST

/* Which of the four rows an input is, in coordinates along the eigenvectors; -1: none. */
static int row_of(const double *x) {
    const double along = 2.0 / sqrt(1.25), across = 1.0 / sqrt(1.25), rounding = 1e-12;
    if (fabs(fabs(x[0]) - along) < rounding && fabs(x[1]) < rounding)
        return x[0] > 0.0 ? 0 : 1;
    return fabs(fabs(x[1]) - across) < rounding && fabs(x[0]) < rounding ? x[1] > 0.0 ? 2 : 3 : -1;
}

START_TEST(pairs_learn_from_rows_with_their_labels) {
    enum { SAMPLES = 4000 };
    solution s = solve(FOUR_ROWS ", samples: 4000, ridge: 0.1, snr: inf");
    nnd_alignment_pair pair;
    ck_assert_int_eq(nnd_alignment_pair_make(s.ctx, s.c->params[0], 2, &pair), NND_OK);
    ck_assert_int_eq(nnd_alignment_pair_draw(s.ctx, &pair, (nnd_rng_key){1, 2, 2}), NND_OK);
    ck_assert_uint_eq(pair.samples, SAMPLES);
    double sign[2] = {pair.teacher[0] > 0.0 ? 1.0 : -1.0, pair.teacher[1] > 0.0 ? 1.0 : -1.0};
    test_close("teacher", fabs(pair.teacher[0]), sqrt(1.25), 1e-12);
    test_close("teacher", fabs(pair.teacher[1]), 2.0 * sqrt(1.25), 1e-12);
    for (size_t i = 0; i < 2; i++)
        test_close("variance", pair.eigenvalue[i], EIGENVALUES[i], 1e-12);
    static const double labels[] = {2.5, -1.5, 1.5, -2.5}; /* less their mean, 5 */
    size_t count[4] = {0};
    for (size_t mu = 0; mu < SAMPLES; mu++) {
        const double x[] = {sign[0] * pair.x[0][2 * mu], sign[1] * pair.x[0][2 * mu + 1]};
        int row = row_of(x);
        ck_assert_int_ge(row, 0);
        count[row]++;
        test_close("label", pair.y[0][mu], labels[row], 1e-12);
        ck_assert_double_eq(pair.y[1][mu], pair.y[0][mu]); /* the same rows, no noise */
        ck_assert_double_eq(pair.x[1][2 * mu], pair.x[0][2 * mu]);
    }
    for (size_t i = 0; i < 4; i++) /* 5 standard deviations of a binomial law */
        ck_assert_double_lt(fabs((double)count[i] - SAMPLES / 4.0),
                            5.0 * sqrt(SAMPLES * 3.0 / 16.0));
    nnd_alignment_pair_clear(&pair);
    clear(&s);
}
END_TEST

/* The four rows are classes 2, 1, 1, 2 of three. */
START_TEST(pairs_learn_the_classes_of_their_rows) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(
        ctx, "{model: alignment, params: {data: {inputs: [[2, 3], [-2, 3], [0, 4], [0, 2]], "
             "labels: [2, 1, 1, 2]}, outputs: 3, training: white-init, samples: 64, snr: inf}, "
             "simulate: {size: 2, task: classification}}");
    nnd_alignment_pair pair;
    ck_assert_int_eq(nnd_alignment_pair_make(ctx, c->params[0], 2, &pair), NND_OK);
    ck_assert_int_eq(nnd_alignment_pair_draw(ctx, &pair, (nnd_rng_key){1, 2, 2}), NND_OK);
    double up = 0.0, row[2] = {0.0};
    for (size_t mu = 0; mu < 64; mu++) { /* which way vectors point is known by their classes */
        const double *x = pair.x[0] + 2 * mu, *y = pair.y[0] + 3 * mu;
        size_t axis = fabs(x[0]) > fabs(x[1]) ? 0 : 1;
        double side = x[axis] * (y[2] - y[1]);
        row[axis] = row[axis] == 0.0 ? side : row[axis];
        test_close("side of a class", side, row[axis], 1e-12);
        ck_assert_double_eq(y[0], 0.0);
        ck_assert_double_eq(y[1] + y[2], 1.0);
        up += y[2];
    }
    ck_assert_double_lt(fabs(up - 32.0), 5.0 * 4.0); /* standard deviations of a binomial law */
    ck_assert(row[0] != 0.0 && row[1] != 0.0);
    nnd_alignment_pair_clear(&pair);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* Test rows (1, 4) and (0, 1) less the mean (0, 3), over sqrt(1.25): x along the first axis, which
 * varies most; labels less the mean 5. */
START_TEST(test_rows_stand_in_the_coordinates_of_training_rows) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(
        ctx,
        "{model: alignment, params: {data: {inputs: [[2, 3], [-2, 3], [0, 4], [0, 2]], targets: "
        "[7.5, 3.5, 6.5, 2.5], test_inputs: [[1, 4], [0, 1]], test_targets: [8, 1]}, training: "
        "white-init, samples: 8}, simulate: {size: 2, activation: tanh}}");
    const nnd_alignment *p = c->params[0];
    nnd_alignment_pair pair;
    double x[4], y[2];
    ck_assert_uint_eq(nnd_alignment_tests(p), 2);
    ck_assert_int_eq(nnd_alignment_pair_make(ctx, p, 2, &pair), NND_OK);
    ck_assert_int_eq(nnd_alignment_take_tests(ctx, &pair, x, y), NND_OK);
    double unit = 1.0 / sqrt(1.25);
    test_close("first, along", fabs(x[0]), unit, 1e-12);
    test_close("first, across", fabs(x[1]), unit, 1e-12);
    test_close("second, across", x[3], -2.0 * x[1], 1e-12);
    ck_assert_double_lt(fabs(x[2]), 1e-12);
    test_close("label", y[0], 3.0, 1e-12);
    test_close("label", y[1], -4.0, 1e-12);
    nnd_alignment_pair_clear(&pair);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(networks_with_inputs_of_their_own_draw_their_own_rows) {
    solution s = solve(FOUR_ROWS ", samples: 64, inputs: independent, snr: inf");
    nnd_alignment_pair pair;
    ck_assert_int_eq(nnd_alignment_pair_make(s.ctx, s.c->params[0], 2, &pair), NND_OK);
    ck_assert_int_eq(nnd_alignment_pair_draw(s.ctx, &pair, (nnd_rng_key){1, 2, 2}), NND_OK);
    ck_assert_int_ne(memcmp(pair.x[0], pair.x[1], 128 * sizeof(double)), 0);
    nnd_alignment_pair_clear(&pair);
    clear(&s);
}
END_TEST

/* A column that is always 0 is no direction: least norm of more samples than directions is unique.
 */
START_TEST(constant_inputs_are_no_directions) {
    solution a = solve(FOUR_ROWS ", samples: 8, ridge: 0, snr: 4");
    solution b = solve("data: {inputs: [[5, 7, -1], [1, 7, -1], [3, 7, 0], [3, 7, -2]], "
                       "targets: [7.5, 3.5, 6.5, 2.5]}, samples: 8, ridge: 0, snr: 4");
    test_close("cosine", number(&b, "cosine"), number(&a, "cosine"), 1e-12);
    test_close("gen_error", number(&b, "gen_error"), number(&a, "gen_error"), 1e-12);
    clear(&a);
    clear(&b);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("alignment on data");
    TCase *tests = tcase_create("alignment on data");
    tcase_add_test(tests, rows_are_the_listed_covariance_with_shared_noise);
    tcase_add_test(tests, added_noise_may_be_correlated_too);
    tcase_add_test(tests, lengths_and_kurtosis_of_four_rows);
    tcase_add_test(tests, pairs_learn_from_rows_with_their_labels);
    tcase_add_test(tests, pairs_learn_the_classes_of_their_rows);
    tcase_add_test(tests, test_rows_stand_in_the_coordinates_of_training_rows);
    tcase_add_test(tests, networks_with_inputs_of_their_own_draw_their_own_rows);
    tcase_add_test(tests, constant_inputs_are_no_directions);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
