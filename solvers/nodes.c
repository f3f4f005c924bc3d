/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/nodes.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/sobol.h"

enum { LINE_POINTS = 16, PLANE_POINTS = 12, MOST_DIMS = 8 };

/* Where Gauss-Legendre rules end: what lies beyond has a weight of 1e-19. */
static const double FAR = 9.0;
/* The longest panel around the circle. */
static const double ARC = 0.125 * M_PI;
/* Panels of length 1 do for what varies over this length or more. */
static const double COARSE = 0.5;

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

/* Panels of [from, to], none longer than `longest`; the first and the last are halved towards the
 * ends of the interval until the outermost is no longer than fine_from, fine_to (0: they are not).
 */
typedef struct {
    double from, to, longest, fine_from, fine_to;
} panelling;

static size_t halvings(double length, double finest) {
    return finest > 0.0 && finest < length ? (size_t)ceil(log2(length / finest)) : 0;
}

/* Number of panels, and their ends (one more) into `end` unless it is NULL. */
static size_t panel_ends(const panelling *p, double *end) {
    double length = p->to - p->from;
    if (!(length > 0.0))
        return 0;
    size_t n = (size_t)ceil(length / p->longest), count = 0;
    if (n < 2 && p->fine_from > 0.0 && p->fine_to > 0.0)
        n = 2;
    double width = length / (double)n;
    size_t before = halvings(width, p->fine_from), after = halvings(width, p->fine_to);
    if (end == NULL)
        return n + before + after;
    end[count++] = p->from;
    for (size_t k = before; k > 0; k--)
        end[count++] = p->from + ldexp(width, -(int)k);
    for (size_t i = 1; i < n; i++)
        end[count++] = p->from + width * (double)i;
    for (size_t k = 1; k <= after; k++)
        end[count++] = p->to - ldexp(width, -(int)k);
    end[count] = p->to;
    return count;
}

/* Points and weights of a rule with so many points in each panel; room of the caller. */
static nnd_status panel_rule(nnd_context *ctx, const panelling *p, size_t points, double *x,
                             double *weight) {
    size_t panels = panel_ends(p, NULL);
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(points);
    double *end = calloc(panels + 1, sizeof *end);
    nnd_status status =
        table != NULL && end != NULL ? NND_OK : nnd_fail_memory(ctx, "a quadrature rule");
    if (status == NND_OK)
        (void)panel_ends(p, end);
    for (size_t i = 0; status == NND_OK && i < panels * points; i++)
        gsl_integration_glfixed_point(end[i / points], end[i / points + 1], i % points, &x[i],
                                      &weight[i], table);
    if (table != NULL)
        gsl_integration_glfixed_table_free(table);
    free(end);
    return status;
}

/* A half-line of `panels` equal parts, halved towards 0 if something there is finer than they are
 * good for. */
static panelling half_line(size_t panels, double finest) {
    return (panelling){0.0, FAR, FAR / (double)panels, finest < COARSE ? finest : 0.0, 0.0};
}

nnd_status nnd_nodes_line(nnd_context *ctx, size_t panels, double finest, nnd_nodes *nodes) {
    panelling p = half_line(panels, finest);
    size_t half = panel_ends(&p, NULL) * LINE_POINTS;
    nnd_status status = reserve(ctx, 1, 2 * half, nodes);
    if (status != NND_OK)
        return status;
    status = panel_rule(ctx, &p, LINE_POINTS, nodes->x, nodes->weight);
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
 * under x -> -x. Counts the points; NULL pointers: it only does that. */
static nnd_status around(nnd_context *ctx, size_t kinks, const double *kink, double finest,
                         size_t *points, double *angle, double *weight) {
    nnd_status status = NND_OK;
    /* A strip along a line through the origin is narrowest, as an angle, far out. */
    double fine = finest < COARSE ? finest / FAR : 0.0;
    *points = 0;
    for (size_t i = 0; status == NND_OK && i < kinks; i++) {
        panelling p = {kink[i], i + 1 < kinks ? kink[i + 1] : M_PI, ARC, fine, fine};
        if (angle != NULL)
            status = panel_rule(ctx, &p, PLANE_POINTS, angle + *points, weight + *points);
        *points += panel_ends(&p, NULL) * PLANE_POINTS;
    }
    return status;
}

static nnd_status fill_plane(nnd_context *ctx, const panelling *along, size_t turn,
                             const double *angle, const double *share, nnd_nodes *nodes) {
    size_t radial = panel_ends(along, NULL) * PLANE_POINTS, half = radial * turn, count = 2 * half;
    double *r = calloc(2 * radial, sizeof *r), *weight = r != NULL ? r + radial : NULL;
    nnd_status status =
        r != NULL ? reserve(ctx, 2, count, nodes) : nnd_fail_memory(ctx, "a quadrature rule");
    if (status == NND_OK)
        status = panel_rule(ctx, along, PLANE_POINTS, r, weight);
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
                           double finest, nnd_nodes *nodes) {
    *nodes = (nnd_nodes){0};
    double *kink = calloc(lines + 1, sizeof *kink);
    if (kink == NULL)
        return nnd_fail_memory(ctx, "a quadrature rule");
    size_t turn, kinks = kink_angles(lines, normal, kink);
    nnd_status status = around(ctx, kinks, kink, finest, &turn, NULL, NULL);
    double *angle = calloc(2 * turn + 1, sizeof *angle);
    if (angle == NULL)
        status = nnd_fail_memory(ctx, "a quadrature rule");
    if (status == NND_OK)
        status = around(ctx, kinks, kink, finest, &turn, angle, angle + turn);
    panelling along = half_line(panels, finest);
    if (status == NND_OK)
        status = fill_plane(ctx, &along, turn, angle, angle + turn, nodes);
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
