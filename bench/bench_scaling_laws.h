/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timings of the model `scaling-laws`. */
#ifndef NNDMFT_BENCH_SCALING_LAWS_H
#define NNDMFT_BENCH_SCALING_LAWS_H

/** Prints one row each for losses at 200 times up to 1e8 by all trainings, and for a frontier. */
void bench_scaling_laws(void);

#endif
