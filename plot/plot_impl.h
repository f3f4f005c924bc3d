/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How a picture comes about: select.c chooses variables, panel.c decides for each what its
 * dimensions mean (axis, colour, dash), a kind of panel (curves.c, heat.c, ...) writes its part of
 * a gnuplot program, program.c lays the panels out, gnuplot.c runs the program. What is special
 * about a variable stands in its model's table (nndmft/drawing.h): here no model is known.
 */
#ifndef NNDMFT_PLOT_PLOT_IMPL_H
#define NNDMFT_PLOT_PLOT_IMPL_H

#include "nndmft/io.h"

enum {
    NND_PLOT_CURVES = 24,  /**< the most curves in a panel */
    NND_PLOT_ENTRIES = 12, /**< the most entries of a matrix that are drawn as curves in time */
    NND_PLOT_POINTS = 40,  /**< the most intervals between points with error bars on a curve */
    NND_PLOT_CROWD = 240,  /**< about the most points in a panel */
    NND_PLOT_FEW = 8,      /**< points that every curve keeps in a crowd */
    NND_PLOT_OPEN = 5,     /**< how many point types are filled; their open forms follow */
    NND_PLOT_LEGEND = 64,  /**< the most legend entries */
    NND_PLOT_LABEL = 128,  /**< bytes of a legend entry */
    NND_PLOT_TEXT = 512    /**< bytes of a title or axis label */
};

/* ---- select.c: which variables ---- */

/** What is drawn. */
typedef struct {
    size_t count;
    const char **name;      /**< of the variables, borrowed from the result or the options */
    const nnd_model *model; /**< whose tables say how; NULL: unknown */
    const nnd_view *view;   /**< that they were chosen by, in place of their own drawings; NULL */
} nnd_plot_choice;

/** The variables that options ask for; free `choice->name`. */
NND_MUST_USE nnd_status nnd_plot_select(nnd_context *ctx, const nnd_result *result,
                                        const nnd_plot_options *options, nnd_plot_choice *choice);
/** The model that a result is of, NULL if there is none or it is not known here. */
const nnd_model *nnd_plot_model(const nnd_result *result);

/* ---- panel.c: what the dimensions of a variable mean ---- */

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

/** One coordinate system of the picture. */
typedef struct nnd_panel {
    const char *name;           /**< of the variable */
    const nnd_model *model;     /**< whose table it is in; NULL: it is in none */
    const nnd_drawing *drawing; /**< columns of that table; empty if it is in none */
    const char *scaling;        /**< drawn against the size of the simulation, which is this */
    nnd_source theory, mc;
    const nnd_dim *x;         /**< NULL: a single position */
    const nnd_dim *y;         /**< of a heat map, else NULL */
    const nnd_dim *size;      /**< sizes of the simulation, or NULL */
    nnd_plot_pin facet;       /**< each of its values has a cell */
    nnd_plot_pin instant;     /**< the time that is shown, where time is not an axis */
    bool before_after;        /**< besides it, the first one */
    bool ranked;              /**< the last key counts outliers, the largest first */
    size_t keys, colour_keys; /**< the first `colour_keys` give the colour, the others the dash */
    nnd_plot_key key[NND_MAX_DIMS];
    size_t curves, all_curves; /**< drawn, and there */
    bool gaps; /**< NaN breaks a line: a legal value, not a coordinate of other curves */
    bool log_x, log_y;
} nnd_panel;

/** A variable as a frame (NULL is allowed) holds it. */
nnd_source nnd_source_of(const nnd_frame *frame, const char *name);
/** Assigns the dimensions of a variable. */
void nnd_panel_make(const nnd_result *result, const nnd_plot_choice *choice, const char *name,
                    const nnd_plot_options *options, nnd_panel *panel);
