/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/wide_mlp.h"

#include <math.h>

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/guides.h"
#include "models/integration.h"

#define FIELD(type, name) NND_FIELD(type, nnd_wide_mlp, name)

static const char *const PARAMETERIZATIONS[] = {"mup", "ntk", "standard", NULL};
static const char *const RESIDUALS[] = {"none", "mup-depth", "plain", NULL};
static const char *const LOSSES[] = {"mse", "logistic", "cross-entropy", NULL};
static const char *const OPTIMIZERS[] = {"sgd",     "adam", "adamw", "rmsprop",
                                         "adagrad", "lion", NULL};
static const char *const METHODS[] = {"auto", "euler", "heun", "rk4", "adaptive", NULL};
static const char *const SOLVERS[] = {"auto", "march", "quadrature", "exact", NULL};

static const nnd_param PARAMS[] = {
    {"depth", FIELD(INTEGER, depth), "1", NND_BETWEEN(1, 100),
     "L, number of hidden layers; L + 1 matrices with the readout"},
    {"activation", FIELD(GROUP, activation), "tanh", NND_ANY, "of every hidden layer",
     .group = &nnd_activation_table, .shorthand = "name"},
    {"residual", FIELD(CHOICE, residual), "none", NND_ANY,
     "skip connections past hidden layers 2..L; mup-depth: branches times 1/sqrt(depth)",
     .choices = RESIDUALS},
    {"sigma_w", FIELD(REAL, sigma_w), "1", NND_POSITIVE,
     "initialisation scale of every layer, readout included", .symbol = "σ_w",
     .long_name = "initialisation scale"},
    {"sigma_b", FIELD(REAL, sigma_b), "0", NND_NON_NEGATIVE,
     "scale of trainable biases, the output's starts at 0; 0: none", .symbol = "σ_b",
     .long_name = "scale of biases"},
    {"gamma0", FIELD(REAL, gamma0), "1", NND_FROM(1e-8),
     "output scale; large: rich, small: lazy (rounding counts 1/gamma0 times; the limit 0 is "
     "parameterization: ntk)",
     .beyond = "the limit 0 is parameterization: ntk", .symbol = "γ₀", .long_name = "output scale"},
    {"outputs", FIELD(INTEGER, outputs), "1", NND_BETWEEN(1, NND_WIDE_MOST_OUTPUTS),
     "C: targets are P x C, or labels are classes 0..C-1", .symbol = "C", .long_name = "outputs"},
    {"loss", FIELD(CHOICE, loss), "mse", NND_ANY,
     "what is descended, a mean over samples: mse summed over outputs, with 1/2 (classes: unit "
     "vectors less 1/C); logistic of one output (labels 0, 1 become -1, 1)",
     .choices = LOSSES},
    NND_RATE_ROW(nnd_wide_mlp, "eta0 gamma0^2 N"),
    NND_STEPS_ROW(nnd_wide_mlp, 1e6),
    {"parameterization", FIELD(CHOICE, parameterization), "mup", NND_ANY,
     "f = w . phi/(gamma0 N) (mup); ntk: gamma0/sqrt(N) for gamma0, in theory the lazy limit; "
     "standard: fan-in starts, no divisor, one raw rate lr, without theory",
     .choices = PARAMETERIZATIONS},
    NND_DATA_ROW(nnd_wide_mlp),
    {"batch", FIELD(GROUP, batch), "null", NND_ANY,
     "mini-batches, the same ones in theory and network; absent: full batch",
     .group = &nnd_batch_table, .shorthand = "size"},
    {"optimizer", FIELD(CHOICE, optimizer), "sgd", NND_ANY,
     "sgd, with `momentum` and `weight_decay`; rules that normalise single entries of the gradient "
     "have no theory and are refused",
     .choices = OPTIMIZERS},
    NND_DESCENT_ROWS(nnd_wide_mlp,
                     "decoupled weight decay per step of gd, per unit of time of flow"),
    {"method", FIELD(CHOICE, method), "auto", NND_ANY,
     "theory's flow: steps that keep to `tolerance`, or a Runge-Kutta method with `steps` steps; "
     "auto: rk4 if `steps` is given, else adaptive; networks choose steps of their own",
     .choices = METHODS},
    NND_TIME_ROW(nnd_wide_mlp),
    {"tolerance",
     FIELD(REAL, tolerance),
     "1e-8",
     {.min = 1e-14, .max = 1e-2},
     "error of a step of an adaptive flow, relative to the fields"},
    {"solver", FIELD(CHOICE, solver), "auto", NND_ANY,
     "of theory: sampled march, quadrature (depth 1, one sample), exact (linear), or the best",
     .choices = SOLVERS},
    {"samples", FIELD(INTEGER, samples), "8192", NND_BETWEEN(16, 16777216),
     "sites that the march samples per layer, a power of two"},
    {"replicates", FIELD(INTEGER, replicates), "8", NND_BETWEEN(2, 1000),
     "independent marches; their spread gives the standard errors"},
    {"rank_tol", FIELD(REAL, rank_tol), "1e-3", NND_BETWEEN(1e-8, 0.1),
     "relative size below which the march drops a new direction (of forward fields also relative "
     "to what they learn, if that is little)"},
    {"seed", FIELD(INTEGER, seed), "1", NND_SEED_KEYS, "of the samples of the march"},
    NND_MARKS_ROWS(nnd_wide_mlp),
    {"two_time", FIELD(BOOL, two_time), "false", NND_ANY,
     "also the kernels between all pairs of recorded times"},
    {"kernels", FIELD(BOOL, kernels), "true", NND_ANY,
     "record Gram matrices and the NTK; without them networks on more than 1024 samples have no "
     "`stability` either"},
    {"spectrum", FIELD(BOOL, spectrum), "true", NND_ANY,
     "outlying singular values of the weight matrices"},
    {"outliers", FIELD(INTEGER, outliers), "3", NND_BETWEEN(1, 100),
     "how many outliers per matrix, and eigenvalues of the Gram matrix of W0"},
    {"divergence_bound", FIELD(REAL, divergence_bound), "1e6", NND_POSITIVE,
     "loss, relative to its first value (or that of outputs 0, if larger), above which a run "
     "counts as diverged"},
};

