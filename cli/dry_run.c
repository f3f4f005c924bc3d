/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"

/* Larger than a cache, as the matrices are. */
enum { PROBE = 3000, REPEATS = 4 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Operations per second of matrix-vector products, which is what all of this is made of. */
static double measured_rate(void) {
    size_t n = (size_t)PROBE * PROBE;
    double *a = malloc(n * sizeof *a), *x = calloc(2 * PROBE, sizeof *x);
    double best = 1e99;
    for (size_t i = 0; a != NULL && i < n; i++)
        a[i] = 1.0;
    for (int i = 0; a != NULL && x != NULL && i < REPEATS; i++) {
        double began = seconds();
        cblas_dgemv(CblasRowMajor, CblasNoTrans, PROBE, PROBE, 1.0, a, PROBE, x, 1, 0.0, x + PROBE,
                    1);
        double took = seconds() - began;
        best = took < best ? took : best;
    }
    free(a);
    free(x);
    return 2.0 * PROBE * PROBE / best;
}

/* Pieces of work, points or blocks, that threads take one at a time. */
typedef struct {
    size_t count;
    double bytes, flops; /* of the dearest; of all */
    double longest;      /* operations of the one that takes longest, which no thread shares */
} work;

static void print_cost(const nnd_context *ctx, const char *what, const work *w, double rate) {
    int workers = nnd_context_concurrency(ctx, w->count, w->bytes);
    nnd_print(stdout, "%-11s memory %.3g MB%s, operations %.3g, expected %.3g s on %d threads\n",
              what, w->bytes * 1e-6, workers > 1 ? " per thread" : "", w->flops,
              fmax(w->flops / workers, w->longest) / rate, workers);
}

static nnd_status print_theory(nnd_context *ctx, const nnd_case *c, double rate) {
    const nnd_theory *theory = nnd_theory_find(c->model);
    nnd_cost cost;
    nnd_status status = nnd_theory_cost(ctx, c, &cost);
    work w = {.count = c->sweep.points, .bytes = cost.bytes, .flops = cost.flops};
    for (size_t p = 0; status == NND_OK && p < c->sweep.points; p++) {
        status = theory->cost(ctx, c->params[p], &cost);
        w.longest = fmax(w.longest, cost.flops);
    }
    if (status == NND_OK)
        print_cost(ctx, "theory", &w, rate);
    return status;
}

static work simulation_work(const nnd_case *c) {
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_simulation_cost cost;
    nnd_ensemble_cost(c, &cost);
    work w = {.bytes = cost.bytes, .flops = cost.flops};
    for (size_t p = 0; p < c->sweep.points; p++)
        for (size_t k = 0; k < nnd_case_sizes(c); k++) {
            size_t size = nnd_case_size(c, k), width = s->block(c->params[p], size);
            w.count += (nnd_case_seeds(c, k) + width - 1) / width;
            w.longest = fmax(w.longest, s->cost(c->params[p], size).flops * (double)width);
        }
    return w;
}

static nnd_status print_recipe(nnd_context *ctx, const nnd_case *c, size_t point, size_t size) {
    nnd_frame *recipe = NULL;
    nnd_status status = nnd_simulator_find(c->model)->recipe(ctx, c->params[point], size, &recipe);
    if (status != NND_OK)
        return status;
    char name[256];
    nnd_case_point_text(c, point, sizeof name, name);
    char at[32] = "";
    if (c->model->sized)
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
    work w = simulation_work(c);
    print_cost(ctx, "simulation", &w, rate);
    printf("# how a deep-learning framework trains the same networks; see DRY RUN in nndmft(1)\n");
    nnd_status status = NND_OK;
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
    if (theory)
        status = print_theory(ctx, c, rate);
    if (status == NND_OK && simulation && c->simulates)
        status = print_simulation(ctx, c, rate);
    if (status == NND_OK && simulation && c->simulates)
        status = nnd_ensemble_check_memory(ctx, c);
    return cli_exit_code(status);
}
