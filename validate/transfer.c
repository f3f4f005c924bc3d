/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/lowest.h"
#include "models/moments.h"
#include "validate/group_shares.h"

enum { NAME_SIZE = 128, DIMS_SIZE = 1024 };

static const char TIME[] = "t", SIZE[] = "size", WIDTH[] = "width", STABILITY[] = "stability",
                  AT_WIDTH[] = "stability_at_width";

/* Answers, each over everything outside. */
enum {
    BEST_RATE,
    BEST_RATE_SE,
    BEST_RATE_NEXT,
    BEST_LOSS,
    BEST_LOSS_SE,
    BEST_LOSS_SD,
    TRANSFER_LOSS,
    TRANSFER_LOSS_SE,
    OUTCOME,
    EDGE_RATE,
    EDGE_RATE_SE,
    ABOVE_EDGE,
    NETWORK_RATE,
    NETWORK_RATE_SE,
    NETWORK_LOSS,
    NETWORK_LOSS_SE,
    NETWORK_OUTCOME,
    ANSWERS
};

static const struct {
    const char *name, *long_name;
} ANSWER[] = {
    {"best_rate", "best rate"},
    {"best_rate_se", NULL},
    {"best_rate_next", "distance of the best rate from its first order in 1/N"},
    {"best_loss", "loss at the best rate"},
    {"best_loss_se", NULL},
    {"best_loss_sd", "its standard deviation over initialisations"},
    {"transfer_loss", "loss added by the best rate of infinite width"},
    {"transfer_loss_se", NULL},
    {"outcome", "0 found, 1 no minimum in range, 2 too narrow for 1/N, 3 unknown"},
    {"edge_rate", "rate at the edge of stability"},
    {"edge_rate_se", NULL},
    {"above_edge", "1 where the best rate is above the edge of stability"},
    {"network_rate", "best rate of networks"},
    {"network_rate_se", NULL},
    {"network_loss", "loss of networks at their best rate"},
    {"network_loss_se", NULL},
    {"network_outcome", "the same of networks"},
};

const char *nnd_transfer_text(nnd_transfer_outcome outcome) {
    static const char *const text[] = {"", "no minimum in range", "too narrow for 1/N", "unknown"};
    return text[outcome];
}

/* A row of answers, at one point of what else is swept and one width. */
typedef struct {
    nnd_context *ctx;
    const nnd_transfer_options *o;
    nnd_moments names;
    double limit; /* of stability; NaN: the model says none */
    nnd_frame *answers;
    double *answer[ANSWERS];
    const nnd_dim *outer[NND_MAX_DIMS]; /* of theory: what is swept but the rate */
    size_t outers, points, index[NND_MAX_DIMS];
} work;

/* One side, and where on it curves over the rate are read. */
typedef struct {
    const nnd_frame *frame;
    size_t size, group, at_width;
} place;

/* A rate r of the curve; dimensions that are not outside are read at `from`, time at its end. */
static size_t position(const work *w, const place *from, const nnd_dim *dim, size_t r) {
    if (strcmp(dim->name, w->o->rate) == 0)
        return r;
    if (strcmp(dim->name, TIME) == 0)
        return dim->length - 1;
    if (strcmp(dim->name, SIZE) == 0)
        return from->size;
    if (strcmp(dim->name, NND_GROUP) == 0)
        return from->group;
    for (size_t k = 0; k < w->outers; k++)
        if (strcmp(dim->name, w->outer[k]->name) == 0)
            return w->index[k];
    return from->at_width;
}

/* A curve over the rates of a side: NaN where there is none. Free it. */
static double *read_curve(const work *w, const place *from, const char *name, const char *ending) {
    char text[NAME_SIZE];
    size_t n = nnd_frame_find_dim(from->frame, w->o->rate)->length;
    double *y = malloc(n * sizeof *y);
    bool named = name != NULL && nnd_companion_name(name, ending, sizeof text, text);
    const nnd_array *a = named ? nnd_frame_find(from->frame, text) : NULL;
    for (size_t r = 0; y != NULL && r < n; r++) {
        size_t at = 0;
        for (size_t k = 0; a != NULL && k < a->ndims; k++)
            at = at * a->shape[k] + position(w, from, nnd_frame_dim(from->frame, a->dim[k]), r);
        y[r] = a != NULL ? a->data[at] : NAN;
    }
    return y;
}

static const nnd_dim *rates(const work *w, const nnd_frame *frame) {
    return nnd_frame_find_dim(frame, w->o->rate);
}

