/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/wide_mlp_backward.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

bool nnd_wide_takes_ntk(const nnd_wide_mlp *p) {
    return p->kernels || (p->integrator == NND_DESCENT && !nnd_wide_mlp_has_many(p));
}

double nnd_wide_backward_numbers(const nnd_wide_mlp *p, size_t width, size_t networks) {
    double c = (double)p->outputs, train = (double)nnd_data_samples(&p->data);
    double samples = train + (double)nnd_data_tests(&p->data), all = (double)networks;
    double kernel = nnd_wide_takes_ntk(p) ? samples * train * (c * c + 1.0) : 0.0;
    return c * samples * all * ((double)p->depth * (double)width + 1.0) + kernel;
}

static bool allocate(double **x, size_t n) {
    *x = calloc(n, sizeof(double));
    return *x != NULL;
}

nnd_status nnd_wide_backward_make(nnd_context *ctx, const nnd_wide_block *block,
                                  nnd_wide_backward *back) {
    size_t columns = block->outputs * block->net.samples, networks = block->net.networks;
    *back = (nnd_wide_backward){.block = block};
    bool made = allocate(&back->g, block->depth * networks * block->width * columns) &&
                allocate(&back->seed, networks * columns);
    if (made && nnd_wide_takes_ntk(block->params))
        made = allocate(&back->x, block->net.samples * block->training) &&
               allocate(&back->gram, columns * block->outputs * block->training);
    return made ? NND_OK : nnd_fail_memory(ctx, "the backward fields");
}

void nnd_wide_backward_clear(nnd_wide_backward *back) {
    free(back->g);
    free(back->seed);
    free(back->x);
    free(back->gram);
    *back = (nnd_wide_backward){0};
}

/* Hidden layer l of network b: N x (C samples). */
static double *field(const nnd_wide_backward *back, size_t l, size_t b) {
    const nnd_wide_block *block = back->block;
    return back->g +
           (l * block->net.networks + b) * block->width * block->outputs * block->net.samples;
}

const double *nnd_wide_backward_field(const nnd_wide_backward *back, size_t l, size_t b) {
    return field(back, l, b);
}

/* Copies the g of all hidden layers to the columns of output c. */
static void keep(const nnd_wide_backward *back, size_t c) {
    const nnd_wide_block *block = back->block;
    const nnd_network *net = &block->net;
    size_t samples = net->samples;
    for (size_t l = 0; l < block->depth; l++)
        for (size_t b = 0; b < net->networks; b++) {
            const double *g = nnd_network_field(net, l, b, net->layer[l].g);
            double *to = field(back, l, b) + c * samples;
            for (size_t i = 0; i < block->width; i++)
                memcpy(to + i * block->outputs * samples, g + i * samples,
                       samples * sizeof(double));
        }
}

void nnd_wide_backward_take(nnd_wide_backward *back, nnd_network *net) {
    size_t row = net->samples, outputs = net->outputs;
    for (size_t c = 0; c < outputs; c++) {
        for (size_t i = 0; i < net->networks * outputs * row; i++)
            back->seed[i] = i / row % outputs == c ? 1.0 : 0.0;
        nnd_network_backward(net, back->seed);
        keep(back, c);
    }
}

/* factor x^T x over the rows of a field: all its columns times those of the training samples, which
 * come first in each of `groups` groups of columns. */
static void products(const nnd_wide_backward *back, size_t rows, size_t groups, double factor,
                     const double *x, double *out) {
    size_t samples = back->block->net.samples, p = back->block->training;
    int columns = (int)(groups * samples), to = (int)(groups * p);
    for (size_t k = 0; k < groups; k++)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, columns, (int)p, (int)rows, factor, x,
                    columns, x + k * samples, columns, 0.0, out + k * p, to);
}

void nnd_wide_backward_gram(const nnd_wide_backward *back, size_t l, size_t b, double *gram) {
    size_t n = back->block->width;
    products(back, n, back->block->outputs, 1.0 / (double)n, field(back, l, b), gram);
}

void nnd_wide_backward_ntk(nnd_wide_backward *back, size_t b, double *kernel) {
    const nnd_wide_block *block = back->block;
    const nnd_network *net = &block->net;
    size_t samples = net->samples, p = block->training, outputs = block->outputs;
    memset(kernel, 0, outputs * samples * outputs * p * sizeof *kernel);
    for (size_t l = 0; l <= block->depth; l++) {
        const nnd_layer *layer = &net->layer[l];
        double unit = layer->rate / nnd_wide_rate(block->params);
        bool readout = l == block->depth;
        products(back, layer->cols, 1, layer->scale * layer->scale, nnd_network_input(net, l, b),
                 back->x);
        if (!readout)
            products(back, block->width, outputs, 1.0, field(back, l, b), back->gram);
        for (size_t i = 0; i < outputs * samples; i++)
            for (size_t j = 0; j < outputs * p; j++) {
                double g =
                    readout ? (i / samples == j / p ? 1.0 : 0.0) : back->gram[i * outputs * p + j];
                kernel[i * outputs * p + j] +=
                    unit * g * (back->x[i % samples * p + j % p] + layer->bias * layer->bias);
            }
    }
}
