/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/induced_norm.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Two products, and the singular values with what their search needs. */
size_t nnd_induced_norm_scratch(size_t outputs, size_t widest) {
    return 2 * outputs * (widest + 1);
}

/* below = above (scale W + 1), the 1 only where the layer adds the one below. */
static void multiply(const nnd_network *net, size_t l, size_t b, const double *above,
                     double *below) {
    const nnd_layer *layer = &net->layer[l];
    int c = (int)net->outputs, rows = (int)layer->rows, cols = (int)layer->cols;
    bool adds = layer->skip || layer->residual;
    if (adds)
        memcpy(below, above, net->outputs * layer->rows * sizeof *below);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, c, cols, rows, layer->scale, above, rows,
                nnd_network_weights(net, l, b), cols, adds ? 1.0 : 0.0, below, cols);
}

/* Destroys the rows x cols matrix; of one row it is the Euclidean norm, in whatever units. */
static double spectral_norm(size_t rows, size_t cols, double *matrix, double *value) {
    lapack_int m = (lapack_int)rows, n = (lapack_int)cols;
    if (rows == 1)
        return cblas_dnrm2(n, matrix, 1);
    bool found = LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', m, n, matrix, n, value, NULL, 1, NULL,
                                1, value + rows) == 0;
    return found ? value[0] : NAN;
}

double nnd_induced_norm(const nnd_network *net, size_t b, double *scratch) {
    size_t top = net->layers - 1, cols = net->layer[top].cols, widest = net->inputs;
    for (size_t l = 0; l < net->layers; l++)
        widest = net->layer[l].cols > widest ? net->layer[l].cols : widest;
    double *product = scratch, *below = product + net->outputs * widest;
    double *value = below + net->outputs * widest;
    memcpy(product, nnd_network_weights(net, top, b), net->outputs * cols * sizeof *product);
    cblas_dscal((int)(net->outputs * cols), net->layer[top].scale, product, 1);
    for (size_t l = top; l-- > 0;) {
        multiply(net, l, b, product, below);
        double *swap = product;
        product = below;
        below = swap;
    }
    return spectral_norm(net->outputs, net->inputs, product, value);
}
