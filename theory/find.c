/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/find.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/suggest.h"
#include "nndmft/solvers/brent.h"
#include "theory/point.h"

enum { DEFAULT_POINTS = 129, REFINED = 4, TEXT_SIZE = 64, MESSAGE_SIZE = 512 };

/* Relative; a place near 0 is known to so much of the interval. */
static const double ROOT_PRECISION = 1e-8, EXTREMUM_PRECISION = 1e-5, NEAR_ZERO = 1e-4;

/* A search in progress; the function minimised, or made zero, is sign * (variable - level). */
typedef struct {
    nnd_context *ctx;
    const nnd_value *tree;
    const nnd_case_source *source;
    const nnd_find_options *options;
    double sign;
    double worst; /* stands for points without a finite value */
    double bytes; /* memory of one evaluation */
    size_t evaluations;
    nnd_status status; /* of the last evaluation that failed */
    size_t unsolved;   /* evaluations without an answer */
    double example;    /* one of them, and what it said */
    char message[MESSAGE_SIZE];
} search;

/* The coordinate "name=value" of `at`, or NULL. */
static const char *coordinate_text(const char *at, const char *name) {
    size_t length = strlen(name);
    while (at != NULL && *at != '\0') {
        at += strspn(at, " ");
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return at + length + 1;
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
    }
    return NULL;
}

/* The two coordinates closest to a number, in their order along the dimension; twice the same of a
 * dimension that has but one. */
static void find_nearest(const nnd_dim *dim, double number, size_t near[2]) {
    size_t first = 0, second = dim->length > 1 ? 1 : 0;
    for (size_t i = 1; i < dim->length; i++) {
        double distance = fabs(dim->value[i] - number);
        if (distance < fabs(dim->value[first] - number)) {
            second = first;
            first = i;
        } else if (distance < fabs(dim->value[second] - number))
            second = i;
    }
    near[0] = first < second ? first : second;
    near[1] = first < second ? second : first;
}

static nnd_status no_such_coordinate(nnd_context *ctx, const nnd_dim *dim, const char *text,
                                     double number) {
    char first[TEXT_SIZE], last[TEXT_SIZE], below[TEXT_SIZE], above[TEXT_SIZE];
    size_t near[2] = {0, dim->length - 1};
    nnd_coord_text(dim, 0, sizeof first, first);
    nnd_coord_text(dim, dim->length - 1, sizeof last, last);
    if (dim->kind == NND_COORD_TEXT || !isfinite(number))
        return nnd_fail(ctx, NND_E_INPUT, "--at %s=%s: no such coordinate (%s .. %s)", dim->name,
                        text, first, last);
    find_nearest(dim, number, near);
    nnd_coord_text(dim, near[0], sizeof below, below);
    nnd_coord_text(dim, near[1], sizeof above, above);
    return nnd_fail(ctx, NND_E_INPUT, "--at %s=%s: no such coordinate; nearest: %s%s%s (%s .. %s)",
                    dim->name, text, below, near[0] < near[1] ? ", " : "",
                    near[0] < near[1] ? above : "", first, last);
}

/* Position along a dimension of the coordinate that `at` asks for. */
static nnd_status locate(nnd_context *ctx, const nnd_dim *dim, const char *at, size_t *position) {
    const char *wanted = coordinate_text(at, dim->name);
    if (wanted == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "the variable depends on %s: say where with --at %s=...",
                        dim->name, dim->name);
    char text[TEXT_SIZE];
    double number = NAN;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(wanted, ","), wanted);
    bool is_number = nnd_number_read(text, &number);
    char *words[] = {text};
    const nnd_dim asked = {dim->name, dim->kind, 1, &number, words};
    bool sought = is_number || dim->kind == NND_COORD_TEXT;
    *position = sought ? nnd_coord_find(dim, &asked, 0) : dim->length;
    return *position < dim->length ? NND_OK : no_such_coordinate(ctx, dim, text, number);
}

