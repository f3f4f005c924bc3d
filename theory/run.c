/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory over all sweep points of a case. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/plan.h"
#include "core/text.h"
#include "nndmft/number.h"
#include "theory/claims.h"
#include "theory/point.h"
#include "theory/shortfall.h"

enum { KEY_SIZE = 32, MAX_WARNINGS = 5, MESSAGE_SIZE = 1024 };

/* The variable that every point has, and its attribute. */
static const char STATUS[] = NND_STATUS_ARRAY, MESSAGE[] = "message";

/* What an array of a frame takes besides its numbers, about: itself, its name, its attributes. */
static const double ARRAY_BYTES = sizeof(nnd_array) + 80.0;
/* Operations that setting up and storing a point take, and each number of it: some 80 us, 100 ns.
 */
static const double POINT_FLOPS = 2e6, STORE_FLOPS = 2500.0;

/* Arrays of a point: its variables, some of them not there, others with an error or a least size.
 */
static double arrays_of(const nnd_model *model) {
    return 1.25 * (double)model->variable_count;
}

/* Memory of a case. */
typedef struct {
    double bytes;   /* of the dearest point while it is solved by all threads */
    double single;  /* by one of them */
    double frames;  /* of all frames, but for their numbers */
    double numbers; /* in all frames, and again in their stack */
} holdings;

/* Points that are solved beside the frames of the others, one by one with all threads, or each by
 * one; then the frames and their stack. */
static double peak(int workers, void *data) {
    const holdings *h = data;
    double solving = workers > 1 ? workers * h->single : h->bytes;
    return h->frames + h->numbers + fmax(solving, h->numbers);
}

/* Points that are alone use several threads themselves. */
static double flops_of(nnd_context *ctx, const nnd_case *c, const nnd_cost *cost) {
    int threads = nnd_context_threads(ctx);
    double inner = c->sweep.points > 1 ? 1.0 : fmin(fmax(cost->threads, 1.0), threads);
    return cost->flops / inner + POINT_FLOPS + STORE_FLOPS * cost->results / sizeof(double);
}

nnd_status nnd_theory_plan(nnd_context *ctx, const nnd_case *c, nnd_plan *plan) {
    nnd_status status = nnd_case_check(ctx, c);
    if (status != NND_OK)
        return status;
    const nnd_theory *theory = nnd_theory_find(c->model);
    holdings h = {.frames = (double)c->sweep.points * arrays_of(c->model) * ARRAY_BYTES};
    nnd_pieces *point = calloc(c->sweep.points, sizeof *point);
    if (point == NULL)
        return nnd_fail_memory(ctx, "the sweep");
    for (size_t i = 0; status == NND_OK && i < c->sweep.points; i++) {
        nnd_cost cost = {0};
        status = theory->cost(ctx, c->params[i], &cost);
        h.bytes = fmax(h.bytes, cost.bytes);
        h.single = fmax(h.single, cost.single > 0.0 ? cost.single : cost.bytes);
        h.numbers += cost.results;
        point[i] = (nnd_pieces){1, flops_of(ctx, c, &cost)};
    }
    if (status == NND_OK)
        status = nnd_plan_make(ctx, c->sweep.points, point, peak, &h, plan);
    free(point);
    return status;
}

/* ---- one point ---- */

static nnd_status status_of(const nnd_frame *part) {
    return (nnd_status)nnd_frame_find(part, STATUS)->data[0];
}

/* The first variable that is NaN or infinite somewhere though its table rules that out, or NULL. */
static const nnd_variable *not_finite(const nnd_model *model, const nnd_frame *part) {
    for (size_t v = 0; v < model->variable_count; v++) {
        const nnd_variable *variable = &model->variables[v];
        const nnd_array *array = nnd_frame_find(part, variable->name);
        for (size_t i = 0; array != NULL && i < array->count; i++)
            if ((isnan(array->data[i]) && !variable->nullable) ||
                (isinf(array->data[i]) && !variable->unbounded))
                return variable;
    }
    return NULL;
}

