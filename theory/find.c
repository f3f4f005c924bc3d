/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/find.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "nndmft/theory.h"
#include "theory/probe.h"

enum { DEFAULT_POINTS = 129, REFINED = 4, MESSAGE_SIZE = 512 };

/* Relative; a place near 0 is known to so much of the interval. */
static const double ROOT_PRECISION = 1e-8, EXTREMUM_PRECISION = 1e-5, NEAR_ZERO = 1e-4;

/* A search in progress; the function minimised, or made zero, is sign * (variable - level). */
typedef struct {
    nnd_context *ctx;
    const nnd_find_options *options;
    nnd_probe probe;
    size_t points; /* of the grid, ascending */
    double *grid;
    double sign;
    double worst; /* stands for points without a finite value */
    double bytes; /* memory of one evaluation */
    size_t evaluations;
    nnd_status status; /* of the last evaluation that failed */
    bool misplaced;    /* the coordinates are refused */
    size_t unsolved;   /* evaluations without an answer */
    double example;    /* one of them, and what it said */
    char message[MESSAGE_SIZE];
} search;

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
    nnd_probe_outcome outcome;
    nnd_status status = nnd_probe_read(ctx, &s->probe, x, value, &outcome);
    if (outcome == NND_PROBE_UNSOLVED)
        note_unsolved(ctx, s, x);
    if (outcome == NND_PROBE_MISPLACED) {
#pragma omp atomic write
        s->misplaced = true;
    }
    return status;
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

/* Whole numbers are rounded, and taken once. */
static void fill_grid(search *s) {
    bool whole = nnd_param_is_whole(s->options->param);
    for (size_t i = 0; i < s->options->points; i++) {
        double x = grid_point(s->options, i);
        x = whole ? round(x) : x;
        if (s->points == 0 || x > s->grid[s->points - 1])
            s->grid[s->points++] = x;
    }
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
    nnd_status status = evaluate(ctx, s, s->grid[i], &value);
    scan->y[i] = isfinite(value) ? s->sign * (value - s->options->level) : NAN;
#pragma omp atomic capture
    done = ++scan->done;
    nnd_progress(ctx, "scan", (double)done, s->points);
    return status;
}

