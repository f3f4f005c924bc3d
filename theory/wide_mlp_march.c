/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_march.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "core/streams.h"
#include "solvers/basis.h"
#include "solvers/block_products.h"
#include "theory/claims.h"
#include "theory/initial_fields.h"
#include "theory/wide_mlp_two_time.h"

/* A march in progress. Fields are points x sites, one such block per layer l = 1..L (index l - 1);
 * training samples come first among the points. */
typedef struct {
    const nnd_wide_problem *problem;
    const nnd_wide_sampling *sampling;
    nnd_wide_curves *record;
    size_t sites, points, depth, samples;
    nnd_population **population; /* L */
    nnd_queried **matrix;        /* L - 1: M^1 .. M^{L-1} */
    double *h, *phi, *slope, *g; /* L blocks each; h of the first layer is state */
    double *readout;             /* z^L, one vector */
    double *back;                /* scratch: z of one layer */
    double *initial, *output;    /* f at t = 0 and now, all points */
    double *weight;              /* c Delta_nu, mini-batch included */
    double *error;               /* scratch: estimates of errors of outputs, all points */
    double *gram;                /* scratch: 3 L + 1 matrices of points x points */
    bool still;                  /* the last step moved nothing: all fields are as they were */
    double *first_phi, *first_g; /* coefficients of sample 0 at t = 0, one row per matrix */
    size_t *first_phi_rank, *first_g_rank, first_ld;
    double *outlier; /* scratch */
    double *margin;  /* per matrix and outlier, at the last step; NaN once it has escaped */
    nnd_schedule schedule;
    nnd_basis last_phi, first_layer_g; /* bases of phi^L and g^1, for two-time kernels */
    nnd_wide_history phi_history, g_history;
} march;

static double *layer(const march *m, double *field, size_t l) {
    return field + l * m->points * m->sites;
}

/* ---- set-up ---- */

/* What the fields learn is O(gamma0 Delta) of them, and an output is divided by gamma0: a forward
 * residue counts if it is long compared with that (wide-mlp.md#eq12). */
static double forward_tolerance(const nnd_wide_problem *q, double rank_tol) {
    const double floor = 1e-10, rounding = 1e-13;
    double delta = sqrt(2.0 * nnd_half_mean_square(q->samples, q->set.targets));
    return fmax(rank_tol * fmax(floor, fmin(1.0, q->params->gamma0 * delta)), rounding);
}

static nnd_status make_populations(march *m) {
    const nnd_wide_problem *q = m->problem;
    const nnd_wide_sampling *s = m->sampling;
    nnd_population_options o = {
        .fresh = s->fresh,
        .sites = s->sites,
        .net = s->net,
        .key = {(uint64_t)q->params->seed, s->replicate, s->sites},
    };
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < m->depth; l++) {
        o.stream = NND_STREAM_WIDE_MLP_THEORY_LAYERS + (uint32_t)l;
        status = nnd_population_new(q->ctx, &o, &m->population[l]);
    }
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++)
        status = nnd_queried_new(q->ctx, m->population[l], m->population[l + 1], q->params->sigma_w,
                                 forward_tolerance(q, s->rank_tol), s->rank_tol, &m->matrix[l]);
    return status;
}

static nnd_status make_two_time(march *m) {
    const nnd_wide_problem *q = m->problem;
    if (!q->params->two_time)
        return NND_OK;
    m->last_phi.sites = m->first_layer_g.sites = m->sites;
    m->last_phi.weight = m->first_layer_g.weight = nnd_population_weight(m->population[0]);
    nnd_status status =
        nnd_wide_history_make(q->ctx, m->depth, q->grid.count, m->samples, &m->phi_history);
    if (status == NND_OK)
        status = nnd_wide_history_make(q->ctx, m->depth, q->grid.count, m->samples, &m->g_history);
    return status;
}

