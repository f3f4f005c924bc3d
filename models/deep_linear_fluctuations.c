/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_linear_fluctuations.h"

#include "core/timegrid.h"
#include "models/deep_rows.h"
#include "models/guides.h"

#define FIELD(type, name) NND_FIELD(type, nnd_deep_linear_fluctuations, name)

static const nnd_param PARAMS[] = {
    NND_DEEP_NETWORK_ROWS(nnd_deep_linear_fluctuations),
    {"tolerance", FIELD(REAL, tolerance), "1e-4", NND_BETWEEN(1e-8, 0.1),
     "relative size below which fields bring nothing new; results are off by about ten times its "
     "square"},
    NND_DEEP_QUESTION_ROWS(nnd_deep_linear_fluctuations),
};
static const nnd_param SIMULATE[] = {NND_CONTROL_ROW(nnd_deep_linear_fluctuations)};
static const nnd_guide SPREAD[] = {
    {"delta_nvar", "standard deviation", NND_GUIDE_NVAR, .along = "at_width"}, {NULL}};

static const nnd_variable VARIABLES[] = {
    NND_DEEP_VARIABLES(SPREAD),
    {"h_gram", "t,layer,mu,nu", "Gram matrix of a layer", "deep-fluctuations.md#s0: H^l = <h h>",
     "layers", .drawing = {.facet = "layer"}, .symbol = "H_ℓ"},
    {"g_gram", "t,layer", "squared backward field", "deep-fluctuations.md#s0: G^l = <g g>",
     "gradients", .symbol = "G_ℓ"},
    {"h_gram_nvar", "t,layer,mu,nu", "N times the variance of the Gram matrix of a layer",
     "deep-fluctuations.md#eq2", "layers", .estimator = {NND_NVAR, "h_gram"},
     .drawing = {.facet = "layer"}, .symbol = "N Var H_ℓ"},
    {"g_gram_nvar", "t,layer", "N times the variance of the squared backward field",
     "deep-fluctuations.md#eq2", "gradients", .estimator = {NND_NVAR, "g_gram"},
     .symbol = "N Var G_ℓ"},
};

static bool check(void *params, nnd_objection *o) {
    nnd_deep_linear_fluctuations *p = params;
    if (p->widths.count > 0 && p->widths.count != (size_t)p->depth)
        return nnd_object(o, "widths", "%zu of %lld hidden layers", p->widths.count,
                          (long long)p->depth);
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

const nnd_model nnd_deep_linear_fluctuations_model = {
    .name = "deep-linear-fluctuations",
    .summary = "variance and bias at order 1/N of trained deep linear networks",
    .page = "deep-fluctuations",
    .loss = "loss",
    .params = NND_TABLE_OF(PARAMS, nnd_deep_linear_fluctuations),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_deep_linear_fluctuations),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .sized = true,
    .check = check,
};
