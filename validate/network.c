/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/network.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static size_t cols_of(const nnd_network_plan *plan, size_t l) {
    return l == 0 ? plan->inputs : plan->layer[l - 1].width;
}

static size_t input_sets(const nnd_network_plan *plan) {
    return plan->own_inputs ? plan->networks : 1;
}

/* At least two, which the scratch of the NTK asks for. */
static size_t widest(const nnd_network_plan *plan) {
    size_t n = 2;
    for (size_t l = 0; l < plan->layers; l++)
        n = plan->layer[l].width > n ? plan->layer[l].width : n;
    return n;
}

static double fields_per_layer(const nnd_layer_plan *layer) {
    return layer->activation == NULL ? 2.0 : 4.0;
}

double nnd_network_bytes(const nnd_network_plan *plan) {
    double networks = (double)plan->networks, samples = (double)plan->samples;
    double numbers = (double)input_sets(plan) * (double)plan->inputs * samples;
    double outputs = (double)plan->layer[plan->layers - 1].width;
    numbers += networks * samples * ((double)widest(plan) + 2.0 * outputs);
    for (size_t l = 0; l < plan->layers; l++) {
        double rows = (double)plan->layer[l].width;
        numbers += networks * rows * (double)cols_of(plan, l);
        numbers += networks * rows * samples * fields_per_layer(&plan->layer[l]);
        numbers += plan->layer[l].bias > 0.0 ? networks * rows : 0.0;
    }
    return numbers * sizeof(double);
}

double nnd_network_flops(const nnd_network_plan *plan) {
    /* Measured: a pass over W for all samples takes the time of 0.3 + P/14 products with a vector,
     * an activation with its derivative that of 50 operations. */
    const double activation = 50.0, passes = 3.0;
    double flops = 0.0, samples = (double)plan->samples;
    for (size_t l = 0; l < plan->layers; l++) {
        double rows = (double)plan->layer[l].width, cols = (double)cols_of(plan, l);
        flops += passes * 2.0 * rows * cols * (0.3 + samples / 14.0);
        if (plan->layer[l].activation != NULL)
            flops += activation * rows * samples;
    }
    return flops;
}

static bool allocate(double **x, size_t n) {
    *x = calloc(n, sizeof(double));
    return *x != NULL;
}

static bool make_layer(const nnd_network_plan *plan, size_t l, nnd_layer *layer) {
    const nnd_layer_plan *p = &plan->layer[l];
    size_t n = plan->networks * p->width * plan->samples;
    *layer = (nnd_layer){
        .rows = p->width,
        .cols = cols_of(plan, l),
        .scale = p->scale,
        .rate = p->rate,
        .bias = p->bias,
        .activation = p->activation,
        .residual = p->residual,
        .skip = p->skip,
    };
    if (!allocate(&layer->h, n) || !allocate(&layer->g, n))
        return false;
    layer->phi = layer->h;
    return p->activation == NULL || (allocate(&layer->slope, n) && allocate(&layer->phi, n));
}

/* Numbers of the weights, or biases, of a layer. */
static size_t weights_of(const nnd_network *net, size_t l) {
    return net->networks * net->layer[l].rows * net->layer[l].cols;
}

static size_t biases_of(const nnd_network *net, size_t l) {
    return net->layer[l].bias > 0.0 ? net->networks * net->layer[l].rows : 0;
}

/* Lets the layers point into net->weights. */
static void place(nnd_network *net) {
    double *at = net->weights;
    for (size_t l = 0; l < net->layers; l++) {
        net->layer[l].w = at;
        at += weights_of(net, l);
    }
    for (size_t l = 0; l < net->layers; l++) {
        net->layer[l].b = biases_of(net, l) > 0 ? at : NULL;
        at += biases_of(net, l);
    }
}

void nnd_network_exchange(nnd_network *net, double **weights) {
    double *own = net->weights;
    net->weights = *weights;
    *weights = own;
    place(net);
}

