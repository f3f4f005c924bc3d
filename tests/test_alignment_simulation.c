/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairs of real networks: gradients, starts and minima against other ways to get them, CKA by its
 * definition. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/streams.h"
#include "nndmft/similarity.h"
#include "support.h"
#include "validate/alignment_linear.h"
#include "validate/alignment_measure.h"
#include "validate/alignment_run.h"

enum { D = 12 };

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    const nnd_alignment *p;
    nnd_alignment_pair pair;
    nnd_linear_data data;
} fixture;

static fixture begin(const char *yaml) {
    fixture f = {.ctx = nnd_context_new(NULL)};
    f.c = test_case(f.ctx, yaml);
    f.p = f.c->params[0];
    ck_assert_int_eq(nnd_alignment_pair_make(f.ctx, f.p, D, &f.pair), NND_OK);
    ck_assert_int_eq(nnd_alignment_pair_draw(f.ctx, &f.pair, (nnd_rng_key){1, 2, D}), NND_OK);
    ck_assert_int_eq(nnd_linear_data_make(f.ctx, D, f.pair.outputs, f.pair.samples, &f.data),
                     NND_OK);
    nnd_linear_data_set(&f.data, &f.pair, 0);
    return f;
}

static void end(fixture *f) {
    nnd_linear_data_clear(&f->data);
    nnd_alignment_pair_clear(&f->pair);
    nnd_case_free(f->c);
    nnd_context_free(f->ctx);
}

/* Loss sample by sample, with no use of S = X^T X/P. */
static double loss(const fixture *f, const nnd_linear_network *net, const double *w) {
    double sum = 0.0, h[2][64];
    size_t rows, cols, p = f->pair.samples;
    for (size_t mu = 0; mu < p; mu++) {
        memcpy(h[0], f->pair.x[0] + mu * D, D * sizeof(double));
        for (size_t l = 0; l < net->depth; l++) {
            const double *m =
                nnd_linear_network_matrix(net, l, (double *)(uintptr_t)w, &rows, &cols);
            cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)cols, 1.0, m, (int)cols,
                        h[l % 2], 1, 0.0, h[(l + 1) % 2], 1);
        }
        for (size_t c = 0; c < f->pair.outputs; c++) {
            double off = f->pair.y[0][mu * f->pair.outputs + c] - h[net->depth % 2][c];
            sum += off * off / (2.0 * (double)p);
        }
    }
    for (size_t i = 0; i < net->count; i++)
        sum += 0.5 * net->decay * w[i] * w[i];
    return sum;
}

START_TEST(descent_is_minus_the_gradient) {
    fixture f = begin("{model: alignment, params: {alpha: 1.5, outputs: 2, snr: 1}}");
    for (size_t depth = 1; depth <= 3; depth++) {
        nnd_linear_network net;
        ck_assert_int_eq(nnd_linear_network_make(f.ctx, &f.data, depth, 5, &net), NND_OK);
        net.decay = 0.3;
        double *direction = calloc(net.count, sizeof *direction);
        nnd_rng_normals((nnd_rng_key){3, 1, 1}, 0, 0, net.count, net.w);
        nnd_linear_network_descent(&net, net.w, direction);
        for (size_t i = 0; i < net.count; i += 3) {
            const double h = 1e-4, kept = net.w[i];
            net.w[i] = kept + h;
            double up = loss(&f, &net, net.w);
            net.w[i] = kept - h;
            double down = loss(&f, &net, net.w);
            net.w[i] = kept;
            ck_assert_msg(fabs((down - up) / (2.0 * h) - direction[i]) < 1e-6 * (1.0 + fabs(up)),
                          "depth %zu, weight %zu", depth, i);
        }
        free(direction);
        nnd_linear_network_clear(&net);
    }
    end(&f);
}
END_TEST

/* |y - B x|^2/P from S and X^T y equals the sum over samples. */
START_TEST(training_error_from_statistics) {
    fixture f = begin("{model: alignment, params: {alpha: 2, outputs: 2, snr: 1}}");
    double b[2 * D], work[2 * D], sum = 0.0;
    nnd_rng_normals((nnd_rng_key){3, 1, 1}, 0, 0, 2 * D, b);
    for (size_t mu = 0; mu < f.pair.samples; mu++)
        for (size_t c = 0; c < 2; c++) {
            double off =
                f.pair.y[0][mu * 2 + c] - cblas_ddot(D, b + c * D, 1, f.pair.x[0] + mu * D, 1);
            sum += off * off / (double)f.pair.samples;
        }
    test_close("error", nnd_linear_data_error(&f.data, b, work), sum, 1e-12);
    end(&f);
}
END_TEST

