/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Roots and extrema of a theoretical variable over a parameter, and its crossings over time. */
#ifndef NNDMFT_FIND_H
#define NNDMFT_FIND_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/model.h"

NND_API_BEGIN

typedef enum {
    NND_FIND_ZERO,
    NND_FIND_MIN,
    NND_FIND_MAX,
    NND_FIND_DIVERGENCE /**< of training; no variable is read */
} nnd_goal;

/** How a variable stands to a number. */
typedef enum {
    NND_BELOW,
    NND_ABOVE,
    NND_ACROSS /**< over time: on the other side than just before, or equal */
} nnd_relation;

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
    const nnd_coordinate *at; /**< one for each dimension of the variable; NULL for a scalar. With a
                                   subject: of either, each takes those that it has */
    const nnd_variable *subject; /**< of an extremum: where this variable is below or above `bound`;
                                      NULL: everywhere */
    nnd_relation relation;
    double bound;
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
    double value;         /**< of the variable there; of a divergence its step */
    double value_se;      /**< standard error of the theory there; NaN: it has none */
    bool at_edge;         /**< the extremum is an end of the interval */
    double subject;       /**< the subject's value there; NaN without one */
    double gap;           /**< of a divergence: the widest gap between two values tried below it (in
                             all, if there is none); else 0 */
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
 * skipped for a root; the latter are told of, as a warning or in the message. Where theory has
 * standard errors, that of a root counts into its uncertainty, over the slope of the scan.
 *
 * NND_FIND_DIVERGENCE: the end without a divergence of an interval, of length `uncertainty`, at
 * whose other end training diverges: the first such interval from `low`. Before the first value of
 * the scan that diverges, up to four places are refined at which the mean logarithm of the loss is
 * larger than at both neighbours: a window of divergence narrower than the scan is there. One that
 * the loss beside it does not announce may be missed if it is narrower than `gap`.
 *
 * `params` are those of the model, as nnd_model_check accepts them with the parameter at `low`; its
 * own value does not count. Theory is solved up to the times in `at`, any step or time of the run,
 * recorded or not, and no further.
 *
 * NND_NOT_CONVERGED with a message, which says what values were met: there is no sign change, no
 * finite value, or theory did not converge at the place found (which is there then). NND_E_INPUT if
 * the options or the parameters make no sense, at any value of the interval that is tried.
 */
NND_MUST_USE nnd_status nnd_find(nnd_context *ctx, const nnd_model *model, const void *params,
                                 const nnd_find_options *options, nnd_found *found);

/** What is sought over time. Rows are those of the model's own table. */
typedef struct {
    const nnd_variable *variable; /**< over t */
    nnd_relation relation;
    double level;
    size_t coordinates;
    const nnd_coordinate *at; /**< one for each dimension of the variable but t */
} nnd_first_options;

/**
 * The first time at which a variable is below, above or across a level: `param` of what was found.
 * Between two recorded times theory is solved again with more of them recorded, until they are
 * steps next to each other (the later one, uncertainty 0), or times of a flow as close as 1e-8 of
 * themselves (the middle, and half their distance). What crosses back between two times that the
 * case records is not seen. `params` are those of the model, as nnd_model_check accepts them.
 *
 * NND_NOT_CONVERGED with a message that says what values were met: it never happens, or not before
 * training diverges. NND_E_INPUT: the variable is not over t, or the coordinates are not its own.
 */
NND_MUST_USE nnd_status nnd_find_first(nnd_context *ctx, const nnd_model *model, const void *params,
                                       const nnd_first_options *options, nnd_found *found);

NND_API_END

#endif
