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
    size_t sites, numbers;
    size_t together; /**< observables that go back together */
    double vectors;  /**< over sites, that the work holds beside its march */
    nnd_deep_replicate work;
    void *data;
} nnd_deep_replicates;

/**
 * Mean over p->replicates marches with all sites, and its standard error, which includes what of
 * the difference to as many marches with half as many sites and twice the tolerance noise does not
 * explain: errors of order 1/sites and of dropped directions are as large as that. As many go side
 * by side as fit into the memory if they find the directions of `like`, fewer if they turn out to
 * find more. `rank`: grows to the largest forward and backward rank. Same bits for any number of
 * threads.
 */
NND_MUST_USE nnd_status nnd_deep_replicates_run(nnd_context *ctx, const nnd_deep_replicates *r,
                                                const nnd_deep_march *like, double *mean,
                                                double *se, size_t rank[2]);
/** Memory at its highest with so many of them side by side, if they find the directions of `like`.
 */
double nnd_deep_replicates_bytes(const nnd_deep_replicates *r, const nnd_deep_march *like,
                                 int workers);
/** How many go side by side. */
int nnd_deep_replicates_workers(const nnd_context *ctx, const nnd_deep_replicates *r,
                                const nnd_deep_march *like);

#endif
