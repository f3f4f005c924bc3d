/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/flat_minima.h"

#include <math.h>

#include "core/timegrid.h"

#define FIELD(name) offsetof(nnd_flat_minima, name)

static const char *const ARCHITECTURES[] = {"mlp", "residual", NULL};
static const char *const INITS[] = {"gaussian", "aligned", NULL};
static const char *const INTEGRATORS[] = {"gd", "flow", NULL};

static const nnd_param PARAMS[] = {
    {.name = "depth",
     .type = NND_INTEGER,
     .offset = FIELD(depth),
     .fallback = "2",
     .range = {.min = 1, .max = 1000},
     .unit = "1",
     .doc = "L, number of weight matrices"},
    {.name = "data",
     .type = NND_GROUP,
     .offset = FIELD(data),
     .fallback = "null",
     .group = &nnd_data_table,
     .doc = "inputs and targets; or covariance and minimizer; or generate: regression"},
    {.name = "architecture",
     .type = NND_CHOICE,
     .offset = FIELD(architecture),
     .fallback = "mlp",
     .choices = ARCHITECTURES,
     .doc = "W_L ... W_1 with one output, or p' W_L ... W_1 with W_k near the identity"},
    {.name = "activation",
     .type = NND_GROUP,
     .offset = FIELD(activation),
     .fallback = "linear",
     .group = &nnd_activation_table,
     .shorthand = "name",
     .doc = "of the hidden layers of mlp; theory knows linear, others are for simulation"},
    {.name = "readout",
     .type = NND_REALS,
     .offset = FIELD(readout),
     .fallback = "null",
     .unit = "1",
     .doc = "residual: direction of the fixed p, |p| = 1; drawn with each network if absent"},
    {.name = "init",
     .type = NND_CHOICE,
     .offset = FIELD(init),
     .fallback = "gaussian",
     .choices = INITS,
     .doc = "independent normal weights, or rank-one aligned layers"},
    {.name = "init_scale",
     .type = NND_REAL,
     .offset = FIELD(init_scale),
     .fallback = "null",
     .range = NND_NON_NEGATIVE,
     .unit = "1",
     .doc = "mlp: standard deviation of all weights (default 0.3); residual: s of W_k = 1 + "
            "s N_k/sqrt(L d) (0.25); aligned: singular value of each layer (0.3)"},
    {.name = "w0",
     .type = NND_REALS,
     .offset = FIELD(w0),
     .fallback = "null",
     .unit = "1",
     .doc = "aligned: initial direction (all components equal if absent); of flow without "
            "init_scale the initial end-to-end vector itself"},
    {.name = "width",
     .type = NND_INTEGER,
     .offset = FIELD(width),
     .fallback = "0",
     .range = {.min = 0, .max = 1e5},
     .unit = "1",
     .doc = "of the hidden layers; 0: the dimension of the inputs"},
    {.name = "lr",
     .type = NND_REAL,
     .offset = FIELD(lr),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "learning rate of gd (default 0.02)"},
    {.name = "steps",
     .type = NND_INTEGER,
     .offset = FIELD(steps),
     .fallback = "2000",
     .range = {.min = 0, .max = 1e8},
     .unit = "1",
     .doc = "of gd; 0: bounds alone"},
    {.name = "integrator",
     .type = NND_CHOICE,
     .offset = FIELD(integrator),
     .fallback = "gd",
     .choices = INTEGRATORS,
     .doc = "gradient descent, or gradient flow up to `time`"},
    {.name = "time",
     .type = NND_REAL,
     .offset = FIELD(time),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "of flow: final time lr * step (default 100)"},
    {.name = "record",
     .type = NND_REALS,
     .offset = FIELD(record),
     .fallback = "null",
     .range = NND_NON_NEGATIVE,
     .unit = "1",
     .doc = "steps (times of flow) to record, besides the last"},
    {.name = "record_every",
     .type = NND_INTEGER,
     .offset = FIELD(record_every),
     .fallback = "100",
     .range = {.min = 1, .max = 1e8},
     .unit = "1",
     .doc = "record every n-th step of gd, when there is no `record`"},
    {.name = "tolerance",
     .type = NND_REAL,
     .offset = FIELD(tolerance),
     .fallback = "1e-7",
     .range = {.min = 0, .max = 1, .min_open = true, .max_open = true},
     .unit = "1",
     .doc = "gradient in w at the end, relative to that at w = 0, below which a run has converged "
            "(activation: gradient in the weights, relative to the mean square target)"},
    {.name = "divergence_bound",
     .type = NND_REAL,
     .offset = FIELD(divergence_bound),
     .fallback = "1e6",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc =
         "loss, relative to the larger of its first value and the mean square target, above which "
         "a run counts as diverged"},
};

