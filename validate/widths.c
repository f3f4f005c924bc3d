/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/widths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/statistics.h"
#include "core/text.h"
#include "models/moments.h"

static const char SIZE[] = "size";

/* Chance that no 1/N^2 is taken for one, in a variable. */
static const double CHANCE = 0.005;

/* One variable on both sides. */
typedef struct {
    const nnd_frame *theory_frame, *mc_frame;
    const nnd_array *theory, *mc, *mc_se, *slope; /* slope NULL: theory has none */
    const nnd_dim *size;
    size_t axis, inner; /* of the sizes in mc: from one to the next */
    double scale, rtol;
    nnd_estimate *at; /* room for one point at all sizes */
} pair;

/* A point of mc but for its size: the number that its coordinates count. */
static size_t offset(const pair *p, size_t point, size_t size) {
    return point / p->inner * p->inner * p->size->length + size * p->inner + point % p->inner;
}

static size_t points_of(const pair *p) {
    return p->mc->count / p->size->length;
}

/* Index of a point of mc along one of its axes. */
static size_t index_along(const pair *p, size_t point, size_t axis) {
    size_t at = offset(p, point, 0), stride = 1;
    for (size_t k = axis + 1; k < p->mc->ndims; k++)
        stride *= p->mc->shape[k];
    return at / stride % p->mc->shape[axis];
}

/* Where the point stands in an array of theory; false if it does not. */
static bool find_theory(const pair *p, const nnd_array *a, size_t point, size_t *at) {
    *at = 0;
    for (size_t k = 0; k < a->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(p->theory_frame, a->dim[k]);
        size_t axis = nnd_array_axis(p->mc_frame, p->mc, dim->name), position = 0;
        if (axis < p->mc->ndims)
            position = nnd_coord_find(dim, nnd_frame_dim(p->mc_frame, p->mc->dim[axis]),
                                      index_along(p, point, axis));
        if (position >= dim->length || (axis == p->mc->ndims && dim->length > 1))
            return false;
        *at = *at * a->shape[k] + position;
    }
    return true;
}

/* The estimates of a point at all sizes; false if it is passed over. */
static bool read_point(const pair *p, size_t point, size_t *theory) {
    if (!find_theory(p, p->theory, point, theory) || !isfinite(p->theory->data[*theory]))
        return false;
    for (size_t s = 0; s < p->size->length; s++) {
        size_t at = offset(p, point, s);
        p->at[s] = (nnd_estimate){p->mc->data[at], p->mc_se->data[at]};
        if (!isfinite(p->at[s].value) || !(p->at[s].se > 0.0))
            return false;
    }
    return true;
}

static void find_scale(pair *p) {
    p->scale = 0.0;
    for (size_t i = 0; i < p->theory->count; i++)
        if (isfinite(p->theory->data[i]))
            p->scale = fmax(p->scale, fabs(p->theory->data[i]));
}

/* The first pass: is there a 1/N^2? */
static void find_bend(const pair *p, nnd_widths_row *row) {
    double largest = 0.0;
    for (size_t i = 0; i < points_of(p); i++) {
        size_t theory;
        if (!read_point(p, i, &theory))
            continue;
        row->points++;
        nnd_square_fit fit = nnd_fit_inverse_square(p->size->length, p->size->value, p->at);
        if (isfinite(fit.square.value))
            largest = fmax(largest, fabs(fit.square.value) / fit.square.se);
        else
            largest = NAN;
    }
    if (row->points == 0 || p->size->length < 3)
        largest = NAN;
    row->p = isnan(largest) ? NAN : fmin(1.0, (double)row->points * erfc(largest / sqrt(2.0)));
    row->bent = row->p < CHANCE;
}

/* The larger root of |c|/N + |d|/N^2 = rtol scale. */
static double width_within(const pair *p, double c, double d) {
    double allowed = p->rtol * p->scale;
    return (fabs(c) + sqrt(c * c + 4.0 * fabs(d) * allowed)) / (2.0 * allowed);
}

static void name_point(const pair *p, size_t point, nnd_widths_row *row) {
    nnd_text list = nnd_text_in(sizeof row->where, row->where);
    for (size_t k = 0; k < p->mc->ndims; k++) {
        char text[64];
        if (k == p->axis)
            continue;
        const nnd_dim *dim = nnd_frame_dim(p->mc_frame, p->mc->dim[k]);
        nnd_coord_text(dim, index_along(p, point, k), sizeof text, text);
        nnd_text_item(&list, ",", "%s=%s", dim->name, text);
    }
}

