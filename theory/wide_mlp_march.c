/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The query march: what it records of a network, and when it ends. */
#include "theory/wide_mlp_march.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "nndmft/number.h"
#include "solvers/basis.h"
#include "theory/claims.h"
#include "theory/wide_mlp_loss.h"
#include "theory/wide_mlp_march_impl.h"

/* ---- set-up ---- */

static nnd_status make_two_time(nnd_wide_marching *m) {
    const nnd_wide_problem *q = m->problem;
    const nnd_wide_fields *f = &m->fields;
    if (!q->params->two_time)
        return NND_OK;
    m->last_phi.sites = m->first_layer_g.sites = f->sites;
    m->last_phi.weight = m->first_layer_g.weight = nnd_population_weight(f->population[0]);
    nnd_status status =
        nnd_wide_history_make(q->ctx, f->depth, q->marks.count, f->samples, &m->phi_history);
    if (status == NND_OK)
        status = nnd_wide_history_make(q->ctx, f->depth, q->marks.count, f->samples, &m->g_history);
    return status;
}

nnd_status nnd_wide_marching_make(const nnd_wide_problem *problem,
                                  const nnd_wide_sampling *sampling, nnd_wide_curves *record,
                                  nnd_wide_marching *m) {
    size_t n = problem->points * problem->outputs, points2 = problem->points * problem->points;
    size_t count = (size_t)problem->params->outliers, depth = problem->depth;
    *m = (nnd_wide_marching){.problem = problem, .record = record};
    nnd_status status = nnd_wide_fields_make(problem, sampling,
                                             nnd_wide_descent_slots(problem->params), &m->fields);
    m->first_ld = problem->points + 1;
    m->first_phi = calloc(2 * depth * m->first_ld, sizeof *m->first_phi);
    m->first_phi_rank = calloc(2 * depth, sizeof *m->first_phi_rank);
    m->strength = calloc(depth * count, sizeof *m->strength);
    m->pencil = calloc(depth, sizeof(nnd_queried_pencil *));
    m->outlier = calloc(4 * (count + 1), sizeof *m->outlier);
    m->error = calloc(problem->points, sizeof *m->error);
    m->gram = calloc(2 * depth * points2 + (depth + 1) * n * n + points2 + problem->outputs + n,
                     sizeof *m->gram);
    if (status == NND_OK &&
        (m->first_phi == NULL || m->first_phi_rank == NULL || m->strength == NULL ||
         m->pencil == NULL || m->outlier == NULL || m->error == NULL || m->gram == NULL))
        status = nnd_fail_memory(problem->ctx, "the march");
    if (status != NND_OK)
        return status;
    m->first_u = m->first_phi + depth * m->first_ld;
    m->first_u_rank = m->first_phi_rank + depth;
    return make_two_time(m);
}

void nnd_wide_marching_clear(nnd_wide_marching *m) {
    for (size_t l = 0; m->pencil != NULL && l < m->problem->depth; l++)
        nnd_queried_pencil_free(m->pencil[l]);
    nnd_wide_fields_clear(&m->fields);
    void *const owned[] = {m->first_phi, m->first_phi_rank, m->strength, m->pencil,
                           m->outlier,   m->error,          m->gram};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    nnd_basis_clear(&m->last_phi);
    nnd_basis_clear(&m->first_layer_g);
    nnd_wide_history_clear(&m->phi_history);
    nnd_wide_history_clear(&m->g_history);
}

/* ---- outliers ---- */

static size_t outliers(const nnd_wide_marching *m) {
    return (size_t)m->problem->params->outliers;
}

static void keep_first_directions(nnd_wide_marching *m) {
    const nnd_wide_fields *f = &m->fields;
    for (size_t l = 0; !m->begun && l + 1 < f->depth; l++) {
        size_t ld;
        const double *a = nnd_queried_coefficients(f->matrix[l], NND_FORWARD, &ld);
        m->first_phi_rank[l] = nnd_queried_rank(f->matrix[l], NND_FORWARD);
        memcpy(m->first_phi + l * m->first_ld, a, m->first_phi_rank[l] * sizeof *a);
        const double *b = nnd_queried_coefficients(f->matrix[l], NND_BACKWARD, &ld);
        m->first_u_rank[l] = nnd_queried_rank(f->matrix[l], NND_BACKWARD);
        memcpy(m->first_u + l * m->first_ld, b, m->first_u_rank[l] * sizeof *b);
    }
    m->begun = true;
}

