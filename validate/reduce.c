/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/reduce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/statistics.h"

enum { TEXT_SIZE = 256 };

/* Copies the rows of one array of all blocks, one after the other, up to `seeds` rows. */
static void join_array(const nnd_array *to, size_t count, nnd_frame *const *blocks, size_t seeds) {
    size_t inner = to->count / seeds, row = 0;
    for (size_t b = 0; b < count && row < seeds; b++) {
        const nnd_array *from = nnd_frame_find(blocks[b], to->name);
        size_t rows = from->shape[0] < seeds - row ? from->shape[0] : seeds - row;
        memcpy(to->data + row * inner, from->data, rows * inner * sizeof(double));
        row += rows;
    }
}

/* True if a block has the arrays of the first one, over the same dimensions but for the seeds. */
static bool same_shape(const nnd_frame *a, const nnd_frame *b) {
    if (nnd_frame_array_count(a) != nnd_frame_array_count(b))
        return false;
    for (size_t i = 0; i < nnd_frame_array_count(a); i++) {
        const nnd_array *x = nnd_frame_array(a, i), *y = nnd_frame_find(b, x->name);
        if (y == NULL || x->ndims == 0 || x->ndims != y->ndims ||
            x->count / x->shape[0] != y->count / y->shape[0])
            return false;
    }
    return true;
}

nnd_status nnd_join_blocks(nnd_context *ctx, size_t count, nnd_frame *const *blocks, size_t seeds,
                           nnd_frame **joined) {
    const nnd_frame *first = blocks[0];
    for (size_t b = 1; b < count; b++)
        if (!same_shape(first, blocks[b]))
            return nnd_fail(ctx, NND_E_FORMAT, "blocks of one ensemble differ in their arrays");
    nnd_frame *out;
    nnd_status status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status =
            nnd_frame_add_range(out, "seed", seeds, nnd_frame_find_dim(first, "seed")->value[0]);
    for (size_t i = 0; status == NND_OK && i < nnd_frame_dim_count(first); i++)
        if (strcmp(nnd_frame_dim(first, i)->name, "seed") != 0)
            status = nnd_frame_copy_dim(out, nnd_frame_dim(first, i));
    for (size_t i = 0; status == NND_OK && i < nnd_frame_array_count(first); i++) {
        const nnd_array *array = nnd_frame_array(first, i);
        char dims[TEXT_SIZE];
        nnd_array_dims(first, array, sizeof dims, dims);
        status = nnd_frame_add(out, array->name, dims, NULL);
        if (status == NND_OK)
            join_array(nnd_frame_find(out, array->name), count, blocks, seeds);
    }
    if (status == NND_OK)
        *joined = out;
    else
        nnd_frame_free(out);
    return status;
}

/* Seeds that take part: those that did not diverge, or all if every one did. */
static nnd_status choose_seeds(nnd_context *ctx, const nnd_frame *seeds, size_t **chosen,
                               size_t *count, double *diverged_fraction) {
    const nnd_array *at = nnd_frame_find(seeds, "diverged_at");
    size_t n = nnd_frame_find_dim(seeds, "seed")->length, kept = 0;
    size_t *list = calloc(n, sizeof *list);
    if (list == NULL)
        return nnd_fail_memory(ctx, "the seeds");
    for (size_t i = 0; i < n; i++)
        if (at == NULL || isnan(at->data[i]))
            list[kept++] = i;
    *diverged_fraction = (double)(n - kept) / (double)n;
    if (kept == 0)
        for (kept = 0; kept < n; kept++)
            list[kept] = kept;
    *chosen = list;
    *count = kept;
    return NND_OK;
}

