/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What the theorems on directional convergence guarantee of the flow of balanced layers under any
 * law of the inputs (directional.md#s10), at a time t >= 0. They need the start, and from the time
 * on at which the norm turns, `turn` of the path.
 */
#ifndef NNDMFT_THEORY_DIRECTIONAL_BOUNDS_H
#define NNDMFT_THEORY_DIRECTIONAL_BOUNDS_H

#include "theory/directional_path.h"

/** Whether there are bounds: a flow of aligned layers that start with a direction. */
bool nnd_directional_bounded(const nnd_directional *p);

/** |w| is between these. */
double nnd_directional_omega_lower(const nnd_directional_path *path, double t);
double nnd_directional_omega_upper(const nnd_directional_path *path, double t);
/** log tan(theta/2) is at most this. */
double nnd_directional_zeta_upper(const nnd_directional_path *path, double t);

#endif