static size_t lowest_place(size_t n, const double *y) {
    size_t lowest = n;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]) && (lowest == n || y[i] < y[lowest]))
            lowest = i;
    return lowest;
}

/* Downhill from i to a place that is below its neighbours, or at which the curve ends. */
static size_t descend(size_t n, const double *y, size_t i) {
    for (;;) {
        size_t next = i;
        if (i > 0 && y[i - 1] < y[next])
            next = i - 1;
        if (i + 1 < n && y[i + 1] < y[next])
            next = i + 1;
        if (next == i)
            return i;
        i = next;
    }
}

static bool is_inside(size_t n, const double *y, size_t i) {
    return i > 0 && i + 1 < n && isfinite(y[i - 1]) && isfinite(y[i + 1]);
}

static nnd_transfer_outcome find_lowest(size_t n, const double *x, const double *y, size_t i,
                                        nnd_lowest *lowest) {
    if (i == n || !is_inside(n, y, i))
        return NND_TRANSFER_OUTSIDE;
    return nnd_lowest_near(n, x, y, i, lowest) ? NND_TRANSFER_FOUND : NND_TRANSFER_OUTSIDE;
}

/* ---- theory ---- */

/* Curves of theory at one point of what else is swept; se: of l0 and l1, 0 where they are exact. */
typedef struct {
    size_t n;
    const double *x;
    double *l0, *l1, *v, *se0, *se1, *sum;
    nnd_lowest limit; /* of infinite width */
    nnd_transfer_outcome outcome;
} theory_curves;

