/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Simulated perceptrons against a plain twin that forms its gradient by differences of the loss,
 * against identities, and against the reference cases wide-mlp.md#s11. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "networks.h"
#include "support.h"
#include "validate/wide_mlp_record.h"

enum { N = 7, STEPS = 4, MAX_WEIGHTS = 400 };

#define DATA                                                                                       \
    "data: {inputs: [[1, 0.3, -0.5], [0.2, -1.1, 0.4], [0.7, 0.6, 0.9], [-0.4, 0.5, 1.2]], "       \
    "targets: [1, -0.5, 0.3, 0.8], test_inputs: [[0.1, 0.9, -0.3]], test_targets: [0.4]}"

static const char *const CASES[] = {
    "{model: wide-mlp, params: {depth: 2, gamma0: 1.5, lr: 0.3, " DATA "}}",
    ("{model: wide-mlp, params: {depth: 3, activation: {name: gelu, gain: 1.3, scale: 1.2}, "
     "sigma_w: 1.2, lr: 0.1, parameterization: ntk, " DATA "}, simulate: {size: 7, seeds: 2, "
     "center: false}}"),
    ("{model: wide-mlp, params: {depth: 2, activation: softplus, lr: 0.2, batch: {size: 3, seed: "
     "4}, " DATA "}, simulate: {size: 7, seeds: 2, orthonormal_init: true}}"),
    "{model: wide-mlp, params: {depth: 1, activation: linear, gamma0: 2, lr: 0.2, batch: 1, " DATA
    "}}",
    ("{model: wide-mlp, params: {depth: 3, activation: gelu, sigma_w: 1.2, residual: mup-depth, "
     "lr: "
     "0.05, parameterization: standard, " DATA "}}"),
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    const nnd_wide_mlp *params;
    nnd_wide_block block;
    double w[2][MAX_WEIGHTS]; /* weights of the twin, of two networks */
    double start[2][8];       /* outputs at initialisation, 0 if not centred */
} fixture;

/* Standard deviation of the weights in the usual form: W_l enters as std W_l. */
static double scale_of(const fixture *f, size_t l) {
    return f->params->sigma_w / sqrt(l == 0 ? (double)f->block.net.inputs : N);
}

static double gamma_of(const fixture *f) {
    return f->params->gamma0 / (f->params->parameterization == NND_MUP ? 1.0 : sqrt(N));
}

/* Rate of the i-th weight; standard ones, std W, descend with lr themselves. */
static double rate_of(const fixture *f, size_t i) {
    double std = scale_of(f, i < N * f->block.net.inputs ? 0 : 1);
    return f->params->parameterization == NND_STANDARD
               ? f->params->lr / (std * std)
               : f->params->lr * gamma_of(f) * gamma_of(f) * N;
}

static double twin_output(const fixture *f, const double *w, const double *x) {
    double phi[N], h[N] = {0.0}, next[N];
    size_t cols = f->block.net.inputs;
    bool skips = f->params->residual != NND_RESIDUAL_NONE;
    double branch = skips ? 1.0 / sqrt((double)f->params->depth) : 1.0; /* mup-depth */
    memcpy(phi, x, cols * sizeof(double));
    for (size_t l = 0; l < (size_t)f->params->depth; l++) {
        for (size_t i = 0; i < N; i++)
            next[i] =
                (l > 0 && skips ? h[i] : 0.0) + (l > 0 ? branch : 1.0) * scale_of(f, l) *
                                                    cblas_ddot((int)cols, w + i * cols, 1, phi, 1);
        memcpy(h, next, sizeof h);
        nnd_activation_apply(&f->params->activation, N, h, phi, NULL, NULL, NULL);
        w += N * cols;
        cols = N;
    }
    return f->params->sigma_w / (gamma_of(f) * N) * cblas_ddot(N, w, 1, phi, 1);
}

static double twin_loss(const fixture *f, size_t b, const double *w, const double *weight) {
    double sum = 0.0;
    for (size_t mu = 0; mu < f->block.training; mu++) {
        double f_mu = twin_output(f, w, f->block.set.inputs + mu * f->block.net.inputs);
        double delta = f->block.set.targets[mu] - f_mu + f->start[b][mu];
        sum += weight[mu] * delta * delta / 2.0;
    }
    return sum;
}

