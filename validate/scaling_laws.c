/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/text.h"
#include "core/timegrid.h"
#include "validate/recipe.h"
#include "validate/regression.h"
#include "validate/scaling_control.h"
#include "validate/scaling_students.h"
#include "validate/seed_frame.h"
#include "validate/simulators.h"

/* ---- what it costs ---- */

static double recorded_times(const nnd_scaling_laws *p) {
    bool flow = p->training == NND_SCALING_FLOW;
    if (!nnd_scaling_laws_is_timed(p))
        return 1.0;
    double most = nnd_record_most(flow, p->time, &p->record, 0);
    return flow ? most : fmin(most, (double)p->steps + 1.0);
}

/* Arrays a seed records. */
enum { RECORDED = 14 };

/* Seeds in a block. */
enum { MOST_SEEDS = 64 };

/* Products of matrices do not wait for the memory, as estimates of ensembles have it. */
static const double BLOCKED = 0.3;

/* Eigenpairs of a symmetric matrix of n rows. */
static double eigen_flops(double n) {
    return 12.0 * n * n * n;
}

static double student_flops(const nnd_scaling_laws *p, double m, double n, double samples,
                            double batch) {
    double rank = samples > 0.0 && samples < n ? samples : n, times = recorded_times(p);
    double rows = samples > 0.0 ? samples : m, measured = times * 2.0 * m * n;
    if (p->training == NND_SCALING_ONE_PASS)
        return (double)p->steps * 4.0 * (n + batch) * m;
    if (p->training == NND_SCALING_MINI_BATCH)
        return (double)p->steps * 4.0 * batch * n + measured + 2.0 * samples * n * m;
    return BLOCKED * (2.0 * rows * n * m + rows * n * rank + eigen_flops(rank) +
                      4.0 * rank * n * m + times * 2.0 * rank * m);
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_scaling_laws *p = params;
    double m = (double)nnd_scaling_modes_at(p, size),
           samples = (double)nnd_scaling_samples_at(p, size);
    double width = (double)nnd_scaling_width_at(p, size), n = width > 0.0 ? width : m;
    double batch = (double)nnd_scaling_batch_at(p, size), times = recorded_times(p);
    double projections = (double)nnd_scaling_projections(p), sets = (double)nnd_scaling_sets(p);
    double students = projections * sets, rank = samples > 0.0 && samples < n ? samples : n;
    /* What a normal number takes, in operations. */
    const double normal = 15.0;
    bool exact = width == 0.0 && samples == 0.0 && !nnd_scaling_laws_has_batches(p);
    double drawn = (double)(width > 0.0) * projections * n * m + sets * samples * m;
    if (p->training == NND_SCALING_ONE_PASS)
        drawn += (double)p->steps * sets * batch * m;
    double kept =
        exact ? 0.0 : (samples > 0.0 ? samples : m) * n + rank * (3.0 * rank + times + m + n);
    if (p->training == NND_SCALING_MINI_BATCH)
        kept = students * samples * n;
    nnd_simulation_cost c = {
        .bytes = sizeof(double) * (2.0 * (double)(width > 0.0) * n * m + 2.0 * samples * m +
                                   2.0 * batch * m + students * times * m + kept),
        .record_bytes = sizeof(double) * RECORDED * times,
    };
    c.flops = normal * drawn + 20.0 * times * m +
              (exact ? 20.0 * times * m : students * student_flops(p, m, n, samples, batch));
    if (nnd_scaling_laws_has_data(p)) {
        double bytes, flops;
        nnd_feature_spectrum_cost(&p->data, &bytes, &flops);
        c.flops += flops / MOST_SEEDS + 2.0 * drawn * m;
        c.bytes += bytes;
    }
    return c;
}

/* Seeds per block: about a second of work; as many as may be where each block measures data. */
static size_t block(const void *params, size_t size) {
    const double work = 5e8;
    double n = work / cost(params, size).flops;
    if (nnd_scaling_laws_has_data(params))
        return MOST_SEEDS;
    return n < 1.0 ? 1 : (size_t)fmin(n, MOST_SEEDS);
}

/* ---- what makes sense at a size ---- */

/* Rows of an eigenproblem whose workspace LAPACK can count. */
static const size_t LARGEST_EIGENPROBLEM = 30000;

/* Counts that BLAS, and memory, can take. */
static const double LARGEST = 1e7;

static bool check_count(const char *key, double count, size_t size, nnd_objection *o) {
    double n = size > 0 ? (double)size : 1.0;
    return isinf(count) || count * n <= LARGEST ||
           nnd_object(o, key, "%.10g%s is too many for a simulation; allowed: at most %g",
                      count * n, n > 1.0 ? " at this size" : "", LARGEST);
}

