/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Status codes. Every function of nndmft that can fail returns one and must not be ignored:
 * 0 done, below 0 failed (outputs untouched or freed), above 0 done with a warning (outputs
 * usable). A failing function leaves a one-line message in its context, see context.h.
 */
#ifndef NNDMFT_STATUS_H
#define NNDMFT_STATUS_H

#include "nndmft/api.h"

NND_API_BEGIN

/** The codes, their values and their texts, in one place: ENTRY(name, value, text). */
#define NND_STATUS_LIST(ENTRY)                                                                     \
    ENTRY(NND_OK, 0, "done")                                                                       \
    ENTRY(NND_DIVERGED, 1, "the dynamics diverged; curves are kept up to that step")               \
    ENTRY(NND_NOT_CONVERGED, 2, "a solver did not converge; the best answer is kept")              \
    ENTRY(NND_E_MEMORY, -1, "out of memory")                                                       \
    ENTRY(NND_E_INPUT, -2, "bad input")                                                            \
    ENTRY(NND_E_LIMIT, -3, "beyond the memory limit")                                              \
    ENTRY(NND_E_IO, -4, "input or output failed")                                                  \
    ENTRY(NND_E_FORMAT, -5, "a file is damaged or not of the expected format")                     \
    ENTRY(NND_E_INTERRUPTED, -6, "interrupted; what was done is kept")                             \
    ENTRY(NND_E_UNSOLVED, -7, "a solver failed, there is no answer")

#define NND_STATUS_ENTRY(name, value, text) name = (value),
typedef enum { NND_STATUS_LIST(NND_STATUS_ENTRY) } nnd_status;
#undef NND_STATUS_ENTRY

/** Marks a function whose status must be looked at. */
#define NND_MUST_USE __attribute__((warn_unused_result))

/** The text of a status code; a static string, never NULL. */
const char *nnd_status_text(nnd_status status);

/** The version of the library, such as "0.1.0"; a static string. */
const char *nnd_version(void);

/** `git describe` of the source the library was built from, or "unknown"; a static string. */
const char *nnd_git_describe(void);

NND_API_END

#endif
