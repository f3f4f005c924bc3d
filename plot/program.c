/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The gnuplot program of a picture: terminal, title, grid of panels, legend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/cell.h"
#include "plot/program.h"
#include "plot/sheet.h"

static const nnd_cell_kind *kind_of(const nnd_panel *panel) {
    if (panel->scaling != NULL)
        return &nnd_cell_scaling;
    if (panel->seeds)
        return &nnd_cell_seeds;
    if (panel->scatter)
        return &nnd_cell_scatter;
    return panel->y != NULL ? &nnd_cell_heat : &nnd_cell_curves;
}

typedef struct {
    nnd_panel panel;
    const nnd_cell_kind *kind;
    nnd_legend legend;
} entry;

/* The most columns. */
enum { COLUMNS = 4 };

typedef struct {
    size_t count, cells, columns, rows;
    entry *entry;
    nnd_sheet sheet;
    const char *format;    /* of the file */
    nnd_legend shared;     /* what the legends of all panels say, or, below them, any */
    double right[COLUMNS]; /* margins of the cells of a column */
    double width, height;
} picture;

static void make_entries(const nnd_result *result, const nnd_plot_options *options,
                         const nnd_plot_choice *choice, picture *p) {
    for (size_t i = 0; i < choice->count; i++) {
        entry *e = &p->entry[i];
        nnd_panel_make(result, choice, choice->name[i], options, &e->panel);
        e->kind = kind_of(&e->panel);
        if (e->kind->legend != NULL)
            e->kind->legend(&e->panel, &e->legend);
        p->cells += nnd_panel_cells(&e->panel);
    }
}

/* Titles tell how many curves are drawn, but not on the terminal. */
static void tell_omissions(nnd_context *ctx, const picture *p) {
    for (size_t i = 0; i < p->count; i++) {
        const nnd_panel *panel = &p->entry[i].panel;
        if (panel->y != NULL && panel->all_curves > 1)
            nnd_log(ctx, NND_LOG_NOTE, "%s: the first of %zu matrices is drawn", panel->name,
                    panel->all_curves);
        else if (panel->curves < panel->all_curves)
            nnd_log(ctx, NND_LOG_NOTE, "%s: %zu of %zu curves are drawn", panel->name,
                    panel->curves, panel->all_curves);
        if (nnd_panel_facets(panel) > 1 && nnd_panel_facets(panel) < panel->facet.dim->length)
            nnd_log(ctx, NND_LOG_NOTE, "%s: %zu of %zu values of %s are drawn", panel->name,
                    nnd_panel_facets(panel), panel->facet.dim->length, panel->facet.dim->name);
        if (panel->y == NULL && nnd_dim_has_infinity(panel->x))
            nnd_log(ctx, NND_LOG_NOTE, "%s: an infinite %s has no place on the axis", panel->name,
                    panel->x->name);
    }
}

/* Below the picture stands what any legend says. */
static void unite_legends(picture *p) {
    for (size_t i = 0; i < p->count; i++) {
        nnd_legend_unite(&p->shared, &p->entry[i].legend);
        p->entry[i].legend.count = 0;
    }
}

/* Moves what all legends share to the side of the picture. */
static void share_legends(picture *p) {
    bool any = false;
    for (size_t i = 0; i < p->count; i++) {
        if (p->entry[i].kind->legend == NULL)
            continue;
        if (any)
            nnd_legend_filter(&p->shared, &p->entry[i].legend, true);
        else
            p->shared = p->entry[i].legend;
        any = true;
    }
    for (size_t i = 0; i < p->count; i++)
        nnd_legend_filter(&p->entry[i].legend, &p->shared, false);
}

/* True for heat maps alone, all of theory beside simulation, which an odd number of columns would
 * tear apart. */
static bool all_paired(const picture *p) {
    for (size_t i = 0; i < p->count; i++)
        if (p->entry[i].panel.y == NULL || p->entry[i].panel.theory.array == NULL ||
            p->entry[i].panel.mc.array == NULL)
            return false;
    return true;
}

/* Width of the legend beside a cell. */
static double legend_width(const picture *p, const nnd_legend *legend) {
    return nnd_legend_width(legend) * p->sheet.letter / 12.0;
}

/* A column has room for the widest legend of its cells. */
static void set_margins(picture *p) {
    size_t cell = 0;
    for (size_t c = 0; c < COLUMNS; c++)
        p->right[c] = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        const entry *e = &p->entry[i];
        for (size_t c = 0; c < nnd_panel_cells(&e->panel); c++) {
            double *right = &p->right[cell++ % p->columns];
            *right = fmax(*right, (e->panel.y != NULL ? p->sheet.colourbar : p->sheet.right) +
                                      legend_width(p, &e->legend));
        }
    }
}

/* Where the axes of a column begin. */
static double left_of(const picture *p, size_t column) {
    double left = p->sheet.left;
    for (size_t c = 0; c < column; c++)
        left += p->sheet.cell_width + p->right[c] + p->sheet.left;
    return left;
}

