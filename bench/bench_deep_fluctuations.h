/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Benchmarks of fluctuations of deep networks. */
#ifndef NNDMFT_BENCH_DEEP_FLUCTUATIONS_H
#define NNDMFT_BENCH_DEEP_FLUCTUATIONS_H

/** Prints its rows: influence functions of one sample and of four, against dgemm and the march. */
void bench_deep_fluctuations(void);

#endif