static bool make_arrays(const nnd_network_plan *plan, nnd_network *net) {
    size_t outputs = plan->networks * net->outputs * plan->samples;
    net->layer = calloc(plan->layers, sizeof *net->layer);
    if (net->layer == NULL)
        return false;
    for (size_t l = 0; l < plan->layers; l++) {
        if (!make_layer(plan, l, &net->layer[l]))
            return false;
        net->weight_count += weights_of(net, l) + biases_of(net, l);
    }
    if (!allocate(&net->weights, net->weight_count))
        return false;
    place(net);
    return allocate(&net->x, input_sets(plan) * plan->inputs * plan->samples) &&
           allocate(&net->start, outputs) && allocate(&net->output, outputs) &&
           allocate(&net->scratch, plan->networks * widest(plan) * plan->samples);
}

nnd_status nnd_network_make(nnd_context *ctx, const nnd_network_plan *plan, nnd_network *net) {
    *net = (nnd_network){
        .networks = plan->networks,
        .samples = plan->samples,
        .inputs = plan->inputs,
        .outputs = plan->layer[plan->layers - 1].width,
        .layers = plan->layers,
        .own_inputs = plan->own_inputs,
    };
    return make_arrays(plan, net) ? NND_OK : nnd_fail_memory(ctx, "a block of networks");
}

void nnd_network_clear(nnd_network *net) {
    for (size_t l = 0; net->layer != NULL && l < net->layers; l++) {
        nnd_layer *layer = &net->layer[l];
        if (layer->phi != layer->h)
            free(layer->phi);
        free(layer->h);
        free(layer->slope);
        free(layer->g);
    }
    free(net->layer);
    free(net->weights);
    free(net->x);
    free(net->start);
    free(net->output);
    free(net->scratch);
    *net = (nnd_network){0};
}

void nnd_network_set_inputs(nnd_network *net, size_t b, const double *x) {
    size_t d = net->inputs, p = net->samples;
    double *field = net->x + b * d * p;
    for (size_t mu = 0; mu < p; mu++)
        for (size_t i = 0; i < d; i++)
            field[i * p + mu] = x[mu * d + i];
}

void nnd_network_draw(nnd_network *net, size_t l, double std, nnd_rng_key key, uint32_t stream) {
    size_t rows = net->layer[l].rows, cols = net->layer[l].cols;
    for (size_t b = 0; b < net->networks; b++) {
        nnd_rng_key own = {key.base_seed, key.seed + b, key.size};
        double *w = nnd_network_weights(net, l, b);
        for (size_t i = 0; i < rows; i++)
            nnd_rng_normals(own, stream, i, cols, w + i * cols);
        for (size_t i = 0; i < rows * cols; i++)
            w[i] *= std;
    }
}

void nnd_network_draw_biases(nnd_network *net, size_t l, nnd_rng_key key, uint32_t stream) {
    size_t rows = net->layer[l].rows;
    for (size_t b = 0; b < net->networks; b++)
        nnd_rng_normals((nnd_rng_key){key.base_seed, key.seed + b, key.size}, stream, 0, rows,
                        net->layer[l].b + b * rows);
}

/* ---- passes ---- */

/* Y = alpha op(A) X + beta Y, where A is rows x cols and X, Y have p columns. */
static void multiply(CBLAS_TRANSPOSE op, size_t rows, size_t cols, size_t p, double alpha,
                     const double *a, const double *x, double beta, double *y) {
    /* Up to here reading A once per column beats packing it for a matrix product. */
    enum { FEW = 3 };
    int m = (int)rows, n = (int)cols, k = (int)p;
    if (p > FEW) {
        bool transposed = op == CblasTrans;
        cblas_dgemm(CblasRowMajor, op, CblasNoTrans, transposed ? n : m, k, transposed ? m : n,
                    alpha, a, n, x, k, beta, y, k);
        return;
    }
    for (size_t mu = 0; mu < p; mu++)
        cblas_dgemv(CblasRowMajor, op, m, n, alpha, a, n, x + mu, k, beta, y + mu, k);
}

const double *nnd_network_input(const nnd_network *net, size_t l, size_t b) {
    if (l > 0)
        return nnd_network_field(net, l - 1, b, net->layer[l - 1].phi);
    return net->x + (net->own_inputs ? b * net->inputs * net->samples : 0);
}