/* Every name in `at` must be a dimension of the array, and stand there once. */
static nnd_status check_names(nnd_context *ctx, const nnd_frame *frame, const nnd_array *array,
                              const char *at) {
    while (at != NULL && *at != '\0') {
        char name[TEXT_SIZE];
        at += strspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "=,"), at);
        if (nnd_array_axis(frame, array, name) == array->ndims)
            return nnd_fail(ctx, NND_E_INPUT, "--at: %s is no dimension of %s", name, array->name);
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
        if (coordinate_text(at, name) != NULL)
            return nnd_fail(ctx, NND_E_INPUT, "--at: %s stands twice", name);
    }
    return NND_OK;
}

static nnd_status pick(nnd_context *ctx, const search *s, const nnd_frame *frame, double *value) {
    const nnd_array *array = nnd_frame_find(frame, s->options->variable);
    if (array == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "theory has no variable %s", s->options->variable);
    size_t at = 0;
    nnd_status status = check_names(ctx, frame, array, s->options->at);
    for (size_t k = 0; status == NND_OK && k < array->ndims; k++) {
        size_t position = 0;
        status = locate(ctx, nnd_frame_dim(frame, array->dim[k]), s->options->at, &position);
        at = at * array->shape[k] + position;
    }
    if (status == NND_OK)
        *value = array->data[at];
    return status;
}

/* The tree with the parameter set. */
static nnd_value *with_param(const search *s, double x) {
    nnd_value *tree = nnd_value_copy(s->tree);
    if (tree == NULL)
        return NULL;
    const nnd_value *given = nnd_value_get(tree, "params");
    nnd_value *params =
        given != NULL && given->kind == NND_VALUE_MAP ? nnd_value_copy(given) : nnd_value_map("");
    char text[TEXT_SIZE], where[2 * TEXT_SIZE];
    nnd_number_text(x, sizeof text, text);
    snprintf(where, sizeof where, "--param %.60s", s->options->param);
    if (params == NULL ||
        !nnd_value_put(params, s->options->param, nnd_value_scalar(text, false, where)) ||
        !nnd_value_put(tree, "params", params)) {
        nnd_value_free(tree);
        return NULL;
    }
    return tree;
}

/* Remembers that theory has no answer at x, and what it said in `ctx`. */
static void note_unsolved(const nnd_context *ctx, search *s, double x) {
#pragma omp critical(nnd_find_unsolved)
    {
        if (s->unsolved++ == 0 || x < s->example) {
            s->example = x;
            snprintf(s->message, sizeof s->message, "%s", nnd_context_message(ctx));
        }
    }
}

/* The variable at one value of the parameter; NaN where the theory diverges or has no answer.
 * NND_NOT_CONVERGED, with its best answer, where it does not converge. */
static nnd_status evaluate(nnd_context *ctx, search *s, double x, double *value) {
    nnd_case *c = NULL;
    nnd_frame *frame = NULL;
    nnd_value *tree = with_param(s, x);
    nnd_status status = tree != NULL ? nnd_case_resolve(ctx, tree, s->source, &c)
                                     : nnd_fail_memory(ctx, "the case");
    bool unsolved = false;
    if (status == NND_OK) {
        status = nnd_theory_find(c->model)->solve(ctx, c->params[0], &frame);
        unsolved = nnd_point_failed(status);
    }
    nnd_status ran = status;
    if (unsolved) {
        *value = NAN;
        status = NND_OK;
        note_unsolved(ctx, s, x);
    } else if (status >= NND_OK)
        status = pick(ctx, s, frame, value);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_value_free(tree);
    return status == NND_OK && ran == NND_NOT_CONVERGED ? ran : status;
}

static double objective(double x, void *data) {
    search *s = data;
    double value;
    s->evaluations++;
    nnd_status status = evaluate(s->ctx, s, x, &value);
    if (status < NND_OK) {
        s->status = status;
        return s->worst;
    }
    return isfinite(value) ? s->sign * (value - s->options->level) : s->worst;
}

