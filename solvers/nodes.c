/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/nodes.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/sobol.h"

enum { LINE_POINTS = 16, PLANE_POINTS = 12, MOST_DIMS = 8 };

/* Where Gauss-Legendre rules end: what lies beyond has a weight of 1e-19. */
static const double FAR = 9.0;
/* The longest panel around the circle. */
static const double ARC = 0.125 * M_PI;

static nnd_status reserve(nnd_context *ctx, size_t dims, size_t count, nnd_nodes *nodes) {
    *nodes = (nnd_nodes){
        .dims = dims,
        .count = count,
        .x = calloc(dims * count + 1, sizeof(double)),
        .weight = calloc(count + 1, sizeof(double)),
    };
    if (nodes->x != NULL && nodes->weight != NULL)
        return NND_OK;
    nnd_nodes_clear(nodes);
    return nnd_fail_memory(ctx, "the nodes of an average");
}

void nnd_nodes_clear(nnd_nodes *nodes) {
    free(nodes->x);
    free(nodes->weight);
    *nodes = (nnd_nodes){0};
}

static void normalise(nnd_nodes *nodes) {
    double sum = 0.0;
    for (size_t i = 0; i < nodes->count; i++)
        sum += nodes->weight[i];
    for (size_t i = 0; i < nodes->count; i++)
        nodes->weight[i] /= sum;
}

/* ---- trapezoidal rule ---- */

/* Steps through the grid points of the ball, from index -m to m on each axis; of a pair x, -x the
 * one whose first coordinate that is not 0 is positive comes with weight 2 if `even`. */
typedef struct {
    size_t dims;
    long m;
    double step, radius;
    bool even;
    long index[MOST_DIMS];
} grid;

static void first_point(grid *g) {
    for (size_t d = 0; d < g->dims; d++)
        g->index[d] = -g->m;
}

static bool next_point(grid *g) {
    for (size_t d = g->dims; d-- > 0;) {
        if (++g->index[d] <= g->m)
            return true;
        g->index[d] = -g->m;
    }
    return false;
}

/* Weight of the point in units of that of the origin; 0: left out. */
static double point_weight(const grid *g) {
    double norm2 = 0.0;
    long leading = 0;
    for (size_t d = 0; d < g->dims; d++) {
        double x = g->step * (double)g->index[d];
        norm2 += x * x;
        if (leading == 0)
            leading = g->index[d];
    }
    if (norm2 > g->radius * g->radius || (g->even && leading < 0))
        return 0.0;
    return (g->even && leading > 0 ? 2.0 : 1.0) * exp(-0.5 * norm2);
}

nnd_status nnd_nodes_trapezoid(nnd_context *ctx, size_t dims, size_t intervals, double radius,
                               bool even, nnd_nodes *nodes) {
    *nodes = (nnd_nodes){0};
    if (dims == 0 || dims > MOST_DIMS || intervals < 2)
        return nnd_fail(ctx, NND_E_INPUT, "%zu dimensions with %zu intervals make no grid", dims,
                        intervals);
    grid g = {dims, (long)(intervals / 2), 2.0 * radius / (double)intervals, radius, even, {0}};
    size_t count = 0;
    first_point(&g);
    do
        count += point_weight(&g) > 0.0;
    while (next_point(&g));
    nnd_status status = reserve(ctx, dims, count, nodes);
    if (status != NND_OK)
        return status;
    size_t i = 0;
    first_point(&g);
    do {
        double weight = point_weight(&g);
        if (weight == 0.0)
            continue;
        for (size_t d = 0; d < dims; d++)
            nodes->x[d * count + i] = g.step * (double)g.index[d];
        nodes->weight[i++] = weight;
    } while (next_point(&g));
    normalise(nodes);
    return NND_OK;
}

double nnd_nodes_trapezoid_count(size_t dims, size_t intervals, double radius, bool even) {
    double d = (double)dims, step = 2.0 * radius / (double)intervals;
    double ball = pow(M_PI, 0.5 * d) / tgamma(0.5 * d + 1.0) * pow(radius / step, d);
    return even ? 0.5 * ball : ball;
}

/* ---- Gauss-Legendre panels ---- */

/* Points and weights of a rule on `panels` equal parts of [from, to]. */
static nnd_status panel_rule(nnd_context *ctx, double from, double to, size_t panels, size_t points,
                             double *x, double *weight) {
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(points);
    if (table == NULL)
        return nnd_fail_memory(ctx, "a quadrature rule");
    double length = (to - from) / (double)panels;
    for (size_t i = 0; i < panels * points; i++) {
        double start = from + length * (double)(i / points);
        gsl_integration_glfixed_point(start, start + length, i % points, &x[i], &weight[i], table);
    }
    gsl_integration_glfixed_table_free(table);
    return NND_OK;
}

