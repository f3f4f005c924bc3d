/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plot/html.h"

#include <stdlib.h>
#include <string.h>

#include "nndmft/io.h"

static const char *entity(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Lines stay lines; what else moves or hides text is spelled out line by line. */
static void write_line(FILE *out, const char *line) {
    char *visible = NULL;
    size_t size;
    FILE *buffer = open_memstream(&visible, &size);
    if (buffer == NULL)
        return;
    nnd_print_visible(buffer, line);
    if (fclose(buffer) == 0)
        for (const char *c = visible; *c != '\0'; c++) {
            if (entity(*c) != NULL)
                fputs(entity(*c), out);
            else
                fputc(*c, out);
        }
    free(visible);
}

void nnd_html_text(FILE *out, const char *text) {
    char *copy = strdup(text);
    for (char *line, *rest = copy; copy != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        write_line(out, line);
        if (rest != NULL)
            fputc('\n', out);
    }
    free(copy);
}
