/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "nndmft/solvers/bulk.h"
#include "theory/claims.h"
#include "theory/deep_linear_ntk.h"
#include "theory/deep_linear_outliers.h"

/* An overlap with the residual is compared from the size at which the floor 1/P is this fraction.
 */
static const double FLOOR_FRACTION = 0.01;

/* The recorded times with the scheme's numbers at each. */
typedef struct {
    nnd_context *ctx;
    const nnd_dynamics *d;
    const nnd_timegrid *grid;
    size_t times, queries;
    double *kappa; /* per time */
    double *omega; /* per time, `queries` numbers */
    nnd_field_factors factors;
    nnd_frame *frame;
} level2;

static size_t query_of(const level2 *s, size_t time) {
    return s->grid->step[time] * s->d->stages;
}

/* Runs the scheme once more and keeps its rows at the recorded times. */
static nnd_status keep_rows(level2 *s) {
    nnd_scheme *scheme;
    s->queries = s->times > 0 ? query_of(s, s->times - 1) + 1 : 1;
    s->kappa = calloc(s->times + 1, sizeof(double));
    s->omega = calloc(s->times * s->queries + 1, sizeof(double));
    if (s->kappa == NULL || s->omega == NULL)
        return nnd_fail_memory(s->ctx, "the spectra");
    nnd_status status = nnd_dynamics_new_scheme(s->ctx, s->d, &scheme);
    if (status != NND_OK)
        return status;
    for (size_t q = 0, i = 0; i < s->times; q++) {
        if (q == query_of(s, i)) {
            s->kappa[i] = nnd_scheme_kappa(scheme);
            memcpy(s->omega + i * s->queries, nnd_scheme_omega(scheme), q * sizeof(double));
            i++;
        }
        if (i < s->times)
            nnd_scheme_advance(scheme);
    }
    nnd_scheme_free(scheme);
    return NND_OK;
}

static double *values(const level2 *s, const char *name) {
    return nnd_frame_find(s->frame, name)->data;
}

/* ---- weight matrices ---- */

/* Variance of A_l(0) between the singular vectors of two outliers, made symmetric, times the
 * dimension D of the inputs: sigma^2/2 over the columns of A_l, D or N = nu D. */
static double matrix_variance(const level2 *s, size_t time, size_t l) {
    double sigma = s->kappa[time] * nnd_deep_linear_sigma(s->d->params, l);
    return 0.5 * sigma * sigma / (l == 0 ? 1.0 : s->d->params->nu);
}

static nnd_status outliers_at(const level2 *s, size_t time, size_t l) {
    if (nnd_context_interrupted(s->ctx))
        return nnd_fail(s->ctx, NND_E_INTERRUPTED, "interrupted at layer %zu", l);
    size_t depth = s->d->depth, count = (size_t)s->d->params->outliers;
    nnd_weight_outliers out = {
        .value = values(s, "outlier") + (time * depth + l) * count,
        .target = l == 0 ? values(s, "outlier_overlap_target") + time * count : NULL,
        .readout = l + 1 == depth ? values(s, "outlier_overlap_readout") + time * count : NULL,
        .count = count,
    };
    nnd_status status = nnd_dynamics_outliers(s->ctx, s->d, &s->factors, l, query_of(s, time),
                                              s->kappa[time], s->omega + time * s->queries, &out);
    values(s, "bulk_edge")[time * depth + l] = out.edge;
    double *least = values(s, "outlier" NND_MIN_SIZE) + (time * depth + l) * count;
    for (size_t j = 0; j < count; j++) {
        least[j] =
            nnd_claim_outlier(out.edge, count, out.value, j, 0.0, matrix_variance(s, time, l));
        if (l == 0)
            values(s, "outlier_overlap_target" NND_MIN_SIZE)[time * count + j] = least[j];
        if (l + 1 == depth)
            values(s, "outlier_overlap_readout" NND_MIN_SIZE)[time * count + j] = least[j];
    }
    return status;
}

/* The indicators of A_l before and after a step: where one crosses 1, interpolated between. */
static void note_crossings(double steps, size_t count, const double *before, const double *now,
                           double *step) {
    for (size_t k = 0; k < count; k++)
        if (isnan(step[k]) && now[k] >= 1.0)
            step[k] = steps - (now[k] - 1.0) / (now[k] - before[k]);
}

/* First times at which indicators of A_l cross 1, NaN for those that do not: the smallest is the
 * last to do so. `work` has room for 2 count numbers. */
