/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks with many outputs against plain loops over their samples and weights, against networks
 * as they are built, and flows against another algorithm and what they conserve. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/streams.h"
#include "support.h"
#include "validate/many_outputs_spectrum.h"
#include "validate/many_outputs_train.h"

static const nnd_rng_key KEY = {7, 3, 12};

/* Sums of some hundred products, over some steps. */
static const double ROUNDING = 1e-12;

static nnd_context *ctx;
static nnd_case *given;
static nnd_outputs_network net;
static nnd_outputs_training training;

static void setup(void) {
    ctx = nnd_context_new(NULL);
}

static void teardown(void) {
    nnd_outputs_training_clear(&training);
    nnd_outputs_network_clear(&net);
    nnd_case_free(given);
    given = NULL;
    nnd_context_free(ctx);
}

static const nnd_many_outputs *params(void) {
    return given->params[0];
}

/* A network of these parameters and this size, drawn and at the start of its training. */
static void begin(const char *yaml, size_t size) {
    nnd_outputs_training_clear(&training);
    nnd_outputs_network_clear(&net);
    nnd_case_free(given);
    given = test_case(ctx, yaml);
    ck_assert_int_eq(nnd_outputs_network_make(ctx, params(), size, &net), NND_OK);
    ck_assert_int_eq(nnd_outputs_training_make(ctx, &net, &training), NND_OK);
    ck_assert_int_eq(nnd_outputs_network_draw(ctx, &net, KEY), NND_OK);
    ck_assert_int_eq(nnd_outputs_training_start(ctx, &training), NND_OK);
}

static void train_to(double time) {
    ck_assert_int_eq(nnd_outputs_training_to(ctx, &training, time), NND_OK);
}

static double *copy_of(const double *x, size_t n) {
    double *y = malloc(n * sizeof *y);
    return memcpy(y, x, n * sizeof *y);
}

static double largest_difference(const double *x, const double *y, size_t n) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = isnan(x[i] - y[i]) ? INFINITY : fmax(largest, fabs(x[i] - y[i]));
    return largest;
}

/* x (rows x inner) y (inner x cols), either of them transposed where it stands so. */
static void multiply(const double *x, bool tx, const double *y, bool ty, size_t rows, size_t inner,
                     size_t cols, double *out) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            out[i * cols + j] = 0.0;
            for (size_t k = 0; k < inner; k++)
                out[i * cols + j] += (tx ? x[k * rows + i] : x[i * inner + k]) *
                                     (ty ? y[j * inner + k] : y[k * cols + j]);
        }
}

/* ---- descent ---- */

/* The gradient of sum |y - f|^2/(2P) over samples drawn one by one, or of the population. */
static void plain_gradient(const double *a, const double *w, double *by_output) {
    const nnd_outputs_shape *s = &net.shape;
    size_t c = s->outputs, d = s->inputs, n = s->width;
    double *x = malloc(d * sizeof *x), *h = malloc(n * sizeof *h),
           *noise = malloc(c * sizeof *noise);
    memset(by_output, 0, c * d * sizeof *by_output);
    size_t count = s->samples > 0 ? s->samples : d;
    for (size_t m = 0; m < count; m++) {
        memset(noise, 0, c * sizeof *noise);
        if (s->samples > 0) {
            nnd_rng_normals(KEY, NND_STREAM_MANY_OUTPUTS_INPUTS, m, d, x);
            nnd_rng_normals(KEY, NND_STREAM_MANY_OUTPUTS_NOISE, m, c, noise);
        } else { /* the axes, which stand for the population */
            for (size_t j = 0; j < d; j++)
                x[j] = j == m ? 1.0 : 0.0;
        }
        multiply(w, false, x, false, n, d, 1, h);
        for (size_t i = 0; i < c; i++) {
            double f = 0.0, y = sqrt(params()->label_noise) * noise[i];
            for (size_t k = 0; k < n; k++)
                f += a[i * n + k] * h[k] / net.gamma;
            for (size_t j = 0; j < d; j++)
                y += net.target[i * d + j] * x[j];
            for (size_t j = 0; j < d; j++)
                by_output[i * d + j] +=
                    net.gamma * (y - f) * x[j] / (s->samples > 0 ? (double)s->samples : 1.0);
        }
    }
    free(x);
    free(h);
    free(noise);
}

