/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Distances between all points of a representation, and their ranks. */
#ifndef NNDMFT_VALIDATE_SIMILARITY_DISTANCE_H
#define NNDMFT_VALIDATE_SIMILARITY_DISTANCE_H

#include "validate/similarity_impl.h"

/** work->distance; nothing if it is there. */
NND_MUST_USE nnd_status nnd_similarity_distance(nnd_context *ctx, nnd_similarity_work *work);
/** work->rank, likewise. */
NND_MUST_USE nnd_status nnd_similarity_ranks(nnd_context *ctx, nnd_similarity_work *work);

#endif
