/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "theory/point.h"

enum { TEXT_SIZE = 64 };

/* Steps of a flow are at the multiples of their length, but for rounding (see nnd_coord_equal). */
static const double SAME_TIME = 1e-12;

static void *field(void *params, const nnd_param *param) {
    return (char *)params + param->offset;
}

static double number_of(void *params, const nnd_param *param) {
    void *at = field(params, param);
    return param->type == NND_INTEGER ? (double)*(int64_t *)at : *(double *)at;
}

static void set_number(void *params, const nnd_param *param, double x) {
    void *at = field(params, param);
    if (param->type == NND_INTEGER)
        *(int64_t *)at = (int64_t)x;
    else
        *(double *)at = x;
}

/* Sets the parameter; a list becomes one of this number, which it borrows. */
static void set_param(void *params, const nnd_param *param, double *x) {
    if (param->type == NND_REALS)
        *(nnd_reals *)field(params, param) = (nnd_reals){1, x};
    else
        set_number(params, param, *x);
}

/* ---- how far theory must go ---- */

/* How long a run is and what it records: the parameters of a model for it; NULL: it has none. */
typedef struct {
    const nnd_param *steps, *time, *record;
} run_length;

static run_length run_length_of(const nnd_model *model) {
    const nnd_param_table *table = model->params;
    return (run_length){nnd_param_find(table, "steps"), nnd_param_find(table, "time"),
                        nnd_param_find(table, "record")};
}

/* Collects the coordinates of time; returns how many there are. */
static size_t asked_times(nnd_probe *probe) {
    const nnd_find_options *o = probe->options;
    size_t n = 0;
    for (size_t i = 0; i < o->coordinates; i++)
        if (n < NND_PROBE_TIMES &&
            (strcmp(o->at[i].dim, "t") == 0 || strcmp(o->at[i].dim, "s") == 0))
            probe->time[n++] = o->at[i].value;
    return n;
}

/* The steps of length `dt` at the times asked for; false if one of them is no step of 0..steps. */
static bool find_steps(nnd_probe *probe, size_t n, double dt, double steps) {
    for (size_t i = 0; i < n; i++) {
        double time = probe->time[i], step = round(time / dt);
        bool there = dt == 1.0 ? step == time : fabs(step * dt - time) <= SAME_TIME * fabs(time);
        if (!(there && step >= 0.0 && step <= steps))
            return false;
        probe->step[i] = (int64_t)step;
    }
    return true;
}

static void record_only(nnd_probe *probe, const nnd_param *record, size_t n) {
    void *at = field(probe->params, record);
    if (record->type == NND_INTEGERS)
        *(nnd_integers *)at = (nnd_integers){n, probe->step};
    else
        *(nnd_reals *)at = (nnd_reals){n, probe->time};
}

/* Whether a run, which may be a flow, is one of steps of equal length: a flow is if it was given a
 * number of them. */
static bool is_stepped(void *params, const run_length *run) {
    if (run->time == NULL || isnan(number_of(params, run->time)))
        return true;
    if (strcmp(run->steps->fallback, "null") != 0)
        return false;
    return run->steps->type == NND_INTEGER ? *(int64_t *)field(params, run->steps) != NND_ABSENT
                                           : !isnan(number_of(params, run->steps));
}

bool nnd_run_is_stepped(const nnd_model *model, const void *params, double *dt) {
    union {
        const void *borrowed;
        void *read_only;
    } p = {params};
    run_length run = run_length_of(model);
    if (run.steps == NULL || !is_stepped(p.read_only, &run))
        return false;
    double time = run.time != NULL ? number_of(p.read_only, run.time) : NAN;
    *dt = isnan(time) ? 1.0 : time / number_of(p.read_only, run.steps);
    return true;
}

/* A run in steps ends with the last one asked for; a flow that takes steps takes at least one. Of
 * what is recorded the times become steps. */
