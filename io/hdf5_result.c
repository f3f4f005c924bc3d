/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <fftw3.h>
#include <gsl/gsl_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/companion.h"
#include "core/rng.h"
#include "io/hdf5_impl.h"
#include "nndmft/io.h"

void nnd_result_clear(nnd_result *result) {
    nnd_frame_free(result->theory);
    nnd_frame_free(result->mc);
    nnd_frame_free(result->seeds);
    nnd_frame_free(result->influence);
    nnd_frame_free(result->weights);
    nnd_frame_free(result->answers);
    nnd_frame_free(result->compare);
    free(result->case_text);
    free(result->model);
    free(result->version);
    free(result->created);
    free(result->history);
    free(result->question);
    *result = (nnd_result){0};
}

/* ---- writing ---- */

/* Sets a root attribute; an absent text is left out. */
static bool set_text(hid_t file, const char *key, const char *text) {
    return text == NULL || nnd_hdf5_set_text(file, key, text);
}

static bool write_provenance(hid_t file, const nnd_result *result) {
    char now[32], hdf5[32], title[256];
    unsigned major = 0, minor = 0, release = 0;
    struct tm utc;
    time_t seconds = time(NULL);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    H5get_libversion(&major, &minor, &release);
    snprintf(hdf5, sizeof hdf5, "%u.%u.%u", major, minor, release);
    snprintf(title, sizeof title, "nndmft: %s",
             result->model != NULL ? result->model : "unknown model");
    return set_text(file, "Conventions", "CF-1.8") && set_text(file, "title", title) &&
           set_text(file, "model", result->model) && set_text(file, "case", result->case_text) &&
           set_text(file, "nndmft_version",
                    result->version != NULL ? result->version : nnd_version()) &&
           set_text(file, "git_describe", nnd_git_describe()) &&
           set_text(file, "created", result->created != NULL ? result->created : now) &&
           set_text(file, "history", result->history) &&
           set_text(file, "question", result->question) && set_text(file, "rng", NND_RNG_NAME) &&
           set_text(file, "hdf5_version", hdf5) && set_text(file, "gsl_version", gsl_version) &&
           set_text(file, "fftw_version", fftw_version) &&
           set_text(file, "openblas_config", openblas_get_config()) &&
           nnd_hdf5_set_integer(file, "file_schema_version", NND_FILE_SCHEMA);
}

/* Writes a frame as a new group; nothing for an absent frame. */
static nnd_status write_group(nnd_context *ctx, const char *path, hid_t parent, const char *name,
                              const nnd_frame *frame) {
    if (frame == NULL)
        return NND_OK;
    hid_t group = nnd_hdf5_new_group(parent, name);
    nnd_status status = group < 0 ? nnd_fail(ctx, NND_E_IO, "%s: HDF5 cannot store %s", path, name)
                                  : nnd_hdf5_write_frame(ctx, path, group, frame);
    H5Gclose(group);
    return status;
}

static nnd_status write_mc(nnd_context *ctx, const char *path, hid_t file,
                           const nnd_result *result) {
    if (result->mc == NULL && result->seeds == NULL && result->influence == NULL &&
        result->weights == NULL)
        return NND_OK;
    hid_t group = nnd_hdf5_new_group(file, "mc");
    nnd_status status =
        group < 0 ? nnd_fail(ctx, NND_E_IO, "%s: HDF5 cannot store mc", path) : NND_OK;
    if (status == NND_OK && result->mc != NULL)
        status = nnd_hdf5_write_frame(ctx, path, group, result->mc);
    if (status == NND_OK)
        status = write_group(ctx, path, group, "seeds", result->seeds);
    if (status == NND_OK)
        status = write_group(ctx, path, group, "influence", result->influence);
    if (status == NND_OK)
        status = write_group(ctx, path, group, "weights", result->weights);
    H5Gclose(group);
    return status;
}

static nnd_status fill_result(nnd_context *ctx, const char *path, hid_t file, const void *user) {
    const nnd_result *result = user;
    nnd_status status = NND_OK;
    if (!write_provenance(file, result))
        status = nnd_fail(ctx, NND_E_IO, "%s: HDF5 cannot store the attributes", path);
    if (status == NND_OK)
        status = write_group(ctx, path, file, "theory", result->theory);
    if (status == NND_OK)
        status = write_mc(ctx, path, file, result);
    if (status == NND_OK)
        status = write_group(ctx, path, file, "compare", result->compare);
    if (status == NND_OK)
        status = write_group(ctx, path, file, "answers", result->answers);
    return status;
}

typedef nnd_status (*file_filler)(nnd_context *ctx, const char *path, hid_t file, const void *user);

