/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory over all sweep points of a case. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "nndmft/theory.h"
#include "theory/claims.h"

enum { KEY_SIZE = 32, MAX_WARNINGS = 5 };

nnd_status nnd_theory_cost(nnd_context *ctx, const nnd_case *c, nnd_cost *cost) {
    *cost = (nnd_cost){0};
    nnd_status status = nnd_case_check(ctx, c);
    for (size_t i = 0; status == NND_OK && i < c->sweep.points; i++) {
        nnd_cost point = {0};
        status = nnd_theory_find(c->model)->cost(ctx, c->params[i], &point);
        cost->bytes = fmax(cost->bytes, point.bytes);
        cost->flops += point.flops;
    }
    return status;
}

/* What a point has to say; level: as a warning, or as a detail among many. */
static void report(nnd_context *ctx, const nnd_case *c, size_t point, nnd_status status,
                   const nnd_frame *part, nnd_log_level level) {
    char name[256];
    nnd_case_point_text(c, point, sizeof name, name);
    const char *separator = name[0] != '\0' ? ": " : "";
    const nnd_array *step = nnd_frame_find(part, "diverged_at");
    if (status == NND_DIVERGED && step != NULL)
        nnd_log(ctx, level, "theory: %s%sdiverged at step %g", name, separator, step->data[0]);
    else if (status > NND_OK)
        nnd_log(ctx, level, "theory: %s%s%s", name, separator, nnd_status_text(status));
}

/* The points of this rank: those that leave its number when divided by the number of ranks. */
typedef struct {
    nnd_context *ctx;
    const nnd_case *c;
    size_t mine, done;
    nnd_frame **parts;
    nnd_status *statuses;
} point_work;

static nnd_status solve_point(nnd_context *ctx, size_t k, void *data) {
    point_work *work = data;
    size_t i = k * (size_t)nnd_context_ranks(ctx) + (size_t)nnd_context_rank(ctx), done;
    work->statuses[i] =
        nnd_theory_find(work->c->model)->solve(ctx, work->c->params[i], &work->parts[i]);
    nnd_frame_adopt(work->parts[i], work->ctx);
#pragma omp atomic capture
    done = ++work->done;
    nnd_progress(ctx, "theory", done, work->mine);
    return work->statuses[i];
}

static nnd_status solve_points(nnd_context *ctx, const nnd_case *c, int workers, nnd_frame **parts,
                               nnd_status *statuses) {
    size_t rank = (size_t)nnd_context_rank(ctx), ranks = (size_t)nnd_context_ranks(ctx);
    size_t mine = (c->sweep.points + ranks - 1 - rank) / ranks;
    point_work work = {ctx, c, mine, 0, parts, statuses};
    return nnd_parallel(ctx, workers, mine, solve_point, &work);
}

static void point_key(size_t point, char key[KEY_SIZE]) {
    snprintf(key, KEY_SIZE, "theory-%05zu", point);
}

/* Each point carries its status as a scalar. */
static nnd_status add_statuses(const nnd_case *c, nnd_frame **parts, const nnd_status *statuses) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < c->sweep.points; i++)
        if (parts[i] != NULL)
            status = nnd_frame_add_scalar(parts[i], "status", (double)statuses[i]);
    return status;
}

/* Several ranks: each puts its points on the shared shelf, then rank 0 takes them all. */
static nnd_status exchange(nnd_context *ctx, const nnd_case *c, nnd_store *shared,
                           nnd_status status, nnd_frame **parts, nnd_status *statuses) {
    char key[KEY_SIZE];
    for (size_t i = 0; status == NND_OK && i < c->sweep.points; i++)
        if (parts[i] != NULL) {
            point_key(i, key);
            status = shared->put(shared->self, ctx, key, parts[i]);
        }
    status = nnd_context_agree(ctx, status);
    if (nnd_context_rank(ctx) > 0)
        return status;
    for (size_t i = 0; status == NND_OK && i < c->sweep.points; i++)
        if (parts[i] == NULL) {
            point_key(i, key);
            status = shared->get(shared->self, ctx, key, &parts[i]);
            if (status == NND_OK)
                statuses[i] = (nnd_status)nnd_frame_find(parts[i], "status")->data[0];
        }
    return status;
}

static nnd_status least_warning(size_t n, const nnd_status *statuses) {
    nnd_status least = statuses[0];
    for (size_t i = 1; i < n; i++)
        least = statuses[i] < least ? statuses[i] : least;
    return least;
}

/* A few warnings one by one, many as their number. */
static void report_all(nnd_context *ctx, const nnd_case *c, const nnd_status *statuses,
                       nnd_frame *const *parts) {
    size_t warned = 0;
    for (size_t i = 0; i < c->sweep.points; i++)
        warned += statuses[i] > NND_OK;
    bool many = warned > MAX_WARNINGS;
    for (size_t i = 0; i < c->sweep.points; i++)
        report(ctx, c, i, statuses[i], parts[i], many ? NND_LOG_DETAIL : NND_LOG_WARNING);
    if (many)
        nnd_log(ctx, NND_LOG_WARNING,
                "theory: %zu of %zu points diverged or did not converge (--verbose names them)",
                warned, c->sweep.points);
}

static nnd_status stack_points(nnd_context *ctx, const nnd_case *c, nnd_frame *const *parts,
                               const nnd_status *statuses, nnd_frame **frame) {
    report_all(ctx, c, statuses, parts);
    nnd_status status = nnd_claim_complete(c->sweep.points, parts);
    if (status == NND_OK)
        status = nnd_frame_stack(ctx, c->sweep.keys, (const nnd_dim *const *)c->sweep.dim,
                                 c->sweep.points, (const nnd_frame *const *)parts, frame);
    return status == NND_OK ? least_warning(c->sweep.points, statuses) : status;
}

nnd_status nnd_theory_run(nnd_context *ctx, const nnd_case *c, nnd_store *shared,
                          nnd_frame **frame) {
    *frame = NULL;
    nnd_cost cost;
    nnd_status status = nnd_theory_cost(ctx, c, &cost);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, cost.bytes, "theory");
    if (status != NND_OK)
        return status;
    size_t n = c->sweep.points;
    nnd_frame **parts = calloc(n, sizeof(nnd_frame *));
    nnd_status *statuses = calloc(n, sizeof *statuses);
    if (parts == NULL || statuses == NULL)
        status = nnd_fail_memory(ctx, "the sweep");
    if (status == NND_OK)
        status = solve_points(ctx, c, nnd_context_concurrency(ctx, n, cost.bytes), parts, statuses);
    if (status == NND_OK)
        status = add_statuses(c, parts, statuses);
    if (nnd_context_ranks(ctx) > 1)
        status = exchange(ctx, c, shared, status, parts, statuses);
    if (status == NND_OK && nnd_context_rank(ctx) == 0)
        status = stack_points(ctx, c, parts, statuses, frame);
    for (size_t i = 0; parts != NULL && i < n; i++)
        nnd_frame_free(parts[i]);
    free(parts);
    free(statuses);
    return status;
}
