/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairs of networks f(x) = A phi(W_l .. phi(W_1 x)), of one output or several classes, trained by
 * gradient descent, measured on test points. The two may differ in all but the task. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/streams.h"
#include "nndmft/batch.h"
#include "validate/alignment_run.h"
#include "validate/network.h"
#include "validate/wide_mlp_loss.h"

enum { MOST_DEPTH = 4 };

/* One network: as it trains, and with the same weights on the test points. */
typedef struct {
    nnd_alignment_student how;
    nnd_network net, test, probe; /* probe: on training inputs of the first, if asked for */
    nnd_schedule schedule;
    double *weight;   /* P: of the samples of a step */
    double *delta;    /* P x C: what outputs lack */
    double *residual; /* C x P: the same by the weights of the samples */
    double *features; /* widest hidden layer x tests */
    size_t done;      /* steps */
} student;

typedef struct {
    nnd_context *ctx;
    nnd_alignment_pair *pair;
    nnd_rng_key key;
    nnd_alignment_trace *trace;
    student student[2];
    size_t tests;   /* test points */
    double *clean;  /* tests x C: labels without noise */
    double *wanted; /* C x tests: the same as outputs stand */
    double *weight; /* tests: 1/tests */
} run;

static bool classifies(const run *r) {
    return r->pair->params->task == NND_TASK_CLASSIFICATION;
}

/* Outputs of several classes. */
static nnd_wide_outputs classes(const run *r, size_t n, const double *label, const double *output) {
    return (nnd_wide_outputs){NND_WIDE_CROSS_ENTROPY, r->pair->outputs, n, n, label, output};
}

/* ---- making ---- */

static nnd_status student_make(run *r, size_t b) {
    student *s = &r->student[b];
    s->how = nnd_alignment_student_of(r->pair->params, b);
    size_t samples = r->pair->samples, last = s->how.depth - 1;
    nnd_alignment wide = *r->pair->params;
    wide.width = s->how.width;
    size_t width = nnd_alignment_width(&wide, r->pair->size);
    nnd_layer_plan layers[MOST_DEPTH];
    for (size_t l = 0; l <= last; l++)
        layers[l] = (nnd_layer_plan){.width = l < last ? width : r->pair->outputs,
                                     .scale = 1.0,
                                     .rate = s->how.descent_rate,
                                     .activation = l < last ? &s->how.activation : NULL};
    nnd_network_plan plan = {.networks = 1,
                             .samples = samples,
                             .inputs = r->pair->dim,
                             .layers = s->how.depth,
                             .layer = layers};
    nnd_status status = nnd_network_make(r->ctx, &plan, &s->net);
    plan.samples = r->tests;
    if (status == NND_OK)
        status = nnd_network_make(r->ctx, &plan, &s->test);
    plan.samples = (size_t)r->pair->params->probe.points;
    if (status == NND_OK && r->pair->params->probe.on == NND_PROBE_TRAIN)
        status = nnd_network_make(r->ctx, &plan, &s->probe);
    s->weight = malloc(samples * sizeof(double));
    s->delta = calloc(samples * r->pair->outputs, sizeof(double));
    s->residual = calloc(samples * r->pair->outputs, sizeof(double));
    s->features = calloc(width * r->tests, sizeof(double));
    bool done = s->weight != NULL && s->delta != NULL && s->residual != NULL && s->features != NULL;
    for (size_t mu = 0; done && mu < samples; mu++)
        s->weight[mu] = 1.0 / (double)samples;
    return status == NND_OK && !done ? nnd_fail_memory(r->ctx, "a pair of networks") : status;
}

static nnd_status run_make(run *r) {
    nnd_status status = NND_OK;
    r->tests = nnd_alignment_tests(r->pair->params);
    r->clean = calloc(r->tests * r->pair->outputs, sizeof(double));
    r->wanted = calloc(r->tests * r->pair->outputs, sizeof(double));
    r->weight = calloc(r->tests, sizeof(double));
    if (r->clean == NULL || r->wanted == NULL || r->weight == NULL)
        return nnd_fail_memory(r->ctx, "a pair of networks");
    for (size_t i = 0; i < r->tests; i++)
        r->weight[i] = 1.0 / (double)r->tests;
    for (size_t b = 0; status == NND_OK && b < 2; b++)
        status = student_make(r, b);
    return status;
}

