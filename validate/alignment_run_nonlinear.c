/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two-layer networks f(x) = a . phi(W x) trained by gradient descent, measured on test points. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/streams.h"
#include "validate/alignment_run.h"
#include "validate/network.h"

/* Both networks: as they train, and with the same weights on the test points. */
typedef struct {
    nnd_context *ctx;
    nnd_alignment_pair *pair;
    nnd_rng_key key;
    nnd_alignment_trace *trace;
    nnd_network net, test;
    size_t tests;        /* test points */
    double *label;       /* 2 x P */
    double *clean;       /* tests: what the teacher says */
    double *residual;    /* 2 x P */
    double *features[2]; /* K x tests */
    double *weight;      /* tests: 1/tests */
} run;

static bool classifies(const run *r) {
    return r->pair->params->task == NND_TASK_CLASSIFICATION;
}

static nnd_status set_data(run *r, nnd_rng_key key) {
    nnd_alignment_pair *pair = r->pair;
    size_t d = pair->dim;
    double *x = calloc(r->tests * d, sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(r->ctx, "inputs");
    for (size_t b = 0; b < 2; b++) {
        nnd_network_set_inputs(&r->net, b, pair->x[b]);
        memcpy(r->label + b * pair->samples, pair->y[b], pair->samples * sizeof(double));
    }
    nnd_status status = nnd_alignment_draw_probes(r->ctx, pair, key, NND_STREAM_ALIGNMENT_TESTS,
                                                  r->tests, x, r->clean);
    nnd_network_set_inputs(&r->test, 0, x);
    for (size_t mu = 0; classifies(r) && mu < r->tests; mu++)
        r->clean[mu] = r->clean[mu] < 0.0 ? -1.0 : 1.0;
    free(x);
    return status;
}

static nnd_status run_make(run *r) {
    const nnd_alignment *p = r->pair->params;
    size_t width = nnd_alignment_width(p, r->pair->size), samples = r->pair->samples;
    r->tests = (size_t)p->test_points;
    const nnd_layer_plan layers[] = {
        {.width = width, .scale = 1.0, .rate = p->descent_rate, .activation = &p->activation},
        {.width = 1, .scale = 1.0, .rate = p->descent_rate},
    };
    nnd_network_plan plan = {.networks = 2,
                             .samples = samples,
                             .inputs = r->pair->dim,
                             .own_inputs = true,
                             .layers = 2,
                             .layer = layers};
    nnd_status status = nnd_network_make(r->ctx, &plan, &r->net);
    plan.samples = r->tests;
    plan.own_inputs = false;
    if (status == NND_OK)
        status = nnd_network_make(r->ctx, &plan, &r->test);
    r->label = calloc(2 * samples, sizeof(double));
    r->residual = calloc(2 * samples, sizeof(double));
    r->clean = calloc(r->tests, sizeof(double));
    r->weight = calloc(r->tests, sizeof(double));
    bool done = r->label != NULL && r->residual != NULL && r->clean != NULL && r->weight != NULL;
    for (int b = 0; b < 2; b++) {
        r->features[b] = calloc(width * r->tests, sizeof(double));
        done = done && r->features[b] != NULL;
    }
    for (size_t i = 0; done && i < r->tests; i++)
        r->weight[i] = 1.0 / (double)r->tests;
    return status == NND_OK && !done ? nnd_fail_memory(r->ctx, "a pair of networks") : status;
}

static void run_clear(run *r) {
    nnd_network_clear(&r->net);
    nnd_network_clear(&r->test);
    free(r->label);
    free(r->residual);
    free(r->clean);
    free(r->weight);
    free(r->features[0]);
    free(r->features[1]);
}

/* ---- starts ---- */

/* All entries are normal: rich, of W and a with |W|^2 = |a|^2 = scale on average; white-init, of W
 * with W^T W = scale on average; gaussian-init, of W with variance scale/D. */
static void start(run *r, nnd_rng_key key) {
    const nnd_alignment *p = r->pair->params;
    size_t d = r->pair->dim, k = r->net.layer[0].rows;
    for (uint32_t b = 0; b < 2; b++) {
        bool shared = p->training == NND_ALIGN_GAUSSIAN && p->features == NND_INPUTS_SHARED;
        uint32_t stream = NND_STREAM_ALIGNMENT_START + (shared ? 0 : b);
        double *w = nnd_network_weights(&r->net, 0, b), *a = nnd_network_weights(&r->net, 1, b);
        double scale = p->init_scale;
        memset(a, 0, k * sizeof *a);
        for (size_t h = 0; h < k; h++)
            nnd_rng_normals(key, stream, h, d, w + h * d);
        if (p->training == NND_ALIGN_RICH) {
            nnd_rng_normals(key, stream, k, k, a);
            for (size_t h = 0; h < k; h++)
                a[h] *= sqrt(scale / (double)k);
        }
        double size = p->training == NND_ALIGN_RICH    ? scale / ((double)k * (double)d)
                      : p->training == NND_ALIGN_WHITE ? scale / (double)k
                                                       : scale / (double)d;
        for (size_t i = 0; i < k * d; i++)
            w[i] *= sqrt(size);
    }
}

/* ---- training ---- */

static double evaluate(run *r) {
    nnd_network_forward(&r->net);
    return nnd_loss(classifies(r) ? NND_LOGISTIC : NND_HALF_SQUARE, 2 * r->pair->samples, NULL,
                    r->label, r->net.output, r->residual);
}

static void step(run *r) {
    for (size_t i = 0; i < 2 * r->pair->samples; i++)
        r->residual[i] /= (double)r->pair->samples;
    nnd_network_backward(&r->net, NULL);
    nnd_network_descend(&r->net, r->residual, NULL);
}

/* ---- measurements ---- */

static void take_features(run *r) {
    bool centred = r->pair->params->probe.centred;
    size_t k = r->test.layer[0].rows;
    for (size_t b = 0; b < 2; b++) {
        const double *phi = nnd_network_field(&r->test, 0, b, r->test.layer[0].phi);
        for (size_t h = 0; h < k; h++) {
            double *row = r->features[b] + h * r->tests, mean = 0.0;
            memcpy(row, phi + h * r->tests, r->tests * sizeof *row);
            for (size_t i = 0; centred && i < r->tests; i++)
                mean += row[i] / (double)r->tests;
            for (size_t i = 0; i < r->tests; i++)
                row[i] -= mean;
        }
    }
}

/* The first probe.points test points as a set of their own: n x K features. */
static nnd_status measure_probes(run *r, double *measure) {
    size_t n = (size_t)r->pair->params->probe.points, k = r->test.layer[0].rows;
    n = n < r->tests ? n : r->tests;
    double *f[2] = {calloc(n * k, sizeof(double)), calloc(n * k, sizeof(double))};
    const size_t width[] = {k, k};
    nnd_status status =
        f[0] != NULL && f[1] != NULL ? NND_OK : nnd_fail_memory(r->ctx, "features of the probes");
    for (size_t b = 0; status == NND_OK && b < 2; b++)
        for (size_t i = 0; i < n; i++)
            for (size_t h = 0; h < k; h++)
                f[b][i * k + h] = r->features[b][h * r->tests + i];
    const double *const features[] = {f[0], f[1]};
    if (status == NND_OK)
        status = nnd_alignment_record_probes(r->ctx, r->pair->params, r->key, n, width, features,
                                             measure);
    free(f[0]);
    free(f[1]);
    return status;
}

/* Mean of the squared error, or fraction of wrong classes. */
static double error(const run *r, size_t n, const double *label, const double *output) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double off = output[i] - label[i];
        if (classifies(r))
            off = (output[i] < 0.0) != (label[i] < 0.0) ? 1.0 : 0.0;
        sum += off * off;
    }
    return sum / (double)n;
}

