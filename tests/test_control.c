/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control variates of the simulators: their means are exactly zero at the simulated size, they are
 * independent of one another, and training knows nothing of them. */
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/statistics.h"
#include "nndmft/simulate.h"
#include "support.h"
#include "validate/plane_mean.h"

enum { MOST_COLUMNS = 12 };

/* A case, the number of its control variates, and a small size to look at. */
static const struct {
    size_t size, columns;
    const char *yaml;
} CASES[] = {
#define DEEP "{model: deep-linear, params: {steps: 0, spectrum: false, ntk: false, "
    {5, 6, DEEP "depth: 1, alpha: 0.8, nu: 0.8, gamma0: 1.5}}"},
    {4, 7, DEEP "depth: 3, alpha: 1.5, nu: 1.5, sigma: [0.5, 0.8, 1.2, 0.7], noise: 0.6}}"},
    {4, 7, DEEP "depth: 2, alpha: 1.5, nu: 0.75, noise: 0.6, center: true}}"},
    {4, 6, DEEP "depth: 1, alpha: 0.5, noise: 2, parameterization: ntk, nu: 2}}"},
    {5, 4, DEEP "depth: 1, training: online, center: true}}"},
    {5, 5, DEEP "depth: 2, training: fresh, noise: 0.5}}"},
#define TWO "{model: two-layer-fluctuations, params: {steps: 0, bias: false, kernels: false, "
    {5, 5,
     TWO "activation: {name: tanh, gain: 1.5}, gamma0: 0.3, data: {gram: [[0.8]], targets: "
         "[2]}}}"},
    {5, 9,
     TWO "center: true, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5], test_gram: "
         "[[0.5, 0.2]], test_self: [1]}}}"},
    {5, 8, TWO "activation: relu, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}}}"},
    {5, 9, TWO "activation: linear, data: {gram: [[1, 0], [0, 1]], targets: [1, 0]}}}"},
    {6, 8,
     TWO "activation: {name: relu, smoothing: 0.2}, data: {generate: gaussian, samples: 5, "
         "dim: 3}}}"},
    /* No second direction where samples coincide, no means where the slope is too steep. */
    {5, 5, TWO "data: {gram: [[1, 1], [1, 1]], targets: [1, -0.5]}}}"},
    {5, 5, TWO "data: {gram: [[1, 1], [1, 1]], targets: [1, -1]}}}"},
    {5, 1, TWO "activation: {gain: 1000}, data: {gram: [[1]], targets: [1]}}}"},
    {5, 6, "{model: online-fluctuations, params: {steps: 0, dim: 1, gamma0: 0.5}}"},
    {6, 8, "{model: online-fluctuations, params: {steps: 0, dim: 4, batch: 7}}"},
#define LAZY                                                                                       \
    "{model: lazy-fluctuations, params: {steps: 0, data: {gram: [[0.9, 0.4], [0.4, 0.8]], "        \
    "targets: [1, -0.5]}, "
#define WIDE                                                                                       \
    "{model: wide-mlp, params: {steps: 0, spectrum: false, kernels: false, data: {gram: "          \
    "[[0.9, 0.4], [0.4, 0.8]], targets: [1, -0.5]}, "
    {6, 5, WIDE "depth: 1, gamma0: 0.5, sigma_w: 1.2}}"},
    {8, 7,
     WIDE "depth: 2, activation: gelu, parameterization: ntk}, simulate: {size: 8, seeds: 2, "
          "center: false}}"},
    {8, 6, WIDE "depth: 3, activation: linear, sigma_w: 0.8}}"},
    {8, 2, WIDE "depth: 1}, simulate: {size: 8, seeds: 2, orthonormal_init: true, center: false}}"},
    {8, 5, WIDE "depth: 2}, simulate: {size: 8, seeds: 2, orthonormal_init: true, center: false}}"},
    {6, 4,
     "{model: wide-mlp, params: {steps: 0, activation: relu, data: {gram: [[1]], targets: "
     "[1], test_gram: [[0.5]], test_self: [1]}}}"},
    {6, 2, WIDE "activation: {gain: 30}}}"},
    {6, 5,
     "{model: wide-mlp, params: {steps: 0, depth: 2, data: {gram: [[1, 1], [1, 1]], targets: "
     "[1, -1]}}}"},
    {6, 6, LAZY "depth: 1, sigma_w: 1.3}}"},
    {6, 5, LAZY "depth: 1, activation: linear}}"},
    {8, 9, LAZY "depth: 3, activation: softplus}}"},
    {8, 9, LAZY "depth: 2, activation: relu, sigma_w: 1.4}}"},
    /* A slope too steep for the quadrature: what needs none is left. */
    {6, 2, LAZY "depth: 1, activation: {gain: 30}}}"},
    {6, 4, LAZY "depth: 2, activation: {gain: 30, scale: 30}}}"},
#define SCALING                                                                                    \
    "{model: scaling-laws, params: {features: {eigenvalues: [2, 1, 0.5]}, target: {weights2: "     \
    "[0.5, 3, 6]}, noise2: 0.4, "
    {2, 6, SCALING "width: 3, samples: 4, time: 1, record: [1]}}"},
    {2, 3, SCALING "width: 4, training: one-pass, batch_terms: limit, steps: 1}}"},
    {1, 3,
     "{model: scaling-laws, params: {data: {inputs: [[3, 0], [1, 1], [2, 2], [2, -2], [4, 1]], "
     "targets: [4, 2, 4, 2, 3]}, noise2: 0.4, samples: 4, training: ridge}}"},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    size_t count, columns;
    double *column; /* columns x count */
} ensemble;

