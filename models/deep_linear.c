/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_linear.h"

#include <math.h>

#include "core/timegrid.h"

#define FIELD(name) offsetof(nnd_deep_linear, name)

static const char *const PARAMETERIZATIONS[] = {"mup", "ntk", NULL};
static const char *const TRAININGS[] = {"fixed", "online", "fresh", NULL};
static const char *const INTEGRATORS[] = {"gd", "flow", NULL};
static const char *const METHODS[] = {"euler", "heun", "rk4", NULL};

static const nnd_param PARAMS[] = {
    {.name = "depth",
     .type = NND_INTEGER,
     .offset = FIELD(depth),
     .fallback = "1",
     .range = {.min = 1, .max = 1000},
     .unit = "1",
     .doc = "L, number of hidden layers"},
    {.name = "alpha",
     .type = NND_REAL,
     .offset = FIELD(alpha),
     .fallback = "2",
     .range = {.min = 0, .max = INFINITY, .min_open = true},
     .unit = "1",
     .doc = "P/D, samples over input dimension; inf: online"},
    {.name = "nu",
     .type = NND_REAL,
     .offset = FIELD(nu),
     .fallback = "1",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "N/D, width over input dimension"},
    {.name = "gamma0",
     .type = NND_REAL,
     .offset = FIELD(gamma0),
     .fallback = "1",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "output scale; large: rich, small: lazy"},
    {.name = "sigma",
     .type = NND_REALS,
     .offset = FIELD(sigma),
     .fallback = "1",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "initialisation scale, for all or one per matrix and the readout (L + 1)"},
    {.name = "noise",
     .type = NND_REAL,
     .offset = FIELD(noise),
     .fallback = "0",
     .range = NND_NON_NEGATIVE,
     .unit = "1",
     .doc = "standard deviation of the label noise"},
    {.name = "lr",
     .type = NND_REAL,
     .offset = FIELD(lr),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "learning rate eta0 of gd (default 0.1); the raw rate is eta0 gamma^2 D"},
    {.name = "steps",
     .type = NND_INTEGER,
     .offset = FIELD(steps),
     .fallback = "40",
     .range = {.min = 0, .max = 1e6},
     .unit = "1",
     .doc = "T, number of steps; of flow: steps of theory, and grid of recorded times"},
    {.name = "parameterization",
     .type = NND_CHOICE,
     .offset = FIELD(parameterization),
     .fallback = "mup",
     .choices = PARAMETERIZATIONS,
     .doc = "gamma = gamma0 sqrt(nu) (mup) or gamma0 (ntk)"},
    {.name = "training",
     .type = NND_CHOICE,
     .offset = FIELD(training),
     .fallback = "fixed",
     .choices = TRAININGS,
     .doc = "full batch of fixed data, population gradient, or a new batch at every step"},
    {.name = "center",
     .type = NND_BOOL,
     .offset = FIELD(center),
     .fallback = "false",
     .doc = "subtract the predictor at initialisation"},
    {.name = "momentum",
     .type = NND_REAL,
     .offset = FIELD(momentum),
     .fallback = "0",
     .range = {.min = 0, .max = 1, .max_open = true},
     .unit = "1",
     .doc = "heavy-ball momentum of gd"},
    {.name = "weight_decay",
     .type = NND_REAL,
     .offset = FIELD(weight_decay),
     .fallback = "0",
     .range = {.min = 0, .max = 1, .max_open = true},
     .unit = "1",
     .doc = "decoupled weight decay of gd per step"},
    {.name = "schedule",
     .type = NND_REALS,
     .offset = FIELD(schedule),
     .fallback = "null",
     .range = NND_NON_NEGATIVE,
     .unit = "1",
     .doc = "multipliers of lr at steps 0, 1, ...; the last one holds on"},
    {.name = "integrator",
     .type = NND_CHOICE,
     .offset = FIELD(integrator),
     .fallback = "gd",
     .choices = INTEGRATORS,
     .doc = "gradient descent, or gradient flow up to `time`"},
    {.name = "method",
     .type = NND_CHOICE,
     .offset = FIELD(method),
     .fallback = "rk4",
     .choices = METHODS,
     .doc = "Runge-Kutta method of theory's flow; networks choose steps of their own"},
    {.name = "time",
     .type = NND_REAL,
     .offset = FIELD(time),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "flow: final time tau = lr * step (default 1)"},
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
    {.name = "two_time",
     .type = NND_BOOL,
     .offset = FIELD(two_time),
     .fallback = "false",
     .doc = "also the order parameters between all pairs of recorded times"},
    {.name = "spectrum",
     .type = NND_BOOL,
     .offset = FIELD(spectrum),
     .fallback = "true",
     .doc = "outlying singular values of the weight matrices"},
    {.name = "outliers",
     .type = NND_INTEGER,
     .offset = FIELD(outliers),
     .fallback = "2",
     .range = {.min = 1, .max = 100},
     .unit = "1",
     .doc = "how many outliers per matrix, and of the NTK"},
    {.name = "ntk",
     .type = NND_BOOL,
     .offset = FIELD(ntk),
     .fallback = "true",
     .doc = "leading modes of the training NTK; without them no claim is taken back beyond "
            "the edge of stability"},
    {.name = "density",
     .type = NND_BOOL,
     .offset = FIELD(density),
     .fallback = "false",
     .doc = "density of singular values; a simulation counts them (size up to 500)"},
    {.name = "divergence_bound",
     .type = NND_REAL,
     .offset = FIELD(divergence_bound),
     .fallback = "1e6",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "train_mse, relative to its first value, above which a run counts as diverged"},
};

