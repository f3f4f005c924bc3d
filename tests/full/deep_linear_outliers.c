/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/deep_linear_outliers.h"

#include <math.h>
#include <stdlib.h>

#include "full/spike_system.h"
#include "nndmft/solvers/bulk.h"

enum { LEFT, RIGHT, FIELDS };          /* g_{l+1} and h_l */
enum { LEFT_ON_RIGHT, RIGHT_ON_LEFT }; /* responses R^g and R^h */

/* Lower end of a search: the edge, but for rounding. */
static const double ABOVE_EDGE = 1.0 + 1e-9;
/* What weight decay leaves of the bulk, at least: beside spikes it is nothing, and 1/s a number. */
static const double LEAST_BULK = 1e-280;

/* One matrix at one query. */
typedef struct {
    double sigma2, aspect, kappa, s; /* s = kappa^2 sigma^2 */
    size_t n;                        /* queries before this one */
    nnd_spikes spikes;
    nnd_spike_system system;
} problem;

static void scalars(const void *data, double z, double *t, double *g) {
    const problem *p = data;
    nnd_bulk_resolvent m = nnd_bulk_resolvent_at(p->s, p->aspect, z);
    t[LEFT_ON_RIGHT] = p->kappa * p->sigma2 * p->aspect * m.m_out;
    t[RIGHT_ON_LEFT] = p->kappa * p->sigma2 * m.m_in;
    g[LEFT] = m.m_out;
    g[RIGHT] = m.m_in;
}

static nnd_status add_blocks(const nnd_dynamics *d, const nnd_field_factors *f, size_t l,
                             nnd_dressed *dressed) {
    const nnd_march *m = d->march;
    size_t lda = nnd_march_stride(m);
    nnd_field g = d->g[l + 1], h = d->h[l];
    nnd_status status = nnd_dressed_add_response(
        dressed, LEFT, RIGHT, nnd_march_image_coefficients(m, g, d->a[l], NND_FORWARD), lda);
    if (status == NND_OK)
        status = nnd_dressed_add_response(
            dressed, RIGHT, LEFT, nnd_march_image_coefficients(m, h, d->a[l], NND_BACKWARD), lda);
    if (status == NND_OK)
        status =
            nnd_dressed_add_space(dressed, LEFT, f->g[l + 1].coords, LEFT, NULL, f->g[l + 1].rank);
    if (status == NND_OK)
        status = nnd_dressed_add_space(dressed, RIGHT, f->h[l].coords, RIGHT, NULL, f->h[l].rank);
    return status;
}

static nnd_status make_problem(nnd_context *ctx, const nnd_dynamics *d, const nnd_field_factors *f,
                               size_t l, size_t q, double kappa, const double *omega, problem *p) {
    double sigma = nnd_deep_linear_sigma(d->params, l);
    *p = (problem){
        .sigma2 = sigma * sigma,
        .aspect = l == 0 ? d->params->nu : 1.0,
        .kappa = kappa,
        .s = fmax(kappa * kappa * sigma * sigma, LEAST_BULK),
        .n = q,
    };
    double *weight = calloc(q + 1, sizeof *weight);
    nnd_dressed *dressed = NULL;
    nnd_status status = weight != NULL ? nnd_dressed_new(ctx, FIELDS, q, &dressed)
                                       : nnd_fail_memory(ctx, "the spikes");
    for (size_t i = 0; status == NND_OK && i < q; i++)
        weight[i] = d->c[l] * omega[i];
    if (status == NND_OK)
        status = add_blocks(d, f, l, dressed);
    if (status == NND_OK)
        status = nnd_spikes_make(ctx, q, &f->g[l + 1], &f->h[l], weight, &p->spikes);
    free(weight);
    if (status != NND_OK) {
        nnd_dressed_free(dressed);
        return status;
    }
    const nnd_spike_place place = {&p->spikes, LEFT, RIGHT};
    return nnd_spike_system_make(ctx, dressed, 2, 2, q, 1, &place, scalars, p, &p->system);
}

static void clear_problem(problem *p) {
    nnd_spikes_clear(&p->spikes);
    nnd_spike_system_clear(&p->system);
}

/* Derivatives of the scalars with respect to z. */
static void derivatives(const problem *p, double z, double *dt, double *dg) {
    nnd_bulk_resolvent m = nnd_bulk_resolvent_at(p->s, p->aspect, z);
    dt[LEFT_ON_RIGHT] = p->kappa * p->sigma2 * p->aspect * m.dm_out;
    dt[RIGHT_ON_LEFT] = p->kappa * p->sigma2 * m.dm_in;
    dg[LEFT] = m.dm_out;
    dg[RIGHT] = m.dm_in;
}

/* Squared cosine of the right vector with beta* (deep-linear.md#s3-4); beta* does not depend on
 * A_0. */
