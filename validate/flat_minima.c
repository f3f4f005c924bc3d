/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/divergence.h"
#include "core/timegrid.h"
#include "nndmft/flat_minima.h"
#include "validate/flat_minima_record.h"
#include "validate/keeper.h"
#include "validate/recipe.h"

static size_t block_width(const void *params, size_t size) {
    (void)params;
    (void)size;
    return NND_LANES;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_flat_minima *p = params;
    (void)size;
    if (!nnd_flat_minima_is_linear(p) && p->data.covariance.rows > 0)
        return nnd_object(
            o, "data.covariance",
            "does not tell a nonlinear network its inputs; allowed: inputs, generate");
    return true;
}

/* ---- what it costs ---- */

/* How many are searched for. */
static double eigenvalues(const nnd_flat_minima *p) {
    return p->eigenvalues > 0 ? (double)p->eigenvalues : 1.0;
}

static double recorded_times(const nnd_flat_minima *p) {
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    return nnd_record_most(flow, flow ? p->time : (double)p->steps, &p->record, p->record_every);
}

/* Steps of a search for the largest curvature, and of a flow, as found. Each search is given room
 * for more, of which no page is touched. */
static const double SEARCH_STEPS = 32.0, FLOW_STEPS = 1e4;
/* Products of large matrices wait for no memory and use all of the processor: operations that count
 * as one of others. */
static const double MATRIX_SPEED = 6.0;

/* Sizes of the networks: weights, units of all layers; of singular value decompositions, numbers
 * and operations. */
typedef struct {
    double weights, units, decomposition, operations;
} sizes;

static sizes sizes_of(const nnd_flat_minima *p) {
    sizes s = {0};
    for (size_t k = 1; k <= (size_t)p->depth; k++) {
        double up = (double)nnd_flat_minima_width(p, k),
               down = (double)nnd_flat_minima_width(p, k - 1), least = fmin(up, down);
        s.weights += up * down;
        s.units += up;
        s.decomposition = fmax(s.decomposition, up * down + (up + down) * least);
        s.operations += 20.0 * up * down * least;
    }
    return s;
}

/* Vectors of weights: networks and where their searches start, two of the record and those of its
 * search; flow has nine more of the whole block. */
static double weight_bytes(const nnd_flat_minima *p, double weights) {
    double block = (double)NND_LANES * weights;
    double flow = p->integrator == NND_GRADIENT_FLOW ? nnd_flow_bytes(block) : 0.0;
    return sizeof(double) * (2.0 * block + (5.0 + 2.0 * eigenvalues(p) + SEARCH_STEPS) * weights) +
           flow;
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_flat_minima *p = params;
    (void)size;
    bool linear = nnd_flat_minima_is_linear(p), flows = p->integrator == NND_GRADIENT_FLOW;
    sizes s = sizes_of(p);
    double d = (double)nnd_flat_minima_dim(p), times = recorded_times(p);
    double n = p->data.covariance.rows > 0 ? d : (double)nnd_data_samples(&p->data);
    double rows = linear ? fmin(n, d) : n, fields = rows * s.units;
    double product = 12.0 * rows * s.weights / MATRIX_SPEED;
    double step = linear ? 6.0 * s.weights + 4.0 * rows * d
                         : 6.0 * rows * s.weights / MATRIX_SPEED + 100.0 * fields;
    double tests = (double)nnd_data_tests(&p->data);
    double per_record = eigenvalues(p) * SEARCH_STEPS * (product + 4.0 * SEARCH_STEPS * s.weights) +
                        s.operations + 2.0 * tests * s.weights / MATRIX_SPEED;
    return (nnd_simulation_cost){
        .bytes = weight_bytes(p, s.weights) +
                 sizeof(double) * ((n + tests) * (n + tests) + 3.0 * (n + tests) * d + rows * rows +
                                   s.decomposition + 5.0 * tests * s.units +
                                   12.0 * fields * (linear ? 1.0 : (double)NND_LANES)),
        .record_bytes = sizeof(double) *
                        (8.0 + times * (7.0 + (double)p->eigenvalues + 3.0 * (double)p->depth)),
        .weight_bytes = nnd_keeper_bytes(s.weights, times),
        .flops = (flows ? 6.0 * FLOW_STEPS : (double)p->steps) * step + times * per_record,
    };
}

