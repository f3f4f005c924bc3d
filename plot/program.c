/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The gnuplot program of a picture: terminal, title, grid of panels, legend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/cell.h"
#include "plot/program.h"

/* Lengths in pixels of 1/96 inch. */
static const double CELL_WIDTH = 340.0, CELL_HEIGHT = 245.0; /* between the axes, at least */
/* Of an entry of a legend. */
static const double ROW = 17.5;
static const double LEFT = 82.0, TOP = 32.0, BOTTOM = 54.0, HEAD = 34.0;
static const double RIGHT = 14.0, COLOURBAR = 100.0; /* besides a legend */

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
    nnd_legend shared;     /* what the legends of all panels say */
    double right[COLUMNS]; /* margins of the cells of a column */
    double cell_height;
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

/* A column has room for the widest legend of its cells. */
static void set_margins(picture *p) {
    size_t cell = 0;
    for (size_t i = 0; i < p->count; i++) {
        const entry *e = &p->entry[i];
        for (size_t c = 0; c < nnd_panel_cells(&e->panel); c++) {
            double *right = &p->right[cell++ % p->columns];
            *right = fmax(*right,
                          (e->panel.y != NULL ? COLOURBAR : RIGHT) + nnd_legend_width(&e->legend));
        }
    }
}

/* Where the axes of a column begin. */
static double left_of(const picture *p, size_t column) {
    double left = LEFT;
    for (size_t c = 0; c < column; c++)
        left += CELL_WIDTH + p->right[c] + LEFT;
    return left;
}

static void lay_out(picture *p) {
    static const size_t columns[] = {0, 1, 2, 3, 2, 3, 3};
    p->columns = p->cells < sizeof columns / sizeof *columns ? columns[p->cells] : 3;
    if (p->columns % 2 == 1 && p->columns > 1 && all_paired(p))
        p->columns++;
    p->rows = (p->cells + p->columns - 1) / p->columns;
    p->cell_height = fmax(CELL_HEIGHT, ROW * (double)p->shared.count);
    for (size_t i = 0; i < p->count; i++) {
        /* A legend longer than its cell would go on in a second column. */
        p->cell_height = fmax(p->cell_height, ROW * (double)p->entry[i].legend.count);
    }
    set_margins(p);
    p->width = left_of(p, p->columns) - LEFT + nnd_legend_width(&p->shared);
    p->height = (TOP + p->cell_height + BOTTOM) * (double)p->rows + HEAD;
}

static void write_terminal(const picture *p, const char *format, FILE *out) {
    if (strcmp(format, "svg") == 0)
        nnd_print(out,
                  "set terminal svg size %.0f,%.0f enhanced font 'sans,12' background 'white'\n",
                  p->width, p->height);
    else if (strcmp(format, "pdf") == 0)
        nnd_print(out,
                  "set terminal pdfcairo size %.3fin,%.3fin enhanced font 'sans,9' fontscale 0.75\n",
                  p->width / 96.0, p->height / 96.0);
    else
        nnd_print(out,
                  "set terminal pngcairo size %.0f,%.0f enhanced font 'sans,9' fontscale 2"
                  " linewidth 2 pointscale 2\n",
                  2.0 * p->width, 2.0 * p->height);
    fputs("set encoding utf8\n", out);
}

/* "model: case" */
static void write_heading(nnd_context *ctx, const nnd_result *result, FILE *out) {
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
    fputs(" font ',14' noenhanced\n", out);
    nnd_value_free(tree);
}

static void write_margins(const picture *p, size_t cell, FILE *out) {
    double row = (double)(cell / p->columns), left = left_of(p, cell % p->columns);
    double top = HEAD + row * (TOP + p->cell_height + BOTTOM) + TOP;
    nnd_print(out,
              "reset\nset border lw 0.8\nset tics nomirror\nset clip two\n"
              "set format '%%h'\n"
              "set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
              "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
              left / p->width, (left + CELL_WIDTH) / p->width, 1.0 - top / p->height,
              1.0 - (top + p->cell_height) / p->height);
}

static void write_shared_legend(const picture *p, FILE *out) {
    if (p->shared.count == 0)
        return;
    write_margins(p, p->columns - 1, out);
    nnd_print(out,
              "unset border\nunset tics\n"
              "set key at screen %.6f, screen %.6f left top Left reverse maxcols 1 samplen 2.5 "
              "spacing 1.2\n",
              1.0 - nnd_legend_width(&p->shared) / p->width, 1.0 - (HEAD + TOP) / p->height);
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

nnd_status nnd_plot_program(nnd_context *ctx, const nnd_result *result,
                            const nnd_plot_options *options, const char *format, FILE *out) {
    nnd_plot_choice choice;
    nnd_status status = nnd_plot_select(ctx, result, options, &choice);
    if (status != NND_OK)
        return status;
    picture p = {.count = choice.count, .entry = calloc(choice.count, sizeof(entry))};
    if (p.entry == NULL)
        status = nnd_fail_memory(ctx, "the panels of a picture");
    else {
        make_entries(result, options, &choice, &p);
        tell_omissions(ctx, &p);
        share_legends(&p);
        lay_out(&p);
        write_terminal(&p, format, out);
        write_heading(ctx, result, out);
        write_picture(&p, out);
    }
    free(p.entry);
    free(choice.name);
    return status;
}
