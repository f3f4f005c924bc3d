/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a case file says for people before its first key. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/io.h"

enum { LONGEST = 8192 };

/* The text of a line of comment, without its mark; NULL: it is none. */
static const char *comment(char *line) {
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] != '#')
        return NULL;
    return line[1] == ' ' ? line + 2 : line + 1;
}

char *nnd_yaml_comment(const char *path) {
    FILE *file = strcmp(path, "-") != 0 ? fopen(path, "re") : NULL;
    char *line = NULL, *text = calloc(LONGEST, 1);
    const char *words;
    size_t room = 0, length = 0;
    while (file != NULL && text != NULL && getline(&line, &room, file) >= 0 &&
           (words = comment(line)) != NULL) {
        if (strstr(words, "SPDX-License-Identifier") != NULL ||
            length + strlen(words) + 2 > LONGEST)
            continue;
        length += (size_t)snprintf(text + length, LONGEST - length, "%s%s", length > 0 ? "\n" : "",
                                   words);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    if (length > 0)
        return text;
    free(text);
    return NULL;
}
