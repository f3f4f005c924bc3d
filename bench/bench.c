/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One table: what nndmft does, how fast, and as a fraction of what this machine can do. */
#include <cblas.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_alignment.h"
#include "bench_deep_fluctuations.h"
#include "bench_deep_linear.h"
#include "bench_dyson.h"
#include "bench_flat_minima.h"
#include "bench_fluctuations.h"
#include "bench_many_outputs.h"
#include "bench_matrices.h"
#include "bench_require.h"
#include "bench_scaling_laws.h"
#include "bench_similarity.h"
#include "bench_spectrum.h"
#include "bench_timer.h"
#include "bench_wide_mlp.h"
#include "core/rng.h"
#include "core/statistics.h"
#include "nndmft/nndmft.h"
#include "nndmft/solvers/logistic.h"
#include "validate/deep_linear_network.h"
#include "validate/directional_network.h"

extern char **environ;

static void row(const char *what, double seconds, double rate, const char *unit, double limit,
                const char *limit_name) {
    printf("%-44s %9.3f s  %8.3g %-8s", what, seconds, rate, unit);
    if (limit > 0.0)
        printf("  %3.0f %% of %s (%.3g)", 100.0 * rate / limit, limit_name, limit);
    putchar('\n');
    fflush(stdout);
}

static nnd_case *read_case(nnd_context *ctx, const char *yaml) {
    nnd_value *tree;
    nnd_case *c = NULL;
    if (nnd_yaml_read_text(ctx, "bench", yaml, &tree) != NND_OK ||
        nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "bench"}, &c) != NND_OK) {
        fprintf(stderr, "bench: %s\n", nnd_context_message(ctx));
        exit(EXIT_FAILURE);
    }
    nnd_value_free(tree);
    return c;
}

/* Best of several, as for the rates of the machine: others may be using it too. */
enum { MARCHES = 3, TRAININGS = 7 };

/* Bytes that a training step must read: each weight matrix twice, the data once. */
static double step_bytes(const nnd_deep_linear_network *net) {
    double weights = 0.0;
    for (size_t l = 0; l <= net->depth; l++)
        weights += (double)(net->layer[l].rows * net->layer[l].cols);
    return (2.0 * weights + (double)(net->samples * net->inputs)) * sizeof(double);
}

static void simulator(nnd_context *ctx, const char *name, const char *yaml) {
    nnd_case *c = read_case(ctx, yaml);
    const nnd_deep_linear *p = c->params[0];
    nnd_deep_linear_network net;
    require(ctx, nnd_deep_linear_network_make(ctx, p, 1000, &net));
    double seconds = INFINITY, drawn = INFINITY;
    for (int i = 0; i < TRAININGS; i++) {
        double began = bench_seconds();
        nnd_deep_linear_network_draw(&net, (nnd_rng_key){1, 0, 1000});
        drawn = fmin(drawn, bench_seconds() - began);
        began = bench_seconds();
        for (size_t t = 0; t < (size_t)p->steps; t++) {
            nnd_deep_linear_network_evaluate(&net, t);
            nnd_deep_linear_network_step(&net, t);
        }
        seconds = fmin(seconds, bench_seconds() - began);
    }
    double bytes = step_bytes(&net), weights = 0.0;
    for (size_t l = 0; l <= net.depth; l++)
        weights += (double)(net.layer[l].rows * net.layer[l].cols) * sizeof(double);
    double held = weights + (double)(net.samples * net.inputs) * sizeof(double);
    row(name, seconds, 1e-9 * bytes * (double)p->steps / seconds, "GB/s",
        1e-9 * bench_read_bandwidth(held), "reading as much memory");
    printf("  drawing data and weights: %.3f s\n", drawn);
    nnd_deep_linear_network_clear(&net);
    nnd_case_free(c);
}

/* Level 2 on one thread, beside one simulation that records the same spectra. */
static void spectra(void) {
    nnd_context_options one = {.threads = 1};
    nnd_context *ctx = nnd_context_new(&one);
    nnd_case *c = read_case(ctx, "{model: deep-linear, params: {depth: 2, gamma0: 3, sigma: 0.6, "
                                 "noise: 0.3, steps: 400, record_every: 10}}");
    nnd_case *dynamics = read_case(ctx, "{model: deep-linear, params: {depth: 2, gamma0: 3, "
                                        "sigma: 0.6, noise: 0.3, steps: 400, record_every: 10, "
                                        "spectrum: false, ntk: false}}");
    nnd_frame *frame = NULL;
    double began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, dynamics, NULL, &frame));
    double march_alone = bench_seconds() - began;
    nnd_frame_free(frame);
    began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
    double theory = bench_seconds() - began - march_alone;
    nnd_frame_free(frame);
    began = bench_seconds();
    require(ctx, nnd_simulator_find(c->model)->simulate(ctx, c->params[0], 1000, 1, 0, 1, &frame));
    double simulation = bench_seconds() - began;
    nnd_frame_free(frame);
    row("level 2 at 41 times of 400 steps, depth 2", theory, 41.0 / theory, "times/s",
        41.0 / simulation, "a simulation at D = 1000 with the same spectra");
    nnd_case_free(c);
    nnd_case_free(dynamics);
    nnd_context_free(ctx);
}

