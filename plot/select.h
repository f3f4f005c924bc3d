/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Which variables of a result are drawn. */
#ifndef NNDMFT_PLOT_SELECT_H
#define NNDMFT_PLOT_SELECT_H

#include "nndmft/io.h"

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

#endif
