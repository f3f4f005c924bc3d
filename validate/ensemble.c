/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hash.h"
#include "core/plan.h"
#include "nndmft/simulate.h"
#include "validate/reduce.h"

enum { KEY_SIZE = 128, TEXT_SIZE = 256 };

/* ---- identity ---- */

/* The terminating NUL separates texts. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    return nnd_hash(hash, text, strlen(text) + 1);
}

static uint64_t hash_value(uint64_t hash, const nnd_value *value) {
    if (value == NULL)
        return hash_text(hash, "-");
    if (value->kind == NND_VALUE_SCALAR)
        return hash_text(hash, value->text);
    hash = hash_text(hash, value->kind == NND_VALUE_LIST ? "[" : "{");
    for (size_t i = 0; i < value->count; i++) {
        if (value->kind == NND_VALUE_MAP)
            hash = hash_text(hash, value->key[i]);
        hash = hash_value(hash, value->item[i]);
    }
    return hash_text(hash, "]");
}

void nnd_ensemble_digest(const nnd_case *c, char digest[17]) {
    uint64_t hash = hash_text(0, nnd_version());
    hash = hash_text(hash, nnd_git_describe());
    hash = hash_text(hash, c->model->name);
    hash = hash_value(hash, nnd_value_get(c->resolved, "params"));
    hash = hash_value(hash, nnd_value_get(c->resolved, "sweep"));
    const nnd_value *simulate = nnd_value_get(c->resolved, "simulate");
    hash = hash_value(hash, nnd_value_get(simulate, "base_seed"));
    const nnd_param_table *own = c->model->simulate;
    for (size_t i = 0; own != NULL && i < own->count; i++)
        hash = hash_value(hash, nnd_value_get(simulate, own->param[i].name));
    snprintf(digest, 17, "%016" PRIx64, hash);
}

/* ---- the list of blocks ---- */

/* One block, or the kept weights of one point and size: a unit of work and of storage. */
typedef struct {
    size_t point, size_index, size, block, first_seed, width;
    bool weights;
} task;

static size_t blocks_at(const nnd_case *c, const nnd_simulator *s, size_t point, size_t k) {
    size_t width = s->block(c->params[point], nnd_case_size(c, k));
    return (nnd_case_seeds(c, k) + width - 1) / width;
}

static bool keeps_seeds(const nnd_case *c) {
    return c->simulate.storage == NND_STORE_TRAJECTORIES;
}

static bool keeps_weights(const nnd_case *c) {
    return c->simulate.storage == NND_STORE_WEIGHTS;
}

static nnd_status list_tasks(nnd_context *ctx, const nnd_case *c, const nnd_simulator *s,
                             task **tasks, size_t *count) {
    size_t n = 0, i = 0;
    for (size_t p = 0; p < c->sweep.points; p++)
        for (size_t k = 0; k < nnd_case_sizes(c); k++)
            n += blocks_at(c, s, p, k) + keeps_weights(c);
    *count = n;
    *tasks = calloc(n, sizeof **tasks);
    if (*tasks == NULL)
        return nnd_fail_memory(ctx, "the list of blocks");
    for (size_t p = 0; p < c->sweep.points; p++)
        for (size_t k = 0; k < nnd_case_sizes(c); k++) {
            size_t size = nnd_case_size(c, k), width = s->block(c->params[p], size);
            for (size_t b = 0; b < blocks_at(c, s, p, k); b++)
                (*tasks)[i++] = (task){p, k, size, b, b * width, width, false};
        }
    for (size_t p = 0; keeps_weights(c) && p < c->sweep.points; p++)
        for (size_t k = 0; k < nnd_case_sizes(c); k++)
            (*tasks)[i++] = (task){.point = p, .size = nnd_case_size(c, k), .weights = true};
    return NND_OK;
}

static void task_key(const task *t, char key[KEY_SIZE]) {
    if (t->weights) {
        snprintf(key, KEY_SIZE, "point-%05zu_size-%zu_weights", t->point, t->size);
        return;
    }
    snprintf(key, KEY_SIZE, "point-%05zu_size-%zu_block-%05zu", t->point, t->size, t->block);
}

/* ---- what it costs ---- */

