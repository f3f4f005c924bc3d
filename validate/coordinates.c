/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/coordinates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "validate/group_shares.h"

enum { TEXT_SIZE = 1024 };

static const char SIZE[] = "size", TIME[] = "t", EARLIER[] = "s", LAYER[] = "layer",
                  COORDINATE[] = "coordinate", WIDTH[] = "width", MAGNITUDE[] = "magnitude";

/* Powers that differ by less are one; two standard errors are allowed for. */
static const double STEP = 0.5, ERRORS = 2.0;

enum { SLOPE, SLOPE_SE, EXPECTED, VERDICT, ANSWERS };

const char *nnd_coordinate_text(nnd_coordinate_verdict verdict) {
    static const char *const text[] = {"as expected", "open", "otherwise"};
    return text[verdict];
}

typedef struct {
    const nnd_case *c;
    nnd_ensemble *ensemble;
    const nnd_dim *size, *group;
    size_t count; /* of magnitudes */
    nnd_frame *frame, *theory;
    double *answer[ANSWERS];
    double *magnitude, *se, *expected; /* over what is swept, magnitudes, sizes */
} work;

/* ---- elements of arrays ---- */

/* An element of an array, by its position along every axis. */
typedef struct {
    const nnd_frame *frame;
    const nnd_array *array;
    size_t index[NND_MAX_DIMS];
} element;

static void decode(element *e, size_t at) {
    for (size_t k = e->array->ndims; k-- > 0; at /= e->array->shape[k])
        e->index[k] = at % e->array->shape[k];
}

static double value_of(const element *e) {
    size_t at = 0;
    for (size_t k = 0; k < e->array->ndims; k++)
        at = at * e->array->shape[k] + e->index[k];
    return e->array->data[at];
}

static size_t *along(element *e, const char *dim) {
    size_t axis = nnd_array_axis(e->frame, e->array, dim);
    return axis < e->array->ndims ? &e->index[axis] : NULL;
}

/* Whether a magnitude is of that layer, counted from 0. */
static bool is_in(nnd_magnitude_layers layers, size_t layer) {
    return layers == NND_ALL_LAYERS || (layers == NND_FIRST_LAYER) == (layer == 0);
}

/* True if the element is of this point of the sweep, size, group and layers, at the last time (of
 * both). */
static bool is_of(element *e, const work *w, nnd_magnitude_layers layers, size_t point, size_t size,
                  size_t group) {
    for (size_t k = w->c->sweep.keys; k-- > 0; point /= w->c->sweep.dim[k]->length)
        if (e->index[k] != point % w->c->sweep.dim[k]->length)
            return false;
    const char *const last[] = {TIME, EARLIER};
    for (size_t i = 0; i < 2; i++) {
        const size_t *t = along(e, last[i]);
        if (t != NULL && *t + 1 < nnd_frame_find_dim(e->frame, last[i])->length)
            return false;
    }
    const size_t *layer = along(e, LAYER);
    if (layer != NULL && !is_in(layers, *layer))
        return false;
    const size_t *of_group = along(e, NND_GROUP), *mu = along(e, "mu"), *nu = along(e, "nu");
    if (along(e, EARLIER) != NULL && mu != NULL && nu != NULL && *mu != *nu)
        return false;
    return *along(e, SIZE) == size && (of_group == NULL || *of_group == group);
}

/* What a magnitude is made of: the value at the last time, its change, or the squared distance
 * x(t, t) + x(0, 0) - 2 x(t, 0). */
static double part(const element *last, nnd_magnitude_kind kind) {
    element e = *last;
    double value = value_of(&e);
    size_t *t = along(&e, TIME), *s = along(&e, EARLIER);
    if (kind == NND_MAGNITUDE || t == NULL)
        return value;
    if (s != NULL) {
        *s = 0;
        value -= 2.0 * value_of(&e);
        *t = 0;
        return value + value_of(&e);
    }
    *t = 0;
    return value - value_of(&e);
}

/* ---- one magnitude at one size ---- */

/* Whether groups keep the whole array. */
static bool has_shares(const work *w, const nnd_array *mean, const nnd_array *share) {
    return w->group != NULL && share != NULL && share->count == mean->count * w->group->length;
}

/* The mean of squares of changes, or of distances, and by how much each group changes its
 * logarithm: pairs of elements come in the same order on both sides. */
