/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The law of the eigenvalues z of W^T W (per input) of a network with many outputs at one time of
 * its training, whatever solver finds it.
 */
#ifndef NNDMFT_THEORY_MANY_OUTPUTS_LAW_H
#define NNDMFT_THEORY_MANY_OUTPUTS_LAW_H

#include "nndmft/many_outputs.h"
#include "nndmft/solvers/edge.h"
#include "nndmft/solvers/equivalent.h"

/** A number and its absolute error: an estimate of what quadratures and iterations leave. */
typedef struct {
    double value, error;
} nnd_estimate;

/** The methods of a law. Those that it cannot answer are NULL. */
typedef struct {
    /** m(z) = tr(W^T W - z)^{-1}/D for Im z > 0, or for real z < 0. */
    nnd_status (*stieltjes)(nnd_context *ctx, void *self, nnd_complex z, nnd_complex *m,
                            double *error);
    /** Density at ascending z > 0, and the fraction of eigenvalues up to there. An atom, at 0, is
     * part of the latter only. */
    nnd_status (*density)(nnd_context *ctx, void *self, size_t count, const double *z,
                          nnd_estimate *density, nnd_estimate *cdf);
    /** All edges. */
    nnd_status (*edges)(nnd_context *ctx, void *self, nnd_edges *edges);
    /** What a rank-one piece of the target, of singular value s, sends above all bulks. */
    nnd_status (*outlier)(nnd_context *ctx, void *self, double s, nnd_detached *outlier);
    /** Mean eigenvalue. */
    nnd_status (*mean)(nnd_context *ctx, void *self, nnd_estimate *mean);
    /** Squared error of an output, without noise: many-outputs.md#s2-4. */
    nnd_status (*risk)(nnd_context *ctx, void *self, nnd_estimate *risk);
    void (*free)(void *self);
} nnd_law_methods;

typedef struct {
    const nnd_law_methods *methods;
    void *self; /**< owned */
} nnd_outputs_law;

/**
 * The law at a time in canonical variables (steps, or the time of a flow at rate 1); free with
 * nnd_outputs_law_clear, after failures too. NND_E_INPUT or NND_E_UNSOLVED with one line for what
 * cannot be solved. Fixed readout, isotropic target: many-outputs.md#s2.
 */
NND_MUST_USE nnd_status nnd_outputs_law_readout(nnd_context *ctx, const nnd_many_outputs *params,
                                                double time, nnd_outputs_law *law);
/** The same with finitely many samples: many-outputs.md#s6. */
NND_MUST_USE nnd_status nnd_outputs_law_samples(nnd_context *ctx, const nnd_many_outputs *params,
                                                double time, nnd_outputs_law *law);
/** Both layers for a few steps, and targets of any law: many-outputs.md#s4. */
NND_MUST_USE nnd_status nnd_outputs_law_pencil(nnd_context *ctx, const nnd_many_outputs *params,
                                               double time, nnd_outputs_law *law);
/** Memory of that, and operations for one point of its density. */
void nnd_outputs_pencil_cost(const nnd_many_outputs *params, double *bytes, double *flops);

static inline void nnd_outputs_law_clear(nnd_outputs_law *law) {
    if (law->methods != NULL)
        law->methods->free(law->self);
    *law = (nnd_outputs_law){NULL, NULL};
}

#endif
