/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is predicted before any work against what it then takes: memory of whole runs, files
 * included, in a process of its own; and how work is shared out over threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/plan.h"
#include "nndmft/io.h"
#include "scratch.h"
#include "support.h"

/* Predictions are right within this factor. */
static const double FACTOR = 2.0;
/* So much the libraries may take at random. */
static const double LEAST_MEGABYTES = 20.0;

/* Prediction in bytes, and everything up to the file. */
static nnd_status run(nnd_context *own, const nnd_case *c, bool simulates, double *predicted) {
    nnd_plan plan;
    nnd_result result = {.case_text = nnd_yaml_text(c->resolved), .model = strdup(c->model->name)};
    nnd_store *store = NULL;
    nnd_ensemble ensemble = {0};
    nnd_status status =
        simulates ? nnd_ensemble_plan(own, c, &plan) : nnd_theory_plan(own, c, &plan);
    *predicted = plan.bytes;
    if (status == NND_OK && simulates)
        status = nnd_folder_store_open(own, scratch_path("cost.parts"), "0123456789abcdef", false,
                                       &store);
    if (status == NND_OK && simulates)
        status = nnd_ensemble_run(own, c, store, &ensemble);
    else if (status == NND_OK)
        status = nnd_theory_run(own, c, NULL, &result.theory);
    result.mc = ensemble.mc;
    result.influence = ensemble.influence;
    result.weights = ensemble.weights;
    if (status >= NND_OK)
        status = nnd_result_write(own, scratch_path("cost.h5"), &result);
    return status;
}

/* Memory at its highest, in megabytes, of a process that runs a case, and what it had predicted. */
static double measure(const char *yaml, bool simulates, double *predicted) {
    int channel[2];
    ck_assert_int_eq(pipe(channel), 0);
    pid_t child = fork();
    if (child == 0) {
        nnd_context_options options = {.threads = 1};
        nnd_context *own = nnd_context_new(&options);
        nnd_case *c = test_case(own, yaml);
        double bytes = 0.0;
        nnd_status status = run(own, c, simulates, &bytes);
        if (status != NND_OK)
            fprintf(stderr, "%s\n", nnd_context_message(own));
        bool sent = write(channel[1], &bytes, sizeof bytes) == (ssize_t)sizeof bytes;
        _exit(status == NND_OK && sent ? 0 : 1);
    }
    struct rusage usage;
    int code = -1;
    ck_assert(child > 0 && wait4(child, &code, 0, &usage) == child);
    ck_assert_msg(WIFEXITED(code) && WEXITSTATUS(code) == 0, "%s", yaml);
    ck_assert(read(channel[0], predicted, sizeof *predicted) == (ssize_t)sizeof *predicted);
    close(channel[0]);
    close(channel[1]);
    *predicted *= 1e-6;
    return (double)usage.ru_maxrss * 1024e-6;
}