static const nnd_param_table PARAM_TABLE = {
    PARAMS,
    sizeof PARAMS / sizeof *PARAMS,
    sizeof(nnd_deep_linear),
};

static const nnd_param SIMULATE[] = {NND_CONTROL_OPTION(FIELD(control))};
static const nnd_param_table SIMULATE_TABLE = {SIMULATE, 1, sizeof(nnd_deep_linear)};

static const nnd_variable VARIABLES[] = {
    {.name = "test_risk",
     .dims = "t",
     .unit = "1",
     .long_name = "excess test risk",
     .equation = "deep-linear.md#s2-4: |beta* - beta|^2",
     .view = "training"},
    {.name = "train_mse",
     .dims = "t",
     .unit = "1",
     .long_name = "training mean squared error",
     .equation = "deep-linear.md#s2-4: |Delta|^2/P",
     .view = "training"},
    {.name = "overlap",
     .dims = "t",
     .unit = "1",
     .long_name = "overlap with the target",
     .equation = "deep-linear.md#s2-4: beta . beta*",
     .view = "training"},
    {.name = "beta_norm2",
     .dims = "t",
     .unit = "1",
     .long_name = "squared norm of the predictor",
     .equation = "deep-linear.md#s2-4: |beta|^2",
     .view = "training"},
    {.name = "g_norm2",
     .dims = "t,layer",
     .unit = "1",
     .long_name = "squared norm of the backward field",
     .equation = "deep-linear.md#s2-2: G_l(t,t)",
     .view = "norms"},
    {.name = "h_norm2",
     .dims = "t,layer",
     .unit = "1",
     .long_name = "squared norm of the forward field",
     .equation = "deep-linear.md#s2-2: H_l(t,t)",
     .view = "norms"},
    {.name = "g_two_time",
     .dims = "layer,t,s",
     .unit = "1",
     .long_name = "two-time overlap of the backward field",
     .equation = "deep-linear.md#s2-2: G_l(t,s)",
     .view = "two-time"},
    {.name = "h_two_time",
     .dims = "layer,t,s",
     .unit = "1",
     .long_name = "two-time overlap of the forward field",
     .equation = "deep-linear.md#s2-2: H_l(t,s)",
     .view = "two-time"},
    {.name = "delta_two_time",
     .dims = "t,s",
     .unit = "1",
     .long_name = "two-time overlap of the error in the predictor",
     .equation = "deep-linear.md#s2-2: C_delta(t,s)",
     .view = "two-time"},
    {.name = "train_two_time",
     .dims = "t,s",
     .unit = "1",
     .long_name = "two-time overlap of the training residual",
     .equation = "deep-linear.md#s2-2: C_r(t,s)",
     .view = "two-time"},
    {.name = "outlier",
     .dims = "t,matrix,k",
     .unit = "1",
     .long_name = "singular value",
     .equation = "deep-linear.md#s3-3",
     .nullable = true,
     .view = "outliers"},
    {.name = "bulk_edge",
     .dims = "t,matrix",
     .unit = "1",
     .long_name = "edge of the bulk",
     .equation = "deep-linear.md#s3: kappa sigma (1 + sqrt(phi))",
     .check = {NND_CHECK_NONE, NULL},
     .view = "outliers"},
    {.name = "escape_time",
     .dims = "matrix",
     .unit = "1",
     .long_name = "escape time",
     .equation = "deep-linear.md#s3-3: Lambda_1(z_+) = 1",
     .check = {NND_CHECK_NONE, NULL},
     .nullable = true,
     .view = "escape"},
    {.name = "outlier_overlap_target",
     .dims = "t,k",
     .unit = "1",
     .long_name = "squared overlap with the target",
     .equation = "deep-linear.md#s3-4: right vector of A_0",
     .nullable = true,
     .view = "overlaps"},
    {.name = "outlier_overlap_readout",
     .dims = "t,k",
     .unit = "1",
     .long_name = "squared overlap with the readout",
     .equation = "deep-linear.md#s3-4: left vector of A_{L-1}",
     .nullable = true,
     .view = "overlaps"},
    {.name = "ntk_top",
     .dims = "t,k",
     .unit = "1",
     .long_name = "top eigenvalue of the NTK",
     .equation = "deep-linear.md#s4-3",
     .nullable = true,
     .view = "stability"},
    {.name = "ntk_edge",
     .dims = "t",
     .unit = "1",
     .long_name = "bulk edge of the NTK",
     .equation = "deep-linear.md#s4-1: min lambda(x)",
     .check = {NND_CHECK_NONE, NULL},
     .view = "stability"},
    {.name = "stability",
     .dims = "t",
     .unit = "1",
     .long_name = "learning rate times top eigenvalue",
     .equation = "deep-linear.md#s4: eta0 lambda_max",
     .view = "stability"},
    {.name = "stability_edge",
     .dims = "",
     .unit = "1",
     .long_name = "edge of stability",
     .equation = "deep-linear.md#s4: (2 - weight_decay) (1 + momentum)",
     .check = {NND_CHECK_NONE, NULL},
     .view = "stability"},
    {.name = "ntk_residual_overlap",
     .dims = "t",
     .unit = "1",
     .long_name = "squared overlap of the top NTK mode with the residual",
     .equation = "deep-linear.md#s4-4",
     .nullable = true,
     .view = "overlaps"},
    {.name = "step_error",
     .dims = "",
     .unit = "1",
     .long_name = "error of the simulated flow, summed over its steps",
     .equation = "Dormand and Prince 5(4): |dA_l|/sigma_l",
     .check = {NND_CHECK_NONE, NULL}},
    {.name = "sv_density",
     .dims = "matrix,z",
     .unit = "1",
     .long_name = "density of singular values",
     .equation = "deep-linear.md#s3: bulk law",
     .check = {NND_CHECK_NONE, NULL},
     .view = "spectrum"},
    {.name = "sv_hist",
     .dims = "t,matrix,z",
     .unit = "1",
     .long_name = "histogram of singular values",
     .equation = "deep-linear.md#s3",
     .check = {NND_CHECK_NONE, NULL},
     .view = "spectrum"},
};

