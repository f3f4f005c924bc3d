/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large the largest z of a variable is by chance: the multiplier bootstrap. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/streams.h"
#include "validate/compare_impl.h"

enum { BLOCK = 128, WELL_KNOWN = 1000 };

/* No network has this seed and size. */
static nnd_rng_key key_of(uint64_t base_seed) {
    return (nnd_rng_key){base_seed, UINT64_MAX, UINT64_MAX};
}

/* Up to BLOCK judged points: their contributions over their error bars. Returns where to go on. */
static size_t gather(const nnd_points *p, size_t first, size_t *count, size_t *which, double *a) {
    size_t n = 0, i = first;
    for (; i < p->count && n < BLOCK; i++) {
        if (!p->judged[i] || !(p->se[i] > 0.0))
            continue;
        for (size_t k = 0; k < p->columns; k++)
            a[n * p->columns + k] = p->share[i * p->columns + k] / p->se[i];
        which[n++] = i;
    }
    *count = n;
    return i;
}

/* Theory's own error is independent noise at every point: how its points are correlated is not
 * known, and of all correlations none has the larger maxima. */
static void add_theory(const nnd_points *p, uint64_t base_seed, size_t variable, size_t i,
                       double *normal, double *z) {
    if (!(p->theory_se[i] > 0.0))
        return;
    nnd_rng_normals(key_of(base_seed), NND_STREAM_NULL_LAW_THEORY, (uint64_t)variable << 40 | i,
                    NND_DRAWS, normal);
    for (size_t b = 0; b < NND_DRAWS; b++)
        z[b] += p->theory_se[i] / p->se[i] * normal[b];
}

/* The error bar is itself an estimate: its square fluctuates like chi^2 over its freedom. */
static void divide_by_scales(uint64_t base_seed, size_t variable, double freedom_of_error,
                             double *normal, double *maximum) {
    if (freedom_of_error > WELL_KNOWN)
        return;
    size_t freedom = (size_t)freedom_of_error;
    for (size_t b = 0; b < NND_DRAWS; b++) {
        double sum2 = 0.0;
        nnd_rng_normals(key_of(base_seed), NND_STREAM_NULL_LAW_SCALES, (uint64_t)variable << 40 | b,
                        freedom, normal);
        for (size_t k = 0; k < freedom; k++)
            sum2 += normal[k] * normal[k];
        maximum[b] /= sqrt(sum2 / (double)freedom);
    }
}

nnd_status nnd_null_maxima(nnd_context *ctx, uint64_t base_seed, size_t variable, double freedom,
                           const nnd_points *p, double *maximum) {
    size_t columns = p->columns;
    size_t which[BLOCK];
    double *xi = calloc(NND_DRAWS * columns, sizeof *xi);
    double *a = calloc(BLOCK * columns, sizeof *a);
    double *z = calloc(BLOCK * NND_DRAWS, sizeof *z), *normal = calloc(NND_DRAWS, sizeof *normal);
    nnd_status status = NND_OK;
    if (xi == NULL || a == NULL || z == NULL || normal == NULL)
        status = nnd_fail_memory(ctx, "the null law of a comparison");
    for (size_t b = 0; status == NND_OK && b < NND_DRAWS; b++) {
        maximum[b] = 0.0;
        nnd_rng_normals(key_of(base_seed), NND_STREAM_NULL_LAW_GROUPS, b, columns,
                        xi + b * columns);
    }
    for (size_t first = 0, n; status == NND_OK && first < p->count;) {
        first = gather(p, first, &n, which, a);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, NND_DRAWS, (int)columns, 1.0,
                    a, (int)columns, xi, (int)columns, 0.0, z, NND_DRAWS);
        for (size_t k = 0; k < n; k++) {
            add_theory(p, base_seed, variable, which[k], normal, z + k * NND_DRAWS);
            for (size_t b = 0; b < NND_DRAWS; b++)
                maximum[b] = fmax(maximum[b], fabs(z[k * NND_DRAWS + b]));
        }
    }
    if (status == NND_OK)
        divide_by_scales(base_seed, variable, freedom, normal, maximum);
    free(xi);
    free(a);
    free(z);
    free(normal);
    return status;
}
