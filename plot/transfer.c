/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What training has reached against the learning rate: if the best rate is that of a narrow network
 * at every width it transfers. A cell for each parameterization, all with the same axes.
 */
#include <math.h>

#include "plot/plot_impl.h"

/* What lies above this multiple of the best value is cut off, unless small rates are there. */
static const double HEADROOM = 30.0;

static bool suits(const nnd_panel *panel) {
    return panel->transfer && panel->y == NULL;
}

/* All cells have the axes of the variable as a whole, without what diverges. */
static void widen(const nnd_panel *panel, nnd_span *x_span, nnd_span *y_span) {
    nnd_panel here = *panel;
    double best = INFINITY, start = 0.0;
    for (here.facet.at = 0; here.facet.at < nnd_panel_cells(panel); here.facet.at++) {
        nnd_curves_measure(&here, x_span, y_span);
        for (size_t curve = 0; curve < panel->curves; curve++) {
            double x = 0.0, y = 0.0, first = 0.0;
            if (!nnd_lowest_of(&here, curve, &x, &y, &first))
                continue;
            best = fmin(best, y);
            start = fmax(start, first);
        }
    }
    if (isfinite(best))
        y_span->max = fmin(y_span->max, fmax(HEADROOM * best, 1.5 * start));
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    static const nnd_curves_extra extra = {widen, nnd_lowest_write, NULL, nnd_lowest_draw};
    nnd_curves_draw(panel, cell, &extra, legend, out);
}

const nnd_panel_kind nnd_panel_transfer = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = nnd_lowest_legend,
    .draw = draw,
};
