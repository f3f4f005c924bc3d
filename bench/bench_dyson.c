/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra of networks by pencils of growing size. */
#include "bench_dyson.h"

#include <math.h>
#include <stdio.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "nndmft/nndmft.h"
#include "theory/many_outputs_program.h"

enum { POINTS = 200, REPEATS = 3 };

static void time_program(nnd_context *ctx, const char *what, const nnd_outputs_program *program) {
    nnd_dyson *p = nnd_outputs_program_weights(program);
    nnd_dyson_edge edge = {0};
    double z[POINTS], density[POINTS], edge_seconds = INFINITY, seconds = INFINITY;
    size_t blocks, unknowns;
    nnd_dyson_size(p, &blocks, &unknowns);
    for (int r = 0; r < REPEATS; r++) {
        double began = bench_seconds();
        require(ctx, nnd_dyson_upper_edge(ctx, p, &edge));
        edge_seconds = fmin(edge_seconds, bench_seconds() - began);
        for (int i = 0; i < POINTS; i++)
            z[i] = edge.z * pow((i + 0.5) / POINTS, 2.0);
        began = bench_seconds();
        require(ctx, nnd_dyson_density(ctx, p, POINTS, z, density, NULL));
        seconds = fmin(seconds, bench_seconds() - began);
    }
    printf("pencil, %-26s %3zu blocks, %4zu unknowns: density at %d points %6.3f s, edge %6.3f s\n",
           what, blocks, unknowns, POINTS, seconds, edge_seconds);
    fflush(stdout);
    nnd_dyson_free(p);
}

void bench_dyson(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_outputs_program q = {
        .c = 0.5, .d = 0.8, .sigma2 = 1.0, .readout2 = 1.0, .tau2 = 1.0, .gamma = 1.5, .rate = 0.3};
    q.steps = 2;
    time_program(ctx, "fixed readout, 2 steps", &q);
    q.steps = 5;
    time_program(ctx, "fixed readout, 5 steps", &q);
    q.readout_rate = 0.3;
    for (q.steps = 1; q.steps <= 3; q.steps++)
        time_program(ctx,
                     q.steps == 1   ? "both layers, 1 step"
                     : q.steps == 2 ? "both layers, 2 steps"
                                    : "both layers, 3 steps",
                     &q);
    nnd_context_free(ctx);
}