static void plain_descent(int steps, bool readout, double *a, double *w) {
    size_t c = net.shape.outputs, d = net.shape.inputs, n = net.shape.width;
    double *g = malloc(c * d * sizeof *g), *da = malloc(c * n * sizeof *da);
    double *dw = malloc(n * d * sizeof *dw), lr = params()->lr;
    for (int t = 0; t < steps; t++) {
        plain_gradient(a, w, g);
        multiply(a, true, g, false, n, c, d, dw);
        multiply(g, false, w, true, c, d, n, da);
        for (size_t i = 0; i < n * d; i++)
            w[i] += lr * dw[i];
        for (size_t i = 0; readout && i < c * n; i++)
            a[i] += params()->lr_ratio * lr * da[i];
    }
    free(g);
    free(da);
    free(dw);
}

static const char *const DESCENTS[] = {
    "{model: many-outputs, params: {c: 0.5, d: 0.75, gamma: 1.5, steps: 4}}",
    "{model: many-outputs, params: {c: 0.5, d: 0.75, gamma: 1.5, p: 1.25, label_noise: 0.3, steps: "
    "4}}",
    "{model: many-outputs, params: {variant: steps, c: 1.5, d: 0.5, gamma: 0.7, readout2: 0.6, "
    "lr_ratio: 0.4, steps: 4, target: [0.5, 2], tau2: 0.3}}",
    "{model: many-outputs, params: {variant: steps, c: 0.75, d: 1.25, p: 0.5, label_noise: 1, "
    "steps: "
    "4}}",
};

START_TEST(descent_is_that_of_plain_loops_over_samples) {
    begin(DESCENTS[_i], 12);
    size_t readout = net.shape.outputs * net.shape.width,
           hidden = net.shape.width * net.shape.inputs;
    double *a = copy_of(net.a, readout), *w = copy_of(net.w, hidden);
    plain_descent(4, params()->variant == NND_BOTH_TRAINED, a, w);
    train_to(4.0);
    double off = fmax(largest_difference(a, net.a, readout), largest_difference(w, net.w, hidden));
    ck_assert_msg(off < ROUNDING, "%s: off by %g", DESCENTS[_i], off);
    free(a);
    free(w);
}
END_TEST

/* The loss of the samples themselves, and its descent: along the gradient it falls by lr |grad|^2.
 */
START_TEST(loss_is_half_the_squared_error_summed_over_outputs) {
    begin(DESCENTS[1], 12);
    size_t c = net.shape.outputs, d = net.shape.inputs, n = net.shape.width, p = net.shape.samples;
    double sum = 0.0, *x = malloc(d * sizeof *x), *noise = malloc(c * sizeof *noise);
    for (size_t m = 0; m < p; m++) {
        nnd_rng_normals(KEY, NND_STREAM_MANY_OUTPUTS_INPUTS, m, d, x);
        nnd_rng_normals(KEY, NND_STREAM_MANY_OUTPUTS_NOISE, m, c, noise);
        for (size_t i = 0; i < c; i++) {
            double e = sqrt(params()->label_noise) * noise[i];
            for (size_t j = 0; j < d; j++) {
                double map = net.target[i * d + j];
                for (size_t k = 0; k < n; k++)
                    map -= net.a[i * n + k] * net.w[k * d + j] / net.gamma;
                e += map * x[j];
            }
            sum += 0.5 * e * e / (double)p;
        }
    }
    test_close("loss", nnd_outputs_network_loss(&net), sum, ROUNDING);
    free(x);
    free(noise);
    begin(DESCENTS[0], 12);
    test_close("of the population", nnd_outputs_network_loss(&net),
               0.5 * (double)net.shape.outputs * nnd_outputs_network_risk(&net), ROUNDING);
}
END_TEST

/* many-outputs.md#s1-1: raw weights with entries N(0, 1), f = V W x/(gamma0 N^chi sqrt(D)), trained
 * at the raw rate, stay sqrt(N) times A and W. */
