/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Path of the predictor of a deep linear network under the population gradient
 * (directional.md#s3), at the recorded times. Two numbers say where it is: omega = |w| and zeta =
 * log tan(theta/2), which does not underflow; on batches (directional.md#s11) those of the root
 * mean square of the part of w across the teacher.
 */
#ifndef NNDMFT_THEORY_DIRECTIONAL_PATH_H
#define NNDMFT_THEORY_DIRECTIONAL_PATH_H

#include "nndmft/directional.h"
#include "nndmft/solvers/logistic.h"

/** The predictor at one time. */
typedef struct {
    double time; /**< of the flow; gd: the sum of the rates of all steps before */
    double omega;
    double zeta;           /**< -inf, inf: at the angle 0, pi; NaN: no direction, or not resolved */
    double sign;           /**< of the perpendicular part relative to its start; 0: there is none */
    double omega_exponent; /**< d log omega/d log t; NaN: not known */
    double angle_exponent; /**< d log(-log sin theta)/d log t; NaN: not known */
    double multiplier;     /**< gd: factor of the perpendicular part in the next step */
    double spread;         /**< batches: variance of w in a direction across the teacher */
    bool settled;          /**< the start no longer shows in it, nor beside it */
    bool blind;            /**< a simulation does not resolve the angle */
    bool lost; /**< nor anything else: since it was blind the perpendicular part has grown */
} nnd_directional_point;

/** What it took to solve the flow; zero for gd. */
typedef struct {
    double rtol;
    size_t steps, rejected, evaluations;
    double reached; /**< time */
} nnd_directional_effort;

/** Where the norm of a flow of aligned layers has fallen and begins to grow, for good. */
typedef struct {
    double time; /**< 0: it grows from the start; NaN: it does not within the flow */
    double omega, zeta;
} nnd_directional_turn;

typedef struct {
    const nnd_directional *params;
    nnd_logistic *averages;
    nnd_logistic_constants constants;
    size_t count;
    double *t; /**< recorded: steps (gd) or times (flow) */
    nnd_directional_point *point;
    size_t sound;       /**< points before the run diverged or a solver gave up */
    double diverged_at; /**< step; NaN: it did not */
    double shake;       /**< gd: relative size of the errors that every step makes; 0: none */
    uint64_t shaker;    /**< which errors */
    nnd_directional_effort effort;
    nnd_directional_turn turn;
} nnd_directional_path;

/** Its times and averages, with room for the points. Free with nnd_directional_path_clear, which
 * takes half-made ones. */
NND_MUST_USE nnd_status nnd_directional_path_make(nnd_context *ctx, const nnd_directional *p,
                                                  nnd_directional_path *path);
/** The whole path. NND_DIVERGED or NND_NOT_CONVERGED: the first `sound` points are good. */
NND_MUST_USE nnd_status nnd_directional_path_follow(nnd_context *ctx, nnd_directional_path *path);
void nnd_directional_path_clear(nnd_directional_path *path);

/** The two ways to it, for a path with its times allocated. */
NND_MUST_USE nnd_status nnd_directional_descend(nnd_context *ctx, nnd_directional_path *path);
NND_MUST_USE nnd_status nnd_directional_flow(nnd_context *ctx, nnd_directional_path *path);

#endif
