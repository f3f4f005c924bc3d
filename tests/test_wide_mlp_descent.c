/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks with several outputs, all losses, momentum, decay, schedules, flow, skip connections and
 * biases, against a plain twin that forms its gradient by differences of the loss, against literal
 * values, symmetries, and infinite width. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "networks.h"
#include "support.h"
#include "validate/wide_mlp_record.h"

enum { N = 6, D = 3, P = 4, POINTS = 5, MOST_OUTPUTS = 3, STEPS = 4, MOST_WEIGHTS = 200 };

#define INPUTS                                                                                     \
    "inputs: [[1, 0.3, -0.5], [0.2, -1.1, 0.4], [0.7, 0.6, 0.9], [-0.4, 0.5, 1.2]], "              \
    "test_inputs: [[0.1, 0.9, -0.3]]"
#define CLASSES "data: {" INPUTS ", labels: [2, 0, 1, 0], test_labels: [2]}"
#define SIGNS   "data: {" INPUTS ", targets: [1, -1, -1, 1], test_targets: [1]}"
#define ROWS                                                                                       \
    "data: {" INPUTS ", targets: [[1, 0], [-0.5, 0.4], [0.3, -1], [0.8, 0.2]], "                   \
    "test_targets: [[0.4, 0.1]]}"
#define CASE(params, simulate)                                                                     \
    "{model: wide-mlp, params: {" params "}, simulate: {size: 6, seeds: 2" simulate "}}"

static const char *const DESCENTS[] = {
    CASE("depth: 2, outputs: 3, loss: cross-entropy, gamma0: 1.5, lr: 0.4, " CLASSES, ""),
    CASE("depth: 1, loss: logistic, gamma0: 2, lr: 0.5, activation: softplus, " SIGNS, ""),
    CASE("depth: 3, outputs: 2, lr: 0.1, sigma_w: 1.2, activation: gelu, " ROWS, ", center: false"),
    CASE("depth: 2, outputs: 2, lr: 0.1, momentum: 0.7, schedule: [0.5, 1, 0.25], " ROWS, ""),
    CASE("depth: 2, outputs: 3, loss: cross-entropy, lr: 0.2, weight_decay: 0.1, " CLASSES, ""),
    CASE("depth: 2, lr: 0.2, weight_decay: 0.05, momentum: 0.5, batch: {size: 3, seed: 4}, " SIGNS,
         ""),
    CASE("depth: 2, lr: 0.2, weight_decay: 0.1, sigma_b: 0.5, " SIGNS, ", center: false"),
    CASE("depth: 3, residual: mup-depth, sigma_b: 0.6, sigma_w: 1.3, lr: 0.1, loss: logistic, "
         "parameterization: ntk, " SIGNS,
         ""),
    CASE("depth: 3, residual: plain, outputs: 3, loss: cross-entropy, lr: 0.1, sigma_b: 0.4, "
         "weight_decay: 0.05, momentum: 0.6, schedule: [0.3, 1], batch: 2, " CLASSES,
         ", orthonormal_init: true"),
    CASE("depth: 2, outputs: 2, lr: 0.1, sigma_w: 1.2, momentum: 0.5, weight_decay: 0.05, "
         "parameterization: standard, " ROWS,
         ""),
};
enum { DESCENT_COUNT = sizeof DESCENTS / sizeof *DESCENTS };

static const char *const FLOWS[] = {
    CASE("depth: 2, outputs: 3, loss: cross-entropy, gamma0: 1.5, integrator: flow, time: 0.6, "
         "weight_decay: 0.3, " CLASSES,
         ""),
    CASE("depth: 3, residual: mup-depth, sigma_b: 0.5, integrator: flow, time: 0.6, " SIGNS, ""),
    CASE("depth: 2, sigma_w: 1.3, parameterization: standard, integrator: flow, time: 0.6, " SIGNS,
         ""),
};
enum { FLOW_COUNT = sizeof FLOWS / sizeof *FLOWS };

/* ---- the twin ---- */

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    const nnd_wide_mlp *params;
    nnd_wide_block block;
    size_t count; /* weights and biases of one network: w of layer after layer, then b */
    double w[MOST_WEIGHTS], first[MOST_WEIGHTS], velocity[MOST_WEIGHTS], kappa;
} fixture;

static size_t rows_of(const fixture *f, size_t l) {
    return l == (size_t)f->params->depth ? (size_t)f->params->outputs : N;
}

static double gamma_of(const fixture *f) {
    return f->params->gamma0 / (f->params->parameterization == NND_MUP ? 1.0 : sqrt(N));
}

