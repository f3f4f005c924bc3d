/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timings of spectra of matrices. */
#ifndef NNDMFT_BENCH_SPECTRUM_H
#define NNDMFT_BENCH_SPECTRUM_H

/** Prints rows for the kernel polynomial method, the analysis of a matrix, the law of the edge. */
void bench_spectrum(void);

#endif
