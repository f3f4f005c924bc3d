/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws of weights as `solve` computes them: edges, and a density on 400 points with its errors. */
#include "bench_many_outputs.h"

#include <math.h>
#include <stdio.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "nndmft/nndmft.h"

enum { REPEATS = 7 };

static void law(nnd_context *ctx, const char *what, const char *params) {
    char yaml[256];
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    double best = INFINITY;
    snprintf(yaml, sizeof yaml,
             "{model: many-outputs, params: {%s, z: {to: 4, count: 400}, points: [[1, 1]]}}",
             params);
    require(ctx, nnd_yaml_read_text(ctx, "bench", yaml, &tree));
    require(ctx, nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "bench"}, &c));
    for (int r = 0; r < REPEATS; r++) {
        nnd_frame *frame = NULL;
        double began = bench_seconds();
        require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
        best = fmin(best, bench_seconds() - began);
        nnd_frame_free(frame);
    }
    printf("law of weights, 400 points, %-22s %7.1f ms\n", what, 1e3 * best);
    nnd_case_free(c);
    nnd_value_free(tree);
}

void bench_many_outputs(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    law(ctx, "descent", "c: 0.5, d: 1, lr: 0.3, steps: 3");
    law(ctx, "flow, c = 0.999", "c: 0.999, d: 1, integrator: flow, time: 100");
    law(ctx, "end, c = 0.5", "c: 0.5, d: 1, integrator: flow, time: inf");
    law(ctx, "p = 1.5", "c: 0.5, d: 0.8, p: 1.5, label_noise: 0.3, lr: 0.2, steps: 3");
    nnd_context_free(ctx);
}