/* ---- training ---- */

typedef struct {
    const nnd_flat_minima *params;
    nnd_flat_block block;
    nnd_flat_record record;
    nnd_reals times;
    bool lost[NND_LANES];
    double lost_at[NND_LANES], bound[NND_LANES];
    size_t recorded;
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

static bool all_lost(const run *r) {
    for (size_t b = 0; b < NND_LANES; b++)
        if (!r->lost[b])
            return false;
    return true;
}

/* Marks the networks whose loss has left its bound at step t. */
static void look_for_divergence(run *r, double t) {
    for (size_t b = 0; b < NND_LANES; b++)
        if (!r->lost[b] && nnd_has_diverged(r->bound[b], r->block.loss[b])) {
            r->lost[b] = true;
            r->lost_at[b] = t;
        }
}

static nnd_status record_all(run *r) {
    nnd_status status = NND_OK;
    for (size_t b = 0; status == NND_OK && b < NND_LANES; b++)
        if (!r->lost[b])
            status = nnd_flat_record_state(&r->record, b, r->recorded);
    if (r->keeper != NULL && !r->lost[0]) {
        nnd_flat_block_read(&r->block, 0, &r->record.probe);
        nnd_keeper_take(r->keeper, &r->record.probe, 0, r->recorded);
    }
    r->recorded++;
    return status;
}

/* The rest of the records of a block that no longer moves. */
static nnd_status record_rest(run *r) {
    size_t first = r->recorded;
    nnd_status status = record_all(r);
    for (; status == NND_OK && r->recorded < r->times.count; r->recorded++) {
        for (size_t b = 0; b < NND_LANES; b++)
            if (!r->lost[b])
                nnd_flat_record_copy(&r->record, b, first, r->recorded);
        if (r->keeper != NULL)
            nnd_keeper_repeat(r->keeper, first, r->recorded);
    }
    return status;
}

/* Whether no network of the block will move any more: all are lost, or minima that are stable. At
 * an unstable one a small gradient is only small so far. */
static nnd_status at_rest(run *r, double steps_left, bool *rest) {
    const nnd_flat_block *block = &r->block;
    nnd_status status = NND_OK;
    *rest = nnd_flat_block_settled(block, r->lost, r->params->lr * steps_left);
    for (size_t b = 0; status == NND_OK && *rest && b < NND_LANES; b++) {
        double top = 0.0;
        if (!r->lost[b])
            status = nnd_flat_record_sharpness(&r->record, b, &top);
        *rest = r->params->lr * top < 2.0;
    }
    return status;
}

static nnd_status descend(run *r) {
    enum { LOOK_FIRST = 64 };
    size_t steps = (size_t)r->params->steps, look = LOOK_FIRST;
    bool rest = false;
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK; t++) {
        look_for_divergence(r, (double)t);
        if (r->times.value[r->recorded] == (double)t)
            status = record_all(r);
        if (t == steps || status != NND_OK || all_lost(r))
            break;
        if (t == look) {
            status = at_rest(r, (double)(steps - t), &rest);
            if (status != NND_OK || rest)
                return status == NND_OK ? record_rest(r) : status;
            look += look / 8;
        }
        nnd_flat_block_descend(&r->block, r->params->lr);
        status = nnd_progress_step(r->record.ctx, (double)t, (double)steps);
    }
    return status;
}