static double grid_point(const nnd_find_options *o, size_t i) {
    double u = (double)i / (double)(o->points - 1);
    if (i == 0 || i == o->points - 1)
        return i == 0 ? o->low : o->high;
    if (o->low > 0.0 && o->high >= 10.0 * o->low)
        return o->low * pow(o->high / o->low, u);
    return o->low + u * (o->high - o->low);
}

/* A scan of the grid. */
typedef struct {
    search *search;
    size_t done;
    double *y; /* objective; NaN where there is no finite value */
} grid_scan;

static nnd_status scan_point(nnd_context *ctx, size_t i, void *data) {
    grid_scan *scan = data;
    search *s = scan->search;
    double value = NAN;
    size_t done;
    nnd_status status = evaluate(ctx, s, grid_point(s->options, i), &value);
    scan->y[i] = isfinite(value) ? s->sign * (value - s->options->level) : NAN;
#pragma omp atomic capture
    done = ++scan->done;
    nnd_progress(ctx, "scan", done, s->options->points);
    return status;
}

static nnd_status scan_grid(search *s, double *y) {
    size_t n = s->options->points;
    grid_scan scan = {.search = s, .y = y};
    s->evaluations += n;
    return nnd_parallel(s->ctx, nnd_context_concurrency(s->ctx, n, s->bytes), n, scan_point, &scan);
}

/* What a search between two grid points has come to; a failed evaluation comes first. */
static nnd_status conclude(search *s, nnd_status status, const nnd_bracket *b, nnd_found *found) {
    found->param = b->x;
    found->uncertainty = (b->high - b->low) / 2.0;
    if (s->status != NND_OK)
        return s->status;
    if (status == NND_NOT_CONVERGED)
        nnd_fail(s->ctx, NND_E_INPUT, "the search has not come closer than %g", found->uncertainty);
    return status;
}

static double least_bracket(const search *s, double precision) {
    return precision * NEAR_ZERO * (s->options->high - s->options->low);
}

static nnd_status refine_root(search *s, double low, double high, nnd_found *found) {
    nnd_bracket b = {low, high, NAN};
    nnd_status status =
        nnd_brent_root(s->ctx, objective, s, least_bracket(s, ROOT_PRECISION), ROOT_PRECISION, &b);
    return conclude(s, status, &b, found);
}

static nnd_status find_root(search *s, const double *y, nnd_found *found) {
    for (size_t i = 0; i + 1 < s->options->points; i++) {
        if (!isfinite(y[i]) || !isfinite(y[i + 1]))
            continue;
        if (y[i] == 0.0 || y[i + 1] == 0.0) {
            found->param = grid_point(s->options, y[i] == 0.0 ? i : i + 1);
            return NND_OK;
        }
        s->worst = fabs(y[i]) + fabs(y[i + 1]);
        if ((y[i] < 0.0) != (y[i + 1] < 0.0))
            return refine_root(s, grid_point(s->options, i), grid_point(s->options, i + 1), found);
    }
    nnd_fail(s->ctx, NND_E_INPUT, "%s does not cross %g for %s from %g to %g", s->options->variable,
             s->options->level, s->options->param, s->options->low, s->options->high);
    return NND_NOT_CONVERGED;
}

static nnd_status refine_minimum(search *s, size_t i, const double *y, nnd_found *found) {
    double low = grid_point(s->options, i - 1), high = grid_point(s->options, i + 1);
    double at_low = isfinite(y[i - 1]) ? y[i - 1] : s->worst;
    double at_high = isfinite(y[i + 1]) ? y[i + 1] : s->worst;
    if (y[i] >= at_low || y[i] >= at_high) { /* a plateau: no better than the grid */
        found->param = grid_point(s->options, i);
        found->uncertainty = (high - low) / 2.0;
        return NND_OK;
    }
    nnd_bracket b = {low, high, grid_point(s->options, i)};
    const double value[] = {at_low, y[i], at_high};
    nnd_status status = nnd_brent_minimum(
        s->ctx, objective, s, least_bracket(s, EXTREMUM_PRECISION), EXTREMUM_PRECISION, value, &b);
    return conclude(s, status, &b, found);
}