static nnd_status measure(nnd_context *ctx, const work *w, const nnd_magnitude *m, size_t point,
                          size_t size, double *magnitude, double *se) {
    element mean = {w->ensemble->mc, nnd_frame_find(w->ensemble->mc, m->variable), {0}};
    const nnd_frame *influence = w->ensemble->influence;
    element share = {
        influence, influence != NULL ? nnd_frame_find(influence, m->variable) : NULL, {0}};
    bool distance = along(&mean, EARLIER) != NULL;
    double *x = malloc(mean.array->count * sizeof *x), sum = 0.0, squares = 0.0;
    size_t n = 0;
    if (x == NULL)
        return nnd_fail_memory(ctx, "a magnitude");
    for (size_t i = 0; i < mean.array->count; i++) {
        decode(&mean, i);
        if (is_of(&mean, w, m->layers, point, size, 0))
            x[n++] = part(&mean, m->kind);
    }
    for (size_t i = 0; i < n; i++)
        sum += (distance ? x[i] : x[i] * x[i]) / (double)n;
    bool known = has_shares(w, mean.array, share.array);
    for (size_t g = 0; known && g < w->group->length; g++) {
        double change = 0.0;
        size_t k = 0;
        for (size_t i = 0; i < share.array->count; i++) {
            decode(&share, i);
            if (is_of(&share, w, m->layers, point, size, g)) {
                change += part(&share, m->kind) * (distance ? 0.5 : x[k]) / ((double)n * sum);
                k++;
            }
        }
        squares += change * change;
    }
    free(x);
    *magnitude = sqrt(sum);
    *se = known ? sqrt(squares * sum) : NAN;
    return NND_OK;
}

/* ---- the power ---- */

/* Weighted straight line through logarithms. */
static void fit(const work *w, const double *magnitude, const double *se, double *slope,
                double *slope_se) {
    double sum = 0.0, mean_x = 0.0, mean_y = 0.0, spread = 0.0, product = 0.0;
    size_t n = w->size->length;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            double x = log(w->size->value[i]), y = log(magnitude[i]), e = se[i] / magnitude[i];
            double weight = 1.0 / (e * e);
            if (pass == 0) {
                sum += weight;
                mean_x += weight * x;
                mean_y += weight * y;
            } else {
                spread += weight * (x - mean_x / sum) * (x - mean_x / sum);
                product += weight * (x - mean_x / sum) * (y - mean_y / sum);
            }
        }
    *slope = product / spread;
    *slope_se = 1.0 / sqrt(spread);
}

/* Nearer to the expected power than to its neighbours, or to one of those. */
static nnd_coordinate_verdict judge(double slope, double se, double expected) {
    double off = fabs(slope - expected), half = 0.5 * STEP;
    if (off + ERRORS * se < half)
        return NND_COORDINATE_AS_EXPECTED;
    return off - ERRORS * se > half ? NND_COORDINATE_OTHERWISE : NND_COORDINATE_OPEN;
}

/* Whether it was simulated, of networks with such layers. */
static bool is_there(const work *w, const nnd_magnitude *m) {
    const nnd_dim *layer = nnd_frame_find_dim(w->ensemble->mc, LAYER);
    return nnd_frame_find(w->ensemble->mc, m->variable) != NULL &&
           (m->layers != NND_DEEPER_LAYERS || (layer != NULL && layer->length > 1));
}

static nnd_status answer(nnd_context *ctx, work *w, size_t point, size_t k) {
    const nnd_magnitude *m = &w->c->model->magnitudes[k];
    size_t at = point * w->count + k, sizes = w->size->length;
    double *magnitude = w->magnitude + at * sizes, *se = w->se + at * sizes;
    nnd_status status = NND_OK;
    if (!is_there(w, m))
        return NND_OK;
    for (size_t s = 0; status == NND_OK && s < sizes; s++)
        status = measure(ctx, w, m, point, s, &magnitude[s], &se[s]);
    if (status != NND_OK)
        return status;
    double slope, slope_se, expected = w->c->model->magnitude_power(m, w->c->params[point]);
    fit(w, magnitude, se, &slope, &slope_se);
    w->answer[SLOPE][at] = slope;
    w->answer[SLOPE_SE][at] = slope_se;
    w->answer[EXPECTED][at] = expected;
    for (size_t s = 0; s < sizes; s++)
        w->expected[at * sizes + s] =
            magnitude[sizes - 1] * pow(w->size->value[s] / w->size->value[sizes - 1], expected);
    if (isfinite(slope) && isfinite(slope_se))
        w->answer[VERDICT][at] = (double)judge(slope, slope_se, expected);
    return NND_OK;
}

/* ---- all of them ---- */

static nnd_status add_names(const work *w, nnd_frame *frame) {
    const char **name = calloc(w->count, sizeof *name);
    if (name == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "names");
    for (size_t k = 0; k < w->count; k++)
        name[k] = w->c->model->magnitudes[k].name;
    nnd_status status = nnd_frame_add_text_dim(frame, COORDINATE, w->count, name);
    free(name);
    return status;
}

