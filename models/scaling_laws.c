/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of the model `scaling-laws`. */
#include "nndmft/scaling_laws.h"

#include "core/feature_spectrum.h"
#include "core/rows.h"
#include "models/scaling_laws_impl.h"

#define FIELD(type, name)    NND_FIELD(type, nnd_scaling_laws, name)
#define FEATURES(type, name) NND_FIELD(type, nnd_scaling_features, name)
#define TARGET(type, name)   NND_FIELD(type, nnd_scaling_target, name)
#define ENSEMBLE(type, name) NND_FIELD(type, nnd_scaling_ensemble, name)
#define FRONTIER(type, name) NND_FIELD(type, nnd_scaling_frontier, name)

/* Counts that are whole numbers, or infinite. */
#define COUNT_OR_INF                                                                               \
    { .min = 1, .max = INFINITY }

static const char *const TRAININGS[] = {"flow", "gd", "one-pass", "mini-batch", "ridge", NULL};
static const char *const BATCH_TERMS[] = {"exact", "limit", NULL};

static const nnd_param FEATURE_PARAMS[] = {
    {"power_law", FEATURES(REAL, power_law), "null", NND_NON_NEGATIVE,
     "b in lambda_k = k^-b, k = 1..count (1.5, unless eigenvalues or data are given)"},
    {"count", FEATURES(INTEGER, count), "0", NND_BETWEEN(0, 1e15),
     "M, number of features of the power law; 0: 1000"},
    {"eigenvalues", FEATURES(REALS, eigenvalues), "null",
     NND_BETWEEN(1.0 / NND_LARGEST_VARIANCE, NND_LARGEST_VARIANCE),
     "lambda_k, instead of a power law"},
    {"multiplicity", FEATURES(REALS, multiplicity), "null", NND_BETWEEN(1, 1e15),
     "how many features have each eigenvalue (1)", .whole = true},
};
static const nnd_param_table FEATURE_TABLE = NND_TABLE(FEATURE_PARAMS, nnd_scaling_features);

static const nnd_param TARGET_PARAMS[] = {
    {"power_law", TARGET(REAL, power_law), "null", NND_ANY,
     "a in lambda_k w_k^2 = k^-a (2, unless weights2 or data are given)"},
    {"weights2", TARGET(REALS, weights2), "null", NND_BETWEEN(0, NND_LARGEST_VARIANCE),
     "w_k^2 along one feature of each eigenvalue"},
};
static const nnd_param_table TARGET_TABLE = NND_TABLE(TARGET_PARAMS, nnd_scaling_target);

static const nnd_param ENSEMBLE_PARAMS[] = {
    {"projections", ENSEMBLE(INTEGER, projections), "1", NND_BETWEEN(1, 1e9),
     "different projections A"},
    {"data", ENSEMBLE(INTEGER, data), "1", NND_BETWEEN(1, 1e9),
     "different sets of samples, each seen through every projection"},
};
static const nnd_param_table ENSEMBLE_TABLE = NND_TABLE(ENSEMBLE_PARAMS, nnd_scaling_ensemble);

static const nnd_param FRONTIER_PARAMS[] = {
    {"from", FRONTIER(REAL, from), "null", NND_BETWEEN(1, 1e15), "least width"},
    {"to", FRONTIER(REAL, to), "null", NND_BETWEEN(1, 1e15), "largest width"},
    {"widths", FRONTIER(INTEGER, widths), "0", NND_BETWEEN(0, 10000),
     "number of widths, log-spaced, at least 5; 0: 60"},
    {"compute", FRONTIER(REALS, compute), "null", NND_POSITIVE,
     "budgets C = N t (100 log-spaced ones, from the start of the least width to the end of the "
     "largest)"},
};
static const nnd_param_table FRONTIER_TABLE = NND_TABLE(FRONTIER_PARAMS, nnd_scaling_frontier);