/* Control variates of the first networks of a case, at least `count` of them. */
static ensemble draw(int i, size_t count) {
    ensemble e = {.ctx = nnd_context_new(NULL), .columns = CASES[i].columns};
    e.c = test_case(e.ctx, CASES[i].yaml);
    const nnd_simulator *s = nnd_simulator_find(e.c->model);
    size_t width = s->block(e.c->params[0], CASES[i].size), blocks = (count + width - 1) / width;
    e.count = blocks * width;
    e.column = calloc(e.columns * e.count, sizeof(double));
    for (size_t b = 0; b < blocks; b++) {
        nnd_frame *frame = NULL;
        ck_assert_int_eq(
            s->simulate(e.ctx, e.c->params[0], CASES[i].size, 1, b * width, width, &frame), NND_OK);
        const nnd_array *control = nnd_frame_find(frame, "control");
        ck_assert_uint_eq(control->shape[0], width);
        ck_assert_uint_eq(control->shape[1], e.columns);
        for (size_t k = 0; k < control->count; k++)
            e.column[k % e.columns * e.count + b * width + k / e.columns] = control->data[k];
        nnd_frame_free(frame);
    }
    return e;
}

static void clear(ensemble *e) {
    free(e->column);
    nnd_case_free(e->c);
    nnd_context_free(e->ctx);
}

START_TEST(means_are_zero_and_deviations_of_order_one) {
    const double sigmas = 4.5;
    ensemble e = draw(_i, 2048);
    for (size_t k = 0; k < e.columns; k++) {
        nnd_estimate mean = nnd_mean(e.count, e.column + k * e.count, 1);
        double deviation = mean.se * sqrt((double)e.count);
        ck_assert_msg(fabs(mean.value) < sigmas * mean.se, "case %d, control %zu: %g +- %g", _i,
                      k + 1, mean.value, mean.se);
        /* Not 1 where widths are as small as here, and orthonormal weights have odd outputs small.
         */
        ck_assert_msg(deviation > 0.1 && deviation < 10.0, "case %d, control %zu: deviation %g", _i,
                      k + 1, deviation);
    }
    clear(&e);
}
END_TEST

/* With columns of unit length the smallest singular value tells how far each is from a combination
 * of the others and the constant: a share of 1 - s^2 or less of its variance. */
