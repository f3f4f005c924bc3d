/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How a picture comes about: select.c chooses variables, panel.c decides for each what its
 * dimensions mean (axis, colour, dash), layout.c finds room for their cells. Curves and histograms
 * (curves.c), distances from infinite size (scaling.c) and every network as a point (scatter.c) are
 * told layer by layer to cell.c, which asks what the legend calls them, what the axes must span,
 * and what gnuplot is to draw; heat maps (heat.c) write their own cells. gnuplot.c runs the
 * program. What is special about a variable stands in its model's table (nndmft/drawing.h): here no
 * model is known.
 */
#ifndef NNDMFT_PLOT_PROGRAM_H
#define NNDMFT_PLOT_PROGRAM_H

#include "plot/select.h"

/** Writes the gnuplot program of a picture; `format` is "svg", "pdf", "png", "eps" or "tex". */
NND_MUST_USE nnd_status nnd_plot_program(nnd_context *ctx, const nnd_result *result,
                                         const nnd_plot_options *options, const char *format,
                                         FILE *out);
/** The same of variables that are chosen already. */
NND_MUST_USE nnd_status nnd_plot_program_of(nnd_context *ctx, const nnd_result *result,
                                            const nnd_plot_options *options,
                                            const nnd_plot_choice *choice, const char *format,
                                            FILE *out);

#endif
