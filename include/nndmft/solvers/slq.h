/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The law of the eigenvalues of a symmetric operator too large to decompose, by stochastic Lanczos
 * quadrature (Golub and Meurant; spectrum.md#s6): `steps` steps of Lanczos from each of several
 * random vectors give nodes and weights that are exact for polynomials up to degree 2 steps - 1.
 */
#ifndef NNDMFT_SOLVERS_SLQ_H
#define NNDMFT_SOLVERS_SLQ_H

#include <stddef.h>
#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/solvers/lanczos.h"

NND_API_BEGIN

/** What is asked for. */
typedef struct {
    size_t n;           /**< size of the operator, at least 1 */
    nnd_operator apply; /**< several threads call it side by side */
    void *data;
    size_t steps;  /**< at least 1; more than n count as n */
    size_t probes; /**< Gaussian random vectors; errors need two */
    uint64_t seed;
} nnd_slq_task;

/** The rules of all probes. Free with nnd_slq_clear. */
typedef struct {
    size_t steps, probes;
    size_t *count;  /**< probes: nodes of each, fewer than steps if the space was exhausted */
    double *node;   /**< probes x steps, ascending for each */
    double *weight; /**< probes x steps; those of a probe sum to 1 */
} nnd_slq;

/** Finds the rules, probes side by side on the threads of the context, whose number changes no bit.
 *  NND_E_INPUT for a task out of its ranges; NND_E_UNSOLVED if the operator is not finite. */
NND_MUST_USE nnd_status nnd_slq_run(nnd_context *ctx, const nnd_slq_task *task, nnd_slq *slq);
/** Frees what it owns and zeroes it. */
void nnd_slq_clear(nnd_slq *slq);
/** (1/n) tr f(A), the mean of f: value[0], with the standard error over probes value[1]. */
void nnd_slq_mean(const nnd_slq *slq, double (*f)(double z, void *data), void *data, double *value);
/** Share of eigenvalues up to z, share[0], with its standard error over probes, share[1]: linear
 *  between the nodes of a probe, each of which counts half where it is. */
void nnd_slq_share(const nnd_slq *slq, double z, double *share);

NND_API_END

#endif
