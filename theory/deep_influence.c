/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Going back through a deep march: influence functions of observables (deep-fluctuations.md#s7). */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "theory/deep_march_impl.h"

/* Bars are S dO/dx, for n observables at once: of fields L x points x n x sites, as the fields
 * themselves with n vectors in the place of each. */
typedef struct {
    nnd_deep_march *m;
    size_t n;
    double *influence;                   /* L x n x sites */
    double *phi, *slope, *curvature, *g; /* fields of the step, recomputed; L x points x sites */
    const double *h, *z, *readout;       /* as they were */
    double *h_bar, *phi_bar, *g_bar;
    double *first_h_bar; /* of the state h^1: points x n x sites */
    double *readout_bar; /* n x sites */
    double *output_bar;  /* n x points */
    double *later;       /* its sum over later steps */
    double *weight_bar;  /* n x P */
    double *scratch;     /* P x n x sites; K^x, P x points */
} adjoint;

static size_t side(const adjoint *x) {
    return x->n * x->m->sites;
}

static size_t layers(const adjoint *x) {
    return x->m->depth * x->m->points;
}

static size_t numbers(const nnd_deep_march *m, size_t n, size_t sites) {
    size_t fields = m->depth * m->points * sites, samples = m->problem->samples;
    return fields * (4 + 3 * n) + n * sites * (m->points + 1 + samples) +
           n * (2 * m->points + samples) + samples * m->points;
}

double nnd_deep_influence_bytes(const nnd_deep_march *m, size_t n, size_t sites) {
    double bytes = (double)numbers(m, n, sites) * sizeof(double);
    for (size_t l = 0; l + 1 < m->depth; l++)
        bytes += nnd_traced_reverse_bytes(m->matrix[l], n, sites);
    return bytes;
}

static nnd_status make(adjoint *x) {
    nnd_deep_march *m = x->m;
    size_t fields = layers(x) * m->sites, samples = m->problem->samples;
    size_t needed = numbers(m, x->n, m->sites);
    if (needed > m->adjoint_room) {
        free(m->adjoint);
        m->adjoint = nnd_pages_new(needed);
        m->adjoint_room = m->adjoint != NULL ? needed : 0;
    }
    if (m->adjoint == NULL)
        return nnd_fail_memory(m->ctx, "influence functions");
    double *next = m->adjoint;
    struct {
        double **array;
        size_t numbers;
    } const parts[] = {
        {&x->phi, fields},
        {&x->slope, fields},
        {&x->curvature, fields},
        {&x->g, fields},
        {&x->h_bar, fields * x->n},
        {&x->phi_bar, fields * x->n},
        {&x->g_bar, fields * x->n},
        {&x->first_h_bar, m->points * side(x)},
        {&x->readout_bar, side(x)},
        {&x->scratch, samples * side(x) + samples * m->points},
        {&x->output_bar, x->n * m->points},
        {&x->later, x->n * m->points},
        {&x->weight_bar, x->n * samples},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].array = next;
        next += parts[i].numbers;
    }
    memset(x->first_h_bar, 0, m->points * side(x) * sizeof *x->first_h_bar);
    memset(x->readout_bar, 0, side(x) * sizeof *x->readout_bar);
    memset(x->later, 0, x->n * m->points * sizeof *x->later);
    return NND_OK;
}

/* ---- fields as they were, and their bars ---- */

static const double *field(const adjoint *x, const double *f, size_t l, size_t mu) {
    return f + (l * x->m->points + mu) * x->m->sites;
}

static double *bars(const adjoint *x, double *f, size_t l, size_t mu) {
    return f + (l * x->m->points + mu) * side(x);
}

/* Backward fields z of a point: on the last layer the readout. */
static const double *back_field(const adjoint *x, size_t l, size_t mu) {
    return l + 1 == x->m->depth ? x->readout : x->z + (l * x->m->back + mu) * x->m->sites;
}

