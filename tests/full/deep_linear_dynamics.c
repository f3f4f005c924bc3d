/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/deep_linear_dynamics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"

static double square(double x) {
    return x * x;
}

static nnd_scheme_options scheme_options(const nnd_deep_linear *p) {
    static const nnd_runge_kutta method[] = {
        [NND_EULER] = NND_RK_EULER,
        [NND_HEUN] = NND_RK_HEUN,
        [NND_RK4] = NND_RK_RK4,
        [NND_ADAPTIVE] = NND_RK_RK4, /* there is no such march */
    };
    return (nnd_scheme_options){
        .steps = (size_t)p->steps,
        .flow = p->integrator == NND_GRADIENT_FLOW,
        .momentum = p->momentum,
        .decay = p->weight_decay,
        .schedule = p->schedule.list.value,
        .schedule_count = p->schedule.list.count,
        .method = method[p->method],
        .dt = p->time / (double)p->steps,
    };
}

/* Fan-out over fan-in of A_l. */
static double aspect(const nnd_deep_linear *p, size_t l) {
    return l == 0 ? p->nu : 1.0;
}

/* Spike strengths (deep-linear.md#s1); the flow has eta0 = 1, its rate stands in the scheme. */
static void set_strengths(nnd_dynamics *d) {
    const nnd_deep_linear *p = d->params;
    double eta0 = p->integrator == NND_GRADIENT_FLOW ? 1.0 : p->lr;
    for (size_t l = 0; l <= d->depth; l++) {
        double sigma2 = square(nnd_deep_linear_sigma(p, l));
        d->c[l] = eta0 * d->gamma * sigma2 / (l == 0 ? 1.0 : p->nu);
    }
}

/* Fields of the D-space and the sample space, their primitives, and the data matrix. */
static nnd_status add_data(nnd_dynamics *d, nnd_space inputs) {
    nnd_march *m = d->march;
    nnd_status status = nnd_march_add_vector(m, inputs, 1.0, &d->target);
    if (status == NND_OK)
        status = nnd_march_add_field(m, inputs, &d->g[0]);
    if (status == NND_OK)
        status = nnd_march_add_field(m, inputs, &d->delta);
    if (d->params->training == NND_TRAIN_ONLINE) {
        d->h[0] = d->delta;
        return status;
    }
    if (status == NND_OK)
        status = nnd_march_add_field(m, inputs, &d->h[0]);
    if (status == NND_OK && d->params->training == NND_TRAIN_FRESH)
        return nnd_march_add_noise(m, inputs, &d->batch_noise);
    nnd_space samples;
    if (status == NND_OK)
        status = nnd_march_add_space(m, &samples);
    if (status == NND_OK)
        status = nnd_march_add_field(m, samples, &d->residual);
    if (status == NND_OK)
        status = nnd_march_add_vector(m, samples, 1.0, &d->label_noise);
    if (status == NND_OK)
        status =
            nnd_march_add_matrix(m, d->inv_alpha, d->params->alpha, d->delta, d->residual, &d->z);
    return status;
}

/* Layer l = 1..L: its two fields and the matrix A_{l-1} that leads to it. */
static nnd_status add_layer(nnd_dynamics *d, size_t l) {
    nnd_march *m = d->march;
    nnd_space layer;
    nnd_status status = nnd_march_add_space(m, &layer);
    if (status == NND_OK)
        status = nnd_march_add_field(m, layer, &d->g[l]);
    if (status == NND_OK)
        status = nnd_march_add_field(m, layer, &d->h[l]);
    if (status == NND_OK)
        status = nnd_march_add_matrix(m, square(nnd_deep_linear_sigma(d->params, l - 1)),
                                      aspect(d->params, l - 1), d->h[l - 1], d->g[l], &d->a[l - 1]);
    if (status == NND_OK && l == d->depth)
        status = nnd_march_add_vector(m, layer, square(nnd_deep_linear_sigma(d->params, l)),
                                      &d->readout);
    return status;
}

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

nnd_status nnd_dynamics_make(nnd_context *ctx, const nnd_deep_linear *p, nnd_dynamics *d) {
    nnd_scheme_options options = scheme_options(p);
    size_t depth = (size_t)p->depth;
    *d = (nnd_dynamics){
        .params = p,
        .depth = depth,
        .gamma = output_scale(p),
        .inv_alpha = 1.0 / p->alpha,
        .stages = nnd_scheme_stages(&options),
        .c = calloc(depth + 1, sizeof(double)),
        .g = calloc(depth + 1, sizeof(nnd_field)),
        .h = calloc(depth + 1, sizeof(nnd_field)),
        .a = calloc(depth, sizeof(nnd_matrix)),
    };
    if (d->c == NULL || d->g == NULL || d->h == NULL || d->a == NULL)
        return nnd_fail_memory(ctx, "the layers");
    set_strengths(d);
    nnd_space inputs;
    nnd_status status = nnd_march_new(ctx, nnd_scheme_queries(&options), &d->march);
    if (status == NND_OK)
        status = nnd_march_add_space(d->march, &inputs);
    if (status == NND_OK)
        status = add_data(d, inputs);
    for (size_t l = 1; status == NND_OK && l <= depth; l++)
        status = add_layer(d, l);
    return status;
}

