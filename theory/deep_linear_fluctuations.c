/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_linear_fluctuations.h"

#include <stdlib.h>

#include "core/timegrid.h"
#include "nndmft/solvers/linear_layers.h"
#include "theory/fluctuation_curves.h"
#include "theory/models.h"

/* Threads that one solution can use: groups of directions. */
static const double LAYERS_THREADS = 8.0;

typedef struct {
    const nnd_deep_linear_fluctuations *p;
    nnd_dataset set;
    nnd_timegrid grid;
    double *ratio; /* depth */
    nnd_linear_layers layers;
    nnd_fluctuations f;
    nnd_linear_layers_report report;
    nnd_status ran;
} solution;

/* The problem, as far as parameters alone say it. */
static nnd_linear_layers layers_of(const nnd_deep_linear_fluctuations *p, const double *ratio,
                                   const nnd_timegrid *grid) {
    size_t train = nnd_data_samples(&p->data);
    return (nnd_linear_layers){
        .depth = (size_t)p->depth,
        .ratio = ratio,
        .train = train,
        .points = train + nnd_data_tests(&p->data),
        .gamma0 = p->gamma0,
        .sigma = p->sigma_w,
        .lr = p->lr,
        .schedule = &p->schedule,
        .center = p->center,
        .grid = grid,
        .kernels = p->kernels,
        .bias = p->bias,
        .two_time = p->two_time,
        .tolerance = p->tolerance,
    };
}

static nnd_status pose(nnd_context *ctx, solution *s) {
    const nnd_deep_linear_fluctuations *p = s->p;
    nnd_status status = nnd_dataset_make(ctx, &p->data, &s->set);
    if (status == NND_OK)
        status =
            nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &s->grid);
    s->ratio = malloc((size_t)p->depth * sizeof(double));
    if (status == NND_OK && s->ratio == NULL)
        status = nnd_fail_memory(ctx, "layers");
    if (status != NND_OK)
        return status;
    for (size_t l = 0; l < (size_t)p->depth; l++)
        s->ratio[l] = p->widths.count > 0 ? p->widths.value[l] : 1.0;
    s->layers = layers_of(p, s->ratio, &s->grid);
    s->layers.gram = s->set.gram;
    s->layers.targets = s->set.targets;
    return NND_OK;
}

/* In the order of nnd_linear_layers_observables. */
static nnd_observed observed(const solution *s) {
    size_t train = s->layers.train, points = s->layers.points, pairs = train * (train + 1) / 2;
    size_t grams = points + pairs + (points - train) * train, none = NND_NOT_OBSERVED;
    bool kernels = s->p->kernels, layers = kernels && s->p->layers;
    return (nnd_observed){
        .ntk = kernels ? points : none,
        .ntk_test = kernels ? points + pairs : none,
        .h_gram = layers ? grams : none,
        .phi_gram = none,
        .g_gram = layers ? grams + s->layers.depth * pairs : none,
        .g_is_single = true,
    };
}

static nnd_status make_frame(nnd_context *ctx, solution *s, nnd_frame **frame) {
    const nnd_fluctuation_curves curves = {
        .model = &nnd_deep_linear_fluctuations_model,
        .set = &s->set,
        .grid = &s->grid,
        .at = observed(s),
        .layers = s->p->kernels && s->p->layers ? s->layers.depth : 0,
        .f = &s->f,
        .loss_within = s->p->loss_within,
        .loss_sd_within = s->p->loss_sd_within,
        .at_width = &s->p->at_width,
        .lr = s->p->lr,
        .schedule = &s->p->schedule,
    };
    nnd_status status = nnd_fluctuation_frame(ctx, &curves, frame);
    if (status == NND_OK)
        status = nnd_frame_set_number(*frame, NULL, "rank", (double)s->report.largest_rank);
    if (status == NND_OK)
        status = nnd_frame_set_number(*frame, NULL, "directions", (double)s->report.directions);
    return status;
}

nnd_status nnd_deep_linear_fluctuations_theory(nnd_context *ctx, const void *params,
                                               nnd_frame **frame) {
    solution s = {.p = params};
    nnd_status status = pose(ctx, &s);
    if (status == NND_OK)
        status = s.ran = nnd_linear_layers_run(ctx, &s.layers, &s.f, &s.report);
    if (status >= NND_OK)
        status = make_frame(ctx, &s, frame);
    nnd_fluctuations_clear(&s.f);
    nnd_dataset_clear(&s.set);
    nnd_timegrid_clear(&s.grid);
    free(s.ratio);
    return status == NND_OK ? s.ran : status;
}

nnd_status nnd_deep_linear_fluctuations_theory_cost(nnd_context *ctx, const void *params,
                                                    nnd_cost *cost) {
    const nnd_deep_linear_fluctuations *p = params;
    nnd_timegrid grid = {0};
    nnd_status status =
        nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &grid);
    if (status != NND_OK)
        return status;
    nnd_linear_layers layers = layers_of(p, NULL, &grid);
    nnd_linear_layers_cost(&layers, nnd_context_threads(ctx), &cost->bytes, &cost->flops);
    cost->results =
        2.0 * nnd_fluctuations_bytes(grid.count, layers.train,
                                     nnd_linear_layers_observables(&layers), p->bias, p->two_time);
    cost->threads = LAYERS_THREADS;
    nnd_timegrid_clear(&grid);
    return NND_OK;
}
