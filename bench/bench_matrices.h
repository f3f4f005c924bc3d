/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timings of reading and analysing matrices of files, on one thread. */
#ifndef NNDMFT_BENCH_MATRICES_H
#define NNDMFT_BENCH_MATRICES_H

/** Seconds for the analysis of a matrix of 1000 x 1000, and of LAPACK for its singular values. */
double bench_matrix_analysis(double *lapack);
/** Seconds to read a matrix of `bytes` bytes in single precision from an .npy file. */
double bench_matrix_reading(double *bytes);

#endif
