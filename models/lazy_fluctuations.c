/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/lazy_fluctuations.h"

#include "core/rows.h"
#include "core/timegrid.h"

#define FIELD(type, name) NND_FIELD(type, nnd_lazy_fluctuations, name)

static const nnd_param PARAMS[] = {
    {"depth", FIELD(INTEGER, depth), "2", NND_BETWEEN(1, 100),
     "L, number of hidden layers; L + 1 matrices with the readout"},
    {"activation", FIELD(GROUP, activation), "tanh", NND_ANY, "of every hidden layer",
     .group = &nnd_activation_table, .shorthand = "name"},
    {"sigma_w", FIELD(REAL, sigma_w), "1", NND_POSITIVE,
     "initialisation scale of every layer, readout included"},
    {"lr", FIELD(REAL, lr), "0.1", NND_POSITIVE,
     "learning rate eta0; the raw rate is eta0 gamma0^2 N", .symbol = "η₀",
     .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "0", NND_BETWEEN(0, 1e6),
     "T, number of steps; 0: the kernels at initialisation alone"},
    NND_DATA_ROW(nnd_lazy_fluctuations),
    {"samples", FIELD(INTEGER, samples), "65536", NND_BETWEEN(16, 16777216),
     "neurons of a layer in each replicate, a power of two (three or more samples)"},
    {"replicates", FIELD(INTEGER, replicates), "4", NND_BETWEEN(2, 1000),
     "independent sets of neurons; their spread gives the standard errors"},
    {"seed", FIELD(INTEGER, seed), "1", NND_SEED_KEYS, "of the sampled neurons"},
    NND_RECORD_STEPS_ROWS(nnd_lazy_fluctuations),
};
static const nnd_param SIMULATE_PARAMS[] = {
    {"gamma0", FIELD(REAL, gamma0), "0.02", NND_POSITIVE,
     "output scale of the networks; theory is the limit 0", .symbol = "γ₀",
     .long_name = "output scale"},
    NND_CONTROL_ROW(nnd_lazy_fluctuations),
};
static const nnd_variable VARIABLES[] = {
    {"phi_gram", "layer,mu,nu", "feature kernel", "fluctuations.md#s3-2: Phi^l", "kernels",
     .drawing = {.facet = "layer"}, .symbol = "Φ_ℓ"},
    {"g_gram", "layer,mu,nu", "gradient kernel", "fluctuations.md#s3-2: G^l", "kernels",
     .drawing = {.facet = "layer"}, .symbol = "G_ℓ"},
    {"ntk", "mu,nu", "neural tangent kernel", "fluctuations.md#s3-2: K", "kernels", .symbol = "K"},
    {"phi_ncov", "layer,layer2", "N times the covariance of feature kernels",
     "fluctuations.md#s3-2", "covariance", .estimator = {NND_NCOV, "phi_self", "phi_self"}},
    {"g_ncov", "layer,layer2", "N times the covariance of gradient kernels", "fluctuations.md#s3-2",
     "covariance", .estimator = {NND_NCOV, "g_self", "g_self"}},
    {"phi_g_ncov", "layer,layer2", "N times the covariance of feature and gradient kernels",
     "fluctuations.md#s3-2", "covariance", .estimator = {NND_NCOV, "phi_self", "g_self"}},
    {"ntk_nvar", "mu,nu", "N times the variance of the NTK", "fluctuations.md#s3-2: kappa",
     "kernels", .estimator = {NND_NVAR, "ntk"}, .symbol = "N Var K"},
    {"delta", "t,mu", "residual", "fluctuations.md#s3-1", "training", .symbol = "Δ"},
    {"delta_nvar", "t,mu", "N times the variance of the residual", "fluctuations.md#s3-1",
     "training", .estimator = {NND_NVAR, "delta"}, .lead = true, .symbol = "N Var Δ"},
    {"delta_ncov", "t,mu,nu", "N times the covariance of residuals", "fluctuations.md#s3-1",
     "covariance-training", .estimator = {NND_NCOV, "delta", "delta"}},
    {"test_output", "t,test", "output at test samples", "fluctuations.md#s3-1", "test",
     .symbol = "f"},
    {"test_output_nvar", "t,test", "N times the variance of the output at test samples",
     "fluctuations.md#s3-1", "test", .estimator = {NND_NVAR, "test_output"}, .symbol = "N Var f"},
};

static bool check(void *params, nnd_objection *o) {
    nnd_lazy_fluctuations *p = params;
    if (!nnd_steps_check(&p->record, p->steps, o))
        return false;
    if (!nnd_data_check_samples(&p->data, o))
        return false;
    if ((p->samples & (p->samples - 1)) != 0)
        return nnd_object(o, "samples", "%lld is not a power of two", (long long)p->samples);
    return true;
}

static const nnd_view VIEWS[] = {
    {"scaling", {"delta_nvar"}, .scaling = "width", .drawing = {.x = "t"}},
    {"histogram", {"delta", "test_output"}, .seeds = true},
    {NULL}};

const nnd_model nnd_lazy_fluctuations_model = {
    .name = "lazy-fluctuations",
    .summary = "kernel fluctuations of deep networks at initialisation and in the lazy limit",
    .page = "fluctuations",
    .params = NND_TABLE_OF(PARAMS, nnd_lazy_fluctuations),
    .simulate = NND_TABLE_OF(SIMULATE_PARAMS, nnd_lazy_fluctuations),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .sized = true,
    .check = check,
};