static void transfer(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c =
        read_case(ctx, "{model: deep-linear, params: {depth: 2, alpha: 4, sigma: 0.8, "
                       "noise: 0.3, gamma0: 1.5, steps: 12, record: [12], "
                       "spectrum: false, ntk: false}, sweep: {nu: [1, 4, 16, 64, 256], "
                       "lr: [0.02, 0.0226, 0.0256, 0.029, 0.0328, 0.0371, 0.042, 0.0476, "
                       "0.0538, 0.0609, 0.069, 0.078, 0.0883, 0.1, 0.1132, 0.1281, 0.145, "
                       "0.1641, 0.1857, 0.2102, 0.2379, 0.2692, 0.3047, 0.3448, 0.3902, "
                       "0.4416, 0.4998, 0.5657, 0.6402, 0.7245, 0.82, 0.9281, 1.05, 1.189, "
                       "1.3456, 1.5229, 1.7235, 1.9505, 2.2075, 2.5]}}");
    nnd_frame *frame = NULL;
    double began = bench_seconds();
    require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
    double seconds = bench_seconds() - began;
    row("learning-rate transfer, 200 points", seconds, 200.0 / seconds, "points/s", 0.0, "");
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

static double ensemble_seconds(const nnd_case *c, int threads) {
    nnd_context_options options = {.threads = threads};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble ensemble;
    double began = bench_seconds();
    require(ctx, nnd_ensemble_run(ctx, c, store, &ensemble));
    double seconds = bench_seconds() - began;
    nnd_ensemble_clear(&ensemble);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
    return seconds;
}

static void ensemble(nnd_context *ctx) {
    enum { RUNS = 5 };
    nnd_case *c = read_case(ctx, "{model: deep-linear, params: {depth: 2, noise: 0.3, steps: 40, "
                                 "spectrum: false, ntk: false}, "
                                 "simulate: {size: 300, seeds: 104}}");
    double one[RUNS], two[RUNS];
    for (int i = 0; i < RUNS; i++) {
        one[i] = ensemble_seconds(c, 1);
        two[i] = ensemble_seconds(c, 2);
    }
    double single = nnd_median(RUNS, one), both = nnd_median(RUNS, two);
    row("ensemble, 104 networks, D = 300, 2 threads", both, single / both, "x", 2.0, "two cores");
    nnd_case_free(c);
}

static double write_plainly(const char *path, const double *data, size_t bytes) {
    double began = bench_seconds();
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || fsync(fd) != 0)
        fprintf(stderr, "bench: %s: cannot be written\n", path);
    close(fd);
    double seconds = bench_seconds() - began;
    unlink(path);
    return seconds;
}

/* The averages that every step and every evaluation of a flow needs, beside as many exp calls. */
static void averages(nnd_context *ctx) {
    enum { CALLS = 100000, NODES = 96 };
    nnd_logistic *l;
    nnd_logistic_law gaussian = {0};
    double sum = 0.0, seconds = INFINITY, plain = INFINITY;
    require(ctx, nnd_logistic_new(ctx, &gaussian, &l));
    for (int repeat = 0; repeat < TRAININGS; repeat++) {
        double began = bench_seconds();
        for (int i = 0; i < CALLS; i++)
            sum += nnd_logistic_at(l, 4.0 + 1e-3 * i).delta;
        seconds = fmin(seconds, bench_seconds() - began);
        began = bench_seconds();
        for (int i = 0; i < CALLS * NODES; i++)
            sum += exp(-1e-6 * i);
        plain = fmin(plain, bench_seconds() - began);
    }
    row("logistic averages, Gaussian, 100000 calls", seconds, 1e-6 * CALLS / seconds, "M/s",
        1e-6 * CALLS / plain, "one exp per node");
    if (sum == 0.0)
        putchar('\n');
    nnd_logistic_free(l);
}