static const nnd_param SIMULATE[] = {
    {"center", FIELD(BOOL, center), "true", NND_ANY,
     "subtract the output of the network at initialisation"},
    {"orthonormal_init", FIELD(BOOL, orthonormal_init), "false", NND_ANY,
     "orthonormalise the columns of (W0, w) at initialisation: same limit, less noise"},
    NND_CONTROL_ROW(nnd_wide_mlp),
};

static const nnd_variable VARIABLES[] = {
    {"loss", "t", "training loss", "wide-mlp.md#s13-1: mean over samples", "training"},
    {"delta", "t,mu,[c]", "residual", "wide-mlp.md#s13-1: Delta = -d loss/d f", "residuals",
     .symbol = "Δ"},
    {"output", "t,mu,[c]", "output on training samples", "wide-mlp.md#s1: f = <z phi>/gamma0",
     "predictions", .symbol = "f"},
    {"test_output", "t,test,[c]", "output on test samples", "wide-mlp.md#s3-2", "predictions",
     .symbol = "f"},
    {"test_loss", "t", "loss on test samples", "wide-mlp.md#s13-1: mean over samples", "training"},
    {"accuracy", "t", "share of training samples of the right class", "wide-mlp.md#s13-3",
     "accuracy", .check = NND_UNCHECKED},
    {"test_accuracy", "t", "share of test samples of the right class", "wide-mlp.md#s13-3",
     "accuracy", .check = NND_UNCHECKED},
    {"ensemble_loss", "t", "square loss of the mean output of many networks",
     "wide-mlp.md#s13-3: at infinite width the loss", "ensemble",
     .estimator = {NND_ENSEMBLE, NND_WIDE_RESIDUALS}, .check = NND_UNCHECKED},
    {"ntk", "t,mu,nu,[c],[c2]", "tangent kernel", "wide-mlp.md#eq15", "kernels", .symbol = "K"},
    {"ntk_test", "t,test,mu,[c],[c2]", "tangent kernel between test and training samples",
     "wide-mlp.md#eq15", "kernels-test", .symbol = "K"},
    {"kernel_alignment", "t,layer", "alignment of activations with the targets",
     "wide-mlp.md#s13-3: tr(Phi y y^T)/(|Phi| |y y^T|)", "alignment", .nullable = true},
    {"stability", "t", "learning rate times top curvature",
     "wide-mlp.md#s13-3: eta0 lambda_max(B^T K B)/P", "stability",
     .drawing = {.guides = NND_STABILITY_EDGE}, .symbol = "η₀λ_max(K)/P"},
    {"stability_edge", "", "edge of stability",
     "wide-mlp.md#s13-3: (2 - weight_decay) (1 + momentum)", "stability", .check = NND_UNCHECKED},
    {"h_gram", "t,layer,mu,nu", "Gram matrix of preactivations", "wide-mlp.md#s1: H^l = <h h>",
     "fields", .drawing = {.facet = "layer"}, .symbol = "H_ℓ"},
    {"phi_gram", "t,layer,mu,nu", "Gram matrix of activations", "wide-mlp.md#s1: Phi^l = <phi phi>",
     "kernels", .drawing = {.facet = "layer"}, .symbol = "Φ_ℓ"},
    {"g_gram", "t,layer,mu,nu,[c],[c2]", "Gram matrix of backward fields",
     "wide-mlp.md#s1: G^l = <g g>", "fields", .drawing = {.facet = "layer"}, .symbol = "G_ℓ"},
    {"readout_norm2", "t,[c]", "mean squared readout weight",
     "wide-mlp.md#s1-1: <z^L z^L> = sigma_w^2 |w|^2/N", "norms"},
    {"induced_norm", "t", "norm of the product of all matrices",
     "wide-mlp.md#s13-3: of the network without activations", "norms", .check = NND_UNCHECKED},
    {"input_eig", "t,k", "eigenvalue of the Gram matrix of W0 on the data",
     "wide-mlp.md#s5: W0^T W0/N on the span of the training inputs", "norms", .nullable = true,
     .drawing = {.rank = "k"}},
    {"outlier", "t,matrix,k", "singular value", "wide-mlp.md#s5: det F(z) = 0", "outliers",
     .nullable = true, .lead = true,
     .drawing = {.facet = "matrix", .rank = "k", .guides = NND_BULK_EDGE}},
    {"outlier_left", "t,matrix,k", "squared overlap of the left vector with the initial g",
     "wide-mlp.md#s5: with g_0(0)", "overlaps", .nullable = true},
    {"outlier_right", "t,matrix,k", "squared overlap of the right vector with the initial phi",
     "wide-mlp.md#s5: with phi_0(0)", "overlaps", .nullable = true},
    {"outlier_strength", "t,matrix,k", "strength of an outlier, above 1: escaped",
     "wide-mlp.md#eq16: Lambda_k", "escape", .check = NND_UNCHECKED, .nullable = true,
     .drawing = {.facet = "matrix", .rank = "k", .level_count = 1, .level = {1.0}}},
    {"escape_time", "matrix,k", "escape time",
     "wide-mlp.md#s5: k-th eigenvalue of F(2 sigma_w) = 0", "escape", .check = NND_UNCHECKED,
     .nullable = true, .drawing = {.rank = "k", .markers = true}},
    {"bulk_edge", "t,matrix", "edge of the bulk", "wide-mlp.md#s5: 2 sigma_w", "outliers",
     .check = NND_UNCHECKED},
    {"rank_phi", "t,matrix", "directions of phi kept by the march", "wide-mlp.md#s3: k_phi",
     "ranks", .check = NND_UNCHECKED},
    {"rank_g", "t,matrix", "directions of g kept by the march", "wide-mlp.md#s3: k_g", "ranks",
     .check = NND_UNCHECKED},
    {"truncation", "t", "error of outputs by dropped directions and rounding",
     "wide-mlp.md#eq13: largest over samples; part of every standard error", "truncation",
     .check = NND_UNCHECKED},
    {"magnitude", "coordinate,width", "magnitude", "wide-mlp.md#s12-1: the expected power",
     "coordinates", .check = NND_UNCHECKED,
     .drawing = {.x = "width", .log = NND_LOG_XY, .facet = "coordinate"}},
    {"phi_two_time", "layer,t,s,mu,nu", "two-time kernel of activations",
     "wide-mlp.md#s1: Phi^l(t, s)", "two-time", .symbol = "Φ_ℓ(t,s)"},
    {"g_two_time", "layer,t,s,mu,nu", "two-time kernel of backward fields",
     "wide-mlp.md#s1: G^l(t, s)", "two-time", .symbol = "G_ℓ(t,s)"},
};

