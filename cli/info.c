/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 16 };

static void print_dim(const nnd_dim *dim) {
    char first[64], last[64];
    if (dim->length == 0)
        return;
    nnd_coord_text(dim, 0, sizeof first, first);
    nnd_coord_text(dim, dim->length - 1, sizeof last, last);
    printf("    ");
    nnd_print_padded(stdout, dim->name, NAME_WIDTH);
    printf(" %zu: ", dim->length);
    nnd_print_visible(stdout, first);
    printf("%s", dim->length > 2 ? " .. " : dim->length == 2 ? ", " : "");
    nnd_print_visible(stdout, dim->length > 1 ? last : "");
    putchar('\n');
}

static void print_variable(const nnd_frame *frame, const nnd_array *array) {
    const nnd_attribute *about = nnd_frame_find_attribute(frame, array->name, "long_name");
    char dims[256];
    nnd_array_dims(frame, array, sizeof dims, dims);
    printf("    ");
    nnd_print_padded(stdout, array->name, NAME_WIDTH);
    printf(" (");
    nnd_print_visible(stdout, dims);
    printf(") ");
    nnd_print_visible(stdout, about != NULL && about->text != NULL ? about->text : "");
    putchar('\n');
}

static void print_attribute(const nnd_attribute *a) {
    printf("  ");
    nnd_print_visible(stdout, a->key);
    printf(": ");
    if (a->text != NULL)
        nnd_print_visible(stdout, a->text);
    else
        nnd_print(stdout, "%g", a->number);
    putchar('\n');
}

static void print_group(const char *name, const nnd_frame *frame) {
    if (frame == NULL)
        return;
    printf("/%s\n  dimensions\n", name);
    for (size_t i = 0; i < nnd_frame_dim_count(frame); i++)
        print_dim(nnd_frame_dim(frame, i));
    printf("  variables\n");
    for (size_t i = 0; i < nnd_frame_array_count(frame); i++)
        print_variable(frame, nnd_frame_array(frame, i));
    for (size_t i = 0; i < nnd_frame_attribute_count(frame); i++)
        if (nnd_frame_attribute(frame, i)->array == NULL)
            print_attribute(nnd_frame_attribute(frame, i));
}

static void print_line(const char *what, const char *text) {
    if (text == NULL)
        return;
    printf("%-9s ", what);
    nnd_print_visible(stdout, text);
    putchar('\n');
}

/* The case, line by line; the lines are cut out of the text. */
static void print_case(char *text) {
    printf("case\n");
    for (char *line, *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        nnd_print_visible(stdout, line);
        if (rest != NULL || *line != '\0')
            putchar('\n');
    }
}

/* Nothing of a model that this version does not know. */
static void print_page(const char *name) {
    const nnd_model *model = name != NULL ? nnd_model_find(name) : NULL;
    char *page = model != NULL ? cli_page(model) : NULL;
    print_line("equations", page);
    free(page);
}

int cli_info(nnd_context *ctx, const cli_options *options) {
    nnd_result result = {0};
    nnd_status status = nnd_result_read(ctx, options->args.value[0], &result);
    if (status != NND_OK) {
        nnd_result_clear(&result);
        return cli_exit_code(status);
    }
    print_line("model", result.model);
    print_page(result.model);
    print_line("version", result.version);
    print_line("created", result.created);
    print_line("history", result.history);
    print_group("theory", result.theory);
    print_group("mc", result.mc);
    print_group("mc/seeds", result.seeds);
    print_group("mc/influence", result.influence);
    print_group("mc/weights", result.weights);
    print_group("compare", result.compare);
    print_group("answers", result.answers);
    if (result.case_text != NULL)
        print_case(result.case_text);
    nnd_result_clear(&result);
    return EXIT_DONE;
}
