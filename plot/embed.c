/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot/embed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plot/html.h"

/* What gnuplot writes where a script is to show a value, up to the value and behind it. */
static const char HOVER[] = "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'";
static const char HOVER_END[] = "')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>";

/* Where names are given and used. */
static const char *const NAMED[] = {" id=\"", " id='", "xlink:href='#", "url(#"};

static const char *name_at(const char *at) {
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++)
        if (strncmp(at, NAMED[i], strlen(NAMED[i])) == 0)
            return NAMED[i];
    return NULL;
}

/* A line with its names made those of picture `number`, without "<title>gnuplot_plot_1</title>",
 * which a page would show where one points at a curve. */
static void write_line(const char *line, size_t number, FILE *out) {
    static const char TITLE[] = "<title>gnuplot_plot_", TITLE_END[] = "</title>";
    while (*line != '\0') {
        const char *name = name_at(line), *end = NULL;
        if (strncmp(line, TITLE, strlen(TITLE)) == 0 && (end = strstr(line, TITLE_END)) != NULL)
            line = end + strlen(TITLE_END);
        else if (name != NULL) {
            fprintf(out, "%sp%zu-", name, number);
            line += strlen(name);
        } else
            fputc(*line++, out);
    }
}

/* "<g ... showHypertext(evt,'VALUE')..." and the unseen point behind it, "<use ...
 * transform='translate(X,Y) scale(R)' .../></g>", as a circle with the value as title. Pages have
 * thousands of them. False: the line is none. */
static bool write_hover(const char *line, FILE *svg, FILE *out) {
    const char *value = strstr(line, HOVER), *end = strstr(line, HOVER_END), *at;
    if (value == NULL || end == NULL || end < value)
        return false;
    value += strlen(HOVER);
    char *point = NULL, x[32], y[32], r[32];
    size_t room = 0;
    if (getline(&point, &room, svg) >= 0 && (at = strstr(point, "translate(")) != NULL &&
        sscanf(at, "translate(%31[-0-9.],%31[-0-9.]) scale(%31[0-9.])", x, y, r) == 3)
        fprintf(out,
                "<circle class=\"v\" cx=\"%s\" cy=\"%s\" r=\"%s\"><title>%.*s</title></circle>\n",
                x, y, r, (int)(end - value), value);
    free(point);
    return true;
}

/* The attributes of the picture as a whole that gnuplot gave it: what it measures. */
static void write_head(const char *box, const char *label, FILE *out) {
    fputs("<svg role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" "
          "xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"",
          out);
    fputs(box, out);
    fputs("\" aria-label=\"", out);
    nnd_html_text(out, label);
    fputs("\">\n", out);
}

/* The head of the file, up to the end of its element svg; the numbers of its viewBox into `box`. */
static bool read_head(FILE *svg, size_t size, char *box) {
    char *line = NULL;
    size_t room = 0;
    bool inside = false, done = false;
    *box = '\0';
    while (!done && getline(&line, &room, svg) >= 0) {
        inside |= strstr(line, "<svg") != NULL;
        const char *begin = inside ? strstr(line, "viewBox=\"") : NULL;
        if (begin != NULL) {
            begin += strlen("viewBox=\"");
            snprintf(box, size, "%.*s", (int)strcspn(begin, "\""), begin);
        }
        done = inside && strchr(line, '>') != NULL;
    }
    free(line);
    return done && *box != '\0' && strspn(box, "0123456789. -") == strlen(box);
}

/* gnuplot opens a group for every change of style: most stay empty, and points that only tell a
 * value need none. `line` opens one; its other lines are read until it is clear. */
static void write_group(const char *line, FILE *svg, size_t number, FILE *out) {
    char *next = NULL;
    size_t room = 0;
    while (getline(&next, &room, svg) >= 0)
        if (!write_hover(next, svg, out)) {
            if (strcmp(next, "</g>\n") != 0) {
                write_line(line, number, out);
                write_line(next, number, out);
            }
            break;
        }
    free(next);
}

/* True for what a page has no use for: it has a title of its own. */
static bool is_about_gnuplot(const char *line) {
    return strstr(line, "<title>Gnuplot</title>") != NULL || strncmp(line, "<desc>", 6) == 0;
}

nnd_status nnd_svg_embed(nnd_context *ctx, FILE *svg, size_t number, const char *label, FILE *out) {
    char box[128], *line = NULL;
    size_t room = 0;
    if (!read_head(svg, sizeof box, box))
        return nnd_fail(ctx, NND_E_IO, "gnuplot wrote no picture that can stand in a page");
    write_head(box, label, out);
    while (getline(&line, &room, svg) >= 0) {
        if (strncmp(line, "<g fill=", 8) == 0)
            write_group(line, svg, number, out);
        else if (!is_about_gnuplot(line) && !write_hover(line, svg, out))
            write_line(line, number, out);
    }
    free(line);
    return ferror(svg) ? nnd_fail(ctx, NND_E_IO, "%s", strerror(errno)) : NND_OK;
}
