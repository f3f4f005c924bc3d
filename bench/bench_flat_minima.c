/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_flat_minima.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "core/rng.h"
#include "nndmft/nndmft.h"
#include "nndmft/solvers/flatness.h"
#include "nndmft/solvers/quadratic.h"
#include "validate/bent_lanes.h"
#include "validate/hessian.h"
#include "validate/lanes.h"

enum { REPEATS = 5 };

static double *normals(uint32_t stream, size_t n) {
    double *x = calloc(n, sizeof *x);
    nnd_rng_normals((nnd_rng_key){1, 0, n}, stream, 0, n, x);
    return x;
}

/* Steps of a block of networks, d inputs and hidden units, d samples. */
static void lanes(nnd_context *ctx, size_t depth, size_t d, size_t steps, double dgemm) {
    size_t *width = calloc(depth + 1, sizeof *width);
    double *x = normals(0, d * d), *y = normals(1, d), seconds = INFINITY;
    nnd_lanes l;
    for (size_t k = 0; k < depth; k++)
        width[k] = d;
    width[depth] = 1;
    require(ctx, nnd_lanes_make(ctx, depth, width, d, x, y, 1.0 / (double)d, 0.0, &l));
    double *w = normals(2, l.count);
    cblas_dscal((int)l.count, 0.5 / sqrt((double)d), w, 1);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        for (size_t b = 0; b < NND_LANES; b++)
            nnd_lanes_write(&l, b, w);
        nnd_lanes_evaluate(&l);
        double began = bench_seconds();
        for (size_t t = 0; t < steps; t++)
            nnd_lanes_descend(&l, 1e-3);
        seconds = fmin(seconds, bench_seconds() - began);
    }
    double flops = NND_LANES * (6.0 * (double)l.count + 4.0 * (double)(d * d)) * (double)steps;
    printf("flat minima, %d networks abreast, L = %-2zu d = %-3zu %8.2g s per step of one  %5.3g "
           "Gflop/s  %3.0f %% of dgemm n = 1000\n",
           NND_LANES, depth, d, seconds / (double)(NND_LANES * steps), 1e-9 * flops / seconds,
           100.0 * 1e-9 * flops / seconds / dgemm);
    nnd_lanes_clear(&l);
    free(width);
    free(x);
    free(y);
    free(w);
}

/* Seconds per step of a block whose passes run over samples. */
static double bent_step(nnd_context *ctx, size_t depth, const size_t *width, size_t n,
                        nnd_activation_kind name, size_t steps) {
    const nnd_activation activation = {.name = (int)name, .gain = 1.0, .scale = 1.0};
    double *x = normals(0, n * width[0]), *y = normals(1, n), seconds = INFINITY;
    nnd_bent_lanes l;
    require(ctx, nnd_bent_lanes_make(ctx, depth, width, &activation, n, x, y, 1.0 / (double)n, &l));
    double *w = normals(2, l.count);
    cblas_dscal((int)l.count, 0.5 / sqrt((double)width[0]), w, 1);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        for (size_t b = 0; b < NND_LANES; b++)
            nnd_bent_lanes_write(&l, b, w);
        nnd_bent_lanes_evaluate(&l);
        double began = bench_seconds();
        for (size_t t = 0; t < steps; t++) {
            nnd_bent_lanes_add_gradient(&l, -1e-3, l.weights);
            nnd_bent_lanes_evaluate(&l);
        }
        seconds = fmin(seconds, bench_seconds() - began);
    }
    nnd_bent_lanes_clear(&l);
    free(x);
    free(y);
    free(w);
    return seconds / (double)steps;
}

/* What an activation costs beside the products of matrices that it stands between. */
static void bent(nnd_context *ctx, size_t depth, size_t d, size_t n, size_t steps) {
    size_t *width = calloc(depth + 1, sizeof *width);
    for (size_t k = 0; k < depth; k++)
        width[k] = d;
    width[depth] = 1;
    double linear = bent_step(ctx, depth, width, n, NND_LINEAR, steps);
    double gelu = bent_step(ctx, depth, width, n, NND_GELU, steps);
    double by_tanh = bent_step(ctx, depth, width, n, NND_TANH_GELU, steps);
    printf("flat minima, %d networks abreast over n = %zu samples, L = %zu d = %zu: linear %.2g s "
           "per step of one, gelu %.1f times, tanh-gelu %.1f times that\n",
           NND_LANES, n, depth, d, linear / NND_LANES, gelu / linear, by_tanh / linear);
    free(width);
}

