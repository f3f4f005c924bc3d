/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cells.h"

#include <math.h>

#include "cli.h"

void cli_cell_number(double x, char text[CLI_CELL]) {
    if (isnan(x))
        snprintf(text, CLI_CELL, "-");
    else
        nnd_format(text, CLI_CELL, "%.4g", x);
}

void cli_cell_estimate(double x, double se, char text[CLI_CELL]) {
    if (isnan(x) || isnan(se))
        cli_cell_number(x, text);
    else
        nnd_format(text, CLI_CELL, "%.5g+-%.1g", x, se);
}

void cli_cell_probability(double p, char text[CLI_CELL]) {
    if (isnan(p))
        snprintf(text, CLI_CELL, "-");
    else if (p < 1e-16)
        snprintf(text, CLI_CELL, "<1e-16");
    else
        nnd_format(text, CLI_CELL, "%.2g", p);
}