static const char *const MINIMA[] = {
    "{model: alignment, params: {alpha: 1.5, snr: 1, ridge: 0.1}, simulate: {size: 12, tolerance: "
    "1e-9}}",
    "{model: alignment, params: {alpha: 0.5, snr: 1}, simulate: {size: 12, tolerance: 1e-9}}",
    "{model: alignment, params: {alpha: 2.5, snr: 1, training: weight-decay, weight_decay: 0.2}, "
    "simulate: {size: 12, tolerance: 1e-9}}",
    "{model: alignment, params: {alpha: 2.5, snr: 1, outputs: 2}, simulate: {size: 12, tolerance: "
    "1e-9}}",
};

/* The direct solution and a trained network are two ways to the same minimum: predictors, hidden
 * layers, everything that is measured. */
START_TEST(trained_networks_reach_the_direct_solution) {
    fixture f = begin(MINIMA[_i]);
    nnd_alignment network = *f.p;
    nnd_alignment_pair other = f.pair;
    double direct[NND_ALIGN_MEASURES], trained[NND_ALIGN_MEASURES];
    nnd_alignment_trace a = {.times = 1, .measure = direct}, b = {.times = 1, .measure = trained};
    network.route = NND_ROUTE_NETWORK;
    other.params = &network;
    ck_assert_int_eq(nnd_alignment_run_linear(f.ctx, &f.pair, (nnd_rng_key){1, 2, D}, NULL, &a),
                     NND_OK);
    ck_assert_int_eq(nnd_alignment_run_linear(f.ctx, &other, (nnd_rng_key){1, 2, D}, NULL, &b),
                     NND_OK);
    ck_assert(b.converged == 1.0);
    for (int m = 0; m < NND_ALIGN_MEASURES; m++)
        if (nnd_alignment_is_measured(f.p, (size_t)m))
            ck_assert_msg(fabs(trained[m] - direct[m]) < 2e-4 * (fabs(direct[m]) + 0.05),
                          "%s: %.9g trained, %.9g directly", nnd_alignment_measure_names[m],
                          trained[m], direct[m]);
    end(&f);
}
END_TEST

/* Starts are what they are called. */
START_TEST(starts) {
    fixture f = begin("{model: alignment, params: {alpha: 2}}");
    nnd_linear_network net;
    size_t rows, cols, k = 15;
    double direction[D] = {0.0}, gram[D * D], *step;
    direction[3] = 1.0;
    ck_assert_int_eq(nnd_linear_network_make(f.ctx, &f.data, 4, k, &net), NND_OK);
    step = calloc(net.count, sizeof *step);
    nnd_linear_network_start_aligned(&net, 0.01, direction, (nnd_rng_key){1, 1, 1}, 8);
    nnd_linear_network_descent(&net, net.w, step);
    for (size_t i = 0; i < D; i++)
        ck_assert(fabs(net.predictor[i] - 0.01 * direction[i]) < 1e-15);
    for (size_t l = 0; l < 4; l++) { /* balanced */
        const double *m = nnd_linear_network_matrix(&net, l, net.w, &rows, &cols);
        test_close("norm", cblas_dnrm2((int)(rows * cols), m, 1), pow(0.01, 0.25), 1e-12);
    }
    free(step);
    nnd_linear_network_clear(&net);
    ck_assert_int_eq(nnd_linear_network_make(f.ctx, &f.data, 2, k, &net), NND_OK);
    ck_assert_int_eq(nnd_linear_network_start_white(f.ctx, &net, 0.3, (nnd_rng_key){1, 1, 1}, 8),
                     NND_OK);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, D, D, (int)k, 1.0, net.w, D, net.w, D, 0.0,
                gram, D);
    for (size_t i = 0; i < D * D; i++)
        ck_assert(fabs(gram[i] - (i % (D + 1) == 0 ? 0.3 : 0.0)) < 1e-14);
    nnd_linear_network_clear(&net);
    end(&f);
}
END_TEST

