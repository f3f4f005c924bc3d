/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Runs gnuplot. */
#ifndef NNDMFT_PLOT_GNUPLOT_H
#define NNDMFT_PLOT_GNUPLOT_H

#include <stdio.h>

#include "nndmft/context.h"

/** Runs the program `command` on `program` from its start; its output goes to the file `path`. */
NND_MUST_USE nnd_status nnd_gnuplot_run(nnd_context *ctx, const char *command, FILE *program,
                                        const char *path);

#endif
