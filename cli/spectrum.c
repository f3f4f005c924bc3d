/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command `spectrum`: what singular values say of the matrices in files. */
#include "spectrum.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- analysis ---- */

/* Matrices are read one at a time and analysed side by side. */
typedef struct {
    cli_spectra *spectra;
    omp_lock_t file_lock;
    size_t count, done;
    cli_checkpoint **item;
    const double *init_sd; /* of each */
} work;

/* All singular values of larger matrices take minutes, their law from random probes seconds. */
enum { LARGEST_EXACT = 8192 };
/* More would take longer than the singular values of a matrix of 1000 x 1000. */
enum { DRAWS = 99 };

static nnd_spectrum_options options_for(const nnd_matrix_info *info, double init_sd) {
    nnd_spectrum_options o = nnd_spectrum_defaults();
    size_t least = info->rows < info->cols ? info->rows : info->cols;
    o.method = least > LARGEST_EXACT ? NND_SPECTRUM_SLQ : NND_SPECTRUM_EXACT;
    o.draws = DRAWS;
    o.init_sd = init_sd;
    return o;
}

static nnd_status read_locked(nnd_context *ctx, work *w, const cli_checkpoint *c, double *value) {
    omp_set_lock(&w->file_lock);
    nnd_status status = nnd_matrices_read(ctx, c->file, c->entry, value);
    omp_unset_lock(&w->file_lock);
    return status;
}

static bool is_zero(size_t count, const double *value) {
    for (size_t k = 0; k < count; k++)
        if (value[k] != 0.0)
            return false;
    return true;
}

static nnd_status analyse(nnd_context *ctx, size_t i, void *data) {
    work *w = data;
    cli_checkpoint *c = w->item[i];
    const nnd_matrix_info *info = nnd_matrices_info(c->file, c->entry);
    const nnd_spectrum_options options = options_for(info, w->init_sd[i]);
    size_t done, count = info->rows * info->cols;
    double *value = malloc(count * sizeof *value);
    nnd_status status =
        value != NULL ? read_locked(ctx, w, c, value) : nnd_fail_memory(ctx, info->name);
    if (status == NND_OK)
        c->zero = is_zero(count, value);
    if (status == NND_OK && !c->zero)
        status = nnd_spectrum_analyse(ctx, info->rows, info->cols, value, &options, &c->spectrum);
    free(value);
#pragma omp atomic capture
    done = ++w->done;
    nnd_progress(ctx, "spectra", (double)done, w->count);
    return status;
}

static double bytes_of(const cli_checkpoint *c) {
    const nnd_matrix_info *info = nnd_matrices_info(c->file, c->entry);
    const nnd_spectrum_options options = options_for(info, NAN);
    return nnd_matrices_bytes(c->file, c->entry) +
           nnd_spectrum_bytes(info->rows, info->cols, &options);
}

/* Those of the first turn are what others are compared with; the second turn knows the size that
 * their entries had. */
static nnd_status collect(nnd_context *ctx, cli_spectra *s, bool first, work *w, double *init_sd) {
    size_t room = 0;
    for (size_t i = 0; i < s->count; i++)
        room += s->series[i].count + 1;
    w->item = calloc(room, sizeof(cli_checkpoint *));
    if (w->item == NULL)
        return nnd_fail_memory(ctx, "the list of matrices");
    for (size_t i = 0; i < s->count; i++) {
        cli_checkpoint *before = cli_series_before(&s->series[i]);
        double sd = before != NULL && !first && !before->zero ? before->spectrum.entry_sd : NAN;
        if (first && before != NULL)
            w->item[w->count++] = before;
        for (size_t k = 0; !first && k < s->series[i].count; k++)
            if (&s->series[i].at[k] != before) {
                init_sd[w->count] = sd;
                w->item[w->count++] = &s->series[i].at[k];
            }
    }
    return NND_OK;
}

static nnd_status analyse_turn(nnd_context *ctx, cli_spectra *s, bool first) {
    work w = {.spectra = s};
    size_t room = 0;
    double bytes = 0.0;
    for (size_t i = 0; i < s->count; i++)
        room += s->series[i].count + 1;
    double *init_sd = calloc(room, sizeof *init_sd);
    nnd_status status = init_sd != NULL ? NND_OK : nnd_fail_memory(ctx, "the list of matrices");
    for (size_t i = 0; status == NND_OK && i < room; i++)
        init_sd[i] = NAN;
    if (status == NND_OK)
        status = collect(ctx, s, first, &w, init_sd);
    w.init_sd = init_sd;
    for (size_t i = 0; i < w.count; i++)
        bytes = fmax(bytes, bytes_of(w.item[i]));
    if (status == NND_OK)
        status = nnd_check_memory(ctx, bytes, "the largest matrix");
    if (status == NND_OK) {
        omp_init_lock(&w.file_lock);
        status =
            nnd_parallel(ctx, nnd_context_concurrency(ctx, w.count, bytes), w.count, analyse, &w);
        omp_destroy_lock(&w.file_lock);
    }
    free(w.item);
    free(init_sd);
    return status;
}

static nnd_status compare(nnd_context *ctx, cli_spectra *s) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < s->count; i++) {
        cli_checkpoint *before = cli_series_before(&s->series[i]);
        for (size_t k = 0; status == NND_OK && before != NULL && k < s->series[i].count; k++) {
            cli_checkpoint *c = &s->series[i].at[k];
            if (c == before || c->zero || before->zero)
                continue;
            status = nnd_spectrum_compare(ctx, &before->spectrum, &c->spectrum, &c->change);
            c->compared = status == NND_OK;
        }
    }
    return status;
}