/* The other of a pair of dimensions that index the same thing. */
static const char *twin(const char *name) {
    static const char *const pairs[][2] = {{"t", "s"}, {"mu", "nu"}, {"layer", "layer2"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(name, pairs[i][0]) == 0)
            return pairs[i][1];
    return NULL;
}

/* Position in a per-seed array (without its seed dimension) of an element of a variable. The second
 * factor of a covariance is read at the twin of a dimension where the variable has it. */
static size_t source_position(const nnd_frame *in, const nnd_array *source, const nnd_frame *out,
                              const nnd_array *target, const size_t *index, bool second) {
    size_t at = 0;
    for (size_t k = 1; k < source->ndims; k++) {
        const char *name = nnd_frame_dim(in, source->dim[k])->name, *other = twin(name);
        size_t axis = second && other != NULL ? nnd_array_axis(out, target, other) : target->ndims;
        if (axis == target->ndims)
            axis = nnd_array_axis(out, target, name);
        at = at * source->shape[k] + (axis < target->ndims ? index[axis] : 0);
    }
    return at;
}

/* One variable being reduced. */
typedef struct {
    const nnd_variable *variable;
    const nnd_frame *seeds;
    const nnd_array *a, *b; /* b: NULL unless the estimator takes two */
    size_t count, size;
    const size_t *chosen;
    double *x, *y; /* samples of one element */
} reduction;

static nnd_estimate estimate(const reduction *r) {
    double size = (double)r->size;
    nnd_estimate e;
    switch (r->variable->estimator.kind) {
    case NND_NVAR:
        e = nnd_covariance(r->count, r->x, 1, r->x, 1);
        return (nnd_estimate){size * e.value, size * e.se};
    case NND_NCOV:
        e = nnd_covariance(r->count, r->x, 1, r->y, 1);
        return (nnd_estimate){size * e.value, size * e.se};
    case NND_RATIO:
        return nnd_ratio_of_means(r->count, r->x, 1, r->y, 1);
    case NND_MEAN:
    case NND_SLOPE:
        break;
    }
    return nnd_mean(r->count, r->x, 1);
}

static void gather(const reduction *r, const nnd_array *source, size_t at, double *samples) {
    size_t inner = source->count / source->shape[0];
    for (size_t i = 0; i < r->count; i++)
        samples[i] = source->data[r->chosen[i] * inner + at];
}

/* Fills x and x_se, element by element, in the order of seeds. */
static void reduce_array(const reduction *r, const nnd_frame *out, const nnd_array *x,
                         const nnd_array *se) {
    size_t index[NND_MAX_DIMS] = {0};
    for (size_t i = 0; i < x->count; i++) {
        gather(r, r->a, source_position(r->seeds, r->a, out, x, index, false), r->x);
        if (r->b != NULL)
            gather(r, r->b, source_position(r->seeds, r->b, out, x, index, true), r->y);
        nnd_estimate e = estimate(r);
        x->data[i] = e.value;
        se->data[i] = e.se;
        for (size_t k = x->ndims; k-- > 0 && ++index[k] == x->shape[k];)
            index[k] = 0;
    }
}

/* True if a frame has all dimensions of "t,layer". */
static bool has_dims(const nnd_frame *frame, const char *dims) {
    char name[TEXT_SIZE];
    for (const char *at = dims; *at != '\0';) {
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (nnd_frame_find_dim(frame, name) == NULL)
            return false;
        at += length + (at[length] == ',');
    }
    return true;
}

static nnd_status add_estimate(nnd_frame *out, const char *name, const char *dims) {
    char se[TEXT_SIZE];
    snprintf(se, sizeof se, "%s_se", name);
    nnd_status status = nnd_frame_add(out, name, dims, NULL);
    return status == NND_OK ? nnd_frame_add(out, se, dims, NULL) : status;
}

static const nnd_array *error_of(const nnd_frame *frame, const char *name) {
    char se[TEXT_SIZE];
    snprintf(se, sizeof se, "%s_se", name);
    return nnd_frame_find(frame, se);
}

static const char *or_itself(const char *source, const nnd_variable *v) {
    return source != NULL ? source : v->name;
}

/* Dimensions of an estimate. A mean, or a ratio of means, has those of what was recorded: the
 * variables of a model may have a time with one kind of training and none with another. */
static const char *estimate_dims(const reduction *r, size_t size, char *text) {
    const nnd_variable *v = r->variable;
    if (v->estimator.kind != NND_MEAN && v->estimator.kind != NND_RATIO)
        return v->dims;
    nnd_array_dims(r->seeds, r->a, size, text);
    const char *own = strchr(text, ',');
    return own != NULL ? own + 1 : "";
}

static nnd_status reduce_variable(reduction *r, nnd_frame *out) {
    const nnd_variable *v = r->variable;
    char text[TEXT_SIZE];
    bool two = v->estimator.kind == NND_NCOV || v->estimator.kind == NND_RATIO;
    r->a = nnd_frame_find(r->seeds, or_itself(v->estimator.a, v));
    r->b = two ? nnd_frame_find(r->seeds, v->estimator.b) : NULL;
    if (v->estimator.kind == NND_SLOPE || r->a == NULL || (two && r->b == NULL))
        return NND_OK;
    const char *dims = estimate_dims(r, sizeof text, text);
    if (!has_dims(out, dims))
        return NND_OK;
    nnd_status status = add_estimate(out, v->name, dims);
    if (status == NND_OK)
        reduce_array(r, out, nnd_frame_find(out, v->name), error_of(out, v->name));
    return status;
}

nnd_status nnd_reduce_seeds(nnd_context *ctx, const nnd_model *model, const nnd_frame *seeds,
                            size_t size, nnd_frame **estimates) {
    nnd_frame *out = NULL;
    size_t *chosen = NULL, count = 0;
    double diverged = 0.0;
    nnd_status status = choose_seeds(ctx, seeds, &chosen, &count, &diverged);
    double *x = calloc(count + 1, sizeof *x), *y = calloc(count + 1, sizeof *y);
    if (status == NND_OK && (x == NULL || y == NULL))
        status = nnd_fail_memory(ctx, "the estimates");
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &out);
    for (size_t i = 0; status == NND_OK && i < nnd_frame_dim_count(seeds); i++)
        if (strcmp(nnd_frame_dim(seeds, i)->name, "seed") != 0)
            status = nnd_frame_copy_dim(out, nnd_frame_dim(seeds, i));
    for (size_t i = 0; status == NND_OK && i < model->variable_count; i++) {
        reduction r = {&model->variables[i], seeds, NULL, NULL, count, size, chosen, x, y};
        status = reduce_variable(&r, out);
    }
    if (status == NND_OK)
        status = nnd_frame_add_scalar(out, "diverged_fraction", diverged);
    free(chosen);
    free(x);
    free(y);
    if (status == NND_OK)
        *estimates = out;
    else
        nnd_frame_free(out);
    return status;
}

