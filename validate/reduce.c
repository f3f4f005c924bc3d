/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/reduce.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/statistics.h"
#include "validate/regression.h"

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
    nnd_hand_over(status == NND_OK, out, joined);
    return status;
}

/* Seeds that take part: those that did not diverge, or all if every one did. */
static nnd_status choose_seeds(nnd_context *ctx, const nnd_frame *seeds, size_t **chosen,
                               size_t *count, double *diverged_fraction) {
    const nnd_array *at = nnd_frame_find(seeds, NND_DIVERGED_AT);
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
    size_t count, size, sweep_points;
    const size_t *chosen;
    const nnd_regression *controls; /* no columns: not regressed */
    double *x, *y, *share;          /* samples of one element, and what each adds */
    double *left;                   /* fraction of the variance that controls leave, per element */
} reduction;

static nnd_estimate scaled(nnd_estimate e, double factor, size_t count, double *share) {
    for (size_t i = 0; i < count; i++)
        share[i] *= factor;
    return (nnd_estimate){factor * e.value, factor * e.se};
}

/* The root of a variance v, less its bias to order 1/samples: E sqrt(v) = s (1 - var(v)/(8 s^4)).
 */
static nnd_estimate standard_deviation(const reduction *r, const nnd_regression *controls) {
    nnd_estimate v = nnd_regressed_covariance(controls, r->x, r->x, r->share);
    double sd = sqrt(fmax(v.value, 0.0)), factor = sd > 0.0 ? 0.5 / sd : 0.0;
    double bias = sd > 0.0 ? v.se * v.se / (8.0 * v.value * v.value) : 0.0;
    for (size_t i = 0; i < r->count; i++)
        r->share[i] *= factor;
    return (nnd_estimate){sd * (1.0 + bias), factor * v.se};
}

static nnd_estimate estimate(const reduction *r, const nnd_regression *controls) {
    double size = (double)r->size;
    switch (r->variable->estimator.kind) {
    case NND_NVAR:
        return scaled(nnd_regressed_covariance(controls, r->x, r->x, r->share), size, r->count,
                      r->share);
    case NND_NCOV:
        return scaled(nnd_regressed_covariance(controls, r->x, r->y, r->share), size, r->count,
                      r->share);
    case NND_RATIO:
        return nnd_regressed_ratio(controls, r->x, r->y, r->share);
    case NND_SD:
        return standard_deviation(r, controls);
    case NND_MEAN:
    case NND_SLOPE:
    case NND_ENSEMBLE:
    case NND_AT_SIZES:
        break;
    }
    return nnd_regressed_mean(controls, r->x, r->share);
}

static void gather(const reduction *r, const nnd_array *source, size_t at, double *samples) {
    size_t inner = source->count / source->shape[0];
    for (size_t i = 0; i < r->count; i++)
        samples[i] = source->data[r->chosen[i] * inner + at];
}

/* Half the square of the mean of each of the elements of a from `at` on, averaged. */
static nnd_estimate estimate_ensemble(const reduction *r, size_t at) {
    size_t elements = r->a->shape[r->a->ndims - 1];
    double sum = 0.0, squares = 0.0;
    memset(r->share, 0, r->count * sizeof *r->share);
    for (size_t j = 0; j < elements; j++) {
        gather(r, r->a, at + j, r->x);
        sum += nnd_square_of_mean(r->count, r->x, r->y).value;
        for (size_t i = 0; i < r->count; i++)
            r->share[i] += r->y[i];
    }
    nnd_estimate e = scaled((nnd_estimate){sum, 0.0}, 0.5 / (double)elements, r->count, r->share);
    for (size_t i = 0; i < r->count; i++)
        squares += r->share[i] * r->share[i];
    return (nnd_estimate){e.value, sqrt(squares)};
}

