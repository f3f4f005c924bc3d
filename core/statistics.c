/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/statistics.h"

#include <math.h>
#include <stdbool.h>

#include <gsl/gsl_sort.h>

/* Deviations from the mean are formed as (x - shift) - mean with the first sample as shift: no
 * cancellation when the mean is large, and exactly zero when all samples are equal. */
typedef struct {
    const double *x;
    size_t stride;
    double shift, mean;
} centred;

static centred centre(size_t n, const double *x, size_t stride) {
    centred c = {x, stride, n > 0 ? x[0] : NAN, 0.0};
    double sum = 0.0, rest = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i * stride] - c.shift;
    c.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        rest += x[i * stride] - c.shift - c.mean;
    c.mean += rest / (double)n;
    return c;
}

static double deviation(const centred *c, size_t i) {
    return c->x[i * c->stride] - c->shift - c->mean;
}

nnd_estimate nnd_mean(size_t n, const double *x, size_t stride) {
    return nnd_mean_shares(n, x, stride, NULL);
}

/* Leaving sample i out changes the mean by -(x_i - mean x)/(n-1). */
nnd_estimate nnd_mean_shares(size_t n, const double *x, size_t stride, double *share) {
    centred c = centre(n, x, stride);
    double sum2 = 0.0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        sum2 += deviation(&c, i) * deviation(&c, i);
    for (size_t i = 0; share != NULL && i < n; i++)
        share[i] = n > 1 ? deviation(&c, i) / sqrt(count * (count - 1.0)) : NAN;
    return (nnd_estimate){c.shift + c.mean, n > 1 ? sqrt(sum2 / (count * (count - 1.0))) : NAN};
}

/* With p_i = (x_i - mean x)(y_i - mean y), leaving sample i out changes the covariance by
 * -n (p_i - mean p)/((n-1)(n-2)); the mean over i of what is left is the covariance itself. */
nnd_estimate nnd_covariance(size_t n, const double *x, const double *y, double *share) {
    centred a = centre(n, x, 1), b = centre(n, y, 1);
    double count = (double)n, sum = 0.0, sum2 = 0.0;
    double factor = n > 2 ? sqrt(count / (count - 1.0)) / (count - 2.0) : NAN;
    for (size_t i = 0; i < n; i++)
        sum += deviation(&a, i) * deviation(&b, i);
    for (size_t i = 0; i < n; i++) {
        double d = deviation(&a, i) * deviation(&b, i) - sum / count;
        sum2 += d * d;
        if (share != NULL)
            share[i] = factor * d;
    }
    if (n < 2)
        return (nnd_estimate){NAN, NAN};
    return (nnd_estimate){sum / (count - 1.0), factor * sqrt(sum2)};
}

/* The mean of x_i x_j over pairs is m^2 - D/(n(n-1)) with D = sum_i d_i^2; leaving sample i out
 * changes it by -(2/(n-1)) (m d_i - (d_i^2 - D/n)/(n-2)), and the mean over i of what is left is
 * itself. */
nnd_estimate nnd_square_of_mean(size_t n, const double *x, double *share) {
    centred c = centre(n, x, 1);
    double count = (double)n, mean = c.shift + c.mean, sum = 0.0, sum2 = 0.0;
    double factor = n > 2 ? 2.0 / sqrt(count * (count - 1.0)) : NAN;
    for (size_t i = 0; i < n; i++)
        sum += deviation(&c, i) * deviation(&c, i);
    for (size_t i = 0; i < n; i++) {
        double d = deviation(&c, i), s = mean * d - (d * d - sum / count) / (count - 2.0);
        sum2 += s * s;
        if (share != NULL)
            share[i] = factor * s;
    }
    if (n < 2)
        return (nnd_estimate){NAN, NAN};
    return (nnd_estimate){mean * mean - sum / (count * (count - 1.0)), factor * sqrt(sum2)};
}

/* What leaving one sample out changes in ratio = sum x/sum y. */
static double ratio_change(double ratio, double sum_y, double x, double y) {
    return (ratio * y - x) / (sum_y - y);
}

nnd_estimate nnd_ratio_of_means(size_t n, const double *x, const double *y, double *share) {
    centred a = centre(n, x, 1), b = centre(n, y, 1);
    double ratio = (a.shift + a.mean) / (b.shift + b.mean);
    double count = (double)n, sum_y = count * (b.shift + b.mean);
    double first = ratio_change(ratio, sum_y, x[0], y[0]), sum = 0.0, sum2 = 0.0;
    double factor = n > 1 ? sqrt((count - 1.0) / count) : NAN;
    for (size_t i = 0; i < n; i++)
        sum += ratio_change(ratio, sum_y, x[i], y[i]) - first;
    for (size_t i = 0; i < n; i++) {
        double change = ratio_change(ratio, sum_y, x[i], y[i]) - first - sum / count;
        sum2 += change * change;
        if (share != NULL)
            share[i] = -factor * change;
    }
    double bias = n > 1 ? (count - 1.0) * (first + sum / count) : 0.0;
    return (nnd_estimate){ratio - bias, factor * sqrt(sum2)};
}

/* Relative to the most precise estimate; 1 without one (smallest = 0). */
static double weight(double smallest, const nnd_estimate *estimate) {
    double w = smallest / estimate->se;
    return smallest > 0.0 ? w * w : 1.0;
}

