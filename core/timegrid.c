/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/timegrid.h"

#include <math.h>
#include <stdlib.h>

enum { LOG_TIMES = 200, PER_DECADE = 20 };

/* Two times are one if they differ by rounding only (see nnd_coord_equal). */
static const double SAME_TIME = 1e-12;

/* What is recorded of a run from 0 to `last`, which always is. */
typedef struct {
    const nnd_reals *record; /* times or steps; empty: as follows */
    size_t every;            /* multiples of it; 0: log-spaced from `first` */
    double first, last;
    bool whole; /* steps */
} recording;

static bool is_log(const nnd_reals *record) {
    return record->count == 1 && record->value[0] == (double)NND_WORD;
}

/* The first power of 10^(1/20) that is recorded. */
static double first_power(const recording *r) {
    return ceil(PER_DECADE * log10(r->first));
}

/* Times before the last, some of which may be equal or beyond it. */
static double candidates(const recording *r) {
    if (is_log(r->record))
        return r->last < r->first ? 1.0 : 2.0 + floor(PER_DECADE * log10(r->last)) - first_power(r);
    if (r->record->count > 0)
        return (double)r->record->count;
    return r->every > 0 ? floor(r->last / (double)r->every) + 1.0 : LOG_TIMES - 1.0;
}

static double candidate(const recording *r, size_t i) {
    if (is_log(r->record))
        return i == 0 ? 0.0 : pow(10.0, (first_power(r) + (double)i - 1.0) / PER_DECADE);
    if (r->record->count > 0)
        return r->record->value[i];
    if (r->every > 0)
        return (double)(i * r->every);
    return r->first * pow(r->last / r->first, (double)i / (LOG_TIMES - 1.0));
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of times that are one the latest stays: the end is recorded as it was given. */
static void keep_distinct(size_t n, double last, nnd_reals *times) {
    for (size_t i = 0; i < n && times->value[i] <= last; i++) {
        double t = times->value[i],
               before = times->count > 0 ? times->value[times->count - 1] : NAN;
        bool same = t == before || t - before <= SAME_TIME * before;
        times->value[same ? times->count - 1 : times->count++] = t;
    }
}

static nnd_status list_times(nnd_context *ctx, const recording *r, nnd_reals *times) {
    size_t n = (size_t)candidates(r);
    *times = (nnd_reals){0, calloc(n + 1, sizeof(double))};
    if (times->value == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    for (size_t i = 0; i < n; i++) {
        double t = candidate(r, i);
        times->value[i] = r->whole ? floor(t + 0.5) : t;
    }
    times->value[n] = r->last;
    qsort(times->value, n + 1, sizeof(double), by_time);
    keep_distinct(n + 1, r->last, times);
    return NND_OK;
}

/* ---- steps and times in one parameter ---- */

static recording of_flow(double time, const nnd_reals *record) {
    return (recording){.record = record, .first = fmin(time, 1.0) / 100.0, .last = time};
}

static recording of_steps(double steps, const nnd_reals *record, size_t every) {
    return (recording){
        .record = record, .every = every, .first = 1.0, .last = steps, .whole = true};
}

nnd_status nnd_record_times(nnd_context *ctx, double time, const nnd_reals *record,
                            nnd_reals *times) {
    recording r = of_flow(time, record);
    return list_times(ctx, &r, times);
}

nnd_status nnd_record_log_steps(nnd_context *ctx, size_t steps, const nnd_reals *record,
                                nnd_reals *times) {
    recording r = of_steps((double)steps, record, 0);
    return list_times(ctx, &r, times);
}

nnd_status nnd_record_axis(nnd_context *ctx, bool flow, double end, const nnd_reals *record,
                           size_t every, nnd_reals *times) {
    recording r = flow ? of_flow(end, record) : of_steps(end, record, every);
    return list_times(ctx, &r, times);
}

double nnd_record_most(bool flow, double end, const nnd_reals *record, int64_t every) {
    recording r = flow ? of_flow(end, record) : of_steps(end, record, (size_t)every);
    return candidates(&r) + 1.0;
}

bool nnd_record_check(const nnd_reals *record, bool flow, double end, nnd_objection *o) {
    if (is_log(record))
        return true;
    for (size_t i = 0; i < record->count; i++) {
        double t = record->value[i];
        if (!(t >= 0.0 && t <= end))
            return nnd_object(o, "record", "%.10g is no %s of 0..%.10g", t, flow ? "time" : "step",
                              end);
        if (!flow && t != floor(t))
            return nnd_object(o, "record", "%.10g is no step: steps are whole numbers", t);
    }
    return true;
}

/* ---- steps ---- */

/* A list of steps as numbers; the caller frees its values. */
static nnd_status as_numbers(nnd_context *ctx, const nnd_integers *record, nnd_reals *numbers) {
    *numbers = (nnd_reals){record->count, calloc(record->count + 1, sizeof(double))};
    if (numbers->value == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    for (size_t i = 0; i < record->count; i++)
        numbers->value[i] = (double)record->value[i];
    return NND_OK;
}

nnd_status nnd_timegrid_of(nnd_context *ctx, const nnd_reals *steps, nnd_timegrid *grid) {
    *grid = (nnd_timegrid){0};
    grid->step = calloc(steps->count, sizeof *grid->step);
    if (grid->step == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    grid->count = steps->count;
    for (size_t i = 0; i < steps->count; i++)
        grid->step[i] = (size_t)steps->value[i];
    return NND_OK;
}

nnd_status nnd_timegrid_make(nnd_context *ctx, size_t steps, const nnd_integers *record,
                             size_t every, nnd_timegrid *grid) {
    nnd_reals numbers, times = {0};
    *grid = (nnd_timegrid){0};
    nnd_status status = as_numbers(ctx, record, &numbers);
    for (size_t i = 0; status == NND_OK && !is_log(&numbers) && i < numbers.count; i++)
        if (!(numbers.value[i] >= 0.0 && numbers.value[i] <= (double)steps))
            status = nnd_fail(ctx, NND_E_INPUT, "record: %lld is not a step of 0..%zu",
                              (long long)record->value[i], steps);
    if (status == NND_OK)
        status = nnd_record_axis(ctx, false, (double)steps, &numbers, every, &times);
    if (status == NND_OK)
        status = nnd_timegrid_of(ctx, &times, grid);
    free(numbers.value);
    free(times.value);
    return status;
}

void nnd_timegrid_clear(nnd_timegrid *grid) {
    free(grid->step);
    *grid = (nnd_timegrid){0};
}

double nnd_timegrid_most(int64_t steps, const nnd_integers *record, int64_t every) {
    double word = (double)NND_WORD;
    bool log = record->count == 1 && record->value[0] == NND_WORD;
    const nnd_reals spaced = {log ? 1 : 0, &word};
    if (record->count > 0 && !log)
        return (double)record->count + 1.0;
    return nnd_record_most(false, (double)steps, &spaced, every);
}

nnd_status nnd_timegrid_add_dim(const nnd_timegrid *grid, nnd_frame *frame, const char *name) {
    double *t = calloc(grid->count, sizeof *t);
    if (t == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "the recorded times");
    for (size_t i = 0; i < grid->count; i++)
        t[i] = (double)grid->step[i];
    nnd_status status = nnd_frame_add_dim(frame, name, NND_COORD_INTEGER, grid->count, t);
    free(t);
    return status;
}

bool nnd_steps_check(const nnd_integers *record, int64_t steps, nnd_objection *o) {
    for (size_t i = 0; i < record->count; i++)
        if (record->value[i] > steps)
            return nnd_object(o, "record", "%lld is beyond the last step, %lld",
                              (long long)record->value[i], (long long)steps);
    return true;
}
