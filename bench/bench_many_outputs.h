/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timings of the model `many-outputs`. */
#ifndef NNDMFT_BENCH_MANY_OUTPUTS_H
#define NNDMFT_BENCH_MANY_OUTPUTS_H

/** Prints one row each for laws of weights: edges and 400 points of a density, with errors. */
void bench_many_outputs(void);

#endif
