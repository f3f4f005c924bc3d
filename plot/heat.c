/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Matrices of samples, layers or times as heat maps, theory beside simulation. */
#include <math.h>

#include "plot/plot_impl.h"

/* The most cells along an axis. */
enum { RESOLUTION = 128 };
static const double OVERLAP = 0.2;

static size_t source_count(const nnd_panel *panel) {
    return (size_t)(panel->theory.array != NULL) + (panel->mc.array != NULL);
}

/* A matrix that moves in time is shown before and after. */
static size_t times(const nnd_panel *panel) {
    return panel->before_after ? 2 : 1;
}

static size_t cells(const nnd_panel *panel) {
    return source_count(panel) * times(panel) * nnd_panel_cells(panel);
}

/* One matrix and the coordinates of its axes. */
typedef struct {
    const nnd_dim *x, *y;
    bool log_x, log_y;
    const double *value;
    size_t x_stride, y_stride, x_step, y_step;
} matrix;

static size_t step_of(const nnd_dim *dim) {
    return (dim->length + RESOLUTION - 1) / RESOLUTION;
}

/* Names, and numbers with an infinite one among them, stand side by side. */
static bool is_listed(const nnd_dim *dim) {
    bool listed = nnd_plot_is_category(dim);
    for (size_t i = 0; !listed && i < dim->length; i++)
        listed = !isfinite(dim->value[i]);
    return listed;
}

/* A logarithmic axis is asked for and all coordinates are positive. */
static bool is_logarithmic(const nnd_dim *dim, bool asked) {
    bool all = asked && !is_listed(dim);
    for (size_t i = 0; all && i < dim->length; i++)
        all = dim->value[i] > 0.0;
    return all;
}

/* The simulation is shown at its last size. */
static bool read_matrix(const nnd_panel *panel, const nnd_source *source, matrix *m) {
    size_t offset;
    if (!nnd_panel_offset(panel, source, 0, nnd_panel_sizes(panel) - 1, &offset))
        return false;
    *m = (matrix){
        .x = nnd_frame_find_dim(source->frame, panel->x->name),
        .y = nnd_frame_find_dim(source->frame, panel->y->name),
        .value = source->array->data + offset,
        .x_stride = nnd_source_stride(source, panel->x),
        .y_stride = nnd_source_stride(source, panel->y),
    };
    if (m->x_stride == 0 || m->y_stride == 0)
        return false;
    m->log_x = is_logarithmic(m->x, panel->log_x);
    m->log_y = is_logarithmic(m->y, panel->log_y);
    m->x_step = step_of(m->x);
    m->y_step = step_of(m->y);
    return true;
}

static double coordinate(const nnd_dim *dim, size_t i, bool log_scale) {
    double at = is_listed(dim) ? (double)i : dim->value[i];
    return log_scale ? log(at) : at;
}

/* The two ends of the cell at i: half way to its neighbours. */
static void edges(const nnd_dim *dim, size_t i, size_t step, bool log_scale, double *low,
                  double *high) {
    double at = coordinate(dim, i, log_scale);
    bool first = i < step, last = i + step >= dim->length;
    double before = first ? NAN : 0.5 * (at - coordinate(dim, i - step, log_scale));
    double after = last ? NAN : 0.5 * (coordinate(dim, i + step, log_scale) - at);
    *low = at - (first ? (last ? 0.5 : after) : before);
    *high = at + (last ? (first ? 0.5 : before) : after);
    if (log_scale) {
        *low = exp(*low);
        *high = exp(*high);
    }
}

static void span_values(const nnd_panel *panel, const nnd_source *source, nnd_span *span) {
    matrix m;
    if (!read_matrix(panel, source, &m))
        return;
    for (size_t i = 0; i < m.x->length; i += m.x_step)
        for (size_t j = 0; j < m.y->length; j += m.y_step) {
            double value = m.value[i * m.x_stride + j * m.y_stride];
            if (isfinite(value))
                nnd_span_widen(span, value);
        }
}

static void write_matrix(const matrix *m, FILE *out) {
    fputs("$matrix << EOD\n", out);
    for (size_t i = 0; i < m->x->length; i += m->x_step)
        for (size_t j = 0; j < m->y->length; j += m->y_step) {
            double value = m->value[i * m->x_stride + j * m->y_stride];
            double x0, x1, y0, y1;
            if (!isfinite(value))
                continue;
            edges(m->x, i, m->x_step, m->log_x, &x0, &x1);
            edges(m->y, j, m->y_step, m->log_y, &y0, &y1);
            /* The next cell covers the overlap; without it the page shines through the seams. */
            double x2 = i + m->x_step < m->x->length ? x1 + OVERLAP * (x1 - x0) : x1;
            double y2 = j + m->y_step < m->y->length ? y1 + OVERLAP * (y1 - y0) : y1;
            nnd_print(out, "%.12g %.12g %.12g %.12g %.12g %.12g %.12g\n", 0.5 * (x0 + x1),
                      0.5 * (y0 + y1), x0, x2, y0, y2, value);
        }
    fputs("EOD\n", out);
}

