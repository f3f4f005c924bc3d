/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <math.h>
#include <string.h>

#include "nndmft/io.h"
#include "plot/axis.h"

enum {
    LINES = 3,  /* characters from one label to the next above it */
    SPACES = 2, /* between labels side by side */
    DIGITS = 6  /* of a label, if neighbours do not need more */
};
/* Of an axis beside what it must span. */
static const double BESIDE = 0.04;
/* The longest logarithmic axis whose tics are not powers of ten alone, and with even steps. */
static const double SHORT = 100.0, SHORTEST = 5.0;

/* Largest of 1, 2, 5 times a power of ten that is at most x. */
static double round_number(double x) {
    double power = pow(10.0, floor(log10(x)));
    double digit = x / power;
    return (digit >= 5.0 ? 5.0 : digit >= 2.0 ? 2.0 : 1.0) * power;
}

/* The next larger one of them. */
static double next_round_number(double x) {
    return round_number(2.5001 * x);
}

static double decades_of(const nnd_axis *axis) {
    return log10(axis->max) - log10(axis->min);
}

/* ---- labels ---- */

/* As many digits as tell neighbours apart. */
static int digits_of(const nnd_axis *axis) {
    double step = axis->count > 1 ? axis->tic[1] - axis->tic[0] : 0.0;
    double largest = fmax(fabs(axis->min), fabs(axis->max));
    return step > 0.0 ? (int)fmax(DIGITS, ceil(log10(largest / step)) + 1.0) : DIGITS;
}

static size_t label_width(const nnd_axis *axis, double at) {
    char label[64];
    if (axis->decades > 0)
        nnd_format(label, sizeof label, "10%.0f", log10(at));
    else
        nnd_format(label, sizeof label, "%.*g", digits_of(axis), at);
    /* For 1e-05 stands 1 x 10^-5. */
    return strlen(label) + (strchr(label, 'e') != NULL ? 1 : 0);
}

size_t nnd_axis_width(const nnd_axis *axis) {
    size_t widest = 0;
    for (size_t i = 0; i < axis->count; i++) {
        size_t width = label_width(axis, axis->tic[i]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* ---- tics ---- */

/* Where a number is on the axis, in characters. */
static double place(const nnd_axis *axis, double x) {
    double part = axis->log ? log10(x / axis->min) / decades_of(axis)
                            : (x - axis->min) / (axis->max - axis->min);
    return part * (double)axis->room;
}

static bool fit(const nnd_axis *axis) {
    for (size_t i = 1; i < axis->count; i++) {
        double a = axis->tic[i - 1], b = axis->tic[i];
        double apart = axis->upright
                           ? LINES
                           : 0.5 * (double)(label_width(axis, a) + label_width(axis, b)) + SPACES;
        if (place(axis, b) - place(axis, a) < apart)
            return false;
    }
    return true;
}

/* A tic at an end is not lost by rounding. */
static void add(nnd_axis *axis, double at) {
    double low = 1e-9 * (axis->log ? axis->min : axis->max - axis->min);
    double high = 1e-9 * (axis->log ? axis->max : axis->max - axis->min);
    if (at >= axis->min - low && at <= axis->max + high && axis->count < NND_AXIS_TICS)
        axis->tic[axis->count++] = at;
}

/* Multiples of a step. Adding 0 makes 0 of -0. */
static void list_multiples(nnd_axis *axis, double step) {
    axis->count = 0;
    double last = floor(axis->max / step + 1e-9);
    for (double k = ceil(axis->min / step - 1e-9); k <= last; k += 1.0)
        add(axis, k * step + 0.0);
}

static void choose_multiples(nnd_axis *axis) {
    double length = axis->max - axis->min, step = round_number(length / 4.0);
    if (axis->whole)
        step = fmax(step, 1.0);
    for (list_multiples(axis, step); !fit(axis) && next_round_number(step) < length;) {
        step = next_round_number(step);
        list_multiples(axis, step);
    }
}

/* 1, 2, 5 or 1, 3 times powers of ten. */
static void choose_digits(nnd_axis *axis) {
    static const double digits[][3] = {{1.0, 2.0, 5.0}, {1.0, 3.0}, {1.0}};
    for (size_t k = 0; k < sizeof digits / sizeof *digits; k++) {
        nnd_axis fewer = *axis;
        fewer.count = 0;
        for (double power = pow(10.0, floor(log10(axis->min))); power <= axis->max; power *= 10.0)
            for (size_t i = 0; i < 3 && digits[k][i] > 0.0; i++)
                add(&fewer, power * digits[k][i]);
        if (k > 0 && fewer.count < 2)
            break;
        *axis = fewer;
        if (fit(axis))
            break;
    }
}

static void choose_powers(nnd_axis *axis) {
    double step = 1.0, all = decades_of(axis);
    axis->decades = 1;
    double widest = (double)label_width(axis, axis->min);
    double apart = axis->upright ? LINES : widest + SPACES;
    double most = fmin((double)axis->room / apart, NND_AXIS_TICS - 1.0);
    while (all > most * step && next_round_number(step) < all)
        step = next_round_number(step);
    axis->decades = (size_t)step;
    for (double k = ceil(log10(axis->min) / step - 1e-9); k * step <= log10(axis->max) + 1e-9;
         k += 1.0)
        add(axis, pow(10.0, k * step));
}

static void choose_tics(nnd_axis *axis) {
    axis->count = 0;
    axis->decades = 0;
    if (axis->log && axis->max / axis->min > SHORT)
        choose_powers(axis);
    else if (axis->log && axis->max / axis->min > SHORTEST)
        choose_digits(axis);
    else
        choose_multiples(axis);
}

/* ---- an axis ---- */

void nnd_axis_fit(nnd_axis *axis, nnd_span span) {
    axis->min = span.min;
    axis->max = span.max;
    choose_tics(axis);
}

/* Ends that have no place among normal numbers are no ends. */
void nnd_axis_fit_loosely(nnd_axis *axis, nnd_span span) {
    bool is_point = nnd_span_is_point(span);
    if (axis->log) {
        double beside = is_point ? 2.0 : exp(BESIDE * (log(span.max) - log(span.min)));
        span.min = fmax(span.min / beside, DBL_MIN);
        span.max = fmin(span.max * beside, DBL_MAX);
    } else {
        double beside =
            is_point ? fmax(0.05 * fabs(span.max), 1e-12) : BESIDE * (span.max - span.min);
        span.min -= beside;
        span.max += beside;
    }
    nnd_axis_fit(axis, span);
}

void nnd_axis_write(const nnd_axis *axis, const char *name, FILE *out) {
    if (axis->log)
        fprintf(out, "set logscale %s\n", name);
    nnd_print(out, "set %srange [%.17g:%.17g]\n", name, axis->min, axis->max);
    if (axis->decades > 0)
        fprintf(out, "set format %s '10^{%%T}'\n", name);
    else if (digits_of(axis) > DIGITS)
        fprintf(out, "set format %s '%%.%dg'\n", name, digits_of(axis));
    /* With tics at every power, gnuplot has small ones between them. */
    if (axis->decades == 1) {
        fprintf(out, "set %stics 10\n", name);
        return;
    }
    fprintf(out, "set %stics (", name);
    for (size_t i = 0; i < axis->count; i++)
        nnd_print(out, "%s%.15g", i > 0 ? ", " : "", axis->tic[i]);
    fputs(")\n", out);
}

size_t nnd_axis_step(size_t labels, size_t width, bool upright, size_t room) {
    size_t apart = upright ? LINES : width + SPACES, most = room / apart > 0 ? room / apart : 1;
    return (labels + most - 1) / most;
}
