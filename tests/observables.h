/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the solvers of populations are asked for. */
#ifndef NNDMFT_TESTS_OBSERVABLES_H
#define NNDMFT_TESTS_OBSERVABLES_H

#include "core/timegrid.h"
#include "nndmft/solvers/influence.h"
#include "support.h"

/** Every step, outputs of the points that are not trained, kernels of those that are; returns how
 * many observables these are. */
static inline size_t observe_all(nnd_context *ctx, size_t steps, size_t points, size_t train,
                                 nnd_timegrid *grid, nnd_observable *observable) {
    const nnd_integers all = {0};
    size_t k = 0;
    ck_assert_int_eq(nnd_timegrid_make(ctx, steps, &all, 1, grid), NND_OK);
    for (size_t mu = train; mu < points; mu++)
        observable[k++] = (nnd_observable){NND_OBSERVE_OUTPUT, mu, mu};
    for (size_t mu = 0; mu < train; mu++)
        for (size_t nu = 0; nu <= mu; nu++)
            observable[k++] = (nnd_observable){NND_OBSERVE_NTK, mu, nu};
    return k;
}

#endif
