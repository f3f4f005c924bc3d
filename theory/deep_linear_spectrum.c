/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_spectrum.h"

#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "nndmft/solvers/bulk.h"
#include "theory/claims.h"
#include "theory/deep_linear_escape.h"
#include "theory/deep_linear_modes.h"
#include "theory/deep_linear_weights.h"

/* An overlap with the residual is compared from the size at which the floor 1/P is this fraction.
 */
static const double FLOOR_FRACTION = 0.01;
/* Times between recorded ones at which it is asked whether the run is beyond the edge of stability.
 */
static const double MOST_WATCHED = 64.0;
/* Coordinates from which on the pieces of a look are worth a thread each, which waits for the
 * others and for the next look by spinning. */
enum { WORTH_A_THREAD = 400 };

struct nnd_spectra {
    nnd_context *ctx;
    const nnd_deep_linear *p;
    nnd_frame *frame;
    nnd_escape *escape; /* per matrix; NULL: not asked for */
    size_t watched;     /* every so many steps; 0: never */
    double beyond, kappa;
    bool seen; /* any recorded time */
};

static double *values(const nnd_spectra *s, const char *name) {
    return nnd_frame_find(s->frame, name)->data;
}

/* ---- arrays ---- */

static nnd_status add_arrays(nnd_frame *frame, size_t n, const char *const *array) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < n; i++)
        status = nnd_frame_add_variable(frame, &nnd_deep_linear_model, array[i], NULL);
    return status;
}

static nnd_status add_outlier_arrays(nnd_spectra *s) {
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
    size_t depth = (size_t)s->p->depth, count = (size_t)s->p->outliers;
    nnd_status status = add_arrays(s->frame, sizeof arrays / sizeof *arrays, arrays);
    s->escape = calloc(depth, sizeof *s->escape);
    if (status == NND_OK && s->escape == NULL)
        status = nnd_fail_memory(s->ctx, "the escape times");
    for (size_t l = 0; status == NND_OK && l < depth; l++)
        nnd_escape_begin(&s->escape[l], count, values(s, "escape_time") + l * count);
    return status;
}

static nnd_status add_ntk_arrays(const nnd_spectra *s) {
    static const char *const arrays[] = {"ntk_top", ("ntk_top" NND_MIN_SIZE), "ntk_edge"};
    static const char *const descent[] = {"stability", "stability" NND_MIN_SIZE};
    static const char *const fixed[] = {"ntk_residual_overlap",
                                        "ntk_residual_overlap" NND_MIN_SIZE};
    nnd_status status = add_arrays(s->frame, 3, arrays);
    if (status == NND_OK && s->p->integrator == NND_DESCENT)
        status = add_arrays(s->frame, 2, descent);
    /* deep-linear.md#s4, with decay mu of the weights: -1 is a root of
     * z^2 - (1 - mu + m - eta0 lambda) z + m (1 - mu). */
    const nnd_deep_linear *p = s->p;
    if (status == NND_OK && p->integrator == NND_DESCENT)
        status = nnd_frame_add_number(s->frame, &nnd_deep_linear_model, "stability_edge",
                                      (2.0 - p->weight_decay) * (1.0 + p->momentum));
    if (status == NND_OK && p->training == NND_TRAIN_FIXED)
        status = add_arrays(s->frame, 2, fixed);
    return status;
}

static nnd_status add_density_arrays(nnd_spectra *s) {
    nnd_status status = nnd_deep_linear_add_bins(s->p, s->frame);
    return status == NND_OK
               ? nnd_frame_add_variable(s->frame, &nnd_deep_linear_model, "sv_density", NULL)
               : status;
}

/* 0: there is no edge, or every such step is recorded. */
static size_t watched_every(const nnd_deep_linear *p) {
    if (p->integrator != NND_DESCENT || !p->ntk || p->steps == 0)
        return 0;
    size_t every = (size_t)ceil((double)p->steps / MOST_WATCHED);
    return p->record.count == 0 && p->record_every <= (int64_t)every ? 0 : every;
}

nnd_status nnd_spectra_new(nnd_context *ctx, const nnd_deep_linear *p, nnd_frame *frame,
                           nnd_spectra **spectra) {
    nnd_spectra *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(ctx, "the spectra");
    *s = (nnd_spectra){.ctx = ctx,
                       .p = p,
                       .frame = frame,
                       .beyond = INFINITY,
                       .kappa = 1.0,
                       .watched = watched_every(p)};
    *spectra = s;
    if (!p->spectrum && !p->ntk && !p->density)
        return NND_OK;
    nnd_status status = nnd_frame_add_range(frame, "matrix", (size_t)p->depth, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "k", (size_t)p->outliers, 1.0);
    if (status == NND_OK && p->spectrum)
        status = add_outlier_arrays(s);
    if (status == NND_OK && p->ntk)
        status = add_ntk_arrays(s);
    if (status == NND_OK && p->density)
        status = add_density_arrays(s);
    return status;
}

