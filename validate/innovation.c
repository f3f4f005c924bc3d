/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With Phi_l = (1/N) sum phi phi of hidden layer l (Phi_0 = K^x), layer l + 1 has N preactivations
 * that are independent and N(0, sigma_w^2 Phi_l) given the layers below, hence
 *     <Phi_{l+1} | Phi_l> = <phi(x) phi(y)> over that Gaussian, by quadrature for every network.
 * The readout w ~ N(0, 1) is independent of all hidden layers: F_u = sum_i w_i u.phi_i/sqrt N has
 * the variance u'Phi_L u, and the share of the last hidden weights in the kernel the innovation
 * sum_i (w_i^2 - 1) A_i/N with A_i = sum u u phi' phi' Phi_{L-1}. With a fixed vector z before it,
 * |W^T z|^2/|z|^2 is chi^2_N. Dividing by what lies below, or refusing a mean because of it, leaves
 * a conditional mean of zero.
 */
#include "validate/innovation.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "validate/plane_mean.h"
#include "validate/sample_direction.h"

/* Pairs of samples cost a quadrature once per block, from the second layer on once per network. */
enum { MOST_SAMPLES = 16, MOST_DEEP = 4 };

static const nnd_activation IDENTITY = {.name = NND_LINEAR, .gain = 1.0, .scale = 1.0};

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Whether the means of further layers are resolved at infinite width. */
static bool resolves_further(nnd_innovations *x) {
    size_t n = x->deep;
    double fourth, *mean[2] = {x->below, x->layer};
    if (x->depth == 1 ||
        !nnd_pair_means(x->activation, x->sigma2, x->gram, x->all, n, mean[0], NULL))
        return false;
    for (size_t l = 1; l < x->depth; l++) {
        double *of = mean[(l + 1) % 2];
        if (!nnd_pair_means(x->activation, x->sigma2, of, n, n, mean[l % 2], NULL) ||
            !nnd_fourth_mean(x->activation, x->sigma2 * of[0], &fourth))
            return false;
    }
    return true;
}

/* Directions, and the means of the first layer. */
static void choose(nnd_innovations *x, const double *targets) {
    size_t n = x->samples;
    double *u = x->direction, *v = u + n, first_sample = 1.0;
    nnd_direction_first(n, targets != NULL ? targets : &first_sample, u);
    x->further = resolves_further(x);
    x->known = nnd_pair_means(x->activation, x->sigma2, x->gram, x->all, n, x->phi, x->slope);
    if (x->known)
        nnd_direction_mend(n, x->phi, u);
    nnd_direction_first(x->deep, u, v + n);
    if (!x->known)
        return;
    x->unit = nnd_form(n, x->phi, n, u, u);
    double fourth;
    if (targets == NULL) {
        x->known = nnd_fourth_mean(x->activation, x->sigma2 * x->gram[0], &fourth);
        x->unit = sqrt(fourth - x->phi[0] * x->phi[0]);
    }
    x->known = x->known && x->unit > 0.0;
    if (!x->known || n < 2)
        return;
    nnd_direction_second(n, x->phi, u, v);
    x->second = nnd_directions_differ(n, x->phi, u, v);
}

nnd_status nnd_innovations_make(nnd_context *ctx, const nnd_activation *activation, double sigma_w,
                                size_t depth, size_t width, size_t trained, size_t all,
                                const double *gram, const double *targets, nnd_innovations *x) {
    size_t n = targets == NULL ? 1 : least(trained, MOST_SAMPLES), deep = least(n, MOST_DEEP);
    *x = (nnd_innovations){
        .activation = activation != NULL ? activation : &IDENTITY,
        .sigma2 = sigma_w * sigma_w,
        .depth = depth,
        .all = all,
        .samples = n,
        .deep = deep,
        .gram = gram,
        .direction = calloc(2 * n + deep, sizeof(double)),
        .phi = calloc(n * n, sizeof(double)),
        .slope = calloc(n * n, sizeof(double)),
        .below = calloc(all * all, sizeof(double)),
        .layer = calloc(all * all, sizeof(double)),
        .mean = calloc(deep * deep, sizeof(double)),
        .vector = calloc(2 * width, sizeof(double)),
    };
    if (x->direction == NULL || x->phi == NULL || x->slope == NULL || x->below == NULL ||
        x->layer == NULL || x->mean == NULL || x->vector == NULL)
        return nnd_fail_memory(ctx, "the control variates");
    choose(x, targets);
    return NND_OK;
}

void nnd_innovations_clear(nnd_innovations *x) {
    free(x->direction);
    free(x->phi);
    free(x->slope);
    free(x->below);
    free(x->layer);
    free(x->mean);
    free(x->vector);
    *x = (nnd_innovations){0};
}

/* ---- first layer ---- */

static void take_first(const nnd_innovations *x, double root, nnd_innovation *out) {
    size_t n = x->samples;
    const double *u = x->direction, *v = u + n;
    out->first[0] =
        root * (nnd_form(n, x->layer, x->all, u, u) - nnd_form(n, x->phi, n, u, u)) / x->unit;
    out->first[1] =
        root * (nnd_form(n, x->layer, x->all, u, v) - nnd_form(n, x->phi, n, u, v)) / x->unit;
}

