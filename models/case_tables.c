/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of `simulate` that all models share, and those of `compare`. */
#include <math.h>
#include <stddef.h>

#include "nndmft/case.h"

#include "core/rows.h"

static const char *const STORAGES[] = {"summary", "trajectories", "weights", NULL};

#define POSITIVE_INTEGER                                                                           \
    { .min = 1, .max = 1e9, .min_open = false, .max_open = false }

static const nnd_param SIMULATE_PARAMS[] = {
    {"size", NND_FIELD(INTEGERS, nnd_simulate, size), "null", POSITIVE_INTEGER,
     "the large dimension; several are extrapolated to infinity when comparing"},
    {"seeds", NND_FIELD(INTEGERS, nnd_simulate, seeds), "32", POSITIVE_INTEGER,
     "networks, one number or one per size"},
    {"base_seed", NND_FIELD(INTEGER, nnd_simulate, base_seed), "1", NND_SEED_KEYS,
     "key of all random numbers"},
    {"storage", NND_FIELD(CHOICE, nnd_simulate, storage), "summary", NND_ANY,
     "estimates only; every seed too; or the matrices of seed 0 too", .choices = STORAGES},
};
const nnd_param_table nnd_simulate_table = NND_TABLE(SIMULATE_PARAMS, nnd_simulate);

static const nnd_param COMPARE_PARAMS[] = {
    {"rtol", NND_FIELD(REAL, nnd_compare_options, rtol), "0.02", NND_POSITIVE,
     "deviation that matters, relative to the curve's largest value"},
    {"vars", NND_FIELD(TEXTS, nnd_compare_options, vars), "null", NND_ANY,
     "variables to compare; all that both sides have if absent"},
    {"until", NND_FIELD(REAL, nnd_compare_options, until), "inf", NND_BETWEEN(0, INFINITY),
     "latest time that counts"},
    {"alpha", NND_FIELD(REAL, nnd_compare_options, alpha), "0.005", NND_BETWEEN(0.001, 0.5),
     "chance that a run calls the right theory wrong"},
};
const nnd_param_table nnd_compare_table = NND_TABLE(COMPARE_PARAMS, nnd_compare_options);