static bool has_escaped(const nnd_wide_marching *m, size_t l, size_t k) {
    return isnan(m->strength[l * outliers(m) + k]);
}

/* Strengths at the last visit, of what had not escaped by then. */
static nnd_status look_back(nnd_wide_marching *m, size_t l) {
    size_t count = outliers(m);
    if (m->pencil[l] == NULL)
        return NND_OK;
    nnd_status status =
        nnd_queried_pencil_strengths(m->problem->ctx, m->pencil[l], count, m->outlier);
    for (size_t k = 0; status == NND_OK && k < count; k++)
        if (!has_escaped(m, l, k))
            m->strength[l * count + k] = m->outlier[k];
    return status;
}

/* The times at which strengths pass 1, interpolated from one visit to the next. */
static nnd_status note_strengths(nnd_wide_marching *m, size_t l, double now,
                                 const double *strength) {
    double since = nnd_wide_mlp_time(m->problem->params, m->last);
    double passed = nnd_wide_mlp_time(m->problem->params, now) - since;
    size_t first = l * outliers(m);
    bool crosses = false;
    for (size_t k = 0; k < outliers(m); k++)
        crosses |= !has_escaped(m, l, k) && strength[k] > 1.0;
    nnd_status status = crosses ? look_back(m, l) : NND_OK;
    for (size_t k = 0; status == NND_OK && k < outliers(m); k++) {
        double *before = &m->strength[first + k];
        if (has_escaped(m, l, k))
            continue;
        if (strength[k] > 1.0)
            m->record->x[WIDE_ESCAPE_TIME][first + k] =
                since + passed * (1.0 - *before) / (strength[k] - *before);
        *before = strength[k] > 1.0 ? NAN : strength[k];
    }
    nnd_queried_pencil_free(m->pencil[l]);
    m->pencil[l] = NULL;
    return status;
}

/* One more outlier than is recorded, for the last one may have a neighbour. Between the singular
 * vectors of two the initial matrix has, made symmetric, entries of variance tau^2/(2 N), tau =
 * kappa beta sigma_w. */
static nnd_status record_outliers(nnd_wide_marching *m, size_t mark, size_t l, double now) {
    nnd_wide_curves *r = m->record;
    size_t count = outliers(m), room = count + 1;
    double tau = m->fields.kappa[0] * m->problem->beta * m->problem->params->sigma_w;
    nnd_queried_outliers out = {
        .count = room,
        .value = m->outlier,
        .left = m->outlier + room,
        .right = m->outlier + 2 * room,
        .strength = m->outlier + 3 * room,
        .left_rank = m->first_u_rank[l],
        .right_rank = m->first_phi_rank[l],
        .left_direction = m->first_u + l * m->first_ld,
        .right_direction = m->first_phi + l * m->first_ld,
    };
    nnd_status status = nnd_queried_find_outliers(m->problem->ctx, m->fields.matrix[l], &out);
    if (status != NND_OK)
        return status;
    for (size_t k = 0; k < count; k++) {
        size_t at = l * count + k;
        nnd_wide_curves_at(r, WIDE_OUTLIER, mark)[at] = out.value[k];
        nnd_wide_curves_at(r, WIDE_OUTLIER_LEFT, mark)[at] = out.left[k];
        nnd_wide_curves_at(r, WIDE_OUTLIER_RIGHT, mark)[at] = out.right[k];
        nnd_wide_curves_at(r, WIDE_OUTLIER_STRENGTH, mark)[at] = out.strength[k];
        double variance = 0.5 * tau * tau;
        double least = nnd_claim_outlier(out.edge, room, out.value, k, 0.0, variance);
        nnd_wide_curves_at(r, WIDE_OUTLIER_CLAIM, mark)[at] = least;
        nnd_wide_curves_at(r, WIDE_OUTLIER_LEFT_CLAIM, mark)[at] =
            nnd_claim_overlap(room, out.value, out.left, k, variance, least);
        nnd_wide_curves_at(r, WIDE_OUTLIER_RIGHT_CLAIM, mark)[at] =
            nnd_claim_overlap(room, out.value, out.right, k, variance, least);
    }
    return note_strengths(m, l, now, out.strength);
}