static nnd_predictor_overlaps output_overlaps(const run *r) {
    const double *f[2] = {r->test.output, r->test.output + r->tests}, *y = r->clean;
    double scale = 1.0 / (double)r->tests;
    int n = (int)r->tests;
    nnd_predictor_overlaps o = {.cross = scale * cblas_ddot(n, f[0], 1, f[1], 1),
                                .teacher_self = scale * cblas_ddot(n, y, 1, y, 1)};
    for (int b = 0; b < 2; b++) {
        o.self[b] = scale * cblas_ddot(n, f[b], 1, f[b], 1);
        o.teacher[b] = scale * cblas_ddot(n, f[b], 1, y, 1);
    }
    return o;
}

static nnd_status measure(run *r, size_t at) {
    double *m = r->trace->measure + at * NND_ALIGN_MEASURES;
    const size_t rows[] = {r->test.layer[0].rows, r->test.layer[0].rows};
    const double *const features[] = {r->features[0], r->features[1]};
    memcpy(r->test.weights, r->net.weights, r->net.weight_count * sizeof(double));
    nnd_network_forward(&r->test);
    nnd_predictor_overlaps o = output_overlaps(r);
    nnd_alignment_record_overlaps(&o, m);
    m[NND_ALIGN_GEN_ERROR] = m[NND_ALIGN_TRAIN_ERROR] = 0.0;
    for (size_t b = 0; b < 2; b++) {
        size_t p = r->pair->samples;
        m[NND_ALIGN_GEN_ERROR] += 0.5 * error(r, r->tests, r->clean, r->test.output + b * r->tests);
        m[NND_ALIGN_TRAIN_ERROR] += 0.5 * error(r, p, r->label + b * p, r->net.output + b * p);
    }
    take_features(r);
    nnd_cka_traces traces;
    nnd_status status = nnd_cka_population(r->ctx, r->tests, r->weight, rows, features, &traces);
    if (status == NND_OK)
        nnd_alignment_record_cka(&traces, m);
    return status == NND_OK && r->pair->params->probe.points > 0 ? measure_probes(r, m) : status;
}

static nnd_status train(run *r) {
    const nnd_alignment *p = r->pair->params;
    nnd_alignment_trace *trace = r->trace;
    size_t done = 0;
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < trace->times; i++) {
        double time = trace->time != NULL ? trace->time[i] : p->time;
        size_t until = (size_t)(time / p->descent_rate + 0.5);
        double loss = evaluate(r);
        for (; status == NND_OK && !nnd_has_diverged(INFINITY, loss) && done < until; done++) {
            step(r);
            loss = evaluate(r);
            status = nnd_progress_step(r->ctx, (double)done, p->time / p->descent_rate);
        }
        if (status != NND_OK)
            return status;
        if (nnd_has_diverged(INFINITY, loss)) {
            trace->diverged_at = (double)done * p->descent_rate;
            break;
        }
        status = measure(r, i);
    }
    return status;
}

nnd_status nnd_alignment_run_nonlinear(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key,
                                       nnd_alignment_trace *trace) {
    run r = {.ctx = ctx, .pair = pair, .key = key, .trace = trace};
    nnd_status status = run_make(&r);
    if (status == NND_OK)
        status = set_data(&r, key);
    if (status == NND_OK) {
        start(&r, key);
        status = train(&r);
    }
    run_clear(&r);
    return status;
}