START_TEST(no_column_is_a_combination_of_others) {
    const double smallest = 0.05;
    ensemble e = draw(_i, 200);
    double *x = calloc((e.columns + 1) * e.count, sizeof *x), s[MOST_COLUMNS + 1];
    double superb[MOST_COLUMNS + 1];
    for (size_t k = 0; k <= e.columns; k++) {
        double norm2 = 0.0, *to = x + k * e.count;
        for (size_t i = 0; i < e.count; i++) {
            to[i] = k == e.columns ? 1.0 : e.column[k * e.count + i];
            norm2 += to[i] * to[i];
        }
        for (size_t i = 0; i < e.count; i++)
            to[i] /= sqrt(norm2);
    }
    lapack_int n = (lapack_int)e.count, m = (lapack_int)e.columns + 1;
    ck_assert_int_eq(
        LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', n, m, x, n, s, NULL, 1, NULL, 1, superb), 0);
    ck_assert_msg(s[e.columns] > smallest, "case %d: %g", _i, s[e.columns]);
    free(x);
    clear(&e);
}
END_TEST

/* ---- what is subtracted, against literal values ---- */

static double at(const nnd_frame *frame, const char *name, const char *coordinates, size_t seed) {
    char text[64];
    snprintf(text, sizeof text, "t=0,seed=%zu,%s", seed, coordinates);
    return test_value(frame, name, text);
}

static double readout2(const nnd_frame *frame, size_t seed) {
    return at(frame, "g_norm2", "layer=2", seed);
}

static double predictor2(const nnd_frame *frame, size_t seed) {
    return at(frame, "g_norm2", "layer=0", seed);
}

static double overlap(const nnd_frame *frame, size_t seed) {
    return at(frame, "overlap", "", seed);
}

static double noise(const nnd_frame *frame, size_t seed) {
    return at(frame, "train_mse", "", seed) - at(frame, "test_risk", "", seed);
}

/* For samples x, z in D = 3: E |e.x x + e.z z|^2/4 = 2 E (e.x)^2 x^2/4 + 2 e^2/4 = (2 * 5 + 2)
 * e^2/4 is subtracted here; then there is noise: E |n x + m z|^2/4 = 2 * 4 * 3/4. */
static double noise_gradient(const nnd_frame *frame, size_t seed) {
    return at(frame, "h_norm2", "layer=0", seed) - 3.0 * at(frame, "test_risk", "", seed);
}

static double output0(const nnd_frame *frame, size_t seed) {
    return at(frame, "output", "mu=0", seed);
}

static double output1(const nnd_frame *frame, size_t seed) {
    return at(frame, "output", "mu=1", seed);
}

static double output00(const nnd_frame *frame, size_t seed) {
    return output0(frame, seed) * output0(frame, seed);
}

static double output01(const nnd_frame *frame, size_t seed) {
    return output0(frame, seed) * output1(frame, seed);
}

static double kernel00(const nnd_frame *frame, size_t seed) {
    return at(frame, "ntk", "mu=0,nu=0", seed);
}

static double kernel01(const nnd_frame *frame, size_t seed) {
    return at(frame, "ntk", "mu=0,nu=1", seed);
}

/* By Simpson's rule on 200001 points: <phi^2>, <phi^2 + w^2 phi'^2 K^x> and its variance. */
static const double PHI = 0.480757173615674, KERNEL = 0.990851309856561, SPREAD = 0.695140898735094;

static double kernel_spread(const nnd_frame *frame, size_t seed) {
    double k = kernel00(frame, seed) - KERNEL;
    return k * k;
}

static double kernel_output(const nnd_frame *frame, size_t seed) {
    return (kernel00(frame, seed) - KERNEL) * output0(frame, seed);
}

/* beta_1 = 1 - delta; a + b_11 has the mean 2 */
static double component2(const nnd_frame *frame, size_t seed) {
    double component = 1.0 - at(frame, "delta", "", seed);
    return component * component;
}

static double axis_kernel2(const nnd_frame *frame, size_t seed) {
    double k = at(frame, "ntk", "", seed) - 2.0;
    return k * k;
}

static double axis_kernel_component(const nnd_frame *frame, size_t seed) {
    return (at(frame, "ntk", "", seed) - 2.0) * (1.0 - at(frame, "delta", "", seed));
}

static double across2(const nnd_frame *frame, size_t seed) {
    return at(frame, "perp_nvar", "", seed);
}

/* Preactivations of the second of two linear layers have the covariance 4 Phi_1, sigma_w = 2; phi^4
 * of a Gaussian of variance s is 3 s^2, so that N of them vary by 2 s^2/N. */
static double first_gram(const nnd_frame *frame, size_t seed) {
    char text[64];
    snprintf(text, sizeof text, "seed=%zu,layer=1,mu=0,nu=0", seed);
    return test_value(frame, "phi_gram", text);
}

static double second_gram(const nnd_frame *frame, size_t seed) {
    char text[64];
    snprintf(text, sizeof text, "seed=%zu,layer=2,mu=0,nu=0", seed);
    return test_value(frame, "phi_gram", text) / first_gram(frame, seed);
}

static double first_gram2(const nnd_frame *frame, size_t seed) {
    double excess = first_gram(frame, seed) - 3.2;
    return excess * excess;
}

static double second_gram2(const nnd_frame *frame, size_t seed) {
    double excess = second_gram(frame, seed) - 4.0;
    return excess * excess;
}

static double label2(const nnd_frame *frame, size_t seed) {
    return at(frame, "train_mse", "", seed);
}

static const char *const EXAMPLES[] = {
    /* D = 3, N = 2, P = 2, variances of the matrices 1/4, 4 and 9/4 */
    "{model: deep-linear, params: {steps: 0, depth: 2, alpha: 0.66666666666666663, nu: "
    "0.66666666666666663, sigma: [0.5, 2, 1.5], noise: 2, gamma0: 2}, simulate: {size: 3, seeds: "
    "2}}",
    /* N = 3; output and kernel are F/(gamma0 sqrt N), F standard but for Phi */
    "{model: two-layer-fluctuations, params: {steps: 0, bias: false, activation: {name: tanh, "
    "gain: 0.7}, gamma0: 2, data: {gram: [[0.8]], targets: [1]}}, simulate: {size: 3, seeds: 2}}",
    /* Directions are the axes; h and w h/(gamma0 N) are all there is. */
    "{model: two-layer-fluctuations, params: {steps: 0, bias: false, activation: linear, gamma0: "
    "2, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, 0]}}, simulate: {size: 3, seeds: 2}}",
    "{model: online-fluctuations, params: {steps: 0, dim: 3, gamma0: 2}, simulate: {size: 5, "
    "seeds: 2}}",
    "{model: lazy-fluctuations, params: {depth: 2, activation: linear, sigma_w: 2, data: {gram: "
    "[[0.8]], targets: [1]}}, simulate: {size: 5, seeds: 2}}",
    "{model: scaling-laws, params: {features: {eigenvalues: [2, 1]}, target: {weights2: [3, 1]}, "
    "noise2: 0.5, width: 2, samples: 3, time: 1, record: [0]}, simulate: {size: 2, seeds: 2}}",
};

/* An observable of a small network as it is recorded at t = 0, and its mean. */
static const struct {
    int example;
    size_t column; /* from 1 */
    double (*observable)(const nnd_frame *frame, size_t seed);
    double mean;
} KNOWN[] = {
    {0, 1, readout2, 2.25},
    {0, 2, predictor2, 2.25},
    {0, 3, overlap, 0.0},
    {0, 6, noise, 4.0},
    {0, 7, noise_gradient, 6.0},
    {1, 1, output0, 0.0},
    {1, 2, kernel00, KERNEL},
    {1, 3, output00, PHI / 12.0},
    {1, 4, kernel_output, 0.0},
    {1, 5, kernel_spread, SPREAD / 3.0},
    {2, 2, kernel00, 2.0},
    {2, 6, output1, 0.0},
    {2, 7, kernel01, 0.8},
    {2, 8, output01, 0.4 / 12.0},
    {3, 4, component2, 1.0 / 20.0},
    {3, 5, axis_kernel_component, 0.0},
    {3, 6, axis_kernel2, 4.0 / 5.0},
    {3, 7, across2, 1.0 / 4.0},
    {4, 3, first_gram, 3.2},
    {4, 4, first_gram2, 2.0 * 3.2 * 3.2 / 5.0},
    {4, 6, second_gram, 4.0},
    {4, 7, second_gram2, 2.0 * 16.0 / 5.0},
    {5, 4, label2, 7.5},
};

/* A column is a multiple of observable less mean, so that two networks tell the mean. */
START_TEST(means_that_are_subtracted_are_those_computed_by_hand) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, EXAMPLES[KNOWN[_i].example]);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_frame *frame = NULL;
    size_t size = nnd_case_size(c, 0);
    ck_assert_int_eq(
        s->simulate(ctx, c->params[0], size, 1, 0, s->block(c->params[0], size), &frame), NND_OK);
    const nnd_array *control = nnd_frame_find(frame, "control");
    double a = KNOWN[_i].observable(frame, 0), b = KNOWN[_i].observable(frame, 1);
    double of_a = control->data[KNOWN[_i].column - 1];
    double of_b = control->data[control->shape[1] + KNOWN[_i].column - 1];
    double mean = (of_b * a - of_a * b) / (of_b - of_a);
    ck_assert(fabs(of_a - of_b) > 1e-3);
    ck_assert_msg(fabs(mean - KNOWN[_i].mean) < 1e-10 * (1.0 + fabs(a) + fabs(b)),
                  "%d: %.15g, not %.15g", _i, mean, KNOWN[_i].mean);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* ---- means over a pair of preactivations ---- */

