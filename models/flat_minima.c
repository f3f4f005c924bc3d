/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/flat_minima.h"

#include <math.h>

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/flat_minima_impl.h"

#define FIELD(type, name) NND_FIELD(type, nnd_flat_minima, name)

static const char *const ARCHITECTURES[] = {"mlp", "residual", NULL};
static const char *const INITS[] = {"gaussian", "aligned", NULL};
static const char *const INTEGRATORS[] = {"gd", "flow", NULL};

static const nnd_param PARAMS[] = {
    {"depth", FIELD(INTEGER, depth), "2", NND_BETWEEN(1, 1000),
     "L, number of weight matrices, the last one included; 1: linear regression"},
    {"data", FIELD(GROUP, data), "null", NND_ANY,
     "inputs and targets; or covariance and minimizer; or generate: regression",
     .group = &nnd_data_table},
    {"architecture", FIELD(CHOICE, architecture), "mlp", NND_ANY,
     "W_L ... W_1 with one output, or p' W_L ... W_1 with W_k near the identity",
     .choices = ARCHITECTURES},
    {"activation", FIELD(GROUP, activation), "linear", NND_ANY,
     "of the hidden layers of mlp; theory knows linear, others are for simulation",
     .group = &nnd_activation_table, .shorthand = "name"},
    {"readout", FIELD(REALS, readout), "null", NND_ANY,
     "residual: direction of the fixed p, |p| = 1; drawn with each network if absent"},
    {"init", FIELD(CHOICE, init), "gaussian", NND_ANY,
     "independent normal weights, or rank-one aligned layers", .choices = INITS},
    {"init_scale", FIELD(REAL, init_scale), "null", NND_NON_NEGATIVE,
     "mlp: standard deviation of all weights (default 0.3); residual: s of W_k = 1 + s N_k/sqrt(L "
     "d) (0.25); aligned: singular value of each layer (0.3)",
     .long_name = "initialisation scale"},
    {"w0", FIELD(REALS, w0), "null", NND_ANY,
     "aligned: initial direction (all components equal if absent); of flow without init_scale the "
     "initial end-to-end vector itself"},
    {"width", FIELD(INTEGER, width), "0", NND_BETWEEN(0, 1e5),
     "of the hidden layers; 0: the dimension of the inputs"},
    {"weights", FIELD(DENSE, weights), "null", NND_ANY,
     "HDF5, npz or safetensors file, relative to the case, of the initial matrices W_1, ..., W_L, "
     "in "
     "the order of their names, instead of drawn ones"},
    {"lr", FIELD(REAL, lr), "null", NND_POSITIVE, "learning rate of gd (default 0.02)",
     .symbol = "η₀", .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "2000", NND_BETWEEN(0, 1e8), "of gd; 0: bounds alone"},
    {"integrator", FIELD(CHOICE, integrator), "gd", NND_ANY,
     "gradient descent, or gradient flow up to `time`", .choices = INTEGRATORS},
    {"time", FIELD(REAL, time), "null", NND_POSITIVE,
     "of flow: final time lr * step (default 100)"},
    NND_RECORD_ROWS(nnd_flat_minima, "100"),
    {"eigenvalues", FIELD(INTEGER, eigenvalues), "0", NND_BETWEEN(0, 1000),
     "how many of the Hessian's largest eigenvalues are recorded, each as often as it is one"},
    {"tolerance",
     FIELD(REAL, tolerance),
     "1e-7",
     {.min = 0, .max = 1, .min_open = true, .max_open = true},
     "gradient in w at the end, relative to that at w = 0, below which a run has converged "
     "(activation: gradient in the weights, relative to the mean square target, where the largest "
     "curvature is above that)"},
    {"divergence_bound", FIELD(REAL, divergence_bound), "1e6", NND_POSITIVE,
     "loss, relative to the larger of its first value and the mean square target, above which a "
     "run counts as diverged"},
};

static const nnd_guide BOUNDS[] = {{"sharpness_bound", "simple bound", .dash = 2},
                                   {"sharpness_min", "least sharpness", .dash = 1},
                                   {"sharpness_flow", "flow, small start", .dash = 3},
                                   {"sharpness_ceiling", "ceiling", .dash = 5, .aside = true},
                                   {"stability_limit", "2/η₀", .dash = 4, .aside = true},
                                   {NULL}};
static const nnd_guide THRESHOLD[] = {
    {"lr_max", "2/least sharpness", NND_GUIDE_PLACE, .dash = 1, .along = "lr"}, {NULL}};

