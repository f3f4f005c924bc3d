/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command `similarity`: how alike two representations in files are. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "cli.h"
#include "core/suggest.h"
#include "core/text.h"

enum { TEXT_SIZE = 512 };

/* ---- which matrices ---- */

/* A representation: a matrix with a row for each point, or a vector with a number for each. */
typedef struct {
    const char *path;
    nnd_matrices *file;
    size_t entry, rows, cols;
    char name[TEXT_SIZE];
    double *value;
} representation;

static bool is_vector(const nnd_matrix_info *info) {
    return info->rows == 0 && info->count > 0;
}

static bool can_be_read(const nnd_matrix_info *info) {
    return info->left_out == NULL || is_vector(info);
}

static nnd_status list_names(nnd_context *ctx, const representation *r, const char *wanted) {
    char names[TEXT_SIZE] = "";
    nnd_text list = nnd_text_in(sizeof names, names);
    nnd_suggestion near = {.word = wanted != NULL ? wanted : ""};
    for (size_t i = 0; i < nnd_matrices_count(r->file); i++) {
        if (wanted != NULL)
            nnd_suggest(&near, "", nnd_matrices_info(r->file, i)->name);
        nnd_text_item(&list, ", ", "%s", nnd_matrices_info(r->file, i)->name);
    }
    return wanted != NULL
               ? nnd_fail(ctx, NND_E_INPUT, "%s: has no matrix \"%.200s\"; %sit has: %s", r->path,
                          wanted, near.text, names)
               : nnd_fail(ctx, NND_E_INPUT, "%s: holds several; choose one by --dataset: %s",
                          r->path, names);
}

/* The one of this name; without a name, the only one that can be read. */
static nnd_status choose(nnd_context *ctx, const char *wanted, representation *r) {
    size_t found = 0, readable = 0;
    for (size_t i = 0; i < nnd_matrices_count(r->file); i++) {
        const nnd_matrix_info *info = nnd_matrices_info(r->file, i);
        bool named = wanted != NULL ? strcmp(info->name, wanted) == 0 : can_be_read(info);
        r->entry = named ? i : r->entry;
        found += named;
        readable += can_be_read(info);
    }
    const nnd_matrix_info *info = nnd_matrices_info(r->file, r->entry);
    if (found > 1 && wanted != NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s: holds %s at %zu steps; allowed: once", r->path,
                        wanted, found);
    if (found > 1 || (found == 0 && readable > 0))
        return list_names(ctx, r, wanted);
    if (!can_be_read(info))
        return nnd_fail(ctx, NND_E_INPUT, "%s: %s %s", r->path, info->name, info->left_out);
    r->rows = is_vector(info) ? info->count : info->rows;
    r->cols = is_vector(info) ? 1 : info->cols;
    snprintf(r->name, sizeof r->name, "%s: %s", r->path, info->name);
    return NND_OK;
}

static nnd_status open_one(nnd_context *ctx, const cli_options *o, size_t side, representation *r) {
    size_t names = o->datasets.count;
    r->path = o->args.value[side];
    if (names > 2)
        return nnd_fail(ctx, NND_E_INPUT, "--dataset: %zu names; allowed: one, or one for each",
                        names);
    nnd_status status = nnd_matrices_open(ctx, r->path, &r->file);
    return status == NND_OK
               ? choose(ctx, names == 0 ? NULL : o->datasets.value[names == 2 ? side : 0], r)
               : status;
}

static nnd_status read_one(nnd_context *ctx, representation *r) {
    r->value = malloc(r->rows * r->cols * sizeof *r->value);
    nnd_status status = r->value != NULL ? nnd_matrices_read(ctx, r->file, r->entry, r->value)
                                         : nnd_fail_memory(ctx, r->name);
    return status;
}

static nnd_status read_both(nnd_context *ctx, const cli_options *o, representation r[2]) {
    nnd_status status = NND_OK;
    for (size_t side = 0; status == NND_OK && side < 2; side++)
        status = open_one(ctx, o, side, &r[side]);
    if (status == NND_OK && r[0].rows != r[1].rows)
        return nnd_fail(ctx, NND_E_INPUT, "%s has %zu rows, %s %zu; both have one for each point",
                        r[1].name, r[1].rows, r[0].name, r[0].rows);
    for (size_t side = 0; status == NND_OK && side < 2; side++)
        status = read_one(ctx, &r[side]);
    return status;
}

static void clear_both(representation r[2]) {
    for (size_t side = 0; side < 2; side++) {
        nnd_matrices_close(r[side].file);
        free(r[side].value);
    }
}

/* ---- which measures ---- */

