/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_small.h"

#include <math.h>
#include <stdlib.h>

static double square(double x) {
    return x * x;
}

/* ---- set-up ---- */

/* A centred predictor is (g_0 - g_0(0))/gamma: its square loses 1e-16/gamma^2 to rounding, while
 * the limit gamma -> 0 is as near as gamma^2, both in units of prod sigma_l over the size of
 * targets. Below the gamma at which they are equal, 1e-4, the run at 1e-4 is the better answer. */
static double output_scale(const nnd_deep_linear *p) {
    double gamma = p->gamma0 * (p->parameterization == NND_MUP ? sqrt(p->nu) : 1.0);
    double least = 1e-4 * fmin(1.0, sqrt(p->nu)) / sqrt(1.0 + square(p->noise));
    for (size_t l = 0; l <= (size_t)p->depth; l++)
        least *= nnd_deep_linear_sigma(p, l);
    return p->center ? fmax(gamma, least) : gamma;
}

/* Spike strengths (deep-linear.md#s1); the flow has eta0 = 1, its rate is its step. */
static void set_strengths(nnd_small *n) {
    const nnd_deep_linear *p = n->params;
    double eta0 = p->integrator == NND_GRADIENT_FLOW ? 1.0 : p->lr;
    for (size_t l = 0; l <= n->depth; l++) {
        double sigma2 = square(nnd_deep_linear_sigma(p, l));
        n->c[l] = eta0 * n->gamma * sigma2 / (l == 0 ? 1.0 : p->nu);
    }
}

static nnd_status add_matrices(nnd_small *n) {
    nnd_status status = NND_OK;
    for (size_t l = 0; l < n->depth && status == NND_OK; l++) {
        status = nnd_conditioned_add_matrix(n->system, square(nnd_deep_linear_sigma(n->params, l)),
                                            l == 0 ? n->params->nu : 1.0, n->space[l],
                                            n->space[l + 1], &n->a[l]);
        if (status == NND_OK && n->params->momentum > 0.0)
            status = nnd_conditioned_add_block(n->system, n->a[l], &n->v[l]);
    }
    if (status == NND_OK && n->params->training == NND_TRAIN_FIXED)
        status = nnd_conditioned_add_matrix(n->system, n->inv_alpha, n->params->alpha, n->space[0],
                                            n->space[n->depth + 1], &n->z);
    return status;
}

static nnd_status drawn(nnd_small *n, nnd_known_space space, double length, nnd_known_vector *v) {
    nnd_status status = nnd_conditioned_add_vector(n->system, space, v);
    return status == NND_OK ? nnd_conditioned_draw(n->system, *v, length) : status;
}

static nnd_status add_state(nnd_small *n) {
    const nnd_deep_linear *p = n->params;
    nnd_known_space top = n->space[n->depth];
    nnd_status status = drawn(n, n->space[0], 1.0, &n->target);
    if (status == NND_OK)
        status = drawn(n, top, nnd_deep_linear_sigma(p, n->depth), &n->readout);
    if (status == NND_OK)
        status = nnd_conditioned_add_vector(n->system, top, &n->readout_velocity);
    if (status == NND_OK)
        status = nnd_conditioned_add_vector(n->system, n->space[0], &n->start);
    if (status == NND_OK && p->training == NND_TRAIN_FIXED)
        status = drawn(n, n->space[n->depth + 1], p->noise, &n->label_noise);
    return status;
}

static nnd_status add_fields(nnd_context *ctx, nnd_small *n, nnd_small_fields *f) {
    f->g = calloc(n->depth + 1, sizeof *f->g);
    f->h = calloc(n->depth + 1, sizeof *f->h);
    nnd_status status =
        f->g != NULL && f->h != NULL ? NND_OK : nnd_fail_memory(ctx, "a small network");
    if (status == NND_OK)
        status = nnd_conditioned_add_vector(n->system, n->space[0], &f->delta);
    if (status == NND_OK)
        status = nnd_conditioned_add_vector(n->system, n->space[n->depth + 1], &f->residual);
    for (size_t l = 0; l <= n->depth && status == NND_OK; l++) {
        status = nnd_conditioned_add_vector(n->system, n->space[l], &f->g[l]);
        if (l == 0 && n->params->training == NND_TRAIN_ONLINE)
            f->h[0] = f->delta;
        else if (status == NND_OK)
            status = nnd_conditioned_add_vector(n->system, n->space[l], &f->h[l]);
    }
    return status;
}

