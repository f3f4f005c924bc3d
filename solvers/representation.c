/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/representation.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/early_stopping.h"

/* 2F1(1, 1; c; x) for 0 <= x < 1 by Gauss's continued fraction, from its tail. Its terms decrease
 * like ((1 - r)/(1 + r))^n with r = sqrt(1 - x). */
static double hypergeometric(double c, double x) {
    double levels = 30.0 + 20.0 / sqrt(1.0 - x), tail = 1.0;
    for (double n = fmin(floor(levels), 1e7); n > 0.0; n -= 1.0) {
        double even = n * (c + n - 2.0) / ((c + 2.0 * n - 2.0) * (c + 2.0 * n - 1.0));
        double odd = n * (c + n - 2.0) / ((c + 2.0 * n - 3.0) * (c + 2.0 * n - 2.0));
        tail = 1.0 - even * x / tail;
        tail = 1.0 - odd * x / tail;
    }
    return 1.0 / tail;
}

double nnd_cka_probe(double rho, size_t n, bool centred) {
    double nu = (double)n - (centred ? 1.0 : 0.0), x = rho * rho;
    if (!(x < 1.0 - 1e-13) || nu <= 1.0)
        return isnan(rho) ? NAN : 1.0;
    return 1.0 - (nu - 1.0) / nu * (1.0 - x) * hypergeometric(0.5 * (nu + 2.0), x);
}

/* sqrt(1 - rho^2) + rho asin(rho) - 1 over its value at 1: similarity.md#eq12. */
double nnd_gaussian_rsa(double rho) {
    return (sqrt((1.0 - rho) * (1.0 + rho)) + rho * asin(rho) - 1.0) / (0.5 * M_PI - 1.0);
}

/* (2/pi) arccos(rho^2/sqrt(3 - 2 rho^2)): similarity.md#eq14. The sine of the angle is
 * sqrt((1 - rho^2)(3 + rho^2)/(3 - 2 rho^2)), which has all digits near 1. */
double nnd_gaussian_imbalance(double rho) {
    double square = rho * rho, rest = (1.0 - rho) * (1.0 + rho);
    return 2.0 / M_PI * atan2(sqrt(rest * (3.0 + square)), square);
}

double nnd_cka_white(double scale, double trace2, const double self[NND_METRICS], double cross) {
    if (self[0] == 0.0)
        return 1.0;
    double delta = nnd_white_growth(scale, self[0]);
    double own = scale * scale * trace2 + 2.0 * scale * delta * self[2] / self[0];
    double along = delta * self[1] / self[0], across = delta * cross / self[0];
    if (isinf(self[0])) { /* the grown direction is all there is */
        return 0.0;
    }
    return (own + across * across) / (own + along * along);
}

double nnd_cka_gaussian(const nnd_gaussian_features *f, double q, double rho) {
    if (isinf(q))
        return rho * rho;
    double start = f->variance * f->variance * f->nu * f->dim, both = 2.0 * f->variance * f->nu;
    double self = start * (1.0 + f->nu), cross = f->shared ? self : start * f->nu;
    return (cross + both * sqrt(q) + q * rho * rho) / (self + both * sqrt(q) + q);
}

/* m = tr(a r a r) with r = g^(-1/2), g given by its eigenvectors (columns) and eigenvalues. */
static double twisted_square(size_t c, const double *a, const double *vector, const double *value,
                             double *work) {
    double *half = work, *full = work + c * c, sum = 0.0;
    int n = (int)c;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, n, 1.0, vector, n, a, n, 0.0, half,
                n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, half, n, vector, n, 0.0,
                full, n);
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < c; j++)
            sum += full[i * c + j] * full[j * c + i] / sqrt(value[i] * value[j]);
    return sum;
}

nnd_status nnd_cka_outputs(nnd_context *ctx, size_t c, const double *cross, const double *self,
                           const double *self_identity, double *cka) {
    double *vector = calloc(c * c, sizeof *vector), *value = calloc(c, sizeof *value);
    double *work = calloc(2 * c * c, sizeof *work);
    nnd_status status = NND_OK;
    if (vector == NULL || value == NULL || work == NULL)
        status = nnd_fail_memory(ctx, "the outputs");
    if (status == NND_OK) {
        cblas_dcopy((int)(c * c), self_identity, 1, vector, 1);
        if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)c, vector, (lapack_int)c,
                          value) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "the overlaps of the outputs have no eigenvalues");
        else if (!(value[0] > 0.0))
            status = nnd_fail(ctx, NND_E_INPUT, "the outputs are linearly dependent");
    }
    if (status == NND_OK)
        *cka = twisted_square(c, cross, vector, value, work) /
               twisted_square(c, self, vector, value, work);
    free(vector);
    free(value);
    free(work);
    return status;
}