#define CURVES "spectrum: false, ntk: false"
#define PAIR   "data: {gram: [[1, 0.2], [0.2, 1]], targets: [1, -1]}"
static const struct {
    const char *yaml;
    bool simulates;
} CASES[] = {
    {"{model: alignment, params: {alpha: 2, snr: 2, training: flow, record: RANGE 12000, time: "
     "1000}}",
     false},
    {"{model: alignment, params: {snr: 2}, sweep: {alpha: RANGE 4000}}", false},
    {"{model: alignment, params: {alpha: 2, snr: 2}, simulate: {size: 700, seeds: 1}}", true},
    {"{model: alignment, params: {alpha: 0.2, snr: 2, probe: {points: 700, similarity: true}}, "
     "simulate: {size: 700, seeds: 1}}",
     true},
    {"{model: online-fluctuations, params: {lr: 1.0e-5, steps: 150000}}", false},
    {"{model: online-fluctuations, params: {dim: 2, lr: 1.0e-3, steps: 1100}, "
     "simulate: {size: 16, seeds: 160}}",
     true},
    {"{model: directional, params: {integrator: gd, steps: 42000}}", false},
    {"{model: deep-linear, params: {two_time: true, spectrum: false, ntk: false, steps: 800}}",
     false},
    {"{model: deep-linear, params: {depth: 2, lr: 0.3, steps: 300, check: false, " CURVES "}}",
     false},
    {"{model: deep-linear, params: {depth: 2, momentum: 0.9, steps: 300, check: false, " CURVES
     "}}",
     false},
    {"{model: deep-linear, params: {depth: 3, integrator: flow, time: 10, tolerance: "
     "1.0e-7, " CURVES "}}",
     false},
    {"{model: deep-linear, params: {spectrum: false, ntk: false, steps: 3}, "
     "simulate: {size: 1400, seeds: 1}}",
     true},
    {"{model: deep-linear, params: {depth: 2, spectrum: false, ntk: false, steps: 3}, sweep: "
     "{gamma0: [1, 2]}, simulate: {size: 300, seeds: 1, storage: weights}}",
     true},
    {"{model: wide-mlp, params: {depth: 1, activation: relu, steps: 3, record: [3], "
     "data: {gram: [[1]], targets: [1]}}}",
     false},
    {"{model: wide-mlp, params: {depth: 2, steps: 2, record: [2], data: {gram: [[1]], targets: "
     "[1]}}, simulate: {size: 1500, seeds: 2}}",
     true},
    {"{model: wide-mlp, params: {depth: 3, outputs: 10, loss: cross-entropy, momentum: 0.5, "
     "weight_decay: 0.1, steps: 1, spectrum: false, data: {generate: gaussian, samples: 10, dim: "
     "20, target: classes}}, simulate: {size: 500, seeds: 3}}",
     true},
    {"{model: wide-mlp, params: {depth: 2, integrator: flow, time: 0.01, record: [0], spectrum: "
     "false, data: {gram: [[1]], targets: [1]}}, simulate: {size: 1000, seeds: 2}}",
     true},
    {"{model: wide-mlp, params: {depth: 2, activation: relu, loss: logistic, steps: 1, kernels: "
     "false, spectrum: false, data: {generate: gaussian, samples: 6000, dim: 50, target: "
     "classes}}, simulate: {size: 50, seeds: 1}}",
     true},
    {"{model: two-layer-fluctuations, params: {steps: 650, kernels: false, " PAIR "}, "
     "simulate: {size: 16, seeds: 400}}",
     true},
    {"{model: two-layer-fluctuations, params: {activation: linear, two_time: true, kernels: false, "
     "bias: false, steps: 500, " PAIR "}}",
     false},
    {"{model: deep-linear-fluctuations, params: {steps: 2, lr: 0.01, " PAIR "}, simulate: {size: "
     "2000, seeds: 1}}",
     true},
    {"{model: deep-linear-fluctuations, params: {two_time: true, kernels: false, steps: 600, "
     "record_every: 2, lr: 0.01, " PAIR "}}",
     false},
    {"{model: deep-fluctuations, params: {depth: 3, steps: 12, record: [6, 12], kernels: false, "
     "bias: "
     "false, samples: 4096, replicates: 2, " PAIR "}}",
     false},
    {"{model: lazy-fluctuations, params: {depth: 2, samples: 64, replicates: 2, steps: 2, data: "
     "{generate: gaussian, samples: 21, dim: 21, target: linear}}}",
     false},
    {"{model: many-outputs, params: {variant: wide, outputs: 2, inputs: 2, record: RANGE 400, "
     "integrator: flow, time: 10, z: {from: 0, to: 30, count: 1500}}}",
     false},
    {"{model: many-outputs, params: {c: 0.5, d: 0.8, p: 1.5, steps: 1}, simulate: {size: 1200, "
     "seeds: "
     "1}}",
     true},
    {"{model: many-outputs, params: {c: 0.8, d: 0.5, integrator: flow}, simulate: {size: 1200, "
     "seeds: "
     "1}}",
     true},
    {"{model: many-outputs, params: {variant: aligned, c: 0.9, d: 0.9, steps: 1}, simulate: {size: "
     "900, seeds: 1}}",
     true},
    {"{model: scaling-laws, params: {width: 50, samples: 80, nodes: 40, record: RANGE 12000}}",
     false},
    {"{model: scaling-laws, params: {features: {power_law: 1.5, count: 8000}, width: 150, samples: "
     "300, time: 10}, simulate: {seeds: 1}}",
     true},
    {"{model: scaling-laws, params: {features: {power_law: 1.5, count: 3000}, width: 600, samples: "
     "900, training: mini-batch, steps: 2}, simulate: {seeds: 1}}",
     true},
    {"{model: flat-minima, params: {depth: 2, width: 80, lr: 1.0e-4, steps: 1, data: {generate: "
     "gaussian, samples: 20, dim: 600, target: linear}}, simulate: {seeds: 1}}",
     true},
    {"{model: spectrum, params: {kind: spiked, spikes: [2], width: 900}, simulate: {seeds: 1}}",
     true},
    {"{model: flat-minima, params: {depth: 2, init: gaussian, steps: 0, data: {generate: gaussian, "
     "samples: 700, dim: 700, target: linear}}}",
     false},
};

/* How many are measured: none where sanitizers or valgrind take memory of their own. */
static int measurable(void) {
#ifdef __SANITIZE_ADDRESS__
    return 0;
#else
    const char *preloaded = getenv("LD_PRELOAD");
    bool valgrind = preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
    return valgrind ? 0 : sizeof CASES / sizeof *CASES;
#endif
}