static nnd_status scan_grid(search *s, double *y) {
    size_t n = s->points;
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

/* The neighbours between which a whole number would be the root: x is the one closer to it. */
static void whole_root(search *s, const double y[2], nnd_bracket *b) {
    double at_low = y[0], at_high = y[1];
    while (b->high - b->low > 1.0 && s->status == NND_OK) {
        double middle = floor(0.5 * (b->low + b->high)), value = objective(middle, s);
        bool lower = (value < 0.0) == (at_low < 0.0);
        *(lower ? &b->low : &b->high) = middle;
        *(lower ? &at_low : &at_high) = value;
    }
    b->x = fabs(at_high) < fabs(at_low) ? b->high : b->low;
}

/* Between grid points i and i + 1. */
static nnd_status refine_root(search *s, size_t i, const double *y, nnd_found *found) {
    nnd_bracket b = {s->grid[i], s->grid[i + 1], NAN};
    nnd_status status = NND_OK;
    if (nnd_param_is_whole(s->options->param))
        whole_root(s, y + i, &b);
    else
        status = nnd_brent_root(s->ctx, objective, s, least_bracket(s, ROOT_PRECISION),
                                ROOT_PRECISION, &b);
    return conclude(s, status, &b, found);
}

static nnd_status find_root(search *s, const double *y, nnd_found *found) {
    for (size_t i = 0; i + 1 < s->points; i++) {
        if (!isfinite(y[i]) || !isfinite(y[i + 1]))
            continue;
        if (y[i] == 0.0 || y[i + 1] == 0.0) {
            found->param = s->grid[y[i] == 0.0 ? i : i + 1];
            return NND_OK;
        }
        s->worst = fabs(y[i]) + fabs(y[i + 1]);
        if ((y[i] < 0.0) != (y[i + 1] < 0.0))
            return refine_root(s, i, y, found);
    }
    nnd_fail(s->ctx, NND_E_INPUT, "%s does not cross %g for %s from %g to %g",
             s->options->variable->name, s->options->level, s->options->param->name,
             s->options->low, s->options->high);
    return NND_NOT_CONVERGED;
}

/* The least value of whole numbers around x, where it is `least`: each step halves the larger
 * side. */
static void whole_minimum(search *s, double least, nnd_bracket *b) {
    while (b->high - b->low > 2.0 && s->status == NND_OK) {
        bool right = b->high - b->x > b->x - b->low;
        double at = right ? ceil(0.5 * (b->x + b->high)) : floor(0.5 * (b->low + b->x));
        double value = objective(at, s);
        if (value < least) {
            *(right ? &b->low : &b->high) = b->x;
            b->x = at;
            least = value;
        } else
            *(right ? &b->high : &b->low) = at;
    }
    b->low = b->high = b->x;
}

static nnd_status refine_minimum(search *s, size_t i, const double *y, nnd_found *found) {
    double low = s->grid[i - 1], high = s->grid[i + 1];
    double at_low = isfinite(y[i - 1]) ? y[i - 1] : s->worst;
    double at_high = isfinite(y[i + 1]) ? y[i + 1] : s->worst;
    if (y[i] >= at_low || y[i] >= at_high) { /* a plateau: no better than the grid */
        found->param = s->grid[i];
        found->uncertainty = (high - low) / 2.0;
        return NND_OK;
    }
    nnd_bracket b = {low, high, s->grid[i]};
    const double value[] = {at_low, y[i], at_high};
    nnd_status status = NND_OK;
    if (nnd_param_is_whole(s->options->param))
        whole_minimum(s, y[i], &b);
    else
        status = nnd_brent_minimum(s->ctx, objective, s, least_bracket(s, EXTREMUM_PRECISION),
                                   EXTREMUM_PRECISION, value, &b);
    return conclude(s, status, &b, found);
}

/* True if grid point i is finite and no higher than its neighbours. */
static bool is_local_minimum(const search *s, const double *y, size_t i) {
    bool below_left = i == 0 || !(y[i - 1] < y[i]);
    bool below_right = i + 1 == s->points || !(y[i + 1] < y[i]);
    return isfinite(y[i]) && below_left && below_right;
}

/* The lowest local minimum of the grid that lies above the last one, or at it further on; the
 * number of points if there is none. */
static size_t next_minimum(const search *s, const double *y, size_t last) {
    size_t n = s->points, best = n;
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
    for (size_t i = 0; i < s->points; i++)
        if (isfinite(y[i])) {
            lowest = fmin(lowest, y[i]);
            highest = fmax(highest, y[i]);
        }
    s->worst = highest + (highest - lowest) + 1.0;
}

/* Refines the lowest few local minima of the grid: a narrow valley may be deeper than it looks. */
static nnd_status find_minimum(search *s, const double *y, nnd_found *found) {
    size_t n = s->points, at = n;
    double lowest = INFINITY;
    set_worst(s, y);
    for (int k = 0; k < REFINED; k++) {
        at = next_minimum(s, y, at);
        if (at == n)
            break;
        nnd_found local = {.param = s->grid[at], .at_edge = true};
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
    nnd_fail(s->ctx, NND_E_INPUT, "%s is finite nowhere for %s from %g to %g",
             s->options->variable->name, s->options->param->name, s->options->low,
             s->options->high);
    return NND_NOT_CONVERGED;
}

static nnd_status check_options(nnd_context *ctx, const nnd_model *model, const nnd_find_options *o,
                                nnd_find_fault *fault) {
    if (model == NULL || o->param == NULL || o->variable == NULL ||
        (unsigned)o->goal > NND_FIND_MAX || (o->coordinates > 0 && o->at == NULL))
        return nnd_fail(ctx, NND_E_INPUT, "a search needs a parameter, a variable and a goal");
    const char *name = o->param->name;
    if (nnd_param_find(model->params, name) != o->param || !nnd_find_takes(o->param))
        return nnd_fail(ctx, NND_E_INPUT, "%s is not a parameter of %s that is a number", name,
                        model->name);
    if (nnd_model_variable(model, o->variable->name) != o->variable)
        return nnd_fail(ctx, NND_E_INPUT, "%s is not a variable of %s", o->variable->name,
                        model->name);
    if (nnd_theory_find(model) == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s has no theory", model->name);
    if (o->points < 3)
        return nnd_fail(ctx, NND_E_INPUT, "a scan of %zu points: fewer than 3", o->points);
    if (!isfinite(o->level))
        return nnd_fail(ctx, NND_E_INPUT, "%g is not a level to cross", o->level);
    *fault = NND_FIND_FAULT_INTERVAL;
    if (!(o->low < o->high && isfinite(o->low) && isfinite(o->high)))
        return nnd_fail(ctx, NND_E_INPUT, "%s: not an interval LOW:HIGH with LOW < HIGH", name);
    if (nnd_param_is_whole(o->param) && (o->low != floor(o->low) || o->high != floor(o->high)))
        return nnd_fail(ctx, NND_E_INPUT, "%s: %g:%g; allowed: integers", name, o->low, o->high);
    *fault = NND_FIND_FAULT_OTHER;
    return NND_OK;
}

/* Makes the probe and sees that a reading fits into the memory. */
static nnd_status prepare(search *s, const nnd_model *model, const void *params) {
    nnd_status status = nnd_probe_make(s->ctx, model, params, s->options, &s->probe);
    if (status == NND_OK)
        status = nnd_probe_bytes(s->ctx, &s->probe, &s->bytes);
    return status == NND_OK ? nnd_check_memory(s->ctx, s->bytes, "theory") : status;
}

bool nnd_find_takes(const nnd_param *param) {
    return param->type == NND_REAL || param->type == NND_REALS || param->type == NND_INTEGER;
}

/* Whether what stands at the place found is an answer. */
static nnd_status judge(const search *s, nnd_status status, const nnd_found *found) {
    const nnd_find_options *o = s->options;
    if (!isfinite(found->value)) {
        nnd_fail(s->ctx, NND_E_INPUT,
                 "%s crosses %g nowhere, but ceases to be finite at %s = %.10g", o->variable->name,
                 o->level, o->param->name, found->param);
        return NND_NOT_CONVERGED;
    }
    if (status == NND_NOT_CONVERGED)
        nnd_fail(s->ctx, NND_E_INPUT,
                 "theory does not converge at %s = %.10g; its best answer is used", o->param->name,
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
                s->unsolved, s->options->param->name, s->example, s->message);
    else if (s->unsolved > 0 && status == NND_NOT_CONVERGED)
        nnd_fail(s->ctx, NND_E_INPUT,
                 "%s; theory has no answer at %zu of the values tried, such as %s = %.10g: %s",
                 found, s->unsolved, s->options->param->name, s->example, s->message);
}

nnd_status nnd_find(nnd_context *ctx, const nnd_model *model, const void *params,
                    const nnd_find_options *options, nnd_found *found) {
    nnd_find_options o = *options;
    if (o.goal != NND_FIND_ZERO)
        o.level = 0.0;
    if (o.points == 0)
        o.points = DEFAULT_POINTS;
    search s = {
        .ctx = ctx, .options = &o, .sign = o.goal == NND_FIND_MAX ? -1.0 : 1.0, .worst = NAN};
    *found = (nnd_found){.param = NAN, .value = NAN};
    nnd_status status = check_options(ctx, model, &o, &found->fault);
    if (status == NND_OK)
        status = prepare(&s, model, params);
    double *y = status == NND_OK ? calloc(2 * o.points, sizeof *y) : NULL;
    if (status == NND_OK && y == NULL)
        status = nnd_fail_memory(ctx, "the scan");
    if (status == NND_OK) {
        s.grid = y + o.points;
        fill_grid(&s);
        status = scan_grid(&s, y);
    }
    if (status == NND_OK)
        status = o.goal == NND_FIND_ZERO ? find_root(&s, y, found) : find_minimum(&s, y, found);
    if (status == NND_OK) {
        status = evaluate(ctx, &s, found->param, &found->value);
        status = status >= NND_OK ? judge(&s, status, found) : status;
    }
    found->evaluations = s.evaluations + 1;
    if (s.misplaced)
        found->fault = NND_FIND_FAULT_AT;
    report_unsolved(&s, status);
    nnd_probe_clear(&s.probe);
    free(y);
    return status;
}
