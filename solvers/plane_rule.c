/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/plane_rule.h"

#include <math.h>
#include <stdlib.h>

static const double REACH = 9.0;
/* Nodes that weigh less than this part of the heaviest are left out. */
static const double NEGLIGIBLE = 1e-22;

static nnd_status make(nnd_context *ctx, size_t room, nnd_plane_rule *rule) {
    *rule = (nnd_plane_rule){0};
    rule->x = malloc(room * sizeof *rule->x);
    rule->y = malloc(room * sizeof *rule->y);
    rule->weight = malloc(room * sizeof *rule->weight);
    if (rule->x != NULL && rule->y != NULL && rule->weight != NULL)
        return NND_OK;
    nnd_plane_rule_clear(rule);
    return nnd_fail_memory(ctx, "a quadrature");
}

void nnd_plane_rule_clear(nnd_plane_rule *rule) {
    free(rule->x);
    free(rule->y);
    free(rule->weight);
    *rule = (nnd_plane_rule){0};
}

static void add(nnd_plane_rule *rule, double x, double y) {
    double weight = exp(-(x * x + y * y) / 2.0);
    if (weight < NEGLIGIBLE)
        return;
    rule->x[rule->count] = x;
    rule->y[rule->count] = y;
    rule->weight[rule->count++] = weight;
}

static void normalise(nnd_plane_rule *rule) {
    double sum = 0.0;
    for (size_t i = 0; i < rule->count; i++)
        sum += rule->weight[i];
    for (size_t i = 0; i < rule->count; i++)
        rule->weight[i] /= sum;
}

nnd_status nnd_plane_rule_turned(nnd_context *ctx, size_t p_nodes, size_t q_nodes, bool half,
                                 nnd_plane_rule *rule) {
    size_t n = half ? p_nodes : 2 * p_nodes;
    nnd_status status = make(ctx, n * q_nodes, rule);
    double dp = REACH / (double)p_nodes, dq = 2.0 * REACH / (double)q_nodes;
    for (size_t i = 0; status == NND_OK && i < n; i++)
        for (size_t j = 0; j < q_nodes; j++) {
            double p = dp * ((double)i + 0.5) - (half ? 0.0 : REACH);
            double q = dq * ((double)j + 0.5) - REACH;
            add(rule, (p + q) * M_SQRT1_2, (p - q) * M_SQRT1_2);
        }
    if (status == NND_OK)
        normalise(rule);
    return status;
}

nnd_status nnd_plane_rule_angles(nnd_context *ctx, size_t nodes, nnd_plane_rule *rule) {
    nnd_status status = make(ctx, nodes, rule);
    for (size_t i = 0; status == NND_OK && i < nodes; i++) {
        double angle = 2.0 * M_PI * ((double)i + 0.5) / (double)nodes;
        rule->x[i] = M_SQRT2 * cos(angle);
        rule->y[i] = M_SQRT2 * sin(angle);
        rule->weight[i] = 1.0 / (double)nodes;
        rule->count++;
    }
    return status;
}

nnd_status nnd_plane_rule_square(nnd_context *ctx, double step, nnd_plane_rule *rule) {
    size_t n = (size_t)ceil(REACH / step);
    double width = REACH / (double)n;
    nnd_status status = make(ctx, (2 * n + 1) * (2 * n + 1), rule);
    for (size_t i = 0; status == NND_OK && i <= 2 * n; i++)
        for (size_t j = 0; j <= 2 * n; j++)
            add(rule, width * ((double)i - (double)n), width * ((double)j - (double)n));
    if (status == NND_OK)
        normalise(rule);
    return status;
}