/* What a framework is told to draw has the size of what networks here start from. */
START_TEST(recipes_have_the_standard_deviations_of_the_starts) {
    fixture f = begin("{model: alignment, params: {alpha: 2, training: white-init, dim: 12, width: "
                      "1.5, init_scale: 0.3}}");
    const nnd_simulator *simulator = nnd_simulator_find(f.c->model);
    nnd_alignment p = *f.p;
    nnd_linear_network net;
    nnd_frame *recipe;
    size_t k = nnd_alignment_width(f.p, D), rows, cols;
    double direction[D] = {1.0};
    ck_assert_int_eq(nnd_linear_network_make(f.ctx, &f.data, 2, k, &net), NND_OK);
    ck_assert_int_eq(
        nnd_linear_network_start_white(f.ctx, &net, p.init_scale, (nnd_rng_key){1, 1, 1}, 8),
        NND_OK);
    ck_assert_int_eq(simulator->recipe(f.ctx, &p, D, &recipe), NND_OK);
    test_close("white", nnd_frame_find(recipe, "init_std")->data[0],
               cblas_dnrm2((int)k * D, net.w, 1) / sqrt((double)(k * D)), 1e-13);
    nnd_frame_free(recipe);
    nnd_linear_network_start_gaussian(&net, p.init_scale, (nnd_rng_key){1, 1, 1}, 8);
    p.training = NND_ALIGN_GAUSSIAN;
    ck_assert_int_eq(simulator->recipe(f.ctx, &p, D, &recipe), NND_OK);
    /* five standard errors of a root mean square */
    test_close("gaussian", nnd_frame_find(recipe, "init_std")->data[0],
               cblas_dnrm2((int)k * D, net.w, 1) / sqrt((double)(k * D)),
               5.0 / sqrt(2.0 * (double)(k * D)));
    nnd_frame_free(recipe);
    nnd_linear_network_clear(&net);
    p.training = NND_ALIGN_RICH;
    p.depth = 3;
    ck_assert_int_eq(nnd_linear_network_make(f.ctx, &f.data, 3, k, &net), NND_OK);
    nnd_linear_network_start_aligned(&net, p.init_scale, direction, (nnd_rng_key){1, 1, 1}, 8);
    ck_assert_int_eq(simulator->recipe(f.ctx, &p, D, &recipe), NND_OK);
    for (size_t l = 0; l < 3; l++) {
        const double *m = nnd_linear_network_matrix(&net, l, net.w, &rows, &cols);
        test_close("rich", nnd_frame_find(recipe, "init_std")->data[l],
                   cblas_dnrm2((int)(rows * cols), m, 1) / sqrt((double)(rows * cols)), 1e-12);
    }
    nnd_frame_free(recipe);
    nnd_linear_network_clear(&net);
    end(&f);
}
END_TEST

/* W W^T - a a^T is conserved by the flow: an invariant that no integrator knows of. */
START_TEST(flow_conserves_balance) {
    fixture f = begin("{model: alignment, params: {alpha: 2}}");
    enum { K = 14 };
    nnd_linear_network net;
    nnd_linear_flow *flow;
    double before[K * K], after[K * K];
    ck_assert_int_eq(nnd_linear_network_make(f.ctx, &f.data, 2, K, &net), NND_OK);
    nnd_linear_network_start_gaussian(&net, 0.5, (nnd_rng_key){1, 1, 1}, 8);
    nnd_rng_normals((nnd_rng_key){1, 1, 1}, 9, 0, K, net.w + K * D);
    ck_assert_int_eq(nnd_linear_flow_new(f.ctx, &net, &flow), NND_OK);
    for (int t = 0; t < 2; t++) {
        double *x = t == 0 ? before : after;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, K, K, D, 1.0, net.w, D, net.w, D, 0.0,
                    x, K);
        cblas_dger(CblasRowMajor, K, K, -1.0, net.w + K * D, 1, net.w + K * D, 1, x, K);
        if (t == 0)
            ck_assert_int_eq(nnd_linear_flow_to(flow, 5.0, 5.0), NND_OK);
    }
    for (int i = 0; i < K * K; i++)
        ck_assert(fabs(after[i] - before[i]) < 1e-6);
    nnd_linear_flow_free(flow);
    nnd_linear_network_clear(&net);
    end(&f);
}
END_TEST

