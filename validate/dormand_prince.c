/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/dormand_prince.h"

#include <float.h>
#include <math.h>

const double nnd_dp_weight[NND_DP_STAGES][NND_DP_STAGES - 1] = {
    {0.0},
    {1.0 / 5.0},
    {3.0 / 40.0, 9.0 / 40.0},
    {44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0},
    {19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0},
    {9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0},
    {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0},
};
const double nnd_dp_error[NND_DP_STAGES] = {
    71.0 / 57600.0,      0.0,          -71.0 / 16695.0, 71.0 / 1920.0,
    -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0};

/* By how much the next step is longer. */
static double factor_of(double error) {
    const double safety = 0.9, most = 5.0, least = 0.2;
    if (isnan(error))
        return least;
    return error > 0.0 ? fmax(least, fmin(most, safety * pow(error, -0.2))) : most;
}

/* A step that all but reaches the end goes there, so that no crumb is left over. */
static bool is_last(const nnd_dp_walk *walk, double end) {
    return walk->t + 1.000001 * walk->h >= end;
}

double nnd_dp_length(const nnd_dp_walk *walk, double end) {
    if (is_last(walk, end))
        return end - walk->t;
    return walk->h > 4.0 * DBL_EPSILON * walk->t ? walk->h : 0.0;
}

double nnd_dp_least_steps(double rate, double time) {
    const double stable = 3.31; /* |R(-z)| <= 1, R(z) = sum_{k<=5} z^k/k! + z^6/600 */
    return rate * time / stable;
}

bool nnd_dp_is_endless(const nnd_dp_walk *walk, double end) {
    const size_t settled = 1000;
    return walk->taken >= settled && end - walk->t > NND_DP_MOST_STEPS * walk->h;
}

bool nnd_dp_take(nnd_dp_walk *walk, double end, double h, double error) {
    bool last = is_last(walk, end), taken = error <= 1.0;
    double next = h * factor_of(error);
    /* A step cut short by the end says nothing against the one proposed before. */
    walk->h = taken && last ? fmax(walk->h, next) : next;
    if (!taken) {
        walk->rejected++;
        return false;
    }
    walk->taken++;
    walk->t = last ? end : walk->t + h;
    return true;
}