/* Where nothing is recorded, only what escape times need: strengths are found if there are more
 * outliers than have escaped, here and at the visit before. */
static nnd_status watch_matrix(nnd_wide_marching *m, size_t l, double now) {
    nnd_context *ctx = m->problem->ctx;
    nnd_queried_pencil *pencil = NULL;
    size_t count = outliers(m), escaped = 0, there;
    double *strength = m->outlier + 3 * (count + 1);
    while (escaped < count && has_escaped(m, l, escaped))
        escaped++;
    if (escaped == count)
        return NND_OK;
    nnd_status status = nnd_queried_pencil_new(ctx, m->fields.matrix[l], &pencil);
    if (status == NND_OK)
        status = nnd_queried_pencil_outliers(ctx, pencil, &there);
    if (status == NND_OK && there > escaped) {
        status = nnd_queried_pencil_strengths(ctx, pencil, count, strength);
        nnd_queried_pencil_free(pencil);
        return status == NND_OK ? note_strengths(m, l, now, strength) : status;
    }
    nnd_queried_pencil_free(m->pencil[l]);
    m->pencil[l] = pencil;
    return status;
}

static nnd_status watch_escape(nnd_wide_marching *m, double now) {
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l + 1 < m->fields.depth; l++)
        status = watch_matrix(m, l, now);
    return status;
}

static nnd_status record_matrices(nnd_wide_marching *m, size_t mark, double now) {
    nnd_wide_curves *r = m->record;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l + 1 < m->fields.depth; l++) {
        nnd_wide_curves_at(r, WIDE_RANK_PHI, mark)[l] =
            (double)nnd_queried_rank(m->fields.matrix[l], NND_FORWARD);
        nnd_wide_curves_at(r, WIDE_RANK_G, mark)[l] =
            (double)nnd_queried_rank(m->fields.matrix[l], NND_BACKWARD);
        if (m->problem->params->spectrum)
            status = record_outliers(m, mark, l, now);
    }
    return status;
}

/* ---- two times ---- */

/* Coefficients of the training samples' vectors in a basis that they extend. */
static nnd_status keep_in_basis(nnd_wide_marching *m, nnd_basis *basis, const double *v,
                                nnd_wide_history *history, size_t field, size_t mark) {
    nnd_context *ctx = m->problem->ctx;
    size_t samples = m->fields.samples, ld = basis->vector.count + samples;
    double *coef = calloc(samples * ld, sizeof *coef);
    nnd_status status = coef != NULL
                            ? nnd_basis_extend(ctx, basis, samples, v, m->fields.sampling->rank_tol,
                                               NULL, coef, ld, NULL)
                            : nnd_fail_memory(ctx, "the two-time kernels");
    if (status == NND_OK)
        status = nnd_wide_history_keep(ctx, history, field, mark, basis->vector.count, coef, ld);
    free(coef);
    return status;
}

static nnd_status record_two_time(nnd_wide_marching *m, size_t mark) {
    nnd_context *ctx = m->problem->ctx;
    const nnd_wide_fields *f = &m->fields;
    size_t last = f->depth - 1;
    nnd_status status = keep_in_basis(m, &m->last_phi, nnd_wide_fields_layer(f, f->phi, last),
                                      &m->phi_history, last, mark);
    if (status == NND_OK)
        status = keep_in_basis(m, &m->first_layer_g, f->u, &m->g_history, 0, mark);
    for (size_t l = 0; status == NND_OK && l < last; l++) {
        size_t ld;
        const double *a = nnd_queried_coefficients(f->matrix[l], NND_FORWARD, &ld);
        status = nnd_wide_history_keep(ctx, &m->phi_history, l, mark,
                                       nnd_queried_rank(f->matrix[l], NND_FORWARD), a, ld);
        if (status != NND_OK)
            break;
        const double *b = nnd_queried_coefficients(f->matrix[l], NND_BACKWARD, &ld);
        status = nnd_wide_history_keep(ctx, &m->g_history, l + 1, mark,
                                       nnd_queried_rank(f->matrix[l], NND_BACKWARD), b, ld);
    }
    return status;
}

