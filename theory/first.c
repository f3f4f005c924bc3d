/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a variable of the theory first is below, above or across a level. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "nndmft/find.h"
#include "nndmft/theory.h"
#include "theory/point.h"
#include "theory/probe.h"

/* Times recorded between two, and how often: 17^8 is more than steps there can be, and than doubles
 * between two times that differ by PRECISION. */
enum { BETWEEN = 16, ROUNDS = 8 };

/* Two times of a flow that are so close are one. */
static const double PRECISION = 1e-8;

/* A search: times low, at which it has not happened, and high, at which it has. */
typedef struct {
    nnd_context *ctx;
    const nnd_model *model;
    const nnd_first_options *o;
    void *params; /* a copy, whose record is that of this round */
    bool stepped;
    double dt, low, high;
    double *recorded; /* steps or times of this round */
    int64_t *steps;   /* the same, where the parameter `record` is a list of integers */
    nnd_frame *frame;
    nnd_found *found;
} search;

/* One variable over the times of a frame. */
typedef struct {
    const nnd_dim *t;
    const double *value, *se; /* se NULL: none */
    size_t stride;
} curve;

static nnd_status solve(search *s) {
    nnd_frame_free(s->frame);
    s->frame = NULL;
    s->found->evaluations++;
    nnd_status status = nnd_model_settle(s->ctx, s->model, s->params);
    if (status != NND_OK)
        return status;
    status = nnd_theory_find(s->model)->solve(s->ctx, s->params, &s->frame);
    if (status == NND_NOT_CONVERGED)
        return nnd_fail(s->ctx, NND_E_UNSOLVED, "theory does not converge");
    return status == NND_DIVERGED ? NND_OK : status;
}

static nnd_status read_curve(search *s, curve *c) {
    const nnd_array *a = nnd_frame_find(s->frame, s->o->variable->name);
    size_t at = 0;
    if (a == NULL)
        return nnd_fail(s->ctx, NND_E_INPUT, "theory has no variable %s", s->o->variable->name);
    nnd_status status = nnd_locate_curve(s->ctx, s->frame, a, s->o, &at, &c->stride);
    if (status != NND_OK) {
        s->found->fault = NND_FIND_FAULT_AT;
        return status;
    }
    const nnd_array *se = nnd_companion(s->frame, a->name, NND_SE);
    c->t = nnd_frame_find_dim(s->frame, "t");
    c->value = a->data + at;
    c->se = se != NULL ? se->data + at : NULL;
    return NND_OK;
}

static bool holds(const nnd_first_options *o, double start, double value) {
    switch (o->relation) {
    case NND_BELOW:
        return value < o->level;
    case NND_ABOVE:
        return value > o->level;
    case NND_ACROSS:
        break;
    }
    return start < o->level ? value >= o->level : value <= o->level;
}

/* The first time at which it holds; their number if there is none. */
static size_t first_of(const search *s, const curve *c) {
    size_t i = 0;
    while (i < c->t->length && isnan(c->value[i * c->stride]))
        i++;
    double start = i < c->t->length ? c->value[i * c->stride] : NAN;
    for (; i < c->t->length; i++)
        if (holds(s->o, start, c->value[i * c->stride]))
            return i;
    return c->t->length;
}

static nnd_status never(const search *s, const curve *c) {
    static const char *const how[] = {"below", "above", "across"};
    double low = INFINITY, high = -INFINITY, last = NAN;
    for (size_t i = 0; i < c->t->length; i++)
        if (isfinite(c->value[i * c->stride])) {
            low = fmin(low, c->value[i * c->stride]);
            high = fmax(high, c->value[i * c->stride]);
            last = c->t->value[i];
        }
    if (low > high)
        nnd_fail(s->ctx, NND_E_INPUT, "%s is finite at no time", s->o->variable->name);
    else
        nnd_fail(s->ctx, NND_E_INPUT, "%s is never %s %g: up to t = %g it is from %.6g to %.6g",
                 s->o->variable->name, how[s->o->relation], s->o->level, last, low, high);
    return NND_NOT_CONVERGED;
}

static nnd_status make_room(search *s, size_t count) {
    free(s->recorded);
    free(s->steps);
    s->recorded = malloc(count * sizeof *s->recorded);
    s->steps = malloc(count * sizeof *s->steps);
    return s->recorded != NULL && s->steps != NULL ? NND_OK : nnd_fail_memory(s->ctx, "the times");
}

/* Lets the run record the first n of these times; false if the model cannot. */
static bool record(search *s, size_t n) {
    const nnd_param *record = nnd_param_find(s->model->params, "record");
    if (record == NULL)
        return false;
    void *at = (char *)s->params + record->offset;
    for (size_t i = 0; i < n; i++)
        s->steps[i] = (int64_t)s->recorded[i];
    if (record->type == NND_INTEGERS)
        *(nnd_integers *)at = (nnd_integers){n, s->steps};
    else
        *(nnd_reals *)at = (nnd_reals){n, s->recorded};
    return true;
}

/* Times that are recorded next: evenly from low to high, on a logarithmic scale if that is far.
 * Steps are whole. */