static nnd_status build(nnd_context *ctx, const char *path, file_filler fill, const void *user,
                        nnd_hdf5_image *image) {
    hid_t file;
    nnd_status status = nnd_hdf5_create(ctx, image, &file);
    if (status != NND_OK)
        return status;
    status = fill(ctx, path, file, user);
    nnd_status finished = nnd_hdf5_finish(ctx, path, image, file);
    return status != NND_OK ? status : finished;
}

/* Writes what `fill` puts into a new file. */
static nnd_status write_file(nnd_context *ctx, const char *path, file_filler fill,
                             const void *user) {
    nnd_hdf5_image image = {0};
    nnd_output *output;
    nnd_status status = nnd_output_open(ctx, path, &output);
    if (status != NND_OK)
        return status;
    H5E_BEGIN_TRY {
        status = build(ctx, path, fill, user, &image);
    }
    H5E_END_TRY
    if (status == NND_OK)
        status = nnd_hdf5_save(ctx, path, nnd_output_path(output), &image);
    nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
    nnd_hdf5_image_clear(&image);
    return status != NND_OK ? status : closed;
}

nnd_status nnd_result_write(nnd_context *ctx, const char *path, const nnd_result *result) {
    return write_file(ctx, path, fill_result, result);
}

/* ---- frames by name ---- */

typedef struct {
    const nnd_named_frames *frames;
    const char *history;
} named;

/* The name of the group of frame i in a file that has those before; NULL: out of memory. */
static char *group_name(hid_t file, const char *name) {
    char *text = strdup(name[0] != '\0' ? name : "_");
    for (char *c = text; c != NULL && *c != '\0'; c++)
        *c = *c == '/' ? '.' : *c;
    if (text != NULL && strcmp(text, ".") == 0)
        *text = '_';
    for (size_t n = 2; text != NULL && H5Lexists(file, text, H5P_DEFAULT) > 0; n++) {
        free(text);
        if (asprintf(&text, "%s-%zu", name, n) < 0)
            return NULL;
        for (char *c = text; *c != '\0'; c++)
            *c = *c == '/' ? '.' : *c;
    }
    return text;
}

static nnd_status fill_named(nnd_context *ctx, const char *path, hid_t file, const void *user) {
    const named *n = user;
    char *history = n->history != NULL ? strdup(n->history) : NULL;
    const nnd_result about = {.history = history};
    nnd_status status = NND_OK;
    if (!write_provenance(file, &about))
        status = nnd_fail(ctx, NND_E_IO, "%s: HDF5 cannot store the attributes", path);
    for (size_t i = 0; status == NND_OK && i < n->frames->count; i++) {
        char *name = group_name(file, n->frames->name[i]);
        status = name != NULL ? write_group(ctx, path, file, name, n->frames->frame[i])
                              : nnd_fail_memory(ctx, path);
        free(name);
    }
    free(history);
    return status;
}

nnd_status nnd_frames_write(nnd_context *ctx, const char *path, const char *history,
                            const nnd_named_frames *frames) {
    return write_file(ctx, path, fill_named, &(named){frames, history});
}

/* ---- reading ---- */

static nnd_status read_group(nnd_context *ctx, const char *path, hid_t file, const char *name,
                             nnd_frame **frame) {
    hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    if (group < 0)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: group %s is damaged", path, name);
    nnd_status status = nnd_hdf5_read_frame(ctx, path, group, frame);
    H5Gclose(group);
    return status;
}

/* Reads a group if it is there; one without arrays counts as absent. */
static nnd_status read_optional(nnd_context *ctx, const char *path, hid_t file, const char *name,
                                nnd_frame **frame) {
    htri_t there = H5Lexists(file, name, H5P_DEFAULT);
    if (there < 0)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged", path);
    nnd_status status = there ? read_group(ctx, path, file, name, frame) : NND_OK;
    if (status == NND_OK && *frame != NULL && nnd_frame_array_count(*frame) == 0) {
        nnd_frame_free(*frame);
        *frame = NULL;
    }
    return status;
}

/* A user's own simulation: arrays in /mc or at the root. */
static nnd_status read_own(nnd_context *ctx, const char *path, hid_t file, nnd_result *result) {
    nnd_status status = read_optional(ctx, path, file, "mc", &result->mc);
    if (status == NND_OK && result->mc == NULL)
        status = read_optional(ctx, path, file, "/", &result->mc);
    if (status == NND_OK && result->mc == NULL)
        status = nnd_fail(ctx, NND_E_FORMAT, "%s: no arrays at its root or in /mc", path);
    return status;
}

