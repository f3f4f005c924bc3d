/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "core/text.h"

/* The group of a file; if it is not there, those that are. */
static nnd_status choose_group(nnd_context *ctx, const char *path, const nnd_result *result,
                               const char *wanted, const nnd_frame **frame) {
    const struct {
        const char *name;
        const nnd_frame *frame;
    } groups[] = {{"theory", result->theory},
                  {"mc", result->mc},
                  {"seeds", result->seeds},
                  {"compare", result->compare},
                  {"answers", result->answers}};
    char names[64];
    nnd_text there = nnd_text_in(sizeof names, names);
    *frame = NULL;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (groups[i].frame != NULL)
            nnd_text_item(&there, ", ", "%s", groups[i].name);
        if (strcmp(groups[i].name, wanted) == 0)
            *frame = groups[i].frame;
    }
    return *frame != NULL
               ? NND_OK
               : nnd_fail(ctx, NND_E_INPUT, "%s: has no group %s; there %s: %s", path, wanted,
                          there.items == 1 ? "is" : "are", there.items > 0 ? names : "none");
}

static bool to_stdout(const cli_options *options) {
    return options->output == NULL || strcmp(options->output, "-") == 0;
}

static nnd_status write_table(nnd_context *ctx, const cli_options *options, const nnd_frame *frame,
                              FILE *out) {
    nnd_status status = strcmp(options->format, "json") == 0
                            ? nnd_json_write(ctx, frame, &options->vars, out)
                            : nnd_csv_write(ctx, frame, &options->vars, out);
    if (status != NND_E_IO)
        return status;
    /* Somebody who has seen enough, as `head`, is no failure. */
    if (out == stdout && cli_reader_left())
        return NND_OK;
    return nnd_fail_about(ctx, status, out == stdout ? "stdout" : options->output);
}

static nnd_status write_file(nnd_context *ctx, const cli_options *options, const nnd_frame *frame) {
    nnd_output *output;
    nnd_status status = nnd_output_open(ctx, options->output, &output);
    if (status != NND_OK)
        return status;
    FILE *file = fopen(nnd_output_path(output), "w");
    status = file == NULL ? nnd_fail(ctx, NND_E_IO, "%s: %s", options->output, strerror(errno))
                          : write_table(ctx, options, frame, file);
    if (file != NULL && fclose(file) != 0 && status == NND_OK)
        status = nnd_fail(ctx, NND_E_IO, "%s: %s", options->output, strerror(errno));
    nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
    return status != NND_OK ? status : closed;
}

nnd_status cli_write_table(nnd_context *ctx, const cli_options *options, const nnd_frame *frame) {
    return to_stdout(options) ? write_table(ctx, options, frame, stdout)
                              : write_file(ctx, options, frame);
}

int cli_export(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    const char *path = options->args.value[0];
    nnd_status status = nnd_result_read(ctx, path, &result);
    const nnd_frame *frame = NULL;
    if (status == NND_OK)
        status = choose_group(ctx, path, &result, options->group, &frame);
    if (status == NND_OK && !to_stdout(options))
        status = cli_check_output(ctx, path, options->output);
    if (status == NND_OK)
        status = cli_write_table(ctx, options, frame);
    nnd_result_clear(&result);
    return cli_exit_code(status);
}
