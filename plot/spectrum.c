/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Singular values of each matrix: what simulations count as boxes, the law of the bulk as a line,
 * the outliers of the theory as arrows. Before training the simulation is a pale outline.
 */
#include <math.h>
#include <string.h>

#include "plot/plot_impl.h"

static const unsigned PALE = 0x999999;

/* What a spectrum is put together from; each is a copy of the panel with sources of its own. */
typedef struct {
    nnd_panel last, first, law, outlier;
    bool early;   /* t = 0 is shown too: it is there, and there is one curve */
    size_t ranks; /* outliers of the theory */
} spectrum;

static bool suits(const nnd_panel *panel) {
    return panel->x != NULL && strcmp(panel->x->name, "z") == 0 && panel->y == NULL &&
           !nnd_plot_is_category(panel->x) &&
           (strcmp(panel->name, "sv_hist") == 0 || strcmp(panel->name, "sv_density") == 0);
}

/* `panel` stands in a cell. */
static void take_apart(const nnd_panel *panel, spectrum *s) {
    const nnd_frame *theory = panel->theory.frame;
    const nnd_dim *t = panel->instant.dim;
    *s = (spectrum){.last = *panel, .first = *panel, .law = *panel, .outlier = *panel};
    s->last.mc = nnd_source_of(panel->mc.frame, "sv_hist");
    s->first.mc = s->last.mc;
    s->first.instant.at = 0;
    s->early = panel->curves == 1 && t != NULL && t->length > 1 && t->kind != NND_COORD_TEXT &&
               t->value[0] == 0.0;
    s->law.theory = nnd_source_of(theory, "sv_density");
    s->outlier.theory = nnd_source_of(theory, "outlier");
    if (s->outlier.theory.array == NULL)
        return;
    const nnd_dim *k = nnd_frame_find_dim(theory, "k"), *time = nnd_frame_find_dim(theory, "t");
    s->ranks = k != NULL && nnd_source_stride(&s->outlier.theory, k) > 0 ? k->length : 1;
    if (t == NULL && time != NULL)
        s->outlier.instant = (nnd_plot_pin){time, time->length - 1};
}

/* Simulations are shown at their last size. */
static bool counts(const nnd_panel *panel, size_t curve, nnd_trace *trace) {
    return nnd_panel_trace(panel, &panel->mc, curve, nnd_panel_sizes(panel) - 1, trace);
}

static bool law(const spectrum *s, size_t curve, nnd_trace *trace) {
    return nnd_panel_trace(&s->law, &s->law.theory, curve, 0, trace);
}

/* The outlier of one rank; NaN if it has not escaped. */
static double outlier(const spectrum *s, size_t curve, size_t rank) {
    const nnd_source *source = &s->outlier.theory;
    size_t offset;
    if (!nnd_panel_offset(&s->outlier, source, curve, 0, &offset))
        return NAN;
    const nnd_dim *k = nnd_frame_find_dim(source->frame, "k");
    size_t stride = k != NULL ? nnd_source_stride(source, k) : 0;
    return source->array->data[offset + rank * stride];
}

/* Empty bins do not widen the axis. */
static void measure(const nnd_trace *trace, nnd_span *x, nnd_span *y) {
    for (size_t i = 0; i < trace->count; i++) {
        double value = trace->y[i * trace->stride];
        if (!isfinite(value) || value <= 0.0)
            continue;
        x->min = fmin(x->min, trace->x->value[i]);
        x->max = fmax(x->max, trace->x->value[i]);
        y->max = fmax(y->max, value);
    }
}

static void measure_all(const spectrum *s, nnd_span *x, nnd_span *y) {
    nnd_trace trace;
    for (size_t c = 0; c < s->last.curves; c++) {
        if (counts(&s->last, c, &trace))
            measure(&trace, x, y);
        if (s->early && counts(&s->first, c, &trace))
            measure(&trace, x, y);
        if (law(s, c, &trace))
            measure(&trace, x, y);
        for (size_t k = 0; k < s->ranks; k++) {
            double at = outlier(s, c, k);
            if (isfinite(at))
                x->max = fmax(x->max, at);
        }
    }
    y->min = 0.0;
}

/* The nearest bin that is there, from i on in either direction; count if there is none. In a sweep
 * each curve may have bins of its own, and NaN at those of the others. */
static size_t next_bin(const nnd_trace *trace, size_t i, bool up) {
    while (i < trace->count && !isfinite(trace->y[i * trace->stride]))
        i = up ? i + 1 : i - 1; /* below zero wraps around, past the end */
    return i < trace->count ? i : trace->count;
}

/* "z value width" per bin; a line that lies on the axis is left out. */
static void write_bins(const nnd_trace *trace, const char *name, size_t curve, bool line,
                       FILE *out) {
    const double *z = trace->x->value, *y = trace->y;
    size_t n = trace->count, stride = trace->stride;
    fprintf(out, "$%s%zu << EOD\n", name, curve);
    for (size_t i = next_bin(trace, 0, true); i < n; i = next_bin(trace, i + 1, true)) {
        size_t left = next_bin(trace, i - 1, false), right = next_bin(trace, i + 1, true);
        double width = right < n ? z[right] - z[i] : left < n ? z[i] - z[left] : 1.0;
        bool flat = y[i * stride] <= 0.0 && !(left < n && y[left * stride] > 0.0) &&
                    !(right < n && y[right * stride] > 0.0);
        if (line && flat)
            fputs("\n", out);
        else
            nnd_print(out, "%.12g %.12g %.12g\n", z[i], y[i * stride], width);
    }
    fputs("EOD\n", out);
}

