/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several sets of nodes: grids that are refined, and replicates of samples. */
#include <math.h>
#include <stdlib.h>

#include "core/largest.h"
#include "nndmft/solvers/influence.h"

/* exp(-radius^2/2) is 1e-17: what lies beyond is less than rounding. In many dimensions a smaller
 * ball has to do: 1e-13 (fluctuations.md#s1-5). */
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

/* Curves side by side: `width` of them, each of `points` numbers. */
typedef struct {
    size_t points, width;
    const double *a, *b; /* of two grids; NULL: not wanted */
    double *error;       /* gets the largest difference of each curve, at all its points */
} family;

/* Largest difference relative to the largest value of each curve. */
static double compare(const family *f) {
    double error = 0.0;
    for (size_t k = 0; f->a != NULL && k < f->width; k++) {
        double largest = 0.0, difference = 0.0;
        for (size_t i = 0; i < f->points; i++) {
            double x = f->a[i * f->width + k], y = f->b[i * f->width + k];
            if (!isfinite(x) && !isfinite(y)) /* both have diverged */
                continue;
            largest = nnd_largest(largest, fabs(x));
            difference = nnd_largest(difference, fabs(x - y));
        }
        for (size_t i = 0; i < f->points; i++)
            f->error[i * f->width + k] = difference;
        /* What is rounding of zero is no error. */
        if (!(difference <= 1e-13))
            error = nnd_largest(error, difference / nnd_largest(largest, 1e-12));
    }
    return isnan(error) ? INFINITY : error;
}

