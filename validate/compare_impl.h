/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to the comparison: compare.c chooses variables, pairing.c pairs their points, verdict.c
 * judges them. */
#ifndef NNDMFT_VALIDATE_COMPARE_IMPL_H
#define NNDMFT_VALIDATE_COMPARE_IMPL_H

#include "nndmft/compare.h"
#include "nndmft/frame.h"
#include "nndmft/table.h"

/** A simulated variable and what it is held against. */
typedef struct {
    const char *name;
    nnd_check_kind check;        /**< never NND_CHECK_NONE */
    const nnd_array *mc, *mc_se; /**< estimate and standard error */
    const nnd_array *theory;     /**< the curve, or the bound; NULL: the number `bound` */
    const nnd_array *theory_se;  /**< NULL: exact */
    const nnd_array *min_size;   /**< NULL: no limit */
    double bound;
    bool broadcast; /**< the bound is another quantity, which may lack dimensions of this one */
} nnd_pair;

enum { NND_THEORY_SIDE, NND_MC_SIDE, NND_SIDES };

/** Where each common coordinate of a dimension of `out` stands on either side. */
typedef struct {
    size_t *position[NND_SIDES];
} nnd_match;

/** Theory, simulation, and the frame /compare that grows from them. Begin with `out` empty. */
typedef struct {
    nnd_context *ctx;
    const nnd_frame *side[NND_SIDES];
    double until; /**< latest value of `t` that counts */
    nnd_frame *out;
    nnd_match *match; /**< one per dimension of `out` */
} nnd_pairing;

/** The paired points of a variable: views of the arrays in the frame /compare. */
typedef struct {
    size_t count;
    size_t t_length, t_stride; /**< of the dimension `t`; 1, 1 if there is none */
    const double *theory, *mc, *se;
    double *difference, *z; /**< filled by nnd_judge, NaN where nothing can be compared */
} nnd_points;

/** Adds x_theory, x_mc, x_diff, x_se, x_z of a variable to the frame and pairs its points. */
NND_MUST_USE nnd_status nnd_pairing_add(nnd_pairing *p, const nnd_pair *pair, nnd_points *points);
/** Frees the matches; the frame stays. */
void nnd_pairing_clear(nnd_pairing *p);

/** Differences, z and the verdict; fills in all of the row but its name. */
NND_MUST_USE nnd_status nnd_judge(nnd_context *ctx, nnd_check_kind check, double rtol,
                                  const nnd_points *points, nnd_comparison_row *row);

#endif
