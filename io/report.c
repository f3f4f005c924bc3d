/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The table of a comparison for people. */
#include <math.h>
#include <string.h>

#include "core/text.h"
#include "nndmft/io.h"

enum { CELL_SIZE = 128 };

/* A number in few digits; a dash where there is none. */
static const char *cell(double x, const char *format, char *text) {
    if (isnan(x))
        return "-";
    nnd_format(text, CELL_SIZE, format, x);
    return text;
}

/* A deviation; of a one-sided check that nothing violates, in words. */
static const char *deviation(const nnd_comparison_row *row, double x, const char *format,
                             char *text) {
    if (row->forbidden == NULL || x != 0.0)
        return cell(x, format, text);
    snprintf(text, CELL_SIZE, "none %s", row->forbidden);
    return text;
}

/* Seeds at every size, `times` as many as there were. */
static const char *seeds(const nnd_comparison *comparison, double times, char *text) {
    nnd_text list = nnd_text_in(CELL_SIZE, text);
    if (!isfinite(times))
        return "-";
    if (!(comparison->seeds[0] > 0.0)) {
        nnd_format(text, CELL_SIZE, "x %.2g", times);
        return text;
    }
    for (size_t s = 0; s < comparison->sizes; s++)
        nnd_text_item(&list, "/", "%.0f", ceil(times * comparison->seeds[s]));
    return text;
}

static void print_row(const nnd_comparison *comparison, const nnd_comparison_row *row, int width,
                      FILE *out) {
    char room[6][CELL_SIZE];
    const char *z = deviation(row, row->max_abs_z, "%.3g", room[0]);
    const char *p = cell(row->p, "%.2g", room[1]), *band = cell(row->band, "%.3f", room[2]);
    const char *median = deviation(row, row->median_deviation, "%.2e", room[3]);
    const char *max = deviation(row, row->max_deviation, "%.2e", room[4]);
    nnd_print_padded(out, row->name, (size_t)width);
    fprintf(out, " %8zu %8zu %10s %7s %8s %11s %11s %12s  %s\n", row->points, row->left_out, z, p,
            band, median, max, seeds(comparison, row->more_seeds, room[5]),
            nnd_verdict_text(row->verdict));
}

/* Why theory does not claim points that were left out. */
static void print_reason(const nnd_comparison_row *row, FILE *out) {
    if (row->reason == NULL)
        return;
    nnd_print_visible(out, row->name);
    fprintf(out, ": not claimed at %zu point%s: ", row->unclaimed, row->unclaimed == 1 ? "" : "s");
    nnd_print_visible(out, row->reason);
    fputc('\n', out);
}

void nnd_report_comparison(const nnd_comparison *comparison, FILE *out) {
    int width = (int)strlen("variable");
    for (size_t i = 0; i < comparison->count; i++) {
        int length = (int)strlen(comparison->row[i].name);
        width = length > width ? length : width;
    }
    fprintf(out, "%-*s %8s %8s %10s %7s %8s %11s %11s %12s  %s\n", width, "variable", "points",
            "left out", "max |z|", "p", "band", "median dev.", "max dev.", "seeds needed",
            "verdict");
    for (size_t i = 0; i < comparison->count; i++)
        print_row(comparison, &comparison->row[i], width, out);
    for (size_t i = 0; i < comparison->count; i++)
        if (comparison->row[i].thinned > 0) {
            nnd_print_visible(out, comparison->row[i].name);
            fprintf(out, ": judged on an even subset of its points, %zu of %zu\n",
                    comparison->row[i].points,
                    comparison->row[i].points + comparison->row[i].thinned);
        }
    for (size_t i = 0; i < comparison->count; i++)
        print_reason(&comparison->row[i], out);
    if (comparison->pointwise)
        fprintf(out, "without influences of seeds: each point by Student's t, p times the number "
                     "of points (Bonferroni)\n");
}

void nnd_report_detection(const nnd_comparison *comparison, const nnd_detection *detection,
                          const char *change, FILE *out) {
    char text[CELL_SIZE];
    if (detection->name == NULL)
        fprintf(out, "%s: would not be noticed with any number of seeds\n", change);
    else
        fprintf(out, "%s: would be noticed with %s seeds (19 of 20 times, first in %s)\n", change,
                seeds(comparison, detection->more_seeds, text), detection->name);
}