/* Sums the shares of the seeds by groups. */
static void put_groups(const reduction *r, const nnd_share_view *view, const size_t *index) {
    size_t at = nnd_share_view_at(view, index);
    if (at == SIZE_MAX)
        return;
    double *group = view->data + at;
    for (size_t g = 0; g < view->groups; g++)
        group[g * view->group_stride] = 0.0;
    for (size_t i = 0; i < r->count; i++)
        group[r->chosen[i] % view->groups * view->group_stride] += r->share[i];
}

/* Fills x, x_se and the influences, element by element, in the order of seeds. */
static void reduce_array(const reduction *r, const nnd_frame *out, const nnd_array *x,
                         const nnd_array *se, const nnd_share_view *view) {
    const nnd_regression none = {.samples = r->count};
    size_t index[NND_MAX_DIMS] = {0};
    for (size_t i = 0; i < x->count; i++) {
        size_t at = source_position(r->seeds, r->a, out, x, index, false);
        gather(r, r->a, at, r->x);
        if (r->b != NULL)
            gather(r, r->b, source_position(r->seeds, r->b, out, x, index, true), r->y);
        bool ensemble = r->variable->estimator.kind == NND_ENSEMBLE;
        nnd_estimate plain = ensemble ? estimate_ensemble(r, at) : estimate(r, &none), e = plain;
        if (r->controls->columns > 0 && !ensemble)
            e = estimate(r, r->controls);
        x->data[i] = e.value;
        se->data[i] = e.se;
        r->left[i] = plain.se > 0.0 ? e.se * e.se / (plain.se * plain.se) : 1.0;
        put_groups(r, view, index);
        for (size_t k = x->ndims; k-- > 0 && ++index[k] == x->shape[k];)
            index[k] = 0;
    }
}

static nnd_status add_estimate(nnd_frame *out, const nnd_model *model, const char *name) {
    char se[TEXT_SIZE];
    nnd_companion_name(name, NND_SE, sizeof se, se);
    nnd_status status = nnd_frame_add_variable(out, model, name, NULL);
    return status == NND_OK ? nnd_frame_add_variable(out, model, se, NULL) : status;
}

static const nnd_array *error_of(const nnd_frame *frame, const char *name) {
    return nnd_companion(frame, name, NND_SE);
}

static const char *or_itself(const char *source, const nnd_variable *v) {
    return source != NULL ? source : v->name;
}

/* True if the model fits a slope to the means of this variable: regression on controls would add a
 * bias of order 1/n to what is to be found at order 1/size. */
static bool bears_slope(const nnd_model *model, const nnd_variable *v) {
    for (size_t i = 0; i < model->variable_count; i++) {
        const nnd_estimator *e = &model->variables[i].estimator;
        if (e->kind == NND_SLOPE && strcmp(e->a, v->name) == 0)
            return true;
    }
    return false;
}

static nnd_status add_control(const reduction *r, size_t count, nnd_frame *influence) {
    char name[TEXT_SIZE];
    if (r->controls->columns == 0)
        return NND_OK;
    nnd_companion_name(r->variable->name, NND_LEFT, sizeof name, name);
    return nnd_frame_add_scalar(influence, name, nnd_median(count, r->left));
}

static nnd_status fill_variable(reduction *r, nnd_frame *out, nnd_frame *influence) {
    nnd_context *ctx = nnd_frame_context(out);
    const nnd_array *x = nnd_frame_find(out, r->variable->name);
    nnd_share_view view = {0};
    nnd_status status = nnd_group_shares_add(influence, x->name, out, x, r->sweep_points);
    if (status == NND_OK)
        status =
            nnd_share_view_make(ctx, influence, nnd_frame_find(influence, x->name), out, x, &view);
    r->left = calloc(x->count, sizeof *r->left);
    if (status == NND_OK && r->left == NULL)
        status = nnd_fail_memory(ctx, x->name);
    if (status == NND_OK) {
        reduce_array(r, out, x, error_of(out, x->name), &view);
        status = add_control(r, x->count, influence);
    }
    free(r->left);
    nnd_share_view_clear(&view);
    return status;
}

