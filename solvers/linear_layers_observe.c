/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <stdlib.h>

#include "nndmft/solvers/layer_kernels.h"
#include "solvers/linear_layers_impl.h"

static size_t pairs_of(const nnd_linear_layers *p) {
    return p->train * (p->train + 1) / 2;
}

size_t nnd_linear_layers_observables(const nnd_linear_layers *p) {
    size_t tests = p->points - p->train;
    if (!p->kernels)
        return p->points;
    return p->points + (p->depth + 1) * pairs_of(p) + tests * p->train + p->depth;
}

static bool allocate(const nnd_jets *j, size_t n, nnd_jet *jet) {
    *jet = (nnd_jet){calloc(nnd_jets_parts(j) * n + 1, sizeof(double)), n};
    return jet->x != NULL;
}

nnd_status nnd_layer_observer_make(const nnd_layer_march *x, nnd_layer_observer *o) {
    size_t square = x->p->kernels ? x->p->points * x->p->points : 0;
    *o = (nnd_layer_observer){.observables = nnd_linear_layers_observables(x->p)};
    return allocate(&x->jets, o->observables, &o->value) && allocate(&x->jets, square, &o->gram) &&
                   allocate(&x->jets, square, &o->kernel)
               ? NND_OK
               : nnd_fail_memory(x->ctx, "observables");
}

void nnd_layer_observer_clear(nnd_layer_observer *o) {
    free(o->value.x);
    free(o->gram.x);
    free(o->kernel.x);
}

/* The values from number `at` on. */
static nnd_jet value_at(const nnd_layer_observer *o, size_t at) {
    return (nnd_jet){o->value.x + at, o->value.stride};
}

/* Pairs mu >= nu of training points. */
static void copy_pairs(const nnd_layer_march *x, nnd_jet square, nnd_jet to) {
    size_t n = x->p->points;
    for (size_t k = 0; k < nnd_jets_parts(&x->jets); k++)
        for (size_t mu = 0; mu < x->p->train; mu++)
            cblas_dcopy((int)mu + 1, nnd_jet_part(square, k) + mu * n, 1,
                        nnd_jet_part(to, k) + nnd_pair_index(mu, 0), 1);
}

static void copy_tests(const nnd_layer_march *x, nnd_jet square, nnd_jet to) {
    size_t n = x->p->points, train = x->p->train;
    for (size_t k = 0; k < nnd_jets_parts(&x->jets); k++)
        for (size_t i = train; i < n; i++)
            cblas_dcopy((int)train, nnd_jet_part(square, k) + i * n, 1,
                        nnd_jet_part(to, k) + (i - train) * train, 1);
}

/* K += sigma^2 <g g> of the layer above (NULL: 1) times the Gram matrix of a layer. */
static void add_to_kernel(const nnd_layer_march *x, const nnd_jet *above, nnd_jet gram,
                          nnd_jet kernel) {
    size_t square = x->p->points * x->p->points;
    double sigma2 = x->p->sigma * x->p->sigma;
    nnd_jet_product scale = {1, 1, square, false, sigma2};
    if (above == NULL)
        nnd_jets_add(&x->jets, square, sigma2, gram, kernel);
    else
        nnd_jets_multiply(&x->jets, scale, *above, gram, kernel);
}

static void observe_kernels(const nnd_layer_march *x, nnd_layer_observer *o) {
    const nnd_linear_layers *p = x->p;
    size_t n = p->points, square = n * n, pairs = pairs_of(p);
    size_t grams = n + pairs + (n - p->train) * p->train, backward = grams + p->depth * pairs;
    nnd_jets_clear(&x->jets, square, o->kernel);
    nnd_jets_clear(&x->jets, square, o->gram);
    cblas_dcopy((int)square, p->gram, 1, o->gram.x, 1);
    for (size_t l = 0; l < p->depth; l++) {
        nnd_jet g = value_at(o, backward + l), h = {x->h[l].x + x->width[l], x->h[l].stride};
        nnd_jet_product inner = {1, x->width[l], 1, false, 1.0};
        nnd_jet_product outer = {n, x->width[l], n, true, 1.0};
        nnd_jets_multiply(&x->jets, inner, x->g[l], x->g[l], g);
        add_to_kernel(x, &g, o->gram, o->kernel);
        nnd_jets_clear(&x->jets, square, o->gram);
        nnd_jets_multiply(&x->jets, outer, h, h, o->gram);
        copy_pairs(x, o->gram, value_at(o, grams + l * pairs));
    }
    add_to_kernel(x, NULL, o->gram, o->kernel);
    copy_pairs(x, o->kernel, value_at(o, n));
    copy_tests(x, o->kernel, value_at(o, n + pairs));
}

void nnd_layer_observe(const nnd_layer_march *x, nnd_layer_observer *o) {
    nnd_jets_clear(&x->jets, o->observables, o->value);
    nnd_jets_add(&x->jets, x->p->points, 1.0, x->f, o->value);
    if (x->p->kernels)
        observe_kernels(x, o);
}

void nnd_layer_accumulate(const nnd_layer_march *x, const nnd_layer_observer *o, size_t i,
                          nnd_fluctuations *sum) {
    size_t n = o->observables, train = x->p->train;
    const double *second = nnd_jet_part(o->value, NND_JET_SECOND);
    for (size_t k = NND_JET_FIRST; k < nnd_jets_parts(&x->jets); k++) {
        const double *first = nnd_jet_part(o->value, k);
        for (size_t a = 0; a < n; a++)
            sum->nvar[i * n + a] += first[a] * first[a];
        for (size_t mu = 0; mu < train; mu++)
            cblas_daxpy((int)n, first[mu], first, 1, sum->ncov + (i * train + mu) * n, 1);
    }
    for (size_t a = 0; sum->bias != NULL && a < n; a++)
        sum->bias[i * n + a] += 0.5 * second[a];
}
