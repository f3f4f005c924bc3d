/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_lazy.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "theory/dual.h"
#include "theory/wide_mlp_descent.h"
#include "theory/wide_mlp_loss.h"

/* Gram matrices of all points at initialisation, layer by layer, and the tangent kernel. */
typedef struct {
    size_t points;
    double *h, *phi, *g, *slope, *ntk;
} kernels;

/* Outputs are f_mu = kappa^L K_mu,nu a_nu, and a is what descends: the gradient at a network whose
 * weights decay has shrunk by kappa is kappa^L times the initial one if phi is homogeneous
 * (wide-mlp.md#s13-6). Slots of samples x outputs numbers. */
typedef struct {
    const nnd_wide_problem *problem;
    const kernels *at;
    nnd_wide_curves *record;
    size_t numbers;
    double *a, *kappa, *output, *delta, *acted, *g, *ntk;
    double gain; /* kappa^L of the last evaluation */
    bool resting;
} lazy;

/* ---- kernels ---- */

/* H^1 = sigma_w^2 K^x + sigma_b^2, H^{l+1} = s H^l + beta^2 (sigma_w^2 Phi^l + sigma_b^2); G^l =
 * <phi' phi'> cov(z^l) + s G^{l+1}, cov(z^l) = beta^2 sigma_w^2 G^{l+1} and at the top sigma_w^2.
 */
static nnd_status recursion(const nnd_wide_problem *q, kernels *k) {
    size_t square = k->points * k->points, depth = q->depth;
    double sigma2 = q->params->sigma_w * q->params->sigma_w, beta2 = q->beta * q->beta;
    double bias2 = q->params->sigma_b * q->params->sigma_b;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < depth; l++) {
        const double *below = l == 0 ? q->gram : k->phi + (l - 1) * square;
        double *h = k->h + l * square;
        for (size_t i = 0; i < square; i++)
            h[i] = l == 0 ? sigma2 * below[i] + bias2
                          : q->skip * h[i - square] + beta2 * (sigma2 * below[i] + bias2);
        status = nnd_dual_moments(q->ctx, &q->params->activation, k->points, h, k->phi + l * square,
                                  k->slope + l * square);
    }
    for (size_t l = depth; status == NND_OK && l-- > 0;)
        for (size_t i = 0; i < square; i++) {
            bool top = l + 1 == depth;
            double above = top ? 1.0 : beta2 * k->g[(l + 1) * square + i];
            k->g[l * square + i] = sigma2 * above * k->slope[l * square + i] +
                                   (top ? 0.0 : q->skip * k->g[(l + 1) * square + i]);
        }
    return status;
}

/* The tangent kernel is that of one output times the unit matrix between outputs. */
static void find_ntk(const nnd_wide_problem *q, kernels *k) {
    nnd_wide_problem one = *q;
    one.outputs = 1;
    nnd_wide_ntk(&one, k->phi, k->g, k->ntk);
}

/* scale times a matrix between points, for all outputs. */
static void spread(const nnd_wide_problem *q, double scale, const double *from, double *to) {
    size_t outputs = q->outputs, n = q->points * outputs;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            to[a * n + b] = a % outputs == b % outputs
                                ? scale * from[a / outputs * q->points + b / outputs]
                                : 0.0;
}

/* ---- what descends ---- */

static nnd_status evaluate(void *data, size_t slot) {
    lazy *z = data;
    const nnd_wide_problem *q = z->problem;
    z->gain = pow(z->kappa[slot], (double)q->depth);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)q->points, (int)q->outputs,
                (int)q->samples, z->gain, z->at->ntk, (int)q->points, z->a + slot * z->numbers,
                (int)q->outputs, 0.0, z->output, (int)q->outputs);
    nnd_wide_loss_residual((nnd_wide_loss_kind)q->params->loss, q->samples, q->outputs,
                           q->set.targets, z->output, z->delta);
    return NND_OK;
}

static void combine(void *data, size_t slot, double keep, double factor, size_t other) {
    lazy *z = data;
    for (size_t i = 0; i < z->numbers; i++) {
        double *to = &z->a[slot * z->numbers + i];
        *to = (keep == 0.0 ? 0.0 : keep * *to) + factor * z->a[other * z->numbers + i];
    }
    z->kappa[slot] = (keep == 0.0 ? 0.0 : keep * z->kappa[slot]) + factor * z->kappa[other];
}