static size_t weight_count(const fixture *f) {
    return f->block.net.weight_count / 2;
}

static fixture *begin(const char *yaml) {
    fixture *f = calloc(1, sizeof *f);
    f->ctx = nnd_context_new(NULL);
    f->c = test_case(f->ctx, yaml);
    f->params = f->c->params[0];
    ck_assert_int_eq(nnd_wide_block_make(f->ctx, f->params, N, 2, &f->block), NND_OK);
    ck_assert_int_eq(nnd_wide_block_draw(&f->block, (nnd_rng_key){3, 5, N}), NND_OK);
    ck_assert(weight_count(f) <= MAX_WEIGHTS);
    for (size_t b = 0; b < 2; b++) {
        double *to = f->w[b];
        for (size_t l = 0; l < f->block.net.layers; l++) {
            size_t n = f->block.net.layer[l].rows * f->block.net.layer[l].cols;
            memcpy(to, nnd_network_weights(&f->block.net, l, b), n * sizeof(double));
            to += n;
        }
        for (size_t mu = 0; f->params->center && mu < f->block.training; mu++)
            f->start[b][mu] =
                twin_output(f, f->w[b], f->block.set.inputs + mu * f->block.net.inputs);
    }
    return f;
}

static void end(fixture *f) {
    nnd_wide_block_clear(&f->block);
    nnd_case_free(f->c);
    nnd_context_free(f->ctx);
    free(f);
}

/* Fourth-order differences. */
static void twin_gradient(fixture *f, size_t b, const double *weight, double *gradient) {
    const double step = 1e-3;
    double *w = f->w[b];
    for (size_t i = 0; i < weight_count(f); i++) {
        double kept = w[i], value[5];
        for (int k = -2; k <= 2; k++) {
            w[i] = kept + k * step;
            value[k + 2] = twin_loss(f, b, w, weight);
        }
        w[i] = kept;
        gradient[i] = (value[0] - 8.0 * value[1] + 8.0 * value[3] - value[4]) / (12.0 * step);
    }
}

START_TEST(descent_equals_that_of_a_plain_twin) {
    fixture *f = begin(CASES[_i]);
    double all[4] = {0.25, 0.25, 0.25, 0.25}, weight[4], gradient[MAX_WEIGHTS];
    for (size_t t = 0; t <= STEPS; t++) {
        nnd_wide_block_evaluate(&f->block);
        for (size_t b = 0; b < 2; b++) {
            /* Differences are good to 1e-11, times eta and steps. */
            test_close("loss", f->block.loss[b], twin_loss(f, b, f->w[b], all), 1e-8);
            nnd_schedule_weights(&f->block.schedule, t, weight);
            twin_gradient(f, b, weight, gradient);
            for (size_t i = 0; i < weight_count(f); i++)
                f->w[b][i] -= rate_of(f, i) * gradient[i];
        }
        nnd_wide_block_step(&f->block, t);
    }
    end(f);
}
END_TEST

START_TEST(recipe_trains_the_same_network) {
    fixture *f = begin(CASES[_i]);
    nnd_frame *recipe;
    ck_assert_int_eq(nnd_simulator_find(f->c->model)->recipe(f->ctx, f->params, N, &recipe),
                     NND_OK);
    const double *std = nnd_frame_find(recipe, "init_std")->data;
    const double *lr = nnd_frame_find(recipe, "raw_lr")->data;
    double divisor = nnd_frame_find(recipe, "output_divisor")->data[0];
    double weight[4] = {0.25, 0.25, 0.25, 0.25}, gradient[MAX_WEIGHTS];
    test_close("divisor", f->block.net.layer[3].scale, std[3] / divisor, 1e-14);
    for (size_t t = 0; t < 3; t++) {
        nnd_wide_block_evaluate(&f->block);
        test_close("loss", f->block.loss[0], twin_loss(f, 0, f->w[0], weight), 1e-8);
        nnd_wide_block_step(&f->block, t);
        twin_gradient(f, 0, weight, gradient);
        size_t i = 0;
        for (size_t l = 0; l < f->block.net.layers; l++)
            for (size_t n = f->block.net.layer[l].rows * f->block.net.layer[l].cols; n > 0; n--)
                /* A = std W descends with raw_lr; dLoss/dA = dLoss/dW / std. */
                f->w[0][i] -= lr[l] / (std[l] * std[l]) * gradient[i], i++;
    }
    nnd_frame_free(recipe);
    end(f);
}
END_TEST