static nnd_status make(march *m) {
    const nnd_wide_problem *q = m->problem;
    size_t block = m->points * m->sites, square = m->points * m->points;
    double **const fields[] = {&m->h, &m->phi, &m->slope, &m->g};
    bool there = true;
    for (int i = 0; i < 4; i++)
        there &= (*fields[i] = calloc(m->depth * block, sizeof(double))) != NULL;
    m->population = calloc(m->depth, sizeof(nnd_population *));
    m->matrix = calloc(m->depth, sizeof(nnd_queried *));
    m->readout = calloc(m->sites, sizeof *m->readout);
    m->back = calloc(block, sizeof *m->back);
    m->initial = calloc(m->points, sizeof *m->initial);
    m->output = calloc(m->points, sizeof *m->output);
    m->weight = calloc(m->points, sizeof *m->weight);
    m->error = calloc(m->points, sizeof *m->error);
    m->gram = calloc((3 * m->depth + 1) * square, sizeof *m->gram);
    m->first_ld = m->points + 1;
    m->first_phi = calloc(m->depth * m->first_ld, sizeof *m->first_phi);
    m->first_g = calloc(m->depth * m->first_ld, sizeof *m->first_g);
    m->first_phi_rank = calloc(2 * m->depth, sizeof *m->first_phi_rank);
    m->margin = calloc(m->depth * (size_t)q->params->outliers, sizeof *m->margin);
    m->outlier = calloc(4 * ((size_t)q->params->outliers + 1), sizeof *m->outlier);
    if (!there || m->population == NULL || m->matrix == NULL || m->readout == NULL ||
        m->back == NULL || m->initial == NULL || m->output == NULL || m->weight == NULL ||
        m->gram == NULL || m->first_phi == NULL || m->first_g == NULL ||
        m->first_phi_rank == NULL || m->margin == NULL || m->error == NULL || m->outlier == NULL)
        return nnd_fail_memory(q->ctx, "the march");
    m->first_g_rank = m->first_phi_rank + m->depth;
    nnd_status status = make_populations(m);
    if (status == NND_OK)
        status = make_two_time(m);
    if (status == NND_OK)
        status = nnd_schedule_make(q->ctx, q->params->batch, m->samples, &m->schedule);
    return status;
}

static void clear(march *m) {
    for (size_t l = 0; m->matrix != NULL && l < m->depth; l++)
        nnd_queried_free(m->matrix[l]);
    for (size_t l = 0; m->population != NULL && l < m->depth; l++)
        nnd_population_free(m->population[l]);
    void *const owned[] = {m->population, m->matrix,  m->h,         m->phi,     m->slope,
                           m->g,          m->readout, m->back,      m->initial, m->output,
                           m->weight,     m->gram,    m->first_phi, m->first_g, m->first_phi_rank,
                           m->margin,     m->error,   m->outlier};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    nnd_schedule_clear(&m->schedule);
    nnd_basis_clear(&m->last_phi);
    nnd_basis_clear(&m->first_layer_g);
    nnd_wide_history_clear(&m->phi_history);
    nnd_wide_history_clear(&m->g_history);
}

/* h^1 = sigma_w (K^x)^(1/2) eps; z^L = sigma_w eps. */
static nnd_status draw_initial(march *m) {
    const nnd_wide_problem *q = m->problem;
    double sigma = q->params->sigma_w;
    nnd_status status =
        nnd_initial_fields(q->ctx, m->population[0], m->points, q->set.gram, sigma, m->back, m->h);
    if (status == NND_OK)
        status = nnd_population_draw(m->population[m->depth - 1], 1, 0, NULL, m->readout, NULL);
    cblas_dscal((int)m->sites, sigma, m->readout, 1);
    return status;
}

/* ---- one step ---- */

static nnd_status forward(march *m) {
    const nnd_wide_problem *q = m->problem;
    size_t block = m->points * m->sites;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < m->depth; l++) {
        if (l > 0)
            status = nnd_queried_apply(m->matrix[l - 1], NND_FORWARD, m->points,
                                       layer(m, m->phi, l - 1), layer(m, m->h, l));
        if (status == NND_OK)
            nnd_activation_apply(&q->params->activation, block, layer(m, m->h, l),
                                 layer(m, m->phi, l), layer(m, m->slope, l), NULL, NULL);
    }
    return status;
}

