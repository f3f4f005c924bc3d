/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fixed readout, isotropic target, population gradient: W is a sample covariance whose population
 * F(lambda) runs over the Marchenko-Pastur law of A^T A (many-outputs.md#s2).
 */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/covariance.h"
#include "theory/many_outputs_doubled.h"
#include "theory/many_outputs_memory.h"

/* Atoms: F at the nodes, then the null mass. */
typedef struct {
    nnd_law_moments moments;
    nnd_covariance law;
    double *s, *h, *b; /* b: what a spike of the target with s = 1 sends to each */
    size_t end[2];
    nnd_edges edges;
} readout;

static nnd_status stieltjes(nnd_context *ctx, void *self, double complex z, double complex *m,
                            double *error) {
    nnd_status status = nnd_covariance_stieltjes(ctx, &((readout *)self)->law, z, m);
    *error = NND_LAW_ROUNDING * cabs(*m);
    return status;
}

static nnd_status density(nnd_context *ctx, void *self, size_t count, const double *z,
                          nnd_estimate *rho, nnd_estimate *cdf) {
    const readout *r = self;
    double *value = calloc(2 * count, sizeof *value);
    nnd_status status = value != NULL ? nnd_covariance_density(ctx, &r->law, &r->edges, count, z,
                                                               value, value + count)
                                      : nnd_fail_memory(ctx, "a density");
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        rho[i] = nnd_law_rounded(value[i]);
        cdf[i] = nnd_law_rounded(value[count + i]);
    }
    free(value);
    return status;
}

static nnd_status edges(nnd_context *ctx, void *self, nnd_edges *out) {
    return nnd_edges_copy(ctx, &((readout *)self)->edges, out);
}

static nnd_status outlier(nnd_context *ctx, void *self, double s, nnd_detached *spike) {
    const readout *r = self;
    double *strength = calloc(r->law.count, sizeof *strength);
    if (strength == NULL)
        return nnd_fail_memory(ctx, "a spike");
    for (size_t j = 0; j < r->law.count; j++)
        strength[j] = s * s * r->b[j];
    nnd_status status = nnd_covariance_spike(ctx, &r->law, strength, spike);
    free(strength);
    return status;
}

static void free_readout(void *self) {
    readout *r = self;
    if (r == NULL)
        return;
    free(r->s);
    free(r->h);
    free(r->b);
    nnd_edges_clear(&r->edges);
    free(r);
}

static const nnd_law_methods METHODS = {
    stieltjes, density, edges, outlier, nnd_law_moments_mean, nnd_law_moments_risk, free_readout};

/* many-outputs.md#s2-1, many-outputs.md#s2-4 */
static void fill(const nnd_many_outputs *p, double time, size_t count, readout *r) {
    nnd_outputs_scales y = nnd_many_outputs_scales(p);
    double *lambda = r->s, sum = 0.0, rate = nnd_many_outputs_rate(p);
    double gamma2 = y.gamma * y.gamma, learned = gamma2 * p->tau2 / y.d;
    nnd_bulk_rule(y.c, count, lambda, r->h);
    for (size_t k = 0; k < count; k++) {
        nnd_memory q = nnd_memory_at(rate, time, lambda[k]);
        double gain = q.gone * q.gone / lambda[k], weight = r->h[k], left2 = q.left * q.left;
        r->moments.risk += weight / y.c * left2 * (p->tau2 + y.d * p->sigma2 * lambda[k] / gamma2);
        r->b[k] = gamma2 * weight / y.c * gain;
        r->s[k] = p->sigma2 * left2 + learned * gain;
        r->moments.mean += weight * r->s[k];
        sum += weight;
    }
    r->s[count] = p->sigma2;
    r->h[count] = nnd_null_weight(fmin(y.c, 1.0), isinf(time), sum);
    r->moments.mean += r->h[count] * p->sigma2;
    r->moments.risk += p->tau2 * (r->h[count] - (1.0 - y.c)) / y.c; /* what no mode can learn */
}

static nnd_status solve(nnd_context *ctx, const nnd_many_outputs *p, double time, size_t nodes,
                        readout *r) {
    r->end[0] = nodes;
    r->end[1] = nodes + 1;
    r->s = calloc(nodes + 1, sizeof(double));
    r->h = calloc(nodes + 1, sizeof(double));
    r->b = calloc(nodes + 1, sizeof(double));
    if (r->s == NULL || r->h == NULL || r->b == NULL)
        return nnd_fail_memory(ctx, "a law of weights");
    fill(p, time, nodes, r);
    r->law = (nnd_covariance){nodes + 1, r->s, r->h, 2, r->end, nnd_many_outputs_scales(p).d};
    return nnd_covariance_edges(ctx, &r->law, &r->edges);
}

static nnd_status make(nnd_context *ctx, const nnd_many_outputs *p, double time, size_t nodes,
                       nnd_outputs_law *law) {
    readout *r = calloc(1, sizeof *r);
    *law = (nnd_outputs_law){&METHODS, r};
    return r != NULL ? solve(ctx, p, time, nodes, r) : nnd_fail_memory(ctx, "a law of weights");
}

nnd_status nnd_outputs_law_readout(nnd_context *ctx, const nnd_many_outputs *p, double time,
                                   nnd_outputs_law *law) {
    static const nnd_outputs_doubling how = {make, 64, 1 << 17, 1e-10};
    return nnd_outputs_law_doubled(ctx, p, time, &how, law);
}
