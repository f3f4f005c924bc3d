/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/regression.h"

#include <gsl/gsl_cdf.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Singular values of the standardised columns below this fraction of the largest are rounding. */
static const double DEPENDENT = 1e-8;

/* Means that are less probable than this are no chance, but networks that are not what they should
 * be: regression would hide that. Squares are not normal, and far from their means more often than
 * Student's t says: 6 s.e. and more are asked for. */
static const double IMPLAUSIBLE = 1e-8;

/* Centres the columns, scales them to unit length and drops those that do not vary; keeps of each
 * mean/length. Returns the number of columns left, which stand packed in x (samples x columns). */
static size_t standardise(size_t n, size_t columns, double *x, double *mean) {
    size_t kept = 0;
    double *length = mean + columns;
    for (size_t c = 0; c < columns; c++) {
        double sum = 0.0, largest = 0.0, sum2 = 0.0;
        for (size_t i = 0; i < n; i++) {
            sum += x[i * columns + c];
            largest = fmax(largest, fabs(x[i * columns + c]));
        }
        for (size_t i = 0; i < n; i++) {
            double d = x[i * columns + c] - sum / (double)n;
            sum2 += d * d;
        }
        length[c] = sqrt(sum2);
        mean[c] = sum / (double)n;
        if (!(length[c] > DEPENDENT * largest))
            length[c] = 0.0;
    }
    for (size_t c = 0; c < columns; c++)
        kept += length[c] > 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0, k = 0; c < columns; c++)
            if (length[c] > 0.0)
                x[i * kept + k++] = (x[i * columns + c] - mean[c]) / length[c];
    for (size_t c = 0, k = 0; c < columns; c++)
        if (length[c] > 0.0)
            mean[k++] = mean[c] / length[c];
    return kept;
}

/* Whether means this far from their expectations could be chance, by Student's t for each of the
 * columns: their correlations are those of a sample with large squares in it, too uncertain for a
 * joint test. */
static bool is_plausible(size_t samples, size_t columns, const double *mean) {
    double n = (double)samples, largest = 0.0;
    for (size_t c = 0; c < columns; c++)
        largest = fmax(largest, fabs(mean[c]));
    double t = largest * sqrt(n * (n - 1.0));
    return 2.0 * (double)columns * gsl_cdf_tdist_Q(t, n - 1.0) > IMPLAUSIBLE;
}

/* With C - mean = U S V', the intercept at control 0 has the weights 1/n - U S^-1 V' mean, and the
 * hat matrix the diagonal 1/n + |U_i|^2. */
static nnd_status decompose(nnd_regression *r, size_t kept, double *x, const double *mean,
                            double *s, double *vt) {
    lapack_int n = (lapack_int)r->samples, k = (lapack_int)kept;
    double *superb = vt + kept * kept;
    if (LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'S', 'S', n, k, x, k, s, r->basis, k, vt, k, superb) != 0)
        return NND_NOT_CONVERGED;
    while (r->columns < kept && s[r->columns] > DEPENDENT * s[0])
        r->columns++;
    for (size_t i = 0; i < r->samples; i++)
        r->weight[i] = r->leverage[i] = 1.0 / (double)r->samples;
    for (size_t c = 0; c < r->columns; c++) {
        double on_mean = 0.0;
        for (size_t j = 0; j < kept; j++)
            on_mean += vt[c * kept + j] * mean[j] / s[c];
        for (size_t i = 0; i < r->samples; i++) {
            double u = r->basis[i * kept + c];
            r->weight[i] -= u * on_mean;
            r->leverage[i] += u * u;
        }
    }
    for (size_t i = 0; i < r->samples; i++)
        for (size_t c = 0; c < r->columns; c++)
            r->basis[i * r->columns + c] = r->basis[i * kept + c];
    return NND_OK;
}

/* The rows of the chosen seeds, one after the other. */
static void gather(const nnd_array *control, size_t count, const size_t *chosen, double *x) {
    size_t columns = control->shape[1];
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < columns; c++)
            x[i * columns + c] = control->data[chosen[i] * columns + c];
}

