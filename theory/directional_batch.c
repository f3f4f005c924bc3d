/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/directional_batch.h"

#include <math.h>

#include "theory/claims.h"

/* directional.md#eq15: (N + (D + 1)/2 V N'' - hbar^2 V)/B */
double nnd_directional_batch_noise(const nnd_directional_path *path, double along, double spread,
                                   double slope) {
    double batch = (double)path->params->batch, dim = (double)path->params->dim;
    nnd_logistic_averages at = nnd_logistic_at(path->averages, fabs(along));
    double rise = 0.5 * (dim + 1.0) * at.noise_rise - slope * slope;
    return (at.noise + rise * spread) / batch;
}

/* directional.md#s11: the next order of the noise is (D + 1)(D + 3) V^2/64 of ln 2 - 1/2 where the
 * norm is large, and that of the pull at most V/omega^2. */
bool nnd_directional_batch_small(const nnd_directional_path *path, double spread, double omega) {
    double dim = (double)path->params->dim;
    double noise = (dim + 1.0) * (dim + 3.0) * spread * spread / (64.0 * (M_LN2 - 0.5));
    return fmax(noise, spread / omega / omega) <= NND_CLAIMED_ERROR;
}
