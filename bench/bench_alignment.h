/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timings of the model `alignment`, the best of several, in seconds. */
#ifndef NNDMFT_BENCH_ALIGNMENT_H
#define NNDMFT_BENCH_ALIGNMENT_H

#include "nndmft/context.h"

double bench_alignment_curve(double *points);
double bench_alignment_contour(nnd_context *ctx, double *flops);
double bench_alignment_uneven(nnd_context *ctx, double *flops);

#endif
