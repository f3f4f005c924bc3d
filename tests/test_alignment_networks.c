/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nonlinear pairs against a plain twin: loops over samples, units and weights, no block products.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"
#include "support.h"
#include "validate/alignment_run.h"

enum { D = 6, MOST = 16, DEPTH = 4, TESTS = 12, CLASSES = 3 };

/* Weights w[l][unit][input] of a network of given widths; width[0] = D, the last is C. */
typedef struct {
    size_t depth, width[DEPTH + 1];
    int activation; /* NND_TANH or NND_RELU */
    double w[DEPTH][MOST][MOST];
    double phi[DEPTH + 1][MOST], slope[DEPTH + 1][MOST];
} twin;

static double forward(twin *t, const double *x) {
    memcpy(t->phi[0], x, D * sizeof *x);
    for (size_t l = 0; l < t->depth; l++)
        for (size_t i = 0; i < t->width[l + 1]; i++) {
            double h = 0.0;
            for (size_t j = 0; j < t->width[l]; j++)
                h += t->w[l][i][j] * t->phi[l][j];
            bool last = l + 1 == t->depth, relu = t->activation == NND_RELU;
            t->phi[l + 1][i] = last ? h : relu ? fmax(h, 0.0) : tanh(h);
            t->slope[l + 1][i] = last   ? 1.0
                                 : relu ? (double)(h > 0.0)
                                        : 1.0 - t->phi[l + 1][i] * t->phi[l + 1][i];
        }
    return t->phi[t->depth][0];
}

/* Adds the gradient of sum_c scale_c f_c to what is laid out as w. */
static void add_gradient(const twin *t, const double *scale, double sum[DEPTH][MOST][MOST]) {
    double g[MOST] = {0.0}, below[MOST];
    memcpy(g, scale, t->width[t->depth] * sizeof *g);
    for (size_t l = t->depth; l-- > 0;) {
        memset(below, 0, sizeof below);
        for (size_t i = 0; i < t->width[l + 1]; i++)
            for (size_t j = 0; j < t->width[l]; j++) {
                double along = g[i] * t->slope[l + 1][i];
                sum[l][i][j] += along * t->phi[l][j];
                below[j] += along * t->w[l][i][j];
            }
        memcpy(g, below, sizeof g);
    }
}

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    const nnd_alignment *p;
    nnd_alignment_pair pair;
    nnd_rng_key key;
    double tests[TESTS * D], clean[TESTS * CLASSES];
    double measure[NND_ALIGN_MEASURES], layers[DEPTH];
} fixture;

static void begin(fixture *f, const char *params, const char *options) {
    char yaml[1024];
    *f = (fixture){.ctx = nnd_context_new(NULL), .key = {3, 5, D}};
    snprintf(yaml, sizeof yaml,
             "{model: alignment, params: {dim: 6, alpha: 1.5, snr: 4, time: 0.7, %s}, "
             "simulate: {size: 6, seeds: 1, test_points: 12, descent_rate: 0.1, %s}}",
             params, options);
    f->c = test_case(f->ctx, yaml);
    f->p = f->c->params[0];
    ck_assert_int_eq(nnd_alignment_pair_make(f->ctx, f->p, D, &f->pair), NND_OK);
    ck_assert_int_eq(nnd_alignment_pair_draw(f->ctx, &f->pair, f->key), NND_OK);
    ck_assert_int_eq(nnd_alignment_draw_probes(f->ctx, &f->pair, f->key, NND_STREAM_ALIGNMENT_TESTS,
                                               TESTS, f->tests, f->clean),
                     NND_OK);
    nnd_alignment_trace trace = {
        .times = 1, .measure = f->measure, .layer_cka = f->layers, .diverged_at = NAN};
    trace.layers = nnd_alignment_layers(f->p) > 1 ? nnd_alignment_layers(f->p) : 0;
    ck_assert_int_eq(nnd_alignment_run_nonlinear(f->ctx, &f->pair, f->key, &trace), NND_OK);
}

static void end(fixture *f) {
    nnd_alignment_pair_clear(&f->pair);
    nnd_case_free(f->c);
    nnd_context_free(f->ctx);
}

