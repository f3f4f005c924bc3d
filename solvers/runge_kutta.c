/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/runge_kutta.h"

enum { MAX_STAGES = 7 };

/* Rows of the stages after the first, then that of the step. */
typedef struct {
    size_t stages;
    double weight[MAX_STAGES][MAX_STAGES];
    double error[MAX_STAGES];
} tableau;

static const tableau TABLEAU[] = {
    [NND_RK_EULER] = {1, {{1.0}}, {0.0}},
    [NND_RK_HEUN] = {2, {{1.0}, {0.5, 0.5}}, {0.0}},
    [NND_RK_RK4] = {4,
                    {{0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}},
                    {0.0}},
    /* J. Comput. Appl. Math. 6 (1980) 19, RK5(4)7M. */
    [NND_RK_DORMAND_PRINCE] =
        {7,
         {{1.0 / 5},
          {3.0 / 40, 9.0 / 40},
          {44.0 / 45, -56.0 / 15, 32.0 / 9},
          {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
          {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
          {35.0 / 384, 0.0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
          {35.0 / 384, 0.0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0.0}},
         {71.0 / 57600, 0.0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40}},
};

size_t nnd_runge_kutta_stages(nnd_runge_kutta method) {
    return TABLEAU[method].stages;
}

const double *nnd_runge_kutta_weights(nnd_runge_kutta method, size_t stage) {
    return TABLEAU[method].weight[stage - 1];
}

const double *nnd_runge_kutta_error_weights(nnd_runge_kutta method) {
    return method == NND_RK_DORMAND_PRINCE ? TABLEAU[method].error : NULL;
}
