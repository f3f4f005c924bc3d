/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * p-values of the analysis of a matrix are uniform where there is nothing but independent Gaussian
 * entries: of the distances from the law, fitted and known, over 400 matrices of each shape, and of
 * the largest singular value, over 3000. The test of Kolmogorov and Smirnov at 1e-4.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gsl/gsl_sort.h>

#include "core/rng.h"
#include "nndmft/solvers/spectrum.h"

enum { COUNT = 3000, JUDGED = 400, KINDS = 3, DRAWS = 99 };
static const char *const KIND[KINDS] = {"distance, fitted", "distance, known", "largest"};

/* sqrt(-log(1e-4/2)/2) over the root of the sample, and the steps of p-values from draws; the law
 * of the largest holds to the order n^(-2/3) (Ma 2012). */
static double allowed(int kind, size_t count) {
    double n = (double)count;
    return kind < 2 ? 2.23 / sqrt(JUDGED) + 1.0 / (DRAWS + 1)
                    : 2.23 / sqrt(COUNT) + pow(n, -2.0 / 3.0);
}

static double distance_from_uniform(size_t count, double *p) {
    double largest = 0.0, step = 1.0 / (double)count;
    gsl_sort(p, 1, count);
    for (size_t i = 0; i < count; i++)
        largest =
            fmax(largest, fmax(fabs(p[i] - (double)i * step), fabs(p[i] - (double)(i + 1) * step)));
    return largest;
}

static nnd_status analyse(nnd_context *ctx, size_t rows, size_t cols, size_t seed, double *p) {
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum s;
    double *x = calloc(rows * cols, sizeof *x);
    nnd_rng_normals((nnd_rng_key){seed, 21, rows}, 0, 0, rows * cols, x);
    o.init_sd = 1.0;
    o.draws = seed <= JUDGED ? DRAWS : 0;
    o.seed = seed;
    o.level = 1e-9;
    nnd_status status = nnd_spectrum_analyse(ctx, rows, cols, x, &o, &s);
    if (status == NND_OK) {
        p[0] = s.bulk.ks_p;
        p[COUNT] = s.init_ks_p;
        p[2 * COUNT] = s.p_value[0];
        nnd_spectrum_clear(&s);
    }
    free(x);
    return status;
}

int main(void) {
    static const size_t SHAPE[][2] = {{40, 40}, {30, 90}, {120, 100}};
    nnd_context *ctx = nnd_context_new(NULL);
    double *p = calloc(KINDS * COUNT, sizeof *p);
    int failed = 0;
    for (size_t shape = 0; shape < 3; shape++) {
        size_t rows = SHAPE[shape][0], cols = SHAPE[shape][1];
        for (size_t k = 0; k < COUNT; k++)
            if (analyse(ctx, rows, cols, k + 1, p + k) != NND_OK)
                return EXIT_FAILURE;
        for (int kind = 0; kind < KINDS; kind++) {
            double found = distance_from_uniform(kind < 2 ? JUDGED : COUNT, p + kind * COUNT);
            double most = allowed(kind, rows < cols ? rows : cols);
            printf("%zu x %zu, %s: %.4f from uniform, allowed %.4f\n", rows, cols, KIND[kind],
                   found, most);
            failed += !(found <= most);
        }
    }
    free(p);
    nnd_context_free(ctx);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
