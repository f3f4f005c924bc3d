/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_fluctuations.h"

#include <stdlib.h>

#include "core/timegrid.h"
#include "theory/deep_sampled.h"
#include "theory/fluctuation_curves.h"
#include "theory/models.h"
#include "theory/point.h"

/* Beyond this error of a variance, relative to the largest of its curve, influence functions have
 * tails that samples do not resolve (deep-fluctuations.md#s9). */
static const double HEAVY = 0.05;

typedef struct {
    const nnd_deep_fluctuations *p;
    nnd_dataset set;
    nnd_timegrid grid;
    double *ratio; /* depth */
    nnd_deep_observable *observable;
    nnd_observed at;
    nnd_deep_sampled sampled;
    nnd_fluctuations f, se;
    nnd_deep_report report;
    nnd_status ran;
} solution;

static void solution_clear(solution *s) {
    nnd_fluctuations_clear(&s->f);
    nnd_fluctuations_clear(&s->se);
    nnd_dataset_clear(&s->set);
    nnd_timegrid_clear(&s->grid);
    free(s->ratio);
    free(s->observable);
}

/* ---- what is observed ---- */

static size_t pairs(size_t n) {
    return n * (n + 1) / 2;
}

/* Besides the outputs of the training points. */
static size_t observables(const nnd_deep_fluctuations *p, size_t train, size_t tests) {
    size_t layers = p->layers ? 3 * (size_t)p->depth : 0;
    return tests + (p->kernels ? pairs(train) * (1 + layers) + tests * train : 0);
}

/* Number among all observables of the next one, then that many more of a kind and layer. */
static size_t add_pairs(solution *s, size_t *next, nnd_deep_kind kind, size_t layer) {
    size_t train = s->set.samples, first = *next + train;
    for (size_t mu = 0; mu < train; mu++)
        for (size_t nu = 0; nu <= mu; nu++)
            s->observable[(*next)++] = (nnd_deep_observable){kind, layer, mu, nu};
    return first;
}

static size_t add_layers(solution *s, size_t *next, nnd_deep_kind kind) {
    size_t first = add_pairs(s, next, kind, 0);
    for (size_t l = 1; l < (size_t)s->p->depth; l++)
        add_pairs(s, next, kind, l);
    return first;
}

static void list(solution *s) {
    size_t train = s->set.samples, points = train + s->set.tests, next = 0;
    const size_t none = NND_NOT_OBSERVED;
    for (size_t mu = train; mu < points; mu++)
        s->observable[next++] = (nnd_deep_observable){NND_DEEP_OUTPUT, 0, mu, mu};
    s->at = (nnd_observed){none, none, none, none, none, false};
    if (!s->p->kernels)
        return;
    s->at.ntk = add_pairs(s, &next, NND_DEEP_NTK, 0);
    s->at.ntk_test = next + train;
    for (size_t mu = train; mu < points; mu++)
        for (size_t nu = 0; nu < train; nu++)
            s->observable[next++] = (nnd_deep_observable){NND_DEEP_NTK, 0, mu, nu};
    if (!s->p->layers)
        return;
    s->at.h_gram = add_layers(s, &next, NND_DEEP_H);
    s->at.phi_gram = add_layers(s, &next, NND_DEEP_PHI);
    s->at.g_gram = add_layers(s, &next, NND_DEEP_G);
}

/* ---- the problem ---- */

/* As far as parameters alone say it. */
static nnd_deep_sampled sampled_of(const nnd_deep_fluctuations *p, const nnd_timegrid *grid) {
    size_t train = nnd_data_samples(&p->data), tests = nnd_data_tests(&p->data);
    return (nnd_deep_sampled){
        .problem =
            {
                .depth = (size_t)p->depth,
                .samples = train,
                .points = train + tests,
                .steps = (size_t)p->steps,
                .activation = &p->activation,
                .gamma0 = p->gamma0,
                .lr = p->lr,
                .schedule = &p->schedule,
                .sigma_w = p->sigma_w,
                .center = p->center,
                .kernels = p->kernels,
                .batch = p->batch,
            },
        .grid = grid,
        .observables = observables(p, train, tests),
        .bias = p->bias,
        .two_time = p->two_time,
        .samples = (size_t)p->samples,
        .replicates = (size_t)p->replicates,
        .rank_tol = p->rank_tol,
        .seed = (uint64_t)p->seed,
    };
}

