/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdlib.h>

#include "core/hand_over.h"
#include "core/timegrid.h"
#include "nndmft/dataset.h"
#include "nndmft/solvers/influence.h"
#include "nndmft/solvers/linear_population.h"
#include "nndmft/two_layer_fluctuations.h"
#include "theory/fluctuation_curves.h"
#include "theory/shortfall.h"

/* Threads that one solution can use: groups of units. */
static const double INFLUENCE_THREADS = 16.0;
/* What a grid has to reach where quasi-random nodes are the alternative, whose errors are of this
 * order. */
static const double GRID_SERVES = 1e-3;

/* A solution, and how its observables are ordered: outputs of training and test samples, then the
 * kernel of pairs of training samples, and of test and training samples. */
typedef struct {
    const nnd_two_layer *p;
    nnd_dataset set;
    nnd_timegrid grid;
    nnd_observable *observable;
    nnd_units units;
    nnd_fluctuations_solver solver; /* that the results are from */
    nnd_fluctuations f, se;         /* se: without data if below the tolerance */
    nnd_influence_report report;
    nnd_status ran;
    nnd_frame *frame;
} solution;

/* Of kernels: pairs of training samples, and test and training samples. */
static size_t pairs(const nnd_two_layer *p, size_t train, size_t tests) {
    return p->kernels ? train * (train + 1) / 2 + tests * train : 0;
}

static nnd_status pose(nnd_context *ctx, solution *s) {
    const nnd_two_layer *p = s->p;
    nnd_status status = nnd_dataset_make(ctx, &p->data, &s->set);
    if (status == NND_OK)
        status =
            nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &s->grid);
    size_t train = s->set.samples, tests = s->set.tests, k = 0;
    s->observable = calloc(tests + pairs(p, train, tests) + 1, sizeof *s->observable);
    if (status == NND_OK && s->observable == NULL)
        status = nnd_fail_memory(ctx, "the observables");
    for (size_t mu = train; status == NND_OK && mu < train + tests; mu++)
        s->observable[k++] = (nnd_observable){NND_OBSERVE_OUTPUT, mu, mu};
    for (size_t mu = 0; status == NND_OK && p->kernels && mu < train; mu++)
        for (size_t nu = 0; nu <= mu; nu++)
            s->observable[k++] = (nnd_observable){NND_OBSERVE_NTK, mu, nu};
    for (size_t mu = train; status == NND_OK && p->kernels && mu < train + tests; mu++)
        for (size_t nu = 0; nu < train; nu++)
            s->observable[k++] = (nnd_observable){NND_OBSERVE_NTK, mu, nu};
    s->units = (nnd_units){
        .activation = &p->activation,
        .train = train,
        .points = train + tests,
        .gram = s->set.gram,
        .targets = s->set.targets,
        .gamma0 = p->gamma0,
        .lr = p->lr,
        .schedule = &p->schedule,
        .center = p->center,
        .grid = &s->grid,
        .observables = k,
        .observable = s->observable,
        .bias = p->bias,
        .two_time = p->two_time,
    };
    return status;
}

static nnd_status run_sampled(nnd_context *ctx, solution *s) {
    const nnd_two_layer *p = s->p;
    s->solver = NND_FLUCTUATIONS_SAMPLED;
    return nnd_influence_sampled(ctx, &s->units, (size_t)p->samples, (size_t)p->replicates,
                                 (uint64_t)p->seed, &s->f, &s->se, &s->report);
}

/* Errors are kept where they are above what was asked for. */
static nnd_status run_grid(nnd_context *ctx, solution *s) {
    const nnd_two_layer *p = s->p;
    s->solver = NND_FLUCTUATIONS_QUADRATURE;
    nnd_status status = nnd_influence_quadrature(ctx, &s->units, (size_t)p->nodes, p->tolerance,
                                                 &s->f, &s->se, &s->report);
    if (s->report.error <= p->tolerance)
        nnd_fluctuations_clear(&s->se);
    return status;
}

static nnd_status run_best(nnd_context *ctx, solution *s) {
    nnd_status status = run_grid(ctx, s);
    if (status != NND_NOT_CONVERGED)
        return status;
    if (s->report.error <= GRID_SERVES)
        return NND_OK;
    nnd_log(ctx, NND_LOG_DETAIL,
            "a grid of %zu intervals per axis is off by %.2g: quasi-random "
            "nodes instead",
            s->report.intervals, s->report.error);
    nnd_fluctuations_clear(&s->f);
    nnd_fluctuations_clear(&s->se);
    return run_sampled(ctx, s);
}

static nnd_status run(nnd_context *ctx, solution *s) {
    s->solver = (nnd_fluctuations_solver)s->p->solver;
    switch (s->solver) {
    case NND_FLUCTUATIONS_EXACT:
        return nnd_wishart_run(ctx, &s->units, &s->f);
    case NND_FLUCTUATIONS_SAMPLED:
        return run_sampled(ctx, s);
    case NND_FLUCTUATIONS_QUADRATURE:
        return run_grid(ctx, s);
    case NND_FLUCTUATIONS_AUTO:
        break;
    }
    return run_best(ctx, s);
}