nnd_status nnd_nodes_line(nnd_context *ctx, size_t panels, nnd_nodes *nodes) {
    size_t half = panels * LINE_POINTS;
    nnd_status status = reserve(ctx, 1, 2 * half, nodes);
    if (status != NND_OK)
        return status;
    status = panel_rule(ctx, 0.0, FAR, panels, LINE_POINTS, nodes->x, nodes->weight);
    for (size_t i = 0; status == NND_OK && i < half; i++) {
        nodes->weight[i] *= exp(-0.5 * nodes->x[i] * nodes->x[i]);
        nodes->x[half + i] = -nodes->x[i];
        nodes->weight[half + i] = nodes->weight[i];
    }
    normalise(nodes);
    return status;
}

/* Angles in [0, pi) at which a kink is met, sorted; 0 is always among them. */
static size_t kink_angles(size_t lines, const double *normal, double *angle) {
    size_t count = 1;
    angle[0] = 0.0;
    for (size_t i = 0; i < lines; i++) {
        double a = atan2(normal[2 * i], -normal[2 * i + 1]);
        a = a < 0.0 ? a + M_PI : a;
        if (a < M_PI)
            angle[count++] = a;
    }
    gsl_sort(angle, 1, count);
    return count;
}

/* Panels between neighbouring kinks, over [0, pi): the other half of the circle is their image
 * under x -> -x. Returns the number of points; NULL pointers: it only counts. */
static nnd_status around(nnd_context *ctx, size_t kinks, const double *kink, size_t *points,
                         double *angle, double *weight) {
    nnd_status status = NND_OK;
    *points = 0;
    for (size_t i = 0; status == NND_OK && i < kinks; i++) {
        double end = i + 1 < kinks ? kink[i + 1] : M_PI;
        size_t panels = (size_t)ceil((end - kink[i]) / ARC);
        if (panels > 0 && angle != NULL)
            status = panel_rule(ctx, kink[i], end, panels, PLANE_POINTS, angle + *points,
                                weight + *points);
        *points += panels * PLANE_POINTS;
    }
    return status;
}

static nnd_status fill_plane(nnd_context *ctx, size_t panels, size_t turn, const double *angle,
                             const double *share, nnd_nodes *nodes) {
    size_t radial = panels * PLANE_POINTS, half = radial * turn, count = 2 * half;
    double *r = calloc(2 * radial, sizeof *r), *weight = r != NULL ? r + radial : NULL;
    nnd_status status =
        r != NULL ? reserve(ctx, 2, count, nodes) : nnd_fail_memory(ctx, "a quadrature rule");
    if (status == NND_OK)
        status = panel_rule(ctx, 0.0, FAR, panels, PLANE_POINTS, r, weight);
    for (size_t i = 0; status == NND_OK && i < half; i++) {
        size_t j = i % radial, k = i / radial;
        double x = r[j] * cos(angle[k]), y = r[j] * sin(angle[k]);
        nodes->x[i] = x;
        nodes->x[count + i] = y;
        nodes->x[half + i] = -x;
        nodes->x[count + half + i] = -y;
        nodes->weight[i] = share[k] * weight[j] * r[j] * exp(-0.5 * r[j] * r[j]);
        nodes->weight[half + i] = nodes->weight[i];
    }
    if (status == NND_OK)
        normalise(nodes);
    free(r);
    return status;
}

nnd_status nnd_nodes_plane(nnd_context *ctx, size_t panels, size_t lines, const double *normal,
                           nnd_nodes *nodes) {
    *nodes = (nnd_nodes){0};
    double *kink = calloc(lines + 1, sizeof *kink);
    if (kink == NULL)
        return nnd_fail_memory(ctx, "a quadrature rule");
    size_t turn, kinks = kink_angles(lines, normal, kink);
    nnd_status status = around(ctx, kinks, kink, &turn, NULL, NULL);
    double *angle = calloc(2 * turn + 1, sizeof *angle);
    if (angle == NULL)
        status = nnd_fail_memory(ctx, "a quadrature rule");
    if (status == NND_OK)
        status = around(ctx, kinks, kink, &turn, angle, angle + turn);
    if (status == NND_OK)
        status = fill_plane(ctx, panels, turn, angle, angle + turn, nodes);
    free(angle);
    free(kink);
    return status;
}

/* ---- quasi-random nodes ---- */

nnd_status nnd_nodes_sobol(nnd_context *ctx, size_t dims, size_t count, uint64_t seed,
                           uint64_t replicate, nnd_nodes *nodes) {
    nnd_sobol *net = NULL;
    nnd_scramble *scramble = NULL;
    nnd_rng_key key = {seed, replicate, count};
    *nodes = (nnd_nodes){0};
    nnd_status status = nnd_sobol_new(ctx, count, &net);
    if (status == NND_OK)
        status = nnd_scramble_new(ctx, net, key, 0, &scramble);
    if (status == NND_OK)
        status = reserve(ctx, dims, count, nodes);
    for (size_t d = 0; status == NND_OK && d < dims; d++)
        nnd_scramble_normals(scramble, d, nodes->x + d * count);
    for (size_t i = 0; status == NND_OK && i < count; i++)
        nodes->weight[i] = 1.0 / (double)count;
    nnd_scramble_free(scramble);
    nnd_sobol_free(net);
    return status;
}