/* A teacher of several outputs has the inner products that were asked for, a label the noise. */
START_TEST(teachers_have_their_gram_matrix) {
    fixture f = begin("{model: alignment, params: {alpha: 2, outputs: 2, teacher: {norm2: 3}, "
                      "output_gram: [[1, 0.5], [0.5, 2]]}}");
    const double want[] = {3.0, 1.5, 1.5, 6.0};
    for (int i = 0; i < 4; i++)
        test_close("gram",
                   cblas_ddot(D, f.pair.teacher + i / 2 * D, 1, f.pair.teacher + i % 2 * D, 1),
                   want[i], 1e-13);
    end(&f);
}
END_TEST

/* Same clean inputs, own noise; the common part of label noise; more samples add to the first. */
START_TEST(noise_is_what_it_says) {
    fixture f = begin("{model: alignment, params: {alpha: 3, input_noise: 0.5, snr: 1, "
                      "noise_correlation: 1}}");
    ck_assert(memcmp(f.pair.y[0], f.pair.y[1], f.pair.samples * sizeof(double)) == 0);
    double sum = 0.0;
    for (size_t i = 0; i < f.pair.samples * D; i++)
        sum += pow(f.pair.x[0][i] - f.pair.x[1][i], 2);
    double count = (double)f.pair.samples * D;
    /* variance 2 tau^2 = 1; five standard errors of a mean of squares */
    ck_assert(fabs(sum / count - 1.0) < 5.0 * sqrt(2.0 / count));
    fixture more = begin("{model: alignment, params: {alpha: 5, input_noise: 0.5, snr: 1, "
                         "noise_correlation: 1}}");
    ck_assert(memcmp(f.pair.x[1], more.pair.x[1], f.pair.samples * D * sizeof(double)) == 0);
    ck_assert(memcmp(f.pair.y[1], more.pair.y[1], f.pair.samples * sizeof(double)) == 0);
    end(&f);
    end(&more);
}
END_TEST

START_TEST(flipped_labels) {
    fixture f = begin("{model: alignment, params: {alpha: 400, snr: 1, training: gaussian-init, "
                      "dim: 12}, simulate: {size: 12, task: classification}}");
    double want = 0.5 * (1.0 - sqrt(0.5)), wrong = 0.0, count = (double)f.pair.samples;
    for (size_t mu = 0; mu < f.pair.samples; mu++) {
        double clean = cblas_ddot(D, f.pair.teacher, 1, f.pair.x[0] + mu * D, 1);
        ck_assert(fabs(f.pair.y[0][mu]) == 1.0);
        wrong += (clean < 0.0) != (f.pair.y[0][mu] < 0.0);
    }
    ck_assert(fabs(wrong / count - want) < 5.0 * sqrt(want * (1.0 - want) / count));
    end(&f);
}
END_TEST

/* Regression by descent against a plain loop over samples; probes see networks of one output as
 * rank one, so that their CKA is a squared cosine. */
