/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/runge_kutta.h"

enum { MAX_STAGES = 4 };

/* Rows of the stages after the first, then that of the step. */
typedef struct {
    size_t stages;
    double weight[MAX_STAGES][MAX_STAGES];
} tableau;

static const tableau TABLEAU[] = {
    [NND_RK_EULER] = {1, {{1.0}}},
    [NND_RK_HEUN] = {2, {{1.0}, {0.5, 0.5}}},
    [NND_RK_RK4] = {4, {{0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}}},
};

size_t nnd_runge_kutta_stages(nnd_runge_kutta method) {
    return TABLEAU[method].stages;
}

const double *nnd_runge_kutta_weights(nnd_runge_kutta method, size_t stage) {
    return TABLEAU[method].weight[stage - 1];
}