void nnd_spectra_free(nnd_spectra *s) {
    if (s == NULL)
        return;
    for (size_t l = 0; s->escape != NULL && l < (size_t)s->p->depth; l++)
        nnd_escape_clear(&s->escape[l]);
    free(s->escape);
    free(s);
}

/* ---- one look ---- */

typedef struct {
    nnd_spectra *s;
    nnd_context *ctx;
    const nnd_small *n;
    size_t step, time; /* time: index of a recorded one, or SIZE_MAX */
    double now;
} look;

/* Variance of A_l(0) between the singular vectors of two outliers, made symmetric, times the
 * dimension D of the inputs: sigma^2/2 over the columns of A_l, D or N = nu D. */
static double matrix_variance(const look *at, size_t l) {
    double sigma = at->n->kappa * nnd_deep_linear_sigma(at->s->p, l);
    return 0.5 * sigma * sigma / (l == 0 ? 1.0 : at->s->p->nu);
}

static nnd_status outliers_at(const look *at, size_t l) {
    const nnd_spectra *s = at->s;
    size_t depth = at->n->depth, count = (size_t)s->p->outliers, time = at->time;
    nnd_weight_outliers out = {
        .value = values(s, "outlier") + (time * depth + l) * count,
        .target = l == 0 ? values(s, "outlier_overlap_target") + time * count : NULL,
        .readout = l + 1 == depth ? values(s, "outlier_overlap_readout") + time * count : NULL,
        .count = count,
    };
    nnd_status status = nnd_small_outliers(at->ctx, at->n, l, &out);
    values(s, "bulk_edge")[time * depth + l] = out.edge;
    double *least = values(s, "outlier" NND_MIN_SIZE) + (time * depth + l) * count;
    for (size_t j = 0; j < count; j++) {
        double variance = matrix_variance(at, l);
        least[j] = nnd_claim_outlier(out.edge, count, out.value, j, 0.0, variance);
        if (l == 0)
            values(s, "outlier_overlap_target" NND_MIN_SIZE)[time * count + j] =
                nnd_claim_overlap(count, out.value, out.target, j, variance, least[j]);
        if (l + 1 == depth)
            values(s, "outlier_overlap_readout" NND_MIN_SIZE)[time * count + j] =
                nnd_claim_overlap(count, out.value, out.readout, j, variance, least[j]);
    }
    return status;
}

/* One matrix: the outliers of a recorded time, and those that escape. */
static nnd_status matrix_at(const look *at, size_t l) {
    nnd_escape *escape = &at->s->escape[l];
    nnd_status status = NND_OK;
    if (at->time != SIZE_MAX)
        status = outliers_at(at, l);
    if (status == NND_OK && nnd_escape_due(escape->last, at->now))
        status = nnd_escape_look(at->ctx, escape, at->n, l, at->now);
    return status;
}

/* Variance of the NTK between two of its eigenvectors, relative to their eigenvalues and times D:
 * of the weights, whose L Wishart matrices of N = nu D neurons enter its L + 1 terms as in a wide
 * network (number m of them in L + 1 - m terms), and of P = alpha D samples. */
static double ntk_variance(const nnd_deep_linear *p) {
    double depth = (double)p->depth;
    double weights = depth * (2.0 * depth + 1.0) / (6.0 * (depth + 1.0) * p->nu);
    return weights + (p->training == NND_TRAIN_FIXED ? 1.0 / p->alpha : 0.0);
}

static double rate_at(const look *at) {
    return at->s->p->lr * nnd_deep_linear_rate(at->s->p, at->step);
}