static nnd_status gradient(void *data, size_t slot, double keep, double factor, double felt,
                           const double *weight) {
    lazy *z = data;
    size_t outputs = z->problem->outputs;
    (void)felt;
    combine(data, slot, keep, 0.0, slot);
    z->resting = true;
    for (size_t i = 0; i < z->numbers; i++) {
        double u = z->problem->rate * z->gain * weight[i / outputs] * z->delta[i];
        z->a[slot * z->numbers + i] += factor * u;
        z->resting &= u == 0.0;
    }
    return NND_OK;
}

/* What a does to the outputs of training samples, relative to what they learn. */
static double size(const void *data, size_t slot) {
    const lazy *z = data;
    const nnd_wide_problem *q = z->problem;
    double scale = q->learned / q->params->gamma0, most = 0.0;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)q->samples, (int)q->outputs,
                (int)q->samples, 1.0, z->at->ntk, (int)q->points, z->a + slot * z->numbers,
                (int)q->outputs, 0.0, z->acted, (int)q->outputs);
    for (size_t i = 0; i < z->numbers; i++)
        most = isfinite(z->acted[i]) ? fmax(most, fabs(z->acted[i])) : INFINITY;
    return scale > 0.0 ? most / scale : most;
}

static bool rests(const void *data) {
    return ((const lazy *)data)->resting;
}

/* Kernels of the network that decay has shrunk: each field by kappa for each matrix below, or
 * above, it. */
static nnd_status record(lazy *z, size_t mark, double multiplier) {
    const nnd_wide_problem *q = z->problem;
    size_t square = q->points * q->points, n = q->points * q->outputs, layers = q->depth * square;
    double kappa = z->kappa[0], *h = z->g + q->depth * n * n, *phi = h + layers;
    double *readout = phi + layers;
    for (size_t l = 0; l < q->depth; l++) {
        double forward = pow(kappa, 2.0 * (double)(l + 1));
        double backward = pow(kappa, 2.0 * (double)(q->depth - l));
        for (size_t i = 0; i < square; i++) {
            h[l * square + i] = forward * z->at->h[l * square + i];
            phi[l * square + i] = forward * z->at->phi[l * square + i];
        }
        spread(q, backward, z->at->g + l * square, z->g + l * n * n);
    }
    spread(q, z->gain * z->gain, z->at->ntk, z->ntk);
    for (size_t c = 0; c < q->outputs; c++)
        readout[c] = kappa * kappa * q->params->sigma_w * q->params->sigma_w;
    for (size_t i = 0; i < square; i++)
        readout[q->outputs + i] =
            kappa * kappa * q->params->sigma_w * q->params->sigma_w * q->gram[i];
    nnd_wide_curves_outputs(z->record, mark, kappa, z->output);
    return nnd_wide_curves_kernels(z->record, mark, multiplier,
                                   &(nnd_wide_averages){.output = z->output,
                                                        .h = h,
                                                        .phi = phi,
                                                        .g = z->g,
                                                        .unbiased = readout + q->outputs,
                                                        .readout = readout,
                                                        .ntk = z->ntk});
}

static nnd_status watch_edge(lazy *z, size_t step, const double *weight) {
    const nnd_wide_problem *q = z->problem;
    size_t n = q->samples * q->outputs;
    if (q->params->integrator == NND_GRADIENT_FLOW || z->record->edge != SIZE_MAX)
        return NND_OK;
    double *value = malloc(n * sizeof *value);
    if (value == NULL)
        return nnd_fail_memory(q->ctx, "the stability");
    spread(q, z->gain * z->gain, z->at->ntk, z->ntk);
    nnd_status status = nnd_wide_curvatures(q, weight, z->output, z->ntk, value);
    nnd_wide_note_edge(z->record, step, nnd_wide_mlp_rate(q->params, step), value[n - 1]);
    free(value);
    return status;
}

