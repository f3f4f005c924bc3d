/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <string.h>

static void print_dim(const nnd_dim *dim) {
    char first[64], last[64];
    if (dim->length == 0)
        return;
    nnd_coord_text(dim, 0, sizeof first, first);
    nnd_coord_text(dim, dim->length - 1, sizeof last, last);
    printf("    %-16s %zu: %s%s%s\n", dim->name, dim->length, first,
           dim->length > 2    ? " .. "
           : dim->length == 2 ? ", "
                              : "",
           dim->length > 1 ? last : "");
}

static void print_group(const char *name, const nnd_frame *frame) {
    if (frame == NULL)
        return;
    printf("/%s\n  dimensions\n", name);
    for (size_t i = 0; i < nnd_frame_dim_count(frame); i++)
        print_dim(nnd_frame_dim(frame, i));
    printf("  variables\n");
    for (size_t i = 0; i < nnd_frame_array_count(frame); i++) {
        const nnd_array *array = nnd_frame_array(frame, i);
        const nnd_attribute *about = nnd_frame_find_attribute(frame, array->name, "long_name");
        char dims[256];
        nnd_array_dims(frame, array, sizeof dims, dims);
        printf("    %-16s (%s) %s\n", array->name, dims,
               about != NULL && about->text != NULL ? about->text : "");
    }
    for (size_t i = 0; i < nnd_frame_attribute_count(frame); i++) {
        const nnd_attribute *a = nnd_frame_attribute(frame, i);
        if (a->array == NULL && a->text != NULL)
            printf("  %s: %s\n", a->key, a->text);
        else if (a->array == NULL)
            nnd_print(stdout, "  %s: %g\n", a->key, a->number);
    }
}

static void print_line(const char *what, const char *text) {
    if (text != NULL)
        printf("%-9s %s\n", what, text);
}

int cli_info(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    nnd_status status = nnd_result_read(ctx, options->args.value[0], &result);
    if (status != NND_OK) {
        nnd_result_clear(&result);
        return cli_exit_code(status);
    }
    print_line("model", result.model);
    print_line("version", result.version);
    print_line("created", result.created);
    print_line("history", result.history);
    print_group("theory", result.theory);
    print_group("mc", result.mc);
    print_group("mc/seeds", result.seeds);
    print_group("mc/influence", result.influence);
    print_group("compare", result.compare);
    if (result.case_text != NULL) {
        size_t length = strlen(result.case_text);
        bool ends = length > 0 && result.case_text[length - 1] == '\n';
        printf("case\n%s%s", result.case_text, ends ? "" : "\n");
    }
    nnd_result_clear(&result);
    return EXIT_DONE;
}
