/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fixed readout, isotropic target, finitely many samples: entries of W have variances F(lambda, mu)
 * that depend on eigenvalues of A^T A and of X X^T/P (many-outputs.md#s6).
 */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/variance_profile.h"
#include "theory/many_outputs_doubled.h"
#include "theory/many_outputs_memory.h"

/* Of the grid on which gaps are looked for. */
enum { SCANNED = 64 };

typedef struct {
    nnd_law_moments moments;
    nnd_variance_profile *profile;
    nnd_edges edges;
} samples;

static nnd_status stieltjes(nnd_context *ctx, void *self, double complex z, double complex *m,
                            double *error) {
    nnd_status status = nnd_variance_profile_stieltjes(ctx, ((samples *)self)->profile, z, m);
    *error = NND_LAW_ROUNDING * cabs(*m);
    return status;
}

static nnd_status density(nnd_context *ctx, void *self, size_t count, const double *z,
                          nnd_estimate *rho, nnd_estimate *cdf) {
    const samples *r = self;
    double *value = calloc(2 * count, sizeof *value);
    nnd_status status = value != NULL ? nnd_variance_profile_density(ctx, r->profile, &r->edges,
                                                                     count, z, value, value + count)
                                      : nnd_fail_memory(ctx, "a density");
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        rho[i] = nnd_law_rounded(value[i]);
        cdf[i] = nnd_law_rounded(value[count + i]);
    }
    free(value);
    return status;
}

static nnd_status edges(nnd_context *ctx, void *self, nnd_edges *out) {
    return nnd_edges_copy(ctx, &((samples *)self)->edges, out);
}

static void free_samples(void *self) {
    samples *r = self;
    if (r == NULL)
        return;
    nnd_variance_profile_free(r->profile);
    nnd_edges_clear(&r->edges);
    free(r);
}

static const nnd_law_methods METHODS = {
    stieltjes, density, edges, NULL, nnd_law_moments_mean, nnd_law_moments_risk, free_samples};

/* ---- variances ---- */

/* Nodes and weights of both laws, the null masses last. */
typedef struct {
    size_t count;
    double *lambda, *w, *mu, *x, *f;
} grid;

static void grid_clear(grid *g) {
    free(g->lambda);
    free(g->w);
    free(g->mu);
    free(g->x);
    free(g->f);
}

static nnd_status grid_make(nnd_context *ctx, size_t count, grid *g) {
    size_t all = count + 1;
    *g = (grid){.count = count,
                .lambda = calloc(all, sizeof(double)),
                .w = calloc(all, sizeof(double)),
                .mu = calloc(all, sizeof(double)),
                .x = calloc(all, sizeof(double)),
                .f = calloc(all * all, sizeof(double))};
    bool done = g->lambda != NULL && g->w != NULL && g->mu != NULL && g->x != NULL && g->f != NULL;
    return done ? NND_OK : nnd_fail_memory(ctx, "a law of weights");
}

/* Weights per row of W (columns: `per` = aspect), and the null mass. */
static void law_rule(double aspect, double per, bool ends, size_t count, double *node,
                     double *weight) {
    double sum = 0.0;
    nnd_bulk_rule(aspect, count, node, weight);
    for (size_t k = 0; k < count; k++) {
        weight[k] /= per;
        sum += weight[k];
    }
    node[count] = 0.0;
    weight[count] = nnd_null_weight(fmin(aspect, 1.0) / per, ends, sum);
}

/* No null mass has no class. */
static size_t classes(const grid *g, const double *weight) {
    return weight[g->count] != 0.0 ? g->count + 1 : g->count;
}

/* Variances row by row, their mean, and many-outputs.md#eq7. */
static void fill(const nnd_many_outputs *p, double time, grid *g, samples *r) {
    nnd_outputs_scales y = nnd_many_outputs_scales(p);
    double rate = nnd_many_outputs_rate(p), gamma2 = y.gamma * y.gamma;
    size_t cols = classes(g, g->x), rows = classes(g, g->w);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            double lambda = g->lambda[i], mu = g->mu[j], weight = g->w[i] * g->x[j];
            nnd_memory q = nnd_memory_at(rate, time, lambda * mu);
            double left2 = q.left * q.left, gone2 = q.gone * q.gone, noisy = 0.0, learned = 0.0;
            if (gone2 > 0.0) {
                noisy = gone2 * p->label_noise / (p->p * mu);
                learned = gamma2 / lambda * (gone2 * p->tau2 / y.d + noisy);
            }
            g->f[i * cols + j] = p->sigma2 * left2 + learned;
            r->moments.mean += weight * g->f[i * cols + j];
            if (i < g->count)
                r->moments.risk +=
                    weight / y.c *
                    (left2 * (p->tau2 + y.d * p->sigma2 * lambda / gamma2) + y.d * noisy);
        }
    r->moments.risk += p->tau2 * (g->w[g->count] - (1.0 - y.c)) / y.c; /* what no mode can learn */
}

static nnd_status solve(nnd_context *ctx, const nnd_many_outputs *p, double time, size_t nodes,
                        samples *r) {
    double c = nnd_many_outputs_scales(p).c, d = nnd_many_outputs_scales(p).d;
    grid g;
    nnd_status status = grid_make(ctx, nodes, &g);
    if (status == NND_OK) {
        law_rule(c, 1.0, isinf(time), nodes, g.lambda, g.w);
        law_rule(d / p->p, d / p->p, isinf(time), nodes, g.mu, g.x);
        fill(p, time, &g, r);
        const nnd_variances v = {classes(&g, g.w), classes(&g, g.x), g.f, g.w, g.x, d};
        status = nnd_variance_profile_new(ctx, &v, &r->profile);
    }
    if (status == NND_OK)
        status = nnd_variance_profile_edges(ctx, r->profile, SCANNED, &r->edges);
    grid_clear(&g);
    return status;
}

static nnd_status make(nnd_context *ctx, const nnd_many_outputs *p, double time, size_t nodes,
                       nnd_outputs_law *law) {
    samples *r = calloc(1, sizeof *r);
    *law = (nnd_outputs_law){&METHODS, r};
    return r != NULL ? solve(ctx, p, time, nodes, r) : nnd_fail_memory(ctx, "a law of weights");
}

nnd_status nnd_outputs_law_samples(nnd_context *ctx, const nnd_many_outputs *p, double time,
                                   nnd_outputs_law *law) {
    static const nnd_outputs_doubling how = {make, 16, 1024, 1e-9};
    if (time == 0.0) /* nothing depends on samples yet */
        return nnd_outputs_law_readout(ctx, p, time, law);
    return nnd_outputs_law_doubled(ctx, p, time, &how, law);
}