static void check_raw(const char *yaml, bool mup) {
    begin(yaml, 0);
    size_t c = net.shape.outputs, d = net.shape.inputs, n = net.shape.width;
    double root = sqrt((double)n), gamma0 = params()->gamma0;
    double divisor = gamma0 * (mup ? (double)n : root) * sqrt((double)d);
    double rate = params()->lr * (mup ? gamma0 * gamma0 * (double)n : 1.0);
    double *v = copy_of(net.a, c * n), *w = copy_of(net.w, n * d);
    double *e = malloc(c * d * sizeof *e), *dv = malloc(c * n * sizeof *dv);
    double *dw = malloc(n * d * sizeof *dw);
    for (size_t i = 0; i < c * n; i++)
        v[i] *= root;
    for (size_t i = 0; i < n * d; i++)
        w[i] *= root;
    for (int t = 0; t < 3; t++) {
        multiply(v, false, w, false, c, n, d, e);
        for (size_t i = 0; i < c * d; i++)
            e[i] = net.target[i] - e[i] / divisor;
        multiply(v, true, e, false, n, c, d, dw);
        multiply(e, false, w, true, c, d, n, dv);
        for (size_t i = 0; i < n * d; i++)
            w[i] += rate / divisor * dw[i];
        for (size_t i = 0; i < c * n; i++)
            v[i] += rate / divisor * dv[i];
    }
    train_to(3.0);
    for (size_t i = 0; i < c * n; i++)
        v[i] /= root;
    for (size_t i = 0; i < n * d; i++)
        w[i] /= root;
    ck_assert_msg(largest_difference(w, net.w, n * d) < ROUNDING &&
                      largest_difference(v, net.a, c * n) < ROUNDING,
                  "%s", yaml);
    free(v);
    free(w);
    free(e);
    free(dv);
    free(dw);
}

START_TEST(networks_as_they_are_built_have_the_same_trajectory) {
    check_raw(
        "{model: many-outputs, params: {variant: steps, width: 9, inputs: 6, outputs: 5, gamma0: "
        "0.7, lr: 0.8, steps: 3}}",
        true);
    check_raw(
        "{model: many-outputs, params: {variant: steps, width: 9, inputs: 6, outputs: 5, gamma0: "
        "0.7, lr: 0.8, steps: 3, parameterization: ntk}}",
        false);
}
END_TEST

/* ---- flows ---- */

/* With a rate of 0 for A the flow of both layers is that of W alone, in another way. */
static const struct {
    const char *rest;
    double time;
} FLOWS[] = {{"c: 0.5, d: 0.75, gamma: 1.5, sigma2: 2", 2.5},
             {"c: 1.5, d: 0.75, gamma: 1.5", 1.0},
             {"c: 0.5, d: 0.75, p: 0.5, label_noise: 0.5", 2.5},
             {"c: 1.25, d: 0.5, p: 1.5, label_noise: 0.5", 1.0}};

START_TEST(the_flow_of_one_layer_is_that_of_both_at_a_rate_of_0) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: many-outputs, params: {integrator: flow, %s}}",
             FLOWS[_i].rest);
    begin(yaml, 12);
    train_to(0.5);
    train_to(FLOWS[_i].time);
    size_t hidden = net.shape.width * net.shape.inputs;
    double *w = copy_of(net.w, hidden), risk = nnd_outputs_network_risk(&net);
    snprintf(yaml, sizeof yaml,
             "{model: many-outputs, params: {variant: steps, lr_ratio: 0, integrator: flow, %s}}",
             FLOWS[_i].rest);
    begin(yaml, 12);
    train_to(FLOWS[_i].time);
    /* Some hundred steps, each with an error of 1e-7 of the weights. */
    ck_assert_msg(largest_difference(w, net.w, hidden) < 1e-5, "%s: off by %g", FLOWS[_i].rest,
                  largest_difference(w, net.w, hidden));
    test_close("risk", nnd_outputs_network_risk(&net), risk, 1e-5);
    free(w);
}
END_TEST