static nnd_status flow(run *r) {
    nnd_status status = NND_OK;
    while (status == NND_OK && r->recorded < r->times.count) {
        double next = r->times.value[r->recorded];
        status = nnd_flat_block_flow(r->record.ctx, &r->block, next);
        if (status == NND_NOT_CONVERGED)
            status = nnd_fail(r->record.ctx, NND_E_INPUT,
                              "params.time: the flow of a network takes too many steps to reach %g",
                              r->params->time);
        if (status == NND_OK)
            status = record_all(r);
        if (status == NND_OK)
            status = nnd_progress_step(r->record.ctx, (double)r->recorded, (double)r->times.count);
    }
    return status;
}

static nnd_status train(run *r, nnd_rng_key key) {
    nnd_status status = NND_OK;
    nnd_flat_block_draw(&r->block, key);
    nnd_flat_record_restart(&r->record, key);
    nnd_flat_block_evaluate(&r->block);
    for (size_t b = 0; status == NND_OK && b < NND_LANES; b++) {
        r->lost_at[b] = NAN;
        r->bound[b] = nnd_divergence_limit(r->params->divergence_bound, r->block.loss[b],
                                           r->block.data.target2);
        status = nnd_flat_record_start(&r->record, b);
    }
    if (status == NND_OK)
        status = r->params->integrator == NND_DESCENT ? descend(r) : flow(r);
    for (size_t b = 0; status == NND_OK && b < NND_LANES; b++)
        status = nnd_flat_record_end(&r->record, b, r->times.count - 1, r->lost_at[b]);
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    run r = {.params = params, .keeper = keeper};
    (void)count;
    nnd_status status = nnd_flat_minima_times(ctx, params, &r.times);
    if (status == NND_OK)
        status = nnd_flat_block_make(ctx, params, &r.block);
    if (status == NND_OK)
        status = nnd_flat_record_make(ctx, &r.block, first_seed, &r.times, &r.record);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, r.record.frame, &r.record.probe);
    if (status == NND_OK)
        status = train(&r, (nnd_rng_key){base_seed, first_seed, size});
    if (status == NND_OK) {
        *frame = r.record.frame;
        r.record.frame = NULL;
    }
    nnd_flat_record_clear(&r.record);
    nnd_flat_block_clear(&r.block);
    free(r.times.value);
    return status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    return train_block(ctx, params, size, base_seed, first_seed, count, NULL, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    return nnd_keep(ctx, train_block, params, size, base_seed, NND_LANES, weights);
}

/* ---- for a deep-learning framework ---- */

static void optimizer_text(const nnd_flat_minima *p, size_t size, char *text) {
    const char *start = p->architecture == NND_FLAT_RESIDUAL
                            ? ", all matrices plus the identity, a fixed readout of norm 1"
                        : p->weights.rows > 0         ? ", matrices as given"
                        : p->init == NND_FLAT_ALIGNED ? ", rank-one aligned matrices of this norm"
                                                      : "";
    if (p->integrator == NND_GRADIENT_FLOW)
        snprintf(text, size,
                 "gradient flow, per unit of time, of the mean square error (no factor 1/2)%s",
                 start);
    else
        snprintf(text, size, "full-batch SGD on the mean square error (no factor 1/2)%s", start);
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_flat_minima *p = params;
    double *std = NULL, *lr = NULL, scale = nnd_flat_minima_start(p);
    char optimizer[256];
    (void)size;
    if (p->architecture == NND_FLAT_RESIDUAL)
        scale /= sqrt((double)p->depth * (double)nnd_flat_minima_dim(p));
    optimizer_text(p, sizeof optimizer, optimizer);
    nnd_status status = nnd_recipe_new(ctx, 0, (size_t)p->depth, 1.0, optimizer, out, &std, &lr);
    for (size_t l = 0; status == NND_OK && l < (size_t)p->depth; l++) {
        std[l] = scale;
        lr[l] = p->integrator == NND_DESCENT ? p->lr : 1.0;
    }
    return status;
}

const nnd_simulator nnd_flat_minima_simulator = {
    .model = &nnd_flat_minima_model,
    .block = block_width,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
