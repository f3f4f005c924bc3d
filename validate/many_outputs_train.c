/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/many_outputs_train.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"

/* Of a step of the flow of both layers, relative to each weight and to their scale at the start. */
static const double TOLERANCE = 1e-7;

static bool is_flow(const nnd_many_outputs *p) {
    return p->integrator == NND_GRADIENT_FLOW;
}

static bool is_linear(const nnd_many_outputs *p) {
    return is_flow(p) && p->variant == NND_FIXED_READOUT;
}

static size_t entries(const nnd_outputs_network *net, bool readout) {
    const nnd_outputs_shape *s = &net->shape;
    return s->width * (readout ? s->outputs : s->inputs);
}

/* ---- flow of both layers ---- */

/* dA/dt = ratio G W^T, dW/dt = A^T G, the weights being x: A, then W. */
static void rate(void *user, const double *x, double *out) {
    nnd_outputs_network *net = user;
    int n = (int)net->shape.width, c = (int)net->shape.outputs, d = (int)net->shape.inputs;
    size_t readout = entries(net, true), hidden = entries(net, false);
    memcpy(net->a, x, readout * sizeof *x);
    memcpy(net->w, x + readout, hidden * sizeof *x);
    nnd_outputs_network_evaluate(net);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, c, n, d, net->rate_a, net->gradient, d,
                net->w, d, 0.0, out, n);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, d, c, net->rate_w, net->a, n,
                net->gradient, d, 0.0, out + readout, d);
}

static double mean_square(size_t n, const double *x) {
    return cblas_ddot((int)n, x, 1, x, 1) / (double)n;
}

static nnd_status start_flow(nnd_outputs_training *t) {
    nnd_outputs_network *net = t->net;
    size_t readout = entries(net, true), hidden = entries(net, false);
    double *x = t->flow.x;
    memcpy(x, net->a, readout * sizeof *x);
    memcpy(x + readout, net->w, hidden * sizeof *x);
    t->flow.atol = TOLERANCE * sqrt(fmax(mean_square(readout + hidden, x), 1e-300));
    t->flow.rate(t->flow.user, x, t->flow.work);
    nnd_flow_start(&t->flow, x);
    return NND_OK;
}

static nnd_status flow_to(nnd_context *ctx, nnd_outputs_training *t, double time) {
    nnd_status status = nnd_flow_advance(ctx, &t->flow, time);
    if (status == NND_NOT_CONVERGED)
        return nnd_fail(ctx, NND_E_UNSOLVED, "the flow of a network takes too many steps to %g",
                        time);
    if (status == NND_OK) /* leaves the network evaluated at the weights that were reached */
        rate(t->net, t->flow.x, t->flow.work);
    return status;
}

/* ---- flow of W alone ---- */

/* many-outputs.md#s2-1: W - W_0 = A^T B, and in the eigenvectors of A A^T (lambda) and of X X^T/P
 * (mu) the gradient falls like exp(-lambda mu t), B is its integral. */
static double integral(double rate, double time, bool still) {
    if (still)
        return 0.0;
    return isinf(time) ? 1.0 / rate : rate * time < 1e-300 ? time : -expm1(-rate * time) / rate;
}

static void linear_to(nnd_outputs_training *t, double time) {
    nnd_outputs_network *net = t->net;
    size_t n = net->shape.width, c = net->shape.outputs, d = net->shape.inputs;
    size_t null_left = c > n ? c - n : 0;
    size_t null_right = t->right != NULL && d > net->shape.samples ? d - net->shape.samples : 0;
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < d; j++) {
            double mu = t->right != NULL ? t->variance[j] : 1.0;
            bool still = i < null_left || j < null_right;
            t->sum[i * d + j] = t->first[i * d + j] * integral(t->decay[i] * mu, time, still);
        }
    const double *b = t->sum;
    if (t->right != NULL) { /* back from the eigenvectors: B = left sum right^T */
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)c, (int)d, (int)d, 1.0, t->sum,
                    (int)d, t->right, (int)d, 0.0, t->turned, (int)d);
        b = t->turned;
    }
    double *out = t->right != NULL ? t->sum : t->turned;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c, (int)d, (int)c, 1.0, t->left,
                (int)c, b, (int)d, 0.0, out, (int)d);
    memcpy(net->w, t->start, n * d * sizeof(double));
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)d, (int)c, 1.0, net->a,
                (int)n, out, (int)d, 1.0, net->w, (int)d);
    nnd_outputs_network_evaluate(net);
}

/* Eigenvectors in columns of the symmetric matrix whose upper triangle stands in x. */
static nnd_status decompose(nnd_context *ctx, size_t n, double *x, double *value) {
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, x, (lapack_int)n, value) == 0)
        return NND_OK;
    return nnd_fail(ctx, NND_E_UNSOLVED, "no eigenvalues of a network");
}