static void fit_slopes(const nnd_frame *frame, const nnd_array *a, const nnd_array *a_se,
                       const nnd_array *x, const nnd_array *se, nnd_estimate *estimates) {
    const nnd_dim *size = nnd_frame_find_dim(frame, "size");
    for (size_t i = 0; i < x->count; i++) {
        for (size_t k = 0; k < size->length; k++)
            estimates[k] = (nnd_estimate){a->data[k * x->count + i], a_se->data[k * x->count + i]};
        nnd_estimate slope = nnd_fit_inverse_size(size->length, size->value, estimates).slope;
        x->data[i] = slope.value;
        se->data[i] = slope.se;
    }
}

nnd_status nnd_reduce_sizes(const nnd_model *model, nnd_frame *estimates) {
    const nnd_dim *size = nnd_frame_find_dim(estimates, "size");
    if (size == NULL || size->length < 2)
        return NND_OK;
    nnd_context *ctx = nnd_frame_context(estimates);
    nnd_estimate *buffer = calloc(size->length, sizeof *buffer);
    if (buffer == NULL)
        return nnd_fail_memory(ctx, "the fit over sizes");
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < model->variable_count; i++) {
        const nnd_variable *v = &model->variables[i];
        if (v->estimator.kind != NND_SLOPE)
            continue;
        const nnd_array *a = nnd_frame_find(estimates, v->estimator.a);
        const nnd_array *a_se = error_of(estimates, v->estimator.a);
        if (a == NULL || a_se == NULL)
            continue;
        status = add_estimate(estimates, v->name, v->dims);
        if (status == NND_OK)
            fit_slopes(estimates, a, a_se, nnd_frame_find(estimates, v->name),
                       error_of(estimates, v->name), buffer);
    }
    free(buffer);
    return status;
}
