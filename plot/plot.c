/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A result as a picture file. */
#include <errno.h>
#include <string.h>

#include "plot/gnuplot.h"
#include "plot/program.h"

/* The format that the ending of a path asks for, NULL if it is none we write. */
static const char *format_of(const char *path) {
    static const char *const formats[] = {"svg", "pdf", "png"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    if (dot == NULL || (slash != NULL && dot < slash))
        return NULL;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(dot + 1, formats[i]) == 0)
            return formats[i];
    return NULL;
}

static nnd_status draw(nnd_context *ctx, FILE *program, const char *path) {
    nnd_output *output;
    nnd_status status = nnd_output_open(ctx, path, &output);
    if (status != NND_OK)
        return status;
    status = nnd_gnuplot_run(ctx, "gnuplot", program, nnd_output_path(output));
    if (status == NND_E_IO)
        status = nnd_fail_about(ctx, status, path);
    nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
    return status != NND_OK ? status : closed;
}

nnd_status nnd_plot(nnd_context *ctx, const nnd_result *result, const nnd_plot_options *options,
                    const char *path) {
    const char *format = format_of(path);
    if (format == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s: a picture must end in .svg, .pdf or .png", path);
    FILE *program = tmpfile();
    if (program == NULL)
        return nnd_fail(ctx, NND_E_IO, "no temporary file: %s", strerror(errno));
    nnd_status status = nnd_plot_program(ctx, result, options, format, program);
    if (status == NND_OK)
        status = draw(ctx, program, path);
    fclose(program);
    return status;
}