/* Networks are larger than the cache, and wait for the memory. */
static const double FROM_MEMORY = 3.0;
/* Operations that storing a block takes, and each number of it: some milliseconds, and 100 ns. */
static const double BLOCK_FLOPS = 3e7, STORE_FLOPS = 2500.0;

/* Memory of an ensemble. */
typedef struct {
    double block;   /* of the dearest block while it trains, its records included */
    double join;    /* of the seeds of one point and size, and of their blocks */
    double results; /* of what is kept of all points and sizes */
    double kept;    /* of the weights of one of them; those of all are as large as the largest */
} holdings;

/* Blocks that train; then one point and size is reduced beside the results, and those are stacked.
 */
static double peak(int workers, void *data) {
    const holdings *h = data;
    return fmax(workers * h->block, h->join + 2.0 * h->results);
}

/* What is kept of one point and size: estimates and errors of what was recorded (covariances have
 * twice its dimensions), shares of groups of at most 1e5 points of each variable, and the seeds if
 * asked for. */
static double result_bytes(const nnd_case *c, double record, size_t seeds) {
    const double groups = 32.0, most = 1e5;
    double points = most * (double)c->model->variable_count / (double)c->sweep.points;
    double shares = fmin(groups, (double)seeds) * fmin(record, sizeof(double) * points);
    return 3.0 * record + shares + (keeps_seeds(c) ? (double)seeds * record : 0.0);
}

static nnd_pieces hold(const nnd_case *c, size_t point, size_t k, holdings *h) {
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_simulation_cost one = s->cost(c->params[point], nnd_case_size(c, k));
    size_t width = s->block(c->params[point], nnd_case_size(c, k));
    size_t blocks = blocks_at(c, s, point, k), seeds = nnd_case_seeds(c, k);
    double kept = keeps_weights(c) ? one.weight_bytes : 0.0;
    h->block = fmax(h->block, one.bytes + (double)width * one.record_bytes + kept);
    h->join = fmax(h->join, (double)(blocks * width + seeds) * one.record_bytes);
    h->results += result_bytes(c, one.record_bytes, seeds);
    h->kept = fmax(h->kept, kept);
    one.flops *= FROM_MEMORY;
    double stored = STORE_FLOPS * one.record_bytes / sizeof(double);
    return (nnd_pieces){blocks + keeps_weights(c),
                        BLOCK_FLOPS + (double)width * (one.flops + stored)};
}

nnd_status nnd_ensemble_plan(nnd_context *ctx, const nnd_case *c, nnd_plan *plan) {
    size_t sizes = nnd_case_sizes(c), count = c->sweep.points * sizes;
    nnd_pieces *pieces = calloc(count, sizeof *pieces);
    if (pieces == NULL)
        return nnd_fail_memory(ctx, "the list of blocks");
    holdings h = {0};
    for (size_t i = 0; i < count; i++)
        pieces[i] = hold(c, i / sizes, i % sizes, &h);
    h.results += (double)count * h.kept;
    nnd_status status = nnd_plan_make(ctx, count, pieces, peak, &h, plan);
    free(pieces);
    return status;
}

