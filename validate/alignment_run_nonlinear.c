/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two-layer networks f(x) = a . phi(W x) trained by gradient descent, measured on test points. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "validate/alignment_run.h"
#include "validate/network.h"

/* Both networks, with training and test points side by side. */
typedef struct {
    nnd_context *ctx;
    const nnd_alignment_pair *pair;
    nnd_alignment_trace *trace;
    nnd_network net;
    size_t tests, samples;  /* test points, and all points of a network */
    double *label, *weight; /* 2 x samples: labels; 1/P for training points, 0 for tests */
    double *residual;       /* 2 x samples */
    double *features[2];    /* K x tests */
    double *ones;           /* tests: 1/tests */
} run;

static bool classifies(const run *r) {
    return r->pair->params->task == NND_TASK_CLASSIFICATION;
}

/* Inputs of both networks, training points first, and the labels of all: clean for tests. */
static nnd_status set_data(run *r, nnd_rng_key key) {
    const nnd_alignment_pair *pair = r->pair;
    size_t d = pair->dim, p = pair->samples;
    double *x = calloc(r->samples * d, sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(r->ctx, "inputs");
    nnd_alignment_draw_probes(pair, key, NND_ALIGN_STREAM_TESTS, r->tests, x + p * d);
    for (size_t b = 0; b < 2; b++) {
        memcpy(x, pair->x[b], p * d * sizeof *x);
        nnd_network_set_inputs(&r->net, b, x);
        double *label = r->label + b * r->samples, *weight = r->weight + b * r->samples;
        memcpy(label, pair->y[b], p * sizeof *label);
        for (size_t mu = 0; mu < p; mu++)
            weight[mu] = 1.0 / (double)p;
        for (size_t mu = p; mu < r->samples; mu++) {
            double sum = 0.0;
            for (size_t i = 0; i < d; i++)
                sum += pair->teacher[i] * x[mu * d + i];
            label[mu] = !classifies(r) ? sum : sum < 0.0 ? -1.0 : 1.0;
        }
    }
    free(x);
    return NND_OK;
}

static nnd_status run_make(run *r) {
    const nnd_alignment *p = r->pair->params;
    size_t width = nnd_alignment_width(p, r->pair->dim);
    r->tests = (size_t)p->test_points;
    r->samples = r->pair->samples + r->tests;
    const nnd_layer_plan layers[] = {
        {.width = width, .scale = 1.0, .rate = p->descent_rate, .activation = &p->activation},
        {.width = 1, .scale = 1.0, .rate = p->descent_rate},
    };
    const nnd_network_plan plan = {.networks = 2,
                                   .samples = r->samples,
                                   .inputs = r->pair->dim,
                                   .own_inputs = true,
                                   .layers = 2,
                                   .layer = layers};
    nnd_status status = nnd_network_make(r->ctx, &plan, &r->net);
    r->label = calloc(2 * r->samples, sizeof(double));
    r->weight = calloc(2 * r->samples, sizeof(double));
    r->residual = calloc(2 * r->samples, sizeof(double));
    r->ones = calloc(r->tests, sizeof(double));
    bool done = r->label != NULL && r->weight != NULL && r->residual != NULL && r->ones != NULL;
    for (int b = 0; b < 2; b++) {
        r->features[b] = calloc(width * r->tests, sizeof(double));
        done = done && r->features[b] != NULL;
    }
    for (size_t i = 0; done && i < r->tests; i++)
        r->ones[i] = 1.0 / (double)r->tests;
    return status == NND_OK && !done ? nnd_fail_memory(r->ctx, "a pair of networks") : status;
}

static void run_clear(run *r) {
    nnd_network_clear(&r->net);
    free(r->label);
    free(r->weight);
    free(r->residual);
    free(r->ones);
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
        uint32_t stream = NND_ALIGN_STREAM_START + (shared ? 0 : b);
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
    return nnd_loss(classifies(r) ? NND_LOGISTIC : NND_HALF_SQUARE, 2 * r->samples, r->weight,
                    r->label, r->net.output, r->residual);
}

static void step(run *r) {
    for (size_t i = 0; i < 2 * r->samples; i++)
        r->residual[i] *= r->weight[i];
    nnd_network_backward(&r->net, NULL);
    nnd_network_descend(&r->net, r->residual, NULL);
}

/* ---- measurements ---- */

static void take_features(run *r) {
    bool centred = r->pair->params->probe.centred;
    size_t p = r->pair->samples, k = r->net.layer[0].rows;
    for (size_t b = 0; b < 2; b++) {
        const double *phi = nnd_network_field(&r->net, 0, b, r->net.layer[0].phi);
        for (size_t h = 0; h < k; h++) {
            double *row = r->features[b] + h * r->tests, mean = 0.0;
            memcpy(row, phi + h * r->samples + p, r->tests * sizeof *row);
            for (size_t i = 0; centred && i < r->tests; i++)
                mean += row[i] / (double)r->tests;
            for (size_t i = 0; i < r->tests; i++)
                row[i] -= mean;
        }
    }
}

/* The first probe.points test points as a set of their own: n x K features. */
static nnd_status probe_cka(run *r, double *measure) {
    size_t n = (size_t)r->pair->params->probe.points, k = r->net.layer[0].rows;
    n = n < r->tests ? n : r->tests;
    double *f[2] = {calloc(n * k, sizeof(double)), calloc(n * k, sizeof(double))};
    const size_t width[] = {k, k};
    nnd_cka_traces traces;
    nnd_status status =
        f[0] != NULL && f[1] != NULL ? NND_OK : nnd_fail_memory(r->ctx, "features of the probes");
    for (size_t b = 0; status == NND_OK && b < 2; b++)
        for (size_t i = 0; i < n; i++)
            for (size_t h = 0; h < k; h++)
                f[b][i * k + h] = r->features[b][h * r->tests + i];
    const double *const features[] = {f[0], f[1]};
    for (int debiased = 0; status == NND_OK && debiased < 2; debiased++) {
        status = nnd_cka_finite(r->ctx, n, width, features, r->pair->params->probe.centred,
                                debiased != 0, &traces);
        measure[debiased != 0 ? NND_ALIGN_CKA_DEBIASED : NND_ALIGN_CKA_PROBE] = nnd_cka_of(&traces);
    }
    free(f[0]);
    free(f[1]);
    return status;
}

static bool is_wrong(double label, double output) {
    return (output < 0.0) != (label < 0.0);
}

/* Mean over points [first, last) of network b: squared error, or fraction of wrong classes. */
static double error(const run *r, size_t b, size_t first, size_t last) {
    double sum = 0.0;
    for (size_t i = b * r->samples + first; i < b * r->samples + last; i++) {
        double off = r->net.output[i] - r->label[i];
        if (classifies(r))
            off = is_wrong(r->label[i], r->net.output[i]) ? 1.0 : 0.0;
        sum += off * off;
    }
    return sum / (double)(last - first);
}

static nnd_predictor_overlaps output_overlaps(const run *r) {
    size_t p = r->pair->samples;
    const double *f[2] = {r->net.output + p, r->net.output + r->samples + p}, *y = r->label + p;
    nnd_predictor_overlaps o = {0};
    for (size_t i = 0; i < r->tests; i++) {
        o.cross += f[0][i] * f[1][i] / (double)r->tests;
        o.teacher_self += y[i] * y[i] / (double)r->tests;
        for (int b = 0; b < 2; b++) {
            o.self[b] += f[b][i] * f[b][i] / (double)r->tests;
            o.teacher[b] += f[b][i] * y[i] / (double)r->tests;
        }
    }
    return o;
}

static nnd_status measure(run *r, size_t at) {
    double *m = r->trace->measure + at * NND_ALIGN_MEASURES;
    const size_t rows[] = {r->net.layer[0].rows, r->net.layer[0].rows};
    const double *const features[] = {r->features[0], r->features[1]};
    nnd_predictor_overlaps o = output_overlaps(r);
    nnd_cka_traces traces;
    size_t p = r->pair->samples;
    nnd_alignment_record_overlaps(&o, m);
    m[NND_ALIGN_GEN_ERROR] = 0.5 * (error(r, 0, p, r->samples) + error(r, 1, p, r->samples));
    m[NND_ALIGN_TRAIN_ERROR] = 0.5 * (error(r, 0, 0, p) + error(r, 1, 0, p));
    take_features(r);
    nnd_status status = nnd_cka_population(r->ctx, r->tests, r->ones, rows, features, &traces);
    if (status == NND_OK)
        nnd_alignment_record_cka(&traces, m);
    return status == NND_OK && r->pair->params->probe.points > 0 ? probe_cka(r, m) : status;
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
        for (; isfinite(loss) && done < until; done++) {
            step(r);
            loss = evaluate(r);
        }
        if (nnd_context_interrupted(r->ctx))
            return nnd_fail(r->ctx, NND_E_INTERRUPTED, "interrupted");
        if (!isfinite(loss)) {
            trace->diverged_at = (double)done * p->descent_rate;
            break;
        }
        status = measure(r, i);
    }
    return status;
}

nnd_status nnd_alignment_run_nonlinear(nnd_context *ctx, const nnd_alignment_pair *pair,
                                       nnd_rng_key key, nnd_alignment_trace *trace) {
    run r = {.ctx = ctx, .pair = pair, .trace = trace};
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
