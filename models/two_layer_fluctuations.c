/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/two_layer_fluctuations.h"

#include "core/timegrid.h"

#define FIELD(name) offsetof(nnd_two_layer, name)

static const char *const SOLVERS[] = {"auto", "exact-linear", "quadrature", "sampled", NULL};

static const nnd_param PARAMS[] = {
    {.name = "activation",
     .type = NND_GROUP,
     .offset = FIELD(activation),
     .fallback = "tanh",
     .doc = "of the hidden layer",
     .group = &nnd_activation_table,
     .shorthand = "name"},
    {.name = "gamma0",
     .type = NND_REAL,
     .offset = FIELD(gamma0),
     .fallback = "1",
     .range = {.min = 1e-8, .max = INFINITY, .max_open = true},
     .unit = "1",
     .doc = "output scale; large: rich, small: lazy (rounding counts 1/gamma0 times)"},
    {.name = "lr",
     .type = NND_REAL,
     .offset = FIELD(lr),
     .fallback = "0.1",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "learning rate eta0; the raw rate is eta0 gamma0^2 N"},
    {.name = "steps",
     .type = NND_INTEGER,
     .offset = FIELD(steps),
     .fallback = "40",
     .range = {.min = 0, .max = 1e6},
     .unit = "1",
     .doc = "T, number of steps"},
    {.name = "data",
     .type = NND_GROUP,
     .offset = FIELD(data),
     .fallback = "null",
     .doc = "training and test samples",
     .group = &nnd_data_table},
    {.name = "center",
     .type = NND_BOOL,
     .offset = FIELD(center),
     .fallback = "false",
     .doc = "subtract the output at initialisation, in theory and network"},
    {.name = "solver",
     .type = NND_CHOICE,
     .offset = FIELD(solver),
     .fallback = "auto",
     .choices = SOLVERS,
     .doc = "of theory: closed map, nodes on a grid (up to three axes: rank of the data, and one), "
            "quasi-random nodes; auto: the grid, or where it stays above 1e-3 quasi-random nodes"},
    {.name = "nodes",
     .type = NND_INTEGER,
     .offset = FIELD(nodes),
     .fallback = "0",
     .range = {.min = 0, .max = 2000},
     .unit = "1",
     .doc = "quadrature: intervals per axis, even; 0: as many as the tolerance needs"},
    {.name = "tolerance",
     .type = NND_REAL,
     .offset = FIELD(tolerance),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "quadrature: of each curve between two grids, relative to its largest value (default "
            "1e-7, of relu 1e-3)"},
    {.name = "samples",
     .type = NND_INTEGER,
     .offset = FIELD(samples),
     .fallback = "4096",
     .range = {.min = 16, .max = 16777216},
     .unit = "1",
     .doc = "sampled: neurons in each replicate, a power of two"},
    {.name = "replicates",
     .type = NND_INTEGER,
     .offset = FIELD(replicates),
     .fallback = "4",
     .range = {.min = 2, .max = 1000},
     .unit = "1",
     .doc = "sampled: independent sets of neurons; their spread gives the standard errors"},
    {.name = "seed",
     .type = NND_INTEGER,
     .offset = FIELD(seed),
     .fallback = "1",
     .range = NND_SEED_KEYS,
     .unit = "1",
     .doc = "sampled: of the neurons"},
    {.name = "bias",
     .type = NND_BOOL,
     .offset = FIELD(bias),
     .fallback = "true",
     .doc = "shifts of means at order 1/N; without them `validity` estimates theirs"},
    {.name = "kernels",
     .type = NND_BOOL,
     .offset = FIELD(kernels),
     .fallback = "true",
     .doc = "the NTK on the training samples and its fluctuations"},
    {.name = "two_time",
     .type = NND_BOOL,
     .offset = FIELD(two_time),
     .fallback = "false",
     .doc = "also covariances and responses between all pairs of recorded times"},
    {.name = "record",
     .type = NND_INTEGERS,
     .offset = FIELD(record),
     .fallback = "null",
     .range = {.min = 0, .max = 1e6},
     .unit = "1",
     .doc = "steps to record, besides the last"},
    {.name = "record_every",
     .type = NND_INTEGER,
     .offset = FIELD(record_every),
     .fallback = "1",
     .range = {.min = 1, .max = 1e6},
     .unit = "1",
     .doc = "record every n-th step, when there is no `record`"},
};
static const nnd_param_table PARAM_TABLE = {PARAMS, sizeof PARAMS / sizeof *PARAMS,
                                            sizeof(nnd_two_layer)};

