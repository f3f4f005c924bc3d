/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fluctuations of two linear layers: closed maps against each other and the numbers of
 * fluctuations.md#s8. */
#include <math.h>
#include <stdlib.h>

#include "core/timegrid.h"
#include "nndmft/solvers/linear_population.h"
#include "nndmft/solvers/online_linear.h"
#include "observables.h"

/* fluctuations.md#s8 has ten digits after the point, or as many significant ones. */
static const double PRINTED = 6e-11, EXACT = 1e-12;

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

START_TEST(R1_is_met_to_the_digits_printed) {
    static const double uncentred[4][8] = {
        {1, 0.9, 2.005, 0.82450625, 4.056125, -0.371975, 0.005, -0.195},
        {10, 0.3196329323, 2.40035416, 0.2927617549, 4.479683253, -0.9536530922, 0.396182075,
         -1.144319218},
        {20, 0.0809089040, 2.69834379, 0.0463665052, 2.956299033, -0.3328161434, 0.3179401709,
         -0.9542873756},
        {40, 0.0040884525, 2.80517456, 0.0003089219, 2.043491281, -0.0237381511, 0.0420438207,
         -0.431798247},
    };
    static const double centred[4][4] = {
        {1, 0.01000625, 4.060025, 0},
        {10, 0.153945023, 5.894985198, 0.2323163291},
        {20, 0.0429681695, 5.175670893, 0.2741424785},
        {40, 0.0004142781, 4.118347268, 0.0514744702},
    };
    nnd_linear_point out[41];
    nnd_linear_single(1.0, 1.0, 1.0, 0.05, false, 40, out);
    for (int i = 0; i < 4; i++) {
        const double *want = uncentred[i];
        const nnd_linear_point *p = &out[(int)want[0]];
        near("delta", p->delta, want[1], PRINTED);
        near("ntk", p->ntk, want[2], 6e-9);
        near("delta_nvar", p->delta_nvar, want[3], PRINTED);
        near("ntk_nvar", p->ntk_nvar, want[4], 6e-10);
        near("delta_ntk_ncov", p->delta_ntk_ncov, want[5], PRINTED);
        near("delta_bias", p->delta_bias, want[6], PRINTED);
        near("ntk_bias", p->ntk_bias, want[7], 6e-10);
    }
    nnd_linear_single(1.0, 1.0, 1.0, 0.05, true, 40, out);
    for (int i = 0; i < 4; i++) {
        const nnd_linear_point *p = &out[(int)centred[i][0]];
        near("delta_nvar, centred", p->delta_nvar, centred[i][1], PRINTED);
        near("ntk_nvar, centred", p->ntk_nvar, centred[i][2], 6e-10);
        near("delta_bias, centred", p->delta_bias, centred[i][3], PRINTED);
    }
}
END_TEST

START_TEST(R2_the_catapult_is_met_to_the_digits_printed) {
    static const double want[4][5] = {
        {1, -1.2, 2.605, 8.062025, 2.42},
        {2, 1.28028, 0.835738, 9.428313971, -6.688551788},
        {3, 0.2422755215, 0.8554037929, 26.21501596, -1.15102049},
        {5, -0.0001536898, 1.073466668, 0.0613739847, -2.195649369},
    };
    nnd_linear_point out[6];
    nnd_linear_single(1.0, 1.0, 0.5, 1.1, false, 5, out);
    for (int i = 0; i < 4; i++) {
        const nnd_linear_point *p = &out[(int)want[i][0]];
        near("delta", p->delta, want[i][1], PRINTED);
        near("ntk", p->ntk, want[i][2], 6e-10);
        near("delta_nvar", p->delta_nvar, want[i][3], 6e-9);
        near("delta_bias", p->delta_bias, want[i][4], 6e-10);
    }
}
END_TEST

START_TEST(initial_values_and_scaling_with_the_gram_matrix) {
    nnd_linear_point out[31], scaled[31];
    nnd_linear_single(1.0, 0.7, 1.5, 0.06, true, 30, out);
    near("centred variance at 0", out[0].delta_nvar, 0.0, 0.0);
    near("centred bias at 0", out[0].delta_bias, 0.0, 0.0);
    near("N Var K at 0", out[0].ntk_nvar, 4.0, EXACT);
    nnd_linear_single(1.0, 0.7, 1.5, 0.06, false, 30, out);
    test_close("N Var f at 0", out[0].delta_nvar, 1.0 / (1.5 * 1.5), EXACT);
    /* h = sqrt(k) h~: the run with k at (lr, gamma0) is that without at (k lr, gamma0/sqrt k). */
    nnd_linear_single(2.0, 0.7, 1.5 * sqrt(2.0), 0.03, false, 30, scaled);
    for (int t = 0; t <= 30; t++) {
        test_close("delta", scaled[t].delta, out[t].delta, EXACT);
        test_close("N Var Delta", scaled[t].delta_nvar, out[t].delta_nvar, EXACT);
        test_close("N Var K", scaled[t].ntk_nvar, 4.0 * out[t].ntk_nvar, EXACT);
    }
}
END_TEST