/* The smaller of samples and parameters, where students take an eigenproblem. */
static bool check_eigenproblem(const nnd_scaling_laws *p, size_t size, nnd_objection *o) {
    size_t width = nnd_scaling_width_at(p, size), samples = nnd_scaling_samples_at(p, size);
    size_t rows = width > 0 ? width : nnd_scaling_modes_at(p, size);
    bool exact = width == 0 && samples == 0;
    if (samples > 0 && samples < rows)
        rows = samples;
    return nnd_scaling_laws_has_batches(p) || exact || rows <= LARGEST_EIGENPROBLEM ||
           nnd_object(o, width > 0 ? "width" : "samples",
                      "an eigenproblem of %zu rows; allowed: at most %zu", rows,
                      LARGEST_EIGENPROBLEM);
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_scaling_laws *p = params;
    const char *features =
        p->features.eigenvalues.count > 0 ? "features.multiplicity" : "features.count";
    if (!check_count(features, nnd_scaling_laws_dim(p), size, o) ||
        !check_count("width", p->width, size, o) || !check_count("samples", p->samples, size, o) ||
        !check_count("batch", (double)p->batch, size, o) || !check_eigenproblem(p, size, o))
        return false;
    if (size > 1 && nnd_scaling_laws_has_data(p))
        return nnd_object(o, "size",
                          "%zu: features of data are as many as they are; allowed: 1, "
                          "or no size",
                          size);
    if (size > 1 && nnd_scaling_laws_has_batches(p) && p->batch_terms == NND_BATCH_EXACT)
        return nnd_object(o, "batch_terms",
                          "exact is of one batch size, but size %zu has batches of %zu; allowed: "
                          "limit, or no size",
                          size, nnd_scaling_batch_at(p, size));
    if (p->training != NND_SCALING_FLOW && p->training != NND_SCALING_RIDGE &&
        (double)p->steps > 1e8 && nnd_scaling_laws_has_batches(p))
        return nnd_object(o, "steps", "%lld are too many to take one by one; allowed: at most 1e8",
                          (long long)p->steps);
    return true;
}

/* ---- one block ---- */

typedef struct {
    nnd_context *ctx;
    const nnd_scaling_laws *p;
    nnd_scaling_task task;
    nnd_reals times; /* empty: ridge */
    nnd_scaling_errors errors;
    nnd_frame *frame;
} simulation;

static nnd_status make_frame(simulation *s, size_t first_seed, size_t count) {
    static const char *const curves[] = {
        "test_mse", "test_risk", "same_projection", "same_data", "independent",
        "bias",     "var_data",  "var_projection",  "var_joint", "ensemble_risk"};
    bool flow = s->p->training == NND_SCALING_FLOW;
    nnd_status status = nnd_frame_new(s->ctx, &s->frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(s->frame, "seed", count, (double)first_seed);
    if (status == NND_OK && s->times.count > 0)
        status = nnd_frame_add_dim(s->frame, "t", flow ? NND_COORD_REAL : NND_COORD_INTEGER,
                                   s->times.count, s->times.value);
    if (status == NND_OK)
        status = nnd_frame_add(s->frame, NND_DIVERGED_AT, "seed", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof curves / sizeof *curves; i++)
        status = nnd_frame_add_variable(s->frame, &nnd_scaling_laws_model, curves[i], NULL);
    if (status == NND_OK && s->p->training != NND_SCALING_ONE_PASS)
        status = nnd_frame_add_variable(s->frame, &nnd_scaling_laws_model, "train_mse", NULL);
    if (status == NND_OK && !nnd_scaling_laws_has_batches(s->p))
        status = nnd_frame_add_variable(s->frame, &nnd_scaling_laws_model, "top_eigenvalue", NULL);
    if (status == NND_OK && s->p->training == NND_SCALING_GD)
        status = nnd_frame_add_variable(s->frame, &nnd_scaling_laws_model, "stability", NULL);
    if (status == NND_OK)
        status = nnd_seed_frame_add_controls(s->frame, nnd_scaling_controls(s->p));
    return status;
}

/* E of the product of errors of two students, over pairs that share a projection (or not) and data
 * (or not), at recorded time t. */
static double moment(const simulation *s, size_t t, bool projection, bool data) {
    const nnd_scaling_errors *e = &s->errors;
    size_t m = e->modes, projections = s->task.projections, sets = s->task.sets;
    double sum = 0.0;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++) {
            size_t other_i = projection ? i : 1 - i, other_j = data ? j : 1 - j;
            size_t a = i % projections * sets + j % sets;
            size_t b = other_i % projections * sets + other_j % sets;
            sum += cblas_ddot((int)m, e->v[a] + t * m, 1, e->v[b] + t * m, 1) / 4.0;
        }
    return sum;
}

static void put(const simulation *s, const char *name, size_t seed, size_t t, double value) {
    double *row = nnd_seed_row(s->frame, name, seed);
    if (row != NULL)
        row[t] = value;
}

static void store_time(const simulation *s, size_t seed, size_t t) {
    double risk = moment(s, t, true, true), projection = moment(s, t, true, false);
    double data = moment(s, t, false, true), independent = moment(s, t, false, false);
    double a = (double)s->p->ensemble.projections, d = (double)s->p->ensemble.data, train = 0.0;
    for (size_t i = 0; i < s->errors.students; i++)
        train += s->errors.train[i][t] / (double)s->errors.students;
    put(s, "test_mse", seed, t, risk + s->task.noise2);
    put(s, "train_mse", seed, t, train);
    put(s, "test_risk", seed, t, risk);
    put(s, "same_projection", seed, t, projection);
    put(s, "same_data", seed, t, data);
    put(s, "independent", seed, t, independent);
    put(s, "bias", seed, t, independent);
    put(s, "var_data", seed, t, data - independent);
    put(s, "var_projection", seed, t, projection - independent);
    put(s, "var_joint", seed, t, risk - data - projection + independent);
    put(s, "ensemble_risk", seed, t,
        (risk + (d - 1.0) * projection + (a - 1.0) * data + (a - 1.0) * (d - 1.0) * independent) /
            (a * d));
}