static nnd_status reduce_variable(reduction *r, const nnd_model *model, nnd_frame *out,
                                  nnd_frame *influence) {
    const nnd_variable *v = r->variable;
    bool two = v->estimator.kind == NND_NCOV || v->estimator.kind == NND_RATIO;
    r->a = nnd_frame_find(r->seeds, or_itself(v->estimator.a, v));
    r->b = two ? nnd_frame_find(r->seeds, v->estimator.b) : NULL;
    bool later = v->estimator.kind == NND_SLOPE || v->estimator.kind == NND_AT_SIZES;
    if (later || r->a == NULL || (two && r->b == NULL) || !nnd_variable_fits(v, out))
        return NND_OK;
    nnd_status status = add_estimate(out, model, v->name);
    return status == NND_OK ? fill_variable(r, out, influence) : status;
}

/* The dimensions of what the seeds recorded, but for those of the seeds themselves. */
static nnd_status copy_dims(const nnd_frame *seeds, nnd_frame *out) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < nnd_frame_dim_count(seeds); i++) {
        const nnd_dim *dim = nnd_frame_dim(seeds, i);
        if (strcmp(dim->name, "seed") != 0 && strcmp(dim->name, NND_CONTROL) != 0)
            status = nnd_frame_copy_dim(out, dim);
    }
    return status;
}

static nnd_status reduce_all(reduction *r, const nnd_model *model, const nnd_regression *controls,
                             nnd_frame *out, nnd_frame *influence) {
    const nnd_regression none = {.samples = r->count};
    size_t trained = nnd_frame_find_dim(r->seeds, "seed")->length;
    nnd_status status = copy_dims(r->seeds, out);
    if (status == NND_OK)
        status = nnd_frame_add_range(influence, NND_GROUP,
                                     trained < NND_GROUPS ? trained : NND_GROUPS, 0.0);
    for (size_t i = 0; status == NND_OK && i < model->variable_count; i++) {
        r->variable = &model->variables[i];
        r->controls = bears_slope(model, r->variable) ? &none : controls;
        status = reduce_variable(r, model, out, influence);
    }
    if (status == NND_OK)
        status = nnd_frame_add_scalar(influence, NND_SEEDS, (double)r->count);
    if (status == NND_OK)
        status = nnd_frame_add_scalar(influence, NND_CONTROLS, (double)controls->columns);
    return status;
}

nnd_status nnd_reduce_seeds(nnd_context *ctx, const nnd_model *model, const nnd_frame *seeds,
                            size_t size, size_t sweep_points, nnd_frame **estimates,
                            nnd_frame **influence) {
    nnd_frame *out = NULL, *shares = NULL;
    nnd_regression controls = {0};
    size_t *chosen = NULL, count = 0;
    double diverged = 0.0;
    nnd_status status = choose_seeds(ctx, seeds, &chosen, &count, &diverged);
    double *x = calloc(3 * (count + 1), sizeof *x);
    if (status == NND_OK && x == NULL)
        status = nnd_fail_memory(ctx, "the estimates");
    if (status == NND_OK)
        status = nnd_regression_make(ctx, seeds, count, chosen, &controls);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &shares);
    if (status == NND_OK) {
        reduction r = {.seeds = seeds,
                       .count = count,
                       .size = size,
                       .sweep_points = sweep_points,
                       .chosen = chosen,
                       .x = x,
                       .y = x + count,
                       .share = x + 2 * count};
        status = reduce_all(&r, model, &controls, out, shares);
    }
    if (status == NND_OK)
        status = nnd_frame_add_scalar(out, NND_DIVERGED_FRACTION, diverged);
    nnd_regression_clear(&controls);
    free(chosen);
    free(x);
    if (status != NND_OK) {
        nnd_frame_free(out);
        nnd_frame_free(shares);
        return status;
    }
    *estimates = out;
    *influence = shares;
    return NND_OK;
}

