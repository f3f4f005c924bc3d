/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairing of the points of theory and simulation, by the names and coordinates of dimensions. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/statistics.h"
#include "core/text.h"
#include "validate/compare_impl.h"
#include "validate/group_shares.h"
#include "validate/regression.h"

enum { TEXT_SIZE = 512 };

static const char SIZE[] = "size", TIME[] = "t";

/* Times are equal to 1e-12 relative wherever coordinates are matched. */
static bool later(const nnd_dim *dim, size_t i, double until) {
    return strcmp(dim->name, TIME) == 0 && dim->kind != NND_COORD_TEXT &&
           dim->value[i] > until + 1e-12 * fabs(until);
}

/* Lists the common coordinates of two dimensions (b NULL: all of a). Returns their number. */
static size_t common_coords(const nnd_dim *a, const nnd_dim *b, double until, size_t *in_a,
                            size_t *in_b) {
    size_t n = 0;
    for (size_t i = 0; i < a->length; i++) {
        size_t j = b != NULL ? nnd_coord_find(b, a, i) : 0;
        if (later(a, i, until) || (b != NULL && j == b->length))
            continue;
        in_a[n] = i;
        in_b[n++] = j;
    }
    return n;
}

static nnd_status add_selected(nnd_frame *out, const nnd_dim *dim, size_t n, const size_t *at) {
    bool text = dim->kind == NND_COORD_TEXT;
    void *coords = calloc(n, text ? sizeof(const char *) : sizeof(double));
    if (coords == NULL)
        return nnd_fail_memory(nnd_frame_context(out), dim->name);
    const char **texts = coords;
    double *values = coords;
    for (size_t i = 0; i < n; i++)
        if (text)
            texts[i] = dim->text[at[i]];
        else
            values[i] = dim->value[at[i]];
    nnd_status status = text ? nnd_frame_add_text_dim(out, dim->name, n, texts)
                             : nnd_frame_add_dim(out, dim->name, dim->kind, n, values);
    free(coords);
    return status;
}

static void match_clear(nnd_match *match) {
    for (int s = 0; s < NND_SIDES; s++)
        free(match->position[s]);
}

