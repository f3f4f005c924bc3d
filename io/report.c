/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The table of a comparison for people. */
#include <math.h>
#include <string.h>

#include "nndmft/io.h"

enum { CELL_SIZE = 32 };

/* A number in few digits; a dash where there is none. */
static const char *cell(double x, const char *format, char *text) {
    if (isnan(x))
        return "-";
    snprintf(text, CELL_SIZE, format, x);
    return text;
}

void nnd_report_comparison(const nnd_comparison *comparison, FILE *out) {
    int width = (int)strlen("variable");
    for (size_t i = 0; i < comparison->count; i++) {
        int length = (int)strlen(comparison->row[i].name);
        width = length > width ? length : width;
    }
    fprintf(out, "%-*s %8s %9s %9s %6s %11s %11s  %s\n", width, "variable", "points", "left out",
            "max |z|", "off", "median dev.", "max dev.", "verdict");
    for (size_t i = 0; i < comparison->count; i++) {
        const nnd_comparison_row *row = &comparison->row[i];
        char z[CELL_SIZE], median[CELL_SIZE], max[CELL_SIZE];
        fprintf(out, "%-*s %8zu %9zu %9s %6zu %11s %11s  %s\n", width, row->name, row->points,
                row->left_out, cell(row->max_abs_z, "%.3g", z), row->off,
                cell(row->median_deviation, "%.2e", median), cell(row->max_deviation, "%.2e", max),
                nnd_verdict_text(row->verdict));
    }
}
