/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the dimensions of a variable mean in its picture: axis, colour, dash, or neither. */
#ifndef NNDMFT_PLOT_PANEL_H
#define NNDMFT_PLOT_PANEL_H

#include "nndmft/io.h"
#include "plot/select.h"

/** A variable as one of the two frames holds it. */
typedef struct {
    const nnd_frame *frame;
    const nnd_array *array; /**< NULL: absent */
    const nnd_array *se;    /**< NULL: without errors */
} nnd_source;

/** A dimension whose values are curves of their own. */
typedef struct {
    const nnd_dim *dim;
    size_t count; /**< how many of its values are drawn, evenly spread */
    bool leading; /**< the first ones, not evenly spread */
} nnd_plot_key;

/** A dimension that is looked at in one place. */
typedef struct {
    const nnd_dim *dim; /**< NULL: there is none */
    size_t at;
} nnd_plot_pin;

/** A variable of the picture: one coordinate system, or a few alike. */
typedef struct {
    const char *name;           /**< of the variable */
    const nnd_model *model;     /**< whose table it is in; NULL: it is in none */
    const nnd_drawing *drawing; /**< columns of that table; empty if it is in none */
    const char *scaling;        /**< drawn against the size of the simulation, which is this */
    const char *law;            /**< what the legend calls theory */
    bool seeds;                 /**< x counts seeds, and how they are spread is drawn */
    bool scatter;               /**< x counts seeds, each a point of values of two variables */
    nnd_source theory, mc;
    const nnd_dim *x;         /**< NULL: a single position */
    const nnd_dim *y;         /**< of a heat map, else NULL */
    const nnd_dim *size;      /**< sizes of the simulation, or NULL */
    bool last_size;           /**< the last one only */
    nnd_plot_pin facet;       /**< each of its values has a cell */
    size_t facets;            /**< how many do, evenly spread up to the last; at least 1 */
    nnd_plot_pin instant;     /**< the time that is shown, where time is not an axis */
    bool before_after;        /**< besides it, the first one */
    bool ranked;              /**< the last key counts outliers, the largest first */
    bool histogram;           /**< boxes over an axis of numbers */
    size_t keys, colour_keys; /**< the first `colour_keys` give the colour, the others the dash */
    nnd_plot_key key[NND_MAX_DIMS];
    size_t curves, all_curves; /**< drawn, and there */
    double lift; /**< height of a base line above that of the value before, along drawing->ridge; 0:
                    all have one */
    bool gaps;   /**< NaN breaks a line: a legal value, not a coordinate of other curves */
    bool log_x, log_y;
    bool hover;            /**< points tell their values where one points at them */
    size_t upright, level; /**< lengths of the y and the x axis, in characters */
    bool captioned;        /**< what it shows is said elsewhere: titles only say where it is */
} nnd_panel;

/** A variable (NULL: none) as a frame (NULL is allowed) holds it. */
nnd_source nnd_source_of(const nnd_frame *frame, const char *name);
/** The dimension of that name (NULL: none); NULL if the source does not have it. */
const nnd_dim *nnd_source_dim(const nnd_source *source, const char *name);
/** Distance in memory of neighbours along a dimension; 0 if the source does not have it. */
size_t nnd_source_stride(const nnd_source *source, const nnd_dim *dim);
/** True if both are there and have the same name, perhaps in different frames. */
bool nnd_dim_is(const nnd_dim *a, const nnd_dim *b);
/** True if positions on an axis over this dimension are names, not numbers. */
bool nnd_dim_is_category(const nnd_dim *dim);
/** True if numbers on such an axis lack a place for one of them. */
bool nnd_dim_has_infinity(const nnd_dim *dim);

/** Assigns the dimensions of a variable. */
void nnd_panel_make(const nnd_result *result, const nnd_plot_choice *choice, const char *name,
                    const nnd_plot_options *options, nnd_panel *panel);
/** Height of the base line of a curve. */
double nnd_panel_lift(const nnd_panel *panel, size_t curve);
/** Position of a curve among all values of that dimension. */
size_t nnd_panel_ridge_position(const nnd_panel *panel, size_t curve);
/** The values along drawing->ridge; NULL: all curves have one base line. */
const nnd_plot_key *nnd_panel_ridge(const nnd_panel *panel);
/** Its row in the table of its model; NULL: it has none. */
const nnd_variable *nnd_panel_variable(const nnd_panel *panel);
/** The first guide of a kind in its drawing, whether the file holds it or not; NULL: none. */
const nnd_guide *nnd_panel_guide(const nnd_panel *panel, nnd_guide_kind kind);
/** Number of values of the facet that are drawn, at least 1; and the position of the i-th. */
size_t nnd_panel_facets(const nnd_panel *panel);
size_t nnd_panel_facet(const nnd_panel *panel, size_t i);
/** Number of sources: theory, simulation. */
size_t nnd_panel_sources(const nnd_panel *panel);
/** Number of cells: one for each facet; of a heat map, one for each matrix. */
size_t nnd_panel_cells(const nnd_panel *panel);
/** Number of sizes of the simulation that are told apart, at least 1. */
size_t nnd_panel_sizes(const nnd_panel *panel);
/** Number of colours and of dashes; curve = colour * dashes + dash. */
size_t nnd_panel_colours(const nnd_panel *panel);
size_t nnd_panel_dashes(const nnd_panel *panel);
unsigned nnd_panel_colour(const nnd_panel *panel, size_t curve);
/** Number of a curve's dash. On paper, where colours may be lost, colours that have no dashes of
 *  their own have one each, as far as there are some. */
size_t nnd_panel_dash(const nnd_panel *panel, size_t curve);
/** Number of a curve's point type, at that size. On paper colours have one each, too, if there is
 *  one size and few colours. */
size_t nnd_panel_point(const nnd_panel *panel, size_t curve, size_t size);
/** True if they have. */
bool nnd_panel_has_points(const nnd_panel *panel);
/** The colour of what all curves have in common: theirs, or grey if there are several. */
unsigned nnd_panel_neutral(const nnd_panel *panel);
/** Number of key k of a curve among the values that are drawn, and its position among all. */
size_t nnd_panel_key(const nnd_panel *panel, size_t k, size_t curve);
size_t nnd_panel_position(const nnd_panel *panel, size_t k, size_t curve);

#endif
