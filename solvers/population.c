/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/population.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "solvers/basis.h"
#include "solvers/block_products.h"

/* What is shorter than this part of itself outside the known span adds nothing to it. */
static const double SPAN_TOLERANCE = 1e-10;
/* Once so many vectors are known, further ones are small corrections: matching their moments would
 * cost more than all else. */
enum { MOST_MATCHED = 160 };

struct nnd_population {
    nnd_context *ctx;
    nnd_population_options options;
    double weight;
    size_t drawn;
    nnd_scramble *scramble;
    nnd_basis span; /* MATCHED: of all that is known; else scratch for projections */
    nnd_rows coef;  /* scratch */
    double multiply_adds;
    bool exhausted;
};

nnd_status nnd_population_new(nnd_context *ctx, const nnd_population_options *options,
                              nnd_population **population) {
    nnd_population *p = calloc(1, sizeof *p);
    if (p == NULL)
        return nnd_fail_memory(ctx, "a population");
    p->ctx = ctx;
    p->options = *options;
    p->weight = options->fresh == NND_FRESH_UNIT ? 1.0 : 1.0 / (double)options->sites;
    p->span = (nnd_basis){.sites = options->sites, .weight = p->weight};
    nnd_status status = NND_OK;
    if (options->net != NULL)
        status = nnd_scramble_new(ctx, options->net, options->key, options->stream, &p->scramble);
    if (status == NND_OK && options->fresh == NND_FRESH_MATCHED) {
        double *one = malloc(options->sites * sizeof *one);
        status = one != NULL ? NND_OK : nnd_fail_memory(ctx, "a population");
        for (size_t i = 0; one != NULL && i < options->sites; i++)
            one[i] = 1.0;
        if (status == NND_OK)
            status = nnd_population_know(p, 1, one);
        free(one);
    }
    if (status == NND_OK)
        *population = p;
    else
        nnd_population_free(p);
    return status;
}

void nnd_population_free(nnd_population *population) {
    if (population == NULL)
        return;
    nnd_scramble_free(population->scramble);
    nnd_basis_clear(&population->span);
    nnd_rows_clear(&population->coef);
    free(population);
}

size_t nnd_population_sites(const nnd_population *population) {
    return population->options.sites;
}

double nnd_population_weight(const nnd_population *population) {
    return population->weight;
}

bool nnd_population_exhausted(const nnd_population *population) {
    return population->exhausted;
}

double nnd_population_work(const nnd_population *population) {
    return population->span.multiply_adds + population->multiply_adds;
}

double nnd_population_bytes(const nnd_population *p) {
    return (double)p->span.vector.count * (double)p->options.sites * sizeof(double);
}

void nnd_population_inner(const nnd_population *population, size_t n, const double *a, size_t m,
                          const double *b, double *out, size_t ld) {
    nnd_basis_inner(&population->span, n, a, m, b, out, ld);
}

static bool matches(const nnd_population *p) {
    return p->options.fresh == NND_FRESH_MATCHED && p->span.vector.count < MOST_MATCHED;
}

nnd_status nnd_population_know(nnd_population *p, size_t n, const double *v) {
    if (!matches(p))
        return NND_OK;
    size_t ld = p->span.vector.count + n;
    nnd_status status = nnd_rows_reserve(p->ctx, &p->coef, 1, n * ld);
    if (status == NND_OK)
        status =
            nnd_basis_extend(p->ctx, &p->span, n, v, SPAN_TOLERANCE, NULL, p->coef.row, ld, NULL);
    return status;
}

static nnd_status exhausted(nnd_population *p) {
    p->exhausted = true;
    return nnd_fail(p->ctx, NND_E_LIMIT,
                    "%zu samples are too few: the process has as many directions; more samples, or "
                    "a larger rank_tol, are needed",
                    p->options.sites);
}

