/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nodes of a rule, and what is a single sum over them. */
#include "nndmft/solvers/spectral_rule.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solvers/spectral_moment.h"

enum { BISECTIONS = 200 };

/* ---- edges ---- */

/* dF/dkappa for F(kappa) = kappa (1 - (1/P) sum s/(s + kappa)); it vanishes at an edge, where
 * z = -F. */
static double slope(const nnd_eigenmodes *p, const nnd_pair_task *task, double kappa) {
    double sum = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i] + task->input_noise;
        if (s > 0.0)
            sum += p->multiplicity[i] * (s / (s + kappa)) * (s / (s + kappa));
    }
    return 1.0 - sum / task->samples;
}

static double position(const nnd_eigenmodes *p, const nnd_pair_task *task, double kappa) {
    double sum = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i] + task->input_noise;
        if (s > 0.0)
            sum += p->multiplicity[i] * s / (s + kappa);
    }
    return -kappa * (1.0 - sum / task->samples);
}

/* Between `negative`, where the slope is below 0, and `positive`, where it is above. */
static double edge_between(const nnd_eigenmodes *p, const nnd_pair_task *task, double negative,
                           double positive) {
    for (int n = 0; n < BISECTIONS; n++) {
        double middle = 0.5 * (negative + positive);
        if (middle == negative || middle == positive)
            break;
        if (slope(p, task, middle) < 0.0)
            negative = middle;
        else
            positive = middle;
    }
    return position(p, task, positive);
}

void nnd_sample_edges(const nnd_eigenmodes *p, const nnd_pair_task *task, double edge[2]) {
    double least = INFINITY, largest = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i] + task->input_noise;
        largest = fmax(largest, s);
        if (s > 0.0)
            least = fmin(least, s);
    }
    double far = -2.0 * largest;
    while (slope(p, task, far) <= 0.0)
        far *= 2.0;
    edge[1] = edge_between(p, task, -largest, far);
    double zero = nnd_kappa(p, task->samples, task->input_noise, 0.0);
    edge[0] = fmax(0.0, edge_between(p, task, zero > 0.0 ? 0.0 : -least, zero));
}

/* ---- making ---- */

void nnd_spectral_rule_clear(nnd_spectral_rule *rule) {
    free(rule->z);
    free(rule->learn);
    free(rule->weight);
    free(rule->kappa);
    free(rule->density);
    free(rule->moment);
    *rule = (nnd_spectral_rule){0};
}

static nnd_status prepare(nnd_context *ctx, const nnd_eigenmodes *modes, const nnd_pair_task *task,
                          size_t count, nnd_spectral_rule *rule) {
    *rule = (nnd_spectral_rule){.count = count, .modes = *modes, .task = *task};
    rule->label2 = task->label_noise;
    for (size_t i = 0; i < modes->count; i++)
        rule->label2 += modes->eigenvalue[i] * modes->teacher2[i];
    nnd_sample_edges(modes, task, rule->edge);
    rule->z = calloc(count, sizeof *rule->z);
    rule->learn = calloc(count, sizeof *rule->learn);
    return rule->z != NULL && rule->learn != NULL ? NND_OK : nnd_fail_memory(ctx, "nodes");
}

bool nnd_has_marchenko_pastur(const nnd_eigenmodes *p, const nnd_pair_task *task) {
    return p->count == 1 && p->eigenvalue[0] == 1.0 && p->multiplicity[0] == 1.0 &&
           task->input_noise == 0.0 && !task->independent;
}

nnd_status nnd_spectral_rule_isotropic(nnd_context *ctx, const nnd_eigenmodes *modes,
                                       const nnd_pair_task *task, size_t count,
                                       nnd_spectral_rule *rule) {
    nnd_status status = prepare(ctx, modes, task, count, rule);
    if (status == NND_OK) {
        rule->density = calloc(count, sizeof *rule->density);
        if (rule->density == NULL)
            status = nnd_fail_memory(ctx, "nodes");
    }
    if (status != NND_OK) {
        nnd_spectral_rule_clear(rule);
        return status;
    }
    double y = 1.0 / task->samples, b2 = modes->teacher2[0];
    for (size_t j = 0; j < count; j++) {
        double angle = ((double)j + 0.5) * M_PI / (double)count, sine = sin(angle);
        double s = 1.0 + y + 2.0 * sqrt(y) * cos(angle);
        rule->z[j] = s;
        rule->density[j] = 2.0 * sine * sine / (double)count;
        rule->learn[j] = rule->density[j] * (b2 * s + task->label_noise * y);
    }
    return NND_OK;
}

