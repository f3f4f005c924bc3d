/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several sets of nodes: grids that are refined, and replicates of samples. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/influence.h"
#include "nndmft/largest.h"

/* exp(-radius^2/2) is 1e-17: what lies beyond is less than rounding. In many dimensions a smaller
 * ball has to do: 1e-13 (fluctuations 1.5). */
static const double RADIUS = 8.85, SMALL_RADIUS = 7.75;
enum { WIDE_DIMS = 2, LEAST_INTERVALS = 24 };
/* Sensible limits of the number of nodes on a refined grid. */
static const double MOST_NODES = 160000.0, MOST_NODES_WIDE = 60000.0;

static double radius_of(size_t dims) {
    return dims <= WIDE_DIMS ? RADIUS : SMALL_RADIUS;
}

/* (h, w) -> (-h, -w) changes nothing that is observed if phi is odd. */
static bool is_even(const nnd_units *p) {
    return nnd_activation_is_odd(p->activation);
}

/* ---- grids ---- */

/* Largest difference of a family of curves (times x width) relative to the largest value of each.
 */
static double curves_error(size_t times, size_t width, const double *a, const double *b) {
    double error = 0.0;
    for (size_t k = 0; a != NULL && k < width; k++) {
        double largest = 0.0, difference = 0.0;
        for (size_t i = 0; i < times; i++) {
            double x = a[i * width + k], y = b[i * width + k];
            if (!isfinite(x) && !isfinite(y)) /* both have diverged */
                continue;
            largest = nnd_largest(largest, fabs(x));
            difference = nnd_largest(difference, fabs(x - y));
        }
        /* What is rounding of zero is no error. */
        if (!(difference <= 1e-13))
            error = nnd_largest(error, difference / nnd_largest(largest, 1e-12));
    }
    return isnan(error) ? INFINITY : error;
}

static double grid_error(const nnd_fluctuations *a, const nnd_fluctuations *b) {
    size_t k = a->observables;
    double error = curves_error(a->times, k, a->mean, b->mean);
    error = fmax(error, curves_error(a->times, k, a->nvar, b->nvar));
    return fmax(error, curves_error(a->times, k, a->bias, b->bias));
}

static nnd_status run_grid(nnd_context *ctx, const nnd_units *p, size_t dims, size_t intervals,
                           nnd_fluctuations *out, nnd_influence_report *report) {
    nnd_nodes nodes;
    nnd_status status =
        nnd_nodes_trapezoid(ctx, dims, intervals, radius_of(dims), is_even(p), &nodes);
    if (status == NND_OK)
        status = nnd_influence_run(ctx, p, &nodes, out);
    report->nodes = nodes.count;
    report->intervals = intervals;
    nnd_nodes_clear(&nodes);
    return status;
}

/* The next grid by a factor of about 4/3, even. */
static size_t refine(size_t intervals) {
    return (intervals * 4 / 3 + 1) / 2 * 2;
}

static size_t first_grid(size_t intervals) {
    if (intervals == 0)
        return LEAST_INTERVALS;
    size_t coarse = intervals * 3 / 8 * 2;
    return coarse < 2 ? 2 : coarse;
}

double nnd_influence_quadrature_nodes(const nnd_units *p, size_t intervals, double *runs) {
    enum { TYPICAL = 56 };
    size_t n = intervals > 0 ? intervals : TYPICAL, dims = p->points + 1;
    *runs = 1.0 / (1.0 - pow(0.75, (double)dims));
    return nnd_nodes_trapezoid_count(dims, n, radius_of(dims), true);
}

nnd_status nnd_influence_quadrature(nnd_context *ctx, const nnd_units *p, size_t intervals,
                                    double tolerance, nnd_fluctuations *out,
                                    nnd_influence_report *report) {
    nnd_fluctuations coarse = {0};
    size_t dims, n = first_grid(intervals);
    *report = (nnd_influence_report){.error = NAN};
    *out = (nnd_fluctuations){0};
    nnd_status status = nnd_influence_dims(ctx, p, &dims);
    if (status == NND_OK)
        status = run_grid(ctx, p, dims, n, out, report);
    for (bool done = false; status >= NND_OK && !done;) {
        nnd_fluctuations_clear(&coarse);
        coarse = *out;
        *out = (nnd_fluctuations){0};
        n = intervals > 0 ? intervals : refine(n);
        status = run_grid(ctx, p, dims, n, out, report);
        if (status < NND_OK)
            break;
        report->error = grid_error(out, &coarse);
        done = intervals > 0 || report->error <= tolerance ||
               nnd_nodes_trapezoid_count(dims, refine(n), radius_of(dims), is_even(p)) >
                   (dims <= WIDE_DIMS ? MOST_NODES : MOST_NODES_WIDE);
    }
    nnd_fluctuations_clear(&coarse);
    if (status == NND_OK && report->error > tolerance)
        status = NND_NOT_CONVERGED;
    return status;
}

/* ---- replicates ---- */

/* Sum and sum of squared deviations, updated by one more value (Welford). */
static void include(size_t count, nnd_fluctuations *mean, nnd_fluctuations *spread,
                    const nnd_fluctuations *x) {
    for (size_t i = 0; i < mean->count; i++) {
        double before = mean->data[i], difference = x->data[i] - before;
        mean->data[i] = before + difference / (double)count;
        spread->data[i] += difference * (x->data[i] - mean->data[i]);
    }
    if (x->diverged_at < mean->diverged_at)
        mean->diverged_at = x->diverged_at;
}

nnd_status nnd_influence_sampled(nnd_context *ctx, const nnd_units *p, size_t samples,
                                 size_t replicates, uint64_t seed, nnd_fluctuations *out,
                                 nnd_fluctuations *se, nnd_influence_report *report) {
    size_t dims, k = p->train + p->observables;
    *out = *se = (nnd_fluctuations){0};
    *report = (nnd_influence_report){.nodes = samples * replicates, .error = NAN};
    nnd_status status = nnd_influence_dims(ctx, p, &dims);
    if (status == NND_OK)
        status = nnd_fluctuations_make(ctx, p->grid->count, p->train, k, p->bias, p->two_time, out);
    if (status == NND_OK)
        status = nnd_fluctuations_make(ctx, p->grid->count, p->train, k, p->bias, p->two_time, se);
    for (size_t i = 0; status == NND_OK && i < out->count; i++)
        out->data[i] = se->data[i] = 0.0;
    for (size_t r = 0; status >= NND_OK && r < replicates; r++) {
        nnd_nodes nodes;
        nnd_fluctuations one = {0};
        status = nnd_nodes_sobol(ctx, dims, samples, seed, r, &nodes);
        if (status == NND_OK)
            status = nnd_influence_run(ctx, p, &nodes, &one);
        if (status >= NND_OK)
            include(r + 1, out, se, &one);
        nnd_fluctuations_clear(&one);
        nnd_nodes_clear(&nodes);
    }
    double freedom = (double)replicates * ((double)replicates - 1.0);
    for (size_t i = 0; status >= NND_OK && i < se->count; i++)
        se->data[i] = sqrt(se->data[i] / freedom);
    if (status < NND_OK) {
        nnd_fluctuations_clear(out);
        nnd_fluctuations_clear(se);
    } else if (out->diverged_at != SIZE_MAX)
        status = NND_DIVERGED;
    return status;
}