/* f = <z^L phi^L>/gamma0, less its sampled value at t = 0, which is 0 in theory. */
static void evaluate(march *m, size_t step) {
    double gamma = m->problem->params->gamma0;
    nnd_population_inner(m->population[m->depth - 1], m->points, layer(m, m->phi, m->depth - 1), 1,
                         m->readout, m->output, 1);
    if (step == 0)
        memcpy(m->initial, m->output, m->points * sizeof *m->initial);
    for (size_t i = 0; i < m->points; i++)
        m->output[i] = (m->output[i] - m->initial[i]) / gamma;
}

static nnd_status backward(march *m) {
    nnd_status status = NND_OK;
    for (size_t l = m->depth; status == NND_OK && l-- > 0;) {
        double *g = layer(m, m->g, l);
        const double *slope = layer(m, m->slope, l);
        bool top = l + 1 == m->depth;
        if (!top)
            status = nnd_queried_apply(m->matrix[l], NND_BACKWARD, m->points, layer(m, m->g, l + 1),
                                       m->back);
        for (size_t k = 0; k < m->points; k++) {
            const double *z = top ? m->readout : m->back + k * m->sites;
            for (size_t i = 0; i < m->sites; i++)
                g[k * m->sites + i] = slope[k * m->sites + i] * z[i];
        }
    }
    return status;
}

/* W = c Delta with c = eta0 gamma0 sigma_w^2/P, 1/P replaced by the batch's mean. */
static void weigh(march *m, size_t step) {
    const nnd_wide_mlp *p = m->problem->params;
    nnd_schedule_weights(&m->schedule, step, m->weight);
    for (size_t i = 0; i < m->samples; i++)
        m->weight[i] *= p->lr * p->gamma0 * p->sigma_w * p->sigma_w *
                        (m->problem->set.targets[i] - m->output[i]);
}

static nnd_status update(march *m, size_t step) {
    const double *gram = m->problem->set.gram;
    nnd_status status = NND_OK;
    weigh(m, step);
    m->still = true;
    for (size_t i = 0; i < m->samples; i++)
        m->still &= m->weight[i] == 0.0;
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++)
        status = nnd_queried_update(m->matrix[l], m->samples, m->weight);
    /* h_mu += sum_nu K^x_mu,nu w_nu g_nu; training samples only act. */
    for (size_t i = 0; i < m->points; i++)
        for (size_t k = 0; k < m->samples; k++)
            m->gram[i * m->samples + k] = gram[i * m->points + k] * m->weight[k];
    nnd_block_combine(m->points, m->gram, m->samples, m->samples, m->g, m->sites, 1.0, m->h);
    nnd_block_combine(1, m->weight, m->samples, m->samples, layer(m, m->phi, m->depth - 1),
                      m->sites, 1.0, m->readout);
    return status;
}

/* ---- recording ---- */

static void keep_first_directions(march *m) {
    for (size_t l = 0; l + 1 < m->depth; l++) {
        size_t ld;
        const double *a = nnd_queried_coefficients(m->matrix[l], NND_FORWARD, &ld);
        m->first_phi_rank[l] = nnd_queried_rank(m->matrix[l], NND_FORWARD);
        memcpy(m->first_phi + l * m->first_ld, a, m->first_phi_rank[l] * sizeof *a);
        const double *b = nnd_queried_coefficients(m->matrix[l], NND_BACKWARD, &ld);
        m->first_g_rank[l] = nnd_queried_rank(m->matrix[l], NND_BACKWARD);
        memcpy(m->first_g + l * m->first_ld, b, m->first_g_rank[l] * sizeof *b);
    }
}

static size_t outliers(const march *m) {
    return (size_t)m->problem->params->outliers;
}

/* The steps at which margins cross 0, interpolated between consecutive ones. */
static void note_margins(march *m, size_t l, size_t step, const double *margin) {
    size_t first = l * outliers(m);
    for (size_t k = 0; k < outliers(m); k++) {
        double *before = &m->margin[first + k];
        if (isnan(*before) && step > 0)
            continue;
        if (margin[k] < 0.0)
            m->record->x[WIDE_ESCAPE_TIME][first + k] =
                (double)step + margin[k] / (*before - margin[k]);
        *before = margin[k] < 0.0 ? NAN : margin[k];
    }
}