/* A^T G = 0 is reached at t = inf, where W has moved only as far as it had to: in the rows of A. */
START_TEST(the_end_of_the_flow_of_one_layer_is_a_minimum) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: many-outputs, params: {integrator: flow, time: .inf, %s}}",
             FLOWS[_i].rest);
    begin(yaml, 12);
    train_to(INFINITY);
    size_t c = net.shape.outputs, d = net.shape.inputs, n = net.shape.width;
    double *force = malloc(n * d * sizeof *force), *end = copy_of(net.w, n * d), largest = 0.0;
    multiply(net.a, true, net.gradient, false, n, c, d, force);
    for (size_t i = 0; i < n * d; i++)
        largest = fmax(largest, fabs(force[i]));
    /* Rounding of the smallest eigenvalues that move, some 1e-4, is magnified by their inverse. */
    ck_assert_msg(largest < 1e-10, "%s: a force of %g is left", FLOWS[_i].rest, largest);
    train_to(1e7);
    ck_assert_msg(largest_difference(end, net.w, n * d) < 1e-8, "%s: 1e7 is not the end, by %g",
                  FLOWS[_i].rest, largest_difference(end, net.w, n * d));
    free(force);
    free(end);
}
END_TEST

/* A^T A - W W^T stays where both layers move at one rate. */
START_TEST(the_flow_of_both_layers_keeps_their_difference) {
    begin("{model: many-outputs, params: {variant: steps, integrator: flow, c: 0.5, d: 0.75, "
          "gamma: 2, "
          "p: 1, label_noise: 0.2}}",
          12);
    enum { N = 12 };
    size_t c = net.shape.outputs, d = net.shape.inputs;
    double before[N * N], after[N * N], part[N * N], loss = nnd_outputs_network_loss(&net);
    multiply(net.a, true, net.a, false, N, c, N, before);
    multiply(net.w, false, net.w, true, N, d, N, part);
    for (int i = 0; i < N * N; i++)
        before[i] -= part[i];
    train_to(2.0);
    multiply(net.a, true, net.a, false, N, c, N, after);
    multiply(net.w, false, net.w, true, N, d, N, part);
    for (int i = 0; i < N * N; i++)
        after[i] -= part[i];
    ck_assert(nnd_outputs_network_loss(&net) < 0.5 * loss);
    ck_assert_msg(largest_difference(before, after, N * N) < 1e-5, "moved by %g",
                  largest_difference(before, after, N * N));
}
END_TEST

/* From an aligned start each mode follows a' = a + eta e w, w' = w + eta e a. */
START_TEST(aligned_networks_train_mode_by_mode) {
    begin("{model: many-outputs, params: {variant: aligned, c: 0.5, d: 0.75, gamma: 2, lr: 0.1, "
          "lr_ratio: 0.5, start: {a: 0.4, w: 0.2}, target: [1, 0.5, 0.25]}}",
          12);
    train_to(6.0);
    const double s[] = {1.0, 0.5, 0.25};
    double sum = 0.0, risk = 0.0;
    for (size_t k = 0; k < 3; k++) {
        double a = 0.4, w = 0.2;
        for (int t = 0; t < 6; t++) {
            double e = 2.0 * s[k] - a * w, next = a + 0.05 * e * w;
            w += 0.1 * e * a;
            a = next;
        }
        ck_assert_uint_eq(nnd_outputs_copies(params(), &net.shape, k), 2);
        sum += 2.0 * w * w;
        risk += 2.0 * (s[k] - a * w / 2.0) * (s[k] - a * w / 2.0) / 6.0;
    }
    double trace = 0.0;
    for (size_t i = 0; i < net.shape.width * net.shape.inputs; i++)
        trace += net.w[i] * net.w[i];
    test_close("trace", trace, sum, ROUNDING);
    test_close("risk", nnd_outputs_network_risk(&net), risk, 10.0 * ROUNDING);
}
END_TEST

START_TEST(networks_that_diverge_say_at_which_step) {
    begin("{model: many-outputs, params: {c: 0.5, d: 0.75, lr: 3, steps: 500}}", 12);
    ck_assert_int_eq(nnd_outputs_training_to(ctx, &training, 500.0), NND_DIVERGED);
    ck_assert(training.time > 3.0 && training.time < 100.0);
}
END_TEST

/* ---- spectra ---- */

