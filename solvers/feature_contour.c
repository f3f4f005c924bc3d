/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/feature_contour.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/contour.h"
#include "solvers/feature_nodes.h"

/* Nodes that are added to see the error. */
enum { MORE = 4 };

/* A circle serves steps up to 1/SHORT of its nodes until hyperbolas do, and those of the heavy ball
 * later up to 1/LONG; of a double integral r^2t digits are lost to rounding, as many as aliasing
 * leaves. */
enum { SHORT = 8, LONG = 6, MOST_NODES = 65536 };
static const double SHORT_ALIAS = 1e-13, LONG_ALIAS = 1e-12;

/* A second arm is taken where the spectrum comes close to z = 0. */
static const double ONE_ARM = 0.9;

/* Steps before the first hyperbola, whose imaginary part is below pi/2 so that the two arms do not
 * meet. */
static size_t shortest(const nnd_feature_training *how) {
    const double margin = 1.1;
    return (size_t)ceil(margin * nnd_hyperbola_height(how->nodes + MORE) / (0.5 * M_PI));
}

/* The heavy ball has frequencies on |z| = sqrt(m): a hyperbola may not end before. Until then
 * circles serve. */
static size_t last_of_circles(const nnd_feature_training *how) {
    const double margin = 2.2;
    size_t first = shortest(how);
    if (how->momentum == 0.0)
        return first;
    double last = margin * nnd_hyperbola_depth(how->nodes + MORE) / -log(how->momentum);
    return last > (double)first ? (size_t)ceil(last) : first;
}

/* The last step that a circle which serves `from` serves; 0: a hyperbola does. */
static size_t circle_until(const nnd_feature_training *how, double from) {
    size_t early = shortest(how), last = last_of_circles(how);
    if (how->lr == 0.0 || from > (double)last)
        return 0;
    return from <= (double)early ? early : last;
}

size_t nnd_feature_window(const nnd_feature_training *how, size_t times, const double *time,
                          size_t first) {
    const double rounding = 1e-12;
    size_t circle = circle_until(how, time[first]), next = first + 1;
    double until = circle > 0 ? (double)circle : NND_WINDOW * (1.0 + rounding) * time[first];
    while (next < times && time[next] <= until)
        next++;
    return next;
}

/* Nodes, with mirror images, of a circle for steps up to `until`. */
static double circle_nodes(const nnd_feature_training *how, double until) {
    double early = (double)shortest(how);
    return until <= early ? SHORT * early : LONG * until;
}

void nnd_feature_contour_clear(nnd_feature_contour *c) {
    free(c->x);
    *c = (nnd_feature_contour){0};
}

static nnd_status reserve(nnd_context *ctx, size_t count, size_t arms, nnd_feature_contour *c) {
    *c = (nnd_feature_contour){.count = count, .arms = arms};
    c->x = calloc(5 * count, sizeof *c->x);
    if (c->x == NULL)
        return nnd_fail_memory(ctx, "a contour");
    c->x_weight = c->x + count;
    c->s = c->x + 2 * count;
    c->s_weight = c->x + 3 * count;
    c->step = c->x + 4 * count;
    return NND_OK;
}

/* z = -exp(conj x): the mirror image in the imaginary axis, run through backwards, so that both
 * dx and 1/(2 pi i) change sign. */
static void add_arm(nnd_feature_contour *c) {
    size_t n = c->count / 2;
    for (size_t j = 0; j < n; j++) {
        c->x[n + j] = conj(c->x[j]) + I * M_PI;
        c->x_weight[n + j] = conj(c->x_weight[j]);
        c->step[n + j] = -cexp(conj(c->x[j])) - 1.0;
    }
}

/* The frequencies that belong to x. */
static void set_frequencies(const nnd_feature_training *how, nnd_feature_contour *c) {
    for (size_t j = 0; j < c->count; j++) {
        double complex z = cexp(c->x[j]), slope = (z - how->momentum) / how->lr;
        c->s[j] = c->step[j] * slope / z;
        c->s_weight[j] = c->x_weight[j] * slope;
    }
}

/* The same radius for more nodes: then these see what aliasing the fewer had. */
static nnd_status make_circle(nnd_context *ctx, const nnd_feature_training *how, double until,
                              size_t nodes, nnd_feature_contour *c) {
    double alias = until <= (double)shortest(how) ? SHORT_ALIAS : LONG_ALIAS;
    double more = (double)nodes / (double)how->nodes;
    size_t count = 2 * (size_t)(0.5 * more * circle_nodes(how, until));
    nnd_status status = reserve(ctx, count / 2, 1, c);
    if (status == NND_OK)
        nnd_circle(count, pow(alias, more), c->x, c->x_weight);
    c->circle = true;
    return status;
}

