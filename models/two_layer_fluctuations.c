/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/two_layer_fluctuations.h"

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/guides.h"

#define FIELD(type, name) NND_FIELD(type, nnd_two_layer, name)

static const char *const SOLVERS[] = {"auto", "exact-linear", "quadrature", "sampled", NULL};

static const nnd_param PARAMS[] = {
    {"activation", FIELD(GROUP, activation), "tanh", NND_ANY, "of the hidden layer",
     .group = &nnd_activation_table, .shorthand = "name"},
    {"gamma0", FIELD(REAL, gamma0), "1", NND_FROM(1e-8),
     "output scale; large: rich, small: lazy (rounding counts 1/gamma0 times)",
     .beyond = "below it networks are lazy, as they are at 1e-8", .symbol = "γ₀",
     .long_name = "output scale"},
    {"lr", FIELD(REAL, lr), "0.1", NND_POSITIVE,
     "learning rate eta0; the raw rate is eta0 gamma0^2 N", .symbol = "η₀",
     .long_name = "learning rate"},
    {"steps", FIELD(INTEGER, steps), "40", NND_BETWEEN(0, 1e6), "T, number of steps"},
    NND_SCHEDULE_ROW(nnd_two_layer),
    NND_DATA_ROW(nnd_two_layer),
    {"center", FIELD(BOOL, center), "false", NND_ANY,
     "subtract the output at initialisation, in theory and network"},
    {"solver", FIELD(CHOICE, solver), "auto", NND_ANY,
     "of theory: closed map, nodes on a grid (up to three axes: rank of the data, and one), "
     "quasi-random nodes; auto: the grid, or where it stays above 1e-3 quasi-random nodes",
     .choices = SOLVERS},
    {"nodes", FIELD(INTEGER, nodes), "0", NND_BETWEEN(0, 2000),
     "quadrature: intervals per axis, even; 0: as many as the tolerance needs"},
    {"tolerance", FIELD(REAL, tolerance), "null", NND_POSITIVE,
     "quadrature: of each curve between two grids, relative to its largest value (default 1e-7, of "
     "relu 1e-3)"},
    {"samples", FIELD(INTEGER, samples), "4096", NND_BETWEEN(16, 16777216),
     "sampled: neurons in each replicate, a power of two"},
    {"replicates", FIELD(INTEGER, replicates), "4", NND_BETWEEN(2, 1000),
     "sampled: independent sets of neurons; their spread gives the standard errors"},
    {"seed", FIELD(INTEGER, seed), "1", NND_SEED_KEYS, "sampled: of the neurons"},
    {"bias", FIELD(BOOL, bias), "true", NND_ANY,
     "shifts of means at order 1/N; without them `validity` estimates theirs"},
    {"kernels", FIELD(BOOL, kernels), "true", NND_ANY,
     "the NTK on the training samples and its fluctuations"},
    {"two_time", FIELD(BOOL, two_time), "false", NND_ANY,
     "also covariances and responses between all pairs of recorded times"},
    NND_WITHIN_ROWS(nnd_two_layer),
    NND_RECORD_STEPS_ROWS(nnd_two_layer),
};
static const nnd_param SIMULATE[] = {NND_CONTROL_ROW(nnd_two_layer)};
static const nnd_guide SPREAD[] = {
    {"delta_nvar", "standard deviation", NND_GUIDE_NVAR, .along = "at_width"}, {NULL}};

