/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Benchmarks of fluctuations at order 1/N. */
#ifndef NNDMFT_BENCH_FLUCTUATIONS_H
#define NNDMFT_BENCH_FLUCTUATIONS_H

/** Prints its rows: one sample to 1e-8, four samples against dgemm, a large ensemble. */
void bench_fluctuations(void);

#endif