static const nnd_variable VARIABLES[] = {
    {"final_sharpness", "", "sharpness of the minimum",
     "flat-minima.md#s5: largest eigenvalue of the Hessian, of runs that converged", "minima",
     .estimator = {NND_RATIO, "minimum_sharpness", "converged"},
     .check = {NND_CHECK_AT_LEAST, "sharpness_min"}, .nullable = true,
     .drawing = {.guides = BOUNDS}, .symbol = "λ_max"},
    {"sharpness_bound", "", "simple lower bound", "flat-minima.md#eq3: 2 L |w*|^(2-2/L) a",
     "minima", .check = NND_UNCHECKED},
    {"sharpness_min", "", "least sharpness of any minimum", "flat-minima.md#eq4: S_min", "minima",
     .check = NND_UNCHECKED, .symbol = "S_min"},
    {"sharpness_flow", "", "sharpness after flow from a small start", "flat-minima.md#eq6: S_GF",
     "minima", .check = NND_UNCHECKED, .symbol = "S_GF"},
    {"sharpness_flow_bound", "", "upper bound on the sharpness after flow from a small start",
     "flat-minima.md#eq7: 2 L Lambda |w*|^(2-2/L)", "bounds", .check = NND_UNCHECKED},
    {"sharpness_ceiling", "", "practical ceiling", "flat-minima.md#s4: 8 L Lambda |w*|^(2-2/L)",
     "minima", .check = NND_UNCHECKED},
    {"stability_limit", "", "limit of stability", "flat-minima.md#s3: 2/lr", "minima",
     .check = NND_UNCHECKED},
    {"c_star", "", "balance of the flattest minimum", "flat-minima.md#eq4: c*", "bounds",
     .check = NND_UNCHECKED, .nullable = true, .symbol = "c*"},
    {"duality_gap", "", "gap between dual and primal",
     "flat-minima.md#eq4: phi(c*) less the primal objective", "bounds", .check = NND_UNCHECKED},
    {"lr_max", "", "largest learning rate at which a minimum is stable",
     "flat-minima.md#s3: 2/S_min", "bounds", .check = NND_UNCHECKED},
    {"final_stability", "", "learning rate times sharpness of the minimum",
     "flat-minima.md#s3: at most 2", "stability",
     .estimator = {NND_RATIO, "minimum_stability", "converged"}, .check = {NND_CHECK_AT_MOST, "2"},
     .nullable = true},
    {"final_bound", "",
     "what the weights of a residual network allow the sharpness of its minimum to be",
     "flat-minima.md#s4: 2 Lambda sum_k prod_(j != k) (1 + |W_j - 1|)^2", "bounds",
     .estimator = {NND_RATIO, "minimum_bound", "converged"}, .check = NND_UNCHECKED,
     .nullable = true},
    {"final_bound_share", "", "sharpness of the minimum over what its weights allow",
     "flat-minima.md#s4: at most 1", "bounds",
     .estimator = {NND_RATIO, "minimum_bound_share", "converged"},
     .check = {NND_CHECK_AT_MOST, "1"}, .nullable = true},
    {"final_distance2", "", "final squared distance to the minimum",
     "flat-minima.md#s5: |w - w*|^2", "distance", .check = NND_UNCHECKED,
     .drawing = {.guides = THRESHOLD}, .symbol = "|w−w*|²"},
    {"last_sharpness", "", "sharpness at the last time, whether a run converged or not",
     "flat-minima.md#s5: largest eigenvalue of the Hessian, of runs that did not diverge", "minima",
     .check = NND_UNCHECKED, .symbol = "λ_max"},
    {"converged", "", "fraction of the runs that converged, of those that did not diverge",
     "flat-minima.md#s1: X'(X w - y) = 0", "fate", .check = NND_UNCHECKED},
    {"diverged", "", "1 if the run diverged", "flat-minima.md#s5", "fate", .check = NND_UNCHECKED},
    {"sharpness", "t", "sharpness", "flat-minima.md#s1: largest eigenvalue of the Hessian",
     "sharpness", .drawing = {.guides = BOUNDS}, .symbol = "λ_max"},
    {"loss", "t", "loss", "flat-minima.md#s1: mean square error, no factor 1/2", "training"},
    {"distance2", "t", "squared distance to the minimum", "flat-minima.md#s5: |w - w*|^2",
     "training", .symbol = "|w−w*|²"},
    {"test_loss", "t", "loss on the test samples", "flat-minima.md#s5: mean square error",
     "training"},
    {"gap", "t", "test loss less training loss", "flat-minima.md#s5", "generalisation"},
    {"sharpness_least", "t", "smallest eigenvalue of the Hessian",
     "flat-minima.md#s5: negative away from minima", "spectrum", .check = NND_UNCHECKED,
     .symbol = "λ_min"},
    {"sharpness_k", "t,k", "largest eigenvalues of the Hessian",
     "flat-minima.md#s5: each as often as it is one", "spectrum", .symbol = "λ_k"},
    {"trace", "t", "trace of the Hessian", "flat-minima.md#s2: 2 tr(S Theta)", "sharpness"},
    {"trace_start", "", "trace of the Hessian at initialisation",
     "flat-minima.md#s4: mean over the weights", "bounds", .check = NND_UNCHECKED},
    {"weights_sharpness", "", "sharpness at the given weights",
     "flat-minima.md#s10: largest eigenvalue of the Hessian", "bounds"},
    {"weights_least", "", "smallest eigenvalue of the Hessian at the given weights",
     "flat-minima.md#s10: negative away from minima", "bounds", .check = NND_UNCHECKED},
    {"weights_loss", "", "loss at the given weights", "flat-minima.md#s10", "bounds"},
    {"weights_distance2", "", "squared distance of the given weights to the least-squares solution",
     "flat-minima.md#s10: |w - w*|^2", "bounds"},
    {"flattest_distance", "", "distance of the given weights to a flattest minimum, at most",
     "flat-minima.md#eq10: in all weights", "bounds", .check = NND_UNCHECKED},
    {"layer_norm", "t,layer", "Frobenius norm of a layer", "flat-minima.md#s5", "layers"},
    {"layer_rank_ratio", "t,layer", "second over first singular value of a layer",
     "flat-minima.md#s5: sigma_2/sigma_1", "layers", .check = NND_UNCHECKED},
    {"layer_alignment", "t,layer",
     "overlap of a layer's leading left vector with the next one's right vector",
     "flat-minima.md#s5: of the last layer with the readout", "layers"},
    {"layer_deviation", "t,layer", "distance of a layer of a residual network from the identity",
     "flat-minima.md#s4: |W_k - 1|, largest singular value", "layers", .check = NND_UNCHECKED},
};

