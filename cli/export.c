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

/* A case stands for what its theory would be. */
static bool is_case(const char *path) {
    const char *ending = strrchr(path, '.');
    return strcmp(path, "-") == 0 ||
           (ending != NULL && (strcmp(ending, ".yaml") == 0 || strcmp(ending, ".yml") == 0));
}

/* Whether the table can be written is known before the work that it may take. */
static nnd_status check_table(nnd_context *ctx, const cli_options *options) {
    nnd_output *output;
    if (to_stdout(options))
        return NND_OK;
    nnd_status status = cli_check_output(ctx, options->args.value[0], options->output);
    if (status == NND_OK)
        status = nnd_output_open(ctx, options->output, &output);
    return status == NND_OK ? nnd_output_close(ctx, output, false) : status;
}

static nnd_status solve(nnd_context *ctx, const cli_options *options, nnd_frame **theory) {
    nnd_case *c = NULL;
    if (strcmp(options->group, "theory") != 0)
        return nnd_fail(ctx, NND_E_INPUT, "%s: has no group %s; a case has: theory",
                        options->args.value[0], options->group);
    nnd_status status = cli_read_case(ctx, options, &c);
    if (status == NND_OK)
        status = cli_theory(ctx, c, NULL, theory);
    nnd_case_free(c);
    return status;
}

static nnd_status read(nnd_context *ctx, const cli_options *options, nnd_result *result) {
    const char *path = options->args.value[0];
    if (options->set.count > 0)
        return nnd_fail(ctx, NND_E_INPUT, "--set %s: changes a case (.yaml), and %s is none",
                        options->set.value[0], path);
    return nnd_result_read(ctx, path, result);
}

int cli_export(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    const char *path = options->args.value[0];
    nnd_status status = check_table(ctx, options);
    if (status == NND_OK)
        status = is_case(path) ? solve(ctx, options, &result.theory) : read(ctx, options, &result);
    const nnd_frame *frame = NULL;
    nnd_status solved = status; /* a warning: the table is written none the less */
    if (status >= NND_OK)
        status = choose_group(ctx, path, &result, options->group, &frame);
    if (status == NND_OK)
        status = cli_write_table(ctx, options, frame);
    if (status == NND_OK && solved > NND_OK)
        status = nnd_fail(ctx, solved, "theory %s at every point",
                          solved == NND_DIVERGED ? "diverged" : "did not converge");
    nnd_result_clear(&result);
    return cli_exit_code(status);
}