START_TEST(flipping_the_target_flips_means_and_biases_only) {
    nnd_linear_point plus[41], minus[41];
    nnd_linear_single(1.3, 1.0, 2.0, 0.04, false, 40, plus);
    nnd_linear_single(1.3, -1.0, 2.0, 0.04, false, 40, minus);
    for (int t = 0; t <= 40; t++) {
        near("delta", minus[t].delta, -plus[t].delta, EXACT);
        near("bias", minus[t].delta_bias, -plus[t].delta_bias, EXACT);
        near("variance", minus[t].delta_nvar, plus[t].delta_nvar, EXACT);
        near("N Var K", minus[t].ntk_nvar, plus[t].ntk_nvar, 10 * EXACT);
    }
}
END_TEST

/* ---- any number of points ---- */

static const nnd_activation LINEAR = {NND_LINEAR, 1.0, 1.0, 0.0};

/* All observables of `train` points: outputs, test outputs, kernels. */
typedef struct {
    nnd_units p;
    nnd_observable observable[64];
    nnd_timegrid grid;
    nnd_fluctuations out;
} problem;

static void solve(nnd_context *ctx, problem *q, size_t points, size_t train, const double *gram,
                  const double *targets, double gamma0, double lr, bool center, size_t steps) {
    size_t k = observe_all(ctx, steps, points, train, &q->grid, q->observable);
    q->p = (nnd_units){&LINEAR,  train, points,        gram, targets, gamma0, lr,  center,
                       &q->grid, k,     q->observable, true, true,    false,  NULL};
    ck_assert_int_eq(nnd_wishart_run(ctx, &q->p, &q->out), NND_OK);
}

static void clear(problem *q) {
    nnd_timegrid_clear(&q->grid);
    nnd_fluctuations_clear(&q->out);
}