static const nnd_view VIEWS[] = {
    {"scatter",
     {"gap", "test_loss"},
     .scatter = true,
     .drawing = {.x = "seed", .over = "sharpness", .log = NND_LOG_XY, .last = true}},
    {NULL}};

/* ---- checks ---- */

static bool check_data(nnd_flat_minima *p, nnd_objection *o) {
    if (!nnd_data_check(&p->data, o))
        return false;
    if (p->data.gram.rows > 0)
        return nnd_object(o, "data.gram",
                          "leaves the inputs open; allowed: inputs, generate, or covariance and "
                          "minimizer");
    if (p->data.test_inputs.rows > 0 && p->data.test_targets.rows == 0)
        return nnd_object(o, "data.test_targets", "missing beside test_inputs");
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
    if (isnan(p->init_scale) && !itself && p->weights.rows == 0)
        p->init_scale = residual ? 0.25 : 0.3;
    if (p->init == NND_FLAT_ALIGNED && p->init_scale == 0.0)
        return nnd_object(o, "init_scale", "0; aligned layers need a number > 0");
    return true;
}

/* What goes with drawn weights only. */
static bool check_weights(const nnd_flat_minima *p, nnd_objection *o) {
    bool residual = p->architecture == NND_FLAT_RESIDUAL;
    if (p->weights.rows == 0 && p->weights.name == NULL)
        return true;
    if (p->weights.name == NULL || p->weights.columns > 0)
        return nnd_object(o, "weights", "numbers or a list; allowed: the name of one file");
    if (p->init == NND_FLAT_ALIGNED)
        return nnd_object(o, "init", "aligned layers are no weights of a file");
    if (!isnan(p->init_scale))
        return nnd_object(o, "init_scale", "%g belongs to drawn weights", p->init_scale);
    if (residual && p->readout.count == 0)
        return nnd_object(o, "readout", "missing; the residual network of given weights has one");
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
    if (!check_weights(p, o) || !check_data(p, o) || !check_network(p, o) ||
        !settle_integrator(p, o))
        return false;
    if ((size_t)p->eigenvalues > nnd_flat_minima_weights(p))
        return nnd_object(o, "eigenvalues", "%lld; the network has %zu weights",
                          (long long)p->eigenvalues, nnd_flat_minima_weights(p));
    return true;
}

const nnd_model nnd_flat_minima_model = {
    .name = "flat-minima",
    .summary = "sharpness of the minima that deep linear networks find in regression",
    .page = "flat-minima",
    .loss = "loss",
    .params = NND_TABLE_OF(PARAMS, nnd_flat_minima),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .check = check,
    .file = nnd_flat_minima_file,
    .file_key = "weights",
    .load = nnd_flat_minima_load,
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

size_t nnd_flat_minima_weights(const nnd_flat_minima *p) {
    size_t count = 0;
    for (size_t k = 1; k <= (size_t)p->depth; k++)
        count += nnd_flat_minima_width(p, k) * nnd_flat_minima_width(p, k - 1);
    return count;
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
