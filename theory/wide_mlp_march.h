/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The query march of wide networks (wide-mlp.md#s3). */
#ifndef NNDMFT_THEORY_WIDE_MLP_MARCH_H
#define NNDMFT_THEORY_WIDE_MLP_MARCH_H

#include "nndmft/solvers/queried.h"
#include "nndmft/theory.h"
#include "theory/wide_mlp_curves.h"

/** How one march samples its sites. */
typedef struct {
    nnd_fresh fresh;
    size_t sites;
    double rank_tol;
    const nnd_sobol *net; /**< of `sites` points, where `fresh` needs one */
    uint64_t replicate;
} nnd_wide_sampling;

/** What one march did. */
typedef struct {
    double multiply_adds;
    bool exhausted; /**< it failed for want of sites */
} nnd_wide_work;

/** Marches once and fills a record; `work` may be NULL. */
NND_MUST_USE nnd_status nnd_wide_march(const nnd_wide_problem *problem,
                                       const nnd_wide_sampling *sampling, nnd_wide_curves *record,
                                       nnd_wide_work *work);
/** `runs` independent marches over the context's threads; same bits for any number of them. */
NND_MUST_USE nnd_status nnd_wide_march_replicates(const nnd_wide_problem *problem, size_t runs,
                                                  nnd_wide_curves *record);
/** The march in abstract coordinates: exact, for a linear activation (wide-mlp.md#s4a). */
NND_MUST_USE nnd_status nnd_wide_march_exact(const nnd_wide_problem *problem,
                                             nnd_wide_curves *record);
/** Numbers that one run records, about. */
double nnd_wide_march_numbers(const nnd_wide_mlp *p);
/** Bytes of one march and operations of all of them, roughly: ranks are not known beforehand. */
void nnd_wide_march_cost(const nnd_wide_mlp *params, nnd_cost *cost);

#endif
