/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All ends of the support, from its upper one downwards, and the masses between them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "solvers/dyson_impl.h"

/* Singular values below this part of the largest count as 0. */
static const double FLOOR = 1e-6;
enum { HALVINGS = 16, REFINEMENTS = 5 };

/* In singular values x: edges hold z = x^2. */
typedef struct {
    nnd_context *ctx;
    nnd_dyson_state *state;
    size_t points;
    double top; /* the upper end */
    nnd_dyson_support *support;
    nnd_status status; /* of the height at the last place */
} scan;

/* -Im g_vv at x, pi/2 times the density of singular values; 0 outside the support, NaN if it is not
 * found. */
static double height(double x, void *data) {
    scan *q = data;
    q->status = nnd_dyson_move(q->ctx, q->state, x);
    if (q->status != NND_OK)
        return NAN;
    return nnd_dyson_is_outside(q->state) ? 0.0 : -cimag(q->state->g[q->state->map.v]);
}

static nnd_status add_interval(scan *q, const nnd_dyson_edge *low, const nnd_dyson_edge *high) {
    nnd_dyson_support *support = q->support;
    nnd_dyson_interval *grown =
        realloc(support->interval, (support->count + 1) * sizeof *support->interval);
    if (grown == NULL)
        return nnd_fail_memory(q->ctx, "a support");
    support->interval = grown;
    grown[support->count++] = (nnd_dyson_interval){.low = *low, .high = *high};
    return NND_OK;
}

/* Places in (low, high), descending: dense at ends, and towards 0 in halves. */
static size_t fill_places(const scan *q, double low, double high, double *x) {
    size_t count = 0;
    for (size_t k = q->points; k-- > 0;) {
        double part = ((double)k + 0.5) / (double)q->points;
        x[count++] = low == 0.0 ? high * sin(0.5 * M_PI * part)
                                : 0.5 * (low + high) - 0.5 * (high - low) * cos(M_PI * part);
    }
    for (size_t k = 0; low == 0.0 && k < HALVINGS; k++, count++)
        x[count] = 0.5 * x[count - 1];
    return count;
}