/* Adds to the frame the coordinates of a dimension that both sides have (or the only one). */
static nnd_status match_dim(nnd_pairing *p, const char *name) {
    if (nnd_frame_find_dim(p->out, name) != NULL)
        return NND_OK;
    const nnd_dim *theory = nnd_frame_find_dim(p->side[NND_THEORY_SIDE], name);
    const nnd_dim *mc = nnd_frame_find_dim(p->side[NND_MC_SIDE], name);
    int lead = theory != NULL ? NND_THEORY_SIDE : NND_MC_SIDE, other = NND_SIDES - 1 - lead;
    const nnd_dim *a = theory != NULL ? theory : mc, *b = theory != NULL ? mc : NULL;
    size_t count = nnd_frame_dim_count(p->out);
    nnd_match *grown = realloc(p->match, (count + 1) * sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(p->ctx, name);
    p->match = grown;
    nnd_match match = {
        {calloc(a->length + 1, sizeof(size_t)), calloc(a->length + 1, sizeof(size_t))}};
    nnd_status status = NND_OK;
    if (match.position[lead] == NULL || match.position[other] == NULL)
        status = nnd_fail_memory(p->ctx, name);
    size_t n = 0;
    if (status == NND_OK) {
        n = common_coords(a, b, p->until, match.position[lead], match.position[other]);
        if (n == 0)
            status = nnd_fail(p->ctx, NND_E_INPUT,
                              "theory and simulation have no value of %s in common", name);
    }
    if (status == NND_OK)
        status = add_selected(p->out, a, n, match.position[lead]);
    if (status != NND_OK)
        match_clear(&match);
    else
        p->match[count] = match;
    return status;
}

void nnd_pairing_clear(nnd_pairing *p) {
    size_t matched = p->match != NULL ? nnd_frame_dim_count(p->out) : 0;
    for (size_t d = 0; d < matched; d++)
        match_clear(&p->match[d]);
    free(p->match);
    p->match = NULL;
}

static size_t axis_length(const nnd_frame *frame, const nnd_array *array, const char *name) {
    size_t axis = nnd_array_axis(frame, array, name);
    return axis < array->ndims ? array->shape[axis] : 1;
}

/* True if every dimension of `a` that is longer than one, `except` aside, is one of `b` too. */
static bool covers(const nnd_frame *fb, const nnd_array *b, const nnd_frame *fa, const nnd_array *a,
                   const char *except) {
    for (size_t k = 0; k < a->ndims; k++) {
        const char *name = nnd_frame_dim(fa, a->dim[k])->name;
        if (a->shape[k] > 1 && strcmp(name, except) != 0 && nnd_array_axis(fb, b, name) == b->ndims)
            return false;
    }
    return true;
}

static nnd_status different_dims(nnd_context *ctx, const nnd_frame *fa, const nnd_array *a,
                                 const char *in_a, const nnd_frame *fb, const nnd_array *b) {
    char dims_a[TEXT_SIZE / 2], dims_b[TEXT_SIZE / 2];
    nnd_array_dims(fa, a, sizeof dims_a, dims_a);
    nnd_array_dims(fb, b, sizeof dims_b, dims_b);
    return nnd_fail(ctx, NND_E_INPUT,
                    "%s of %s has the dimensions (%s), which do not fit (%s) of %s in simulation",
                    a->name, in_a, dims_a, dims_b, b->name);
}

/* Checks that no dimension of one array is left without a partner in the others. */
static nnd_status check_dims(const nnd_pairing *p, const nnd_pair *pair) {
    const nnd_frame *ft = p->side[NND_THEORY_SIDE], *fm = p->side[NND_MC_SIDE];
    const nnd_array *of_theory[] = {pair->theory, pair->theory_se, pair->min_size};
    if (!covers(fm, pair->mc, fm, pair->mc_se, "") || !covers(fm, pair->mc_se, fm, pair->mc, ""))
        return different_dims(p->ctx, fm, pair->mc_se, "simulation", fm, pair->mc);
    for (size_t i = 0; i < sizeof of_theory / sizeof *of_theory; i++) {
        const nnd_array *array = of_theory[i];
        if (array != NULL &&
            (!covers(fm, pair->mc, ft, array, "") || axis_length(ft, array, SIZE) > 1))
            return different_dims(p->ctx, ft, array, "theory", fm, pair->mc);
    }
    if (!pair->broadcast && !covers(ft, pair->theory, fm, pair->mc, SIZE))
        return different_dims(p->ctx, ft, pair->theory, "theory", fm, pair->mc);
    return NND_OK;
}

/* Adds the five arrays over the dimensions of theory (of the simulation if the bound is another
 * quantity), without `size`. */
static nnd_status add_arrays(nnd_pairing *p, const nnd_pair *pair) {
    const nnd_frame *frame = p->side[pair->broadcast ? NND_MC_SIDE : NND_THEORY_SIDE];
    const nnd_array *lead = pair->broadcast ? pair->mc : pair->theory;
    char dims[TEXT_SIZE];
    nnd_text list = nnd_text_in(sizeof dims, dims);
    for (size_t k = 0; k < lead->ndims; k++) {
        const char *name = nnd_frame_dim(frame, lead->dim[k])->name;
        if (strcmp(name, SIZE) == 0)
            continue;
        nnd_status status = match_dim(p, name);
        if (status != NND_OK)
            return status;
        nnd_text_item(&list, ",", "%s", name);
    }
    if (list.cut)
        return nnd_fail(nnd_frame_context(p->out), NND_E_LIMIT,
                        "%s: the names of its dimensions are too long", pair->name);
    static const char *const suffix[] = {NND_THEORY, NND_MC, NND_DIFF, NND_SE, NND_Z};
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof suffix / sizeof *suffix; i++) {
        char name[TEXT_SIZE];
        snprintf(name, sizeof name, "%s%s", pair->name, suffix[i]);
        status = nnd_frame_add(p->out, name, dims, NULL);
    }
    return status;
}

/* An array seen from the dimensions of the comparison: strides are 0 along those it lacks. */
typedef struct {
    const double *data;
    int side;
    size_t stride[NND_MAX_DIMS];
    size_t size_stride;
} view;

