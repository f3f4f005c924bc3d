/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The formulas of variable tables as MathML. */
#ifndef NNDMFT_PLOT_MATHML_H
#define NNDMFT_PLOT_MATHML_H

#include <stdio.h>

/**
 * Writes a formula of a table ("K = sigma_w^2 sum_l G^{l+1} Phi^l") as an element `math`. Letters
 * spelled out become Greek, _ and ^ scripts, sqrt(...) a root, a star behind a name a superscript;
 * words that are none of mathematics stay words. Any text is taken, and written as text.
 */
void nnd_mathml_write(const char *formula, FILE *out);

#endif
