/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timing for the benchmarks: best of several repeats, and the rates of the machine itself. */
#ifndef NNDMFT_BENCH_TIMER_H
#define NNDMFT_BENCH_TIMER_H

/** Seconds on a clock that does not jump. */
double bench_seconds(void);
/** Seconds that all threads of the process have worked, whatever else the machine does. */
double bench_processor_seconds(void);
/** Multiply-adds per second of dgemm on n x n matrices. */
double bench_dgemm(int n);
/** Bytes per second of reading an array of the given size (a sum over it). */
double bench_read_bandwidth(double bytes);

#endif
