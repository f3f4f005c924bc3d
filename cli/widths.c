/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "cli.h"

enum { TEXT_SIZE = 64 };

/* "value +- se", or a dash. */
static const char *with_error(double value, double se, const char *format, char *text) {
    if (isnan(value))
        return "-";
    nnd_format(text, TEXT_SIZE, format, value, se);
    return text;
}

static const char *number(double value, const char *format, char *text) {
    if (isnan(value))
        return "-";
    nnd_format(text, TEXT_SIZE, format, value);
    return text;
}

static void print_row(const nnd_widths_row *row, int width) {
    char room[6][TEXT_SIZE];
    const char *holds = "-";
    if (!isnan(row->p))
        holds = row->bent ? number(row->next, "from %.3g", room[5]) : "at all sizes";
    nnd_print_padded(stdout, row->name, (size_t)width);
    printf(" %20s %20s %10s %18s %8s %14s  ",
           with_error(row->limit, row->limit_se, "%.2g +- %.1g", room[0]),
           with_error(row->slope, row->slope_se, "%.3g +- %.1g", room[1]),
           number(row->theory_slope, "%.3g", room[2]),
           with_error(row->within, row->within_se, "%.3g +- %.2g", room[3]),
           number(row->p, "%.1g", room[4]), holds);
    nnd_print_visible(stdout, row->where);
    putchar('\n');
}

nnd_status cli_widths(nnd_context *ctx, const cli_compared *compared) {
    nnd_widths widths = {0};
    const nnd_dim *size = nnd_frame_find_dim(compared->simulated.mc, "size");
    if (size == NULL || size->length < 2 || !(compared->options->rtol > 0.0))
        return NND_OK;
    nnd_status status =
        nnd_widths_find(ctx, compared->model, compared->theory, compared->simulated.mc,
                        &compared->options->vars, compared->options->rtol, &widths);
    int width = (int)strlen("variable");
    for (size_t i = 0; i < widths.count; i++)
        if ((int)strlen(widths.row[i].name) > width)
            width = (int)strlen(widths.row[i].name);
    if (widths.count > 0) {
        nnd_print(
            stdout,
            "\nfrom %zu sizes, relative to the largest value of theory; within and 1/N holds: "
            "to %g (compare.rtol)\n",
            size->length, compared->options->rtol);
        printf("%-*s %20s %20s %10s %18s %8s %14s  %s\n", width, "variable", "limit - theory",
               "coefficient of 1/N", "theory's", "within from N", "p(1/N^2)", "1/N holds",
               "coefficient at");
    }
    for (size_t i = 0; i < widths.count; i++)
        print_row(&widths.row[i], width);
    nnd_widths_clear(&widths);
    return status;
}
