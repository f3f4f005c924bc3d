/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timings of matrix Dyson equations. */
#ifndef NNDMFT_BENCH_DYSON_H
#define NNDMFT_BENCH_DYSON_H

/** Prints one row for each of several networks: density at 200 points, upper edge. */
void bench_dyson(void);

#endif