static void finish_two_time(const nnd_wide_marching *m) {
    size_t times = m->problem->marks.count, samples = m->fields.samples;
    size_t field = times * times * samples * samples;
    for (size_t l = 0; m->problem->params->two_time && l < m->fields.depth; l++) {
        nnd_wide_history_kernel(&m->phi_history, l, m->recorded,
                                m->record->x[WIDE_PHI_TWO_TIME] + l * field);
        nnd_wide_history_kernel(&m->g_history, l, m->recorded,
                                m->record->x[WIDE_G_TWO_TIME] + l * field);
    }
}

/* ---- kernels ---- */

/* Estimate of the error of outputs, the largest over points: of truncation (wide-mlp.md#eq13), and
 * of rounding, which counts 1/gamma0 times. */
static void record_truncation(nnd_wide_marching *m, size_t mark, const nnd_wide_averages *a) {
    const double rounding = 8.0 * DBL_EPSILON;
    const nnd_wide_fields *f = &m->fields;
    const double *phi = a->phi + (f->depth - 1) * f->points * f->points;
    double *error = m->error, most = 0.0, relative = 0.0, readout = 0.0;
    for (size_t c = 0; c < f->outputs; c++)
        readout = fmax(readout, a->readout[c]);
    memset(error, 0, f->points * sizeof *error);
    for (size_t l = 0; l + 1 < f->depth; l++)
        nnd_queried_truncation(f->matrix[l], f->queried, error);
    for (size_t i = 0; i < f->points; i++) {
        double scale = sqrt(readout * phi[i * (f->points + 1)]);
        error[i] += rounding * scale;
        most = fmax(most, error[i]);
        relative = scale > 0.0 ? fmax(relative, error[i] / scale) : relative;
    }
    *nnd_wide_curves_at(m->record, WIDE_TRUNCATION, mark) = most / m->problem->params->gamma0;
    *nnd_wide_curves_at(m->record, WIDE_FIELD_ERROR, mark) = relative;
}

/* All averages of the network. */
static nnd_status find_averages(nnd_wide_marching *m, nnd_wide_averages *a) {
    const nnd_wide_fields *f = &m->fields;
    size_t points2 = f->points * f->points, n = f->points * f->outputs;
    double *h = m->gram, *phi = h + f->depth * points2, *g = phi + f->depth * points2;
    double *ntk = g + f->depth * n * n, *unbiased = ntk + n * n, *readout = unbiased + points2;
    nnd_wide_fields_grams(f, f->h, h);
    nnd_wide_fields_grams(f, f->phi, phi);
    nnd_population_inner(f->population[0], f->points, f->theta, f->points, f->theta, unbiased,
                         f->points);
    for (size_t c = 0; c < f->outputs; c++)
        nnd_population_inner(f->population[f->depth - 1], 1, f->readout + c * f->sites, 1,
                             f->readout + c * f->sites, readout + c, 1);
    nnd_status status = NND_OK;
    if (f->outputs == 1)
        nnd_wide_fields_grams(f, f->u, g);
    else
        status = nnd_wide_fields_backward_grams(f, g);
    nnd_wide_ntk(m->problem, phi, g, ntk);
    *a = (nnd_wide_averages){.output = f->output,
                             .h = h,
                             .phi = phi,
                             .g = g,
                             .unbiased = unbiased,
                             .readout = readout,
                             .ntk = ntk};
    return status;
}

