/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The singular values of a matrix that is too large to decompose (spectrum.md#s6). */
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/kpm.h"
#include "nndmft/solvers/slq.h"
#include "solvers/spectrum_impl.h"

/* Of the largest singular values, far below the width of the edge; the upper end of the spectrum is
 * said to be that much beyond the largest. */
static const double TOLERANCE = 1e-7, MARGIN = 1.02;

/* Points of the law: for each moment, or in all for SLQ. */
enum { CURVE_FACTOR = 4, LAW_POINTS = 2048 };

static nnd_status make_law(nnd_analysis *a, size_t points) {
    nnd_spectrum *out = a->out;
    out->law_at = calloc(3 * points, sizeof(double));
    if (out->law_at == NULL)
        return nnd_fail_memory(a->ctx, "a density");
    out->law_count = points;
    out->law_share = out->law_at + points;
    out->law_share_se = out->law_at + 2 * points;
    return NND_OK;
}

/* In singular values; what noise takes back of a share is made up. What the kernel smooths away is
 * at most what it does with half of the moments besides, which is part of the error. */
static nnd_status kpm_law(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    double top = out->singular[0] * out->singular[0];
    nnd_kpm_task task = {out->count,   nnd_gram_apply,      &a->gram,           0.0,
                         MARGIN * top, a->options->moments, a->options->probes, a->options->seed};
    nnd_kpm kpm;
    nnd_kpm_curve curve = {0}, half = {0};
    nnd_status status = nnd_kpm_run(a->ctx, &task, &kpm);
    if (status != NND_OK)
        return status;
    size_t points = CURVE_FACTOR * task.moments;
    status = nnd_kpm_curve_make(a->ctx, &kpm, task.moments, points, &curve);
    if (status == NND_OK)
        status = nnd_kpm_curve_make(a->ctx, &kpm, task.moments / 2, points, &half);
    if (status == NND_OK)
        status = make_law(a, curve.count);
    for (size_t i = 0; status == NND_OK && i < curve.count; i++) {
        double before = i > 0 ? out->law_share[i - 1] : 0.0;
        out->law_at[i] = sqrt(curve.z[i]);
        out->law_share[i] = fmax(before, fmin(1.0, curve.share[i]));
        out->law_share_se[i] = hypot(curve.share_se[i], curve.share[i] - half.share[i]);
    }
    nnd_kpm_curve_clear(&curve);
    nnd_kpm_curve_clear(&half);
    nnd_kpm_clear(&kpm);
    return status;
}

/* A rule leaves open where within a node's weight its share is (Chebyshev, Markov, Stieltjes): half
 * of a mean weight is part of the error. */
static nnd_status slq_law(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    nnd_slq_task task = {out->count,         nnd_gram_apply_one, &a->gram, a->options->moments / 2,
                         a->options->probes, a->options->seed};
    nnd_slq slq;
    nnd_status status = nnd_slq_run(a->ctx, &task, &slq);
    if (status != NND_OK)
        return status;
    status = make_law(a, LAW_POINTS);
    for (size_t i = 0; status == NND_OK && i < LAW_POINTS; i++) {
        double s = out->singular[0] * (double)(i + 1) / LAW_POINTS, share[2];
        nnd_slq_share(&slq, s * s * (1.0 + 1e-9), share);
        out->law_at[i] = s;
        out->law_share[i] = share[0];
        out->law_share_se[i] = hypot(share[1], 0.5 / (double)slq.steps);
    }
    nnd_slq_clear(&slq);
    return status;
}

nnd_status nnd_analysis_estimate(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    size_t wanted = a->options->vectors + 1;
    out->known = wanted < out->count ? wanted : out->count;
    out->singular = calloc(out->known, sizeof(double));
    if (out->singular == NULL)
        return nnd_fail_memory(a->ctx, "singular values");
    nnd_status status = nnd_analysis_largest(a, out->known, TOLERANCE, out->singular, NULL);
    if (status == NND_OK)
        status = a->options->method == NND_SPECTRUM_KPM ? kpm_law(a) : slq_law(a);
    return status;
}

/* Linear between the points of the law; its error is that of the share over the density. */
nnd_spectrum_estimate nnd_analysis_quantile(const nnd_spectrum *s, double p) {
    size_t i = 1;
    while (i + 1 < s->law_count && s->law_share[i] < p)
        i++;
    double step = s->law_share[i] - s->law_share[i - 1], width = s->law_at[i] - s->law_at[i - 1];
    double slope = step > 0.0 ? width / step : INFINITY;
    double part = step > 0.0 ? (p - s->law_share[i - 1]) / step : 0.5;
    return (nnd_spectrum_estimate){s->law_at[i - 1] + part * width, slope * s->law_share_se[i]};
}

/* Probes and their images in blocks, or a basis; Lanczos for the largest. */
double nnd_analysis_bytes(size_t rows, size_t cols, const nnd_spectrum_options *o) {
    double least = (double)(rows < cols ? rows : cols), most = (double)(rows < cols ? cols : rows);
    double probes = (double)o->probes, steps = (double)o->moments;
    double largest = 510.0 * (least + 510.0) + most;
    double kpm = probes * (3.0 * least + most) + probes * steps * 10.0;
    double slq = fmin(probes, 2.0) * (0.5 * steps + 2.0) * (least + 0.5 * steps) + probes * steps;
    return fmax(largest, o->method == NND_SPECTRUM_KPM ? kpm : slq) + 3.0 * LAW_POINTS;
}
