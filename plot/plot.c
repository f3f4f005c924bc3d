/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A result as a picture file. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "plot/gnuplot.h"
#include "plot/program.h"
#include "plot/tex.h"

/* The format that the ending of a path asks for, NULL if it is none we write. */
static const char *format_of(const char *path) {
    static const char *const formats[] = {"svg", "pdf", "png", "eps", "tex"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    if (dot == NULL || (slash != NULL && dot < slash))
        return NULL;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(dot + 1, formats[i]) == 0)
            return formats[i];
    return NULL;
}

/* The texts of a picture for LaTeX are made texts of TeX. */
static nnd_status make_tex(nnd_context *ctx, const char *path) {
    FILE *tikz = fopen(path, "re"), *copy = tmpfile(), *out = NULL;
    int c;
    if (tikz != NULL && copy != NULL) {
        nnd_tex_copy(tikz, copy);
        rewind(copy);
        out = fopen(path, "we");
    }
    while (out != NULL && (c = fgetc(copy)) != EOF)
        fputc(c, out);
    bool done = out != NULL && !ferror(copy) && !ferror(out);
    done &= out == NULL || fclose(out) == 0;
    nnd_status status = done ? NND_OK : nnd_fail(ctx, NND_E_IO, "%s: %s", path, strerror(errno));
    if (tikz != NULL)
        fclose(tikz);
    if (copy != NULL)
        fclose(copy);
    return status;
}

static nnd_status draw(nnd_context *ctx, FILE *program, const char *format, const char *path) {
    nnd_output *output;
    nnd_status status = nnd_output_open(ctx, path, &output);
    if (status != NND_OK)
        return status;
    status = nnd_gnuplot_run(ctx, "gnuplot", program, nnd_output_path(output));
    if (status == NND_OK && strcmp(format, "tex") == 0)
        status = make_tex(ctx, nnd_output_path(output));
    if (status == NND_E_IO)
        status = nnd_fail_about(ctx, status, path);
    nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
    return status != NND_OK ? status : closed;
}

nnd_status nnd_plot(nnd_context *ctx, const nnd_result *result, const nnd_plot_options *options,
                    const char *path) {
    const char *format = format_of(path);
    if (format == NULL)
        return nnd_fail(ctx, NND_E_INPUT,
                        "%s: a picture must end in .svg, .pdf, .png, .eps or .tex", path);
    FILE *program = tmpfile();
    if (program == NULL)
        return nnd_fail(ctx, NND_E_IO, "no temporary file: %s", strerror(errno));
    nnd_status status = nnd_plot_program(ctx, result, options, format, program);
    if (status == NND_OK)
        status = draw(ctx, program, format, path);
    fclose(program);
    return status;
}
