/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/hessian.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

static size_t field_size(const nnd_network *net, size_t l) {
    return net->layer[l].rows * net->samples;
}

static size_t weights_of(const nnd_layer *layer) {
    return layer->rate > 0.0 ? layer->rows * layer->cols : 0;
}

static bool make_layer(nnd_hessian *h, size_t l) {
    size_t n = field_size(h->net, l);
    bool bent = h->net->layer[l].activation != NULL;
    h->h_change[l] = h->phi_change[l] = calloc(n, sizeof(double));
    h->g_change[l] = calloc(n, sizeof(double));
    if (bent) {
        h->phi_change[l] = calloc(n, sizeof(double));
        h->bend[l] = calloc(n, sizeof(double));
    }
    return h->h_change[l] != NULL && h->phi_change[l] != NULL && h->g_change[l] != NULL &&
           (!bent || h->bend[l] != NULL);
}

nnd_status nnd_hessian_make(nnd_context *ctx, nnd_network *net, const double *y, double weight,
                            nnd_hessian *h) {
    size_t layers = net->layers;
    *h = (nnd_hessian){.net = net, .y = y, .weight = weight};
    h->seed = calloc(net->samples, sizeof(double));
    h->h_change = calloc(layers, sizeof(double *));
    h->phi_change = calloc(layers, sizeof(double *));
    h->g_change = calloc(layers, sizeof(double *));
    h->bend = calloc(layers, sizeof(double *));
    bool done = h->seed != NULL && h->h_change != NULL && h->phi_change != NULL &&
                h->g_change != NULL && h->bend != NULL;
    for (size_t l = 0; done && l < layers; l++) {
        h->count += weights_of(&net->layer[l]);
        done = make_layer(h, l);
    }
    return done ? NND_OK : nnd_fail_memory(ctx, "the Hessian of a network");
}

void nnd_hessian_clear(nnd_hessian *h) {
    bool whole =
        h->h_change != NULL && h->phi_change != NULL && h->g_change != NULL && h->bend != NULL;
    for (size_t l = 0; whole && l < h->net->layers; l++) {
        if (h->phi_change[l] != h->h_change[l])
            free(h->phi_change[l]);
        free(h->h_change[l]);
        free(h->g_change[l]);
        free(h->bend[l]);
    }
    free(h->seed);
    free(h->h_change);
    free(h->phi_change);
    free(h->g_change);
    free(h->bend);
    *h = (nnd_hessian){0};
}

/* y = alpha A x + beta y over fields of p samples; A is rows x cols, transposed if `down`. */
static void times(const nnd_layer *layer, bool down, size_t p, double alpha, const double *a,
                  const double *x, double beta, double *y) {
    int rows = (int)layer->rows, cols = (int)layer->cols, n = (int)p;
    cblas_dgemm(CblasRowMajor, down ? CblasTrans : CblasNoTrans, CblasNoTrans, down ? cols : rows,
                n, down ? rows : cols, alpha, a, cols, x, n, beta, y, n);
}

/* target = alpha g x' + beta target: the gradient in the weights, summed over samples. */
static void outer(const nnd_layer *layer, size_t p, double alpha, const double *g, const double *x,
                  double beta, double *target) {
    int n = (int)p;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)layer->rows, (int)layer->cols, n,
                alpha, g, n, x, n, beta, target, (int)layer->cols);
}

/* phi''(h) dR/dphi of a layer with an activation. */
static void set_bend(const nnd_hessian *h, size_t l) {
    const nnd_network *net = h->net;
    const nnd_layer *layer = &net->layer[l], *above = layer + 1;
    size_t n = field_size(net, l), p = net->samples;
    double *slope = h->g_change[l]; /* as scratch */
    nnd_activation_apply(layer->activation, n, layer->h, NULL, NULL, h->bend[l], NULL);
    if (l + 1 == net->layers) {
        memcpy(slope, h->seed, n * sizeof(double));
    } else {
        if (above->residual)
            memcpy(slope, above->g, n * sizeof(double));
        times(above, true, p, above->scale, above->w, above->g, above->residual ? 1.0 : 0.0, slope);
    }
    for (size_t i = 0; i < n; i++)
        h->bend[l][i] *= slope[i];
}

