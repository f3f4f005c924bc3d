/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures for LaTeX. */
#ifndef NNDMFT_PLOT_TEX_H
#define NNDMFT_PLOT_TEX_H

#include <stdio.h>

/**
 * Copies what gnuplot's terminal tikz wrote, its texts made texts of TeX: signs that TeX reads as
 * commands, in formulas too, are escaped, Greek and other signs beyond ASCII become commands of
 * mathematics. Numbers of tics stay the formulas that gnuplot made of them.
 */
void nnd_tex_copy(FILE *tikz, FILE *out);

#endif