/* Rate of the i-th weight per unit of lr; standard ones, sigma_w/sqrt(fan-in) W, descend with lr
 * themselves. */
static double rate_of(const fixture *f, size_t i) {
    double sigma = f->params->sigma_w;
    return f->params->parameterization == NND_STANDARD ? (i < N * D ? D : N) / (sigma * sigma)
                                                       : gamma_of(f) * gamma_of(f) * N;
}

static double act(const fixture *f, double h) {
    double phi;
    nnd_activation_apply(&f->params->activation, 1, &h, &phi, NULL, NULL, NULL);
    return phi;
}

/* f of wide-mlp.md#s13, by loops; `bias` is where biases begin. */
static void twin_output(const fixture *f, const double *w, const double *x, double *out) {
    const nnd_wide_mlp *p = f->params;
    size_t depth = (size_t)p->depth, cols = D;
    double phi[N], h[N] = {0.0}, next[N];
    double branch = p->residual == NND_RESIDUAL_MUP_DEPTH ? 1.0 / sqrt((double)depth) : 1.0;
    const double *bias = w + N * D + (depth - 1) * N * N + N * (size_t)p->outputs;
    memcpy(phi, x, D * sizeof(double));
    for (size_t l = 0; l < depth; l++) {
        double beta = l == 0 ? 1.0 : branch, skip = l > 0 && p->residual != NND_RESIDUAL_NONE;
        for (size_t i = 0; i < N; i++) {
            next[i] = skip * h[i];
            for (size_t j = 0; j < cols; j++)
                next[i] += beta * p->sigma_w / sqrt((double)cols) * w[i * cols + j] * phi[j];
            next[i] += p->sigma_b > 0.0 ? beta * p->sigma_b * bias[l * N + i] : 0.0;
        }
        memcpy(h, next, sizeof h);
        for (size_t i = 0; i < N; i++)
            phi[i] = act(f, h[i]);
        w += N * cols;
        cols = N;
    }
    for (size_t c = 0; c < (size_t)p->outputs; c++) {
        out[c] =
            p->sigma_b > 0.0 ? p->sigma_b / (gamma_of(f) * sqrt(N)) * bias[depth * N + c] : 0.0;
        for (size_t i = 0; i < N; i++)
            out[c] += p->sigma_w / (gamma_of(f) * N) * w[c * N + i] * phi[i];
    }
}

/* The output at weights w, less that of the decayed first ones. */
static void centred_output(const fixture *f, const double *w, size_t mu, double *out) {
    double still[MOST_WEIGHTS], start[MOST_OUTPUTS];
    const double *x = f->block.set.inputs + mu * D;
    twin_output(f, w, x, out);
    for (size_t i = 0; i < f->count; i++)
        still[i] = f->kappa * f->first[i];
    twin_output(f, still, x, start);
    for (size_t c = 0; f->params->center && c < (size_t)f->params->outputs; c++)
        out[c] -= start[c];
}

static double twin_loss_of(const fixture *f, const double *out, const double *y) {
    double sum = 0.0, exponentials = 0.0;
    for (size_t c = 0; c < (size_t)f->params->outputs; c++) {
        sum += f->params->loss == NND_WIDE_MSE        ? 0.5 * (y[c] - out[c]) * (y[c] - out[c])
               : f->params->loss == NND_WIDE_LOGISTIC ? log(1.0 + exp(-y[c] * out[c]))
                                                      : -y[c] * out[c];
        exponentials += exp(out[c]);
    }
    return f->params->loss == NND_WIDE_CROSS_ENTROPY ? sum + log(exponentials) : sum;
}

static double twin_loss(const fixture *f, const double *w, const double *weight) {
    double sum = 0.0, out[MOST_OUTPUTS];
    for (size_t mu = 0; mu < P; mu++) {
        centred_output(f, w, mu, out);
        sum += weight[mu] *
               twin_loss_of(f, out, f->block.set.targets + mu * (size_t)f->params->outputs);
    }
    return sum;
}

/* Fourth-order differences: good to 1e-11. */
static void twin_gradient(const fixture *f, const double *at, const double *weight,
                          double *gradient) {
    const double step = 1e-3;
    double w[MOST_WEIGHTS];
    memcpy(w, at, f->count * sizeof *w);
    for (size_t i = 0; i < f->count; i++) {
        double kept = w[i], value[5];
        for (int k = -2; k <= 2; k++) {
            w[i] = kept + k * step;
            value[k + 2] = twin_loss(f, w, weight);
        }
        w[i] = kept;
        gradient[i] = (value[0] - 8.0 * value[1] + 8.0 * value[3] - value[4]) / (12.0 * step);
    }
}

