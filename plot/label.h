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
/** What an axis over a dimension means, and one over the values of the variable, into `text`. */
void nnd_plot_dim_text(const nnd_panel *panel, const nnd_dim *dim, size_t size, char *text);
void nnd_plot_value_text(const nnd_panel *panel, size_t size, char *text);
/** Writes the label of the x axis in lines that it has room for; of that of a dimension. */
void nnd_plot_x_label(const nnd_panel *panel, char *text, FILE *out);
void nnd_plot_x_dim_label(const nnd_panel *panel, const nnd_dim *dim, FILE *out);
/** Writes the tics of coordinates that stand side by side, as many as have room. */
void nnd_plot_list_tics(const nnd_panel *panel, const nnd_dim *dim, const char *axis, FILE *out);
/** Characters of the widest of them. */
size_t nnd_plot_list_width(const nnd_dim *dim);
/** Writes the title of a cell: a name, where it is, `more`, and how many are left out. */
void nnd_plot_title(const nnd_panel *panel, const char *name, const char *more, FILE *out);

#endif
