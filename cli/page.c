/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages of documents: installed, they stand where they were put relative to the program; a
 * program that is run where it was built has the sources above it. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* The folder of this program; "." if the system does not say. */
static void own_folder(char folder[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    else
        strcpy(folder, ".");
}

char *cli_page(const nnd_model *model) {
    static const char *const documents[] = {NND_DOCUMENTS, "../../docs"};
    char folder[PATH_MAX], path[2 * PATH_MAX];
    own_folder(folder);
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        snprintf(path, sizeof path, "%s/%s/theory/%s.md", folder, documents[i], model->page);
        char *found = realpath(path, NULL);
        if (found != NULL)
            return found;
    }
    snprintf(path, sizeof path, "docs/theory/%s.md", model->page);
    return strdup(path);
}