static nnd_status ntk_at(const look *at) {
    const nnd_spectra *s = at->s;
    const nnd_deep_linear *p = s->p;
    size_t count = (size_t)p->outliers, time = at->time;
    double *top = values(s, "ntk_top") + time * count;
    double *least = values(s, "ntk_top" NND_MIN_SIZE) + time * count;
    nnd_ntk_modes modes = {.value = top, .count = count};
    nnd_status status = nnd_small_ntk(at->ctx, at->n, at->step, &modes);
    if (status != NND_OK)
        return status;
    values(s, "ntk_edge")[time] = modes.edge;
    for (size_t j = 0; j < count; j++)
        least[j] = nnd_claim_outlier(modes.edge, count, top, j, ntk_variance(p), 0.0);
    if (p->integrator == NND_DESCENT) {
        values(s, "stability")[time] = rate_at(at) * (isnan(top[0]) ? modes.edge : top[0]);
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

/* Whether the stability is above its edge, at a step that is not recorded. */
static nnd_status watch(const look *at) {
    double rate = rate_at(at), edge = values(at->s, "stability_edge")[0];
    bool above = false;
    if (!(rate > 0.0) || isfinite(at->s->beyond))
        return NND_OK;
    nnd_status status = nnd_small_ntk_above(at->ctx, at->n, edge / rate, &above);
    if (status == NND_OK && above)
        at->s->beyond = (double)at->step;
    return status;
}

static nnd_status piece(nnd_context *ctx, size_t i, void *data) {
    look at = *(const look *)data;
    at.ctx = ctx;
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at the spectra of t = %g", at.now);
    if (i < at.n->depth)
        return at.s->escape != NULL ? matrix_at(&at, i) : NND_OK;
    if (!at.s->p->ntk)
        return NND_OK;
    return at.time != SIZE_MAX ? ntk_at(&at) : watch(&at);
}

static bool is_large(const nnd_small *n) {
    size_t most = 0;
    for (size_t l = 0; l <= n->depth; l++) {
        size_t dim = nnd_conditioned_dim(n->system, n->space[l]);
        most = dim > most ? dim : most;
    }
    return most >= WORTH_A_THREAD;
}

nnd_status nnd_spectra_look(nnd_spectra *s, const nnd_small *n, size_t step, double time,
                            size_t recorded) {
    look at = {s, s->ctx, n, step, recorded, time};
    bool watched = s->watched > 0 && step % s->watched == 0;
    bool due = s->escape != NULL && nnd_escape_due(s->escape[0].last, time);
    if (recorded != SIZE_MAX) {
        s->kappa = n->kappa;
        s->seen = true;
    } else if (!watched && !due)
        return NND_OK;
    size_t pieces = n->depth + (watched || recorded != SIZE_MAX ? 1 : 0);
    return nnd_parallel(s->ctx, is_large(n) ? nnd_context_threads(s->ctx) : 1, pieces, piece, &at);
}

/* ---- the end ---- */

static nnd_status claim(nnd_frame *frame, size_t n, const char *const *variable) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < n; i++)
        if (nnd_frame_find(frame, variable[i]) != NULL)
            status = nnd_claim_outlier_reasons(frame, variable[i]);
    return status;
}

/* Densities of the bulks at the last recorded time. */
static void fill_density(const nnd_spectra *s) {
    const nnd_deep_linear *p = s->p;
    const nnd_dim *z = nnd_frame_find_dim(s->frame, "z");
    double *density = values(s, "sv_density");
    for (size_t l = 0; s->seen && l < (size_t)p->depth; l++)
        for (size_t i = 0; i < z->length; i++) {
            double scale = s->kappa * nnd_deep_linear_sigma(p, l);
            density[l * z->length + i] =
                nnd_bulk_density(scale * scale, l == 0 ? p->nu : 1.0, z->value[i]);
        }
}

nnd_status nnd_spectra_finish(nnd_spectra *s, double *beyond) {
    static const char *const of_weights[] = {"outlier", "outlier_overlap_target",
                                             "outlier_overlap_readout"};
    static const char *const of_ntk[] = {"ntk_top", "stability"};
    const nnd_deep_linear *p = s->p;
    nnd_status status = NND_OK;
    *beyond = s->beyond;
    if (p->spectrum)
        status = claim(s->frame, 3, of_weights);
    if (status == NND_OK && p->ntk)
        status = claim(s->frame, 2, of_ntk);
    if (status == NND_OK && p->density)
        fill_density(s);
    return status;
}

/* ---- cost ---- */

/* Measured: a search takes some ten factorisations of a third of a cube, and as much to set up. */
double nnd_spectra_work(const nnd_deep_linear *p, double coordinates, double times, double steps) {
    double depth = (double)p->depth, cube = coordinates * coordinates * coordinates;
    double looks = fmin(steps, 400.0) + 400.0 * log(fmax(1.0, steps / 400.0));
    double watched = watched_every(p) > 0 ? MOST_WATCHED : 0.0;
    return (p->spectrum ? depth * cube * (8.0 * times + 4.0 * looks) : 0.0) +
           (p->ntk ? depth * cube * (16.0 * times + 8.0 * watched) : 0.0);
}
