/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overlaps of two estimators: double sums over the nodes of a contour. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/spectral_rule.h"
#include "solvers/finite_dimension.h"
#include "solvers/pair_sum.h"
#include "solvers/spectral_moment.h"

/* The kernels: signal and noise of both overlaps in each metric. */
enum { SELF_SIGNAL = 0, SELF_NOISE = 3, CROSS_SIGNAL = 6, CROSS_NOISE = 9, KERNELS = 12 };

typedef struct {
    const nnd_spectral_rule *rule;
    size_t kernels;
} overlap;

/* sum_i X_i/(d_i d'_i) for all moments, by the resolvent identity
 * 1/(d d') = (1/d - 1/d')/(kappa' - kappa): no sum over eigenvalues is left. `mirror`: the second
 * node is the conjugate of node k. */
static void products(const nnd_spectral_rule *rule, size_t j, size_t k, bool mirror,
                     double complex dd[NND_SLOPES]) {
    const double complex *a = rule->moment + j * NND_MOMENTS, *b = rule->moment + k * NND_MOMENTS;
    if (j == k && !mirror) {
        for (int m = 0; m < NND_SLOPES; m++)
            dd[m] = -a[NND_SLOPES + m];
        return;
    }
    double complex other = mirror ? conj(rule->kappa[k]) : rule->kappa[k];
    double complex scale = 1.0 / (other - rule->kappa[j]);
    for (int m = 0; m < NND_SLOPES; m++)
        dd[m] = (a[m] - (mirror ? conj(b[m]) : b[m])) * scale;
}

/* alignment.md#eq2, alignment.md#eq3 with two values of kappa (alignment.md#eq11). `extra` is tau^2
 * for C = Sigma + tau^2, 0 for C = Sigma. Writes signal and noise in each metric,
 * `stride` apart. */
static void kernel(const nnd_spectral_rule *rule, const double complex dd[NND_SLOPES],
                   double complex away2, double extra, double noise, size_t stride,
                   double complex *signal, double complex *spread) {
    double samples = rule->task.samples;
    double complex numerator = away2 * dd[NND_TEACHER + 1] + extra * dd[NND_TEACHER + 2];
    double complex gamma =
        dd[NND_TRACE + 2] + 2.0 * extra * dd[NND_TRACE + 1] + extra * extra * dd[NND_TRACE];
    double complex scale = 1.0 / (samples - gamma);
    for (int m = 0; m < NND_METRICS; m++) {
        double complex c = (dd[NND_TRACE + m + 1] + extra * dd[NND_TRACE + m]) * scale;
        signal[(size_t)m * stride] = dd[NND_TEACHER + 2 + m] + c * numerator;
        spread[(size_t)m * stride] = c * noise;
    }
}

/* All kernels between node j and node k (or its mirror image), `stride` apart. */
static void fill(const overlap *o, size_t j, size_t k, bool mirror, size_t stride,
                 double complex *at) {
    const nnd_spectral_rule *rule = o->rule;
    const nnd_pair_task *task = &rule->task;
    double complex dd[NND_SLOPES];
    products(rule, j, k, mirror, dd);
    double complex other = mirror ? conj(rule->kappa[k]) : rule->kappa[k];
    double complex away2 = (rule->kappa[j] + task->input_noise) * (other + task->input_noise);
    kernel(rule, dd, away2, task->input_noise, task->label_noise, stride, at + SELF_SIGNAL * stride,
           at + SELF_NOISE * stride);
    if (o->kernels == SELF_NOISE + NND_METRICS)
        return;
    if (!task->independent) {
        kernel(rule, dd, away2, 0.0, task->noise_correlation * task->label_noise, stride,
               at + CROSS_SIGNAL * stride, at + CROSS_NOISE * stride);
        return;
    }
    for (int m = 0; m < NND_METRICS; m++) {
        at[(size_t)(CROSS_SIGNAL + m) * stride] = dd[NND_TEACHER + 2 + m];
        at[(size_t)(CROSS_NOISE + m) * stride] = 0.0;
    }
}

static void fill_rows(size_t first, size_t rows, size_t stride, double complex *kernel,
                      void *data) {
    const overlap *o = data;
    size_t n = o->rule->count;
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++) {
            fill(o, first + r, k, false, stride, kernel + r * 2 * n + k);
            fill(o, first + r, k, true, stride, kernel + r * 2 * n + n + k);
        }
}

/* Cross overlaps of equal inputs are those of one network, with the correlated part of the noise.
 */