/* f = a V x with two matrices as a framework has them: standard deviations sigma_w/sqrt(fan-in),
 * one rate, no divisor. */
START_TEST(standard_networks_are_those_of_a_framework) {
    const double lr = 0.05;
    fixture *f = begin("{model: wide-mlp, params: {depth: 1, activation: linear, sigma_w: 1.2, lr: "
                       "0.05, parameterization: standard, " DATA "}, simulate: {size: 7, seeds: 2, "
                       "center: false}}");
    double v[N * 3], a[N];
    for (size_t i = 0; i < N; i++) {
        a[i] = 1.2 / sqrt(7.0) * nnd_network_weights(&f->block.net, 1, 0)[i];
        for (size_t j = 0; j < 3; j++)
            v[3 * i + j] = 1.2 / sqrt(3.0) * nnd_network_weights(&f->block.net, 0, 0)[3 * i + j];
    }
    for (size_t t = 0; t <= STEPS; t++) {
        double next_v[N * 3], next_a[N];
        memcpy(next_v, v, sizeof v);
        memcpy(next_a, a, sizeof a);
        nnd_wide_block_evaluate(&f->block);
        for (size_t mu = 0; mu < 4; mu++) {
            double h[N], out = 0.0;
            const double *x = f->block.set.inputs + 3 * mu;
            for (size_t i = 0; i < N; i++) {
                h[i] = cblas_ddot(3, v + 3 * i, 1, x, 1);
                out += a[i] * h[i];
            }
            ck_assert_double_eq_tol(f->block.net.output[mu], out, 1e-13);
            double push = lr / 4.0 * (f->block.set.targets[mu] - out);
            cblas_daxpy(N, push, h, 1, next_a, 1);
            cblas_dger(CblasRowMajor, N, 3, push, a, 1, x, 1, next_v, 3);
        }
        memcpy(v, next_v, sizeof v);
        memcpy(a, next_a, sizeof a);
        nnd_wide_block_step(&f->block, t);
    }
    end(f);
}
END_TEST

START_TEST(the_recipe_of_standard_networks_has_one_rate) {
    fixture *f = begin(CASES[4]);
    nnd_frame *recipe;
    ck_assert_int_eq(nnd_simulator_find(f->c->model)->recipe(f->ctx, f->params, N, &recipe),
                     NND_OK);
    test_close("divisor", nnd_frame_find(recipe, "output_divisor")->data[0], 1.0, 1e-15);
    for (size_t l = 0; l < 4; l++) {
        double branch = l == 1 || l == 2 ? 1.0 / sqrt(3.0) : 1.0;
        test_close("std", nnd_frame_find(recipe, "init_std")->data[l],
                   branch * 1.2 / sqrt(l == 0 ? 3.0 : 7.0), 1e-14);
        test_close("rate", nnd_frame_find(recipe, "raw_lr")->data[l], branch * branch * 0.05,
                   1e-14);
    }
    nnd_frame_free(recipe);
    end(f);
}
END_TEST

START_TEST(orthonormal_columns_are_orthogonal_with_squared_norm_n) {
    fixture *f = begin(CASES[2]);
    for (size_t b = 0; b < 2; b++) {
        const double *w0 = nnd_network_weights(&f->block.net, 0, b);
        const double *readout = nnd_network_weights(&f->block.net, 2, b);
        for (int i = 0; i < 3; i++) {
            ck_assert(fabs(cblas_ddot(N, w0 + i, 3, readout, 1)) < 1e-13);
            for (int j = 0; j < 3; j++)
                ck_assert_double_eq_tol(cblas_ddot(N, w0 + i, 3, w0 + j, 3), i == j ? N : 0.0,
                                        1e-13);
        }
        test_close("readout", cblas_ddot(N, readout, 1, readout, 1), N, 1e-14);
    }
    end(f);
}
END_TEST

