/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "flat_cases.h"
#include "nndmft/solvers/quadratic.h"

static void expect_refusal(nnd_context *ctx, nnd_status status, const char *words) {
    ck_assert_int_eq(status, NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), words) != NULL, "message: %s",
                  nnd_context_message(ctx));
}

/* The loss of the quadratic is the mean square of the data it was made from, everywhere. */
static void check_fit(size_t samples, size_t dim) {
    nnd_context *ctx = nnd_context_new(NULL);
    double *x = calloc(samples * dim, sizeof *x), *y = calloc(samples, sizeof *y);
    double *w = calloc(dim, sizeof *w), *g = calloc(dim, sizeof *g);
    nnd_quadratic q, again;
    nnd_rng_normals((nnd_rng_key){3, 0, dim}, 0, 0, samples * dim, x);
    nnd_rng_normals((nnd_rng_key){3, 0, dim}, 1, 0, samples, y);
    ck_assert_int_eq(nnd_quadratic_fit(ctx, samples, dim, x, y, &q), NND_OK);
    ck_assert_uint_eq(q.rank, samples < dim ? samples : dim);
    for (uint64_t draw = 0; draw < 5; draw++) {
        double loss = 0.0;
        nnd_rng_normals((nnd_rng_key){3, 0, dim}, 2, draw, dim, w);
        for (size_t i = 0; i < samples; i++) {
            double f = 0.0;
            for (size_t j = 0; j < dim; j++)
                f += x[i * dim + j] * w[j];
            loss += (f - y[i]) * (f - y[i]) / (double)samples;
        }
        test_close("loss", nnd_quadratic_loss(&q, w), loss, 1e-12);
    }
    nnd_quadratic_gradient(&q, q.minimizer, g);
    for (size_t j = 0; j < dim; j++)
        ck_assert(fabs(g[j]) < 1e-12);
    /* The same from its covariance and minimiser. */
    ck_assert_int_eq(nnd_quadratic_make(ctx, dim, q.covariance, q.minimizer, &again), NND_OK);
    ck_assert_uint_eq(again.rank, q.rank);
    for (size_t j = 0; j < dim; j++)
        ck_assert(fabs(again.minimizer[j] - q.minimizer[j]) < 1e-10);
    for (size_t k = 0; k < dim * dim; k++)
        ck_assert(fabs(again.root[k] - q.root[k]) < 1e-10);
    ck_assert(again.ignored == 0.0);
    nnd_quadratic_clear(&q);
    nnd_quadratic_clear(&again);
    free(x);
    free(y);
    free(w);
    free(g);
    nnd_context_free(ctx);
}

START_TEST(loss_is_the_mean_square_of_the_data) {
    check_fit(50, 5);
    check_fit(15, 20);
    check_fit(1, 1);
    check_fit(4, 1);
    check_fit(1, 6);
}
END_TEST

START_TEST(minimiser_outside_the_range_is_cut_to_it) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double covariance[] = {2, 0, 0, 0}, w[] = {3, 4};
    nnd_quadratic q = flat_case(ctx, 2, covariance, w);
    ck_assert_uint_eq(q.rank, 1);
    test_close("first", q.minimizer[0], 3.0, 1e-15);
    ck_assert(q.minimizer[1] == 0.0);
    test_close("the rest", q.ignored, 4.0, 1e-15);
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(what_leaves_nothing_to_learn_is_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double nothing[4] = {0}, eye[] = {1, 0, 0, 1}, w[] = {0, 1}, bad[] = {1, 0, 0, -0.5};
    const double wrong[] = {1, 0, NAN, 1}, flat[] = {1, 0, 0, 0};
    nnd_quadratic q;
    expect_refusal(ctx, nnd_quadratic_make(ctx, 2, nothing, w, &q),
                   "covariance of the inputs is 0");
    nnd_quadratic_clear(&q);
    expect_refusal(ctx, nnd_quadratic_make(ctx, 2, eye, nothing, &q), "nothing to learn");
    nnd_quadratic_clear(&q);
    expect_refusal(ctx, nnd_quadratic_make(ctx, 2, flat, w, &q), "nothing to learn");
    nnd_quadratic_clear(&q);
    expect_refusal(ctx, nnd_quadratic_make(ctx, 2, bad, w, &q), "-0.5");
    nnd_quadratic_clear(&q);
    expect_refusal(ctx, nnd_quadratic_make(ctx, 2, wrong, w, &q), "not finite");
    nnd_quadratic_clear(&q);
    /* Targets orthogonal to all inputs, though not 0. */
    const double x[] = {1, 1, -1}, y[] = {1, -1, 0};
    expect_refusal(ctx, nnd_quadratic_fit(ctx, 3, 1, x, y, &q), "nothing to learn");
    nnd_quadratic_clear(&q);
    expect_refusal(ctx, nnd_quadratic_fit(ctx, 3, 1, nothing, y, &q), "covariance of the inputs");
    nnd_quadratic_clear(&q);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("quadratic");
    TCase *tests = tcase_create("quadratic");
    tcase_add_test(tests, loss_is_the_mean_square_of_the_data);
    tcase_add_test(tests, minimiser_outside_the_range_is_cut_to_it);
    tcase_add_test(tests, what_leaves_nothing_to_learn_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