/* ---- from the solution to the frame ---- */

/* What a grid reached, and what would help. */
static nnd_status add_shortfall(const solution *s) {
    return nnd_shortfall_set(
        s->frame,
        "the quadrature is off by %.2g (params.tolerance %g) with %zu intervals per axis; raise "
        "params.nodes or params.tolerance, or use params.solver: sampled",
        s->report.error, s->p->tolerance, s->report.intervals);
}

/* How the solver went. */
static nnd_status add_report(const solution *s) {
    static const char *const solvers[] = {"auto", "exact-linear", "quadrature", "sampled"};
    bool grid = s->solver == NND_FLUCTUATIONS_QUADRATURE;
    nnd_status status = nnd_frame_set_text(s->frame, NULL, "solver", solvers[s->solver]);
    if (status == NND_OK && s->report.nodes > 0)
        status = nnd_frame_set_number(s->frame, NULL, "nodes", (double)s->report.nodes);
    if (status == NND_OK && grid)
        status =
            nnd_frame_set_number(s->frame, NULL, "intervals_per_axis", (double)s->report.intervals);
    if (status == NND_OK && grid)
        status = nnd_frame_set_number(s->frame, NULL, "quadrature_error", s->report.error);
    return status == NND_OK && s->ran == NND_NOT_CONVERGED ? add_shortfall(s) : status;
}

static nnd_status make_frame(nnd_context *ctx, solution *s) {
    const nnd_two_layer *p = s->p;
    size_t train = s->set.samples, points = s->units.points, none = NND_NOT_OBSERVED;
    const nnd_fluctuation_curves curves = {
        .model = &nnd_two_layer_fluctuations_model,
        .set = &s->set,
        .grid = &s->grid,
        .at = {.ntk = p->kernels ? points : none,
               .ntk_test = points + train * (train + 1) / 2,
               .h_gram = none,
               .phi_gram = none,
               .g_gram = none},
        .f = &s->f,
        .se = &s->se,
        .units = s->solver != NND_FLUCTUATIONS_EXACT,
        .loss_within = p->loss_within,
        .loss_sd_within = p->loss_sd_within,
        .at_width = &p->at_width,
        .lr = p->lr,
        .schedule = &p->schedule,
    };
    nnd_status status = nnd_fluctuation_frame(ctx, &curves, &s->frame);
    return status == NND_OK ? add_report(s) : status;
}

static void solution_clear(solution *s) {
    nnd_dataset_clear(&s->set);
    nnd_timegrid_clear(&s->grid);
    free(s->observable);
    nnd_fluctuations_clear(&s->f);
    nnd_fluctuations_clear(&s->se);
}

nnd_status nnd_two_layer_fluctuations_theory(nnd_context *ctx, const void *params,
                                             nnd_frame **frame) {
    solution s = {.p = params};
    nnd_status status = pose(ctx, &s);
    if (status == NND_OK)
        status = s.ran = run(ctx, &s);
    if (status >= NND_OK)
        status = make_frame(ctx, &s);
    nnd_hand_over(status == NND_OK, s.frame, frame);
    solution_clear(&s);
    return status == NND_OK ? s.ran : status;
}

nnd_status nnd_two_layer_fluctuations_theory_cost(nnd_context *ctx, const void *params,
                                                  nnd_cost *cost) {
    const nnd_two_layer *p = params;
    nnd_timegrid grid = {0};
    nnd_status status =
        nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &grid);
    if (status != NND_OK)
        return status;
    size_t train = nnd_data_samples(&p->data), tests = nnd_data_tests(&p->data);
    nnd_units units = {
        .activation = &p->activation,
        .train = train,
        .points = train + tests,
        .grid = &grid,
        .observables = tests + pairs(p, train, tests),
        .bias = p->bias,
        .two_time = p->two_time,
    };
    double results =
        nnd_fluctuations_bytes(grid.count, train, train + units.observables, p->bias, p->two_time);
    double runs = 1.0, nodes = 0.0;
    if (p->solver == NND_FLUCTUATIONS_EXACT)
        nnd_wishart_cost(&units, &cost->bytes, &cost->flops);
    else if (p->solver == NND_FLUCTUATIONS_SAMPLED) {
        nodes = (double)p->samples;
        runs = (double)p->replicates;
    } else
        nodes = nnd_influence_quadrature_nodes(&units, (size_t)p->nodes, &runs);
    if (nodes > 0.0)
        nnd_influence_cost(&units, nodes, nnd_context_threads(ctx), &cost->bytes, &cost->flops);
    bool sampled = nodes > 0.0 && p->solver != NND_FLUCTUATIONS_QUADRATURE;
    cost->flops *= runs;
    cost->bytes += (sampled ? 4.0 : nodes > 0.0 ? 2.0 : 0.0) * results;
    /* With least sizes and standard errors; the closed map has no response and noise of units. */
    cost->results = (sampled ? 2.5 : nodes > 0.0 ? 1.5 : p->two_time ? 0.5 : 1.5) * results;
    cost->threads = INFLUENCE_THREADS;
    nnd_timegrid_clear(&grid);
    return NND_OK;
}
