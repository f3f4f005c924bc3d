/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules by which paired points agree, disagree, or say too little. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#include "core/statistics.h"
#include "validate/compare_impl.h"

static const double TOO_COARSE = 2.0;  /* bands, in units of rtol, that decide nothing */
static const double BAND_LEVEL = 0.05; /* of the simultaneous band */

/* Extrapolation leaves a tenth of what a single size may deviate by. */
double nnd_point_tolerance(double rtol, const nnd_points *p, size_t i) {
    return p->extrapolated[i] ? rtol / 10.0 : rtol;
}

/* How far a point is on the forbidden side; anywhere but at theory for a check of equality. */
static double forbidden(nnd_check_kind check, double difference) {
    bool allowed = (check == NND_CHECK_AT_LEAST && difference >= 0.0) ||
                   (check == NND_CHECK_AT_MOST && difference <= 0.0);
    return allowed ? 0.0 : fabs(difference);
}

/* Beyond the tolerance, in error bars; differences of the size of rounding are none. */
static double z_score(double excess, double se, double tau, double scale) {
    if (excess <= NND_ROUNDING * scale)
        return 0.0;
    return se > 0.0 ? fmax(0.0, excess - tau * scale) / se : INFINITY;
}

/* Relative to a theory that vanishes throughout, any deviation is infinite. */
static double relative(double x, double scale) {
    return scale > 0.0 ? x / scale : x > 0.0 ? INFINITY : 0.0;
}

/* Largest |theory| over the times of each slice, at every point of the slice. */
static void find_scales(nnd_points *p) {
    for (size_t i = 0; i < p->count; i++)
        p->scale[i] = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        size_t t = i / p->t_stride % p->t_length, first = i - t * p->t_stride;
        if (isfinite(p->theory[i]))
            p->scale[first] = fmax(p->scale[first], fabs(p->theory[i]));
    }
    for (size_t i = 0; i < p->count; i++)
        p->scale[i] = p->scale[i - i / p->t_stride % p->t_length * p->t_stride];
}

static bool is_kept(const nnd_points *p, size_t i) {
    return p->columns == 0 || !isnan(p->share[i * p->columns]);
}

void nnd_examine(nnd_check_kind check, double rtol, nnd_points *p, nnd_comparison_row *row) {
    find_scales(p);
    row->max_abs_z = row->max_deviation = NAN;
    for (size_t i = 0; i < p->count; i++) {
        if (!isfinite(p->theory[i]) || !isfinite(p->mc[i]) || isnan(p->se[i])) {
            row->left_out++;
            continue;
        }
        double d = p->mc[i] - p->theory[i], excess = forbidden(check, d);
        double z = z_score(excess, p->error[i], nnd_point_tolerance(rtol, p, i), p->scale[i]);
        p->difference[i] = d;
        p->z[i] = copysign(z, d);
        p->judged[i] = is_kept(p, i);
        row->thinned += !p->judged[i];
        if (!p->judged[i])
            continue;
        row->points++;
        row->max_abs_z = fmax(row->max_abs_z, z);
        row->max_deviation = fmax(row->max_deviation, relative(excess, p->scale[i]));
    }
}

/* Half the width of the band at a point, relative to scale; of a one-sided check what reaches over
 * to the forbidden side. */
static double band_at(nnd_check_kind check, double rtol, double c, const nnd_points *p, size_t i) {
    double reach = c * p->se[i], d = p->difference[i];
    if (check != NND_CHECK_EQUAL && forbidden(check, d) == 0.0)
        reach = fmax(0.0, reach - fabs(d));
    return nnd_point_tolerance(rtol, p, i) + relative(reach, p->scale[i]);
}

/* Medians over the judged points. */
static nnd_status find_medians(nnd_context *ctx, const nnd_candidate *v, double rtol, double c,
                               nnd_comparison_row *row) {
    const nnd_points *p = &v->points;
    nnd_check_kind check = v->pair->check;
    double *band = calloc(3 * row->points + 1, sizeof *band);
    if (band == NULL)
        return nnd_fail_memory(ctx, "a comparison");
    double *deviation = band + row->points, *ratio = deviation + row->points;
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->judged[i]) {
            double tau = nnd_point_tolerance(rtol, p, i), w = band_at(check, rtol, c, p, i);
            band[n] = w;
            deviation[n] = relative(forbidden(check, p->difference[i]), p->scale[i]);
            ratio[n++] = (w - tau) / (TOO_COARSE * rtol - tau);
        }
    row->band = nnd_median(n, band);
    row->median_deviation = nnd_median(n, deviation);
    double wanting = nnd_median(n, ratio);
    row->more_seeds = wanting * wanting;
    free(band);
    return NND_OK;
}

/* The value that a fraction `level` of the draws exceeds, so that what exceeds it has p < level. */
static double upper_quantile(double level, double *draws) {
    size_t rank = (size_t)ceil(level * (NND_DRAWS + 1)) - 1;
    gsl_sort(draws, 1, NND_DRAWS);
    return rank > 0 ? draws[NND_DRAWS - rank] : INFINITY;
}

