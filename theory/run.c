/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory over all sweep points of a case. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/theory.h"

nnd_status nnd_theory_cost(nnd_context *ctx, const nnd_case *c, nnd_cost *cost) {
    const nnd_theory *theory = nnd_theory_find(c->model);
    *cost = (nnd_cost){0};
    for (size_t i = 0; i < c->sweep.points; i++) {
        nnd_cost point = {0};
        nnd_status status = theory->cost(ctx, c->params[i], &point);
        if (status != NND_OK)
            return status;
        cost->bytes = fmax(cost->bytes, point.bytes);
        cost->flops += point.flops;
    }
    return NND_OK;
}

static void report(nnd_context *ctx, const nnd_case *c, size_t point, nnd_status status,
                   const nnd_frame *part) {
    char name[256];
    nnd_case_point_text(c, point, sizeof name, name);
    const char *separator = name[0] != '\0' ? ": " : "";
    const nnd_attribute *step = nnd_frame_find_attribute(part, NULL, "diverged_at");
    if (status == NND_DIVERGED && step != NULL)
        nnd_log(ctx, NND_LOG_WARNING, "theory: %s%sdiverged at step %g", name, separator,
                step->number);
    else if (status > NND_OK)
        nnd_log(ctx, NND_LOG_WARNING, "theory: %s%s%s", name, separator, nnd_status_text(status));
}

/* Solves all points; the first failure (in their order) is returned, the others are dropped. */
static nnd_status solve_points(nnd_context *ctx, const nnd_case *c, int workers, nnd_frame **parts,
                               nnd_status *statuses) {
    const nnd_theory *theory = nnd_theory_find(c->model);
    size_t done = 0;
    bool failed = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(workers)
    for (size_t i = 0; i < c->sweep.points; i++) {
        bool stop;
#pragma omp atomic read
        stop = failed;
        if (stop)
            continue;
        statuses[i] = theory->solve(ctx, c->params[i], &parts[i]);
        if (statuses[i] < NND_OK) {
#pragma omp atomic write
            failed = true;
        }
        size_t count;
#pragma omp atomic capture
        count = ++done;
        nnd_progress(ctx, "theory", count, c->sweep.points);
    }
    for (size_t i = 0; i < c->sweep.points; i++)
        if (statuses[i] < NND_OK)
            return statuses[i];
    return NND_OK;
}

/* Each point carries its status as a scalar; where it diverged is said in the log alone. */
static nnd_status add_statuses(nnd_context *ctx, const nnd_case *c, nnd_frame **parts,
                               const nnd_status *statuses) {
    for (size_t i = 0; i < c->sweep.points; i++) {
        report(ctx, c, i, statuses[i], parts[i]);
        nnd_status status = nnd_frame_add_scalar(parts[i], "status", (double)statuses[i]);
        if (status != NND_OK)
            return status;
    }
    return NND_OK;
}

static nnd_status least_warning(size_t n, const nnd_status *statuses) {
    nnd_status least = statuses[0];
    for (size_t i = 1; i < n; i++)
        least = statuses[i] < least ? statuses[i] : least;
    return least;
}

nnd_status nnd_theory_run(nnd_context *ctx, const nnd_case *c, nnd_frame **frame) {
    size_t n = c->sweep.points;
    nnd_cost cost;
    nnd_status status = nnd_theory_cost(ctx, c, &cost);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, cost.bytes, "theory");
    if (status != NND_OK)
        return status;
    nnd_frame **parts = calloc(n, sizeof(nnd_frame *));
    nnd_status *statuses = calloc(n, sizeof *statuses);
    if (parts == NULL || statuses == NULL)
        status = nnd_fail_memory(ctx, "the sweep");
    if (status == NND_OK)
        status = solve_points(ctx, c, nnd_context_concurrency(ctx, cost.bytes), parts, statuses);
    if (status == NND_OK)
        status = add_statuses(ctx, c, parts, statuses);
    if (status == NND_OK)
        status = nnd_frame_stack(ctx, c->sweep.keys, (const nnd_dim *const *)c->sweep.dim, n,
                                 (const nnd_frame *const *)parts, frame);
    if (status == NND_OK)
        status = least_warning(n, statuses);
    for (size_t i = 0; parts != NULL && i < n; i++)
        nnd_frame_free(parts[i]);
    free(parts);
    free(statuses);
    return status;
}
