/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of the model `many-outputs`, and what follows from them. */
#include "nndmft/many_outputs.h"

#include <math.h>
#include <stdlib.h>

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/many_outputs_impl.h"
#include "models/resolvent_points.h"

#define FIELD(type, name)  NND_FIELD(type, nnd_many_outputs, name)
#define START(type, name)  NND_FIELD(type, nnd_outputs_start, name)
#define TARGET(type, name) NND_FIELD(type, nnd_outputs_target, name)
#define GRID(type, name)   NND_FIELD(type, nnd_outputs_grid, name)

/* Ratios of counts; far from 1 the smaller dimension is one of no bulk. */
#define RATIO NND_BETWEEN(1e-6, 1e6)
/* Squares and products of these are doubles. */
#define SCALE NND_BETWEEN(0, 1e50)

static const char *const VARIANTS[] = {"fixed-readout", "wide", "aligned", "steps", NULL};
static const char *const PARAMETERIZATIONS[] = {"auto", "canonical", "mup", "ntk", NULL};
static const char *const INTEGRATORS[] = {"gd", "flow", NULL};

static const nnd_param START_PARAMS[] = {
    {"a", START(REAL, a), "null", SCALE, "of A (default 0.1)"},
    {"w", START(REAL, w), "null", SCALE, "of W (default 0.1)"},
};
static const nnd_param_table START_TABLE = NND_TABLE(START_PARAMS, nnd_outputs_start);

static const nnd_param TARGET_PARAMS[] = {
    {"values", TARGET(REALS, values), "null", SCALE, "singular values s_k of the structured part"},
    {"weights", TARGET(REALS, weights), "null", NND_POSITIVE,
     "how many of each, over N (all alike, min(c, d) together)"},
    {"power_law", TARGET(REAL, power_law), "null", NND_NON_NEGATIVE,
     "a in s_k = scale k^-a, instead of a list"},
    {"scale", TARGET(REAL, scale), "null", SCALE, "s_1 of the power law (default 1)"},
    {"modes", TARGET(INTEGER, modes), "0", NND_BETWEEN(0, 1e5),
     "number of singular values of the power law; 0: min(outputs, inputs), or 100"},
};
static const nnd_param_table TARGET_TABLE = NND_TABLE(TARGET_PARAMS, nnd_outputs_target);

static const nnd_param GRID_PARAMS[] = {
    {"values", GRID(REALS, values), "null", SCALE, "eigenvalues, ascending"},
    {"from", GRID(REAL, from), "null", SCALE, "or bins from here (default 0)"},
    {"to", GRID(REAL, to), "null", SCALE, "to here, of equal width in sqrt(z)"},
    {"count", GRID(INTEGER, count), "0", NND_BETWEEN(0, 1e5), "how many bins; 0: 100"},
};
static const nnd_param_table GRID_TABLE = NND_TABLE(GRID_PARAMS, nnd_outputs_grid);

