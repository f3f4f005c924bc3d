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

static nnd_plot_style style_of(const char *name) {
    if (name == NULL || strcmp(name, "web") == 0)
        return NND_STYLE_WEB;
    return strcmp(name, "paper") == 0 ? NND_STYLE_PAPER : NND_STYLE_TALK;
}

/* The result to be drawn: theory of the first file, and the simulation of the second, if there is
 * one, as a user has made it. */
static nnd_status read_files(nnd_context *ctx, const nnd_texts *files, nnd_result *result) {
    nnd_result mine = {0};
    nnd_status status = nnd_result_read(ctx, files->value[0], result);
    if (status != NND_OK || files->count == 1)
        return status;
    if (result->theory == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s: holds no theory", files->value[0]);
    status = nnd_result_read(ctx, files->value[1], &mine);
    if (status == NND_OK && mine.mc == NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: holds no simulation", files->value[1]);
    nnd_frame **const own[] = {&result->mc, &result->seeds},
                      **const other[] = {&mine.mc, &mine.seeds};
    for (size_t i = 0; status == NND_OK && i < 2; i++) {
        nnd_frame_free(*own[i]);
        *own[i] = *other[i];
        *other[i] = NULL;
    }
    nnd_result_clear(&mine);
    return status;
}

int cli_plot(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    nnd_status status = read_files(ctx, &options->args, &result);
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
        .style = style_of(options->style),
        .width = options->width,
        .font = options->font,
    };
    if (status == NND_OK && name == NULL)
        status = nnd_fail_memory(ctx, "a path");
    for (size_t i = 0; status == NND_OK && i < options->args.count; i++)
        status = cli_check_output(ctx, options->args.value[i], name);
    if (status == NND_OK)
        status = nnd_plot(ctx, &result, &how, name);
    if (status == NND_OK)
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", name);
    free(name);
    nnd_result_clear(&result);
    return cli_exit_code(status);
}