/* One variable with a slope: the fit over sizes at every point. */
typedef struct {
    const nnd_dim *size;
    const nnd_array *a, *a_se, *x, *se;
    nnd_share_view from, to; /* influences of a and of the slope; no data: none are kept */
    nnd_estimate *estimate;
    double *weight;
} slope_fit;

/* The slope is a sum over the sizes; its shares are those of a, each times its weight. */
static void fit_shares(const slope_fit *f, const size_t *index) {
    size_t from = nnd_share_view_at(&f->from, index), to = nnd_share_view_at(&f->to, index);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return;
    for (size_t s = 0; s < f->size->length; s++)
        for (size_t g = 0; g < f->to.groups; g++)
            f->to.data[to + s * f->to.size_stride + g * f->to.group_stride] =
                f->weight[s] *
                f->from.data[from + s * f->from.size_stride + g * f->from.group_stride];
}

static void fit_slopes(const slope_fit *f) {
    size_t index[NND_MAX_DIMS] = {0};
    for (size_t i = 0; i < f->x->count; i++) {
        for (size_t k = 0; k < f->size->length; k++)
            f->estimate[k] =
                (nnd_estimate){f->a->data[k * f->x->count + i], f->a_se->data[k * f->x->count + i]};
        nnd_estimate slope =
            nnd_fit_inverse_size(f->size->length, f->size->value, f->estimate, NULL, f->weight)
                .slope;
        f->x->data[i] = slope.value;
        f->se->data[i] = slope.se;
        if (f->to.data != NULL)
            fit_shares(f, index);
        for (size_t k = f->x->ndims; k-- > 0 && ++index[k] == f->x->shape[k];)
            index[k] = 0;
    }
}

/* The influences of a slope have the dimensions of those of its variable. */
static nnd_status add_slope_shares(const nnd_frame *estimates, nnd_frame *influence,
                                   const nnd_variable *v, slope_fit *f) {
    nnd_context *ctx = nnd_frame_context(estimates);
    const nnd_array *a = nnd_frame_find(influence, v->estimator.a);
    char dims[4 * TEXT_SIZE];
    if (a == NULL)
        return NND_OK;
    nnd_array_dims(influence, a, sizeof dims, dims);
    nnd_status status = nnd_frame_add(influence, v->name, dims, NULL);
    if (status == NND_OK)
        status = nnd_share_view_make(ctx, influence, nnd_frame_find(influence, v->estimator.a),
                                     estimates, f->x, &f->from);
    if (status == NND_OK)
        status = nnd_share_view_make(ctx, influence, nnd_frame_find(influence, v->name), estimates,
                                     f->x, &f->to);
    return status;
}

static nnd_status reduce_slope(const nnd_model *model, const nnd_variable *v, nnd_frame *estimates,
                               nnd_frame *influence, slope_fit *f) {
    if (nnd_frame_find(estimates, v->estimator.a) == NULL ||
        error_of(estimates, v->estimator.a) == NULL)
        return NND_OK;
    nnd_status status = add_estimate(estimates, model, v->name);
    if (status != NND_OK)
        return status;
    f->a = nnd_frame_find(estimates, v->estimator.a);
    f->a_se = error_of(estimates, v->estimator.a);
    f->x = nnd_frame_find(estimates, v->name);
    f->se = error_of(estimates, v->name);
    status = add_slope_shares(estimates, influence, v, f);
    if (status == NND_OK)
        fit_slopes(f);
    nnd_share_view_clear(&f->from);
    nnd_share_view_clear(&f->to);
    return status;
}

/* ---- variables at each size ---- */

/* Adds the dimension that the sizes are (none: nothing) to a frame that lacks it. */
static nnd_status add_sizes(nnd_frame *frame, const char *name, const nnd_dim *size) {
    return size == NULL || nnd_frame_find_dim(frame, name) != NULL
               ? NND_OK
               : nnd_frame_add_dim(frame, name, size->kind, size->length, size->value);
}