/* Gram-Schmidt keeps the direction of the first column, of either sign. */
START_TEST(orthonormalising_keeps_the_first_column) {
    fixture *f = begin(CASES[2]);
    double drawn[N];
    for (uint64_t i = 0; i < N; i++) {
        double row[3];
        nnd_rng_normals((nnd_rng_key){3, 5, N}, 0, i, 3, row);
        drawn[i] = row[0];
    }
    double norm = cblas_dnrm2(N, drawn, 1);
    for (size_t i = 0; i < N; i++)
        test_close("weight", nnd_network_weights(&f->block.net, 0, 0)[3 * i],
                   drawn[i] * sqrt(N) / norm, 1e-12);
    end(f);
}
END_TEST

/* ---- records ---- */

#define RECORDED                                                                                   \
    "{model: wide-mlp, params: {depth: 3, activation: erf, sigma_w: 1.2, gamma0: 2, lr: 0.1, "     \
    "steps: 6, record: [0, 4], two_time: true, " DATA "}, simulate: {size: 64, seeds: 2}}"

/* K = sigma_w^2 sum_l G^{l+1} Phi^l (wide-mlp.md#s1) holds exactly at finite width. */
START_TEST(the_tangent_kernel_is_the_sum_over_layers) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, RECORDED);
    const nnd_wide_mlp *p = c->params[0];
    nnd_dataset set;
    ck_assert_int_eq(nnd_dataset_make(ctx, &p->data, &set), NND_OK);
    nnd_frame *frame = simulated(ctx, RECORDED);
    for (int t = 0; t <= 6; t += t == 0 ? 4 : 2)
        for (int mu = 0; mu < 4; mu++)
            for (int nu = 0; nu < 4; nu++) {
                double sum = 0.0;
                for (int l = 0; l <= 3; l++) {
                    double g = l == 3 ? 1.0
                                      : at(frame, "g_gram", "seed=1,t=%d,layer=%d,mu=%d,nu=%d", t,
                                           l + 1, mu, nu);
                    double phi = l == 0 ? set.gram[mu * 5 + nu]
                                        : at(frame, "phi_gram", "seed=1,t=%d,layer=%d,mu=%d,nu=%d",
                                             t, l, mu, nu);
                    sum += 1.2 * 1.2 * g * phi;
                }
                ck_assert_double_eq_tol(at(frame, "ntk", "seed=1,t=%d,mu=%d,nu=%d", t, mu, nu), sum,
                                        1e-12);
            }
    nnd_frame_free(frame);
    nnd_dataset_clear(&set);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* After one small step outputs move by lr/P K Delta, on test samples too. */