/* Delta^T K Delta/|v|^2 of the weighted residuals, B v = Delta: a lower bound of the top curvature,
 * and near to it once a residual grows. With d = sum_c Delta_c g_c it needs no query: K in that
 * direction is sum_l beta_l^2 <d d>^{l+1} (sigma_w^2 Phi^l + sigma_b^2), and of the readouts
 * (Delta Delta)(sigma_w^2 Phi^L + sigma_b^2). */
static double curvature_along_residual(nnd_wide_marching *m, const double *weight) {
    const nnd_wide_fields *f = &m->fields;
    const nnd_wide_problem *q = m->problem;
    size_t points2 = f->points * f->points, n = f->samples;
    double *phi = m->gram, *g = phi + f->depth * points2, sum = 0.0, norm2 = 0.0;
    double weights2 = q->params->sigma_w * q->params->sigma_w;
    double biases2 = q->params->sigma_b * q->params->sigma_b;
    nnd_wide_fields_grams(f, f->phi, phi);
    nnd_wide_fields_grams(f, f->u, g);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            size_t at = i * f->points + j;
            double of_pair = cblas_ddot((int)f->outputs, f->delta + i * f->outputs, 1,
                                        f->delta + j * f->outputs, 1) *
                             (weights2 * phi[(f->depth - 1) * points2 + at] + biases2);
            for (size_t l = 0; l < f->depth; l++) {
                double below = l == 0 ? q->gram[at] : phi[(l - 1) * points2 + at];
                of_pair += (l == 0 ? 1.0 : q->beta * q->beta) * f->amplitude[i] * f->amplitude[j] *
                           g[l * points2 + at] * (weights2 * below + biases2);
            }
            sum += weight[i] * weight[j] * of_pair;
        }
    for (size_t i = 0; i < n; i++)
        norm2 +=
            weight[i] * nnd_wide_loss_norm2((nnd_wide_loss_kind)q->params->loss, f->outputs,
                                            f->output + i * f->outputs, f->delta + i * f->outputs);
    return norm2 > 0.0 && isfinite(norm2) ? sum / norm2 : 0.0;
}

/* The edge of stability is watched at every step, recorded or not; with several outputs where
 * nothing is recorded only along the residual. */
static nnd_status watch_edge(nnd_wide_marching *m, size_t step, const double *weight,
                             const nnd_wide_averages *averages) {
    const nnd_wide_problem *q = m->problem;
    size_t n = q->samples * q->outputs;
    double rate = nnd_wide_mlp_rate(q->params, step);
    nnd_wide_averages found;
    if (q->params->integrator == NND_GRADIENT_FLOW || m->record->edge != SIZE_MAX)
        return NND_OK;
    if (averages == NULL && q->outputs > 1) {
        nnd_wide_note_edge(m->record, step, rate, curvature_along_residual(m, weight));
        return NND_OK;
    }
    nnd_status status = NND_OK;
    if (averages == NULL) {
        status = find_averages(m, &found);
        averages = &found;
    }
    double *value = malloc(n * sizeof *value);
    if (value == NULL)
        return nnd_fail_memory(q->ctx, "the stability");
    if (status == NND_OK)
        status = nnd_wide_curvatures(q, weight, averages->output, averages->ntk, value);
    nnd_wide_note_edge(m->record, step, rate, value[n - 1]);
    free(value);
    return status;
}

/* ---- the run ---- */

/* Ranks, and with them memory, are known only as they grow. */
static nnd_status check_memory(const nnd_wide_marching *m, double now) {
    size_t rank;
    double bytes = nnd_wide_fields_bytes(&m->fields, &rank);
    for (size_t l = 0; l < m->problem->depth; l++)
        bytes += nnd_queried_pencil_bytes(m->pencil[l]);
    char what[128];
    nnd_format(what, sizeof what,
               "the march, whose rank has grown to %zu at t = %g (a larger rank_tol keeps less),",
               rank, nnd_wide_mlp_time(m->problem->params, now));
    return nnd_check_memory(m->problem->ctx, bytes, what);
}