nnd_status nnd_regression_make(nnd_context *ctx, const nnd_frame *seeds, size_t count,
                               const size_t *chosen, nnd_regression *regression) {
    *regression = (nnd_regression){.samples = count};
    const nnd_array *control = nnd_frame_find(seeds, NND_CONTROL);
    if (control == NULL || control->ndims != 2)
        return NND_OK;
    size_t columns = control->shape[1];
    if (count < NND_SEEDS_PER_COEFFICIENT * (columns + 1))
        return NND_OK;
    regression->basis = calloc(count * columns, sizeof(double));
    regression->weight = calloc(2 * count, sizeof(double));
    regression->slope = calloc(columns + 3 * count, sizeof(double));
    double *x = calloc(count * columns + columns * (columns + 4), sizeof *x);
    if (regression->basis == NULL || regression->weight == NULL || regression->slope == NULL ||
        x == NULL) {
        free(x);
        return nnd_fail_memory(ctx, "the control variates");
    }
    regression->leverage = regression->weight + count;
    regression->scratch = regression->slope + columns;
    double *mean = x + count * columns, *s = mean + 2 * columns, *vt = s + columns;
    gather(control, count, chosen, x);
    size_t kept = standardise(count, columns, x, mean);
    nnd_status status = kept > 0 ? decompose(regression, kept, x, mean, s, vt) : NND_OK;
    bool plausible = kept == 0 || is_plausible(count, kept, mean);
    free(x);
    if (status != NND_OK)
        return nnd_fail(ctx, NND_E_FORMAT, "the control variates of the seeds are not finite");
    if (!plausible) {
        nnd_log(ctx, NND_LOG_WARNING,
                "simulation: networks at t = 0 are not what they should be on average (control "
                "variates are off their exact means); control variates are not used");
        regression->columns = 0;
    }
    return NND_OK;
}

void nnd_regression_clear(nnd_regression *regression) {
    free(regression->basis);
    free(regression->weight);
    free(regression->slope);
    *regression = (nnd_regression){0};
}

/* Leaving sample i out changes the intercept by -weight_i r_i/(1 - leverage_i), r the residuals. */
nnd_estimate nnd_regressed_mean(const nnd_regression *r, const double *x, double *share) {
    size_t n = r->samples, columns = r->columns;
    nnd_estimate plain = nnd_mean_shares(n, x, 1, share);
    if (columns == 0 || !(plain.se >= 0.0))
        return plain;
    double factor = sqrt(((double)n - 1.0) / (double)n), value = plain.value, sum2 = 0.0;
    for (size_t c = 0; c < columns; c++)
        r->slope[c] = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < columns; c++)
            r->slope[c] += r->basis[i * columns + c] * (x[i] - plain.value);
    for (size_t i = 0; i < n; i++) {
        double residual = x[i] - plain.value;
        value += r->weight[i] * residual;
        for (size_t c = 0; c < columns; c++)
            residual -= r->basis[i * columns + c] * r->slope[c];
        share[i] = factor * r->weight[i] * residual / (1.0 - r->leverage[i]);
        sum2 += share[i] * share[i];
    }
    return (nnd_estimate){value, sqrt(sum2)};
}

static double product(size_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The intercept of (x - m)(y - k), m and k the regressed means, misses (m - E x)(k - E y), whose
 * expectation is the covariance of the two means. */
nnd_estimate nnd_regressed_covariance(const nnd_regression *r, const double *x, const double *y,
                                      double *share) {
    size_t n = r->samples;
    if (r->columns == 0)
        return nnd_covariance(n, x, y, share);
    double *of_x = r->scratch, *of_y = of_x + n, *p = of_y + n;
    double m = nnd_regressed_mean(r, x, of_x).value, k = nnd_regressed_mean(r, y, of_y).value;
    for (size_t i = 0; i < n; i++)
        p[i] = (x[i] - m) * (y[i] - k);
    nnd_estimate e = nnd_regressed_mean(r, p, share);
    e.value += product(n, of_x, of_y);
    return e;
}

/* m/k has the expectation E x/E y (1 + var k/k^2 - cov(m, k)/(m k)). */
nnd_estimate nnd_regressed_ratio(const nnd_regression *r, const double *x, const double *y,
                                 double *share) {
    size_t n = r->samples;
    if (r->columns == 0)
        return nnd_ratio_of_means(n, x, y, share);
    double *of_x = r->scratch, *of_y = of_x + n, sum2 = 0.0;
    double m = nnd_regressed_mean(r, x, of_x).value, k = nnd_regressed_mean(r, y, of_y).value;
    double ratio = m / k,
           bias = (ratio * product(n, of_y, of_y) - product(n, of_x, of_y)) / (k * k);
    for (size_t i = 0; i < n; i++) {
        share[i] = (of_x[i] - ratio * of_y[i]) / k;
        sum2 += share[i] * share[i];
    }
    return (nnd_estimate){ratio - bias, sqrt(sum2)};
}
