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

/* A matrix to analyse. */
typedef struct {
    cli_checkpoint *checkpoint;
    double init_sd;
    const nnd_spectrum_null *null;
} item;

/* Matrices are read one at a time and analysed side by side. */
typedef struct {
    omp_lock_t file_lock;
    size_t count, done;
    item *item;
} work;

/* All singular values of larger matrices take minutes, their law from random probes seconds. */
enum { LARGEST_EXACT = 8192 };
enum { TEXT_SIZE = 512 };

static bool is_large(const nnd_matrix_info *info) {
    return info->rows > LARGEST_EXACT && info->cols > LARGEST_EXACT;
}

static nnd_spectrum_options options_for(const nnd_matrix_info *info) {
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.method = is_large(info) ? NND_SPECTRUM_SLQ : NND_SPECTRUM_EXACT;
    return o;
}

/* The first series of its shape. */
static cli_series *first_of_shape(cli_spectra *s, const cli_series *series) {
    size_t rows = series->info->rows, cols = series->info->cols;
    cli_series *first = s->series;
    while (first->info->rows * first->info->cols != rows * cols ||
           (first->info->rows != rows && first->info->rows != cols))
        first++;
    return first;
}

/* Null laws, one for each shape: to sample one takes a third of the time that the singular values
 * of a matrix take. */
static nnd_status make_nulls(nnd_context *ctx, cli_spectra *s) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < s->count; i++) {
        const nnd_matrix_info *info = s->series[i].info;
        const nnd_spectrum_options o = options_for(info);
        if (!is_large(info) && first_of_shape(s, &s->series[i]) == &s->series[i])
            status = nnd_spectrum_null_make(ctx, info->rows, info->cols, o.draws, o.seed,
                                            &s->series[i].null);
    }
    return status;
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

/* A refusal, with what is refused. */
static nnd_status name_matrix(nnd_context *ctx, const cli_checkpoint *c, nnd_status status) {
    char reason[TEXT_SIZE];
    snprintf(reason, sizeof reason, "%s", nnd_context_message(ctx));
    return nnd_fail(ctx, status, "%s: %s: %s", c->path, nnd_matrices_info(c->file, c->entry)->name,
                    reason);
}

static nnd_status analyse(nnd_context *ctx, size_t i, void *data) {
    work *w = data;
    cli_checkpoint *c = w->item[i].checkpoint;
    const nnd_matrix_info *info = nnd_matrices_info(c->file, c->entry);
    nnd_spectrum_options options = options_for(info);
    size_t done, count = info->rows * info->cols;
    double *value = malloc(count * sizeof *value);
    options.init_sd = w->item[i].init_sd;
    options.null = is_large(info) ? NULL : w->item[i].null;
    nnd_status status =
        value != NULL ? read_locked(ctx, w, c, value) : nnd_fail_memory(ctx, info->name);
    if (status == NND_OK)
        c->zero = is_zero(count, value);
    if (status == NND_OK && !c->zero) {
        status = nnd_spectrum_analyse(ctx, info->rows, info->cols, value, &options, &c->spectrum);
        status = status < 0 ? name_matrix(ctx, c, status) : status;
    }
    free(value);
#pragma omp atomic capture
    done = ++w->done;
    nnd_progress(ctx, "spectra", (double)done, w->count);
    return status;
}

static double bytes_of(const cli_checkpoint *c) {
    const nnd_matrix_info *info = nnd_matrices_info(c->file, c->entry);
    const nnd_spectrum_options options = options_for(info);
    return nnd_matrices_bytes(c->file, c->entry) +
           nnd_spectrum_bytes(info->rows, info->cols, &options);
}

static nnd_status check_fits(nnd_context *ctx, const cli_checkpoint *c) {
    char what[TEXT_SIZE];
    snprintf(what, sizeof what, "%s: %s", c->path, nnd_matrices_info(c->file, c->entry)->name);
    return nnd_check_memory(ctx, bytes_of(c), what);
}

/* Those of the first turn are what others are compared with; the second turn knows the size that
 * their entries had. */
static void collect(cli_spectra *s, bool first, work *w) {
    for (size_t i = 0; i < s->count; i++) {
        cli_checkpoint *before = cli_series_before(&s->series[i]);
        const nnd_spectrum_null *null = &first_of_shape(s, &s->series[i])->null;
        double sd = before != NULL && !first && !before->zero ? before->spectrum.entry_sd : NAN;
        if (first && before != NULL)
            w->item[w->count++] = (item){before, NAN, null};
        for (size_t k = 0; !first && k < s->series[i].count; k++)
            if (&s->series[i].at[k] != before)
                w->item[w->count++] = (item){&s->series[i].at[k], sd, null};
    }
}

static nnd_status analyse_turn(nnd_context *ctx, cli_spectra *s, bool first) {
    work w = {0};
    size_t room = 0;
    double bytes = 0.0;
    for (size_t i = 0; i < s->count; i++)
        room += s->series[i].count + 1;
    w.item = calloc(room, sizeof *w.item);
    if (w.item == NULL)
        return nnd_fail_memory(ctx, "the list of matrices");
    collect(s, first, &w);
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < w.count; i++) {
        status = check_fits(ctx, w.item[i].checkpoint);
        bytes = fmax(bytes, bytes_of(w.item[i].checkpoint));
    }
    if (status == NND_OK) {
        omp_init_lock(&w.file_lock);
        status =
            nnd_parallel(ctx, nnd_context_concurrency(ctx, w.count, bytes), w.count, analyse, &w);
        omp_destroy_lock(&w.file_lock);
    }
    free(w.item);
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

static nnd_status make_folder(nnd_context *ctx, const char *path) {
    struct stat st;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return NND_OK;
    return nnd_fail(ctx, NND_E_IO, "%s: %s", path, strerror(errno == EEXIST ? ENOTDIR : errno));
}

/* What cannot be written is known before the work. */
static nnd_status check_outputs(nnd_context *ctx, const cli_options *o) {
    nnd_output *output;
    nnd_status status = o->pictures != NULL ? make_folder(ctx, o->pictures) : NND_OK;
    if (o->output == NULL || (wants_json(o) && strcmp(o->output, "-") == 0))
        return status;
    for (size_t f = 0; status == NND_OK && f < o->args.count; f++)
        status = cli_check_output(ctx, o->args.value[f], o->output);
    if (status == NND_OK && o->init != NULL)
        status = cli_check_output(ctx, o->init, o->output);
    if (status == NND_OK)
        status = nnd_output_open(ctx, o->output, &output);
    return status == NND_OK ? nnd_output_close(ctx, output, false) : status;
}

int cli_spectrum(nnd_context *ctx, const cli_options *options) {
    cli_spectra spectra = {0};
    nnd_status status = check_outputs(ctx, options);
    if (status == NND_OK)
        status = cli_spectra_open(ctx, options, &spectra);
    if (status == NND_OK)
        status = make_nulls(ctx, &spectra);
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
