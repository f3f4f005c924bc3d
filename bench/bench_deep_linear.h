/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theory of deep linear networks over many steps: time, memory, coordinates and error. */
#ifndef NNDMFT_BENCH_DEEP_LINEAR_H
#define NNDMFT_BENCH_DEEP_LINEAR_H

#include <stdbool.h>

/** Prints a table of the small network against the march over all pairs of steps; `full`: also the
 * longest runs, which take minutes. */
void bench_deep_linear(bool full);

#endif