static void store(const overlap *o, size_t times, const double *sums, nnd_spectral_overlaps *out) {
    const nnd_pair_task *task = &o->rule->task;
    bool same = o->kernels < KERNELS;
    for (size_t t = 0; t < times; t++)
        for (size_t m = 0; m < NND_METRICS; m++) {
            const double *sum = sums + m * times + t;
            out[t].self_signal[m] = sum[SELF_SIGNAL * times];
            out[t].self_noise[m] = sum[SELF_NOISE * times];
            out[t].cross_signal[m] = sum[(same ? SELF_SIGNAL : CROSS_SIGNAL) * times];
            out[t].cross_noise[m] =
                same ? task->noise_correlation * out[t].self_noise[m] : sum[CROSS_NOISE * times];
            out[t].shift = nnd_no_shift;
        }
}

static nnd_status contour(nnd_context *ctx, const nnd_spectral_rule *rule, size_t times,
                          const double complex *phi, nnd_spectral_overlaps *out) {
    size_t n = rule->count;
    bool same = rule->task.input_noise == 0.0 && !rule->task.independent;
    overlap o = {rule, same ? SELF_NOISE + NND_METRICS : KERNELS};
    double complex *u = calloc(times * n, sizeof *u);
    double *sum = calloc(o.kernels * times, sizeof *sum);
    nnd_status status = u != NULL && sum != NULL ? NND_OK : nnd_fail_memory(ctx, "overlaps");
    for (size_t t = 0; status == NND_OK && t < times; t++)
        for (size_t j = 0; j < n; j++)
            u[t * n + j] = -rule->weight[j] * phi[t * n + j];
    if (status == NND_OK)
        status = nnd_pair_sum(ctx, n, o.kernels, fill_rows, &o, times, u, sum);
    if (status == NND_OK)
        store(&o, times, sum, out);
    free(u);
    free(sum);
    return status;
}

/* alignment.md#s4: S = b^2 <s^2 phi^2>, N = sigma^2/alpha <s phi^2>, m = b^2 <s phi>. */
static void isotropic(const nnd_spectral_rule *rule, const double complex *phi,
                      nnd_spectral_overlaps *out) {
    double b2 = rule->modes.teacher2[0], signal = 0.0, noise = 0.0, teacher = 0.0;
    double y = rule->task.label_noise / rule->task.samples;
    for (size_t j = 0; j < rule->count; j++) {
        double f = creal(phi[j]), s = creal(rule->z[j]);
        signal += b2 * rule->density[j] * s * f * f;
        noise += y * rule->density[j] * f * f;
        teacher += b2 * rule->density[j] * f;
    }
    for (int m = 0; m < NND_METRICS; m++) {
        out->self_signal[m] = out->cross_signal[m] = signal;
        out->self_noise[m] = noise;
        out->cross_noise[m] = rule->task.noise_correlation * noise;
        out->teacher[m] = teacher;
    }
    out->shift = nnd_finite_dimension(rule, phi);
}

/* |y|^2/P - 2 <phi>_c + <z phi^2>_c. */
double nnd_spectral_train_error(const nnd_spectral_rule *rule, const double complex *phi) {
    double explained = 0.0;
    for (size_t j = 0; j < rule->count; j++)
        explained += creal(rule->learn[j] * (2.0 - rule->z[j] * phi[j]) * phi[j]);
    return rule->label2 - explained;
}

/* What is a single sum: m = sum_j u_j beta* M (Sigma + kappa)^-1 Sigma beta*. */
static void single_sums(const nnd_spectral_rule *rule, const double complex *phi,
                        nnd_spectral_overlaps *out) {
    double teacher[NND_METRICS] = {0.0};
    out->train_error = nnd_spectral_train_error(rule, phi);
    if (rule->weight == NULL)
        return;
    for (size_t j = 0; j < rule->count; j++) {
        double complex u = -2.0 * rule->weight[j] * phi[j];
        for (int m = 0; m < NND_METRICS; m++)
            teacher[m] += creal(u * rule->moment[j * NND_MOMENTS + (size_t)(NND_TEACHER + 1 + m)]);
    }
    memcpy(out->teacher, teacher, sizeof teacher);
}

nnd_status nnd_spectral_overlap(nnd_context *ctx, const nnd_spectral_rule *rule, size_t times,
                                const double complex *phi, nnd_spectral_overlaps *overlaps) {
    nnd_status status = NND_OK;
    if (rule->weight != NULL)
        status = contour(ctx, rule, times, phi, overlaps);
    else
        for (size_t t = 0; t < times; t++)
            isotropic(rule, phi + t * rule->count, overlaps + t);
    for (size_t t = 0; status == NND_OK && t < times; t++)
        single_sums(rule, phi + t * rule->count, overlaps + t);
    return status;
}