static nnd_status start_linear(nnd_context *ctx, nnd_outputs_training *t) {
    nnd_outputs_network *net = t->net;
    int n = (int)net->shape.width, c = (int)net->shape.outputs, d = (int)net->shape.inputs;
    memcpy(t->start, net->w, entries(net, false) * sizeof(double));
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, c, n, 1.0, net->a, n, 0.0, t->left, c);
    nnd_status status = decompose(ctx, (size_t)c, t->left, t->decay);
    if (status == NND_OK && t->right != NULL) {
        memcpy(t->right, net->second, (size_t)d * (size_t)d * sizeof(double));
        status = decompose(ctx, (size_t)d, t->right, t->variance);
    }
    if (status != NND_OK)
        return status;
    double *once = t->right != NULL ? t->turned : t->first;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, c, d, c, 1.0, t->left, c, net->gradient, d,
                0.0, once, d);
    if (t->right != NULL)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, c, d, d, 1.0, once, d, t->right, d,
                    0.0, t->first, d);
    return NND_OK;
}

/* ---- all ---- */

nnd_status nnd_outputs_training_make(nnd_context *ctx, nnd_outputs_network *net,
                                     nnd_outputs_training *t) {
    size_t c = net->shape.outputs, d = net->shape.inputs;
    *t = (nnd_outputs_training){.net = net};
    if (!is_flow(net->params))
        return NND_OK;
    if (!is_linear(net->params))
        return nnd_flow_make(ctx, entries(net, true) + entries(net, false), rate, net, TOLERANCE,
                             0.0, &t->flow);
    t->left = calloc(c * c, sizeof(double));
    t->decay = calloc(c, sizeof(double));
    t->first = calloc(c * d, sizeof(double));
    t->sum = calloc(c * d, sizeof(double));
    t->turned = calloc(c * d, sizeof(double));
    t->start = calloc(entries(net, false), sizeof(double));
    bool made = t->left != NULL && t->decay != NULL && t->first != NULL && t->sum != NULL &&
                t->turned != NULL && t->start != NULL;
    if (made && net->second != NULL) {
        t->right = calloc(d * d, sizeof(double));
        t->variance = calloc(d, sizeof(double));
        made = t->right != NULL && t->variance != NULL;
    }
    return made ? NND_OK : nnd_fail_memory(ctx, "the flow of a network");
}

void nnd_outputs_training_clear(nnd_outputs_training *t) {
    free(t->left);
    free(t->right);
    free(t->decay);
    free(t->variance);
    free(t->first);
    free(t->start);
    free(t->sum);
    free(t->turned);
    nnd_flow_clear(&t->flow);
    *t = (nnd_outputs_training){0};
}

double nnd_outputs_training_bytes(const nnd_many_outputs *p, size_t size) {
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    double n = (double)s.width, c = (double)s.outputs, d = (double)s.inputs;
    if (!is_flow(p))
        return 0.0;
    if (!is_linear(p))
        return nnd_flow_bytes(n * (c + d));
    /* dsyevd needs twice the matrix besides. */
    double decomposed = s.samples > 0 ? fmax(c, d) : c;
    return sizeof(double) * (c * c + 3.0 * c * d + n * d + (s.samples > 0 ? d * d : 0.0) +
                             2.0 * decomposed * decomposed);
}

nnd_status nnd_outputs_training_start(nnd_context *ctx, nnd_outputs_training *t) {
    nnd_outputs_network *net = t->net;
    size_t count = net->shape.outputs * net->shape.inputs;
    double zero = 0.5 * cblas_ddot((int)count, net->target, 1, net->target, 1);
    t->time = 0.0;
    t->limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, nnd_outputs_network_loss(net), zero);
    if (!is_flow(net->params))
        return NND_OK;
    return is_linear(net->params) ? start_linear(ctx, t) : start_flow(t);
}

static nnd_status step_to(nnd_context *ctx, nnd_outputs_training *t, double time) {
    while (t->time < time) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at step %.0f", t->time);
        nnd_outputs_network_step(t->net);
        t->time += 1.0;
        if (nnd_has_diverged(t->limit, nnd_outputs_network_loss(t->net)))
            return NND_DIVERGED;
    }
    return NND_OK;
}

nnd_status nnd_outputs_training_to(nnd_context *ctx, nnd_outputs_training *t, double time) {
    if (!is_flow(t->net->params))
        return step_to(ctx, t, time);
    nnd_status status = NND_OK;
    if (time == t->time)
        return NND_OK;
    if (is_linear(t->net->params))
        linear_to(t, time);
    else
        status = flow_to(ctx, t, time);
    t->time = time;
    return status;
}
