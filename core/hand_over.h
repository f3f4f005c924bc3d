/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How the making of a frame ends. */
#ifndef NNDMFT_CORE_HAND_OVER_H
#define NNDMFT_CORE_HAND_OVER_H

#include "nndmft/frame.h"

/** The frame that was made becomes `*frame`, or is freed if it is not sound. */
static inline void nnd_hand_over(bool sound, nnd_frame *made, nnd_frame **frame) {
    if (sound)
        *frame = made;
    else
        nnd_frame_free(made);
}

#endif
