/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Cells of tables for people; "-" is what is not known. */
#ifndef NNDMFT_CLI_CELLS_H
#define NNDMFT_CLI_CELLS_H

enum { CLI_CELL = 32 };

void cli_cell_number(double x, char text[CLI_CELL]);
/** 1.234+-0.005 */
void cli_cell_estimate(double x, double se, char text[CLI_CELL]);
void cli_cell_probability(double p, char text[CLI_CELL]);

#endif