/* One more outlier than is recorded, for the last one may have a neighbour. Between the singular
 * vectors of two the initial matrix has, made symmetric, entries of variance sigma^2/(2 N). */
static nnd_status record_outliers(march *m, size_t time, size_t l, size_t step) {
    nnd_wide_curves *r = m->record;
    size_t count = outliers(m), room = count + 1;
    double sigma = m->problem->params->sigma_w;
    nnd_queried_outliers out = {
        .count = room,
        .value = m->outlier,
        .left = m->outlier + room,
        .right = m->outlier + 2 * room,
        .margin = m->outlier + 3 * room,
        .left_rank = m->first_g_rank[l],
        .right_rank = m->first_phi_rank[l],
        .left_direction = m->first_g + l * m->first_ld,
        .right_direction = m->first_phi + l * m->first_ld,
    };
    nnd_status status = nnd_queried_find_outliers(m->problem->ctx, m->matrix[l], &out);
    if (status != NND_OK)
        return status;
    for (size_t k = 0; k < count; k++) {
        nnd_wide_curves_at(r, WIDE_OUTLIER, time)[l * count + k] = out.value[k];
        nnd_wide_curves_at(r, WIDE_OUTLIER_LEFT, time)[l * count + k] = out.left[k];
        nnd_wide_curves_at(r, WIDE_OUTLIER_RIGHT, time)[l * count + k] = out.right[k];
        nnd_wide_curves_at(r, WIDE_OUTLIER_CLAIM, time)[l * count + k] =
            nnd_claim_outlier(2.0 * sigma, room, out.value, k, 0.0, 0.5 * sigma * sigma);
    }
    nnd_wide_curves_at(r, WIDE_OUTLIER_MARGIN, time)[l] = out.margin[0];
    note_margins(m, l, step, out.margin);
    return NND_OK;
}

/* At steps that are not recorded only what escape times need: the smallest outlier is the last. */
static nnd_status watch_escape(march *m, size_t step) {
    nnd_status status = NND_OK;
    size_t count = outliers(m);
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++) {
        if (isnan(m->margin[(l + 1) * count - 1]))
            continue;
        status = nnd_queried_margins(m->problem->ctx, m->matrix[l], count, m->outlier);
        if (status == NND_OK)
            note_margins(m, l, step, m->outlier);
    }
    return status;
}

static nnd_status record_matrices(march *m, size_t time, size_t step) {
    nnd_wide_curves *r = m->record;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++) {
        nnd_wide_curves_at(r, WIDE_RANK_PHI, time)[l] =
            (double)nnd_queried_rank(m->matrix[l], NND_FORWARD);
        nnd_wide_curves_at(r, WIDE_RANK_G, time)[l] =
            (double)nnd_queried_rank(m->matrix[l], NND_BACKWARD);
        if (m->problem->params->spectrum)
            status = record_outliers(m, time, l, step);
    }
    return status;
}

/* Coefficients of the training samples' vectors in a basis that they extend. */
static nnd_status keep_in_basis(march *m, nnd_basis *basis, const double *v,
                                nnd_wide_history *history, size_t field, size_t time) {
    nnd_context *ctx = m->problem->ctx;
    size_t ld = basis->vector.count + m->samples;
    double *coef = calloc(m->samples * ld, sizeof *coef);
    nnd_status status = coef != NULL ? nnd_basis_extend(ctx, basis, m->samples, v,
                                                        m->sampling->rank_tol, coef, ld, NULL)
                                     : nnd_fail_memory(ctx, "the two-time kernels");
    if (status == NND_OK)
        status = nnd_wide_history_keep(ctx, history, field, time, basis->vector.count, coef, ld);
    free(coef);
    return status;
}

