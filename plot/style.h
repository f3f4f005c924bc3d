/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Colours, dashes, point types and texts as gnuplot has them. */
#ifndef NNDMFT_PLOT_STYLE_H
#define NNDMFT_PLOT_STYLE_H

#include <stddef.h>
#include <stdio.h>

enum {
    NND_PLOT_LABEL = 128, /**< bytes of a legend entry */
    NND_PLOT_TEXT = 512,  /**< bytes of a title or axis label */
    NND_PLOT_OPEN = 5,    /**< how many point types are filled; their open forms follow */
    NND_PLOT_DASHES = 6   /**< how many dashes there are */
};

/** What belongs to no curve: neutral lines, and pale ones behind all others. */
enum { NND_PLOT_GREY = 0x555555, NND_PLOT_PALE = 0x999999 };

/** The i-th of n colours, told apart by the colour-blind, as 0xRRGGBB. */
unsigned nnd_plot_colour(size_t i, size_t n);
/** The i-th dash pattern, as gnuplot writes it. */
const char *nnd_plot_dash(size_t i);
/** The i-th point type. */
int nnd_plot_point(size_t i);
/** Writes a text as a gnuplot string in which nothing is interpreted. */
void nnd_plot_quote(FILE *out, const char *text);
/** The same of lines that end with '\n'. */
void nnd_plot_quote_lines(FILE *out, const char *text);
/** Breaks a text, at spaces, into lines of at most about `width` characters; returns how many. */
size_t nnd_plot_wrap(char *text, size_t width);
/** How many characters a text has: bytes that do not go on with one. */
size_t nnd_plot_characters(const char *text, size_t bytes);

#endif