static nnd_status read_nndmft(nnd_context *ctx, const char *path, hid_t file, nnd_result *result) {
    double schema = nnd_hdf5_get_number(file, "file_schema_version", 0.0);
    result->version = nnd_hdf5_get_text(file, "nndmft_version");
    if (schema > NND_FILE_SCHEMA)
        return nnd_fail(ctx, NND_E_FORMAT,
                        "%s: has file schema %g of nndmft %s; this nndmft %s reads up to schema "
                        "%d: use a newer nndmft",
                        path, schema, result->version != NULL ? result->version : "(unknown)",
                        nnd_version(), NND_FILE_SCHEMA);
    result->model = nnd_hdf5_get_text(file, "model");
    result->case_text = nnd_hdf5_get_text(file, "case");
    result->created = nnd_hdf5_get_text(file, "created");
    result->history = nnd_hdf5_get_text(file, "history");
    result->question = nnd_hdf5_get_text(file, "question");
    nnd_status status = read_optional(ctx, path, file, "theory", &result->theory);
    if (status == NND_OK)
        status = read_optional(ctx, path, file, "mc", &result->mc);
    bool simulated = H5Lexists(file, "mc", H5P_DEFAULT) > 0;
    if (status == NND_OK && simulated)
        status = read_optional(ctx, path, file, "mc/seeds", &result->seeds);
    if (status == NND_OK && simulated)
        status = read_optional(ctx, path, file, "mc/influence", &result->influence);
    if (status == NND_OK && simulated)
        status = read_optional(ctx, path, file, "mc/weights", &result->weights);
    if (status == NND_OK)
        status = read_optional(ctx, path, file, "compare", &result->compare);
    if (status == NND_OK)
        status = read_optional(ctx, path, file, "answers", &result->answers);
    return status;
}

static nnd_status read_file(nnd_context *ctx, const char *path, nnd_result *result) {
    hid_t file;
    nnd_status status = nnd_hdf5_open(ctx, path, &file);
    if (status != NND_OK)
        return status;
    bool ours = H5Aexists(file, "file_schema_version") > 0 || H5Aexists(file, "nndmft_version") > 0;
    status = ours ? read_nndmft(ctx, path, file, result) : read_own(ctx, path, file, result);
    H5Fclose(file);
    return status;
}

static nnd_status read_quietly(nnd_context *ctx, const char *path, nnd_result *result) {
    nnd_status status;
    H5E_BEGIN_TRY {
        status = read_file(ctx, path, result);
    }
    H5E_END_TRY
    if (status != NND_OK)
        nnd_result_clear(result);
    return status;
}

static nnd_status read_and_forget(nnd_context *ctx, const void *path) {
    nnd_result result = {0};
    nnd_status status = read_quietly(ctx, path, &result);
    nnd_result_clear(&result);
    return status;
}

nnd_status nnd_result_read(nnd_context *ctx, const char *path, nnd_result *result) {
    *result = (nnd_result){0};
    nnd_status status = nnd_hdf5_check(ctx, path, false);
    if (status == NND_OK)
        status = nnd_hdf5_rehearse(ctx, path, read_and_forget, path);
    return status == NND_OK ? read_quietly(ctx, path, result) : status;
}

/* ---- attributes of variables ---- */

static const nnd_variable *find_variable(const nnd_model *model, const char *name, size_t length) {
    for (size_t i = 0; i < model->variable_count; i++) {
        const nnd_variable *v = &model->variables[i];
        if (strlen(v->name) == length && strncmp(v->name, name, length) == 0)
            return v;
    }
    return NULL;
}

static nnd_status set_if(nnd_frame *frame, const char *array, const char *key, const char *text) {
    return text != NULL ? nnd_frame_set_text(frame, array, key, text) : NND_OK;
}

static nnd_status annotate(nnd_frame *frame, const char *array, const nnd_model *model) {
    static const char of[] = "standard error of ";
    char long_name[512];
    const nnd_variable *v = find_variable(model, array, strlen(array));
    size_t length = nnd_companion_of(array, NND_SE);
    bool error = v == NULL && length > 0;
    if (error)
        v = find_variable(model, array, length);
    if (v == NULL)
        return NND_OK;
    snprintf(long_name, sizeof long_name, "%s%s", error ? of : "",
             v->long_name != NULL ? v->long_name : v->name);
    nnd_status status = nnd_frame_set_text(frame, array, "long_name", long_name);
    if (status == NND_OK)
        status = set_if(frame, array, "units", nnd_variable_unit(v));
    if (status == NND_OK && !error)
        status = set_if(frame, array, "equation", v->equation);
    return status;
}

nnd_status nnd_result_annotate(nnd_frame *frame, const nnd_model *model) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < nnd_frame_array_count(frame); i++)
        status = annotate(frame, nnd_frame_array(frame, i)->name, model);
    return status;
}