/* ---- what becomes of it ---- */

static nnd_status make_frames(nnd_context *ctx, const cli_spectra *s, nnd_frame **frame) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < s->count; i++)
        status = cli_spectrum_frame(ctx, s, &s->series[i], &frame[i]);
    return status;
}

static bool wants_json(const cli_options *options) {
    return strcmp(options->format, "json") == 0;
}

static nnd_status write_json_file(nnd_context *ctx, const cli_options *options,
                                  const nnd_named_frames *frames) {
    nnd_output *output;
    nnd_status status = nnd_output_open(ctx, options->output, &output);
    if (status != NND_OK)
        return status;
    FILE *file = fopen(nnd_output_path(output), "w");
    status = file != NULL ? nnd_json_write_all(ctx, frames, file)
                          : nnd_fail(ctx, NND_E_IO, "%s: %s", options->output, strerror(errno));
    if (file != NULL && fclose(file) != 0 && status == NND_OK)
        status = nnd_fail(ctx, NND_E_IO, "%s: %s", options->output, strerror(errno));
    nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
    return status != NND_OK ? status : closed;
}

static nnd_status write_frames(nnd_context *ctx, const cli_options *options,
                               const nnd_named_frames *frames) {
    bool to_stdout = options->output == NULL || strcmp(options->output, "-") == 0;
    if (wants_json(options) && !to_stdout)
        return write_json_file(ctx, options, frames);
    if (wants_json(options)) {
        nnd_status status = nnd_json_write_all(ctx, frames, stdout);
        return status == NND_E_IO && cli_reader_left() ? NND_OK : status;
    }
    if (options->output == NULL)
        return NND_OK;
    nnd_status status = nnd_frames_write(ctx, options->output, options->history, frames);
    if (status == NND_OK)
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", options->output);
    return status;
}

/* The name of a matrix as that of a file: other signs than letters, digits, '.', '-' and '_' are
 * underscores. */
static char *picture_path(const char *folder, size_t number, const char *name) {
    char *path;
    if (asprintf(&path, "%s/%03zu-%.120s.svg", folder, number, name) < 0)
        return NULL;
    for (char *c = path + strlen(folder) + 1; *c != '\0'; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *c) == NULL)
            *c = '_';
    return path;
}

static nnd_status draw(nnd_context *ctx, const cli_options *options, const cli_spectra *s,
                       nnd_frame *const *frame) {
    if (options->pictures == NULL)
        return NND_OK;
    if (mkdir(options->pictures, 0777) != 0 && errno != EEXIST)
        return nnd_fail(ctx, NND_E_IO, "%s: %s", options->pictures, strerror(errno));
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < s->count; i++) {
        const cli_series *series = &s->series[i];
        char *path = picture_path(options->pictures, i + 1, series->name);
        if (path == NULL)
            status = nnd_fail_memory(ctx, "a path");
        else
            status = cli_spectrum_draw(ctx, series, frame[i], path);
        free(path);
    }
    return status;
}

static nnd_status put_out(nnd_context *ctx, const cli_options *options, const cli_spectra *s) {
    nnd_named_frames frames = {s->count, calloc(s->count, sizeof(char *)),
                               calloc(s->count, sizeof(nnd_frame *))};
    nnd_status status = frames.name != NULL && frames.frame != NULL
                            ? make_frames(ctx, s, frames.frame)
                            : nnd_fail_memory(ctx, "what is known of the matrices");
    for (size_t i = 0; status == NND_OK && i < s->count; i++)
        frames.name[i] = s->series[i].name;
    if (status == NND_OK)
        status = write_frames(ctx, options, &frames);
    if (status == NND_OK)
        status = draw(ctx, options, s, frames.frame);
    for (size_t i = 0; frames.frame != NULL && i < s->count; i++)
        nnd_frame_free(frames.frame[i]);
    free(frames.frame);
    free(frames.name);
    if (status == NND_OK && s->left_out > 0)
        nnd_log(ctx, NND_LOG_NOTE, "left out: %zu array%s that %s no matrix; -v says why",
                s->left_out, s->left_out > 1 ? "s" : "", s->left_out > 1 ? "are" : "is");
    if (status == NND_OK && !wants_json(options))
        cli_spectrum_report(s, stdout);
    return status;
}

static nnd_status check_outputs(nnd_context *ctx, const cli_options *o) {
    nnd_status status = NND_OK;
    if (o->output == NULL || (wants_json(o) && strcmp(o->output, "-") == 0))
        return NND_OK;
    for (size_t f = 0; status == NND_OK && f < o->args.count; f++)
        status = cli_check_output(ctx, o->args.value[f], o->output);
    return status == NND_OK && o->init != NULL ? cli_check_output(ctx, o->init, o->output) : status;
}

int cli_spectrum(nnd_context *ctx, const cli_options *options) {
    cli_spectra spectra = {0};
    nnd_status status = check_outputs(ctx, options);
    if (status == NND_OK)
        status = cli_spectra_open(ctx, options, &spectra);
    if (status == NND_OK)
        status = analyse_turn(ctx, &spectra, true);
    if (status == NND_OK)
        status = analyse_turn(ctx, &spectra, false);
    if (status == NND_OK)
        status = compare(ctx, &spectra);
    cli_progress_end();
    if (status == NND_OK)
        status = put_out(ctx, options, &spectra);
    cli_spectra_clear(&spectra);
    return cli_exit_code(status);
}
