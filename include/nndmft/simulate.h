/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Monte-Carlo simulation: ensembles of real networks. */
#ifndef NNDMFT_SIMULATE_H
#define NNDMFT_SIMULATE_H

#include "nndmft/api.h"
#include "nndmft/case.h"
#include "nndmft/frame.h"
#include "nndmft/plan.h"
#include "nndmft/store.h"

NND_API_BEGIN

/** What a simulation needs. */
typedef struct {
    double bytes;        /**< memory held by one block, without its records */
    double record_bytes; /**< what one network records */
    double weight_bytes; /**< what `keep` returns; 0: it cannot */
    double flops;        /**< floating-point operations of one network, as in nnd_cost */
} nnd_simulation_cost;

/**
 * Simulator of one model, for parameters that nnd_model_check accepts (those of a resolved case do)
 * and sizes that `check` accepts. `simulate` trains the networks of seeds
 * first_seed..first_seed+count-1 and returns a frame whose first dimension is `seed`; each
 * network's curve is NaN from the step at which it diverged, the array `diverged_at(seed)` holds
 * that step or NaN.
 */
typedef struct {
    const nnd_model *model;
    /** Networks per block: a function of parameters and size alone. */
    size_t (*block)(const void *params, size_t size);
    nnd_status (*simulate)(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame);
    /**
     * The matrices of the network of seed 0 at recorded times, for `storage: weights`: arrays over
     * `t`, rows and columns (validate/keeper.h). The network is trained as `simulate` trains it.
     * NULL: it has none.
     */
    nnd_status (*keep)(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights);
    /** Checks that the parameters make sense at this size: false with an objection, or true with a
     *  warning in its text, or true with an empty text. NULL: they always do. */
    bool (*check)(const void *params, size_t size, nnd_objection *objection);
    nnd_simulation_cost (*cost)(const void *params, size_t size);
    /**
     * What a deep-learning framework needs to train the same network: `init_std(matrix)`, the
     * standard deviation of initial weights, `raw_lr(matrix)`, their learning rate,
     * `output_divisor`, and as attribute `optimizer` what goes with the rates.
     */
    nnd_status (*recipe)(nnd_context *ctx, const void *params, size_t size, nnd_frame **recipe);
} nnd_simulator;

/** The simulator of a model; NULL if it has none. */
const nnd_simulator *nnd_simulator_find(const nnd_model *model);

/** What the ensemble of a case takes with the threads and the memory of the context. */
NND_MUST_USE nnd_status nnd_ensemble_plan(nnd_context *ctx, const nnd_case *c, nnd_plan *plan);

/** Whether the ensemble of a case makes sense: it asks for one, the model has one, sizes suit. Logs
 *  what is odd about it. */
NND_MUST_USE nnd_status nnd_ensemble_check(nnd_context *ctx, const nnd_case *c);
/** Whether the plan of a case fits into the memory limit. */
NND_MUST_USE nnd_status nnd_ensemble_check_memory(nnd_context *ctx, const nnd_case *c);

/**
 * Hash (XXH64, 16 hexadecimal digits) of what the blocks of a case depend on besides their
 * size: model, parameters, sweep, base seed, version. More seeds or sizes extend an ensemble.
 */
void nnd_ensemble_digest(const nnd_case *c, char digest[17]);

/** What an ensemble amounts to; absent frames are NULL. */
typedef struct {
    /** Group /mc: every variable x and its standard error x_se over (sweep..., size, own
     *  dimensions), and diverged_fraction. */
    nnd_frame *mc;
    /** Every seed, if the case asks for trajectories. */
    nnd_frame *seeds;
    /** Group /mc/weights: the matrices of seed 0 over (sweep..., size, t, own dimensions), NaN
     * where those of another point are larger; if the case asks for them. */
    nnd_frame *weights;
    /** What groups of seeds contribute to each estimate (validate/reduce.h): arrays over (sweep...,
     *  size, group, own dimensions), which nnd_compare judges by. */
    nnd_frame *influence;
} nnd_ensemble;
/** Frees the frames and zeroes it. */
void nnd_ensemble_clear(nnd_ensemble *ensemble);

/**
 * Trains the blocks of a case that `store` does not hold yet, in parallel, and puts each into the
 * store when it is done. When interrupted it finishes the blocks in flight and returns
 * NND_E_INTERRUPTED. Then rank 0 reduces all blocks, in the order of seeds, to the frames of an
 * ensemble; on other ranks they are NULL. Seeds that diverged are left out of the estimates (unless
 * all did). Returns NND_DIVERGED if every seed of every point diverged. `*ensemble` is overwritten;
 * free with nnd_ensemble_clear.
 */
NND_MUST_USE nnd_status nnd_ensemble_run(nnd_context *ctx, const nnd_case *c, nnd_store *store,
                                         nnd_ensemble *ensemble);

NND_API_END

#endif
