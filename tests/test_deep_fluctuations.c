/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fluctuations of deep networks from case to frame: what follows from covariance and bias of the
 * residuals, the simulator against a plain twin, and ensembles against theory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/streams.h"
#include "support.h"

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

#define DATA                                                                                       \
    "data: {gram: [[1, 0.3], [0.3, 1]], targets: [1, -0.5], test_gram: [[0.5, 0.2]], test_self: "  \
    "[1], test_targets: [0.4]}"
#define DEEP(more)                                                                                 \
    "{model: deep-linear-fluctuations, params: {depth: 3, steps: 6, record_every: 3, " more DATA   \
    "}}"

/* At t = 0 without centring outputs have covariance K^x/N and no bias; across their residuals (1,
 * -1) they fluctuate more than along them: N Var is 0.2/4 + 1.81/(4 N) + ..., claimed where that is
 * 20 %. */
START_TEST(the_variance_of_a_loss_is_claimed_where_its_next_order_is_small) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(
        ctx, "{model: deep-linear-fluctuations, params: {depth: 2, steps: 1, center: false, data: "
             "{gram: [[1, 0.9], [0.9, 1]], targets: [1, -1]}}}");
    near("loss_nvar", test_value(f, "loss_nvar", "t=0"), 0.05, 1e-12);
    near("of residuals", test_value(f, "delta_nvar_min_size", "t=0,mu=0"), 2.5, 1e-12);
    near("of the loss", test_value(f, "loss_nvar_min_size", "t=0"), 1.81 / 0.2 / 0.2, 1e-10);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(losses_modes_and_widths_follow_from_covariance_and_bias) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f =
        test_theory(ctx, DEEP("loss_within: 0.02, loss_sd_within: 0.2, at_width: [100, 400], "));
    static const char *const mu[] = {"t=6,mu=0", "t=6,mu=1"};
    double x[2], loss = 0.0, ncorr = 0.0, nvar = 0.0;
    for (int i = 0; i < 2; i++) {
        x[i] = test_value(f, "delta", mu[i]);
        loss += x[i] * x[i] / 4.0;
        ncorr += test_value(f, "delta_nvar", mu[i]) / 4.0;
        ncorr += x[i] * test_value(f, "delta_bias", mu[i]) / 2.0;
        near("output_nvar", test_value(f, "output_nvar", mu[i]), test_value(f, "delta_nvar", mu[i]),
             0.0);
    }
    for (int i = 0; i < 4; i++) {
        char at[32];
        snprintf(at, sizeof at, "t=6,mu=%d,nu=%d", i / 2, i % 2);
        nvar += x[i / 2] * x[i % 2] * test_value(f, "delta_ncov", at) / 4.0;
    }
    near("loss", test_value(f, "loss", "t=6"), loss, 1e-14);
    near("loss_ncorr", test_value(f, "loss_ncorr", "t=6"), ncorr, 1e-14);
    near("loss_nvar", test_value(f, "loss_nvar", "t=6"), nvar, 1e-14);
    near("width_mean", test_value(f, "width_mean", "t=6"), fabs(ncorr) / (0.02 * loss), 1e-9);
    near("width_sd", test_value(f, "width_sd", "t=6"), nvar / (0.04 * loss * loss), 1e-9);
    near("at width 100", test_value(f, "loss_at_width", "at_width=100,t=6"), loss + ncorr / 100.0,
         1e-14);
    /* eta0 lambda_max/P of the mean kernel, a matrix of two rows, at eta0 = 0.1. */
    double a[3];
    static const char *const pairs[] = {"t=6,mu=0,nu=0", "t=6,mu=0,nu=1", "t=6,mu=1,nu=1"};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 3; i++)
            a[i] = test_value(f, "ntk", pairs[i]) + k * test_value(f, "ntk_bias", pairs[i]) / 100.0;
        double top = (a[0] + a[2]) / 2.0 + hypot((a[0] - a[2]) / 2.0, a[1]);
        near("stability",
             test_value(f, k == 0 ? "stability" : "stability_at_width",
                        k == 0 ? "t=6" : "at_width=100,t=6"),
             0.1 * top / 2.0, 1e-13);
    }
    near("at width 400", test_value(f, "loss_at_width", "at_width=400,t=6"), loss + ncorr / 400.0,
         1e-14);
    /* Of many networks the bias is left. */
    double shift =
        (x[0] * test_value(f, "delta_bias", mu[0]) + x[1] * test_value(f, "delta_bias", mu[1])) /
        2.0;
    near("ensemble_loss", test_value(f, "ensemble_loss", "t=6"), loss, 1e-14);
    near("ensemble_loss_ncorr", test_value(f, "ensemble_loss_ncorr", "t=6"), shift, 1e-13);
    near("mean output at width 400", test_value(f, "ensemble_loss_at_width", "at_width=400,t=6"),
         loss + shift / 400.0, 1e-14);
    double k = test_value(f, "ntk", "t=6,mu=0,nu=1"),
           v = test_value(f, "ntk_nvar", "t=6,mu=0,nu=1");
    near("ntk_signal", test_value(f, "ntk_signal", "t=6,mu=0,nu=1"), k / sqrt(v), 1e-13);
    double test = 0.4 - test_value(f, "test_output", "t=6,test=0");
    double corr = 0.5 * test_value(f, "test_output_nvar", "t=6,test=0") -
                  test * test_value(f, "test_output_bias", "t=6,test=0");
    near("test_loss", test_value(f, "test_loss", "t=6"), 0.5 * test * test, 1e-14);
    near("test_loss_ncorr", test_value(f, "test_loss_ncorr", "t=6"), corr, 1e-14);
    near("test loss at width", test_value(f, "test_loss_at_width", "at_width=100,t=6"),
         0.5 * test * test + corr / 100.0, 1e-14);
    /* K(0) is (L + 1) K^x: modes (1, 1) and (1, -1) over sqrt 2, in this order. */
    double variance = test_value(f, "delta_nvar", mu[0]) + test_value(f, "delta_nvar", mu[1]);
    double across = 2.0 * test_value(f, "delta_ncov", "t=6,mu=0,nu=1");
    near("mode 1", test_value(f, "mode_nvar", "t=6,k=1"), 0.5 * (variance + across), 1e-13);
    near("mode 2", test_value(f, "mode_nvar", "t=6,k=2"), 0.5 * (variance - across), 1e-13);
    near("nothing yet", test_value(f, "width_sd", "t=0"), 0.0, 0.0);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Orthogonal samples of one length have one eigenvalue, and no modes of their own; a third, shorter
 * one has. By sites, too, where eigenvalues differ by noise. */
