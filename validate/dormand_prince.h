/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The explicit Runge-Kutta pair of order 5(4) of Dormand and Prince, that all gradient flows of
 * simulated networks are integrated by: Hairer, Norsett, Wanner, Solving Ordinary Differential
 * Equations I, table II.5.2.
 */
#ifndef NNDMFT_VALIDATE_DORMAND_PRINCE_H
#define NNDMFT_VALIDATE_DORMAND_PRINCE_H

enum { NND_DP_STAGES = 7 };

/** Weights of the earlier stages in each; the last row gives the step, of order 5, and its stage is
 *  the first one of the next step. */
extern const double nnd_dp_weight[NND_DP_STAGES][NND_DP_STAGES - 1];
/** Weights of all stages in the solution of order 5 less that of order 4. */
extern const double nnd_dp_error[NND_DP_STAGES];

/** By how much the next step is longer: error is that of the last one over what is allowed. */
double nnd_dp_factor(double error);

#endif
