/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/find.h"

#include <float.h>
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

/* Above every heat of a run that does not diverge, log(DBL_MAX) = 709.8: what is sought of a
 * divergence is negative for those, and rises towards it. */
static const double HOTTEST = 710.0;

/* A search in progress; the function minimised, or made zero, is sign * (variable - level). */
typedef struct {
    nnd_context *ctx;
    const nnd_find_options *options;
    nnd_probe probe;
    nnd_probe subject; /* without parameters: there is none */
    size_t points;     /* of the grid, ascending */
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

/* A reading, of whose failure the search takes note. */
static nnd_status read_probe(nnd_context *ctx, search *s, const nnd_probe *probe, double x,
                             nnd_reading *reading) {
    nnd_probe_outcome outcome;
    nnd_status status;
    *reading = (nnd_reading){NAN, NAN};
    if (probe->options->goal == NND_FIND_DIVERGENCE) {
        nnd_fate fate;
        status = nnd_probe_divergence(ctx, probe, x, &fate, &outcome);
        if (!isnan(fate.step))
            reading->value = isinf(fate.step) ? fmax(fate.heat, -HOTTEST) - HOTTEST : 1.0;
    } else
        status = nnd_probe_read(ctx, probe, x, reading, &outcome);
    if (outcome == NND_PROBE_UNSOLVED)
        note_unsolved(ctx, s, x);
    if (outcome == NND_PROBE_MISPLACED) {
#pragma omp atomic write
        s->misplaced = true;
    }
    return status;
}

/* Whether the subject, if there is one, keeps its bound. */
static bool is_kept(const nnd_find_options *o, double subject) {
    return o->relation == NND_ABOVE ? subject >= o->bound : subject <= o->bound;
}

/* The variable at one value of the parameter; NaN where the theory diverges or has no answer, or
 * the subject does not keep its bound. NND_NOT_CONVERGED, with its best answer, where it does not
 * converge. */
static nnd_status evaluate(nnd_context *ctx, search *s, double x, nnd_reading *reading) {
    if (s->subject.params != NULL) {
        nnd_status status = read_probe(ctx, s, &s->subject, x, reading);
        bool kept = status >= NND_OK && is_kept(s->options, reading->value);
        *reading = (nnd_reading){NAN, NAN};
        if (!kept)
            return status;
    }
    return read_probe(ctx, s, &s->probe, x, reading);
}

/* What is minimised, or made zero, of a value. */
static double measure(const search *s, double value) {
    return isfinite(value) ? s->sign * (value - s->options->level) : NAN;
}

static double objective(double x, void *data) {
    search *s = data;
    nnd_reading reading;
    s->evaluations++;
    nnd_status status = evaluate(s->ctx, s, x, &reading);
    if (status < NND_OK) {
        s->status = status;
        return s->worst;
    }
    double y = measure(s, reading.value);
    return isnan(y) ? s->worst : y;
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
    nnd_reading reading;
    size_t done;
    nnd_status status = evaluate(ctx, s, s->grid[i], &reading);
    scan->y[i] = measure(s, reading.value);
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

/* Halves the interval as long as it is wider than the precision of a root; x is the end at which
 * training does not diverge: the low one if what is sought rises. */
static void halve(search *s, bool rises, nnd_bracket *b) {
    bool whole = nnd_param_is_whole(s->options->param);
    while (b->high - b->low > (whole ? 1.0 : fmax(ROOT_PRECISION * fabs(b->high), DBL_MIN)) &&
           s->status == NND_OK) {
        double middle = 0.5 * (b->low + b->high);
        middle = whole ? floor(middle) : middle;
        *((objective(middle, s) < 0.0) == rises ? &b->low : &b->high) = middle;
    }
    b->x = rises ? b->low : b->high;
}

/* What theory's own error makes of a root: over the slope between two grid points. */
static double sampled_error(const search *s, size_t i, const double *y, double x) {
    nnd_reading reading;
    nnd_probe_outcome outcome;
    if (nnd_probe_read(s->ctx, &s->probe, x, &reading, &outcome) < NND_OK || isnan(reading.se))
        return 0.0;
    return reading.se * (s->grid[i + 1] - s->grid[i]) / fabs(y[i + 1] - y[i]);
}

/* The widest gap between neighbours of the grid up to x. */
static double widest_gap(const search *s, double x) {
    double gap = 0.0;
    for (size_t i = 0; i + 1 < s->points && s->grid[i] < x; i++)
        gap = fmax(gap, s->grid[i + 1] - s->grid[i]);
    return gap;
}

/* Between a place at which training diverges and one at which it does not, which is the low end if
 * what is sought rises. The value is the step at the end at which it does. */
static nnd_status refine_divergence(search *s, nnd_bracket b, bool rises, nnd_found *found) {
    nnd_fate fate;
    nnd_probe_outcome outcome;
    halve(s, rises, &b);
    found->param = b.x;
    found->uncertainty = b.high - b.low;
    found->gap = widest_gap(s, b.x);
    nnd_status status =
        s->status == NND_OK
            ? nnd_probe_divergence(s->ctx, &s->probe, rises ? b.high : b.low, &fate, &outcome)
            : s->status;
    found->value = status == NND_OK ? fate.step : NAN;
    return status;
}

/* Between grid points i and i + 1. */
static nnd_status refine_root(search *s, size_t i, const double *y, nnd_found *found) {
    nnd_bracket b = {s->grid[i], s->grid[i + 1], NAN};
    nnd_status status = NND_OK;
    if (s->options->goal == NND_FIND_DIVERGENCE)
        return refine_divergence(s, b, y[i] < 0.0, found);
    if (nnd_param_is_whole(s->options->param))
        whole_root(s, y + i, &b);
    else
        status = nnd_brent_root(s->ctx, objective, s, least_bracket(s, ROOT_PRECISION),
                                ROOT_PRECISION, &b);
    status = conclude(s, status, &b, found);
    if (status == NND_OK)
        found->uncertainty += sampled_error(s, i, y, b.x);
    return status;
}

/* The lowest and highest value of the scan and their places, as text. */
static void describe_values(const search *s, const double *y, size_t size, char *text) {
    size_t low = s->points, high = s->points;
    for (size_t i = 0; i < s->points; i++)
        if (isfinite(y[i])) {
            low = low == s->points || y[i] < y[low] ? i : low;
            high = high == s->points || y[i] > y[high] ? i : high;
        }
    if (low == s->points)
        snprintf(text, size, "it is finite nowhere");
    else
        nnd_format(text, size, "it is from %.6g (at %.6g) to %.6g (at %.6g)",
                   y[low] + s->options->level, s->grid[low], y[high] + s->options->level,
                   s->grid[high]);
}

static nnd_status no_root(const search *s, const double *y) {
    const nnd_find_options *o = s->options;
    char met[MESSAGE_SIZE / 2];
    if (o->goal == NND_FIND_DIVERGENCE) {
        size_t diverged = 0;
        for (size_t i = 0; i < s->points; i++)
            diverged += y[i] > 0.0;
        nnd_fail(
            s->ctx, NND_E_INPUT,
            "training diverges at %s of the %zu values of %s from %g to %g, at most %.3g apart",
            diverged > 0 ? "all" : "none", s->points, o->param->name, o->low, o->high,
            widest_gap(s, o->high));
        return NND_NOT_CONVERGED;
    }
    describe_values(s, y, sizeof met, met);
    nnd_fail(s->ctx, NND_E_INPUT, "%s does not cross %g for %s from %g to %g: %s",
             o->variable->name, o->level, o->param->name, o->low, o->high, met);
    return NND_NOT_CONVERGED;
}

static nnd_status find_root(search *s, const double *y, nnd_found *found) {
    for (size_t i = 0; i + 1 < s->points; i++) {
        if (!isfinite(y[i]) || !isfinite(y[i + 1]))
            continue;
        if (y[i] == 0.0 || y[i + 1] == 0.0) {
            found->param = s->grid[y[i] == 0.0 ? i : i + 1];
            found->uncertainty = sampled_error(s, i, y, found->param);
            return NND_OK;
        }
        s->worst = fabs(y[i]) + fabs(y[i + 1]);
        if ((y[i] < 0.0) != (y[i + 1] < 0.0))
            return refine_root(s, i, y, found);
    }
    return no_root(s, y);
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

/* ---- windows of divergence ---- */

/* What is sought, its sign reversed, at the grid points before the first divergence; NaN from there
 * on. */
static void reverse_before(const search *s, const double *y, double *z) {
    bool before = true;
    for (size_t i = 0; i < s->points; i++) {
        before = before && !(y[i] > 0.0);
        z[i] = before ? -y[i] : NAN;
    }
}

/* Whether a place between the neighbours of grid point i, where the loss is larger than at both,
 * is one at which training diverges: then it is `*place`. */
static nnd_status look_between(search *s, size_t i, const double *z, double *place) {
    nnd_found local;
    *place = NAN;
    if (i == 0 || i + 1 == s->points || !(z[i] < z[i - 1]) || !(z[i] < z[i + 1]))
        return NND_OK;
    nnd_status status = refine_minimum(s, i, z, &local);
    if (status == NND_OK && objective(local.param, s) < 0.0)
        *place = local.param;
    return s->status != NND_OK ? s->status : status;
}

/* The first divergence: before the first that the grid meets, the hottest few places between its
 * points may hide a window. */
static nnd_status find_divergence(search *s, const double *y, nnd_found *found) {
    size_t n = s->points, at = n, hidden = n;
    double *z = malloc(n * sizeof *z), first = NAN, place;
    nnd_status status = z != NULL ? NND_OK : nnd_fail_memory(s->ctx, "the scan");
    s->sign = -1.0;
    if (z != NULL)
        reverse_before(s, y, z);
    for (int k = 0; status == NND_OK && k < REFINED; k++) {
        at = next_minimum(s, z, at);
        if (at == n)
            break;
        status = look_between(s, at, z, &place);
        if (status == NND_OK && !isnan(place) && at < hidden) {
            hidden = at;
            first = place;
        }
    }
    s->sign = 1.0;
    free(z);
    if (status != NND_OK || hidden == n)
        return status == NND_OK ? find_root(s, y, found) : status;
    return refine_divergence(s, (nnd_bracket){s->grid[hidden - 1], first, NAN}, true, found);
}

static nnd_status check_options(nnd_context *ctx, const nnd_model *model, const nnd_find_options *o,
                                nnd_find_fault *fault) {
    bool reads = o->goal != NND_FIND_DIVERGENCE;
    if (model == NULL || o->param == NULL || (reads && o->variable == NULL) ||
        (unsigned)o->goal > NND_FIND_DIVERGENCE || (o->coordinates > 0 && o->at == NULL))
        return nnd_fail(ctx, NND_E_INPUT, "a search needs a parameter, a variable and a goal");
    const char *name = o->param->name;
    if (nnd_param_find(model->params, name) != o->param || !nnd_find_takes(o->param))
        return nnd_fail(ctx, NND_E_INPUT, "%s is not a parameter of %s that is a number", name,
                        model->name);
    const nnd_variable *named[] = {reads ? o->variable : NULL, o->subject};
    for (size_t i = 0; i < 2; i++)
        if (named[i] != NULL && nnd_model_variable(model, named[i]->name) != named[i])
            return nnd_fail(ctx, NND_E_INPUT, "%s is not a variable of %s", named[i]->name,
                            model->name);
    bool bounded = o->goal == NND_FIND_MIN || o->goal == NND_FIND_MAX;
    if (o->subject != NULL && (!bounded || !isfinite(o->bound) || o->relation > NND_ABOVE))
        return nnd_fail(ctx, NND_E_INPUT,
                        "%s: only an extremum can have a bound, which is a number",
                        o->subject->name);
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

/* ---- a bound ---- */

/* The coordinates that a variable has, of those of the options, into `own`. */
static nnd_find_options options_of(const nnd_find_options *o, const nnd_variable *variable,
                                   nnd_coordinate *own) {
    nnd_find_options all = *o;
    if (o->subject == NULL || variable == NULL)
        return all;
    all.variable = variable;
    all.at = own;
    all.coordinates = 0;
    for (size_t i = 0; i < o->coordinates && i < NND_MAX_DIMS; i++)
        if (nnd_variable_has_dim(variable, o->at[i].dim))
            own[all.coordinates++] = o->at[i];
    return all;
}

/* Each coordinate is one of the variable or of its subject. */
static nnd_status check_bound(nnd_context *ctx, const nnd_find_options *o) {
    for (size_t i = 0; o->subject != NULL && i < o->coordinates; i++)
        if (!nnd_variable_has_dim(o->variable, o->at[i].dim) &&
            !nnd_variable_has_dim(o->subject, o->at[i].dim))
            return nnd_fail(ctx, NND_E_INPUT, "%s is no dimension of %s or %s", o->at[i].dim,
                            o->variable->name, o->subject->name);
    return NND_OK;
}

/* The place between grid points at which the subject reaches its bound, on the side where it keeps
 * it. */
static nnd_status find_bound(search *b, size_t i, const double *y, double *place) {
    nnd_bracket bracket = {b->grid[i], b->grid[i + 1], NAN};
    nnd_found unused;
    b->worst = fabs(y[i]) + fabs(y[i + 1]);
    if (nnd_param_is_whole(b->options->param)) {
        *place = NAN; /* grid points are as close as whole numbers that matter */
        return NND_OK;
    }
    nnd_status status = nnd_brent_root(b->ctx, objective, b, least_bracket(b, ROOT_PRECISION),
                                       ROOT_PRECISION, &bracket);
    bool low_keeps = (b->options->relation == NND_BELOW) == (y[i] < 0.0);
    *place = low_keeps ? bracket.low : bracket.high;
    return conclude(b, status, &bracket, &unused);
}

static nnd_status bound_not_kept(const search *s, const search *b, const double *y) {
    char met[MESSAGE_SIZE / 2];
    describe_values(b, y, sizeof met, met);
    nnd_fail(s->ctx, NND_E_INPUT, "%s is nowhere %s %g for %s from %g to %g: %s",
             s->options->subject->name, s->options->relation == NND_ABOVE ? "above" : "below",
             s->options->bound, s->options->param->name, s->options->low, s->options->high, met);
    return NND_NOT_CONVERGED;
}

/* Adds the places at which the subject reaches its bound to the grid, `bound` those between them:
 * there an extremum may be that has no other neighbour. `y` has room for the scan of the subject.
 */
static nnd_status add_bounds(search *s, double *y) {
    size_t kept = 0, n = s->points, added = 0;
    nnd_find_options o = *s->subject.options;
    o.goal = NND_FIND_ZERO;
    o.level = o.bound;
    search b = {.ctx = s->ctx,
                .options = &o,
                .probe = s->subject,
                .sign = 1.0,
                .worst = NAN,
                .points = n,
                .grid = s->grid,
                .bytes = s->bytes};
    nnd_status status = scan_grid(&b, y);
    double *places = status == NND_OK ? malloc(2 * n * sizeof *places) : NULL;
    if (status == NND_OK && places == NULL)
        status = nnd_fail_memory(s->ctx, "the scan");
    for (size_t i = 0; status == NND_OK && i < n; i++) {
        double place = NAN;
        kept += isfinite(y[i]) && is_kept(&o, y[i] + o.bound);
        places[added++] = s->grid[i];
        if (i + 1 < n && isfinite(y[i]) && isfinite(y[i + 1]) && (y[i] < 0.0) != (y[i + 1] < 0.0))
            status = find_bound(&b, i, y, &place);
        if (place > s->grid[i] && place < s->grid[i + 1])
            places[added++] = place;
    }
    if (status == NND_OK && kept == 0)
        status = bound_not_kept(s, &b, y);
    if (status == NND_OK) {
        memcpy(s->grid, places, added * sizeof *places);
        s->points = added;
    }
    s->evaluations += b.evaluations;
    free(places);
    return status;
}

/* ---- all together ---- */

/* Makes the probes and sees that a reading fits into the memory. */
static nnd_status prepare(search *s, const nnd_model *model, const void *params,
                          const nnd_find_options *subject) {
    nnd_status status = nnd_probe_make(s->ctx, model, params, s->options, &s->probe);
    if (status == NND_OK && subject->subject != NULL)
        status = nnd_probe_make(s->ctx, model, params, subject, &s->subject);
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

/* What is sought, on the grid. */
static nnd_status look(search *s, double *y, nnd_found *found) {
    fill_grid(s);
    nnd_status status = s->options->subject != NULL ? add_bounds(s, y) : NND_OK;
    if (status == NND_OK)
        status = scan_grid(s, y);
    if (status != NND_OK)
        return status;
    switch (s->options->goal) {
    case NND_FIND_MIN:
    case NND_FIND_MAX:
        return find_minimum(s, y, found);
    case NND_FIND_DIVERGENCE:
        return find_divergence(s, y, found);
    case NND_FIND_ZERO:
        break;
    }
    return find_root(s, y, found);
}

/* The value at the place found; of a divergence it is known. */
static nnd_status finish(search *s, nnd_found *found) {
    nnd_reading reading;
    if (s->options->goal == NND_FIND_DIVERGENCE)
        return NND_OK;
    nnd_status status = evaluate(s->ctx, s, found->param, &reading);
    found->value = reading.value;
    found->value_se = reading.se;
    found->subject = NAN;
    if (status >= NND_OK && s->subject.params != NULL) {
        nnd_status read = read_probe(s->ctx, s, &s->subject, found->param, &reading);
        found->subject = reading.value;
        status = read < NND_OK ? read : status;
    }
    return status >= NND_OK ? judge(s, status, found) : status;
}

nnd_status nnd_find(nnd_context *ctx, const nnd_model *model, const void *params,
                    const nnd_find_options *options, nnd_found *found) {
    nnd_find_options all = *options;
    nnd_coordinate own[2][NND_MAX_DIMS];
    if (all.goal != NND_FIND_ZERO)
        all.level = 0.0;
    if (all.points == 0)
        all.points = DEFAULT_POINTS;
    *found = (nnd_found){.param = NAN, .value = NAN, .value_se = NAN, .subject = NAN};
    nnd_status status = check_options(ctx, model, &all, &found->fault);
    if (status == NND_OK)
        status = check_bound(ctx, &all);
    if (status != NND_OK)
        return status;
    const nnd_find_options o = options_of(&all, all.variable, own[0]),
                           subject = options_of(&all, all.subject, own[1]);
    search s = {
        .ctx = ctx, .options = &o, .sign = o.goal == NND_FIND_MAX ? -1.0 : 1.0, .worst = NAN};
    status = prepare(&s, model, params, &subject);
    /* Twice as many points as asked for, as bounds may be added. */
    double *y = status == NND_OK ? calloc(4 * o.points, sizeof *y) : NULL;
    if (status == NND_OK && y == NULL)
        status = nnd_fail_memory(ctx, "the scan");
    if (status == NND_OK) {
        s.grid = y + 2 * o.points;
        status = look(&s, y, found);
    }
    if (status == NND_OK)
        status = finish(&s, found);
    found->evaluations = s.evaluations + 1;
    if (s.misplaced)
        found->fault = NND_FIND_FAULT_AT;
    report_unsolved(&s, status);
    nnd_probe_clear(&s.probe);
    nnd_probe_clear(&s.subject);
    free(y);
    return status;
}