static nnd_status record_two_time(march *m, size_t time) {
    nnd_context *ctx = m->problem->ctx;
    size_t last = m->depth - 1;
    nnd_status status =
        keep_in_basis(m, &m->last_phi, layer(m, m->phi, last), &m->phi_history, last, time);
    if (status == NND_OK)
        status = keep_in_basis(m, &m->first_layer_g, m->g, &m->g_history, 0, time);
    for (size_t l = 0; status == NND_OK && l < last; l++) {
        size_t ld;
        const double *a = nnd_queried_coefficients(m->matrix[l], NND_FORWARD, &ld);
        status = nnd_wide_history_keep(ctx, &m->phi_history, l, time,
                                       nnd_queried_rank(m->matrix[l], NND_FORWARD), a, ld);
        if (status != NND_OK)
            break;
        const double *b = nnd_queried_coefficients(m->matrix[l], NND_BACKWARD, &ld);
        status = nnd_wide_history_keep(ctx, &m->g_history, l + 1, time,
                                       nnd_queried_rank(m->matrix[l], NND_BACKWARD), b, ld);
    }
    return status;
}

/* Estimate of the error of outputs, the largest over points: of truncation (wide-mlp.md#eq13), and
 * of rounding, which counts 1/gamma0 times. `readout` is |z|^2, `phi` the Gram matrix of the last
 * layer. */
static void record_truncation(march *m, size_t time, double readout, const double *phi) {
    const double rounding = 8.0 * DBL_EPSILON;
    double *error = m->error, most = 0.0, relative = 0.0;
    memset(error, 0, m->points * sizeof *error);
    for (size_t l = 0; l + 1 < m->depth; l++)
        nnd_queried_truncation(m->matrix[l], m->points, error);
    for (size_t i = 0; i < m->points; i++) {
        double scale = sqrt(readout * phi[i * (m->points + 1)]);
        error[i] += rounding * scale;
        most = fmax(most, error[i]);
        relative = scale > 0.0 ? fmax(relative, error[i] / scale) : relative;
    }
    *nnd_wide_curves_at(m->record, WIDE_TRUNCATION, time) = most / m->problem->params->gamma0;
    *nnd_wide_curves_at(m->record, WIDE_FIELD_ERROR, time) = relative;
}

/* Gram matrices of one kind of field, all layers. */
static void find_grams(march *m, double *field, double *gram) {
    size_t n = m->points;
    for (size_t l = 0; l < m->depth; l++)
        nnd_population_inner(m->population[l], n, layer(m, field, l), n, layer(m, field, l),
                             gram + l * n * n, n);
}

/* The edge of stability is watched at every step, recorded or not. */
static nnd_status watch_edge(march *m, size_t step) {
    size_t square = m->points * m->points;
    double *phi = m->gram + m->depth * square, *g = phi + m->depth * square;
    double *ntk = g + m->depth * square;
    if (m->record->edge != SIZE_MAX)
        return NND_OK;
    find_grams(m, m->phi, phi);
    find_grams(m, m->g, g);
    nnd_wide_ntk(m->problem, phi, g, ntk);
    nnd_schedule_weights(&m->schedule, step, m->weight);
    return nnd_wide_note_edge(m->record, step, ntk, m->weight);
}

static nnd_status record_kernels(march *m, size_t time) {
    size_t square = m->points * m->points;
    double *h = m->gram, *phi = h + m->depth * square, *g = phi + m->depth * square, readout;
    find_grams(m, m->h, h);
    find_grams(m, m->phi, phi);
    find_grams(m, m->g, g);
    nnd_population_inner(m->population[m->depth - 1], 1, m->readout, 1, m->readout, &readout, 1);
    if (m->record->x[WIDE_TRUNCATION] != NULL)
        record_truncation(m, time, readout, phi + (m->depth - 1) * square);
    return nnd_wide_curves_kernels(m->record, time, h, phi, g, readout, g + m->depth * square);
}

static nnd_status record_step(march *m, size_t time, size_t step) {
    nnd_wide_curves_outputs(m->record, time, m->output);
    nnd_status status = record_kernels(m, time);
    if (status == NND_OK)
        status = record_matrices(m, time, step);
    if (status == NND_OK && m->problem->params->two_time)
        status = record_two_time(m, time);
    return status;
}