/* Rows of all matrices with a variance, one after another from the substreams of the stream. */
static void draw(const fixture *f, twin *t, uint32_t b, const double *variance) {
    size_t row = 0;
    for (size_t l = 0; l < t->depth; l++)
        for (size_t i = 0; variance[l] > 0.0 && i < t->width[l + 1]; i++, row++) {
            nnd_rng_normals(f->key, NND_STREAM_ALIGNMENT_START + b, row, t->width[l], t->w[l][i]);
            for (size_t j = 0; j < t->width[l]; j++)
                t->w[l][i][j] *= sqrt(variance[l]);
        }
}

/* y - softmax(f) over P. */
static void soft_residual(size_t p, const double *y, const double *out, double *residual) {
    double sum = exp(out[0]) + exp(out[1]) + exp(out[2]);
    for (size_t c = 0; c < CLASSES; c++)
        residual[c] = (y[c] - exp(out[c]) / sum) / (double)p;
}

static void descend(const fixture *f, twin *t, uint32_t b, size_t steps, double rate,
                    bool classes) {
    size_t p = f->pair.samples, outputs = t->width[t->depth];
    for (size_t n = 0; n < steps; n++) {
        static double sum[DEPTH][MOST][MOST];
        memset(sum, 0, sizeof sum);
        for (size_t mu = 0; mu < p; mu++) {
            double y = f->pair.y[b][mu], out = forward(t, f->pair.x[b] + mu * D);
            double residual[CLASSES] = {(classes ? y / (1.0 + exp(y * out)) : y - out) / (double)p};
            if (outputs > 1)
                soft_residual(p, f->pair.y[b] + mu * CLASSES, t->phi[t->depth], residual);
            add_gradient(t, residual, sum);
        }
        for (size_t l = 0; l < t->depth; l++)
            for (size_t i = 0; i < t->width[l + 1]; i++)
                for (size_t j = 0; j < t->width[l]; j++)
                    t->w[l][i][j] += rate * sum[l][i][j];
    }
}

/* CKA of hidden layer l of both, by Gram matrices of the test points. */
static double cka(const fixture *f, twin t[2], size_t l) {
    static double phi[2][TESTS][MOST];
    double traces[3] = {0.0}; /* ab, aa, bb */
    for (size_t b = 0; b < 2; b++)
        for (size_t i = 0; i < TESTS; i++) {
            forward(&t[b], f->tests + i * D);
            memcpy(phi[b][i], t[b].phi[l + 1], sizeof phi[b][i]);
        }
    for (size_t i = 0; i < TESTS; i++)
        for (size_t j = 0; j < TESTS; j++) {
            double g[2] = {0.0};
            for (size_t b = 0; b < 2; b++)
                for (size_t k = 0; k < t[b].width[l + 1]; k++)
                    g[b] += phi[b][i][k] * phi[b][j][k];
            traces[0] += g[0] * g[1];
            traces[1] += g[0] * g[0];
            traces[2] += g[1] * g[1];
        }
    return traces[0] / sqrt(traces[1] * traces[2]);
}

/* Outputs on the test points: what they have in common, and their error. */
static void ck_outputs(const fixture *f, twin t[2]) {
    double cross = 0.0, error = 0.0;
    for (size_t i = 0; i < TESTS; i++) {
        double a = forward(&t[0], f->tests + i * D), b = forward(&t[1], f->tests + i * D);
        cross += a * b / TESTS;
        error += (pow(a - f->clean[i], 2.0) + pow(b - f->clean[i], 2.0)) / (2.0 * TESTS);
    }
    test_close("signal", f->measure[NND_ALIGN_SIGNAL], cross, 1e-12);
    if (f->p->task == NND_TASK_REGRESSION)
        test_close("gen_error", f->measure[NND_ALIGN_GEN_ERROR], error, 1e-12);
}

/* Three matrices of rank as they are drawn, tanh; |W_l|^2 = scale^(2/3) on average. */
START_TEST(deep_tanh_networks_from_a_small_start) {
    fixture f;
    static twin t[2];
    begin(&f, "training: rich, depth: 3, init_scale: 0.5, record: [0.7]", "activation: tanh");
    double norm2 = pow(0.5, 2.0 / 3.0), variance[] = {norm2 / 36.0, norm2 / 36.0, norm2 / 6.0};
    for (uint32_t b = 0; b < 2; b++) {
        t[b] = (twin){.depth = 3, .width = {D, D, D, 1}, .activation = NND_TANH};
        draw(&f, &t[b], b, variance);
        descend(&f, &t[b], b, 7, 0.1, false);
    }
    ck_outputs(&f, t);
    for (size_t l = 0; l < 2; l++)
        test_close("CKA of a layer", f.layers[l], cka(&f, t, l), 1e-12);
    test_close("CKA", f.measure[NND_ALIGN_CKA_PAIR], cka(&f, t, 1), 1e-12);
    end(&f);
}
END_TEST

