/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The numbers of one curve: gaps, thinning, and what the axes must span. */
#include <math.h>

#include "plot/plot_impl.h"

/* Half the width of a theoretical value over a named position. */
static const double CATEGORY_WIDTH = 0.3;

const nnd_span nnd_span_empty = {INFINITY, -INFINITY};

bool nnd_plot_is_category(const nnd_dim *dim) {
    return dim == NULL || dim->kind == NND_COORD_TEXT;
}

bool nnd_panel_trace(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                     nnd_trace *trace) {
    size_t offset;
    if (!nnd_panel_offset(panel, source, curve, size, &offset))
        return false;
    size_t stride = panel->x != NULL ? nnd_source_stride(source, panel->x) : 0;
    bool constant = panel->x != NULL && stride == 0;
    /* A theory that does not depend on x is a level; a simulation is only where it was done. */
    if (constant && source != &panel->theory)
        return false;
    *trace = (nnd_trace){
        .x = panel->x != NULL && !constant ? nnd_frame_find_dim(source->frame, panel->x->name)
                                           : panel->x,
        .y = source->array->data + offset,
        .se = source->se != NULL ? source->se->data + offset : NULL,
        .stride = stride,
        .gaps = panel->gaps,
        .log_x = panel->log_x && !nnd_plot_is_category(panel->x),
        .log_y = panel->log_y,
    };
    /* A file may have numbers in one group where another has names. */
    if (nnd_plot_is_category(trace->x) != nnd_plot_is_category(panel->x))
        return false;
    trace->count = trace->x != NULL ? trace->x->length : 1;
    if (panel->drawing->over == NULL)
        return true;
    const nnd_source across = nnd_source_of(source->frame, panel->drawing->over);
    bool there = nnd_panel_offset(panel, &across, curve, size, &offset) &&
                 nnd_source_stride(&across, panel->x) == stride;
    trace->across = there ? across.array->data + offset : NULL;
    return there;
}

double nnd_trace_at(const nnd_trace *trace, size_t i) {
    return trace->y[i * trace->stride];
}

/* Reads point i; false at a gap. */
static bool point(const nnd_trace *trace, size_t i, double *x, double *y, double *se) {
    *x = nnd_plot_is_category(trace->x) ? (double)i : trace->x->value[i];
    if (trace->across != NULL)
        *x = trace->across[i * trace->stride];
    *y = nnd_trace_at(trace, i);
    *se = trace->se != NULL ? trace->se[i * trace->stride] : 0.0;
    if (!isfinite(*se))
        *se = 0.0;
    bool shown_x = isfinite(*x) && !(trace->log_x && *x <= 0.0);
    return shown_x && isfinite(*y) && !(trace->log_y && *y <= 0.0);
}

void nnd_span_widen(nnd_span *span, double x) {
    span->min = fmin(span->min, x);
    span->max = fmax(span->max, x);
}

size_t nnd_trace_measure(const nnd_trace *trace, nnd_span *x_span, nnd_span *y_span) {
    size_t points = 0;
    for (size_t i = 0; i < trace->count; i++) {
        double x, y, se;
        if (!point(trace, i, &x, &y, &se))
            continue;
        points++;
        nnd_span_widen(x_span, x);
        nnd_span_widen(y_span, y);
        nnd_span_widen(y_span, y + se);
        /* On a logarithmic axis a bar that comes near zero would swallow the picture. */
        if (!trace->log_y)
            nnd_span_widen(y_span, y - se);
    }
    return points;
}

static void write_point(const nnd_trace *trace, double x, double y, double se, FILE *out) {
    /* What a bar on a logarithmic axis has below zero ends far below the picture. */
    double low = trace->log_y && y - se <= 0.0 ? y * 1e-9 : y - se;
    nnd_print(out, "%.12g %.12g %.12g %.12g\n", x, y, low, y + se);
}

