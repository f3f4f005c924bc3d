/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a solver that did not converge has to say: how far it came, and what would help. */
#ifndef NNDMFT_THEORY_SHORTFALL_H
#define NNDMFT_THEORY_SHORTFALL_H

#include "nndmft/frame.h"

/** Stores a line (printf format) as attribute `not_converged`: "what was reached; what to change".
 */
NND_MUST_USE nnd_status nnd_shortfall_set(nnd_frame *frame, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The line, or NULL. */
const char *nnd_shortfall(const nnd_frame *frame);

#endif
