/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Independent marches over sampled sites, averaged, with standard errors. */
#ifndef NNDMFT_THEORY_DEEP_REPLICATES_H
#define NNDMFT_THEORY_DEEP_REPLICATES_H

#include "theory/deep_sampled.h"

/** Makes `numbers` numbers, NaN so far, of one march that has not begun. `replicate` counts. */
typedef nnd_status (*nnd_deep_replicate)(nnd_context *ctx, nnd_deep_march *march, size_t replicate,
                                         double *number, void *data);

/** What the marches are. */
typedef struct {
    const nnd_deep_sampled *p;
    size_t sites;
    size_t numbers;
    double bytes; /**< of one */
    nnd_deep_replicate work;
    void *data;
} nnd_deep_replicates;

/**
 * Mean over p->replicates marches with all sites, and its standard error, which includes what of
 * the difference to as many marches with half as many sites and twice the tolerance noise does not
 * explain: errors of order 1/sites and of dropped directions are as large as that. `rank`: grows to
 * the largest forward and backward rank. Same bits for any number of threads.
 */
NND_MUST_USE nnd_status nnd_deep_replicates_run(nnd_context *ctx, const nnd_deep_replicates *r,
                                                double *mean, double *se, size_t rank[2]);

#endif
