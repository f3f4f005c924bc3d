/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "solvers/feature_contour.h"
#include "solvers/feature_shared.h"

/* Operations of a term of a sum over modes at one frequency, of such sums that Newton's method
 * takes at a node, and of two sums and five kernels of a pair of frequencies, or of a circle. */
static const double TERM = 12.0, SUMS = 5.0, SUM_OF_PAIR = 2.0, PAIR = 200.0, KERNEL = 12.0;
static const double PAIR_ON_CIRCLE = 18.0;

/* Of a response of a mode at a frequency. */
static const double FACTOR = 40.0;

/* Bisections and scans on the real axis: edge, plateau, end. */
static const double REAL_SUMS = 2000.0, REAL_TERM = 6.0;

static double window_flops(const nnd_features *f, double count, bool circle, double times) {
    double modes = (double)f->modes.count, pairs = 2.0 * count * count;
    return SUMS * TERM * modes * count +
           (circle ? PAIR_ON_CIRCLE * count * count
                   : pairs * (PAIR + KERNEL * times + SUM_OF_PAIR * modes));
}

static double shared_flops(const nnd_features *f, double steps) {
    double nodes = 2.0 * steps, modes = (double)f->modes.count;
    return modes * nodes * (SUMS * TERM + 2.0 * (FACTOR + 20.0 * log2(2.0 * nodes + 2.0))) +
           steps * steps;
}

void nnd_feature_cost(const nnd_features *f, const nnd_feature_training *how, size_t times,
                      const double *time, double *bytes, double *flops) {
    double modes = (double)f->modes.count, number = 16.0, most = 0.0;
    *flops = REAL_SUMS * REAL_TERM * modes;
    for (size_t first = 0; first < times;) {
        size_t next = nnd_feature_window(how, times, time, first);
        bool circle;
        double count = (double)nnd_feature_contour_count(how, time[first], time[next - 1], &circle);
        double part = (double)(next - first);
        *flops += 2.0 * window_flops(f, count, circle, part);
        if (how->batch > 0.0)
            *flops += 2.0 * SUMS * TERM * modes * 2.0 * count;
        most = fmax(most, number * count * (circle ? 46.0 : 3.0 * part + 150.0 + 2.0 * modes));
        first = next;
    }
    size_t shared = nnd_feature_shared_times(how, times, time);
    if (how->batch > 0.0 && isinf(f->samples) && shared > 0)
        *flops += shared_flops(f, time[shared - 1]);
    *bytes = most + 24.0 * modes + 2.0 * (double)times * sizeof(nnd_feature_losses);
}