/* One point in the fit that was chosen. */
static void add_point(const pair *p, size_t point, size_t theory, nnd_widths_row *row) {
    nnd_size_fit line = nnd_fit_inverse_size(p->size->length, p->size->value, p->at, NULL, NULL);
    nnd_square_fit fit = {line.intercept, line.slope, {0.0, 0.0}};
    if (row->bent)
        fit = nnd_fit_inverse_square(p->size->length, p->size->value, p->at);
    double off = (fit.intercept.value - p->theory->data[theory]) / p->scale;
    double off_se = fit.intercept.se / p->scale;
    if (isnan(row->limit) || fabs(off) * row->limit_se > fabs(row->limit) * off_se) {
        row->limit = off;
        row->limit_se = off_se;
    }
    double width = width_within(p, fit.slope.value, fit.square.value);
    if (isnan(row->within) || width > row->within) {
        row->within = width;
        row->within_se = fit.slope.se / (p->rtol * p->scale);
    }
    row->next = fmax(row->next, sqrt(fabs(fit.square.value) / (p->rtol * p->scale)));
    if (!isnan(row->slope) && fabs(fit.slope.value) / p->scale <= fabs(row->slope))
        return;
    size_t at;
    row->slope = fit.slope.value / p->scale;
    row->slope_se = fit.slope.se / p->scale;
    row->theory_slope = p->slope != NULL && find_theory(p, p->slope, point, &at)
                            ? p->slope->data[at] / p->scale
                            : NAN;
    name_point(p, point, row);
}

static void fill_row(pair *p, nnd_widths_row *row) {
    *row = (nnd_widths_row){.name = p->theory->name,
                            .limit = NAN,
                            .limit_se = NAN,
                            .slope = NAN,
                            .slope_se = NAN,
                            .theory_slope = NAN,
                            .within = NAN,
                            .within_se = NAN};
    find_scale(p);
    find_bend(p, row);
    for (size_t i = 0; p->scale > 0.0 && i < points_of(p); i++) {
        size_t theory;
        if (read_point(p, i, &theory))
            add_point(p, i, theory, row);
    }
}

static bool is_chosen(const nnd_texts *vars, const char *name) {
    for (size_t i = 0; i < vars->count; i++)
        if (strcmp(vars->value[i], name) == 0)
            return true;
    return vars->count == 0;
}

/* Whether a variable of theory has standard errors at several sizes on the other side. */
static bool make_pair(pair *p, const nnd_model *model, const nnd_array *theory) {
    p->theory = theory;
    p->mc = nnd_frame_find(p->mc_frame, theory->name);
    p->mc_se = nnd_companion(p->mc_frame, theory->name, NND_SE);
    if (p->mc == NULL || p->mc_se == NULL || p->mc_se->count != p->mc->count ||
        nnd_is_account(theory->name))
        return false;
    p->axis = nnd_array_axis(p->mc_frame, p->mc, SIZE);
    if (p->axis == p->mc->ndims)
        return false;
    const char *slope = nnd_moments_of(model, theory->name).bias;
    p->slope = slope != NULL ? nnd_frame_find(p->theory_frame, slope) : NULL;
    p->inner = 1;
    for (size_t k = p->axis + 1; k < p->mc->ndims; k++)
        p->inner *= p->mc->shape[k];
    return true;
}

nnd_status nnd_widths_find(nnd_context *ctx, const nnd_model *model, const nnd_frame *theory,
                           const nnd_frame *mc, const nnd_texts *vars, double rtol,
                           nnd_widths *widths) {
    pair p = {.theory_frame = theory, .mc_frame = mc, .rtol = rtol};
    size_t arrays = nnd_frame_array_count(theory);
    *widths = (nnd_widths){0};
    p.size = nnd_frame_find_dim(mc, SIZE);
    if (p.size == NULL || p.size->value == NULL || p.size->length < 2 || !(rtol > 0.0))
        return nnd_fail(ctx, NND_E_INPUT, "two or more sizes and a tolerance above 0 are needed");
    p.at = malloc(p.size->length * sizeof *p.at);
    widths->row = calloc(arrays + 1, sizeof *widths->row);
    nnd_status status = p.at != NULL && widths->row != NULL ? NND_OK : nnd_fail_memory(ctx, "rows");
    for (size_t i = 0; status == NND_OK && i < arrays; i++) {
        const nnd_array *a = nnd_frame_array(theory, i);
        if (is_chosen(vars, a->name) && make_pair(&p, model, a)) {
            fill_row(&p, &widths->row[widths->count]);
            widths->count += widths->row[widths->count].points > 0;
        }
    }
    free(p.at);
    if (status != NND_OK)
        nnd_widths_clear(widths);
    return status;
}

void nnd_widths_clear(nnd_widths *widths) {
    free(widths->row);
    *widths = (nnd_widths){0};
}