/* The node number j from the left, and its weight dz/(2 pi i) counter-clockwise. */
static void place(nnd_spectral_rule *rule, double reach, size_t j) {
    double radius = 0.5 * (rule->edge[1] - rule->edge[0]);
    double centre = 0.5 * (rule->edge[1] + rule->edge[0]), a = radius + reach;
    double b = sqrt(reach * (2.0 * radius + reach));
    double step = M_PI / (double)rule->count, angle = M_PI - ((double)j + 0.5) * step;
    rule->z[j] = centre + a * cos(angle) + I * b * sin(angle);
    double complex slope_z = -a * sin(angle) + I * b * cos(angle);
    rule->weight[j] = slope_z * step / (2.0 * M_PI * I);
}

/* kappa at all nodes, from the left, where lambda = -z begins on the real axis or near it. */
static nnd_status find_kappa(nnd_context *ctx, nnd_spectral_rule *rule, double reach) {
    const nnd_eigenmodes *p = &rule->modes;
    double samples = rule->task.samples, shift = rule->task.input_noise;
    /* In the upper half plane lambda = -z has a negative imaginary part; far out kappa is
     * lambda + tr Sigma/P. */
    double complex from = -I * 64.0 * (rule->edge[1] + reach), kappa = from;
    for (size_t i = 0; i < p->count; i++)
        kappa += p->multiplicity[i] * (p->eigenvalue[i] + shift) / samples;
    nnd_resolvent resolvent = {p, samples, INFINITY, shift};
    double complex *lambda = calloc(rule->count, sizeof *lambda);
    if (lambda == NULL)
        return nnd_fail_memory(ctx, "nodes");
    for (size_t j = 0; j < rule->count; j++)
        lambda[j] = -rule->z[j];
    nnd_status status =
        nnd_kappa_along(ctx, &resolvent, from, kappa, rule->count, lambda, rule->kappa);
    free(lambda);
    return status;
}

nnd_status nnd_spectral_rule_contour(nnd_context *ctx, const nnd_eigenmodes *modes,
                                     const nnd_pair_task *task, double reach, size_t count,
                                     nnd_spectral_rule *rule) {
    nnd_status status = prepare(ctx, modes, task, count, rule);
    if (status == NND_OK) {
        rule->weight = calloc(count, sizeof *rule->weight);
        rule->kappa = calloc(count, sizeof *rule->kappa);
        rule->moment = calloc(count * NND_MOMENTS, sizeof *rule->moment);
        if (rule->weight == NULL || rule->kappa == NULL || rule->moment == NULL)
            status = nnd_fail_memory(ctx, "nodes");
    }
    for (size_t j = 0; status == NND_OK && j < count; j++)
        place(rule, reach, j);
    if (status == NND_OK)
        status = find_kappa(ctx, rule, reach);
    if (status != NND_OK) {
        nnd_spectral_rule_clear(rule);
        return status;
    }
    for (size_t j = 0; j < count; j++) {
        double complex *moment = rule->moment + j * NND_MOMENTS;
        nnd_spectral_moments(modes, task, rule->kappa[j], moment);
        rule->learn[j] =
            2.0 * rule->weight[j] * rule->kappa[j] *
            (rule->z[j] * moment[NND_LEARN_SIGNAL] + moment[NND_LEARN_NOISE] / task->samples);
    }
    return NND_OK;
}

double nnd_spectral_learn(const nnd_spectral_rule *rule, const double complex *values) {
    double sum = 0.0;
    for (size_t j = 0; j < rule->count; j++)
        sum += creal(rule->learn[j]) * creal(values[j]) - cimag(rule->learn[j]) * cimag(values[j]);
    return sum;
}