static const nnd_param PARAMS[] = {
    {"features", FIELD(GROUP, features), "null", NND_ANY,
     "covariance of the features; a number is the power law", .group = &FEATURE_TABLE,
     .shorthand = "power_law", .symbol = "b"},
    {"target", FIELD(GROUP, target), "null", NND_ANY, "what is learned; a number is the power law",
     .group = &TARGET_TABLE, .shorthand = "power_law", .symbol = "a"},
    {"data", FIELD(GROUP, data), "null", NND_ANY,
     "features and target of a file instead: `inputs` and `targets`, whose covariance is measured",
     .group = &nnd_data_table},
    {"width", FIELD(REAL, width), "inf", COUNT_OR_INF,
     "N, random projections that a student sees; inf: all features", .symbol = "N",
     .long_name = "width", .whole = true},
    {"samples", FIELD(REAL, samples), "inf", COUNT_OR_INF,
     "P, training samples; inf: the population (one-pass: fresh batches)", .symbol = "P",
     .long_name = "samples", .whole = true},
    {"noise2", FIELD(REAL, noise2), "0", NND_NON_NEGATIVE, "variance of the label noise",
     .symbol = "σ²", .long_name = "label noise"},
    {"training", FIELD(CHOICE, training), "flow", NND_ANY,
     "on |y - f|^2/(2P): gradient flow, full-batch gd, SGD that sees each sample once or draws "
     "batches of the P samples, or the minimum with a ridge",
     .choices = TRAININGS},
    {"lr", FIELD(REAL, lr), "null", NND_POSITIVE, "learning rate of gd and SGD (default 0.1)",
     .symbol = "η", .long_name = "learning rate"},
    {"momentum",
     FIELD(REAL, momentum),
     "0",
     {.min = 0, .max = 1, .max_open = true},
     "gd: heavy-ball momentum"},
    {"batch", FIELD(INTEGER, batch), "0", NND_BETWEEN(0, 1e9),
     "B of one-pass and mini-batch, drawn without replacement; 0: 10", .symbol = "B",
     .long_name = "batch"},
    {"batch_terms", FIELD(CHOICE, batch_terms), "exact", NND_ANY,
     "moments of batches of this size, or their limit for large ones, to which simulations of "
     "growing size extrapolate",
     .choices = BATCH_TERMS},
    {"time",
     FIELD(REAL, time),
     "null",
     {.min = NND_SCALING_LEAST_TIME, .max = 1e15},
     "final time of flow (default 1e4)"},
    {"steps", FIELD(INTEGER, steps), "0", NND_BETWEEN(0, 1e12),
     "number of steps of gd and SGD; 0: 1000"},
    {"record", FIELD(REALS, record), "null", NND_NON_NEGATIVE,
     "times or steps to record, besides the last (200 log-spaced ones); log: the first one and 20 "
     "per decade",
     .word = "log"},
    {"ridge", FIELD(REAL, ridge), "0", NND_BETWEEN(0, 1.0 / NND_SCALING_LEAST_TIME),
     "ridge: mu in |y - f|^2/(2P) + mu |theta|^2/2; 0 is the solution of least norm", .symbol = "μ",
     .long_name = "ridge"},
    {"ensemble", FIELD(GROUP, ensemble), "null", NND_ANY,
     "students whose mean is ensemble_risk; a number is of projections", .group = &ENSEMBLE_TABLE,
     .shorthand = "projections", .symbol = "E"},
    {"frontier", FIELD(GROUP, frontier), "null", NND_ANY,
     "also the width of least loss at given compute C = N t", .group = &FRONTIER_TABLE},
    {"nodes", FIELD(INTEGER, nodes), "24", NND_BETWEEN(8, 40),
     "points of a contour in the upper half plane"},
};
static const nnd_param_table PARAM_TABLE = NND_TABLE(PARAMS, nnd_scaling_laws);

static const nnd_param SIMULATE[] = {NND_CONTROL_ROW(nnd_scaling_laws)};
static const nnd_param_table SIMULATE_TABLE = NND_TABLE(SIMULATE, nnd_scaling_laws);

#define OVER(swept)                                                                                \
    { .x = (swept), .log = NND_LOG_XY }

/* Of test_risk. */
static const nnd_guide PARTS[] = {{"bias", "bias", NND_GUIDE_STACK},
                                  {"var_projection", "variance: projection", NND_GUIDE_STACK},
                                  {"var_data", "variance: data", NND_GUIDE_STACK},
                                  {"var_joint", "variance: both jointly", NND_GUIDE_STACK},
                                  {NULL}};

static const nnd_view VIEWS[] = {
    {"parts", {"test_risk"}, .drawing = {.x = "t", .log = NND_LOG_X, .guides = PARTS}},
    {"width", {"test_mse"}, .drawing = OVER("width")},
    {"samples", {"test_mse"}, .drawing = OVER("samples")},
    {"batch", {"test_mse"}, .drawing = OVER("batch")},
    {"ensembles",
     {"ensemble_risk"},
     .drawing = {.x = "width", .over = "compute_used", .log = NND_LOG_XY, .last = true}},
    {NULL}};

const nnd_model nnd_scaling_laws_model = {
    .name = "scaling-laws",
    .summary = "loss of linear random-feature students against time, width, samples and batch",
    .page = "scaling-laws",
    .params = &PARAM_TABLE,
    .simulate = &SIMULATE_TABLE,
    .variable_count = NND_SCALING_VARIABLES,
    .variables = nnd_scaling_laws_variables,
    .views = VIEWS,
    .data_optional = true,
    .sized = true,
    .size_optional = true,
    .check = nnd_scaling_laws_check,
};