static void directional_theory(nnd_context *ctx, const char *name, const char *yaml) {
    nnd_case *c = read_case(ctx, yaml);
    double seconds = INFINITY;
    for (int i = 0; i < MARCHES; i++) {
        nnd_frame *frame = NULL;
        double began = bench_seconds();
        require(ctx, nnd_theory_run(ctx, c, NULL, &frame));
        seconds = fmin(seconds, bench_seconds() - began);
        nnd_frame_free(frame);
    }
    row(name, seconds, 1.0 / seconds, "1/s", 0.0, "");
    nnd_case_free(c);
}

/* A pass over all samples reads them once. */
static void directional_samples(nnd_context *ctx) {
    nnd_case *c =
        read_case(ctx, "{model: directional, params: {samples: 2.0e5, dim: 10, integrator: "
                       "gd}}");
    const nnd_directional *p = c->params[0];
    nnd_directional_network n;
    require(ctx, nnd_directional_network_make(ctx, p, &n));
    double began = bench_seconds(), seconds = INFINITY, bytes = p->samples * 10.0 * 8.0;
    nnd_directional_network_draw(&n, (nnd_rng_key){1, 0, 0});
    double drawn = bench_seconds() - began;
    for (int i = 0; i < 20 * TRAININGS; i++) {
        began = bench_seconds();
        nnd_directional_network_evaluate(&n, (size_t)i, false);
        nnd_directional_network_step(&n, 0);
        seconds = fmin(seconds, bench_seconds() - began);
    }
    row("logistic step on 200000 samples, D = 10", seconds, 1e-9 * bytes / seconds, "GB/s",
        1e-9 * bench_read_bandwidth(bytes), "reading as much memory");
    printf("  drawing samples: %.3f s\n", drawn);
    nnd_directional_network_clear(&n);
    nnd_case_free(c);
}

/* A step on fresh samples, against drawing the normals that they are made of. */
static void directional_batches(nnd_context *ctx) {
    enum { BATCH = 1000, NORMALS = BATCH * 11 };
    static double normals[NORMALS];
    nnd_case *c = read_case(
        ctx, "{model: directional, params: {batch: 1000, dim: 10, depth: 1, integrator: gd}}");
    nnd_directional_network n;
    double seconds = INFINITY, drawing = INFINITY;
    require(ctx, nnd_directional_network_make(ctx, c->params[0], &n));
    nnd_directional_network_draw(&n, (nnd_rng_key){1, 0, 0});
    for (size_t i = 0; i < 50 * TRAININGS; i++) {
        double began = bench_seconds();
        nnd_directional_network_evaluate(&n, i, false);
        nnd_directional_network_step(&n, i);
        seconds = fmin(seconds, bench_seconds() - began);
        began = bench_seconds();
        nnd_rng_normals((nnd_rng_key){1, 0, 0}, 0, i, NORMALS, normals);
        drawing = fmin(drawing, bench_seconds() - began);
    }
    row("logistic step on 1000 fresh samples, D = 10", seconds, 1e-6 * BATCH / seconds,
        "10^6 samples/s", 1e-6 * BATCH / drawing, "drawing their normals");
    nnd_directional_network_clear(&n);
    nnd_case_free(c);
}

static void directional(nnd_context *ctx) {
    averages(ctx);
    directional_theory(ctx, "direction: flow to t = 1e12, depth 3",
                       "{model: directional, params: {depth: 3, time: 1.0e12}}");
    directional_theory(ctx, "direction: 100000 steps of descent, depth 3",
                       "{model: directional, params: {depth: 3, integrator: gd, lr: 0.1, steps: "
                       "100000, record_every: 1000}}");
    directional_theory(ctx, "direction: 10000 steps on batches, depth 3",
                       "{model: directional, params: {depth: 3, integrator: gd, lr: 0.01, steps: "
                       "10000, batch: 1000, record_every: 1000}}");
    directional_samples(ctx);
    directional_batches(ctx);
}

static void hdf5(nnd_context *ctx) {
    enum { N = 1500 };
    char path[] = "bench.h5", plain[] = "bench.raw";
    nnd_result result = {0};
    double *x;
    require(ctx, nnd_frame_new(ctx, &result.theory));
    require(ctx, nnd_frame_add_range(result.theory, "t", N, 0));
    require(ctx, nnd_frame_add_range(result.theory, "s", N, 0));
    require(ctx, nnd_frame_add(result.theory, "two_time", "t,s", &x));
    for (int i = 0; i < N * N; i++)
        x[i] = exp(-fabs((double)(i % N - i / N)) / 100.0) * cos(0.01 * i);
    double bytes = (double)N * N * sizeof *x;
    double began = bench_seconds();
    require(ctx, nnd_result_write(ctx, path, &result));
    double seconds = bench_seconds() - began;
    double plainly = write_plainly(plain, x, (size_t)bytes);
    row("HDF5 write, 18 MB, checksummed", seconds, 1e-6 * bytes / seconds, "MB/s",
        1e-6 * bytes / plainly, "write and fsync of raw numbers");
    unlink(path);
    nnd_result_clear(&result);
}