static nnd_status find_crossings(const level2 *s, size_t l, nnd_scheme *scheme, double *work,
                                 double *step) {
    const nnd_dynamics *d = s->d;
    size_t count = (size_t)d->params->outliers;
    double *before = work, *now = work + count;
    for (size_t q = 0; q < d->done && isnan(step[count - 1]); q++) {
        if (nnd_context_interrupted(s->ctx))
            return nnd_fail(s->ctx, NND_E_INTERRUPTED, "interrupted at layer %zu", l);
        if (q > 0 && q % d->stages == 0) {
            memcpy(before, now, count * sizeof *now);
            nnd_status status =
                nnd_dynamics_indicators(s->ctx, d, &s->factors, l, q, nnd_scheme_kappa(scheme),
                                        nnd_scheme_omega(scheme), count, now);
            if (status != NND_OK)
                return status;
            note_crossings((double)(q / d->stages), count, before, now, step);
        }
        nnd_scheme_advance(scheme);
    }
    return NND_OK;
}

static nnd_status escape_piece(nnd_context *ctx, size_t l, void *data) {
    level2 s = *(const level2 *)data;
    size_t count = (size_t)s.d->params->outliers;
    nnd_scheme *scheme = NULL;
    double *work = calloc(2 * count, sizeof *work);
    s.ctx = ctx;
    nnd_status status = work != NULL ? nnd_dynamics_new_scheme(ctx, s.d, &scheme)
                                     : nnd_fail_memory(ctx, "the escape times");
    if (status == NND_OK)
        status = find_crossings(&s, l, scheme, work, values(&s, "escape_time") + l * count);
    nnd_scheme_free(scheme);
    free(work);
    return status;
}

static nnd_status add_escape_times(level2 *s) {
    size_t depth = s->d->depth, count = (size_t)s->d->params->outliers;
    double *time = values(s, "escape_time");
    nnd_status failed = nnd_parallel(s->ctx, nnd_context_threads(s->ctx), depth, escape_piece, s);
    const nnd_deep_linear *p = s->d->params;
    double unit = p->integrator == NND_GRADIENT_FLOW ? p->time / (double)p->steps : 1.0;
    for (size_t i = 0; i < depth * count; i++)
        time[i] *= unit;
    return failed;
}

static nnd_status add_arrays(nnd_frame *frame, size_t n, const char *const *array) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < n; i++)
        status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, array[i], NULL);
    return status;
}

static nnd_status outliers_piece(nnd_context *ctx, size_t i, void *data) {
    level2 s = *(const level2 *)data;
    s.ctx = ctx;
    return outliers_at(&s, i / s.d->depth, i % s.d->depth);
}

static nnd_status add_outliers(level2 *s) {
    static const char *const arrays[] = {
        "outlier",
        "outlier" NND_MIN_SIZE,
        "bulk_edge",
        "escape_time",
        "outlier_overlap_target",
        "outlier_overlap_target" NND_MIN_SIZE,
        "outlier_overlap_readout",
        "outlier_overlap_readout" NND_MIN_SIZE,
    };
    static const char *const claimed[] = {"outlier", "outlier_overlap_target",
                                          "outlier_overlap_readout"};
    nnd_status status = add_arrays(s->frame, sizeof arrays / sizeof *arrays, arrays);
    if (status == NND_OK)
        status = nnd_parallel(s->ctx, nnd_context_threads(s->ctx), s->times * s->d->depth,
                              outliers_piece, s);
    for (size_t i = 0; status == NND_OK && i < sizeof claimed / sizeof *claimed; i++)
        status = nnd_claim_outlier_reasons(s->frame, claimed[i]);
    return status == NND_OK ? add_escape_times(s) : status;
}

/* ---- NTK ---- */

/* Variance of the NTK between two of its eigenvectors, relative to their eigenvalues and times D:
 * of the weights, whose L Wishart matrices of N = nu D neurons enter its L + 1 terms as in a wide
 * network (number m of them in L + 1 - m terms), and of P = alpha D samples. */
static double ntk_variance(const nnd_deep_linear *p) {
    double depth = (double)p->depth;
    double weights = depth * (2.0 * depth + 1.0) / (6.0 * (depth + 1.0) * p->nu);
    return weights + (p->training == NND_TRAIN_FIXED ? 1.0 / p->alpha : 0.0);
}

static nnd_status modes_at(const level2 *s, size_t time, nnd_ntk_modes *modes) {
    if (nnd_context_interrupted(s->ctx))
        return nnd_fail(s->ctx, NND_E_INTERRUPTED, "interrupted at the NTK");
    return nnd_dynamics_ntk(s->ctx, s->d, &s->factors, query_of(s, time), s->kappa[time],
                            s->omega + time * s->queries, modes);
}

/* Rate times the top of the NTK. */
static double stability_of(const level2 *s, size_t time, const nnd_ntk_modes *modes) {
    double rate = s->d->params->lr * nnd_deep_linear_rate(s->d->params, s->grid->step[time]);
    return rate * (isnan(modes->value[0]) ? modes->edge : modes->value[0]);
}