static void recall(adjoint *x, size_t step) {
    const nnd_deep_march *m = x->m;
    size_t fields = layers(x) * m->sites;
    x->h = m->h_history + step * fields;
    x->z = m->z_history + step * (m->depth - 1) * m->back * m->sites;
    x->readout = m->readout_history + step * m->sites;
    nnd_activation_apply(m->problem->activation, fields, x->h, x->phi, x->slope, x->curvature,
                         NULL);
    for (size_t l = 0; l < m->depth; l++)
        for (size_t mu = 0; mu < m->back; mu++) {
            const double *z = back_field(x, l, mu), *slope = field(x, x->slope, l, mu);
            double *g = x->g + (l * m->points + mu) * m->sites;
            for (size_t i = 0; i < m->sites; i++)
                g[i] = z[i] * slope[i];
        }
    memset(x->h_bar, 0, fields * x->n * sizeof *x->h_bar);
    memset(x->phi_bar, 0, fields * x->n * sizeof *x->phi_bar);
    memset(x->g_bar, 0, fields * x->n * sizeof *x->g_bar);
    memset(x->output_bar, 0, x->n * m->points * sizeof *x->output_bar);
}

/* bar += factor v for each site: one observable's. */
static void add(const adjoint *x, double factor, const double *v, double *bar) {
    cblas_daxpy((int)x->m->sites, factor, v, 1, bar, 1);
}

/* bars += a v b of all observables; b may be NULL: 1. */
static void add_products(const adjoint *x, const double *a, const double *v, const double *b,
                         double *bar) {
    size_t sites = x->m->sites;
    for (size_t r = 0; r < x->n; r++)
        for (size_t i = 0; i < sites; i++)
            bar[r * sites + i] += a[r * sites + i] * v[i] * (b != NULL ? b[i] : 1.0);
}

static double *influence(const adjoint *x, size_t l) {
    return x->influence + l * side(x);
}

/* ---- observables ---- */

/* O = ... + factor <a_mu a_nu> of layer l. */
static void seed_gram(const adjoint *x, size_t r, double factor, const double *f, double *bar,
                      size_t l, size_t mu, size_t nu) {
    size_t sites = x->m->sites;
    const double *a = field(x, f, l, mu), *b = field(x, f, l, nu);
    double *into = influence(x, l) + r * sites;
    add(x, factor, b, bars(x, bar, l, mu) + r * sites);
    add(x, factor, a, bars(x, bar, l, nu) + r * sites);
    for (size_t i = 0; i < sites; i++)
        into[i] += factor * a[i] * b[i];
}

static double gram(const adjoint *x, const double *f, size_t l, size_t mu, size_t nu) {
    return cblas_ddot((int)x->m->sites, field(x, f, l, mu), 1, field(x, f, l, nu), 1) /
           (double)x->m->sites;
}

static void seed_ntk(const adjoint *x, size_t r, size_t mu, size_t nu) {
    const nnd_deep_problem *q = x->m->problem;
    double square = q->sigma_w * q->sigma_w;
    size_t last = x->m->depth - 1;
    seed_gram(x, r, square * q->gram[mu * x->m->points + nu], x->g, x->g_bar, 0, mu, nu);
    seed_gram(x, r, square, x->phi, x->phi_bar, last, mu, nu);
    for (size_t l = 0; l < last; l++) {
        double phi = gram(x, x->phi, l, mu, nu), g = gram(x, x->g, l + 1, mu, nu);
        seed_gram(x, r, square * g, x->phi, x->phi_bar, l, mu, nu);
        seed_gram(x, r, square * phi, x->g, x->g_bar, l + 1, mu, nu);
    }
}