/* True if grid point i is finite and no higher than its neighbours. */
static bool is_local_minimum(const search *s, const double *y, size_t i) {
    bool below_left = i == 0 || !(y[i - 1] < y[i]);
    bool below_right = i + 1 == s->options->points || !(y[i + 1] < y[i]);
    return isfinite(y[i]) && below_left && below_right;
}

/* The lowest local minimum of the grid that lies above the last one, or at it further on; the
 * number of points if there is none. */
static size_t next_minimum(const search *s, const double *y, size_t last) {
    size_t n = s->options->points, best = n;
    for (size_t i = 0; i < n; i++) {
        bool first = last == n || y[i] > y[last];
        bool after = first || (i > last && y[i] == y[last]);
        if (after && is_local_minimum(s, y, i) && (best == n || y[i] < y[best]))
            best = i;
    }
    return best;
}

static void set_worst(search *s, const double *y) {
    double lowest = INFINITY, highest = -INFINITY;
    for (size_t i = 0; i < s->options->points; i++)
        if (isfinite(y[i])) {
            lowest = fmin(lowest, y[i]);
            highest = fmax(highest, y[i]);
        }
    s->worst = highest + (highest - lowest) + 1.0;
}

/* Refines the lowest few local minima of the grid: a narrow valley may be deeper than it looks. */
static nnd_status find_minimum(search *s, const double *y, nnd_found *found) {
    size_t n = s->options->points, at = n;
    double lowest = INFINITY;
    set_worst(s, y);
    for (int k = 0; k < REFINED; k++) {
        at = next_minimum(s, y, at);
        if (at == n)
            break;
        nnd_found local = {.param = grid_point(s->options, at), .at_edge = true};
        nnd_status status = NND_OK;
        if (at > 0 && at < n - 1) {
            local.at_edge = false;
            status = refine_minimum(s, at, y, &local);
        }
        double value = objective(local.param, s);
        if (status != NND_OK || s->status != NND_OK)
            return status != NND_OK ? status : s->status;
        if (value < lowest) {
            lowest = value;
            *found = local;
        }
    }
    if (isfinite(lowest))
        return NND_OK;
    nnd_fail(s->ctx, NND_E_INPUT, "%s is finite nowhere for %s from %g to %g", s->options->variable,
             s->options->param, s->options->low, s->options->high);
    return NND_NOT_CONVERGED;
}

static nnd_status unknown_variable(nnd_context *ctx, const nnd_model *model, const char *name) {
    nnd_suggestion near = {.word = name};
    nnd_model_suggest_variables(model, &near);
    return nnd_fail(ctx, NND_E_INPUT,
                    "%.200s is not a variable of the model; %s`nndmft describe %s` lists them",
                    name, near.text, model->name);
}

static nnd_status unknown_param(nnd_context *ctx, const nnd_model *model, const char *name) {
    nnd_suggestion near = {.word = name};
    for (size_t i = 0; i < model->params->count; i++) {
        const nnd_param *param = &model->params->param[i];
        if (param->type == NND_REAL || param->type == NND_REALS)
            nnd_suggest(&near, "", param->name);
    }
    return nnd_fail(ctx, NND_E_INPUT,
                    "--param %.200s: not a real parameter; %s`nndmft describe %s` lists them", name,
                    near.text, model->name);
}

