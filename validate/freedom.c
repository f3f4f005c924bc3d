/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many seeds there are, and how well the error bars are known. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/statistics.h"
#include "validate/compare_impl.h"
#include "validate/reduce.h"
#include "validate/regression.h"

/* Largest value that a scalar of the influences has in a sweep, at the s-th of `sizes` sizes. */
static double largest_at(const nnd_frame *influence, const char *name, size_t sizes, size_t s) {
    const nnd_array *array = nnd_frame_find(influence, name);
    double largest = 0.0;
    for (size_t i = 0; array != NULL && i < array->count; i++)
        if (i % sizes == s)
            largest = fmax(largest, array->data[i]);
    return largest;
}

static size_t length_of(const nnd_frame *frame, const char *name) {
    const nnd_dim *dim = frame != NULL ? nnd_frame_find_dim(frame, name) : NULL;
    return dim != NULL ? dim->length : 1;
}

nnd_status nnd_find_seeds(nnd_context *ctx, const nnd_simulated *simulated,
                          nnd_comparison *comparison) {
    const nnd_frame *influence = simulated->influence;
    size_t sizes = length_of(influence != NULL ? influence : simulated->mc, "size");
    comparison->sizes = sizes;
    comparison->seeds = calloc(sizes, sizeof(double));
    if (comparison->seeds == NULL)
        return nnd_fail_memory(ctx, "a comparison");
    for (size_t s = 0; s < sizes; s++)
        comparison->seeds[s] =
            influence != NULL ? largest_at(influence, NND_SEEDS, sizes, s) : simulated->seeds;
    return NND_OK;
}

/* Degrees of freedom of the error bars of the simulation; with influences those of the groups. */
static double simulated_freedom(const nnd_comparison *c, const nnd_simulated *simulated) {
    double freedom = 0.0;
    for (size_t s = 0; s < c->sizes; s++) {
        double seeds = c->seeds[s];
        if (simulated->influence != NULL) {
            seeds -= largest_at(simulated->influence, NND_CONTROLS, c->sizes, s);
            seeds = fmin(seeds, (double)length_of(simulated->influence, NND_GROUP));
        }
        freedom += seeds > 0.0 ? fmax(1.0, seeds - 1.0) : INFINITY;
    }
    return freedom;
}

/* Median fraction of the variance that is theory's own. */
static nnd_status theory_fraction(nnd_context *ctx, const nnd_points *p, double *fraction) {
    double *ratio = calloc(p->count + 1, sizeof *ratio);
    size_t n = 0;
    if (ratio == NULL)
        return nnd_fail_memory(ctx, "a comparison");
    for (size_t i = 0; i < p->count; i++)
        if (p->judged[i] && p->se[i] > 0.0)
            ratio[n++] = p->theory_se[i] * p->theory_se[i] / (p->se[i] * p->se[i]);
    *fraction = n > 0 ? nnd_median(n, ratio) : 0.0;
    free(ratio);
    return NND_OK;
}

/* Those of both sides together (Welch and Satterthwaite). */
nnd_status nnd_find_freedom(const nnd_choice *c, const nnd_simulated *simulated,
                            const nnd_comparison *comparison, nnd_candidate *v) {
    double freedom = simulated_freedom(comparison, simulated), share = 0.0;
    const nnd_attribute *replicates = nnd_frame_find_attribute(c->theory, NULL, "replicates");
    double of_theory = replicates != NULL ? fmax(1.0, replicates->number - 1.0) : INFINITY;
    nnd_status status = theory_fraction(c->ctx, &v->points, &share);
    v->freedom = 1.0 / ((1.0 - share) * (1.0 - share) / freedom + share * share / of_theory);
    return status;
}

double nnd_least_more_seeds(const nnd_simulated *simulated, const nnd_comparison *c) {
    enum { WITH_ERROR = 3 };
    double most = 0.0;
    for (size_t s = 0; s < c->sizes; s++) {
        double controls = simulated->influence != NULL
                              ? largest_at(simulated->influence, NND_CONTROLS, c->sizes, s)
                              : 0.0;
        double least =
            controls > 0.0 ? (controls + 1.0) * NND_SEEDS_PER_COEFFICIENT : (double)WITH_ERROR;
        most = fmax(most, c->seeds[s] > 0.0 ? least / c->seeds[s] : 0.0);
    }
    return most;
}
