/* SPDX-License-Identifier: GPL-3.0-or-later */
/** One-dimensional roots and extrema of a theoretical variable over a parameter. */
#ifndef NNDMFT_FIND_H
#define NNDMFT_FIND_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/model.h"

NND_API_BEGIN

typedef enum { NND_FIND_ZERO, NND_FIND_MIN, NND_FIND_MAX } nnd_goal;

/** One coordinate of a variable. */
typedef struct {
    const char *dim;
    double value;
} nnd_coordinate;

/** What is sought. Rows are those of the model's own tables. */
typedef struct {
    const nnd_param *param; /**< a parameter that nnd_find_takes; a list is one of one number */
    double low, high;       /**< interval; scanned logarithmically if low > 0 and high >= 10 low */
    nnd_goal goal;
    const nnd_variable *variable;
    double level;  /**< NND_FIND_ZERO: where the variable takes this value */
    size_t points; /**< of the scan, at least 3; 0: 129 */
    size_t coordinates;
    const nnd_coordinate *at; /**< one for each dimension of the variable; NULL for a scalar */
} nnd_find_options;

/** Which of the options a search refuses. */
typedef enum {
    NND_FIND_FAULT_OTHER,    /**< none of those below */
    NND_FIND_FAULT_INTERVAL, /**< low, high */
    NND_FIND_FAULT_AT        /**< the coordinates are not those of one number */
} nnd_find_fault;

/** What was found. */
typedef struct {
    double param;         /**< the place */
    double uncertainty;   /**< half the length of the last bracket */
    double value;         /**< of the variable there */
    bool at_edge;         /**< the extremum is an end of the interval */
    size_t evaluations;   /**< solutions of the theory */
    nnd_find_fault fault; /**< of NND_E_INPUT */
} nnd_found;

/** True for parameters that are numbers: NND_REAL, NND_REALS and NND_INTEGER. */
bool nnd_find_takes(const nnd_param *param);

/**
 * Scans the interval (in parallel), then refines by Brent's method, to a relative precision of 1e-8
 * for a root and 1e-5 for an extremum (near 0, to 1e-4 of that of the interval). Several roots: the
 * first from `low`. Of several minima the lowest four of the scan are refined and the lowest
 * returned. Of whole numbers an extremum is a neighbour of none better, with uncertainty 0, and for
 * a root `param` is the one next to it at which the variable is closest to the level, with 1/2.
 * Points where the theory diverges or has no answer count as the worst for an extremum and are
 * skipped for a root; the latter are told of, as a warning or in the message.
 *
 * `params` are those of the model, as nnd_model_check accepts them with the parameter at `low`; its
 * own value does not count. Theory is solved up to the times in `at`, any step or time of the run,
 * recorded or not, and no further.
 *
 * NND_NOT_CONVERGED with a message: there is no sign change, no finite value, or theory did not
 * converge at the place found (which is there then). NND_E_INPUT if the options or the parameters
 * make no sense, at any value of the interval that is tried.
 */
NND_MUST_USE nnd_status nnd_find(nnd_context *ctx, const nnd_model *model, const void *params,
                                 const nnd_find_options *options, nnd_found *found);

NND_API_END

#endif