static nnd_status check_options(nnd_context *ctx, const nnd_value *tree,
                                const nnd_case_source *source, const nnd_find_options *o,
                                double *bytes) {
    nnd_case *c = NULL;
    if (o->param == NULL || o->variable == NULL || (unsigned)o->goal > NND_FIND_MAX)
        return nnd_fail(ctx, NND_E_INPUT, "a search needs a parameter, a variable and a goal");
    nnd_status status = nnd_case_resolve(ctx, tree, source, &c);
    if (status != NND_OK)
        return status;
    const nnd_param *param = nnd_param_find(c->model->params, o->param);
    if (param == NULL || (param->type != NND_REAL && param->type != NND_REALS))
        status = unknown_param(ctx, c->model, o->param);
    else if (o->points < 3)
        status = nnd_fail(ctx, NND_E_INPUT, "--points %zu: fewer than 3", o->points);
    else if (!isfinite(o->level))
        status = nnd_fail(ctx, NND_E_INPUT, "--zero: %g is not a level to cross", o->level);
    else if (!(o->low < o->high && isfinite(o->low) && isfinite(o->high)))
        status = nnd_fail(ctx, NND_E_INPUT, "--param %s: not an interval LOW:HIGH with LOW < HIGH",
                          o->param);
    else if (nnd_theory_find(c->model) == NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "%s has no theory", c->model->name);
    else if (nnd_model_variable(c->model, o->variable) == NULL)
        status = unknown_variable(ctx, c->model, o->variable);
    nnd_plan plan = {0};
    if (status == NND_OK)
        status = nnd_theory_plan(ctx, c, &plan);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, plan.bytes, "theory");
    *bytes = plan.bytes;
    nnd_case_free(c);
    return status;
}

/* Whether what stands at the place found is an answer. */
static nnd_status judge(const search *s, nnd_status status, const nnd_found *found) {
    const nnd_find_options *o = s->options;
    if (!isfinite(found->value)) {
        nnd_fail(s->ctx, NND_E_INPUT,
                 "%s crosses %g nowhere, but ceases to be finite at %s = %.10g", o->variable,
                 o->level, o->param, found->param);
        return NND_NOT_CONVERGED;
    }
    if (status == NND_NOT_CONVERGED)
        nnd_fail(s->ctx, NND_E_INPUT,
                 "theory does not converge at %s = %.10g; its best answer is used", o->param,
                 found->param);
    return status;
}

/* Says where theory had no answer: in the message of a search that failed, else as a warning. */
static void report_unsolved(const search *s, nnd_status status) {
    char found[MESSAGE_SIZE];
    snprintf(found, sizeof found, "%s", nnd_context_message(s->ctx));
    if (s->unsolved > 0 && status == NND_OK)
        nnd_log(s->ctx, NND_LOG_WARNING,
                "theory has no answer at %zu of the values tried, such as %s = %.10g: %s",
                s->unsolved, s->options->param, s->example, s->message);
    else if (s->unsolved > 0 && status == NND_NOT_CONVERGED)
        nnd_fail(s->ctx, NND_E_INPUT,
                 "%s; theory has no answer at %zu of the values tried, such as %s = %.10g: %s",
                 found, s->unsolved, s->options->param, s->example, s->message);
}

nnd_status nnd_find(nnd_context *ctx, const nnd_value *tree, const nnd_case_source *source,
                    const nnd_find_options *options, nnd_found *found) {
    nnd_find_options o = *options;
    if (o.goal != NND_FIND_ZERO)
        o.level = 0.0;
    if (o.points == 0)
        o.points = DEFAULT_POINTS;
    search s = {.ctx = ctx,
                .tree = tree,
                .source = source,
                .options = &o,
                .sign = o.goal == NND_FIND_MAX ? -1.0 : 1.0,
                .worst = NAN};
    *found = (nnd_found){.param = NAN, .value = NAN};
    nnd_status status = check_options(ctx, tree, source, &o, &s.bytes);
    double *y = status == NND_OK ? calloc(o.points, sizeof *y) : NULL;
    if (status == NND_OK && y == NULL)
        status = nnd_fail_memory(ctx, "the scan");
    if (status == NND_OK)
        status = scan_grid(&s, y);
    if (status == NND_OK)
        status = o.goal == NND_FIND_ZERO ? find_root(&s, y, found) : find_minimum(&s, y, found);
    if (status == NND_OK) {
        status = evaluate(ctx, &s, found->param, &found->value);
        status = status >= NND_OK ? judge(&s, status, found) : status;
    }
    found->evaluations = s.evaluations + 1;
    report_unsolved(&s, status);
    free(y);
    return status;
}
