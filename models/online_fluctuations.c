/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/online_fluctuations.h"

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/guides.h"

#define FIELD(type, name) NND_FIELD(type, nnd_online_fluctuations, name)

static const nnd_param PARAMS[] = {
    {"dim", FIELD(INTEGER, dim), "10", NND_BETWEEN(1, 1e6),
     "D, dimension of the inputs, small against the width"},
    {"gamma0", FIELD(REAL, gamma0), "1", NND_FROM(1e-8),
     "output scale; large: rich, small: lazy (rounding counts 1/gamma0 times)",
     .beyond = "below it networks are lazy, as they are at 1e-8", .symbol = "γ₀",
     .long_name = "output scale"},
    {"lr", FIELD(REAL, lr), "0.1", NND_POSITIVE,
     "learning rate eta0 of (beta* - beta)^2/2; the raw rate is eta0 gamma0^2 N", .symbol = "η₀",
     .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "40", NND_BETWEEN(0, 1e6), "T, number of steps"},
    {"batch", FIELD(REAL, batch), "inf", NND_BETWEEN(1, INFINITY),
     "samples drawn anew at each step of the simulation; inf: the population gradient"},
    NND_AT_WIDTH_ROW(nnd_online_fluctuations),
    NND_RECORD_STEPS_ROWS(nnd_online_fluctuations),
};
static const nnd_param SIMULATE[] = {NND_CONTROL_ROW(nnd_online_fluctuations)};
static const nnd_variable VARIABLES[] = {
    {"delta", "t", "residual along the target", "fluctuations.md#s2-3: beta* . (beta* - beta)",
     "training", .symbol = "Δ"},
    {"ntk", "t", "tangent kernel along the target", "fluctuations.md#s2-1: a + b", "training",
     .symbol = "K"},
    {"error", "t", "generalisation error", "fluctuations.md#s2-3: |beta* - beta|^2", "training"},
    {"par_nvar", "t", "N times the variance along the target", "fluctuations.md#s2-3: Sigma_par",
     "variance", .estimator = {NND_NVAR, "delta"}, .symbol = "N Var Δ"},
    {"perp_nvar", "t", "N times the variance of a component across the target",
     "fluctuations.md#s2-3: Sigma_perp", "variance"},
    {"par_bias", "t", "N times the bias of delta caused along the target",
     "fluctuations.md#s2-3: b_par", "bias", .estimator = {NND_SLOPE, "delta_alone"}},
    {"perp_bias", "t", "N times the bias of delta caused by one direction across",
     "fluctuations.md#s2-3: b_perp", "bias", .estimator = {NND_SLOPE, "delta_across"}},
    {"delta_bias", "t", "N times the bias of delta", "fluctuations.md#s2-3: b_par + (D - 1) b_perp",
     "bias", .estimator = {NND_SLOPE, "delta"}},
    {"error_ncorr", "t", "coefficient of 1/N of the generalisation error", "fluctuations.md#s2-3",
     "bias", .estimator = {NND_SLOPE, "error"}},
    {"error_at_width", "at_width,t", "expected generalisation error of networks of a width",
     "fluctuations.md#s2-3: error + error_ncorr/N", "widths-error",
     .estimator = {NND_AT_SIZES, "error", "at_width"}, .check = NND_UNCHECKED},
    {"par_batch_var", "t", "coefficient of 1/batch of the variance along the target",
     "fluctuations.md#s2-4: Sigma_B", "batch", .estimator = {NND_NVAR, "batch_shift"}},
    {"perp_batch_var", "t", "coefficient of 1/batch of the variance of a component across",
     "fluctuations.md#s2-4: Sigma_B", "batch"},
    {"delta_alone", "t", "residual of the same network with inputs along the target only",
     "fluctuations.md#s2-3", "companions", .check = NND_UNCHECKED},
    {"delta_across", "t", "change of delta by each direction across",
     "fluctuations.md#s2-3: (delta - delta_alone)/(D - 1)", "companions", .check = NND_UNCHECKED},
};

static bool check(void *params, nnd_objection *o) {
    nnd_online_fluctuations *p = params;
    if (!nnd_steps_check(&p->record, p->steps, o))
        return false;
    if (!isinf(p->batch) && (p->batch != floor(p->batch) || p->batch > 1e9))
        return nnd_object(o, "batch", "%g; allowed: a whole number up to 1e9, or inf", p->batch);
    return true;
}

static const nnd_guide TRANSFER[] = {{"error", "infinite width", NND_GUIDE_LINE}, {NULL}};
static const nnd_view VIEWS[] = {
    {"scaling", {"par_nvar"}, .scaling = "width", .drawing = {.x = "t"}},
    NND_TRANSFER_VIEW("error_at_width", TRANSFER),
    {NULL}};

const nnd_model nnd_online_fluctuations_model = {
    .name = "online-fluctuations",
    .summary = "variance and bias at order 1/N of two linear layers trained online",
    .page = "fluctuations",
    .loss = "error",
    .params = NND_TABLE_OF(PARAMS, nnd_online_fluctuations),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_online_fluctuations),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .sized = true,
    .check = check,
};