/* RANGE n becomes n numbers from 0.1. */
static char *with_range(const char *yaml) {
    const char *at = strstr(yaml, "RANGE");
    int count = 0, length = 0;
    if (at == NULL)
        return strdup(yaml);
    ck_assert_int_eq(sscanf(at, "RANGE %d%n", &count, &length), 1);
    char *text = malloc(strlen(yaml) + (size_t)count * 16), *to = text;
    to += sprintf(to, "%.*s[", (int)(at - yaml), yaml);
    for (int i = 0; i < count; i++)
        to += sprintf(to, "%s%g", i > 0 ? "," : "", 0.1 + 0.0005 * i);
    sprintf(to, "]%s", at + length);
    return text;
}

START_TEST(memory_is_predicted) {
    double predicted, nothing;
    double base = measure("{model: alignment, params: {alpha: 2}}", false, &nothing);
    char *yaml = with_range(CASES[_i].yaml);
    double used = measure(yaml, CASES[_i].simulates, &predicted) - base;
    if (getenv("NND_TEST_VERBOSE"))
        printf("%.1f MB, predicted %.1f: %.60s\n", used, predicted, CASES[_i].yaml);
    ck_assert_msg(used > LEAST_MEGABYTES, "%.60s: %g MB show nothing", yaml, used);
    ck_assert_msg(predicted < FACTOR * used && used < FACTOR * predicted,
                  "%.60s: %g MB, predicted: %g", yaml, used, predicted);
    free(yaml);
}
END_TEST

/* Four equal points, of each eight equal blocks. */
START_TEST(threads_divide_the_time) {
    static const char format[] = "{model: deep-linear, params: {steps: 20}, sweep: {lr: [0.1, 0.2, "
                                 "0.3, 0.4]}, simulate: {size: 40, seeds: %zu}}";
    static const int threads[] = {1, 2, 4, 8};
    nnd_plan theory[4], simulation[4];
    size_t seeds = 1;
    for (size_t i = 0; i < 4; i++) {
        char text[256];
        nnd_context_options options = {.threads = threads[i]};
        nnd_context *own = nnd_context_new(&options);
        snprintf(text, sizeof text, format, seeds);
        nnd_case *c = test_case(own, text);
        seeds = 8 * nnd_simulator_find(c->model)->block(c->params[0], 40);
        nnd_case_free(c);
        snprintf(text, sizeof text, format, seeds);
        c = test_case(own, text);
        ck_assert_int_eq(nnd_theory_plan(own, c, &theory[i]), NND_OK);
        ck_assert_int_eq(nnd_ensemble_plan(own, c, &simulation[i]), NND_OK);
        ck_assert_int_eq(theory[i].workers, threads[i] < 4 ? threads[i] : 4);
        ck_assert_int_eq(simulation[i].workers, threads[i]);
        test_close("theory", theory[i].busiest * theory[i].workers, theory[0].busiest, 1e-12);
        test_close("simulation", simulation[i].busiest * threads[i], simulation[0].busiest, 1e-12);
        test_close("all operations", simulation[i].flops, simulation[0].flops, 1e-12);
        nnd_case_free(c);
        nnd_context_free(own);
    }
}
END_TEST

static double hundred_each(int workers, void *data) {
    (void)data;
    return 100.0 * workers;
}

START_TEST(work_is_shared_out) {
    const nnd_pieces three[] = {{3, 10.0}}, mixed[] = {{4, 1.0}, {1, 6.0}, {2, 1.0}};
    nnd_plan plan;
    /* Threads, memory: the busiest of two gets two of three, or of 1 1 1 1 6 1 1 the 6 and two. */
    const struct {
        int threads;
        size_t limit, kinds;
        const nnd_pieces *pieces;
        int workers;
        double flops, busiest, bytes;
    } want[] = {
        {1, 1000, 1, three, 1, 30.0, 30.0, 100.0}, {2, 1000, 1, three, 2, 30.0, 20.0, 200.0},
        {8, 1000, 1, three, 3, 30.0, 10.0, 300.0}, {8, 250, 1, three, 2, 30.0, 20.0, 200.0},
        {8, 10, 1, three, 1, 30.0, 30.0, 100.0},   {2, 1000, 3, mixed, 2, 12.0, 8.0, 200.0},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        nnd_context_options options = {.threads = want[i].threads, .memory_limit = want[i].limit};
        nnd_context *own = nnd_context_new(&options);
        ck_assert_int_eq(
            nnd_plan_make(own, want[i].kinds, want[i].pieces, hundred_each, NULL, &plan), NND_OK);
        ck_assert_int_eq(plan.workers, want[i].workers);
        ck_assert(plan.flops == want[i].flops && plan.busiest == want[i].busiest);
        ck_assert(plan.bytes == want[i].bytes);
        nnd_context_free(own);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cost");
    TCase *tests = tcase_create("cost");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_set_timeout(tests, 60.0);
    tcase_add_test(tests, work_is_shared_out);
    tcase_add_test(tests, threads_divide_the_time);
    tcase_add_loop_test(tests, memory_is_predicted, 0, measurable());
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
