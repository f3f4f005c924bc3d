/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Comparison of theory with simulation, point by point, with error bars. */
#ifndef NNDMFT_COMPARE_H
#define NNDMFT_COMPARE_H

#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/case.h"
#include "nndmft/frame.h"

NND_API_BEGIN

typedef enum { NND_AGREES, NND_INCONCLUSIVE, NND_DISAGREES } nnd_verdict;

/** "agrees", "inconclusive" or "disagrees"; static. */
const char *nnd_verdict_text(nnd_verdict verdict);

/** What the comparison says of one variable. */
typedef struct {
    char *name;
    const char *forbidden; /**< the side that a one-sided check forbids, "below" or "above"; NULL */
    size_t points;         /**< judged */
    size_t thinned;        /**< compared but not judged: a large array is judged on a lattice */
    size_t left_out;  /**< not finite on a side, no error bar, or below the size theory claims */
    size_t unclaimed; /**< of those, below the size theory claims */
    char *reason; /**< why it does not claim them, in words; NULL: there are none, or not said */
    size_t off;   /**< |z| above the comparison's critical value */
    double max_abs_z;
    double p; /**< probability of such a z, in any variable, if theory is right; NaN: no points */
    double band;                            /**< simultaneous 95 % band / scale, median of points */
    double median_deviation, max_deviation; /**< |difference| / scale */
    double more_seeds; /**< times as many would decide; NaN unless inconclusive for want of seeds */
    nnd_verdict verdict;
} nnd_comparison_row;

/** The result; freed by nnd_comparison_free. */
typedef struct {
    size_t count;
    nnd_comparison_row *row;
    nnd_frame *frame; /**< the group /compare: x_theory, x_mc, x_diff, x_se, x_z per variable */
    bool pointwise;   /**< influences are not known: every point was judged by itself */
    double critical;  /**< |z| at which p = alpha for the variable with the largest z */
    size_t sizes;     /**< that were simulated, at least 1 */
    double *seeds;    /**< per size; 0: unknown */
} nnd_comparison;

/** What is held against theory. Zero-initialise what is not known. */
typedef struct {
    const nnd_frame *mc;        /**< every x with its standard error x_se */
    const nnd_frame *influence; /**< what groups of seeds contribute (nndmft/simulate.h), or NULL */
    double seeds;               /**< per size, where there are no influences; 0: unknown */
    uint64_t base_seed;         /**< keys the random numbers of the test */
} nnd_simulated;

/**
 * Compares all variables that both sides hold, or those of options->vars. Of several sizes the
 * simulation is extrapolated to infinity by a weighted fit q + c/size. `model` supplies the checks
 * (NULL: all are equalities).
 *
 * The rule. All points of a curve, and all curves, come from the same networks: they err together,
 * and one of many is always far off. So the verdict is on the largest deviation of a variable,
 * z = max over points of (|simulation - theory| - tau scale)/s.e., where scale is the largest
 * |theory| over `t`, all else fixed, and tau forgives the corrections of finite size that are left:
 * a tenth of rtol where sizes were extrapolated, rtol at a single size. How large z is by chance
 * follows from the seeds themselves: their contributions to every estimate, summed in groups, are
 * multiplied by random numbers of variance 1 over and over (multiplier bootstrap), which keeps all
 * correlations, and the error bars fluctuate as those of so few groups do. (The error bar of a
 * covariance c grows with c: where theory's is the larger, z takes s.e.^2 + 2 (theory^2 - c^2)/n.)
 * p is the fraction of
 * draws in which any variable not yet rejected has so large a z (Westfall-Young step-down). A
 * variable disagrees if p < alpha: with the right theory fewer than one run in 1/alpha says so. It
 * is inconclusive if the simultaneous 95 % band, tau + c s.e./scale (median over points), is wider
 * than 2 rtol, or if no point is left; else it agrees, to within the band.
 *
 * Without influences (a user's own file) each point is judged by Student's t and p is multiplied by
 * the number of all points (Bonferroni): safe, but blunter. Of arrays above 1e5 points an even
 * subset of 1e4 is judged. For a one-sided check x_theory is its bound, and z and deviations count
 * only the forbidden side. Where s.e. = 0 a relative difference above NND_ROUNDING disagrees. Where
 * scale is 0 a point deviates by 0, or by infinity.
 *
 * Points match by coordinate, whatever the order of the dimensions; a dimension of length 1 may be
 * missing on a side. Times later than options->until are not considered. A point is left out if
 * theory or simulation is not finite, if it has no error bar (one seed), if seeds diverged, or if
 * theory claims none of the sizes; sizes below x_min_size do not enter the fit. A finite x_min_size
 * with the attribute NND_CORRECTION = "1/size" says from where on a correction of that order is
 * negligible: it does not apply to several sizes, as extrapolation takes it out.
 *
 * Without options->vars, variables that lack x_se, that the model does not check, or that one side
 * lacks are passed over; x_se, x_min_size, status, diverged_fraction and diverged_at always are.
 * NND_E_INPUT if a named variable cannot be compared (unchecked ones can: as an equality), if there
 * is no variable to compare, if the dimensions of a variable do not fit, or if one of its
 * dimensions has no common coordinate.
 */
NND_MUST_USE nnd_status nnd_compare(nnd_context *ctx, const nnd_model *model,
                                    const nnd_compare_options *options, const nnd_frame *theory,
                                    const nnd_simulated *simulated, nnd_comparison **comparison);
/** Frees a comparison; NULL is allowed. */
void nnd_comparison_free(nnd_comparison *comparison);
/** Number of rows with a verdict. */
size_t nnd_comparison_count(const nnd_comparison *comparison, nnd_verdict verdict);

/** What it would take to notice that theory is wrong in a given way. */
typedef struct {
    double more_seeds; /**< times as many would; infinity: within the tolerance everywhere */
    const char *name;  /**< the variable that shows it first, one of the comparison; NULL: none */
} nnd_detection;

/**
 * With how many seeds a comparison like this one would reject, with a probability of 95 %, the
 * theory `wrong`, if `theory` is right: 1.5 ((critical + 1.645) / z)^2 times as many, z the largest
 * of (|wrong - theory| - tau scale)/s.e. over the points that were judged, and not fewer than the
 * regression on control variates takes. `wrong` has the dimensions and coordinates of `theory`.
 */
NND_MUST_USE nnd_status nnd_detect(nnd_context *ctx, const nnd_model *model,
                                   const nnd_compare_options *options, const nnd_frame *wrong,
                                   const nnd_simulated *simulated, const nnd_comparison *comparison,
                                   nnd_detection *detection);

NND_API_END

#endif
