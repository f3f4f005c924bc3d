/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_march.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/pages.h"
#include "core/rng.h"
#include "core/streams.h"
#include "solvers/block_products.h"
#include "theory/deep_march_impl.h"
#include "theory/initial_fields.h"

/* ---- set-up ---- */

static nnd_status make_populations(nnd_deep_march *m) {
    const nnd_deep_problem *q = m->problem;
    nnd_population_options o = {
        .fresh = NND_FRESH_MATCHED,
        .sites = m->sites,
        .net = m->sampling->net,
        .key = m->sampling->key,
    };
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < m->depth; l++) {
        o.stream = NND_STREAM_DEEP_FLUCTUATIONS_THEORY_LAYERS + (uint32_t)l;
        status = nnd_population_new(m->ctx, &o, &m->population[l]);
    }
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++) {
        nnd_traced_options matrix = {
            .in = m->population[l],
            .out = m->population[l + 1],
            .sigma = {q->sigma_w, q->sigma_w * sqrt(q->widths[l] / q->widths[l + 1])},
            .tol = {m->sampling->rank_tol, m->sampling->rank_tol},
        };
        status = nnd_traced_new(m->ctx, &matrix, &m->matrix[l]);
    }
    return status;
}

/* h^1 = sigma_w (K^x)^(1/2) eps, z^L = sigma_w eps. */
static nnd_status draw_initial(nnd_deep_march *m) {
    const nnd_deep_problem *q = m->problem;
    nnd_status status = nnd_initial_fields(m->ctx, m->population[0], m->points, q->gram, q->sigma_w,
                                           m->phi, m->first_h);
    if (status == NND_OK)
        status =
            nnd_population_draw(m->population[m->depth - 1], 1, 0, NULL, m->first_readout, NULL);
    if (status == NND_OK)
        cblas_dscal((int)m->sites, q->sigma_w, m->first_readout, 1);
    return status;
}

static nnd_status make(nnd_deep_march *m) {
    const nnd_deep_problem *q = m->problem;
    size_t block = m->points * m->sites, times = q->steps + 1;
    struct {
        double **array;
        size_t numbers;
    } const needed[] = {
        {&m->h, m->depth * block},
        {&m->phi, m->depth * block},
        {&m->slope, m->depth * block},
        {&m->z, m->depth * block},
        {&m->g, m->depth * block},
        {&m->readout, m->sites},
        {&m->first_h, block},
        {&m->first_readout, m->sites},
        {&m->first_output, m->points},
        {&m->output, m->points},
        {&m->delta, q->samples},
        {&m->step_weight, q->samples},
        {&m->scratch, m->sites + m->points * m->points},
        {&m->h_history, times * m->depth * block},
        {&m->z_history, times * (m->depth - 1) * m->back * m->sites + 1},
        {&m->readout_history, times * m->sites},
        {&m->factor, times * q->samples},
        {&m->weights, times * q->samples},
    };
    bool there = true;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        *needed[i].array = nnd_pages_new(needed[i].numbers);
        there &= *needed[i].array != NULL;
    }
    m->population = calloc(m->depth, sizeof(nnd_population *));
    m->matrix = calloc(m->depth, sizeof(nnd_traced *));
    if (!there || m->population == NULL || m->matrix == NULL)
        return nnd_fail_memory(m->ctx, "the march");
    memset(m->first_h, 0, block * sizeof *m->first_h);
    nnd_status status = nnd_schedule_make(m->ctx, q->batch, q->samples, &m->schedule);
    if (status == NND_OK)
        status = make_populations(m);
    return status == NND_OK ? draw_initial(m) : status;
}

nnd_status nnd_deep_march_new(nnd_context *ctx, const nnd_deep_problem *problem,
                              const nnd_deep_sampling *sampling, nnd_deep_march **march) {
    nnd_deep_march *m = calloc(1, sizeof *m);
    if (m == NULL)
        return nnd_fail_memory(ctx, "the march");
    *m = (nnd_deep_march){
        .ctx = ctx,
        .problem = problem,
        .sampling = sampling,
        .sites = sampling->sites,
        .depth = problem->depth,
        .points = problem->points,
        .back = problem->kernels ? problem->points : problem->samples,
    };
    nnd_status status = make(m);
    if (status == NND_OK)
        *march = m;
    else
        nnd_deep_march_free(m);
    return status;
}