/* h is not kept by the adjoint itself, but its Gram matrices are asked for like the others'. */
static void seed(const adjoint *x, const nnd_deep_observable *o) {
    for (size_t r = 0; r < x->n; r++)
        switch (o[r].kind) {
        case NND_DEEP_OUTPUT:
            x->output_bar[r * x->m->points + o[r].mu] += 1.0;
            break;
        case NND_DEEP_NTK:
            seed_ntk(x, r, o[r].mu, o[r].nu);
            break;
        case NND_DEEP_H:
            seed_gram(x, r, 1.0, x->h, x->h_bar, o[r].layer, o[r].mu, o[r].nu);
            break;
        case NND_DEEP_PHI:
            seed_gram(x, r, 1.0, x->phi, x->phi_bar, o[r].layer, o[r].mu, o[r].nu);
            break;
        case NND_DEEP_G:
            seed_gram(x, r, 1.0, x->g, x->g_bar, o[r].layer, o[r].mu, o[r].nu);
            break;
        }
}

/* ---- one step, backwards ---- */

/* weight_bar (n x P) += <bar_k v_k> of one sample k. */
static void add_weight_bar(const adjoint *x, size_t k, const double *bar, const double *v) {
    size_t sites = x->m->sites, samples = x->m->problem->samples;
    for (size_t r = 0; r < x->n; r++)
        x->weight_bar[r * samples + k] +=
            cblas_ddot((int)sites, bar + r * sites, 1, v, 1) / (double)sites;
}

/* h^1_mu += sum_k K_mu,k w_k g_k, z^L += sum_k w_k phi_k, C += sum_k w_k b_k a_k^T; w = c s Delta,
 * Delta = y - f. The averages here are pairings of bars, not inner products of the march. */
static void reverse_update(adjoint *x, size_t step) {
    nnd_deep_march *m = x->m;
    const nnd_deep_problem *q = m->problem;
    size_t samples = q->samples, block = side(x), last = m->depth - 1;
    const double *w = m->weights + step * samples, *factor = m->factor + step * samples;
    double *coef = x->scratch + samples * block;
    memset(x->weight_bar, 0, x->n * samples * sizeof *x->weight_bar);
    for (size_t k = 0; k < samples; k++)
        for (size_t mu = 0; mu < m->points; mu++)
            coef[k * m->points + mu] = q->gram[mu * m->points + k];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)samples, (int)block, (int)m->points,
                1.0, coef, (int)m->points, x->first_h_bar, (int)block, 0.0, x->scratch, (int)block);
    m->multiply_adds += (double)samples * (double)m->points * (double)block;
    for (size_t k = 0; k < samples; k++) {
        const double *bar = x->scratch + k * block;
        add_weight_bar(x, k, bar, field(x, x->g, 0, k));
        add_weight_bar(x, k, x->readout_bar, field(x, x->phi, last, k));
        cblas_daxpy((int)block, w[k], bar, 1, bars(x, x->g_bar, 0, k), 1);
        cblas_daxpy((int)block, w[k], x->readout_bar, 1, bars(x, x->phi_bar, last, k), 1);
    }
    for (size_t l = 0; l < last; l++)
        nnd_traced_reverse_update(m->matrix[l], samples, w, x->weight_bar);
    for (size_t r = 0; r < x->n; r++)
        for (size_t k = 0; k < samples; k++)
            x->output_bar[r * m->points + k] -= factor[k] * x->weight_bar[r * samples + k];
}

/* g = z phi'(h), and z is the image of g of the layer above, or the readout. */
static void reverse_backward(adjoint *x) {
    nnd_deep_march *m = x->m;
    for (size_t l = 0; l < m->depth; l++) {
        for (size_t k = 0; k < m->back; k++) {
            double *bar = bars(x, x->g_bar, l, k);
            add_products(x, bar, back_field(x, l, k), field(x, x->curvature, l, k),
                         bars(x, x->h_bar, l, k));
            const double *slope = field(x, x->slope, l, k);
            for (size_t r = 0; r < x->n; r++)
                for (size_t i = 0; i < m->sites; i++)
                    bar[r * m->sites + i] *= slope[i];
            if (l + 1 == m->depth)
                cblas_daxpy((int)side(x), 1.0, bar, 1, x->readout_bar, 1);
        }
        if (l + 1 < m->depth)
            nnd_traced_reverse(m->matrix[l], NND_BACKWARD, bars(x, x->g_bar, l, 0),
                               bars(x, x->g_bar, l + 1, 0), influence(x, l), influence(x, l + 1));
    }
}