static nnd_status record_mark(nnd_wide_marching *m, size_t mark, double now,
                              const nnd_wide_averages *a) {
    const nnd_wide_mlp *p = m->problem->params;
    double rate = p->integrator == NND_DESCENT ? nnd_wide_mlp_rate(p, (size_t)now) : 1.0;
    nnd_status status = nnd_wide_fields_tests(&m->fields);
    nnd_wide_curves_outputs(m->record, mark, m->fields.kappa[0], m->fields.output);
    if (status == NND_OK)
        status = nnd_wide_curves_kernels(m->record, mark, rate, a);
    if (m->record->x[WIDE_TRUNCATION] != NULL)
        record_truncation(m, mark, a);
    if (status == NND_OK)
        status = record_matrices(m, mark, now);
    if (status == NND_OK && p->two_time)
        status = record_two_time(m, mark);
    m->recorded++;
    return status;
}

static nnd_status visit(void *data, double now, size_t mark, const double *weight) {
    nnd_wide_marching *m = data;
    const nnd_wide_problem *q = m->problem;
    nnd_wide_averages averages;
    bool marked = mark != SIZE_MAX;
    if (nnd_has_diverged(nnd_wide_loss_limit(q), nnd_wide_loss(q, m->fields.output))) {
        m->record->diverged = nnd_wide_mlp_time(q->params, now);
        return NND_DIVERGED;
    }
    keep_first_directions(m);
    nnd_status status = marked ? find_averages(m, &averages) : NND_OK;
    if (status == NND_OK && marked)
        status = record_mark(m, mark, now, &averages);
    else if (status == NND_OK && q->params->spectrum)
        status = watch_escape(m, now);
    if (status == NND_OK)
        status = watch_edge(m, (size_t)now, weight, marked ? &averages : NULL);
    m->last = now;
    return status == NND_OK ? check_memory(m, now) : status;
}

static nnd_status evaluate(void *data, size_t slot) {
    return nnd_wide_fields_evaluate(&((nnd_wide_marching *)data)->fields, slot);
}

static nnd_status gradient(void *data, size_t slot, double keep, double factor, double felt,
                           const double *weight) {
    return nnd_wide_fields_gradient(&((nnd_wide_marching *)data)->fields, slot, keep, factor, felt,
                                    weight);
}

static void combine(void *data, size_t slot, double keep, double factor, size_t other) {
    nnd_wide_fields_combine(&((nnd_wide_marching *)data)->fields, slot, keep, factor, other);
}

static double size(const void *data, size_t slot) {
    return nnd_wide_fields_size(&((const nnd_wide_marching *)data)->fields, slot);
}

static bool rests(const void *data) {
    return ((const nnd_wide_marching *)data)->fields.resting;
}

nnd_status nnd_wide_marching_run(nnd_wide_marching *m) {
    const nnd_wide_dynamics dynamics = {m, evaluate, gradient, combine, size, rests, visit};
    nnd_status status = nnd_wide_descend(m->problem, &dynamics);
    if (status >= NND_OK)
        finish_two_time(m);
    return status == NND_DIVERGED ? NND_OK : status;
}

static nnd_wide_work work_of(const nnd_wide_fields *f) {
    nnd_wide_work work = {0};
    for (size_t l = 0; f->population != NULL && l < f->depth; l++)
        if (f->population[l] != NULL && (l == 0 || f->population[l] != f->population[0])) {
            work.exhausted |= nnd_population_exhausted(f->population[l]);
            work.multiply_adds += nnd_population_work(f->population[l]);
        }
    for (size_t l = 0; f->matrix != NULL && l + 1 < f->depth; l++)
        work.multiply_adds += f->matrix[l] != NULL ? nnd_queried_work(f->matrix[l]) : 0.0;
    return work;
}

nnd_status nnd_wide_march(const nnd_wide_problem *problem, const nnd_wide_sampling *sampling,
                          nnd_wide_curves *record, nnd_wide_work *work) {
    nnd_wide_marching m;
    nnd_status status = nnd_wide_marching_make(problem, sampling, record, &m);
    if (status == NND_OK)
        status = nnd_wide_marching_run(&m);
    if (work != NULL)
        *work = work_of(&m.fields);
    nnd_wide_marching_clear(&m);
    return status;
}
