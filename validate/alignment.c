/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/streams.h"
#include "core/timegrid.h"
#include "nndmft/similarity.h"
#include "validate/alignment_run.h"
#include "validate/network.h"
#include "validate/recipe.h"

enum { DIMENSIONS_AT_ONCE = 4096 };

/* Pairs per block: small ones share a block so that shards stay few, but trained networks take
 * their time. */
static size_t block(const void *params, size_t size) {
    const nnd_alignment *p = params;
    bool quick = p->training == NND_ALIGN_GD || p->training == NND_ALIGN_FLOW ||
                 (p->route == NND_ROUTE_DIRECT && !nnd_alignment_is_timed(p) &&
                  p->training != NND_ALIGN_GAUSSIAN);
    size_t n = DIMENSIONS_AT_ONCE / (size > 0 ? size : 1), most = quick ? 64 : 8;
    size_t least = nnd_alignment_has_data(p) ? 8 : 1; /* each block measures the data */
    return n < least ? least : n > most ? most : n;
}

/* As many as gd may have. */
static const double MOST_DESCENT_STEPS = 1e8;

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_alignment *p = params;
    size_t dim = nnd_alignment_dim(p);
    const double largest = 1e8;
    if (dim > 0 && dim != size)
        return nnd_object(o, "dim", "%zu, but simulate.size is %zu; both are D", dim, size);
    if (p->alpha * (double)size > largest)
        return nnd_object(o, "alpha", "%g times size %zu is more than %g samples", p->alpha, size,
                          largest);
    if (nnd_alignment_samples(p, size) == 0)
        return nnd_object(o, "alpha", "%g times size %zu leaves no sample", p->alpha, size);
    if (p->training == NND_ALIGN_WHITE && nnd_alignment_width(p, size) < size)
        return nnd_object(o, "width", "%g times size %zu is fewer than %zu hidden units", p->width,
                          size, size);
    if ((size_t)p->outputs > size && !nnd_alignment_has_data(p))
        return nnd_object(o, "outputs", "%lld outputs of %zu inputs", (long long)p->outputs, size);
    if (nnd_alignment_samples(p, size) < nnd_alignment_classes(p))
        return nnd_object(o, p->samples > 0 ? "samples" : "alpha",
                          "%zu samples of %zu classes; allowed: at least as many",
                          nnd_alignment_samples(p, size), nnd_alignment_classes(p));
    for (size_t b = 0; b < 2 && !nnd_alignment_is_linear(p); b++) {
        double rate = nnd_alignment_student_of(p, b).descent_rate;
        if (p->time > MOST_DESCENT_STEPS * rate)
            return nnd_object(o, "time", "%g is more than %g steps of descent_rate %g", p->time,
                              MOST_DESCENT_STEPS, rate);
    }
    if (p->probe.on == NND_PROBE_TRAIN && (size_t)p->probe.points > nnd_alignment_samples(p, size))
        return nnd_object(o, "probe", "%lld points of %zu training inputs",
                          (long long)p->probe.points, nnd_alignment_samples(p, size));
    double samples = p->alpha * (double)size;
    if (fabs(samples - (double)nnd_alignment_samples(p, size)) > 1e-9 * samples)
        (void)nnd_object(o, "alpha", "%g times size %zu is no whole number: there are %zu samples",
                         p->alpha, size, nnd_alignment_samples(p, size));
    return true;
}

/* ---- one block ---- */

typedef struct {
    nnd_context *ctx;
    const nnd_alignment *p;
    nnd_alignment_pair pair;
    nnd_reals times;      /* empty: only the end */
    double *probes;       /* points x D, and their labels */
    size_t probe_numbers; /* points x D */
    nnd_alignment_trace trace;
    nnd_frame *frame;
} simulation;

static bool is_timed(const simulation *s) {
    return s->times.count > 0;
}

/* A variable, or one of those that estimators take a ratio of. */
static nnd_status add_measure(const simulation *s, const char *name) {
    if (nnd_model_variable(&nnd_alignment_model, name) != NULL)
        return nnd_frame_add_variable(s->frame, &nnd_alignment_model, name, NULL);
    return nnd_frame_add(s->frame, name, is_timed(s) ? "seed,t" : "seed", NULL);
}