nnd_status nnd_small_make(nnd_context *ctx, const nnd_deep_linear *p, double tolerance,
                          size_t stages, nnd_small *n) {
    size_t depth = (size_t)p->depth;
    *n = (nnd_small){
        .params = p,
        .depth = depth,
        .gamma = output_scale(p),
        .inv_alpha = 1.0 / p->alpha,
        .tolerance = tolerance,
        .kappa = 1.0,
        .stages = stages,
        .c = calloc(depth + 1, sizeof(double)),
        .space = calloc(depth + 2, sizeof(nnd_known_space)),
        .a = calloc(depth, sizeof(nnd_known_matrix)),
        .v = calloc(depth, sizeof(nnd_known_block)),
    };
    if (n->c == NULL || n->space == NULL || n->a == NULL || n->v == NULL)
        return nnd_fail_memory(ctx, "the layers");
    set_strengths(n);
    nnd_status status = nnd_conditioned_new(ctx, &n->system);
    for (size_t s = 0; s < depth + 2 && status == NND_OK; s++)
        status = nnd_conditioned_add_space(n->system, &n->space[s]);
    if (status == NND_OK)
        status = add_matrices(n);
    if (status == NND_OK)
        status = add_state(n);
    for (size_t i = 0; i < stages && status == NND_OK; i++)
        status = add_fields(ctx, n, &n->fields[i]);
    return status;
}

void nnd_small_clear(nnd_small *n) {
    nnd_conditioned_free(n->system);
    for (size_t i = 0; i < NND_SMALL_STAGES; i++) {
        free(n->fields[i].g);
        free(n->fields[i].h);
    }
    free(n->c);
    free(n->space);
    free(n->a);
    free(n->v);
    *n = (nnd_small){0};
}

/* ---- an evaluation ---- */

static void copy(nnd_small *n, nnd_known_vector from, nnd_known_vector to) {
    nnd_conditioned_zero(n->system, to);
    nnd_conditioned_add(n->system, 1.0, from, to);
}

double nnd_small_output_unit(const nnd_small *n) {
    double unit = 1.0;
    for (size_t l = 0; l <= n->depth && !n->params->center; l++)
        unit *= nnd_deep_linear_sigma(n->params, l);
    return fmin(1.0, n->gamma / unit);
}

/* g_L = a, then g_l = A_l^T g_{l+1} down to the predictor. */
static nnd_status backward(nnd_small *n, nnd_small_fields *f) {
    nnd_conditioned *c = n->system;
    /* What is dropped of g reaches beta = g_0/gamma. */
    double tolerance = n->tolerance * nnd_small_output_unit(n);
    nnd_status status = NND_OK;
    copy(n, n->readout, f->g[n->depth]);
    for (size_t l = n->depth; l-- > 0 && status == NND_OK;)
        status = nnd_conditioned_ask(c, n->a[l], NND_BACKWARD, tolerance, f->g[l + 1], f->g[l]);
    if (status != NND_OK)
        return status;
    if (n->params->center && !n->started)
        copy(n, f->g[0], n->start);
    n->started = true;
    copy(n, n->target, f->delta);
    nnd_conditioned_add(c, -1.0 / n->gamma, f->g[0], f->delta);
    if (n->params->center)
        nnd_conditioned_add(c, 1.0 / n->gamma, n->start, f->delta);
    return NND_OK;
}

/* |Delta|^2/P of a fresh batch, or of the population. */
static double population_mse(const nnd_small *n, const nnd_small_fields *f) {
    return nnd_conditioned_dot(n->system, f->delta, f->delta) + square(n->params->noise);
}

/* The residual and h_0 = Z^T r; online h_0 is delta itself. */
static nnd_status data(nnd_small *n, nnd_small_fields *f) {
    nnd_conditioned *c = n->system;
    if (n->params->training == NND_TRAIN_ONLINE)
        return NND_OK;
    if (n->params->training == NND_TRAIN_FRESH) {
        copy(n, f->delta, f->h[0]);
        return nnd_conditioned_draw(c, f->h[0], sqrt(population_mse(n, f) * n->inv_alpha));
    }
    nnd_status status =
        nnd_conditioned_ask(c, n->z, NND_FORWARD, n->tolerance, f->delta, f->residual);
    if (status != NND_OK)
        return status;
    nnd_conditioned_add(c, 1.0, n->label_noise, f->residual);
    return nnd_conditioned_ask(c, n->z, NND_BACKWARD, n->tolerance, f->residual, f->h[0]);
}