double nnd_hessian_set(nnd_hessian *h) {
    nnd_network *net = h->net;
    double loss = 0.0;
    nnd_network_forward(net);
    for (size_t mu = 0; mu < net->samples; mu++) {
        double error = net->output[mu] - h->y[mu];
        loss += h->weight * error * error;
        h->seed[mu] = 2.0 * h->weight * error;
    }
    nnd_network_backward(net, h->seed);
    for (size_t l = 0; l < net->layers; l++)
        if (net->layer[l].activation != NULL)
            set_bend(h, l);
    return loss;
}

void nnd_hessian_gradient(const nnd_hessian *h, double *gradient) {
    const nnd_network *net = h->net;
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer *layer = &net->layer[l];
        if (layer->rate > 0.0)
            outer(layer, net->samples, layer->scale, layer->g, nnd_network_input(net, l, 0), 0.0,
                  gradient);
        gradient += weights_of(layer);
    }
}

/* Change of all fields when the weights change by x. */
static void forward_change(const nnd_hessian *h, const double *x) {
    const nnd_network *net = h->net;
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer *layer = &net->layer[l];
        size_t p = net->samples, n = field_size(net, l);
        double beta = 0.0;
        if (layer->rate > 0.0) {
            times(layer, false, p, layer->scale, x, nnd_network_input(net, l, 0), 0.0,
                  h->h_change[l]);
            beta = 1.0;
        }
        if (l > 0)
            times(layer, false, p, layer->scale, layer->w, h->phi_change[l - 1], beta,
                  h->h_change[l]);
        else if (beta == 0.0)
            memset(h->h_change[l], 0, n * sizeof(double));
        if (layer->residual && l > 0)
            cblas_daxpy((int)n, 1.0, h->phi_change[l - 1], 1, h->h_change[l], 1);
        for (size_t i = 0; layer->slope != NULL && i < n; i++)
            h->phi_change[l][i] = layer->slope[i] * h->h_change[l][i];
        x += weights_of(layer);
    }
}

/* The change of dR/dphi, which stands in g_change, becomes that of dR/dh. */
static void bend_change(const nnd_hessian *h, size_t l) {
    const nnd_layer *layer = &h->net->layer[l];
    size_t n = field_size(h->net, l);
    for (size_t i = 0; layer->slope != NULL && i < n; i++)
        h->g_change[l][i] = layer->slope[i] * h->g_change[l][i] + h->bend[l][i] * h->h_change[l][i];
}

/* Change of dR/dh of all layers. `x` ends where the direction ends. */
static void backward_change(const nnd_hessian *h, const double *x) {
    const nnd_network *net = h->net;
    size_t p = net->samples, last = net->layers - 1;
    for (size_t mu = 0; mu < p; mu++)
        h->g_change[last][mu] = 2.0 * h->weight * h->phi_change[last][mu];
    bend_change(h, last);
    for (size_t l = last; l > 0; l--) {
        const nnd_layer *layer = &net->layer[l];
        x -= weights_of(layer);
        times(layer, true, p, layer->scale, layer->w, h->g_change[l], 0.0, h->g_change[l - 1]);
        if (layer->rate > 0.0)
            times(layer, true, p, layer->scale, x, layer->g, 1.0, h->g_change[l - 1]);
        if (layer->residual)
            cblas_daxpy((int)field_size(net, l), 1.0, h->g_change[l], 1, h->g_change[l - 1], 1);
        bend_change(h, l - 1);
    }
}

void nnd_hessian_times(void *hessian, const double *x, double *y) {
    const nnd_hessian *h = hessian;
    const nnd_network *net = h->net;
    size_t p = net->samples;
    forward_change(h, x);
    backward_change(h, x + h->count);
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer *layer = &net->layer[l];
        if (layer->rate > 0.0) {
            outer(layer, p, layer->scale, h->g_change[l], nnd_network_input(net, l, 0), 0.0, y);
            if (l > 0)
                outer(layer, p, layer->scale, layer->g, h->phi_change[l - 1], 1.0, y);
        }
        y += weights_of(layer);
    }
}