static void stop_at_step(nnd_probe *probe, const run_length *run, size_t n, double dt) {
    bool flow = run->time != NULL && !isnan(number_of(probe->params, run->time));
    double last = flow ? 1.0 : 0.0;
    for (size_t i = 0; i < n; i++) {
        probe->time[i] = (double)probe->step[i];
        last = fmax(last, probe->time[i]);
    }
    set_number(probe->params, run->steps, last);
    if (flow)
        set_number(probe->params, run->time, last * dt);
}

/* A flow ends at the last time asked for, unless that is its beginning. */
static void stop_at_time(nnd_probe *probe, const run_length *run, size_t n) {
    double last = 0.0;
    for (size_t i = 0; i < n; i++)
        last = fmax(last, probe->time[i]);
    if (last > 0.0)
        set_number(probe->params, run->time, last);
}

/*
 * Lets the run end at the last time asked for, and record what is asked for alone. Nothing changes
 * if a time is not one of the run: then reading says which ones there are.
 */
static void stop_early(nnd_probe *probe) {
    run_length run = run_length_of(probe->model);
    const nnd_param *sought = probe->options->param;
    size_t n = asked_times(probe);
    if (n == 0 || run.steps == NULL || run.record == NULL || sought == run.steps ||
        sought == run.time)
        return;
    double time = run.time != NULL ? number_of(probe->params, run.time) : NAN;
    if (is_stepped(probe->params, &run)) {
        double steps = number_of(probe->params, run.steps), dt = isnan(time) ? 1.0 : time / steps;
        if (!find_steps(probe, n, dt, steps))
            return;
        stop_at_step(probe, &run, n, dt);
    } else {
        for (size_t i = 0; i < n; i++)
            if (!(probe->time[i] >= 0.0 && probe->time[i] <= time))
                return;
        stop_at_time(probe, &run, n);
    }
    record_only(probe, run.record, n);
}

nnd_status nnd_probe_make(nnd_context *ctx, const nnd_model *model, const void *params,
                          const nnd_find_options *options, nnd_probe *probe) {
    size_t size = model->params->size;
    void *whole = malloc(size);
    *probe = (nnd_probe){.model = model, .options = options, .params = malloc(size)};
    if (probe->params == NULL || whole == NULL) {
        free(whole);
        return nnd_fail_memory(ctx, "the parameters");
    }
    memcpy(probe->params, params, size);
    probe->low = options->low;
    set_param(probe->params, options->param, &probe->low);
    nnd_status status = nnd_model_settle(ctx, model, probe->params);
    memcpy(whole, probe->params, size);
    if (status == NND_OK) {
        stop_early(probe);
        /* What the model does not allow, as times where it has none, is left as it was. */
        if (nnd_model_check(ctx, model, probe->params) != NND_OK)
            memcpy(probe->params, whole, size);
    }
    free(whole);
    return status;
}

void nnd_probe_clear(nnd_probe *probe) {
    free(probe->params);
    probe->params = NULL;
}

/* At the upper end only if the model allows it: a reading says what it does not. */
nnd_status nnd_probe_bytes(nnd_context *ctx, const nnd_probe *probe, double *bytes) {
    const nnd_theory *theory = nnd_theory_find(probe->model);
    size_t size = probe->model->params->size;
    double high = probe->options->high;
    nnd_cost low_cost = {0}, high_cost = {0};
    nnd_status status = theory->cost(ctx, probe->params, &low_cost);
    void *params = malloc(size);
    if (params == NULL)
        return nnd_fail_memory(ctx, "the parameters");
    memcpy(params, probe->params, size);
    set_param(params, probe->options->param, &high);
    if (status == NND_OK && nnd_model_settle(ctx, probe->model, params) == NND_OK)
        status = theory->cost(ctx, params, &high_cost);
    free(params);
    *bytes = fmax(low_cost.bytes + low_cost.results, high_cost.bytes + high_cost.results);
    return status;
}

/* ---- reading ---- */

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

