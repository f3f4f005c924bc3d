/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_fluctuations.h"

#include "core/timegrid.h"
#include "models/deep_rows.h"
#include "models/guides.h"

#define FIELD(type, name) NND_FIELD(type, nnd_deep_fluctuations, name)

static const nnd_param PARAMS[] = {
    NND_DEEP_NETWORK_ROWS(nnd_deep_fluctuations),
    {"activation", FIELD(GROUP, activation), "tanh", NND_ANY,
     "of every hidden layer, without kinks", .group = &nnd_activation_table, .shorthand = "name"},
    {"batch", FIELD(GROUP, batch), "null", NND_ANY,
     "mini-batches, the same ones in theory and network; absent: full batch",
     .group = &nnd_batch_table, .shorthand = "size"},
    {"samples", FIELD(INTEGER, samples), "8192", NND_BETWEEN(64, 16777216),
     "sites that the march samples per layer, a power of two"},
    {"replicates", FIELD(INTEGER, replicates), "6", NND_BETWEEN(2, 1000),
     "independent marches, and as many with half the sites, of which standard errors are made"},
    {"rank_tol", FIELD(REAL, rank_tol), "1e-3", NND_BETWEEN(1e-8, 0.1),
     "relative size below which the march drops a new direction"},
    {"seed", FIELD(INTEGER, seed), "1", NND_SEED_KEYS, "of the samples of the march"},
    NND_DEEP_QUESTION_ROWS(nnd_deep_fluctuations),
};
static const nnd_param SIMULATE[] = {NND_CONTROL_ROW(nnd_deep_fluctuations)};
static const nnd_guide SPREAD[] = {
    {"delta_nvar", "standard deviation", NND_GUIDE_NVAR, .along = "at_width"}, {NULL}};

static const nnd_variable VARIABLES[] = {
    NND_DEEP_VARIABLES(SPREAD),
    {"h_gram", "t,layer,mu,nu", "Gram matrix of preactivations", "deep-fluctuations.md#s0: <h h>",
     "layers", .drawing = {.facet = "layer"}, .symbol = "H_ℓ"},
    {"phi_gram", "t,layer,mu,nu", "Gram matrix of features", "deep-fluctuations.md#s0: <phi phi>",
     "features", .drawing = {.facet = "layer"}, .symbol = "Φ_ℓ"},
    {"g_gram", "t,layer,mu,nu", "Gram matrix of gradient fields", "deep-fluctuations.md#s0: <g g>",
     "gradients", .drawing = {.facet = "layer"}, .symbol = "G_ℓ"},
    {"h_gram_nvar", "t,layer,mu,nu", "N times the variance of the Gram matrix of preactivations",
     "deep-fluctuations.md#eq2", "layers", .estimator = {NND_NVAR, "h_gram"},
     .drawing = {.facet = "layer"}, .symbol = "N Var H_ℓ"},
    {"phi_gram_nvar", "t,layer,mu,nu", "N times the variance of the Gram matrix of features",
     "deep-fluctuations.md#eq2", "features", .estimator = {NND_NVAR, "phi_gram"},
     .drawing = {.facet = "layer"}, .symbol = "N Var Φ_ℓ"},
    {"g_gram_nvar", "t,layer,mu,nu", "N times the variance of the Gram matrix of gradient fields",
     "deep-fluctuations.md#eq2", "gradients", .estimator = {NND_NVAR, "g_gram"},
     .drawing = {.facet = "layer"}, .symbol = "N Var G_ℓ"},
};

static bool check(void *params, nnd_objection *o) {
    nnd_deep_fluctuations *p = params;
    if (p->widths.count > 0 && p->widths.count != (size_t)p->depth)
        return nnd_object(o, "widths", "%zu of %lld hidden layers", p->widths.count,
                          (long long)p->depth);
    if (nnd_activation_has_kink(&p->activation))
        return nnd_object(o, "activation",
                          "relu has a kink, at which fluctuations lack what crossing it "
                          "contributes; use {name: relu, smoothing: 0.2}");
    if ((p->samples & (p->samples - 1)) != 0)
        return nnd_object(o, "samples", "%lld is not a power of two", (long long)p->samples);
    return nnd_rates_check(&p->schedule, o) && nnd_steps_check(&p->record, p->steps, o) &&
           nnd_data_check_samples(&p->data, o);
}

static const nnd_guide TRANSFER[] = {{"loss", "infinite width", NND_GUIDE_LINE}, {NULL}};
static const nnd_view VIEWS[] = {
    {"scaling", {"delta_nvar"}, .scaling = "width", .drawing = {.x = "t"}},
    {"histogram", {"delta", "test_output"}, .seeds = true},
    {"signal-gamma0", {"ntk_signal"}, .drawing = {.x = "gamma0", .last = true, .markers = true}},
    NND_TRANSFER_VIEW("loss_at_width", TRANSFER),
    {"rates", {"ntk", "ntk_nvar"}, .drawing = {.x = "lr", .last = true, .markers = true}},
    {NULL}};

const nnd_model nnd_deep_fluctuations_model = {
    .name = "deep-fluctuations",
    .summary = "variance and bias at order 1/N of trained deep networks of any activation",
    .page = "deep-fluctuations",
    .loss = "loss",
    .params = NND_TABLE_OF(PARAMS, nnd_deep_fluctuations),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_deep_fluctuations),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .sized = true,
    .check = check,
};
