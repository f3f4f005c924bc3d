/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timing of the readers of matrices. */
#ifndef NNDMFT_BENCH_MATRICES_H
#define NNDMFT_BENCH_MATRICES_H

/** Seconds to read a matrix of `bytes` bytes in single precision from an .npy file. */
double bench_matrix_reading(double *bytes);

#endif
