/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/wide_mlp_loss.h"

#include <math.h>

static double output_at(const nnd_wide_outputs *of, size_t mu, size_t c) {
    return of->output != NULL ? of->output[c * of->ld + mu] : 0.0;
}

static double squared(const nnd_wide_outputs *of, size_t mu, double *residual) {
    double sum = 0.0;
    for (size_t c = 0; c < of->outputs; c++) {
        double delta = of->target[mu * of->outputs + c] - output_at(of, mu, c);
        sum += delta * delta / 2.0;
        residual[c] = delta;
    }
    return sum;
}

/* log(1 + exp(-m)) and its slope, without overflow. */
static double logistic(const nnd_wide_outputs *of, size_t mu, double *residual) {
    double y = of->target[mu], m = y * output_at(of, mu, 0);
    residual[0] = y / (1.0 + exp(m));
    return m > 0.0 ? log1p(exp(-m)) : log1p(exp(m)) - m;
}

/* p_c = exp(f_c)/sum exp(f), into p; returns log sum exp(f). The largest stands apart. */
static double softmax(const nnd_wide_outputs *of, size_t mu, double *p) {
    size_t top = 0;
    double others = 0.0;
    for (size_t c = 1; c < of->outputs; c++)
        if (output_at(of, mu, c) > output_at(of, mu, top))
            top = c;
    double most = output_at(of, mu, top);
    for (size_t c = 0; c < of->outputs; c++) {
        p[c] = exp(output_at(of, mu, c) - most);
        others += c != top ? p[c] : 0.0;
    }
    for (size_t c = 0; c < of->outputs; c++)
        p[c] /= 1.0 + others;
    return most + log1p(others);
}

static double cross_entropy(const nnd_wide_outputs *of, size_t mu, double *residual) {
    const double *y = of->target + mu * of->outputs;
    double loss = softmax(of, mu, residual);
    for (size_t c = 0; c < of->outputs; c++) {
        loss -= y[c] * output_at(of, mu, c);
        residual[c] = y[c] - residual[c];
    }
    return loss;
}

double nnd_wide_mean_loss(const nnd_wide_outputs *of, double *residual) {
    double own[NND_WIDE_MOST_OUTPUTS] = {0.0}, sum = 0.0;
    for (size_t mu = 0; mu < of->n; mu++) {
        double *r = residual != NULL ? residual + mu * of->outputs : own;
        double loss = of->kind == NND_WIDE_MSE        ? squared(of, mu, r)
                      : of->kind == NND_WIDE_LOGISTIC ? logistic(of, mu, r)
                                                      : cross_entropy(of, mu, r);
        sum += 1.0 / (double)of->n * loss;
    }
    return sum;
}

double nnd_wide_accuracy(const nnd_wide_outputs *of) {
    double f[NND_WIDE_MOST_OUTPUTS];
    size_t right = 0;
    for (size_t mu = 0; mu < of->n; mu++) {
        for (size_t c = 0; c < of->outputs; c++)
            f[c] = output_at(of, mu, c);
        right += nnd_class_of(of->outputs, f) ==
                 nnd_class_of(of->outputs, of->target + mu * of->outputs);
    }
    return (double)right / (double)of->n;
}

void nnd_wide_curvature_root(const nnd_wide_outputs *of, size_t mu, double *b) {
    size_t n = of->outputs;
    double p[NND_WIDE_MOST_OUTPUTS], f = output_at(of, mu, 0);
    if (of->kind == NND_WIDE_CROSS_ENTROPY)
        (void)softmax(of, mu, p);
    for (size_t c = 0; c < n; c++)
        for (size_t d = 0; d < n; d++)
            b[c * n + d] = of->kind == NND_WIDE_MSE ? (c == d ? 1.0 : 0.0)
                           : of->kind == NND_WIDE_LOGISTIC
                               ? 1.0 / sqrt((1.0 + exp(f)) * (1.0 + exp(-f)))
                               : sqrt(p[c]) * ((c == d ? 1.0 : 0.0) - sqrt(p[c]) * sqrt(p[d]));
}
