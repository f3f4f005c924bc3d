/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Which steps of a run, and which times of a flow, are recorded. */
#ifndef NNDMFT_CORE_TIMEGRID_H
#define NNDMFT_CORE_TIMEGRID_H

#include "nndmft/context.h"
#include "nndmft/frame.h"
#include "nndmft/table.h"
#include "nndmft/timegrid.h"

/**
 * Steps 0..steps to record: those of the list `record` if it is not empty (each within 0..steps,
 * in any order), for the list NND_WORD, the word log, 0 and 20 per decade from 1 on, else every
 * `every`-th one from 0; the last step always. Free with nnd_timegrid_clear.
 */
NND_MUST_USE nnd_status nnd_timegrid_make(nnd_context *ctx, size_t steps,
                                          const nnd_integers *record, size_t every,
                                          nnd_timegrid *grid);
/** The grid of these steps, whole numbers in ascending order. */
NND_MUST_USE nnd_status nnd_timegrid_of(nnd_context *ctx, const nnd_reals *steps,
                                        nnd_timegrid *grid);
void nnd_timegrid_clear(nnd_timegrid *grid);
/** How many steps nnd_timegrid_make may record: for estimates of cost. */
double nnd_timegrid_most(int64_t steps, const nnd_integers *record, int64_t every);
/** Adds the steps of a grid to a frame, as the dimension `name`. */
NND_MUST_USE nnd_status nnd_timegrid_add_dim(const nnd_timegrid *grid, nnd_frame *frame,
                                             const char *name);
/**
 * For models whose `record` lists steps >= 0: whether none is beyond the last one. False with an
 * objection to `record`.
 */
bool nnd_steps_check(const nnd_integers *record, int64_t steps, nnd_objection *o);

/**
 * For models whose `record` lists steps (gd) or times (flow): whether each entry is a step of
 * 0..end, or a time of 0..end, or the list is the word log. False with an objection to `record`.
 */
bool nnd_record_check(const nnd_reals *record, bool flow, double end, nnd_objection *o);
/**
 * Times of a flow to record: those of a checked `record` if it is not empty; for the word log 0 and
 * the powers of 10^(1/20) from min(time, 1)/100 on; else 200 log-spaced ones from there. `time`
 * always. In ascending order without repetition (nnd_coord_equal); the caller frees times->value.
 */
NND_MUST_USE nnd_status nnd_record_times(nnd_context *ctx, double time, const nnd_reals *record,
                                         nnd_reals *times);
/**
 * Steps to record as numbers: those of a checked `record`; for the word log as nnd_timegrid_make;
 * else what is distinct of 200 log-spaced ones from 1 to `steps` once rounded; the last step
 * always. As nnd_record_times.
 */
NND_MUST_USE nnd_status nnd_record_log_steps(nnd_context *ctx, size_t steps,
                                             const nnd_reals *record, nnd_reals *times);
/** nnd_record_times of a flow up to `end`, or the steps 0..end of gd that nnd_timegrid_make would
 * record, as numbers. */
NND_MUST_USE nnd_status nnd_record_axis(nnd_context *ctx, bool flow, double end,
                                        const nnd_reals *record, size_t every, nnd_reals *times);
/** How many nnd_record_axis may record: for estimates of cost. */
double nnd_record_most(bool flow, double end, const nnd_reals *record, int64_t every);

#endif
