/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bulk of a matrix, what stands out of it, and how far it is from the law (spectrum.md#s3). */
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/solvers/tracy_widom.h"
#include "solvers/spectrum_bulk.h"
#include "solvers/spectrum_impl.h"
#include "solvers/spectrum_null.h"

/* The average over the error of the fit, by nodes 0, +-h, ... of the trapezoidal rule: exact to
 * 1e-9 for what varies no faster than the law of Tracy and Widom does over a fit's error. */
enum { BLUR_NODES = 6 };
static const double BLUR_STEP = 0.9;

/* A singular value below this share of the largest is 0 to rounding. */
static const double ROUNDING = 1e-12;

/* Farther out than this no p-value is told from 0. */
static const double FAR = 60.0;

/* The middle of the singular values that are left without k outliers, and its error, which is 0 if
 * they are known. */
static nnd_spectrum_estimate middle(const nnd_analysis *a, size_t k) {
    const nnd_spectrum *out = a->out;
    size_t left = out->count - k;
    if (out->known < out->count)
        return nnd_analysis_quantile(out, 0.5 * (double)left / (double)out->count);
    return (nnd_spectrum_estimate){nnd_middle(left, out->singular + k), 0.0};
}

/* NaN if too little is left: few singular values, or none that is not 0 to rounding. */
static nnd_spectrum_estimate fit_median(const nnd_analysis *a, size_t k) {
    size_t left = a->out->count - k;
    nnd_spectrum_estimate found = {NAN, NAN};
    if (left >= NND_BULK_LEAST)
        found = middle(a, k);
    if (!(found.value > ROUNDING * a->out->singular[0]))
        return (nnd_spectrum_estimate){NAN, NAN};
    nnd_bulk_median m = nnd_bulk_median_of(a->tall - k, left);
    double sd = found.value / m.median;
    return (nnd_spectrum_estimate){sd, hypot(sd * m.error, found.se / m.median)};
}

/* (8): the mean of the tail at x + delta g. */
static double blurred_tail(double x, double delta) {
    double sum = 0.0, mass = 0.0;
    if (x > FAR + BLUR_NODES * BLUR_STEP * delta)
        return 0.0;
    for (int i = -BLUR_NODES; i <= BLUR_NODES; i++) {
        double g = BLUR_STEP * i, weight = exp(-0.5 * g * g);
        sum += weight * nnd_tracy_widom_tail(1, x + delta * g);
        mass += weight;
    }
    return sum / mass;
}

/* Of singular value k (from 0) beside the bulk without it and those before. The fit moves with the
 * edge, which takes 2 delta times their covariance off the variance. */
static double p_value(const nnd_analysis *a, size_t k, nnd_spectrum_estimate sd) {
    size_t tall = a->tall - k, count = a->out->count - k;
    nnd_mp_edge edge = nnd_mp_largest(tall, count);
    nnd_bulk_median m = nnd_bulk_median_of(tall, count);
    double s = a->out->singular[k] / sd.value, unit = 2.0 * edge.centre / edge.scale;
    double x = (s * s - edge.centre) / edge.scale, delta = unit * sd.se / sd.value;
    double together = m.pull * sqrt(edge.scale / sqrt((double)tall * (double)count));
    double variance = delta * delta - 2.0 * unit * m.error * together;
    return blurred_tail(x, sqrt(fmax(0.0, variance)));
}

/* One after the other, the largest first; each leaves a bulk to fit again. */
static nnd_status find_outliers(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    size_t most = out->known < out->count ? out->known - 1 : out->count / 2;
    out->p_value = calloc(most + 1, sizeof *out->p_value);
    if (out->p_value == NULL)
        return nnd_fail_memory(a->ctx, "outliers");
    out->bulk.entry_sd = fit_median(a, 0);
    while (out->bulk.entry_sd.value > 0.0) {
        double p = p_value(a, out->outliers, out->bulk.entry_sd);
        nnd_spectrum_estimate next = fit_median(a, out->outliers + 1);
        out->p_value[out->tested++] = p;
        if (!(p <= a->options->level) || out->tested > most || !(next.value > 0.0))
            break;
        out->outliers++;
        out->bulk.entry_sd = next;
    }
    return NND_OK;
}

/* Mean and width of a singular value whose square is (centre + sign scale x) sd^2. */
static void extreme(nnd_mp_edge edge, double sign, double sd, double *mean, double *width) {
    *mean = sd * sqrt(edge.centre + sign * edge.scale * nnd_tracy_widom_mean(1));
    *width = sd * sd * edge.scale * nnd_tracy_widom_sd(1) / (2.0 * *mean);
}

static void describe_edges(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    nnd_spectrum_bulk *b = &out->bulk;
    size_t k = out->outliers, tall = a->tall - k, count = out->count - k;
    double sd = b->entry_sd.value;
    b->lower = sd * (sqrt((double)tall) - sqrt((double)count));
    b->upper = sd * (sqrt((double)tall) + sqrt((double)count));
    extreme(nnd_mp_largest(tall, count), 1.0, sd, &b->upper_mean, &b->upper_sd);
    extreme(nnd_mp_smallest(tall, count), -1.0, sd, &b->lower_mean, &b->lower_sd);
    b->edge = out->singular[k];
}

nnd_status nnd_analysis_fit(nnd_analysis *a) {
    nnd_status status = find_outliers(a);
    if (status == NND_OK && a->out->bulk.entry_sd.value > 0.0)
        describe_edges(a);
    return status;
}

/* ---- distances ---- */

/* As nnd_bulk_excess, of count descending singular values with entries of standard deviation sd. */
static double excess(size_t tall, size_t count, const double *descending, double sd) {
    double level[NND_BULK_LEVELS];
    size_t below[NND_BULK_LEVELS], at = count;
    nnd_bulk_levels(tall, count, level);
    for (size_t j = 0; j < NND_BULK_LEVELS; j++) {
        while (at > 0 && descending[at - 1] < sd * level[j])
            at--;
        below[j] = count - at;
    }
    return nnd_bulk_excess(count, below);
}

/* The same, largest, of an estimated law whose top k are outliers. */
static double law_distance(const nnd_analysis *a, size_t k, double sd) {
    const nnd_spectrum *out = a->out;
    double left = (double)(out->count - k), largest = 0.0;
    for (size_t i = 0; i < out->law_count; i++) {
        double s = out->law_at[i] / sd;
        double share = fmin(1.0, out->law_share[i] * (double)out->count / left);
        double law = nnd_bulk_share(a->tall - k, out->count - k, s * s);
        largest = fmax(largest, fabs(share - law));
    }
    return largest;
}

/* Distance from the law with entries of standard deviation sd, without k outliers, and its p-value
 * by the null law. */
static void measure(const nnd_analysis *a, size_t k, double sd, size_t draws, const double *null,
                    double *distance, double *p) {
    const nnd_spectrum *out = a->out;
    size_t left = out->count - k;
    if (out->known < out->count) {
        *distance = law_distance(a, k, sd);
        return;
    }
    *distance = nnd_bulk_distance(a->tall - k, left, out->singular + k, sd);
    *p = nnd_null_share(draws, null, excess(a->tall - k, left, out->singular + k, sd));
}

nnd_status nnd_analysis_distances(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    double fitted = out->bulk.entry_sd.value, init = a->options->init_sd;
    const nnd_spectrum_null *null = a->options->null;
    nnd_spectrum_null own = {0};
    nnd_status status = NND_OK;
    if (out->count < NND_BULK_LEAST || !(fitted > 0.0 || init > 0.0))
        return NND_OK;
    if (null == NULL && out->known == out->count)
        status = nnd_spectrum_null_make(a->ctx, a->rows, a->cols, a->options->draws,
                                        a->options->seed, &own);
    if (status != NND_OK)
        return status;
    null = null != NULL ? null : &own;
    if (fitted > 0.0)
        measure(a, out->outliers, fitted, null->draws, null->fitted, &out->bulk.ks,
                &out->bulk.ks_p);
    if (init > 0.0)
        measure(a, 0, init, null->draws, null->known, &out->init_ks, &out->init_ks_p);
    nnd_spectrum_null_clear(&own);
    return NND_OK;
}
