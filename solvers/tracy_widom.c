/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With B_s the operator of kernel Ai(u + v + s) on the half-line u, v > 0 (spectrum.md#eq4),
 *
 *     F_1(s) = det(1 - B_s) (Ferrari and Spohn 2005),  F_2(s) = det(1 - B_s^2),
 *
 * since B_s^2 is the Airy kernel. Gauss-Legendre nodes make a symmetric matrix of it, whose
 * eigenvalues give both, and the tails without cancellation.
 */
#include "nndmft/solvers/tracy_widom.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_airy.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>

/* At s = LOWEST, the worst case, 64 nodes leave less than 1e-14, 48 less than 1e-13. Below it
 * F < exp(-72), above HIGHEST Ai underflows. */
enum { NODES = 64, ROOT_STEPS = 200 };
static const double LOWEST = -12.0, HIGHEST = 60.0, FAR = 100.0;

/* Mean and standard deviation for beta = 1, 2 (Bornemann 2010, table 10). */
static const double MEAN[] = {-1.2065335745820, -1.771086807411};
static const double VARIANCE[] = {1.607781034581, 0.8131947928329};

/* B_s and dB_s/ds, by their weighted nodes; where Ai is below 1e-290 it is 0. */
typedef struct {
    double b[NODES * NODES], slope[NODES * NODES], eigenvalue[NODES];
} kernel;

/* The half-line ends where Ai has fallen by exp(-40): (2/3) (s + end)^(3/2) = 40 more than at s. */
static bool make_nodes(double s, double *u, double *weight) {
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(NODES);
    if (table == NULL)
        return false;
    double end = pow(60.0 + pow(fmax(s, 0.0), 1.5), 2.0 / 3.0) - s;
    for (size_t i = 0; i < NODES; i++)
        gsl_integration_glfixed_point(0.0, end, i, &u[i], &weight[i], table);
    gsl_integration_glfixed_table_free(table);
    return true;
}

/* Eigenvalues of B_s and, with `vectors`, the diagonal of dB_s/ds in their basis, in `slope`. */
static bool kernel_at(double s, bool vectors, kernel *k) {
    double u[NODES], weight[NODES], image[NODES];
    if (!make_nodes(s, u, weight))
        return false;
    for (size_t i = 0; i < NODES; i++)
        for (size_t j = 0; j <= i; j++) {
            double x = u[i] + u[j] + s, root = sqrt(weight[i] * weight[j]);
            bool near = x < FAR;
            k->b[i * NODES + j] = near ? root * gsl_sf_airy_Ai(x, GSL_PREC_DOUBLE) : 0.0;
            if (vectors)
                k->slope[i * NODES + j] = k->slope[j * NODES + i] =
                    near ? root * gsl_sf_airy_Ai_deriv(x, GSL_PREC_DOUBLE) : 0.0;
        }
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, vectors ? 'V' : 'N', 'L', NODES, k->b, NODES,
                      k->eigenvalue) != 0)
        return false;
    for (size_t e = 0; vectors && e < NODES; e++) {
        double sum = 0.0;
        for (size_t i = 0; i < NODES; i++) {
            double row = 0.0;
            for (size_t j = 0; j < NODES; j++)
                row += k->slope[i * NODES + j] * k->b[j * NODES + e];
            sum += k->b[i * NODES + e] * row;
        }
        image[e] = sum;
    }
    for (size_t e = 0; vectors && e < NODES; e++)
        k->slope[e] = image[e];
    return true;
}

/* log F, from the eigenvalues b: the sum of log(1 - b), or of log(1 - b^2). */
static double log_cdf(int beta, double s) {
    kernel k;
    double sum = 0.0;
    if ((beta != 1 && beta != 2) || isnan(s) || !(s < HIGHEST))
        return beta != 1 && beta != 2 ? NAN : s >= HIGHEST ? 0.0 : NAN;
    if (s < LOWEST)
        return -INFINITY;
    if (!kernel_at(s, false, &k))
        return NAN;
    for (size_t e = 0; e < NODES; e++) {
        double b = k.eigenvalue[e];
        sum += log1p(-fmin(1.0, beta == 1 ? b : b * b));
    }
    return fmin(0.0, sum);
}

double nnd_tracy_widom_cdf(int beta, double x) {
    return exp(log_cdf(beta, x));
}

double nnd_tracy_widom_tail(int beta, double x) {
    return -expm1(log_cdf(beta, x));
}

/* dF/ds = -sum_e b_e' prod_(i != e) (1 - b_i), or -sum_e 2 b_e b_e' prod_(i != e) (1 - b_i^2). */
double nnd_tracy_widom_density(int beta, double x) {
    kernel k;
    double sum = 0.0;
    if ((beta != 1 && beta != 2) || isnan(x))
        return NAN;
    if (x < LOWEST || x >= HIGHEST)
        return 0.0;
    if (!kernel_at(x, true, &k))
        return NAN;
    for (size_t e = 0; e < NODES; e++) {
        double product = k.slope[e] * (beta == 1 ? 1.0 : 2.0 * k.eigenvalue[e]);
        for (size_t i = 0; i < NODES; i++)
            if (i != e)
                product *= 1.0 - (beta == 1 ? k.eigenvalue[i] : k.eigenvalue[i] * k.eigenvalue[i]);
        sum -= product;
    }
    return fmax(0.0, sum);
}

/* Newton's steps for log F = log p, or log(1 - F) = log(1 - p) above the middle, where they are
 * nearly straight lines; halving where a step leaves the bracket. */
double nnd_tracy_widom_quantile(int beta, double p) {
    if ((beta != 1 && beta != 2) || !(p >= 0.0 && p <= 1.0))
        return NAN;
    if (p == 0.0 || p == 1.0)
        return p == 0.0 ? -INFINITY : INFINITY;
    double low = LOWEST, high = HIGHEST, x = MEAN[beta - 1];
    bool upper = p > 0.5;
    for (int step = 0; step < ROOT_STEPS; step++) {
        double f = upper ? nnd_tracy_widom_tail(beta, x) : nnd_tracy_widom_cdf(beta, x);
        double ratio = f / (upper ? 1.0 - p : p);
        if ((ratio < 1.0) == upper)
            high = x;
        else
            low = x;
        double move = log(ratio) * f / nnd_tracy_widom_density(beta, x) * (upper ? 1.0 : -1.0);
        double next = x + move;
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        if (fabs(next - x) <= 1e-13 * (1.0 + fabs(x)))
            return next;
        x = next;
    }
    return x;
}

double nnd_tracy_widom_mean(int beta) {
    return beta == 1 || beta == 2 ? MEAN[beta - 1] : NAN;
}

double nnd_tracy_widom_sd(int beta) {
    return beta == 1 || beta == 2 ? sqrt(VARIANCE[beta - 1]) : NAN;
}
