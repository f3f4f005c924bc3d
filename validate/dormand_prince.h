/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The explicit Runge-Kutta pair of order 5(4) of Dormand and Prince, which follows the gradient
 * flows of simulated networks (those of `alignment`, small ones, have GSL's pair of order 8):
 * Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, table II.5.2.
 */
#ifndef NNDMFT_VALIDATE_DORMAND_PRINCE_H
#define NNDMFT_VALIDATE_DORMAND_PRINCE_H

#include <stdbool.h>
#include <stddef.h>

enum { NND_DP_STAGES = 7 };

/** Weights of the earlier stages in each; the last row gives the step, of order 5, and its stage is
 *  the first one of the next step. */
extern const double nnd_dp_weight[NND_DP_STAGES][NND_DP_STAGES - 1];
/** Weights of all stages in the solution of order 5 less that of order 4. */
extern const double nnd_dp_error[NND_DP_STAGES];

/** A way through time in steps whose lengths follow from their errors. */
typedef struct {
    double t, h; /**< where it stands; length proposed for the next step */
    size_t taken, rejected;
} nnd_dp_walk;

/** Length of the step to be tried on the way to `end` > t; 0: too short to get anywhere. */
double nnd_dp_length(const nnd_dp_walk *walk, double end);
/** Takes the step of that length or not, and proposes the next: `error` is over what is allowed. */
bool nnd_dp_take(nnd_dp_walk *walk, double end, double h, double error);

/** Steps that are too many for a simulated flow. */
#define NND_DP_MOST_STEPS 1e7
/** Steps of a flow whose fastest rate of decay stays: those of order 5 are stable up to 3.3 times
 * its inverse. */
double nnd_dp_least_steps(double rate, double time);
/** Whether steps as long as those that the flow has settled on are too many up to `end`. */
bool nnd_dp_is_endless(const nnd_dp_walk *walk, double end);

#endif
