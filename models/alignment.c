/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of the model `alignment`. */
#include "nndmft/alignment.h"

#include "core/rows.h"
#include "models/alignment_impl.h"

#define FIELD(type, name)      NND_FIELD(type, nnd_alignment, name)
#define COVARIANCE(type, name) NND_FIELD(type, nnd_alignment_covariance, name)
#define TEACHER(type, name)    NND_FIELD(type, nnd_alignment_teacher, name)
#define PROBE(type, name)      NND_FIELD(type, nnd_alignment_probe, name)

static const char *const KINDS[] = {"isotropic", "power-law", "eigenvalues", NULL};
static const char *const INPUTS[] = {"shared", "independent", NULL};
static const char *const TRAININGS[] = {"ridge",        "flow",          "gd", "rich", "white-init",
                                        "weight-decay", "gaussian-init", NULL};
static const char *const STARTS[] = {"along-c", "random", NULL};
static const char *const METRICS[] = {"sigma", "identity", NULL};
static const char *const TASKS[] = {"regression", "classification", NULL};
static const char *const TAILS[] = {"gaussian", "measured", NULL};
static const char *const ROUTES[] = {"direct", "network", NULL};

static const nnd_param COVARIANCE_PARAMS[] = {
    {"kind", COVARIANCE(CHOICE, kind), "isotropic", NND_ANY, "follows from the other keys",
     .choices = KINDS},
    {"power_law", COVARIANCE(REAL, power_law), "null", NND_NON_NEGATIVE,
     "a in s_i = i^-a, i = 1..dim"},
    {"dim", COVARIANCE(INTEGER, dim), "0", NND_BETWEEN(0, 1e6),
     "D of the power law; 0: that of the parameter `dim`"},
    {"eigenvalues", COVARIANCE(REALS, eigenvalues), "null", NND_NON_NEGATIVE, "s_1 .. s_D"},
};
static const nnd_param_table COVARIANCE_TABLE =
    NND_TABLE(COVARIANCE_PARAMS, nnd_alignment_covariance);

static const nnd_param TEACHER_PARAMS[] = {
    {"norm2", TEACHER(REAL, norm2), "null", NND_POSITIVE,
     "|beta*|^2 (1, unless power or coefficients2 are given)"},
    {"power", TEACHER(REAL, power), "null", NND_POSITIVE, "beta* Sigma beta*, instead of norm2"},
    {"power_law", TEACHER(REAL, power_law), "0", NND_ANY,
     "b in beta*_i^2 ~ i^-b along the eigenvectors"},
    {"coefficients2", TEACHER(REALS, coefficients2), "null", NND_NON_NEGATIVE,
     "beta*_i^2, one for each eigenvalue"},
};
static const nnd_param_table TEACHER_TABLE = NND_TABLE(TEACHER_PARAMS, nnd_alignment_teacher);

static const char *const PROBED[] = {"fresh", "train", "test", NULL};

static const nnd_param PROBE_PARAMS[] = {
    {"points", PROBE(INTEGER, points), "0", NND_BETWEEN(0, 1e5),
     "size of a finite set of probes, for cka_probe; 0: none"},
    {"on", PROBE(CHOICE, on), "fresh", NND_ANY,
     "new inputs (of data: rows), the first of the training inputs of the first network, or of the "
     "test inputs of data (simulation only)",
     .choices = PROBED},
    {"centred", PROBE(BOOL, centred), "false", NND_ANY, "take the mean over the probes out"},
    {"similarity", PROBE(BOOL, similarity), "false", NND_ANY,
     "take all measures of similarity on them, as `nndmft similarity` does, with null levels"},
};
static const nnd_param_table PROBE_TABLE = NND_TABLE(PROBE_PARAMS, nnd_alignment_probe);

