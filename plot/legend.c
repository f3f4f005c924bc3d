/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "plot/label.h"
#include "plot/legend.h"

/* Colours of more values than that are an ordered scale, of which a few say enough. */
enum { MOST_COLOURS = 12, SCALE_COLOURS = 7 };

void nnd_legend_add(nnd_legend *legend, nnd_mark mark, unsigned colour, size_t style,
                    const char *label) {
    if (legend->count == NND_PLOT_LEGEND)
        return;
    nnd_legend_entry *entry = &legend->entry[legend->count++];
    *entry = (nnd_legend_entry){.mark = mark, .colour = colour, .style = style};
    snprintf(entry->label, sizeof entry->label, "%s", label);
}

/* Boxes of several colours have a grey one; they are as transparent as those. */
static void add_simulation(const nnd_panel *panel, nnd_legend *legend) {
    char size[NND_PLOT_LABEL / 2], label[NND_PLOT_LABEL] = "simulation";
    for (size_t s = 0; s < nnd_panel_sizes(panel); s++) {
        if (panel->size != NULL) {
            nnd_coord_text(panel->size, panel->last_size ? panel->size->length - 1 : s, sizeof size,
                           size);
            snprintf(label, sizeof label, "simulation, size %s", size);
        }
        if (panel->histogram)
            nnd_legend_add(legend, NND_MARK_BAND,
                           nnd_panel_colours(panel) > 1 ? 0xC4C4C4 : 0xA6CDE4, 0, label);
        else
            nnd_legend_add(legend, NND_MARK_POINT, nnd_panel_neutral(panel), s, label);
    }
}

/* A colour has the line of theory, and of points those that tell it. */
static nnd_mark mark_of_colour(const nnd_panel *panel) {
    if (panel->scatter)
        return NND_MARK_POINT;
    return nnd_panel_has_points(panel) ? NND_MARK_LINE_POINT : NND_MARK_LINE;
}

static size_t style_of_colour(const nnd_panel *panel, size_t curve) {
    return panel->scatter ? nnd_panel_point(panel, curve, 0) : nnd_panel_dash(panel, curve);
}

void nnd_legend_make(const nnd_panel *panel, nnd_legend *legend) {
    size_t colours = nnd_panel_colours(panel), dashes = nnd_panel_dashes(panel);
    const nnd_guide *law = panel->histogram ? nnd_panel_guide(panel, NND_GUIDE_LINE) : NULL;
    unsigned neutral = nnd_panel_neutral(panel);
    char label[NND_PLOT_LABEL];
    legend->count = 0;
    size_t told = colours > MOST_COLOURS ? SCALE_COLOURS : colours;
    for (size_t i = 0; colours > 1 && i < told; i++) {
        size_t c = told > 1 ? i * (colours - 1) / (told - 1) : 0;
        nnd_plot_describe(panel, 0, panel->colour_keys, c * dashes, sizeof label, label);
        nnd_legend_add(legend, mark_of_colour(panel), nnd_plot_colour(c, colours),
                       style_of_colour(panel, c * dashes), label);
    }
    for (size_t d = 0; dashes > 1 && d < dashes; d++) {
        nnd_plot_describe(panel, panel->colour_keys, panel->keys, d, sizeof label, label);
        nnd_legend_add(legend, panel->scatter ? NND_MARK_POINT : NND_MARK_LINE, neutral, d, label);
    }
    if (panel->theory.array != NULL && (panel->mc.array != NULL || law != NULL))
        nnd_legend_add(legend, NND_MARK_LINE, neutral, 0, panel->law);
    if (panel->mc.array != NULL)
        add_simulation(panel, legend);
}

static bool has_entry(const nnd_legend *legend, const nnd_legend_entry *e) {
    for (size_t i = 0; i < legend->count; i++) {
        const nnd_legend_entry *own = &legend->entry[i];
        if (strcmp(own->label, e->label) == 0 && own->mark == e->mark && own->colour == e->colour &&
            own->style == e->style)
            return true;
    }
    return false;
}

void nnd_legend_filter(nnd_legend *legend, const nnd_legend *other, bool has) {
    size_t kept = 0;
    for (size_t i = 0; i < legend->count; i++)
        if (has_entry(other, &legend->entry[i]) == has)
            legend->entry[kept++] = legend->entry[i];
    legend->count = kept;
}

void nnd_legend_unite(nnd_legend *legend, const nnd_legend *other) {
    for (size_t i = 0; i < other->count; i++)
        if (!has_entry(legend, &other->entry[i]) && legend->count < NND_PLOT_LEGEND)
            legend->entry[legend->count++] = other->entry[i];
}

double nnd_legend_width(const nnd_legend *legend) {
    size_t longest = 0;
    for (size_t i = 0; i < legend->count; i++) {
        const char *label = legend->entry[i].label;
        size_t length = nnd_plot_characters(label, strlen(label));
        longest = length > longest ? length : longest;
    }
    return legend->count > 0 ? 50.0 + 7.4 * (double)longest : 0.0;
}

static void write_mark(const nnd_legend_entry *e, FILE *out) {
    switch (e->mark) {
    case NND_MARK_LINE:
        fprintf(out, "lines lc rgb '#%06X' lw 2 dt %s", e->colour, nnd_plot_dash(e->style));
        break;
    case NND_MARK_LINE_POINT:
        fprintf(out, "linespoints lc rgb '#%06X' lw 2 dt %s pt %d ps 0.7", e->colour,
                nnd_plot_dash(e->style), nnd_plot_point(e->style));
        break;
    case NND_MARK_POINT:
        fprintf(out, "points lc rgb '#%06X' pt %d ps 0.7", e->colour, nnd_plot_point(e->style));
        break;
    case NND_MARK_BAND:
        fprintf(out, "boxes lc rgb '#%06X' fs solid 1.0 noborder", e->colour);
        break;
    case NND_MARK_ARROW:
        fprintf(out, "vectors head filled size graph 0.025,20 lw 1.6 lc rgb '#%06X'", e->colour);
        break;
    }
}

void nnd_legend_write(const nnd_legend *legend, const char *separator, FILE *out) {
    for (size_t i = 0; i < legend->count; i++) {
        fprintf(out, "%skeyentry with ", separator);
        write_mark(&legend->entry[i], out);
        fputs(" title ", out);
        nnd_plot_quote(out, legend->entry[i].label);
        fputs(" noenhanced", out);
        separator = ", \\\n  ";
    }
}
