/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Where models of spectra give transforms and densities: what their tables and frames share. */
#ifndef NNDMFT_MODELS_RESOLVENT_POINTS_H
#define NNDMFT_MODELS_RESOLVENT_POINTS_H

#include "nndmft/frame.h"
#include "nndmft/model.h"

/** Whether `points` is nothing or rows re, im, each once, where a transform is defined: above the
 *  real axis, or on it below 0. */
bool nnd_points_check(const nnd_dense *points, nnd_objection *o);
/** How many points there are, -1, 1 + i and 2 + i if none are given, and the i-th. */
size_t nnd_points_count(const nnd_dense *points);
void nnd_points_at(const nnd_dense *points, size_t i, double *re, double *im);
/** Adds the dimension `point` of their texts, "2+1i". */
NND_MUST_USE nnd_status nnd_points_add(const nnd_dense *points, nnd_frame *frame);

/** Adds the dimensions `z`, of eigenvalues >= 0, and `s`, of their square roots. */
NND_MUST_USE nnd_status nnd_eigenvalues_add(const nnd_reals *z, nnd_frame *frame);

#endif
