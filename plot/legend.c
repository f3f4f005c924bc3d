/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Legends name each colour, dash and point type once, not each curve: three sweep values and four
 * layers make seven entries, not twelve.
 */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static const unsigned NEUTRAL = 0x555555;

nnd_legend_entry *nnd_legend_add(nnd_legend *legend, const char *label) {
    if (legend->count == NND_PLOT_LEGEND)
        return NULL;
    nnd_legend_entry *entry = &legend->entry[legend->count++];
    *entry = (nnd_legend_entry){.line = true, .colour = NEUTRAL};
    snprintf(entry->label, sizeof entry->label, "%s", label);
    return entry;
}

void nnd_legend_add_band(nnd_legend *legend, const char *label, unsigned colour) {
    nnd_legend_entry *entry = nnd_legend_add(legend, label);
    if (entry == NULL)
        return;
    entry->line = false;
    entry->band = true;
    entry->colour = colour;
}

static void add_simulation(const nnd_panel *panel, unsigned colour, nnd_legend *legend) {
    for (size_t s = 0; s < nnd_panel_sizes(panel); s++) {
        nnd_legend_entry *entry = nnd_legend_add(legend, "");
        if (entry == NULL)
            return;
        entry->line = false;
        entry->point = true;
        entry->colour = colour;
        entry->shape = s;
        char size[NND_PLOT_LABEL / 2] = "";
        if (panel->size != NULL)
            nnd_coord_text(panel->size, s, sizeof size, size);
        snprintf(entry->label, sizeof entry->label, "simulation%s%s",
                 size[0] != '\0' ? ", size " : "", size);
    }
}

void nnd_legend_make(const nnd_panel *panel, nnd_legend *legend) {
    size_t colours = nnd_panel_colours(panel), dashes = nnd_panel_dashes(panel);
    unsigned neutral = colours > 1 ? NEUTRAL : nnd_plot_colour(0, 1);
    nnd_legend_entry *entry;
    legend->count = 0;
    for (size_t c = 0; colours > 1 && c < colours && (entry = nnd_legend_add(legend, "")) != NULL;
         c++) {
        entry->colour = nnd_plot_colour(c, colours);
        nnd_panel_describe(panel, 0, panel->colour_keys, c * dashes, sizeof entry->label,
                           entry->label);
    }
    for (size_t d = 0; dashes > 1 && d < dashes && (entry = nnd_legend_add(legend, "")) != NULL;
         d++) {
        entry->colour = neutral;
        entry->dash = d;
        nnd_panel_describe(panel, panel->colour_keys, panel->keys, d, sizeof entry->label,
                           entry->label);
    }
    if (panel->mc.array == NULL)
        return;
    if (panel->theory.array != NULL && (entry = nnd_legend_add(legend, "theory")) != NULL)
        entry->colour = neutral;
    add_simulation(panel, neutral, legend);
}

static bool same(const nnd_legend_entry *a, const nnd_legend_entry *b) {
    return strcmp(a->label, b->label) == 0 && a->line == b->line && a->point == b->point &&
           a->band == b->band && a->arrow == b->arrow && a->colour == b->colour &&
           a->dash == b->dash && a->shape == b->shape;
}

static bool has(const nnd_legend *legend, const nnd_legend_entry *entry) {
    for (size_t i = 0; i < legend->count; i++)
        if (same(&legend->entry[i], entry))
            return true;
    return false;
}

/* Keeps the entries that `other` has (or has not). */
static void filter(nnd_legend *legend, const nnd_legend *other, bool keep) {
    size_t kept = 0;
    for (size_t i = 0; i < legend->count; i++)
        if (has(other, &legend->entry[i]) == keep)
            legend->entry[kept++] = legend->entry[i];
    legend->count = kept;
}

void nnd_legend_intersect(nnd_legend *shared, const nnd_legend *legend) {
    filter(shared, legend, true);
}

void nnd_legend_subtract(nnd_legend *legend, const nnd_legend *shared) {
    filter(legend, shared, false);
}

/* How many characters a text has: bytes that do not go on with one. */
static size_t characters(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

double nnd_legend_width(const nnd_legend *legend) {
    size_t longest = 0;
    for (size_t i = 0; i < legend->count; i++) {
        size_t length = characters(legend->entry[i].label);
        longest = length > longest ? length : longest;
    }
    return legend->count > 0 ? 50.0 + 7.4 * (double)longest : 0.0;
}

void nnd_legend_write(const nnd_legend *legend, const char **separator, FILE *out) {
    for (size_t i = 0; i < legend->count; i++) {
        const nnd_legend_entry *e = &legend->entry[i];
        fprintf(out, "%skeyentry with %s lc rgb '#%06X'", *separator,
                e->point   ? "points"
                : e->band  ? "boxes"
                : e->arrow ? "vectors head filled size graph 0.025,20 lw 1.6"
                           : "lines",
                e->colour);
        if (e->point)
            fprintf(out, " pt %d ps 0.7", nnd_plot_point(e->shape));
        else if (e->band)
            fputs(" fs solid 1.0 noborder", out);
        else if (e->line && !e->arrow)
            fprintf(out, " lw 2 dt %s", nnd_plot_dash(e->dash));
        fputs(" title ", out);
        nnd_plot_quote(out, e->label);
        fputs(" noenhanced", out);
        *separator = ", \\\n  ";
    }
}