static nnd_status make_frame(simulation *s, size_t first_seed, size_t count) {
    bool steps = s->p->training == NND_ALIGN_GD;
    nnd_status status = nnd_frame_new(s->ctx, &s->frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "seed", count, (double)first_seed);
    if (status == NND_OK && is_timed(s))
        status = nnd_frame_add_dim(s->frame, "t", steps ? NND_COORD_INTEGER : NND_COORD_REAL,
                                   s->times.count, s->times.value);
    if (status == NND_OK && s->p->probe.similarity)
        status = nnd_alignment_add_directions(s->frame);
    for (size_t m = 0; status == NND_OK && m < NND_ALIGN_MEASURES; m++) {
        const char *name = nnd_alignment_measure_names[m];
        if (nnd_alignment_is_measured(s->p, m) && nnd_frame_find(s->frame, name) == NULL)
            status = add_measure(s, name);
    }
    if (status == NND_OK && s->trace.layers > 0)
        status = nnd_frame_add_range(s->frame, "layer", s->trace.layers, 1.0);
    if (status == NND_OK && s->trace.layers > 0)
        status = nnd_frame_add_variable(s->frame, &nnd_alignment_model, "cka_layer", NULL);
    if (status == NND_OK)
        status = nnd_frame_add(s->frame, NND_DIVERGED_AT, "seed", NULL);
    if (status == NND_OK)
        status = nnd_frame_add_variable(s->frame, &nnd_alignment_model, "converged_fraction", NULL);
    if (status == NND_OK && s->p->task == NND_TASK_CLASSIFICATION)
        status = nnd_frame_add_variable(s->frame, &nnd_alignment_model, "flip_fraction", NULL);
    return status;
}

static void store(const simulation *s, size_t seed) {
    const nnd_alignment_trace *trace = &s->trace;
    for (size_t m = 0; m < NND_ALIGN_MEASURES; m++) {
        const nnd_array *array = nnd_frame_find(s->frame, nnd_alignment_measure_names[m]);
        size_t directions, direction = nnd_alignment_direction(m, &directions);
        for (size_t i = 0; array != NULL && i < trace->times; i++)
            array->data[(seed * trace->times + i) * directions + direction] =
                trace->measure[i * NND_ALIGN_MEASURES + m];
    }
    size_t layers = trace->times * trace->layers;
    if (layers > 0)
        memcpy(nnd_frame_find(s->frame, "cka_layer")->data + seed * layers, trace->layer_cka,
               layers * sizeof(double));
    nnd_frame_find(s->frame, NND_DIVERGED_AT)->data[seed] = trace->diverged_at;
    nnd_frame_find(s->frame, "converged_fraction")->data[seed] = trace->converged;
    if (s->p->task == NND_TASK_CLASSIFICATION)
        nnd_frame_find(s->frame, "flip_fraction")->data[seed] = s->pair.flips;
}

static nnd_status train(simulation *s, nnd_rng_key key) {
    nnd_alignment_trace *trace = &s->trace;
    trace->converged = trace->diverged_at = NAN;
    for (size_t i = 0; i < trace->times * NND_ALIGN_MEASURES; i++)
        trace->measure[i] = NAN;
    for (size_t i = 0; i < trace->times * trace->layers; i++)
        trace->layer_cka[i] = NAN;
    nnd_status status = nnd_alignment_pair_draw(s->ctx, &s->pair, key);
    if (status != NND_OK)
        return status;
    if (!nnd_alignment_is_linear(s->p))
        return nnd_alignment_run_nonlinear(s->ctx, &s->pair, key, trace);
    if (s->p->probe.on == NND_PROBE_TRAIN)
        memcpy(s->probes, s->pair.x[0], s->probe_numbers * sizeof(double));
    else if (s->probes != NULL)
        status = nnd_alignment_draw_probes(s->ctx, &s->pair, key, NND_STREAM_ALIGNMENT_PROBES,
                                           (size_t)s->p->probe.points, s->probes,
                                           s->probes + s->probe_numbers);
    if (status != NND_OK)
        return status;
    return nnd_alignment_run_linear(s->ctx, &s->pair, key, s->probes, trace);
}

