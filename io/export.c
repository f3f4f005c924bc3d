/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/export_impl.h"

#include <errno.h>
#include <string.h>

#include "core/companion.h"
#include "core/text.h"
#include "nndmft/suggest.h"

enum { TEXT_SIZE = 900 };

bool nnd_export_same_dims(const nnd_array *a, const nnd_array *b) {
    return a->ndims == b->ndims && memcmp(a->dim, b->dim, a->ndims * sizeof a->dim[0]) == 0;
}

const nnd_array *nnd_export_error_of(const nnd_frame *frame, const nnd_array *array) {
    const nnd_array *se = nnd_companion(frame, array->name, NND_SE);
    return se != NULL && nnd_export_same_dims(se, array) ? se : NULL;
}

bool nnd_export_is_error(const nnd_frame *frame, const nnd_array *array) {
    const nnd_array *base = nnd_companion_owner(frame, array->name, NND_SE);
    return base != NULL && nnd_export_same_dims(base, array);
}

static nnd_status find_array(nnd_context *ctx, const nnd_frame *frame, const char *name,
                             const nnd_array **array) {
    *array = nnd_frame_find(frame, name);
    if (*array != NULL)
        return NND_OK;
    char names[TEXT_SIZE];
    nnd_text list = nnd_text_in(sizeof names, names);
    nnd_suggestion near = {.word = name};
    for (size_t i = 0; i < nnd_frame_array_count(frame); i++) {
        nnd_suggest(&near, "", nnd_frame_array(frame, i)->name);
        nnd_text_item(&list, ", ", "%s", nnd_frame_array(frame, i)->name);
    }
    return nnd_fail(ctx, NND_E_INPUT, "no variable %.200s; %sthere are: %s", name, near.text,
                    names);
}

nnd_status nnd_export_find_all(nnd_context *ctx, const nnd_frame *frame, const char *name,
                               size_t *count, const nnd_array *array[NND_EXPORT_PARTS]) {
    static const char *const part[NND_EXPORT_PARTS] = {NND_THEORY, NND_MC, NND_DIFF, NND_SE, NND_Z};
    *count = 0;
    for (size_t i = 0; i < NND_EXPORT_PARTS; i++) {
        array[*count] = nnd_companion(frame, name, part[i]);
        *count += array[*count] != NULL;
    }
    if (*count == NND_EXPORT_PARTS && nnd_frame_find(frame, name) == NULL)
        return NND_OK;
    *count = 1;
    return find_array(ctx, frame, name, &array[0]);
}

nnd_status nnd_export_finish(nnd_context *ctx, FILE *out) {
    errno = 0;
    bool flushed = fflush(out) == 0;
    if (flushed && !ferror(out))
        return NND_OK;
    return nnd_fail(ctx, NND_E_IO, "writing failed: %s",
                    errno != 0 ? strerror(errno) : "the output is not writable");
}
