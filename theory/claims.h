/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * From which size on theory claims to describe finite networks where corrections are not of the
 * form c/size: beyond the edge of stability, and where eigenvalues lie closer than networks of that
 * size can tell apart. Claims are the arrays x_min_size of a frame.
 */
#ifndef NNDMFT_THEORY_CLAIMS_H
#define NNDMFT_THEORY_CLAIMS_H

#include "nndmft/frame.h"
#include "nndmft/model.h"

/** Reasons, as the attribute NND_REASON of x_min_size has them. */
#define NND_BEYOND_EDGE "beyond the edge of stability sizes do not extrapolate like 1/size"
#define NND_INEXACT     "what theory leaves out changes curves by more than 0.002"
#define NND_DEGENERATE  "degenerate: closer to another than their splitting at finite size"
#define NND_BLURRED     "absent, or blurred by the edge of the bulk"

/** The largest error of curves that are claimed, relative to the largest value of each: a tenth of
 * what comparisons forgive. */
#define NND_CLAIMED_ERROR 0.002

/** Adds a reason to those that `x`_min_size has; x is the variable. */
NND_MUST_USE nnd_status nnd_claim_reason(nnd_frame *frame, const char *variable,
                                         const char *reason);

/**
 * Takes back, for every variable of the model that is compared, all claims at times after `last`:
 * x_min_size = inf wherever t, or s, is later. NaN or infinity: there is no such time, and nothing
 * is done. Past the edge of stability fluctuations grow with time until they are no longer small
 * at any size that is simulated: a time is `last` if it is the first at which `stability` is above
 * its limit (what was reached by then is as good as before).
 */
NND_MUST_USE nnd_status nnd_claim_until(const nnd_model *model, nnd_frame *frame, double last,
                                        const char *reason);

/**
 * Gives every frame of a sweep (NULL: none) the claims x_min_size that another one has and it lacks
 * though it has x: 0, which is what a missing claim means. The first frame with a claim receives
 * the reasons of all, for the frame that they are stacked to.
 */
NND_MUST_USE nnd_status nnd_claim_complete(size_t count, nnd_frame *const *parts);

/**
 * The size from which eigenvalue (or outlier) number i of value[0..n), any of which may be NaN
 * (absent), stands clear of the others. At size N the matrix fluctuates by Z/sqrt(N), and between
 * the eigenvectors of i and k Z has variance v = relative |value_i value_k| + absolute. To second
 * order this shifts value_i by sum_k v/(N (value_i - value_k)), a correction c/N; to fourth order
 * by up to 4 v^2/(N^2 gap^3), the part 4/x^2 of the gap with x = N gap^2/v. The size returned is
 * the largest over k of 40 v/gap^2, where that part is 0.0025: even doubled by extrapolation it is
 * small beside a tolerance of 2 %. At smaller sizes eigenvectors mix, and eigenvalues that coincide
 * split like 1/sqrt(N): INFINITY if they do.
 */
double nnd_claim_apart(size_t n, const double *value, size_t i, double relative, double absolute);

/**
 * The same of an outlier above the edge of a bulk: INFINITY if it is absent (NaN) or within 2 % of
 * the edge, where finite networks blur it.
 */
double nnd_claim_outlier(double edge, size_t n, const double *value, size_t i, double relative,
                         double absolute);

/**
 * The size from which the squared overlap of the vector of outlier i with a direction is claimed,
 * `size` being that of the outlier itself (wide-mlp.md#eq23). At size N that vector holds the part
 * v/(N gap^2) of its neighbour k, v = `variance` as above, which changes overlap_i by that times
 * overlap_k - overlap_i: where the sum is above 2 % of overlap_i nothing is claimed.
 */
double nnd_claim_overlap(size_t n, const double *value, const double *overlap, size_t i,
                         double variance, double size);

/** Adds the reasons that the claims of outliers in `x`_min_size have. */
NND_MUST_USE nnd_status nnd_claim_outlier_reasons(nnd_frame *frame, const char *variable);

#endif