static const nnd_param PARAMS[] = {
    {"variant", FIELD(CHOICE, variant), "fixed-readout", NND_ANY,
     "fixed-readout: W is trained; wide: both layers, N far above C and D; aligned: both, from the "
     "singular basis of the target; steps: both, C and D of order N (theory: up to 3 steps)",
     .choices = VARIANTS},
    {"c", FIELD(REAL, c), "null", RATIO, "C/N, outputs over width (default 0.5)",
     .long_name = "outputs over width"},
    {"d", FIELD(REAL, d), "null", RATIO, "D/N, inputs over width (default 1)",
     .long_name = "inputs over width"},
    {"p",
     FIELD(REAL, p),
     "inf",
     {.min = 1e-6, .max = INFINITY},
     "samples over width; inf: the population gradient",
     .long_name = "samples over width"},
    {"sigma2", FIELD(REAL, sigma2), "1", SCALE, "N times the variance of entries of W at the start",
     .symbol = "σ²"},
    {"tau2", FIELD(REAL, tau2), "null", SCALE,
     "variance that each output has by the isotropic part of the target (default 1, or 0 beside a "
     "structured part)",
     .symbol = "τ²"},
    {"gamma",
     FIELD(REAL, gamma),
     "null",
     {.min = 1e-50, .max = 1e50},
     "f = A W x/gamma (default 1; mup and ntk: from gamma0)",
     .symbol = "γ",
     .long_name = "output scale"},
    {"label_noise", FIELD(REAL, label_noise), "0", SCALE,
     "variance of the label noise of finite samples"},
    {"lr", FIELD(REAL, lr), "null", NND_POSITIVE, "gd: learning rate (default 0.1)", .symbol = "η",
     .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "null", NND_BETWEEN(0, 1e9),
     "gd: number of steps (default 10; variant steps: 2)"},
    {"integrator", FIELD(CHOICE, integrator), "gd", NND_ANY,
     "gradient descent, or gradient flow up to `time`", .choices = INTEGRATORS},
    {"time",
     FIELD(REAL, time),
     "null",
     {.min = 0, .max = INFINITY},
     "flow: final time, inf is allowed (default 1)"},
    {"readout2", FIELD(REAL, readout2), "1", SCALE,
     "wide, steps: N times the variance of entries of A at the start", .symbol = "σ_A²"},
    {"lr_ratio", FIELD(REAL, lr_ratio), "1", SCALE, "learning rate of A over that of W"},
    {"start", FIELD(GROUP, start), "null", NND_ANY,
     "aligned: singular values of A and W at the start", .group = &START_TABLE},
    {"spikes", FIELD(REALS, spikes), "null", SCALE,
     "singular values of rank-one pieces of the target"},
    {"target", FIELD(GROUP, target), "null", NND_ANY,
     "structured part of the target, beside the isotropic one; a list is of singular values",
     .group = &TARGET_TABLE, .shorthand = "values"},
    {"z", FIELD(GROUP, z), "null", NND_ANY,
     "eigenvalues at which densities are given (200 over the support); a list is of them",
     .group = &GRID_TABLE, .shorthand = "values"},
    {"points", FIELD(DENSE, points), "null", NND_ANY,
     "points [re, im] of the Stieltjes transform (-1, 1+1i, 2+1i)"},
    {"width", FIELD(INTEGER, width), "null", NND_BETWEEN(1, 1e9),
     "N, with inputs and outputs instead of c and d", .symbol = "N", .long_name = "width"},
    {"inputs", FIELD(INTEGER, inputs), "null", NND_BETWEEN(1, 1e9), "D", .symbol = "D"},
    {"outputs", FIELD(INTEGER, outputs), "null", NND_BETWEEN(1, 1e9), "C", .symbol = "C"},
    {"parameterization", FIELD(CHOICE, parameterization), "auto", NND_ANY,
     "canonical: gamma and lr themselves; mup, ntk: gamma0 and lr of networks with width, inputs "
     "and outputs; auto: mup for those, else canonical",
     .choices = PARAMETERIZATIONS},
    {"gamma0",
     FIELD(REAL, gamma0),
     "null",
     {.min = 1e-50, .max = 1e50},
     "mup, ntk: output scale; large: rich, small: lazy (default 1)",
     .symbol = "γ₀",
     .long_name = "output scale"},
    {"record", FIELD(REALS, record), "null", NND_NON_NEGATIVE,
     "steps (gd) or times (flow) to record, besides the last"},
    {"widths", FIELD(INTEGERS, widths), "null", NND_BETWEEN(1, 1e9),
     "widths at which theory predicts the largest eigenvalue (simulate.size, or `width`)"},
};

const nnd_model nnd_many_outputs_model = {
    .name = "many-outputs",
    .summary = "spectra of two-layer linear networks with as many outputs as neurons",
    .page = "many-outputs",
    .params = NND_TABLE_OF(PARAMS, nnd_many_outputs),
    .variable_count = NND_OUTPUTS_VARIABLES,
    .variables = nnd_many_outputs_variables,
    .views = nnd_many_outputs_views,
    .sizes = "widths",
    .sized = true,
    .size_optional = true,
    .check = nnd_many_outputs_check,
};

/* ---- canonical variables ---- */

/* many-outputs.md#s1-1: gamma = gamma0 sqrt(D) N^(chi - 1), eta = eta_raw/(N gamma^2) with eta_raw
 * = eta0 gamma0^2 N (mup, chi = 1) or eta0 (ntk, chi = 1/2). */
