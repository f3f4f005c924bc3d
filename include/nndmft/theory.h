/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theoretical curves: parameters of a case to a frame. */
#ifndef NNDMFT_THEORY_H
#define NNDMFT_THEORY_H

#include "nndmft/api.h"
#include "nndmft/case.h"
#include "nndmft/frame.h"
#include "nndmft/plan.h"
#include "nndmft/store.h"

NND_API_BEGIN

/** What one parameter point needs. */
typedef struct {
    double bytes;   /**< memory held while it is solved, besides the result */
    double single;  /**< the same on one thread; 0: as much */
    double results; /**< of the numbers in its frame */
    double flops;   /**< floating-point operations, those of a matrix-vector product in cache */
    double threads; /**< threads that one point can use when it has them for itself; 0: one */
} nnd_cost;

/**
 * Theory of one model at one parameter point, whose parameters nnd_model_check accepts (those of a
 * resolved case do). NND_DIVERGED: the frame holds the curves up to the
 * step in its scalar `diverged_at` (NaN if it did not diverge), NaN after.
 */
typedef struct {
    const nnd_model *model;
    nnd_status (*solve)(nnd_context *ctx, const void *params, nnd_frame **frame);
    nnd_status (*cost)(nnd_context *ctx, const void *params, nnd_cost *cost);
} nnd_theory;

/** The theory of a model; NULL if it has none. */
const nnd_theory *nnd_theory_find(const nnd_model *model);

/** What a whole case takes with the threads and the memory of the context. */
NND_MUST_USE nnd_status nnd_theory_plan(nnd_context *ctx, const nnd_case *c, nnd_plan *plan);

/**
 * Solves all sweep points, as many at once as threads and memory allow, and stacks them along the
 * sweep. The scalar `status` of each point becomes a variable: 0 done, 1 diverged, 2 not converged
 * or a variable that is not nullable is not finite, below 0 (an nnd_status) not solved, where all
 * other variables are NaN. Its attribute `message` says why, of the first few points. Returns
 * NND_DIVERGED or NND_NOT_CONVERGED only if no point is done; the frame is there then too. If no
 * point can be solved the failure of the first is returned, and no frame.
 */
NND_MUST_USE nnd_status nnd_theory_run(nnd_context *ctx, const nnd_case *c, nnd_store *shared,
                                       nnd_frame **frame);

NND_API_END

#endif
