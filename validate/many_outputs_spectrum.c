/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/many_outputs_spectrum.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/streams.h"

/* Lanczos steps and random vectors of a transform: its error from the former falls like exp(-2
 * STEPS |Im sqrt(z)|/sqrt(top)) and is rounding at the scale of the spectrum. */
enum { STEPS = 100, VECTORS = 4 };
/* Moments and random vectors of a distribution function: smooth over 0.003 of the largest
 * eigenvalue. */
enum { MOMENTS = 500, PROBES = 4 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Ranks of the spikes by size; those of one size in the order of the case. */
static void rank_spikes(const nnd_reals *spikes, size_t *order) {
    for (size_t i = 0; i < spikes->count; i++) {
        size_t rank = 0;
        for (size_t j = 0; j < i; j++)
            rank += spikes->value[j] >= spikes->value[i];
        for (size_t j = i + 1; j < spikes->count; j++)
            rank += spikes->value[j] > spikes->value[i];
        order[i] = rank;
    }
}

static size_t searched(const nnd_many_outputs *p) {
    return p->spikes.count > 0 ? p->spikes.count : 1;
}

nnd_status nnd_outputs_spectrum_make(nnd_context *ctx, const nnd_outputs_network *net, size_t most,
                                     nnd_outputs_spectrum *s) {
    const nnd_reals *spikes = &net->params->spikes;
    size_t n = net->shape.width, d = net->shape.inputs, rank = smaller(n, d);
    *s = (nnd_outputs_spectrum){.net = net, .inputs = d, .rank = rank, .exact = rank <= most};
    s->order = calloc(spikes->count + 1, sizeof(size_t));
    s->start = calloc(d, sizeof(double));
    s->large = calloc(searched(net->params), sizeof(double));
    bool made = s->order != NULL && s->start != NULL && s->large != NULL;
    if (s->exact) {
        s->gram = calloc(rank * rank, sizeof(double));
        s->value = calloc(rank, sizeof(double));
        made = made && s->gram != NULL && s->value != NULL;
    }
    if (!made)
        return nnd_fail_memory(ctx, "a spectrum");
    rank_spikes(spikes, s->order);
    return !s->exact || spikes->count > 0
               ? nnd_singular_make(ctx, n, d, searched(net->params), &s->outer)
               : NND_OK;
}

void nnd_outputs_spectrum_clear(nnd_outputs_spectrum *s) {
    free(s->order);
    free(s->start);
    free(s->large);
    free(s->gram);
    free(s->value);
    nnd_slq_clear(&s->slq);
    nnd_kpm_clear(&s->kpm);
    nnd_singular_clear(&s->outer);
    *s = (nnd_outputs_spectrum){0};
}

double nnd_outputs_spectrum_bytes(const nnd_many_outputs *p, size_t size) {
    const double search = 400.0;
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    double d = (double)s.inputs, rank = fmin((double)s.width, d);
    bool exact = rank <= NND_OUTPUTS_LARGEST_EXACT;
    double vectors = exact && p->spikes.count == 0 ? 1.0 : search + (double)p->spikes.count;
    double rest = exact ? rank * (rank + 4.0) : VECTORS * STEPS * rank + 32.0 * 3.0 * rank;
    return sizeof(double) * (rest + vectors * d);
}

double nnd_outputs_spectrum_flops(const nnd_many_outputs *p, size_t size) {
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    double n = (double)s.width, d = (double)s.inputs, rank = fmin(n, d);
    /* A decomposition is half of it done in products of a matrix with a vector. */
    if (rank <= NND_OUTPUTS_LARGEST_EXACT)
        return 2.0 * n * d * rank + 6.0 * rank * rank * rank;
    double products = 8.0 * VECTORS * STEPS + 8.0 * 60.0;
    if (p->z.count > 0 || p->z.values.count > 0)
        products += PROBES * MOMENTS / 2.0;
    return 4.0 * n * d * products;
}

void nnd_outputs_spectrum_restart(nnd_outputs_spectrum *s, nnd_rng_key key) {
    s->key = key;
    s->found = 0;
    nnd_rng_normals(key, NND_STREAM_MANY_OUTPUTS_SEARCH, 0, s->inputs, s->start);
}

/* ---- decomposed ---- */

/* Of the smaller of W^T W and W W^T, which share all that is not exactly 0. */
static nnd_status decompose(nnd_context *ctx, nnd_outputs_spectrum *s) {
    const nnd_outputs_network *net = s->net;
    int n = (int)net->shape.width, d = (int)net->shape.inputs, rank = (int)s->rank;
    bool tall = n >= d;
    cblas_dsyrk(CblasRowMajor, CblasUpper, tall ? CblasTrans : CblasNoTrans, rank, tall ? n : d,
                1.0, net->w, d, 0.0, s->gram, rank);
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'U', rank, s->gram, rank, s->value) != 0)
        return nnd_fail(ctx, NND_E_UNSOLVED, "no eigenvalues of W^T W");
    s->top = s->value[s->rank - 1];
    /* What rounding leaves of 0, of either sign, as of weights of lower rank. */
    for (size_t i = 0; i < s->rank; i++)
        if (s->value[i] < (double)s->rank * DBL_EPSILON * s->top)
            s->value[i] = 0.0;
    return NND_OK;
}

