/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many seeds there are, and how well the error bars are known. */
#include <math.h>
#include <stdlib.h>

#include "core/statistics.h"
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

/* Degrees of freedom of the error bar of one size; with influences those of the groups. */
static double freedom_of_size(const nnd_comparison *c, const nnd_simulated *simulated, size_t s) {
    double seeds = c->seeds[s];
    if (simulated->influence != NULL) {
        seeds -= largest_at(simulated->influence, NND_CONTROLS, c->sizes, s);
        seeds = fmin(seeds, (double)length_of(simulated->influence, NND_GROUP));
    }
    return seeds > 0.0 ? fmax(1.0, seeds - 1.0) : INFINITY;
}

/* What the error bar of a point is made of. */
typedef struct {
    size_t sizes;
    double *freedom; /* of each size */
    double of_theory;
} sources;

/* The variance of a sum of independent estimates, V = sum V_s, each with nu_s degrees of freedom,
 * has V^2/sum(V_s^2/nu_s) of them (Welch and Satterthwaite). Without shares the parts of the sizes
 * are not known: then it is the least of theirs. */
static double freedom_of_point(const nnd_points *p, size_t i, const sources *from) {
    double theory = p->theory_se[i] * p->theory_se[i], all = p->se[i] * p->se[i];
    double sum = theory * theory / from->of_theory, simulated = all - theory, least = INFINITY;
    size_t groups = p->columns / from->sizes;
    for (size_t s = 0; s < from->sizes; s++) {
        double variance = 0.0;
        for (size_t g = 0; g < groups; g++) {
            double share = p->share[i * p->columns + s * groups + g];
            variance += share * share;
        }
        sum += variance * variance / from->freedom[s];
        least = fmin(least, from->freedom[s]);
    }
    if (p->columns == 0)
        sum += simulated * simulated / least;
    return sum > 0.0 ? all * all / sum : INFINITY;
}

static nnd_status median_freedom(nnd_context *ctx, const nnd_points *p, const sources *from,
                                 double *freedom) {
    double *of_point = calloc(p->count + 1, sizeof *of_point);
    size_t n = 0;
    if (of_point == NULL)
        return nnd_fail_memory(ctx, "a comparison");
    for (size_t i = 0; i < p->count; i++)
        if (p->judged[i] && p->se[i] > 0.0)
            of_point[n++] = freedom_of_point(p, i, from);
    *freedom = n > 0 ? fmax(1.0, nnd_median(n, of_point)) : INFINITY;
    free(of_point);
    return NND_OK;
}

nnd_status nnd_find_freedom(const nnd_choice *c, const nnd_simulated *simulated,
                            const nnd_comparison *comparison, nnd_candidate *v) {
    const nnd_attribute *replicates = nnd_frame_find_attribute(c->theory, NULL, "replicates");
    sources from = {
        .sizes = comparison->sizes,
        .freedom = calloc(comparison->sizes, sizeof(double)),
        .of_theory = replicates != NULL ? fmax(1.0, replicates->number - 1.0) : INFINITY,
    };
    if (from.freedom == NULL)
        return nnd_fail_memory(c->ctx, "a comparison");
    for (size_t s = 0; s < from.sizes; s++)
        from.freedom[s] = freedom_of_size(comparison, simulated, s);
    nnd_status status = median_freedom(c->ctx, &v->points, &from, &v->freedom);
    free(from.freedom);
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