/* Numbers before anything is done to them. */
static void draw_raw(nnd_population *p, double *out) {
    size_t which = p->drawn++, sites = p->options.sites;
    if (p->options.fresh == NND_FRESH_UNIT) {
        memset(out, 0, sites * sizeof *out);
        out[which] = 1.0;
    } else if (p->scramble != NULL)
        nnd_scramble_normals(p->scramble, which, out);
    else
        nnd_rng_normals(p->options.key, p->options.stream, which, sites, out);
}

static double length2(const nnd_population *p, const double *v) {
    double length = cblas_dnrm2((int)p->options.sites, v, 1);
    return p->weight * length * length;
}

/* Coefficients in `avoid`; true if too little is left outside to be told from rounding. */
static bool find_inside(nnd_population *p, size_t n, size_t k, const double *avoid,
                        const double *out, double *inside) {
    const double much = 0.5;
    bool cancels = false;
    nnd_population_inner(p, n, out, k, avoid, inside, k);
    p->multiply_adds += (double)n * (double)k * (double)p->options.sites;
    for (size_t i = 0; i < n; i++) {
        double within = cblas_dnrm2((int)k, inside + i * k, 1);
        cancels |= within * within > much * length2(p, out + i * p->options.sites);
    }
    return cancels;
}

/* Random vectors hardly cancel; where they did, the first pass is done here. */
static void project_off(nnd_population *p, size_t n, size_t k, const double *avoid, double *out,
                        double *inside) {
    size_t sites = p->options.sites;
    if (k == 0 || !find_inside(p, n, k, avoid, out, inside))
        return;
    nnd_block_combine(n, inside, k, k, avoid, sites, -1.0, out);
    p->multiply_adds += (double)n * (double)k * (double)sites;
    find_inside(p, n, k, avoid, out, inside);
}

static void centre(size_t n, double *x) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    for (size_t i = 0; i < n; i++)
        x[i] -= sum / (double)n;
}

/* Mean 0 (but for the projection) and variance 1. */
static void standardise(nnd_population *p, size_t n, size_t k, const double *avoid, double *out,
                        double *inside) {
    size_t sites = p->options.sites;
    for (size_t i = 0; i < n; i++)
        centre(sites, out + i * sites);
    project_off(p, n, k, avoid, out, inside);
    for (size_t i = 0; i < n; i++) {
        double within = k > 0 ? cblas_dnrm2((int)k, inside + i * k, 1) : 0.0;
        double scale = 1.0 / sqrt(length2(p, out + i * sites) - within * within);
        cblas_dscal((int)sites, scale, out + i * sites, 1);
        if (k > 0)
            cblas_dscal((int)k, scale, inside + i * k, 1);
    }
}

/* The span's new vectors are what the raw ones have outside it, made orthonormal. */
static nnd_status match(nnd_population *p, size_t n, double *out) {
    size_t before = p->span.vector.count, sites = p->options.sites;
    nnd_status status = nnd_population_know(p, n, out);
    if (status == NND_OK && p->span.vector.count < before + n)
        return exhausted(p);
    if (status == NND_OK)
        memcpy(out, p->span.vector.row + before * sites, n * sites * sizeof *out);
    return status;
}

nnd_status nnd_population_draw(nnd_population *p, size_t n, size_t k, const double *avoid,
                               double *out, double *inside) {
    size_t sites = p->options.sites;
    if (p->options.fresh == NND_FRESH_UNIT ? p->drawn + n > sites
                                           : p->options.fresh == NND_FRESH_MATCHED && k + n > sites)
        return exhausted(p);
    for (size_t i = 0; i < n; i++)
        draw_raw(p, out + i * sites);
    for (size_t i = 0; i < n * k; i++)
        inside[i] = 0.0;
    switch (p->options.fresh) {
    case NND_FRESH_PLAIN:
        project_off(p, n, k, avoid, out, inside);
        break;
    case NND_FRESH_MATCHED:
        if (matches(p))
            return match(p, n, out);
        standardise(p, n, k, avoid, out, inside);
        break;
    case NND_FRESH_UNIT:
        break;
    }
    return NND_OK;
}