START_TEST(the_map_of_one_point_is_the_jet) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double gram = 1.7, y = 0.8;
    for (int center = 0; center < 2; center++) {
        problem q = {0};
        nnd_linear_point want[41];
        solve(ctx, &q, 1, 1, &gram, &y, 1.4, 0.05, center, 40);
        nnd_linear_single(gram, y, 1.4, 0.05, center, 40, want);
        for (size_t t = 0; t <= 40; t++) {
            near("f", q.out.mean[2 * t], y - want[t].delta, EXACT);
            near("K", q.out.mean[2 * t + 1], want[t].ntk, 4 * EXACT);
            near("N Var f", q.out.nvar[2 * t], want[t].delta_nvar, EXACT);
            near("N Var K", q.out.nvar[2 * t + 1], want[t].ntk_nvar, 20 * EXACT);
            near("N Cov", q.out.ncov[2 * t + 1], -want[t].delta_ntk_ncov, 4 * EXACT);
            near("b_f", q.out.bias[2 * t], -want[t].delta_bias, 4 * EXACT);
            near("b_K", q.out.bias[2 * t + 1], want[t].ntk_bias, 20 * EXACT);
        }
        clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(inputs_of_any_length_keep_their_fluctuations) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (double k = 1e-16; k < 1e17; k *= 1e32) {
        problem q = {0};
        nnd_linear_point want[11];
        const double y = 0.8;
        /* As in the scaling with the Gram matrix of one point. */
        solve(ctx, &q, 1, 1, &k, &y, 1.4 * sqrt(k), 0.05 / k, false, 10);
        nnd_linear_single(1.0, y, 1.4, 0.05, false, 10, want);
        for (size_t t = 0; t <= 10; t++) {
            near("f", q.out.mean[2 * t], y - want[t].delta, EXACT);
            near("N Var f", q.out.nvar[2 * t], want[t].delta_nvar, EXACT);
            near("N Var K", q.out.nvar[2 * t + 1] / (k * k), want[t].ntk_nvar, 20 * EXACT);
        }
        clear(&q);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_test_point_that_is_a_training_point_repeats_it) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double gram[] = {1.0, 0.3, 1.0, 0.3, 1.5, 0.3, 1.0, 0.3, 1.0}, y[] = {1.0, -0.5};
    problem q = {0};
    solve(ctx, &q, 3, 2, gram, y, 1.0, 0.1, true, 30);
    size_t k = q.out.observables;
    for (size_t t = 0; t <= 30; t++) {
        near("f*", q.out.mean[t * k + 2], q.out.mean[t * k], EXACT);
        near("N Var f*", q.out.nvar[t * k + 2], q.out.nvar[t * k], EXACT);
        near("b*", q.out.bias[t * k + 2], q.out.bias[t * k], 4 * EXACT);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(permuted_points_give_permuted_results) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double gram[] = {1.0, 0.3, 0.3, 2.0}, swapped[] = {2.0, 0.3, 0.3, 1.0};
    const double y[] = {1.0, -0.5}, swapped_y[] = {-0.5, 1.0};
    problem a = {0}, b = {0};
    solve(ctx, &a, 2, 2, gram, y, 1.0, 0.1, false, 20);
    solve(ctx, &b, 2, 2, swapped, swapped_y, 1.0, 0.1, false, 20);
    size_t k = a.out.observables;
    for (size_t t = 0; t <= 20; t++)
        for (size_t mu = 0; mu < 2; mu++) {
            near("variance", b.out.nvar[t * k + 1 - mu], a.out.nvar[t * k + mu], EXACT);
            near("bias", b.out.bias[t * k + 1 - mu], a.out.bias[t * k + mu], 4 * EXACT);
        }
    clear(&a);
    clear(&b);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(R4_linear_is_met_to_the_digits_printed) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double gram[] = {1.0, 0.3, 0.3, 1.0}, y[] = {1.0, -0.5};
    static const double want[3][3] = {{10, 0.3005068189, -0.4553347675},
                                      {20, 0.0766610020, -0.4446967045},
                                      {40, 0.0013862692, -0.0853520262}};
    problem q = {0};
    solve(ctx, &q, 2, 2, gram, y, 1.0, 0.1, false, 40);
    for (int i = 0; i < 3; i++) {
        size_t at = (size_t)want[i][0] * q.out.observables;
        near("N Var f_1", q.out.nvar[at], want[i][1], PRINTED);
        near("b_f1", q.out.bias[at], want[i][2], PRINTED);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(two_time_covariances_are_symmetric_with_the_variance_on_the_diagonal) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double gram[] = {1.0, 0.3, 0.3, 1.0}, y[] = {1.0, -0.5};
    problem q = {0};
    solve(ctx, &q, 2, 2, gram, y, 1.0, 0.1, false, 10);
    size_t times = 11, k = q.out.observables;
    for (size_t i = 0; i < times; i++)
        for (size_t j = 0; j < times; j++)
            for (size_t e = 0; e < 4; e++) {
                double a = q.out.two_time[(i * times + j) * 4 + e];
                double b = q.out.two_time[(j * times + i) * 4 + e % 2 * 2 + e / 2];
                near("symmetry", a, b, EXACT);
                if (i == j && e % 3 == 0)
                    near("variance", a, q.out.nvar[i * k + e / 3], EXACT);
            }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(divergence_is_reported_and_what_came_before_kept) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double gram = 1.0, y = 1.0;
    problem q = {0};
    nnd_integers all = {0};
    ck_assert_int_eq(nnd_timegrid_make(ctx, 60, &all, 1, &q.grid), NND_OK);
    q.p = (nnd_units){&LINEAR, 1, 1,    &gram, &y,    3.0,   4.0, false,
                      &q.grid, 0, NULL, true,  false, false, NULL};
    ck_assert_int_eq(nnd_wishart_run(ctx, &q.p, &q.out), NND_DIVERGED);
    size_t at = q.out.diverged_at;
    ck_assert_uint_gt(at, 1);
    ck_assert_uint_lt(at, 60);
    ck_assert(isfinite(q.out.nvar[at - 1]) && isnan(q.out.nvar[at]) && isnan(q.out.mean[at]));
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

/* ---- online ---- */

START_TEST(R5_is_met_to_the_digits_printed) {
    static const double want[3][7] = {
        {10, 0.5265313455, 0.4606943408, 0.3272997361, 0.2387640868, 0.0763367162, 4.381311648},
        {20, 0.2540636358, 0.2166862554, 0.1126861901, 0.410252655, 0.1239651003, 2.006232962},
        {40, 0.0486677985, 0.0195503976, 0.0105555126, 0.228200526, 0.0726674622, 0.2004202229},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_online_linear_point out[41];
    size_t sound;
    ck_assert_int_eq(nnd_online_linear_run(ctx, 1.0, 0.03, 40, out, &sound), NND_OK);
    ck_assert_uint_eq(sound, 41);
    for (int i = 0; i < 3; i++) {
        const nnd_online_linear_point *p = &out[(int)want[i][0]];
        near("delta", p->delta, want[i][1], PRINTED);
        near("par_nvar", p->par_nvar, want[i][2], PRINTED);
        near("perp_nvar", p->perp_nvar, want[i][3], PRINTED);
        near("par_bias", p->par_bias, want[i][4], PRINTED);
        near("perp_bias", p->perp_bias, want[i][5], PRINTED);
        near("error_ncorr", nnd_online_linear_error_ncorr(p, 10.0), want[i][6], 6e-10);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(online_is_training_on_whitened_data) {
    enum { DIM = 5, STEPS = 40 };
    nnd_context *ctx = nnd_context_new(NULL);
    double gram[DIM * DIM] = {0}, y[DIM] = {1.0};
    for (int i = 0; i < DIM; i++)
        gram[i * DIM + i] = 1.0;
    problem q = {0};
    nnd_online_linear_point out[STEPS + 1];
    size_t sound;
    ck_assert_int_eq(nnd_online_linear_run(ctx, 1.4, 0.04, STEPS, out, &sound), NND_OK);
    solve(ctx, &q, DIM, DIM, gram, y, 1.4, DIM * 0.04, false, STEPS);
    size_t k = q.out.observables;
    for (size_t t = 0; t <= STEPS; t++) {
        near("delta", 1.0 - q.out.mean[t * k], out[t].delta, EXACT);
        near("K", q.out.mean[t * k + DIM], out[t].ntk, 4 * EXACT);
        near("along", q.out.nvar[t * k], out[t].par_nvar, EXACT);
        near("across", q.out.nvar[t * k + 1], out[t].perp_nvar, EXACT);
        near("bias", -q.out.bias[t * k], out[t].par_bias + (DIM - 1) * out[t].perp_bias,
             10 * EXACT);
    }
    clear(&q);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(noise_of_batches_adds_up_at_small_rates) {
    /* To first order in the rate each step adds lr^2 K(0)^2 (1 or 2) Delta^2/B, K(0) = 2. */
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_online_linear_point out[4];
    size_t sound;
    const double lr = 1e-5;
    ck_assert_int_eq(nnd_online_linear_run(ctx, 1.0, lr, 3, out, &sound), NND_OK);
    near("none at first", out[0].par_batch + out[0].perp_batch, 0.0, 0.0);
    for (int t = 1; t <= 3; t++) {
        test_close("across", out[t].perp_batch, 4.0 * lr * lr * t, 20 * lr);
        test_close("along", out[t].par_batch, 8.0 * lr * lr * t, 40 * lr);
    }
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("linear_population");
    TCase *single = tcase_create("one point");
    tcase_add_test(single, R1_is_met_to_the_digits_printed);
    tcase_add_test(single, R2_the_catapult_is_met_to_the_digits_printed);
    tcase_add_test(single, initial_values_and_scaling_with_the_gram_matrix);
    tcase_add_test(single, flipping_the_target_flips_means_and_biases_only);
    suite_add_tcase(suite, single);
    TCase *several = tcase_create("several points");
    tcase_add_test(several, the_map_of_one_point_is_the_jet);
    tcase_add_test(several, inputs_of_any_length_keep_their_fluctuations);
    tcase_add_test(several, a_test_point_that_is_a_training_point_repeats_it);
    tcase_add_test(several, permuted_points_give_permuted_results);
    tcase_add_test(several, R4_linear_is_met_to_the_digits_printed);
    tcase_add_test(several, two_time_covariances_are_symmetric_with_the_variance_on_the_diagonal);
    tcase_add_test(several, divergence_is_reported_and_what_came_before_kept);
    suite_add_tcase(suite, several);
    TCase *online = tcase_create("online");
    tcase_add_test(online, R5_is_met_to_the_digits_printed);
    tcase_add_test(online, online_is_training_on_whitened_data);
    tcase_add_test(online, noise_of_batches_adds_up_at_small_rates);
    suite_add_tcase(suite, online);
    return test_main(suite);
}