static view view_of(const nnd_pairing *p, int side, const nnd_array *array,
                    const nnd_array *target) {
    view v = {array->data, side, {0}, 0};
    const nnd_frame *frame = p->side[side];
    size_t step = 1;
    for (size_t axis = array->ndims; axis-- > 0; step *= array->shape[axis]) {
        const char *name = nnd_frame_dim(frame, array->dim[axis])->name;
        size_t k = nnd_array_axis(p->out, target, name);
        if (strcmp(name, SIZE) == 0)
            v.size_stride = step;
        else if (k < target->ndims)
            v.stride[k] = step;
    }
    return v;
}

static double read_at(const nnd_pairing *p, const nnd_array *target, const view *v,
                      const size_t *index, size_t size_index) {
    size_t at = size_index * v->size_stride;
    for (size_t k = 0; k < target->ndims; k++)
        at += v->stride[k] * p->match[target->dim[k]].position[v->side][index[k]];
    return v->data[at];
}

/* All arrays of a pair as views, and room for the estimates at each size. */
typedef struct {
    view theory, theory_se, min_size, mc, mc_se, diverged;
    nnd_share_view share; /* no data: influences are not known */
    const double *seeds;  /* per size; NULL: unknown */
    double raised;        /* by how much of 2 (theory^2 - mc^2)/n error bars are; 0: not */
    bool extrapolates;    /* min_size is for a correction that extrapolation takes out */
    size_t sizes;
    const double *size_of; /* NULL: there is no such dimension */
    double unsized;        /* the size then */
    double *size, *weight; /* of those that are used, and their parts in the result */
    size_t used, *from;    /* which those are */
    size_t unclaimed;      /* points so far that theory claims at none of the fair sizes */
    nnd_estimate *estimate;
} reader;

/* Whether theory claims to describe a network of this size; where it is unknown only a limit of
 * infinity says no. */
static bool claimed(const reader *r, size_t s, double min_size) {
    return (r->size_of != NULL ? r->size_of[s] : r->unsized) >= min_size;
}

/* Where seeds diverged, those that are left are not a fair sample. */
static bool is_fair(const nnd_pairing *p, const nnd_array *target, const reader *r,
                    const size_t *index, size_t s) {
    return r->diverged.data == NULL || !(read_at(p, target, &r->diverged, index, s) > 0.0);
}

static double min_size_at(const nnd_pairing *p, const nnd_array *target, const reader *r,
                          const size_t *index) {
    if (r->min_size.data == NULL)
        return 0.0;
    double min_size = read_at(p, target, &r->min_size, index, 0);
    size_t fair = 0;
    for (size_t s = 0; r->size_of != NULL && s < r->sizes; s++)
        fair += is_fair(p, target, r, index, s);
    return r->extrapolates && fair > 1 && isfinite(min_size) ? 0.0 : min_size;
}

/* The simulation at one point, extrapolated to infinite size. A NaN at one of the sizes makes the
 * result NaN: what is left would be extrapolated from other sizes than the neighbouring points. */
static nnd_estimate read_mc(const nnd_pairing *p, const nnd_array *target, reader *r,
                            const size_t *index) {
    double min_size = min_size_at(p, target, r, index);
    size_t n = 0, fair = 0;
    for (size_t s = 0; s < r->sizes; s++) {
        if (!is_fair(p, target, r, index, s))
            continue;
        fair++;
        if (!claimed(r, s, min_size))
            continue;
        r->from[n] = s;
        r->size[n] = r->size_of != NULL ? r->size_of[s] : NAN;
        r->estimate[n].value = read_at(p, target, &r->mc, index, s);
        r->estimate[n++].se = read_at(p, target, &r->mc_se, index, s);
    }
    r->used = n;
    r->unclaimed += n == 0 && fair > 0;
    return nnd_fit_inverse_size(n, r->size, r->estimate, r->weight, NULL).intercept;
}

/* n cov(x, y) of normal numbers has the variance var x var y + cov^2. Where theory's covariance is
 * the larger, an error bar from few seeds is too small by what the square makes up: the variance of
 * the estimate if theory is right is larger by twice the difference of the squares over n, of which
 * control variates leave the fraction that they leave of the rest. */
