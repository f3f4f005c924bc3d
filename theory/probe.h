/* SPDX-License-Identifier: GPL-3.0-or-later */
/** One number of a theory as a function of one parameter: what a search evaluates. */
#ifndef NNDMFT_THEORY_PROBE_H
#define NNDMFT_THEORY_PROBE_H

#include "nndmft/find.h"
#include "nndmft/frame.h"

/** Coordinates of time that a variable can have: of t and, if it has two times, of s. */
enum { NND_PROBE_TIMES = 2 };

/** Made by nnd_probe_make; not to be moved, as its parameters point into it. */
typedef struct {
    const nnd_model *model;
    const nnd_find_options *options; /**< borrowed */
    void *params;                    /**< a copy, whose lists and texts are borrowed */
    double low;                      /**< stands for the parameter until it is read */
    /* The only times or steps that `params` record. */
    double time[NND_PROBE_TIMES];
    int64_t step[NND_PROBE_TIMES];
} nnd_probe;

/**
 * A probe of the options' variable at their coordinates. Theory is not run further than to these
 * times, and records nothing else, where they are times of the run. Free with nnd_probe_clear in
 * any case.
 */
NND_MUST_USE nnd_status nnd_probe_make(nnd_context *ctx, const nnd_model *model, const void *params,
                                       const nnd_find_options *options, nnd_probe *probe);
void nnd_probe_clear(nnd_probe *probe);
/** Bytes that one reading takes, at either end of the interval at most. */
NND_MUST_USE nnd_status nnd_probe_bytes(nnd_context *ctx, const nnd_probe *probe, double *bytes);
/** A number of theory and its standard error, NaN: there is none. */
typedef struct {
    double value, se;
} nnd_reading;

/** What became of a reading. */
typedef enum {
    NND_PROBE_READ,     /* there is a number, or an error that is no fault of the options' */
    NND_PROBE_UNSOLVED, /* theory has no answer (nnd_point_failed); the context's message says why
                         */
    NND_PROBE_MISPLACED /* NND_E_INPUT: the options' coordinates are not those of one number */
} nnd_probe_outcome;

/**
 * The number at one value of the parameter, NaN where there is none. NND_NOT_CONVERGED: it is the
 * best answer.
 */
NND_MUST_USE nnd_status nnd_probe_read(nnd_context *ctx, const nnd_probe *probe, double x,
                                       nnd_reading *value, nnd_probe_outcome *outcome);
/** How a run ends. */
typedef struct {
    double step; /**< at which it diverges, infinity: it does not; NaN: theory has no answer */
    double heat; /**< of a run that does not: mean logarithm of its loss over the recorded times,
                    -infinity: unknown. It rises towards a divergence */
} nnd_fate;

/** How training ends at one value of the parameter. */
NND_MUST_USE nnd_status nnd_probe_divergence(nnd_context *ctx, const nnd_probe *probe, double x,
                                             nnd_fate *fate, nnd_probe_outcome *outcome);

/** Whether a run is one of steps of equal length, `*dt`; else it is a flow with times of its own.
 */
bool nnd_run_is_stepped(const nnd_model *model, const void *params, double *dt);
/**
 * Where the coordinates `at`, and `t` at its first time, stand in an array: NND_E_INPUT if they are
 * not those of one curve over t. `*stride` is from one time to the next.
 */
NND_MUST_USE nnd_status nnd_locate_curve(nnd_context *ctx, const nnd_frame *frame,
                                         const nnd_array *array, const nnd_first_options *options,
                                         size_t *position, size_t *stride);

#endif