static const nnd_variable VARIABLES[] = {
    {"delta", "t,mu", "residual", "fluctuations.md#s1-1: y - f", "training", .symbol = "Δ"},
    {"output", "t,mu", "output", "fluctuations.md#s1-1: f", "band", .drawing = {.guides = SPREAD},
     .symbol = "f"},
    {"test_output", "t,test", "output at test samples", "fluctuations.md#s1-2", "test",
     .symbol = "f"},
    {"ntk", "t,mu,nu", "neural tangent kernel", "fluctuations.md#s0: K", "kernel", .symbol = "K"},
    {"ntk_test", "t,test,mu", "tangent kernel between test and training samples",
     "fluctuations.md#s0: K", "kernel-test", .symbol = "K"},
    {"loss", "t", "training loss", "fluctuations.md#s0: mean of Delta^2/2", "training"},
    {"test_loss", "t", "loss on test samples", "fluctuations.md#s0: mean of Delta^2/2", "training"},
    {"delta_nvar", "t,mu", "N times the variance of the residual", "fluctuations.md#s1-2: Sigma",
     "variance", .estimator = {NND_NVAR, "delta"}, .lead = true, .symbol = "N Var Δ"},
    {"delta_ncov", "t,mu,nu", "N times the covariance of residuals", "fluctuations.md#s1-2: Sigma",
     "covariance", .estimator = {NND_NCOV, "delta", "delta"}},
    {"test_output_nvar", "t,test", "N times the variance of the output at test samples",
     "fluctuations.md#s1-2", "test", .estimator = {NND_NVAR, "test_output"}, .symbol = "N Var f"},
    {"ntk_nvar", "t,mu,nu", "N times the variance of the NTK", "fluctuations.md#s1-2", "kernel",
     .estimator = {NND_NVAR, "ntk"}, .symbol = "N Var K"},
    {"ntk_signal", "t,mu,nu", "signal-to-noise ratio of the NTK over √N",
     "fluctuations.md#s1-8: K/sqrt(N Var K)", "signal", .check = NND_UNCHECKED},
    {"ntk_test_nvar", "t,test,mu",
     "N times the variance of the kernel of test and training samples", "fluctuations.md#s1-2",
     "kernel-test", .estimator = {NND_NVAR, "ntk_test"}, .symbol = "N Var K"},
    {"delta_ntk_ncov", "t,mu", "N times the covariance of residual and diagonal NTK",
     "fluctuations.md#s1-2", "covariance", .estimator = {NND_NCOV, "delta", "ntk_diagonal"}},
    {"delta_bias", "t,mu", "N times the bias of the residual", "fluctuations.md#s1-3: b_Delta",
     "bias", .estimator = {NND_SLOPE, "delta"}, .symbol = "N b_Δ"},
    {"test_output_bias", "t,test", "N times the bias of the output at test samples",
     "fluctuations.md#s1-3", "test", .estimator = {NND_SLOPE, "test_output"}},
    {"ntk_bias", "t,mu,nu", "N times the bias of the NTK", "fluctuations.md#s1-3", "kernel",
     .estimator = {NND_SLOPE, "ntk"}},
    {"loss_ncorr", "t", "coefficient of 1/N of the expected training loss",
     "fluctuations.md#s6: mean of (N Var Delta + 2 Delta b)/2", "bias",
     .estimator = {NND_SLOPE, "loss"}},
    {"ensemble_loss", "t", "training loss of the mean output of many networks",
     "fluctuations.md#s1-8: mean of (E Delta)^2/2", "ensemble",
     .estimator = {NND_ENSEMBLE, "delta"}},
    {"ensemble_loss_ncorr", "t", "coefficient of 1/N of the training loss of the mean output",
     "fluctuations.md#s1-8: mean of Delta b", "ensemble",
     .estimator = {NND_SLOPE, "ensemble_loss"}},
    {"test_loss_ncorr", "t", "coefficient of 1/N of the expected loss on test samples",
     "fluctuations.md#s1-3", "bias", .estimator = {NND_SLOPE, "test_loss"}},
    {"loss_nvar", "t", "N times the variance of the training loss",
     "fluctuations.md#s1-8: Delta^T N Cov(Delta, Delta) Delta/P^2", "variance",
     .estimator = {NND_NVAR, "loss"}, .symbol = "N Var L"},
    {"mode_nvar", "t,k", "N times the variance of the residual along a mode of the kernel",
     "fluctuations.md#s1-8: u_k^T N Cov(Delta, Delta) u_k", "modes", .nullable = true,
     .check = NND_UNCHECKED, .drawing = {.rank = "k"}},
    {"width_mean", "t", "width from which the mean loss is near its limit",
     "fluctuations.md#s1-8: |loss_ncorr|/(loss_within loss)", "widths", .check = NND_UNCHECKED,
     .unbounded = true, .drawing = {.x = "t", .log = NND_LOG_Y}},
    {"width_sd", "t", "width from which the loss hardly fluctuates",
     "fluctuations.md#s1-8: loss_nvar/(loss_sd_within loss)^2", "widths", .check = NND_UNCHECKED,
     .unbounded = true, .drawing = {.x = "t", .log = NND_LOG_Y}},
    {"loss_at_width", "at_width,t", "expected training loss of networks of a width",
     "fluctuations.md#s1-8: loss + loss_ncorr/N", "widths-loss",
     .estimator = {NND_AT_SIZES, "loss", "at_width"}, .check = NND_UNCHECKED},
    {"ensemble_loss_at_width", "at_width,t",
     "training loss of the mean output of many networks of a width",
     "fluctuations.md#s1-8: ensemble_loss + ensemble_loss_ncorr/N", "widths-loss",
     .check = NND_UNCHECKED},
    {"test_loss_at_width", "at_width,t", "expected loss on test samples of networks of a width",
     "fluctuations.md#s1-8: test_loss + test_loss_ncorr/N", "widths-loss", .check = NND_UNCHECKED},
    {"stability", "t", "learning rate times top eigenvalue of the NTK",
     "fluctuations.md#s1-8: eta0 lambda_max(K)/P, limit 2", "stability", .check = NND_UNCHECKED,
     .drawing = {.level_count = 1, .level = {2.0}}},
    {"stability_at_width", "at_width,t",
     "learning rate times top eigenvalue of the mean NTK of networks of a width",
     "fluctuations.md#s1-8: eta0 lambda_max(K + ntk_bias/N)/P, limit 2", "stability",
     .check = NND_UNCHECKED, .drawing = {.level_count = 1, .level = {2.0}}},
    {"validity", "t,mu", "N times the relative size of the next order",
     "fluctuations.md#s1-7: N Var Delta/(2 Delta^2) + 2 |b|/|Delta|", "validity",
     .check = NND_UNCHECKED, .unbounded = true},
    {"delta_two_time_ncov", "t,s,mu,nu", "N times the covariance of residuals at two times",
     "fluctuations.md#s1-2: Sigma", "two-time", .estimator = {NND_NCOV, "delta", "delta"}},
    {"noise_two_time", "t,s,mu,nu", "covariance of single neurons", "fluctuations.md#s1-2: C_1",
     "two-time", .check = NND_UNCHECKED},
    {"response", "t,s,mu,nu", "response of the output to the residual", "fluctuations.md#s1-2: chi",
     "two-time", .check = NND_UNCHECKED},
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
    return nnd_rates_check(&p->schedule, o) && nnd_steps_check(&p->record, p->steps, o) &&
           nnd_data_check_samples(&p->data, o) && check_solver(p, o);
}

static const nnd_guide TRANSFER[] = {{"loss", "infinite width", NND_GUIDE_LINE}, {NULL}};
static const nnd_view VIEWS[] = {
    {"scaling", {"delta_nvar"}, .scaling = "width", .drawing = {.x = "t"}},
    {"histogram", {"delta", "test_output"}, .seeds = true},
    {"signal-gamma0", {"ntk_signal"}, .drawing = {.x = "gamma0", .last = true, .markers = true}},
    NND_TRANSFER_VIEW("loss_at_width", TRANSFER),
    {"rates", {"ntk", "ntk_nvar"}, .drawing = {.x = "lr", .last = true, .markers = true}},
    {NULL}};

const nnd_model nnd_two_layer_fluctuations_model = {
    .name = "two-layer-fluctuations",
    .summary = "variance and bias at order 1/N of networks with one hidden layer",
    .page = "fluctuations",
    .loss = "loss",
    .params = NND_TABLE_OF(PARAMS, nnd_two_layer),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_two_layer),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .sized = true,
    .check = check,
};