/* Dimensions that are swept, and those of magnitudes. */
static nnd_status add_dims(const work *w, nnd_frame *frame, bool sized) {
    nnd_status status = NND_OK;
    for (size_t k = 0; status == NND_OK && k < w->c->sweep.keys; k++)
        if (nnd_frame_find_dim(frame, w->c->sweep.dim[k]->name) == NULL)
            status = nnd_frame_copy_dim(frame, w->c->sweep.dim[k]);
    if (status == NND_OK)
        status = add_names(w, frame);
    return status == NND_OK && sized
               ? nnd_frame_add_dim(frame, WIDTH, NND_COORD_INTEGER, w->size->length, w->size->value)
               : status;
}

/* Answers over what is swept and magnitudes; magnitudes of networks beside all else that is
 * simulated of them, and lines of the expected powers through the last of them. */
static nnd_status add_answers(work *w) {
    static const char *const names[] = {"slope", "slope_se", "expected", "verdict"};
    char dims[TEXT_SIZE] = "", sized[TEXT_SIZE + 8];
    for (size_t k = 0; k < w->c->sweep.keys; k++) {
        size_t used = strlen(dims);
        snprintf(dims + used, sizeof dims - used, "%s,", w->c->sweep.dim[k]->name);
    }
    strncat(dims, COORDINATE, sizeof dims - strlen(dims) - 1);
    snprintf(sized, sizeof sized, "%s,%s", dims, WIDTH);
    nnd_status status = add_dims(w, w->frame, false);
    for (size_t i = 0; status == NND_OK && i < ANSWERS; i++)
        status = nnd_frame_add(w->frame, names[i], dims, &w->answer[i]);
    if (status == NND_OK)
        status = add_dims(w, w->theory, true);
    if (status == NND_OK)
        status = nnd_frame_add(w->theory, MAGNITUDE, sized, &w->expected);
    if (status == NND_OK)
        status = add_dims(w, w->ensemble->mc, true);
    if (status == NND_OK)
        status = nnd_frame_add(w->ensemble->mc, MAGNITUDE, sized, &w->magnitude);
    if (status == NND_OK)
        status = nnd_frame_add(w->ensemble->mc, "magnitude" NND_SE, sized, &w->se);
    w->size = nnd_frame_find_dim(w->ensemble->mc, SIZE); /* dimensions may have moved */
    return status;
}

nnd_status nnd_coordinates_check(nnd_context *ctx, const nnd_case *c) {
    if (c->model->magnitudes == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s lists no magnitudes to check", c->model->name);
    if (!c->simulates || c->simulate.size.count < 2)
        return nnd_fail(ctx, NND_E_INPUT,
                        "simulate.size: two or more sizes are needed, as [64, 128, 256, 512]");
    for (size_t point = 0; point < c->sweep.points; point++) {
        nnd_objection o = {"", ""};
        if (!c->model->magnitude_check(c->params[point], &o))
            return nnd_fail(ctx, NND_E_INPUT, "%s.%s: %s", nnd_case_section(c->model, o.key), o.key,
                            o.text);
    }
    return NND_OK;
}

nnd_status nnd_coordinates(nnd_context *ctx, const nnd_case *c, nnd_ensemble *ensemble,
                           nnd_frame **theory, nnd_frame **answers) {
    work w = {.c = c, .ensemble = ensemble};
    nnd_status status = nnd_coordinates_check(ctx, c);
    if (status != NND_OK)
        return status;
    while (c->model->magnitudes[w.count].name != NULL)
        w.count++;
    w.size = ensemble->mc != NULL ? nnd_frame_find_dim(ensemble->mc, SIZE) : NULL;
    if (w.size == NULL || w.size->length < 2)
        return nnd_fail(ctx, NND_E_INPUT, "simulate.size: two or more sizes are needed");
    w.group =
        ensemble->influence != NULL ? nnd_frame_find_dim(ensemble->influence, NND_GROUP) : NULL;
    status = nnd_frame_new(ctx, &w.frame);
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &w.theory);
    if (status == NND_OK)
        status = add_answers(&w);
    for (size_t point = 0; status == NND_OK && point < c->sweep.points; point++)
        for (size_t k = 0; status == NND_OK && k < w.count; k++)
            status = answer(ctx, &w, point, k);
    nnd_hand_over(status == NND_OK, w.theory, theory);
    nnd_hand_over(status == NND_OK, w.frame, answers);
    return status;
}
