/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Initial weights, target, inputs and noise are independent and Gaussian (the target uniform on the
 * sphere), so that with s_l = sigma_l^2 and a gradient field g_L = a, g_l = A_l^T g_{l+1}
 *     E |a|^2 = s_L,                       E |g_0|^2 = s_0 ... s_L,
 *     E g_0 . beta* = 0,                   E |A_0 beta*|^2 = s_0 N/D,
 *     E |g_l|^2/|g_{l+1}|^2 = s_l,
 * and given the first error e = beta* - beta, which data do not enter,
 *     E |Delta|^2/P = |e|^2 + noise^2,
 *     E |X^T Delta/P|^2 = |e|^2 (1 + (D + 1)/P) + noise^2 D/P,
 * the last from the second moment of a Wishart matrix. All hold at any N, D and P.
 */
#include "validate/deep_linear_control.h"

#include <cblas.h>
#include <math.h>

size_t nnd_deep_linear_controls(const nnd_deep_linear *p) {
    if (!p->control)
        return 0;
    /* Readout, predictor, its overlap with the target, image of the target; what lies between. */
    size_t weights = p->depth > 1 ? 5 : 4, residuals = p->training == NND_TRAIN_FIXED ? 2 : 0;
    return weights + residuals;
}

static double norm2(size_t n, const double *x) {
    return cblas_ddot((int)n, x, 1, x, 1);
}

/* How far the sum of squares of n normals, or what is like one, lies above its mean. */
static double excess(double value, double mean, double n) {
    return (value / mean - 1.0) * sqrt(n / 2.0);
}

/* s_0 ... s_L */
static double variance_of_predictor(const nnd_deep_linear_network *net) {
    double product = 1.0;
    for (size_t l = 0; l <= net->depth; l++)
        product *= nnd_deep_linear_sigma(net->params, l) * nnd_deep_linear_sigma(net->params, l);
    return product;
}

/* The matrices A_1 ... A_{L-1} together: each ratio of norms is chi^2_N/N, independent. */
static double between(const nnd_deep_linear_network *net) {
    double sum = 0.0, matrices = (double)net->depth - 1.0;
    for (size_t l = 1; l < net->depth; l++) {
        double sigma = nnd_deep_linear_sigma(net->params, l);
        double above = norm2(net->width, net->backward[l + 1]);
        sum += norm2(net->width, net->backward[l]) / (sigma * sigma * above) - 1.0;
    }
    return sum * sqrt((double)net->width / (2.0 * matrices));
}

/* Means of the two residuals, given the squared norm of the error. */
static void residual_means(const nnd_deep_linear_network *net, double error2, double mean[2]) {
    double d = (double)net->inputs, p = (double)net->samples;
    double noise2 = net->params->noise * net->params->noise;
    mean[0] = error2 + noise2;
    mean[1] = error2 * (1.0 + (d + 1.0) / p) + noise2 * d / p;
}

static void control_data(const nnd_deep_linear_network *net, double predictor2, double *control) {
    double given[2], typical[2], p = (double)net->samples;
    double error2 = 1.0 + (net->params->center ? 0.0 : predictor2 / (net->gamma * net->gamma));
    residual_means(net, norm2(net->inputs, net->error), given);
    residual_means(net, error2, typical);
    control[0] = (net->mse - given[0]) / typical[0] * sqrt(p / 2.0);
    control[1] = (norm2(net->inputs, net->forward[0]) - given[1]) / typical[1] * sqrt(p / 8.0);
}

void nnd_deep_linear_control(nnd_deep_linear_network *net, double *image, double *control) {
    const nnd_deep_linear *params = net->params;
    double d = (double)net->inputs, n = (double)net->width;
    double first = nnd_deep_linear_sigma(params, 0);
    double last = nnd_deep_linear_sigma(params, net->depth);
    double predictor2 = variance_of_predictor(net);
    nnd_weights_times(&net->layer[0], &net->window, net->target, image, net->scratch);
    *control++ = excess(norm2(net->width, net->backward[net->depth]), last * last, n);
    *control++ = excess(norm2(net->inputs, net->backward[0]), predictor2,
                        1.0 / (1.0 / d + (double)net->depth / n));
    *control++ =
        cblas_ddot((int)net->inputs, net->backward[0], 1, net->target, 1) * sqrt(d / predictor2);
    *control++ = excess(norm2(net->width, image), first * first * n / d, n);
    if (net->depth > 1)
        *control++ = between(net);
    if (params->training == NND_TRAIN_FIXED)
        control_data(net, predictor2, control);
}
