/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Name of a file without folder and ending. */
static char *stem(const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash != NULL ? slash + 1 : path);
    char *dot = name != NULL ? strrchr(name, '.') : NULL;
    if (dot != NULL && dot != name)
        *dot = '\0';
    return name;
}

nnd_status cli_read_case(nnd_context *ctx, const cli_options *options, nnd_case **c) {
    const char *path = options->args.value[0];
    nnd_value *tree = NULL;
    char *name = stem(path);
    nnd_status status =
        name == NULL ? nnd_fail_memory(ctx, path) : nnd_yaml_read_file(ctx, path, &tree);
    for (size_t i = 0; status == NND_OK && i < options->set.count; i++)
        status = nnd_yaml_override(ctx, tree, options->set.value[i]);
    if (status == NND_OK)
        status = nnd_case_resolve(ctx, tree, name, c);
    nnd_value_free(tree);
    free(name);
    return status;
}
