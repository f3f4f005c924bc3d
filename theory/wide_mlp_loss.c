/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_loss.h"

#include <math.h>

#include "nndmft/dataset.h"

/* log sum_c exp(f_c) of at least one output, whatever their size. */
static double log_sum_exp(size_t n, const double *f) {
    double most = f[0];
    for (size_t c = 1; c < n; c++)
        most = fmax(most, f[c]);
    double sum = exp(f[0] - most);
    for (size_t c = 1; c < n; c++)
        sum += exp(f[c] - most);
    return most + log(sum);
}

static double probability(size_t n, const double *f, size_t c) {
    return exp(f[c] - log_sum_exp(n, f));
}

/* log(1 + e^x), whatever the size of x. */
static double soft_plus(double x) {
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

static double of_sample(nnd_wide_loss_kind loss, size_t n, const double *y, const double *f) {
    double sum = 0.0;
    switch (loss) {
    case NND_WIDE_LOGISTIC:
        return soft_plus(-y[0] * f[0]);
    case NND_WIDE_CROSS_ENTROPY:
        for (size_t c = 0; c < n; c++)
            sum -= y[c] * f[c];
        return sum + log_sum_exp(n, f);
    default:
        for (size_t c = 0; c < n; c++)
            sum += 0.5 * (y[c] - f[c]) * (y[c] - f[c]);
        return sum;
    }
}

double nnd_wide_loss_mean(nnd_wide_loss_kind loss, size_t samples, size_t outputs,
                          const double *target, const double *output) {
    double sum = 0.0;
    for (size_t i = 0; i < samples; i++)
        sum += of_sample(loss, outputs, target + i * outputs, output + i * outputs);
    return sum / (double)samples;
}

void nnd_wide_loss_residual(nnd_wide_loss_kind loss, size_t samples, size_t outputs,
                            const double *target, const double *output, double *delta) {
    for (size_t i = 0; i < samples * outputs; i++) {
        const double *f = output + i / outputs * outputs;
        switch (loss) {
        case NND_WIDE_LOGISTIC:
            delta[i] = target[i] / (1.0 + exp(target[i] * output[i]));
            break;
        case NND_WIDE_CROSS_ENTROPY:
            delta[i] = target[i] - probability(outputs, f, i % outputs);
            break;
        default:
            delta[i] = target[i] - output[i];
        }
    }
}

/* [(1 + e^f)(1 + e^-f)]^(-1/2) = sqrt(p (1 - p)). */
static double logistic_root(double f) {
    return exp(-0.5 * (soft_plus(f) + soft_plus(-f)));
}

void nnd_wide_loss_root(nnd_wide_loss_kind loss, size_t outputs, const double *output,
                        double *root) {
    for (size_t c = 0; c < outputs; c++)
        for (size_t b = 0; b < outputs; b++) {
            double unit = b == c ? 1.0 : 0.0;
            if (loss == NND_WIDE_CROSS_ENTROPY) {
                /* diag(sqrt p)(1 - sqrt p sqrt p^T) */
                double p = sqrt(probability(outputs, output, c));
                unit = p * (unit - p * sqrt(probability(outputs, output, b)));
            } else if (loss == NND_WIDE_LOGISTIC)
                unit = logistic_root(output[0]);
            root[c * outputs + b] = unit;
        }
}

/* v = Delta (mse), Delta/B (logistic), Delta/sqrt p (cross-entropy, where sum Delta = 0). */
double nnd_wide_loss_norm2(nnd_wide_loss_kind loss, size_t outputs, const double *output,
                           const double *delta) {
    double sum = 0.0;
    for (size_t c = 0; c < outputs; c++) {
        double scale2 = 1.0;
        if (delta[c] == 0.0)
            continue;
        if (loss == NND_WIDE_CROSS_ENTROPY)
            scale2 = probability(outputs, output, c);
        else if (loss == NND_WIDE_LOGISTIC)
            scale2 = logistic_root(output[0]) * logistic_root(output[0]);
        sum += delta[c] * delta[c] / scale2;
    }
    return sum;
}

double nnd_wide_loss_accuracy(size_t samples, size_t outputs, const double *target,
                              const double *output) {
    size_t right = 0;
    for (size_t i = 0; i < samples; i++)
        right += nnd_class_of(outputs, output + i * outputs) ==
                 nnd_class_of(outputs, target + i * outputs);
    return (double)right / (double)samples;
}