/* The estimate with the smallest standard error; n if they are not all positive and finite, so that
 * weights cannot be had. */
static size_t most_precise(size_t n, const nnd_estimate *estimate) {
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(estimate[i].se > 0.0) || isinf(estimate[i].se))
            return n;
        if (estimate[i].se < estimate[best].se)
            best = i;
    }
    return best;
}

/* The coefficients of the estimates in intercept and slope of a weighted fit. The origin of 1/size
 * is put at the most precise estimate: however unequal the weights, nothing cancels. */
typedef struct {
    double smallest, origin, sum, mean, spread;
} fit_moments;

static fit_moments find_moments(size_t n, const double *size, const nnd_estimate *estimate) {
    size_t best = most_precise(n, estimate);
    fit_moments m = {best < n ? estimate[best].se : 0.0, 1.0 / size[best % n], 0.0, 0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        double w = weight(m.smallest, &estimate[i]);
        m.sum += w;
        m.mean += w * (1.0 / size[i] - m.origin);
    }
    m.mean /= m.sum;
    for (size_t i = 0; i < n; i++) {
        double from_mean = 1.0 / size[i] - m.origin - m.mean;
        m.spread += weight(m.smallest, &estimate[i]) * from_mean * from_mean;
    }
    return m;
}

static void add_weighted(nnd_estimate *sum, double coefficient, const nnd_estimate *term) {
    sum->value += coefficient * term->value;
    sum->se += coefficient * coefficient * term->se * term->se;
}

nnd_size_fit nnd_fit_inverse_size(size_t n, const double *size, const nnd_estimate *estimate,
                                  double *intercept, double *slope) {
    nnd_size_fit fit = {{NAN, NAN}, {NAN, NAN}};
    for (size_t i = 0; i < n; i++) {
        if (intercept != NULL)
            intercept[i] = n == 1 ? 1.0 : NAN;
        if (slope != NULL)
            slope[i] = NAN;
    }
    if (n == 1)
        fit.intercept = estimate[0];
    size_t equal = 1;
    while (equal < n && size[equal] == size[0])
        equal++;
    if (equal >= n)
        return fit;
    fit_moments m = find_moments(n, size, estimate);
    fit = (nnd_size_fit){{0.0, 0.0}, {0.0, 0.0}};
    for (size_t i = 0; i < n; i++) {
        double w = weight(m.smallest, &estimate[i]);
        double on_slope = w * (1.0 / size[i] - m.origin - m.mean) / m.spread;
        double on_intercept = w / m.sum - (m.origin + m.mean) * on_slope;
        add_weighted(&fit.intercept, on_intercept, &estimate[i]);
        add_weighted(&fit.slope, on_slope, &estimate[i]);
        if (intercept != NULL)
            intercept[i] = on_intercept;
        if (slope != NULL)
            slope[i] = on_slope;
    }
    fit.intercept.se = sqrt(fit.intercept.se);
    fit.slope.se = sqrt(fit.slope.se);
    return fit;
}

/* Inverse of a symmetric matrix by cofactors; false if it is singular to rounding. */
static bool invert3(double m[3][3], double inverse[3][3]) {
    double determinant = 0.0, scale = fabs(m[0][0] * m[1][1] * m[2][2]);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            size_t a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
            inverse[j][i] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
        }
    for (size_t j = 0; j < 3; j++)
        determinant += m[0][j] * inverse[j][0];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            inverse[i][j] /= determinant;
    return fabs(determinant) > 1e-13 * scale;
}

/* Sizes are in units of the smallest one, so that powers of their inverses are of order 1. */
nnd_square_fit nnd_fit_inverse_square(size_t n, const double *size, const nnd_estimate *estimate) {
    const nnd_estimate none = {NAN, NAN};
    double m[3][3] = {{0.0}}, v[3] = {0.0}, inverse[3][3], unit = INFINITY;
    for (size_t i = 0; i < n; i++)
        unit = fmin(unit, size[i]);
    for (size_t i = 0; i < n; i++) {
        double u = unit / size[i], power[] = {1.0, u, u * u};
        double w = 1.0 / (estimate[i].se * estimate[i].se);
        for (size_t j = 0; j < 3; j++) {
            v[j] += w * power[j] * estimate[i].value;
            for (size_t k = 0; k < 3; k++)
                m[j][k] += w * power[j] * power[k];
        }
    }
    if (n < 3 || !isfinite(m[0][0]) || !isfinite(v[0]) || !invert3(m, inverse))
        return (nnd_square_fit){none, none, none};
    nnd_estimate fit[3];
    for (size_t j = 0; j < 3; j++)
        fit[j] =
            (nnd_estimate){pow(unit, (double)j) *
                               (inverse[j][0] * v[0] + inverse[j][1] * v[1] + inverse[j][2] * v[2]),
                           pow(unit, (double)j) * sqrt(inverse[j][j])};
    return (nnd_square_fit){fit[0], fit[1], fit[2]};
}

double nnd_median(size_t n, double *x) {
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return NAN;
    if (n == 0)
        return NAN;
    gsl_sort(x, 1, n);
    return n % 2 == 1 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}
