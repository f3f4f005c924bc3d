/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "cli.h"

static const nnd_frame *chosen_group(const nnd_result *result, const char *group) {
    return strcmp(group, "theory") == 0  ? result->theory
           : strcmp(group, "mc") == 0    ? result->mc
           : strcmp(group, "seeds") == 0 ? result->seeds
                                         : result->compare;
}

static bool to_stdout(const cli_options *options) {
    return options->output == NULL || strcmp(options->output, "-") == 0;
}

static nnd_status write_table(nnd_context *ctx, const cli_options *options, const nnd_frame *frame,
                              FILE *out) {
    nnd_status status = strcmp(options->format, "json") == 0
                            ? nnd_json_write(ctx, frame, &options->vars, out)
                            : nnd_csv_write(ctx, frame, &options->vars, out);
    /* Somebody who has seen enough, as `head`, is no failure. */
    return status == NND_E_IO && out == stdout && cli_reader_left() ? NND_OK : status;
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

int cli_export(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    const char *path = options->args.value[0];
    nnd_status status = nnd_result_read(ctx, path, &result);
    const nnd_frame *frame = status == NND_OK ? chosen_group(&result, options->group) : NULL;
    if (status == NND_OK && frame == NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: has no group %s", path, options->group);
    if (status == NND_OK && !to_stdout(options))
        status = cli_check_output(ctx, path, options->output);
    if (status == NND_OK)
        status = to_stdout(options) ? write_table(ctx, options, frame, stdout)
                                    : write_file(ctx, options, frame);
    nnd_result_clear(&result);
    return cli_exit_code(status);
}