static double error_of(const reader *r, double se, double theory, double mc) {
    double per_seed = 0.0, excess = theory * theory - mc * mc;
    if (r->seeds == NULL || !(excess > 0.0))
        return se;
    for (size_t n = 0; n < r->used; n++)
        if (r->seeds[r->from[n]] > 0.0)
            per_seed += r->weight[n] * r->weight[n] / r->seeds[r->from[n]];
    return sqrt(se * se + 2.0 * r->raised * excess * per_seed);
}

/* What each group contributes to the point that was read last: its share at each size, times the
 * part of that size. A variable that is itself fitted over sizes has all of their shares. */
static void read_shares(const reader *r, const size_t *index, double *share) {
    const nnd_share_view *v = &r->share;
    size_t at = nnd_share_view_at(v, index), columns = v->sizes * v->groups;
    bool fitted = r->size_of == NULL;
    for (size_t k = 0; k < columns; k++)
        share[k] = at == SIZE_MAX ? NAN : 0.0;
    for (size_t n = 0; at != SIZE_MAX && n < (fitted ? v->sizes : r->used); n++) {
        size_t s = fitted ? n : r->from[n];
        for (size_t g = 0; g < v->groups; g++) {
            /* Sizes with fewer groups than others are filled up with NaN. */
            double x = v->data[at + s * v->size_stride + g * v->group_stride];
            share[s * v->groups + g] = isnan(x) ? 0.0 : (fitted ? 1.0 : r->weight[n]) * x;
        }
    }
}

static void read_points(const nnd_pairing *p, const nnd_array *target, reader *r, double *mc,
                        double *theory, double *se, const nnd_points *points) {
    size_t index[NND_MAX_DIMS] = {0};
    for (size_t i = 0; i < target->count; i++) {
        nnd_estimate q = read_mc(p, target, r, index);
        double theory_se =
            r->theory_se.data != NULL ? read_at(p, target, &r->theory_se, index, 0) : 0.0;
        theory[i] = read_at(p, target, &r->theory, index, 0);
        mc[i] = q.value;
        se[i] = sqrt(q.se * q.se + theory_se * theory_se);
        points->theory_se[i] = theory_se;
        points->error[i] = error_of(r, se[i], theory[i], mc[i]);
        points->extrapolated[i] = r->used > 1;
        if (points->columns > 0)
            read_shares(r, index, points->share + i * points->columns);
        for (size_t k = target->ndims; k-- > 0 && ++index[k] == target->shape[k];)
            index[k] = 0;
    }
}

/* The largest fraction of a variable's variance that control variates leave. */
static double left_by_controls(const nnd_pairing *p, const char *variable) {
    const nnd_array *left =
        p->influence != NULL ? nnd_companion(p->influence, variable, NND_LEFT) : NULL;
    double largest = left != NULL ? 0.0 : 1.0;
    for (size_t i = 0; left != NULL && i < left->count; i++)
        largest = fmax(largest, isnan(left->data[i]) ? 1.0 : left->data[i]);
    return largest;
}