static nnd_status make(simulation *s, size_t size, size_t first_seed, size_t count) {
    nnd_status status = NND_OK;
    if (nnd_alignment_is_timed(s->p))
        status = nnd_alignment_times(s->ctx, s->p, &s->times);
    if (status == NND_OK)
        status = nnd_alignment_pair_make(s->ctx, s->p, size, &s->pair);
    s->trace.times = is_timed(s) ? s->times.count : 1;
    s->trace.time = s->times.value;
    s->trace.measure = calloc(s->trace.times * NND_ALIGN_MEASURES, sizeof(double));
    if (!nnd_alignment_is_linear(s->p) && nnd_alignment_layers(s->p) > 1)
        s->trace.layers = nnd_alignment_layers(s->p);
    s->trace.layer_cka = calloc(s->trace.times * s->trace.layers + 1, sizeof(double));
    s->probe_numbers = (size_t)s->p->probe.points * s->pair.dim;
    if (s->p->probe.points > 0)
        s->probes = calloc(s->probe_numbers + (size_t)s->p->probe.points, sizeof(double));
    if (status == NND_OK && (s->trace.measure == NULL || s->trace.layer_cka == NULL ||
                             (s->p->probe.points > 0 && s->probes == NULL)))
        status = nnd_fail_memory(s->ctx, "the measurements");
    return status == NND_OK ? make_frame(s, first_seed, count) : status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    simulation s = {.ctx = ctx, .p = params};
    nnd_status status = make(&s, size, first_seed, count);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        status = train(&s, (nnd_rng_key){base_seed, first_seed + i, size});
        if (status == NND_OK)
            store(&s, i);
    }
    nnd_hand_over(status == NND_OK, s.frame, frame);
    nnd_alignment_pair_clear(&s.pair);
    free(s.times.value);
    free(s.trace.measure);
    free(s.trace.layer_cka);
    free(s.probes);
    return status;
}

/* ---- what it costs ---- */

static double recorded_times(const nnd_alignment *p) {
    if (!nnd_alignment_is_timed(p))
        return 1.0;
    bool flow = p->training != NND_ALIGN_GD;
    return nnd_record_most(flow, flow ? p->time : (double)p->steps, &p->record, p->record_every);
}

/* Operations of the training of two networks with S and X^T y known, but for measurements. The
 * number of Runge-Kutta steps is a guess: 13 evaluations each, a step per unit of time. */
static double training_flops(const nnd_alignment *p, double d, double k) {
    double c = (double)p->outputs, gradient = 2.0 * c * d * (d + 3.0 * k), steps = 200.0;
    if (p->training == NND_ALIGN_GD)
        return 4.0 * (double)p->steps * c * d * d;
    if (p->training == NND_ALIGN_FLOW)
        return 26.0 * (20.0 + p->time) * c * d * d;
    if (nnd_alignment_is_timed(p))
        steps = 20.0 + p->time * (1.0 + p->init_scale);
    else if (p->training != NND_ALIGN_GAUSSIAN && p->route == NND_ROUTE_DIRECT)
        return 2.0 * d * d * d;
    return 26.0 * steps * (gradient + 20.0 * k * d * (double)p->depth);
}

/* Layers are trained: not one predictor, nor is a formula evaluated. */
static bool trains_layers(const nnd_alignment *p) {
    bool direct = p->training != NND_ALIGN_GAUSSIAN && p->route == NND_ROUTE_DIRECT;
    return nnd_alignment_is_timed(p) ? p->training != NND_ALIGN_GD && p->training != NND_ALIGN_FLOW
                                     : !direct;
}

/* Measures of similarity of n probes with k features, once as they are and once in another order:
 * products, decompositions, distances, and a few passes over all pairs. */
static void add_similarity_cost(const nnd_alignment *p, double k, double times,
                                nnd_simulation_cost *x) {
    const nnd_similarity_options o = nnd_similarity_defaults();
    size_t width = (size_t)k;
    const nnd_representations r = {.n = (size_t)p->probe.points, .width = {width, width}};
    double n = (double)p->probe.points, least = fmin(n, k);
    x->bytes += nnd_similarity_bytes(&r, &o, 1);
    x->flops += times * (60.0 * n * k * least + 6.0 * n * n * k + 400.0 * n * n);
}