START_TEST(means_of_pairs_are_those_of_closed_forms_and_another_rule) {
    const nnd_pair pair = {1.0, 0.4, 0.8}, same = {0.8, 0.8, 0.8}, opposite = {2.0, -1.0, 0.5};
    const nnd_activation tanh = {NND_TANH, 1.0, 1.0, 0.0}, erf = {NND_ERF, 1.0, 3.0, 0.0};
    const nnd_activation relu = {NND_RELU, 5.0, 2.0, 0.0}, smooth = {NND_RELU, 1.0, 1.0, 1e-3};
    double phi, slope;
    /* Simpson's rule in the plane on 4001^2 points */
    ck_assert(nnd_pair_mean(&tanh, &pair, &phi, &slope));
    test_close("tanh", phi, 0.158280238381032, 1e-9);
    test_close("tanh'", slope, 0.404950100593098, 1e-9);
    ck_assert(nnd_pair_mean(&erf, &same, &phi, &slope));
    test_close("erf", phi, 9.0 * 2.0 / M_PI * asin(1.6 / 2.6), 1e-10);
    test_close("erf'", slope, 9.0 * 4.0 / M_PI / sqrt(2.6 * 2.6 - 1.6 * 1.6), 1e-10);
    ck_assert(nnd_pair_mean(&relu, &pair, &phi, &slope));
    test_close("relu", phi, 4.0 * 0.256840678003603, 1e-10);
    test_close("relu'", slope, 4.0 * 0.323791808825217, 1e-10);
    ck_assert(nnd_pair_mean(&relu, &opposite, &phi, &slope));
    ck_assert(fabs(phi) < 1e-15 && fabs(slope) < 1e-15);
    ck_assert(!nnd_pair_mean(&smooth, &pair, &phi, &slope));
}
END_TEST

