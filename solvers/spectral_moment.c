/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/spectral_moment.h"

#include <complex.h>

/* A network that sees inputs with noise learns as one without would whose covariance is
 * Sigma + tau^2, whose teacher is (Sigma + tau^2)^-1 Sigma beta*, and whose label noise is larger
 * by what the teacher then cannot explain. */
static double seen_noise(const nnd_eigenmodes *p, const nnd_pair_task *task) {
    double noise = task->label_noise, tau2 = task->input_noise;
    for (size_t i = 0; i < p->count; i++)
        if (p->eigenvalue[i] > 0.0)
            noise += p->teacher2[i] * p->eigenvalue[i] * tau2 / (p->eigenvalue[i] + tau2);
    return noise;
}

void nnd_spectral_moments(const nnd_eigenmodes *p, const nnd_pair_task *task, double complex kappa,
                          double complex *moment) {
    double tau2 = task->input_noise;
    for (int m = 0; m < NND_MOMENTS; m++)
        moment[m] = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i], seen = s + tau2, power = 1.0;
        double complex g = 1.0 / (seen + kappa), slope = -g * g;
        for (int k = 0; k < 4; k++, power *= s) {
            double teacher = p->teacher2[i] * s * power, trace = p->multiplicity[i] * power;
            moment[NND_TEACHER + 1 + k] += teacher * g;
            moment[NND_TRACE + k] += trace * g;
            moment[NND_SLOPES + NND_TEACHER + 1 + k] += teacher * slope;
            moment[NND_SLOPES + NND_TRACE + k] += trace * slope;
        }
        if (seen > 0.0)
            moment[NND_LEARN_SIGNAL] += p->teacher2[i] * (s / seen) * (s / seen) * g;
        moment[NND_LEARN_NOISE] += p->multiplicity[i] * g;
    }
    moment[NND_LEARN_NOISE] *= seen_noise(p, task);
}