static bool check_solver(const nnd_wide_mlp *p, nnd_objection *o) {
    bool linear = p->activation.name == NND_LINEAR;
    size_t samples = nnd_data_samples(&p->data), tests = nnd_data_tests(&p->data);
    if ((p->samples & (p->samples - 1)) != 0)
        return nnd_object(o, "samples", "%lld is not a power of two", (long long)p->samples);
    if (p->parameterization == NND_NTK)
        return true;
    if (p->solver == NND_WIDE_QUADRATURE && p->two_time)
        return nnd_object(o, "two_time", "true needs another solver than quadrature");
    if (p->solver == NND_WIDE_EXACT && !linear)
        return nnd_object(o, "solver", "exact needs activation: linear");
    if (p->solver == NND_WIDE_QUADRATURE && (p->depth != 1 || samples != 1 || tests != 0))
        return nnd_object(o, "solver",
                          "quadrature needs depth 1, one training sample and no test samples; "
                          "here are depth %lld, %zu and %zu",
                          (long long)p->depth, samples, tests);
    return true;
}

static nnd_integration integration(nnd_wide_mlp *p) {
    return (nnd_integration){
        .integrator = p->integrator,
        .method = &p->method,
        .methods = METHODS,
        .method_of_descent = NND_METHOD_AUTO,
        .lr = &p->lr,
        .time = &p->time,
        .steps = &p->steps,
        .record = &p->record,
        .record_every = p->record_every,
        .momentum = p->momentum,
        .schedule = &p->schedule,
    };
}

