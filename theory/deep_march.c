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
#include "nndmft/number.h"
#include "solvers/block_products.h"
#include "theory/deep_march_impl.h"
#include "theory/initial_fields.h"

/* rms of what weights of scouts are beside 1: of moves, which are of order SIZE/sqrt(sites), second
 * derivatives are as small a part. */
static const double SCOUT_SIZE = 1e-3;

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
            .tol = {m->rank_tol, m->rank_tol},
        };
        status = nnd_traced_new(m->ctx, &matrix, &m->matrix[l]);
    }
    return status;
}

/* h^1 = sigma_w (K^x)^(1/2) eps, z^L = sigma_w eps. */
static nnd_status draw_initial(nnd_deep_march *m) {
    const nnd_deep_problem *q = m->problem;
    memset(m->first_h, 0, m->points * m->sites * sizeof *m->first_h);
    nnd_status status = nnd_initial_fields(m->ctx, m->population[0], m->points, q->gram, q->sigma_w,
                                           m->phi, m->first_h);
    if (status == NND_OK)
        status =
            nnd_population_draw(m->population[m->depth - 1], 1, 0, NULL, m->first_readout, NULL);
    if (status == NND_OK)
        cblas_dscal((int)m->sites, q->sigma_w, m->first_readout, 1);
    return status;
}

/* Histories are the leader's alone. */
static nnd_status allocate(nnd_deep_march *m) {
    const nnd_deep_problem *q = m->problem;
    size_t block = m->points * m->sites, steps = q->steps + 1;
    size_t times = m->leader == NULL ? steps : 0;
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
        {&m->h_history, times * m->depth * block + 1},
        {&m->z_history, times * (m->depth - 1) * m->back * m->sites + 1},
        {&m->readout_history, times * m->sites + 1},
        {&m->factor, steps * q->samples},
        {&m->weights, steps * q->samples},
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
    return nnd_schedule_make(m->ctx, q->batch, q->samples, &m->schedule);
}

static void forget(nnd_deep_march *m) {
    for (size_t l = 0; m->matrix != NULL && l < m->depth; l++) {
        nnd_traced_free(m->matrix[l]);
        m->matrix[l] = NULL;
    }
    for (size_t l = 0; m->population != NULL && l < m->depth; l++) {
        nnd_population_free(m->population[l]);
        m->population[l] = NULL;
    }
}

/* At the start, with nothing asked. */
static nnd_status set_up(nnd_deep_march *m, double rank_tol) {
    forget(m);
    m->rank_tol = rank_tol;
    nnd_status status = make_populations(m);
    return status == NND_OK ? draw_initial(m) : status;
}

/* A march without matrices; of a scout, beside its leader. */
static nnd_status make(nnd_context *ctx, const nnd_deep_problem *problem,
                       const nnd_deep_sampling *sampling, nnd_deep_march *leader,
                       nnd_deep_march **march) {
    nnd_deep_march *m = *march = calloc(1, sizeof *m);
    if (m == NULL)
        return nnd_fail_memory(ctx, "the march");
    *m = (nnd_deep_march){
        .ctx = ctx,
        .leader = leader,
        .problem = problem,
        .sampling = sampling,
        .sites = sampling->sites,
        .depth = problem->depth,
        .points = problem->points,
        .back = problem->kernels ? problem->points : problem->samples,
    };
    return allocate(m);
}

nnd_status nnd_deep_march_new(nnd_context *ctx, const nnd_deep_problem *problem,
                              const nnd_deep_sampling *sampling, nnd_deep_march **march) {
    nnd_status status = make(ctx, problem, sampling, NULL, march);
    if (status != NND_OK) {
        nnd_deep_march_free(*march);
        *march = NULL;
    }
    return status;
}

static void dismiss(nnd_deep_march *m) {
    for (size_t s = 0; s < m->scouts; s++)
        nnd_deep_march_free(m->scout[s]);
    m->scouts = 0;
}

void nnd_deep_march_free(nnd_deep_march *m) {
    if (m == NULL)
        return;
    dismiss(m);
    forget(m);
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
                           m->scout_weight,
                           m->adjoint};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    nnd_schedule_clear(&m->schedule);
    free(m);
}

/* Fields and weights. */
static double scout_bytes(const nnd_deep_march *m, size_t sites) {
    double vectors = (double)((5 * m->depth + 1) * m->points + 3 + m->depth);
    double bytes = vectors * (double)sites * sizeof(double);
    for (size_t l = 0; l + 1 < m->depth; l++)
        bytes += nnd_traced_scout_bytes(m->matrix[l], sites);
    return bytes;
}