START_TEST(descent_and_its_probes_are_what_they_say) {
    enum { N = 7 };
    fixture f = begin("{model: alignment, params: {alpha: 1.5, snr: 1, training: gd, lr: 0.3, "
                      "steps: 3, record: [1], probe: 7}}");
    const double time[] = {1.0, 3.0};
    double measure[2 * NND_ALIGN_MEASURES], probe[N * D], b[2][D] = {{0.0}};
    nnd_alignment_trace trace = {.times = 2, .time = time, .measure = measure};
    nnd_rng_normals((nnd_rng_key){7, 7, 7}, 0, 0, N * D, probe);
    ck_assert_int_eq(
        nnd_alignment_run_linear(f.ctx, &f.pair, (nnd_rng_key){1, 2, D}, probe, &trace), NND_OK);
    size_t p = f.pair.samples, i = 0;
    for (int t = 1; t <= 3; t++) {
        double error = 0.0, seen[2][N], got;
        for (int k = 0; k < 2; k++) {
            double gradient[D] = {0.0};
            for (size_t mu = 0; mu < p; mu++) {
                const double *x = f.pair.x[k] + mu * D;
                double off = f.pair.y[k][mu] - cblas_ddot(D, b[k], 1, x, 1);
                cblas_daxpy(D, off / (double)p, x, 1, gradient, 1);
            }
            cblas_daxpy(D, 0.3, gradient, 1, b[k], 1);
            for (size_t mu = 0; mu < p; mu++) {
                double off = f.pair.y[k][mu] - cblas_ddot(D, b[k], 1, f.pair.x[k] + mu * D, 1);
                error += 0.5 * off * off / (double)p;
            }
            for (int n = 0; n < N; n++)
                seen[k][n] = cblas_ddot(D, b[k], 1, probe + n * D, 1);
        }
        if (t == 2)
            continue;
        const double *m = measure + i++ * NND_ALIGN_MEASURES;
        test_close("training error", m[NND_ALIGN_TRAIN_ERROR], error, 1e-12);
        got = cblas_ddot(D, b[0], 1, b[1], 1) / cblas_dnrm2(D, b[0], 1) / cblas_dnrm2(D, b[1], 1);
        test_close("cosine", m[NND_ALIGN_COSINE_PAIR], got, 1e-12);
        double cross = cblas_ddot(N, seen[0], 1, seen[1], 1);
        double self[] = {cblas_ddot(N, seen[0], 1, seen[0], 1),
                         cblas_ddot(N, seen[1], 1, seen[1], 1)};
        test_close("CKA", m[NND_ALIGN_CKA_PROBE], cross * cross / (self[0] * self[1]), 1e-12);
        /* Pairs of different probes alone. */
        double pairs[3] = {cross * cross, self[0] * self[0], self[1] * self[1]};
        for (int n = 0; n < N; n++) {
            pairs[0] -= pow(seen[0][n] * seen[1][n], 2);
            pairs[1] -= pow(seen[0][n], 4);
            pairs[2] -= pow(seen[1][n], 4);
        }
        test_close("debiased", m[NND_ALIGN_CKA_DEBIASED], pairs[0] / sqrt(pairs[1] * pairs[2]),
                   1e-12);
    }
    end(&f);
}
END_TEST

/* All measures of similarity, at each time and in both directions, are those of the features of
 * network 0 and 1, and the levels those of the one other order that the pair's key gives. */