static nnd_status ntk_at(const level2 *s, size_t time) {
    const nnd_deep_linear *p = s->d->params;
    size_t count = (size_t)p->outliers;
    double *top = values(s, "ntk_top") + time * count;
    double *least = values(s, "ntk_top" NND_MIN_SIZE) + time * count;
    nnd_ntk_modes modes = {.value = top, .count = count};
    nnd_status status = modes_at(s, time, &modes);
    if (status != NND_OK)
        return status;
    values(s, "ntk_edge")[time] = modes.edge;
    for (size_t j = 0; j < count; j++)
        least[j] = nnd_claim_outlier(modes.edge, count, top, j, ntk_variance(p), 0.0);
    if (p->integrator == NND_DESCENT) {
        values(s, "stability")[time] = stability_of(s, time, &modes);
        values(s, "stability" NND_MIN_SIZE)[time] = least[0];
    }
    if (p->training == NND_TRAIN_FIXED) {
        double overlap = modes.residual_overlap;
        values(s, "ntk_residual_overlap")[time] = overlap;
        values(s, "ntk_residual_overlap" NND_MIN_SIZE)[time] =
            fmax(least[0], 1.0 / (FLOOR_FRACTION * p->alpha * overlap));
    }
    return NND_OK;
}

static nnd_status add_ntk_arrays(const level2 *s) {
    static const char *const arrays[] = {"ntk_top", ("ntk_top" NND_MIN_SIZE), "ntk_edge"};
    static const char *const descent[] = {"stability", "stability" NND_MIN_SIZE};
    static const char *const fixed[] = {"ntk_residual_overlap",
                                        "ntk_residual_overlap" NND_MIN_SIZE};
    nnd_status status = add_arrays(s->frame, 3, arrays);
    if (status == NND_OK && s->d->params->integrator == NND_DESCENT)
        status = add_arrays(s->frame, 2, descent);
    /* deep-linear.md#s4, with decay mu of the weights: -1 is a root of
     * z^2 - (1 - mu + m - eta0 lambda) z + m (1 - mu). */
    const nnd_deep_linear *p = s->d->params;
    if (status == NND_OK && p->integrator == NND_DESCENT)
        status = nnd_frame_add_number(s->frame, &nnd_deep_linear_model, "stability_edge",
                                      (2.0 - p->weight_decay) * (1.0 + p->momentum));
    if (status == NND_OK && p->training == NND_TRAIN_FIXED)
        status = add_arrays(s->frame, 2, fixed);
    return status;
}

static nnd_status ntk_piece(nnd_context *ctx, size_t time, void *data) {
    level2 s = *(const level2 *)data;
    s.ctx = ctx;
    return ntk_at(&s, time);
}

static nnd_status add_ntk(level2 *s) {
    static const char *const claimed[] = {"ntk_top", "stability"};
    nnd_status status = add_ntk_arrays(s);
    if (status == NND_OK)
        status = nnd_parallel(s->ctx, nnd_context_threads(s->ctx), s->times, ntk_piece, s);
    for (size_t i = 0; status == NND_OK && i < sizeof claimed / sizeof *claimed; i++)
        if (nnd_frame_find(s->frame, claimed[i]) != NULL)
            status = nnd_claim_outlier_reasons(s->frame, claimed[i]);
    return status;
}

/* ---- the edge of stability between recorded times ---- */

/* Most and fewest times it is looked at, the part of the march's multiply-adds that this may take,
 * which are five times faster (some 20 % of its time), and those that are done in a moment. */
static const double MOST = 64.0, FEWEST = 8.0, PART = 0.04, MOMENT = 2e8;

static double ntk_work(const nnd_deep_linear *p, double queries);

/* Every so many steps; 0: not at all, every such step is recorded or there is no edge. */
static size_t watched_every(const nnd_deep_linear *p, double march_work) {
    double steps = (double)p->steps, each = ntk_work(p, steps + 1.0), times = MOST;
    if (p->integrator != NND_DESCENT || !p->ntk || p->steps == 0)
        return 0;
    if (MOST * each > fmax(MOMENT, PART * march_work))
        times = fmax(FEWEST, fmax(MOMENT, PART * march_work) / each);
    size_t every = (size_t)ceil(steps / times);
    return p->record.count == 0 && p->record_every <= (int64_t)every ? 0 : every;
}

typedef struct {
    level2 at;
    double *stability;
} watch;

static nnd_status watch_piece(nnd_context *ctx, size_t time, void *data) {
    const watch *w = data;
    level2 s = w->at;
    double top;
    nnd_ntk_modes modes = {.value = &top, .count = 1};
    s.ctx = ctx;
    nnd_status status = modes_at(&s, time, &modes);
    if (status == NND_OK)
        w->stability[time] = stability_of(&s, time, &modes);
    return status;
}