static const nnd_param SIMULATE[] = {NND_CONTROL_OPTION(FIELD(control))};
static const nnd_param_table SIMULATE_TABLE = {SIMULATE, 1, sizeof(nnd_two_layer)};

static const nnd_variable VARIABLES[] = {
    {.name = "delta",
     .dims = "t,mu",
     .unit = "1",
     .long_name = "residual",
     .equation = "fluctuations.md#s1-1: y - f",
     .view = "training"},
    {.name = "output",
     .dims = "t,mu",
     .unit = "1",
     .long_name = "output",
     .equation = "fluctuations.md#s1-1: f",
     .view = "band"},
    {.name = "test_output",
     .dims = "t,test",
     .unit = "1",
     .long_name = "output at test samples",
     .equation = "fluctuations.md#s1-2",
     .view = "test"},
    {.name = "ntk",
     .dims = "t,mu,nu",
     .unit = "1",
     .long_name = "neural tangent kernel",
     .equation = "fluctuations.md#s0: K",
     .view = "kernel"},
    {.name = "loss",
     .dims = "t",
     .unit = "1",
     .long_name = "training loss",
     .equation = "fluctuations.md#s0: mean of Delta^2/2",
     .view = "training"},
    {.name = "delta_nvar",
     .dims = "t,mu",
     .unit = "1",
     .long_name = "N times the variance of the residual",
     .equation = "fluctuations.md#s1-2: Sigma",
     .estimator = {NND_NVAR, "delta", NULL},
     .view = "variance"},
    {.name = "delta_ncov",
     .dims = "t,mu,nu",
     .unit = "1",
     .long_name = "N times the covariance of residuals",
     .equation = "fluctuations.md#s1-2: Sigma",
     .estimator = {NND_NCOV, "delta", "delta"},
     .view = "covariance"},
    {.name = "test_output_nvar",
     .dims = "t,test",
     .unit = "1",
     .long_name = "N times the variance of the output at test samples",
     .equation = "fluctuations.md#s1-2",
     .estimator = {NND_NVAR, "test_output", NULL},
     .view = "test"},
    {.name = "ntk_nvar",
     .dims = "t,mu,nu",
     .unit = "1",
     .long_name = "N times the variance of the NTK",
     .equation = "fluctuations.md#s1-2",
     .estimator = {NND_NVAR, "ntk", NULL},
     .view = "kernel"},
    {.name = "delta_ntk_ncov",
     .dims = "t,mu",
     .unit = "1",
     .long_name = "N times the covariance of residual and diagonal NTK",
     .equation = "fluctuations.md#s1-2",
     .estimator = {NND_NCOV, "delta", "ntk_diagonal"},
     .view = "covariance"},
    {.name = "delta_bias",
     .dims = "t,mu",
     .unit = "1",
     .long_name = "N times the bias of the residual",
     .equation = "fluctuations.md#s1-3: b_Delta",
     .estimator = {NND_SLOPE, "delta", NULL},
     .view = "bias"},
    {.name = "test_output_bias",
     .dims = "t,test",
     .unit = "1",
     .long_name = "N times the bias of the output at test samples",
     .equation = "fluctuations.md#s1-3",
     .estimator = {NND_SLOPE, "test_output", NULL},
     .view = "test"},
    {.name = "ntk_bias",
     .dims = "t,mu,nu",
     .unit = "1",
     .long_name = "N times the bias of the NTK",
     .equation = "fluctuations.md#s1-3",
     .estimator = {NND_SLOPE, "ntk", NULL},
     .view = "kernel"},
    {.name = "loss_ncorr",
     .dims = "t",
     .unit = "1",
     .long_name = "coefficient of 1/N of the expected training loss",
     .equation = "fluctuations.md#s6: mean of (N Var Delta + 2 Delta b)/2",
     .estimator = {NND_SLOPE, "loss", NULL},
     .view = "bias"},
    {.name = "validity",
     .dims = "t,mu",
     .unit = "1",
     .long_name = "N times the relative size of the next order",
     .equation = "fluctuations.md#s1-7: N Var Delta/(2 Delta^2) + 2 |b|/|Delta|",
     .check = {NND_CHECK_NONE, NULL},
     .view = "validity"},
    {.name = "delta_two_time_ncov",
     .dims = "t,s,mu,nu",
     .unit = "1",
     .long_name = "N times the covariance of residuals at two times",
     .equation = "fluctuations.md#s1-2: Sigma",
     .estimator = {NND_NCOV, "delta", "delta"},
     .view = "two-time"},
    {.name = "noise_two_time",
     .dims = "t,s,mu,nu",
     .unit = "1",
     .long_name = "covariance of single neurons",
     .equation = "fluctuations.md#s1-2: C_1",
     .check = {NND_CHECK_NONE, NULL},
     .view = "two-time"},
    {.name = "response",
     .dims = "t,s,mu,nu",
     .unit = "1",
     .long_name = "response of the output to the residual",
     .equation = "fluctuations.md#s1-2: chi",
     .check = {NND_CHECK_NONE, NULL},
     .view = "two-time"},
};