/* Whether one product serves all networks of a layer. */
static bool stacked(const nnd_network *net, size_t l) {
    return l == 0 && !net->own_inputs;
}

/* What h of layer l has besides W phi; 0: nothing, and h is not written. */
static double begin_layer(nnd_network *net, size_t l) {
    nnd_layer *layer = &net->layer[l];
    size_t p = net->samples, n = layer->rows * p;
    bool other = layer->residual || layer->skip;
    for (size_t b = 0; layer->residual && b < net->networks; b++)
        memcpy(layer->h + b * n, nnd_network_input(net, l, b), n * sizeof(double));
    if (layer->skip)
        memcpy(layer->h, net->layer[l - 1].h, net->networks * n * sizeof(double));
    for (size_t i = 0; layer->b != NULL && i < net->networks * layer->rows; i++)
        for (size_t mu = 0; mu < p; mu++)
            layer->h[i * p + mu] = (other ? layer->h[i * p + mu] : 0.0) + layer->bias * layer->b[i];
    return other || layer->b != NULL ? 1.0 : 0.0;
}

static void forward_layer(nnd_network *net, size_t l) {
    nnd_layer *layer = &net->layer[l];
    size_t p = net->samples, n = layer->rows * p;
    double beta = begin_layer(net, l);
    size_t calls = stacked(net, l) ? 1 : net->networks;
    size_t rows = layer->rows * net->networks / calls;
    for (size_t b = 0; b < calls; b++)
        multiply(CblasNoTrans, rows, layer->cols, p, layer->scale, nnd_network_weights(net, l, b),
                 nnd_network_input(net, l, b), beta, layer->h + b * n);
    if (layer->activation != NULL)
        nnd_activation_apply(layer->activation, net->networks * n, layer->h, layer->phi,
                             layer->slope, NULL, NULL);
}

void nnd_network_forward(nnd_network *net) {
    for (size_t l = 0; l < net->layers; l++)
        forward_layer(net, l);
    const double *f = net->layer[net->layers - 1].phi;
    for (size_t i = 0; i < net->networks * net->outputs * net->samples; i++)
        net->output[i] = f[i] - net->start[i];
}

void nnd_network_center(nnd_network *net) {
    size_t n = net->networks * net->outputs * net->samples;
    memcpy(net->start, net->layer[net->layers - 1].phi, n * sizeof(double));
    memset(net->output, 0, n * sizeof(double));
}

/* The gradient with respect to phi, which stands in g, becomes that with respect to h. */
static void through_activation(const nnd_network *net, nnd_layer *layer) {
    size_t n = net->networks * layer->rows * net->samples;
    for (size_t i = 0; layer->slope != NULL && i < n; i++)
        layer->g[i] *= layer->slope[i];
}

void nnd_network_backward(nnd_network *net, const double *seed) {
    nnd_layer *last = &net->layer[net->layers - 1];
    for (size_t i = 0; i < net->networks * net->outputs * net->samples; i++)
        last->g[i] = seed != NULL ? seed[i] : 1.0;
    through_activation(net, last);
    for (size_t l = net->layers - 1; l > 0; l--) {
        nnd_layer *layer = &net->layer[l], *below = layer - 1;
        size_t n = below->rows * net->samples;
        if (layer->residual)
            memcpy(below->g, layer->g, net->networks * n * sizeof(double));
        for (size_t b = 0; b < net->networks; b++)
            multiply(CblasTrans, layer->rows, layer->cols, net->samples, layer->scale,
                     nnd_network_weights(net, l, b), nnd_network_field(net, l, b, layer->g),
                     layer->residual ? 1.0 : 0.0, below->g + b * n);
        through_activation(net, below);
        if (layer->skip)
            cblas_daxpy((int)(net->networks * n), 1.0, layer->g, 1, below->g, 1);
    }
}

