/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Simulation of two-layer linear networks with as many outputs as neurons, and their spectra. */
#include "validate/simulators.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "nndmft/many_outputs.h"
#include "nndmft/number.h"
#include "validate/keeper.h"
#include "validate/many_outputs_spectrum.h"
#include "validate/many_outputs_train.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

/* ---- what is possible ---- */

static bool is_flow(const nnd_many_outputs *p) {
    return p->integrator == NND_GRADIENT_FLOW;
}

static void warn_if_rounded(const char *key, double ratio, size_t size, size_t count,
                            nnd_objection *o) {
    if (fabs(ratio * (double)size - (double)count) > 1e-9 * (double)count)
        (void)nnd_object(o, key, "%g times size %zu is no whole number: the network has %.6g",
                         ratio, size, (double)count / (double)size);
}

/* Whether the target has room for all that it is to hold. */
static bool check_target(const nnd_many_outputs *p, const nnd_outputs_shape *s, nnd_objection *o) {
    size_t room = s->outputs < s->inputs ? s->outputs : s->inputs, taken = p->spikes.count;
    size_t modes = nnd_many_outputs_modes(p);
    for (size_t k = 0; k < modes; k++) {
        size_t copies = nnd_outputs_copies(p, s, k);
        taken += copies;
        if (copies == 0)
            return nnd_object(o, "target", "%zu distinct singular values of %zu; allowed: as many",
                              modes, room);
    }
    return taken <= room || nnd_object(o, modes > 0 ? "target" : "spikes",
                                       "%zu singular values in %zu outputs and %zu inputs", taken,
                                       s->outputs, s->inputs);
}

static bool check_variant(const nnd_many_outputs *p, const nnd_outputs_shape *s, nnd_objection *o) {
    size_t room = s->outputs < s->inputs ? s->outputs : s->inputs;
    if (p->variant == NND_ALIGNED && room > s->width)
        return nnd_object(o, "variant", "aligned needs %zu neurons for as many modes", room);
    if (isinf(p->time) && p->variant != NND_FIXED_READOUT)
        return nnd_object(o, "time",
                          "inf: networks whose layers are both trained follow the flow to a finite "
                          "time");
    if (p->variant == NND_WIDE && p->inputs == NND_ABSENT)
        return nnd_object(o, "variant",
                          "wide is the limit of many neurons; allowed with `inputs` and `outputs`, "
                          "which stay as they are");
    return true;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_many_outputs *p = params;
    const double largest = 1e9;
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    nnd_outputs_scales scales = nnd_many_outputs_scales(p);
    double n = (double)s.width, c = (double)s.outputs, d = (double)s.inputs;
    if (s.width == 0)
        return nnd_object(o, "size", "missing; allowed without it: width, inputs and outputs");
    if (s.outputs == 0 || s.inputs == 0)
        return nnd_object(o, s.outputs == 0 ? "c" : "d", "%g times size %zu leaves none",
                          s.outputs == 0 ? scales.c : scales.d, s.width);
    if (isfinite(p->p) && s.samples == 0)
        return nnd_object(o, "p", "%g times size %zu leaves no sample", p->p, s.width);
    if (fmax(n * fmax(c, d), fmax(c * d, (double)s.samples)) > largest)
        return nnd_object(o, "size", "%zu x %zu x %zu is more than %g numbers in a matrix",
                          s.outputs, s.width, s.inputs, largest);
    if (!check_target(p, &s, o) || !check_variant(p, &s, o))
        return false;
    if (p->inputs == NND_ABSENT) {
        warn_if_rounded("c", scales.c, s.width, s.outputs, o);
        warn_if_rounded("d", scales.d, s.width, s.inputs, o);
    }
    return true;
}

/* ---- cost ---- */

