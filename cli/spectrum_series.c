/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which matrices of which files the command `spectrum` looks at. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/suggest.h"
#include "core/text.h"
#include "spectrum.h"

enum { TEXT_SIZE = 512 };

/* ---- what is wanted ---- */

static bool is_wanted(const nnd_texts *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->value[i], name) == 0)
            return true;
    return names->count == 0;
}

static bool holds(const cli_spectra *s, const char *name) {
    for (size_t f = 0; f < s->file_count; f++)
        for (size_t i = 0; i < nnd_matrices_count(s->file[f]); i++)
            if (strcmp(nnd_matrices_info(s->file[f], i)->name, name) == 0)
                return true;
    return false;
}

/* A file that has steps holds a name at each of them. */
static bool is_first(const nnd_matrices *file, size_t entry) {
    for (size_t i = 0; i < entry; i++)
        if (strcmp(nnd_matrices_info(file, i)->name, nnd_matrices_info(file, entry)->name) == 0)
            return false;
    return true;
}

static nnd_status check_names(nnd_context *ctx, const cli_options *o, const cli_spectra *s) {
    for (size_t k = 0; k < o->datasets.count; k++) {
        char names[TEXT_SIZE];
        const char *name = o->datasets.value[k];
        if (holds(s, name))
            continue;
        nnd_text list = nnd_text_in(sizeof names, names);
        nnd_suggestion near = {.word = name};
        for (size_t i = 0; i < nnd_matrices_count(s->file[0]); i++) {
            nnd_suggest(&near, "", nnd_matrices_info(s->file[0], i)->name);
            if (is_first(s->file[0], i))
                nnd_text_item(&list, ", ", "%s", nnd_matrices_info(s->file[0], i)->name);
        }
        return nnd_fail(ctx, NND_E_INPUT, "%s: has no matrix \"%.200s\"; %sit has: %s",
                        o->args.value[0], name, near.text, names);
    }
    return NND_OK;
}

/* ---- grouping ---- */

static cli_series *find_series(const cli_spectra *s, const char *name) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->series[i].name, name) == 0)
            return &s->series[i];
    return NULL;
}

