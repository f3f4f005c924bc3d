/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the command `spectrum`. */
#include <math.h>
#include <string.h>

#include "cells.h"
#include "spectrum.h"

enum { CELL = CLI_CELL, LEAST_NAME = 8, MOST_NAME = 48 };

/* ---- cells ---- */

/* 0.12 (p 0.03) */
static void with_probability(double x, double p, char text[CELL]) {
    char a[CELL], b[CELL];
    cli_cell_number(x, a);
    cli_cell_probability(p, b);
    if (isnan(p))
        snprintf(text, CELL, "%s", a);
    else
        snprintf(text, CELL, "%.12s (%.10s)", a, b);
}

static void exponent(const nnd_spectrum_tail *tail, char text[CELL]) {
    char a[CELL], b[CELL];
    if (isnan(tail->exponent.value)) {
        snprintf(text, CELL, "-");
        return;
    }
    nnd_format(a, CELL, "%.3g+-%.1g", tail->exponent.value, tail->exponent.se);
    cli_cell_probability(tail->p, b);
    snprintf(text, CELL, "%.14s (%.10s)", a, b);
}

/* ---- rows ---- */

typedef struct {
    const cli_spectra *spectra;
    FILE *out;
    size_t name_width;
} table;

static size_t width_of_names(const cli_spectra *spectra) {
    size_t width = LEAST_NAME;
    for (size_t i = 0; i < spectra->count; i++) {
        size_t n = strlen(spectra->series[i].name);
        width = n > width ? n : width;
    }
    return width < MOST_NAME ? width : MOST_NAME;
}

static void print_head(const table *t, const char *columns) {
    fprintf(t->out, "%-*s%s%s\n", (int)t->name_width, "matrix",
            t->spectra->steps ? "     step" : "", columns);
}

static void print_name(const table *t, const cli_series *series, const cli_checkpoint *c) {
    nnd_print_padded(t->out, series->name, t->name_width);
    if (t->spectra->steps)
        nnd_print(t->out, " %8.6g", c->step);
}

static void print_bulk(const table *t, const cli_series *series, const cli_checkpoint *c) {
    char shape[CELL], sd[CELL], bulk[CELL], ks[CELL], upper[CELL], largest[CELL], stable[CELL],
        soft[CELL], out[CELL], tail[CELL], init[CELL];
    const nnd_spectrum *s = &c->spectrum;
    snprintf(shape, sizeof shape, "%zux%zu", series->info->rows, series->info->cols);
    print_name(t, series, c);
    if (c->zero) {
        fprintf(t->out, " %11s 0 throughout\n", shape);
        return;
    }
    cli_cell_number(s->entry_sd, sd);
    cli_cell_estimate(s->bulk.entry_sd.value, s->bulk.entry_sd.se, bulk);
    with_probability(s->bulk.ks, s->bulk.ks_p, ks);
    cli_cell_estimate(s->bulk.upper_mean, s->bulk.upper_sd, upper);
    cli_cell_number(isnan(s->bulk.entry_sd.value) ? NAN : (double)s->outliers, out);
    cli_cell_number(s->singular[0], largest);
    cli_cell_number(s->stable_rank, stable);
    cli_cell_number(s->soft_rank, soft);
    exponent(&s->tail, tail);
    with_probability(s->init_ks, s->init_ks_p, init);
    fprintf(t->out, " %11s %9s %16s %17s %15s %4s %9s %8s %9s %19s %17s\n", shape, sd, bulk, ks,
            upper, out, largest, stable, soft, tail, init);
}

/* The best squared cosine of an outlier with those before; NaN: there were none. */
static double best_overlap(const cli_checkpoint *c, size_t k, const double *overlap) {
    double best = NAN;
    for (size_t j = 0; c->compared && k < c->change.after && j < c->change.before; j++)
        best = fmax(best, overlap[k * c->change.before + j]);
    return best;
}

static void print_outliers(const table *t, const cli_series *series, const cli_checkpoint *c) {
    for (size_t k = 0; k < c->spectrum.vectors; k++) {
        char value[CELL], p[CELL], left[CELL], right[CELL];
        cli_cell_number(c->spectrum.singular[k], value);
        cli_cell_probability(c->spectrum.p_value[k], p);
        cli_cell_number(best_overlap(c, k, c->change.left_overlap), left);
        cli_cell_number(best_overlap(c, k, c->change.right_overlap), right);
        print_name(t, series, c);
        fprintf(t->out, " %4zu %9s %8s %9s %9s\n", k + 1, value, p, left, right);
    }
}

static void print_change(const table *t, const cli_series *series, const cli_checkpoint *c) {
    char edge[CELL], bulk[CELL];
    if (!c->compared)
        return;
    cli_cell_estimate(c->change.edge_shift.value, c->change.edge_shift.se, edge);
    cli_cell_estimate(c->change.bulk_shift.value, c->change.bulk_shift.se, bulk);
    print_name(t, series, c);
    fprintf(t->out, " %18s %18s\n", edge, bulk);
}

/* ---- tables ---- */

typedef void (*row_printer)(const table *t, const cli_series *series, const cli_checkpoint *c);

static void print_rows(const table *t, row_printer print) {
    for (size_t i = 0; i < t->spectra->count; i++)
        for (size_t k = 0; k < t->spectra->series[i].count; k++)
            print(t, &t->spectra->series[i], &t->spectra->series[i].at[k]);
}

static bool any(const cli_spectra *s, bool (*is)(const cli_checkpoint *c)) {
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->series[i].count; k++)
            if (is(&s->series[i].at[k]))
                return true;
    return false;
}

static bool has_vectors(const cli_checkpoint *c) {
    return c->spectrum.vectors > 0;
}

static bool is_compared(const cli_checkpoint *c) {
    return c->compared;
}

void cli_spectrum_report(const cli_spectra *spectra, FILE *out) {
    const table t = {spectra, out, width_of_names(spectra)};
    print_head(&t, "       shape        sd      bulk sd +- se  KS to bulk  (p)      edge +- width  "
                   "out   largest stable r  soft rank  tail exponent (p)   KS to start (p)");
    print_rows(&t, print_bulk);
    if (any(spectra, has_vectors)) {
        fputc('\n', out);
        print_head(&t, "  out     value        p left cos2 right cos2");
        print_rows(&t, print_outliers);
    }
    if (any(spectra, is_compared)) {
        fputc('\n', out);
        print_head(&t, "  edge shift +- se   bulk shift +- se");
        print_rows(&t, print_change);
    }
}
