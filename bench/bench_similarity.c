/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_similarity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "core/rng.h"
#include "nndmft/similarity.h"

enum { N = 1000, WIDTH = 300, REPEATS = 3 };

static double seconds_of(nnd_context *ctx, const nnd_representations *r,
                         const nnd_similarity_options *o) {
    nnd_similarity result[NND_SIMILARITIES];
    double best = INFINITY;
    for (int k = 0; k < REPEATS; k++) {
        double began = bench_seconds();
        require(ctx, nnd_similarity_measure_all(ctx, r, o, result));
        best = fmin(best, bench_seconds() - began);
    }
    return best;
}

/* CKA: three products of WIDTH x N and N x WIDTH for each order of the points. */
static void one_measure(nnd_context *ctx, const nnd_representations *r, int measure, double dgemm) {
    nnd_similarity_options o = nnd_similarity_defaults();
    memset(o.wanted, 0, sizeof o.wanted);
    o.wanted[measure] = true;
    o.resamples = 0;
    o.permutations = 0;
    double first = seconds_of(ctx, r, &o);
    o.permutations = 10;
    double each = (seconds_of(ctx, r, &o) - first) / 10.0;
    printf("%-25s %d points: %8.3g s, another order %8.3g s", nnd_similarity_name(measure), N,
           first, each);
    if (measure == NND_SIMILARITY_CKA)
        printf("  %3.0f %% of dgemm n = 1000", 100.0 * 3.0 * N * WIDTH * WIDTH / each / dgemm);
    putchar('\n');
}

void bench_similarity(void) {
    nnd_context *ctx = nnd_context_new(&(nnd_context_options){.threads = 1});
    double *x[2] = {malloc(sizeof(double) * N * WIDTH), malloc(sizeof(double) * N * WIDTH)};
    double dgemm = bench_dgemm(1000);
    if (ctx == NULL || x[0] == NULL || x[1] == NULL)
        exit(EXIT_FAILURE);
    for (int b = 0; b < 2; b++)
        nnd_rng_normals((nnd_rng_key){1, (uint64_t)b, N}, 0, 0, (size_t)N * WIDTH, x[b]);
    const nnd_representations r = {N, {WIDTH, WIDTH}, {x[0], x[1]}, {NULL, NULL}};
    for (int m = 0; m < NND_SIMILARITIES; m++)
        one_measure(ctx, &r, m, dgemm);
    free(x[0]);
    free(x[1]);
    nnd_context_free(ctx);
}
