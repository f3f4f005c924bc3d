/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Exact means of functions of a neuron with Gaussian preactivations, which control variates are
 * measured from: trapezoidal rule over two independent standard normals, halved until it stands
 * still. It converges exponentially for smooth functions.
 */
#ifndef NNDMFT_VALIDATE_PLANE_MEAN_H
#define NNDMFT_VALIDATE_PLANE_MEAN_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/activation.h"

/** A function f(u, v) at one u and n values of v, n up to NND_PLANE_NODES. */
typedef void (*nnd_plane_function)(const void *self, double u, size_t n, const double *v,
                                   double *f);
enum { NND_PLANE_NODES = 257 };

/** <f(u, v)> to 1e-10 of <|f|>; false if the rule does not get there (a kink, a steep slope). */
bool nnd_plane_mean(nnd_plane_function f, const void *self, double *mean);

/** Two preactivations x, y: Gaussian, mean 0, with these second moments. */
typedef struct {
    double xx, xy, yy;
} nnd_pair;

/** x = x_u u, y = y_u u + y_v v with independent standard normals. */
typedef struct {
    double x_u, y_u, y_v;
} nnd_pair_axes;
nnd_pair_axes nnd_pair_split(const nnd_pair *pair);

/** <phi(x) phi(y)> and, unless NULL, <phi'(x) phi'(y)>; false as above, but not for plain relu. */
bool nnd_pair_mean(const nnd_activation *activation, const nnd_pair *pair, double *phi,
                   double *slope);
/** <phi(x)^4>, likewise. */
bool nnd_fourth_mean(const nnd_activation *activation, double xx, double *mean);

#endif