static void finish_two_time(const march *m, size_t times) {
    size_t field = m->problem->grid.count * m->problem->grid.count * m->samples * m->samples;
    for (size_t l = 0; m->problem->params->two_time && l < m->depth; l++) {
        nnd_wide_history_kernel(&m->phi_history, l, times,
                                m->record->x[WIDE_PHI_TWO_TIME] + l * field);
        nnd_wide_history_kernel(&m->g_history, l, times, m->record->x[WIDE_G_TWO_TIME] + l * field);
    }
}

/* ---- the run ---- */

/* Ranks, and with them memory, are known only as they grow. */
static nnd_status check_memory(const march *m, size_t step) {
    double bytes = 0.0;
    size_t rank = 0;
    for (size_t l = 0; l < m->depth; l++)
        bytes += nnd_population_bytes(m->population[l]);
    for (size_t l = 0; l + 1 < m->depth; l++) {
        size_t forward_rank = nnd_queried_rank(m->matrix[l], NND_FORWARD);
        size_t backward_rank = nnd_queried_rank(m->matrix[l], NND_BACKWARD);
        rank = forward_rank > rank ? forward_rank : rank;
        rank = backward_rank > rank ? backward_rank : rank;
        bytes += nnd_queried_bytes(m->matrix[l]);
    }
    char what[128];
    snprintf(what, sizeof what,
             "the march, whose rank has grown to %zu at step %zu (a larger "
             "rank_tol keeps less),",
             rank, step);
    return nnd_check_memory(m->problem->ctx, bytes * m->sampling->workers, what);
}

/* Queries at the state of this step. */
static nnd_status query(march *m, size_t step) {
    const nnd_wide_problem *q = m->problem;
    nnd_status status = forward(m);
    if (status != NND_OK)
        return status;
    evaluate(m, step);
    if (nnd_has_diverged(nnd_wide_loss_limit(q), nnd_wide_loss(q, m->output))) {
        m->record->diverged = step;
        return NND_DIVERGED;
    }
    status = backward(m);
    if (status == NND_OK && step == 0)
        keep_first_directions(m);
    return status;
}

/* What is still need not be queried again, which would bring rounding into it. */
static nnd_status step_once(march *m, size_t step, size_t *time) {
    const nnd_wide_problem *q = m->problem;
    nnd_status status = m->still ? NND_OK : query(m, step);
    if (status != NND_OK)
        return status;
    if (step == q->grid.step[*time])
        status = record_step(m, (*time)++, step);
    else if (q->params->spectrum)
        status = watch_escape(m, step);
    if (status == NND_OK)
        status = watch_edge(m, step);
    if (status == NND_OK && step < (size_t)q->params->steps)
        status = update(m, step);
    if (status == NND_OK)
        status = check_memory(m, step);
    if (status == NND_OK)
        status = nnd_progress_step(q->ctx, (double)step, (double)q->params->steps);
    return status;
}

nnd_status nnd_wide_march(const nnd_wide_problem *problem, const nnd_wide_sampling *sampling,
                          nnd_wide_curves *record, nnd_wide_work *work) {
    march m = {
        .problem = problem,
        .sampling = sampling,
        .record = record,
        .sites = sampling->sites,
        .points = problem->points,
        .samples = problem->samples,
        .depth = problem->depth,
    };
    size_t time = 0;
    nnd_status status = make(&m);
    if (status == NND_OK)
        status = draw_initial(&m);
    for (size_t step = 0; status == NND_OK && step <= (size_t)problem->params->steps; step++)
        status = step_once(&m, step, &time);
    if (status >= NND_OK)
        finish_two_time(&m, time);
    if (work != NULL) {
        *work = (nnd_wide_work){0};
        for (size_t l = 0; m.population != NULL && l < m.depth; l++)
            if (m.population[l] != NULL) {
                work->exhausted |= nnd_population_exhausted(m.population[l]);
                work->multiply_adds += nnd_population_work(m.population[l]);
            }
        for (size_t l = 0; m.matrix != NULL && l + 1 < m.depth; l++)
            work->multiply_adds += m.matrix[l] != NULL ? nnd_queried_work(m.matrix[l]) : 0.0;
    }
    clear(&m);
    return status == NND_DIVERGED ? NND_OK : status;
}
