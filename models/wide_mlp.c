/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/wide_mlp.h"

#include <math.h>

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/guides.h"

#define FIELD(type, name) NND_FIELD(type, nnd_wide_mlp, name)

static const char *const PARAMETERIZATIONS[] = {"mup", "ntk", NULL};
static const char *const SOLVERS[] = {"auto", "march", "quadrature", "exact", NULL};

static const nnd_param PARAMS[] = {
    {"depth", FIELD(INTEGER, depth), "1", NND_BETWEEN(1, 100),
     "L, number of hidden layers; L + 1 matrices with the readout"},
    {"activation", FIELD(GROUP, activation), "tanh", NND_ANY, "of every hidden layer",
     .group = &nnd_activation_table, .shorthand = "name"},
    {"sigma_w", FIELD(REAL, sigma_w), "1", NND_POSITIVE,
     "initialisation scale of every layer, readout included", .symbol = "σ_w",
     .long_name = "initialisation scale"},
    {"gamma0", FIELD(REAL, gamma0), "1", NND_FROM(1e-8),
     "output scale; large: rich, small: lazy (rounding counts 1/gamma0 times; the limit 0 is "
     "parameterization: ntk)",
     .symbol = "γ₀", .long_name = "output scale"},
    {"lr", FIELD(REAL, lr), "0.1", NND_POSITIVE,
     "learning rate eta0; the raw rate is eta0 gamma0^2 N", .symbol = "η₀",
     .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "40", NND_BETWEEN(0, 1e6), "T, number of steps"},
    {"parameterization", FIELD(CHOICE, parameterization), "mup", NND_ANY,
     "f = w . phi/(gamma0 N) (mup); ntk: gamma0/sqrt(N) for gamma0, in theory the lazy limit",
     .choices = PARAMETERIZATIONS},
    NND_DATA_ROW(nnd_wide_mlp),
    {"batch", FIELD(GROUP, batch), "null", NND_ANY,
     "mini-batches, the same ones in theory and network; absent: full batch",
     .group = &nnd_batch_table, .shorthand = "size"},
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
    NND_RECORD_STEPS_ROWS(nnd_wide_mlp),
    {"two_time", FIELD(BOOL, two_time), "false", NND_ANY,
     "also the kernels between all pairs of recorded times"},
    {"kernels", FIELD(BOOL, kernels), "true", NND_ANY, "record Gram matrices and the NTK"},
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
    {"loss", "t", "training loss", "wide-mlp.md#s1: sum Delta^2/(2P)", "training"},
    {"delta", "t,mu", "residual", "wide-mlp.md#s1: Delta = y - f", "residuals", .symbol = "Δ"},
    {"output", "t,mu", "output on training samples", "wide-mlp.md#s1: f = <z phi>/gamma0",
     "predictions", .symbol = "f"},
    {"test_output", "t,test", "output on test samples", "wide-mlp.md#s3-2", "predictions",
     .symbol = "f"},
    {"test_loss", "t", "loss on test samples", "wide-mlp.md#s1-1: mean of (y - f)^2/2", "training"},
    {"ntk", "t,mu,nu", "tangent kernel", "wide-mlp.md#s1: K = sigma_w^2 sum_l G^{l+1} Phi^l",
     "kernels", .symbol = "K"},
    {"ntk_test", "t,test,mu", "tangent kernel between test and training samples",
     "wide-mlp.md#s3-2", "kernels-test", .symbol = "K"},
    {"stability", "t", "learning rate times top curvature",
     "wide-mlp.md#s6: eta0 lambda_max(K)/P, limit 2", "stability",
     .drawing = {.level_count = 1, .level = {2.0}}, .symbol = "η₀λ_max(K)/P"},
    {"h_gram", "t,layer,mu,nu", "Gram matrix of preactivations", "wide-mlp.md#s1: H^l = <h h>",
     "fields", .drawing = {.facet = "layer"}, .symbol = "H_ℓ"},
    {"phi_gram", "t,layer,mu,nu", "Gram matrix of activations", "wide-mlp.md#s1: Phi^l = <phi phi>",
     "kernels", .drawing = {.facet = "layer"}, .symbol = "Φ_ℓ"},
    {"g_gram", "t,layer,mu,nu", "Gram matrix of backward fields", "wide-mlp.md#s1: G^l = <g g>",
     "fields", .drawing = {.facet = "layer"}, .symbol = "G_ℓ"},
    {"readout_norm2", "t", "mean squared readout weight",
     "wide-mlp.md#s1-1: <z^L z^L> = sigma_w^2 |w|^2/N", "norms"},
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
    {"outlier_margin", "t,matrix", "indicator of an outlier, by its sign alone",
     "wide-mlp.md#s5: lambda_min F(2 sigma_w), negative: escaped", "escape",
     .check = NND_UNCHECKED},
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

static bool check(void *params, nnd_objection *o) {
    nnd_wide_mlp *p = params;
    return nnd_steps_check(&p->record, p->steps, o) && nnd_data_check_samples(&p->data, o) &&
           check_solver(p, o);
}

const nnd_model nnd_wide_mlp_model = {
    .name = "wide-mlp",
    .summary = "nonlinear networks of infinite width on fixed data",
    .page = "wide-mlp",
    .params = NND_TABLE_OF(PARAMS, nnd_wide_mlp),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_wide_mlp),
    NND_VARIABLES(VARIABLES),
    .sized = true,
    .check = check,
};
