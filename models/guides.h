/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What several models draw beside a variable. */
#ifndef NNDMFT_MODELS_GUIDES_H
#define NNDMFT_MODELS_GUIDES_H

#include "nndmft/drawing.h"

/** Beside outliers: the edge of the bulk, a variable `bulk_edge`. */
static const nnd_guide NND_BULK_EDGE[] = {
    {"bulk_edge", "edge of the bulk", NND_GUIDE_BULK, .band = "bulk"}, {NULL}};

/** Does the best learning rate stay where it is as networks grow? A loss over at_width and t, and
 * as a guide that of infinite width. */
#define NND_TRANSFER_VIEW(loss, limit)                                                             \
    {                                                                                              \
        "transfer", {loss}, .drawing = {                                                           \
            .x = "lr",                                                                             \
            .log = NND_LOG_Y,                                                                      \
            .last = true,                                                                          \
            .gaps = true,                                                                          \
            .lowest = "lr",                                                                        \
            .headroom = 100.0,                                                                     \
            .guides = (limit)                                                                      \
        }                                                                                          \
    }

#endif