static const nnd_param_table PARAM_TABLE = {
    PARAMS,
    sizeof PARAMS / sizeof *PARAMS,
    sizeof(nnd_flat_minima),
};

#define UNCHECKED                                                                                  \
    { NND_CHECK_NONE, NULL }
static const nnd_variable VARIABLES[] = {
    {.name = "final_sharpness",
     .dims = "",
     .unit = "1",
     .long_name = "sharpness of the minimum",
     .equation = "flat-minima.md#s5: largest eigenvalue of the Hessian, of runs that converged",
     .estimator = {NND_RATIO, "minimum_sharpness", "converged"},
     .check = {NND_CHECK_AT_LEAST, "sharpness_min"},
     .nullable = true,
     .view = "minima"},
    {.name = "sharpness_bound",
     .dims = "",
     .unit = "1",
     .long_name = "simple lower bound",
     .equation = "flat-minima.md#eq3: 2 L |w*|^(2-2/L) a",
     .check = UNCHECKED,
     .view = "minima"},
    {.name = "sharpness_min",
     .dims = "",
     .unit = "1",
     .long_name = "least sharpness of any minimum",
     .equation = "flat-minima.md#eq4: S_min",
     .check = UNCHECKED,
     .view = "minima"},
    {.name = "sharpness_flow",
     .dims = "",
     .unit = "1",
     .long_name = "sharpness after flow from a small start",
     .equation = "flat-minima.md#eq6: S_GF",
     .check = UNCHECKED,
     .view = "minima"},
    {.name = "sharpness_flow_bound",
     .dims = "",
     .unit = "1",
     .long_name = "upper bound on the sharpness after flow from a small start",
     .equation = "flat-minima.md#eq7: 2 L Lambda |w*|^(2-2/L)",
     .check = UNCHECKED,
     .view = "bounds"},
    {.name = "sharpness_ceiling",
     .dims = "",
     .unit = "1",
     .long_name = "practical ceiling",
     .equation = "flat-minima.md#s4: 8 L Lambda |w*|^(2-2/L)",
     .check = UNCHECKED,
     .view = "minima"},
    {.name = "stability_limit",
     .dims = "",
     .unit = "1",
     .long_name = "limit of stability",
     .equation = "flat-minima.md#s3: 2/lr",
     .check = UNCHECKED,
     .view = "minima"},
    {.name = "c_star",
     .dims = "",
     .unit = "1",
     .long_name = "balance of the flattest minimum",
     .equation = "flat-minima.md#eq4: c*",
     .check = UNCHECKED,
     .nullable = true,
     .view = "bounds"},
    {.name = "duality_gap",
     .dims = "",
     .unit = "1",
     .long_name = "gap between dual and primal",
     .equation = "flat-minima.md#eq4: phi(c*) less the primal objective",
     .check = UNCHECKED,
     .view = "bounds"},
    {.name = "lr_max",
     .dims = "",
     .unit = "1",
     .long_name = "largest learning rate at which a minimum is stable",
     .equation = "flat-minima.md#s3: 2/S_min",
     .check = UNCHECKED,
     .view = "bounds"},
    {.name = "final_stability",
     .dims = "",
     .unit = "1",
     .long_name = "learning rate times sharpness of the minimum",
     .equation = "flat-minima.md#s3: at most 2",
     .estimator = {NND_RATIO, "minimum_stability", "converged"},
     .check = {NND_CHECK_AT_MOST, "2"},
     .nullable = true,
     .view = "stability"},
    {.name = "final_bound",
     .dims = "",
     .unit = "1",
     .long_name = "what the weights of a residual network allow the sharpness of its minimum to be",
     .equation = "flat-minima.md#s4: 2 Lambda sum_k prod_(j != k) (1 + |W_j - 1|)^2",
     .estimator = {NND_RATIO, "minimum_bound", "converged"},
     .check = UNCHECKED,
     .nullable = true,
     .view = "bounds"},
    {.name = "final_bound_share",
     .dims = "",
     .unit = "1",
     .long_name = "sharpness of the minimum over what its weights allow",
     .equation = "flat-minima.md#s4: at most 1",
     .estimator = {NND_RATIO, "minimum_bound_share", "converged"},
     .check = {NND_CHECK_AT_MOST, "1"},
     .nullable = true,
     .view = "bounds"},
    {.name = "final_distance2",
     .dims = "",
     .unit = "1",
     .long_name = "final squared distance to the minimum",
     .equation = "flat-minima.md#s5: |w - w*|^2",
     .check = UNCHECKED,
     .view = "distance"},
    {.name = "converged",
     .dims = "",
     .unit = "1",
     .long_name = "fraction of the runs that converged, of those that did not diverge",
     .equation = "flat-minima.md#s1: X'(X w - y) = 0",
     .check = UNCHECKED,
     .view = "fate"},
    {.name = "diverged",
     .dims = "",
     .unit = "1",
     .long_name = "1 if the run diverged",
     .equation = "flat-minima.md#s5",
     .check = UNCHECKED,
     .view = "fate"},
    {.name = "sharpness",
     .dims = "t",
     .unit = "1",
     .long_name = "sharpness",
     .equation = "flat-minima.md#s1: largest eigenvalue of the Hessian",
     .view = "sharpness"},
    {.name = "loss",
     .dims = "t",
     .unit = "1",
     .long_name = "loss",
     .equation = "flat-minima.md#s1: mean square error, no factor 1/2",
     .view = "training"},
    {.name = "distance2",
     .dims = "t",
     .unit = "1",
     .long_name = "squared distance to the minimum",
     .equation = "flat-minima.md#s5: |w - w*|^2",
     .view = "training"},
    {.name = "trace",
     .dims = "t",
     .unit = "1",
     .long_name = "trace of the Hessian",
     .equation = "flat-minima.md#s2: 2 tr(S Theta)",
     .view = "sharpness"},
    {.name = "trace_start",
     .dims = "",
     .unit = "1",
     .long_name = "trace of the Hessian at initialisation",
     .equation = "flat-minima.md#s4: mean over the weights",
     .check = UNCHECKED,
     .view = "bounds"},
    {.name = "layer_norm",
     .dims = "t,layer",
     .unit = "1",
     .long_name = "Frobenius norm of a layer",
     .equation = "flat-minima.md#s5",
     .view = "layers"},
    {.name = "layer_rank_ratio",
     .dims = "t,layer",
     .unit = "1",
     .long_name = "second over first singular value of a layer",
     .equation = "flat-minima.md#s5: sigma_2/sigma_1",
     .check = UNCHECKED,
     .view = "layers"},
    {.name = "layer_alignment",
     .dims = "t,layer",
     .unit = "1",
     .long_name = "overlap of a layer's leading left vector with the next one's right vector",
     .equation = "flat-minima.md#s5: of the last layer with the readout",
     .view = "layers"},
    {.name = "layer_deviation",
     .dims = "t,layer",
     .unit = "1",
     .long_name = "distance of a layer of a residual network from the identity",
     .equation = "flat-minima.md#s4: |W_k - 1|, largest singular value",
     .check = UNCHECKED,
     .view = "layers"},
};

