/* SPDX-License-Identifier: GPL-3.0-or-later */
/** From simulations at several widths: are these networks as good as infinitely wide? */
#ifndef NNDMFT_WIDTHS_H
#define NNDMFT_WIDTHS_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"

NND_API_BEGIN

enum { NND_WIDTHS_TEXT = 128 };

/**
 * What several sizes N say of a variable, by the fit q + c/N or, where 1/N^2 is detected,
 * q + c/N + d/N^2. Relative to the largest |theory| of the variable; NaN: not known.
 */
typedef struct {
    const char *name;            /**< that of the theory's array */
    char where[NND_WIDTHS_TEXT]; /**< coordinates of the point with the largest |c| */
    size_t points;               /**< that were fitted */
    double limit, limit_se;      /**< q - theory where it is most standard errors from 0 */
    double slope, slope_se;      /**< c at `where` */
    double theory_slope;         /**< the same of theory; NaN: it has none */
    double within, within_se;    /**< N from which networks are within rtol of their limit */
    double p;                    /**< of so large a d at any point by chance; NaN: two sizes */
    bool bent;                   /**< 1/N^2 is detected: p < 0.005 */
    double next;                 /**< N below which d/N^2 is above rtol; 0 unless bent */
} nnd_widths_row;

/** All variables; freed by nnd_widths_clear. */
typedef struct {
    size_t count;
    nnd_widths_row *row;
} nnd_widths;

/**
 * Fits every variable of the theory that `mc` holds with standard errors over the dimension `size`
 * and two or more sizes; `vars` (empty: all) chooses. Points match by coordinate; those without a
 * finite number or a standard error above 0 at every size are passed over. p is the largest
 * |d|/s.e. by the normal law times the number of points (Bonferroni). `model` (NULL: unknown) says
 * which variable is the coefficient of 1/N of another one.
 */
NND_MUST_USE nnd_status nnd_widths_find(nnd_context *ctx, const nnd_model *model,
                                        const nnd_frame *theory, const nnd_frame *mc,
                                        const nnd_texts *vars, double rtol, nnd_widths *widths);
/** Frees what the struct holds and zeroes it. */
void nnd_widths_clear(nnd_widths *widths);

NND_API_END

#endif