static nnd_status reader_make(const nnd_pairing *p, const nnd_pair *pair, const nnd_array *target,
                              reader *r) {
    *r = (reader){.theory.data = &pair->bound, .unsized = pair->unsized};
    if (pair->theory != NULL)
        r->theory = view_of(p, NND_THEORY_SIDE, pair->theory, target);
    if (pair->theory_se != NULL)
        r->theory_se = view_of(p, NND_THEORY_SIDE, pair->theory_se, target);
    if (pair->min_size != NULL) {
        r->min_size = view_of(p, NND_THEORY_SIDE, pair->min_size, target);
        const nnd_attribute *correction = nnd_frame_find_attribute(
            p->side[NND_THEORY_SIDE], pair->min_size->name, NND_CORRECTION);
        r->extrapolates = correction != NULL && correction->text != NULL &&
                          strcmp(correction->text, "1/size") == 0;
    }
    r->mc = view_of(p, NND_MC_SIDE, pair->mc, target);
    r->mc_se = view_of(p, NND_MC_SIDE, pair->mc_se, target);
    const nnd_frame *frame = p->side[NND_MC_SIDE];
    const nnd_array *diverged = nnd_frame_find(frame, NND_DIVERGED_FRACTION);
    if (diverged != NULL && covers(frame, pair->mc, frame, diverged, ""))
        r->diverged = view_of(p, NND_MC_SIDE, diverged, target);
    if (nnd_array_axis(frame, pair->mc, SIZE) < pair->mc->ndims) {
        r->size_of = nnd_frame_find_dim(frame, SIZE)->value;
        if (r->size_of == NULL)
            return nnd_fail(p->ctx, NND_E_INPUT, "the dimension size of %s holds texts",
                            pair->name);
    }
    r->sizes = axis_length(frame, pair->mc, SIZE);
    r->raised = pair->quadratic * left_by_controls(p, pair->name);
    r->seeds = p->seeds;
    r->size = calloc(2 * r->sizes, sizeof *r->size);
    r->weight = r->size != NULL ? r->size + r->sizes : NULL;
    r->from = calloc(r->sizes, sizeof *r->from);
    r->estimate = calloc(r->sizes, sizeof *r->estimate);
    if (r->size == NULL || r->from == NULL || r->estimate == NULL)
        return nnd_fail_memory(p->ctx, pair->name);
    const nnd_array *influence =
        p->influence != NULL ? nnd_frame_find(p->influence, pair->name) : NULL;
    return influence != NULL
               ? nnd_share_view_make(p->ctx, p->influence, influence, p->out, target, &r->share)
               : NND_OK;
}

static void reader_clear(reader *r) {
    free(r->size);
    free(r->from);
    free(r->estimate);
    nnd_share_view_clear(&r->share);
}

void nnd_points_clear(nnd_points *points) {
    free(points->theory_se);
    free(points->judged);
    free(points->share);
    *points = (nnd_points){0};
}

/* Room for what does not stand in the frame. */
static nnd_status points_make(nnd_context *ctx, const nnd_array *target, const reader *r,
                              nnd_points *points) {
    size_t n = target->count;
    *points = (nnd_points){.count = n, .t_length = 1, .t_stride = 1};
    if (r->share.data != NULL)
        points->columns = r->share.sizes * r->share.groups;
    points->theory_se = calloc(3 * n, sizeof(double));
    points->judged = calloc(2 * n, sizeof(bool));
    points->share = calloc(n * points->columns + 1, sizeof(double));
    if (points->theory_se == NULL || points->judged == NULL || points->share == NULL)
        return nnd_fail_memory(ctx, target->name);
    points->scale = points->theory_se + n;
    points->error = points->scale + n;
    points->extrapolated = points->judged + n;
    return NND_OK;
}

static double *data_of(const nnd_pairing *p, const nnd_pair *pair, const char *suffix) {
    char name[TEXT_SIZE];
    snprintf(name, sizeof name, "%s%s", pair->name, suffix);
    return nnd_frame_find(p->out, name)->data;
}

nnd_status nnd_pairing_add(nnd_pairing *p, const nnd_pair *pair, nnd_points *points) {
    nnd_status status = check_dims(p, pair);
    if (status == NND_OK)
        status = add_arrays(p, pair);
    if (status != NND_OK)
        return status;
    /* Added last, so that the five arrays of this variable are the last five of the frame. */
    const nnd_array *target = nnd_frame_array(p->out, nnd_frame_array_count(p->out) - 1);
    reader r;
    status = reader_make(p, pair, target, &r);
    *points = (nnd_points){0};
    if (status == NND_OK)
        status = points_make(p->ctx, target, &r, points);
    if (status == NND_OK) {
        double *theory = data_of(p, pair, NND_THEORY), *mc = data_of(p, pair, NND_MC);
        double *se = data_of(p, pair, NND_SE);
        read_points(p, target, &r, mc, theory, se, points);
        points->unclaimed = r.unclaimed;
        size_t t = nnd_array_axis(p->out, target, TIME);
        points->t_length = axis_length(p->out, target, TIME);
        for (size_t k = t + 1; k < target->ndims; k++)
            points->t_stride *= target->shape[k];
        points->theory = theory;
        points->mc = mc;
        points->se = se;
        points->difference = data_of(p, pair, NND_DIFF);
        points->z = data_of(p, pair, "_z");
    }
    reader_clear(&r);
    return status;
}