void nnd_trace_write_line(const nnd_trace *trace, FILE *out) {
    bool category = nnd_plot_is_category(trace->x), open = false;
    for (size_t i = 0; i < trace->count; i++) {
        double x, y, se;
        bool shown = point(trace, i, &x, &y, &se);
        if (shown) {
            write_point(trace, category ? x - CATEGORY_WIDTH : x, y, se, out);
            if (category)
                write_point(trace, x + CATEGORY_WIDTH, y, se, out);
        }
        if (!shown && !trace->gaps && isnan(y))
            continue;
        if (open && !shown)
            fputc('\n', out);
        open = shown;
        if (shown && category) {
            fputc('\n', out);
            open = false;
        }
    }
}

void nnd_trace_write_points(const nnd_trace *trace, size_t limit, double phase, FILE *out) {
    nnd_span x_span = nnd_span_empty, y_span = nnd_span_empty;
    nnd_trace_measure(trace, &x_span, &y_span);
    double first = trace->log_x ? log(x_span.min) : x_span.min;
    double last = trace->log_x ? log(x_span.max) : x_span.max;
    /* The 1e-9 keeps evenly spaced points from being dropped by rounding. */
    double apart = (last - first) / (double)limit * (1.0 - 1e-9);
    bool thin = !nnd_plot_is_category(trace->x) && trace->count > limit + 1 && apart > 0.0;
    double next = thin ? first + phase * apart : -INFINITY;
    for (size_t i = 0; i < trace->count; i++) {
        double x, y, se;
        if (!point(trace, i, &x, &y, &se))
            continue;
        double at = trace->log_x ? log(x) : x;
        if (thin && at < next)
            continue;
        next = at + apart;
        /* On a logarithmic axis early steps are far apart and would bring all phases together. */
        if (trace->log_x && thin)
            next = first + (floor((at - first) / apart - phase) + 1.0 + phase) * apart;
        write_point(trace, x, y, se, out);
    }
}

/* Largest of 1, 2, 5 times a power of ten that is at most x. */
static double round_number(double x) {
    double power = pow(10.0, floor(log10(x)));
    double digit = x / power;
    return (digit >= 5.0 ? 5.0 : digit >= 2.0 ? 2.0 : 1.0) * power;
}

/* gnuplot labels powers of ten only; an axis that holds few of them gets tics of its own. */
static void write_log_tics(double min, double max, const char *axis, FILE *out) {
    static const double digits[] = {1.0, 2.0, 5.0};
    const char *separator = "";
    fprintf(out, "set logscale %s\n", axis);
    if (max > 100.0 * min) {
        fprintf(out, "set format %s '10^{%%T}'\n", axis);
        return;
    }
    fprintf(out, "set %stics (", axis);
    if (max > 5.0 * min) {
        for (double power = pow(10.0, floor(log10(min))); power <= max; power *= 10.0)
            for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
                if (power * digits[i] < min || power * digits[i] > max)
                    continue;
                nnd_print(out, "%s%.10g", separator, power * digits[i]);
                separator = ", ";
            }
    } else {
        double step = round_number((max - min) / 4.0);
        for (double at = ceil(min / step); at * step <= max; at += 1.0) {
            nnd_print(out, "%s%.10g", separator, at * step);
            separator = ", ";
        }
    }
    fputs(")\n", out);
}

bool nnd_span_is_point(nnd_span span) {
    return span.max - span.min <= 1e-9 * fmax(fabs(span.min), fabs(span.max));
}

void nnd_span_write(nnd_span span, bool log, const char *axis, FILE *out) {
    double min = span.min, max = span.max;
    bool is_point = nnd_span_is_point(span);
    if (log) {
        double room = is_point ? 2.0 : pow(max / min, 0.04);
        min /= room;
        max *= room;
        write_log_tics(min, max, axis, out);
    } else {
        double room = is_point ? fmax(0.05 * fabs(max), 1e-12) : 0.04 * (max - min);
        min -= room;
        max += room;
    }
    nnd_print(out, "set %srange [%.17g:%.17g]\n", axis, min, max);
}