static const nnd_param PARAMS[] = {
    {"data", FIELD(GROUP, data), "null", NND_ANY,
     "rows of a file that samples are drawn from instead, `inputs` and `targets` or `labels`: "
     "covariance and teacher are measured",
     .group = &nnd_data_table},
    {"alpha", FIELD(REAL, alpha), "null", NND_POSITIVE, "P/D, samples over input dimension (2)",
     .symbol = "α", .long_name = "samples per dimension"},
    {"samples", FIELD(INTEGER, samples), "0", NND_BETWEEN(0, 1e8),
     "P, instead of alpha where data or dim say what D is; 0: not given", .symbol = "P",
     .long_name = "samples"},
    {"snr", FIELD(REAL, snr), "null", NND_POSITIVE_OR_INF,
     "signal-to-noise ratio beta* Sigma beta*/sigma^2 of the labels; inf: no noise (2)",
     .symbol = "SNR", .long_name = "signal-to-noise ratio"},
    {"label_noise", FIELD(REAL, label_noise), "null", NND_NON_NEGATIVE,
     "variance of the noise on labels, instead of snr"},
    {"noise_correlation", FIELD(REAL, noise_correlation), "0", NND_BETWEEN(0, 1),
     "correlation of the label noise of the two networks"},
    {"input_noise", FIELD(REAL, input_noise), "0", NND_NON_NEGATIVE,
     "tau^2, variance of the noise on each network's inputs"},
    {"inputs", FIELD(CHOICE, inputs), "shared", NND_ANY,
     "the same clean inputs, or each network its own", .choices = INPUTS},
    {"tails", FIELD(CHOICE, tails), "gaussian", NND_ANY,
     "of data with ridge: inputs are taken for normal ones, or their lengths along the directions "
     "of the covariance are measured",
     .choices = TAILS},
    {"covariance", FIELD(GROUP, covariance), "null", NND_ANY, "Sigma, of the inputs",
     .group = &COVARIANCE_TABLE, .shorthand = "kind"},
    {"teacher", FIELD(GROUP, teacher), "null", NND_ANY, "beta*", .group = &TEACHER_TABLE},
    {"dim", FIELD(INTEGER, dim), "0", NND_BETWEEN(0, 1e6),
     "D, where the theory needs it: white-init, gaussian-init, a power law; 0: not given"},
    {"training", FIELD(CHOICE, training), "ridge", NND_ANY,
     "ridge regression (ridge: 0 is least norm), linear regression by flow or gd, a linear network "
     "from a small (rich) or white start, with weight decay, or from Gaussian features to "
     "convergence",
     .choices = TRAININGS},
    {"ridge", FIELD(REAL, ridge), "0", NND_NON_NEGATIVE,
     "lambda in |y - X beta|^2/P + lambda |beta|^2", .symbol = "λ", .long_name = "ridge"},
    {"weight_decay", FIELD(REAL, weight_decay), "null", NND_NON_NEGATIVE,
     "mu in |y - X W^T a|^2/(2P) + mu (|W|^2 + |a|^2)/2"},
    {"time", FIELD(REAL, time), "null", NND_POSITIVE,
     "final time of flow, rich and white-init (default 10)"},
    {"lr", FIELD(REAL, lr), "null", NND_POSITIVE, "learning rate of gd (default 0.1)",
     .symbol = "η₀", .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "100", NND_BETWEEN(0, 1e8), "number of steps of gd"},
    NND_RECORD_ROWS(nnd_alignment, "1"),
    {"depth", FIELD(INTEGER, depth), "2", NND_BETWEEN(2, 100),
     "rich, and nonlinear networks (up to 4): L, number of weight matrices, readout included"},
    {"init_scale", FIELD(REAL, init_scale), "null", NND_FROM(1e-150),
     "rich: |beta(0)| (default 1e-3); white-init: W^T W (1); gaussian-init: variance of the "
     "entries of W times D (0.1)"}, /* its square is a number */
    {"init", FIELD(CHOICE, init), "along-c", NND_ANY,
     "rich: direction of beta(0), that of X^T y or random", .choices = STARTS},
    {"features", FIELD(CHOICE, features), "shared", NND_ANY,
     "gaussian-init: both networks start from the same features, or each from its own",
     .choices = INPUTS},
    {"width", FIELD(REAL, width), "1", NND_POSITIVE,
     "nu = K/D, hidden units over input dimension (white-init: at least 1)"},
    {"outputs", FIELD(INTEGER, outputs), "1", NND_BETWEEN(1, 100),
     "C; more than one with ridge, flow and gd, scalars are traces over outputs; or classes of "
     "task: classification"},
    {"output_gram", FIELD(DENSE, output_gram), "null", NND_ANY,
     "C x C, or its diagonal: inner products of the outputs' teachers, in units of the teacher's "
     "(identity)"},
    {"output_noise", FIELD(DENSE, output_noise), "null", NND_ANY,
     "C x C, or its diagonal: covariance of the outputs' label noise, in units of sigma^2 "
     "(identity)"},
    {"probe", FIELD(GROUP, probe), "null", NND_ANY, "probes of the representations",
     .group = &PROBE_TABLE, .shorthand = "points"},
    {"metric", FIELD(CHOICE, metric), "sigma", NND_ANY,
     "of cosine, signal, noise and teacher_overlap: the probes' covariance, or weights",
     .choices = METRICS},
    {"minimum", FIELD(BOOL, minimum), "false", NND_ANY,
     "also where the cosine is least over alpha (ridge, weight-decay)"},
};
#define SECOND(type, name) NND_FIELD(type, nnd_alignment_second, name)
static const char *const SAME_OR[] = {"same", "linear",   "tanh",      "erf", "relu",
                                      "gelu", "softplus", "tanh-gelu", NULL};