START_TEST(outputs_follow_the_tangent_kernel) {
    static const char *const cases[] = {
        "{model: wide-mlp, params: {depth: 2, lr: 1e-6, steps: 1, " DATA
        "}, simulate: {size: 64, seeds: 2}}",
        "{model: wide-mlp, params: {depth: 2, lr: 1e-6, steps: 1, sigma_w: 1.3, parameterization: "
        "standard, " DATA "}, simulate: {size: 5, seeds: 2}}"};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(ctx, cases[_i]);
    double want = 0.0, want_test = 0.0;
    for (int nu = 0; nu < 4; nu++) {
        double delta = at(frame, "delta", "seed=0,t=0,mu=%d", nu);
        want += 1e-6 / 4.0 * at(frame, "ntk", "seed=0,t=0,mu=2,nu=%d", nu) * delta;
        want_test += 1e-6 / 4.0 * at(frame, "ntk_test", "seed=0,t=0,test=0,mu=%d", nu) * delta;
    }
    test_close("output", at(frame, "output", "seed=0,t=1,mu=2"), want, 1e-5);
    test_close("test output", at(frame, "test_output", "seed=0,t=1,test=0"), want_test, 1e-5);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(two_time_kernels_meet_those_at_equal_times) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(ctx, RECORDED);
    for (int t = 0; t <= 6; t += t == 0 ? 4 : 2)
        for (int l = 1; l <= 3; l++) {
            test_close("phi",
                       at(frame, "phi_two_time", "seed=1,layer=%d,t=%d,s=%d,mu=1,nu=3", l, t, t),
                       at(frame, "phi_gram", "seed=1,layer=%d,t=%d,mu=1,nu=3", l, t), 1e-12);
            test_close("g", at(frame, "g_two_time", "seed=1,layer=%d,t=%d,s=%d,mu=1,nu=3", l, t, t),
                       at(frame, "g_gram", "seed=1,layer=%d,t=%d,mu=1,nu=3", l, t), 1e-12);
            test_close(
                "transposed", at(frame, "phi_two_time", "seed=1,layer=%d,t=0,s=%d,mu=1,nu=3", l, t),
                at(frame, "phi_two_time", "seed=1,layer=%d,t=%d,s=0,mu=3,nu=1", l, t), 1e-12);
        }
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(singular_values_and_vectors_equal_a_full_decomposition) {
    fixture *f = begin(CASES[1]);
    nnd_wide_record r;
    nnd_wide_block_evaluate(&f->block);
    ck_assert_int_eq(nnd_wide_record_make(f->ctx, &f->block, 0, &r), NND_OK);
    nnd_wide_record_begin(&r, (nnd_rng_key){3, 5, N});
    for (size_t t = 0; t < STEPS; t++) {
        nnd_wide_block_step(&f->block, t);
        nnd_wide_block_evaluate(&f->block);
    }
    ck_assert_int_eq(nnd_wide_record_take(&r, 1, 0), NND_OK);
    const nnd_network *net = &f->block.net;
    for (size_t l = 1; l <= 2; l++) {
        double a[N * N], u[N * N], vt[N * N], s[N], super[N];
        memcpy(a, nnd_network_weights(net, l, 1), sizeof a);
        ck_assert_int_eq(
            LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'A', 'A', N, N, a, N, s, u, N, vt, N, super), 0);
        const double *phi = r.first_phi + (2 + l - 1) * N, *g = r.first_g + (2 + l - 1) * N;
        for (int k = 0; k < 3; k++) {
            double right = cblas_ddot(N, vt + k * N, 1, phi, 1) / cblas_dnrm2(N, phi, 1);
            double left = cblas_ddot(N, u + k, N, g, 1) / cblas_dnrm2(N, g, 1);
            test_close("value", at(r.frame, "outlier", "seed=1,t=0,matrix=%zu,k=%d", l, k + 1),
                       s[k] * f->params->sigma_w / sqrt(N), 1e-9);
            ck_assert_double_eq_tol(
                at(r.frame, "outlier_right", "seed=1,t=0,matrix=%zu,k=%d", l, k + 1), right * right,
                1e-5);
            ck_assert_double_eq_tol(
                at(r.frame, "outlier_left", "seed=1,t=0,matrix=%zu,k=%d", l, k + 1), left * left,
                1e-5);
        }
    }
    nnd_frame_free(r.frame);
    nnd_wide_record_clear(&r);
    end(f);
}
END_TEST

