/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/many_outputs_laws.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "nndmft/solvers/tracy_widom.h"
#include "solvers/cmplx.h"
#include "theory/claims.h"
#include "theory/many_outputs_law.h"

/* A law and its edges at each recorded time. */
typedef struct {
    nnd_context *ctx;
    const nnd_many_outputs *p;
    nnd_frame *frame;
    nnd_outputs_scales scales;
    size_t times;
    const double *time;
    nnd_outputs_law *law;
    nnd_edges *edges;
    nnd_reals z;
} task;

/* ---- which law ---- */

static nnd_status check_stable(nnd_context *ctx, const nnd_many_outputs *p) {
    nnd_outputs_scales y = nnd_many_outputs_scales(p);
    double most = (1.0 + sqrt(y.c)) * (1.0 + sqrt(y.c)), rate = nnd_many_outputs_rate(p);
    if (isfinite(p->p))
        most *= (1.0 + sqrt(y.d / p->p)) * (1.0 + sqrt(y.d / p->p));
    if (p->integrator == NND_GRADIENT_FLOW || rate * most < 2.0)
        return NND_OK;
    return nnd_fail(ctx, NND_E_INPUT,
                    "params.lr: %g is not stable, as rates are %g times those of the mean mode; "
                    "allowed: below %g",
                    p->lr, most, 2.0 / most * p->lr / rate);
}

/* Without an end of training some modes are learned as slowly as one likes. */
static nnd_status check_end(nnd_context *ctx, const nnd_many_outputs *p, double time) {
    double d = nnd_many_outputs_scales(p).d;
    if (!isinf(time) || p->p != d || p->label_noise == 0.0)
        return NND_OK;
    return nnd_fail(
        ctx, NND_E_INPUT,
        "params.p: %g, as many samples as inputs: at time: inf label noise has no upper "
        "end; allowed: another p, or a finite time",
        p->p);
}

/* Both layers, or a target that is not isotropic. */
static bool is_pencil(const nnd_many_outputs *p) {
    return p->variant == NND_BOTH_TRAINED || nnd_many_outputs_modes(p) > 0;
}

static nnd_status law_at(nnd_context *ctx, const nnd_many_outputs *p, double time,
                         nnd_outputs_law *law) {
    nnd_status status = p->variant == NND_BOTH_TRAINED ? NND_OK : check_stable(ctx, p);
    if (status == NND_OK)
        status = check_end(ctx, p, time);
    if (status != NND_OK)
        return status;
    if (is_pencil(p))
        return nnd_outputs_law_pencil(ctx, p, time, law);
    return isfinite(p->p) ? nnd_outputs_law_samples(ctx, p, time, law)
                          : nnd_outputs_law_readout(ctx, p, time, law);
}

static nnd_status make_law(nnd_context *ctx, size_t t, void *data) {
    task *x = data;
    bool flow = x->p->integrator == NND_GRADIENT_FLOW;
    double time = flow ? x->scales.rate * x->time[t] : x->time[t];
    nnd_status status = law_at(ctx, x->p, time, &x->law[t]);
    if (status == NND_OK && x->p->spikes.count > 0 && x->law[t].methods->outlier == NULL)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.spikes: there is no theory of outliers with finitely many samples; "
                        "allowed: p: inf");
    return status == NND_OK ? x->law[t].methods->edges(ctx, x->law[t].self, &x->edges[t]) : status;
}

static nnd_status make_laws(task *x) {
    x->law = calloc(x->times, sizeof *x->law);
    x->edges = calloc(x->times, sizeof *x->edges);
    if (x->law == NULL || x->edges == NULL)
        return nnd_fail_memory(x->ctx, "the laws of weights");
    return nnd_parallel(x->ctx, nnd_context_threads(x->ctx), x->times, make_law, x);
}

static void clear(task *x) {
    for (size_t t = 0; t < x->times; t++) {
        if (x->law != NULL)
            nnd_outputs_law_clear(&x->law[t]);
        if (x->edges != NULL)
            nnd_edges_clear(&x->edges[t]);
    }
    free(x->law);
    free(x->edges);
    free(x->z.value);
}

/* ---- arrays ---- */

/* An array and its errors; `error` is NULL where there are none. */
typedef struct {
    double *value, *error;
} pair;

static nnd_status add(const task *x, const char *name, pair *out) {
    char error[NND_COMPANION_SIZE];
    (void)nnd_companion_name(name, NND_SE, sizeof error, error);
    nnd_status status =
        nnd_frame_add_variable(x->frame, &nnd_many_outputs_model, name, &out->value);
    return status == NND_OK
               ? nnd_frame_add_variable(x->frame, &nnd_many_outputs_model, error, &out->error)
               : status;
}

