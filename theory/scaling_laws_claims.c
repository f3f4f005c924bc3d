/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/scaling_laws_claims.h"

#include <math.h>

/* The part of a value that a correction of finite size may be: of the default tolerance of
 * comparisons, 2 %, it must leave the noise a good part. */
static const double NEGLIGIBLE = 0.0125;

/* Corrections as simulations show them, at most: 0.3/N of few projections or samples, divided by
 * the part of both that is free; of batches that are described to leading order 0.5/B, as long as
 * steps go that far. */
static const double OF_SIZE = 0.3, OF_BATCH = 0.5;

/* Less of it is free: losses of single students have no finite variance, or a large one. */
static const double LEAST_FREE = 0.05;

static double degrees_of_freedom(const nnd_features *f, double ridge) {
    double kappa = nnd_kappa(&f->modes, fmin(f->samples, f->width), 0.0, ridge), df = 0.0;
    for (size_t i = 0; i < f->modes.count; i++)
        df += f->modes.multiplicity[i] * f->modes.eigenvalue[i] / (f->modes.eigenvalue[i] + kappa);
    return df;
}

/* Fresh batches are described exactly unless the limit of large ones is asked for. */
static double of_batches(const nnd_scaling_problem *x) {
    if (x->how.batch == 0.0 || (isinf(x->features.samples) && !x->how.large_batch))
        return 0.0;
    double largest = 0.0;
    for (size_t i = 0; i < x->features.modes.count; i++)
        largest = fmax(largest, x->features.modes.eigenvalue[i]);
    return fmin(1.0, x->how.lr * largest) * OF_BATCH / x->how.batch;
}

nnd_scaling_claims nnd_scaling_claims_at(const nnd_scaling_problem *x, double ridge) {
    const nnd_features *f = &x->features;
    double free = 1.0, least = fmin(f->samples, f->width);
    if (isfinite(f->samples) && isfinite(f->width)) {
        double df = degrees_of_freedom(f, ridge);
        free -= df / f->samples * df / f->width;
    }
    return (nnd_scaling_claims){OF_SIZE / least / fmax(free, LEAST_FREE) + of_batches(x),
                                free < LEAST_FREE};
}

bool nnd_scaling_vanishes(const nnd_scaling_problem *x, bool training_set) {
    const nnd_features *f = &x->features;
    double least = fmin(f->samples, f->width);
    bool all = f->label_noise == 0.0 && isfinite(least) && least >= nnd_feature_dimension(f);
    return all || (training_set && isfinite(f->samples) && f->samples <= f->width &&
                   f->samples < nnd_feature_dimension(f));
}

bool nnd_scaling_lacks_shared_terms(const nnd_scaling_problem *x) {
    return x->how.batch > 0.0 && isinf(x->features.samples) && !x->how.large_batch &&
           OF_BATCH / x->how.batch > NEGLIGIBLE;
}

double nnd_scaling_claim(double correction, double value) {
    if (correction == 0.0)
        return 0.0;
    return isinf(value) ? INFINITY : fabs(correction / value) / NEGLIGIBLE;
}
