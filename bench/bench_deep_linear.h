/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Theory of deep linear networks over many steps: time, memory, coordinates and error. */
#ifndef NNDMFT_BENCH_DEEP_LINEAR_H
#define NNDMFT_BENCH_DEEP_LINEAR_H

#include <stdbool.h>

#include "nndmft/context.h"

/** Prints the table of bench_deep_linear_march, and times of spectra and of a flow; `full`: also
 * the longest runs, which take minutes. */
void bench_deep_linear(bool full);
/** Prints error, coordinates, time and memory at several tolerances after 10^3, 10^4, ... steps,
 * each in a line that begins with "march". */
void bench_deep_linear_march(nnd_context *ctx, size_t steps);

#endif
