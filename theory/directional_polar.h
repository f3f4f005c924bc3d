/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The predictor in polar coordinates about the teacher, omega = |w| and zeta = log tan(theta/2),
 * and how small an angle is seen.
 */
#ifndef NNDMFT_THEORY_DIRECTIONAL_POLAR_H
#define NNDMFT_THEORY_DIRECTIONAL_POLAR_H

#include "theory/directional_path.h"

/**
 * The angle that n samples do not resolve (directional.md#s4); 0 under the population gradient.
 * Near the teacher the gradient pulls the direction back with c0 sin theta, a mean over n samples
 * pushes it sideways by sqrt((D - 1) noise/n); the floor is where both balance. On batches it is
 * the angle of their fluctuations.
 */
double nnd_directional_floor(const nnd_directional_path *path, const nnd_directional_point *point);
/** Whether a simulation sees an angle as small as that of a point. */
bool nnd_directional_resolved(const nnd_directional_path *path, const nnd_directional_point *point);

/** omega and zeta of a vector with the component `along` the teacher and exp(log_perp) across. */
void nnd_directional_polar(double along, double log_perp, double *omega, double *zeta);
/** 1 - cos theta and -log sin theta. */
double nnd_directional_gap(double zeta);
double nnd_directional_neg_log_sin(double zeta);

#endif