/* Axes of a grid: at most one per sample, and the readout. */
static size_t axes(const nnd_two_layer *p) {
    return nnd_data_samples(&p->data) + nnd_data_tests(&p->data) + 1;
}

/* A grid takes up to three axes; of what has a kink, smoothed over a small width, two. */
static bool suits_grid(const nnd_two_layer *p) {
    return !nnd_activation_has_kink(&p->activation) &&
           axes(p) <= (p->activation.name == NND_RELU ? 2 : 3);
}

/* AUTO stays where a grid is tried first. */
static void settle_solver(nnd_two_layer *p) {
    if (isnan(p->tolerance))
        p->tolerance = p->activation.name == NND_RELU ? 1e-3 : 1e-7;
    if (p->solver != NND_FLUCTUATIONS_AUTO)
        return;
    if (p->activation.name == NND_LINEAR)
        p->solver = NND_FLUCTUATIONS_EXACT;
    else if (!suits_grid(p))
        p->solver = NND_FLUCTUATIONS_SAMPLED;
}

static bool check_solver(nnd_two_layer *p, nnd_objection *o) {
    bool kink = nnd_activation_has_kink(&p->activation);
    if (kink && p->bias)
        return nnd_object(
            o, "activation",
            "relu has a kink: the bias lacks what crossing it contributes; use {name: "
            "relu, smoothing: 0.2}, or bias: false");
    if (kink && p->solver == NND_FLUCTUATIONS_QUADRATURE)
        return nnd_object(o, "solver",
                          "quadrature does not resolve the kink of relu; use sampled, or {name: "
                          "relu, smoothing: 0.2}");
    settle_solver(p);
    if (p->solver == NND_FLUCTUATIONS_EXACT && p->activation.name != NND_LINEAR)
        return nnd_object(o, "solver", "exact-linear needs activation: linear");
    if (p->solver == NND_FLUCTUATIONS_QUADRATURE && axes(p) > 4)
        return nnd_object(o, "solver",
                          "quadrature has at most 4 axes; %zu samples and the readout are %zu",
                          axes(p) - 1, axes(p));
    bool sampled = p->solver == NND_FLUCTUATIONS_SAMPLED || p->solver == NND_FLUCTUATIONS_AUTO;
    if (sampled && (p->samples & (p->samples - 1)) != 0)
        return nnd_object(o, "samples", "%lld is not a power of two", (long long)p->samples);
    if (p->nodes % 2 != 0 || (p->nodes > 0 && p->nodes < 8))
        return nnd_object(o, "nodes", "%lld; allowed: 0, or an even number >= 8",
                          (long long)p->nodes);
    return true;
}

static bool check(void *params, nnd_objection *o) {
    nnd_two_layer *p = params;
    if (!nnd_steps_check(&p->record, p->steps, o))
        return false;
    if (!nnd_data_check_samples(&p->data, o))
        return false;
    return check_solver(p, o);
}

static nnd_data *data(void *params) {
    return &((nnd_two_layer *)params)->data;
}

const nnd_model nnd_two_layer_fluctuations_model = {
    .name = "two-layer-fluctuations",
    .summary = "variance and bias at order 1/N of networks with one hidden layer",
    .page = "fluctuations",
    .params = &PARAM_TABLE,
    .simulate = &SIMULATE_TABLE,
    .variable_count = sizeof VARIABLES / sizeof *VARIABLES,
    .variables = VARIABLES,
    .data = data,
    .sized = true,
    .check = check,
};