void nnd_deep_march_free(nnd_deep_march *m) {
    if (m == NULL)
        return;
    for (size_t l = 0; m->matrix != NULL && l < m->depth; l++)
        nnd_traced_free(m->matrix[l]);
    for (size_t l = 0; m->population != NULL && l < m->depth; l++)
        nnd_population_free(m->population[l]);
    void *const owned[] = {m->population,
                           m->matrix,
                           m->h,
                           m->phi,
                           m->slope,
                           m->z,
                           m->g,
                           m->readout,
                           m->first_h,
                           m->first_readout,
                           m->first_output,
                           m->output,
                           m->delta,
                           m->step_weight,
                           m->scratch,
                           m->h_history,
                           m->z_history,
                           m->readout_history,
                           m->factor,
                           m->weights,
                           m->adjoint};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    nnd_schedule_clear(&m->schedule);
    free(m);
}

double nnd_deep_march_bytes(const nnd_deep_march *m) {
    double times = (double)m->problem->steps + 1.0, depth = (double)m->depth;
    double vectors =
        (5.0 + times) * depth * (double)m->points + times * ((depth - 1.0) * (double)m->back + 1.0);
    double bytes = vectors * (double)m->sites * sizeof(double);
    for (size_t l = 0; l < m->depth; l++)
        bytes += nnd_population_bytes(m->population[l]);
    for (size_t l = 0; l + 1 < m->depth; l++)
        bytes += nnd_traced_bytes(m->matrix[l]);
    return bytes;
}

size_t nnd_deep_sites(const nnd_deep_march *m) {
    return m->sites;
}

void nnd_deep_ranks(const nnd_deep_march *m, size_t l, size_t rank[2]) {
    rank[0] = nnd_traced_rank(m->matrix[l], NND_FORWARD);
    rank[1] = nnd_traced_rank(m->matrix[l], NND_BACKWARD);
}

double nnd_deep_work(const nnd_deep_march *m) {
    double work = m->multiply_adds;
    for (size_t l = 0; l + 1 < m->depth; l++)
        work += nnd_traced_work(m->matrix[l]);
    return work;
}

/* ---- inner products under the weights ---- */

static double mean_product(const nnd_deep_march *m, size_t l, const double *a, const double *b) {
    const double *w = m->weight != NULL ? m->weight + l * m->sites : NULL;
    double sum = 0.0;
    if (w == NULL)
        return cblas_ddot((int)m->sites, a, 1, b, 1) / (double)m->sites;
    for (size_t i = 0; i < m->sites; i++)
        sum += w[i] * a[i] * b[i];
    return sum / (double)m->sites;
}

static double gram(const nnd_deep_march *m, double *field, size_t l, size_t mu, size_t nu) {
    const double *x = nnd_deep_layer(m, field, l);
    return mean_product(m, l, x + mu * m->sites, x + nu * m->sites);
}

/* K = sigma_w^2 (K^x G^1 + sum_l Phi^l G^{l+1} + Phi^L). */
static double ntk(const nnd_deep_march *m, size_t mu, size_t nu) {
    const nnd_deep_problem *q = m->problem;
    double sum = q->gram[mu * m->points + nu] * gram(m, m->g, 0, mu, nu) +
                 gram(m, m->phi, m->depth - 1, mu, nu);
    for (size_t l = 0; l + 1 < m->depth; l++)
        sum += gram(m, m->phi, l, mu, nu) * gram(m, m->g, l + 1, mu, nu);
    return q->sigma_w * q->sigma_w * sum;
}

void nnd_deep_observe(const nnd_deep_march *m, size_t n, const nnd_deep_observable *o,
                      double *value) {
    for (size_t i = 0; i < n; i++)
        switch (o[i].kind) {
        case NND_DEEP_OUTPUT:
            value[i] = m->output[o[i].mu];
            break;
        case NND_DEEP_NTK:
            value[i] = ntk(m, o[i].mu, o[i].nu);
            break;
        case NND_DEEP_H:
            value[i] = gram(m, m->h, o[i].layer, o[i].mu, o[i].nu);
            break;
        case NND_DEEP_PHI:
            value[i] = gram(m, m->phi, o[i].layer, o[i].mu, o[i].nu);
            break;
        case NND_DEEP_G:
            value[i] = gram(m, m->g, o[i].layer, o[i].mu, o[i].nu);
            break;
        }
}