/* Seconds until a program has ended, NaN if it failed. */
static double run_seconds(char *const *argv) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int ended = -1;
    double began = bench_seconds();
    if (posix_spawn(&child, argv[0], &actions, NULL, argv, environ) == 0)
        waitpid(child, &ended, 0);
    double seconds = ended == 0 ? bench_seconds() - began : NAN;
    posix_spawn_file_actions_destroy(&actions);
    return seconds;
}

static const char NOTHING[] = "--do-nothing";

/* The tool beside this program when it does nothing: it loads the same libraries. */
static void start_up(const char *self, const char *executable) {
    enum { RUNS = 15 };
    char *tool[] = {strdup(executable), strdup("models"), NULL};
    char *nothing[] = {strdup(self), strdup(NOTHING), NULL};
    double seconds[RUNS], idle[RUNS];
    for (int i = 0; i < RUNS; i++) {
        seconds[i] = run_seconds(tool);
        idle[i] = run_seconds(nothing);
    }
    double median = nnd_median(RUNS, seconds), least = nnd_median(RUNS, idle);
    row("start-up, nndmft models", median, 1.0 / median, "1/s", 1.0 / least,
        "loading its libraries");
    for (int i = 0; i < 2; i++) {
        free(tool[i]);
        free(nothing[i]);
    }
}

static void alignment(nnd_context *ctx) {
    double points, flops, seconds = bench_alignment_curve(&points);
    row("alignment, 200 alphas, power law, D = 1000", seconds, points / seconds, "points/s", 0.0,
        "");
    seconds = bench_alignment_contour(ctx, &flops);
    row("contour, 1024 nodes, 200 times", seconds, 1e-9 * flops / seconds, "Gflop/s",
        2e-9 * bench_dgemm(1000), "dgemm");
    seconds = bench_alignment_uneven(ctx, &flops);
    row("regression on 4096 x 200 inputs as they are", seconds, 1e-9 * flops / seconds, "Gflop/s",
        2e-9 * bench_dgemm(200), "dgemm of that size");
    nnd_case *c = read_case(ctx, "{model: alignment, params: {alpha: 2, ridge: 0.01}, "
                                 "simulate: {size: 200, seeds: 200}}");
    nnd_plan plan;
    require(ctx, nnd_ensemble_plan(ctx, c, &plan));
    seconds = ensemble_seconds(c, 1);
    row("pairs of ridge regressions, D = 200, P = 400", seconds, 1e-9 * plan.flops / seconds,
        "Gflop/s", 2e-9 * bench_dgemm(200), "dgemm of that size");
    nnd_case_free(c);
}

static void matrices(void) {
    double bytes, seconds = bench_matrix_reading(&bytes);
    row("reading .npy in single precision", seconds, 1e-9 * bytes / seconds, "GB/s", 0.0, "");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], NOTHING) == 0)
        return EXIT_SUCCESS;
    openblas_set_num_threads(1);
    nnd_context *ctx = nnd_context_new(NULL);
    /* The data of bench/march.gp alone. */
    if (argc > 1 && strcmp(argv[1], "march") == 0) {
        bench_deep_linear_march(ctx, 100000);
        nnd_context_free(ctx);
        return EXIT_SUCCESS;
    }
    printf("dgemm n = 1000: %.3g Gflop/s\n", 2e-9 * bench_dgemm(1000));
    bench_deep_linear(argc > 2);
    simulator(ctx, "simulator, D = N = 1000, P = 2000, depth 1",
              "{model: deep-linear, params: {noise: 0.3, steps: 100}}");
    simulator(ctx, "simulator, D = N = 1000, P = 2000, depth 3",
              "{model: deep-linear, params: {depth: 3, sigma: 0.8, noise: 0.3, steps: 60}}");
    spectra();
    transfer();
    bench_wide_mlp();
    ensemble(ctx);
    alignment(ctx);
    directional(ctx);
    bench_flat_minima();
    bench_fluctuations();
    bench_many_outputs();
    bench_deep_fluctuations();
    bench_scaling_laws();
    matrices();
    bench_dyson();
    bench_spectrum();
    bench_similarity();
    hdf5(ctx);
    if (argc > 1)
        start_up(argv[0], argv[1]);
    nnd_context_free(ctx);
    return EXIT_SUCCESS;
}