START_TEST(modes_of_one_eigenvalue_are_no_modes) {
    static const char *const models[] = {"deep-linear-fluctuations, params: {",
                                         "deep-fluctuations, params: {samples: 256, bias: false, "};
    nnd_context *ctx = nnd_context_new(NULL);
    for (int i = 0; i < 2; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "{model: %ssteps: 2, data: {gram: [[1, 0, 0], [0, 1, 0], [0, 0, 0.2]], targets: "
                 "[1, 0.5, 1]}}}",
                 models[i]);
        nnd_frame *f = test_theory(ctx, yaml);
        ck_assert(isnan(test_value(f, "mode_nvar", "t=2,k=1")));
        ck_assert(isnan(test_value(f, "mode_nvar", "t=2,k=2")));
        ck_assert_double_gt(test_value(f, "mode_nvar", "t=2,k=3"), 0.0);
        nnd_frame_free(f);
    }
    nnd_context_free(ctx);
}
END_TEST

/* A first step at twice the rate, one at the rate, one at none. */
START_TEST(schedules_multiply_the_rate) {
    static const char *const models[] = {"deep-linear-fluctuations, params: {",
                                         "two-layer-fluctuations, params: {nodes: 16, ",
                                         "deep-fluctuations, params: {samples: 64, bias: false, "};
    nnd_context *ctx = nnd_context_new(NULL);
    for (int i = 0; i < 3; i++) {
        nnd_frame *f[2];
        for (int k = 0; k < 2; k++) {
            char yaml[256];
            snprintf(yaml, sizeof yaml,
                     "{model: %ssteps: 3, lr: %s, data: {gram: [[1]], targets: [1]}}}", models[i],
                     k > 0 ? "0.1, schedule: [2, 1, 0]" : "0.2");
            f[k] = test_theory(ctx, yaml);
        }
        near("one step", test_value(f[1], "delta_nvar", "t=1,mu=0"),
             test_value(f[0], "delta_nvar", "t=1,mu=0"), 1e-12);
        ck_assert_double_lt(test_value(f[1], "delta", "t=2,mu=0"),
                            test_value(f[1], "delta", "t=1,mu=0"));
        near("no rate", test_value(f[1], "delta_nvar", "t=3,mu=0"),
             test_value(f[1], "delta_nvar", "t=2,mu=0"), 1e-12);
        nnd_frame_free(f[0]);
        nnd_frame_free(f[1]);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(depth_one_is_the_model_of_two_layers) {
    static const char *const same[] = {"delta",
                                       "ntk",
                                       "ntk_test",
                                       "loss",
                                       "test_loss",
                                       "delta_nvar",
                                       "delta_ncov",
                                       "ntk_nvar",
                                       "loss_nvar",
                                       "loss_ncorr",
                                       "test_loss_ncorr",
                                       "delta_bias",
                                       "mode_nvar",
                                       "width_mean",
                                       "width_sd",
                                       "ntk_bias",
                                       "ntk_test_nvar",
                                       "delta_ntk_ncov",
                                       "test_output",
                                       "validity",
                                       "delta_two_time_ncov"};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *deep =
        test_theory(ctx, "{model: deep-linear-fluctuations, params: {depth: 1, steps: "
                         "6, schedule: {factor: 0.8}, two_time: true, center: false, " DATA "}}");
    nnd_frame *two =
        test_theory(ctx, "{model: two-layer-fluctuations, params: {activation: linear, "
                         "steps: 6, schedule: {factor: 0.8}, two_time: true, " DATA "}}");
    for (size_t v = 0; v < sizeof same / sizeof *same; v++) {
        const nnd_array *a = nnd_frame_find(deep, same[v]), *b = nnd_frame_find(two, same[v]);
        ck_assert_msg(a != NULL && b != NULL && a->count == b->count, "%s", same[v]);
        for (size_t i = 0; i < a->count; i++)
            near(same[v], a->data[i], b->data[i], 1e-11 * (1.0 + fabs(b->data[i])));
    }
    nnd_frame_free(deep);
    nnd_frame_free(two);
    nnd_context_free(ctx);
}
END_TEST

/* ---- a plain twin of the simulator ---- */

enum { D = 2, N1 = 4, N2 = 8, STEPS = 3, P = 2 };

typedef struct {
    double w0[N1][D], w1[N2][N1], w[N2];
    double h1[P][N1], h2[P][N2], g1[N1];
} twin;

static void twin_forward(twin *n, double x[P][D], double gamma0, double sigma, double f[P]) {
    for (int mu = 0; mu < P; mu++) {
        f[mu] = 0.0;
        for (int i = 0; i < N1; i++)
            n->h1[mu][i] = sigma / sqrt(D) * (n->w0[i][0] * x[mu][0] + n->w0[i][1] * x[mu][1]);
        for (int i = 0; i < N2; i++) {
            n->h2[mu][i] = 0.0;
            for (int j = 0; j < N1; j++)
                n->h2[mu][i] += sigma / sqrt(N1) * n->w1[i][j] * n->h1[mu][j];
            f[mu] += sigma / (gamma0 * N2) * n->w[i] * n->h2[mu][i];
        }
    }
    for (int j = 0; j < N1; j++) {
        n->g1[j] = 0.0;
        for (int i = 0; i < N2; i++)
            n->g1[j] += sigma / sqrt(N1) * n->w1[i][j] * sigma / (gamma0 * N2) * n->w[i];
    }
}

/* Rates go with the rows of a matrix, and the columns of the readout. */
static void twin_step(twin *n, double x[P][D], double gamma0, double sigma, double lr,
                      const double delta[P]) {
    const twin old = *n;
    double rate = lr * gamma0 * gamma0 / P;
    for (int mu = 0; mu < P; mu++) {
        for (int i = 0; i < N1; i++)
            for (int k = 0; k < D; k++)
                n->w0[i][k] += rate * N1 * delta[mu] * old.g1[i] * sigma / sqrt(D) * x[mu][k];
        for (int i = 0; i < N2; i++) {
            double g2 = sigma / (gamma0 * N2) * old.w[i];
            for (int j = 0; j < N1; j++)
                n->w1[i][j] += rate * N2 * delta[mu] * g2 * sigma / sqrt(N1) * old.h1[mu][j];
            n->w[i] += rate * N2 * delta[mu] * sigma / (gamma0 * N2) * old.h2[mu][i];
        }
    }
}

START_TEST(a_plain_network_trains_the_same) {
    const double gamma0 = 1.3, sigma = 0.9, y[P] = {1.0, -0.5}, lr[] = {0.2, 0.1, 0.4, NAN};
    double x[P][D] = {{1.2, -0.3}, {0.4, 1.1}}, f[P], start[P], delta[P];
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(
        ctx, "{model: deep-linear-fluctuations, params: {depth: 2, widths: [0.5, 1], gamma0: 1.3, "
             "sigma_w: 0.9, lr: 0.2, steps: 3, schedule: [1, 0.5, 2], data: {inputs: [[1.2, -0.3], "
             "[0.4, 1.1]], targets: "
             "[1, -0.5]}}, simulate: {size: 8, seeds: 1}}");
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_frame *got = NULL;
    size_t count = s->block(c->params[0], 8);
    ck_assert_int_eq(s->simulate(ctx, c->params[0], 8, 7, 0, count, &got), NND_OK);
    twin n;
    for (uint64_t i = 0; i < N1; i++)
        nnd_rng_normals((nnd_rng_key){7, 0, 8}, NND_STREAM_DEEP_NETWORKS_WEIGHTS, i, D, n.w0[i]);
    for (uint64_t i = 0; i < N2; i++)
        nnd_rng_normals((nnd_rng_key){7, 0, 8}, NND_STREAM_DEEP_NETWORKS_WEIGHTS + 1, i, N1,
                        n.w1[i]);
    nnd_rng_normals((nnd_rng_key){7, 0, 8}, NND_STREAM_DEEP_NETWORKS_WEIGHTS + 2, 0, N2, n.w);
    for (int t = 0; t <= STEPS; t++) {
        double h11 = 0.0, h12 = 0.0, gg1 = 0.0, gg2 = 0.0, gram = 0.0, h2 = 0.0;
        char at[64];
        twin_forward(&n, x, gamma0, sigma, f);
        for (int mu = 0; mu < P; mu++) {
            start[mu] = t == 0 ? f[mu] : start[mu];
            delta[mu] = y[mu] - f[mu] + start[mu];
            snprintf(at, sizeof at, "seed=0,t=%d,mu=%d", t, mu);
            near("delta", test_value(got, "delta", at), delta[mu], 1e-13);
        }
        for (int i = 0; i < N1; i++) {
            h11 += n.h1[0][i] * n.h1[1][i] / N1;
            h12 += n.h1[1][i] * n.h1[1][i] / N1;
            gg1 += gamma0 * N1 * n.g1[i] * gamma0 * N1 * n.g1[i] / N1;
        }
        for (int i = 0; i < N2; i++) {
            gg2 += sigma * sigma * n.w[i] * n.w[i] / N2;
            h2 += n.h2[0][i] * n.h2[1][i] / N2;
        }
        gram = (x[0][0] * x[1][0] + x[0][1] * x[1][1]) / D;
        snprintf(at, sizeof at, "seed=0,t=%d,layer=1,mu=0,nu=1", t);
        near("h_gram", test_value(got, "h_gram", at), h11, 1e-13);
        snprintf(at, sizeof at, "seed=0,t=%d,layer=1,mu=1,nu=1", t);
        near("h_gram", test_value(got, "h_gram", at), h12, 1e-13);
        snprintf(at, sizeof at, "seed=0,t=%d,layer=1", t);
        near("g_gram", test_value(got, "g_gram", at), gg1, 1e-13);
        snprintf(at, sizeof at, "seed=0,t=%d,layer=2", t);
        near("g_gram", test_value(got, "g_gram", at), gg2, 1e-13);
        /* K = sigma^2 (G^1 K^x + G^2 H^1 + H^2). */
        snprintf(at, sizeof at, "seed=0,t=%d,mu=0,nu=1", t);
        near("ntk", test_value(got, "ntk", at), sigma * sigma * (gg1 * gram + gg2 * h11 + h2),
             1e-12);
        twin_step(&n, x, gamma0, sigma, lr[t], delta);
    }
    nnd_frame_free(got);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(widths_that_are_no_numbers_of_neurons_are_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, DEEP("widths: [0.5, 1, 1], "));
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_objection o = {0};
    ck_assert(s->check(c->params[0], 10, &o));
    ck_assert(!s->check(c->params[0], 11, &o));
    ck_assert_msg(strstr(o.text, "widths[0]") != NULL, "%s", o.text);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* ---- ensembles ---- */

START_TEST(an_ensemble_agrees_with_theory) {
    static const char *const compared[] = {"delta_nvar",  "delta_ncov", "ntk_nvar",
                                           "h_gram_nvar", "g_gram",     "test_output_nvar",
                                           "loss_nvar",   "ntk_test",   "ntk_test_nvar"};
    /* Of one size: a correction of order 1/N of relative size validity/N and about 5/N. */
    const double sigmas = 5.0, correction = 0.15;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear-fluctuations, params: {depth: 2, steps: 4, "
                                 "record_every: 2, widths: [0.5, 1.5], " DATA
                                 "}, simulate: {size: 60, seeds: 600}}");
    nnd_store *store = nnd_memory_store_new();
    nnd_frame *theory = NULL;
    nnd_ensemble e;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &theory), NND_OK);
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_OK);
    for (size_t v = 0; v < sizeof compared / sizeof *compared; v++) {
        char se_name[64];
        snprintf(se_name, sizeof se_name, "%s_se", compared[v]);
        const nnd_array *want = nnd_frame_find(theory, compared[v]);
        const nnd_array *got = nnd_frame_find(e.mc, compared[v]);
        const nnd_array *se = nnd_frame_find(e.mc, se_name);
        ck_assert_msg(want != NULL && got != NULL && se != NULL && want->count == got->count, "%s",
                      compared[v]);
        for (size_t i = 0; i < want->count; i++)
            ck_assert_msg(fabs(got->data[i] - want->data[i]) <=
                              sigmas * se->data[i] + correction * fabs(want->data[i]),
                          "%s[%zu]: theory %.6g, simulation %.6g +- %.2g", compared[v], i,
                          want->data[i], got->data[i], se->data[i]);
    }
    nnd_frame_free(theory);
    nnd_ensemble_clear(&e);
    nnd_memory_store_free(store);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deep_fluctuations");
    TCase *theory = tcase_create("theory");
    tcase_add_test(theory, the_variance_of_a_loss_is_claimed_where_its_next_order_is_small);
    tcase_add_test(theory, losses_modes_and_widths_follow_from_covariance_and_bias);
    tcase_add_test(theory, modes_of_one_eigenvalue_are_no_modes);
    tcase_add_test(theory, schedules_multiply_the_rate);
    tcase_add_test(theory, depth_one_is_the_model_of_two_layers);
    suite_add_tcase(suite, theory);
    TCase *networks = tcase_create("networks");
    tcase_add_test(networks, a_plain_network_trains_the_same);
    tcase_add_test(networks, widths_that_are_no_numbers_of_neurons_are_refused);
    tcase_add_test(networks, an_ensemble_agrees_with_theory);
    suite_add_tcase(suite, networks);
    return test_main(suite);
}