/* What stands beside the cells. */
static double beside(const picture *p) {
    return p->sheet.below ? 0.0 : legend_width(p, &p->shared);
}

/* Columns by the number of cells. */
static size_t natural_columns(const picture *p) {
    static const size_t columns[] = {0, 1, 2, 3, 2, 3, 3};
    size_t n = p->cells < sizeof columns / sizeof *columns ? columns[p->cells] : 3;
    return n % 2 == 1 && n > 1 && all_paired(p) ? n + 1 : n;
}

/* As many columns as let cells be as wide as they must be, and cells as wide as these allow. */
static void fit_width(picture *p) {
    double least = p->sheet.cell_width;
    for (;; p->columns--) {
        set_margins(p);
        p->sheet.cell_width = 0.0;
        double room = p->sheet.width - left_of(p, p->columns) + p->sheet.left - beside(p);
        p->sheet.cell_width = room / (double)p->columns;
        if (p->sheet.cell_width >= least || p->columns == 1)
            break;
    }
    p->sheet.cell_width = fmax(p->sheet.cell_width, 0.5 * least);
    p->sheet.cell_height = 0.72 * p->sheet.cell_width;
}

/* Rows of the legend below the cells, and how many entries stand in one. */
static size_t rows_below(const picture *p, size_t *across) {
    double one = legend_width(p, &p->shared);
    *across = one > 0.0 ? (size_t)fmax(floor(p->width / one), 1.0) : 1;
    return p->sheet.below ? (p->shared.count + *across - 1) / *across : 0;
}

/* How many have room on a length. */
static size_t characters(const picture *p, double length) {
    return (size_t)(length / (0.62 * p->sheet.letter));
}

/* Heat maps have short labels, and need the room for their colours. */
static bool all_heat(const picture *p) {
    for (size_t i = 0; i < p->count; i++)
        if (p->entry[i].panel.y == NULL)
            return false;
    return true;
}

static void lay_out(picture *p) {
    size_t across;
    if (all_heat(p))
        p->sheet.left = p->sheet.narrow;
    p->columns = natural_columns(p);
    if (p->sheet.width > 0.0)
        fit_width(p);
    else
        set_margins(p);
    p->rows = (p->cells + p->columns - 1) / p->columns;
    if (!p->sheet.below)
        p->sheet.cell_height = fmax(p->sheet.cell_height, p->sheet.row * (double)p->shared.count);
    for (size_t i = 0; i < p->count; i++) {
        /* A legend longer than its cell would go on in a second column. */
        p->sheet.cell_height =
            fmax(p->sheet.cell_height, p->sheet.row * (double)p->entry[i].legend.count);
    }
    for (size_t i = 0; i < p->count; i++) {
        p->entry[i].panel.upright = characters(p, p->sheet.cell_height + 0.4 * p->sheet.bottom);
        p->entry[i].panel.level = characters(p, p->sheet.cell_width + p->sheet.left);
    }
    p->width = left_of(p, p->columns) - p->sheet.left + beside(p);
    size_t below = rows_below(p, &across);
    p->height = (p->sheet.top + p->sheet.cell_height + p->sheet.bottom) * (double)p->rows +
                p->sheet.head + p->sheet.row * ((double)below + (below > 0 ? 0.4 : 0.0));
}

/* Letters are given in points where lengths are, and gnuplot takes these for larger ones. */
static void write_terminal(const picture *p, FILE *out) {
    const nnd_sheet *sheet = &p->sheet;
    const char *format = p->format;
    double inches[] = {p->width / 96.0, p->height / 96.0}, points = 0.75 * sheet->letter;
    if (strcmp(format, "svg") == 0)
        nnd_print(out,
                  "set terminal svg size %.0f,%.0f enhanced font '%s,%.4g' linewidth %g "
                  "background 'white'\n",
                  p->width, p->height, sheet->font, sheet->letter, sheet->stroke);
    else if (strcmp(format, "png") == 0)
        nnd_print(out,
                  "set terminal pngcairo size %.0f,%.0f enhanced font '%s,%.4g' fontscale 2"
                  " linewidth %g pointscale 2\n",
                  2.0 * p->width, 2.0 * p->height, sheet->font, points, 2.0 * sheet->stroke);
    else if (strcmp(format, "tex") == 0)
        nnd_print(out, "set terminal tikz size %.3fin,%.3fin linewidth %g\n", inches[0], inches[1],
                  sheet->stroke);
    else
        nnd_print(out,
                  "set terminal %scairo size %.3fin,%.3fin enhanced font '%s,%.4g' "
                  "fontscale 0.75 linewidth %g pointscale %.3g\n",
                  format, inches[0], inches[1], sheet->font, points, sheet->stroke,
                  sheet->letter / 12.0);
    fputs("set encoding utf8\n", out);
}

