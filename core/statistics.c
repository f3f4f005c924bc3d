/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/statistics.h"

#include <math.h>

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
    centred c = centre(n, x, stride);
    double sum2 = 0.0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        sum2 += deviation(&c, i) * deviation(&c, i);
    return (nnd_estimate){c.shift + c.mean, n > 1 ? sqrt(sum2 / (count * (count - 1.0))) : NAN};
}

/* With p_i = (x_i - mean x)(y_i - mean y), leaving sample i out changes the covariance by
 * -n (p_i - mean p)/((n-1)(n-2)); the mean over i of what is left is the covariance itself. */
nnd_estimate nnd_covariance(size_t n, const double *x, size_t stride_x, const double *y,
                            size_t stride_y) {
    if (n < 2)
        return (nnd_estimate){NAN, NAN};
    centred a = centre(n, x, stride_x), b = centre(n, y, stride_y);
    double count = (double)n, sum = 0.0, sum2 = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += deviation(&a, i) * deviation(&b, i);
    for (size_t i = 0; i < n; i++) {
        double d = deviation(&a, i) * deviation(&b, i) - sum / count;
        sum2 += d * d;
    }
    double value = sum / (count - 1.0);
    if (n < 3)
        return (nnd_estimate){value, NAN};
    return (nnd_estimate){value, sqrt(sum2 * count / (count - 1.0)) / (count - 2.0)};
}

/* What leaving one sample out changes in ratio = sum x/sum y. */
static double ratio_change(double ratio, double sum_y, double x, double y) {
    return (ratio * y - x) / (sum_y - y);
}

nnd_estimate nnd_ratio_of_means(size_t n, const double *x, size_t stride_x, const double *y,
                                size_t stride_y) {
    centred a = centre(n, x, stride_x), b = centre(n, y, stride_y);
    double ratio = (a.shift + a.mean) / (b.shift + b.mean);
    if (n < 2)
        return (nnd_estimate){ratio, NAN};
    double count = (double)n, sum_y = count * (b.shift + b.mean);
    double first = ratio_change(ratio, sum_y, x[0], y[0]), sum = 0.0, sum2 = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += ratio_change(ratio, sum_y, x[i * stride_x], y[i * stride_y]) - first;
    for (size_t i = 0; i < n; i++) {
        double change = ratio_change(ratio, sum_y, x[i * stride_x], y[i * stride_y]);
        sum2 += (change - first - sum / count) * (change - first - sum / count);
    }
    double bias = (count - 1.0) * (first + sum / count);
    return (nnd_estimate){ratio - bias, sqrt(sum2 * (count - 1.0) / count)};
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

/* Intercept and slope are linear in the estimates; their errors follow from the coefficients. The
 * origin of 1/size is put at the most precise estimate: however unequal the weights, nothing
 * cancels. */
nnd_size_fit nnd_fit_inverse_size(size_t n, const double *size, const nnd_estimate *estimate) {
    nnd_size_fit fit = {{NAN, NAN}, {NAN, NAN}};
    if (n == 1)
        fit.intercept = estimate[0];
    size_t equal = 1;
    while (equal < n && size[equal] == size[0])
        equal++;
    if (equal >= n)
        return fit;
    size_t best = most_precise(n, estimate);
    double smallest = best < n ? estimate[best].se : 0.0, origin = 1.0 / size[best % n];
    double sum = 0.0, mean = 0.0, spread = 0.0;
    for (size_t i = 0; i < n; i++) {
        double w = weight(smallest, &estimate[i]);
        sum += w;
        mean += w * (1.0 / size[i] - origin);
    }
    mean /= sum;
    for (size_t i = 0; i < n; i++) {
        double from_mean = 1.0 / size[i] - origin - mean;
        spread += weight(smallest, &estimate[i]) * from_mean * from_mean;
    }
    double value[2] = {0.0, 0.0}, variance[2] = {0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        double w = weight(smallest, &estimate[i]), se = estimate[i].se;
        double on_slope = w * (1.0 / size[i] - origin - mean) / spread;
        const double coefficient[2] = {w / sum - (origin + mean) * on_slope, on_slope};
        for (int k = 0; k < 2; k++) {
            value[k] += coefficient[k] * estimate[i].value;
            variance[k] += coefficient[k] * coefficient[k] * se * se;
        }
    }
    fit.intercept = (nnd_estimate){value[0], sqrt(variance[0])};
    fit.slope = (nnd_estimate){value[1], sqrt(variance[1])};
    return fit;
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
