/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What is common to all that solve a theory at many parameter points. */
#ifndef NNDMFT_THEORY_POINT_H
#define NNDMFT_THEORY_POINT_H

#include <stdbool.h>

#include "nndmft/theory.h"

/**
 * True if a failure is one of this point alone, so that others go on: its solver failed, or its
 * parameters do not go together. Want of memory and interrupts concern all.
 */
static inline bool nnd_point_failed(nnd_status status) {
    return status == NND_E_UNSOLVED || status == NND_E_INPUT;
}

#endif
