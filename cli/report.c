/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command report: results as one page. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* A path as an address, to be freed; NULL: out of memory. */
static char *address_of(const char *path) {
    static const char PLAIN[] =
        "-._~/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char *address = NULL;
    size_t size;
    FILE *out = open_memstream(&address, &size);
    if (out == NULL)
        return NULL;
    fputs("file://", out);
    for (const char *c = path; *c != '\0'; c++)
        fprintf(out, strchr(PLAIN, *c) != NULL ? "%c" : "%%%02X", (unsigned char)*c);
    fclose(out);
    return address;
}

/* The folder that has theory/PAGE.md, as an address; NULL: it is not on this machine. */
static char *documents(void) {
    char *page = cli_page(nnd_model_at(0)), *address = NULL, *end;
    if (page != NULL && page[0] == '/' && (end = strstr(page, "/theory/")) != NULL) {
        *end = '\0';
        address = address_of(page);
    }
    free(page);
    return address;
}

static nnd_status write_page(nnd_context *ctx, const nnd_report *report, const char *path) {
    nnd_output *output;
    nnd_status status = nnd_output_open(ctx, path, &output);
    if (status != NND_OK)
        return status;
    FILE *out = fopen(nnd_output_path(output), "we");
    status = out != NULL ? nnd_report_write(ctx, report, out)
                         : nnd_fail(ctx, NND_E_IO, "%s", strerror(errno));
    if (out != NULL && fclose(out) != 0 && status == NND_OK)
        status = nnd_fail(ctx, NND_E_IO, "%s", strerror(errno));
    if (status == NND_E_IO)
        status = nnd_fail_about(ctx, status, path);
    nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
    return status != NND_OK ? status : closed;
}

int cli_report(nnd_context *ctx, const cli_options *options) {
    const char *path = options->output != NULL ? options->output : "report.html";
    size_t count = options->args.count;
    nnd_result *result = calloc(count, sizeof *result);
    nnd_status status = result != NULL ? NND_OK : nnd_fail_memory(ctx, "the results");
    for (size_t i = 0; status == NND_OK && i < count; i++)
        status = cli_check_output(ctx, options->args.value[i], path);
    for (size_t i = 0; status == NND_OK && i < count; i++)
        status = nnd_result_read(ctx, options->args.value[i], &result[i]);
    char *address = documents();
    const nnd_report report = {.count = count,
                               .result = result,
                               .path = (const char *const *)options->args.value,
                               .documents = address};
    if (status == NND_OK)
        status = write_page(ctx, &report, path);
    if (status == NND_OK)
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", path);
    for (size_t i = 0; result != NULL && i < count; i++)
        nnd_result_clear(&result[i]);
    free(result);
    free(address);
    return cli_exit_code(status);
}
