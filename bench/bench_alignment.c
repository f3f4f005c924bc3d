/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alignment of two networks: curves of deterministic equivalents, contour integrals, pairs. */
#include "bench_alignment.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "bench_timer.h"
#include "nndmft/nndmft.h"
#include "nndmft/solvers/equivalent.h"
#include "nndmft/solvers/spectral_rule.h"
#include "nndmft/solvers/uneven_ridge.h"

enum { REPEATS = 3, D = 1000 };

typedef struct {
    double s[D], m[D], b[D];
    nnd_eigenmodes modes;
} law;

static law *power_law(void) {
    law *x = malloc(sizeof *x);
    if (x == NULL)
        exit(EXIT_FAILURE);
    for (int i = 0; i < D; i++) {
        x->s[i] = 1.0 / (i + 1.0);
        x->m[i] = 1.0;
        x->b[i] = 0.1;
    }
    x->modes = (nnd_eigenmodes){D, x->s, x->m, x->b};
    return x;
}

/* 200 values of alpha for a power-law spectrum: pairs of ridge regressions per second. */
double bench_alignment_curve(double *points) {
    law *x = power_law();
    double best = INFINITY, sum = 0.0;
    *points = 200.0;
    for (int r = 0; r < REPEATS; r++) {
        double began = bench_seconds();
        for (int i = 0; i < 200; i++) {
            nnd_pair_task task = {.samples = D * 0.05 * pow(400.0, i / 199.0), .label_noise = 0.25};
            nnd_pair_overlaps o;
            nnd_pair_ridge(&x->modes, &task, 1e-3, &o);
            sum += o.cosine[1];
        }
        best = fmin(best, bench_seconds() - began);
    }
    free(x);
    return isfinite(sum) ? best : NAN;
}

/* Double sums over 1024 nodes at 200 times; `flops` of the products alone. */
double bench_alignment_contour(nnd_context *ctx, double *flops) {
    enum { NODES = 512, TIMES = 200, KERNELS = 6 };
    law *x = power_law();
    nnd_pair_task task = {.samples = 500.0, .label_noise = 0.25};
    nnd_spectral_rule rule;
    double best = INFINITY, edge[2];
    double complex *phi = malloc((size_t)TIMES * NODES * sizeof *phi);
    nnd_spectral_overlaps *o = malloc(TIMES * sizeof *o);
    nnd_sample_edges(&x->modes, &task, edge);
    if (phi == NULL || o == NULL ||
        nnd_spectral_rule_contour(ctx, &x->modes, &task, 0.02, NODES, &rule) != NND_OK)
        exit(EXIT_FAILURE);
    for (int t = 0; t < TIMES; t++)
        for (int j = 0; j < NODES; j++)
            phi[t * NODES + j] = (1.0 - cexp(-0.1 * t * rule.z[j])) / rule.z[j];
    for (int r = 0; r < REPEATS; r++) {
        double began = bench_seconds();
        if (nnd_spectral_overlap(ctx, &rule, TIMES, phi, o) != NND_OK)
            exit(EXIT_FAILURE);
        best = fmin(best, bench_seconds() - began);
    }
    *flops = 8.0 * KERNELS * NODES * 2.0 * NODES * TIMES;
    nnd_spectral_rule_clear(&rule);
    free(phi);
    free(o);
    free(x);
    return best;
}

/* Ridge regression on 4096 inputs of 200 dimensions as they are; `flops` of the errors' kernel and
 * its solution. */
double bench_alignment_uneven(nnd_context *ctx, double *flops) {
    enum { ROWS = 4096, MODES = 200 };
    law *x = power_law();
    double best = INFINITY, *square = malloc((size_t)ROWS * MODES * sizeof *square);
    if (square == NULL)
        exit(EXIT_FAILURE);
    for (int i = 0; i < ROWS; i++) /* every fourth is long */
        for (int k = 0; k < MODES; k++)
            square[i * MODES + k] = i % 4 == 0 ? 2.5 : 0.5;
    const nnd_eigenmodes modes = {MODES, x->s, x->m, x->b};
    const nnd_pair_task task = {.samples = 300.0, .label_noise = 0.25};
    const nnd_input_squares inputs = {ROWS, square, NULL};
    for (int r = 0; r < REPEATS; r++) {
        nnd_pair_overlaps o;
        double began = bench_seconds();
        if (nnd_pair_ridge_uneven(ctx, &modes, &task, &inputs, 1e-3, &o) != NND_OK)
            exit(EXIT_FAILURE);
        best = fmin(best, bench_seconds() - began);
    }
    *flops = (double)ROWS * MODES * MODES + 2.0 / 3.0 * MODES * MODES * MODES;
    free(square);
    free(x);
    return best;
}