static void put(const pair *out, size_t i, nnd_estimate x) {
    out->value[i] = x.value;
    out->error[i] = x.error;
}

/* ---- edges and gaps ---- */

/* An upper edge below a lower one. */
static bool is_gap(const nnd_edges *e, size_t i) {
    return i + 1 < e->count && e->edge[i].upper && !e->edge[i + 1].upper;
}

static size_t count_gaps(const nnd_edges *e) {
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++)
        n += is_gap(e, i) ? 1 : 0;
    return n;
}

static nnd_status add_edges(task *x) {
    static const char *const sides[] = {"lower", "upper"};
    size_t edges = 0, gaps = 0;
    pair z, kappa, gap, mass;
    for (size_t t = 0; t < x->times; t++) {
        edges = x->edges[t].count > edges ? x->edges[t].count : edges;
        gaps = count_gaps(&x->edges[t]) > gaps ? count_gaps(&x->edges[t]) : gaps;
    }
    if (edges == 0)
        return NND_OK;
    nnd_status status = nnd_frame_add_range(x->frame, "edge", edges, 1.0);
    if (status == NND_OK)
        status = add(x, "edges", &z);
    if (status == NND_OK)
        status = add(x, "edge_kappa", &kappa);
    if (status == NND_OK && gaps > 0)
        status = nnd_frame_add_range(x->frame, "gap", gaps, 1.0);
    if (status == NND_OK && gaps > 0)
        status = nnd_frame_add_text_dim(x->frame, "side", 2, sides);
    if (status == NND_OK && gaps > 0)
        status = add(x, "gap", &gap);
    if (status == NND_OK && gaps > 0)
        status = add(x, "gap_mass", &mass);
    for (size_t t = 0; status == NND_OK && t < x->times; t++)
        for (size_t i = 0, g = t * gaps; i < x->edges[t].count; i++) {
            const nnd_edge *e = &x->edges[t].edge[i];
            put(&z, t * edges + i, (nnd_estimate){e[0].z, e[0].z_error});
            put(&kappa, t * edges + i, (nnd_estimate){e[0].kappa, e[0].kappa_error});
            if (!is_gap(&x->edges[t], i))
                continue;
            put(&gap, 2 * g, (nnd_estimate){e[0].z, e[0].z_error});
            put(&gap, 2 * g + 1, (nnd_estimate){e[1].z, e[1].z_error});
            put(&mass, g++, (nnd_estimate){e[0].mass, 0.0});
        }
    return status;
}

/* ---- outliers, and the largest eigenvalue ---- */

static nnd_status add_outliers(task *x) {
    size_t count = x->p->spikes.count;
    pair outlier, overlap;
    double *least[2];
    if (count == 0)
        return NND_OK;
    nnd_status status = add(x, "outlier", &outlier);
    if (status == NND_OK)
        status = add(x, "outlier_overlap", &overlap);
    if (status == NND_OK)
        status = nnd_frame_add_variable(x->frame, &nnd_many_outputs_model, "outlier" NND_MIN_SIZE,
                                        &least[0]);
    if (status == NND_OK)
        status = nnd_frame_add_variable(x->frame, &nnd_many_outputs_model,
                                        "outlier_overlap" NND_MIN_SIZE, &least[1]);
    for (size_t t = 0; status == NND_OK && t < x->times; t++) {
        const nnd_edges *e = &x->edges[t];
        double top = e->count > 0 ? e->edge[e->count - 1].z : 0.0;
        for (size_t k = 0; status == NND_OK && k < count; k++) {
            nnd_detached o;
            status = x->law[t].methods->outlier(x->ctx, x->law[t].self, x->p->spikes.value[k], &o);
            put(&outlier, t * count + k, (nnd_estimate){o.z, o.z_error});
            put(&overlap, t * count + k, (nnd_estimate){o.overlap, o.overlap_error});
        }
        /* <v_i, W^T W v_k> of two eigenvectors has the variance z_i z_k/N. */
        for (size_t k = 0; k < count; k++)
            least[0][t * count + k] = least[1][t * count + k] =
                nnd_claim_outlier(top, count, outlier.value + t * count, k, 1.0, 0.0);
    }
    if (status == NND_OK)
        status = nnd_claim_outlier_reasons(x->frame, "outlier");
    return status == NND_OK ? nnd_claim_outlier_reasons(x->frame, "outlier_overlap") : status;
}