nnd_status nnd_ensemble_check(nnd_context *ctx, const nnd_case *c) {
    nnd_status status = nnd_case_check(ctx, c);
    if (status != NND_OK)
        return status;
    const nnd_simulator *s = nnd_simulator_find(c->model);
    if (!c->simulates)
        return nnd_fail(ctx, NND_E_INPUT, "the case has no key `simulate`");
    if (s == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s has no simulation", c->model->name);
    if (keeps_weights(c) && s->keep == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "simulate.storage: %s keeps no weights", c->model->name);
    char warned[sizeof((nnd_objection *)NULL)->text] = "";
    for (size_t p = 0; p < c->sweep.points; p++)
        for (size_t k = 0; k < nnd_case_sizes(c); k++) {
            nnd_objection o = {"", ""};
            if (s->check != NULL && !s->check(c->params[p], nnd_case_size(c, k), &o))
                return nnd_fail(ctx, NND_E_INPUT, "%s.%s: %s", nnd_case_section(c->model, o.key),
                                o.key, o.text);
            if (o.text[0] != '\0' && strcmp(o.text, warned) != 0)
                nnd_log(ctx, NND_LOG_WARNING, "%s.%s: %s", nnd_case_section(c->model, o.key), o.key,
                        o.text);
            memcpy(warned, o.text, sizeof warned);
        }
    return NND_OK;
}

nnd_status nnd_ensemble_check_memory(nnd_context *ctx, const nnd_case *c) {
    nnd_plan plan;
    nnd_status status = nnd_ensemble_plan(ctx, c, &plan);
    return status == NND_OK ? nnd_check_memory(ctx, plan.bytes, "the simulation") : status;
}

/* ---- training ---- */

typedef struct {
    nnd_context *ctx;
    const nnd_case *c;
    const nnd_simulator *simulator;
    nnd_store *store;
    omp_lock_t store_lock; /* stores do not allow overlapping calls */
    size_t tasks, done;
    nnd_tally tally;
    const task *task;
} work;

static nnd_status locked_has(nnd_context *ctx, work *e, const char *key, bool *found) {
    omp_set_lock(&e->store_lock);
    nnd_status status = e->store->has(e->store->self, ctx, key, found);
    omp_unset_lock(&e->store_lock);
    return status;
}

static nnd_status locked_put(nnd_context *ctx, work *e, const char *key, const nnd_frame *frame) {
    omp_set_lock(&e->store_lock);
    nnd_status status = e->store->put(e->store->self, ctx, key, frame);
    omp_unset_lock(&e->store_lock);
    return status;
}

static nnd_status run_task(nnd_context *ctx, work *e, const task *t) {
    char key[KEY_SIZE];
    bool found;
    task_key(t, key);
    nnd_status status = locked_has(ctx, e, key, &found);
    if (status != NND_OK || found)
        return status;
    nnd_frame *frame = NULL;
    const void *params = e->c->params[t->point];
    uint64_t base_seed = (uint64_t)e->c->simulate.base_seed;
    status = t->weights ? e->simulator->keep(ctx, params, t->size, base_seed, &frame)
                        : e->simulator->simulate(ctx, params, t->size, base_seed, t->first_seed,
                                                 t->width, &frame);
    if (status == NND_OK)
        status = locked_put(ctx, e, key, frame);
    nnd_frame_free(frame);
    return status;
}

/* Blocks of this rank: those that leave its number when divided by the number of ranks. */
static size_t blocks_of_rank(const work *e) {
    size_t rank = (size_t)nnd_context_rank(e->ctx), ranks = (size_t)nnd_context_ranks(e->ctx);
    return (e->tasks + ranks - 1 - rank) / ranks;
}

static nnd_status train_block(nnd_context *ctx, size_t i, void *data) {
    work *e = data;
    size_t rank = (size_t)nnd_context_rank(ctx), ranks = (size_t)nnd_context_ranks(ctx);
    nnd_progress_begin(ctx, &e->tally);
    nnd_status status = run_task(ctx, e, &e->task[i * ranks + rank]);
    if (status != NND_OK)
        return status;
#pragma omp atomic
    ++e->done;
    nnd_progress_end(ctx);
    return NND_OK;
}

/* Trains the blocks of this rank; each thread takes the next one that is free. */
static nnd_status train(work *e, int workers) {
    size_t mine = blocks_of_rank(e);
    e->tally = (nnd_tally){"simulation", mine, 0.0};
    nnd_progress(e->ctx, "simulation", 0.0, mine);
    omp_init_lock(&e->store_lock);
    nnd_status status = nnd_parallel(e->ctx, workers, mine, train_block, e);
    omp_destroy_lock(&e->store_lock);
    if (status == NND_E_INTERRUPTED || (status == NND_OK && nnd_context_interrupted(e->ctx)))
        return nnd_fail(e->ctx, NND_E_INTERRUPTED,
                        "interrupted after %zu of %zu blocks; the same command goes on from there",
                        e->done, mine);
    return status;
}

/* ---- from blocks to estimates ---- */

/* All seeds of one point and size, from the store. */
static nnd_status load_seeds(const work *e, size_t point, size_t size_index, nnd_frame **seeds) {
    size_t count = blocks_at(e->c, e->simulator, point, size_index), first = 0;
    while (e->task[first].point != point || e->task[first].size_index != size_index)
        first++;
    nnd_frame **blocks = calloc(count, sizeof(nnd_frame *));
    if (blocks == NULL)
        return nnd_fail_memory(e->ctx, "the blocks");
    nnd_status status = NND_OK;
    for (size_t b = 0; status == NND_OK && b < count; b++) {
        char key[KEY_SIZE];
        task_key(&e->task[first + b], key);
        status = e->store->get(e->store->self, e->ctx, key, &blocks[b]);
    }
    if (status == NND_OK)
        status = nnd_join_blocks(e->ctx, count, blocks, nnd_case_seeds(e->c, size_index), seeds);
    for (size_t b = 0; b < count; b++)
        nnd_frame_free(blocks[b]);
    free(blocks);
    return status;
}

static nnd_status load_weights(const work *e, size_t point, size_t size_index,
                               nnd_frame **weights) {
    const task t = {.point = point, .size = nnd_case_size(e->c, size_index), .weights = true};
    char key[KEY_SIZE];
    task_key(&t, key);
    return e->store->get(e->store->self, e->ctx, key, weights);
}

static void report_diverged(const work *e, size_t point, size_t size, const nnd_frame *part) {
    double fraction = nnd_frame_find(part, NND_DIVERGED_FRACTION)->data[0];
    if (fraction == 0.0)
        return;
    char name[TEXT_SIZE], at[TEXT_SIZE] = "";
    nnd_case_point_text(e->c, point, sizeof name, name);
    if (e->c->simulate.size.count > 0)
        snprintf(at, sizeof at, "%ssize %zu", name[0] != '\0' ? ", " : "", size);
    nnd_log(e->ctx, NND_LOG_WARNING, "simulation: %s%s%s%g %% of the seeds diverged", name, at,
            name[0] != '\0' || at[0] != '\0' ? ": " : "", 100.0 * fraction);
}

/* The frames of several points or sizes, before they are stacked. */
typedef struct {
    size_t count;
    nnd_frame **mc, **seeds, **influence, **weights;
} parts;

static nnd_status parts_make(nnd_context *ctx, size_t count, parts *p) {
    *p = (parts){count, calloc(count, sizeof(nnd_frame *)), calloc(count, sizeof(nnd_frame *)),
                 calloc(count, sizeof(nnd_frame *)), calloc(count, sizeof(nnd_frame *))};
    return p->mc == NULL || p->seeds == NULL || p->influence == NULL || p->weights == NULL
               ? nnd_fail_memory(ctx, "the estimates")
               : NND_OK;
}

static void frames_free(size_t count, nnd_frame **frame) {
    for (size_t i = 0; frame != NULL && i < count; i++)
        nnd_frame_free(frame[i]);
    free(frame);
}

static void parts_clear(parts *p) {
    frames_free(p->count, p->mc);
    frames_free(p->count, p->seeds);
    frames_free(p->count, p->influence);
    frames_free(p->count, p->weights);
}

void nnd_ensemble_clear(nnd_ensemble *ensemble) {
    nnd_frame_free(ensemble->mc);
    nnd_frame_free(ensemble->seeds);
    nnd_frame_free(ensemble->influence);
    nnd_frame_free(ensemble->weights);
    *ensemble = (nnd_ensemble){0};
}

static nnd_status stack(nnd_context *ctx, size_t nouter, const nnd_dim *const *outer,
                        const parts *p, const nnd_case *c, nnd_ensemble *out) {
    nnd_status status =
        nnd_frame_stack(ctx, nouter, outer, p->count, (const nnd_frame *const *)p->mc, &out->mc);
    if (status == NND_OK)
        status = nnd_frame_stack(ctx, nouter, outer, p->count,
                                 (const nnd_frame *const *)p->influence, &out->influence);
    if (status == NND_OK && keeps_seeds(c))
        status = nnd_frame_stack(ctx, nouter, outer, p->count, (const nnd_frame *const *)p->seeds,
                                 &out->seeds);
    if (status == NND_OK && keeps_weights(c))
        status = nnd_frame_stack(ctx, nouter, outer, p->count, (const nnd_frame *const *)p->weights,
                                 &out->weights);
    return status;
}

static nnd_status reduce_size(const work *e, size_t point, size_t k, const parts *p) {
    size_t size = nnd_case_size(e->c, k);
    nnd_status status = load_seeds(e, point, k, &p->seeds[k]);
    if (status == NND_OK)
        status = nnd_reduce_seeds(e->ctx, e->c->model, p->seeds[k], size, e->c->sweep.points,
                                  &p->mc[k], &p->influence[k]);
    if (status == NND_OK)
        report_diverged(e, point, size, p->mc[k]);
    if (status == NND_OK && keeps_weights(e->c))
        status = load_weights(e, point, k, &p->weights[k]);
    return status;
}

/* One point, stacked over sizes. */
static nnd_status reduce_point(const work *e, size_t point, nnd_ensemble *out) {
    size_t n = nnd_case_sizes(e->c);
    parts p;
    nnd_status status = parts_make(e->ctx, n, &p);
    double *size = calloc(n, sizeof *size);
    if (status == NND_OK && size == NULL)
        status = nnd_fail_memory(e->ctx, "the estimates");
    for (size_t k = 0; status == NND_OK && k < n; k++) {
        size[k] = (double)nnd_case_size(e->c, k);
        status = reduce_size(e, point, k, &p);
        if (status == NND_OK && !keeps_seeds(e->c)) {
            nnd_frame_free(p.seeds[k]);
            p.seeds[k] = NULL;
        }
    }
    char name[] = "size";
    nnd_dim dim = {name, NND_COORD_INTEGER, n, size, NULL};
    const nnd_dim *outer = &dim;
    if (status == NND_OK)
        status = stack(e->ctx, e->c->simulate.size.count > 0 ? 1 : 0, &outer, &p, e->c, out);
    if (status == NND_OK)
        status = nnd_reduce_sizes(e->c->model, out->mc, out->influence);
    parts_clear(&p);
    free(size);
    return status;
}

static bool all_diverged(const nnd_frame *mc) {
    const nnd_array *fraction = nnd_frame_find(mc, NND_DIVERGED_FRACTION);
    for (size_t i = 0; i < fraction->count; i++)
        if (fraction->data[i] < 1.0)
            return false;
    return true;
}

static nnd_status reduce(const work *e, nnd_ensemble *out) {
    size_t n = e->c->sweep.points;
    parts p;
    nnd_status status = parts_make(e->ctx, n, &p);
    for (size_t i = 0; status == NND_OK && i < n; i++) {
        nnd_ensemble point = {0};
        status = reduce_point(e, i, &point);
        p.mc[i] = point.mc;
        p.seeds[i] = point.seeds;
        p.influence[i] = point.influence;
        p.weights[i] = point.weights;
    }
    if (status == NND_OK)
        status =
            stack(e->ctx, e->c->sweep.keys, (const nnd_dim *const *)e->c->sweep.dim, &p, e->c, out);
    parts_clear(&p);
    if (status != NND_OK) {
        nnd_ensemble_clear(out);
        return status;
    }
    return all_diverged(out->mc) ? NND_DIVERGED : NND_OK;
}

nnd_status nnd_ensemble_run(nnd_context *ctx, const nnd_case *c, nnd_store *store,
                            nnd_ensemble *out) {
    work e = {.ctx = ctx, .c = c, .store = store};
    task *tasks = NULL;
    nnd_plan plan;
    *out = (nnd_ensemble){0};
    nnd_status status = nnd_ensemble_check(ctx, c);
    if (status == NND_OK)
        status = nnd_ensemble_plan(ctx, c, &plan);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, plan.bytes, "the simulation");
    if (status == NND_OK) {
        e.simulator = nnd_simulator_find(c->model);
        status = list_tasks(ctx, c, e.simulator, &tasks, &e.tasks);
    }
    e.task = tasks;
    if (status == NND_OK)
        status = train(&e, plan.workers);
    status = nnd_context_agree(ctx, status);
    if (status == NND_OK && nnd_context_rank(ctx) == 0)
        status = reduce(&e, out);
    free(tasks);
    return status;
}