static nnd_status want(nnd_context *ctx, const char *name, nnd_similarity_options *o) {
    char names[TEXT_SIZE];
    nnd_text list = nnd_text_in(sizeof names, names);
    nnd_suggestion near = {.word = name};
    for (int m = 0; m < NND_SIMILARITIES; m++) {
        const char *known = nnd_similarity_name(m);
        if (strcmp(known, name) == 0) {
            o->wanted[m] = true;
            return NND_OK;
        }
        nnd_suggest(&near, "", known);
        nnd_text_item(&list, ", ", "%s", known);
    }
    return nnd_fail(ctx, NND_E_INPUT, "--measure: %.100s is not known; %sallowed: %s", name,
                    near.text, names);
}

static nnd_status choose_measures(nnd_context *ctx, const cli_options *options,
                                  const representation r[2], nnd_similarity_options *o) {
    nnd_status status = NND_OK;
    *o = options->similarity;
    o->key.size = r[0].rows;
    for (int m = 0; options->measures.count > 0 && m < NND_SIMILARITIES; m++)
        o->wanted[m] = false;
    if (options->measures.count == 0 && r[0].cols != r[1].cols)
        o->wanted[NND_SIMILARITY_COSINE] = false;
    for (size_t i = 0; status == NND_OK && i < options->measures.count; i++)
        status = want(ctx, options->measures.value[i], o);
    return status;
}

/* ---- what is to be known of the numbers ---- */

/* Columns that do not vary carry nothing: neither distances nor centred products see them. */
static size_t count_constant(const representation *r) {
    size_t count = 0;
    for (size_t c = 0; c < r->cols; c++) {
        size_t i = 1;
        while (i < r->rows && r->value[i * r->cols + c] == r->value[c])
            i++;
        count += i == r->rows;
    }
    return count;
}

/* Varying columns of one side, of which n - 1 at most are independent. */
static size_t count_dimensions(nnd_context *ctx, const representation *r) {
    size_t constant = count_constant(r), varying = r->cols - constant;
    if (constant > 0)
        nnd_log(ctx, NND_LOG_NOTE, "%s: %zu of %zu columns %s constant, and count%s for nothing",
                r->name, constant, r->cols, constant > 1 ? "are" : "is", constant > 1 ? "" : "s");
    return varying < r->rows - 1 ? varying : r->rows - 1;
}

/* Two spaces of p and q dimensions within the n - 1 of centred columns meet in p + q - (n - 1). */
static void add_notes(nnd_context *ctx, const cli_options *options, const representation r[2],
                      const nnd_similarity_options *o) {
    size_t dims = count_dimensions(ctx, &r[0]) + count_dimensions(ctx, &r[1]);
    if (o->wanted[NND_SIMILARITY_CCA] && dims > r[0].rows - 1)
        nnd_log(ctx, NND_LOG_NOTE,
                "cca: with so few points up to %zu correlations are 1 whatever the columns",
                dims - (r[0].rows - 1));
    if (options->measures.count == 0 && !o->wanted[NND_SIMILARITY_COSINE])
        nnd_log(ctx, NND_LOG_NOTE, "no cosine: %zu and %zu columns do not stand beside each other",
                r[0].cols, r[1].cols);
}

/* ---- the frame ---- */

typedef struct {
    const char *name, *long_name;
    size_t at; /* in nnd_similarity */
} column;

