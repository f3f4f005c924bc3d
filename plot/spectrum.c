/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Histograms, as of singular values: what simulations count as boxes, the law of the bulk as a
 * line, the outliers of the theory as arrows. Before training the simulation is a pale outline.
 */
#include <math.h>

#include "plot/plot_impl.h"

static const unsigned PALE = 0x999999;

/* What a spectrum is put together from; each is a copy of the panel with sources of its own. */
typedef struct {
    nnd_panel last, first, law, outlier;
    const nnd_variable *of_law, *of_outlier; /* what stands beside it in the model's table */
    const nnd_guide *line, *arrow;           /* NULL: nothing */
    const nnd_dim *rank;                     /* of the outliers of the theory */
    size_t ranks;                            /* how many of them there may be */
    bool early; /* t = 0 is shown too: it is there, and there is one curve */
} spectrum;

static const nnd_guide *guide(const nnd_panel *panel, nnd_guide_kind kind) {
    const nnd_guide *c = panel->drawing->guides;
    while (c != NULL && c->name != NULL && c->kind != kind)
        c++;
    return c != NULL && c->name != NULL ? c : NULL;
}

static const nnd_variable *variable(const nnd_panel *panel, const nnd_guide *c) {
    return c != NULL ? nnd_model_variable(panel->model, c->name) : NULL;
}

static void find_outliers(spectrum *s) {
    const nnd_frame *theory = s->outlier.theory.frame;
    s->outlier.theory = nnd_source_of(theory, s->of_outlier->name);
    if (s->outlier.theory.array == NULL)
        return;
    const nnd_dim *time = nnd_frame_find_dim(theory, "t");
    if (s->of_outlier->drawing.rank != NULL)
        s->rank = nnd_frame_find_dim(theory, s->of_outlier->drawing.rank);
    s->ranks =
        s->rank != NULL && nnd_source_stride(&s->outlier.theory, s->rank) > 0 ? s->rank->length : 1;
    if (s->outlier.instant.dim == NULL && time != NULL)
        s->outlier.instant = (nnd_plot_pin){time, time->length - 1};
}

/* `panel` stands in a cell. */
static void take_apart(const nnd_panel *panel, spectrum *s) {
    const nnd_dim *t = panel->instant.dim;
    *s = (spectrum){.last = *panel, .first = *panel, .law = *panel, .outlier = *panel};
    s->line = guide(panel, NND_GUIDE_LINE);
    s->arrow = guide(panel, NND_GUIDE_ARROW);
    s->of_law = variable(panel, s->line);
    s->of_outlier = variable(panel, s->arrow);
    s->first.instant.at = 0;
    s->early = panel->curves == 1 && t != NULL && t->length > 1 && t->kind != NND_COORD_TEXT &&
               t->value[0] == 0.0;
    if (s->of_law != NULL)
        s->law.theory = nnd_source_of(panel->theory.frame, s->of_law->name);
    if (s->of_outlier != NULL)
        find_outliers(s);
}

/* The outlier of one rank; NaN if it has not escaped. */
static double outlier(const spectrum *s, size_t curve, size_t rank) {
    const nnd_source *source = &s->outlier.theory;
    size_t offset;
    if (!nnd_panel_offset(&s->outlier, source, curve, 0, &offset))
        return NAN;
    size_t stride = s->rank != NULL ? nnd_source_stride(source, s->rank) : 0;
    return source->array->data[offset + rank * stride];
}

/* What is drawn over x, from below: simulations at their last size, before training, theory. */
typedef enum { HIST, EARLY, LAW, LAYERS } layer;

/* The curve of a layer; false if there is none. */
static bool find(const spectrum *s, layer which, size_t curve, nnd_trace *trace) {
    const nnd_panel *panel = which == HIST ? &s->last : which == EARLY ? &s->first : &s->law;
    if (which == EARLY && !s->early)
        return false;
    return which == LAW
               ? nnd_panel_trace(panel, &panel->theory, curve, 0, trace)
               : nnd_panel_trace(panel, &panel->mc, curve, nnd_panel_sizes(panel) - 1, trace);
}

/* Empty bins do not widen the axis. */
static void measure(const spectrum *s, nnd_span *x, nnd_span *y) {
    nnd_trace trace;
    for (size_t c = 0; c < s->last.curves; c++) {
        for (layer l = HIST; l < LAYERS; l++)
            for (size_t i = 0; find(s, l, c, &trace) && i < trace.count; i++) {
                double value = nnd_trace_at(&trace, i);
                if (!isfinite(value) || value <= 0.0)
                    continue;
                nnd_span_widen(x, trace.x->value[i]);
                nnd_span_widen(y, value);
            }
        for (size_t k = 0; k < s->ranks; k++) {
            double at = outlier(s, c, k);
            if (isfinite(at))
                x->max = fmax(x->max, at);
        }
    }
}

