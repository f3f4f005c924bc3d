/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Contours in the frequency s of the random-feature model, for flow and for discrete steps. */
#ifndef NNDMFT_SOLVERS_FEATURE_CONTOUR_H
#define NNDMFT_SOLVERS_FEATURE_CONTOUR_H

#include <complex.h>

#include "nndmft/solvers/random_features.h"

/** Nodes x as those of contour.h, arm after arm, each from the real axis outwards. */
typedef struct {
    size_t count, arms;
    bool circle;
    double complex *x;        /**< the value at t has the factor exp(t x) */
    double complex *x_weight; /**< of (1/2 pi i) dx */
    double complex *s;        /**< frequency: x of the flow */
    double complex *s_weight; /**< of (1/2 pi i) ds */
    double complex *step;     /**< z - 1, z = exp x */
} nnd_feature_contour;

/** Index behind the last of the ascending times that a contour from time[first] serves. */
size_t nnd_feature_window(const nnd_feature_training *how, size_t times, const double *time,
                          size_t first);

/**
 * The contour for the times of that window, from `from` until `until`: a hyperbola; in discrete
 * time with a second arm around negative z where the spectrum, which ends at `edge`, reaches there,
 * and early a circle. `nodes` is that of the hyperbola, how->nodes or some more. s is that of (z -
 * 1)(z - m) = s z eta.
 */
NND_MUST_USE nnd_status nnd_feature_contour_make(nnd_context *ctx, const nnd_feature_training *how,
                                                 double edge, size_t nodes, double from,
                                                 double until, nnd_feature_contour *contour);
void nnd_feature_contour_clear(nnd_feature_contour *contour);

/** The most nodes that such a contour has; `circle` says whether it is one. */
size_t nnd_feature_contour_count(const nnd_feature_training *how, double from, double until,
                                 bool *circle);

/** NND_E_INPUT if a contour for one of these ascending times took too many nodes. */
NND_MUST_USE nnd_status nnd_feature_contours_check(nnd_context *ctx,
                                                   const nnd_feature_training *how, size_t times,
                                                   const double *time);

/** Losses at ascending times > 0 with contours of `nodes` nodes. */
typedef nnd_status (*nnd_feature_solver)(nnd_context *ctx, size_t nodes, size_t times,
                                         const double *time, nnd_feature_losses *losses,
                                         void *data);

/** Losses of descent at ascending times > 0, with contours of `nodes` nodes. */
NND_MUST_USE nnd_status nnd_feature_descent_with(nnd_context *ctx, const nnd_features *features,
                                                 const nnd_feature_training *how, double edge,
                                                 size_t nodes, size_t times, const double *time,
                                                 nnd_feature_losses *losses);

/** Losses at times >= 0 with how->nodes + 4 nodes; what four less change is their error. */
NND_MUST_USE nnd_status nnd_feature_twice(nnd_context *ctx, const nnd_features *features,
                                          const nnd_feature_training *how, nnd_feature_solver solve,
                                          void *data, size_t times, const double *time,
                                          nnd_feature_losses *losses);

#endif