/* Values that belong to one integrator only, and what follows from absent ones. */
static bool settle_integrator(nnd_deep_linear *p, nnd_objection *o) {
    if (p->integrator == NND_DESCENT) {
        if (!isnan(p->time))
            return nnd_object(o, "time", "%g belongs to integrator: flow", p->time);
        if (isnan(p->lr))
            p->lr = 0.1;
        return true;
    }
    if (!isnan(p->lr))
        return nnd_object(o, "lr", "%g belongs to integrator: gd (flow has time)", p->lr);
    if (p->momentum > 0.0)
        return nnd_object(o, "momentum", "%g belongs to integrator: gd", p->momentum);
    if (p->weight_decay > 0.0)
        return nnd_object(o, "weight_decay", "%g belongs to integrator: gd", p->weight_decay);
    if (p->schedule.count > 0)
        return nnd_object(o, "schedule", "belongs to integrator: gd");
    if (p->training == NND_TRAIN_FRESH)
        return nnd_object(o, "training", "fresh batches belong to integrator: gd");
    if (p->steps == 0)
        return nnd_object(o, "steps", "0 is out of range: flow needs an integer >= 1");
    if (isnan(p->time))
        p->time = 1.0;
    return true;
}

static bool check(void *params, nnd_objection *o) {
    nnd_deep_linear *p = params;
    size_t matrices = (size_t)p->depth + 1;
    if (p->sigma.count != 1 && p->sigma.count != matrices)
        return nnd_object(o, "sigma", "a list of %zu; allowed: one value, or %zu (depth + 1)",
                          p->sigma.count, matrices);
    if (!nnd_steps_check(&p->record, p->steps, o))
        return false;
    if (isinf(p->alpha))
        p->training = NND_TRAIN_ONLINE;
    if (p->training == NND_TRAIN_ONLINE)
        p->alpha = INFINITY;
    return settle_integrator(p, o);
}

const nnd_model nnd_deep_linear_model = {
    .name = "deep-linear",
    .summary = "deep linear networks in the proportional limit",
    .page = "deep-linear",
    .params = &PARAM_TABLE,
    .simulate = &SIMULATE_TABLE,
    .variable_count = sizeof VARIABLES / sizeof *VARIABLES,
    .variables = VARIABLES,
    .sized = true,
    .check = check,
};

double nnd_deep_linear_sigma(const nnd_deep_linear *p, size_t l) {
    return p->sigma.value[p->sigma.count == 1 ? 0 : l];
}

double nnd_deep_linear_rate(const nnd_deep_linear *p, size_t step) {
    size_t n = p->schedule.count;
    return n == 0 ? 1.0 : p->schedule.value[step < n ? step : n - 1];
}

nnd_status nnd_deep_linear_add_bins(const nnd_deep_linear *p, nnd_frame *frame) {
    enum { BINS = 96 };
    double largest = 0.0, z[BINS];
    for (size_t l = 0; l < (size_t)p->depth; l++)
        largest = fmax(largest, nnd_deep_linear_sigma(p, l));
    double width = 4.0 * largest * sqrt(fmax(1.0, p->nu)) / BINS;
    for (size_t i = 0; i < BINS; i++)
        z[i] = ((double)i + 0.5) * width;
    return nnd_frame_add_dim(frame, "z", NND_COORD_REAL, BINS, z);
}
