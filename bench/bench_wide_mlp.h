/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Benchmarks of the theory of `wide-mlp`. */
#ifndef NNDMFT_BENCH_WIDE_MLP_H
#define NNDMFT_BENCH_WIDE_MLP_H

/** Prints its rows: the march against dgemm, a usual case on two threads, time against steps. */
void bench_wide_mlp(void);

#endif