static nnd_status make_hyperbola(nnd_context *ctx, bool both, size_t nodes, double from,
                                 nnd_feature_contour *c) {
    nnd_status status = reserve(ctx, both ? 2 * nodes : nodes, both ? 2 : 1, c);
    if (status == NND_OK)
        nnd_hyperbola(nodes, from, c->x, c->x_weight);
    return status;
}

nnd_status nnd_feature_contour_make(nnd_context *ctx, const nnd_feature_training *how, double edge,
                                    size_t nodes, double from, double until,
                                    nnd_feature_contour *c) {
    bool both = how->lr * edge > ONE_ARM * (1.0 + how->momentum);
    nnd_status status = circle_until(how, from) > 0 ? make_circle(ctx, how, until, nodes, c)
                                                    : make_hyperbola(ctx, both, nodes, from, c);
    if (status != NND_OK)
        return status;
    if (how->lr == 0.0) {
        memcpy(c->s, c->x, c->count * sizeof *c->x);
        memcpy(c->s_weight, c->x_weight, c->count * sizeof *c->x);
        return NND_OK;
    }
    for (size_t j = 0; j < c->count / c->arms; j++)
        c->step[j] = nnd_expm1(c->x[j]);
    if (c->arms > 1)
        add_arm(c);
    set_frequencies(how, c);
    return NND_OK;
}

size_t nnd_feature_contour_count(const nnd_feature_training *how, double from, double until,
                                 bool *circle) {
    size_t nodes = how->nodes + MORE;
    *circle = circle_until(how, from) > 0;
    if (*circle)
        return (size_t)(0.5 * circle_nodes(how, until) * (double)nodes / (double)how->nodes);
    return how->lr > 0.0 ? 2 * nodes : nodes;
}

nnd_status nnd_feature_contours_check(nnd_context *ctx, const nnd_feature_training *how,
                                      size_t times, const double *time) {
    for (size_t t = 0; t < times; t++) {
        bool circle;
        size_t count = 2 * nnd_feature_contour_count(how, time[t], time[t], &circle);
        if (circle && count > MOST_NODES)
            return nnd_fail(ctx, NND_E_INPUT,
                            "params.momentum: oscillations at %g take %zu nodes at step %g, of at "
                            "most %d; allowed: a lower one, or to record from step %zu on",
                            how->momentum, count, time[t], MOST_NODES, last_of_circles(how) + 1);
    }
    return NND_OK;
}

/* ---- error ---- */

/* Rounding, relative to the loss at the start or the largest there is. */
static const double ROUNDING = 1e-12, LONG_ROUNDING = 2e-11;

/* Nothing is learned yet. */
static nnd_feature_losses at_start(const nnd_features *f) {
    double signal = nnd_feature_signal(f), labels = signal + f->label_noise;
    return (nnd_feature_losses){{labels, labels, signal, signal, signal}, 0.0};
}

static double error_at(const nnd_features *f, const nnd_feature_training *how, double time,
                       const nnd_feature_losses *a, const nnd_feature_losses *b) {
    double change = 0.0, size = nnd_feature_signal(f) + f->label_noise;
    for (size_t m = 0; m < NND_FEATURES_MOMENTS; m++) {
        change = fmax(change, fabs(a->value[m] - b->value[m]));
        size = fmax(size, fabs(a->value[m]));
    }
    bool is_long =
        how->momentum > 0.0 && time > (double)shortest(how) && circle_until(how, time) > 0;
    return change + (is_long ? LONG_ROUNDING : ROUNDING) * size;
}

nnd_status nnd_feature_twice(nnd_context *ctx, const nnd_features *f,
                             const nnd_feature_training *how, nnd_feature_solver solve, void *data,
                             size_t times, const double *time, nnd_feature_losses *losses) {
    size_t first = 0;
    for (; first < times && time[first] == 0.0; first++)
        losses[first] = at_start(f);
    if (first == times)
        return NND_OK;
    nnd_feature_losses *fewer = calloc(times, sizeof *fewer);
    if (fewer == NULL)
        return nnd_fail_memory(ctx, "losses");
    nnd_status status = solve(ctx, how->nodes, times - first, time + first, fewer + first, data);
    if (status == NND_OK)
        status = solve(ctx, how->nodes + MORE, times - first, time + first, losses + first, data);
    for (size_t t = first; status == NND_OK && t < times; t++)
        losses[t].error = error_at(f, how, time[t], &losses[t], &fewer[t]);
    free(fewer);
    return status;
}
