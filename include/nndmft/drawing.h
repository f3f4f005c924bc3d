/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How a model's variables are drawn: columns of its table of variables, and its views. All is
 * optional; a variable without a word is drawn as curves over t, over a dimension of its own, or
 * over what is swept, one colour for each value of a sweep and one dash for each other value.
 *
 * Names of variables, dimensions and parameters are those of the model. What a file does not hold
 * is left out.
 */
#ifndef NNDMFT_DRAWING_H
#define NNDMFT_DRAWING_H

#include <stdbool.h>
#include <stddef.h>

/** How a variable of the theory stands beside another one. */
typedef enum {
    NND_GUIDE_LINE,  /**< a thin line below the curves, in their colours; grey if all share it; of
                        histograms: the theory */
    NND_GUIDE_LIMIT, /**< the same; a single number is a dashed line across, with its value */
    NND_GUIDE_BULK,  /**< the upper end of a grey band if all curves share it, else lines */
    NND_GUIDE_PLACE, /**< an upright line in each colour, where `along` is the x axis; one for each
                        value along the dimension that the guide counts (rank) */
    NND_GUIDE_NVAR,  /**< size times the variance: a band of one standard deviation, at the first
                        size of the simulation; without it at the values of `along` */
    NND_GUIDE_SD,    /**< a standard deviation: a band of one */
    NND_GUIDE_ARROW, /**< of histograms: an arrow at the value of each rank */
    NND_GUIDE_STACK  /**< an area on those of the guides before: the curve, if single, is their sum
                      */
} nnd_guide_kind;

/** A variable that is drawn in the picture of another one, and not beside it in the same view. */
typedef struct {
    const char *name;  /**< NULL ends a list */
    const char *label; /**< in the legend */
    nnd_guide_kind kind;
    const char *band;  /**< of NND_GUIDE_BULK: what the legend calls the band */
    int dash;          /**< of lines, 1 to 5; 0: dotted */
    const char *along; /**< of NND_GUIDE_PLACE: the dimension that it is a value of; of
                          NND_GUIDE_NVAR: one of theory, of sizes */
    bool aside;        /**< far from the curves it is not brought into view */
    double least;      /**< > 0: the y axis begins at this multiple of it, even above the curves */
} nnd_guide;

/** Logarithmic axes. */
typedef enum { NND_LOG_NONE, NND_LOG_X, NND_LOG_Y, NND_LOG_XY } nnd_log_axes;

enum { NND_DRAWING_LEVELS = 3 };

/** How a variable is drawn; a zero: as all others. */
typedef struct {
    const char *x;      /**< dimension on the x axis, unless it has one value only */
    const char *x_name; /**< what that axis says beside the symbol; NULL: nothing */
    const char *y;      /**< dimension on the y axis of a heat map */
    const char *over;   /**< variable whose values take the place of those of x */
    nnd_log_axes log;   /**< if x is `x` */
    const char *facet;  /**< dimension of which each value has a cell of its own */
    const char *rank;   /**< dimension that counts outliers, the largest first: one colour, dashes
                           for the others, none for those that theory never has */
    bool last;          /**< at the last time only */
    size_t most;        /**< curves in a cell; 0: as many as can be told apart */
    bool gaps;          /**< NaN breaks a line, also where the table of variables excludes it */
    bool markers;       /**< at each value of theory; the axis has all values of x */
    bool histogram;     /**< over x: boxes of the simulation at its last size, a line of the theory;
                           axes are never logarithmic */
    const char *ridge; /**< dimension of which each value has a curve on a base line of its own, one
                          above the other, whose height is what they have in common */
    const char *lowest; /**< dimension: over it each curve has a ring where it is lowest */
    double headroom;    /**< > 0: all cells have the same axes, and what lies above this multiple of
                           the lowest value (and of where curves begin) is cut off */
    size_t level_count;
    double level[NND_DRAWING_LEVELS]; /**< horizontal lines beside theory; one that
                                         NND_GUIDE_LIMIT tells, or the number that bounds a
                                         one-sided check, replaces them */
    const nnd_guide *guides;          /**< ends with a name NULL; or NULL */
} nnd_drawing;

enum { NND_VIEW_VARIABLES = 2 };

/**
 * A picture of variables that belong to pictures of their own too. A file offers it if it holds one
 * of the variables over at least three values of each of the numbers `drawing.x`, `drawing.y` and
 * `drawing.ridge`.
 */
typedef struct {
    const char *name;                         /**< NULL ends a list */
    const char *variable[NND_VIEW_VARIABLES]; /**< NULL: fewer */
    bool lead;                                /**< what is drawn of a file unless asked */
    /**
     * What the size of a simulation is: instead, the square of the distance from infinite size is
     * drawn against it where there are two or more. The variable is size times the variance of
     * another one; its estimator says which. NULL: a view like others.
     */
    const char *scaling;
    /**
     * Instead, how every seed of the last size is spread, at a few times, beside the normal law of
     * theory: of the variable's mean and bias, and of size times its variance, whose estimators
     * name it. A file offers it if it holds three or more seeds.
     */
    bool seeds;
    /**
     * Instead, every seed of the last size is a point, the variable against drawing.over, on
     * logarithmic axes with the power law that fits all points best, and its exponent with a
     * standard error. drawing.x is "seed". A file offers it if it holds three or more seeds.
     */
    bool scatter;
    nnd_drawing drawing; /**< instead of those of the variables */
} nnd_view;

#endif