/* ---- training ---- */

static const char *const RUNS[] = {
    "{model: deep-linear, params: {depth: 2, steps: 5, momentum: 0.5, two_time: true, noise: 0.2}, "
    "simulate: {size: 12, seeds: 2, control: %s}}",
    "{model: deep-linear, params: {steps: 3, training: fresh, center: true}, simulate: {size: 12, "
    "seeds: 2, control: %s}}",
    "{model: two-layer-fluctuations, params: {steps: 4, bias: false, data: {gram: [[1, 0.4], [0.4, "
    "0.8]], targets: [1, -0.5]}}, simulate: {size: 12, seeds: 2, control: %s}}",
    "{model: two-layer-fluctuations, params: {steps: 3, record: [2], bias: false, kernels: false, "
    "center: true, data: {gram: [[1]], targets: [1]}}, simulate: {size: 12, seeds: 2, control: "
    "%s}}",
    "{model: online-fluctuations, params: {steps: 3, dim: 3, batch: 5}, simulate: {size: 12, "
    "seeds: 2, control: %s}}",
    "{model: lazy-fluctuations, params: {steps: 2, depth: 2, data: {gram: [[1]], targets: [1]}}, "
    "simulate: {size: 12, seeds: 2, control: %s}}",
    "{model: wide-mlp, params: {steps: 3, depth: 3, spectrum: true, two_time: true, data: {gram: "
    "[[1, 0.4], [0.4, 0.8]], targets: [1, -0.5], test_gram: [[0.5, 0.2]], test_self: [1]}}, "
    "simulate: {size: 12, seeds: 2, orthonormal_init: true, control: %s}}",
    "{model: wide-mlp, params: {steps: 3, depth: 1, batch: 1, data: {gram: [[1, 0.4], [0.4, 0.8]], "
    "targets: [1, -0.5]}}, simulate: {size: 12, seeds: 2, center: false, control: %s}}",
    "{model: deep-linear, params: {steps: 3, integrator: flow}, simulate: {size: 12, seeds: 2, "
    "control: %s}}",
    "{model: scaling-laws, params: {features: {power_law: 1, count: 9}, width: 3, samples: 4, "
    "training: mini-batch, batch: 2, steps: 3}, simulate: {seeds: 2, control: %s}}",
};
enum { RUN_COUNT = sizeof RUNS / sizeof *RUNS };

