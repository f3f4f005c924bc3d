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

/* A line with its names made those of picture `number`. */
static void write_line(const char *line, size_t number, FILE *out) {
    while (*line != '\0') {
        const char *name = name_at(line);
        if (name != NULL) {
            fprintf(out, "%sp%zu-", name, number);
            line += strlen(name);
        } else
            fputc(*line++, out);
    }
}

/* "<g ... showHypertext(evt,'VALUE')..." as a group with the value as title; false: it is none. */
static bool write_hover(const char *line, FILE *out) {
    const char *begin = strstr(line, HOVER), *end = strstr(line, HOVER_END);
    if (begin == NULL || end == NULL || end < begin)
        return false;
    begin += strlen(HOVER);
    fprintf(out, "<g><title>%.*s</title>\n", (int)(end - begin), begin);
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

/* gnuplot opens a group for every change of style, most of which stay empty. */
static bool opens_empty(const char *line, char **next, size_t *room, FILE *svg) {
    if (strncmp(line, "<g fill=", 8) != 0)
        return false;
    if (getline(next, room, svg) < 0)
        **next = '\0';
    return strcmp(*next, "</g>\n") == 0;
}

/* True for what a page has no use for: it has a title of its own. */
static bool is_about_gnuplot(const char *line) {
    return strstr(line, "<title>Gnuplot</title>") != NULL || strncmp(line, "<desc>", 6) == 0;
}

nnd_status nnd_svg_embed(nnd_context *ctx, FILE *svg, size_t number, const char *label, FILE *out) {
    char box[128], *line = NULL, *next = NULL;
    size_t room = 0, more = 0;
    if (!read_head(svg, sizeof box, box))
        return nnd_fail(ctx, NND_E_IO, "gnuplot wrote no picture that can stand in a page");
    write_head(box, label, out);
    while (getline(&line, &room, svg) >= 0) {
        bool dropped = is_about_gnuplot(line) || opens_empty(line, &next, &more, svg);
        if (!dropped && !write_hover(line, out))
            write_line(line, number, out);
        if (!dropped && strncmp(line, "<g fill=", 8) == 0 && !write_hover(next, out))
            write_line(next, number, out);
    }
    free(next);
    free(line);
    return ferror(svg) ? nnd_fail(ctx, NND_E_IO, "%s", strerror(errno)) : NND_OK;
}