/* ---- checks ---- */

static bool check_data(nnd_flat_minima *p, nnd_objection *o) {
    if (!nnd_data_check(&p->data, o))
        return false;
    if (p->data.gram.rows > 0)
        return nnd_object(o, "data.gram",
                          "leaves the inputs open; allowed: inputs, generate, or covariance and "
                          "minimizer");
    if (nnd_data_tests(&p->data) > 0)
        return nnd_object(o, p->data.test_samples > 0 ? "data.test_samples" : "data.test_inputs",
                          "flat-minima has no test points");
    return true;
}

static double largest(const nnd_reals *x) {
    double most = 0.0;
    for (size_t i = 0; i < x->count; i++)
        most = fmax(most, fabs(x->value[i]));
    return most;
}

/* A list of d numbers, not all 0, or none. */
static bool check_vector(const nnd_flat_minima *p, const char *key, const nnd_reals *x,
                         nnd_objection *o) {
    size_t d = nnd_flat_minima_dim(p);
    if (x->count > 0 && x->count != d)
        return nnd_object(o, key, "a list of %zu; allowed: %zu numbers, one per input", x->count,
                          d);
    if (x->count > 0 && largest(x) == 0.0)
        return nnd_object(o, key, "all 0; allowed: a vector with a direction");
    return true;
}