static void write_data(const spectrum *s, FILE *out) {
    nnd_trace trace;
    for (size_t c = 0; c < s->last.curves; c++) {
        if (counts(&s->last, c, &trace))
            write_bins(&trace, "hist", c, false, out);
        if (s->early && counts(&s->first, c, &trace))
            write_bins(&trace, "early", c, false, out);
        if (law(s, c, &trace))
            write_bins(&trace, "law", c, true, out);
    }
}

static void write_arrows(const spectrum *s, FILE *out) {
    for (size_t c = 0; c < s->last.curves; c++)
        for (size_t k = 0; k < s->ranks; k++) {
            double at = outlier(s, c, k);
            if (isfinite(at))
                nnd_print(out,
                          "set arrow from first %.12g, graph 0.3 to first %.12g, graph 0.0 front"
                          " head filled size graph 0.025,20 lw 1.6 lc rgb '#%06X'\n",
                          at, at, nnd_plot_colour(c, s->last.curves));
        }
}

static void write_plot(const spectrum *s, nnd_plot_elements *list) {
    nnd_trace trace;
    size_t n = s->last.curves;
    for (size_t c = 0; c < n; c++)
        if (counts(&s->last, c, &trace)) {
            nnd_plot_next(list);
            fprintf(list->out,
                    "$hist%zu using 1:2:3 with boxes fs transparent solid 0.35 noborder"
                    " lc rgb '#%06X' notitle",
                    c, nnd_plot_colour(c, n));
        }
    for (size_t c = 0; s->early && c < n; c++)
        if (counts(&s->first, c, &trace)) {
            nnd_plot_next(list);
            fprintf(list->out, "$early%zu using 1:2 with histeps lw 1 lc rgb '#%06X' notitle", c,
                    PALE);
        }
    for (size_t c = 0; c < n; c++)
        if (law(s, c, &trace)) {
            nnd_plot_next(list);
            fprintf(list->out, "$law%zu using 1:2 with lines lw 2 lc rgb '#%06X' notitle", c,
                    nnd_plot_colour(c, n));
        }
}

static void write_axes(nnd_span x, nnd_span y, FILE *out) {
    double room = 0.04 * (x.max - x.min);
    nnd_print(out, "set xrange [%.12g:%.12g]\nset yrange [0:%.12g]\n", fmax(0.0, x.min - room),
              x.max + 2.0 * room, 1.06 * y.max);
    fputs("set xlabel 'singular value'\nset ylabel 'density of singular values'\n"
          "set key at graph 1.0, graph 1.0 left top Left reverse maxcols 1 samplen 2.5"
          " spacing 1.2\n",
          out);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    nnd_span x = nnd_span_empty, y = nnd_span_empty;
    spectrum s;
    here.facet.at = cell;
    take_apart(&here, &s);
    measure_all(&s, &x, &y);
    nnd_curves_title(&here, "spectrum", out);
    if (!(x.min < x.max && y.max > 0.0)) {
        nnd_curves_nothing(out);
        return;
    }
    write_axes(x, y, out);
    write_data(&s, out);
    write_arrows(&s, out);
    nnd_plot_elements list = {out, "plot "};
    write_plot(&s, &list);
    nnd_legend_write(legend, &list.separator, out);
    fputc('\n', out);
}

static void add_entry(nnd_legend *legend, const char *label, unsigned colour, bool band) {
    nnd_legend_entry *entry = nnd_legend_add(legend, label);
    if (entry == NULL)
        return;
    entry->colour = colour;
    entry->band = band;
    entry->line = !band;
}

static void legend(const nnd_panel *panel, nnd_legend *legend) {
    spectrum s;
    take_apart(panel, &s);
    legend->count = 0;
    bool one = panel->curves == 1;
    unsigned line = one ? nnd_plot_colour(0, 1) : 0x555555, box = one ? 0xA6CDE4 : 0xC4C4C4;
    for (size_t c = 0; !one && c < panel->curves; c++) {
        char label[NND_PLOT_LABEL];
        nnd_panel_describe(panel, 0, panel->keys, c, sizeof label, label);
        add_entry(legend, label, nnd_plot_colour(c, panel->curves), false);
    }
    if (s.law.theory.array != NULL)
        add_entry(legend, "theory, bulk", line, false);
    if (s.ranks > 0)
        add_entry(legend, "theory, outlier", line, false);
    if (s.ranks > 0 && legend->count > 0)
        legend->entry[legend->count - 1].arrow = true;
    if (s.last.mc.array != NULL)
        add_entry(legend, "simulation", box, true);
    if (s.last.mc.array != NULL && s.early)
        add_entry(legend, "simulation at t = 0", PALE, false);
}

const nnd_panel_kind nnd_panel_spectrum = {
    .suits = suits,
    .cells = nnd_panel_cells,
    .right_margin = 14.0,
    .legend = legend,
    .draw = draw,
};