nnd_status nnd_small_evaluate(nnd_small *n, size_t stage) {
    nnd_small_fields *f = &n->fields[stage];
    nnd_status status = backward(n, f);
    if (status == NND_OK)
        status = data(n, f);
    for (size_t l = 0; l < n->depth && status == NND_OK; l++)
        status = nnd_conditioned_ask(n->system, n->a[l], NND_FORWARD, n->tolerance, f->h[l],
                                     f->h[l + 1]);
    return status;
}

/* ---- steps ---- */

void nnd_small_move(nnd_small *n, size_t stage, double weight) {
    const nnd_small_fields *f = &n->fields[stage];
    for (size_t l = 0; l < n->depth; l++)
        nnd_conditioned_add_outer(n->system, n->a[l], weight * n->c[l], f->g[l + 1], f->h[l]);
    nnd_conditioned_add(n->system, weight * n->c[n->depth], f->h[n->depth], n->readout);
}

/* v <- m v + rate h_L, a <- (1 - lambda) a + v. */
static void descend_readout(nnd_small *n, double rate) {
    nnd_conditioned *c = n->system;
    nnd_conditioned_add(c, n->params->momentum - 1.0, n->readout_velocity, n->readout_velocity);
    nnd_conditioned_add(c, rate * n->c[n->depth], n->fields[0].h[n->depth], n->readout_velocity);
    nnd_conditioned_add(c, -n->params->weight_decay, n->readout, n->readout);
    nnd_conditioned_add(c, 1.0, n->readout_velocity, n->readout);
}

void nnd_small_descend(nnd_small *n, double rate) {
    const nnd_deep_linear *p = n->params;
    const nnd_small_fields *f = &n->fields[0];
    double keep = 1.0 - p->weight_decay;
    for (size_t l = 0; l < n->depth; l++) {
        double weight = rate * n->c[l];
        if (keep < 1.0)
            nnd_conditioned_scale(n->system, n->a[l], keep);
        if (p->momentum > 0.0) {
            nnd_conditioned_block_outer(n->system, n->v[l], p->momentum, weight, f->g[l + 1],
                                        f->h[l]);
            nnd_conditioned_add_to_matrix(n->system, n->v[l]);
        } else
            nnd_conditioned_add_outer(n->system, n->a[l], weight, f->g[l + 1], f->h[l]);
    }
    n->kappa *= keep;
    descend_readout(n, rate);
}

/* ---- curves ---- */

static double norm2(const nnd_small *n, nnd_known_vector v) {
    return nnd_conditioned_dot(n->system, v, v);
}

double nnd_small_test_risk(const nnd_small *n) {
    return norm2(n, n->fields[0].delta);
}

double nnd_small_train_mse(const nnd_small *n) {
    return n->params->training == NND_TRAIN_FIXED ? norm2(n, n->fields[0].residual)
                                                  : population_mse(n, &n->fields[0]);
}

/* gamma beta along a coordinate of the inputs: of g_0 itself, or beyond its start. What is left of
 * beta* in delta does not tell a small beta. */
static double output_along(const nnd_small *n, size_t i) {
    const double *g = nnd_conditioned_vector(n->system, n->fields[0].g[0]);
    const double *start = nnd_conditioned_vector(n->system, n->start);
    return n->params->center ? g[i] - start[i] : g[i];
}

double nnd_small_overlap(const nnd_small *n) {
    const double *target = nnd_conditioned_vector(n->system, n->target);
    double sum = 0.0;
    for (size_t i = 0; i < nnd_conditioned_dim(n->system, n->space[0]); i++)
        sum += output_along(n, i) * target[i];
    return sum / n->gamma;
}

double nnd_small_beta_norm2(const nnd_small *n) {
    double sum = 0.0;
    for (size_t i = 0; i < nnd_conditioned_dim(n->system, n->space[0]); i++)
        sum += square(output_along(n, i));
    return sum / square(n->gamma);
}

double nnd_small_g_norm2(const nnd_small *n, size_t l) {
    return norm2(n, n->fields[0].g[l]);
}

double nnd_small_h_norm2(const nnd_small *n, size_t l) {
    return norm2(n, n->fields[0].h[l]);
}

double nnd_small_ntk_weight(const nnd_small *n, size_t l) {
    double sigma2 = square(nnd_deep_linear_sigma(n->params, l));
    double gram = l < n->depth ? nnd_small_g_norm2(n, l + 1) : 1.0;
    return sigma2 * gram / (l == 0 ? 1.0 : n->params->nu);
}