/* ---- estimated ---- */

static nnd_status search(nnd_outputs_spectrum *s) {
    const nnd_singular_overlap none = {NULL, NULL};
    return nnd_singular_largest(&s->outer, s->net->w, 1.0, s->start, s->large, none, none);
}

static nnd_status estimate(nnd_context *ctx, bool density, nnd_outputs_spectrum *s) {
    nnd_gram gram = {s->net->shape.width, s->net->shape.inputs, s->net->w};
    uint64_t seed[2];
    nnd_rng_words(s->key, NND_STREAM_MANY_OUTPUTS_PROBES, s->found++, 2, seed);
    nnd_slq_clear(&s->slq);
    nnd_kpm_clear(&s->kpm);
    nnd_status status = search(s);
    s->top = s->large[0] * s->large[0];
    const nnd_slq_task rule = {s->rank, nnd_gram_apply_one, &gram, STEPS, VECTORS, seed[0]};
    if (status == NND_OK)
        status = nnd_slq_run(ctx, &rule, &s->slq);
    const double margin = 0.01;
    const nnd_kpm_task law = {.n = s->rank,
                              .apply = nnd_gram_apply,
                              .data = &gram,
                              .lower = -margin * s->top,
                              .upper = (1.0 + margin) * s->top,
                              .moments = MOMENTS,
                              .probes = PROBES,
                              .seed = seed[1]};
    if (status == NND_OK && density)
        status = nnd_kpm_run(ctx, &law, &s->kpm);
    return status;
}

/* ---- either ---- */

nnd_status nnd_outputs_spectrum_find(nnd_context *ctx, bool density, nnd_outputs_spectrum *s) {
    size_t entries = s->net->shape.width * s->inputs;
    s->mean = cblas_ddot((int)entries, s->net->w, 1, s->net->w, 1) / (double)s->inputs;
    return s->exact ? decompose(ctx, s) : estimate(ctx, density, s);
}

/* Nodes and weights of probe `v`, which stand for all eigenvalues but those that are exactly 0. */
static double complex of_probe(const nnd_slq *slq, size_t v, double complex z) {
    double complex sum = 0.0;
    for (size_t k = 0; k < slq->count[v]; k++)
        sum += slq->weight[v * slq->steps + k] / (slq->node[v * slq->steps + k] - z);
    return sum;
}

double complex nnd_outputs_stieltjes(const nnd_outputs_spectrum *s, double complex z) {
    double complex sum = 0.0;
    for (size_t i = 0; s->exact && i < s->rank; i++)
        sum += 1.0 / (s->value[i] - z);
    for (size_t v = 0; !s->exact && v < s->slq.probes; v++)
        sum += (double)s->rank / (double)s->slq.probes * of_probe(&s->slq, v, z);
    return (sum - (double)(s->inputs - s->rank) / z) / (double)s->inputs;
}

static double count_up_to(const nnd_outputs_spectrum *s, double z) {
    size_t low = 0, high = s->rank;
    double density[2], share[2];
    if (!s->exact) {
        nnd_kpm_at(&s->kpm, z, density, share);
        return (double)s->rank * share[0];
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->value[middle] <= z)
            low = middle + 1;
        else
            high = middle;
    }
    return (double)low;
}

double nnd_outputs_cdf(const nnd_outputs_spectrum *s, double z) {
    return z < 0.0 ? 0.0 : ((double)(s->inputs - s->rank) + count_up_to(s, z)) / (double)s->inputs;
}

nnd_status nnd_outputs_spikes(nnd_outputs_spectrum *s, double *outlier, double *overlap) {
    const nnd_outputs_network *net = s->net;
    size_t count = net->params->spikes.count, d = s->inputs, first = 0;
    for (size_t k = 0; k < nnd_many_outputs_modes(net->params); k++)
        first += nnd_outputs_copies(net->params, &net->shape, k);
    nnd_status status = s->exact ? search(s) : NND_OK;
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        size_t k = s->order[i];
        bool there = k < s->rank; /* the spike's own vector is an axis */
        double along = there ? s->outer.right[k * d + first + i] : NAN;
        outlier[i] = there ? s->large[k] * s->large[k] : NAN;
        overlap[i] = along * along;
    }
    return status;
}