/* The weights and biases of network b as the twin has them. */
static void collect(const fixture *f, size_t b, double *to) {
    const nnd_network *net = &f->block.net;
    for (size_t l = 0; l < net->layers; l++) {
        size_t n = net->layer[l].rows * net->layer[l].cols;
        memcpy(to, nnd_network_weights(net, l, b), n * sizeof *to);
        to += n;
    }
    for (size_t l = 0; net->layer[0].b != NULL && l < net->layers; l++) {
        memcpy(to, net->layer[l].b + b * net->layer[l].rows, net->layer[l].rows * sizeof *to);
        to += rows_of(f, l);
    }
}

static fixture *begin(const char *yaml) {
    fixture *f = calloc(1, sizeof *f);
    f->ctx = nnd_context_new(NULL);
    f->c = test_case(f->ctx, yaml);
    f->params = f->c->params[0];
    f->kappa = 1.0;
    ck_assert_int_eq(nnd_wide_block_make(f->ctx, f->params, N, 2, &f->block), NND_OK);
    ck_assert_int_eq(nnd_wide_block_draw(&f->block, (nnd_rng_key){3, 5, N}), NND_OK);
    f->count = f->block.net.weight_count / 2;
    ck_assert(f->count <= MOST_WEIGHTS);
    collect(f, 1, f->w);
    memcpy(f->first, f->w, sizeof f->first);
    return f;
}

static void end(fixture *f) {
    nnd_wide_block_clear(&f->block);
    nnd_case_free(f->c);
    nnd_context_free(f->ctx);
    free(f);
}

static double multiplier(const fixture *f, size_t t) {
    size_t n = f->params->schedule.list.count;
    return n == 0 ? 1.0 : f->params->schedule.list.value[t < n ? t : n - 1];
}

/* V <- m V + s u, theta <- (1 - lambda) theta + V (wide-mlp.md#eq14). */
static void twin_step(fixture *f, size_t t, const double *weight) {
    double gradient[MOST_WEIGHTS];
    twin_gradient(f, f->w, weight, gradient);
    for (size_t i = 0; i < f->count; i++) {
        f->velocity[i] = f->params->momentum * f->velocity[i] -
                         multiplier(f, t) * f->params->lr * rate_of(f, i) * gradient[i];
        f->w[i] = (1.0 - f->params->weight_decay) * f->w[i] + f->velocity[i];
    }
    f->kappa *= 1.0 - f->params->weight_decay;
}

static const double EVEN[P] = {0.25, 0.25, 0.25, 0.25};

/* Loss, outputs on all points, and residuals, of an evaluated block and the twin. */
static void ck_same(const fixture *f, double tolerance) {
    size_t outputs = (size_t)f->params->outputs;
    double out[MOST_OUTPUTS], moved[MOST_OUTPUTS];
    test_close("loss", f->block.loss[1], twin_loss(f, f->w, EVEN), tolerance);
    for (size_t mu = 0; mu < POINTS; mu++) {
        centred_output(f, f->w, mu, out);
        for (size_t c = 0; c < outputs; c++)
            ck_assert_double_eq_tol(f->block.net.output[(outputs + c) * POINTS + mu], out[c],
                                    tolerance);
        for (size_t c = 0; mu < P && c < outputs; c++) {
            const double step = 1e-5, *y = f->block.set.targets + mu * outputs;
            memcpy(moved, out, sizeof moved);
            moved[c] = out[c] + step;
            double up = twin_loss_of(f, moved, y);
            moved[c] = out[c] - step;
            double slope = (twin_loss_of(f, moved, y) - up) / (2.0 * step);
            /* Rounding over the step. */
            ck_assert_double_eq_tol(f->block.delta[(P + mu) * outputs + c], slope, 1e-8);
        }
    }
}

START_TEST(descent_equals_that_of_a_plain_twin) {
    fixture *f = begin(DESCENTS[_i]);
    double weight[P];
    for (size_t t = 0; t <= STEPS; t++) {
        nnd_wide_block_evaluate(&f->block);
        ck_same(f, 1e-8);
        nnd_schedule_weights(&f->block.schedule, t, weight);
        twin_step(f, t, weight);
        nnd_wide_block_step(&f->block, t);
    }
    end(f);
}
END_TEST

/* ---- flow ---- */

