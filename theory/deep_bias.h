/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Bias of order 1/N of a deep network's observables (deep-fluctuations.md#s8): with H_l = d^2 O /
 * dw dw at w = 1 of the march under weights of the sites,
 *     b_O = (1/2) sum_l (N/N_l) (S tr H_l - 1^T H_l 1),
 * by second differences. The trace is taken exactly over the span of influence functions, where H
 * is large, and by random signs outside of it.
 */
#ifndef NNDMFT_THEORY_DEEP_BIAS_H
#define NNDMFT_THEORY_DEEP_BIAS_H

#include "theory/deep_replicates.h"

/** The marches of it, of `all` observables, as far as memory goes. */
nnd_deep_replicates nnd_deep_bias_replicates(const nnd_deep_sampled *p, size_t all);
/** Bias (times x observables) and its standard error, of `all` observables; `like`: as of
 * nnd_deep_replicates_run. */
NND_MUST_USE nnd_status nnd_deep_bias_run(nnd_context *ctx, const nnd_deep_sampled *p, size_t all,
                                          const nnd_deep_observable *observable,
                                          const nnd_deep_march *like, double *bias, double *se);
/** Operations of it, roughly, if matrices have that rank. */
double nnd_deep_bias_flops(const nnd_deep_sampled *p, double rank);

#endif