static nnd_status no_such_coordinate(nnd_context *ctx, const nnd_dim *dim, double number) {
    char text[TEXT_SIZE], first[TEXT_SIZE], last[TEXT_SIZE], below[TEXT_SIZE], above[TEXT_SIZE];
    size_t near[2];
    nnd_number_text(number, sizeof text, text);
    nnd_coord_text(dim, 0, sizeof first, first);
    nnd_coord_text(dim, dim->length - 1, sizeof last, last);
    if (!isfinite(number))
        return nnd_fail(ctx, NND_E_INPUT, "%s=%s: no such coordinate (%s .. %s)", dim->name, text,
                        first, last);
    find_nearest(dim, number, near);
    nnd_coord_text(dim, near[0], sizeof below, below);
    nnd_coord_text(dim, near[1], sizeof above, above);
    return nnd_fail(ctx, NND_E_INPUT, "%s=%s: no such coordinate; nearest: %s%s%s (%s .. %s)",
                    dim->name, text, below, near[0] < near[1] ? ", " : "",
                    near[0] < near[1] ? above : "", first, last);
}

/* Coordinates that are asked of a variable. */
typedef struct {
    const char *variable;
    size_t count;
    const nnd_coordinate *at;
} asked;

/* Position along a dimension of the coordinate that is asked for. */
static nnd_status locate(nnd_context *ctx, const asked *a, const nnd_dim *dim, size_t *position) {
    size_t i = 0;
    while (i < a->count && strcmp(a->at[i].dim, dim->name) != 0)
        i++;
    if (i == a->count)
        return nnd_fail(ctx, NND_E_INPUT, "%s depends on %s: say where, at %s=...", a->variable,
                        dim->name, dim->name);
    double number = a->at[i].value;
    const nnd_dim one = {dim->name, dim->kind, 1, &number, NULL};
    *position = nnd_coord_find(dim, &one, 0);
    return *position < dim->length ? NND_OK : no_such_coordinate(ctx, dim, number);
}

/* Every coordinate must be one of the array, and stand there once. */
static nnd_status check_coordinates(nnd_context *ctx, const nnd_frame *frame,
                                    const nnd_array *array, const asked *a) {
    for (size_t i = 0; i < a->count; i++) {
        if (nnd_array_axis(frame, array, a->at[i].dim) == array->ndims)
            return nnd_fail(ctx, NND_E_INPUT, "%s is no dimension of %s", a->at[i].dim,
                            array->name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(a->at[i].dim, a->at[j].dim) == 0)
                return nnd_fail(ctx, NND_E_INPUT, "%s stands twice", a->at[i].dim);
    }
    return NND_OK;
}

/* Where the number stands in the array, the dimension `free` (NULL: none) at its beginning. */
static nnd_status locate_all(nnd_context *ctx, const nnd_frame *frame, const nnd_array *array,
                             const asked *a, const char *free, size_t *at) {
    nnd_status status = check_coordinates(ctx, frame, array, a);
    *at = 0;
    for (size_t k = 0; status == NND_OK && k < array->ndims; k++) {
        const nnd_dim *dim = nnd_frame_dim(frame, array->dim[k]);
        size_t position = 0;
        if (free == NULL || strcmp(dim->name, free) != 0)
            status = locate(ctx, a, dim, &position);
        *at = *at * array->shape[k] + position;
    }
    return status;
}

static nnd_status pick(nnd_context *ctx, const nnd_probe *probe, const nnd_frame *frame,
                       nnd_reading *value, nnd_probe_outcome *outcome) {
    const nnd_find_options *o = probe->options;
    const asked a = {o->variable->name, o->coordinates, o->at};
    const nnd_array *array = nnd_frame_find(frame, o->variable->name);
    if (array == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "theory has no variable %s", o->variable->name);
    const nnd_array *se = nnd_companion(frame, array->name, NND_SE);
    size_t at;
    nnd_status status = locate_all(ctx, frame, array, &a, NULL, &at);
    if (status == NND_OK)
        *value = (nnd_reading){array->data[at], se != NULL ? se->data[at] : NAN};
    else
        *outcome = NND_PROBE_MISPLACED;
    return status;
}