static double student_tail(double z, double freedom) {
    if (isinf(z))
        return 0.0;
    return 2.0 * (isfinite(freedom) ? gsl_cdf_tdist_Q(z, freedom) : gsl_cdf_ugaussian_Q(z));
}

static double student_quantile(double level, double freedom) {
    return isfinite(freedom) ? gsl_cdf_tdist_Qinv(level / 2.0, freedom)
                             : gsl_cdf_ugaussian_Qinv(level / 2.0);
}

/* One of p points is this far off with at most p times the probability of one. */
static void bonferroni(const nnd_candidate *candidate, double alpha, nnd_comparison *c,
                       double *band_factor) {
    double all = 0.0;
    for (size_t v = 0; v < c->count; v++)
        all += (double)c->row[v].points;
    for (size_t v = 0; v < c->count; v++) {
        nnd_comparison_row *row = &c->row[v];
        double freedom = candidate[v].freedom, points = fmax(1.0, (double)row->points);
        row->p = row->points > 0 ? fmin(1.0, all * student_tail(row->max_abs_z, freedom)) : NAN;
        band_factor[v] = student_quantile(BAND_LEVEL / points, freedom);
        c->critical = fmax(c->critical, student_quantile(alpha / fmax(1.0, all), freedom));
    }
}

/* Step-down (Westfall and Young 1993): the variable with the largest z is held against the maxima
 * over all, the next against those over all but the first, and so on. */
static void step_down(const nnd_candidate *candidate, const size_t *order, nnd_comparison *c,
                      double *largest) {
    for (size_t b = 0; b < NND_DRAWS; b++)
        largest[b] = 0.0;
    for (size_t k = c->count; k-- > 0;) {
        size_t v = order[k], beyond = 0;
        for (size_t b = 0; b < NND_DRAWS; b++) {
            if (c->row[v].points > 0)
                largest[b] = fmax(largest[b], candidate[v].maximum[b]);
            beyond += largest[b] >= c->row[v].max_abs_z;
        }
        c->row[v].p = (double)(1 + beyond) / (NND_DRAWS + 1);
    }
    double before = 0.0;
    for (size_t k = 0; k < c->count; k++) {
        nnd_comparison_row *row = &c->row[order[k]];
        row->p = before = fmax(before, row->p);
        if (row->points == 0)
            row->p = NAN;
    }
}

static nnd_status bootstrap(nnd_context *ctx, const nnd_candidate *candidate, double alpha,
                            nnd_comparison *c, double *band_factor) {
    double *largest = calloc(NND_DRAWS + c->count, sizeof *largest);
    size_t *order = calloc(c->count, sizeof *order);
    nnd_status status = NND_OK;
    if (largest == NULL || order == NULL)
        status = nnd_fail_memory(ctx, "a comparison");
    if (status == NND_OK) {
        double *z = largest + NND_DRAWS;
        for (size_t v = 0; v < c->count; v++)
            z[v] = c->row[v].points > 0 ? -c->row[v].max_abs_z : 0.0;
        gsl_sort_index(order, z, 1, c->count);
        step_down(candidate, order, c, largest);
        c->critical = upper_quantile(alpha, largest);
        for (size_t v = 0; v < c->count; v++)
            band_factor[v] = upper_quantile(BAND_LEVEL, candidate[v].maximum);
    }
    free(largest);
    free(order);
    return status;
}

static size_t count_off(const nnd_points *p, double critical) {
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        n += p->judged[i] && fabs(p->z[i]) > critical;
    return n;
}

static nnd_verdict verdict_of(const nnd_comparison_row *row, const nnd_compare_options *options) {
    if (row->points > 0 && row->p < options->alpha)
        return NND_DISAGREES;
    if (row->points == 0 || row->band > TOO_COARSE * options->rtol)
        return NND_INCONCLUSIVE;
    return NND_AGREES;
}

nnd_status nnd_judge(nnd_context *ctx, const nnd_compare_options *options,
                     const nnd_candidate *candidate, nnd_comparison *comparison) {
    double *band_factor = calloc(comparison->count, sizeof *band_factor);
    if (band_factor == NULL)
        return nnd_fail_memory(ctx, "a comparison");
    nnd_status status = NND_OK;
    if (comparison->pointwise)
        bonferroni(candidate, options->alpha, comparison, band_factor);
    else
        status = bootstrap(ctx, candidate, options->alpha, comparison, band_factor);
    for (size_t v = 0; status == NND_OK && v < comparison->count; v++) {
        nnd_comparison_row *row = &comparison->row[v];
        status = find_medians(ctx, &candidate[v], options->rtol, band_factor[v], row);
        row->off = count_off(&candidate[v].points, comparison->critical);
        row->verdict = verdict_of(row, options);
        if (row->verdict != NND_INCONCLUSIVE || row->points == 0)
            row->more_seeds = NAN;
    }
    free(band_factor);
    return status;
}