/* Fills `se`; the error of a run is that of means, variances and biases. */
static double grid_error(const nnd_fluctuations *a, const nnd_fluctuations *b,
                         nnd_fluctuations *se) {
    size_t n = a->times, k = a->observables, square = a->train * a->train;
    const family judged[] = {{n, k, a->mean, b->mean, se->mean},
                             {n, k, a->nvar, b->nvar, se->nvar},
                             {n, k, a->bias, b->bias, se->bias}};
    const family others[] = {{n, k * a->train, a->ncov, b->ncov, se->ncov},
                             {n * n, square, a->two_time, b->two_time, se->two_time},
                             {n * n, square, a->noise, b->noise, se->noise},
                             {n * n, square, a->response, b->response, se->response}};
    double error = 0.0;
    for (size_t i = 0; i < sizeof judged / sizeof *judged; i++)
        error = fmax(error, compare(&judged[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        compare(&others[i]);
    return error;
}

static nnd_status make_results(nnd_context *ctx, const nnd_units *p, nnd_fluctuations *out) {
    return nnd_fluctuations_make(ctx, p->grid->count, p->train, p->train + p->observables, p->bias,
                                 p->two_time, out);
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

/* Whether the grid after n is finer than is sensible. */
static bool is_finest(const nnd_units *p, size_t dims, size_t n) {
    return nnd_nodes_trapezoid_count(dims, refine(n), radius_of(dims), is_even(p)) >
           (dims <= WIDE_DIMS ? MOST_NODES : MOST_NODES_WIDE);
}

nnd_status nnd_influence_quadrature(nnd_context *ctx, const nnd_units *p, size_t intervals,
                                    double tolerance, nnd_fluctuations *out, nnd_fluctuations *se,
                                    nnd_influence_report *report) {
    nnd_fluctuations coarse = {0};
    size_t dims, n = first_grid(intervals);
    *report = (nnd_influence_report){.error = NAN};
    *out = *se = (nnd_fluctuations){0};
    nnd_status status = nnd_influence_dims(ctx, p, &dims);
    if (status == NND_OK)
        status = make_results(ctx, p, se);
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
        report->error = grid_error(out, &coarse, se);
        done = intervals > 0 || report->error <= tolerance || is_finest(p, dims, n);
    }
    nnd_fluctuations_clear(&coarse);
    if (status < NND_OK)
        nnd_fluctuations_clear(se);
    if (status == NND_OK && report->error > tolerance)
        status = NND_NOT_CONVERGED;
    return status;
}

/* ---- replicates ---- */

/* Running averages over replicates. */
typedef struct {
    nnd_fluctuations *mean, *spread; /* and sums of squared deviations */
    nnd_fluctuations side;           /* what differences to one side change, if phi has a kink */
} averages;

/* One more value, the count-th (Welford). */
static void include(size_t count, averages *a, const nnd_fluctuations *x) {
    for (size_t i = 0; i < a->mean->count; i++) {
        double before = a->mean->data[i], difference = x->data[i] - before;
        a->mean->data[i] = before + difference / (double)count;
        a->spread->data[i] += difference * (x->data[i] - a->mean->data[i]);
    }
    if (x->diverged_at < a->mean->diverged_at)
        a->mean->diverged_at = x->diverged_at;
}

/* The same nodes with differences to both sides, and to one. */
static nnd_status run_replicate(nnd_context *ctx, const nnd_units *p, const nnd_nodes *nodes,
                                size_t count, averages *a) {
    bool kink = nnd_activation_has_kink(p->activation);
    nnd_units one_sided = *p;
    nnd_fluctuations one = {0}, two = {0};
    one_sided.one_sided = true;
    nnd_status status = nnd_influence_run(ctx, p, nodes, &one);
    if (status >= NND_OK)
        include(count, a, &one);
    if (status >= NND_OK && kink)
        status = nnd_influence_run(ctx, &one_sided, nodes, &two);
    for (size_t i = 0; status >= NND_OK && kink && i < a->side.count; i++)
        a->side.data[i] += two.data[i] - one.data[i];
    nnd_fluctuations_clear(&one);
    nnd_fluctuations_clear(&two);
    return status;
}

/* Standard error of the mean and error of the differences. */
static void finish(size_t replicates, averages *a) {
    double n = (double)replicates;
    for (size_t i = 0; i < a->spread->count; i++)
        a->spread->data[i] = hypot(sqrt(a->spread->data[i] / (n * (n - 1.0))), a->side.data[i] / n);
}

static nnd_status averages_make(nnd_context *ctx, const nnd_units *p, averages *a) {
    nnd_fluctuations *all[] = {a->mean, a->spread, &a->side};
    nnd_status status = NND_OK;
    for (size_t k = 0; status == NND_OK && k < sizeof all / sizeof *all; k++) {
        status = make_results(ctx, p, all[k]);
        for (size_t i = 0; status == NND_OK && i < all[k]->count; i++)
            all[k]->data[i] = 0.0;
    }
    return status;
}

nnd_status nnd_influence_sampled(nnd_context *ctx, const nnd_units *p, size_t samples,
                                 size_t replicates, uint64_t seed, nnd_fluctuations *out,
                                 nnd_fluctuations *se, nnd_influence_report *report) {
    averages a = {out, se, {0}};
    size_t dims;
    *out = *se = (nnd_fluctuations){0};
    *report = (nnd_influence_report){.nodes = samples * replicates, .error = NAN};
    nnd_status status = nnd_influence_dims(ctx, p, &dims);
    if (status == NND_OK)
        status = averages_make(ctx, p, &a);
    for (size_t r = 0; status >= NND_OK && r < replicates; r++) {
        nnd_nodes nodes;
        status = nnd_nodes_sobol(ctx, dims, samples, seed, r, &nodes);
        if (status == NND_OK)
            status = run_replicate(ctx, p, &nodes, r + 1, &a);
        nnd_nodes_clear(&nodes);
    }
    if (status >= NND_OK)
        finish(replicates, &a);
    nnd_fluctuations_clear(&a.side);
    if (status < NND_OK) {
        nnd_fluctuations_clear(out);
        nnd_fluctuations_clear(se);
    } else if (out->diverged_at != SIZE_MAX)
        status = NND_DIVERGED;
    return status;
}
