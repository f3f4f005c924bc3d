/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures inside a page. */
#ifndef NNDMFT_PLOT_EMBED_H
#define NNDMFT_PLOT_EMBED_H

#include <stdio.h>

#include "nndmft/context.h"

/**
 * Writes gnuplot's SVG as an element of a page: without the head of a file and without scripts,
 * its names made different from those of other pictures by `number`, and its values, which gnuplot
 * has a script show, as titles. `label` tells what the picture shows.
 */
NND_MUST_USE nnd_status nnd_svg_embed(nnd_context *ctx, FILE *svg, size_t number, const char *label,
                                      FILE *out);

#endif
