/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/timegrid.h"

#include <math.h>
#include <stdlib.h>

enum { LOG_TIMES = 200, PER_DECADE = 20 };

static int by_value(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_log(const nnd_integers *record) {
    return record->count == 1 && record->value[0] == NND_WORD;
}

/* Steps of a logarithmic grid up to the last, but for repetition: 0, and 20 per decade from 1. */
static size_t log_steps(size_t steps) {
    return steps > 0 ? 2 + (size_t)(PER_DECADE * log10((double)steps)) : 1;
}

static size_t log_step(size_t i) {
    return i == 0 ? 0 : (size_t)round(pow(10.0, ((double)i - 1.0) / PER_DECADE));
}

nnd_status nnd_timegrid_make(nnd_context *ctx, size_t steps, const nnd_integers *record,
                             size_t every, nnd_timegrid *grid) {
    bool spaced = is_log(record);
    size_t listed = spaced ? 0 : record->count;
    size_t n = spaced ? log_steps(steps) : listed > 0 ? listed : steps / every + 1;
    *grid = (nnd_timegrid){0};
    for (size_t i = 0; i < listed; i++)
        if (record->value[i] < 0 || (size_t)record->value[i] > steps)
            return nnd_fail(ctx, NND_E_INPUT, "record: %lld is not a step of 0..%zu",
                            (long long)record->value[i], steps);
    grid->step = calloc(n + 1, sizeof *grid->step);
    if (grid->step == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    for (size_t i = 0; i < n; i++)
        grid->step[i] = spaced ? log_step(i) : listed > 0 ? (size_t)record->value[i] : i * every;
    grid->step[n] = steps;
    qsort(grid->step, n + 1, sizeof *grid->step, by_value);
    for (size_t i = 0; i <= n && grid->step[i] <= steps; i++)
        if (grid->count == 0 || grid->step[i] != grid->step[grid->count - 1])
            grid->step[grid->count++] = grid->step[i];
    return NND_OK;
}

void nnd_timegrid_clear(nnd_timegrid *grid) {
    free(grid->step);
    *grid = (nnd_timegrid){0};
}

double nnd_timegrid_most(int64_t steps, const nnd_integers *record, int64_t every) {
    if (is_log(record))
        return (double)log_steps((size_t)steps) + 1.0;
    return record->count > 0 ? (double)record->count + 1.0 : (double)(steps / every) + 2.0;
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

bool nnd_record_check(const nnd_reals *record, bool flow, double end, nnd_objection *o) {
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

nnd_status nnd_record_steps(nnd_context *ctx, size_t steps, const nnd_reals *record, size_t every,
                            nnd_timegrid *grid) {
    nnd_integers listed = {record->count, calloc(record->count + 1, sizeof(int64_t))};
    *grid = (nnd_timegrid){0};
    if (listed.value == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    for (size_t i = 0; i < record->count; i++)
        listed.value[i] = (int64_t)record->value[i];
    nnd_status status = nnd_timegrid_make(ctx, steps, &listed, every, grid);
    free(listed.value);
    return status;
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The listed times, or log-spaced ones from `first`, and the last; rounded if `whole`. */
static nnd_status log_axis(nnd_context *ctx, double first, double last, bool whole,
                           const nnd_reals *record, nnd_reals *times) {
    size_t listed = record->count, n = listed > 0 ? listed : LOG_TIMES - 1;
    *times = (nnd_reals){0, calloc(n + 1, sizeof(double))};
    if (times->value == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    for (size_t i = 0; i < n; i++) {
        double t = listed > 0 ? record->value[i]
                              : first * pow(last / first, (double)i / (LOG_TIMES - 1.0));
        times->value[i] = whole ? floor(t + 0.5) : t;
    }
    times->value[n] = last;
    qsort(times->value, n + 1, sizeof(double), by_time);
    for (size_t i = 0; i <= n; i++)
        if (times->count == 0 || times->value[i] != times->value[times->count - 1])
            times->value[times->count++] = times->value[i];
    return NND_OK;
}

nnd_status nnd_record_times(nnd_context *ctx, double time, const nnd_reals *record,
                            nnd_reals *times) {
    return log_axis(ctx, fmin(time, 1.0) / 100.0, time, false, record, times);
}

nnd_status nnd_record_log_steps(nnd_context *ctx, size_t steps, const nnd_reals *record,
                                nnd_reals *times) {
    return log_axis(ctx, 1.0, (double)steps, true, record, times);
}

nnd_status nnd_record_axis(nnd_context *ctx, bool flow, double end, const nnd_reals *record,
                           size_t every, nnd_reals *times) {
    if (flow)
        return nnd_record_times(ctx, end, record, times);
    nnd_timegrid grid;
    nnd_status status = nnd_record_steps(ctx, (size_t)end, record, every, &grid);
    *times = (nnd_reals){grid.count, NULL};
    if (status == NND_OK) {
        times->value = calloc(grid.count, sizeof(double));
        if (times->value == NULL)
            status = nnd_fail_memory(ctx, "the recorded times");
    }
    for (size_t i = 0; status == NND_OK && i < grid.count; i++)
        times->value[i] = (double)grid.step[i];
    nnd_timegrid_clear(&grid);
    return status;
}
