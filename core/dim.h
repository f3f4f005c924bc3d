/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Dimensions outside of a frame, as a sweep has them. */
#ifndef NNDMFT_CORE_DIM_H
#define NNDMFT_CORE_DIM_H

#include "nndmft/frame.h"

/** Frees a dimension and all that it holds; NULL is allowed. */
void nnd_dim_free(nnd_dim *dim);

#endif