static double target_overlap(const nnd_dynamics *d, const problem *p, double m_in, double norm2,
                             const double *s) {
    double sum = 0.0;
    for (size_t i = 0; i < p->n; i++)
        sum += s[RIGHT * p->n + i] * nnd_march_dot_vector(d->march, d->h[0], i, d->target);
    return m_in * m_in * sum * sum / norm2;
}

/* Squared cosine of the left vector of A_{L-1} with a(q) = g_L(q). */
static double readout_overlap(const nnd_dynamics *d, const problem *p, size_t q, double m_out,
                              double norm2, const double *s, const double *a) {
    const nnd_march *m = d->march;
    nnd_field g = d->g[d->depth];
    const double *response = nnd_march_image_coefficients(m, g, d->a[d->depth - 1], NND_FORWARD) +
                             q * nnd_march_stride(m);
    double sum = 0.0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->kappa * p->sigma2 * p->aspect * response[i] * a[RIGHT * p->n + i] +
               s[LEFT * p->n + i] * nnd_march_gram(m, g, q)[i];
    return m_out * m_out * sum * sum / (norm2 * nnd_march_gram(m, g, q)[q]);
}

static nnd_status overlaps(nnd_context *ctx, const nnd_dynamics *d, problem *p, size_t q, double z,
                           const double *y, double *target, double *readout) {
    size_t size = FIELDS * p->n;
    double *s = calloc(size + 1, sizeof *s), *a = calloc(size + 1, sizeof *a);
    double dt[2], dg[2], twice_norm2 = NAN;
    nnd_status status = s != NULL && a != NULL ? nnd_spike_system_null(&p->system, z, y, s, a)
                                               : nnd_fail_memory(ctx, "an outlier's vector");
    derivatives(p, z, dt, dg);
    if (status == NND_OK)
        status = nnd_spike_system_derivative(&p->system, dt, dg, s, a, &twice_norm2);
    nnd_bulk_resolvent m = nnd_bulk_resolvent_at(p->s, p->aspect, z);
    if (status == NND_OK && target != NULL)
        *target = target_overlap(d, p, m.m_in, twice_norm2 / 2.0, s);
    if (status == NND_OK && readout != NULL)
        *readout = readout_overlap(d, p, q, m.m_out, twice_norm2 / 2.0, s, a);
    free(s);
    free(a);
    return status;
}

static nnd_status find_all(nnd_context *ctx, const nnd_dynamics *d, problem *p, size_t q,
                           nnd_weight_outliers *out) {
    nnd_outlier_problem search = nnd_spike_system_problem(&p->system);
    double spikes = 0.0;
    for (size_t i = 0; i < p->system.k; i++)
        spikes += p->system.sigma[i];
    /* From where M is resolved beside the spikes, to beyond the sum of both parts' norms. */
    double edge = fmax(out->edge * ABOVE_EDGE, 1e-9 * spikes), far = 1.01 * (out->edge + spikes);
    size_t count;
    nnd_status status = nnd_outlier_count(ctx, &search, edge, &count);
    double *y = calloc(2 * p->system.k + 1, sizeof *y);
    if (status == NND_OK && y == NULL)
        status = nnd_fail_memory(ctx, "an outlier's vector");
    for (size_t j = 0; status == NND_OK && j < count && j < out->count; j++) {
        status = nnd_outlier_find(ctx, &search, j, edge, far, &out->value[j], y);
        if (status == NND_OK && !isnan(out->value[j]) &&
            (out->target != NULL || out->readout != NULL))
            status = overlaps(ctx, d, p, q, out->value[j], y,
                              out->target != NULL ? &out->target[j] : NULL,
                              out->readout != NULL ? &out->readout[j] : NULL);
    }
    free(y);
    return status;
}

nnd_status nnd_dynamics_outliers(nnd_context *ctx, const nnd_dynamics *d,
                                 const nnd_field_factors *f, size_t l, size_t q, double kappa,
                                 const double *omega, nnd_weight_outliers *out) {
    problem p;
    for (size_t j = 0; j < out->count; j++) {
        out->value[j] = NAN;
        if (out->target != NULL)
            out->target[j] = NAN;
        if (out->readout != NULL)
            out->readout[j] = NAN;
    }
    nnd_status status = make_problem(ctx, d, f, l, q, kappa, omega, &p);
    if (status == NND_OK) {
        out->edge = nnd_bulk_upper_edge(p.s, p.aspect);
        if (p.system.k > 0)
            status = find_all(ctx, d, &p, q, out);
    }
    clear_problem(&p);
    return status;
}

nnd_status nnd_dynamics_indicators(nnd_context *ctx, const nnd_dynamics *d,
                                   const nnd_field_factors *f, size_t l, size_t q, double kappa,
                                   const double *omega, size_t count, double *indicator) {
    problem p;
    nnd_status status = make_problem(ctx, d, f, l, q, kappa, omega, &p);
    if (status == NND_OK)
        status = nnd_spike_system_indicators(&p.system, nnd_bulk_upper_edge(p.s, p.aspect), count,
                                             indicator);
    clear_problem(&p);
    return status;
}
