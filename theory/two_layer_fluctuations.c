/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/timegrid.h"
#include "nndmft/dataset.h"
#include "nndmft/solvers/influence.h"
#include "nndmft/solvers/linear_population.h"
#include "nndmft/two_layer_fluctuations.h"
#include "theory/shortfall.h"

/* Threads that one solution can use: groups of units. */
static const double INFLUENCE_THREADS = 16.0;
/* What a grid has to reach where quasi-random nodes are the alternative, whose errors are of this
 * order. */
static const double GRID_SERVES = 1e-3;
/* Beyond this relative size of the next order, leading fluctuations describe no network
 * (fluctuations.md#s1-7). */
static const double VALID = 0.2;

/* A solution, and how its observables are ordered: outputs of training and test samples, then the
 * kernel of pairs of training samples. */
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

static size_t pairs(const nnd_two_layer *p, size_t train) {
    return p->kernels ? train * (train + 1) / 2 : 0;
}

static nnd_status pose(nnd_context *ctx, solution *s) {
    const nnd_two_layer *p = s->p;
    nnd_status status = nnd_dataset_make(ctx, &p->data, &s->set);
    if (status == NND_OK)
        status =
            nnd_timegrid_make(ctx, (size_t)p->steps, &p->record, (size_t)p->record_every, &s->grid);
    size_t train = s->set.samples, tests = s->set.tests, k = 0;
    s->observable = calloc(tests + pairs(p, train) + 1, sizeof *s->observable);
    if (status == NND_OK && s->observable == NULL)
        status = nnd_fail_memory(ctx, "the observables");
    for (size_t mu = train; status == NND_OK && mu < train + tests; mu++)
        s->observable[k++] = (nnd_observable){NND_OBSERVE_OUTPUT, mu, mu};
    for (size_t mu = 0; status == NND_OK && p->kernels && mu < train; mu++)
        for (size_t nu = 0; nu <= mu; nu++)
            s->observable[k++] = (nnd_observable){NND_OBSERVE_NTK, mu, nu};
    s->units = (nnd_units){
        .activation = &p->activation,
        .train = train,
        .points = train + tests,
        .gram = s->set.gram,
        .targets = s->set.targets,
        .gamma0 = p->gamma0,
        .lr = p->lr,
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

/* One number of a variable at recorded time i; j counts its other dimensions. `error`: f holds
 * standard errors, of which the largest that can result is returned. */
typedef double (*pick)(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                       size_t j);

static size_t observable_of_pair(const solution *s, size_t mu, size_t nu) {
    size_t high = mu > nu ? mu : nu, low = mu > nu ? nu : mu;
    return s->units.points + high * (high + 1) / 2 + low;
}

static size_t pair_at(const solution *s, size_t j) {
    return observable_of_pair(s, j / s->units.train, j % s->units.train);
}

static double residual(const solution *s, size_t i, size_t mu) {
    return s->set.targets[mu] - s->f.mean[i * s->f.observables + mu];
}

static double delta(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    return error ? f->mean[i * f->observables + j] : residual(s, i, j);
}

static double output(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)s;
    (void)error;
    return f->mean[i * f->observables + j];
}

static double test_output(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                          size_t j) {
    return output(s, f, error, i, s->units.train + j);
}

static double ntk(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    return output(s, f, error, i, pair_at(s, j));
}

static double nvar(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)s;
    (void)error;
    return f->nvar[i * f->observables + j];
}

static double test_nvar(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                        size_t j) {
    return nvar(s, f, error, i, s->units.train + j);
}

static double ntk_nvar(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                       size_t j) {
    return nvar(s, f, error, i, pair_at(s, j));
}

static double ncov(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    size_t train = s->units.train;
    (void)error;
    return f->ncov[(i * train + j / train) * f->observables + j % train];
}

static double delta_ntk(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                        size_t j) {
    double x = f->ncov[(i * f->train + j) * f->observables + observable_of_pair(s, j, j)];
    return error ? x : -x;
}

static double bias(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)s;
    double x = f->bias[i * f->observables + j];
    return error ? x : -x;
}

static double test_bias(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                        size_t j) {
    (void)error;
    return f->bias[i * f->observables + s->units.train + j];
}

static double ntk_bias(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                       size_t j) {
    (void)error;
    return f->bias[i * f->observables + pair_at(s, j)];
}

static double loss(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double sum = 0.0;
    (void)j;
    for (size_t mu = 0; mu < s->units.train; mu++) {
        double x = residual(s, i, mu);
        sum += error ? fabs(x) * delta(s, f, true, i, mu) : 0.5 * x * x;
    }
    return sum / (double)s->units.train;
}

static double loss_ncorr(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                         size_t j) {
    double sum = 0.0;
    (void)j;
    for (size_t mu = 0; mu < s->units.train; mu++) {
        double x = residual(s, i, mu), shift = bias(s, &s->f, false, i, mu);
        sum += error ? 0.5 * nvar(s, f, true, i, mu) + fabs(x) * bias(s, f, true, i, mu) +
                           fabs(shift) * delta(s, f, true, i, mu)
                     : 0.5 * nvar(s, f, false, i, mu) + x * shift;
    }
    return sum / (double)s->units.train;
}

/* Where the bias is not computed it is estimated by that of a residual exp(-K t) whose rate K is
 * normal: half its variance over its mean. */
