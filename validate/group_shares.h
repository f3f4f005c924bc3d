/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Shares of groups of seeds (core/statistics.h) as arrays of a frame: x(..., group, ...) beside
 * the estimate x. Large arrays keep them on a lattice of points only.
 */
#ifndef NNDMFT_VALIDATE_GROUP_SHARES_H
#define NNDMFT_VALIDATE_GROUP_SHARES_H

#include "nndmft/frame.h"

/** Dimension of the groups. */
#define NND_GROUP "group"

/** Most groups that the seeds of one size are summed in. */
enum { NND_GROUPS = 32 };

/**
 * Adds `name` over "group" and the own dimensions of the array x of `of` to a frame that has the
 * dimension `group`. If x has more than 1e5 points in all `sweep_points` together, each of its
 * dimensions is thinned evenly until at most 1e4 are left; they then are called name_t, name_mu,
 * ...
 */
NND_MUST_USE nnd_status nnd_group_shares_add(nnd_frame *shares, const char *name,
                                             const nnd_frame *of, const nnd_array *x,
                                             size_t sweep_points);

/** Shares seen from the dimensions of another array, its points named by their indices. */
typedef struct {
    double *data;
    size_t ndims;                   /**< of the other array */
    size_t *position[NND_MAX_DIMS]; /**< of its coordinates here; SIZE_MAX: not kept */
    size_t stride[NND_MAX_DIMS];    /**< 0 along what the shares lack */
    size_t groups, group_stride;    /**< group_stride: from one group to the next */
    size_t sizes, size_stride;      /**< 1, 0 without a dimension `size` */
} nnd_share_view;

/** Matches the coordinates; free with nnd_share_view_clear, also after failure. */
NND_MUST_USE nnd_status nnd_share_view_make(nnd_context *ctx, const nnd_frame *shares,
                                            const nnd_array *array, const nnd_frame *of,
                                            const nnd_array *other, nnd_share_view *view);
void nnd_share_view_clear(nnd_share_view *view);
/** Offset of group 0 of the first size at the other array's point; SIZE_MAX if it is not kept. */
size_t nnd_share_view_at(const nnd_share_view *view, const size_t *index);

#endif