static nnd_status add_series(nnd_context *ctx, cli_spectra *s, const nnd_matrix_info *info,
                             cli_series **added) {
    cli_series *grown = realloc(s->series, (s->count + 1) * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(ctx, "the list of matrices");
    s->series = grown;
    *added = &grown[s->count++];
    **added = (cli_series){.name = info->name, .info = info};
    return NND_OK;
}

static nnd_status check_shape(nnd_context *ctx, const char *path, const cli_series *series,
                              const nnd_matrix_info *info) {
    return info->rows == series->info->rows && info->cols == series->info->cols
               ? NND_OK
               : nnd_fail(ctx, NND_E_INPUT, "%s: %s is %zu x %zu here, and %zu x %zu before it",
                          path, info->name, info->rows, info->cols, series->info->rows,
                          series->info->cols);
}

static nnd_status add_checkpoint(nnd_context *ctx, const char *path, cli_series *series,
                                 const nnd_matrices *file, size_t entry, double step) {
    nnd_status status = check_shape(ctx, path, series, nnd_matrices_info(file, entry));
    if (status != NND_OK)
        return status;
    if (series->count > 0 && !(step > series->at[series->count - 1].step))
        return nnd_fail(ctx, NND_E_INPUT, "%s: has %s twice", path, series->name);
    cli_checkpoint *grown = realloc(series->at, (series->count + 1) * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(ctx, "the list of matrices");
    series->at = grown;
    grown[series->count++] =
        (cli_checkpoint){.path = path, .file = file, .entry = entry, .step = step};
    return NND_OK;
}

static nnd_status add_file(nnd_context *ctx, const cli_options *o, cli_spectra *s, size_t f) {
    const nnd_matrices *file = s->file[f];
    const char *path = o->args.value[f];
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < nnd_matrices_count(file); i++) {
        const nnd_matrix_info *info = nnd_matrices_info(file, i);
        bool has_step = !isnan(info->step);
        if (!is_wanted(&o->datasets, info->name))
            continue;
        if (info->left_out != NULL) {
            if (o->datasets.count > 0)
                return nnd_fail(ctx, NND_E_INPUT, "%s: %s %s", path, info->name, info->left_out);
            nnd_log(ctx, NND_LOG_DETAIL, "%s: %s (%s) is left out: it %s", path, info->name,
                    info->shape, info->left_out);
            s->left_out++;
            continue;
        }
        if (has_step && s->file_count > 1)
            return nnd_fail(ctx, NND_E_INPUT,
                            "%s: has steps of its own; give such a file alone, or choose with "
                            "--init",
                            path);
        cli_series *series = find_series(s, info->name);
        if (series == NULL)
            status = add_series(ctx, s, info, &series);
        if (status == NND_OK)
            status = add_checkpoint(ctx, path, series, file, i, has_step ? info->step : (double)f);
        s->steps = s->steps || has_step;
    }
    return status;
}

/* ---- the checkpoint before all others ---- */

static nnd_status find_init(nnd_context *ctx, const char *path, cli_spectra *s,
                            cli_series *series) {
    for (size_t i = 0; i < nnd_matrices_count(s->init_file); i++) {
        const nnd_matrix_info *info = nnd_matrices_info(s->init_file, i);
        if (strcmp(info->name, series->name) != 0 || info->left_out != NULL)
            continue;
        series->init =
            (cli_checkpoint){.path = path, .file = s->init_file, .entry = i, .step = NAN};
        return check_shape(ctx, path, series, info);
    }
    return nnd_fail(ctx, NND_E_INPUT,
                    "%s: has no matrix %s; --dataset chooses those that both have", path,
                    series->name);
}

cli_checkpoint *cli_series_before(cli_series *series) {
    if (series->init.file != NULL)
        return &series->init;
    return series->count > 1 ? &series->at[0] : NULL;
}

/* ---- all of it ---- */

/* Why a file holds nothing to look at: the reason of the first array. */
static nnd_status nothing(nnd_context *ctx, const char *path, const nnd_matrices *file) {
    const nnd_matrix_info *info = nnd_matrices_info(file, 0);
    return nnd_matrices_count(file) == 1
               ? nnd_fail(ctx, NND_E_INPUT, "%s: %s %s", path, info->name, info->left_out)
               : nnd_fail(ctx, NND_E_INPUT, "%s: none of its %zu arrays is a matrix: %s %s", path,
                          nnd_matrices_count(file), info->name, info->left_out);
}

static nnd_status open_files(nnd_context *ctx, const cli_options *o, cli_spectra *s) {
    s->file = calloc(o->args.count, sizeof(nnd_matrices *));
    if (s->file == NULL)
        return nnd_fail_memory(ctx, "the list of files");
    nnd_status status = NND_OK;
    for (size_t f = 0; status == NND_OK && f < o->args.count; f++) {
        status = nnd_matrices_open(ctx, o->args.value[f], &s->file[f]);
        s->file_count += status == NND_OK;
    }
    if (status == NND_OK && o->init != NULL)
        status = nnd_matrices_open(ctx, o->init, &s->init_file);
    s->steps = s->file_count > 1;
    return status;
}

nnd_status cli_spectra_open(nnd_context *ctx, const cli_options *o, cli_spectra *s) {
    *s = (cli_spectra){0};
    nnd_status status = open_files(ctx, o, s);
    if (status == NND_OK)
        status = check_names(ctx, o, s);
    for (size_t f = 0; status == NND_OK && f < s->file_count; f++)
        status = add_file(ctx, o, s, f);
    if (status == NND_OK && s->count == 0)
        status = nothing(ctx, o->args.value[0], s->file[0]);
    for (size_t i = 0; status == NND_OK && s->init_file != NULL && i < s->count; i++)
        status = find_init(ctx, o->init, s, &s->series[i]);
    return status;
}

static void clear_checkpoint(cli_checkpoint *c) {
    nnd_spectrum_clear(&c->spectrum);
    nnd_spectrum_change_clear(&c->change);
}

void cli_spectra_clear(cli_spectra *s) {
    for (size_t i = 0; i < s->count; i++) {
        for (size_t k = 0; k < s->series[i].count; k++)
            clear_checkpoint(&s->series[i].at[k]);
        clear_checkpoint(&s->series[i].init);
        nnd_spectrum_null_clear(&s->series[i].null);
        free(s->series[i].at);
    }
    for (size_t f = 0; f < s->file_count; f++)
        nnd_matrices_close(s->file[f]);
    nnd_matrices_close(s->init_file);
    free(s->series);
    free(s->file);
    *s = (cli_spectra){0};
}
