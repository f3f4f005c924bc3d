/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/many_outputs_doubled.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "theory/point.h"

nnd_estimate nnd_law_rounded(double value) {
    return (nnd_estimate){value, NND_LAW_ROUNDING * fabs(value)};
}

nnd_status nnd_law_moments_mean(nnd_context *ctx, void *self, nnd_estimate *mean) {
    (void)ctx;
    *mean = nnd_law_rounded(((const nnd_law_moments *)self)->mean);
    return NND_OK;
}

nnd_status nnd_law_moments_risk(nnd_context *ctx, void *self, nnd_estimate *risk) {
    (void)ctx;
    *risk = nnd_law_rounded(((const nnd_law_moments *)self)->risk);
    return NND_OK;
}

/* With n nodes, and with 2n. */
typedef struct {
    nnd_outputs_law coarse, fine;
} pair;

/* ---- agreement ---- */

static bool agree(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

static bool edges_agree(const nnd_edges *a, const nnd_edges *b, double part) {
    /* kappa is a derivative at a place that is known to `part`. */
    const double looser = 1e3;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const nnd_edge *x = &a->edge[i], *y = &b->edge[i];
        if (!agree(x->z, y->z, part * b->edge[b->count - 1].z) || !agree(x->mass, y->mass, part) ||
            !agree(x->kappa, y->kappa, y->kappa_error + looser * part * y->kappa))
            return false;
    }
    return true;
}

static nnd_status values_agree(nnd_context *ctx, const pair *x, double part, bool *same) {
    const nnd_outputs_law *law[] = {&x->coarse, &x->fine};
    nnd_edges edges[2] = {{0}};
    nnd_estimate mean[2], risk[2];
    nnd_status status = NND_OK;
    for (int i = 0; status == NND_OK && i < 2; i++) {
        status = law[i]->methods->edges(ctx, law[i]->self, &edges[i]);
        if (status == NND_OK)
            status = law[i]->methods->mean(ctx, law[i]->self, &mean[i]);
        if (status == NND_OK)
            status = law[i]->methods->risk(ctx, law[i]->self, &risk[i]);
    }
    *same = status == NND_OK && edges_agree(&edges[0], &edges[1], part) &&
            agree(mean[0].value, mean[1].value, part * mean[1].value) &&
            agree(risk[0].value, risk[1].value, part * risk[1].value);
    nnd_edges_clear(&edges[0]);
    nnd_edges_clear(&edges[1]);
    return status;
}

/* ---- what is asked of both ---- */

static void widen(nnd_estimate *fine, double coarse) {
    fine->error += fabs(fine->value - coarse);
}

static nnd_status stieltjes(nnd_context *ctx, void *self, double complex z, double complex *m,
                            double *error) {
    pair *x = self;
    double complex coarse;
    nnd_status status = x->coarse.methods->stieltjes(ctx, x->coarse.self, z, &coarse, error);
    if (status == NND_OK)
        status = x->fine.methods->stieltjes(ctx, x->fine.self, z, m, error);
    *error += cabs(*m - coarse);
    return status;
}

static nnd_status density(nnd_context *ctx, void *self, size_t count, const double *z,
                          nnd_estimate *rho, nnd_estimate *cdf) {
    pair *x = self;
    nnd_estimate *coarse = calloc(2 * count, sizeof *coarse);
    if (coarse == NULL)
        return nnd_fail_memory(ctx, "a density");
    nnd_status status =
        x->coarse.methods->density(ctx, x->coarse.self, count, z, coarse, coarse + count);
    if (status == NND_OK)
        status = x->fine.methods->density(ctx, x->fine.self, count, z, rho, cdf);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        widen(&rho[i], coarse[i].value);
        widen(&cdf[i], coarse[count + i].value);
    }
    free(coarse);
    return status;
}