/* Products of matrices take this fraction of the time of what nnd_simulation_cost counts. */
static const double MATRIX_SPEED = 8.0;
/* Evaluations of a flow of both layers, about. */
static const double FLOW_EVALUATIONS = 400.0;

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_many_outputs *p = params;
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    double n = (double)s.width, c = (double)s.outputs, d = (double)s.inputs;
    double samples = (double)s.samples, rank = fmin(n, d);
    double times = (double)p->record.count + 1.0;
    double product = 2.0 * c * n * d;
    bool both = p->variant != NND_FIXED_READOUT;
    double step = (both ? 3.0 : 2.0) * product + (samples > 0.0 ? 2.0 * c * d * d : 0.0);
    double training =
        is_flow(p) ? both ? FLOW_EVALUATIONS * step : 10.0 * c * c * c + times * 2.0 * product
                   : (double)p->steps * step;
    double spectrum = nnd_outputs_spectrum_flops(p, size);
    double points = (double)nnd_many_outputs_points(p);
    double grid = (double)(p->z.count > 0 ? (size_t)p->z.count : p->z.values.count);
    double numbers = 3.0 * grid + 2.0 * points + 2.0 * (double)p->spikes.count +
                     3.0 * (double)nnd_many_outputs_modes(p) + 6.0;
    return (nnd_simulation_cost){
        .bytes = nnd_outputs_network_bytes(p, size) + nnd_outputs_training_bytes(p, size) +
                 nnd_outputs_spectrum_bytes(p, size),
        .record_bytes = times * numbers * sizeof(double),
        .weight_bytes = nnd_keeper_bytes(n * (c + d), times + 1.0),
        .flops = (training + times * spectrum + samples * d * (c + d)) / MATRIX_SPEED +
                 20.0 * (n * (c + d) + c * d + samples * (c + d)) + times * 10.0 * points * rank,
    };
}

/* Networks per block: small networks share a block so that shards stay few. */
static size_t block(const void *params, size_t size) {
    const double enough = 2e8;
    double n = floor(enough / fmax(cost(params, size).flops, 1.0));
    return n < 1.0 ? 1 : n > 64.0 ? 64 : (size_t)n;
}

/* ---- records ---- */

