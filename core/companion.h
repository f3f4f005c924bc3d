/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What arrays of a frame are called that stand beside an array x, and those that keep account of a
 * run. Theory, simulation, comparison, files and pictures find them by these names alone.
 */
#ifndef NNDMFT_CORE_COMPANION_H
#define NNDMFT_CORE_COMPANION_H

#include "nndmft/frame.h"

/** Beside any x: its standard error, and the smallest size at which theory claims it. */
#define NND_SE       "_se"
#define NND_MIN_SIZE "_min_size"
/** Of influences: the fraction of the variance that control variates leave. */
#define NND_LEFT "_control"
/** Of a comparison, with NND_SE: both sides, their difference, and that over its error. */
#define NND_THEORY "_theory"
#define NND_MC     "_mc"
#define NND_DIFF   "_diff"
#define NND_Z      "_z"

/** Accounts of a run: how it ended, the fraction of seeds that diverged, the step at which it did.
 */
#define NND_STATUS_ARRAY      "status"
#define NND_DIVERGED_FRACTION "diverged_fraction"
#define NND_DIVERGED_AT       "diverged_at"

enum { NND_COMPANION_SIZE = 1024 };

/** Writes x and the ending; false if that was cut short. */
bool nnd_companion_name(const char *name, const char *ending, size_t size, char *text);
/** The array of that name; NULL if there is none. */
const nnd_array *nnd_companion(const nnd_frame *frame, const char *name, const char *ending);
/** The length of x in a name that is x and the ending; 0 if it is not. */
size_t nnd_companion_of(const char *name, const char *ending);
/** The array x of such a name; NULL if the name does not end so or there is no such array. */
const nnd_array *nnd_companion_owner(const nnd_frame *frame, const char *name, const char *ending);
/** Whether a name is that of an account. */
bool nnd_is_account(const char *name);

#endif