static nnd_status edges(nnd_context *ctx, void *self, nnd_edges *out) {
    pair *x = self;
    nnd_edges coarse = {0};
    nnd_status status = x->coarse.methods->edges(ctx, x->coarse.self, &coarse);
    if (status == NND_OK)
        status = x->fine.methods->edges(ctx, x->fine.self, out);
    for (size_t i = 0; status == NND_OK && i < out->count; i++) {
        nnd_edge *e = &out->edge[i];
        e->z_error += fabs(e->z - coarse.edge[i].z);
        e->kappa_error += fabs(e->kappa - coarse.edge[i].kappa);
    }
    nnd_edges_clear(&coarse);
    return status;
}

static nnd_status outlier(nnd_context *ctx, void *self, double s, nnd_detached *spike) {
    pair *x = self;
    nnd_detached coarse;
    nnd_status status = x->coarse.methods->outlier(ctx, x->coarse.self, s, &coarse);
    if (status == NND_OK)
        status = x->fine.methods->outlier(ctx, x->fine.self, s, spike);
    spike->z_error += fabs(spike->z - coarse.z);
    spike->overlap_error += fabs(spike->overlap - coarse.overlap);
    return status;
}

static nnd_status mean(nnd_context *ctx, void *self, nnd_estimate *value) {
    pair *x = self;
    nnd_estimate coarse;
    nnd_status status = x->coarse.methods->mean(ctx, x->coarse.self, &coarse);
    if (status == NND_OK)
        status = x->fine.methods->mean(ctx, x->fine.self, value);
    widen(value, coarse.value);
    return status;
}

static nnd_status risk(nnd_context *ctx, void *self, nnd_estimate *value) {
    pair *x = self;
    nnd_estimate coarse;
    nnd_status status = x->coarse.methods->risk(ctx, x->coarse.self, &coarse);
    if (status == NND_OK)
        status = x->fine.methods->risk(ctx, x->fine.self, value);
    widen(value, coarse.value);
    return status;
}

static void free_pair(void *self) {
    pair *x = self;
    if (x == NULL)
        return;
    nnd_outputs_law_clear(&x->coarse);
    nnd_outputs_law_clear(&x->fine);
    free(x);
}

static const nnd_law_methods METHODS = {stieltjes, density, edges, outlier, mean, risk, free_pair};
/* Of laws that know of no outliers. */
static const nnd_law_methods WITHOUT_OUTLIERS = {stieltjes, density, edges,    NULL,
                                                 mean,      risk,    free_pair};

/* ---- making ---- */

/* The next fine law; with too few nodes a law may have no solution, as if it did not agree. */
static nnd_status refine(nnd_context *ctx, const nnd_many_outputs *p, double time,
                         const nnd_outputs_doubling *how, size_t nodes, pair *x, bool *same) {
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at %zu nodes", nodes);
    nnd_outputs_law_clear(&x->coarse);
    x->coarse = x->fine;
    x->fine = (nnd_outputs_law){NULL, NULL};
    *same = false;
    nnd_status status = how->make(ctx, p, time, nodes, &x->fine);
    if (status != NND_OK)
        nnd_outputs_law_clear(&x->fine);
    else if (x->coarse.methods != NULL)
        status = values_agree(ctx, x, how->agreed, same);
    return nnd_point_failed(status) ? NND_OK : status;
}

nnd_status nnd_outputs_law_doubled(nnd_context *ctx, const nnd_many_outputs *p, double time,
                                   const nnd_outputs_doubling *how, nnd_outputs_law *law) {
    pair *x = calloc(1, sizeof *x);
    *law = (nnd_outputs_law){&METHODS, x};
    nnd_status status = x != NULL ? NND_OK : nnd_fail_memory(ctx, "a law of weights");
    bool same = false;
    for (size_t n = how->fewest; status == NND_OK && !same && n <= how->most; n *= 2)
        status = refine(ctx, p, time, how, n, x, &same);
    if (status == NND_OK && !same)
        return nnd_fail(
            ctx, NND_E_UNSOLVED,
            "the spectrum at time %g is not known to %g with %zu nodes: too many modes "
            "are slow, as where c or p/d is close to 1, or bulks too narrow, as where d is large",
            time, how->agreed, how->most);
    if (status == NND_OK && x->fine.methods->outlier == NULL)
        law->methods = &WITHOUT_OUTLIERS;
    return status;
}