static void twin_rate(fixture *f, const double *w, double kappa, double *rate) {
    f->kappa = kappa;
    twin_gradient(f, w, EVEN, rate);
    for (size_t i = 0; i < f->count; i++)
        rate[i] = -rate_of(f, i) * rate[i] - f->params->weight_decay * w[i];
}

/* Classical Runge-Kutta, the decay of the first weights exactly. */
static void twin_flow(fixture *f, double time, size_t steps) {
    double k[4][MOST_WEIGHTS], at[MOST_WEIGHTS], h = time / (double)steps;
    double decay = f->params->weight_decay;
    for (size_t n = 0; n < steps; n++) {
        double t = h * (double)n, middle = exp(-decay * (t + h / 2.0));
        twin_rate(f, f->w, exp(-decay * t), k[0]);
        for (size_t i = 0; i < f->count; i++)
            at[i] = f->w[i] + h / 2.0 * k[0][i];
        twin_rate(f, at, middle, k[1]);
        for (size_t i = 0; i < f->count; i++)
            at[i] = f->w[i] + h / 2.0 * k[1][i];
        twin_rate(f, at, middle, k[2]);
        for (size_t i = 0; i < f->count; i++)
            at[i] = f->w[i] + h * k[2][i];
        twin_rate(f, at, exp(-decay * (t + h)), k[3]);
        for (size_t i = 0; i < f->count; i++)
            f->w[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
    }
    f->kappa = exp(-decay * time);
}

/* The recorded output after a flow, the first seed of another block that is drawn alike. The error
 * of steps is 1e-6, that of the twin's is below 1e-7. */
START_TEST(flow_equals_that_of_a_plain_twin) {
    fixture *f = begin(FLOWS[_i]);
    nnd_frame *frame = NULL;
    const nnd_simulator *s = nnd_simulator_find(f->c->model);
    ck_assert_uint_eq(s->block(f->params, N), 1);
    ck_assert_int_eq(s->simulate(f->ctx, f->params, N, 3, 6, 1, &frame), NND_OK);
    const nnd_array *got = nnd_frame_find(frame, "output");
    size_t outputs = (size_t)f->params->outputs, last = got->count - P * outputs;
    double out[MOST_OUTPUTS];
    twin_flow(f, 0.6, 12);
    for (size_t mu = 0; mu < P; mu++) {
        centred_output(f, f->w, mu, out);
        for (size_t c = 0; c < outputs; c++)
            ck_assert_double_eq_tol(got->data[last + mu * outputs + c], out[c], 1e-5);
    }
    test_close("loss", at(frame, "loss", "seed=6,t=0.6"), twin_loss(f, f->w, EVEN), 1e-5);
    ck_assert(nnd_frame_find(frame, "stability") == NULL);
    nnd_frame_free(frame);
    end(f);
}
END_TEST

/* ---- losses ---- */

START_TEST(losses_have_their_literal_values) {
    /* Outputs 0, log 2, log 3: p = 1/6, 1/3, 1/2. Of logarithms of 3 signs: 3/4. */
    const double f[] = {0.0, log(2.0), log(3.0)}, y[] = {0.0, 1.0, 0.0}, one[] = {1.0};
    double delta[3], b[9];
    nnd_wide_outputs soft = {NND_WIDE_CROSS_ENTROPY, 3, 1, 1, y, f};
    test_close("cross-entropy", nnd_wide_mean_loss(&soft, delta), log(3.0), 1e-15);
    ck_assert_double_eq_tol(delta[0], -1.0 / 6.0, 1e-15);
    ck_assert_double_eq_tol(delta[1], 2.0 / 3.0, 1e-15);
    ck_assert_double_eq_tol(delta[2], -0.5, 1e-15);
    const double p[] = {1.0 / 6.0, 1.0 / 3.0, 0.5};
    nnd_wide_curvature_root(&soft, 0, b);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            ck_assert_double_eq_tol(cblas_ddot(3, b + 3 * i, 1, b + 3 * j, 1),
                                    (i == j ? p[i] : 0.0) - p[i] * p[j], 1e-15);
    nnd_wide_outputs sign = {NND_WIDE_LOGISTIC, 1, 1, 1, one, f + 2};
    test_close("logistic", nnd_wide_mean_loss(&sign, delta), log(4.0 / 3.0), 1e-15);
    test_close("its slope", delta[0], 0.25, 1e-15);
    nnd_wide_curvature_root(&sign, 0, b);
    test_close("its curvature", b[0] * b[0], 3.0 / 16.0, 1e-14);
    nnd_wide_outputs square = {NND_WIDE_MSE, 3, 1, 1, y, p};
    test_close("square", nnd_wide_mean_loss(&square, delta), (1.0 / 36.0 + 4.0 / 9.0 + 0.25) / 2.0,
               1e-15);
    test_close("its slope", delta[1], 2.0 / 3.0, 1e-15);
}
END_TEST

START_TEST(losses_survive_large_outputs) {
    const double f[] = {1000.0, -1000.0, 0.0}, y[] = {0.0, 1.0, 0.0}, sign[] = {-1.0};
    double delta[3], b[9];
    nnd_wide_outputs soft = {NND_WIDE_CROSS_ENTROPY, 3, 1, 1, y, f};
    ck_assert_double_eq(nnd_wide_mean_loss(&soft, delta), 2000.0);
    ck_assert_double_eq(delta[0], -1.0);
    ck_assert_double_eq(delta[1], 1.0);
    nnd_wide_outputs logistic = {NND_WIDE_LOGISTIC, 1, 1, 1, sign, f};
    ck_assert_double_eq(nnd_wide_mean_loss(&logistic, delta), 1000.0);
    ck_assert_double_eq(delta[0], -1.0);
    nnd_wide_curvature_root(&logistic, 0, b);
    ck_assert_double_eq(b[0], 0.0);
}
END_TEST

START_TEST(accuracy_counts_the_largest_output_and_the_sign) {
    /* Outputs by columns: classes 1, 0 (a tie), 2. */
    const double f[] = {0.1, 0.5, 0.0, 0.3, 0.5, 1.0, 0.2, -1.0, 2.0};
    const double y[] = {0, 1, 0, 0, 1, 0, 0, 0, 1}, sign[] = {1.0, 1.0, -1.0};
    nnd_wide_outputs of = {NND_WIDE_CROSS_ENTROPY, 3, 3, 3, y, f};
    test_close("accuracy", nnd_wide_accuracy(&of), 2.0 / 3.0, 1e-15);
    nnd_wide_outputs signs = {NND_WIDE_LOGISTIC, 1, 3, 3, sign, f + 6};
    test_close("of signs", nnd_wide_accuracy(&signs), 1.0 / 3.0, 1e-15);
}
END_TEST

/* ---- symmetries, exact for every network ---- */

/* Trains after the readouts of both networks were set; outputs into `out` (2 x outputs x POINTS).
 */
static void train_on(fixture *f, double *out) {
    for (size_t t = 0; t <= STEPS; t++) {
        nnd_wide_block_evaluate(&f->block);
        if (t < STEPS)
            nnd_wide_block_step(&f->block, t);
    }
    memcpy(out, f->block.net.output, 2 * f->block.outputs * POINTS * sizeof *out);
}

/* Targets and readouts rotated alike: outputs rotated. */
START_TEST(the_square_loss_does_not_know_a_direction_of_outputs) {
    const double cosine = 0.6, sine = 0.8;
    double plain[4 * POINTS], turned[4 * POINTS];
    fixture *f =
        begin(CASE("depth: 2, outputs: 2, lr: 0.2, momentum: 0.5, " ROWS, ", center: false"));
    train_on(f, plain);
    end(f);
    f = begin(CASE("depth: 2, outputs: 2, lr: 0.2, momentum: 0.5, " ROWS, ", center: false"));
    for (size_t b = 0; b < 2; b++)
        cblas_drot(N, nnd_network_weights(&f->block.net, 2, b), 1,
                   nnd_network_weights(&f->block.net, 2, b) + N, 1, cosine, sine);
    cblas_drot(P, f->block.set.targets, 2, f->block.set.targets + 1, 2, cosine, sine);
    train_on(f, turned);
    for (int b = 0; b < 2; b++)
        cblas_drot(POINTS, plain + 2 * b * POINTS, 1, plain + (2 * b + 1) * POINTS, 1, cosine,
                   sine);
    for (size_t i = 0; i < 4 * POINTS; i++)
        ck_assert_double_eq_tol(turned[i], plain[i], 1e-13);
    end(f);
}
END_TEST

/* f_1 - f_0 of two classes is the output of a logistic network of gamma0/sqrt 2, 2 lr. */
START_TEST(two_classes_are_the_logistic_loss) {
    double two[4 * POINTS], one[2 * POINTS], readout[2][N];
    fixture *f = begin(CASE("depth: 2, outputs: 2, loss: cross-entropy, gamma0: 2, lr: 0.3, "
                            "weight_decay: 0.1, data: {" INPUTS ", labels: [1, 0, 0, 1]}",
                            ""));
    for (size_t b = 0; b < 2; b++) {
        const double *w = nnd_network_weights(&f->block.net, 2, b);
        for (size_t i = 0; i < N; i++)
            readout[b][i] = (w[N + i] - w[i]) / sqrt(2.0);
    }
    train_on(f, two);
    end(f);
    f = begin(CASE("depth: 2, loss: logistic, gamma0: 1.4142135623730951, lr: 0.6, "
                   "weight_decay: 0.1, data: {" INPUTS ", labels: [1, 0, 0, 1]}",
                   ""));
    for (size_t b = 0; b < 2; b++)
        memcpy(nnd_network_weights(&f->block.net, 2, b), readout[b], sizeof readout[b]);
    memcpy(f->block.first, f->block.net.weights, f->block.net.weight_count * sizeof(double));
    train_on(f, one);
    for (size_t b = 0; b < 2; b++)
        for (size_t mu = 0; mu < POINTS; mu++)
            ck_assert_double_eq_tol(one[b * POINTS + mu],
                                    two[(2 * b + 1) * POINTS + mu] - two[2 * b * POINTS + mu],
                                    1e-12);
    end(f);
}
END_TEST

/* ---- records ---- */

#define RECORDED                                                                                   \
    "{model: wide-mlp, params: {depth: 3, residual: mup-depth, sigma_b: 0.5, sigma_w: 1.2, "       \
    "gamma0: 2, lr: 0.1, steps: 4, record: [0, 4], outputs: 3, loss: cross-entropy, schedule: "    \
    "[1, 0.5], " CLASSES "}, simulate: {size: 40, seeds: 2}}"

/* K = sum_l of wide-mlp.md#eq15 at finite width, from the recorded Gram matrices; of bias and
 * branch each layer has its own. */
START_TEST(the_tangent_kernel_of_all_outputs_is_the_sum_over_layers) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(ctx, RECORDED);
    nnd_case *c = test_case(ctx, RECORDED);
    nnd_dataset set;
    ck_assert_int_eq(nnd_wide_mlp_dataset(ctx, c->params[0], &set), NND_OK);
    const double sigma2 = 1.44, bias2 = 0.25;
    for (int i = 0; i < P * P * 9; i++) {
        int mu = i / 36, nu = i / 9 % 4, k = i / 3 % 3, k2 = i % 3;
        double sum = 0.0;
        for (int l = 0; l <= 3; l++) {
            double g = l == 3 ? (k == k2 ? 1.0 : 0.0)
                              : at(frame, "g_gram", "seed=1,t=4,layer=%d,mu=%d,nu=%d,c=%d,c2=%d",
                                   l + 1, mu, nu, k, k2);
            double phi = l == 0
                             ? set.gram[mu * POINTS + nu]
                             : at(frame, "phi_gram", "seed=1,t=4,layer=%d,mu=%d,nu=%d", l, mu, nu);
            sum += (l == 0 || l == 3 ? 1.0 : 1.0 / 3.0) * g * (sigma2 * phi + bias2);
        }
        ck_assert_double_eq_tol(
            at(frame, "ntk", "seed=1,t=4,mu=%d,nu=%d,c=%d,c2=%d", mu, nu, k, k2), sum, 1e-12);
    }
    nnd_dataset_clear(&set);
    nnd_case_free(c);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

/* After one small step outputs move by lr/P K Delta, on test samples too. */
START_TEST(outputs_follow_the_tangent_kernel_of_all_outputs) {
    const double lr = 1e-6;
    static const char *const cases[] = {
        "{model: wide-mlp, params: {depth: 2, residual: plain, sigma_b: 0.4, outputs: 3, loss: "
        "cross-entropy, lr: 1e-6, steps: 1, " CLASSES "}, simulate: {size: 40, seeds: 2}}",
        "{model: wide-mlp, params: {depth: 2, sigma_w: 1.2, parameterization: standard, outputs: "
        "3, loss: cross-entropy, lr: 1e-6, steps: 1, " CLASSES "}, simulate: {size: 5, seeds: 2}}"};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(ctx, cases[_i]);
    for (int c = 0; c < 3; c++) {
        double want = 0.0, of_test = 0.0;
        for (int nu = 0; nu < P; nu++)
            for (int k = 0; k < 3; k++) {
                double delta = at(frame, "delta", "seed=0,t=0,mu=%d,c=%d", nu, k) * lr / P;
                want += at(frame, "ntk", "seed=0,t=0,mu=2,nu=%d,c=%d,c2=%d", nu, c, k) * delta;
                of_test +=
                    at(frame, "ntk_test", "seed=0,t=0,test=0,mu=%d,c=%d,c2=%d", nu, c, k) * delta;
            }
        test_close("output", at(frame, "output", "seed=0,t=1,mu=2,c=%d", c), want, 1e-4);
        test_close("of test", at(frame, "test_output", "seed=0,t=1,test=0,c=%d", c), of_test, 1e-4);
    }
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

/* Power iteration with H K, whose eigenvalues are those of B^T K B: the curvature H = diag(p) - p
 * p^T from the recorded outputs. */
START_TEST(stability_is_the_top_curvature_of_the_loss) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(ctx, RECORDED);
    double x[P][3], y[P][3], p[P][3], value = 0.0;
    for (int mu = 0; mu < P; mu++) {
        double sum = 0.0;
        for (int c = 0; c < 3; c++)
            sum += p[mu][c] = exp(at(frame, "output", "seed=1,t=4,mu=%d,c=%d", mu, c));
        for (int c = 0; c < 3; c++) {
            p[mu][c] /= sum;
            x[mu][c] = 0.1 * mu + 0.3 * c - 0.2 * mu * c;
        }
    }
    for (int n = 0; n < 100; n++) {
        double norm2 = 0.0;
        memset(y, 0, sizeof y);
        for (int mu = 0; mu < P; mu++)
            for (int c = 0; c < 3; c++)
                for (int nu = 0; nu < P; nu++)
                    for (int k = 0; k < 3; k++)
                        y[mu][c] +=
                            at(frame, "ntk", "seed=1,t=4,mu=%d,nu=%d,c=%d,c2=%d", mu, nu, c, k) *
                            x[nu][k];
        for (int mu = 0; mu < P; mu++) {
            double mean = p[mu][0] * y[mu][0] + p[mu][1] * y[mu][1] + p[mu][2] * y[mu][2];
            for (int c = 0; c < 3; c++) {
                y[mu][c] = p[mu][c] * (y[mu][c] - mean);
                norm2 += y[mu][c] * y[mu][c];
            }
        }
        value = sqrt(norm2);
        for (int mu = 0; mu < P; mu++)
            for (int c = 0; c < 3; c++)
                x[mu][c] = y[mu][c] / value;
    }
    /* lr 0.1, and the multiplier of the schedule. */
    test_close("stability", at(frame, "stability", "seed=1,t=4"), 0.1 * 0.5 * value / P, 1e-6);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(alignment_and_losses_follow_from_what_is_recorded) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame = simulated(ctx, RECORDED);
    const int label[] = {2, 0, 1, 0};
    const double share[] = {0.5, 0.25, 0.25};
    double across = 0.0, phi2 = 0.0, y2 = 0.0, loss = 0.0;
    int right = 0;
    for (int mu = 0; mu < P; mu++) {
        double sum = 0.0, most = -1e9;
        int best = 0;
        for (int nu = 0; nu < P; nu++) {
            double phi = at(frame, "phi_gram", "seed=1,t=4,layer=2,mu=%d,nu=%d", mu, nu), y = 0.0;
            for (int c = 0; c < 3; c++)
                y += ((label[mu] == c) - share[c]) * ((label[nu] == c) - share[c]);
            across += phi * y;
            phi2 += phi * phi;
            y2 += y * y;
        }
        for (int c = 0; c < 3; c++) {
            double f = at(frame, "output", "seed=1,t=4,mu=%d,c=%d", mu, c);
            sum += exp(f);
            best = f > most ? c : best;
            most = fmax(most, f);
        }
        right += best == label[mu];
        loss += (log(sum) - at(frame, "output", "seed=1,t=4,mu=%d,c=%d", mu, label[mu])) / P;
    }
    test_close("alignment", at(frame, "kernel_alignment", "seed=1,t=4,layer=2"),
               across / sqrt(phi2 * y2), 1e-12);
    test_close("loss", at(frame, "loss", "seed=1,t=4"), loss, 1e-12);
    test_close("accuracy", at(frame, "accuracy", "seed=1,t=4"), right / 4.0, 1e-15);
    ck_assert(isfinite(at(frame, "test_loss", "seed=1,t=4")));
    double test = at(frame, "test_accuracy", "seed=1,t=4");
    ck_assert(test == 0.0 || test == 1.0);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(half_the_mean_square_of_residuals_is_the_loss) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame =
        simulated(ctx, "{model: wide-mlp, params: {outputs: 2, lr: 0.1, steps: 2, " ROWS
                       "}, simulate: {size: 20, seeds: 2}}");
    const nnd_array *residuals = nnd_frame_find(frame, NND_WIDE_RESIDUALS);
    double sum = 0.0;
    for (size_t i = 0; i < 2 * P; i++) /* seed 0 at the last of the times 0, 1, 2 */
        sum += pow(residuals->data[2 * 2 * P + i], 2.0) / (2.0 * 2 * P);
    test_close("loss", sum, at(frame, "loss", "seed=0,t=2"), 1e-14);
    nnd_frame_free(frame);
    nnd_context_free(ctx);
}
END_TEST

/* ---- infinite width ---- */

#define THREE "data: {gram: [[1, 0.4, -0.2], [0.4, 0.8, 0.1], [-0.2, 0.1, 1.2]], labels: [0, 1, 2]}"

/* Linear networks with momentum, decay and a schedule, from an independent solver of the limit. */
START_TEST(networks_follow_a_linear_limit) {
    static const reference of[] = {{"output", "t=4,mu=0,c=0", 0.20792436, 4e-3},
                                   {"output", "t=8,mu=0,c=2", -1.04172510, 1e-2},
                                   {"output", "t=8,mu=2,c=2", 1.37118945, 1e-2},
                                   {"loss", "t=4", 0.90555439, 2e-3},
                                   {"loss", "t=8", 0.49975906, 5e-3},
                                   {"h_gram", "t=4,layer=2,mu=0,nu=0", 1.22560131, 2e-2},
                                   {"outlier", "t=8,matrix=1,k=1", 1.92124394, 1e-2}};
    compare("{model: wide-mlp, params: {depth: 2, activation: linear, sigma_w: 1.1, gamma0: 3, lr: "
            "0.08, steps: 8, record: [4], outputs: 3, loss: cross-entropy, momentum: 0.7, "
            "weight_decay: 0.05, schedule: [0.2, 0.5, 1, 0.7], " THREE
            "}, simulate: {size: 300, seeds: 26, orthonormal_init: true}}",
            sizeof of / sizeof *of, of);
}
END_TEST

/* K(0) = 2 (1 + beta^2)^(L-1) + (L-1) beta^2 (1 + beta^2)^(L-2), beta^2 = 1/L. */
START_TEST(linear_branches_begin_with_their_kernel) {
    static const reference of[] = {{"ntk", "t=0,mu=0,nu=0", 5.078125, 5e-2},
                                   {"h_gram", "t=0,layer=4,mu=0,nu=0", 1.953125, 2e-2}};
    compare(
        "{model: wide-mlp, params: {depth: 4, residual: mup-depth, activation: linear, steps: 0, "
        "data: {gram: 1, targets: 1}}, simulate: {size: 300, seeds: 26}}",
        sizeof of / sizeof *of, of);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide mlp descent");
    TCase *twins = tcase_create("against a plain twin");
    tcase_add_loop_test(twins, descent_equals_that_of_a_plain_twin, 0, DESCENT_COUNT);
    tcase_add_loop_test(twins, flow_equals_that_of_a_plain_twin, 0, FLOW_COUNT);
    suite_add_tcase(suite, twins);
    TCase *losses = tcase_create("losses");
    tcase_add_test(losses, losses_have_their_literal_values);
    tcase_add_test(losses, losses_survive_large_outputs);
    tcase_add_test(losses, accuracy_counts_the_largest_output_and_the_sign);
    suite_add_tcase(suite, losses);
    TCase *symmetries = tcase_create("symmetries");
    tcase_add_test(symmetries, the_square_loss_does_not_know_a_direction_of_outputs);
    tcase_add_test(symmetries, two_classes_are_the_logistic_loss);
    suite_add_tcase(suite, symmetries);
    TCase *records = tcase_create("records");
    tcase_add_test(records, the_tangent_kernel_of_all_outputs_is_the_sum_over_layers);
    tcase_add_loop_test(records, outputs_follow_the_tangent_kernel_of_all_outputs, 0, 2);
    tcase_add_test(records, stability_is_the_top_curvature_of_the_loss);
    tcase_add_test(records, alignment_and_losses_follow_from_what_is_recorded);
    tcase_add_test(records, half_the_mean_square_of_residuals_is_the_loss);
    suite_add_tcase(suite, records);
    TCase *limits = tcase_create("infinite width");
    tcase_add_test(limits, networks_follow_a_linear_limit);
    tcase_add_test(limits, linear_branches_begin_with_their_kernel);
    suite_add_tcase(suite, limits);
    return test_main(suite);
}