/* Values of both signs get two colours that meet in white at zero. */
static void write_palette(nnd_span span, FILE *out) {
    if (span.min < 0.0 && span.max > 0.0) {
        double top = fmax(-span.min, span.max);
        nnd_print(out,
                  "set palette defined (-1 '#0072B2', -0.5 '#7FB8D8', 0 '#FFFFFF', 0.5 '#EAAE7F',"
                  " 1 '#D55E00')\nset cbrange [%.12g:%.12g]\n",
                  -top, top);
        return;
    }
    fputs("set palette defined (0 '#440154', 1 '#3B528B', 2 '#21918C', 3 '#5EC962', 4 '#FDE725')\n",
          out);
    double room = nnd_span_is_point(span) ? fmax(0.05 * fabs(span.max), 1e-12) : 0.0;
    nnd_print(out, "set cbrange [%.12g:%.12g]\n", span.min - room, span.max + room);
}

/* Tics of coordinates that stand side by side. */
static void write_list(const nnd_dim *dim, const char *axis, FILE *out) {
    enum { MOST = 16 };
    char text[NND_PLOT_LABEL];
    fprintf(out, "set %stics noenhanced (", axis);
    for (size_t i = 0; i < dim->length; i += (dim->length + MOST - 1) / MOST) {
        nnd_coord_text(dim, i, sizeof text, text);
        fputs(i > 0 ? ", " : "", out);
        nnd_plot_quote(out, text);
        fprintf(out, " %zu", i);
    }
    fputs(")\n", out);
}

static void write_axis(const nnd_panel *panel, const nnd_dim *dim, size_t step, bool log_scale,
                       const char *axis, FILE *out) {
    double low, high, unused;
    size_t last = (dim->length - 1) / step * step;
    edges(dim, 0, step, log_scale, &low, &unused);
    edges(dim, last, step, log_scale, &unused, &high);
    if (log_scale)
        fprintf(out, "set logscale %s\n", axis);
    nnd_print(out, "set %srange [%.12g:%.12g]\n", axis, low, high);
    if (is_listed(dim))
        write_list(dim, axis, out);
    else if (dim->kind == NND_COORD_INTEGER && dim->length <= 10)
        fprintf(out, "set %stics 1\n", axis);
    nnd_plot_dim_label(panel, dim, axis, out);
}

static void write_title(const nnd_panel *panel, bool theory, FILE *out) {
    char at[NND_PLOT_LABEL], place[NND_PLOT_LABEL], size[NND_PLOT_LABEL] = "", text[NND_PLOT_TEXT];
    char of[32] = "";
    nnd_panel_describe(panel, 0, panel->keys, 0, sizeof at, at);
    nnd_panel_place(panel, sizeof place, place);
    if (!theory && panel->size != NULL)
        nnd_coord_text(panel->size, nnd_panel_sizes(panel) - 1, sizeof size, size);
    if (panel->all_curves > 1)
        snprintf(of, sizeof of, " (1 of %zu)", panel->all_curves);
    snprintf(text, sizeof text, "%.128s%s, %s%s%s%s%s%s", panel->name, place,
             theory ? "theory" : "simulation", size[0] != '\0' ? ", size " : "", size,
             at[0] != '\0' ? ", " : "", at, of);
    fputs("set title ", out);
    nnd_plot_quote(out, text);
    fputs(" noenhanced\n", out);
}

static void draw_matrix(const nnd_panel *panel, bool theory, FILE *out) {
    const nnd_source *source = theory ? &panel->theory : &panel->mc;
    nnd_span mine = nnd_span_empty;
    matrix m;
    span_values(panel, source, &mine);
    write_title(panel, theory, out);
    if (!read_matrix(panel, source, &m) || mine.min > mine.max) {
        nnd_plot_nothing(out);
        return;
    }
    /* Theory and simulation share their colours. */
    nnd_span span = nnd_span_empty;
    span_values(panel, &panel->theory, &span);
    span_values(panel, &panel->mc, &span);
    write_axis(panel, m.x, m.x_step, m.log_x, "x", out);
    write_axis(panel, m.y, m.y_step, m.log_y, "y", out);
    write_palette(span, out);
    nnd_plot_value_label(panel, "cb", out);
    fputs("set tics out front\n", out);
    write_matrix(&m, out);
    fputs("plot $matrix using 1:2:3:4:5:6:7 with boxxyerror fillstyle solid 1.0 noborder"
          " lc palette notitle\n",
          out);
}

/* Theory beside simulation, before above after, facet after facet. */
static void draw(const nnd_panel *panel, size_t cell, const nnd_legend *legend, FILE *out) {
    (void)legend;
    nnd_panel here = *panel;
    size_t sources = source_count(panel), at = cell / sources % times(panel);
    here.facet.at = cell / sources / times(panel);
    if (panel->before_after && at == 0)
        here.instant.at = 0;
    draw_matrix(&here, cell % sources == 0 && panel->theory.array != NULL, out);
}

const nnd_panel_kind nnd_panel_heat = {cells, 100.0, NULL, draw};