/* g with each sample times its coefficient, in scratch; g itself without coefficients. */
static const double *weighted_gradient(nnd_network *net, size_t l, const double *coefficient) {
    const nnd_layer *layer = &net->layer[l];
    size_t p = net->samples, rows = layer->rows;
    if (coefficient == NULL)
        return layer->g;
    for (size_t b = 0; b < net->networks; b++)
        for (size_t i = b * rows; i < (b + 1) * rows; i++)
            for (size_t mu = 0; mu < p; mu++)
                net->scratch[i * p + mu] = layer->g[i * p + mu] * coefficient[b * p + mu];
    return net->scratch;
}

/* b += rate * bias * sum_mu g_mu, the weighted gradient g. */
static void descend_biases(const nnd_network *net, const nnd_layer *layer, const double *g,
                           double *target) {
    for (size_t i = 0; i < net->networks * layer->rows; i++) {
        double sum = 0.0;
        for (size_t mu = 0; mu < net->samples; mu++)
            sum += g[i * net->samples + mu];
        target[i] += layer->rate * layer->bias * sum;
    }
}

void nnd_network_descend(nnd_network *net, const double *coefficient, double *target) {
    double *to = target != NULL ? target : net->weights;
    int p = (int)net->samples;
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer *layer = &net->layer[l];
        const double *g = weighted_gradient(net, l, coefficient);
        size_t calls = stacked(net, l) ? 1 : net->networks;
        size_t rows = layer->rows * net->networks / calls, cols = layer->cols;
        double *start = to + (layer->w - net->weights);
        for (size_t b = 0; b < calls; b++)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)cols, p,
                        layer->rate * layer->scale, g + b * rows * net->samples, p,
                        nnd_network_input(net, l, b), p, 1.0, start + b * rows * cols, (int)cols);
        if (layer->b != NULL)
            descend_biases(net, layer, g, to + (layer->b - net->weights));
    }
}

/* ---- recording ---- */

void nnd_network_gram(const nnd_network *net, size_t l, size_t b, const double *field,
                      double *gram) {
    const double *x = nnd_network_field(net, l, b, field);
    int rows = (int)net->layer[l].rows, p = (int)net->samples;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p, p, rows, 1.0 / (double)rows, x, p, x, p,
                0.0, gram, p);
}

void nnd_network_ntk(const nnd_network *net, size_t b, double *kernel) {
    size_t n = net->samples;
    int p = (int)n;
    double *of_g = net->scratch, *of_x = net->scratch + n;
    memset(kernel, 0, n * n * sizeof(double));
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer *layer = &net->layer[l];
        const double *g = nnd_network_field(net, l, b, layer->g), *x = nnd_network_input(net, l, b);
        double strength = layer->rate * layer->scale * layer->scale;
        double constant = layer->bias * layer->bias / (layer->scale * layer->scale);
        for (size_t mu = 0; mu < n; mu++) {
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)layer->rows, p, strength, g, p, g + mu, p,
                        0.0, of_g, 1);
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)layer->cols, p, 1.0, x, p, x + mu, p, 0.0,
                        of_x, 1);
            for (size_t nu = 0; nu < n; nu++)
                kernel[mu * n + nu] += of_g[nu] * (of_x[nu] + constant);
        }
    }
}

/* ---- loss ---- */

/* log(1 + exp(-m)) without overflow. */
static double softplus_of_minus(double m) {
    return m > 0.0 ? log1p(exp(-m)) : log1p(exp(m)) - m;
}

double nnd_loss(nnd_loss_kind kind, size_t n, const double *weight, const double *y,
                const double *f, double *residual) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double delta = y[i] - f[i], margin = y[i] * f[i], loss, slope;
        if (kind == NND_LOGISTIC) {
            loss = softplus_of_minus(margin);
            slope = y[i] / (1.0 + exp(margin));
        } else {
            double factor = kind == NND_SQUARE ? 2.0 : 1.0;
            loss = factor * delta * delta / 2.0;
            slope = factor * delta;
        }
        sum += (weight != NULL ? weight[i] : 1.0 / (double)n) * loss;
        if (residual != NULL)
            residual[i] = slope;
    }
    return sum;
}