/* Sums of eigenvalues and of their squares are those of the matrix; the transform is 1/D times the
 * trace of an inverse, whose derivative at infinity they are. */
static void check_spectrum(const char *yaml, size_t size) {
    begin(yaml, size);
    size_t d = net.shape.inputs, n = net.shape.width;
    nnd_outputs_spectrum s = {0};
    double *gram = malloc(d * d * sizeof *gram), trace = 0.0, square = 0.0, sum = 0.0, sum2 = 0.0;
    multiply(net.w, true, net.w, false, d, n, d, gram);
    for (size_t i = 0; i < d * d; i++) {
        trace += i % (d + 1) == 0 ? gram[i] : 0.0;
        square += gram[i] * gram[i];
    }
    ck_assert_int_eq(nnd_outputs_spectrum_make(ctx, &net, 1000, &s), NND_OK);
    nnd_outputs_spectrum_restart(&s, KEY);
    ck_assert_int_eq(nnd_outputs_spectrum_find(ctx, false, &s), NND_OK);
    ck_assert_uint_eq(s.rank, n < d ? n : d);
    for (size_t i = 0; i < s.rank; i++) {
        sum += s.value[i];
        sum2 += s.value[i] * s.value[i];
    }
    test_close("trace", sum, trace, ROUNDING);
    test_close("of the square", sum2, square, ROUNDING);
    double far = 1e4, m = creal(nnd_outputs_stieltjes(&s, -far));
    test_close("transform", m * far, 1.0 - (sum - sum2 / far) / (far * (double)d),
               20.0 * pow(sum / far, 3.0) + ROUNDING);
    double middle = s.value[s.rank / 2];
    test_close("cdf", nnd_outputs_cdf(&s, middle),
               (double)(d - s.rank + s.rank / 2 + 1) / (double)d, ROUNDING);
    test_close("all", nnd_outputs_cdf(&s, 1e9), 1.0, ROUNDING);
    ck_assert_double_eq(nnd_outputs_cdf(&s, 0.0), (double)(d - s.rank) / (double)d);
    nnd_outputs_spectrum_clear(&s);
    free(gram);
}

START_TEST(eigenvalues_are_those_of_the_matrix) {
    check_spectrum("{model: many-outputs, params: {c: 0.5, d: 0.5, steps: 3}}", 24);
    check_spectrum("{model: many-outputs, params: {c: 0.5, d: 1.5, steps: 3}}", 24);
}
END_TEST

/* Of spikes in any order each finds the eigenvalue of its rank, and its own axis. */
START_TEST(spikes_find_the_eigenvalues_of_their_ranks) {
    begin("{model: many-outputs, params: {c: 0.5, d: 0.75, sigma2: 1.0e-6, tau2: 0, gamma: 1, "
          "integrator: flow, time: .inf, spikes: [2, 5, 1], target: [0.1]}}",
          24);
    train_to(INFINITY);
    nnd_outputs_spectrum s = {0};
    double outlier[3], overlap[3];
    ck_assert_int_eq(nnd_outputs_spectrum_make(ctx, &net, 1000, &s), NND_OK);
    nnd_outputs_spectrum_restart(&s, KEY);
    ck_assert_int_eq(nnd_outputs_spectrum_find(ctx, false, &s), NND_OK);
    ck_assert_int_eq(nnd_outputs_spikes(&s, outlier, overlap), NND_OK);
    const size_t rank[] = {1, 0, 2};
    for (int i = 0; i < 3; i++) /* Lanczos is good to 1e-10 */
        test_close("outlier", outlier[i], s.value[s.rank - 1 - rank[i]], 1e-9);
    for (int i = 0; i < 3; i++) /* W = A^+ W_*: large spikes mix a little */
        ck_assert_msg(overlap[i] > 0.5 && overlap[i] <= 1.0 + ROUNDING, "%d: %g", i, overlap[i]);
    nnd_outputs_spectrum_clear(&s);
}
END_TEST

/* The same matrix, decomposed and not: the former gives the latter within the errors that its
 * random vectors have, sqrt(2/(vectors n)) of what varies over the spectrum. */