/* Two samples in three dimensions: the third direction of W0 is left out. */
START_TEST(weights_of_the_inputs_are_seen_on_the_span_of_the_data) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(
        ctx, "{model: wide-mlp, params: {steps: 0, data: {inputs: [[1, 1, 0], [1, -1, 0]], "
             "targets: [1, 0]}}, simulate: {size: 50, seeds: 2}}");
    double sum[3] = {0.0};
    for (uint64_t i = 0; i < 50; i++) {
        double row[3];
        nnd_rng_normals((nnd_rng_key){1, 1, 50}, 0, i, 3, row);
        sum[0] += row[0] * row[0] / 50.0;
        sum[1] += row[1] * row[1] / 50.0;
        sum[2] += row[0] * row[1] / 50.0;
    }
    double mean = (sum[0] + sum[1]) / 2.0, half = hypot((sum[0] - sum[1]) / 2.0, sum[2]);
    test_close("first", at(frame, "input_eig", "seed=1,t=0,k=1"), mean + half, 1e-12);
    test_close("second", at(frame, "input_eig", "seed=1,t=0,k=2"), mean - half, 1e-12);
    ck_assert(isnan(at(frame, "input_eig", "seed=1,t=0,k=3")));
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(a_diverged_network_is_recorded_up_to_that_step) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(
        ctx, "{model: wide-mlp, params: {depth: 2, activation: linear, lr: 20, steps: 30, "
             "two_time: true, " DATA "}, simulate: {size: 20, seeds: 2}}");
    double step = at(frame, "diverged_at", "seed=0");
    ck_assert(step > 1.0 && step < 30.0);
    ck_assert(isfinite(at(frame, "loss", "seed=0,t=%g", step - 1.0)));
    ck_assert(isnan(at(frame, "loss", "seed=0,t=%g", step)));
    ck_assert(isnan(at(frame, "outlier", "seed=0,t=%g,matrix=1,k=1", step)));
    ck_assert(isfinite(at(frame, "phi_two_time", "seed=0,layer=1,t=0,s=%g,mu=0,nu=0", step - 1)));
    ck_assert(isnan(at(frame, "phi_two_time", "seed=0,layer=1,t=0,s=%g,mu=0,nu=0", step)));
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

/* ---- reference cases wide-mlp.md#s11 ---- */

START_TEST(networks_follow_case_a2) {
    static const reference of[] = {{"delta", "t=1,mu=0", 0.918036125, 2e-3},
                                   {"delta", "t=20,mu=0", 0.163517301, 2e-3},
                                   {"ntk", "t=20,mu=0,nu=0", 0.959436390, 4e-3},
                                   {"h_gram", "t=20,layer=1,mu=0,nu=0", 3.987200604, 1e-2},
                                   {"readout_norm2", "t=20", 13.649236580, 5e-2},
                                   {"input_eig", "t=20,k=1", 3.987200604, 1e-2}};
    compare(
        "{model: wide-mlp, params: {gamma0: 4, steps: 20, record: [1], data: {gram: 1, targets: "
        "1}}, simulate: {size: 1000, seeds: 24, orthonormal_init: true}}",
        sizeof of / sizeof *of, of);
}
END_TEST

START_TEST(networks_follow_case_b1) {
    static const reference of[] = {{"delta", "t=1,mu=0", 0.94, 3e-3},
                                   {"delta", "t=5,mu=0", 0.418761226, 6e-3},
                                   {"h_gram", "t=10,layer=1,mu=0,nu=0", 3.807274330, 3e-2},
                                   {"h_gram", "t=10,layer=2,mu=0,nu=0", 17.698247442, 0.2},
                                   {"ntk", "t=10,mu=0,nu=0", 49.89183271, 0.5},
                                   {"outlier", "t=10,matrix=1,k=1", 2.283437544, 6e-3}};
    compare("{model: wide-mlp, params: {depth: 2, activation: linear, gamma0: 8, lr: 0.02, steps: "
            "10, record: [1, 5], data: {gram: 1, targets: 1}}, simulate: {size: 300, seeds: 26, "
            "orthonormal_init: true}}",
            sizeof of / sizeof *of, of);
}
END_TEST

START_TEST(networks_follow_case_d) {
    static const reference of[] = {{"delta", "t=1,mu=0", 0.93724, 2e-3},
                                   {"delta", "t=10,mu=0", 0.51773, 4e-3},
                                   {"delta", "t=30,mu=1", 0.00771, 2e-3},
                                   {"test_output", "t=10,test=0", 0.37034, 4e-3},
                                   {"test_output", "t=30,test=0", 0.75175, 4e-3},
                                   {"ntk_test", "t=30,test=0,mu=0", 0.74365, 1e-2},
                                   {"outlier", "t=30,matrix=1,k=1", 2.16551, 1e-2}};
    compare("{model: wide-mlp, params: {depth: 2, gamma0: 2, lr: 0.2, steps: 30, record: [1, 10], "
            "data: {gram: [[1, 0.4], [0.4, 0.8]], test_gram: [[0.5, -0.1]], test_self: [1], "
            "targets: [1, -0.5]}}, simulate: {size: 300, seeds: 26, orthonormal_init: true}}",
            sizeof of / sizeof *of, of);
}
END_TEST

