/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variables of a model as arrays of a frame: their dimensions stand in the table alone. */
#include <stdio.h>
#include <string.h>

#include "core/companion.h"
#include "core/text.h"
#include "nndmft/model.h"

enum { NAME_SIZE = 128, TEXT_SIZE = 256 };

/* One of a list of dimensions; `optional` if it stands in brackets. */
typedef struct {
    const char *name;
    size_t length;
    bool optional;
} dimension;

/* Reads the dimension at `at`; returns where the next one begins. */
static const char *next_dimension(const char *at, dimension *dim) {
    dim->optional = *at == '[';
    dim->name = at + dim->optional;
    dim->length = strcspn(dim->name, ",]");
    at = dim->name + dim->length + dim->optional;
    return at + (*at == ',');
}

bool nnd_variable_has_dim(const nnd_variable *variable, const char *dim) {
    dimension own;
    for (const char *at = variable->dims; *at != '\0';) {
        at = next_dimension(at, &own);
        if (strlen(dim) == own.length && strncmp(dim, own.name, own.length) == 0)
            return true;
    }
    return false;
}

/* Reads the next dimension that the variable has in a frame; false where there is none. */
static bool next_own(const char **at, const nnd_frame *frame, size_t size, char *name) {
    dimension dim;
    while (**at != '\0') {
        *at = next_dimension(*at, &dim);
        snprintf(name, size, "%.*s", (int)dim.length, dim.name);
        if (!dim.optional || nnd_frame_find_dim(frame, name) != NULL)
            return true;
    }
    return false;
}

bool nnd_variable_fits(const nnd_variable *variable, const nnd_frame *frame) {
    char name[NAME_SIZE];
    for (const char *at = variable->dims; next_own(&at, frame, sizeof name, name);)
        if (nnd_frame_find_dim(frame, name) == NULL)
            return false;
    return true;
}

/* Those of the variable in a frame, after `seed` where the frame has that. */
static void dims_in(const nnd_variable *variable, const nnd_frame *frame, size_t size, char *text) {
    nnd_text list = nnd_text_in(size, text);
    char name[NAME_SIZE];
    text[0] = '\0';
    if (nnd_frame_find_dim(frame, "seed") != NULL)
        nnd_text_item(&list, ",", "seed");
    for (const char *at = variable->dims; next_own(&at, frame, sizeof name, name);)
        nnd_text_item(&list, ",", "%s", name);
}

/* The variable that is called so, or that an array of that name stands beside. */
static const nnd_variable *variable_of(const nnd_model *model, const char *name) {
    static const char *const beside[] = {NND_SE, NND_MIN_SIZE};
    const nnd_variable *v = nnd_model_variable(model, name);
    for (size_t i = 0; v == NULL && i < sizeof beside / sizeof *beside; i++) {
        char own[NAME_SIZE];
        size_t length = nnd_companion_of(name, beside[i]);
        snprintf(own, sizeof own, "%.*s", (int)length, name);
        v = nnd_model_variable(model, own);
    }
    return v;
}

/* The dimensions that the array of a name has in a frame. */
static nnd_status find_dims(const nnd_frame *frame, const nnd_model *model, const char *name,
                            char dims[TEXT_SIZE]) {
    const nnd_variable *v = variable_of(model, name);
    if (v == NULL)
        return nnd_fail(nnd_frame_context(frame), NND_E_INPUT, "%s has no variable %s", model->name,
                        name);
    dims_in(v, frame, TEXT_SIZE, dims);
    return NND_OK;
}

nnd_status nnd_frame_add_variable(nnd_frame *frame, const nnd_model *model, const char *name,
                                  double **data) {
    char dims[TEXT_SIZE];
    nnd_status status = find_dims(frame, model, name, dims);
    return status == NND_OK ? nnd_frame_add(frame, name, dims, data) : status;
}

nnd_status nnd_frame_add_number(nnd_frame *frame, const nnd_model *model, const char *name,
                                double value) {
    char dims[TEXT_SIZE];
    nnd_status status = find_dims(frame, model, name, dims);
    if (status == NND_OK && dims[0] != '\0')
        return nnd_fail(nnd_frame_context(frame), NND_E_INPUT, "%s is no single number", name);
    return status == NND_OK ? nnd_frame_add_scalar(frame, name, value) : status;
}
