/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/claims.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/text.h"

enum { NAME_SIZE = 128, TEXT_SIZE = 512 };

nnd_status nnd_claim_reason(nnd_frame *frame, const char *variable, const char *reason) {
    char name[NAME_SIZE], text[TEXT_SIZE];
    nnd_companion_name(variable, NND_MIN_SIZE, sizeof name, name);
    const nnd_attribute *before = nnd_frame_find_attribute(frame, name, NND_REASON);
    if (before == NULL)
        return nnd_frame_set_text(frame, name, NND_REASON, reason);
    if (strstr(before->text, reason) != NULL)
        return NND_OK;
    snprintf(text, sizeof text, "%s; %s", before->text, reason);
    return nnd_frame_set_text(frame, name, NND_REASON, text);
}

/* ---- times ---- */

static bool is_time(const nnd_dim *dim) {
    return strcmp(dim->name, "t") == 0 || strcmp(dim->name, "s") == 0;
}

/* The array x_min_size, made if need be over the times of x alone, all 0. */
static nnd_status claim_of(nnd_frame *frame, const char *variable, const nnd_array **claim) {
    char name[NAME_SIZE], dims[NAME_SIZE];
    nnd_companion_name(variable, NND_MIN_SIZE, sizeof name, name);
    *claim = nnd_frame_find(frame, name);
    if (*claim != NULL)
        return NND_OK;
    const nnd_array *x = nnd_frame_find(frame, variable);
    nnd_text list = nnd_text_in(sizeof dims, dims);
    for (size_t k = 0; k < x->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(frame, x->dim[k]);
        if (is_time(dim))
            nnd_text_item(&list, ",", "%s", dim->name);
    }
    double *least;
    nnd_status status = nnd_frame_add(frame, name, dims, &least);
    *claim = nnd_frame_find(frame, name);
    for (size_t i = 0; status == NND_OK && i < (*claim)->count; i++)
        least[i] = 0.0;
    return status;
}

static bool is_later(const nnd_frame *frame, const nnd_array *array, const size_t *index,
                     double last) {
    for (size_t k = 0; k < array->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(frame, array->dim[k]);
        if (is_time(dim) && dim->value[index[k]] > last)
            return true;
    }
    return false;
}

static nnd_status take_back(nnd_frame *frame, const char *variable, double last,
                            const char *reason) {
    const nnd_array *claim;
    nnd_status status = claim_of(frame, variable, &claim);
    size_t index[NND_MAX_DIMS] = {0};
    for (size_t i = 0; status == NND_OK && i < claim->count; i++) {
        if (is_later(frame, claim, index, last))
            claim->data[i] = INFINITY;
        for (size_t k = claim->ndims; k-- > 0 && ++index[k] == claim->shape[k];)
            index[k] = 0;
    }
    return status == NND_OK ? nnd_claim_reason(frame, variable, reason) : status;
}

nnd_status nnd_claim_until(const nnd_model *model, nnd_frame *frame, double last,
                           const char *reason) {
    nnd_status status = NND_OK;
    for (size_t i = 0; isfinite(last) && status == NND_OK && i < model->variable_count; i++) {
        const nnd_variable *v = &model->variables[i];
        const nnd_array *x = nnd_frame_find(frame, v->name);
        if (v->check.kind != NND_CHECK_NONE && x != NULL &&
            nnd_array_axis(frame, x, "t") < x->ndims)
            status = take_back(frame, v->name, last, reason);
    }
    return status;
}

/* ---- sweeps ---- */

/* Kinds of claims in a sweep: the first frame that has each. */
typedef struct {
    size_t count;
    struct {
        nnd_frame *frame;
        const char *name;
    } * one;
} claims;

static bool is_known(const claims *known, const char *name) {
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->one[i].name, name) == 0)
            return true;
    return false;
}

static nnd_status collect(nnd_frame *frame, claims *known) {
    for (size_t a = 0; a < nnd_frame_array_count(frame); a++) {
        const char *name = nnd_frame_array(frame, a)->name;
        if (nnd_companion_of(name, NND_MIN_SIZE) == 0 || is_known(known, name))
            continue;
        void *grown = realloc(known->one, (known->count + 1) * sizeof *known->one);
        if (grown == NULL)
            return nnd_fail_memory(nnd_frame_context(frame), "the claims of theory");
        known->one = grown;
        known->one[known->count].frame = frame;
        known->one[known->count++].name = name;
    }
    return NND_OK;
}