/* Solves one point. Its frame carries the status, and a message where there is one; of a point that
 * cannot be solved it holds nothing else. */
static nnd_status solve_point(nnd_context *ctx, const nnd_case *c, size_t point, nnd_frame **part) {
    char message[MESSAGE_SIZE] = "";
    nnd_status solved = nnd_theory_find(c->model)->solve(ctx, c->params[point], part);
    nnd_status status = NND_OK;
    if (nnd_point_failed(solved) && nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted");
    if (solved < NND_OK && !nnd_point_failed(solved))
        return solved;
    const nnd_variable *odd = solved == NND_OK ? not_finite(c->model, *part) : NULL;
    if (odd != NULL) {
        solved = NND_NOT_CONVERGED;
        snprintf(message, sizeof message, "%s is not finite", odd->name);
    }
    if (solved < NND_OK) {
        snprintf(message, sizeof message, "%s", nnd_context_message(ctx));
        status = nnd_frame_new(ctx, part);
    }
    if (status == NND_OK)
        status = nnd_frame_add_scalar(*part, STATUS, (double)solved);
    if (status == NND_OK && message[0] != '\0')
        status = nnd_frame_set_text(*part, STATUS, MESSAGE, message);
    return status;
}

/* What a point has to say, "gamma0=2: diverged at step 7". Of a solver that did not converge, also
 * how far it came. */
static void describe(const nnd_case *c, size_t point, const nnd_frame *part, char *text) {
    char name[256], step[64];
    nnd_case_point_text(c, point, sizeof name, name);
    const nnd_array *diverged = nnd_frame_find(part, NND_DIVERGED_AT);
    const nnd_attribute *message = nnd_frame_find_attribute(part, STATUS, MESSAGE);
    const char *what = message != NULL ? message->text : nnd_status_text(status_of(part));
    if (message == NULL && status_of(part) == NND_DIVERGED && diverged != NULL) {
        nnd_format(step, sizeof step, "diverged at step %g", diverged->data[0]);
        what = step;
    }
    const char *line = message == NULL ? nnd_shortfall(part) : NULL;
    snprintf(text, MESSAGE_SIZE, "%s%s%s%s%s", name, name[0] != '\0' ? ": " : "", what,
             line != NULL ? ": " : "", line != NULL ? line : "");
}

/* ---- all of them ---- */

/* The points of this rank: those that leave its number when divided by the number of ranks. */
typedef struct {
    nnd_context *ctx;
    const nnd_case *c;
    nnd_tally tally;
    nnd_frame **parts;
} point_work;

static nnd_status work_on_point(nnd_context *ctx, size_t k, void *data) {
    point_work *work = data;
    size_t i = k * (size_t)nnd_context_ranks(ctx) + (size_t)nnd_context_rank(ctx);
    nnd_progress_begin(ctx, &work->tally);
    nnd_status status = solve_point(ctx, work->c, i, &work->parts[i]);
    nnd_frame_adopt(work->parts[i], work->ctx);
    nnd_progress_end(ctx);
    return status;
}

static nnd_status solve_points(nnd_context *ctx, const nnd_case *c, int workers,
                               nnd_frame **parts) {
    size_t rank = (size_t)nnd_context_rank(ctx), ranks = (size_t)nnd_context_ranks(ctx);
    size_t mine = (c->sweep.points + ranks - 1 - rank) / ranks;
    point_work work = {ctx, c, {"theory", mine, 0.0}, parts};
    nnd_progress(ctx, "theory", 0.0, mine);
    return nnd_parallel(ctx, workers, mine, work_on_point, &work);
}

static void point_key(size_t point, char key[KEY_SIZE]) {
    snprintf(key, KEY_SIZE, "theory-%05zu", point);
}

/* Several ranks: each puts its points on the shared shelf, then rank 0 takes them all. */
static nnd_status exchange(nnd_context *ctx, const nnd_case *c, nnd_store *shared,
                           nnd_status status, nnd_frame **parts) {
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
        }
    return status;
}