/* Fields and histories. */
static double bytes_alone(const nnd_deep_march *m, size_t sites) {
    size_t of_a_step = m->depth * m->points + (m->depth - 1) * m->back + 1;
    double vectors = (double)((5 * m->depth + 1) * m->points + 3) +
                     ((double)m->problem->steps + 1.0) * (double)of_a_step;
    double bytes = vectors * (double)sites * sizeof(double),
           ratio = (double)sites / (double)m->sites;
    for (size_t l = 0; l < m->depth; l++)
        bytes += ratio * nnd_population_bytes(m->population[l]);
    for (size_t l = 0; l + 1 < m->depth; l++)
        bytes += nnd_traced_bytes(m->matrix[l], sites);
    return bytes;
}

/* Scouts are gone before the march goes back. */
double nnd_deep_march_bytes(const nnd_deep_march *m, size_t n, size_t sites) {
    return bytes_alone(m, sites) +
           fmax((double)m->sent * scout_bytes(m, sites), nnd_deep_influence_bytes(m, n, sites));
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

/* The march itself, then its scouts. */
static nnd_deep_march *everyone(nnd_deep_march *m, size_t s) {
    return s == 0 ? m : m->scout[s - 1];
}

/* h^{l+1} of phi^l, or z^l of g^{l+1}. */
static nnd_status apply(nnd_deep_march *m, size_t l, nnd_direction direction) {
    bool forward = direction == NND_FORWARD;
    nnd_traced *scout[NND_DEEP_SCOUTS];
    const double *v[1 + NND_DEEP_SCOUTS];
    double *image[1 + NND_DEEP_SCOUTS];
    for (size_t s = 0; s <= m->scouts; s++) {
        nnd_deep_march *x = everyone(m, s);
        v[s] = forward ? nnd_deep_layer(x, x->phi, l) : nnd_deep_layer(x, x->g, l + 1);
        image[s] = forward ? nnd_deep_layer(x, x->h, l + 1) : nnd_deep_layer(x, x->z, l);
        if (s > 0)
            scout[s - 1] = x->matrix[l];
    }
    const nnd_traced_party party = {m->matrix[l], m->scouts, scout, SCOUT_SIZE,
                                    m->sampling->lost / 2.0};
    return nnd_traced_apply_all(&party, direction, forward ? m->points : m->back, v, image);
}

static void activate(nnd_deep_march *m, size_t l) {
    nnd_activation_apply(m->problem->activation, m->points * m->sites, nnd_deep_layer(m, m->h, l),
                         nnd_deep_layer(m, m->phi, l), nnd_deep_layer(m, m->slope, l), NULL, NULL);
}

static nnd_status forward(nnd_deep_march *m) {
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < m->depth; l++) {
        if (l > 0)
            status = apply(m, l - 1, NND_FORWARD);
        for (size_t s = 0; status == NND_OK && s <= m->scouts; s++)
            activate(everyone(m, s), l);
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
    else if (step == 0 && m->leader != NULL)
        memcpy(m->first_output, m->leader->first_output, m->points * sizeof *m->output);
    for (size_t i = 0; i < m->points; i++)
        m->output[i] -= m->first_output[i];
    for (size_t i = 0; i < q->samples; i++)
        m->delta[i] = q->targets[i] - m->output[i];
}

/* g = phi'(h) z of layer l, on the last of which z is the readout. */
static void turn_back(nnd_deep_march *m, size_t l) {
    double *g = nnd_deep_layer(m, m->g, l), *z = nnd_deep_layer(m, m->z, l);
    const double *slope = nnd_deep_layer(m, m->slope, l);
    for (size_t k = 0; l + 1 == m->depth && k < m->back; k++)
        memcpy(z + k * m->sites, m->readout, m->sites * sizeof *z);
    for (size_t i = 0; i < m->back * m->sites; i++)
        g[i] = slope[i] * z[i];
}

static nnd_status backward(nnd_deep_march *m) {
    nnd_status status = NND_OK;
    for (size_t l = m->depth; status == NND_OK && l-- > 0;) {
        if (l + 1 < m->depth)
            status = apply(m, l, NND_BACKWARD);
        for (size_t s = 0; status == NND_OK && s <= m->scouts; s++)
            turn_back(everyone(m, s), l);
    }
    return status;
}

/* W = c s_mu Delta_mu with c = eta0 gamma0 sigma_w^2 at this step, s the weights of the batch, 1/P
 * of all. */
static void weigh(nnd_deep_march *m, size_t step) {
    const nnd_deep_problem *q = m->problem;
    double *factor = m->factor + step * q->samples;
    double c = q->lr * q->gamma0 * q->sigma_w * q->sigma_w;
    if (q->schedule != NULL)
        c *= nnd_rates_at(q->schedule, step);
    nnd_schedule_weights(&m->schedule, step, factor);
    for (size_t i = 0; i < q->samples; i++) {
        factor[i] *= c;
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
    for (size_t s = 0; s <= m->scouts; s++) {
        nnd_deep_march *x = everyone(m, s);
        memcpy(x->h, m->first_h, m->points * m->sites * sizeof *m->h);
        memcpy(x->readout, m->first_readout, m->sites * sizeof *m->readout);
    }
}

/* Ranks, and with them memory, are known only as they grow. */
static nnd_status check_memory(const nnd_deep_march *m, size_t step) {
    size_t most[2] = {0, 0};
    for (size_t l = 0; l + 1 < m->depth; l++)
        for (int d = 0; d < 2; d++) {
            size_t rank = nnd_traced_rank(m->matrix[l], (nnd_direction)d);
            most[d] = rank > most[d] ? rank : most[d];
        }
    char what[128];
    nnd_format(what, sizeof what,
               "a march, whose ranks have grown to %zu and %zu at t = %zu (a larger rank_tol or "
               "fewer samples need less),",
               most[0], most[1], step);
    double bytes = nnd_deep_march_bytes(m, m->sampling->together, m->sites);
    return nnd_check_memory(m->ctx, bytes + m->sampling->held, what);
}

static nnd_status step_once(nnd_deep_march *m, size_t step, nnd_deep_look look, void *data) {
    const nnd_deep_problem *q = m->problem;
    nnd_status status = forward(m);
    if (status != NND_OK)
        return status;
    for (size_t s = 0; s <= m->scouts; s++)
        evaluate(everyone(m, s), step);
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, 0.0,
                                        nnd_half_mean_square(q->samples, q->targets));
    if (nnd_has_diverged(limit, nnd_half_mean_square(q->samples, m->delta)))
        return NND_DIVERGED;
    status = backward(m);
    for (size_t s = 0; s <= m->scouts; s++)
        weigh(everyone(m, s), step);
    if (status == NND_OK && m->weight == NULL)
        remember(m, step);
    if (status == NND_OK)
        status = look(data, m, step);
    for (size_t s = 0; status == NND_OK && step < q->steps && s <= m->scouts; s++)
        status = update(everyone(m, s));
    if (status == NND_OK && m->weight == NULL)
        status = check_memory(m, step);
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

/* ---- scouts ---- */

/* 1 + SCOUT_SIZE times random signs less their mean. */
static nnd_status draw_weights(nnd_deep_march *scout, size_t which) {
    double *weight = scout->scout_weight = nnd_pages_new(scout->depth * scout->sites);
    if (weight == NULL)
        return nnd_fail_memory(scout->ctx, "scouts");
    for (size_t l = 0; l < scout->depth; l++) {
        double *w = weight + l * scout->sites, mean = 0.0;
        nnd_rng_normals(scout->sampling->key, NND_STREAM_DEEP_FLUCTUATIONS_THEORY_SCOUTS,
                        which * scout->depth + l, scout->sites, w);
        for (size_t i = 0; i < scout->sites; i++) {
            w[i] = w[i] < 0.0 ? -1.0 : 1.0;
            mean += w[i] / (double)scout->sites;
        }
        for (size_t i = 0; i < scout->sites; i++)
            w[i] = 1.0 + SCOUT_SIZE * (w[i] - mean);
    }
    scout->weight = weight;
    return NND_OK;
}

static nnd_status send(nnd_deep_march *m, size_t scouts) {
    nnd_status status = NND_OK;
    m->sent = 0;
    for (size_t s = 0; status == NND_OK && m->depth > 1 && s < scouts; s++) {
        status = make(m->ctx, m->problem, m->sampling, m, &m->scout[s]);
        m->scouts = m->sent = s + 1;
        if (status == NND_OK)
            status = draw_weights(m->scout[s], s);
        for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++) {
            const double *weight = m->scout[s]->weight + l * m->sites;
            status = nnd_traced_scout(m->ctx, m->matrix[l], weight, weight + m->sites,
                                      &m->scout[s]->matrix[l]);
        }
    }
    return status;
}

static nnd_status run_with(nnd_deep_march *m, double rank_tol, size_t scouts, nnd_deep_look look,
                           void *data, size_t *step) {
    nnd_status status = set_up(m, rank_tol);
    if (status == NND_OK)
        status = send(m, scouts);
    if (status == NND_OK)
        status = march_on(m, look, data, step);
    dismiss(m);
    return status;
}

static bool is_lossy(const nnd_deep_march *m) {
    return nnd_deep_march_lost(m) > m->sampling->lost;
}

/* First with one that watches. */
nnd_status nnd_deep_march_run(nnd_deep_march *m, nnd_deep_look look, void *data, size_t *diverged) {
    double tol = m->sampling->rank_tol;
    nnd_status status = run_with(m, tol, 1, look, data, diverged);
    if (status >= NND_OK && is_lossy(m))
        status = run_with(m, NND_DEEP_FINER * tol, 1, look, data, diverged);
    if (status >= NND_OK && is_lossy(m))
        status = run_with(m, tol, NND_DEEP_SCOUTS, look, data, diverged);
    return status;
}

double nnd_deep_march_lost(const nnd_deep_march *m) {
    double lost = 0.0;
    for (size_t l = 0; l + 1 < m->depth; l++)
        lost = fmax(lost, nnd_traced_lost(m->matrix[l]));
    return lost;
}

/* ---- again ---- */

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
