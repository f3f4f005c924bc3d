/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "nndmft/io.h"
#include "plot/span.h"

/* Characters along an axis that is narrow for a logarithmic scale. */
enum { NARROW = 60 };

const nnd_span nnd_span_empty = {INFINITY, -INFINITY};

void nnd_span_widen(nnd_span *span, double x) {
    span->min = fmin(span->min, x);
    span->max = fmax(span->max, x);
}

/* Largest of 1, 2, 5 times a power of ten that is at most x. */
static double round_number(double x) {
    double power = pow(10.0, floor(log10(x)));
    double digit = x / power;
    return (digit >= 5.0 ? 5.0 : digit >= 2.0 ? 2.0 : 1.0) * power;
}

/* gnuplot labels powers of ten only; an axis that holds few of them gets tics of its own. */
static void write_log_tics(double min, double max, const char *axis, size_t room, FILE *out) {
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
                bool crowded = room > 0 && room < NARROW && i == 1;
                if (power * digits[i] < min || power * digits[i] > max || crowded)
                    continue;
                nnd_print(out, "%s%.10g", separator, power * digits[i]);
                separator = ", ";
            }
    } else {
        double step = round_number((max - min) / (room > 0 && room < NARROW ? 2.0 : 4.0));
        for (double at = ceil(min / step); at * step <= max; at += 1.0) {
            nnd_print(out, "%s%.10g", separator, at * step);
            separator = ", ";
        }
    }
    fputs(")\n", out);
}

/* As many tics as have room for their labels, each with two spaces. */
static void write_tics(double min, double max, const char *axis, size_t room, FILE *out) {
    char low[64], high[64];
    double step = round_number((max - min) / 4.0);
    for (int i = 0; i < 3; i++) {
        nnd_format(low, sizeof low, "%.6g", ceil(min / step) * step);
        nnd_format(high, sizeof high, "%.6g", floor(max / step) * step);
        size_t label = strlen(low) > strlen(high) ? strlen(low) : strlen(high);
        if ((max - min) / step * (double)(label + 2) <= (double)room)
            break;
        step *= 2.0;
    }
    nnd_print(out, "set %stics %.10g\n", axis, step);
}

bool nnd_span_is_point(nnd_span span) {
    return span.max - span.min <= 1e-9 * fmax(fabs(span.min), fabs(span.max));
}

void nnd_span_write(nnd_span span, bool log, const char *axis, size_t room, FILE *out) {
    double min = span.min, max = span.max;
    bool is_point = nnd_span_is_point(span);
    if (log) {
        double beside = is_point ? 2.0 : pow(max / min, 0.04);
        min /= beside;
        max *= beside;
        write_log_tics(min, max, axis, room, out);
    } else {
        double beside = is_point ? fmax(0.05 * fabs(max), 1e-12) : 0.04 * (max - min);
        min -= beside;
        max += beside;
        if (room > 0)
            write_tics(min, max, axis, room, out);
    }
    nnd_print(out, "set %srange [%.17g:%.17g]\n", axis, min, max);
}