/* The first of the watched steps at which the stability is above the edge; INFINITY: none. */
static nnd_status watch_edge(const level2 *s, double *beyond) {
    double bytes, work;
    nnd_march_cost(s->d->march, &bytes, &work);
    size_t every = watched_every(s->d->params, work);
    *beyond = INFINITY;
    if (every == 0 || s->d->done == 0)
        return NND_OK;
    const nnd_integers all = {0};
    nnd_timegrid grid = {0};
    watch w = {.at = *s};
    w.at.grid = &grid;
    w.at.kappa = w.at.omega = NULL;
    nnd_status status = nnd_timegrid_make(s->ctx, (size_t)s->d->params->steps, &all, every, &grid);
    for (w.at.times = 0; w.at.times < grid.count && query_of(&w.at, w.at.times) < s->d->done;)
        w.at.times++;
    if (status == NND_OK)
        status = keep_rows(&w.at);
    w.stability = calloc(w.at.times + 1, sizeof *w.stability);
    if (status == NND_OK && w.stability == NULL)
        status = nnd_fail_memory(s->ctx, "the edge of stability");
    if (status == NND_OK)
        status = nnd_parallel(s->ctx, nnd_context_threads(s->ctx), w.at.times, watch_piece, &w);
    double edge = values(s, "stability_edge")[0];
    for (size_t i = w.at.times; status == NND_OK && i-- > 0;)
        if (w.stability[i] > edge)
            *beyond = (double)grid.step[i];
    free(w.stability);
    free(w.at.kappa);
    free(w.at.omega);
    nnd_timegrid_clear(&grid);
    return status;
}

/* ---- density of the bulk ---- */

static nnd_status add_density(const level2 *s) {
    const nnd_deep_linear *p = s->d->params;
    double *density;
    nnd_status status = nnd_deep_linear_add_bins(p, s->frame);
    if (status == NND_OK)
        status = nnd_frame_add_variable(s->frame, &nnd_deep_linear_model, "sv_density", &density);
    if (status != NND_OK || s->times == 0)
        return status;
    const nnd_dim *z = nnd_frame_find_dim(s->frame, "z");
    double kappa = s->kappa[s->times - 1];
    for (size_t l = 0; l < s->d->depth; l++)
        for (size_t i = 0; i < z->length; i++) {
            double scale = kappa * nnd_deep_linear_sigma(p, l);
            density[l * z->length + i] =
                nnd_bulk_density(scale * scale, l == 0 ? p->nu : 1.0, z->value[i]);
        }
    return NND_OK;
}

nnd_status nnd_deep_linear_add_spectrum(nnd_context *ctx, const nnd_dynamics *d,
                                        const nnd_timegrid *grid, size_t sound, nnd_frame *frame,
                                        double *beyond) {
    const nnd_deep_linear *p = d->params;
    *beyond = INFINITY;
    level2 s = {.ctx = ctx, .d = d, .grid = grid, .times = sound, .frame = frame};
    if (!p->spectrum && !p->ntk && !p->density)
        return NND_OK;
    nnd_status status = keep_rows(&s);
    if (status == NND_OK && (p->spectrum || p->ntk) && d->done > 0)
        status = nnd_field_factors_make(ctx, d, d->done, &s.factors);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "matrix", d->depth, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "k", (size_t)p->outliers, 1.0);
    if (status == NND_OK && p->spectrum)
        status = add_outliers(&s);
    if (status == NND_OK && p->ntk)
        status = add_ntk(&s);
    if (status == NND_OK && p->ntk && p->integrator == NND_DESCENT)
        status = watch_edge(&s, beyond);
    if (status == NND_OK && p->density)
        status = add_density(&s);
    nnd_field_factors_clear(&s.factors);
    free(s.kappa);
    free(s.omega);
    return status;
}

/* Spikes keep some 20 directions. Measured: a search takes some 15 evaluations, of the tangent
 * kernel 4, but with up to two layers, which grow few outliers, mostly one or two. */
static const double RANK = 20.0;

static double ntk_work(const nnd_deep_linear *p, double queries) {
    double depth = (double)p->depth, evaluations = p->depth < 3 ? 0.8 : 4.0;
    return queries * queries / 3.0 * 8.0 * depth * depth * RANK * evaluations;
}

double nnd_deep_linear_spectrum_work(const nnd_deep_linear *p, double march_work, double queries,
                                     double times) {
    double depth = (double)p->depth, of_weights = times * (p->depth < 3 ? 1.5 : 15.0);
    size_t every = watched_every(p, march_work);
    double watched = every > 0 ? (double)p->steps / (double)every + 1.0 : 0.0;
    double weights = queries * queries / 3.0 * depth * 4.0 * RANK * (of_weights + queries);
    return (p->spectrum ? weights : 0.0) +
           (p->ntk ? (times + watched) * ntk_work(p, queries) : 0.0);
}
