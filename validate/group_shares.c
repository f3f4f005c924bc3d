/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/group_shares.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { TEXT_SIZE = 256, MOST_POINTS = 100000, THINNED_POINTS = 10000 };

static const char SIZE[] = "size";

/* Lengths of a lattice within `shape`: the longest is halved until few enough points are left. */
static bool thin(const nnd_array *x, size_t sweep_points, size_t *kept) {
    size_t count = x->count;
    for (size_t k = 0; k < x->ndims; k++)
        kept[k] = x->shape[k];
    if (count * sweep_points <= MOST_POINTS)
        return false;
    while (count > 1 && count * sweep_points > THINNED_POINTS) {
        size_t longest = 0;
        for (size_t k = 1; k < x->ndims; k++)
            if (kept[k] > kept[longest])
                longest = k;
        count = count / kept[longest] * ((kept[longest] + 1) / 2);
        kept[longest] = (kept[longest] + 1) / 2;
    }
    return true;
}

/* Adds `kept` coordinates of a dimension, evenly spaced from the first to the last. */
static nnd_status add_thinned(nnd_frame *shares, const char *name, const nnd_dim *dim,
                              size_t kept) {
    bool text = dim->kind == NND_COORD_TEXT;
    void *coords = calloc(kept, text ? sizeof(const char *) : sizeof(double));
    if (coords == NULL)
        return nnd_fail_memory(nnd_frame_context(shares), name);
    for (size_t i = 0; i < kept; i++) {
        size_t at = kept > 1 ? (i * (dim->length - 1) + (kept - 1) / 2) / (kept - 1) : 0;
        if (text)
            ((const char **)coords)[i] = dim->text[at];
        else
            ((double *)coords)[i] = dim->value[at];
    }
    nnd_status status = text ? nnd_frame_add_text_dim(shares, name, kept, coords)
                             : nnd_frame_add_dim(shares, name, dim->kind, kept, coords);
    free(coords);
    return status;
}

static nnd_status add_dim(nnd_frame *shares, const char *name, const nnd_dim *dim, size_t kept,
                          bool thinned) {
    if (thinned)
        return add_thinned(shares, name, dim, kept);
    return nnd_frame_find_dim(shares, name) != NULL ? NND_OK : nnd_frame_copy_dim(shares, dim);
}

nnd_status nnd_group_shares_add(nnd_frame *shares, const char *name, const nnd_frame *of,
                                const nnd_array *x, size_t sweep_points) {
    size_t kept[NND_MAX_DIMS];
    bool thinned = thin(x, sweep_points, kept);
    char dims[TEXT_SIZE * 4];
    nnd_text list = nnd_text_in(sizeof dims, dims);
    nnd_text_item(&list, ",", "%s", NND_GROUP);
    nnd_status status = NND_OK;
    for (size_t k = 0; status == NND_OK && k < x->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(of, x->dim[k]);
        char own[TEXT_SIZE];
        snprintf(own, sizeof own, "%s%s%s", thinned ? name : "", thinned ? "_" : "", dim->name);
        status = add_dim(shares, own, dim, kept[k], thinned);
        nnd_text_item(&list, ",", "%s", own);
        if (list.cut)
            return nnd_fail(nnd_frame_context(shares), NND_E_LIMIT, "%s: names too long", name);
    }
    return status == NND_OK ? nnd_frame_add(shares, name, dims, NULL) : status;
}

/* True if the dimension `own` of shares is `name`, or a thinned one of that name. */
static bool stands_for(const char *own, const char *name) {
    size_t length = strlen(own), end = strlen(name);
    return strcmp(own, name) == 0 ||
           (length > end && own[length - end - 1] == '_' && strcmp(own + length - end, name) == 0);
}

/* Where the coordinates of `dim` stand among those of `own`, which are in the same order. */
static size_t *find_positions(const nnd_dim *own, const nnd_dim *dim) {
    size_t *position = calloc(dim->length + 1, sizeof *position), next = 0;
    for (size_t i = 0; position != NULL && i < dim->length; i++) {
        size_t at = next < own->length && nnd_coord_equal(own, next, dim, i)
                        ? next
                        : nnd_coord_find(own, dim, i);
        position[i] = at < own->length ? at : SIZE_MAX;
        next = at < own->length ? at + 1 : next;
    }
    return position;
}

static nnd_status match_axis(nnd_context *ctx, const nnd_dim *own, const nnd_frame *of,
                             const nnd_array *other, size_t stride, nnd_share_view *view) {
    for (size_t k = 0; k < other->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(of, other->dim[k]);
        if (!stands_for(own->name, dim->name))
            continue;
        view->stride[k] = stride;
        view->position[k] = find_positions(own, dim);
        return view->position[k] != NULL ? NND_OK : nnd_fail_memory(ctx, own->name);
    }
    return NND_OK;
}

nnd_status nnd_share_view_make(nnd_context *ctx, const nnd_frame *shares, const nnd_array *array,
                               const nnd_frame *of, const nnd_array *other, nnd_share_view *view) {
    *view = (nnd_share_view){.data = array->data, .ndims = other->ndims, .groups = 1, .sizes = 1};
    nnd_status status = NND_OK;
    size_t stride = 1;
    for (size_t k = array->ndims; status == NND_OK && k-- > 0; stride *= array->shape[k]) {
        const nnd_dim *own = nnd_frame_dim(shares, array->dim[k]);
        if (strcmp(own->name, NND_GROUP) == 0) {
            view->groups = own->length;
            view->group_stride = stride;
        } else if (strcmp(own->name, SIZE) == 0) {
            view->sizes = own->length;
            view->size_stride = stride;
        } else {
            status = match_axis(ctx, own, of, other, stride, view);
        }
    }
    return status;
}

void nnd_share_view_clear(nnd_share_view *view) {
    for (size_t k = 0; k < view->ndims; k++)
        free(view->position[k]);
    *view = (nnd_share_view){0};
}

size_t nnd_share_view_at(const nnd_share_view *view, const size_t *index) {
    size_t at = 0;
    for (size_t k = 0; k < view->ndims; k++) {
        size_t position = view->position[k] != NULL ? view->position[k][index[k]] : 0;
        if (position == SIZE_MAX)
            return SIZE_MAX;
        at += position * view->stride[k];
    }
    return at;
}
