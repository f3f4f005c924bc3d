/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Parameters of the model `directional` (directional.md#s1). */
#ifndef NNDMFT_DIRECTIONAL_H
#define NNDMFT_DIRECTIONAL_H

#include "nndmft/api.h"
#include "nndmft/model.h"
#include "nndmft/rates.h"

NND_API_BEGIN

/** Law of the inputs x in R^D. */
typedef enum {
    NND_LAW_GAUSSIAN, /**< N(0, I) */
    NND_LAW_SPHERE,   /**< uniform on |x| = radius */
    NND_LAW_MIXTURE   /**< sum_j w_j N(0, a_j^2 I) */
} nnd_law_kind;

typedef struct {
    nnd_reals weights, scales; /**< w_j, normalised to sum 1 by whoever uses them; a_j */
} nnd_mixture;

typedef struct {
    int kind; /**< nnd_law_kind */
    nnd_mixture mixture;
    double radius; /**< of the sphere, settled: sqrt(D) unless given; else NaN */
} nnd_law;

/** Where training starts. */
typedef enum {
    NND_START_ALIGNED, /**< balanced rank-one layers, |w| = omega0 at the angle theta0 to v */
    NND_START_GIVEN    /**< two layers: M = W_1 W_1^T, p = W_1 v, a = W_2^T */
} nnd_start_kind;

typedef struct {
    int kind; /**< nnd_start_kind */
    nnd_dense m;
    nnd_reals p, a;
} nnd_start;

/** Ranges, defaults and meaning: the table in models/directional.c. */
typedef struct {
    int64_t depth;
    nnd_law law;
    int64_t dim;
    double omega0, theta0; /**< NaN for a given start */
    int integrator;        /**< nnd_integrator */
    double lr, steps;      /**< NaN for flow; steps is whole */
    nnd_rates schedule;    /**< of gd */
    double time;           /**< NaN for gd */
    nnd_start init;
    double samples; /**< n, whole, of a simulation; inf: the population gradient */
    int64_t batch;  /**< fresh samples of every step of gd; 0: the population gradient */
    int64_t width;  /**< of hidden layers of a simulation */
    nnd_reals record;
    int64_t record_every;
} nnd_directional;

/** The model with its tables. */
extern const nnd_model nnd_directional_model;

/** True for a finite number of samples. */
static inline bool nnd_directional_samples_finite(const nnd_directional *p) {
    return p->samples < INFINITY;
}

/** True if a simulation sees samples, of one draw or of many, instead of the population. */
static inline bool nnd_directional_is_noisy(const nnd_directional *p) {
    return nnd_directional_samples_finite(p) || p->batch > 0;
}

NND_API_END

#endif
