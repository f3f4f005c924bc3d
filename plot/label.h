/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Texts of pictures: titles, axes, values of keys. */
#ifndef NNDMFT_PLOT_LABEL_H
#define NNDMFT_PLOT_LABEL_H

#include "plot/panel.h"
#include "plot/style.h"

/** The symbol of a variable, or of a parameter that is swept; its name if it has none. */
const char *nnd_plot_symbol(const nnd_model *model, const char *name);
/** Names the keys [from, to) of a curve: "gamma0 = 2, nu = 1", into `text`. */
void nnd_plot_describe(const nnd_panel *panel, size_t from, size_t to, size_t curve, size_t size,
                       char *text);
/** Writes the label of an axis; upright ones in lines that are not longer than the cell. */
void nnd_plot_axis_label(const nnd_panel *panel, const char *axis, const char *text, FILE *out);
/** Writes the label of an axis over a dimension, and of one over the values of the variable. */
void nnd_plot_dim_label(const nnd_panel *panel, const nnd_dim *dim, const char *axis, FILE *out);
void nnd_plot_value_label(const nnd_panel *panel, const char *axis, FILE *out);
/** Writes the tics of coordinates that stand side by side. */
void nnd_plot_list_tics(const nnd_dim *dim, const char *axis, FILE *out);
/** Writes the title of a cell: a name, where it is, `more`, and how many are left out. */
void nnd_plot_title(const nnd_panel *panel, const char *name, const char *more, FILE *out);

#endif