static void run_clear(run *r) {
    for (size_t b = 0; b < 2; b++) {
        student *s = &r->student[b];
        nnd_network_clear(&s->net);
        nnd_network_clear(&s->test);
        nnd_network_clear(&s->probe);
        nnd_schedule_clear(&s->schedule);
        free(s->weight);
        free(s->delta);
        free(s->residual);
        free(s->features);
    }
    free(r->clean);
    free(r->wanted);
    free(r->weight);
}

/* Of test points: classes of what the teacher says, and the labels as outputs stand. */
static void settle_labels(run *r) {
    size_t c = r->pair->outputs;
    for (size_t i = 0; i < r->tests; i++) {
        double *y = r->clean + i * c;
        size_t which = nnd_class_of(c, y);
        for (size_t k = 0; k < c; k++) {
            if (classifies(r))
                y[k] = c == 1 ? (y[k] < 0.0 ? -1.0 : 1.0) : (double)(k == which);
            r->wanted[k * r->tests + i] = y[k];
        }
    }
}

static nnd_status set_data(run *r, nnd_rng_key key) {
    size_t d = r->pair->dim;
    double *x = calloc(r->tests * d, sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(r->ctx, "inputs");
    nnd_status status =
        r->pair->params->data.test_inputs.rows > 0
            ? nnd_alignment_take_tests(r->ctx, r->pair, x, r->clean)
            : nnd_alignment_draw_probes(r->ctx, r->pair, key, NND_STREAM_ALIGNMENT_TESTS, r->tests,
                                        x, r->clean);
    for (size_t b = 0; b < 2; b++) {
        nnd_network_set_inputs(&r->student[b].net, 0, r->pair->x[b]);
        nnd_network_set_inputs(&r->student[b].test, 0, x);
        if (r->student[b].probe.samples > 0)
            nnd_network_set_inputs(&r->student[b].probe, 0, r->pair->x[0]);
    }
    settle_labels(r);
    free(x);
    return status;
}

/* Batches come in an order of each network's own. */
static nnd_status set_batches(run *r, nnd_rng_key key) {
    uint64_t seed[2];
    nnd_status status = NND_OK;
    nnd_rng_words(key, NND_STREAM_ALIGNMENT_ORDER, 0, 2, seed);
    for (size_t b = 0; status == NND_OK && b < 2; b++) {
        student *s = &r->student[b];
        const nnd_batch batch = {s->how.batch, (int64_t)(seed[b] >> 1)};
        if (batch.size > 0)
            status = nnd_schedule_make(r->ctx, batch, r->pair->samples, &s->schedule);
    }
    return status;
}

/* ---- starts ---- */

/* The variance of the entries of matrix l: alignment.md#s11. */
static double start_variance(const run *r, const student *s, size_t l) {
    double k = (double)s->net.layer[0].rows, d = (double)r->pair->dim, scale = s->how.init_scale;
    double inputs = l == 0 ? d : k, outputs = (double)s->net.layer[l].rows;
    if (r->pair->params->training == NND_ALIGN_RICH)
        return pow(scale, 2.0 / (double)s->how.depth) / (inputs * outputs);
    if (l + 1 == s->how.depth)
        return 0.0;
    if (l > 0)
        return 1.0 / k;
    return scale / (r->pair->params->training == NND_ALIGN_WHITE ? k : d);
}

/* Rows of the matrices one after another from a substream each; readouts that are 0 are not drawn.
 */
static void start(run *r, nnd_rng_key key) {
    const nnd_alignment *p = r->pair->params;
    bool shared = p->training == NND_ALIGN_GAUSSIAN && p->features == NND_INPUTS_SHARED;
    for (uint32_t b = 0; b < 2; b++) {
        student *s = &r->student[b];
        uint32_t stream = NND_STREAM_ALIGNMENT_START + (shared ? 0 : b);
        for (size_t l = 0, row = 0; l < s->how.depth; l++) {
            const nnd_layer *layer = &s->net.layer[l];
            double deviation = sqrt(start_variance(r, s, l));
            for (size_t h = 0; deviation > 0.0 && h < layer->rows; h++, row++) {
                double *w = layer->w + h * layer->cols;
                nnd_rng_normals(key, stream, row, layer->cols, w);
                cblas_dscal((int)layer->cols, deviation, w, 1);
            }
        }
    }
}

/* ---- training ---- */

/* The loss of the samples of the present step. */
static double evaluate(const run *r, student *s, const double *label) {
    nnd_network_forward(&s->net);
    if (s->how.batch > 0)
        nnd_schedule_weights(&s->schedule, s->done, s->weight);
    const nnd_wide_outputs of = classes(r, r->pair->samples, label, s->net.output);
    if (of.outputs > 1)
        return nnd_wide_mean_loss(&of, s->delta);
    return nnd_loss(classifies(r) ? NND_LOGISTIC : NND_HALF_SQUARE, of.n, s->weight, label,
                    s->net.output, s->delta);
}

/* Of several outputs one pass backward of sum_c residual_c f_c does for all of them. */
static void step(const run *r, student *s) {
    size_t n = r->pair->samples, outputs = r->pair->outputs;
    for (size_t c = 0; c < outputs; c++)
        for (size_t mu = 0; mu < n; mu++)
            s->residual[c * n + mu] = s->weight[mu] * s->delta[mu * outputs + c];
    nnd_network_backward(&s->net, outputs > 1 ? s->residual : NULL);
    nnd_network_descend(&s->net, outputs > 1 ? NULL : s->residual, NULL);
    s->done++;
}

/* Takes network b to a time; false if it diverges before. */
static bool descend(run *r, size_t b, double time) {
    student *s = &r->student[b];
    size_t until = (size_t)(time / s->how.descent_rate + 0.5);
    double loss = evaluate(r, s, r->pair->y[b]);
    while (!nnd_has_diverged(INFINITY, loss) && s->done < until &&
           !nnd_context_interrupted(r->ctx)) {
        step(r, s);
        loss = evaluate(r, s, r->pair->y[b]);
    }
    return !nnd_has_diverged(INFINITY, loss);
}

/* ---- measurements ---- */

/* Features of hidden layer l on the test points: K x tests, less their mean if asked for. */
static void take_features(run *r, size_t b, size_t l) {
    student *s = &r->student[b];
    const nnd_layer *layer = &s->test.layer[l];
    bool centred = r->pair->params->probe.centred;
    for (size_t h = 0; h < layer->rows; h++) {
        double *row = s->features + h * r->tests, mean = 0.0;
        memcpy(row, layer->phi + h * r->tests, r->tests * sizeof *row);
        for (size_t i = 0; centred && i < r->tests; i++)
            mean += row[i] / (double)r->tests;
        for (size_t i = 0; centred && i < r->tests; i++)
            row[i] -= mean;
    }
}

/* CKA of hidden layers counted from the input, or of the last ones (l = depth - 2 of each). */
static nnd_status layer_traces(run *r, const size_t l[2], nnd_cka_traces *traces) {
    size_t rows[2];
    for (size_t b = 0; b < 2; b++) {
        take_features(r, b, l[b]);
        rows[b] = r->student[b].test.layer[l[b]].rows;
    }
    const double *const features[] = {r->student[0].features, r->student[1].features};
    return nnd_cka_population(r->ctx, r->tests, r->weight, rows, features, traces);
}

/* Features of the last hidden layer of network b on n probes, n x K: the first of the test points,
 * or training inputs. */
static void take_probes(student *s, size_t tests, size_t n, double *f) {
    size_t last = s->how.depth - 2, k = s->test.layer[last].rows;
    bool trained = s->probe.samples > 0;
    if (trained) {
        memcpy(s->probe.weights, s->net.weights, s->net.weight_count * sizeof(double));
        nnd_network_forward(&s->probe);
    }
    const double *phi = trained ? s->probe.layer[last].phi : s->features;
    for (size_t i = 0; i < n; i++)
        for (size_t h = 0; h < k; h++)
            f[i * k + h] = phi[h * (trained ? n : tests) + i];
}

/* The probes as a set of their own. */
static nnd_status measure_probes(run *r, double *measure) {
    size_t n = (size_t)r->pair->params->probe.points, width[2];
    double *f[2] = {NULL, NULL};
    nnd_status status = NND_OK;
    for (size_t b = 0; status == NND_OK && b < 2; b++) {
        width[b] = r->student[b].test.layer[r->student[b].how.depth - 2].rows;
        f[b] = calloc(n * width[b], sizeof(double));
        if (f[b] == NULL)
            status = nnd_fail_memory(r->ctx, "features of the probes");
        else
            take_probes(&r->student[b], r->tests, n, f[b]);
    }
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
    const nnd_wide_outputs of = classes(r, n, label, output);
    double sum = 0.0;
    if (of.outputs > 1)
        return 1.0 - nnd_wide_accuracy(&of);
    for (size_t i = 0; i < n; i++) {
        double off = output[i] - label[i];
        if (classifies(r))
            off = (output[i] < 0.0) != (label[i] < 0.0) ? 1.0 : 0.0;
        sum += off * off;
    }
    return sum / (double)n;
}

/* E[a . b] over the test points, both C x tests. What all outputs of several classes share says
 * nothing, and is taken out. */
static double product(const run *r, const double *a, const double *b) {
    size_t c = r->pair->outputs, n = r->tests;
    double sum = cblas_ddot((int)(c * n), a, 1, b, 1);
    for (size_t i = 0; c > 1 && i < n; i++) {
        double of_a = 0.0, of_b = 0.0;
        for (size_t k = 0; k < c; k++) {
            of_a += a[k * n + i];
            of_b += b[k * n + i];
        }
        sum -= of_a * of_b / (double)c;
    }
    return 1.0 / (double)n * sum;
}

static nnd_predictor_overlaps output_overlaps(const run *r) {
    const double *f[2] = {r->student[0].test.output, r->student[1].test.output}, *y = r->wanted;
    nnd_predictor_overlaps o = {.cross = product(r, f[0], f[1]), .teacher_self = product(r, y, y)};
    for (int b = 0; b < 2; b++) {
        o.self[b] = product(r, f[b], f[b]);
        o.teacher[b] = product(r, f[b], y);
    }
    return o;
}

/* The hidden layers that both have, then the last one of each, on which probes are compared. */
static nnd_status measure_layers(run *r, size_t at, double *m) {
    nnd_cka_traces traces;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < r->trace->layers; l++) {
        const size_t same[] = {l, l};
        status = layer_traces(r, same, &traces);
        r->trace->layer_cka[at * r->trace->layers + l] = nnd_cka_of(&traces);
    }
    const size_t last[] = {r->student[0].how.depth - 2, r->student[1].how.depth - 2};
    if (status == NND_OK)
        status = layer_traces(r, last, &traces);
    if (status == NND_OK)
        nnd_alignment_record_cka(&traces, m);
    return status == NND_OK && r->pair->params->probe.points > 0 ? measure_probes(r, m) : status;
}

