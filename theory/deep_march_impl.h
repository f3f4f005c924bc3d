/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Inside of a deep march, shared by going forth and going back. */
#ifndef NNDMFT_THEORY_DEEP_MARCH_IMPL_H
#define NNDMFT_THEORY_DEEP_MARCH_IMPL_H

#include "nndmft/solvers/traced.h"
#include "theory/deep_march.h"

/** Scouts that ask, and one that watches. */
enum { NND_DEEP_SCOUTS = 9 };

struct nnd_deep_march {
    nnd_context *ctx;
    const nnd_deep_problem *problem;
    const nnd_deep_sampling *sampling;
    size_t sites, depth, points, back; /**< back: points with backward fields */
    double rank_tol;                   /**< of this run */
    nnd_population **population;       /**< L */
    nnd_traced **matrix;               /**< L - 1, from layer l to layer l + 1 */
    const double *weight;              /**< of the sites, L x sites; NULL: 1 */
    /* Fields at the present step, L x points x sites; h of the first layer is state. */
    double *h, *phi, *slope, *z, *g;
    double *readout;                 /**< z^L, state */
    double *first_h, *first_readout; /**< of both, at the start */
    double *first_output;            /**< f(0) that is subtracted, points */
    double *output, *delta;          /**< points; P */
    double *step_weight;             /**< c s_mu Delta_mu of the update to come; P */
    double *scratch;                 /**< one vector; points x points */
    nnd_schedule schedule;
    /* What all steps were, for going back: */
    double *h_history;        /**< steps + 1 x L x points x sites */
    double *z_history;        /**< steps + 1 x L - 1 x back x sites */
    double *readout_history;  /**< steps + 1 x sites */
    double *factor, *weights; /**< steps + 1 x P: c s_mu, and times Delta_mu */
    double *adjoint;          /**< room of going back */
    size_t adjoint_room;
    double multiply_adds;
    /* Marches beside this one, under other weights, that see what a dropped residue moves along. */
    nnd_deep_march *leader; /**< of a scout; NULL: none */
    size_t scouts, sent;    /**< that are there; of the last run */
    nnd_deep_march *scout[NND_DEEP_SCOUTS];
    double *scout_weight; /**< L x sites */
};

/** Bytes of going back with n observables at once, with so many sites. */
double nnd_deep_influence_bytes(const nnd_deep_march *march, size_t n, size_t sites);

/** Field of layer l. */
static inline double *nnd_deep_layer(const nnd_deep_march *m, double *field, size_t l) {
    return field + l * m->points * m->sites;
}

#endif
