/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Matrices of samples, layers or times as heat maps, theory beside simulation. */
#include <math.h>
#include <string.h>

#include "plot/cell.h"
#include "plot/label.h"

/* The most cells along an axis. */
enum { RESOLUTION = 128 };
static const double OVERLAP = 0.2;

/* A dimension as an axis; of a long one only each step-th value is drawn. */
typedef struct {
    const nnd_dim *dim;
    bool listed, log;
    size_t step, stride; /* in coordinates, in memory */
} axis;

/* One matrix. */
typedef struct {
    axis x, y;
    const double *value;
} matrix;

/* Names, and numbers with an infinite one among them, stand side by side. An axis is logarithmic if
 * that is asked for and all coordinates are positive. */
static axis make_axis(const nnd_source *source, const nnd_dim *of, bool log_asked) {
    const nnd_dim *dim = nnd_frame_find_dim(source->frame, of->name);
    axis a = {.dim = dim, .stride = nnd_source_stride(source, dim)};
    a.step = (dim->length + RESOLUTION - 1) / RESOLUTION;
    a.listed = nnd_dim_is_category(dim) || nnd_dim_has_infinity(dim);
    a.log = log_asked && !a.listed;
    for (size_t i = 0; a.log && i < dim->length; i++)
        a.log = dim->value[i] > 0.0;
    return a;
}

static bool read_matrix(const nnd_panel *panel, const nnd_source *source, matrix *m) {
    size_t offset;
    if (!nnd_trace_offset(panel, source, 0, 0, &offset) ||
        nnd_source_dim(source, panel->x->name) == NULL ||
        nnd_source_dim(source, panel->y->name) == NULL)
        return false;
    *m = (matrix){make_axis(source, panel->x, panel->log_x),
                  make_axis(source, panel->y, panel->log_y), source->array->data + offset};
    return true;
}

static double coordinate(const axis *a, size_t i) {
    double at = a->listed ? (double)i : a->dim->value[i];
    return a->log ? log(at) : at;
}

/* The two ends of the cell at i: half way to its neighbours. */
static void edges(const axis *a, size_t i, double *low, double *high) {
    double at = coordinate(a, i);
    bool first = i < a->step, last = i + a->step >= a->dim->length;
    double before = first ? NAN : 0.5 * (at - coordinate(a, i - a->step));
    double after = last ? NAN : 0.5 * (coordinate(a, i + a->step) - at);
    *low = at - (first ? (last ? 0.5 : after) : before);
    *high = at + (last ? (first ? 0.5 : before) : after);
    if (a->log) {
        *low = exp(*low);
        *high = exp(*high);
    }
}

static void span_values(const nnd_panel *panel, const nnd_source *source, nnd_span *span) {
    matrix m;
    if (!read_matrix(panel, source, &m))
        return;
    for (size_t i = 0; i < m.x.dim->length; i += m.x.step)
        for (size_t j = 0; j < m.y.dim->length; j += m.y.step) {
            double value = m.value[i * m.x.stride + j * m.y.stride];
            if (isfinite(value))
                nnd_span_widen(span, value);
        }
}

/* The next cell covers the overlap; without it the page shines through the seams. */
static double covered(const axis *a, size_t i, double low, double high) {
    return i + a->step < a->dim->length ? high + OVERLAP * (high - low) : high;
}

static void write_matrix(const matrix *m, FILE *out) {
    double x0, x1, y0, y1;
    fputs("$matrix << EOD\n", out);
    for (size_t i = 0; i < m->x.dim->length; i += m->x.step)
        for (size_t j = 0; j < m->y.dim->length; j += m->y.step) {
            double value = m->value[i * m->x.stride + j * m->y.stride];
            if (!isfinite(value))
                continue;
            edges(&m->x, i, &x0, &x1);
            edges(&m->y, j, &y0, &y1);
            nnd_print(out, "%.12g %.12g %.12g %.12g %.12g %.12g %.12g\n", 0.5 * (x0 + x1),
                      0.5 * (y0 + y1), x0, covered(&m->x, i, x0, x1), y0, covered(&m->y, j, y0, y1),
                      value);
        }
    fputs("EOD\n", out);
}

static bool has_both_signs(nnd_span span) {
    return span.min < 0.0 && span.max > 0.0;
}

/* The bar of colours. Values of both signs stretch as far on both sides of zero. */
static nnd_axis bar_of(const nnd_panel *panel, nnd_span span) {
    nnd_axis bar = {.upright = true, .room = panel->upright};
    double top = fmax(-span.min, span.max);
    if (has_both_signs(span))
        span = (nnd_span){-top, top};
    if (nnd_span_is_point(span)) {
        double beside = fmax(0.05 * fabs(span.max), 1e-12);
        span = (nnd_span){span.min - beside, span.max + beside};
    }
    nnd_axis_fit(&bar, span);
    return bar;
}

