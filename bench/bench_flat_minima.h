/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NNDMFT_BENCH_FLAT_MINIMA_H
#define NNDMFT_BENCH_FLAT_MINIMA_H

/** Times flat-minima: lanes, Hessian products, bounds, and the published experiments in data/cases,
 * if they are there. */
void bench_flat_minima(void);

#endif