/* f = <z^L phi^L>/gamma0; a centred network has f(0) subtracted at all later times. */
static void reverse_outputs(adjoint *x, size_t step) {
    nnd_deep_march *m = x->m;
    const nnd_deep_problem *q = m->problem;
    size_t last = m->depth - 1;
    for (size_t i = 0; i < x->n * m->points; i++) {
        if (step == 0 && q->center)
            x->output_bar[i] = -x->later[i];
        x->later[i] += x->output_bar[i];
    }
    double *sum = x->scratch;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)x->n, (int)m->sites, (int)m->points,
                1.0 / q->gamma0, x->output_bar, (int)m->points, field(x, x->phi, last, 0),
                (int)m->sites, 0.0, sum, (int)m->sites);
    cblas_daxpy((int)side(x), 1.0, sum, 1, x->readout_bar, 1);
    add_products(x, sum, x->readout, NULL, influence(x, last));
    for (size_t mu = 0; mu < m->points; mu++)
        for (size_t r = 0; r < x->n; r++)
            add(x, x->output_bar[r * m->points + mu] / q->gamma0, x->readout,
                bars(x, x->phi_bar, last, mu) + r * m->sites);
}

/* h^{l+1} is the image of phi^l, phi = phi(h). */
static void reverse_forward(adjoint *x) {
    nnd_deep_march *m = x->m;
    for (size_t l = m->depth; l-- > 0;) {
        for (size_t k = 0; k < m->points; k++)
            add_products(x, bars(x, x->phi_bar, l, k), field(x, x->slope, l, k), NULL,
                         bars(x, x->h_bar, l, k));
        if (l > 0)
            nnd_traced_reverse(m->matrix[l - 1], NND_FORWARD, bars(x, x->h_bar, l, 0),
                               bars(x, x->phi_bar, l - 1, 0), influence(x, l - 1), influence(x, l));
    }
    cblas_daxpy((int)(m->points * side(x)), 1.0, x->h_bar, 1, x->first_h_bar, 1);
}

static void subtract_means(const adjoint *x) {
    size_t sites = x->m->sites;
    for (size_t r = 0; r < x->m->depth * x->n; r++) {
        double *v = x->influence + r * sites, sum = 0.0;
        for (size_t i = 0; i < sites; i++)
            sum += v[i];
        for (size_t i = 0; i < sites; i++)
            v[i] -= sum / (double)sites;
    }
}

nnd_status nnd_deep_influence(nnd_deep_march *m, size_t step, size_t n,
                              const nnd_deep_observable *o, double *result) {
    adjoint x = {.m = m, .n = n, .influence = result};
    nnd_status status = make(&x);
    for (size_t l = 0; status == NND_OK && l + 1 < m->depth; l++)
        status = nnd_traced_go_back(m->matrix[l], n, 2 * (step + 1));
    if (status == NND_OK)
        memset(result, 0, m->depth * side(&x) * sizeof *result);
    for (size_t t = step + 1; status == NND_OK && t-- > 0;) {
        recall(&x, t);
        if (t < step)
            reverse_update(&x, t);
        else
            seed(&x, o);
        reverse_backward(&x);
        reverse_outputs(&x, t);
        reverse_forward(&x);
        if (nnd_context_interrupted(m->ctx))
            status = nnd_fail(m->ctx, NND_E_INTERRUPTED, "interrupted at step %zu", t);
    }
    if (status == NND_OK)
        subtract_means(&x);
    return status;
}
