/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of `simulate` that all models share, and those of `compare`. */
#include <math.h>
#include <stddef.h>

#include "nndmft/case.h"

static const char *const STORAGES[] = {"summary", "trajectories", NULL};

#define POSITIVE_INTEGER                                                                           \
    { .min = 1, .max = 1e9, .min_open = false, .max_open = false }

static const nnd_param SIMULATE_PARAMS[] = {
    {.name = "size",
     .type = NND_INTEGERS,
     .offset = offsetof(nnd_simulate, size),
     .fallback = "null",
     .range = POSITIVE_INTEGER,
     .unit = "1",
     .doc = "the large dimension; several are extrapolated to infinity when comparing"},
    {.name = "seeds",
     .type = NND_INTEGERS,
     .offset = offsetof(nnd_simulate, seeds),
     .fallback = "32",
     .range = POSITIVE_INTEGER,
     .unit = "1",
     .doc = "networks, one number or one per size"},
    {.name = "base_seed",
     .type = NND_INTEGER,
     .offset = offsetof(nnd_simulate, base_seed),
     .fallback = "1",
     .range = NND_SEED_KEYS,
     .unit = "1",
     .doc = "key of all random numbers"},
    {.name = "storage",
     .type = NND_CHOICE,
     .offset = offsetof(nnd_simulate, storage),
     .fallback = "summary",
     .choices = STORAGES,
     .doc = "estimates only, or every seed too"},
};
const nnd_param_table nnd_simulate_table = {
    SIMULATE_PARAMS, sizeof SIMULATE_PARAMS / sizeof *SIMULATE_PARAMS, sizeof(nnd_simulate)};

static const nnd_param COMPARE_PARAMS[] = {
    {.name = "rtol",
     .type = NND_REAL,
     .offset = offsetof(nnd_compare_options, rtol),
     .fallback = "0.02",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "deviation that matters, relative to the curve's largest value"},
    {.name = "vars",
     .type = NND_TEXTS,
     .offset = offsetof(nnd_compare_options, vars),
     .fallback = "null",
     .doc = "variables to compare; all that both sides have if absent"},
    {.name = "until",
     .type = NND_REAL,
     .offset = offsetof(nnd_compare_options, until),
     .fallback = "inf",
     .range = {.min = 0, .max = INFINITY},
     .unit = "1",
     .doc = "latest time that counts"},
    {.name = "alpha",
     .type = NND_REAL,
     .offset = offsetof(nnd_compare_options, alpha),
     .fallback = "0.005",
     .range = {.min = 0.001, .max = 0.5},
     .unit = "1",
     .doc = "chance that a run calls the right theory wrong"},
};
const nnd_param_table nnd_compare_table = {
    COMPARE_PARAMS, sizeof COMPARE_PARAMS / sizeof *COMPARE_PARAMS, sizeof(nnd_compare_options)};