/* The largest outlier at a time; NaN if there is none. */
static double largest_outlier(const task *x, size_t t) {
    const nnd_array *outlier = nnd_frame_find(x->frame, "outlier");
    double most = NAN;
    for (size_t k = 0; outlier != NULL && k < x->p->spikes.count; k++)
        most = fmax(most, outlier->data[t * x->p->spikes.count + k]);
    return most;
}

/* many-outputs.md#eq2, at widths where ratios are those of the case. */
static nnd_status add_top(task *x) {
    const nnd_many_outputs *p = x->p;
    bool listed = p->widths.count > 0;
    size_t count = listed ? p->widths.count : p->width != NND_ABSENT ? 1 : 0;
    double *mean, *sd;
    if (count == 0)
        return NND_OK;
    double *width = calloc(count, sizeof *width);
    if (width == NULL)
        return nnd_fail_memory(x->ctx, "the widths");
    for (size_t i = 0; i < count; i++)
        width[i] = (double)(listed ? p->widths.value[i] : p->width);
    nnd_status status =
        listed ? nnd_frame_add_dim(x->frame, "width", NND_COORD_INTEGER, count, width) : NND_OK;
    if (status == NND_OK)
        status = nnd_frame_add_variable(x->frame, &nnd_many_outputs_model, "top_mean", &mean);
    if (status == NND_OK)
        status = nnd_frame_add_variable(x->frame, &nnd_many_outputs_model, "top_sd", &sd);
    for (size_t t = 0; status == NND_OK && t < x->times; t++)
        for (size_t i = 0; i < count; i++) {
            const nnd_edges *e = &x->edges[t];
            double outlier = largest_outlier(x, t), *at = &mean[t * count + i];
            *at = outlier;
            if (!isnan(outlier) || e->count == 0)
                continue; /* what an outlier fluctuates by is not known */
            const nnd_edge *top = &e->edge[e->count - 1];
            double scale = pow(top->kappa * x->scales.d * width[i], -2.0 / 3.0);
            *at = top->z + nnd_tracy_widom_mean(1) * scale;
            sd[t * count + i] = nnd_tracy_widom_sd(1) * scale;
        }
    free(width);
    return status;
}

/* ---- the law itself ---- */

/* The grid of the case, or 200 points over [0, 1.02 times the highest edge at the recorded times],
 * even in the singular value. */
static nnd_status make_grid(task *x) {
    enum { POINTS = 200 };
    const double beyond = 1.02;
    double top = 0.0;
    nnd_status status = nnd_many_outputs_grid(x->ctx, x->p, &x->z);
    if (status != NND_OK || x->z.count > 0)
        return status;
    for (size_t t = 0; t < x->times; t++)
        if (x->edges[t].count > 0)
            top = fmax(top, beyond * x->edges[t].edge[x->edges[t].count - 1].z);
    x->z = (nnd_reals){POINTS, calloc(POINTS, sizeof(double))};
    if (x->z.value == NULL)
        return nnd_fail_memory(x->ctx, "the grid of a density");
    for (size_t i = 0; i < POINTS; i++) {
        double s = sqrt(top > 0.0 ? top : 1.0) * ((double)i + 0.5) / POINTS;
        x->z.value[i] = s * s;
    }
    return NND_OK;
}

/* The arrays that densities of a time go to. */
typedef struct {
    const task *x;
    pair density, singular, cdf;
} densities;

static nnd_status put_density(nnd_context *ctx, size_t t, void *data) {
    const densities *out = data;
    const nnd_reals *z = &out->x->z;
    const nnd_outputs_law *law = &out->x->law[t];
    nnd_estimate *rho = calloc(2 * z->count, sizeof *rho);
    nnd_status status =
        rho != NULL ? law->methods->density(ctx, law->self, z->count, z->value, rho, rho + z->count)
                    : nnd_fail_memory(ctx, "a density");
    for (size_t i = 0; status == NND_OK && i < z->count; i++) {
        double slope = 2.0 * sqrt(z->value[i]);
        put(&out->density, t * z->count + i, rho[i]);
        put(&out->singular, t * z->count + i,
            (nnd_estimate){slope * rho[i].value, slope * rho[i].error});
        put(&out->cdf, t * z->count + i, rho[z->count + i]);
    }
    free(rho);
    return status;
}

static nnd_status add_densities(task *x) {
    densities out = {.x = x};
    nnd_status status = add(x, "density", &out.density);
    if (status == NND_OK)
        status = add(x, "density_sv", &out.singular);
    if (status == NND_OK)
        status = add(x, "cdf", &out.cdf);
    return status == NND_OK
               ? nnd_parallel(x->ctx, nnd_context_threads(x->ctx), x->times, put_density, &out)
               : status;
}