static size_t choose_times(search *s) {
    size_t n = 0;
    bool far = s->low > 0.0 && s->high > 2.0 * s->low;
    for (size_t i = 0; i < BETWEEN + 2; i++) {
        double u = (double)i / (BETWEEN + 1);
        double t = far ? s->low * pow(s->high / s->low, u) : s->low + u * (s->high - s->low);
        t = i == 0 ? s->low : i == BETWEEN + 1 ? s->high : t;
        t = s->stepped ? round(t / s->dt) : t;
        if (n == 0 || t > s->recorded[n - 1])
            s->recorded[n++] = t;
    }
    return n;
}

static bool is_close(const search *s) {
    double width = s->high - s->low;
    return s->stepped ? width < 1.5 * s->dt : width <= PRECISION * fabs(s->high);
}

/* What theory's own error makes of the time: over the slope beside it. */
static double sampled_error(const curve *c, size_t i) {
    if (c->se == NULL || i == 0 || isnan(c->se[i * c->stride]))
        return 0.0;
    double slope = (c->value[i * c->stride] - c->value[(i - 1) * c->stride]) /
                   (c->t->value[i] - c->t->value[i - 1]);
    return fabs(c->se[i * c->stride] / slope);
}

/* The bracket about the first time, and what stands there. */
static void note(search *s, const curve *c, size_t i) {
    nnd_found *f = s->found;
    s->high = c->t->value[i];
    s->low = i > 0 ? c->t->value[i - 1] : s->high;
    bool whole = s->stepped && is_close(s);
    f->param = whole || i == 0 ? s->high : 0.5 * (s->low + s->high);
    f->uncertainty = whole || i == 0 ? 0.0 : 0.5 * (s->high - s->low);
    f->uncertainty += sampled_error(c, i);
    f->value = c->value[i * c->stride];
    f->value_se = c->se != NULL ? c->se[i * c->stride] : NAN;
}

/* Solves again with more times between low and high until they are close, or the model has no more
 * of them. */
static nnd_status refine(search *s) {
    nnd_status status = NND_OK;
    for (int round = 0;
         status == NND_OK && round < ROUNDS && !is_close(s) && record(s, choose_times(s));
         round++) {
        curve c;
        double before = s->high - s->low;
        status = solve(s);
        if (status == NND_OK)
            status = read_curve(s, &c);
        size_t i = status == NND_OK ? first_of(s, &c) : 0;
        if (status != NND_OK || i == c.t->length)
            break;
        note(s, &c, i);
        if (s->high - s->low >= before)
            break;
    }
    return status;
}

static nnd_status check_options(nnd_context *ctx, const nnd_model *model,
                                const nnd_first_options *o) {
    if (model == NULL || o->variable == NULL || (unsigned)o->relation > NND_ACROSS ||
        (o->coordinates > 0 && o->at == NULL))
        return nnd_fail(ctx, NND_E_INPUT, "a search over time needs a variable and a level");
    if (nnd_model_variable(model, o->variable->name) != o->variable)
        return nnd_fail(ctx, NND_E_INPUT, "%s is not a variable of %s", o->variable->name,
                        model->name);
    if (!isfinite(o->level))
        return nnd_fail(ctx, NND_E_INPUT, "%g is not a level to cross", o->level);
    return nnd_theory_find(model) != NULL
               ? NND_OK
               : nnd_fail(ctx, NND_E_INPUT, "%s has no theory", model->name);
}

/* A case need not record how training begins: what holds at its first time may do so earlier. */
static nnd_status add_start(search *s, curve *c) {
    size_t n = c->t->length;
    if (!(c->t->value[0] > 0.0))
        return NND_OK;
    nnd_status status = make_room(s, n + 1);
    if (status != NND_OK)
        return status;
    s->recorded[0] = 0.0;
    for (size_t i = 0; i < n; i++)
        s->recorded[i + 1] = s->stepped ? round(c->t->value[i] / s->dt) : c->t->value[i];
    if (!record(s, n + 1))
        return NND_OK;
    status = solve(s);
    return status == NND_OK ? read_curve(s, c) : status;
}

static nnd_status look(search *s) {
    curve c;
    nnd_status status = solve(s);
    if (status == NND_OK)
        status = read_curve(s, &c);
    if (status == NND_OK)
        status = add_start(s, &c);
    size_t i = status == NND_OK ? first_of(s, &c) : 0;
    if (status != NND_OK || i == c.t->length)
        return status != NND_OK ? status : never(s, &c);
    note(s, &c, i);
    if (i > 0)
        status = make_room(s, BETWEEN + 2);
    return i > 0 && status == NND_OK ? refine(s) : status;
}

nnd_status nnd_find_first(nnd_context *ctx, const nnd_model *model, const void *params,
                          const nnd_first_options *options, nnd_found *found) {
    *found = (nnd_found){.param = NAN, .value = NAN, .value_se = NAN, .subject = NAN};
    nnd_status status = check_options(ctx, model, options);
    if (status != NND_OK)
        return status;
    search s = {.ctx = ctx, .model = model, .o = options, .found = found};
    s.stepped = nnd_run_is_stepped(model, params, &s.dt);
    s.params = malloc(model->params->size);
    if (s.params == NULL)
        return nnd_fail_memory(ctx, "the parameters");
    memcpy(s.params, params, model->params->size);
    status = look(&s);
    nnd_frame_free(s.frame);
    free(s.params);
    free(s.recorded);
    free(s.steps);
    return status;
}