/* What goes with one architecture or one start only. */
static bool check_network(nnd_flat_minima *p, nnd_objection *o) {
    bool residual = p->architecture == NND_FLAT_RESIDUAL;
    if (residual && p->width != 0 && (size_t)p->width != nnd_flat_minima_dim(p))
        return nnd_object(o, "width", "%lld; a residual network is as wide as its inputs, %zu",
                          (long long)p->width, nnd_flat_minima_dim(p));
    if (!residual && p->readout.count > 0)
        return nnd_object(o, "readout", "belongs to architecture: residual");
    if (residual && !nnd_flat_minima_is_linear(p))
        return nnd_object(o, "activation", "only linear goes with architecture: residual");
    if (p->init == NND_FLAT_ALIGNED && residual)
        return nnd_object(o, "init", "aligned goes with architecture: mlp");
    if (p->init == NND_FLAT_ALIGNED && !nnd_flat_minima_is_linear(p))
        return nnd_object(o, "init", "aligned goes with activation: linear");
    if (p->init == NND_FLAT_GAUSSIAN && p->w0.count > 0)
        return nnd_object(o, "w0", "belongs to init: aligned");
    if (!check_vector(p, "readout", &p->readout, o) || !check_vector(p, "w0", &p->w0, o))
        return false;
    /* Of flow w0 is the start itself, unless a scale turns it into a direction. */
    bool itself = p->w0.count > 0 && p->integrator == NND_GRADIENT_FLOW;
    if (isnan(p->init_scale) && !itself)
        p->init_scale = residual ? 0.25 : 0.3;
    if (p->init == NND_FLAT_ALIGNED && p->init_scale == 0.0)
        return nnd_object(o, "init_scale", "0; aligned layers need a number > 0");
    return true;
}

static bool settle_integrator(nnd_flat_minima *p, nnd_objection *o) {
    if (p->integrator == NND_DESCENT) {
        if (!isnan(p->time))
            return nnd_object(o, "time", "%g belongs to integrator: flow", p->time);
        if (isnan(p->lr))
            p->lr = 0.02;
        return nnd_record_check(&p->record, false, (double)p->steps, o);
    }
    if (!isnan(p->lr))
        return nnd_object(o, "lr", "%g belongs to integrator: gd (flow has time)", p->lr);
    if (isnan(p->time))
        p->time = 100.0;
    return nnd_record_check(&p->record, true, p->time, o);
}

static bool check(void *params, nnd_objection *o) {
    nnd_flat_minima *p = params;
    return check_data(p, o) && check_network(p, o) && settle_integrator(p, o);
}

static nnd_data *data(void *params) {
    return &((nnd_flat_minima *)params)->data;
}

const nnd_model nnd_flat_minima_model = {
    .name = "flat-minima",
    .summary = "sharpness of the minima that deep linear networks find in regression",
    .page = "flat-minima",
    .params = &PARAM_TABLE,
    .variable_count = sizeof VARIABLES / sizeof *VARIABLES,
    .variables = VARIABLES,
    .data = data,
    .check = check,
};

/* ---- what follows from the parameters ---- */

size_t nnd_flat_minima_dim(const nnd_flat_minima *p) {
    if (p->data.covariance.rows > 0)
        return p->data.covariance.rows;
    return p->data.inputs.rows > 0 ? p->data.inputs.cols : (size_t)p->data.dim;
}

size_t nnd_flat_minima_width(const nnd_flat_minima *p, size_t k) {
    if (k == (size_t)p->depth && p->architecture == NND_FLAT_MLP)
        return 1;
    return k == 0 || p->width == 0 ? nnd_flat_minima_dim(p) : (size_t)p->width;
}

double nnd_flat_minima_start(const nnd_flat_minima *p) {
    double norm2 = 0.0;
    for (size_t i = 0; i < p->w0.count; i++)
        norm2 += p->w0.value[i] * p->w0.value[i];
    return isnan(p->init_scale) ? pow(norm2, 0.5 / (double)p->depth) : p->init_scale;
}

bool nnd_flat_minima_is_linear(const nnd_flat_minima *p) {
    return p->activation.name == NND_LINEAR && p->activation.scale == 1.0;
}

bool nnd_flat_minima_trains(const nnd_flat_minima *p) {
    return p->integrator == NND_GRADIENT_FLOW || p->steps > 0;
}

nnd_status nnd_flat_minima_times(nnd_context *ctx, const nnd_flat_minima *p, nnd_reals *times) {
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    return nnd_record_axis(ctx, flow, flow ? p->time : (double)p->steps, &p->record,
                           (size_t)p->record_every, times);
}
