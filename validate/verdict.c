/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules by which paired points agree, disagree, or say too little. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/statistics.h"
#include "validate/compare_impl.h"

static const double SIGMAS = 3.0;        /* beyond which a difference is not chance */
static const double EXACT = 1e-9;        /* relative difference that is rounding */
static const double OFF_FRACTION = 0.02; /* of points that may be off: one in 370 is by chance */
static const double TOO_COARSE = 2.0;    /* error bars, in units of rtol, that decide nothing */

/* One point, as far as the verdict goes. For one-sided checks only what lies on the forbidden side
 * is counted, of the difference as of the error bar. */
typedef struct {
    double z;          /* >= 0 */
    double deviation;  /* difference / scale */
    double resolution; /* 3 s.e. / scale */
    bool off;
} judged;

/* Differences of the size of rounding are no differences, however small the error bar. */
static double z_score(double difference, double se, double scale) {
    if (fabs(difference) <= EXACT * scale)
        return 0.0;
    return se > 0.0 ? difference / se : copysign(INFINITY, difference);
}

/* Where theory vanishes throughout the slice there is nothing that a difference could be small
 * against: only z counts, a point deviates either not at all or infinitely, and an error bar
 * decides nothing. */
static judged judge_point(nnd_check_kind check, double rtol, double difference, double se,
                          double scale) {
    double excess = fabs(difference), hidden = SIGMAS * se;
    bool allowed = (check == NND_CHECK_AT_LEAST && difference >= 0.0) ||
                   (check == NND_CHECK_AT_MOST && difference <= 0.0);
    if (allowed) {
        hidden = fmax(0.0, hidden - excess);
        excess = 0.0;
    }
    judged j = {.z = z_score(excess, se, scale)};
    j.off = se > 0.0 ? j.z > SIGMAS && excess > rtol * scale : excess > EXACT * scale;
    j.deviation = scale > 0.0 ? excess / scale : j.off ? INFINITY : 0.0;
    j.resolution = scale > 0.0 ? hidden / scale : hidden > 0.0 ? INFINITY : 0.0;
    return j;
}

/* Largest |theory| over the times of each slice, at every point of the slice. */
static void find_scales(const nnd_points *p, double *scale) {
    for (size_t i = 0; i < p->count; i++) {
        size_t t = i / p->t_stride % p->t_length, first = i - t * p->t_stride;
        if (isfinite(p->theory[i]))
            scale[first] = fmax(scale[first], fabs(p->theory[i]));
    }
    for (size_t i = 0; i < p->count; i++)
        scale[i] = scale[i - i / p->t_stride % p->t_length * p->t_stride];
}

static nnd_verdict verdict_of(const nnd_comparison_row *row, double rtol, double median_z,
                              double median_resolution) {
    double points = (double)row->points;
    if ((double)row->off > fmax(1.0, OFF_FRACTION * points) ||
        (row->median_deviation > rtol && median_z > 1.0))
        return NND_DISAGREES;
    if (row->points == 0 || median_resolution > TOO_COARSE * rtol)
        return NND_INCONCLUSIVE;
    return NND_AGREES;
}

nnd_status nnd_judge(nnd_context *ctx, nnd_check_kind check, double rtol, const nnd_points *points,
                     nnd_comparison_row *row) {
    double *scale = calloc(4 * points->count, sizeof *scale);
    if (scale == NULL)
        return nnd_fail_memory(ctx, "a comparison");
    double *z = scale + points->count, *deviation = z + points->count;
    double *resolution = deviation + points->count;
    size_t n = 0;
    find_scales(points, scale);
    for (size_t i = 0; i < points->count; i++) {
        double theory = points->theory[i], mc = points->mc[i], se = points->se[i];
        if (!isfinite(theory) || !isfinite(mc) || isnan(se)) {
            row->left_out++;
            continue;
        }
        points->difference[i] = mc - theory;
        points->z[i] = z_score(mc - theory, se, scale[i]);
        judged j = judge_point(check, rtol, mc - theory, se, scale[i]);
        row->off += j.off;
        row->max_abs_z = fmax(row->max_abs_z, j.z);
        row->max_deviation = fmax(row->max_deviation, j.deviation);
        z[n] = j.z;
        deviation[n] = j.deviation;
        resolution[n++] = j.resolution;
    }
    row->points = n;
    if (n == 0)
        row->max_abs_z = row->max_deviation = NAN;
    row->median_deviation = nnd_median(n, deviation);
    row->verdict = verdict_of(row, rtol, nnd_median(n, z), nnd_median(n, resolution));
    free(scale);
    return NND_OK;
}
