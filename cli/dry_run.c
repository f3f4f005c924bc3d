/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"

/* A matrix that stays in the cache of a core, as what is worked on does for the most part. */
enum { PROBE = 128, REPEATS = 50, TRIALS = 20 };

/* Of this thread: what others do on the machine does not count. */
static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Operations per second of matrix-vector products. */
static double measured_rate(void) {
    double *a = malloc(PROBE * PROBE * sizeof *a), *x = calloc(2 * PROBE, sizeof *x);
    double best = 1e99;
    for (size_t i = 0; a != NULL && i < (size_t)PROBE * PROBE; i++)
        a[i] = 1.0;
    for (int k = 0; a != NULL && x != NULL && k < TRIALS; k++) {
        double began = seconds();
        for (int i = 0; i < REPEATS; i++)
            cblas_dgemv(CblasRowMajor, CblasNoTrans, PROBE, PROBE, 1.0, a, PROBE, x, 1, 0.0,
                        x + PROBE, 1);
        best = fmin(best, seconds() - began);
    }
    free(a);
    free(x);
    return 2.0 * PROBE * PROBE * REPEATS / best;
}

static void print_plan(const char *what, const nnd_plan *plan, double rate) {
    nnd_print(stdout, "%-11s memory %.3g MB, operations %.3g, expected %.3g s, %d at a time\n",
              what, plan->bytes * 1e-6, plan->flops, plan->busiest / rate, plan->workers);
}

static nnd_status print_recipe(nnd_context *ctx, const nnd_case *c, size_t point, size_t size) {
    nnd_frame *recipe = NULL;
    nnd_status status = nnd_simulator_find(c->model)->recipe(ctx, c->params[point], size, &recipe);
    if (status != NND_OK)
        return status;
    char name[256];
    nnd_case_point_text(c, point, sizeof name, name);
    char at[32] = "";
    if (c->simulate.size.count > 0)
        snprintf(at, sizeof at, "size %zu%s", size, name[0] != '\0' ? ", " : "");
    bool named = at[0] != '\0' || name[0] != '\0';
    nnd_print(stdout, "%s%s%soutput_divisor %.10g; %s\n", at, name, named ? ": " : "",
              nnd_frame_find(recipe, "output_divisor")->data[0],
              nnd_frame_find_attribute(recipe, NULL, "optimizer")->text);
    const nnd_array *std = nnd_frame_find(recipe, "init_std"),
                    *lr = nnd_frame_find(recipe, "raw_lr");
    for (size_t l = 0; l < std->count; l++)
        nnd_print(stdout, "  matrix %zu: init_std %.10g, raw_lr %.10g\n", l, std->data[l],
                  lr->data[l]);
    nnd_frame_free(recipe);
    return NND_OK;
}

static nnd_status print_simulation(nnd_context *ctx, const nnd_case *c, double rate) {
    nnd_plan plan;
    nnd_status status = nnd_ensemble_plan(ctx, c, &plan);
    if (status != NND_OK)
        return status;
    print_plan("simulation", &plan, rate);
    printf("# how a deep-learning framework trains the same networks; see DRY RUN in nndmft(1)\n");
    for (size_t p = 0; status == NND_OK && p < c->sweep.points; p++)
        for (size_t k = 0; status == NND_OK && k < nnd_case_sizes(c); k++)
            status = print_recipe(ctx, c, p, nnd_case_size(c, k));
    return status;
}

int cli_dry_run(nnd_context *ctx, const nnd_case *c, bool theory, bool simulation) {
    char *text = nnd_yaml_text(c->resolved);
    if (text == NULL)
        return cli_exit_code(nnd_fail_memory(ctx, "the case"));
    printf("%s\n", text);
    free(text);
    nnd_status status = NND_OK;
    double rate = measured_rate();
    if (theory) {
        nnd_plan plan;
        status = nnd_theory_plan(ctx, c, &plan);
        if (status == NND_OK)
            print_plan("theory", &plan, rate);
    }
    if (status == NND_OK && simulation && c->simulates)
        status = print_simulation(ctx, c, rate);
    if (status == NND_OK && simulation && c->simulates)
        status = nnd_ensemble_check_memory(ctx, c);
    return cli_exit_code(status);
}
