/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_quadrature.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/divergence.h"
#include "core/largest.h"
#include "nndmft/solvers/plane_rule.h"

/* Nodes of one tile: sums go tile by tile, so that they do not depend on the number of threads. */
enum { TILE = 1024, SUMS = 5 };

/* Averages over the rule. */
typedef struct {
    double zphi, hh, phiphi, gg, zz;
} averages;

/* Every node is a unit: its preactivation h and its readout z. */
typedef struct {
    const nnd_wide_problem *problem;
    nnd_plane_rule rule; /* x and y become h and z */
    size_t tiles;
    double *sums; /* tiles x SUMS */
    int workers;
} units;

static nnd_status units_make(const nnd_wide_problem *q, nnd_plane_rule rule, units *u) {
    double sigma = q->params->sigma_w, scale = sigma * sqrt(q->gram[0]);
    *u = (units){.problem = q, .rule = rule, .tiles = (rule.count + TILE - 1) / TILE};
    u->workers = nnd_context_concurrency(q->ctx, u->tiles, 0.0);
    u->sums = calloc(u->tiles * SUMS, sizeof *u->sums);
    if (u->sums == NULL)
        return nnd_fail_memory(q->ctx, "a quadrature");
    for (size_t i = 0; i < rule.count; i++) {
        u->rule.x[i] *= scale;
        u->rule.y[i] *= sigma;
    }
    return NND_OK;
}

static void units_clear(units *u) {
    nnd_plane_rule_clear(&u->rule);
    free(u->sums);
}

/* One tile: steps its units by w = c Delta (0: only evaluates) and sums. h += w K^x g, z += w phi,
 * at once. */
static void visit_tile(units *u, size_t tile, double w) {
    const nnd_wide_problem *q = u->problem;
    size_t first = tile * TILE, n = u->rule.count - first < TILE ? u->rule.count - first : TILE;
    double *h = u->rule.x + first, *z = u->rule.y + first, phi[TILE], slope[TILE];
    const double *weight = u->rule.weight + first;
    double sum[SUMS] = {0.0}, wk = w * q->gram[0];
    if (w != 0.0) {
        nnd_activation_apply(&q->params->activation, n, h, phi, slope, NULL, NULL);
        for (size_t i = 0; i < n; i++) {
            h[i] += wk * slope[i] * z[i];
            z[i] += w * phi[i];
        }
    }
    nnd_activation_apply(&q->params->activation, n, h, phi, slope, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        double g = slope[i] * z[i];
        sum[0] += weight[i] * z[i] * phi[i];
        sum[1] += weight[i] * h[i] * h[i];
        sum[2] += weight[i] * phi[i] * phi[i];
        sum[3] += weight[i] * g * g;
        sum[4] += weight[i] * z[i] * z[i];
    }
    for (int k = 0; k < SUMS; k++)
        u->sums[tile * SUMS + (size_t)k] = sum[k];
}

static averages visit(units *u, double w) {
#pragma omp parallel for schedule(static) num_threads(u->workers)
    for (size_t tile = 0; tile < u->tiles; tile++)
        visit_tile(u, tile, w);
    double sum[SUMS] = {0.0};
    for (size_t tile = 0; tile < u->tiles; tile++)
        for (size_t k = 0; k < SUMS; k++)
            sum[k] += u->sums[tile * SUMS + k];
    return (averages){sum[0], sum[1], sum[2], sum[3], sum[4]};
}

/* One sample, one output: every Gram matrix is a number. */
static nnd_wide_averages of_sample(const nnd_wide_problem *q, const averages *a,
                                   const double *output, double *ntk) {
    nnd_wide_ntk(q, &a->phiphi, &a->gg, ntk);
    return (nnd_wide_averages){.output = output,
                               .h = &a->hh,
                               .phi = &a->phiphi,
                               .g = &a->gg,
                               .unbiased = &a->hh,
                               .readout = &a->zz,
                               .ntk = ntk};
}

static nnd_status record_step(nnd_wide_curves *record, size_t time, double output,
                              const averages *a) {
    double ntk;
    nnd_wide_averages all = of_sample(record->problem, a, &output, &ntk);
    nnd_wide_curves_outputs(record, time, 1.0, &output);
    return nnd_wide_curves_kernels(record, time, 1.0, &all);
}

static void watch_edge(nnd_wide_curves *record, size_t step, const averages *a) {
    double ntk;
    nnd_wide_ntk(record->problem, &a->phiphi, &a->gg, &ntk);
    nnd_wide_note_edge(record, step, 1.0, ntk);
}

/* What rounding of <z phi> leaves of an output, relative to the target: it counts 1/gamma0 times.
 */
static double resolution(const nnd_wide_problem *q, const averages *a) {
    double target = fabs(q->set.targets[0]);
    return target > 0.0 ? 8.0 * DBL_EPSILON * sqrt(a->zz * a->phiphi) / (q->params->gamma0 * target)
                        : 0.0;
}