static nnd_status measure(run *r, size_t at) {
    double *m = r->trace->measure + at * NND_ALIGN_MEASURES;
    m[NND_ALIGN_GEN_ERROR] = m[NND_ALIGN_TRAIN_ERROR] = 0.0;
    for (size_t b = 0; b < 2; b++) {
        student *s = &r->student[b];
        memcpy(s->test.weights, s->net.weights, s->net.weight_count * sizeof(double));
        nnd_network_forward(&s->test);
        m[NND_ALIGN_GEN_ERROR] += 0.5 * error(r, r->tests, r->clean, s->test.output);
        m[NND_ALIGN_TRAIN_ERROR] += 0.5 * error(r, r->pair->samples, r->pair->y[b], s->net.output);
    }
    nnd_predictor_overlaps o = output_overlaps(r);
    nnd_alignment_record_overlaps(&o, m);
    return measure_layers(r, at, m);
}

static nnd_status train(run *r) {
    const nnd_alignment *p = r->pair->params;
    nnd_alignment_trace *trace = r->trace;
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < trace->times; i++) {
        double time = trace->time != NULL ? trace->time[i] : p->time;
        for (size_t b = 0; b < 2; b++)
            if (!descend(r, b, time)) {
                trace->diverged_at = (double)r->student[b].done * r->student[b].how.descent_rate;
                return NND_OK;
            }
        status = nnd_context_interrupted(r->ctx)
                     ? nnd_fail(r->ctx, NND_E_INTERRUPTED, "interrupted at t = %g", time)
                     : measure(r, i);
        if (status == NND_OK)
            status = nnd_progress_step(r->ctx, (double)i, (double)trace->times);
    }
    return status;
}

nnd_status nnd_alignment_run_nonlinear(nnd_context *ctx, nnd_alignment_pair *pair, nnd_rng_key key,
                                       nnd_alignment_trace *trace) {
    run r = {.ctx = ctx, .pair = pair, .key = key, .trace = trace};
    nnd_status status = run_make(&r);
    if (status == NND_OK)
        status = set_data(&r, key);
    if (status == NND_OK)
        status = set_batches(&r, key);
    if (status == NND_OK) {
        start(&r, key);
        status = train(&r);
    }
    run_clear(&r);
    return status;
}
