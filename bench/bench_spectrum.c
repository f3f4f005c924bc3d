/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_spectrum.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "core/rng.h"
#include "nndmft/solvers/kpm.h"
#include "nndmft/solvers/spectrum.h"
#include "nndmft/solvers/tracy_widom.h"

enum { REPEATS = 3 };

static double *gaussian(size_t n) {
    double *x = calloc(n * n, sizeof *x);
    nnd_rng_normals((nnd_rng_key){1, 0, n}, 0, 0, n * n, x);
    cblas_dscal((int)(n * n), 1.0 / sqrt((double)n), x, 1);
    return x;
}

/* Two products with the matrix give two moments of 16 probes; a tenth of 1000 moments is timed. */
static void kernel_polynomials(nnd_context *ctx, size_t n, double dgemm) {
    enum { MOMENTS = 100, PROBES = 16 };
    double *x = gaussian(n), best = INFINITY;
    nnd_gram gram = {n, n, x};
    nnd_kpm_task task = {n, nnd_gram_apply, &gram, 0.0, 4.3, MOMENTS, PROBES, 1};
    for (int r = 0; r < REPEATS; r++) {
        nnd_kpm kpm;
        double began = bench_seconds();
        require(ctx, nnd_kpm_run(ctx, &task, &kpm));
        best = fmin(best, bench_seconds() - began);
        nnd_kpm_clear(&kpm);
    }
    double adds = 2.0 * (double)n * (double)n * PROBES * MOMENTS / 2.0;
    printf("KPM, %zu x %zu, %d probes: %8.3g s for 1000 moments  %3.0f %% of dgemm n = 1000\n", n,
           n, PROBES, best * 1000.0 / MOMENTS, 100.0 * adds / best / dgemm);
    free(x);
}

/* One of many matrices of a shape, which share the null laws of the distances. */
static void analysis(nnd_context *ctx, size_t n) {
    double *x = gaussian(n), *copy = malloc(n * n * sizeof *copy), *s = calloc(n, sizeof *s);
    double best = INFINITY, lapack = INFINITY, unused[1];
    nnd_spectrum_options options = nnd_spectrum_defaults();
    nnd_spectrum_null null;
    double start = bench_seconds();
    require(ctx, nnd_spectrum_null_make(ctx, n, n, options.draws, options.seed, &null));
    double sampling = bench_seconds() - start;
    options.null = &null;
    for (int r = 0; r < REPEATS; r++) {
        nnd_spectrum spectrum;
        double began = bench_seconds();
        require(ctx, nnd_spectrum_analyse(ctx, n, n, x, &options, &spectrum));
        best = fmin(best, bench_seconds() - began);
        nnd_spectrum_clear(&spectrum);
        memcpy(copy, x, n * n * sizeof *copy);
        began = bench_seconds();
        if (LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (int)n, (int)n, copy, (int)n, s, unused, (int)n,
                           unused, (int)n) != 0)
            exit(EXIT_FAILURE);
        lapack = fmin(lapack, bench_seconds() - began);
    }
    printf(
        "analysis of a %zu x %zu matrix: %8.3g s, of which LAPACK alone takes %.0f %%; null laws, "
        "once for a shape: %.3g s\n",
        n, n, best, 100.0 * lapack / best, sampling);
    nnd_spectrum_null_clear(&null);
    free(x);
    free(copy);
    free(s);
}

void bench_spectrum(void) {
    nnd_context_options one = {.threads = 1};
    nnd_context *ctx = nnd_context_new(&one);
    kernel_polynomials(ctx, 4000, bench_dgemm(1000));
    analysis(ctx, 1000);
    double began = bench_seconds(), sum = 0.0;
    for (int i = 0; i < 100; i++)
        sum += nnd_tracy_widom_cdf(1, -3.0 + 0.05 * i);
    printf("law of Tracy and Widom: %8.3g s for a probability (mean %.3g)\n",
           (bench_seconds() - began) / 100.0, sum / 100.0);
    nnd_context_free(ctx);
}
