/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The gnuplot program of a picture: terminal, title, grid of panels, legend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/layout.h"
#include "plot/program.h"

static const nnd_cell_kind *kind_of(const nnd_panel *panel) {
    if (panel->scaling != NULL)
        return &nnd_cell_scaling;
    if (panel->seeds)
        return &nnd_cell_seeds;
    if (panel->scatter)
        return &nnd_cell_scatter;
    return panel->y != NULL ? &nnd_cell_heat : &nnd_cell_curves;
}

static void make_entries(const nnd_result *result, const nnd_plot_options *options,
                         const nnd_plot_choice *choice, nnd_layout *p) {
    for (size_t i = 0; i < choice->count; i++) {
        nnd_layout_entry *e = &p->entry[i];
        nnd_panel_make(result, choice, choice->name[i], options, &e->panel);
        e->kind = kind_of(&e->panel);
        if (e->kind->legend != NULL)
            e->kind->legend(&e->panel, &e->legend);
        p->cells += nnd_panel_cells(&e->panel);
    }
}

/* False when out of memory. */
static bool make_cells(nnd_layout *p) {
    p->cell = calloc(p->cells, sizeof *p->cell);
    nnd_layout_cell *cell = p->cell;
    for (size_t i = 0; cell != NULL && i < p->count; i++)
        for (size_t at = 0; at < nnd_panel_cells(&p->entry[i].panel); at++)
            *cell++ = (nnd_layout_cell){.of = &p->entry[i], .at = at};
    return p->cell != NULL;
}

/* Titles tell how many curves are drawn, but not on the terminal. */
static void tell_omissions(nnd_context *ctx, const nnd_layout *p) {
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
static void unite_legends(nnd_layout *p) {
    for (size_t i = 0; i < p->count; i++) {
        nnd_legend_unite(&p->shared, &p->entry[i].legend);
        p->entry[i].legend.count = 0;
    }
}

/* Moves what all legends share to the side of the picture. */
static void share_legends(nnd_layout *p) {
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

/* Letters are given in points where lengths are, and gnuplot takes these for larger ones. */
static void write_terminal(const nnd_layout *p, const char *format, FILE *out) {
    const nnd_sheet *sheet = &p->sheet;
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

static void write_margins(const nnd_layout *p, size_t cell, const char *format, FILE *out) {
    const nnd_sheet *sheet = &p->sheet;
    double left = nnd_layout_left(p, cell % p->columns);
    double top = nnd_layout_top(p, cell / p->columns);
    nnd_print(out,
              "reset\nset border lw 0.8\nset tics nomirror\nset clip two\n"
              "set format '%s'\n"
              "set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
              "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
              strcmp(format, "tex") == 0 ? "$%h$" : "%h", left / p->width,
              (left + sheet->cell_width) / p->width, 1.0 - top / p->height,
              1.0 - (top + sheet->cell_height) / p->height);
    /* gnuplot puts what an axis is called lower in SVG, onto the title of the cell below. */
    if (strcmp(format, "svg") == 0)
        fputs("set xlabel offset 0,0.6\n", out);
}

/* Text beside a cell, upright; its first line is the left one, in the middle of which `x` is. */
static void write_upright(const nnd_layout *p, size_t cell, const char *text, double x, FILE *out) {
    double middle = nnd_layout_top(p, cell / p->columns) + 0.5 * p->sheet.cell_height;
    fputs("set label ", out);
    nnd_plot_quote_lines(out, text);
    nnd_print(out, " at screen %.6f, screen %.6f center rotate by 90 noenhanced\n", x / p->width,
              1.0 - middle / p->height);
}

/* The last line of what y means ends where the labels of tics begin. */
static void write_y_label(const nnd_layout *p, size_t cell, FILE *out) {
    const nnd_layout_cell *c = &p->cell[cell];
    size_t column = cell % p->columns;
    double end = nnd_layout_left(p, column) - p->column[column].tics;
    write_upright(p, cell, c->y.text, end - p->sheet.line * ((double)c->y_lines - 0.5), out);
}

/* The bar of colours, as high as its cell, and beyond the labels of its tics what it means. */
static void write_bar(const nnd_layout *p, size_t cell, FILE *out) {
    const nnd_layout_cell *c = &p->cell[cell];
    const nnd_sheet *sheet = &p->sheet;
    double bar = nnd_layout_left(p, cell % p->columns) + sheet->cell_width + sheet->gap;
    double bottom = nnd_layout_top(p, cell / p->columns) + sheet->cell_height;
    double end = bar + sheet->bar + 2.0 * sheet->gap + nnd_layout_length(p, c->bar.tics);
    nnd_print(out,
              "set colorbox user origin screen %.6f, screen %.6f size screen %.6f, screen %.6f\n",
              bar / p->width, 1.0 - bottom / p->height, sheet->bar / p->width,
              sheet->cell_height / p->height);
    write_upright(p, cell, c->bar.text, end + sheet->gap + 0.5 * sheet->line, out);
}

/* Beside the cells, a column from the top; below them, rows over the whole width. */
static void write_shared_legend(const nnd_layout *p, const char *format, FILE *out) {
    size_t across, rows = nnd_layout_rows_below(p, &across);
    if (p->shared.count == 0)
        return;
    /* In SVG gnuplot takes letters for .7 of their height wide and rows for higher than they are,
     * and would leave out entries that it finds no room for: they are narrowed to the 7.4 / 12 that
     * nnd_legend_width counts. */
    bool svg = strcmp(format, "svg") == 0;
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
                  1.0 - nnd_layout_legend(p, &p->shared) / p->width,
                  1.0 - nnd_layout_top(p, 0) / p->height);
    /* gnuplot needs something to plot beside the entries. */
    nnd_legend_write(&p->shared, "plot [0:1] [0:1] NaN notitle, \\\n  ", out);
    fputc('\n', out);
}

static void write_picture(const nnd_layout *p, const char *format, FILE *out) {
    for (size_t i = 0; i < p->cells; i++) {
        const nnd_layout_cell *c = &p->cell[i];
        write_margins(p, i, format, out);
        if (c->y.text[0] != '\0')
            write_y_label(p, i, out);
        if (c->bar.text[0] != '\0')
            write_bar(p, i, out);
        c->of->kind->draw(&c->of->panel, c->at, &c->of->legend, out);
    }
    write_shared_legend(p, format, out);
    fputs("unset multiplot\n", out);
}

nnd_status nnd_plot_program_of(nnd_context *ctx, const nnd_result *result,
                               const nnd_plot_options *options, const nnd_plot_choice *choice,
                               const char *format, FILE *out) {
    nnd_layout p = {.count = choice->count, .entry = calloc(choice->count, sizeof *p.entry)};
    if (p.entry != NULL)
        make_entries(result, options, choice, &p);
    nnd_status status = p.entry != NULL && make_cells(&p)
                            ? nnd_sheet_make(ctx, options, &p.sheet)
                            : nnd_fail_memory(ctx, "the panels of a picture");
    if (status == NND_OK) {
        tell_omissions(ctx, &p);
        if (p.sheet.below)
            unite_legends(&p);
        else
            share_legends(&p);
        nnd_layout_find(&p);
        write_terminal(&p, format, out);
        if (p.sheet.head > 0.0)
            write_heading(ctx, result, strcmp(format, "svg") != 0, out);
        else
            fputs("set multiplot\n", out);
        write_picture(&p, format, out);
    }
    free(p.cell);
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