/* Measuring data in each block of pairs, and the coordinates of its samples. */
static void add_data_cost(const nnd_alignment *p, size_t size, nnd_simulation_cost *x) {
    double bytes, flops, d = (double)size;
    nnd_feature_spectrum_cost(&p->data, &bytes, &flops);
    x->bytes += bytes;
    x->flops += flops / (double)block(p, size) + 2.0 * p->alpha * d * d * d;
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_alignment *p = params;
    double d = (double)size, samples = p->alpha * d, k = (double)nnd_alignment_width(p, size);
    double times = recorded_times(p), c = (double)p->outputs,
           tests = (double)nnd_alignment_tests(p);
    nnd_simulation_cost x = {
        .bytes = sizeof(double) * (2.0 * samples * (d + c) + 4.0 * d * d +
                                   (trains_layers(p) ? 32.0 * k : 30.0 * c) * d),
        .record_bytes = sizeof(double) * (times * NND_ALIGN_MEASURES + 3.0),
    };
    if (p->probe.similarity)
        add_similarity_cost(p, nnd_alignment_is_linear(p) && !trains_layers(p) ? c : k, times, &x);
    if (nnd_alignment_has_data(p))
        add_data_cost(p, size, &x);
    if (nnd_alignment_is_linear(p)) {
        double probes = (double)p->probe.points;
        double measured = p->training == NND_ALIGN_FLOW || p->training == NND_ALIGN_GD ||
                                  p->training == NND_ALIGN_RIDGE
                              ? 20.0 * c * c * d
                              : 6.0 * k * k * d;
        x.bytes += sizeof(double) * probes * (d + 2.0 * probes + 2.0 * k);
        x.flops += 2.0 * samples * d * (d + 100.0) + training_flops(p, d, k) +
                   times * (measured + 6.0 * probes * probes * k);
        return x;
    }
    for (size_t b = 0; b < 2; b++) {
        const nnd_alignment_student s = nnd_alignment_student_of(p, b);
        double width = s.width * d, layers = (double)s.depth - 1.0;
        double matrices = width * (d + (layers - 1.0) * width + c),
               steps = p->time / s.descent_rate;
        double points = samples + tests;
        x.bytes += sizeof(double) *
                   (points * (d + 5.0 * layers * width + 4.0 * c) + 4.0 * matrices + width * tests);
        x.flops += steps * 6.0 * matrices * samples +
                   times * (2.0 * matrices + 3.0 * layers * width * width) * tests;
    }
    return x;
}

/* ---- the recipe for a deep-learning framework ---- */

static size_t matrices(const nnd_alignment *p) {
    if (p->training == NND_ALIGN_FLOW || p->training == NND_ALIGN_GD)
        return 1;
    return p->training == NND_ALIGN_RICH ? (size_t)p->depth : 2;
}

/* What is descended. */
static const char *loss_of(const nnd_alignment *p) {
    if (p->task != NND_TASK_CLASSIFICATION)
        return "|y - f|^2/(2P)";
    return p->outputs > 1 ? "the mean cross-entropy of the softmax"
                          : "the mean of log(1 + exp(-y f))";
}

static void describe(const nnd_alignment *p, size_t size, char *text) {
    switch (p->training) {
    case NND_ALIGN_GD:
        snprintf(text, size, "full-batch SGD on %s", loss_of(p));
        return;
    case NND_ALIGN_RICH:
        nnd_format(text, size,
                   "gradient flow on |y - f|^2/(2P): full-batch SGD with a small rate; matrices of "
                   "rank one, each of norm %g, aligned with each other",
                   pow(p->init_scale, 1.0 / (double)p->depth));
        return;
    case NND_ALIGN_WHITE:
        nnd_format(
            text, size,
            "gradient flow on |y - f|^2/(2P): full-batch SGD with a small rate; matrix 0 has "
            "orthogonal columns of length %g",
            sqrt(p->init_scale));
        return;
    case NND_ALIGN_WEIGHT_DECAY:
        nnd_format(text, size, "full-batch SGD with weight_decay %g from a small start, converged",
                   p->weight_decay);
        return;
    case NND_ALIGN_RIDGE:
        nnd_format(
            text, size,
            "full-batch SGD on |y - f|^2/(2P) + %g |W^T a|^2/2 from a small start, converged",
            p->ridge);
        return;
    default:
        snprintf(text, size, "gradient flow on %s: full-batch SGD with a small rate", loss_of(p));
    }
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_alignment *p = params;
    size_t n = matrices(p);
    double *std = NULL, *lr = NULL, d = (double)size, k = (double)nnd_alignment_width(p, size);
    char text[256];
    describe(p, sizeof text, text);
    nnd_status status = nnd_recipe_new(ctx, 0, n, 1.0, text, out, &std, &lr);
    for (size_t l = 0; status == NND_OK && l < n; l++) {
        std[l] = 0.0;
        lr[l] = p->training == NND_ALIGN_GD ? p->lr : p->descent_rate;
    }
    if (status == NND_OK && p->training == NND_ALIGN_GAUSSIAN)
        std[0] = sqrt(p->init_scale / d);
    if (status == NND_OK && p->training == NND_ALIGN_WHITE)
        std[0] = sqrt(p->init_scale / k);
    if (status == NND_OK && p->training == NND_ALIGN_RICH)
        for (size_t l = 0; l < n; l++)
            std[l] = pow(p->init_scale, 1.0 / (double)n) /
                     sqrt((l + 1 < n ? k : (double)p->outputs) * (l > 0 ? k : d));
    return status;
}

const nnd_simulator nnd_alignment_simulator = {
    .model = &nnd_alignment_model,
    .block = block,
    .simulate = simulate,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
