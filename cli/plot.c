/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* The result's name with another ending: quickstart.h5 -> quickstart.svg. */
static char *default_picture(const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t length = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
    char *name = malloc(length + sizeof ".svg");
    if (name != NULL)
        stpcpy((char *)memcpy(name, base, length) + length, ".svg");
    return name;
}

int cli_plot(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    nnd_status status = nnd_result_read(ctx, options->args.value[0], &result);
    if (status == NND_OK && options->list) {
        nnd_plot_list(&result, stdout);
        nnd_result_clear(&result);
        return EXIT_DONE;
    }
    char *name =
        options->output != NULL ? strdup(options->output) : default_picture(options->args.value[0]);
    const nnd_plot_options how = {
        .vars = options->vars,
        .view = options->view,
        .log_x = options->log != NULL && strchr(options->log, 'x') != NULL,
        .log_y = options->log != NULL && strchr(options->log, 'y') != NULL,
    };
    if (status == NND_OK && name == NULL)
        status = nnd_fail_memory(ctx, "a path");
    if (status == NND_OK)
        status = cli_check_output(ctx, options->args.value[0], name);
    if (status == NND_OK)
        status = nnd_plot(ctx, &result, &how, name);
    if (status == NND_OK)
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", name);
    free(name);
    nnd_result_clear(&result);
    return cli_exit_code(status);
}
