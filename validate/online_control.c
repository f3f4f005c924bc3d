/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Weights w, W_1 ... W_D of N independent normals each have
 *     beta_k = w . W_k/(gamma0 N),   a = w . w/N,   b_kl = W_k . W_l/N.
 * With F_k = gamma0 sqrt(N) beta_k and k = (a + b_11 - 2) sqrt(N)/2, at any N,
 *     <F_k> = 0,   <F_k^2> = <a> = <b_11> = <k^2> = 1,   <F_1 k> = <F_k b_1k> = 0.
 * The last one is how the directions across begin to move the one along the target.
 */
#include "validate/online_control.h"

#include <cblas.h>
#include <math.h>

size_t nnd_online_controls(const nnd_online_fluctuations *p) {
    if (!p->control)
        return 0;
    return p->dim > 1 ? 8 : 6;
}

void nnd_online_control(const nnd_online_fluctuations *p, const nnd_network *net, size_t b,
                        double *scratch, double *control) {
    size_t dim = net->inputs;
    int n = (int)net->layer[0].rows, d = (int)dim;
    double width = (double)n, root = sqrt(width), across = (double)dim - 1.0;
    const double *w = nnd_network_weights(net, 1, b), *first = nnd_network_weights(net, 0, b);
    const double *beta = net->output + b * dim;
    double unit = p->gamma0 * root, f = unit * beta[0];
    double a = cblas_ddot(n, w, 1, w, 1) / width - 1.0, *b_1 = scratch;
    cblas_dgemv(CblasRowMajor, CblasTrans, n, d, 1.0 / width, first, d, first, d, 0.0, b_1, 1);
    double k = (a + b_1[0] - 1.0) * root / 2.0;
    *control++ = f;
    *control++ = a * root / M_SQRT2;
    *control++ = (b_1[0] - 1.0) * root / M_SQRT2;
    *control++ = (f * f - 1.0) / M_SQRT2;
    *control++ = f * k;
    *control++ = (k * k - 1.0) / M_SQRT2;
    if (dim == 1)
        return;
    *control++ = (unit * unit * cblas_ddot(d - 1, beta + 1, 1, beta + 1, 1) / across - 1.0) *
                 sqrt(across / 2.0);
    *control++ = unit * root * cblas_ddot(d - 1, beta + 1, 1, b_1 + 1, 1) / sqrt(across);
}