static nnd_status visit(void *data, double now, size_t mark, const double *weight) {
    lazy *z = data;
    const nnd_wide_problem *q = z->problem;
    bool steps = q->params->integrator == NND_DESCENT;
    if (nnd_has_diverged(nnd_wide_loss_limit(q), nnd_wide_loss(q, z->output))) {
        z->record->diverged = nnd_wide_mlp_time(q->params, now);
        return NND_DIVERGED;
    }
    nnd_status status = NND_OK;
    if (mark != SIZE_MAX)
        status = record(z, mark, steps ? nnd_wide_mlp_rate(q->params, (size_t)now) : 1.0);
    return status == NND_OK && steps ? watch_edge(z, (size_t)now, weight) : status;
}

static nnd_status descend(const nnd_wide_problem *q, const kernels *k, nnd_wide_curves *curves) {
    size_t slots = nnd_wide_descent_slots(q->params), numbers = q->samples * q->outputs;
    size_t n = q->points * q->outputs, square = q->points * q->points;
    lazy z = {.problem = q, .at = k, .record = curves, .numbers = numbers};
    const nnd_wide_dynamics dynamics = {&z, evaluate, gradient, combine, size, rests, visit};
    double *room = calloc(slots * (numbers + 1) + n + 2 * numbers + (q->depth + 1) * n * n +
                              2 * q->depth * square + q->outputs + square,
                          sizeof *room);
    if (room == NULL)
        return nnd_fail_memory(q->ctx, "the outputs");
    z.a = room;
    z.kappa = z.a + slots * numbers;
    z.output = z.kappa + slots;
    z.delta = z.output + n;
    z.acted = z.delta + numbers;
    z.ntk = z.acted + numbers;
    z.g = z.ntk + n * n;
    z.kappa[0] = 1.0;
    nnd_status status = nnd_wide_descend(q, &dynamics);
    free(room);
    return status == NND_DIVERGED ? NND_OK : status;
}

/* The same kernel at all pairs of times. */
static void fill_two_time(const nnd_wide_problem *q, const kernels *k, nnd_wide_curves *record) {
    size_t times = q->marks.count, n = q->samples, square = k->points * k->points;
    double *phi = record->x[WIDE_PHI_TWO_TIME], *g = record->x[WIDE_G_TWO_TIME];
    for (size_t l = 0; phi != NULL && l < q->depth; l++)
        for (size_t t = 0; t < times * times; t++)
            for (size_t i = 0; i < n * n; i++) {
                size_t from = l * square + i / n * k->points + i % n;
                phi[(l * times * times + t) * n * n + i] = k->phi[from];
                g[(l * times * times + t) * n * n + i] = k->g[from];
            }
}

/* Decay changes the kernels themselves, in a way that is known for homogeneous networks alone. */
static nnd_status check(const nnd_wide_problem *q) {
    const nnd_wide_mlp *p = q->params;
    const char *why = p->two_time                     ? "two_time"
                      : p->sigma_b > 0.0              ? "sigma_b"
                      : q->skip > 0.0 && q->depth > 1 ? "residual"
                      : !nnd_activation_is_homogeneous(&p->activation)
                          ? "an activation that is not homogeneous"
                          : NULL;
    if (p->weight_decay == 0.0 || why == NULL)
        return NND_OK;
    return nnd_fail(q->ctx, NND_E_INPUT,
                    "params.weight_decay: %g has no theory with parameterization: ntk and %s; "
                    "allowed: relu or linear layers without biases, skip connections and two_time",
                    p->weight_decay, why);
}

nnd_status nnd_wide_lazy(const nnd_wide_problem *problem, nnd_wide_curves *record) {
    size_t layers = problem->depth * problem->points * problem->points;
    kernels k = {.points = problem->points, .h = calloc(5 * layers, sizeof(double))};
    nnd_status status = k.h != NULL ? check(problem) : nnd_fail_memory(problem->ctx, "the kernels");
    if (status == NND_OK) {
        k.phi = k.h + layers;
        k.g = k.phi + layers;
        k.slope = k.g + layers;
        k.ntk = k.slope + layers;
        status = recursion(problem, &k);
    }
    if (status == NND_OK) {
        find_ntk(problem, &k);
        status = descend(problem, &k, record);
    }
    if (status == NND_OK)
        fill_two_time(problem, &k, record);
    free(k.h);
    return status;
}