/* Values of both signs get two colours that meet in white at zero. */
static void write_palette(const nnd_panel *panel, nnd_span span, FILE *out) {
    fputs(has_both_signs(span)
              ? "set palette defined (-1 '#0072B2', -0.5 '#7FB8D8', 0 '#FFFFFF', 0.5 '#EAAE7F',"
                " 1 '#D55E00')\n"
              : "set palette defined (0 '#440154', 1 '#3B528B', 2 '#21918C', 3 '#5EC962',"
                " 4 '#FDE725')\n",
          out);
    nnd_axis bar = bar_of(panel, span);
    nnd_axis_write(&bar, "cb", out);
}

/* Over coordinates that are numbers. */
static nnd_axis axis_over(const nnd_panel *panel, const axis *a, bool upright) {
    nnd_axis numbers = {.log = a->log,
                        .upright = upright,
                        .whole = a->dim->kind == NND_COORD_INTEGER,
                        .room = upright ? panel->upright : panel->level};
    nnd_span ends;
    double unused;
    edges(a, 0, &ends.min, &unused);
    edges(a, (a->dim->length - 1) / a->step * a->step, &unused, &ends.max);
    nnd_axis_fit(&numbers, ends);
    return numbers;
}

static void write_axis(const nnd_panel *panel, const axis *a, const char *name, FILE *out) {
    nnd_axis numbers = axis_over(panel, a, strcmp(name, "y") == 0);
    nnd_axis_write(&numbers, name, out);
    if (a->listed)
        nnd_plot_list_tics(panel, a->dim, name, out);
}

static void write_title(const nnd_panel *panel, bool theory, FILE *out) {
    char size[NND_PLOT_LABEL / 2] = "", keys[NND_PLOT_LABEL] = "", text[NND_PLOT_TEXT];
    bool sized = !theory && panel->size != NULL;
    nnd_plot_describe(panel, 0, panel->keys, 0, sizeof keys, keys);
    if (sized)
        nnd_coord_text(panel->size, panel->size->length - 1, sizeof size, size);
    snprintf(text, sizeof text, ", %s%s%s%s%s", theory ? "theory" : "simulation",
             sized ? ", size " : "", size, keys[0] != '\0' ? ", " : "", keys);
    nnd_plot_title(panel, panel->name, text, out);
}

/* Theory and simulation share their colours. */
static nnd_span span_of_both(const nnd_panel *panel) {
    nnd_span span = nnd_span_empty;
    span_values(panel, &panel->theory, &span);
    span_values(panel, &panel->mc, &span);
    return span;
}

static void draw_matrix(const nnd_panel *panel, bool theory, FILE *out) {
    const nnd_source *source = theory ? &panel->theory : &panel->mc;
    nnd_span mine = nnd_span_empty;
    matrix m;
    span_values(panel, source, &mine);
    write_title(panel, theory, out);
    if (!read_matrix(panel, source, &m) || nnd_span_is_empty(mine)) {
        nnd_cell_nothing("no finite values", out);
        return;
    }
    write_axis(panel, &m.x, "x", out);
    write_axis(panel, &m.y, "y", out);
    nnd_plot_x_dim_label(panel, m.x.dim, out);
    write_palette(panel, span_of_both(panel), out);
    fputs("set tics out front\n", out);
    write_matrix(&m, out);
    fputs("plot $matrix using 1:2:3:4:5:6:7 with boxxyerror fillstyle solid 1.0 noborder"
          " lc palette notitle\n",
          out);
}

/* The at-th matrix: theory beside simulation, before above after, facet after facet. Returns its
 * source. */
static bool pick(nnd_panel *panel, size_t at) {
    size_t sources = nnd_panel_sources(panel), times = panel->before_after ? 2 : 1;
    panel->facet.at = at / sources / times;
    if (panel->before_after && at / sources % times == 0)
        panel->instant.at = 0;
    return at % sources == 0 && panel->theory.array != NULL;
}

static void sides(const nnd_panel *panel, size_t at, nnd_side *y, nnd_side *bar) {
    nnd_panel here = *panel;
    bool theory = pick(&here, at);
    matrix m;
    if (!read_matrix(&here, theory ? &here.theory : &here.mc, &m))
        return;
    nnd_axis numbers = axis_over(&here, &m.y, true);
    nnd_plot_dim_text(&here, m.y.dim, sizeof y->text, y->text);
    /* Their marks, outside of the axes, are as long as a character. */
    y->tics = 1 + (m.y.listed ? nnd_plot_list_width(m.y.dim) : nnd_axis_width(&numbers));
    nnd_span span = span_of_both(&here);
    if (nnd_span_is_empty(span))
        return;
    nnd_axis colours = bar_of(&here, span);
    nnd_plot_value_text(&here, sizeof bar->text, bar->text);
    bar->tics = nnd_axis_width(&colours);
}

static void draw(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    (void)legend;
    bool theory = pick(&here, at);
    draw_matrix(&here, theory, out);
}

const nnd_cell_kind nnd_cell_heat = {NULL, sides, draw};