static const nnd_param SECOND_PARAMS[] = {
    {"activation", SECOND(CHOICE, activation), "same", NND_ANY, "of its hidden layers",
     .choices = SAME_OR},
    {"depth", SECOND(INTEGER, depth), "0", NND_BETWEEN(0, 4), "its matrices; 0: as many"},
    {"width", SECOND(REAL, width), "null", NND_POSITIVE, "its K/D"},
    {"init_scale", SECOND(REAL, init_scale), "null", NND_FROM(1e-150), "its start"},
    {"descent_rate", SECOND(REAL, descent_rate), "null", NND_POSITIVE, "its learning rate"},
    {"batch", SECOND(INTEGER, batch), "-1", NND_BETWEEN(-1, 1e6),
     "its samples per step; 0: all, -1: as many"},
};
static const nnd_param_table SECOND_TABLE = NND_TABLE(SECOND_PARAMS, nnd_alignment_second);

static const nnd_param OPTIONS[] = {
    {"route", FIELD(CHOICE, route), "direct", NND_ANY,
     "of ridge and weight-decay: direct solution, or networks trained by gradient flow",
     .choices = ROUTES},
    {"task", FIELD(CHOICE, task), "regression", NND_ANY,
     "regression, or classes: labels sign(beta* . x), or the largest of several outputs, some "
     "replaced independently; logistic loss, or cross-entropy (simulation only)",
     .choices = TASKS},
    {"activation", FIELD(GROUP, activation), "linear", NND_ANY,
     "of the hidden layer; other than linear is simulation only", .group = &nnd_activation_table,
     .shorthand = "name"},
    {"descent_rate", FIELD(REAL, descent_rate), "0.1", NND_POSITIVE,
     "learning rate of nonlinear networks and of classification, which descend"},
    {"tolerance", FIELD(REAL, tolerance), "1e-6", NND_POSITIVE,
     "route network, gaussian-init: gradient at which training has converged, relative to |X^T "
     "y/P|"},
    {"test_points", FIELD(INTEGER, test_points), "1000", NND_BETWEEN(2, 1e6),
     "probes on which nonlinear networks are measured, if data have no test_inputs"},
    {"batch", FIELD(INTEGER, batch), "0", NND_BETWEEN(0, 1e6),
     "nonlinear networks and classification: samples per step, in an order of each network's own; "
     "0: all"},
    {"second", FIELD(GROUP, second), "null", NND_ANY,
     "what the second network of a nonlinear pair has of its own", .group = &SECOND_TABLE},
};
static const nnd_view VIEWS[] = {
    {"map",
     {"cosine", "cka"},
     .drawing = {.x = "alpha", .y = "snr", .log = NND_LOG_XY, .last = true}},
    {"samples",
     {"cosine", "gen_error"},
     .drawing = {.x = "samples", .log = NND_LOG_XY, .last = true}},
    {"decoupling", /* errors diverge at the threshold */
     {"gen_error"},
     .drawing = {.x = "alpha", .over = "cosine", .log = NND_LOG_Y, .last = true}},
    {NULL}};

const nnd_model nnd_alignment_model = {
    .name = "alignment",
    .summary = "alignment of two networks that learn one task, each with noise of its own",
    .page = "alignment",
    .loss = "train_error",
    .params = NND_TABLE_OF(PARAMS, nnd_alignment),
    .simulate = NND_TABLE_OF(OPTIONS, nnd_alignment),
    .variable_count = NND_ALIGNMENT_VARIABLES,
    .variables = nnd_alignment_variables,
    .views = VIEWS,
    .sized = true,
    .data_optional = true,
    .check = nnd_alignment_check,
};