static double validity(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                       size_t j) {
    double x = fabs(residual(s, i, j)), spread = nvar(s, f, error, i, j);
    double shift = f->bias != NULL ? fabs(bias(s, f, error, i, j)) : 0.5 * spread / x;
    if (spread == 0.0 && !(shift > 0.0))
        return 0.0;
    return spread / (2.0 * x * x) + 2.0 * shift / x;
}

static double least_size(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                         size_t j) {
    return validity(s, f, error, i, j) / VALID;
}

static double least_size_of_pair(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                                 size_t j) {
    return fmax(least_size(s, f, error, i, j / s->units.train),
                least_size(s, f, error, i, j % s->units.train));
}

/* i is a pair of times here. */
static double two_time(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                       size_t j) {
    (void)error;
    return f->two_time[i * s->units.train * s->units.train + j];
}

static double noise(const solution *s, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return f->noise[i * s->units.train * s->units.train + j];
}

static double response(const solution *s, const nnd_fluctuations *f, bool error, size_t i,
                       size_t j) {
    (void)error;
    return f->response[i * s->units.train * s->units.train + j];
}

/* What a variable needs to be there. */
typedef enum {
    ALWAYS = 0,
    BIAS = 1,
    KERNELS = 2,
    TESTS = 4,
    TWO_TIME = 8,
    UNITS = 16,   /* followed one by one, not through second moments */
    NO_ERROR = 32 /* rests on samples without an error of its own */
} needs;

static const struct {
    const char *name;
    pick value;
    unsigned needs;
} CURVES[] = {
    {"delta", delta, ALWAYS},
    {"output", output, ALWAYS},
    {"test_output", test_output, TESTS},
    {"ntk", ntk, KERNELS},
    {"loss", loss, ALWAYS},
    {"delta_nvar", nvar, ALWAYS},
    {"delta_nvar" NND_MIN_SIZE, least_size, NO_ERROR},
    {"delta_ncov", ncov, ALWAYS},
    {"delta_ncov" NND_MIN_SIZE, least_size_of_pair, NO_ERROR},
    {"test_output_nvar", test_nvar, TESTS},
    {"ntk_nvar", ntk_nvar, KERNELS},
    {"delta_ntk_ncov", delta_ntk, KERNELS},
    {"delta_bias", bias, BIAS},
    {"test_output_bias", test_bias, BIAS | TESTS},
    {"ntk_bias", ntk_bias, BIAS | KERNELS},
    {"loss_ncorr", loss_ncorr, BIAS},
    {"validity", validity, ALWAYS},
    {"delta_two_time_ncov", two_time, TWO_TIME},
    {"noise_two_time", noise, TWO_TIME | UNITS},
    {"response", response, TWO_TIME | UNITS},
};

static bool is_there(const solution *s, unsigned wanted) {
    const nnd_two_layer *p = s->p;
    unsigned have = (p->bias ? BIAS : 0U) | (p->kernels ? KERNELS : 0U) |
                    (s->set.tests > 0 ? TESTS : 0U) | (p->two_time ? TWO_TIME : 0U) |
                    (s->solver != NND_FLUCTUATIONS_EXACT ? UNITS : 0U) | NO_ERROR;
    return (wanted & ~have) == 0;
}

/* Times where the run was sound; NaN elsewhere. */
static nnd_status add_curve(solution *s, const char *name, pick value, const nnd_fluctuations *f,
                            bool error, bool square) {
    double *x;
    nnd_status status =
        nnd_frame_add_variable(s->frame, &nnd_two_layer_fluctuations_model, name, &x);
    if (status != NND_OK)
        return status;
    size_t times = s->grid.count, outer = square ? times * times : times;
    size_t inner = nnd_frame_find(s->frame, name)->count / outer;
    for (size_t i = 0; i < outer; i++)
        for (size_t j = 0; j < inner; j++)
            if (s->grid.step[square ? i / times : i] < s->f.diverged_at &&
                s->grid.step[i % times] < s->f.diverged_at)
                x[i * inner + j] = value(s, f, error, i, j);
    return NND_OK;
}

static nnd_status add_dims(solution *s) {
    nnd_status status = nnd_timegrid_add_dim(&s->grid, s->frame, "t");
    if (status == NND_OK && s->p->two_time)
        status = nnd_timegrid_add_dim(&s->grid, s->frame, "s");
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "mu", s->set.samples, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "nu", s->set.samples, 0.0);
    if (status == NND_OK && s->set.tests > 0)
        status = nnd_frame_add_range(s->frame, "test", s->set.tests, 0.0);
    return status;
}

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
    char name[64];
    nnd_status status = nnd_frame_new(ctx, &s->frame);
    if (status == NND_OK)
        status = add_dims(s);
    for (size_t i = 0; status == NND_OK && i < sizeof CURVES / sizeof *CURVES; i++) {
        if (!is_there(s, CURVES[i].needs))
            continue;
        bool square = (CURVES[i].needs & TWO_TIME) != 0;
        status = add_curve(s, CURVES[i].name, CURVES[i].value, &s->f, false, square);
        if (status != NND_OK || s->se.data == NULL || (CURVES[i].needs & NO_ERROR) != 0)
            continue;
        nnd_companion_name(CURVES[i].name, NND_SE, sizeof name, name);
        status = add_curve(s, name, CURVES[i].value, &s->se, true, square);
    }
    if (status == NND_OK)
        status =
            nnd_frame_add_scalar(s->frame, NND_DIVERGED_AT,
                                 s->f.diverged_at == SIZE_MAX ? NAN : (double)s->f.diverged_at);
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
        .observables = tests + pairs(p, train),
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