nnd_status nnd_locate_curve(nnd_context *ctx, const nnd_frame *frame, const nnd_array *array,
                            const nnd_first_options *options, size_t *position, size_t *stride) {
    const asked a = {options->variable->name, options->coordinates, options->at};
    size_t axis = nnd_array_axis(frame, array, "t");
    if (axis == array->ndims)
        return nnd_fail(ctx, NND_E_INPUT, "%s does not depend on t", array->name);
    for (size_t i = 0; i < a.count; i++)
        if (strcmp(a.at[i].dim, "t") == 0)
            return nnd_fail(ctx, NND_E_INPUT, "t is what is sought");
    *stride = 1;
    for (size_t k = axis + 1; k < array->ndims; k++)
        *stride *= array->shape[k];
    return locate_all(ctx, frame, array, &a, "t", position);
}

/* Solves theory at one value of the parameter; no frame if it has no answer. */
static nnd_status solve_at(nnd_context *ctx, const nnd_probe *probe, double x, nnd_frame **frame,
                           nnd_status *ran, nnd_probe_outcome *outcome) {
    size_t size = probe->model->params->size;
    void *params = malloc(size);
    *frame = NULL;
    *outcome = NND_PROBE_READ;
    *ran = NND_OK;
    if (params == NULL)
        return nnd_fail_memory(ctx, "the parameters");
    memcpy(params, probe->params, size);
    set_param(params, probe->options->param, &x);
    nnd_status status = nnd_model_settle(ctx, probe->model, params);
    if (status == NND_OK) {
        *ran = nnd_theory_find(probe->model)->solve(ctx, params, frame);
        if (nnd_point_failed(*ran))
            *outcome = NND_PROBE_UNSOLVED;
        else if (*ran < NND_OK)
            status = *ran;
    }
    free(params);
    return status;
}

nnd_status nnd_probe_read(nnd_context *ctx, const nnd_probe *probe, double x, nnd_reading *value,
                          nnd_probe_outcome *outcome) {
    nnd_frame *frame;
    nnd_status ran;
    *value = (nnd_reading){NAN, NAN};
    nnd_status status = solve_at(ctx, probe, x, &frame, &ran, outcome);
    if (status == NND_OK && *outcome == NND_PROBE_READ)
        status = pick(ctx, probe, frame, value, outcome);
    nnd_frame_free(frame);
    return status == NND_OK && ran == NND_NOT_CONVERGED ? ran : status;
}

/* Mean logarithm of what a run is watched by; where that is 0, or unknown, -infinity. */
static double heat_of(const nnd_model *model, const nnd_frame *frame) {
    const nnd_array *loss = model->loss != NULL ? nnd_frame_find(frame, model->loss) : NULL;
    double sum = 0.0;
    for (size_t i = 0; loss != NULL && i < loss->count; i++)
        sum += log(loss->data[i]);
    return loss != NULL && loss->count > 0 && isfinite(sum) ? sum / (double)loss->count : -INFINITY;
}

nnd_status nnd_probe_divergence(nnd_context *ctx, const nnd_probe *probe, double x, nnd_fate *fate,
                                nnd_probe_outcome *outcome) {
    nnd_frame *frame;
    nnd_status ran;
    *fate = (nnd_fate){NAN, -INFINITY};
    nnd_status status = solve_at(ctx, probe, x, &frame, &ran, outcome);
    if (status == NND_OK && *outcome == NND_PROBE_READ) {
        const nnd_array *at = nnd_frame_find(frame, NND_DIVERGED_AT);
        fate->step = ran == NND_DIVERGED && at != NULL ? at->data[0] : INFINITY;
        fate->heat = heat_of(probe->model, frame);
    }
    nnd_frame_free(frame);
    return status;
}
