/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/timegrid.h"
#include "nndmft/dataset.h"
#include "nndmft/lazy_fluctuations.h"
#include "nndmft/solvers/layer_kernels.h"
#include "nndmft/solvers/static_kernel.h"

/* Beyond this relative size of the next order, leading fluctuations describe no network
 * (fluctuations.md#s1-7). */
static const double VALID = 0.2;

/* One set of neurons: kernels, and means and N variances of Delta and test outputs in time, and N
 * covariances of Delta. */
typedef struct {
    nnd_layer_kernels kernels;
    double *mean, *nvar; /* times x points */
    double *ncov;        /* times x train x train */
} replicate;

typedef struct {
    const nnd_lazy_fluctuations *p;
    nnd_context *ctx;
    nnd_dataset set;
    nnd_timegrid grid;
    size_t points, sound; /* sound: recorded times that are finite */
    nnd_status ran;
    size_t replicates; /* one where nothing is sampled */
    replicate *replicate;
    nnd_frame *frame;
} solution;

static nnd_status train(solution *s, replicate *r) {
    size_t n = s->grid.count * s->points, train = s->set.samples, sound;
    r->mean = malloc((2 * n + s->grid.count * train * train) * sizeof(double));
    if (r->mean == NULL)
        return nnd_fail_memory(s->ctx, "training in the lazy limit");
    r->nvar = r->mean + n;
    r->ncov = r->nvar + n;
    const nnd_static_kernel k = {
        .train = train,
        .points = s->points,
        .targets = s->set.targets,
        .ntk = r->kernels.ntk,
        .ncov = r->kernels.ntk_ncov,
        .lr = s->p->lr,
        .grid = &s->grid,
    };
    nnd_status status = nnd_static_kernel_run(s->ctx, &k, r->mean, r->nvar, r->ncov, &sound);
    s->sound = sound < s->sound ? sound : s->sound;
    if (status == NND_DIVERGED)
        s->ran = status;
    return status < NND_OK ? status : NND_OK;
}

static nnd_status solve(solution *s) {
    const nnd_lazy_fluctuations *p = s->p;
    const nnd_layers net = {&p->activation, (size_t)p->depth, s->points, p->sigma_w, s->set.gram};
    nnd_status status = NND_OK;
    s->replicate = calloc((size_t)p->replicates, sizeof *s->replicate);
    if (s->replicate == NULL)
        return nnd_fail_memory(s->ctx, "kernels at initialisation");
    s->sound = s->grid.count;
    for (size_t i = 0; status == NND_OK && i < (size_t)p->replicates; i++) {
        replicate *r = &s->replicate[i];
        status = nnd_layer_kernels_run(s->ctx, &net, (size_t)p->samples, (uint64_t)p->seed, i,
                                       &r->kernels);
        s->replicates = i + 1;
        if (status == NND_OK && p->steps > 0)
            status = train(s, r);
        if (status == NND_OK && !r->kernels.sampled)
            break;
    }
    return status;
}

/* ---- from replicates to the frame ---- */

/* One number of a variable; i counts its first dimension, j the others. */
typedef double (*pick)(const solution *s, const replicate *r, size_t i, size_t j);

static double of_pair(const solution *s, const double *x, size_t j) {
    size_t train = s->set.samples;
    return x[nnd_pair_index(j / train, j % train)];
}

static double phi(const solution *s, const replicate *r, size_t i, size_t j) {
    return of_pair(s, r->kernels.phi + i * r->kernels.pairs, j);
}

static double g(const solution *s, const replicate *r, size_t i, size_t j) {
    return of_pair(s, r->kernels.g + i * r->kernels.pairs, j);
}

static double ntk(const solution *s, const replicate *r, size_t i, size_t j) {
    return of_pair(s, r->kernels.ntk, i * s->set.samples + j);
}

/* Covariance of sample 0 between blocks of kernels. */
static double between(const replicate *r, size_t a, size_t b) {
    size_t m = r->kernels.pairs;
    return r->kernels.ncov[a * m * 2 * r->kernels.depth * m + b * m];
}

static double phi_ncov(const solution *s, const replicate *r, size_t i, size_t j) {
    (void)s;
    return between(r, i, j);
}

