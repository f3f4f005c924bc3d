/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "nndmft/io.h"
#include "plot/span.h"

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
