/* SPDX-License-Identifier: GPL-3.0-or-later */
/** s/(s + kappa), of which sums over modes are made, for loops over modes. */
#ifndef NNDMFT_SOLVERS_MODE_RATIO_H
#define NNDMFT_SOLVERS_MODE_RATIO_H

#include "solvers/plain_complex.h"

/** kappa != 0 as its direction and 1/|kappa|: in units of |kappa| nothing underflows. */
typedef struct {
    nnd_plain unit;
    double scale;
} nnd_polar;

static inline nnd_polar nnd_polar_of(double complex kappa) {
    double scale = 1.0 / cabs(kappa);
    return (nnd_polar){{creal(kappa) * scale, cimag(kappa) * scale}, scale};
}

/** s/|kappa|; of 1e100 and more, where the ratio is 1 to rounding, squares would overflow. */
static inline double nnd_mode_units(double s, nnd_polar kappa) {
    const double large = 1e100;
    double x = s * kappa.scale;
    return x < large ? x : large;
}

/** |kappa|/(s + kappa), x that of s >= 0. */
static inline nnd_plain nnd_mode_inverse(double x, nnd_polar kappa) {
    return nnd_inverse((nnd_plain){x + kappa.unit.re, kappa.unit.im});
}

static inline nnd_plain nnd_mode_ratio(double s, nnd_polar kappa) {
    double x = nnd_mode_units(s, kappa);
    return nnd_scaled(x, nnd_mode_inverse(x, kappa));
}

#endif
