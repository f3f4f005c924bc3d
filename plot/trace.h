/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The numbers of one curve. */
#ifndef NNDMFT_PLOT_TRACE_H
#define NNDMFT_PLOT_TRACE_H

#include "plot/panel.h"
#include "plot/span.h"

enum { NND_PLOT_POINTS = 40 }; /**< the most intervals between points with error bars */

/** A curve of one source. */
typedef struct {
    const nnd_dim *x;     /**< NULL: a single position */
    const double *across; /**< values of another variable that replace those of x; or NULL */
    const double *y, *se;
    const double *nvar; /**< size times the variance, in place of `se`; or NULL */
    double nvar_size;
    double lift; /**< added to all values */
    size_t count, stride, nvar_stride;
    bool gaps, histogram; /**< as in its panel */
    bool log_x, log_y;
} nnd_trace;

/** Where a curve of theory or simulation begins in memory; false if the source has no such one. */
bool nnd_trace_offset(const nnd_panel *panel, const nnd_source *source, size_t curve, size_t size,
                      size_t *offset);
/** A curve of theory or simulation; false if there is none. */
bool nnd_trace_find(const nnd_panel *panel, bool theory, size_t curve, size_t size,
                    nnd_trace *trace);
/** That of another variable, with the dimensions that the panel's has. */
bool nnd_trace_beside(const nnd_panel *panel, const char *name, bool theory, size_t curve,
                      size_t size, nnd_trace *trace);
/** Value i, whether it is shown or not. */
double nnd_trace_at(const nnd_trace *trace, size_t i);
/** Reads point i; false if it is not shown. */
bool nnd_trace_point(const nnd_trace *trace, size_t i, double *x, double *y, double *se);
/** Widens the spans by what the trace shows; returns the number of its points. */
size_t nnd_trace_measure(const nnd_trace *trace, nnd_span *x, nnd_span *y);
/** True if it has a point. */
bool nnd_trace_is_shown(const nnd_trace *trace);
/** Writes "x y low high" per point, an empty line at each gap (NaN is one only where it is legal).
 */
void nnd_trace_write_line(const nnd_trace *trace, FILE *out);
/**
 * Writes "x y low high" per point, at most about `limit` evenly spread points so that the error
 * bars can be told apart; of a histogram all. `phase` in [0, 1) shifts them, so that curves do not
 * cover each other.
 */
void nnd_trace_write_points(const nnd_trace *trace, size_t limit, double phase, FILE *out);

#endif