static void check_estimates(const char *yaml, size_t size) {
    begin(yaml, size);
    train_to(3.0);
    nnd_outputs_spectrum all = {0}, some = {0};
    ck_assert_int_eq(nnd_outputs_spectrum_make(ctx, &net, 1000, &all), NND_OK);
    ck_assert_int_eq(nnd_outputs_spectrum_make(ctx, &net, 0, &some), NND_OK);
    nnd_outputs_spectrum_restart(&all, KEY);
    nnd_outputs_spectrum_restart(&some, KEY);
    ck_assert_int_eq(nnd_outputs_spectrum_find(ctx, true, &all), NND_OK);
    ck_assert_int_eq(nnd_outputs_spectrum_find(ctx, true, &some), NND_OK);
    test_close("top", some.top, all.top, 1e-9);
    test_close("mean", some.mean, all.mean, ROUNDING);
    double n = (double)all.rank, error = sqrt(2.0 / (4.0 * n)), of_cdf = sqrt(2.0 / (4.0 * n));
    double complex z = 0.5 + 1.0 * I;
    double off = cabs(nnd_outputs_stieltjes(&all, z) - nnd_outputs_stieltjes(&some, z));
    ck_assert_msg(off < 5.0 * error && off > 0.0, "transform off by %g, error %g", off, error);
    for (double x = 0.1; x < 1.0; x += 0.2) {
        off = fabs(nnd_outputs_cdf(&all, x * all.top) - nnd_outputs_cdf(&some, x * all.top));
        ck_assert_msg(off < 5.0 * 0.5 * of_cdf, "cdf off by %g, error %g", off, 0.5 * of_cdf);
    }
    nnd_outputs_spectrum_clear(&all);
    nnd_outputs_spectrum_clear(&some);
}

START_TEST(large_spectra_are_estimated_from_random_vectors) {
    check_estimates("{model: many-outputs, params: {c: 0.5, d: 0.5, steps: 3}}", 200);
    check_estimates("{model: many-outputs, params: {c: 0.5, d: 1.5, steps: 3, spikes: [4]}}", 120);
}
END_TEST

START_TEST(listed_singular_values_have_the_counts_of_their_weights) {
    begin("{model: many-outputs, params: {c: 0.5, d: 0.75, target: {values: [3, 2, 1], weights: "
          "[0.1, "
          "0.15, 0.25]}}}",
          40);
    size_t want[] = {4, 6, 10}, at = 0, d = net.shape.inputs;
    for (size_t k = 0; k < 3; k++)
        ck_assert_uint_eq(nnd_outputs_copies(params(), &net.shape, k), want[k]);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < want[k]; i++, at++)
            ck_assert_double_eq(net.target[at * d + at], 3.0 - (double)k);
    begin("{model: many-outputs, params: {c: 0.5, d: 0.75, target: {power_law: 1, modes: 3}}}", 21);
    size_t all = 0; /* 11 outputs: 3, 4, 4 */
    for (size_t k = 0; k < 3; k++)
        all += nnd_outputs_copies(params(), &net.shape, k);
    ck_assert_uint_eq(all, net.shape.outputs);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("many_outputs_network");
    TCase *tests = tcase_create("many_outputs_network");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, descent_is_that_of_plain_loops_over_samples, 0, 4);
    tcase_add_test(tests, loss_is_half_the_squared_error_summed_over_outputs);
    tcase_add_test(tests, networks_as_they_are_built_have_the_same_trajectory);
    tcase_add_loop_test(tests, the_flow_of_one_layer_is_that_of_both_at_a_rate_of_0, 0, 4);
    tcase_add_loop_test(tests, the_end_of_the_flow_of_one_layer_is_a_minimum, 0, 4);
    tcase_add_test(tests, the_flow_of_both_layers_keeps_their_difference);
    tcase_add_test(tests, aligned_networks_train_mode_by_mode);
    tcase_add_test(tests, networks_that_diverge_say_at_which_step);
    tcase_add_test(tests, eigenvalues_are_those_of_the_matrix);
    tcase_add_test(tests, spikes_find_the_eigenvalues_of_their_ranks);
    tcase_add_test(tests, large_spectra_are_estimated_from_random_vectors);
    tcase_add_test(tests, listed_singular_values_have_the_counts_of_their_weights);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