static double g_ncov(const solution *s, const replicate *r, size_t i, size_t j) {
    (void)s;
    return between(r, r->kernels.depth + i, r->kernels.depth + j);
}

static double phi_g_ncov(const solution *s, const replicate *r, size_t i, size_t j) {
    (void)s;
    return between(r, i, r->kernels.depth + j);
}

static double ntk_nvar(const solution *s, const replicate *r, size_t i, size_t j) {
    size_t pair = nnd_pair_index(i, j);
    (void)s;
    return r->kernels.ntk_ncov[pair * r->kernels.pairs + pair];
}

static double delta(const solution *s, const replicate *r, size_t i, size_t j) {
    return r->mean[i * s->points + j];
}

static double delta_nvar(const solution *s, const replicate *r, size_t i, size_t j) {
    return r->nvar[i * s->points + j];
}

static double delta_ncov(const solution *s, const replicate *r, size_t i, size_t j) {
    return r->ncov[i * s->set.samples * s->set.samples + j];
}

static double least_size(const solution *s, const replicate *r, size_t i, size_t j) {
    double x = delta(s, r, i, j), spread = delta_nvar(s, r, i, j);
    return spread == 0.0 ? 0.0 : spread / (2.0 * x * x * VALID);
}

static double least_size_of_pair(const solution *s, const replicate *r, size_t i, size_t j) {
    size_t train = s->set.samples;
    return fmax(least_size(s, r, i, j / train), least_size(s, r, i, j % train));
}

static double test_output(const solution *s, const replicate *r, size_t i, size_t j) {
    return r->mean[i * s->points + s->set.samples + j];
}

static double test_nvar(const solution *s, const replicate *r, size_t i, size_t j) {
    return r->nvar[i * s->points + s->set.samples + j];
}

/* Whether a variable belongs to training, and whether it rests on samples. */
typedef enum { STATIC = 0, TRAINED = 1, TESTS = 2, EXACT = 4 } kind;

static const struct {
    const char *name;
    pick value;
    unsigned kind;
} ARRAYS[] = {
    {"phi_gram", phi, STATIC | EXACT},
    {"g_gram", g, STATIC | EXACT},
    {"ntk", ntk, STATIC | EXACT},
    {"phi_ncov", phi_ncov, STATIC},
    {"g_ncov", g_ncov, STATIC},
    {"phi_g_ncov", phi_g_ncov, STATIC},
    {"ntk_nvar", ntk_nvar, STATIC},
    {"delta", delta, TRAINED | EXACT},
    {"delta_nvar", delta_nvar, TRAINED},
    {"delta_nvar" NND_MIN_SIZE, least_size, TRAINED | EXACT},
    {"delta_ncov", delta_ncov, TRAINED},
    {"delta_ncov" NND_MIN_SIZE, least_size_of_pair, TRAINED | EXACT},
    {"test_output", test_output, TRAINED | TESTS | EXACT},
    {"test_output_nvar", test_nvar, TRAINED | TESTS},
};

/* Mean over replicates and its standard error. */
static void average(const solution *s, pick value, size_t i, size_t j, double *mean, double *se) {
    double count = (double)s->replicates, sum2 = 0.0;
    *mean = 0.0;
    for (size_t r = 0; r < s->replicates; r++)
        *mean += value(s, &s->replicate[r], i, j) / count;
    for (size_t r = 0; r < s->replicates; r++) {
        double d = value(s, &s->replicate[r], i, j) - *mean;
        sum2 += d * d;
    }
    *se = sqrt(sum2 / (count * (count - 1.0)));
}

static nnd_status add_array(solution *s, size_t which) {
    const char *name = ARRAYS[which].name;
    bool trained = (ARRAYS[which].kind & TRAINED) != 0;
    double *x, *se = NULL, unused;
    char text[64];
    nnd_status status = nnd_frame_add_variable(s->frame, &nnd_lazy_fluctuations_model, name, &x);
    if (status == NND_OK && s->replicates > 1 && (ARRAYS[which].kind & EXACT) == 0) {
        nnd_companion_name(name, NND_SE, sizeof text, text);
        status = nnd_frame_add_variable(s->frame, &nnd_lazy_fluctuations_model, text, &se);
    }
    if (status != NND_OK)
        return status;
    const nnd_array *array = nnd_frame_find(s->frame, name);
    size_t outer = array->shape[0], inner = array->count / outer;
    for (size_t i = 0; i < (trained ? s->sound : outer); i++)
        for (size_t j = 0; j < inner; j++)
            average(s, ARRAYS[which].value, i, j, &x[i * inner + j],
                    se != NULL ? &se[i * inner + j] : &unused);
    return NND_OK;
}