/* Twelve passes over every weight per product. */
static void hessian(nnd_context *ctx, size_t layers, size_t d, size_t products, double dgemm) {
    nnd_layer_plan *plan = calloc(layers, sizeof *plan);
    nnd_network net;
    nnd_hessian h;
    double *x = normals(0, d * d), *y = normals(1, d), seconds = INFINITY, weights = 0.0;
    for (size_t l = 0; l < layers; l++) {
        plan[l] = (nnd_layer_plan){.width = l + 1 < layers ? d : 1, .scale = 1.0, .rate = 1.0};
        weights += (double)(plan[l].width * d);
    }
    nnd_network_plan shape = {
        .networks = 1, .samples = d, .inputs = d, .layers = layers, .layer = plan};
    require(ctx, nnd_network_make(ctx, &shape, &net));
    nnd_network_set_inputs(&net, 0, x);
    for (size_t l = 0; l < layers; l++)
        nnd_network_draw(&net, l, 1.0 / sqrt((double)d), (nnd_rng_key){2, 0, 0}, (uint32_t)l);
    require(ctx, nnd_hessian_make(ctx, &net, y, 1.0 / (double)d, &h));
    double *v = normals(2, 2 * h.count);
    nnd_hessian_set(&h);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double began = bench_seconds();
        for (size_t k = 0; k < products; k++)
            nnd_hessian_times(&h, v, v + h.count);
        seconds = fmin(seconds, bench_seconds() - began);
    }
    double rate = 1e-9 * 12.0 * weights * (double)d * (double)products / seconds;
    printf("flat minima, Hessian product, L = %-2zu d = n = %-3zu %8.2g s  %25.3g Gflop/s  %3.0f "
           "%% of "
           "dgemm n = 1000\n",
           layers, d, seconds / (double)products, rate, 100.0 * rate / dgemm);
    nnd_hessian_clear(&h);
    nnd_network_clear(&net);
    free(plan);
    free(x);
    free(y);
    free(v);
}

/* The least sharpness with its certificate, beside the decomposition of S that it starts from. */
static void bounds(nnd_context *ctx, size_t d) {
    double *x = normals(0, 2 * d * d), *y = normals(1, 2 * d), solved = INFINITY, fitted = INFINITY;
    nnd_flatness f = {0};
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        nnd_quadratic q;
        double began = bench_seconds();
        require(ctx, nnd_quadratic_fit(ctx, 2 * d, d, x, y, &q));
        fitted = fmin(fitted, bench_seconds() - began);
        began = bench_seconds();
        require(ctx, nnd_flatness_find(ctx, &q, 10, &f, NULL));
        solved = fmin(solved, bench_seconds() - began);
        nnd_quadratic_clear(&q);
    }
    printf(
        "flat minima, least sharpness at d = %zu, L = 10: %.2g s, %.1f %% of the decomposition of "
        "the inputs; gap %.1g\n",
        d, solved, 100.0 * solved / fitted, fabs(f.least - f.primal));
    free(x);
    free(y);
}

/* Theory and simulation of a case file on two threads; NaN if there is no such file. */
static double experiment(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "data/cases/%s.yaml", name);
    if (access(path, R_OK) != 0)
        return NAN;
    nnd_context_options options = {.threads = 2};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    nnd_frame *theory = NULL;
    nnd_ensemble ensemble;
    nnd_store *store = nnd_memory_store_new();
    require(ctx, nnd_yaml_read_file(ctx, path, &tree));
    require(ctx, nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = name}, &c));
    double began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, c, NULL, &theory));
    require(ctx, nnd_ensemble_run(ctx, c, store, &ensemble));
    double seconds = bench_seconds() - began;
    nnd_frame_free(theory);
    nnd_ensemble_clear(&ensemble);
    nnd_memory_store_free(store);
    nnd_value_free(tree);
    nnd_case_free(c);
    nnd_context_free(ctx);
    return seconds;
}

static void experiments(void) {
    static const char *const names[] = {"flat-scale",    "flat-underdetermined",
                                        "flat-residual", "flat-threshold",
                                        "flat-gap",      "flat-gelu"};
    double total = 0.0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double seconds = experiment(names[i]);
        printf("flat minima, experiment %-22s %8.2f s on 2 threads\n", names[i], seconds);
        total += seconds;
    }
    printf("flat minima, all six experiments, 16 to 100 runs per point: %.1f s\n", total);
}

void bench_flat_minima(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    double dgemm = 2e-9 * bench_dgemm(1000);
    lanes(ctx, 10, 5, 100000, dgemm);
    lanes(ctx, 5, 20, 20000, dgemm);
    lanes(ctx, 5, 200, 100, dgemm);
    bent(ctx, 10, 5, 50, 2000);
    bent(ctx, 5, 20, 15, 2000);
    bent(ctx, 3, 50, 200, 50);
    hessian(ctx, 10, 5, 10000, dgemm);
    hessian(ctx, 5, 200, 20, dgemm);
    bounds(ctx, 400);
    experiments();
    nnd_context_free(ctx);
}