static void clear_curves(theory_curves *c) {
    double *all[] = {c->l0, c->l1, c->v, c->se0, c->se1, c->sum};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void zero_missing(size_t n, double *y) {
    for (size_t i = 0; i < n; i++)
        y[i] = isfinite(y[i]) ? y[i] : 0.0;
}

static nnd_status read_theory(const work *w, theory_curves *c) {
    const nnd_dim *x = rates(w, w->o->theory);
    const place here = {.frame = w->o->theory};
    *c = (theory_curves){.n = x->length, .x = x->value};
    c->l0 = read_curve(w, &here, w->names.mean, "");
    c->l1 = read_curve(w, &here, w->names.bias, "");
    c->v = read_curve(w, &here, w->names.nvar, "");
    c->se0 = read_curve(w, &here, w->names.mean, NND_SE);
    c->se1 = read_curve(w, &here, w->names.bias, NND_SE);
    c->sum = malloc(c->n * sizeof *c->sum);
    if (c->l0 == NULL || c->l1 == NULL || c->v == NULL || c->se0 == NULL || c->se1 == NULL ||
        c->sum == NULL)
        return nnd_fail_memory(w->ctx, "the curves");
    zero_missing(c->n, c->se0);
    zero_missing(c->n, c->se1);
    c->outcome = find_lowest(c->n, c->x, c->l0, lowest_place(c->n, c->l0), &c->limit);
    return NND_OK;
}

/* Root of the sum of squares of weighted errors of l0 + l1/N. */
static double propagate(const theory_curves *c, const nnd_lowest *lowest, const double *weight,
                        double width) {
    double sum = 0.0;
    for (size_t j = 0; j < lowest->count; j++) {
        size_t i = lowest->first + j;
        double error = weight[j] * (c->se0[i] + (isinf(width) ? 0.0 : c->se1[i] / width));
        sum += error * error;
    }
    return sqrt(sum);
}

/* What a number has of place i by its weights at the places of a minimum. */
static double weight_at(const nnd_lowest *lowest, const double *weight, size_t i) {
    return i >= lowest->first && i < lowest->first + lowest->count ? weight[i - lowest->first]
                                                                   : 0.0;
}

/*
 * Error of T = S(eta_inf) - S(eta_N), S = l0 + l1/N, which is stationary at eta_N (fluctuations.md
 * #s1-9): dT = dS(eta_inf) - dS(eta_N) + S'(eta_inf) d eta_inf; and the distance of T from the one
 * between the polynomials through fewer places.
 */
static double lost_error(const theory_curves *c, const nnd_lowest *lowest, double width) {
    const nnd_lowest *limit = &c->limit;
    double over = isinf(width) ? 0.0 : 1.0 / width, sum = 0.0;
    double slope = -limit->curvature * nnd_lowest_shift(limit, c->l1) * over;
    for (size_t i = 0; over > 0.0 && i < c->n; i++) {
        double value = weight_at(limit, limit->weight, i) - weight_at(lowest, lowest->weight, i);
        double moved = slope * weight_at(limit, limit->shift, i);
        double error = fabs(value + moved) * c->se0[i] + fabs(value) * c->se1[i] * over;
        sum += error * error;
    }
    double fine = nnd_lowest_value(limit, c->sum) - nnd_lowest_value(lowest, c->sum);
    double coarse = nnd_lowest_coarse(limit, c->sum) - nnd_lowest_coarse(lowest, c->sum);
    return hypot(fine - coarse, sqrt(sum));
}

static double between(const theory_curves *c, const double *y, double x) {
    size_t i = 1;
    while (i + 1 < c->n && c->x[i] < x)
        i++;
    return y[i - 1] + (x - c->x[i - 1]) / (c->x[i] - c->x[i - 1]) * (y[i] - y[i - 1]);
}

static void answer_theory(work *w, const theory_curves *c, const nnd_lowest *lowest, double width,
                          size_t at) {
    w->answer[BEST_RATE][at] = lowest->x;
    w->answer[BEST_RATE_SE][at] = hypot(lowest->error, propagate(c, lowest, lowest->shift, width));
    w->answer[BEST_LOSS][at] = nnd_lowest_value(lowest, c->sum);
    w->answer[BEST_LOSS_SE][at] =
        hypot(lowest->value_error, propagate(c, lowest, lowest->weight, width));
    w->answer[TRANSFER_LOSS][at] =
        nnd_lowest_value(&c->limit, c->sum) - nnd_lowest_value(lowest, c->sum);
    w->answer[TRANSFER_LOSS_SE][at] = lost_error(c, lowest, width);
    w->answer[BEST_LOSS_SD][at] = isinf(width) ? 0.0 : sqrt(between(c, c->v, lowest->x) / width);
    w->answer[BEST_RATE_NEXT][at] =
        isinf(width) ? 0.0
                     : fabs(lowest->x - c->limit.x - nnd_lowest_shift(&c->limit, c->l1) / width);
}

/* The lowest point of l0 + l1/N. */
static nnd_transfer_outcome minimise(theory_curves *c, double width, nnd_lowest *lowest) {
    for (size_t i = 0; i < c->n; i++)
        c->sum[i] = c->l0[i] + (isinf(width) ? 0.0 : c->l1[i] / width);
    if (c->outcome != NND_TRANSFER_FOUND)
        return c->outcome;
    size_t i = lowest_place(c->n, c->l0);
    if (!isfinite(c->sum[i]))
        return NND_TRANSFER_UNKNOWN;
    i = descend(c->n, c->sum, i);
    if (!isinf(width) && fabs(c->l1[i]) / width >= c->l0[i])
        return NND_TRANSFER_NARROW;
    return find_lowest(c->n, c->x, c->sum, i, lowest);
}

/* ---- the edge of stability ---- */

/* Whether the best rate is above the edge, or beyond the limit where the edge is not among the
 * rates; NaN where either is unknown. */
static double is_above_edge(const work *w, const theory_curves *c, const double *stability,
                            size_t at) {
    double best = w->answer[BEST_RATE][at];
    if (isnan(best) || isnan(w->limit))
        return NAN;
    double there = between(c, stability, best);
    if (isnan(there))
        return NAN;
    return best > w->answer[EDGE_RATE][at] || there >= w->limit;
}

static nnd_status answer_edge(work *w, const theory_curves *c, double width, size_t at) {
    place here = {.frame = w->o->theory};
    const nnd_dim *widths = nnd_frame_find_dim(w->o->theory, "at_width");
    const nnd_dim *x = rates(w, w->o->theory),
                  one = {.name = NULL, .kind = NND_COORD_REAL, .length = 1, .value = &width};
    bool finite = !isinf(width);
    if (finite) {
        here.at_width = widths != NULL ? nnd_coord_find(widths, &one, 0) : 0;
        if (widths == NULL || here.at_width == widths->length)
            return NND_OK;
    }
    double *y = read_curve(w, &here, finite ? AT_WIDTH : STABILITY, "");
    if (y == NULL)
        return nnd_fail_memory(w->ctx, "the curves");
    w->answer[EDGE_RATE][at] =
        nnd_crossing(x->length, x->value, y, w->limit, &w->answer[EDGE_RATE_SE][at]);
    w->answer[ABOVE_EDGE][at] = is_above_edge(w, c, y, at);
    free(y);
    return NND_OK;
}

/* ---- networks ---- */

/* The groups of seeds whose contributions to the loss are known at its last time; NULL: they are
 * not, or were kept at some times only. */
static const nnd_dim *groups_of(const work *w) {
    const nnd_frame *f = w->o->influence;
    const nnd_array *loss = f != NULL ? nnd_frame_find(f, w->names.mean) : NULL;
    bool timed = nnd_variable_has_dim(w->o->loss, TIME);
    if (loss == NULL || (timed && nnd_array_axis(f, loss, TIME) == loss->ndims))
        return NULL;
    return nnd_frame_find_dim(f, NND_GROUP);
}

/* What groups of seeds contribute to a number that moves with the curve by `weight`: the root of
 * the sum of their squares. Without contributions rates are taken as independent. */
static double network_error(const work *w, place at, const nnd_lowest *lowest, const double *weight,
                            const double *se) {
    double sum = 0.0;
    const nnd_dim *group = groups_of(w);
    for (size_t j = 0; group == NULL && j < lowest->count; j++)
        sum += weight[j] * weight[j] * se[lowest->first + j] * se[lowest->first + j];
    at.frame = w->o->influence;
    for (at.group = 0; group != NULL && at.group < group->length; at.group++) {
        double *share = read_curve(w, &at, w->names.mean, ""), part = 0.0;
        for (size_t j = 0; j < lowest->count; j++)
            part += share != NULL ? weight[j] * share[lowest->first + j] : NAN;
        sum += part * part;
        free(share);
    }
    return sqrt(sum);
}

/* A mean without a standard error, of the one seed that did not diverge, is no part of a curve. */
static void drop_unsure(size_t n, double *y, const double *se) {
    for (size_t i = 0; i < n; i++)
        y[i] = isfinite(se[i]) ? y[i] : NAN;
}

static nnd_status answer_networks(work *w, double width, size_t at) {
    const nnd_dim *size = nnd_frame_find_dim(w->o->mc, SIZE), *x = rates(w, w->o->mc);
    const nnd_dim one = {.name = NULL, .kind = NND_COORD_REAL, .length = 1, .value = &width};
    place here = {.frame = w->o->mc, .size = size != NULL ? nnd_coord_find(size, &one, 0) : 0};
    if (size == NULL || here.size == size->length)
        return NND_OK;
    double *y = read_curve(w, &here, w->names.mean, ""),
           *se = read_curve(w, &here, w->names.mean, NND_SE);
    nnd_lowest lowest = {0};
    nnd_status status = NND_OK;
    if (y == NULL || se == NULL)
        status = nnd_fail_memory(w->ctx, "the curves");
    else
        drop_unsure(x->length, y, se);
    nnd_transfer_outcome outcome = NND_TRANSFER_UNKNOWN;
    size_t i = status == NND_OK ? lowest_place(x->length, y) : x->length;
    if (i < x->length)
        outcome = find_lowest(x->length, x->value, y, i, &lowest);
    w->answer[NETWORK_OUTCOME][at] = (double)outcome;
    if (outcome == NND_TRANSFER_FOUND) {
        w->answer[NETWORK_RATE][at] = lowest.x;
        w->answer[NETWORK_RATE_SE][at] =
            hypot(lowest.error, network_error(w, here, &lowest, lowest.shift, se));
        w->answer[NETWORK_LOSS][at] = nnd_lowest_value(&lowest, y);
        w->answer[NETWORK_LOSS_SE][at] =
            hypot(lowest.value_error, network_error(w, here, &lowest, lowest.weight, se));
    }
    free(y);
    free(se);
    return status;
}

/* ---- all of them ---- */

static nnd_status answer_width(work *w, theory_curves *c, double width, size_t at) {
    nnd_lowest lowest = {0};
    nnd_transfer_outcome outcome = minimise(c, width, &lowest);
    w->answer[OUTCOME][at] = (double)outcome;
    if (outcome == NND_TRANSFER_FOUND)
        answer_theory(w, c, &lowest, width, at);
    nnd_status status = answer_edge(w, c, width, at);
    w->answer[NETWORK_OUTCOME][at] = NND_TRANSFER_UNKNOWN;
    return status == NND_OK && w->o->mc != NULL ? answer_networks(w, width, at) : status;
}

static nnd_status answer_point(work *w, size_t point) {
    theory_curves c;
    nnd_status status = read_theory(w, &c);
    for (size_t k = 0; status == NND_OK && k <= w->o->widths; k++)
        status = answer_width(w, &c, k == 0 ? INFINITY : w->o->width[k - 1],
                              point * (w->o->widths + 1) + k);
    clear_curves(&c);
    return status;
}

/* Neighbours in a list of rates are neighbours on the curve. */
static nnd_status check_rates(const work *w, const nnd_dim *x) {
    for (size_t i = 0; i + 1 < x->length; i++)
        if (!(x->value[i] < x->value[i + 1]))
            return nnd_fail(w->ctx, NND_E_INPUT, "%s: %g stands before %g; the rates must increase",
                            w->o->rate, x->value[i], x->value[i + 1]);
    return NND_OK;
}

/* What the loss is over, besides the rate and time, is what else is swept. */
static nnd_status find_outside(work *w) {
    const nnd_frame *theory = w->o->theory;
    const nnd_array *loss = nnd_frame_find(theory, w->o->loss->name);
    bool over_rate = false;
    if (loss == NULL)
        return nnd_fail(w->ctx, NND_E_INPUT, "theory has no variable %s", w->o->loss->name);
    w->points = 1;
    for (size_t k = 0; k < loss->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(theory, loss->dim[k]);
        if (strcmp(dim->name, w->o->rate) == 0)
            over_rate = dim->value != NULL;
        else if (strcmp(dim->name, TIME) != 0) {
            if (nnd_variable_has_dim(w->o->loss, dim->name))
                return nnd_fail(w->ctx, NND_E_INPUT, "%s depends on %s: it is no single number",
                                loss->name, dim->name);
            w->outer[w->outers++] = dim;
            w->points *= dim->length;
        }
    }
    return over_rate ? check_rates(w, rates(w, theory))
                     : nnd_fail(w->ctx, NND_E_INPUT, "%s is not over the numbers %s", loss->name,
                                w->o->rate);
}

static nnd_status add_widths(work *w) {
    size_t n = w->o->widths + 1;
    double *width = malloc(n * sizeof *width);
    if (width == NULL)
        return nnd_fail_memory(w->ctx, "the widths");
    width[0] = INFINITY;
    for (size_t k = 1; k < n; k++)
        width[k] = w->o->width[k - 1];
    nnd_status status = nnd_frame_add_dim(w->answers, WIDTH, NND_COORD_REAL, n, width);
    free(width);
    return status;
}

static nnd_status add_answers(work *w) {
    char dims[DIMS_SIZE] = "";
    nnd_status status = NND_OK;
    for (size_t k = 0; status == NND_OK && k < w->outers; k++) {
        status = nnd_frame_copy_dim(w->answers, w->outer[k]);
        size_t used = strlen(dims);
        snprintf(dims + used, sizeof dims - used, "%s,", w->outer[k]->name);
    }
    strncat(dims, WIDTH, sizeof dims - strlen(dims) - 1);
    if (status == NND_OK)
        status = add_widths(w);
    for (size_t i = 0; status == NND_OK && i < ANSWERS; i++) {
        status = nnd_frame_add(w->answers, ANSWER[i].name, dims, &w->answer[i]);
        if (status == NND_OK && ANSWER[i].long_name != NULL)
            status =
                nnd_frame_set_text(w->answers, ANSWER[i].name, "long_name", ANSWER[i].long_name);
    }
    if (status == NND_OK)
        status = nnd_frame_set_text(w->answers, NULL, "rate", w->o->rate);
    return status == NND_OK ? nnd_frame_set_text(w->answers, NULL, "loss", w->o->loss->name)
                            : status;
}

static double limit_of(const nnd_model *model) {
    const nnd_variable *v = nnd_model_variable(model, STABILITY);
    return v != NULL && v->drawing.level_count > 0 ? v->drawing.level[0] : NAN;
}

/* The next point of what else is swept, the last dimension fastest. */
static void advance(work *w) {
    for (size_t k = w->outers; k-- > 0;) {
        if (++w->index[k] < w->outer[k]->length)
            return;
        w->index[k] = 0;
    }
}

nnd_status nnd_transfer(nnd_context *ctx, const nnd_model *model,
                        const nnd_transfer_options *options, nnd_frame **answers) {
    work w = {.ctx = ctx,
              .o = options,
              .names = nnd_moments_of(model, options->loss->name),
              .limit = limit_of(model)};
    nnd_status status = nnd_frame_new(ctx, &w.answers);
    if (status == NND_OK)
        status = find_outside(&w);
    if (status == NND_OK)
        status = add_answers(&w);
    for (size_t point = 0; status == NND_OK && point < w.points; point++, advance(&w))
        status = answer_point(&w, point);
    nnd_hand_over(status == NND_OK, w.answers, answers);
    return status;
}