/** True if its drawing is a histogram over an axis of numbers. */
bool nnd_panel_is_histogram(const nnd_panel *panel);
/** Number of colours and of dashes; curve = colour * dashes + dash. */
size_t nnd_panel_colours(const nnd_panel *panel);
size_t nnd_panel_dashes(const nnd_panel *panel);
unsigned nnd_panel_colour(const nnd_panel *panel, size_t curve);
/** Number of cells: one for each value of the facet. */
size_t nnd_panel_cells(const nnd_panel *panel);
/** Names what a cell shows: ", matrix 0 at t = 40", with nothing to say "". */
void nnd_panel_place(const nnd_panel *panel, size_t size, char *text);
/** Names the keys [from, to) of a curve: "gamma0 = 2, nu = 1", into `text`. */
void nnd_panel_describe(const nnd_panel *panel, size_t from, size_t to, size_t curve, size_t size,
                        char *text);
/** Number of sizes of the simulation that are told apart, at least 1. */
size_t nnd_panel_sizes(const nnd_panel *panel);
/** Distance in memory of neighbours along a dimension; 0 if the array does not have it. */
size_t nnd_source_stride(const nnd_source *source, const nnd_dim *dim);
/** Finds where a curve begins; false if the source does not have it. */
bool nnd_panel_offset(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                      size_t *offset);

/* ---- trace.c: the numbers of one curve ---- */

/** A curve of one source. */
typedef struct {
    const nnd_dim *x;     /**< NULL: a single position */
    const double *across; /**< values of another variable that replace those of x; or NULL */
    const double *y, *se;
    size_t count, stride;
    bool gaps;
    bool log_x, log_y;
} nnd_trace;

/** What an axis must span; empty while min > max. */
typedef struct {
    double min, max;
} nnd_span;

extern const nnd_span nnd_span_empty;
void nnd_span_widen(nnd_span *span, double x);
/** True if positions on an axis over this dimension are names, not numbers. */
bool nnd_plot_is_category(const nnd_dim *dim);
bool nnd_panel_trace(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                     nnd_trace *trace);
/** Value i, whether it is shown or not. */
double nnd_trace_at(const nnd_trace *trace, size_t i);
/** Widens the spans by what the trace shows; returns the number of its points. */
size_t nnd_trace_measure(const nnd_trace *trace, nnd_span *x, nnd_span *y);
/** Writes "x y low high" per point, an empty line at each gap (NaN is one only where it is legal).
 */
void nnd_trace_write_line(const nnd_trace *trace, FILE *out);
/**
 * Writes "x y low high" per point, at most about `limit` evenly spread points so that the error
 * bars can be told apart. `phase` in [0, 1) shifts them, so that curves do not cover each other.
 */
void nnd_trace_write_points(const nnd_trace *trace, size_t limit, double phase, FILE *out);
/** True if a span is too short for the digits of a double to make an axis of it. */
bool nnd_span_is_point(nnd_span span);
/** Writes range, scale and tics of an axis, with some room around the data. */
void nnd_span_write(nnd_span span, bool log, const char *axis, FILE *out);

/* ---- style.c: colours, dashes, points, texts ---- */

/** The i-th of n colours, told apart by the colour-blind, as 0xRRGGBB. */
unsigned nnd_plot_colour(size_t i, size_t n);
/** The i-th dash pattern, as gnuplot writes it. */
const char *nnd_plot_dash(size_t i);
/** The i-th point type. */
int nnd_plot_point(size_t i);
/** Writes a text as a gnuplot string in which nothing is interpreted. */
void nnd_plot_quote(FILE *out, const char *text);
/** The symbol of a variable, or of a parameter that is swept; its name if it has none. */
const char *nnd_plot_symbol(const nnd_panel *panel, const char *name);
/** Writes the label of an axis; upright ones in two lines if they are long. */
void nnd_plot_axis_label(const char *axis, const char *text, FILE *out);
/** Writes the label of an axis over a dimension, and of one over the values of the variable. */
void nnd_plot_dim_label(const nnd_panel *panel, const nnd_dim *dim, const char *axis, FILE *out);
void nnd_plot_value_label(const nnd_panel *panel, const char *axis, FILE *out);
/** Writes the title of a cell. */
void nnd_plot_title(const nnd_panel *panel, const char *name, FILE *out);
/** Places the legend of a cell. */
void nnd_plot_legend_place(FILE *out);
/** Says that there is nothing to see in a cell. */
void nnd_plot_nothing(FILE *out);