START_TEST(probes_are_compared_by_all_measures) {
    enum { SEEDS = 3, POINTS = 30 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *frame;
    nnd_case *c = test_case(ctx, "{model: alignment, params: {alpha: 1.5, training: gd, steps: 4, "
                                 "record: [0, 2], probe: {points: 30, similarity: true}}, "
                                 "simulate: {size: 12}}");
    const nnd_alignment *p = c->params[0];
    const nnd_simulator *simulator = nnd_simulator_find(c->model);
    ck_assert_int_eq(simulator->simulate(ctx, p, D, 4, 0, SEEDS, &frame), NND_OK);
    const nnd_array *rsa = nnd_frame_find(frame, "rsa_spearman");
    const nnd_array *imbalance = nnd_frame_find(frame, "information_imbalance");
    const nnd_array *null = nnd_frame_find(frame, "information_imbalance_null");
    ck_assert(rsa->count == SEEDS * 3 && imbalance->count == SEEDS * 3 * 2);
    for (size_t seed = 0; seed < SEEDS; seed++) {
        nnd_rng_key key = {4, seed, D};
        nnd_alignment_pair pair;
        nnd_linear_data data;
        double seen[2][POINTS], clean[POINTS], work[D], *x = calloc(POINTS * D, sizeof *x);
        ck_assert_int_eq(nnd_alignment_pair_make(ctx, p, D, &pair), NND_OK);
        ck_assert_int_eq(nnd_alignment_pair_draw(ctx, &pair, key), NND_OK);
        ck_assert_int_eq(nnd_linear_data_make(ctx, D, 1, pair.samples, &data), NND_OK);
        ck_assert_int_eq(nnd_alignment_draw_probes(ctx, &pair, key, NND_STREAM_ALIGNMENT_PROBES,
                                                   POINTS, x, clean),
                         NND_OK);
        for (size_t b = 0; b < 2; b++) { /* two steps from 0: w = lr c (2 - lr S) */
            nnd_linear_data_set(&data, &pair, b);
            cblas_dsymv(CblasRowMajor, CblasUpper, D, -p->lr * p->lr, data.s, D, data.c, 1, 0.0,
                        work, 1);
            cblas_daxpy(D, 2.0 * p->lr, data.c, 1, work, 1);
            cblas_dgemv(CblasRowMajor, CblasNoTrans, POINTS, D, 1.0, x, D, work, 1, 0.0, seen[b],
                        1);
        }
        const nnd_representations r = {POINTS, {1, 1}, {seen[0], seen[1]}, {NULL, NULL}};
        nnd_similarity_options o = nnd_similarity_defaults();
        nnd_similarity s[NND_SIMILARITIES];
        o.uncentred = true;
        o.permutations = 1;
        o.resamples = 0;
        o.key = key;
        ck_assert_int_eq(nnd_similarity_measure_all(ctx, &r, &o, s), NND_OK);
        /* at the start nothing is known, which is neither alike nor unlike */
        ck_assert(isnan(rsa->data[seed * 3]) && isnan(imbalance->data[seed * 6 + 1]));
        test_close("RSA", rsa->data[seed * 3 + 1], s[NND_SIMILARITY_RSA_SPEARMAN].value, 1e-12);
        for (size_t d = 0; d < 2; d++) {
            const nnd_similarity *want = &s[NND_SIMILARITY_IMBALANCE_AB + d];
            test_close("imbalance", imbalance->data[(seed * 3 + 1) * 2 + d], want->value, 1e-12);
            test_close("its level", null->data[(seed * 3 + 1) * 2 + d], want->null, 1e-12);
        }
        nnd_linear_data_clear(&data);
        nnd_alignment_pair_clear(&pair);
        free(x);
    }
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* ---- CKA ---- */

/* Rank one: the squared cosine; equal representations: 1; rotations and scales change nothing. */
START_TEST(cka_of_known_representations) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s[] = {2.0, 1.0}, u[] = {1.0, 0.5}, v[] = {-0.3, 1.0};
    const double *const h[] = {u, v}, *const same[] = {u, u};
    const size_t one[] = {1, 1};
    nnd_cka_traces t;
    ck_assert_int_eq(nnd_cka_population(ctx, 2, s, one, h, &t), NND_OK);
    double uv = 2 * -0.3 + 0.5, uu = 2 + 0.25, vv = 2 * 0.09 + 1;
    test_close("rank one", nnd_cka_of(&t), uv * uv / (uu * vv), 1e-14);
    ck_assert_int_eq(nnd_cka_population(ctx, 2, s, one, same, &t), NND_OK);
    test_close("equal", nnd_cka_of(&t), 1.0, 1e-15);
    const double full[] = {1, 2, 0, 1, 1, 1}, c = cos(1.0), d = sin(1.0);
    double turned[6];
    for (int i = 0; i < 2; i++) {
        turned[i] = 3 * (c * full[i] - d * full[2 + i]);
        turned[2 + i] = 3 * (d * full[i] + c * full[2 + i]);
        turned[4 + i] = 3 * full[4 + i];
    }
    const double *const both[] = {full, turned};
    const size_t three[] = {3, 3};
    ck_assert_int_eq(nnd_cka_population(ctx, 2, s, three, both, &t), NND_OK);
    test_close("turned", nnd_cka_of(&t), 1.0, 1e-14);
    nnd_context_free(ctx);
}
END_TEST

/* On finite sets: centring by its definition; the debiased traces are right on average. */
START_TEST(cka_on_finite_sets) {
    enum { N = 9, SETS = 4000 };
    nnd_context *ctx = nnd_context_new(NULL);
    const size_t width[] = {2, 2};
    for (int centred = 0; centred < 2; centred++) {
        double mean = 0.0, square = 0.0;
        for (uint64_t set = 0; set < SETS; set++) {
            double x[N * 2], y[N * 2];
            nnd_rng_normals((nnd_rng_key){5, set, 1}, 0, 0, N * 2, x);
            for (int i = 0; i < N; i++) {
                y[2 * i] = x[2 * i] + 0.5 * x[2 * i + 1];
                y[2 * i + 1] = 0.2 * x[2 * i + 1];
            }
            const double *const f[] = {x, y};
            nnd_cka_traces t;
            ck_assert_int_eq(nnd_cka_finite(ctx, N, width, f, centred, true, &t), NND_OK);
            mean += t.cross / SETS;
            square += t.cross * t.cross / SETS;
        }
        /* tr(A) for G_b = x^T A x and G_a = x^T x: |y|^2 = sum of squares of the map */
        double want = 1.0 + 0.25 + 0.04, se = sqrt((square - mean * mean) / SETS);
        ck_assert_msg(fabs(mean - want) < 5.0 * se, "%g +- %g, want %g", mean, se, want);
    }
    const double a[] = {1, 2, 4}, b[] = {2, 3, -1}; /* centred: cosine of a - 7/3, b - 4/3 */
    const double *const f[] = {a, b};
    const size_t one[] = {1, 1};
    nnd_cka_traces t;
    ck_assert_int_eq(nnd_cka_finite(ctx, 3, one, f, true, false, &t), NND_OK);
    double ab = 4 - 28.0 / 3, aa = 21 - 49.0 / 3, bb = 14 - 16.0 / 3;
    test_close("centred", nnd_cka_of(&t), ab * ab / (aa * bb), 1e-13);
    nnd_context_free(ctx);
}
END_TEST

/* A nonlinear network with a linear activation is the linear one: descent with a small rate stays
 * near the flow. */
START_TEST(descent_of_networks_follows_the_flow) {
    fixture f = begin("{model: alignment, params: {alpha: 1.5, training: gaussian-init, dim: 12, "
                      "width: 2, init_scale: 0.5}, simulate: {size: 12, test_points: 2000, "
                      "descent_rate: 0.05}}");
    nnd_alignment slow = *f.p;
    slow.time = 200.0;
    nnd_alignment_pair other = f.pair;
    other.params = &slow;
    double flow[NND_ALIGN_MEASURES], descent[NND_ALIGN_MEASURES];
    nnd_alignment_trace a = {.times = 1, .measure = flow}, b = {.times = 1, .measure = descent};
    ck_assert_int_eq(nnd_alignment_run_linear(f.ctx, &f.pair, (nnd_rng_key){1, 2, D}, NULL, &a),
                     NND_OK);
    ck_assert_int_eq(nnd_alignment_run_nonlinear(f.ctx, &other, (nnd_rng_key){1, 2, D}, &b),
                     NND_OK);
    test_close("training error", descent[NND_ALIGN_TRAIN_ERROR], flow[NND_ALIGN_TRAIN_ERROR], 1e-3);
    /* measured on 2000 points instead of the whole distribution */
    test_close("cosine", descent[NND_ALIGN_COSINE_PAIR], flow[NND_ALIGN_COSINE_PAIR], 0.1);
    test_close("CKA", descent[NND_ALIGN_CKA_PAIR], flow[NND_ALIGN_CKA_PAIR], 0.1);
    end(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("alignment simulation");
    TCase *networks = tcase_create("networks");
    tcase_add_test(networks, descent_is_minus_the_gradient);
    tcase_add_test(networks, training_error_from_statistics);
    tcase_add_loop_test(networks, trained_networks_reach_the_direct_solution, 0,
                        (int)(sizeof MINIMA / sizeof *MINIMA));
    tcase_add_test(networks, starts);
    tcase_add_test(networks, recipes_have_the_standard_deviations_of_the_starts);
    tcase_add_test(networks, flow_conserves_balance);
    tcase_add_test(networks, descent_and_its_probes_are_what_they_say);
    tcase_add_test(networks, probes_are_compared_by_all_measures);
    tcase_add_test(networks, descent_of_networks_follows_the_flow);
    suite_add_tcase(suite, networks);
    TCase *data = tcase_create("data");
    tcase_add_test(data, teachers_have_their_gram_matrix);
    tcase_add_test(data, noise_is_what_it_says);
    tcase_add_test(data, flipped_labels);
    suite_add_tcase(suite, data);
    TCase *cka = tcase_create("CKA");
    tcase_add_test(cka, cka_of_known_representations);
    tcase_add_test(cka, cka_on_finite_sets);
    suite_add_tcase(suite, cka);
    return test_main(suite);
}
