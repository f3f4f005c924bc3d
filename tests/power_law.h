/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * The power-law covariance of alignment.md#s8: s_i = 1/i, flat teacher with signal power 1, where
 * sigma^2 = 1/4.
 */
#ifndef NNDMFT_TESTS_POWER_LAW_H
#define NNDMFT_TESTS_POWER_LAW_H

#include "nndmft/solvers/equivalent.h"

enum { D = 100 };
static double eigenvalue[D], multiplicity[D], teacher2[D];

static nnd_eigenmodes power_law(void) {
    double power = 0.0;
    for (int i = 0; i < D; i++) {
        eigenvalue[i] = 1.0 / (i + 1.0);
        multiplicity[i] = 1.0;
        power += eigenvalue[i];
    }
    for (int i = 0; i < D; i++)
        teacher2[i] = 1.0 / power;
    return (nnd_eigenmodes){D, eigenvalue, multiplicity, teacher2};
}

#endif