static nnd_status pose(nnd_context *ctx, solution *s) {
    const nnd_deep_fluctuations *p = s->p;
    nnd_status status = nnd_dataset_make(ctx, &p->data, &s->set);
    if (status == NND_OK)
        status =
            nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &s->grid);
    if (status != NND_OK)
        return status;
    s->sampled = sampled_of(p, &s->grid);
    s->ratio = malloc((size_t)p->depth * sizeof *s->ratio);
    s->observable = malloc((s->sampled.observables + 1) * sizeof *s->observable);
    if (s->ratio == NULL || s->observable == NULL)
        return nnd_fail_memory(ctx, "layers");
    for (size_t l = 0; l < (size_t)p->depth; l++)
        s->ratio[l] = p->widths.count > 0 ? p->widths.value[l] : 1.0;
    list(s);
    s->sampled.problem.gram = s->set.gram;
    s->sampled.problem.targets = s->set.targets;
    s->sampled.problem.widths = s->ratio;
    s->sampled.observable = s->observable;
    return NND_OK;
}

/* ---- the frame ---- */

static nnd_status account(nnd_context *ctx, const solution *s, nnd_frame *frame) {
    nnd_status status =
        nnd_frame_set_number(frame, NULL, "rank_forward", (double)s->report.rank[0]);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "rank_backward", (double)s->report.rank[1]);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "spread", s->report.spread);
    if (s->report.spread > HEAVY)
        nnd_log(ctx, NND_LOG_WARNING,
                "theory: variances differ by %.2g of themselves between replicates: the chaotic "
                "part of training needs more samples, and may have no 1/N expansion",
                s->report.spread);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "lost", s->report.lost);
    if (s->report.lost > NND_DEEP_LOST)
        nnd_log(ctx, NND_LOG_WARNING,
                "theory: variances and covariances miss what fluctuates along directions that "
                "vanish in the mean (%.2g of a fluctuation): a smaller rank_tol may find more",
                s->report.lost);
    return status;
}

static nnd_status make_frame(nnd_context *ctx, solution *s, nnd_frame **frame) {
    const nnd_fluctuation_curves curves = {
        .model = &nnd_deep_fluctuations_model,
        .set = &s->set,
        .grid = &s->grid,
        .at = s->at,
        .layers = s->p->kernels && s->p->layers ? (size_t)s->p->depth : 0,
        .f = &s->f,
        .se = &s->se,
        .loss_within = s->p->loss_within,
        .loss_sd_within = s->p->loss_sd_within,
        .at_width = &s->p->at_width,
        .lr = s->p->lr,
        .schedule = &s->p->schedule,
    };
    nnd_status status = nnd_fluctuation_frame(ctx, &curves, frame);
    return status == NND_OK ? account(ctx, s, *frame) : status;
}

nnd_status nnd_deep_fluctuations_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    solution s = {.p = params};
    nnd_status status = pose(ctx, &s);
    if (status == NND_OK)
        status = s.ran = nnd_deep_sampled_run(ctx, &s.sampled, &s.f, &s.se, &s.report);
    if (status >= NND_OK)
        status = make_frame(ctx, &s, frame);
    solution_clear(&s);
    if (status == NND_OK && s.ran == NND_OK && s.report.lost > NND_DEEP_LOST)
        return NND_NOT_CONVERGED;
    return status == NND_OK ? s.ran : status;
}

nnd_status nnd_deep_fluctuations_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    solution s = {.p = params};
    nnd_status status = pose(ctx, &s);
    if (status == NND_OK)
        cost->results = 4.0 * nnd_fluctuations_bytes(s.grid.count, s.set.samples,
                                                     s.set.samples + s.sampled.observables,
                                                     s.p->bias, s.p->two_time);
    /* A march of very many samples would take hours to say how much more that is. */
    bool fits = cost->results <= (double)nnd_context_memory_limit(ctx);
    if (status == NND_OK && fits)
        status = nnd_deep_sampled_cost(ctx, &s.sampled, cost);
    solution_clear(&s);
    /* The run says what is wrong with a point that cannot be solved; it takes nothing. */
    return nnd_point_failed(status) ? NND_OK : status;
}