void nnd_dynamics_clear(nnd_dynamics *d) {
    nnd_march_free(d->march);
    nnd_scheme_free(d->scheme);
    free(d->c);
    free(d->g);
    free(d->h);
    free(d->a);
    free(d->weight);
    memset(d, 0, sizeof *d);
}

/* Weights of a sum over queries: kappa times the response, plus the spikes of A_l so far. */
static size_t image_weights(nnd_dynamics *d, size_t l, nnd_direction direction) {
    size_t q = nnd_march_query(d->march);
    nnd_field queried = direction == NND_FORWARD ? d->h[l] : d->g[l + 1];
    const double *omega = nnd_scheme_omega(d->scheme);
    const double *gram = nnd_march_gram(d->march, queried, q);
    double kappa = nnd_scheme_kappa(d->scheme);
    size_t n = nnd_march_response(d->march, d->a[l], direction, q, d->weight);
    for (size_t p = 0; p < n; p++)
        d->weight[p] *= kappa;
    for (size_t p = 0; p < q; p++)
        d->weight[p] += d->c[l] * omega[p] * gram[p];
    return n;
}

/* g_L = a(q), then g_l = A_l(q)^T g_{l+1} down to the predictor (steps 1 to 3 of
 * deep-linear.md#s2-3). */
static void backward(nnd_dynamics *d) {
    nnd_march *m = d->march;
    size_t q = nnd_march_query(m), top = d->depth;
    double kappa = nnd_scheme_kappa(d->scheme);
    const double *omega = nnd_scheme_omega(d->scheme);
    nnd_march_begin(m, d->g[top]);
    nnd_march_add_vector_part(m, d->g[top], d->readout, kappa);
    for (size_t p = 0; p < q; p++)
        d->weight[p] = d->c[top] * omega[p];
    nnd_march_add_rows(m, d->g[top], d->h[top], q, d->weight);
    nnd_march_finish(m, d->g[top]);
    for (size_t l = top; l-- > 0;) {
        size_t n = image_weights(d, l, NND_BACKWARD);
        nnd_march_begin(m, d->g[l]);
        nnd_march_add_image(m, d->g[l], d->a[l], NND_BACKWARD, q, kappa);
        nnd_march_add_rows(m, d->g[l], d->h[l], n, d->weight);
        nnd_march_finish(m, d->g[l]);
    }
    nnd_march_begin(m, d->delta);
    nnd_march_add_vector_part(m, d->delta, d->target, 1.0);
    nnd_march_add_row(m, d->delta, d->g[0], q, -1.0 / d->gamma);
    if (d->params->center)
        nnd_march_add_row(m, d->delta, d->g[0], 0, 1.0 / d->gamma);
    nnd_march_finish(m, d->delta);
}

/* The residual and h_0 = Z^T r (step 4 of deep-linear.md#s2-3). */
static void data(nnd_dynamics *d) {
    nnd_march *m = d->march;
    size_t q = nnd_march_query(m);
    if (d->params->training == NND_TRAIN_ONLINE)
        return;
    if (d->params->training == NND_TRAIN_FRESH) {
        nnd_march_begin(m, d->h[0]);
        nnd_march_add_row(m, d->h[0], d->delta, q, 1.0);
        nnd_march_add_noise_part(m, d->h[0], d->batch_noise,
                                 nnd_dynamics_train_mse(d, q) * d->inv_alpha);
        nnd_march_finish(m, d->h[0]);
        return;
    }
    nnd_march_begin(m, d->residual);
    nnd_march_add_image(m, d->residual, d->z, NND_FORWARD, q, 1.0);
    nnd_march_add_vector_part(m, d->residual, d->label_noise, d->params->noise);
    size_t n = nnd_march_response(m, d->z, NND_FORWARD, q, d->weight);
    nnd_march_add_rows(m, d->residual, d->residual, n, d->weight);
    nnd_march_finish(m, d->residual);
    nnd_march_begin(m, d->h[0]);
    nnd_march_add_image(m, d->h[0], d->z, NND_BACKWARD, q, 1.0);
    n = nnd_march_response(m, d->z, NND_BACKWARD, q, d->weight);
    nnd_march_add_rows(m, d->h[0], d->delta, n, d->weight);
    nnd_march_finish(m, d->h[0]);
}