/* The nearest bin that is there, from i on in either direction; count if there is none. In a sweep
 * each curve may have bins of its own, and NaN at those of the others. */
static size_t next_bin(const nnd_trace *trace, size_t i, bool up) {
    while (i < trace->count && !isfinite(nnd_trace_at(trace, i)))
        i = up ? i + 1 : i - 1; /* below zero wraps around, past the end */
    return i < trace->count ? i : trace->count;
}

/* "z value width" per bin; a line that lies on the axis is left out. */
static void write_bins(const nnd_trace *trace, bool line, FILE *out) {
    const double *z = trace->x->value;
    size_t n = trace->count;
    for (size_t i = next_bin(trace, 0, true); i < n; i = next_bin(trace, i + 1, true)) {
        size_t left = next_bin(trace, i - 1, false), right = next_bin(trace, i + 1, true);
        double width = right < n ? z[right] - z[i] : left < n ? z[i] - z[left] : 1.0;
        bool flat = nnd_trace_at(trace, i) <= 0.0 &&
                    !(left < n && nnd_trace_at(trace, left) > 0.0) &&
                    !(right < n && nnd_trace_at(trace, right) > 0.0);
        if (line && flat)
            fputs("\n", out);
        else
            nnd_print(out, "%.12g %.12g %.12g\n", z[i], nnd_trace_at(trace, i), width);
    }
}

static void write_data(const spectrum *s, FILE *out) {
    static const char *const names[] = {"hist", "early", "law"};
    nnd_trace trace;
    for (size_t c = 0; c < s->last.curves; c++)
        for (layer l = HIST; l < LAYERS; l++) {
            if (!find(s, l, c, &trace))
                continue;
            fprintf(out, "$%s%zu << EOD\n", names[l], c);
            write_bins(&trace, l == LAW, out);
            fputs("EOD\n", out);
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
    static const char *const styles[] = {
        "$hist%zu using 1:2:3 with boxes fs transparent solid 0.35 noborder",
        "$early%zu using 1:2 with histeps lw 1", "$law%zu using 1:2 with lines lw 2"};
    nnd_trace trace;
    for (layer l = HIST; l < LAYERS; l++)
        for (size_t c = 0; c < s->last.curves; c++)
            if (find(s, l, c, &trace))
                nnd_plot_element(list, l == EARLY ? PALE : nnd_plot_colour(c, s->last.curves),
                                 styles[l], c);
}

/* The axes are called after what stands beside the histogram. */
static void write_axes(const spectrum *s, nnd_span x, nnd_span y, FILE *out) {
    double room = 0.04 * (x.max - x.min);
    const char *values = s->of_outlier != NULL ? s->of_outlier->long_name : s->last.x->name;
    const char *density = s->of_law != NULL ? s->of_law->long_name : s->last.name;
    nnd_print(out, "set xrange [%.12g:%.12g]\nset yrange [0:%.12g]\n", fmax(0.0, x.min - room),
              x.max + 2.0 * room, 1.06 * y.max);
    nnd_plot_axis_label("x", values, out);
    nnd_plot_axis_label("y", density, out);
    nnd_plot_legend_place(out);
}

static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    nnd_span x = nnd_span_empty, y = {0.0, -INFINITY};
    spectrum s;
    here.facet.at = cell;
    take_apart(&here, &s);
    measure(&s, &x, &y);
    nnd_plot_title(&here, nnd_model_variable(here.model, here.name)->view, out);
    if (!(x.min < x.max && y.max > 0.0)) {
        nnd_plot_nothing(out);
        return;
    }
    write_axes(&s, x, y, out);
    write_data(&s, out);
    write_arrows(&s, out);
    nnd_plot_elements list = {out, "plot "};
    write_plot(&s, &list);
    nnd_legend_write(legend, &list.separator, out);
    fputc('\n', out);
}

static void add_line(nnd_legend *legend, const char *label, unsigned colour, bool arrow) {
    nnd_legend_entry *entry = nnd_legend_add(legend, label);
    if (entry == NULL)
        return;
    entry->colour = colour;
    entry->arrow = arrow;
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
        add_line(legend, label, nnd_plot_colour(c, panel->curves), false);
    }
    if (s.law.theory.array != NULL)
        add_line(legend, s.line != NULL ? s.line->label : "theory", line, false);
    if (s.ranks > 0)
        add_line(legend, s.arrow->label, line, true);
    if (s.last.mc.array != NULL)
        nnd_legend_add_band(legend, "simulation", box);
    if (s.last.mc.array != NULL && s.early)
        add_line(legend, "simulation at t = 0", PALE, false);
}

const nnd_panel_kind nnd_panel_spectrum = {nnd_panel_cells, 14.0, legend, draw};