static nnd_status add_dims(solution *s) {
    nnd_status status = s->p->steps > 0 ? nnd_timegrid_add_dim(&s->grid, s->frame, "t") : NND_OK;
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "mu", s->set.samples, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "nu", s->set.samples, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "layer", (size_t)s->p->depth, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "layer2", (size_t)s->p->depth, 1.0);
    if (status == NND_OK && s->p->steps > 0 && s->set.tests > 0)
        status = nnd_frame_add_range(s->frame, "test", s->set.tests, 0.0);
    return status;
}

static nnd_status make_frame(nnd_context *ctx, solution *s) {
    nnd_status status = nnd_frame_new(ctx, &s->frame);
    if (status == NND_OK)
        status = add_dims(s);
    for (size_t i = 0; status == NND_OK && i < sizeof ARRAYS / sizeof *ARRAYS; i++) {
        bool trained = (ARRAYS[i].kind & TRAINED) != 0, tests = (ARRAYS[i].kind & TESTS) != 0;
        if ((!trained || s->p->steps > 0) && (!tests || s->set.tests > 0))
            status = add_array(s, i);
    }
    bool diverged = s->ran == NND_DIVERGED;
    if (status == NND_OK)
        status = nnd_frame_add_scalar(s->frame, NND_DIVERGED_AT,
                                      diverged ? (double)s->grid.step[s->sound] : NAN);
    if (status == NND_OK && s->replicates > 1)
        status = nnd_frame_set_number(s->frame, NULL, "samples", (double)s->p->samples);
    if (status == NND_OK && s->replicates > 1)
        status = nnd_frame_set_number(s->frame, NULL, "replicates", (double)s->replicates);
    return status;
}

static void solution_clear(solution *s) {
    for (size_t i = 0; i < s->replicates; i++) {
        nnd_layer_kernels_clear(&s->replicate[i].kernels);
        free(s->replicate[i].mean);
    }
    free(s->replicate);
    nnd_dataset_clear(&s->set);
    nnd_timegrid_clear(&s->grid);
}

nnd_status nnd_lazy_fluctuations_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    const nnd_lazy_fluctuations *p = params;
    solution s = {.p = p, .ctx = ctx};
    nnd_status status = nnd_dataset_make(ctx, &p->data, &s.set);
    s.points = s.set.samples + s.set.tests;
    if (status == NND_OK)
        status =
            nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &s.grid);
    if (status == NND_OK)
        status = solve(&s);
    if (status == NND_OK)
        status = make_frame(ctx, &s);
    nnd_hand_over(status == NND_OK, s.frame, frame);
    solution_clear(&s);
    return status == NND_OK ? s.ran : status;
}

nnd_status nnd_lazy_fluctuations_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    const nnd_lazy_fluctuations *p = params;
    double train = (double)nnd_data_samples(&p->data), runs = 1.0;
    double points = train + (double)nnd_data_tests(&p->data), steps = (double)p->steps;
    double pairs = 0.5 * points * (points + 1.0);
    const nnd_layers net = {&p->activation, (size_t)p->depth, (size_t)points, p->sigma_w, NULL};
    (void)ctx;
    nnd_layer_kernels_cost(&net, (size_t)p->samples, &cost->bytes, &cost->flops);
    if (points > 2.0)
        runs = (double)p->replicates;
    double kept = 2.0 * (double)p->depth * pairs;
    double times = nnd_timegrid_most(p->steps, &p->record, p->record_every);
    cost->bytes += runs * sizeof(double) * (kept * (kept + 1.0) + pairs * (pairs + 1.0)) +
                   sizeof(double) * times * (runs * (2.0 * points + train * train) + train * train);
    cost->results = sizeof(double) * times * (12.0 * points + 3.0 * train * train);
    cost->flops += steps * (4.0 * train * train * train + 2.0 * points * pairs * (train + pairs));
    cost->flops *= runs;
    return NND_OK;
}