/* ---- one step ---- */

static nnd_status forward(nnd_deep_march *m) {
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < m->depth; l++) {
        if (l > 0)
            status = nnd_traced_apply(m->matrix[l - 1], NND_FORWARD, m->points,
                                      nnd_deep_layer(m, m->phi, l - 1), nnd_deep_layer(m, m->h, l));
        if (status == NND_OK)
            nnd_activation_apply(m->problem->activation, m->points * m->sites,
                                 nnd_deep_layer(m, m->h, l), nnd_deep_layer(m, m->phi, l),
                                 nnd_deep_layer(m, m->slope, l), NULL, NULL);
    }
    return status;
}

/* f = <z^L phi^L>/gamma0, less f(0): what the network subtracts if it is centred; else the sampled
 * value, 0 in theory, of the march as it was first run. */
static void evaluate(nnd_deep_march *m, size_t step) {
    const nnd_deep_problem *q = m->problem;
    size_t last = m->depth - 1;
    for (size_t i = 0; i < m->points; i++)
        m->output[i] =
            mean_product(m, last, m->readout, nnd_deep_layer(m, m->phi, last) + i * m->sites) /
            q->gamma0;
    if (step == 0 && (m->weight == NULL || q->center))
        memcpy(m->first_output, m->output, m->points * sizeof *m->output);
    for (size_t i = 0; i < m->points; i++)
        m->output[i] -= m->first_output[i];
    for (size_t i = 0; i < q->samples; i++)
        m->delta[i] = q->targets[i] - m->output[i];
}

static nnd_status backward(nnd_deep_march *m) {
    nnd_status status = NND_OK;
    for (size_t l = m->depth; status == NND_OK && l-- > 0;) {
        double *g = nnd_deep_layer(m, m->g, l), *z = nnd_deep_layer(m, m->z, l);
        const double *slope = nnd_deep_layer(m, m->slope, l);
        if (l + 1 < m->depth)
            status = nnd_traced_apply(m->matrix[l], NND_BACKWARD, m->back,
                                      nnd_deep_layer(m, m->g, l + 1), z);
        else
            for (size_t k = 0; k < m->back; k++)
                memcpy(z + k * m->sites, m->readout, m->sites * sizeof *z);
        for (size_t i = 0; i < m->back * m->sites; i++)
            g[i] = slope[i] * z[i];
    }
    return status;
}

/* W = c s_mu Delta_mu with c = eta0 gamma0 sigma_w^2, s the weights of the batch, 1/P of all. */
static void weigh(nnd_deep_march *m, size_t step) {
    const nnd_deep_problem *q = m->problem;
    double *factor = m->factor + step * q->samples;
    nnd_schedule_weights(&m->schedule, step, factor);
    for (size_t i = 0; i < q->samples; i++) {
        factor[i] *= q->lr * q->gamma0 * q->sigma_w * q->sigma_w;
        m->step_weight[i] = factor[i] * m->delta[i];
    }
}

/* h_mu += sum_nu K^x_mu,nu w_nu g_nu, z^L += sum_nu w_nu phi^L_nu. */
static nnd_status update(nnd_deep_march *m) {
    const nnd_deep_problem *q = m->problem;
    const double *w = m->step_weight;
    double *coef = m->scratch + m->sites;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++)
        status = nnd_traced_update(m->matrix[l], q->samples, w);
    for (size_t i = 0; i < m->points; i++)
        for (size_t k = 0; k < q->samples; k++)
            coef[i * q->samples + k] = q->gram[i * m->points + k] * w[k];
    nnd_block_combine(m->points, coef, q->samples, q->samples, m->g, m->sites, 1.0, m->h);
    nnd_block_combine(1, w, q->samples, q->samples, nnd_deep_layer(m, m->phi, m->depth - 1),
                      m->sites, 1.0, m->readout);
    return status;
}

/* ---- the run ---- */

static void remember(nnd_deep_march *m, size_t step) {
    size_t block = m->depth * m->points * m->sites, back = m->back * m->sites;
    memcpy(m->h_history + step * block, m->h, block * sizeof *m->h);
    for (size_t l = 0; l + 1 < m->depth; l++)
        memcpy(m->z_history + (step * (m->depth - 1) + l) * back, nnd_deep_layer(m, m->z, l),
               back * sizeof *m->z);
    memcpy(m->readout_history + step * m->sites, m->readout, m->sites * sizeof *m->readout);
    memcpy(m->weights + step * m->problem->samples, m->step_weight,
           m->problem->samples * sizeof *m->weights);
}

