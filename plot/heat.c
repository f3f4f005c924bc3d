/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Matrices of samples, layers or times as heat maps, theory beside simulation. */
#include <math.h>

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

static void write_axis(const nnd_panel *panel, const axis *a, const char *name, FILE *out) {
    double low, high, unused;
    edges(a, 0, &low, &unused);
    edges(a, (a->dim->length - 1) / a->step * a->step, &unused, &high);
    if (a->log)
        fprintf(out, "set logscale %s\n", name);
    nnd_print(out, "set %srange [%.12g:%.12g]\n", name, low, high);
    if (a->listed)
        nnd_plot_list_tics(a->dim, name, out);
    else if (a->dim->kind == NND_COORD_INTEGER && a->dim->length <= 10)
        fprintf(out, "set %stics 1\n", name);
    nnd_plot_dim_label(panel, a->dim, name, out);
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

static void draw_matrix(const nnd_panel *panel, bool theory, FILE *out) {
    const nnd_source *source = theory ? &panel->theory : &panel->mc;
    nnd_span mine = nnd_span_empty, span = nnd_span_empty;
    matrix m;
    span_values(panel, source, &mine);
    write_title(panel, theory, out);
    if (!read_matrix(panel, source, &m) || mine.min > mine.max) {
        nnd_cell_nothing("no finite values", out);
        return;
    }
    /* Theory and simulation share their colours. */
    span_values(panel, &panel->theory, &span);
    span_values(panel, &panel->mc, &span);
    write_axis(panel, &m.x, "x", out);
    write_axis(panel, &m.y, "y", out);
    write_palette(span, out);
    nnd_plot_value_label(panel, "cb", out);
    fputs("set tics out front\n", out);
    write_matrix(&m, out);
    fputs("plot $matrix using 1:2:3:4:5:6:7 with boxxyerror fillstyle solid 1.0 noborder"
          " lc palette notitle\n",
          out);
}

/* Theory beside simulation, before above after, facet after facet. */
static void draw(const nnd_panel *panel, size_t at, const nnd_legend *legend, FILE *out) {
    nnd_panel here = *panel;
    size_t sources = nnd_panel_sources(panel), times = panel->before_after ? 2 : 1;
    (void)legend;
    here.facet.at = at / sources / times;
    if (panel->before_after && at / sources % times == 0)
        here.instant.at = 0;
    draw_matrix(&here, at % sources == 0 && panel->theory.array != NULL, out);
}

const nnd_cell_kind nnd_cell_heat = {NULL, draw};