/* NND_OK if a point is done, else the first warning, else the first failure. */
static nnd_status overall(const nnd_case *c, nnd_frame *const *parts) {
    nnd_status all = status_of(parts[0]);
    for (size_t i = 0; i < c->sweep.points; i++) {
        nnd_status status = status_of(parts[i]);
        if (status == NND_OK)
            return NND_OK;
        if (all < NND_OK && status > NND_OK)
            all = status;
    }
    return all;
}

/* A few warnings one by one, many as their number. */
static void report_all(nnd_context *ctx, const nnd_case *c, nnd_frame *const *parts) {
    char text[MESSAGE_SIZE];
    size_t warned = 0, unsolved = 0;
    for (size_t i = 0; i < c->sweep.points; i++) {
        warned += status_of(parts[i]) != NND_OK;
        unsolved += status_of(parts[i]) < NND_OK;
    }
    bool many = warned > MAX_WARNINGS;
    for (size_t i = 0; i < c->sweep.points; i++) {
        if (status_of(parts[i]) == NND_OK)
            continue;
        describe(c, i, parts[i], text);
        nnd_log(ctx, many ? NND_LOG_DETAIL : NND_LOG_WARNING, "theory: %s", text);
    }
    if (many)
        nnd_log(ctx, NND_LOG_WARNING,
                "theory: %zu of %zu points diverged or did not converge, %zu of them without an "
                "answer (--verbose names them)",
                warned, c->sweep.points, unsolved);
}

/* The messages of the points, as many as are reported one by one, with their names. */
static nnd_status keep_messages(const nnd_case *c, nnd_frame *const *parts, nnd_frame *frame) {
    char text[MAX_WARNINGS * MESSAGE_SIZE], one[MESSAGE_SIZE];
    nnd_text list = nnd_text_in(sizeof text, text);
    for (size_t i = 0; i < c->sweep.points && list.items < MAX_WARNINGS; i++) {
        if (nnd_frame_find_attribute(parts[i], STATUS, MESSAGE) == NULL)
            continue;
        describe(c, i, parts[i], one);
        nnd_text_item(&list, "; ", "%s", one);
    }
    return list.items > 0 ? nnd_frame_set_text(frame, STATUS, MESSAGE, text) : NND_OK;
}

static nnd_status stack_points(nnd_context *ctx, const nnd_case *c, nnd_frame *const *parts,
                               nnd_frame **frame) {
    nnd_status all = overall(c, parts);
    char text[MESSAGE_SIZE];
    describe(c, 0, parts[0], text);
    if (all < NND_OK)
        return nnd_fail(ctx, all, "%s%s", c->sweep.points > 1 ? "no point can be solved; " : "",
                        text);
    report_all(ctx, c, parts);
    nnd_status status = nnd_claim_complete(c->sweep.points, parts);
    if (status == NND_OK)
        status = nnd_frame_stack(ctx, c->sweep.keys, (const nnd_dim *const *)c->sweep.dim,
                                 c->sweep.points, (const nnd_frame *const *)parts, frame);
    if (status == NND_OK)
        status = keep_messages(c, parts, *frame);
    return status == NND_OK ? all : status;
}

nnd_status nnd_theory_run(nnd_context *ctx, const nnd_case *c, nnd_store *shared,
                          nnd_frame **frame) {
    *frame = NULL;
    nnd_plan plan;
    nnd_status status = nnd_theory_plan(ctx, c, &plan);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, plan.bytes, "theory");
    if (status != NND_OK)
        return status;
    size_t n = c->sweep.points;
    nnd_frame **parts = calloc(n, sizeof(nnd_frame *));
    if (parts == NULL)
        status = nnd_fail_memory(ctx, "the sweep");
    if (status == NND_OK)
        status = solve_points(ctx, c, plan.workers, parts);
    if (nnd_context_ranks(ctx) > 1)
        status = exchange(ctx, c, shared, status, parts);
    if (status == NND_OK && nnd_context_rank(ctx) == 0)
        status = stack_points(ctx, c, parts, frame);
    for (size_t i = 0; parts != NULL && i < n; i++)
        nnd_frame_free(parts[i]);
    free(parts);
    return status;
}