static void begin(nnd_deep_march *m) {
    memcpy(m->h, m->first_h, m->points * m->sites * sizeof *m->h);
    memcpy(m->readout, m->first_readout, m->sites * sizeof *m->readout);
}

static nnd_status step_once(nnd_deep_march *m, size_t step, nnd_deep_look look, void *data) {
    const nnd_deep_problem *q = m->problem;
    nnd_status status = forward(m);
    if (status != NND_OK)
        return status;
    evaluate(m, step);
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, 0.0,
                                        nnd_half_mean_square(q->samples, q->targets));
    if (nnd_has_diverged(limit, nnd_half_mean_square(q->samples, m->delta)))
        return NND_DIVERGED;
    status = backward(m);
    weigh(m, step);
    if (status == NND_OK && m->weight == NULL)
        remember(m, step);
    if (status == NND_OK)
        status = look(data, m, step);
    if (status == NND_OK && step < q->steps)
        status = update(m);
    if (status == NND_OK && nnd_context_interrupted(m->ctx))
        status = nnd_fail(m->ctx, NND_E_INTERRUPTED, "interrupted at step %zu", step);
    return status;
}

static nnd_status march_on(nnd_deep_march *m, nnd_deep_look look, void *data, size_t *step) {
    nnd_status status = NND_OK;
    begin(m);
    for (*step = 0; *step <= m->problem->steps; ++*step) {
        status = step_once(m, *step, look, data);
        if (status != NND_OK)
            break;
    }
    return status;
}

nnd_status nnd_deep_march_run(nnd_deep_march *m, nnd_deep_look look, void *data, size_t *diverged) {
    return march_on(m, look, data, diverged);
}

static void begin_again(nnd_deep_march *m, const double *weight) {
    m->weight = weight;
    for (size_t l = 0; l + 1 < m->depth; l++)
        nnd_traced_replay(m->matrix[l], weight + l * m->sites, weight + (l + 1) * m->sites);
}

nnd_status nnd_deep_march_replay(nnd_deep_march *m, const double *weight, nnd_deep_look look,
                                 void *data) {
    size_t step;
    begin_again(m, weight);
    nnd_status status = march_on(m, look, data, &step);
    return status == NND_DIVERGED
               ? nnd_fail(m->ctx, NND_E_UNSOLVED, "the march under other weights diverged")
               : status;
}

/* ---- what dropping loses ---- */

static nnd_status ignore(void *data, nnd_deep_march *march, size_t step) {
    (void)data, (void)march, (void)step;
    return NND_OK;
}

/* 1 + SIZE times random signs less their mean. */
static void draw_weights(const nnd_deep_march *m, double size, double *weight) {
    for (size_t l = 0; l < m->depth; l++) {
        double *w = weight + l * m->sites, mean = 0.0;
        nnd_rng_normals(m->sampling->key, NND_STREAM_DEEP_FLUCTUATIONS_THEORY_SCOUTS, l, m->sites,
                        w);
        for (size_t i = 0; i < m->sites; i++) {
            w[i] = w[i] < 0.0 ? -1.0 : 1.0;
            mean += w[i] / (double)m->sites;
        }
        for (size_t i = 0; i < m->sites; i++)
            w[i] = 1.0 + size * (w[i] - mean);
    }
}

nnd_status nnd_deep_march_lost(nnd_deep_march *m, double *lost) {
    const double size = 0.1;
    size_t step;
    double *weight = nnd_pages_new(m->depth * m->sites);
    if (weight == NULL)
        return nnd_fail_memory(m->ctx, "the march");
    draw_weights(m, size, weight);
    begin_again(m, weight);
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++)
        status = nnd_traced_watch(m->matrix[l]);
    if (status == NND_OK)
        status = march_on(m, ignore, NULL, &step);
    m->weight = NULL;
    free(weight);
    *lost = 0.0;
    for (size_t l = 0; l + 1 < m->depth; l++)
        *lost = fmax(*lost, nnd_traced_lost(m->matrix[l]) * sqrt((double)m->sites) / size);
    return status == NND_DIVERGED ? NND_OK : status;
}