START_TEST(networks_follow_the_catapult_of_case_e) {
    static const reference of[] = {{"delta", "t=1,mu=0", -1.4, 1e-2},
                                   {"delta", "t=2,mu=0", 1.8825856, 4e-2},
                                   {"ntk", "t=2,mu=0,nu=0", 1.708877619, 2e-2}};
    compare("{model: wide-mlp, params: {activation: linear, gamma0: 0.2, lr: 1.2, steps: 2, data: "
            "{gram: 1, targets: 1}}, simulate: {size: 1000, seeds: 64, orthonormal_init: true}}",
            sizeof of / sizeof *of, of);
}
END_TEST

#define IN_BATCHES(size)                                                                           \
    "{model: wide-mlp, params: {depth: 2, activation: linear, gamma0: 2, lr: 0.1, steps: 9, "      \
    "batch: {size: " size ", seed: 5}, data: {gram: [[1, 0.4, 0.1, 0], [0.4, 0.8, 0, 0.2], "       \
    "[0.1, 0, 1.2, 0.3], [0, 0.2, 0.3, 0.9]], targets: [1, -0.5, 0.8, -1.2]}}, "                   \
    "simulate: {size: 300, seeds: 26, orthonormal_init: true}}"

/* The same batches on both sides: exact theory of linear networks (wide-mlp.md#s1). */
START_TEST(networks_follow_theory_through_mini_batches) {
    const char *yaml = IN_BATCHES("2");
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *theory = test_theory(ctx, yaml);
    char where[40][32];
    reference of[40];
    size_t count = 0;
    for (int t = 0; t < 10; t++)
        for (int mu = 0; mu < 4; mu++, count++) {
            snprintf(where[count], sizeof where[count], "t=%d,mu=%d", t, mu);
            of[count] =
                (reference){"delta", where[count], test_value(theory, "delta", where[count]), 1e-2};
        }
    /* Full batches are something else altogether. */
    nnd_frame *full = test_theory(ctx, IN_BATCHES("4"));
    ck_assert(fabs(test_value(full, "delta", "t=5,mu=2") - of[5 * 4 + 2].want) > 0.05);
    compare(yaml, count, of);
    nnd_frame_free(full);
    nnd_frame_free(theory);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide mlp network");
    TCase *twins = tcase_create("against a plain twin");
    tcase_add_loop_test(twins, descent_equals_that_of_a_plain_twin, 0, CASE_COUNT);
    tcase_add_loop_test(twins, recipe_trains_the_same_network, 1, 2);
    tcase_add_loop_test(twins, recipe_trains_the_same_network, 4, 5);
    tcase_add_test(twins, standard_networks_are_those_of_a_framework);
    tcase_add_test(twins, the_recipe_of_standard_networks_has_one_rate);
    tcase_add_test(twins, orthonormal_columns_are_orthogonal_with_squared_norm_n);
    tcase_add_test(twins, orthonormalising_keeps_the_first_column);
    suite_add_tcase(suite, twins);
    TCase *records = tcase_create("records");
    tcase_add_test(records, the_tangent_kernel_is_the_sum_over_layers);
    tcase_add_loop_test(records, outputs_follow_the_tangent_kernel, 0, 2);
    tcase_add_test(records, two_time_kernels_meet_those_at_equal_times);
    tcase_add_test(records, singular_values_and_vectors_equal_a_full_decomposition);
    tcase_add_test(records, weights_of_the_inputs_are_seen_on_the_span_of_the_data);
    tcase_add_test(records, a_diverged_network_is_recorded_up_to_that_step);
    suite_add_tcase(suite, records);
    TCase *references = tcase_create("reference cases");
    tcase_add_test(references, networks_follow_case_a2);
    tcase_add_test(references, networks_follow_case_b1);
    tcase_add_test(references, networks_follow_case_d);
    tcase_add_test(references, networks_follow_the_catapult_of_case_e);
    tcase_add_test(references, networks_follow_theory_through_mini_batches);
    suite_add_tcase(suite, references);
    return test_main(suite);
}