/* The second one is wider, shallower, relu, and slower: as many steps as its rate needs. */
START_TEST(the_second_network_has_what_is_its_own) {
    fixture f;
    static twin t[2];
    begin(&f, "training: white-init, depth: 4, init_scale: 0.8, record: [0.7]",
          "activation: tanh, task: classification, "
          "second: {activation: relu, depth: 3, width: 2, descent_rate: 0.05, init_scale: 1.2}");
    const double deep[] = {0.8 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.0}, wide[] = {0.1, 1.0 / 12.0, 0.0};
    t[0] = (twin){.depth = 4, .width = {D, D, D, D, 1}, .activation = NND_TANH};
    t[1] = (twin){.depth = 3, .width = {D, 12, 12, 1}, .activation = NND_RELU};
    draw(&f, &t[0], 0, deep);
    draw(&f, &t[1], 1, wide);
    descend(&f, &t[0], 0, 7, 0.1, true);
    descend(&f, &t[1], 1, 14, 0.05, true);
    ck_outputs(&f, t);
    for (size_t l = 0; l < 2; l++)
        test_close("CKA of a layer", f.layers[l], cka(&f, t, l), 1e-12);
    end(&f);
}
END_TEST

static size_t largest(const double *x) {
    return x[0] >= x[1] && x[0] >= x[2] ? 0 : x[1] >= x[2] ? 1 : 2;
}

/* Outputs less their mean over classes: common parts of logits say nothing. */
static void ck_classes(const fixture *f, twin t[2]) {
    double cross = 0.0, wrong = 0.0, overlap = 0.0;
    for (size_t i = 0; i < TESTS; i++) {
        size_t truth = largest(f->clean + i * CLASSES);
        double *out[2];
        for (size_t b = 0; b < 2; b++) {
            forward(&t[b], f->tests + i * D);
            out[b] = t[b].phi[t[b].depth];
            double mean = (out[b][0] + out[b][1] + out[b][2]) / 3.0;
            wrong += largest(out[b]) != truth ? 0.5 / TESTS : 0.0;
            for (size_t c = 0; c < CLASSES; c++)
                out[b][c] -= mean;
            overlap += out[b][truth] * 0.5 / TESTS;
        }
        for (size_t c = 0; c < CLASSES; c++)
            cross += out[0][c] * out[1][c] / TESTS;
    }
    test_close("signal", f->measure[NND_ALIGN_SIGNAL], cross, 1e-12);
    test_close("teacher_overlap", f->measure[NND_ALIGN_TEACHER_OVERLAP], overlap, 1e-12);
    test_close("gen_error", f->measure[NND_ALIGN_GEN_ERROR], wrong, 1e-12);
}

/* Three classes, cross-entropy of the softmax; |A|^2 = scale^(2/3) over 3 x 6 entries. */
START_TEST(several_classes_descend_the_cross_entropy_of_their_softmax) {
    fixture f;
    static twin t[2];
    begin(&f, "training: rich, depth: 3, init_scale: 1.5, record: [0.7], outputs: 3",
          "activation: tanh, task: classification, second: {descent_rate: 0.05}");
    double norm2 = pow(1.5, 2.0 / 3.0), variance[] = {norm2 / 36.0, norm2 / 36.0, norm2 / 18.0};
    for (uint32_t b = 0; b < 2; b++) {
        t[b] = (twin){.depth = 3, .width = {D, D, D, CLASSES}, .activation = NND_TANH};
        draw(&f, &t[b], b, variance);
        descend(&f, &t[b], b, b == 0 ? 7 : 14, b == 0 ? 0.1 : 0.05, true);
    }
    ck_classes(&f, t);
    for (size_t l = 0; l < 2; l++)
        test_close("CKA of a layer", f.layers[l], cka(&f, t, l), 1e-12);
    end(&f);
}
END_TEST

/* At SNR 4 a share (1 - sqrt(4/5)) 2/3 of the labels is another class, each of the others as
 * likely: within 5 standard errors of 30000 labels. */