/* From a, whose first dimension is the size, to x, whose last one is. */
static void turn(const nnd_array *a, size_t sizes, const nnd_array *x) {
    size_t inner = a->count / sizes;
    for (size_t s = 0; s < sizes; s++)
        for (size_t i = 0; i < inner; i++)
            x->data[i * sizes + s] = a->data[s * inner + i];
}

/* The estimate at size s rests on the seeds of size s alone. */
static nnd_status add_shares_at_sizes(nnd_frame *influence, const nnd_variable *v, size_t sizes) {
    const nnd_array *a = nnd_frame_find(influence, v->estimator.a);
    char of_a[4 * TEXT_SIZE], dims[5 * TEXT_SIZE];
    double *share = NULL;
    if (a == NULL)
        return NND_OK;
    nnd_array_dims(influence, a, sizeof of_a, of_a);
    bool turned = nnd_frame_find_dim(influence, v->estimator.b) != NULL;
    snprintf(dims, sizeof dims, "%s%s%s", of_a, turned ? "," : "", turned ? v->estimator.b : "");
    nnd_status status = nnd_frame_add(influence, v->name, dims, &share);
    if (status != NND_OK)
        return status;
    a = nnd_frame_find(influence, v->estimator.a); /* arrays may have moved */
    size_t inner = a->count / sizes, wide = turned ? sizes : 1;
    for (size_t s = 0; s < sizes; s++)
        for (size_t i = 0; i < inner; i++)
            for (size_t k = 0; k < wide; k++)
                share[(s * inner + i) * wide + k] =
                    k == s || !turned ? a->data[s * inner + i] : 0.0;
    return NND_OK;
}

static nnd_status reduce_at_sizes(const nnd_model *model, const nnd_variable *v,
                                  nnd_frame *estimates, nnd_frame *influence) {
    const nnd_dim *size = nnd_frame_find_dim(estimates, "size");
    const nnd_array *a = nnd_frame_find(estimates, v->estimator.a);
    size_t sizes = size != NULL ? size->length : 1;
    if (a == NULL)
        return NND_OK;
    nnd_status status = add_sizes(estimates, v->estimator.b, size);
    if (status == NND_OK)
        status = add_sizes(influence, v->estimator.b, size);
    if (status == NND_OK)
        status = add_estimate(estimates, model, v->name);
    if (status != NND_OK)
        return status;
    a = nnd_frame_find(estimates, v->estimator.a); /* arrays may have moved */
    turn(a, sizes, nnd_frame_find(estimates, v->name));
    turn(error_of(estimates, a->name), sizes, error_of(estimates, v->name));
    return add_shares_at_sizes(influence, v, sizes);
}

/* ---- all that is fitted or listed over sizes ---- */

static nnd_status reduce_slopes(const nnd_model *model, nnd_frame *estimates,
                                nnd_frame *influence) {
    const nnd_dim *size = nnd_frame_find_dim(estimates, "size");
    if (size == NULL || size->length < 2)
        return NND_OK;
    slope_fit f = {.size = size,
                   .estimate = calloc(size->length, sizeof *f.estimate),
                   .weight = calloc(size->length, sizeof *f.weight)};
    nnd_status status = NND_OK;
    if (f.estimate == NULL || f.weight == NULL)
        status = nnd_fail_memory(nnd_frame_context(estimates), "the fit over sizes");
    for (size_t i = 0; status == NND_OK && i < model->variable_count; i++)
        if (model->variables[i].estimator.kind == NND_SLOPE)
            status = reduce_slope(model, &model->variables[i], estimates, influence, &f);
    free(f.estimate);
    free(f.weight);
    return status;
}

nnd_status nnd_reduce_sizes(const nnd_model *model, nnd_frame *estimates, nnd_frame *influence) {
    nnd_status status = reduce_slopes(model, estimates, influence);
    for (size_t i = 0; status == NND_OK && i < model->variable_count; i++)
        if (model->variables[i].estimator.kind == NND_AT_SIZES)
            status = reduce_at_sizes(model, &model->variables[i], estimates, influence);
    return status;
}
