/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/many_outputs_spectrum.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/streams.h"

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

nnd_status nnd_outputs_spectrum_make(nnd_context *ctx, const nnd_outputs_network *net,
                                     nnd_outputs_spectrum *s) {
    const nnd_reals *spikes = &net->params->spikes;
    size_t n = net->shape.width, d = net->shape.inputs, rank = smaller(n, d);
    *s = (nnd_outputs_spectrum){.inputs = d, .rank = rank};
    s->gram = calloc(rank * rank, sizeof(double));
    s->value = calloc(rank, sizeof(double));
    s->order = calloc(spikes->count + 1, sizeof(size_t));
    s->start = calloc(d, sizeof(double));
    if (s->gram == NULL || s->value == NULL || s->order == NULL || s->start == NULL)
        return nnd_fail_memory(ctx, "a spectrum");
    rank_spikes(spikes, s->order);
    return spikes->count > 0 ? nnd_singular_make(ctx, n, d, spikes->count, &s->outer) : NND_OK;
}

void nnd_outputs_spectrum_clear(nnd_outputs_spectrum *s) {
    free(s->gram);
    free(s->value);
    free(s->order);
    free(s->start);
    nnd_singular_clear(&s->outer);
    *s = (nnd_outputs_spectrum){0};
}

double nnd_outputs_spectrum_bytes(const nnd_many_outputs *p, size_t size) {
    const double search = 400.0;
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    double d = (double)s.inputs, rank = fmin((double)s.width, d);
    double vectors = p->spikes.count > 0 ? search + (double)p->spikes.count : 1.0;
    return sizeof(double) * (rank * (rank + 4.0) + vectors * d);
}

void nnd_outputs_spectrum_restart(nnd_outputs_spectrum *s, nnd_rng_key key) {
    nnd_rng_normals(key, NND_STREAM_MANY_OUTPUTS_SEARCH, 0, s->inputs, s->start);
}

/* Of the smaller of W^T W and W W^T, which share all that is not exactly 0. */
nnd_status nnd_outputs_spectrum_find(nnd_context *ctx, const nnd_outputs_network *net,
                                     nnd_outputs_spectrum *s) {
    int n = (int)net->shape.width, d = (int)net->shape.inputs, rank = (int)s->rank;
    bool tall = n >= d;
    cblas_dsyrk(CblasRowMajor, CblasUpper, tall ? CblasTrans : CblasNoTrans, rank, tall ? n : d,
                1.0, net->w, d, 0.0, s->gram, rank);
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'U', rank, s->gram, rank, s->value) != 0)
        return nnd_fail(ctx, NND_E_UNSOLVED, "no eigenvalues of W^T W");
    for (size_t i = 0; i < s->rank; i++) /* rounding leaves some below 0 */
        s->value[i] = fmax(s->value[i], 0.0);
    return NND_OK;
}

double complex nnd_outputs_stieltjes(const nnd_outputs_spectrum *s, double complex z) {
    double complex sum = -(double)(s->inputs - s->rank) / z;
    for (size_t i = 0; i < s->rank; i++)
        sum += 1.0 / (s->value[i] - z);
    return sum / (double)s->inputs;
}

double nnd_outputs_cdf(const nnd_outputs_spectrum *s, double z) {
    size_t low = 0, high = s->rank; /* how many are up to z */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->value[middle] <= z)
            low = middle + 1;
        else
            high = middle;
    }
    return z < 0.0 ? 0.0 : (double)(s->inputs - s->rank + low) / (double)s->inputs;
}

nnd_status nnd_outputs_spikes(const nnd_outputs_network *net, nnd_outputs_spectrum *s,
                              double *outlier, double *overlap) {
    const nnd_outputs_shape *shape = &net->shape;
    size_t count = net->params->spikes.count, d = shape->inputs, first = 0;
    for (size_t k = 0; k < nnd_many_outputs_modes(net->params); k++)
        first += nnd_outputs_copies(net->params, shape, k);
    const nnd_singular_overlap none = {NULL, NULL};
    nnd_status status = nnd_singular_largest(&s->outer, net->w, 1.0, s->start, outlier, none, none);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        size_t k = s->order[i];
        bool there = k < s->rank; /* the spike's own vector is an axis */
        double along = there ? s->outer.right[k * d + first + i] : NAN;
        outlier[i] = there ? s->value[s->rank - 1 - k] : NAN;
        overlap[i] = along * along;
    }
    return status;
}