/* The whole run with one rule, which it takes over. */
static nnd_status run(const nnd_wide_problem *q, nnd_plane_rule rule, nnd_wide_curves *record,
                      double *rounding) {
    const nnd_wide_mlp *p = q->params;
    double c = p->lr * p->gamma0 * p->sigma_w * p->sigma_w, w = 0.0, initial = 0.0;
    size_t time = 0;
    units u;
    nnd_status status = units_make(q, rule, &u);
    record->diverged = NAN;
    record->edge = SIZE_MAX;
    for (size_t t = 0; status == NND_OK && t <= (size_t)p->steps; t++) {
        averages a = visit(&u, w);
        initial = t == 0 ? a.zphi : initial;
        *rounding = t == 0 ? resolution(q, &a) : *rounding;
        double output = (a.zphi - initial) / p->gamma0;
        if (nnd_has_diverged(nnd_wide_loss_limit(q), nnd_wide_loss(q, &output))) {
            record->diverged = (double)t;
            break;
        }
        if ((double)t == q->marks.value[time])
            status = record_step(record, time++, output, &a);
        watch_edge(record, t, &a);
        if (status == NND_OK)
            status = nnd_progress_step(q->ctx, (double)t, (double)p->steps);
        w = c * (q->set.targets[0] - output);
    }
    units_clear(&u);
    return status;
}

/* Rule number `level`, each with about four times the nodes of the one before. */
static nnd_status make_rule(const nnd_wide_problem *q, int level, nnd_plane_rule *rule) {
    const nnd_activation *a = &q->params->activation;
    size_t fine = (size_t)1 << level;
    if (nnd_activation_is_homogeneous(a))
        return nnd_plane_rule_angles(q->ctx, 62500 * fine * fine, rule);
    return nnd_plane_rule_turned(q->ctx, 625 * fine, 100 * fine, nnd_activation_is_odd(a), rule);
}

/* Largest difference between two runs, each curve relative to its largest value. */
static double difference(const nnd_wide_curves *a, const nnd_wide_curves *b) {
    double worst = 0.0;
    for (int v = 0; v < WIDE_VARIABLES; v++) {
        double scale = 0.0, most = 0.0;
        for (size_t i = 0; i < a->count[v]; i++) {
            double x = a->x[v][i], y = b->x[v][i];
            if (isnan(x) && isnan(y)) /* both have diverged */
                continue;
            scale = nnd_largest(scale, fabs(y));
            most = nnd_largest(most, fabs(x - y));
        }
        worst = scale == 0.0 ? worst : nnd_largest(worst, most / scale);
    }
    return isnan(worst) ? INFINITY : worst;
}

nnd_status nnd_wide_quadrature(const nnd_wide_problem *problem, nnd_wide_curves *record,
                               nnd_wide_accuracy *accuracy) {
    enum { LEVELS = 5 };
    const double goal = 1e-6, unusable = 1e-4;
    double change = INFINITY, rounding = 0.0;
    nnd_wide_curves coarse;
    nnd_status status = nnd_wide_curves_make(problem, &coarse);
    for (int level = 0; status == NND_OK && level < LEVELS && change > goal; level++) {
        nnd_plane_rule rule;
        status = make_rule(problem, level, &rule);
        if (status != NND_OK)
            break;
        accuracy->nodes = rule.count;
        nnd_wide_curves swap = coarse;
        coarse = *record;
        *record = swap;
        status = run(problem, rule, record, &rounding);
        if (status == NND_OK && level > 0)
            change = difference(&coarse, record);
    }
    nnd_wide_curves_clear(&coarse);
    accuracy->change = change;
    bool angles = nnd_activation_is_homogeneous(&problem->params->activation);
    accuracy->error = fmax(rounding, angles ? change : fmin(change, change * change));
    return status == NND_OK && change > unusable ? NND_NOT_CONVERGED : status;
}

void nnd_wide_quadrature_cost(const nnd_wide_mlp *params, nnd_cost *cost) {
    /* Rules that usually are the last one: of angles (relu), where features stay about what they
     * are, the third; else the second, or when training is rich and long the third. */
    const double angles = 4e6, few_angles = 2.5e5, half_plane = 2.3e5, per_visit = 80.0;
    const nnd_activation *a = &params->activation;
    bool rich = params->gamma0 > 2.0, late = (double)params->steps * params->lr > 4.0;
    double nodes = nnd_activation_is_odd(a) ? half_plane : 2.0 * half_plane;
    if (nnd_activation_is_homogeneous(a))
        nodes = rich ? few_angles : angles;
    else if (rich && late)
        nodes *= 4.0;
    cost->bytes = nodes * 3.0 * sizeof(double);
    cost->flops = 1.3 * nodes * per_visit * ((double)params->steps + 1.0);
    cost->threads = nodes / TILE;
}