#define COLUMN(name, long_name)                                                                    \
    { #name, long_name, offsetof(nnd_similarity, name) }

static const column COLUMNS[] = {
    COLUMN(value, "similarity"),
    COLUMN(value_se, "standard error of value"),
    COLUMN(debiased, "similarity, debiased"),
    COLUMN(debiased_se, "standard error of debiased"),
    COLUMN(null, "mean of value over permutations of the points"),
    COLUMN(null_sd, "its standard deviation over them"),
    COLUMN(p_value, "share of permutations that are as alike"),
};

static nnd_status describe(nnd_frame *frame, const representation r[2],
                           const nnd_similarity_options *o) {
    const struct {
        const char *key;
        double number;
    } numbers[] = {
        {"points", (double)r[0].rows},       {"columns_a", (double)r[0].cols},
        {"columns_b", (double)r[1].cols},    {"neighbours", (double)o->neighbours},
        {"variance", o->variance},           {"permutations", (double)o->permutations},
        {"resamples", (double)o->resamples}, {"seed", (double)o->key.base_seed},
    };
    nnd_status status = nnd_frame_set_text(frame, NULL, "a", r[0].name);
    if (status == NND_OK)
        status = nnd_frame_set_text(frame, NULL, "b", r[1].name);
    for (size_t i = 0; status == NND_OK && i < sizeof numbers / sizeof *numbers; i++)
        status = nnd_frame_set_number(frame, NULL, numbers[i].key, numbers[i].number);
    return status;
}

static nnd_status fill(nnd_frame *frame, const nnd_similarity_options *o,
                       const nnd_similarity *result) {
    const char *name[NND_SIMILARITIES];
    const nnd_similarity *of[NND_SIMILARITIES] = {NULL};
    size_t count = 0;
    for (int m = 0; m < NND_SIMILARITIES; m++)
        if (o->wanted[m]) {
            name[count] = nnd_similarity_name(m);
            of[count++] = &result[m];
        }
    nnd_status status = nnd_frame_add_text_dim(frame, "measure", count, name);
    for (size_t c = 0; status == NND_OK && c < sizeof COLUMNS / sizeof *COLUMNS; c++) {
        double *x = NULL;
        status = nnd_frame_add(frame, COLUMNS[c].name, "measure", &x);
        for (size_t i = 0; status == NND_OK && i < count; i++)
            memcpy(&x[i], (const char *)of[i] + COLUMNS[c].at, sizeof x[i]);
        if (status == NND_OK)
            status = nnd_frame_set_text(frame, COLUMNS[c].name, "long_name", COLUMNS[c].long_name);
    }
    return status;
}

/* ---- what becomes of it ---- */

static void print_table(const nnd_similarity_options *o, const nnd_similarity *result) {
    nnd_print(stdout, "%-26s%18s%18s%18s%9s\n", "measure", "value +- se", "debiased +- se",
              "null +- sd", "p");
    for (int m = 0; m < NND_SIMILARITIES; m++) {
        char value[CLI_CELL], debiased[CLI_CELL], null[CLI_CELL], p[CLI_CELL];
        if (!o->wanted[m])
            continue;
        cli_cell_estimate(result[m].value, result[m].value_se, value);
        cli_cell_estimate(result[m].debiased, result[m].debiased_se, debiased);
        cli_cell_estimate(result[m].null, result[m].null_sd, null);
        cli_cell_probability(result[m].p_value, p);
        nnd_print(stdout, "%-26s%18s%18s%18s%9s\n", nnd_similarity_name(m), value, debiased, null,
                  p);
    }
}

static nnd_status write_all(nnd_context *ctx, const cli_options *options,
                            const nnd_similarity_options *o, const nnd_similarity *result,
                            nnd_frame *frame) {
    const char *name = "similarity";
    const nnd_named_frames frames = {1, &name, &frame};
    nnd_status status = NND_OK;
    if (strcmp(options->format, "table") != 0)
        return cli_write_table(ctx, options, frame);
    if (options->output != NULL)
        status = nnd_frames_write(ctx, options->output, options->history, &frames);
    if (status == NND_OK && options->output != NULL)
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", options->output);
    if (status == NND_OK)
        print_table(o, result);
    return status;
}

static nnd_status put_out(nnd_context *ctx, const cli_options *options, const representation r[2],
                          const nnd_similarity_options *o, const nnd_similarity *result) {
    nnd_frame *frame = NULL;
    nnd_status status = nnd_frame_new(ctx, &frame);
    if (status == NND_OK)
        status = describe(frame, r, o);
    if (status == NND_OK)
        status = fill(frame, o, result);
    if (status == NND_OK)
        status = write_all(ctx, options, o, result, frame);
    nnd_frame_free(frame);
    return status;
}

/* What cannot be written is known before the work. */
static nnd_status check_output(nnd_context *ctx, const cli_options *o) {
    nnd_output *output;
    nnd_status status = NND_OK;
    bool to_stdout = o->output != NULL && strcmp(o->output, "-") == 0;
    if (o->output == NULL || (to_stdout && strcmp(o->format, "table") != 0))
        return NND_OK;
    for (size_t side = 0; status == NND_OK && side < 2; side++)
        status = cli_check_output(ctx, o->args.value[side], o->output);
    if (status == NND_OK)
        status = nnd_output_open(ctx, o->output, &output);
    return status == NND_OK ? nnd_output_close(ctx, output, false) : status;
}

int cli_similarity(nnd_context *ctx, const cli_options *options) {
    representation r[2] = {{0}, {0}};
    nnd_similarity_options o;
    nnd_similarity result[NND_SIMILARITIES];
    nnd_status status = check_output(ctx, options);
    if (status == NND_OK)
        status = read_both(ctx, options, r);
    if (status == NND_OK)
        status = choose_measures(ctx, options, r, &o);
    if (status == NND_OK) {
        const nnd_representations both = {
            r[0].rows, {r[0].cols, r[1].cols}, {r[0].value, r[1].value}, {r[0].name, r[1].name}};
        status = nnd_similarity_measure_all(ctx, &both, &o, result);
    }
    cli_progress_end();
    if (status == NND_OK) {
        add_notes(ctx, options, r, &o);
        status = put_out(ctx, options, r, &o, result);
    }
    clear_both(r);
    return cli_exit_code(status);
}