static bool check_data(const nnd_wide_mlp *p, nnd_objection *o) {
    size_t outputs = (size_t)p->outputs;
    if (p->loss == NND_WIDE_LOGISTIC && outputs != 1)
        return nnd_object(o, "loss", "logistic has 1 output, not %zu (cross-entropy has several)",
                          outputs);
    if (p->loss == NND_WIDE_CROSS_ENTROPY && outputs == 1)
        return nnd_object(o, "loss", "cross-entropy needs outputs >= 2 (logistic has 1)");
    if (p->two_time && outputs > 1)
        return nnd_object(o, "two_time", "true needs outputs: 1");
    return p->loss == NND_WIDE_MSE ? nnd_data_check_outputs(&p->data, outputs, o)
                                   : nnd_data_check_classes(&p->data, outputs, o);
}

/* Biases would begin and learn in another proportion to the weights than here. */
static bool check_standard(const nnd_wide_mlp *p, nnd_objection *o) {
    if (p->parameterization != NND_STANDARD)
        return true;
    if (p->gamma0 != 1.0)
        return nnd_object(o, "gamma0",
                          "%g belongs to parameterization: mup or ntk; standard divides by nothing",
                          p->gamma0);
    return p->sigma_b == 0.0 ||
           nnd_object(o, "sigma_b", "%g belongs to parameterization: mup or ntk", p->sigma_b);
}

static bool check(void *params, nnd_objection *o) {
    nnd_wide_mlp *p = params;
    nnd_integration x = integration(p);
    if (!nnd_integration_settle(&x, o) || !nnd_integration_check_record(&x, o))
        return false;
    if (p->optimizer != 0)
        return nnd_object(o, "optimizer",
                          "%s divides each entry of the gradient by its own size, which does not "
                          "close on averages over neurons; allowed: sgd",
                          OPTIMIZERS[p->optimizer]);
    if (p->integrator == NND_GRADIENT_FLOW && p->batch.size > 0)
        return nnd_object(o, "batch", "%lld belongs to integrator: gd", (long long)p->batch.size);
    return check_standard(p, o) && check_data(p, o) && check_solver(p, o);
}

/* wide-mlp.md#s12-1: in muP, in NTK, with relu, in standard parameterization with one hidden layer,
 * with several, with relu. */
static const nnd_magnitude MAGNITUDES[] = {
    {"preactivations, squared",
     "h_gram",
     NND_MAGNITUDE,
     NND_ALL_LAYERS,
     {0.0, 0.0, 0.0, 0.0, 0.0, 0.0}},
    {"features, squared",
     "phi_gram",
     NND_MAGNITUDE,
     NND_ALL_LAYERS,
     {0.0, 0.0, 0.0, 0.0, 0.0, 0.0}},
    {"tangent kernel", "ntk", NND_MAGNITUDE, NND_ALL_LAYERS, {0.0, 0.0, 0.0, 1.0, 1.0, 1.0}},
    {"change of outputs",
     "output",
     NND_MAGNITUDE_CHANGE,
     NND_ALL_LAYERS,
     {0.0, 0.0, 0.0, 1.0, 1.0, 1.0}},
    {"change of first features",
     "phi_two_time",
     NND_MAGNITUDE_CHANGE,
     NND_FIRST_LAYER,
     {0.0, -0.5, -0.5, -0.5, -0.5, -0.5}},
    {"change of deeper features",
     "phi_two_time",
     NND_MAGNITUDE_CHANGE,
     NND_DEEPER_LAYERS,
     {0.0, -0.5, -0.5, 0.5, 0.5, 0.5}},
    {"change of gradients",
     "g_two_time",
     NND_MAGNITUDE_CHANGE,
     NND_ALL_LAYERS,
     {0.0, -0.5, -0.25, 0.5, 0.5, 0.25}},
    {"change of first feature kernel",
     "phi_gram",
     NND_MAGNITUDE_CHANGE,
     NND_FIRST_LAYER,
     {0.0, -1.0, -1.0, -1.0, -1.0, -1.0}},
    {"change of deeper feature kernels",
     "phi_gram",
     NND_MAGNITUDE_CHANGE,
     NND_DEEPER_LAYERS,
     {0.0, -1.0, -1.0, 1.0, 1.0, 1.0}},
    {"change of the tangent kernel",
     "ntk",
     NND_MAGNITUDE_CHANGE,
     NND_ALL_LAYERS,
     {0.0, -1.0, -0.5, 1.0, 2.0, 1.5}},
    {NULL}};

