/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "plot/layout.h"

/* Mean width of a character, in heights of letters. */
static const double ADVANCE = 0.62;
/* Height of a cell of a picture of given width. */
static const double ASPECT = 0.72;
/* So many characters of a label may stand beyond its axis. */
enum { BEYOND = 3 };

double nnd_layout_length(const nnd_layout *layout, size_t characters) {
    return ADVANCE * layout->sheet.letter * (double)characters;
}

static size_t characters(const nnd_layout *layout, double length) {
    return (size_t)(length / (ADVANCE * layout->sheet.letter));
}

double nnd_layout_legend(const nnd_layout *layout, const nnd_legend *legend) {
    return nnd_legend_width(legend) * layout->sheet.letter / 12.0;
}

/* What stands beside all cells. */
static double beside(const nnd_layout *layout) {
    return layout->sheet.below ? 0.0 : nnd_layout_legend(layout, &layout->shared);
}

/* ---- margins ---- */

/* Asks what stands at the sides of each cell, whose height is known. */
static void find_sides(nnd_layout *layout) {
    size_t upright = characters(layout, layout->sheet.cell_height);
    for (size_t i = 0; i < layout->cells; i++) {
        nnd_layout_cell *c = &layout->cell[i];
        c->of->panel.upright = upright;
        c->y = c->bar = (nnd_side){.tics = 0};
        c->of->kind->sides(&c->of->panel, c->at, &c->y, &c->bar);
        c->y_lines = nnd_plot_wrap(c->y.text, upright + BEYOND);
        c->bar_lines = nnd_plot_wrap(c->bar.text, upright + BEYOND);
    }
}

/* Gaps are around the bar and its label, with a wider one before the next column. */
static double right_of(const nnd_layout *layout, const nnd_layout_cell *c) {
    const nnd_sheet *sheet = &layout->sheet;
    double legend = nnd_layout_legend(layout, &c->of->legend);
    if (c->bar.text[0] == '\0')
        return sheet->right + legend;
    return 6.0 * sheet->gap + sheet->bar + nnd_layout_length(layout, c->bar.tics) +
           sheet->line * (double)c->bar_lines + legend;
}

/* A column has room for the widest of what stands beside its cells. */
static void find_margins(nnd_layout *layout) {
    const nnd_sheet *sheet = &layout->sheet;
    find_sides(layout);
    for (size_t i = 0; i < layout->columns; i++)
        layout->column[i] = (nnd_layout_column){0};
    for (size_t i = 0; i < layout->cells; i++) {
        const nnd_layout_cell *c = &layout->cell[i];
        nnd_layout_column *column = &layout->column[i % layout->columns];
        column->label = fmax(column->label, sheet->gap + sheet->line * (double)c->y_lines);
        column->tics = fmax(column->tics, 2.0 * sheet->gap + nnd_layout_length(layout, c->y.tics));
        column->right = fmax(column->right, right_of(layout, c));
    }
}

/* Where a column begins. */
static double begin_of(const nnd_layout *layout, size_t column) {
    double begin = 0.0;
    for (const nnd_layout_column *c = layout->column; c < layout->column + column; c++)
        begin += c->label + c->tics + layout->sheet.cell_width + c->right;
    return begin;
}

double nnd_layout_left(const nnd_layout *layout, size_t column) {
    return begin_of(layout, column) + layout->column[column].label + layout->column[column].tics;
}

double nnd_layout_top(const nnd_layout *layout, size_t row) {
    const nnd_sheet *sheet = &layout->sheet;
    return sheet->head + (double)row * (sheet->top + sheet->cell_height + sheet->bottom) +
           sheet->top;
}

/* ---- cells ---- */

/* True for heat maps alone, all of theory beside simulation, which an odd number of columns would
 * tear apart. */
static bool all_paired(const nnd_layout *layout) {
    for (size_t i = 0; i < layout->count; i++) {
        const nnd_panel *panel = &layout->entry[i].panel;
        if (panel->y == NULL || panel->theory.array == NULL || panel->mc.array == NULL)
            return false;
    }
    return true;
}

/* Columns by the number of cells. */
static size_t natural_columns(const nnd_layout *layout) {
    static const size_t columns[] = {0, 1, 2, 3, 2, 3, 3};
    size_t n = layout->cells < sizeof columns / sizeof *columns ? columns[layout->cells] : 3;
    return n % 2 == 1 && n > 1 && all_paired(layout) ? n + 1 : n;
}

/* A legend longer than its cell would go on in a second column. */
static double longest_legend(const nnd_layout *layout) {
    size_t longest = layout->sheet.below ? 0 : layout->shared.count;
    for (size_t i = 0; i < layout->count; i++) {
        size_t count = layout->entry[i].legend.count;
        longest = count > longest ? count : longest;
    }
    return layout->sheet.row * (double)longest;
}

/* As many columns as let cells be as wide as they must be, and cells as wide as these allow. What
 * labels need at the sides follows from the height, so that this cannot follow from the width. */
static void fit_width(nnd_layout *layout) {
    nnd_sheet *sheet = &layout->sheet;
    double least = sheet->cell_width, room = sheet->width - beside(layout);
    for (;; layout->columns--) {
        double columns = (double)layout->columns, about = room / columns - sheet->sides;
        sheet->cell_height = fmax(ASPECT * fmax(about, 0.5 * least), longest_legend(layout));
        find_margins(layout);
        sheet->cell_width = 0.0;
        sheet->cell_width = (room - begin_of(layout, layout->columns)) / columns;
        if (sheet->cell_width >= least || layout->columns == 1)
            break;
    }
    sheet->cell_width = fmax(sheet->cell_width, 0.5 * least);
}

size_t nnd_layout_rows_below(const nnd_layout *layout, size_t *across) {
    double one = nnd_layout_legend(layout, &layout->shared);
    *across = one > 0.0 ? (size_t)fmax(floor(layout->width / one), 1.0) : 1;
    return layout->sheet.below ? (layout->shared.count + *across - 1) / *across : 0;
}

void nnd_layout_find(nnd_layout *layout) {
    nnd_sheet *sheet = &layout->sheet;
    size_t across;
    layout->columns = natural_columns(layout);
    if (sheet->width > 0.0)
        fit_width(layout);
    else {
        sheet->cell_height = fmax(sheet->cell_height, longest_legend(layout));
        find_margins(layout);
    }
    for (size_t i = 0; i < layout->count; i++)
        layout->entry[i].panel.level = characters(layout, sheet->cell_width);
    layout->rows = (layout->cells + layout->columns - 1) / layout->columns;
    layout->width = begin_of(layout, layout->columns) + beside(layout);
    double below = (double)nnd_layout_rows_below(layout, &across);
    layout->height = nnd_layout_top(layout, layout->rows) - sheet->top +
                     sheet->row * (below + (below > 0.0 ? 0.4 : 0.0));
}
