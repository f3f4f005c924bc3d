/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Name of a file without folder and ending; "-" is the standard input. */
static char *stem(const char *path) {
    if (strcmp(path, "-") == 0)
        return strdup("stdin");
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash != NULL ? slash + 1 : path);
    char *dot = name != NULL ? strrchr(name, '.') : NULL;
    if (dot != NULL && dot != name)
        *dot = '\0';
    return name;
}

nnd_status cli_read_tree(nnd_context *ctx, const cli_options *options, nnd_value **tree) {
    nnd_status status = nnd_yaml_read_file(ctx, options->args.value[0], tree);
    for (size_t i = 0; status == NND_OK && i < options->set.count; i++)
        status = nnd_yaml_override(ctx, *tree, options->set.value[i]);
    return status;
}

char *cli_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

nnd_status cli_resolve(nnd_context *ctx, const cli_options *options, const nnd_value *tree,
                       nnd_case **c) {
    const char *path = options->args.value[0];
    char *name = stem(path), *folder = cli_folder(path);
    nnd_data_cache cache = {0};
    nnd_case_source source = {name, folder, nnd_data_file_read, &cache};
    nnd_status status = name != NULL && folder != NULL ? nnd_case_resolve(ctx, tree, &source, c)
                                                       : nnd_fail_memory(ctx, "a name");
    nnd_data_cache_clear(&cache);
    free(folder);
    free(name);
    return status;
}

nnd_status cli_read_case(nnd_context *ctx, const cli_options *options, nnd_case **c) {
    nnd_value *tree = NULL;
    nnd_status status = cli_read_tree(ctx, options, &tree);
    if (status == NND_OK)
        status = cli_resolve(ctx, options, tree, c);
    nnd_value_free(tree);
    return status;
}

nnd_status cli_check_output(nnd_context *ctx, const char *input, const char *output) {
    struct stat in, out;
    if (strcmp(output, "-") == 0)
        return nnd_fail(ctx, NND_E_INPUT,
                        "-o -: only tables (nndmft export) can go to the standard output");
    if (stat(input, &in) == 0 && stat(output, &out) == 0 && in.st_dev == out.st_dev &&
        in.st_ino == out.st_ino)
        return nnd_fail(ctx, NND_E_INPUT, "%s: is the input, not to be replaced", output);
    return NND_OK;
}

/* A file that holds answers is replaced by newer ones, any other only with --force. */
static nnd_status check_older(nnd_context *ctx, const char *path) {
    nnd_result older = {0};
    if (access(path, F_OK) != 0)
        return NND_OK;
    nnd_status status = nnd_result_read(ctx, path, &older);
    bool ours = status == NND_OK && older.answers != NULL;
    nnd_result_clear(&older);
    return ours ? NND_OK
                : nnd_fail(ctx, NND_E_INPUT,
                           "%s: holds other things than answers; --force replaces it", path);
}

nnd_status cli_check_answers(nnd_context *ctx, const cli_options *options) {
    nnd_output *output = NULL;
    const char *path = options->output;
    if (path == NULL)
        return NND_OK;
    nnd_status status = cli_check_output(ctx, options->args.value[0], path);
    if (status == NND_OK)
        status = nnd_output_open(ctx, path, &output);
    if (status == NND_OK)
        status = nnd_output_close(ctx, output, false);
    return status == NND_OK && !options->force ? check_older(ctx, path) : status;
}