/* ---- legend.c ---- */

typedef struct {
    char label[NND_PLOT_LABEL];
    bool line, point, band, arrow; /**< how it is drawn; one of them */
    unsigned colour;
    size_t dash, shape;
} nnd_legend_entry;

typedef struct {
    size_t count;
    nnd_legend_entry entry[NND_PLOT_LEGEND];
} nnd_legend;

/** A further entry, a grey line at first; NULL if there is no room. */
nnd_legend_entry *nnd_legend_add(nnd_legend *legend, const char *label);
/** The same of an area. */
void nnd_legend_add_band(nnd_legend *legend, const char *label, unsigned colour);
/** The entries that explain a panel of curves. */
void nnd_legend_make(const nnd_panel *panel, nnd_legend *legend);
/** Keeps in `shared` what `legend` has too. */
void nnd_legend_intersect(nnd_legend *shared, const nnd_legend *legend);
/** Removes from `legend` what is in `shared`. */
void nnd_legend_subtract(nnd_legend *legend, const nnd_legend *shared);
/** Width in pixels. */
double nnd_legend_width(const nnd_legend *legend);
/** Writes the entries as elements of a plot command, each preceded by `separator`. */
void nnd_legend_write(const nnd_legend *legend, const char **separator, FILE *out);

/* ---- kinds of panels ---- */

/** A way to draw a variable. */
typedef struct {
    /** How many cells of the picture it takes. */
    size_t (*cells)(const nnd_panel *panel);
    /** Width in pixels of what stands to the right of a cell. */
    double right_margin;
    /** The entries of the legend; NULL: none. */
    void (*legend)(const nnd_panel *panel, nnd_legend *legend);
    /** Writes title, axes, data and the plot command of a cell; margins are set already. */
    void (*draw)(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out);
} nnd_panel_kind;

extern const nnd_panel_kind nnd_panel_curves, nnd_panel_heat, nnd_panel_spectrum, nnd_panel_scaling;

/** The elements of a plot command, as it grows. */
typedef struct {
    FILE *out;
    const char *separator;
} nnd_plot_elements;

/** Writes a further element, in a colour and without an entry in the legend. */
void nnd_plot_element(nnd_plot_elements *list, unsigned colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Widens the spans by all curves of a panel. */
void nnd_curves_measure(const nnd_panel *panel, nnd_span *x, nnd_span *y);

/* ---- what is added to a panel of curves where the drawing of its variable asks for it ---- */

/** What is NULL adds nothing. */
typedef struct {
    /** Changes what the axes span. */
    void (*widen)(const nnd_panel *panel, nnd_span *x, nnd_span *y);
    /** Writes data and settings in front of the plot command; the x axis spans `x`. */
    void (*prepare)(const nnd_panel *panel, nnd_span x, FILE *out);
    /** Writes elements of the plot command, below and above the curves. */
    void (*below)(const nnd_panel *panel, nnd_plot_elements *list);
    void (*above)(const nnd_panel *panel, nnd_plot_elements *list);
    /** Names them in the legend. */
    void (*legend)(const nnd_panel *panel, nnd_legend *legend);
} nnd_addition;

extern const nnd_addition nnd_guides, nnd_spread, nnd_stack, nnd_lowest, nnd_markers;

/** The next guide that the theory of a file holds (NULL: the first one), and the first of a kind;
 * NULL if there is none. */
const nnd_guide *nnd_guide_next(const nnd_panel *panel, const nnd_guide *after);
const nnd_guide *nnd_guide_of(const nnd_panel *panel, nnd_guide_kind kind);

/* ---- program.c ---- */

/** Writes the gnuplot program of a picture; `format` is "svg", "pdf" or "png". */
NND_MUST_USE nnd_status nnd_plot_program(nnd_context *ctx, const nnd_result *result,
                                         const nnd_plot_options *options, const char *format,
                                         FILE *out);

/* ---- gnuplot.c ---- */

/** Runs the program `command` on `program` from its start; its output goes to the file `path`. */
NND_MUST_USE nnd_status nnd_gnuplot_run(nnd_context *ctx, const char *command, FILE *program,
                                        const char *path);

#endif