/* h_{l+1} = A_l(q) h_l (step 5 of deep-linear.md#s2-3). */
static void forward(nnd_dynamics *d) {
    nnd_march *m = d->march;
    size_t q = nnd_march_query(m);
    for (size_t l = 0; l < d->depth; l++) {
        size_t n = image_weights(d, l, NND_FORWARD);
        nnd_march_begin(m, d->h[l + 1]);
        nnd_march_add_image(m, d->h[l + 1], d->a[l], NND_FORWARD, q, nnd_scheme_kappa(d->scheme));
        nnd_march_add_rows(m, d->h[l + 1], d->g[l + 1], n, d->weight);
        nnd_march_finish(m, d->h[l + 1]);
    }
}

nnd_status nnd_dynamics_new_scheme(nnd_context *ctx, const nnd_dynamics *d, nnd_scheme **scheme) {
    nnd_scheme_options options = scheme_options(d->params);
    return nnd_scheme_new(ctx, &options, scheme);
}

nnd_status nnd_dynamics_run(nnd_context *ctx, nnd_dynamics *d) {
    nnd_scheme_options options = scheme_options(d->params);
    size_t queries = nnd_scheme_queries(&options);
    nnd_status status = nnd_march_ready(d->march);
    if (status == NND_OK)
        status = nnd_scheme_new(ctx, &options, &d->scheme);
    if (status != NND_OK)
        return status;
    d->weight = calloc(queries, sizeof *d->weight);
    if (d->weight == NULL)
        return nnd_fail_memory(ctx, "the march");
    for (d->done = 0; d->done < queries; d->done++) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at step %zu", d->done / d->stages);
        backward(d);
        data(d);
        forward(d);
        double mse = nnd_dynamics_train_mse(d, d->done);
        double last = nnd_march_gram(d->march, d->h[d->depth], d->done)[d->done];
        double limit =
            nnd_divergence_limit(d->params->divergence_bound, nnd_dynamics_train_mse(d, 0), 0.0);
        if (nnd_has_diverged(limit, mse) || nnd_has_diverged(INFINITY, last))
            return NND_DIVERGED;
        nnd_march_advance(d->march);
        nnd_scheme_advance(d->scheme);
    }
    return NND_OK;
}

double nnd_dynamics_test_risk(const nnd_dynamics *d, size_t q) {
    return nnd_march_gram(d->march, d->delta, q)[q];
}

double nnd_dynamics_train_mse(const nnd_dynamics *d, size_t q) {
    if (d->params->training == NND_TRAIN_FIXED)
        return nnd_march_gram(d->march, d->residual, q)[q];
    return nnd_dynamics_test_risk(d, q) + square(d->params->noise);
}

double nnd_dynamics_overlap(const nnd_dynamics *d, size_t q) {
    double start = d->params->center ? nnd_march_dot_vector(d->march, d->g[0], 0, d->target) : 0.0;
    return (nnd_march_dot_vector(d->march, d->g[0], q, d->target) - start) / d->gamma;
}

/* beta = (g_0 - g_0(0))/gamma may be tiny beside beta*, or what is left of it beside g_0(0)/gamma:
 * the form that cancels less. */
static double centred_gram(const nnd_dynamics *d, size_t q, size_t p) {
    double start = nnd_march_overlap(d->march, d->g[0], 0, 0) / square(d->gamma);
    if (start < 1.0)
        return start + (nnd_march_overlap(d->march, d->g[0], q, p) -
                        nnd_march_overlap(d->march, d->g[0], q, 0) -
                        nnd_march_overlap(d->march, d->g[0], p, 0)) /
                           square(d->gamma);
    return nnd_dynamics_overlap(d, q) + nnd_dynamics_overlap(d, p) - 1.0 +
           nnd_march_overlap(d->march, d->delta, q, p);
}

double nnd_dynamics_beta_gram(const nnd_dynamics *d, size_t q, size_t p) {
    return d->params->center ? centred_gram(d, q, p)
                             : nnd_march_overlap(d->march, d->g[0], q, p) / square(d->gamma);
}

double nnd_dynamics_g_gram(const nnd_dynamics *d, size_t l, size_t q, size_t p) {
    return nnd_march_overlap(d->march, d->g[l], q, p);
}

double nnd_dynamics_h_gram(const nnd_dynamics *d, size_t l, size_t q, size_t p) {
    return nnd_march_overlap(d->march, d->h[l], q, p);
}

double nnd_dynamics_residual_gram(const nnd_dynamics *d, size_t q, size_t p) {
    return nnd_march_overlap(d->march, d->residual, q, p);
}
