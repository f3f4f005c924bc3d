/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What is told of a panel beside its curves, where the drawing of its variable asks for it. */
#ifndef NNDMFT_PLOT_LAYERS_H
#define NNDMFT_PLOT_LAYERS_H

#include "plot/cell.h"

/** The next guide that the theory of a file holds (NULL: the first one); NULL past the last. */
const nnd_guide *nnd_guide_next(const nnd_panel *panel, const nnd_guide *after);

/** The values of a guide beside a curve, over the dimension that it counts (its drawing.rank; NULL:
 *  a single one), at the time that is shown, or the last one; false if there is none. */
bool nnd_guide_values(const nnd_panel *panel, const nnd_guide *g, size_t curve, nnd_trace *trace);
/** Areas of the parts of a single curve. */
void nnd_stack_tell(const nnd_panel *panel, nnd_cell *cell);
/** What theory says beside the variable (nnd_drawing.guides). */
void nnd_guides_tell(const nnd_panel *panel, nnd_cell *cell);
/** Lines across at numbers that theory or table says (nnd_drawing.level); told after all curves. */
void nnd_levels_tell(const nnd_panel *panel, nnd_cell *cell);
/** In a histogram, outliers of theory, and what networks were before training. */
void nnd_histogram_tell(const nnd_panel *panel, nnd_cell *cell);
/** A ring where each curve is lowest (nnd_drawing.lowest). Told last: it cuts off what lies far
 * above them (nnd_drawing.headroom). */
void nnd_lowest_tell(const nnd_panel *panel, nnd_cell *cell);

#endif