/* `below` serves as scratch. */
static void take_slope(const nnd_innovations *x, const nnd_network *net, size_t b, double root,
                       nnd_innovation *out) {
    size_t n = x->samples;
    const double *u = x->direction;
    double sum = 0.0, mean = 0.0;
    nnd_network_gram(net, 0, b, net->layer[0].slope, x->below);
    for (size_t i = 0; i < n * n; i++) {
        double weight = u[i / n] * u[i % n] * x->gram[i / n * x->all + i % n];
        sum += weight * x->below[i / n * x->all + i % n];
        mean += weight * x->slope[i];
    }
    out->slope = mean > 0.0 ? root * (sum - mean) / mean : 0.0;
}

/* ---- further layers ---- */

/* (u'Phi u - mean)/unit, given the layer below; 0 if that has no mean. */
static double layer_innovation(const nnd_innovations *x) {
    size_t n = x->deep;
    const double *u = x->direction + 2 * x->samples;
    if (!nnd_pair_means(x->activation, x->sigma2, x->below, x->all, n, x->mean, NULL))
        return 0.0;
    double mean = nnd_form(n, x->mean, n, u, u), unit = mean, fourth;
    if (x->samples == 1) {
        if (!nnd_fourth_mean(x->activation, x->sigma2 * x->below[0], &fourth))
            return 0.0;
        unit = sqrt(fourth - mean * mean);
    }
    return unit > 0.0 ? (nnd_form(n, x->layer, x->all, u, u) - mean) / unit : 0.0;
}

/* The readout through W_{L-1}^T ... W_1^T, each of which multiplies its square by chi^2_N. */
static double backward_innovation(nnd_innovations *x, const nnd_network *net, size_t b) {
    int n = (int)net->layer[0].rows;
    double *z = x->vector, *next = z + n, sum = 0.0;
    cblas_dcopy(n, nnd_network_weights(net, x->depth, b), 1, z, 1);
    for (size_t l = x->depth - 1; l > 0; l--) {
        cblas_dgemv(CblasRowMajor, CblasTrans, n, n, 1.0, nnd_network_weights(net, l, b), n, z, 1,
                    0.0, next, 1);
        double before = cblas_dnrm2(n, z, 1), after = cblas_dnrm2(n, next, 1) / before;
        sum += after * after / (double)n - 1.0;
        cblas_dcopy(n, next, 1, z, 1);
        cblas_dscal(n, 1.0 / (before * after), z, 1);
    }
    return sum;
}

/* ---- readout ---- */

/* sum (w^2 - 1) A/sqrt(2 sum A^2); `phi` is that below the last hidden layer. */
static double readout_innovation(const nnd_innovations *x, const nnd_network *net, size_t b,
                                 const double *phi) {
    const nnd_layer *last = &net->layer[x->depth - 1];
    const double *w = nnd_network_weights(net, x->depth, b), *u = x->direction;
    const double *slope =
        last->slope != NULL ? nnd_network_field(net, x->depth - 1, b, last->slope) : NULL;
    size_t n = x->samples;
    double at[MOST_SAMPLES], sum = 0.0, square = 0.0;
    for (size_t i = 0; i < last->rows; i++) {
        for (size_t mu = 0; mu < n; mu++)
            at[mu] = u[mu] * (slope != NULL ? slope[i * net->samples + mu] : 1.0);
        double a = nnd_form(n, phi, x->all, at, at);
        sum += (w[i] * w[i] - 1.0) * a;
        square += a * a;
    }
    return square > 0.0 ? sum / sqrt(2.0 * square) : 0.0;
}

static void take_output(const nnd_innovations *x, const nnd_network *net, size_t b,
                        nnd_innovation *out) {
    const nnd_layer *last = &net->layer[x->depth];
    const double *f = nnd_network_field(net, x->depth, b, last->phi);
    size_t n = x->samples;
    for (size_t k = 0; k < 2; k++) {
        const double *u = x->direction + k * n;
        double variance = nnd_form(n, x->layer, x->all, u, u);
        double unit = last->scale * sqrt((double)last->cols * variance);
        out->output[k] = unit > 0.0 ? cblas_ddot((int)n, f, 1, u, 1) / unit : 0.0;
    }
}

void nnd_innovations_take(nnd_innovations *x, const nnd_network *net, size_t b,
                          nnd_innovation *out) {
    double root = sqrt((double)net->layer[0].rows), further = (double)x->depth - 1.0;
    *out = (nnd_innovation){.first = {NAN, NAN}, .slope = NAN};
    if (x->known && net->layer[0].slope != NULL)
        take_slope(x, net, b, root, out);
    for (size_t l = 0; l < x->depth; l++) {
        double *swap = x->below;
        x->below = x->layer;
        x->layer = swap;
        nnd_network_gram(net, l, b, net->layer[l].phi, x->layer);
        if (l == 0 && x->known)
            take_first(x, root, out);
        if (l > 0 && x->further)
            out->deep += layer_innovation(x) * root / sqrt(further);
    }
    if (x->depth > 1)
        out->backward = backward_innovation(x, net, b) * root / sqrt(2.0 * further);
    out->readout = readout_innovation(x, net, b, x->depth > 1 ? x->below : x->gram);
    take_output(x, net, b, out);
}