START_TEST(classes_are_replaced_by_any_other) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: alignment, params: {dim: 6, alpha: 2500, snr: 4, "
                                 "outputs: 3, training: white-init}, "
                                 "simulate: {size: 6, task: classification}}");
    nnd_alignment_pair noisy;
    double next = 0.0, after = 0.0, share = 0.07038187266672276, n = 30000.0;
    ck_assert_int_eq(nnd_alignment_pair_make(ctx, c->params[0], D, &noisy), NND_OK);
    ck_assert_int_eq(nnd_alignment_pair_draw(ctx, &noisy, (nnd_rng_key){3, 5, D}), NND_OK);
    test_close("flip_fraction", noisy.flips, share, 1e-12);
    for (size_t i = 0; i < 2 * noisy.samples; i++) {
        size_t b = i / noisy.samples, mu = i % noisy.samples;
        double f[CLASSES] = {0.0};
        for (size_t k = 0; k < CLASSES; k++)
            for (size_t j = 0; j < D; j++)
                f[k] += noisy.teacher[k * D + j] * noisy.x[b][mu * D + j];
        const double *y = noisy.y[b] + mu * CLASSES;
        ck_assert_double_eq(y[0] + y[1] + y[2], 1.0);
        next += y[(largest(f) + 1) % CLASSES] / n;
        after += y[(largest(f) + 2) % CLASSES] / n;
    }
    double error = sqrt(0.5 * share * (1.0 - 0.5 * share) / n);
    test_close("next class", next, 0.5 * share, 5.0 * error / (0.5 * share));
    test_close("class after", after, 0.5 * share, 5.0 * error / (0.5 * share));
    nnd_alignment_pair_clear(&noisy);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* CKA of the first eight training inputs of the first network, by its definition. */
START_TEST(probes_may_be_training_inputs) {
    fixture f;
    static twin t[2];
    begin(&f,
          "training: white-init, init_scale: 0.8, record: [0.7], inputs: independent, "
          "probe: {points: 8, on: train}",
          "activation: tanh");
    const double variance[] = {0.8 / 6.0, 0.0};
    double phi[2][8][D], traces[3] = {0.0};
    for (uint32_t b = 0; b < 2; b++) {
        t[b] = (twin){.depth = 2, .width = {D, D, 1}, .activation = NND_TANH};
        draw(&f, &t[b], b, variance);
        descend(&f, &t[b], b, 7, 0.1, false);
        for (size_t i = 0; i < 8; i++) {
            forward(&t[b], f.pair.x[0] + i * D);
            memcpy(phi[b][i], t[b].phi[1], sizeof phi[b][i]);
        }
    }
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 8; j++) {
            double g[2] = {0.0};
            for (size_t b = 0; b < 2; b++)
                for (size_t k = 0; k < D; k++)
                    g[b] += phi[b][i][k] * phi[b][j][k];
            traces[0] += g[0] * g[1];
            traces[1] += g[0] * g[0];
            traces[2] += g[1] * g[1];
        }
    test_close("CKA of training inputs", f.measure[NND_ALIGN_CKA_PROBE],
               traces[0] / sqrt(traces[1] * traces[2]), 1e-12);
    end(&f);
}
END_TEST

/* A batch of all samples is descent; smaller ones are another path to about the same place. */
START_TEST(batches_of_all_samples_are_descent) {
    fixture all, full, small;
    begin(&all, "training: white-init, record: [0.7]", "activation: tanh");
    begin(&full, "training: white-init, record: [0.7]", "activation: tanh, batch: 9");
    begin(&small, "training: white-init, record: [0.7]", "activation: tanh, batch: 3");
    test_close("signal", full.measure[NND_ALIGN_SIGNAL], all.measure[NND_ALIGN_SIGNAL], 1e-12);
    double apart = small.measure[NND_ALIGN_SIGNAL] / all.measure[NND_ALIGN_SIGNAL] - 1.0;
    ck_assert_double_gt(fabs(apart), 1e-6);
    ck_assert_double_lt(fabs(apart), 0.5);
    end(&all);
    end(&full);
    end(&small);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("networks of alignment");
    TCase *tests = tcase_create("networks of alignment");
    tcase_add_test(tests, deep_tanh_networks_from_a_small_start);
    tcase_add_test(tests, the_second_network_has_what_is_its_own);
    tcase_add_test(tests, several_classes_descend_the_cross_entropy_of_their_softmax);
    tcase_add_test(tests, classes_are_replaced_by_any_other);
    tcase_add_test(tests, probes_may_be_training_inputs);
    tcase_add_test(tests, batches_of_all_samples_are_descent);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
