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

/** All errors are absolute, and estimates: of quadratures and of what iterations leave. */
typedef struct {
    void *self;
    /** m(z) = tr(W^T W - z)^{-1}/D for Im z > 0, or for real z below all bulks. */
    nnd_status (*stieltjes)(nnd_context *ctx, void *self, nnd_complex z, nnd_complex *m,
                            double *error);
    /** Density at ascending z > 0; what is not a density (atoms) is left out. */
    nnd_status (*density)(nnd_context *ctx, void *self, size_t count, const double *z,
                          double *density, double *error);
    /** All edges. */
    nnd_status (*edges)(nnd_context *ctx, void *self, nnd_edges *edges);
    /** What a rank-one piece of the target, of singular value s, sends above all bulks. NULL: not
     * known for this law. */
    nnd_status (*outlier)(nnd_context *ctx, void *self, double s, nnd_detached *outlier);
    void (*free)(void *self);
} nnd_outputs_law;

/** Laws at a time or step, in the units of the case; free with nnd_outputs_law_clear. Each refuses
 * in one line what it cannot solve. */
typedef nnd_status nnd_outputs_law_make(nnd_context *ctx, const nnd_many_outputs *p, double time,
                                        nnd_outputs_law *law);
/** Fixed readout, isotropic target, all samples: many-outputs.md#s2. */
NND_MUST_USE nnd_outputs_law_make nnd_outputs_law_readout;
/** Fixed readout, isotropic target, finitely many samples: many-outputs.md#s6. */
NND_MUST_USE nnd_outputs_law_make nnd_outputs_law_samples;
/** Layers much wider than inputs and outputs: many-outputs.md#s3. */
NND_MUST_USE nnd_outputs_law_make nnd_outputs_law_wide;
/** Both layers for a few steps, and targets of any law: many-outputs.md#s4. */
NND_MUST_USE nnd_outputs_law_make nnd_outputs_law_pencil;

static inline void nnd_outputs_law_clear(nnd_outputs_law *law) {
    if (law->free != NULL)
        law->free(law->self);
    *law = (nnd_outputs_law){0};
}

#endif