nnd_outputs_scales nnd_many_outputs_scales(const nnd_many_outputs *p) {
    nnd_outputs_scales s = {p->c, p->d, p->c / p->d, p->gamma, 1.0};
    double n = p->width != NND_ABSENT ? (double)p->width : NAN;
    if (p->inputs == NND_ABSENT)
        return s;
    double inputs = (double)p->inputs, outputs = (double)p->outputs;
    s.c = outputs / n;
    s.d = inputs / n;
    s.ratio = outputs / inputs;
    if (p->parameterization == NND_OUTPUTS_MUP) {
        s.gamma = p->gamma0 * sqrt(inputs);
        s.rate = 1.0 / inputs;
    } else if (p->parameterization == NND_OUTPUTS_NTK) {
        s.gamma = p->gamma0 * sqrt(inputs / n);
        s.rate = 1.0 / (p->gamma0 * p->gamma0 * inputs);
    }
    return s;
}

double nnd_many_outputs_rate(const nnd_many_outputs *p) {
    return p->lr * nnd_many_outputs_scales(p).rate;
}

/* ---- times ---- */

nnd_status nnd_many_outputs_times(nnd_context *ctx, const nnd_many_outputs *p, nnd_reals *times) {
    double end = p->integrator == NND_GRADIENT_FLOW ? p->time : (double)p->steps;
    const nnd_reals last = {1, &end};
    return nnd_record_times(ctx, end, p->record.count > 0 ? &p->record : &last, times);
}

nnd_status nnd_many_outputs_add_times(const nnd_many_outputs *p, const nnd_reals *times,
                                      nnd_frame *frame) {
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    return times->count > 1
               ? nnd_frame_add_dim(frame, "t", flow ? NND_COORD_REAL : NND_COORD_INTEGER,
                                   times->count, times->value)
               : NND_OK;
}

/* ---- the structured part of the target ---- */

size_t nnd_many_outputs_modes(const nnd_many_outputs *p) {
    return isnan(p->target.power_law) ? p->target.values.count : (size_t)p->target.modes;
}

double nnd_many_outputs_mode(const nnd_many_outputs *p, size_t k) {
    const nnd_outputs_target *t = &p->target;
    return isnan(t->power_law) ? t->values.value[k]
                               : t->scale * pow((double)k + 1.0, -t->power_law);
}

double nnd_many_outputs_mode_weight(const nnd_many_outputs *p, size_t k) {
    nnd_outputs_scales s = nnd_many_outputs_scales(p);
    if (p->target.weights.count > 0)
        return p->target.weights.value[k];
    return isnan(s.c) ? NAN : fmin(s.c, s.d) / (double)nnd_many_outputs_modes(p);
}

/* ---- where spectra are given ---- */

nnd_status nnd_many_outputs_grid(nnd_context *ctx, const nnd_many_outputs *p, nnd_reals *z) {
    const nnd_outputs_grid *g = &p->z;
    bool bins = g->count > 0;
    double from = sqrt(g->from), width = (sqrt(g->to) - from) / (double)g->count;
    *z = (nnd_reals){0, NULL};
    size_t count = bins ? (size_t)g->count : g->values.count;
    if (count == 0)
        return NND_OK;
    z->value = calloc(count, sizeof(double));
    if (z->value == NULL)
        return nnd_fail_memory(ctx, "the grid of a density");
    z->count = count;
    for (size_t i = 0; i < count; i++) {
        double s = from + ((double)i + 0.5) * width;
        z->value[i] = bins ? s * s : g->values.value[i];
    }
    return NND_OK;
}

nnd_status nnd_many_outputs_add_grid(const nnd_reals *z, nnd_frame *frame) {
    return nnd_eigenvalues_add(z, frame);
}

size_t nnd_many_outputs_points(const nnd_many_outputs *p) {
    return nnd_points_count(&p->points);
}

void nnd_many_outputs_point(const nnd_many_outputs *p, size_t i, double *re, double *im) {
    nnd_points_at(&p->points, i, re, im);
}

nnd_status nnd_many_outputs_add_dims(const nnd_many_outputs *p, nnd_frame *frame) {
    size_t modes = nnd_many_outputs_modes(p);
    nnd_status status = nnd_points_add(&p->points, frame);
    if (status == NND_OK && p->spikes.count > 0)
        status = nnd_frame_add_range(frame, "spike", p->spikes.count, 1.0);
    return status == NND_OK && modes > 0 ? nnd_frame_add_range(frame, "mode", modes, 1.0) : status;
}