static nnd_frame *simulated(nnd_context *ctx, const char *format, const char *option,
                            char digest[17]) {
    char yaml[1024];
    snprintf(yaml, sizeof yaml, format, option);
    nnd_case *c = test_case(ctx, yaml);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    size_t size = nnd_case_size(c, 0);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(
        s->simulate(ctx, c->params[0], size, 1, 0, s->block(c->params[0], size), &frame), NND_OK);
    nnd_ensemble_digest(c, digest);
    nnd_case_free(c);
    return frame;
}

START_TEST(training_is_the_same_to_the_last_bit_without_them) {
    nnd_context *ctx = nnd_context_new(NULL);
    char digest[2][17];
    nnd_frame *with = simulated(ctx, RUNS[_i], "true", digest[0]);
    nnd_frame *without = simulated(ctx, RUNS[_i], "false", digest[1]);
    ck_assert_ptr_nonnull(nnd_frame_find(with, "control"));
    ck_assert_ptr_null(nnd_frame_find(without, "control"));
    ck_assert_ptr_null(nnd_frame_find_dim(without, "control"));
    ck_assert_str_ne(digest[0], digest[1]);
    ck_assert_uint_eq(nnd_frame_array_count(without) + 1, nnd_frame_array_count(with));
    for (size_t i = 0; i < nnd_frame_array_count(without); i++) {
        const nnd_array *b = nnd_frame_array(without, i), *a = nnd_frame_find(with, b->name);
        ck_assert_msg(a->count == b->count &&
                          memcmp(a->data, b->data, a->count * sizeof(double)) == 0,
                      "%s differs", b->name);
    }
    nnd_frame_free(with);
    nnd_frame_free(without);
    nnd_context_free(ctx);
}
END_TEST

/* Depth changes the number of columns along the sweep; the longest is kept and padded with NaN. */
START_TEST(trajectories_keep_them_over_sizes_and_sweeps) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_store *store = nnd_memory_store_new();
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {steps: 1}, sweep: {depth: [1, 2]}, "
                                 "simulate: {size: [64, 65], seeds: [70, 3], storage: "
                                 "trajectories}}");
    nnd_ensemble e;
    nnd_frame *block = NULL;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_OK);
    const nnd_frame *seeds = e.seeds;
    const nnd_array *control = nnd_frame_find(seeds, "control");
    ck_assert_uint_eq(control->ndims, 4);
    ck_assert_uint_eq(control->shape[2], 70);
    ck_assert_uint_eq(control->shape[3], 7);
    const nnd_simulator *s = nnd_simulator_find(c->model);
    ck_assert_int_eq(s->simulate(ctx, c->params[1], 64, 1, 64, 64, &block), NND_OK);
    ck_assert(test_value(seeds, "control", "depth=2,size=64,seed=69,control=7") ==
              test_value(block, "control", "seed=69,control=7"));
    ck_assert(isnan(test_value(seeds, "control", "depth=1,size=64,seed=69,control=7")));
    ck_assert(isnan(test_value(seeds, "control", "depth=2,size=65,seed=3,control=1")));
    nnd_frame_free(block);
    nnd_ensemble_clear(&e);
    nnd_case_free(c);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("control");
    TCase *means = tcase_create("means");
    tcase_add_loop_test(means, means_are_zero_and_deviations_of_order_one, 0, CASE_COUNT);
    tcase_add_loop_test(means, no_column_is_a_combination_of_others, 0, CASE_COUNT);
    tcase_add_loop_test(means, means_that_are_subtracted_are_those_computed_by_hand, 0,
                        sizeof KNOWN / sizeof *KNOWN);
    tcase_add_test(means, means_of_pairs_are_those_of_closed_forms_and_another_rule);
    suite_add_tcase(suite, means);
    TCase *runs = tcase_create("runs");
    tcase_add_loop_test(runs, training_is_the_same_to_the_last_bit_without_them, 0, RUN_COUNT);
    tcase_add_test(runs, trajectories_keep_them_over_sizes_and_sweeps);
    suite_add_tcase(suite, runs);
    return test_main(suite);
}