typedef struct {
    nnd_context *ctx;
    const nnd_many_outputs *p;
    nnd_outputs_network net;
    nnd_outputs_training training;
    nnd_outputs_spectrum spectrum;
    nnd_reals times, z;
    nnd_frame *frame;
    size_t seed;
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

static nnd_status add_arrays(run *r) {
    bool modes = nnd_many_outputs_modes(r->p) > 0 &&
                 (r->p->variant == NND_WIDE || r->p->variant == NND_ALIGNED);
    const struct {
        const char *name;
        bool wanted;
    } all[] = {
        {"eigenvalue_mean", true},
        {"top", true},
        {"risk", true},
        {"loss", true},
        {"stieltjes_re", true},
        {"stieltjes_im", true},
        {"density", r->z.count > 0},
        {"density_sv", r->z.count > 0},
        {"cdf", r->z.count > 0},
        {"outlier", r->p->spikes.count > 0},
        {"outlier_overlap", r->p->spikes.count > 0},
        {"mode_omega", modes},
        {"mode_alpha", modes},
        {"mode_product", modes},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof all / sizeof *all; i++)
        if (all[i].wanted)
            status = nnd_frame_add_variable(r->frame, &nnd_many_outputs_model, all[i].name, NULL);
    return status;
}

static nnd_status frame_make(run *r, size_t first_seed, size_t count) {
    nnd_status status = nnd_frame_new(r->ctx, &r->frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "seed", count, (double)first_seed);
    if (status == NND_OK)
        status = nnd_many_outputs_add_times(r->p, &r->times, r->frame);
    if (status == NND_OK)
        status = nnd_many_outputs_add_dims(r->p, r->frame);
    if (status == NND_OK && r->z.count > 0)
        status = nnd_many_outputs_add_grid(&r->z, r->frame);
    if (status == NND_OK)
        status = nnd_frame_add(r->frame, NND_DIVERGED_AT, "seed", NULL);
    return status == NND_OK ? add_arrays(r) : status;
}

/* Where the values of time t of this network stand, `count` at each. */
static double *at(const run *r, const char *name, size_t t, size_t count) {
    double *row = nnd_seed_row(r->frame, name, r->seed);
    return row != NULL ? row + t * count : NULL;
}

/* Eigenvalues in bins around the points of the grid, whose ends lie midway between their roots; the
 * outer ones are as wide on either side. */
static void record_density(const run *r, size_t t) {
    size_t count = r->z.count;
    double *density = at(r, "density", t, count), *of_root = at(r, "density_sv", t, count);
    double *cdf = at(r, "cdf", t, count);
    for (size_t i = 0; i < count; i++) {
        double s = sqrt(r->z.value[i]);
        double below = i > 0 ? s - sqrt(r->z.value[i - 1]) : NAN;
        double above = i + 1 < count ? sqrt(r->z.value[i + 1]) - s : below;
        double low = fmax(s - 0.5 * (i > 0 ? below : above), 0.0), high = s + 0.5 * above;
        double mass = nnd_outputs_cdf(&r->spectrum, high * high) -
                      (low > 0.0 ? nnd_outputs_cdf(&r->spectrum, low * low)
                                 : nnd_outputs_cdf(&r->spectrum, 0.0));
        of_root[i] = mass / (high - low);
        density[i] = mass / (high * high - low * low);
        cdf[i] = nnd_outputs_cdf(&r->spectrum, r->z.value[i]);
    }
}

static void record_stieltjes(const run *r, size_t t) {
    size_t count = nnd_many_outputs_points(r->p);
    double *re = at(r, "stieltjes_re", t, count), *im = at(r, "stieltjes_im", t, count);
    for (size_t i = 0; i < count; i++) {
        double x, y;
        nnd_many_outputs_point(r->p, i, &x, &y);
        double complex m = nnd_outputs_stieltjes(&r->spectrum, x + y * I);
        re[i] = creal(m);
        im[i] = cimag(m);
    }
}

/* Modes along the axes of the listed singular values: means over the copies of each. */
static void record_modes(const run *r, size_t t) {
    const nnd_outputs_network *net = &r->net;
    size_t count = nnd_many_outputs_modes(r->p), axis = 0;
    int n = (int)net->shape.width, d = (int)net->shape.inputs;
    double *omega = at(r, "mode_omega", t, count), *alpha = at(r, "mode_alpha", t, count);
    double *product = at(r, "mode_product", t, count);
    for (size_t k = 0; omega != NULL && k < count; k++) {
        size_t copies = nnd_outputs_copies(r->p, &net->shape, k);
        double part = 1.0 / (double)copies;
        omega[k] = alpha[k] = product[k] = 0.0;
        for (size_t i = 0; i < copies; i++, axis++) {
            const double *a = net->a + axis * (size_t)n, *w = net->w + axis;
            omega[k] += part * cblas_ddot(n, w, d, w, d);
            alpha[k] += part * cblas_ddot(n, a, 1, a, 1);
            product[k] += part * cblas_ddot(n, a, 1, w, d);
        }
    }
}

static nnd_status record(run *r, size_t t) {
    size_t spikes = r->p->spikes.count;
    nnd_outputs_spectrum *s = &r->spectrum;
    nnd_status status = nnd_outputs_spectrum_find(r->ctx, r->z.count > 0, s);
    if (status != NND_OK)
        return status;
    *at(r, "eigenvalue_mean", t, 1) = s->mean;
    *at(r, "top", t, 1) = s->top;
    *at(r, "risk", t, 1) = nnd_outputs_network_risk(&r->net);
    *at(r, "loss", t, 1) = nnd_outputs_network_loss(&r->net);
    record_stieltjes(r, t);
    record_modes(r, t);
    if (r->z.count > 0)
        record_density(r, t);
    if (spikes > 0)
        status =
            nnd_outputs_spikes(s, at(r, "outlier", t, spikes), at(r, "outlier_overlap", t, spikes));
    return status;
}

/* ---- weights ---- */

static void keep_weights(const run *r, size_t t) {
    const nnd_outputs_network *net = &r->net;
    size_t n = net->shape.width;
    if (r->keeper == NULL)
        return;
    memcpy(nnd_keeper_at(r->keeper, 0, t), net->w, n * net->shape.inputs * sizeof(double));
    memcpy(nnd_keeper_at(r->keeper, 1, t), net->a, n * net->shape.outputs * sizeof(double));
}

/* Weights are kept at the start, too, which is recorded only where the case says so. */
static nnd_status begin_at_zero(const run *r, nnd_reals *times) {
    if (r->keeper == NULL || times->value[0] == 0.0)
        return NND_OK;
    double *value = realloc(times->value, (times->count + 1) * sizeof *value);
    if (value == NULL)
        return nnd_fail_memory(r->ctx, "the recorded times");
    times->value = value;
    memmove(value + 1, value, times->count++ * sizeof *value);
    value[0] = 0.0;
    return NND_OK;
}

static nnd_status make_keeper(const run *r) {
    const nnd_outputs_shape *s = &r->net.shape;
    return r->keeper != NULL ? nnd_keeper_make(r->keeper, r->frame, 2,
                                               (size_t[3]){s->inputs, s->width, s->outputs})
                             : NND_OK;
}

/* ---- training ---- */

static nnd_status train(run *r, nnd_rng_key key) {
    double rate = is_flow(r->p) ? nnd_many_outputs_scales(r->p).rate : 1.0;
    nnd_status status = nnd_outputs_network_draw(r->ctx, &r->net, key);
    nnd_outputs_spectrum_restart(&r->spectrum, key);
    if (status == NND_OK)
        status = nnd_outputs_training_start(r->ctx, &r->training);
    for (size_t t = 0; status == NND_OK && t < r->times.count; t++) {
        status = nnd_outputs_training_to(r->ctx, &r->training, rate * r->times.value[t]);
        if (status == NND_OK)
            status = record(r, t);
        if (status == NND_OK) {
            keep_weights(r, t);
            status = nnd_progress_step(r->ctx, (double)t + 1.0, (double)r->times.count);
        }
    }
    if (status != NND_DIVERGED)
        return status;
    *at(r, NND_DIVERGED_AT, 0, 1) = r->training.time;
    return NND_OK;
}

static nnd_status make(run *r, size_t size, size_t first_seed, size_t count) {
    nnd_status status = nnd_many_outputs_times(r->ctx, r->p, &r->times);
    if (status == NND_OK)
        status = begin_at_zero(r, &r->times);
    if (status == NND_OK)
        status = nnd_many_outputs_grid(r->ctx, r->p, &r->z);
    if (status == NND_OK)
        status = nnd_outputs_network_make(r->ctx, r->p, size, &r->net);
    if (status == NND_OK)
        status = nnd_outputs_training_make(r->ctx, &r->net, &r->training);
    if (status == NND_OK)
        status =
            nnd_outputs_spectrum_make(r->ctx, &r->net, NND_OUTPUTS_LARGEST_EXACT, &r->spectrum);
    if (status == NND_OK)
        status = frame_make(r, first_seed, count);
    return status == NND_OK ? make_keeper(r) : status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    run r = {.ctx = ctx, .p = params, .keeper = keeper};
    nnd_status status = make(&r, size, first_seed, count);
    for (; status == NND_OK && r.seed < count; r.seed++) {
        nnd_progress_within(ctx, (double)r.seed / (double)count,
                            (double)(r.seed + 1) / (double)count);
        status = train(&r, (nnd_rng_key){base_seed, first_seed + r.seed, size});
    }
    nnd_hand_over(status == NND_OK, r.frame, frame);
    nnd_outputs_spectrum_clear(&r.spectrum);
    nnd_outputs_training_clear(&r.training);
    nnd_outputs_network_clear(&r.net);
    free(r.z.value);
    free(r.times.value);
    return status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    return train_block(ctx, params, size, base_seed, first_seed, count, NULL, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    return nnd_keep(ctx, train_block, params, size, base_seed, 1, weights);
}

/* ---- for a deep-learning framework ---- */

/* f = A W x/gamma with A, W themselves as the parameters: the loss falls along the gradient over
 * gamma, which a rate of eta gamma^2 makes up for. */
static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_many_outputs *p = params;
    nnd_outputs_scales s = nnd_many_outputs_scales(p);
    nnd_outputs_shape shape = nnd_outputs_shape_at(p, size);
    double *std = NULL, *lr = NULL, gamma2 = s.gamma * s.gamma, n = (double)shape.width;
    double rate = is_flow(p) ? s.rate : nnd_many_outputs_rate(p);
    char text[256];
    nnd_format(text, sizeof text, "%s |y - f|^2/2, %s, summed over outputs%s%s",
               is_flow(p) ? "gradient flow, per unit of time, of" : "full-batch SGD on",
               shape.samples > 0 ? "mean over samples" : "mean over all inputs N(0, 1)",
               p->variant == NND_FIXED_READOUT ? "; matrix 1 is frozen" : "",
               p->variant == NND_ALIGNED ? "; both begin in the singular basis of the target" : "");
    nnd_status status = nnd_recipe_new(ctx, 0, 2, s.gamma, text, out, &std, &lr);
    if (status != NND_OK)
        return status;
    bool aligned = p->variant == NND_ALIGNED;
    double room = fmin((double)shape.outputs, (double)shape.inputs);
    std[0] = aligned ? p->start.w * sqrt(room / (n * (double)shape.inputs)) : sqrt(p->sigma2 / n);
    std[1] =
        aligned ? p->start.a * sqrt(room / (n * (double)shape.outputs)) : sqrt(p->readout2 / n);
    lr[0] = rate * gamma2;
    lr[1] = p->variant == NND_FIXED_READOUT ? 0.0 : p->lr_ratio * rate * gamma2;
    return NND_OK;
}

const nnd_simulator nnd_many_outputs_simulator = {
    .model = &nnd_many_outputs_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
