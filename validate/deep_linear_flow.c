/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The update direction of a stage has rank one in every matrix, strength g_{l+1} h_l^T. All stages
 * of a step are pending updates of the window, so that a state is a row of weights; the error is
 * a sum of seven of them, whose Frobenius norm follows from the inner products of the factors:
 *     |sum_i e_i g_i h_i^T|^2 = sum_ij e_i e_j (g_i . g_j)(h_i . h_j).
 */
#include "validate/deep_linear_flow.h"

#include <cblas.h>
#include <math.h>

#include "core/largest.h"

/* Error of a step. The mean over all seeds of an ensemble knows relative fluctuations of
 * 1/(size sqrt(seeds)), 1e-5 for the largest; the error of order 5 is well below this one, of order
 * 4, so that hundreds of steps stay below. */
static const double TOLERANCE = 1e-6;

/* What an error of A_l is measured by: sigma_l, the size of its singular values, or less where
 * small changes of the weights are large ones of the output, beta = a A_{L-1} .. A_0/gamma. */
static double size_of(const nnd_deep_linear_network *net, size_t l) {
    double product = 1.0;
    for (size_t k = 0; k <= net->depth; k++)
        product *= nnd_deep_linear_sigma(net->params, k);
    return nnd_deep_linear_sigma(net->params, l) * fmin(1.0, net->gamma / product);
}

/* Largest of |A| over its size, for A = sum_i weight_i u_i over `count` pending updates. */
static double norm(const nnd_deep_linear_network *net, size_t first, size_t count,
                   const double *weight) {
    double largest = 0.0;
    for (size_t l = 0; l <= net->depth; l++) {
        const nnd_weights *w = &net->layer[l];
        int rows = (int)w->rows, cols = (int)w->cols;
        const double *left = w->left + first * w->rows, *right = w->right + first * w->cols;
        double sum = 0.0;
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j <= i; j++)
                sum += (i == j ? 1.0 : 2.0) * weight[i] * weight[j] *
                       cblas_ddot(rows, left + i * w->rows, 1, left + j * w->rows, 1) *
                       cblas_ddot(cols, right + i * w->cols, 1, right + j * w->cols, 1);
        /* A difference of equal numbers may be -1e-16. */
        double size = sqrt(sum > 0.0 || isnan(sum) ? sum : 0.0);
        largest = nnd_largest(largest, w->scale * w->strength * size / size_of(net, l));
    }
    return largest;
}

/* All stages after the first, which is pending update `first`; error over what is allowed. */
static double try_step(nnd_deep_linear_network *net, size_t first, double h) {
    double error[NND_DP_STAGES];
    for (size_t s = 1; s < NND_DP_STAGES; s++) {
        for (size_t j = 0; j < s; j++)
            net->window.weight[first + j] = h * nnd_dp_weight[s][j];
        nnd_deep_linear_network_evaluate(net, 0);
        (void)nnd_deep_linear_network_push(net);
    }
    for (size_t s = 0; s < NND_DP_STAGES; s++)
        error[s] = h * nnd_dp_error[s];
    return norm(net, first, NND_DP_STAGES, error) / TOLERANCE;
}

/* A first step that changes a matrix by a hundredth of its size. */
static double first_step(const nnd_deep_linear_network *net, size_t first, double longest) {
    const double one = 1.0;
    double fastest = norm(net, first, 1, &one);
    return fastest > 0.0 ? fmin(longest, 0.01 / fastest) : longest;
}

/* One step that is accepted, at most to `end`; the network stands evaluated before and after. */
static nnd_status advance(nnd_deep_linear_network *net, nnd_deep_linear_flow *flow, double end) {
    nnd_dp_walk *walk = &flow->walk;
    nnd_deep_linear_network_make_room(net, NND_DP_STAGES);
    size_t first = nnd_deep_linear_network_push(net);
    if (!(walk->h > 0.0))
        walk->h = first_step(net, first, end - walk->t);
    for (double h; (h = nnd_dp_length(walk, end)) > 0.0;) {
        double error = try_step(net, first, h);
        bool taken = nnd_dp_take(walk, end, h, error);
        /* The last stage is the first of the next step, from the fields that it left. */
        net->window.count = first + (taken ? NND_DP_STAGES - 1 : 1);
        if (!taken)
            continue;
        flow->error += error * TOLERANCE;
        return NND_OK;
    }
    return NND_NOT_CONVERGED;
}

nnd_status nnd_deep_linear_flow_to(nnd_context *ctx, nnd_deep_linear_network *net,
                                   nnd_deep_linear_flow *flow, double time) {
    nnd_status status = NND_OK;
    double last = net->params->time;
    while (status == NND_OK && flow->walk.t < time) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at t = %g", flow->walk.t);
        if (nnd_dp_is_endless(&flow->walk, last))
            return nnd_fail(ctx, NND_E_INPUT,
                            "params.time: %g is too long for a simulated flow, whose steps at "
                            "t = %.3g are %.2g long; allowed: %g of them",
                            last, flow->walk.t, flow->walk.h, NND_DP_MOST_STEPS);
        status = advance(net, flow, time);
    }
    return status;
}
