/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Parameters of the model `many-outputs` (many-outputs.md#s1): two-layer linear networks of width N
 * with C = cN outputs and D = dN inputs, f = A W x/gamma, and the spectrum of W^T W.
 */
#ifndef NNDMFT_MANY_OUTPUTS_H
#define NNDMFT_MANY_OUTPUTS_H

#include "nndmft/api.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"

NND_API_BEGIN

typedef enum {
    NND_FIXED_READOUT, /**< A keeps its random start */
    NND_WIDE,          /**< both layers trained, N far above C and D */
    NND_ALIGNED,       /**< both trained, from the singular basis of the target */
    NND_BOTH_TRAINED   /**< both trained, C and D of order N: `steps` */
} nnd_outputs_variant;

/** What gamma and the rate are given by. */
typedef enum {
    NND_OUTPUTS_AUTO,      /**< settles to one of the others */
    NND_OUTPUTS_CANONICAL, /**< gamma and eta themselves */
    NND_OUTPUTS_MUP,       /**< gamma0 and eta0, f = V h/(gamma0 N) */
    NND_OUTPUTS_NTK        /**< gamma0 and eta0, f = V h/(gamma0 sqrt(N)) */
} nnd_outputs_parameterization;

/** Singular values of A and W at an aligned start; NaN for other variants. */
typedef struct {
    double a, w;
} nnd_outputs_start;

/** The structured part S of the target. Nothing given: there is none. */
typedef struct {
    nnd_reals values;  /**< distinct singular values s_k >= 0 */
    nnd_reals weights; /**< how many of each over N; empty: all alike, min(c, d) together */
    double power_law;  /**< a in s_k = scale k^-a, k = 1..modes; NaN: a list, or nothing */
    double scale;      /**< NaN without a power law */
    int64_t modes;     /**< 0 without a power law */
} nnd_outputs_target;

/** Eigenvalues z at which densities are given. Nothing given: each side chooses its own. */
typedef struct {
    nnd_reals values; /**< ascending */
    double from, to;  /**< or `count` bins, equal in sqrt(z); NaN: a list, or nothing */
    int64_t count;    /**< 0 without them */
} nnd_outputs_grid;

/** Ranges, defaults and meaning: `nndmft describe many-outputs`. */
typedef struct {
    int variant;        /**< nnd_outputs_variant */
    double c, d;        /**< C/N and D/N; NaN where counts are given */
    double p;           /**< samples/N; inf: the population gradient */
    double sigma2;      /**< N times the variance of entries of W at the start */
    double tau2;        /**< D times the variance of entries of the target's isotropic part */
    double gamma;       /**< NaN for mup and ntk */
    double label_noise; /**< variance, of each output */
    double lr;          /**< eta, of mup and ntk eta0; NaN for flow */
    int64_t steps;      /**< 0 for flow */
    int integrator;     /**< nnd_integrator */
    double time;        /**< may be infinite; NaN for gd */
    double readout2;    /**< sigma_A^2: N times the variance of entries of A at the start */
    double lr_ratio;    /**< eta_A/eta_W */
    nnd_outputs_start start;
    nnd_reals spikes; /**< singular values of rank-one pieces of the target besides */
    nnd_outputs_target target;
    nnd_outputs_grid z;
    nnd_dense points;               /**< rows re, im: where the Stieltjes transform is given */
    int64_t width, inputs, outputs; /**< N, D, C; NND_ABSENT where c and d are given */
    int parameterization;           /**< nnd_outputs_parameterization */
    double gamma0;                  /**< NaN for canonical */
    nnd_reals record;
    nnd_integers widths; /**< at which the largest eigenvalue is predicted */
} nnd_many_outputs;

/** The model with its tables. */
extern const nnd_model nnd_many_outputs_model;

/** What parameters come to in canonical variables (many-outputs.md#s1-1). */
typedef struct {
    double c, d;  /**< NaN for `wide` with counts but no width, which only needs their ratio */
    double ratio; /**< C/D */
    double gamma; /**< f = A W x/gamma */
    double rate;  /**< canonical time of one unit of `lr`, or of the time of a flow */
} nnd_outputs_scales;

/** Of checked parameters. */
nnd_outputs_scales nnd_many_outputs_scales(const nnd_many_outputs *params);
/** eta_W in canonical variables; NaN for flow. */
double nnd_many_outputs_rate(const nnd_many_outputs *params);

/** Recorded times, ascending: of the flow (canonical time is `rate` times that), else steps; the
 *  last alone unless `record` lists others. The caller frees times->value. */
NND_MUST_USE nnd_status nnd_many_outputs_times(nnd_context *ctx, const nnd_many_outputs *params,
                                               nnd_reals *times);
/** Adds the dimension `t` if several times are recorded. */
NND_MUST_USE nnd_status nnd_many_outputs_add_times(const nnd_many_outputs *params,
                                                   const nnd_reals *times, nnd_frame *frame);

/** Number of distinct singular values of the structured part. */
size_t nnd_many_outputs_modes(const nnd_many_outputs *params);
/** The k-th of them, from 0, and how many there are of it over N (NaN where c and d are). */
double nnd_many_outputs_mode(const nnd_many_outputs *params, size_t k);
double nnd_many_outputs_mode_weight(const nnd_many_outputs *params, size_t k);

/** Eigenvalues of the grid `z`: none if nothing is given. The caller frees z->value. */
NND_MUST_USE nnd_status nnd_many_outputs_grid(nnd_context *ctx, const nnd_many_outputs *params,
                                              nnd_reals *z);
/** Adds the dimensions `z`, and `s` of their square roots. */
NND_MUST_USE nnd_status nnd_many_outputs_add_grid(const nnd_reals *z, nnd_frame *frame);

/** How many points the Stieltjes transform is given at (three if none are), and the i-th. */
size_t nnd_many_outputs_points(const nnd_many_outputs *params);
void nnd_many_outputs_point(const nnd_many_outputs *params, size_t i, double *re, double *im);
/** Adds the dimensions `point` (their texts, "2+1i"), `spike` and `mode` (from 1) where there are
 *  any. */
NND_MUST_USE nnd_status nnd_many_outputs_add_dims(const nnd_many_outputs *params, nnd_frame *frame);

NND_API_END

#endif