/* A place in a gap between low and high; NaN if there is none. */
static nnd_status find_gap(scan *q, double low, double high, double *gap) {
    double *x = calloc(2 * (q->points + HALVINGS), sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(q->ctx, "a support");
    size_t count = fill_places(q, low, high, x);
    double *h = x + count;
    nnd_status status = NND_OK;
    *gap = NAN;
    for (size_t k = 0; status == NND_OK && isnan(*gap) && k < count; k++) {
        h[k] = height(x[k], q);
        status = q->status;
        if (h[k] == 0.0)
            *gap = x[k];
    }
    for (size_t k = 1; status == NND_OK && isnan(*gap) && k + 1 < count; k++) {
        if (!(h[k] < h[k - 1] && h[k] < h[k + 1]))
            continue;
        const double part = 1e-6;
        const double value[] = {h[k + 1], h[k], h[k - 1]};
        nnd_bracket bracket = {x[k + 1], x[k - 1], x[k]};
        status = nnd_brent_minimum(q->ctx, height, q, part * (x[k - 1] - x[k + 1]), 0.0, value,
                                   &bracket);
        status = status > 0 ? NND_OK : status;
        if (status == NND_OK && height(bracket.x, q) == 0.0)
            *gap = bracket.x;
        status = status == NND_OK ? q->status : status;
    }
    free(x);
    return status;
}

/* The intervals between two ends, in ascending order. */
static nnd_status split(scan *q, const nnd_dyson_edge *low, const nnd_dyson_edge *high) {
    double gap;
    nnd_status status = find_gap(q, sqrt(low->z), sqrt(high->z), &gap);
    if (status != NND_OK)
        return status;
    if (isnan(gap))
        return add_interval(q, low, high);
    nnd_dyson_edge below, above;
    const dyson_way down = {.direction = 1.0, .floor = FLOOR * q->top}, up = {.direction = -1.0};
    status = nnd_dyson_move(q->ctx, q->state, gap);
    if (status == NND_OK)
        status = nnd_dyson_fold(q->ctx, q->state, &down, &below);
    nnd_dyson_return(q->state);
    if (status == NND_OK && below.z > 0.0)
        status = split(q, low, &below);
    if (status == NND_OK)
        status = nnd_dyson_move(q->ctx, q->state, gap);
    if (status == NND_OK)
        status = nnd_dyson_fold(q->ctx, q->state, &up, &above);
    nnd_dyson_return(q->state);
    return status == NND_OK ? split(q, &above, high) : status;
}

/* (2/pi) int height dx by the midpoint rule in the angle of fill_places, which converges
 * exponentially where the density ends in square roots. */
static double mass_with(scan *q, double low, double high, size_t points) {
    double sum = 0.0;
    for (size_t k = 0; k < points; k++) {
        double angle = M_PI * ((double)k + 0.5) / (double)points;
        double x = low == 0.0 ? high * sin(0.5 * angle)
                              : 0.5 * (low + high) - 0.5 * (high - low) * cos(angle);
        double dx = low == 0.0 ? 0.5 * high * cos(0.5 * angle) : 0.5 * (high - low) * sin(angle);
        sum += height(x, q) * dx;
    }
    return 2.0 * sum / (double)points;
}

static nnd_status measure(scan *q, nnd_dyson_interval *interval) {
    const double enough = 1e-8;
    double low = sqrt(interval->low.z), high = sqrt(interval->high.z);
    size_t points = 16;
    interval->mass = mass_with(q, low, high, points);
    interval->mass_error = INFINITY;
    for (int k = 0; k < REFINEMENTS && !(interval->mass_error <= enough); k++) {
        points *= 2;
        double finer = mass_with(q, low, high, points);
        if (isnan(finer))
            return q->status;
        interval->mass_error = fabs(finer - interval->mass);
        interval->mass = finer;
    }
    return NND_OK;
}

/* x g_vv near 0. */
static nnd_status measure_atom(scan *q) {
    double complex at[2];
    for (int k = 0; k < 2; k++) {
        double complex x = ldexp(FLOOR, -k) * q->top * I;
        nnd_status status = nnd_dyson_move(q->ctx, q->state, x);
        if (status != NND_OK)
            return status;
        at[k] = x * q->state->g[q->state->map.v];
    }
    q->support->atom = creal(at[1]);
    q->support->atom_error = 2.0 * cabs(at[1] - at[0]) + q->state->report.change;
    return NND_OK;
}

static nnd_status check_masses(scan *q) {
    const double rounding = 1e-8, several = 4.0;
    double sum = q->support->atom, error = q->support->atom_error;
    for (size_t i = 0; i < q->support->count; i++) {
        sum += q->support->interval[i].mass;
        error += q->support->interval[i].mass_error;
    }
    if (fabs(sum - 1.0) <= rounding + several * error)
        return NND_OK;
    return nnd_fail(q->ctx, NND_E_UNSOLVED,
                    "the support of a pencil: %zu intervals and 0 have mass %.10g, not 1",
                    q->support->count, sum);
}

static nnd_status find(scan *q) {
    const nnd_dyson_edge zero = {0};
    nnd_dyson_edge high = {0};
    nnd_status status = nnd_dyson_upper_edge(q->ctx, q->state->pencil, &high);
    q->top = sqrt(high.z);
    if (status == NND_OK)
        status = split(q, &zero, &high);
    for (size_t i = 0; status == NND_OK && i < q->support->count; i++)
        status = measure(q, &q->support->interval[i]);
    if (status == NND_OK)
        status = measure_atom(q);
    return status == NND_OK ? check_masses(q) : status;
}

nnd_status nnd_dyson_support_find(nnd_context *ctx, const nnd_dyson *pencil, size_t points,
                                  nnd_dyson_support *support) {
    const size_t least = 8;
    scan q = {.ctx = ctx, .points = points > least ? points : least, .support = support};
    *support = (nnd_dyson_support){0};
    nnd_status status = nnd_dyson_start(ctx, pencil, &q.state);
    if (status == NND_OK)
        status = find(&q);
    nnd_dyson_state_free(q.state);
    if (status < 0)
        nnd_dyson_support_clear(support);
    return status;
}

void nnd_dyson_support_clear(nnd_dyson_support *support) {
    free(support->interval);
    *support = (nnd_dyson_support){0};
}
