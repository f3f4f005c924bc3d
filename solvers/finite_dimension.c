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

#include <complex.h>
#include <math.h>

const nnd_dimension_shift nnd_no_shift = {
    NAN, NAN, NAN, NAN, NAN, NAN, {NAN, NAN, NAN, NAN, NAN, NAN, NAN}};

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

/* ---- several outputs ---- */

/* One of them, in the limit, with the coefficients of 1/D in the means. */
typedef struct {
    double b2, n2; /* of its teacher and its noise */
    double m, q, dm, dq;
} output;

static output output_of(double b2, double n2, double c, const nnd_unit_overlaps *u) {
    return (output){b2,
                    n2,
                    b2 * u->f + c * n2 * u->h,
                    b2 * u->f + n2 * u->h,
                    b2 * u->df + c * n2 * u->dh,
                    b2 * u->df + n2 * u->dh};
}

/* Of the mean of Q_ab^2/sqrt(Q_aa Q_bb). */
static double own_shift(const output *o, double c, const nnd_unit_overlaps *u) {
    covariances v =
        overlap_covariances(o->b2 * o->b2 * u->ff, o->b2 * o->n2 * u->fh, o->n2 * o->n2 * u->hh, c);
    double rho = o->m / o->q;
    return o->q * cka_shift(o->m, o->q, o->dm, o->dq, &v) + rho * rho * o->dq;
}

/* What the overlaps M = B_a B_b^T, G_a and G_b of output i with another one j add to
 * tr(G_a^(-1/2) M G_b^(-1/2) M^T), to second order; in the limit all three are diagonal. */
static double pair_shift(const output *i, const output *j, double c, const nnd_unit_overlaps *u) {
    double xi = sqrt(i->q), xj = sqrt(j->q), sum = xi + xj;
    double ff = i->b2 * j->b2 * u->ff, hh = i->n2 * j->n2 * u->hh;
    double left = i->n2 * j->b2 * u->fh, right = i->b2 * j->n2 * u->fh;
    double variance = ff + left + right + hh; /* of M_ij, of G_a,ij and of G_b,ij */
    double with_a = ff + left + c * right + c * hh, with_b = ff + c * left + right + c * hh;
    double a_with_b = ff + c * (left + right) + c * c * hh;
    /* G^(-1/2)_ij is -G_ij/root to first order */
    double root = xi * xj * sum;
    double first = -2.0 / root * (with_a * j->m / xj + with_b * i->m / xi) +
                   a_with_b * i->m * j->m / (root * root);
    double second = variance / (sum * sum) * (1.0 / xj + 0.5 / xi) / i->q; /* in G^(-1/2)_ii */
    return variance / (xi * xj) + first + 2.0 * second * i->m * i->m / xi;
}

double nnd_outputs_cka_shift(size_t count, const double *teacher2, const double *noise, double c,
                             const nnd_unit_overlaps *unit) {
    double cross = 0.0, self = 0.0, of_cross = 0.0, of_self = 0.0;
    for (size_t k = 0; k < count; k++) {
        output i = output_of(teacher2[k], noise[k], c, unit);
        cross += i.m * i.m / i.q;
        self += i.q;
        of_cross += own_shift(&i, c, unit);
        of_self += i.dq;
        for (size_t l = 0; l < count; l++) {
            output j = output_of(teacher2[l], noise[l], c, unit);
            of_cross += l != k ? pair_shift(&i, &j, c, unit) : 0.0;
        }
    }
    return (of_cross - cross / self * of_self) / self;
}

/* ---- the shifts ---- */

nnd_dimension_shift nnd_finite_dimension(const nnd_spectral_rule *rule, const double complex *phi) {
    double b2 = rule->modes.teacher2[0], c = rule->task.noise_correlation;
    double n2 = rule->task.label_noise, spread = n2 / rule->task.samples;
    linear_statistic sum[SUMS] = {{0}};
    for (size_t j = 0; j < rule->count; j++) {
        double s = creal(rule->z[j]), p = creal(phi[j]), left = 1.0 - s * p, m = s * p;
        double f = m * m, h = s * p * p / rule->task.samples;
        add_node(rule, j,
                 (const double[SUMS]){[SIGNAL] = f,
                                      [NOISE] = h,
                                      [TEACHER] = b2 * m,
                                      [RESIDUAL] = left * left * (b2 * s + spread),
                                      [FF] = f * f,
                                      [FH] = f * h,
                                      [HH] = h * h,
                                      [QM] = (b2 * f + n2 * h) * b2 * m},
                 sum);
    }
    const nnd_unit_overlaps unit = {
        .f = sum[SIGNAL].mean,
        .h = sum[NOISE].mean,
        .df = sum[SIGNAL].shift,
        .dh = sum[NOISE].shift,
        .ff = sum[FF].mean - sum[SIGNAL].mean * sum[SIGNAL].mean,
        .fh = sum[FH].mean,
        .hh = sum[HH].mean,
    };
    output all = output_of(b2, n2, c, &unit);
    double m = sum[TEACHER].mean;
    covariances v = overlap_covariances(b2 * b2 * unit.ff, b2 * n2 * unit.fh, n2 * n2 * unit.hh, c);
    nnd_dimension_shift shift = {.self = all.dq,
                                 .cross = all.dm,
                                 .teacher = sum[TEACHER].shift,
                                 .train_error = sum[RESIDUAL].shift,
                                 .unit = unit};
    shift.cka = cka_shift(all.m, all.q, all.dm, all.dq, &v);
    shift.teacher_cosine = cosine_shift(m, all.q, b2, shift.teacher, shift.self, v.self,
                                        2.0 * (sum[QM].mean - m * b2 * unit.f));
    return shift;
}
