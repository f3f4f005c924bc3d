/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Comparison of theory with simulation, point by point, with error bars. */
#ifndef NNDMFT_COMPARE_H
#define NNDMFT_COMPARE_H

#include "nndmft/case.h"
#include "nndmft/frame.h"

typedef enum { NND_AGREES, NND_INCONCLUSIVE, NND_DISAGREES } nnd_verdict;

/** "agrees", "inconclusive" or "disagrees"; static. */
const char *nnd_verdict_text(nnd_verdict verdict);

/** What the comparison says of one variable. */
typedef struct {
    char *name;
    size_t points;   /**< compared */
    size_t left_out; /**< not finite on a side, no error bar, or below the size theory claims */
    size_t off;      /**< |z| > 3 and |difference| > rtol * scale */
    double max_abs_z;
    double median_deviation, max_deviation; /**< |difference| / scale */
    nnd_verdict verdict;
} nnd_comparison_row;

/** The result; freed by nnd_comparison_free. */
typedef struct {
    size_t count;
    nnd_comparison_row *row;
    nnd_frame *frame; /**< the group /compare: x_theory, x_mc, x_diff, x_se, x_z per variable */
} nnd_comparison;

/**
 * Compares all variables that both frames hold, or those of options->vars. `mc` has x and x_se;
 * of several sizes the simulation is extrapolated to infinity. `model` supplies the checks (NULL:
 * all are equalities). For a one-sided check x_theory is its bound, and z and deviations of the row
 * count only the forbidden side.
 *
 * Points match by coordinate, whatever the order of the dimensions; a dimension of length 1 may be
 * missing on a side. Times later than options->until are not considered. scale is the largest
 * |theory| over `t`, all else fixed; where it is 0, a point deviates by 0, or by infinity if it is
 * off. A point is left out if theory or simulation is not finite, if it has no error bar (one
 * seed), or if theory claims none of the sizes; sizes below x_min_size do not enter the fit. A
 * finite x_min_size with the attribute NND_CORRECTION = "1/size" says from where on a correction of
 * that order is negligible: it does not apply to several sizes, as extrapolation takes it out.
 *
 * Without options->vars, variables that lack x_se, that the model does not check, or that one side
 * lacks are passed over; x_se, x_min_size, status, diverged_fraction and diverged_at always are.
 * NND_E_INPUT if a named variable cannot be compared (unchecked ones can: as an equality), if there
 * is no variable to compare, if the dimensions of a variable do not fit, or if one of its
 * dimensions has no common coordinate.
 */
NND_MUST_USE nnd_status nnd_compare(nnd_context *ctx, const nnd_model *model,
                                    const nnd_compare_options *options, const nnd_frame *theory,
                                    const nnd_frame *mc, nnd_comparison **comparison);
/** Frees a comparison; NULL is allowed. */
void nnd_comparison_free(nnd_comparison *comparison);
/** Number of rows with a verdict. */
size_t nnd_comparison_count(const nnd_comparison *comparison, nnd_verdict verdict);

#endif