/* "model: case" */
static void write_heading(nnd_context *ctx, const nnd_result *result, bool points, FILE *out) {
    nnd_value *tree = NULL;
    const nnd_value *name = NULL;
    if (result->case_text != NULL &&
        nnd_yaml_read_text(ctx, "case", result->case_text, &tree) == NND_OK)
        name = nnd_value_get(tree, "name");
    if (name != NULL && name->kind != NND_VALUE_SCALAR)
        name = NULL;
    const char *model = result->model != NULL ? result->model : "";
    char text[NND_PLOT_TEXT];
    snprintf(text, sizeof text, "%s%s%s", model, model[0] != '\0' && name != NULL ? ": " : "",
             name != NULL ? name->text : "");
    fputs("set multiplot title ", out);
    nnd_plot_quote(out, text);
    fprintf(out, " font ',%s' noenhanced\n", points ? "10.5" : "14");
    nnd_value_free(tree);
}

static void write_margins(const picture *p, size_t cell, FILE *out) {
    const nnd_sheet *sheet = &p->sheet;
    double row = (double)(cell / p->columns), left = left_of(p, cell % p->columns);
    double top = sheet->head + row * (sheet->top + sheet->cell_height + sheet->bottom) + sheet->top;
    nnd_print(out,
              "reset\nset border lw 0.8\nset tics nomirror\nset clip two\n"
              "set format '%s'\n"
              "set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
              "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
              strcmp(p->format, "tex") == 0 ? "$%h$" : "%h", left / p->width,
              (left + sheet->cell_width) / p->width, 1.0 - top / p->height,
              1.0 - (top + sheet->cell_height) / p->height);
    /* gnuplot puts what an axis is called lower in SVG, onto the title of the cell below. */
    if (strcmp(p->format, "svg") == 0)
        fputs("set xlabel offset 0,0.6\n", out);
}

/* Beside the cells, a column from the top; below them, rows over the whole width. */
static void write_shared_legend(const picture *p, FILE *out) {
    size_t across, rows = rows_below(p, &across);
    if (p->shared.count == 0)
        return;
    /* In SVG gnuplot takes letters for .7 of their height wide and rows for higher than they are,
     * and would leave out entries that it finds no room for: they are narrowed to the 7.4 / 12 that
     * nnd_legend_width counts. */
    bool svg = strcmp(p->format, "svg") == 0;
    double wider =
        svg ? (0.7 - 7.4 / 12.0) / 0.7 * (nnd_legend_width(&p->shared) - 50.0) / 7.4 : 0.0;
    fputs("reset\nunset border\nunset tics\nset lmargin at screen 0\nset rmargin at screen 1\n"
          "set tmargin at screen 1\nset bmargin at screen 0\nset key samplen 2.5 spacing 1.2 Left "
          "reverse left top ",
          out);
    if (rows > 0)
        nnd_print(out, "at screen 0.01, screen %.6f horizontal maxcols %zu width %.3g spacing %g\n",
                  p->sheet.row * ((double)rows + 0.3) / p->height, across, -wider,
                  svg ? 1.05 : 1.2);
    else
        nnd_print(out, "at screen %.6f, screen %.6f maxcols 1\n",
                  1.0 - legend_width(p, &p->shared) / p->width,
                  1.0 - (p->sheet.head + p->sheet.top) / p->height);
    /* gnuplot needs something to plot beside the entries. */
    nnd_legend_write(&p->shared, "plot [0:1] [0:1] NaN notitle, \\\n  ", out);
    fputc('\n', out);
}

static void write_picture(const picture *p, FILE *out) {
    size_t cell = 0;
    for (size_t i = 0; i < p->count; i++) {
        const entry *e = &p->entry[i];
        for (size_t c = 0; c < nnd_panel_cells(&e->panel); c++) {
            write_margins(p, cell++, out);
            e->kind->draw(&e->panel, c, &e->legend, out);
        }
    }
    write_shared_legend(p, out);
    fputs("unset multiplot\n", out);
}

nnd_status nnd_plot_program_of(nnd_context *ctx, const nnd_result *result,
                               const nnd_plot_options *options, const nnd_plot_choice *choice,
                               const char *format, FILE *out) {
    picture p = {
        .count = choice->count, .format = format, .entry = calloc(choice->count, sizeof(entry))};
    nnd_status status = p.entry != NULL ? nnd_sheet_make(ctx, options, &p.sheet)
                                        : nnd_fail_memory(ctx, "the panels of a picture");
    if (status == NND_OK) {
        make_entries(result, options, choice, &p);
        tell_omissions(ctx, &p);
        if (p.sheet.below)
            unite_legends(&p);
        else
            share_legends(&p);
        lay_out(&p);
        write_terminal(&p, out);
        if (p.sheet.head > 0.0)
            write_heading(ctx, result, strcmp(format, "svg") != 0, out);
        else
            fputs("set multiplot\n", out);
        write_picture(&p, out);
    }
    free(p.entry);
    return status;
}

nnd_status nnd_plot_program(nnd_context *ctx, const nnd_result *result,
                            const nnd_plot_options *options, const char *format, FILE *out) {
    nnd_plot_choice choice;
    nnd_status status = nnd_plot_select(ctx, result, options, &choice);
    if (status != NND_OK)
        return status;
    status = nnd_plot_program_of(ctx, result, options, &choice, format, out);
    free(choice.name);
    return status;
}
