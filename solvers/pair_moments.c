/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/pair_moments.h"

#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/nodes.h"

enum { PANELS = 9 };

/* 1 - correlation^2 below which two fields are one. */
static const double PARALLEL = 1e-10;

double nnd_finest_scale(const nnd_activation *phi, double q) {
    if (phi->name == NND_LINEAR || (phi->name == NND_RELU && phi->smoothing == 0.0))
        return INFINITY;
    double width = phi->name == NND_RELU ? 0.0 : 1.0 / phi->gain;
    return hypot(width, phi->smoothing) / sqrt(q);
}

/* Values of phi and phi' of both fields at all nodes. */
typedef struct {
    double *h[2], *phi[2], *slope[2];
    double *data;
} fields;

static nnd_status fields_make(nnd_context *ctx, size_t count, fields *f) {
    *f = (fields){.data = malloc((6 * count + 1) * sizeof(double))};
    if (f->data == NULL)
        return nnd_fail_memory(ctx, "an average over two fields");
    for (size_t k = 0; k < 2; k++) {
        f->h[k] = f->data + k * count;
        f->phi[k] = f->data + (2 + k) * count;
        f->slope[k] = f->data + (4 + k) * count;
    }
    return NND_OK;
}

static void fields_apply(const nnd_activation *a, size_t count, const fields *f) {
    for (size_t k = 0; k < 2; k++)
        nnd_activation_apply(a, count, f->h[k], f->phi[k], f->slope[k], NULL, NULL);
}

/* dE F/dQ_ab = E F (v_a v_b - (Q^-1)_ab) (1/2 if a = b), v = Q^-1 h. */
static void add(nnd_pair_moment *m, double weight, double value, double v1, double v2, double p11,
                double p12, double p22) {
    m->value += weight * value;
    m->d11 += 0.5 * weight * value * (v1 * v1 - p11);
    m->d22 += 0.5 * weight * value * (v2 * v2 - p22);
    m->d12 += weight * value * (v1 * v2 - p12);
}

/* h_2 = ratio h_1: one dimension. */
static nnd_status on_a_line(nnd_context *ctx, const nnd_activation *a, double q11, double ratio,
                            nnd_pair_moment *features, nnd_pair_moment *slopes) {
    nnd_nodes nodes;
    fields f = {0};
    nnd_status status =
        nnd_nodes_line(ctx, PANELS, nnd_finest_scale(a, fmax(q11, ratio * ratio * q11)), &nodes);
    if (status == NND_OK)
        status = fields_make(ctx, nodes.count, &f);
    for (size_t i = 0; status == NND_OK && i < nodes.count; i++) {
        f.h[0][i] = sqrt(q11) * nodes.x[i];
        f.h[1][i] = ratio * f.h[0][i];
    }
    if (status == NND_OK)
        fields_apply(a, nodes.count, &f);
    for (size_t i = 0; status == NND_OK && i < nodes.count; i++) {
        double v = nodes.x[i] / sqrt(q11), w = nodes.weight[i];
        add(features, w, f.phi[0][i] * f.phi[1][i], v, 0.0, 1.0 / q11, 0.0, 0.0);
        add(slopes, w, f.slope[0][i] * f.slope[1][i], v, 0.0, 1.0 / q11, 0.0, 0.0);
    }
    free(f.data);
    nnd_nodes_clear(&nodes);
    return status;
}

static nnd_status in_a_plane(nnd_context *ctx, const nnd_activation *a, double q11, double q12,
                             double q22, nnd_pair_moment *features, nnd_pair_moment *slopes) {
    double along = q12 / sqrt(q11), across = sqrt(q22 - along * along);
    double det = q11 * q22 - q12 * q12, p11 = q22 / det, p22 = q11 / det, p12 = -q12 / det;
    const double normal[] = {1.0, 0.0, along, across};
    nnd_nodes nodes;
    fields f = {0};
    nnd_status status =
        nnd_nodes_plane(ctx, PANELS, 2, normal, nnd_finest_scale(a, fmax(q11, q22)), &nodes);
    size_t n = nodes.count;
    if (status == NND_OK)
        status = fields_make(ctx, n, &f);
    for (size_t i = 0; status == NND_OK && i < n; i++) {
        f.h[0][i] = sqrt(q11) * nodes.x[i];
        f.h[1][i] = along * nodes.x[i] + across * nodes.x[n + i];
    }
    if (status == NND_OK)
        fields_apply(a, n, &f);
    for (size_t i = 0; status == NND_OK && i < n; i++) {
        double v1 = p11 * f.h[0][i] + p12 * f.h[1][i], v2 = p12 * f.h[0][i] + p22 * f.h[1][i];
        double w = nodes.weight[i];
        add(features, w, f.phi[0][i] * f.phi[1][i], v1, v2, p11, p12, p22);
        add(slopes, w, f.slope[0][i] * f.slope[1][i], v1, v2, p11, p12, p22);
    }
    free(f.data);
    nnd_nodes_clear(&nodes);
    return status;
}

nnd_status nnd_pair_moments(nnd_context *ctx, const nnd_activation *phi, double q11, double q12,
                            double q22, nnd_pair_moment *features, nnd_pair_moment *slopes) {
    *features = *slopes = (nnd_pair_moment){0};
    if (1.0 - q12 * q12 / (q11 * q22) < PARALLEL)
        return on_a_line(ctx, phi, q11, copysign(sqrt(q22 / q11), q12), features, slopes);
    return in_a_plane(ctx, phi, q11, q12, q22, features, slopes);
}