static nnd_status add_transform(task *x) {
    size_t count = nnd_many_outputs_points(x->p);
    pair re, im;
    nnd_status status = add(x, "stieltjes_re", &re);
    if (status == NND_OK)
        status = add(x, "stieltjes_im", &im);
    for (size_t t = 0; t < x->times; t++)
        for (size_t i = 0; status == NND_OK && i < count; i++) {
            double a, b, error;
            double complex m;
            nnd_many_outputs_point(x->p, i, &a, &b);
            status = x->law[t].methods->stieltjes(x->ctx, x->law[t].self, CMPLX(a, b), &m, &error);
            put(&re, t * count + i, (nnd_estimate){creal(m), error});
            put(&im, t * count + i, (nnd_estimate){cimag(m), error});
        }
    return status;
}

static nnd_status add_means(task *x) {
    pair mean, risk, loss = {NULL, NULL};
    /* The loss of samples is not that of the population. */
    bool counted = x->p->outputs != NND_ABSENT && isinf(x->p->p),
         trained = x->law[0].methods->risk != NULL;
    double half = 0.5 * (double)x->p->outputs;
    nnd_status status = add(x, "eigenvalue_mean", &mean);
    if (status == NND_OK && trained)
        status = add(x, "risk", &risk);
    if (status == NND_OK && trained && counted)
        status = add(x, "loss", &loss);
    for (size_t t = 0; status == NND_OK && t < x->times; t++) {
        nnd_estimate value;
        status = x->law[t].methods->mean(x->ctx, x->law[t].self, &value);
        put(&mean, t, value);
        if (status == NND_OK && trained) {
            status = x->law[t].methods->risk(x->ctx, x->law[t].self, &value);
            put(&risk, t, value);
            if (counted)
                put(&loss, t, (nnd_estimate){half * value.value, half * value.error});
        }
    }
    return status;
}

nnd_status nnd_many_outputs_laws_add(nnd_context *ctx, const nnd_many_outputs *p,
                                     const nnd_reals *times, nnd_frame *frame) {
    task x = {.ctx = ctx,
              .p = p,
              .frame = frame,
              .scales = nnd_many_outputs_scales(p),
              .times = times->count,
              .time = times->value};
    nnd_status status = make_laws(&x);
    if (status == NND_OK)
        status = make_grid(&x);
    if (status == NND_OK)
        status = add_edges(&x);
    if (status == NND_OK)
        status = add_outliers(&x);
    if (status == NND_OK)
        status = add_top(&x);
    if (status == NND_OK)
        status = add_transform(&x);
    if (status == NND_OK)
        status = add_means(&x);
    if (status == NND_OK)
        status = nnd_many_outputs_add_grid(&x.z, frame);
    if (status == NND_OK)
        status = add_densities(&x);
    clear(&x);
    return status;
}

/* Nodes of both laws with finitely many samples: memory exp(-rate lambda mu t) varies over a part
 * of the angle that falls with the root of what the fastest mode has lost. */
static double sample_nodes(const nnd_many_outputs *p) {
    const double fewest = 16.0, most = 512.0;
    nnd_outputs_scales y = nnd_many_outputs_scales(p);
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    double fastest = (1.0 + sqrt(y.c)) * (1.0 + sqrt(y.d / p->p));
    double lost = flow ? y.rate * p->time : nnd_many_outputs_rate(p) * (double)p->steps;
    return fmin(fewest * (1.0 + fastest * sqrt(lost)), most);
}

/* Some four Newton steps to a point of a density, five times as many to others. Variances of
 * samples have some thirty terms. */
void nnd_many_outputs_laws_cost(const nnd_many_outputs *p, double times, double grid, double *bytes,
                                double *flops) {
    double points = grid + 5.0 * (double)nnd_many_outputs_points(p) + 300.0;
    double nodes = isfinite(p->p) ? sample_nodes(p) : 200.0, terms = 30.0;
    double each = isfinite(p->p) ? 30.0 * nodes * terms * terms : 20.0 * nodes;
    *bytes = 1e5 + times * (isfinite(p->p) ? 30.0 * nodes * terms : 2e4); /* all are kept */
    if (isfinite(p->p))
        *bytes += 24.0 * nodes * nodes;
    *flops = 4.0 * times * points * each;
    if (!is_pencil(p))
        return;
    nnd_outputs_pencil_cost(p, bytes, &each);
    *flops = times * points * each;
}