static double magnitude_power(const nnd_magnitude *m, const void *params) {
    const nnd_wide_mlp *p = params;
    size_t kink = nnd_activation_has_kink(&p->activation);
    if (p->parameterization == NND_MUP)
        return m->power[0];
    if (p->parameterization == NND_NTK)
        return m->power[1 + kink];
    return m->power[p->depth == 1 ? 3 : 4 + kink];
}

static bool magnitude_check(const void *params, nnd_objection *o) {
    const nnd_wide_mlp *p = params;
    if (p->parameterization != NND_STANDARD)
        return true;
    if (p->integrator != NND_DESCENT)
        return nnd_object(o, "integrator", "powers of standard networks are known for gd alone");
    if (p->steps != 1)
        return nnd_object(o, "steps",
                          "%lld: powers of standard networks are those of one step, after which "
                          "they diverge; allowed: 1",
                          (long long)p->steps);
    return p->center ||
           nnd_object(o, "center", "powers of standard networks are known if it is true");
}

const nnd_model nnd_wide_mlp_model = {
    .name = "wide-mlp",
    .summary = "nonlinear networks of infinite width on fixed data",
    .page = "wide-mlp",
    .loss = "loss",
    .params = NND_TABLE_OF(PARAMS, nnd_wide_mlp),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_wide_mlp),
    NND_VARIABLES(VARIABLES),
    .sized = true,
    .magnitudes = MAGNITUDES,
    .magnitude_power = magnitude_power,
    .magnitude_check = magnitude_check,
    .check = check,
};

double nnd_wide_mlp_branch(const nnd_wide_mlp *p) {
    return p->residual == NND_RESIDUAL_MUP_DEPTH ? 1.0 / sqrt((double)p->depth) : 1.0;
}

bool nnd_wide_mlp_adapts(const nnd_wide_mlp *p) {
    return nnd_integration_adapts(p->integrator, p->method);
}

static double last_mark(const nnd_wide_mlp *p) {
    return nnd_wide_mlp_adapts(p) ? p->time : (double)p->steps;
}

nnd_status nnd_wide_mlp_marks(nnd_context *ctx, const nnd_wide_mlp *p, nnd_reals *marks) {
    return nnd_record_axis(ctx, nnd_wide_mlp_adapts(p), last_mark(p), &p->record,
                           (size_t)p->record_every, marks);
}

double nnd_wide_mlp_most_marks(const nnd_wide_mlp *p) {
    return nnd_record_most(nnd_wide_mlp_adapts(p), last_mark(p), &p->record, p->record_every);
}

double nnd_wide_mlp_time(const nnd_wide_mlp *p, double mark) {
    return nnd_integration_time(p->integrator, p->method, p->time, p->steps, mark);
}

double nnd_wide_mlp_rate(const nnd_wide_mlp *p, size_t step) {
    return nnd_rates_at(&p->schedule, step);
}

double nnd_wide_mlp_stability_edge(const nnd_wide_mlp *p) {
    return (2.0 - p->weight_decay) * (1.0 + p->momentum);
}

nnd_status nnd_wide_mlp_dataset(nnd_context *ctx, const nnd_wide_mlp *p, nnd_dataset *set) {
    return nnd_dataset_make_outputs(ctx, &p->data, (size_t)p->outputs, p->loss == NND_WIDE_MSE,
                                    set);
}

nnd_status nnd_wide_mlp_inputs(nnd_context *ctx, const nnd_wide_mlp *p, nnd_dataset *set) {
    return nnd_dataset_make_inputs(ctx, &p->data, (size_t)p->outputs, p->loss == NND_WIDE_MSE, set);
}

bool nnd_wide_mlp_has_many(const nnd_wide_mlp *p) {
    size_t points = nnd_data_samples(&p->data) + nnd_data_tests(&p->data);
    return points * (size_t)p->outputs > NND_WIDE_MANY;
}

bool nnd_wide_mlp_classifies(const nnd_wide_mlp *p) {
    return p->loss != NND_WIDE_MSE || nnd_data_has_classes(&p->data);
}
