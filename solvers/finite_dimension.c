/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Coefficients of 1/D for predictors beta = phi(S) X^T y/P of isotropic tasks, S = X^T X/P. In the
 * basis of S, which is uniform and independent of its eigenvalues s_i,
 *
 *     beta_i = sqrt(F_i) u_i + sqrt(H_i/D) g_i,  F = b^2 (s phi)^2,  H = (sigma^2/alpha) s phi^2
 *
 * with u uniform on the unit sphere and g standard normal: overlaps fluctuate by O(1/sqrt(D)) as
 * sums over i at given eigenvalues, and their means shift by O(1/D) with the spectrum. The
 * eigenvalues themselves fluctuate too little to count.
 */
#include "solvers/finite_dimension.h"

#include <math.h>

const nnd_dimension_shift nnd_no_shift = {NAN, NAN, NAN, NAN, NAN, NAN};

/* Mean under the law of the spectrum, and what a sum over eigenvalues of real Wishart matrices
 * exceeds D times this mean by: (f(a) + f(b))/4 less half the mean of f under the arcsine law on
 * the support [a, b] (Bai and Silverstein, Ann. Probab. 32 (2004) 553, theorem 1.1 and (5.13)). */
typedef struct {
    double mean, shift;
} linear_statistic;

/* What is summed over the spectrum. */
enum { SIGNAL, NOISE, TEACHER, RESIDUAL, FF, FH, HH, QM, SUMS };

/* Adds node j to all sums; f are the functions there. The nodes are evenly spaced in the angle of
 * the arcsine law; at the edges stands the trigonometric interpolation through all nodes. */
static void add_node(const nnd_spectral_rule *rule, size_t j, const double f[SUMS],
                     linear_statistic sum[SUMS]) {
    double n = (double)rule->count, tangent = tan(0.5 * ((double)j + 0.5) * M_PI / n);
    double upper = (j % 2 == 0 ? 1.0 : -1.0) / tangent;
    double lower = ((rule->count - 1 - j) % 2 == 0 ? 1.0 : -1.0) * tangent;
    double mean = rule->density[j] / creal(rule->z[j]);
    double shift = (0.25 * (upper + lower) - 0.5) / n;
    for (int k = 0; k < SUMS; k++) {
        sum[k].mean += mean * f[k];
        sum[k].shift += shift * f[k];
    }
}

/* D times (co)variances at given eigenvalues. */
typedef struct {
    double cross;      /* of Q_ab */
    double self;       /* of Q_aa */
    double cross_self; /* of Q_ab and Q_aa */
    double selves;     /* of Q_aa and Q_bb */
} covariances;

/* From the means of F^2, F H and H^2; c is the correlation of the label noise. On the sphere the
 * sum of u_i^2 does not fluctuate, which takes the square of the mean of F out. */
static covariances overlap_covariances(double ff, double fh, double hh, double c) {
    return (covariances){
        .cross = 2.0 * ff + 2.0 * (1.0 + c) * fh + (1.0 + c * c) * hh,
        .self = 2.0 * ff + 4.0 * fh + 2.0 * hh,
        .cross_self = 2.0 * ff + 2.0 * (1.0 + c) * fh + 2.0 * c * hh,
        .selves = 2.0 * ff + 4.0 * c * fh + 2.0 * c * c * hh,
    };
}

/* Of the mean of Q_ab^2/sqrt(Q_aa Q_bb) over that of Q_aa, to second order in the fluctuations;
 * m, q are the limits of Q_ab, Q_aa and dm, dq the shifts of their means. */
static double cka_shift(double m, double q, double dm, double dq, const covariances *v) {
    double ratio = m / q;
    double of_cross = (2.0 * m * dm + v->cross) / (q * q) - 2.0 * ratio * v->cross_self / (q * q);
    double of_self = -2.0 * dq / q + (0.75 * v->self + 0.25 * v->selves) / (q * q);
    return of_cross + ratio * ratio * of_self;
}

/* Of the mean of m/sqrt(Q_aa b2); v is D times the covariance of m and Q_aa. */
static double cosine_shift(double m, double q, double b2, double dm, double dq, double var_q,
                           double v) {
    double relative = dm / m - 0.5 * dq / q + 0.375 * var_q / (q * q) - 0.5 * v / (m * q);
    return m / sqrt(q * b2) * relative;
}

nnd_dimension_shift nnd_finite_dimension(const nnd_spectral_rule *rule, const double complex *phi) {
    double b2 = rule->modes.teacher2[0], c = rule->task.noise_correlation;
    double spread = rule->task.label_noise / rule->task.samples;
    linear_statistic sum[SUMS] = {{0}};
    for (size_t j = 0; j < rule->count; j++) {
        double s = creal(rule->z[j]), p = creal(phi[j]), left = 1.0 - s * p, m = b2 * s * p;
        double f = m * s * p, h = spread * s * p * p;
        add_node(rule, j,
                 (const double[SUMS]){[SIGNAL] = f,
                                      [NOISE] = h,
                                      [TEACHER] = m,
                                      [RESIDUAL] = left * left * (b2 * s + spread),
                                      [FF] = f * f,
                                      [FH] = f * h,
                                      [HH] = h * h,
                                      [QM] = (f + h) * m},
                 sum);
    }
    double signal = sum[SIGNAL].mean, noise = sum[NOISE].mean, m = sum[TEACHER].mean;
    double q = signal + noise, cross = signal + c * noise;
    covariances v =
        overlap_covariances(sum[FF].mean - signal * signal, sum[FH].mean, sum[HH].mean, c);
    nnd_dimension_shift shift = {.self = sum[SIGNAL].shift + sum[NOISE].shift,
                                 .cross = sum[SIGNAL].shift + c * sum[NOISE].shift,
                                 .teacher = sum[TEACHER].shift,
                                 .train_error = sum[RESIDUAL].shift};
    shift.cka = cka_shift(cross, q, shift.cross, shift.self, &v);
    shift.teacher_cosine = cosine_shift(m, q, b2, shift.teacher, shift.self, v.self,
                                        2.0 * (sum[QM].mean - m * signal));
    return shift;
}