static nnd_status add_missing(const claims *known, nnd_frame *frame) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < known->count; i++) {
        const char *name = known->one[i].name;
        char dims[NAME_SIZE];
        if (nnd_frame_find(frame, name) != NULL ||
            nnd_companion_owner(frame, name, NND_MIN_SIZE) == NULL)
            continue;
        double *least;
        nnd_array_dims(known->one[i].frame, nnd_frame_find(known->one[i].frame, name), sizeof dims,
                       dims);
        status = nnd_frame_add(frame, name, dims, &least);
        for (size_t k = 0; status == NND_OK && k < nnd_frame_find(frame, name)->count; k++)
            least[k] = 0.0;
    }
    return status;
}

/* Adds the reasons of a frame to those of the first one with the same claim: a sweep has one list.
 */
static nnd_status join_reasons(const claims *known, const nnd_frame *frame) {
    nnd_status status = NND_OK;
    for (size_t i = 0; i < known->count; i++) {
        const char *name = known->one[i].name;
        const nnd_attribute *reasons = nnd_frame_find_attribute(frame, name, NND_REASON);
        const nnd_array *owner = nnd_companion_owner(frame, name, NND_MIN_SIZE);
        if (reasons == NULL || owner == NULL || frame == known->one[i].frame)
            continue;
        char text[TEXT_SIZE], *rest = NULL;
        snprintf(text, sizeof text, "%s", reasons->text);
        for (char *one = strtok_r(text, ";", &rest); status == NND_OK && one != NULL;
             one = strtok_r(NULL, ";", &rest))
            status = nnd_claim_reason(known->one[i].frame, owner->name, one + strspn(one, " "));
    }
    return status;
}

nnd_status nnd_claim_complete(size_t count, nnd_frame *const *parts) {
    claims known = {0};
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < count; i++)
        if (parts[i] != NULL)
            status = collect(parts[i], &known);
    for (size_t i = 0; status == NND_OK && i < count; i++)
        if (parts[i] != NULL)
            status = add_missing(&known, parts[i]);
    for (size_t i = 0; status == NND_OK && i < count; i++)
        if (parts[i] != NULL)
            status = join_reasons(&known, parts[i]);
    free(known.one);
    return status;
}

/* ---- eigenvalues ---- */

double nnd_claim_apart(size_t n, const double *value, size_t i, double relative, double absolute) {
    const double clear2 = 40.0, rounding = 64.0 * DBL_EPSILON;
    double size = 0.0;
    for (size_t k = 0; k < n; k++) {
        double gap = fabs(value[i] - value[k]), both = fabs(value[i] * value[k]);
        if (k == i || isnan(gap))
            continue;
        if (gap <= rounding * fmax(fabs(value[i]), fabs(value[k])))
            return INFINITY;
        size = fmax(size, clear2 * (relative * both + absolute) / (gap * gap));
    }
    return size;
}

double nnd_claim_outlier(double edge, size_t n, const double *value, size_t i, double relative,
                         double absolute) {
    const double blurred = 0.02;
    if (!(value[i] > (1.0 + blurred) * edge))
        return INFINITY;
    return nnd_claim_apart(n, value, i, relative, absolute);
}

double nnd_claim_overlap(size_t n, const double *value, const double *overlap, size_t i,
                         double variance, double size) {
    const double forgiven = 0.02;
    double mixed = 0.0;
    for (size_t k = 0; k < n; k++) {
        double gap = value[i] - value[k];
        if (k != i && !isnan(gap) && overlap[k] != overlap[i])
            mixed += variance / (gap * gap) * fabs(overlap[k] - overlap[i]);
    }
    return mixed > 0.0 ? fmax(size, mixed / (forgiven * overlap[i])) : size;
}

nnd_status nnd_claim_outlier_reasons(nnd_frame *frame, const char *variable) {
    bool blurred = false, degenerate = false;
    const nnd_array *claim = nnd_companion(frame, variable, NND_MIN_SIZE);
    for (size_t i = 0; i < claim->count; i++) {
        blurred |= isinf(claim->data[i]);
        degenerate |= isfinite(claim->data[i]) && claim->data[i] > 0.0;
    }
    nnd_status status = blurred ? nnd_claim_reason(frame, variable, NND_BLURRED) : NND_OK;
    return status == NND_OK && degenerate ? nnd_claim_reason(frame, variable, NND_DEGENERATE)
                                          : status;
}