static void store(const simulation *s, size_t seed) {
    put(s, NND_DIVERGED_AT, seed, 0, s->errors.diverged_at);
    put(s, "top_eigenvalue", seed, 0, s->errors.top);
    put(s, "stability", seed, 0, s->p->lr * s->errors.top);
    for (size_t t = 0; t < s->errors.recorded; t++)
        store_time(s, seed, t);
}

static nnd_status train(simulation *s, nnd_rng_key key, size_t seed) {
    double *control = nnd_seed_row(s->frame, NND_CONTROL, seed);
    nnd_scaling_task_draw(&s->task, key);
    if (control != NULL)
        nnd_scaling_control(&s->task, control);
    return nnd_scaling_laws_has_batches(s->p)
               ? nnd_scaling_train_batches(s->ctx, &s->task, key, &s->errors)
               : nnd_scaling_train_spectral(s->ctx, &s->task, &s->errors);
}

static nnd_status make(simulation *s, size_t size) {
    static const double end[] = {INFINITY};
    nnd_status status = NND_OK;
    if (nnd_scaling_laws_is_timed(s->p))
        status = nnd_scaling_laws_times(s->ctx, s->p, &s->times);
    if (status == NND_OK)
        status = nnd_scaling_task_make(s->ctx, s->p, size, &s->task);
    bool timed = s->times.count > 0;
    if (status == NND_OK)
        status = nnd_scaling_errors_make(s->ctx, &s->task, timed ? s->times.count : 1,
                                         timed ? s->times.value : end, &s->errors);
    return status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    simulation s = {.ctx = ctx, .p = params};
    nnd_status status = make(&s, size);
    if (status == NND_OK)
        status = make_frame(&s, first_seed, count);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        status = train(&s, (nnd_rng_key){base_seed, first_seed + i, size}, i);
        if (status == NND_OK)
            store(&s, i);
    }
    nnd_hand_over(status == NND_OK, s.frame, frame);
    nnd_scaling_errors_clear(&s.errors);
    nnd_scaling_task_clear(&s.task);
    free(s.times.value);
    return status;
}

/* ---- the recipe for a deep-learning framework ---- */

static void describe(const nnd_scaling_laws *p, size_t size, char *text, size_t length) {
    char momentum[64] = "";
    size_t batch = nnd_scaling_batch_at(p, size);
    if (p->momentum > 0.0)
        nnd_format(momentum, sizeof momentum, " with momentum %g", p->momentum);
    switch (p->training) {
    case NND_SCALING_GD:
        nnd_format(text, length, "full-batch SGD%s on |y - f|^2/(2P); matrix 0 is frozen",
                   momentum);
        return;
    case NND_SCALING_ONE_PASS:
        nnd_format(text, length,
                   "SGD on |y - f|^2/(2B), %zu fresh samples a step; matrix 0 is frozen", batch);
        return;
    case NND_SCALING_MINI_BATCH:
        nnd_format(text, length,
                   "SGD on |y - f|^2/(2B), %zu of the samples a step, drawn anew each time; matrix "
                   "0 is frozen",
                   batch);
        return;
    case NND_SCALING_RIDGE:
        nnd_format(text, length,
                   "full-batch SGD on |y - f|^2/(2P) with weight_decay %g, converged; matrix 0 is "
                   "frozen",
                   p->ridge);
        return;
    default:
        nnd_format(text, length,
                   "gradient flow on |y - f|^2/(2P): full-batch SGD with a small "
                   "rate; matrix 0 is frozen");
    }
}

/* Matrix 0 projects the features, matrix 1 is the readout, which is trained from 0. Without a
 * projection only the readout is there. */
static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_scaling_laws *p = params;
    double *std = NULL, *lr = NULL, width = (double)nnd_scaling_width_at(p, size);
    size_t matrices = width > 0.0 ? 2 : 1;
    char text[256];
    describe(p, size, text, sizeof text);
    nnd_status status =
        nnd_recipe_new(ctx, 0, matrices, width > 0.0 ? sqrt(width) : 1.0, text, out, &std, &lr);
    if (status != NND_OK)
        return status;
    for (size_t l = 0; l < matrices; l++) {
        bool readout = l + 1 == matrices;
        std[l] = readout ? 0.0 : 1.0;
        lr[l] = !readout ? 0.0 : isnan(p->lr) ? 0.1 : p->lr;
    }
    return NND_OK;
}

const nnd_simulator nnd_scaling_laws_simulator = {
    .model = &nnd_scaling_laws_model,
    .block = block,
    .simulate = simulate,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
